//! One call to Stripe: the request, and what its failure means for whoever would try again.
//!
//! ```text
//! no connection · 429 · 409                       Later         surely no effect
//! no answer · 5xx                                 Ambiguous     perhaps an effect: again under the same key
//! 5xx replayed, or "should not be retried"        KeyTaken      the key will say the same again: look up
//! 400 idempotency_error                           KeyTaken
//! 400 about `expires_at`                          Outdated      the order has waited too long
//! 400 · 402, anything else                        Refused       never
//! 401 · 403                                       Credentials
//! 404 · 400 resource_missing                      NotFound      a bare 404 is a wrong address, not an answer
//! anything else                                   Unreadable
//! ```
//! Source: Stripe docs, "Errors", "Idempotent requests", "Rate limits"; `Stripe-Should-Retry` as in stripe-node.

use crate::VERSION;
use crate::form::{CONTENT_TYPE, Form};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use till_core::port::http::{Http, HttpError, Method, Request, Response};
use till_core::port::psp::{Access, Account, Fault};
use till_core::time::Timestamp;

/// Codes of Stripe's that become sentences of ours.
const SAID_BY_US: [&str; 4] = ["amount_too_small", "amount_too_large", "charge_already_refunded", "charge_disputed"];

/// An answer, and when Stripe gave it.
pub(crate) struct Told<T> {
    pub(crate) object: T,
    /// From the `Date` header; none where a proxy has lost it, and none of a repeated answer: that one is as old as the
    /// first, whatever its header says.
    pub(crate) at: Option<Timestamp>,
}

/// The body of every refusal.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    error: Detail,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

/// Sends a form, under a key where one is given.
pub(crate) async fn post<T: DeserializeOwned>(
    http: &dyn Http,
    at: &Account,
    path: &str,
    key: Option<&str>,
    form: Form,
) -> Result<Told<T>, Fault> {
    let mut request = request(at, Method::Post, path).body(CONTENT_TYPE, form.finish());
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    answer(http.send(request).await)
}

/// Asks for `path`.
pub(crate) async fn get<T: DeserializeOwned>(http: &dyn Http, at: &Account, path: &str) -> Result<Told<T>, Fault> {
    answer(http.send(request(at, Method::Get, path)).await)
}

fn request(at: &Account, method: Method, path: &str) -> Request {
    let request = Request::new(method, at.base_url.clone() + path).bearer(&at.secret);
    let request = request.header("stripe-version", VERSION);
    match at.access {
        Access::Own => request,
        Access::Connected => request.header("stripe-account", at.provider_account.clone()),
    }
}

/// An id as part of a path. One that could not be an id of Stripe's is not asked for: it is not there.
pub(crate) fn segment(id: impl Display) -> Result<String, Fault> {
    let id = id.to_string();
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { Ok(id) } else { Err(Fault::NotFound) }
}

fn answer<T: DeserializeOwned>(sent: Result<Response, HttpError>) -> Result<Told<T>, Fault> {
    let response = sent.map_err(|error| {
        let why = short(&error.to_string());
        match error {
            HttpError::Unsent(_) => Fault::Later { wait: None, why },
            HttpError::Unanswered(_) => Fault::Ambiguous(why),
            HttpError::TooBig => Fault::Unreadable(why),
        }
    })?;
    if response.status == 200 {
        let object = serde_json::from_slice(&response.body).map_err(unreadable)?;
        return Ok(Told { object, at: date(&response) });
    }
    Err(fault(&response))
}

/// Why something is not what it should be. It may repeat what is there.
pub(crate) fn unreadable(why: impl Display) -> Fault {
    Fault::Unreadable(short(&why.to_string()))
}

fn date(response: &Response) -> Option<Timestamp> {
    if is_replayed(response) {
        return None;
    }
    response.date()
}

/// Whether this is what the key brought before, and not how things are now.
fn is_replayed(response: &Response) -> bool {
    response.header("idempotent-replayed") == Some("true")
}

fn fault(response: &Response) -> Fault {
    let Problem { error } = serde_json::from_slice(&response.body).unwrap_or_default();
    let (kind, code) = (error.kind.as_str(), error.code.as_deref().unwrap_or_default());
    let status = format!("status {} `{}`", response.status, short(if code.is_empty() { kind } else { code }));
    let said = || error.message.as_deref().map_or(status.clone(), short);
    let should_retry = response.header("stripe-should-retry");
    match (response.status, kind, code) {
        (500.., _, _) if is_replayed(response) || should_retry == Some("false") => Fault::KeyTaken,
        (500.., _, _) => Fault::Ambiguous(status),
        (429 | 409, _, _) => Fault::Later { wait: response.retry_after(), why: status },
        (400..500, _, _) if should_retry == Some("true") => Fault::Later { wait: response.retry_after(), why: status },
        (401 | 403, _, _) => Fault::Credentials(said()),
        // 400 where a parameter names it: a page that begins after an object that is gone.
        (400 | 404, _, "resource_missing") => Fault::NotFound,
        (400, "idempotency_error", _) => Fault::KeyTaken,
        (400, _, _) if error.param.as_deref() == Some("expires_at") => Fault::Outdated(said()),
        (400 | 402, "", _) => Fault::Unreadable(status),
        (400 | 402, _, code) if SAID_BY_US.contains(&code) => Fault::Refused(code.to_owned()),
        (400 | 402, _, _) => Fault::Refused(said()),
        (_, _, _) => Fault::Unreadable(status),
    }
}

/// A text of Stripe's, fit for a log line or a message to staff: one line, not long, and without a key in it.
fn short(text: &str) -> String {
    let prefixes = ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"];
    let secret = |word: &&str| prefixes.iter().any(|prefix| word.contains(prefix));
    let words = text.split_whitespace().map(|word| if secret(&word) { "…" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}
