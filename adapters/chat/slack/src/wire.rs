//! What Slack posts, as far as Till reads it. Everything else in it is passed over, so that a new field breaks nothing.

use serde::Deserialize;
use serde_json::Value;

/// A slash command: the form that Slack posts.
///
/// Source: Slack docs, "Enabling interactivity with Slash commands", "Parse the command payload".
#[derive(Debug, Deserialize)]
pub(crate) struct SlashCommand {
    pub(crate) team_id: String,
    #[serde(default)]
    enterprise_id: Option<String>,
    /// A form has no booleans.
    #[serde(default)]
    is_enterprise_install: Option<String>,
    pub(crate) channel_id: String,
    pub(crate) user_id: String,
    #[serde(default)]
    pub(crate) user_name: String,
    pub(crate) command: String,
    #[serde(default)]
    pub(crate) text: String,
    pub(crate) trigger_id: String,
}

/// A click, a form, or a shortcut.
///
/// Source: Slack docs, "Interaction payloads".
#[derive(Debug, Deserialize)]
pub(crate) struct Interaction {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) trigger_id: String,
    pub(crate) user: User,
    #[serde(default)]
    pub(crate) team: Option<Named>,
    #[serde(default)]
    enterprise: Option<Named>,
    #[serde(default)]
    is_enterprise_install: bool,
    #[serde(default)]
    pub(crate) channel: Option<Named>,
    #[serde(default)]
    pub(crate) container: Container,
    #[serde(default)]
    pub(crate) message: Option<Message>,
    #[serde(default)]
    pub(crate) actions: Vec<Action>,
    #[serde(default)]
    pub(crate) view: Option<View>,
    #[serde(default)]
    pub(crate) callback_id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) team_id: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) username: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Container {
    #[serde(default)]
    pub(crate) is_ephemeral: bool,
    /// Of an answer in a thread, which carries no message.
    #[serde(default)]
    pub(crate) thread_ts: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    pub(crate) ts: String,
    #[serde(default)]
    pub(crate) thread_ts: Option<String>,
    #[serde(default)]
    pub(crate) user: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Action {
    pub(crate) action_id: String,
    #[serde(default)]
    pub(crate) block_id: String,
    #[serde(default)]
    pub(crate) value: String,
    #[serde(default)]
    pub(crate) action_ts: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct View {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) callback_id: String,
    #[serde(default)]
    pub(crate) private_metadata: String,
    /// `state.values.BLOCK.ACTION`.
    #[serde(default)]
    pub(crate) state: Value,
}

/// What the Events API posts.
///
/// Source: Slack docs, "The Events API", "Callback field overview".
#[derive(Debug, Deserialize)]
pub(crate) struct Outer {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) challenge: Option<String>,
    #[serde(default)]
    pub(crate) team_id: Option<String>,
    #[serde(default)]
    pub(crate) enterprise_id: Option<String>,
    #[serde(default)]
    pub(crate) event_id: String,
    #[serde(default)]
    pub(crate) authorizations: Option<Vec<Authorization>>,
    #[serde(default)]
    pub(crate) event: Option<Event>,
}

/// For whom the app was installed that hears this: with shared channels, not always the team of the event.
#[derive(Debug, Deserialize)]
pub(crate) struct Authorization {
    #[serde(default)]
    pub(crate) team_id: Option<String>,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
    #[serde(default)]
    enterprise_id: Option<String>,
    #[serde(default)]
    is_enterprise_install: bool,
}

/// A workspace, and the organization that added Till for all of its workspaces.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Org {
    pub(crate) workspace: String,
    /// `E…`.
    pub(crate) id: String,
}

impl Org {
    fn of(workspace: Option<&str>, id: Option<&str>) -> Option<Self> {
        let named = |id: Option<&str>| id.filter(|id| !id.is_empty()).map(str::to_owned);
        Some(Self { workspace: named(workspace)?, id: named(id)? })
    }
}

impl SlashCommand {
    /// Who added Till, where that is not the workspace itself.
    pub(crate) fn org(&self) -> Option<Org> {
        let is_org = self.is_enterprise_install.as_deref() == Some("true");
        Org::of(Some(&self.team_id), self.enterprise_id.as_deref()).filter(|_| is_org)
    }
}

impl Interaction {
    /// Likewise.
    pub(crate) fn org(&self) -> Option<Org> {
        // Not the person's team: in a shared channel that is another's.
        let team = self.team.as_ref().map(|team| team.id.as_str());
        let enterprise = self.enterprise.as_ref().map(|enterprise| enterprise.id.as_str());
        Org::of(team, enterprise).filter(|_| self.is_enterprise_install)
    }
}

impl Outer {
    /// Likewise.
    pub(crate) fn org(&self) -> Option<Org> {
        let authorized = self.authorizations.as_ref()?.first().filter(|authorized| authorized.is_enterprise_install)?;
        Org::of(authorized.team_id.as_deref(), authorized.enterprise_id.as_deref())
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) subtype: Option<String>,
    #[serde(default)]
    pub(crate) bot_id: Option<String>,
    #[serde(default)]
    pub(crate) user: Option<String>,
    #[serde(default)]
    pub(crate) team: Option<String>,
    #[serde(default)]
    pub(crate) channel: Option<String>,
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) ts: String,
    #[serde(default)]
    pub(crate) thread_ts: Option<String>,
}
