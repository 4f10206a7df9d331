//! How a card becomes what the browser draws, and what of it a reader may see.
//!
//! ```text
//! {"kind":"text","text":"Paid."}
//! {"kind":"card","badge":"Paid","card":{…},"more":[{"audience":"anyone","text":"Pay: https://…"}]}
//! ```
//! `more` holds what could not be a button. The store keeps the whole card; a customer's stream gets it without what is
//! for staff.

use serde_json::{Value, json};
use till_core::card::{Action, Audience, Card, UpTo, cut, is_web_address};
use till_core::port::chat::{Caps, Loss, Rendered};
use till_core::port::transcript::{Line, Readers};
use till_core::text::Locale;

/// The whole card, as far as the caps allow. Never fails.
pub(crate) fn card(card: &Card, caps: &Caps, locale: &Locale) -> Rendered {
    let mut losses = Vec::new();
    let mut more = Vec::new();
    let mut actions = Vec::new();
    for action in card.actions.iter() {
        if actions.len() < caps.buttons_max && fits(action, caps) {
            actions.push(action.clone());
            continue;
        }
        let text = match action {
            Action::Link { label, url, .. } => format!("{label}: {url}"),
            Action::Press { label, typed, .. } => format!("{label}: {typed}"),
        };
        more.push(json!({ "audience": action.audience(), "text": text }));
        losses.push(Loss::Button);
    }
    let shown = Card { actions: UpTo::new(actions), ..card.clone() };
    let (plain, is_cut) = card.plain_within(caps.text_max, locale);
    losses.extend(is_cut.then_some(Loss::Text));
    let body = json!({ "kind": "card", "badge": badge(card, locale), "card": shown, "more": more });
    Rendered { body, plain, losses }
}

/// A short text, cut where the caps end.
pub(crate) fn text(text: &str, caps: &Caps) -> Rendered {
    let cut = cut(text, caps.text_max);
    let losses = if cut == text { Vec::new() } else { vec![Loss::Text] };
    Rendered { body: json!({ "kind": "text", "text": cut }), plain: cut, losses }
}

/// A line of the transcript as the reader gets it, or `None` where it is not for them.
pub(crate) fn line(line: &Line, reader: Audience) -> Option<Value> {
    let (author, body) = match (reader, line.readers) {
        (Audience::Anyone, Readers::Staff) => return None,
        // The customer sees that it was staff and under which name, not which account.
        (Audience::Anyone, Readers::Everyone) => {
            (line.author.split(':').next().unwrap_or_default(), for_customer(&line.body))
        }
        (Audience::Staff, Readers::Staff | Readers::Everyone) => (line.author.as_str(), line.body.clone()),
    };
    Some(json!({
        "id": line.id,
        "seq": line.seq,
        "conversation": line.conversation,
        "author": author,
        "name": line.name,
        "at": line.at,
        "private": line.readers == Readers::Staff,
        "body": body,
    }))
}

/// A body without what is for staff. A card that this version cannot read is shown without details and
/// anything to press.
fn for_customer(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(card) = body.get_mut("card") {
        match serde_json::from_value::<Card>(card.clone()) {
            Ok(whole) => *card = json!(whole.for_audience(Audience::Anyone)),
            Err(_) => {
                card["actions"] = json!([]);
                card["details"] = json!([]);
            }
        }
    }
    if let Some(more) = body.get_mut("more").and_then(Value::as_array_mut) {
        more.retain(|text| text["audience"] == json!(Audience::Anyone));
    }
    body
}

/// The state in words, shorter than the title where the amount stands beside it anyway.
fn badge(card: &Card, locale: &Locale) -> String {
    let key = format!("web-badge-{}", card.status.name().replace('_', "-"));
    if locale.has(&key) { locale.say(&key, &[]) } else { card.title.to_string() }
}

fn fits(action: &Action, caps: &Caps) -> bool {
    match action {
        Action::Link { url, .. } => url.chars().count() <= caps.url_max && is_web_address(url),
        Action::Press { .. } => true,
    }
}
