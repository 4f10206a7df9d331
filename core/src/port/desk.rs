//! The desk: where every platform hands over what people type and press, and gets an answer to show.
//!
//! The desk authorises and commits, and is done; calls to providers and platforms follow from the outbox. So an
//! answer is there within the few seconds that platforms allow.

use crate::command::Mention;
use crate::id::Code;
use crate::place::{MessageRef, PersonId, Place};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Keys of this one human act: the platform's delivery id and the act's own coordinates. A repeat under any of
    /// them is answered with the first result. Never empty.
    pub keys: Vec<String>,
    /// Who.
    pub by: PersonId,
    /// Their name now.
    pub name: String,
    /// The language that their platform knows them to read: `de-DE`. `None`: that of the place.
    pub locale: Option<String>,
    /// Where.
    pub place: Place,
    /// The message of ours that it was done on.
    pub on: Option<MessageRef>,
    /// What.
    pub deed: Deed,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Typed something; whether it is a command is for the desk to say.
    Typed {
        /// The text as typed.
        text: String,
        /// Persons named in it.
        mentions: Vec<Mention>,
        /// Whether "the same again" was confirmed.
        again: Again,
    },
    /// Pressed a button of a card.
    Pressed {
        /// The button's token.
        token: String,
        /// What was typed into the button's form, where it has one: an amount to refund.
        amount: Option<String>,
    },
    /// Looks at the till as a whole: what is open, and what came in today.
    Overview,
    /// Wants to know more about a payment whose card they see.
    Wondered {
        /// Which.
        code: Code,
    },
    /// Followed a link of a card, where the platform tells.
    Followed {
        /// The payment it stands for.
        code: Code,
    },
}

/// Whether the person knows that they asked for the same a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// Has not been asked.
    Unasked,
    /// Pressed *One more*.
    Wanted,
}

/// What to show to the person who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ack", rename_all = "snake_case")]
pub enum Ack {
    /// It was no command: show it to everybody as talk.
    Talk,
    /// Done or refused: say this to the person alone.
    Say {
        /// The sentence.
        text: String,
        /// The payment it is about.
        code: Option<Code>,
    },
    /// Nothing to say.
    Nothing,
    /// Open the payment form.
    Form,
    /// The same was asked a moment ago: offer *Show it* and *One more*.
    Same {
        /// The sentence.
        text: String,
        /// The payment of a moment ago.
        code: Code,
    },
    /// Not now: nothing was done, the same may be sent again.
    Busy {
        /// The sentence.
        text: String,
    },
}

/// Whoever answers people.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Takes what a person did, commits what follows, and says what to show.
    async fn hear(&self, inbound: Inbound) -> Ack;
}
