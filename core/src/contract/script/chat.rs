//! A chat that follows a script: it knows keys or does not, closes messages for editing, and forgets who is staff.

use super::super::seeded::Seeded;
use super::{Mishap, breathe};
use crate::card::Card;
use crate::order::IdemKey;
use crate::place::{MessageRef, PersonId, Place};
use crate::port::chat::{Caps, Chat, Health, Person, Private, Rendered, Retracted, SendError, Standing, Stop, Twins};
use crate::port::desk::Desk;
use crate::text::Locale;
use crate::time::Timestamp;
use async_trait::async_trait;
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A chat in memory.
pub struct ScriptedChat(Mutex<Room>);

struct Room {
    seeded: Seeded,
    trouble_percent: u64,
    closed_percent: u64,
    knows: Knows,
    twins: Twins,
    messages: Vec<Message>,
    changes: u64,
}

/// What the chat says when it is asked who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// Whoever's id begins with `staff:` is staff.
    Staff,
    /// Nobody is staff any more.
    Guests,
    /// Not now.
    NotNow,
}

/// One message in the room.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The key it was posted under.
    pub key: IdemKey,
    /// Its newest body.
    pub body: serde_json::Value,
    /// Whether the platform refuses to edit it.
    pub closed: bool,
    /// When it was written last, counted in changes of the room.
    pub change: u64,
}

impl ScriptedChat {
    /// One whose mishaps come from `seed`.
    pub fn new(seed: u64) -> Self {
        let seeded = Seeded::new(seed);
        Self(Mutex::new(Room {
            seeded,
            trouble_percent: 0,
            closed_percent: 0,
            knows: Knows::Staff,
            twins: Twins::Recognised,
            messages: Vec::new(),
            changes: 0,
        }))
    }

    /// It knows no keys: the same posted twice stands there twice, and an earlier one can be found.
    #[must_use]
    pub fn without_keys(self) -> Self {
        self.lock().twins = Twins::Posted { wait: Duration::from_secs(10) };
        self
    }

    /// Whether the same posted twice stands there once.
    pub fn knows_keys(&self) -> bool {
        self.lock().twins == Twins::Recognised
    }

    fn lock(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls in a hundred go wrong from now on, and how many edits close their message for ever.
    pub fn trouble(&self, percent: u64, closed_percent: u64) {
        let mut room = self.lock();
        (room.trouble_percent, room.closed_percent) = (percent, closed_percent);
    }

    /// What it says from now on when it is asked who somebody is.
    pub fn knows(&self, knows: Knows) {
        self.lock().knows = knows;
    }

    /// What stands in the room.
    pub fn messages(&self) -> Vec<Message> {
        self.lock().messages.clone()
    }

    /// What was written after so many changes of the room, and where it stands.
    pub fn since(&self, changes: u64) -> Vec<(usize, Message)> {
        let room = self.lock();
        if room.changes <= changes {
            return Vec::new();
        }
        room.messages.iter().cloned().enumerate().filter(|(_, it)| it.change > changes).collect()
    }

    /// One message.
    pub fn message(&self, at: &MessageRef) -> Option<Message> {
        self.lock().messages.get(at.id.parse::<usize>().ok()?).cloned()
    }

    async fn call<T>(&self, effect: impl FnOnce(&mut Room) -> Result<T, SendError>) -> Result<T, SendError> {
        breathe().await;
        let done = {
            let mut room = self.lock();
            let percent = room.trouble_percent;
            match Mishap::of(&mut room.seeded, percent) {
                Mishap::None => effect(&mut room),
                Mishap::Refused | Mishap::Failed => Err(SendError::Later { wait: None }),
                Mishap::BrokenBefore => Err(SendError::Ambiguous("502".into())),
                Mishap::Silent | Mishap::Garbled | Mishap::BrokenAfter => {
                    effect(&mut room).and(Err(SendError::Ambiguous("time ran out".into())))
                }
            }
        };
        breathe().await;
        done
    }
}

impl Room {
    /// A message under a key; where the platform knows keys, the first one under it stays.
    fn put(&mut self, place: &Place, message: &Rendered, key: &IdemKey) -> MessageRef {
        let known = self.at(key).filter(|_| self.twins == Twins::Recognised);
        let at = known.unwrap_or_else(|| {
            self.changes += 1;
            let (body, change) = (message.body.clone(), self.changes);
            self.messages.push(Message { key: key.clone(), body, closed: false, change });
            self.messages.len() - 1
        });
        MessageRef { place: place.clone(), id: at.to_string() }
    }

    fn at(&self, key: &IdemKey) -> Option<usize> {
        self.messages.iter().position(|known| known.key == *key)
    }
}

#[async_trait]
impl Chat for ScriptedChat {
    fn name(&self) -> &'static str {
        "script"
    }

    fn caps(&self, _: &Place) -> Caps {
        Caps { text_max: 4000, buttons_max: 5, url_max: 500, private: Private::Here, twins: self.lock().twins }
    }

    fn render(&self, card: &Card, _: &Caps, locale: &Locale) -> Rendered {
        Rendered { body: json!({ "card": card }), plain: card.plain(locale), losses: Vec::new() }
    }

    fn say(&self, text: &str, _: &[PersonId], _: &Caps) -> Rendered {
        Rendered { body: json!({ "text": text }), plain: text.to_owned(), losses: Vec::new() }
    }

    fn listed_as(&self, _: &PersonId) -> Option<String> {
        None
    }

    async fn listen(self: Arc<Self>, _: Arc<dyn Desk>, stop: Stop) -> Result<(), SendError> {
        stop.await;
        Ok(())
    }

    async fn post(&self, to: &Place, message: &Rendered, key: &IdemKey, _: Timestamp) -> Result<MessageRef, SendError> {
        self.call(|room| Ok(room.put(to, message, key))).await
    }

    async fn find(&self, at: &Place, key: &IdemKey, _: Timestamp) -> Result<Option<MessageRef>, SendError> {
        self.call(|room| Ok(room.at(key).map(|found| MessageRef { place: at.clone(), id: found.to_string() }))).await
    }

    async fn edit(&self, at: &MessageRef, message: &Rendered, _: Timestamp) -> Result<(), SendError> {
        let edit = |room: &mut Room| {
            let percent = room.closed_percent;
            let closes = room.seeded.chance(percent);
            room.changes += 1;
            let change = room.changes;
            let place = at.id.parse::<usize>().ok().and_then(|at| room.messages.get_mut(at));
            let Some(known) = place else { return Err(SendError::Gone) };
            known.closed |= closes;
            if known.closed {
                return Err(SendError::EditClosed);
            }
            (known.body, known.change) = (message.body.clone(), change);
            Ok(())
        };
        self.call(edit).await
    }

    async fn reply(
        &self,
        at: &MessageRef,
        message: &Rendered,
        key: &IdemKey,
        _: Timestamp,
    ) -> Result<MessageRef, SendError> {
        self.call(|room| Ok(room.put(&at.place, message, key))).await
    }

    async fn whisper(
        &self,
        _: &PersonId,
        at: &Place,
        message: &Rendered,
        key: &IdemKey,
        _: Timestamp,
    ) -> Result<(), SendError> {
        self.call(|room| Ok(room.put(at, message, key))).await.map(drop)
    }

    /// People write nothing here that stands as a message: they are always asked.
    async fn retract(&self, _: &MessageRef, _: &PersonId, _: &Rendered, _: Timestamp) -> Result<Retracted, SendError> {
        self.call(|_| Ok(Retracted::Asked)).await
    }

    async fn person(&self, who: &PersonId, _: &Place) -> Result<Option<Person>, SendError> {
        let look = |room: &mut Room| {
            let standing = match room.knows {
                Knows::NotNow => return Err(SendError::Later { wait: None }),
                Knows::Staff if who.id.starts_with("staff:") => Standing::Staff,
                Knows::Staff | Knows::Guests => Standing::Guest,
            };
            Ok(Some(Person { id: who.clone(), name: who.id.clone(), standing }))
        };
        self.call(look).await
    }

    async fn probe(&self) -> Health {
        Health::Well
    }
}
