//! Every kind of failure, and who acts on it.

use super::*;
use crate::call::get;

/// What a refusal of Stripe's means.
fn fault(status: u16, headers: &[(&str, &str)], error: &Value) -> Fault {
    let body = json!({ "error": error }).to_string();
    of(answer(status, headers, &body))
}

fn of(answer: Result<Response, HttpError>) -> Fault {
    let http = Script::new(vec![answer]);
    done(get::<Value>(&http, &account(), "/v1/x")).err().expect("this is no answer")
}

fn invalid(code: Option<&str>, param: Option<&str>) -> Value {
    json!({"type": "invalid_request_error", "code": code, "param": param, "message": "No\n such luck."})
}

fn later(secs: Option<u64>, why: &str) -> Fault {
    Fault::Later { wait: secs.map(Duration::from_secs), why: why.into() }
}

#[test]
fn a_refusal_says_who_acts() {
    let said = || "No such luck.".to_owned();
    let none = invalid(None, None);
    let plain = |status| fault(status, &[], &none);
    assert_eq!((plain(401), plain(403)), (Fault::Credentials(said()), Fault::Credentials(said())));
    assert_eq!((plain(400), plain(402)), (Fault::Refused(said()), Fault::Refused(said())));
    let missing = invalid(Some("resource_missing"), Some("id"));
    assert_eq!(fault(404, &[], &missing), Fault::NotFound);
    // Seen on 2024-08-12 (estuary/connectors#1790): a page that begins after something that is gone is a 400.
    assert_eq!(fault(400, &[], &invalid(Some("resource_missing"), Some("starting_after"))), Fault::NotFound);
    assert_eq!(plain(404), Fault::Unreadable("status 404 `invalid_request_error`".into()), "a wrong address");
    assert_eq!(fault(400, &[], &json!({"type": "idempotency_error", "message": "x"})), Fault::KeyTaken);
    assert_eq!(fault(400, &[], &invalid(None, Some("expires_at"))), Fault::Outdated(said()));
    let lapsed = json!({"type": "card_error", "code": "expired_card", "message": "Your card has expired."});
    assert_eq!(fault(402, &[], &lapsed), Fault::Refused("Your card has expired.".into()));
    for code in ["amount_too_small", "amount_too_large", "charge_already_refunded", "charge_disputed"] {
        assert_eq!(fault(400, &[], &invalid(Some(code), Some("amount"))), Fault::Refused(code.into()));
    }
    for code in ["parameter_unknown", "parameter_missing", "charge_not_refundable", "a_code_of_tomorrow"] {
        assert_eq!(fault(400, &[], &invalid(Some(code), None)), Fault::Refused(said()), "{code}");
    }
    let silent = json!({"type": "invalid_request_error", "code": "a_code_of_tomorrow"});
    assert_eq!(fault(400, &[], &silent), Fault::Refused("status 400 `a_code_of_tomorrow`".into()));
}

#[test]
fn what_had_no_effect_is_tried_again_and_not_too_soon() {
    let limit = json!({"type": "invalid_request_error", "code": "rate_limit", "message": "x"});
    assert_eq!(fault(429, &[("retry-after", "7")], &limit), later(Some(7), "status 429 `rate_limit`"));
    let lock = json!({"type": "invalid_request_error", "code": "lock_timeout", "message": "x"});
    assert_eq!(fault(429, &[("stripe-should-retry", "true")], &lock), later(None, "status 429 `lock_timeout`"));
    let key = json!({"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "x"});
    assert_eq!(fault(409, &[], &key), later(None, "status 409 `idempotency_key_in_use`"));
    let none = invalid(None, None);
    for status in [400, 402, 404] {
        let asked = fault(status, &[("stripe-should-retry", "true"), ("retry-after", "2")], &none);
        assert_eq!(asked, later(Some(2), &format!("status {status} `invalid_request_error`")));
    }
    assert_eq!(fault(400, &[("stripe-should-retry", "false")], &none), Fault::Refused("No such luck.".into()));
}

#[test]
fn a_trouble_of_stripes_own_may_have_had_an_effect_and_one_that_repeats_is_looked_up() {
    let api = json!({"type": "api_error", "message": "x"});
    let repeated: [&[(&str, &str)]; 3] = [
        &[("idempotent-replayed", "true")],
        &[("stripe-should-retry", "false")],
        &[("stripe-should-retry", "true"), ("idempotent-replayed", "true")],
    ];
    for status in [500, 502, 503, 504] {
        for headers in [&[][..], &[("stripe-should-retry", "true")], &[("idempotent-replayed", "false")]] {
            assert_eq!(fault(status, headers, &api), Fault::Ambiguous(format!("status {status} `api_error`")));
        }
        for headers in repeated {
            assert_eq!(fault(status, headers, &api), Fault::KeyTaken, "{headers:?}");
        }
    }
}

#[test]
fn garbage_is_never_an_answer_and_never_a_refusal() {
    for body in ["", "<html>bad gateway</html>", "null", "[]", "7", "\"x\"", "{\"error\":null}", "{\"error\":\"x\"}"] {
        for status in [200, 201, 204, 302, 400, 402, 404, 418] {
            if status == 200 && serde_json::from_str::<Value>(body).is_ok() {
                continue;
            }
            assert!(matches!(of(answer(status, &[], body)), Fault::Unreadable(_)), "{status} {body}");
        }
        assert!(matches!(of(answer(500, &[], body)), Fault::Ambiguous(_)), "{body}");
        assert!(matches!(of(answer(429, &[], body)), Fault::Later { wait: None, .. }), "{body}");
        assert!(matches!(of(answer(401, &[], body)), Fault::Credentials(_)), "{body}");
    }
    for body in ["null", "[]", "{}", "{\"object\":\"list\",\"data\":[]}", "{\"id\":7}"] {
        let http = Script::new(vec![answer(200, &[], body)]);
        let found = done(Stripe.fetch(&http, &account(), &Ask::Checkout(CheckoutId::new("cs_1"))));
        assert!(matches!(found, Err(Fault::Unreadable(_))), "{body}: {found:?}");
    }
}

#[test]
fn a_lost_connection_says_whether_the_call_may_have_arrived() {
    assert_eq!(of(Err(HttpError::Unsent("x".into()))), later(None, "no connection: x"));
    assert_eq!(of(Err(HttpError::Unanswered("x".into()))), Fault::Ambiguous("no answer: x".into()));
    assert!(matches!(of(Err(HttpError::TooBig)), Fault::Unreadable(_)));
}

#[test]
fn no_key_ever_stands_in_the_text_of_a_fault() {
    for key in ["sk_live_51SECRET", "rk_test_51SECRET", "whsec_SECRET"] {
        for text in [format!("Invalid key: '{key}'"), format!("a\t{key}\nb"), format!("https://x/?k={key}&y")] {
            let said = json!({"type": text, "code": text, "message": text, "param": text});
            for status in [201, 400, 401, 402, 403, 404, 409, 418, 429, 500] {
                let fault = fault(status, &[], &said);
                let bare = of(answer(status, &[], &Value::from(text.clone()).to_string()));
                let http = Script::new(vec![answer(200, &[], &Value::from(text.clone()).to_string())]);
                let odd = done(Stripe.fetch(&http, &account(), &Ask::Checkout(CheckoutId::new("cs_1")))).unwrap_err();
                let shown = format!("{fault} {fault:?} {bare} {bare:?} {odd} {odd:?}");
                assert!(!shown.contains("SECRET"), "{shown}");
            }
            for error in [HttpError::Unsent(text.clone()), HttpError::Unanswered(text.clone())] {
                let fault = of(Err(error));
                assert!(!format!("{fault} {fault:?}").contains("SECRET"), "{fault}");
            }
        }
    }
}

#[test]
fn a_long_text_becomes_one_short_line() {
    let said = json!({"type": "x", "message": format!("a\r\n\tb\u{7} {}", "c".repeat(1000))});
    let Fault::Refused(text) = fault(400, &[], &said) else { panic!() };
    assert_eq!((text.chars().count(), &text[..5]), (300, "a b c"));
}
