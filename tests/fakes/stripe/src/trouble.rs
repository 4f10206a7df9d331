//! Trouble on order: what goes wrong with which call, and what goes wrong by chance.

use crate::Stripe;
use crate::call::Call;
use crate::problem::Problem;
use std::time::Duration;
use till_core::contract::seeded::Seeded;
use till_core::time::Timestamp;

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429: too many requests. Not saved under a key.
    RateLimit {
        /// `Retry-After`, in seconds.
        retry_after_secs: Option<u64>,
    },
    /// 429 `lock_timeout`: another call holds the object. Not saved under a key.
    LockTimeout,
    /// 500 without effect, saved under the key: the same key gives it again.
    ErrorBefore,
    /// 500 although it was done, saved under the key.
    ErrorAfter,
    /// 503 without effect, not saved.
    Unavailable,
    /// The connection is not made: no effect.
    LostBefore,
    /// The connection breaks when it was done; the answer is saved under the key.
    LostAfter,
    /// Over real HTTP the answer takes this long; in process there is no waiting.
    Slow(Duration),
}

#[derive(Debug)]
pub(crate) struct Trouble {
    seeded: Seeded,
    next: Vec<(String, Fault)>,
    percent: u64,
    down_until: Timestamp,
}

impl Trouble {
    pub(crate) fn new(seed: u64) -> Self {
        // Another stream than that of the ids, so that trouble does not change them.
        let seeded = Seeded::new(seed ^ 0x5eed_0f7a_0b1e_0000);
        Self { seeded, next: Vec::new(), percent: 0, down_until: Timestamp::default() }
    }

    /// What goes wrong with this call; a fault that was ordered is used up.
    pub(crate) fn strikes(&mut self, call: &Call, now: Timestamp) -> Option<Fault> {
        if now < self.down_until {
            return Some(Fault::LostBefore);
        }
        if let Some(at) = self.next.iter().position(|(prefix, _)| meant(prefix, call)) {
            return Some(self.next.remove(at).1);
        }
        if !self.seeded.chance(self.percent) {
            return None;
        }
        let refused = self.seeded.chance(50);
        Some(if refused { Fault::RateLimit { retry_after_secs: None } } else { Fault::LostAfter })
    }

    /// How long this call is to take, if that was ordered.
    pub(crate) fn slows(&mut self, call: &Call) -> Option<Duration> {
        let at = self.next.iter().position(|(prefix, _)| meant(prefix, call))?;
        let Fault::Slow(wait) = self.next[at].1 else { return None };
        self.next.remove(at);
        Some(wait)
    }
}

/// `/v1/refunds` is every method, `POST /v1/refunds` one.
fn meant(prefix: &str, call: &Call) -> bool {
    let (method, path) = prefix.split_once(' ').unwrap_or((&call.method, prefix));
    method == call.method && call.route().starts_with(path)
}

impl Fault {
    /// The refusal that it is, where it is one without effect.
    pub(crate) fn refusal(&self) -> Option<Problem> {
        match self {
            Self::RateLimit { retry_after_secs } => {
                let message = "Request rate limit exceeded. Learn more about rate limits here \
                               https://stripe.com/docs/rate-limits.";
                let problem = Problem::invalid(message).status(429).code("rate_limit");
                let problem = problem.header("stripe-should-retry", "true");
                let problem = problem.header("stripe-rate-limited-reason", "global-rate");
                Some(match retry_after_secs {
                    Some(secs) => problem.header("retry-after", secs.to_string()),
                    None => problem,
                })
            }
            Self::LockTimeout => {
                let message = "This object cannot be accessed right now because another API request or Stripe process \
                               is currently accessing it. If you see this error intermittently, retry the request.";
                let problem = Problem::invalid(message).status(429).code("lock_timeout");
                Some(problem.header("stripe-should-retry", "true"))
            }
            Self::Unavailable => {
                let problem = Problem::api(503).not_begun();
                Some(problem.header("stripe-should-retry", "true"))
            }
            Self::ErrorBefore | Self::ErrorAfter | Self::LostBefore | Self::LostAfter | Self::Slow(_) => None,
        }
    }
}

impl Stripe {
    /// The next call of this path (a prefix; `POST /v1/refunds` for one method) fails so. Faults queue up.
    pub fn fail_next(&self, path: &str, fault: Fault) {
        self.lock().trouble.next.push((path.to_owned(), fault));
    }

    /// How many calls in a hundred go wrong from now on: refused for now, or done and not answered.
    pub fn trouble(&self, percent: u64) {
        self.lock().trouble.percent = percent;
    }

    /// No connection until then.
    pub fn down_until(&self, until: Timestamp) {
        self.lock().trouble.down_until = until;
    }

    /// No trouble any more, ordered or by chance.
    pub fn well(&self) {
        let mut world = self.lock();
        world.trouble.next.clear();
        (world.trouble.percent, world.trouble.down_until) = (0, Timestamp::default());
    }
}
