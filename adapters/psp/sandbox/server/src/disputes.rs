//! Disputes: a payer's bank asks, takes the money back until it has decided, and decides.
//!
//! ```text
//! inquire ─► warning_needs_response ─answer─► warning_under_review ─► warning_closed, prevented
//!                     └────────────── dispute ──────────┘
//! dispute ─► needs_response (money withdrawn) ─answer─► under_review ─► won (money back) | lost ─► won, a second round
//! ```

use crate::World;
use crate::checkouts::whole;
use crate::db::Db;
use crate::object::{Capture, Checkout, Dispute, DisputeStatus};
use crate::problem::{Failure, Problem};
use crate::refunds;
use serde_json::json;
use std::time::Duration;
use till_core::time::Timestamp;

/// How long the merchant has to answer.
const ANSWER: Duration = Duration::from_secs(7 * 24 * 3600);

impl World {
    /// The bank asks; no money is taken.
    pub(crate) async fn inquire(
        &self,
        db: &mut Db,
        it: &Checkout,
        paid: &Capture,
        now: Timestamp,
    ) -> Result<Dispute, Failure> {
        if !about(db, &paid.id).await?.is_empty() {
            return Err(Problem::not_now("this payment was asked about before").into());
        }
        self.begin_dispute(db, it, paid, DisputeStatus::WarningNeedsResponse, now).await
    }

    /// The bank disputes all that is left, and takes it. An inquiry that is open becomes the dispute.
    pub(crate) async fn dispute(
        &self,
        db: &mut Db,
        it: &Checkout,
        paid: &Capture,
        now: Timestamp,
    ) -> Result<Dispute, Failure> {
        let asked = about(db, &paid.id).await?.pop();
        let begun = match asked {
            None => self.begin_dispute(db, it, paid, DisputeStatus::NeedsResponse, now).await?,
            Some(asked) => match asked.status {
                DisputeStatus::WarningNeedsResponse
                | DisputeStatus::WarningUnderReview
                | DisputeStatus::WarningClosed => {
                    self.decide(db, &asked, DisputeStatus::NeedsResponse, "dispute.updated", now).await?
                }
                DisputeStatus::NeedsResponse
                | DisputeStatus::UnderReview
                | DisputeStatus::Won
                | DisputeStatus::Lost
                | DisputeStatus::Prevented => {
                    return Err(Problem::not_now("this payment was disputed before").into());
                }
            },
        };
        Ok(self.move_money(db, &begun, begun.amount.minor(), "dispute.funds_withdrawn", now).await?)
    }

    /// The merchant answers.
    pub(crate) async fn answer(&self, db: &mut Db, it: &Dispute, now: Timestamp) -> Result<Dispute, Failure> {
        let next = match it.status {
            DisputeStatus::NeedsResponse => DisputeStatus::UnderReview,
            DisputeStatus::WarningNeedsResponse => DisputeStatus::WarningUnderReview,
            DisputeStatus::WarningUnderReview
            | DisputeStatus::WarningClosed
            | DisputeStatus::UnderReview
            | DisputeStatus::Won
            | DisputeStatus::Lost
            | DisputeStatus::Prevented => return Err(wrong(it)),
        };
        Ok(self.decide(db, it, next, "dispute.updated", now).await?)
    }

    /// The bank decides for the merchant: an inquiry is closed, withdrawn money comes back. Also after it was lost.
    pub(crate) async fn win(&self, db: &mut Db, it: &Dispute, now: Timestamp) -> Result<Dispute, Failure> {
        match it.status {
            DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview => {
                Ok(self.decide(db, it, DisputeStatus::WarningClosed, "dispute.closed", now).await?)
            }
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview | DisputeStatus::Lost => {
                let won = self.decide(db, it, DisputeStatus::Won, "dispute.closed", now).await?;
                Ok(self.move_money(db, &won, 0, "dispute.funds_reinstated", now).await?)
            }
            DisputeStatus::WarningClosed | DisputeStatus::Won | DisputeStatus::Prevented => Err(wrong(it)),
        }
    }

    /// The bank decides for the payer.
    pub(crate) async fn lose(&self, db: &mut Db, it: &Dispute, now: Timestamp) -> Result<Dispute, Failure> {
        match it.status {
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => {
                Ok(self.decide(db, it, DisputeStatus::Lost, "dispute.closed", now).await?)
            }
            DisputeStatus::WarningNeedsResponse
            | DisputeStatus::WarningUnderReview
            | DisputeStatus::WarningClosed
            | DisputeStatus::Won
            | DisputeStatus::Lost
            | DisputeStatus::Prevented => Err(wrong(it)),
        }
    }

    /// An inquiry ends before it could become a dispute.
    pub(crate) async fn prevent(&self, db: &mut Db, it: &Dispute, now: Timestamp) -> Result<Dispute, Failure> {
        match it.status {
            DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview => {
                Ok(self.decide(db, it, DisputeStatus::Prevented, "dispute.closed", now).await?)
            }
            DisputeStatus::WarningClosed
            | DisputeStatus::NeedsResponse
            | DisputeStatus::UnderReview
            | DisputeStatus::Won
            | DisputeStatus::Lost
            | DisputeStatus::Prevented => Err(wrong(it)),
        }
    }

    async fn begin_dispute(
        &self,
        db: &mut Db,
        it: &Checkout,
        paid: &Capture,
        status: DisputeStatus,
        now: Timestamp,
    ) -> Result<Dispute, Failure> {
        let left = refunds::left(db, paid).await?;
        if paid.reversed.is_some() || left.minor() < 1 {
            return Err(Problem::not_now("nothing is left of this payment").into());
        }
        let id = self.id(it.api.prefixes().dispute);
        sqlx::query(
            "insert into disputes (id, capture, amount_minor, status, answer_by_ms, created_ms, updated_ms)
             values (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&id)
        .bind(&paid.id)
        .bind(left.minor())
        .bind(status.word())
        .bind(now.after(ANSWER).ms())
        .bind(now.ms())
        .bind(now.ms())
        .execute(&mut *db)
        .await?;
        Ok(self.told_dispute(db, it, "dispute.created", &id, now).await?)
    }

    async fn decide(
        &self,
        db: &mut Db,
        it: &Dispute,
        next: DisputeStatus,
        kind: &str,
        now: Timestamp,
    ) -> sqlx::Result<Dispute> {
        let answer_by = (next == DisputeStatus::NeedsResponse).then(|| now.after(ANSWER));
        sqlx::query("update disputes set status = ?, updated_ms = max(updated_ms, ?), answer_by_ms = ? where id = ?")
            .bind(next.word())
            .bind(now.ms())
            .bind(answer_by.map(Timestamp::ms))
            .bind(&it.id)
            .execute(&mut *db)
            .await?;
        let checkout = whole(db, &it.checkout).await?;
        self.told_dispute(db, &checkout, kind, &it.id, now).await
    }

    async fn move_money(
        &self,
        db: &mut Db,
        it: &Dispute,
        withdrawn_minor: i64,
        kind: &str,
        now: Timestamp,
    ) -> sqlx::Result<Dispute> {
        sqlx::query(
            "update disputes set withdrawn_minor = ?, moves = moves + 1, updated_ms = max(updated_ms, ?) where id = ?",
        )
        .bind(withdrawn_minor)
        .bind(now.ms())
        .bind(&it.id)
        .execute(&mut *db)
        .await?;
        let checkout = whole(db, &it.checkout).await?;
        self.told_dispute(db, &checkout, kind, &it.id, now).await
    }

    async fn told_dispute(
        &self,
        db: &mut Db,
        of: &Checkout,
        kind: &str,
        id: &str,
        now: Timestamp,
    ) -> sqlx::Result<Dispute> {
        let dispute = by_id(db, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let object = self.issuer().dispute(&dispute, now);
        self.tell(db, of, kind, &json!({"object": object}), now.max(dispute.updated)).await?;
        Ok(dispute)
    }
}

fn wrong(it: &Dispute) -> Failure {
    Problem::not_now(format!("not while the dispute is {}", it.status.word())).into()
}

pub(crate) async fn by_id(db: &mut Db, id: &str) -> sqlx::Result<Option<Dispute>> {
    sqlx::query_as("select * from whole_disputes where id = ?").bind(id).fetch_optional(db).await
}

/// The disputes about this money, oldest first.
pub(crate) async fn about(db: &mut Db, capture: &str) -> sqlx::Result<Vec<Dispute>> {
    sqlx::query_as("select * from whole_disputes where capture = ? order by seq").bind(capture).fetch_all(db).await
}
