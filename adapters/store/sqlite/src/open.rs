//! Opening the file: its mode, its pragmas, its tables.

use crate::{Db, Result, failed};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqlSafeStr as _, SqlitePool};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use till_core::port::store::StoreError;

/// How long one process waits for another's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a file that is being made is tried.
const TRIES_MAX: u32 = 250;

/// How many read at once.
const READERS_MAX: u32 = 4;

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // Statements would be logged here as well as where they fail.
        .disable_statement_logging()
}

/// How the writer connects.
pub(crate) fn writing(path: &Path) -> SqliteConnectOptions {
    options(path).journal_mode(SqliteJournalMode::Wal)
}

/// Connections that cannot write. They find the file in WAL mode, where the writer has put it.
pub(crate) async fn readers(path: &Path) -> sqlx::Result<SqlitePool> {
    let options = options(path).pragma("query_only", "ON");
    // A file does not hang up: asking each connection whether it is still there would cost a round trip per read.
    SqlitePoolOptions::new().max_connections(READERS_MAX).test_before_acquire(false).connect_with(options).await
}

/// Makes the file where there is none, for its owner's eyes only; SQLite gives its companions the same mode.
///
/// A file that is there is not touched, and one thread does this at a time: closing a file that SQLite has open in the
/// same process drops SQLite's locks. Source: sqlite.org, "How To Corrupt An SQLite Database File", 2.2.
pub(crate) fn make(path: &Path) -> Result<()> {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    match file.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(named(path, error)),
        _ => Ok(()),
    }
}

/// An error with the file that it is about.
pub(crate) fn named(path: &Path, error: impl std::fmt::Display) -> StoreError {
    failed(format!("`{}`: {error}", path.display()))
}

/// The writer's first connection, with all tables in place.
///
/// Where several processes make the file at once, one switches it to WAL and the others are told that it is locked:
/// SQLite does not wait then, whatever the busy timeout says (seen 2026-11-22). So they come again.
pub(crate) async fn first(path: &Path) -> sqlx::Result<Db> {
    for _ in 0..TRIES_MAX {
        match migrated(path).await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("5") => {
                tokio::time::sleep(BUSY_TIMEOUT / TRIES_MAX).await;
            }
            done => return done,
        }
    }
    migrated(path).await
}

async fn migrated(path: &Path) -> sqlx::Result<Db> {
    let mut db = writing(path).connect().await?;
    // Two processes that start at once: the second waits here and finds the work done.
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
    migrator().run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    Ok(db)
}

/// Records version and checksum of what it ran: a migration that was changed afterwards is refused at the next start.
fn migrator() -> Migrator {
    let first = include_str!("../migrations/0001_first.sql").into_sql_str();
    let accounts = include_str!("../migrations/0002_accounts.sql").into_sql_str();
    let dead_letters = include_str!("../migrations/0003_dead_letters.sql").into_sql_str();
    let mut migrator = Migrator::with_migrations(vec![
        Migration::new(1, "first".into(), MigrationType::Simple, first, false),
        Migration::new(2, "accounts".into(), MigrationType::Simple, accounts, false),
        Migration::new(3, "dead letters".into(), MigrationType::Simple, dead_letters, false),
    ]);
    // A newer version may have migrated already while this one still runs.
    migrator.set_ignore_missing(true);
    migrator
}
