//! Leases, values that adapters keep, and staff.

use crate::cells::Cells;
use crate::{Db, Result, failed};
use sqlx::SqlitePool;
use std::time::Duration;
use till_core::id::MerchantId;
use till_core::port::store::Staff;
use till_core::time::Timestamp;

/// Where a value is kept.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) merchant: String,
    pub(crate) adapter: String,
    pub(crate) key: String,
}

impl Slot {
    pub(crate) fn of(merchant: &MerchantId, adapter: &str, key: &str) -> Self {
        Self { merchant: merchant.as_str().to_owned(), adapter: adapter.to_owned(), key: key.to_owned() }
    }
}

/// Takes or renews a lease. A new holder gets the next fence, the same one keeps its own.
pub(crate) async fn lease(db: &mut Db, name: &str, holder: &str, now: Timestamp, ttl: Duration) -> Result<Option<i64>> {
    const SQL: &str = "INSERT INTO lease (name, holder, fence, until) VALUES (?1, ?2, 1, ?4) \
        ON CONFLICT (name) DO UPDATE SET fence = fence + (holder <> excluded.holder), holder = excluded.holder, \
        until = excluded.until WHERE holder = excluded.holder OR until <= ?3 RETURNING name, fence";
    let query = sqlx::query(SQL).bind(name).bind(holder).bind(now.ms()).bind(now.after(ttl).ms());
    let row = query.fetch_optional(db).await.map_err(failed)?;
    row.map(|row| Cells::of("lease", &row).get("fence")).transpose()
}

/// Keeps a value; overwrites.
pub(crate) async fn keep(db: &mut Db, slot: &Slot, value: &[u8], expires: Option<Timestamp>) -> Result<()> {
    const SQL: &str = "INSERT INTO kept (merchant, adapter, key, value, expires) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (merchant, adapter, key) DO UPDATE SET value = excluded.value, expires = excluded.expires";
    let query = sqlx::query(SQL).bind(&slot.merchant).bind(&slot.adapter).bind(&slot.key);
    query.bind(value).bind(expires.map(Timestamp::ms)).execute(db).await.map(drop).map_err(failed)
}

/// What is kept and fresh.
pub(crate) async fn kept(db: &SqlitePool, slot: &Slot, now: Timestamp) -> Result<Option<Vec<u8>>> {
    const SQL: &str = "SELECT key, value FROM kept WHERE merchant = ?1 AND adapter = ?2 AND key = ?3 \
        AND (expires IS NULL OR expires > ?4)";
    let query = sqlx::query(SQL).bind(&slot.merchant).bind(&slot.adapter).bind(&slot.key).bind(now.ms());
    let row = query.fetch_optional(db).await.map_err(failed)?;
    row.map(|row| Cells::of("kept", &row).get("value")).transpose()
}

/// What is kept and fresh under keys that begin as this slot's key does.
pub(crate) async fn under(db: &SqlitePool, slot: &Slot, now: Timestamp) -> Result<Vec<(String, Vec<u8>)>> {
    const SQL: &str = "SELECT key, value FROM kept WHERE merchant = ?1 AND adapter = ?2 \
        AND substr(key, 1, length(?3)) = ?3 AND (expires IS NULL OR expires > ?4) ORDER BY key";
    let query = sqlx::query(SQL).bind(&slot.merchant).bind(&slot.adapter).bind(&slot.key).bind(now.ms());
    let rows = query.fetch_all(db).await.map_err(failed)?;
    let pair = |cells: &Cells<'_>| Ok((cells.get("key")?, cells.get("value")?));
    rows.iter().map(|row| pair(&Cells::of("kept", row))).collect()
}

/// Removes what is kept, and gives it when it is fresh.
pub(crate) async fn take(db: &mut Db, slot: &Slot, now: Timestamp) -> Result<Option<Vec<u8>>> {
    const SQL: &str = "DELETE FROM kept WHERE merchant = ?1 AND adapter = ?2 AND key = ?3 \
        RETURNING key, value, expires IS NULL OR expires > ?4 AS fresh";
    let query = sqlx::query(SQL).bind(&slot.merchant).bind(&slot.adapter).bind(&slot.key).bind(now.ms());
    let Some(row) = query.fetch_optional(db).await.map_err(failed)? else { return Ok(None) };
    let cells = Cells::of("kept", &row);
    if cells.get::<i64>("fresh")? == 1 { cells.get("value").map(Some) } else { Ok(None) }
}

/// Adds somebody, or gives a known one a new name.
pub(crate) async fn add_staff(db: &mut Db, merchant: &MerchantId, staff: &Staff) -> Result<()> {
    const SQL: &str = "INSERT INTO staff (merchant, id, name, since) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (merchant, id) DO UPDATE SET name = excluded.name";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(&staff.id).bind(&staff.name).bind(staff.since.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

/// Everybody, by id.
pub(crate) async fn staff(db: &SqlitePool, merchant: &MerchantId) -> Result<Vec<Staff>> {
    const SQL: &str = "SELECT id, name, since FROM staff WHERE merchant = ?1 ORDER BY id";
    let rows = sqlx::query(SQL).bind(merchant.as_str()).fetch_all(db).await.map_err(failed)?;
    let staff = rows.iter().map(|row| {
        let cells = Cells::of("staff", row);
        Ok(Staff { id: cells.get("id")?, name: cells.get("name")?, since: cells.time("since")? })
    });
    staff.collect()
}
