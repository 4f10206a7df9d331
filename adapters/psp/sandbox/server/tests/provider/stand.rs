//! A provider that listens on this machine, with a clock that the test moves.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use till_core::contract::seeded::Seeded;
use till_core::time::Timestamp;
use till_sandbox_server::{Config, Server, Webhook};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const KEY: &str = "sk_test_stand";
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const START: Timestamp = Timestamp::from_secs(1_795_372_200);

/// A running provider.
pub(crate) struct Stand {
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    server: Server,
    clock: Arc<AtomicI64>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Got {
    pub(crate) async fn of(answer: reqwest::Response) -> Self {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, text: answer.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The type of the error, with its status: `409 idempotency_error`.
    pub(crate) fn error(&self) -> String {
        format!("{} {}", self.status, self.json()["error"]["type"].as_str().unwrap_or("without a type"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Stand {
    pub(crate) async fn start(dir: &Path, webhook: Option<&str>) -> Self {
        let webhook = webhook.map(|url| Webhook { url: url.to_owned(), secret: SECRET.to_owned().into() });
        Self::start_with(dir, |config| config.webhook = webhook).await
    }

    pub(crate) async fn start_with(dir: &Path, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let clock = Arc::new(AtomicI64::new(START.ms()));
        let mut config = Config {
            db: dir.join("sandbox.db"),
            public_url: base.clone(),
            api_key: KEY.to_owned().into(),
            account: "acct_sandbox".into(),
            webhook: None,
            hints: None,
            control: true,
        };
        change(&mut config);
        let now = Arc::clone(&clock);
        let clock_of = Arc::new(move || Timestamp::from_ms(now.load(Ordering::SeqCst)));
        // Another seed for another port, so that a reopened provider does not repeat its ids.
        let seed = listener.local_addr().unwrap().port();
        let server = Server::open(config, clock_of, Box::new(Seeded::new(seed.into()))).await.unwrap();
        let (stop, router) = (CancellationToken::new(), server.router());
        let serve = {
            let stop = stop.clone();
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            async move { axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await.unwrap() }
        };
        let run = {
            let (server, stop) = (server.clone(), stop.clone());
            async move { server.run(stop).await }
        };
        let tasks = vec![tokio::spawn(serve), tokio::spawn(run)];
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { base, client, server, clock, stop, tasks }
    }

    /// The routes, for who comes in without a socket.
    pub(crate) fn router(&self) -> axum::Router {
        self.server.router()
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        drop(self.client);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.server.close().await;
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.clock.load(Ordering::SeqCst))
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Got {
        let request = self.client.post(self.base.clone() + path).bearer_auth(KEY).header("idempotency-key", key);
        Got::of(request.json(body).send().await.unwrap()).await
    }

    /// A call of the difficult character's.
    pub(crate) async fn post_d(&self, path: &str, key: &str, body: &Value) -> Got {
        let request = self.client.post(self.base.clone() + path).bearer_auth(KEY).header("request-id", key);
        Got::of(request.json(body).send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        Got::of(self.client.get(self.base.clone() + path).bearer_auth(KEY).send().await.unwrap()).await
    }

    /// What a browser sees: no Bearer.
    pub(crate) async fn look(&self, path: &str) -> Got {
        Got::of(self.client.get(self.base.clone() + path).send().await.unwrap()).await
    }

    /// Chooses a card and presses the button.
    pub(crate) async fn press(&self, id: &str, card: &str) -> Got {
        let request = self.client.post(format!("{}/pay/{id}", self.base)).form(&[("card", card)]);
        Got::of(request.send().await.unwrap()).await
    }

    /// Answers the bank's question.
    pub(crate) async fn answer(&self, id: &str, said: &str) -> Got {
        let request = self.client.post(format!("{}/pay/{id}", self.base)).form(&[("answer", said)]);
        Got::of(request.send().await.unwrap()).await
    }

    /// What a test does at the control page.
    pub(crate) async fn control(&self, path: &str, body: &Value) -> Got {
        let request = self.client.post(self.base.clone() + path).bearer_auth(KEY).json(body);
        Got::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn act(&self, act: &str, id: &str) -> Got {
        self.control("/control/act", &json!({"act": act, "id": id})).await
    }

    pub(crate) async fn turn(&self, knobs: &Value) -> Got {
        self.control("/control/knobs", knobs).await
    }

    /// A checkout of 25 EUR that is open for an hour.
    pub(crate) fn order(&self) -> Value {
        json!({
            "amount": {"minor": 2500, "currency": "EUR"},
            "lines": [{"name": "coffee", "quantity": 2, "each_minor": 1250}],
            "metadata": {"till_payment": "pay_1", "till_n": "1", "till_code": "K7Q2F9"},
            "return_url": "https://till.example/p/t?a=1&b=2",
            "expires_at_ms": self.now().ms() + 3_600_000,
            "locale": "en",
        })
    }

    /// The same as the difficult character wants it.
    pub(crate) fn difficult_order(&self) -> Value {
        json!({
            "amount": {"value": "25.00", "currency": "EUR"},
            "items": [{"name": "coffee", "quantity": 2, "unit_amount": {"value": "12.50", "currency": "EUR"}}],
            "custom_id": "pay_1:1",
            "reference": "K7Q2F9",
            "return_url": "https://till.example/p/t?a=1&b=2",
            "expires_at_ms": self.now().ms() + 3_600_000,
            "locale": "en",
        })
    }

    /// The id of a new checkout of 25 EUR.
    pub(crate) async fn created(&self, key: &str) -> String {
        let made = self.post("/v1/checkouts", key, &self.order()).await;
        assert_eq!(made.status, 200, "{made:?}");
        made.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn events(&self) -> Vec<Value> {
        self.get("/v1/events").await.json()["data"].as_array().unwrap().clone()
    }

    pub(crate) async fn kinds(&self) -> Vec<String> {
        self.events().await.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}
