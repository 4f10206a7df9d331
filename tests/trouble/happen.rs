//! One thing that happens in a history: somebody acts, a webhook comes, a worker takes a step, a clock jumps.

use super::sim::{Flight, Sim, UNHARMED};
use super::{End, Hand, Provider};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use till::inbox::Verdict;
use till::world::World;
use till::{cards, checkouts, inbox, reconciler};
use till_core::contract::seeded::Seeded;
use till_core::port::psp::Delivery;
use till_core::signature::SKEW_SECS_MAX;
use till_core::time::Timestamp;

/// One step of one worker, by its number below 7.
fn worker(which: u64, world: Arc<World>, now: Timestamp, mut entropy: Seeded) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        match which {
            0 | 1 => drop(checkouts::step(&world, now, &mut entropy).await.unwrap()),
            2 | 3 => drop(cards::step(&world, now, &mut entropy).await.unwrap()),
            4 => drop(cards::step_messages(&world, now, &mut entropy).await.unwrap()),
            5 => drop(reconciler::step(&world, now).await.unwrap()),
            6.. => {
                reconciler::sweep(&world, "one", now).await.unwrap();
                inbox::step(&world, now).await.unwrap();
            }
        }
    })
}

/// Events that made facts, since this process began.
fn applied(world: &World) -> u64 {
    world.counts.all().get("event_applied").copied().unwrap_or_default()
}

impl<P: Provider> Sim<P> {
    /// One thing that happens in the world.
    pub(super) fn happen(&mut self) {
        match self.seeded.below(30) {
            0..=2 => self.ask(),
            3..=9 => {
                let right = self.right();
                self.there.happen(&mut self.seeded, right);
            }
            10 | 11 => self.type_something(),
            12 => self.press(),
            13 => self.open_page(),
            14..=17 => self.deliver(),
            18 => self.jump(),
            19 => self.run_off(),
            20 => self.resume(),
            21.. => self.step(),
        }
        let short = self.seeded.below(2_000);
        self.ahead(short);
    }

    /// Minutes pass, or days; or more than a provider remembers its events for.
    fn jump(&mut self) {
        let days = match self.seeded.below(100) {
            0..=6 => 1 + self.seeded.below(3),
            7 | 8 => 31 + self.seeded.below(9),
            _ => 0,
        };
        if days > 30 {
            self.count("months");
        }
        let long = 60_000 + self.seeded.below(3_600_000) + days * 24 * 3_600_000;
        self.ahead(long);
    }

    /// Our clock runs off, ahead or a little back, and is set right.
    fn run_off(&mut self) {
        self.land();
        let wrong_by = match self.seeded.below(4) {
            0 => -i64::try_from(self.seeded.below(120_000)).unwrap(),
            1 => i64::try_from(self.seeded.below(600_000)).unwrap(),
            _ => 0,
        };
        if wrong_by != 0 {
            self.count("clocks that ran off");
        }
        self.wrong_by_ms.store(wrong_by, Ordering::SeqCst);
    }

    /// Webhooks come late, twice, in any order, forged, or never.
    fn deliver(&mut self) {
        let mut letters = self.there.letters();
        while !letters.is_empty() {
            let at = usize::try_from(self.seeded.below(letters.len() as u64)).unwrap();
            let letter = letters.swap_remove(at);
            match self.seeded.below(20) {
                0..=5 => {}
                6 | 7 => {
                    self.there.became(&letter, End::Lost);
                    self.count("lost");
                }
                8 => drop(self.receive(&letter, Hand::Stranger)),
                9 => drop(self.receive(&letter, Hand::Past)),
                10 => self.receive_twice(&letter),
                _ => drop(self.receive(&letter, Hand::Provider)),
            }
            self.past.push(letter);
        }
        for _ in 0..self.seeded.below(4) {
            if let Some(letter) = self.seeded.pick(&self.past).cloned() {
                self.receive(&letter, Hand::Provider);
            }
        }
    }

    /// The same webhook twice: an event that was taken is not applied once more.
    fn receive_twice(&mut self, letter: &P::Letter) {
        let first = self.receive(letter, Hand::Provider);
        let (world, before) = (self.world.clone(), applied(&self.world));
        let second = self.receive(letter, Hand::Provider);
        let after = applied(&world);
        if (first, second) == (Some(Verdict::Taken), Some(Verdict::Taken)) && Arc::ptr_eq(&world, &self.world) {
            assert_eq!(before, after, "the same event is taken once");
        }
        self.count("doubled");
    }

    /// One try of one webhook, in the middle of which the process may be killed. What a hand that is the provider's got
    /// for it.
    fn receive(&mut self, letter: &P::Letter, hand: Hand) -> Option<Verdict> {
        let (world, now, theirs) = (self.world.clone(), self.now(), self.theirs());
        let (headers, body) = self.there.written(letter, hand, theirs)?;
        let at = world.accounts.for_new().unwrap();
        let delivery = Delivery { headers: &headers, body: &body };
        let breaths = self.breaths(5);
        let mut receive = pin!(inbox::receive(&world, &at, delivery, now));
        let Some(verdict) = self.go_on(receive.as_mut(), breaths) else {
            self.restart();
            return None;
        };
        let in_time = now.secs().abs_diff(theirs.secs()) <= SKEW_SECS_MAX;
        if hand != Hand::Provider {
            self.count("forged");
            let believed = verdict != Verdict::Refused && self.there.signs(letter);
            assert!(!believed, "a webhook is not believed when it is signed by {hand:?}");
            return None;
        }
        if in_time {
            assert_ne!(verdict, Verdict::Refused, "a webhook of the provider's is believed");
        }
        if verdict == Verdict::Taken {
            self.there.durable(letter, &self.world, &self.model);
        }
        self.there.became(letter, if verdict == Verdict::Taken { End::Accepted } else { End::Refused });
        self.count(if verdict == Verdict::Taken { "webhooks" } else { "webhooks refused" });
        Some(verdict)
    }

    /// One worker takes a step. It dies after so many breaths, or waits for its answer while other things happen.
    fn step(&mut self) {
        let entropy = Seeded::new(self.seeded.bits());
        let mut step = worker(self.seeded.below(7), self.world.clone(), self.now(), entropy);
        let breaths = self.breaths(45);
        if self.go_on(step.as_mut(), breaths).is_some() {
        } else if self.seeded.chance(50) && self.flights.len() < 3 {
            self.count("calls in flight");
            self.flights.push(Flight { step, since: self.right() });
        } else {
            drop(step);
            self.restart();
        }
    }

    /// A call in flight comes further, or to its answer.
    fn resume(&mut self) {
        if self.flights.is_empty() {
            return self.step();
        }
        let at = usize::try_from(self.seeded.below(self.flights.len() as u64)).unwrap();
        let mut flight = self.flights.swap_remove(at);
        let breaths = if self.seeded.chance(60) { UNHARMED } else { 2 };
        if self.go_on(flight.step.as_mut(), breaths).is_none() {
            self.flights.push(flight);
        }
    }
}
