//! How a card becomes Block Kit.
//!
//! ```text
//! header   [TEST] Please pay 25.00 EUR
//! rich text  the amount, unless the title says it / 2 × coffee  9.00 EUR / For  coffee / the note / the link as text
//! actions  [Pay 25.00 EUR] [Refund] [Cancel] [Details]        context  who issued it, and the code
//! ```
//! What people typed stands in `rich_text` and `plain_text` alone, where Slack reads no marks. Everybody in a channel
//! sees one card: what is for staff's eyes stays off it and behind *Details*; who may press is asked at the press.

use crate::mrkdwn;
use crate::people::parts;
use serde_json::{Value, json};
use till_core::card::{Action, Audience, Card, Mode, Tone, cut, is_web_address};
use till_core::place::PersonId;
use till_core::port::chat::{Caps, Loss, Rendered};
use till_core::text::Locale;

/// What stands in `action_id` before the number of the button.
pub(crate) const FOLLOW: &str = "follow";
pub(crate) const PRESS: &str = "press";
pub(crate) const ASK: &str = "ask";
pub(crate) const DETAILS: &str = "details";
/// Between a button's token, what its form is filled with, and what the form asks.
pub(crate) const PART: char = '|';

/// A card as `{"text":…,"blocks":[…]}`. Never fails.
pub(crate) fn card(card: &Card, caps: &Caps, locale: &Locale) -> Rendered {
    let mut losses = Vec::new();
    let (plain, is_cut) = card.plain_within(caps.text_max, locale);
    losses.extend(is_cut.then_some(Loss::Text));
    let stamp = if card.mode == Mode::Test { "[TEST] " } else { "" };
    let mut buttons = Vec::new();
    let mut as_text = Vec::new();
    for (n, action) in card.actions.iter().enumerate() {
        match button(n, action, card, caps, locale).filter(|_| buttons.len() < caps.buttons_max) {
            Some(button) => buttons.push(button),
            None => {
                as_text.push(action);
                losses.push(Loss::Button);
            }
        }
    }
    if buttons.len() < caps.buttons_max {
        let label = plain_text(&locale.say("slack-details", &[]));
        let value = card.code.to_string();
        buttons.push(json!({ "type": "button", "action_id": DETAILS, "text": label, "value": value }));
    }
    let mut blocks = vec![
        json!({ "type": "header", "text": plain_text(&cut(&format!("{stamp}{}", card.title), 150)) }),
        json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": body(card, &as_text, locale) }] }),
    ];
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    if !card.footer.is_empty() {
        blocks.push(json!({ "type": "context", "elements": [plain_text(&card.footer)] }));
    }
    Rendered { body: json!({ "text": mrkdwn::escape(&plain), "blocks": blocks }), plain, losses }
}

/// A short text, which notifies these people.
pub(crate) fn text(text: &str, to: &[PersonId], caps: &Caps) -> Rendered {
    let short = cut(text, caps.text_max);
    let losses = if short == text { Vec::new() } else { vec![Loss::Text] };
    let users = to.iter().filter_map(|who| parts(&who.id)).map(|(_, user)| format!("<@{user}> "));
    let words = format!("{}{}", users.collect::<String>(), mrkdwn::escape(&short));
    Rendered { body: json!({ "text": words }), plain: short, losses }
}

pub(crate) fn plain_text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// Whether the amount stands in the title, and not only as the end of a larger one.
fn says(title: &str, amount: &str) -> bool {
    title.match_indices(amount).any(|(at, _)| title[..at].chars().next_back().is_none_or(char::is_whitespace))
}

fn body(card: &Card, as_text: &[&Action], locale: &Locale) -> Vec<Value> {
    let words = |text: &str| json!({ "type": "text", "text": text });
    let strong = |text: &str| json!({ "type": "text", "text": text, "style": { "bold": true } });
    let mut parts = Vec::new();
    if !says(&card.title, &card.amount) {
        parts.extend([strong(&card.amount), words("\n")]);
    }
    for item in card.items.iter() {
        parts.push(words(&format!("{}  {}\n", item.name, item.amount)));
    }
    for detail in card.details.iter().filter(|detail| detail.audience == Audience::Anyone) {
        parts.push(strong(&format!("{}  ", detail.label)));
        parts.push(words(&format!("{}\n", detail.value)));
    }
    if let Some(note) = card.note.as_ref().filter(|note| !note.is_empty()) {
        parts.push(words(&format!("{note}\n")));
    }
    for action in as_text {
        let (label, text) = match action {
            Action::Link { label, url, .. } => (label, url),
            Action::Press { label, typed, .. } => (label, typed),
        };
        parts.push(words(&format!("{label}: {text}\n")));
    }
    if is_web_address(&card.link) {
        let text = locale.say(if card.tone == Tone::Waiting { "slack-link" } else { "slack-link-after" }, &[]);
        parts.push(json!({ "type": "link", "url": card.link, "text": text }));
    } else {
        parts.push(words(&card.link));
    }
    parts
}

fn button(n: usize, action: &Action, card: &Card, caps: &Caps, locale: &Locale) -> Option<Value> {
    match action {
        Action::Link { label, url, .. } => {
            let fits = url.chars().count() <= caps.url_max && is_web_address(url) && !label.is_empty();
            let mut button = json!({
                "type": "button", "action_id": format!("{FOLLOW}:{n}"), "text": plain_text(label),
                "url": url, "value": card.code.to_string(),
            });
            // Green is for what waits to be paid; a receipt waits for nobody.
            if n == 0 && card.tone == Tone::Waiting {
                button["style"] = "primary".into();
            }
            fits.then_some(button)
        }
        Action::Press { label, token, confirm, asks, .. } => {
            let mut button = json!({ "type": "button", "text": plain_text(label) });
            match asks {
                // Its form asks back.
                Some(filled) => {
                    button["action_id"] = format!("{ASK}:{n}").into();
                    let asked = confirm.as_deref().unwrap_or_default();
                    button["value"] = format!("{token}{PART}{filled}{PART}{asked}").into();
                }
                None => {
                    button["action_id"] = format!("{PRESS}:{n}").into();
                    button["value"] = token.as_str().into();
                    if let Some(confirm) = confirm.as_ref().filter(|confirm| !confirm.is_empty()) {
                        button["confirm"] = json!({
                            "title": plain_text(label), "text": plain_text(confirm),
                            "confirm": plain_text(&cut(&locale.say("slack-yes", &[("act", label)]), 30)),
                            "deny": plain_text(&cut(&locale.say("slack-no", &[]), 30)),
                        });
                    }
                }
            }
            (!label.is_empty()).then_some(button)
        }
    }
}
