//! Whom a killed till is held against: its own sandbox in another process, or the fake Stripe over HTTP in this one.
//!
//! The sandbox has every knob on, and is killed too.

use super::bank::Bank;
use super::books::Book;
use super::people::Counts;
use super::shop::{command, run};
use crate::support::{browser, eventually};
use fake_stripe::{Settings, Stripe};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use till_core::contract::seeded::Seeded;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Sandbox,
    Difficult,
    Stripe,
}

/// One of them, running.
pub(super) enum Provider {
    Sandbox(Box<Sandbox>),
    Stripe { stripe: Stripe, stop: CancellationToken },
}

/// `till sandbox` as a process.
pub(super) struct Sandbox {
    which: Which,
    folder: PathBuf,
    args: Vec<String>,
    url: String,
    process: Child,
    /// How often it was killed.
    kills: u64,
    /// What its knobs did in all its lives, as far as it could tell before it was killed.
    mishaps: Counts,
}

pub(super) const KEY: &str = "sk_test_crash";
const SECRET: &str = "whsec_of_the_crash_test";
/// How many of Stripe's calls in a hundred go wrong while till is being killed.
const TROUBLE_PERCENT: u64 = 5;
/// Events of somebody else's shop that come at once.
const FOREIGN: u32 = 1000;

impl Which {
    /// What till.toml says of it.
    pub(super) fn config(self, port: u16) -> String {
        match self {
            Self::Sandbox => format!("[sandbox]\nenabled = true\nbase_url = \"http://127.0.0.1:{port}\"\n"),
            Self::Difficult => format!("{}difficult = true\n", Self::Sandbox.config(port)),
            Self::Stripe => String::new(),
        }
    }

    /// As `cargo xtask crash --against` has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Difficult => "sandbox-difficult",
            Self::Stripe => "stripe",
        }
    }

    /// What the sandbox calls this character.
    const fn character(self) -> &'static str {
        match self {
            Self::Sandbox => "plain",
            Self::Difficult => "difficult",
            Self::Stripe => "none",
        }
    }

    /// Starts it; till is set up for it, and runs not yet.
    pub(super) async fn open(self, folder: &Path, port: u16, till_url: &str) -> Provider {
        match self {
            Self::Sandbox | Self::Difficult => {
                Provider::Sandbox(Box::new(Sandbox::start(self, folder, port, till_url)))
            }
            Self::Stripe => stripe(folder, port, till_url).await,
        }
    }

    /// All knobs on, as a seed has it.
    fn knobs(self, seeded: &mut Seeded) -> Value {
        let mut from = |least: u64, n: u64| least + seeded.below(n);
        json!({
            "seed": from(0, 1_000_000), "refunds_take_time": from(0, 3) == 0,
            "webhook_delay_ms": from(1, 400), "webhook_drop_pct": from(5, 15),
            "webhook_duplicate_pct": from(5, 15), "webhook_reorder_pct": from(5, 15),
            // A difficult payer may pay any amount, so there only another currency is a lie.
            "lie_amount_pct": from(3, 5), "lie_currency_pct": from(2, 4),
            "throttle_pct": from(2, 5), "retry_after_s": 1,
            "fail_before_pct": from(2, 5), "fail_after_pct": from(2, 5),
            "hang_pct": from(1, 3), "hang_s": from(1, 2),
            "skew_s": i64::try_from(from(0, 41)).unwrap() - 20,
        })
    }
}

impl Sandbox {
    fn start(which: Which, folder: &Path, port: u16, till_url: &str) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let hook = format!("{till_url}/hooks/sandbox/sandbox");
        let hints = format!("{till_url}/hooks/sandbox-difficult/sandbox");
        let args =
            ["sandbox", "--listen", &listen, "--db", "sandbox.db", "--webhook-url", &hook, "--hints-url", &hints];
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let (folder, url) = (folder.to_owned(), format!("http://{listen}"));
        let process = spawn(&folder, &args);
        Self { which, folder, args, url, process, kills: 0, mishaps: Counts::new() }
    }

    /// To the control page, until it answers.
    async fn control(&self, path: &str, body: &Value) {
        let (http, url) = (browser(), format!("{}/control/{path}", self.url));
        let done = eventually(async || {
            http.post(&url).bearer_auth(KEY).json(body).send().await.ok()?.error_for_status().ok().map(drop)
        });
        done.await.unwrap_or_else(|| panic!("the sandbox never did {path} {body}"));
    }

    /// What the knobs have done in this life and all before.
    async fn counted(&self) -> Counts {
        let mut all = self.mishaps.clone();
        let asked = browser().get(format!("{}/control/mishaps", self.url)).bearer_auth(KEY).send().await;
        let now: Option<Counts> = match asked {
            Ok(answer) => answer.json().await.ok(),
            Err(_) => None,
        };
        for (name, count) in now.unwrap_or_default() {
            *all.entry(name).or_default() += count;
        }
        all
    }

    async fn kill(&mut self, seeded: &mut Seeded) {
        self.mishaps = self.counted().await;
        self.process.kill().unwrap(); // SIGKILL
        self.process.wait().unwrap();
        self.kills += 1;
        self.process = spawn(&self.folder, &self.args);
        // Its knobs are memory.
        self.control("knobs", &self.which.knobs(seeded)).await;
    }
}

fn spawn(folder: &Path, args: &[String]) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("sandbox.log")).unwrap();
    command(folder).args(args).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

async fn stripe(folder: &Path, port: u16, till_url: &str) -> Provider {
    let url = format!("http://127.0.0.1:{port}");
    let settings = Settings { public_url: url.clone(), ..Settings::test() };
    let settings = settings.endpoint(&format!("{till_url}/hooks/stripe/main"), &[SECRET]);
    let (key, account) = (settings.keys[0].secret.clone(), settings.accounts[0].id.clone());
    std::fs::write(folder.join("key"), key).unwrap();
    std::fs::write(folder.join("secret"), SECRET).unwrap();
    #[rustfmt::skip]
    run(folder, &[
        "account", "add", "stripe", "main", "--key", "file:key", "--webhook-secret", "file:secret",
        "--base-url", &url, "--provider-account", &account,
    ]);
    let stripe = Stripe::new(settings, 1, till::clock::system());
    let (listener, stop) = (TcpListener::bind(("127.0.0.1", port)).await.unwrap(), CancellationToken::new());
    let (router, until) = (stripe.router(), stop.clone());
    tokio::spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(until.cancelled_owned()).await.unwrap();
    });
    tokio::spawn(stripe.clone().run(stop.clone()));
    Provider::Stripe { stripe, stop }
}

impl Provider {
    /// Everything goes wrong by chance from now on.
    pub(super) async fn ill(&self, seeded: &mut Seeded) {
        match self {
            Self::Sandbox(sandbox) => {
                sandbox.control("knobs", &sandbox.which.knobs(seeded)).await;
                let flood = json!({ "events": FOREIGN, "api": sandbox.which.character() });
                sandbox.control("foreign", &flood).await;
            }
            Self::Stripe { stripe, .. } => stripe.trouble(TROUBLE_PERCENT),
        }
    }

    /// The knobs are turned to where this seed has them.
    pub(super) async fn turn(&self, seeded: &mut Seeded) {
        match self {
            Self::Sandbox(sandbox) => sandbox.control("knobs", &sandbox.which.knobs(seeded)).await,
            Self::Stripe { .. } => {}
        }
    }

    /// Whatever went wrong by chance goes right from now on.
    pub(super) async fn well(&self) {
        match self {
            Self::Sandbox(sandbox) => sandbox.control("knobs", &json!({})).await,
            Self::Stripe { stripe, .. } => stripe.well(),
        }
    }

    /// Ends it as a power cut would and starts it again, where it is a process.
    pub(super) async fn kill(&mut self, seeded: &mut Seeded) {
        match self {
            Self::Sandbox(sandbox) => sandbox.kill(seeded).await,
            Self::Stripe { .. } => {}
        }
    }

    /// How often it was killed, and what its knobs did.
    pub(super) async fn mishaps(&self) -> (u64, Counts) {
        match self {
            Self::Sandbox(sandbox) => (sandbox.kills, sandbox.counted().await),
            Self::Stripe { .. } => (0, Counts::new()),
        }
    }

    /// Whoever plays the bank at it.
    pub(super) fn bank(&self) -> Option<Bank> {
        match self {
            Self::Sandbox(sandbox) => Some(Bank::new(&sandbox.url, sandbox.which)),
            Self::Stripe { .. } => None,
        }
    }

    /// What it holds of every payment, counted as till must: what does not fit counts where staff `accepted` it.
    pub(super) async fn books(&self, accepted: &BTreeSet<String>) -> BTreeMap<String, Book> {
        match self {
            Self::Sandbox(sandbox) => super::books::of_the_sandbox(sandbox.which, &sandbox.url, accepted).await,
            Self::Stripe { stripe, .. } => of_stripe(stripe),
        }
    }

    pub(super) fn end(&mut self) {
        match self {
            Self::Sandbox(sandbox) => {
                let _ = sandbox.process.kill();
                let _ = sandbox.process.wait();
            }
            Self::Stripe { stop, .. } => stop.cancel(),
        }
    }
}

/// What it holds; and what it told in its events must come to the same.
fn of_stripe(stripe: &Stripe) -> BTreeMap<String, Book> {
    let mut told: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for event in stripe.events() {
        let object = &event["data"]["object"];
        let Some(of) = object["metadata"]["till_payment"].as_str() else { continue };
        let book = told.entry(of.to_owned()).or_default();
        match event["type"].as_str().unwrap() {
            "checkout.session.completed" => book.0 += object["amount_total"].as_i64().unwrap(),
            "refund.created" => book.1 += object["amount"].as_i64().unwrap(),
            _ => {}
        }
    }
    let mut books = BTreeMap::new();
    for (of, held) in stripe.holds() {
        assert!(held.twins <= 1, "a checkout of {of} exists twice: {held:?}");
        let sums = (held.captured, held.refunded);
        assert_eq!(told.get(&of).copied().unwrap_or_default(), sums, "what Stripe told of {of} and what it holds");
        books.insert(of, Book { captured: held.captured, refunded: held.refunded, ..Book::default() });
    }
    books
}
