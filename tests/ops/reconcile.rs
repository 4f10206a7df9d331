//! Finding out without webhooks: the daily comparison, what it does not dare to mend, and what costs no call.

use crate::configuration::till;
use crate::support::stripe::{Plan, Polls, Shop, Webhooks};
use crate::support::{choose, eventually, link_of, to_provider};
use reqwest::StatusCode;
use serde_json::json;
use std::time::Duration;
use till::drift::{self, Compared, Looked, Mend};
use till::world::At;
use tokio_util::sync::CancellationToken;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_comparison_mends_what_no_webhook_told_and_keeps_what_it_found() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, ..Plan::default() }).await;
    let codes = [shop.ask("/pay 25 EUR coffee").await, shop.ask("/pay 8 EUR tea").await];
    for code in &codes {
        shop.both_show(code, "open").await;
    }
    shop.stripe.pay(&shop.session(&codes[0])).unwrap();
    let found = drift::daily(&shop.world, "me").await.unwrap().expect("nobody else compares");
    assert_eq!((found.looked, found.mended, found.same()), (2, 1, 1), "{found:?}");
    shop.both_show(&codes[0], "paid").await;
    let last = Compared::last(&*shop.world.store, &shop.world.merchant.id, shop.now()).await.unwrap();
    assert_eq!(last, Some(found));
    let again = drift::daily(&shop.world, "another").await.unwrap();
    assert_eq!(again, None, "one process compares at a time");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_till_compares_by_itself_but_not_just_after_its_start() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, ..Plan::default() }).await;
    let stop = CancellationToken::new();
    tokio::spawn(till::run::compares(shop.world.clone(), 24 * 60 * MINUTE, stop.clone()));
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    shop.stripe.pay(&shop.session(&code)).unwrap();
    let last = async || Compared::last(&*shop.world.store, &shop.world.merchant.id, shop.now()).await.unwrap();
    assert_eq!(last().await, None);
    shop.ahead(11 * MINUTE);
    let found = eventually(last).await.expect("ten minutes after the start it compares");
    assert_eq!((found.looked, found.mended), (1, 1));
    shop.both_show(&code, "paid").await;
    stop.cancel();
    shop.close().await;
}

/// `till reconcile` beside a running till: its own configuration, the same database and provider.
fn reconcile(shop: &Shop, more: &[&str]) -> (bool, String) {
    let text = format!(
        "[store]\npath = \"till.db\"\n[keys]\npath = \"keys.json\"\n[http]\npublic_url = {:?}\n",
        "https://pay.example.com"
    );
    std::fs::write(shop.data.path().join("till.toml"), text).unwrap();
    till(shop.data.path(), &[&["reconcile"], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn reconcile_fails_while_something_differs_and_is_content_once_it_is_mended() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, ..Plan::default() }).await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    shop.stripe.pay(&shop.session(&code)).unwrap();
    let (fine, said) = reconcile(&shop, &["--dry-run"]);
    assert!(!fine && said.contains(&format!("{code}  open here, paid at the provider;")), "{said}");
    assert!(said.contains("1 differ (without --dry-run they are mended)"), "{said}");
    let (fine, said) = reconcile(&shop, &[]);
    assert!(fine && said.contains("Of 1 payments 0 agree with the provider, 1 differed and were mended."), "{said}");
    shop.both_show(&code, "paid").await;
    let (fine, said) = reconcile(&shop, &[]);
    assert!(fine && said.ends_with("Of 1 payments 1 agree with the provider.\n"), "{said}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_says_of_another_mode_is_shown_and_not_mended() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, ..Plan::default() }).await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    shop.stripe.pay(&shop.session(&code)).unwrap();
    let ids = drift::payments(&shop.world, MINUTE, shop.now()).await.unwrap();
    // For a moment Till takes the account for a live one: what is told there of tests is not believed to be ours.
    let mut at = At::clone(&shop.world.accounts.for_new().unwrap());
    at.account.livemode = true;
    shop.world.accounts.replace(vec![at]);
    let looked = drift::look(&shop.world, ids[0], Mend::Yes).await.unwrap();
    let Looked::Stays(drift, why) = &looked else { panic!("{looked:?}") };
    assert!(
        drift.line().contains("open here, paid at the provider") && why.contains("another account or mode"),
        "{why}"
    );
    let mut compared = Compared::default();
    compared.count(&looked, Mend::Yes);
    assert_eq!((compared.looked, compared.differ, compared.mended), (1, 1, 0));
    // What was told was parked, and is judged anew once the account is read again.
    shop.both_show(&code, "paid").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_the_event_list_that_the_provider_has_forgotten_begins_anew_and_nothing_is_lost_or_doubled() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, polls: Polls::Eager, ..Plan::default() }).await;
    let (store, merchant) = (&shop.world.store, &shop.world.merchant.id);
    let before = shop.ask("/pay 8 EUR tea").await;
    shop.both_show(&before, "open").await;
    shop.stripe.pay(&shop.session(&before)).unwrap();
    shop.both_show(&before, "paid").await;
    store.keep(merchant, "sweep", "main", b"evt_forgotten", None).await.unwrap();
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    shop.stripe.pay(&shop.session(&code)).unwrap();
    shop.both_show(&code, "paid").await;
    let place = store.kept(merchant, "sweep", "main", shop.now()).await.unwrap();
    assert_ne!(place.as_deref(), Some(&b"evt_forgotten"[..]));
    for code in [&before, &code] {
        assert_eq!(shop.facts(code, "captured").await, 1);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_about_a_checkout_that_is_not_ours_costs_no_call() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    let session = shop.session(&code);
    let thin = |event: &str, id: &str| {
        let event = json!({
            "id": event, "object": "v2.core.event", "type": "v1.checkout.session.completed", "livemode": false,
            "created": "2026-11-22T18:30:00Z", "context": null, "reason": null,
            "related_object": { "id": id, "type": "checkout.session", "url": format!("/v1/checkout/sessions/{id}") },
        });
        event.to_string().into_bytes()
    };
    let secret = std::fs::read_to_string(shop.data.path().join("secret")).unwrap();
    let post = async |body: Vec<u8>| {
        let signature = fake_stripe::signature(&[secret.trim().to_owned()], shop.now(), &body);
        let headers = [("content-type", "application/json".to_owned()), ("stripe-signature", signature)];
        shop.post_hook(body, &headers).await
    };
    let asked = |id: &str| shop.stripe.recorded().into_iter().filter(|call| call.path.ends_with(id)).count();
    for n in 0..50 {
        let id = format!("cs_test_stranger{n}");
        assert_eq!(post(thin(&format!("evt_thin_{n}"), &id)).await, StatusCode::OK);
        assert_eq!(asked(&id), 0, "a stranger's checkout was asked about");
    }
    assert_eq!(shop.counted("webhook_foreign"), 50);
    let before = asked(&session);
    assert_eq!(post(thin("evt_thin_ours", &session)).await, StatusCode::OK);
    assert_eq!(asked(&session), before + 1, "ours is asked about");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_closed_by_itself_is_found_by_one_look_and_payers_get_the_next() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, ..Plan::default() }).await;
    let code = shop.ask("/pay 25 EUR coffee expires:3d").await;
    let [card, _] = shop.both_show(&code, "open").await;
    let first = shop.session(&code);
    shop.ahead(24 * 60 * MINUTE + 2 * MINUTE);
    let seen = eventually(async || (shop.facts(&code, "checkout_seen").await == 2).then_some(()));
    seen.await.expect("one look after its end finds it closed");
    let page = to_provider(&shop.customer.http, &link_of(&card, "Pay")).await;
    assert_ne!(shop.session(&code), first);
    assert_eq!(choose(&shop.customer.http, &page, "ok").await, StatusCode::SEE_OTHER);
    let paid = eventually(async || {
        shop.ahead(MINUTE);
        (shop.shown(&code).await["status"] == "paid").then_some(())
    });
    paid.await.expect("it is found without a webhook");
    shop.close().await;
}
