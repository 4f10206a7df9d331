//! `chat.*`: messages are posted, changed, deleted and whispered.

use crate::call::Params;
use crate::content::metadata;
use crate::refusal::Refusal;
use crate::settings::{ChannelKind, EditWindow, LostThread};
use crate::state::{Content, Message, Whisper};
use crate::tokens::Caller;
use crate::world::World;
use serde_json::{Value, json};
use std::time::Duration;

const UPDATE_TEXT_MAX: usize = 4_000;

/// What is still to be told when a message is posted.
pub(crate) struct Post {
    pub(crate) channel: String,
    pub(crate) content: Content,
    pub(crate) thread: Option<String>,
    pub(crate) broadcast: bool,
    pub(crate) metadata: Option<Value>,
    pub(crate) by_response: bool,
}

/// `chat.postMessage`
pub(crate) fn post(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let channel = world.target(caller, &params.need("channel")?)?;
    world.may_post(caller, &channel, true)?;
    let content = Content::read(params)?;
    let metadata = metadata(params)?.filter(|given| !given.is_null());
    let thread = world.thread_of(&channel, params)?;
    let broadcast = params.flag("reply_broadcast") && thread.is_some();
    let post = Post { channel: channel.clone(), content, thread, broadcast, metadata, by_response: false };
    let ts = world.post(&caller.team, post);
    Ok(json!({"ok": true, "channel": channel, "ts": ts, "message": world.message_shown(&channel, &ts, true)}))
}

/// `chat.update`
pub(crate) fn update(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let (id, ts) = (params.need("channel")?, params.need("ts")?);
    let channel = world.visible(caller, &id)?;
    if channel.archived {
        return Err(Refusal::new("is_inactive"));
    }
    let whispered = world.whispers.iter().any(|whisper| whisper.channel == id && whisper.ts == ts);
    let cannot = || Refusal::new("cant_update_message");
    if whispered {
        return Err(cannot());
    }
    let found = world.message(&id, &ts).filter(|message| !message.tombstone);
    let message = found.ok_or_else(|| Refusal::new("message_not_found"))?;
    if message.bot.as_ref() != Some(&world.team(&caller.team).bot_id) || message.by_response {
        return Err(cannot());
    }
    if !world.may_edit(&caller.team, &ts) {
        return Err(Refusal::new("edit_window_closed"));
    }
    if params.text("text").is_some_and(|text| text.chars().count() > UPDATE_TEXT_MAX) {
        return Err(Refusal::new("msg_too_long"));
    }
    let metadata = metadata(params)?;
    let content = Content::read(params)?.with_ids(world);
    let now = world.ts();
    let message = world.message_mut(&id, &ts).expect("found above");
    // A message with blocks gets no tag.
    if content.blocks.is_null() {
        message.edited = Some(now);
    }
    message.edits += 1;
    let text = content.text.clone();
    message.before.push(std::mem::replace(&mut message.content, content));
    if let Some(given) = metadata {
        message.metadata = Some(given).filter(|given| !given.is_null());
    }
    world.tell_changed(&id, &ts);
    let shown = world.message_shown(&id, &ts, true);
    Ok(json!({"ok": true, "channel": id, "ts": ts, "text": text, "message": shown}))
}

/// `chat.delete`
pub(crate) fn delete(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let (id, ts) = (params.need("channel")?, params.need("ts")?);
    world.visible(caller, &id)?;
    let found = world.message(&id, &ts).filter(|message| !message.tombstone);
    let message = found.ok_or_else(|| Refusal::new("message_not_found"))?;
    // "When used with a user token, this method may only delete messages that user themselves can delete."
    let may = match &caller.user {
        Some(user) => message.user == *user || world.user(user).is_some_and(|(_, user)| user.is_admin),
        None => message.bot.as_ref() == Some(&world.team(&caller.team).bot_id) && !message.by_response,
    };
    if !may {
        return Err(Refusal::new("cant_delete_message"));
    }
    world.remove(&id, &ts);
    Ok(json!({"ok": true, "channel": id, "ts": ts}))
}

/// `chat.postEphemeral`
pub(crate) fn whisper(world: &mut World, caller: &Caller, params: &Params) -> Result<Value, Refusal> {
    let (id, user) = (params.need("channel")?, params.need("user")?);
    world.visible(caller, &id)?;
    world.may_post(caller, &id, false)?;
    if world.user(&user).is_none_or(|(_, user)| user.deleted) || !world.channel(&id).members.contains(&user) {
        return Err(Refusal::new("user_not_in_channel"));
    }
    let content = Content::read(params)?;
    let thread = world.thread_of(&id, params)?;
    let ts = world.whisper(&caller.team, &id, &user, content, thread);
    Ok(json!({"ok": true, "message_ts": ts}))
}

impl World {
    /// A channel by id or name, or the conversation with a person by their id.
    fn target(&mut self, caller: &Caller, given: &str) -> Result<String, Refusal> {
        if self.user(given).is_some_and(|(team, user)| team.id == caller.team && !user.deleted) {
            return Ok(self.im(&caller.team, given));
        }
        let name = given.trim_start_matches('#');
        let by_name = self.channels.values().find(|one| one.team == caller.team && one.name == name);
        let id = by_name.filter(|one| one.kind != ChannelKind::Im).map_or(given, |one| &one.id).to_owned();
        self.visible(caller, &id)?;
        Ok(id)
    }

    /// Whether this bot may write there; `anywhere` is what `chat:write.public` is good for.
    fn may_post(&self, caller: &Caller, channel: &str, anywhere: bool) -> Result<(), Refusal> {
        let channel = self.channel(channel);
        if channel.archived {
            return Err(Refusal::new("is_archived"));
        }
        let public = anywhere && channel.kind == ChannelKind::Public && caller.need("chat:write.public").is_ok();
        if !public && !channel.members.contains(&self.team(&caller.team).bot_user) {
            return Err(Refusal::new("not_in_channel"));
        }
        Ok(())
    }

    /// The thread that is meant: a reply's thread is its parent's.
    pub(crate) fn thread_of(&self, channel: &str, params: &Params) -> Result<Option<String>, Refusal> {
        let Some(given) = params.text("thread_ts") else { return Ok(None) };
        let whole = |text: &str, len: std::ops::RangeInclusive<usize>| {
            len.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !given.split_once('.').is_some_and(|(secs, us)| whole(secs, 1..=12) && whole(us, 6..=6)) {
            let why = format!("{given} is not a valid thread_ts");
            return Err(Refusal::new("invalid_thread_ts").because(&[why]));
        }
        match self.message(channel, &given) {
            Some(message) => Ok(Some(message.thread.clone().unwrap_or(given))),
            None if self.settings.lost_thread == LostThread::Swallowed => Ok(Some(given)),
            None => Err(Refusal::new("thread_not_found")),
        }
    }

    pub(crate) fn may_edit(&self, team: &str, ts: &str) -> bool {
        let posted_secs: i64 = ts.split('.').next().and_then(|secs| secs.parse().ok()).unwrap_or_default();
        let age = Duration::from_secs(u64::try_from(self.now.secs() - posted_secs).unwrap_or_default());
        match self.team(team).edit_window {
            EditWindow::Always => true,
            EditWindow::For(window) => age <= window,
            EditWindow::Never => false,
        }
    }

    /// Our bot says something.
    pub(crate) fn post(&mut self, team: &str, post: Post) -> String {
        let (ts, content) = (self.ts(), post.content.with_ids(self));
        let set = self.team(team);
        let message = Message {
            ts: ts.clone(),
            team: team.to_owned(),
            user: set.bot_user.clone(),
            bot: Some(set.bot_id.clone()),
            content,
            thread: post.thread,
            broadcast: post.broadcast,
            metadata: post.metadata,
            edited: None,
            edits: 0,
            tombstone: false,
            by_response: post.by_response,
            before: Vec::new(),
        };
        self.messages.entry(post.channel.clone()).or_default().push(message);
        self.tell_message(&post.channel, &ts);
        ts
    }

    /// Our bot says something to one person; who is away never sees it.
    pub(crate) fn whisper(
        &mut self,
        team: &str,
        channel: &str,
        user: &str,
        content: Content,
        thread: Option<String>,
    ) -> String {
        let (ts, content) = (self.ts(), content.with_ids(self));
        if !self.away.contains(user) {
            let (channel, user, team) = (channel.to_owned(), user.to_owned(), team.to_owned());
            self.whispers.push(Whisper { ts: ts.clone(), channel, user, team, content, thread });
        }
        ts
    }

    /// Takes a message away; one with replies leaves a tombstone.
    pub(crate) fn remove(&mut self, channel: &str, ts: &str) {
        self.tell_deleted(channel, ts);
        let messages = self.messages.entry(channel.to_owned()).or_default();
        if messages.iter().any(|message| message.thread.as_deref() == Some(ts)) {
            let parent = messages.iter_mut().find(|message| message.ts == ts).expect("a message that is there");
            parent.tombstone = true;
            parent.content = Content { text: "This message was deleted.".into(), ..Content::default() };
        } else {
            messages.retain(|message| message.ts != ts);
        }
    }
}
