//! What people and banks do at the scripted provider, chosen by the seed.

use super::script::Script;
use std::time::Duration;
use till_core::contract::script::{Backed, Down, Fought, Sold, Took, cents};
use till_core::contract::seeded::Seeded;
use till_core::money::Money;
use till_core::payment::{CheckoutState, DisputeState, RefundState};
use till_core::port::psp::{AmountBy, Expire};
use till_core::time::Timestamp;

impl Script {
    pub(super) fn people(&mut self, seeded: &mut Seeded, now: Timestamp) {
        match seeded.below(24) {
            0..=8 => self.payer(seeded),
            9..=11 => self.debit_ends(seeded, 40),
            12 => self.refund_by_hand(seeded),
            13 | 14 => self.refund_moves(seeded),
            15 => self.dispute_opens(seeded),
            16 | 17 => self.dispute_moves(seeded),
            18 => self.bank_takes_back(seeded),
            19 => self.strangers(seeded),
            20 => self.goes_down(seeded, now),
            21.. => self.wires(seeded),
        }
    }

    /// Debits, refunds, and some of the disputes.
    pub(super) fn what_takes_days_ends(&mut self, seeded: &mut Seeded) {
        self.debit_ends(seeded, 100);
        for it in
            self.refunds(|it| !matches!(it.state, RefundState::Succeeded | RefundState::Failed | RefundState::Canceled))
        {
            let end = if seeded.chance(70) { RefundState::Succeeded } else { RefundState::Failed };
            self.psp.refund_becomes(&it.id, end);
        }
        for _ in 0..10 {
            self.dispute_moves(seeded);
        }
    }

    fn sold(&self, fits: impl Fn(&Sold) -> bool) -> Vec<Sold> {
        self.psp.look(|it| it.sold.iter().filter(|it| fits(it)).cloned().collect())
    }

    fn refunds(&self, fits: impl Fn(&Backed) -> bool) -> Vec<Backed> {
        self.psp.look(|it| it.backed.iter().filter(|it| fits(it)).cloned().collect())
    }

    /// Money that is there, how much of it has not gone back, and whether it is disputed.
    fn money(&self) -> Vec<(Took, i64, bool)> {
        self.psp.look(|it| {
            let fought = |took: &Took| it.fought.iter().any(|fought| fought.capture == took.id);
            let all = it.took.iter().filter(|took| !took.reversed);
            all.map(|took| (took.clone(), it.left(took), fought(took))).filter(|(_, left, _)| *left > 0).collect()
        })
    }

    /// A payer on an open page: pays, is declined, allows a debit; and the provider lies about it now and then.
    fn payer(&mut self, seeded: &mut Seeded) {
        let open = self.sold(|it| it.state == CheckoutState::Open);
        let Some(sold) = seeded.pick(&open) else { return };
        let asks = sold.asks;
        let some =
            Money::new(1 + i64::try_from(seeded.below(2 * asks.minor().unsigned_abs())).unwrap(), asks.currency());
        match seeded.below(20) {
            0..=1 => {
                self.psp.decline(&sold.id);
                self.count("declined");
            }
            2..=4 => {
                self.psp.debit(&sold.id);
                self.count("debits");
            }
            5 => {
                self.psp.agree(&sold.id, cents(asks.minor(), "USD"));
                self.count("lies about the currency");
            }
            6 => {
                self.psp.agree(&sold.id, some);
                let what =
                    if self.character.amount == AmountBy::Payer { "chosen amounts" } else { "lies about the amount" };
                self.count(what);
            }
            7..=11 if self.character.amount == AmountBy::Payer => {
                self.psp.agree(&sold.id, some);
                self.count("chosen amounts");
            }
            7.. => self.psp.agree(&sold.id, asks),
        }
    }

    fn debit_ends(&mut self, seeded: &mut Seeded, percent: u64) {
        for sold in self.sold(|it| it.state == CheckoutState::CompleteUnpaid) {
            if !seeded.chance(percent) {
                continue;
            }
            if seeded.chance(60) {
                self.psp.settle(&sold.id);
            } else {
                self.psp.fail(&sold.id);
                self.count("debits that failed");
            }
        }
    }

    /// Money comes to a page that has closed, or to one that was paid; where people can do that.
    fn wires(&mut self, seeded: &mut Seeded) {
        if self.character.amount == AmountBy::Checkout && self.character.expire == Expire::OnRequest {
            return;
        }
        let chooses = self.character.amount == AmountBy::Payer;
        let over = |state| state == CheckoutState::Expired || (chooses && state == CheckoutState::CompletePaid);
        let over = self.sold(|it| over(it.state));
        let Some(sold) = seeded.pick(&over).filter(|_| seeded.clone().chance(50)) else { return };
        self.psp.wire(&sold.id, sold.asks);
        self.count(if sold.state == CheckoutState::Expired { "paid too late" } else { "paid once more" });
    }

    fn bank_takes_back(&mut self, seeded: &mut Seeded) {
        let money = self.money();
        let Some((took, _, false)) = seeded.pick(&money) else { return };
        self.psp.reverse(&took.id);
        self.count("taken back by the bank");
    }

    fn refund_by_hand(&mut self, seeded: &mut Seeded) {
        let money = self.money();
        let Some((took, left, _)) = seeded.pick(&money) else { return };
        let part = 1 + i64::try_from(seeded.below(left.unsigned_abs())).unwrap();
        let amount = Money::new(if seeded.chance(40) { *left } else { part }, took.amount.currency());
        let states = [RefundState::Succeeded, RefundState::Pending, RefundState::RequiresAction];
        self.psp.refund_by_hand(&took.id, amount, *seeded.pick(&states).unwrap());
        self.count("refunds by hand");
    }

    fn refund_moves(&mut self, seeded: &mut Seeded) {
        let refunds = self.refunds(|it| !matches!(it.state, RefundState::Failed | RefundState::Canceled));
        let Some(refund) = seeded.pick(&refunds) else { return };
        let next = match (refund.state, seeded.below(10)) {
            (RefundState::Succeeded, 0 | 1) => {
                self.count("refunds that came back");
                RefundState::Failed
            }
            (RefundState::Succeeded, _) => return,
            (_, 0 | 1) => {
                self.count("refunds that failed");
                RefundState::Failed
            }
            (RefundState::RequiresAction, 2) => RefundState::Canceled,
            (RefundState::RequiresAction, 3..=5) => RefundState::Pending,
            (_, _) => RefundState::Succeeded,
        };
        self.psp.refund_becomes(&refund.id, next);
    }

    fn dispute_opens(&mut self, seeded: &mut Seeded) {
        let money = self.money();
        let Some((took, left, false)) = seeded.pick(&money) else { return };
        let amount = if seeded.chance(70) { *left } else { (*left / 2).max(1) };
        let state = if seeded.chance(40) { DisputeState::WarningNeedsResponse } else { DisputeState::NeedsResponse };
        self.psp.dispute(&took.id, Money::new(amount, took.amount.currency()), state);
        self.count("disputes");
    }

    fn dispute_moves(&mut self, seeded: &mut Seeded) {
        use DisputeState::{
            Lost, NeedsResponse, Prevented, UnderReview, WarningClosed, WarningNeedsResponse, WarningUnderReview, Won,
        };
        let disputes: Vec<Fought> = self.psp.look(|it| it.fought.clone());
        let Some(dispute) = seeded.pick(&disputes) else { return };
        let taken = dispute.withdrawn;
        let (next, withdrawn) = match (dispute.state, seeded.below(5)) {
            (WarningNeedsResponse, 0) => (WarningUnderReview, false),
            (WarningNeedsResponse | WarningUnderReview, 1) => (WarningClosed, false),
            (WarningNeedsResponse | WarningUnderReview | WarningClosed, 2) => (NeedsResponse, true),
            (WarningNeedsResponse | WarningUnderReview, 3) => (Prevented, false),
            (NeedsResponse, 0 | 1) => (UnderReview, taken),
            (NeedsResponse | UnderReview, 2 | 4) => (Lost, true),
            (UnderReview, 3) => (Won, false),
            (Lost, 3) => {
                self.count("disputes won after they were lost");
                (Won, false)
            }
            // The money is given back before the bank has decided, or taken again.
            (UnderReview, 0) => {
                self.count("moves of disputed funds");
                (UnderReview, !taken)
            }
            (_, _) => return,
        };
        self.psp.dispute_becomes(&dispute.id, next, withdrawn);
    }

    /// Another shop sells on the same account; a webhook goes astray.
    fn strangers(&mut self, seeded: &mut Seeded) {
        if seeded.chance(50) {
            self.psp.foreign_sale();
            self.count("sales of another shop");
        } else {
            self.psp.astray(seeded.chance(50));
            self.count("webhooks gone astray");
        }
    }

    fn goes_down(&mut self, seeded: &mut Seeded, now: Timestamp) {
        let how = *seeded.pick(&[Down::Silent, Down::Closed, Down::Barred]).unwrap();
        self.psp.down_until(now.after(Duration::from_secs(60 + seeded.below(4 * 3600))), how);
        self.count("hours when it was down");
    }
}
