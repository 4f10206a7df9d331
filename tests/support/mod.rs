//! A small town for tests: a running demo, a customer, a staff member, and a clock that can be moved.

pub(crate) mod bank;
pub(crate) mod browser;
pub(crate) mod judge;
pub(crate) mod slack;
pub(crate) mod stripe;

use reqwest::header::{HeaderMap, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use till::cli::DemoArgs;
use till::clock::Clock;
use till_core::time::Timestamp;
use tokio_util::sync::CancellationToken;

/// How long a test waits for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running demo.
pub(crate) struct Town {
    pub(crate) url: String,
    pub(crate) customer: Side,
    pub(crate) staff: Side,
    ahead_ms: Arc<AtomicI64>,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<()>>,
    pub(crate) entrance: String,
    /// Where somebody plays the bank.
    pub(crate) control: String,
    /// What the entrance gave: both sides' sessions.
    pub(crate) cookies: Vec<String>,
    pub(crate) data: Arc<tempfile::TempDir>,
}

/// One browser, as far as HTTP goes.
pub(crate) struct Side {
    pub(crate) http: Client,
    pub(crate) base: String,
    path: &'static str,
    acts: AtomicU64,
}

fn moved_clock(ahead_ms: &Arc<AtomicI64>) -> Clock {
    let ahead_ms = ahead_ms.clone();
    Arc::new(move || Timestamp::from_ms(now().ms() + ahead_ms.load(Ordering::SeqCst)))
}

impl Town {
    /// A fresh one.
    pub(crate) async fn new() -> Self {
        Self::at(Arc::new(tempfile::tempdir().unwrap())).await
    }

    /// One over data that may be there already. Nobody has come in yet where `entrance` is used by the test itself.
    pub(crate) async fn closed(data: Arc<tempfile::TempDir>) -> Self {
        let args = DemoArgs { port: Some(0), data: data.path().to_owned(), difficult: false };
        Self::demo(args, data).await
    }

    /// A fresh one, whose provider makes it difficult.
    pub(crate) async fn difficult() -> Self {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let args = DemoArgs { port: Some(0), data: data.path().to_owned(), difficult: true };
        Self::demo(args, data).await.signed_in().await
    }

    async fn demo(args: DemoArgs, data: Arc<tempfile::TempDir>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let ahead_ms = Arc::new(AtomicI64::new(0));
        let stop = CancellationToken::new();
        let demo = till::demo::prepare(&args, moved_clock(&ahead_ms), &stop).await.unwrap();
        let (url, entrance, control) = (demo.url.clone(), demo.entrance.clone(), demo.control.clone());
        let until = stop.clone();
        let running = tokio::spawn(async move { demo.serve(until).await.unwrap() });
        let http = browser();
        Self {
            customer: Side::new(http.clone(), &url, "chat"),
            staff: Side::new(http, &url, "desk"),
            url,
            ahead_ms,
            stop,
            running: Some(running),
            entrance,
            control,
            cookies: Vec::new(),
            data,
        }
    }

    /// One over data that may be there already, with customer and staff signed in.
    pub(crate) async fn at(data: Arc<tempfile::TempDir>) -> Self {
        Self::closed(data).await.signed_in().await
    }

    async fn signed_in(mut self) -> Self {
        let entered = self.customer.http.get(&self.entrance).send().await.unwrap();
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        let cookies = entered.headers().get_all(SET_COOKIE).iter();
        self.cookies = cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
        self
    }

    /// Moves every clock of the town.
    pub(crate) fn ahead(&self, by: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// The id of the only conversation, once the customer has said something.
    pub(crate) async fn conversation(&self) -> String {
        let acked = self.customer.say("", "Hello, a coffee please").await;
        acked["line"]["conversation"].as_str().expect("the line names its conversation").to_owned()
    }

    /// Stops it and waits until everything has ended.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            running.await.unwrap();
        }
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Keeps cookies, follows nothing.
pub(crate) fn browser() -> Client {
    Client::builder().cookie_store(true).redirect(redirect::Policy::none()).timeout(PATIENCE).build().unwrap()
}

impl Side {
    pub(crate) fn new(http: Client, base: &str, path: &'static str) -> Self {
        Self { http, base: base.to_owned(), path, acts: AtomicU64::new(0) }
    }

    /// An id for one human act.
    pub(crate) fn act(&self) -> String {
        format!("{}-{}", self.path, self.acts.fetch_add(1, Ordering::SeqCst))
    }

    pub(crate) async fn post(&self, what: &str, body: &Value) -> Response {
        self.post_from(&self.base, what, body.to_string()).await
    }

    /// A POST that claims to come from this page.
    pub(crate) async fn post_from(&self, origin: &str, what: &str, body: String) -> Response {
        let url = format!("{}/{}/{what}", self.base, self.path);
        let request = self.http.post(url).header(ORIGIN, origin).header("content-type", "application/json");
        request.body(body).send().await.unwrap()
    }

    /// Says something and reads the private answer. A till that is just opening is asked again, as the page does.
    pub(crate) async fn say(&self, conversation: &str, text: &str) -> Value {
        let body = json!({ "client_id": self.act(), "conversation": conversation, "text": text });
        let open = eventually(async || {
            let response = self.post("say", &body).await;
            (response.status() != StatusCode::SERVICE_UNAVAILABLE).then_some(response)
        });
        answer(open.await.expect("the till opens")).await
    }

    /// Presses the button of a card whose token begins so.
    pub(crate) async fn press(&self, conversation: &str, token: &str, amount: Option<&str>) -> Value {
        let body = json!({ "client_id": self.act(), "conversation": conversation, "token": token, "amount": amount });
        answer(self.post("press", &body).await).await
    }

    /// Asks for money and gives the code.
    pub(crate) async fn ask(&self, conversation: &str, text: &str) -> String {
        let said = self.say(conversation, text).await;
        said["code"].as_str().unwrap_or_else(|| panic!("no payment was made: {said}")).to_owned()
    }

    /// Every line this side sees now, by its id, in order.
    pub(crate) async fn lines(&self) -> Vec<Value> {
        let url = format!("{}/{}/stream?after=0", self.base, self.path);
        let mut stream = self.http.get(&url).send().await.unwrap();
        // A test looks more often than a page would.
        while stream.status() == StatusCode::TOO_MANY_REQUESTS {
            tokio::time::sleep(Duration::from_millis(500)).await;
            stream = self.http.get(&url).send().await.unwrap();
        }
        assert_eq!(stream.status(), StatusCode::OK);
        let (mut text, mut lines) = (String::new(), BTreeMap::new());
        while let Some(chunk) = stream.chunk().await.unwrap() {
            text.push_str(&String::from_utf8_lossy(&chunk));
            if text.contains("event: ready") || text.contains("event:ready") {
                break;
            }
        }
        for event in text.split("\n\n") {
            let field = |name: &str| {
                event.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim_start().to_owned())
            };
            if field("event:").as_deref() == Some("line") {
                let line: Value = serde_json::from_str(&field("data:").unwrap()).unwrap();
                lines.insert(line["id"].as_i64().unwrap(), line);
            }
        }
        lines.into_values().collect()
    }

    /// The card of this code, once it has this status.
    pub(crate) async fn card(&self, code: &str, status: &str) -> Value {
        let mut last = Value::Null;
        let found = eventually(async || {
            let cards = self.cards(code).await;
            last = cards.first().cloned().unwrap_or_default();
            assert!(cards.len() <= 1, "one payment, one card: {cards:#?}");
            (last["status"] == status).then(|| last.clone())
        });
        found.await.unwrap_or_else(|| panic!("the card of {code} never became {status}: {last:#}"))
    }

    /// All cards of this code.
    pub(crate) async fn cards(&self, code: &str) -> Vec<Value> {
        let cards = self.lines().await.into_iter().map(|line| line["body"]["card"].clone());
        cards.filter(|card| card["code"] == code).collect()
    }

    /// What everybody in the conversation was told by Till, cards apart, oldest first.
    pub(crate) async fn pings(&self) -> Vec<String> {
        let lines = self.lines().await.into_iter().filter(|line| line["author"] == "till" && line["private"] != true);
        lines.filter_map(|line| Some(line["body"]["text"].as_str()?.to_owned())).collect()
    }

    /// Waits until everybody was told this, once. A ping that was overtaken by the next state is never sent: whoever
    /// expects it waits for it before causing that state.
    pub(crate) async fn pinged(&self, part: &str) -> String {
        told_once(part, async || self.pings().await).await
    }
}

async fn answer(response: Response) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// The URL behind the button whose label begins so.
pub(crate) fn link_of(card: &Value, label: &str) -> String {
    action(card, label)["url"].as_str().expect("a link").to_owned()
}

/// The token of the button whose label begins so.
pub(crate) fn token_of(card: &Value, label: &str) -> String {
    action(card, label)["token"].as_str().expect("a press").to_owned()
}

fn action<'a>(card: &'a Value, label: &str) -> &'a Value {
    let actions = card["actions"].as_array().expect("actions");
    let named = |action: &&Value| action["label"].as_str().is_some_and(|it| it.starts_with(label));
    actions.iter().find(named).unwrap_or_else(|| panic!("no button `{label}` on {card:#}"))
}

/// The labels on a card.
pub(crate) fn labels(card: &Value) -> Vec<String> {
    let actions = card["actions"].as_array().expect("actions");
    actions.iter().map(|action| action["label"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Opens our pay page, presses *Pay*, and gives the provider's page.
pub(crate) async fn to_provider(http: &Client, pay_url: &str) -> String {
    let page = http.get(pay_url).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let pressed = http.post(pay_url).send().await.unwrap();
    let location = location(pressed.headers());
    assert_eq!(pressed.status(), StatusCode::SEE_OTHER, "{}", pressed.text().await.unwrap());
    location
}

/// Where a redirect leads.
pub(crate) fn location(headers: &HeaderMap) -> String {
    headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned()
}

/// Chooses a test card on the provider's page: `ok` or `declined`.
pub(crate) async fn choose(http: &Client, provider_page: &str, card: &str) -> StatusCode {
    http.post(provider_page).form(&[("card", card)]).send().await.unwrap().status()
}

/// Looks until there is something, for as long as patience lasts.
pub(crate) async fn eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return Some(found);
        }
        if Instant::now() > until {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until one of the texts holds `part`; no second one may.
pub(crate) async fn told_once(part: &str, read: impl AsyncFn() -> Vec<String>) -> String {
    let mut last = Vec::new();
    let told = eventually(async || {
        last = read().await;
        last.iter().find(|text| text.contains(part)).cloned()
    });
    let told = told.await;
    let times = last.iter().filter(|text| text.contains(part)).count();
    assert_eq!(times, 1, "`{part}` was told {times} times: {last:#?}");
    told.unwrap()
}

/// The present.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
}

/// The body of an event of the sandbox about an open checkout with this metadata.
pub(crate) fn event(metadata: &Value, now: Timestamp) -> Vec<u8> {
    let object = json!({
        "object": "checkout", "id": "co_unknown", "account": "acct_sandbox", "livemode": false, "status": "open",
        "payment_status": "unpaid", "amount": { "minor": 2500, "currency": "EUR" },
        "url": "http://127.0.0.1/pay/co_unknown", "expires_at_ms": now.ms() + 3_600_000, "created_ms": now.ms(),
        "updated_ms": now.ms(), "now_ms": now.ms(), "metadata": metadata, "payment": null,
    });
    let event = json!({
        "id": "evt_bad", "type": "checkout.created", "created_ms": now.ms(), "account": "acct_sandbox",
        "livemode": false, "data": { "object": object },
    });
    event.to_string().into_bytes()
}
