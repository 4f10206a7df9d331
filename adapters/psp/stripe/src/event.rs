//! Stripe's events as evidence: facts where the snapshot is whole, a hint where it is not, or somebody else's.
//!
//! ```text
//! checkout.session.*               our reference in metadata and client_reference_id
//! payment_intent.payment_failed    our reference in metadata: a decline
//! charge.refunded                  our reference in metadata: a sum to compare
//! refund.* · charge.dispute.* · radar.early_fraud_warning.* · review.*      name the payment intent alone
//! account.application.deauthorized
//! v2.core.event                    thin: a pointer
//! ```
//! A snapshot that this version cannot read is a hint to fetch. Source: stripe-node, `Events.ts`.

use crate::read::{self, Ours};
use crate::wire::{Any, Charge, Dispute, Event, FraudWarning, Intent, Ref, Refund, Review, Session, Thin};
use crate::{VERSION, call};
use serde::de::DeserializeOwned;
use serde_json::Value;
use till_core::id::{CaptureId, CheckoutId, PaymentId};
use till_core::payment::{CheckoutState, ReviewState};
use till_core::port::psp::{About, Access, Account, Ask, Evidence, Fault, News, Reported};
use till_core::time::Timestamp;

/// What Till listens to: the endpoint is made with these, and the event list is asked for these.
pub(crate) const KINDS: [&str; 18] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "radar.early_fraud_warning.created",
    "review.opened",
    "review.closed",
    DEAUTHORIZED,
];
/// What an endpoint that listens to everything is told as well, and the events above say too.
const SAY_NOTHING_MORE: [&str; 13] = [
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.partially_funded",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "charge.captured",
    "charge.expired",
    "charge.failed",
    "charge.pending",
    "charge.succeeded",
    "charge.updated",
];
/// Told by a platform's endpoint when a merchant takes its access away.
pub(crate) const DEAUTHORIZED: &str = "account.application.deauthorized";

/// Reads a delivery's body: a snapshot event, or a thin one.
///
/// # Errors
/// [`Fault::Unreadable`]: no event at all.
pub(crate) fn delivered(body: &[u8], at: &Account) -> Result<Evidence, Fault> {
    let whole: Value = serde_json::from_slice(body).map_err(call::unreadable)?;
    if whole["object"] == "v2.core.event" {
        let thin: Thin = object(&whole)?;
        return Ok(thin_hint(&thin));
    }
    Ok(evidence(&object(&whole)?, at))
}

/// What an event gives.
pub(crate) fn evidence(it: &Event, at: &Account) -> Evidence {
    let found = read_event(it, at).unwrap_or_else(|fault| {
        tracing::warn!(event = it.id, %fault, "event {} is fetched, since it cannot be read: {fault}", it.id);
        hint(it).or_else(|| hint_of_money(it)).unwrap_or(Evidence::Foreign)
    });
    if found != Evidence::Foreign && it.api_version.as_deref() != Some(VERSION) {
        let version = it.api_version.as_deref().unwrap_or("none");
        tracing::info!(event = it.id, version, "event {} is of API version {version}, not {VERSION}", it.id);
    }
    found
}

/// When, and by whose word.
struct Told<'a> {
    it: &'a Event,
    provider_account: String,
}

impl Told<'_> {
    fn facts(&self, about: About, news: Vec<News>) -> Evidence {
        Evidence::Facts(Reported {
            event: self.it.id.clone(),
            as_of: Timestamp::from_secs(self.it.created),
            provider_account: self.provider_account.clone(),
            livemode: self.it.livemode,
            about,
            news,
        })
    }

    /// About money of this account, which may be ours. Of another one it carries no reference that says so.
    fn of_capture(&self, at: &Account, capture: &str, news: Vec<News>) -> Evidence {
        if self.provider_account != at.provider_account {
            return Evidence::Foreign;
        }
        self.facts(About::Capture(CaptureId::new(capture)), news)
    }
}

fn read_event(it: &Event, at: &Account) -> Result<Evidence, Fault> {
    let told = Told { it, provider_account: provider_account(it, at) };
    let snapshot = &it.data.object;
    match it.kind.as_str() {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed"
        | "checkout.session.expired" => session(&told, &object(snapshot)?),
        "payment_intent.payment_failed" => Ok(declined(&told, &object(snapshot)?)),
        "charge.refunded" => refunded_sum(&told, &object(snapshot)?),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            refund(&told, at, &object(snapshot)?)
        }
        kind if kind.starts_with("charge.dispute.") => {
            let dispute: Dispute = object(snapshot)?;
            let Some(news) = read::dispute_news(&dispute)? else { return Ok(Evidence::Foreign) };
            Ok(money_of(dispute.payment_intent.as_ref(), |id| told.of_capture(at, id, vec![news])))
        }
        "radar.early_fraud_warning.created" => {
            let warning: FraudWarning = object(snapshot)?;
            let news = |id: &str| News::FraudWarning {
                warning: warning.id.clone(),
                capture: CaptureId::new(id),
                why: warning.fraud_type.clone(),
            };
            Ok(money_of(warning.payment_intent.as_ref(), |id| told.of_capture(at, id, vec![news(id)])))
        }
        "review.opened" | "review.closed" => {
            let review: Review = object(snapshot)?;
            let news = |id: &str| News::Review {
                review: review.id.clone(),
                capture: CaptureId::new(id),
                state: if review.open { ReviewState::Open } else { ReviewState::Closed },
                why: review.reason.clone(),
            };
            Ok(money_of(review.payment_intent.as_ref(), |id| told.of_capture(at, id, vec![news(id)])))
        }
        DEAUTHORIZED if at.access == Access::Connected => {
            Ok(Evidence::AccessLost { provider_account: told.provider_account, livemode: it.livemode })
        }
        kind if SAY_NOTHING_MORE.contains(&kind) => Ok(Evidence::Foreign),
        // Of a kind that we did not ask for: what carries our reference is looked at, the rest is not about us.
        _ => Ok(hint(it).unwrap_or(Evidence::Foreign)),
    }
}

/// Whose event it is. An endpoint of a platform is told of the platform's own events without an account.
fn provider_account(it: &Event, at: &Account) -> String {
    match (&it.account, at.access) {
        (Some(account), _) => account.clone(),
        (None, Access::Own) => at.provider_account.clone(),
        (None, Access::Connected) => "platform".into(),
    }
}

fn session(told: &Told<'_>, it: &Session) -> Result<Evidence, Fault> {
    let Some(ours) = it.ours() else { return Ok(Evidence::Foreign) };
    let state = match told.it.kind.as_str() {
        // A debit that failed leaves the same fields as one under way.
        "checkout.session.async_payment_failed" => CheckoutState::Failed,
        _ => it.state(),
    };
    Ok(told.facts(About::Payment(ours.payment), it.news(ours, state)?))
}

fn declined(told: &Told<'_>, it: &Intent) -> Evidence {
    let Some(Ours { payment, n }) = read::ours(it.metadata.as_ref()) else { return Evidence::Foreign };
    let error = it.last_payment_error.as_ref();
    let charge = error.and_then(|error| error.charge.clone());
    let latest = || match it.latest_charge.as_ref()? {
        Ref::Id(id) => Some(id.clone()),
        Ref::Object(charge) => Some(charge.id.clone()),
    };
    let why = error.and_then(|error| error.decline_code.clone().or_else(|| error.code.clone()));
    let news = News::AttemptFailed {
        n,
        attempt: charge.or_else(latest).unwrap_or_else(|| told.it.id.clone()),
        why: why.unwrap_or_else(|| "declined".into()),
    };
    told.facts(About::Payment(payment), vec![news])
}

fn refunded_sum(told: &Told<'_>, it: &Charge) -> Result<Evidence, Fault> {
    let payment: Option<PaymentId> = read::label(it.metadata.as_ref(), "till_payment");
    let (Some(payment), Some(intent)) = (payment, &it.payment_intent) else { return Ok(Evidence::Foreign) };
    let amount = read::money(it.amount_refunded, &it.currency)?;
    let news = News::RefundedSum { capture: CaptureId::new(intent.id()), amount };
    Ok(told.facts(About::Payment(payment), vec![news]))
}

/// One that we asked for says so; one from the dashboard names the payment intent alone.
fn refund(told: &Told<'_>, at: &Account, it: &Refund) -> Result<Evidence, Fault> {
    let Some(news) = read::refund_news(it)? else { return Ok(Evidence::Foreign) };
    if let Some(payment) = read::label(it.metadata.as_ref(), "till_payment") {
        return Ok(told.facts(About::Payment(payment), vec![news]));
    }
    Ok(money_of(it.payment_intent.as_ref(), |id| told.of_capture(at, id, vec![news])))
}

/// What hangs on no payment intent cannot be ours: a Checkout Session always has one.
fn money_of(intent: Option<&Ref<Any>>, evidence: impl FnOnce(&str) -> Evidence) -> Evidence {
    intent.map_or(Evidence::Foreign, |intent| evidence(intent.id()))
}

/// What to fetch for a snapshot that is not read; none when nothing in it points to us.
fn hint(it: &Event) -> Option<Evidence> {
    let snapshot = &it.data.object;
    let text = |name: &str| snapshot.get(name).and_then(Value::as_str);
    let ours = snapshot.get("metadata").is_some_and(|labels| labels.get("till_payment").is_some());
    let ask = match text("object")? {
        "checkout.session" if ours => Ask::Checkout(CheckoutId::new(text("id")?)),
        "payment_intent" if ours => Ask::Capture(CaptureId::new(text("id")?)),
        "charge" | "refund" if ours => Ask::Capture(CaptureId::new(text("payment_intent")?)),
        _ => return None,
    };
    Some(Evidence::Hint { event: it.id.clone(), ask })
}

/// What to fetch for a snapshot that is not read, of what hangs on money and does not say whose that is.
fn hint_of_money(it: &Event) -> Option<Evidence> {
    let text = |name: &str| it.data.object.get(name).and_then(Value::as_str);
    let hangs = matches!(text("object")?, "refund" | "dispute" | "review" | "radar.early_fraud_warning");
    let ask = Ask::Capture(CaptureId::new(text("payment_intent").filter(|_| hangs)?));
    Some(Evidence::Hint { event: it.id.clone(), ask })
}

fn thin_hint(it: &Thin) -> Evidence {
    let ask = it.related_object.as_ref().and_then(|related| match related.kind.as_str() {
        "checkout.session" => Some(Ask::Checkout(CheckoutId::new(&related.id))),
        "payment_intent" => Some(Ask::Capture(CaptureId::new(&related.id))),
        _ => None,
    });
    ask.map_or(Evidence::Foreign, |ask| Evidence::Hint { event: it.id.clone(), ask })
}

fn object<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    T::deserialize(value).map_err(call::unreadable)
}
