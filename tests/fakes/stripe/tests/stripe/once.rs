//! A key is used once: the same call gets the same bytes, another one is refused, and what never began is not kept.

use crate::stand::{KEY, ORDER, SESSIONS, Stand, id, refusal};
use fake_stripe::{Call, Fault, Reply};
use serde_json::{Value, json};

#[test]
fn the_same_call_gets_the_same_bytes_for_a_day() {
    let stand = Stand::new();
    let first = stand.post_under("k1", SESSIONS, &ORDER);
    stand.stripe.pay(&id(&first)).unwrap();
    stand.pass(23 * 3600);
    let again = stand.post_under("k1", SESSIONS, &ORDER);
    assert_eq!(again.body, first.body, "as it was then, not as it is now");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!(first.header("idempotency-key"), Some("k1"));
    stand.pass(2 * 3600);
    assert_ne!(id(&stand.post_under("k1", SESSIONS, &ORDER)), id(&first), "forgotten after a day");
    assert_eq!(stand.stripe.sessions().len(), 2);
}

#[test]
fn another_call_under_the_key_is_refused() {
    let stand = Stand::new();
    stand.post_under("k1", SESSIONS, &ORDER);
    let mut other = ORDER;
    other[2].1 = "1251";
    let answer = stand.post_under("k1", SESSIONS, &other);
    assert_eq!(answer.json()["error"]["type"], "idempotency_error");
    assert_eq!(refusal(&answer).0, 400);
    assert!(refusal(&answer).3.contains("the same parameters"), "{}", refusal(&answer).3);
    let elsewhere = stand.post_under("k1", "/v1/refunds", &[("payment_intent", "pi_x")]);
    assert!(refusal(&elsewhere).3.contains("('/v1/refunds' vs '/v1/checkout/sessions')"), "{}", refusal(&elsewhere).3);
    let long = "k".repeat(256);
    assert_eq!(stand.post_under(&long, SESSIONS, &ORDER).status, 400);
    assert_eq!(stand.post_under(&long[1..], SESSIONS, &ORDER).status, 200);
}

#[test]
fn only_what_began_is_kept() {
    let stand = Stand::new();
    let intent = stand.paid();
    let too_much = [("payment_intent", &*intent), ("amount", "2501")];
    let first = stand.post_under("k1", "/v1/refunds", &too_much);
    assert_eq!(stand.post_under("k1", "/v1/refunds", &too_much).header("idempotent-replayed"), Some("true"));
    assert_eq!(first.status, 400);
    let wrong = [("payment_intent", &*intent), ("amount", "x")];
    assert_eq!(stand.post_under("k2", "/v1/refunds", &wrong).status, 400);
    let right = stand.post_under("k2", "/v1/refunds", &[("payment_intent", &*intent), ("amount", "5")]);
    assert_eq!(right.status, 200, "the key of a call that did not fit is free");
    stand.stripe.fail_next("/v1/refunds", Fault::RateLimit { retry_after_secs: Some(3) });
    let form = [("payment_intent", &*intent), ("amount", "7")];
    let limited = stand.post_under("k3", "/v1/refunds", &form);
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("3")));
    assert_eq!(limited.header("stripe-should-retry"), Some("true"));
    assert_eq!(stand.post_under("k3", "/v1/refunds", &form).status, 200);
}

#[test]
fn an_error_of_stripe_s_own_is_kept_whether_it_was_done_or_not() {
    for (fault, refunds) in [(Fault::ErrorBefore, 0), (Fault::ErrorAfter, 1)] {
        let stand = Stand::new();
        let intent = stand.paid();
        let form = [("payment_intent", &*intent)];
        stand.stripe.fail_next("POST /v1/refunds", fault);
        assert_eq!(stand.get("/v1/refunds").status, 200, "it was ordered for another method");
        let first = stand.post_under("k1", "/v1/refunds", &form);
        let again = stand.post_under("k1", "/v1/refunds", &form);
        assert_eq!((first.status, &first.body, again.status), (500, &again.body, 500));
        assert_eq!(stand.stripe.all("refund").len(), refunds);
    }
}

#[test]
fn a_lost_answer_is_found_again_under_its_key() {
    let stand = Stand::new();
    let call = Call::new("POST", SESSIONS).bearer(KEY).header("idempotency-key", "k1").form(&ORDER);
    stand.stripe.fail_next(SESSIONS, Fault::LostBefore);
    stand.stripe.fail_next(SESSIONS, Fault::LostAfter);
    assert_eq!(stand.stripe.reply(&call), Reply::Unsent);
    assert!(stand.stripe.sessions().is_empty());
    assert_eq!(stand.stripe.reply(&call), Reply::Unanswered);
    let found = stand.stripe.answer(&call);
    assert_eq!(found.header("idempotent-replayed"), Some("true"));
    assert_eq!(stand.stripe.sessions().len(), 1);
    assert_eq!(stand.stripe.recorded().len(), 2, "what was not sent did not arrive");
}

#[test]
fn a_key_means_nothing_to_a_read() {
    let stand = Stand::new();
    let call = Call::new("GET", "/v1/balance").bearer(KEY).header("idempotency-key", "k1");
    let answer = stand.stripe.answer(&call);
    assert_eq!((answer.status, answer.header("idempotency-key")), (200, None));
    stand.paid();
    let read = stand.stripe.answer(&call).json();
    assert_ne!(read["available"][0]["amount"], json!(0));
    assert_eq!(read["available"][0]["currency"], Value::from("eur"));
}
