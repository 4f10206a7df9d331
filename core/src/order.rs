//! What is asked of a payer and of a provider: orders, finished to the last character before anything is sent.
//!
//! A provider call is written down before it is made (PAYMENTS.md F.1). So an order holds every time, URL and amount
//! already computed: each try makes the same bytes from it.

pub use crate::command::Item;
use crate::id::{CaptureId, Code, PaymentId, RefundId};
use crate::money::Money;
use crate::place::PersonId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The words of a payment: what people typed. Kept in a row of its own that can be erased while the facts stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wording {
    /// What for, in one line: `coffee`.
    pub what: Option<String>,
    /// Line items; empty when only an amount was asked.
    pub items: Vec<Item>,
    /// The business's own reference: `A-17`.
    pub reference: Option<String>,
    /// A note for the payer.
    pub note: Option<String>,
    /// Who should pay, when it is a person of the platform.
    pub payer: Option<PersonId>,
    /// Who should pay, by name, when one is named.
    pub payer_name: Option<String>,
    /// The payer's e-mail address, when it was given.
    pub payer_email: Option<String>,
    /// Who asked, by name.
    pub asked_by_name: Option<String>,
}

impl Wording {
    /// What for, in one line, from the words or the items; empty when neither is there.
    pub fn summary(&self) -> String {
        let from_items = || self.items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>().join(", ");
        self.what.clone().unwrap_or_else(from_items)
    }
}

/// One line on the provider's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it is called; never empty.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price of one.
    pub each: Money,
}

/// A checkout, ready to be created at the provider. The lines sum up to `amount`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutOrder {
    /// Travels in the provider's metadata.
    pub payment: PaymentId,
    /// Counts the payment's checkouts, from 1; never tries. Travels in the provider's metadata.
    pub n: u32,
    /// The code that people know the payment by.
    pub code: Code,
    /// What this checkout asks for.
    pub amount: Money,
    /// At least one.
    pub lines: Vec<Line>,
    /// When the provider shall close it.
    pub closes_at: Timestamp,
    /// Where the payer lands after paying or giving up.
    pub return_url: String,
    /// Language tag for the provider's page.
    pub locale: String,
    /// How the payer may pay.
    #[serde(default)]
    pub options: CheckoutOptions,
}

/// How the payer may pay, beside what and how much. What a provider does not have, it leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckoutOptions {
    /// Filled in on the provider's page, and where it sends its own receipt.
    pub payer_email: Option<String>,
    /// Whether the payer's bank is asked to make sure who pays (3-D Secure).
    pub authentication: Authentication,
    /// Payment methods that are not offered, in the provider's words.
    pub without_methods: Vec<String>,
    /// What stands on the payer's statement after the merchant's name.
    pub descriptor_suffix: Option<String>,
}

/// Whether the payer's bank is asked to make sure who pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// As the provider sees fit: by risk and by law.
    #[default]
    ByProvider,
    /// Always, where the payment method can.
    Always,
}

/// A refund, ready to be made at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundOrder {
    /// Travels in the provider's metadata.
    pub payment: PaymentId,
    /// Travels in the provider's metadata.
    pub refund: RefundId,
    /// Which capture the money goes back from.
    pub capture: CaptureId,
    /// How much; not more than what is left of the capture.
    pub amount: Money,
}

/// What the provider recognises a repeated call by: `till:pay_…:create:1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdemKey(String);

impl IdemKey {
    /// The key of creating checkout `n`.
    pub fn create(payment: PaymentId, n: u32) -> Self {
        Self(format!("till:{payment}:create:{n}"))
    }

    /// The key of closing checkout `n`.
    pub fn expire(payment: PaymentId, n: u32) -> Self {
        Self(format!("till:{payment}:expire:{n}"))
    }

    /// The key of taking the money of checkout `n`.
    pub fn capture(payment: PaymentId, n: u32) -> Self {
        Self(format!("till:{payment}:capture:{n}"))
    }

    /// The key of making `refund`.
    pub fn refund(payment: PaymentId, refund: RefundId) -> Self {
        Self(format!("till:{payment}:refund:{refund}"))
    }

    /// The key of showing something once: a card's first message, or the ping of a status.
    pub fn show(payment: PaymentId, what: &str) -> Self {
        Self(format!("till:{payment}:show:{what}"))
    }

    /// The text of the key; at most 120 characters of ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
