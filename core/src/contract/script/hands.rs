//! What people and banks do at a scripted provider: pay, decline, lie, refund by hand, take back, dispute.

use super::provider::{Backed, Fought, Provider, Version, place};
use super::psp::{ScriptedPsp, Told};
use crate::id::{CaptureId, CheckoutId, DisputeId, PspRefundId};
use crate::money::Money;
use crate::payment::{CheckoutState, DisputeState, RefundState};
use crate::port::psp::{About, Capture, News, Reported};
use crate::time::Timestamp;

/// How a provider is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// Nobody answers.
    Silent,
    /// It says so.
    Closed,
    /// It refuses our key.
    Barred,
}

impl ScriptedPsp {
    /// Pays what an open checkout asks for. Says whether it was open.
    pub fn pay(&self, id: &CheckoutId) -> bool {
        let asks = self.look(|it| it.sold(id).filter(|it| it.state == CheckoutState::Open).map(|it| it.asks));
        asks.is_some_and(|asks| {
            self.agree(id, asks);
            true
        })
    }

    /// The payer agrees to pay so much. The money moves, unless we have to take it.
    pub fn agree(&self, id: &CheckoutId, amount: Money) {
        let mut provider = self.lock();
        match provider.character.capture {
            Capture::ByItself => provider.take(id, amount),
            Capture::OnRequest => {
                provider.count("approvals");
                if let Some(sold) = place(id.as_str()).and_then(|at| provider.sold.get_mut(at)) {
                    sold.agreed = Some(amount);
                }
                provider.change(id, CheckoutState::Approved);
            }
        }
    }

    /// Money comes, whatever the checkout's state: late, or once more.
    pub fn wire(&self, id: &CheckoutId, amount: Money) {
        self.lock().take(id, amount);
    }

    /// The payer is done, and the bank needs days.
    pub fn debit(&self, id: &CheckoutId) {
        self.lock().change(id, CheckoutState::CompleteUnpaid);
    }

    /// A debit comes in.
    pub fn settle(&self, id: &CheckoutId) {
        let mut provider = self.lock();
        let amount = provider.sold(id).map(|it| it.agreed.unwrap_or(it.asks));
        if let Some(amount) = amount {
            provider.take(id, amount);
        }
    }

    /// A debit does not come in.
    pub fn fail(&self, id: &CheckoutId) {
        self.lock().change(id, CheckoutState::Failed);
    }

    /// A card is declined; the checkout stays open.
    pub fn decline(&self, id: &CheckoutId) {
        let mut provider = self.lock();
        let Some((payment, n)) = provider.sold(id).map(|it| (it.order.payment, it.order.n)) else { return };
        let attempt = format!("at_{}", provider.events.len());
        let news = vec![News::AttemptFailed { n, attempt, why: "insufficient_funds".into() }];
        let report = Provider::reported(About::Payment(payment), String::new(), provider.now, news);
        provider.record(Some(report), Some(id.clone()));
    }

    /// The bank takes money back that had come.
    pub fn reverse(&self, id: &CaptureId) {
        let mut provider = self.lock();
        let Some(took) = place(id.as_str()).and_then(|at| provider.took.get_mut(at)) else { return };
        took.reversed = true;
        let checkout = took.checkout.clone();
        provider.change(&checkout, CheckoutState::CompletePaid);
    }

    /// The merchant sends money back in the dashboard.
    pub fn refund_by_hand(&self, capture: &CaptureId, amount: Money, state: RefundState) {
        let mut provider = self.lock();
        let Some(payment) = provider.took(capture).map(|it| it.payment) else { return };
        let id = PspRefundId::new(format!("re_{}", provider.backed.len()));
        let version = Version { at: provider.now, count: 0 };
        let capture = capture.clone();
        provider.backed.push(Backed { id: id.clone(), payment, capture, ours: None, amount, state, version });
        provider.tell_of_refund(&id);
    }

    /// A refund comes to another state.
    pub fn refund_becomes(&self, id: &PspRefundId, state: RefundState) {
        let mut provider = self.lock();
        let now = provider.now;
        let Some(it) = place(id.as_str()).and_then(|at| provider.backed.get_mut(at)) else { return };
        (it.state, it.version) = (state, it.version.next(now));
        provider.tell_of_refund(id);
    }

    /// The payer's bank asks, or takes the money at once.
    pub fn dispute(&self, capture: &CaptureId, amount: Money, state: DisputeState) {
        let mut provider = self.lock();
        let Some(payment) = provider.took(capture).map(|it| it.payment) else { return };
        let id = DisputeId::new(format!("dp_{}", provider.fought.len()));
        let withdrawn = state == DisputeState::NeedsResponse;
        let version = Version { at: provider.now, count: 0 };
        provider.fought.push(Fought {
            id: id.clone(),
            payment,
            capture: capture.clone(),
            amount,
            state,
            withdrawn,
            moves: u32::from(withdrawn),
            version,
        });
        provider.tell_of_dispute(&id);
    }

    /// A dispute comes to another state, with or without its money.
    pub fn dispute_becomes(&self, id: &DisputeId, state: DisputeState, withdrawn: bool) {
        let mut provider = self.lock();
        let now = provider.now;
        let Some(it) = place(id.as_str()).and_then(|at| provider.fought.get_mut(at)) else { return };
        it.moves += u32::from(it.withdrawn != withdrawn);
        (it.state, it.withdrawn, it.version) = (state, withdrawn, it.version.next(now));
        provider.tell_of_dispute(id);
    }

    /// Another shop sells on the same account, and sends some of it back: that names money which nobody here knows.
    pub fn foreign_sale(&self) {
        let mut provider = self.lock();
        provider.told.push(Told::Foreign);
        provider.strangers += 1;
        let capture = CaptureId::new(format!("theirs_{}", 1_000_000 + provider.strangers));
        let refund = PspRefundId::new(format!("theirs_re_{}", provider.strangers));
        let amount = super::cents(700, "EUR");
        let state = RefundState::Succeeded;
        let news = vec![News::Refund { refund, ours: None, capture: capture.clone(), amount, state }];
        let report = Provider::reported(About::Capture(capture), String::new(), provider.now, news);
        provider.record(Some(report), None);
    }

    /// A webhook about another account or for real money: like one of ours, and never a fact here.
    pub fn astray(&self, live: bool) {
        let mut provider = self.lock();
        let Provider { seeded, events, .. } = &mut *provider;
        let Some(event) = seeded.pick(events).cloned() else { return };
        let event = Reported { event: format!("astray_{}", provider.told.len()), ..event };
        provider.told.push(Told::Whole(match live {
            true => Reported { livemode: true, ..event },
            false => Reported { provider_account: "acct_somebody_else".into(), ..event },
        }));
    }

    /// From now on and until then, by the right clock, no call has an effect.
    pub fn down_until(&self, right: Timestamp, how: Down) {
        let mut provider = self.lock();
        provider.down = Some((Timestamp::from_ms(right.ms() + provider.character.clock_off_ms), how));
    }
}

impl Provider {
    fn tell_of_dispute(&mut self, id: &DisputeId) {
        let checkout = self.fought(id).and_then(|it| self.took(&it.capture)).map(|it| it.checkout.clone());
        let report = self.report_dispute(id);
        self.record(report, checkout);
    }
}
