//! Refunds: money that goes back, never more than is left of what was paid.

use crate::World;
use crate::ask::NewRefund;
use crate::db::Db;
use crate::object::Refund;
use crate::problem::{Failure, Problem};
use serde_json::{Value, json};
use till_core::money::{Currency, Money};
use till_core::time::Timestamp;

impl World {
    /// Makes a refund; it succeeds at once.
    pub(crate) async fn refund(&self, db: &mut Db, new: &NewRefund, now: Timestamp) -> Result<Value, Failure> {
        let amount = new.checked()?;
        let left = left(db, &new.payment).await?.ok_or_else(|| Problem::not_found("payment"))?;
        if left.currency() != amount.currency() {
            return Err(Problem::refused("currency", "a refund has the payment's currency").into());
        }
        if left.minor() < amount.minor() {
            return Err(Problem::refused("refund_too_large", format!("only {left} is left to refund")).into());
        }
        let id = self.id("re");
        sqlx::query("insert into refunds (id, capture, amount_minor, metadata, created_ms) values (?, ?, ?, ?, ?)")
            .bind(&id)
            .bind(&new.payment)
            .bind(amount.minor())
            .bind(json!(new.metadata).to_string())
            .bind(now.ms())
            .execute(&mut *db)
            .await?;
        let refund = by_id(db, &id).await?.json(self.issuer(), now);
        self.tell(db, "refund.succeeded", &json!({"object": refund}), now).await?;
        Ok(refund)
    }
}

/// What is left of a payment; none when there is no such payment.
async fn left(db: &mut Db, capture: &str) -> sqlx::Result<Option<Money>> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "select amount_minor - (select coalesce(sum(amount_minor), 0) from refunds r where r.capture = c.capture),
           currency
         from checkouts c where c.capture = ?",
    )
    .bind(capture)
    .fetch_optional(db)
    .await?;
    let money = |(minor, code): (i64, String)| {
        let currency = Currency::parse(&code).map_err(|why| sqlx::Error::Decode(why.to_string().into()))?;
        Ok(Money::new(minor, currency))
    };
    row.map(money).transpose()
}

async fn by_id(db: &mut Db, id: &str) -> sqlx::Result<Refund> {
    sqlx::query_as(
        "select r.*, c.id as checkout, c.currency, c.metadata as payment_metadata
         from refunds r join checkouts c on c.capture = r.capture where r.id = ?",
    )
    .bind(id)
    .fetch_one(db)
    .await
}

/// The refunds out of this money, oldest first.
pub(crate) async fn out_of(db: &mut Db, capture: &str) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as(
        "select r.*, c.id as checkout, c.currency, c.metadata as payment_metadata
         from refunds r join checkouts c on c.capture = r.capture where r.capture = ? order by r.seq",
    )
    .bind(capture)
    .fetch_all(db)
    .await
}

/// The refunds that carry these labels, oldest first.
pub(crate) async fn of(db: &mut Db, payment: &str, refund: &str) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as(
        "select r.*, c.id as checkout, c.currency, c.metadata as payment_metadata
         from refunds r join checkouts c on c.capture = r.capture
         where r.metadata ->> '$.till_payment' = ? and r.metadata ->> '$.till_refund' = ? order by r.seq",
    )
    .bind(payment)
    .bind(refund)
    .fetch_all(db)
    .await
}
