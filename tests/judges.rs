//! The judge is judged first: Stripe's SDK accepts, refuses and asks as its own documents say.

use crate::support::judge::Judge;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

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
