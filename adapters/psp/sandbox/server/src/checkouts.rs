//! Checkouts: made, paid, declined and closed, each in one transaction with the event that tells of it.

use crate::World;
use crate::ask::NewCheckout;
use crate::db::{Db, begin};
use crate::object::{Checkout, State};
use crate::problem::{Failure, Problem};
use serde_json::{Value, json};
use till_core::time::Timestamp;

/// A test card: the only thing a payer can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Card {
    /// It works.
    Ok,
    /// It is declined.
    Declined,
}

/// What came of a payer's press on the button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// The money is there, since this press.
    Paid,
    /// Nothing was paid; another card may work.
    Declined,
    /// It was paid or closed before.
    TooLate,
}

impl World {
    /// Makes a checkout.
    pub(crate) async fn create(&self, db: &mut Db, new: &NewCheckout, now: Timestamp) -> Result<Value, Failure> {
        let (amount, closes_at) = new.checked(now)?;
        let id = self.id("co");
        sqlx::query(
            "insert into checkouts (id, amount_minor, currency, lines, metadata, return_url, locale, expires_ms,
               created_ms, updated_ms, status)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')",
        )
        .bind(&id)
        .bind(amount.minor())
        .bind(amount.currency().code())
        .bind(json!(new.lines).to_string())
        .bind(json!(new.metadata).to_string())
        .bind(&new.return_url)
        .bind(&new.locale)
        .bind(closes_at.ms())
        .bind(now.ms())
        .bind(now.ms())
        .execute(&mut *db)
        .await?;
        Ok(self.told(db, "checkout.created", &id, now).await?)
    }

    /// A checkout as it stands at `now`: one whose time has come is closed first.
    pub(crate) async fn checkout(&self, id: &str) -> sqlx::Result<Option<Checkout>> {
        let found = by_id(&mut *self.read.acquire().await?, id).await?;
        let now = self.now();
        if !found.as_ref().is_some_and(|checkout| checkout.is_due(now)) {
            return Ok(found);
        }
        let mut tx = begin(&self.write).await?;
        self.close_when_due(&mut tx, id, now).await?;
        let found = by_id(&mut tx, id).await?;
        tx.commit().await?;
        self.news.notify_one();
        Ok(found)
    }

    /// Closes a checkout for the merchant.
    pub(crate) async fn expire(&self, db: &mut Db, id: &str, now: Timestamp) -> Result<Value, Failure> {
        let checkout = by_id(db, id).await?.ok_or_else(|| Problem::not_found("checkout"))?;
        match checkout.state {
            State::Open => Ok(self.close(db, id, now).await?),
            State::Expired => Ok(checkout.json(self.issuer(), now)),
            State::Complete { .. } => Err(Problem::already_complete().into()),
        }
    }

    /// Closes a checkout whose time has come; says whether it did.
    pub(crate) async fn close_when_due(&self, db: &mut Db, id: &str, now: Timestamp) -> sqlx::Result<bool> {
        let due = by_id(db, id).await?.is_some_and(|checkout| checkout.is_due(now));
        if due {
            self.close(db, id, now).await?;
        }
        Ok(due)
    }

    /// What a payer's press on the button does; none for a checkout that is not there. However often: paid once.
    pub(crate) async fn press(&self, id: &str, card: Card) -> sqlx::Result<Option<Pressed>> {
        let mut tx = begin(&self.write).await?;
        let now = self.now();
        self.close_when_due(&mut tx, id, now).await?;
        let pressed = match (by_id(&mut tx, id).await?.map(|checkout| checkout.state), card) {
            (None, _) => None,
            (Some(State::Expired | State::Complete { .. }), _) => Some(Pressed::TooLate),
            (Some(State::Open), Card::Ok) => {
                sqlx::query("update checkouts set status = 'complete', capture = ?, updated_ms = ? where id = ?")
                    .bind(self.id("py"))
                    .bind(now.ms())
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
                self.told(&mut tx, "checkout.completed", id, now).await?;
                Some(Pressed::Paid)
            }
            (Some(State::Open), Card::Declined) => {
                self.decline(&mut tx, id, now).await?;
                Some(Pressed::Declined)
            }
        };
        tx.commit().await?;
        self.news.notify_one();
        Ok(pressed)
    }

    async fn decline(&self, db: &mut Db, id: &str, now: Timestamp) -> sqlx::Result<()> {
        sqlx::query("update checkouts set attempts = attempts + 1 where id = ?").bind(id).execute(&mut *db).await?;
        let object = self.object(db, id, now).await?;
        let attempt = json!({"id": self.id("at"), "code": "card_declined"});
        self.tell(db, "checkout.attempt_failed", &json!({"object": object, "attempt": attempt}), now).await
    }

    async fn close(&self, db: &mut Db, id: &str, now: Timestamp) -> sqlx::Result<Value> {
        sqlx::query("update checkouts set status = 'expired', updated_ms = ? where id = ? and status = 'open'")
            .bind(now.ms())
            .bind(id)
            .execute(&mut *db)
            .await?;
        self.told(db, "checkout.expired", id, now).await
    }

    /// Tells what became of a checkout, and returns it.
    async fn told(&self, db: &mut Db, kind: &str, id: &str, now: Timestamp) -> sqlx::Result<Value> {
        let object = self.object(db, id, now).await?;
        self.tell(db, kind, &json!({"object": object}), now).await?;
        Ok(object)
    }

    async fn object(&self, db: &mut Db, id: &str, now: Timestamp) -> sqlx::Result<Value> {
        let checkout = by_id(db, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        Ok(checkout.json(self.issuer(), now))
    }
}

async fn by_id(db: &mut Db, id: &str) -> sqlx::Result<Option<Checkout>> {
    sqlx::query_as("select * from checkouts where id = ?").bind(id).fetch_optional(db).await
}

/// Ids of the checkouts that carry these labels, oldest first.
pub(crate) async fn ids_of(db: &mut Db, payment: &str, n: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select id from checkouts where metadata ->> '$.till_payment' = ? and metadata ->> '$.till_n' = ? order by seq",
    )
    .bind(payment)
    .bind(n)
    .fetch_all(db)
    .await
}

/// Ids of the checkouts that this money came through.
pub(crate) async fn ids_paid(db: &mut Db, capture: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select id from checkouts where capture = ?").bind(capture).fetch_all(db).await
}

/// Ids of open checkouts whose time has come.
pub(crate) async fn ids_due(db: &mut Db, now: Timestamp) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select id from checkouts where status = 'open' and expires_ms <= ? order by expires_ms limit 100",
    )
    .bind(now.ms())
    .fetch_all(db)
    .await
}
