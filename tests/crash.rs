//! Kill -9 at any moment: the real binary, a provider that lives on, a load, and then the books are compared.
//!
//! `cargo xtask crash --seeds 300` runs many more moments than the test suite does.

mod provider;
mod slack;

use self::provider::{Book, Provider, Which};
use crate::support::{Side, browser, choose, eventually, link_of, location, token_of};
use reqwest::header::ORIGIN;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use till_core::contract::seeded::Seeded;

/// How many people type, pay and refund at the same time.
const PEOPLE: u64 = 4;

/// A till, and its provider.
struct Shop {
    folder: tempfile::TempDir,
    till_url: String,
    admin_url: String,
    till: Child,
    provider: Provider,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_till"));
    command.current_dir(folder).env("TILL_SANDBOX_KEY", "sk_test_crash");
    command.env("TILL_SANDBOX_WEBHOOK_SECRET", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0");
    command.stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> String {
    let output = command(folder).args(args).output().unwrap();
    assert!(output.status.success(), "till {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Shop {
    async fn open(which: Which) -> Self {
        Self::talking(which, |_, _| String::new()).await
    }

    /// One that talks elsewhere too: `talk` gives what till.toml says of it, from the folder and till's address.
    async fn talking(which: Which, talk: impl FnOnce(&Path, &str) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [till, admin, provider] = [free_port(), free_port(), free_port()];
        let url = |port| format!("http://127.0.0.1:{port}");
        let config = format!(
            "[http]\nlisten = \"127.0.0.1:{till}\"\npublic_url = \"{}\"\nadmin = \"127.0.0.1:{admin}\"\n\
             [refunds]\nalone_max = [\"1000 EUR\"]\nperson_day_max = [\"100000 EUR\"]\nmerchant_day_max = [\"100000 EUR\"]\n\
             [reconciler]\npoll_min_s = 1\npoll_max_s = 2\nsweep_s = 1\n[log]\nlevel = \"info\"\n{}{}",
            url(till),
            which.config(provider),
            talk(folder.path(), &url(till)),
        );
        std::fs::write(folder.path().join("till.toml"), config).unwrap();
        let provider = which.open(folder.path(), provider, &url(till)).await;
        let shop = Self { till: serve(folder.path()), provider, folder, till_url: url(till), admin_url: url(admin) };
        shop.up().await;
        shop
    }

    /// Waits until it answers.
    async fn up(&self) {
        let http = browser();
        let url = format!("{}/healthz", self.till_url);
        let up = eventually(async || http.get(&url).send().await.ok().filter(|answer| answer.status().is_success()));
        up.await.expect("till came up again");
    }

    /// Ends it as a power cut would, and starts it again.
    async fn kill(&mut self) {
        self.till.kill().unwrap(); // SIGKILL
        self.till.wait().unwrap();
        self.till = serve(self.folder.path());
        self.up().await;
    }

    fn run(&self, args: &[&str]) -> String {
        run(self.folder.path(), args)
    }

    /// A desk that staff came into by a one-time link.
    async fn desk(&self) -> Side {
        self.run(&["staff", "add", "ana", "Ana"]);
        let printed = self.run(&["staff", "invite", "ana"]);
        let link = printed.lines().last().unwrap().trim();
        let http = browser();
        assert!(http.get(link).send().await.unwrap().status().is_success());
        let entered = http.post(link).header(ORIGIN, &self.till_url).send().await.unwrap();
        assert_eq!(location(entered.headers()), "/desk");
        Side::new(http, &self.till_url, "desk")
    }

    fn payments(&self) -> Vec<Value> {
        let listed = self.run(&["payments", "list", "--json", "--limit", "100000"]);
        let show = |line: &str| {
            let listed: Value = serde_json::from_str(line).unwrap();
            let shown = self.run(&["payments", "show", "--json", listed["code"].as_str().unwrap()]);
            serde_json::from_str(&shown).unwrap()
        };
        listed.lines().map(show).collect()
    }

    async fn backlog(&self, http: &reqwest::Client) -> Value {
        let status = http.get(format!("{}/status", self.admin_url)).send().await.unwrap();
        status.json::<Value>().await.unwrap()["backlog"].clone()
    }
}

fn serve(folder: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("till.log")).unwrap();
    command(folder).arg("serve").stderr(log).spawn().unwrap()
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.till.kill();
        let _ = self.till.wait();
        self.provider.end();
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("logs and databases are kept in {}", self.folder.path().display());
        }
    }
}

/// One person who works through a till that dies now and then. Whatever was sent is sent again, under the same id,
/// until there is an answer: as a browser does.
struct Busy {
    desk: Side,
    /// A customer of the shop: their conversation, and the browser that they pay with.
    conversation: String,
    http: reqwest::Client,
    seeded: Seeded,
    name: u64,
    asked: Vec<String>,
}

impl Busy {
    async fn work(mut self, over: Arc<AtomicBool>) -> Vec<String> {
        while !over.load(Ordering::SeqCst) {
            match self.seeded.below(10) {
                0..=3 => self.ask().await,
                4..=7 => self.pay().await,
                8 => self.press("Cancel", None).await,
                _ => self.press("Refund", Some("1")).await,
            }
            tokio::time::sleep(Duration::from_millis(self.seeded.below(40))).await;
        }
        self.asked
    }

    async fn ask(&mut self) {
        let reference = format!("P{}-{}", self.name, self.asked.len());
        let euros = 2 + self.seeded.below(40);
        let text = format!("/pay {euros} EUR coffee ref:{reference}");
        let act = json!({ "client_id": reference, "conversation": self.conversation, "text": text });
        // Whether it was ever answered or not, there must be exactly one payment of this reference.
        self.insist("say", &act).await;
        self.asked.push(reference);
    }

    /// Sends until there is an answer that means something.
    async fn insist(&self, what: &str, act: &Value) {
        let url = format!("{}/desk/{what}", self.desk.base);
        let sent = eventually(async || {
            let request = self.desk.http.post(&url).header(ORIGIN, &self.desk.base).json(act);
            let answer = request.send().await.ok()?.error_for_status().ok()?.json::<Value>().await.ok()?;
            (answer["ack"] != "busy").then_some(())
        });
        sent.await.expect("the desk answered in the end");
    }

    /// A card that has this button now.
    async fn card_with(&mut self, label: &str) -> Option<Value> {
        let lines = tokio::time::timeout(Duration::from_secs(5), try_lines(&self.desk)).await.ok()??;
        let mine = lines.into_iter().filter(|line| line["conversation"] == self.conversation.as_str());
        let cards: Vec<Value> = mine
            .map(|line| line["body"]["card"].clone())
            .filter(|card| card["actions"].to_string().contains(&format!("\"{label}")))
            .collect();
        (!cards.is_empty()).then(|| cards[usize::try_from(self.seeded.below(cards.len() as u64)).unwrap()].clone())
    }

    async fn pay(&mut self) {
        let Some(card) = self.card_with("Pay").await else { return };
        let Ok(pressed) = self.http.post(link_of(&card, "Pay")).send().await else { return };
        let provider_page = location(pressed.headers());
        if provider_page.contains("/pay/") {
            let chosen = if self.seeded.below(5) == 0 { "declined" } else { "ok" };
            choose(&self.http, &provider_page, chosen).await;
        }
    }

    async fn press(&mut self, label: &str, amount: Option<&str>) {
        let Some(card) = self.card_with(label).await else { return };
        let act = json!({
            "client_id": format!("{}-{}", self.desk.act(), self.name), "conversation": self.conversation,
            "token": token_of(&card, label), "amount": amount,
        });
        self.insist("press", &act).await;
    }
}

/// The lines, or nothing when the till died in between.
async fn try_lines(desk: &Side) -> Option<Vec<Value>> {
    let url = format!("{}/desk/stream?after=0", desk.base);
    let mut stream = desk.http.get(url).send().await.ok()?.error_for_status().ok()?;
    let mut text = String::new();
    while let Some(chunk) = stream.chunk().await.ok()? {
        text.push_str(&String::from_utf8_lossy(&chunk));
        if text.contains("event: ready") || text.contains("event:ready") {
            let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
            let lines = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
            return Some(lines.filter(|line| line["body"].is_object()).collect());
        }
    }
    None
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread")]
async fn till_killed_at_any_moment_agrees_with_the_sandbox() {
    killed_at_any_moment(Which::Sandbox, 30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn till_killed_at_any_moment_agrees_with_stripe() {
    killed_at_any_moment(Which::Stripe, 15).await;
}

async fn killed_at_any_moment(which: Which, seeds_in_ci: u64) {
    let (first, seeds) = (setting("TILL_CRASH_FIRST", 1), setting("TILL_CRASH_SEEDS", seeds_in_ci));
    let mut shop = Shop::open(which).await;
    let desk = shop.desk().await;
    let over = Arc::new(AtomicBool::new(false));
    let mut people = Vec::new();
    for name in 0..PEOPLE {
        let http = browser();
        assert!(http.get(format!("{}/chat", shop.till_url)).send().await.unwrap().status().is_success());
        let customer = Side::new(http.clone(), &shop.till_url, "chat");
        let conversation = customer.say("", "Hello").await["line"]["conversation"].as_str().unwrap().to_owned();
        let desk = Side::new(desk.http.clone(), &shop.till_url, "desk");
        let busy = Busy { desk, conversation, http, seeded: Seeded::new(first * 1000 + name), name, asked: Vec::new() };
        people.push(busy.work(over.clone()));
    }
    let killing = async {
        for seed in first..first + seeds {
            tokio::time::sleep(Duration::from_millis(20 + Seeded::new(seed).below(700))).await;
            shop.kill().await;
            if seeds > seeds_in_ci {
                eprintln!("killed with seed {seed}");
            }
        }
        over.store(true, Ordering::SeqCst);
    };
    let (asked, ()) = futures::future::join(futures::future::join_all(people), killing).await;
    let asked: Vec<String> = asked.into_iter().flatten().collect();
    shop.provider.well();
    settle(&shop).await;
    compare(&shop, &desk, &asked).await;
}

/// Waits until nothing has been owed for longer than the polls and the sweep take to find what a lost webhook would
/// have said.
async fn settle(shop: &Shop) {
    let (http, mut quiet_since) = (browser(), Instant::now());
    let until = Instant::now() + Duration::from_secs(120);
    while quiet_since.elapsed() < Duration::from_secs(6) {
        let backlog = shop.backlog(&http).await;
        let owed = ["work", "cards", "parked"].iter().any(|queue| backlog[queue] != 0);
        if owed {
            quiet_since = Instant::now();
        }
        assert!(Instant::now() < until, "not settled: {backlog}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(shop.backlog(&http).await["dead"], 0, "nothing was given up");
}

/// What till says of every payment. No reference was used twice, and the provider's books say the same.
async fn books_agree(shop: &Shop) -> BTreeMap<String, Value> {
    let books = shop.provider.books().await;
    let mut payments = BTreeMap::new();
    for payment in shop.payments() {
        let book: Book = books.get(payment["id"].as_str().unwrap()).copied().unwrap_or_default();
        assert_eq!(payment["captured_minor"], book.captured, "{payment:#}");
        assert_eq!(payment["refunded_minor"], book.refunded, "{payment:#}");
        assert_eq!(payment["reserved_minor"], 0, "{payment:#}");
        let reference = payment["wording"]["reference"].as_str().unwrap().to_owned();
        if let Some(twin) = payments.insert(reference.clone(), payment) {
            panic!("{reference} was made twice: {twin:#}");
        }
    }
    let known: BTreeSet<&str> = payments.values().filter_map(|payment| payment["id"].as_str()).collect();
    assert!(books.keys().all(|id| known.contains(id.as_str())), "the provider knows no payment that till does not");
    let paid = payments.values().filter(|payment| payment["captured_minor"] != 0).count();
    assert!(payments.len() > 10 && paid > 3, "a load that means something: {} payments, {paid} paid", payments.len());
    eprintln!("compared {} payments, {paid} of them paid", payments.len());
    payments
}

async fn compare(shop: &Shop, desk: &Side, asked: &[String]) {
    let payments = books_agree(shop).await;
    assert!(payments.keys().eq(&asked.iter().cloned().collect::<BTreeSet<_>>()), "one payment for every command");
    let lines = desk.lines().await;
    let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for card in lines.iter().map(|line| &line["body"]["card"]).filter(|card| card.is_object()) {
        let text = |key: &str| card[key].as_str().unwrap().to_owned();
        shown.entry(text("code")).or_default().push(text("status"));
    }
    for payment in payments.values() {
        let status = payment["status"].as_str().unwrap().to_owned();
        let cards = shown.remove(payment["code"].as_str().unwrap()).unwrap_or_default();
        // What was cancelled before its card was posted was never shown to anybody.
        let never_shown = status == "cancelled" && cards.is_empty();
        assert!(cards == [status.clone()] || never_shown, "{status}: {cards:?} {payment:#}");
    }
}
