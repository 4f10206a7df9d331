use crate::stand::{KEY, Stand};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_call_under_a_key_is_done_once_and_another_is_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let order = stand.order();
    let first = stand.post("/v1/checkouts", "key 1", &order).await;
    assert_eq!(first.status, 200, "{first:?}");
    stand.pass(Duration::from_secs(60));
    let again = stand.post("/v1/checkouts", "key 1", &order).await;
    assert_eq!((again.status, &again.text), (200, &first.text), "byte for byte");

    let mut other = order.clone();
    other["lines"][0]["name"] = json!("tea");
    assert_eq!(stand.post("/v1/checkouts", "key 1", &other).await.error(), "409 idempotency_error");
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/checkouts/{id}/expire");
    assert_eq!(stand.post(&path, "key 1", &json!({})).await.error(), "409 idempotency_error");
    assert_eq!(stand.kinds().await, ["checkout.created"], "nothing else was done");

    stand.pass(Duration::from_secs(24 * 3600));
    let late = stand.post("/v1/checkouts", "key 1", &stand.order()).await.json();
    assert_ne!(late["id"], first.json()["id"], "after a day the key is free again");
}

#[tokio::test]
async fn a_refusal_belongs_to_its_key_and_a_body_that_cannot_be_read_uses_none() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let mut wrong = stand.order();
    wrong["amount"]["minor"] = json!(2501);
    let first = stand.post("/v1/checkouts", "k", &wrong).await;
    assert_eq!(first.error(), "422 lines");
    assert_eq!(stand.post("/v1/checkouts", "k", &wrong).await.text, first.text);
    assert_eq!(stand.post("/v1/checkouts", "k", &stand.order()).await.error(), "409 idempotency_error");

    let mut unknown = stand.order();
    unknown["coupon"] = json!("FREE");
    assert_eq!(stand.post("/v1/checkouts", "k2", &unknown).await.error(), "400 invalid_request");
    assert_eq!(stand.post("/v1/checkouts", "k2", &stand.order()).await.status, 200);
    assert_eq!(stand.post("/v1/checkouts", "", &stand.order()).await.error(), "400 invalid_request");
}

#[tokio::test]
async fn a_call_without_the_key_or_in_another_form_is_turned_away() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    for path in ["/v1/checkouts/co_1", "/v1/checkouts?payment=p&n=1", "/v1/refunds?payment=p&refund=r", "/v1/events"] {
        assert_eq!(stand.look(path).await.error(), "401 authentication", "{path}");
    }
    let send = async |kind: &'static str, key: &'static str, body: String| {
        let request = stand.client.post(format!("{}/v1/checkouts", stand.base)).bearer_auth(key);
        let request = request.header("content-type", kind).header("idempotency-key", "k").body(body);
        crate::stand::Got::of(request.send().await.unwrap()).await.error()
    };
    let good = stand.order().to_string();
    assert_eq!(send("application/json", "sk_test_other", good.clone()).await, "401 authentication");
    assert_eq!(send("text/plain", KEY, good.clone()).await, "415 content_type");
    assert_eq!(send("application/json", KEY, "{".into()).await, "400 invalid_request");
    assert_eq!(send("application/json", KEY, " ".repeat(65 << 10)).await, "413 too_large");
    assert_eq!(stand.get("/v1/nothing").await.error(), "404 not_found");
    assert_eq!(stand.get("/v1/checkouts?payment=p").await.error(), "400 invalid_request");
    assert_eq!(stand.kinds().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_checkout_is_found_by_id_and_by_labels() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let made = stand.post("/v1/checkouts", "k", &stand.order()).await.json();
    let shown = stand.get(&format!("/v1/checkouts/{}", made["id"].as_str().unwrap())).await.json();
    assert_eq!(shown, made);
    let found = stand.get("/v1/checkouts?payment=pay_1&n=1").await.json();
    assert_eq!(found, json!({"data": [made]}));
    for path in ["/v1/checkouts/co_0", "/v1/checkouts?payment=pay_1&n=2", "/v1/refunds?payment=pay_1&refund=ref_1"] {
        assert_eq!(stand.get(path).await.error(), "404 not_found", "{path}");
    }
    assert_eq!(
        shown,
        json!({
            "object": "checkout", "id": made["id"], "account": "acct_sandbox", "livemode": false, "status": "open",
            "payment_status": "unpaid", "amount": {"minor": 2500, "currency": "EUR"},
            "url": format!("{}/pay/{}", stand.base, made["id"].as_str().unwrap()),
            "expires_at_ms": stand.now().ms() + 3_600_000, "created_ms": stand.now().ms(),
            "updated_ms": stand.now().ms(), "now_ms": stand.now().ms(), "payment": null,
            "metadata": {"till_payment": "pay_1", "till_n": "1", "till_code": "K7Q2F9"},
        })
    );
}

#[tokio::test]
async fn refunds_never_exceed_what_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    let refund = |payment: &Value, minor: i64, currency: &str| {
        let labels = json!({"till_payment": "pay_1", "till_refund": format!("ref_{minor}")});
        json!({"payment": payment, "amount": {"minor": minor, "currency": currency}, "metadata": labels})
    };
    assert_eq!(stand.post("/v1/refunds", "r0", &refund(&json!("py_0"), 1, "EUR")).await.error(), "404 not_found");
    stand.press(&id, "ok").await;
    let paid = stand.get(&format!("/v1/checkouts/{id}")).await.json();
    let payment = &paid["payment"]["id"];
    let part = stand.post("/v1/refunds", "r1", &refund(payment, 1000, "EUR")).await;
    assert_eq!((part.status, &part.json()["status"]), (200, &json!("succeeded")));
    assert_eq!(stand.post("/v1/refunds", "r1", &refund(payment, 1000, "EUR")).await.text, part.text);
    for (key, minor, currency, error) in [
        ("r2", 1501, "EUR", "422 refund_too_large"),
        ("r3", 100, "USD", "422 currency"),
        ("r4", 0, "EUR", "422 amount"),
        ("r5", -5, "EUR", "422 amount"),
    ] {
        assert_eq!(stand.post("/v1/refunds", key, &refund(payment, minor, currency)).await.error(), error);
    }
    assert_eq!(stand.post("/v1/refunds", "r6", &refund(payment, 1500, "EUR")).await.status, 200);
    assert_eq!(stand.post("/v1/refunds", "r7", &refund(payment, 1, "EUR")).await.error(), "422 refund_too_large");
    let found = stand.get("/v1/refunds?payment=pay_1&refund=ref_1000").await.json();
    assert_eq!(found["data"], json!([part.json()]));
    let kinds = ["checkout.created", "checkout.completed", "refund.succeeded", "refund.succeeded"];
    assert_eq!(stand.kinds().await, kinds);
}

#[tokio::test]
async fn many_presses_at_once_pay_once() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    let requests = (0..20).map(|_| {
        let request = stand.client.post(format!("{}/pay/{id}", stand.base)).form(&[("card", "ok")]);
        tokio::spawn(async move { request.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned() })
    });
    let mut paid = 0;
    for answer in requests.collect::<Vec<_>>() {
        paid += usize::from(answer.await.unwrap().ends_with("?paid"));
    }
    assert_eq!((paid, stand.kinds().await), (1, vec!["checkout.created".into(), "checkout.completed".into()]));
}

#[tokio::test]
async fn a_checkout_closes_on_request_and_by_itself_and_never_when_paid() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let (asked, timed, paid) = (stand.created("a").await, stand.created("t").await, stand.created("p").await);
    let expire = async |id: &str, key: &str| stand.post(&format!("/v1/checkouts/{id}/expire"), key, &json!({})).await;
    assert_eq!(expire(&asked, "x1").await.json()["status"], "expired");
    assert_eq!(expire(&asked, "x2").await.json()["status"], "expired", "closed already is closed");
    stand.press(&paid, "ok").await;
    assert_eq!(expire(&paid, "x3").await.error(), "409 already_complete");
    assert_eq!(expire("co_0", "x4").await.error(), "404 not_found");

    stand.pass(Duration::from_millis(3_599_999));
    assert_eq!(stand.get(&format!("/v1/checkouts/{timed}")).await.json()["status"], "open");
    stand.pass(Duration::from_millis(1));
    // The loop may be faster; either way it is closed once.
    assert_eq!(stand.get(&format!("/v1/checkouts/{timed}")).await.json()["status"], "expired");
    stand.press(&timed, "ok").await;
    let ended: Vec<String> = stand.kinds().await.split_off(3);
    assert_eq!(ended, ["checkout.expired", "checkout.completed", "checkout.expired"]);
}

#[tokio::test]
async fn the_event_list_is_read_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    for key in ["a", "b", "c"] {
        stand.created(key).await;
    }
    let all = stand.events().await;
    let first = stand.get("/v1/events?limit=2").await.json();
    assert_eq!(first, json!({"data": all[..2], "has_more": true}));
    let rest = stand.get(&format!("/v1/events?limit=2&after={}", all[1]["id"].as_str().unwrap())).await.json();
    assert_eq!(rest, json!({"data": all[2..], "has_more": false}));
    for query in ["limit=0", "limit=101", "limit=x"] {
        assert_eq!(stand.get(&format!("/v1/events?{query}")).await.error(), "400 invalid_request", "{query}");
    }
    assert_eq!(stand.get("/v1/events?after=evt_0").await.error(), "404 not_found");
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let order = stand.order();
    let made = stand.post("/v1/checkouts", "k", &order).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    stand.press(&id, "ok").await;
    let (shown, events) = (stand.get(&format!("/v1/checkouts/{id}")).await.json(), stand.events().await);
    stand.stop().await;

    let stand = Stand::start(dir.path(), None).await;
    assert_eq!(stand.post("/v1/checkouts", "k", &order).await.text, made.text, "keys are remembered");
    let again = stand.get(&format!("/v1/checkouts/{id}")).await.json();
    assert_eq!((&again["payment"], &again["status"]), (&shown["payment"], &json!("complete")));
    assert_eq!(stand.events().await, events);
}
