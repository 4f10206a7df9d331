//! Points in time and lengths of it, as Till stores and says them.
//!
//! A [`Timestamp`] is milliseconds since 1970-01-01 UTC. Nothing here reads a clock: the present is always an
//! argument, called `now`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// Milliseconds since the Unix epoch, UTC. Shows itself as RFC 3339: `2026-11-22T18:30:00Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The last millisecond of the year 9999: nothing later is a date anybody means.
const LATEST_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// From milliseconds since the epoch, held between 1970 and the end of 9999.
    pub const fn from_ms(ms: i64) -> Self {
        if ms < 0 {
            Self(0)
        } else if ms > LATEST_MS {
            Self(LATEST_MS)
        } else {
            Self(ms)
        }
    }

    /// From whole seconds since the epoch, as webhook signatures count.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_ms(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch; never negative.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0 / 1000
    }

    /// This moment plus `d`, never past the year 9999.
    pub fn after(self, d: Duration) -> Self {
        Self::from_ms(self.0.saturating_add(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment minus `d`, never before 1970.
    pub fn before(self, d: Duration) -> Self {
        Self::from_ms(self.0.saturating_sub(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The UTC day, as `2026-11-22`: the key of day totals.
    pub fn day(self) -> String {
        self.date_time().format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
    }

    /// For people: `22 Nov 2026, 18:30 UTC`.
    pub fn text(self) -> String {
        self.date_time()
            .format(format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC"))
            .unwrap_or_default()
    }

    /// For a column of times: RFC 3339 with three digits after the second, always.
    pub fn precise(self) -> String {
        self.date_time()
            .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
            .unwrap_or_default()
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date_time().format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_itself_for_machines_days_and_people() {
        let t = Timestamp::from_secs(1_795_372_200);
        assert_eq!(t.to_string(), "2026-11-22T18:30:00Z");
        assert_eq!(t.day(), "2026-11-22");
        assert_eq!(t.text(), "22 Nov 2026, 18:30 UTC");
        assert_eq!(t.precise(), "2026-11-22T18:30:00.000Z");
    }

    #[test]
    fn never_leaves_its_range() {
        assert_eq!(Timestamp::from_ms(-5).ms(), 0);
        assert_eq!(Timestamp::from_secs(i64::MAX).after(Duration::MAX).day(), "9999-12-31");
        assert_eq!(Timestamp::from_ms(5).since(Timestamp::from_ms(9)), Duration::ZERO);
    }
}
