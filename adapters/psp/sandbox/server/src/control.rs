//! The control page's routes: playing the bank and the merchant's dashboard, by hand or by a test.
//!
//! The page and its forms are for this computer alone, under a name of its own and past no proxy: whoever else reaches
//! the provider, where payers must reach it, would have the shop's goods for nothing. A form is taken from that page
//! alone: another site that the same browser has open must not play the bank. A program, from anywhere, shows the API
//! key instead.

use crate::World;
use crate::acts::Order;
use crate::api::authorise;
use crate::ask::{Amount, read};
use crate::control_page::{self, Entry};
use crate::db::Db;
use crate::foreign::Flood;
use crate::knobs::Knobs;
use crate::pay::{see, sent, trouble};
use crate::problem::{Failure, Problem, json_response};
use crate::{checkouts, disputes, refunds};
use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::extract::{ConnectInfo, DefaultBodyLimit, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use till_core::money::Money;

/// How many checkouts the page shows.
const SHOWN: i64 = 50;

type Site = State<Arc<World>>;

/// Everything below `/control`.
pub(crate) fn routes() -> Router<Arc<World>> {
    let by_hand = Router::new()
        .route("/control", get(look).post(press))
        .route("/control/set", post(set))
        .route("/control/flood", post(flood))
        .route("/assets/control.css", get(style))
        .layer(middleware::from_fn(from_here));
    let by_program = Router::new()
        .route("/control/act", post(act))
        .route("/control/foreign", post(foreign_events))
        .route("/control/knobs", get(knobs).post(turn));
    by_hand.merge(by_program).layer(DefaultBodyLimit::max(4 << 10))
}

/// A button of the page.
#[derive(Debug, Deserialize)]
struct Pressed {
    #[serde(flatten)]
    order: FormOrder,
    /// The row to come back to.
    row: Option<String>,
}

#[derive(Debug, Deserialize)]
struct FormOrder {
    act: crate::acts::Act,
    id: String,
    /// As people write it, in the payment's currency: `12.50`. Empty for all that is left.
    #[serde(default)]
    amount: String,
    #[serde(default)]
    currency: String,
}

async fn look(State(world): Site, RawQuery(query): RawQuery) -> Response {
    let refused = query.as_deref().and_then(|query| {
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "no").map(|(_, why)| why.into_owned())
    });
    let entries = async {
        let mut db = world.read.acquire().await?;
        let mut entries = Vec::new();
        for checkout in checkouts::newest(&mut db, SHOWN).await? {
            entries.push(entry(&mut db, checkout).await?);
        }
        Ok(entries)
    };
    match entries.await {
        Ok(entries) => {
            let page = control_page::page(&entries, world.knobs(), refused.as_deref());
            // With `no-referrer` a browser would send its forms with the origin `null`.
            sent(StatusCode::OK, page, "same-origin")
        }
        Err(error) => trouble(&error),
    }
}

async fn entry(db: &mut Db, checkout: crate::object::Checkout) -> sqlx::Result<Entry> {
    let Some(paid) = checkout.capture() else {
        return Ok(Entry { checkout, left: None, refunds: vec![], disputes: vec![] });
    };
    let left = Some(refunds::left(db, paid).await?);
    let (refunds, disputes) = (refunds::out_of(db, &paid.id).await?, disputes::about(db, &paid.id).await?);
    Ok(Entry { checkout, left, refunds, disputes })
}

async fn press(State(world): Site, headers: HeaderMap, form: Result<Form<Pressed>, FormRejection>) -> Response {
    if !is_our_form(&headers) {
        return foreign();
    }
    let Ok(Form(pressed)) = form else { return back(None, Some("That button is not known here.")) };
    let FormOrder { act, id, amount, currency } = pressed.order;
    let amount = match Amount::typed(&amount, &currency) {
        Ok(amount) => amount,
        Err(problem) => return back(pressed.row.as_deref(), Some(problem.message())),
    };
    match world.act(&Order { act, id, amount }).await {
        Ok(_) => back(pressed.row.as_deref(), None),
        Err(Failure::Refused(problem)) => back(pressed.row.as_deref(), Some(problem.message())),
        Err(Failure::Database(error)) => trouble(&error),
    }
}

async fn set(State(world): Site, headers: HeaderMap, form: Result<Form<Knobs>, FormRejection>) -> Response {
    if !is_our_form(&headers) {
        return foreign();
    }
    let set = form
        .map_err(|_| Problem::malformed("a knob was set to what it cannot be"))
        .and_then(|Form(knobs)| world.set_knobs(knobs));
    match set {
        Ok(_) => back(None, None),
        Err(problem) => back(None, Some(problem.message())),
    }
}

async fn flood(State(world): Site, headers: HeaderMap, form: Result<Form<Flood>, FormRejection>) -> Response {
    if !is_our_form(&headers) {
        return foreign();
    }
    let Ok(Form(asked)) = form else { return back(None, Some("That is not a number of events.")) };
    match world.flood(asked).await {
        Ok(_) => back(None, None),
        Err(Failure::Refused(problem)) => back(None, Some(problem.message())),
        Err(Failure::Database(error)) => trouble(&error),
    }
}

async fn foreign_events(
    State(world): Site,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let made = world.flood(read(&body.map_err(|_| Problem::too_large())?)?).await?;
    Ok(json_response(200, json!({"events": made}).to_string()))
}

async fn act(State(world): Site, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let body = body.map_err(|_| Problem::too_large())?;
    let done = world.act(&read(&body)?).await?;
    Ok(json_response(200, done.to_string()))
}

async fn knobs(State(world): Site, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    Ok(json_response(200, json!(world.knobs()).to_string()))
}

async fn turn(
    State(world): Site,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let body = body.map_err(|_| Problem::too_large())?;
    let knobs = world.set_knobs(read(&body)?)?;
    Ok(json_response(200, json!(knobs).to_string()))
}

async fn style() -> Response {
    let headers = [
        ("content-type", "text/css; charset=utf-8"),
        ("cache-control", "public, max-age=300"),
        ("x-content-type-options", "nosniff"),
    ];
    (headers, include_str!("../assets/control.css")).into_response()
}

/// Back to the page, at a row, with why something was not done.
fn back(row: Option<&str>, refused: Option<&str>) -> Response {
    let plain = |row: &&str| row.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let row = row.filter(plain).map(|row| format!("#{row}")).unwrap_or_default();
    let query = refused.map(|why| {
        format!("?{}", url::form_urlencoded::Serializer::new(String::new()).append_pair("no", why).finish())
    });
    see(&format!("/control{}{row}", query.unwrap_or_default()))
}

fn foreign() -> Response {
    (StatusCode::FORBIDDEN, "This page plays the bank for its own forms alone. Open it by its own address.")
        .into_response()
}

/// Lets in who sits at this computer. Everything that a request says of itself can be made up, so the socket is asked; a
/// proxy's socket is not its client's.
async fn from_here(request: Request, next: Next) -> Response {
    // Without a socket nobody knows who asks.
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let proxied = FORWARDING.iter().any(|name| request.headers().contains_key(*name));
    if peer.is_some_and(|peer| peer.is_loopback()) && !proxied && is_our_name(request.headers()) {
        return next.run(request).await;
    }
    let why = "This page plays the bank, so it opens on the provider's own computer alone: http://127.0.0.1 and the port. \
        A program may call /control/act from anywhere, with the API key.\n";
    (StatusCode::FORBIDDEN, why).into_response()
}

/// What proxies add.
const FORWARDING: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// Whether we are called by a name of this computer's: somebody else's name that leads here is a trick.
fn is_our_name(headers: &HeaderMap) -> bool {
    let Some(host) = header(headers, "host") else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// Whether a page of ours sent this form. Source: WHATWG Fetch, "Origin"; W3C Fetch Metadata, `Sec-Fetch-Site`.
fn is_our_form(headers: &HeaderMap) -> bool {
    match (header(headers, "sec-fetch-site"), header(headers, "origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.split_once("://").map(|(_, at)| at) == header(headers, "host"),
        (None, None) => false,
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Amount {
    /// What was typed into a field of this currency: none when nothing was.
    fn typed(text: &str, currency: &str) -> Result<Option<Self>, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let amount: Option<Money> = crate::decimal::read(text, currency);
        let amount =
            amount.ok_or_else(|| Problem::refused("amount", format!("`{text}` is not an amount of {currency}")))?;
        Ok(Some(Self::of(amount)))
    }
}
