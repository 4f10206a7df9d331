//! An app that a test writes: it keeps what it is told and answers as ordered; and a client for the Web API.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use fake_slack::{Clock, Kind, Settings, Slack, serve};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use till_core::time::Timestamp;

pub(crate) const NOW_SECS: i64 = 1_795_372_200;
pub(crate) const BOT: &str = "xoxb-shop-secret";

/// One request that the app got.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn field(&self, name: &str) -> String {
        let mut pairs = url::form_urlencoded::parse(&self.body);
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    }
}

/// What the app answers next.
#[derive(Clone, Debug)]
pub(crate) struct Say {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) wait: Duration,
}

impl Say {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, body: String::new(), headers: Vec::new(), wait: Duration::ZERO }
    }

    pub(crate) fn body(body: impl ToString) -> Self {
        Self { body: body.to_string(), ..Self::status(200) }
    }

    pub(crate) fn late(wait: Duration) -> Self {
        Self { wait, ..Self::status(200) }
    }
}

#[derive(Clone, Default)]
pub(crate) struct App {
    pub(crate) got: Arc<Mutex<Vec<Got>>>,
    says: Arc<Mutex<VecDeque<Say>>>,
}

impl App {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    pub(crate) fn says(&self, say: Say) {
        self.says.lock().unwrap().push_back(say);
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// Kinds of the events it was told of.
    pub(crate) fn heard(&self) -> Vec<String> {
        let events = self.got().into_iter().filter(|got| got.path == "/events");
        events.map(|got| got.json()["event"]["type"].as_str().unwrap().to_owned()).collect()
    }
}

async fn answer(State(app): State<App>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    app.got.lock().unwrap().push(Got { path: uri.path().to_owned(), headers, body: body.to_vec() });
    let say = app.says.lock().unwrap().pop_front().unwrap_or_else(|| Say::status(200));
    tokio::time::sleep(say.wait).await;
    let mut response = say.body.into_response();
    *response.status_mut() = say.status.try_into().unwrap();
    for (name, value) in say.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A Slack with an app behind it and a clock that the test moves.
pub(crate) struct Stand {
    pub(crate) slack: Slack,
    pub(crate) app: App,
    pub(crate) http: reqwest::Client,
    secs: Arc<AtomicI64>,
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::test()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let secs = Arc::new(AtomicI64::new(NOW_SECS));
        let read = Arc::clone(&secs);
        let clock: Clock = Arc::new(move || Timestamp::from_secs(read.load(Ordering::SeqCst)));
        let slack = serve(settings, clock).await;
        let app = App::default();
        let url = app.start().await;
        slack.request_url(Kind::Event, &format!("{url}/events"));
        slack.request_url(Kind::Command, &format!("{url}/commands"));
        slack.request_url(Kind::Interaction, &format!("{url}/interactions"));
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { slack, app, http, secs }
    }

    pub(crate) fn pass(&self, secs: i64) {
        self.secs.fetch_add(secs, Ordering::SeqCst);
    }

    pub(crate) async fn send(&self, token: &str, method: &str, args: &Value) -> reqwest::Result<reqwest::Response> {
        let post = self.http.post(format!("{}/api/{method}", self.slack.url())).bearer_auth(token);
        let post = post.header("content-type", "application/json; charset=utf-8");
        post.body(args.to_string()).timeout(Duration::from_millis(500)).send().await
    }

    /// With this token: a form, where the method does not read JSON.
    pub(crate) async fn call_as(&self, token: &str, method: &str, args: Value) -> Value {
        let mut post = self.http.post(format!("{}/api/{method}", self.slack.url())).bearer_auth(token);
        let reads = ["auth.revoke", "conversations.history", "conversations.info", "conversations.replies"];
        let reads =
            reads.contains(&method) || ["team", "users", "usergroups"].contains(&method.split('.').next().unwrap());
        if reads {
            let pairs = args.as_object().unwrap().iter();
            let pairs = pairs
                .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
            post = post.form(&pairs.collect::<Vec<_>>());
        } else {
            post = post.header("content-type", "application/json; charset=utf-8").body(args.to_string());
        }
        let answer = post.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    pub(crate) async fn call(&self, method: &str, args: Value) -> Value {
        self.call_as(BOT, method, args).await
    }

    /// Slack's word for what is wrong.
    pub(crate) async fn error(&self, method: &str, args: Value) -> String {
        let answer = self.call(method, args).await;
        assert_eq!(answer["ok"], false, "{answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    /// A card with a button in the channel: its time.
    pub(crate) async fn card(&self, channel: &str) -> String {
        let card = json!({"channel": channel, "text": "Pay 25 EUR", "blocks": buttons("cancel", "Cancel")});
        let answer = self.call("chat.postMessage", card).await;
        answer["ts"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

/// A section and a row with one button, and a link button.
pub(crate) fn buttons(action: &str, label: &str) -> Value {
    json!([
        {"type": "section", "text": {"type": "mrkdwn", "text": "Pay *25 EUR*"}},
        {"type": "actions", "block_id": "row", "elements": [
            {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": label}, "value": "card-1"},
            {"type": "button", "action_id": "pay", "text": {"type": "plain_text", "text": "Pay"},
             "url": "https://till.example/p/1"},
        ]},
    ])
}
