//! Checkouts: made, paid, declined and closed, each in one transaction with the event that tells of it.

use crate::World;
use crate::ask::{Labels, Line, NewCheckout};
use crate::db::{Db, begin};
use crate::object::{Api, Checkout, State};
use crate::problem::{Failure, Problem};
use serde_json::{Value, json};
use till_core::money::Money;
use till_core::time::Timestamp;

/// A checkout to be made, with everything checked.
#[derive(Clone, Debug)]
pub(crate) struct Fresh<'a> {
    pub(crate) api: Api,
    pub(crate) amount: Money,
    pub(crate) lines: &'a [Line],
    pub(crate) metadata: &'a Labels,
    pub(crate) return_url: &'a str,
    pub(crate) locale: &'a str,
    pub(crate) closes_at: Timestamp,
    pub(crate) always_challenged: bool,
}

impl World {
    /// Makes a checkout of the plain character.
    pub(crate) async fn create(&self, db: &mut Db, new: &NewCheckout, now: Timestamp) -> Result<Value, Failure> {
        let (amount, closes_at) = new.checked(now)?;
        let fresh = Fresh {
            api: Api::Plain,
            amount,
            lines: &new.lines,
            metadata: &new.metadata,
            return_url: &new.return_url,
            locale: &new.locale,
            closes_at,
            always_challenged: new.always_challenged(),
        };
        let made = self.insert(db, &fresh, now).await?;
        Ok(self.issuer().checkout(&made, now))
    }

    /// Writes a checkout, and tells of it.
    pub(crate) async fn insert(&self, db: &mut Db, fresh: &Fresh<'_>, now: Timestamp) -> sqlx::Result<Checkout> {
        let id = self.id(fresh.api.prefixes().checkout);
        sqlx::query(
            "insert into checkouts (id, api, amount_minor, currency, lines, metadata, return_url, locale,
               always_challenged, expires_ms, created_ms, updated_ms, status)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')",
        )
        .bind(&id)
        .bind(fresh.api.word())
        .bind(fresh.amount.minor())
        .bind(fresh.amount.currency().code())
        .bind(json!(fresh.lines).to_string())
        .bind(json!(fresh.metadata).to_string())
        .bind(fresh.return_url)
        .bind(fresh.locale)
        .bind(fresh.always_challenged)
        .bind(fresh.closes_at.ms())
        .bind(now.ms())
        .bind(now.ms())
        .execute(&mut *db)
        .await?;
        self.told(db, "checkout.created", &id, now).await
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
        let found = by_id(db, id).await?.filter(|it| it.api == Api::Plain);
        let checkout = found.ok_or_else(|| Problem::not_found("checkout"))?;
        let closed = match checkout.state {
            State::Open => self.close(db, id, now).await?,
            State::Expired => checkout,
            State::Approved { .. } | State::Processing | State::Failed | State::Paid(_) => {
                return Err(Problem::already_complete().into());
            }
        };
        Ok(self.issuer().checkout(&closed, now))
    }

    /// Closes a checkout whose time has come; says whether it did.
    pub(crate) async fn close_when_due(&self, db: &mut Db, id: &str, now: Timestamp) -> sqlx::Result<bool> {
        let due = by_id(db, id).await?.is_some_and(|checkout| checkout.is_due(now));
        if due {
            self.close(db, id, now).await?;
        }
        Ok(due)
    }

    /// The payer was declined; the checkout stays open.
    pub(crate) async fn decline(&self, db: &mut Db, id: &str, code: &str, now: Timestamp) -> sqlx::Result<()> {
        let attempt = self.id("at");
        sqlx::query("insert into declines (id, checkout, code, created_ms) values (?, ?, ?, ?)")
            .bind(&attempt)
            .bind(id)
            .bind(code)
            .bind(now.ms())
            .execute(&mut *db)
            .await?;
        sqlx::query("update checkouts set attempts = attempts + 1 where id = ?").bind(id).execute(&mut *db).await?;
        let checkout = whole(db, id).await?;
        let object = self.issuer().checkout(&checkout, now);
        let data = json!({"object": object, "attempt": {"id": attempt, "code": code}});
        self.tell(db, &checkout, "checkout.attempt_failed", &data, now).await
    }

    /// Closes a checkout that nobody has paid.
    pub(crate) async fn close(&self, db: &mut Db, id: &str, now: Timestamp) -> sqlx::Result<Checkout> {
        self.become_state(db, id, "expired", now).await?;
        self.told(db, "checkout.expired", id, now).await
    }

    pub(crate) async fn become_state(&self, db: &mut Db, id: &str, state: &str, now: Timestamp) -> sqlx::Result<()> {
        sqlx::query("update checkouts set status = ?, updated_ms = max(updated_ms, ?) where id = ?")
            .bind(state)
            .bind(now.ms())
            .bind(id)
            .execute(db)
            .await?;
        Ok(())
    }

    /// Tells what became of a checkout, and returns it.
    pub(crate) async fn told(&self, db: &mut Db, kind: &str, id: &str, now: Timestamp) -> sqlx::Result<Checkout> {
        let checkout = whole(db, id).await?;
        let object = self.issuer().checkout(&checkout, now);
        self.tell(db, &checkout, kind, &json!({"object": object}), now.max(checkout.updated)).await?;
        Ok(checkout)
    }
}

pub(crate) async fn by_id(db: &mut Db, id: &str) -> sqlx::Result<Option<Checkout>> {
    sqlx::query_as("select * from whole_checkouts where id = ?").bind(id).fetch_optional(db).await
}

/// One that must be there.
pub(crate) async fn whole(db: &mut Db, id: &str) -> sqlx::Result<Checkout> {
    by_id(db, id).await?.ok_or(sqlx::Error::RowNotFound)
}

/// The checkout that this money came through.
pub(crate) async fn by_capture(db: &mut Db, capture: &str) -> sqlx::Result<Option<Checkout>> {
    sqlx::query_as("select * from whole_checkouts where capture = ?").bind(capture).fetch_optional(db).await
}

/// The newest of both characters, apart from those of somebody else's shop.
pub(crate) async fn newest(db: &mut Db, limit: i64) -> sqlx::Result<Vec<Checkout>> {
    sqlx::query_as("select * from whole_checkouts where metadata ->> '$.shop_order' is null order by seq desc limit ?")
        .bind(limit)
        .fetch_all(db)
        .await
}

/// Ids of the checkouts that carry these labels, oldest first.
pub(crate) async fn ids_of(db: &mut Db, payment: &str, n: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select id from checkouts where api = 'plain' and metadata ->> '$.till_payment' = ?
           and metadata ->> '$.till_n' = ? order by seq",
    )
    .bind(payment)
    .bind(n)
    .fetch_all(db)
    .await
}

/// Ids of checkouts whose time has come.
pub(crate) async fn ids_due(db: &mut Db, now: Timestamp) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select id from checkouts where status = 'open' and expires_ms <= ?1
         union all select id from checkouts where status = 'approved' and approved_until_ms <= ?1 limit 100",
    )
    .bind(now.ms())
    .fetch_all(db)
    .await
}
