//! A call under a key is done once: the same call again gets the first answer, byte for byte.
//!
//! The answer is written in the transaction of what it tells of, so there is no moment in which the work is done and
//! the answer lost. Another call under the key is a conflict. An answer that is given again says so
//! (`Idempotent-Replayed: true`); a knob makes it a 500 from the first time on, with the work done.

use crate::World;
use crate::ask::{NewCheckout, NewRefund, Nothing, read};
use crate::db::{Db, begin};
use crate::difficult_ask::{NewBack, NewOrder};
use crate::object::Api;
use crate::problem::{Failure, Problem};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use till_core::time::Timestamp;

/// How long the plain character keeps an answer; the difficult one keeps it less long.
const KEPT: Duration = Duration::from_secs(24 * 3600);
const KEPT_DIFFICULT: Duration = Duration::from_secs(3 * 3600);
const KEY_CHARS_MAX: usize = 255;

/// What a merchant can have done.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Create(NewCheckout),
    Expire(String),
    Refund(NewRefund),
    Order(NewOrder),
    Take(String),
    Back(String, NewBack),
}

/// A call and the key it is made under.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    api: Api,
    key: String,
    digest: Vec<u8>,
    call: Call,
}

/// An answer, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) is_replayed: bool,
}

impl Keyed {
    /// Reads `POST /v1/checkouts`.
    pub(crate) fn create(key: Option<&str>, body: &[u8]) -> Result<Self, Problem> {
        Self::new(key, "/v1/checkouts", body, Call::Create(read(body)?))
    }

    /// Reads `POST /v1/checkouts/{id}/expire`.
    pub(crate) fn expire(key: Option<&str>, id: &str, body: &[u8]) -> Result<Self, Problem> {
        read::<Nothing>(body)?;
        Self::new(key, &format!("/v1/checkouts/{id}/expire"), body, Call::Expire(id.to_owned()))
    }

    /// Reads `POST /v1/refunds`.
    pub(crate) fn refund(key: Option<&str>, body: &[u8]) -> Result<Self, Problem> {
        Self::new(key, "/v1/refunds", body, Call::Refund(read(body)?))
    }

    /// Reads `POST /d/orders`.
    pub(crate) fn order(key: Option<&str>, body: &[u8]) -> Result<Self, Problem> {
        Self::new(key, "/d/orders", body, Call::Order(read(body)?))
    }

    /// Reads `POST /d/orders/{id}/capture`.
    pub(crate) fn take(key: Option<&str>, id: &str, body: &[u8]) -> Result<Self, Problem> {
        read::<Nothing>(body)?;
        Self::new(key, &format!("/d/orders/{id}/capture"), body, Call::Take(id.to_owned()))
    }

    /// Reads `POST /d/captures/{id}/refund`.
    pub(crate) fn back(key: Option<&str>, id: &str, body: &[u8]) -> Result<Self, Problem> {
        Self::new(key, &format!("/d/captures/{id}/refund"), body, Call::Back(id.to_owned(), read(body)?))
    }

    fn new(key: Option<&str>, path: &str, body: &[u8], call: Call) -> Result<Self, Problem> {
        let (api, header) = match call {
            Call::Create(_) | Call::Expire(_) | Call::Refund(_) => (Api::Plain, "Idempotency-Key"),
            Call::Order(_) | Call::Take(_) | Call::Back(..) => (Api::Difficult, "Request-Id"),
        };
        let key = key.filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()));
        let key = key.ok_or_else(|| Problem::malformed(format!("a POST needs the header {header}")))?;
        // Each character remembers its own keys.
        let key = match api {
            Api::Plain => key.to_owned(),
            Api::Difficult => format!("/d {key}"),
        };
        let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize().to_vec();
        Ok(Self { api, key, digest, call })
    }

    const fn kept_for(&self) -> Duration {
        match self.api {
            Api::Plain => KEPT,
            Api::Difficult => KEPT_DIFFICULT,
        }
    }
}

impl World {
    /// Does the call, or gives the answer that its key has already.
    pub(crate) async fn once(&self, keyed: &Keyed) -> Result<Answer, Failure> {
        let mut tx = begin(&self.write).await?;
        let now = self.now();
        if let Some((digest, answer)) = kept(&mut tx, keyed, now).await? {
            return if digest == keyed.digest { Ok(answer) } else { Err(Problem::key_taken().into()) };
        }
        let done = match &keyed.call {
            Call::Create(new) => self.create(&mut tx, new, now).await,
            Call::Expire(id) => self.expire(&mut tx, id, now).await,
            Call::Refund(new) => self.refund(&mut tx, new, now).await,
            Call::Order(new) => self.create_order(&mut tx, new, now).await,
            Call::Take(id) => self.take_order(&mut tx, id, now).await,
            Call::Back(id, new) => self.back(&mut tx, id, new, now).await,
        };
        let is_done = done.is_ok();
        let mut answer = answer(done)?;
        if is_done && self.draw("fail_after", self.knobs().fail_after_pct) {
            let problem = Problem::broken();
            answer = Answer { status: problem.status, body: problem.body(), is_replayed: false };
        }
        keep(&mut tx, keyed, &answer, now).await?;
        tx.commit().await?;
        self.news.notify_one();
        Ok(answer)
    }
}

/// What is kept: work that was done, and a refusal that was not for the form.
fn answer(done: Result<Value, Failure>) -> Result<Answer, Failure> {
    match done {
        Ok(object) => Ok(Answer { status: 200, body: object.to_string(), is_replayed: false }),
        Err(Failure::Refused(problem)) if problem.is_kept() => {
            Ok(Answer { status: problem.status, body: problem.body(), is_replayed: false })
        }
        Err(failure) => Err(failure),
    }
}

async fn kept(db: &mut Db, keyed: &Keyed, now: Timestamp) -> sqlx::Result<Option<(Vec<u8>, Answer)>> {
    let row: Option<(Vec<u8>, u16, String)> =
        sqlx::query_as("select digest, status, body from replays where key = ? and at_ms > ?")
            .bind(&keyed.key)
            .bind(now.before(keyed.kept_for()).ms())
            .fetch_optional(db)
            .await?;
    Ok(row.map(|(digest, status, body)| (digest, Answer { status, body, is_replayed: true })))
}

async fn keep(db: &mut Db, keyed: &Keyed, answer: &Answer, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("insert or replace into replays (key, digest, status, body, at_ms) values (?, ?, ?, ?, ?)")
        .bind(&keyed.key)
        .bind(&keyed.digest)
        .bind(answer.status)
        .bind(&answer.body)
        .bind(now.ms())
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets answers that are older than a day.
pub(crate) async fn forget(db: &mut Db, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("delete from replays where at_ms <= ?").bind(now.before(KEPT).ms()).execute(db).await?;
    Ok(())
}
