use crate::stand::{Got, Stand};
use serde_json::{Value, json};
use std::time::Duration;

/// The last event: its type and its object.
async fn last(stand: &Stand) -> (String, Value) {
    let event = stand.events().await.pop().unwrap();
    (event["type"].as_str().unwrap().to_owned(), event["data"]["object"].clone())
}

async fn payment_of(stand: &Stand, id: &str) -> String {
    let found = stand.get(&format!("/v1/checkouts/{id}")).await.json();
    found["payment"]["id"].as_str().unwrap().to_owned()
}

async fn paid(stand: &Stand, key: &str) -> (String, String) {
    let id = stand.created(key).await;
    stand.press(&id, "ok").await;
    let payment = payment_of(stand, &id).await;
    (id, payment)
}

async fn refund(stand: &Stand, key: &str, payment: &str, minor: i64) -> Got {
    let body = json!({"payment": payment, "amount": {"minor": minor, "currency": "EUR"}});
    stand.post("/v1/refunds", key, &body).await
}

#[tokio::test]
async fn a_card_that_asks_is_paid_only_once_the_payer_approves() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    let asked = stand.press(&id, "challenge").await;
    assert_eq!(asked.header("location"), format!("/pay/{id}?challenge"));
    assert_eq!(stand.kinds().await, ["checkout.created"], "being asked is nothing yet");
    let page = stand.look(asked.header("location")).await;
    for words in ["Your bank asks", "Approve", "Refuse", "25.00 EUR"] {
        assert!(page.text.contains(words), "`{words}` is not on the page: {}", page.text);
    }
    let refused = stand.answer(&id, "refuse").await;
    assert_eq!(refused.header("location"), format!("/pay/{id}?refused"));
    assert!(stand.look(refused.header("location")).await.text.contains("Your bank did not agree."));
    let event = stand.events().await.pop().unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["attempt"]["code"]),
        (&json!("checkout.attempt_failed"), &json!("authentication_failed"))
    );
    assert_eq!(event["data"]["object"]["status"], "open", "another card may work");

    assert!(stand.answer(&id, "approve").await.header("location").ends_with("?paid"));
    let (kind, object) = last(&stand).await;
    assert_eq!((kind.as_str(), &object["payment_status"]), ("checkout.completed", &json!("paid")));
    assert_eq!(stand.answer(&id, "refuse").await.header("location"), format!("/pay/{id}"), "too late to refuse");
    assert_eq!(stand.kinds().await.len(), 3);
}

#[tokio::test]
async fn an_order_that_always_asks_asks_for_the_plain_card_too() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let mut order = stand.order();
    order["authentication"] = json!("always");
    let made = stand.post("/v1/checkouts", "k", &order).await.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(stand.press(id, "ok").await.header("location"), format!("/pay/{id}?challenge"));
    assert_eq!(stand.kinds().await, ["checkout.created"]);
    assert!(stand.answer(id, "approve").await.header("location").ends_with("?paid"));
}

#[tokio::test]
async fn a_bank_debit_is_done_and_unpaid_until_the_bank_decides() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    for (act, kind, word) in
        [("debit_succeeds", "checkout.debit_succeeded", "paid"), ("debit_fails", "checkout.debit_failed", "failed")]
    {
        let id = stand.created(act).await;
        stand.press(&id, "debit").await;
        let (begun, object) = last(&stand).await;
        assert_eq!(
            (begun.as_str(), &object["status"], &object["payment_status"]),
            ("checkout.completed", &json!("complete"), &json!("processing"))
        );
        assert!(object["payment"].is_null(), "no money is there yet");
        assert!(stand.look(&format!("/pay/{id}")).await.text.contains("Your bank is working on it"));
        let path = format!("/v1/checkouts/{id}/expire");
        assert_eq!(stand.post(&path, &format!("x{act}"), &json!({})).await.error(), "409 already_complete");
        stand.pass(Duration::from_secs(3 * 24 * 3600));
        let done = stand.act(act, &id).await;
        assert_eq!(done.status, 200, "{done:?}");
        let (told, object) = last(&stand).await;
        assert_eq!((told.as_str(), &object["payment_status"]), (kind, &json!(word)));
        assert_eq!(object["payment"].is_null(), word == "failed");
        assert_eq!(stand.act(act, &id).await.error(), "409 not_now", "decided once");
    }
}

#[tokio::test]
async fn a_dispute_takes_the_money_bars_refunds_and_gives_it_back_when_it_is_won() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let (_, payment) = paid(&stand, "k").await;
    assert_eq!(refund(&stand, "part", &payment, 500).await.status, 200);
    let disputed = stand.act("dispute", &payment).await.json();
    let it = &disputed["object"];
    assert_eq!(
        (&it["status"], &it["amount"]["minor"], &it["withdrawn"]["minor"], &it["moves"]),
        (&json!("needs_response"), &json!(2000), &json!(2000), &json!(1))
    );
    assert_eq!(it["answer_by_ms"], json!(stand.now().ms() + 7 * 24 * 3_600_000));
    assert_eq!(refund(&stand, "no", &payment, 100).await.error(), "422 charge_disputed");
    assert_eq!(stand.act("refund", &payment).await.error(), "422 charge_disputed");
    assert_eq!(stand.act("dispute", &payment).await.error(), "409 not_now");
    let id = it["id"].as_str().unwrap();
    assert_eq!(stand.act("answer", id).await.json()["object"]["status"], "under_review");
    assert_eq!(stand.act("answer", id).await.error(), "409 not_now");
    assert_eq!(stand.act("lose", id).await.json()["object"]["withdrawn"]["minor"], 2000);
    assert_eq!(refund(&stand, "lost", &payment, 100).await.error(), "422 charge_disputed", "the bank has it");
    let won = stand.act("win", id).await.json();
    assert_eq!(
        (&won["object"]["status"], &won["object"]["withdrawn"]["minor"], &won["object"]["moves"]),
        (&json!("won"), &json!(0), &json!(2))
    );
    assert_eq!(refund(&stand, "again", &payment, 2000).await.status, 200, "what is back can be refunded");
    let kinds = stand.kinds().await;
    assert_eq!(
        kinds[3..9],
        [
            "dispute.created",
            "dispute.funds_withdrawn",
            "dispute.updated",
            "dispute.closed",
            "dispute.closed",
            "dispute.funds_reinstated"
        ]
    );
    let found = stand.get(&format!("/v1/disputes?capture={payment}")).await.json();
    assert_eq!(
        (found["data"].as_array().unwrap().len(), &found["data"][0]["payment_metadata"]["till_payment"]),
        (1, &json!("pay_1"))
    );
}

#[tokio::test]
async fn an_inquiry_takes_nothing_and_is_closed_prevented_or_becomes_a_dispute() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let ends = [("win", "warning_closed"), ("prevent", "prevented")];
    for (act, word) in ends {
        let (_, payment) = paid(&stand, act).await;
        let asked = stand.act("inquire", &payment).await.json();
        assert_eq!(
            (&asked["object"]["status"], &asked["object"]["withdrawn"]["minor"]),
            (&json!("warning_needs_response"), &json!(0))
        );
        assert_eq!(refund(&stand, &format!("r{act}"), &payment, 1).await.status, 200, "an inquiry bars nothing");
        let id = asked["object"]["id"].as_str().unwrap();
        assert_eq!(stand.act("lose", id).await.error(), "409 not_now");
        assert_eq!(stand.act("answer", id).await.json()["object"]["status"], "warning_under_review");
        assert_eq!(stand.act(act, id).await.json()["object"]["status"], word);
    }
    let (_, payment) = paid(&stand, "dispute").await;
    let asked = stand.act("inquire", &payment).await.json();
    assert_eq!(stand.act("inquire", &payment).await.error(), "409 not_now");
    let disputed = stand.act("dispute", &payment).await.json();
    assert_eq!(disputed["object"]["id"], asked["object"]["id"], "the inquiry became the dispute");
    assert_eq!(
        (&disputed["object"]["status"], &disputed["object"]["withdrawn"]["minor"]),
        (&json!("needs_response"), &json!(2500))
    );
}

#[tokio::test]
async fn a_capture_that_the_bank_takes_back_is_told_of_and_gone() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let (id, payment) = paid(&stand, "k").await;
    stand.pass(Duration::from_secs(60));
    assert_eq!(stand.act("reverse", &payment).await.status, 200);
    let (kind, object) = last(&stand).await;
    assert_eq!(
        (kind.as_str(), &object["id"], &object["status"]),
        ("payment.reversed", &json!(payment), &json!("reversed"))
    );
    let found = stand.get(&format!("/v1/checkouts/{id}")).await.json();
    assert_eq!((&found["payment_status"], &found["payment"]["status"]), (&json!("paid"), &json!("reversed")));
    assert_eq!(found["payment"]["reversed_ms"], json!(stand.now().ms()));
    assert!(found["updated_ms"].as_i64() < found["payment"]["reversed_ms"].as_i64(), "the checkout was paid before");
    for act in ["reverse", "dispute", "inquire", "refund"] {
        assert_eq!(stand.act(act, &payment).await.error(), "409 not_now", "{act}");
    }
    assert_eq!(refund(&stand, "r", &payment, 1).await.error(), "422 payment_reversed");
}

#[tokio::test]
async fn refunds_that_take_time_wait_for_the_bank_and_may_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let (_, payment) = paid(&stand, "k").await;
    assert_eq!(stand.turn(&json!({"refunds_take_time": true})).await.status, 200);
    let slow = refund(&stand, "slow", &payment, 1500).await.json();
    assert_eq!(
        (slow["status"].as_str(), stand.kinds().await.pop().unwrap().as_str()),
        (Some("pending"), "refund.pending")
    );
    assert_eq!(
        refund(&stand, "much", &payment, 1001).await.error(),
        "422 refund_too_large",
        "what is on its way is gone"
    );
    stand.pass(Duration::from_secs(60));
    let id = slow["id"].as_str().unwrap();
    assert_eq!(stand.act("refund_succeeds", id).await.json()["object"]["status"], "succeeded");
    let (kind, object) = last(&stand).await;
    assert_eq!((kind.as_str(), &object["status"]), ("refund.updated", &json!("succeeded")));
    assert!(object["created_ms"].as_i64() < object["updated_ms"].as_i64());
    assert_eq!(stand.act("refund_succeeds", id).await.error(), "409 not_now");
    assert_eq!(stand.act("refund_fails", id).await.json()["object"]["status"], "failed", "a bank return");
    assert_eq!(stand.act("refund_fails", id).await.error(), "409 not_now");
    assert_eq!(stand.turn(&json!({})).await.json()["refunds_take_time"], false);
    assert_eq!(
        refund(&stand, "all", &payment, 2500).await.json()["status"],
        "succeeded",
        "what came back can go again"
    );
}

#[tokio::test]
async fn the_dashboard_refunds_a_part_or_all_that_is_left_and_closes_a_checkout() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let (_, payment) = paid(&stand, "k").await;
    let part = json!({"act": "refund", "id": payment, "amount": {"minor": 700, "currency": "EUR"}});
    let part = stand.control("/control/act", &part).await.json();
    assert_eq!((&part["object"]["amount"]["minor"], &part["object"]["metadata"]), (&json!(700), &json!({})));
    assert_eq!(stand.act("refund", &payment).await.json()["object"]["amount"]["minor"], 1800);
    assert_eq!(stand.act("refund", &payment).await.error(), "422 refund_too_large");

    let open = stand.created("open").await;
    assert_eq!(stand.act("close", &open).await.json()["object"]["status"], "expired");
    assert_eq!(stand.act("close", &open).await.error(), "409 not_now");
    assert_eq!(stand.press(&open, "ok").await.header("location"), format!("/pay/{open}"), "nobody pays it");
    for unknown in ["co_0", "py_0", "dp_0", "re_0"] {
        for act in ["close", "refund", "answer", "refund_fails"] {
            assert_eq!(stand.act(act, unknown).await.error(), "404 not_found", "{act} {unknown}");
        }
    }
}
