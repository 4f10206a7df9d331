//! A second set of books: sums and status of a payment, worked out once more from its facts, slowly, by the table.
//!
//! Source: PAYMENTS.md F.1 (versions), F.2 (sums), F.3 (the first rule that fits).
//!
//! Deliberately absent: anything of `till_core::payment` but the facts and the names of the statuses. What these books
//! and Till's both get wrong is held against the provider's in the end.

use std::collections::{BTreeMap, BTreeSet};
use till_core::id::{CaptureId, RefundId};
use till_core::money::Money;
use till_core::payment::{Approval, CheckoutState, DisputeState, Fact, Lasting, RefundState, Status};

/// What the facts of one payment come to, in minor units of its currency.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Books {
    pub(super) asked: i64,
    pub(super) captured: i64,
    pub(super) refunded: i64,
    pub(super) reserved: i64,
    pub(super) on_its_way: i64,
    pub(super) withheld: i64,
    /// Money that does not fit, and nobody has decided about.
    pub(super) waits: bool,
    /// Money that counts nowhere, since the bank took it back, or it does not fit and was not accepted: what becomes of it
    /// stands in no sum either.
    held: BTreeSet<CaptureId>,
    agreed: Option<bool>,
    needs_second: bool,
    reversed: bool,
    lost: bool,
    disputed: bool,
    pending: bool,
    cancelled: bool,
    passed: bool,
    all_closed: bool,
    failed: bool,
    unanswered: bool,
}

/// The newest version of each object, by what orders its versions.
fn newest<'a, K: Ord, V: Ord, T>(versions: impl Iterator<Item = (K, V, &'a T)>) -> Vec<&'a T> {
    let mut all: BTreeMap<K, (V, &T)> = BTreeMap::new();
    for (key, version, fact) in versions {
        if all.get(&key).is_none_or(|(known, _)| *known < version) {
            all.insert(key, (version, fact));
        }
    }
    all.into_values().map(|(_, fact)| fact).collect()
}

impl Books {
    pub(super) fn of(facts: &[&Fact]) -> Self {
        let mut books = Self::default();
        let amount =
            facts.iter().find_map(|it| if let Fact::Requested { amount, .. } = it { Some(*amount) } else { None });
        let amount = amount.expect("a request");
        books.asked = amount.minor();
        let ours = |it: Money| if it.currency() == amount.currency() { it.minor() } else { 0 };
        books.money_in(facts, ours);
        books.money_out(facts, ours);
        books.disputes(facts, ours);
        books.checkouts(facts);
        books.time(facts);
        books
    }

    fn money_in(&mut self, facts: &[&Fact], ours: impl Fn(Money) -> i64) {
        let decided: BTreeMap<&str, bool> = facts
            .iter()
            .filter_map(|it| match it {
                Fact::ReviewResolved { id, answer, .. } => {
                    Some((id.as_str(), *answer == till_core::payment::Answer::Yes))
                }
                _ => None,
            })
            .collect();
        let odd: BTreeMap<&CaptureId, Option<bool>> = facts
            .iter()
            .filter_map(|it| match it {
                Fact::Mismatch { id, capture, .. } => Some((capture, decided.get(id.as_str()).copied())),
                _ => None,
            })
            .collect();
        let reversed = |id: &CaptureId| {
            facts.iter().any(|it| matches!(it, Fact::CaptureReversed { capture, .. } if capture == id))
        };
        for fact in facts {
            let Fact::Captured { capture, amount, .. } = fact else { continue };
            let verdict = odd.get(capture);
            self.waits |= verdict == Some(&None);
            if reversed(capture) || matches!(verdict, Some(None | Some(false))) {
                self.held.insert(capture.clone());
            }
            self.reversed |= reversed(capture) && matches!(verdict, None | Some(Some(true)));
            if !reversed(capture) && matches!(verdict, None | Some(Some(true))) {
                self.captured += ours(*amount);
            }
        }
    }

    fn money_out(&mut self, facts: &[&Fact], ours: impl Fn(Money) -> i64) {
        let decided = |state: RefundState| !matches!(state, RefundState::Pending | RefundState::RequiresAction);
        let seen = newest(facts.iter().filter_map(|it| match it {
            Fact::RefundSeen { refund, state, seen, .. } => {
                Some((refund, (decided(*state), seen.as_of, *state, &seen.event), *it))
            }
            _ => None,
        }));
        let mut known: BTreeSet<RefundId> = BTreeSet::new();
        for it in seen {
            let Fact::RefundSeen { ours: asked, amount, state, capture, .. } = it else { continue };
            known.extend(*asked);
            if self.held.contains(capture) {
                continue;
            }
            match state {
                RefundState::Succeeded => self.refunded += ours(*amount),
                RefundState::Pending | RefundState::RequiresAction => {
                    self.reserved += ours(*amount);
                    self.on_its_way += ours(*amount);
                }
                RefundState::Failed | RefundState::Canceled => {}
            }
        }
        for fact in facts {
            let Fact::RefundAsked { id, amount, .. } = fact else { continue };
            let refused = facts.iter().any(|it| matches!(it, Fact::RefundRefused { id: of, .. } if of == id));
            let approved = facts.iter().any(|it| matches!(it, Fact::RefundApproved { id: of, .. } if of == id));
            if !refused && !known.contains(id) {
                self.reserved += ours(*amount);
                self.on_its_way += if approved { ours(*amount) } else { 0 };
            }
        }
    }

    fn disputes(&mut self, facts: &[&Fact], ours: impl Fn(Money) -> i64) {
        let over =
            |state: DisputeState| matches!(state, DisputeState::Won | DisputeState::Lost | DisputeState::Prevented);
        let seen = newest(facts.iter().filter_map(|it| match it {
            Fact::DisputeSeen { dispute, state, moves, seen, .. } => {
                Some((dispute, (over(*state), seen.as_of, *moves, *state, &seen.event), *it))
            }
            _ => None,
        }));
        for it in seen {
            let Fact::DisputeSeen { state, withdrawn, capture, .. } = it else { continue };
            self.withheld += if self.held.contains(capture) { 0 } else { ours(*withdrawn) };
            self.lost |= *state == DisputeState::Lost;
            self.disputed |= matches!(state, DisputeState::NeedsResponse | DisputeState::UnderReview);
        }
    }

    fn checkouts(&mut self, facts: &[&Fact]) {
        let rank = |state: CheckoutState| match state {
            CheckoutState::Open | CheckoutState::Approved | CheckoutState::CompleteUnpaid => 0,
            CheckoutState::Failed | CheckoutState::Expired => 1,
            CheckoutState::CompletePaid => 2,
        };
        let mut numbers: BTreeSet<u32> = BTreeSet::new();
        let seen = newest(facts.iter().filter_map(|it| match it {
            Fact::CheckoutSeen { n, state, seen, checkout, .. } => {
                Some((*n, (rank(*state), seen.as_of, *state, &seen.event, checkout), *it))
            }
            _ => None,
        }));
        let states: BTreeMap<u32, _> = seen
            .into_iter()
            .filter_map(|it| match it {
                Fact::CheckoutSeen { n, state, checkout, .. } => Some((*n, (*state, checkout))),
                _ => None,
            })
            .collect();
        let (mut given_up, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for fact in facts {
            match fact {
                Fact::CheckoutAsked { n, .. } | Fact::CheckoutSeen { n, .. } => drop(numbers.insert(*n)),
                Fact::CheckoutDropped { n } => {
                    numbers.insert(*n);
                    given_up.insert(*n);
                }
                Fact::CheckoutRefused { n, lasting, .. } => {
                    numbers.insert(*n);
                    given_up.insert(*n);
                    if *lasting == Lasting::ForGood {
                        refused.insert(*n);
                    }
                }
                Fact::CheckoutLeft { checkout } => {
                    given_up.extend(states.iter().filter(|(_, (_, id))| *id == checkout).map(|(n, _)| *n));
                }
                _ => {}
            }
        }
        let state = |n: &u32| states.get(n).map(|(state, _)| *state);
        let closed = |n: &u32| match state(n) {
            Some(CheckoutState::Failed | CheckoutState::Expired | CheckoutState::CompletePaid) => true,
            Some(CheckoutState::CompleteUnpaid) => false,
            Some(CheckoutState::Open | CheckoutState::Approved) | None => given_up.contains(n),
        };
        self.pending = numbers.iter().any(|n| match state(n) {
            Some(CheckoutState::CompleteUnpaid) => true,
            Some(CheckoutState::Approved) => !given_up.contains(n),
            Some(
                CheckoutState::Open | CheckoutState::Failed | CheckoutState::Expired | CheckoutState::CompletePaid,
            )
            | None => false,
        });
        self.all_closed = numbers.iter().all(closed);
        self.failed = numbers.iter().next_back().is_some_and(|n| refused.contains(n));
        self.unanswered = numbers.iter().all(|n| state(n).is_none() && !given_up.contains(n));
    }

    fn time(&mut self, facts: &[&Fact]) {
        self.needs_second = facts.iter().any(|it| matches!(it, Fact::Requested { approval: Approval::Needed, .. }));
        self.agreed = facts.iter().find_map(|it| match it {
            Fact::ApprovalDecided { answer, .. } => Some(*answer == till_core::payment::Answer::Yes),
            _ => None,
        });
        self.cancelled = facts.iter().any(|it| matches!(it, Fact::CancelAsked { .. }));
        let deadlines = facts.iter().filter_map(|it| match it {
            Fact::Requested { deadline, .. } => Some(*deadline),
            Fact::Extended { until, .. } => Some(*until),
            _ => None,
        });
        let latest = deadlines.max();
        self.passed =
            facts.iter().any(|it| matches!(it, Fact::DeadlinePassed { deadline } if Some(*deadline) == latest));
    }

    pub(super) fn kept(&self) -> i64 {
        self.captured - self.refunded
    }

    /// The first rule that fits.
    pub(super) fn status(&self) -> Status {
        let kept = self.kept();
        let rules = [
            (self.waits || self.refunded > self.captured, Status::NeedsReview),
            (self.lost && kept - self.withheld <= 0, Status::ChargedBack),
            (self.disputed, Status::Disputed),
            (self.captured > 0 && kept == 0, Status::Refunded),
            (self.on_its_way > 0, Status::RefundPending),
            (kept > self.asked, Status::Overpaid),
            (kept == self.asked, Status::Paid),
            (self.captured >= self.asked && kept > 0 && kept < self.asked, Status::PartiallyRefunded),
            (self.captured > 0 && self.captured < self.asked, Status::PartiallyPaid),
            (self.pending, Status::Processing),
            (self.reversed, Status::Returned),
            (self.cancelled && !self.all_closed, Status::Cancelling),
            (self.cancelled, Status::Cancelled),
            (self.passed && !self.all_closed, Status::Closing),
            (self.passed, Status::Expired),
            (self.needs_second && self.agreed == Some(false), Status::Rejected),
            (self.needs_second && self.agreed.is_none(), Status::PendingApproval),
            (self.failed, Status::Failed),
            (self.unanswered, Status::Preparing),
        ];
        rules.into_iter().find(|(fits, _)| *fits).map_or(Status::Open, |(_, status)| status)
    }
}
