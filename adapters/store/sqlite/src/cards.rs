//! Cards: the revision that each shall show, the one that it shows, and who draws it now.

use crate::cells::Cells;
use crate::{Db, Result, claims, failed, int, json};
use sqlx::sqlite::SqliteRow;
use std::time::Duration;
use till_core::id::MerchantId;
use till_core::place::{MessageRef, Place};
use till_core::port::store::{CardClaim, Claim, Claimed, Shown, ShownOutcome};
use till_core::time::Timestamp;

/// A place shows a card from now on; one that is there stays.
pub(crate) async fn add(
    db: &mut Db,
    merchant: &MerchantId,
    payment: &str,
    place: &Place,
    rev: u64,
    now: Timestamp,
) -> Result<()> {
    const SQL: &str = "INSERT INTO card (merchant, payment, place, desired_rev, due, owed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5) \
        ON CONFLICT (merchant, payment, place) DO NOTHING";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).bind(json(place)?).bind(int(rev)).bind(now.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

/// All cards of a payment shall show `rev`. Those that were not behind are from now on.
pub(crate) async fn raise_all(
    db: &mut Db,
    merchant: &MerchantId,
    payment: &str,
    rev: u64,
    now: Timestamp,
) -> Result<()> {
    const SQL: &str = "UPDATE card SET desired_rev = ?3, \
        owed_at = CASE WHEN shown_rev < desired_rev THEN owed_at ELSE ?4 END WHERE merchant = ?1 AND payment = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).bind(int(rev)).bind(now.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

/// A claim was lost: whoever had it may have made the last edit, so one more comes after it.
pub(crate) async fn raise_lost(db: &mut Db, merchant: &MerchantId, claim: &Claim, now: Timestamp) -> Result<()> {
    const SQL: &str = "SELECT 1 FROM card WHERE row = ?1 AND merchant = ?2";
    let query = sqlx::query(SQL).bind(claim.row).bind(merchant.as_str());
    let is_ours = query.fetch_optional(&mut *db).await.map_err(failed)?.is_some();
    if is_ours && claim.table == Claimed::Card { raise(db, claim.row, now).await } else { Ok(()) }
}

/// Asks for one more revision of one card. The payment counts revisions, so it goes first.
async fn raise(db: &mut Db, row: i64, now: Timestamp) -> Result<()> {
    raise_payment_of(db, row).await?;
    raise_to_payment(db, row, now).await
}

async fn raise_payment_of(db: &mut Db, row: i64) -> Result<()> {
    const SQL: &str = "UPDATE payment SET rev = rev + 1 \
        WHERE (merchant, id) IN (SELECT merchant, payment FROM card WHERE row = ?1)";
    sqlx::query(SQL).bind(row).execute(db).await.map(drop).map_err(failed)
}

async fn raise_to_payment(db: &mut Db, row: i64, now: Timestamp) -> Result<()> {
    const SQL: &str = "UPDATE card SET desired_rev = \
        (SELECT rev FROM payment WHERE payment.merchant = card.merchant AND payment.id = card.payment), \
        owed_at = CASE WHEN shown_rev < desired_rev THEN owed_at ELSE ?2 END WHERE row = ?1";
    sqlx::query(SQL).bind(row).bind(now.ms()).execute(db).await.map(drop).map_err(failed)
}

/// Writes what became of a card whose claim was checked.
pub(crate) async fn show(db: &mut Db, now: Timestamp, shown: &Shown) -> Result<()> {
    let (table, row) = (Claimed::Card, shown.claim.row);
    match &shown.outcome {
        ShownOutcome::Showing { rev, message } | ShownOutcome::Succeeded { rev, message } => {
            stands(db, row, *rev, Some(message), now).await
        }
        ShownOutcome::NotYet { rev } => stands(db, row, *rev, None, now).await,
        ShownOutcome::Again { due, why } => claims::again(db, table, row, *due, why).await,
        ShownOutcome::Unsure { due, why } => {
            claims::again(db, table, row, *due, why).await?;
            raise(db, row, now).await
        }
        ShownOutcome::Lost { why } => claims::give_up(db, table, row, why, now).await,
    }
}

/// It is up to `rev`, in this message when there is a new one; what comes after is due at once.
async fn stands(db: &mut Db, row: i64, rev: u64, message: Option<&MessageRef>, now: Timestamp) -> Result<()> {
    const SQL: &str = "UPDATE card SET shown_rev = max(shown_rev, ?2), message = coalesce(?3, message), due = ?4, \
        owed_at = ?4, held = 0, tries = 0, why = NULL WHERE row = ?1";
    let message = message.map(json).transpose()?;
    let query = sqlx::query(SQL).bind(row).bind(int(rev)).bind(message).bind(now.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

/// Claims cards that are due and behind.
pub(crate) async fn claim(db: &mut Db, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<CardClaim>> {
    let due = behind(db, now, limit).await?;
    claims::hold(db, Claimed::Card, &due, now.after(lease)).await?;
    Ok(claims::readable(&due, claimed))
}

async fn behind(db: &mut Db, now: Timestamp, limit: u32) -> Result<Vec<SqliteRow>> {
    const SQL: &str = "SELECT row, merchant, payment, place, message, desired_rev, fence, tries FROM card \
        WHERE state = 'open' AND shown_rev < desired_rev AND due <= ?1 ORDER BY due, row LIMIT ?2";
    sqlx::query(SQL).bind(now.ms()).bind(i64::from(limit)).fetch_all(db).await.map_err(failed)
}

fn claimed(row: &SqliteRow) -> Result<CardClaim> {
    let cells = Cells::of("card", row);
    Ok(CardClaim {
        claim: claims::next(Claimed::Card, cells)?,
        merchant: MerchantId::new(cells.get::<String>("merchant")?),
        payment: cells.parsed("payment")?,
        place: cells.json("place")?,
        message: cells.json_or_none("message")?,
        desired_rev: cells.number("desired_rev")?,
        tries: claims::next_try(cells)?,
    })
}
