//! The sandbox's JSON, as it goes over the wire: what is sent, field by field, and as much as is read of an answer.
//!
//! The order of the fields is the order of the bytes: the provider compares them under a used key, so a field that is
//! moved or added makes every order that is under way another one. A test holds the bytes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use till_core::money::{Currency, Money};
use till_core::order::{Authentication, CheckoutOrder, RefundOrder};

/// An amount. The sandbox counts minor units as ISO 4217 does, so no table is needed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Amount {
    minor: i64,
    currency: String,
}

impl Amount {
    pub(crate) fn of(money: Money) -> Self {
        Self { minor: money.minor(), currency: money.currency().code().to_owned() }
    }

    /// None for a currency that nobody knows: such an amount is not a number we may guess.
    pub(crate) fn money(&self) -> Option<Money> {
        Some(Money::new(self.minor, Currency::parse(&self.currency).ok()?))
    }
}

/// The body of a call that says everything in its path.
#[derive(Debug, Serialize)]
pub(crate) struct Nothing {}

/// `POST /v1/checkouts`.
#[derive(Debug, Serialize)]
pub(crate) struct NewCheckout<'a> {
    amount: Amount,
    lines: Vec<Line<'a>>,
    metadata: CheckoutLabels,
    return_url: &'a str,
    expires_at_ms: i64,
    locale: &'a str,
    /// Left out where the provider decides, as orders were before it could be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    name: &'a str,
    quantity: u32,
    each_minor: i64,
}

/// The provider's metadata holds texts only.
#[derive(Debug, Serialize)]
struct CheckoutLabels {
    till_payment: String,
    till_n: String,
    till_code: String,
}

impl<'a> NewCheckout<'a> {
    pub(crate) fn of(order: &'a CheckoutOrder) -> Self {
        let lines = order.lines.iter();
        Self {
            amount: Amount::of(order.amount),
            lines: lines
                .map(|it| Line { name: &it.name, quantity: it.quantity, each_minor: it.each.minor() })
                .collect(),
            metadata: CheckoutLabels {
                till_payment: order.payment.to_string(),
                till_n: order.n.to_string(),
                till_code: order.code.to_string(),
            },
            return_url: &order.return_url,
            expires_at_ms: order.closes_at.ms(),
            locale: &order.locale,
            authentication: match order.options.authentication {
                Authentication::ByProvider => None,
                Authentication::Always => Some("always"),
            },
        }
    }
}

/// `POST /v1/refunds`.
#[derive(Debug, Serialize)]
pub(crate) struct NewRefund<'a> {
    payment: &'a str,
    amount: Amount,
    metadata: RefundLabels,
}

#[derive(Debug, Serialize)]
struct RefundLabels {
    till_payment: String,
    till_refund: String,
}

impl<'a> NewRefund<'a> {
    pub(crate) fn of(order: &'a RefundOrder) -> Self {
        Self {
            payment: order.capture.as_str(),
            amount: Amount::of(order.amount),
            metadata: RefundLabels { till_payment: order.payment.to_string(), till_refund: order.refund.to_string() },
        }
    }
}

/// What Till put into the provider's metadata, and whatever else is there.
pub(crate) type Labels = BTreeMap<String, serde_json::Value>;

/// A checkout, whole.
#[derive(Debug, Deserialize)]
pub(crate) struct Checkout {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) livemode: bool,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) payment_status: String,
    pub(crate) amount: Amount,
    pub(crate) url: Option<String>,
    pub(crate) expires_at_ms: Option<i64>,
    pub(crate) updated_ms: i64,
    #[serde(default)]
    pub(crate) metadata: Labels,
    pub(crate) payment: Option<Paid>,
}

/// The money that came through a checkout.
#[derive(Debug, Deserialize)]
pub(crate) struct Paid {
    pub(crate) id: String,
    pub(crate) amount: Amount,
    /// When the bank took it back.
    pub(crate) reversed_ms: Option<i64>,
}

/// The money that came through a checkout, by itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Payment {
    pub(crate) id: String,
    pub(crate) status: String,
    /// The metadata of the checkout that was paid.
    #[serde(default)]
    pub(crate) payment_metadata: Labels,
}

/// A dispute, whole.
#[derive(Debug, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) livemode: bool,
    pub(crate) status: String,
    pub(crate) payment: String,
    pub(crate) amount: Amount,
    pub(crate) withdrawn: Amount,
    #[serde(default)]
    pub(crate) moves: u32,
    pub(crate) answer_by_ms: Option<i64>,
    pub(crate) updated_ms: i64,
    /// The metadata of the checkout that was paid.
    #[serde(default)]
    pub(crate) payment_metadata: Labels,
}

/// A refund, whole.
#[derive(Debug, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) livemode: bool,
    pub(crate) status: String,
    pub(crate) payment: String,
    pub(crate) amount: Amount,
    pub(crate) updated_ms: i64,
    #[serde(default)]
    pub(crate) metadata: Labels,
    /// The metadata of the checkout that was paid: a refund that somebody makes at the provider has none of ours.
    #[serde(default)]
    pub(crate) payment_metadata: Labels,
}

/// A look-up's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
}

/// `GET /v1/events`, oldest first.
#[derive(Debug, Deserialize)]
pub(crate) struct Events {
    pub(crate) data: Vec<Event>,
    pub(crate) has_more: bool,
}

/// An event, as listed and as delivered.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) created_ms: i64,
    pub(crate) account: String,
    pub(crate) livemode: bool,
    pub(crate) data: EventData,
}

/// What an event is about.
#[derive(Debug, Deserialize)]
pub(crate) struct EventData {
    /// Read once the type is known.
    pub(crate) object: serde_json::Value,
    pub(crate) attempt: Option<Attempt>,
}

/// A try that was declined.
#[derive(Debug, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) code: String,
}

/// The body of every refusal.
#[derive(Debug, Deserialize)]
pub(crate) struct Problem {
    pub(crate) error: ProblemDetail,
}

/// What was wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct ProblemDetail {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) message: String,
}
