//! Block elements: what a person presses, picks or fills in, and where each may stand.
//!
//! | element | limits |
//! |---|---|
//! | all that act | `action_id` 255, placeholder 150 |
//! | button | text and `accessibility_label` 75, value 2,000, url 3,000; there is no `disabled` (slackapi/bolt-js#1891) |
//! | radio buttons, checkboxes | 1 to 10 options |
//! | overflow menu | 1 to 5 options; 2 was the least once, `slack_sdk` 3.47.0 says 1 |
//! | text input | `min_length` 0 to 3,000, `max_length` 1 to 3,000 |
//!
//! Source: docs.slack.dev, "Block elements". Who may stand where: `@slack/types` 3.2.0, `ActionsBlockElement`,
//! `SectionBlockAccessory`, `InputBlockElement`.
//!
//! Deliberately absent: workflow, icon and feedback buttons; a button's `agent_prompt`, which only agents have.

use super::objects::{
    ALT_TEXT, CHOICE, CONFIRM, DISPATCH, FILTER, IMAGE_URL, NO_LIMIT, OPTION, OPTION_GROUPS, OPTIONS, OVERFLOW_OPTION,
    SLACK_FILE, STYLE,
};
use super::rules;
use super::shape::Markup::Plain;
use super::shape::{Field, List, Object, Rule, Shape};

const ACTION_ID: Field = ("action_id", Shape::Chars(1, 255));
const FOCUS: Field = ("focus_on_load", Shape::Flag);
const PLACEHOLDER: Field = ("placeholder", Shape::Text(Plain, 150));
const LABEL: Field = ("accessibility_label", Shape::Chars(1, 75));
const MOST: Field = ("max_selected_items", Shape::Whole(1, i64::MAX));
const RESPONSE_URL: Field = ("response_url_enabled", Shape::Flag);
const CURRENT: Field = ("default_to_current_conversation", Shape::Flag);
const QUERY: Field = ("min_query_length", Shape::Whole(0, i64::MAX));
const ID: Shape = Shape::Chars(1, NO_LIMIT);
const IDS: Shape = Shape::List(List { least: 1, most: NO_LIMIT, of: &ID });
const VALUE: Field = ("initial_value", Shape::Chars(1, NO_LIMIT));
const OPTION_CHOSEN: Field = ("initial_option", OPTION);
const OPTIONS_CHOSEN: Field = ("initial_options", Shape::List(List { least: 1, most: 100, of: &OPTION }));
const CHOICES: Field = ("options", Shape::List(List { least: 1, most: 10, of: &CHOICE }));

const fn element(kind: &'static str, must: &'static [Field], may: &'static [Field], rule: Option<Rule>) -> Object {
    Object { kind, must, may, rule }
}

static BUTTON: Object = element(
    "button",
    &[("text", Shape::Text(Plain, 75))],
    &[ACTION_ID, ("url", Shape::Url(3000)), ("value", Shape::Chars(1, 2000)), STYLE, CONFIRM, LABEL],
    None,
);
static OVERFLOW: Object = element(
    "overflow",
    &[("options", Shape::List(List { least: 1, most: 5, of: &OVERFLOW_OPTION }))],
    &[ACTION_ID, CONFIRM],
    None,
);
static RADIO_BUTTONS: Object = element(
    "radio_buttons",
    &[CHOICES],
    &[ACTION_ID, CONFIRM, FOCUS, ("initial_option", CHOICE)],
    Some(rules::initial_is_offered),
);
static CHECKBOXES: Object = element(
    "checkboxes",
    &[CHOICES],
    &[ACTION_ID, CONFIRM, FOCUS, ("initial_options", Shape::List(List { least: 1, most: 10, of: &CHOICE }))],
    Some(rules::initial_is_offered),
);

static STATIC_SELECT: Object = element(
    "static_select",
    &[],
    &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, OPTIONS, OPTION_GROUPS, OPTION_CHOSEN],
    Some(rules::options_or_groups),
);
static MULTI_STATIC_SELECT: Object = element(
    "multi_static_select",
    &[],
    &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, MOST, OPTIONS, OPTION_GROUPS, OPTIONS_CHOSEN],
    Some(rules::options_or_groups),
);
static EXTERNAL_SELECT: Object =
    element("external_select", &[], &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, QUERY, OPTION_CHOSEN], None);
static MULTI_EXTERNAL_SELECT: Object =
    element("multi_external_select", &[], &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, MOST, QUERY, OPTIONS_CHOSEN], None);
static USERS_SELECT: Object =
    element("users_select", &[], &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, ("initial_user", ID)], None);
static MULTI_USERS_SELECT: Object =
    element("multi_users_select", &[], &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, MOST, ("initial_users", IDS)], None);
static CONVERSATIONS_SELECT: Object = element(
    "conversations_select",
    &[],
    &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, FILTER, CURRENT, RESPONSE_URL, ("initial_conversation", ID)],
    None,
);
static MULTI_CONVERSATIONS_SELECT: Object = element(
    "multi_conversations_select",
    &[],
    &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, MOST, FILTER, CURRENT, ("initial_conversations", IDS)],
    None,
);
static CHANNELS_SELECT: Object = element(
    "channels_select",
    &[],
    &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, RESPONSE_URL, ("initial_channel", ID)],
    None,
);
static MULTI_CHANNELS_SELECT: Object = element(
    "multi_channels_select",
    &[],
    &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, MOST, ("initial_channels", IDS)],
    None,
);

static DATEPICKER: Object =
    element("datepicker", &[], &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, ("initial_date", Shape::Date)], None);
static TIMEPICKER: Object = element(
    "timepicker",
    &[],
    &[ACTION_ID, CONFIRM, FOCUS, PLACEHOLDER, ("initial_time", Shape::Time), ("timezone", ID)],
    None,
);
static DATETIMEPICKER: Object = element(
    "datetimepicker",
    &[],
    // Ten digits, says the reference.
    &[ACTION_ID, CONFIRM, FOCUS, ("initial_date_time", Shape::Whole(1_000_000_000, 9_999_999_999))],
    None,
);

static PLAIN_TEXT_INPUT: Object = element(
    "plain_text_input",
    &[],
    &[
        ACTION_ID,
        FOCUS,
        PLACEHOLDER,
        DISPATCH,
        VALUE,
        ("multiline", Shape::Flag),
        ("min_length", Shape::Whole(0, 3000)),
        ("max_length", Shape::Whole(1, 3000)),
    ],
    Some(rules::lengths_in_order),
);
static NUMBER_INPUT: Object = element(
    "number_input",
    &[("is_decimal_allowed", Shape::Flag)],
    &[
        ACTION_ID,
        FOCUS,
        PLACEHOLDER,
        DISPATCH,
        ("initial_value", Shape::Decimal),
        ("min_value", Shape::Decimal),
        ("max_value", Shape::Decimal),
    ],
    Some(rules::numbers_in_order),
);
static EMAIL_TEXT_INPUT: Object =
    element("email_text_input", &[], &[ACTION_ID, FOCUS, PLACEHOLDER, DISPATCH, VALUE], None);
static URL_TEXT_INPUT: Object = element("url_text_input", &[], &[ACTION_ID, FOCUS, PLACEHOLDER, DISPATCH, VALUE], None);
static RICH_TEXT_INPUT: Object = element(
    "rich_text_input",
    &[],
    &[
        ACTION_ID,
        FOCUS,
        PLACEHOLDER,
        DISPATCH,
        ("initial_value", Shape::Unread),
        ("min_lines", Shape::Whole(1, 100)),
        ("max_lines", Shape::Whole(1, 100)),
    ],
    None,
);
static FILE_INPUT: Object =
    element("file_input", &[], &[ACTION_ID, ("filetypes", IDS), ("max_files", Shape::Whole(1, 10))], None);
static IMAGE: Object = element("image", &[ALT_TEXT], &[IMAGE_URL, SLACK_FILE], Some(rules::image));
static PLAIN_TEXT: Object = element("plain_text", &[("text", Shape::Chars(1, 3000))], &[("emoji", Shape::Flag)], None);
static MRKDWN: Object = element("mrkdwn", &[("text", Shape::Chars(1, 3000))], &[("verbatim", Shape::Flag)], None);

#[rustfmt::skip]
pub(super) static IN_ACTIONS: Shape = Shape::OneOf(&[
    &BUTTON, &CHECKBOXES, &DATEPICKER, &DATETIMEPICKER, &OVERFLOW, &RADIO_BUTTONS, &TIMEPICKER, &RICH_TEXT_INPUT,
    &STATIC_SELECT, &EXTERNAL_SELECT, &USERS_SELECT, &CONVERSATIONS_SELECT, &CHANNELS_SELECT,
    &MULTI_STATIC_SELECT, &MULTI_EXTERNAL_SELECT, &MULTI_USERS_SELECT, &MULTI_CONVERSATIONS_SELECT,
    &MULTI_CHANNELS_SELECT,
]);

#[rustfmt::skip]
pub(super) static IN_SECTION: Shape = Shape::OneOf(&[
    &BUTTON, &CHECKBOXES, &DATEPICKER, &IMAGE, &OVERFLOW, &RADIO_BUTTONS, &TIMEPICKER,
    &STATIC_SELECT, &EXTERNAL_SELECT, &USERS_SELECT, &CONVERSATIONS_SELECT, &CHANNELS_SELECT,
    &MULTI_STATIC_SELECT, &MULTI_EXTERNAL_SELECT, &MULTI_USERS_SELECT, &MULTI_CONVERSATIONS_SELECT,
    &MULTI_CHANNELS_SELECT,
]);

#[rustfmt::skip]
pub(super) static IN_INPUT: Shape = Shape::OneOf(&[
    &CHECKBOXES, &DATEPICKER, &DATETIMEPICKER, &RADIO_BUTTONS, &TIMEPICKER,
    &STATIC_SELECT, &EXTERNAL_SELECT, &USERS_SELECT, &CONVERSATIONS_SELECT, &CHANNELS_SELECT,
    &MULTI_STATIC_SELECT, &MULTI_EXTERNAL_SELECT, &MULTI_USERS_SELECT, &MULTI_CONVERSATIONS_SELECT,
    &MULTI_CHANNELS_SELECT, &PLAIN_TEXT_INPUT, &NUMBER_INPUT, &EMAIL_TEXT_INPUT, &URL_TEXT_INPUT, &RICH_TEXT_INPUT,
    &FILE_INPUT,
]);

pub(super) static IN_CONTEXT: Shape = Shape::OneOf(&[&IMAGE, &PLAIN_TEXT, &MRKDWN]);
