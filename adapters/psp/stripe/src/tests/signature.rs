//! Signatures on deliveries, as Stripe's SDKs publish them and as somebody would forge them.

use super::*;
use crate::signature::verify;
use till_core::keys::hmac;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/vectors.json");
const BODY: &[u8] = b"{\"id\":\"evt_1\"}";

fn judged(secrets: &[&str], header: &str, body: &[u8], now: i64) -> Result<(), Distrust> {
    let secrets: Vec<_> = secrets.iter().map(|&secret| secret.to_owned().into()).collect();
    verify(&secrets, header, body, Timestamp::from_secs(now))
}

fn mac(secret: &str, time: &str) -> String {
    hex::encode(hmac(secret.as_bytes(), &[time.as_bytes(), b".", BODY].concat()))
}

#[test]
fn every_published_case_is_judged_as_published() {
    let Ok(text) = std::fs::read_to_string(VECTORS) else {
        let test = "till_stripe tests::signature::every_published_case_is_judged_as_published";
        return till_core::contract::left_out(test, "no ../shared/vectors.json");
    };
    let all: Value = serde_json::from_str(&text).unwrap();
    let (mut macs, mut headers) = (0, 0);
    for case in all["stripe"]["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap_or_else(|| panic!("{name} of {case}"));
        match text("kind") {
            "hmac_hex" => {
                let mac = hmac(text("secret").as_bytes(), text("message").as_bytes());
                assert_eq!(hex::encode(mac), text("expected"), "{case}");
                macs += 1;
            }
            "header" => {
                let now = case["verify_at"].as_i64().unwrap();
                let judged = judged(&[text("secret")], text("header"), text("payload").as_bytes(), now);
                // What the SDKs let through from far ahead is marked so, as refused: so are we.
                assert_eq!(judged.is_ok(), case["valid"] == true, "{case}: {judged:?}");
                headers += 1;
            }
            other => panic!("a kind of case that nobody judges: {other}"),
        }
    }
    assert!(macs >= 3 && headers >= 11, "{macs} and {headers} cases");
}

#[test]
fn a_published_delivery_is_believed_as_a_whole() {
    let Ok(text) = std::fs::read_to_string(VECTORS) else {
        let test = "till_stripe tests::signature::a_published_delivery_is_believed_as_a_whole";
        return till_core::contract::left_out(test, "no ../shared/vectors.json");
    };
    let all: Value = serde_json::from_str(&text).unwrap();
    let cases = all["stripe"]["cases"].as_array().unwrap();
    let thin = cases.iter().find(|case| case["object"] == "v2.core.event").unwrap();
    let text = |name: &str| thin[name].as_str().unwrap().to_owned();
    let headers =
        [("content-type".to_owned(), "application/json".to_owned()), ("stripe-signature".to_owned(), text("header"))];
    let (at, now) = (Account { webhook_secrets: vec![text("secret").into()], ..account() }, thin["verify_at"].as_i64());
    let payload = text("payload");
    let delivery = Delivery { headers: &headers, body: payload.as_bytes() };
    let judged = done(Stripe.verify(&Script::default(), &at, delivery, Timestamp::from_secs(now.unwrap())));
    assert_eq!(judged, Ok(vec![Evidence::Foreign]), "a meter is nothing of ours");
}

#[test]
fn a_signature_counts_for_five_minutes_to_either_side() {
    let at = NOW.secs();
    let header = format!("t={at},v1={}", mac("whsec_a", &at.to_string()));
    for (now, judged_as) in [
        (at, Ok(())),
        (at + 300, Ok(())),
        (at - 300, Ok(())),
        (at + 301, Err(Distrust::OutsideWindow)),
        (at - 301, Err(Distrust::OutsideWindow)),
    ] {
        assert_eq!(judged(&["whsec_a"], &header, BODY, now), judged_as, "{}", now - at);
    }
    assert_eq!(judged(&["whsec_b"], &header, BODY, at + 301), Err(Distrust::BadSignature), "a stranger learns no time");
}

#[test]
fn while_a_secret_is_rolled_either_side_may_have_two() {
    let (at, time) = (NOW.secs(), NOW.secs().to_string());
    let (old, new) = (mac("whsec_old", &time), mac("whsec_new", &time));
    let both = format!("t={at},v1={old},v1={new},v0={old}");
    for secrets in [&["whsec_old"][..], &["whsec_new"], &["whsec_new", "whsec_old"], &["whsec_other", "whsec_new"]] {
        assert_eq!(judged(secrets, &both, BODY, at), Ok(()), "{secrets:?}");
    }
    assert_eq!(judged(&["whsec_new", "whsec_old"], &format!("t={at},v1={old}"), BODY, at), Ok(()));
    assert_eq!(judged(&["whsec_other"], &both, BODY, at), Err(Distrust::BadSignature));
    // The fake signs as while rolling; both secrets must do.
    let signed = fake_stripe::signature(&["whsec_old".into(), "whsec_new".into()], NOW, BODY);
    assert_eq!(
        (judged(&["whsec_old"], &signed, BODY, at), judged(&["whsec_new"], &signed, BODY, at)),
        (Ok(()), Ok(()))
    );
}

#[test]
fn nothing_else_makes_a_header_good() {
    let (at, time) = (NOW.secs(), NOW.secs().to_string());
    let good = mac("whsec_a", &time);
    let bad = Err(Distrust::BadSignature);
    let unsigned = Err(Distrust::Unsigned);
    for (header, judged_as) in [
        (format!("v1={good}"), unsigned),
        (String::new(), unsigned),
        ("bad_header".into(), unsigned),
        (",,,=,==".into(), unsigned),
        (format!("t=,v1={good}"), unsigned),
        (format!("t=-{at},v1={good}"), unsigned),
        (format!("t=+{at},v1={good}"), unsigned),
        (format!("t={at}.0,v1={good}"), unsigned),
        (format!("t=99999999999999999999,v1={good}"), unsigned),
        (format!("T={at},V1={good}"), unsigned),
        (format!("t={at}"), bad),
        (format!("t={at},v1="), bad),
        (format!("t={at},v1={}", &good[2..]), bad),
        (format!("t={at},v1={good}00"), bad),
        (format!("t={at},v1={}", "é".repeat(32)), bad),
        (format!("t={at},v0={good}"), bad),
        (format!("t={at},v2={good}"), bad),
        (format!("t={at},v1={}", mac("whsec_a", "")), bad),
        (format!("t=0{at},v1={good}"), bad),
        // The first time counts, and it must be the one that is signed.
        (format!("t={},t={at},v1={good}", at - 1), bad),
        (format!("t={at},t={},v1={good}", at - 1000), Ok(())),
        (format!("t={at}, v1={good}"), Ok(())),
        (format!("v1={good},t={at}"), Ok(())),
        (format!("t={at},x=y,v1=zz,v1={good}"), Ok(())),
        (format!("t={at},v1={}", good.to_uppercase()), Ok(())),
    ] {
        assert_eq!(judged(&["whsec_a"], &header, BODY, at), judged_as, "{header}");
    }
}

#[test]
fn a_header_of_thousands_of_signatures_costs_no_more_than_one_of_a_few() {
    let (at, time) = (NOW.secs(), NOW.secs().to_string());
    let (good, junk) = (mac("whsec_a", &time), ",v1=00".repeat(5000));
    assert_eq!(judged(&["whsec_a"], &format!("t={at},v1={good}{junk}"), BODY, at), Ok(()));
    assert_eq!(judged(&["whsec_a"], &format!("t={at}{junk},v1={good}"), BODY, at), Err(Distrust::BadSignature));
}

#[test]
fn without_a_secret_nothing_is_believed() {
    let (at, time) = (NOW.secs(), NOW.secs().to_string());
    let empty = format!("t={at},v1={}", mac("", &time));
    assert_eq!(judged(&[], &empty, BODY, at), Err(Distrust::BadSignature));
    assert_eq!(judged(&[""], &empty, BODY, at), Err(Distrust::BadSignature));
    let good = format!("t={at},v1={}", mac("whsec_a", &time));
    assert_eq!(judged(&["", "whsec_a"], &good, BODY, at), Ok(()), "an empty one beside a good one");
    // The prefix belongs to the secret.
    assert_eq!(judged(&["a"], &good, BODY, at), Err(Distrust::BadSignature));
}
