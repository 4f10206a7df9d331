//! The people of the load: staff who ask, call off, send back and decide; and payers who pay, are declined, or challenged.
//!
//! Whatever was sent is sent again, under the same id, until there is an answer: as a browser does.

use super::provider::Which;
use super::wall::Wall;
use crate::support::{Side, eventually, link_of, location, token_of};
use reqwest::header::ORIGIN;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use till_core::contract::seeded::Seeded;

/// So many payments of one person wait for their card or to be paid.
const WAITING_MAX: usize = 12;

/// Names with a count each.
pub(super) type Counts = BTreeMap<String, u64>;

/// The provider's pages that payers came to, by the id of their checkout.
pub(super) type Pages = Arc<Mutex<Vec<String>>>;

/// What a payer sends from the provider's page.
type Form = Vec<(&'static str, &'static str)>;

/// One of the staff, and a customer who pays what they ask for.
pub(super) struct Busy {
    pub(super) desk: Side,
    pub(super) wall: Arc<Wall>,
    pub(super) pages: Pages,
    pub(super) which: Which,
    /// A customer of the shop: their conversation, and the browser that they pay with.
    pub(super) conversation: String,
    pub(super) http: reqwest::Client,
    pub(super) seeded: Seeded,
    pub(super) name: u64,
    pub(super) asked: Vec<String>,
    pub(super) did: Counts,
}

impl Busy {
    /// What was asked for, and what was done how often.
    pub(super) async fn work(mut self, over: Arc<AtomicBool>) -> (Vec<String>, Counts) {
        while !over.load(Ordering::SeqCst) {
            match self.seeded.below(20) {
                0..=5 if self.wants_more() => self.ask().await,
                0..=5 => self.pay().await,
                6..=11 => self.pay().await,
                12 => self.press("Cancel", None).await,
                13..=14 => self.refund().await,
                15 => self.press("Remind", None).await,
                16 => self.press("Extend", None).await,
                17 => self.press("Accept", None).await,
                18 => self.press("Reject", None).await,
                _ => self.press("Keep it", None).await,
            }
            tokio::time::sleep(Duration::from_millis(self.seeded.below(40))).await;
        }
        (self.asked, self.did)
    }

    /// Few wait for their card or to be paid: whatever is asked for, something shall become of most of it.
    fn wants_more(&self) -> bool {
        let cards = self.wall.cards(Some(&self.conversation));
        let open = cards.iter().filter(|card| card["status"] == "open").count();
        self.asked.len() + open < cards.len() + WAITING_MAX
    }

    fn note(&mut self, what: &str) {
        *self.did.entry(what.to_owned()).or_default() += 1;
    }

    async fn ask(&mut self) {
        let reference = format!("P{}-{}", self.name, self.asked.len());
        let euros = 2 + self.seeded.below(40);
        let text = format!("/pay {euros} EUR coffee ref:{reference}");
        let act = json!({ "client_id": reference, "conversation": self.conversation, "text": text });
        // Whether it was ever answered or not, there must be exactly one payment of this reference.
        self.insist("say", &act).await;
        self.asked.push(reference);
        self.note("ask");
    }

    /// Sends until there is an answer that means something.
    async fn insist(&self, what: &str, act: &Value) {
        let url = format!("{}/desk/{what}", self.desk.base);
        let sent = eventually(async || {
            let request = self.desk.http.post(&url).header(ORIGIN, &self.desk.base).json(act);
            let answer = request.send().await.ok()?.error_for_status().ok()?.json::<Value>().await.ok()?;
            (answer["ack"] != "busy").then_some(())
        });
        sent.await.expect("the desk answered in the end");
    }

    /// A card that has this button now.
    fn card_with(&mut self, label: &str) -> Option<Value> {
        let mut cards = self.wall.cards(Some(&self.conversation));
        cards.retain(|card| card["actions"].to_string().contains(&format!("\"{label}")));
        let at = usize::try_from(self.seeded.below(cards.len().max(1) as u64)).unwrap();
        cards.into_iter().nth(at)
    }

    async fn refund(&mut self) {
        let amount = if self.seeded.below(3) == 0 { "30" } else { "1" };
        self.press("Refund", Some(amount)).await;
    }

    async fn press(&mut self, label: &str, amount: Option<&str>) {
        let Some(card) = self.card_with(label) else { return };
        let act = json!({
            "client_id": format!("{}-{}", self.desk.act(), self.name), "conversation": self.conversation,
            "token": token_of(&card, label), "amount": amount,
        });
        self.insist("press", &act).await;
        self.note(&label.to_lowercase());
    }

    async fn pay(&mut self) {
        let Some(card) = self.card_with("Pay") else { return };
        let Ok(pressed) = self.http.post(link_of(&card, "Pay")).send().await else { return };
        let page = location(pressed.headers());
        if !page.contains("/pay/") {
            return;
        }
        self.pages.lock().unwrap().push(crate::support::bank::checkout_on(&page).to_owned());
        let (card, then) = match self.which {
            Which::Sandbox => self.plain_card(),
            Which::Difficult => (self.difficult_card(), None),
            Which::Stripe => (vec![("card", if self.seeded.below(5) == 0 { "declined" } else { "ok" })], None),
        };
        self.note(&format!("pay {}", card.iter().map(|(_, value)| *value).collect::<Vec<_>>().join(" ")));
        for form in [Some(card), then].into_iter().flatten() {
            // Where the provider was just killed, the payer has had enough.
            if self.http.post(&page).form(&form).send().await.is_err() {
                return;
            }
        }
    }

    /// A card, and perhaps what the payer tells the bank that asks.
    fn plain_card(&mut self) -> (Form, Option<Form>) {
        match self.seeded.below(10) {
            0 => (vec![("card", "declined")], None),
            1 => (vec![("card", "challenge")], Some(vec![("answer", "approve")])),
            2 => (vec![("card", "challenge")], Some(vec![("answer", "refuse")])),
            3 => (vec![("card", "debit")], None),
            _ => (vec![("card", "ok")], None),
        }
    }

    /// A card, and perhaps another amount: nobody here is asked for less than 2 or more than 41 euros.
    fn difficult_card(&mut self) -> Form {
        match self.seeded.below(10) {
            0 => vec![("card", "declined")],
            1..=2 => vec![("card", "ok"), ("amount", "1.50")],
            3 => vec![("card", "ok"), ("amount", "45.00")],
            _ => vec![("card", "ok")],
        }
    }
}
