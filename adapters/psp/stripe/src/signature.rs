//! Stripe's signature on a webhook: who sent these bytes, and when.
//!
//! ```text
//! stripe-signature: t=1795372200,v1=<hex>,v1=<hex>,v0=<hex>     HMAC-SHA256 of `t.body`, one v1 per secret in use
//! ```
//! The key is the whole text of the secret, `whsec_` included. `v0` is a test scheme and is ignored.
//! Source: Stripe docs, "Verify webhook signatures manually"; stripe-node, `Webhooks.ts`.

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use till_core::keys::hmac;
use till_core::port::psp::Distrust;
use till_core::signature::SKEW_SECS_MAX;
use till_core::time::Timestamp;

/// More signatures than Stripe sends while two secrets overlap are not looked at.
const SIGNATURES_MAX: usize = 8;

/// Whether one of `secrets` signed these bytes within five minutes of `now`, before or after.
///
/// # Errors
/// [`Distrust::Unsigned`] without a readable time; [`Distrust::BadSignature`], also when there is no secret;
/// [`Distrust::OutsideWindow`] when the signature is right and the time is not.
pub(crate) fn verify(secrets: &[SecretString], header: &str, body: &[u8], now: Timestamp) -> Result<(), Distrust> {
    let items = || header.split(',').filter_map(|item| item.trim().split_once('='));
    let time = items().find_map(|(name, value)| (name == "t").then_some(value)).ok_or(Distrust::Unsigned)?;
    let digits = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
    let secs: i64 = time.parse().ok().filter(|_| digits).ok_or(Distrust::Unsigned)?;
    let given = items().filter(|(name, _)| *name == "v1").take(SIGNATURES_MAX);
    let given: Vec<Vec<u8>> = given.filter_map(|(_, value)| hex::decode(value).ok()).collect();
    let message = [time.as_bytes(), b".", body].concat();
    let signed =
        secrets.iter().map(|secret| secret.expose_secret()).filter(|secret| !secret.is_empty()).any(|secret| {
            let mac = hmac(secret.as_bytes(), &message);
            given.iter().any(|given| mac.ct_eq(given.as_slice()).into())
        });
    if !signed {
        return Err(Distrust::BadSignature);
    }
    if secs.abs_diff(now.secs()) > SKEW_SECS_MAX { Err(Distrust::OutsideWindow) } else { Ok(()) }
}
