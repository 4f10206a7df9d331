//! The status of a payment: the first rule that fits, and what may and must be done then.
//!
//! Source: PAYMENTS.md F.3; the order of [`Status`] is the order of the rules.
//!
//! Deliberately absent: a stored state. The store keeps a copy of the status for listing, never for deciding.

use super::fact::{AMOUNT_DIFFERS, Answer, Approval, CheckoutState, DisputeState, Lasting, ReviewState};
use super::ledger::{Closed, Held, Payment};
use crate::id::{CaptureId, CheckoutId, DisputeId, PaymentId, PspRefundId, RefundId};
use crate::order::{IdemKey, RefundOrder};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a payment is, in one word. In the order of the rules: an earlier one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Something does not fit; a person must look.
    NeedsReview,
    /// A dispute took the money.
    ChargedBack,
    /// A dispute is open.
    Disputed,
    /// All of it went back.
    Refunded,
    /// Some of it is on its way back.
    RefundPending,
    /// More than asked is kept.
    Overpaid,
    /// Exactly what was asked is kept.
    Paid,
    /// It was paid, and a part went back.
    PartiallyRefunded,
    /// Less than asked arrived.
    PartiallyPaid,
    /// The payer is done, the bank is not.
    Processing,
    /// The bank took it back.
    Returned,
    /// Cancelled, and the provider has not closed it yet.
    Cancelling,
    /// Cancelled.
    Cancelled,
    /// The deadline passed, and the provider has not closed it yet.
    Closing,
    /// The deadline passed.
    Expired,
    /// The second person said no.
    Rejected,
    /// Waits for a second person.
    PendingApproval,
    /// The provider will not create the checkout.
    Failed,
    /// The provider has not answered yet.
    Preparing,
    /// Can be paid.
    Open,
}

impl Status {
    /// All of them, in the order of the rules.
    pub const ALL: [Self; 20] = [
        Self::NeedsReview,
        Self::ChargedBack,
        Self::Disputed,
        Self::Refunded,
        Self::RefundPending,
        Self::Overpaid,
        Self::Paid,
        Self::PartiallyRefunded,
        Self::PartiallyPaid,
        Self::Processing,
        Self::Returned,
        Self::Cancelling,
        Self::Cancelled,
        Self::Closing,
        Self::Expired,
        Self::Rejected,
        Self::PendingApproval,
        Self::Failed,
        Self::Preparing,
        Self::Open,
    ];

    /// The word in the database, in `till payments list --status …` and in locale keys: `partially_refunded`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NeedsReview => "needs_review",
            Self::ChargedBack => "charged_back",
            Self::Disputed => "disputed",
            Self::Refunded => "refunded",
            Self::RefundPending => "refund_pending",
            Self::Overpaid => "overpaid",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::PartiallyPaid => "partially_paid",
            Self::Processing => "processing",
            Self::Returned => "returned",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Closing => "closing",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::PendingApproval => "pending_approval",
            Self::Failed => "failed",
            Self::Preparing => "preparing",
            Self::Open => "open",
        }
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the conversation gets one short new message when the payment comes here, since an edit notifies nobody.
    pub fn pings(self) -> bool {
        match self {
            Self::ChargedBack
            | Self::Disputed
            | Self::Refunded
            | Self::Overpaid
            | Self::Paid
            | Self::PartiallyRefunded
            | Self::Returned
            | Self::Expired => true,
            Self::NeedsReview
            | Self::RefundPending
            | Self::PartiallyPaid
            | Self::Processing
            | Self::Cancelling
            | Self::Cancelled
            | Self::Closing
            | Self::Rejected
            | Self::PendingApproval
            | Self::Failed
            | Self::Preparing
            | Self::Open => false,
        }
    }

    /// Whether only staff are told: nobody else has seen a card yet.
    pub fn is_staff_only(self) -> bool {
        matches!(self, Self::Rejected | Self::PendingApproval | Self::Failed | Self::Preparing)
    }

    /// Whether time or the provider can still change it without anybody asking, so that it is polled.
    pub fn is_moving(self) -> bool {
        match self {
            Self::Disputed
            | Self::RefundPending
            | Self::PartiallyPaid
            | Self::Processing
            | Self::Cancelling
            | Self::Closing
            | Self::PendingApproval
            | Self::Preparing
            | Self::Open => true,
            Self::NeedsReview
            | Self::ChargedBack
            | Self::Refunded
            | Self::Overpaid
            | Self::Paid
            | Self::PartiallyRefunded
            | Self::Returned
            | Self::Cancelled
            | Self::Expired
            | Self::Rejected
            | Self::Failed => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What staff can ask for, by status. Source: PAYMENTS.md F.3, "Allowed staff commands".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Agree that the money is asked for.
    Approve,
    /// Refuse that it is asked for; or that money counts which does not fit.
    Reject,
    /// Let nobody pay it any more.
    Cancel,
    /// Move the deadline.
    Extend,
    /// Say it again in the conversation.
    Remind,
    /// Send money back.
    Refund,
    /// Agree to a refund.
    ApproveRefund,
    /// Refuse a refund.
    RefuseRefund,
    /// Keep money that came too late.
    Honour,
    /// Let money count that does not fit.
    Accept,
    /// Ask anew with a new payment.
    Renew,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Approve,
        Self::Reject,
        Self::Cancel,
        Self::Extend,
        Self::Remind,
        Self::Refund,
        Self::ApproveRefund,
        Self::RefuseRefund,
        Self::Honour,
        Self::Accept,
        Self::Renew,
    ];
}

/// A call or a message that follows from the facts. The store keeps one row per key, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "owed", rename_all = "snake_case")]
pub enum Owed {
    /// Close a checkout that nobody shall pay.
    Expire {
        /// Which.
        n: u32,
        /// The provider's id.
        checkout: CheckoutId,
    },
    /// Take the money that the payer has agreed to.
    Capture {
        /// Which.
        n: u32,
        /// The provider's id.
        checkout: CheckoutId,
    },
    /// Make a refund.
    Refund(RefundOrder),
    /// Say the new status in the conversation.
    Ping(Status),
    /// Tell staff alone what a card's status does not show to everybody.
    Alert(Alert),
}

/// What staff alone are told, once each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "alert", content = "id", rename_all = "snake_case")]
pub enum Alert {
    /// The bank asks about a payment; no money was taken.
    Inquiry(DisputeId),
    /// A dispute took money, and must be answered.
    Dispute(DisputeId),
    /// A refund came back.
    RefundFailed(PspRefundId),
    /// The card's network warns of fraud.
    FraudWarning(String),
    /// The provider wants a person to look.
    Review(String),
    /// The provider's page asked for another amount, so it is closed.
    AmountDiffers(u32),
    /// It was cancelled, and the payer was faster: this money is here.
    PaidAfterCancel(CaptureId),
    /// It came after the deadline: staff keep it or send it back.
    PaidLate(CaptureId),
    /// It does not fit what was asked: staff accept or reject it.
    Mismatch(CaptureId),
    /// Only a part of it came, and nobody can pay the rest any more; told once for each deadline.
    OnlyPart(Timestamp),
}

impl Alert {
    /// The word in keys and in locale keys: `alert-refund_failed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Inquiry(_) => "inquiry",
            Self::Dispute(_) => "dispute",
            Self::RefundFailed(_) => "refund_failed",
            Self::FraudWarning(_) => "fraud_warning",
            Self::Review(_) => "review",
            Self::AmountDiffers(_) => "amount_differs",
            Self::PaidAfterCancel(_) => "paid_after_cancel",
            Self::PaidLate(_) => "paid_late",
            Self::Mismatch(_) => "mismatch",
            Self::OnlyPart(_) => "only_part",
        }
    }

    fn id(&self) -> String {
        match self {
            Self::Inquiry(id) | Self::Dispute(id) => id.to_string(),
            Self::RefundFailed(id) => id.to_string(),
            Self::FraudWarning(id) | Self::Review(id) => id.clone(),
            Self::AmountDiffers(n) => n.to_string(),
            Self::PaidAfterCancel(id) | Self::PaidLate(id) | Self::Mismatch(id) => id.to_string(),
            Self::OnlyPart(deadline) => deadline.ms().to_string(),
        }
    }
}

impl Owed {
    /// The key of its row; the provider sees it as well.
    pub fn key(&self, payment: PaymentId) -> IdemKey {
        match self {
            Self::Expire { n, .. } => IdemKey::expire(payment, *n),
            Self::Capture { n, .. } => IdemKey::capture(payment, *n),
            Self::Refund(order) => IdemKey::refund(payment, order.refund),
            Self::Ping(status) => IdemKey::show(payment, status.name()),
            Self::Alert(alert) => IdemKey::show(payment, &format!("alert:{}:{}", alert.name(), alert.id())),
        }
    }
}

impl Payment {
    /// The first rule that fits; the last one is everything else.
    pub fn status(&self) -> Status {
        let sums = self.sums();
        let (kept, net) = (sums.kept(), sums.net());
        let dispute_in =
            |states: &[DisputeState]| self.disputes.values().any(|dispute| states.contains(&dispute.state));
        let all_closed = self.checkouts.values().all(super::Checkout::is_closed);

        if self.held().next().is_some() || sums.refunded > sums.captured {
            Status::NeedsReview
        } else if dispute_in(&[DisputeState::Lost]) && net <= 0 {
            Status::ChargedBack
        } else if dispute_in(&[DisputeState::NeedsResponse, DisputeState::UnderReview]) {
            Status::Disputed
        } else if sums.captured > 0 && kept == 0 {
            Status::Refunded
        } else if sums.refund_pending > 0 {
            Status::RefundPending
        } else if kept > sums.amount {
            Status::Overpaid
        } else if kept == sums.amount {
            Status::Paid
        } else if sums.captured >= sums.amount && kept > 0 {
            Status::PartiallyRefunded
        } else if sums.captured > 0 {
            Status::PartiallyPaid
        } else if self.checkouts.values().any(super::Checkout::is_pending) {
            Status::Processing
        } else if self.is_returned() {
            Status::Returned
        } else if self.cancelled_by.is_some() && !all_closed {
            Status::Cancelling
        } else if self.cancelled_by.is_some() {
            Status::Cancelled
        } else if self.deadline_passed && !all_closed {
            Status::Closing
        } else if self.deadline_passed {
            Status::Expired
        } else if self.approval == (Approval::Needed, Some(Answer::No)) {
            Status::Rejected
        } else if self.approval == (Approval::Needed, None) {
            Status::PendingApproval
        } else if self.is_refused_for_good() {
            Status::Failed
        } else if self.checkouts.values().all(super::Checkout::is_unanswered) {
            Status::Preparing
        } else {
            Status::Open
        }
    }

    /// Whether the money came after the deadline by the provider's time, or after a cancel.
    ///
    /// A bank debit begun in time and settled days later is not late.
    pub fn is_late(&self) -> bool {
        self.late().next().is_some()
    }

    /// Money that came too late: through a checkout that the payer was done with after the deadline, or after a cancel.
    fn late(&self) -> impl Iterator<Item = (&CaptureId, &super::Capture)> {
        let (paid, cancelled) = (self.status() == Status::Paid, self.cancelled_by.is_some());
        let late = move |capture: &super::Capture| {
            let of = |it: &&super::Checkout| it.seen.as_ref().is_some_and(|(id, ..)| *id == capture.checkout);
            let completed = self.checkouts.values().find(of).and_then(|it| it.completed_at);
            cancelled || completed.is_some_and(|at| at > self.deadline)
        };
        self.captures.iter().filter(move |(_, capture)| paid && capture.counts() && late(capture))
    }

    /// Money that came too late and that nobody has decided to keep.
    pub fn late_undecided(&self) -> impl Iterator<Item = (&CaptureId, &super::Capture)> {
        self.late().filter(|(_, capture)| capture.late != Some(Answer::Yes))
    }

    /// Money that was rejected, since it did not fit, and is at the provider still.
    pub fn to_send_back(&self) -> impl Iterator<Item = (&CaptureId, &super::Capture)> {
        let there = |id: &CaptureId, it: &super::Capture| self.gone_back(id).minor() < it.amount.minor();
        let rejected = |it: &super::Capture| it.held == Held::Rejected && !it.reversed;
        self.captures.iter().filter(move |(id, capture)| rejected(capture) && there(id, capture))
    }

    /// Whether a part came, and nobody can pay the rest any more.
    pub fn is_stuck_in_part(&self) -> bool {
        self.status() == Status::PartiallyPaid && (self.deadline_passed || self.cancelled_by.is_some())
    }

    /// Names the money that [`Payment::held`] gives, shortly: a button decides about what stood on its card. 0: none.
    pub fn held_mark(&self) -> u32 {
        // FNV-1a, of 32 bits: nobody gains anything by making two the same.
        let bytes = self.held().flat_map(|(id, _)| id.as_str().bytes().chain([0]));
        let mark = bytes.fold(0x811c_9dc5_u32, |mark, byte| (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        if self.held().next().is_some() { mark } else { 0 }
    }

    /// Money that does not fit, as long as nobody has decided about it.
    pub fn held(&self) -> impl Iterator<Item = (&CaptureId, &super::Capture)> {
        self.captures.iter().filter(|(_, capture)| capture.held == Held::Waiting)
    }

    /// What staff can ask for now.
    pub fn may(&self, act: Act) -> bool {
        let status = self.status();
        let undecided = self.refunds_asked.values().any(|ask| !ask.approved && ask.refused.is_none());
        match act {
            Act::Approve => status == Status::PendingApproval,
            Act::Reject => status == Status::PendingApproval || self.held().next().is_some(),
            Act::Cancel => {
                let open_part = status == Status::PartiallyPaid && self.cancelled_by.is_none();
                matches!(status, Status::PendingApproval | Status::Preparing | Status::Open) || open_part
            }
            Act::Extend => matches!(status, Status::Open | Status::PartiallyPaid) && self.cancelled_by.is_none(),
            Act::Remind => self.is_payable(),
            Act::Refund => {
                let paid = matches!(
                    status,
                    Status::Paid
                        | Status::PartiallyRefunded
                        | Status::PartiallyPaid
                        | Status::Overpaid
                        | Status::RefundPending
                );
                paid && self.sums().refundable() > 0
            }
            Act::ApproveRefund | Act::RefuseRefund => undecided,
            Act::Honour => self.late_undecided().next().is_some(),
            Act::Accept => self.held().next().is_some(),
            Act::Renew => matches!(
                status,
                Status::Expired | Status::Failed | Status::Cancelled | Status::Returned | Status::Rejected
            ),
        }
    }

    /// Whether the payer can be sent to a checkout, or a new one be asked for.
    pub fn is_payable(&self) -> bool {
        let unpaid = matches!(self.status(), Status::Open | Status::PartiallyPaid);
        // Of what was paid in part, the rest may be less than the provider takes: asking again changes nothing. And where
        // money was rejected that is at the provider still, the payer would have paid twice.
        let stuck = self.is_refused_for_good() || self.to_send_back().next().is_some();
        unpaid && !self.deadline_passed && self.cancelled_by.is_none() && !stuck
    }

    /// Whether the provider refused the newest checkout, and would refuse another one as well.
    fn is_refused_for_good(&self) -> bool {
        let newest = self.checkouts.values().next_back();
        newest.is_some_and(|it| matches!(&it.closed, Some(Closed::Refused(_, Lasting::ForGood))))
    }

    /// Number of the next checkout, when one is wanted: payable, none usable, and every earlier one closed.
    pub fn next_checkout(&self) -> Option<u32> {
        let all_closed = self.checkouts.values().all(super::Checkout::is_closed);
        let last = self.checkouts.keys().next_back().copied().unwrap_or(0);
        (self.is_payable() && all_closed).then(|| last.saturating_add(1))
    }

    /// Whether the money is to be taken that the payer of a checkout has agreed to: in time, and still wanted.
    pub fn takes(&self, checkout: &super::Checkout) -> bool {
        let agreed = checkout.state() == Some(CheckoutState::Approved) && checkout.closed.is_none();
        let missing = matches!(self.status(), Status::Processing | Status::PartiallyPaid);
        agreed && missing && !self.is_over() && Self::in_time(checkout, self.deadline)
    }

    fn in_time(checkout: &super::Checkout, deadline: Timestamp) -> bool {
        checkout.completed_at.is_some_and(|at| at <= deadline)
    }

    /// Whether the bank took money back that counted. What was rejected anyway is nobody's loss.
    fn is_returned(&self) -> bool {
        self.captures.values().any(|capture| capture.reversed && capture.held == Held::Free)
    }

    /// Whether no more money is wanted, whatever the deadline: it was cancelled, is all there, or went back, or the bank
    /// has taken it or may.
    fn is_over(&self) -> bool {
        let back =
            matches!(self.status(), Status::Refunded | Status::ChargedBack | Status::Disputed | Status::Returned);
        let sums = self.sums();
        back || sums.captured == 0 && self.is_returned() || self.cancelled_by.is_some() || sums.missing() == 0
    }

    /// Calls and messages that follow from the facts. Derived anew at every commit; the key makes each of them one.
    pub fn owed(&self, payment: PaymentId) -> Vec<Owed> {
        let over = self.is_over();
        let expire = self.checkouts.iter().filter_map(|(n, checkout)| {
            let (id, state, _) = checkout.seen.as_ref()?;
            // One that turns up after it was given up, or asks for another amount, must not be paid either.
            let given_up = matches!(checkout.closed, Some(Closed::Refused(..) | Closed::Dropped));
            let close = match state {
                CheckoutState::Open => over || self.deadline_passed || given_up,
                CheckoutState::Approved => over || given_up || !Self::in_time(checkout, self.deadline),
                CheckoutState::CompleteUnpaid
                | CheckoutState::Failed
                | CheckoutState::Expired
                | CheckoutState::CompletePaid => false,
            };
            close.then(|| Owed::Expire { n: *n, checkout: id.clone() })
        });
        let take = self.checkouts.iter().filter_map(|(n, checkout)| {
            let (checkout, ..) = checkout.seen.as_ref().filter(|_| self.takes(checkout))?;
            Some(Owed::Capture { n: *n, checkout: checkout.clone() })
        });
        let seen = |id: &RefundId| self.refunds.values().any(|refund| refund.ours == Some(*id));
        let refund = self.refunds_asked.iter().filter(|(id, ask)| ask.approved && ask.refused.is_none() && !seen(id));
        let refund = refund.map(|(id, ask)| {
            let order = RefundOrder { payment, refund: *id, capture: ask.capture.clone(), amount: ask.amount };
            Owed::Refund(order)
        });
        let status = self.status();
        let ping = status.pings().then_some(Owed::Ping(status));
        expire.chain(take).chain(refund).chain(ping).chain(self.alerts().map(Owed::Alert)).collect()
    }

    /// What staff alone shall know.
    fn alerts(&self) -> impl Iterator<Item = Alert> {
        let inquiries = self.inquiries().map(|(id, _)| Alert::Inquiry(id.clone()));
        let disputes = self.disputes.iter().filter(|(_, it)| it.state == DisputeState::NeedsResponse);
        let refunds = self.refunds_failed().map(|(id, _)| Alert::RefundFailed(id.clone()));
        let warnings = self.fraud_warnings.keys().map(|id| Alert::FraudWarning(id.clone()));
        let reviews = self.reviews.iter().filter(|(_, it)| it.state == ReviewState::Open);
        let differs = |closed: &Closed| matches!(closed, Closed::Refused(why, _) if why == AMOUNT_DIFFERS);
        let amounts = self.checkouts.iter().filter(move |(_, it)| it.closed.as_ref().is_some_and(differs));
        let all_paid = self.cancelled_by.is_some() && self.sums().missing() == 0;
        let anyway = self.captures.keys().filter(move |_| all_paid);
        let late = self.late_undecided().filter(|_| self.cancelled_by.is_none());
        inquiries
            .chain(disputes.map(|(id, _)| Alert::Dispute(id.clone())))
            .chain(refunds)
            .chain(warnings)
            .chain(reviews.map(|(id, _)| Alert::Review(id.clone())))
            .chain(amounts.map(|(n, _)| Alert::AmountDiffers(*n)))
            .chain(anyway.map(|id| Alert::PaidAfterCancel(id.clone())))
            .chain(late.map(|(id, _)| Alert::PaidLate(id.clone())))
            .chain(self.held().map(|(id, _)| Alert::Mismatch(id.clone())))
            .chain(self.is_stuck_in_part().then_some(Alert::OnlyPart(self.deadline)))
    }
}
