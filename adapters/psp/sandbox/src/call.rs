//! One call to the sandbox: the request, and what its failure means for whoever would try again.
//!
//! ```text
//! no connection · 429 · 503        Later          surely no effect
//! no answer · other 5xx            Ambiguous      perhaps an effect: again under the same key
//! 5xx that is repeated             KeyTaken       the key will say the same again: look up
//! 400 · 422                        Refused        never
//! 401 · 403                        Credentials
//! 404 not_found                    NotFound       a bare 404 is a wrong address, not an answer
//! 409 idempotency_error            KeyTaken
//! 409 already_complete             AlreadyComplete
//! anything else                    Unreadable
//! ```

use crate::wire::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use till_core::order::IdemKey;
use till_core::port::http::{Http, HttpError, Method, Request, Response};
use till_core::port::psp::{Account, Fault};

/// Types of refusals that become sentences of Till's.
const SAID_BY_US: [&str; 1] = ["charge_disputed"];

/// Sends `body` under a key, which goes into the header that is named, and reads the answer.
pub(crate) async fn post<T: DeserializeOwned>(
    http: &dyn Http,
    at: &Account,
    path: &str,
    (header, key): (&'static str, &IdemKey),
    body: &impl Serialize,
) -> Result<T, Fault> {
    let body = serde_json::to_vec(body).map_err(|why| Fault::Unreadable(format!("order cannot be written: {why}")))?;
    let request = Request::new(Method::Post, at.base_url.clone() + path)
        .bearer(&at.secret)
        .header(header, key.as_str())
        .body("application/json", body);
    answer(http.send(request).await)
}

/// Asks for `path` and reads the answer.
pub(crate) async fn get<T: DeserializeOwned>(http: &dyn Http, at: &Account, path: &str) -> Result<T, Fault> {
    answer(http.send(Request::new(Method::Get, at.base_url.clone() + path).bearer(&at.secret)).await)
}

/// An id as part of a path. One that could not be an id of the sandbox's is not asked for: it is not there.
pub(crate) fn segment(id: impl Display) -> Result<String, Fault> {
    let id = id.to_string();
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { Ok(id) } else { Err(Fault::NotFound) }
}

fn answer<T: DeserializeOwned>(sent: Result<Response, HttpError>) -> Result<T, Fault> {
    let response = sent.map_err(|error| match error {
        HttpError::Unsent(_) => Fault::Later { wait: None, why: error.to_string() },
        HttpError::Unanswered(_) => Fault::Ambiguous(error.to_string()),
        HttpError::TooBig => Fault::Unreadable(error.to_string()),
    })?;
    if response.status == 200 {
        return serde_json::from_slice(&response.body).map_err(|why| Fault::Unreadable(why.to_string()));
    }
    Err(fault(&response))
}

fn fault(response: &Response) -> Fault {
    let problem = serde_json::from_slice::<Problem>(&response.body).ok().map(|problem| problem.error);
    let kind = problem.as_ref().map_or("", |problem| problem.kind.as_str());
    let status = format!("status {} `{}`", response.status, short(kind));
    match (response.status, kind) {
        (500.., _) if response.header("idempotent-replayed") == Some("true") => Fault::KeyTaken,
        (429 | 503, _) => Fault::Later { wait: response.retry_after(), why: status },
        (500.., _) => Fault::Ambiguous(status),
        (422, kind) if SAID_BY_US.contains(&kind) => Fault::Refused(kind.to_owned()),
        (400 | 422, _) => Fault::Refused(problem.map_or(status, |problem| short(&problem.message))),
        (401 | 403, _) => Fault::Credentials(problem.map_or(status, |problem| short(&problem.message))),
        (404, "not_found") => Fault::NotFound,
        (409, "idempotency_error") => Fault::KeyTaken,
        (409, "already_complete") => Fault::AlreadyComplete,
        (_, _) => Fault::Unreadable(status),
    }
}

/// A text from outside, fit for a log line or a message to staff.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
