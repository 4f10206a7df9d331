//! What staff do to a payment that is there: call it off, send money back, say it again, move its deadline, decide.
//!
//! ```text
//! load ─► decide (core) ─► commit: inbox keys, facts, totals, outbox ─► what to tell whoever wanted it
//! ```
//! Deliberately absent: who may, which was settled before; and calls to anybody, which follow from the outbox.

use super::{Hearing, inbox_keys};
use crate::book::{self, Loaded, Written};
use crate::checkouts::telling;
use std::time::Duration;
use till_core::id::{PaymentId, RefundId};
use till_core::money::{Money, Reading};
use till_core::order::IdemKey;
use till_core::payment::{self, Answer, Decision, OutToday, Payment, Refusal, Status};
use till_core::port::desk::{Ack, Inbound};
use till_core::port::store::{Commit, Committed, NewWork, Recent, StoreError, TotalChange, Work};
use till_core::port::upkeep::Which;
use till_core::time::Timestamp;

/// A payment is said again at most this often.
const REMINDED_EVERY: Duration = Duration::from_secs(600);

impl Hearing<'_> {
    pub(super) async fn cancel(&self, inbound: &Inbound, id: PaymentId, now: Timestamp) -> Result<Ack, StoreError> {
        let decide = |payment: &Payment| payment::cancel(payment, &inbound.by);
        self.decide(inbound, id, now, decide, |_, code| self.words("desk-cancelled", &[("code", code)])).await
    }

    pub(super) async fn extend(
        &self,
        inbound: &Inbound,
        id: PaymentId,
        more: Duration,
        now: Timestamp,
    ) -> Result<Ack, StoreError> {
        let decide = |payment: &Payment| payment::extend(payment, more, &inbound.by, now);
        let done = |before: &Payment, code: &str| {
            let until = before.deadline.max(now).after(more).text();
            self.words("desk-extended", &[("code", code), ("until", &until)])
        };
        self.decide(inbound, id, now, decide, done).await
    }

    /// Agrees with what somebody else asked for, or not; whoever asked is told.
    pub(super) async fn approve(
        &self,
        inbound: &Inbound,
        id: PaymentId,
        answer: Answer,
        now: Timestamp,
    ) -> Result<Ack, StoreError> {
        let what = if answer == Answer::Yes { "approved" } else { "not-approved" };
        let written = book::write(self.world, &self.world.merchant.id, id, now, |loaded, commit| {
            let decision = payment::approve(&loaded.payment, answer, &inbound.by)?;
            let stored = &loaded.stored;
            // Whoever pays agrees to nothing.
            if answer == Answer::Yes && stored.wording.payer.as_ref() == Some(&inbound.by) {
                return Err(Refusal::OwnRequest);
            }
            let args = [("code", &stored.code.to_string()[..]), ("name", &inbound.name)];
            let text = self.world.merchant.locale.say(&format!("tell-{what}"), &args);
            let tell = telling(id, what, loaded.payment.asked_by.clone(), &stored.place, text, now);
            let work = decision.facts.iter().filter_map(|fact| book::checkout_work(self.world, loaded, fact, now));
            let work = work.chain([tell]).collect();
            commit.inbox = inbox_keys(inbound);
            commit.payment = book::change(self.world, loaded, decision.facts, Vec::new(), work, now);
            Ok(())
        });
        match written.await? {
            Written::No(refusal) => self.refused(inbound, id, refusal).await,
            other => self.told(id, other, |_, code| self.words(&format!("desk-{what}"), &[("code", code)])).await,
        }
    }

    /// Does not agree: with the request where it waits for that, else with money that does not fit.
    pub(super) async fn reject(
        &self,
        inbound: &Inbound,
        id: PaymentId,
        shown: Option<u32>,
        now: Timestamp,
    ) -> Result<Ack, StoreError> {
        let waits = self.load(id).await?.is_some_and(|it| it.payment.status() == Status::PendingApproval);
        match waits {
            true => self.approve(inbound, id, Answer::No, now).await,
            false => self.resolve(inbound, id, Answer::No, shown, now).await,
        }
    }

    /// Decides about money that does not fit. A press decides about what stood on its card, and nothing else.
    pub(super) async fn resolve(
        &self,
        inbound: &Inbound,
        id: PaymentId,
        answer: Answer,
        shown: Option<u32>,
        now: Timestamp,
    ) -> Result<Ack, StoreError> {
        let decide = |payment: &Payment| payment::resolve(payment, answer, shown, &inbound.by);
        let done = |before: &Payment, code: &str| {
            let counts = |it: Money| answer == Answer::No || it.currency() == before.amount.currency();
            let held = before.held().map(|(_, it)| it.amount).filter(|it| counts(*it));
            let held: Vec<String> = held.map(|it| it.text(&self.locale)).collect();
            let key = if answer == Answer::Yes { "desk-accepted" } else { "desk-rejected" };
            self.words(key, &[("code", code), ("amount", &held.join(" + "))])
        };
        self.decide(inbound, id, now, decide, done).await
    }

    pub(super) async fn honour(&self, inbound: &Inbound, id: PaymentId, now: Timestamp) -> Result<Ack, StoreError> {
        let decide = |payment: &Payment| payment::honour(payment, &inbound.by);
        self.decide(inbound, id, now, decide, |_, code| self.words("desk-honoured", &[("code", code)])).await
    }

    /// Decides by the payment alone, and says what came of it.
    async fn decide(
        &self,
        inbound: &Inbound,
        id: PaymentId,
        now: Timestamp,
        decide: impl Fn(&Payment) -> Result<Decision, Refusal>,
        done: impl FnOnce(&Payment, &str) -> String,
    ) -> Result<Ack, StoreError> {
        let written = book::write(self.world, &self.world.merchant.id, id, now, |loaded, commit| {
            let decision = decide(&loaded.payment)?;
            commit.inbox = inbox_keys(inbound);
            commit.payment = book::change(self.world, loaded, decision.facts, Vec::new(), Vec::new(), now);
            Ok(())
        });
        match written.await? {
            Written::No(refusal) => self.refused(inbound, id, refusal).await,
            other => self.told(id, other, done).await,
        }
    }

    /// Refused; unless this very act was answered before, and is refused only because of what it did itself.
    async fn refused(&self, inbound: &Inbound, id: PaymentId, refusal: Refusal) -> Result<Ack, StoreError> {
        match self.world.store.answered(&self.world.merchant.id, &inbox_keys(inbound)).await? {
            Some(known) => self.told(id, Written::Duplicate(Some(known)), |_, _| String::new()).await,
            None => Ok(self.refuse(&refusal)),
        }
    }

    /// Says a payment again below its card. Once in a while: what was said a moment ago is not said twice.
    pub(super) async fn remind(&self, inbound: &Inbound, id: PaymentId, now: Timestamp) -> Result<Ack, StoreError> {
        for _ in 0..book::TRIES {
            let Some(loaded) = self.load(id).await? else { return Ok(self.refuse(&Refusal::Unknown(id.to_string()))) };
            if let Err(refusal) = payment::remind(&loaded.payment, now) {
                return self.refused(inbound, id, refusal).await;
            }
            let code = loaded.stored.code;
            let key = IdemKey::show(id, &format!("remind:{}", now.ms()));
            let work = NewWork { key, work: Work::Remind, due: now };
            let mut commit = Commit::new(&self.world.merchant.id, now);
            commit.inbox = inbox_keys(inbound);
            commit.recent = Some(Recent { key: format!("remind/{id}"), since: now.before(REMINDED_EVERY) });
            commit.payment = Some(book::owing(self.world, &loaded, vec![work], now));
            match self.world.store.commit(commit).await? {
                Committed::Done => {
                    self.world.bells.ring();
                    let text = self.words("desk-reminded", &[("code", &code.to_string())]);
                    return Ok(Ack::Say { text, code: Some(code) });
                }
                Committed::Recent(_, then) => {
                    let minutes = (now.since(then).as_secs() / 60).to_string();
                    let args = [("code", &code.to_string()[..]), ("minutes", &minutes)];
                    return Ok(Ack::Say { text: self.words("desk-reminded-before", &args), code: Some(code) });
                }
                Committed::Duplicate(known) => {
                    return self.told(id, Written::Duplicate(known), |_, _| String::new()).await;
                }
                Committed::Moved | Committed::CodeTaken | Committed::FenceLost => {}
            }
        }
        Ok(Ack::Busy { text: self.words("desk-busy", &[]) })
    }

    /// Tries again what was given up for a payment. Said twice, it tries twice.
    pub(super) async fn retry(&self, id: PaymentId, now: Timestamp) -> Result<Ack, StoreError> {
        let Some(code) = self.load(id).await?.map(|loaded| loaded.stored.code) else {
            return Ok(self.refuse(&Refusal::Unknown(id.to_string())));
        };
        let revived = self.world.store.revive(&self.world.merchant.id, Which::Payment(id), now).await?;
        self.world.bells.ring();
        let key = if revived == 0 { "desk-nothing-dead" } else { "desk-retrying" };
        Ok(Ack::Say { text: self.words(key, &[("code", &code.to_string())]), code: Some(code) })
    }

    pub(super) async fn refund(
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
                let done = |_: &Payment, code: &str| self.words("desk-refunding", &[("code", code), ("amount", &out)]);
                return self.told(id, written, done).await;
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

    /// What to tell whoever wanted it; `done` is given the payment as the decision saw it.
    async fn told(
        &self,
        id: PaymentId,
        written: Written<Refusal>,
        done: impl FnOnce(&Payment, &str) -> String,
    ) -> Result<Ack, StoreError> {
        Ok(match written {
            Written::Done(loaded) => {
                let code = loaded.stored.code;
                Ack::Say { text: done(&loaded.payment, &code.to_string()), code: Some(code) }
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
