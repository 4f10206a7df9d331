//! Everything that happened, in order: written once, listed and delivered as the same bytes.
//!
//! The difficult character tells less: which order changed, and nothing of what became of it.

use crate::World;
use crate::db::Db;
use crate::knobs::Fate;
use crate::object::{Api, Checkout};
use crate::plain::Issuer;
use serde_json::{Value, json};
use std::time::Duration;
use till_core::time::Timestamp;

impl World {
    pub(crate) fn issuer(&self) -> Issuer<'_> {
        Issuer { account: &self.config.account, public_url: &self.config.public_url }
    }

    /// Writes an event about a checkout, and what the webhook is owed, into the transaction of what it tells of.
    pub(crate) async fn tell(
        &self,
        db: &mut Db,
        of: &Checkout,
        kind: &str,
        data: &Value,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let id = self.id("evt");
        let account = &self.config.account;
        let (body, is_wanted) = match of.api {
            Api::Plain => {
                let body = json!({
                    "id": id, "type": kind, "created_ms": now, "account": account, "livemode": false, "data": data,
                });
                (body, self.config.webhook.is_some())
            }
            Api::Difficult => {
                let custom_id = of.metadata.get("custom_id");
                let body = json!({"id": id, "type": "order.changed", "order": of.id, "custom_id": custom_id, "created": now.precise()});
                (body, self.config.hints.is_some())
            }
        };
        let written = sqlx::query("insert into events (id, created_ms, body, api, about) values (?, ?, ?, ?, ?)")
            .bind(id)
            .bind(now.ms())
            .bind(body.to_string())
            .bind(of.api.word())
            .bind(&of.id)
            .execute(&mut *db)
            .await?;
        let fate = if is_wanted { self.fate() } else { Fate { wait: Duration::ZERO, copies: 0 } };
        if fate.copies > 0 {
            sqlx::query("insert into deliveries (event, due_ms, copies) values (?, ?, ?)")
                .bind(written.last_insert_rowid())
                .bind(self.real_now().after(fate.wait).ms())
                .bind(fate.copies)
                .execute(db)
                .await?;
        }
        Ok(())
    }
}

/// Where an event stands in the list.
pub(crate) async fn position(db: &mut Db, api: Api, id: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select seq from events where id = ? and api = ?")
        .bind(id)
        .bind(api.word())
        .fetch_optional(db)
        .await
}

/// The bodies after a position, oldest first.
pub(crate) async fn after(db: &mut Db, api: Api, seq: i64, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select body from events where api = ? and seq > ? order by seq limit ?")
        .bind(api.word())
        .bind(seq)
        .bind(limit)
        .fetch_all(db)
        .await
}
