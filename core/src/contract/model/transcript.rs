//! The model's conversations: lines in a list, a sequence per merchant.

use super::Model;
use crate::id::MerchantId;
use crate::port::store::StoreError;
use crate::port::transcript::{Conversation, Line, NewLine, Readers, Scope, Transcript};
use crate::time::Timestamp;
use async_trait::async_trait;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A merchant's conversations by id, and lines by id, each with the key that it was written under.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<MerchantId, Chats>);

#[derive(Debug, Default)]
struct Chats {
    last_seq: u64,
    conversations: BTreeMap<String, Conversation>,
    lines: BTreeMap<i64, (String, Line)>,
}

impl Lines {
    fn of(&mut self, merchant: &MerchantId) -> &mut Chats {
        self.0.entry(merchant.clone()).or_default()
    }
}

impl Chats {
    /// The next number, given to a conversation that changes now. `None` when there is no such conversation.
    fn stamp(&mut self, conversation: &str, now: Timestamp) -> Option<u64> {
        let conversation = self.conversations.get_mut(conversation)?;
        self.last_seq += 1;
        (conversation.seq, conversation.changed_at) = (self.last_seq, now);
        Some(self.last_seq)
    }

    fn append(&mut self, new: NewLine) -> Option<Line> {
        let same = |(key, line): &&(String, Line)| *key == new.key && line.conversation == new.conversation;
        if let Some((_, known)) = self.lines.values().find(same) {
            return Some(known.clone());
        }
        let seq = self.stamp(&new.conversation, new.at)?;
        let NewLine { conversation, key, readers, author, name, body, at } = new;
        // The number of its first change is as good an id as any: unique per merchant.
        let id = i64::try_from(seq).ok()?;
        let line = Line { id, seq, conversation, readers, author, name, body, at };
        self.lines.insert(id, (key, line.clone()));
        Some(line)
    }

    fn replace(&mut self, id: i64, body: &Value, now: Timestamp) -> Option<Line> {
        let conversation = self.lines.get(&id)?.1.conversation.clone();
        let seq = self.stamp(&conversation, now)?;
        let (_, line) = self.lines.get_mut(&id)?;
        (line.seq, line.body) = (seq, body.clone());
        Some(line.clone())
    }
}

fn sees(scope: Scope<'_>, line: &Line) -> bool {
    match scope {
        Scope::Customer(conversation) => line.conversation == conversation && line.readers == Readers::Everyone,
        Scope::Desk => true,
    }
}

fn first<T>(of: impl Iterator<Item = T>, limit: u32) -> Vec<T> {
    of.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}

#[async_trait]
impl Transcript for Model {
    async fn begin(&self, merchant: &MerchantId, id: &str, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let (id, name) = (id.to_owned(), name.to_owned());
        let fresh = Conversation { id: id.clone(), name, since: now, changed_at: now, seq: 0 };
        self.rows().transcript.of(merchant).conversations.entry(id).or_insert(fresh);
        Ok(())
    }

    async fn conversations(&self, merchant: &MerchantId, limit: u32) -> Result<Vec<Conversation>, StoreError> {
        let mut rows = self.rows();
        let mut all: Vec<_> = rows.transcript.of(merchant).conversations.values().cloned().collect();
        all.sort_by_key(|it| (Reverse(it.changed_at), Reverse(it.seq), it.id.clone()));
        Ok(first(all.into_iter(), limit))
    }

    async fn conversation(&self, merchant: &MerchantId, id: &str) -> Result<Option<Conversation>, StoreError> {
        Ok(self.rows().transcript.of(merchant).conversations.get(id).cloned())
    }

    async fn append(&self, merchant: &MerchantId, line: NewLine) -> Result<Option<Line>, StoreError> {
        Ok(self.rows().transcript.of(merchant).append(line))
    }

    async fn replace(
        &self,
        merchant: &MerchantId,
        id: i64,
        body: &Value,
        now: Timestamp,
    ) -> Result<Option<Line>, StoreError> {
        Ok(self.rows().transcript.of(merchant).replace(id, body, now))
    }

    async fn since(
        &self,
        merchant: &MerchantId,
        scope: Scope<'_>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Line>, StoreError> {
        let mut rows = self.rows();
        let lines = rows.transcript.of(merchant).lines.values().map(|(_, line)| line);
        let mut new: Vec<_> = lines.filter(|line| line.seq > after && sees(scope, line)).cloned().collect();
        new.sort_by_key(|line| line.seq);
        Ok(first(new.into_iter(), limit))
    }
}
