//! What a test may look at without asking the API: everything, and the sums.

use crate::refunds::counts;
use crate::sessions::KIND;
use crate::{Stripe, World, number, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// What Stripe holds of one of Till's payments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Money that came in, in minor units.
    pub captured: i64,
    /// Money that went back or is on its way, in minor units.
    pub refunded: i64,
    /// Sessions that can be paid.
    pub open: u32,
    /// The most sessions that were made under one number.
    pub twins: u32,
}

impl Stripe {
    /// What is held, by `metadata[till_payment]`; sessions of one number share `metadata[till_n]` too.
    pub fn holds(&self) -> BTreeMap<String, Holds> {
        let world = self.lock();
        let mut all: BTreeMap<String, Holds> = BTreeMap::new();
        let mut numbers: BTreeMap<(String, String), u32> = BTreeMap::new();
        for session in world.shelf.rows(KIND).map(|row| &row.object) {
            let Some(payment) = payment_of(session) else { continue };
            let holds = all.entry(payment.clone()).or_default();
            let twins = numbers.entry((payment, text(&session["metadata"], "till_n").to_owned())).or_default();
            *twins += 1;
            holds.twins = holds.twins.max(*twins);
            holds.open += u32::from(session["status"] == "open");
        }
        for intent in world.shelf.rows("payment_intent").map(|row| &row.object) {
            let Some(payment) = payment_of(intent) else { continue };
            let holds = all.entry(payment).or_default();
            holds.captured += number(intent, "amount_received");
            holds.refunded += world.refunded(text(intent, "id"));
        }
        all
    }

    /// Ids of the sessions that can be paid, oldest first.
    pub fn open(&self) -> Vec<String> {
        let world = self.lock();
        let open = world.shelf.rows(KIND).map(|row| &row.object).filter(|session| session["status"] == "open");
        open.map(|session| text(session, "id").to_owned()).collect()
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> Vec<Value> {
        self.all(KIND)
    }

    /// All objects of a kind (`charge`, `refund`, `dispute`, `payment_intent`), oldest first.
    pub fn all(&self, kind: &str) -> Vec<Value> {
        self.lock().shelf.rows(kind).map(|row| row.object.clone()).collect()
    }

    /// A session.
    ///
    /// # Panics
    /// When there is no such session.
    pub fn session(&self, id: &str) -> Value {
        self.object(id)
    }

    /// An object of any kind.
    ///
    /// # Panics
    /// When there is no such object.
    pub fn object(&self, id: &str) -> Value {
        self.lock().shelf.object(id).unwrap_or_else(|| panic!("there is no `{id}` here")).clone()
    }

    /// All events, oldest first, those too that are no longer listed.
    pub fn events(&self) -> Vec<Value> {
        self.lock().events.iter().map(|told| told.event.clone()).collect()
    }
}

impl World {
    fn refunded(&self, intent: &str) -> i64 {
        let of = self.shelf.rows("refund").map(|row| &row.object).filter(|refund| refund["payment_intent"] == intent);
        of.filter(|refund| counts(text(refund, "status"))).map(|refund| number(refund, "amount")).sum()
    }
}

fn payment_of(object: &Value) -> Option<String> {
    object["metadata"]["till_payment"].as_str().map(str::to_owned)
}
