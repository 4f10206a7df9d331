//! The adapter against a fake Stripe and against scripts, in process: no socket, no clock of its own.

mod bytes;
mod contract;
mod currency;
mod events;
mod examine;
mod faults;
mod fetch;
mod list;
mod replays;
mod signature;
mod spec;

use super::*;
use fake_stripe::{Delivery as Sent, Lie, Settings};
use serde_json::{Value, json};
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use till_core::contract::seeded::Seeded;
use till_core::id::{AccountId, Code};
use till_core::money::Currency;
use till_core::order::{CheckoutOptions, Line};
use till_core::port::http::{HttpError, Request, Response};
use till_core::port::psp::{Access, AccountSettings, News, Verdict};

const KEY: &str = "sk_test_51TillShopSecret";
const ACCOUNT: &str = "acct_1TillShopAAAAAAA";
const CONNECTED: &str = "acct_1ConnectedAAAAAA";
const SECRET: &str = "whsec_test_of_the_adapter";
const HOOK: &str = "https://till.example/hooks/stripe/main";
const NOW: Timestamp = Timestamp::from_secs(1_795_372_200);
const DAY: i64 = 24 * 3600;

/// The fake answers at once, so that nothing ever waits.
fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the fake never waits"),
    }
}

fn fake() -> fake_stripe::Stripe {
    fake_stripe::Stripe::new(Settings::test(), 7, Arc::new(|| NOW))
}

fn account() -> Account {
    Account {
        id: AccountId::new("main"),
        base_url: "https://stripe.test".into(),
        secret: KEY.to_owned().into(),
        provider_account: ACCOUNT.into(),
        livemode: false,
        webhook_secrets: vec![SECRET.to_owned().into()],
        since: NOW,
        access: Access::Own,
        settings: AccountSettings::default(),
    }
}

/// The platform's key, for an account that is connected to it.
fn connected() -> Account {
    Account { provider_account: CONNECTED.into(), access: Access::Connected, ..account() }
}

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::parse(code).unwrap())
}

fn order(entropy: &mut Seeded, amount: Money, closes_at: Timestamp) -> CheckoutOrder {
    CheckoutOrder {
        payment: PaymentId::new(NOW, entropy),
        n: 1,
        code: Code::new(entropy),
        amount,
        lines: vec![Line { name: "coffee".into(), quantity: 1, each: amount }],
        closes_at,
        return_url: "https://till.example/p/t".into(),
        locale: "en".into(),
        options: CheckoutOptions::default(),
    }
}

/// Gives one answer after another, and keeps what was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<Vec<Result<Response, HttpError>>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    fn new(answers: Vec<Result<Response, HttpError>>) -> Self {
        Self { answers: Mutex::new(answers), asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Http for Script {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        assert!(request.bearer.is_some(), "every call is authorised");
        // One field a line; a line break in a value would stand there as %0A.
        let body = String::from_utf8(request.body.to_vec()).unwrap().replace('&', "\n&");
        self.asked.lock().unwrap().push(format!("{:?} {}\n{headers}\n{body}", request.method, request.url));
        self.answers.lock().unwrap().remove(0)
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, HttpError> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: body.to_owned().into() })
}

/// A till beside a fake Stripe whose endpoint it is, and whose clock it turns.
struct Bench {
    fake: fake_stripe::Stripe,
    at: Account,
    clock: Arc<AtomicI64>,
    entropy: Seeded,
}

/// A payment that was made: its order, session and payment intent.
struct Paid {
    order: CheckoutOrder,
    session: CheckoutId,
    intent: String,
}

impl Bench {
    fn new() -> Self {
        let mut settings = Settings::test().endpoint(HOOK, &[SECRET]);
        settings.endpoints[0].events = webhook::kinds(&account()).map(str::to_owned).collect();
        Self::with(settings, account())
    }

    /// With an endpoint that somebody made by hand, for every kind of event.
    fn all_ears() -> Self {
        Self::with(Settings::test().endpoint(HOOK, &[SECRET]), account())
    }

    /// A platform, with an endpoint that hears of the account that is connected to it.
    fn connected() -> Self {
        let mut settings = Settings::test().connected(CONNECTED, "FR", "eur").endpoint(HOOK, &[SECRET]);
        settings.endpoints[0].connect = true;
        settings.endpoints[0].events = webhook::kinds(&connected()).map(str::to_owned).collect();
        Self::with(settings, connected())
    }

    fn with(settings: Settings, at: Account) -> Self {
        let clock = Arc::new(AtomicI64::new(NOW.secs()));
        let told = clock.clone();
        let told = Arc::new(move || Timestamp::from_secs(told.load(Ordering::Relaxed)));
        Self { fake: fake_stripe::Stripe::new(settings, 7, told), at, clock, entropy: Seeded::new(11) }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.clock.load(Ordering::Relaxed))
    }

    fn pass(&self, secs: i64) {
        self.clock.fetch_add(secs, Ordering::Relaxed);
    }

    fn order(&mut self, minor: i64) -> CheckoutOrder {
        let closes_at = self.now().after(Duration::from_secs(3600));
        order(&mut self.entropy, money(minor, "EUR"), closes_at)
    }

    fn create(&self, order: &CheckoutOrder) -> Result<Reported, Fault> {
        done(Stripe.create(&self.fake, &self.at, order, &IdemKey::create(order.payment, order.n)))
    }

    fn created(&mut self, minor: i64) -> (CheckoutOrder, CheckoutId) {
        let order = self.order(minor);
        let report = self.create(&order).unwrap();
        let News::Checkout { checkout, .. } = &report.news[0] else { panic!("{report:?}") };
        (order, checkout.clone())
    }

    fn paid(&mut self, minor: i64) -> Paid {
        let (order, session) = self.created(minor);
        let intent = self.fake.pay(session.as_str()).unwrap();
        Paid { order, session, intent }
    }

    fn expire(&self, order: &CheckoutOrder, id: &CheckoutId) -> Result<Reported, Fault> {
        done(Stripe.expire(&self.fake, &self.at, id, &IdemKey::expire(order.payment, order.n)))
    }

    fn refund(&mut self, paid: &Paid, minor: i64) -> (RefundId, Result<Reported, Fault>) {
        let refund = RefundId::new(self.now(), &mut self.entropy);
        let capture = CaptureId::new(&paid.intent);
        let order = RefundOrder { payment: paid.order.payment, refund, capture, amount: money(minor, "EUR") };
        (refund, done(Stripe.refund(&self.fake, &self.at, &order, &IdemKey::refund(order.payment, refund))))
    }

    fn fetch(&self, ask: &Ask) -> Result<Vec<Reported>, Fault> {
        done(Stripe.fetch(&self.fake, &self.at, ask))
    }

    fn list(&self, cursor: Option<&str>) -> Page {
        done(Stripe.list_since(&self.fake, &self.at, cursor)).unwrap()
    }

    /// Judges one delivery as it would arrive now.
    fn judged(&self, sent: &Sent) -> Result<Vec<Evidence>, Distrust> {
        let headers = sent.headers(self.now());
        let headers: Vec<(String, String)> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        done(Stripe.verify(&self.fake, &self.at, Delivery { headers: &headers, body: &sent.body }, self.now()))
    }

    /// Takes everything that is owed to the endpoint: the kind of each event, and what the adapter makes of it.
    fn told(&self) -> Vec<String> {
        let all = self.fake.deliveries();
        all.iter().for_each(|sent| self.fake.accepted(sent));
        all.iter().map(|sent| format!("{}: {}", sent.kind, self.said(sent))).collect()
    }

    fn said(&self, sent: &Sent) -> String {
        let evidence = self.judged(sent).unwrap();
        let [evidence] = &evidence[..] else { panic!("one delivery is one event: {evidence:?}") };
        said(evidence)
    }

    /// What the adapter makes of an event that is not true.
    fn lied(&self, lie: Lie) -> Evidence {
        let event = self.fake.event_with(lie);
        let sent = self.fake.deliveries().into_iter().find(|sent| sent.event == event).expect("a lie is delivered");
        self.judged(&sent).unwrap().remove(0)
    }
}

/// Evidence in a line. Ids are told by their kind alone; times in seconds since the test began.
fn said(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Facts(report) => reported(report),
        Evidence::AccessLost { provider_account, livemode } => format!("access to {provider_account} lost, {livemode}"),
        Evidence::Hint { event: _, ask } => format!("look up {}", asked(ask)),
        Evidence::Foreign => "foreign".into(),
    }
}

fn reported(report: &Reported) -> String {
    let about = match &report.about {
        About::Payment(_) => "payment",
        About::Capture(_) => "capture",
    };
    let news: Vec<String> = report.news.iter().map(news).collect();
    format!("{about} +{}: {}", report.as_of.secs() - NOW.secs(), news.join(", "))
}

fn asked(ask: &Ask) -> &'static str {
    match ask {
        Ask::Checkout(_) => "checkout",
        Ask::CheckoutOf { .. } => "checkout of payment",
        Ask::RefundOf { .. } => "refund of payment",
        Ask::Capture(_) => "capture",
    }
}

fn news(news: &News) -> String {
    match news {
        News::Checkout { n, state, amount, url, .. } => {
            format!("checkout {n} {state:?} {amount}{}", if url.is_some() { " with url" } else { "" })
        }
        News::Captured { amount, .. } => format!("captured {amount}"),
        News::CaptureReversed { .. } => "reversed".into(),
        News::AttemptFailed { n, attempt, why } => format!("attempt on {n} failed {} {why}", &attempt[..3]),
        News::Refund { ours, amount, state, .. } => {
            format!("refund of {} {amount} {state:?}", if ours.is_some() { "ours" } else { "theirs" })
        }
        News::Dispute { amount, state, withdrawn, moves, answer_by, .. } => {
            let by = answer_by.map_or_else(String::new, |by| format!(" by +{}", by.secs() - NOW.secs()));
            format!("dispute {amount} {state:?}, withdrawn {withdrawn} in {moves}{by}")
        }
        News::RefundedSum { amount, .. } => format!("refunded in all {amount}"),
        News::FraudWarning { why, .. } => format!("warning {why}"),
        News::Review { state, why, .. } => format!("review {state:?} {why}"),
    }
}
