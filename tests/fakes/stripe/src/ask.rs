//! Reading parameters: each is taken by name and kind, and what nobody took is refused.

use crate::problem::Problem;
use serde_json::{Map, Value};

const PAIRS_MAX: usize = 50;
const PAIR_KEY_CHARS_MAX: usize = 40;
const PAIR_CHARS_MAX: usize = 500;
/// Texts without a limit of their own.
pub(crate) const TEXT_MAX: usize = 5000;

/// Parameters, or those inside one of them.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    /// Where they stand: `line_items[0]`; empty at the top.
    at: String,
    map: Map<String, Value>,
}

impl Params {
    pub(crate) fn new(form: Value) -> Self {
        let map = match form {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Self { at: String::new(), map }
    }

    /// The full name of one of them.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}[{key}]", self.at) }
    }

    pub(crate) fn need<T>(&self, key: &str, value: Option<T>) -> Result<T, Problem> {
        value.ok_or_else(|| Problem::missing(&self.name(key)))
    }

    pub(crate) fn is_text(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_string)
    }

    fn leaf(&mut self, key: &str) -> Result<Option<String>, Problem> {
        match self.map.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Err(empty(&self.name(key))),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid(format!("Invalid string: {}", self.name(key))).param(self.name(key))),
        }
    }

    pub(crate) fn text(&mut self, key: &str, max: usize) -> Result<Option<String>, Problem> {
        let text = self.leaf(key)?;
        match text {
            Some(text) if text.chars().count() > max => {
                let (head, tail) = (text.chars().take(10).collect::<String>(), text.chars().rev().take(6));
                let tail: String = tail.collect::<Vec<_>>().into_iter().rev().collect();
                let message = format!("Invalid string: {head}...{tail}; must be at most {max} characters");
                Err(Problem::invalid(message).param(self.name(key)))
            }
            text => Ok(text),
        }
    }

    pub(crate) fn integer(&mut self, key: &str, least: i64) -> Result<Option<i64>, Problem> {
        let Some(text) = self.leaf(key)? else { return Ok(None) };
        let refused =
            |message: String| Problem::invalid(message).code("parameter_invalid_integer").param(self.name(key));
        let n: i64 = text.parse().map_err(|_| refused(format!("Invalid integer: {text}")))?;
        if n < least {
            return Err(refused(match least {
                0 => "Invalid non-negative integer".to_owned(),
                1 => "Invalid positive integer".to_owned(),
                _ => format!("This value must be greater than or equal to {least}."),
            }));
        }
        Ok(Some(n))
    }

    pub(crate) fn boolean(&mut self, key: &str) -> Result<Option<bool>, Problem> {
        match self.leaf(key)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Problem::invalid(format!("Invalid boolean: {other}")).param(self.name(key))),
        }
    }

    pub(crate) fn one_of(&mut self, key: &str, of: &[&str]) -> Result<Option<String>, Problem> {
        match self.leaf(key)? {
            Some(text) if !of.contains(&text.as_str()) => Err(not_one_of(&self.name(key), of)),
            text => Ok(text),
        }
    }

    /// Those inside a parameter.
    pub(crate) fn inside(&mut self, key: &str) -> Result<Option<Self>, Problem> {
        let at = self.name(key);
        match self.map.remove(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self { at, map })),
            Some(Value::String(text)) if text.is_empty() => Err(empty(&at)),
            Some(_) => Err(Problem::invalid("Invalid object").param(at)),
        }
    }

    /// Those inside each element of a list.
    pub(crate) fn each(&mut self, key: &str) -> Result<Option<Vec<Self>>, Problem> {
        let at = self.name(key);
        let Some(items) = self.list(key)? else { return Ok(None) };
        let each = |(n, item)| match item {
            Value::Object(map) => Ok(Self { at: format!("{at}[{n}]"), map }),
            _ => Err(Problem::invalid("Invalid object").param(format!("{at}[{n}]"))),
        };
        items.into_iter().enumerate().map(each).collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, Problem> {
        let at = self.name(key);
        let Some(items) = self.list(key)? else { return Ok(None) };
        let each = |(n, item)| match item {
            Value::String(text) if text.is_empty() => Err(empty(&format!("{at}[{n}]"))),
            Value::String(text) => Ok(text),
            _ => Err(Problem::invalid("Invalid string").param(format!("{at}[{n}]"))),
        };
        items.into_iter().enumerate().map(each).collect::<Result<_, _>>().map(Some)
    }

    fn list(&mut self, key: &str) -> Result<Option<Vec<Value>>, Problem> {
        let at = self.name(key);
        match self.map.remove(key) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(Value::String(text)) if text.is_empty() => Err(empty(&at)),
            Some(_) => Err(Problem::invalid("Invalid array").param(at)),
        }
    }

    /// `metadata`: an empty value unsets, so at creation it says nothing.
    pub(crate) fn metadata(&mut self) -> Result<Map<String, Value>, Problem> {
        let at = self.name("metadata");
        let pairs: Map<String, Value> = match self.map.remove("metadata") {
            None => return Ok(Map::new()),
            Some(Value::Object(map)) => map,
            // Keys that count from 0 look like a list.
            Some(Value::Array(items)) => items.into_iter().enumerate().map(|(n, item)| (n.to_string(), item)).collect(),
            Some(Value::String(text)) if text.is_empty() => return Ok(Map::new()),
            Some(_) => return Err(Problem::invalid("Invalid object").param(at)),
        };
        if pairs.len() > PAIRS_MAX {
            let message = format!("You can only specify up to {PAIRS_MAX} keys in metadata.");
            return Err(Problem::invalid(message).param(at));
        }
        let mut kept = Map::new();
        for (key, value) in pairs {
            let Value::String(text) = value else {
                let message = "Metadata values must be strings, but a hash was passed.";
                return Err(Problem::invalid(message).param(format!("{at}[{key}]")));
            };
            fits(&at, &key, "keys", key.chars().count(), PAIR_KEY_CHARS_MAX)?;
            fits(&at, &key, "values", text.chars().count(), PAIR_CHARS_MAX)?;
            if !text.is_empty() {
                kept.insert(key, text.into());
            }
        }
        Ok(kept)
    }

    /// Refuses what was not taken.
    pub(crate) fn done(self) -> Result<(), Problem> {
        let left: Vec<String> = self.map.keys().map(|key| self.name(key)).collect();
        if left.is_empty() { Ok(()) } else { Err(Problem::unknown(&left)) }
    }
}

fn empty(name: &str) -> Problem {
    let message = format!(
        "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however \
         '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value."
    );
    Problem::invalid(message).code("parameter_invalid_empty").param(name)
}

pub(crate) fn not_one_of(name: &str, of: &[&str]) -> Problem {
    Problem::invalid(format!("Invalid {name}: must be one of {}", of.join(", "))).param(name)
}

fn fits(at: &str, key: &str, what: &str, chars: usize, max: usize) -> Result<(), Problem> {
    if chars <= max {
        return Ok(());
    }
    let message =
        format!("Metadata {what} can have up to {max} characters, but you passed in one that is {chars} characters.");
    Err(Problem::invalid(message).param(format!("{at}[{key}]")))
}

/// Whether a text looks like an email address.
pub(crate) fn email(name: &str, text: &str) -> Result<(), Problem> {
    let fine = text.split_once('@').is_some_and(|(who, host)| {
        let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
        plain(who) && plain(host) && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    });
    if fine {
        Ok(())
    } else {
        Err(Problem::invalid(format!("Invalid email address: {text}")).code("email_invalid").param(name))
    }
}

/// Whether a text is a URL to which a payer can be sent.
pub(crate) fn url(name: &str, text: &str, livemode: bool) -> Result<(), Problem> {
    let refused = |message: &str| Err(Problem::invalid(message).code("url_invalid").param(name));
    if !text.contains("://") {
        return refused("Invalid URL: An explicit scheme (such as https) must be provided.");
    }
    let parsed = url::Url::parse(&text.replace("{CHECKOUT_SESSION_ID}", "cs_test"));
    match parsed {
        Ok(url) if url.has_host() && url.scheme() == "https" => Ok(()),
        Ok(url) if url.has_host() && url.scheme() == "http" && livemode => {
            refused("Livemode requests must always be redirected via HTTPS.")
        }
        Ok(url) if url.has_host() && url.scheme() == "http" => Ok(()),
        _ => refused("Not a valid URL"),
    }
}
