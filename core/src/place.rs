//! Where in a chat, and who there: addresses that can be stored and used days later.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A place in a chat: platform, workspace, channel and perhaps a thread. Belongs to one merchant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The adapter's name: `web`.
    pub platform: String,
    /// The platform's workspace, guild, server or site.
    pub workspace: String,
    /// The channel, room or conversation.
    pub channel: String,
    /// The thread within it, where the command was given in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.platform, self.workspace, self.channel)?;
        self.thread.iter().try_for_each(|thread| write!(f, "/{thread}"))
    }
}

/// A person as one platform knows them. The display name is not part of it: names live in erasable rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonId {
    /// The adapter's name: `web`.
    pub platform: String,
    /// The platform's own id of the person within the workspace.
    pub id: String,
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.platform, self.id)
    }
}

/// A message that was posted: where it stands and what the platform calls it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageRef {
    /// Where it stands.
    pub place: Place,
    /// The platform's id of the message.
    pub id: String,
}
