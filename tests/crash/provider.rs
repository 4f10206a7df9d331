//! Whom a killed till is held against: its own sandbox in another process, or the fake Stripe over HTTP in this one.

use super::{command, run};
use crate::support::browser;
use fake_stripe::{Settings, Stripe};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Sandbox,
    Stripe,
}

/// One of them, running.
pub(super) enum Provider {
    Sandbox { url: String, process: Child },
    Stripe { stripe: Stripe, stop: CancellationToken },
}

/// What the provider says of one payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Book {
    pub(super) captured: i64,
    pub(super) refunded: i64,
}

const SECRET: &str = "whsec_of_the_crash_test";
/// How many of Stripe's calls in a hundred go wrong while till is being killed.
const TROUBLE_PERCENT: u64 = 5;

impl Which {
    /// What till.toml says of it.
    pub(super) fn config(self, port: u16) -> String {
        match self {
            Self::Sandbox => format!("[sandbox]\nenabled = true\nbase_url = \"http://127.0.0.1:{port}\"\n"),
            Self::Stripe => String::new(),
        }
    }

    /// Starts it; till is set up for it, and runs not yet.
    pub(super) async fn open(self, folder: &Path, port: u16, till_url: &str) -> Provider {
        match self {
            Self::Sandbox => sandbox(folder, port, till_url),
            Self::Stripe => stripe(folder, port, till_url).await,
        }
    }
}

fn sandbox(folder: &Path, port: u16, till_url: &str) -> Provider {
    let (listen, hook) = (format!("127.0.0.1:{port}"), format!("{till_url}/hooks/sandbox/sandbox"));
    let args = ["sandbox", "--listen", &listen, "--db", "sandbox.db", "--webhook-url", &hook];
    let process = command(folder).args(args).stdout(Stdio::null()).spawn().unwrap();
    Provider::Sandbox { url: format!("http://{listen}"), process }
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
    stripe.trouble(TROUBLE_PERCENT);
    let (listener, stop) = (TcpListener::bind(("127.0.0.1", port)).await.unwrap(), CancellationToken::new());
    let (router, until) = (stripe.router(), stop.clone());
    tokio::spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(until.cancelled_owned()).await.unwrap();
    });
    tokio::spawn(stripe.clone().run(stop.clone()));
    Provider::Stripe { stripe, stop }
}

impl Provider {
    /// Whatever went wrong by chance goes right from now on.
    pub(super) fn well(&self) {
        match self {
            Self::Sandbox { .. } => {}
            Self::Stripe { stripe, .. } => stripe.well(),
        }
    }

    /// What it says of every payment. A number that two checkouts were made under fails.
    pub(super) async fn books(&self) -> BTreeMap<String, Book> {
        match self {
            Self::Sandbox { url, .. } => of_the_sandbox(&events(url).await),
            Self::Stripe { stripe, .. } => of_stripe(stripe),
        }
    }

    pub(super) fn end(&mut self) {
        match self {
            Self::Sandbox { process, .. } => {
                let _ = process.kill();
                let _ = process.wait();
            }
            Self::Stripe { stop, .. } => stop.cancel(),
        }
    }
}

/// Every event of the sandbox, oldest first.
async fn events(sandbox: &str) -> Vec<Value> {
    let (http, mut all, mut after) = (browser(), Vec::new(), String::new());
    loop {
        let url = format!("{sandbox}/v1/events?limit=100{after}");
        let page = http.get(url).bearer_auth("sk_test_crash").send().await.unwrap();
        let page: Value = page.json().await.unwrap();
        let events = page["data"].as_array().unwrap_or_else(|| panic!("a page of events: {page}")).clone();
        after = events.last().map(|event| format!("&after={}", event["id"].as_str().unwrap())).unwrap_or_default();
        all.extend(events);
        if page["has_more"] != true {
            return all;
        }
    }
}

fn of_the_sandbox(events: &[Value]) -> BTreeMap<String, Book> {
    let (mut books, mut checkouts): (BTreeMap<String, Book>, BTreeMap<_, String>) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        let object = &event["data"]["object"];
        let of = object["metadata"]["till_payment"].as_str().unwrap().to_owned();
        let book = books.entry(of.clone()).or_default();
        match event["type"].as_str().unwrap() {
            "checkout.created" => {
                let (n, id) = (object["metadata"]["till_n"].to_string(), object["id"].as_str().unwrap().to_owned());
                assert_eq!(checkouts.insert((of, n.clone()), id), None, "checkout {n} exists twice");
            }
            "checkout.completed" => book.captured += object["amount"]["minor"].as_i64().unwrap(),
            "refund.succeeded" => book.refunded += object["amount"]["minor"].as_i64().unwrap(),
            _ => {}
        }
    }
    books
}

/// What it holds; and what it told in its events must come to the same.
fn of_stripe(stripe: &Stripe) -> BTreeMap<String, Book> {
    let mut told: BTreeMap<String, Book> = BTreeMap::new();
    for event in stripe.events() {
        let object = &event["data"]["object"];
        let Some(of) = object["metadata"]["till_payment"].as_str() else { continue };
        let book = told.entry(of.to_owned()).or_default();
        match event["type"].as_str().unwrap() {
            "checkout.session.completed" => book.captured += object["amount_total"].as_i64().unwrap(),
            "refund.created" => book.refunded += object["amount"].as_i64().unwrap(),
            _ => {}
        }
    }
    let mut books = BTreeMap::new();
    for (of, held) in stripe.holds() {
        assert!(held.twins <= 1, "a checkout of {of} exists twice: {held:?}");
        let book = Book { captured: held.captured, refunded: held.refunded };
        assert_eq!(told.get(&of).copied().unwrap_or_default(), book, "what Stripe told of {of} and what it holds");
        books.insert(of, book);
    }
    books
}
