//! Everything that Till may send, whole, with each part broken, and beside any JSON at all.

mod limits;
mod rules;

use super::*;
use serde_json::json;
use till_core::contract::seeded::Seeded;

const MANY: &str = "☕";

/// A character of three bytes in UTF-8, so many times: Slack counts characters, not bytes.
fn chars(count: usize) -> String {
    MANY.repeat(count)
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn button(more: &Value) -> Value {
    with(json!({ "type": "button", "text": plain("Pay") }), more)
}

fn with(mut object: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

fn actions(elements: &[Value]) -> Value {
    json!({ "type": "actions", "elements": elements })
}

fn input(element: &Value) -> Value {
    json!({ "type": "input", "label": plain("Amount"), "element": element })
}

fn option(more: &Value) -> Value {
    with(json!({ "text": plain("Open"), "value": "open" }), more)
}

fn select(more: &Value) -> Value {
    actions(&[with(json!({ "type": "static_select", "options": [option(&json!({}))] }), more)])
}

fn radio(options: &[Value]) -> Value {
    input(&json!({ "type": "radio_buttons", "options": options }))
}

fn many(count: usize, item: &Value) -> Vec<Value> {
    vec![item.clone(); count]
}

fn confirm(more: &Value) -> Value {
    actions(&[button(&json!({ "confirm": with(json!({ "text": plain("Sure?") }), more) }))])
}

fn image(more: &Value) -> Value {
    with(json!({ "type": "image", "image_url": "https://till.example/i.png", "alt_text": "a cup" }), more)
}

/// An address of so many characters.
fn url(count: usize) -> String {
    let start = "https://till.example/";
    format!("{start}{}", "p".repeat(count - start.len()))
}

fn text_input(more: &Value) -> Value {
    input(&with(json!({ "type": "plain_text_input" }), more))
}

fn table(rows: usize, cells: usize, text: &str) -> Value {
    let row = json!(many(cells, &json!({ "type": "raw_text", "text": text })));
    json!({ "type": "table", "rows": many(rows, &row) })
}

fn modal(more: &Value) -> Value {
    with(json!({ "type": "modal", "title": plain("Pay"), "blocks": [] }), more)
}

fn divider() -> Value {
    json!({ "type": "divider" })
}

/// One of every block and element that Till may send, with every field that it may have.
fn everything() -> Vec<Value> {
    let chosen = option(&json!({ "description": plain("d") }));
    let confirm = json!({ "title": plain("Sure?"), "text": { "type": "mrkdwn", "text": "*Sure?*", "verbatim": true },
        "confirm": plain("Yes"), "deny": plain("No"), "style": "danger" });
    let picks = |kind: &str, more: Value| {
        with(json!({ "type": kind, "action_id": kind, "confirm": confirm, "placeholder": plain("…") }), &more)
    };
    let mut blocks = vec![
        json!({ "type": "header", "block_id": "h", "text": { "type": "plain_text", "text": "Order", "emoji": true } }),
        json!({ "type": "section", "text": plain("a"), "fields": [plain("b")], "expand": true,
            "accessory": button(&json!({ "url": "http://127.0.0.1:8080/p?a=b#c", "style": "primary", "confirm": confirm, "value": "v", "accessibility_label": "l", "action_id": "pay" })) }),
        json!({ "type": "section", "text": plain("a"), "accessory": image(&json!({})) }),
        json!({ "type": "context", "elements": [image(&json!({})), plain("a"), { "type": "mrkdwn", "text": "b" }] }),
        json!({ "type": "image", "alt_text": "a", "slack_file": { "id": "F0123456789" }, "title": plain("t") }),
        json!({ "type": "image", "alt_text": "a", "slack_file": { "url": "https://files.slack.com/f" } }),
        json!({ "type": "rich_text", "elements": [
            { "type": "rich_text_section", "elements": [{ "type": "text", "text": "a", "style": { "bold": true } }] },
            { "type": "rich_text_list", "style": "ordered", "border": 1, "offset": 2, "elements": [] },
            { "type": "rich_text_quote", "elements": [] }, { "type": "rich_text_preformatted", "elements": [] }] }),
        divider(),
        actions(&[
            picks("users_select", json!({ "initial_user": "U1", "focus_on_load": true })),
            picks("conversations_select", json!({ "filter": { "include": ["im"], "exclude_bot_users": true } })),
            picks("channels_select", json!({ "initial_channel": "C1", "response_url_enabled": true })),
            picks("external_select", json!({ "min_query_length": 0 })),
            picks("static_select", json!({ "options": [chosen], "initial_option": chosen })),
            picks(
                "multi_static_select",
                json!({ "option_groups": [{ "label": plain("g"), "options": [chosen] }],
                "initial_options": [chosen], "max_selected_items": 1 }),
            ),
            picks("datepicker", json!({ "initial_date": "2028-02-29" })),
            picks("timepicker", json!({ "initial_time": "23:59", "timezone": "Europe/Tallinn" })),
            json!({ "type": "datetimepicker", "initial_date_time": 1_795_372_200 }),
            json!({ "type": "overflow", "options": [with(chosen.clone(), &json!({ "url": "https://till.example" }))] }),
        ]),
        with(
            input(&json!({ "type": "number_input", "is_decimal_allowed": true, "initial_value": "5.5",
            "min_value": "-10", "max_value": "0.25" })),
            &json!({ "optional": true, "dispatch_action": false, "hint": plain("h") }),
        ),
        text_input(&json!({ "multiline": true, "min_length": 3000, "max_length": 3000, "initial_value": "a",
            "dispatch_action_config": { "trigger_actions_on": ["on_enter_pressed"] } })),
        input(&json!({ "type": "email_text_input" })),
        input(&json!({ "type": "url_text_input" })),
        input(&json!({ "type": "rich_text_input", "min_lines": 1, "max_lines": 100 })),
        input(&json!({ "type": "checkboxes", "initial_options": [chosen], "options": [chosen,
            { "text": { "type": "mrkdwn", "text": "*m*" }, "value": "m", "description": plain("d") }] })),
    ];
    blocks.extend(
        ["multi_users_select", "multi_conversations_select", "multi_channels_select", "multi_external_select"]
            .map(|kind| input(&json!({ "type": kind, "max_selected_items": 3 }))),
    );
    blocks
}

#[test]
fn a_message_and_a_modal_may_hold_everything() {
    let all = json!(everything());
    for surface in [Surface::Message, Surface::Modal, Surface::Home] {
        assert_eq!(complaints(surface, &all), Vec::<String>::new());
    }
    let more = json!({ "blocks": all, "submit": plain("Pay"), "clear_on_close": true, "notify_on_close": false });
    assert_eq!(view_complaints(&modal(&more)), Vec::<String>::new());
    assert_eq!(view_complaints(&json!({ "type": "home", "blocks": all })), Vec::<String>::new());
    let mixed = json!({ "type": "table", "column_settings": [{ "align": "right", "is_wrapped": true }], "rows": [[
        { "type": "raw_text", "text": "a" }, { "type": "raw_number", "value": 1.5, "text": "1.50" }, all[6]]] });
    assert_eq!(complaints(Surface::Message, &json!([mixed])), Vec::<String>::new());
    assert_eq!(complaints(Surface::Message, &json!([])), Vec::<String>::new());
}

/// The paths of all objects and lists in `value`, and of what they hold.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| paths(item, &format!("{at}/{n}"), found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| paths(item, &format!("{at}/{name}"), found));
        }
        _ => {}
    }
}

#[test]
fn every_object_is_closed_and_no_value_is_null_or_of_another_kind() {
    let all = json!(everything());
    let mut found = Vec::new();
    paths(&all, "", &mut found);
    // Inside rich text we do not look.
    found.retain(|path| !path.starts_with("/6/elements/0/elements/0"));
    assert!(found.len() > 300, "{}", found.len());
    for path in &found {
        let mut changed = all.clone();
        if let Some(object) = changed.pointer_mut(path).and_then(Value::as_object_mut) {
            object.insert("disabled".into(), json!(true));
            let refused = complaints(Surface::Message, &changed);
            let wanted = format!("invalid additional property: disabled [json-pointer:/blocks{path}]");
            assert!(refused.contains(&wanted), "{path}: {refused:?}");
        }
        for wrong in [Value::Null, json!({ "a": 1 }), json!([[]]), json!(-1.5)] {
            let mut changed = all.clone();
            *changed.pointer_mut(path).unwrap() = wrong.clone();
            assert!(!complaints(Surface::Message, &changed).is_empty(), "{path}: {wrong}");
        }
    }
}

#[test]
fn nothing_that_is_there_is_empty() {
    let all = json!(everything());
    let mut found = Vec::new();
    paths(&all, "", &mut found);
    // Inside rich text we do not look, and its parts may be empty.
    found.retain(|path| !path.is_empty() && !path.starts_with("/6/elements/"));
    let mut emptied = 0;
    for path in &found {
        let mut changed = all.clone();
        let part = changed.pointer_mut(path).unwrap();
        match part {
            Value::String(text) => text.clear(),
            Value::Array(items) => items.clear(),
            _ => continue,
        }
        assert!(!complaints(Surface::Message, &changed).is_empty(), "{path}");
        emptied += 1;
    }
    assert!(emptied > 150, "{emptied}");
    // Slack sends a view's metadata back empty.
    assert!(view_complaints(&modal(&json!({ "private_metadata": "", "callback_id": "" }))).is_empty());
}

/// Any JSON, made of words that blocks are made of.
fn any(seeded: &mut Seeded, depth: u64) -> Value {
    const WORDS: &[&str] = &[
        "type",
        "text",
        "section",
        "actions",
        "elements",
        "blocks",
        "plain_text",
        "options",
        "button",
        "modal",
        "title",
        "input",
        "element",
        "static_select",
        "initial_options",
        "rows",
        "table",
        "",
        "\u{0}",
        "2026-02-30",
    ];
    let word = |seeded: &mut Seeded| (*seeded.pick(WORDS).unwrap()).to_owned();
    let size = seeded.below(5);
    match seeded.below(if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => json!(seeded.chance(50)),
        2 => json!(seeded.bits()),
        3 => json!(f64::from_bits(seeded.bits())),
        4 => json!(word(seeded)),
        5 => (0..size).map(|_| any(seeded, depth - 1)).collect(),
        _ => Value::Object((0..size).map(|_| (word(seeded), any(seeded, depth - 1))).collect()),
    }
}

#[test]
fn no_json_is_too_strange_to_be_judged() {
    let all = json!(everything());
    let mut found = Vec::new();
    paths(&all, "", &mut found);
    let mut seeded = Seeded::new(20_261_124);
    for _ in 0..1_500 {
        let strange = any(&mut seeded, 5);
        let mut changed = all.clone();
        if let Some(part) = seeded.pick(&found).and_then(|path| changed.pointer_mut(path)) {
            *part = strange.clone();
        }
        for blocks in [strange, changed] {
            complaints(Surface::Message, &blocks);
            let view = json!({ "type": "modal", "title": plain("Pay"), "blocks": blocks });
            assert_eq!(view_complaints(&view), view_complaints(&view));
            view_complaints(&blocks);
        }
    }
    // As deep as JSON can be that was parsed: serde_json stops at 128 levels.
    let mut deep = json!([]);
    for _ in 0..60 {
        deep = json!({ "type": "section", "text": [deep] });
    }
    assert!(!complaints(Surface::Message, &json!([deep])).is_empty());
    // Dropping so deep a value is not ours to survive.
    std::mem::forget(deep);
}
