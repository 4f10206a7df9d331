//! What a call of the Web API says: its arguments from query, form or JSON, and what is kept of it.

use crate::refusal::Refusal;
use serde_json::{Map, Value};
use till_core::time::Timestamp;

/// A call that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// `chat.postMessage`.
    pub method: String,
    /// As they came, without the token; arguments that hold JSON as text are read.
    pub args: Value,
    /// The workspace of its token; empty where it has none.
    pub team: String,
    /// The HTTP status; 0 where no answer was sent.
    pub status: u16,
    /// Slack's word for what was wrong.
    pub error: Option<String>,
    /// When, by the fake's clock.
    pub at: Timestamp,
    /// Arguments that the method does not have; Slack ignores them, a test should not.
    pub unknown: Vec<String>,
}

/// The arguments of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    map: Map<String, Value>,
    pub(crate) token: Option<String>,
    /// Id and secret from a Basic header.
    pub(crate) basic: Option<(String, String)>,
    pub(crate) warnings: Vec<&'static str>,
}

/// Arguments that may hold JSON as text.
const JSON: [&str; 4] = ["attachments", "blocks", "metadata", "view"];

impl Params {
    /// From what came over HTTP. `takes_json` is false for the reading methods, which do not look at a JSON body.
    pub(crate) fn read(
        query: &str,
        content_type: Option<&str>,
        authorization: Option<&str>,
        body: &[u8],
        takes_json: bool,
    ) -> Result<Self, Refusal> {
        let mut params = Self { map: form(query.as_bytes()), ..Self::default() };
        let (kind, charset) = content_type.map_or(("", ""), |given| given.split_once(';').unwrap_or((given, "")));
        match kind.trim().to_ascii_lowercase().as_str() {
            "" if body.is_empty() => {}
            "" => return Err(Refusal::new("missing_post_type")),
            "application/x-www-form-urlencoded" => params.map.extend(form(body)),
            "application/json" if body.is_empty() || !takes_json => {}
            "application/json" => {
                let read: Value = serde_json::from_slice(body).map_err(|_| Refusal::new("invalid_json"))?;
                let Value::Object(mut map) = read else { return Err(Refusal::new("json_not_object")) };
                // A token in JSON is not looked at.
                map.remove("token");
                params.map.extend(map);
                if !charset.to_ascii_lowercase().contains("charset") {
                    params.warnings.push("missing_charset");
                }
            }
            _ => return Err(Refusal::new("invalid_post_type")),
        }
        let given = params.map.remove("token");
        let (scheme, value) = authorization.and_then(|given| given.split_once(' ')).unwrap_or_default();
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => params.token = Some(value.trim().to_owned()),
            "basic" => params.basic = basic(value),
            _ => params.token = given.and_then(|token| token.as_str().map(str::to_owned)),
        }
        Ok(params)
    }

    /// From an object.
    pub(crate) fn of(object: &Value) -> Self {
        Self { map: object.as_object().cloned().unwrap_or_default(), ..Self::default() }
    }

    /// An argument as text; none where it is absent, null or empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.map.get(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            Value::Array(list) => {
                let list: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                (!list.is_empty()).then(|| list.join(","))
            }
            other => Some(other.to_string()),
        }
    }

    pub(crate) fn need(&self, name: &str) -> Result<String, Refusal> {
        self.text(name).ok_or_else(|| Refusal::missing(name))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text == "true" || text == "1")
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    /// An argument that is JSON, or JSON as text.
    pub(crate) fn json(&self, name: &str, malformed: &str) -> Result<Option<Value>, Refusal> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| Refusal::new(malformed)),
            Some(other) => Ok(Some(other.clone())),
        }
    }

    /// For the record.
    pub(crate) fn shown(&self) -> Value {
        let mut map = self.map.clone();
        map.remove("client_secret");
        for name in JSON {
            let read = map.get(name).and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
            if let Some(read) = read {
                map.insert(name.to_owned(), read);
            }
        }
        Value::Object(map)
    }

    pub(crate) fn unknown(&self, known: &str) -> Vec<String> {
        let known: Vec<&str> = known.split_ascii_whitespace().collect();
        self.map.keys().filter(|name| !known.contains(&name.as_str())).cloned().collect()
    }
}

fn form(bytes: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect()
}

fn basic(value: &str) -> Option<(String, String)> {
    use base64::Engine as _;
    let plain = base64::engine::general_purpose::STANDARD.decode(value.trim()).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    plain.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}
