//! Idempotency: a POST under a key is done once, and its answer is repeated byte for byte for a day.
//!
//! Source: Stripe docs, "Idempotent requests": "results are only saved if an endpoint begins executing. If incoming
//! parameters fail validation, or the request conflicts with another that's executing concurrently, no idempotent
//! result is saved". So 401, 403, 409, 429, unknown URLs and parameters that do not fit save nothing, and the same key
//! can be used for the mended call. What the endpoint itself found is saved: 200, a 500, a refund that is too large,
//! a session that is not open; and, inferred, an object that is not there (404 of an object named in a POST).

use crate::call::Answer;
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use till_core::time::Timestamp;

const KEPT: Duration = Duration::from_secs(24 * 3600);
const KEY_CHARS_MAX: usize = 255;

/// Account and key.
pub(crate) type Slot = (String, String);

#[derive(Debug, Default)]
pub(crate) struct Once {
    saved: BTreeMap<Slot, Saved>,
    /// Keys of calls that are on their way, slowly.
    flying: BTreeSet<Slot>,
}

#[derive(Clone, Debug)]
pub(crate) struct Saved {
    path: String,
    params: String,
    pub(crate) request: String,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    at: Timestamp,
}

/// A call under a key.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    pub(crate) slot: Slot,
    pub(crate) path: String,
    pub(crate) params: String,
}

impl Once {
    /// The answer that the key has, or why this call may not have it.
    pub(crate) fn look(&self, call: &Keyed, now: Timestamp) -> Result<Option<Saved>, Problem> {
        let key = &call.slot.1;
        if key.is_empty() || key.chars().count() > KEY_CHARS_MAX {
            return Err(Problem::invalid(format!("Idempotency keys can be at most {KEY_CHARS_MAX} characters.")));
        }
        if self.flying.contains(&call.slot) {
            let message = format!(
                "There is currently another in-progress request using this Idempotent Key (that probably means you \
                 submitted twice, and the other request is still going through): {key}."
            );
            let problem = Problem::invalid(message).status(409).kind("idempotency_error");
            return Err(problem.code("idempotency_key_in_use").header("stripe-should-retry", "true"));
        }
        let Some(saved) = self.saved.get(&call.slot).filter(|saved| now.since(saved.at) < KEPT) else {
            return Ok(None);
        };
        let refused = |same: String| {
            let message = format!(
                "Keys for idempotent requests can only be used {same}. Try using a key other than '{key}' if you meant \
                 to execute a different request."
            );
            Err(Problem::invalid(message).kind("idempotency_error"))
        };
        if saved.path != call.path {
            return refused(format!(
                "for the same endpoint they were first used for ('{}' vs '{}')",
                call.path, saved.path
            ));
        }
        if saved.params != call.params {
            return refused("with the same parameters they were first used with".into());
        }
        Ok(Some(saved.clone()))
    }

    pub(crate) fn save(&mut self, call: Keyed, request: &str, answer: &Answer, now: Timestamp) {
        let Keyed { slot, path, params } = call;
        let (status, body) = (answer.status, answer.body.clone());
        self.saved.insert(slot, Saved { path, params, request: request.to_owned(), status, body, at: now });
    }

    /// A slow call takes off, or lands.
    pub(crate) fn fly(&mut self, slot: Slot) {
        self.flying.insert(slot);
    }

    pub(crate) fn land(&mut self, slot: &Slot) {
        self.flying.remove(slot);
    }
}
