//! Shapes of JSON, written as tables, and whether a value has them.
//!
//! ```text
//! Object { kind: "divider", must: [], may: [block_id] }    any other field is refused: every object is closed
//! ```
//!
//! Deliberately absent: JSON Schema, whose `oneOf` says that nothing fits and not why; `null`, which is no value here.

use serde_json::{Map, Value};
use url::Url;

/// A value's shape.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A text object with at most so many characters.
    Text(Markup, usize),
    /// A string of so many characters, both ends included.
    Chars(usize, usize),
    /// An absolute `http` or `https` address of at most so many characters.
    Url(usize),
    /// `true` or `false`.
    Flag,
    /// A whole number, both ends included.
    Whole(i64, i64),
    /// A number in a string: `"0.25"`.
    Decimal,
    /// Any number.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `YYYY-MM-DD`.
    Date,
    /// `HH:mm`.
    Time,
    /// Some of one shape.
    List(List),
    /// This object.
    Object(&'static Object),
    /// The object among these that `type` names.
    OneOf(&'static [&'static Object]),
    /// An object that we do not look into.
    Unread,
}

/// Which text objects may stand somewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// `plain_text` only.
    Plain,
    /// `plain_text` or `mrkdwn`.
    Either,
}

/// How many of what.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) of: &'static Shape,
}

/// A field and its shape.
pub(super) type Field = (&'static str, Shape);

/// What a table of fields cannot say: called with the object's path.
pub(super) type Rule = fn(&str, &Map<String, Value>, &mut Complaints);

/// A closed object.
pub(super) struct Object {
    /// Its `type`; empty where it has none.
    pub(super) kind: &'static str,
    pub(super) must: &'static [Field],
    pub(super) may: &'static [Field],
    pub(super) rule: Option<Rule>,
}

/// What was found, in the order of the blocks.
#[derive(Default)]
pub(super) struct Complaints(Vec<String>);

impl Complaints {
    pub(super) fn add(&mut self, path: &str, text: impl std::fmt::Display) {
        self.0.push(format!("{text} [json-pointer:{path}]"));
    }

    pub(super) fn bare(&mut self, text: String) {
        self.0.push(text);
    }

    pub(super) fn into_texts(self) -> Vec<String> {
        self.0
    }

    /// Says in what the value at this path differs from the shape.
    pub(super) fn check(&mut self, path: &str, shape: &Shape, value: &Value) {
        match shape {
            Shape::Text(markup, most) => self.text(path, *markup, *most, value),
            Shape::Chars(least, most) => {
                self.chars(path, *least, *most, value);
            }
            Shape::Url(most) => self.url(path, *most, value),
            Shape::Flag => self.require(value.is_boolean(), path, "must provide a boolean"),
            Shape::Whole(least, most) => {
                let fits = value.as_i64().is_some_and(|number| (*least..=*most).contains(&number));
                self.require(fits, path, format_args!("must provide an integer from {least} to {most}"));
            }
            Shape::Decimal => self.require(decimal(value).is_some(), path, "must provide a number as a string"),
            Shape::Number => self.require(value.is_number(), path, "must provide a number"),
            Shape::Word(words) => {
                let fits = value.as_str().is_some_and(|word| words.contains(&word));
                self.require(fits, path, "must be a valid enum value");
            }
            Shape::Date => self.require(value.as_str().is_some_and(is_date), path, "input must be a valid: date"),
            Shape::Time => self.require(value.as_str().is_some_and(is_time), path, "input must be a valid: time"),
            Shape::List(list) => self.list(path, *list, value),
            Shape::Object(object) => self.object(path, object, value),
            Shape::OneOf(objects) => self.one_of(path, objects, value),
            Shape::Unread => self.require(value.is_object(), path, "must provide an object"),
        }
    }

    fn require(&mut self, fits: bool, path: &str, text: impl std::fmt::Display) {
        if !fits {
            self.add(path, text);
        }
    }

    /// Source: docs.slack.dev, "Text object": `emoji` only with `plain_text`, `verbatim` only with `mrkdwn`.
    fn text(&mut self, path: &str, markup: Markup, most: usize, value: &Value) {
        let Some(object) = value.as_object() else { return self.add(path, "must provide an object") };
        let switch = match object.get("type").and_then(Value::as_str) {
            Some("plain_text") => "emoji",
            Some("mrkdwn") if markup == Markup::Either => "verbatim",
            _ if !object.contains_key("type") => return self.add(path, "missing required field: type"),
            _ => return self.add(&format!("{path}/type"), "must be a valid enum value"),
        };
        self.fields(path, &[("text", Shape::Chars(1, most))], &[(switch, Shape::Flag)], object);
    }

    fn chars<'a>(&mut self, path: &str, least: usize, most: usize, value: &'a Value) -> Option<&'a str> {
        let Some(text) = value.as_str() else {
            self.add(path, "must provide a string");
            return None;
        };
        let count = text.chars().count();
        if count < least {
            self.add(path, format_args!("must be more than {} characters", least - 1));
        }
        if count > most {
            self.add(path, format_args!("must be less than {} characters", most + 1));
        }
        (least..=most).contains(&count).then_some(text)
    }

    fn url(&mut self, path: &str, most: usize, value: &Value) {
        let Some(text) = self.chars(path, 1, most, value) else { return };
        // `Url` forgives what Slack may not: spaces around it, `https:host`, a line break in it.
        let plain = text.starts_with("https://") || text.starts_with("http://");
        let clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        self.require(plain && clean && Url::parse(text).is_ok(), path, "invalid_url");
    }

    fn list(&mut self, path: &str, list: List, value: &Value) {
        let Some(items) = value.as_array() else { return self.add(path, "must provide an array") };
        if items.len() < list.least {
            self.add(path, format_args!("must provide at least {} items", list.least));
        }
        if items.len() > list.most {
            self.add(path, format_args!("no more than {} items allowed", list.most));
        }
        for (at, item) in items.iter().enumerate().take(list.most) {
            self.check(&format!("{path}/{at}"), list.of, item);
        }
    }

    fn one_of(&mut self, path: &str, objects: &[&'static Object], value: &Value) {
        let Some(kind) = value.as_object().map(|object| object.get("type")) else {
            return self.add(path, "must provide an object");
        };
        let Some(kind) = kind else { return self.add(path, "missing required field: type") };
        let named = objects.iter().find(|object| kind.as_str() == Some(object.kind));
        let Some(object) = named else { return self.add(&format!("{path}/type"), "must be a valid enum value") };
        self.object(path, object, value);
    }

    fn object(&mut self, path: &str, shape: &Object, value: &Value) {
        let Some(object) = value.as_object() else { return self.add(path, "must provide an object") };
        if shape.kind.is_empty() && object.contains_key("type") {
            self.add(path, "invalid additional property: type");
        }
        self.fields(path, shape.must, shape.may, object);
        if let Some(rule) = shape.rule {
            rule(path, object, self);
        }
    }

    /// `type` is read by the caller.
    fn fields(&mut self, path: &str, must: &[Field], may: &[Field], object: &Map<String, Value>) {
        for (name, _) in must.iter().filter(|(name, _)| !object.contains_key(*name)) {
            self.add(path, format_args!("missing required field: {name}"));
        }
        for (name, value) in object.iter().filter(|(name, _)| *name != "type") {
            match must.iter().chain(may).find(|(known, _)| known == name) {
                Some((_, shape)) => self.check(&format!("{path}/{name}"), shape, value),
                None => self.add(path, format_args!("invalid additional property: {name}")),
            }
        }
    }
}

/// The number in a string, if that is a finite one.
pub(super) fn decimal(value: &Value) -> Option<f64> {
    let text = value.as_str()?;
    let only = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    text.parse().ok().filter(|number: &f64| only && number.is_finite())
}

fn is_date(text: &str) -> bool {
    let [Some(year), Some(month), Some(day)] = digits(text, '-', [4, 2, 2]) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let [Some(hour), Some(minute)] = digits(text, ':', [2, 2]) else { return false };
    hour < 24 && minute < 60
}

/// The numbers between the separators, each of exactly so many digits; nothing if there are more or fewer of them.
fn digits<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> [Option<u32>; N] {
    let parts: Vec<&str> = text.split(separator).collect();
    let mut at = 0;
    widths.map(|width| {
        let part = parts.get(at).filter(|part| parts.len() == N && part.len() == width);
        at += 1;
        part.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
    })
}
