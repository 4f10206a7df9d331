//! The end of a history: no more trouble, everything that is owed comes to its end, and all three agree.

use super::Provider;
use super::sim::{Sim, payment};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use till::{cards, checkouts, inbox, reconciler};
use till_core::contract::script::{Holds, Message, Misfit, whole};
use till_core::contract::seeded::Seeded;
use till_core::id::{CaptureId, PaymentId};
use till_core::payment::{Answer, Fact, Status};
use till_core::port::store::{Store as _, Stored};

impl<P: Provider> Sim<P> {
    /// The trouble is over: everything that is owed comes to its end, without a single webhook.
    pub(super) fn settle(&mut self) {
        self.land();
        self.there.trouble(0);
        self.chat.trouble(0, 0);
        self.wrong_by_ms.store(0, Ordering::SeqCst);
        // A lease, a long backoff and a poll later nobody can pay what was cancelled, although it is not over by itself.
        self.rounds(20, 60_000);
        let holds = self.there.holds();
        for it in self.stored() {
            let cancelled = it.facts.iter().any(|(_, fact)| matches!(fact, Fact::CancelAsked { .. }));
            let open = holds.get(&it.id).map_or(0, |held| held.open);
            assert!(!cancelled || open == 0 || !self.there.closes(), "cancelled, and can still be paid: {it:#?}");
        }
        self.there.end(&mut self.seeded);
        self.rounds(80, 300_000);
        if !self.there.closes() {
            // Until the last checkout has closed by itself.
            self.rounds(30, 3_600_000);
        }
        let backlog = whole(self.model.backlog()).unwrap();
        assert_eq!((backlog.work, backlog.cards, backlog.parked), (0, 0, 0), "{backlog:?} {:?}", self.model.waiting());
    }

    pub(super) fn rounds(&mut self, rounds: u32, each_ms: u64) {
        for _ in 0..rounds {
            let (world, now) = (self.world.clone(), self.now());
            let mut entropy = Seeded::new(self.seeded.bits());
            whole(checkouts::step(&world, now, &mut entropy)).unwrap();
            whole(reconciler::step(&world, now)).unwrap();
            whole(reconciler::sweep(&world, "one", now)).unwrap();
            whole(inbox::step(&world, now)).unwrap();
            whole(cards::step(&world, now, &mut entropy)).unwrap();
            whole(cards::step_messages(&world, now, &mut entropy)).unwrap();
            self.watch();
            self.ahead(each_ms);
        }
    }

    pub(super) fn agree(&self) {
        let (holds, stored) = (self.there.holds(), self.stored());
        let known: BTreeSet<PaymentId> = stored.iter().map(|it| it.id).collect();
        assert!(stored.iter().all(|it| self.made.contains_key(&it.code)), "every payment was asked for");
        assert!(holds.keys().all(|id| known.contains(id)), "the provider knows no payment that till does not");
        let messages = self.chat.messages();
        for it in &stored {
            let payment = payment(it);
            let (status, sums) = (payment.status(), payment.sums());
            let held = holds.get(&it.id).cloned().unwrap_or_default();
            let (accepted, waits) = decided(it, &held);
            let there = accepted.iter().fold((held.captured, held.refunded, held.withheld), |sums, odd| {
                (sums.0 + odd.captured, sums.1 + odd.refunded, sums.2 + odd.withheld)
            });
            assert_eq!(
                (sums.captured, sums.refunded, sums.withheld),
                there,
                "captured, refunded, withheld, here and there: {it:#?}"
            );
            assert_eq!(sums.reserved, 0, "no refund hangs: {it:#?}");
            assert!(held.twins <= 1 && held.open <= 1, "one checkout for every number, one open at a time: {held:?}");
            assert_eq!(waits || sums.refunded > sums.captured, status == Status::NeedsReview, "{it:#?}");
            let stays = [Status::Open, Status::Disputed, Status::PartiallyPaid, Status::PendingApproval];
            assert!(stays.contains(&status) || !status.is_moving(), "{status}: {it:#?}");
            let wanted = !payment.deadline_passed && payment.cancelled_by.is_none() && sums.missing() > 0;
            assert!(held.open == 0 || wanted, "{status}, and can be paid: {it:#?}");
            cards_tell(it, status, &messages);
        }
        self.there.agrees(&stored, &messages);
    }
}

/// What staff decided about money that does not fit: all of it that counts, and whether some still waits for them.
fn decided(it: &Stored, held: &Holds) -> (Vec<Misfit>, bool) {
    let told = it.facts.iter().filter(|(_, fact)| matches!(fact, Fact::Mismatch { .. })).count();
    assert_eq!(told, held.misfits.len(), "all that does not fit is known, and nothing else: {it:#?}");
    let answer = |capture: &CaptureId| {
        it.facts.iter().find_map(|(_, fact)| match fact {
            Fact::ReviewResolved { id, answer, .. } if *id == format!("capture/{capture}") => Some(*answer),
            _ => None,
        })
    };
    let counts = held.misfits.iter().filter(|(id, _)| answer(id) == Some(Answer::Yes)).map(|(_, odd)| *odd);
    (counts.collect(), held.misfits.keys().any(|id| answer(id).is_none()))
}

/// Every card of a payment that can still be edited shows its status, and nobody has to look for one.
fn cards_tell(it: &Stored, status: Status, messages: &[Message]) {
    let of = |message: &&Message| message.body["card"]["code"] == it.code.to_string();
    let told = |message: &Message| message.body["card"]["status"].as_str().unwrap().to_owned();
    let newest = messages.iter().rfind(of).map(told);
    let never_shown = status.is_staff_only() || matches!(status, Status::Cancelled | Status::Expired);
    assert!(newest.as_deref() == Some(status.name()) || (newest.is_none() && never_shown), "{newest:?}: {it:#?}");
    for message in messages.iter().filter(of).filter(|it| !it.closed) {
        assert_eq!(told(message), status.name(), "a card that nobody keeps: {message:?} of {it:#?}");
    }
}
