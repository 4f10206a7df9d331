//! All objects, in the shape in which Stripe shows them, by id, by kind and by age.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) account: String,
    pub(crate) object: Value,
}

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    rows: Vec<Row>,
    by_id: BTreeMap<String, usize>,
    /// Oldest first.
    by_kind: BTreeMap<String, Vec<usize>>,
}

impl Shelf {
    pub(crate) fn put(&mut self, account: &str, object: Value) {
        let at = self.rows.len();
        self.by_id.insert(crate::text(&object, "id").to_owned(), at);
        self.by_kind.entry(crate::text(&object, "object").to_owned()).or_default().push(at);
        self.rows.push(Row { account: account.to_owned(), object });
    }

    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.by_id.get(id).map(|at| &self.rows[*at])
    }

    pub(crate) fn object(&self, id: &str) -> Option<&Value> {
        self.row(id).map(|row| &row.object)
    }

    /// An object of this kind, if it is the account's.
    pub(crate) fn get(&self, account: &str, kind: &str, id: &str) -> Option<&Value> {
        let row = self.row(id).filter(|row| row.account == account)?;
        Some(&row.object).filter(|object| object["object"] == kind)
    }

    /// All of a kind, oldest first.
    pub(crate) fn rows(&self, kind: &str) -> impl DoubleEndedIterator<Item = &Row> {
        self.by_kind.get(kind).into_iter().flatten().map(|at| &self.rows[*at])
    }

    /// All of a kind in one account, newest first.
    pub(crate) fn newest(&self, account: &str, kind: &str) -> Vec<&Value> {
        self.rows(kind).rev().filter(|row| row.account == account).map(|row| &row.object).collect()
    }

    /// Changes an object, and returns it as it was.
    pub(crate) fn edit(&mut self, id: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Value {
        let at = *self.by_id.get(id).unwrap_or_else(|| panic!("there is no `{id}` here"));
        let Row { object, .. } = &mut self.rows[at];
        let before = object.clone();
        change(object.as_object_mut().unwrap());
        before
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let Some(at) = self.by_id.remove(id) else { return };
        self.by_kind.values_mut().for_each(|all| all.retain(|each| *each != at));
    }
}

/// What the fields that changed were before.
pub(crate) fn changed(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return Value::Null };
    let was = before.iter().filter(|(key, value)| after.get(*key) != Some(value));
    let was = was.map(|(key, value)| (key.clone(), value.clone()));
    let new = after.keys().filter(|key| !before.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    Value::Object(was.chain(new).collect())
}
