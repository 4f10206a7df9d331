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
    make_private(path)?;
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

/// A new file that only its owner can read; SQLite gives the files beside it the same mode. One that is there is left
/// alone: opening and closing it here would drop the locks that SQLite holds on it.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A transaction that writes. It takes SQLite's lock at once: one that reads first and writes later could be refused.
pub(crate) async fn begin(pool: &SqlitePool) -> sqlx::Result<Transaction<'static, Sqlite>> {
    pool.begin_with("BEGIN IMMEDIATE").await
}

fn migrator() -> Migrator {
    let first = include_str!("../migrations/0001_first.sql").into_sql_str();
    let second = include_str!("../migrations/0002_whole_life.sql").into_sql_str();
    Migrator::with_migrations(vec![
        Migration::new(1, "first".into(), MigrationType::Simple, first, false),
        Migration::new(2, "whole life".into(), MigrationType::Simple, second, false),
    ])
}
