//! What a bank or the merchant's dashboard can do now, and the doing of it: from the control page, or by JSON.
//!
//! ```text
//! checkout   debit_succeeds, debit_fails, close
//! payment    inquire, dispute, refund [amount], reverse
//! dispute    answer, win, lose, prevent
//! refund     refund_succeeds, refund_fails
//! ```
//! What cannot be done as things stand is refused, and nothing has happened.

use crate::World;
use crate::ask::{Amount, Labels};
use crate::checkouts::{by_capture, by_id};
use crate::db::{Db, begin};
use crate::object::{Capture, Checkout, Dispute, DisputeStatus, Refund, RefundStatus, State};
use crate::problem::{Failure, Problem};
use crate::{disputes, refunds};
use serde::Deserialize;
use serde_json::{Value, json};
use till_core::money::Money;
use till_core::time::Timestamp;

/// One thing that a bank or the dashboard does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    DebitSucceeds,
    DebitFails,
    Close,
    Inquire,
    Dispute,
    Refund,
    Reverse,
    Answer,
    Win,
    Lose,
    Prevent,
    RefundSucceeds,
    RefundFails,
}

/// `POST /control/act`: `{"act":"dispute","id":"py_…"}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    pub(crate) act: Act,
    /// Of what it is done to.
    pub(crate) id: String,
    /// For a refund: how much; all that is left without it.
    pub(crate) amount: Option<Amount>,
}

impl Act {
    /// The word in JSON and in forms.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::DebitSucceeds => "debit_succeeds",
            Self::DebitFails => "debit_fails",
            Self::Close => "close",
            Self::Inquire => "inquire",
            Self::Dispute => "dispute",
            Self::Refund => "refund",
            Self::Reverse => "reverse",
            Self::Answer => "answer",
            Self::Win => "win",
            Self::Lose => "lose",
            Self::Prevent => "prevent",
            Self::RefundSucceeds => "refund_succeeds",
            Self::RefundFails => "refund_fails",
        }
    }

    /// The words on its button.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::DebitSucceeds => "The debit succeeds",
            Self::DebitFails => "The debit fails",
            Self::Close => "Close it now",
            Self::Inquire => "The bank asks",
            Self::Dispute => "The payer disputes it",
            Self::Refund => "Refund",
            Self::Reverse => "The bank takes it back",
            Self::Answer => "Answer the bank",
            Self::Win => "The bank decides for you",
            Self::Lose => "The bank decides for the payer",
            Self::Prevent => "It ends before a dispute",
            Self::RefundSucceeds => "The refund arrives",
            Self::RefundFails => "The refund comes back",
        }
    }

    /// What can be done to a checkout.
    pub(crate) const fn to_checkout(it: &Checkout) -> &'static [Self] {
        match &it.state {
            State::Open | State::Approved { .. } => &[Self::Close],
            State::Processing => &[Self::DebitSucceeds, Self::DebitFails],
            State::Failed | State::Paid(_) | State::Expired => &[],
        }
    }

    /// What can be done to a dispute.
    pub(crate) const fn to_dispute(it: &Dispute) -> &'static [Self] {
        match it.status {
            DisputeStatus::WarningNeedsResponse => &[Self::Answer, Self::Win, Self::Prevent],
            DisputeStatus::WarningUnderReview => &[Self::Win, Self::Prevent],
            DisputeStatus::NeedsResponse => &[Self::Answer, Self::Win, Self::Lose],
            DisputeStatus::UnderReview => &[Self::Win, Self::Lose],
            DisputeStatus::Lost => &[Self::Win],
            DisputeStatus::WarningClosed | DisputeStatus::Won | DisputeStatus::Prevented => &[],
        }
    }

    /// What can be done to a refund.
    pub(crate) const fn to_refund(it: &Refund) -> &'static [Self] {
        match it.status {
            RefundStatus::Pending => &[Self::RefundSucceeds, Self::RefundFails],
            RefundStatus::Succeeded => &[Self::RefundFails],
            RefundStatus::Failed => &[],
        }
    }

    /// What can be done to money, with what hangs on it.
    pub(crate) fn to_payment(paid: &Capture, left: Money, disputes: &[Dispute]) -> Vec<Self> {
        if paid.reversed.is_some() {
            return Vec::new();
        }
        let has_left = left.minor() > 0;
        let escalates = disputes.last().is_none_or(|it| match it.status {
            DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview | DisputeStatus::WarningClosed => {
                true
            }
            DisputeStatus::NeedsResponse
            | DisputeStatus::UnderReview
            | DisputeStatus::Won
            | DisputeStatus::Lost
            | DisputeStatus::Prevented => false,
        });
        let can = [
            (Self::Refund, has_left && !disputes.iter().any(|it| it.status.bars_refunds())),
            (Self::Inquire, has_left && disputes.is_empty()),
            (Self::Dispute, has_left && escalates),
            (Self::Reverse, true),
        ];
        can.into_iter().filter_map(|(act, can)| can.then_some(act)).collect()
    }
}

impl World {
    /// Does it, and gives the object that it was done to as it stands then.
    pub(crate) async fn act(&self, order: &Order) -> Result<Value, Failure> {
        let mut tx = begin(&self.write).await?;
        let now = self.now();
        self.close_when_due(&mut tx, &order.id, now).await?;
        let object = self.act_in(&mut tx, order, now).await?;
        tx.commit().await?;
        self.news.notify_one();
        Ok(json!({"done": order.act.word(), "object": object}))
    }

    async fn act_in(&self, db: &mut Db, order: &Order, now: Timestamp) -> Result<Value, Failure> {
        let issuer = self.issuer();
        Ok(match order.act {
            Act::DebitSucceeds => {
                let it = checkout_of(db, order).await?;
                issuer.checkout(&self.arrive(db, &it, it.amount, now).await?, now)
            }
            Act::DebitFails => {
                let it = checkout_of(db, order).await?;
                issuer.checkout(&self.fail_debit(db, &it, now).await?, now)
            }
            Act::Close => {
                let it = checkout_of(db, order).await?;
                issuer.checkout(&self.close(db, &it.id, now).await?, now)
            }
            Act::Inquire => {
                let (it, paid) = payment_of(db, order).await?;
                issuer.dispute(&self.inquire(db, &it, &paid, now).await?, now)
            }
            Act::Dispute => {
                let (it, paid) = payment_of(db, order).await?;
                issuer.dispute(&self.dispute(db, &it, &paid, now).await?, now)
            }
            Act::Refund => {
                let (it, paid) = payment_of(db, order).await?;
                let amount = order.amount.as_ref().map(Amount::money).transpose()?;
                issuer.refund(&self.send_back(db, it.api, &paid.id, amount, &Labels::new(), now).await?, now)
            }
            Act::Reverse => {
                let (it, paid) = payment_of(db, order).await?;
                issuer.checkout(&self.reverse(db, &it, &paid, now).await?, now)
            }
            Act::Answer => {
                let it = dispute_of(db, order).await?;
                issuer.dispute(&self.answer(db, &it, now).await?, now)
            }
            Act::Win => {
                let it = dispute_of(db, order).await?;
                issuer.dispute(&self.win(db, &it, now).await?, now)
            }
            Act::Lose => {
                let it = dispute_of(db, order).await?;
                issuer.dispute(&self.lose(db, &it, now).await?, now)
            }
            Act::Prevent => {
                let it = dispute_of(db, order).await?;
                issuer.dispute(&self.prevent(db, &it, now).await?, now)
            }
            Act::RefundSucceeds => {
                let it = refund_of(db, order).await?;
                issuer.refund(&self.decide_refund(db, &it, RefundStatus::Succeeded, now).await?, now)
            }
            Act::RefundFails => {
                let it = refund_of(db, order).await?;
                issuer.refund(&self.decide_refund(db, &it, RefundStatus::Failed, now).await?, now)
            }
        })
    }
}

/// The checkout that an order names, if it can be done to it.
async fn checkout_of(db: &mut Db, order: &Order) -> Result<Checkout, Failure> {
    let it = by_id(db, &order.id).await?.ok_or_else(|| Problem::not_found("checkout"))?;
    if Act::to_checkout(&it).contains(&order.act) {
        return Ok(it);
    }
    Err(Problem::not_now("not as this checkout stands").into())
}

/// The money that an order names, as long as the bank has not taken it back.
async fn payment_of(db: &mut Db, order: &Order) -> Result<(Checkout, Capture), Failure> {
    let it = by_capture(db, &order.id).await?.and_then(|it| it.capture().cloned().map(|paid| (it, paid)));
    let (it, paid) = it.ok_or_else(|| Problem::not_found("payment"))?;
    match paid.reversed {
        None => Ok((it, paid)),
        Some(_) => Err(Problem::not_now("the bank took this payment back").into()),
    }
}

async fn dispute_of(db: &mut Db, order: &Order) -> Result<Dispute, Failure> {
    Ok(disputes::by_id(db, &order.id).await?.ok_or_else(|| Problem::not_found("dispute"))?)
}

/// The refund that an order names, if it can be done to it.
async fn refund_of(db: &mut Db, order: &Order) -> Result<Refund, Failure> {
    let it = refunds::by_id(db, &order.id).await?.ok_or_else(|| Problem::not_found("refund"))?;
    if Act::to_refund(&it).contains(&order.act) {
        return Ok(it);
    }
    Err(Problem::not_now(format!("not while the refund is {}", it.status.word())).into())
}
