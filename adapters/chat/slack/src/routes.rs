//! What Slack posts over HTTP: checked on its raw bytes, answered within moments.
//!
//! A request that is not signed is answered 401 and nothing else. A repeat (`x-slack-retry-num`) is taken like the first
//! delivery: it may be the first that arrived, and what was done already is known by its keys.

use crate::answer::Told;
use crate::receive::Unreadable;
use crate::wire::{Interaction, Outer, SlashCommand};
use crate::{Slack, signature};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use std::sync::Arc;
use till_core::port::psp::Distrust;

pub(crate) fn router(slack: &Arc<Slack>) -> Router {
    if slack.settings.signing_secret.is_none() {
        return Router::new();
    }
    Router::new()
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions))
        .route("/slack/events", post(events))
        .with_state(slack.clone())
}

async fn commands(State(slack): State<Arc<Slack>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&slack, &headers, &body, |body| {
        Ok(slack.told_of_command(serde_urlencoded::from_bytes::<SlashCommand>(body)?))
    })
    .await
}

async fn interactions(State(slack): State<Arc<Slack>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&slack, &headers, &body, |body| {
        let form: Form = serde_urlencoded::from_bytes(body)?;
        Ok(slack.told_of_interaction(serde_json::from_str::<Interaction>(&form.payload)?))
    })
    .await
}

async fn events(State(slack): State<Arc<Slack>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&slack, &headers, &body, |body| Ok(slack.told_of_event(serde_json::from_slice::<Outer>(body)?))).await
}

#[derive(serde::Deserialize)]
struct Form {
    payload: String,
}

impl From<serde_urlencoded::de::Error> for Unreadable {
    fn from(_: serde_urlencoded::de::Error) -> Self {
        Self::form()
    }
}

async fn answer(
    slack: &Arc<Slack>,
    headers: &HeaderMap,
    body: &[u8],
    read: impl FnOnce(&[u8]) -> Result<Told, Unreadable>,
) -> Response {
    if let Err(distrust) = check(slack, headers, body) {
        tracing::warn!("a request that says it is Slack's was refused: {distrust}");
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let told = match read(body) {
        Ok(told) => told,
        Err(unreadable) => {
            tracing::error!("Slack posted something that this version does not know: {unreadable}");
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    let answer = slack.hear(told).await;
    if let Some(next) = answer.next {
        tokio::spawn(slack.clone().follow(next));
    }
    match (answer.is_to_come_again, answer.ack) {
        (true, _) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (false, Some(ack)) => Json(ack).into_response(),
        (false, None) => StatusCode::OK.into_response(),
    }
}

fn check(slack: &Slack, headers: &HeaderMap, body: &[u8]) -> Result<(), Distrust> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secret = slack.settings.signing_secret.as_ref().ok_or(Distrust::BadSignature)?;
    let (timestamp, given) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    signature::verify(secret, timestamp, given, body, slack.now())
}
