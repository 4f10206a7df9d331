//! What the bank and the card's network do afterwards: inquiries, disputes, warnings, and refunds that come back.

use crate::support::stripe::Shop;
use crate::support::{eventually, labels, token_of};
use serde_json::Value;

fn details(card: &Value) -> String {
    card["details"].to_string()
}

/// The staff's card, once it says this.
async fn staff_read(shop: &Shop, code: &str, status: &str, words: &str) -> Value {
    let mut last = Value::Null;
    let read = eventually(async || {
        last = shop.staff.card(code, status).await;
        details(&last).contains(words).then(|| last.clone())
    });
    read.await.unwrap_or_else(|| panic!("`{words}` never stood on {last:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inquiry_is_the_staffs_alone_and_may_become_a_dispute_that_is_won() {
    let shop = Shop::open().await;
    let (code, intent) = shop.paid("/pay 25 EUR coffee").await;
    let before = shop.customer.card(&code, "paid").await;
    let dispute = shop.stripe.dispute(&intent, 2500, true);
    let told = shop.whispered("the bank asks about this payment").await;
    assert!(told.starts_with(&code) && told.contains("No money was taken yet"), "{told}");
    let card = staff_read(&shop, &code, "paid", "Answer the bank by").await;
    assert!(details(&card).contains("The bank asks"), "{card:#}");
    assert_eq!(shop.customer.card(&code, "paid").await, before, "an inquiry is no affair of the customer's");

    shop.stripe.dispute_becomes(&dispute, "needs_response");
    let [card, staff] = shop.both_show(&code, "disputed").await;
    assert_eq!(card["title"], "Disputed");
    assert!(!details(&card).contains("bank") && details(&staff).contains("Answer the bank by"), "{card:#} {staff:#}");
    assert!(!labels(&staff).contains(&"Refund".to_owned()), "the bank has the money: {staff:#}");
    let told = shop.whispered(&format!("{code} is disputed at the bank, over 25.00 EUR")).await;
    assert!(told.contains(" by "), "with its deadline: {told}");
    shop.stripe.dispute_becomes(&dispute, "under_review");
    shop.stripe.dispute_becomes(&dispute, "won");
    let [card, staff] = shop.both_show(&code, "paid").await;
    assert!(!details(&staff).contains("bank"), "{staff:#}");
    assert_eq!(card["title"], "Paid");
    assert_eq!(shop.whispers().await.len(), 2, "each was told once");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_that_is_lost_is_charged_back() {
    let shop = Shop::open().await;
    let (code, intent) = shop.paid("/pay 25 EUR coffee").await;
    let dispute = shop.stripe.dispute(&intent, 2500, false);
    shop.both_show(&code, "disputed").await;
    shop.pinged("is disputed at the bank").await;
    let refused = shop.say(&format!("/till refund {code}")).await;
    assert!(refused.starts_with("You cannot"), "{refused}");
    shop.stripe.dispute_becomes(&dispute, "lost");
    let [card, staff] = shop.both_show(&code, "charged_back").await;
    assert_eq!((&card["title"], labels(&staff)), (&"Charged back".into(), vec!["Receipt".to_owned()]));
    shop.whispered("is disputed").await;
    shop.pinged("was charged back by the bank").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fraud_warning_and_a_review_are_told_to_staff_and_change_nothing_for_the_customer() {
    let shop = Shop::open().await;
    let (code, intent) = shop.paid("/pay 25 EUR coffee").await;
    let before = shop.customer.card(&code, "paid").await;
    let review = shop.stripe.review_opens(&intent);
    shop.whispered(&format!("{code} is held for review")).await;
    staff_read(&shop, &code, "paid", "Hold it back").await;
    shop.stripe.review_closes(&review, "approved");
    let calm = eventually(async || {
        let card = shop.staff.card(&code, "paid").await;
        (!details(&card).contains("Hold it back")).then_some(())
    });
    calm.await.expect("the review is over");
    shop.stripe.fraud_warning(&intent);
    shop.whispered(&format!("{code} may be fraud")).await;
    let card = staff_read(&shop, &code, "paid", "Hold it back").await;
    assert_eq!(labels(&card), ["Receipt", "Refund"]);
    assert_eq!(shop.customer.card(&code, "paid").await, before);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_comes_back_days_later_is_told_and_can_be_made_again() {
    let shop = Shop::open().await;
    let (code, intent) = shop.paid("/pay 25 EUR coffee").await;
    shop.stripe.refunds_start("pending");
    shop.say(&format!("/till refund {code} 10 EUR")).await;
    let [card, _] = shop.both_show(&code, "refund_pending").await;
    assert_eq!(card["title"], "Refund of 10.00 EUR on its way");
    let refund = shop.stripe.all("refund")[0]["id"].as_str().unwrap().to_owned();
    shop.stripe.refund_becomes(&refund, "succeeded");
    shop.both_show(&code, "partially_refunded").await;
    shop.ahead(std::time::Duration::from_secs(3 * 24 * 3600));
    shop.stripe.refund_fails(&refund, "expired_or_canceled_card");
    let [card, _] = shop.both_show(&code, "paid").await;
    assert!(!details(&card).contains("came back"), "{card:#}");
    let told = shop.whispered("came back").await;
    assert!(told.contains(&code) && told.contains("10.00 EUR"), "{told}");
    let staff = staff_read(&shop, &code, "paid", "Refund came back").await;
    shop.stripe.refunds_start("succeeded");
    shop.staff.press(&shop.conversation, &token_of(&staff, "Refund"), Some("25")).await;
    shop.both_show(&code, "refunded").await;
    assert_eq!(shop.stripe.object(&intent)["amount_received"], 2500);
    shop.close().await;
}
