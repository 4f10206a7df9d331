//! Payloads in the shape of Slack's documents (read 2026-11-22), and what is made of them.

use crate::receive::{self, Act, AnswerTo, Heard, Keywords};
use crate::views::FormAt;
use crate::wire::{Interaction, Outer, SlashCommand};
use serde_json::{Value, json};
use till_core::command::Grammar;
use till_core::place::{MessageRef, Place};
use till_core::port::desk::{Again, Deed};

fn place(thread: Option<&str>) -> Place {
    receive::place("T1", "C1", thread.map(str::to_owned))
}

fn act(heard: Heard) -> Act {
    match heard {
        Heard::Act(act) => *act,
        other => panic!("not for the desk: {other:?}"),
    }
}

fn command(command: &str, text: &str) -> Act {
    let form = json!({
        "token": "x", "team_id": "T1", "team_domain": "shop", "channel_id": "C1", "channel_name": "sales",
        "user_id": "U1", "user_name": "ana", "command": command, "text": text, "api_app_id": "A1",
        "is_enterprise_install": "false", "response_url": "https://hooks.slack.com/x", "trigger_id": "1.2.3",
    });
    act(receive::command(serde_json::from_value::<SlashCommand>(form).unwrap(), &Grammar::default()))
}

fn typed(act: &Act) -> &str {
    match &act.inbound.deed {
        Deed::Typed { text, .. } => text,
        other => panic!("not typed: {other:?}"),
    }
}

#[test]
fn a_slash_command_is_what_was_typed_by_whom_and_where() {
    let act = command("/pay", "25 EUR tea &amp; cake to:<@U2|ben>");
    assert_eq!(typed(&act), "/pay 25 EUR tea & cake to:@ben");
    let Deed::Typed { mentions, again, .. } = &act.inbound.deed else { panic!() };
    assert_eq!((&*mentions[0].person, &*mentions[0].name, *again), ("T1/U2", "ben", Again::Unasked));
    assert_eq!((&*act.inbound.by.id, &*act.inbound.name, &act.inbound.place), ("T1/U1", "ana", &place(None)));
    assert_eq!(act.inbound.keys, ["trigger:1.2.3"]);
    assert_eq!(act.to, AnswerTo::Command { trigger: "1.2.3".into() });
    assert_eq!(typed(&command("/till", "cancel K7Q2F9")), "/till cancel K7Q2F9");
    assert_eq!(typed(&command("/Pay", "")), "/pay ");
}

#[test]
fn the_host_s_own_words_are_those_of_the_command() {
    let grammar = Grammar::new(vec!["!".into(), "/".into()], "kasse", "till").unwrap();
    let form = json!({
        "team_id": "T1", "channel_id": "C1", "user_id": "U1", "command": "/kasse", "text": "5 EUR", "trigger_id": "1",
    });
    let act = act(receive::command(serde_json::from_value(form).unwrap(), &grammar));
    assert_eq!(typed(&act), "!kasse 5 EUR");
}

fn click(action_id: &str, block_id: &str, value: &str) -> Value {
    json!({
        "type": "block_actions", "api_app_id": "A1", "trigger_id": "9.8.7", "response_url": "https://hooks.slack.com/x",
        "user": { "id": "U1", "username": "ana", "name": "ana", "team_id": "T1" }, "team": { "id": "T1", "domain": "shop" },
        "enterprise": null, "is_enterprise_install": false, "channel": { "id": "C1", "name": "sales" },
        "container": { "type": "message", "message_ts": "100.1", "channel_id": "C1", "is_ephemeral": false },
        "message": { "type": "message", "ts": "100.1", "text": "…", "bot_id": "B1", "blocks": [{ "type": "brand_new" }] },
        "state": { "values": {} },
        "actions": [{ "type": "button", "action_id": action_id, "block_id": block_id, "value": value, "action_ts": "101.5",
            "text": { "type": "plain_text", "text": "x" } }],
    })
}

fn interaction(payload: Value) -> Heard {
    receive::interaction(serde_json::from_value::<Interaction>(payload).unwrap())
}

#[test]
fn a_click_names_its_message_and_its_own_coordinates() {
    let press = act(interaction(click("press:1", "T1|card", "cancel:pay_x")));
    let on = MessageRef { place: place(None), id: "100.1".into() };
    assert_eq!(press.inbound.on, Some(on));
    assert_eq!(press.inbound.deed, Deed::Pressed { token: "cancel:pay_x".into(), amount: None });
    assert_eq!(press.inbound.keys, ["trigger:9.8.7", "act:C1/100.1/101.5/press:1"]);
    let follow = act(interaction(click("follow:0", "T1|card", "K7Q2F9")));
    assert_eq!(follow.inbound.deed, Deed::Followed { code: "K7Q2F9".parse().unwrap() });
    let details = act(interaction(click("details", "T1|card", "K7Q2F9")));
    assert_eq!(details.inbound.deed, Deed::Wondered { code: "K7Q2F9".parse().unwrap() });
}

#[test]
fn a_button_with_a_form_asks_for_its_form() {
    // The second is on cards that an earlier version posted.
    for (value, text) in
        [("refund:pay_x|20.00 EUR|How much | of K7Q2F9?", "How much | of K7Q2F9?"), ("refund:pay_x|20.00 EUR", "")]
    {
        match interaction(click("ask:0", "T1|card", value)) {
            Heard::WantsAmountForm { at, asked, trigger, .. } => {
                assert_eq!((at.token.as_deref(), &*trigger), (Some("refund:pay_x"), "9.8.7"));
                assert_eq!((&*asked.filled, &*asked.text), ("20.00 EUR", text));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn in_a_shared_channel_the_card_says_whose_installation_it_is() {
    let mut payload = click("press:1", "T1|card", "cancel:pay_x");
    (payload["user"]["team_id"], payload["team"]["id"]) = ("T9".into(), "T9".into());
    let press = act(interaction(payload));
    assert_eq!((&*press.inbound.by.id, &*press.inbound.place.workspace), ("T9/U1", "T1"));
}

#[test]
fn a_card_that_has_replies_is_in_no_thread_and_one_below_another_message_is() {
    let thread = |thread: &str| {
        let mut payload = click("press:1", "T1|card", "cancel:pay_x");
        payload["message"]["thread_ts"] = thread.into();
        act(interaction(payload)).inbound.place.thread
    };
    assert_eq!((thread("100.1"), thread("50.1").as_deref()), (None, Some("50.1")));
    let mut whisper = click("show", "T1|C1||trigger:1", "K7Q2F9");
    whisper.as_object_mut().unwrap().remove("message");
    whisper["container"]["thread_ts"] = "50.1".into();
    assert_eq!(act(interaction(whisper)).inbound.place.thread.as_deref(), Some("50.1"), "an answer in a thread");
}

#[test]
fn two_clicks_on_one_more_are_one_act() {
    let keys = |trigger: &str| {
        let mut payload = click("again", "T1|C2|50.1|trigger:1.2.3", "/pay 25 EUR to:<@U2|ben>");
        (payload["trigger_id"], payload["container"]["is_ephemeral"]) = (trigger.into(), true.into());
        let act = act(interaction(payload));
        let asked_at = &act.inbound.place;
        assert_eq!((&*asked_at.channel, asked_at.thread.as_deref()), ("C2", Some("50.1")), "wherever it was shown");
        assert_eq!((typed(&act), &act.inbound.on), ("/pay 25 EUR to:@ben", &None));
        assert!(matches!(act.inbound.deed, Deed::Typed { again: Again::Wanted, .. }));
        act.inbound.keys
    };
    assert_eq!(keys("5")[0], keys("6")[0]);
}

#[test]
fn the_shortcut_on_a_customer_s_message_asks_in_its_thread() {
    let payload = json!({
        "type": "message_action", "callback_id": "request_payment", "trigger_id": "9.8.7", "message_ts": "50.1",
        "user": { "id": "U1", "name": "ana" }, "team": { "id": "T1" }, "channel": { "id": "C1" },
        "message": { "type": "message", "user": "U7", "ts": "50.1", "text": "two cakes please" },
    });
    match interaction(payload) {
        Heard::WantsPayForm { at, payer, .. } => {
            assert_eq!((at, payer.as_deref()), (FormAt { place: place(Some("50.1")), token: None }, Some("U7")));
        }
        other => panic!("{other:?}"),
    }
}

fn event(event: Value, keywords: Keywords) -> Heard {
    let outer = json!({
        "token": "x", "team_id": "T1", "api_app_id": "A1", "type": "event_callback", "event_id": "Ev1", "event_time": 1,
        "authorizations": [{ "enterprise_id": null, "team_id": "T1", "user_id": "UBOT", "is_bot": true }],
        "is_ext_shared_channel": false, "event": event,
    });
    receive::event(serde_json::from_value::<Outer>(outer).unwrap(), &Grammar::default(), keywords)
}

fn said(kind: &str, text: &str) -> Value {
    json!({ "type": kind, "user": "U1", "team": "T1", "channel": "C1", "text": text, "ts": "200.1", "event_ts": "200.1" })
}

#[test]
fn a_mention_is_a_command_whatever_stands_before_it() {
    for (text, expected) in [
        ("<@UBOT> pay 25 EUR coffee", "/pay 25 EUR coffee"),
        ("hey <@UBOT|till> Pay 25 EUR", "/pay 25 EUR"),
        ("<@UBOT> cancel K7Q2F9", "/till cancel K7Q2F9"),
        ("<@UBOT>", "/till "),
    ] {
        let act = act(event(said("app_mention", text), Keywords::Ignored));
        assert_eq!(typed(&act), expected, "{text}");
        assert_eq!(
            act.inbound.keys,
            ["message:C1/200.1", "event:Ev1"],
            "the message is the act, however often it is told"
        );
    }
}

#[test]
fn plain_messages_are_read_only_where_they_are_opted_into() {
    let message = said("message", "!pay 25 EUR");
    assert!(matches!(event(message.clone(), Keywords::Ignored), Heard::Nothing));
    assert_eq!(typed(&act(event(message, Keywords::Read))), "!pay 25 EUR");
    assert!(
        matches!(event(said("message", "<@UBOT> pay 1 EUR"), Keywords::Read), Heard::Nothing),
        "it comes as a mention"
    );
}

#[test]
fn bots_and_changes_of_messages_ask_for_nothing() {
    for (field, value) in [("bot_id", "B1"), ("subtype", "message_changed"), ("subtype", "bot_message")] {
        let mut message = said("message", "/pay 25 EUR");
        message[field] = value.into();
        assert!(matches!(event(message, Keywords::Read), Heard::Nothing), "{field}: {value}");
    }
}

#[test]
fn slack_s_question_is_answered_and_a_removal_is_noticed() {
    let outer =
        |value: Value| receive::event(serde_json::from_value(value).unwrap(), &Grammar::default(), Keywords::Ignored);
    let asked = outer(json!({ "type": "url_verification", "token": "x", "challenge": "abc" }));
    assert!(matches!(asked, Heard::Challenge(challenge) if challenge == "abc"));
    assert!(matches!(event(json!({ "type": "app_uninstalled" }), Keywords::Ignored), Heard::Removed { .. }));
    assert!(matches!(event(json!({ "type": "something_new" }), Keywords::Ignored), Heard::Nothing));
}
