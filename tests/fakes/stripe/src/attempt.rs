//! What a payer does on the hosted page: each attempt makes a charge, the first one the payment intent too.

use crate::World;
use crate::sessions::KIND;
use crate::{number, shapes, text};
use serde_json::{Value, json};

/// How an attempt ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The money is there.
    Paid,
    /// The money is there, and the payer saw another currency.
    PaidAs(Value),
    /// The bank says no, with this code.
    Declined(String),
    /// A debit that takes days.
    Pending,
    /// The bank wants to see the payer first.
    Challenged,
}

/// Stripe's stated share, in the charge's minor units.
const fn fee(amount: i64) -> i64 {
    amount * 15 / 1000 + 25
}

impl World {
    /// Whether a session can be paid.
    pub(crate) fn is_open(&self, session: &str) -> bool {
        self.shelf.object(session).is_some_and(|object| object["object"] == KIND && object["status"] == "open")
    }

    /// One attempt on an open session.
    pub(crate) fn attempt(&mut self, session: &str, outcome: &Outcome) {
        let total = self.shelf.object(session).map_or(0, |object| number(object, "amount_total"));
        if total == 0 {
            // An order without cost has neither intent nor charge.
            return self.complete(session, "no_payment_required");
        }
        let intent = self.intent_of(session);
        match outcome {
            Outcome::Paid | Outcome::PaidAs(_) => {
                let charge = self.charge(&intent, "succeeded", None);
                if let Outcome::PaidAs(seen) = outcome {
                    for id in [session, &intent, &charge] {
                        self.shelf.edit(id, |object| drop(object.insert("presentment_details".into(), seen.clone())));
                    }
                }
                self.tell("charge.succeeded", &charge);
                self.captured(&intent, &charge, total);
                self.complete(session, "paid");
            }
            Outcome::Declined(code) => {
                let charge = self.charge(&intent, "failed", Some(code));
                self.tell("charge.failed", &charge);
                self.refused(&intent, &charge, code);
                self.behind.get_mut(session).unwrap().declines += 1;
            }
            Outcome::Pending => {
                let charge = self.charge(&intent, "pending", None);
                self.tell("charge.pending", &charge);
                self.intent_becomes(&intent, "processing", json!({ "latest_charge": charge, "next_action": null }));
                self.tell("payment_intent.processing", &intent);
                self.complete(session, "unpaid");
            }
            Outcome::Challenged => {
                let action = json!({"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "stripe_3ds2_fingerprint"}});
                self.intent_becomes(&intent, "requires_action", json!({ "next_action": action }));
                self.tell("payment_intent.requires_action", &intent);
            }
        }
    }

    /// The end of a debit.
    pub(crate) fn debit_ends(&mut self, session: &str, failed_for: Option<&str>) {
        let intent = text(self.shelf.object(session).unwrap(), "payment_intent").to_owned();
        let charge = text(self.shelf.object(&intent).unwrap(), "latest_charge").to_owned();
        let amount = self.shelf.object(&intent).map_or(0, |object| number(object, "amount"));
        if let Some(code) = failed_for {
            self.shelf.edit(&charge, |charge| {
                charge.insert("status".into(), "failed".into());
                charge.insert("paid".into(), false.into());
                charge.insert("failure_code".into(), code.into());
                charge.insert("failure_message".into(), "The customer's account could not be debited.".into());
            });
            self.tell("charge.failed", &charge);
            self.refused(&intent, &charge, code);
            return self.tell("checkout.session.async_payment_failed", session);
        }
        let txn = self.balance_txn("charge", "charge", &charge, amount, fee(amount));
        self.shelf.edit(&charge, |charge| {
            charge.insert("status".into(), "succeeded".into());
            charge.insert("paid".into(), true.into());
            charge.insert("balance_transaction".into(), txn.into());
        });
        self.tell("charge.succeeded", &charge);
        self.captured(&intent, &charge, amount);
        self.shelf.edit(session, |session| drop(session.insert("payment_status".into(), "paid".into())));
        self.tell("checkout.session.async_payment_succeeded", session);
    }

    fn captured(&mut self, intent: &str, charge: &str, amount: i64) {
        let now = json!({
            "amount_received": amount, "latest_charge": charge, "last_payment_error": null, "next_action": null,
            "processing": null,
        });
        self.intent_becomes(intent, "succeeded", now);
        self.tell("payment_intent.succeeded", intent);
    }

    fn refused(&mut self, intent: &str, charge: &str, code: &str) {
        let error = json!({
            "charge": charge, "code": "card_declined", "decline_code": code,
            "doc_url": "https://stripe.com/docs/error-codes/card-declined", "message": "Your card was declined.",
            "network_decline_code": "01", "type": "card_error",
        });
        let now =
            json!({"latest_charge": charge, "last_payment_error": error, "payment_method": null, "next_action": null});
        self.intent_becomes(intent, "requires_payment_method", now);
        self.tell("payment_intent.payment_failed", intent);
    }

    fn complete(&mut self, session: &str, payment_status: &str) {
        let details = json!({
            "address": shapes::address(), "business_name": null, "email": "payer@example.com", "individual_name": null,
            "name": "Pat Payer", "phone": null, "tax_exempt": "none", "tax_ids": [],
        });
        self.shelf.edit(session, |session| {
            session.insert("status".into(), "complete".into());
            session.insert("payment_status".into(), payment_status.into());
            session.insert("url".into(), Value::Null);
            session.insert("customer_details".into(), details);
        });
        self.tell("checkout.session.completed", session);
    }

    fn intent_becomes(&mut self, intent: &str, status: &str, now: Value) {
        let Value::Object(now) = now else { return };
        self.shelf.edit(intent, |intent| {
            intent.extend(now);
            intent.insert("status".into(), status.into());
        });
    }

    /// The session's payment intent. There is none before the first attempt.
    fn intent_of(&mut self, session: &str) -> String {
        let row = self.shelf.row(session).unwrap().clone();
        let known = text(&row.object, "payment_intent");
        if !known.is_empty() {
            return known.to_owned();
        }
        let id = self.id("pi_3", 23);
        let secret = self.id(&format!("{id}_secret_"), 25);
        let data = self.behind[session].intent.clone();
        let known = json!({
            "id": id,
            "amount": row.object["amount_total"],
            "client_secret": secret,
            "created": self.secs(),
            "currency": row.object["currency"],
            "description": data.description,
            "livemode": self.settings.livemode,
            "metadata": data.metadata,
            "receipt_email": data.receipt_email,
            "statement_descriptor_suffix": data.suffix,
            "status": "requires_payment_method",
        });
        self.shelf.put(&row.account, shapes::with(shapes::payment_intent(), known));
        self.shelf.edit(session, |session| drop(session.insert("payment_intent".into(), id.clone().into())));
        self.tell("payment_intent.created", &id);
        id
    }

    fn charge(&mut self, intent: &str, status: &str, declined: Option<&str>) -> String {
        let row = self.shelf.row(intent).unwrap().clone();
        let (id, method) = (self.id("ch_3", 23), self.id("pm_1", 23));
        let amount = number(&row.object, "amount");
        let paid = status == "succeeded";
        let kind = if status == "pending" { "sepa_debit" } else { "card" };
        let outcome = json!({
            "advice_code": null, "network_advice_code": null,
            "network_decline_code": declined.map(|_| "01"),
            "network_status": if declined.is_some() { "declined_by_network" } else { "approved_by_network" },
            "reason": declined, "risk_level": "normal", "risk_score": 12,
            "seller_message": declined.map_or("Payment complete.", |_| "The bank did not return any further details."),
            "type": if declined.is_some() { "issuer_declined" } else { "authorized" },
        });
        let captured = declined.is_none();
        let known = json!({
            "id": id, "amount": amount, "amount_captured": if captured { amount } else { 0 }, "captured": captured,
            "created": self.secs(), "currency": row.object["currency"], "description": row.object["description"],
            "failure_code": declined.map(|_| "card_declined"),
            "failure_message": declined.map(|_| "Your card was declined."),
            "livemode": self.settings.livemode, "metadata": row.object["metadata"], "outcome": outcome, "paid": paid,
            "payment_intent": intent, "payment_method": method, "payment_method_details": shapes::method_details(kind),
            "receipt_email": row.object["receipt_email"],
            "receipt_url": format!("https://pay.stripe.com/receipts/payment/{id}"),
            "statement_descriptor_suffix": row.object["statement_descriptor_suffix"], "status": status,
        });
        self.shelf.put(&row.account, shapes::with(shapes::charge(), known));
        if paid {
            let txn = self.balance_txn("charge", "charge", &id, amount, fee(amount));
            self.shelf.edit(&id, |charge| drop(charge.insert("balance_transaction".into(), txn.into())));
        }
        self.shelf.edit(intent, |intent| drop(intent.insert("payment_method".into(), method.into())));
        id
    }

    /// Money that moves on the account's balance.
    pub(crate) fn balance_txn(&mut self, kind: &str, category: &str, source: &str, amount: i64, fee: i64) -> String {
        let row = self.shelf.row(source).unwrap().clone();
        let id = self.id("txn_3", 23);
        let known = json!({
            "id": id, "amount": amount, "available_on": self.secs(), "created": self.secs(),
            "currency": row.object["currency"], "fee": fee, "net": amount - fee, "reporting_category": category,
            "source": source, "type": kind,
        });
        self.shelf.put(&row.account, shapes::with(shapes::balance_transaction(), known));
        id
    }
}
