//! Measured times: taken at a pace, and shown as a table of percentiles.

use futures::stream::{self, StreamExt as _};
use std::fmt;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// How fast it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// One after the other, and each begins so long after the last one at the earliest.
    Every(Duration),
    /// So many at once, without a pause.
    AtOnce(usize),
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(pause) => write!(f, "{} a second", 1.0 / pause.as_secs_f64()),
            Self::AtOnce(many) => write!(f, "{many} at once"),
        }
    }
}

/// Does it `count` times, told the number, and gives what each time took.
pub(crate) async fn take(pace: Pace, count: usize, act: impl AsyncFn(usize) -> Duration) -> Vec<Duration> {
    match pace {
        Pace::Every(pause) => {
            let (began, mut took) = (Instant::now(), Vec::new());
            for n in 0..count {
                let due = began + pause * u32::try_from(n).unwrap();
                tokio::time::sleep_until(due.into()).await;
                took.push(act(n).await);
            }
            took
        }
        Pace::AtOnce(many) => stream::iter(0..count).map(|n| act(n)).buffer_unordered(many).collect().await,
    }
}

/// A line of the table.
pub(crate) struct Row {
    what: String,
    sorted: Vec<Duration>,
}

impl Row {
    pub(crate) fn new(what: String, mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        Self { what, sorted: took }
    }

    /// The smallest that so many of a hundred do not exceed.
    fn percentile(&self, percent: usize) -> Duration {
        self.sorted[(self.sorted.len() * percent).div_ceil(100).saturating_sub(1)]
    }
}

/// In milliseconds.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<52}{:>6}{:>9}{:>9}{:>9}\n", "milliseconds", "n", "p50", "p99", "max");
    for row in rows {
        let [p50, p99, max] = [50, 99, 100].map(|percent| row.percentile(percent).as_secs_f64() * 1000.0);
        let _ = writeln!(text, "{:<52}{:>6}{p50:>9.1}{p99:>9.1}{max:>9.1}", row.what, row.sorted.len());
    }
    text
}
