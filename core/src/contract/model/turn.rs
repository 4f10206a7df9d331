//! Whose turn it is: what makes a row of work claimable, and what a claim is worth.

use crate::port::store::Outcome;
use crate::time::Timestamp;
use std::time::Duration;

/// The part that all claimed rows share.
#[derive(Debug)]
pub(super) struct Turn {
    /// Not before; of a held row, the end of the lease.
    due: Timestamp,
    fence: i64,
    tries: u32,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Held,
    Done,
    Dead,
}

impl Turn {
    pub(super) fn new(due: Timestamp) -> Self {
        Self { due, fence: 0, tries: 0, state: State::Waiting }
    }

    pub(super) fn due(&self) -> Timestamp {
        self.due
    }

    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    /// Neither done nor given up.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting | State::Held)
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state == State::Dead
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.is_open() && self.due <= now
    }

    /// A claim stays good until the next one, even when its lease has ended.
    pub(super) fn is_held_by(&self, fence: i64) -> bool {
        self.state == State::Held && self.fence == fence
    }

    /// Gives the fence.
    pub(super) fn claim(&mut self, now: Timestamp, lease: Duration) -> i64 {
        (self.due, self.state) = (now.after(lease), State::Held);
        self.fence += 1;
        self.tries += 1;
        self.fence
    }

    pub(super) fn settle(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Done => self.state = State::Done,
            Outcome::Again { due, .. } => self.again(*due),
            Outcome::Unsent { due, .. } => {
                self.again(*due);
                self.tries -= 1;
            }
            Outcome::Dead { .. } => self.give_up(),
        }
    }

    pub(super) fn again(&mut self, due: Timestamp) {
        (self.due, self.state) = (due, State::Waiting);
    }

    /// Well done, until there is a reason to do it anew.
    pub(super) fn rest(&mut self, now: Timestamp) {
        self.again(now);
        self.tries = 0;
    }

    pub(super) fn give_up(&mut self) {
        self.state = State::Dead;
    }
}
