//! Facts: what happened to a payment, each under a natural key, so that a repeat is the same fact.
//!
//! Ids, amounts, states and times, never names or texts. Source: PAYMENTS.md F.1.

use crate::id::{CaptureId, CheckoutId, DisputeId, PspRefundId, RefundId};
use crate::money::Money;
use crate::place::PersonId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a checkout is refused whose page asks for another amount than was wanted.
pub const AMOUNT_DIFFERS: &str = "amount_differs";

/// Something that happened. Never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// Staff asked for money.
    Requested {
        /// How much.
        amount: Money,
        /// Until when it can be paid.
        deadline: Timestamp,
        /// Whether a second person must agree first.
        approval: Approval,
        /// Who asked.
        by: PersonId,
    },
    /// A second person decided; the first decision under `id` counts.
    ApprovalDecided {
        /// Which question.
        id: String,
        /// Who.
        by: PersonId,
        /// What.
        answer: Answer,
    },
    /// Checkout `n` is wanted; its finished order lies in the outbox.
    CheckoutAsked {
        /// Counts checkouts from 1, never tries.
        n: u32,
        /// What it asks for.
        amount: Money,
    },
    /// The provider will not create checkout `n`.
    CheckoutRefused {
        /// Which.
        n: u32,
        /// The provider's reason, as a code or short text.
        why: String,
        /// Whether another try could be any better.
        lasting: Lasting,
    },
    /// Checkout `n` was never sent and is not wanted any more.
    CheckoutDropped {
        /// Which.
        n: u32,
    },
    /// A version of a checkout.
    CheckoutSeen {
        /// The provider's id.
        checkout: CheckoutId,
        /// Which of ours.
        n: u32,
        /// Its state.
        state: CheckoutState,
        /// When it closes by itself.
        closes_at: Option<Timestamp>,
        /// By whose word.
        seen: Seen,
    },
    /// Nobody is sent to this checkout any more (a provider that cannot expire).
    CheckoutLeft {
        /// Which.
        checkout: CheckoutId,
    },
    /// Somebody pressed *Pay* on our page for the `k`-th time.
    LinkOpened {
        /// Counts openings from 1.
        k: u32,
    },
    /// The payer tried and was declined.
    AttemptFailed {
        /// Where.
        checkout: CheckoutId,
        /// The provider's id of the attempt.
        attempt: String,
        /// The provider's reason, as a code.
        why: String,
        /// The provider's time.
        as_of: Timestamp,
    },
    /// Money arrived.
    Captured {
        /// The provider's id.
        capture: CaptureId,
        /// Through which checkout.
        checkout: CheckoutId,
        /// How much.
        amount: Money,
        /// The provider's time.
        as_of: Timestamp,
    },
    /// The bank took a capture back.
    CaptureReversed {
        /// Which.
        capture: CaptureId,
        /// The provider's time.
        as_of: Timestamp,
    },
    /// What the provider says is not what was asked: held until a person decides.
    Mismatch {
        /// `capture/<id>`.
        id: String,
        /// What does not fit.
        kind: MismatchKind,
        /// The capture that is held.
        capture: CaptureId,
    },
    /// Staff wants nobody to pay this any more. Never un-happens.
    CancelAsked {
        /// Who.
        by: PersonId,
    },
    /// Staff moved the deadline.
    Extended {
        /// The new deadline.
        until: Timestamp,
        /// Who.
        by: PersonId,
    },
    /// The deadline passed by our clock; counts only for the current one.
    DeadlinePassed {
        /// Which deadline.
        deadline: Timestamp,
    },
    /// Staff decided about money that came too late.
    LateDecided {
        /// Which capture.
        capture: CaptureId,
        /// Who.
        by: PersonId,
        /// Yes keeps it, no sends it back.
        answer: Answer,
    },
    /// Staff asked for a refund; it reserves its amount.
    RefundAsked {
        /// Ours.
        id: RefundId,
        /// From which capture.
        capture: CaptureId,
        /// How much.
        amount: Money,
        /// Who.
        by: PersonId,
    },
    /// The refund may leave.
    RefundApproved {
        /// Which.
        id: RefundId,
        /// Who; the asker, where the policy lets one person do it.
        by: PersonId,
    },
    /// The refund will not be made.
    RefundRefused {
        /// Which.
        id: RefundId,
        /// Why, as a short text or code.
        why: String,
    },
    /// A version of a refund, ours or made at the provider's dashboard.
    RefundSeen {
        /// The provider's id.
        refund: PspRefundId,
        /// Ours, when we asked for it.
        ours: Option<RefundId>,
        /// From which capture.
        capture: CaptureId,
        /// How much.
        amount: Money,
        /// Its state.
        state: RefundState,
        /// By whose word.
        seen: Seen,
    },
    /// A version of a dispute.
    DisputeSeen {
        /// The provider's id.
        dispute: DisputeId,
        /// About which capture.
        capture: CaptureId,
        /// How much is disputed.
        amount: Money,
        /// Its state.
        state: DisputeState,
        /// What was taken until it is decided.
        withdrawn: Money,
        /// How often money was moved for it; orders versions of the same moment.
        #[serde(default)]
        moves: u32,
        /// Until when it must be answered.
        answer_by: Option<Timestamp>,
        /// By whose word.
        seen: Seen,
    },
    /// The card's network warns that a capture may be fraud; no money moves.
    FraudWarned {
        /// The provider's id.
        warning: String,
        /// About which capture.
        capture: CaptureId,
        /// The provider's reason, as a code.
        why: String,
        /// The provider's time.
        as_of: Timestamp,
    },
    /// A version of a review: the provider wants a person to look at a capture.
    ReviewSeen {
        /// The provider's id.
        review: String,
        /// About which capture.
        capture: CaptureId,
        /// How it stands.
        state: ReviewState,
        /// The provider's reason, as a code.
        why: String,
        /// By whose word.
        seen: Seen,
    },
    /// A person decided about a mismatch.
    ReviewResolved {
        /// The mismatch.
        id: String,
        /// Who.
        by: PersonId,
        /// Yes lets the capture count.
        answer: Answer,
    },
}

/// Whether a second person must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// One person is enough.
    NotNeeded,
    /// A second person must agree.
    Needed,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// Whether another try could be any better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasting {
    /// The provider refuses this order as such.
    ForGood,
    /// Another checkout may succeed.
    ForNow,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MismatchKind {
    /// Another currency than the order's.
    Currency,
    /// Another amount than the checkout's, at a provider that fixes it.
    Amount,
    /// A checkout that was never asked for.
    Checkout,
}

/// The state of a checkout, in the field's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutState {
    /// Can be paid.
    Open,
    /// The payer has agreed; the money moves when we take it.
    Approved,
    /// Done, and the bank is still working.
    CompleteUnpaid,
    /// The bank said no after all.
    Failed,
    /// Closed without payment.
    Expired,
    /// Done and paid.
    CompletePaid,
}

/// The state of a refund, in the field's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Waits for the payer.
    RequiresAction,
    /// Arrived.
    Succeeded,
    /// Came back.
    Failed,
    /// Called off.
    Canceled,
}

/// The state of a dispute, in the field's words. `Warning*` is an inquiry: no money was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The bank asks.
    WarningNeedsResponse,
    /// The bank reads our answer.
    WarningUnderReview,
    /// The bank is content.
    WarningClosed,
    /// Must be answered.
    NeedsResponse,
    /// The bank decides.
    UnderReview,
    /// Decided for the merchant.
    Won,
    /// Decided for the payer.
    Lost,
    /// Never became a dispute.
    Prevented,
}

/// How a review at the provider stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Somebody shall look.
    Open,
    /// Somebody has looked; what they did shows in refunds and disputes.
    Closed,
}

/// By whose word and of which moment: orders the versions of one object by the provider's time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seen {
    /// The provider's time.
    pub as_of: Timestamp,
    /// The event's or answer's id.
    pub event: String,
}

impl Fact {
    /// The natural key: a second fact with the same key is the same fact, and the first one stays.
    pub fn key(&self) -> String {
        match self {
            Self::Requested { .. } => "requested".into(),
            Self::ApprovalDecided { id, .. } => format!("approval/{id}"),
            Self::CheckoutAsked { n, .. } => format!("checkout-asked/{n}"),
            Self::CheckoutRefused { n, .. } => format!("checkout-refused/{n}"),
            Self::CheckoutDropped { n } => format!("checkout-dropped/{n}"),
            Self::CheckoutSeen { checkout, seen, .. } => format!("checkout/{checkout}/{}", seen.event),
            Self::CheckoutLeft { checkout } => format!("checkout-left/{checkout}"),
            Self::LinkOpened { k } => format!("opened/{k}"),
            Self::AttemptFailed { checkout, attempt, .. } => format!("attempt/{checkout}/{attempt}"),
            Self::Captured { capture, .. } => format!("captured/{capture}"),
            Self::CaptureReversed { capture, .. } => format!("capture-reversed/{capture}"),
            Self::Mismatch { id, .. } => format!("mismatch/{id}"),
            Self::CancelAsked { .. } => "cancel".into(),
            Self::Extended { until, .. } => format!("extended/{}", until.ms()),
            Self::DeadlinePassed { deadline } => format!("deadline/{}", deadline.ms()),
            Self::LateDecided { capture, .. } => format!("late/{capture}"),
            Self::RefundAsked { id, .. } => format!("refund-asked/{id}"),
            Self::RefundApproved { id, .. } => format!("refund-approved/{id}"),
            Self::RefundRefused { id, .. } => format!("refund-refused/{id}"),
            Self::RefundSeen { refund, seen, .. } => format!("refund/{refund}/{}", seen.event),
            Self::DisputeSeen { dispute, seen, .. } => format!("dispute/{dispute}/{}", seen.event),
            Self::FraudWarned { warning, .. } => format!("fraud-warning/{warning}"),
            Self::ReviewSeen { review, seen, .. } => format!("provider-review/{review}/{}", seen.event),
            Self::ReviewResolved { id, .. } => format!("review/{id}"),
        }
    }
}
