//! Trouble: whole histories, each from one seed.
//!
//! ```text
//! seed ─► character of the provider ─► happenings: staff, payers, banks, webhooks, workers, kills, clocks
//!                                        └─ after each: every promise held (watch, books)
//!      ─► the trouble ends, everything settles ─► provider, facts and cards agree (end)
//! ```
//! Two providers have such histories: a scripted one behind the port, of many characters, and the real Stripe adapter
//! against the fake Stripe. Links are ours in one half of them and direct in the other.
//!
//! A failing seed says how to run it alone: `TILL_TROUBLE_SEED=17 cargo test --test main trouble`; with
//! `TILL_TROUBLE_SEEDS=5000` there are more of them.

mod books;
mod end;
mod happen;
mod people;
mod script;
mod sim;
mod staff;
mod stories;
mod stripe;
mod watch;

use self::script::Script;
use self::sim::Sim;
use self::watch::Known;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use till::clock::Clock;
use till::world::World;
use till_core::contract::model::Model;
use till_core::contract::script::{Holds, Message};
use till_core::contract::seeded::Seeded;
use till_core::id::{AccountId, PaymentId};
use till_core::payment::{Fact, Status};
use till_core::port::http::Http;
use till_core::port::psp::{Access, Account, AccountSettings, Psp};
use till_core::port::store::Stored;
use till_core::time::Timestamp;

const START_MS: i64 = 1_795_000_000_000;

/// A provider, as far as a history needs to know it.
trait Provider: Sized {
    /// A webhook that is under way.
    type Letter: Clone;
    /// Histories in a run, and things that happen in each.
    const SEEDS: u64;
    const HAPPENINGS: u32;
    /// One chat in so many knows no keys; at 0 every chat does.
    const KEYLESS_IN: u64;

    /// One whose people and mishaps come from `seed`. `clock` is the right time.
    fn new(seed: u64, clock: Clock) -> Self;
    fn psp(&self) -> Arc<dyn Psp>;
    fn http(&self) -> Arc<dyn Http>;
    fn account(&self) -> Account;
    /// How far its own clock is from the right one.
    fn off_ms(&self) -> i64;
    /// Whether a webhook is worth nothing without its signature.
    fn signs(&self, letter: &Self::Letter) -> bool;
    /// Whether nobody can pay any more what we closed.
    fn closes(&self) -> bool;
    /// The right clock has moved.
    fn passed(&mut self, now: Timestamp);
    /// So many calls in a hundred go wrong from now on; none, and nothing else either, when it is 0.
    fn trouble(&mut self, percent: u64);
    /// One thing that its people do: payers, the merchant in the dashboard, banks.
    fn happen(&mut self, seeded: &mut Seeded, now: Timestamp);
    /// What takes days comes to its end.
    fn end(&mut self, seeded: &mut Seeded);
    /// Webhooks that nobody has accepted, oldest first.
    fn letters(&mut self) -> Vec<Self::Letter>;
    /// A webhook as it is sent by this hand, now by the provider's clock; `None` where there is no such hand.
    fn written(&self, letter: &Self::Letter, hand: Hand, now: Timestamp) -> Option<Written>;
    /// What became of it: accepted, refused, or lost for ever.
    fn became(&mut self, letter: &Self::Letter, end: End);
    /// Till said that what a webhook tells is durable: so it must be.
    fn durable(&self, letter: &Self::Letter, world: &World, model: &Model);
    /// After every happening: what its books say of the facts that were written since, and of itself.
    fn watched(&mut self, known: &Known, new: &[(PaymentId, Vec<Fact>)]);
    fn holds(&self) -> BTreeMap<PaymentId, Holds>;
    /// What else must be so in the end.
    fn agrees(&self, stored: &[Stored], messages: &[Message]);
    /// What happened, counted by name.
    fn counted(&self) -> BTreeMap<&'static str, u64>;
}

/// Headers and body.
type Written = (Vec<(String, String)>, Vec<u8>);

/// Who sends a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    /// The provider, now.
    Provider,
    /// Somebody without the secret.
    Stranger,
    /// The provider, too long ago.
    Past,
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Accepted,
    Refused,
    Lost,
}

fn account(id: &str, secrets: &[&str]) -> Account {
    Account {
        id: AccountId::new("script"),
        base_url: String::new(),
        secret: "unused".to_owned().into(),
        provider_account: id.to_owned(),
        livemode: false,
        webhook_secrets: secrets.iter().map(|secret| (*secret).to_owned().into()).collect(),
        since: Timestamp::from_ms(START_MS),
        access: Access::Own,
        settings: AccountSettings::default(),
    }
}

/// What happened in histories, counted by name; statuses as `is paid`.
type Counted = BTreeMap<String, u64>;

fn history<P: Provider>(seed: u64) -> Sim<P> {
    let mut sim = Sim::<P>::new(seed);
    let percent = sim.seeded.below(40);
    sim.there.trouble(percent);
    sim.chat.trouble(percent, percent / 8);
    for _ in 0..P::HAPPENINGS {
        sim.happen();
        sim.watch();
    }
    sim.settle();
    sim
}

/// One history, held against every promise; what happened in it, counted. `Err`: how to run it alone.
fn checked<P: Provider>(seed: u64) -> Result<Counted, String> {
    let checked = std::panic::catch_unwind(|| {
        let sim = history::<P>(seed);
        sim.agree();
        sim.counted()
    });
    checked.map_err(|_| format!("TILL_TROUBLE_SEED={seed} cargo test --test main trouble"))
}

/// After so many that fail, a run has said enough.
const FAILING_MAX: usize = 4;

/// Runs every history, or the one that is asked for. What happened, counted; `None` for fewer than usual.
fn every_history<P: Provider>() -> Option<Counted> {
    let setting = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (only, seeds) = (setting("TILL_TROUBLE_SEED"), setting("TILL_TROUBLE_SEEDS").unwrap_or(P::SEEDS));
    let all = only.map_or(1..=seeds, |seed| seed..=seed);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (failing, counted) = (Mutex::new(Vec::new()), Mutex::new(Counted::new()));
    let run = |seed| match checked::<P>(seed) {
        Ok(new) => new.into_iter().for_each(|(what, count)| *counted.lock().unwrap().entry(what).or_default() += count),
        Err(replay) => failing.lock().unwrap().push(replay),
    };
    std::thread::scope(|scope| {
        for from in 0..threads {
            let (failing, run, mine) = (&failing, &run, all.clone().skip(from).step_by(threads));
            scope.spawn(move || mine.take_while(|_| failing.lock().unwrap().len() < FAILING_MAX).for_each(run));
        }
    });
    let failing = failing.into_inner().unwrap();
    assert!(failing.is_empty(), "these fail:\n{}", failing.join("\n"));
    // A few of them need not mean much.
    (only.is_none() && seeds >= P::SEEDS).then(|| counted.into_inner().unwrap())
}

/// Each of these happened more often than that.
fn means_something(all: &Counted, least: &[(&str, u64)]) {
    for (what, least) in least {
        let count = all.get(*what).copied().unwrap_or_default();
        assert!(count > *least, "histories that mean something have more than {least} {what}: {all:#?}");
    }
}

/// Every status was there at some moment of some history.
fn every_status_was_there(all: &Counted) {
    let missing = |status: &Status| !all.contains_key(&format!("is {status}"));
    let unreached: Vec<Status> = Status::ALL.into_iter().filter(missing).collect();
    assert_eq!(unreached, [] as [Status; 0], "{all:#?}");
}

fn is_the_same_every_time<P: Provider>(seeds: [u64; 2]) {
    for seed in seeds {
        let told = |sim: &Sim<P>| format!("{:?} {:?}", sim.stored(), sim.chat.messages());
        assert_eq!(told(&history(seed)), told(&history(seed)));
    }
}

#[test]
fn every_history_keeps_every_promise_at_every_step() {
    if let Some(all) = every_history::<Script>() {
        every_status_was_there(&all);
        means_something(&all, &script::LEAST);
    }
}

#[test]
fn a_seed_is_the_same_history_every_time() {
    is_the_same_every_time::<Script>([3, 8]);
}
