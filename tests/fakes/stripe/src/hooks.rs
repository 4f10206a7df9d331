//! Webhook endpoints: made in the settings or by the API; each decides which events it wants.

use crate::ask::{self, Params};
use crate::events::is_of;
use crate::expand;
use crate::intents::list_of;
use crate::keys::Caller;
use crate::problem::Problem;
use crate::{Stripe, World, text};
use serde_json::{Value, json};

const KIND: &str = "webhook_endpoint";
const ENDPOINTS_MAX: usize = 16;

/// The kinds of the objects that are here, and of their neighbours. Source: stripe-node `Events.ts`, `Event.Type`.
const KINDS: &str = "account.application.authorized account.application.deauthorized account.updated \
    balance.available charge.captured charge.dispute.closed charge.dispute.created charge.dispute.funds_reinstated \
    charge.dispute.funds_withdrawn charge.dispute.updated charge.expired charge.failed charge.pending \
    charge.refund.updated charge.refunded charge.succeeded charge.updated checkout.session.async_payment_failed \
    checkout.session.async_payment_succeeded checkout.session.completed checkout.session.expired \
    payment_intent.amount_capturable_updated payment_intent.canceled payment_intent.created \
    payment_intent.partially_funded payment_intent.payment_failed payment_intent.processing \
    payment_intent.requires_action payment_intent.succeeded payment_link.created payment_link.updated payout.canceled \
    payout.created payout.failed payout.paid payout.updated radar.early_fraud_warning.created \
    radar.early_fraud_warning.updated refund.created refund.failed refund.updated review.closed review.opened";

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
    disabled: bool,
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
                disabled: false,
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

    fn rehang(&mut self, id: &str, url: Option<String>, events: Option<Vec<String>>, disabled: Option<bool>) {
        let Some(hook) = self.hooks.iter_mut().find(|hook| hook.id == id) else { return };
        hook.url = url.unwrap_or_else(|| hook.url.clone());
        hook.events = events.unwrap_or_else(|| hook.events.clone());
        hook.disabled = disabled.unwrap_or(hook.disabled);
        let hook = hook.clone();
        self.shelf.edit(id, |shown| {
            shown.insert("url".into(), hook.url.into());
            shown.insert("enabled_events".into(), hook.events.into());
            shown.insert("status".into(), if hook.disabled { "disabled" } else { "enabled" }.into());
        });
    }

    /// The endpoints that want this event of that account.
    pub(crate) fn wanted_by(&self, account: &str, event: &Value) -> Vec<&Hook> {
        let reaches = |hook: &&Hook| match hook.connect {
            false => hook.owner == account,
            true => hook.owner == self.platform() && account != hook.owner && !self.deauthorized.contains(account),
        };
        let hooks = self.hooks.iter().filter(|hook| !hook.disabled).filter(reaches);
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
    known(&events)?;
    let api_version = params.text("api_version", 100)?;
    let connect = params.boolean("connect")?.unwrap_or(false);
    let description = params.text("description", 5000)?;
    let metadata = params.metadata()?;
    expand::read(&mut params, KIND)?;
    params.done()?;
    if world.hooks.iter().filter(|hook| hook.owner == caller.account).count() >= ENDPOINTS_MAX {
        let message = format!("You have reached the maximum of {ENDPOINTS_MAX} test webhook endpoints.");
        return Err(Problem::invalid(message).begun());
    }
    let (id, secret) = (world.id("we_1", 23), world.id("whsec_", 32));
    let secrets = vec![secret.clone()];
    let owner = caller.account.clone();
    world.hang(
        Hook { id: id.clone(), owner, url, secrets, api_version, events, connect, disabled: false },
        description.into(),
        metadata.into(),
    );
    let mut shown = world.shown(&caller.account, KIND, &id, &[])?;
    // Only this answer ever shows it.
    shown["secret"] = secret.into();
    Ok(shown)
}

fn known(events: &[String]) -> Result<(), Problem> {
    // `*` is every kind; there is no `charge.*` here.
    let known: Vec<&str> = std::iter::once("*").chain(KINDS.split_ascii_whitespace()).collect();
    if let Some(at) = events.iter().position(|kind| !known.contains(&kind.as_str())) {
        return Err(ask::not_one_of(&format!("enabled_events[{at}]"), &known));
    }
    Ok(())
}

/// `POST /v1/webhook_endpoints/:id`
pub(crate) fn update(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let url = params.text("url", 5000)?;
    if let Some(url) = &url {
        ask::url("url", url, world.settings.livemode)?;
    }
    let events = params.texts("enabled_events")?;
    known(events.as_deref().unwrap_or_default())?;
    let disabled = params.boolean("disabled")?;
    let description = params.text("description", 5000)?;
    let metadata = params.metadata()?;
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    world.found(&caller.account, KIND, id, "id")?;
    world.rehang(id, url, events, disabled);
    world.shelf.edit(id, |shown| {
        if let Some(description) = description {
            shown.insert("description".into(), description.into());
        }
        if let Some(Value::Object(known)) = shown.get_mut("metadata") {
            known.extend(metadata);
        }
    });
    world.shown(&caller.account, KIND, id, &expand)
}

/// `GET /v1/webhook_endpoints`
pub(crate) fn list(world: &mut World, caller: &Caller, _: &str, params: Params) -> Result<Value, Problem> {
    list_of(world, caller, KIND, "/v1/webhook_endpoints", params, &[])
}

/// `GET /v1/webhook_endpoints/:id`
pub(crate) fn show(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    world.found(&caller.account, KIND, id, "id")?;
    world.shown(&caller.account, KIND, id, &expand)
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

impl Stripe {
    /// These secrets sign an endpoint's deliveries from now on, all of them, as while one is rolled.
    pub fn endpoint_secrets(&self, endpoint: &str, secrets: &[&str]) {
        let secrets: Vec<String> = secrets.iter().map(|&secret| secret.to_owned()).collect();
        let mut world = self.lock();
        world.hooks.iter_mut().filter(|hook| hook.id == endpoint).for_each(|hook| hook.secrets.clone_from(&secrets));
    }

    /// Stripe disables an endpoint that has failed for days, or the merchant does; enabling is the merchant's.
    pub fn endpoint_becomes(&self, endpoint: &str, status: &str) {
        self.lock().rehang(endpoint, None, None, Some(status == "disabled"));
    }
}
