//! The plain character's objects as JSON: what merchants get from `/v1`, and what its webhooks carry.

use crate::object::{Capture, Checkout, Dispute, Refund, State};
use serde_json::{Value, json};
use till_core::time::Timestamp;

/// Who and where the provider is, as far as objects tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issuer<'a> {
    pub(crate) account: &'a str,
    pub(crate) public_url: &'a str,
}

impl Issuer<'_> {
    pub(crate) fn checkout(self, it: &Checkout, now: Timestamp) -> Value {
        let (status, payment_status) = match &it.state {
            State::Open | State::Approved { .. } => ("open", "unpaid"),
            State::Processing => ("complete", "processing"),
            State::Failed => ("complete", "failed"),
            State::Paid(_) => ("complete", "paid"),
            State::Expired => ("expired", "unpaid"),
        };
        json!({
            "object": "checkout",
            "id": it.id,
            "account": self.account,
            "livemode": false,
            "status": status,
            "payment_status": payment_status,
            "amount": it.amount,
            "url": format!("{}/pay/{}", self.public_url, it.id),
            "expires_at_ms": it.expires,
            "created_ms": it.created,
            "updated_ms": it.updated,
            "now_ms": now,
            "metadata": it.metadata,
            "payment": it.capture().map(|paid| json!({
                "id": paid.id, "amount": paid.amount, "status": status_of(paid), "reversed_ms": paid.reversed,
            })),
        })
    }

    /// The money of a paid checkout by itself.
    pub(crate) fn payment(self, it: &Checkout, paid: &Capture, now: Timestamp) -> Value {
        json!({
            "object": "payment",
            "id": paid.id,
            "account": self.account,
            "livemode": false,
            "status": status_of(paid),
            "checkout": it.id,
            "amount": paid.amount,
            "created_ms": paid.at,
            "updated_ms": paid.reversed.unwrap_or(paid.at),
            "now_ms": now,
            "payment_metadata": it.metadata,
        })
    }

    pub(crate) fn refund(self, it: &Refund, now: Timestamp) -> Value {
        json!({
            "object": "refund",
            "id": it.id,
            "account": self.account,
            "livemode": false,
            "status": it.status.word(),
            "payment": it.capture,
            "checkout": it.checkout,
            "amount": it.amount,
            "created_ms": it.created,
            "updated_ms": it.updated,
            "now_ms": now,
            "metadata": it.metadata,
            "payment_metadata": it.payment_metadata,
        })
    }

    pub(crate) fn dispute(self, it: &Dispute, now: Timestamp) -> Value {
        json!({
            "object": "dispute",
            "id": it.id,
            "account": self.account,
            "livemode": false,
            "status": it.status.word(),
            "payment": it.capture,
            "checkout": it.checkout,
            "amount": it.amount,
            "withdrawn": it.withdrawn,
            "moves": it.moves,
            "answer_by_ms": it.answer_by,
            "created_ms": it.created,
            "updated_ms": it.updated,
            "now_ms": now,
            "payment_metadata": it.payment_metadata,
        })
    }
}

const fn status_of(paid: &Capture) -> &'static str {
    match paid.reversed {
        None => "succeeded",
        Some(_) => "reversed",
    }
}
