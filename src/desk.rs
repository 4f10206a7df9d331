//! The desk: takes what people type and press, decides who may, commits, and answers at once.
//!
//! ```text
//! Inbound ─► who is it? ─► what is it? ─► decide (core) ─► commit: inbox keys, facts, outbox ─► Ack
//! ```
//! No provider and no platform is called here: that follows from the outbox. The same human act, delivered twice, is
//! answered with the first result.

mod act;
mod ask;
mod look;
mod verify;

use crate::book::{self, Loaded};
use crate::world::World;
use async_trait::async_trait;
use dashmap::DashMap;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use till_core::budget::{Budget, Rate};
use till_core::card::{Audience, EXTENDED_BY, Press};
use till_core::command::{Command, Said, Wish, help};
use till_core::id::{Code, PaymentId};
use till_core::money::Reading;
use till_core::order::IdemKey;
use till_core::payment::{self, Act, Answer, Refusal};
use till_core::place::{MessageRef, PersonId};
use till_core::port::chat::Standing;
use till_core::port::desk::{Ack, Again, Deed, Desk as Port, Inbound};
use till_core::port::store::{Change, InboxKey, NewWork, Shows, StoreError, Work};
use till_core::text::Locale;
use till_core::time::Timestamp;

/// How often one person may give a command.
const COMMANDS: Rate = Rate { burst: 30, every: Duration::from_secs(1) };
/// "The same a moment ago" reaches back this far.
const SAME: Duration = Duration::from_secs(60);

/// Answers people, on every platform.
pub struct Desk {
    world: Arc<World>,
    budgets: DashMap<PersonId, Budget>,
}

impl Desk {
    /// A desk of this world.
    pub fn new(world: Arc<World>) -> Self {
        Self { world, budgets: DashMap::new() }
    }

    fn within_budget(&self, by: &PersonId, now: Timestamp) -> Result<(), Duration> {
        // Who has not been here for long has a full budget, so their entry can go.
        if self.budgets.len() > 10_000 {
            self.budgets.clear();
        }
        self.budgets.entry(by.clone()).or_insert_with(|| Budget::full(COMMANDS, now)).take(COMMANDS, now)
    }
}

/// One act being answered, in the language of whoever did it.
struct Hearing<'a> {
    desk: &'a Desk,
    world: &'a Arc<World>,
    locale: Locale,
}

impl Hearing<'_> {
    fn say(&self, text: String) -> Ack {
        Ack::Say { text, code: None }
    }

    fn refuse(&self, refusal: &Refusal) -> Ack {
        self.say(refusal.say(&self.locale))
    }

    fn words(&self, key: &str, args: &[(&str, &str)]) -> String {
        self.locale.say(key, args)
    }

    /// `None`: they may. Whatever is asked costs as much as a command.
    fn too_often(&self, by: &PersonId, now: Timestamp) -> Option<Ack> {
        let wait = self.desk.within_budget(by, now).err()?;
        let seconds = wait.as_secs().max(1).to_string();
        Some(Ack::Busy { text: self.words("desk-slow-down", &[("seconds", &seconds)]) })
    }

    async fn answer(&self, inbound: &Inbound, now: Timestamp) -> Result<Ack, StoreError> {
        let is_asked = matches!(inbound.deed, Deed::Overview | Deed::Wondered { .. } | Deed::Pressed { .. });
        if is_asked && let Some(wait) = self.too_often(&inbound.by, now) {
            return Ok(wait);
        }
        match &inbound.deed {
            Deed::Typed { text, mentions, again } => {
                let reading = Reading { own: self.world.merchant.currency, locale: self.world.tongues.own() };
                let Some(read) = self.world.grammar.read(&Said { text, mentions }, &reading) else {
                    return Ok(Ack::Talk);
                };
                if let Some(wait) = self.too_often(&inbound.by, now) {
                    return Ok(wait);
                }
                match read {
                    Ok(Command::Help { about }) => Ok(self.say(help(&self.world.grammar, about, &self.locale))),
                    Ok(Command::Verify { what }) => {
                        let audience = if self.is_staff(inbound).await? { Audience::Staff } else { Audience::Anyone };
                        self.verify(&what, audience).await
                    }
                    _ if !self.is_staff(inbound).await? => Ok(self.not_staff(inbound)),
                    Ok(command) => self.command(inbound, text, command, *again, now).await,
                    Err(misread) => Ok(self.say(misread.say(&self.locale))),
                }
            }
            Deed::Overview if !self.is_staff(inbound).await? => Ok(self.not_staff(inbound)),
            Deed::Overview => self.overview(inbound, now).await,
            Deed::Wondered { code } => {
                if let Some(payment) = self.find(*code).await? {
                    self.notice_twin(inbound, payment, now).await?;
                }
                let audience = if self.is_staff(inbound).await? { Audience::Staff } else { Audience::Anyone };
                self.status(*code, audience).await
            }
            Deed::Followed { code } => {
                self.world.counts.add("link_followed");
                if let Some(payment) = self.find(*code).await? {
                    self.notice_twin(inbound, payment, now).await?;
                }
                Ok(Ack::Nothing)
            }
            Deed::Pressed { token, amount } => {
                let press = Press::read(token);
                if let Some(press) = press {
                    self.notice_twin(inbound, press.payment, now).await?;
                }
                if !self.is_staff(inbound).await? {
                    return Ok(self.not_staff(inbound));
                }
                self.press(inbound, press, amount.as_deref(), now).await
            }
        }
    }

    async fn press(
        &self,
        inbound: &Inbound,
        press: Option<Press>,
        amount: Option<&str>,
        now: Timestamp,
    ) -> Result<Ack, StoreError> {
        let Some(Press { act, payment, mark }) = press else { return Ok(self.old_button()) };
        match act {
            Act::Cancel => self.cancel(inbound, payment, now).await,
            Act::Refund => self.refund(inbound, payment, amount, now).await,
            Act::Renew => self.renew(inbound, payment, now).await,
            Act::Remind => self.remind(inbound, payment, now).await,
            Act::Extend => self.extend(inbound, payment, EXTENDED_BY, now).await,
            Act::Accept => self.resolve(inbound, payment, Answer::Yes, Some(mark), now).await,
            Act::Approve => self.approve(inbound, payment, Answer::Yes, now).await,
            Act::Reject => self.reject(inbound, payment, Some(mark), now).await,
            Act::Honour => self.honour(inbound, payment, now).await,
            Act::ApproveRefund | Act::RefuseRefund => Ok(self.old_button()),
        }
    }

    fn old_button(&self) -> Ack {
        let example = format!("{} help", self.world.grammar.till());
        self.say(self.words("desk-old-button", &[("example", &example)]))
    }

    /// Who may, and how whoever hosts Till lets this person.
    fn not_staff(&self, inbound: &Inbound) -> Ack {
        let refusal = Refusal::NotStaff.say(&self.locale);
        let chat = self.world.chats.get(inbound.by.platform.as_str());
        let Some(listed) = chat.and_then(|chat| chat.listed_as(&inbound.by)) else { return self.say(refusal) };
        self.say(format!("{refusal} {}", self.words("desk-how-to-list", &[("listed", &listed)])))
    }

    /// A message that shows a card beside the one we know of is marked, once: a post without a clear answer left it.
    async fn notice_twin(&self, inbound: &Inbound, id: PaymentId, now: Timestamp) -> Result<(), StoreError> {
        let Some(twin) = &inbound.on else { return Ok(()) };
        let known = self.world.store.card_messages(&self.world.merchant.id, id).await?;
        // A message that has replies may be told of as one in a thread: the channel and its id say which it is.
        let same = |it: &MessageRef| it.id == twin.id && it.place.channel == twin.place.channel;
        if known.is_empty() || known.iter().any(same) {
            return Ok(());
        }
        let written = book::write::<()>(self.world, &self.world.merchant.id, id, now, |loaded, commit| {
            let work = NewWork {
                key: IdemKey::show(id, &format!("twin:{}", twin.id)),
                work: Work::Supersede { twin: twin.clone() },
                due: now,
            };
            // It may be the card's successor, whose answer is on its way: then one more edit comes last.
            let owing = book::owing(self.world, loaded, vec![work], now);
            commit.payment = Some(Change { shows: Shows::OnCards, ..owing });
            Ok(())
        });
        // Where it was contended, the next click finds it again.
        written.await.map(drop)
    }

    async fn command(
        &self,
        inbound: &Inbound,
        text: &str,
        command: Command,
        again: Again,
        now: Timestamp,
    ) -> Result<Ack, StoreError> {
        match command {
            Command::Pay(pay) => self.pay(inbound, text, pay, again, now).await,
            Command::Form => Ok(Ack::Form),
            Command::About { code, wish } => match self.find(code).await? {
                Some(id) => self.wish(inbound, id, wish, now).await,
                None => Ok(self.refuse(&payment::unknown(code))),
            },
            Command::Status { code: Some(code) } => self.status(code, Audience::Staff).await,
            Command::Status { code: None } => self.newest().await,
            Command::Payments { status } => self.payments(status).await,
            Command::Verify { what } => self.verify(&what, Audience::Staff).await,
            Command::Help { about } => Ok(self.say(help(&self.world.grammar, about, &self.locale))),
        }
    }

    async fn wish(&self, inbound: &Inbound, id: PaymentId, wish: Wish, now: Timestamp) -> Result<Ack, StoreError> {
        match wish {
            Wish::Cancel => self.cancel(inbound, id, now).await,
            Wish::Refund { amount, reason: _ } => self.refund(inbound, id, amount.as_deref(), now).await,
            Wish::Remind => self.remind(inbound, id, now).await,
            Wish::Extend { more } => self.extend(inbound, id, more, now).await,
            Wish::Renew => self.renew(inbound, id, now).await,
            Wish::Approve => self.approve(inbound, id, Answer::Yes, now).await,
            Wish::Reject => self.reject(inbound, id, None, now).await,
            Wish::Accept => self.resolve(inbound, id, Answer::Yes, None, now).await,
            Wish::Honour => self.honour(inbound, id, now).await,
            Wish::Retry => self.retry(id, now).await,
        }
    }

    /// Whether they may. Where their platform cannot say so now, nothing is decided, and the same may be sent again.
    async fn is_staff(&self, inbound: &Inbound) -> Result<bool, StoreError> {
        let Some(chat) = self.world.chats.get(inbound.by.platform.as_str()) else { return Ok(false) };
        let person = chat.person(&inbound.by, &inbound.place).await;
        let person = person
            .map_err(|error| StoreError::Unavailable(format!("{} could not be looked up: {error}", inbound.by)))?;
        Ok(person.is_some_and(|person| person.standing == Standing::Staff))
    }

    async fn find(&self, code: Code) -> Result<Option<PaymentId>, StoreError> {
        self.world.store.payment_by_code(&self.world.merchant.id, code).await
    }

    async fn load(&self, id: PaymentId) -> Result<Option<Loaded>, StoreError> {
        book::load(self.world, &self.world.merchant.id, id).await
    }
}

#[async_trait]
impl Port for Desk {
    async fn hear(&self, inbound: Inbound) -> Ack {
        let now = (self.world.clock)();
        let locale = self.world.tongues.of(inbound.locale.as_deref());
        let hearing = Hearing { desk: self, world: &self.world, locale };
        match hearing.answer(&inbound, now).await {
            Ok(ack) => ack,
            Err(error) => {
                tracing::error!(by = %inbound.by, %error, "the desk could not answer {}: {error}", inbound.by);
                Ack::Busy { text: hearing.words("desk-busy", &[]) }
            }
        }
    }
}

/// Every key of the act, so that a repeat under any of them is known.
fn inbox_keys(inbound: &Inbound) -> Vec<InboxKey> {
    let key = |key: &String| InboxKey { source: inbound.by.platform.clone(), key: format!("{}/{key}", inbound.by.id) };
    inbound.keys.iter().map(key).collect()
}

/// Who, where and what, so that the same text twice within a moment is noticed.
fn digest(inbound: &Inbound, text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let act = format!("{}\n{}\n{}", inbound.by, inbound.place, words.join(" ").to_lowercase());
    hex::encode(Sha256::digest(act.as_bytes()))
}
