//! Claims: rows of work that one holder has for a while, and what became of them.
//!
//! A claimed row is due again when its lease ends. The claim stays good until somebody else takes the row then.

use crate::cells::Cells;
use crate::{Db, Result, failed};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::time::Duration;
use till_core::id::{MerchantId, PaymentId};
use till_core::port::store::{
    Claim, Claimed, InboxKey, Outcome, ParkedClaim, Queue, Settle, StoreError, Work, WorkClaim,
};
use till_core::time::Timestamp;

/// A statement about one of the claimed tables, which share the columns of a claim.
macro_rules! about {
    ($table:expr, $before:literal, $after:literal) => {
        match $table {
            Claimed::Outbox => concat!($before, " outbox ", $after),
            Claimed::Parked => concat!($before, " parked ", $after),
            Claimed::Card => concat!($before, " card ", $after),
        }
    };
}

/// Whether nobody took the row since, and nothing became of it yet.
pub(crate) async fn holds(db: &mut Db, merchant: &MerchantId, claim: &Claim) -> Result<bool> {
    let sql = about!(
        claim.table,
        "SELECT 1 FROM",
        "WHERE row = ?1 AND merchant = ?2 AND fence = ?3 AND held = 1 AND state = 'open'"
    );
    let query = sqlx::query(sql).bind(claim.row).bind(merchant.as_str()).bind(claim.fence);
    query.fetch_optional(db).await.map(|row| row.is_some()).map_err(failed)
}

/// Writes what became of a row whose claim was checked. Of two outcomes in one decision the first counts.
pub(crate) async fn settle(db: &mut Db, settle: &Settle, now: Timestamp) -> Result<()> {
    let Claim { table, row, .. } = settle.claim;
    match &settle.outcome {
        Outcome::Done => done(db, table, row).await,
        Outcome::Again { due, why } => again(db, table, row, *due, why).await,
        Outcome::Unsent { due, why } => {
            again(db, table, row, *due, why).await?;
            take_back_try(db, table, row).await?;
            if table == Claimed::Outbox { owe(db, row, *due).await } else { Ok(()) }
        }
        Outcome::Dead { why } => give_up(db, table, row, why, now).await,
    }
}

async fn done(db: &mut Db, table: Claimed, row: i64) -> Result<()> {
    let sql = about!(table, "UPDATE", "SET state = 'done', held = 0, why = NULL WHERE row = ?1 AND held = 1");
    sqlx::query(sql).bind(row).execute(db).await.map(drop).map_err(failed)
}

/// It comes again at `due`.
pub(crate) async fn again(db: &mut Db, table: Claimed, row: i64, due: Timestamp, why: &str) -> Result<()> {
    let sql = about!(table, "UPDATE", "SET due = ?2, held = 0, why = ?3 WHERE row = ?1 AND held = 1");
    sqlx::query(sql).bind(row).bind(due.ms()).bind(why).execute(db).await.map(drop).map_err(failed)
}

/// The try that the claim counted was none.
async fn take_back_try(db: &mut Db, table: Claimed, row: i64) -> Result<()> {
    let sql = about!(table, "UPDATE", "SET tries = max(tries - 1, 0) WHERE row = ?1");
    sqlx::query(sql).bind(row).execute(db).await.map(drop).map_err(failed)
}

/// Work was not due before this moment.
async fn owe(db: &mut Db, row: i64, from: Timestamp) -> Result<()> {
    const SQL: &str = "UPDATE outbox SET owed_at = ?2 WHERE row = ?1";
    sqlx::query(SQL).bind(row).bind(from.ms()).execute(db).await.map(drop).map_err(failed)
}

/// It never comes again by itself; a person may look at it.
pub(crate) async fn give_up(db: &mut Db, table: Claimed, row: i64, why: &str, now: Timestamp) -> Result<()> {
    let sql =
        about!(table, "UPDATE", "SET state = 'dead', held = 0, why = ?2, dead_at = ?3 WHERE row = ?1 AND held = 1");
    sqlx::query(sql).bind(row).bind(why).bind(now.ms()).execute(db).await.map(drop).map_err(failed)
}

/// Holds rows until `until`, with the next fence each.
pub(crate) async fn hold(db: &mut Db, table: Claimed, rows: &[SqliteRow], until: Timestamp) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = about!(
        table,
        "UPDATE",
        "SET due = ?1, held = 1, fence = fence + 1, tries = tries + 1 WHERE row IN (SELECT value FROM json_each(?2))"
    );
    let numbers: Vec<i64> = rows.iter().map(|row| row.try_get("row")).collect::<sqlx::Result<_>>().map_err(failed)?;
    sqlx::query(sql).bind(until.ms()).bind(crate::json(&numbers)?).execute(db).await.map(drop).map_err(failed)
}

/// The claim that [`hold`] makes of a row as it was read before.
pub(crate) fn next(table: Claimed, cells: Cells<'_>) -> Result<Claim> {
    Ok(Claim { table, row: cells.get("row")?, fence: cells.get::<i64>("fence")?.saturating_add(1) })
}

/// Which try this claim is.
pub(crate) fn next_try(cells: Cells<'_>) -> Result<u32> {
    cells.number::<u32>("tries").map(|tries| tries.saturating_add(1))
}

/// Those that can be read. One that cannot, perhaps of another version, waits out its lease and blocks nobody.
pub(crate) fn readable<T>(rows: &[SqliteRow], read: impl Fn(&SqliteRow) -> Result<T>) -> Vec<T> {
    let log = |error: &StoreError| tracing::error!(%error, "store: a claimed row is left for its lease to end");
    rows.iter().filter_map(|row| read(row).inspect_err(log).ok()).collect()
}

/// Claims work of one queue, earliest first.
pub(crate) async fn work(
    db: &mut Db,
    queue: Queue,
    now: Timestamp,
    lease: Duration,
    limit: u32,
) -> Result<Vec<WorkClaim>> {
    let due = due_work(db, queue, now, limit).await?;
    hold(db, Claimed::Outbox, &due, now.after(lease)).await?;
    Ok(readable(&due, claimed_work))
}

async fn due_work(db: &mut Db, queue: Queue, now: Timestamp, limit: u32) -> Result<Vec<SqliteRow>> {
    const SQL: &str = "SELECT row, merchant, payment, key, body, since, fence, tries FROM outbox \
        WHERE state = 'open' AND queue = ?1 AND due <= ?2 ORDER BY due, row LIMIT ?3";
    sqlx::query(SQL).bind(queue.name()).bind(now.ms()).bind(i64::from(limit)).fetch_all(db).await.map_err(failed)
}

fn claimed_work(row: &SqliteRow) -> Result<WorkClaim> {
    let cells = Cells::of("outbox", row);
    Ok(WorkClaim {
        claim: next(Claimed::Outbox, cells)?,
        merchant: MerchantId::new(cells.get::<String>("merchant")?),
        payment: cells.parsed("payment")?,
        key: serde_json::from_value(cells.get::<String>("key")?.into()).map_err(|error| cells.unreadable(error))?,
        work: cells.json::<Work>("body")?,
        tries: next_try(cells)?,
        since: cells.time("since")?,
    })
}

/// Claims parked deliveries, earliest first.
pub(crate) async fn parked(db: &mut Db, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ParkedClaim>> {
    let due = due_parked(db, now, limit).await?;
    hold(db, Claimed::Parked, &due, now.after(lease)).await?;
    Ok(readable(&due, claimed_parked))
}

async fn due_parked(db: &mut Db, now: Timestamp, limit: u32) -> Result<Vec<SqliteRow>> {
    const SQL: &str = "SELECT row, merchant, source, key, sealed, since, fence, tries FROM parked \
        WHERE state = 'open' AND due <= ?1 ORDER BY due, row LIMIT ?2";
    sqlx::query(SQL).bind(now.ms()).bind(i64::from(limit)).fetch_all(db).await.map_err(failed)
}

fn claimed_parked(row: &SqliteRow) -> Result<ParkedClaim> {
    let cells = Cells::of("parked", row);
    Ok(ParkedClaim {
        claim: next(Claimed::Parked, cells)?,
        merchant: MerchantId::new(cells.get::<String>("merchant")?),
        key: InboxKey { source: cells.get("source")?, key: cells.get("key")? },
        sealed: cells.get("sealed")?,
        since: cells.time("since")?,
        tries: next_try(cells)?,
    })
}

/// Claims payments whose check has come, earliest first.
pub(crate) async fn checks(
    db: &mut Db,
    now: Timestamp,
    lease: Duration,
    limit: u32,
) -> Result<Vec<(MerchantId, PaymentId)>> {
    let due = due_checks(db, now, limit).await?;
    for row in &due {
        put_off(db, row, now.after(lease)).await?;
    }
    Ok(readable(&due, |row| {
        let cells = Cells::of("payment", row);
        Ok((MerchantId::new(cells.get::<String>("merchant")?), cells.parsed("id")?))
    }))
}

async fn due_checks(db: &mut Db, now: Timestamp, limit: u32) -> Result<Vec<SqliteRow>> {
    const SQL: &str = "SELECT id, merchant FROM payment WHERE check_at <= ?1 ORDER BY check_at, merchant, id LIMIT ?2";
    sqlx::query(SQL).bind(now.ms()).bind(i64::from(limit)).fetch_all(db).await.map_err(failed)
}

async fn put_off(db: &mut Db, row: &SqliteRow, until: Timestamp) -> Result<()> {
    const SQL: &str = "UPDATE payment SET check_at = ?3 WHERE merchant = ?1 AND id = ?2";
    let cells = Cells::of("payment", row);
    let query = sqlx::query(SQL).bind(cells.get::<String>("merchant")?).bind(cells.get::<String>("id")?);
    query.bind(until.ms()).execute(db).await.map(drop).map_err(failed)
}
