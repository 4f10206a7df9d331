//! The live chat as one of the platforms that Till posts to.
//!
//! A message is a row: posting appends it under its key, so that the same key posts once for ever; editing changes it
//! and gives it the next number, so that every stream sends it again.

use crate::sessions::{staff_id, visitor_id};
use crate::{PLATFORM, Web, render};
use async_trait::async_trait;
use std::sync::Arc;
use till_core::card::Card;
use till_core::order::IdemKey;
use till_core::place::{MessageRef, PersonId, Place};
use till_core::port::chat::{
    Caps, Chat, Health, Person, Private, Rendered, Retracted, SendError, Standing, Stop, Twins,
};
use till_core::port::desk::Desk;
use till_core::port::store::StoreError;
use till_core::port::transcript::{NewLine, Readers};
use till_core::text::Locale;
use till_core::time::Timestamp;

/// What a page of ours can show.
const CAPS: Caps =
    Caps { text_max: 4_000, buttons_max: 5, url_max: 2_048, private: Private::Here, twins: Twins::Recognised };

#[async_trait]
impl Chat for Web {
    fn name(&self) -> &'static str {
        PLATFORM
    }

    fn caps(&self, _at: &Place) -> Caps {
        CAPS
    }

    fn render(&self, card: &Card, caps: &Caps, locale: &Locale) -> Rendered {
        render::card(card, caps, locale)
    }

    fn say(&self, text: &str, _to: &[PersonId], caps: &Caps) -> Rendered {
        render::text(text, caps)
    }

    /// Staff of the live chat are on the list by short names: `ana`.
    fn listed_as(&self, _who: &PersonId) -> Option<String> {
        None
    }

    async fn listen(self: Arc<Self>, desk: Arc<dyn Desk>, stop: Stop) -> Result<(), SendError> {
        *self.desk.write().await = Some(desk);
        stop.await;
        self.pulse.stop();
        // Waits for everybody who is being answered.
        *self.desk.write().await = None;
        Ok(())
    }

    async fn post(
        &self,
        to: &Place,
        message: &Rendered,
        key: &IdemKey,
        now: Timestamp,
    ) -> Result<MessageRef, SendError> {
        self.append(to, message, key, Readers::Everyone, now).await?.ok_or(SendError::Gone)
    }

    /// Posting under the key again finds it.
    async fn find(&self, _at: &Place, _key: &IdemKey, _now: Timestamp) -> Result<Option<MessageRef>, SendError> {
        Ok(None)
    }

    async fn edit(&self, at: &MessageRef, message: &Rendered, now: Timestamp) -> Result<(), SendError> {
        let id = at.id.parse::<i64>().map_err(|_| SendError::Gone)?;
        self.ours(&at.place)?;
        let line = self.transcript.replace(&self.settings.merchant, id, &message.body, now).await.map_err(failed)?;
        let line = line.ok_or(SendError::Gone)?;
        self.pulse.beat(&line.conversation);
        Ok(())
    }

    async fn reply(
        &self,
        at: &MessageRef,
        message: &Rendered,
        key: &IdemKey,
        now: Timestamp,
    ) -> Result<MessageRef, SendError> {
        self.post(&at.place, message, key, now).await
    }

    async fn whisper(
        &self,
        to: &PersonId,
        at: &Place,
        message: &Rendered,
        key: &IdemKey,
        now: Timestamp,
    ) -> Result<(), SendError> {
        let said = if self.staff_named(to).await?.is_some() {
            self.append(at, message, key, Readers::Staff, now).await?
        } else if let Some(conversation) = visited(to) {
            // A customer has one conversation, wherever the person who caused this was.
            let place = Place { channel: conversation.to_owned(), ..at.clone() };
            self.append(&place, message, key, Readers::Everyone, now).await?
        } else {
            None
        };
        said.map(|_| ()).ok_or(SendError::Forbidden)
    }

    /// The row itself says something else from now on: nothing is kept of what was written.
    async fn retract(
        &self,
        at: &MessageRef,
        _writer: &PersonId,
        _please: &Rendered,
        now: Timestamp,
    ) -> Result<Retracted, SendError> {
        let instead = render::text(&self.word("web-taken-away"), &CAPS);
        self.edit(at, &instead, now).await.map(|()| Retracted::Removed)
    }

    async fn person(&self, who: &PersonId, _at: &Place) -> Result<Option<Person>, SendError> {
        if let Some(staff) = self.staff_named(who).await? {
            return Ok(Some(Person { id: staff_id(&staff.id), name: staff.name, standing: Standing::Staff }));
        }
        let Some(id) = visited(who) else { return Ok(None) };
        let known = self.transcript.conversation(&self.settings.merchant, id).await.map_err(failed)?;
        Ok(known.map(|known| Person { id: visitor_id(&known.id), name: known.name, standing: Standing::Guest }))
    }

    async fn probe(&self) -> Health {
        match self.transcript.conversations(&self.settings.merchant, 1).await {
            Ok(_) => Health::Well,
            Err(error) => Health::Ill(error.to_string()),
        }
    }
}

impl Web {
    async fn append(
        &self,
        to: &Place,
        message: &Rendered,
        key: &IdemKey,
        readers: Readers,
        now: Timestamp,
    ) -> Result<Option<MessageRef>, SendError> {
        self.ours(to)?;
        let line = NewLine {
            conversation: to.channel.clone(),
            key: key.as_str().to_owned(),
            readers,
            author: "till".to_owned(),
            name: self.settings.merchant_name.clone(),
            body: message.body.clone(),
            at: now,
        };
        let Some(line) = self.transcript.append(&self.settings.merchant, line).await.map_err(failed)? else {
            return Ok(None);
        };
        self.pulse.beat(&line.conversation);
        Ok(Some(MessageRef { place: to.clone(), id: line.id.to_string() }))
    }

    /// Refuses a place of another platform or merchant.
    fn ours(&self, at: &Place) -> Result<(), SendError> {
        let ours = at.platform == PLATFORM && at.workspace == self.settings.merchant.as_str();
        if ours { Ok(()) } else { Err(SendError::Gone) }
    }

    async fn staff_named(&self, who: &PersonId) -> Result<Option<till_core::port::store::Staff>, SendError> {
        match who.id.strip_prefix("staff:") {
            Some(id) if who.platform == PLATFORM => self.staff_member(id).await.map_err(failed),
            Some(_) | None => Ok(None),
        }
    }
}

/// The conversation of a customer.
fn visited(who: &PersonId) -> Option<&str> {
    who.id.strip_prefix("visitor:").filter(|_| who.platform == PLATFORM)
}

/// Trying again is harmless, since a line is written once per key.
fn failed(error: StoreError) -> SendError {
    match error {
        StoreError::Unavailable(_) => SendError::Later { wait: None },
        StoreError::Unreadable { .. } => SendError::Bug(error.to_string()),
    }
}
