//! The form that Stripe's clients send: brackets make objects and lists, every leaf is a string.
//!
//! ```text
//! line_items[0][quantity]=2&expand[]=line_items  ─►  {"line_items":[{"quantity":"2"}],"expand":["line_items"]}
//! ```

use serde_json::{Map, Value};

/// Deeper nesting than this is nobody's request.
const DEPTH_MAX: usize = 10;

/// Reads a query or a body; none when the brackets do not fit.
pub(crate) fn read(form: &[u8]) -> Option<Value> {
    let mut root = Map::new();
    for (name, value) in url::form_urlencoded::parse(form) {
        put(&mut root, &steps(&name)?, &value)?;
    }
    Some(Value::Object(root.into_iter().map(|(key, value)| (key, lists(value))).collect()))
}

/// `a[b][]` as `a`, `b`, and nothing.
fn steps(name: &str) -> Option<Vec<&str>> {
    let Some((first, rest)) = name.split_once('[') else { return Some(vec![name]) };
    let inner = rest.strip_suffix(']')?;
    let steps: Vec<&str> = std::iter::once(first).chain(inner.split("][")).collect();
    let fine = !first.is_empty() && steps.len() <= DEPTH_MAX && steps.iter().all(|step| !step.contains(['[', ']']));
    fine.then_some(steps)
}

fn put(into: &mut Map<String, Value>, steps: &[&str], value: &str) -> Option<()> {
    let (first, rest) = steps.split_first()?;
    let key = if first.is_empty() { into.len().to_string() } else { (*first).to_owned() };
    if rest.is_empty() {
        into.insert(key, value.into());
        return Some(());
    }
    match into.entry(key).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(inner) => put(inner, rest, value),
        // Both a text and an object.
        _ => None,
    }
}

/// Objects whose keys count from 0 are lists.
fn lists(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let mut map: Map<String, Value> = map.into_iter().map(|(key, value)| (key, lists(value))).collect();
    let counts = !map.is_empty() && (0..map.len()).all(|at| map.contains_key(&at.to_string()));
    if !counts {
        return Value::Object(map);
    }
    Value::Array((0..map.len()).filter_map(|at| map.remove(&at.to_string())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_become_objects_and_lists() {
        let read = |form: &str| read(form.as_bytes());
        let form = "line_items[0][price_data][currency]=eur&line_items%5B0%5D%5Bquantity%5D=2&metadata[a+b]=c%20d&\
                    expand[]=x&expand[]=y";
        let line = json!({"price_data": {"currency": "eur"}, "quantity": "2"});
        let whole = json!({"line_items": [line], "metadata": {"a b": "c d"}, "expand": ["x", "y"]});
        assert_eq!(read(form), Some(whole));
        assert_eq!(read(""), Some(json!({})));
        assert_eq!(read("a[1]=x"), Some(json!({"a": {"1": "x"}})), "a list begins at 0");
        let eleven: Vec<String> = (0..11).map(|at| format!("a[{at}]={at}")).collect();
        assert_eq!(read(&eleven.join("&")).unwrap()["a"][10], "10", "lists are in the order of their numbers");
        for wrong in ["a[b=x", "a[b]c=x", "[a]=x", "a=x&a[b]=y", "a[b][[c]]=x", "{\"a\":1}[=x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
