//! What becomes of a card: cancelled, expired, disputed, in a storm, in a channel that is gone, while Slack is down.

use super::both_ways;
use crate::support::eventually;
use crate::support::slack::{ANA, BO, Office, SALES, labels};
use crate::support::stripe::{Links, Plan};
use fake_slack::{EditWindow, Fault, Way};
use std::time::Duration;
use till_core::port::chat::Health;

both_ways! {
    async fn a_cancel_asks_back_and_a_stale_button_is_harmless(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        let confirm = crate::support::slack::button(&card, "Cancel")["confirm"].clone();
        assert!(confirm["text"]["text"].as_str().unwrap().contains(&code), "{confirm}");
        office.click(ANA, &card, "Cancel").await;
        office.whispered_to(ANA, "is being cancelled").await;
        let cancelled = office.says(&code, "Cancelled").await;
        assert_eq!(labels(&cancelled), ["Details"]);
        office.slack.click_old(ANA, SALES, &card.ts, &card.blocks, &crate::support::slack::id_of(&card, "Cancel")).await;
        assert_eq!(office.facts(&code, "cancel_asked").await, 1);
        office.close().await;
    }

    async fn a_card_that_has_replies_is_still_the_card(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        office.slack.say(BO, SALES, "ok", Some(&card.ts)).await;
        office.click(BO, &card, "Pay").await;
        office.payer_pays(&card).await;
        let paid = office.says(&code, "Paid").await;
        office.below(&card.ts, "is paid").await;
        office.click(ANA, &paid, "Details").await;
        office.whispered_to(ANA, &format!("{code}: ")).await;
        office.click(BO, &paid, "Receipt").await;
        office.stripe.refund_by_hand(&office.intent(&code), 500, None);
        let card = office.says(&code, "refunded 5.00 EUR").await;
        assert_eq!((office.cards(&code).len(), &*card.ts), (1, &*paid.ts), "it was taken for no twin");
        office.close().await;
    }

    async fn a_payment_expires_and_says_so_below_its_card(office: Office) {
        let code = office.pay("25 EUR coffee expires:2h").await;
        let card = office.says(&code, "Please pay").await;
        office.ahead(Duration::from_secs(2 * 3600 + 5));
        office.says(&code, "Expired").await;
        office.below(&card.ts, "has expired").await;
        office.close().await;
    }

    async fn a_dispute_shows_and_what_is_for_staff_stands_behind_details(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        office.payer_pays(&card).await;
        office.says(&code, "Paid").await;
        office.below(&card.ts, "is paid").await;
        office.stripe.dispute(&office.intent(&code), 2500, false);
        let card = office.says(&code, "Disputed").await;
        assert!(!card.words().contains("Answer"), "{}", card.words());
        office.whispered_to(ANA, "is disputed").await;
        office.click(ANA, &card, "Details").await;
        office.whispered_to(ANA, "Answer").await;
        office.close().await;
    }

    async fn a_card_that_cannot_be_edited_has_a_successor_in_its_thread(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        office.slack.edit_window("T0SHOP", EditWindow::Never);
        office.payer_pays(&card).await;
        let successor = office.says(&code, "Paid").await;
        assert_eq!(successor.thread.as_deref(), Some(&*card.ts));
        office.close().await;
    }

    async fn a_card_in_a_channel_that_is_archived_is_told_to_who_asked(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        office.slack.archive(SALES).await;
        office.payer_pays(&card).await;
        let told = office.whispered_to(ANA, "Paid").await;
        assert!(told.text.contains(&code), "{}", told.text);
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_without_an_answer_is_found_by_its_mark_and_posted_once() {
    let office = Office::open(Way::Http).await;
    office.slack.fail_next("chat.postMessage", Fault::CutAfter);
    let code = office.pay("25 EUR coffee").await;
    let card = office.says(&code, "Please pay").await;
    let unsure = eventually(async || (office.slack.count("chat.postMessage") == 1).then_some(()));
    unsure.await.unwrap();
    office.ahead(Duration::from_secs(31));
    let found = eventually(async || (office.slack.count("conversations.history") > 0).then_some(()));
    found.await.expect("it is looked for");
    office.payer_pays(&card).await;
    office.says(&code, "Paid").await;
    assert_eq!(office.cards(&code).len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_without_an_answer_is_found_below_the_card_and_said_once() {
    let office = Office::open(Way::Http).await;
    let code = office.pay("25 EUR coffee").await;
    let card = office.says(&code, "Please pay").await;
    let posts = office.slack.count("chat.postMessage");
    office.slack.fail_next("chat.postMessage", Fault::CutAfter);
    office.payer_pays(&card).await;
    office.below(&card.ts, "is paid").await;
    office.ahead(Duration::from_secs(60));
    let found = eventually(async || (office.slack.count("conversations.replies") > 0).then_some(()));
    found.await.expect("it is looked for");
    office.says(&code, "Paid").await;
    assert_eq!(office.slack.count("chat.postMessage") - posts, 1, "and not said again");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_is_marked_when_somebody_clicks_it_and_there_is_one_payment() {
    let office = Office::open(Way::Http).await;
    office.slack.fail_next("chat.postMessage", Fault::CutAfter);
    office.slack.fail_next("conversations.history", Fault::Refused("missing_scope".into()));
    let code = office.pay("25 EUR coffee").await;
    let twin = office.says(&code, "Please pay").await;
    let unsure = eventually(async || (office.slack.count("chat.postMessage") == 1).then_some(()));
    unsure.await.unwrap();
    office.ahead(Duration::from_secs(31));
    let both = eventually(async || (office.cards(&code).len() == 2).then_some(()));
    both.await.expect("it is posted again");
    let recorded = eventually(async || {
        let id = office.world.store.payment_by_code(&office.world.merchant.id, code.parse().unwrap()).await.unwrap()?;
        let messages = office.world.store.card_messages(&office.world.merchant.id, id).await.unwrap();
        messages.into_iter().next()
    });
    let recorded = recorded.await.unwrap();
    assert_ne!(recorded.id, twin.ts, "the second one is ours");
    office.click(BO, &twin, "Pay").await;
    let marked = eventually(async || {
        let shown = office.slack.messages(SALES).into_iter().find(|shown| shown.ts == twin.ts)?;
        shown.text.contains("posted twice").then_some(shown)
    });
    let marked = marked.await.expect("the twin says that it is one");
    assert!(labels(&marked).is_empty(), "{:#}", marked.blocks);
    let card = office.says(&code, "Please pay").await;
    office.payer_pays(&card).await;
    office.says(&code, "Paid").await;
    assert_eq!(office.payments().await.len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_events_ends_right_with_few_calls() {
    let office = Office::open(Way::Http).await;
    let (code, intent) = office.paid("/pay 200 EUR chairs").await;
    // The web chat has the card; the same payment in Slack is another one.
    assert!(office.cards(&code).is_empty(), "{intent}");
    let code = office.pay("200 EUR chairs").await;
    let card = office.says(&code, "Please pay").await;
    office.payer_pays(&card).await;
    office.says(&code, "Paid").await;
    let (intent, before) = (office.intent(&code), office.slack.count("chat.update"));
    let began = office.now();
    for _ in 0..200 {
        office.stripe.refund_by_hand(&intent, 50, None);
    }
    // Some 600 signed webhooks, one after the other, take a debug build its time.
    for _ in 0..4 {
        let known = eventually(async || (office.shown(&code).await["refunded_minor"] == 10_000).then_some(()));
        if known.await.is_some() {
            break;
        }
    }
    office.says(&code, "refunded 100.00 EUR").await;
    let calls = office.slack.count("chat.update") - before;
    // Slack allows 50 edits a minute; a quarter of them may come at once.
    let allowed = 13 + office.now().since(began).as_secs() * 50 / 60 + 1;
    assert!(calls as u64 <= allowed && calls < 200, "200 events, {calls} edits of {allowed}");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_is_down_for_ten_minutes_and_everything_comes_in_the_end() {
    let office = Office::open(Way::Http).await;
    let code = office.pay("25 EUR coffee").await;
    let card = office.says(&code, "Please pay").await;
    let until = till_core::time::Timestamp::from_ms(office.now().ms() + 600_000);
    office.slack.down_until(until);
    office.payer_pays(&card).await;
    let tried = office.slack.count("chat.update");
    let failing = eventually(async || (office.slack.count("chat.update") > tried).then_some(()));
    failing.await.expect("it is tried");
    office.ahead(Duration::from_secs(601));
    office.says(&code, "Paid").await;
    office.below(&card.ts, "is paid").await;
    assert_eq!(office.cards(&code).len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_waited_for_as_long_as_slack_says() {
    let office = Office::open(Way::Http).await;
    office.slack.fail_next("chat.postMessage", Fault::RateLimit { retry_after_secs: 45 });
    let code = office.pay("25 EUR coffee").await;
    let refused = eventually(async || (office.slack.count("chat.postMessage") == 1).then_some(()));
    refused.await.unwrap();
    office.ahead(Duration::from_secs(30));
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(office.slack.count("chat.postMessage"), 1, "45 seconds are not over");
    office.ahead(Duration::from_secs(16));
    office.says(&code, "Please pay").await;
    office.close().await;
}

/// Slack allows a message a second in a channel, and Till keeps to it by itself: what was never sent waits no longer.
#[tokio::test(flavor = "multi_thread")]
async fn six_cards_at_once_in_one_channel_all_stand_there_within_seconds() {
    let office = Office::open(Way::Http).await;
    let began = office.now();
    let asked = (1..=6).map(|n| format!("{n} EUR tea"));
    let codes = futures::future::join_all(asked.map(async |text| office.pay(&text).await)).await;
    for code in &codes {
        office.says(code, "Please pay").await;
    }
    let took = office.now().since(began);
    assert!(took < Duration::from_secs(20), "{took:?}: as long as for a post that may have been made");
    assert_eq!(office.slack.count("chat.postMessage"), 6, "each was posted once");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nat_sockets_and_the_provider_s_links_are_enough() {
    let office = Office::with(Plan { slack: Some(Way::Socket), links: Links::Direct, ..Plan::default() }).await;
    let code = office.pay("25 EUR coffee").await;
    let card = office.says(&code, "Please pay").await;
    let url = crate::support::slack::button(&card, "Pay")["url"].as_str().unwrap().to_owned();
    assert!(!url.starts_with(&office.url), "the provider's own page: {url}");
    let answer = office.customer.http.post(&url).form(&[("card", "ok")]).send().await.unwrap();
    assert!(!answer.status().is_client_error(), "{answer:?}");
    office.says(&code, "Paid").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_close_or_fall_silent_are_replaced_and_nothing_is_lost() {
    let office = Office::open(Way::Socket).await;
    office.slack.disconnect(0, "warning");
    office.slack.until_sockets(3).await;
    office.pay("1 EUR tea").await;
    office.pay("3 EUR tea").await;
    office.pay("4 EUR tea").await;
    office.slack.disconnect(1, "refresh_requested");
    for at in (0..office.slack.sockets()).rev() {
        office.slack.drop_socket(at);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    office.slack.until_sockets(2).await;
    office.pay("2 EUR tea").await;
    assert_eq!(office.payments().await.len(), 4);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_told_on_both_ways_in_asks_once() {
    let office = Office::open(Way::Socket).await;
    let (_, answers) = office.slack.mention(ANA, SALES, "pay 25 EUR coffee", None).await;
    assert!(answers.iter().all(fake_slack::Answer::is_ok), "{answers:?}");
    let said = office.whispered_to(ANA, "Asked for 25.00 EUR").await;
    office.slack.way(Way::Http);
    office.ahead(Duration::from_secs(90));
    for delivery in office.slack.deliveries().into_iter().filter(|it| it.name == "app_mention") {
        assert_eq!(office.slack.again(delivery.n).await.status, Some(200));
        assert_eq!(office.slack.echo(delivery.n).await.status, Some(200));
    }
    office.says(&crate::support::slack::code_in(&said.text), "Please pay").await;
    assert_eq!(office.payments().await.len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_is_an_illness_and_what_was_owed_comes_with_the_next_one() {
    let office = Office::open(Way::Http).await;
    let chat = office.world.chats["slack"].clone();
    let code = office.pay("25 EUR coffee").await;
    let card = office.says(&code, "Please pay").await;
    assert_eq!(chat.probe().await, Health::Well);
    office.ahead(Duration::from_secs(31));
    office.slack.fail_next_n("chat.update", 2, Fault::Refused("token_revoked".into()));
    office.slack.fail_next("auth.test", Fault::Refused("token_revoked".into()));
    let Health::Ill(why) = chat.probe().await else { panic!("it is ill") };
    assert!(why.contains("install the app again"), "{why}");
    office.payer_pays(&card).await;
    let refused = eventually(async || (office.slack.count("chat.update") >= 1).then_some(()));
    refused.await.expect("it is tried");
    office.ahead(Duration::from_secs(600));
    office.says(&code, "Paid").await;
    assert_eq!(office.cards(&code).len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_silent_is_found_out_and_replaced() {
    let office = Office::open(Way::Socket).await;
    office.slack.silence_socket(0);
    // Three pings of ten seconds go unanswered.
    let replaced = tokio::time::timeout(Duration::from_secs(90), async {
        while office.slack.count("apps.connections.open") < 3 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    replaced.await.expect("another socket is opened");
    office.slack.until_sockets(2).await;
    for n in 1..=2 {
        office.pay(&format!("{n} EUR tea")).await;
    }
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_whether_slack_takes_the_tokens() {
    let office = Office::open(Way::Socket).await;
    let examine = async || {
        let rows = till::assemble::rows(&office.config).await.unwrap();
        let found = till::doctor::examine(&office.config, &rows, &office.world.clock).await.unwrap();
        rows.close().await;
        let slack = found.into_iter().find(|(about, _)| about == "slack").expect("Slack is looked at").1;
        slack[0].text.clone()
    };
    assert_eq!(examine().await, "its tokens work");
    office.slack.fail_next("apps.connections.open", Fault::Refused("invalid_auth".into()));
    assert!(examine().await.starts_with("the app token"));
    office.slack.revoke("xoxb-shop-secret");
    assert!(examine().await.contains("install the app again"));
}
