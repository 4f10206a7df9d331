//! Questions about payments and queues, answered by the readers.

use crate::cells::Cells;
use crate::{Db, Result, failed};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;
use till_core::id::{AccountId, Code, MerchantId, PaymentId};
use till_core::link::{Link, Purpose};
use till_core::order::Wording;
use till_core::payment::{Fact, Status};
use till_core::place::MessageRef;
use till_core::port::store::{Backlog, ListFilter, ObjectKind, Stored, Summary};
use till_core::time::Timestamp;

/// How many are listed when nobody says.
const LIST_DEFAULT: u32 = 50;

/// One payment, all of it from one snapshot, so that its version speaks of its facts.
pub(crate) async fn payment(db: &SqlitePool, merchant: &MerchantId, id: PaymentId) -> Result<Option<Stored>> {
    let mut snapshot = db.begin().await.map_err(failed)?;
    let key = id.to_string();
    let Some(row) = payment_row(&mut snapshot, merchant, &key).await? else { return Ok(None) };
    let facts = facts(&mut snapshot, merchant, &key).await?;
    let links = links(&mut snapshot, merchant, &key).await?;
    let checkout_urls = checkout_urls(&mut snapshot, merchant, &key).await?;
    snapshot.commit().await.map_err(failed)?;
    let cells = Cells::of("payment", &row);
    Ok(Some(Stored {
        merchant: merchant.clone(),
        id,
        code: cells.parsed("code")?,
        account: AccountId::new(cells.get::<String>("account")?),
        place: cells.json("place")?,
        version: cells.number("version")?,
        created_at: cells.time("created_at")?,
        wording: cells.json_or_none::<Wording>("words")?.unwrap_or_default(),
        facts,
        links,
        checkout_urls,
        rev: cells.number("rev")?,
    }))
}

async fn payment_row(db: &mut Db, merchant: &MerchantId, id: &str) -> Result<Option<SqliteRow>> {
    const SQL: &str = "SELECT p.id, p.code, p.account, p.place, p.version, p.created_at, p.rev, w.body AS words \
        FROM payment p LEFT JOIN wording w ON w.merchant = p.merchant AND w.payment = p.id \
        WHERE p.merchant = ?1 AND p.id = ?2";
    sqlx::query(SQL).bind(merchant.as_str()).bind(id).fetch_optional(db).await.map_err(failed)
}

async fn facts(db: &mut Db, merchant: &MerchantId, payment: &str) -> Result<Vec<(Timestamp, Fact)>> {
    const SQL: &str = "SELECT n, at, body FROM fact WHERE merchant = ?1 AND payment = ?2 ORDER BY n";
    let rows = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).fetch_all(db).await.map_err(failed)?;
    let facts = rows.iter().map(|row| {
        let cells = Cells::of("fact", row);
        Ok((cells.time("at")?, cells.json("body")?))
    });
    facts.collect()
}

async fn links(db: &mut Db, merchant: &MerchantId, payment: &str) -> Result<Vec<Link>> {
    const SQL: &str = "SELECT row, purpose, n, key FROM link WHERE merchant = ?1 AND payment = ?2 ORDER BY row";
    let rows = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).fetch_all(db).await.map_err(failed)?;
    let links = rows.iter().map(|row| {
        let cells = Cells::of("link", row);
        let purpose = cells.get::<&str>("purpose")?;
        let purpose = Purpose::named(purpose).ok_or_else(|| cells.unreadable(format!("purpose `{purpose}`")))?;
        Ok(Link { purpose, n: cells.number("n")?, key: cells.number("key")? })
    });
    links.collect()
}

async fn checkout_urls(db: &mut Db, merchant: &MerchantId, payment: &str) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT row, id, url FROM object \
        WHERE merchant = ?1 AND payment = ?2 AND kind = ?3 AND url IS NOT NULL ORDER BY row";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).bind(ObjectKind::Checkout.name());
    let rows = query.fetch_all(db).await.map_err(failed)?;
    let urls = rows.iter().map(|row| {
        let cells = Cells::of("object", row);
        Ok((cells.get("id")?, cells.get("url")?))
    });
    urls.collect()
}

/// The payment of this code.
pub(crate) async fn by_code(db: &SqlitePool, merchant: &MerchantId, code: Code) -> Result<Option<PaymentId>> {
    const SQL: &str = "SELECT id FROM payment WHERE merchant = ?1 AND code = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(code.to_string());
    let row = query.fetch_optional(db).await.map_err(failed)?;
    row.map(|row| Cells::of("payment", &row).parsed("id")).transpose()
}

/// The payment of a provider's object.
pub(crate) async fn by_object(
    db: &SqlitePool,
    merchant: &MerchantId,
    account: &AccountId,
    kind: ObjectKind,
    id: &str,
) -> Result<Option<PaymentId>> {
    const SQL: &str = "SELECT row, payment FROM object WHERE merchant = ?1 AND account = ?2 AND kind = ?3 AND id = ?4";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(account.as_str()).bind(kind.name()).bind(id);
    let row = query.fetch_optional(db).await.map_err(failed)?;
    row.map(|row| Cells::of("object", &row).parsed("payment")).transpose()
}

/// The messages that show cards of a payment, oldest card first.
pub(crate) async fn card_messages(
    db: &SqlitePool,
    merchant: &MerchantId,
    payment: PaymentId,
) -> Result<Vec<MessageRef>> {
    const SQL: &str = "SELECT row, message FROM card \
        WHERE merchant = ?1 AND payment = ?2 AND message IS NOT NULL ORDER BY row";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment.to_string());
    let rows = query.fetch_all(db).await.map_err(failed)?;
    rows.iter().map(|row| Cells::of("card", row).json("message")).collect()
}

/// Whose payment a token opens.
pub(crate) async fn by_link(
    db: &SqlitePool,
    purpose: Purpose,
    hash: &[u8; 32],
) -> Result<Option<(MerchantId, PaymentId)>> {
    const SQL: &str = "SELECT row, merchant, payment FROM link WHERE purpose = ?1 AND hash = ?2";
    let query = sqlx::query(SQL).bind(purpose.name()).bind(hash.as_slice());
    let Some(row) = query.fetch_optional(db).await.map_err(failed)? else { return Ok(None) };
    let cells = Cells::of("link", &row);
    Ok(Some((MerchantId::new(cells.get::<String>("merchant")?), cells.parsed("payment")?)))
}

/// A page of payments, newest first.
pub(crate) async fn list(db: &SqlitePool, merchant: &MerchantId, filter: &ListFilter) -> Result<Vec<Summary>> {
    const ALL: &str = "SELECT p.id, p.code, p.status, p.created_at, f.body AS request, w.body AS words FROM payment p \
        LEFT JOIN fact f ON f.merchant = p.merchant AND f.payment = p.id AND f.key = 'requested' \
        LEFT JOIN wording w ON w.merchant = p.merchant AND w.payment = p.id \
        WHERE p.merchant = ?1 ORDER BY p.created_at DESC, p.id DESC LIMIT ?2";
    const OF_STATUS: &str = "SELECT p.id, p.code, p.status, p.created_at, f.body AS request, w.body AS words \
        FROM payment p LEFT JOIN fact f ON f.merchant = p.merchant AND f.payment = p.id AND f.key = 'requested' \
        LEFT JOIN wording w ON w.merchant = p.merchant AND w.payment = p.id \
        WHERE p.merchant = ?1 AND p.status = ?3 ORDER BY p.created_at DESC, p.id DESC LIMIT ?2";
    let limit = if filter.limit == 0 { LIST_DEFAULT } else { filter.limit };
    let query = sqlx::query(if filter.status.is_some() { OF_STATUS } else { ALL });
    let query = query.bind(merchant.as_str()).bind(i64::from(limit));
    let query = match filter.status {
        Some(status) => query.bind(status.name()),
        None => query,
    };
    query.fetch_all(db).await.map_err(failed)?.iter().map(summary).collect()
}

fn summary(row: &SqliteRow) -> Result<Summary> {
    let cells = Cells::of("payment", row);
    let status = cells.get::<&str>("status")?;
    let Some(Fact::Requested { amount, .. }) = cells.json_or_none("request")? else {
        return Err(cells.unreadable("never requested"));
    };
    Ok(Summary {
        id: cells.parsed("id")?,
        code: cells.parsed("code")?,
        status: Status::named(status).ok_or_else(|| cells.unreadable(format!("status `{status}`")))?,
        created_at: cells.time("created_at")?,
        amount,
        what: cells.json_or_none::<Wording>("words")?.unwrap_or_default().summary(),
    })
}

/// When something waits for time next.
pub(crate) async fn next_due(db: &SqlitePool) -> Result<Option<Timestamp>> {
    // One index each: of the outbox, one per queue.
    const SQL: &str = "SELECT 'next' AS name, min(due) AS due FROM ( \
        SELECT min(due) AS due FROM outbox WHERE state = 'open' AND queue = 'provider' \
        UNION ALL SELECT min(due) FROM outbox WHERE state = 'open' AND queue = 'chat' \
        UNION ALL SELECT min(due) FROM card WHERE state = 'open' AND shown_rev < desired_rev \
        UNION ALL SELECT min(due) FROM parked WHERE state = 'open' \
        UNION ALL SELECT min(check_at) FROM payment WHERE check_at IS NOT NULL)";
    let row = sqlx::query(SQL).fetch_one(db).await.map_err(failed)?;
    let due: Option<i64> = Cells::of("due", &row).get("due")?;
    Ok(due.map(Timestamp::from_ms))
}

/// How full the queues are.
pub(crate) async fn backlog(db: &SqlitePool) -> Result<Backlog> {
    const SQL: &str = "SELECT 'all' AS name, \
        (SELECT count(*) FROM outbox WHERE state = 'open') AS work, \
        (SELECT count(*) FROM card WHERE state = 'open' AND shown_rev < desired_rev) AS cards, \
        (SELECT count(*) FROM parked WHERE state = 'open') AS parked, \
        (SELECT count(*) FROM outbox WHERE state = 'dead') + (SELECT count(*) FROM card WHERE state = 'dead') \
        + (SELECT count(*) FROM parked WHERE state = 'dead') AS dead";
    let row = sqlx::query(SQL).fetch_one(db).await.map_err(failed)?;
    let cells = Cells::of("backlog", &row);
    Ok(Backlog {
        work: cells.number("work")?,
        cards: cells.number("cards")?,
        parked: cells.number("parked")?,
        dead: cells.number("dead")?,
    })
}
