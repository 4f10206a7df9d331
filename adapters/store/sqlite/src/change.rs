//! What changes about a payment, and what a new one brings.

use crate::cells::Cells;
use crate::{Db, Result, cards, failed, json};
use till_core::id::{Code, MerchantId, PaymentId};
use till_core::link::Link;
use till_core::order::Wording;
use till_core::payment::Fact;
use till_core::port::store::{Change, NewPayment, NewWork, Object, On, Shows};
use till_core::time::Timestamp;

/// The version as it stands; none when there is no such payment.
pub(crate) async fn version(db: &mut Db, merchant: &MerchantId, payment: PaymentId) -> Result<Option<u64>> {
    const SQL: &str = "SELECT id, version FROM payment WHERE merchant = ?1 AND id = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment.to_string());
    let row = query.fetch_optional(db).await.map_err(failed)?;
    row.map(|row| Cells::of("payment", &row).number("version")).transpose()
}

/// Whether one of the merchant's payments is called so.
pub(crate) async fn has_code(db: &mut Db, merchant: &MerchantId, code: Code) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM payment WHERE merchant = ?1 AND code = ?2";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(code.to_string());
    query.fetch_optional(db).await.map(|row| row.is_some()).map_err(failed)
}

/// Writes a change that was checked.
pub(crate) async fn write(db: &mut Db, merchant: &MerchantId, now: Timestamp, change: &Change) -> Result<()> {
    let id = change.payment.to_string();
    if let On::New(new) = &change.on {
        add_payment(db, merchant, &id, now, new, change).await?;
        add_wording(db, merchant, &id, &new.wording).await?;
        for (link, hash) in &new.links {
            add_link(db, merchant, &id, link, hash).await?;
        }
    }
    let rev = count(db, merchant, &id, change).await?;
    for fact in &change.facts {
        add_fact(db, merchant, &id, now, fact).await?;
    }
    for place in &change.cards {
        cards::add(db, merchant, &id, place, rev, now).await?;
    }
    if change.shows == Shows::OnCards {
        cards::raise_all(db, merchant, &id, rev, now).await?;
    }
    for work in &change.work {
        add_work(db, merchant, &id, work, now).await?;
    }
    for object in &change.objects {
        add_object(db, merchant, &id, object).await?;
    }
    Ok(())
}

async fn add_payment(
    db: &mut Db,
    merchant: &MerchantId,
    id: &str,
    now: Timestamp,
    new: &NewPayment,
    change: &Change,
) -> Result<()> {
    const SQL: &str = "INSERT INTO payment (merchant, id, code, account, place, version, rev, status, created_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?7)";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(id).bind(new.code.to_string()).bind(new.account.as_str());
    let query = query.bind(json(&new.place)?).bind(change.status.name()).bind(now.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

async fn add_wording(db: &mut Db, merchant: &MerchantId, payment: &str, wording: &Wording) -> Result<()> {
    const SQL: &str = "INSERT INTO wording (merchant, payment, body) VALUES (?1, ?2, ?3)";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).bind(json(wording)?);
    query.execute(db).await.map(drop).map_err(failed)
}

async fn add_link(db: &mut Db, merchant: &MerchantId, payment: &str, link: &Link, hash: &[u8; 32]) -> Result<()> {
    const SQL: &str = "INSERT INTO link (merchant, payment, purpose, n, key, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).bind(link.purpose.name());
    let query = query.bind(i64::from(link.n)).bind(i64::from(link.key)).bind(hash.as_slice());
    query.execute(db).await.map(drop).map_err(failed)
}

/// Counts the change and, where it can be seen, the revision that cards shall show; gives that.
async fn count(db: &mut Db, merchant: &MerchantId, payment: &str, change: &Change) -> Result<u64> {
    const SQL: &str = "UPDATE payment SET version = version + 1, rev = rev + ?5, status = ?3, check_at = ?4 \
        WHERE merchant = ?1 AND id = ?2 RETURNING id, rev";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).bind(change.status.name());
    let query = query.bind(change.check_at.map(Timestamp::ms)).bind(i64::from(change.shows == Shows::OnCards));
    let row = query.fetch_one(db).await.map_err(failed)?;
    Cells::of("payment", &row).number("rev")
}

async fn add_fact(db: &mut Db, merchant: &MerchantId, payment: &str, now: Timestamp, fact: &Fact) -> Result<()> {
    const SQL: &str = "INSERT INTO fact (merchant, payment, key, at, body) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (merchant, payment, key) DO NOTHING";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).bind(fact.key()).bind(now.ms());
    query.bind(json(fact)?).execute(db).await.map(drop).map_err(failed)
}

async fn add_work(db: &mut Db, merchant: &MerchantId, payment: &str, new: &NewWork, now: Timestamp) -> Result<()> {
    const SQL: &str = "INSERT INTO outbox (merchant, payment, key, queue, body, since, due, owed_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (merchant, key) DO NOTHING";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(payment).bind(new.key.as_str());
    let query = query.bind(new.work.queue().name()).bind(json(&new.work)?).bind(now.ms()).bind(new.due.ms());
    query.execute(db).await.map(drop).map_err(failed)
}

/// Maps a provider's object for ever. Where it is known, only a missing URL is filled in: the webhook may come before
/// the answer that holds it.
async fn add_object(db: &mut Db, merchant: &MerchantId, payment: &str, object: &Object) -> Result<()> {
    const SQL: &str = "INSERT INTO object (merchant, account, kind, id, payment, url) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
        ON CONFLICT (merchant, account, kind, id) DO UPDATE SET url = excluded.url \
        WHERE object.payment = excluded.payment AND object.url IS NULL";
    let query = sqlx::query(SQL).bind(merchant.as_str()).bind(object.account.as_str()).bind(object.kind.name());
    let query = query.bind(&object.id).bind(payment).bind(object.url.as_deref());
    query.execute(db).await.map(drop).map_err(failed)
}
