//! The bench: how long staff wait for an answer, how long a card lags behind the money, and what a payment costs.
//!
//! ```text
//! this process: fake Slack ──signed HTTP | Socket Mode──► till serve (release), another process ──► fake Stripe: this one
//!                   ▲────────────── chat.* ──────────────────┘    ▲──────────── signed webhooks ───────┘
//! floor: the same HTTP client, and one durable SQLite commit on the same disk, without till
//! ```
//! Till runs as shipped, with the configuration that the README gives. Slack allows few calls (a message a second in a
//! channel, 50 edits a minute in a workspace), and Till keeps to that: so people ask in forty channels, and payments are
//! paid no faster than their cards may be edited.
//!
//! Deliberately absent: a verdict. Numbers of one machine and one run are read next to the floor of the same, and no
//! timing fails anything. Run it by `cargo xtask bench`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that cannot measure stops")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints what it measured")]

mod floor;
mod process;
mod sample;
mod shop;

use fake_slack::Way;
use sample::{Pace, Row};
use shop::Shop;
use std::time::Duration;

/// Within what Slack allows for the cards that follow: 300 messages a minute in a workspace.
const MODEST: Pace = Pace::Every(Duration::from_millis(250));
const MODEST_COMMANDS: usize = 200;
/// More people at once than a shop has.
const CROWD: Pace = Pace::AtOnce(32);
const CROWD_COMMANDS: usize = 320;
const PAYMENTS: usize = 100;
/// A little less than the 50 edits a minute that Slack allows.
const PAID_EVERY: Duration = Duration::from_millis(1_250);
const IDLE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut rows = floor::rows(folder.path()).await;
    for (way, name) in [(Way::Http, "signed HTTP"), (Way::Socket, "Socket Mode")] {
        for (pace, count) in [(MODEST, MODEST_COMMANDS), (CROWD, CROWD_COMMANDS)] {
            eprintln!("── {count} commands over {name}, {pace}");
            let shop = Shop::open(way).await;
            let took = sample::take(pace, count, async |n| shop.command(n).await).await;
            rows.push(Row::new(format!("command → ack, {name}, {pace}"), took));
        }
    }
    eprintln!("── {PAYMENTS} payments from the command to the paid card, one in {} ms", PAID_EVERY.as_millis());
    let shop = Shop::open(Way::Socket).await;
    let idle = shop.idle(IDLE).await;
    let lived = shop.lives(PAYMENTS, PAID_EVERY).await;
    rows.push(Row::new("webhook → chat.update at Slack, one at a time".to_owned(), lived.lags.clone()));
    print!("\n{}", sample::table(&rows));
    println!("{}", lived.cost(idle));
    println!("{}", process::machine());
}
