//! Asking for money, and for the same once more: one act makes one payment.

use super::{Hearing, SAME, digest, inbox_keys};
use crate::book;
use crate::world::At;
use std::time::Duration;
use till_core::command::{EXPIRES_MAX, EXPIRES_MIN, Pay, To, Verb};
use till_core::id::{Code, PaymentId};
use till_core::link::{self, Link, Purpose};
use till_core::money::Money;
use till_core::order::{CheckoutOrder, IdemKey, Wording};
use till_core::payment::{self, Fact, Status};
use till_core::place::{PersonId, Place};
use till_core::port::desk::{Ack, Again, Inbound};
use till_core::port::psp::Takes;
use till_core::port::store::{
    Change, Commit, Committed, InboxKey, NewPayment, NewWork, On, Recent, Shows, StoreError, Work,
};
use till_core::time::Timestamp;

/// How many codes are tried before the desk says that it is busy.
const CODES: u32 = 8;

/// What is asked for, and where its card will stand.
struct Order {
    total: Money,
    expires: Option<Duration>,
    wording: Wording,
    place: Place,
}

/// What keeps one act from being two payments.
struct Once {
    inbox: Vec<InboxKey>,
    recent: Option<Recent>,
}

/// What became of it.
enum Made {
    /// A payment, and what is to be known of its amount.
    New { code: Code, hint: Option<String> },
    /// It was there before.
    Before(Option<PaymentId>),
    /// The same was asked for a moment ago.
    Recent(PaymentId, Timestamp),
    /// None, and why.
    No(Ack),
}

impl Hearing<'_> {
    pub(super) async fn pay(
        &self,
        inbound: &Inbound,
        text: &str,
        pay: Pay,
        again: Again,
        now: Timestamp,
    ) -> Result<Ack, StoreError> {
        let order = Order {
            total: pay.total,
            expires: pay.expires,
            place: inbound.place.clone(),
            wording: wording(inbound, pay),
        };
        // One more that is wanted is held against nothing; what is typed after it is held against it.
        let since = match again {
            Again::Unasked => now.before(SAME),
            Again::Wanted => now.after(SAME),
        };
        let once = Once { inbox: inbox_keys(inbound), recent: Some(Recent { key: digest(inbound, text), since }) };
        let amount = order.total.text(&self.locale);
        match self.make(inbound, &order, once, now).await? {
            Made::New { code, hint } => {
                let text = self.words("desk-asked", &[("amount", &amount), ("code", &code.to_string())]);
                let text = hint.iter().fold(text, |text, hint| format!("{text} {hint}"));
                Ok(Ack::Say { text, code: Some(code) })
            }
            Made::Before(known) => self.asked_before(known).await,
            Made::Recent(known, then) => {
                self.remember(inbound, known, now).await?;
                self.same(known, then, now).await
            }
            Made::No(ack) => Ok(ack),
        }
    }

    /// The same order once more, in the conversation where it was. A payment is renewed once: whoever wants it again is
    /// shown what it became, which can be renewed in its turn.
    pub(super) async fn renew(&self, inbound: &Inbound, id: PaymentId, now: Timestamp) -> Result<Ack, StoreError> {
        let Some(old) = self.load(id).await? else {
            return Ok(self.refuse(&payment::Refusal::Unknown(id.to_string())));
        };
        if let Err(refusal) = payment::renew(&old.payment) {
            return Ok(self.refuse(&refusal));
        }
        let (old_at, new_at) = (self.world.account(&old.stored.account), self.world.accounts.for_new());
        // What was a test is not to become money by one press, nor the other way round.
        if let (Some(old_at), Some(new_at)) = (old_at, new_at)
            && old_at.mode() != new_at.mode()
        {
            let code = old.stored.code.to_string();
            let example = self.world.grammar.opening(Verb::Pay);
            return Ok(self.say(self.words("desk-renew-other-mode", &[("code", &code), ("pay", &example)])));
        }
        let lived = old.payment.deadline.since(old.stored.created_at);
        let order = Order {
            total: old.payment.amount,
            expires: Some(lived.clamp(EXPIRES_MIN, EXPIRES_MAX)),
            wording: Wording { asked_by_name: Some(inbound.name.clone()), ..old.stored.wording.clone() },
            place: old.stored.place.clone(),
        };
        let mut once = Once { inbox: inbox_keys(inbound), recent: None };
        once.inbox.push(InboxKey { source: "renewal".to_owned(), key: id.to_string() });
        let (amount, was) = (order.total.text(&self.locale), old.stored.code.to_string());
        match self.make(inbound, &order, once, now).await? {
            Made::New { code, hint } => {
                let is = code.to_string();
                let text = self.words("desk-renewed", &[("amount", &amount), ("was", &was), ("code", &is)]);
                let text = hint.iter().fold(text, |text, hint| format!("{text} {hint}"));
                Ok(Ack::Say { text, code: Some(code) })
            }
            Made::Before(known) => {
                let Some(new) = self.code_of(known).await? else { return self.asked_before(None).await };
                let text = self.words("desk-renewed-before", &[("was", &was), ("code", &new.to_string())]);
                Ok(Ack::Say { text, code: Some(new) })
            }
            Made::Recent(known, _) => self.asked_before(Some(known)).await,
            Made::No(ack) => Ok(ack),
        }
    }

    async fn make(&self, inbound: &Inbound, order: &Order, once: Once, now: Timestamp) -> Result<Made, StoreError> {
        let Some(at) = self.world.accounts.for_new() else {
            return Ok(match self.world.store.answered(&self.world.merchant.id, &once.inbox).await? {
                Some(known) => Made::Before(Some(known)),
                None => Made::No(self.say(self.words("desk-no-account", &[]))),
            });
        };
        let hint = match self.takes(&at, order.total) {
            Ok(hint) => hint,
            Err(no) => return Ok(Made::No(no)),
        };
        for _ in 0..CODES {
            let (id, code) = self.world.draw(|entropy| (PaymentId::new(now, entropy), Code::new(entropy)));
            let mut commit = Commit::new(&self.world.merchant.id, now);
            (commit.inbox, commit.recent) = (once.inbox.clone(), once.recent.clone());
            let change = self.new_payment(&inbound.by, order, id, code, &at, now);
            let second = (change.status == Status::PendingApproval).then(|| self.needs_second(code));
            commit.payment = Some(change);
            match self.world.store.commit(commit).await? {
                Committed::Done => {
                    self.world.bells.ring();
                    tracing::info!(payment = %id, by = %inbound.by, "{} asked for {}: {id}", inbound.by, order.total);
                    let hints: Vec<String> = hint.into_iter().chain(second).collect();
                    return Ok(Made::New { code, hint: (!hints.is_empty()).then(|| hints.join(" ")) });
                }
                Committed::Duplicate(known) => return Ok(Made::Before(known)),
                Committed::Recent(known, then) => return Ok(Made::Recent(known, then)),
                Committed::CodeTaken | Committed::Moved | Committed::FenceLost => {}
            }
        }
        Ok(Made::No(Ack::Busy { text: self.words("desk-busy", &[]) }))
    }

    fn needs_second(&self, code: Code) -> String {
        let approve = format!("{} {code}", self.world.grammar.opening(Verb::Approve));
        self.words("desk-waits-for-second", &[("approve", &approve)])
    }

    /// Whether the provider takes the amount, and what is to be known of it.
    fn takes(&self, at: &At, total: Money) -> Result<Option<String>, Ack> {
        match at.psp.takes(total) {
            Takes::Yes => Ok(None),
            Takes::PerhapsTooSmall { least } => {
                let least = least.text(&self.locale);
                Ok(Some(self.words("desk-perhaps-too-small", &[("least", &least)])))
            }
            Takes::TooLarge { most } => Err(self.say(self.amount_words("desk-too-large", total, most))),
            Takes::UnknownCurrency => {
                let currency = total.currency();
                Err(self.say(self.words("desk-unknown-currency", &[("currency", currency.code())])))
            }
            Takes::TooFine { step } => Err(self.say(self.amount_words("desk-too-fine", total, step))),
        }
    }

    /// A sentence about an amount that the provider does not take, and one that it would.
    fn amount_words(&self, key: &str, asked: Money, would: Money) -> String {
        let locale = &self.locale;
        self.words(key, &[("amount", &asked.text(locale)), ("would", &would.text(locale))])
    }

    fn new_payment(&self, by: &PersonId, order: &Order, id: PaymentId, code: Code, at: &At, now: Timestamp) -> Change {
        let world = self.world;
        let asked = payment::ask(order.total, order.expires, by, &world.merchant.limits, now);
        let links = [Purpose::Pay, Purpose::Receipt].map(|purpose| Link::first(purpose, &world.ring));
        let tokens = links.clone().map(|link| link.token(id, &world.ring).unwrap_or_default());
        let checkout = CheckoutOrder {
            payment: id,
            n: 1,
            code,
            amount: order.total,
            lines: book::lines(&order.wording, code, order.total, book::Whole::All),
            closes_at: book::closes_at(asked.deadline, now, at.psp.caps().checkout_life),
            return_url: world.own_page(Purpose::Pay, &tokens[0]).unwrap_or_else(|| world.fallback_return_url()),
            locale: world.merchant.locale.tag().to_owned(),
            options: book::options(at, order.total, &order.wording),
        };
        let create = NewWork { key: IdemKey::create(id, 1), work: Work::CreateCheckout(checkout), due: now };
        let alone = asked.facts.iter().any(|fact| matches!(fact, Fact::CheckoutAsked { .. }));
        let status = if alone { Status::Preparing } else { Status::PendingApproval };
        Change {
            payment: id,
            on: On::New(Box::new(NewPayment {
                code,
                account: at.account.id.clone(),
                place: order.place.clone(),
                wording: order.wording.clone(),
                links: links.into_iter().zip(tokens).map(|(link, token)| (link, link::hash(&token))).collect(),
            })),
            status,
            facts: asked.facts,
            check_at: Some(asked.deadline),
            shows: Shows::OnCards,
            cards: vec![order.place.clone()],
            work: if alone { vec![create] } else { Vec::new() },
            objects: Vec::new(),
        }
    }

    async fn asked_before(&self, known: Option<PaymentId>) -> Result<Ack, StoreError> {
        let code = self.code_of(known).await?;
        let shown = code.map(|code| code.to_string()).unwrap_or_default();
        Ok(Ack::Say { text: self.words("desk-asked-before", &[("code", &shown)]), code })
    }

    /// This act was answered with the question: told of again when the moment has passed, it asks for nothing new.
    async fn remember(&self, inbound: &Inbound, known: PaymentId, now: Timestamp) -> Result<(), StoreError> {
        let written = book::write::<()>(self.world, &self.world.merchant.id, known, now, |loaded, commit| {
            commit.inbox = inbox_keys(inbound);
            commit.payment = Some(book::owing(self.world, loaded, Vec::new(), now));
            Ok(())
        });
        written.await.map(drop)
    }

    async fn same(&self, known: PaymentId, then: Timestamp, now: Timestamp) -> Result<Ack, StoreError> {
        let Some(loaded) = self.load(known).await? else { return self.asked_before(None).await };
        let code = loaded.stored.code;
        let seconds = now.since(then).as_secs().max(1).to_string();
        Ok(Ack::Same { text: self.words("desk-same", &[("seconds", &seconds), ("code", &code.to_string())]), code })
    }

    async fn code_of(&self, known: Option<PaymentId>) -> Result<Option<Code>, StoreError> {
        let Some(id) = known else { return Ok(None) };
        Ok(self.load(id).await?.map(|loaded| loaded.stored.code))
    }
}

fn wording(inbound: &Inbound, pay: Pay) -> Wording {
    let of_person = |id: &str| PersonId { platform: inbound.by.platform.clone(), id: id.to_owned() };
    Wording {
        what: pay.what,
        items: pay.items,
        reference: pay.reference,
        note: pay.note,
        payer: match &pay.to {
            Some(To::Person { id, .. }) => Some(of_person(id)),
            Some(To::Name(_)) | None => None,
        },
        payer_name: pay.to.map(|to| match to {
            To::Person { name, .. } | To::Name(name) => name,
        }),
        payer_email: pay.email,
        asked_by_name: Some(inbound.name.clone()),
    }
}
