//! The servers: one for HTTP, one for WebSockets, both on 127.0.0.1.

use crate::api::{Reply, method_named};
use crate::call::Params;
use crate::trouble::Fault;
use crate::world::World;
use crate::{Clock, Inner, Settings, Slack, oauth, socket};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const BODY_BYTES_MAX: usize = 1 << 20;

/// Starts one; the same settings, clock and calls give the same ids.
///
/// # Panics
/// When there is no port to listen on.
pub async fn serve(settings: Settings, clock: Clock) -> Slack {
    let web = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let sockets = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", web.local_addr().expect("an address"));
    let socket_url = format!("ws://{}", sockets.local_addr().expect("an address"));
    // Slack follows two redirects; a proxy has no place between a fake and localhost.
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(2)).no_proxy().build();
    let world = World::new(settings, clock(), url, socket_url);
    let (under_way, _) = tokio::sync::watch::channel(0);
    let inner = Inner { world: Mutex::new(world), clock, http: http.expect("an HTTP client"), under_way };
    let inner = Arc::new(inner);
    let stop = CancellationToken::new();
    tokio::spawn(stop.clone().run_until_cancelled_owned(serve_web(Arc::clone(&inner), web, stop.clone())));
    tokio::spawn(stop.clone().run_until_cancelled_owned(serve_sockets(Arc::clone(&inner), sockets, stop.clone())));
    Slack { inner, _guard: Arc::new(stop.clone().drop_guard()), stop }
}

async fn serve_web(inner: Arc<Inner>, listener: TcpListener, stop: CancellationToken) {
    let router = Router::new()
        .route("/api/{method}", any(call))
        .route("/oauth/v2/authorize", get(oauth::authorize))
        .route("/commands/{*rest}", post(respond))
        .route("/actions/{*rest}", post(respond))
        .with_state(inner);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Whoever cancels it cuts the connection without an answer.
        let cut = stop.child_token();
        let service = TowerToHyperService::new(router.clone().layer(Extension(cut.clone())));
        tokio::spawn(cut.run_until_cancelled_owned(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            // How a connection ends is its peer's business.
            builder.serve_connection(TokioIo::new(stream), service).await.ok();
        }));
    }
}

async fn serve_sockets(inner: Arc<Inner>, listener: TcpListener, stop: CancellationToken) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // An envelope that follows a pong would wait 40 ms for its confirmation. (Seen 2026-11-24, by `cargo xtask bench`.)
        stream.set_nodelay(true).ok();
        let one = socket::serve_one(Arc::clone(&inner), stream);
        tokio::spawn(stop.clone().run_until_cancelled_owned(one));
    }
}

/// What a request says; the body too large is none.
async fn read(request: Request, takes_json: bool) -> Result<Params, crate::refusal::Refusal> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let query = parts.uri.query().unwrap_or_default();
    Params::read(query, text(header::CONTENT_TYPE), text(header::AUTHORIZATION), &body, takes_json)
}

async fn call(
    State(inner): State<Arc<Inner>>,
    Path(name): Path<String>,
    Extension(cut): Extension<CancellationToken>,
    request: Request,
) -> Response {
    let params = read(request, method_named(&name).is_none_or(|method| method.takes_json)).await;
    let (fault, reply) = inner.step(|world| {
        let fault = world.trouble.strikes(&name, world.now);
        let reply = match &fault {
            Some(fault) if !fault.is_done() => None,
            _ => Some(world.answer(&name, params.as_ref().map_err(Clone::clone))),
        };
        let shown = instead(fault.as_ref(), reply);
        world.record(&name, params.as_ref().ok(), shown.as_ref());
        (fault, shown)
    });
    if let Some(Fault::Slow(wait)) = fault {
        tokio::time::sleep(wait).await;
    }
    match (reply, fault) {
        (Some(reply), _) => answered(reply),
        (None, Some(Fault::HangBefore | Fault::HangAfter)) => std::future::pending().await,
        (None, _) => {
            cut.cancel();
            std::future::pending().await
        }
    }
}

/// What is answered under this trouble; none for no answer at all.
fn instead(fault: Option<&Fault>, reply: Option<Reply>) -> Option<Reply> {
    match fault {
        None | Some(Fault::Slow(_)) => reply,
        Some(Fault::RateLimit { retry_after_secs }) => Some(Reply::limited(*retry_after_secs)),
        Some(Fault::Status(status) | Fault::StatusAfter(status)) => {
            Some(Reply::of(*status, json!({"ok": false, "error": "internal_error"})))
        }
        Some(Fault::Refused(error)) => Some(Reply::of(200, json!({"ok": false, "error": error}))),
        Some(Fault::HangBefore | Fault::HangAfter | Fault::CutBefore | Fault::CutAfter) => None,
    }
}

fn answered(reply: Reply) -> Response {
    let mut response = (
        StatusCode::from_u16(reply.status).expect("a status"),
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        reply.body.to_string(),
    )
        .into_response();
    let headers = response.headers_mut();
    if let Some(secs) = reply.retry_after_secs {
        headers.insert(header::RETRY_AFTER, secs.into());
    }
    if let Some(scopes) = reply.scopes {
        headers.insert("x-oauth-scopes", scopes.parse().expect("scopes are plain"));
    }
    response
}

async fn respond(
    State(inner): State<Arc<Inner>>,
    Extension(cut): Extension<CancellationToken>,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let params = read(request, true).await;
    const NAME: &str = "response_url";
    let (fault, reply) = inner.step(|world| {
        let fault = world.trouble.strikes(NAME, world.now);
        let reply = match &fault {
            Some(fault) if !fault.is_done() => None,
            _ => {
                let (status, word) = world.respond(&path, params.as_ref().map_err(Clone::clone));
                let body = json!({"ok": status == 200, "error": (status != 200).then_some(word)});
                Some(Reply::of(status, body))
            }
        };
        let shown = instead(fault.as_ref(), reply);
        world.record(NAME, params.as_ref().ok(), shown.as_ref());
        (fault, shown)
    });
    match (reply, fault) {
        (Some(reply), _) if reply.status == 200 => "ok".into_response(),
        (Some(reply), _) => answered(reply),
        (None, Some(Fault::HangBefore | Fault::HangAfter)) => std::future::pending().await,
        (None, _) => {
            cut.cancel();
            std::future::pending().await
        }
    }
}
