//! Numbers for Prometheus, on the admin listener: `GET /metrics`.
//!
//! ```text
//! counts of this process · waiting, dead, statuses of the store · the last comparison · each chat's probe ─► one text
//! ```
//! All of it is read when it is asked for, from indexes and never from a payment's facts; statuses, which are counted
//! over all payments there ever were, once a minute. No label says anything of one payment, person or secret.

use crate::drift::Compared;
use crate::world::World;
use futures::future::join_all;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::time::Duration;
use till_core::payment::Status;
use till_core::port::chat::Health;
use till_core::port::store::{LetterKind, StoreError, Waiting};
use till_core::time::Timestamp;
use tokio::sync::Mutex;

/// What `/metrics` answers with.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// What becomes of deliveries; named from the start, so that a first one is seen as a rise.
const WEBHOOKS: [&str; 7] =
    ["believed", "unsigned", "bad_signature", "outside_window", "unreadable", "foreign", "no_endpoint"];
/// What becomes of what providers say, pushed or asked for.
const EVENTS: [&str; 9] =
    ["applied", "duplicate", "parked", "not_ours", "of_unknown_money", "foreign", "unreadable", "later", "over_budget"];

type Labels = [(&'static str, String); 1];

/// How old the numbers of payments by status may be.
const STATUSES_AGE: Duration = Duration::from_secs(60);

/// How many payments there were of each status a moment ago.
#[derive(Default)]
pub struct Statuses(Mutex<Option<(Timestamp, BTreeMap<Status, u64>)>>);

impl Statuses {
    /// Counted now, or at most a minute ago. Whoever asks meanwhile waits for the one count.
    async fn recent(&self, world: &World, now: Timestamp) -> Result<BTreeMap<Status, u64>, StoreError> {
        let mut counted = self.0.lock().await;
        if let Some((at, statuses)) = &*counted
            && now >= *at
            && now.since(*at) < STATUSES_AGE
        {
            return Ok(statuses.clone());
        }
        let statuses = world.store.statuses(&world.merchant.id).await?;
        *counted = Some((now, statuses.clone()));
        Ok(statuses)
    }
}

/// All numbers, as text.
///
/// # Errors
/// [`StoreError`]: the store does not answer.
pub async fn text(world: &World, statuses: &Statuses, now: Timestamp) -> Result<String, StoreError> {
    let mut all = Numbers(Registry::default());
    all.gauges("till_build_info", "The version of this till", "version", [(env!("CARGO_PKG_VERSION"), 1)]);
    all.gauge("process_start_time_seconds", "When this process began, in seconds since 1970", seconds(world.began));
    counts(&mut all, &world.counts.all());
    let statuses = statuses.recent(world, now).await?;
    let of = |status: &Status| statuses.get(status).copied().unwrap_or_default();
    let statuses = Status::ALL.iter().map(|status| (status.name(), of(status)));
    all.gauges("till_payments", "Payments, by status", "status", statuses);
    queues(&mut all, &world.store.waiting(&world.merchant.id).await?, now);
    if let Some(last) = Compared::last(&*world.store, &world.merchant.id, now).await? {
        compared(&mut all, &last);
    }
    let probes =
        world.chats.iter().map(|(name, chat)| async { (*name, u64::from(chat.probe().await == Health::Well)) });
    all.gauges("till_chat_up", "Whether a chat works: 1 or 0", "chat", join_all(probes).await);
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _ = prometheus_text::encode(&mut text, &all.0);
    Ok(text)
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.secs()).unwrap_or_default()
}

/// What this process has counted since it began.
fn counts(all: &mut Numbers, counted: &BTreeMap<&'static str, u64>) {
    let of = |name: &str| counted.get(name).copied().unwrap_or_default();
    let named = |prefix: &str, known: &[&'static str]| {
        let zeros = known.iter().map(|verdict| (*verdict, 0));
        let some = counted.iter().filter_map(|(name, count)| Some((name.strip_prefix(prefix)?, *count)));
        zeros.chain(some).collect::<BTreeMap<&str, u64>>()
    };
    let help = "Deliveries to /hooks since the start, by verdict";
    all.counters("till_webhooks", help, "verdict", named("webhook_", &WEBHOOKS));
    let help = "What providers said, pushed or asked for, since the start, by what became of it";
    all.counters("till_events", help, "verdict", named("event_", &EVENTS));
    let help = "Look-ups that had to wait, since more were due than the budget allows";
    all.counter("till_reads_over_budget", help, of("event_over_budget") + of("look_over_budget"));
    let help = "Payments that were found by asking only: their webhooks do not arrive";
    all.counter("till_found_by_asking", help, of("found_by_asking"));
}

/// What waits, since when, and what was given up.
fn queues(all: &mut Numbers, waiting: &[Waiting], now: Timestamp) {
    let of = |kind| waiting.iter().find(|it| it.kind == kind);
    let open = |kind| of(kind).map(|it| it.open).unwrap_or_default();
    let age = |kind| of(kind).and_then(|it| it.oldest.as_ref()).map_or(0, |it| now.since(it.since).as_secs());
    let outbox = [("provider", LetterKind::Call), ("chat", LetterKind::Message)];
    let help = "Calls to providers and messages that wait";
    all.gauges("till_outbox_waiting", help, "queue", outbox.map(|(queue, kind)| (queue, open(kind))));
    let help = "How long the oldest of them has been due";
    all.gauges("till_outbox_oldest_seconds", help, "queue", outbox.map(|(queue, kind)| (queue, age(kind))));
    all.gauge("till_cards_waiting", "Cards that do not show what is true yet", open(LetterKind::Card));
    all.gauge("till_cards_oldest_seconds", "How long the oldest of them has been behind", age(LetterKind::Card));
    all.gauge("till_deliveries_parked", "Deliveries that wait for their payment", open(LetterKind::Delivery));
    let help = "How long ago the oldest of them came";
    all.gauge("till_deliveries_oldest_seconds", help, age(LetterKind::Delivery));
    let dead = waiting.iter().map(|it| (it.kind.name(), it.dead));
    all.gauges("till_dead", "What was given up and not tried again: till dead list", "kind", dead);
}

/// What the last comparison with the providers found.
fn compared(all: &mut Numbers, last: &Compared) {
    let found = [("same", last.same()), ("mended", last.mended), ("differs", last.differ), ("unknown", last.unknown)];
    let help = "Payments of the last comparison with the providers, by what was found";
    all.gauges("till_drift_payments", help, "found", found);
    all.gauge("till_drift_compared_timestamp_seconds", "When that comparison ended", seconds(last.at));
}

/// A registry that is filled anew for each answer.
struct Numbers(Registry);

impl Numbers {
    fn gauge(&mut self, name: &'static str, help: &'static str, value: u64) {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        self.0.register(name, help, gauge);
    }

    fn gauges<'v>(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) {
        let family = Family::<Labels, Gauge>::default();
        for (of, value) in values {
            family.get_or_create(&[(label, of.to_owned())]).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.0.register(name, help, family);
    }

    /// Its name gets `_total` when it is written.
    fn counter(&mut self, name: &'static str, help: &'static str, value: u64) {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    fn counters<'v>(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) {
        let family = Family::<Labels, Counter>::default();
        for (of, value) in values {
            family.get_or_create(&[(label, of.to_owned())]).inc_by(value);
        }
        self.0.register(name, help, family);
    }
}
