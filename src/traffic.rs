//! What is remembered about the traffic with providers: what may still be asked, what is not ours, how webhooks fare.
//!
//! ```text
//! Reads     a budget of look-ups that no person waits for      in this process
//! Foreign   money of somebody else, looked up once each        in this process
//! Heard     last believed and last refused webhook             kept, for `till doctor`
//! ```
//! Lost with the process, the first two cost a few look-ups more.

use crate::world::{At, World};
use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use till_core::budget::{Budget, Rate};
use till_core::id::{AccountId, CaptureId, MerchantId};
use till_core::port::psp::Distrust;
use till_core::port::store::{Store, StoreError};
use till_core::time::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

/// How often providers are asked on our own account: what nobody waits for stays far below their limits.
///
/// Source: Stripe docs, "Rate limits": 100 requests a second in live mode, 25 in a sandbox, for all there is.
const READS: Rate = Rate { burst: 20, every: Duration::from_millis(100) };

/// The budget of look-ups that no person waits for.
pub struct Reads(Mutex<Budget>);

impl Reads {
    /// A full one.
    pub fn full(now: Timestamp) -> Self {
        Self(Mutex::new(Budget::full(READS, now)))
    }

    /// Takes one, if there is one.
    pub fn take(&self, now: Timestamp) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(READS, now).is_ok()
    }

    /// Takes so many, or none.
    pub fn take_many(&self, many: u32, now: Timestamp) -> bool {
        let mut budget = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        budget.left(READS, now) >= many && (0..many).all(|_| budget.take(READS, now).is_ok())
    }
}

/// Money that was looked up and belongs to no payment of this account here, remembered so that the provider is asked
/// about each once.
///
/// Only digests, and only in this process: forgotten, it is asked once more.
pub struct Foreign {
    known: DashMap<[u8; 16], Whose>,
    turns: [AsyncMutex<()>; TURNS],
}

/// How many are remembered; then it begins anew.
const FOREIGN_MAX: usize = 100_000;
/// How many look-ups can be under way at once.
const TURNS: usize = 64;

/// Whose money it is that was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Somebody else's, or another account's of ours: nothing of it is kept.
    Theirs,
    /// It carries our reference, and its payment is not here (yet): what hangs on it is parked.
    Unknown,
}

impl Default for Foreign {
    fn default() -> Self {
        Self { known: DashMap::new(), turns: std::array::from_fn(|_| AsyncMutex::new(())) }
    }
}

impl Foreign {
    /// What came of looking it up, if it was.
    pub fn whose(&self, account: &AccountId, capture: &CaptureId) -> Option<Whose> {
        self.known.get(&Self::digest(account, capture)).map(|whose| *whose)
    }

    /// It was looked up.
    pub fn remember(&self, account: &AccountId, capture: &CaptureId, whose: Whose) {
        if self.known.len() >= FOREIGN_MAX {
            self.known.clear();
        }
        self.known.insert(Self::digest(account, capture), whose);
    }

    /// Waits until nobody else looks this money up. Providers tell of one payment with several events at once.
    pub async fn turn(&self, account: &AccountId, capture: &CaptureId) -> MutexGuard<'_, ()> {
        let first = usize::from(Self::digest(account, capture)[0]);
        self.turns[first % TURNS].lock().await
    }

    fn digest(account: &AccountId, capture: &CaptureId) -> [u8; 16] {
        let whole: [u8; 32] = Sha256::digest(format!("{account}\n{capture}").as_bytes()).into();
        std::array::from_fn(|at| whole[at])
    }
}

/// When an account's webhooks were last believed and last refused, kept for `till doctor`, which is another process.
#[derive(Default)]
pub struct Heard(DashMap<(AccountId, &'static str), Timestamp>);

/// It is written down at most this often.
const NOTED_EVERY: Duration = Duration::from_secs(60);

impl Heard {
    /// Notes that a delivery was believed, or why not.
    pub async fn note(&self, world: &World, at: &At, judged: Result<(), Distrust>, now: Timestamp) {
        let name = if judged.is_ok() { "believed" } else { "refused" };
        let key = (at.account.id.clone(), name);
        if self.0.get(&key).is_some_and(|noted| now.since(*noted) < NOTED_EVERY) {
            return;
        }
        self.0.insert(key, now);
        let note = Note { at: now, why: judged.err().map(|distrust| distrust.to_string()) };
        let Ok(note) = serde_json::to_vec(&note) else { return };
        let (merchant, key) = (&world.merchant.id, format!("{name}/{}", at.account.id));
        if let Err(error) = world.store.keep(merchant, "webhooks", &key, &note, None).await {
            tracing::warn!(%error, "what became of a webhook could not be noted: {error}");
        }
    }

    /// What was noted: last believed, last refused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn noted(
        store: &dyn Store,
        merchant: &MerchantId,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<[Option<Note>; 2], StoreError> {
        let mut notes = [None, None];
        for (note, name) in notes.iter_mut().zip(["believed", "refused"]) {
            let kept = store.kept(merchant, "webhooks", &format!("{name}/{account}"), now).await?;
            *note = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        }
        Ok(notes)
    }
}

/// A delivery, as far as the host wants to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Why it was refused.
    pub why: Option<String>,
}
