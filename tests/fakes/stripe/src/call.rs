//! One call of the API and what comes back, without a socket.

use serde_json::Value;

/// One HTTP request.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Path and query: `/v1/events?limit=3`.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
}

impl Call {
    /// A call without headers or body.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// With the key that it is made under.
    #[must_use]
    pub fn bearer(self, secret: &str) -> Self {
        self.header("authorization", &format!("Bearer {secret}"))
    }

    /// With a form as its body; the content type too.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        let mut with = self.header("content-type", "application/x-www-form-urlencoded");
        with.body = form.finish().into_bytes();
        with
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The path without its query.
    pub(crate) fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The query, and behind it the form of a POST.
    pub(crate) fn form_given(&self) -> Vec<u8> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query).as_bytes();
        if self.posts() { [query, b"&", &self.body].concat() } else { query.to_vec() }
    }

    pub(crate) fn posts(&self) -> bool {
        self.method == "POST"
    }

    /// The idempotency key, which counts on POST alone.
    pub(crate) fn key(&self) -> Option<&str> {
        self.get("idempotency-key").filter(|_| self.posts())
    }
}

/// One HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// What stands where the connection was lost.
    pub(crate) fn lost() -> Self {
        Self { status: 502, headers: vec![("content-type".into(), "text/plain".into())], body: b"bad gateway".to_vec() }
    }

    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What comes back from a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Answer(Answer),
    /// No connection: the call had no effect.
    Unsent,
    /// The connection broke after the call had its effect.
    Unanswered,
}

/// A call that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The query, or the form of a POST, decoded: brackets are objects and arrays, every leaf is a string.
    pub params: Value,
    /// All but the key.
    pub headers: Vec<(String, String)>,
    /// The status of the answer.
    pub status: u16,
}
