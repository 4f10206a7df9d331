//! Disputes: the bank takes the money back, or first asks.
//!
//! ```text
//! inquiry     warning_needs_response ─► warning_under_review ─► warning_closed     no money moves
//!                      └─► needs_response (it became a chargeback)
//! chargeback  needs_response ─► under_review ─► won (reinstated) | lost            withdrawn at once
//! ```

use crate::ask::Params;
use crate::expand;
use crate::intents::list_of;
use crate::keys::Caller;
use crate::problem::Problem;
use crate::{World, number, shapes, text};
use serde_json::{Value, json};

const KIND: &str = "dispute";
const DUE_SECS: i64 = 8 * 24 * 3600;
/// What a bank asks for its trouble, in minor units.
const FEE: i64 = 2000;

/// `GET /v1/disputes/:id`
pub(crate) fn show(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    world.found(&caller.account, KIND, id, "dispute")?;
    world.shown(&caller.account, KIND, id, &expand)
}

/// `GET /v1/disputes`
pub(crate) fn list(world: &mut World, caller: &Caller, _: &str, params: Params) -> Result<Value, Problem> {
    list_of(world, caller, KIND, "/v1/disputes", params, &["payment_intent", "charge"])
}

impl World {
    /// The bank opens a dispute.
    pub(crate) fn dispute(&mut self, charge: &str, amount: i64, inquiry: bool) -> String {
        let row = self.shelf.row(charge).unwrap().clone();
        let id = self.id("du_1", 23);
        let card = json!({
            "brand": "visa", "case_type": if inquiry { "inquiry" } else { "chargeback" }, "network": "visa",
            "network_reason_code": "10.4",
        });
        let due_by = self.secs() + DUE_SECS;
        let known = json!({
            "id": id, "amount": amount, "charge": charge, "created": self.secs(), "currency": row.object["currency"],
            "evidence_details": {
                "due_by": due_by, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
                "submission_count": 0,
            },
            "is_charge_refundable": inquiry, "livemode": self.settings.livemode,
            "payment_intent": row.object["payment_intent"],
            "payment_method_details": {"card": card, "type": "card"}, "reason": "fraudulent",
            "status": if inquiry { "warning_needs_response" } else { "needs_response" },
        });
        self.shelf.put(&row.account, shapes::with(shapes::dispute(), known));
        self.shelf.edit(charge, |charge| drop(charge.insert("disputed".into(), true.into())));
        if !inquiry {
            self.dispute_txn(&id, -amount, FEE);
        }
        self.tell("charge.dispute.created", &id);
        if !inquiry {
            self.tell("charge.dispute.funds_withdrawn", &id);
        }
        id
    }

    /// Money moves for a dispute: withdrawn below zero, reinstated above.
    fn dispute_txn(&mut self, id: &str, amount: i64, fee: i64) -> Value {
        let category = if amount < 0 { "dispute" } else { "dispute_reversal" };
        let txn = self.balance_txn("adjustment", category, id, amount, fee);
        let txn = self.shelf.object(&txn).unwrap().clone();
        self.shelf.edit(id, |dispute| {
            if let Some(Value::Array(all)) = dispute.get_mut("balance_transactions") {
                all.push(txn);
            }
        })
    }

    pub(crate) fn dispute_funds(&mut self, id: &str, amount: i64) {
        let kind = if amount < 0 { "funds_withdrawn" } else { "funds_reinstated" };
        let before = self.dispute_txn(id, amount, 0);
        self.tell_change(&format!("charge.dispute.{kind}"), id, &before);
    }

    /// Moves a dispute on.
    pub(crate) fn dispute_moves(&mut self, id: &str, status: &str) {
        let before = self.shelf.object(id).unwrap_or_else(|| panic!("there is no dispute `{id}`")).clone();
        let amount = number(&before, "amount");
        let became_chargeback = text(&before, "status").starts_with("warning") && status == "needs_response";
        self.shelf.edit(id, |dispute| {
            dispute.insert("status".into(), status.into());
            if became_chargeback {
                dispute.insert("is_charge_refundable".into(), false.into());
            }
            if status.ends_with("under_review") {
                dispute["evidence_details"]["has_evidence"] = true.into();
                dispute["evidence_details"]["submission_count"] = 1.into();
            }
        });
        if became_chargeback {
            self.dispute_txn(id, -amount, FEE);
        }
        match status {
            "won" | "lost" | "warning_closed" | "prevented" => {
                let taken = before["balance_transactions"].as_array().into_iter().flatten();
                let taken: i64 = taken.map(|txn| number(txn, "amount")).sum();
                if status == "won" && taken < 0 {
                    self.dispute_funds(id, -taken);
                }
                self.tell_change("charge.dispute.closed", id, &before);
            }
            _ => {
                self.tell_change("charge.dispute.updated", id, &before);
                if became_chargeback {
                    self.tell("charge.dispute.funds_withdrawn", id);
                }
            }
        }
    }
}
