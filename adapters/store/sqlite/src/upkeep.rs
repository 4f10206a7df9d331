//! Looking after the file: what waits, what was given up and comes again, what is old enough to be deleted.
//!
//! Whatever is asked here reads the rows that wait or were given up, which are few, and never a payment's facts.

use crate::cells::Cells;
use crate::{Db, Result, Sqlite, failed};
use async_trait::async_trait;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;
use till_core::id::{MerchantId, PaymentId};
use till_core::payment::Status;
use till_core::place::Place;
use till_core::port::store::{Concerns, DeadLetter, Letter, LetterKind, Old, Upkeep, Waiting, Which};
use till_core::time::Timestamp;

#[async_trait]
impl Upkeep for Sqlite {
    async fn waiting(&self, merchant: &MerchantId) -> Result<Vec<Waiting>> {
        let mut all = Vec::new();
        for kind in LetterKind::ALL {
            let (open, dead) = counts(&self.readers, merchant, kind).await?;
            let oldest = oldest(&self.readers, merchant, kind).await?;
            all.push(Waiting { kind, open, oldest, dead });
        }
        Ok(all)
    }

    async fn dead(&self, merchant: &MerchantId, which: Which, limit: u32) -> Result<Vec<DeadLetter>> {
        dead(&self.readers, merchant, which, limit).await
    }

    async fn revive(&self, merchant: &MerchantId, which: Which, now: Timestamp) -> Result<u64> {
        let merchant = merchant.clone();
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    let mut revived = 0;
                    for kind in LetterKind::ALL {
                        revived += revive(db, &merchant, kind, which, now).await?;
                    }
                    Ok(revived)
                })
            })
            .await
    }

    async fn statuses(&self, merchant: &MerchantId) -> Result<BTreeMap<Status, u64>> {
        statuses(&self.readers, merchant).await
    }

    async fn concerned(&self, merchant: &MerchantId, concerns: &Concerns) -> Result<Vec<(Timestamp, PaymentId)>> {
        concerned(&self.readers, merchant, concerns).await
    }

    async fn forget(&self, old: Old, limit: u32) -> Result<u64> {
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    let expired = forget_expired(db, old.expired, limit).await?;
                    let asked = forget_asked(db, old.asked, limit).await?;
                    Ok(expired + asked + forget_delivered(db, old.delivered, limit).await?)
                })
            })
            .await
    }
}

/// What follows reads `letter`: every row of work that waits or was given up, whichever table it is in. The numbers of
/// kinds are their places in [`LetterKind::ALL`]. Cards stand there twice, so that each half has its index.
macro_rules! of_letters {
    ($after:literal) => {
        concat!(
            "WITH letter AS ( \
            SELECT row, CASE queue WHEN 'provider' THEN 0 ELSE 1 END AS kind, merchant, payment, key, why, \
                coalesce(owed_at, since) AS since, tries, state, coalesce(dead_at, due) AS dead_at FROM outbox \
            UNION ALL SELECT row, 2, merchant, payment, place, why, coalesce(owed_at, due), tries, state, \
                coalesce(dead_at, due) FROM card WHERE state = 'open' AND shown_rev < desired_rev \
            UNION ALL SELECT row, 2, merchant, payment, place, why, coalesce(owed_at, due), tries, state, \
                coalesce(dead_at, due) FROM card WHERE state = 'dead' \
            UNION ALL SELECT row, 3, merchant, NULL, key, why, since, tries, state, coalesce(dead_at, due) FROM parked) ",
            $after
        )
    };
}

// `+merchant`: else SQLite goes by the index of all keys, and reads every row that was ever done.
const COUNT_OPEN: &str =
    of_letters!("SELECT 'open', count(*) AS n FROM letter WHERE +merchant = ?1 AND kind = ?2 AND state = 'open'");
const COUNT_DEAD: &str =
    of_letters!("SELECT 'dead', count(*) AS n FROM letter WHERE +merchant = ?1 AND kind = ?2 AND state = 'dead'");
const OLDEST: &str = of_letters!(
    "SELECT row, kind, payment, key, why, since, tries, dead_at, \
    (SELECT code FROM payment WHERE payment.merchant = letter.merchant AND payment.id = letter.payment) AS code \
    FROM letter WHERE +merchant = ?1 AND kind = ?2 AND state = 'open' ORDER BY since, row LIMIT 1"
);
const DEAD: &str = of_letters!(
    "SELECT row, kind, payment, key, why, since, tries, dead_at, \
    (SELECT code FROM payment WHERE payment.merchant = letter.merchant AND payment.id = letter.payment) AS code \
    FROM letter WHERE +merchant = ?1 AND state = 'dead' AND (?2 IS NULL OR payment = ?2) \
    AND (?3 IS NULL OR kind = ?3 AND row = ?4) ORDER BY dead_at DESC, kind, row LIMIT ?5"
);
const REVIVE_WORK: &str = "UPDATE outbox SET state = 'open', due = ?5, tries = min(tries, 1), dead_at = NULL \
    WHERE +merchant = ?1 AND state = 'dead' AND (?2 IS NULL OR payment = ?2) AND (?3 IS NULL OR row = ?3) \
    AND queue = ?4";
const REVIVE_CARD: &str = "UPDATE card SET state = 'open', due = ?5, tries = min(tries, 1), dead_at = NULL \
    WHERE +merchant = ?1 AND state = 'dead' AND (?2 IS NULL OR payment = ?2) AND (?3 IS NULL OR row = ?3)";
const REVIVE_PARKED: &str = "UPDATE parked SET state = 'open', due = ?5, tries = min(tries, 1), dead_at = NULL \
    WHERE +merchant = ?1 AND state = 'dead' AND ?2 IS NULL AND (?3 IS NULL OR row = ?3)";

fn number(kind: LetterKind) -> i64 {
    match kind {
        LetterKind::Call => 0,
        LetterKind::Message => 1,
        LetterKind::Card => 2,
        LetterKind::Delivery => 3,
    }
}

/// How much waits and how much was given up.
async fn counts(db: &SqlitePool, merchant: &MerchantId, kind: LetterKind) -> Result<(u64, u64)> {
    let count = async |sql| {
        let query = sqlx::query(sql).bind(merchant.as_str()).bind(number(kind));
        let row = query.fetch_one(db).await.map_err(failed)?;
        Cells::of("letter", &row).number("n")
    };
    Ok((count(COUNT_OPEN).await?, count(COUNT_DEAD).await?))
}

async fn oldest(db: &SqlitePool, merchant: &MerchantId, kind: LetterKind) -> Result<Option<Letter>> {
    let query = sqlx::query(OLDEST).bind(merchant.as_str()).bind(number(kind));
    query.fetch_optional(db).await.map_err(failed)?.as_ref().map(letter).transpose()
}

async fn dead(db: &SqlitePool, merchant: &MerchantId, which: Which, limit: u32) -> Result<Vec<DeadLetter>> {
    let (payment, kind, row) = bounds(which);
    let query = sqlx::query(DEAD).bind(merchant.as_str()).bind(payment).bind(kind).bind(row).bind(i64::from(limit));
    let rows = query.fetch_all(db).await.map_err(failed)?;
    rows.iter()
        .map(|row| Ok(DeadLetter { letter: letter(row)?, given_up: Cells::of("letter", row).time("dead_at")? }))
        .collect()
}

/// Payment, kind and number, as far as they are meant.
fn bounds(which: Which) -> (Option<String>, Option<i64>, Option<i64>) {
    match which {
        Which::All => (None, None, None),
        Which::Payment(payment) => (Some(payment.to_string()), None, None),
        Which::One { kind, row } => (None, Some(number(kind)), Some(row)),
    }
}

fn letter(row: &SqliteRow) -> Result<Letter> {
    let cells = Cells::of("letter", row);
    let kind = LetterKind::ALL.into_iter().nth(cells.number("kind")?);
    let kind = kind.ok_or_else(|| cells.unreadable("of no kind"))?;
    let payment = match cells.get::<Option<&str>>("payment")? {
        Some(_) => Some((cells.parsed("payment")?, cells.parsed("code")?)),
        None => None,
    };
    let key = match kind {
        LetterKind::Card => cells.json::<Place>("key")?.to_string(),
        LetterKind::Call | LetterKind::Message | LetterKind::Delivery => cells.get("key")?,
    };
    Ok(Letter {
        kind,
        row: cells.get("row")?,
        payment,
        key,
        why: cells.get::<Option<String>>("why")?.unwrap_or_default(),
        since: cells.time("since")?,
        tries: cells.number("tries")?,
    })
}

/// Whatever was sent before has perhaps had its effect, so the next try is not the first.
async fn revive(db: &mut Db, merchant: &MerchantId, kind: LetterKind, which: Which, now: Timestamp) -> Result<u64> {
    let (payment, of, row) = bounds(which);
    if of.is_some_and(|of| of != number(kind)) {
        return Ok(0);
    }
    let (sql, queue) = match kind {
        LetterKind::Call => (REVIVE_WORK, "provider"),
        LetterKind::Message => (REVIVE_WORK, "chat"),
        LetterKind::Card => (REVIVE_CARD, ""),
        LetterKind::Delivery => (REVIVE_PARKED, ""),
    };
    let query = sqlx::query(sql).bind(merchant.as_str()).bind(payment).bind(row).bind(queue).bind(now.ms());
    query.execute(db).await.map(|done| done.rows_affected()).map_err(failed)
}

/// Two halves, each by an index of its own: the new ones by age, the old ones by status. Left to itself, SQLite reads all
/// old ones in the order that is wanted.
const CONCERNED: &str = "SELECT id, created_at FROM payment INDEXED BY payment_newest \
    WHERE merchant = ?1 AND created_at >= ?2 AND (created_at, id) < (?4, ?5) \
    UNION ALL SELECT id, created_at FROM payment INDEXED BY payment_newest_of_status \
    WHERE merchant = ?1 AND status IN (SELECT value FROM json_each(?3)) AND created_at < ?2 \
        AND (created_at, id) < (?4, ?5) \
    ORDER BY created_at DESC, id DESC LIMIT ?6";

async fn concerned(db: &SqlitePool, merchant: &MerchantId, concerns: &Concerns) -> Result<Vec<(Timestamp, PaymentId)>> {
    let or: Vec<&str> = concerns.or.iter().map(|status| status.name()).collect();
    let (at, id) = concerns.after.map_or((i64::MAX, String::new()), |(at, id)| (at.ms(), id.to_string()));
    let query = sqlx::query(CONCERNED).bind(merchant.as_str()).bind(concerns.since.ms());
    let query = query.bind(serde_json::json!(or).to_string()).bind(at).bind(id).bind(i64::from(concerns.limit));
    let rows = query.fetch_all(db).await.map_err(failed)?;
    let read = |row: &SqliteRow| {
        let cells = Cells::of("payment", row);
        Ok((cells.time("created_at")?, cells.parsed("id")?))
    };
    rows.iter().map(read).collect()
}

const STATUSES: &str = "SELECT status, count(*) AS n FROM payment WHERE merchant = ?1 GROUP BY status";

async fn statuses(db: &SqlitePool, merchant: &MerchantId) -> Result<BTreeMap<Status, u64>> {
    let rows = sqlx::query(STATUSES).bind(merchant.as_str()).fetch_all(db).await.map_err(failed)?;
    let counted = rows.iter().map(|row| {
        let cells = Cells::of("payment", row);
        let name = cells.get::<&str>("status")?;
        let status = Status::named(name).ok_or_else(|| cells.unreadable(format!("status `{name}`")))?;
        Ok((status, cells.number("n")?))
    });
    counted.collect()
}

async fn forget_expired(db: &mut Db, until: Timestamp, limit: u32) -> Result<u64> {
    const SQL: &str = "DELETE FROM kept WHERE (merchant, adapter, key) IN \
        (SELECT merchant, adapter, key FROM kept WHERE expires <= ?1 ORDER BY expires LIMIT ?2)";
    forget(db, SQL, until, limit).await
}

async fn forget_asked(db: &mut Db, before: Timestamp, limit: u32) -> Result<u64> {
    const SQL: &str = "DELETE FROM recent WHERE (merchant, key) IN \
        (SELECT merchant, key FROM recent WHERE at < ?1 LIMIT ?2)";
    forget(db, SQL, before, limit).await
}

/// What a delivery said goes. That it was judged stays, so that it is not parked once more.
async fn forget_delivered(db: &mut Db, before: Timestamp, limit: u32) -> Result<u64> {
    const SQL: &str = "UPDATE parked SET sealed = x'', state = 'done', why = NULL WHERE row IN \
        (SELECT row FROM parked WHERE state <> 'open' AND since < ?1 AND (state = 'dead' OR length(sealed) > 0) \
        LIMIT ?2)";
    forget(db, SQL, before, limit).await
}

async fn forget(db: &mut Db, sql: &'static str, at: Timestamp, limit: u32) -> Result<u64> {
    let query = sqlx::query(sql).bind(at.ms()).bind(i64::from(limit));
    query.execute(db).await.map(|done| done.rows_affected()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Row as _;

    #[tokio::test]
    async fn looking_after_the_file_reads_no_row_that_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("till.db")).await.unwrap();
        for sql in [COUNT_OPEN, COUNT_DEAD, OLDEST, DEAD, REVIVE_WORK, REVIVE_CARD, REVIVE_PARKED] {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan = sqlx::query(explain).fetch_all(&store.readers).await.unwrap();
            let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
            let reads = steps.iter().filter(|step| ["outbox", "card", "parked"].iter().any(|it| step.contains(it)));
            let all = |step: &&String| !step.contains("_due") && !step.contains("_dead");
            assert_eq!(reads.filter(all).collect::<Vec<_>>(), Vec::<&String>::new(), "{sql}");
        }
        store.close().await;
    }

    #[tokio::test]
    async fn what_may_differ_is_found_without_reading_what_is_settled_and_statuses_are_counted_in_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("till.db")).await.unwrap();
        let steps = async |sql| {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan = sqlx::query(explain).fetch_all(&store.readers).await.unwrap();
            let steps = plan.iter().map(|row| row.get::<String, _>("detail"));
            steps.filter(|step| step.contains("payment")).collect::<Vec<_>>()
        };
        let concerned = steps(CONCERNED).await;
        let by = |index, bounds| {
            let step = format!("USING COVERING INDEX {index} ({bounds}");
            assert!(concerned.iter().any(|it| it.contains(&step)), "no {step}: {concerned:#?}");
        };
        by("payment_newest", "merchant=? AND created_at>");
        by("payment_newest_of_status", "merchant=? AND status=? AND created_at<");
        assert_eq!(concerned.len(), 2, "{concerned:#?}");
        let counted = steps(STATUSES).await;
        assert_eq!(counted, ["SEARCH payment USING COVERING INDEX payment_newest_of_status (merchant=?)"]);
        store.close().await;
    }
}
