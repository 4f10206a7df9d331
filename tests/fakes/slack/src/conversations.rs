//! `conversations.*`: which channels there are and what was said in them.

use crate::call::Params;
use crate::refusal::Refusal;
use crate::settings::ChannelKind;
use crate::state::{Channel, Message};
use crate::tokens::Caller;
use crate::world::World;
use serde_json::{Value, json};

const PAGE_MAX: usize = 999;
const UNLISTED_PAGE_MAX: usize = 15;

/// `conversations.open`
pub(crate) fn open(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    if let Some(id) = params.text("channel") {
        let channel = world.visible(caller, &id)?;
        if channel.kind != ChannelKind::Im {
            return Err(Refusal::new("method_not_supported_for_channel_type"));
        }
        return Ok(json!({"ok": true, "no_op": true, "already_open": true, "channel": {"id": id}}));
    }
    let users = params.text("users").ok_or_else(|| Refusal::new("users_list_not_supplied"))?;
    if users.contains(',') {
        // A group DM; this fake has none, and a till does not ask for the scope.
        caller.need("mpim:write")?;
        return Err(Refusal::new("invalid_user_combination"));
    }
    caller.need("im:write")?;
    let (team, user) = world.user(&users).ok_or_else(|| Refusal::new("user_not_found"))?;
    if user.deleted {
        return Err(Refusal::new("user_disabled"));
    }
    if user.is_bot {
        return Err(Refusal::new("cannot_dm_bot"));
    }
    let shares = |channel: &Channel| channel.members.contains(&users) && channel.is_of(&caller.team);
    if team.id != caller.team && !world.channels.values().any(shares) {
        return Err(Refusal::new("user_not_visible"));
    }
    let id = world.im(&caller.team, &users);
    let whole = params.flag("return_im");
    let channel = if whole { world.channel_shown(&caller.team, &id) } else { json!({ "id": id }) };
    Ok(json!({"ok": true, "channel": channel}))
}

/// `conversations.info`
pub(crate) fn info(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let id = params.need("channel")?;
    let (_, stem) = world.visible(caller, &id)?.type_and_stem();
    caller.need(&format!("{stem}:read"))?;
    let mut channel = world.channel_shown(&caller.team, &id);
    if params.flag("include_num_members") {
        channel["num_members"] = world.channel(&id).members.len().into();
    }
    Ok(json!({"ok": true, "channel": channel}))
}

/// `conversations.history`
pub(crate) fn history(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let id = world.readable(caller, params)?;
    let all = world.messages.get(&id).map(Vec::as_slice).unwrap_or_default();
    let top = all.iter().rev().filter(|message| message.thread.is_none() || message.broadcast);
    let mut page = page(world, params, top, 100)?;
    let metadata = params.flag("include_all_metadata");
    let shown = page.take(|ts| world.message_shown(&id, ts, metadata));
    Ok(page.body(shown))
}

/// `conversations.replies`
pub(crate) fn replies(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let id = world.readable(caller, params)?;
    let ts = params.need("ts")?;
    let found = world.message(&id, &ts).ok_or_else(|| Refusal::new("thread_not_found"))?;
    let parent = found.thread.clone().unwrap_or(ts);
    let all = world.messages.get(&id).map(Vec::as_slice).unwrap_or_default();
    let thread = all.iter().filter(|it| it.ts == parent || it.thread.as_ref() == Some(&parent));
    let mut page = page(world, params, thread, 1000)?;
    let metadata = params.flag("include_all_metadata");
    let shown = page.take(|ts| world.message_shown(&id, ts, metadata));
    Ok(page.body(shown))
}

/// The times of one page, and where the next begins.
struct Page {
    ts: Vec<String>,
    next: Option<usize>,
}

impl Page {
    fn take(&mut self, show: impl Fn(&str) -> Value) -> Vec<Value> {
        self.ts.iter().map(|ts| show(ts)).collect()
    }

    fn body(&self, messages: Vec<Value>) -> Value {
        let mut body = json!({"ok": true, "messages": messages, "has_more": self.next.is_some(), "pin_count": 0});
        if let Some(next) = self.next {
            body["response_metadata"] = json!({"next_cursor": format!("next:{next}")});
        }
        body
    }
}

fn page<'a>(
    world: &World,
    params: &Params,
    messages: impl Iterator<Item = &'a Message>,
    default: usize,
) -> Result<Page, Refusal> {
    let most = if world.settings.unlisted { UNLISTED_PAGE_MAX } else { PAGE_MAX };
    let limit = params.number("limit").unwrap_or(default).clamp(1, most);
    let start = match params.text("cursor") {
        None => 0,
        Some(cursor) => {
            let at = cursor.strip_prefix("next:").and_then(|at| at.parse().ok());
            at.ok_or_else(|| Refusal::new("invalid_cursor"))?
        }
    };
    let (oldest, latest) = (time(params, "oldest")?, time(params, "latest")?);
    let inclusive = params.flag("inclusive");
    let within = |message: &&Message| {
        let ts = ts_us(&message.ts).unwrap_or_default();
        oldest.is_none_or(|from| ts > from || inclusive && ts == from)
            && latest.is_none_or(|to| ts < to || inclusive && ts == to)
    };
    let all: Vec<String> = messages.filter(within).map(|message| message.ts.clone()).collect();
    let next = (start + limit < all.len()).then_some(start + limit);
    Ok(Page { ts: all.into_iter().skip(start).take(limit).collect(), next })
}

fn time(params: &Params, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(given) = params.text(name) else { return Ok(None) };
    ts_us(&given).map(Some).ok_or_else(|| Refusal::new(&format!("invalid_ts_{name}")))
}

/// Microseconds: `12.5` is none, `12` and `12.000005` are.
fn ts_us(text: &str) -> Option<i64> {
    let (secs, us) = text.split_once('.').unwrap_or((text, "0"));
    Some(secs.parse::<i64>().ok()? * 1_000_000 + us.parse::<i64>().ok()?)
}

impl World {
    /// The channel of the call, where this bot may read what was said.
    fn readable(&self, caller: &Caller, params: &Params) -> Result<String, Refusal> {
        let id = params.need("channel")?;
        let channel = self.visible(caller, &id)?;
        let (_, stem) = channel.type_and_stem();
        caller.need(&format!("{stem}:history"))?;
        if !channel.members.contains(&self.team(&caller.team).bot_user) {
            return Err(Refusal::new("not_in_channel"));
        }
        Ok(id)
    }
}
