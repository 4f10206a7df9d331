//! `views.*`: modals are opened, stacked and changed, homes are published.

use crate::block_kit::view_complaints;
use crate::call::Params;
use crate::content::fill_ids;
use crate::refusal::Refusal;
use crate::state::View;
use crate::tokens::Caller;
use crate::world::World;
use serde_json::{Value, json};

const STACK_MAX: usize = 3;
const BYTES_MAX: usize = 250 * 1024;
/// `views.open`
pub(crate) fn open(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let view = given(params, "modal")?;
    let trigger = params.need("trigger_id")?;
    world.free_external_id(caller, &view, None)?;
    let (user, _) = world.exchange(caller, &trigger)?;
    // A person has one stack; what stood there is gone.
    world
        .views
        .iter_mut()
        .filter(|old| old.user == user && old.text("type") == "modal")
        .for_each(|old| old.open = false);
    let id = world.stand(&caller.team, &user, view, None);
    Ok(json!({"ok": true, "view": world.view_shown(&id)}))
}

/// `views.push`
pub(crate) fn push(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let view = given(params, "modal")?;
    let trigger = params.need("trigger_id")?;
    world.free_external_id(caller, &view, None)?;
    let from = world.triggers.get(&trigger).and_then(|trigger| trigger.view.clone());
    let stack = from.as_deref().map(|from| world.stack_of(from)).unwrap_or_default();
    if stack.len() >= STACK_MAX {
        return Err(Refusal::new("push_limit_reached"));
    }
    let (user, _) = world.exchange(caller, &trigger)?;
    let Some(top) = stack.last().cloned() else { return Err(Refusal::new("not_found")) };
    let id = world.stand(&caller.team, &user, view, Some(&top));
    Ok(json!({"ok": true, "view": world.view_shown(&id)}))
}

/// `views.update`
pub(crate) fn update(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let view = given(params, "modal")?;
    let (id, external) = (params.text("view_id"), params.text("external_id"));
    if id.is_none() && external.is_none() {
        return Err(Refusal::missing("view_id"));
    }
    let meant = |old: &&View| {
        old.open
            && old.team == caller.team
            && match &id {
                Some(id) => old.id == *id,
                None => external.as_deref() == Some(old.text("external_id")),
            }
    };
    let found = world.views.iter().find(meant).ok_or_else(|| Refusal::new("not_found"))?;
    if params.text("hash").is_some_and(|hash| hash != found.text("hash")) {
        return Err(Refusal::new("hash_conflict"));
    }
    let id = found.id.clone();
    world.free_external_id(caller, &view, Some(&id))?;
    world.replace(&id, view);
    Ok(json!({"ok": true, "view": world.view_shown(&id)}))
}

/// `views.publish`
pub(crate) fn publish(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let view = given(params, "home")?;
    let user = params.need("user_id")?;
    if world.user(&user).is_none_or(|(team, user)| team.id != caller.team || user.deleted) {
        return Err(Refusal::new("user_not_found"));
    }
    let is_it = |old: &&View| old.team == caller.team && old.user == user && old.text("type") == "home";
    let old = world.views.iter().find(is_it).map(|old| (old.id.clone(), old.text("hash").to_owned()));
    let id = match old {
        Some((_, hash)) if params.text("hash").is_some_and(|given| given != hash) => {
            return Err(Refusal::new("hash_conflict"));
        }
        Some((id, _)) => {
            world.replace(&id, view);
            id
        }
        None => world.stand(&caller.team, &user, view, None),
    };
    Ok(json!({"ok": true, "view": world.view_shown(&id)}))
}

/// The view that a call brings.
fn given(params: &Params, kind: &str) -> Result<Value, Refusal> {
    let view = params.json("view", "invalid_arguments")?.ok_or_else(|| Refusal::missing("view"))?;
    check(&view, kind).map_err(|wrong| Refusal::new("invalid_arguments").because(&wrong))?;
    if view.to_string().len() > BYTES_MAX {
        return Err(Refusal::new("view_too_large"));
    }
    Ok(view)
}

/// What Slack would refuse about a view.
pub(crate) fn check(view: &Value, kind: &str) -> Result<(), Vec<String>> {
    let mut wrong = view_complaints(view);
    if view["type"] != kind {
        wrong.push(format!("must be `{kind}` [json-pointer:/view/type]"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

impl World {
    fn free_external_id(&self, caller: &Caller, view: &Value, but: Option<&str>) -> Result<(), Refusal> {
        let Some(given) = view["external_id"].as_str().filter(|id| !id.is_empty()) else { return Ok(()) };
        let taken = self.views.iter().filter(|old| old.open && old.team == caller.team && but != Some(&old.id));
        if taken.into_iter().any(|old| old.text("external_id") == given) {
            return Err(Refusal::new("duplicate_external_id"));
        }
        Ok(())
    }

    /// The ids from the root to the top of the stack in which this view stands.
    pub(crate) fn stack_of(&self, id: &str) -> Vec<String> {
        let Some(view) = self.views.iter().find(|view| view.id == id && view.open) else { return Vec::new() };
        let root = view.text("root_view_id");
        let stack = self.views.iter().filter(|other| other.open && other.text("root_view_id") == root);
        stack.map(|view| view.id.clone()).collect()
    }

    /// Puts a checked view before a person, upon another or alone.
    pub(crate) fn stand(&mut self, team: &str, user: &str, view: Value, upon: Option<&str>) -> String {
        let id = self.id("V");
        let root = upon.and_then(|upon| self.views.iter().find(|view| view.id == upon));
        let root = root.map_or_else(|| id.clone(), |view| view.text("root_view_id").to_owned());
        let shown = json!({"id": id, "root_view_id": root, "previous_view_id": upon});
        let (team, user) = (team.to_owned(), user.to_owned());
        self.views.push(View { id: id.clone(), team, user, shown, open: true });
        self.replace(&id, view);
        id
    }

    /// The same view, with another content.
    pub(crate) fn replace(&mut self, id: &str, mut view: Value) {
        fill_ids(self, &mut view["blocks"]);
        let hash = format!("{}.{}", self.now.secs(), &self.secret()[..8]);
        let at = self.views.iter().position(|old| old.id == id).expect("a view of this fake");
        let old = &self.views[at];
        let team = self.team(&old.team);
        let mut shown = json!({
            "id": id, "team_id": old.team, "type": view["type"], "blocks": view["blocks"], "private_metadata": "",
            "callback_id": "", "external_id": "", "hash": hash, "clear_on_close": false, "notify_on_close": false,
            "close": null, "submit": null, "title": null, "previous_view_id": old.shown["previous_view_id"],
            "root_view_id": old.shown["root_view_id"], "app_id": self.settings.app_id,
            "app_installed_team_id": old.team, "bot_id": team.bot_id,
        });
        for (key, value) in view.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            shown[key] = value.clone();
        }
        self.views[at].shown = shown;
    }

    pub(crate) fn view_shown(&self, id: &str) -> Value {
        let view = self.views.iter().find(|view| view.id == id).expect("a view of this fake");
        let mut shown = view.shown.clone();
        shown["state"] = json!({"values": {}});
        shown
    }
}
