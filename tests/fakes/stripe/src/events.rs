//! Events: written once with a snapshot of their object, listed for 30 days, and owed to the endpoints that want them.

use crate::ask::Params;
use crate::keys::Caller;
use crate::list::Page;
use crate::problem::Problem;
use crate::shelf::changed;
use crate::{API_VERSION, World, number, text};
use serde_json::{Value, json};

const LISTED_SECS: i64 = 30 * 24 * 3600;
const TYPES_MAX: usize = 20;

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Whose list it is in.
    pub(crate) account: String,
    /// The envelope and its snapshot; `account` is added where the platform sees a connected account's.
    pub(crate) event: Value,
}

impl World {
    /// Tells of an object as it is now.
    pub(crate) fn tell(&mut self, kind: &str, id: &str) {
        self.tell_at(kind, id, self.secs());
    }

    pub(crate) fn tell_at(&mut self, kind: &str, id: &str, at: i64) {
        let row = self.shelf.row(id).unwrap_or_else(|| panic!("there is no `{id}` to tell of")).clone();
        self.tell_of(kind, &row.account, json!({ "object": row.object }), at);
    }

    /// Tells of a change, with what it was before.
    pub(crate) fn tell_change(&mut self, kind: &str, id: &str, before: &Value) {
        let row = self.shelf.row(id).unwrap_or_else(|| panic!("there is no `{id}` to tell of")).clone();
        let previous = changed(before, &row.object);
        self.tell_of(kind, &row.account, json!({"object": row.object, "previous_attributes": previous}), self.secs());
    }

    /// Writes an event, and what is owed to the endpoints.
    pub(crate) fn tell_of(&mut self, kind: &str, account: &str, data: Value, at: i64) {
        let id = self.id("evt_1", 23);
        let (request, key) = match &self.asking {
            Some((request, key)) => (Some(request.clone()), key.clone()),
            None => (None, None),
        };
        let event = json!({
            "id": id, "object": "event", "api_version": API_VERSION, "created": at, "data": data,
            "livemode": self.settings.livemode, "pending_webhooks": 0,
            "request": {"id": request, "idempotency_key": key}, "type": kind,
        });
        self.publish(account, event);
    }

    /// Lists and delivers an event that is written already.
    pub(crate) fn publish(&mut self, account: &str, mut event: Value) {
        event["pending_webhooks"] = self.wanted_by(account, &event).len().into();
        self.owe(account, &event);
        self.events.push(Told { account: account.to_owned(), event });
    }

    /// As the API shows it: with its account where that is a connected one, and with what is still owed.
    fn event_shown(&self, mut event: Value, caller: &Caller) -> Value {
        let owed = self.owed.iter().filter(|owed| event["id"] == *owed.event).count();
        event["pending_webhooks"] = owed.into();
        if caller.account != self.platform() && !caller.owns(&caller.account) {
            event["account"] = caller.account.clone().into();
        }
        event
    }

    /// The caller's, newest first, as far back as they are listed.
    fn listed(&self, caller: &Caller) -> Vec<&Value> {
        let since = self.secs() - LISTED_SECS;
        let mine = self.events.iter().rev().filter(|told| told.account == caller.account);
        mine.map(|told| &told.event).filter(|event| number(event, "created") >= since).collect()
    }

    /// Whether every endpoint that wanted an event has accepted it.
    fn arrived(&self, event: &Value) -> bool {
        let id = text(event, "id");
        !self.given_up.contains(id) && self.owed.iter().all(|owed| owed.event != id)
    }
}

/// `GET /v1/events`
pub(crate) fn list(world: &mut World, caller: &Caller, _: &str, mut params: Params) -> Result<Value, Problem> {
    let page = Page::read(&mut params, "event", true)?;
    let kind = params.text("type", 5000)?;
    let kinds = params.texts("types")?;
    let arrived = params.boolean("delivery_success")?;
    params.done()?;
    if kind.is_some() && kinds.is_some() {
        return Err(Problem::invalid("You may only specify one of these parameters: type, types.").param("types"));
    }
    if kinds.as_ref().is_some_and(|kinds| kinds.len() > TYPES_MAX) {
        let message = format!("Array types exceeded maximum {TYPES_MAX} allowed elements.");
        return Err(Problem::invalid(message).param("types"));
    }
    let wanted: Option<Vec<String>> = kinds.or_else(|| kind.map(|kind| vec![kind]));
    let all = world.listed(caller);
    let keep = |event: &Value| {
        let of_kind = wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|it| is_of(event, it)));
        of_kind && arrived.is_none_or(|arrived| world.arrived(event) == arrived)
    };
    let mut found = page.of("/v1/events", &all, keep)?;
    for event in found["data"].as_array_mut().into_iter().flatten() {
        *event = world.event_shown(event.take(), caller);
    }
    Ok(found)
}

/// `GET /v1/events/:id`
pub(crate) fn show(world: &mut World, caller: &Caller, id: &str, params: Params) -> Result<Value, Problem> {
    params.done()?;
    let found = world.listed(caller).into_iter().find(|event| event["id"] == id).cloned();
    found.map(|event| world.event_shown(event, caller)).ok_or_else(|| Problem::missing_object("event", id, "id"))
}

/// Whether an event is of this kind: `refund.failed`, `charge.dispute.*`, `*`.
pub(crate) fn is_of(event: &Value, kind: &str) -> bool {
    let given = text(event, "type");
    kind.strip_suffix('*').map_or(given == kind, |family| given.starts_with(family))
}
