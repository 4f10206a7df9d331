//! Trouble that a test orders: which call goes wrong, and how.

use crate::Slack;
use serde_json::Value;
use std::time::Duration;
use till_core::time::Timestamp;

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 `ratelimited`, without effect.
    RateLimit {
        /// `Retry-After`, in seconds.
        retry_after_secs: u64,
    },
    /// A status such as 500 or 503, without effect.
    Status(u16),
    /// A status such as 500, although it was done.
    StatusAfter(u16),
    /// `ok` false with this word, without effect.
    Refused(String),
    /// No answer ever, without effect.
    HangBefore,
    /// No answer ever, although it was done.
    HangAfter,
    /// The connection is cut, without effect.
    CutBefore,
    /// The connection is cut, although it was done.
    CutAfter,
    /// The answer takes so long, by the wall clock.
    Slow(Duration),
}

impl Fault {
    /// Whether the call has its effect.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::StatusAfter(_) | Self::HangAfter | Self::CutAfter | Self::Slow(_))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Trouble {
    next: Vec<(String, Fault)>,
    down_until: Timestamp,
}

impl Trouble {
    /// What goes wrong with this call; an ordered fault is used up. Response URLs are the method `response_url`.
    pub(crate) fn strikes(&mut self, method: &str, now: Timestamp) -> Option<Fault> {
        if now < self.down_until {
            return Some(Fault::Status(503));
        }
        let at = self.next.iter().position(|(meant, _)| meant == method || meant == "*")?;
        Some(self.next.remove(at).1)
    }
}

impl Slack {
    /// The next call of this method (`*` for any) fails so. Faults queue up.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.fail_next_n(method, 1, fault);
    }

    /// The next `n` calls of this method fail so.
    pub fn fail_next_n(&self, method: &str, n: usize, fault: Fault) {
        let faults = std::iter::repeat_n((method.to_owned(), fault), n);
        self.lock().trouble.next.extend(faults);
    }

    /// 503 for everything until then.
    pub fn down_until(&self, until: Timestamp) {
        self.lock().trouble.down_until = until;
    }

    /// No ordered trouble any more.
    pub fn well(&self) {
        let mut world = self.lock();
        world.trouble = Trouble::default();
        (world.ack_latency, world.forged, world.skew_secs) = (Duration::ZERO, None, 0);
    }

    /// Acknowledgements reach Slack so much later than the app sends them, by the wall clock.
    pub fn ack_latency(&self, latency: Duration) {
        self.lock().ack_latency = latency;
    }

    /// Deliveries are signed with this secret from now on: somebody else's. [`Slack::well`] ends it.
    pub fn forge(&self, secret: &str) {
        self.lock().forged = Some(secret.to_owned());
    }

    /// Signatures name a time so many seconds from now. [`Slack::well`] ends it.
    pub fn skew(&self, secs: i64) {
        self.lock().skew_secs = secs;
    }

    /// This person does not look at Slack: whispers do not reach them.
    pub fn away(&self, user: &str) {
        self.lock().away.insert(user.to_owned());
    }

    /// What Slack showed a person or dropped without a word to the app: wrong acknowledgements and the like.
    pub fn complaints(&self) -> Vec<String> {
        self.lock().complaints.clone()
    }

    /// Another message edit setting.
    pub fn edit_window(&self, team: &str, window: crate::EditWindow) {
        let mut world = self.lock();
        let team = world.settings.teams.iter_mut().find(|set| set.id == team).expect("a workspace of this fake");
        team.edit_window = window;
    }
}

/// `{"ok":false,"error":"ratelimited"}`
pub(crate) fn rate_limited() -> Value {
    serde_json::json!({"ok": false, "error": "ratelimited"})
}
