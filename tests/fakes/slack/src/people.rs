//! `auth.*`, `users.*`, `usergroups.*`, `team.*`: who everybody is.

use crate::call::Params;
use crate::refusal::Refusal;
use crate::state::Channel;
use crate::tokens::Caller;
use crate::world::World;
use serde_json::{Value, json};

/// `auth.test`
pub(crate) fn test(world: &mut World, caller: &Caller, _: &Params) -> Result<Value, Refusal> {
    if caller.team.is_empty() {
        let app = &world.settings;
        return Ok(json!({"ok": true, "app_name": "Till", "app_id": app.app_id}));
    }
    let team = world.team(&caller.team);
    let mut body = json!({
        "ok": true, "url": format!("https://{}.slack.com/", team.domain), "team": team.name, "user": "till",
        "team_id": team.id, "user_id": team.bot_user, "bot_id": team.bot_id, "is_enterprise_install": caller.is_org,
    });
    if let Some((id, _)) = &team.enterprise {
        body["enterprise_id"] = id.clone().into();
    }
    if let Some(expires) = world.tokens[&caller.token].expires {
        body["expires_in"] = expires.since(world.now).as_secs().into();
    }
    Ok(body)
}

/// `auth.revoke`
pub(crate) fn revoke(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let only_asks = params.flag("test");
    if !only_asks {
        world.tokens.get_mut(&caller.token).expect("the caller's").end("token_revoked");
    }
    Ok(json!({"ok": true, "revoked": !only_asks}))
}

/// `users.info`
pub(crate) fn user(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    // Seen and not documented: without the argument it is a user that is not found.
    let id = params.text("user").ok_or_else(|| Refusal::new("user_not_found"))?;
    let team = world.team(&caller.team);
    if id == team.bot_user {
        let name = "till";
        return Ok(json!({"ok": true, "user": {
            "id": id, "team_id": team.id, "name": name, "real_name": "Till", "deleted": false, "is_bot": true,
            "profile": {"real_name": "Till", "display_name": "", "bot_id": team.bot_id, "team": team.id},
        }}));
    }
    let (home, _) = world.user(&id).ok_or_else(|| Refusal::new("user_not_found"))?;
    let shares = |channel: &Channel| channel.members.contains(&id) && channel.is_of(&caller.team);
    let stranger = home.id != caller.team;
    if stranger && !world.channels.values().any(shares) {
        return Err(Refusal::new("user_not_visible"));
    }
    let mut shown = world.user_shown(&id, params.flag("include_locale"));
    if stranger {
        shown["is_stranger"] = true.into();
    }
    Ok(json!({"ok": true, "user": shown}))
}

/// `usergroups.list`
pub(crate) fn groups(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let team = world.team(&caller.team);
    let groups = team.groups.iter().filter(|group| params.flag("include_disabled") || !group.disabled);
    let shown = groups.map(|group| {
        let mut shown = json!({
            "id": group.id, "team_id": team.id, "is_usergroup": true, "name": group.handle, "handle": group.handle,
            "description": "", "is_external": false, "date_create": 1_446_746_793, "date_update": 1_446_746_793,
            "date_delete": i64::from(group.disabled) * 1_446_748_865, "auto_type": null, "created_by": team.bot_user,
            "updated_by": team.bot_user, "deleted_by": null, "prefs": {"channels": [], "groups": []},
            "user_count": group.users.len(),
        });
        if params.flag("include_users") {
            shown["users"] = json!(group.users);
        }
        shown
    });
    Ok(json!({"ok": true, "usergroups": shown.collect::<Vec<_>>()}))
}

/// `usergroups.users.list`
pub(crate) fn group_users(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let id = params.need("usergroup")?;
    if caller.is_org {
        // "Required if org token is used."
        params.need("team_id")?;
    }
    let team = world.team(&caller.team);
    let group = team.groups.iter().find(|group| group.id == id).ok_or_else(|| Refusal::new("no_such_subteam"))?;
    if group.disabled && !params.flag("include_disabled") {
        return Err(Refusal::new("subteam_disabled"));
    }
    Ok(json!({"ok": true, "users": group.users}))
}

/// `team.info`
pub(crate) fn team(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let id = params.text("team").unwrap_or_else(|| caller.team.clone());
    if id != caller.team {
        return Err(Refusal::new("team_not_found"));
    }
    let team = world.team(&id);
    let mut shown = json!({
        "id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {"image_default": true},
        "url": format!("https://{}.slack.com/", team.domain),
    });
    if let Some((id, name)) = &team.enterprise {
        (shown["enterprise_id"], shown["enterprise_name"]) = (id.clone().into(), name.clone().into());
    }
    Ok(json!({"ok": true, "team": shown}))
}
