//! The pages on which a workspace is added.
//!
//! ```text
//! GET /slack/install/<ticket>     shows, changes nothing (chats fetch links)
//! GET /slack/install/<ticket>/go  a state, bound to this browser by a cookie ─► 303 to Slack
//! GET /slack/oauth                state and cookie fit, ticket still good ─► code for a token ─► sealed
//! ```
//! State and ticket work once. What the browser is told about a failure is a sentence; Slack's word for it is logged.
//! The way to Slack is a link and no form: a policy on forms would have to name every host that Slack leads on to.

use super::App;
use super::rows::{Installation, Installs};
use crate::manifest::{Extras, scopes};
use crate::{Access, Slack};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use till_core::keys::hmac;
use till_core::port::store::StoreError;

/// How long a person may take on Slack's page.
const STATE: Duration = Duration::from_secs(10 * 60);
/// The cookie that says which browser began.
const COOKIE: &str = "till-slack";

const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What a ticket allows.
#[derive(Serialize, Deserialize)]
struct Ticket {
    history: bool,
}

/// What was begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    ticket: String,
    /// Of the cookie.
    digest: String,
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

pub(crate) fn router(slack: &Arc<Slack>) -> Router {
    let Access::Installed(_) = &slack.access else { return Router::new() };
    Router::new()
        .route("/slack/install/{ticket}", get(show))
        .route("/slack/install/{ticket}/go", get(begin))
        .route("/slack/oauth", get(back))
        .with_state(slack.clone())
}

impl App {
    fn token(&self) -> String {
        let mut bytes = [0; 16];
        (self.random)(&mut bytes);
        hex::encode(bytes)
    }

    fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// A name that only this origin can set, where there is TLS.
    fn cookie_name(&self) -> String {
        if self.is_https() { format!("__Host-{COOKIE}") } else { COOKIE.to_owned() }
    }

    fn cookie(&self, value: &str, lives: Duration) -> String {
        let secure = if self.is_https() { "; Secure" } else { "" };
        let (name, secs) = (self.cookie_name(), lives.as_secs());
        // Lax: Slack leads back here from its own site.
        format!("{name}={value}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Lax{secure}")
    }

    fn cookie_in(&self, headers: &HeaderMap) -> String {
        let name = self.cookie_name();
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = all.flat_map(|all| all.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(given, _)| *given == name).map(|(_, value)| value.to_owned()).next().unwrap_or_default()
    }
}

impl Slack {
    /// A one-time link with which one workspace can be added within `ttl`; `history`: which then may also be read.
    /// `None`: Till talks in one workspace, by its token.
    ///
    /// # Errors
    /// [`StoreError`]: there is no link then.
    pub async fn install_link(&self, history: bool, ttl: Duration) -> Result<Option<String>, StoreError> {
        let Access::Installed(installs) = &self.access else { return Ok(None) };
        let app = &installs.app;
        let ticket = app.token();
        let bytes = serde_json::to_vec(&Ticket { history }).unwrap_or_default();
        app.vault.keep(&ticket_key(&ticket), &bytes, Some(self.now().after(ttl))).await?;
        Ok(Some(format!("{}/slack/install/{ticket}", app.public_url)))
    }

    fn installs(&self) -> Result<&Installs, Oops> {
        match &self.access {
            Access::Installed(installs) => Ok(installs),
            Access::Own { .. } => Err(Oops::NotFound),
        }
    }

    async fn ticket(&self, ticket: &str) -> Result<Ticket, Oops> {
        let kept = self.installs()?.app.vault.kept(&ticket_key(ticket), self.now()).await.map_err(busy)?;
        kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(Oops::NotFound)
    }

    async fn begin_install(&self, ticket: String) -> Result<Response, Oops> {
        let (Ticket { history }, installs) = (self.ticket(&ticket).await?, self.installs()?);
        let app = &installs.app;
        let (state, nonce) = (app.token(), app.token());
        let begun = Begun { ticket, digest: digest(&nonce) };
        let bytes = serde_json::to_vec(&begun).unwrap_or_default();
        let kept = app.vault.keep(&state_key(&state), &bytes, Some(self.now().after(STATE))).await;
        kept.map_err(|error| busy(error.into()))?;
        let keywords = self.settings.keywords == crate::Keywords::Read;
        let to = app.authorize_url(installs.api_url(), &scopes(Extras { keywords, history, guard: false }), &state);
        let headers = [(header::LOCATION, to), (header::SET_COOKIE, app.cookie(&nonce, STATE))];
        Ok((StatusCode::SEE_OTHER, headers).into_response())
    }

    async fn end_install(&self, back: Back, headers: &HeaderMap) -> Result<Response, Oops> {
        let (installs, now) = (self.installs()?, self.now());
        let app = &installs.app;
        // Looked at before it is taken: a stranger who guesses writes nothing.
        let begun = app.vault.kept(&state_key(&back.state), now).await.map_err(busy)?;
        let begun: Begun = begun.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(Oops::Stale)?;
        let shown = digest(&app.cookie_in(headers));
        if !bool::from(shown.as_bytes().ct_eq(begun.digest.as_bytes()))
            || app.vault.take(&state_key(&back.state), now).await.map_err(busy)?.is_none()
        {
            return Err(Oops::Stale);
        }
        let Some(code) = back.code.filter(|_| back.error.is_none()) else {
            return Err(Oops::Declined { ticket: begun.ticket });
        };
        if app.vault.take(&ticket_key(&begun.ticket), now).await.map_err(busy)?.is_none() {
            return Err(Oops::Stale);
        }
        let refused = |why: String| {
            tracing::error!("a Slack workspace was not added: {why}");
            Oops::Refused
        };
        let granted = app.exchange(installs.api_url(), &code).await.map_err(|why| refused(why.to_string()))?;
        let installation = Installation::of(granted, now).ok_or_else(|| refused("Slack did not say where".into()))?;
        installs.install(&installation).await.map_err(|_| Oops::Busy)?;
        tracing::info!("Till was added to {} ({})", installation.name, installation.id);
        Ok(self.added(app, &installation))
    }

    fn added(&self, app: &App, it: &Installation) -> Response {
        let title = self.tongues.own().say("slack-added-title", &[("workspace", &it.name)]);
        let command = format!("till staff add slack:{}/{} \"…\"", it.id, it.by);
        let body = html! {
            h1 { (title) }
            p { (self.word("slack-added-next")) }
            @if it.id.starts_with('T') && !it.by.is_empty() {
                p { (self.word("slack-added-staff")) }
                pre { code { (command) } }
            }
        };
        let mut page = self.page(&title, StatusCode::OK, body);
        if let Ok(over) = HeaderValue::from_str(&app.cookie("", Duration::ZERO)) {
            page.headers_mut().insert(header::SET_COOKIE, over);
        }
        page
    }

    fn oops(&self, oops: Oops) -> Response {
        let (status, key) = match &oops {
            Oops::NotFound => (StatusCode::NOT_FOUND, "slack-install-gone"),
            Oops::Stale => (StatusCode::BAD_REQUEST, "slack-install-stale"),
            Oops::Declined { .. } => (StatusCode::OK, "slack-install-declined"),
            Oops::Refused => (StatusCode::BAD_GATEWAY, "slack-install-refused"),
            Oops::Busy => (StatusCode::SERVICE_UNAVAILABLE, "desk-busy"),
        };
        let title = self.word("slack-install-not");
        let again =
            |ticket: &str| html! { p { a href={ "/slack/install/" (ticket) } { (self.word("slack-install-again")) } } };
        let body = html! {
            h1 { (title) }
            p { (self.word(key)) }
            @if let Oops::Declined { ticket } = &oops { (again(ticket)) }
        };
        self.page(&title, status, body)
    }

    fn page(&self, title: &str, status: StatusCode, body: Markup) -> Response {
        let page = html! {
            (DOCTYPE)
            html lang=(self.tongues.own().tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (title) }
                    link rel="stylesheet" href="/assets/till.css";
                }
                body { main { (body) } }
            }
        };
        (status, [(header::CONTENT_SECURITY_POLICY, POLICY)], Html(page.into_string())).into_response()
    }
}

/// Why a workspace was not added.
enum Oops {
    /// No such ticket, or no more.
    NotFound,
    /// Another browser, a state that was used, a ticket that was used.
    Stale,
    /// The person said no; the ticket is still good.
    Declined { ticket: String },
    /// Slack gave no token.
    Refused,
    /// The store does not answer.
    Busy,
}

fn busy(error: till_core::vault::VaultError) -> Oops {
    tracing::error!(%error, "a Slack workspace was not added: {error}");
    Oops::Busy
}

async fn show(State(slack): State<Arc<Slack>>, Path(ticket): Path<String>) -> Response {
    let shown = match (slack.ticket(&ticket).await, slack.installs()) {
        (Ok(_), Ok(installs)) => Ok(&installs.app),
        (Err(oops), _) | (_, Err(oops)) => Err(oops),
    };
    let app = match shown {
        Ok(app) => app,
        Err(oops) => return slack.oops(oops),
    };
    let title = slack.tongues.own().say("slack-install-title", &[("merchant", &app.merchant_name)]);
    let body = html! {
        h1 { (title) }
        p { (slack.word("slack-install-about")) }
        p { a.button href={ "/slack/install/" (ticket) "/go" } { (slack.word("slack-install-go")) } }
    };
    slack.page(&title, StatusCode::OK, body)
}

async fn begin(State(slack): State<Arc<Slack>>, Path(ticket): Path<String>) -> Response {
    match slack.begin_install(ticket).await {
        Ok(to_slack) => to_slack,
        Err(oops) => slack.oops(oops),
    }
}

async fn back(State(slack): State<Arc<Slack>>, headers: HeaderMap, Query(back): Query<Back>) -> Response {
    // By a task of its own: a browser that goes away leaves no workspace half added.
    let at = slack.clone();
    let ended = tokio::spawn(async move { at.end_install(back, &headers).await });
    match ended.await.unwrap_or(Err(Oops::Busy)) {
        Ok(done) => done,
        Err(oops) => slack.oops(oops),
    }
}

/// What is kept names nothing that could be used.
fn digest(token: &str) -> String {
    hex::encode(hmac(b"slack install", token.as_bytes()))
}

fn ticket_key(ticket: &str) -> String {
    format!("ticket/{}", digest(ticket))
}

fn state_key(state: &str) -> String {
    format!("state/{}", digest(state))
}
