//! The provider's objects: as rows of its file, and as the JSON that merchants get.

use crate::ask::{Labels, Line};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};
use till_core::money::{Currency, Money};
use till_core::time::Timestamp;

/// Something to pay.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    pub(crate) id: String,
    pub(crate) amount: Money,
    pub(crate) lines: Vec<Line>,
    pub(crate) metadata: Labels,
    pub(crate) return_url: String,
    pub(crate) expires: Timestamp,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) state: State,
    /// Tries that were declined.
    pub(crate) attempts: i64,
}

/// How it stands with a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Can be paid.
    Open,
    /// Paid.
    Complete {
        /// The name of the money.
        capture: String,
    },
    /// Closed without payment.
    Expired,
}

/// Money that went back.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) capture: String,
    pub(crate) checkout: String,
    pub(crate) amount: Money,
    pub(crate) metadata: Labels,
    /// The paid checkout's.
    pub(crate) payment_metadata: Labels,
    pub(crate) created: Timestamp,
}

/// Who and where the provider is, as far as objects tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issuer<'a> {
    pub(crate) account: &'a str,
    pub(crate) public_url: &'a str,
}

impl Checkout {
    /// Whether its time has come and nobody has closed it yet.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.state == State::Open && self.expires <= now
    }

    pub(crate) fn json(&self, by: Issuer<'_>, now: Timestamp) -> Value {
        let (status, payment_status, capture) = match &self.state {
            State::Open => ("open", "unpaid", None),
            State::Complete { capture } => ("complete", "paid", Some(capture)),
            State::Expired => ("expired", "unpaid", None),
        };
        json!({
            "object": "checkout",
            "id": self.id,
            "account": by.account,
            "livemode": false,
            "status": status,
            "payment_status": payment_status,
            "amount": self.amount,
            "url": format!("{}/pay/{}", by.public_url, self.id),
            "expires_at_ms": self.expires,
            "created_ms": self.created,
            "updated_ms": self.updated,
            "now_ms": now,
            "metadata": self.metadata,
            "payment": capture.map(|id| json!({"id": id, "amount": self.amount})),
        })
    }
}

impl Refund {
    pub(crate) fn json(&self, by: Issuer<'_>, now: Timestamp) -> Value {
        json!({
            "object": "refund",
            "id": self.id,
            "account": by.account,
            "livemode": false,
            "status": "succeeded",
            "payment": self.capture,
            "checkout": self.checkout,
            "amount": self.amount,
            "created_ms": self.created,
            "updated_ms": self.created,
            "now_ms": now,
            "metadata": self.metadata,
            "payment_metadata": self.payment_metadata,
        })
    }
}

impl FromRow<'_, SqliteRow> for Checkout {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let capture: Option<String> = row.try_get("capture")?;
        let state = match (row.try_get::<String, _>("status")?.as_str(), capture) {
            ("open", None) => State::Open,
            ("expired", None) => State::Expired,
            ("complete", Some(capture)) => State::Complete { capture },
            (other, _) => return Err(unreadable(format!("status `{other}`"))),
        };
        Ok(Self {
            id: row.try_get("id")?,
            amount: money(row)?,
            lines: json_column(row, "lines")?,
            metadata: json_column(row, "metadata")?,
            return_url: row.try_get("return_url")?,
            expires: time(row, "expires_ms")?,
            created: time(row, "created_ms")?,
            updated: time(row, "updated_ms")?,
            state,
            attempts: row.try_get("attempts")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Refund {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            capture: row.try_get("capture")?,
            checkout: row.try_get("checkout")?,
            amount: money(row)?,
            metadata: json_column(row, "metadata")?,
            payment_metadata: json_column(row, "payment_metadata")?,
            created: time(row, "created_ms")?,
        })
    }
}

fn money(row: &SqliteRow) -> sqlx::Result<Money> {
    let code: String = row.try_get("currency")?;
    let currency = Currency::parse(&code).map_err(unreadable)?;
    Ok(Money::new(row.try_get("amount_minor")?, currency))
}

fn time(row: &SqliteRow, name: &str) -> sqlx::Result<Timestamp> {
    row.try_get(name).map(Timestamp::from_ms)
}

fn json_column<T: serde::de::DeserializeOwned>(row: &SqliteRow, name: &str) -> sqlx::Result<T> {
    serde_json::from_str(row.try_get(name)?).map_err(unreadable)
}

fn unreadable(why: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Decode(why.to_string().into())
}
