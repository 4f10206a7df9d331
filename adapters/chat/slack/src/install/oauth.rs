//! `oauth.v2.access`: a code for a token, and a refresh token for the next one.
//!
//! Deliberately absent: the SDK's call, which puts the code into a URL that it logs, and knows no refresh tokens.

use super::App;
use crate::api::{is_too_much, is_unclear};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use till_core::port::http::{HttpError, Method, Request};

/// No token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoToken {
    /// Slack's word for it.
    #[error("Slack says `{0}`")]
    Refused(String),
    /// Slack was not asked, or answered nothing that can be read.
    #[error("Slack did not answer")]
    NoAnswer,
}

/// What Slack gives.
#[derive(Deserialize)]
pub(crate) struct Granted {
    pub(crate) access_token: String,
    #[serde(default)]
    pub(crate) refresh_token: Option<String>,
    /// Seconds.
    #[serde(default)]
    pub(crate) expires_in: Option<u64>,
    #[serde(default)]
    pub(crate) team: Option<Named>,
    #[serde(default)]
    pub(crate) enterprise: Option<Named>,
    #[serde(default)]
    pub(crate) is_enterprise_install: bool,
    #[serde(default)]
    pub(crate) authed_user: AuthedUser,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

#[derive(Default, Deserialize)]
pub(crate) struct AuthedUser {
    #[serde(default)]
    pub(crate) id: String,
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    error: Option<String>,
}

impl App {
    /// Where Slack leads back to.
    pub(super) fn redirect_uri(&self) -> String {
        super::redirect_uri(&self.public_url)
    }

    /// Slack's page where somebody allows it. It stands beside the Web API.
    pub(super) fn authorize_url(&self, api_url: &str, scopes: &[&str], state: &str) -> String {
        let base = api_url.strip_suffix("/api").unwrap_or(api_url);
        let query = [
            ("client_id", self.client_id.as_str()),
            ("scope", &scopes.join(",")),
            ("redirect_uri", &self.redirect_uri()),
            ("state", state),
        ];
        format!("{base}/oauth/v2/authorize?{}", serde_urlencoded::to_string(query).unwrap_or_default())
    }

    pub(super) async fn exchange(&self, api_url: &str, code: &str) -> Result<Granted, NoToken> {
        let redirect_uri = self.redirect_uri();
        self.access(api_url, &[("code", code), ("redirect_uri", &redirect_uri)]).await
    }

    pub(super) async fn refresh(&self, api_url: &str, refresh_token: &str) -> Result<Granted, NoToken> {
        self.access(api_url, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    async fn access(&self, api_url: &str, fields: &[(&str, &str)]) -> Result<Granted, NoToken> {
        let ours = [("client_id", self.client_id.as_str()), ("client_secret", self.client_secret.expose_secret())];
        let form = serde_urlencoded::to_string([&ours[..], fields].concat()).unwrap_or_default();
        let request = Request::new(Method::Post, format!("{api_url}/oauth.v2.access"));
        let request = request.body("application/x-www-form-urlencoded", form);
        let answer = self.http.send(request).await.map_err(|error: HttpError| {
            tracing::warn!(%error, "Slack gave no token: {error}");
            NoToken::NoAnswer
        })?;
        if answer.status == 429 || answer.status >= 500 {
            return Err(NoToken::NoAnswer);
        }
        let verdict: Verdict = serde_json::from_slice(&answer.body).map_err(|_| NoToken::NoAnswer)?;
        match verdict {
            Verdict { error: Some(code), .. } if is_too_much(&code) || is_unclear(&code) => Err(NoToken::NoAnswer),
            Verdict { ok: true, .. } => serde_json::from_slice(&answer.body).map_err(|_| NoToken::NoAnswer),
            Verdict { ok: false, error } => Err(NoToken::Refused(error.unwrap_or_default())),
        }
    }
}
