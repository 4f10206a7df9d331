//! Slack: commands, forms and cards in a workspace.
//!
//! ```text
//! Slack ──HTTP, signed──► routes ─┐             ┌─► acknowledgement: a word in private, errors in a form, nothing
//!       ──Socket Mode───► socket ─┴► Heard ► desk ─► and what follows it: a form to open, a word in private
//! program ► Chat::post, edit, reply, whisper ► api ► slack-morphism ► Slack
//! ```
//! A card is a message of the bot's own, never an answer to a command, because Slack lets answers be edited for half an
//! hour alone (bolt-js#2063). Slack knows no key for a post: each carries the key as metadata, by which it is found
//! where the app may read the channel.
//!
//! Deliberately absent: the SDK's own listeners. They acknowledge what they cannot parse and hide which delivery is a
//! repeat; a command that asks for money must be neither lost nor done twice.

mod answer;
mod api;
mod chat;
mod home;
mod install;
mod manifest;
mod mrkdwn;
mod people;
mod receive;
mod render;
mod routes;
mod signature;
mod socket;
#[cfg(test)]
mod tests;
mod views;
mod wire;

pub use api::NoCertificates;
pub use install::{App, Random, Workspace, redirect_uri};
pub use manifest::{Extras, manifest};
pub use receive::Keywords;

use api::{Api, CallError};
use install::Installs;
use people::People;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use socket::Line;
use std::sync::{Arc, OnceLock};
use till_core::command::Grammar;
use till_core::id::MerchantId;
use till_core::money::Currency;
use till_core::place::PersonId;
use till_core::port::chat::{Health, SendError};
use till_core::port::desk::Desk;
use till_core::port::store::{Store, StoreError};
use till_core::text::{Locale, Tongues};
use till_core::time::Timestamp;
use tokio::sync::{Mutex, RwLock};

/// The adapter's name, in places and in the store.
pub const PLATFORM: &str = "slack";

/// What the present moment is read from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where Till may talk.
pub enum Tokens {
    /// In one workspace, by the bot's token, `xoxb-…`.
    Own(SecretString),
    /// In every workspace that adds the app.
    OfApp(Box<App>),
}

/// How Slack is reached, and how it reaches us.
pub struct Settings {
    /// Whose workspace it is.
    pub merchant: MerchantId,
    /// The Web API: `https://slack.com/api`.
    pub api_url: String,
    /// The app's token, `xapp-…`: with it, Socket Mode runs.
    pub app_token: Option<SecretString>,
    /// A user token of an administrator, `xoxp-…`: takes away what people wrote.
    pub admin_token: Option<SecretString>,
    /// The app's signing secret: with it, what Slack posts to `/slack/…` is heard.
    pub signing_secret: Option<SecretString>,
    /// How many sockets are open at once; Slack allows ten.
    pub connections: usize,
    /// Whether plain messages are read for commands.
    pub keywords: Keywords,
    /// How commands begin.
    pub grammar: Grammar,
    /// The merchant's own currency: the form begins with it.
    pub currency: Currency,
}

/// The tokens for calls.
enum Access {
    /// One, and the workspace that it belongs to, once Slack has said so.
    Own { token: SecretString, workspace: OnceLock<String> },
    /// One for each workspace that added Till.
    Installed(Arc<Installs>),
}

/// Slack, for one merchant.
pub struct Slack {
    settings: Settings,
    access: Access,
    store: Arc<dyn Store>,
    clock: Clock,
    tongues: Tongues,
    api: Api,
    people: People,
    line: Line,
    /// What the last look at Slack found.
    found: Mutex<Option<(Timestamp, Health)>>,
    /// Whoever answers people. Held for reading while something is being answered: who takes it for writing knows
    /// that nothing is.
    desk: RwLock<Option<Arc<dyn Desk>>>,
}

impl Slack {
    /// Nothing is called and nothing is heard before [`till_core::port::chat::Chat::listen`].
    ///
    /// # Errors
    /// [`NoCertificates`].
    pub fn new(
        settings: Settings,
        tokens: Tokens,
        store: Arc<dyn Store>,
        clock: Clock,
        tongues: Tongues,
    ) -> Result<Arc<Self>, NoCertificates> {
        let api = Api::new(&settings.api_url)?;
        let access = match tokens {
            Tokens::Own(token) => Access::Own { token, workspace: OnceLock::new() },
            Tokens::OfApp(app) => Access::Installed(Arc::new(Installs::new(
                *app,
                store.clone(),
                settings.merchant.clone(),
                settings.api_url.clone(),
                clock.clone(),
            ))),
        };
        Ok(Arc::new(Self {
            settings,
            access,
            store,
            clock,
            tongues,
            api,
            people: People::default(),
            line: Line::default(),
            found: Mutex::default(),
            desk: RwLock::default(),
        }))
    }

    /// What Slack posts to, where a signing secret is there; and the pages on which a workspace is added, where several
    /// can be.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        routes::router(self).merge(install::pages::router(self))
    }

    /// The workspaces that added Till, and the ids of those whose rows cannot be opened; `None` where it talks in one, by
    /// its token.
    ///
    /// # Errors
    /// [`StoreError`]: they cannot be read.
    pub async fn workspaces(&self) -> Result<Option<Vec<Result<Workspace, String>>>, StoreError> {
        match &self.access {
            Access::Own { .. } => Ok(None),
            Access::Installed(installs) => installs.all(self.now()).await.map(Some),
        }
    }

    /// Waits until no token is being renewed any more. Whoever used Slack without [`Chat::listen`] calls it at the end.
    ///
    /// [`Chat::listen`]: till_core::port::chat::Chat::listen
    pub async fn settle(&self) {
        if let Access::Installed(installs) = &self.access {
            installs.settle().await;
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// In the language of the place.
    fn word(&self, key: &str) -> String {
        self.tongues.own().say(key, &[])
    }

    /// The language of a person, as far as Slack has told it yet; else that of the place.
    fn tongue(&self, who: &PersonId) -> Locale {
        self.tongues.of(self.people.locale(&who.id, self.now()).as_deref())
    }

    /// Calls a method in a workspace, once.
    async fn call<R: DeserializeOwned + Send>(
        &self,
        workspace: &str,
        method: &str,
        body: Value,
    ) -> Result<R, SendError> {
        let now = self.now();
        let (token, installs) = match &self.access {
            Access::Own { workspace: ours, .. } if ours.get().is_some_and(|ours| ours != workspace) => {
                return Err(SendError::Gone);
            }
            Access::Own { token, .. } => return Ok(self.api.call(token, method, &body, now).await?),
            Access::Installed(installs) => (installs.token(workspace).await?, installs),
        };
        let body = of_workspace(body, method, workspace, &token);
        match self.api.call(&token.token, method, &body, now).await {
            Err(CallError::Refused(code)) if api::is_of_token(&code) => {
                match installs.refused(&token, &code).await? {
                    // Nothing was done with the old one, so that this is still the first try.
                    Some(newer) => Ok(self.api.call(&newer.token, method, &body, now).await?),
                    None => Err(SendError::AuthDead),
                }
            }
            done => Ok(done?),
        }
    }

    /// Whether we may talk in this workspace, as far as we know.
    async fn serves(&self, workspace: &str) -> Result<bool, SendError> {
        match &self.access {
            Access::Own { workspace: ours, .. } => Ok(ours.get().is_none_or(|ours| ours == workspace)),
            Access::Installed(installs) => installs.serves(workspace, self.now()).await,
        }
    }
}

/// A token of an organization says nothing about which workspace is meant, where the arguments do not.
///
/// Source: Slack docs, `usergroups.users.list`, "Arguments": `team_id` is "required if org token is used".
fn of_workspace(mut body: Value, method: &str, workspace: &str, token: &install::Held) -> Value {
    if token.is_org() && method == "usergroups.users.list" {
        body["team_id"] = workspace.into();
    }
    body
}
