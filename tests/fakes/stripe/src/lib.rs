#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a fake that is held wrongly stops its test"
)]
//! A Stripe for tests: its API, its hosted page, its webhooks and its refusals, in memory and the same for each seed.
//!
//! ```text
//! Http (in process) ─┐                     ┌─► objects as Stripe shows them ─► events ─► deliveries, signed
//! router (real HTTP) ┴─► key, form, once ──┤
//! hands: payer, merchant, bank, radar ─────┘   trouble: 429, 500, silence, latency, down
//! ```
//! It refuses what Stripe refuses: a fake that accepts anything proves nothing. Sources: Stripe's published fixtures
//! for the shapes, its documents and error texts seen in public issues for the refusals.
//!
//! Deliberately absent: customers, prices, subscriptions, payouts, tax, and every parameter that a payment link
//! cannot need; those are refused as unknown.

mod account;
mod api;
mod ask;
mod attempt;
mod call;
mod currency;
mod deliveries;
mod disputes;
mod events;
mod expand;
mod form;
mod hand;
mod hooks;
mod http;
mod intents;
mod keys;
mod lies;
mod list;
mod look;
mod once;
mod order;
mod page;
mod problem;
mod radar;
mod refunds;
mod run;
mod sessions;
mod settings;
mod shapes;
mod shelf;
mod spec;
mod trouble;
mod web;

pub use call::{Answer, Call, Recorded, Reply};
pub use deliveries::{Delivery, signature};
pub use hand::Wrong;
pub use lies::Lie;
pub use look::Holds;
pub use settings::{AccountSet, Endpoint, Grants, Key, Settings};
pub use spec::{NEWER, complaints, newer};
pub use trouble::Fault;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use till_core::contract::seeded::Seeded;
use till_core::time::Timestamp;

/// The version of the API that is spoken here.
pub const API_VERSION: &str = "2026-07-29.dahlia";

/// Tells the present.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The fake, running. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Stripe(Arc<Mutex<World>>);

/// Everything the fake knows. Whoever holds it is alone, so each call and each hand is one step.
struct World {
    settings: Settings,
    clock: Clock,
    now: Timestamp,
    /// Draws ids.
    seeded: Seeded,
    shelf: shelf::Shelf,
    /// What a session knows and does not show, by its id.
    behind: BTreeMap<String, sessions::Behind>,
    /// When open sessions end, soonest first.
    ends: BTreeSet<(i64, String)>,
    events: Vec<events::Told>,
    /// Events of which a delivery was given up.
    given_up: BTreeSet<String>,
    hooks: Vec<hooks::Hook>,
    owed: Vec<deliveries::Owed>,
    owed_ever: u64,
    once: once::Once,
    trouble: trouble::Trouble,
    recorded: Vec<Recorded>,
    /// Request id and idempotency key of the call that is being answered.
    asking: Option<(String, Option<String>)>,
    deauthorized: BTreeSet<String>,
    refunds_start: String,
}

impl std::fmt::Debug for Stripe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stripe")
    }
}

impl Stripe {
    /// A new one; the same settings, seed, clock and calls give the same answers.
    pub fn new(settings: Settings, seed: u64, clock: Clock) -> Self {
        let now = clock();
        let mut world = World {
            now,
            clock,
            seeded: Seeded::new(seed),
            shelf: shelf::Shelf::default(),
            behind: BTreeMap::new(),
            ends: BTreeSet::new(),
            events: Vec::new(),
            given_up: BTreeSet::new(),
            hooks: Vec::new(),
            owed: Vec::new(),
            owed_ever: 0,
            once: once::Once::default(),
            trouble: trouble::Trouble::new(seed),
            recorded: Vec::new(),
            asking: None,
            deauthorized: BTreeSet::new(),
            refunds_start: "succeeded".into(),
            settings,
        };
        world.open_accounts();
        world.open_hooks();
        Self(Arc::new(Mutex::new(world)))
    }

    /// Answers one call. A lost connection shows as status 502; [`Stripe::reply`] tells it apart.
    pub fn answer(&self, call: &Call) -> Answer {
        match self.reply(call) {
            Reply::Answer(answer) => answer,
            Reply::Unsent | Reply::Unanswered => Answer::lost(),
        }
    }

    /// Answers one call, or loses it.
    pub fn reply(&self, call: &Call) -> Reply {
        self.lock().reply(call)
    }

    /// Everything that was asked, refused calls too, oldest first.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.lock().recorded.clone()
    }

    /// The world as it stands now: sessions whose time has come are closed first.
    fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        world.now = (world.clock)();
        world.close_due();
        world
    }
}

impl World {
    /// A new id: the prefix and so many characters from the seed.
    fn id(&mut self, prefix: &str, chars: usize) -> String {
        const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let drawn = (0..chars).map(|_| char::from(*self.seeded.pick(ALPHABET).unwrap()));
        let drawn: String = drawn.collect();
        format!("{prefix}{drawn}")
    }

    fn secs(&self) -> i64 {
        self.now.secs()
    }

    fn platform(&self) -> &str {
        &self.settings.accounts[self.settings.platform].id
    }
}

/// A field of an object as text; empty where it has none.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

/// A field of an object as a number; 0 where it has none.
fn number(object: &Value, key: &str) -> i64 {
    object[key].as_i64().unwrap_or_default()
}
