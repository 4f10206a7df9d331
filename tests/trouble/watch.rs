//! Watched at every step: the promises that hold at any moment, whatever has just happened.
//!
//! ```text
//! rows that changed ─► facts only added · any order, any copies · the second books · refunds · numbers · money out
//! room that changed ─► a card shows a true state, the present one when it says so · nothing is said twice
//! ```
//! Only what changed since the last look is looked at.
//!
//! Source: PAYMENTS.md F; DESIGN.md "Four promises", "One direction".

use super::books::Books;
use super::sim::payment;
use std::collections::BTreeMap;
use till::book::{self, Loaded};
use till::cards;
use till::world::World;
use till_core::contract::model::Model;
use till_core::contract::script::{Message, ScriptedChat};
use till_core::contract::seeded::Seeded;
use till_core::id::{Code, PaymentId};
use till_core::payment::{CheckoutState, Fact, Payment, Status, Sums};
use till_core::port::store::Stored;
use till_core::time::Timestamp;

/// A payment, as it was at the last look.
pub(super) struct Knew {
    pub(super) stored: Stored,
    pub(super) payment: Payment,
}

/// Every payment, as it was at the last look.
#[derive(Default)]
pub(super) struct Known {
    pub(super) payments: BTreeMap<PaymentId, Knew>,
}

impl Known {
    pub(super) fn codes(&self) -> impl Iterator<Item = Code> {
        self.payments.values().map(|it| it.stored.code)
    }

    /// Whether a payment has such a fact.
    pub(super) fn has(&self, id: PaymentId, fits: impl Fn(&Fact) -> bool) -> bool {
        self.payments.get(&id).is_some_and(|it| it.stored.facts.iter().any(|(_, fact)| fits(fact)))
    }

    fn of_code(&self, code: &str) -> Option<&Knew> {
        self.payments.values().find(|it| it.stored.code.to_string() == code)
    }
}

/// Remembers what was seen, to see what is new.
pub(super) struct Watch {
    pub(super) known: Known,
    pub(super) statuses: BTreeMap<Status, u64>,
    seeded: Seeded,
    /// Changes of the room that were looked at.
    room: u64,
    /// Where each key stands in the room.
    said: BTreeMap<String, usize>,
    /// Cards that were found up to date: version, revision, change of the room.
    current: BTreeMap<PaymentId, (u64, u64, u64)>,
    /// Money out by day, as the facts say it.
    out: BTreeMap<String, i64>,
}

impl Watch {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            known: Known::default(),
            statuses: BTreeMap::new(),
            seeded: Seeded::new(seed ^ 5),
            room: 0,
            said: BTreeMap::new(),
            current: BTreeMap::new(),
            out: BTreeMap::new(),
        }
    }

    /// Looks at everything that changed. Gives the new facts by payment.
    pub(super) fn look(&mut self, model: &Model, world: &World, chat: &ScriptedChat) -> Vec<(PaymentId, Vec<Fact>)> {
        let known = &self.known.payments;
        let changed = model.changed(|id| known.get(&id).map(|it| it.stored.version));
        let mut all = Vec::new();
        for (stored, status) in changed {
            let before = self.known.payments.remove(&stored.id);
            let old = before.as_ref().map_or(&[][..], |it| &it.stored.facts);
            facts_are_only_added(old, &stored);
            let from = old.len();
            let new: Vec<Fact> = stored.facts.iter().skip(from).map(|(_, fact)| fact.clone()).collect();
            let payment = match before {
                Some(knew) if new.is_empty() => knew.payment,
                _ => payment(&stored),
            };
            if !new.is_empty() {
                any_order_and_any_copies_give_the_same(&stored, &payment, &mut self.seeded);
                no_more_is_asked_back_than_is_there(&stored, from);
                a_number_is_asked_when_every_earlier_one_is_closed(&stored, from);
                self.count_money_out(&stored, from);
            }
            the_second_books_say_the_same(&stored, &payment, status);
            *self.statuses.entry(status).or_default() += 1;
            all.push((stored.id, new));
            self.known.payments.insert(stored.id, Knew { stored, payment });
        }
        let moved = |fact: &Fact| matches!(fact, Fact::RefundAsked { .. } | Fact::RefundRefused { .. });
        if all.iter().any(|(_, new)| new.iter().any(moved)) {
            let zero = |total: &i64| *total != 0;
            let mut totals = model.totals("refund/");
            totals.retain(|_, total| zero(total));
            self.out.retain(|_, total| zero(total));
            assert_eq!(totals, self.out, "the day's money out is what was asked back and not refused");
        }
        self.room(world, chat);
        self.cards(model, world, chat);
        all
    }

    /// What each day sent out, from the facts.
    fn count_money_out(&mut self, stored: &Stored, from: usize) {
        for (at, fact) in &stored.facts[from..] {
            let mut add = |at: Timestamp, amount: till_core::money::Money, by, minor: i64| {
                for key in book::refund_totals(at, amount.currency(), by) {
                    *self.out.entry(key.0).or_default() += minor;
                }
            };
            match fact {
                Fact::RefundAsked { amount, by, .. } => add(*at, *amount, by, amount.minor()),
                Fact::RefundRefused { id, .. } => {
                    let asked = stored.facts.iter().find_map(|(at, fact)| match fact {
                        Fact::RefundAsked { id: of, amount, by, .. } if of == id => Some((*at, *amount, by)),
                        _ => None,
                    });
                    let (at, amount, by) = asked.expect("only what was asked is refused");
                    add(at, amount, by, -amount.minor());
                }
                _ => {}
            }
        }
    }

    /// Messages that were written since: a card shows a true state, and nothing stands there twice.
    fn room(&mut self, world: &World, chat: &ScriptedChat) {
        for (at, message) in chat.since(self.room) {
            self.room = self.room.max(message.change);
            let first = *self.said.entry(message.key.to_string()).or_insert(at);
            assert!(first == at || may_be_said_twice(chat, &message), "said twice: {message:?}");
            let Some(code) = message.body["card"]["code"].as_str() else { continue };
            let knew = self.known.of_code(code).expect("a card of a payment that is there");
            a_card_shows_a_state_that_was_true(world, knew, &message);
        }
    }

    /// A card that says it shows the newest revision does.
    fn cards(&mut self, model: &Model, world: &World, chat: &ScriptedChat) {
        for card in model.cards() {
            let Some(at) = card.message.filter(|_| card.shown_rev == card.desired_rev) else { continue };
            let (message, knew) = (chat.message(&at).unwrap(), &self.known.payments[&card.payment]);
            let now = (knew.stored.version, card.shown_rev, message.change);
            if self.current.insert(card.payment, now) == Some(now) {
                continue;
            }
            let shown = rendered(world, knew, knew.stored.facts.len());
            assert_eq!(
                message.body["card"], shown,
                "a card that counts as up to date shows what is true: {:#?}",
                knew.stored
            );
        }
    }
}

/// A private word without a clear answer cannot be found where a platform knows no keys: rather twice than never.
fn may_be_said_twice(chat: &ScriptedChat, message: &Message) -> bool {
    let key = message.key.as_str();
    !chat.knows_keys() && (key.contains(":show:tell:") || key.contains(":show:alert:"))
}

fn facts_of(stored: &Stored) -> Vec<&Fact> {
    stored.facts.iter().map(|(_, fact)| fact).collect()
}

/// Facts are append-only, each under a key of its own.
fn facts_are_only_added(before: &[(Timestamp, Fact)], stored: &Stored) {
    assert_eq!(stored.facts.get(..before.len()), Some(before), "a fact is never changed and never removed");
    for (at, (_, fact)) in stored.facts.iter().enumerate().skip(before.len()) {
        let key = fact.key();
        let twin = stored.facts[..at].iter().find(|(_, known)| known.key() == key);
        assert_eq!(twin, None, "a key names one fact: {fact:?}");
    }
}

/// Any order and any number of copies of the facts give the same payment.
fn any_order_and_any_copies_give_the_same(stored: &Stored, payment: &Payment, seeded: &mut Seeded) {
    let mut facts = facts_of(stored);
    let copies: Vec<&Fact> = facts.iter().copied().filter(|_| seeded.chance(30)).collect();
    facts.extend(copies);
    for at in (1..facts.len()).rev() {
        facts.swap(at, usize::try_from(seeded.below(at as u64 + 1)).unwrap());
    }
    assert_eq!(Payment::of(facts.clone()).as_ref(), Some(payment), "facts in the order {facts:#?}");
}

/// Sums and status are those that the table gives; and what is paid is never called expired, cancelled or failed.
fn the_second_books_say_the_same(stored: &Stored, payment: &Payment, in_row: Status) {
    let facts = facts_of(stored);
    let (books, sums, status) = (Books::of(&facts), payment.sums(), payment.status());
    let Sums { captured, refunded, reserved, refund_pending, withheld, .. } = sums;
    assert_eq!(
        (captured, refunded, reserved, refund_pending, withheld),
        (books.captured, books.refunded, books.reserved, books.on_its_way, books.withheld),
        "captured, refunded, reserved, on its way, withheld, and in the second books: {facts:#?}"
    );
    assert_eq!(
        (status, in_row),
        (books.status(), books.status()),
        "here, in the row, and in the second books: {facts:#?}"
    );
    let says_unpaid = matches!(
        status,
        Status::Cancelling | Status::Cancelled | Status::Closing | Status::Expired | Status::Failed | Status::Open
    );
    assert!(
        !(says_unpaid && books.captured > 0 && books.kept() >= books.asked),
        "paid, and called {status}: {facts:#?}"
    );
}

/// A refund is only asked for out of what is there and is not on its way back already.
fn no_more_is_asked_back_than_is_there(stored: &Stored, from: usize) {
    let facts = facts_of(stored);
    for at in from..facts.len() {
        let Fact::RefundAsked { amount, .. } = facts[at] else { continue };
        let before = Books::of(&facts[..at]);
        let left = before.kept() - before.reserved;
        assert!(amount.minor() <= left, "{amount} were asked back, and only {left} were left: {facts:#?}");
    }
}

/// The next checkout is only asked for when no earlier one can be paid any more.
fn a_number_is_asked_when_every_earlier_one_is_closed(stored: &Stored, from: usize) {
    let facts = facts_of(stored);
    for at in from.max(1)..facts.len() {
        let Fact::CheckoutAsked { n, amount } = facts[at] else { continue };
        let Some(before) = Payment::of(facts[..at].to_vec()) else { continue };
        let last = before.checkouts.keys().next_back().copied().unwrap_or(0);
        assert_eq!(*n, last + 1, "numbers count checkouts: {facts:#?}");
        let open = before.checkouts.values().any(|it| !it.is_closed());
        assert!(!open, "checkout {n} was asked for beside another: {facts:#?}");
        assert_eq!(amount.minor(), before.sums().missing(), "checkout {n} asks for what is missing: {facts:#?}");
    }
}

/// The card of a payment when it had so many facts.
fn rendered(world: &World, knew: &Knew, facts: usize) -> serde_json::Value {
    let whole = facts == knew.stored.facts.len();
    let kept = &knew.stored.facts[..facts];
    // A page has an address only while it is open.
    let open = |fact: &Fact, id: &str| matches!(fact, Fact::CheckoutSeen { checkout, state: CheckoutState::Open, .. } if checkout.as_str() == id);
    let known = |id: &str| kept.iter().any(|(_, fact)| open(fact, id));
    let urls = knew.stored.checkout_urls.iter().filter(|(id, _)| known(id)).cloned().collect();
    let stored = Stored { facts: kept.to_vec(), checkout_urls: urls, ..knew.stored.clone() };
    let payment = if whole { knew.payment.clone() } else { payment(&stored) };
    serde_json::to_value(cards::render(world, &Loaded { stored, payment })).unwrap()
}

/// What stands on a card was true at some moment: nothing is made up, and nothing of two moments is mixed.
fn a_card_shows_a_state_that_was_true(world: &World, knew: &Knew, message: &Message) {
    let was = (1..=knew.stored.facts.len()).rev().any(|facts| rendered(world, knew, facts) == message.body["card"]);
    assert!(was, "never true: {:#} of {:#?}", message.body, knew.stored);
}
