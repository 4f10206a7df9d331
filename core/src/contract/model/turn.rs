//! Whose turn it is: what makes a row of work claimable, and what a claim is worth.

use crate::port::store::Outcome;
use crate::time::Timestamp;
use std::time::Duration;

/// The part that all claimed rows share.
#[derive(Debug)]
pub(super) struct Turn {
    /// Not before; of a held row, the end of the lease.
    due: Timestamp,
    /// When it was first due.
    owed: Timestamp,
    fence: i64,
    tries: u32,
    state: State,
    /// What stood in its way last.
    why: String,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Held,
    Done,
    Dead(Timestamp),
}

impl Turn {
    pub(super) fn new(due: Timestamp) -> Self {
        Self { due, owed: due, fence: 0, tries: 0, state: State::Waiting, why: String::new() }
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

    /// When it was given up, if it was.
    pub(super) fn given_up(&self) -> Option<Timestamp> {
        if let State::Dead(at) = self.state { Some(at) } else { None }
    }

    pub(super) fn owed(&self) -> Timestamp {
        self.owed
    }

    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// It is owed from now on, and not since it was owed last.
    pub(super) fn owe(&mut self, from: Timestamp) {
        self.owed = from;
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

    pub(super) fn settle(&mut self, outcome: &Outcome, now: Timestamp) {
        match outcome {
            Outcome::Done => self.finish(),
            Outcome::Again { due, why } => self.again(*due, why),
            Outcome::Unsent { due, why } => {
                self.again(*due, why);
                self.owe(*due);
                self.tries -= 1;
            }
            Outcome::Dead { why } => self.give_up(now, why),
        }
    }

    pub(super) fn finish(&mut self) {
        self.state = State::Done;
        self.why.clear();
    }

    pub(super) fn again(&mut self, due: Timestamp, why: &str) {
        (self.due, self.state) = (due, State::Waiting);
        why.clone_into(&mut self.why);
    }

    /// Well done, until there is a reason to do it anew.
    pub(super) fn rest(&mut self, now: Timestamp) {
        self.again(now, "");
        self.tries = 0;
    }

    pub(super) fn give_up(&mut self, now: Timestamp, why: &str) {
        self.state = State::Dead(now);
        why.clone_into(&mut self.why);
    }

    /// Given up, and due all the same. Its next try is not its first.
    pub(super) fn revive(&mut self, now: Timestamp) {
        (self.due, self.state) = (now, State::Waiting);
        self.tries = self.tries.min(1);
    }
}
