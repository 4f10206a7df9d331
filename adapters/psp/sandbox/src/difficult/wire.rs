//! The difficult sandbox's JSON: what is sent, field by field, and as much as is read of an answer.
//!
//! The order of the fields is the order of the bytes: the provider compares them under a used key. A test holds them.

use super::decimal;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use till_core::id::PaymentId;
use till_core::money::Money;
use till_core::order::{CheckoutOrder, RefundOrder};

/// The one text of ours that an object carries: the payment, and which of its checkouts or refunds.
pub(crate) fn custom_id(payment: &PaymentId, which: impl Display) -> String {
    format!("{payment}:{which}")
}

/// An amount: `{"value":"25.00","currency":"EUR"}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Amount {
    value: String,
    currency: String,
}

impl Amount {
    fn of(money: Money) -> Self {
        Self { value: decimal::text(money), currency: money.currency().code().to_owned() }
    }

    pub(crate) fn money(&self) -> Option<Money> {
        decimal::read(&self.value, &self.currency)
    }
}

/// The body of a call that says everything in its path.
#[derive(Debug, Serialize)]
pub(crate) struct Nothing {}

/// `POST /d/orders`.
#[derive(Debug, Serialize)]
pub(crate) struct NewOrder<'a> {
    amount: Amount,
    items: Vec<Item<'a>>,
    custom_id: String,
    reference: String,
    return_url: &'a str,
    expires_at_ms: i64,
    locale: &'a str,
}

#[derive(Debug, Serialize)]
struct Item<'a> {
    name: &'a str,
    quantity: u32,
    unit_amount: Amount,
}

impl<'a> NewOrder<'a> {
    pub(crate) fn of(order: &'a CheckoutOrder) -> Self {
        let lines = order.lines.iter();
        Self {
            amount: Amount::of(order.amount),
            items: lines
                .map(|it| Item { name: &it.name, quantity: it.quantity, unit_amount: Amount::of(it.each) })
                .collect(),
            custom_id: custom_id(&order.payment, order.n),
            reference: order.code.to_string(),
            return_url: &order.return_url,
            expires_at_ms: order.closes_at.ms(),
            locale: &order.locale,
        }
    }
}

/// `POST /d/captures/{id}/refund`.
#[derive(Debug, Serialize)]
pub(crate) struct NewBack {
    amount: Amount,
    custom_id: String,
}

impl NewBack {
    pub(crate) fn of(order: &RefundOrder) -> Self {
        Self { amount: Amount::of(order.amount), custom_id: custom_id(&order.payment, order.refund) }
    }
}

/// An order with everything that hangs on it.
#[derive(Debug, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) livemode: bool,
    pub(crate) status: String,
    pub(crate) amount: Amount,
    pub(crate) custom_id: Option<String>,
    pub(crate) approve_url: Option<String>,
    pub(crate) expires_at_ms: Option<i64>,
    pub(crate) updated_ms: i64,
    pub(crate) capture: Option<Paid>,
    #[serde(default)]
    pub(crate) attempts: Vec<Attempt>,
    #[serde(default)]
    pub(crate) refunds: Vec<Refund>,
    #[serde(default)]
    pub(crate) disputes: Vec<Dispute>,
}

/// Money that was taken.
#[derive(Debug, Deserialize)]
pub(crate) struct Paid {
    pub(crate) id: String,
    pub(crate) amount: Amount,
    /// When the bank took it back.
    pub(crate) reversed_ms: Option<i64>,
}

/// A try that was declined.
#[derive(Debug, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) code: String,
    pub(crate) at_ms: i64,
}

/// A refund.
#[derive(Debug, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) livemode: bool,
    pub(crate) status: String,
    pub(crate) capture: String,
    pub(crate) amount: Amount,
    pub(crate) custom_id: Option<String>,
    /// That of the order: a refund that somebody makes at the provider has none of ours.
    pub(crate) order_custom_id: Option<String>,
    pub(crate) updated_ms: i64,
}

/// A dispute; only ever seen under its order.
#[derive(Debug, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) capture: String,
    pub(crate) amount: Amount,
    pub(crate) withdrawn: Amount,
    #[serde(default)]
    pub(crate) moves: u32,
    pub(crate) answer_by_ms: Option<i64>,
    pub(crate) updated_ms: i64,
}

/// A look-up's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
}

/// `GET /d/events`, oldest first.
#[derive(Debug, Deserialize)]
pub(crate) struct Events {
    pub(crate) data: Vec<Event>,
    pub(crate) has_more: bool,
}

/// Which order changed; not how.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) order: String,
    pub(crate) custom_id: Option<String>,
}
