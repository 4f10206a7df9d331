//! A provider and a chat that follow a script: everything they do wrong comes from one seed.
//!
//! ```text
//! ScriptedPsp    refuses for now, acts and stays silent, forgets nothing; closes checkouts at their time
//! ScriptedChat   refuses for now, posts and stays silent, closes messages for editing
//! cut(future, n) ends a future after n breaths, as a crash would
//! ```
//! Each call breathes before and after its effect. A future that is dropped at a breath is a process that was killed
//! there: between the claim and the call, or between the call and the commit.

#![allow(clippy::unwrap_used, reason = "test code")]

use super::seeded::Seeded;
use crate::card::Card;
use crate::id::{CaptureId, CheckoutId, PaymentId, PspRefundId};
use crate::money::Money;
use crate::order::{CheckoutOrder, IdemKey, RefundOrder};
use crate::payment::{CheckoutState, RefundState};
use crate::place::{MessageRef, PersonId, Place};
use crate::port::chat::{Caps, Chat, Health, Person, Private, Rendered, Retracted, SendError, Standing, Stop, Twins};
use crate::port::desk::Desk;
use crate::port::http::Http;
use crate::port::psp::{
    About, Account, AmountBy, Ask, Capture, Delivery, Distrust, Evidence, Expire, Fault, Finding, Hook, News, Page,
    Psp, PspCaps, Reported, Takes,
};
use crate::text::Locale;
use crate::time::Timestamp;
use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Pending once: the moment at which a crash can happen.
pub async fn breathe() {
    let mut breathed = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut breathed, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

/// Runs a future for `breaths` breaths at most; `None`: it was dropped in the middle.
pub fn cut<T>(future: impl Future<Output = T>, breaths: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..=breaths {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

/// Runs a future to its end.
pub fn whole<T>(future: impl Future<Output = T>) -> T {
    cut(future, 1_000_000).unwrap()
}

/// How a call goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mishap {
    None,
    Refused,
    Silent,
}

fn mishap(seeded: &mut Seeded, trouble_percent: u64) -> Mishap {
    if !seeded.chance(trouble_percent) {
        Mishap::None
    } else if seeded.chance(50) {
        Mishap::Refused
    } else {
        Mishap::Silent
    }
}

/// A provider in memory.
pub struct ScriptedPsp(Mutex<Provider>);

struct Provider {
    seeded: Seeded,
    trouble_percent: u64,
    now: Timestamp,
    checkouts: BTreeMap<CheckoutId, Sold>,
    refunds: BTreeMap<PspRefundId, (RefundOrder, Timestamp)>,
    keys: BTreeMap<String, (String, Reported)>,
    events: Vec<Reported>,
}

struct Sold {
    order: CheckoutOrder,
    state: CheckoutState,
    changed: Timestamp,
}

/// What the provider holds of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Captured, in minor units.
    pub captured: i64,
    /// Refunded, in minor units.
    pub refunded: i64,
    /// Taken for disputes, in minor units; by a provider that has them.
    pub withheld: i64,
    /// Checkouts that can be paid now.
    pub open: u32,
    /// Most checkouts that ever existed for one number.
    pub twins: u32,
}

impl ScriptedPsp {
    /// One whose mishaps come from `seed`.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        Self(Mutex::new(Provider {
            seeded: Seeded::new(seed),
            trouble_percent: 0,
            now,
            checkouts: BTreeMap::new(),
            refunds: BTreeMap::new(),
            keys: BTreeMap::new(),
            events: Vec::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Provider> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls in a hundred go wrong from now on.
    pub fn trouble(&self, percent: u64) {
        self.lock().trouble_percent = percent;
    }

    /// The provider's clock; checkouts whose time has come are closed.
    pub fn at(&self, now: Timestamp) {
        let mut provider = self.lock();
        provider.now = now;
        let over =
            provider.checkouts.iter().filter(|(_, it)| it.state == CheckoutState::Open && it.order.closes_at <= now);
        let over: Vec<CheckoutId> = over.map(|(id, _)| id.clone()).collect();
        for id in over {
            provider.change(&id, CheckoutState::Expired);
        }
    }

    /// Pays a checkout that is open. Says whether it was.
    pub fn pay(&self, id: &CheckoutId) -> bool {
        let mut provider = self.lock();
        let open = provider.checkouts.get(id).is_some_and(|it| it.state == CheckoutState::Open);
        if open {
            provider.change(id, CheckoutState::CompletePaid);
        }
        open
    }

    /// Checkouts that can be paid.
    pub fn open(&self) -> Vec<CheckoutId> {
        let provider = self.lock();
        let open = provider.checkouts.iter().filter(|(_, it)| it.state == CheckoutState::Open);
        open.map(|(id, _)| id.clone()).collect()
    }

    /// Everything that would be delivered by webhook, oldest first.
    pub fn events(&self) -> Vec<Reported> {
        self.lock().events.clone()
    }

    /// What it holds, by payment.
    pub fn holds(&self) -> BTreeMap<PaymentId, Holds> {
        let provider = self.lock();
        let mut all: BTreeMap<PaymentId, Holds> = BTreeMap::new();
        let mut numbers: BTreeMap<(PaymentId, u32), u32> = BTreeMap::new();
        for sold in provider.checkouts.values() {
            let holds = all.entry(sold.order.payment).or_default();
            let twins = numbers.entry((sold.order.payment, sold.order.n)).or_default();
            *twins += 1;
            holds.twins = holds.twins.max(*twins);
            match sold.state {
                CheckoutState::Open => holds.open += 1,
                CheckoutState::CompletePaid => holds.captured += sold.order.amount.minor(),
                CheckoutState::Approved
                | CheckoutState::CompleteUnpaid
                | CheckoutState::Failed
                | CheckoutState::Expired => {}
            }
        }
        for (order, _) in provider.refunds.values() {
            all.entry(order.payment).or_default().refunded += order.amount.minor();
        }
        all
    }
}

impl Provider {
    fn change(&mut self, id: &CheckoutId, state: CheckoutState) {
        let now = self.now;
        if let Some(sold) = self.checkouts.get_mut(id) {
            (sold.state, sold.changed) = (state, now);
        }
        self.record(|it| it.report_checkout(id));
    }

    fn record(&mut self, report: impl FnOnce(&Self) -> Option<Reported>) {
        let Some(mut report) = report(self) else { return };
        report.event = format!("evt_{}", self.events.len());
        self.events.push(report);
    }

    fn reported(payment: PaymentId, event: String, as_of: Timestamp, news: Vec<News>) -> Reported {
        let about = About::Payment(payment);
        Reported { event, as_of, provider_account: "acct_script".into(), livemode: false, about, news }
    }

    fn report_checkout(&self, id: &CheckoutId) -> Option<Reported> {
        let Sold { order, state, changed } = self.checkouts.get(id)?;
        let mut news = vec![News::Checkout {
            checkout: id.clone(),
            n: order.n,
            state: *state,
            amount: order.amount,
            closes_at: Some(order.closes_at),
            url: Some(format!("https://psp.example/pay/{id}")),
        }];
        if *state == CheckoutState::CompletePaid {
            let capture = CaptureId::new(format!("py_{id}"));
            news.push(News::Captured { capture, checkout: id.clone(), amount: order.amount });
        }
        Some(Self::reported(order.payment, format!("fetch:{id}:{state:?}"), *changed, news))
    }

    fn report_refund(&self, id: &PspRefundId) -> Option<Reported> {
        let (order, made) = self.refunds.get(id)?;
        let news = vec![News::Refund {
            refund: id.clone(),
            ours: Some(order.refund),
            capture: order.capture.clone(),
            amount: order.amount,
            state: RefundState::Succeeded,
        }];
        Some(Self::reported(order.payment, format!("fetch:{id}"), *made, news))
    }

    fn create(&mut self, order: &CheckoutOrder) -> Option<Reported> {
        let id = CheckoutId::new(format!("co_{}", self.checkouts.len()));
        let sold = Sold { order: order.clone(), state: CheckoutState::Open, changed: self.now };
        self.checkouts.insert(id.clone(), sold);
        self.record(|it| it.report_checkout(&id));
        self.report_checkout(&id)
    }

    fn refund(&mut self, order: &RefundOrder) -> Result<Reported, Fault> {
        let paid = self
            .checkouts
            .iter()
            .find(|(id, it)| it.state == CheckoutState::CompletePaid && format!("py_{id}") == order.capture.as_str());
        let Some((_, sold)) = paid else { return Err(Fault::NotFound) };
        let gone: i64 =
            self.refunds.values().filter(|(it, _)| it.capture == order.capture).map(|(it, _)| it.amount.minor()).sum();
        if gone + order.amount.minor() > sold.order.amount.minor() {
            return Err(Fault::Refused("more than is left".into()));
        }
        let id = PspRefundId::new(format!("re_{}", self.refunds.len()));
        self.refunds.insert(id.clone(), (order.clone(), self.now));
        self.record(|it| it.report_refund(&id));
        self.report_refund(&id).ok_or(Fault::NotFound)
    }

    /// Runs `act` once per key; the same key with another order is a conflict.
    fn once(
        &mut self,
        key: &IdemKey,
        order: String,
        act: impl FnOnce(&mut Self) -> Result<Reported, Fault>,
    ) -> Result<Reported, Fault> {
        match self.keys.get(key.as_str()) {
            Some((known, _)) if *known != order => Err(Fault::KeyTaken),
            Some((_, first)) => Ok(first.clone()),
            None => {
                let report = act(self)?;
                self.keys.insert(key.as_str().to_owned(), (order, report.clone()));
                Ok(report)
            }
        }
    }

    fn found(&self, ask: &Ask) -> Vec<Reported> {
        match ask {
            Ask::Checkout(id) => self.report_checkout(id).into_iter().collect(),
            Ask::CheckoutOf { payment, n, .. } => {
                let same = |sold: &Sold| sold.order.payment == *payment && sold.order.n == *n;
                let ids = self.checkouts.iter().filter(|(_, sold)| same(sold)).map(|(id, _)| id);
                ids.filter_map(|id| self.report_checkout(id)).collect()
            }
            Ask::RefundOf { payment, refund, .. } => {
                let same = |order: &RefundOrder| order.payment == *payment && order.refund == *refund;
                let ids = self.refunds.iter().filter(|(_, (order, _))| same(order)).map(|(id, _)| id);
                ids.filter_map(|id| self.report_refund(id)).collect()
            }
            Ask::Capture(capture) => {
                let through = self.checkouts.keys().filter(|id| format!("py_{id}") == capture.as_str());
                let checkouts = through.filter_map(|id| self.report_checkout(id));
                let back = self.refunds.iter().filter(|(_, (order, _))| order.capture == *capture);
                checkouts.chain(back.filter_map(|(id, _)| self.report_refund(id))).collect()
            }
        }
    }
}

impl ScriptedPsp {
    async fn call<T>(&self, effect: impl FnOnce(&mut Provider) -> Result<T, Fault>) -> Result<T, Fault> {
        breathe().await;
        let done = {
            let mut provider = self.lock();
            let percent = provider.trouble_percent;
            match mishap(&mut provider.seeded, percent) {
                Mishap::None => effect(&mut provider),
                Mishap::Refused => Err(Fault::Later { wait: None, why: "429".into() }),
                Mishap::Silent => effect(&mut provider).and(Err(Fault::Ambiguous("time ran out".into()))),
            }
        };
        breathe().await;
        done
    }
}

#[async_trait]
impl Psp for ScriptedPsp {
    fn name(&self) -> &'static str {
        "script"
    }

    fn base_url(&self) -> &'static str {
        ""
    }

    fn caps(&self) -> PspCaps {
        PspCaps {
            expire: Expire::OnRequest,
            capture: Capture::ByItself,
            amount: AmountBy::Checkout,
            key_window: Duration::from_secs(24 * 3600),
            checkout_life: (Duration::from_secs(60), Duration::from_secs(24 * 3600)),
        }
    }

    fn suits(&self, _: &SecretString, _: bool) -> Result<(), &'static str> {
        Ok(())
    }

    fn takes(&self, _: Money) -> Takes {
        Takes::Yes
    }

    async fn examine(&self, _: &dyn Http, _: &Account, _: Hook<'_>, _: Timestamp) -> Vec<Finding> {
        vec![Finding::good("the script answers")]
    }

    async fn create(&self, _: &dyn Http, _: &Account, order: &CheckoutOrder, key: &IdemKey) -> Result<Reported, Fault> {
        let (bytes, make) = (format!("{order:?}"), |it: &mut Provider| it.create(order).ok_or(Fault::NotFound));
        self.call(|provider| provider.once(key, bytes, make)).await
    }

    async fn expire(&self, _: &dyn Http, _: &Account, id: &CheckoutId, _: &IdemKey) -> Result<Reported, Fault> {
        let close = |it: &mut Provider| {
            match it.checkouts.get(id).map(|sold| sold.state) {
                None => return Err(Fault::NotFound),
                Some(CheckoutState::CompletePaid) => return Err(Fault::AlreadyComplete),
                Some(CheckoutState::Open) => it.change(id, CheckoutState::Expired),
                Some(
                    CheckoutState::Approved
                    | CheckoutState::CompleteUnpaid
                    | CheckoutState::Failed
                    | CheckoutState::Expired,
                ) => {}
            }
            it.report_checkout(id).ok_or(Fault::NotFound)
        };
        self.call(close).await
    }

    async fn capture(&self, _: &dyn Http, _: &Account, id: &CheckoutId, _: &IdemKey) -> Result<Reported, Fault> {
        self.call(|provider| provider.report_checkout(id).ok_or(Fault::NotFound)).await
    }

    async fn refund(&self, _: &dyn Http, _: &Account, order: &RefundOrder, key: &IdemKey) -> Result<Reported, Fault> {
        let (bytes, make) = (format!("{order:?}"), |it: &mut Provider| it.refund(order));
        self.call(|provider| provider.once(key, bytes, make)).await
    }

    async fn fetch(&self, _: &dyn Http, _: &Account, ask: &Ask) -> Result<Vec<Reported>, Fault> {
        let found = self.call(|provider| Ok(provider.found(ask))).await?;
        if found.is_empty() { Err(Fault::NotFound) } else { Ok(found) }
    }

    async fn list_since(&self, _: &dyn Http, _: &Account, cursor: Option<&str>) -> Result<Page, Fault> {
        let after: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let events = self.call(|provider| Ok(provider.events.clone())).await?;
        let reports: Vec<Reported> = events.iter().skip(after).take(10).cloned().collect();
        let next = after + reports.len();
        Ok(Page { reports, unreadable: Vec::new(), cursor: next.to_string(), more: next < events.len() })
    }

    async fn verify(
        &self,
        _: &dyn Http,
        _: &Account,
        d: Delivery<'_>,
        _: Timestamp,
    ) -> Result<Vec<Evidence>, Distrust> {
        let report = serde_json::from_slice(d.body).map_err(|_| Distrust::Unreadable)?;
        Ok(vec![Evidence::Facts(report)])
    }
}

/// A chat in memory.
pub struct ScriptedChat(Mutex<Room>);

struct Room {
    seeded: Seeded,
    trouble_percent: u64,
    closed_percent: u64,
    knows: Knows,
    messages: Vec<Message>,
}

/// What the chat says when it is asked who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// Whoever's id begins with `staff:` is staff.
    Staff,
    /// Nobody is staff any more.
    Guests,
    /// Not now.
    NotNow,
}

/// One message in the room.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The key it was posted under.
    pub key: IdemKey,
    /// Its newest body.
    pub body: serde_json::Value,
    /// Whether the platform refuses to edit it.
    pub closed: bool,
}

impl ScriptedChat {
    /// One whose mishaps come from `seed`.
    pub fn new(seed: u64) -> Self {
        let seeded = Seeded::new(seed);
        Self(Mutex::new(Room {
            seeded,
            trouble_percent: 0,
            closed_percent: 0,
            knows: Knows::Staff,
            messages: Vec::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls in a hundred go wrong from now on, and how many edits close their message for ever.
    pub fn trouble(&self, percent: u64, closed_percent: u64) {
        let mut room = self.lock();
        (room.trouble_percent, room.closed_percent) = (percent, closed_percent);
    }

    /// What it says from now on when it is asked who somebody is.
    pub fn knows(&self, knows: Knows) {
        self.lock().knows = knows;
    }

    /// What stands in the room.
    pub fn messages(&self) -> Vec<Message> {
        self.lock().messages.clone()
    }

    async fn call<T>(&self, effect: impl FnOnce(&mut Room) -> Result<T, SendError>) -> Result<T, SendError> {
        breathe().await;
        let done = {
            let mut room = self.lock();
            let percent = room.trouble_percent;
            match mishap(&mut room.seeded, percent) {
                Mishap::None => effect(&mut room),
                Mishap::Refused => Err(SendError::Later { wait: None }),
                Mishap::Silent => effect(&mut room).and(Err(SendError::Ambiguous("time ran out".into()))),
            }
        };
        breathe().await;
        done
    }
}

impl Room {
    fn put(&mut self, place: &Place, message: &Rendered, key: &IdemKey) -> MessageRef {
        let known = self.messages.iter().position(|known| known.key == *key);
        let at = known.unwrap_or_else(|| {
            self.messages.push(Message { key: key.clone(), body: message.body.clone(), closed: false });
            self.messages.len() - 1
        });
        MessageRef { place: place.clone(), id: at.to_string() }
    }
}

#[async_trait]
impl Chat for ScriptedChat {
    fn name(&self) -> &'static str {
        "script"
    }

    fn caps(&self, _: &Place) -> Caps {
        Caps { text_max: 4000, buttons_max: 5, url_max: 500, private: Private::Here, twins: Twins::Recognised }
    }

    fn render(&self, card: &Card, _: &Caps, locale: &Locale) -> Rendered {
        Rendered { body: json!({ "card": card }), plain: card.plain(locale), losses: Vec::new() }
    }

    fn say(&self, text: &str, _: &[PersonId], _: &Caps) -> Rendered {
        Rendered { body: json!({ "text": text }), plain: text.to_owned(), losses: Vec::new() }
    }

    fn listed_as(&self, _: &PersonId) -> Option<String> {
        None
    }

    async fn listen(self: Arc<Self>, _: Arc<dyn Desk>, stop: Stop) -> Result<(), SendError> {
        stop.await;
        Ok(())
    }

    async fn post(&self, to: &Place, message: &Rendered, key: &IdemKey, _: Timestamp) -> Result<MessageRef, SendError> {
        self.call(|room| Ok(room.put(to, message, key))).await
    }

    async fn find(&self, _: &Place, _: &IdemKey, _: Timestamp) -> Result<Option<MessageRef>, SendError> {
        Ok(None)
    }

    async fn edit(&self, at: &MessageRef, message: &Rendered, _: Timestamp) -> Result<(), SendError> {
        let edit = |room: &mut Room| {
            let percent = room.closed_percent;
            let closes = room.seeded.chance(percent);
            let place = at.id.parse::<usize>().ok().and_then(|at| room.messages.get_mut(at));
            let Some(known) = place else { return Err(SendError::Gone) };
            known.closed |= closes;
            if known.closed {
                return Err(SendError::EditClosed);
            }
            known.body = message.body.clone();
            Ok(())
        };
        self.call(edit).await
    }

    async fn reply(
        &self,
        at: &MessageRef,
        message: &Rendered,
        key: &IdemKey,
        _: Timestamp,
    ) -> Result<MessageRef, SendError> {
        self.call(|room| Ok(room.put(&at.place, message, key))).await
    }

    async fn whisper(
        &self,
        _: &PersonId,
        at: &Place,
        message: &Rendered,
        key: &IdemKey,
        _: Timestamp,
    ) -> Result<(), SendError> {
        self.call(|room| Ok(room.put(at, message, key))).await.map(drop)
    }

    /// People write nothing here that stands as a message: they are always asked.
    async fn retract(&self, _: &MessageRef, _: &PersonId, _: &Rendered, _: Timestamp) -> Result<Retracted, SendError> {
        self.call(|_| Ok(Retracted::Asked)).await
    }

    async fn person(&self, who: &PersonId, _: &Place) -> Result<Option<Person>, SendError> {
        let standing = match self.lock().knows {
            Knows::NotNow => return Err(SendError::Later { wait: None }),
            Knows::Staff if who.id.starts_with("staff:") => Standing::Staff,
            Knows::Staff | Knows::Guests => Standing::Guest,
        };
        Ok(Some(Person { id: who.clone(), name: who.id.clone(), standing }))
    }

    async fn probe(&self) -> Health {
        Health::Well
    }
}

/// A client that reaches nothing: a scripted provider needs none.
pub struct NoHttp;

#[async_trait]
impl Http for NoHttp {
    async fn send(
        &self,
        _: crate::port::http::Request,
    ) -> Result<crate::port::http::Response, crate::port::http::HttpError> {
        Err(crate::port::http::HttpError::Unsent("there is no network in this test".into()))
    }
}

/// An amount in cents, for tests.
pub fn cents(minor: i64, currency: &str) -> Money {
    Money::new(minor, crate::money::Currency::parse(currency).unwrap())
}
