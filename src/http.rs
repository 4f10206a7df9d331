//! The HTTP server: webhooks, pay pages, chats' own routes, health; and the limits that hold for all of them.
//!
//! ```text
//! /hooks/{psp}/{account}   deliveries, raw bytes, 256 KB          /p/… /r/…   pages (links.rs)
//! /healthz /readyz         alive; able to serve                   the rest    what the web chat mounts
//! ```
//! Till speaks plain HTTP; TLS is the proxy's in front of it. Who a client is comes from the socket, or from
//! `X-Forwarded-For` when the socket is a trusted proxy's.

use crate::inbox::{self, Verdict};
use crate::links;
use crate::metrics;
use crate::world::World;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use till_core::id::AccountId;
use till_core::port::chat::Health;
use till_core::port::psp::Delivery;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest delivery that is read, in bytes.
pub const DELIVERY_BYTES_MAX: usize = 256 * 1024;
/// How long a request may take until its answer begins; streams go on after that.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Who the client is, for rate budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

/// Which requests are let in.
#[derive(Clone, Debug, Default)]
pub struct Door {
    /// Sockets whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Only these `Host` names, and no forwarding headers at all (demo mode). Empty: any.
    pub hosts: Vec<String>,
}

/// All routes, behind the door.
pub fn router(world: Arc<World>, more: Router, door: Door) -> Router {
    let hooks = Router::new()
        .route("/hooks/{psp}/{account}", post(delivery))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .layer(DefaultBodyLimit::max(DELIVERY_BYTES_MAX))
        .with_state(world.clone());
    behind(door, hooks.merge(links::router(world)).merge(more))
}

/// Routes behind a door: who may come in, what every answer carries, how long it may take.
pub fn behind(door: Door, routes: Router) -> Router {
    routes
        .layer(middleware::from_fn(headers))
        .layer(middleware::from_fn_with_state(Arc::new(door), enter))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT))
        .layer(CatchPanicLayer::new())
}

/// What the operator may see: readiness in detail, counts, numbers for Prometheus. On the admin listener alone.
pub fn admin_router(world: Arc<World>) -> Router {
    let routes = Router::new().route("/readyz", get(ready)).route("/status", get(status));
    let metrics = get(numbers).with_state((world.clone(), Arc::default()));
    routes.route("/metrics", metrics).with_state(world)
}

async fn delivery(
    State(world): State<Arc<World>>,
    Path((psp, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let at = world.account(&AccountId::new(account)).filter(|at| at.psp.name() == psp);
    let Some(at) = at else {
        world.counts.add("webhook_no_endpoint");
        return StatusCode::NOT_FOUND;
    };
    let headers: Vec<(String, String)> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let now = (world.clock)();
    match inbox::receive(&world, &at, Delivery { headers: &headers, body: &body }, now).await {
        Verdict::Taken => StatusCode::OK,
        Verdict::Refused => StatusCode::UNAUTHORIZED,
        Verdict::Later => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Ready when the store answers and every chat works.
async fn ready(State(world): State<Arc<World>>) -> Response {
    if let Err(error) = world.store.backlog().await {
        tracing::error!(%error, "not ready: {error}");
        return (StatusCode::SERVICE_UNAVAILABLE, "store\n").into_response();
    }
    for (name, chat) in &world.chats {
        if let Health::Ill(why) = chat.probe().await {
            tracing::error!(chat = name, "not ready: {name}: {why}");
            return (StatusCode::SERVICE_UNAVAILABLE, format!("{name}\n")).into_response();
        }
    }
    "ready\n".into_response()
}

async fn status(State(world): State<Arc<World>>) -> Response {
    let (Ok(backlog), Ok(next_due)) = (world.store.backlog().await, world.store.next_due().await) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    Json(serde_json::json!({
        "backlog": { "work": backlog.work, "cards": backlog.cards, "parked": backlog.parked, "dead": backlog.dead },
        "next_due": next_due.map(|at| at.to_string()),
        "since_start": world.counts.all(),
    }))
    .into_response()
}

async fn numbers(State((world, statuses)): State<(Arc<World>, Arc<metrics::Statuses>)>) -> Response {
    match metrics::text(&world, &statuses, (world.clock)()).await {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "no numbers: {error}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Checks the `Host` in demo mode, and finds out who the client is.
async fn enter(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    if !door.hosts.is_empty() {
        let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
        if forwarded.iter().any(|name| request.headers().contains_key(*name)) {
            return (StatusCode::FORBIDDEN, "The demo is for this computer alone. Run `till serve` behind a proxy.\n")
                .into_response();
        }
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !door.hosts.iter().any(|allowed| allowed == host) {
            return (StatusCode::MISDIRECTED_REQUEST, "The demo answers on localhost alone.\n").into_response();
        }
    }
    let socket = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(socket)| socket.ip());
    let Some(socket) = socket else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let client = client(socket, request.headers(), &door.trusted_proxies);
    request.extensions_mut().insert(ClientAddr(client));
    next.run(request).await
}

/// The last address in `X-Forwarded-For` that is not a trusted proxy's, if the socket is one's; else, and where that
/// cannot be read, the socket's.
fn client(socket: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let is_proxy = |address: &IpAddr| trusted.iter().any(|proxy| proxy.to_canonical() == *address);
    let socket = socket.to_canonical();
    if !is_proxy(&socket) {
        return socket;
    }
    // From the right: what stands left of the first stranger was written by that stranger.
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let hops = values.iter().rev().flat_map(|value| value.rsplit(','));
    let mut hops = hops.map(|hop| hop.trim().parse::<IpAddr>().map(|hop| hop.to_canonical()));
    match hops.find(|hop| !hop.as_ref().is_ok_and(is_proxy)) {
        Some(Ok(client)) => client,
        Some(Err(_)) | None => socket,
    }
}

/// Headers that every answer carries, unless it says otherwise itself.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let all = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in all {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_choose_its_own_address() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 203.0.113.9, 10.0.0.2"));
        let (proxy, stranger) = (ip("10.0.0.1"), ip("198.51.100.7"));
        assert_eq!(client(stranger, &headers, &[proxy]), stranger, "only a proxy is believed");
        assert_eq!(client(proxy, &headers, &[proxy, ip("10.0.0.2")]), ip("203.0.113.9"));
        assert_eq!(client(proxy, &HeaderMap::new(), &[proxy]), proxy);
        assert_eq!(client(ip("::ffff:10.0.0.1"), &headers, &[proxy, ip("10.0.0.2")]), ip("203.0.113.9"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6, x, 203.0.113.9"));
        assert_eq!(client(proxy, &headers, &[proxy]), ip("203.0.113.9"), "what stands before is the client's own word");
        headers.insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6, x"));
        assert_eq!(client(proxy, &headers, &[proxy]), proxy);
    }
}
