//! Stripe's JSON, as much of it as is read. Whatever else is there, of today's version or another, is ignored.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Texts that Till attached, and whatever else is there.
pub(crate) type Labels = BTreeMap<String, String>;

/// A reference to an object: its id, or where it was asked for, the object.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Ref<T> {
    Id(String),
    Object(Box<T>),
}

/// An object of any kind, for its id.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Any {
    pub(crate) id: String,
}

impl Ref<Any> {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(object) => &object.id,
        }
    }
}

impl Ref<Intent> {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(intent) => &intent.id,
        }
    }

    /// The object, where it was asked for.
    pub(crate) fn object(&self) -> Option<&Intent> {
        match self {
            Self::Id(_) => None,
            Self::Object(intent) => Some(intent),
        }
    }
}

/// `checkout.session`
#[derive(Debug, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) livemode: bool,
    pub(crate) created: i64,
    pub(crate) expires_at: Option<i64>,
    /// `open`, `complete` or `expired`.
    pub(crate) status: Option<String>,
    /// `paid`, `unpaid` or `no_payment_required`.
    #[serde(default)]
    pub(crate) payment_status: String,
    pub(crate) amount_total: Option<i64>,
    pub(crate) currency: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) client_reference_id: Option<String>,
    #[serde(default)]
    pub(crate) metadata: Option<Labels>,
    pub(crate) payment_intent: Option<Ref<Intent>>,
}

/// `payment_intent`
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Intent {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) metadata: Option<Labels>,
    pub(crate) latest_charge: Option<Ref<Charge>>,
    pub(crate) last_payment_error: Option<PaymentError>,
}

/// Why the last try of a payment intent failed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PaymentError {
    pub(crate) code: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) charge: Option<String>,
}

/// `charge`
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) currency: String,
    #[serde(default)]
    pub(crate) amount_refunded: i64,
    #[serde(default)]
    pub(crate) metadata: Option<Labels>,
    pub(crate) payment_intent: Option<Ref<Any>>,
}

/// `refund`. It does not say its mode.
#[derive(Debug, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) created: i64,
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) metadata: Option<Labels>,
    pub(crate) payment_intent: Option<Ref<Any>>,
}

/// `dispute`
#[derive(Debug, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: String,
    pub(crate) created: i64,
    pub(crate) payment_intent: Option<Ref<Any>>,
    #[serde(default)]
    pub(crate) balance_transactions: Vec<Move>,
    pub(crate) evidence_details: Option<EvidenceDetails>,
}

/// Money that was moved for a dispute: below zero when it was taken.
#[derive(Debug, Deserialize)]
pub(crate) struct Move {
    pub(crate) amount: i64,
}

/// Until when a dispute must be answered.
#[derive(Debug, Deserialize)]
pub(crate) struct EvidenceDetails {
    pub(crate) due_by: Option<i64>,
}

/// `radar.early_fraud_warning`
#[derive(Debug, Deserialize)]
pub(crate) struct FraudWarning {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) fraud_type: String,
    pub(crate) payment_intent: Option<Ref<Any>>,
}

/// `review`
#[derive(Debug, Deserialize)]
pub(crate) struct Review {
    pub(crate) id: String,
    pub(crate) open: bool,
    #[serde(default)]
    pub(crate) reason: String,
    pub(crate) payment_intent: Option<Ref<Any>>,
}

/// A list, newest first.
#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    #[serde(default)]
    pub(crate) has_more: bool,
}

/// An event, as listed and as delivered.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) created: i64,
    pub(crate) livemode: bool,
    /// The connected account that it happened at.
    pub(crate) account: Option<String>,
    pub(crate) api_version: Option<String>,
    /// Endpoints that have not accepted it yet.
    #[serde(default)]
    pub(crate) pending_webhooks: u32,
    pub(crate) data: EventData,
}

/// What an event is about; read once the type is known.
#[derive(Debug, Deserialize)]
pub(crate) struct EventData {
    pub(crate) object: serde_json::Value,
}

/// A thin event: only a pointer.
#[derive(Debug, Deserialize)]
pub(crate) struct Thin {
    pub(crate) id: String,
    pub(crate) related_object: Option<Related>,
}

/// What a thin event points to.
#[derive(Debug, Deserialize)]
pub(crate) struct Related {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// `account`
#[derive(Debug, Deserialize)]
pub(crate) struct OwnAccount {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) charges_enabled: bool,
}

/// `webhook_endpoint`; without `Debug`, since it may hold a secret.
#[derive(Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) enabled_events: Vec<String>,
    pub(crate) api_version: Option<String>,
    /// Only in the answer that made it.
    pub(crate) secret: Option<String>,
}
