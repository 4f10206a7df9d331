#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a broken claim panics and says which"
)]

//! What every payment provider's adapter must do, claim by claim, against a provider that answers.
//!
//! ```text
//! adapter's test ── starts a provider (a real server, a fake) ── lends an Http, a payer's hand, sample deliveries
//!        └─► suite ── create, pay, decline, take, expire, refund, fetch, list, verify ── panics at a broken claim
//! ```
//! The claims that a provider's [`PspCaps`](crate::port::psp::PspCaps) leave out are left out.

use crate::id::{CaptureId, CheckoutId, Code, Entropy, PaymentId, RefundId};
use crate::money::{Currency, Money};
use crate::order::CheckoutOptions;
use crate::order::{CheckoutOrder, IdemKey, Line, RefundOrder};
use crate::payment::{CheckoutState, RefundState};
use crate::port::http::{Http, HttpError, Request, Response};
use crate::port::psp::{
    About, Account, AmountBy, Ask, Capture, Delivery, Distrust, Evidence, Expire, Fault, Hook, News, Psp, Reported,
    Takes, Verdict, Webhooks,
};
use crate::time::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The payer's hand on the provider's page.
#[async_trait]
pub trait Payer: Send + Sync {
    /// Pays the checkout at `url` and returns once the provider has the money; where we take it, agrees to it.
    async fn pay(&self, url: &str);

    /// The same with an amount of the payer's own. Asked for only where [`AmountBy::Payer`].
    async fn pay_amount(&self, url: &str, amount: Money) {
        panic!("nobody can choose to pay {amount} at {url}");
    }

    /// Tries to pay with a card that is declined.
    async fn decline(&self, url: &str);
}

/// Headers as the provider would send them with `body` at a time.
pub type Signed<'a> = &'a (dyn Fn(&[u8], Timestamp) -> Vec<(String, String)> + Sync);

/// Headers and body as the provider would send them about a checkout.
pub type Hinted<'a> = &'a (dyn Fn(&CheckoutId) -> (Vec<(String, String)>, Vec<u8>) + Sync);

/// How the provider's deliveries come, with samples.
pub enum Deliveries<'a> {
    /// Signed, so that what they say can be believed.
    Signed {
        /// Signs with the account's newest webhook secret.
        signed: Signed<'a>,
        /// A body that the provider sent about a payment of ours.
        ours: &'a [u8],
        /// A body that the provider sent about somebody else's payment.
        foreign: &'a [u8],
    },
    /// Unsigned on purpose: anybody can send one, so it says nothing but where to look.
    Hints {
        /// Makes one.
        hinted: Hinted<'a>,
        /// Somebody else's checkout on the same account.
        foreign: &'a CheckoutId,
    },
}

/// What an adapter's test lends to the suite.
pub struct Setup<'a> {
    /// The adapter.
    pub psp: &'a dyn Psp,
    /// A client that reaches the provider.
    pub http: &'a dyn Http,
    /// Credentials that the provider accepts, with at least one webhook secret.
    pub account: &'a Account,
    /// Somebody to pay.
    pub payer: &'a dyn Payer,
    /// Makes ids; other ones at every run against a provider that remembers.
    pub entropy: &'a mut (dyn Entropy + 'a),
    /// The provider's present.
    pub now: Timestamp,
    /// A currency with cents that the account takes.
    pub currency: Currency,
    /// How its deliveries come.
    pub deliveries: Deliveries<'a>,
}

/// A till on one's own computer.
const LOCAL: Hook<'static> = Hook::Local("http://127.0.0.1:8080/hooks/psp/main");

/// Runs every claim.
pub async fn suite(s: &mut Setup<'_>) {
    the_same_order_and_key_make_one_checkout_of_the_same_bytes(s).await;
    another_order_under_a_used_key_is_key_taken(s).await;
    what_is_unknown_is_not_found(s).await;
    a_checkout_is_found_by_its_id_and_by_what_it_is_for(s).await;
    a_decline_leaves_the_checkout_open(s).await;
    a_paid_checkout_shows_its_capture_and_cannot_be_closed(s).await;
    match s.psp.caps().expire {
        Expire::OnRequest => closing_twice_is_closing_once(s).await,
        Expire::ByItself => what_closes_by_itself_is_not_closed_by_us(s).await,
    }
    match s.psp.caps().capture {
        Capture::OnRequest => what_the_payer_agreed_to_is_taken_once(s).await,
        Capture::ByItself => taking_what_the_provider_takes_is_only_a_look(s).await,
    }
    match s.psp.caps().amount {
        AmountBy::Checkout => {}
        AmountBy::Payer => the_payer_pays_what_the_payer_chooses(s).await,
    }
    refunds_are_made_once_each_and_never_exceed_the_capture(s).await;
    the_event_list_shows_everything_once_in_order(s).await;
    a_wrong_key_is_credentials(s).await;
    an_account_that_is_set_up_has_nothing_wrong(s).await;
    match s.deliveries {
        Deliveries::Signed { signed, ours, foreign } => {
            only_a_delivery_that_is_signed_now_and_whole_is_believed(s, signed, ours, foreign).await;
        }
        Deliveries::Hints { hinted, foreign } => {
            an_unsigned_delivery_only_says_where_to_look(s, hinted, foreign).await;
            what_could_not_be_an_id_is_no_hint(s, hinted).await;
        }
    }
}

impl Setup<'_> {
    /// An order of a new payment.
    fn order(&mut self, minor: i64) -> CheckoutOrder {
        let amount = Money::new(minor, self.currency);
        let life = self.psp.caps().checkout_life;
        CheckoutOrder {
            payment: PaymentId::new(self.now, self.entropy),
            n: 1,
            code: Code::new(self.entropy),
            amount,
            lines: vec![Line { name: "coffee <b>& cake</b>".into(), quantity: 1, each: amount }],
            closes_at: self.now.after(life.1.min(life.0 + Duration::from_secs(3600))),
            return_url: "https://till.example/back?a=1&b=2".into(),
            locale: "en".into(),
            options: CheckoutOptions::default(),
        }
    }

    /// Finds a checkout by what it is for.
    fn of(&self, order: &CheckoutOrder) -> Ask {
        Ask::CheckoutOf { payment: order.payment, n: order.n, since: self.now }
    }

    async fn create(&self, order: &CheckoutOrder) -> Result<Reported, Fault> {
        self.psp.create(self.http, self.account, order, &IdemKey::create(order.payment, order.n)).await
    }

    async fn created(&mut self, minor: i64) -> (CheckoutOrder, CheckoutId, String) {
        let order = self.order(minor);
        let (id, url) = open(&self.create(&order).await.expect("an order of the ordinary kind is accepted"));
        (order, id, url)
    }

    async fn paid(&mut self, minor: i64) -> (CheckoutOrder, CheckoutId, CaptureId) {
        let (order, id, url) = self.created(minor).await;
        self.pay(&order, &id, &url).await;
        let capture = capture(&self.fetched(&Ask::Checkout(id.clone())).await, &id, order.amount);
        (order, id, capture)
    }

    /// Pays, and takes the money where that is ours to do.
    async fn pay(&self, order: &CheckoutOrder, id: &CheckoutId, url: &str) {
        self.payer.pay(url).await;
        if self.psp.caps().capture == Capture::OnRequest {
            self.take(order, id).await.expect("what the payer agreed to can be taken");
        }
    }

    async fn take(&self, order: &CheckoutOrder, id: &CheckoutId) -> Result<Reported, Fault> {
        self.psp.capture(self.http, self.account, id, &IdemKey::capture(order.payment, order.n)).await
    }

    async fn expire(&self, order: &CheckoutOrder, id: &CheckoutId) -> Result<Reported, Fault> {
        self.psp.expire(self.http, self.account, id, &IdemKey::expire(order.payment, order.n)).await
    }

    async fn refund(&self, order: &RefundOrder) -> Result<Reported, Fault> {
        self.psp.refund(self.http, self.account, order, &IdemKey::refund(order.payment, order.refund)).await
    }

    async fn fetch(&self, ask: &Ask) -> Result<Vec<Reported>, Fault> {
        self.psp.fetch(self.http, self.account, ask).await
    }

    /// What is found, which must all be from this account.
    async fn fetched(&self, ask: &Ask) -> Vec<News> {
        let found = self.fetch(ask).await.expect("what was made is found");
        assert!(!found.is_empty(), "what was made is found");
        for report in &found {
            assert_eq!(report.provider_account, self.account.provider_account, "the account is the provider's word");
            assert_eq!(report.livemode, self.account.livemode, "the mode is the provider's word");
        }
        found.into_iter().flat_map(|report| report.news).collect()
    }

    /// Every report after `cursor`, page by page, and the cursor at the end.
    async fn listed(&self, cursor: Option<String>) -> (Vec<Reported>, Option<String>) {
        let (mut all, mut cursor) = (Vec::new(), cursor);
        for _ in 0..1000 {
            let page =
                self.psp.list_since(self.http, self.account, cursor.as_deref()).await.expect("the list is there");
            all.extend(page.reports);
            cursor = Some(page.cursor);
            if !page.more {
                return (all, cursor);
            }
        }
        panic!("the event list never ends");
    }

    async fn verify(&self, headers: &[(String, String)], body: &[u8]) -> Result<Vec<Evidence>, Distrust> {
        self.psp.verify(self.http, self.account, Delivery { headers, body }, self.now).await
    }
}

/// The id and URL of the open checkout in `report`.
fn open(report: &Reported) -> (CheckoutId, String) {
    report
        .news
        .iter()
        .find_map(|news| match news {
            News::Checkout { checkout, state: CheckoutState::Open, url: Some(url), .. } => {
                Some((checkout.clone(), url.clone()))
            }
            _ => None,
        })
        .unwrap_or_else(|| panic!("a new checkout is open and has a URL: {report:?}"))
}

fn states(news: &[News]) -> Vec<CheckoutState> {
    news.iter().filter_map(|it| if let News::Checkout { state, .. } = it { Some(*state) } else { None }).collect()
}

/// The one capture in `news`, which must say the whole amount beside a paid checkout.
fn capture(news: &[News], of: &CheckoutId, whole: Money) -> CaptureId {
    let captures: Vec<_> = news
        .iter()
        .filter_map(|it| match it {
            News::Captured { capture, checkout, amount } => Some((capture, checkout, *amount)),
            _ => None,
        })
        .collect();
    let [(capture, checkout, amount)] = captures[..] else { panic!("a paid checkout shows one capture: {news:?}") };
    assert_eq!((checkout, amount), (of, whole), "the capture says what was paid, and through what");
    assert_eq!(states(news), [CheckoutState::CompletePaid], "a capture stands beside its checkout");
    capture.clone()
}

/// Keeps what an adapter sends.
struct Recorder<'a> {
    to: &'a dyn Http,
    sent: Mutex<Vec<String>>,
}

#[async_trait]
impl Http for Recorder<'_> {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let all = format!("{:?} {} {:?} {:?}", request.method, request.url, request.headers, request.body);
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(all);
        self.to.send(request).await
    }
}

async fn the_same_order_and_key_make_one_checkout_of_the_same_bytes(s: &mut Setup<'_>) {
    let order = s.order(2500);
    let key = IdemKey::create(order.payment, order.n);
    let recorder = Recorder { to: s.http, sent: Mutex::default() };
    let first = s.psp.create(&recorder, s.account, &order, &key).await.expect("an ordinary order is accepted");
    let sent = std::mem::take(&mut *recorder.sent.lock().unwrap());
    let second = s.psp.create(&recorder, s.account, &order, &key).await.expect("the same again is accepted");
    assert_eq!(open(&first), open(&second), "the same order under the same key is the same checkout");
    assert_eq!(first.about, About::Payment(order.payment), "a report names our payment");
    assert_eq!(sent, *recorder.sent.lock().unwrap(), "the same order makes the same bytes");
    let News::Checkout { n, amount, closes_at, .. } = &first.news[0] else { panic!("{first:?}") };
    assert_eq!(
        (*n, *amount, *closes_at),
        (order.n, order.amount, Some(order.closes_at)),
        "what was ordered is reported"
    );
}

async fn another_order_under_a_used_key_is_key_taken(s: &mut Setup<'_>) {
    let (order, id, _) = s.created(2500).await;
    let other = CheckoutOrder { return_url: "https://till.example/other".into(), ..order.clone() };
    assert_eq!(s.create(&other).await, Err(Fault::KeyTaken), "a used key takes no other order");
    let found = s.fetched(&s.of(&order)).await;
    assert!(matches!(&found[..], [News::Checkout { checkout, .. }] if *checkout == id), "what the key made is found");
}

async fn what_is_unknown_is_not_found(s: &mut Setup<'_>) {
    let (order, real, _) = s.created(900).await;
    let (stem, last) = real.as_str().split_at(real.as_str().len() - 1);
    let unknown = CheckoutId::new(stem.to_owned() + if last == "0" { "1" } else { "0" });
    let nobody = PaymentId::new(s.now, s.entropy);
    let refund = RefundId::new(s.now, s.entropy);
    let (_, _, capture) = s.paid(900).await;
    let (stem, last) = capture.as_str().split_at(capture.as_str().len() - 1);
    let no_capture = CaptureId::new(stem.to_owned() + if last == "0" { "1" } else { "0" });
    for ask in [
        Ask::Checkout(unknown),
        Ask::CheckoutOf { payment: nobody, n: 1, since: s.now },
        Ask::CheckoutOf { payment: order.payment, n: 2, since: s.now },
        Ask::RefundOf { payment: order.payment, refund, capture },
        Ask::Capture(no_capture),
    ] {
        assert_eq!(s.fetch(&ask).await, Err(Fault::NotFound), "{ask:?}");
    }
    for odd in ["", "../checkouts", "a/b", "a?b=c", "ü\n"] {
        let found = s.fetch(&Ask::Checkout(CheckoutId::new(odd))).await;
        assert!(found.is_err(), "an id is an id, never part of a path: `{odd}` found {found:?}");
    }
}

async fn a_checkout_is_found_by_its_id_and_by_what_it_is_for(s: &mut Setup<'_>) {
    let (order, id, _) = s.created(1234).await;
    let by_id = s.fetch(&Ask::Checkout(id)).await.expect("found by its id");
    let by_use = s.fetch(&s.of(&order)).await.expect("found by payment and number");
    assert_eq!(by_id, by_use, "both ways find the same");
    assert_eq!(by_id, s.fetch(&s.of(&order)).await.unwrap(), "unchanged, it reads the same");
    assert_eq!(open(&by_id[0]), open(&s.create(&order).await.unwrap()), "and it is what create reported");
}

async fn a_decline_leaves_the_checkout_open(s: &mut Setup<'_>) {
    let (order, id, url) = s.created(1500).await;
    s.payer.decline(&url).await;
    assert_eq!(states(&s.fetched(&Ask::Checkout(id.clone())).await), [CheckoutState::Open], "a decline closes nothing");
    s.pay(&order, &id, &url).await;
    capture(&s.fetched(&Ask::Checkout(id.clone())).await, &id, order.amount);
}

async fn a_paid_checkout_shows_its_capture_and_cannot_be_closed(s: &mut Setup<'_>) {
    let (order, id, capture_id) = s.paid(2500).await;
    if s.psp.caps().expire == Expire::OnRequest {
        assert_eq!(s.expire(&order, &id).await, Err(Fault::AlreadyComplete), "what is paid stays paid");
    }
    let found = s.fetched(&s.of(&order)).await;
    assert_eq!(capture(&found, &id, order.amount), capture_id, "one payment is one capture");
}

async fn closing_twice_is_closing_once(s: &mut Setup<'_>) {
    let (order, id, _) = s.created(700).await;
    for _ in 0..2 {
        let report = s.expire(&order, &id).await.expect("an open checkout closes, a closed one stays closed");
        assert_eq!(states(&report.news), [CheckoutState::Expired]);
    }
    // Another key is another try of ours after the key window, and no less welcome.
    let again = s.psp.expire(s.http, s.account, &id, &IdemKey::expire(order.payment, 9)).await;
    assert_eq!(again.map(|report| states(&report.news)), Ok(vec![CheckoutState::Expired]), "already closed is success");
    let News::Checkout { url, .. } = &s.fetched(&Ask::Checkout(id)).await[0] else { panic!("not a checkout") };
    assert_eq!(*url, None, "nobody is sent to a closed checkout");
}

async fn what_closes_by_itself_is_not_closed_by_us(s: &mut Setup<'_>) {
    let (order, id, _) = s.created(700).await;
    let refused = s.expire(&order, &id).await;
    assert!(matches!(refused, Err(Fault::Refused(_))), "there is no call for it: {refused:?}");
    assert_eq!(states(&s.fetched(&Ask::Checkout(id)).await), [CheckoutState::Open], "and it is as it was");
}

async fn what_the_payer_agreed_to_is_taken_once(s: &mut Setup<'_>) {
    let (order, id, url) = s.created(1900).await;
    let early = s.take(&order, &id).await;
    assert!(matches!(early, Err(Fault::Refused(_))), "nobody has agreed to anything: {early:?}");
    // The refusal belongs to its key, so that what follows is asked under others, as the tries of another checkout.
    let take = async |s: &Setup<'_>, n| {
        let key = IdemKey::capture(order.payment, n);
        s.psp.capture(s.http, s.account, &id, &key).await.expect("what the payer agreed to can be taken")
    };
    s.payer.pay(&url).await;
    let agreed = s.fetched(&Ask::Checkout(id.clone())).await;
    assert_eq!(states(&agreed), [CheckoutState::Approved], "agreed to");
    assert!(agreed.iter().all(|news| news.captured().is_none()), "and not taken: {agreed:?}");
    let taken = take(s, 2).await;
    let once = capture(&taken.news, &id, order.amount);
    assert_eq!(taken.about, About::Payment(order.payment), "a report names our payment");
    assert_eq!(capture(&take(s, 2).await.news, &id, order.amount), once, "the same again takes nothing more");
    assert_eq!(capture(&take(s, 3).await.news, &id, order.amount), once, "nor does it under another key");
    assert_eq!(capture(&s.fetched(&s.of(&order)).await, &id, order.amount), once, "it was taken once");
}

async fn taking_what_the_provider_takes_is_only_a_look(s: &mut Setup<'_>) {
    let (order, id, url) = s.created(1900).await;
    assert_eq!(states(&s.take(&order, &id).await.expect("it can be looked at").news), [CheckoutState::Open]);
    s.payer.pay(&url).await;
    capture(&s.take(&order, &id).await.expect("it can be looked at").news, &id, order.amount);
}

async fn the_payer_pays_what_the_payer_chooses(s: &mut Setup<'_>) {
    for minor in [1, 1999, 2001, 9900] {
        let (order, id, url) = s.created(2000).await;
        let chosen = Money::new(minor, order.amount.currency());
        s.payer.pay_amount(&url, chosen).await;
        if s.psp.caps().capture == Capture::OnRequest {
            s.take(&order, &id).await.expect("what the payer agreed to can be taken");
        }
        let news = s.fetched(&Ask::Checkout(id.clone())).await;
        capture(&news, &id, chosen);
        let asked =
            news.iter().find_map(|it| if let News::Checkout { amount, .. } = it { Some(*amount) } else { None });
        assert_eq!(asked, Some(order.amount), "what was asked stays what was asked");
    }
}

async fn refunds_are_made_once_each_and_never_exceed_the_capture(s: &mut Setup<'_>) {
    let (order, checkout, capture) = s.paid(2500).await;
    let refund = |s: &mut Setup<'_>, minor| RefundOrder {
        payment: order.payment,
        refund: RefundId::new(s.now, s.entropy),
        capture: capture.clone(),
        amount: Money::new(minor, order.amount.currency()),
    };
    let (part, rest) = (refund(s, 1000), refund(s, 1500));
    let (first, second) = (s.refund(&part).await, s.refund(&part).await);
    assert_eq!(first, second, "the same refund under the same key is one refund");
    let first = first.expect("part of what was captured can go back");
    let [News::Refund { ours, capture: of, amount, state, .. }] = &first.news[..] else { panic!("{first:?}") };
    assert_eq!((*ours, of, *amount), (Some(part.refund), &capture, part.amount), "the report says whose refund it is");
    assert!(matches!(state, RefundState::Succeeded | RefundState::Pending), "{state:?}");

    let too_much = refund(s, 1501);
    let refused = s.refund(&too_much).await;
    assert!(matches!(refused, Err(Fault::Refused(_))), "more than is left is refused: {refused:?}");
    let by_ours = |order: &RefundOrder| Ask::RefundOf {
        payment: order.payment,
        refund: order.refund,
        capture: order.capture.clone(),
    };
    assert_eq!(s.fetch(&by_ours(&too_much)).await, Err(Fault::NotFound), "and not made");
    s.refund(&rest).await.expect("what is left can go back");
    assert_eq!(s.fetched(&by_ours(&part)).await, first.news, "a refund is found by our id");
    let all = s.fetched(&Ask::Capture(capture.clone())).await;
    self::capture(&all, &checkout, order.amount);
    let back = all.iter().filter(|it| matches!(it, News::Refund { capture: of, .. } if *of == capture));
    assert_eq!(back.count(), 2, "what hangs on a capture is found by it: {all:?}");
}

async fn the_event_list_shows_everything_once_in_order(s: &mut Setup<'_>) {
    let (before, start) = s.listed(None).await;
    assert!(!before.is_empty(), "the list begins with the oldest event");
    let (order, id, url) = s.created(3100).await;
    s.payer.decline(&url).await;
    s.pay(&order, &id, &url).await;
    let capture_id = capture(&s.fetched(&Ask::Checkout(id.clone())).await, &id, order.amount);
    let refund = RefundId::new(s.now, s.entropy);
    let part = RefundOrder {
        payment: order.payment,
        refund,
        capture: capture_id.clone(),
        amount: Money::new(100, order.amount.currency()),
    };
    s.refund(&part).await.expect("part of what was captured can go back");

    let (after, end) = s.listed(start.clone()).await;
    let ours: Vec<&News> = after
        .iter()
        .filter(|it| it.about == About::Payment(order.payment) || it.about == About::Capture(capture_id.clone()))
        .flat_map(|it| &it.news)
        .collect();
    let at = |found: &dyn Fn(&News) -> bool| ours.iter().position(|news| found(news));
    let steps = [
        at(&|news| matches!(news, News::AttemptFailed { n, .. } if *n == order.n)),
        at(&|news| matches!(news, News::Checkout { state: CheckoutState::CompletePaid, .. })),
        at(&|news| matches!(news, News::Refund { ours: Some(ours), .. } if *ours == refund)),
    ];
    assert!(
        steps.iter().all(Option::is_some) && steps.is_sorted(),
        "decline, pay and refund in this order: {after:#?}"
    );
    let captured = ours.iter().filter(|it| matches!(it, News::Captured { capture, .. } if *capture == capture_id));
    assert!(captured.count() > 0, "the money is told of");

    assert_eq!(s.listed(end.clone()).await, (vec![], end.clone()), "nothing new leaves the cursor where it is");
    if matches!(s.deliveries, Deliveries::Hints { .. }) {
        return; // Such a list says what changed; what is reported is how that stands now, at every reading of the list.
    }
    let (all, at_end) = s.listed(None).await;
    assert_eq!((all.len(), at_end), (before.len() + after.len(), end), "from the oldest, it is the same list");
    let events: BTreeSet<&str> = all.iter().map(|report| report.event.as_str()).collect();
    assert_eq!(events.len(), all.len(), "no event twice");
}

async fn a_wrong_key_is_credentials(s: &mut Setup<'_>) {
    let wrong = Account { secret: "sk_test_wrong".to_owned().into(), ..s.account.clone() };
    let order = s.order(100);
    let key = IdemKey::create(order.payment, order.n);
    assert!(matches!(s.psp.create(s.http, &wrong, &order, &key).await, Err(Fault::Credentials(_))));
    assert!(matches!(s.psp.list_since(s.http, &wrong, None).await, Err(Fault::Credentials(_))));
    let found = s.psp.examine(s.http, &wrong, LOCAL, s.now).await;
    assert!(found.iter().any(|it| it.verdict == Verdict::Wrong && !it.mend.is_empty()), "the host is told: {found:?}");
    s.create(&order).await.expect("a call that was not let in has used no key");
}

async fn an_account_that_is_set_up_has_nothing_wrong(s: &mut Setup<'_>) {
    let found = s.psp.examine(s.http, s.account, LOCAL, s.now).await;
    assert!(found.iter().any(|it| it.verdict == Verdict::Good), "what works is said too: {found:?}");
    assert!(found.iter().all(|it| it.verdict != Verdict::Wrong), "{found:?}");
    assert_eq!(s.psp.takes(Money::new(2500, s.currency)), Takes::Yes, "an ordinary amount is taken");
    let (key, live) = (&s.account.secret, s.account.livemode);
    assert_eq!(s.psp.suits(key, live), Ok(()), "its own key suits");
    assert!(s.psp.suits(key, !live).is_err(), "a key of the other mode does not");
    assert!(s.psp.suits(&"whsec_x".to_owned().into(), live).is_err(), "a webhook secret is no key");
}

async fn an_unsigned_delivery_only_says_where_to_look(s: &mut Setup<'_>, hinted: Hinted<'_>, foreign: &CheckoutId) {
    assert_eq!(s.psp.caps().webhooks, Webhooks::Hints, "what is sent unsigned proves nothing");
    let (order, id, _) = s.created(1100).await;
    let (headers, body) = hinted(&id);
    let evidence = s.verify(&headers, &body).await.expect("a good hint is taken");
    let [Evidence::Hint { event: _, ask }] = &evidence[..] else { panic!("never facts: {evidence:?}") };
    assert_eq!(*ask, Ask::Checkout(id.clone()), "it says where to look");
    let found = s.fetch(ask).await.expect("there it is");
    assert!(found.iter().all(|report| report.about == About::Payment(order.payment)), "{found:?}");
    let no_secret = Account { webhook_secrets: vec![], ..s.account.clone() };
    let judged = s.psp.verify(s.http, &no_secret, Delivery { headers: &headers, body: &body }, s.now).await;
    assert_eq!(judged, Ok(evidence), "no secret is asked for, and the same delivery says the same");

    let (stem, last) = id.as_str().split_at(id.as_str().len() - 1);
    let nobodys = CheckoutId::new(stem.to_owned() + if last == "0" { "1" } else { "0" });
    for not_ours in [&nobodys, foreign] {
        let (headers, body) = hinted(not_ours);
        for one in s.verify(&headers, &body).await.expect("nobody can tell before looking") {
            match one {
                Evidence::Foreign => {}
                Evidence::Hint { ask, .. } => {
                    let found = s.fetch(&ask).await;
                    let nothing = matches!(&found, Err(Fault::NotFound)) || found == Ok(vec![]);
                    assert!(nothing, "somebody else's is nothing to us: {found:?}");
                }
                Evidence::Facts(_) | Evidence::AccessLost { .. } => panic!("never facts: {one:?}"),
            }
        }
    }
}

async fn what_could_not_be_an_id_is_no_hint(s: &mut Setup<'_>, hinted: Hinted<'_>) {
    let (_, id, _) = s.created(1200).await;
    let (headers, good) = hinted(&id);
    let recorder = Recorder { to: s.http, sent: Mutex::default() };
    let id = id.as_str();
    let ids = [
        String::new(),
        "1".into(),
        id[1..].to_owned(),
        id[..id.len() - 1].to_owned(),
        format!("{id}0"),
        format!("../{id}"),
        format!("{id}/capture"),
        format!("{id}?x=1"),
        format!("{id}%2F.."),
        format!("{id}\n"),
        id.to_uppercase(),
        "x".repeat(1 << 16),
    ];
    let mut bodies: Vec<Vec<u8>> = ids.into_iter().map(|odd| hinted(&CheckoutId::new(odd)).1).collect();
    bodies.extend([Vec::new(), b"{}".to_vec(), b"\xff\xfe".to_vec(), good[1..].to_vec()]);
    bodies.extend([[&good[..], b"&", &good[..]].concat(), [&good[..], b"&x=1"].concat(), [&good[..], b" "].concat()]);
    for body in &bodies {
        let judged = s.psp.verify(&recorder, s.account, Delivery { headers: &headers, body }, s.now).await;
        assert!(judged.is_err(), "taken for a hint: {}", String::from_utf8_lossy(&body[..body.len().min(100)]));
    }
    let mut wrong_type = headers.clone();
    wrong_type.retain(|(name, _)| name != "content-type");
    assert!(s.verify(&wrong_type, &good).await.is_err(), "not what this provider sends");
    wrong_type.push(("content-type".into(), "text/html".into()));
    assert_eq!(s.verify(&wrong_type, &good).await, Err(Distrust::Unreadable), "not what this provider sends");
    assert_eq!(*recorder.sent.lock().unwrap(), [""; 0], "nothing is asked for on the word of a stranger");
}

async fn only_a_delivery_that_is_signed_now_and_whole_is_believed(
    s: &mut Setup<'_>,
    signed: Signed<'_>,
    ours: &[u8],
    foreign: &[u8],
) {
    assert_eq!(s.psp.caps().webhooks, Webhooks::Signed);
    let good = signed(ours, s.now);
    let evidence = s.verify(&good, ours).await.expect("a good delivery is believed");
    let about_us = |it: &Evidence| matches!(it, Evidence::Facts(_) | Evidence::Hint { .. });
    assert!(!evidence.is_empty() && evidence.iter().all(about_us), "ours is evidence: {evidence:?}");
    assert_eq!(s.verify(&good, ours).await, Ok(evidence), "the same delivery says the same");
    let foreign = s.verify(&signed(foreign, s.now), foreign).await.expect("a good delivery is believed");
    assert!(foreign.iter().all(|it| *it == Evidence::Foreign), "somebody else's is foreign: {foreign:?}");

    let mut changed = ours.to_vec();
    changed.push(b' ');
    assert_eq!(s.verify(&good, &changed).await, Err(Distrust::BadSignature), "one byte more");
    let no_secret = Account { webhook_secrets: vec![], ..s.account.clone() };
    let delivery = Delivery { headers: &good, body: ours };
    let judged = s.psp.verify(s.http, &no_secret, delivery, s.now).await;
    assert_eq!(judged, Err(Distrust::BadSignature), "without a secret nothing is believed");

    let (stale, future) = (s.now.before(Duration::from_secs(301)), s.now.after(Duration::from_secs(302)));
    for at in [stale, future] {
        assert_eq!(s.verify(&signed(ours, at), ours).await, Err(Distrust::OutsideWindow), "signed at {at}");
    }
    for (missing, _) in &good {
        let rest: Vec<_> = good.iter().filter(|(name, _)| name != missing).cloned().collect();
        assert!(s.verify(&rest, ours).await.is_err(), "believed without `{missing}`");
    }
    let mut wrong_type = good.clone();
    wrong_type.retain(|(name, _)| name != "content-type");
    wrong_type.push(("content-type".into(), "text/html".into()));
    assert_eq!(s.verify(&wrong_type, ours).await, Err(Distrust::Unreadable), "not what this provider sends");
    for broken in [&b""[..], b"{", b"[]", b"null", b"\xff\xfe", &ours[..ours.len() - 1]] {
        let judged = s.verify(&signed(broken, s.now), broken).await;
        assert_eq!(judged, Err(Distrust::Unreadable), "signed, and broken: {}", String::from_utf8_lossy(broken));
    }
}
