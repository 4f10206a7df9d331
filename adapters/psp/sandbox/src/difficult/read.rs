//! What the difficult sandbox says of an order, in Till's words: a report for everything that has a time of its own.

use super::wire;
use crate::read::{Told, dispute_state, refund_state, told};
use std::str::FromStr;
use till_core::id::{CaptureId, CheckoutId, DisputeId, PaymentId, PspRefundId, RefundId};
use till_core::money::Money;
use till_core::payment::CheckoutState;
use till_core::port::psp::{Fault, News, Reported};
use till_core::time::Timestamp;

/// Whether a `custom_id` is one of ours.
pub(crate) fn is_ours(custom_id: &str) -> bool {
    split::<u32>(Some(custom_id)).is_some()
}

/// An order by itself.
pub(crate) fn order(it: &wire::Order) -> Result<Reported, Fault> {
    let (payment, n) = split(it.custom_id.as_deref()).ok_or_else(no_reference)?;
    let state = match it.status.as_str() {
        "created" => CheckoutState::Open,
        "approved" => CheckoutState::Approved,
        "completed" => CheckoutState::CompletePaid,
        "expired" => CheckoutState::Expired,
        "failed" => CheckoutState::Failed,
        _ => CheckoutState::CompleteUnpaid,
    };
    let checkout = CheckoutId::new(&it.id);
    let mut news = vec![News::Checkout {
        checkout: checkout.clone(),
        n,
        state,
        amount: money(&it.amount)?,
        closes_at: it.expires_at_ms.map(Timestamp::from_ms),
        url: it.approve_url.clone().filter(|_| state == CheckoutState::Open),
    }];
    if state == CheckoutState::CompletePaid {
        let paid = it.capture.as_ref().ok_or_else(|| Fault::Unreadable("completed, and no capture".into()))?;
        news.push(News::Captured { capture: CaptureId::new(&paid.id), checkout, amount: money(&paid.amount)? });
    }
    Ok(of(it, &it.id, &it.status, it.updated_ms).of(payment, news))
}

/// An order and everything that hangs on it, in the order in which it can have happened; nothing of somebody else's.
pub(crate) fn whole(it: &wire::Order) -> Result<Vec<Reported>, Fault> {
    let Some((payment, n)) = split(it.custom_id.as_deref()) else { return Ok(Vec::new()) };
    let mut reports = Vec::new();
    for attempt in &it.attempts {
        let news = News::AttemptFailed { n, attempt: attempt.id.clone(), why: attempt.code.clone() };
        reports.push(of(it, &attempt.id, "failed", attempt.at_ms).of(payment, vec![news]));
    }
    reports.push(order(it)?);
    if let Some((paid, at)) = it.capture.as_ref().and_then(|paid| Some((paid, paid.reversed_ms?))) {
        let news = News::CaptureReversed { capture: CaptureId::new(&paid.id) };
        reports.push(of(it, &paid.id, "reversed", at).of(payment, vec![news]));
    }
    for refund in &it.refunds {
        reports.push(self::refund(refund)?);
    }
    for dispute in &it.disputes {
        let state = format!("{}.{}", dispute.status, dispute.moves);
        reports.push(of(it, &dispute.id, &state, dispute.updated_ms).of(payment, vec![dispute_news(dispute)?]));
    }
    Ok(reports)
}

/// A refund that was made or fetched.
pub(crate) fn refund(it: &wire::Refund) -> Result<Reported, Fault> {
    let ours = split::<RefundId>(it.custom_id.as_deref());
    let by_order = split::<u32>(it.order_custom_id.as_deref()).map(|(payment, _)| payment);
    let payment = ours.map(|(payment, _)| payment).or(by_order).ok_or_else(no_reference)?;
    let news = News::Refund {
        refund: PspRefundId::new(&it.id),
        ours: ours.map(|(_, refund)| refund),
        capture: CaptureId::new(&it.capture),
        amount: money(&it.amount)?,
        state: refund_state(&it.status),
    };
    Ok(told(&it.id, &it.status, it.updated_ms, &it.account, it.livemode).of(payment, vec![news]))
}

fn dispute_news(it: &wire::Dispute) -> Result<News, Fault> {
    Ok(News::Dispute {
        dispute: DisputeId::new(&it.id),
        capture: CaptureId::new(&it.capture),
        amount: money(&it.amount)?,
        state: dispute_state(&it.status),
        withdrawn: money(&it.withdrawn)?,
        moves: it.moves,
        answer_by: it.answer_by_ms.map(Timestamp::from_ms),
    })
}

fn of(it: &wire::Order, id: &str, state: &str, at_ms: i64) -> Told {
    told(id, state, at_ms, &it.account, it.livemode)
}

/// `pay_…:1`: the payment, and which of its checkouts or refunds.
fn split<T: FromStr>(custom_id: Option<&str>) -> Option<(PaymentId, T)> {
    let (payment, which) = custom_id?.split_once(':')?;
    Some((payment.parse().ok()?, which.parse().ok()?))
}

fn money(amount: &wire::Amount) -> Result<Money, Fault> {
    amount.money().ok_or_else(|| Fault::Unreadable("an amount that is none".into()))
}

fn no_reference() -> Fault {
    Fault::Unreadable("no reference of ours".into())
}
