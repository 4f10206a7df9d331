//! Refunds: money that goes back, never more than is left of a charge.

use crate::ask::{self, Params};
use crate::expand;
use crate::intents::list_of;
use crate::keys::Caller;
use crate::problem::Problem;
use crate::{World, currency, number, shapes, text};
use serde_json::{Map, Value, json};

const KIND: &str = "refund";
const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

/// `POST /v1/refunds`
pub(crate) fn create(world: &mut World, caller: &Caller, _: &str, mut params: Params) -> Result<Value, Problem> {
    let (intent, charge) = (params.text("payment_intent", 5000)?, params.text("charge", 5000)?);
    let amount = params.integer("amount", 1)?;
    let reason = params.text("reason", 5000)?;
    if reason.as_ref().is_some_and(|reason| !REASONS.contains(&reason.as_str())) {
        return Err(ask::not_one_of("reason", &REASONS));
    }
    let metadata = params.metadata()?;
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    let charge = match (intent, charge) {
        (None, None) => {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(Problem::invalid(message).code("parameter_missing"));
        }
        (intent, Some(charge)) => {
            let of = world.found(&caller.account, "charge", &charge, "charge")?["payment_intent"].clone();
            if intent.is_some_and(|intent| of != intent) {
                let message = "The provided charge does not belong to the provided payment intent.";
                return Err(Problem::invalid(message).begun());
            }
            charge
        }
        (Some(intent), None) => world.charge_of(&caller.account, &intent)?,
    };
    let amount = world.refundable(&charge, amount)?;
    let status = world.refunds_start.clone();
    let id = world.refund(&charge, amount, &status, metadata, reason.into());
    world.shown(&caller.account, KIND, &id, &expand)
}

/// `GET /v1/refunds/:id`
pub(crate) fn show(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    world.found(&caller.account, KIND, id, "id")?;
    world.shown(&caller.account, KIND, id, &expand)
}

/// `GET /v1/refunds`
pub(crate) fn list(world: &mut World, caller: &Caller, _: &str, params: Params) -> Result<Value, Problem> {
    list_of(world, caller, KIND, "/v1/refunds", params, &["payment_intent", "charge"])
}

impl World {
    fn charge_of(&self, account: &str, intent: &str) -> Result<String, Problem> {
        let object = self.found(account, "payment_intent", intent, "payment_intent")?;
        if object["status"] != "succeeded" {
            let message = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
            return Err(Problem::invalid(message).code("payment_intent_unexpected_state").begun());
        }
        Ok(text(object, "latest_charge").to_owned())
    }

    /// How much a refund of this charge may be: what was asked, or all that is left.
    fn refundable(&self, charge: &str, amount: Option<i64>) -> Result<i64, Problem> {
        let object = self.shelf.object(charge).unwrap();
        let code = text(object, "currency");
        let left = number(object, "amount_captured") - number(object, "amount_refunded");
        let refused = |message: String| Problem::invalid(message).begun();
        if object["paid"] != true {
            return Err(refused(format!("Charge {charge} has not been paid; cannot issue a refund.")));
        }
        let back = self.shelf.rows("dispute").map(|row| &row.object);
        let mut back = back.filter(|dispute| dispute["charge"] == charge && dispute["is_charge_refundable"] == false);
        if back.any(|dispute| dispute["status"] != "won") {
            let message = format!("Charge {charge} has been charged back; cannot issue a refund.");
            return Err(refused(message).code("charge_disputed"));
        }
        if left <= 0 {
            let message = format!("Charge {charge} has already been refunded.");
            return Err(refused(message).code("charge_already_refunded"));
        }
        let amount = amount.unwrap_or(left);
        currency::fits("amount", code, amount)?;
        if amount > left {
            // No code comes with this one.
            let message = format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                currency::text(code, amount),
                currency::text(code, left)
            );
            return Err(refused(message).param("amount"));
        }
        Ok(amount)
    }

    /// Makes a refund of what is left to refund.
    pub(crate) fn refund(
        &mut self,
        charge: &str,
        amount: i64,
        status: &str,
        metadata: Map<String, Value>,
        reason: Value,
    ) -> String {
        let row = self.shelf.row(charge).unwrap().clone();
        let id = self.id("re_3", 23);
        let known = json!({
            "id": id, "amount": amount, "charge": charge, "created": self.secs(), "currency": row.object["currency"],
            "metadata": metadata, "payment_intent": row.object["payment_intent"], "reason": reason, "status": status,
        });
        self.shelf.put(&row.account, shapes::with(shapes::refund(), known));
        if status == "pending" {
            self.shelf.edit(&id, |refund| drop(refund.insert("pending_reason".into(), "processing".into())));
        }
        if status == "succeeded" {
            self.paid_out(&id, amount);
        }
        self.tell("refund.created", &id);
        if counts(status) {
            let before = self.count_refund(charge, amount);
            self.tell_change("charge.refunded", charge, &before);
        }
        id
    }

    fn paid_out(&mut self, id: &str, amount: i64) {
        let txn = self.balance_txn("refund", "refund", id, -amount, 0);
        self.shelf.edit(id, |refund| drop(refund.insert("balance_transaction".into(), txn.into())));
    }

    /// Adds to what a charge says is refunded; a failed refund takes away.
    fn count_refund(&mut self, charge: &str, by: i64) -> Value {
        self.shelf.edit(charge, |charge| {
            let sum = charge["amount_refunded"].as_i64().unwrap_or_default() + by;
            let whole = Some(sum) == charge["amount_captured"].as_i64();
            charge.insert("amount_refunded".into(), sum.into());
            charge.insert("refunded".into(), whole.into());
        })
    }

    /// Moves a refund on.
    pub(crate) fn refund_moves(&mut self, id: &str, status: &str, failure: Option<&str>) {
        let before = self.shelf.object(id).unwrap_or_else(|| panic!("there is no refund `{id}`")).clone();
        let (charge, amount) = (text(&before, "charge").to_owned(), number(&before, "amount"));
        let was = text(&before, "status").to_owned();
        self.shelf.edit(id, |refund| {
            refund.insert("status".into(), status.into());
            refund.remove("pending_reason");
        });
        if status == "succeeded" && before["balance_transaction"].is_null() {
            self.paid_out(id, amount);
        }
        if counts(&was) && !counts(status) {
            self.count_refund(&charge, -amount);
        }
        if status == "failed" {
            let txn = self.balance_txn("refund_failure", "refund_failure", id, amount, 0);
            let reason = failure.unwrap_or("unknown").to_owned();
            self.shelf.edit(id, |refund| {
                refund.insert("failure_balance_transaction".into(), txn.into());
                refund.insert("failure_reason".into(), reason.into());
            });
            self.tell("refund.failed", id);
        }
        self.tell_change("refund.updated", id, &before);
        self.tell_change("charge.refund.updated", id, &before);
    }
}

/// Whether a refund of this status takes from what is left.
pub(crate) fn counts(status: &str) -> bool {
    !matches!(status, "failed" | "canceled")
}
