//! What is owed to webhook endpoints: taken, signed and acknowledged by a test, or posted by `Stripe::run`.

use crate::hooks::Hook;
use crate::problem::pretty;
use crate::{API_VERSION, Stripe, World, text};
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;
use till_core::keys::hmac;
use till_core::time::Timestamp;

const GIVE_UP: Duration = Duration::from_secs(3 * 24 * 3600);

/// One event that one endpoint has not accepted.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    pub(crate) n: u64,
    pub(crate) event: String,
    kind: String,
    pub(crate) endpoint: String,
    url: String,
    secrets: Vec<String>,
    body: Bytes,
    since: Timestamp,
    due: Timestamp,
    tries: u32,
}

/// One delivery, which can be made, dropped, doubled and made late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which delivery this is, for [`Stripe::accepted`].
    pub n: u64,
    /// `evt_…`.
    pub event: String,
    /// `checkout.session.completed`.
    pub kind: String,
    /// `we_…`.
    pub endpoint: String,
    /// Where it goes.
    pub url: String,
    /// The bytes that are signed.
    pub body: Bytes,
    /// When the next try is due.
    pub due: Timestamp,
    /// Tries that were not accepted.
    pub tries: u32,
    secrets: Vec<String>,
}

impl Delivery {
    /// `Stripe-Signature` of a try at this time.
    pub fn signature(&self, now: Timestamp) -> String {
        signature(&self.secrets, now, &self.body)
    }

    /// All headers of a try at this time; names in lower case.
    pub fn headers(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        vec![
            ("content-type", "application/json; charset=utf-8".into()),
            ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)".into()),
            ("accept", "*/*; q=0.5, application/xml".into()),
            ("cache-control", "no-cache".into()),
            ("stripe-signature", self.signature(now)),
        ]
    }
}

/// `t=…,v1=…[,v1=…],v0=…`: each secret signs `t.body`; the `v0` that Stripe sends along proves nothing.
pub fn signature(secrets: &[String], now: Timestamp, body: &[u8]) -> String {
    let t = now.secs().to_string();
    let signed = [t.as_bytes(), b".", body].concat();
    let of = |key: &str| hex::encode(hmac(key.as_bytes(), &signed));
    let v1: String = secrets.iter().map(|secret| format!(",v1={}", of(secret))).collect();
    format!("t={t}{v1},v0={}", of("no secret of yours"))
}

/// How long to wait after so many tries.
const fn backoff(tries: u32) -> Duration {
    Duration::from_millis(match tries {
        ..=1 => 200,
        2 => 1_000,
        3 => 5_000,
        4 => 30_000,
        5.. => 60_000,
    })
}

impl World {
    /// Owes an event to every endpoint that wants it.
    pub(crate) fn owe(&mut self, account: &str, event: &Value) {
        let hooks: Vec<Hook> = self.wanted_by(account, event).into_iter().cloned().collect();
        for hook in hooks {
            let mut event = event.clone();
            // A snapshot names the endpoint's version, a lie or a thin event the one it was given.
            if event["api_version"] == API_VERSION {
                event["api_version"] = hook.api_version.as_deref().unwrap_or(API_VERSION).into();
            }
            if hook.connect && event.get("account").is_none() {
                event["account"] = account.into();
            }
            self.owed_ever += 1;
            self.owed.push(Owed {
                n: self.owed_ever,
                event: text(&event, "id").to_owned(),
                kind: text(&event, "type").to_owned(),
                endpoint: hook.id,
                url: hook.url,
                secrets: hook.secrets,
                body: pretty(&event).into(),
                since: self.now,
                due: self.now,
                tries: 0,
            });
        }
    }
}

impl Stripe {
    /// Everything that no endpoint has accepted, oldest first, whether it is due now or later.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let delivery = |owed: &Owed| Delivery {
            n: owed.n,
            event: owed.event.clone(),
            kind: owed.kind.clone(),
            endpoint: owed.endpoint.clone(),
            url: owed.url.clone(),
            body: owed.body.clone(),
            due: owed.due,
            tries: owed.tries,
            secrets: owed.secrets.clone(),
        };
        self.lock().owed.iter().map(delivery).collect()
    }

    /// The endpoint answered 2xx: it is owed no more.
    pub fn accepted(&self, delivery: &Delivery) {
        self.lock().owed.retain(|owed| owed.n != delivery.n);
    }

    /// The endpoint did not accept it: it is due again later, for three days.
    pub fn refused(&self, delivery: &Delivery) {
        let mut world = self.lock();
        let now = world.now;
        if let Some(owed) = world.owed.iter_mut().find(|owed| owed.n == delivery.n) {
            owed.tries += 1;
            owed.due = now.after(backoff(owed.tries));
        }
        let (late, owed) = std::mem::take(&mut world.owed).into_iter().partition(|it| now.since(it.since) >= GIVE_UP);
        let late: Vec<Owed> = late;
        world.owed = owed;
        world.given_up.extend(late.into_iter().map(|owed| owed.event));
    }

    /// Takes a delivery away: it is never tried again.
    pub fn dropped(&self, delivery: &Delivery) {
        let mut world = self.lock();
        world.owed.retain(|owed| owed.n != delivery.n);
        world.given_up.insert(delivery.event.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_published_one() {
        // Source: stripe-node test/crypto/helpers.ts, the HMAC primitive.
        let published = "bebb1a643997f419b315ddba19e6f5411e1ce7f810ba6d3617ce72823092f363";
        assert_eq!(hex::encode(hmac(b"test_secret", br#"{"obj1":"hello","obj2":"world"}"#)), published);
        let both = signature(&["whsec_a".into(), "whsec_b".into()], Timestamp::from_secs(1_700_000_000), b"{}");
        let parts: Vec<&str> = both.split(',').map(|part| part.split('=').next().unwrap()).collect();
        assert_eq!(parts, ["t", "v1", "v1", "v0"]);
        assert!(both.contains(&hex::encode(hmac(b"whsec_b", b"1700000000.{}"))));
    }
}
