//! Rules between fields and between blocks, which a table of shapes cannot say.
//!
//! ```text
//! section: text or fields     image: image_url or slack_file     select: options or option_groups
//! an initial option is one that is offered     min ≤ max     every block_id once, every action_id once in its block
//! ```
//! Sources: docs.slack.dev, each object's own page. The wording of `submit`: slackapi/node-slack-sdk#875, 2019-09-27.
//!
//! Deliberately absent: an `external_id` that is new in its workspace, which only Slack knows.

use super::TEXT_CHARS_MAX;
use super::shape::{Complaints, decimal};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

type Fields = Map<String, Value>;

pub(super) fn text_or_fields(path: &str, section: &Fields, found: &mut Complaints) {
    if !section.contains_key("text") && !section.contains_key("fields") {
        found.add(path, "must define either `text` or `fields`");
    }
}

pub(super) fn image(path: &str, image: &Fields, found: &mut Complaints) {
    exactly_one(path, image, ["image_url", "slack_file"], found);
}

pub(super) fn slack_file(path: &str, file: &Fields, found: &mut Complaints) {
    exactly_one(path, file, ["id", "url"], found);
}

pub(super) fn options_or_groups(path: &str, select: &Fields, found: &mut Complaints) {
    exactly_one(path, select, ["options", "option_groups"], found);
    initial_is_offered(path, select, found);
}

fn exactly_one(path: &str, object: &Fields, [one, other]: [&str; 2], found: &mut Complaints) {
    if object.contains_key(one) == object.contains_key(other) {
        found.add(path, format_args!("must define either `{one}` or `{other}`"));
    }
}

/// Source: docs.slack.dev, "Conversation filter object": at least one of its fields.
pub(super) fn some_filter(path: &str, filter: &Fields, found: &mut Complaints) {
    if filter.is_empty() {
        found.add(path, "must provide at least 1 properties");
    }
}

pub(super) fn initial_is_offered(path: &str, select: &Fields, found: &mut Complaints) {
    let groups = items(select.get("option_groups")).iter().filter_map(|group| group.get("options"));
    let offered: Vec<&Value> =
        items(select.get("options")).iter().chain(groups.flat_map(|options| items(Some(options)))).collect();
    let one = select.get("initial_option").map(|option| ("initial_option".to_owned(), option));
    let many = items(select.get("initial_options")).iter().enumerate();
    let many = many.map(|(at, option)| (format!("initial_options/{at}"), option));
    for (field, option) in one.into_iter().chain(many) {
        if !offered.contains(&option) {
            found.add(&format!("{path}/{field}"), "must exactly match one of the options");
        }
    }
}

pub(super) fn lengths_in_order(path: &str, input: &Fields, found: &mut Complaints) {
    let bound = |name: &str| input.get(name).and_then(Value::as_i64);
    if let (Some(least), Some(most)) = (bound("min_length"), bound("max_length"))
        && least > most
    {
        found.add(path, "`min_length` must not be greater than `max_length`");
    }
}

pub(super) fn numbers_in_order(path: &str, input: &Fields, found: &mut Complaints) {
    let bound = |name: &str| input.get(name).and_then(decimal);
    if let (Some(least), Some(most)) = (bound("min_value"), bound("max_value"))
        && least > most
    {
        found.add(path, "`min_value` must not be greater than `max_value`");
    }
}

/// Source: docs.slack.dev, "Table block": 10,000 characters in all cells together.
pub(super) fn table_text(path: &str, table: &Fields, found: &mut Complaints) {
    const CHARS_MAX: usize = 10_000;
    if table.get("rows").map_or(0, shown_chars) > CHARS_MAX {
        found.add(&format!("{path}/rows"), format_args!("must be less than {} characters", CHARS_MAX + 1));
    }
}

/// Source: docs.slack.dev, "Input block", `dispatch_action`: with a file input "an unsupported type error will be raised".
pub(super) fn no_files_dispatched(path: &str, input: &Fields, found: &mut Complaints) {
    let file = input.get("element").is_some_and(|element| element["type"] == "file_input");
    if file && input.get("dispatch_action") == Some(&Value::Bool(true)) {
        found.add(&format!("{path}/element/type"), "unsupported type: file_input");
    }
}

/// An `action_id` is new in its block; the same one in another block is another action.
pub(super) fn action_ids(path: &str, actions: &Fields, found: &mut Complaints) {
    once_each(&format!("{path}/elements"), "action_id", items(actions.get("elements")), found);
}

/// Every `block_id` once, and the focus on one element at most.
pub(super) fn between_blocks(path: &str, blocks: &Value, found: &mut Complaints) {
    once_each(path, "block_id", items(Some(blocks)), found);
    if focused(blocks) > 1 {
        found.add(path, "only one element may have `focus_on_load`");
    }
}

fn once_each(path: &str, name: &str, among: &[Value], found: &mut Complaints) {
    let mut seen = BTreeSet::new();
    for (at, item) in among.iter().enumerate() {
        let Some(id) = item.get(name).and_then(Value::as_str) else { continue };
        if !seen.insert(id) {
            found.add(&format!("{path}/{at}/{name}"), format_args!("`{name}` \"{id}\" already exists"));
        }
    }
}

fn focused(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(focused).sum(),
        Value::Object(fields) => {
            let here = usize::from(fields.get("focus_on_load") == Some(&Value::Bool(true)));
            here + fields.values().map(focused).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The budget of a message, and one table in it.
///
/// Source: slackapi/slack-skills-plugin, `skills/block-kit/SKILL.md`: only one table block per message. Its code is
/// `invalid_attachments` with this word.
pub(super) fn whole_message(blocks: &Value, found: &mut Complaints) {
    let tables = items(Some(blocks)).iter().filter(|block| block["type"] == "table").count();
    if tables > 1 {
        found.add("/blocks", "only_one_table_allowed");
    }
    let chars = shown_chars(blocks);
    if chars > TEXT_CHARS_MAX {
        found.bare(format!("msg_blocks_too_long: {chars} characters, {TEXT_CHARS_MAX} at most"));
    }
}

/// The characters that people read: whatever is called `text` or `alt_text`, at any depth.
fn shown_chars(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(shown_chars).sum(),
        Value::Object(fields) => {
            let own = ["text", "alt_text"].iter().filter_map(|name| fields.get(*name)?.as_str());
            own.map(|text| text.chars().count()).sum::<usize>() + fields.values().map(shown_chars).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A modal that asks for something has a button to send it with.
pub(super) fn submit(view: &Value, found: &mut Complaints) {
    if view["type"] != "modal" || view.get("submit").is_some() {
        return;
    }
    for (at, block) in items(view.get("blocks")).iter().enumerate() {
        if block["type"] == "input" {
            found.add(&format!("/view/blocks/{at}/input"), "must define `submit` to use `input` block");
        }
    }
}

fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
