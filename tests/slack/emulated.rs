//! A Slack that others wrote, npm's `emulate`, as judge of what Till sends: the adapter works there unchanged.
//!
//! ```text
//! contract suite ─► till_slack ─► door: GET ─► POST ─► emulate (in Node) ─► conversations.history ─► what it holds
//! ```
//! It cannot do everything: it reads arguments of a POST alone, hence the door; it ignores `oldest`; it takes any blocks,
//! so those are judged by the fake; and it has no sockets, commands, clicks or limits.

use crate::support::judge::Judge;
use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::IntoResponse;
use reqwest::Client;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use till_core::card::Card;
use till_core::contract::chat::{Eye, Setup, ordinary, suite};
use till_core::contract::model::Model;
use till_core::contract::seeded::Seeded;
use till_core::id::{MerchantId, PaymentId};
use till_core::money::Currency;
use till_core::order::IdemKey;
use till_core::place::{MessageRef, PersonId, Place};
use till_core::port::chat::{Chat, Rendered, SendError};
use till_core::port::store::{Staff, Store as _};
use till_core::text::{Locale, Texts, Tongues};
use till_core::time::Timestamp;
use till_slack::{Keywords, Settings, Slack, Tokens};

/// Till's token: what `till slack manifest --history` asks for.
const TOKEN: &str = "xoxb-till";
/// The same app, installed without the right to write.
const MUTE: &str = "xoxb-mute";
/// Ana's own.
const HERS: &str = "xoxp-ana";
/// What `emulate` has by itself.
const TEAM: &str = "T000000001";
const ANA: &str = "U000000001";
const GENERAL: &str = "C000000001";

/// `emulate` with Till's app installed, and the door before it.
struct Emulated {
    judge: Judge,
    url: String,
    http: Client,
}

/// Slack takes arguments of methods that read in a query as well; `emulate` does not.
async fn door(State((http, url)): State<(Client, String)>, request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let sent = http.post(format!("{url}{}", parts.uri.path()));
    let sent = match parts.headers.get(header::AUTHORIZATION) {
        Some(token) => sent.header(header::AUTHORIZATION, token),
        None => sent,
    };
    let sent = if parts.method == Method::GET {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        sent.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(query)
    } else {
        let kind = parts.headers[header::CONTENT_TYPE].clone();
        sent.header(header::CONTENT_TYPE, kind).body(axum::body::to_bytes(body, usize::MAX).await.unwrap())
    };
    let answer = sent.send().await.unwrap();
    (answer.status(), [(header::CONTENT_TYPE, "application/json")], answer.bytes().await.unwrap())
}

impl Emulated {
    async fn open(test: &str) -> Option<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut judge = Judge::emulate(test)?;
        let scopes = ["chat:write", "im:write", "users:read", "channels:history", "im:history"];
        let app = json!({
            "app_id": "A0TILL", "client_id": "1.2", "client_secret": "secret", "name": "Till", "redirect_uris": [],
            "scopes": scopes, "bot_id": "B0TILL", "bot_user_id": "U0TILL", "bot_name": "till",
        });
        let app_token = |token: &str, scopes: &[&str]| {
            json!({
                "token": token, "type": "bot", "user_id": "U0TILL", "app_id": "A0TILL", "bot_id": "B0TILL",
                "bot_user_id": "U0TILL", "scopes": scopes,
            })
        };
        let hers = json!({ "token": HERS, "type": "user", "user_id": ANA, "scopes": ["chat:write"] });
        let seed = json!({ "slack": {
            "strict_scopes": true, "oauth_apps": [app], "users": [{ "name": "bo", "real_name": "Bo Berg" }],
            "tokens": [app_token(TOKEN, &scopes), app_token(MUTE, &["users:read"]), hers],
        }});
        let opened = judge.ask(&json!({ "op": "open", "seed": seed })).await;
        let url = opened["url"].as_str().unwrap_or_else(|| panic!("{opened}")).to_owned();
        let http = Client::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(door).with_state((http.clone(), url));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Some(Self { judge, url: front, http })
    }

    /// Asks `emulate` itself.
    async fn ask(&self, method: &str, arguments: &Value) -> Value {
        self.ask_as(TOKEN, method, arguments).await
    }

    async fn ask_as(&self, token: &str, method: &str, arguments: &Value) -> Value {
        let asked = self.http.post(format!("{}/api/{method}", self.url)).bearer_auth(token).json(arguments);
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer
    }

    /// The messages of a channel and of the threads in it, oldest first.
    async fn held(&self, channel: &str) -> Vec<Value> {
        let told = self.ask("conversations.history", &json!({ "channel": channel })).await;
        let mut all = Vec::new();
        for root in told["messages"].as_array().unwrap().iter().rev() {
            let thread = json!({ "channel": channel, "ts": root["ts"] });
            let told = self.ask("conversations.replies", &thread).await;
            all.extend(told["messages"].as_array().unwrap().iter().cloned());
        }
        all
    }

    /// Till's Slack, where Ana is staff. Its budgets are by the second, so time goes by with each look.
    async fn till(&self, token: &str) -> Arc<Slack> {
        let merchant = MerchantId::new("default");
        let store = Arc::new(Model::default());
        let ana = Staff { id: format!("slack:{TEAM}/{ANA}"), name: "Ana".into(), since: now() };
        store.add_staff(&merchant, &ana).await.unwrap();
        let settings = Settings {
            merchant,
            api_url: format!("{}/api", self.url),
            app_token: None,
            admin_token: None,
            signing_secret: None,
            connections: 1,
            keywords: Keywords::Ignored,
            grammar: till_core::command::Grammar::default(),
            currency: Currency::parse("EUR").unwrap(),
        };
        let seconds = AtomicI64::new(now().secs());
        let clock = Arc::new(move || Timestamp::from_secs(seconds.fetch_add(2, Ordering::SeqCst)));
        Slack::new(settings, Tokens::Own(token.to_owned().into()), store, clock, tongues()).unwrap()
    }
}

#[async_trait]
impl Eye for Emulated {
    async fn standing(&self, at: &Place) -> Vec<String> {
        let held = self.held(&at.channel).await;
        held.iter().map(|message| format!("{}\n{}", message["text"].as_str().unwrap(), message["blocks"])).collect()
    }

    async fn speak(&self, text: &str) -> MessageRef {
        let said = self.ask_as(HERS, "chat.postMessage", &json!({ "channel": GENERAL, "text": text })).await;
        MessageRef { place: place(GENERAL), id: said["ts"].as_str().unwrap().to_owned() }
    }
}

fn now() -> Timestamp {
    crate::support::now()
}

fn place(channel: &str) -> Place {
    Place { platform: "slack".into(), workspace: TEAM.into(), channel: channel.into(), thread: None }
}

fn person(user: &str) -> PersonId {
    PersonId { platform: "slack".into(), id: format!("{TEAM}/{user}") }
}

fn key(what: &str) -> IdemKey {
    IdemKey::show(PaymentId::new(Timestamp::from_secs(1), &mut Seeded::new(3)), what)
}

fn rendered(till: &Slack, card: &Card) -> Rendered {
    till.render(card, &till.caps(&place(GENERAL)), &Locale::english().unwrap())
}

#[tokio::test]
async fn the_emulator_is_the_version_that_is_pinned() {
    let test = "slack::emulated::the_emulator_is_the_version_that_is_pinned";
    let Some(mut judge) = Judge::emulate(test) else { return };
    let pinned: Value = serde_json::from_str(include_str!("../judges/emulate/package.json")).unwrap();
    let answer = judge.ask(&json!({ "op": "version" })).await;
    assert_eq!(answer["emulate"], pinned["dependencies"]["emulate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chat_contract_holds_in_a_slack_that_others_wrote() {
    let test = "slack::emulated::the_chat_contract_holds_in_a_slack_that_others_wrote";
    let Some(emulated) = Emulated::open(test).await else { return };
    let users = emulated.ask("users.list", &json!({})).await;
    let bo = users["members"].as_array().unwrap().iter().find(|user| user["name"] == "bo").unwrap();
    suite(&Setup {
        chat: emulated.till(TOKEN).await,
        eye: &emulated,
        place: place(GENERAL),
        nowhere: place("C0NOWHERE"),
        staff: person(ANA),
        guest: person(bo["id"].as_str().unwrap()),
        nobody: person("U0NOBODY"),
        locale: Locale::english().unwrap(),
        now: now(),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_its_edit_its_reply_and_a_whisper_are_held_as_they_were_sent() {
    let test = "slack::emulated::a_card_its_edit_its_reply_and_a_whisper_are_held_as_they_were_sent";
    let Some(emulated) = Emulated::open(test).await else { return };
    let till = emulated.till(TOKEN).await;
    let asked = rendered(&till, &ordinary());
    let at = till.post(&place(GENERAL), &asked, &key("card"), now()).await.unwrap();
    let held = emulated.held(GENERAL).await;
    let [card] = &held[..] else { panic!("{held:#?}") };
    assert_eq!((&card["text"], card["ts"].as_str()), (&asked.body["text"], Some(&*at.id)));
    assert_eq!((&card["user"], &card["unfurl_links"]), (&json!("U0TILL"), &json!(false)));
    let mut blocks = asked.body["blocks"].clone();
    blocks[2]["block_id"] = json!(format!("{TEAM}|card"));
    assert_eq!(card["blocks"], blocks, "and whose installation it is");
    assert_eq!(card["metadata"]["event_type"], "till_message");

    let found = async |at: &Place, what: &str| till.find(at, &key(what), now()).await.unwrap();
    assert_eq!(found(&place(GENERAL), "card").await, Some(at.clone()), "it is found by its key");
    assert_eq!(found(&place(GENERAL), "another").await, None);

    let paid = rendered(&till, &Card { title: till_core::card::Short::new("Paid"), ..ordinary() });
    till.edit(&at, &paid, now()).await.unwrap();
    let ping = till.say("K7Q2F9 is paid.", &[person(ANA)], &till.caps(&at.place));
    let below = till.reply(&at, &ping, &key("ping"), now()).await.unwrap();
    let held = emulated.held(GENERAL).await;
    let [edited, reply] = &held[..] else { panic!("{held:#?}") };
    assert_eq!((&edited["ts"], &edited["text"]), (&card["ts"], &paid.body["text"]));
    assert_eq!(edited["blocks"][0]["text"]["text"], "[TEST] Paid");
    assert_eq!((&edited["metadata"], &edited["reply_count"]), (&card["metadata"], &json!(1)), "the key stays");
    assert_eq!((&reply["thread_ts"], reply["ts"].as_str()), (&card["ts"], Some(&*below.id)));
    assert_eq!(reply["text"], format!("<@{ANA}> K7Q2F9 is paid."));
    let thread = Place { thread: Some(at.id.clone()), ..place(GENERAL) };
    assert_eq!(found(&thread, "ping").await.map(|found| found.id), Some(below.id));

    till.whisper(&person(ANA), &place(GENERAL), &ping, &key("whisper"), now()).await.unwrap();
    let opened = emulated.ask("conversations.open", &json!({ "users": ANA })).await;
    let told = emulated.held(opened["channel"]["id"].as_str().unwrap()).await;
    assert_eq!((told.len(), &told[0]["text"]), (1, &ping.body["text"]));
    assert_eq!(emulated.held(GENERAL).await.len(), 2, "nobody else is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_slack_refuses_is_understood() {
    let test = "slack::emulated::what_another_slack_refuses_is_understood";
    let Some(mut emulated) = Emulated::open(test).await else { return };
    let (till, mute) = (emulated.till(TOKEN).await, emulated.till(MUTE).await);
    let card = rendered(&till, &ordinary());
    let unheard = mute.post(&place(GENERAL), &card, &key("card"), now()).await;
    assert_eq!(unheard, Err(SendError::Forbidden), "without `chat:write`");
    let gone = MessageRef { place: place(GENERAL), id: "1795372200.000100".into() };
    assert_eq!(till.edit(&gone, &card, now()).await, Err(SendError::Gone));
    let said = emulated.ask_as(HERS, "chat.postMessage", &json!({ "channel": GENERAL, "text": "mine" })).await;
    let hers = MessageRef { place: place(GENERAL), id: said["ts"].as_str().unwrap().to_owned() };
    assert_eq!(till.edit(&hers, &card, now()).await, Err(SendError::EditClosed), "somebody else's message");
    assert_eq!(emulated.judge.ask(&json!({ "op": "pay" })).await["ok"], false, "the judge survives nonsense");
}

fn tongues() -> Tongues {
    Tongues::new(Texts::embedded().unwrap(), Locale::english().unwrap())
}
