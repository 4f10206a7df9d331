//! The shop that is measured: the real program, a Slack of forty people with a channel each, and a Stripe.

use crate::process;
use fake_slack::{ChannelKind, ChannelSet, Kind, Shown, Slack, UserSet, Way};
use fake_stripe::Stripe;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use till::clock::{self, Clock};
use tokio::net::TcpListener;

const PEOPLE: usize = 40;
/// How long something may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A running till, and everything around it.
pub(crate) struct Shop {
    folder: tempfile::TempDir,
    till: Child,
    url: String,
    slack: Slack,
    stripe: Stripe,
    http: reqwest::Client,
    clock: Clock,
}

/// What whole lives of payments came to.
pub(crate) struct Lived {
    /// From the first webhook's sending to the edit's arrival, to a millisecond.
    pub(crate) lags: Vec<Duration>,
    cpu: Duration,
    within: Duration,
    memory_mb: (f64, f64),
}

impl Shop {
    pub(crate) async fn open(way: Way) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let clock = clock::system();
        let (till, admin) = (free_port(), free_port());
        let url = format!("http://127.0.0.1:{till}");
        let slack = fake_slack::serve(settings(way), clock.clone()).await;
        let config = format!(
            "[http]\nlisten = \"127.0.0.1:{till}\"\npublic_url = \"{url}\"\nadmin = \"127.0.0.1:{admin}\"\n{}",
            talk_there(&slack, folder.path(), &url, way)
        );
        std::fs::write(folder.path().join("till.toml"), config).unwrap();
        let stripe = take_money(folder.path(), clock.clone()).await;
        for n in 0..PEOPLE {
            run(folder.path(), &["staff", "add", &format!("slack:T0SHOP/{}", user(n)), "Ana"]);
        }
        let log = std::fs::File::create(folder.path().join("till.log")).unwrap();
        let till = command(folder.path()).arg("serve").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let shop = Self { folder, till, url, slack, stripe, http, clock };
        shop.up(way).await;
        shop
    }

    async fn up(&self, way: Way) {
        let answers = async || self.http.get(format!("{}/healthz", self.url)).send().await;
        until(async || answers().await.is_ok_and(|answer| answer.status().is_success()).then_some(())).await;
        if way == Way::Socket {
            self.slack.until_sockets(2).await;
        }
    }

    /// The `n`th person's next command; gives how long Slack waited for the acknowledgement.
    pub(crate) async fn command(&self, n: usize) -> Duration {
        self.ask(n).await.1
    }

    /// The code of the payment, and how long Slack waited.
    async fn ask(&self, n: usize) -> (String, Duration) {
        let text = format!("{} EUR coffee ref:B{n}", 5 + n % 40);
        let answer = self.slack.command(&user(n), &channel(n), "/pay", &text).await;
        assert!(answer.is_ok(), "{answer:?}");
        let said = answer.body["text"].as_str().unwrap_or_default();
        let code = said.strip_suffix('.').and_then(|said| said.rsplit(' ').next());
        (code.unwrap_or_else(|| panic!("no payment was made: `{said}`")).to_owned(), answer.elapsed)
    }

    /// What it uses while nobody wants anything.
    pub(crate) async fn idle(&self, time: Duration) -> f64 {
        let before = process::cpu(self.till.id());
        tokio::time::sleep(time).await;
        (process::cpu(self.till.id()) - before).as_secs_f64() / time.as_secs_f64()
    }

    /// Payments, one after the other: asked for, opened by the payer, paid, shown as paid.
    pub(crate) async fn lives(&self, count: usize, every: Duration) -> Lived {
        let (began, before) = (Instant::now(), process::cpu(self.till.id()));
        let mut told = BTreeMap::new();
        for n in 0..count {
            tokio::time::sleep_until((began + every * u32::try_from(n).unwrap()).into()).await;
            let (ts, at_ms) = self.life(n).await;
            told.insert(ts, at_ms);
        }
        // What follows the last edit, a word in the thread.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let cpu = process::cpu(self.till.id()) - before;
        let lags = told.iter().map(|(ts, at_ms)| Duration::from_millis(self.edited_at(ts).abs_diff(*at_ms)));
        let (lags, memory_mb) = (lags.collect(), process::memory_mb(self.till.id()));
        Lived { lags, cpu, within: began.elapsed(), memory_mb }
    }

    /// One of them; gives its card and when the first webhook was sent.
    async fn life(&self, n: usize) -> (String, i64) {
        let (code, _) = self.ask(n).await;
        let card = until(async || self.card(n, &code)).await;
        let link = link_of(&card);
        self.http.get(&link).send().await.unwrap().error_for_status().unwrap();
        assert!(self.http.post(&link).send().await.unwrap().status().is_redirection());
        let mut sessions = self.stripe.sessions();
        sessions.retain(|session| session["metadata"]["till_code"] == code);
        self.stripe.pay(sessions[0]["id"].as_str().unwrap()).unwrap();
        let at_ms = (self.clock)().ms();
        for delivery in self.stripe.deliveries() {
            let request = self.http.post(&delivery.url).body(delivery.body.clone());
            let headers = delivery.headers((self.clock)());
            let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            request.send().await.unwrap().error_for_status().unwrap();
            self.stripe.accepted(&delivery);
        }
        until(async || self.card(n, &code).filter(|card| card.text.contains("Paid"))).await;
        (card.ts, at_ms)
    }

    fn card(&self, n: usize, code: &str) -> Option<Shown> {
        let messages = self.slack.messages(&channel(n));
        let is_card =
            |shown: &Shown| shown.only_for.is_none() && !shown.blocks.is_null() && shown.words().contains(code);
        messages.into_iter().find(is_card)
    }

    /// When the last edit of a message arrived.
    fn edited_at(&self, ts: &str) -> i64 {
        let calls = self.slack.calls();
        let edits = calls.iter().rfind(|call| call.method == "chat.update" && call.args["ts"] == ts);
        edits.unwrap_or_else(|| panic!("{ts} was never edited")).at.ms()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.till.kill();
        let _ = self.till.wait();
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("its log is kept in {}", self.folder.path().display());
        }
    }
}

impl Lived {
    /// CPU and memory, in one line; `idle` is CPU seconds a second.
    pub(crate) fn cost(&self, idle: f64) -> String {
        let count = self.lags.len() as f64;
        let at_rest = idle * self.within.as_secs_f64();
        let each_ms = (self.cpu.as_secs_f64() - at_rest) / count * 1000.0;
        let (now_mb, most_mb) = self.memory_mb;
        format!(
            "till's CPU for a payment, asked → paid: {each_ms:.1} ms (n = {count}; {:.1} ms a second at rest taken off); \
             memory: {now_mb:.0} MB, at most {most_mb:.0} MB",
            idle * 1000.0
        )
    }
}

fn user(n: usize) -> String {
    format!("U0P{}", n % PEOPLE)
}

fn channel(n: usize) -> String {
    format!("C0P{}", n % PEOPLE)
}

/// Forty people with a channel each; the app hears what the manifest subscribes to.
fn settings(way: Way) -> fake_slack::Settings {
    let mut settings = fake_slack::Settings { way, ..fake_slack::Settings::test() };
    settings.events = ["app_home_opened", "app_mention", "app_uninstalled", "tokens_revoked"].map(str::to_owned).into();
    for n in 0..PEOPLE {
        settings.teams[0].users.push(UserSet::person(&user(n), &user(n).to_lowercase(), "Ana Alves"));
        settings.teams[0].channels.push(ChannelSet {
            id: channel(n),
            name: channel(n).to_lowercase(),
            kind: ChannelKind::Public,
            members: vec![user(n)],
            bot: true,
            shared_with: Vec::new(),
        });
    }
    settings
}

/// What till.toml says of Slack.
fn talk_there(slack: &Slack, folder: &Path, url: &str, way: Way) -> String {
    let settings = fake_slack::Settings::test();
    std::fs::write(folder.join("slack-bot"), settings.teams[0].bot_token.clone().unwrap()).unwrap();
    std::fs::write(folder.join("slack-app"), settings.app_token).unwrap();
    std::fs::write(folder.join("slack-signing"), settings.signing_secret).unwrap();
    for (kind, path) in [(Kind::Command, "commands"), (Kind::Interaction, "interactions"), (Kind::Event, "events")] {
        slack.request_url(kind, &format!("{url}/slack/{path}"));
    }
    let way = match way {
        Way::Http => "app_token = \"\"\nsigning_secret = \"file:slack-signing\"",
        Way::Socket => "app_token = \"file:slack-app\"",
    };
    let api_url = format!("{}/api", slack.url());
    format!("[slack]\nenabled = true\nbot_token = \"file:slack-bot\"\n{way}\napi_url = \"{api_url}\"\n")
}

/// A Stripe, and till set up for it as the README says.
async fn take_money(folder: &Path, clock: Clock) -> Stripe {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = fake_stripe::Settings { public_url: url.clone(), ..fake_stripe::Settings::test() };
    let (key, account) = (settings.keys[0].secret.clone(), settings.accounts[0].id.clone());
    let stripe = Stripe::new(settings, 1, clock);
    let router = stripe.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    std::fs::write(folder.join("stripe-key"), key).unwrap();
    #[rustfmt::skip]
    let add = ["account", "add", "stripe", "main", "--key", "file:stripe-key", "--base-url", &url, "--provider-account", &account];
    let here = folder.to_owned();
    let [add, webhook] =
        [&add[..], &["stripe", "webhook", "main"]].map(|args| args.iter().map(|&arg| arg.to_owned()).collect());
    for args in [add, webhook] {
        run_aside(here.clone(), args).await;
    }
    stripe
}

/// In another thread, since the fakes answer in this one.
async fn run_aside(folder: PathBuf, args: Vec<String>) {
    let args = move || run(&folder, &args.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(args).await.unwrap();
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_till"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) {
    let output = command(folder).args(args).output().unwrap();
    assert!(output.status.success(), "till {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The link behind the button that pays.
fn link_of(card: &Shown) -> String {
    let buttons = card.blocks.as_array().into_iter().flatten().flat_map(|block| block["elements"].as_array());
    let mut buttons = buttons.flatten().filter_map(|button| button["url"].as_str());
    buttons.next().unwrap_or_else(|| panic!("no link: {:#}", card.blocks)).to_owned()
}

/// Looks until there is something.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "it takes too long");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
