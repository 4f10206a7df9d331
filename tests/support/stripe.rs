//! A shop whose provider is the fake Stripe, over real HTTP, with a restricted key and webhooks that really come.
//!
//! ```text
//! customer, staff ── web chat ──► Till ── API ──► fake Stripe ◄── hosted page ── payer
//!                                  ▲─────────── signed webhooks ──────┘
//! ```
//! One clock serves both, and can be moved. In the end of each story the books of both are compared.

use super::slack::Added;
use super::{Side, choose, eventually, link_of, moved_clock, to_provider, told_once};
use fake_slack::Way;
use fake_stripe::{Delivery, Settings, Stripe, complaints, newer};
use reqwest::cookie::Jar;
use reqwest::{Client, StatusCode, redirect};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use till::assemble::{self, Front};
use till::client::Client as Outside;
use till::config::{Config, RefundsConfig};
use till::http::{Door, behind};
use till::world::World;
use till_core::id::AccountId;
use till_core::port::psp::{Access, AccountSettings};
use till_core::port::store::{AccountRow, ListFilter, Staff, Summary};
use till_core::time::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Stripe's description of what it can be sent.
const REQUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs/stripe-till-requests-only.json");
/// What a restricted key must be allowed, in Stripe's words.
pub(crate) const GRANTS: [&str; 6] = [
    "rak_checkout_session_write",
    "rak_payment_intent_read",
    "rak_charge_write",
    "rak_dispute_read",
    "rak_event_read",
    "rak_webhook_write",
];
/// The key that Till has.
pub(crate) const KEY: &str = "rk_test_51TillRestricted";
/// Another one, without any of [`GRANTS`] that the plan leaves out.
pub(crate) const POOR_KEY: &str = "rk_test_51TillPoor";
/// The account that is connected to the platform.
pub(crate) const CONNECTED: &str = "acct_1TillConnectedAA";

/// Where cards lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    Ours,
    Direct,
}

/// Whether webhooks come by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Webhooks {
    Come,
    Lost,
}

/// How often Till asks by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polls {
    /// As configured out of the box.
    Usual,
    /// The event list is read every second.
    Eager,
}

/// How a shop is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) links: Links,
    pub(crate) webhooks: Webhooks,
    pub(crate) polls: Polls,
    pub(crate) access: Access,
    /// How Slack reaches it, where it talks there as well.
    pub(crate) slack: Option<Way>,
    /// How it comes by its Slack tokens.
    pub(crate) added: Added,
    /// Sentences that the host lays beside the English.
    pub(crate) german: Option<&'static str>,
    /// What [`POOR_KEY`] lacks; where there is something, the shop begins with that key.
    pub(crate) lacks: Option<&'static str>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            links: Links::Ours,
            webhooks: Webhooks::Come,
            polls: Polls::Usual,
            access: Access::Own,
            slack: None,
            added: Added::Hand,
            german: None,
            lacks: None,
        }
    }
}

/// A running till, the fake Stripe that it uses, a customer and a staff member in one conversation.
pub(crate) struct Shop {
    pub(crate) url: String,
    pub(crate) stripe: Stripe,
    pub(crate) slack: Option<fake_slack::Slack>,
    pub(crate) customer: Side,
    pub(crate) staff: Side,
    pub(crate) conversation: String,
    pub(crate) world: Arc<World>,
    pub(crate) config: Config,
    pub(crate) data: tempfile::TempDir,
    /// `name=value; …` of the customer's and the staff member's sessions.
    pub(crate) cookies: Vec<String>,
    ahead_ms: Arc<AtomicI64>,
    /// Ends the deliveries that are running.
    webhooks: std::sync::Mutex<CancellationToken>,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Shop {
    /// One where everything works.
    pub(crate) async fn open() -> Self {
        Self::with(Plan::default()).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (data, ahead_ms, stop) = (tempfile::tempdir().unwrap(), Arc::default(), CancellationToken::new());
        let clock = moved_clock(&ahead_ms);
        let (till_listener, url) = listener().await;
        let (stripe_listener, stripe_url) = listener().await;
        let stripe = Stripe::new(settings(&plan, &stripe_url), 11, clock.clone());
        let door = Door { trusted_proxies: Vec::new(), hosts: Vec::new() };
        let (router, until) = (behind(door.clone(), stripe.router()), stop.clone());
        tokio::spawn(till::run::serve(stripe_listener, router, until));

        let mut config = config(&plan, &url, data.path());
        if let Some(german) = plan.german {
            let dir = data.path().join("locales");
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join("de.ftl"), german).unwrap();
            config.locales.dir = dir.display().to_string();
        }
        let slack = match plan.slack {
            Some(way) => {
                let until = super::slack::talk_there(way, plan.added, &mut config, &url, data.path(), clock.clone());
                Some(until.await)
            }
            None => None,
        };
        set_up(&plan, &config, &stripe_url, &url, data.path(), clock()).await;
        let till = assemble::till(&config, &Front::Public, clock.clone()).await.unwrap();
        let jar = Arc::new(Jar::default());
        let cookies = till.both_sides("sam").await.unwrap();
        for cookie in &cookies {
            jar.add_cookie_str(cookie, &url.parse().unwrap());
        }
        let browser = Client::builder().cookie_provider(jar).redirect(redirect::Policy::none());
        let browser = browser.timeout(super::PATIENCE).build().unwrap();
        let world = till.world.clone();
        let until = stop.clone();
        let running = tokio::spawn(async move {
            let mut running = till.start(&until);
            till::run::serve(till_listener, till.router(axum::Router::new(), door), until.clone()).await.unwrap();
            while running.join_next().await.is_some() {}
            till.close().await;
        });
        let customer = Side::new(browser.clone(), &url, "chat");
        let staff = Side::new(browser, &url, "desk");
        let said = customer.say("", "Hello, a coffee please").await;
        let conversation = said["line"]["conversation"].as_str().unwrap().to_owned();
        let webhooks = std::sync::Mutex::new(CancellationToken::new());
        let running = Some(running);
        let shop = Self {
            url,
            stripe,
            slack,
            customer,
            staff,
            conversation,
            world,
            config,
            data,
            cookies,
            ahead_ms,
            webhooks,
            stop,
            running,
        };
        if plan.webhooks == Webhooks::Come {
            shop.webhooks_come();
        }
        shop
    }

    /// From now on webhooks come, those too that have waited.
    pub(crate) fn webhooks_come(&self) {
        let until = self.stop.child_token();
        *self.webhooks.lock().unwrap() = until.clone();
        tokio::spawn(self.stripe.clone().run(until));
    }

    /// From now on webhooks wait.
    pub(crate) fn webhooks_wait(&self) {
        self.webhooks.lock().unwrap().cancel();
    }

    /// Moves the clock of Till and of Stripe.
    pub(crate) fn ahead(&self, by: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.world.clock)()
    }

    /// Staff ask for money; gives the code.
    pub(crate) async fn ask(&self, text: &str) -> String {
        self.staff.ask(&self.conversation, text).await
    }

    /// Staff say something; gives the private answer.
    pub(crate) async fn say(&self, text: &str) -> String {
        self.staff.say(&self.conversation, text).await["text"].as_str().unwrap_or_default().to_owned()
    }

    /// The newest session of a payment.
    pub(crate) fn session(&self, code: &str) -> String {
        self.sessions(code).last().unwrap_or_else(|| panic!("{code} has no session"))["id"].as_str().unwrap().to_owned()
    }

    /// All sessions of a payment, oldest first.
    pub(crate) fn sessions(&self, code: &str) -> Vec<Value> {
        let mut all = self.stripe.sessions();
        all.retain(|session| session["metadata"]["till_code"] == code);
        all
    }

    /// What the payer does on Stripe's page, reached from the card: `ok`, `declined`, `debit`.
    pub(crate) async fn chooses(&self, code: &str, card: &str) {
        let shown = self.customer.card(code, "open").await;
        let page = to_provider(&self.customer.http, &link_of(&shown, "Pay")).await;
        assert_eq!(choose(&self.customer.http, &page, card).await, StatusCode::SEE_OTHER);
    }

    /// Asked for, shown, paid on Stripe's page; gives code and payment intent.
    pub(crate) async fn paid(&self, text: &str) -> (String, String) {
        let code = self.ask(text).await;
        self.chooses(&code, "ok").await;
        self.both_show(&code, "paid").await;
        let intent = self.intent(&code);
        (code, intent)
    }

    /// The payment intent of the newest session.
    pub(crate) fn intent(&self, code: &str) -> String {
        let session = self.stripe.session(&self.session(code));
        session["payment_intent"].as_str().unwrap_or_else(|| panic!("nobody has tried to pay {code}")).to_owned()
    }

    /// The cards of both sides, customer's first, once they have this status.
    pub(crate) async fn both_show(&self, code: &str, status: &str) -> [Value; 2] {
        [self.customer.card(code, status).await, self.staff.card(code, status).await]
    }

    /// What staff alone were told, oldest first.
    pub(crate) async fn whispers(&self) -> Vec<String> {
        let lines = self.staff.lines().await.into_iter().filter(|line| line["private"] == true);
        lines.filter_map(|line| Some(line["body"]["text"].as_str()?.to_owned())).collect()
    }

    /// What everybody in the conversation was told by Till, cards apart, oldest first.
    pub(crate) async fn pings(&self) -> Vec<String> {
        self.customer.pings().await
    }

    /// Waits until staff alone were told this, once.
    pub(crate) async fn whispered(&self, part: &str) -> String {
        told_once(part, async || self.whispers().await).await
    }

    /// Waits until everybody was told this, once.
    pub(crate) async fn pinged(&self, part: &str) -> String {
        self.customer.pinged(part).await
    }

    /// `till payments show --json`
    pub(crate) async fn shown(&self, code: &str) -> Value {
        let locale = &self.world.merchant.locale;
        let shown = till::payments::show(&*self.world.store, code, locale, true).await.unwrap();
        serde_json::from_str(&shown).unwrap()
    }

    /// All payments, newest first.
    pub(crate) async fn payments(&self) -> Vec<Summary> {
        self.world.store.payments(&self.world.merchant.id, &ListFilter::default()).await.unwrap()
    }

    /// How many facts of this kind there are.
    pub(crate) async fn facts(&self, code: &str, kind: &str) -> usize {
        let shown = self.shown(code).await;
        shown["facts"].as_array().unwrap().iter().filter(|it| it["fact"]["fact"] == kind).count()
    }

    /// Where Stripe posts.
    pub(crate) fn hook(&self) -> String {
        format!("{}/hooks/stripe/main", self.url)
    }

    /// Posts a delivery by hand, signed now.
    pub(crate) async fn deliver(&self, delivery: &Delivery) -> StatusCode {
        self.post_hook(delivery.body.to_vec(), &delivery.headers(self.now())).await
    }

    pub(crate) async fn post_hook(&self, body: Vec<u8>, headers: &[(&'static str, String)]) -> StatusCode {
        let request = self.customer.http.post(self.hook()).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        request.send().await.unwrap().status()
    }

    /// The delivery of this event, which waits.
    pub(crate) fn waiting(&self, event: &str) -> Delivery {
        let all = self.stripe.deliveries();
        all.into_iter().find(|it| it.event == event).unwrap_or_else(|| panic!("no delivery of {event} waits"))
    }

    /// How often this was counted since the start.
    pub(crate) fn counted(&self, verdict: &str) -> u64 {
        self.world.counts.all().get(verdict).copied().unwrap_or_default()
    }

    /// Writes a file that a secret is read from; a running till takes it over within a second.
    pub(crate) fn write_secret(&self, name: &str, text: &str) {
        std::fs::write(self.data.path().join(name), text).unwrap();
    }

    /// Where an account's row finds that secret.
    pub(crate) fn secret_place(&self, name: &str) -> String {
        place(self.data.path(), name)
    }

    /// The account's row.
    pub(crate) async fn account(&self) -> AccountRow {
        self.world.store.accounts(&self.world.merchant.id).await.unwrap().remove(0)
    }

    /// Waits until nothing is owed any more, and Till and Stripe hold the same; then ends everything.
    pub(crate) async fn close(mut self) {
        self.books_agree().await;
        self.every_call_is_described();
        self.stop.cancel();
        self.running.take().unwrap().await.unwrap();
    }

    /// Whatever Till sent in this story is in Stripe's own description of its API; where that is at hand, since the
    /// adapter's tests say when it is left out.
    fn every_call_is_described(&self) {
        let Ok(spec) = std::fs::read_to_string(REQUESTS) else { return };
        // The doctor tries permissions with calls that say nothing, and wants them refused.
        let said = self.stripe.recorded().into_iter().filter(|call| call.method == "GET" || call.params != json!({}));
        let complaints = complaints(&serde_json::from_str(&spec).unwrap(), &said.collect::<Vec<_>>(), &newer());
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    /// Captured and refunded are the same in both books, nothing was made twice, and what is over cannot be paid.
    pub(crate) async fn books_agree(&self) {
        let mut last = String::new();
        let agreed = eventually(async || {
            let backlog = self.world.store.backlog().await.unwrap();
            let wrong = self.differences().await;
            last = format!("{backlog:?}\n{}", wrong.join("\n"));
            (backlog.work + backlog.cards == 0 && wrong.is_empty()).then_some(())
        });
        agreed.await.unwrap_or_else(|| panic!("the books never agreed: {last}"));
    }

    async fn differences(&self) -> Vec<String> {
        let list = till_core::port::store::ListFilter { status: None, limit: 10_000 };
        let mut ours = BTreeMap::new();
        for payment in self.world.store.payments(&self.world.merchant.id, &list).await.unwrap() {
            ours.insert(payment.id.to_string(), self.shown(&payment.code.to_string()).await);
        }
        let theirs = self.stripe.holds();
        let strangers = theirs.keys().filter(|id| !ours.contains_key(*id)).map(|id| format!("{id} is unknown here"));
        let differs = ours.iter().filter_map(|(id, ours)| {
            let holds = theirs.get(id).copied().unwrap_or_default();
            let number = |key: &str| ours[key].as_i64().unwrap();
            // Stripe counts this one in hundredths that do not exist.
            let factor = if ours["amount"]["currency"] == "ISK" { 100 } else { 1 };
            let captured = number("captured_minor") * factor;
            let refunded = (number("refunded_minor") + number("reserved_minor")) * factor;
            let payable = matches!(ours["status"].as_str(), Some("open" | "needs_review"));
            let same = (captured, refunded) == (holds.captured, holds.refunded)
                && holds.refunded <= holds.captured
                && holds.twins <= 1
                && holds.open <= u32::from(payable);
            (!same).then(|| format!("{holds:?} at Stripe, here {ours:#}"))
        });
        strangers.chain(differs).collect()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn settings(plan: &Plan, stripe_url: &str) -> Settings {
    let poor: Vec<&str> = GRANTS.into_iter().filter(|grant| Some(*grant) != plan.lacks).collect();
    let mut settings = Settings::test().restricted(KEY, &GRANTS).restricted(POOR_KEY, &poor);
    if plan.access == Access::Connected {
        settings = settings.connected(CONNECTED, "FR", "eur");
    }
    stripe_url.clone_into(&mut settings.public_url);
    settings
}

pub(super) fn place(data: &Path, name: &str) -> String {
    format!("file:{}", data.join(name).display())
}

fn config(plan: &Plan, url: &str, data: &Path) -> Config {
    let mut config = Config::default();
    match plan.links {
        Links::Ours => url.clone_into(&mut config.http.public_url),
        Links::Direct => config.links.return_url = format!("{url}/chat"),
    }
    config.store.path = data.join("till.db");
    config.keys.path = data.join("keys.json");
    config.merchant.name = "Corner Café".into();
    let limit = |amount: &str| ["EUR", "ISK", "JPY"].map(|currency| format!("{amount} {currency}")).to_vec();
    config.refunds =
        RefundsConfig { alone_max: limit("1000"), person_day_max: limit("5000"), merchant_day_max: limit("9000") };
    if plan.slack.is_some() {
        config.requests.alone_max = vec!["5000 EUR".into()];
    }
    config.accounts.reload_s = 1;
    // Stories whose clock jumps by days look at what is found without the daily comparison.
    config.reconciler.compare_s = 0;
    if plan.polls == Polls::Eager {
        config.reconciler.sweep_s = 1;
    }
    config
}

/// The account, as the host adds it: its row, its key, and the endpoint that `till stripe webhook` makes.
async fn set_up(plan: &Plan, config: &Config, stripe_url: &str, url: &str, data: &Path, now: Timestamp) {
    let test = Settings::test();
    let provider_account = match plan.access {
        Access::Own => test.accounts[0].id.clone(),
        Access::Connected => CONNECTED.into(),
    };
    let mut row = AccountRow {
        id: AccountId::new("main"),
        psp: "stripe".into(),
        base_url: stripe_url.to_owned(),
        api_key: place(data, "key"),
        provider_account,
        access: plan.access,
        livemode: false,
        webhook_secrets: Vec::new(),
        settings: AccountSettings::default(),
        since: now,
        chosen_at: now,
        closed: None,
    };
    std::fs::write(data.join("key"), KEY).unwrap();
    let at = assemble::source(config).unwrap().open(&row).unwrap();
    let made = assemble::stripe_webhook(&Outside::new().unwrap(), &at, &format!("{url}/hooks/stripe/main")).await;
    std::fs::write(data.join("secret"), secrecy::ExposeSecret::expose_secret(&made.unwrap().1)).unwrap();
    if plan.lacks.is_some() {
        std::fs::write(data.join("key"), POOR_KEY).unwrap();
    }
    row.webhook_secrets = vec![place(data, "secret")];
    let rows = assemble::rows(config).await.unwrap();
    rows.store.put_account(&assemble::merchant_id(), &row).await.unwrap();
    let sam = Staff { id: "sam".into(), name: "Sam".into(), since: now };
    rows.store.add_staff(&assemble::merchant_id(), &sam).await.unwrap();
    if plan.slack.is_some() {
        let ana = Staff { id: super::slack::STAFF.into(), name: "Ana".into(), since: now };
        rows.store.add_staff(&assemble::merchant_id(), &ana).await.unwrap();
    }
    rows.close().await;
}
