//! A shop to write claims with: a merchant, payments it might ask for, and what can be seen of them.

use super::Both;
use crate::contract::seeded::Seeded;
use crate::id::{AccountId, CheckoutId, Code, MerchantId, PaymentId, random};
use crate::link::{Link, Purpose};
use crate::money::{Currency, Money};
use crate::order::{CheckoutOptions, CheckoutOrder, IdemKey, Item, Line, Wording};
use crate::payment::{Approval, Fact, Owed, Status};
use crate::place::{MessageRef, PersonId, Place};
use crate::port::store::{
    Backlog, CardClaim, Change, Commit, Committed, InboxKey, ListFilter, NewPayment, NewWork, Object, ObjectKind, On,
    Outcome, ParkedClaim, Queue, Settle, Shown, ShownOutcome, Shows, Store, Stored, Summary, Total, TotalKey, Work,
    WorkClaim,
};
use crate::port::transcript::Transcript;
use crate::time::Timestamp;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// How long claims last here.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// So many seconds after the shop opened.
pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_795_372_200 + secs)
}

pub(super) fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

pub(super) fn place(channel: &str) -> Place {
    Place { platform: "web".into(), workspace: "site".into(), channel: channel.into(), thread: None }
}

pub(super) fn person(id: &str) -> PersonId {
    PersonId { platform: "web".into(), id: id.into() }
}

pub(super) fn account() -> AccountId {
    AccountId::new("sandbox")
}

pub(super) fn inbox(key: &str) -> InboxKey {
    InboxKey { source: "sandbox/acct_1".into(), key: key.into() }
}

pub(super) fn day_total() -> TotalKey {
    TotalKey("refund/2026-11-22/EUR/web:ana".into())
}

pub(super) fn opened(k: u32) -> Fact {
    Fact::LinkOpened { k }
}

pub(super) fn cancelled(by: &str) -> Fact {
    Fact::CancelAsked { by: person(by) }
}

pub(super) fn checkout(id: &str, url: Option<&str>) -> Object {
    Object { account: account(), kind: ObjectKind::Checkout, id: id.into(), url: url.map(Into::into) }
}

pub(super) fn message(id: &str) -> MessageRef {
    MessageRef { place: place("c1"), id: id.into() }
}

/// A chat's work, told apart by `what`.
pub(super) fn tell(payment: PaymentId, what: &str, due: Timestamp) -> NewWork {
    let work = Work::Tell { to: person("ana"), at: place("c1"), text: what.into() };
    NewWork { key: IdemKey::show(payment, what), work, due }
}

/// A provider's work, told apart by `n`.
pub(super) fn expire(payment: PaymentId, n: u32, due: Timestamp) -> NewWork {
    let owed = Owed::Expire { n, checkout: CheckoutId::new(format!("cs_{n}")) };
    NewWork { key: owed.key(payment), work: Work::Owed(owed), due }
}

/// A change of a payment at `version` that adds `facts` and nothing else.
pub(super) fn change(payment: PaymentId, version: u64, facts: Vec<Fact>) -> Change {
    Change {
        payment,
        on: On::Version(version),
        facts,
        status: Status::Open,
        check_at: None,
        shows: Shows::OnCards,
        cards: Vec::new(),
        work: Vec::new(),
        objects: Vec::new(),
    }
}

pub(super) fn showing(card: &CardClaim, id: &str) -> Shown {
    let outcome = ShownOutcome::Showing { rev: card.desired_rev, message: message(id) };
    Shown { claim: card.claim.clone(), outcome }
}

pub(super) fn done(work: &WorkClaim) -> Settle {
    Settle { claim: work.claim.clone(), outcome: Outcome::Done }
}

/// Polls both until both are done.
pub(super) async fn join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut a_done, mut b_done) = (None, None);
    poll_fn(move |cx| {
        if a_done.is_none()
            && let Poll::Ready(done) = a.as_mut().poll(cx)
        {
            a_done = Some(done);
        }
        if b_done.is_none()
            && let Poll::Ready(done) = b.as_mut().poll(cx)
        {
            b_done = Some(done);
        }
        match (a_done.take(), b_done.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (a_done, b_done) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

/// A merchant and its store.
pub(super) struct Shop {
    pub(super) store: Arc<dyn Store>,
    pub(super) transcript: Arc<dyn Transcript>,
    pub(super) merchant: MerchantId,
    seeded: Seeded,
}

/// What can be seen of a shop without changing it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Visible {
    listed: Vec<Summary>,
    payments: Vec<Stored>,
    total: Total,
    backlog: Backlog,
    next_due: Option<Timestamp>,
}

impl Shop {
    pub(super) fn new(both: &Both) -> Self {
        Self::of(both, "default", 1)
    }

    /// Another shop, which has other ids when its seed differs.
    pub(super) fn of(both: &Both, merchant: &str, seed: u64) -> Self {
        let Both { store, transcript } = both.clone();
        Self { store, transcript, merchant: MerchantId::new(merchant), seeded: Seeded::new(seed) }
    }

    /// Coffee for 25 EUR: words, facts, both links, one card in `c1`, the first checkout owed and a check in 60 s.
    pub(super) fn coffee(&mut self, now: Timestamp) -> (PaymentId, Change) {
        let payment = PaymentId::new(now, &mut self.seeded);
        let code = Code::new(&mut self.seeded);
        let deadline = at(86_400);
        let link = |purpose| Link { purpose, n: 1, key: 7 };
        let wording = Wording {
            payer: Some(person("payer")),
            what: Some("coffee ☕ 'for' two".into()),
            items: vec![Item { name: "coffee".into(), quantity: 2, each: eur(1250) }],
            asked_by_name: Some("Ana".into()),
            ..Wording::default()
        };
        let order = CheckoutOrder {
            payment,
            n: 1,
            code,
            amount: eur(2500),
            lines: vec![Line { name: "coffee".into(), quantity: 2, each: eur(1250) }],
            closes_at: deadline,
            return_url: "https://till.example/r/0".into(),
            locale: "en".into(),
            options: CheckoutOptions::default(),
        };
        let requested =
            Fact::Requested { amount: eur(2500), deadline, approval: Approval::NotNeeded, by: person("ana") };
        let new = NewPayment {
            code,
            account: account(),
            place: place("c1"),
            wording,
            links: [Purpose::Pay, Purpose::Receipt].map(|it| (link(it), random(&mut self.seeded))).into(),
        };
        let change = Change {
            payment,
            on: On::New(Box::new(new)),
            facts: vec![requested, Fact::CheckoutAsked { n: 1, amount: eur(2500) }],
            status: Status::Preparing,
            check_at: Some(now.after(Duration::from_secs(60))),
            shows: Shows::OnCards,
            cards: vec![place("c1")],
            work: vec![NewWork { key: IdemKey::create(payment, 1), work: Work::CreateCheckout(order), due: now }],
            objects: Vec::new(),
        };
        (payment, change)
    }

    /// Coffee, asked for.
    pub(super) async fn sell(&mut self, now: Timestamp) -> PaymentId {
        let (payment, change) = self.coffee(now);
        self.changed(now, change).await;
        payment
    }

    pub(super) fn commit(&self, now: Timestamp) -> Commit {
        Commit::new(&self.merchant, now)
    }

    pub(super) fn about(&self, now: Timestamp, change: Change) -> Commit {
        Commit { payment: Some(change), ..self.commit(now) }
    }

    pub(super) async fn decide(&self, commit: Commit) -> Committed {
        self.store.commit(commit).await.unwrap()
    }

    /// Commits a change that nothing stands in the way of.
    pub(super) async fn changed(&self, now: Timestamp, change: Change) {
        assert_eq!(self.decide(self.about(now, change)).await, Committed::Done);
    }

    pub(super) async fn settle(&self, now: Timestamp, settle: Settle) -> Committed {
        self.decide(Commit { settle: vec![settle], ..self.commit(now) }).await
    }

    pub(super) async fn show(&self, now: Timestamp, shown: Shown) -> Committed {
        self.decide(Commit { shown: Some(shown), ..self.commit(now) }).await
    }

    pub(super) async fn stored(&self, payment: PaymentId) -> Stored {
        self.store.payment(&self.merchant, payment).await.unwrap().expect("the payment is there")
    }

    pub(super) async fn work(&self, queue: Queue, now: Timestamp) -> Vec<WorkClaim> {
        self.store.claim_work(queue, now, LEASE, 100).await.unwrap()
    }

    pub(super) async fn cards(&self, now: Timestamp) -> Vec<CardClaim> {
        self.store.claim_cards(now, LEASE, 100).await.unwrap()
    }

    pub(super) async fn parked(&self, now: Timestamp) -> Vec<ParkedClaim> {
        self.store.claim_parked(now, LEASE, 100).await.unwrap()
    }

    pub(super) async fn backlog(&self) -> Backlog {
        self.store.backlog().await.unwrap()
    }

    pub(super) async fn visible(&self) -> Visible {
        let listed = self.store.payments(&self.merchant, &ListFilter::default()).await.unwrap();
        let mut payments = Vec::new();
        for line in &listed {
            payments.push(self.stored(line.id).await);
        }
        Visible {
            listed,
            payments,
            total: self.store.total(&self.merchant, &day_total()).await.unwrap(),
            backlog: self.backlog().await,
            next_due: self.store.next_due().await.unwrap(),
        }
    }
}

/// The only one.
pub(super) fn only<T>(mut of: Vec<T>) -> T {
    assert_eq!(of.len(), 1, "one was expected");
    of.pop().unwrap()
}
