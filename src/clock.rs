//! The one place that reads a clock and asks the system for randomness.
//!
//! Everything else is told the time and given entropy, so that tests can choose both.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use till_core::id::Entropy;
use till_core::time::Timestamp;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock.
pub fn system() -> Clock {
    Arc::new(|| {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

/// The system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system for randomness")]
        let filled = getrandom::fill(bytes);
        if let Err(error) = filled {
            // Without randomness no token may be made: better no till than a guessable one.
            tracing::error!(%error, "the system gives no randomness; stopping");
            std::process::abort();
        }
    }
}
