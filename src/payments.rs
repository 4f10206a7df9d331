//! Payments as the host reads them: a list, and one payment with its facts as a timeline.

use crate::assemble::{StartError, merchant_id};
use std::fmt::Write as _;
use till_core::id::Code;
use till_core::payment::{Fact, Payment};
use till_core::port::store::{ListFilter, Store, StoreError, Stored};
use till_core::text::Locale;

/// The newest payments, a line each.
///
/// # Errors
/// [`StoreError`].
pub async fn list(store: &dyn Store, filter: &ListFilter, json: bool) -> Result<String, StoreError> {
    let mut text = String::new();
    for it in store.payments(&merchant_id(), filter).await? {
        let _ = if json {
            let line = serde_json::json!({
                "id": it.id, "code": it.code, "status": it.status, "amount": it.amount,
                "created_at": it.created_at.to_string(), "what": it.what,
            });
            writeln!(text, "{line}")
        } else {
            writeln!(
                text,
                "{}  {:<19} {:>16}  {}  {}",
                it.code,
                it.status,
                it.amount.to_string(),
                it.created_at.precise(),
                it.what
            )
        };
    }
    if text.is_empty() && !json {
        text.push_str("No payments yet.\n");
    }
    Ok(text)
}

/// One payment with everything that happened to it.
///
/// # Errors
/// [`StartError`]: no such payment, or the store failed.
pub async fn show(store: &dyn Store, code: &str, locale: &Locale, json: bool) -> Result<String, StartError> {
    let code: Code = code.parse().map_err(|bad: till_core::id::NotAnId| StartError::Typed(bad.to_string()))?;
    let merchant = merchant_id();
    let stored = match store.payment_by_code(&merchant, code).await? {
        Some(id) => store.payment(&merchant, id).await?,
        None => None,
    };
    let stored = stored.ok_or_else(|| StartError::Typed(format!("`{code}` names no payment here")))?;
    let facts: Vec<&Fact> = stored.facts.iter().map(|(_, fact)| fact).collect();
    let payment =
        Payment::of(facts).ok_or_else(|| StartError::Typed(format!("`{code}` has no request among its facts")))?;
    Ok(if json { as_json(&stored, &payment) } else { as_text(&stored, &payment, locale) })
}

fn as_json(stored: &Stored, payment: &Payment) -> String {
    let sums = payment.sums();
    let facts: Vec<_> = stored
        .facts
        .iter()
        .map(|(at, fact)| serde_json::json!({ "written_at": at.to_string(), "key": fact.key(), "fact": fact }))
        .collect();
    let all = serde_json::json!({
        "id": stored.id, "code": stored.code, "status": payment.status(), "amount": payment.amount,
        "captured_minor": sums.captured, "refunded_minor": sums.refunded, "reserved_minor": sums.reserved,
        "withheld_minor": sums.withheld,
        "created_at": stored.created_at.to_string(), "deadline": payment.deadline.to_string(),
        "place": stored.place, "wording": stored.wording, "facts": facts,
    });
    format!("{all}\n")
}

fn as_text(stored: &Stored, payment: &Payment, locale: &Locale) -> String {
    let sums = payment.sums();
    let money = |minor| sums.money(minor).text(locale);
    let mut text = String::new();
    let mut row = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<10} {value}");
    };
    row("payment", format!("{} ({})", stored.code, stored.id));
    row("status", payment.status().to_string());
    row("asked", payment.amount.text(locale));
    row("captured", money(sums.captured));
    row("refunded", money(sums.refunded));
    row("for", stored.wording.summary());
    row("by", payment.asked_by.to_string());
    row("where", stored.place.to_string());
    row("until", payment.deadline.text());
    text.push('\n');
    // An answer is written with the time of its call, so a webhook may have overtaken it.
    let mut facts: Vec<_> = stored.facts.iter().collect();
    facts.sort_by_key(|(at, _)| *at);
    for (at, fact) in facts {
        let _ = writeln!(text, "{}  {}", at.precise(), line(fact));
    }
    text
}

/// One fact in a line: what happened, and what the provider calls it.
fn line(fact: &Fact) -> String {
    match fact {
        Fact::Requested { amount, by, .. } => format!("{by} asked for {amount}"),
        Fact::ApprovalDecided { by, answer, .. } => format!("{by} decided about the approval: {answer:?}"),
        Fact::CheckoutAsked { n, amount } => format!("checkout {n} wanted, for {amount}"),
        Fact::CheckoutRefused { n, why, .. } => format!("checkout {n} refused: {why}"),
        Fact::CheckoutDropped { n } => format!("checkout {n} dropped, never sent"),
        Fact::CheckoutSeen { checkout, n, state, seen, .. } => {
            format!("checkout {n} is {state:?} ({checkout}, {} of {})", seen.event, seen.as_of)
        }
        Fact::CheckoutLeft { checkout } => format!("nobody is sent to {checkout} any more"),
        Fact::LinkOpened { k } => format!("pay page opened, {k}. time"),
        Fact::AttemptFailed { checkout, why, .. } => format!("declined at {checkout}: {why}"),
        Fact::Captured { capture, amount, as_of, .. } => format!("{amount} arrived ({capture}, {as_of})"),
        Fact::CaptureReversed { capture, .. } => format!("the bank took {capture} back"),
        Fact::Mismatch { id, kind, .. } => format!("does not fit: {id} ({kind:?})"),
        Fact::CancelAsked { by } => format!("{by} cancelled"),
        Fact::Extended { until, by } => format!("{by} moved the deadline to {until}"),
        Fact::DeadlinePassed { deadline } => format!("the deadline {deadline} passed"),
        Fact::LateDecided { capture, by, answer } => format!("{by} decided about late {capture}: {answer:?}"),
        Fact::RefundAsked { id, amount, by, .. } => format!("{by} asked for a refund of {amount} ({id})"),
        Fact::RefundApproved { id, by } => format!("{by} approved refund {id}"),
        Fact::RefundRefused { id, why } => format!("refund {id} refused: {why}"),
        Fact::RefundSeen { refund, amount, state, .. } => format!("refund of {amount} is {state:?} ({refund})"),
        Fact::DisputeSeen { dispute, amount, state, .. } => format!("dispute over {amount} is {state:?} ({dispute})"),
        Fact::FraudWarned { warning, why, .. } => format!("the card's network warns of fraud: {why} ({warning})"),
        Fact::ReviewSeen { review, state, why, .. } => format!("review at the provider is {state:?}: {why} ({review})"),
        Fact::ReviewResolved { id, by, answer } => format!("{by} decided about {id}: {answer:?}"),
    }
}
