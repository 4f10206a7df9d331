//! What the sandbox says, in Till's words.
//!
//! The time of a report is when the object last changed, by the sandbox's clock. Not when it was asked: a payment that
//! was made in time and found by polling after the deadline was in time. So an unchanged object always reads the same,
//! and a poll that finds nothing new makes no new fact.

use crate::wire;
use serde_json::Value;
use std::str::FromStr;
use till_core::id::{CaptureId, CheckoutId, DisputeId, PaymentId, PspRefundId};
use till_core::money::Money;
use till_core::payment::{CheckoutState, DisputeState, RefundState};
use till_core::port::psp::{About, Ask, Evidence, Fault, News, Reported};
use till_core::time::Timestamp;

/// A checkout that was created, closed or fetched.
pub(crate) fn checkout(it: &wire::Checkout) -> Result<Reported, Fault> {
    let state = match it.status.as_str() {
        "complete" => it.payment_status.as_str(),
        other => other,
    };
    let told = told(&it.id, state, it.updated_ms, &it.account, it.livemode);
    Ok(told.of(ours(&it.metadata)?, checkout_news(it)?))
}

/// A checkout that was fetched, and what became of its money since it was paid: that is a report of its own time.
pub(crate) fn whole(it: &wire::Checkout) -> Result<Vec<Reported>, Fault> {
    let mut reports = vec![checkout(it)?];
    if let Some((paid, at)) = it.payment.as_ref().and_then(|paid| Some((paid, paid.reversed_ms?))) {
        let news = News::CaptureReversed { capture: CaptureId::new(&paid.id) };
        reports.push(told(&paid.id, "reversed", at, &it.account, it.livemode).of(ours(&it.metadata)?, vec![news]));
    }
    Ok(reports)
}

/// A dispute that was fetched.
pub(crate) fn dispute(it: &wire::Dispute) -> Result<Reported, Fault> {
    let told = told(&it.id, &format!("{}.{}", it.status, it.moves), it.updated_ms, &it.account, it.livemode);
    let payment = label(&it.payment_metadata, "till_payment").ok_or_else(no_reference)?;
    Ok(told.of(payment, vec![dispute_news(it)?]))
}

/// A refund that was made or fetched.
pub(crate) fn refund(it: &wire::Refund) -> Result<Reported, Fault> {
    let told = told(&it.id, &it.status, it.updated_ms, &it.account, it.livemode);
    Ok(told.of(refund_payment(it).ok_or_else(no_reference)?, vec![refund_news(it)?]))
}

/// An event, listed or delivered.
pub(crate) fn event(it: &wire::Event) -> Result<Evidence, Fault> {
    let told = Told {
        event: it.id.clone(),
        as_of: Timestamp::from_ms(it.created_ms),
        account: it.account.clone(),
        livemode: it.livemode,
    };
    match it.kind.as_str() {
        "checkout.created"
        | "checkout.completed"
        | "checkout.expired"
        | "checkout.attempt_failed"
        | "checkout.debit_succeeded"
        | "checkout.debit_failed" => {
            let object: wire::Checkout = object(&it.data.object)?;
            let (Ok(payment), Some(n)) = (ours(&object.metadata), number(&object.metadata)) else {
                return Ok(Evidence::Foreign);
            };
            let mut news = checkout_news(&object)?;
            news.extend(it.data.attempt.as_ref().map(|attempt| News::AttemptFailed {
                n,
                attempt: attempt.id.clone(),
                why: attempt.code.clone(),
            }));
            Ok(Evidence::Facts(told.of(payment, news)))
        }
        "refund.pending" | "refund.succeeded" | "refund.failed" | "refund.canceled" | "refund.updated" => {
            let object: wire::Refund = object(&it.data.object)?;
            let Some(payment) = refund_payment(&object) else { return Ok(Evidence::Foreign) };
            Ok(Evidence::Facts(told.of(payment, vec![refund_news(&object)?])))
        }
        "payment.reversed" => {
            let object: wire::Payment = object(&it.data.object)?;
            let Some(payment) = label(&object.payment_metadata, "till_payment") else { return Ok(Evidence::Foreign) };
            if object.status != "reversed" {
                return Err(Fault::Unreadable(format!("reversed, and `{}`", object.status)));
            }
            let news = News::CaptureReversed { capture: CaptureId::new(&object.id) };
            Ok(Evidence::Facts(told.of(payment, vec![news])))
        }
        "dispute.created"
        | "dispute.updated"
        | "dispute.closed"
        | "dispute.funds_withdrawn"
        | "dispute.funds_reinstated" => {
            let object: wire::Dispute = object(&it.data.object)?;
            let Some(payment) = label(&object.payment_metadata, "till_payment") else { return Ok(Evidence::Foreign) };
            Ok(Evidence::Facts(told.of(payment, vec![dispute_news(&object)?])))
        }
        _ => Ok(match unknown(&it.data.object, told.as_of) {
            Some(ask) => Evidence::Hint { event: it.id.clone(), ask },
            None => Evidence::Foreign,
        }),
    }
}

/// When, and by whose word.
pub(crate) struct Told {
    event: String,
    as_of: Timestamp,
    account: String,
    livemode: bool,
}

/// An answer's word: it is named for the version that it shows.
pub(crate) fn told(id: &str, state: &str, updated_ms: i64, account: &str, livemode: bool) -> Told {
    Told {
        event: format!("fetch:{id}:{state}:{updated_ms}"),
        as_of: Timestamp::from_ms(updated_ms),
        account: account.to_owned(),
        livemode,
    }
}

impl Told {
    pub(crate) fn of(self, payment: PaymentId, news: Vec<News>) -> Reported {
        let Self { event, as_of, account: provider_account, livemode } = self;
        Reported { event, as_of, provider_account, livemode, about: About::Payment(payment), news }
    }
}

fn checkout_news(it: &wire::Checkout) -> Result<Vec<News>, Fault> {
    let state = match (it.status.as_str(), it.payment_status.as_str()) {
        ("open", _) => CheckoutState::Open,
        ("expired", _) => CheckoutState::Expired,
        ("complete", "paid") => CheckoutState::CompletePaid,
        ("complete", "failed") => CheckoutState::Failed,
        (_, _) => CheckoutState::CompleteUnpaid,
    };
    let checkout = CheckoutId::new(&it.id);
    let mut news = vec![News::Checkout {
        checkout: checkout.clone(),
        n: number(&it.metadata).ok_or_else(no_reference)?,
        state,
        amount: money(&it.amount)?,
        closes_at: it.expires_at_ms.map(Timestamp::from_ms),
        url: it.url.clone().filter(|_| state == CheckoutState::Open),
    }];
    if state == CheckoutState::CompletePaid {
        let paid = it.payment.as_ref().ok_or_else(|| Fault::Unreadable("paid, and no payment".into()))?;
        news.push(News::Captured { capture: CaptureId::new(&paid.id), checkout, amount: money(&paid.amount)? });
    }
    Ok(news)
}

fn refund_news(it: &wire::Refund) -> Result<News, Fault> {
    Ok(News::Refund {
        refund: PspRefundId::new(&it.id),
        ours: label(&it.metadata, "till_refund"),
        capture: CaptureId::new(&it.payment),
        amount: money(&it.amount)?,
        state: refund_state(&it.status),
    })
}

/// What is not known is on its way.
pub(crate) fn refund_state(word: &str) -> RefundState {
    match word {
        "succeeded" => RefundState::Succeeded,
        "failed" => RefundState::Failed,
        "canceled" => RefundState::Canceled,
        "requires_action" => RefundState::RequiresAction,
        _ => RefundState::Pending,
    }
}

fn dispute_news(it: &wire::Dispute) -> Result<News, Fault> {
    Ok(News::Dispute {
        dispute: DisputeId::new(&it.id),
        capture: CaptureId::new(&it.payment),
        amount: money(&it.amount)?,
        state: dispute_state(&it.status),
        withdrawn: money(&it.withdrawn)?,
        moves: it.moves,
        answer_by: it.answer_by_ms.map(Timestamp::from_ms),
    })
}

/// What is not known is being decided.
pub(crate) fn dispute_state(word: &str) -> DisputeState {
    match word {
        "warning_needs_response" => DisputeState::WarningNeedsResponse,
        "warning_under_review" => DisputeState::WarningUnderReview,
        "warning_closed" => DisputeState::WarningClosed,
        "needs_response" => DisputeState::NeedsResponse,
        "won" => DisputeState::Won,
        "lost" => DisputeState::Lost,
        "prevented" => DisputeState::Prevented,
        _ => DisputeState::UnderReview,
    }
}

/// What to fetch when an event's type is not known; none when it is not about us.
fn unknown(object: &Value, at: Timestamp) -> Option<Ask> {
    let labels = |field| serde_json::from_value::<wire::Labels>(object.get(field)?.clone()).ok();
    let own = labels("metadata").unwrap_or_default();
    if let (Some(payment), Some(refund)) = (label(&own, "till_payment"), label(&own, "till_refund")) {
        let capture = CaptureId::new(object.get("payment")?.as_str()?);
        return Some(Ask::RefundOf { payment, refund, capture });
    }
    // What hangs on a payment carries the metadata of its checkout: all that hangs there is looked up.
    let of_payment = labels("payment_metadata").unwrap_or_default();
    if label::<PaymentId>(&of_payment, "till_payment").is_some() {
        let capture = object.get("payment").or_else(|| object.get("id"))?;
        return Some(Ask::Capture(CaptureId::new(capture.as_str()?)));
    }
    Some(Ask::CheckoutOf { payment: label(&own, "till_payment")?, n: number(&own)?, since: at })
}

fn refund_payment(it: &wire::Refund) -> Option<PaymentId> {
    label(&it.metadata, "till_payment").or_else(|| label(&it.payment_metadata, "till_payment"))
}

fn ours(labels: &wire::Labels) -> Result<PaymentId, Fault> {
    label(labels, "till_payment").ok_or_else(no_reference)
}

/// Which of the payment's checkouts.
fn number(labels: &wire::Labels) -> Option<u32> {
    label(labels, "till_n")
}

/// A label of ours that reads as what it should be.
fn label<T: FromStr>(labels: &wire::Labels, name: &str) -> Option<T> {
    labels.get(name)?.as_str()?.parse().ok()
}

fn money(amount: &wire::Amount) -> Result<Money, Fault> {
    amount.money().ok_or_else(|| Fault::Unreadable("amount in an unknown currency".into()))
}

fn object<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    T::deserialize(value).map_err(|why| Fault::Unreadable(why.to_string()))
}

fn no_reference() -> Fault {
    Fault::Unreadable("no reference of ours".into())
}
