//! The provider's file on disk: one connection that writes, a few that read.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqlSafeStr as _, Sqlite, SqlitePool, Transaction};
use std::path::Path;
use std::time::Duration;

/// A connection within a transaction, or one that reads.
pub(crate) type Db = sqlx::SqliteConnection;

/// How many read at once.
const READERS_MAX: u32 = 4;

/// The pool that writes and the pool that reads, with all tables in place.
pub(crate) async fn open(path: &Path) -> Result<(SqlitePool, SqlitePool), Box<dyn std::error::Error + Send + Sync>> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    let write = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
    let write = write.connect_with(options.clone()).await?;
    migrator().run(&write).await?;
    let read = SqlitePoolOptions::new().max_connections(READERS_MAX).test_before_acquire(false);
    let read = read.connect_with(options.pragma("query_only", "ON")).await?;
    Ok((write, read))
}

/// A transaction that writes. It takes SQLite's lock at once: one that reads first and writes later could be refused.
pub(crate) async fn begin(pool: &SqlitePool) -> sqlx::Result<Transaction<'static, Sqlite>> {
    pool.begin_with("BEGIN IMMEDIATE").await
}

fn migrator() -> Migrator {
    let first = include_str!("../migrations/0001_first.sql").into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, "first".into(), MigrationType::Simple, first, false)])
}
