//! The provider's objects, as rows of its file. How they look as JSON is the business of each API.

use crate::ask::{Labels, Line};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};
use till_core::money::{Currency, Money};
use till_core::time::Timestamp;

/// Which of the provider's two characters an object belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Api {
    /// `/v1`: signed, whole webhooks; money moves when the payer agrees.
    Plain,
    /// `/d`: unsigned hints; the merchant takes what the payer agreed to.
    Difficult,
}

/// Something to pay.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    pub(crate) id: String,
    pub(crate) api: Api,
    pub(crate) amount: Money,
    pub(crate) lines: Vec<Line>,
    pub(crate) metadata: Labels,
    pub(crate) return_url: String,
    /// Whether every card has to pass the bank's question.
    pub(crate) always_challenged: bool,
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
    /// The payer agreed; the merchant may take this much until then.
    Approved {
        /// What the payer chose.
        chosen: Money,
        /// When it is let go.
        until: Timestamp,
    },
    /// A bank debit is on its way.
    Processing,
    /// The bank said no to the debit.
    Failed,
    /// Paid.
    Paid(Capture),
    /// Closed without payment.
    Expired,
}

/// Money that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capture {
    pub(crate) id: String,
    pub(crate) amount: Money,
    pub(crate) at: Timestamp,
    /// When the bank took it back.
    pub(crate) reversed: Option<Timestamp>,
}

/// Money that goes back.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) capture: String,
    pub(crate) checkout: String,
    pub(crate) amount: Money,
    pub(crate) metadata: Labels,
    /// The paid checkout's.
    pub(crate) payment_metadata: Labels,
    pub(crate) status: RefundStatus,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// How it stands with a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

/// What a payer's bank asks or takes back.
#[derive(Clone, Debug)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) capture: String,
    pub(crate) checkout: String,
    pub(crate) amount: Money,
    /// The paid checkout's.
    pub(crate) payment_metadata: Labels,
    pub(crate) status: DisputeStatus,
    /// What was taken from the merchant and not given back.
    pub(crate) withdrawn: Money,
    /// How often money was moved for it.
    pub(crate) moves: i64,
    pub(crate) answer_by: Option<Timestamp>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// How it stands with a dispute. `Warning*` is an inquiry: no money was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DisputeStatus {
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
    Prevented,
}

impl Api {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Difficult => "difficult",
        }
    }

    /// What ids of its checkouts, captures, refunds and disputes begin with.
    pub(crate) const fn prefixes(self) -> Prefixes {
        match self {
            Self::Plain => Prefixes { checkout: "co", capture: "py", refund: "re", dispute: "dp" },
            Self::Difficult => Prefixes { checkout: "ord", capture: "cap", refund: "rfd", dispute: "dsp" },
        }
    }
}

/// What ids begin with, by kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefixes {
    pub(crate) checkout: &'static str,
    pub(crate) capture: &'static str,
    pub(crate) refund: &'static str,
    pub(crate) dispute: &'static str,
}

impl Checkout {
    /// Whether its time has come and nobody has closed it yet.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        match self.state {
            State::Open => self.expires <= now,
            State::Approved { until, .. } => until <= now,
            State::Processing | State::Failed | State::Paid(_) | State::Expired => false,
        }
    }

    /// The money that arrived through it.
    pub(crate) const fn capture(&self) -> Option<&Capture> {
        match &self.state {
            State::Paid(capture) => Some(capture),
            State::Open | State::Approved { .. } | State::Processing | State::Failed | State::Expired => None,
        }
    }

    /// What people know it by, when the merchant gave it a name.
    pub(crate) fn code(&self) -> Option<&str> {
        let label = match self.api {
            Api::Plain => "till_code",
            Api::Difficult => "reference",
        };
        self.metadata.get(label).map(String::as_str)
    }
}

impl RefundStatus {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl DisputeStatus {
    const ALL: [Self; 8] = [
        Self::WarningNeedsResponse,
        Self::WarningUnderReview,
        Self::WarningClosed,
        Self::NeedsResponse,
        Self::UnderReview,
        Self::Won,
        Self::Lost,
        Self::Prevented,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Prevented => "prevented",
        }
    }

    /// Whether the payment cannot be refunded beside it.
    pub(crate) const fn bars_refunds(self) -> bool {
        match self {
            Self::NeedsResponse | Self::UnderReview | Self::Lost => true,
            Self::WarningNeedsResponse
            | Self::WarningUnderReview
            | Self::WarningClosed
            | Self::Won
            | Self::Prevented => false,
        }
    }
}

impl FromRow<'_, SqliteRow> for Checkout {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let amount = money(row, "amount_minor", "currency")?;
        let state = match row.try_get::<String, _>("status")?.as_str() {
            "open" => State::Open,
            "approved" => State::Approved {
                chosen: money(row, "chosen_minor", "currency")?,
                until: time(row, "approved_until_ms")?,
            },
            "processing" => State::Processing,
            "failed" => State::Failed,
            "expired" => State::Expired,
            "complete" => State::Paid(Capture {
                id: row.try_get("capture")?,
                amount: money(row, "paid_minor", "paid_currency")?,
                at: time(row, "paid_ms")?,
                reversed: row.try_get::<Option<i64>, _>("reversed_ms")?.map(Timestamp::from_ms),
            }),
            other => return Err(unreadable(format!("status `{other}`"))),
        };
        let api = match row.try_get::<String, _>("api")?.as_str() {
            "difficult" => Api::Difficult,
            "plain" => Api::Plain,
            other => return Err(unreadable(format!("api `{other}`"))),
        };
        Ok(Self {
            id: row.try_get("id")?,
            api,
            amount,
            lines: json_column(row, "lines")?,
            metadata: json_column(row, "metadata")?,
            return_url: row.try_get("return_url")?,
            always_challenged: row.try_get("always_challenged")?,
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
        let status = match row.try_get::<String, _>("status")?.as_str() {
            "pending" => RefundStatus::Pending,
            "succeeded" => RefundStatus::Succeeded,
            "failed" => RefundStatus::Failed,
            other => return Err(unreadable(format!("refund status `{other}`"))),
        };
        Ok(Self {
            id: row.try_get("id")?,
            capture: row.try_get("capture")?,
            checkout: row.try_get("checkout")?,
            amount: money(row, "amount_minor", "currency")?,
            metadata: json_column(row, "metadata")?,
            payment_metadata: json_column(row, "payment_metadata")?,
            status,
            created: time(row, "created_ms")?,
            updated: time(row, "updated_ms")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Dispute {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let word: String = row.try_get("status")?;
        let status = DisputeStatus::ALL.into_iter().find(|status| status.word() == word);
        Ok(Self {
            id: row.try_get("id")?,
            capture: row.try_get("capture")?,
            checkout: row.try_get("checkout")?,
            amount: money(row, "amount_minor", "currency")?,
            payment_metadata: json_column(row, "payment_metadata")?,
            status: status.ok_or_else(|| unreadable(format!("dispute status `{word}`")))?,
            withdrawn: money(row, "withdrawn_minor", "currency")?,
            moves: row.try_get("moves")?,
            answer_by: row.try_get::<Option<i64>, _>("answer_by_ms")?.map(Timestamp::from_ms),
            created: time(row, "created_ms")?,
            updated: time(row, "updated_ms")?,
        })
    }
}

fn money(row: &SqliteRow, minor: &str, currency: &str) -> sqlx::Result<Money> {
    let code: String = row.try_get(currency)?;
    let currency = Currency::parse(&code).map_err(unreadable)?;
    Ok(Money::new(row.try_get(minor)?, currency))
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
