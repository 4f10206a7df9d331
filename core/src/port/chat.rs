//! A chat platform: where staff and customers talk, and where cards stand.
//!
//! [`Chat::render`] is pure and total. The rest tries **once** and says how it failed; retry, order and rate budget
//! belong to whoever calls.

use crate::card::Card;
use crate::order::IdemKey;
use crate::place::{MessageRef, PersonId, Place};
use crate::port::desk::Desk;
use crate::text::Locale;
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What a place can show. Numbers are characters or counts; what it lacks is data, not a missing method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Longest text of one message, in characters.
    pub text_max: usize,
    /// Most buttons on one card; 0 where there are none.
    pub buttons_max: usize,
    /// Longest URL behind a button, in characters; a longer one goes into the text.
    pub url_max: usize,
    /// How something is said to one person.
    pub private: Private,
    /// What the same key posted twice makes.
    pub twins: Twins,
}

/// What a platform makes of the same key twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twins {
    /// One message: it knows keys.
    Recognised,
    /// Two. After a post without a clear answer, this long goes by before the next one.
    Posted {
        /// By then, a post that was taken can be found.
        wait: Duration,
    },
}

/// How a place says something to one person alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Private {
    /// In the place itself.
    Here,
    /// In a direct conversation.
    Direct,
}

/// A message in the platform's own form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// What the adapter posts; only it knows the shape.
    pub body: Value,
    /// The same as text; of a card, always with the link.
    pub plain: String,
    /// What the place could not show.
    pub losses: Vec<Loss>,
}

/// What was lost in rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// A button became text.
    Button,
    /// A text was cut.
    Text,
}

/// A person, as the platform knows them now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// Their display name.
    pub name: String,
    /// Whether they are staff of the merchant at this moment.
    pub standing: Standing,
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// May ask for money.
    Staff,
    /// Talks, clicks and pays.
    Guest,
}

/// A send did not happen, or perhaps did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Surely not sent; again later, not before `wait` where given.
    #[error("not now")]
    Later {
        /// How long the platform asks us to wait.
        wait: Option<Duration>,
    },
    /// The message or place is gone.
    #[error("gone")]
    Gone,
    /// The message stands and cannot be edited any more.
    #[error("cannot be edited any more")]
    EditClosed,
    /// We may not.
    #[error("forbidden")]
    Forbidden,
    /// Our credentials are dead.
    #[error("credentials refused")]
    AuthDead,
    /// Larger than the platform takes.
    #[error("too big")]
    TooBig,
    /// May have been sent.
    #[error("no clear answer: {0}")]
    Ambiguous(String),
    /// A bug here or there.
    #[error("{0}")]
    Bug(String),
}

/// What became of a message that should not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retracted {
    /// It is gone for everybody.
    Removed,
    /// We may not; its writer was asked. Whoever calls tells staff.
    Asked,
}

/// How a platform is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Works.
    Well,
    /// Does not, and why.
    Ill(String),
}

/// A chat platform.
#[async_trait]
pub trait Chat: Send + Sync {
    /// The name in [`Place::platform`] and in the configuration.
    fn name(&self) -> &'static str;

    /// What this place can show.
    fn caps(&self, at: &Place) -> Caps;

    /// A card in the platform's form. Never fails: what does not fit is degraded and reported in `losses`.
    fn render(&self, card: &Card, caps: &Caps, locale: &Locale) -> Rendered;

    /// A short text in the platform's form, which notifies these people where a text can.
    fn say(&self, text: &str, to: &[PersonId], caps: &Caps) -> Rendered;

    /// How this person is named on the staff list (`till staff add …`). `None`: the list has names of its own.
    fn listed_as(&self, who: &PersonId) -> Option<String>;

    /// Hands what people type and press to the desk until `stop` is done. Returns when nothing is held any more.
    ///
    /// # Errors
    /// [`SendError`] when the platform cannot be listened to.
    async fn listen(self: Arc<Self>, desk: Arc<dyn Desk>, stop: Stop) -> Result<(), SendError>;

    /// Posts a new message. The same key posts once, where the platform can tell.
    ///
    /// # Errors
    /// [`SendError`].
    async fn post(
        &self,
        to: &Place,
        message: &Rendered,
        key: &IdemKey,
        now: Timestamp,
    ) -> Result<MessageRef, SendError>;

    /// The message that was posted under this key, as far as the platform can tell; asked before a post is repeated
    /// where [`Twins::Posted`].
    ///
    /// # Errors
    /// [`SendError`].
    async fn find(&self, at: &Place, key: &IdemKey, now: Timestamp) -> Result<Option<MessageRef>, SendError>;

    /// Replaces a message of ours.
    ///
    /// # Errors
    /// [`SendError`]; `EditClosed`, `Gone` and `Forbidden` ask for a successor.
    async fn edit(&self, at: &MessageRef, message: &Rendered, now: Timestamp) -> Result<(), SendError>;

    /// Posts below a message, where the platform has threads; else in the same place.
    ///
    /// # Errors
    /// [`SendError`].
    async fn reply(
        &self,
        at: &MessageRef,
        message: &Rendered,
        key: &IdemKey,
        now: Timestamp,
    ) -> Result<MessageRef, SendError>;

    /// Tells one person in private.
    ///
    /// # Errors
    /// [`SendError::Forbidden`] when the person cannot be reached.
    async fn whisper(
        &self,
        to: &PersonId,
        at: &Place,
        message: &Rendered,
        key: &IdemKey,
        now: Timestamp,
    ) -> Result<(), SendError>;

    /// Takes away what a person wrote, where the platform lets us; else asks them in private, with `please`, to do it.
    ///
    /// # Errors
    /// [`SendError`]; `Gone` where it does not stand any more.
    async fn retract(
        &self,
        at: &MessageRef,
        writer: &PersonId,
        please: &Rendered,
        now: Timestamp,
    ) -> Result<Retracted, SendError>;

    /// Who somebody is right now. `None`: nobody of that id.
    ///
    /// # Errors
    /// [`SendError`].
    async fn person(&self, who: &PersonId, at: &Place) -> Result<Option<Person>, SendError>;

    /// Whether the platform works.
    async fn probe(&self) -> Health;
}

/// Resolves when it is time to stop.
pub type Stop = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
