//! Composition objects: the small parts that blocks and elements are made of.
//!
//! | object | limits |
//! |---|---|
//! | confirmation dialog | title 100, text 300, `confirm` and `deny` 30 |
//! | option | text and description 75, value 150, url 3,000 (overflow menus only) |
//! | option group | label 75, 1 to 100 options |
//!
//! Source: docs.slack.dev, "Composition objects". An option's value: `@slack/types` 3.2.0 says 75, the reference and
//! `slack_sdk` 3.47.0 (`Option.value_max_length`) say 150.
//!
//! Deliberately absent: the trigger and workflow objects of workflow buttons.

use super::rules;
use super::shape::Markup::{Either, Plain};
use super::shape::{Field, List, Object, Shape};

pub(super) const NO_LIMIT: usize = usize::MAX;

const STYLES: &[&str] = &["primary", "danger"];
pub(super) const STYLE: Field = ("style", Shape::Word(STYLES));

const CONFIRM_OBJECT: Object = Object {
    kind: "",
    must: &[("text", Shape::Text(Either, 300))],
    may: &[
        ("title", Shape::Text(Plain, 100)),
        ("confirm", Shape::Text(Plain, 30)),
        ("deny", Shape::Text(Plain, 30)),
        STYLE,
    ],
    rule: None,
};
pub(super) const CONFIRM: Field = ("confirm", Shape::Object(&CONFIRM_OBJECT));

/// An option of a select menu.
pub(super) const OPTION: Shape = Shape::Object(&Object {
    kind: "",
    must: &[("text", Shape::Text(Plain, 75)), ("value", Shape::Chars(1, 150))],
    may: &[("description", Shape::Text(Plain, 75))],
    rule: None,
});

/// An option of radio buttons or checkboxes: these alone take `mrkdwn`.
pub(super) const CHOICE: Shape = Shape::Object(&Object {
    kind: "",
    must: &[("text", Shape::Text(Either, 75)), ("value", Shape::Chars(1, 150))],
    may: &[("description", Shape::Text(Either, 75))],
    rule: None,
});

/// An option of an overflow menu: these alone take an address.
pub(super) const OVERFLOW_OPTION: Shape = Shape::Object(&Object {
    kind: "",
    must: &[("text", Shape::Text(Plain, 75)), ("value", Shape::Chars(1, 150))],
    may: &[("description", Shape::Text(Plain, 75)), ("url", Shape::Url(3000))],
    rule: None,
});

const OPTION_GROUP: Shape =
    Shape::Object(&Object { kind: "", must: &[("label", Shape::Text(Plain, 75)), OPTIONS], may: &[], rule: None });

pub(super) const OPTIONS: Field = ("options", Shape::List(List { least: 1, most: 100, of: &OPTION }));
pub(super) const OPTION_GROUPS: Field = ("option_groups", Shape::List(List { least: 1, most: 100, of: &OPTION_GROUP }));

const CONVERSATIONS: &[&str] = &["im", "mpim", "private", "public"];
pub(super) const FILTER: Field = (
    "filter",
    Shape::Object(&Object {
        kind: "",
        must: &[],
        may: &[
            ("include", Shape::List(List { least: 1, most: 4, of: &Shape::Word(CONVERSATIONS) })),
            ("exclude_external_shared_channels", Shape::Flag),
            ("exclude_bot_users", Shape::Flag),
        ],
        rule: Some(rules::some_filter),
    }),
);

const TRIGGERS: &[&str] = &["on_enter_pressed", "on_character_entered"];
pub(super) const DISPATCH: Field = (
    "dispatch_action_config",
    Shape::Object(&Object {
        kind: "",
        must: &[("trigger_actions_on", Shape::List(List { least: 1, most: 2, of: &Shape::Word(TRIGGERS) }))],
        may: &[],
        rule: None,
    }),
);

/// What a picture is taken from: exactly one of the two, which [`rules::image`] sees to.
pub(super) const IMAGE_URL: Field = ("image_url", Shape::Url(3000));
pub(super) const SLACK_FILE: Field = (
    "slack_file",
    Shape::Object(&Object {
        kind: "",
        must: &[],
        may: &[("id", Shape::Chars(1, NO_LIMIT)), ("url", Shape::Url(3000))],
        rule: Some(rules::slack_file),
    }),
);
pub(super) const ALT_TEXT: Field = ("alt_text", Shape::Chars(1, 2000));
