//! Knobs: trouble that real providers make now and then, turned on while the provider runs. All off, it behaves well.
//!
//! ```text
//! webhook_*        drawn when an event is written     delayed, dropped, sent twice, overtaken
//! lie_*            drawn when money arrives           that is then what the provider holds
//! throttle, fail_before, hang                         drawn at every call of the API
//! fail_after       drawn when a call has had its effect: 500 then, and at every repetition under the same key
//! ```
//! What is drawn comes from the seed and a count that begins anew whenever the knobs are set, so a run can be repeated.
//!
//! Deliberately absent: memory. A restart turns every knob off.

use crate::World;
use crate::problem::{Problem, json_response};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use till_core::money::{Currency, Money};
use till_core::time::Timestamp;

/// An event that is overtaken waits up to this long.
const OVERTAKEN_MS: u64 = 3_000;

/// All knobs and how they are set. Units stand at the end of their names; `pct` is how many of a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Knobs {
    /// Where the drawing begins.
    pub(crate) seed: u64,
    /// Refunds stay pending until the bank decides.
    pub(crate) refunds_take_time: bool,
    pub(crate) webhook_delay_ms: u64,
    pub(crate) webhook_drop_pct: u64,
    pub(crate) webhook_duplicate_pct: u64,
    pub(crate) webhook_reorder_pct: u64,
    /// One minor unit too much arrives.
    pub(crate) lie_amount_pct: u64,
    /// As many units of another currency arrive.
    pub(crate) lie_currency_pct: u64,
    pub(crate) throttle_pct: u64,
    pub(crate) retry_after_s: u64,
    pub(crate) fail_before_pct: u64,
    pub(crate) fail_after_pct: u64,
    pub(crate) hang_pct: u64,
    pub(crate) hang_s: u64,
    /// How far the provider's clock is ahead; behind, when negative.
    pub(crate) skew_s: i64,
}

/// A number among the knobs, for the page: its name, what it does, how it stands, and how far it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    pub(crate) name: &'static str,
    pub(crate) does: &'static str,
    pub(crate) value: i128,
    pub(crate) most: i128,
    pub(crate) least: i128,
}

impl Knobs {
    /// The numbers, in the order in which they are shown.
    pub(crate) fn numbers(&self) -> [Number; 14] {
        let number = |name, does, value: u64, most| Number { name, does, value: value.into(), most, least: 0 };
        let pct = |name, does, value| number(name, does, value, 100);
        [
            number("webhook_delay_ms", "Webhooks come later, by ms", self.webhook_delay_ms, 3_600_000),
            pct("webhook_drop_pct", "Webhooks that never come, %", self.webhook_drop_pct),
            pct("webhook_duplicate_pct", "Webhooks that come twice, %", self.webhook_duplicate_pct),
            pct("webhook_reorder_pct", "Webhooks that are overtaken, %", self.webhook_reorder_pct),
            pct("lie_amount_pct", "One cent too much arrives, %", self.lie_amount_pct),
            pct("lie_currency_pct", "Another currency arrives, %", self.lie_currency_pct),
            pct("throttle_pct", "Calls that are too many (429), %", self.throttle_pct),
            number("retry_after_s", "… and may come again after, s", self.retry_after_s, 3_600),
            pct("fail_before_pct", "Calls that fail with no effect (500), %", self.fail_before_pct),
            pct("fail_after_pct", "Calls that fail after their effect (500), %", self.fail_after_pct),
            pct("hang_pct", "Calls that hang after their effect, %", self.hang_pct),
            number("hang_s", "… for so long, s", self.hang_s, 600),
            Number {
                name: "skew_s",
                does: "The clock here is ahead by, s",
                value: self.skew_s.into(),
                most: 86_400,
                least: -86_400,
            },
            number("seed", "Seed", self.seed, u64::MAX.into()),
        ]
    }
}

/// The knobs, how often was drawn since they were set, and what each of them has done since the start.
#[derive(Debug, Default)]
pub(crate) struct Set {
    knobs: Knobs,
    drawn: u64,
    mishaps: BTreeMap<&'static str, u64>,
}

/// What becomes of an event's delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) wait: Duration,
    /// How often it is sent; 0 for one that never comes.
    pub(crate) copies: u32,
}

impl World {
    /// How the knobs are set.
    pub(crate) fn knobs(&self) -> Knobs {
        self.knobs.lock().unwrap_or_else(PoisonError::into_inner).knobs
    }

    /// Sets all knobs: those that are left out are turned off.
    pub(crate) fn set_knobs(&self, knobs: Knobs) -> Result<Knobs, Problem> {
        if let Some(wrong) = knobs.numbers().iter().find(|it| !(it.least..=it.most).contains(&it.value)) {
            let message = format!("{} must be {} to {}", wrong.name, wrong.least, wrong.most);
            return Err(Problem::refused("knob", message));
        }
        let mut set = self.knobs.lock().unwrap_or_else(PoisonError::into_inner);
        (set.knobs, set.drawn) = (knobs, 0);
        Ok(knobs)
    }

    /// How often each knob made trouble since the start, whatever it was set to.
    pub(crate) fn mishaps(&self) -> BTreeMap<&'static str, u64> {
        self.knobs.lock().unwrap_or_else(PoisonError::into_inner).mishaps.clone()
    }

    fn count(&self, knob: &'static str) {
        *self.knobs.lock().unwrap_or_else(PoisonError::into_inner).mishaps.entry(knob).or_default() += 1;
    }

    /// A number below `n`, the next that the seed gives.
    fn below(&self, n: u64) -> u64 {
        let mut set = self.knobs.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = Sha256::new().chain_update(set.knobs.seed.to_be_bytes()).chain_update(set.drawn.to_be_bytes());
        set.drawn = set.drawn.wrapping_add(1);
        let mut first = [0; 8];
        first.copy_from_slice(&digest.finalize()[..8]);
        u64::from_be_bytes(first) % n.max(1)
    }

    /// True so many times out of a hundred, and counted for its knob then. What is off draws nothing.
    pub(crate) fn draw(&self, knob: &'static str, pct: u64) -> bool {
        let is_drawn = pct > 0 && self.below(100) < pct;
        if is_drawn {
            self.count(knob);
        }
        is_drawn
    }

    /// What becomes of the next event's delivery.
    pub(crate) fn fate(&self) -> Fate {
        let knobs = self.knobs();
        if self.draw("webhook_drop", knobs.webhook_drop_pct) {
            return Fate { wait: Duration::ZERO, copies: 0 };
        }
        let copies = if self.draw("webhook_duplicate", knobs.webhook_duplicate_pct) { 2 } else { 1 };
        let overtaken = self.draw("webhook_reorder", knobs.webhook_reorder_pct);
        let more = if overtaken { OVERTAKEN_MS / 3 + self.below(OVERTAKEN_MS) } else { 0 };
        Fate { wait: Duration::from_millis(knobs.webhook_delay_ms + more), copies }
    }

    /// What arrives of this money.
    pub(crate) fn arriving(&self, amount: Money) -> Money {
        let knobs = self.knobs();
        let minor = amount.minor() + i64::from(self.draw("lie_amount", knobs.lie_amount_pct));
        let other = if amount.currency().code() == "EUR" { "USD" } else { "EUR" };
        let currency = self.draw("lie_currency", knobs.lie_currency_pct).then(|| Currency::parse(other).ok()).flatten();
        Money::new(minor, currency.unwrap_or(amount.currency()))
    }

    /// The present by the provider's own clock, which a knob puts wrong.
    pub(crate) fn now(&self) -> Timestamp {
        let skew_s = self.knobs().skew_s;
        let by = Duration::from_secs(skew_s.unsigned_abs());
        if skew_s < 0 { self.real_now().before(by) } else { self.real_now().after(by) }
    }
}

/// What a call of the API meets before it is done, and after.
pub(crate) async fn meet(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let knobs = world.knobs();
    if world.draw("throttle", knobs.throttle_pct) {
        let problem = Problem::too_many();
        let mut answer = json_response(problem.status, problem.body());
        answer.headers_mut().insert("retry-after", HeaderValue::from(knobs.retry_after_s));
        return answer;
    }
    if world.draw("fail_before", knobs.fail_before_pct) {
        let problem = Problem::broken();
        return json_response(problem.status, problem.body());
    }
    let answer = next.run(request).await;
    if world.draw("hang", knobs.hang_pct) {
        tokio::time::sleep(Duration::from_secs(knobs.hang_s)).await;
    }
    answer
}
