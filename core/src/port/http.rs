//! How an adapter speaks HTTP without opening a socket: one client, one timeout and one redaction policy for all.

use crate::time::Timestamp;
use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The verbs that providers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Make or change.
    Post,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

/// A request, complete. Its `Debug` shows neither the bearer nor the body.
#[derive(Clone)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// Absolute URL with its query.
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    pub bearer: Option<SecretString>,
    /// Other headers; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for none.
    pub body: Bytes,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: Method, url: String) -> Self {
        Self { method, url, bearer: None, headers: Vec::new(), body: Bytes::new() }
    }

    /// With a bearer token.
    pub fn bearer(mut self, secret: &SecretString) -> Self {
        self.bearer = Some(secret.clone());
        self
    }

    /// With one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body of this content type.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut with = self.header("content-type", content_type);
        with.body = body.into();
        with
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.url.split('?').next().unwrap_or_default();
        write!(f, "{:?} {path} ({} bytes)", self.method, self.body.len())
    }
}

/// An answer, whole. At most [`BODY_MAX`] bytes.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The first header called `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// When it was given, by the clock of whoever gave it; in whole seconds.
    ///
    /// Source: RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub fn date(&self) -> Option<Timestamp> {
        let moment = OffsetDateTime::parse(&self.header("date")?.replace("GMT", "+0000"), &Rfc2822).ok()?;
        Some(Timestamp::from_secs(moment.unix_timestamp()))
    }

    /// `Retry-After` in seconds, where the answer has one; at most an hour is believed.
    pub fn retry_after(&self) -> Option<Duration> {
        let secs: u64 = self.header("retry-after")?.trim().parse().ok()?;
        Some(Duration::from_secs(secs.min(3600)))
    }
}

/// A larger answer is cut off and counts as [`HttpError::TooBig`].
pub const BODY_MAX: usize = 4 << 20;

/// The request brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// It never left: no connection. Safe to try again.
    #[error("no connection: {0}")]
    Unsent(String),
    /// It may have arrived: the connection broke or the time ran out.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// The answer is larger than [`BODY_MAX`].
    #[error("answer larger than {BODY_MAX} bytes")]
    TooBig,
}

/// One HTTP client. Tries once; whoever calls decides about another try.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends and reads the whole answer, within the client's timeout.
    ///
    /// # Errors
    /// [`HttpError`] says whether the request may have had an effect.
    async fn send(&self, request: Request) -> Result<Response, HttpError>;
}
