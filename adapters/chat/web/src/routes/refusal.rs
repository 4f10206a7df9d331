//! A request that was not done: why, in a word for the person and a number for the browser.

use crate::{Web, pages};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::Duration;
use till_core::port::store::StoreError;

/// Why a request was not done. Nothing happened then, except with `Store`, where the same may be sent again.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Sent from a page that is not ours.
    Origin,
    /// Not JSON, or not what is asked for here.
    Unreadable,
    /// More bytes or characters than allowed.
    TooLong,
    /// Too often; again after this long.
    TooOften(Duration),
    /// More pages open than allowed.
    TooManyPages,
    /// The customer's session has ended.
    SignedOut,
    /// Nobody is signed in at the desk, which does not exist then: nothing is said.
    Hidden,
    /// There is no such conversation.
    NotFound,
    /// Starting or stopping.
    NotNow,
    /// The store did not answer.
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refusal {
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Origin => (StatusCode::FORBIDDEN, "origin"),
            Self::Unreadable => (StatusCode::BAD_REQUEST, "unreadable"),
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "too-long"),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "too-often"),
            Self::TooManyPages => (StatusCode::TOO_MANY_REQUESTS, "too-many-pages"),
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "signed-out"),
            Self::Hidden => (StatusCode::NOT_FOUND, ""),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::NotNow => (StatusCode::SERVICE_UNAVAILABLE, "not-now"),
            Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store"),
        }
    }

    /// Whole seconds, rounded up, as `Retry-After` wants them (RFC 9110, 10.2.3).
    fn wait_secs(&self) -> Option<u64> {
        match self {
            Self::TooOften(wait) => Some(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)),
            Self::TooManyPages => Some(30),
            Self::NotNow | Self::Store(_) => Some(2),
            Self::Origin | Self::Unreadable | Self::TooLong | Self::SignedOut | Self::Hidden | Self::NotFound => None,
        }
    }

    /// For a script: `{"error":"too-often","text":"…","retry_after_secs":2}`.
    pub(crate) fn answer(&self, web: &Web) -> Response {
        let (status, name) = self.parts();
        let body = json!({ "error": name, "text": self.sentence(web), "retry_after_secs": self.wait_secs() });
        self.stop((status, Json(body)).into_response())
    }

    /// For somebody who opened a page: the sentence alone.
    pub(crate) fn page(&self, web: &Web) -> Response {
        let (status, _) = self.parts();
        self.stop((status, pages::refused(web, &self.sentence(web))).into_response())
    }

    fn sentence(&self, web: &Web) -> String {
        let (_, name) = self.parts();
        let secs = self.wait_secs().unwrap_or(0).to_string();
        web.locale.say(&format!("web-refused-{name}"), &[("secs", &secs)])
    }

    /// Logged here, since it stops here.
    fn stop(&self, mut response: Response) -> Response {
        match self {
            Self::Hidden => return not_found(),
            Self::Store(error) => {
                tracing::warn!(%error, "web chat: a request was refused, since the store did not answer")
            }
            Self::Origin
            | Self::Unreadable
            | Self::TooLong
            | Self::TooOften(_)
            | Self::TooManyPages
            | Self::SignedOut
            | Self::NotFound
            | Self::NotNow => {}
        }
        if let Some(wait) = self.wait_secs() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

/// What a page that does not exist answers.
pub(crate) fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}
