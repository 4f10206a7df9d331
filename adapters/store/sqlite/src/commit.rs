//! One decision: first every check, then every write, so that a refusal has nothing to undo.

use crate::cells::Cells;
use crate::{Db, Result, cards, change, claims, failed};
use till_core::id::MerchantId;

use till_core::port::store::{
    Change, Claimed, Commit, Committed, InboxKey, On, Park, Recent, Total, TotalChange, TotalKey,
};
use till_core::time::Timestamp;

/// Writes all of it, or says why not. Runs in the writer's transaction, so that nothing moves between check and write.
pub(crate) async fn commit(db: &mut Db, commit: &Commit) -> Result<Committed> {
    if let Some(shown) = &commit.shown
        && !(shown.claim.table == Claimed::Card && claims::holds(db, &commit.merchant, &shown.claim).await?)
    {
        cards::raise_lost(db, &commit.merchant, &shown.claim, commit.now).await?;
        return Ok(Committed::FenceLost);
    }
    if let Some(refusal) = refusal(db, commit).await? {
        return Ok(refusal);
    }
    write(db, commit).await?;
    Ok(Committed::Done)
}

async fn refusal(db: &mut Db, commit: &Commit) -> Result<Option<Committed>> {
    let merchant = &commit.merchant;
    for settle in &commit.settle {
        if settle.claim.table == Claimed::Card || !claims::holds(db, merchant, &settle.claim).await? {
            return Ok(Some(Committed::FenceLost));
        }
    }
    for key in &commit.inbox {
        if let Some(duplicate) = answered(db, merchant, key).await? {
            return Ok(Some(duplicate));
        }
    }
    if let Some(recent) = &commit.recent
        && let Some(same) = asked_recently(db, merchant, recent).await?
    {
        return Ok(Some(same));
    }
    if let Some(change) = &commit.payment
        && let Some(refusal) = refusal_of_change(db, merchant, change).await?
    {
        return Ok(Some(refusal));
    }
    for change in &commit.totals {
        if total(&mut *db, merchant, &change.key).await?.version != change.version {
            return Ok(Some(Committed::Moved));
        }
    }
    Ok(None)
}

async fn refusal_of_change(db: &mut Db, merchant: &MerchantId, change: &Change) -> Result<Option<Committed>> {
    let known = change::version(db, merchant, change.payment).await?;
    Ok(match (&change.on, known) {
        (On::New(_), Some(_)) | (On::Version(_), None) => Some(Committed::Moved),
        (On::Version(read), Some(now)) => (*read != now).then_some(Committed::Moved),
        (On::New(new), None) => change::has_code(db, merchant, new.code).await?.then_some(Committed::CodeTaken),
    })
}

async fn write(db: &mut Db, commit: &Commit) -> Result<()> {
    let Commit { merchant, now, inbox, recent, payment, totals, settle, shown, park } = commit;
    let about = payment.as_ref().map(|change| change.payment.to_string());
    // Facts refer to their payment, so it comes first.
    if let Some(change) = payment {
        change::write(db, merchant, *now, change).await?;
    }
    for key in inbox {
        add_answered(db, merchant, key, about.as_deref(), *now).await?;
    }
    if let (Some(recent), Some(payment)) = (recent, &about) {
        add_recent(db, merchant, &recent.key, payment, *now).await?;
    }
    for change in totals {
        add_to_total(db, merchant, change).await?;
    }
    for settle in settle {
        claims::settle(db, settle, *now).await?;
    }
    if let Some(shown) = shown {
        cards::show(db, *now, shown).await?;
    }
    if let Some(park) = park {
        add_parked(db, merchant, park, *now).await?;
    }
    Ok(())
}

/// What a delivery was answered with.
pub(crate) async fn answered(db: &mut Db, merchant: &MerchantId, key: &InboxKey) -> Result<Option<Committed>> {
    const SQL: &str = "SELECT key, payment FROM inbox WHERE merchant = ?1 AND source = ?2 AND key = ?3";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(&key.source).bind(&key.key);
    let Some(row) = query.fetch_optional(db).await.map_err(failed)? else { return Ok(None) };
    let cells = Cells::of("inbox", &row);
    let named = cells.get::<Option<&str>>("payment")?.map(|_| cells.parsed("payment")).transpose()?;
    Ok(Some(Committed::Duplicate(named)))
}

async fn add_answered(
    db: &mut Db,
    merchant: &MerchantId,
    key: &InboxKey,
    payment: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    const SQL: &str = "INSERT INTO inbox (merchant, source, key, payment, at) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (merchant, source, key) DO NOTHING";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(&key.source).bind(&key.key).bind(payment).bind(now.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

async fn asked_recently(db: &mut Db, merchant: &MerchantId, recent: &Recent) -> Result<Option<Committed>> {
    const SQL: &str = "SELECT key, payment, at FROM recent WHERE merchant = ?1 AND key = ?2 AND at >= ?3";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(&recent.key).bind(recent.since.ms());
    let Some(row) = query.fetch_optional(db).await.map_err(failed)? else { return Ok(None) };
    let cells = Cells::of("recent", &row);
    Ok(Some(Committed::Recent(cells.parsed("payment")?, cells.time("at")?)))
}

async fn add_recent(db: &mut Db, merchant: &MerchantId, key: &str, payment: &str, now: Timestamp) -> Result<()> {
    const SQL: &str = "INSERT INTO recent (merchant, key, payment, at) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (merchant, key) DO UPDATE SET payment = excluded.payment, at = excluded.at";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(key).bind(payment).bind(now.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

/// A day total, from the writer or a reader.
pub(crate) async fn total(db: impl sqlx::SqliteExecutor<'_>, merchant: &MerchantId, key: &TotalKey) -> Result<Total> {
    const SQL: &str = "SELECT key, version, minor FROM total WHERE merchant = ?1 AND key = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(&key.0);
    let Some(row) = query.fetch_optional(db).await.map_err(failed)? else { return Ok(Total::default()) };
    let cells = Cells::of("total", &row);
    Ok(Total { version: cells.number("version")?, minor: cells.get("minor")? })
}

async fn add_to_total(db: &mut Db, merchant: &MerchantId, change: &TotalChange) -> Result<()> {
    const SQL: &str = "INSERT INTO total (merchant, key, version, minor) VALUES (?1, ?2, 1, ?3) \
        ON CONFLICT (merchant, key) DO UPDATE SET version = version + 1, minor = minor + excluded.minor";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(&change.key.0).bind(change.add_minor);
    query.execute(db).await.map(drop).map_err(failed)
}

async fn add_parked(db: &mut Db, merchant: &MerchantId, park: &Park, now: Timestamp) -> Result<()> {
    const SQL: &str = "INSERT INTO parked (merchant, source, key, sealed, since, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
        ON CONFLICT (merchant, source, key) DO NOTHING";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(&park.key.source).bind(&park.key.key);
    let query = query.bind(park.sealed.as_slice()).bind(now.ms()).bind(park.due.ms());
    query.execute(db).await.map(drop).map_err(failed)
}
