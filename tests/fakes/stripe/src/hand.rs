//! The hands of people: the payer on the page, the merchant in the dashboard, the bank, and Radar.
//!
//! Each is one step, told as Stripe tells it, with `request.id` null in its events.

use crate::attempt::Outcome;
use crate::{Stripe, World, number, text};
use serde_json::{Map, Value, json};

/// It cannot be done as things stand: the session is not open, there is nothing to settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

impl Stripe {
    /// The payer pays by card. Returns the payment intent; empty for an order without cost.
    ///
    /// # Errors
    /// [`Wrong`] when the session is not open.
    pub fn pay(&self, session: &str) -> Result<String, Wrong> {
        self.attempt(session, &Outcome::Paid)
    }

    /// The payer pays in a currency of their own, as Adaptive Pricing lets them: what Till asked for stays the amount,
    /// and `presentment_details` says what the payer saw.
    ///
    /// # Errors
    /// [`Wrong`] when the session is not open, or was made with `adaptive_pricing[enabled]=false`.
    pub fn pay_abroad(&self, session: &str, currency: &str, minor: i64) -> Result<String, Wrong> {
        let enabled = |world: &World| {
            world.shelf.object(session).is_some_and(|object| object["adaptive_pricing"]["enabled"] == true)
        };
        if !enabled(&self.lock()) {
            return Err(Wrong(format!("session `{session}` has no adaptive pricing")));
        }
        let seen = json!({"presentment_amount": minor, "presentment_currency": currency});
        self.attempt(session, &Outcome::PaidAs(seen))
    }

    /// The payer's card is declined: `generic_decline`, `insufficient_funds`. The session stays open.
    ///
    /// # Errors
    /// [`Wrong`] when the session is not open.
    pub fn decline(&self, session: &str, code: &str) -> Result<String, Wrong> {
        self.attempt(session, &Outcome::Declined(code.to_owned()))
    }

    /// The payer allows a debit: the session is complete and unpaid until [`Stripe::settle`].
    ///
    /// # Errors
    /// [`Wrong`] when the session is not open.
    pub fn debit(&self, session: &str) -> Result<String, Wrong> {
        self.attempt(session, &Outcome::Pending)
    }

    /// The payer's bank wants to see them; [`Stripe::pay`] or [`Stripe::decline`] is how it ends.
    ///
    /// # Errors
    /// [`Wrong`] when the session is not open.
    pub fn challenge(&self, session: &str) -> Result<String, Wrong> {
        self.attempt(session, &Outcome::Challenged)
    }

    /// A debit comes in.
    ///
    /// # Errors
    /// [`Wrong`] when no debit is under way.
    pub fn settle(&self, session: &str) -> Result<(), Wrong> {
        self.debit_under_way(session)?.debit_ends(session, None);
        Ok(())
    }

    /// A debit comes back.
    ///
    /// # Errors
    /// [`Wrong`] when no debit is under way.
    pub fn fail_debit(&self, session: &str) -> Result<(), Wrong> {
        self.debit_under_way(session)?.debit_ends(session, Some("insufficient_funds"));
        Ok(())
    }

    /// New refunds start so from now on: `succeeded` (as at first), `pending`, `requires_action`.
    pub fn refunds_start(&self, status: &str) {
        self.lock().refunds_start = status.to_owned();
    }

    /// The merchant refunds in the dashboard: without metadata. Returns the refund.
    ///
    /// # Panics
    /// When the payment intent has no charge, or less is left.
    pub fn refund_by_hand(&self, intent: &str, amount: i64, status: Option<&str>) -> String {
        let mut world = self.lock();
        let charge = world.charge_on(intent);
        let object = world.shelf.object(&charge).unwrap();
        let left = number(object, "amount_captured") - number(object, "amount_refunded");
        assert!((1..=left).contains(&amount), "{amount} is not within the {left} that is left of {intent}");
        let status = status.unwrap_or(&world.refunds_start).to_owned();
        world.refund(&charge, amount, &status, Map::new(), Value::Null)
    }

    /// A refund moves on: `succeeded`, `failed`, `requires_action`, `canceled`, `pending`.
    pub fn refund_becomes(&self, refund: &str, status: &str) {
        let failure = (status == "failed").then_some("lost_or_stolen_card");
        self.lock().refund_moves(refund, status, failure);
    }

    /// A refund fails for this reason: `charge_for_pending_refund_disputed`, `expired_or_canceled_card`.
    pub fn refund_fails(&self, refund: &str, reason: &str) {
        self.lock().refund_moves(refund, "failed", Some(reason));
    }

    /// The bank disputes so much of a payment; an inquiry takes no money yet. Returns the dispute.
    ///
    /// # Panics
    /// When the payment intent has no charge.
    pub fn dispute(&self, intent: &str, amount: i64, inquiry: bool) -> String {
        let mut world = self.lock();
        let charge = world.charge_on(intent);
        world.dispute(&charge, amount, inquiry)
    }

    /// A dispute moves on: `under_review`, `won` (the money is reinstated), `lost`, `warning_closed`, `prevented`; an
    /// inquiry that becomes `needs_response` takes the money.
    pub fn dispute_becomes(&self, dispute: &str, status: &str) {
        self.lock().dispute_moves(dispute, status);
    }

    /// Money moves for a dispute beside its usual course: below zero withdrawn, above reinstated.
    pub fn dispute_funds(&self, dispute: &str, minor: i64) {
        self.lock().dispute_funds(dispute, minor);
    }

    /// The card network warns of fraud. Returns the warning.
    pub fn fraud_warning(&self, intent: &str) -> String {
        self.lock().warn(intent)
    }

    /// Radar asks a person to look. Returns the review.
    pub fn review_opens(&self, intent: &str) -> String {
        self.lock().review(intent)
    }

    /// A person has looked: `approved`, `refunded`, `refunded_as_fraud`, `disputed`, `canceled`.
    pub fn review_closes(&self, review: &str, reason: &str) {
        self.lock().review_ends(review, reason);
    }

    /// A connected account leaves the platform.
    pub fn deauthorize(&self, account: &str) {
        self.lock().leave(account);
    }

    /// Changes one field of an account: `charges_enabled`, `capabilities`.
    pub fn account_becomes(&self, account: &str, field: &str, value: Value) {
        let mut world = self.lock();
        let before = world.shelf.edit(account, |object| drop(object.insert(field.to_owned(), value)));
        world.tell_change("account.updated", account, &before);
    }

    fn attempt(&self, session: &str, outcome: &Outcome) -> Result<String, Wrong> {
        let mut world = self.lock();
        if !world.is_open(session) {
            return Err(Wrong(format!("session `{session}` is not open")));
        }
        world.attempt(session, outcome);
        Ok(world.shelf.object(session).map(|object| text(object, "payment_intent").to_owned()).unwrap_or_default())
    }

    fn debit_under_way(&self, session: &str) -> Result<std::sync::MutexGuard<'_, World>, Wrong> {
        let world = self.lock();
        let intent = world.shelf.object(session).map(|object| text(object, "payment_intent").to_owned());
        let intent = intent.and_then(|intent| world.shelf.object(&intent));
        if intent.is_some_and(|intent| intent["status"] == "processing") {
            return Ok(world);
        }
        Err(Wrong(format!("no debit of `{session}` is under way")))
    }
}

impl World {
    fn charge_on(&self, intent: &str) -> String {
        let object = self.shelf.object(intent).unwrap_or_else(|| panic!("there is no payment intent `{intent}`"));
        let charge = text(object, "latest_charge");
        assert!(!charge.is_empty(), "{intent} has no charge");
        charge.to_owned()
    }
}
