//! What people look at: the two pages, their streams, and the invitation.

use super::door::signed_in;
use super::refusal::{Refusal, not_found};
use crate::limits::Limited;
use crate::sessions::Side;
use crate::{Web, pages, render, stream};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response, Sse};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use till_core::card::Audience;
use till_core::port::transcript::Scope;

/// Lines of an old conversation that are sent at once.
const HISTORY_PAGE: u32 = 200;

/// From where on somebody reads.
#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    after: u64,
}

/// Which old conversation, from where on.
#[derive(Deserialize)]
pub(super) struct Old {
    conversation: String,
    #[serde(default)]
    after: u64,
}

/// The customer's page. Whoever comes for the first time gets a session; the conversation begins with their words.
pub(super) async fn chat(State(web): State<Arc<Web>>, parts: Parts) -> Response {
    let page = async {
        let headers = &parts.headers;
        if let Some(visitor) = web.visitor(headers).await? {
            let cookie = web.renew(Side::Customer, headers).await?;
            return Ok((cookie, pages::chat(&web, &visitor.name)));
        }
        let address = (web.settings.address)(&parts.extensions);
        web.limits.take_of(Limited::Arrival, address, web.now()).map_err(Refusal::TooOften)?;
        let (visitor, cookie) = web.new_visitor().await?;
        Ok::<_, Refusal>((Some(cookie), pages::chat(&web, &visitor.name)))
    };
    match page.await {
        Ok((cookie, page)) => with_cookie(cookie, page.into_response()),
        Err(refusal) => refusal.page(&web),
    }
}

/// The desk, for whoever is signed in; nothing for anybody else.
pub(super) async fn desk(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let page = async {
        let Some(clerk) = web.clerk(&headers).await? else { return Ok(None) };
        Ok::<_, Refusal>(Some((web.renew(Side::Desk, &headers).await?, pages::desk(&web, &clerk.staff))))
    };
    match page.await {
        Ok(Some((cookie, page))) => with_cookie(cookie, page.into_response()),
        Ok(None) => not_found(),
        Err(refusal) => refusal.page(&web),
    }
}

/// The page behind a one-time link. Looking does not use it up: a preview in a chat looks, too.
pub(super) async fn invitation(State(web): State<Arc<Web>>, Path(token): Path<String>, parts: Parts) -> Response {
    let address = (web.settings.address)(&parts.extensions);
    if let Err(wait) = web.limits.take_of(Limited::Arrival, address, web.now()) {
        return Refusal::TooOften(wait).page(&web);
    }
    match web.invited(&token).await {
        // A browser hides the origin of a form on a page with `no-referrer`, and the POST could not be told from a
        // stranger's (Fetch standard, "append a request `Origin` header").
        Ok(Some(staff)) => {
            ([(header::REFERRER_POLICY, "same-origin")], pages::invitation(&web, &staff, &token)).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, pages::no_invitation(&web)).into_response(),
        Err(error) => Refusal::Store(error).page(&web),
    }
}

pub(super) async fn chat_stream(State(web): State<Arc<Web>>, Query(from): Query<From>, parts: Parts) -> Response {
    follow(&web, Side::Customer, &from, &parts).await.unwrap_or_else(|refusal| refusal.answer(&web))
}

pub(super) async fn desk_stream(State(web): State<Arc<Web>>, Query(from): Query<From>, parts: Parts) -> Response {
    follow(&web, Side::Desk, &from, &parts).await.unwrap_or_else(|refusal| refusal.answer(&web))
}

async fn follow(web: &Arc<Web>, side: Side, from: &From, parts: &Parts) -> Result<Response, Refusal> {
    let headers = &parts.headers;
    let person = signed_in(web, side, headers).await?;
    if web.pulse.stopped() {
        return Err(Refusal::NotNow);
    }
    web.limits.take(Limited::Stream, person.key(), web.now()).map_err(Refusal::TooOften)?;
    let seat =
        web.streams.seat(person.key(), side, (web.settings.address)(&parts.extensions)).ok_or(Refusal::TooManyPages)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok()).unwrap_or(0);
    let events = stream::events(web, &person, headers, from.after.max(last), seat);
    // Some proxies collect an answer before they pass it on; this asks them not to.
    Ok(([(HeaderName::from_static("x-accel-buffering"), "no")], Sse::new(events)).into_response())
}

/// Lines of a conversation from before the desk opened: what everybody may read of it.
pub(super) async fn history(State(web): State<Arc<Web>>, Query(old): Query<Old>, headers: HeaderMap) -> Response {
    let lines = async {
        signed_in(&web, Side::Desk, &headers).await?;
        let scope = Scope::Customer(&old.conversation);
        Ok::<_, Refusal>(web.transcript.since(&web.settings.merchant, scope, old.after, HISTORY_PAGE).await?)
    };
    match lines.await {
        Ok(lines) => {
            let lines: Vec<_> = lines.iter().filter_map(|line| render::line(line, Audience::Staff)).collect();
            Json(json!({ "lines": lines })).into_response()
        }
        Err(refusal) => refusal.answer(&web),
    }
}

fn with_cookie(cookie: Option<String>, mut response: Response) -> Response {
    if let Some(cookie) = cookie.and_then(|cookie| cookie.parse().ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
