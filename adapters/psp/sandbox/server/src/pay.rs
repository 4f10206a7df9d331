//! The payment page's routes: look, press the button, come back.
//!
//! A press is answered with 303 to the page itself, never to the shop: Chromium holds a form's redirects against
//! `form-action` too (<https://github.com/w3c/webappsec-csp/issues/8>), and `'self'` is all that is allowed. The page then
//! leads back by a link and a refresh.

use crate::World;
use crate::captures::{Card, Press, Pressed, Said};
use crate::page::{self, Arrival};
use axum::Form;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use std::sync::Arc;

const CSP: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page and its style sheet.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/pay/{id}", get(look).post(press))
        .route("/assets/sandbox.css", get(style))
        .layer(DefaultBodyLimit::max(1 << 10))
}

#[derive(Debug, serde::Deserialize)]
struct Choice {
    card: Option<Card>,
    answer: Option<Said>,
    /// Where the payer may choose: `25.00`.
    amount: Option<String>,
}

impl Choice {
    fn press(&self) -> Option<Press> {
        self.answer.map(Press::Said).or(self.card.map(Press::Card))
    }
}

async fn look(State(world): State<Arc<World>>, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    match world.checkout(&id).await {
        Ok(Some(checkout)) => html(StatusCode::OK, page::checkout(&checkout, Arrival::of(query.as_deref()))),
        Ok(None) => html(StatusCode::NOT_FOUND, page::nothing()),
        Err(error) => trouble(&error),
    }
}

async fn press(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    choice: Result<Form<Choice>, FormRejection>,
) -> Response {
    // A press without a card shows the page again.
    let choice = choice.ok().and_then(|Form(choice)| Some((choice.press()?, choice.amount)));
    let pressed = match choice {
        Some((press, amount)) => world.press(&id, press, amount.as_deref()).await,
        None => world.checkout(&id).await.map(|found| found.map(|_| Pressed::TooLate)),
    };
    let next = match pressed {
        Ok(Some(Pressed::Done)) => Arrival::JustDone,
        Ok(Some(Pressed::Challenged)) => Arrival::Challenged,
        Ok(Some(Pressed::Refused)) => Arrival::Refused,
        Ok(Some(Pressed::NoAmount)) => Arrival::NoAmount,
        Ok(Some(Pressed::Declined | Pressed::TooLate)) => Arrival::Opened,
        Ok(None) => return html(StatusCode::NOT_FOUND, page::nothing()),
        Err(error) => return trouble(&error),
    };
    see(&format!("/pay/{id}{}", next.query()))
}

async fn style() -> Response {
    let headers = [
        ("content-type", "text/css; charset=utf-8"),
        ("cache-control", "public, max-age=300"),
        ("x-content-type-options", "nosniff"),
    ];
    (headers, include_str!("../assets/sandbox.css")).into_response()
}

pub(crate) fn trouble(error: &sqlx::Error) -> Response {
    tracing::error!(%error, "sandbox database");
    html(StatusCode::INTERNAL_SERVER_ERROR, page::trouble())
}

pub(crate) fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [("location", path), ("cache-control", "no-store")]).into_response()
}

fn html(status: StatusCode, page: Markup) -> Response {
    sent(status, page, "no-referrer")
}

/// A page that may load nothing but its style, and send nothing but its own forms.
pub(crate) fn sent(status: StatusCode, page: Markup, referrer: &'static str) -> Response {
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", CSP),
        ("referrer-policy", referrer),
        ("x-content-type-options", "nosniff"),
    ];
    (status, headers, page.into_string()).into_response()
}
