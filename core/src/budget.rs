//! Rate budgets: how often somebody may do something. A token bucket that is told the time.

use crate::time::Timestamp;
use std::net::IpAddr;
use std::time::Duration;

/// `burst` at once, and one more every `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// How long until one more is allowed.
    pub every: Duration,
}

/// What is left of a budget.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    left_milli: u64,
    at: Timestamp,
}

impl Budget {
    /// A full one.
    pub fn full(rate: Rate, now: Timestamp) -> Self {
        Self { left_milli: u64::from(rate.burst) * 1000, at: now }
    }

    /// Whether nothing is missing by now, so that it need not be kept.
    pub fn is_full(&self, rate: Rate, now: Timestamp) -> bool {
        now.since(self.at) >= rate.every.saturating_mul(rate.burst)
    }

    /// How many could be taken now.
    pub fn left(&self, rate: Rate, now: Timestamp) -> u32 {
        let mut copy = *self;
        (0..rate.burst).take_while(|_| copy.take(rate, now).is_ok()).fold(0, |left, _| left + 1)
    }

    /// Takes one, or says how long to wait for it. A clock that jumps back gives nothing and takes nothing; where it
    /// jumps far, it counts from there.
    ///
    /// # Errors
    /// The time until the next one is allowed.
    pub fn take(&mut self, rate: Rate, now: Timestamp) -> Result<(), Duration> {
        // Set back for good, and not only told of a moment earlier by somebody else: otherwise nobody could do anything
        // until it is again as late as it never was.
        if self.at.since(now) > rate.every.saturating_mul(rate.burst) {
            self.at = now;
        }
        let every_ms = u64::try_from(rate.every.as_millis()).unwrap_or(u64::MAX).max(1);
        let passed_ms = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let earned = passed_ms.saturating_mul(1000) / every_ms;
        if earned > 0 {
            self.left_milli = self.left_milli.saturating_add(earned).min(u64::from(rate.burst) * 1000);
            self.at = now;
        }
        if self.left_milli >= 1000 {
            self.left_milli -= 1000;
            return Ok(());
        }
        let missing = 1000 - self.left_milli;
        Err(Duration::from_millis((missing.saturating_mul(every_ms)).div_ceil(1000)))
    }
}

/// What one subscriber of an internet provider holds: an IPv4 address, or the first 64 bits of an IPv6 address.
///
/// Source: RFC 6177, section 2.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_at_a_time() {
        let rate = Rate { burst: 3, every: Duration::from_secs(2) };
        let at = Timestamp::from_secs;
        let mut budget = Budget::full(rate, at(100));
        assert_eq!(budget.left(rate, at(100)), 3);
        let taken = |budget: &mut Budget, now| (0..5).filter(|_| budget.take(rate, now).is_ok()).count();
        assert_eq!(taken(&mut budget, at(100)), 3);
        assert_eq!(budget.take(rate, at(100)), Err(Duration::from_secs(2)));
        assert_eq!(taken(&mut budget, at(102)), 1);
        assert_eq!(taken(&mut budget, at(50)), 0, "the clock jumped back");
        assert_eq!(taken(&mut budget, at(10_000)), 3, "never more than the burst");
    }

    #[test]
    fn after_a_clock_was_set_back_one_waits_no_longer_than_before() {
        let rate = Rate { burst: 1, every: Duration::from_secs(2) };
        let at = Timestamp::from_secs;
        let mut budget = Budget::full(rate, at(1000));
        assert_eq!(budget.take(rate, at(1000)), Ok(()));
        assert_eq!(budget.take(rate, at(400)), Err(Duration::from_secs(2)));
        assert_eq!(budget.take(rate, at(402)), Ok(()));
    }
}
