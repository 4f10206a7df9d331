#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a fake that is held wrongly stops its test"
)]
//! A Slack for tests: its Web API, its deliveries both ways in, its people and its refusals, in memory.
//!
//! ```text
//! /api/<method> ─► trouble ─► token, scope, limit ─► messages, views, tokens ─► events ─┐
//! hands: command, click, submit, say ───────────────────────────────────────────────────┴─► deliveries
//!                     signed HTTP (3 s, retried) ◄─ or ─► envelopes on a WebSocket (acked, sent again)
//! ```
//! It refuses what Slack refuses, with Slack's words: a fake that accepts anything proves nothing. Sources: Slack's
//! OpenAPI document for arguments and errors, docs.slack.dev, and public issues where those are silent.
//!
//! Deliberately absent: files, reactions, canvases, workflows, group DMs, legacy
//! dialogs and everything else that a card and a modal do not need; an unknown method is `unknown_method`.

mod api;
pub mod block_kit;
mod call;
mod chat;
mod content;
mod conversations;
mod deliver;
mod events;
mod hand;
mod limits;
mod look;
mod modal;
mod oauth;
mod people;
mod redeliver;
mod refusal;
mod respond;
mod serve;
mod settings;
mod shapes;
mod socket;
mod speech;
mod state;
mod tokens;
mod trigger;
mod trouble;
mod views;
mod world;

pub use api::methods;
pub use call::Recorded;
pub use deliver::{Answer, Delivered, Kind, signature};
pub use look::Shown;
pub use modal::{Outcome, Submitted};
pub use oauth::Consent;
pub use serve::serve;
pub use settings::{ChannelKind, ChannelSet, EditWindow, GroupSet, LostThread, Settings, TeamSet, UserSet, Way};
pub use trouble::Fault;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use till_core::time::Timestamp;
use tokio_util::sync::{CancellationToken, DropGuard};
use world::World;

/// Tells the present.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The fake, running. Cheap to clone; all clones are one, and it stops when the last is dropped.
#[derive(Clone)]
pub struct Slack {
    pub(crate) inner: Arc<Inner>,
    stop: CancellationToken,
    _guard: Arc<DropGuard>,
}

impl std::fmt::Debug for Slack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slack")
    }
}

/// What the servers and the hands share.
pub(crate) struct Inner {
    world: Mutex<World>,
    clock: Clock,
    http: reqwest::Client,
    /// Deliveries that nobody waits for.
    under_way: tokio::sync::watch::Sender<usize>,
}

impl Inner {
    /// The world as it stands now; whoever holds it is alone.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.now = (self.clock)();
        world
    }

    /// One step; what it tells the app goes out behind it, and nobody waits.
    pub(crate) fn step<T>(self: &Arc<Self>, act: impl FnOnce(&mut World) -> T) -> T {
        let (done, parcels) = {
            let mut world = self.lock();
            let done = act(&mut world);
            (done, std::mem::take(&mut world.outgoing))
        };
        if !parcels.is_empty() {
            let inner = Arc::clone(self);
            inner.under_way.send_modify(|count| *count += 1);
            tokio::spawn(async move {
                for n in parcels {
                    inner.tell(n).await;
                }
                inner.under_way.send_modify(|count| *count -= 1);
            });
        }
        done
    }
}

impl Slack {
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.inner.lock()
    }

    /// Stops the servers; open connections are cut.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until no event that a call of the app caused is under way any more.
    pub async fn settled(&self) {
        let mut under_way = self.inner.under_way.subscribe();
        under_way.wait_for(|count| *count == 0).await.expect("the fake is here");
    }

    /// `http://127.0.0.1:port`: methods are below `/api/`.
    pub fn url(&self) -> String {
        self.lock().url.clone()
    }
}
