//! Slack's signature on what it posts to us: who sent these bytes, and when.
//!
//! ```text
//! x-slack-request-timestamp: 1795372200
//! x-slack-signature: v0=<hex>                 HMAC-SHA256 of `v0:timestamp:body`, with the app's signing secret
//! ```
//! Source: Slack docs, "Verifying requests from Slack". A replay is refused five minutes after it was signed.

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use till_core::keys::hmac;
use till_core::port::psp::Distrust;
use till_core::signature::SKEW_SECS_MAX;
use till_core::time::Timestamp;

/// Whether `secret` signed these bytes within five minutes of `now`, before or after.
///
/// # Errors
/// [`Distrust::Unsigned`] without a readable time or signature; [`Distrust::BadSignature`];
/// [`Distrust::OutsideWindow`] when the signature is right and the time is not.
pub(crate) fn verify(
    secret: &SecretString,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Distrust> {
    let digits = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let secs: i64 = timestamp.parse().ok().filter(|_| digits).ok_or(Distrust::Unsigned)?;
    let given = signature.strip_prefix("v0=").and_then(|hex| hex::decode(hex).ok()).ok_or(Distrust::Unsigned)?;
    let secret = secret.expose_secret();
    let mac = hmac(secret.as_bytes(), &[b"v0:", timestamp.as_bytes(), b":", body].concat());
    if secret.is_empty() || !bool::from(mac.ct_eq(given.as_slice())) {
        return Err(Distrust::BadSignature);
    }
    if secs.abs_diff(now.secs()) > SKEW_SECS_MAX { Err(Distrust::OutsideWindow) } else { Ok(()) }
}
