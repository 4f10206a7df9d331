//! The adapter of the difficult character against a script: its bytes, its amounts, and whom it believes.

use super::*;
use crate::tests::{PAYMENT, REFUND, Script, account, now, order, says};
use serde_json::{Value, json};
use till_core::id::{CaptureId, RefundId};
use till_core::money::Currency;
use till_core::order::Line;
use till_core::payment::{CheckoutState, RefundState};
use till_core::port::psp::News;

fn amount(value: &str) -> Value {
    json!({"value": value, "currency": "EUR"})
}

fn whole(status: &str) -> Value {
    json!({
        "id": "ord_1", "account": "acct_sandbox", "livemode": false, "status": status, "amount": amount("25.00"),
        "custom_id": format!("{PAYMENT}:1"), "approve_url": "http://x/pay/ord_1", "expires_at_ms": 9000,
        "updated_ms": 2000, "now_ms": 3000, "capture": null, "attempts": [], "refunds": [], "disputes": [], "new": 1,
    })
}

fn paid() -> Value {
    let mut it = whole("completed");
    it["capture"] = json!({"id": "cap_1", "amount": amount("19.99"), "at_ms": 2000, "reversed_ms": 7000});
    it["attempts"] = json!([{"id": "at_1", "code": "card_declined", "at_ms": 1500}]);
    let refund = |id: &str, custom: Value| {
        json!({
            "id": id, "account": "acct_sandbox", "livemode": false, "status": "pending", "capture": "cap_1",
            "amount": amount("1.00"), "custom_id": custom, "order_custom_id": format!("{PAYMENT}:1"), "updated_ms": 4000,
        })
    };
    it["refunds"] = json!([refund("rfd_1", json!(format!("{PAYMENT}:{REFUND}"))), refund("rfd_2", Value::Null)]);
    it["disputes"] = json!([{
        "id": "dsp_1", "status": "needs_response", "capture": "cap_1", "amount": amount("18.99"),
        "withdrawn": amount("18.99"), "moves": 1, "answer_by_ms": 99000, "updated_ms": 6000,
    }]);
    it
}

#[test]
fn an_order_a_taking_and_a_refund_make_these_bytes() {
    let http = Script::new(vec![says(200, &whole("created")), says(200, &paid()), says(200, &paid()["refunds"][0])]);
    let order = order();
    now(Difficult.create(&http, &account(), &order, &IdemKey::create(order.payment, 1))).unwrap();
    let id = CheckoutId::new("ord_1");
    now(Difficult.capture(&http, &account(), &id, &IdemKey::capture(order.payment, 1))).unwrap();
    let refund: RefundId = REFUND.parse().unwrap();
    let eur = Currency::parse("EUR").unwrap();
    let back =
        RefundOrder { payment: order.payment, refund, capture: CaptureId::new("cap_1"), amount: Money::new(100, eur) };
    now(Difficult.refund(&http, &account(), &back, &IdemKey::refund(order.payment, refund))).unwrap();
    let asked = http.asked();
    assert_eq!(
        asked[0],
        format!(
            "Post http://127.0.0.1:4242/d/orders\nrequest-id: till:{PAYMENT}:create:1\ncontent-type: application/json\n\n\
             {{\"amount\":{{\"value\":\"25.00\",\"currency\":\"EUR\"}},\"items\":[{{\"name\":\"coffee \\\"x\\\"\",\"quantity\":2,\
             \"unit_amount\":{{\"value\":\"12.50\",\"currency\":\"EUR\"}}}}],\"custom_id\":\"{PAYMENT}:1\",\
             \"reference\":\"K7Q2F9\",\"return_url\":\"https://till.example/p/t\",\"expires_at_ms\":1795372200000,\
             \"locale\":\"en\"}}"
        )
    );
    assert_eq!(
        asked[1],
        format!(
            "Post http://127.0.0.1:4242/d/orders/ord_1/capture\nrequest-id: till:{PAYMENT}:capture:1\n\
             content-type: application/json\n\n{{}}"
        )
    );
    assert_eq!(
        asked[2],
        format!(
            "Post http://127.0.0.1:4242/d/captures/cap_1/refund\nrequest-id: till:{PAYMENT}:refund:{REFUND}\n\
             content-type: application/json\n\n{{\"amount\":{{\"value\":\"1.00\",\"currency\":\"EUR\"}},\
             \"custom_id\":\"{PAYMENT}:{REFUND}\"}}"
        )
    );
}

#[test]
fn an_amount_is_written_and_read_with_the_digits_of_its_currency() {
    let money = |minor, code| Money::new(minor, Currency::parse(code).unwrap());
    for (amount, text) in [
        (money(2500, "EUR"), "25.00"),
        (money(1, "EUR"), "0.01"),
        (money(2500, "JPY"), "2500"),
        (money(1500, "KWD"), "1.500"),
    ] {
        assert_eq!(decimal::text(amount), text);
        assert_eq!(decimal::read(text, amount.currency().code()), Some(amount));
    }
    for (text, code) in [
        ("25", "EUR"),
        ("25.0", "EUR"),
        ("25.000", "EUR"),
        ("2.500", "EUR"),
        ("025.00", "EUR"),
        ("+25.00", "EUR"),
        ("-25.00", "EUR"),
        ("25,00", "EUR"),
        ("2.5.00", "EUR"),
        ("25.00 ", "EUR"),
        ("", "EUR"),
        ("2500.00", "JPY"),
        ("1.50", "KWD"),
        ("25.00", "EURO"),
    ] {
        assert_eq!(decimal::read(text, code), None, "{text} {code}");
    }
    let kwd = CheckoutOrder {
        amount: money(1500, "KWD"),
        lines: vec![Line { name: "x".into(), quantity: 1, each: money(1500, "KWD") }],
        ..order()
    };
    let sent = serde_json::to_value(wire::NewOrder::of(&kwd)).unwrap();
    assert_eq!(sent["amount"], json!({"value": "1.500", "currency": "KWD"}));
    let mut wrong = whole("created");
    wrong["amount"]["value"] = json!("25.0");
    let http = Script::new(vec![says(200, &wrong)]);
    let key = IdemKey::create(order().payment, 1);
    assert!(matches!(now(Difficult.create(&http, &account(), &order(), &key)), Err(Fault::Unreadable(_))));
}

#[test]
fn an_order_tells_of_everything_that_hangs_on_it_each_with_its_own_time() {
    let http = Script::new(vec![says(200, &paid())]);
    let found = now(Difficult.fetch(&http, &account(), &Ask::Capture(CaptureId::new("cap_1")))).unwrap();
    let told: Vec<(&str, i64)> = found.iter().map(|it| (it.event.as_str(), it.as_of.ms())).collect();
    assert_eq!(
        told,
        [
            ("fetch:at_1:failed:1500", 1500),
            ("fetch:ord_1:completed:2000", 2000),
            ("fetch:cap_1:reversed:7000", 7000),
            ("fetch:rfd_1:pending:4000", 4000),
            ("fetch:rfd_2:pending:4000", 4000),
            ("fetch:dsp_1:needs_response.1:6000", 6000),
        ]
    );
    let [News::Checkout { n: 1, state: CheckoutState::CompletePaid, .. }, News::Captured { amount, .. }] =
        &found[1].news[..]
    else {
        panic!("{found:?}")
    };
    assert_eq!(amount.minor(), 1999, "what the payer chose");
    let refunds: Vec<bool> = found
        .iter()
        .flat_map(|it| &it.news)
        .filter_map(|it| match it {
            News::Refund { ours, state: RefundState::Pending, .. } => Some(ours.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(refunds, [true, false], "one asked here, one made at the provider");
}

#[test]
fn an_unknown_state_is_pending_and_somebody_elses_order_is_nothing() {
    let state = |status: &str| match &read::order(&serde_json::from_value(whole(status)).unwrap()).unwrap().news[..] {
        [News::Checkout { state, url, .. }] => (*state, url.is_some()),
        other => panic!("{other:?}"),
    };
    assert_eq!(state("created"), (CheckoutState::Open, true));
    assert_eq!(state("approved"), (CheckoutState::Approved, false));
    assert_eq!(state("expired"), (CheckoutState::Expired, false));
    assert_eq!(state("failed"), (CheckoutState::Failed, false));
    assert_eq!(state("pondered"), (CheckoutState::CompleteUnpaid, false));
    for theirs in [json!("order 7"), json!(null), json!(PAYMENT), json!(format!("{PAYMENT}:x")), json!("pay_1:1")] {
        let mut it = whole("created");
        it["custom_id"] = theirs;
        let http = Script::new(vec![says(200, &it)]);
        assert_eq!(now(Difficult.fetch(&http, &account(), &Ask::Checkout(CheckoutId::new("ord_1")))), Ok(vec![]));
    }
}

#[test]
fn a_page_of_the_list_fetches_each_order_of_ours_once() {
    let event =
        |id: &str, order: &str, custom: &str| json!({"id": id, "type": "x", "order": order, "custom_id": custom});
    let ours = format!("{PAYMENT}:1");
    let page = json!({"data": [
        event("evt_1", "ord_1", &ours), event("evt_2", "ord_7", "order 7"), event("evt_3", "ord_1", &ours),
        event("evt_4", "ord_2", &ours), event("evt_5", "ord_3", &ours),
    ], "has_more": false});
    let gone = says(404, &json!({"error": {"type": "not_found"}}));
    let http = Script::new(vec![says(200, &page), says(200, &whole("created")), gone, says(200, &json!({}))]);
    let page = now(Difficult.list_since(&http, &account(), Some("evt_0"))).unwrap();
    assert_eq!((page.reports.len(), page.cursor.as_str(), page.more), (1, "evt_5", false));
    assert_eq!(page.unreadable, ["evt_5"]);
    assert!(http.asked()[0].starts_with("Get http://127.0.0.1:4242/d/events?limit=100&after=evt_0\n"));
}

#[test]
fn a_hint_is_new_at_every_delivery_and_says_nothing_else() {
    let id = format!("ord_{}", "0f".repeat(16));
    let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
    let hint = |ms| {
        let body = format!("id={id}");
        let delivery = Delivery { headers: &headers, body: body.as_bytes() };
        now(Difficult.verify(&Script::new(vec![]), &account(), delivery, Timestamp::from_ms(ms))).unwrap()
    };
    let ask = Ask::Checkout(CheckoutId::new(&id));
    assert_eq!(hint(5), [Evidence::Hint { event: format!("hint:{id}:5"), ask }]);
    assert_ne!(hint(5), hint(6), "what changed since is asked for again");
}
