//! The bank and the merchant's dashboard of the load: debits, disputes, refunds that are made, arrive or come back.
//!
//! It looks at what the provider holds and does what can be done to it. A look or an act that fails, because the provider
//! was just killed or a knob is on, is nothing: there is another one in a moment.

use super::people::{Counts, Pages};
use super::provider::{KEY, Which};
use crate::support::browser;
use reqwest::Client;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use till_core::contract::seeded::Seeded;

/// The hand on the sandbox's control page, and the eye on its objects.
pub(super) struct Bank {
    http: Client,
    base: String,
    which: Which,
}

/// A checkout with all that hangs on it, as JSON of one shape for both characters.
pub(super) struct Standing {
    /// As the provider tells it.
    pub(super) object: Value,
    /// `processing` while a debit is on its way.
    pub(super) is_processing: bool,
    /// Its money: id, amount, whether the bank took it back.
    pub(super) paid: Option<(String, Amount, bool)>,
    pub(super) refunds: Vec<Value>,
    pub(super) disputes: Vec<Value>,
}

/// Minor units and currency.
pub(super) type Amount = (i64, String);

impl Bank {
    pub(super) fn new(base: &str, which: Which) -> Self {
        Self { http: browser(), base: base.to_owned(), which }
    }

    /// Does something to one of these now and then.
    pub(super) async fn work(self, pages: Pages, mut seeded: Seeded, over: Arc<AtomicBool>) -> Counts {
        let mut did = Counts::new();
        while !over.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(30 + seeded.below(60))).await;
            let Some(id) = pick(&pages.lock().unwrap(), &mut seeded) else { continue };
            let Some(standing) = self.look(&id).await else { continue };
            let Some((act, id)) = drawn(&standing, &id, &mut seeded) else { continue };
            let amount = (act == "refund" && seeded.below(2) == 0).then(|| json!({"minor": 100, "currency": "EUR"}));
            if self.act(act, &id, amount).await.is_some() {
                *did.entry(act.to_owned()).or_default() += 1;
            }
        }
        did
    }

    /// Does one thing; none where the provider refuses.
    async fn act(&self, act: &str, id: &str, amount: Option<Value>) -> Option<()> {
        let mut order = json!({ "act": act, "id": id });
        if let Some(amount) = amount {
            order["amount"] = amount;
        }
        let sent = self.http.post(format!("{}/control/act", self.base)).bearer_auth(KEY).json(&order).send().await;
        sent.ok()?.error_for_status().ok().map(drop)
    }

    /// Decides every refund that is on its way. What was decided is not decided again.
    pub(super) async fn decide_refunds(&self, refunds: impl IntoIterator<Item = String>) {
        for (at, id) in refunds.into_iter().enumerate() {
            let act = if at % 4 == 0 { "refund_fails" } else { "refund_succeeds" };
            self.act(act, &id, None).await.expect("a refund on its way can be decided");
        }
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.http.get(format!("{}{path}", self.base)).bearer_auth(KEY).send().await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    /// How it stands with a checkout.
    pub(super) async fn look(&self, id: &str) -> Option<Standing> {
        match self.which {
            Which::Sandbox => self.look_plain(id).await,
            Which::Difficult => self.look_difficult(id).await,
            Which::Stripe => None,
        }
    }

    async fn look_plain(&self, id: &str) -> Option<Standing> {
        let object = self.get(&format!("/v1/checkouts/{id}")).await?;
        let paid = object["payment"].as_object().map(|paid| {
            (paid["id"].as_str().unwrap().to_owned(), minor(&paid["amount"]), !paid["reversed_ms"].is_null())
        });
        let (mut refunds, mut disputes) = (Vec::new(), Vec::new());
        if let Some((capture, ..)) = &paid {
            refunds = data(self.get(&format!("/v1/refunds?capture={capture}")).await?);
            disputes = data(self.get(&format!("/v1/disputes?capture={capture}")).await?);
        }
        let is_processing = object["payment_status"] == "processing";
        Some(Standing { object, is_processing, paid, refunds, disputes })
    }

    async fn look_difficult(&self, id: &str) -> Option<Standing> {
        let object = self.get(&format!("/d/orders/{id}")).await?;
        let paid = object["capture"].as_object().map(|paid| {
            (paid["id"].as_str().unwrap().to_owned(), minor(&paid["amount"]), !paid["reversed_ms"].is_null())
        });
        let list = |name: &str| object[name].as_array().cloned().unwrap_or_default();
        Some(Standing { is_processing: false, paid, refunds: list("refunds"), disputes: list("disputes"), object })
    }

    /// The ids of all checkouts that carry a reference of till's, oldest first.
    pub(super) async fn checkouts(&self) -> Vec<String> {
        let events = match self.which {
            Which::Sandbox => self.events("/v1/events").await,
            Which::Difficult => self.events("/d/events").await,
            Which::Stripe => Vec::new(),
        };
        let mut ids: Vec<String> = Vec::new();
        for event in &events {
            let object = &event["data"]["object"];
            let made = event["type"] == "checkout.created" && object["metadata"]["till_payment"].is_string();
            let id = if made { &object["id"] } else { &event["order"] };
            let ours = made || event["custom_id"].as_str().is_some_and(|it| it.starts_with("pay_"));
            if let Some(id) = id.as_str().filter(|id| ours && !ids.iter().any(|known| known == id)) {
                ids.push(id.to_owned());
            }
        }
        ids
    }

    async fn events(&self, path: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit=100{after}")).await.expect("a page of events");
            let events = data(page.clone());
            after = events.last().map(|event| format!("&after={}", event["id"].as_str().unwrap())).unwrap_or_default();
            all.extend(events);
            if page["has_more"] != true {
                return all;
            }
        }
    }
}

/// An amount of either character: minor units, or a decimal text of a currency with two decimals.
pub(super) fn minor(amount: &Value) -> Amount {
    let currency = amount["currency"].as_str().unwrap().to_owned();
    let text = || amount["value"].as_str().unwrap().replace('.', "").parse().unwrap();
    (amount["minor"].as_i64().unwrap_or_else(text), currency)
}

fn data(page: Value) -> Vec<Value> {
    page["data"].as_array().unwrap_or_else(|| panic!("a list: {page}")).clone()
}

/// One of them, the newer the rather.
fn pick(pages: &[String], seeded: &mut Seeded) -> Option<String> {
    let len = pages.len() as u64;
    let back = seeded.below(len.max(1)).min(seeded.below(len.max(1)));
    pages.iter().rev().nth(usize::try_from(back).unwrap()).cloned()
}

/// What is done, and to which object.
fn drawn(it: &Standing, checkout: &str, seeded: &mut Seeded) -> Option<(&'static str, String)> {
    let chance = seeded.below(20);
    if it.is_processing {
        let act = if chance < 5 { "debit_fails" } else { "debit_succeeds" };
        return Some((act, checkout.to_owned()));
    }
    let (capture, ..) = it.paid.as_ref()?;
    let id = |object: &Value| object["id"].as_str().unwrap().to_owned();
    if let Some(pending) = it.refunds.iter().find(|refund| refund["status"] == "pending") {
        return Some((if chance < 5 { "refund_fails" } else { "refund_succeeds" }, id(pending)));
    }
    if let Some(dispute) = it.disputes.last().filter(|_| chance < 12) {
        let act = ["answer", "win", "lose", "prevent", "dispute", "lose"][usize::try_from(chance / 2).unwrap()];
        return Some((act, if act == "dispute" { capture.clone() } else { id(dispute) }));
    }
    match chance {
        0 => Some(("inquire", capture.clone())),
        1 => Some(("dispute", capture.clone())),
        2..=3 => Some(("refund", capture.clone())),
        4 => Some(("reverse", capture.clone())),
        5 => it.refunds.last().map(|refund| ("refund_fails", id(refund))),
        _ => None,
    }
}
