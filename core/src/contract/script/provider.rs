//! What a scripted provider has in its books, and how it reports on each thing in them.
//!
//! ```text
//! Sold ── one checkout          Took ── money that came through it
//! Backed ── a refund of it      Fought ── a dispute about it
//! ```
//! Every change is a version with a later time than the one before, an event in the list, and a webhook.

use super::super::seeded::Seeded;
use super::character::{Character, Names, Tells};
use super::hands::Down;
use super::psp::Told;
use crate::id::{CaptureId, CheckoutId, DisputeId, PaymentId, PspRefundId, RefundId};
use crate::money::Money;
use crate::order::CheckoutOrder;
use crate::payment::{CheckoutState, DisputeState, RefundState};
use crate::port::psp::{About, AmountBy, News, Reported};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that the provider knows. Things are named by their place in a list: `co_0`, `py_0`, `re_0`, `dp_0`.
#[derive(Debug)]
pub struct Provider {
    /// What it is like.
    pub character: Character,
    /// Checkouts, oldest first.
    pub sold: Vec<Sold>,
    /// Money that came, oldest first.
    pub took: Vec<Took>,
    /// Refunds, oldest first.
    pub backed: Vec<Backed>,
    /// Disputes, oldest first.
    pub fought: Vec<Fought>,
    /// Calls under a key that had been used for another order. There must be none.
    pub conflicts: u32,
    /// What happened, by name.
    pub counted: BTreeMap<&'static str, u64>,
    pub(super) seeded: Seeded,
    pub(super) trouble_percent: u64,
    pub(super) down: Option<(Timestamp, Down)>,
    pub(super) now: Timestamp,
    pub(super) keys: BTreeMap<String, Kept>,
    pub(super) events: Vec<Reported>,
    pub(super) told: Vec<Told>,
    pub(super) strangers: u32,
}

/// What a key was used for.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) order: String,
    /// `None`: an error, for ever.
    pub(super) answer: Option<Reported>,
    pub(super) at: Timestamp,
}

/// When something was changed last, and how often it was.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    pub(super) at: Timestamp,
    pub(super) count: u32,
}

impl Version {
    /// The next version, later than this one.
    pub(super) fn next(self, now: Timestamp) -> Self {
        Self { at: now.max(self.at.after(Duration::from_millis(1))), count: self.count + 1 }
    }
}

/// A checkout.
#[derive(Clone, Debug)]
pub struct Sold {
    /// Its name here.
    pub id: CheckoutId,
    /// What we ordered.
    pub order: CheckoutOrder,
    /// What its page asks for; not what we ordered, when the provider lies.
    pub asks: Money,
    /// What the payer has agreed to pay, where that is not paid yet.
    pub agreed: Option<Money>,
    /// Its state.
    pub state: CheckoutState,
    /// Whether money was taken because we said so.
    pub taken: bool,
    pub(super) version: Version,
}

/// Money that came.
#[derive(Clone, Debug)]
pub struct Took {
    /// Its name here.
    pub id: CaptureId,
    /// Which checkout it came through.
    pub checkout: CheckoutId,
    /// For which payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// Whether it is what was ordered, as far as this provider promises that.
    pub fits: bool,
    /// Whether the bank took it back.
    pub reversed: bool,
}

/// A refund.
#[derive(Clone, Debug)]
pub struct Backed {
    /// Its name here.
    pub id: PspRefundId,
    /// Of which payment.
    pub payment: PaymentId,
    /// Of which money.
    pub capture: CaptureId,
    /// Ours, where it was not made by hand.
    pub ours: Option<RefundId>,
    /// How much.
    pub amount: Money,
    /// Its state.
    pub state: RefundState,
    pub(super) version: Version,
}

/// A dispute.
#[derive(Clone, Debug)]
pub struct Fought {
    /// Its name here.
    pub id: DisputeId,
    /// About which payment.
    pub payment: PaymentId,
    /// About which money.
    pub capture: CaptureId,
    /// How much.
    pub amount: Money,
    /// Its state.
    pub state: DisputeState,
    /// Whether the money is taken now.
    pub withdrawn: bool,
    pub(super) moves: u32,
    pub(super) version: Version,
}

/// Money that does not fit the order, and what became of it, in minor units of the order's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Misfit {
    /// Captured, where it was not reversed.
    pub captured: i64,
    /// Refunded.
    pub refunded: i64,
    /// Taken for disputes.
    pub withheld: i64,
}

/// What the provider holds of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Captured, in minor units; without what was reversed and what does not fit the order.
    pub captured: i64,
    /// Refunded, in minor units.
    pub refunded: i64,
    /// Taken for disputes, in minor units; by a provider that has them.
    pub withheld: i64,
    /// Money that does not fit the order: it stands in none of the sums above.
    pub misfits: BTreeMap<CaptureId, Misfit>,
    /// Checkouts that can be paid now.
    pub open: u32,
    /// Most checkouts that ever existed for one number.
    pub twins: u32,
}

impl Provider {
    pub(super) fn new(character: Character, seed: u64, now: Timestamp) -> Self {
        let mut new = Self {
            character,
            sold: Vec::new(),
            took: Vec::new(),
            backed: Vec::new(),
            fought: Vec::new(),
            conflicts: 0,
            counted: BTreeMap::new(),
            seeded: Seeded::new(seed),
            trouble_percent: 0,
            down: None,
            now,
            keys: BTreeMap::new(),
            events: Vec::new(),
            told: Vec::new(),
            strangers: 0,
        };
        new.set(now);
        new
    }

    /// The right time, which its own clock misses.
    pub(super) fn set(&mut self, right: Timestamp) {
        self.now = Timestamp::from_ms(right.ms() + self.character.clock_off_ms);
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counted.entry(what).or_default() += 1;
    }

    /// A checkout by its name.
    pub fn sold(&self, id: &CheckoutId) -> Option<&Sold> {
        self.sold.get(place(id.as_str())?)
    }

    /// Money by its name.
    pub fn took(&self, id: &CaptureId) -> Option<&Took> {
        self.took.get(place(id.as_str())?).filter(|it| it.id == *id)
    }

    /// A refund by its name.
    pub fn backed(&self, id: &PspRefundId) -> Option<&Backed> {
        self.backed.get(place(id.as_str())?)
    }

    /// A dispute by its name.
    pub fn fought(&self, id: &DisputeId) -> Option<&Fought> {
        self.fought.get(place(id.as_str())?)
    }

    /// How much of some money has not gone back and is not on its way, in minor units.
    pub fn left(&self, took: &Took) -> i64 {
        let back = self.backed.iter().filter(|it| it.capture == took.id);
        let back = back.filter(|it| !matches!(it.state, RefundState::Failed | RefundState::Canceled));
        if took.reversed { 0 } else { took.amount.minor() - back.map(|it| it.amount.minor()).sum::<i64>() }
    }

    /// A new state of a checkout, and word of it.
    pub(super) fn change(&mut self, id: &CheckoutId, state: CheckoutState) {
        let now = self.now;
        let Some(sold) = place(id.as_str()).and_then(|at| self.sold.get_mut(at)) else { return };
        (sold.state, sold.version) = (state, sold.version.next(now));
        self.tell_of_checkout(id);
    }

    pub(super) fn tell_of_checkout(&mut self, id: &CheckoutId) {
        let report = self.report_checkout(id);
        self.record(report, Some(id.clone()));
    }

    /// One more event, and its webhook.
    pub(super) fn record(&mut self, report: Option<Reported>, checkout: Option<CheckoutId>) {
        let Some(mut report) = report else { return };
        report.event = format!("evt_{}", self.events.len());
        self.told.push(match (self.character.tells, checkout) {
            (Tells::Hints, Some(id)) => Told::Hint(id),
            (Tells::Whole, _) | (Tells::Hints, None) => Told::Whole(report.clone()),
        });
        self.events.push(report);
    }

    pub(super) fn reported(about: About, event: String, as_of: Timestamp, news: Vec<News>) -> Reported {
        Reported { event, as_of, provider_account: "acct_script".into(), livemode: false, about, news }
    }

    /// How refunds and disputes name their payment.
    pub(super) fn about(&self, payment: PaymentId, capture: &CaptureId) -> About {
        match self.character.names {
            Names::Payment => About::Payment(payment),
            Names::Capture => About::Capture(capture.clone()),
        }
    }

    pub(super) fn report_checkout(&self, id: &CheckoutId) -> Option<Reported> {
        let sold = self.sold(id)?;
        let mut news = vec![News::Checkout {
            checkout: id.clone(),
            n: sold.order.n,
            state: sold.state,
            amount: sold.asks,
            closes_at: Some(sold.order.closes_at),
            url: (sold.state == CheckoutState::Open).then(|| format!("https://psp.example/pay/{id}")),
        }];
        for took in self.took.iter().filter(|it| it.checkout == *id) {
            news.push(News::Captured { capture: took.id.clone(), checkout: id.clone(), amount: took.amount });
            news.extend(took.reversed.then(|| News::CaptureReversed { capture: took.id.clone() }));
        }
        let event = format!("fetch:{id}:{}", sold.version.count);
        Some(Self::reported(About::Payment(sold.order.payment), event, sold.version.at, news))
    }

    pub(super) fn report_refund(&self, id: &PspRefundId) -> Option<Reported> {
        let it = self.backed(id)?;
        let news = vec![News::Refund {
            refund: id.clone(),
            ours: it.ours,
            capture: it.capture.clone(),
            amount: it.amount,
            state: it.state,
        }];
        let event = format!("fetch:{id}:{}", it.version.count);
        Some(Self::reported(self.about(it.payment, &it.capture), event, it.version.at, news))
    }

    pub(super) fn report_dispute(&self, id: &DisputeId) -> Option<Reported> {
        let it = self.fought(id)?;
        let zero = Money::zero(it.amount.currency());
        let news = vec![News::Dispute {
            dispute: id.clone(),
            capture: it.capture.clone(),
            amount: it.amount,
            state: it.state,
            withdrawn: if it.withdrawn { it.amount } else { zero },
            moves: it.moves,
            answer_by: Some(it.version.at.after(Duration::from_secs(7 * 24 * 3600))),
        }];
        let event = format!("fetch:{id}:{}", it.version.count);
        Some(Self::reported(self.about(it.payment, &it.capture), event, it.version.at, news))
    }

    /// What hangs on some money.
    pub(super) fn hanging(&self, capture: &CaptureId) -> Vec<Reported> {
        let refunds = self.backed.iter().filter(|it| it.capture == *capture);
        let disputes = self.fought.iter().filter(|it| it.capture == *capture);
        let refunds = refunds.filter_map(|it| self.report_refund(&it.id));
        refunds.chain(disputes.filter_map(|it| self.report_dispute(&it.id))).collect()
    }

    /// Money comes through a checkout.
    pub(super) fn take(&mut self, id: &CheckoutId, amount: Money) {
        let Some(sold) = self.sold(id) else { return };
        let ordered = sold.order.amount;
        let chosen = self.character.amount == AmountBy::Payer && amount.currency() == ordered.currency();
        let (payment, fits) = (sold.order.payment, amount == ordered || chosen);
        let capture = CaptureId::new(format!("py_{}", self.took.len()));
        self.took.push(Took { id: capture, checkout: id.clone(), payment, amount, fits, reversed: false });
        self.change(id, CheckoutState::CompletePaid);
    }

    /// What it holds, by payment.
    pub fn holds(&self) -> BTreeMap<PaymentId, Holds> {
        let mut all: BTreeMap<PaymentId, Holds> = BTreeMap::new();
        let mut numbers: BTreeMap<(PaymentId, u32), u32> = BTreeMap::new();
        let mut currencies = BTreeMap::new();
        for sold in &self.sold {
            let holds = all.entry(sold.order.payment).or_default();
            let twins = numbers.entry((sold.order.payment, sold.order.n)).or_default();
            *twins += 1;
            holds.twins = holds.twins.max(*twins);
            holds.open += u32::from(sold.state == CheckoutState::Open);
            currencies.insert(sold.order.payment, sold.order.amount.currency());
        }
        let ours = |payment: &PaymentId, amount: Money| {
            if currencies.get(payment) == Some(&amount.currency()) { amount.minor() } else { 0 }
        };
        for took in &self.took {
            let holds = all.entry(took.payment).or_default();
            let captured = if took.reversed { 0 } else { ours(&took.payment, took.amount) };
            if took.fits {
                holds.captured += captured;
            } else {
                holds.misfits.insert(took.id.clone(), Misfit { captured, ..Misfit::default() });
            }
        }
        // What becomes of money that the bank took back is between the merchant and the bank.
        let reversed = |id: &CaptureId| self.took.iter().any(|took| took.id == *id && took.reversed);
        let back = self.backed.iter().filter(|it| it.state == RefundState::Succeeded && !reversed(&it.capture));
        for it in back {
            let holds = all.entry(it.payment).or_default();
            let refunded = holds.misfits.get_mut(&it.capture).map_or(&mut holds.refunded, |odd| &mut odd.refunded);
            *refunded += ours(&it.payment, it.amount);
        }
        for it in self.fought.iter().filter(|it| it.withdrawn && !reversed(&it.capture)) {
            let holds = all.entry(it.payment).or_default();
            let withheld = holds.misfits.get_mut(&it.capture).map_or(&mut holds.withheld, |odd| &mut odd.withheld);
            *withheld += ours(&it.payment, it.amount);
        }
        all
    }
}

/// The place of a thing in its list, from its name.
pub(super) fn place(id: &str) -> Option<usize> {
    id.rsplit_once('_')?.1.parse().ok()
}
