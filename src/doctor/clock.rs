//! Whether this computer's clock is right, by the clocks of providers: every answer of theirs carries its `Date`.
//!
//! A signature is believed for five minutes, and a deadline is a moment: a clock that is off refuses good webhooks.

use crate::clock::Clock;
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use till_core::port::http::{Http, HttpError, Request, Response};
use till_core::port::psp::Finding;
use till_core::time::Timestamp;

/// How far the two clocks may be apart; an answer takes a moment, and its time has no fractions.
const OFF: Duration = Duration::from_secs(60);

/// A way to providers that watches what time they say it is.
pub(super) struct Watched {
    http: Arc<dyn Http>,
    clock: Clock,
    /// What they said, what was the time here, and who said it: of all answers those that agree best, since a cache may
    /// have kept an old one.
    told: Mutex<Option<(Timestamp, Timestamp, String)>>,
}

impl Watched {
    pub(super) fn new(http: Arc<dyn Http>, clock: Clock) -> Self {
        Self { http, clock, told: Mutex::new(None) }
    }

    /// What there is to say about this computer's clock. `None`: nobody told the time.
    pub(super) fn finding(&self) -> Option<Finding> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        told.map(|(told, here, whose)| judged(told, here, &whose))
    }
}

fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.since(b).max(b.since(a))
}

fn judged(told: Timestamp, here: Timestamp, whose: &str) -> Finding {
    if apart(told, here) <= OFF {
        return Finding::good(format!("this computer's clock agrees with that of {whose}"));
    }
    let which = if here > told { "ahead of" } else { "behind" };
    let by = apart(told, here).as_secs();
    Finding::wrong(
        format!("this computer's clock is {by} s {which} that of {whose}"),
        "let it be set by NTP: `timedatectl set-ntp true`",
    )
}

#[async_trait]
impl Http for Watched {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let host = url::Url::parse(&request.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let response = self.http.send(request).await?;
        if let Some(told) = response.date() {
            let here = (self.clock)();
            let mut best = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if best.as_ref().is_none_or(|(said, then, _)| apart(told, here) < apart(*said, *then)) {
                *best = Some((told, here, host.unwrap_or_default()));
            }
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use till_core::port::psp::Verdict;

    #[test]
    fn a_clock_that_is_off_is_found_and_a_second_or_two_are_not() {
        let right = Timestamp::from_secs(1_795_372_200);
        for (here, said) in [
            (right.after(Duration::from_secs(59)), "this computer's clock agrees with that of api.stripe.com"),
            (right.after(Duration::from_secs(90)), "this computer's clock is 90 s ahead of that of api.stripe.com"),
            (right.before(Duration::from_secs(400)), "this computer's clock is 400 s behind that of api.stripe.com"),
        ] {
            let found = judged(right, here, "api.stripe.com");
            assert_eq!((found.text.as_str(), found.verdict == Verdict::Wrong), (said, !found.mend.is_empty()));
        }
    }
}
