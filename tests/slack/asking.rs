//! Staff ask for money: by command, in a form, from a customer's message, by mention; twice, wrongly, or unlisted.

use super::both_ways;
use crate::support::eventually;
use crate::support::slack::{ANA, BO, Office, SALES, button, code_in, id_of, labels};
use crate::support::stripe::Plan;
use fake_slack::{Fault, Outcome, Way};
use serde_json::{Value, json};
use std::time::Duration;
use till_core::port::store::Staff;

both_ways! {
    async fn five_at_once_stand_as_soon_as_slack_lets_them(office: Office) {
        let ask = async |n: u32| office.pay(&format!("{n} EUR coffee {n}")).await;
        for code in futures::future::join_all((1..=5).map(ask)).await {
            office.says(&code, "Please pay").await;
        }
        let posts = office.slack.calls().into_iter().filter(|call| call.method == "chat.postMessage");
        let at: Vec<_> = posts.map(|call| call.at).collect();
        // One a second and channel, and none waits as a post without an answer must.
        assert!(at[at.len() - 1].since(at[0]) < Duration::from_secs(20), "{at:?}");
        office.close().await;
    }

    async fn a_coffee_is_asked_for_paid_and_refunded_in_part(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay 25.00 EUR").await;
        assert_eq!(labels(&card), ["Pay 25.00 EUR", "Cancel", "Remind", "Extend", "Details"]);
        assert!(card.text.contains(button(&card, "Pay")["url"].as_str().unwrap()), "the link stands in the text: {}", card.text);
        assert_eq!(card.metadata["event_type"], "till_message");
        office.click(BO, &card, "Pay").await;
        office.payer_pays(&card).await;
        let paid = office.says(&code, "Paid").await;
        assert_eq!((&paid.ts, paid.tagged_edited), (&card.ts, false), "the same message, without a tag");
        let ping = office.below(&card.ts, "is paid").await;
        assert!(ping.text.contains("<@U0ANA>"), "who asked is notified: {}", ping.text);

        office.click(ANA, &paid, "Refund").await;
        let form = office.form(ANA).await;
        let sent = office.slack.submit(ANA, form["id"].as_str().unwrap(), &[("amount", json!("10"))]).await;
        assert_eq!(sent.outcome, Outcome::Cleared);
        office.whispered_to(ANA, "10.00 EUR of").await;
        let card = office.says(&code, "Paid 25.00 EUR, refunded 10.00 EUR").await;
        assert_eq!(labels(&card), ["Receipt", "Refund", "Details"]);
        assert_eq!(office.cards(&code).len(), 1, "one card, all the time");
        office.close().await;
    }

    async fn an_empty_command_opens_a_form_whose_errors_stand_in_place(office: Office) {
        assert_eq!(office.command("/pay", "").await, "");
        let form = office.form(ANA).await;
        let view = form["id"].as_str().unwrap();
        let submit = async |values: Value| {
            let values: Vec<(&str, Value)> = ["amount", "what", "payer", "note"].iter()
                .filter_map(|&field| values.get(field).map(|value| (field, value.clone()))).collect();
            office.slack.submit(ANA, view, &values).await.outcome
        };
        assert!(matches!(submit(json!({ "what": "two cakes" })).await, Outcome::NotSent(_)), "Slack asks for the amount");
        let wrong = submit(json!({ "amount": "a lot" })).await;
        let Outcome::Errors(errors) = wrong else { panic!("{wrong:?}") };
        assert!(errors["amount"].contains("a lot"), "{errors:?}");
        let sent = submit(json!({ "amount": "9,50", "what": "two cakes", "payer": BO, "note": "fresh \"today\"" })).await;
        assert_eq!(sent, Outcome::Cleared);
        let said = office.whispered_to(ANA, "Asked for 9.50 EUR").await;
        let card = office.says(&code_in(&said.text), "two cakes").await;
        assert!(card.words().contains("fresh 'today'") && card.words().contains("Bo Berg"), "{}", card.words());
        office.close().await;
    }

    async fn one_more_from_a_direct_conversation_stands_where_it_was_asked(office: Office) {
        office.slack.mention(ANA, SALES, "pay 25 EUR coffee", None).await;
        let first = code_in(&office.whispered_to(ANA, "Asked for 25.00 EUR").await.text);
        // Whom Slack cannot tell there is told in a direct conversation; the button there means the channel all the same.
        office.slack.fail_next_n("chat.postEphemeral", 3, Fault::Refused("user_not_in_channel".into()));
        office.slack.mention(ANA, SALES, "pay 25 EUR coffee", None).await;
        let asked = eventually(async || office.slack.dms(ANA).into_iter().find(|dm| dm.words().contains(&first)));
        let asked = asked.await.expect("asked whether one more is meant");
        let im = office.slack.im(ANA);
        assert!(office.slack.click(ANA, &im, &asked.ts, &id_of(&asked, "One more")).await.is_ok());
        let two = eventually(async || (office.payments().await.len() == 2).then_some(()));
        two.await.expect("one more");
        let second = office.payments().await[0].code.to_string();
        office.says(&second, "Please pay 25.00 EUR").await;
        // The minute begins anew with it: a third one is asked about as well.
        office.ahead(Duration::from_secs(45));
        office.slack.mention(ANA, SALES, "pay 25 EUR coffee", None).await;
        let asked = eventually(async || office.slack.dms(ANA).into_iter().find(|dm| dm.words().contains(&second)));
        asked.await.expect("the newest is named");
        assert_eq!(office.payments().await.len(), 2);
        office.close().await;
    }

    async fn the_shortcut_on_a_customer_s_message_asks_them_in_its_thread(office: Office) {
        let (ts, _) = office.slack.say(BO, SALES, "two cakes please", None).await;
        assert!(office.slack.shortcut(ANA, SALES, &ts, "request_payment").await.is_ok());
        let form = office.form(ANA).await;
        let view = form["id"].as_str().unwrap();
        assert!(form.to_string().contains(BO), "the writer is to pay: {form:#}");
        let sent = office.slack.submit(ANA, view, &[("amount", json!("9"))]).await;
        assert_eq!(sent.outcome, Outcome::Cleared);
        let said = office.whispered_to(ANA, "Asked for 9.00 EUR").await;
        let card = office.says(&code_in(&said.text), "Please pay 9.00 EUR").await;
        assert_eq!(card.thread.as_deref(), Some(&*ts));
        office.payer_pays(&card).await;
        let ping = office.below(&ts, "is paid").await;
        assert!(ping.text.contains("<@U0BO>") && ping.text.contains("<@U0ANA>"), "{}", ping.text);
        office.close().await;
    }

    async fn a_mention_asks_and_however_often_it_is_told_it_asks_once(office: Office) {
        let (ts, answers) = office.slack.mention(ANA, SALES, "pay 25 EUR coffee", None).await;
        assert!(answers.iter().all(fake_slack::Answer::is_ok), "{answers:?}");
        let said = office.whispered_to(ANA, "Asked for 25.00 EUR").await;
        let code = code_in(&said.text);
        // Later than the minute in which the same text asks back.
        office.ahead(std::time::Duration::from_secs(90));
        for delivery in office.slack.deliveries().into_iter().filter(|it| it.name == "app_mention") {
            office.slack.again(delivery.n).await;
            office.slack.echo(delivery.n).await;
        }
        let card = office.says(&code, "Please pay 25.00 EUR").await;
        assert!(card.words().contains("Ana Alves"), "who asked, by name: {}", card.words());
        let payments = office.payments().await;
        assert_eq!(payments.len(), 1, "{payments:?}; the message is {ts}");
        office.close().await;
    }

    async fn the_same_text_within_a_minute_asks_first_and_one_more_is_one_more(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let answer = office.slack.command(ANA, SALES, "/pay", "25 EUR  coffee").await;
        let said = answer.body["text"].as_str().unwrap();
        assert!(said.contains(&code), "the first one is named: {said}");
        let ts = answer.ts.unwrap();
        for _ in 0..2 {
            office.slack.click_ephemeral(ANA, &ts, "again").await;
        }
        let other = eventually(async || {
            let told = office.slack.whispers(SALES, ANA).into_iter().filter(|told| told.text.contains("Asked for"));
            told.map(|told| code_in(&told.text)).find(|other| *other != code)
        });
        let other = other.await.expect("another payment is made");
        office.says(&other, "Please pay").await;
        office.slack.click_ephemeral(ANA, &ts, "show").await;
        office.whispered_to(ANA, &format!("{code}: ")).await;
        assert_eq!(office.payments().await.len(), 2, "two clicks on one more are one more");
        office.close().await;
    }

    async fn what_was_asked_back_about_asks_for_nothing_when_it_is_told_again_later(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        office.slack.mention(ANA, SALES, "pay 25 EUR coffee", None).await;
        let mentions: Vec<_> = office.slack.deliveries().into_iter().filter(|it| it.name == "app_mention").collect();
        office.ahead(std::time::Duration::from_secs(90));
        for delivery in mentions {
            assert_eq!(office.slack.again(delivery.n).await.status, Some(200));
        }
        office.says(&code, "Please pay").await;
        assert_eq!(office.payments().await.len(), 1);
        office.close().await;
    }

    async fn a_command_that_slack_delivers_twice_makes_one_payment(office: Office) {
        let answer = office.slack.command(ANA, SALES, "/pay", "25 EUR coffee").await;
        let code = code_in(answer.body["text"].as_str().unwrap());
        let again = office.slack.again(answer.n).await;
        assert_eq!(code_in(again.body["text"].as_str().unwrap()), code, "the second answer names the first payment");
        office.says(&code, "Please pay").await;
        assert_eq!(office.payments().await.len(), 1);
        office.close().await;
    }

    async fn who_is_not_staff_is_told_kindly_and_how_to_become_it(office: Office) {
        let said = office.command_by(BO, "/pay", "25 EUR coffee").await;
        assert!(said.contains("Only staff") && said.contains("till staff add slack:T0SHOP/U0BO"), "{said}");
        assert_eq!(office.command_by(BO, "/pay", "").await, said, "nor is there a form");
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        office.click(BO, &card, "Cancel").await;
        office.whispered_to(BO, "Only staff").await;
        office.click(BO, &card, "Details").await;
        office.whispered_to(BO, &format!("{code}: ")).await;
        office.payer_pays(&card).await;
        let paid = office.says(&code, "Paid").await;
        let told = || office.slack.whispers(SALES, BO).into_iter().filter(|told| told.text.contains("Only staff")).count();
        let before = told();
        office.click(BO, &paid, "Refund").await;
        let (ts, _) = office.slack.say(BO, SALES, "a cake for me", None).await;
        assert!(office.slack.shortcut(BO, SALES, &ts, "request_payment").await.is_ok());
        let refused = eventually(async || (told() == before + 2).then_some(()));
        refused.await.expect("twice refused");
        assert_eq!(office.slack.views(BO).len(), 0, "no form is opened for a guest");
        assert_eq!(office.payments().await.len(), 1);
        office.close().await;
    }

    async fn a_staff_look_up_that_fails_refuses_nobody(office: Office) {
        let rows = &office.world.store;
        let group = Staff { id: "slack:T0SHOP/S0CASH".into(), name: "Cashiers".into(), since: office.now() };
        rows.add_staff(&office.world.merchant.id, &group).await.unwrap();
        office.slack.fail_next("usergroups.users.list", fake_slack::Fault::Refused("internal_error".into()));
        let said = office.command_by(BO, "/pay", "5 EUR").await;
        assert!(said.contains("busy"), "it may be sent again: {said}");
        assert!(office.command_by(BO, "/pay", "5 EUR").await.contains("Only staff"));
        office.close().await;
    }

    async fn a_group_is_staff_as_long_as_somebody_is_in_it(office: Office) {
        let rows = &office.world.store;
        let group = Staff { id: "slack:T0SHOP/S0CASH".into(), name: "Cashiers".into(), since: office.now() };
        rows.add_staff(&office.world.merchant.id, &group).await.unwrap();
        assert!(office.command_by(BO, "/pay", "5 EUR").await.contains("Only staff"), "Bo is in no group");
        office.pay("5 EUR tea").await;
        office.close().await;
    }

    async fn what_cannot_be_read_is_answered_with_what_to_write(office: Office) {
        for (text, words) in [("25 XYZ coffee", "XYZ"), ("-5 EUR", "-5"), ("coffee", "coffee")] {
            let said = office.command("/pay", text).await;
            assert!(said.contains(words), "{text}: {said}");
        }
        assert!(office.command("/till", "").await.contains("/pay"), "help");
        assert!(office.command("/till", "cancel ZZZZZZ").await.contains("ZZZZZZ"));
        assert_eq!(office.payments().await.len(), 0);
        office.close().await;
    }

    async fn the_home_shows_what_is_open_and_what_came_in(office: Office) {
        let code = office.pay("25 EUR coffee").await;
        let (paid, _) = office.paid("/pay 4 EUR tea").await;
        office.slack.open_home(ANA).await;
        let shown = eventually(async || office.slack.home(ANA));
        let home = shown.await.expect("the home is published").to_string();
        assert!(home.contains(&code) && home.contains("4.00 EUR") && home.contains("/pay"), "{home} ({paid})");
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_slack_is_heard() {
    let office = Office::open(Way::Http).await;
    office.slack.forge("another secret");
    assert_eq!(office.slack.command(ANA, SALES, "/pay", "25 EUR coffee").await.status, Some(401));
    office.slack.forge(&fake_slack::Settings::test().signing_secret);
    office.slack.skew(-301);
    assert_eq!(office.slack.command(ANA, SALES, "/pay", "25 EUR coffee").await.status, Some(401));
    office.slack.skew(0);
    assert!(office.slack.verify_events_url().await, "the challenge is answered");
    assert_eq!(office.payments().await.len(), 0);
    let code = office.pay("25 EUR coffee").await;
    let card = office.says(&code, "Please pay").await;
    assert_eq!(id_of(&card, "Details"), "details");
    office.close().await;
}

/// Slack waited three seconds and heard nothing, four times; each time the till had done it, or did it meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn three_retries_of_one_event_ask_once() {
    let office = Office::open(Way::Http).await;
    // Every answer is lost on its way back.
    office.slack.ack_latency(Duration::from_secs(4));
    let (_, first) = office.slack.mention(ANA, SALES, "pay 25 EUR coffee", None).await;
    assert!(first.iter().all(|answer| !answer.is_ok()), "{first:?}");
    for _ in 0..2 {
        assert!(office.slack.retry_events().await.iter().all(|answer| !answer.is_ok()));
    }
    assert!(office.slack.retry_events().await.is_empty(), "Slack gives up after three retries");
    office.slack.well();
    let [payment] = &office.payments().await[..] else { panic!("one payment, not {:?}", office.payments().await) };
    let code = payment.code.to_string();
    office.says(&code, "Please pay").await;
    assert_eq!(office.cards(&code).len(), 1);
    office.close().await;
}

/// A little German, as a host would lay it beside the English.
const GERMAN: &str = "\
desk-asked = Angefordert: { $amount }, { $code }.
slack-form-title = Geld anfordern
slack-details = Einzelheiten
command-pay-about = Geld anfordern
";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_answered_in_their_language_and_the_card_speaks_that_of_the_place() {
    for way in [Way::Http, Way::Socket] {
        let office = Office::with(Plan { slack: Some(way), german: Some(GERMAN), ..Plan::default() }).await;
        // Slack says with the first act who it is, and when it is asked, which language they read.
        office.command("/till", "help").await;
        let asked = eventually(async || (office.slack.count("users.info") > 0).then_some(()));
        asked.await.expect("Slack is asked");
        office.slack.settled().await;
        let said = eventually(async || {
            let said = office.command("/till", "help").await;
            said.contains("Geld anfordern").then_some(said)
        });
        said.await.expect("help in German");
        let said = office.command("/pay", "25 EUR coffee").await;
        assert!(said.starts_with("Angefordert: 25,00 EUR"), "{said}");
        let card = office.says(&code_in(&said), "Please pay 25.00 EUR").await;
        assert_eq!(labels(&card)[0], "Pay 25.00 EUR");
        office.command("/pay", "").await;
        assert_eq!(office.form(ANA).await["title"]["text"], "Geld anfordern");
        // Bo reads English.
        office.slack.click(BO, SALES, &card.ts, &id_of(&card, "Details")).await;
        office.whispered_to(BO, "Please pay").await;
        office.close().await;
    }
}
