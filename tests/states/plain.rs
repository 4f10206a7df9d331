//! What can happen to a payment at a provider that does as it is told.

use super::{Stage, details};
use crate::support::bank::checkout_on;
use crate::support::{Town, eventually, labels};
use serde_json::{Value, json};
use std::time::Duration;

const NONE: [&str; 0] = [];

async fn stage(name: &str) -> Stage {
    Stage::open(&format!("states::plain::{name}"), Town::new().await).await
}

/// The staff's card, once its details say this.
async fn staff_read(stage: &Stage, code: &str, words: &str) -> Value {
    let read = eventually(async || {
        let cards = stage.town.staff.cards(code).await;
        cards.into_iter().find(|card| details(card).contains(words))
    });
    read.await.unwrap_or_else(|| panic!("the card of {code} never said `{words}`"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bank_asks_the_payer_takes_its_time_and_takes_back() {
    let stage = stage("the_bank_asks_the_payer_takes_its_time_and_takes_back").await;
    challenged(&stage).await;
    debited(&stage).await;
    taken_back(&stage).await;
    stage.close().await;
}

/// 3-D Secure: refused by the payer, then approved; and always asked for, where the policy says so.
async fn challenged(stage: &Stage) {
    let (code, page) = stage.asked("/pay 25 EUR coffee").await;
    stage.pay(&page, &[("card", "challenge")]).await;
    stage.pay(&page, &[("answer", "refuse")]).await;
    staff_read(stage, &code, "Declined").await;
    stage.seen("01-authentication-refused", &code, "open").await;
    stage.pay(&page, &[("card", "challenge")]).await;
    assert_eq!(
        stage.town.customer.card(&code, "open").await["title"],
        "Please pay 25.00 EUR",
        "not before the bank knows"
    );
    stage.pay(&page, &[("answer", "approve")]).await;
    stage.seen("02-paid", &code, "paid").await;
    stage.town.customer.pinged(&format!("{code} is paid")).await;

    let (code, page) = stage.asked("/pay 200 EUR catering").await;
    stage.pay(&page, &[("card", "ok")]).await;
    assert_eq!(stage.town.customer.card(&code, "open").await["status"], "open", "from 100 EUR on the payer is asked");
    stage.pay(&page, &[("answer", "approve")]).await;
    stage.town.customer.card(&code, "paid").await;
}

/// A bank debit: days between the payer and the money, and a bank that says no after all.
async fn debited(stage: &Stage) {
    let (code, page) = stage.asked("/pay 30 EUR cake expires:10m").await;
    stage.pay(&page, &[("card", "debit")]).await;
    let [customer, staff] = stage.seen("03-processing", &code, "processing").await;
    assert_eq!((labels(&customer).len(), labels(&staff).len()), (0, 0), "nobody pays twice, and nobody can stop it");
    let refused = stage.say(&format!("/till cancel {code}")).await;
    assert!(refused.contains("The bank has it already"), "{refused}");
    stage.town.ahead(Duration::from_secs(3 * 24 * 3600));
    stage.bank.act("debit_succeeds", checkout_on(&page)).await;
    let paid = stage.town.staff.card(&code, "paid").await;
    assert!(!details(&paid).contains("after the deadline"), "begun in time is in time: {}", details(&paid));

    let (code, page) = stage.asked("/pay 31 EUR cake").await;
    stage.pay(&page, &[("card", "debit")]).await;
    stage.town.customer.card(&code, "processing").await;
    stage.bank.act("debit_fails", checkout_on(&page)).await;
    stage.town.customer.card(&code, "open").await;
    let again = stage.to_page(&code).await;
    assert_ne!(again, page, "a fresh page, since the bank closed the other");
    stage.pay(&again, &[("card", "ok")]).await;
    stage.town.customer.card(&code, "paid").await;
}

/// The bank takes a payment back, which is asked for once more.
async fn taken_back(stage: &Stage) {
    let (code, page) = stage.asked("/pay 12 EUR flowers").await;
    stage.pay(&page, &[("card", "ok")]).await;
    stage.town.customer.card(&code, "paid").await;
    stage.bank.act("reverse", &stage.bank.payment_on(&page).await).await;
    let [customer, staff] = stage.seen("04-returned", &code, "returned").await;
    assert_eq!((labels(&customer).as_slice(), labels(&staff)), (&[] as &[String], vec!["Ask again".to_owned()]));
    stage.town.customer.pinged(&format!("{code}: the bank took the money back")).await;
    let said = stage.press(&code, "returned", "Ask again", None).await;
    assert!(said.starts_with("Asked for 12.00 EUR once more"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_runs_its_course_and_refunds_come_back() {
    let stage = stage("a_dispute_runs_its_course_and_refunds_come_back").await;
    disputed(&stage).await;
    refunds(&stage).await;
    stage.close().await;
}

/// From an inquiry, which is no public matter, to a lost dispute that is won in the second round.
async fn disputed(stage: &Stage) {
    let (code, page) = stage.asked("/pay 40 EUR dinner").await;
    stage.pay(&page, &[("card", "ok")]).await;
    stage.town.customer.card(&code, "paid").await;
    let payment = stage.bank.payment_on(&page).await;
    let inquiry = stage.bank.act("inquire", &payment).await;
    let staff = staff_read(stage, &code, "The bank asks").await;
    assert!(details(&staff).contains("Answer the bank by"), "{}", details(&staff));
    let [customer, _] = stage.seen("05-inquiry", &code, "paid").await;
    assert!(!details(&customer).contains("bank"), "no public matter: {}", details(&customer));
    stage.bank.act("win", inquiry["id"].as_str().unwrap()).await;

    let dispute = stage.bank.act("dispute", &payment).await;
    let id = dispute["id"].as_str().unwrap();
    let [customer, staff] = stage.seen("06-disputed", &code, "disputed").await;
    assert!(details(&staff).contains("Answer the bank by") && !details(&customer).contains("Answer"));
    assert_eq!(labels(&staff), ["Receipt"], "what the bank decides, nobody refunds");
    stage.town.customer.pinged(&format!("{code} is disputed")).await;
    let needs = stage.say("/till payments").await;
    assert!(needs.contains(&code) && needs.contains("the bank waits for an answer"), "{needs}");
    let refused = stage.say(&format!("/till refund {code}")).await;
    assert!(refused.starts_with("You cannot refund it while it is disputed"), "{refused}");
    stage.bank.act("answer", id).await;
    stage.town.staff.card(&code, "disputed").await;
    stage.bank.act("lose", id).await;
    stage.seen("07-charged-back", &code, "charged_back").await;
    stage.town.customer.pinged(&format!("{code} was charged back")).await;
    stage.bank.act("win", id).await;
    stage.town.customer.card(&code, "paid").await;
}

/// A refund on its way, one that arrives, and one that comes back after all.
async fn refunds(stage: &Stage) {
    stage.bank.knobs(&json!({ "refunds_take_time": true })).await;
    let (code, page) = stage.asked("/pay 50 EUR tickets").await;
    stage.pay(&page, &[("card", "ok")]).await;
    stage.press(&code, "paid", "Refund", Some("20")).await;
    let [customer, staff] = stage.seen("08-refund-on-its-way", &code, "refund_pending").await;
    assert_eq!(customer["title"], "Refund of 20.00 EUR on its way");
    assert_eq!(labels(&staff), ["Receipt", "Refund"], "what is left can go back as well");
    let payment = stage.bank.payment_on(&page).await;
    let refund = stage.bank.refund_of(&payment).await;
    stage.bank.act("refund_succeeds", &refund).await;
    let [customer, _] = stage.seen("09-partially-refunded", &code, "partially_refunded").await;
    assert_eq!(customer["title"], "Paid 50.00 EUR, refunded 20.00 EUR");
    stage.bank.act("refund_fails", &refund).await;
    let staff = staff_read(stage, &code, "20.00 EUR did not reach the payer").await;
    assert_eq!(staff["status"], "paid");
    stage.seen("10-refund-came-back", &code, "paid").await;
    let needs = stage.say("/till payments").await;
    assert!(needs.contains("a refund came back"), "{needs}");
    stage.bank.knobs(&json!({})).await;
    stage.press(&code, "paid", "Refund", Some("50")).await;
    stage.seen("11-refunded", &code, "refunded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_does_not_fit_or_comes_too_late_is_for_staff_to_decide() {
    let stage = stage("money_that_does_not_fit_or_comes_too_late_is_for_staff_to_decide").await;
    does_not_fit(&stage).await;
    too_late(&stage).await;
    open_and_over(&stage).await;
    stage.close().await;
}

/// The provider holds another amount or currency than was asked for.
async fn does_not_fit(stage: &Stage) {
    stage.bank.knobs(&json!({ "lie_amount_pct": 100 })).await;
    let (code, page) = stage.asked("/pay 60 EUR hamper").await;
    stage.pay(&page, &[("card", "ok")]).await;
    let [customer, staff] = stage.seen("12-being-checked", &code, "needs_review").await;
    assert_eq!((customer["title"].as_str(), labels(&customer).len()), (Some("Being checked"), 0));
    assert_eq!(labels(&staff), ["Accept", "Reject"]);
    assert!(details(&staff).contains("60.01 EUR came, 60.00 EUR was asked for"), "{}", details(&staff));
    let said = stage.press(&code, "needs_review", "Accept", None).await;
    assert_eq!(said, format!("{code}: 60.01 EUR counts now."));
    let [customer, staff] = stage.seen("13-overpaid", &code, "overpaid").await;
    assert_eq!(customer["title"], "Paid too much");
    assert_eq!(labels(&staff), ["Receipt", "Refund the extra"]);
    let said = stage.press(&code, "overpaid", "Refund the extra", Some("0.01")).await;
    assert!(said.starts_with("0.01 EUR of"), "{said}");
    stage.town.customer.card(&code, "paid").await;

    stage.bank.knobs(&json!({ "lie_currency_pct": 100 })).await;
    let (code, page) = stage.asked("/pay 61 EUR hamper").await;
    stage.pay(&page, &[("card", "ok")]).await;
    stage.town.staff.card(&code, "needs_review").await;
    let said = stage.say(&format!("/till accept {code}")).await;
    assert!(said.contains("in another currency"), "{said}");
    let said = stage.say(&format!("/till reject {code}")).await;
    assert!(said.ends_with("does not count. Send it back at the provider."), "{said}");
    let staff = staff_read(stage, &code, "61.00 USD was rejected").await;
    assert_eq!(labels(&staff), ["Cancel", "Extend"], "nobody pays before the other money has gone back");
    assert!(stage.say("/till payments").await.contains("send it back at the provider"));
    stage.bank.knobs(&json!({})).await;
    stage.bank.act("refund", &stage.bank.payment_on(&page).await).await;
    let again = stage.to_page(&code).await;
    stage.pay(&again, &[("card", "ok")]).await;
    stage.town.customer.card(&code, "paid").await;
}

/// The provider cannot be reached to close the page, and the payer is faster.
async fn too_late(stage: &Stage) {
    let (code, page) = stage.asked("/pay 70 EUR wine").await;
    stage.bank.knobs(&json!({ "fail_before_pct": 100 })).await;
    stage.press(&code, "open", "Cancel", None).await;
    let [customer, _] = stage.seen("14-cancelling", &code, "cancelling").await;
    assert_eq!(labels(&customer), NONE, "nobody is sent there any more");
    stage.pay(&page, &[("card", "ok")]).await;
    stage.bank.knobs(&json!({})).await;
    let [customer, staff] = stage.seen("15-paid-after-cancel", &code, "paid").await;
    assert!(details(&customer).contains("staff decide"), "{}", details(&customer));
    assert_eq!(labels(&staff), ["Receipt", "Keep it", "Refund"]);
    let said = stage.press(&code, "paid", "Keep it", None).await;
    assert_eq!(said, format!("{code}: what came too late is kept."));
    staff_read(stage, &code, "and accepted").await;
    stage.seen("16-late-and-kept", &code, "paid").await;
}

/// What staff do to a payment that nobody has paid yet.
async fn open_and_over(stage: &Stage) {
    let code = stage.town.staff.ask(&stage.conversation, "/pay 80 EUR course expires:10m").await;
    let [_, staff] = stage.seen("17-open", &code, "open").await;
    assert_eq!(labels(&staff), ["Pay 80.00 EUR", "Cancel", "Remind", "Extend"]);
    let verified = stage.town.customer.say("", &format!("/till verify {code}")).await;
    assert!(verified["text"].as_str().unwrap().starts_with(&format!("Yes: {code} was issued by")), "{verified}");
    let said = stage.press(&code, "open", "Remind", None).await;
    assert_eq!(said, format!("{code} is said again here."));
    stage.town.customer.pinged(&format!("{code}: 80.00 EUR is still to be paid")).await;
    let said = stage.say(&format!("/till remind {code}")).await;
    assert!(said.contains("a moment ago"), "{said}");
    let said = stage.press(&code, "open", "Extend", None).await;
    assert!(said.starts_with(&format!("{code} can be paid until")), "{said}");
    stage.town.ahead(Duration::from_secs(20 * 60));
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.town.customer.card(&code, "open").await;
    // The first page has closed by itself; at the deadline the provider neither answers nor tells.
    stage.to_page(&code).await;
    stage.bank.knobs(&json!({ "fail_before_pct": 100, "webhook_drop_pct": 100 })).await;
    stage.town.ahead(Duration::from_secs(24 * 3600));
    let [customer, _] = stage.seen("18-closing", &code, "closing").await;
    assert_eq!(labels(&customer), NONE);
    stage.bank.knobs(&json!({})).await;
    // What was tried in vain waits longer and longer.
    stage.town.ahead(Duration::from_secs(600));
    stage.seen("19-expired", &code, "expired").await;
    let listed = stage.say("/till payments expired").await;
    assert!(listed.contains(&code), "{listed}");
    let link = stage.town.customer.say("", "/till verify https://pay.corner-cafe.example/p/0123").await;
    assert!(link["text"].as_str().unwrap().starts_with("No: "), "{link}");
}
