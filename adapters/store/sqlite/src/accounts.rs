//! A merchant's accounts at providers: where their secrets lie, never the secrets.

use crate::cells::Cells;
use crate::{Db, Result, failed, json};
use sqlx::SqlitePool;
use till_core::id::{AccountId, MerchantId};
use till_core::port::psp::Access;
use till_core::port::store::{AccountRow, Closing};

/// Adds an account, or puts this in place of the one of the same id.
pub(crate) async fn put(db: &mut Db, merchant: &MerchantId, row: &AccountRow) -> Result<()> {
    const SQL: &str = "INSERT INTO account (merchant, id, psp, base_url, api_key, provider_account, access, livemode, \
        webhook_secrets, settings, since, chosen_at, closed) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
        ON CONFLICT (merchant, id) DO UPDATE SET psp = excluded.psp, base_url = excluded.base_url, \
        api_key = excluded.api_key, provider_account = excluded.provider_account, access = excluded.access, \
        livemode = excluded.livemode, webhook_secrets = excluded.webhook_secrets, settings = excluded.settings, \
        since = excluded.since, chosen_at = excluded.chosen_at, closed = excluded.closed";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(row.id.as_str()).bind(&row.psp).bind(&row.base_url);
    let query = query.bind(&row.api_key).bind(&row.provider_account).bind(row.access.name()).bind(row.livemode);
    let query = query.bind(json(&row.webhook_secrets)?).bind(json(&row.settings)?);
    let query = query.bind(row.since.ms()).bind(row.chosen_at.ms());
    query.bind(row.closed.as_ref().map(json).transpose()?).execute(db).await.map(drop).map_err(failed)
}

/// All of a merchant's, newest choice first.
pub(crate) async fn all(db: &SqlitePool, merchant: &MerchantId) -> Result<Vec<AccountRow>> {
    const SQL: &str = "SELECT id, psp, base_url, api_key, provider_account, access, livemode, webhook_secrets, settings, \
        since, chosen_at, closed FROM account WHERE merchant = ?1 ORDER BY chosen_at DESC, id";
    let rows = sqlx::query(SQL).bind(merchant.as_str()).fetch_all(db).await.map_err(failed)?;
    rows.iter().map(|row| read(&Cells::of("account", row))).collect()
}

/// Takes no new payments from now on; an earlier closing stays as it is.
pub(crate) async fn close(db: &mut Db, merchant: &MerchantId, id: &AccountId, closing: &Closing) -> Result<()> {
    const SQL: &str = "UPDATE account SET closed = ?3 WHERE merchant = ?1 AND id = ?2 AND closed IS NULL";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(id.as_str()).bind(json(closing)?);
    query.execute(db).await.map(drop).map_err(failed)
}

fn read(cells: &Cells<'_>) -> Result<AccountRow> {
    let word: &str = cells.get("access")?;
    let access = Access::ALL.into_iter().find(|access| access.name() == word);
    Ok(AccountRow {
        id: AccountId::new(cells.get::<String>("id")?),
        psp: cells.get("psp")?,
        base_url: cells.get("base_url")?,
        api_key: cells.get("api_key")?,
        provider_account: cells.get("provider_account")?,
        access: access.ok_or_else(|| cells.unreadable(format!("`access` is {word}")))?,
        livemode: cells.get("livemode")?,
        webhook_secrets: cells.json("webhook_secrets")?,
        settings: cells.json("settings")?,
        since: cells.time("since")?,
        chosen_at: cells.time("chosen_at")?,
        closed: cells.json_or_none("closed")?,
    })
}
