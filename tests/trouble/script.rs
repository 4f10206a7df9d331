//! The scripted provider: no wire, so that thousands of histories take seconds.

use super::{End, Hand, Provider, Written, account};
use std::collections::BTreeMap;
use std::sync::Arc;
use till::clock::Clock;
use till::world::World;
use till_core::contract::script::{Holds, Message, NoHttp, ScriptedPsp};
use till_core::contract::seeded::Seeded;
use till_core::id::PaymentId;
use till_core::payment::Fact;
use till_core::port::http::Http;
use till_core::port::psp::{Account, Psp, Reported};
use till_core::port::store::Stored;
use till_core::time::Timestamp;

pub(super) struct Script {
    pub(super) psp: Arc<ScriptedPsp>,
    /// Webhooks that have not left yet, by their place in the provider's list.
    sent: usize,
}

impl Provider for Script {
    type Letter = Reported;
    const SEEDS: u64 = 400;
    const HAPPENINGS: u32 = 130;

    fn new(seed: u64, clock: Clock) -> Self {
        Self { psp: Arc::new(ScriptedPsp::new(seed, clock())), sent: 0 }
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

    fn passed(&mut self, now: Timestamp) {
        self.psp.at(now);
    }

    fn trouble(&mut self, percent: u64) {
        self.psp.trouble(percent);
    }

    /// Payers pay; nobody else does anything.
    fn happen(&mut self, seeded: &mut Seeded, _: Timestamp) {
        let open = self.psp.open();
        if let Some(id) = seeded.pick(&open) {
            self.psp.pay(id);
        }
    }

    fn end(&mut self, _: &mut Seeded) {}

    /// It sends each once.
    fn letters(&mut self) -> Vec<Reported> {
        let events = self.psp.events();
        let from = std::mem::replace(&mut self.sent, events.len());
        events.get(from..).unwrap_or_default().to_vec()
    }

    /// It signs nothing.
    fn written(&self, letter: &Reported, hand: Hand, _: Timestamp) -> Option<Written> {
        (hand == Hand::Provider).then(|| (Vec::new(), serde_json::to_vec(letter).unwrap()))
    }

    fn became(&mut self, _: &Reported, _: End) {}

    fn durable(&self, _: &Reported, _: &World) {}

    fn holds(&self) -> BTreeMap<PaymentId, Holds> {
        self.psp.holds()
    }

    fn agrees(&self, stored: &[Stored], _: &[Message]) {
        for it in stored {
            let too_much = |fact: &Fact| matches!(fact, Fact::RefundRefused { why, .. } if why != "lost");
            assert!(
                !it.facts.iter().any(|(_, fact)| too_much(fact)),
                "a refund that was granted is within what is left: {it:#?}"
            );
        }
    }

    fn counted(&self) -> BTreeMap<&'static str, u64> {
        let holds = self.psp.holds();
        let paid = holds.values().filter(|held| held.captured > 0).count();
        BTreeMap::from([("payments", holds.len() as u64), ("paid", paid as u64)])
    }
}
