//! The transcript: conversations of a chat whose far end is Till itself.
//!
//! Every line and every change of a line takes the next number of the merchant's sequence. A reader that remembers
//! the last number it saw misses nothing and sees nothing twice, whatever broke in between.

use crate::id::MerchantId;
use crate::port::store::StoreError;
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id, unique per merchant.
    pub id: i64,
    /// The number of its newest change in the merchant's sequence.
    pub seq: u64,
    /// Which conversation.
    pub conversation: String,
    /// Who may read it.
    pub readers: Readers,
    /// Who wrote it: `visitor`, `staff:ana`, `till`.
    pub author: String,
    /// Their name then.
    pub name: String,
    /// What: a text or a card, in the adapter's shape.
    pub body: Value,
    /// When it was written first.
    pub at: Timestamp,
}

/// Who may read a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    /// Customer and staff.
    Everyone,
    /// Staff alone.
    Staff,
}

/// A line to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// Which conversation; it must exist.
    pub conversation: String,
    /// Written once per key and conversation: a repeat gives the first line.
    pub key: String,
    /// Who may read it.
    pub readers: Readers,
    /// Who writes it.
    pub author: String,
    /// Their name.
    pub name: String,
    /// What.
    pub body: Value,
    /// When.
    pub at: Timestamp,
}

/// A conversation, for the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its id: the place's channel.
    pub id: String,
    /// The customer's name.
    pub name: String,
    /// When it began.
    pub since: Timestamp,
    /// When something was last written or changed.
    pub changed_at: Timestamp,
    /// The number of the newest change in it.
    pub seq: u64,
}

/// What of the transcript a reader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// One conversation, as the customer sees it.
    Customer(&'a str),
    /// Every conversation, as staff see it.
    Desk,
}

/// The conversations.
#[async_trait]
pub trait Transcript: Send + Sync {
    /// Begins a conversation; one that is there is left as it is.
    async fn begin(&self, merchant: &MerchantId, id: &str, name: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Conversations, latest change first; at most `limit`.
    async fn conversations(&self, merchant: &MerchantId, limit: u32) -> Result<Vec<Conversation>, StoreError>;

    /// One conversation.
    async fn conversation(&self, merchant: &MerchantId, id: &str) -> Result<Option<Conversation>, StoreError>;

    /// Writes a line. `None` when there is no such conversation.
    async fn append(&self, merchant: &MerchantId, line: NewLine) -> Result<Option<Line>, StoreError>;

    /// Changes a line's body and gives it the next number. `None` when there is no such line.
    async fn replace(
        &self,
        merchant: &MerchantId,
        id: i64,
        body: &Value,
        now: Timestamp,
    ) -> Result<Option<Line>, StoreError>;

    /// Lines changed after number `after`, in the order of their numbers; at most `limit`.
    async fn since(
        &self,
        merchant: &MerchantId,
        scope: Scope<'_>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Line>, StoreError>;
}
