//! What can happen to a payment at a provider that makes it difficult.
//!
//! Its hints are unsigned, its money must be taken, its payers choose the amount, and its pages cannot be closed.

use super::{Stage, details};
use crate::support::{Town, labels};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn payers_choose_what_they_pay_and_till_takes_it() {
    let town = Town::difficult().await;
    let stage = Stage::open("states::difficult::payers_choose_what_they_pay_and_till_takes_it", town).await;
    let (code, page) = stage.asked("/pay 25 EUR coffee").await;
    stage.pay(&page, &[("card", "ok"), ("amount", "10.00")]).await;
    let [customer, staff] = stage.seen("20-partially-paid", &code, "partially_paid").await;
    assert_eq!(customer["title"], "Paid 10.00 EUR, 15.00 EUR to go");
    assert_eq!(labels(&staff), ["Pay the rest, 15.00 EUR", "Receipt", "Refund", "Cancel", "Remind"]);
    let rest = stage.to_page(&code).await;
    assert_ne!(rest, page);
    stage.pay(&rest, &[("card", "ok"), ("amount", "20.00")]).await;
    let [customer, staff] = stage.seen("21-overpaid", &code, "overpaid").await;
    assert_eq!(customer["title"], "Paid too much");
    stage.town.customer.pinged(&format!("{code} was paid too much: 30.00 EUR of 25.00 EUR")).await;
    assert_eq!(labels(&staff), ["Receipt", "Refund the extra"]);
    stage.press(&code, "overpaid", "Refund the extra", Some("5")).await;
    stage.town.customer.card(&code, "paid").await;

    // Three decimals, and a payer who is slower than the cancel: what was never taken is let go.
    let (code, page) = stage.asked("/pay 1.500 KWD dates").await;
    stage.press(&code, "open", "Cancel", None).await;
    let [customer, staff] = stage.seen("22-cancelled-and-still-open-there", &code, "cancelled").await;
    assert!(
        !details(&customer).contains("still arrive"),
        "what Till does not take, nobody has: {}",
        details(&customer)
    );
    assert_eq!(labels(&staff), ["Ask again"]);
    stage.pay(&page, &[("card", "ok"), ("amount", "1.500")]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.town.customer.card(&code, "cancelled").await;
    let (code, page) = stage.asked("/pay 1.500 KWD figs").await;
    stage.pay(&page, &[("card", "ok"), ("amount", "1.500")]).await;
    let paid = stage.town.customer.card(&code, "paid").await;
    assert_eq!(paid["amount"], "1.500 KWD");
    stage.close().await;
}
