//! The scripted provider behind its port: calls that go wrong by the seed, keys, look-ups, webhooks.
//!
//! ```text
//! call ─► down? ─► mishap? ─► key known? ─► effect ─► answer, or none
//! ```

use super::character::{Character, Tells};
use super::hands::Down;
use super::provider::{Backed, Holds, Kept, Provider, Sold, Version, place};
use super::{Mishap, breathe};
use crate::id::{CheckoutId, PaymentId, PspRefundId};
use crate::money::Money;
use crate::order::{CheckoutOrder, IdemKey, RefundOrder};
use crate::payment::{CheckoutState, DisputeState, RefundState};
use crate::port::http::Http;
use crate::port::psp::{
    Account, AmountBy, Ask, Capture, Delivery, Distrust, Evidence, Expire, Fault, Finding, Hook, Page, Psp, PspCaps,
    Reported, Takes,
};
use crate::signature::SKEW_SECS_MAX;
use crate::time::Timestamp;
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The least amount that it sells for, in minor units.
const LEAST: i64 = 100;
/// What a payer agreed to and nobody took lapses after this long.
const LAPSES: Duration = Duration::from_secs(3 * 3600);

/// A provider in memory.
pub struct ScriptedPsp(Mutex<Provider>);

/// What a webhook says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// All of it.
    Whole(Reported),
    /// Which checkout to ask about.
    Hint(CheckoutId),
    /// Another shop's sale, on the same account.
    Foreign,
}

impl ScriptedPsp {
    /// A plain one, whose mishaps come from `seed`.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        Self::with(Character::PLAIN, seed, now)
    }

    /// One of this character.
    pub fn with(character: Character, seed: u64, now: Timestamp) -> Self {
        Self(Mutex::new(Provider::new(character, seed, now)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Provider> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into its books.
    pub fn look<T>(&self, look: impl FnOnce(&Provider) -> T) -> T {
        look(&self.lock())
    }

    /// How many calls in a hundred go wrong from now on. At 0 nothing else goes wrong either.
    pub fn trouble(&self, percent: u64) {
        let mut provider = self.lock();
        provider.trouble_percent = percent;
        if percent == 0 {
            provider.down = None;
        }
    }

    /// The right time; checkouts whose time has come by the provider's clock are closed.
    pub fn at(&self, right: Timestamp) {
        let mut provider = self.lock();
        provider.set(right);
        let now = provider.now;
        let is_over = |it: &&Sold| match it.state {
            CheckoutState::Open => it.order.closes_at <= now,
            CheckoutState::Approved => it.version.at.after(LAPSES) <= now,
            CheckoutState::CompleteUnpaid
            | CheckoutState::Failed
            | CheckoutState::Expired
            | CheckoutState::CompletePaid => false,
        };
        let over = provider.sold.iter().filter(is_over);
        let over: Vec<(CheckoutId, CheckoutState)> = over.map(|it| (it.id.clone(), it.state)).collect();
        for (id, was) in over {
            if was == CheckoutState::Approved {
                provider.count("approvals that lapsed");
            }
            provider.change(&id, CheckoutState::Expired);
        }
    }

    /// Webhooks after the first `from` of all that ever left.
    pub fn told(&self, from: usize) -> Vec<Told> {
        self.lock().told.get(from..).unwrap_or_default().to_vec()
    }

    /// What it holds, by payment.
    pub fn holds(&self) -> BTreeMap<PaymentId, Holds> {
        self.lock().holds()
    }

    async fn call<T>(&self, effect: impl FnOnce(&mut Provider) -> Result<T, Fault>) -> Result<T, Fault> {
        breathe().await;
        let done = {
            let mut provider = self.lock();
            let mishap = provider.mishap();
            let nothing = provider.nothing_happens(mishap);
            match nothing {
                Some(fault) => Err(fault),
                None => effect(&mut provider).and_then(|done| mishap.hides().map_or(Ok(done), Err)),
            }
        };
        breathe().await;
        done
    }

    /// A call under a key: `act` has an effect once; the same key with another order is a conflict.
    async fn once(
        &self,
        key: &IdemKey,
        order: String,
        act: impl FnOnce(&mut Provider) -> Result<Reported, Fault>,
    ) -> Result<Reported, Fault> {
        breathe().await;
        let done = self.lock().keyed(key.as_str(), order, act);
        breathe().await;
        done
    }
}

impl Mishap {
    /// The answer that stands in the place of the true one.
    fn hides(self) -> Option<Fault> {
        match self {
            Self::None | Self::Refused | Self::Failed => None,
            Self::Silent => Some(Fault::Ambiguous("time ran out".into())),
            Self::Garbled => Some(Fault::Unreadable("<html>".into())),
            Self::BrokenBefore | Self::BrokenAfter => Some(Fault::Ambiguous("500".into())),
        }
    }
}

impl Provider {
    fn mishap(&mut self) -> Mishap {
        let percent = self.trouble_percent;
        Mishap::of(&mut self.seeded, percent)
    }

    /// Why a call has no effect, if it has none.
    fn nothing_happens(&mut self, mishap: Mishap) -> Option<Fault> {
        if let Some((_, down)) = self.down.filter(|(until, _)| self.now < *until) {
            return Some(match down {
                Down::Silent => Fault::Ambiguous("no answer".into()),
                Down::Closed => Fault::Later { wait: None, why: "503".into() },
                Down::Barred => Fault::Credentials("this key may not".into()),
            });
        }
        match mishap {
            Mishap::Refused => {
                self.count("429");
                let wait = self.seeded.chance(50).then(|| Duration::from_secs(1 + self.seeded.below(90)));
                Some(Fault::Later { wait, why: "429".into() })
            }
            Mishap::Failed => Some(Fault::Ambiguous("502".into())),
            Mishap::None | Mishap::Silent | Mishap::Garbled | Mishap::BrokenBefore | Mishap::BrokenAfter => None,
        }
    }

    fn keyed(
        &mut self,
        key: &str,
        order: String,
        act: impl FnOnce(&mut Self) -> Result<Reported, Fault>,
    ) -> Result<Reported, Fault> {
        let (now, window) = (self.now, self.character.key_window);
        self.keys.retain(|_, kept| now.since(kept.at) < window);
        let mishap = self.mishap();
        if let Some(fault) = self.nothing_happens(mishap) {
            return Err(fault);
        }
        if let Some(known) = self.keys.get(key) {
            if known.order != order {
                self.conflicts += 1;
                return Err(Fault::KeyTaken);
            }
            let Some(first) = known.answer.clone() else {
                self.count("500 said again");
                return Err(Fault::KeyTaken);
            };
            return mishap.hides().map_or(Ok(first), Err);
        }
        let answer = match mishap {
            Mishap::BrokenBefore => None,
            Mishap::BrokenAfter => act(self).map(|_| None)?,
            Mishap::None | Mishap::Refused | Mishap::Failed | Mishap::Silent | Mishap::Garbled => Some(act(self)?),
        };
        self.keys.insert(key.to_owned(), Kept { order, answer: answer.clone(), at: now });
        match (answer, mishap.hides()) {
            (Some(report), None) => Ok(report),
            (_, Some(fault)) => {
                self.count("silent after the effect, or broken");
                Err(fault)
            }
            (None, None) => Err(Fault::KeyTaken),
        }
    }

    fn create(&mut self, order: &CheckoutOrder) -> Result<Reported, Fault> {
        if order.amount.minor() < LEAST {
            self.count("refused for good");
            return Err(Fault::Refused("amount_too_small".into()));
        }
        if order.closes_at < self.now.after(self.character.caps().checkout_life.0) {
            self.count("too late to create");
            return Err(Fault::Outdated("closes too soon".into()));
        }
        let lies = self.character.amount == AmountBy::Checkout && self.trouble_percent > 0 && self.seeded.chance(2);
        let asks = if lies { Money::new(order.amount.minor() * 100, order.amount.currency()) } else { order.amount };
        if lies {
            self.count("pages that ask for another amount");
        }
        let id = CheckoutId::new(format!("co_{}", self.sold.len()));
        let version = Version { at: self.now, count: 0 };
        let (order, state) = (order.clone(), CheckoutState::Open);
        self.sold.push(Sold { id: id.clone(), order, asks, agreed: None, state, taken: false, version });
        self.tell_of_checkout(&id);
        self.report_checkout(&id).ok_or(Fault::NotFound)
    }

    fn expire(&mut self, id: &CheckoutId) -> Result<Reported, Fault> {
        if self.character.expire == Expire::ByItself {
            return Err(Fault::Refused("closes by itself".into()));
        }
        match self.sold(id).map(|sold| sold.state) {
            None => return Err(Fault::NotFound),
            Some(CheckoutState::CompletePaid | CheckoutState::CompleteUnpaid) => return Err(Fault::AlreadyComplete),
            Some(CheckoutState::Open | CheckoutState::Approved) => self.change(id, CheckoutState::Expired),
            Some(CheckoutState::Failed | CheckoutState::Expired) => {}
        }
        self.report_checkout(id).ok_or(Fault::NotFound)
    }

    /// Takes what the payer agreed to; a bank needs days for it now and then.
    fn capture(&mut self, id: &CheckoutId) -> Result<Reported, Fault> {
        let sold = self.sold(id).ok_or(Fault::NotFound)?;
        let amount = sold.agreed.unwrap_or(sold.asks);
        if sold.state == CheckoutState::Approved
            && let Some(sold) = place(id.as_str()).and_then(|at| self.sold.get_mut(at))
        {
            sold.taken = true;
        }
        let sold = self.sold(id).ok_or(Fault::NotFound)?;
        match (sold.state, self.character.capture) {
            (CheckoutState::Approved, Capture::OnRequest) if self.trouble_percent > 0 && self.seeded.chance(15) => {
                self.count("taken, and the bank needs days");
                self.change(id, CheckoutState::CompleteUnpaid);
            }
            (CheckoutState::Approved, Capture::OnRequest) => {
                self.count("taken on request");
                self.take(id, amount);
            }
            (CheckoutState::Open | CheckoutState::Failed | CheckoutState::Expired, Capture::OnRequest) => {
                self.count("nothing to take");
                return Err(Fault::Refused("nobody has agreed".into()));
            }
            (CheckoutState::CompleteUnpaid | CheckoutState::CompletePaid, _) | (_, Capture::ByItself) => {}
        }
        self.report_checkout(id).ok_or(Fault::NotFound)
    }

    fn refund(&mut self, order: &RefundOrder) -> Result<Reported, Fault> {
        let took = self.took(&order.capture).ok_or(Fault::NotFound)?;
        if order.amount.minor() > self.left(took) {
            self.count("refunds that came too late");
            return Err(Fault::Refused("charge_already_refunded".into()));
        }
        let fights = |state| matches!(state, DisputeState::NeedsResponse | DisputeState::UnderReview);
        if self.fought.iter().any(|it| it.capture == order.capture && fights(it.state)) {
            return Err(Fault::Refused("charge_disputed".into()));
        }
        let slow = self.trouble_percent > 0 && self.seeded.chance(40);
        let starts = [RefundState::Pending, RefundState::Pending, RefundState::RequiresAction];
        let state = self.seeded.pick(&starts).copied().filter(|_| slow).unwrap_or(RefundState::Succeeded);
        let id = PspRefundId::new(format!("re_{}", self.backed.len()));
        self.backed.push(Backed {
            id: id.clone(),
            payment: order.payment,
            capture: order.capture.clone(),
            ours: Some(order.refund),
            amount: order.amount,
            state,
            version: Version { at: self.now, count: 0 },
        });
        self.tell_of_refund(&id);
        self.report_refund(&id).ok_or(Fault::NotFound)
    }

    pub(super) fn tell_of_refund(&mut self, id: &PspRefundId) {
        let checkout = self.backed(id).and_then(|it| self.took(&it.capture)).map(|it| it.checkout.clone());
        let report = self.report_refund(id);
        self.record(report, checkout);
    }

    fn found(&self, ask: &Ask) -> Vec<Reported> {
        match ask {
            Ask::Checkout(id) => {
                let through = self.took.iter().filter(|it| it.checkout == *id);
                let embeds = self.character.tells == Tells::Hints;
                let hanging = through.filter(|_| embeds).flat_map(|it| self.hanging(&it.id));
                self.report_checkout(id).into_iter().chain(hanging).collect()
            }
            Ask::CheckoutOf { payment, n, .. } => {
                let same = |it: &&Sold| it.order.payment == *payment && it.order.n == *n;
                self.sold.iter().filter(same).filter_map(|it| self.report_checkout(&it.id)).collect()
            }
            Ask::RefundOf { payment, refund, .. } => {
                let same = |it: &&Backed| it.payment == *payment && it.ours == Some(*refund);
                self.backed.iter().filter(same).filter_map(|it| self.report_refund(&it.id)).collect()
            }
            Ask::Capture(capture) => {
                let checkout = self.took(capture).and_then(|it| self.report_checkout(&it.checkout));
                checkout.into_iter().chain(self.hanging(capture)).collect()
            }
        }
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
        self.lock().character.caps()
    }

    fn suits(&self, _: &SecretString, _: bool) -> Result<(), &'static str> {
        Ok(())
    }

    fn takes(&self, amount: Money) -> Takes {
        let least = Money::new(LEAST, amount.currency());
        if amount.minor() < LEAST { Takes::PerhapsTooSmall { least } } else { Takes::Yes }
    }

    async fn examine(&self, _: &dyn Http, _: &Account, _: Hook<'_>, _: Timestamp) -> Vec<Finding> {
        vec![Finding::good("the script answers")]
    }

    async fn create(&self, _: &dyn Http, _: &Account, order: &CheckoutOrder, key: &IdemKey) -> Result<Reported, Fault> {
        self.once(key, format!("{order:?}"), |it| it.create(order)).await
    }

    async fn expire(&self, _: &dyn Http, _: &Account, id: &CheckoutId, _: &IdemKey) -> Result<Reported, Fault> {
        self.call(|it| it.expire(id)).await
    }

    async fn capture(&self, _: &dyn Http, _: &Account, id: &CheckoutId, _: &IdemKey) -> Result<Reported, Fault> {
        self.call(|it| it.capture(id)).await
    }

    async fn refund(&self, _: &dyn Http, _: &Account, order: &RefundOrder, key: &IdemKey) -> Result<Reported, Fault> {
        self.once(key, format!("{order:?}"), |it| it.refund(order)).await
    }

    async fn fetch(&self, _: &dyn Http, _: &Account, ask: &Ask) -> Result<Vec<Reported>, Fault> {
        let find = |provider: &mut Provider| {
            if matches!(ask, Ask::CheckoutOf { .. } | Ask::RefundOf { .. }) {
                provider.count("look-ups by our reference");
            }
            Ok(provider.found(ask))
        };
        let found = self.call(find).await?;
        if found.is_empty() { Err(Fault::NotFound) } else { Ok(found) }
    }

    async fn list_since(&self, _: &dyn Http, _: &Account, cursor: Option<&str>) -> Result<Page, Fault> {
        let after: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let page = |it: &mut Provider| {
            let reports: Vec<Reported> = it.events.iter().skip(after).take(10).cloned().collect();
            let next = after + reports.len();
            Ok(Page { reports, unreadable: Vec::new(), cursor: next.to_string(), more: next < it.events.len() })
        };
        self.call(page).await
    }

    /// Signed with who sent it and when: `script:1795000000`. Hints are not signed.
    async fn verify(
        &self,
        _: &dyn Http,
        _: &Account,
        d: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Vec<Evidence>, Distrust> {
        let told = serde_json::from_slice(d.body).map_err(|_| Distrust::Unreadable)?;
        if let (Tells::Hints, Told::Hint(id)) = (self.lock().character.tells, &told) {
            return Ok(vec![Evidence::Hint { event: format!("hint:{id}"), ask: Ask::Checkout(id.clone()) }]);
        }
        let signed = d.header("signature").and_then(|text| text.split_once(':')).ok_or(Distrust::Unsigned)?;
        let secs: i64 = signed.1.parse().map_err(|_| Distrust::Unsigned)?;
        if signed.0 != "script" {
            return Err(Distrust::BadSignature);
        }
        if now.secs().abs_diff(secs) > SKEW_SECS_MAX {
            return Err(Distrust::OutsideWindow);
        }
        match told {
            Told::Whole(report) => Ok(vec![Evidence::Facts(report)]),
            Told::Foreign => Ok(vec![Evidence::Foreign]),
            Told::Hint(_) => Err(Distrust::Unreadable),
        }
    }
}
