use crate::contract::{Client, account};
use crate::stand::{Got, Stand};
use crate::webhooks::{Receiver, a_while};
use serde_json::{Value, json};
use std::time::Duration;
use till_core::contract::seeded::Seeded;
use till_core::id::{CheckoutId, Code, PaymentId, RefundId};
use till_core::money::{Currency, Money};
use till_core::order::{CheckoutOptions, CheckoutOrder, IdemKey, Line, RefundOrder};
use till_core::payment::{CheckoutState, DisputeState};
use till_core::port::psp::{Ask, News, Psp as _};
use till_sandbox::Difficult;

const HOUR: Duration = Duration::from_secs(3600);

async fn created(stand: &Stand, key: &str) -> String {
    let made = stand.post_d("/d/orders", key, &stand.difficult_order()).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn approve(stand: &Stand, id: &str, amount: &str) -> Got {
    let request = stand.client.post(format!("{}/pay/{id}", stand.base)).form(&[("card", "ok"), ("amount", amount)]);
    Got::of(request.send().await.unwrap()).await
}

async fn capture(stand: &Stand, id: &str, key: &str) -> Got {
    stand.post_d(&format!("/d/orders/{id}/capture"), key, &json!({})).await
}

async fn order(stand: &Stand, id: &str) -> Value {
    stand.get(&format!("/d/orders/{id}")).await.json()
}

async fn kinds(stand: &Stand) -> Vec<Value> {
    let events = stand.get("/d/events").await.json();
    events["data"].as_array().unwrap().iter().map(|event| event["order"].clone()).collect()
}

#[tokio::test]
async fn the_payer_approves_and_the_merchant_takes_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = created(&stand, "k").await;
    let page = stand.look(&format!("/pay/{id}")).await;
    for words in ["TEST", "25.00 EUR", "name=\"amount\"", "value=\"25.00\"", "Reference K7Q2F9"] {
        assert!(page.text.contains(words), "`{words}` is not on the page: {}", page.text);
    }
    assert!(!page.text.contains("3-D Secure") && !page.text.contains("Bank debit"), "cards alone");
    assert_eq!(capture(&stand, &id, "early").await.error(), "422 not_approved");
    for odd in ["", "25", "25,00", "-1.00", "0.00", "1000000.00", "٢٥.00"] {
        assert_eq!(approve(&stand, &id, odd).await.header("location"), format!("/pay/{id}?amount"), "{odd}");
    }
    assert!(stand.look(&format!("/pay/{id}?amount")).await.text.contains("Write it like 25.00"));
    assert_eq!(order(&stand, &id).await["status"], "created");

    assert!(approve(&stand, &id, "20.00").await.header("location").ends_with("?paid"));
    assert!(stand.look(&format!("/pay/{id}?paid")).await.text.contains("The shop takes the money now"));
    let approved = order(&stand, &id).await;
    assert_eq!((&approved["status"], &approved["capture"]), (&json!("approved"), &Value::Null));
    assert_eq!(approve(&stand, &id, "1.00").await.header("location"), format!("/pay/{id}"), "agreed once");
    let taken = capture(&stand, &id, "take").await.json();
    assert_eq!(
        (&taken["status"], &taken["capture"]["amount"]),
        (&json!("completed"), &json!({"value": "20.00", "currency": "EUR"}))
    );
    assert_eq!(taken["amount"]["value"], "25.00", "what was asked stays what was asked");
    assert_eq!(capture(&stand, &id, "take again").await.json()["capture"], taken["capture"], "taken before is success");
    assert_eq!(kinds(&stand).await, vec![json!(id); 3], "made, approved, taken: each only says which order");
}

#[tokio::test]
async fn an_approval_that_nobody_takes_is_let_go_after_three_hours() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let (kept, gone) = (created(&stand, "a").await, created(&stand, "b").await);
    for id in [&kept, &gone] {
        approve(&stand, id, "25.00").await;
    }
    stand.pass(3 * HOUR - Duration::from_millis(1));
    assert_eq!(
        capture(&stand, &kept, "c").await.json()["status"],
        "completed",
        "longer than the order itself was open"
    );
    stand.pass(Duration::from_millis(1));
    assert_eq!(capture(&stand, &gone, "d").await.error(), "422 approval_gone");
    assert_eq!(order(&stand, &gone).await["status"], "expired");
}

#[tokio::test]
async fn a_key_is_remembered_for_three_hours_and_only_here() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let first = stand.post_d("/d/orders", "k", &stand.difficult_order()).await;
    stand.pass(3 * HOUR - Duration::from_secs(1));
    let body = json!({"expires_at_ms": first.json()["expires_at_ms"]});
    let mut same = stand.difficult_order();
    same["expires_at_ms"] = body["expires_at_ms"].clone();
    assert_eq!(stand.post_d("/d/orders", "k", &same).await.text, first.text, "byte for byte");
    assert_eq!(stand.post_d("/d/orders", "k", &stand.difficult_order()).await.error(), "409 idempotency_error");
    assert_eq!(stand.post("/v1/checkouts", "k", &stand.order()).await.status, 200, "the other one has its own keys");
    stand.pass(Duration::from_secs(1));
    let late = stand.post_d("/d/orders", "k", &stand.difficult_order()).await.json();
    assert_ne!(late["id"], first.json()["id"], "forgotten");
    let found = stand.get("/d/orders?custom_id=pay_1:1").await.json();
    assert_eq!(found["data"].as_array().unwrap().len(), 2, "and both are found by what they are for");
    let keyless = stand.client.post(format!("{}/d/orders", stand.base)).bearer_auth(crate::stand::KEY);
    let keyless = keyless.header("idempotency-key", "k2").json(&stand.difficult_order()).send().await.unwrap();
    assert_eq!(keyless.status(), 400, "the header has another name here");
}

#[tokio::test]
async fn an_amount_with_a_wrong_number_of_decimals_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let sent = async |value: &str, code: &str| {
        let mut order = stand.difficult_order();
        let amount = json!({"value": value, "currency": code});
        order["amount"] = amount.clone();
        order["items"] = json!([{"name": "coffee", "quantity": 1, "unit_amount": amount}]);
        let made = stand.post_d("/d/orders", &format!("{value}{code}"), &order).await;
        if made.status == 200 { made.json()["amount"]["value"].to_string() } else { made.error() }
    };
    for (value, code) in [("25.00", "EUR"), ("2500", "JPY"), ("1.500", "KWD")] {
        assert_eq!(sent(value, code).await, json!(value).to_string());
    }
    for (value, code) in
        [("25", "EUR"), ("25.0", "EUR"), ("25.000", "EUR"), ("2500.00", "JPY"), ("1.50", "KWD"), ("x", "EUR")]
    {
        assert_eq!(sent(value, code).await, "422 decimal_precision", "{value} {code}");
    }
    let (huge, zero) = (sent("1000000.00", "EUR").await, sent("0.00", "EUR").await);
    assert_eq!((huge.as_str(), zero.as_str()), ("422 amount", "422 amount"));
}

#[tokio::test]
async fn currencies_with_no_and_with_three_decimals_go_all_the_way_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let (http, at, entropy) = (Client(stand.client.clone()), account(&stand), &mut Seeded::new(1));
    for (minor, code, text) in [(1500, "KWD", "1.500"), (2500, "JPY", "2500"), (2500, "EUR", "25.00")] {
        let amount = Money::new(minor, Currency::parse(code).unwrap());
        let order = CheckoutOrder {
            payment: PaymentId::new(stand.now(), entropy),
            n: 1,
            code: Code::new(entropy),
            amount,
            lines: vec![Line { name: "coffee".into(), quantity: 1, each: amount }],
            closes_at: stand.now().after(HOUR),
            return_url: "https://till.example/p/t".into(),
            locale: "en".into(),
            options: CheckoutOptions::default(),
        };
        let made = Difficult.create(&http, &at, &order, &IdemKey::create(order.payment, 1)).await.unwrap();
        let News::Checkout { checkout, .. } = &made.news[0] else { panic!("{made:?}") };
        assert!(approve(&stand, checkout.as_str(), text).await.header("location").ends_with("?paid"));
        let key = IdemKey::capture(order.payment, 1);
        let taken = Difficult.capture(&http, &at, checkout, &key).await.unwrap();
        let [_, News::Captured { capture, amount: captured, .. }] = &taken.news[..] else { panic!("{taken:?}") };
        assert_eq!(*captured, amount);
        let refund = RefundId::new(stand.now(), entropy);
        let back = RefundOrder { payment: order.payment, refund, capture: capture.clone(), amount };
        let made = Difficult.refund(&http, &at, &back, &IdemKey::refund(order.payment, refund)).await.unwrap();
        assert!(matches!(&made.news[..], [News::Refund { amount: back, .. }] if *back == amount), "{made:?}");
    }
}

#[tokio::test]
async fn a_webhook_is_an_unsigned_hint_and_leads_to_all_that_became_of_the_order() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(0).await;
    let stand = Stand::start_with(dir.path(), |config| config.hints = Some(receiver.url.clone())).await;
    stand.created("not told of").await;
    let mut ours = stand.difficult_order();
    ours["custom_id"] = json!("pay_0198000000007fffbfffffffffffffff:1");
    let id = stand.post_d("/d/orders", "k", &ours).await.json()["id"].as_str().unwrap().to_owned();
    approve(&stand, &id, "25.00").await;
    let taken = capture(&stand, &id, "c").await.json();
    let disputed = stand.act("dispute", taken["capture"]["id"].as_str().unwrap()).await.json();
    let dispute = disputed["object"]["id"].as_str().unwrap();
    stand.act("lose", dispute).await;
    receiver.wait(6).await;
    a_while().await;
    let came = receiver.came();
    assert_eq!(came.len(), 6, "made, approved, taken, disputed, withdrawn, lost; nothing of the plain one");
    for (event, time, signature, body) in &came {
        assert_eq!((event.as_str(), time.as_str(), signature.as_str()), ("", "", ""), "nobody signs it");
        assert_eq!(body, format!("id={id}").as_bytes());
    }
    let http = Client(stand.client.clone());
    let found = Difficult.fetch(&http, &account(&stand), &Ask::Checkout(CheckoutId::new(&id))).await.unwrap();
    let news: Vec<News> = found.into_iter().flat_map(|report| report.news).collect();
    assert!(matches!(&news[0], News::Checkout { state: CheckoutState::CompletePaid, .. }), "{news:?}");
    let Some(News::Dispute { state: DisputeState::Lost, withdrawn, moves: 1, .. }) = news.last() else {
        panic!("{news:?}")
    };
    assert_eq!(withdrawn.minor(), 2500);
}

#[tokio::test]
async fn neither_character_knows_the_others_objects() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let (plain, difficult) = (stand.created("k").await, created(&stand, "k").await);
    assert_eq!(stand.get(&format!("/v1/checkouts/{difficult}")).await.error(), "404 not_found");
    assert_eq!(stand.get(&format!("/d/orders/{plain}")).await.error(), "404 not_found");
    assert_eq!(capture(&stand, &plain, "c").await.error(), "404 not_found");
    let path = format!("/v1/checkouts/{difficult}/expire");
    assert_eq!(stand.post(&path, "x", &json!({})).await.error(), "404 not_found");
    assert_eq!((stand.kinds().await.len(), kinds(&stand).await.len()), (1, 1), "nor its events");
    assert_eq!(stand.look("/d/events").await.error(), "401 authentication");
}
