//! Events in any order, any number of times, overtaking answers, and lies: what is true comes out.

use crate::support::stripe::{Plan, Shop, Webhooks};
use crate::support::{eventually, token_of};
use fake_stripe::{Delivery, Fault, Lie};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

async fn without_webhooks() -> Shop {
    Shop::with(Plan { webhooks: Webhooks::Lost, ..Plan::default() }).await
}

/// As Stripe does: again until it is taken.
async fn until_taken(shop: &Shop, delivery: &Delivery) {
    let taken = eventually(async || {
        let status = shop.deliver(delivery).await;
        assert!(status == StatusCode::OK || status == StatusCode::SERVICE_UNAVAILABLE, "{status}");
        (status == StatusCode::OK).then_some(())
    });
    taken.await.expect("the delivery is taken in the end");
}

fn of_kind(shop: &Shop, kind: &str) -> Delivery {
    let all = shop.stripe.deliveries();
    all.into_iter().rev().find(|it| it.kind == kind).unwrap_or_else(|| panic!("no {kind} waits"))
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_before_the_answer_that_made_the_session_is_paid_once() {
    let shop = Shop::open().await;
    shop.stripe.fail_next("POST /v1/checkout/sessions", Fault::LostAfter);
    let code = shop.ask("/pay 25 EUR coffee").await;
    let made = eventually(async || shop.sessions(&code).pop()).await.expect("the session was made");
    shop.stripe.pay(made["id"].as_str().unwrap()).unwrap();
    let [card, _] = shop.both_show(&code, "paid").await;
    assert_eq!(card["title"], "Paid");
    // The second try under the same key is answered with the session as it was: open. Paid stays.
    shop.books_agree().await;
    shop.both_show(&code, "paid").await;
    assert_eq!((shop.sessions(&code).len(), shop.facts(&code, "captured").await), (1, 1));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_copies_at_once_are_one_event() {
    let shop = without_webhooks().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    shop.stripe.pay(&shop.session(&code)).unwrap();
    let completed = of_kind(&shop, "checkout.session.completed");
    let all = futures::future::join_all((0..20).map(|_| shop.deliver(&completed))).await;
    assert_eq!(all, [StatusCode::OK; 20]);
    shop.both_show(&code, "paid").await;
    assert_eq!((shop.facts(&code, "captured").await, shop.counted("event_applied")), (1, 1));
    assert_eq!(shop.counted("event_duplicate"), 19);
    shop.books_agree().await;
    assert_eq!(shop.pinged("is paid").await, format!("{code} is paid: 25.00 EUR. Thank you!"));
    shop.close().await;
}

/// All orders of four things.
fn orders() -> Vec<[usize; 4]> {
    let all = (0..256).map(|n| [n / 64 % 4, n / 16 % 4, n / 4 % 4, n % 4]);
    all.filter(|order| (0..4).all(|it| order.contains(&it))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn completed_expired_refunded_and_disputed_come_to_the_same_card_in_every_order() {
    let shop = without_webhooks().await;
    let mut codes = Vec::new();
    for (nth, order) in orders().into_iter().enumerate() {
        let code = shop.ask(&format!("/pay 25 EUR coffee ref:R{nth}")).await;
        let known = eventually(async || (shop.facts(&code, "checkout_seen").await == 1).then_some(()));
        known.await.expect("the session is known here");
        let events = paid_expired_refunded_disputed(&shop, &shop.session(&code));
        for at in order {
            until_taken(&shop, &events[at]).await;
        }
        codes.push(code);
    }
    shop.books_agree().await;
    let lines = shop.customer.lines().await;
    for code in &codes {
        let cards: Vec<&Value> =
            lines.iter().map(|line| &line["body"]["card"]).filter(|it| it["code"] == **code).collect();
        let shown = shop.shown(code).await;
        let sums = [&shown["captured_minor"], &shown["refunded_minor"]];
        let ends = cards.iter().map(|card| (card["status"].as_str(), card["title"].as_str()));
        assert_eq!(ends.collect::<Vec<_>>(), [(Some("disputed"), Some("Disputed"))], "{shown:#}");
        assert_eq!(sums, [2500, 1000], "{shown:#}");
    }
    assert_eq!(codes.len(), 24);
    shop.close().await;
}

/// What becomes of a session, as deliveries that wait.
fn paid_expired_refunded_disputed(shop: &Shop, session: &str) -> [Delivery; 4] {
    let open = shop.stripe.session(session);
    let intent = shop.stripe.pay(session).unwrap();
    let completed = of_kind(shop, "checkout.session.completed");
    shop.stripe.refund_by_hand(&intent, 1000, None);
    let refunded = of_kind(shop, "refund.created");
    shop.stripe.dispute(&intent, 1500, false);
    let disputed = of_kind(shop, "charge.dispute.created");
    // A session that was paid never expires; what says so all the same is outranked.
    let mut expired = Lie::new("checkout.session.expired", open);
    expired.object["status"] = "expired".into();
    expired.object["url"] = Value::Null;
    expired.listed = false;
    let expired = shop.waiting(&shop.stripe.event_with(expired));
    [completed, expired, refunded, disputed]
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_or_currency_than_was_asked_is_looked_at_and_never_paid() {
    let shop = Shop::open().await;
    for (what, field, value) in [
        ("coffee", "amount_total", json!(100)),
        ("tea", "amount_total", json!(250_000)),
        ("cake", "currency", json!("usd")),
    ] {
        let code = shop.ask(&format!("/pay 25 EUR {what}")).await;
        shop.both_show(&code, "open").await;
        let mut lie = Lie::new("checkout.session.completed", shop.stripe.session(&shop.session(&code)));
        lie.object["status"] = "complete".into();
        lie.object["payment_status"] = "paid".into();
        lie.object["payment_intent"] = format!("pi_of_a_lie_{what}").into();
        lie.object[field] = value;
        shop.stripe.event_with(lie);
        let [card, staff] = shop.both_show(&code, "needs_review").await;
        assert_eq!(card["title"], "Being checked");
        assert!(crate::support::labels(&card).is_empty(), "a customer decides nothing: {card:#}");
        assert_eq!(crate::support::labels(&staff), ["Accept", "Reject"]);
        assert_eq!(shop.shown(&code).await["captured_minor"], 0);
        let pings = shop.pings().await;
        assert!(!pings.iter().any(|text| text.contains(&code)), "nobody is told that it is paid: {pings:?}");
        shop.whispered(&format!("{code}: ")).await;
        if what == "cake" {
            let answer = shop.staff.press(&shop.conversation, &token_of(&staff, "Accept"), None).await;
            assert!(answer["text"].as_str().unwrap().contains("in another currency"), "{answer:#}");
        }
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_other_mode_or_another_account_is_no_fact_and_kept_for_a_person() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    let mut lie = Lie::new("checkout.session.completed", shop.stripe.session(&shop.session(&code)));
    lie.object["status"] = "complete".into();
    lie.object["payment_status"] = "paid".into();
    lie.object["payment_intent"] = "pi_of_a_lie".into();
    let live = Lie { livemode: Some(true), ..lie.clone() };
    let other = Lie { account: Some("acct_1SomebodyElse".into()), ..lie };
    for (nth, lie) in [(1, live), (2, other)] {
        shop.stripe.event_with(lie);
        let kept = eventually(async || {
            let backlog = shop.world.store.backlog().await.unwrap();
            (backlog.parked + backlog.dead == nth && shop.counted("event_not_ours") == nth).then_some(())
        });
        kept.await.expect("it is counted, and kept for a person");
    }
    shop.both_show(&code, "open").await;
    assert_eq!(shop.facts(&code, "checkout_seen").await, 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unsigned_badly_signed_or_old_is_401_and_nothing_else() {
    let shop = without_webhooks().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    let before = shop.both_show(&code, "open").await;
    shop.stripe.pay(&shop.session(&code)).unwrap();
    let completed = of_kind(&shop, "checkout.session.completed");
    let body = completed.body.to_vec();
    let kind = ("content-type", "application/json".to_owned());
    let right = completed.signature(shop.now());
    let hour = Duration::from_secs(3600);
    let signed = |header: String| vec![kind.clone(), ("stripe-signature", header)];
    let v0 = right.replace("v1=", "v2=");
    let stranger = fake_stripe::signature(&["whsec_of_a_stranger".into()], shop.now(), &body);
    let mut other_body = body.clone();
    *other_body.last_mut().unwrap() = b' ';
    for (what, body, headers) in [
        ("unsigned", &body, vec![kind.clone()]),
        ("empty", &body, signed(String::new())),
        ("only v0", &body, signed(v0)),
        ("another secret", &body, signed(stranger)),
        ("another body", &other_body, signed(right.clone())),
        ("old", &body, signed(completed.signature(shop.now().before(hour)))),
        ("from the future", &body, signed(completed.signature(shop.now().after(hour)))),
    ] {
        assert_eq!(shop.post_hook(body.clone(), &headers).await, StatusCode::UNAUTHORIZED, "{what}");
    }
    assert_eq!((shop.counted("event_applied"), shop.facts(&code, "captured").await), (0, 0));
    assert_eq!([shop.customer.card(&code, "open").await, shop.staff.card(&code, "open").await], before);
    let backlog = shop.world.store.backlog().await.unwrap();
    assert_eq!((backlog.parked, backlog.dead), (0, 0));
    assert_eq!(shop.post_hook(body, &signed(right)).await, StatusCode::OK, "and the right one is believed");
    shop.both_show(&code, "paid").await;
    shop.close().await;
}
