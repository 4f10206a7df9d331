//! What people do: write, press, come in, leave.
//!
//! What somebody did goes to the desk under the keys of that one human act. Talk becomes a line for everybody; any
//! other answer is for this person alone and stands in the response: `{"ack":"say","text":"…","code":"K7Q2F9"}`.

use super::door::{from_our_page, open, said, word};
use super::refusal::{Refusal, not_found};
use crate::limits::Limited;
use crate::sessions::{Person, Side};
use crate::{PLATFORM, Web, pages, render};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use till_core::card::Audience;
use till_core::place::Place;
use till_core::port::desk::{Ack, Again, Deed, Inbound};
use till_core::port::transcript::{NewLine, Readers};

/// Something written.
#[derive(Deserialize)]
struct Say {
    client_id: String,
    /// At the desk: where.
    #[serde(default)]
    conversation: String,
    text: String,
    #[serde(default = "unasked")]
    again: Again,
}

fn unasked() -> Again {
    Again::Unasked
}

/// A button pressed.
#[derive(Deserialize)]
struct Press {
    client_id: String,
    #[serde(default)]
    conversation: String,
    token: String,
    #[serde(default)]
    amount: Option<String>,
}

pub(super) async fn chat_say(State(web): State<Arc<Web>>, request: Request) -> Response {
    say(&web, Side::Customer, request).await.unwrap_or_else(|refusal| refusal.answer(&web))
}

pub(super) async fn desk_say(State(web): State<Arc<Web>>, request: Request) -> Response {
    say(&web, Side::Desk, request).await.unwrap_or_else(|refusal| refusal.answer(&web))
}

pub(super) async fn chat_press(State(web): State<Arc<Web>>, request: Request) -> Response {
    press(&web, Side::Customer, request).await.unwrap_or_else(|refusal| refusal.answer(&web))
}

pub(super) async fn desk_press(State(web): State<Arc<Web>>, request: Request) -> Response {
    press(&web, Side::Desk, request).await.unwrap_or_else(|refusal| refusal.answer(&web))
}

async fn say(web: &Arc<Web>, side: Side, request: Request) -> Result<Response, Refusal> {
    let (person, say) = open::<Say>(web, side, request).await?;
    let text = said(&say.text)?;
    let deed = Deed::Typed { text: text.clone(), mentions: Vec::new(), again: say.again };
    let act =
        Act { key: act_key("say", &person, &say.client_id)?, conversation: say.conversation, deed, talk: Some(text) };
    done(web, person, act).await
}

async fn press(web: &Arc<Web>, side: Side, request: Request) -> Result<Response, Refusal> {
    let (person, press) = open::<Press>(web, side, request).await?;
    let amount = press.amount.as_deref().filter(|amount| !amount.trim().is_empty()).map(said).transpose()?;
    let deed = Deed::Pressed { token: word(&press.token)?.to_owned(), amount };
    let key = act_key("press", &person, &press.client_id)?;
    done(web, person, Act { key, conversation: press.conversation, deed, talk: None }).await
}

/// The page gives each human act an id and sends the same act under the same id. With the person in front, nobody can
/// spoil somebody else's.
fn act_key(kind: &str, person: &Person, client_id: &str) -> Result<String, Refusal> {
    Ok(format!("{kind}:{}:{}", person.id().id, word(client_id)?))
}

struct Act {
    key: String,
    conversation: String,
    deed: Deed,
    /// What becomes a line if it was no command.
    talk: Option<String>,
}

/// Finishes the act even when the browser goes away in between.
async fn done(web: &Arc<Web>, person: Person, act: Act) -> Result<Response, Refusal> {
    let web = web.clone();
    let task = tokio::spawn(async move { answered(&web, &person, act).await });
    let answer = task.await.map_err(|_| Refusal::NotNow)??;
    Ok(Json(answer).into_response())
}

async fn answered(web: &Web, person: &Person, act: Act) -> Result<Value, Refusal> {
    // Held until the line is written: who stops the chat waits for it.
    let desk = web.desk.clone().read_owned().await;
    let Some(desk) = desk.as_ref() else { return Err(Refusal::NotNow) };
    let conversation = conversation(web, person, act.conversation).await?;
    let place = Place {
        platform: PLATFORM.to_owned(),
        workspace: web.settings.merchant.as_str().to_owned(),
        channel: conversation.clone(),
        thread: None,
    };
    let inbound = Inbound {
        keys: vec![act.key.clone()],
        by: person.id(),
        name: person.name().to_owned(),
        locale: None,
        place,
        on: None,
        deed: act.deed,
    };
    let ack = desk.hear(inbound).await;
    match (&ack, act.talk) {
        (Ack::Talk, Some(text)) => talk(web, person, conversation, act.key, &text).await,
        (Ack::Talk | Ack::Say { .. } | Ack::Nothing | Ack::Form | Ack::Same { .. } | Ack::Busy { .. }, _) => {
            Ok(json!(ack))
        }
    }
}

/// Where it was said: staff say it, a customer has one place.
async fn conversation(web: &Web, person: &Person, named: String) -> Result<String, Refusal> {
    match person {
        Person::Visitor(visitor) => {
            web.begin(visitor).await?;
            Ok(visitor.conversation.clone())
        }
        Person::Clerk(_) => {
            let known = web.transcript.conversation(&web.settings.merchant, &named).await?;
            Ok(known.ok_or(Refusal::NotFound)?.id)
        }
    }
}

async fn talk(web: &Web, person: &Person, conversation: String, key: String, text: &str) -> Result<Value, Refusal> {
    let line = NewLine {
        conversation,
        key,
        readers: Readers::Everyone,
        author: person.author(),
        name: person.name().to_owned(),
        body: json!({ "kind": "text", "text": text }),
        at: web.now(),
    };
    let line = web.transcript.append(&web.settings.merchant, line).await?.ok_or(Refusal::NotFound)?;
    web.pulse.beat(&line.conversation);
    let audience = match person {
        Person::Visitor(_) => Audience::Anyone,
        Person::Clerk(_) => Audience::Staff,
    };
    Ok(json!({ "ack": "talk", "line": render::line(&line, audience) }))
}

/// Uses a one-time link up and opens the desk.
pub(super) async fn enter(State(web): State<Arc<Web>>, Path(token): Path<String>, parts: Parts) -> Response {
    let entered = async {
        from_our_page(&web, &parts.headers)?;
        let address = (web.settings.address)(&parts.extensions);
        web.limits.take_of(Limited::Arrival, address, web.now()).map_err(Refusal::TooOften)?;
        Ok::<_, Refusal>(web.enter(&token).await?)
    };
    match entered.await {
        Ok(Some(signed_in)) => {
            let to_desk = [(header::SET_COOKIE, signed_in.set_cookie), (header::LOCATION, "/desk".to_owned())];
            (StatusCode::SEE_OTHER, to_desk).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, pages::no_invitation(&web)).into_response(),
        Err(refusal) => refusal.page(&web),
    }
}

/// Signs a staff member out, in this browser.
pub(super) async fn leave(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let left = async {
        from_our_page(&web, &headers)?;
        match web.clerk(&headers).await? {
            Some(clerk) => Ok(Some(web.leave(&clerk).await?)),
            None => Ok::<_, Refusal>(None),
        }
    };
    match left.await {
        Ok(Some(gone)) => (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response(),
        Ok(None) => not_found(),
        Err(refusal) => refusal.answer(&web),
    }
}
