//! A refusal as Slack says it: 200, `ok` false, one word.

use serde_json::{Map, Value, json};

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) error: String,
    more: Map<String, Value>,
}

impl Refusal {
    pub(crate) fn new(error: &str) -> Self {
        Self { error: error.to_owned(), more: Map::new() }
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.insert(key.to_owned(), value.into());
        self
    }

    /// With one line for each thing that is wrong.
    pub(crate) fn because(self, messages: &[String]) -> Self {
        let messages: Vec<String> = messages
            .iter()
            .map(|text| if text.starts_with('[') { text.clone() } else { format!("[ERROR] {text}") })
            .collect();
        self.with("response_metadata", json!({ "messages": messages }))
    }

    /// `invalid_arguments` for one that is not there.
    pub(crate) fn missing(field: &str) -> Self {
        Self::new("invalid_arguments").because(&[format!("missing required field: {field}")])
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = json!({"ok": false, "error": self.error});
        body.as_object_mut().expect("an object").extend(self.more.clone());
        body
    }
}
