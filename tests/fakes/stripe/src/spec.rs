//! The judge of requests: what was sent is held against Stripe's own description of its API.
//!
//! Every object that lists its properties is closed, so that an unknown nested key does not slip through; maps that
//! name none (`metadata`) stay open. A form has only strings: numbers and booleans are checked by reading them.
//! The description is of API 2023-08-16; what is newer passes only where [`NEWER`] names it with its source.

use crate::Recorded;
use serde_json::{Map, Value};

/// What today's API knows and the description does not: path, parameter in dots without list positions (`*` for the
/// whole path, `name=value` for a value of an enumeration), and where it is written. Each was seen in the types of
/// stripe-python 16.1 too.
pub const NEWER: &[(&str, &str, &str)] = &[
    ("/v1/checkout/sessions", "adaptive_pricing.enabled", "stripe-node src/resources/Checkout/Sessions.ts"),
    ("/v1/checkout/sessions", "created", "stripe-node src/resources/Checkout/Sessions.ts, SessionListParams"),
    ("/v1/checkout/sessions", "excluded_payment_method_types", "stripe-node src/resources/Checkout/Sessions.ts"),
    (
        "/v1/checkout/sessions",
        "payment_method_options.card.request_three_d_secure",
        "stripe-node src/resources/Checkout/Sessions.ts",
    ),
    ("/v1/checkout/sessions", "status", "stripe-node src/resources/Checkout/Sessions.ts, SessionListParams"),
    (
        "/v1/checkout/sessions",
        "ui_mode",
        "docs changelog 2026-03-25.dahlia, updates-available-checkout-session-ui-modes",
    ),
    ("/v1/accounts/{account}", "*", "stripe-node src/resources/Accounts.ts"),
    ("/v1/balance_transactions/{id}", "*", "stripe-node src/resources/BalanceTransactions.ts"),
    ("/v1/charges", "*", "stripe-node src/resources/Charges.ts"),
    ("/v1/charges/{charge}", "*", "stripe-node src/resources/Charges.ts"),
    ("/v1/disputes", "*", "stripe-node src/resources/Disputes.ts"),
    ("/v1/disputes/{dispute}", "*", "stripe-node src/resources/Disputes.ts"),
    ("/v1/payment_intents", "*", "stripe-node src/resources/PaymentIntents.ts"),
    ("/v1/webhook_endpoints", "enabled_events=refund.created", "stripe-node src/resources/WebhookEndpoints.ts"),
    ("/v1/webhook_endpoints", "enabled_events=refund.failed", "stripe-node src/resources/WebhookEndpoints.ts"),
    ("/v1/webhook_endpoints", "enabled_events=refund.updated", "stripe-node src/resources/WebhookEndpoints.ts"),
    ("/v1/webhook_endpoints", "api_version=2026-07-29.dahlia", "stripe-node src/apiVersion.ts"),
];

/// [`NEWER`] as [`complaints`] takes it.
pub fn newer() -> Vec<(&'static str, &'static str)> {
    NEWER.iter().map(|(path, parameter, _)| (*path, *parameter)).collect()
}

/// What is wrong with these requests, one line each; nothing where the description takes them all.
pub fn complaints(spec: &Value, recorded: &[Recorded], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for request in recorded {
        let mut judge = Judge { allowed, path: String::new(), wrong: Vec::new() };
        judge.request(spec, request);
        for wrong in judge.wrong {
            let line = format!("{} {}: {wrong}", request.method, request.path);
            if !found.contains(&line) {
                found.push(line);
            }
        }
    }
    found
}

struct Judge<'a> {
    allowed: &'a [(&'a str, &'a str)],
    /// The path as the description, or the list of what is newer, writes it.
    path: String,
    wrong: Vec<String>,
}

/// Whether a path is of this form; braces stand for one part.
fn fits(template: &str, path: &str) -> bool {
    let (wants, gives): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let same = |(want, give): (&&str, &&str)| want == give || want.starts_with('{') && !give.is_empty();
    wants.len() == gives.len() && wants.iter().zip(&gives).all(same)
}

impl Judge<'_> {
    fn request(&mut self, spec: &Value, request: &Recorded) {
        let whole = self.allowed.iter().find(|(path, what)| *what == "*" && fits(path, &request.path));
        let paths = spec["paths"].as_object();
        let known = paths.and_then(|paths| {
            // A literal path before one with braces.
            let exact = paths.get_key_value(&request.path);
            exact.or_else(|| paths.iter().find(|(path, _)| fits(path, &request.path)))
        });
        let Some((path, methods)) = known else {
            if whole.is_none() {
                self.wrong.push("the path is not described".into());
            }
            return;
        };
        self.path.clone_from(path);
        let Some(operation) = methods.get(request.method.to_ascii_lowercase()) else {
            if whole.is_none() {
                self.wrong.push("the method is not described".into());
            }
            return;
        };
        if request.method == "POST" {
            let schema = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
            self.value(schema, &request.params, "");
        } else {
            self.query(operation, &request.params);
        }
    }

    fn query(&mut self, operation: &Value, params: &Value) {
        let declared = operation["parameters"].as_array().into_iter().flatten();
        let declared: Vec<&Value> = declared.filter(|parameter| parameter["in"] == "query").collect();
        for (name, value) in params.as_object().into_iter().flatten() {
            match declared.iter().find(|parameter| parameter["name"] == *name) {
                Some(parameter) => self.value(&parameter["schema"], value, name),
                None => self.unknown(name),
            }
        }
    }

    fn passes(&self, what: &str) -> bool {
        self.allowed.iter().any(|(path, allowed)| *path == self.path && *allowed == what)
    }

    /// A parameter that is not described: fine where it, or everything in it, is allowed.
    fn unknown(&mut self, at: &str) {
        if !self.passes(at) {
            self.wrong.push(format!("`{at}` is not described"));
        }
    }

    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        if let Some(any) = schema["anyOf"].as_array() {
            return self.any_of(any, value, at);
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema, value, at),
            Some("array") => match value {
                Value::Array(items) => items.iter().for_each(|item| self.value(&schema["items"], item, at)),
                _ => self.wrong.push(format!("`{at}` is not a list")),
            },
            Some(kind) => self.leaf(schema, kind, value, at),
            None => {}
        }
    }

    fn any_of(&mut self, any: &[Value], value: &Value, at: &str) {
        let mut least: Option<Vec<String>> = None;
        for schema in any {
            let mut judge = Judge { allowed: self.allowed, path: self.path.clone(), wrong: Vec::new() };
            judge.value(schema, value, at);
            if least.as_ref().is_none_or(|least| judge.wrong.len() < least.len()) {
                least = Some(judge.wrong);
            }
        }
        self.wrong.extend(least.unwrap_or_default());
    }

    fn object(&mut self, schema: &Value, value: &Value, at: &str) {
        let empty = Map::new();
        // A form cannot say "no parameters" otherwise.
        let nothing = value.as_array().is_some_and(Vec::is_empty);
        let Some(map) = value.as_object().or(nothing.then_some(&empty)) else {
            return self.wrong.push(format!("`{at}` is not an object"));
        };
        let inner = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
        let properties = schema["properties"].as_object().filter(|properties| !properties.is_empty());
        for (key, value) in map {
            let name = inner(key);
            match (properties.and_then(|properties| properties.get(key)), properties) {
                (Some(schema), _) => self.value(schema, value, &name),
                (None, None) if schema["additionalProperties"].is_object() => {
                    self.value(&schema["additionalProperties"], value, &name);
                }
                (None, _) => self.undescribed(value, &name),
            }
        }
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !map.contains_key(required) {
                self.wrong.push(format!("`{}` is missing", inner(required)));
            }
        }
    }

    /// Looks into what is not described, since what is allowed is named down to its leaves.
    fn undescribed(&mut self, value: &Value, at: &str) {
        match value {
            _ if self.passes(at) => {}
            Value::Object(map) => map.iter().for_each(|(key, value)| self.undescribed(value, &format!("{at}.{key}"))),
            _ => self.unknown(at),
        }
    }

    fn leaf(&mut self, schema: &Value, kind: &str, value: &Value, at: &str) {
        let Some(text) = value.as_str() else {
            return self.wrong.push(format!("`{at}` is not one value"));
        };
        let fine = match kind {
            "integer" => text.parse::<i64>().is_ok(),
            "number" => text.parse::<f64>().is_ok(),
            "boolean" => matches!(text, "true" | "false"),
            _ => true,
        };
        if !fine {
            self.wrong.push(format!("`{at}` is `{text}`, not of type {kind}"));
        }
        let max = schema["maxLength"].as_u64().and_then(|max| usize::try_from(max).ok());
        if max.is_some_and(|max| text.chars().count() > max) {
            self.wrong.push(format!("`{at}` is longer than it may be"));
        }
        let listed = schema["enum"].as_array().is_none_or(|values| values.iter().any(|each| each == text));
        if !listed && !self.passes(&format!("{at}={text}")) {
            self.wrong.push(format!("`{at}` is `{text}`, which is not one of its values"));
        }
    }
}
