//! Looking after the store: what waits and since when, what was given up and may be tried again, what may be forgotten.
//!
//! ```text
//! waiting, statuses ─► how much there is, and the oldest of each kind        for the doctor and for metrics
//! concerned ────────► payments that may differ from what the provider says   for the daily comparison
//! dead ─────────────► given up, newest first ─► revive ─► due now, and the clock of its keys goes on
//! forget ───────────► expired values, past moments, deliveries that were settled long ago
//! ```
//! Deliberately absent: deleting facts, or work that is done. Its keys are what makes a repeat harmless.

use crate::id::{Code, MerchantId, PaymentId};
use crate::payment::Status;
use crate::port::store::StoreError;
use crate::time::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeMap;

/// What a row of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetterKind {
    /// A call to a provider.
    Call,
    /// A message in a chat.
    Message,
    /// A card.
    Card,
    /// A parked delivery.
    Delivery,
}

impl LetterKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Call, Self::Message, Self::Card, Self::Delivery];

    /// The word for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Message => "message",
            Self::Card => "card",
            Self::Delivery => "delivery",
        }
    }
}

/// A row of work, as people look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What it is.
    pub kind: LetterKind,
    /// Its number among those of its kind.
    pub row: i64,
    /// Of which payment. None of a delivery: its payment is not known here.
    pub payment: Option<(PaymentId, Code)>,
    /// Its key; of a card, its place; of a delivery, its id at the provider.
    pub key: String,
    /// What stood in its way last; empty when nothing did. Never a secret or a body.
    pub why: String,
    /// When it was first due; of a card, since when it is behind; of a delivery, when it came.
    pub since: Timestamp,
    /// How often it was tried.
    pub tries: u32,
}

/// A row of work that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The row.
    pub letter: Letter,
    /// When it was given up.
    pub given_up: Timestamp,
}

/// Which dead letters are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of the merchant's.
    All,
    /// Those of one payment.
    Payment(PaymentId),
    /// This one.
    One {
        /// What it is.
        kind: LetterKind,
        /// Its number.
        row: i64,
    },
}

/// How much work of one kind there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Of which kind.
    pub kind: LetterKind,
    /// How much waits, due or not yet; of cards, those that are behind.
    pub open: u64,
    /// What has waited longest.
    pub oldest: Option<Letter>,
    /// How much was given up.
    pub dead: u64,
}

/// How full the queues are, for `/readyz`, the log and the crash test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Outbox rows that are neither done nor given up.
    pub work: u64,
    /// Cards that do not show their newest revision.
    pub cards: u64,
    /// Parked deliveries.
    pub parked: u64,
    /// Rows of any kind that were given up.
    pub dead: u64,
}

/// What is old enough to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    /// Kept values whose time ended at this moment or before it.
    pub expired: Timestamp,
    /// "The same a moment ago" from before this moment.
    pub asked: Timestamp,
    /// Deliveries that came before this moment, and were settled or given up: what they said. That they came stays.
    pub delivered: Timestamp,
}

/// Which payments may differ from what their provider says: those of late, and older ones that still change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concerns {
    /// All that were made at this moment or later.
    pub since: Timestamp,
    /// Of the older ones, those of these statuses.
    pub or: Vec<Status>,
    /// Only what comes after this one in the list: the next page.
    pub after: Option<(Timestamp, PaymentId)>,
    /// At most this many.
    pub limit: u32,
}

/// The part of a store that looks after it.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// What waits, in the order of [`LetterKind::ALL`].
    async fn waiting(&self, merchant: &MerchantId) -> Result<Vec<Waiting>, StoreError>;

    /// What was given up, newest first.
    async fn dead(&self, merchant: &MerchantId, which: Which, limit: u32) -> Result<Vec<DeadLetter>, StoreError>;

    /// Makes what was given up due now; says how many. Its tries are counted anew, from one: the next one is no first
    /// try, since an earlier one may have had its effect. When it was written stays, so that a key that the provider
    /// has forgotten by now is looked up, as it would have been before.
    async fn revive(&self, merchant: &MerchantId, which: Which, now: Timestamp) -> Result<u64, StoreError>;

    /// How many payments there are of each status that there is, by the status when they were last written.
    async fn statuses(&self, merchant: &MerchantId) -> Result<BTreeMap<Status, u64>, StoreError>;

    /// Payments that may differ from what their provider says, newest first, each with when it was made.
    async fn concerned(
        &self,
        merchant: &MerchantId,
        concerns: &Concerns,
    ) -> Result<Vec<(Timestamp, PaymentId)>, StoreError>;

    /// Deletes what is old, from at most `limit` rows of each sort; says of how many. Of all merchants.
    async fn forget(&self, old: Old, limit: u32) -> Result<u64, StoreError>;
}
