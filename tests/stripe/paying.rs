//! The payer pays, is declined, or lets a bank take days; staff send money back, and so does the dashboard.

use crate::support::stripe::Shop;
use crate::support::{eventually, labels, link_of, to_provider, token_of};
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn a_coffee_is_paid_at_stripe_and_goes_back_from_chat_and_from_the_dashboard() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    let [customer, staff] = shop.both_show(&code, "open").await;
    assert_eq!(
        (labels(&customer), labels(&staff)),
        (vec!["Pay 25.00 EUR".into()], ["Pay 25.00 EUR", "Cancel", "Remind", "Extend"].map(String::from).to_vec())
    );
    assert_eq!((&customer["mode"], &customer["title"]), (&json!("test"), &json!("Please pay 25.00 EUR")));
    shop.chooses(&code, "ok").await;
    let [customer, staff] = shop.both_show(&code, "paid").await;
    assert_eq!(
        (labels(&customer), labels(&staff)),
        (vec!["Receipt".to_owned()], vec!["Receipt".into(), "Refund".into()])
    );
    shop.pinged("is paid").await;
    let intent = shop.intent(&code);
    let receipt = shop.customer.http.get(link_of(&customer, "Receipt")).send().await.unwrap().text().await.unwrap();
    for words in [&*code, "Total paid", "25.00 EUR", &*intent] {
        assert!(receipt.contains(words), "{words}: {receipt}");
    }

    let said = shop.staff.press(&shop.conversation, &token_of(&staff, "Refund"), Some("10")).await;
    assert_eq!(said["text"], format!("10.00 EUR of {code} is on its way back."));
    let [card, _] = shop.both_show(&code, "partially_refunded").await;
    assert_eq!(card["title"], "Paid 25.00 EUR, refunded 10.00 EUR");

    // The owner refunds 9 EUR in the dashboard, and staff all that is left as far as Till knows: 15 EUR.
    shop.webhooks_wait();
    shop.stripe.refund_by_hand(&intent, 900, None);
    assert_eq!(shop.say(&format!("/till refund {code}")).await, format!("15.00 EUR of {code} is on its way back."));
    let told = shop.whispered("was not made").await;
    assert!(told.contains("15.00 EUR") && told.contains("greater than unrefunded amount"), "{told}");
    shop.webhooks_come();
    let known = eventually(async || (shop.shown(&code).await["refunded_minor"] == 1900).then_some(()));
    known.await.expect("the dashboard's refund is known");
    assert_eq!(shop.say(&format!("/till refund {code}")).await, format!("6.00 EUR of {code} is on its way back."));
    let [card, staff] = shop.both_show(&code, "refunded").await;
    assert_eq!((&card["title"], labels(&staff)), (&json!("Refunded 25.00 EUR"), vec!["Receipt".to_owned()]));
    let shown = shop.shown(&code).await;
    assert_eq!((&shown["captured_minor"], &shown["refunded_minor"]), (&json!(2500), &json!(2500)));
    shop.pinged("is paid").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_shows_and_the_next_one_pays() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 2 x 4.50 EUR coffee + 3 EUR cake").await;
    shop.chooses(&code, "declined").await;
    let told = eventually(async || {
        let card = shop.customer.card(&code, "open").await;
        card["details"].to_string().contains("Declined, nothing was charged").then_some(())
    });
    told.await.expect("the card says that the last try was declined");
    shop.chooses(&code, "ok").await;
    let [card, _] = shop.both_show(&code, "paid").await;
    assert!(!card["details"].to_string().contains("Declined"), "{card:#}");
    assert_eq!((shop.sessions(&code).len(), shop.facts(&code, "attempt_failed").await), (1, 1));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_debit_that_settles_days_after_the_deadline_is_not_late() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee expires:2h").await;
    let pay_page = link_of(&shop.customer.card(&code, "open").await, "Pay");
    shop.chooses(&code, "debit").await;
    let [card, staff] = shop.both_show(&code, "processing").await;
    assert_eq!((&card["title"], labels(&card)), (&json!("The bank is processing it"), vec![]));
    assert_eq!(labels(&staff), [] as [&str; 0], "there is nothing to cancel or refund yet");
    let page = shop.customer.http.get(&pay_page).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Your bank is processing"), "{page}");
    shop.ahead(72 * HOUR);
    shop.stripe.settle(&shop.session(&code)).unwrap();
    let [card, _] = shop.both_show(&code, "paid").await;
    assert!(!card["details"].to_string().contains("after the deadline"), "{card:#}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_debit_that_fails_leaves_the_payment_open_and_a_new_session_pays_it() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.chooses(&code, "debit").await;
    shop.both_show(&code, "processing").await;
    shop.ahead(2 * HOUR);
    shop.stripe.fail_debit(&shop.session(&code)).unwrap();
    let [card, _] = shop.both_show(&code, "open").await;
    let page = to_provider(&shop.customer.http, &link_of(&card, "Pay")).await;
    let sessions = shop.sessions(&code);
    assert_eq!(sessions.len(), 2, "a session that is complete is never paid again");
    assert!(page.contains(sessions[1]["id"].as_str().unwrap()), "{page}");
    shop.chooses(&code, "ok").await;
    shop.both_show(&code, "paid").await;
    shop.close().await;
}
