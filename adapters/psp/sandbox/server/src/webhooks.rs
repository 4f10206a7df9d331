//! Telling the merchant: each event goes to its webhook, signed or as a bare hint, again and again until it is accepted.
//!
//! ```text
//! deliveries due ─► POST, signed with the time of this try ─► 2xx: forgotten
//!                                                         └─► else: again in 0.2, 1, 5, 30 s, then each minute, 3 days
//! ```
//! Nothing is promised about order: a retried event comes after a younger one. Beside that the same loop closes
//! checkouts at their time, since both are work of the clock.

use crate::db::begin;
use crate::{World, checkouts, once};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use till_core::signature;
use till_core::time::Timestamp;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// How many deliveries are under way at once.
const FLYING_MAX: usize = 32;
/// How often the clock is looked at: soon when something is due soon, and never less often than the longest.
const TICK_MIN: Duration = Duration::from_millis(50);
const TICK_MAX: Duration = Duration::from_millis(500);
/// Answers to old keys are forgotten this often.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
const GIVE_UP: Duration = Duration::from_secs(3 * 24 * 3600);

/// One event that the webhook has not accepted.
#[derive(Clone, Debug)]
struct Delivery {
    seq: i64,
    event: String,
    is_hint: bool,
    about: String,
    created: Timestamp,
    body: String,
    tries: i64,
}

/// How long to wait after so many tries.
const fn backoff(tries: i64) -> Duration {
    Duration::from_millis(match tries {
        ..=1 => 200,
        2 => 1_000,
        3 => 5_000,
        4 => 30_000,
        5.. => 60_000,
    })
}

/// Delivers and closes until `stop`; then waits for what is under way.
pub(crate) async fn run(world: &Arc<World>, stop: CancellationToken) {
    let mut flying = JoinSet::new();
    let mut what: HashMap<Id, i64> = HashMap::new();
    let mut forgot = Timestamp::default();
    while !stop.is_cancelled() {
        let wait = tick(world, &mut flying, &mut what, &mut forgot).await.unwrap_or_else(|error| {
            tracing::error!(%error, "sandbox database");
            TICK_MAX
        });
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Some(done) = flying.join_next_with_id() => {
                let id = done.as_ref().map_or_else(tokio::task::JoinError::id, |(id, ())| *id);
                what.remove(&id);
            }
            () = world.news.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    while flying.join_next().await.is_some() {}
}

/// Starts what is due, and says how long nothing else will be.
async fn tick(
    world: &Arc<World>,
    flying: &mut JoinSet<()>,
    what: &mut HashMap<Id, i64>,
    forgot: &mut Timestamp,
) -> sqlx::Result<Duration> {
    close_due(world, world.now()).await?;
    let now = world.real_now();
    if now.since(*forgot) >= FORGET_EVERY {
        once::forget(&mut *world.write.acquire().await?, world.now()).await?;
        *forgot = now;
    }
    for delivery in due(world, now).await? {
        let seq = delivery.seq;
        if what.len() < FLYING_MAX && !what.values().any(|flying| *flying == seq) {
            let task = flying.spawn(deliver(Arc::clone(world), delivery));
            what.insert(task.id(), seq);
        }
    }
    let next: Option<i64> = sqlx::query_scalar("select min(due_ms) from deliveries").fetch_one(&world.read).await?;
    let wait = next.map_or(TICK_MAX, |next| Timestamp::from_ms(next).since(now));
    Ok(wait.clamp(TICK_MIN, TICK_MAX))
}

async fn close_due(world: &World, now: Timestamp) -> sqlx::Result<()> {
    let due = checkouts::ids_due(&mut *world.read.acquire().await?, now).await?;
    for id in due {
        let mut tx = begin(&world.write).await?;
        if world.close_when_due(&mut tx, &id, now).await? {
            tx.commit().await?;
        }
    }
    Ok(())
}

async fn due(world: &World, now: Timestamp) -> sqlx::Result<Vec<Delivery>> {
    let rows: Vec<(i64, String, bool, String, i64, String, i64)> = sqlx::query_as(
        "select e.seq, e.id, e.api = 'difficult', e.about, e.created_ms, e.body, d.tries
         from deliveries d join events e on e.seq = d.event
         where d.due_ms <= ? order by d.due_ms, e.seq limit 64",
    )
    .bind(now.ms())
    .fetch_all(&world.read)
    .await?;
    let delivery = |(seq, event, is_hint, about, created_ms, body, tries)| Delivery {
        seq,
        event,
        is_hint,
        about,
        created: Timestamp::from_ms(created_ms),
        body,
        tries,
    };
    Ok(rows.into_iter().map(delivery).collect())
}

/// Tries once, and writes down how it went.
async fn deliver(world: Arc<World>, it: Delivery) {
    let noted = match send(&world, &it).await {
        Ok(()) => delivered(&world, it.seq).await,
        Err(why) => {
            let (now, tries) = (world.real_now(), it.tries + 1);
            let next = (now.since(it.created) < GIVE_UP).then(|| now.after(backoff(tries)).ms());
            tracing::info!(event = it.event, tries, why, "webhook `{}` not accepted on try {tries}: {why}", it.event);
            sqlx::query("update deliveries set tries = ?, due_ms = ? where event = ?")
                .bind(tries)
                .bind(next)
                .bind(it.seq)
                .execute(&world.write)
                .await
                .map(drop)
        }
    };
    // Not noted, it is due still: delivered again, which every receiver must bear.
    if let Err(error) = noted {
        tracing::error!(%error, "sandbox database");
    }
}

/// One copy was accepted; the last one was all that is owed.
async fn delivered(world: &World, event: i64) -> sqlx::Result<()> {
    let mut tx = begin(&world.write).await?;
    sqlx::query("update deliveries set copies = copies - 1 where event = ?").bind(event).execute(&mut *tx).await?;
    sqlx::query("delete from deliveries where event = ? and copies < 1").bind(event).execute(&mut *tx).await?;
    tx.commit().await
}

async fn send(world: &World, it: &Delivery) -> Result<(), String> {
    let request = if it.is_hint { hint(world, it)? } else { signed(world, it)? };
    // The URL may hold a secret of the receiver's.
    let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status().as_u16())) }
}

fn signed(world: &World, it: &Delivery) -> Result<reqwest::RequestBuilder, String> {
    let Some(webhook) = &world.config.webhook else { return Err("no webhook is configured".into()) };
    let now = world.now();
    let signed = signature::sign(&webhook.secret, &it.event, now, it.body.as_bytes()).map_err(|why| why.to_string())?;
    let request = world.client.post(&webhook.url).header("content-type", "application/json");
    let request = request.header("webhook-id", &it.event).header("webhook-timestamp", now.secs().to_string());
    Ok(request.header("webhook-signature", signed).body(it.body.clone()))
}

/// All that the difficult character says.
fn hint(world: &World, it: &Delivery) -> Result<reqwest::RequestBuilder, String> {
    let Some(url) = &world.config.hints else { return Err("no webhook is configured".into()) };
    Ok(world
        .client
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("id={}", it.about)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_try_waits_longer_up_to_a_minute() {
        let waits: Vec<u128> = (1..=7).map(|tries| backoff(tries).as_millis()).collect();
        assert_eq!(waits, [200, 1_000, 5_000, 30_000, 60_000, 60_000, 60_000]);
    }
}
