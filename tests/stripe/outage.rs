//! Stripe is away, webhooks are lost, another shop is on the same account, the till was off: nothing is wrong afterwards.

use crate::support::stripe::{Links, Plan, Polls, Shop, Webhooks};
use crate::support::{eventually, link_of, to_provider};
use std::collections::BTreeMap;
use std::time::Duration;
use till::drift::{self, Looked, Mend};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_asked_for_while_stripe_is_away_for_an_hour_is_made_once_with_a_fresh_session() {
    let shop = Shop::open().await;
    shop.stripe.down_until(shop.now().after(60 * MINUTE));
    // Short enough that the order's closing time is outdated when Stripe is back; long enough to be paid then.
    let code = shop.ask("/pay 25 EUR coffee expires:75m").await;
    let patient = shop.ask("/pay 8 EUR tea").await;
    for _ in 0..12 {
        assert!(shop.customer.cards(&code).await.is_empty(), "what cannot be paid is not shown");
        shop.ahead(5 * MINUTE);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The longest wait between two tries is seven minutes and a half.
    shop.ahead(8 * MINUTE);
    let made = eventually(async || shop.sessions(&code).pop().zip(shop.sessions(&patient).pop()));
    made.await.expect("both are made once Stripe is back");
    shop.chooses(&code, "ok").await;
    shop.both_show(&code, "paid").await;
    shop.chooses(&patient, "ok").await;
    shop.both_show(&patient, "paid").await;
    for (code, is_anew) in [(&code, true), (&patient, false)] {
        let numbers: Vec<_> = shop.sessions(code).iter().map(|it| it["metadata"]["till_n"].clone()).collect();
        // A busy machine may find the second order too old as well.
        let [number] = &numbers[..] else { panic!("one session for each: {numbers:?}") };
        assert_eq!(number != "1", is_anew, "an order that has waited too long is made anew, another one as it was");
        assert_eq!(shop.facts(code, "captured").await, 1);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_payments_of_another_shop_leave_no_trace_and_ours_among_them_is_paid() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    shop.stripe.foreign_traffic(500);
    shop.stripe.pay(&shop.session(&code)).unwrap();
    shop.stripe.foreign_traffic(500);
    let before = shop.stripe.recorded().len();
    let taken = eventually(async || {
        // Look-ups have a budget; what is over it comes again, as the clock goes on.
        shop.ahead(Duration::from_secs(4));
        shop.stripe.deliveries().is_empty().then_some(())
    });
    taken.await.expect("every delivery is answered with 2xx in the end");
    shop.both_show(&code, "paid").await;
    let mut looked_up: BTreeMap<String, usize> = BTreeMap::new();
    for call in shop.stripe.recorded().into_iter().skip(before) {
        if let Some(of) = call.path.strip_prefix("/v1/payment_intents/") {
            *looked_up.entry(of.to_owned()).or_default() += 1;
        }
    }
    let often: Vec<_> = looked_up.iter().filter(|(_, times)| **times > 1).collect();
    assert!(often.is_empty() && looked_up.len() > 100, "each once: {} and {often:?}", looked_up.len());
    let backlog = shop.world.store.backlog().await.unwrap();
    assert_eq!((backlog.parked, backlog.dead), (0, 0));
    let all = till_core::port::store::ListFilter { status: None, limit: 10_000 };
    assert_eq!(shop.world.store.payments(&shop.world.merchant.id, &all).await.unwrap().len(), 1);
    assert_eq!(shop.counted("event_applied") + shop.counted("event_duplicate"), 1, "{:?}", shop.world.counts.all());
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_webhook_the_sweep_finds_everything_and_staff_are_told_once_that_none_come() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, polls: Polls::Eager, ..Plan::default() }).await;
    for what in ["coffee", "tea"] {
        let code = shop.ask(&format!("/pay 25 EUR {what}")).await;
        shop.both_show(&code, "open").await;
        let intent = shop.stripe.pay(&shop.session(&code)).unwrap();
        shop.ahead(3 * MINUTE);
        shop.both_show(&code, "paid").await;
        shop.stripe.refund_by_hand(&intent, 500, None);
        shop.both_show(&code, "partially_refunded").await;
    }
    let told = shop.whispered("had to be asked").await;
    assert!(told.contains("till doctor"), "{told}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_direct_mode_no_webhook_is_expected_and_nobody_is_told() {
    let plan = Plan { links: Links::Direct, webhooks: Webhooks::Lost, polls: Polls::Eager, ..Plan::default() };
    let shop = Shop::with(plan).await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    let [card, _] = shop.both_show(&code, "open").await;
    let link = link_of(&card, "Pay");
    assert_eq!(shop.stripe.session(&shop.session(&code))["url"], link, "straight to Stripe");
    shop.stripe.pay(&shop.session(&code)).unwrap();
    shop.ahead(3 * MINUTE);
    shop.both_show(&code, "paid").await;
    shop.books_agree().await;
    assert_eq!(shop.whispers().await, [] as [&str; 0]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_direct_mode_a_session_that_closes_before_the_deadline_is_followed_by_the_next() {
    let shop = Shop::with(Plan { links: Links::Direct, ..Plan::default() }).await;
    let code = shop.ask("/pay 25 EUR coffee expires:3d").await;
    let [card, _] = shop.both_show(&code, "open").await;
    let first = link_of(&card, "Pay");
    shop.ahead(24 * 60 * MINUTE);
    let mut last = serde_json::Value::Null;
    let edited = eventually(async || {
        last = shop.customer.card(&code, "open").await;
        let now = last["actions"].to_string();
        (now.contains("/c/pay/") && !now.contains(&first)).then(|| last.clone())
    });
    let card = edited.await.unwrap_or_else(|| panic!("the card never led to another session: {last:#}"));
    let sessions = shop.sessions(&code);
    let states: Vec<_> = sessions.iter().map(|session| session["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["expired", "open"]);
    assert_eq!(sessions[1]["url"], link_of(&card, "Pay"));
    let paid = crate::support::choose(&shop.customer.http, &link_of(&card, "Pay"), "ok").await;
    assert_eq!(paid, reqwest::StatusCode::SEE_OTHER);
    let [card, _] = shop.both_show(&code, "paid").await;
    assert_eq!(crate::support::labels(&card), [] as [&str; 0], "there is no receipt page of ours");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_till_missed_is_shown_as_drift_and_mended_and_a_dry_run_changes_nothing() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, ..Plan::default() }).await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    let [card, _] = shop.both_show(&code, "open").await;
    to_provider(&shop.customer.http, &link_of(&card, "Pay")).await;
    let intent = shop.stripe.pay(&shop.session(&code)).unwrap();
    shop.stripe.refund_by_hand(&intent, 1000, None);
    let ids = drift::payments(&shop.world, MINUTE, shop.now()).await.unwrap();
    assert_eq!(ids.len(), 1);
    let line = "partially_refunded at the provider; received 0.00 EUR here, 25.00 EUR at the provider; refunded";
    for mend in [Mend::No, Mend::No, Mend::Yes] {
        let before = shop.shown(&code).await;
        // A session says that it was paid; what went back is known once the money is.
        match drift::look(&shop.world, ids[0], mend).await.unwrap() {
            Looked::Differs(differs) => assert!(differs.line().contains(line), "{}", differs.line()),
            other => panic!("{other:?}"),
        }
        let after = shop.shown(&code).await;
        assert_eq!(before == after, mend == Mend::No, "{after:#}");
    }
    assert_eq!(drift::look(&shop.world, ids[0], Mend::Yes).await.unwrap(), Looked::Same);
    let [card, _] = shop.both_show(&code, "partially_refunded").await;
    assert_eq!(card["title"], "Paid 25.00 EUR, refunded 10.00 EUR");
    shop.close().await;
}
