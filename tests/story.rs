//! Stories: what people do with a running till, over HTTP, with the sandbox provider and its signed webhooks.

use crate::support::{Town, choose, labels, link_of, to_provider, token_of};
use reqwest::StatusCode;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_coffee_is_asked_for_paid_and_refunded_in_part() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 25 EUR coffee").await;

    let card = town.customer.card(&code, "open").await;
    assert_eq!(labels(&card), ["Pay 25.00 EUR"], "a customer sees no staff buttons");
    assert_eq!(labels(&town.staff.card(&code, "open").await), ["Pay 25.00 EUR", "Cancel", "Remind", "Extend"]);
    assert_eq!((&card["mode"], &card["title"]), (&json!("test"), &json!("Please pay 25.00 EUR")));

    let pay_url = link_of(&card, "Pay");
    let page = town.customer.http.get(&pay_url).send().await.unwrap().text().await.unwrap();
    for words in ["Corner Café", "25.00 EUR", "coffee", "Sam", "TEST", "card number"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let provider_page = to_provider(&town.customer.http, &pay_url).await;
    assert!(!choose(&town.customer.http, &provider_page, "ok").await.is_client_error());

    let paid = town.customer.card(&code, "paid").await;
    assert_eq!(labels(&paid), ["Receipt"]);
    town.customer.pinged("is paid").await;
    let paid = town.staff.card(&code, "paid").await;
    assert_eq!(labels(&paid), ["Receipt", "Refund"]);
    let receipt = town.customer.http.get(link_of(&paid, "Receipt")).send().await.unwrap();
    let receipt = receipt.text().await.unwrap();
    assert!(receipt.contains(&code) && receipt.contains("Total paid") && receipt.contains("25.00 EUR"), "{receipt}");

    // The page is honest afterwards, and pressing again leads nowhere.
    let page = town.customer.http.get(&pay_url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("This is paid") && !page.contains("<button"), "{page}");
    let again = town.customer.http.post(&pay_url).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::SEE_OTHER);

    let said = town.staff.press(&conversation, &token_of(&paid, "Refund"), Some("10")).await;
    assert_eq!(said["text"], format!("10.00 EUR of {code} is on its way back."));
    let card = town.customer.card(&code, "partially_refunded").await;
    assert_eq!(card["title"], "Paid 25.00 EUR, refunded 10.00 EUR");
    for words in ["is paid", "went back"] {
        town.customer.pinged(words).await;
    }
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_payment_cannot_be_paid_any_more() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 8,50 tea").await;
    let card = town.staff.card(&code, "open").await;
    let pay_url = link_of(&card, "Pay");
    let provider_page = to_provider(&town.customer.http, &pay_url).await;

    town.staff.press(&conversation, &token_of(&card, "Cancel"), None).await;
    let cancelled = town.customer.card(&code, "cancelled").await;
    assert_eq!(labels(&cancelled), [] as [&str; 0]);
    // The provider's page, still open in a tab, is closed as well.
    choose(&town.customer.http, &provider_page, "ok").await;
    let page = town.customer.http.get(&pay_url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("was cancelled") && !page.contains("<button"), "{page}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    town.customer.card(&code, "cancelled").await;
    let refused = town.staff.say(&conversation, &format!("/till cancel {code}")).await;
    assert!(refused["text"].as_str().unwrap().starts_with("You cannot cancel it while it is cancelled"), "{refused}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_leaves_the_payment_open_for_another_try() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 2 x 4.50 EUR coffee + 3 EUR cake note:\"window seat\"").await;
    let card = town.customer.card(&code, "open").await;
    assert_eq!(card["amount"], "12.00 EUR");
    assert_eq!(
        card["items"],
        json!([{ "name": "2 × coffee", "amount": "9.00 EUR" }, { "name": "cake", "amount": "3.00 EUR" }])
    );
    let provider_page = to_provider(&town.customer.http, &link_of(&card, "Pay")).await;
    choose(&town.customer.http, &provider_page, "declined").await;
    let told = crate::support::eventually(async || {
        let card = town.customer.card(&code, "open").await;
        card["details"].to_string().contains("Declined").then_some(())
    });
    told.await.expect("the card says that the last try was declined");
    choose(&town.customer.http, &provider_page, "ok").await;
    town.customer.card(&code, "paid").await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_expires_at_its_deadline_although_nobody_asked() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 5 EUR muffin expires:10m").await;
    let card = town.customer.card(&code, "open").await;
    town.ahead(Duration::from_secs(10 * 60 + 5));
    town.customer.card(&code, "expired").await;
    let page = town.customer.http.get(link_of(&card, "Pay")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("has expired"), "{page}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_act_twice_makes_one_payment_and_the_same_words_ask_first() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let body = json!({ "client_id": "click-1", "conversation": conversation, "text": "/pay 25 EUR coffee" });
    let both = futures::future::join(town.staff.post("say", &body), town.staff.post("say", &body)).await;
    let first: serde_json::Value = both.0.json().await.unwrap();
    let second: serde_json::Value = both.1.json().await.unwrap();
    assert_eq!(first["code"], second["code"], "{first} {second}");

    let same = town.staff.say(&conversation, "/pay  25 EUR  Coffee").await;
    assert_eq!((&same["ack"], &same["code"]), (&json!("same"), &first["code"]));
    let more = json!({ "client_id": "click-2", "conversation": conversation, "text": "/pay 25 EUR coffee", "again": "wanted" });
    let more: serde_json::Value = town.staff.post("say", &more).await.json().await.unwrap();
    assert_ne!(more["code"], first["code"]);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing_and_old_links_still_work() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 25 EUR coffee").await;
    let card = town.customer.card(&code, "open").await;
    let before = town.customer.lines().await;
    let (data, old_url) = (town.data.clone(), town.url.clone());
    town.stop().await;

    let town = Town::at(data).await;
    let token = link_of(&card, "Pay").replace(&old_url, &town.url);
    let page = town.customer.http.get(&token).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let after = town.staff.lines().await;
    assert!(before.iter().all(|line| after.iter().any(|kept| kept["id"] == line["id"])), "{before:#?} {after:#?}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_told_kindly_that_only_staff_may_ask_for_money() {
    let town = Town::new().await;
    town.conversation().await;
    for text in ["/pay 25 EUR coffee", "/till status", "/pay gibberish"] {
        let said = town.customer.say("", text).await;
        assert!(said["text"].as_str().unwrap().starts_with("Only staff"), "{said}");
    }
    assert!(town.customer.say("", "/till help").await["text"].as_str().unwrap().contains("/pay"));
    let pressed = town.customer.press("", "cancel:pay_01a20485b040715c8289ec2d0a9167ec", None).await;
    assert!(pressed["text"].as_str().unwrap().starts_with("Only staff"), "{pressed}");
    town.stop().await;
}
