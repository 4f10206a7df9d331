//! Upkeep: what a running till does for itself, beside its work.
//!
//! ```text
//! beats     every half minute: "a till runs here"                 kept, for `till doctor` and `till dead`
//! tidies    every hour, one process: what has expired             deleted
//! compares  every day, one process: each payment with its provider  kept, mended (drift.rs)
//! ```
//! Deliberately absent: erasing people's words, which is somebody's decision.

use crate::world::World;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use till_core::id::MerchantId;
use till_core::port::store::{Old, Store, StoreError};
use till_core::time::Timestamp;

/// Between two beats.
const BEAT: Duration = Duration::from_secs(30);
/// After so long without a beat nobody runs.
const SILENT: Duration = Duration::from_secs(180);
/// Between two tidyings.
const TIDY: Duration = Duration::from_secs(3600);
/// Kept this much longer than was asked for: a clock that was wrong for a while forgets nothing.
const MARGIN: Duration = Duration::from_secs(24 * 3600);
/// What a delivery said is kept this long, once it is settled or given up.
///
/// Raw deliveries hold what people wrote: the privacy rule of the design gives them thirty days, sealed.
const DELIVERIES: Duration = Duration::from_secs(30 * 24 * 3600);
/// How much is deleted in one transaction: others wait for its end.
const AT_ONCE: u32 = 500;

/// The last sign of life of a till on this database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    /// When it was given.
    pub at: Timestamp,
    /// When that process began.
    pub began: Timestamp,
    /// Which version it is.
    pub version: String,
}

impl Alive {
    /// Whether it runs still.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.at) < SILENT
    }
}

/// Gives a sign of life.
///
/// # Errors
/// [`StoreError`].
pub async fn beat(world: &World, now: Timestamp) -> Result<(), StoreError> {
    let alive = Alive { at: now, began: world.began, version: env!("CARGO_PKG_VERSION").to_owned() };
    let Ok(alive) = serde_json::to_vec(&alive) else { return Ok(()) };
    world.store.keep(&world.merchant.id, "till", "alive", &alive, None).await
}

/// The last sign of life, if there ever was one.
///
/// # Errors
/// [`StoreError`].
pub async fn alive(store: &dyn Store, merchant: &MerchantId, now: Timestamp) -> Result<Option<Alive>, StoreError> {
    let kept = store.kept(merchant, "till", "alive", now).await?;
    Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Deletes what has expired, if nobody else does. Says how much that was.
///
/// # Errors
/// [`StoreError`]: what was deleted before stays so.
pub async fn tidy(world: &World, holder: &str, now: Timestamp) -> Result<u64, StoreError> {
    if world.store.lease("tidy", holder, now, TIDY).await?.is_none() {
        return Ok(0);
    }
    let old = Old { expired: now.before(MARGIN), asked: now.before(MARGIN), delivered: now.before(DELIVERIES) };
    let mut forgotten = 0;
    loop {
        match world.store.forget(old, AT_ONCE).await? {
            0 => break,
            some => forgotten += some,
        }
    }
    if forgotten > 0 {
        tracing::info!(forgotten, "{forgotten} rows have expired and were deleted");
    }
    Ok(forgotten)
}

/// When what is done again and again was done last in this process.
#[derive(Debug, Default)]
pub struct Chores {
    beaten: Option<Timestamp>,
    tidied: Option<Timestamp>,
}

impl Chores {
    /// Does what is due.
    ///
    /// # Errors
    /// [`StoreError`]: it is due again.
    pub async fn step(&mut self, world: &World, holder: &str, now: Timestamp) -> Result<(), StoreError> {
        if is_due(self.beaten, BEAT, now) {
            beat(world, now).await?;
            self.beaten = Some(now);
        }
        if is_due(self.tidied, TIDY, now) {
            tidy(world, holder, now).await?;
            self.tidied = Some(now);
        }
        Ok(())
    }
}

/// A clock that was set back makes nothing wait for it.
fn is_due(last: Option<Timestamp>, every: Duration, now: Timestamp) -> bool {
    last.is_none_or(|last| now.since(last) >= every || now < last)
}
