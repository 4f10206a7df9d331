//! Checkout Sessions: made, found and closed.

use crate::World;
use crate::ask::Params;
use crate::expand::{self, expanded};
use crate::keys::Caller;
use crate::list::Page;
use crate::order::{ForIntent, Line, Order};
use crate::problem::Problem;
use crate::{shapes, text};
use serde_json::{Map, Value, json};

pub(crate) const KIND: &str = "checkout.session";

/// What a session knows and does not show.
#[derive(Clone, Debug)]
pub(crate) struct Behind {
    pub(crate) lines: Vec<Value>,
    pub(crate) intent: ForIntent,
    /// Attempts that were declined.
    pub(crate) declines: u32,
}

/// `POST /v1/checkout/sessions`
pub(crate) fn create(world: &mut World, caller: &Caller, _: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, KIND)?;
    let order = Order::read(params, world.now, world.settings.livemode)?;
    let id = world.open(&caller.account, order);
    world.shown(&caller.account, KIND, &id, &expand)
}

/// `GET /v1/checkout/sessions/:id`
pub(crate) fn show(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    world.found(&caller.account, KIND, id, "session")?;
    world.shown(&caller.account, KIND, id, &expand)
}

/// `GET /v1/checkout/sessions/:id/line_items`
pub(crate) fn line_items(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let page = Page::read(&mut params, "item", false)?;
    params.done()?;
    world.found(&caller.account, KIND, id, "session")?;
    let lines: Vec<&Value> = world.behind[id].lines.iter().collect();
    page.of(&format!("/v1/checkout/sessions/{id}/line_items"), &lines, |_| true)
}

/// `POST /v1/checkout/sessions/:id/expire`
pub(crate) fn expire(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    let status = text(world.found(&caller.account, KIND, id, "session")?, "status").to_owned();
    if status != "open" {
        // Stripe gives no code here (seen in Sylius/PayumStripePlugin#70).
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of \
             `{status}`."
        );
        return Err(Problem::invalid(message).begun());
    }
    world.close(id, world.secs());
    world.shown(&caller.account, KIND, id, &expand)
}

/// `GET /v1/checkout/sessions`
pub(crate) fn list(world: &mut World, caller: &Caller, _: &str, mut params: Params) -> Result<Value, Problem> {
    let page = Page::read(&mut params, KIND, true)?;
    let intent = params.text("payment_intent", 5000)?;
    let status = params.one_of("status", &["complete", "expired", "open"])?;
    params.done()?;
    let of = |key: &str, wanted: &Option<String>, object: &Value| wanted.as_ref().is_none_or(|it| object[key] == **it);
    let all = world.shelf.newest(&caller.account, KIND);
    let keep = |it: &Value| of("payment_intent", &intent, it) && of("status", &status, it);
    let found = page.of("/v1/checkout/sessions", &all, keep)?;
    Ok(expanded(world, found, page.expand()))
}

impl World {
    /// An object of the account's, or why there is none.
    pub(crate) fn found(&self, account: &str, kind: &str, id: &str, param: &str) -> Result<&Value, Problem> {
        self.shelf.get(account, kind, id).ok_or_else(|| Problem::missing_object(kind, id, param))
    }

    /// An object as an answer shows it.
    pub(crate) fn shown(&self, account: &str, kind: &str, id: &str, expand: &[String]) -> Result<Value, Problem> {
        let object = self.found(account, kind, id, "id")?.clone();
        Ok(expanded(self, object, expand))
    }

    /// Makes a session.
    pub(crate) fn open(&mut self, account: &str, order: Order) -> String {
        let mode = self.settings.mode();
        let id = self.id(&format!("cs_{mode}_a1"), 56);
        let fragment = self.id("fid", 60);
        let url = format!("{}/c/pay/{id}#{fragment}", self.settings.public_url);
        let created = self.secs();
        self.ends.insert((order.expires_at, id.clone()));
        let known = json!({
            "id": id,
            "amount_subtotal": order.total,
            "amount_total": order.total,
            "created": created,
            "currency": order.currency,
            "expires_at": order.expires_at,
            "livemode": self.settings.livemode,
            "payment_status": if order.total == 0 { "no_payment_required" } else { "unpaid" },
            "status": "open",
            "url": url,
        });
        let lines = order.lines.iter().map(|line| self.line_item(&order.currency, line)).collect();
        self.behind.insert(id.clone(), Behind { lines, intent: order.intent, declines: 0 });
        let session = shapes::with(shapes::session(), known);
        self.shelf.put(account, shapes::with(session, Value::Object(order.shown)));
        id
    }

    fn line_item(&mut self, currency: &str, line: &Line) -> Value {
        let (id, price, product) = (self.id("li_1", 23), self.id("price_1", 23), self.id("prod_", 14));
        let price = json!({
            "id": price, "created": self.secs(), "currency": currency, "livemode": self.settings.livemode,
            "product": product, "unit_amount": line.unit_amount, "unit_amount_decimal": line.unit_amount.to_string(),
        });
        let total = line.unit_amount * line.quantity;
        let known = json!({
            "id": id, "amount_subtotal": total, "amount_total": total, "currency": currency, "description": line.name,
            "price": shapes::with(shapes::price(), price), "quantity": line.quantity,
        });
        shapes::with(shapes::line_item(), known)
    }

    /// Closes the sessions whose time has come, in the order of their times.
    pub(crate) fn close_due(&mut self) {
        let now = self.secs();
        while let Some((at, id)) = self.ends.first().filter(|(at, _)| *at <= now).cloned() {
            self.ends.remove(&(at, id.clone()));
            if self.is_open(&id) {
                self.close(&id, at);
            }
        }
    }

    /// Closes an open session. Its payment intent, where an attempt made one, cannot be paid any more either.
    pub(crate) fn close(&mut self, id: &str, at: i64) {
        let shut = |session: &mut Map<String, Value>| {
            session.insert("status".into(), "expired".into());
            session.insert("url".into(), Value::Null);
        };
        self.shelf.edit(id, shut);
        let intent = self.shelf.object(id).map(|session| text(session, "payment_intent").to_owned());
        if let Some(intent) = intent.filter(|intent| !intent.is_empty()) {
            self.shelf.edit(&intent, |intent| {
                intent.insert("status".into(), "canceled".into());
                intent.insert("canceled_at".into(), at.into());
                intent.insert("cancellation_reason".into(), "expired".into());
            });
            self.tell_at("payment_intent.canceled", &intent, at);
        }
        self.tell_at("checkout.session.expired", id, at);
    }
}
