//! Payments that end unpaid, and payers who are a moment faster than that.

use crate::support::stripe::Shop;
use crate::support::{choose, eventually, labels, link_of, to_provider, token_of};
use fake_stripe::Fault;
use serde_json::Value;
use std::time::Duration;
use till_core::time::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const LATE: &str = "Paid after the deadline or a cancel";

async fn closed_at_stripe(shop: &Shop, session: &str) {
    let closed = eventually(async || (shop.stripe.session(session)["status"] == "expired").then_some(()));
    closed.await.expect("the session is closed at Stripe");
}

async fn says(shop: &Shop, page: &str, words: &str) {
    let text = shop.customer.http.get(page).send().await.unwrap().text().await.unwrap();
    assert!(text.contains(words) && !text.contains("<button"), "{words}: {text}");
}

fn is_late(card: &Value) -> bool {
    card["details"].to_string().contains(LATE)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_closes_the_session_at_stripe() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 8,50 tea").await;
    let [_, card] = shop.both_show(&code, "open").await;
    let pay_page = link_of(&card, "Pay");
    let page = to_provider(&shop.customer.http, &pay_page).await;
    shop.staff.press(&shop.conversation, &token_of(&card, "Cancel"), None).await;
    let [card, _] = shop.both_show(&code, "cancelled").await;
    assert_eq!(labels(&card), [] as [&str; 0]);
    assert_eq!(shop.stripe.session(&shop.session(&code))["status"], "expired");
    // The tab that was open before cannot pay any more either.
    choose(&shop.customer.http, &page, "ok").await;
    says(&shop, &page, "This page has expired").await;
    says(&shop, &pay_page, "was cancelled").await;
    shop.both_show(&code, "cancelled").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_who_was_faster_than_the_cancel_has_paid() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    let [_, card] = shop.both_show(&code, "open").await;
    shop.webhooks_wait();
    shop.stripe.pay(&shop.session(&code)).unwrap();
    shop.staff.press(&shop.conversation, &token_of(&card, "Cancel"), None).await;
    let [card, staff] = shop.both_show(&code, "paid").await;
    assert!(is_late(&card), "{card:#}");
    assert_eq!(labels(&staff), ["Receipt", "Keep it", "Refund"]);
    shop.staff.press(&shop.conversation, &token_of(&staff, "Keep it"), None).await;
    let kept = eventually(async || {
        let card = shop.staff.card(&code, "paid").await;
        card["details"].to_string().contains("and accepted").then_some(card)
    });
    assert_eq!(labels(&kept.await.expect("it says that it is kept")), ["Receipt", "Refund"]);
    assert_eq!(shop.facts(&code, "late_decided").await, 1);
    assert_eq!((shop.facts(&code, "cancel_asked").await, shop.facts(&code, "captured").await), (1, 1));
    shop.webhooks_come();
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_of_ten_minutes_is_kept_although_stripe_knows_none_below_thirty() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 5 EUR muffin expires:10m").await;
    let [card, _] = shop.both_show(&code, "open").await;
    let session = shop.session(&code);
    let made = shop.stripe.session(&session);
    let life = made["expires_at"].as_i64().unwrap() - made["created"].as_i64().unwrap();
    assert!((30 * 60..=32 * 60).contains(&life), "{life} s");
    shop.ahead(9 * MINUTE);
    says_open(&shop, &link_of(&card, "Pay")).await;
    shop.ahead(MINUTE + Duration::from_secs(5));
    let [card, _] = shop.both_show(&code, "expired").await;
    assert_eq!(labels(&card), [] as [&str; 0]);
    closed_at_stripe(&shop, &session).await;
    says(&shop, &link_of_page(&card), "has expired").await;
    assert_eq!(shop.pinged(&code).await, format!("{code} has expired. Nobody can pay it any more."));
    shop.close().await;
}

async fn says_open(shop: &Shop, page: &str) {
    let text = shop.customer.http.get(page).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("<button"), "{text}");
}

fn link_of_page(card: &Value) -> String {
    card["link"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pays_in_the_last_second_has_paid_in_time_whenever_till_hears_of_it() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee expires:10m").await;
    shop.both_show(&code, "open").await;
    shop.webhooks_wait();
    let deadline = Timestamp::from_ms(shop.shown(&code).await["facts"][0]["fact"]["deadline"].as_i64().unwrap());
    shop.ahead(deadline.since(shop.now()) - Duration::from_secs(4));
    shop.stripe.pay(&shop.session(&code)).unwrap();
    // Till finds the session complete when it wants to close it.
    shop.ahead(MINUTE);
    let [card, _] = shop.both_show(&code, "paid").await;
    assert!(!is_late(&card), "{card:#}");
    shop.webhooks_come();
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pays_while_our_call_to_close_is_under_way_has_paid_late() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee expires:10m").await;
    shop.both_show(&code, "open").await;
    let session = shop.session(&code);
    let closes = format!("POST /v1/checkout/sessions/{session}/expire");
    shop.stripe.fail_next(&closes, Fault::Slow(Duration::from_secs(4)));
    shop.ahead(10 * MINUTE + Duration::from_secs(1));
    shop.customer.card(&code, "closing").await;
    shop.stripe.pay(&session).unwrap();
    let [card, staff] = shop.both_show(&code, "paid").await;
    assert!(is_late(&card), "{card:#}");
    assert_eq!(labels(&staff), ["Receipt", "Keep it", "Refund"], "staff may keep it or send it back");
    shop.staff.press(&shop.conversation, &token_of(&staff, "Refund"), Some("25")).await;
    shop.both_show(&code, "refunded").await;
    assert_eq!(shop.facts(&code, "late_decided").await, 0, "what went back needs no decision");
    shop.close().await;
}
