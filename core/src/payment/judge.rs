//! What a provider says, held against what was asked: facts where it fits, a mismatch where it does not.
//!
//! A verified event is evidence, not an order. Whether it is from our account and mode is settled before this is
//! called: such an event never becomes a fact.

use super::fact::{AMOUNT_DIFFERS, CheckoutState, Fact, Lasting, MismatchKind, Seen};
use super::ledger::Payment;
use crate::money::Money;
use crate::port::psp::{AmountBy, Ask, News, Reported};

/// The facts that a report makes about this payment; facts that are known already are among them.
pub fn judge(payment: &Payment, report: &Reported, amount_by: AmountBy) -> Vec<Fact> {
    let seen = Seen { as_of: report.as_of, event: report.event.clone() };
    let mut facts = Vec::new();
    for news in &report.news {
        match news {
            News::Checkout { checkout, n, state, amount, closes_at, url: _ } => {
                // Asked for another amount than we wanted: nobody may be sent there, and it will be closed.
                let asked = payment.checkouts.get(n).and_then(|known| known.amount);
                if *state == CheckoutState::Open
                    && amount_by == AmountBy::Checkout
                    && asked.is_some_and(|asked| asked != *amount)
                {
                    let why = AMOUNT_DIFFERS.to_owned();
                    facts.push(Fact::CheckoutRefused { n: *n, why, lasting: Lasting::ForGood });
                }
                facts.push(Fact::CheckoutSeen {
                    checkout: checkout.clone(),
                    n: *n,
                    state: *state,
                    closes_at: *closes_at,
                    seen: seen.clone(),
                });
            }
            News::Captured { capture, checkout, amount } => {
                facts.push(Fact::Captured {
                    capture: capture.clone(),
                    checkout: checkout.clone(),
                    amount: *amount,
                    as_of: report.as_of,
                });
                let asked = asked_by_checkout(payment, report, checkout);
                if let Some(kind) = misfit(payment, asked, *amount, amount_by) {
                    facts.push(Fact::Mismatch { id: format!("capture/{capture}"), kind, capture: capture.clone() });
                }
            }
            News::CaptureReversed { capture } => {
                facts.push(Fact::CaptureReversed { capture: capture.clone(), as_of: report.as_of });
            }
            News::AttemptFailed { n, attempt, why } => {
                // A payer has the address of a checkout only after its answer was kept, so its id is known.
                let checkout = payment.checkouts.get(n).and_then(|known| known.seen.as_ref());
                facts.extend(checkout.map(|(checkout, ..)| Fact::AttemptFailed {
                    checkout: checkout.clone(),
                    attempt: attempt.clone(),
                    why: why.clone(),
                    as_of: report.as_of,
                }));
            }
            News::Refund { refund, ours, capture, amount, state } => facts.push(Fact::RefundSeen {
                refund: refund.clone(),
                ours: *ours,
                capture: capture.clone(),
                amount: *amount,
                state: *state,
                seen: seen.clone(),
            }),
            News::Dispute { dispute, capture, amount, state, withdrawn, moves, answer_by } => {
                facts.push(Fact::DisputeSeen {
                    dispute: dispute.clone(),
                    capture: capture.clone(),
                    amount: *amount,
                    state: *state,
                    withdrawn: *withdrawn,
                    moves: *moves,
                    answer_by: *answer_by,
                    seen: seen.clone(),
                })
            }
            News::RefundedSum { .. } => {}
            News::FraudWarning { warning, capture, why } => facts.push(Fact::FraudWarned {
                warning: warning.clone(),
                capture: capture.clone(),
                why: why.clone(),
                as_of: report.as_of,
            }),
            News::Review { review, capture, state, why } => facts.push(Fact::ReviewSeen {
                review: review.clone(),
                capture: capture.clone(),
                state: *state,
                why: why.clone(),
                seen: seen.clone(),
            }),
        }
    }
    facts
}

/// What must be fetched, since the report's sum of refunds is not that of the refunds that are known.
pub fn disagrees(payment: &Payment, report: &Reported) -> Option<Ask> {
    report.news.iter().find_map(|news| match news {
        News::RefundedSum { capture, amount } => {
            let known = payment.captures.contains_key(capture).then(|| payment.gone_back(capture))?;
            (known != *amount).then(|| Ask::Capture(capture.clone()))
        }
        News::Checkout { .. }
        | News::Captured { .. }
        | News::CaptureReversed { .. }
        | News::AttemptFailed { .. }
        | News::Refund { .. }
        | News::Dispute { .. }
        | News::FraudWarning { .. }
        | News::Review { .. } => None,
    })
}

/// What the checkout of a capture asked for: by the number in the same report, else by the known checkout of that id.
fn asked_by_checkout(payment: &Payment, report: &Reported, id: &crate::id::CheckoutId) -> Option<Money> {
    let told = report.news.iter().find_map(|news| match news {
        News::Checkout { checkout, n, .. } if checkout == id => Some(*n),
        News::Checkout { .. }
        | News::Captured { .. }
        | News::CaptureReversed { .. }
        | News::AttemptFailed { .. }
        | News::Refund { .. }
        | News::Dispute { .. }
        | News::RefundedSum { .. }
        | News::FraudWarning { .. }
        | News::Review { .. } => None,
    });
    let known = || payment.checkouts.iter().find(|(_, it)| it.seen.as_ref().is_some_and(|(known, ..)| known == id));
    let n = told.or_else(|| known().map(|(n, _)| *n))?;
    payment.checkouts.get(&n)?.amount
}

fn misfit(payment: &Payment, asked: Option<Money>, amount: Money, by: AmountBy) -> Option<MismatchKind> {
    match (asked, by) {
        _ if amount.currency() != payment.amount.currency() => Some(MismatchKind::Currency),
        (None, _) => Some(MismatchKind::Checkout),
        (Some(asked), AmountBy::Checkout) if asked != amount => Some(MismatchKind::Amount),
        (Some(_), AmountBy::Checkout | AmountBy::Payer) => None,
    }
}
