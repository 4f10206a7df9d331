//! The end of a history: no more trouble, everything that is owed comes to its end, and all three agree.

use super::Provider;
use super::sim::{Sim, payment};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use till::{cards, checkouts, inbox, reconciler};
use till_core::contract::script::{Message, whole};
use till_core::contract::seeded::Seeded;
use till_core::id::PaymentId;
use till_core::payment::{Fact, Status};
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
            assert_eq!(
                (sums.captured, sums.refunded, sums.withheld),
                (held.captured, held.refunded, held.withheld),
                "captured, refunded, withheld, here and there: {it:#?}"
            );
            assert_eq!(sums.reserved, 0, "no refund hangs: {it:#?}");
            assert!(held.twins <= 1 && held.open <= 1, "one checkout for every number, one open at a time: {held:?}");
            let misfits = it.facts.iter().filter(|(_, fact)| matches!(fact, Fact::Mismatch { .. })).count();
            assert_eq!(
                misfits,
                usize::try_from(held.misfits).unwrap(),
                "what does not fit waits for a person: {it:#?}"
            );
            assert_eq!(misfits > 0 || sums.refunded > sums.captured, status == Status::NeedsReview, "{it:#?}");
            let waits = [Status::Open, Status::Disputed, Status::PartiallyPaid];
            assert!(waits.contains(&status) || !status.is_moving(), "{status}: {it:#?}");
            let wanted = !payment.deadline_passed && payment.cancelled_by.is_none() && sums.missing() > 0;
            assert!(held.open == 0 || wanted, "{status}, and can be paid: {it:#?}");
            cards_tell(it, status, &messages);
        }
        self.there.agrees(&stored, &messages);
    }
}

/// Every card of a payment that can still be edited shows its status, and nobody has to look for one.
fn cards_tell(it: &Stored, status: Status, messages: &[Message]) {
    let of = |message: &&Message| message.body["card"]["code"] == it.code.to_string();
    let told = |message: &Message| message.body["card"]["status"].as_str().unwrap().to_owned();
    let newest = messages.iter().rfind(of).map(told);
    let never_shown = matches!(status, Status::Cancelled | Status::Expired | Status::Failed);
    assert!(newest.as_deref() == Some(status.name()) || (newest.is_none() && never_shown), "{newest:?}: {it:#?}");
    for message in messages.iter().filter(of).filter(|it| !it.closed) {
        assert_eq!(told(message), status.name(), "a card that nobody keeps: {message:?} of {it:#?}");
    }
}
