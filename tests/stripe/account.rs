//! The account and its secrets: rotated, disconnected, short of a permission; and what Stripe's currencies are.

use crate::support::stripe::{CONNECTED, GRANTS, KEY, Plan, Shop, Webhooks};
use crate::support::{eventually, labels};
use reqwest::StatusCode;
use serde_json::json;
use std::time::Duration;
use till_core::port::psp::{Access, Verdict};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_secret_is_rotated_while_payments_go_on_and_none_is_lost() {
    let shop = Shop::open().await;
    let endpoint = shop.stripe.all("webhook_endpoint")[0]["id"].as_str().unwrap().to_owned();
    let old = std::fs::read_to_string(shop.data.path().join("secret")).unwrap();
    let mut codes = Vec::new();
    for nth in 0..12 {
        let code = shop.ask(&format!("/pay 25 EUR coffee ref:R{nth}")).await;
        let made = eventually(async || shop.sessions(&code).pop()).await.unwrap();
        match nth {
            // The owner makes Till believe both, then Stripe signs with both, then with the new one, which takes the
            // old one's place in the file.
            3 => {
                let mut row = shop.account().await;
                shop.write_secret("next", "whsec_next");
                row.webhook_secrets.insert(0, shop.secret_place("next"));
                shop.world.store.put_account(&shop.world.merchant.id, &row).await.unwrap();
                let both = eventually(async || (believed(&shop) == 2).then_some(()));
                both.await.expect("the running till has read both");
                assert_eq!(signed_by(&shop, &old).await, StatusCode::OK);
                assert_eq!(signed_by(&shop, "whsec_next").await, StatusCode::OK);
            }
            5 => shop.stripe.endpoint_secrets(&endpoint, &["whsec_next", &old]),
            7 => shop.stripe.endpoint_secrets(&endpoint, &["whsec_next"]),
            9 => {
                let mut row = shop.account().await;
                shop.write_secret("secret", "whsec_next");
                row.webhook_secrets = vec![shop.secret_place("secret")];
                shop.world.store.put_account(&shop.world.merchant.id, &row).await.unwrap();
            }
            _ => {}
        }
        shop.stripe.pay(made["id"].as_str().unwrap()).unwrap();
        codes.push(code);
    }
    let delivered = eventually(async || shop.stripe.deliveries().is_empty().then_some(())).await;
    delivered.expect("every webhook was believed in the end");
    for code in &codes {
        let shown = shop.shown(code).await;
        assert_eq!(shown["status"], "paid", "{shown:#}");
    }
    eventually(async || (believed(&shop) == 1).then_some(())).await.expect("the new one alone is listed");
    assert_eq!(signed_by(&shop, &old).await, StatusCode::UNAUTHORIZED);
    shop.close().await;
}

/// How many secrets the running till knows.
fn believed(shop: &Shop) -> usize {
    shop.world.accounts.for_new().unwrap().account.webhook_secrets.len()
}

/// What a delivery that says nothing, signed with this secret, is answered with.
async fn signed_by(shop: &Shop, secret: &str) -> StatusCode {
    let event = json!({
        "id": "evt_of_nothing", "object": "event", "type": "balance.available", "created": shop.now().secs(),
        "livemode": false, "api_version": null, "data": { "object": {} },
    });
    let body = event.to_string().into_bytes();
    let signature = fake_stripe::signature(&[secret.to_owned()], shop.now(), &body);
    let headers = [("content-type", "application/json".to_owned()), ("stripe-signature", signature)];
    shop.post_hook(body, &headers).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_account_is_closed_and_its_payments_keep_their_cards() {
    let shop = Shop::with(Plan { access: Access::Connected, ..Plan::default() }).await;
    let (code, _) = shop.paid("/pay 25 EUR coffee").await;
    shop.stripe.deauthorize(CONNECTED);
    let closed = eventually(async || shop.account().await.closed);
    assert_eq!(closed.await.expect("the account is closed").why, "disconnected at the provider");
    let gone = eventually(async || shop.world.accounts.for_new().is_none().then_some(()));
    gone.await.expect("the running till has read that");
    let said = shop.say("/pay 8 EUR tea").await;
    assert!(said.starts_with("No new payments are taken at the moment"), "{said}");
    let [card, _] = shop.both_show(&code, "paid").await;
    assert_eq!(labels(&card), ["Receipt"]);
    assert_eq!(shop.stripe.sessions().len(), 1, "nothing was made for the tea");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_permission_is_named_and_the_payment_goes_on_with_a_better_one() {
    let plan = Plan { lacks: Some(GRANTS[0]), webhooks: Webhooks::Come, ..Plan::default() };
    let shop = Shop::with(plan).await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    let told = shop.whispered("waits").await;
    assert!(told.starts_with(&code) && told.contains("till doctor"), "{told}");
    let rows = till::assemble::rows(&shop.config).await.unwrap();
    let found = till::doctor::examine(&shop.config, &rows, &shop.world.clock).await.unwrap();
    rows.close().await;
    let (about, findings) = found.last().unwrap();
    assert_eq!(about, "account main (stripe)");
    let wrong: Vec<_> = findings.iter().filter(|it| it.verdict == Verdict::Wrong).collect();
    assert_eq!(wrong.len(), 1, "{findings:#?}");
    assert_eq!(wrong[0].text, "the key may not read checkouts, make checkouts");
    assert_eq!(wrong[0].mend, "in the dashboard, edit the key and set Checkout Sessions: Write");
    shop.ahead(Duration::from_secs(120));
    assert!(shop.customer.cards(&code).await.is_empty(), "what cannot be paid is not shown");

    shop.write_secret("key", KEY);
    let made = eventually(async || {
        shop.ahead(Duration::from_secs(30));
        shop.sessions(&code).pop()
    });
    made.await.expect("the call is tried again by itself");
    shop.chooses(&code, "ok").await;
    shop.both_show(&code, "paid").await;
    shop.whispered("waits").await;
    let rows = till::assemble::rows(&shop.config).await.unwrap();
    let found = till::doctor::examine(&shop.config, &rows, &shop.world.clock).await.unwrap();
    rows.close().await;
    assert!(!till::doctor::report(&found).1, "{found:#?}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_stripes_own_and_what_it_refuses_is_said() {
    let shop = Shop::open().await;
    let said = shop.staff.say(&shop.conversation, "/pay 0.10 EUR sticker").await;
    let (text, code) = (said["text"].as_str().unwrap(), said["code"].as_str().unwrap().to_owned());
    assert!(text.contains("it takes 0.50 EUR or more, as far as we know"), "{text}");
    let told = shop.whispered("could not be created").await;
    let why = "the amount is smaller than what the provider takes. Ask for more at once, with several items";
    assert_eq!(told, format!("{code} could not be created: {why}"));
    assert!(shop.customer.cards(&code).await.is_empty());
    assert_eq!(shop.shown(&code).await["status"], "failed");

    let made = shop.stripe.sessions().len();
    let said = shop.say("/pay 1.234 KWD saffron").await;
    assert_eq!(said, "1.234 KWD cannot be paid at the provider: it counts in steps of 0.010 KWD. Round the amount.");
    let asked = shop.staff.say(&shop.conversation, "/pay 1.234 KWD saffron").await;
    assert!(asked["code"].is_null() && shop.stripe.sessions().len() == made, "nothing was made: {asked}");

    for (text, units, currency, refund) in
        [("/pay 1500 ISK wool", 150_000, "isk", "500"), ("/pay 1500 JPY tea", 1_500, "jpy", "500")]
    {
        let (code, intent) = shop.paid(text).await;
        let object = shop.stripe.object(&intent);
        assert_eq!((&object["amount_received"], &object["currency"]), (&json!(units), &json!(currency)));
        assert_eq!(shop.shown(&code).await["captured_minor"], 1500);
        shop.say(&format!("/till refund {code} {refund}")).await;
        shop.both_show(&code, "partially_refunded").await;
    }
    shop.close().await;
}
