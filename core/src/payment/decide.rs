//! Decisions: a wish, held against the facts and the policy, gives new facts or a refusal that says what to do.
//!
//! Deliberately absent: the store. Whoever commits a decision names the version it was taken on; if that moved,
//! the decision is taken anew.

use super::fact::{Answer, Approval, Fact};
use super::ledger::Payment;
use super::status::{Act, Status};
use crate::command::EXPIRES_MAX;
use crate::id::{CaptureId, Code, RefundId};
use crate::money::Money;
use crate::place::PersonId;
use crate::text::Locale;
use crate::time::Timestamp;
use std::time::Duration;

/// How long a payment can be paid when the command does not say.
pub const LIFE: Duration = Duration::from_secs(24 * 3600);

/// A request for money, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Until when it can be paid.
    pub deadline: Timestamp,
    /// The request and the first checkout.
    pub facts: Vec<Fact>,
}

/// A wish about a payment, granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to add.
    pub facts: Vec<Fact>,
    /// What to add to the totals of the person's and the merchant's day.
    pub money_out: Option<Money>,
}

/// Limits, one amount per currency. For money out, a currency without a limit is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What one person may ask for without a second one's consent; where none is set, anything.
    pub ask_alone: Vec<Money>,
    /// What one person may refund at once.
    pub refund_alone: Vec<Money>,
    /// What one person may refund in a day (UTC).
    pub refund_person_day: Vec<Money>,
    /// What all staff may refund in a day (UTC).
    pub refund_merchant_day: Vec<Money>,
}

/// What went out today already, in minor units of the payment's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutToday {
    /// By this person.
    pub person: i64,
    /// By all staff.
    pub merchant: i64,
}

/// Why a wish is not granted, for the person who has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such payment here.
    #[error("no payment `{0}`")]
    Unknown(String),
    /// The status does not allow it.
    #[error("cannot {act:?} while {status}")]
    Status {
        /// What was wanted.
        act: Act,
        /// What it is.
        status: Status,
    },
    /// More than what is left.
    #[error("at most {most} can be refunded")]
    TooMuch {
        /// What is left.
        most: Money,
    },
    /// The payment is in another currency.
    #[error("the payment is in {0}")]
    Currency(crate::money::Currency),
    /// Above what one person may send back.
    #[error("one person may refund at most {most}")]
    Alone {
        /// The limit.
        most: Money,
    },
    /// Above what may be sent back in a day.
    #[error("at most {most} may be refunded in a day")]
    Day {
        /// The limit.
        most: Money,
    },
    /// Who asked cannot be the second person.
    #[error("somebody else must agree")]
    OwnRequest,
    /// Nobody can tell whether the second person is another one.
    #[error("somebody on the same platform must agree")]
    OtherPlatform,
    /// What stood on the card is not what there is to decide now.
    #[error("it has changed")]
    Changed,
    /// Further away than a payment can be open.
    #[error("a payment can be open until {most} at most")]
    TooFar {
        /// The latest deadline.
        most: Timestamp,
    },
    /// Money in another currency cannot count.
    #[error("{came} cannot count for a payment in another currency")]
    OtherCurrency {
        /// What came.
        came: Money,
    },
    /// No limit is set for the currency.
    #[error("no refund limit is set for {0}")]
    NoLimit(crate::money::Currency),
    /// Only staff may.
    #[error("only staff may do this")]
    NotStaff,
}

impl Refusal {
    /// The sentence for the person, with the next step.
    pub fn say(&self, locale: &Locale) -> String {
        let money = |amount: &Money| amount.text(locale);
        match self {
            Self::Unknown(code) => locale.say("refuse-unknown", &[("code", code)]),
            Self::Status { act, status } => {
                let act = locale.say(&format!("act-{}", act.name()), &[]);
                let is = locale.say(&format!("status-{}", status.name()), &[]);
                let hint = format!("refuse-hint-{}", status.name());
                let hint = if locale.has(&hint) { locale.say(&hint, &[]) } else { String::new() };
                format!("{} {hint}", locale.say("refuse-status", &[("act", &act), ("status", &is)]))
                    .trim_end()
                    .to_owned()
            }
            Self::TooMuch { most } if most.is_zero() => locale.say("refuse-nothing-left", &[]),
            Self::TooMuch { most } => locale.say("refuse-too-much", &[("most", &money(most))]),
            Self::Currency(currency) => locale.say("refuse-currency", &[("currency", currency.code())]),
            Self::Alone { most } => locale.say("refuse-alone", &[("most", &money(most))]),
            Self::Day { most } => locale.say("refuse-day", &[("most", &money(most))]),
            Self::Changed => locale.say("refuse-changed", &[]),
            Self::OtherPlatform => locale.say("refuse-other-platform", &[]),
            Self::OwnRequest => locale.say("refuse-own-request", &[]),
            Self::TooFar { most } => locale.say("refuse-too-far", &[("most", &most.text())]),
            Self::OtherCurrency { came } => locale.say("refuse-other-currency", &[("came", &money(came))]),
            Self::NoLimit(currency) => locale.say("refuse-no-limit", &[("currency", currency.code())]),
            Self::NotStaff => locale.say("refuse-not-staff", &[]),
        }
    }
}

/// Staff ask for money: the request, and the checkout it needs, unless a second person must agree first.
pub fn ask(amount: Money, expires: Option<Duration>, by: &PersonId, limits: &Limits, now: Timestamp) -> Asked {
    let deadline = now.after(expires.unwrap_or(LIFE));
    let alone = limits.ask_alone.iter().find(|most| most.currency() == amount.currency());
    // Where there are limits, a currency without one needs the second person.
    let above = match alone {
        Some(most) => amount.minor() > most.minor(),
        None => !limits.ask_alone.is_empty(),
    };
    let approval = if above { Approval::Needed } else { Approval::NotNeeded };
    let requested = Fact::Requested { amount, deadline, approval, by: by.clone() };
    let checkout = (!above).then_some(Fact::CheckoutAsked { n: 1, amount });
    Asked { deadline, facts: std::iter::once(requested).chain(checkout).collect() }
}

/// A second person agrees that the money is asked for, or does not.
///
/// # Errors
/// [`Refusal`]: it does not wait for that, or whoever asked wants to agree with themselves.
pub fn approve(payment: &Payment, answer: Answer, by: &PersonId) -> Result<Decision, Refusal> {
    let act = if answer == Answer::Yes { Act::Approve } else { Act::Reject };
    let status = payment.status();
    if status != Status::PendingApproval {
        return Err(Refusal::Status { act, status });
    }
    if answer == Answer::Yes && *by == payment.asked_by {
        return Err(Refusal::OwnRequest);
    }
    // The same person may have an account on each platform.
    if answer == Answer::Yes && by.platform != payment.asked_by.platform {
        return Err(Refusal::OtherPlatform);
    }
    let decided = Fact::ApprovalDecided { id: "request".into(), by: by.clone(), answer };
    let checkout = (answer == Answer::Yes).then_some(Fact::CheckoutAsked { n: 1, amount: payment.amount });
    Ok(Decision { facts: std::iter::once(decided).chain(checkout).collect(), money_out: None })
}

/// Staff want to ask for the same once more, by another payment.
///
/// # Errors
/// [`Refusal::Status`] where this one can still be paid, or was.
pub fn renew(payment: &Payment) -> Result<(), Refusal> {
    if payment.may(Act::Renew) {
        return Ok(());
    }
    Err(Refusal::Status { act: Act::Renew, status: payment.status() })
}

/// Staff want nobody to pay it any more.
///
/// # Errors
/// [`Refusal::Status`] where the money is already there or on its way.
pub fn cancel(payment: &Payment, by: &PersonId) -> Result<Decision, Refusal> {
    if !payment.may(Act::Cancel) {
        return Err(Refusal::Status { act: Act::Cancel, status: payment.status() });
    }
    Ok(Decision { facts: vec![Fact::CancelAsked { by: by.clone() }], money_out: None })
}

/// Staff send money back: `amount`, or all that is left. It goes back from one capture.
///
/// # Errors
/// [`Refusal`]: the status, the amount, the currency or a limit.
pub fn refund(
    payment: &Payment,
    amount: Option<Money>,
    by: &PersonId,
    id: RefundId,
    limits: &Limits,
    today: OutToday,
) -> Result<Decision, Refusal> {
    let currency = payment.amount.currency();
    let (capture, left) = largest_refundable(payment);
    let most = Money::new(payment.sums().refundable().min(left.minor()), currency);
    if !payment.may(Act::Refund) {
        let reserved = payment.sums().reserved > 0;
        let nothing_left = reserved && payment.sums().refundable() == 0;
        return Err(if nothing_left {
            Refusal::TooMuch { most }
        } else {
            Refusal::Status { act: Act::Refund, status: payment.status() }
        });
    }
    // Of too much, what is too much; all of it has to be written out.
    let extra = payment.sums().kept().saturating_sub(payment.sums().amount).min(most.minor());
    let usual = if payment.status() == Status::Overpaid { Money::new(extra, currency) } else { most };
    let amount = amount.unwrap_or(usual);
    if amount.currency() != currency {
        return Err(Refusal::Currency(currency));
    }
    let Some(capture) = capture.filter(|_| amount.minor() > 0 && amount.minor() <= most.minor()) else {
        return Err(Refusal::TooMuch { most });
    };
    let limit = |limits: &[Money]| {
        limits.iter().find(|limit| limit.currency() == currency).copied().ok_or(Refusal::NoLimit(currency))
    };
    let alone = limit(&limits.refund_alone)?;
    if amount.minor() > alone.minor() {
        return Err(Refusal::Alone { most: alone });
    }
    for (most, so_far) in
        [(limit(&limits.refund_person_day)?, today.person), (limit(&limits.refund_merchant_day)?, today.merchant)]
    {
        if so_far.saturating_add(amount.minor()) > most.minor() {
            return Err(Refusal::Day { most });
        }
    }
    let asked = Fact::RefundAsked { id, capture, amount, by: by.clone() };
    let approved = Fact::RefundApproved { id, by: by.clone() };
    Ok(Decision { facts: vec![asked, approved], money_out: Some(amount) })
}

/// Staff move the deadline by `more`: from where it is, or from now where it has passed.
///
/// # Errors
/// [`Refusal`]: the status, or a deadline further away than a payment can be open.
pub fn extend(payment: &Payment, more: Duration, by: &PersonId, now: Timestamp) -> Result<Decision, Refusal> {
    if !payment.may(Act::Extend) {
        return Err(Refusal::Status { act: Act::Extend, status: payment.status() });
    }
    let (until, most) = (payment.deadline.max(now).after(more), now.after(EXPIRES_MAX));
    if until > most {
        return Err(Refusal::TooFar { most });
    }
    Ok(Decision { facts: vec![Fact::Extended { until, by: by.clone() }], money_out: None })
}

/// Staff want the payer to be reminded.
///
/// # Errors
/// [`Refusal::Status`] where nobody can pay.
pub fn remind(payment: &Payment, now: Timestamp) -> Result<(), Refusal> {
    if payment.may(Act::Remind) && now < payment.deadline {
        return Ok(());
    }
    Err(Refusal::Status { act: Act::Remind, status: payment.status() })
}

/// Staff decide about all money that does not fit: whether it counts. In another currency it never does. A press decides
/// about what stood on its card, `shown` by [`Payment::held_mark`], and about nothing else.
///
/// # Errors
/// [`Refusal`]: nothing waits for it, or only money in another currency is to count.
pub fn resolve(payment: &Payment, answer: Answer, shown: Option<u32>, by: &PersonId) -> Result<Decision, Refusal> {
    let act = if answer == Answer::Yes { Act::Accept } else { Act::Reject };
    if payment.held().next().is_none() {
        return Err(Refusal::Status { act, status: payment.status() });
    }
    if shown.is_some_and(|shown| shown != payment.held_mark()) {
        return Err(Refusal::Changed);
    }
    let fits = |came: Money| answer == Answer::No || came.currency() == payment.amount.currency();
    let facts: Vec<Fact> = payment
        .held()
        .filter(|(_, capture)| fits(capture.amount))
        .map(|(id, _)| Fact::ReviewResolved { id: format!("capture/{id}"), by: by.clone(), answer })
        .collect();
    match payment.held().next().filter(|_| facts.is_empty()) {
        Some((_, other)) => Err(Refusal::OtherCurrency { came: other.amount }),
        None => Ok(Decision { facts, money_out: None }),
    }
}

/// Staff keep money that came too late.
///
/// # Errors
/// [`Refusal::Status`] where none did, or it was decided.
pub fn honour(payment: &Payment, by: &PersonId) -> Result<Decision, Refusal> {
    if !payment.may(Act::Honour) {
        return Err(Refusal::Status { act: Act::Honour, status: payment.status() });
    }
    let decided = |(capture, _): (&CaptureId, _)| Fact::LateDecided {
        capture: capture.clone(),
        by: by.clone(),
        answer: Answer::Yes,
    };
    Ok(Decision { facts: payment.late_undecided().map(decided).collect(), money_out: None })
}

/// The payer wants to pay and no checkout is usable: the next one, for what is missing.
pub fn checkout_again(payment: &Payment, now: Timestamp) -> Option<Fact> {
    let n = payment.next_checkout().filter(|_| now < payment.deadline)?;
    let missing = payment.sums().money(payment.sums().missing());
    (!missing.is_zero()).then_some(Fact::CheckoutAsked { n, amount: missing })
}

/// Our clock has reached the deadline: a fact, once per deadline.
pub fn deadline(payment: &Payment, now: Timestamp) -> Option<Fact> {
    (now >= payment.deadline && !payment.deadline_passed).then_some(Fact::DeadlinePassed { deadline: payment.deadline })
}

fn largest_refundable(payment: &Payment) -> (Option<CaptureId>, Money) {
    let each = payment.captures.keys().map(|id| (Some(id.clone()), payment.refundable(id)));
    let none = (None, Money::zero(payment.amount.currency()));
    each.max_by_key(|(_, left)| left.minor()).unwrap_or(none)
}

impl Act {
    /// The word in locale keys: `act-approve_refund`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Extend => "extend",
            Self::Remind => "remind",
            Self::Refund => "refund",
            Self::ApproveRefund => "approve_refund",
            Self::RefuseRefund => "refuse_refund",
            Self::Honour => "honour",
            Self::Accept => "accept",
            Self::Renew => "renew",
        }
    }
}

/// The sentence for a code that names no payment.
pub fn unknown(code: Code) -> Refusal {
    Refusal::Unknown(code.to_string())
}
