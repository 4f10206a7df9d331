//! What the sandbox says, in Till's words.
//!
//! The time of a report is when the object last changed, by the sandbox's clock. Not when it was asked: a payment that
//! was made in time and found by polling after the deadline was in time. So an unchanged object always reads the same,
//! and a poll that finds nothing new makes no new fact.

use crate::wire;
use serde_json::Value;
use std::str::FromStr;
use till_core::id::{CaptureId, CheckoutId, PaymentId, PspRefundId};
use till_core::money::Money;
use till_core::payment::{CheckoutState, RefundState};
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
        "checkout.created" | "checkout.completed" | "checkout.expired" | "checkout.attempt_failed" => {
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
        "refund.pending" | "refund.succeeded" | "refund.failed" | "refund.canceled" => {
            let object: wire::Refund = object(&it.data.object)?;
            let Some(payment) = refund_payment(&object) else { return Ok(Evidence::Foreign) };
            Ok(Evidence::Facts(told.of(payment, vec![refund_news(&object)?])))
        }
        _ => Ok(match unknown(&it.data.object, told.as_of) {
            Some(ask) => Evidence::Hint { event: it.id.clone(), ask },
            None => Evidence::Foreign,
        }),
    }
}

/// When, and by whose word.
struct Told {
    event: String,
    as_of: Timestamp,
    account: String,
    livemode: bool,
}

fn told(id: &str, state: &str, updated_ms: i64, account: &str, livemode: bool) -> Told {
    Told {
        event: format!("fetch:{id}:{state}:{updated_ms}"),
        as_of: Timestamp::from_ms(updated_ms),
        account: account.to_owned(),
        livemode,
    }
}

impl Told {
    fn of(self, payment: PaymentId, news: Vec<News>) -> Reported {
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
        state: match it.status.as_str() {
            "succeeded" => RefundState::Succeeded,
            "failed" => RefundState::Failed,
            "canceled" => RefundState::Canceled,
            "requires_action" => RefundState::RequiresAction,
            _ => RefundState::Pending,
        },
    })
}

/// What to fetch when an event's type is not known; none when it is not about us.
fn unknown(object: &Value, at: Timestamp) -> Option<Ask> {
    let labels: wire::Labels = serde_json::from_value(object.get("metadata")?.clone()).ok()?;
    let payment: PaymentId = label(&labels, "till_payment")?;
    if let Some(refund) = label(&labels, "till_refund") {
        let capture = CaptureId::new(object.get("payment")?.as_str()?);
        return Some(Ask::RefundOf { payment, refund, capture });
    }
    Some(Ask::CheckoutOf { payment, n: number(&labels)?, since: at })
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
