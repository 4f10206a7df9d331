//! Slack's rate limits, off until a test turns them on.

use crate::Slack;
use crate::api::Method;
use crate::tokens::Caller;
use crate::world::World;
use std::collections::BTreeMap;
use std::time::Duration;
use till_core::time::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
/// `chat.postMessage`: about one a second in a channel. Slack says "short bursts" without a number.
const BURST_MAX: usize = 3;
/// And in a workspace "several hundred messages per minute".
const TEAM_PER_MINUTE_MAX: usize = 300;

/// When which calls came.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    on: bool,
    hits: BTreeMap<String, Vec<Timestamp>>,
}

impl Limits {
    /// Counts one; the wait in seconds where there were `max` in the window already.
    fn hit(&mut self, key: String, now: Timestamp, window: Duration, max: usize) -> Option<u64> {
        let hits = self.hits.entry(key).or_default();
        hits.retain(|hit| now.since(*hit) < window);
        if hits.len() < max {
            hits.push(now);
            return None;
        }
        let left = window.saturating_sub(now.since(hits[0]));
        Some(left.as_secs().max(1))
    }
}

impl World {
    /// How long to wait, where this call is one too many. Source: docs.slack.dev, "Rate limits".
    pub(crate) fn limited(&mut self, caller: &Caller, method: &Method, channel: &str) -> Option<u64> {
        if !self.limits.on {
            return None;
        }
        let (now, team) = (self.now, &caller.team);
        let whole = format!("{team} {}", method.name);
        if method.name == "chat.postMessage" {
            let window = Duration::from_secs(BURST_MAX as u64);
            let here = self.limits.hit(format!("{whole} {channel}"), now, window, BURST_MAX);
            return here.or_else(|| self.limits.hit(whole, now, MINUTE, TEAM_PER_MINUTE_MAX));
        }
        let reads = ["conversations.history", "conversations.replies"].contains(&method.name);
        let max = match method.tier {
            _ if reads && self.settings.unlisted => 1,
            1 => 1,
            2 => 20,
            3 => 50,
            _ => 100,
        };
        self.limits.hit(whole, now, MINUTE, max)
    }
}

impl Slack {
    /// Rate limits hold from now on, by the fake's clock.
    pub fn rate_limits(&self) {
        self.lock().limits.on = true;
    }
}
