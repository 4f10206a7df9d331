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
pub use manifest::{Extras, manifest};
pub use receive::Keywords;

use api::Api;
use people::People;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use socket::Line;
use std::sync::{Arc, OnceLock};
use till_core::command::Grammar;
use till_core::id::MerchantId;
use till_core::money::Currency;
use till_core::port::chat::{Health, SendError};
use till_core::port::desk::Desk;
use till_core::port::store::Store;
use till_core::text::Locale;
use till_core::time::Timestamp;
use tokio::sync::{Mutex, RwLock};

/// The adapter's name, in places and in the store.
pub const PLATFORM: &str = "slack";

/// What the present moment is read from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How Slack is reached, and how it reaches us.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose workspace it is.
    pub merchant: MerchantId,
    /// The Web API: `https://slack.com/api`.
    pub api_url: String,
    /// The bot's token, `xoxb-…`.
    pub bot_token: SecretString,
    /// The app's token, `xapp-…`: with it, Socket Mode runs.
    pub app_token: Option<SecretString>,
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

/// Slack, for one merchant.
pub struct Slack {
    settings: Settings,
    store: Arc<dyn Store>,
    clock: Clock,
    locale: Locale,
    api: Api,
    people: People,
    line: Line,
    /// The workspace that the bot's token belongs to, once Slack has said so.
    workspace: OnceLock<String>,
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
        store: Arc<dyn Store>,
        clock: Clock,
        locale: Locale,
    ) -> Result<Arc<Self>, NoCertificates> {
        let api = Api::new(&settings.api_url)?;
        Ok(Arc::new(Self {
            settings,
            store,
            clock,
            locale,
            api,
            people: People::default(),
            line: Line::default(),
            workspace: OnceLock::new(),
            found: Mutex::default(),
            desk: RwLock::default(),
        }))
    }

    /// Everything below `/slack`, where a signing secret is there; else nothing.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        routes::router(self)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn word(&self, key: &str) -> String {
        self.locale.say(key, &[])
    }

    /// Calls a method in a workspace, once.
    async fn call<R: DeserializeOwned + Send>(
        &self,
        workspace: &str,
        method: &str,
        body: Value,
    ) -> Result<R, SendError> {
        if self.workspace.get().is_some_and(|ours| ours != workspace) {
            return Err(SendError::Gone);
        }
        Ok(self.api.call(&self.settings.bot_token, method, &body, self.now()).await?)
    }
}
