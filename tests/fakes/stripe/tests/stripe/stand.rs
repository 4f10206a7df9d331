//! A fake with a clock that a test moves, and calls that are good until a test spoils them.

use fake_stripe::{Answer, Call, Settings, Stripe};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use till_core::time::Timestamp;

pub(crate) const KEY: &str = "sk_test_51TillShopSecret";
pub(crate) const NOW_SECS: i64 = 1_795_372_200;
pub(crate) const SESSIONS: &str = "/v1/checkout/sessions";

pub(crate) const ORDER: [(&str, &str); 9] = [
    ("mode", "payment"),
    ("line_items[0][price_data][currency]", "eur"),
    ("line_items[0][price_data][unit_amount]", "1250"),
    ("line_items[0][price_data][product_data][name]", "Two coffees"),
    ("line_items[0][quantity]", "2"),
    ("success_url", "https://shop.example/back?s={CHECKOUT_SESSION_ID}"),
    ("metadata[till_payment]", "p1"),
    ("metadata[till_n]", "1"),
    ("payment_intent_data[metadata][till_payment]", "p1"),
];

pub(crate) struct Stand {
    pub(crate) stripe: Stripe,
    secs: Arc<AtomicI64>,
}

impl Stand {
    pub(crate) fn new() -> Self {
        Self::with(Settings::test())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let secs = Arc::new(AtomicI64::new(NOW_SECS));
        let clock = Arc::clone(&secs);
        let clock = Arc::new(move || Timestamp::from_secs(clock.load(Ordering::SeqCst)));
        Self { stripe: Stripe::new(settings, 7, clock), secs }
    }

    pub(crate) fn pass(&self, secs: i64) {
        self.secs.fetch_add(secs, Ordering::SeqCst);
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.stripe.answer(&Call::new("GET", path).bearer(KEY))
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.stripe.answer(&Call::new("POST", path).bearer(KEY).form(form))
    }

    pub(crate) fn post_under(&self, key: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        self.stripe.answer(&Call::new("POST", path).bearer(KEY).header("idempotency-key", key).form(form))
    }

    /// A new session's id.
    pub(crate) fn session(&self) -> String {
        id(&self.post(SESSIONS, &ORDER))
    }

    /// A paid session's payment intent.
    pub(crate) fn paid(&self) -> String {
        self.stripe.pay(&self.session()).unwrap()
    }

    /// Kinds of all events, oldest first.
    pub(crate) fn told(&self) -> Vec<String> {
        self.stripe.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// The id in an answer that must be 200.
#[track_caller]
pub(crate) fn id(answer: &Answer) -> String {
    let json = answer.json();
    assert_eq!(answer.status, 200, "{json:#}");
    json["id"].as_str().unwrap().to_owned()
}

/// Status, code, param and message of a refusal.
pub(crate) fn refusal(answer: &Answer) -> (u16, Value, Value, String) {
    let error = &answer.json()["error"];
    let message = error["message"].as_str().unwrap_or_default().to_owned();
    (answer.status, error["code"].clone(), error["param"].clone(), message)
}
