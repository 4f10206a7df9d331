//! What a Slack holds: channels, messages, whispers, views, as they stand.

use crate::settings::ChannelKind;
use serde_json::Value;
use std::collections::BTreeSet;

/// One conversation.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) team: String,
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    /// People and bots.
    pub(crate) members: BTreeSet<String>,
    pub(crate) archived: bool,
    pub(crate) shared_with: Vec<String>,
}

impl Channel {
    pub(crate) fn is_of(&self, team: &str) -> bool {
        self.team == team || self.shared_with.iter().any(|other| other == team)
    }

    /// Under which name payloads show it.
    pub(crate) fn shown_name(&self) -> &str {
        match self.kind {
            ChannelKind::Public => &self.name,
            ChannelKind::Private => "privategroup",
            ChannelKind::Im => "directmessage",
        }
    }

    /// `channel_type` of message events, and the stem of scopes.
    pub(crate) fn type_and_stem(&self) -> (&'static str, &'static str) {
        match self.kind {
            ChannelKind::Public => ("channel", "channels"),
            ChannelKind::Private => ("group", "groups"),
            ChannelKind::Im => ("im", "im"),
        }
    }
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) text: String,
    /// A list, or null.
    pub(crate) blocks: Value,
    /// A list, or null.
    pub(crate) attachments: Value,
}

/// One message that everybody in the channel sees.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) ts: String,
    pub(crate) team: String,
    /// A person, or our bot.
    pub(crate) user: String,
    /// Our bot's id, where it is our bot's.
    pub(crate) bot: Option<String>,
    pub(crate) content: Content,
    pub(crate) thread: Option<String>,
    pub(crate) broadcast: bool,
    pub(crate) metadata: Option<Value>,
    /// When the tag "edited" last came.
    pub(crate) edited: Option<String>,
    /// How often the app changed it.
    pub(crate) edits: u32,
    /// Deleted, but its thread is still there.
    pub(crate) tombstone: bool,
    /// Made by an acknowledgement or a response URL: no method can change it.
    pub(crate) by_response: bool,
    /// What it said before, oldest first.
    pub(crate) before: Vec<Content>,
}

/// One message that a single person sees.
#[derive(Clone, Debug)]
pub(crate) struct Whisper {
    pub(crate) ts: String,
    pub(crate) channel: String,
    pub(crate) user: String,
    pub(crate) team: String,
    pub(crate) content: Content,
    pub(crate) thread: Option<String>,
}

/// One modal, or somebody's home.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) team: String,
    pub(crate) user: String,
    /// As Slack shows it, `state` apart.
    pub(crate) shown: Value,
    pub(crate) open: bool,
}

impl View {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.shown[key].as_str().unwrap_or_default()
    }
}
