//! Refunds: money that goes back, never more than is left of what was paid, at once or when the bank gets round to it.

use crate::World;
use crate::ask::{Labels, NewRefund};
use crate::checkouts::{by_capture, whole};
use crate::db::Db;
use crate::disputes;
use crate::object::{Api, Capture, Checkout, Refund, RefundStatus};
use crate::problem::{Failure, Problem};
use serde_json::{Value, json};
use till_core::money::Money;
use till_core::time::Timestamp;

impl World {
    /// Makes a refund of the plain character's.
    pub(crate) async fn refund(&self, db: &mut Db, new: &NewRefund, now: Timestamp) -> Result<Value, Failure> {
        let amount = new.checked()?;
        let made = self.send_back(db, Api::Plain, &new.payment, Some(amount), &new.metadata, now).await?;
        Ok(self.issuer().refund(&made, now))
    }

    /// Makes a refund of so much, or of all that is left.
    pub(crate) async fn send_back(
        &self,
        db: &mut Db,
        api: Api,
        capture: &str,
        amount: Option<Money>,
        metadata: &Labels,
        now: Timestamp,
    ) -> Result<Refund, Failure> {
        let found = by_capture(db, capture).await?.filter(|it| it.api == api);
        let Some((checkout, paid)) = found.as_ref().and_then(|it| Some((it, it.capture()?))) else {
            return Err(Problem::not_found("payment").into());
        };
        let amount = refundable(db, paid, amount).await?;
        let id = self.id(api.prefixes().refund);
        let status = if self.knobs().refunds_take_time { RefundStatus::Pending } else { RefundStatus::Succeeded };
        sqlx::query(
            "insert into refunds (id, capture, amount_minor, metadata, status, created_ms, updated_ms)
             values (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&id)
        .bind(capture)
        .bind(amount.minor())
        .bind(json!(metadata).to_string())
        .bind(status.word())
        .bind(now.ms())
        .bind(now.ms())
        .execute(&mut *db)
        .await?;
        let kind = if status == RefundStatus::Pending { "refund.pending" } else { "refund.succeeded" };
        Ok(self.told_refund(db, checkout, kind, &id, now).await?)
    }

    /// The bank has sent a refund out, or it came back.
    pub(crate) async fn decide_refund(
        &self,
        db: &mut Db,
        refund: &Refund,
        status: RefundStatus,
        now: Timestamp,
    ) -> sqlx::Result<Refund> {
        sqlx::query("update refunds set status = ?, updated_ms = max(updated_ms, ?) where id = ?")
            .bind(status.word())
            .bind(now.ms())
            .bind(&refund.id)
            .execute(&mut *db)
            .await?;
        let checkout = whole(db, &refund.checkout).await?;
        self.told_refund(db, &checkout, "refund.updated", &refund.id, now).await
    }

    async fn told_refund(
        &self,
        db: &mut Db,
        of: &Checkout,
        kind: &str,
        id: &str,
        now: Timestamp,
    ) -> sqlx::Result<Refund> {
        let refund = by_id(db, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let object = self.issuer().refund(&refund, now);
        self.tell(db, of, kind, &json!({"object": object}), now.max(refund.updated)).await?;
        Ok(refund)
    }
}

/// So much of a payment, or all that is left, once nothing speaks against it.
async fn refundable(db: &mut Db, paid: &Capture, amount: Option<Money>) -> Result<Money, Failure> {
    if paid.reversed.is_some() {
        return Err(Problem::refused("payment_reversed", "the bank took this payment back").into());
    }
    if disputes::about(db, &paid.id).await?.iter().any(|dispute| dispute.status.bars_refunds()) {
        return Err(Problem::refused("charge_disputed", "this payment is disputed and cannot be refunded").into());
    }
    let left = left(db, paid).await?;
    let amount = amount.unwrap_or(left);
    if left.currency() != amount.currency() {
        return Err(Problem::refused("currency", "a refund has the payment's currency").into());
    }
    if amount.minor() < 1 || left.minor() < amount.minor() {
        return Err(Problem::refused("refund_too_large", format!("only {left} is left to refund")).into());
    }
    Ok(amount)
}

/// What is left of a payment: all of it but refunds that arrived or are on their way.
pub(crate) async fn left(db: &mut Db, paid: &Capture) -> sqlx::Result<Money> {
    let gone: i64 = sqlx::query_scalar(
        "select coalesce(sum(amount_minor), 0) from refunds where capture = ? and status <> 'failed'",
    )
    .bind(&paid.id)
    .fetch_one(db)
    .await?;
    Ok(Money::new(paid.amount.minor().saturating_sub(gone), paid.amount.currency()))
}

pub(crate) async fn by_id(db: &mut Db, id: &str) -> sqlx::Result<Option<Refund>> {
    sqlx::query_as("select * from whole_refunds where id = ?").bind(id).fetch_optional(db).await
}

/// The refunds out of this money, oldest first.
pub(crate) async fn out_of(db: &mut Db, capture: &str) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as("select * from whole_refunds where capture = ? order by seq").bind(capture).fetch_all(db).await
}

/// The refunds that carry these labels, oldest first.
pub(crate) async fn of(db: &mut Db, payment: &str, refund: &str) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as(
        "select * from whole_refunds
         where metadata ->> '$.till_payment' = ? and metadata ->> '$.till_refund' = ? order by seq",
    )
    .bind(payment)
    .bind(refund)
    .fetch_all(db)
    .await
}

/// The refunds with this `custom_id`, oldest first.
pub(crate) async fn of_custom_id(db: &mut Db, custom_id: &str) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as("select * from whole_refunds where metadata ->> '$.custom_id' = ? order by seq")
        .bind(custom_id)
        .fetch_all(db)
        .await
}
