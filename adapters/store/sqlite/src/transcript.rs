//! Conversations: each line and each change takes the next number of its merchant, in the writer's transaction.
//!
//! One writer at a time holds the file, so numbers become visible in their order and no reader passes one by.

use crate::cells::Cells;
use crate::{Db, Result, Sqlite, failed, int, json};
use async_trait::async_trait;
use serde_json::Value;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;
use till_core::id::MerchantId;
use till_core::port::transcript::{Conversation, Line, NewLine, Readers, Scope, Transcript};
use till_core::time::Timestamp;

#[async_trait]
impl Transcript for Sqlite {
    async fn begin(&self, merchant: &MerchantId, id: &str, name: &str, now: Timestamp) -> Result<()> {
        let (merchant, id, name) = (merchant.clone(), id.to_owned(), name.to_owned());
        self.writer.write(move |db| Box::pin(async move { begin(db, &merchant, &id, &name, now).await })).await
    }

    async fn conversations(&self, merchant: &MerchantId, limit: u32) -> Result<Vec<Conversation>> {
        latest(&self.readers, merchant, limit).await
    }

    async fn conversation(&self, merchant: &MerchantId, id: &str) -> Result<Option<Conversation>> {
        conversation(&self.readers, merchant, id).await
    }

    async fn append(&self, merchant: &MerchantId, line: NewLine) -> Result<Option<Line>> {
        let merchant = merchant.clone();
        self.writer.write(move |db| Box::pin(async move { append(db, &merchant, &line).await })).await
    }

    async fn replace(&self, merchant: &MerchantId, id: i64, body: &Value, now: Timestamp) -> Result<Option<Line>> {
        let (merchant, body) = (merchant.clone(), body.clone());
        self.writer.write(move |db| Box::pin(async move { replace(db, &merchant, id, &body, now).await })).await
    }

    async fn since(&self, merchant: &MerchantId, scope: Scope<'_>, after: u64, limit: u32) -> Result<Vec<Line>> {
        let (db, after, limit) = (&self.readers, int(after), i64::from(limit));
        let rows = match scope {
            Scope::Desk => of_all(db, merchant, after, limit).await,
            Scope::Customer(conversation) => of_one(db, merchant, conversation, after, limit).await,
        };
        rows?.iter().map(line).collect()
    }
}

fn readers_name(readers: Readers) -> &'static str {
    match readers {
        Readers::Everyone => "everyone",
        Readers::Staff => "staff",
    }
}

async fn begin(db: &mut Db, merchant: &MerchantId, id: &str, name: &str, now: Timestamp) -> Result<()> {
    const SQL: &str = "INSERT INTO conversation (merchant, id, name, since, changed_at, seq) \
        VALUES (?1, ?2, ?3, ?4, ?4, 0) ON CONFLICT (merchant, id) DO NOTHING";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(id).bind(name).bind(now.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

async fn append(db: &mut Db, merchant: &MerchantId, new: &NewLine) -> Result<Option<Line>> {
    if let Some(known) = by_key(db, merchant, new).await? {
        return Ok(Some(known));
    }
    if !exists(db, merchant, &new.conversation).await? {
        return Ok(None);
    }
    let seq = next_number(db, merchant).await?;
    stamp(db, merchant, &new.conversation, seq, new.at).await?;
    add_line(db, merchant, new, seq).await.map(Some)
}

async fn replace(db: &mut Db, merchant: &MerchantId, id: i64, body: &Value, now: Timestamp) -> Result<Option<Line>> {
    let Some(known) = by_id(db, merchant, id).await? else { return Ok(None) };
    let seq = next_number(db, merchant).await?;
    stamp(db, merchant, &known.conversation, seq, now).await?;
    change_line(db, merchant, id, seq, body).await.map(Some)
}

async fn by_key(db: &mut Db, merchant: &MerchantId, new: &NewLine) -> Result<Option<Line>> {
    const SQL: &str = "SELECT id, seq, conversation, readers, author, name, body, at FROM line \
        WHERE merchant = ?1 AND conversation = ?2 AND key = ?3";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(&new.conversation).bind(&new.key);
    query.fetch_optional(db).await.map_err(failed)?.as_ref().map(line).transpose()
}

async fn by_id(db: &mut Db, merchant: &MerchantId, id: i64) -> Result<Option<Line>> {
    const SQL: &str = "SELECT id, seq, conversation, readers, author, name, body, at FROM line \
        WHERE merchant = ?1 AND id = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(id);
    query.fetch_optional(db).await.map_err(failed)?.as_ref().map(line).transpose()
}

async fn exists(db: &mut Db, merchant: &MerchantId, conversation: &str) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM conversation WHERE merchant = ?1 AND id = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(conversation);
    query.fetch_optional(db).await.map(|row| row.is_some()).map_err(failed)
}

async fn next_number(db: &mut Db, merchant: &MerchantId) -> Result<i64> {
    const SQL: &str = "INSERT INTO sequence (merchant, last) VALUES (?1, 1) \
        ON CONFLICT (merchant) DO UPDATE SET last = last + 1 RETURNING merchant, last";
    let row = sqlx::query(SQL).bind(merchant.as_str()).fetch_one(db).await.map_err(failed)?;
    Cells::of("sequence", &row).get("last")
}

/// Something changed in this conversation now.
async fn stamp(db: &mut Db, merchant: &MerchantId, conversation: &str, seq: i64, now: Timestamp) -> Result<()> {
    const SQL: &str = "UPDATE conversation SET changed_at = ?3, seq = ?4 WHERE merchant = ?1 AND id = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(conversation).bind(now.ms()).bind(seq);
    query.execute(db).await.map(drop).map_err(failed)
}

/// The number of its first change is the line's id as well.
async fn add_line(db: &mut Db, merchant: &MerchantId, new: &NewLine, seq: i64) -> Result<Line> {
    const SQL: &str = "INSERT INTO line (merchant, id, seq, conversation, key, readers, author, name, body, at) \
        VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
        RETURNING id, seq, conversation, readers, author, name, body, at";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(seq).bind(&new.conversation).bind(&new.key);
    let query = query.bind(readers_name(new.readers)).bind(&new.author).bind(&new.name);
    let row = query.bind(json(&new.body)?).bind(new.at.ms()).fetch_one(db).await.map_err(failed)?;
    line(&row)
}

async fn change_line(db: &mut Db, merchant: &MerchantId, id: i64, seq: i64, body: &Value) -> Result<Line> {
    const SQL: &str = "UPDATE line SET seq = ?3, body = ?4 WHERE merchant = ?1 AND id = ?2 \
        RETURNING id, seq, conversation, readers, author, name, body, at";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(id).bind(seq).bind(json(body)?);
    line(&query.fetch_one(db).await.map_err(failed)?)
}

async fn of_all(db: &SqlitePool, merchant: &MerchantId, after: i64, limit: i64) -> Result<Vec<SqliteRow>> {
    const SQL: &str = "SELECT id, seq, conversation, readers, author, name, body, at FROM line \
        WHERE merchant = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(after).bind(limit);
    query.fetch_all(db).await.map_err(failed)
}

async fn of_one(
    db: &SqlitePool,
    merchant: &MerchantId,
    conversation: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<SqliteRow>> {
    const SQL: &str = "SELECT id, seq, conversation, readers, author, name, body, at FROM line \
        WHERE merchant = ?1 AND conversation = ?2 AND readers = ?3 AND seq > ?4 ORDER BY seq LIMIT ?5";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(conversation).bind(readers_name(Readers::Everyone));
    query.bind(after).bind(limit).fetch_all(db).await.map_err(failed)
}

fn line(row: &SqliteRow) -> Result<Line> {
    let cells = Cells::of("line", row);
    let readers = cells.get::<&str>("readers")?;
    let named = [Readers::Everyone, Readers::Staff].into_iter().find(|it| readers_name(*it) == readers);
    Ok(Line {
        id: cells.get("id")?,
        seq: cells.number("seq")?,
        conversation: cells.get("conversation")?,
        readers: named.ok_or_else(|| cells.unreadable(format!("readers `{readers}`")))?,
        author: cells.get("author")?,
        name: cells.get("name")?,
        body: cells.json("body")?,
        at: cells.time("at")?,
    })
}

async fn conversation(db: &SqlitePool, merchant: &MerchantId, id: &str) -> Result<Option<Conversation>> {
    const SQL: &str = "SELECT id, name, since, changed_at, seq FROM conversation WHERE merchant = ?1 AND id = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(id);
    query.fetch_optional(db).await.map_err(failed)?.as_ref().map(conversation_of).transpose()
}

async fn latest(db: &SqlitePool, merchant: &MerchantId, limit: u32) -> Result<Vec<Conversation>> {
    const SQL: &str = "SELECT id, name, since, changed_at, seq FROM conversation WHERE merchant = ?1 \
        ORDER BY changed_at DESC, seq DESC, id LIMIT ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(i64::from(limit));
    query.fetch_all(db).await.map_err(failed)?.iter().map(conversation_of).collect()
}

fn conversation_of(row: &SqliteRow) -> Result<Conversation> {
    let cells = Cells::of("conversation", row);
    Ok(Conversation {
        id: cells.get("id")?,
        name: cells.get("name")?,
        since: cells.time("since")?,
        changed_at: cells.time("changed_at")?,
        seq: cells.number("seq")?,
    })
}
