//! Webhook endpoints: made in the settings or by the API; each decides which events it wants.

use crate::ask::{self, Params};
use crate::events::is_of;
use crate::intents::list_of;
use crate::keys::Caller;
use crate::problem::Problem;
use crate::{World, text};
use serde_json::{Value, json};

const KIND: &str = "webhook_endpoint";
const ENDPOINTS_MAX: usize = 16;

/// An endpoint, with what Stripe does not show.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) id: String,
    /// Whose endpoint it is.
    pub(crate) owner: String,
    pub(crate) url: String,
    pub(crate) secrets: Vec<String>,
    pub(crate) api_version: Option<String>,
    events: Vec<String>,
    pub(crate) connect: bool,
}

impl World {
    /// Those of the settings.
    pub(crate) fn open_hooks(&mut self) {
        let owner = self.platform().to_owned();
        for endpoint in self.settings.endpoints.clone() {
            let hook = Hook {
                id: self.id("we_1", 23),
                owner: owner.clone(),
                url: endpoint.url,
                secrets: endpoint.secrets,
                api_version: endpoint.api_version,
                events: endpoint.events,
                connect: endpoint.connect,
            };
            self.hang(hook, Value::Null, json!({}));
        }
    }

    fn hang(&mut self, hook: Hook, description: Value, metadata: Value) {
        let object = json!({
            "id": hook.id, "object": KIND, "api_version": hook.api_version, "application": null,
            "created": self.secs(), "description": description, "enabled_events": hook.events,
            "livemode": self.settings.livemode, "metadata": metadata, "status": "enabled", "url": hook.url,
        });
        self.shelf.put(&hook.owner.clone(), object);
        self.hooks.push(hook);
    }

    /// The endpoints that want this event of that account.
    pub(crate) fn wanted_by(&self, account: &str, event: &Value) -> Vec<&Hook> {
        let reaches = |hook: &&Hook| match hook.connect {
            false => hook.owner == account,
            true => hook.owner == self.platform() && account != hook.owner,
        };
        let hooks = self.hooks.iter().filter(reaches);
        hooks.filter(|hook| hook.events.iter().any(|kind| is_of(event, kind))).collect()
    }
}

/// `POST /v1/webhook_endpoints`
pub(crate) fn create(world: &mut World, caller: &Caller, _: &str, mut params: Params) -> Result<Value, Problem> {
    let url = params.text("url", 5000)?;
    let url = params.need("url", url)?;
    ask::url("url", &url, world.settings.livemode)?;
    let events = params.texts("enabled_events")?;
    let events = params.need("enabled_events", events)?;
    if let Some(at) = events.iter().position(|kind| kind != "*" && !kind.contains('.')) {
        let message = format!("Invalid enabled_events[{at}]: `{}` is not a kind of event", events[at]);
        return Err(Problem::invalid(message).param(format!("enabled_events[{at}]")));
    }
    let api_version = params.text("api_version", 100)?;
    let connect = params.boolean("connect")?.unwrap_or(false);
    let description = params.text("description", 5000)?;
    let metadata = params.metadata()?;
    params.texts("expand")?;
    params.done()?;
    if world.hooks.iter().filter(|hook| hook.owner == caller.account).count() >= ENDPOINTS_MAX {
        let message = format!("You have reached the maximum of {ENDPOINTS_MAX} test webhook endpoints.");
        return Err(Problem::invalid(message).begun());
    }
    let (id, secret) = (world.id("we_1", 23), world.id("whsec_", 32));
    let secrets = vec![secret.clone()];
    let owner = caller.account.clone();
    world.hang(
        Hook { id: id.clone(), owner, url, secrets, api_version, events, connect },
        description.into(),
        metadata.into(),
    );
    let mut shown = world.shown(&caller.account, KIND, &id, None)?;
    // Only this answer ever shows it.
    shown["secret"] = secret.into();
    Ok(shown)
}

/// `GET /v1/webhook_endpoints`
pub(crate) fn list(world: &mut World, caller: &Caller, _: &str, params: Params) -> Result<Value, Problem> {
    list_of(world, caller, KIND, "/v1/webhook_endpoints", params, &[])
}

/// `GET /v1/webhook_endpoints/:id`
pub(crate) fn show(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = params.texts("expand")?;
    params.done()?;
    world.found(&caller.account, KIND, id, "id")?;
    world.shown(&caller.account, KIND, id, expand)
}

/// `DELETE /v1/webhook_endpoints/:id`
pub(crate) fn delete(world: &mut World, caller: &Caller, id: &str, params: Params) -> Result<Value, Problem> {
    params.done()?;
    let id = text(world.found(&caller.account, KIND, id, "id")?, "id").to_owned();
    world.shelf.remove(&id);
    world.hooks.retain(|hook| hook.id != id);
    world.owed.retain(|owed| owed.endpoint != id);
    Ok(json!({"id": id, "object": KIND, "deleted": true}))
}
