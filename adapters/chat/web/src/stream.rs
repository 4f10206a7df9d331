//! What a page hears: every line since the number it saw last, then each change as it happens.
//!
//! ```text
//! event: conversation   {"id","name","since","changed_at","seq"}   desk only: before its first line
//! event: line           {"id","seq","conversation",…}              with `id: seq`, where a reconnect goes on
//! event: ready          {}                                         all that was missed has been sent
//! event: beat           {}                                         every 15 s, so that a page notices a dead line
//! event: bye            {}                                         the session has ended: do not come back
//! ```
//! Lines are read from the store when the reader is ready for them, so a slow one holds nothing. One number may come
//! twice after a break, never be left out: the page knows lines by their id.

use crate::Web;
use crate::pulse::Ear;
use crate::render;
use crate::sessions::{Person, Side};
use axum::http::HeaderMap;
use axum::response::sse::Event;
use dashmap::DashMap;
use serde::Serialize;
use std::collections::HashSet;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use till_core::budget::network;
use till_core::card::Audience;
use till_core::port::store::StoreError;
use till_core::port::transcript::{Conversation, Line, Scope};
use till_core::time::Timestamp;

/// Lines that are read at once.
const PAGE: u32 = 100;
/// How far back the desk reads when it opens, in changes. What is older is read when its conversation is opened.
const DESK_WINDOW: u64 = 2_000;
/// Conversations in the desk's list.
pub(crate) const CONVERSATIONS_MAX: u32 = 200;
const BEAT: Duration = Duration::from_secs(15);
/// How soon a browser comes back.
const RETRY: Duration = Duration::from_secs(1);
const STREAMS_PER_SESSION_MAX: usize = 8;
/// An office or a mobile network has one address for many customers.
const STREAMS_PER_ADDRESS_MAX: usize = 200;
const STREAMS_MAX: usize = 4_000;

/// How many streams are open, by session and by address.
#[derive(Debug, Default)]
pub(crate) struct Streams(Arc<Open>);

#[derive(Debug, Default)]
struct Open {
    customers: AtomicUsize,
    by_holder: DashMap<String, usize>,
}

/// The right to one stream; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    open: Arc<Open>,
    /// The session, and of a customer the address.
    holders: Vec<String>,
    side: Side,
}

impl Streams {
    /// A seat, unless all are taken. Staff have seats of their own: no crowd of strangers shuts them out.
    pub(crate) fn seat(&self, session: &str, side: Side, address: Option<IpAddr>) -> Option<Seat> {
        // From here on dropping the seat counts down again.
        let mut seat = Seat { open: self.0.clone(), holders: Vec::new(), side };
        let mut fits = seat.take(session.to_owned(), STREAMS_PER_SESSION_MAX);
        if side == Side::Customer {
            fits &= self.0.customers.fetch_add(1, Ordering::SeqCst) < STREAMS_MAX;
            if let Some(address) = address {
                fits &= seat.take(format!("from {}", network(address)), STREAMS_PER_ADDRESS_MAX);
            }
        }
        fits.then_some(seat)
    }
}

impl Seat {
    /// Counts for a holder, and says whether that is within bounds.
    fn take(&mut self, holder: String, most: usize) -> bool {
        let mut taken = self.open.by_holder.entry(holder.clone()).or_insert(0);
        *taken += 1;
        let fits = *taken <= most;
        drop(taken);
        self.holders.push(holder);
        fits
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.side == Side::Customer {
            self.open.customers.fetch_sub(1, Ordering::SeqCst);
        }
        for holder in &self.holders {
            self.open.by_holder.alter(holder, |_, taken| taken.saturating_sub(1));
            self.open.by_holder.remove_if(holder, |_, taken| *taken == 0);
        }
    }
}

/// One open page.
struct Reader {
    web: Arc<Web>,
    ear: Ear,
    /// Whose conversation; `None` at the desk, which hears all.
    conversation: Option<String>,
    side: Side,
    headers: HeaderMap,
    after: u64,
    told: HashSet<String>,
    stage: Stage,
    beaten_at: Timestamp,
    _seat: Seat,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    CatchingUp,
    Live,
    Over,
}

/// The events for a page of this person, from after number `after`.
pub(crate) fn events(
    web: &Arc<Web>,
    person: &Person,
    headers: &HeaderMap,
    after: u64,
    seat: Seat,
) -> impl futures::Stream<Item = Result<Event, Infallible>> + use<> {
    let (side, conversation) = match person {
        Person::Visitor(visitor) => (Side::Customer, Some(visitor.conversation.clone())),
        Person::Clerk(_) => (Side::Desk, None),
    };
    let reader = Reader {
        ear: web.pulse.ear(),
        web: web.clone(),
        conversation,
        side,
        headers: headers.clone(),
        after,
        told: HashSet::new(),
        stage: Stage::Opening,
        beaten_at: web.now(),
        _seat: seat,
    };
    let batches = futures::stream::unfold(reader, Reader::next);
    futures::StreamExt::flat_map(batches, |batch| futures::stream::iter(batch.into_iter().map(Ok)))
}

impl Reader {
    async fn next(mut self) -> Option<(Vec<Event>, Self)> {
        loop {
            let events = match self.look().await {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(%error, "web chat: a stream waits, since the store did not answer");
                    self.wait().await;
                    continue;
                }
            };
            match self.stage {
                Stage::Over if events.is_empty() => return None,
                Stage::Opening | Stage::CatchingUp | Stage::Live | Stage::Over if !events.is_empty() => {
                    return Some((events, self));
                }
                Stage::Opening | Stage::CatchingUp | Stage::Live | Stage::Over => self.wait().await,
            }
        }
    }

    /// What is new, or nothing.
    async fn look(&mut self) -> Result<Vec<Event>, StoreError> {
        if self.web.pulse.stopped() {
            self.stage = Stage::Over;
        }
        match self.stage {
            Stage::Over => Ok(Vec::new()),
            Stage::Opening => {
                let mut events = vec![Event::default().retry(RETRY).event("hello").data("{}")];
                if self.conversation.is_none() {
                    events.extend(self.greet_desk().await?);
                }
                self.stage = Stage::CatchingUp;
                Ok(events)
            }
            Stage::CatchingUp => {
                let events = self.lines().await?;
                if !events.is_empty() {
                    return Ok(events);
                }
                self.stage = Stage::Live;
                Ok(vec![named("ready")])
            }
            Stage::Live => {
                let mut events = self.begun().await?;
                events.extend(self.lines().await?);
                if events.is_empty() { self.beat().await } else { Ok(events) }
            }
        }
    }

    /// The list of conversations; a desk that saw nothing yet begins a window back from the newest change.
    async fn greet_desk(&mut self) -> Result<Vec<Event>, StoreError> {
        let all = self.web.transcript.conversations(&self.web.settings.merchant, CONVERSATIONS_MAX).await?;
        let newest = all.iter().map(|conversation| conversation.seq).max().unwrap_or(0);
        self.after = self.after.max(newest.saturating_sub(DESK_WINDOW));
        Ok(all.iter().map(|conversation| self.tell(conversation)).collect())
    }

    /// Conversations that began without a line.
    async fn begun(&mut self) -> Result<Vec<Event>, StoreError> {
        if self.conversation.is_some() {
            return Ok(Vec::new());
        }
        let latest = self.web.transcript.conversations(&self.web.settings.merchant, 20).await?;
        let new: Vec<_> = latest.into_iter().filter(|one| !self.told.contains(&one.id)).collect();
        Ok(new.iter().map(|conversation| self.tell(conversation)).collect())
    }

    async fn lines(&mut self) -> Result<Vec<Event>, StoreError> {
        let (scope, audience) = match &self.conversation {
            Some(conversation) => (Scope::Customer(conversation), Audience::Anyone),
            None => (Scope::Desk, Audience::Staff),
        };
        let lines = self.web.transcript.since(&self.web.settings.merchant, scope, self.after, PAGE).await?;
        let mut events = Vec::with_capacity(lines.len());
        for line in lines {
            if self.conversation.is_none() && !self.told.contains(&line.conversation) {
                events.extend(self.introduce(&line).await?);
            }
            events.extend(event(&line, audience));
            self.after = self.after.max(line.seq);
        }
        Ok(events)
    }

    async fn introduce(&mut self, line: &Line) -> Result<Option<Event>, StoreError> {
        let known = self.web.transcript.conversation(&self.web.settings.merchant, &line.conversation).await?;
        Ok(known.map(|conversation| self.tell(&conversation)))
    }

    fn tell(&mut self, conversation: &Conversation) -> Event {
        self.told.insert(conversation.id.clone());
        json("conversation", conversation)
    }

    /// A sign of life when it is time for one, after a look whether the session still stands.
    async fn beat(&mut self) -> Result<Vec<Event>, StoreError> {
        let now = self.web.now();
        if now >= self.beaten_at && now.since(self.beaten_at) < BEAT {
            return Ok(Vec::new());
        }
        self.beaten_at = now;
        if self.web.who(self.side, &self.headers).await?.is_some() {
            return Ok(vec![named("beat")]);
        }
        self.stage = Stage::Over;
        Ok(vec![named("bye")])
    }

    async fn wait(&mut self) {
        let ours = self.conversation.as_deref();
        self.ear.wait(|changed| ours.is_none_or(|ours| ours == changed)).await;
    }
}

fn event(line: &Line, audience: Audience) -> Option<Event> {
    let shown = render::line(line, audience)?;
    Some(json("line", &shown).id(line.seq.to_string()))
}

fn named(name: &str) -> Event {
    Event::default().event(name).data("{}")
}

fn json(name: &str, content: &impl Serialize) -> Event {
    let text = serde_json::to_string(content).unwrap_or_else(|_| "{}".to_owned());
    Event::default().event(name).data(text)
}
