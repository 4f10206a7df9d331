//! What staff do to a payment that is there: say it again, leave it open for longer, agree with a large one, keep late money.

use super::both_ways;
use crate::support::eventually;
use crate::support::slack::{ANA, BO, code_in, labels};
use std::time::Duration;

both_ways! {
    async fn a_payment_is_said_again_and_left_open_for_longer(office: Office) {
        let code = office.pay("25 EUR coffee to:@bo expires:1h").await;
        let card = office.says(&code, "Please pay").await;
        office.click(BO, &card, "Remind").await;
        office.whispered_to(BO, "Only staff").await;
        office.click(ANA, &card, "Remind").await;
        let said = office.below(&card.ts, "is still to be paid").await;
        assert!(said.text.contains("http"), "the way to pay stands in it: {}", said.text);
        assert!(office.command("/till", &format!("remind {code}")).await.contains("a moment ago"));
        let until = office.command("/till", &format!("extend {code} 2h")).await;
        assert!(until.contains("can be paid until"), "{until}");
        office.ahead(Duration::from_secs(2 * 3600));
        // Stripe closed the page at the first deadline; the payer is given another one.
        let closed = eventually(async || (office.facts(&code, "checkout_seen").await == 2).then_some(()));
        closed.await.expect("Till knows that the page has closed");
        office.payer_pays(&office.says(&code, "Please pay").await).await;
        office.says(&code, "Paid").await;
        assert!(office.command("/till", &format!("extend {code} 2h")).await.starts_with("You cannot extend it"));
        office.close().await;
    }

    async fn anybody_may_ask_whether_a_link_is_ours(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        let url = crate::support::slack::button(&card, "Pay")["url"].as_str().unwrap().to_owned();
        for ours in [&code, &url] {
            let said = office.command_by(BO, "/till", &format!("verify {ours}")).await;
            assert_eq!(said, format!("Yes: {code} was issued by Corner Café."), "{ours}");
        }
        let staff = office.command("/till", &format!("verify {code}")).await;
        assert!(staff.ends_with("and is open."), "staff hear more: {staff}");
        for not in ["ZZZZZZ", "https://pay.example/p/0123456789abcdef0123456789abcdef"] {
            let said = office.command_by(BO, "/till", &format!("verify {not}")).await;
            assert!(said.starts_with("No: "), "{not}: {said}");
        }
        office.close().await;
    }

    async fn a_large_amount_waits_for_a_second_person(office: Office) {
        office.hire(BO, "Bo").await;
        let said = office.command("/pay", "6000 EUR stage").await;
        let code = code_in(said.split(". It is so much").next().unwrap());
        assert!(said.contains(&format!("/till approve {code}")), "{said}");
        assert!(office.command("/till", &format!("approve {code}")).await.contains("somebody else"));
        assert!(office.command_by(BO, "/till", "payments").await.contains(&format!("/till approve {code}")));
        assert!(office.cards(&code).is_empty(), "nobody else has seen it, and nothing was asked of the provider");
        assert!(office.sessions(&code).is_empty());
        office.command_by(BO, "/till", &format!("approve {code}")).await;
        office.whispered_to(ANA, "agreed").await;
        let card = office.says(&code, "Please pay 6,000.00 EUR").await;
        office.payer_pays(&card).await;
        office.says(&code, "Paid").await;

        let said = office.command("/pay", "7000 EUR tent").await;
        let code = code_in(said.split(". It is so much").next().unwrap());
        office.command_by(BO, "/till", &format!("reject {code}")).await;
        office.whispered_to(ANA, "did not agree").await;
        assert!(office.command("/till", &format!("status {code}")).await.contains("Not approved"));
        assert!(office.command_by(BO, "/till", &format!("approve {code}")).await.contains("while it is not approved"));
        assert!(office.sessions(&code).is_empty(), "the provider never heard of it");
        office.close().await;
    }

    async fn money_that_comes_after_the_cancel_is_kept_by_a_press(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        office.webhooks_wait();
        office.stripe.pay(&office.session(&code)).unwrap();
        office.click(ANA, &card, "Cancel").await;
        let paid = office.says(&code, "staff decide").await;
        assert_eq!(labels(&paid), ["Receipt", "Keep it", "Refund", "Details"]);
        office.whispered_to(ANA, "the payer was faster").await;
        office.click(ANA, &paid, "Keep it").await;
        let kept = office.says(&code, "and accepted").await;
        assert_eq!(labels(&kept), ["Receipt", "Refund", "Details"]);
        office.webhooks_come();
        office.close().await;
    }
}
