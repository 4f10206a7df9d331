//! How often somebody may write: budgets per person and per address, and a number of open streams.
//!
//! Kept in memory only: a restart forgives. An address is an IPv4 address or an IPv6 /64, which is what one customer of
//! an internet provider gets.

use dashmap::DashMap;
use std::net::IpAddr;
use std::time::Duration;
use till_core::budget::{Budget, Rate, network};
use till_core::time::Timestamp;

/// What is limited, and how much of it one may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// What one customer says.
    Visitor,
    /// What one staff member says and presses.
    Staff,
    /// What comes from one address, whoever says it: an office has one for all.
    Address,
    /// New customers from one address.
    Arrival,
    /// Streams that one session opens: a page that reconnects in a loop.
    Stream,
    /// How often a session's end is moved.
    Renewal,
}

impl Limited {
    fn rate(self) -> Rate {
        let (burst, every) = match self {
            Self::Visitor => (20, Duration::from_secs(2)),
            Self::Staff => (60, Duration::from_millis(500)),
            Self::Address => (200, Duration::from_millis(200)),
            Self::Arrival => (30, Duration::from_secs(10)),
            Self::Stream => (60, Duration::from_secs(1)),
            Self::Renewal => (1, Duration::from_secs(60 * 60)),
        };
        Rate { burst, every }
    }

    /// After this long a budget is full again, whatever was taken.
    fn forgiven(self) -> Duration {
        self.rate().every.saturating_mul(self.rate().burst)
    }
}

/// Budgets that are kept at most. More than that are full ones, or an attack from very many addresses; then all are
/// forgotten rather than memory filled.
const BUDGETS_MAX: usize = 50_000;

/// Budgets by what they limit and whom.
#[derive(Debug, Default)]
pub(crate) struct Limits(DashMap<(Limited, String), (Budget, Timestamp)>);

impl Limits {
    /// Takes one.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub(crate) fn take(&self, what: Limited, whose: &str, now: Timestamp) -> Result<(), Duration> {
        if self.0.len() >= BUDGETS_MAX {
            self.0.retain(|(what, _), (_, last)| now.since(*last) < what.forgiven());
            if self.0.len() >= BUDGETS_MAX {
                self.0.clear();
            }
        }
        let rate = what.rate();
        let mut kept = self.0.entry((what, whose.to_owned())).or_insert_with(|| (Budget::full(rate, now), now));
        kept.1 = now;
        kept.0.take(rate, now)
    }

    /// Takes one of an address, where it is known.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub(crate) fn take_of(&self, what: Limited, address: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        address.map_or(Ok(()), |address| self.take(what, &network(address), now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_one_network_share_a_budget() {
        let limits = Limits::default();
        let now = Timestamp::from_secs(100);
        let take = |address: &str| limits.take_of(Limited::Arrival, Some(address.parse().unwrap()), now).is_ok();
        assert_eq!((0..40).filter(|n| take(&format!("2001:db8::{n}"))).count(), 30);
        assert!(take("2001:db8:0:1::1"));
        assert!(take("192.0.2.1") && take("::ffff:192.0.2.1"));
        assert!(limits.take_of(Limited::Arrival, None, now).is_ok());
    }
}
