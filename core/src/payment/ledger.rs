//! The ledger of one payment: its facts, folded into checkouts, captures, refunds and disputes, and their sums.

use super::fact::{Answer, Approval, CheckoutState, DisputeState, Fact, Lasting, RefundState, ReviewState, Seen};
use crate::id::{CaptureId, CheckoutId, DisputeId, PspRefundId, RefundId};
use crate::money::{Currency, Money};
use crate::place::PersonId;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A payment, as its facts tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What was asked.
    pub amount: Money,
    /// Who asked.
    pub asked_by: PersonId,
    /// The current deadline: the latest of the request's and every extension's.
    pub deadline: Timestamp,
    /// Whether the current deadline has passed.
    pub deadline_passed: bool,
    /// Whether a second person must agree, and what they said.
    pub approval: (Approval, Option<Answer>),
    /// Who wants nobody to pay this any more.
    pub cancelled_by: Option<PersonId>,
    /// By number.
    pub checkouts: BTreeMap<u32, Checkout>,
    /// By the provider's id.
    pub captures: BTreeMap<CaptureId, Capture>,
    /// Refunds asked here, by our id.
    pub refunds_asked: BTreeMap<RefundId, RefundAsk>,
    /// Refunds that the provider knows, by its id.
    pub refunds: BTreeMap<PspRefundId, Refund>,
    /// By the provider's id.
    pub disputes: BTreeMap<DisputeId, Dispute>,
    /// Warnings of fraud, by the provider's id: the provider's reason.
    pub fraud_warnings: BTreeMap<String, String>,
    /// Reviews at the provider, by its id.
    pub reviews: BTreeMap<String, Review>,
    /// How often *Pay* was pressed on our page.
    pub openings: u32,
    /// Declined attempts: checkout, attempt, why.
    pub attempts: BTreeMap<(CheckoutId, String), (Timestamp, String)>,
}

/// A checkout, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Checkout {
    /// What it asks for; `None` when the provider knows one that we do not.
    pub amount: Option<Money>,
    /// The provider's id and newest version.
    pub seen: Option<(CheckoutId, CheckoutState, Seen)>,
    /// When it closes by itself.
    pub closes_at: Option<Timestamp>,
    /// The provider's time of its earliest version in which the payer was done: approved or `complete-*`.
    pub completed_at: Option<Timestamp>,
    /// Why it is closed, where that is not the provider's state.
    pub closed: Option<Closed>,
}

/// Why a checkout is closed although the provider did not say so. Of several reasons the greatest stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// Never sent.
    Dropped,
    /// Refused by the provider.
    Refused(String, Lasting),
    /// Nobody is sent there any more.
    Left,
}

impl Checkout {
    /// The provider's state, where there is one.
    pub fn state(&self) -> Option<CheckoutState> {
        self.seen.as_ref().map(|(_, state, _)| *state)
    }

    /// Asked, and no answer yet.
    pub fn is_unanswered(&self) -> bool {
        self.seen.is_none() && self.closed.is_none()
    }

    /// Can be paid now.
    pub fn is_usable(&self) -> bool {
        self.closed.is_none() && self.state() == Some(CheckoutState::Open)
    }

    /// Done by the payer, and the money is not there yet.
    pub fn is_pending(&self) -> bool {
        match self.state() {
            Some(CheckoutState::CompleteUnpaid) => true,
            Some(CheckoutState::Approved) => self.closed.is_none(),
            Some(
                CheckoutState::Open | CheckoutState::Failed | CheckoutState::Expired | CheckoutState::CompletePaid,
            )
            | None => false,
        }
    }

    /// Nobody is sent there any more, and the provider still lets it be paid.
    pub fn is_left_open(&self) -> bool {
        self.closed == Some(Closed::Left) && self.state() == Some(CheckoutState::Open)
    }

    /// Nothing more is expected of it.
    pub fn is_closed(&self) -> bool {
        match self.state() {
            Some(CheckoutState::Failed | CheckoutState::Expired | CheckoutState::CompletePaid) => true,
            Some(CheckoutState::CompleteUnpaid) => false,
            Some(CheckoutState::Open | CheckoutState::Approved) | None => self.closed.is_some(),
        }
    }
}

/// Money that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Through which checkout.
    pub checkout: CheckoutId,
    /// How much.
    pub amount: Money,
    /// The provider's time.
    pub as_of: Timestamp,
    /// Whether the bank took it back.
    pub reversed: bool,
    /// A mismatch holds it until a person accepts it.
    pub held: Held,
    /// What staff decided about its lateness.
    pub late: Option<Answer>,
}

/// Whether a mismatch holds a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It fits, or was accepted.
    Free,
    /// Waits for a person.
    Waiting,
    /// A person rejected it.
    Rejected,
}

impl Capture {
    /// Whether it stands in the sums.
    pub(super) fn counts(&self) -> bool {
        !self.reversed && self.held == Held::Free
    }
}

/// A refund that was asked for here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAsk {
    /// From which capture.
    pub capture: CaptureId,
    /// How much.
    pub amount: Money,
    /// Who.
    pub by: PersonId,
    /// Whether it may leave.
    pub approved: bool,
    /// Why it will not be made.
    pub refused: Option<String>,
}

/// A refund, as the provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Ours, when we asked for it.
    pub ours: Option<RefundId>,
    /// From which capture.
    pub capture: CaptureId,
    /// How much.
    pub amount: Money,
    /// Its newest state.
    pub state: RefundState,
    /// By whose word.
    pub seen: Seen,
}

/// A dispute, as the provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// About which capture.
    pub capture: CaptureId,
    /// How much is disputed.
    pub amount: Money,
    /// Its newest state.
    pub state: DisputeState,
    /// What was taken until it is decided.
    pub withdrawn: Money,
    /// How often money was moved for it.
    pub moves: u32,
    /// Until when it must be answered.
    pub answer_by: Option<Timestamp>,
    /// By whose word.
    pub seen: Seen,
}

/// A review, as the provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// How it stands.
    pub state: ReviewState,
    /// The provider's reason, as a code.
    pub why: String,
    /// By whose word.
    pub seen: Seen,
}

/// Sums in minor units of the payment's currency. Source: PAYMENTS.md F.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    /// The payment's currency.
    pub currency: Currency,
    /// What was asked.
    pub amount: i64,
    /// Captures that were not reversed and are not held by a mismatch.
    pub captured: i64,
    /// Refunds that arrived.
    pub refunded: i64,
    /// Refunds asked or on their way.
    pub reserved: i64,
    /// The part of `reserved` that may leave or has left.
    pub refund_pending: i64,
    /// Taken by open or lost disputes.
    pub withheld: i64,
}

impl Sums {
    /// Captured and not refunded.
    pub fn kept(&self) -> i64 {
        self.captured.saturating_sub(self.refunded)
    }

    /// Kept and not withheld.
    pub fn net(&self) -> i64 {
        self.kept().saturating_sub(self.withheld)
    }

    /// What can still be asked back; never negative.
    pub fn refundable(&self) -> i64 {
        self.kept().saturating_sub(self.reserved).max(0)
    }

    /// What is still owed; never negative.
    pub fn missing(&self) -> i64 {
        self.amount.saturating_sub(self.captured).max(0)
    }

    /// A sum with its currency.
    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }
}

/// What facts say about objects that other facts bring.
#[derive(Default)]
struct Later<'a> {
    passed: BTreeSet<Timestamp>,
    left: BTreeSet<&'a CheckoutId>,
    mismatches: BTreeMap<&'a str, &'a CaptureId>,
    reviews: BTreeMap<&'a str, Answer>,
    reversed: BTreeSet<&'a CaptureId>,
    late: BTreeMap<&'a CaptureId, Answer>,
    approved: BTreeSet<RefundId>,
    refused: BTreeMap<RefundId, &'a str>,
}

impl Payment {
    /// Folds facts in any order, with any number of copies. `None` when nothing was requested.
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a Fact> + Clone) -> Option<Self> {
        let requested = |fact: &'a Fact| {
            let Fact::Requested { amount, deadline, approval, by } = fact else { return None };
            Some(Self::requested(*amount, *deadline, *approval, by))
        };
        let mut payment = facts.clone().into_iter().find_map(requested)?;
        let mut later = Later::default();
        for fact in facts {
            payment.add(fact, &mut later);
        }
        payment.lay_on(&later);
        Some(payment)
    }

    /// Lays on what refers to another object, last, so that the order of facts cannot matter.
    fn lay_on(&mut self, later: &Later<'_>) {
        self.deadline_passed = later.passed.contains(&self.deadline);
        for checkout in self.checkouts.values_mut() {
            if checkout.seen.as_ref().is_some_and(|(id, ..)| later.left.contains(id)) && checkout.closed.is_none() {
                checkout.closed = Some(Closed::Left);
            }
        }
        for (id, capture) in &later.mismatches {
            if let Some(capture) = self.captures.get_mut(*capture) {
                capture.held = match later.reviews.get(id) {
                    None => Held::Waiting,
                    Some(Answer::Yes) => Held::Free,
                    Some(Answer::No) => Held::Rejected,
                };
            }
        }
        for (id, capture) in &mut self.captures {
            capture.reversed = later.reversed.contains(id);
            capture.late = later.late.get(id).copied();
        }
        for (id, ask) in &mut self.refunds_asked {
            ask.approved = later.approved.contains(id);
            ask.refused = later.refused.get(id).map(|why| (*why).to_owned());
        }
    }

    fn requested(amount: Money, deadline: Timestamp, approval: Approval, by: &PersonId) -> Self {
        Self {
            amount,
            asked_by: by.clone(),
            deadline,
            deadline_passed: false,
            approval: (approval, None),
            cancelled_by: None,
            checkouts: BTreeMap::new(),
            captures: BTreeMap::new(),
            refunds_asked: BTreeMap::new(),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            fraud_warnings: BTreeMap::new(),
            reviews: BTreeMap::new(),
            openings: 0,
            attempts: BTreeMap::new(),
        }
    }

    /// Adds what one fact says by itself, and remembers what it says about another object.
    fn add<'a>(&mut self, fact: &'a Fact, later: &mut Later<'a>) {
        match fact {
            Fact::Requested { .. } => {}
            Fact::DeadlinePassed { deadline } => drop(later.passed.insert(*deadline)),
            Fact::CheckoutLeft { checkout } => drop(later.left.insert(checkout)),
            Fact::CaptureReversed { capture, .. } => drop(later.reversed.insert(capture)),
            Fact::Mismatch { id, capture, .. } => drop(later.mismatches.insert(id, capture)),
            Fact::ReviewResolved { id, answer, .. } => drop(later.reviews.insert(id, *answer)),
            Fact::LateDecided { capture, answer, .. } => drop(later.late.insert(capture, *answer)),
            Fact::RefundApproved { id, .. } => drop(later.approved.insert(*id)),
            Fact::RefundRefused { id, why } => drop(later.refused.insert(*id, why)),
            Fact::ApprovalDecided { answer, .. } => self.approval.1 = Some(*answer),
            Fact::CheckoutAsked { n, amount } => self.checkouts.entry(*n).or_default().amount = Some(*amount),
            Fact::CheckoutRefused { n, why, lasting } => {
                self.close_checkout(*n, Closed::Refused(why.clone(), *lasting));
            }
            Fact::CheckoutDropped { n } => self.close_checkout(*n, Closed::Dropped),
            Fact::CheckoutSeen { checkout, n, state, closes_at, seen } => {
                self.see_checkout(*n, checkout, *state, *closes_at, seen);
            }
            Fact::LinkOpened { k } => self.openings = self.openings.max(*k),
            Fact::AttemptFailed { checkout, attempt, why, as_of } => {
                self.attempts.insert((checkout.clone(), attempt.clone()), (*as_of, why.clone()));
            }
            Fact::Captured { capture, checkout, amount, as_of } => {
                let fresh = Capture {
                    checkout: checkout.clone(),
                    amount: *amount,
                    as_of: *as_of,
                    reversed: false,
                    held: Held::Free,
                    late: None,
                };
                self.captures.insert(capture.clone(), fresh);
            }
            Fact::CancelAsked { by } => self.cancelled_by = Some(by.clone()),
            Fact::Extended { until, .. } => self.deadline = self.deadline.max(*until),
            Fact::RefundAsked { id, capture, amount, by } => {
                let ask = RefundAsk {
                    capture: capture.clone(),
                    amount: *amount,
                    by: by.clone(),
                    approved: false,
                    refused: None,
                };
                self.refunds_asked.insert(*id, ask);
            }
            Fact::RefundSeen { refund, ours, capture, amount, state, seen } => {
                let new = Refund {
                    ours: *ours,
                    capture: capture.clone(),
                    amount: *amount,
                    state: *state,
                    seen: seen.clone(),
                };
                let version = |it: &Refund| (it.state.is_terminal(), it.seen.as_of, it.state, it.seen.event.clone());
                keep_newest(&mut self.refunds, refund, new, version);
            }
            Fact::DisputeSeen { dispute, capture, amount, state, withdrawn, moves, answer_by, seen } => {
                let new = Dispute {
                    capture: capture.clone(),
                    amount: *amount,
                    state: *state,
                    withdrawn: *withdrawn,
                    moves: *moves,
                    answer_by: *answer_by,
                    seen: seen.clone(),
                };
                // Moves of money are never undone, so of two versions of a moment the one with more is the newer.
                let version =
                    |it: &Dispute| (it.state.is_terminal(), it.seen.as_of, it.moves, it.state, it.seen.event.clone());
                keep_newest(&mut self.disputes, dispute, new, version);
            }
            Fact::FraudWarned { warning, why, .. } => drop(self.fraud_warnings.insert(warning.clone(), why.clone())),
            Fact::ReviewSeen { review, capture: _, state, why, seen } => {
                let new = Review { state: *state, why: why.clone(), seen: seen.clone() };
                let version = |it: &Review| (it.seen.as_of, it.state, it.seen.event.clone());
                keep_newest(&mut self.reviews, review, new, version);
            }
        }
    }

    fn close_checkout(&mut self, n: u32, why: Closed) {
        let closed = &mut self.checkouts.entry(n).or_default().closed;
        *closed = closed.take().max(Some(why));
    }

    fn see_checkout(
        &mut self,
        n: u32,
        id: &CheckoutId,
        state: CheckoutState,
        closes_at: Option<Timestamp>,
        seen: &Seen,
    ) {
        // Paid beats failed and expired whatever the clock says; those beat everything that is not final.
        let finality = |state: CheckoutState| match state {
            CheckoutState::Open | CheckoutState::Approved | CheckoutState::CompleteUnpaid => 0,
            CheckoutState::Failed | CheckoutState::Expired => 1,
            CheckoutState::CompletePaid => 2,
        };
        let version = |(id, state, seen): &(CheckoutId, CheckoutState, Seen)| {
            (finality(*state), seen.as_of, *state, seen.event.clone(), id.clone())
        };
        let checkout = self.checkouts.entry(n).or_default();
        let new = (id.clone(), state, seen.clone());
        if checkout.seen.as_ref().is_none_or(|old| version(old) < version(&new)) {
            checkout.seen = Some(new);
        }
        checkout.closes_at = checkout.closes_at.max(closes_at);
        let done = [CheckoutState::Approved, CheckoutState::CompleteUnpaid, CheckoutState::CompletePaid];
        if done.contains(&state) {
            let earliest = checkout.completed_at.map_or(seen.as_of, |known| known.min(seen.as_of));
            checkout.completed_at = Some(earliest);
        }
    }

    /// Sums of what happened. Amounts of another currency count only in a mismatch, never here.
    pub fn sums(&self) -> Sums {
        let currency = self.amount.currency();
        let sum = |parts: &mut dyn Iterator<Item = Money>| {
            parts.filter(|part| part.currency() == currency).fold(0_i64, |sum, part| sum.saturating_add(part.minor()))
        };
        let seen: BTreeSet<RefundId> = self.refunds.values().filter_map(|refund| refund.ours).collect();
        // What does not count as received does not count as given back either.
        let held = |id: &CaptureId| self.captures.get(id).is_some_and(|capture| !capture.counts());
        let in_state = |states: &'static [RefundState]| {
            let fits = move |it: &&Refund| states.contains(&it.state) && !held(&it.capture);
            self.refunds.values().filter(fits).map(|refund| refund.amount)
        };
        let asked = || {
            self.refunds_asked
                .iter()
                .filter(|(id, ask)| ask.refused.is_none() && !seen.contains(id))
                .map(|(_, ask)| ask)
        };
        let on_its_way = sum(&mut in_state(&[RefundState::Pending, RefundState::RequiresAction]));
        let approved = sum(&mut asked().filter(|ask| ask.approved).map(|ask| ask.amount));
        Sums {
            currency,
            amount: self.amount.minor(),
            captured: sum(&mut self.captures.values().filter(|capture| capture.counts()).map(|capture| capture.amount)),
            refunded: sum(&mut in_state(&[RefundState::Succeeded])),
            reserved: sum(&mut asked().map(|ask| ask.amount)).saturating_add(on_its_way),
            refund_pending: approved.saturating_add(on_its_way),
            withheld: sum(&mut self.disputes.values().filter(|it| !held(&it.capture)).map(|it| it.withdrawn)),
        }
    }

    /// What can still be asked back from one capture.
    pub fn refundable(&self, id: &CaptureId) -> Money {
        let none = Money::zero(self.amount.currency());
        let Some(capture) = self.captures.get(id).filter(|capture| capture.counts()) else { return none };
        let seen: BTreeSet<RefundId> = self.refunds.values().filter_map(|refund| refund.ours).collect();
        let asked = self
            .refunds_asked
            .iter()
            .filter(|(ours, ask)| ask.capture == *id && ask.refused.is_none() && !seen.contains(ours));
        let made = self.refunds.values().filter(|refund| {
            refund.capture == *id && !matches!(refund.state, RefundState::Failed | RefundState::Canceled)
        });
        let gone = asked.map(|(_, ask)| ask.amount).chain(made.map(|refund| refund.amount));
        let left = gone.fold(capture.amount.minor(), |left, part| left.saturating_sub(part.minor()));
        if capture.amount.currency() == none.currency() { Money::new(left.max(0), none.currency()) } else { none }
    }

    /// What the provider has sent back of one capture, or is sending: refunds that neither failed nor were called off.
    pub fn gone_back(&self, id: &CaptureId) -> Money {
        let gone = |refund: &&Refund| {
            refund.capture == *id && !matches!(refund.state, RefundState::Failed | RefundState::Canceled)
        };
        let sum = self.refunds.values().filter(gone).fold(0_i64, |sum, it| sum.saturating_add(it.amount.minor()));
        Money::new(sum, self.captures.get(id).map_or(self.amount, |capture| capture.amount).currency())
    }

    /// Refunds that came back, by the provider's id.
    pub fn refunds_failed(&self) -> impl Iterator<Item = (&PspRefundId, &Refund)> {
        self.refunds.iter().filter(|(_, refund)| refund.state == RefundState::Failed)
    }

    /// Disputes that are only an inquiry so far: no money was taken, and an answer may keep it so.
    pub fn inquiries(&self) -> impl Iterator<Item = (&DisputeId, &Dispute)> {
        let asks = |state| matches!(state, DisputeState::WarningNeedsResponse | DisputeState::WarningUnderReview);
        self.disputes.iter().filter(move |(_, dispute)| asks(dispute.state))
    }

    /// Until when the bank must be answered: the earliest moment of an inquiry or dispute that waits for an answer.
    pub fn answer_by(&self) -> Option<Timestamp> {
        let waits = |state| matches!(state, DisputeState::WarningNeedsResponse | DisputeState::NeedsResponse);
        self.disputes.values().filter(|it| waits(it.state)).filter_map(|it| it.answer_by).min()
    }

    /// Whether the goods should be held back although the money is there: a warning of fraud, or an open review.
    pub fn is_suspect(&self) -> bool {
        !self.fraud_warnings.is_empty() || self.reviews.values().any(|review| review.state == ReviewState::Open)
    }

    /// The checkout that can be paid now, if there is one.
    pub fn usable(&self) -> Option<(u32, &CheckoutId)> {
        self.checkouts.iter().filter(|(_, checkout)| checkout.is_usable()).find_map(|(n, checkout)| {
            let (id, ..) = checkout.seen.as_ref()?;
            Some((*n, id))
        })
    }

    /// When it was paid: the provider's time at which the payer was done, of the latest capture that counts.
    ///
    /// Not when the money was there: a provider that is asked does not tell that of a bank debit, a webhook does, and
    /// the receipt shall say the same whichever came first.
    pub fn paid_at(&self) -> Option<Timestamp> {
        let done = |capture: &Capture| {
            let through = |it: &&Checkout| it.seen.as_ref().is_some_and(|(id, ..)| *id == capture.checkout);
            let completed = self.checkouts.values().find(through).and_then(|it| it.completed_at);
            completed.unwrap_or(capture.as_of)
        };
        self.captures.values().filter(|capture| capture.counts()).map(done).max()
    }
}

fn keep_newest<K: Ord + Clone, V, O: Ord>(all: &mut BTreeMap<K, V>, id: &K, new: V, version: impl Fn(&V) -> O) {
    if all.get(id).is_none_or(|old| version(old) < version(&new)) {
        all.insert(id.clone(), new);
    }
}

impl RefundState {
    /// Whether the provider has decided. A success can still come back as failed (bank return), by a later version.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::RequiresAction => false,
            Self::Succeeded | Self::Failed | Self::Canceled => true,
        }
    }
}

impl DisputeState {
    /// Whether the bank has yet to decide.
    pub fn is_undecided(self) -> bool {
        match self {
            Self::WarningNeedsResponse | Self::WarningUnderReview | Self::NeedsResponse | Self::UnderReview => true,
            Self::WarningClosed | Self::Won | Self::Lost | Self::Prevented => false,
        }
    }

    /// Whether the bank has decided. A lost one can still be won in a second round, by a later version.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::WarningNeedsResponse
            | Self::WarningUnderReview
            | Self::WarningClosed
            | Self::NeedsResponse
            | Self::UnderReview => false,
            Self::Won | Self::Lost | Self::Prevented => true,
        }
    }
}
