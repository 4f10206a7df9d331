//! A world that can be replayed from its seed: the process with its workers, the people around it, and two clocks.

use super::watch::Watch;
use super::{Counted, Provider, START_MS};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use till::clock::Clock;
use till::desk;
use till::inbox::hints::Hints;
use till::traffic::{Foreign, Heard, Reads};
use till::world::{Accounts, At, Bells, Counts, LinkMode, Merchant, Pace, World};
use till_core::command::Grammar;
use till_core::contract::model::Model;
use till_core::contract::script::{ScriptedChat, advance, cents, whole};
use till_core::contract::seeded::Seeded;
use till_core::id::{Code, MerchantId, PaymentId};
use till_core::keys::KeyRing;
use till_core::payment::{Answer, Fact, Limits, Payment};
use till_core::port::chat::Chat;
use till_core::port::store::{ListFilter, Stored};
use till_core::text::{Locale, Texts, Tongues};
use till_core::time::Timestamp;

/// A process that is not killed: more breaths than any step has.
pub(super) const UNHARMED: usize = 100_000;
/// A call in flight has an answer or its time runs out within this; leases are longer.
const FLIGHT_MS_MAX: i64 = 30_000;
/// Read once: there are thousands of processes in a run.
static ENGLISH: LazyLock<Locale> = LazyLock::new(|| Locale::english().unwrap());

/// A worker in the middle of its step.
pub(super) struct Flight {
    pub(super) step: Pin<Box<dyn Future<Output = ()>>>,
    pub(super) since: Timestamp,
}

pub(super) struct Sim<P: Provider> {
    pub(super) seed: u64,
    pub(super) seeded: Seeded,
    /// The right time, and how far our clock is from it.
    pub(super) right_ms: Arc<AtomicI64>,
    pub(super) wrong_by_ms: Arc<AtomicI64>,
    pub(super) model: Arc<Model>,
    pub(super) world: Arc<World>,
    pub(super) desk: Arc<desk::Desk>,
    pub(super) there: P,
    pub(super) chat: Arc<ScriptedChat>,
    /// Webhooks of the past, which may come again.
    pub(super) past: Vec<P::Letter>,
    pub(super) flights: Vec<Flight>,
    pub(super) acts: u64,
    /// Payments that commands made, each with what was typed for it or the payment that it renews.
    pub(super) made: BTreeMap<Code, String>,
    pub(super) renewals: BTreeMap<PaymentId, Code>,
    pub(super) watch: Watch,
    counted: BTreeMap<&'static str, u64>,
}

fn merchant() -> Merchant {
    let all = |minor| vec![cents(minor, "EUR")];
    Merchant {
        id: MerchantId::new("default"),
        name: "Shop".into(),
        currency: cents(0, "EUR").currency(),
        locale: ENGLISH.clone(),
        limits: Limits {
            ask_alone: all(5_000),
            refund_alone: all(100_000),
            refund_person_day: all(10_000_000),
            refund_merchant_day: all(10_000_000),
        },
    }
}

/// A process over these rows, with nothing in its memory.
fn born<P: Provider>(seed: u64, there: &P, chat: &Arc<ScriptedChat>, store: Arc<Model>, clock: Clock) -> World {
    let ours = LinkMode::Ours("https://pay.example".into());
    let direct = LinkMode::Direct { return_url: "https://shop.example/thanks".into() };
    World {
        merchant: merchant(),
        accounts: Accounts::new(vec![At { account: there.account(), psp: there.psp(), closed: None }]),
        chats: BTreeMap::from([("script", chat.clone() as Arc<dyn Chat>)]),
        store,
        http: there.http(),
        ring: KeyRing::new([(1, [7; 32])]).unwrap(),
        grammar: Grammar::default(),
        tongues: Tongues::new(Texts::default(), ENGLISH.clone()),
        links: if seed.is_multiple_of(2) { ours } else { direct },
        pace: Pace {
            poll_min: Duration::from_secs(60),
            poll_max: Duration::from_secs(3600),
            sweep: Duration::from_secs(60),
        },
        entropy: Mutex::new(Box::new(Seeded::new(seed ^ 3))),
        bells: Bells::default(),
        counts: Counts::default(),
        reads: Reads::full(clock()),
        // Nobody has time to wait in a history: each hint leads to a look.
        hints: Hints::new(clock(), |_| Box::pin(std::future::ready(()))),
        foreign: Foreign::default(),
        heard: Heard::default(),
        began: Timestamp::from_ms(START_MS),
        clock,
    }
}

impl<P: Provider> Sim<P> {
    pub(super) fn new(seed: u64) -> Self {
        Self::with(seed, |clock| P::new(seed ^ 1, clock))
    }

    /// With this provider.
    pub(super) fn with(seed: u64, there: impl FnOnce(Clock) -> P) -> Self {
        let (right_ms, wrong_by_ms) = (Arc::new(AtomicI64::new(START_MS)), Arc::new(AtomicI64::new(0)));
        let told = right_ms.clone();
        let there = there(Arc::new(move || Timestamp::from_ms(told.load(Ordering::SeqCst))));
        let chat = ScriptedChat::new(seed ^ 2);
        let chat = Arc::new(if seed.is_multiple_of(P::KEYLESS_IN) { chat.without_keys() } else { chat });
        let (right, wrong_by) = (right_ms.clone(), wrong_by_ms.clone());
        let clock = move || Timestamp::from_ms(right.load(Ordering::SeqCst) + wrong_by.load(Ordering::SeqCst));
        let model = Arc::new(Model::that_breathes());
        let world = Arc::new(born(seed, &there, &chat, model.clone(), Arc::new(clock)));
        Self {
            seed,
            seeded: Seeded::new(seed),
            right_ms,
            wrong_by_ms,
            desk: Arc::new(desk::Desk::new(world.clone())),
            model,
            world,
            there,
            chat,
            past: Vec::new(),
            flights: Vec::new(),
            acts: 0,
            made: BTreeMap::new(),
            renewals: BTreeMap::new(),
            watch: Watch::new(seed),
            counted: BTreeMap::new(),
        }
    }

    /// The time by our clock.
    pub(super) fn now(&self) -> Timestamp {
        (self.world.clock)()
    }

    /// The time.
    pub(super) fn right(&self) -> Timestamp {
        Timestamp::from_ms(self.right_ms.load(Ordering::SeqCst))
    }

    /// The time by the provider's clock.
    pub(super) fn theirs(&self) -> Timestamp {
        Timestamp::from_ms(self.right().ms() + self.there.off_ms())
    }

    pub(super) fn ahead(&mut self, ms: u64) {
        let ms = i64::try_from(ms).unwrap();
        let until = self.right().ms() + ms;
        if self.flights.iter().any(|it| until - it.since.ms() > FLIGHT_MS_MAX) {
            self.land();
        }
        self.right_ms.fetch_add(ms, Ordering::SeqCst);
        self.there.passed(self.right());
    }

    /// Every call in flight comes to its answer; one may wait for another.
    pub(super) fn land(&mut self) {
        for _ in 0..UNHARMED {
            if self.flights.is_empty() {
                return;
            }
            self.flights.retain_mut(|flight| advance(flight.step.as_mut(), 1).is_none());
        }
        panic!("a step comes to its end");
    }

    /// Lets something go on for so many breaths. What is not to be killed may wait for a call in flight.
    pub(super) fn go_on<T>(
        &mut self,
        mut what: Pin<&mut (impl Future<Output = T> + ?Sized)>,
        breaths: usize,
    ) -> Option<T> {
        let done = advance(what.as_mut(), breaths.min(300));
        if done.is_some() || breaths < UNHARMED {
            return done;
        }
        for _ in 0..UNHARMED {
            self.flights.retain_mut(|flight| advance(flight.step.as_mut(), 1).is_none());
            if let Some(done) = advance(what.as_mut(), 1) {
                return Some(done);
            }
        }
        panic!("it comes to its end");
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counted.entry(what).or_default() += 1;
    }

    pub(super) fn counted(&self) -> Counted {
        let named = self.counted.iter().map(|(what, count)| ((*what).to_owned(), *count));
        let there = self.there.counted().into_iter().map(|(what, count)| (what.to_owned(), count));
        let statuses = self.watch.statuses.iter().map(|(status, count)| (format!("is {status}"), *count));
        named.chain(there).chain(statuses).chain(self.decided()).collect()
    }

    /// What staff decided, from the facts.
    fn decided(&self) -> impl Iterator<Item = (String, u64)> {
        let name = |fact: &Fact| match fact {
            Fact::Extended { .. } => Some("deadlines moved"),
            Fact::ApprovalDecided { answer: Answer::Yes, .. } => Some("agreed by a second person"),
            Fact::ReviewResolved { answer: Answer::Yes, .. } => Some("misfits accepted"),
            Fact::ReviewResolved { answer: Answer::No, .. } => Some("misfits rejected"),
            Fact::LateDecided { answer: Answer::Yes, .. } => Some("kept though late"),
            _ => None,
        };
        let mut all = Counted::new();
        for it in self.watch.known.payments.values() {
            for what in it.stored.facts.iter().filter_map(|(_, fact)| name(fact)) {
                *all.entry(what.to_owned()).or_default() += 1;
            }
        }
        all.into_iter()
    }

    /// The process was killed, with all that was in flight: another one goes on with the rows.
    pub(super) fn restart(&mut self) {
        self.count("killed");
        self.flights.clear();
        let seed = self.seed ^ (self.seeded.bits() & !1);
        self.world = Arc::new(born(seed, &self.there, &self.chat, self.model.clone(), self.world.clock.clone()));
        self.desk = Arc::new(desk::Desk::new(self.world.clone()));
    }

    pub(super) fn stored(&self) -> Vec<Stored> {
        let (store, merchant) = (&self.world.store, &self.world.merchant.id);
        let all = whole(store.payments(merchant, &ListFilter { status: None, limit: 1000 })).unwrap();
        all.iter().map(|it| whole(store.payment(merchant, it.id)).unwrap().unwrap()).collect()
    }

    /// After how many breaths the process is killed, now and then.
    pub(super) fn breaths(&mut self, percent: u64) -> usize {
        if self.seeded.chance(percent) { usize::try_from(self.seeded.below(12)).unwrap() } else { UNHARMED }
    }

    /// Every promise, now.
    pub(super) fn watch(&mut self) {
        let new = self.watch.look(&self.model, &self.world, &self.chat);
        assert_eq!(self.model.count(), self.made.len(), "one payment for every command, and no more: {:?}", self.made);
        let asks = |fact: &&Fact| matches!(fact, Fact::RefundAsked { .. });
        let asked = new.iter().flat_map(|(_, facts)| facts).filter(asks).count();
        assert!(asked <= 1, "one act asks for one refund, however often it is told of: {new:#?}");
        self.there.watched(&self.watch.known, &new);
    }
}

pub(super) fn payment(it: &Stored) -> Payment {
    let facts: Vec<_> = it.facts.iter().map(|(_, fact)| fact).collect();
    Payment::of(facts).unwrap()
}
