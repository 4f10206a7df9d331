//! Signatures, as Slack's SDKs publish them and as somebody would forge them.

use crate::signature::verify;
use serde_json::Value;
use till_core::keys::hmac;
use till_core::port::psp::Distrust;
use till_core::time::Timestamp;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/vectors.json");
const BODY: &[u8] = b"command=%2Fpay&text=25+EUR";

fn judged(secret: &str, time: &str, signature: &str, now: i64) -> Result<(), Distrust> {
    verify(&secret.to_owned().into(), time, signature, BODY, Timestamp::from_secs(now))
}

fn signed(secret: &str, time: &str) -> String {
    let mac = hmac(secret.as_bytes(), &[b"v0:", time.as_bytes(), b":", BODY].concat());
    format!("v0={}", hex::encode(mac))
}

#[test]
fn every_published_case_is_judged_as_published() {
    let Ok(text) = std::fs::read_to_string(VECTORS) else {
        let test = "till_slack tests::signed::every_published_case_is_judged_as_published";
        return till_core::contract::left_out(test, "no ../shared/vectors.json");
    };
    let all: Value = serde_json::from_str(&text).unwrap();
    let cases = all["slack"]["cases"].as_array().unwrap();
    for case in cases {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let judged = verify(
            &text(&case["secret"]).into(),
            &text(&case["headers"]["X-Slack-Request-Timestamp"]),
            &text(&case["headers"]["X-Slack-Signature"]),
            text(&case["payload"]).as_bytes(),
            Timestamp::from_secs(case["verify_at"].as_i64().unwrap()),
        );
        assert_eq!(judged.is_ok(), case["valid"] == true, "{case}: {judged:?}");
    }
    assert!(cases.len() >= 4, "{} cases", cases.len());
}

#[test]
fn a_signature_holds_for_five_minutes_both_ways_and_for_its_own_time_alone() {
    let good = signed("s", "1000000");
    for (now, expected) in [
        (1_000_000, Ok(())),
        (1_000_300, Ok(())),
        (999_700, Ok(())),
        (1_000_301, Err(Distrust::OutsideWindow)),
        (999_699, Err(Distrust::OutsideWindow)),
    ] {
        assert_eq!(judged("s", "1000000", &good, now), expected, "{now}");
    }
    assert_eq!(judged("s", "1000001", &good, 1_000_000), Err(Distrust::BadSignature));
    assert_eq!(judged("t", "1000000", &good, 1_000_000), Err(Distrust::BadSignature));
}

#[test]
fn what_is_not_signed_is_not_believed() {
    let good = signed("s", "1000000");
    let bare = good.trim_start_matches("v0=");
    for (time, signature) in [
        ("", &*good),
        ("+1000000", &good),
        ("1000000 ", &good),
        ("99999999999999999999", &good),
        ("1000000", ""),
        ("1000000", bare),
        ("1000000", "v0="),
        ("1000000", "v0=zz"),
        ("1000000", &good[..40]),
        ("1000000", &format!("v1={bare}")),
        ("1000000", &format!("{good}00")),
    ] {
        assert!(judged("s", time, signature, 1_000_000).is_err(), "{time} {signature}");
    }
    assert!(judged("", "1000000", &signed("", "1000000"), 1_000_000).is_err(), "no secret believes nothing");
}
