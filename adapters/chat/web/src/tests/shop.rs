//! A shop to tell stories in: the chat over a model store, a scripted desk, and browsers that speak HTTP.

use crate::{Cookies, Embed, Origins, Settings, Web};
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures::StreamExt as _;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use till_core::card::Mode;
use till_core::contract::model::Model;
use till_core::contract::seeded::Seeded;
use till_core::id::{Entropy as _, MerchantId};
use till_core::place::Place;
use till_core::port::chat::Chat as _;
use till_core::port::desk::{Ack, Desk, Inbound};
use till_core::port::store::{Staff, Store as _};
use till_core::text::Locale;
use till_core::time::Timestamp;
use tokio::sync::oneshot;
use tower::ServiceExt as _;

pub(super) const ORIGIN: &str = "https://shop.example";

/// Answers from a script: a text with `/` in front gets what is laid down for it, anything else is talk.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) heard: Mutex<Vec<Inbound>>,
    pub(super) answer: Mutex<Option<Ack>>,
}

#[async_trait]
impl Desk for Scripted {
    async fn hear(&self, inbound: Inbound) -> Ack {
        self.heard.lock().unwrap().push(inbound);
        self.answer.lock().unwrap().clone().unwrap_or(Ack::Talk)
    }
}

pub(super) struct Shop {
    pub(super) web: Arc<Web>,
    pub(super) model: Arc<Model>,
    pub(super) desk: Arc<Scripted>,
    pub(super) clock: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text))
    }

    /// The cookie it sets, as a browser sends it back.
    pub(super) fn cookie(&self) -> String {
        self.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

pub(super) fn merchant() -> MerchantId {
    MerchantId::new("default")
}

pub(super) fn settings() -> Settings {
    Settings {
        merchant: merchant(),
        merchant_name: "Corner <Café>".to_owned(),
        origins: Origins::Listed(vec![ORIGIN.to_owned()]),
        cookies: Cookies::Secure,
        mode: Arc::new(|| Mode::Test),
        embed: Embed::Refused,
        grammar: till_core::command::Grammar::default(),
        currency: "EUR".to_owned(),
        address: |extensions| extensions.get::<IpAddr>().copied(),
    }
}

impl Shop {
    /// Open, with Ana at work.
    pub(super) async fn open() -> Self {
        let shop = Self::over(Arc::new(Model::new()));
        shop.model.add_staff(&merchant(), &staff("ana", "Ana")).await.unwrap();
        shop.start().await
    }

    /// The same shop after a restart: only the store is left.
    pub(super) async fn restarted(self) -> Self {
        Self::over(self.model.clone()).start().await
    }

    pub(super) fn over(model: Arc<Model>) -> Self {
        let clock = Arc::new(AtomicI64::new(1_795_372_200_000));
        let (now, entropy) = (clock.clone(), Mutex::new(Seeded::new(3)));
        let web = Web::new(
            settings(),
            model.clone(),
            model.clone(),
            Arc::new(move || Timestamp::from_ms(now.load(Ordering::SeqCst))),
            Arc::new(move |bytes: &mut [u8]| entropy.lock().unwrap().fill(bytes)),
            Locale::english().unwrap(),
        );
        Self { web, model, desk: Arc::default(), clock, stop: None }
    }

    async fn start(mut self) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = Box::pin(async move { drop(stopped.await) });
        let (web, desk) = (self.web.clone(), self.desk.clone());
        tokio::spawn(async move { web.listen(desk, stopped).await });
        while self.web.desk.read().await.is_none() {
            tokio::task::yield_now().await;
        }
        self.stop = Some(stop);
        self
    }

    pub(super) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(super) fn pass(&self, time: Duration) {
        self.clock.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.web.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(super) async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send(Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&self, path: &str, cookie: &str, body: &Value) -> Answer {
        self.send(post(path, cookie, body.to_string())).await
    }

    /// A customer who opened the page: their cookie and their conversation.
    pub(super) async fn customer(&self) -> (String, String) {
        let signed_in = self.web.sign_in_visitor().await.unwrap();
        let conversation = signed_in.person.id.strip_prefix("visitor:").unwrap().to_owned();
        (signed_in.set_cookie.split(';').next().unwrap().to_owned(), conversation)
    }

    pub(super) async fn ana(&self) -> String {
        let signed_in = self.web.sign_in_staff("ana").await.unwrap().unwrap();
        signed_in.set_cookie.split(';').next().unwrap().to_owned()
    }

    /// The events of a stream until it has nothing more to say for now.
    pub(super) async fn follow(&self, path: &str, cookie: &str) -> Stream {
        let request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
        self.follow_request(request).await
    }

    pub(super) async fn follow_request(&self, request: Request<Body>) -> Stream {
        let response = self.web.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Stream { body: response.into_body().into_data_stream(), text: String::new() }
    }

    pub(super) fn place(conversation: &str) -> Place {
        let (platform, workspace) = ("web".to_owned(), "default".to_owned());
        Place { platform, workspace, channel: conversation.to_owned(), thread: None }
    }
}

pub(super) fn post(path: &str, cookie: &str, body: String) -> Request<Body> {
    let request = Request::post(path).header("origin", ORIGIN).header("content-type", "application/json");
    request.header("cookie", cookie).body(Body::from(body)).unwrap()
}

pub(super) fn staff(id: &str, name: &str) -> Staff {
    Staff { id: id.to_owned(), name: name.to_owned(), since: Timestamp::from_secs(1) }
}

pub(super) fn say(client_id: &str, text: &str) -> Value {
    json!({ "client_id": client_id, "text": text })
}

/// An open stream.
pub(super) struct Stream {
    body: axum::body::BodyDataStream,
    text: String,
}

/// One event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) id: Option<u64>,
    pub(super) data: Value,
}

impl Stream {
    /// The next event; `None` when the stream is over.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let event = Event {
                    name: field("event: ").unwrap_or_default(),
                    id: field("id: ").map(|id| id.parse().unwrap()),
                    data: serde_json::from_str(&field("data: ").unwrap()).unwrap(),
                };
                self.text = rest.to_owned();
                return Some(event);
            }
            let chunk =
                tokio::time::timeout(Duration::from_secs(20), self.body.next()).await.expect("an event in time");
            self.text.push_str(std::str::from_utf8(&chunk?.unwrap()).unwrap());
        }
    }

    /// The next line.
    pub(super) async fn line(&mut self) -> Value {
        loop {
            let event = self.next().await.expect("a line");
            if event.name == "line" {
                assert_eq!(event.id, event.data["seq"].as_u64());
                return event.data;
            }
        }
    }

    /// Everything up to `ready`, as `name: what` in short.
    pub(super) async fn history(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let event = self.next().await.expect("ready");
            match event.name.as_str() {
                "ready" => return all,
                "line" => all.push(format!("{}: {}", event.data["author"].as_str().unwrap(), text_of(&event.data))),
                "conversation" => all.push(format!("conversation {}", event.data["id"].as_str().unwrap())),
                other => all.push(other.to_owned()),
            }
        }
    }
}

/// What people read of a line.
pub(super) fn text_of(line: &Value) -> String {
    match line["body"]["kind"].as_str() {
        Some("card") => format!("[{}]", line["body"]["card"]["title"].as_str().unwrap()),
        _ => line["body"]["text"].as_str().unwrap().to_owned(),
    }
}
