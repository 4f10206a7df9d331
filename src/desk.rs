//! The desk: takes what people type and press, decides who may, commits, and answers at once.
//!
//! ```text
//! Inbound ─► who is it? ─► what is it? ─► decide (core) ─► commit: inbox keys, facts, outbox ─► Ack
//! ```
//! No provider and no platform is called here: that follows from the outbox. The same human act, delivered twice, is
//! answered with the first result.

mod ask;
mod look;

use crate::book::{self, Loaded, Written};
use crate::world::World;
use async_trait::async_trait;
use dashmap::DashMap;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use till_core::budget::{Budget, Rate};
use till_core::card::{Audience, Press};
use till_core::command::{Command, Said, help};
use till_core::id::{Code, PaymentId, RefundId};
use till_core::money::{Money, Reading};
use till_core::order::IdemKey;
use till_core::payment::{self, Act, Decision, OutToday, Refusal};
use till_core::place::{MessageRef, PersonId};
use till_core::port::chat::Standing;
use till_core::port::desk::{Ack, Again, Deed, Desk as Port, Inbound};
use till_core::port::store::{Change, Commit, InboxKey, NewWork, Shows, StoreError, TotalChange, Work};
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
        match press {
            Some(Press { act: Act::Cancel, payment }) => self.cancel(inbound, payment, now).await,
            Some(Press { act: Act::Refund, payment }) => self.refund(inbound, payment, amount, now).await,
            Some(Press { act: Act::Renew, payment }) => self.renew(inbound, payment, now).await,
            Some(_) | None => {
                let example = format!("{} help", self.world.grammar.till());
                Ok(self.say(self.words("desk-old-button", &[("example", &example)])))
            }
        }
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
            Command::Cancel { code } => match self.find(code).await? {
                Some(id) => self.cancel(inbound, id, now).await,
                None => Ok(self.refuse(&payment::unknown(code))),
            },
            Command::Renew { code } => match self.find(code).await? {
                Some(id) => self.renew(inbound, id, now).await,
                None => Ok(self.refuse(&payment::unknown(code))),
            },
            Command::Refund { code, amount, .. } => match self.find(code).await? {
                Some(id) => self.refund(inbound, id, amount.as_deref(), now).await,
                None => Ok(self.refuse(&payment::unknown(code))),
            },
            Command::Status { code: Some(code) } => self.status(code, Audience::Staff).await,
            Command::Status { code: None } => self.newest().await,
            Command::Help { about } => Ok(self.say(help(&self.world.grammar, about, &self.locale))),
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

    async fn cancel(&self, inbound: &Inbound, id: PaymentId, now: Timestamp) -> Result<Ack, StoreError> {
        let written = book::write(self.world, &self.world.merchant.id, id, now, |loaded, commit| {
            let decision = payment::cancel(&loaded.payment, &inbound.by)?;
            commit.inbox = inbox_keys(inbound);
            commit.payment = book::change(self.world, loaded, decision.facts, Vec::new(), Vec::new(), now);
            Ok(())
        });
        let written = written.await?;
        match written {
            Written::No(refusal) => self.refused(inbound, id, refusal).await,
            other => self.told(id, other, |code| self.words("desk-cancelled", &[("code", code)])).await,
        }
    }

    /// Refused; unless this very act was answered before, and is refused only because of what it did itself.
    async fn refused(&self, inbound: &Inbound, id: PaymentId, refusal: Refusal) -> Result<Ack, StoreError> {
        match self.world.store.answered(&self.world.merchant.id, &inbox_keys(inbound)).await? {
            Some(known) => self.told(id, Written::Duplicate(Some(known)), |_| String::new()).await,
            None => Ok(self.refuse(&refusal)),
        }
    }

    async fn refund(
        &self,
        inbound: &Inbound,
        id: PaymentId,
        amount: Option<&str>,
        now: Timestamp,
    ) -> Result<Ack, StoreError> {
        let Some(loaded) = self.load(id).await? else { return Ok(self.refuse(&Refusal::Unknown(id.to_string()))) };
        let locale = &self.locale;
        // Its form was filled in the place's language.
        let reading = Reading { own: loaded.payment.amount.currency(), locale: self.world.tongues.own() };
        let amount = match amount.filter(|text| !text.trim().is_empty()).map(|text| Money::read(text, &reading)) {
            None => None,
            Some(Ok(amount)) => Some(amount),
            Some(Err(bad)) => return Ok(self.say(bad.say(locale))),
        };
        let refund = self.world.draw(|entropy| RefundId::new(now, entropy));
        for _ in 0..book::TRIES {
            let Some(loaded) = self.load(id).await? else { break };
            let mut commit = Commit::new(&self.world.merchant.id, now);
            let decision = match self.decide_refund(inbound, &loaded, amount, refund, &mut commit, now).await? {
                Ok(decision) => decision,
                Err(refusal) => return self.refused(inbound, id, refusal).await,
            };
            commit.inbox = inbox_keys(inbound);
            commit.payment = book::change(self.world, &loaded, decision.facts, Vec::new(), Vec::new(), now);
            if let Some(written) = book::attempt(self.world, loaded, commit).await? {
                let out = decision.money_out.map(|out| out.text(locale)).unwrap_or_default();
                return self
                    .told(id, written, |code| self.words("desk-refunding", &[("code", code), ("amount", &out)]))
                    .await;
            }
        }
        Ok(Ack::Busy { text: self.words("desk-busy", &[]) })
    }

    /// Reads today's totals, decides, and names the versions that were read.
    async fn decide_refund(
        &self,
        inbound: &Inbound,
        loaded: &Loaded,
        amount: Option<Money>,
        refund: RefundId,
        commit: &mut Commit,
        now: Timestamp,
    ) -> Result<Result<Decision, Refusal>, StoreError> {
        let (merchant, currency) = (&self.world.merchant, loaded.payment.amount.currency());
        let keys = book::refund_totals(now, currency, &inbound.by);
        let person = self.world.store.total(&merchant.id, &keys[0]).await?;
        let all = self.world.store.total(&merchant.id, &keys[1]).await?;
        let today = OutToday { person: person.minor, merchant: all.minor };
        let decision = payment::refund(&loaded.payment, amount, &inbound.by, refund, &merchant.limits, today);
        if let Ok(Decision { money_out: Some(out), .. }) = &decision {
            let changes = keys.into_iter().zip([person, all]);
            commit.totals = changes
                .map(|(key, total)| TotalChange { key, version: total.version, add_minor: out.minor() })
                .collect();
        }
        Ok(decision)
    }

    /// What to tell whoever wanted it.
    async fn told(
        &self,
        id: PaymentId,
        written: Written<Refusal>,
        done: impl FnOnce(&str) -> String,
    ) -> Result<Ack, StoreError> {
        Ok(match written {
            Written::Done(loaded) => {
                let code = loaded.stored.code;
                Ack::Say { text: done(&code.to_string()), code: Some(code) }
            }
            Written::No(refusal) => self.refuse(&refusal),
            Written::Unknown => self.refuse(&Refusal::Unknown(id.to_string())),
            Written::Duplicate(known) => {
                let loaded = self.load(known.unwrap_or(id)).await?;
                let code = loaded.map(|loaded| loaded.stored.code);
                let shown = code.map(|code| code.to_string()).unwrap_or_default();
                Ack::Say { text: self.words("desk-done-before", &[("code", &shown)]), code }
            }
            Written::FenceLost | Written::Contended => Ack::Busy { text: self.words("desk-busy", &[]) },
        })
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
