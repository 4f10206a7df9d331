//! Blocks, and the views that hold them.
//!
//! | block | limits |
//! |---|---|
//! | all | `block_id` 255 |
//! | header | text 150 |
//! | section | text 3,000, or 1 to 10 fields of 2,000 |
//! | context | 1 to 10 texts and images |
//! | actions | 1 to 25 elements |
//! | image | url 3,000, alternative text and title 2,000 |
//! | input | label and hint 2,000; in messages too, since 2021-04-20 (slack-php/slack-php-block-kit 0.18.0) |
//! | table | messages only; 1 to 100 rows of 1 to 20 cells, 10,000 characters |
//! | view | 100 blocks; title, submit and close 24; `private_metadata` 3,000; `callback_id` and `external_id` 255 |
//!
//! Source: docs.slack.dev, "Blocks" and "Views"; the least of `context` is what Slack's `blocks.validate` answered on
//! 2026-10-07.
//!
//! Deliberately absent: `type: workflow_step`, which Slack no longer runs.

use super::elements::{IN_ACTIONS, IN_CONTEXT, IN_INPUT, IN_SECTION};
use super::objects::{ALT_TEXT, IMAGE_URL, NO_LIMIT, SLACK_FILE};
use super::rules;
use super::shape::Markup::{Either, Plain};
use super::shape::{Field, List, Object, Rule, Shape};

const BLOCK_ID: Field = ("block_id", Shape::Chars(1, 255));

const fn block(kind: &'static str, must: &'static [Field], may: &'static [Field], rule: Option<Rule>) -> Object {
    Object { kind, must, may, rule }
}

static HEADER: Object = block("header", &[("text", Shape::Text(Plain, 150))], &[BLOCK_ID], None);
static DIVIDER: Object = block("divider", &[], &[BLOCK_ID], None);
static SECTION: Object = block(
    "section",
    &[],
    &[
        BLOCK_ID,
        ("text", Shape::Text(Either, 3000)),
        ("fields", Shape::List(List { least: 1, most: 10, of: &Shape::Text(Either, 2000) })),
        ("accessory", IN_SECTION),
        ("expand", Shape::Flag),
    ],
    Some(rules::text_or_fields),
);
static CONTEXT: Object =
    block("context", &[("elements", Shape::List(List { least: 1, most: 10, of: &IN_CONTEXT }))], &[BLOCK_ID], None);
static ACTIONS: Object = block(
    "actions",
    &[("elements", Shape::List(List { least: 1, most: 25, of: &IN_ACTIONS }))],
    &[BLOCK_ID],
    Some(rules::action_ids),
);
static IMAGE: Object = block(
    "image",
    &[ALT_TEXT],
    &[BLOCK_ID, IMAGE_URL, SLACK_FILE, ("title", Shape::Text(Plain, 2000))],
    Some(rules::image),
);
static INPUT: Object = block(
    "input",
    &[("label", Shape::Text(Plain, 2000)), ("element", IN_INPUT)],
    &[BLOCK_ID, ("hint", Shape::Text(Plain, 2000)), ("optional", Shape::Flag), ("dispatch_action", Shape::Flag)],
    Some(rules::no_files_dispatched),
);

const RICH: Field = ("elements", Shape::List(List { least: 0, most: NO_LIMIT, of: &Shape::Unread }));
const BORDER: Field = ("border", Shape::Whole(0, 1));
static RICH_SECTION: Object = block("rich_text_section", &[RICH], &[], None);
static RICH_QUOTE: Object = block("rich_text_quote", &[RICH], &[BORDER], None);
static RICH_PREFORMATTED: Object =
    block("rich_text_preformatted", &[RICH], &[BORDER, ("language", Shape::Chars(1, NO_LIMIT))], None);
static RICH_LIST: Object = block(
    "rich_text_list",
    &[RICH, ("style", Shape::Word(&["bullet", "ordered"]))],
    &[BORDER, ("indent", Shape::Whole(0, 8)), ("offset", Shape::Whole(0, i64::MAX))],
    None,
);
static RICH_PARTS: Shape = Shape::OneOf(&[&RICH_SECTION, &RICH_LIST, &RICH_QUOTE, &RICH_PREFORMATTED]);
static RICH_TEXT: Object = block(
    "rich_text",
    &[("elements", Shape::List(List { least: 1, most: NO_LIMIT, of: &RICH_PARTS }))],
    &[BLOCK_ID],
    None,
);

static RAW_TEXT: Object = block("raw_text", &[("text", Shape::Chars(1, NO_LIMIT))], &[], None);
static RAW_NUMBER: Object =
    block("raw_number", &[("value", Shape::Number), ("text", Shape::Chars(1, NO_LIMIT))], &[], None);
static CELL: Shape = Shape::OneOf(&[&RAW_TEXT, &RAW_NUMBER, &RICH_TEXT]);
static ROW: Shape = Shape::List(List { least: 1, most: 20, of: &CELL });
static COLUMN: Shape = Shape::Object(&Object {
    kind: "",
    must: &[],
    may: &[("align", Shape::Word(&["left", "center", "right"])), ("is_wrapped", Shape::Flag)],
    rule: None,
});
static TABLE: Object = block(
    "table",
    &[("rows", Shape::List(List { least: 1, most: 100, of: &ROW }))],
    &[BLOCK_ID, ("column_settings", Shape::List(List { least: 0, most: 20, of: &COLUMN }))],
    Some(rules::table_text),
);

pub(super) static IN_MESSAGE: Shape =
    Shape::OneOf(&[&HEADER, &SECTION, &CONTEXT, &ACTIONS, &DIVIDER, &IMAGE, &INPUT, &RICH_TEXT, &TABLE]);
pub(super) static IN_VIEW: Shape =
    Shape::OneOf(&[&HEADER, &SECTION, &CONTEXT, &ACTIONS, &DIVIDER, &IMAGE, &INPUT, &RICH_TEXT]);

const VIEW_BLOCKS: Field = ("blocks", Shape::List(List { least: 0, most: 100, of: &IN_VIEW }));
// Slack sends views back with both of these empty, and takes them so.
const METADATA: Field = ("private_metadata", Shape::Chars(0, 3000));
const CALLBACK_ID: Field = ("callback_id", Shape::Chars(0, 255));
const EXTERNAL_ID: Field = ("external_id", Shape::Chars(1, 255));

static MODAL: Object = block(
    "modal",
    &[("title", Shape::Text(Plain, 24)), VIEW_BLOCKS],
    &[
        ("submit", Shape::Text(Plain, 24)),
        ("close", Shape::Text(Plain, 24)),
        METADATA,
        CALLBACK_ID,
        EXTERNAL_ID,
        ("clear_on_close", Shape::Flag),
        ("notify_on_close", Shape::Flag),
    ],
    None,
);
static HOME: Object = block("home", &[VIEW_BLOCKS], &[METADATA, CALLBACK_ID, EXTERNAL_ID], None);
pub(super) static VIEW: Shape = Shape::OneOf(&[&MODAL, &HOME]);
