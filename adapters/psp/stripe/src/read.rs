//! What Stripe says of its objects, in Till's words.
//!
//! An unknown state is pending, never paid or failed. The time of a checkout's report is when it came to be so, as far
//! as Stripe tells: a payment that was made in time and found by asking after the deadline was in time. Stripe does not
//! tell when a refund or dispute last changed; those carry the time of the answer.

use crate::currency;
use crate::wire::{Dispute, Intent, Labels, Ref, Refund, Session};
use std::str::FromStr;
use till_core::id::{CaptureId, CheckoutId, DisputeId, PaymentId, PspRefundId};
use till_core::money::Money;
use till_core::payment::{CheckoutState, DisputeState, RefundState};
use till_core::port::psp::{About, Account, Fault, News, Reported};
use till_core::time::Timestamp;

/// What Till put into a session's metadata, and into its payment intent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ours {
    pub(crate) payment: PaymentId,
    pub(crate) n: u32,
}

/// A label of ours that reads as what it should be.
pub(crate) fn label<T: FromStr>(labels: Option<&Labels>, name: &str) -> Option<T> {
    labels?.get(name)?.parse().ok()
}

/// Our reference in metadata.
pub(crate) fn ours(labels: Option<&Labels>) -> Option<Ours> {
    Some(Ours { payment: label(labels, "till_payment")?, n: label(labels, "till_n")? })
}

impl Session {
    /// Our reference. None where metadata and `client_reference_id` do not agree: then somebody copied one of them.
    pub(crate) fn ours(&self) -> Option<Ours> {
        let ours = ours(self.metadata.as_ref())?;
        let same = self.client_reference_id.as_deref() == Some(&ours.payment.to_string());
        same.then_some(ours)
    }

    /// What its fields say of its state; the intent's too, where it was asked for.
    pub(crate) fn state(&self) -> CheckoutState {
        match (self.status.as_deref(), self.payment_status.as_str()) {
            (Some("open"), _) => CheckoutState::Open,
            (Some("expired"), _) => CheckoutState::Expired,
            (Some("complete"), "paid" | "no_payment_required") => CheckoutState::CompletePaid,
            (Some("complete"), "unpaid") if self.debit_failed() => CheckoutState::Failed,
            (_, _) => CheckoutState::CompleteUnpaid,
        }
    }

    /// A bank debit that failed leaves the session complete and unpaid for ever; only the intent tells.
    fn debit_failed(&self) -> bool {
        let intent = self.payment_intent.as_ref().and_then(Ref::<Intent>::object);
        intent.is_some_and(|intent| matches!(intent.status.as_str(), "requires_payment_method" | "canceled"))
    }

    /// When the payer did what they did, where the charge was asked for.
    fn charged_at(&self) -> Option<Timestamp> {
        match self.payment_intent.as_ref()?.object()?.latest_charge.as_ref()? {
            Ref::Object(charge) => Some(Timestamp::from_secs(charge.created)),
            Ref::Id(_) => None,
        }
    }

    /// What there is to tell of it.
    pub(crate) fn news(&self, ours: Ours, state: CheckoutState) -> Result<Vec<News>, Fault> {
        let checkout = CheckoutId::new(&self.id);
        let (Some(total), Some(code)) = (self.amount_total, self.currency.as_deref()) else {
            return Err(Fault::Unreadable(format!("session {} has no amount", self.id)));
        };
        let amount = money(total, code)?;
        let mut news = vec![News::Checkout {
            checkout: checkout.clone(),
            n: ours.n,
            state,
            amount,
            closes_at: self.expires_at.map(Timestamp::from_secs),
            url: self.url.clone().filter(|_| state == CheckoutState::Open),
        }];
        if state == CheckoutState::CompletePaid {
            let paid = self.payment_intent.as_ref();
            let paid = paid.ok_or_else(|| Fault::Unreadable(format!("session {} is paid without money", self.id)))?;
            news.push(News::Captured { capture: CaptureId::new(paid.id()), checkout, amount });
        }
        Ok(news)
    }
}

/// A session that was made, closed or fetched. [`Fault::NotFound`] when it is not ours.
pub(crate) fn session(it: &Session, at: &Account, answered: Option<Timestamp>) -> Result<Reported, Fault> {
    let ours = it.ours().ok_or(Fault::NotFound)?;
    let (state, created) = (it.state(), Timestamp::from_secs(it.created));
    let answered = answered.unwrap_or(created);
    let closes = it.expires_at.map_or(answered, Timestamp::from_secs);
    let as_of = match state {
        CheckoutState::Open => created,
        CheckoutState::Expired => answered.min(closes),
        CheckoutState::Approved
        | CheckoutState::CompleteUnpaid
        | CheckoutState::Failed
        | CheckoutState::CompletePaid => it.charged_at().unwrap_or(answered),
    };
    Ok(Reported {
        event: format!("fetch:{}:{state:?}", it.id),
        as_of,
        provider_account: at.provider_account.clone(),
        livemode: it.livemode,
        about: About::Payment(ours.payment),
        news: it.news(ours, state)?,
    })
}

/// A refund that was made or fetched.
pub(crate) fn refund(it: &Refund, at: &Account, about: About, answered: Option<Timestamp>) -> Result<Reported, Fault> {
    let news = refund_news(it)?.ok_or(Fault::NotFound)?;
    let event = format!("fetch:{}:{}", it.id, it.status.as_deref().unwrap_or("unknown"));
    let as_of = answered.unwrap_or(Timestamp::from_secs(it.created));
    Ok(hanging(at, about, event, as_of, news))
}

/// A dispute that was fetched.
pub(crate) fn dispute(
    it: &Dispute,
    at: &Account,
    about: About,
    answered: Option<Timestamp>,
) -> Result<Reported, Fault> {
    let news = dispute_news(it)?.ok_or(Fault::NotFound)?;
    let event = format!("fetch:{}:{}:{}", it.id, it.status, it.balance_transactions.len());
    let as_of = answered.unwrap_or(Timestamp::from_secs(it.created));
    Ok(hanging(at, about, event, as_of, news))
}

/// Of what hangs on a payment, and was asked for with this account's key: so it is of its account and mode.
fn hanging(at: &Account, about: About, event: String, as_of: Timestamp, news: News) -> Reported {
    Reported {
        event,
        as_of,
        provider_account: at.provider_account.clone(),
        livemode: at.livemode,
        about,
        news: vec![news],
    }
}

/// None for a refund of a charge without an intent, which Till never makes.
pub(crate) fn refund_news(it: &Refund) -> Result<Option<News>, Fault> {
    let Some(intent) = &it.payment_intent else { return Ok(None) };
    Ok(Some(News::Refund {
        refund: PspRefundId::new(&it.id),
        ours: label(it.metadata.as_ref(), "till_refund"),
        capture: CaptureId::new(intent.id()),
        amount: money(it.amount, &it.currency)?,
        state: match it.status.as_deref() {
            Some("succeeded") => RefundState::Succeeded,
            Some("failed") => RefundState::Failed,
            Some("canceled") => RefundState::Canceled,
            Some("requires_action") => RefundState::RequiresAction,
            Some(_) | None => RefundState::Pending,
        },
    }))
}

/// None for a dispute about a charge without an intent, which Till never makes.
pub(crate) fn dispute_news(it: &Dispute) -> Result<Option<News>, Fault> {
    let Some(intent) = &it.payment_intent else { return Ok(None) };
    let amount = money(it.amount, &it.currency)?;
    // The moves are in the currency that is paid out, so that only their sign can be used.
    let taken = it.balance_transactions.iter().fold(0_i64, |sum, it| sum.saturating_add(it.amount)) < 0;
    Ok(Some(News::Dispute {
        dispute: DisputeId::new(&it.id),
        capture: CaptureId::new(intent.id()),
        amount,
        state: match it.status.as_str() {
            "warning_needs_response" => DisputeState::WarningNeedsResponse,
            "warning_under_review" => DisputeState::WarningUnderReview,
            "warning_closed" => DisputeState::WarningClosed,
            "needs_response" => DisputeState::NeedsResponse,
            "won" => DisputeState::Won,
            "lost" => DisputeState::Lost,
            "prevented" => DisputeState::Prevented,
            _ => DisputeState::UnderReview,
        },
        withdrawn: if taken { amount } else { Money::zero(amount.currency()) },
        moves: u32::try_from(it.balance_transactions.len()).unwrap_or(u32::MAX),
        answer_by: it.evidence_details.as_ref().and_then(|details| details.due_by).map(Timestamp::from_secs),
    }))
}

pub(crate) fn money(units: i64, code: &str) -> Result<Money, Fault> {
    currency::money(units, code).ok_or_else(|| Fault::Unreadable(format!("{units} `{code}` is not an amount")))
}
