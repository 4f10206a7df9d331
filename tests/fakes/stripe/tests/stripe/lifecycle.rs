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
fn a_payer_abroad_sees_another_currency_and_the_amount_stays() {
    let stand = Stand::new();
    let plain: Vec<_> = ORDER.into_iter().chain([("adaptive_pricing[enabled]", "false")]).collect();
    assert!(stand.stripe.pay_abroad(&id(&stand.post(SESSIONS, &plain)), "usd", 2710).is_err());
    let session = stand.session();
    stand.stripe.pay_abroad(&session, "usd", 2710).unwrap();
    let read = stand.get(&format!("{SESSIONS}/{session}?expand[]=payment_intent")).json();
    assert_eq!((&read["currency"], &read["amount_total"]), (&json!("eur"), &json!(2500)));
    assert_eq!(
        (&read["payment_intent"]["currency"], &read["payment_intent"]["amount_received"]),
        (&json!("eur"), &json!(2500))
    );
    assert_eq!(read["payment_intent"]["presentment_details"]["presentment_currency"], "usd");
}

#[test]
fn an_order_without_cost_is_complete_without_an_intent() {
    let stand = Stand::new();
    let mut free = ORDER;
    free[2].1 = "0";
    let made = stand.post(SESSIONS, &free).json();
    assert_eq!(made["payment_status"], "no_payment_required");
    assert_eq!(stand.stripe.pay(made["id"].as_str().unwrap()).unwrap(), "");
    assert_eq!(stand.told(), ["checkout.session.completed"]);
}

#[test]
fn whoever_retries_under_one_key_never_makes_two() {
    let stand = Stand::new();
    stand.stripe.trouble(40);
    for payment in 0..200 {
        let (key, named) = (format!("till:{payment}:create:1"), payment.to_string());
        let mut form = ORDER;
        (form[6].1, form[8].1) = (&named, &named);
        let mut tries = 0;
        while stand.post_under(&key, SESSIONS, &form).status != 200 {
            tries += 1;
            assert!(tries < 50, "trouble is not for ever");
        }
    }
    stand.stripe.well();
    let held = stand.stripe.holds();
    assert_eq!(held.len(), 200);
    assert!(held.values().all(|holds| (holds.twins, holds.open) == (1, 1)));
    let statuses: std::collections::BTreeSet<u16> = stand.stripe.recorded().iter().map(|it| it.status).collect();
    assert_eq!(statuses, [200, 429].into());
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
