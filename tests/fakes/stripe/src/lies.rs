//! Traffic that is not Till's: other shops' payments on the account, and events that lie.

use crate::attempt::Outcome;
use crate::order::{ForIntent, Line, Order};
use crate::{API_VERSION, Stripe, World, text};
use serde_json::{Map, Value, json};

/// An event made by hand. Start from [`Lie::new`], then change what is to be wrong.
#[derive(Clone, Debug)]
pub struct Lie {
    /// `checkout.session.completed`.
    pub kind: String,
    /// The snapshot.
    pub object: Value,
    /// Top-level `account` of the envelope.
    pub account: Option<String>,
    /// `livemode` of the envelope; none for the fake's own.
    pub livemode: Option<bool>,
    /// `api_version` of the envelope; none for the endpoint's.
    pub api_version: Option<String>,
    /// A thin event, `object: "v2.core.event"`: no snapshot, only where to find the object.
    pub thin: bool,
    /// Whether `GET /v1/events` shows it too.
    pub listed: bool,
}

impl Lie {
    /// An event that would be true if this object were.
    pub fn new(kind: &str, object: Value) -> Self {
        let kind = kind.to_owned();
        Self { kind, object, account: None, livemode: None, api_version: None, thin: false, listed: true }
    }
}

impl Stripe {
    /// Tells of something as it is not: signed and delivered as the platform's own. Returns the event.
    pub fn event_with(&self, lie: Lie) -> String {
        self.lock().lie(lie)
    }

    /// So many payments of another shop on the platform's account, none of them Till's: paid, declined, expired,
    /// refunded and disputed ones.
    pub fn foreign_traffic(&self, n: usize) {
        let mut world = self.lock();
        for _ in 0..n {
            world.foreign();
        }
    }
}

impl World {
    fn lie(&mut self, lie: Lie) -> String {
        let platform = self.platform().to_owned();
        let id = self.id("evt_1", 23);
        let livemode = lie.livemode.unwrap_or(self.settings.livemode);
        let mut event = if lie.thin {
            let (of, kind) = (text(&lie.object, "id"), text(&lie.object, "object"));
            json!({
                "id": id, "object": "v2.core.event", "created": self.now.precise(), "livemode": livemode,
                "reason": null, "related_object": {"id": of, "type": kind, "url": format!("/v1/{kind}s/{of}")},
                "type": lie.kind,
            })
        } else {
            json!({
                "id": id, "object": "event", "api_version": lie.api_version.as_deref().unwrap_or(API_VERSION),
                "created": self.secs(), "data": {"object": lie.object}, "livemode": livemode, "pending_webhooks": 1,
                "request": {"id": null, "idempotency_key": null}, "type": lie.kind,
            })
        };
        if let Some(account) = lie.account {
            event["account"] = account.into();
        }
        if lie.listed {
            self.publish(&platform, event);
        } else {
            self.owe(&platform, &event);
        }
        id
    }

    fn foreign(&mut self) {
        let platform = self.platform().to_owned();
        let currency = self.settings.accounts[self.settings.platform].default_currency.clone();
        let amount = 10_000 + 1_000 * i64::try_from(self.seeded.below(90)).unwrap_or_default();
        let reference = self.id("shop-", 8);
        let metadata = Map::from_iter([("order_id".to_owned(), Value::from(reference.clone()))]);
        let shown = json!({
            "metadata": metadata, "client_reference_id": reference, "success_url": "https://shop.example/thanks",
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}}, "ui_mode": "hosted_page",
        });
        let order = Order {
            currency,
            total: amount,
            lines: vec![Line { name: "Something else".into(), unit_amount: amount, quantity: 1 }],
            intent: ForIntent { metadata, ..ForIntent::default() },
            expires_at: self.secs() + 24 * 3600,
            shown: shown.as_object().cloned().unwrap_or_default(),
        };
        let session = self.open(&platform, order);
        match self.seeded.below(6) {
            0 => self.attempt(&session, &Outcome::Declined("generic_decline".into())),
            1 => self.close(&session, self.secs()),
            2 => self.attempt(&session, &Outcome::Pending),
            end => {
                self.attempt(&session, &Outcome::Paid);
                self.foreign_end(&session, end, amount);
            }
        }
    }

    fn foreign_end(&mut self, session: &str, end: u64, amount: i64) {
        let intent = text(self.shelf.object(session).unwrap(), "payment_intent").to_owned();
        let charge = text(self.shelf.object(&intent).unwrap(), "latest_charge").to_owned();
        match end {
            3 => drop(self.refund(&charge, amount / 2 / 100 * 100, "succeeded", Map::new(), Value::Null)),
            4 => drop(self.dispute(&charge, amount, false)),
            _ => {}
        }
    }
}
