//! What Slack says of a field, of two fields together, and of two blocks together.

use super::*;

#[test]
fn the_words_are_slacks_and_say_where() {
    let one = |block: Value, wanted: &[&str]| assert_eq!(complaints(Surface::Message, &json!([block])), wanted);
    one(json!({ "type": "video" }), &["must be a valid enum value [json-pointer:/blocks/0/type]"]);
    one(json!({}), &["missing required field: type [json-pointer:/blocks/0]"]);
    one(json!("a"), &["must provide an object [json-pointer:/blocks/0]"]);
    one(json!({ "type": "header" }), &["missing required field: text [json-pointer:/blocks/0]"]);
    one(
        json!({ "type": "header", "text": { "type": "mrkdwn", "text": "a" } }),
        &["must be a valid enum value [json-pointer:/blocks/0/text/type]"],
    );
    one(
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": "a", "emoji": true } }),
        &["invalid additional property: emoji [json-pointer:/blocks/0/text]"],
    );
    one(json!({ "type": "section" }), &["must define either `text` or `fields` [json-pointer:/blocks/0]"]);
    one(
        json!({ "type": "section", "text": plain("") }),
        &["must be more than 0 characters [json-pointer:/blocks/0/text/text]"],
    );
    one(
        json!({ "type": "context", "elements": [button(&json!({}))] }),
        &["must be a valid enum value [json-pointer:/blocks/0/elements/0/type]"],
    );
    one(input(&button(&json!({}))), &["must be a valid enum value [json-pointer:/blocks/0/element/type]"]);
    one(actions(&[]), &["must provide at least 1 items [json-pointer:/blocks/0/elements]"]);
    one(
        actions(&[button(&json!({ "style": "default" }))]),
        &["must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"],
    );
    one(
        text_input(&json!({ "max_length": 0 })),
        &["must provide an integer from 1 to 3000 [json-pointer:/blocks/0/element/max_length]"],
    );
    assert_eq!(complaints(Surface::Message, &json!({})), ["must provide an array [json-pointer:/blocks]"]);
}

#[test]
fn an_address_is_absolute_and_of_the_web() {
    for good in ["https://till.example/p/a?b=c", "http://127.0.0.1:8080", "https://käse.example/ü"] {
        assert!(
            complaints(Surface::Message, &json!([actions(&[button(&json!({ "url": good }))])])).is_empty(),
            "{good}"
        );
    }
    for bad in [
        "/p/a",
        "till.example/p",
        "javascript:alert(1)",
        "https://",
        "https:till.example",
        "ftp://a.example",
        " https://till.example",
        "https://till.example/a b",
        "https://till.example\n",
        "https://[::1",
    ] {
        let refused = complaints(Surface::Message, &json!([actions(&[button(&json!({ "url": bad }))])]));
        assert_eq!(refused, ["invalid_url [json-pointer:/blocks/0/elements/0/url]"], "{bad:?}");
    }
}

#[test]
fn an_action_id_is_new_in_its_block_and_a_block_id_in_its_message() {
    let pay = actions(&[button(&json!({ "action_id": "pay" }))]);
    assert!(complaints(Surface::Message, &json!([pay, pay])).is_empty());
    let twice = actions(&[button(&json!({ "action_id": "pay" })), button(&json!({ "action_id": "pay" }))]);
    let wanted = ["`action_id` \"pay\" already exists [json-pointer:/blocks/0/elements/1/action_id]"];
    assert_eq!(complaints(Surface::Message, &json!([twice])), wanted);
    let named = json!({ "type": "divider", "block_id": "b" });
    let wanted = ["`block_id` \"b\" already exists [json-pointer:/view/blocks/1/block_id]"];
    assert_eq!(view_complaints(&modal(&json!({ "blocks": [named, named] }))), wanted);
}

#[test]
fn fields_that_exclude_or_bound_each_other_are_held_together() {
    let chosen = option(&json!({}));
    let other = option(&json!({ "value": "other" }));
    let group = json!([{ "label": plain("g"), "options": [chosen] }]);
    let numbers = json!({ "type": "number_input", "is_decimal_allowed": false, "min_value": "10", "max_value": "9" });
    let focus = json!({ "type": "plain_text_input", "focus_on_load": true });
    for (block, wanted) in [
        (select(&json!({ "option_groups": group })), "must define either `options` or `option_groups`"),
        (actions(&[json!({ "type": "static_select" })]), "must define either `options` or `option_groups`"),
        (select(&json!({ "initial_option": other })), "must exactly match one of the options"),
        (
            input(&json!({ "type": "checkboxes", "options": [chosen], "initial_options": [chosen, other] })),
            "must exactly match one of the options [json-pointer:/blocks/0/element/initial_options/1]",
        ),
        (json!({ "type": "image", "alt_text": "a" }), "must define either `image_url` or `slack_file`"),
        (image(&json!({ "slack_file": { "id": "F1" } })), "must define either `image_url` or `slack_file`"),
        (json!({ "type": "image", "alt_text": "a", "slack_file": {} }), "must define either `id` or `url`"),
        (text_input(&json!({ "min_length": 9, "max_length": 8 })), "`min_length` must not be greater"),
        (
            with(input(&json!({ "type": "file_input" })), &json!({ "dispatch_action": true })),
            "unsupported type: file_input [json-pointer:/blocks/0/element/type]",
        ),
        (input(&numbers), "`min_value` must not be greater"),
        (input(&json!({ "type": "conversations_select", "filter": {} })), "must provide at least 1 properties"),
    ] {
        let refused = complaints(Surface::Message, &json!([block]));
        assert!(refused.len() == 1 && refused[0].starts_with(wanted), "{wanted}: {refused:?}");
    }
    let refused = complaints(Surface::Modal, &json!([input(&focus), input(&focus)]));
    assert_eq!(refused, ["only one element may have `focus_on_load` [json-pointer:/blocks]"]);
}

#[test]
fn dates_times_and_numbers_are_written_as_slack_writes_them() {
    let cases = [
        (
            json!({ "type": "datepicker" }),
            "initial_date",
            vec!["2026-12-31", "2028-02-29"],
            vec![
                "2026-13-01",
                "2026-02-29",
                "2026-00-01",
                "2026-1-01",
                "26-01-01",
                "2026-01-01T00:00",
                "2026-01-+1",
                "",
            ],
        ),
        (
            json!({ "type": "timepicker" }),
            "initial_time",
            vec!["00:00", "23:59"],
            vec!["24:00", "23:60", "1:00", "01:00:00", "0100", ""],
        ),
        (
            json!({ "type": "number_input", "is_decimal_allowed": true }),
            "initial_value",
            vec!["0", "-10", "0.25"],
            vec!["1,5", "a", "", "NaN", "inf", "1e3", "-"],
        ),
    ];
    for (element, field, good, bad) in cases {
        let judged =
            |text: &str| complaints(Surface::Message, &json!([input(&with(element.clone(), &json!({ field: text })))]));
        good.iter().for_each(|text| assert!(judged(text).is_empty(), "{text}"));
        bad.iter().for_each(|text| assert_eq!(judged(text).len(), 1, "{text}"));
    }
}

#[test]
fn a_table_stands_in_a_message_once_and_in_no_view() {
    let one = table(2, 2, "a");
    assert!(complaints(Surface::Message, &json!([one])).is_empty());
    let two = complaints(Surface::Message, &json!([one, one]));
    assert_eq!(two, ["only_one_table_allowed [json-pointer:/blocks]"]);
    for surface in [Surface::Modal, Surface::Home] {
        let refused = complaints(surface, &json!([one]));
        assert_eq!(refused, ["must be a valid enum value [json-pointer:/blocks/0/type]"]);
    }
}

#[test]
fn a_modal_that_asks_has_a_submit_button_and_a_home_has_none() {
    let asks = json!([divider(), text_input(&json!({}))]);
    let wanted = ["must define `submit` to use `input` block [json-pointer:/view/blocks/1/input]"];
    assert_eq!(view_complaints(&modal(&json!({ "blocks": asks }))), wanted);
    assert!(view_complaints(&modal(&json!({ "blocks": asks, "submit": plain("Pay") }))).is_empty());
    assert!(view_complaints(&json!({ "type": "home", "blocks": asks })).is_empty());
    for extra in ["title", "submit", "close"] {
        let refused = view_complaints(&json!({ "type": "home", "blocks": [], extra: plain("Pay") }));
        assert_eq!(refused, [format!("invalid additional property: {extra} [json-pointer:/view]")]);
    }
    let refused = view_complaints(&modal(&json!({ "submit_disabled": true })));
    assert_eq!(refused, ["invalid additional property: submit_disabled [json-pointer:/view]"]);
    for (view, wanted) in [
        (json!({ "type": "modal", "blocks": [] }), "missing required field: title [json-pointer:/view]"),
        (json!({ "type": "modal", "title": plain("Pay") }), "missing required field: blocks [json-pointer:/view]"),
        (json!({ "type": "workflow_step", "blocks": [] }), "must be a valid enum value [json-pointer:/view/type]"),
        (json!([]), "must provide an object [json-pointer:/view]"),
    ] {
        assert_eq!(view_complaints(&view), [wanted]);
    }
}
