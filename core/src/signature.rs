//! Signatures on webhooks: who sent these bytes, and when.
//!
//! ```text
//! webhook-id: evt_1
//! webhook-timestamp: 1795372200                 seconds; the time of this try, not of the event
//! webhook-signature: v1,<base64> v1,<base64>    HMAC-SHA256 of `id.timestamp.body`; one per secret in use
//! ```
//! Source: standard-webhooks, `spec/standard-webhooks` 1.0.0, "Signature scheme" and "Webhook headers".
//!
//! Deliberately absent: a switch that turns checking off (without a secret nothing is believed), and `v1a`, the
//! asymmetric scheme, which is refused like any signature that we hold no key for.

use crate::keys::hmac;
use crate::port::psp::Distrust;
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// How far a signed time may lie from our clock, before and after, in seconds.
///
/// Source: standard-webhooks SDKs, `WEBHOOK_TOLERANCE_IN_SECONDS`.
pub const SKEW_SECS_MAX: u64 = 300;

/// The secret is not base64 (with or without `whsec_` before it), or is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the webhook secret is not `whsec_` and base64")]
pub struct BadSecret;

/// The `webhook-signature` of a delivery: `v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=`.
///
/// # Errors
/// [`BadSecret`]: the configuration is wrong; nothing was signed.
pub fn sign(secret: &SecretString, id: &str, at: Timestamp, body: &[u8]) -> Result<String, BadSecret> {
    let mac = mac(secret, id, &at.secs().to_string(), body)?;
    Ok(format!("v1,{}", STANDARD.encode(mac)))
}

/// Whether one of `secrets` signed these bytes, within [`SKEW_SECS_MAX`] of `now`.
///
/// An id with a full stop is refused: `a.1` and the time 2 sign the same bytes as `a`, 1 and a body that begins `2.`.
///
/// # Errors
/// [`Distrust::Unsigned`] for an id or time that cannot be one; [`Distrust::BadSignature`], also when there is no
/// secret; [`Distrust::OutsideWindow`] when the signature is right and the time is not.
pub fn verify(
    secrets: &[SecretString],
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Distrust> {
    let secs = seconds(timestamp).ok_or(Distrust::Unsigned)?;
    if id.is_empty() || id.contains('.') {
        return Err(Distrust::Unsigned);
    }
    let given: Vec<Vec<u8>> =
        signature.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok()).collect();
    let signed = secrets.iter().any(|secret| {
        mac(secret, id, timestamp, body).is_ok_and(|mac| given.iter().any(|given| mac.ct_eq(given).into()))
    });
    if !signed {
        return Err(Distrust::BadSignature);
    }
    if secs.abs_diff(now.secs()) > SKEW_SECS_MAX { Err(Distrust::OutsideWindow) } else { Ok(()) }
}

fn seconds(timestamp: &str) -> Option<i64> {
    timestamp.bytes().all(|byte| byte.is_ascii_digit()).then(|| timestamp.parse().ok())?
}

fn mac(secret: &SecretString, id: &str, timestamp: &str, body: &[u8]) -> Result<[u8; 32], BadSecret> {
    let text = secret.expose_secret();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| BadSecret)?;
    if key.is_empty() {
        return Err(BadSecret);
    }
    Ok(hmac(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::left_out;
    use serde_json::Value;

    const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors.json");

    fn secret(text: &str) -> SecretString {
        text.to_owned().into()
    }

    #[test]
    fn every_published_vector_is_judged_as_published() {
        let Ok(text) = std::fs::read_to_string(VECTORS) else {
            return left_out("signature::every_published_vector_is_judged_as_published", "no ../shared/vectors.json");
        };
        let all: Value = serde_json::from_str(&text).unwrap();
        let cases = all["standard_webhooks"]["cases"].as_array().unwrap();
        assert!(cases.len() >= 9, "{} cases", cases.len());
        for case in cases {
            let text = |of: &Value| of.as_str().unwrap().to_owned();
            let header = |name: &str| text(&case["headers"][name]);
            let (id, at, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
            let secrets: Vec<SecretString> = case["secret"].as_str().map(secret).into_iter().collect();
            let now = Timestamp::from_secs(case["verify_at"].as_i64().unwrap());
            let judged = verify(&secrets, &id, &at, &signature, text(&case["payload"]).as_bytes(), now);
            // The asymmetric scheme has no secret that we could hold: not spoken, so refused.
            let believed = case["valid"].as_bool().unwrap() && case["public_key"].is_null();
            assert_eq!(judged.is_ok(), believed, "{}: {judged:?}", case["name"]);
        }
    }

    #[test]
    fn what_we_sign_we_believe_for_five_minutes_both_ways() {
        let (secret, at) = (secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Timestamp::from_secs(1_795_372_200));
        let signature = sign(&secret, "evt_1", at, b"{}").unwrap();
        let judge = |secs: i64| {
            let now = Timestamp::from_secs(at.secs() + secs);
            verify(std::slice::from_ref(&secret), "evt_1", "1795372200", &signature, b"{}", now)
        };
        assert_eq!([-301, -300, 0, 300, 301].map(|secs| judge(secs).is_ok()), [false, true, true, true, false]);
        assert_eq!(judge(301), Err(Distrust::OutsideWindow));
    }

    #[test]
    fn an_older_secret_still_counts_and_no_secret_never_does() {
        let (old, new, at) = (secret("b2xk"), secret("whsec_bmV3"), Timestamp::from_secs(1000));
        let signature = sign(&old, "a", at, b"x").unwrap();
        let judge = |secrets: &[SecretString]| verify(secrets, "a", "1000", &signature, b"x", at);
        assert_eq!(judge(&[new.clone(), old]), Ok(()));
        assert_eq!(judge(&[new]), Err(Distrust::BadSignature));
        assert_eq!(judge(&[]), Err(Distrust::BadSignature));
        assert_eq!(judge(&[secret(""), secret("whsec_"), secret("not base64!")]), Err(Distrust::BadSignature));
        assert_eq!(sign(&secret("whsec_"), "a", at, b""), Err(BadSecret));
    }

    #[test]
    fn headers_that_cannot_be_signed_are_unsigned() {
        let (secret, at) = (secret("c2VjcmV0"), Timestamp::from_secs(1000));
        let judge = |id: &str, time: &str, text: &str| verify(std::slice::from_ref(&secret), id, time, text, b"", at);
        let good = sign(&secret, "a", at, b"").unwrap();
        for (id, time) in [
            ("", "1000"),
            ("a.1", "1000"),
            ("a", ""),
            ("a", "+1000"),
            ("a", "1e3"),
            ("a", "-1"),
            ("a", "9999999999999999999"),
        ] {
            assert_eq!(judge(id, time, &good), Err(Distrust::Unsigned), "{id} {time}");
        }
        for wrong in ["", "v1", "v1,", "v1,é", "v1,AAAA", &good[3..], &good.replace("v1,", "v1a,")] {
            assert_eq!(judge("a", "1000", wrong), Err(Distrust::BadSignature), "{wrong}");
        }
        assert_eq!(judge("a", "1000", &format!("v2,x  {good} v1,y")), Ok(()));
    }
}
