//! Why a call is refused, in the words that the caller's machine and a person read.

use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal: `{"error":{"type":"…","message":"…"}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    kind: &'static str,
    message: String,
}

/// What stops a call.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller's doing.
    Refused(Problem),
    /// Ours.
    Database(sqlx::Error),
}

impl Problem {
    const fn new(status: u16, kind: &'static str, message: String) -> Self {
        Self { status, kind, message }
    }

    /// Not a call of this API.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", message.into())
    }

    pub(crate) fn unauthorised() -> Self {
        Self::new(401, "authentication", "the Bearer is missing or wrong".into())
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("there is no such {what}"))
    }

    /// Another call was made under the same key.
    pub(crate) fn key_taken() -> Self {
        Self::new(409, "idempotency_error", "this key was used with other parameters".into())
    }

    pub(crate) fn already_complete() -> Self {
        Self::new(409, "already_complete", "this checkout is paid and cannot be closed".into())
    }

    /// The bank or the dashboard cannot do this as things stand.
    pub(crate) fn not_now(message: impl Into<String>) -> Self {
        Self::new(409, "not_now", message.into())
    }

    pub(crate) fn too_many() -> Self {
        Self::new(429, "too_many_calls", "too many calls; wait as long as Retry-After says".into())
    }

    /// Ours, and perhaps with an effect.
    pub(crate) fn broken() -> Self {
        Self::new(500, "internal", "try again under the same key".into())
    }

    pub(crate) fn too_large() -> Self {
        Self::new(413, "too_large", "the body is larger than 64 KB".into())
    }

    pub(crate) fn content_type() -> Self {
        Self::new(415, "content_type", "send application/json".into())
    }

    /// Understood, and not done.
    pub(crate) fn refused(kind: &'static str, message: impl Into<String>) -> Self {
        Self::new(422, kind, message.into())
    }

    /// Whether the answer belongs to the key for a day. A call that was not understood has used none.
    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self.status, 404 | 409 | 422)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn body(&self) -> String {
        json!({"error": {"type": self.kind, "message": self.message}}).to_string()
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(problem) => json_response(problem.status, problem.body()),
            Self::Database(error) => {
                tracing::error!(%error, "sandbox database");
                let problem = Problem::broken();
                json_response(problem.status, problem.body())
            }
        }
    }
}

/// An answer of this API, already written.
pub(crate) fn json_response(status: u16, body: String) -> Response {
    let status = axum::http::StatusCode::from_u16(status).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
    (status, headers, body).into_response()
}
