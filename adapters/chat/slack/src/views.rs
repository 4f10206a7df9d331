//! The forms that Till opens in Slack: what to ask for, and how much of it to send back.
//!
//! A form knows where it was opened; Slack gives that back when it is sent. What it says is written as the command it
//! stands for, so that a form can do nothing that a command cannot.

use crate::mrkdwn::escape;
use crate::render::plain_text;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use till_core::card::cut;
use till_core::command::{NOTE_CHARS_MAX, WHAT_CHARS_MAX};
use till_core::place::Place;
use till_core::text::Locale;

/// `callback_id` of the form that asks for money.
pub(crate) const PAY: &str = "pay";
/// `callback_id` of the form that asks for an amount.
pub(crate) const AMOUNT: &str = "amount";
/// The field of an amount, in both.
pub(crate) const AMOUNT_FIELD: &str = "amount";
const CURRENCY_FIELD: &str = "currency";
const WHAT_FIELD: &str = "what";
const PAYER_FIELD: &str = "payer";
const EXPIRES_FIELD: &str = "expires";
const NOTE_FIELD: &str = "note";
/// How long a payment may be open, as it is offered: the value, and the words for it.
const LIVES: [(&str, &str); 5] =
    [("1h", "slack-1h"), ("24h", "slack-24h"), ("3d", "slack-3d"), ("7d", "slack-7d"), ("30d", "slack-30d")];
/// The life that a command without one has.
const USUAL_LIFE: &str = "24h";

/// Where a form was opened, and the button it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FormAt {
    pub(crate) place: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

/// What was filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PayFields {
    pub(crate) amount: String,
    pub(crate) currency: String,
    what: Option<String>,
    pub(crate) payer: Option<String>,
    expires: Option<String>,
    note: Option<String>,
}

impl PayFields {
    pub(crate) fn read(state: &Value) -> Self {
        let chosen =
            |field: &str| state["values"][field][field]["selected_option"]["value"].as_str().map(str::to_owned);
        Self {
            amount: text_of(state, AMOUNT_FIELD).unwrap_or_default(),
            currency: chosen(CURRENCY_FIELD).unwrap_or_default(),
            what: text_of(state, WHAT_FIELD),
            payer: state["values"][PAYER_FIELD][PAYER_FIELD]["selected_user"].as_str().map(str::to_owned),
            expires: chosen(EXPIRES_FIELD),
            note: text_of(state, NOTE_FIELD),
        }
    }

    /// The command that it stands for, in Slack's writing. `payer` is their name.
    pub(crate) fn command(&self, opening: &str, payer: Option<&str>) -> String {
        let mut parts = vec![opening.to_owned(), escape(self.amount.trim()), self.currency.clone()];
        parts.extend(self.what.as_deref().map(quoted));
        if let Some(user) = &self.payer {
            parts.push(format!("to:<@{user}|{}>", escape(payer.unwrap_or(user)).replace('|', " ")));
        }
        parts.extend(self.expires.as_deref().map(|life| format!("expires:{life}")));
        parts.extend(self.note.as_deref().map(|note| format!("note:{}", quoted(note))));
        parts.join(" ")
    }
}

/// Text that stays one text: a quotation mark inside would end it.
fn quoted(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    format!("\"{}\"", escape(&words.join(" ").replace(['"', '“', '”', '„'], "'")))
}

/// What was typed into a field; `None` where it was left empty.
pub(crate) fn text_of(state: &Value, field: &str) -> Option<String> {
    let text = state["values"][field][field]["value"].as_str()?;
    Some(text.to_owned()).filter(|text| !text.trim().is_empty())
}

/// What the form that asks for money offers.
pub(crate) struct PayForm<'a> {
    /// The merchant's own currency comes first.
    pub(crate) currencies: &'a [String],
    pub(crate) at: &'a FormAt,
    pub(crate) payer: Option<&'a str>,
}

/// The form that asks for money.
pub(crate) fn pay(form: &PayForm<'_>, locale: &Locale) -> Value {
    let currencies: Vec<Value> = form.currencies.iter().map(|code| option(code, code)).collect();
    let lives: Vec<Value> = LIVES.iter().map(|(value, key)| option(&locale.say(key, &[]), value)).collect();
    let usual = LIVES.iter().position(|(value, _)| *value == USUAL_LIFE).and_then(|at| lives.get(at)).cloned();
    let mut payer = json!({ "type": "users_select" });
    if let Some(user) = form.payer {
        payer["initial_user"] = user.into();
    }
    let text = |max: usize| json!({ "type": "plain_text_input", "max_length": max });
    let mut note = text(NOTE_CHARS_MAX);
    note["multiline"] = true.into();
    let mut amount = text(40);
    amount["placeholder"] = plain_text(&locale.say("slack-form-amount-example", &[]));
    // A block holds one thing to fill in, and both have the name of the field.
    let input = |field: &str, needed: bool, mut element: Value| {
        element["action_id"] = field.into();
        let label = plain_text(&locale.say(&format!("slack-form-{field}"), &[]));
        json!({ "type": "input", "block_id": field, "optional": !needed, "label": label, "element": element })
    };
    modal(
        PAY,
        form.at,
        ["slack-form-title", "slack-form-send"],
        json!([
            input(AMOUNT_FIELD, true, amount),
            input(
                CURRENCY_FIELD,
                true,
                json!({
                    "type": "static_select", "options": currencies, "initial_option": currencies.first(),
                })
            ),
            input(WHAT_FIELD, false, text(WHAT_CHARS_MAX)),
            input(PAYER_FIELD, false, payer),
            input(
                EXPIRES_FIELD,
                true,
                json!({
                    "type": "static_select", "options": lives, "initial_option": usual,
                })
            ),
            input(NOTE_FIELD, false, note),
        ]),
        locale,
    )
}

/// What a button asks back: the sentence, and the amount that the form is filled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) text: String,
    pub(crate) filled: String,
}

/// The form that asks how much to send back, filled with all of it.
pub(crate) fn amount(at: &FormAt, asked: &Question, locale: &Locale) -> Value {
    let hint = locale.say("slack-refund-hint", &[]);
    let text = format!("{}\n{hint}", asked.text);
    let element = json!({
        "type": "plain_text_input", "action_id": AMOUNT_FIELD, "max_length": 40, "initial_value": cut(&asked.filled, 40),
    });
    let label = plain_text(&locale.say("slack-form-amount", &[]));
    let blocks = json!([
        { "type": "section", "text": plain_text(&cut(text.trim(), 3_000)) },
        { "type": "input", "block_id": AMOUNT_FIELD, "label": label, "element": element },
    ]);
    modal(AMOUNT, at, ["slack-refund-title", "slack-refund-send"], blocks, locale)
}

fn modal(callback: &str, at: &FormAt, words: [&str; 2], blocks: Value, locale: &Locale) -> Value {
    let [title, submit] = words.map(|key| plain_text(&cut(&locale.say(key, &[]), 24)));
    json!({
        "type": "modal", "callback_id": callback, "private_metadata": json!(at).to_string(), "title": title,
        "submit": submit, "close": plain_text(&cut(&locale.say("slack-close", &[]), 24)), "blocks": blocks,
    })
}

fn option(label: &str, value: &str) -> Value {
    json!({ "text": plain_text(label), "value": value })
}
