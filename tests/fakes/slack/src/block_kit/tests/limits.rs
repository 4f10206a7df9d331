//! Every limit of Block Kit at its edge: as much as Slack takes, and one more.

use super::*;

type Made = fn(usize) -> Value;

/// What is counted, how many Slack takes, and a block with so many of it.
const IN_A_BLOCK: &[(&str, usize, Made)] = &[
    ("block_id", 255, |n| json!({ "type": "divider", "block_id": chars(n) })),
    ("header text", 150, |n| json!({ "type": "header", "text": plain(&chars(n)) })),
    ("section text", 3000, |n| json!({ "type": "section", "text": { "type": "mrkdwn", "text": chars(n) } })),
    ("section field text", 2000, |n| json!({ "type": "section", "fields": [plain(&chars(n))] })),
    ("section fields", 10, |n| json!({ "type": "section", "fields": many(n, &plain("a")) })),
    ("context elements", 10, |n| json!({ "type": "context", "elements": many(n, &plain("a")) })),
    ("context text", 3000, |n| json!({ "type": "context", "elements": [plain(&chars(n))] })),
    ("actions elements", 25, |n| actions(&many(n, &button(&json!({}))))),
    ("action_id", 255, |n| actions(&[button(&json!({ "action_id": chars(n) }))])),
    ("button text", 75, |n| actions(&[button(&json!({ "text": plain(&chars(n)) }))])),
    ("button value", 2000, |n| actions(&[button(&json!({ "value": chars(n) }))])),
    ("button url", 3000, |n| actions(&[button(&json!({ "url": url(n) }))])),
    ("button accessibility_label", 75, |n| actions(&[button(&json!({ "accessibility_label": chars(n) }))])),
    ("confirm title", 100, |n| confirm(&json!({ "title": plain(&chars(n)) }))),
    ("confirm text", 300, |n| confirm(&json!({ "text": plain(&chars(n)) }))),
    ("confirm confirm", 30, |n| confirm(&json!({ "confirm": plain(&chars(n)) }))),
    ("confirm deny", 30, |n| confirm(&json!({ "deny": plain(&chars(n)) }))),
    ("image url", 3000, |n| image(&json!({ "image_url": url(n) }))),
    ("image alt_text", 2000, |n| image(&json!({ "alt_text": chars(n) }))),
    ("image title", 2000, |n| image(&json!({ "title": plain(&chars(n)) }))),
    (
        "context image alt_text",
        2000,
        |n| json!({ "type": "context", "elements": [image(&json!({ "alt_text": chars(n) }))] }),
    ),
    ("select options", 100, |n| select(&json!({ "options": many(n, &option(&json!({}))) }))),
    ("select placeholder", 150, |n| select(&json!({ "placeholder": plain(&chars(n)) }))),
    ("option text", 75, |n| select(&json!({ "options": [option(&json!({ "text": plain(&chars(n)) }))] }))),
    ("option value", 150, |n| select(&json!({ "options": [option(&json!({ "value": chars(n) }))] }))),
    ("option description", 75, |n| {
        select(&json!({ "options": [option(&json!({ "description": plain(&chars(n)) }))] }))
    }),
    ("option groups", 100, |n| {
        let group = json!({ "label": plain("a"), "options": [option(&json!({}))] });
        actions(&[json!({ "type": "static_select", "option_groups": many(n, &group) })])
    }),
    ("option group label", 75, |n| {
        let group = json!({ "label": plain(&chars(n)), "options": [option(&json!({}))] });
        actions(&[json!({ "type": "static_select", "option_groups": [group] })])
    }),
    ("radio options", 10, |n| radio(&many(n, &option(&json!({}))))),
    ("checkbox options", 10, |n| input(&json!({ "type": "checkboxes", "options": many(n, &option(&json!({}))) }))),
    ("overflow options", 5, |n| actions(&[json!({ "type": "overflow", "options": many(n, &option(&json!({}))) })])),
    ("overflow option url", 3000, |n| {
        actions(&[json!({ "type": "overflow", "options": [option(&json!({ "url": url(n) }))] })])
    }),
    ("input label", 2000, |n| with(text_input(&json!({})), &json!({ "label": plain(&chars(n)) }))),
    ("input hint", 2000, |n| with(text_input(&json!({})), &json!({ "hint": plain(&chars(n)) }))),
    ("min_length", 3000, |n| text_input(&json!({ "min_length": n }))),
    ("max_length", 3000, |n| text_input(&json!({ "max_length": n }))),
    ("max_files", 10, |n| input(&json!({ "type": "file_input", "max_files": n }))),
    ("table rows", 100, |n| table(n, 1, "a")),
    ("table cells", 20, |n| table(1, n, "a")),
    ("table characters", 10_000, |n| table(1, 1, &chars(n))),
    ("list indent", 8, |n| {
        let list = json!({ "type": "rich_text_list", "style": "bullet", "indent": n, "elements": [] });
        json!({ "type": "rich_text", "elements": [list] })
    }),
];

/// The same for a view.
const IN_A_VIEW: &[(&str, usize, Made)] = &[
    ("title", 24, |n| modal(&json!({ "title": plain(&chars(n)) }))),
    ("submit", 24, |n| modal(&json!({ "submit": plain(&chars(n)) }))),
    ("close", 24, |n| modal(&json!({ "close": plain(&chars(n)) }))),
    ("private_metadata", 3000, |n| modal(&json!({ "private_metadata": chars(n) }))),
    ("callback_id", 255, |n| modal(&json!({ "callback_id": chars(n) }))),
    ("external_id", 255, |n| modal(&json!({ "external_id": chars(n) }))),
    ("modal blocks", 100, |n| modal(&json!({ "blocks": many(n, &divider()) }))),
    ("home blocks", 100, |n| json!({ "type": "home", "blocks": many(n, &divider()) })),
    ("home private_metadata", 3000, |n| json!({ "type": "home", "blocks": [], "private_metadata": chars(n) })),
];

#[test]
fn slack_takes_each_thing_up_to_its_limit_and_no_further() {
    let none: [String; 0] = [];
    for (name, most, made) in IN_A_BLOCK {
        assert_eq!(complaints(Surface::Message, &json!([made(*most)])), none, "{name}");
        let beyond = complaints(Surface::Message, &json!([made(most + 1)]));
        assert_eq!(beyond.len(), 1, "{name}: {beyond:?}");
        assert!(beyond[0].contains(&(most + 1).to_string()) || beyond[0].contains(&most.to_string()), "{beyond:?}");
    }
    for (name, most, made) in IN_A_VIEW {
        assert_eq!(view_complaints(&made(*most)), none, "{name}");
        assert_eq!(view_complaints(&made(most + 1)).len(), 1, "{name}");
    }
}

#[test]
fn a_message_holds_fifty_blocks_and_a_view_a_hundred() {
    for (surface, most) in [(Surface::Message, 50), (Surface::Modal, 100), (Surface::Home, 100)] {
        assert!(complaints(surface, &json!(many(most, &divider()))).is_empty());
        let beyond = complaints(surface, &json!(many(most + 1, &divider())));
        assert_eq!(beyond, [format!("no more than {most} items allowed [json-pointer:/blocks]")]);
    }
}

#[test]
fn all_texts_of_a_message_together_have_a_budget_and_those_of_a_view_have_none() {
    let section = |n: usize| json!({ "type": "section", "text": plain(&chars(n)) });
    let full = json!([section(3000), section(3000), section(3000), section(1995), actions(&[button(&json!({}))])]);
    assert!(complaints(Surface::Message, &json!([full[0], full[1], full[2], full[3]])).is_empty());
    assert!(complaints(Surface::Message, &json!([full[0], full[1], full[2], section(1997), full[4]])).is_empty());
    let beyond = json!([full[0], full[1], full[2], section(1998), full[4]]);
    assert_eq!(complaints(Surface::Message, &beyond), ["msg_blocks_too_long: 11001 characters, 11000 at most"]);
    assert!(complaints(Surface::Modal, &beyond).is_empty());
}
