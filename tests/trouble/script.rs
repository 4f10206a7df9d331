//! The scripted provider: no wire, so that thousands of histories take minutes, and every character of the port.

use super::{End, Hand, Known, Provider, Written, account};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use till::clock::Clock;
use till::world::World;
use till_core::contract::model::Model;
use till_core::contract::script::{
    Character, Holds, Message, NoHttp, Provider as There, ScriptedPsp, Tells, Told, whole,
};
use till_core::contract::seeded::Seeded;
use till_core::id::{CaptureId, CheckoutId, PaymentId};
use till_core::payment::{Answer, CheckoutState, Fact};
use till_core::port::http::Http;
use till_core::port::psp::{About, Account, AmountBy, Capture, Expire, News, Psp, Reported};
use till_core::port::store::Stored;
use till_core::time::Timestamp;

/// What happens at least, in all histories together.
pub(super) const LEAST: [(&str, u64); 56] = [
    ("429", 2000),
    ("500 said again", 600),
    ("approvals", 1000),
    ("approvals that lapsed", 150),
    ("calls in flight", 2000),
    ("checkouts asked for by a page", 50),
    ("chosen amounts", 600),
    ("clocks that ran off", 3000),
    ("debits", 900),
    ("debits that failed", 400),
    ("declined", 500),
    ("disputes", 700),
    ("disputes won after they were lost", 300),
    ("doubled", 1000),
    ("forged", 2000),
    ("hours when it was down", 1500),
    ("killed", 3000),
    ("lies about the amount", 150),
    ("lies about the currency", 300),
    ("look-ups by our reference", 3000),
    ("lost", 2500),
    ("months", 100),
    ("moves of disputed funds", 80),
    ("nothing to take", 40),
    ("pages opened", 150),
    ("pages that ask for another amount", 80),
    ("paid", 4000),
    ("paid once more", 350),
    ("paid too late", 150),
    ("agreed by a second person", 100),
    ("deadlines moved", 300),
    ("kept though late", 10),
    ("misfits accepted", 40),
    ("misfits rejected", 40),
    ("payments", 15_000),
    ("pressed", 3500),
    ("providers that are plain", 300),
    ("providers that close by themselves", 300),
    ("providers that only hint", 300),
    ("providers that take on request", 300),
    ("providers where the payer chooses", 400),
    ("refunded", 900),
    ("refunds by hand", 900),
    ("refunds that came back", 80),
    ("refunds that came too late", 150),
    ("refunds that failed", 60),
    ("refused for good", 400),
    ("renewals asked", 900),
    ("sales of another shop", 800),
    ("silent after the effect, or broken", 1000),
    ("taken back by the bank", 600),
    ("taken on request", 600),
    ("taken, and the bank needs days", 40),
    ("too late to create", 1000),
    ("webhooks gone astray", 800),
    ("withheld", 130),
];

pub(super) struct Script {
    pub(super) psp: Arc<ScriptedPsp>,
    pub(super) character: Character,
    /// Webhooks that have left, counted.
    sent: usize,
    /// Checkouts and refunds that were looked at, counted.
    looked_at: (usize, usize),
    pub(super) counted: BTreeMap<&'static str, u64>,
}

impl Script {
    fn with(character: Character, seed: u64, clock: &Clock) -> Self {
        let psp = Arc::new(ScriptedPsp::with(character, seed, clock()));
        Self { psp, character, sent: 0, looked_at: (0, 0), counted: BTreeMap::new() }
    }

    /// One that is as providers mostly are.
    pub(super) fn plain(seed: u64, clock: Clock) -> Self {
        Self::with(Character::PLAIN, seed, &clock)
    }

    /// Checkouts that can be paid.
    pub(super) fn open(&self) -> Vec<CheckoutId> {
        self.psp.look(|it| {
            let open = it.sold.iter().filter(|it| it.state == CheckoutState::Open);
            open.map(|it| it.id.clone()).collect()
        })
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counted.entry(what).or_default() += 1;
    }

    /// What a whole webhook told is a fact, or waits sealed for its payment.
    fn kept(&self, report: &Reported, world: &World, model: &Model) {
        let ours = self.account();
        if report.provider_account != ours.provider_account || report.livemode != ours.livemode {
            return;
        }
        let owner = match &report.about {
            About::Payment(id) => Some(*id),
            About::Capture(id) => self.psp.look(|it| it.took(id).map(|took| took.payment)),
        };
        let Some(owner) = owner else { return };
        let stored = whole(world.store.payment(&world.merchant.id, owner)).unwrap().expect("a payment of ours");
        let event = &report.event;
        for news in &report.news {
            let same = |fact: &Fact| match (fact, news) {
                (Fact::CheckoutSeen { seen, .. }, News::Checkout { .. })
                | (Fact::RefundSeen { seen, .. }, News::Refund { .. })
                | (Fact::DisputeSeen { seen, .. }, News::Dispute { .. }) => seen.event == *event,
                (Fact::Captured { capture, .. }, News::Captured { capture: told, .. })
                | (Fact::CaptureReversed { capture, .. }, News::CaptureReversed { capture: told }) => capture == told,
                // Of a checkout whose answer was never kept, nobody knows where it was declined.
                (_, News::AttemptFailed { .. }) => true,
                (_, _) => false,
            };
            let known = stored.facts.iter().any(|(_, fact)| same(fact)) || model.is_parked(event);
            assert!(known, "{event} was taken, and nothing was kept of {news:?}: {stored:#?}");
        }
    }
}

/// Facts name things of their own payment, and the provider has them.
fn facts_are_about_their_own_payment(there: &There, id: PaymentId, new: &[Fact]) {
    for fact in new {
        let owner = match fact {
            Fact::CheckoutSeen { checkout, .. } => there.sold(checkout).map(|it| it.order.payment),
            Fact::Captured { capture, amount, .. } => {
                there.took(capture).filter(|it| it.amount == *amount).map(|it| it.payment)
            }
            Fact::Mismatch { capture, .. } => there.took(capture).filter(|it| !it.fits).map(|it| it.payment),
            Fact::CaptureReversed { capture, .. } => there.took(capture).filter(|it| it.reversed).map(|it| it.payment),
            Fact::RefundSeen { refund, amount, .. } => {
                there.backed(refund).filter(|it| it.amount == *amount).map(|it| it.payment)
            }
            Fact::DisputeSeen { dispute, .. } => there.fought(dispute).map(|it| it.payment),
            _ => continue,
        };
        assert_eq!(owner, Some(id), "this is of another payment, or of nobody: {fact:?}");
    }
}

/// What counts as captured, the provider has had.
fn nothing_counts_that_never_came(there: &There, known: &Known, id: PaymentId) {
    let sums = known.payments[&id].payment.sums();
    let of = id;
    let accepted = |id: &CaptureId| {
        known.payments[&of].stored.facts.iter().any(|(_, fact)| {
            matches!(fact, Fact::ReviewResolved { id: it, answer: Answer::Yes, .. } if *it == format!("capture/{id}"))
        })
    };
    let came = there.took.iter().filter(|it| it.payment == id && (it.fits || accepted(&it.id)));
    let came: i64 = came.map(|it| it.amount.minor()).sum();
    assert!(sums.captured <= came, "{} counts, and {came} came: {:#?}", sums.captured, known.payments[&id].stored);
}

/// Every call was written down before it was made: what it made at the provider is among the facts.
fn every_call_was_written_down_first(there: &There, known: &Known, from: (usize, usize)) {
    for sold in &there.sold[from.0..] {
        let order = &sold.order;
        let asked =
            |it: &Fact| matches!(it, Fact::CheckoutAsked { n, amount } if (*n, *amount) == (order.n, order.amount));
        assert!(known.has(order.payment, asked), "nobody asked for {sold:?}");
    }
    for it in there.backed[from.1..].iter().filter(|it| it.ours.is_some()) {
        let asked = |fact: &Fact| {
            matches!(fact, Fact::RefundAsked { id, capture, amount, .. }
                if (Some(*id), capture, *amount) == (it.ours, &it.capture, it.amount))
        };
        let approved = |fact: &Fact| matches!(fact, Fact::RefundApproved { id, .. } if Some(*id) == it.ours);
        assert!(known.has(it.payment, asked) && known.has(it.payment, approved), "nobody asked for {it:?}");
    }
    for sold in there.sold.iter().filter(|it| it.taken) {
        let approved = |fact: &Fact| matches!(fact, Fact::CheckoutSeen { checkout, state: CheckoutState::Approved, .. } if *checkout == sold.id);
        assert!(known.has(sold.order.payment, approved), "taken, and nobody knew that the payer had agreed: {sold:?}");
    }
}

/// One checkout can be paid at any moment, and there is one for each number, ever.
fn one_checkout_at_a_time(there: &There) {
    for (id, held) in there.holds() {
        assert!(held.open <= 1 && held.twins <= 1, "one for every number, and one that can be paid: {id}: {held:?}");
    }
}

impl Provider for Script {
    type Letter = Told;
    const SEEDS: u64 = 2000;
    const HAPPENINGS: u32 = 170;
    const KEYLESS_IN: u64 = 3;

    fn new(seed: u64, clock: Clock) -> Self {
        Self::with(Character::of(seed), seed, &clock)
    }

    fn psp(&self) -> Arc<dyn Psp> {
        self.psp.clone()
    }

    fn http(&self) -> Arc<dyn Http> {
        Arc::new(NoHttp)
    }

    fn account(&self) -> Account {
        account("acct_script", &[])
    }

    fn off_ms(&self) -> i64 {
        self.character.clock_off_ms
    }

    fn signs(&self, letter: &Told) -> bool {
        !matches!((self.character.tells, letter), (Tells::Hints, Told::Hint(_)))
    }

    fn closes(&self) -> bool {
        self.character.expire == Expire::OnRequest
    }

    fn passed(&mut self, now: Timestamp) {
        self.psp.at(now);
    }

    fn trouble(&mut self, percent: u64) {
        self.psp.trouble(percent);
    }

    fn happen(&mut self, seeded: &mut Seeded, now: Timestamp) {
        self.people(seeded, now);
    }

    fn end(&mut self, seeded: &mut Seeded) {
        self.what_takes_days_ends(seeded);
    }

    /// It sends each once.
    fn letters(&mut self) -> Vec<Told> {
        let new = self.psp.told(self.sent);
        self.sent += new.len();
        new
    }

    /// A stranger who needs no signature points at what is not there.
    fn written(&self, letter: &Told, hand: Hand, now: Timestamp) -> Option<Written> {
        let (by, at) = match hand {
            Hand::Provider => ("script", now),
            Hand::Stranger => ("stranger", now),
            Hand::Past => ("script", now.before(Duration::from_secs(3600))),
        };
        let made_up = Told::Hint(CheckoutId::new("co_999999"));
        let letter = if hand == Hand::Stranger && !self.signs(letter) { &made_up } else { letter };
        let headers = vec![("signature".to_owned(), format!("{by}:{}", at.secs()))];
        Some((headers, serde_json::to_vec(letter).unwrap()))
    }

    fn became(&mut self, _: &Told, _: End) {}

    fn durable(&self, letter: &Told, world: &World, model: &Model) {
        match letter {
            Told::Whole(report) => self.kept(report, world, model),
            Told::Foreign => {}
            Told::Hint(id) => {
                let (owner, took) = self.psp.look(|it| {
                    let took = it.took.iter().filter(|took| took.checkout == *id);
                    (it.sold(id).map(|it| it.order.payment), took.map(|it| it.id.clone()).collect::<Vec<_>>())
                });
                let stored = whole(world.store.payment(&world.merchant.id, owner.unwrap())).unwrap().unwrap();
                // A page whose address nobody was given yet is not asked about: the answer to our own call tells of it.
                let seen = |fact: &Fact| matches!(fact, Fact::CheckoutSeen { checkout, .. } if checkout == id);
                let took = if stored.facts.iter().any(|(_, fact)| seen(fact)) { took } else { Vec::new() };
                for id in took {
                    let known = |fact: &Fact| matches!(fact, Fact::Captured { capture, .. } if *capture == id);
                    let known = stored.facts.iter().any(|(_, fact)| known(fact));
                    assert!(known, "a hint led to {id}, and it was not kept: {stored:#?}");
                }
            }
        }
    }

    fn watched(&mut self, known: &Known, new: &[(PaymentId, Vec<Fact>)]) {
        let from = self.looked_at;
        self.looked_at = self.psp.look(|there| {
            assert_eq!(there.conflicts, 0, "every try of a call carries the same order");
            every_call_was_written_down_first(there, known, from);
            one_checkout_at_a_time(there);
            for (id, facts) in new {
                facts_are_about_their_own_payment(there, *id, facts);
                nothing_counts_that_never_came(there, known, *id);
            }
            (there.sold.len(), there.backed.len())
        });
    }

    fn holds(&self) -> BTreeMap<PaymentId, Holds> {
        self.psp.holds()
    }

    fn agrees(&self, stored: &[Stored], _: &[Message]) {
        let made = self.psp.look(|it| it.backed.iter().filter_map(|it| it.ours).collect::<Vec<_>>());
        for (_, fact) in stored.iter().flat_map(|it| &it.facts) {
            if let Fact::RefundRefused { id, .. } = fact {
                assert!(!made.contains(id), "refused, and the provider made it: {fact:?}");
            }
        }
        let twice = made.iter().filter(|id| made.iter().filter(|other| other == id).count() > 1).count();
        assert_eq!(twice, 0, "a refund was made twice");
    }

    fn counted(&self) -> BTreeMap<&'static str, u64> {
        let holds = self.psp.holds();
        let some = |fits: &dyn Fn(&Holds) -> bool| holds.values().filter(|it| fits(it)).count() as u64;
        let is = |fits: bool, what: &'static str| fits.then_some((what, 1));
        let Character { expire, capture, amount, tells, .. } = self.character;
        let mut all = self.counted.clone();
        all.extend(self.psp.look(|it| it.counted.clone()));
        all.extend([
            ("payments", holds.len() as u64),
            ("paid", some(&|held| held.captured > 0)),
            ("refunded", some(&|held| held.refunded > 0)),
            ("withheld", some(&|held| held.withheld > 0)),
        ]);
        let characters = [
            is(self.character == Character::PLAIN, "providers that are plain"),
            is(expire == Expire::ByItself, "providers that close by themselves"),
            is(capture == Capture::OnRequest, "providers that take on request"),
            is(amount == AmountBy::Payer, "providers where the payer chooses"),
            is(tells == Tells::Hints, "providers that only hint"),
        ];
        all.extend(characters.into_iter().flatten());
        all
    }
}
