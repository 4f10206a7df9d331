//! The plain character's API: who asks, what is asked, and the answer as JSON.

use crate::World;
use crate::object::{Api, Checkout, Dispute, Refund};
use crate::once::Keyed;
use crate::problem::{Failure, Problem, json_response};
use crate::{checkouts, disputes, events, refunds};
use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest body.
const BODY_MAX: usize = 64 << 10;
/// The longest page of events.
const PAGE_MAX: i64 = 100;

pub(crate) type Site = State<Arc<World>>;
pub(crate) type Params = Query<BTreeMap<String, String>>;

/// Everything below `/v1` and `/d`.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/checkouts", post(create).get(find))
        .route("/v1/checkouts/{id}", get(show))
        .route("/v1/checkouts/{id}/expire", post(expire))
        .route("/v1/refunds", post(refund).get(find_refund))
        .route("/v1/disputes", get(find_disputes))
        .route("/v1/events", get(list))
        .merge(crate::difficult::routes())
        .fallback(async || Failure::from(Problem::not_found("path")))
        .method_not_allowed_fallback(async || Failure::from(Problem::not_found("call")))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

/// A body, or why there is none.
pub(crate) type Body = Result<Bytes, BytesRejection>;

/// A call that may be made: its key and its body.
pub(crate) struct Authorised {
    pub(crate) key: Option<String>,
    pub(crate) body: Bytes,
}

impl Authorised {
    pub(crate) fn new(world: &World, headers: &HeaderMap, body: Body, api: Api) -> Result<Self, Problem> {
        authorise(world, headers)?;
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let kind = header("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(Problem::content_type());
        }
        let body = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
            _ => Problem::malformed("the body did not arrive"),
        })?;
        let name = match api {
            Api::Plain => "idempotency-key",
            Api::Difficult => "request-id",
        };
        Ok(Self { key: header(name).map(str::to_owned), body })
    }
}

pub(crate) fn authorise(world: &World, headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    // Digests are compared, so that the time it takes says nothing about the key.
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    let right = given.is_some_and(|given| digest(given) == digest(world.config.api_key.expose_secret()));
    if right { Ok(()) } else { Err(Problem::unauthorised()) }
}

pub(crate) async fn do_once(world: &World, keyed: Result<Keyed, Problem>) -> Result<Response, Failure> {
    let answer = world.once(&keyed?).await?;
    let mut response = json_response(answer.status, answer.body);
    if answer.is_replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

async fn create(State(world): Site, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    let call = Authorised::new(&world, &headers, body, Api::Plain)?;
    do_once(&world, Keyed::create(call.key.as_deref(), &call.body)).await
}

async fn expire(
    State(world): Site,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let call = Authorised::new(&world, &headers, body, Api::Plain)?;
    do_once(&world, Keyed::expire(call.key.as_deref(), &id, &call.body)).await
}

async fn refund(State(world): Site, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    let call = Authorised::new(&world, &headers, body, Api::Plain)?;
    do_once(&world, Keyed::refund(call.key.as_deref(), &call.body)).await
}

async fn show(State(world): Site, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let found = world.checkout(&id).await?.filter(|it| it.api == Api::Plain);
    let found = found.ok_or_else(|| Problem::not_found("checkout"))?;
    Ok(json_response(200, world.issuer().checkout(&found, world.now()).to_string()))
}

async fn find(State(world): Site, Query(params): Params, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let json = |it: &Checkout| world.issuer().checkout(it, world.now());
    if let Some(capture) = params.get("capture") {
        let found = checkouts::by_capture(&mut *world.read.acquire().await?, capture).await?;
        let found = found.filter(|it| it.api == Api::Plain);
        return listed(found.iter().map(json).collect(), "checkout");
    }
    let (payment, n) = (param(&params, "payment")?, param(&params, "n")?);
    let ids = checkouts::ids_of(&mut *world.read.acquire().await?, payment, n).await?;
    let mut found = Vec::new();
    for id in ids {
        found.extend(world.checkout(&id).await?.as_ref().map(json));
    }
    listed(found, "checkout")
}

async fn find_refund(State(world): Site, Query(params): Params, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let json = |refund: &Refund| world.issuer().refund(refund, world.now());
    if let Some(capture) = params.get("capture") {
        let found = refunds::out_of(&mut *world.read.acquire().await?, capture).await?;
        let found: Vec<Value> = found.iter().map(json).collect();
        return Ok(json_response(200, json!({"data": found}).to_string()));
    }
    let (payment, refund) = (param(&params, "payment")?, param(&params, "refund")?);
    let found = refunds::of(&mut *world.read.acquire().await?, payment, refund).await?;
    listed(found.iter().map(json).collect(), "refund")
}

async fn find_disputes(State(world): Site, Query(params): Params, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let found = disputes::about(&mut *world.read.acquire().await?, param(&params, "capture")?).await?;
    let found: Vec<Value> =
        found.iter().map(|dispute: &Dispute| world.issuer().dispute(dispute, world.now())).collect();
    Ok(json_response(200, json!({"data": found}).to_string()))
}

async fn list(State(world): Site, Query(params): Params, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    page(&world, &params, Api::Plain).await
}

/// A page of one character's events.
pub(crate) async fn page(world: &World, params: &BTreeMap<String, String>, api: Api) -> Result<Response, Failure> {
    let limit = params.get("limit").map_or(Some(PAGE_MAX), |limit| limit.parse().ok());
    let limit = limit.filter(|limit| (1..=PAGE_MAX).contains(limit));
    let limit = limit.ok_or_else(|| Problem::malformed(format!("limit must be 1 to {PAGE_MAX}")))?;
    let mut db = world.read.acquire().await?;
    let start = match params.get("after") {
        None => 0,
        Some(id) => events::position(&mut db, api, id).await?.ok_or_else(|| Problem::not_found("event"))?,
    };
    let mut bodies = events::after(&mut db, api, start, limit + 1).await?;
    let has_more = i64::try_from(bodies.len()).is_ok_and(|found| found > limit);
    if has_more {
        bodies.pop();
    }
    // The bodies are JSON already: the very bytes that are delivered.
    Ok(json_response(200, format!("{{\"data\":[{}],\"has_more\":{has_more}}}", bodies.join(","))))
}

pub(crate) fn param<'a>(params: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, Problem> {
    params.get(name).map(String::as_str).ok_or_else(|| Problem::malformed(format!("`{name}` is missing")))
}

pub(crate) fn listed(found: Vec<Value>, what: &str) -> Result<Response, Failure> {
    if found.is_empty() {
        return Err(Problem::not_found(what).into());
    }
    Ok(json_response(200, json!({"data": found}).to_string()))
}
