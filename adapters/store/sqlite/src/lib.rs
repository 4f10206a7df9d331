//! The store in one file on this machine's disk: SQLite, for a shop that needs no database server.
//!
//! ```text
//! commit, claim, keep, append ─► queue ─► one writer: BEGIN IMMEDIATE, a savepoint each, one COMMIT: one fsync for all
//! payment, list, kept, since  ─► four readers, each on a snapshot
//! ```
//! WAL with `synchronous=FULL`: what was answered survives a power cut. Other processes may open the same file (the
//! CLI does): they wait for each other's transactions, up to five seconds.
//!
//! Every table is explained in a line at the head of the migration that makes it (`migrations/0001_first.sql` and on). A migration never breaks the version
//! that still runs: what is there keeps its meaning, and an older program ignores migrations that it does not know.
//!
//! Deliberately absent: a cache, a clock (`now` comes in), and deleting what a payment is made of (erasure comes with its issue).

mod accounts;
mod cards;
mod cells;
mod change;
mod claims;
mod commit;
mod kept;
mod open;
mod read;
mod store;
mod transcript;
mod upkeep;
mod writer;

use sqlx::SqlitePool;
use std::path::Path;
use till_core::port::store::StoreError;

type Db = sqlx::SqliteConnection;
type Result<T> = std::result::Result<T, StoreError>;

/// The store in a SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    writer: writer::Writer,
    readers: SqlitePool,
}

impl Sqlite {
    /// Opens the file, or makes it (mode 0600 on Unix), and brings its tables up to date.
    ///
    /// Call it within a tokio runtime, which drives the writer from then on.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: no such directory, not a database, locked by somebody, or migrated otherwise.
    pub async fn open(path: &Path) -> Result<Self> {
        open::make(path)?;
        let db = open::first(path).await.map_err(|error| open::named(path, error))?;
        let readers = open::readers(path).await.map_err(|error| open::named(path, error))?;
        Ok(Self { writer: writer::Writer::start(open::writing(path), db), readers })
    }

    /// How many transactions were written since it was opened. Many decisions share one when they come at once.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// Writes what is queued and closes the file. What comes later is answered with [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}

/// The database refused or did not answer.
fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// A count of ours as SQLite holds it. Beyond `i64` nothing is ever equal to it, which is right for a version.
fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// As JSON, for a text column.
fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| failed(format!("cannot be written as JSON: {error}")))
}
