//! Everything that happened, in order: written once, listed and delivered as the same bytes.

use crate::World;
use crate::db::Db;
use crate::object::Issuer;
use serde_json::{Value, json};
use till_core::time::Timestamp;

impl World {
    pub(crate) fn issuer(&self) -> Issuer<'_> {
        Issuer { account: &self.config.account, public_url: &self.config.public_url }
    }

    /// Writes an event, and what the webhook is owed, into the transaction of what it tells of.
    pub(crate) async fn tell(&self, db: &mut Db, kind: &str, data: &Value, now: Timestamp) -> sqlx::Result<()> {
        let id = self.id("evt");
        let account = &self.config.account;
        let body = json!({
            "id": id, "type": kind, "created_ms": now, "account": account, "livemode": false, "data": data,
        });
        let written = sqlx::query("insert into events (id, created_ms, body) values (?, ?, ?)")
            .bind(id)
            .bind(now.ms())
            .bind(body.to_string())
            .execute(&mut *db)
            .await?;
        if self.config.webhook.is_some() {
            sqlx::query("insert into deliveries (event, due_ms) values (?, ?)")
                .bind(written.last_insert_rowid())
                .bind(now.ms())
                .execute(db)
                .await?;
        }
        Ok(())
    }
}

/// Where an event stands in the list.
pub(crate) async fn position(db: &mut Db, id: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select seq from events where id = ?").bind(id).fetch_optional(db).await
}

/// The bodies after a position, oldest first.
pub(crate) async fn after(db: &mut Db, seq: i64, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select body from events where seq > ? order by seq limit ?")
        .bind(seq)
        .bind(limit)
        .fetch_all(db)
        .await
}
