//! Calls to Slack's Web API: each once, within its budget, and what became of it in the port's words.
//!
//! ```text
//! budget of method and channel ─► 429 remembered? ─► slack-morphism: POST {api}/{method} ─► ok | error | no answer
//! ```
//! The SDK's client carries the call; the bodies are ours, because its typed answers refuse what they do not know, and a
//! card must not be lost over a new field. Source of tiers: Slack docs, "Rate limits".
//!
//! Deliberately absent: retries (they belong to the caller), and any text of an answer in an error or a log.

use dashmap::DashMap;
use hyper_util::client::legacy::{self, connect::HttpConnector};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use slack_morphism::errors::SlackClientError;
use slack_morphism::prelude::SlackClientHyperConnector;
use slack_morphism::{SlackApiToken, SlackClient};
use std::time::Duration;
use till_core::budget::{Budget, Rate};
use till_core::port::chat::SendError;
use till_core::time::Timestamp;

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait where Slack says that it was too much and not for how long.
const PAUSE: Duration = Duration::from_secs(30);
/// One message a second and channel, and a few at once.
const PER_CHANNEL: Rate = Rate { burst: 3, every: Duration::from_secs(1) };
/// Budgets that are kept at most.
const BUDGETS_MAX: usize = 10_000;

type Connector = SlackClientHyperConnector<hyper_rustls::HttpsConnector<HttpConnector>>;

/// The way to Slack.
pub(crate) struct Api {
    client: SlackClient<Connector>,
    budgets: DashMap<String, Budget>,
    /// Until when a method is not called, because Slack said so.
    blocked: DashMap<String, Timestamp>,
}

/// The certificates of this machine cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the system's certificates cannot be read, which https needs (Debian: ca-certificates): {0}")]
pub struct NoCertificates(std::io::Error);

/// A call was refused, or has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// Slack's word for it.
    #[error("Slack says `{0}`")]
    Refused(String),
    /// Not made, or surely not done.
    #[error("not now")]
    Later(Option<Duration>),
    /// Perhaps done.
    #[error("no clear answer: {0}")]
    Unclear(&'static str),
}

impl Api {
    /// Calls go to `base`: `https://slack.com/api`.
    pub(crate) fn new(base: &str) -> Result<Self, NoCertificates> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(TIMEOUT));
        let https = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots().map_err(NoCertificates)?;
        let https = https.https_or_http().enable_http1().enable_http2().wrap_connector(http);
        let connector = SlackClientHyperConnector::with_connector(https).with_slack_api_url(base);
        Ok(Self { client: SlackClient::new(connector), budgets: DashMap::new(), blocked: DashMap::new() })
    }

    /// Calls a method of this workspace, once.
    pub(crate) async fn call<R: DeserializeOwned + Send>(
        &self,
        token: &SecretString,
        method: &str,
        body: &Value,
        now: Timestamp,
    ) -> Result<R, CallError> {
        self.may(token, method, body, now)?;
        let token = SlackApiToken::new(token.expose_secret().into());
        let session = self.client.open_session(&token);
        let api = &session.http_session_api;
        let call = async {
            if reads(method) {
                api.http_get(method, &arguments(body), None).await
            } else {
                api.http_post(method, body, None).await
            }
        };
        let answer = tokio::time::timeout(TIMEOUT, call).await;
        match answer {
            Err(_) => Err(CallError::Unclear("it took too long")),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(&token, method, error, now)),
        }
    }

    fn may(&self, token: &SecretString, method: &str, body: &Value, now: Timestamp) -> Result<(), CallError> {
        if self.budgets.len() > BUDGETS_MAX {
            // Who has not been here for long has a full budget, so their entry can go.
            self.budgets.clear();
        }
        let whose = owner(token.expose_secret(), method);
        if let Some(until) = self.blocked.get(&whose).map(|until| *until)
            && now < until
        {
            return Err(CallError::Later(Some(until.since(now))));
        }
        let take = |key: String, rate: Rate| {
            let taken = self.budgets.entry(key).or_insert_with(|| Budget::full(rate, now)).take(rate, now);
            taken.map_err(|wait| CallError::Later(Some(wait)))
        };
        if let (true, Some(channel)) = (method == "chat.postMessage", body["channel"].as_str()) {
            take(format!("{whose}/{channel}"), PER_CHANNEL)?;
        }
        take(whose, tier(method))
    }

    fn failed(&self, token: &SlackApiToken, method: &str, error: SlackClientError, now: Timestamp) -> CallError {
        match error {
            SlackClientError::ApiError(refused) if is_too_much(&refused.code) => CallError::Later(Some(PAUSE)),
            SlackClientError::ApiError(refused) if is_unclear(&refused.code) => {
                CallError::Unclear("Slack failed in the middle")
            }
            SlackClientError::ApiError(refused) => CallError::Refused(refused.code),
            SlackClientError::RateLimitError(limit) => {
                let wait = limit.retry_after.unwrap_or(PAUSE);
                self.blocked.insert(owner(&token.token_value.0, method), now.after(wait));
                CallError::Later(Some(wait))
            }
            SlackClientError::HttpError(_) => CallError::Unclear("Slack answered with an error of its server"),
            SlackClientError::HttpProtocolError(failed) if never_sent(failed.cause.as_deref()) => {
                CallError::Later(None)
            }
            SlackClientError::HttpProtocolError(_) | SlackClientError::EndOfStream(_) => {
                CallError::Unclear("the connection broke")
            }
            SlackClientError::ProtocolError(_) => CallError::Unclear("the answer could not be read"),
            SlackClientError::SystemError(_) | SlackClientError::SocketModeProtocolError(_) => {
                CallError::Unclear("the client failed")
            }
        }
    }
}

/// Errors that say something about the token, and nothing about what was asked.
pub(crate) fn is_of_token(code: &str) -> bool {
    matches!(
        code,
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" | "org_login_required"
    )
}

/// Methods that read take no JSON: they would ignore it. Source: Slack docs, "Using the Slack Web API", "POST bodies".
fn reads(method: &str) -> bool {
    matches!(method, "users.info" | "usergroups.users.list" | "conversations.history" | "conversations.replies")
}

fn arguments(body: &Value) -> Vec<(&str, Option<String>)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    body.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), Some(text(value)))).collect()
}

/// Budgets are counted by method and workspace; the token stands for the workspace, by a digest.
fn owner(token: &str, method: &str) -> String {
    let digest = till_core::keys::hmac(b"slack budget", token.as_bytes());
    format!("{}/{method}", hex::encode(&digest[..8]))
}

fn never_sent(cause: Option<&(dyn std::error::Error + Send + Sync + 'static)>) -> bool {
    cause.and_then(|cause| cause.downcast_ref::<legacy::Error>()).is_some_and(legacy::Error::is_connect)
}

/// How often a method may be called in one workspace; an unknown one as seldom as Slack's slowest but one.
fn tier(method: &str) -> Rate {
    let a_minute = |times: u32| Rate { burst: times.div_ceil(4), every: Duration::from_secs(60) / times };
    match method {
        "chat.update" | "chat.delete" | "conversations.open" | "conversations.history" => a_minute(50),
        "chat.postEphemeral"
        | "usergroups.users.list"
        | "users.info"
        | "views.open"
        | "views.publish"
        | "views.update" => a_minute(100),
        "chat.postMessage" => a_minute(300),
        "apps.connections.open" => a_minute(50),
        _ => a_minute(20),
    }
}

pub(crate) fn is_too_much(code: &str) -> bool {
    matches!(code, "ratelimited" | "rate_limited" | "message_limit_exceeded" | "team_added_to_org" | "accesslimited")
}

/// Errors after which "it's possible some aspect of the operation succeeded", as Slack says of `fatal_error`.
pub(crate) fn is_unclear(code: &str) -> bool {
    matches!(code, "fatal_error" | "internal_error" | "request_timeout" | "service_unavailable")
}

impl From<CallError> for SendError {
    /// Which rung of the ladder a refusal asks for.
    ///
    /// Source: Slack's pages of `chat.postMessage`, `chat.update` and `chat.postEphemeral`, "Errors".
    fn from(error: CallError) -> Self {
        let code = match error {
            CallError::Later(wait) => return Self::Later { wait },
            CallError::Unclear(why) => return Self::Ambiguous(why.to_owned()),
            CallError::Refused(code) => code,
        };
        match code.as_str() {
            "edit_window_closed" | "cant_update_message" => Self::EditClosed,
            "message_not_found" | "channel_not_found" | "thread_not_found" | "cannot_reply_to_message" => Self::Gone,
            dead if is_of_token(dead) => Self::AuthDead,
            "msg_too_long" | "msg_blocks_too_long" => Self::TooBig,
            "is_inactive"
            | "is_archived"
            | "not_in_channel"
            | "user_not_in_channel"
            | "missing_scope"
            | "no_permission"
            | "ekm_access_denied"
            | "team_access_not_granted"
            | "cannot_dm_bot"
            | "user_disabled"
            | "user_not_found"
            | "users_not_found"
            | "user_not_visible"
            | "messages_tab_disabled"
            | "not_allowed_token_type"
            | "cant_delete_message" => Self::Forbidden,
            restricted if restricted.starts_with("restricted_action") => Self::Forbidden,
            _ => Self::Bug(format!("Slack says `{code}`")),
        }
    }
}
