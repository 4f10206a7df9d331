//! Cards and forms, held against what Slack takes.

use crate::views::{self, FormAt, PayFields, PayForm, Question};
use crate::{receive, render};
use fake_slack::block_kit::{Surface, complaints, view_complaints};
use serde_json::{Value, json};
use std::time::Duration;
use till_core::card::{Card, Tone};
use till_core::contract::chat::{HOSTILE, maximal, ordinary};
use till_core::payment::Status;
use till_core::place::PersonId;
use till_core::port::chat::{Caps, Loss, Private, Rendered, Twins};
use till_core::text::Locale;

fn caps() -> Caps {
    let twins = Twins::Posted { wait: Duration::from_secs(30) };
    Caps { text_max: 4_000, buttons_max: 5, url_max: 3_000, private: Private::Here, twins }
}

fn rendered(card: &Card) -> Rendered {
    render::card(card, &caps(), &Locale::english().unwrap())
}

fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|one| texts(one, into)),
        Value::Object(all) => all.values().for_each(|one| texts(one, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn slack_takes_every_card() {
    let states = Status::ALL.into_iter().map(|status| Card { status, ..ordinary() });
    for card in states.chain([maximal("W"), maximal("👩‍👧 "), maximal(HOSTILE), maximal("&<>")]) {
        let body = rendered(&card).body;
        assert_eq!(complaints(Surface::Message, &body["blocks"]), [] as [String; 0], "{body:#}");
        // Our own bound, far below where Slack was seen to refuse.
        assert!(body["blocks"].to_string().chars().count() < 11_000, "{}", body["blocks"].to_string().len());
    }
}

#[test]
fn the_ordinary_card_is_this_message() {
    let card = rendered(&ordinary());
    let button = |id: &str, text: &str, value: &str| json!({ "type": "button", "action_id": id, "text": { "type": "plain_text", "text": text, "emoji": false }, "value": value });
    let actions = &card.body["blocks"][2]["elements"];
    let mut pay = button("follow:0", "Pay coffee", "K7Q2F9");
    (pay["url"], pay["style"]) = ("https://till.example/p/0123456789abcdef0123456789abcdef".into(), "primary".into());
    assert_eq!(actions[0], pay);
    assert_eq!(actions[1]["action_id"], "ask:1");
    assert!(actions[1]["value"].as_str().unwrap().contains("|20.00 EUR|"), "{actions:#}");
    assert_eq!(actions[2], button("details", "Details", "K7Q2F9"));
    assert_eq!(card.body["blocks"][0]["text"]["text"], "[TEST] Please pay coffee");
    assert_eq!(card.losses, []);
    assert!(card.body["text"].as_str().unwrap().contains("https://till.example/p/"), "the link stands in the text");
}

#[test]
fn the_amount_is_said_once_and_a_receipt_is_not_green() {
    let said = |title: &str| {
        let title = till_core::card::Short::new(title);
        let body = rendered(&Card { title, tone: Tone::Good, ..ordinary() }).body;
        let first = body["blocks"][1]["elements"][0]["elements"][0]["text"].clone();
        (first == *ordinary().amount, body["blocks"][2]["elements"][0].get("style").cloned())
    };
    let amount = ordinary().amount;
    assert_eq!(said("Paid"), (true, None));
    assert_eq!(said(&format!("Please pay {amount}")), (false, None));
    assert_eq!(said(&format!("{amount}, refunded 1.00 EUR")), (false, None));
    assert_eq!(said(&format!("Please pay 1{amount}")), (true, None), "the end of a larger amount");
}

#[test]
fn nothing_that_people_typed_is_read_as_a_mark() {
    let card = Card { note: Some(till_core::card::Short::new("<!channel> *bold* <@U1>")), ..ordinary() };
    let body = rendered(&card).body;
    assert!(!body["text"].as_str().unwrap().contains("<!channel>"), "{}", body["text"]);
    let mut all = Vec::new();
    texts(&body["blocks"], &mut all);
    assert!(all.iter().any(|text| text.contains("<!channel> *bold*")), "it is shown as it was typed");
    assert!(!body["blocks"].to_string().contains("mrkdwn"), "blocks hold no text in which Slack reads marks");
}

#[test]
fn a_word_names_whom_it_notifies() {
    let to = [PersonId { platform: "slack".into(), id: "T1/U7".into() }];
    let said = render::text("K7Q2F9 is paid <!here>", &to, &caps());
    assert_eq!(said.body, json!({ "text": "<@U7> K7Q2F9 is paid &lt;!here&gt;" }));
    assert_eq!(render::text(&"x".repeat(5_000), &[], &caps()).losses, [Loss::Text]);
}

#[test]
fn slack_takes_every_form() {
    let english = Locale::english().unwrap();
    let at = FormAt { place: receive::place("T1", "C1", Some("1.2".into())), token: None };
    let currencies: Vec<String> = ["EUR", "USD"].map(str::to_owned).into();
    for payer in [None, Some("U7")] {
        let view = views::pay(&PayForm { currencies: &currencies, at: &at, payer }, &english);
        assert_eq!(view_complaints(&view), [] as [String; 0], "{view:#}");
        assert_eq!(serde_json::from_str::<FormAt>(view["private_metadata"].as_str().unwrap()).unwrap(), at);
    }
    let at = FormAt { token: Some(format!("refund:pay_{}", "x".repeat(36))), ..at };
    let view = views::amount(&at, &Question { filled: "9".repeat(99), text: "x".repeat(4_000) }, &english);
    assert_eq!(view_complaints(&view), [] as [String; 0], "{view:#}");
}

#[test]
fn a_form_is_the_command_it_stands_for_and_no_other() {
    let state = |what: &str, note: &str| {
        json!({ "values": {
            "amount": { "amount": { "type": "plain_text_input", "value": " 25,00 " } },
            "currency": { "currency": { "selected_option": { "value": "EUR" } } },
            "what": { "what": { "value": what } }, "payer": { "payer": { "selected_user": "U7" } },
            "expires": { "expires": { "selected_option": { "value": "3d" } } }, "note": { "note": { "value": note } },
        }})
    };
    let fields = PayFields::read(&state("two cakes", "fresh\ntoday"));
    let written = fields.command("/pay", Some("Ben"));
    assert_eq!(written, "/pay 25,00 EUR \"two cakes\" to:<@U7|Ben> expires:3d note:\"fresh today\"");
    let sly = PayFields::read(&state("cake\" expires:30d to:<@U9>", "")).command("/pay", None);
    assert_eq!(sly, "/pay 25,00 EUR \"cake' expires:30d to:&lt;@U9&gt;\" to:<@U7|U7> expires:3d");
    assert_eq!(PayFields::read(&json!({})).command("/pay", None), "/pay  ");
}
