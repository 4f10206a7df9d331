//! Looking: what people see, and what the app asked.

use crate::Slack;
use crate::call::Recorded;
use crate::state::Content;
use crate::world::World;
use serde_json::Value;

/// A message as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its time, which is its id.
    pub ts: String,
    /// Who said it; our bot's user id for the app.
    pub user: String,
    /// Whether the app said it.
    pub by_app: bool,
    /// The only one who sees it; none for a message that all see.
    pub only_for: Option<String>,
    /// The text.
    pub text: String,
    /// The blocks; null for none.
    pub blocks: Value,
    /// The thread it is in.
    pub thread: Option<String>,
    /// The metadata; null for none.
    pub metadata: Value,
    /// How often the app changed it.
    pub edits: u32,
    /// Whether people see the tag "edited".
    pub tagged_edited: bool,
    /// What is left of a message whose thread is still there.
    pub tombstone: bool,
}

impl Shown {
    /// Everything that can be read in it, text and blocks, on one line each.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        collect(&self.blocks, &mut words);
        if words.is_empty() { self.text.clone() } else { words.join("\n") }
    }

    /// The interactive element with this `action_id`.
    pub fn element(&self, action_id: &str) -> Option<Value> {
        let blocks = self.blocks.as_array()?;
        let mut all = blocks.iter().flat_map(crate::content::elements);
        all.find(|element| element["action_id"] == action_id).cloned()
    }
}

fn collect(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|one| collect(one, words)),
        Value::Object(map) => {
            if let Some(text) = map.get("text").and_then(Value::as_str) {
                words.push(text.to_owned());
            }
            map.values().for_each(|one| collect(one, words));
        }
        _ => {}
    }
}

impl World {
    pub(crate) fn shown(&self, channel: &str) -> Vec<Shown> {
        let plain = |content: &Content| (content.text.clone(), content.blocks.clone());
        let all = self.messages.get(channel).map(Vec::as_slice).unwrap_or_default();
        let there = all.iter().filter(|message| {
            let orphan = |thread: &String| !all.iter().any(|parent| parent.ts == *thread);
            !message.thread.as_ref().is_some_and(orphan)
        });
        let said = there.map(|message| {
            let (text, blocks) = plain(&message.content);
            Shown {
                ts: message.ts.clone(),
                user: message.user.clone(),
                by_app: message.bot.is_some(),
                only_for: None,
                text,
                blocks,
                thread: message.thread.clone(),
                metadata: message.metadata.clone().unwrap_or_default(),
                edits: message.edits,
                tagged_edited: message.edited.is_some(),
                tombstone: message.tombstone,
            }
        });
        let whispered = self.whispers.iter().filter(|whisper| whisper.channel == channel).map(|whisper| {
            let (text, blocks) = plain(&whisper.content);
            Shown {
                ts: whisper.ts.clone(),
                user: self.team(&whisper.team).bot_user.clone(),
                by_app: true,
                only_for: Some(whisper.user.clone()),
                text,
                blocks,
                thread: whisper.thread.clone(),
                metadata: Value::Null,
                edits: 0,
                tagged_edited: false,
                tombstone: false,
            }
        });
        let mut shown: Vec<Shown> = said.chain(whispered).collect();
        shown.sort_by(|a, b| a.ts.cmp(&b.ts));
        shown
    }
}

impl Slack {
    /// Everything in a channel, threads and whispers too, oldest first.
    pub fn messages(&self, channel: &str) -> Vec<Shown> {
        self.lock().shown(channel)
    }

    /// What only this person sees in a channel.
    pub fn whispers(&self, channel: &str, user: &str) -> Vec<Shown> {
        self.messages(channel).into_iter().filter(|shown| shown.only_for.as_deref() == Some(user)).collect()
    }

    /// What is in the conversation of a person with the app of their own workspace.
    pub fn dms(&self, user: &str) -> Vec<Shown> {
        let im = self.im(user);
        self.messages(&im)
    }

    /// The id of that conversation, which is opened when it is not there.
    pub fn im(&self, user: &str) -> String {
        let mut world = self.lock();
        let team = world.user(user).expect("a person of this fake").0.id.clone();
        world.im(&team, user)
    }

    /// The home of the app as this person sees it.
    pub fn home(&self, user: &str) -> Option<Value> {
        let world = self.lock();
        let view = world.views.iter().find(|view| view.user == user && view.text("type") == "home")?;
        Some(world.view_shown(&view.id))
    }

    /// The modals before this person, the topmost last.
    pub fn views(&self, user: &str) -> Vec<Value> {
        let world = self.lock();
        let open = world.views.iter().filter(|view| view.user == user && view.open && view.text("type") == "modal");
        open.map(|view| world.view_shown(&view.id)).collect()
    }

    /// Everything the app asked, refused calls too, oldest first; a `response_url` is a method here.
    pub fn calls(&self) -> Vec<Recorded> {
        self.lock().recorded.clone()
    }

    /// How often the app called this method.
    pub fn count(&self, method: &str) -> usize {
        self.lock().recorded.iter().filter(|call| call.method == method).count()
    }

    /// Arguments that no method has, as `method: argument`; Slack ignores them, a test should not.
    pub fn unknown_args(&self) -> Vec<String> {
        let world = self.lock();
        let calls = world.recorded.iter().filter(|call| call.method != "response_url");
        calls.flat_map(|call| call.unknown.iter().map(|name| format!("{}: {name}", call.method))).collect()
    }
}
