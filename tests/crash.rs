//! Kill -9 at any moment: the real binary, a provider that may be killed as well, a load, and then two books compared.
//!
//! ```text
//! staff, payers ── web chat ──► till, killed ── API ──► provider, every knob on, killed now and then ◄── the bank
//! knobs off ─► everything settles ─► payment by payment: what the provider holds, what till says, what cards show
//! ```
//! `cargo xtask crash --seeds 300` runs many more moments than the test suite does. Here all crash tests together kill
//! the program forty times: at the sandbox 10 and the provider itself 2, the same at the difficult one, at Stripe 6, in
//! Slack 10.

mod bank;
mod books;
mod people;
mod provider;
mod report;
mod shop;
mod slack;
mod wall;

use self::books::{Agreed, agreed};
use self::people::{Busy, Counts, Pages};
use self::provider::Which;
use self::report::Report;
use self::shop::Shop;
use self::wall::Wall;
use crate::support::{Side, browser, eventually};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use till_core::contract::seeded::Seeded;

/// How many people type, pay and refund at the same time.
const PEOPLE: u64 = 4;
/// Till lives for this long at most, once it is up.
const KILLED_WITHIN_MS: u64 = 1200;
/// Each so manieth seed, the provider is killed too.
const PROVIDER_DIES: u64 = 5;
/// Each so manieth seed, the knobs are turned, and somebody else's shop is loud.
const TURNED: u64 = 3;
const LOUD: u64 = 51;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread")]
async fn till_killed_at_any_moment_agrees_with_the_sandbox() {
    killed_at_any_moment(Which::Sandbox, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn till_killed_at_any_moment_agrees_with_the_difficult_sandbox() {
    killed_at_any_moment(Which::Difficult, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn till_killed_at_any_moment_agrees_with_stripe() {
    killed_at_any_moment(Which::Stripe, 6).await;
}

/// Everybody who is busy while till is being killed.
struct Load {
    over: Arc<AtomicBool>,
    wall: Arc<Wall>,
    people: tokio::task::JoinSet<(Vec<String>, Counts)>,
    bank: Option<tokio::task::JoinHandle<Counts>>,
}

impl Load {
    async fn begin(shop: &Shop, which: Which, first: u64) -> Self {
        let (desk, over, pages) = (shop.desk().await, Arc::new(AtomicBool::new(false)), Pages::default());
        let (wall, mut people) = (Wall::of(&desk), tokio::task::JoinSet::new());
        tokio::spawn(wall.clone().watch(over.clone()));
        for name in 0..PEOPLE {
            let http = browser();
            assert!(http.get(format!("{}/chat", shop.till_url)).send().await.unwrap().status().is_success());
            let customer = Side::new(http.clone(), &shop.till_url, "chat");
            let conversation = customer.say("", "Hello").await["line"]["conversation"].as_str().unwrap().to_owned();
            let desk = Side::new(desk.http.clone(), &shop.till_url, "desk");
            let (wall, pages, seeded) = (wall.clone(), pages.clone(), Seeded::new(first * 1000 + name));
            let (asked, did) = (Vec::new(), Counts::new());
            let busy = Busy { desk, wall, pages, which, conversation, http, seeded, name, asked, did };
            people.spawn_local(busy.work(over.clone()));
        }
        let seeded = Seeded::new(first * 1000 + PEOPLE);
        let bank = shop.provider.bank().map(|bank| tokio::spawn(bank.work(pages, seeded, over.clone())));
        Self { over, wall, people, bank }
    }

    /// Sends everybody home: what was asked for, what people did, what the bank did.
    async fn end(self) -> (Vec<String>, Counts, Counts) {
        self.over.store(true, Ordering::SeqCst);
        let (mut asked, mut did) = (Vec::new(), Counts::new());
        for (more, counts) in self.people.join_all().await {
            asked.extend(more);
            for (what, times) in counts {
                *did.entry(what).or_default() += times;
            }
        }
        let bank = match self.bank {
            Some(bank) => bank.await.unwrap(),
            None => Counts::new(),
        };
        (asked, did, bank)
    }
}

async fn killed_at_any_moment(which: Which, seeds_in_ci: u64) {
    tokio::task::LocalSet::new().run_until(killed(which, seeds_in_ci)).await;
}

async fn killed(which: Which, seeds_in_ci: u64) {
    let (first, seeds) = (setting("TILL_CRASH_FIRST", 1), setting("TILL_CRASH_SEEDS", seeds_in_ci));
    let began = Instant::now();
    let mut shop = Shop::open(which).await;
    let load = Load::begin(&shop, which, first).await;
    shop.provider.ill(&mut Seeded::new(first)).await;
    for seed in first..first + seeds {
        strike(&mut shop, seed).await;
        if seeds > seeds_in_ci {
            eprintln!("killed with seed {seed}");
        }
    }
    let wall = load.wall.clone();
    some_are_paid(&wall).await;
    let (asked, people, bank) = load.end().await;
    let killed = began.elapsed();
    shop.provider.well().await;
    decide_refunds(&shop).await;
    settle(&shop).await;
    // One that was being made when the bank looked.
    if decide_refunds(&shop).await > 0 {
        settle(&shop).await;
    }
    let settled = began.elapsed();
    let agreed = agreed(&shop).await;
    wall.catch_up().await;
    compare(&agreed, &wall, &asked);
    let (provider_kills, mishaps) = shop.provider.mishaps().await;
    let report = Report {
        title: format!("crash against {}, seeds {first} to {}", which.name(), first + seeds - 1),
        kills: shop.kills,
        provider_kills,
        commands: asked.len(),
        people,
        bank,
        till: shop.counted().await,
        mishaps,
        took: vec![
            ("killing", killed),
            ("settling", settled - killed),
            ("comparing", began.elapsed() - settled),
            ("in all", began.elapsed()),
        ],
    };
    eprintln!("{}", report.text(&agreed));
}

/// On a slow machine payers get a moment more: books without money say nothing.
async fn some_are_paid(wall: &Wall) {
    eventually(async || {
        let shown = wall.cards(None);
        let paid =
            shown.iter().filter(|card| ["paid", "partially_refunded"].contains(&card["status"].as_str().unwrap()));
        (paid.count() > 4).then_some(())
    })
    .await;
}

/// Kills till at the moment of a seed; now and then its provider as well, and turns the knobs.
async fn strike(shop: &mut Shop, seed: u64) {
    let mut seeded = Seeded::new(seed);
    tokio::time::sleep(Duration::from_millis(20 + seeded.below(KILLED_WITHIN_MS))).await;
    if seed.is_multiple_of(PROVIDER_DIES) {
        shop.provider.kill(&mut seeded).await;
    } else if seed.is_multiple_of(LOUD) {
        shop.provider.ill(&mut seeded).await;
    } else if seed.is_multiple_of(TURNED) {
        shop.provider.turn(&mut seeded).await;
    }
    shop.kill().await;
}

/// The bank decides every refund that is on its way, so that nothing is reserved afterwards; says how many.
async fn decide_refunds(shop: &Shop) -> usize {
    let Some(bank) = shop.provider.bank() else { return 0 };
    let books = shop.provider.books(&BTreeSet::new()).await;
    let pending: Vec<String> = books.into_values().flat_map(|book| book.pending).collect();
    let many = pending.len();
    bank.decide_refunds(pending).await;
    many
}

/// Waits until nothing has been owed for longer than the polls and the sweep take to find what a lost webhook would
/// have said.
async fn settle(shop: &Shop) {
    let mut quiet_since = Instant::now();
    let until = Instant::now() + Duration::from_secs(240);
    while quiet_since.elapsed() < Duration::from_secs(6) {
        let backlog = shop.backlog().await;
        let owed = ["work", "cards", "parked"].iter().any(|queue| backlog[queue] != 0);
        if owed {
            quiet_since = Instant::now();
        }
        assert!(Instant::now() < until, "not settled: {backlog}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let dead = shop.run(&["dead", "list"]);
    assert_eq!(shop.backlog().await["dead"], 0, "nothing was given up: {dead}");
}

fn compare(agreed: &Agreed, wall: &Wall, asked: &[String]) {
    let Agreed { payments, .. } = agreed;
    assert!(payments.keys().eq(&asked.iter().cloned().collect::<BTreeSet<_>>()), "one payment for every command");
    let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for card in wall.cards(None) {
        let text = |key: &str| card[key].as_str().unwrap().to_owned();
        shown.entry(text("code")).or_default().push(text("status"));
    }
    let mut wrong = Vec::new();
    for payment in payments.values() {
        let status = payment["status"].as_str().unwrap().to_owned();
        let cards = shown.remove(payment["code"].as_str().unwrap()).unwrap_or_default();
        // What was cancelled before its card was posted was never shown to anybody.
        let never_shown = status == "cancelled" && cards.is_empty();
        if cards != [status.clone()] && !never_shown {
            wrong.push(format!("{status}: {cards:?} {payment}"));
        }
    }
    assert!(wrong.is_empty(), "{} cards are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(shown.is_empty(), "cards of no payment: {shown:?}");
}
