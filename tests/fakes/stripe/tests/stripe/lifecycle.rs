//! What becomes of a session, and what is told of it.

use crate::stand::{NOW_SECS, ORDER, SESSIONS, Stand, id, refusal};
use serde_json::{Value, json};

#[test]
fn a_session_is_made_paid_and_read() {
    let stand = Stand::new();
    let made = stand.post(SESSIONS, &ORDER).json();
    let session = made["id"].as_str().unwrap();
    assert!(session.starts_with("cs_test_") && session.len() == 66, "{session}");
    assert_eq!(made["url"].as_str().unwrap().split('#').next(), Some(&*format!("http://stripe.test/c/pay/{session}")));
    let shown =
        |it: &Value| json!([it["status"], it["payment_status"], it["payment_intent"].is_null(), it["amount_total"]]);
    assert_eq!(shown(&made), json!(["open", "unpaid", true, 2500]));
    assert_eq!(made["expires_at"], NOW_SECS + 86_400);
    assert!(stand.told().is_empty(), "there is no event for a new session");

    stand.pass(60);
    let intent = stand.stripe.pay(session).unwrap();
    let path = format!("{SESSIONS}/{session}?expand[]=payment_intent.latest_charge&expand[]=line_items");
    let read = stand.get(&path).json();
    assert_eq!(shown(&read), json!(["complete", "paid", false, 2500]));
    assert_eq!(read["url"], Value::Null);
    assert_eq!(read["payment_intent"]["id"], intent);
    assert_eq!(read["payment_intent"]["latest_charge"]["created"], NOW_SECS + 60);
    assert_eq!(read["payment_intent"]["latest_charge"]["metadata"], json!({"till_payment": "p1"}));
    assert_eq!(read["line_items"]["data"][0]["quantity"], 2);
    let told = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"];
    assert_eq!(stand.told(), told);
    assert_eq!(stand.stripe.pay(session).unwrap_err().to_string(), format!("session `{session}` is not open"));
}

#[test]
fn a_decline_leaves_the_session_open_and_makes_the_intent() {
    let stand = Stand::new();
    let session = stand.session();
    let intent = stand.stripe.decline(&session, "insufficient_funds").unwrap();
    let read = stand.get(&format!("/v1/payment_intents/{intent}?expand[]=latest_charge")).json();
    assert_eq!(read["status"], "requires_payment_method");
    assert_eq!(read["last_payment_error"]["decline_code"], "insufficient_funds");
    assert_eq!(read["latest_charge"]["status"], "failed");
    assert_eq!(stand.told(), ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]);
    assert_eq!(stand.stripe.session(&session)["status"], "open");
    assert_eq!(stand.stripe.pay(&session).unwrap(), intent, "the next attempt is on the same intent");
    let charges = stand.get(&format!("/v1/charges?payment_intent={intent}")).json();
    let states: Vec<&Value> = charges["data"].as_array().unwrap().iter().map(|charge| &charge["status"]).collect();
    assert_eq!(states, ["succeeded", "failed"]);
}

#[test]
fn a_debit_is_complete_and_unpaid_until_it_settles_or_fails() {
    let stand = Stand::new();
    let (good, bad) = (stand.session(), stand.session());
    let state = |session: &str| {
        let it = stand.stripe.session(session);
        (it["status"].clone(), it["payment_status"].clone())
    };
    for session in [&good, &bad] {
        stand.stripe.debit(session).unwrap();
        assert_eq!(state(session), (json!("complete"), json!("unpaid")));
    }
    stand.stripe.settle(&good).unwrap();
    stand.stripe.fail_debit(&bad).unwrap();
    assert_eq!(state(&good), (json!("complete"), json!("paid")));
    assert_eq!(state(&bad), (json!("complete"), json!("unpaid")));
    assert!(stand.stripe.settle(&bad).is_err());
    let told = stand.told();
    assert_eq!(told.last().unwrap(), "checkout.session.async_payment_failed");
    assert!(told.contains(&"checkout.session.async_payment_succeeded".to_owned()), "{told:?}");
}

#[test]
fn a_session_is_closed_on_request_only_while_it_is_open() {
    let stand = Stand::new();
    let session = stand.session();
    let expire = format!("{SESSIONS}/{session}/expire");
    let closed = stand.post(&expire, &[]).json();
    assert_eq!((&closed["status"], &closed["url"]), (&json!("expired"), &Value::Null));
    let again = stand.post(&expire, &[]);
    let message = "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a \
                   status of `expired`.";
    assert_eq!(refusal(&again), (400, Value::Null, Value::Null, message.to_owned()));
    let nobody = stand.post(&format!("{SESSIONS}/cs_test_nobody/expire"), &[]);
    assert_eq!(refusal(&nobody).0, 404);
    let (_, event) = (stand.pass(1), &stand.stripe.events()[0]);
    assert!(event["request"]["id"].as_str().unwrap().starts_with("req_"), "an API call is named in its event");
}

#[test]
fn a_session_is_closed_by_the_clock_at_its_own_time() {
    let stand = Stand::new();
    let expires_at = (NOW_SECS + 1800).to_string();
    let form: Vec<_> = ORDER.into_iter().chain([("expires_at", &*expires_at)]).collect();
    let session = id(&stand.post(SESSIONS, &form));
    stand.stripe.decline(&session, "generic_decline").unwrap();
    stand.pass(1799);
    assert_eq!(stand.stripe.open(), std::slice::from_ref(&session));
    stand.pass(600);
    assert!(stand.stripe.open().is_empty());
    let event = stand.stripe.events().pop().unwrap();
    assert_eq!((&event["type"], &event["created"]), (&json!("checkout.session.expired"), &json!(NOW_SECS + 1800)));
    assert_eq!(event["request"], json!({"id": null, "idempotency_key": null}));
    assert_eq!(event["data"]["object"]["id"], session);
    assert!(stand.stripe.pay(&session).is_err());
}
