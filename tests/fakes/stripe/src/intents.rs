//! Payment intents and charges, as the API reads them.

use crate::World;
use crate::ask::Params;
use crate::expand::{self, expanded};
use crate::keys::Caller;
use crate::list::Page;
use crate::problem::Problem;
use serde_json::Value;

/// `GET /v1/payment_intents/:id`
pub(crate) fn show_intent(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, "payment_intent")?;
    params.done()?;
    world.found(&caller.account, "payment_intent", id, "intent")?;
    world.shown(&caller.account, "payment_intent", id, &expand)
}

/// `GET /v1/payment_intents`
pub(crate) fn list_intents(world: &mut World, caller: &Caller, _: &str, mut params: Params) -> Result<Value, Problem> {
    let page = Page::read(&mut params, "payment_intent", true)?;
    params.done()?;
    let all = world.shelf.newest(&caller.account, "payment_intent");
    let found = page.of("/v1/payment_intents", &all, |_| true)?;
    Ok(expanded(world, found, page.expand()))
}

/// `GET /v1/charges/:id`
pub(crate) fn show_charge(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, "charge")?;
    params.done()?;
    world.found(&caller.account, "charge", id, "id")?;
    world.shown(&caller.account, "charge", id, &expand)
}

/// `GET /v1/charges`
pub(crate) fn list_charges(world: &mut World, caller: &Caller, _: &str, params: Params) -> Result<Value, Problem> {
    list_of(world, caller, "charge", "/v1/charges", params, &["payment_intent"])
}

/// A list that can be narrowed by fields of its objects.
pub(crate) fn list_of(
    world: &World,
    caller: &Caller,
    kind: &str,
    url: &str,
    mut params: Params,
    by: &[&'static str],
) -> Result<Value, Problem> {
    let page = Page::read(&mut params, kind, true)?;
    let mut wanted = Vec::new();
    for key in by {
        wanted.extend(params.text(key, 5000)?.map(|value| (*key, value)));
    }
    params.done()?;
    let all = world.shelf.newest(&caller.account, kind);
    let keep = |object: &Value| wanted.iter().all(|(key, value)| object[*key] == **value);
    let found = page.of(url, &all, keep)?;
    Ok(expanded(world, found, page.expand()))
}
