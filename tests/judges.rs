//! Stripe's SDK as a judge: it is judged itself first, then it judges the fake Stripe and the adapter.

use crate::support::judge::Judge;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use fake_stripe::{Lie, Settings};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use till_core::contract::seeded::Seeded;
use till_core::id::{AccountId, CheckoutId, Code, PaymentId};
use till_core::money::{Currency, Money};
use till_core::order::{CheckoutOptions, CheckoutOrder, IdemKey, Line};
use till_core::port::psp::{Access, Account, AccountSettings, Delivery, Distrust, Evidence, News, Psp as _};
use till_core::time::Timestamp;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors.json");
const BODY: &str = "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"checkout.session.completed\"}";
const SECRET: &str = "whsec_judge";
const AT: i64 = 1_795_372_200;

fn construct(body: &str, header: &Value, now_s: i64) -> Value {
    json!({ "op": "construct", "body": body, "header": header, "secret": SECRET, "tolerance": 300, "now_s": now_s })
}

#[tokio::test]
async fn the_judge_is_the_version_that_is_pinned() {
    let Some(mut judge) = Judge::open("judges::the_judge_is_the_version_that_is_pinned") else { return };
    let pinned: Value = serde_json::from_str(include_str!("judges/stripe/package.json")).unwrap();
    let answer = judge.ask(&json!({ "op": "version" })).await;
    assert_eq!(answer["version"], pinned["dependencies"]["stripe"]);
    assert_eq!(answer["api_version"], "2026-10-28.endive");
}

#[tokio::test]
async fn the_judge_believes_its_own_signature_for_five_minutes_and_only_over_the_same_bytes() {
    let test = "judges::the_judge_believes_its_own_signature_for_five_minutes_and_only_over_the_same_bytes";
    let Some(mut judge) = Judge::open(test) else { return };
    let signed = judge.ask(&json!({ "op": "sign", "payload": BODY, "secret": SECRET, "timestamp": AT })).await;
    let header = &signed["header"];
    assert_eq!(signed["ok"], true, "{signed}");

    let believed = json!({ "ok": true, "id": "evt_1", "type": "checkout.session.completed" });
    assert_eq!(judge.ask(&construct(BODY, header, AT)).await, believed);
    assert_eq!(judge.ask(&construct(BODY, header, AT + 300)).await, believed);

    let late = judge.ask(&construct(BODY, header, AT + 301)).await;
    assert_eq!(late["error"], "StripeSignatureVerificationError: Timestamp outside the tolerance zone");
    let changed = judge.ask(&construct(&BODY.replace("evt_1", "evt_2"), header, AT)).await;
    assert_eq!(changed["type"], "StripeSignatureVerificationError", "{changed}");
    assert!(changed["error"].as_str().unwrap().contains("No signatures found matching"), "{changed}");
}

#[tokio::test]
async fn the_judge_reads_a_body_with_any_line_separator_and_survives_nonsense() {
    let test = "judges::the_judge_reads_a_body_with_any_line_separator_and_survives_nonsense";
    let Some(mut judge) = Judge::open(test) else { return };
    let body = "{\"id\":\"a\u{2028}b\u{2029}c\u{85}\",\n\"type\":\"t\"}\r\n";
    for nonsense in [json!({ "op": "pay" }), json!({ "op": "toString" }), json!({}), json!(7), Value::Null] {
        assert_eq!(judge.ask(&nonsense).await["ok"], false, "{nonsense}");
    }
    let signed = judge.ask(&json!({ "op": "sign", "payload": body, "secret": SECRET, "timestamp": AT })).await;
    let read = judge.ask(&construct(body, &signed["header"], AT)).await;
    assert_eq!(read, json!({ "ok": true, "id": "a\u{2028}b\u{2029}c\u{85}", "type": "t" }));
}

/// Two ways in which the SDK is not Till: it looks at age alone, and reads thin events by another call.
#[tokio::test]
async fn the_judge_judges_every_published_header_as_published() {
    let test = "judges::the_judge_judges_every_published_header_as_published";
    let Ok(text) = std::fs::read_to_string(VECTORS) else {
        return till_core::contract::left_out(test, "no ../shared/vectors.json");
    };
    let Some(mut judge) = Judge::open(test) else { return };
    let all: Value = serde_json::from_str(&text).unwrap();
    let cases = all["stripe"]["cases"].as_array().unwrap().iter().filter(|case| case["kind"] == "header");
    let mut judged = 0;
    for case in cases {
        let thin = case["object"] == "v2.core.event";
        let stricter = case["reject_reason"].as_str().is_some_and(|reason| reason.contains("stricter than SDK"));
        let mut question = json!({
            "op": if thin { "parse_thin" } else { "construct" },
            "body": case["payload"],
            "header": case["header"],
            "secret": case["secret"],
            "tolerance": case["tolerance_s"],
            "now_s": case["verify_at"],
        });
        let answer = judge.ask(&question).await;
        assert_eq!(answer["ok"], case["valid"] == true || stricter, "{}: {answer}", case["name"]);
        if thin {
            question["op"] = json!("construct");
            let answer = judge.ask(&question).await;
            assert!(answer["error"].as_str().unwrap().contains("thin event notification"), "{answer}");
        }
        judged += 1;
    }
    assert!(judged >= 11, "{judged} cases");
}

/// Answers with what it was asked, one event per page, and a refusal in Stripe's shape.
async fn stand_in() -> String {
    let create = async |headers: HeaderMap, body: String| {
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Json(json!({
            "id": "cs_1",
            "object": "checkout.session",
            "asked": [header("authorization"), header("idempotency-key"), header("stripe-account"), body],
        }))
    };
    let expire = async || {
        let error = json!({ "type": "invalid_request_error", "code": "c", "param": "p", "message": "no" });
        (StatusCode::BAD_REQUEST, Json(json!({ "error": error })))
    };
    let events = async |RawQuery(query): RawQuery| {
        let last = query.unwrap_or_default().contains("starting_after=evt_1");
        let event = json!({ "id": if last { "evt_2" } else { "evt_1" }, "object": "event" });
        Json(json!({ "object": "list", "url": "/v1/events", "has_more": !last, "data": [event] }))
    };
    let routes = Router::new()
        .route("/v1/checkout/sessions", post(create))
        .route("/v1/checkout/sessions/cs_1/expire", post(expire))
        .route("/v1/events", get(events));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    base
}

#[tokio::test]
async fn the_judge_calls_the_host_it_is_given_and_no_other() {
    let Some(mut judge) = Judge::open("judges::the_judge_calls_the_host_it_is_given_and_no_other") else { return };
    let base = stand_in().await;
    let call = |op: &str, call: &str, params: Value| json!({ "op": op, "base": base, "key": "sk_test_1", "call": call, "params": params });

    let mut create = call("api", "checkout.sessions.create", json!([{ "mode": "payment" }]));
    create["options"] = json!({ "idempotencyKey": "key-1", "stripeAccount": "acct_1" });
    let created = judge.ask(&create).await;
    assert_eq!(created["object"]["asked"], json!(["Bearer sk_test_1", "key-1", "acct_1", "mode=payment"]), "{created}");

    let refused = judge.ask(&call("api", "checkout.sessions.expire", json!(["cs_1"]))).await;
    assert_eq!(
        refused,
        json!({
            "ok": false,
            "error": "StripeInvalidRequestError: no",
            "type": "StripeInvalidRequestError",
            "raw_type": "invalid_request_error",
            "code": "c",
            "param": "p",
            "message": "no",
            "status": 400,
        })
    );

    let listed = judge.ask(&call("list", "events.list", json!({ "limit": 1 }))).await;
    let ids: Vec<&Value> = listed["objects"].as_array().unwrap().iter().map(|event| &event["id"]).collect();
    assert_eq!(ids, ["evt_1", "evt_2"]);

    let mut elsewhere = create.clone();
    elsewhere["base"] = json!("https://stripe.example");
    let answer = judge.ask(&elsewhere).await;
    assert_eq!(answer["error"], "Error: `stripe.example` is not this computer");
    let unknown = judge.ask(&call("api", "checkout.sessions.pay", json!([]))).await;
    assert_eq!(unknown["error"], "Error: the SDK has no call `checkout.sessions.pay`");
}

const NOW: Timestamp = Timestamp::from_secs(AT);
const KEY: &str = "sk_test_51TillShopSecret";

/// A fake Stripe with an endpoint that hears everything.
fn fake() -> fake_stripe::Stripe {
    let settings = Settings::test().endpoint("https://till.example/hook", &[SECRET]);
    fake_stripe::Stripe::new(settings, 5, Arc::new(|| NOW))
}

fn account() -> Account {
    Account {
        id: AccountId::new("main"),
        base_url: "https://stripe.test".into(),
        secret: KEY.to_owned().into(),
        provider_account: "acct_1TillShopAAAAAAA".into(),
        livemode: false,
        webhook_secrets: vec![SECRET.to_owned().into()],
        since: Timestamp::default(),
        access: Access::Own,
        settings: AccountSettings::default(),
    }
}

/// Orders a payment of 25.00 EUR by way of the adapter.
async fn ordered(fake: &fake_stripe::Stripe, entropy: &mut Seeded) -> CheckoutId {
    let amount = Money::new(2500, Currency::parse("EUR").unwrap());
    let order = CheckoutOrder {
        payment: PaymentId::new(NOW, entropy),
        n: 1,
        code: Code::new(entropy),
        amount,
        lines: vec![Line { name: "caf\u{e9} \u{2028}\u{2615}".into(), quantity: 1, each: amount }],
        closes_at: Timestamp::from_secs(AT + 3600),
        return_url: "https://till.example/p/t".into(),
        locale: "en".into(),
        options: CheckoutOptions::default(),
    };
    let key = IdemKey::create(order.payment, 1);
    let made = till_stripe::Stripe.create(fake, &account(), &order, &key).await.unwrap();
    let News::Checkout { checkout, .. } = &made.news[0] else { panic!("{made:?}") };
    checkout.clone()
}

/// Something of every kind that can happen to a payment.
async fn a_busy_day(fake: &fake_stripe::Stripe) {
    let entropy = &mut Seeded::new(9);
    let mut session = async || ordered(fake, entropy).await;
    let declined = session().await;
    fake.decline(declined.as_str(), "insufficient_funds").unwrap();
    let intent = fake.pay(declined.as_str()).unwrap();
    let refund = fake.refund_by_hand(&intent, 700, Some("pending"));
    fake.refund_fails(&refund, "expired_or_canceled_card");
    let dispute = fake.dispute(&intent, 2500, true);
    for status in ["needs_response", "under_review", "won"] {
        fake.dispute_becomes(&dispute, status);
    }
    fake.fraud_warning(&intent);
    let review = fake.review_opens(&intent);
    fake.review_closes(&review, "approved");
    for settles in [true, false] {
        let debit = session().await;
        fake.debit(debit.as_str()).unwrap();
        if settles { fake.settle(debit.as_str()).unwrap() } else { fake.fail_debit(debit.as_str()).unwrap() }
    }
    fake.foreign_traffic(30);
}

#[tokio::test]
async fn the_judge_believes_every_delivery_of_the_fake_as_the_adapter_does() {
    let test = "judges::the_judge_believes_every_delivery_of_the_fake_as_the_adapter_does";
    let Some(mut judge) = Judge::open(test) else { return };
    let fake = fake();
    a_busy_day(&fake).await;
    let all = fake.deliveries();
    let kinds: BTreeSet<&str> = all.iter().map(|sent| sent.kind.as_str()).collect();
    assert!(kinds.len() >= 20 && all.len() > 100, "{} of {kinds:?}", all.len());
    for sent in &all {
        let body = std::str::from_utf8(&sent.body).unwrap();
        let answer = judge.ask(&construct(body, &Value::from(sent.signature(NOW)), AT)).await;
        assert_eq!(answer, json!({ "ok": true, "id": sent.event, "type": sent.kind }));
        let late = judge.ask(&construct(body, &Value::from(sent.signature(NOW)), AT + 301)).await;
        assert_eq!(late["ok"], false, "{late}");
        assert!(verified(&sent.body, &sent.signature(NOW), AT).await.is_ok(), "{}", sent.kind);
    }
}

#[tokio::test]
async fn the_judge_believes_either_secret_of_the_fake_while_one_is_rolled() {
    let test = "judges::the_judge_believes_either_secret_of_the_fake_while_one_is_rolled";
    let Some(mut judge) = Judge::open(test) else { return };
    let fake = fake();
    let endpoint = fake.all("webhook_endpoint")[0]["id"].as_str().unwrap().to_owned();
    fake.endpoint_secrets(&endpoint, &["whsec_old", SECRET]);
    fake.foreign_traffic(1);
    let sent = fake.deliveries().remove(0);
    let mut question = construct(std::str::from_utf8(&sent.body).unwrap(), &Value::from(sent.signature(NOW)), AT);
    for (secret, believed) in [(SECRET, true), ("whsec_old", true), ("whsec_other", false)] {
        question["secret"] = json!(secret);
        assert_eq!(judge.ask(&question).await["ok"], believed, "{secret}");
    }
}

#[tokio::test]
async fn the_judge_reads_a_thin_event_of_the_fake_as_a_thin_one() {
    let Some(mut judge) = Judge::open("judges::the_judge_reads_a_thin_event_of_the_fake_as_a_thin_one") else { return };
    let fake = fake();
    fake.foreign_traffic(1);
    let session = fake.sessions().remove(0);
    let mut lie = Lie::new("v1.checkout.session.completed", session.clone());
    lie.thin = true;
    let event = fake.event_with(lie);
    let sent = fake.deliveries().pop().unwrap();
    let mut question = construct(std::str::from_utf8(&sent.body).unwrap(), &Value::from(sent.signature(NOW)), AT);
    let refused = judge.ask(&question).await;
    assert!(refused["error"].as_str().unwrap().contains("thin event notification"), "{refused}");
    question["op"] = json!("parse_thin");
    let read = judge.ask(&question).await;
    assert_eq!((&read["ok"], &read["id"]), (&json!(true), &json!(event)), "{read}");
    assert_eq!(read["related_object"]["id"], session["id"]);
    assert_eq!(read["related_object"]["type"], "checkout.session");
}

async fn verified(body: &[u8], signature: &str, now_s: i64) -> Result<Vec<Evidence>, Distrust> {
    let headers = [("content-type", "application/json; charset=utf-8"), ("stripe-signature", signature)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let delivery = Delivery { headers: &headers, body };
    till_stripe::Stripe.verify(&fake(), &account(), delivery, Timestamp::from_secs(now_s)).await
}

#[tokio::test]
async fn the_adapter_believes_what_the_judge_signs_and_nothing_else() {
    let test = "judges::the_adapter_believes_what_the_judge_signs_and_nothing_else";
    let Some(mut judge) = Judge::open(test) else { return };
    let fake = fake();
    let session = ordered(&fake, &mut Seeded::new(3)).await;
    fake.pay(session.as_str()).unwrap();
    let sent = fake.deliveries().into_iter().find(|sent| sent.kind == "checkout.session.completed").unwrap();
    let body = std::str::from_utf8(&sent.body).unwrap();
    let mut sign = json!({ "op": "sign", "payload": body, "secret": SECRET, "timestamp": AT });
    let signed = judge.ask(&sign).await["header"].as_str().unwrap().to_owned();
    let evidence = verified(body.as_bytes(), &signed, AT + 299).await.unwrap();
    assert!(matches!(&evidence[..], [Evidence::Facts(report)] if report.event == sent.event), "{evidence:?}");
    let changed = body.replace("\"paid\"", "\"unpaid\"");
    assert_eq!(verified(changed.as_bytes(), &signed, AT).await, Err(Distrust::BadSignature));
    for far in [-301, 301] {
        assert_eq!(verified(body.as_bytes(), &signed, AT + far).await, Err(Distrust::OutsideWindow));
    }
    sign["secret"] = json!("whsec_other");
    let other = judge.ask(&sign).await["header"].as_str().unwrap().to_owned();
    assert_eq!(verified(body.as_bytes(), &other, AT).await, Err(Distrust::BadSignature));
}

/// The fake over real HTTP.
async fn served(fake: &fake_stripe::Stripe) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let routes = fake.router();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    base
}

#[tokio::test]
async fn the_judge_sells_with_the_fake_as_with_stripe() {
    let Some(mut judge) = Judge::open("judges::the_judge_sells_with_the_fake_as_with_stripe") else { return };
    let fake = fake();
    let base = served(&fake).await;
    let call = |call: &str, params: Value, key: Option<&str>| {
        let mut question = json!({ "op": "api", "base": base, "key": KEY, "call": call, "params": params });
        if let Some(key) = key {
            question["options"] = json!({ "idempotencyKey": key });
        }
        question
    };
    let product = json!({ "name": "coffee & cake" });
    let price = json!({ "currency": "eur", "unit_amount": 1250, "product_data": product });
    let order = json!({
        "mode": "payment", "success_url": "https://till.example/", "metadata": { "a": "1" },
        "line_items": [{ "quantity": 2, "price_data": price }],
    });
    let made = judge.ask(&call("checkout.sessions.create", json!([order]), Some("key-1"))).await;
    assert_eq!((&made["ok"], &made["object"]["amount_total"]), (&json!(true), &json!(2500)), "{made}");
    let again = judge.ask(&call("checkout.sessions.create", json!([order]), Some("key-1"))).await;
    assert_eq!(again["object"]["id"], made["object"]["id"], "the same key is the same session");
    let mut other = order.clone();
    other["metadata"]["a"] = json!("2");
    let taken = judge.ask(&call("checkout.sessions.create", json!([other]), Some("key-1"))).await;
    assert_eq!((&taken["type"], &taken["status"]), (&json!("StripeIdempotencyError"), &json!(400)), "{taken}");

    let id = made["object"]["id"].as_str().unwrap();
    let expand = json!([id, { "expand": ["payment_intent.latest_charge", "line_items"] }]);
    let intent = fake.pay(id).unwrap();
    let read = judge.ask(&call("checkout.sessions.retrieve", expand, None)).await;
    assert_eq!(read["object"]["payment_intent"]["latest_charge"]["amount"], 2500, "{read}");
    assert_eq!(read["object"]["line_items"]["data"][0]["quantity"], 2);
    let refund = json!([{ "payment_intent": intent, "amount": 500 }]);
    let refund = judge.ask(&call("refunds.create", refund, Some("key-2"))).await;
    assert_eq!((&refund["object"]["object"], &refund["object"]["status"]), (&json!("refund"), &json!("succeeded")));

    let closed = judge.ask(&call("checkout.sessions.expire", json!([id]), None)).await;
    assert_eq!((&closed["type"], &closed["status"]), (&json!("StripeInvalidRequestError"), &json!(400)), "{closed}");
    let open = judge.ask(&call("checkout.sessions.create", json!([order]), None)).await;
    let closed = judge.ask(&call("checkout.sessions.expire", json!([open["object"]["id"]]), None)).await;
    assert_eq!(closed["object"]["status"], "expired", "{closed}");
}

#[tokio::test]
async fn the_judge_hears_the_fakes_refusals_as_stripes() {
    let Some(mut judge) = Judge::open("judges::the_judge_hears_the_fakes_refusals_as_stripes") else { return };
    let fake = fake();
    let base = served(&fake).await;
    let call = |key: &str, call: &str, params: Value| json!({ "op": "api", "base": base, "key": key, "call": call, "params": params });
    fake.fail_next("GET /v1/disputes", fake_stripe::Fault::RateLimit { retry_after_secs: None });
    for (key, name, params, wanted) in [
        (
            KEY,
            "refunds.create",
            json!([{ "payment_intent": "pi_1", "made_up": 1 }]),
            ["StripeInvalidRequestError", "400", "parameter_unknown", "made_up"],
        ),
        (
            KEY,
            "checkout.sessions.create",
            json!([{ "mode": "payment" }]),
            ["StripeInvalidRequestError", "400", "parameter_missing", "success_url"],
        ),
        (
            KEY,
            "checkout.sessions.retrieve",
            json!(["cs_test_1"]),
            ["StripeInvalidRequestError", "404", "resource_missing", "session"],
        ),
        (KEY, "disputes.list", json!([{}]), ["StripeRateLimitError", "429", "rate_limit", ""]),
        ("sk_test_other", "events.list", json!([{}]), ["StripeAuthenticationError", "401", "", ""]),
    ] {
        let refused = judge.ask(&call(key, name, params)).await;
        let text = |name: &str| refused[name].as_str().unwrap_or_default().to_owned();
        assert_eq!([text("type"), refused["status"].to_string(), text("code"), text("param")], wanted, "{refused}");
        assert!(text("request_id").starts_with("req_"), "{refused}");
    }
}

#[tokio::test]
async fn the_judge_pages_through_all_events_of_the_fake() {
    let Some(mut judge) = Judge::open("judges::the_judge_pages_through_all_events_of_the_fake") else { return };
    let fake = fake();
    a_busy_day(&fake).await;
    let base = served(&fake).await;
    let mut question =
        json!({ "op": "list", "base": base, "key": KEY, "call": "events.list", "params": { "limit": 7 } });
    let ids =
        |all: &[Value]| -> Vec<String> { all.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect() };
    let mut known = ids(&fake.events());
    let newest_first: Vec<String> = known.iter().rev().cloned().collect();
    let listed = judge.ask(&question).await;
    assert_eq!(ids(listed["objects"].as_array().unwrap()), newest_first, "newest first, each once");
    question["params"] = json!({ "limit": 7, "ending_before": known[9] });
    let after = judge.ask(&question).await;
    // To this side the SDK goes from page to page and turns each around: oldest first.
    assert_eq!(ids(after["objects"].as_array().unwrap()), known.split_off(10));
}
