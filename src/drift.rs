//! Drift: what Till and the provider disagree on, shown payment by payment, and mended.
//!
//! ```text
//! each payment ─► everything the provider knows of it ─► facts that are missing here ─► shown ─► kept
//! ```
//! By hand with `till reconcile`, and once a day by a running till; what came of it is kept for the doctor.
//! Mending adds facts and nothing else: what the provider holds is what Till shows afterwards. No money is moved.

use crate::book::{self, Loaded};
use crate::inbox::{self, Came, Verdict};
use crate::world::{At, World};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use till_core::id::{Code, MerchantId, PaymentId};
use till_core::money::Money;
use till_core::payment::{Fact, Payment, Status, judge};
use till_core::port::psp::{Ask, Fault, News, Reported};
use till_core::port::store::{Concerns, Store, StoreError};
use till_core::time::Timestamp;

/// How many payments are listed in one go.
const PAGE: u32 = 1000;
/// A checkout that was wanted this long ago and never answered is looked for.
const UNANSWERED: Duration = Duration::from_secs(600);

/// Why a payment cannot be compared whose checkout or money the provider does not know.
const NOT_THERE: &str = "the provider does not know it: is it the right key, account and mode?";

/// Why what differs was not mended.
const NOT_OURS: &str = "what the provider says is of another account or mode: is --live right?";

/// A payment that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// What people call it.
    pub code: Code,
    /// What it is here, and with what the provider says.
    pub status: (Status, Status),
    /// Captured here, and with what the provider says.
    pub captured: (Money, Money),
    /// Refunded here, and with what the provider says.
    pub refunded: (Money, Money),
    /// Taken for disputes here, and with what the provider says.
    pub withheld: (Money, Money),
}

/// What came of looking at one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Both say the same.
    Same,
    /// They differ; it is mended where that was wanted.
    Differs(Drift),
    /// They differ, and it was not mended although that was wanted: why.
    Stays(Drift, String),
    /// The provider could not be asked.
    Unknown(Code, String),
}

/// Whether what differs is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    /// It is.
    Yes,
    /// It is only shown.
    No,
}

/// The payments to look at: those of this age, and older ones that can still change by themselves.
///
/// # Errors
/// [`StoreError`].
pub async fn payments(world: &World, age: Duration, now: Timestamp) -> Result<Vec<PaymentId>, StoreError> {
    let or = Status::ALL.into_iter().filter(|status| status.is_moving()).collect();
    let mut concerns = Concerns { since: now.before(age), or, after: None, limit: PAGE };
    let mut all = Vec::new();
    loop {
        let page = world.store.concerned(&world.merchant.id, &concerns).await?;
        let Some(last) = page.last() else { return Ok(all) };
        concerns.after = Some(*last);
        all.extend(page.into_iter().map(|(_, id)| id));
    }
}

/// Looks at one payment, within the budget of look-ups.
///
/// # Errors
/// [`StoreError`]; what was mended before stays.
pub async fn look(world: &World, id: PaymentId, mend: Mend) -> Result<Looked, StoreError> {
    let Some(loaded) = book::load(world, &world.merchant.id, id).await? else { return Ok(Looked::Same) };
    let code = loaded.stored.code;
    let Some(at) = world.account(&loaded.stored.account) else {
        return Ok(Looked::Unknown(code, format!("account `{}` is not configured", loaded.stored.account)));
    };
    let mut reports = Vec::new();
    let mut open = asks(&loaded, (world.clock)());
    while let Some(ask) = open.pop_front() {
        while !world.reads.take((world.clock)()) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        match at.psp.fetch(&*world.http, &at.account, &ask).await {
            Ok(found) => {
                // Of money that is new here, all that became of it since is asked as well.
                let told = found.iter().flat_map(|report| &report.news).filter_map(News::captured);
                let new = told.filter(|id| !loaded.payment.captures.contains_key(*id)).cloned();
                if !matches!(ask, Ask::Capture(_)) {
                    open.extend(new.map(Ask::Capture));
                }
                reports.extend(found);
            }
            Err(Fault::NotFound) if matches!(ask, Ask::CheckoutOf { .. }) => {}
            Err(Fault::NotFound) => return Ok(Looked::Unknown(code, NOT_THERE.into())),
            Err(fault) => return Ok(Looked::Unknown(code, fault.to_string())),
        }
    }
    let Some(drift) = with(&loaded, &at, &reports).and_then(|after| differs(&loaded, &after)) else {
        return Ok(Looked::Same);
    };
    if mend == Mend::Yes {
        for report in &reports {
            if inbox::take(world, &at, report, Came::Asked, (world.clock)()).await? != Verdict::Taken {
                return Ok(Looked::Unknown(code, "others wrote at the same time; look again".into()));
            }
        }
    }
    let again = book::load(world, &world.merchant.id, id).await?;
    let still = again.and_then(|again| with(&again, &at, &reports).and_then(|after| differs(&again, &after)));
    if mend == Mend::Yes && still.is_some() {
        return Ok(Looked::Stays(drift, NOT_OURS.into()));
    }
    Ok(Looked::Differs(drift))
}

/// All that can be asked about a payment: what came through each checkout, and each checkout that nothing came through.
fn asks(loaded: &Loaded, now: Timestamp) -> VecDeque<Ask> {
    let payment = &loaded.payment;
    let paid: BTreeSet<_> = payment.captures.values().map(|capture| capture.checkout.clone()).collect();
    let captures = payment.captures.keys().map(|id| Ask::Capture(id.clone()));
    let checkouts = payment.checkouts.iter().filter_map(|(n, checkout)| match &checkout.seen {
        Some((id, ..)) if paid.contains(id) => None,
        Some((id, ..)) => Some(Ask::Checkout(id.clone())),
        None => {
            let since = loaded.stored.created_at;
            let old = now.since(since) > UNANSWERED;
            old.then_some(Ask::CheckoutOf { payment: loaded.stored.id, n: *n, since })
        }
    });
    captures.chain(checkouts).collect()
}

/// The payment with what the provider says. `None`: nothing of it is new.
fn with(loaded: &Loaded, at: &At, reports: &[Reported]) -> Option<Payment> {
    let known: BTreeSet<String> = loaded.stored.facts.iter().map(|(_, fact)| fact.key()).collect();
    let said = reports.iter().flat_map(|report| judge(&loaded.payment, report, at.psp.caps().amount));
    let new: Vec<Fact> = said.filter(|fact| !known.contains(&fact.key())).collect();
    if new.is_empty() {
        return None;
    }
    Payment::of(loaded.stored.facts.iter().map(|(_, fact)| fact).chain(&new).collect::<Vec<_>>())
}

fn differs(loaded: &Loaded, after: &Payment) -> Option<Drift> {
    let before = &loaded.payment;
    let (old, new) = (before.sums(), after.sums());
    let drift = Drift {
        code: loaded.stored.code,
        status: (before.status(), after.status()),
        captured: (old.money(old.captured), new.money(new.captured)),
        refunded: (old.money(old.refunded), new.money(new.refunded)),
        withheld: (old.money(old.withheld), new.money(new.withheld)),
    };
    // What is owed says the rest: a word to staff, a call to the provider.
    let id = loaded.stored.id;
    let same = before.status() == after.status() && old == new && before.answer_by() == after.answer_by();
    let same = same && before.owed(id) == after.owed(id);
    (!same).then_some(drift)
}

impl Drift {
    /// One line: what it is here, and what it is at the provider.
    pub fn line(&self) -> String {
        let said = |(old, new): (Money, Money)| {
            if old == new { old.to_string() } else { format!("{old} here, {new} at the provider") }
        };
        let (here, there) = self.status;
        let status = if here == there { here.to_string() } else { format!("{here} here, {there} at the provider") };
        let taken = if self.withheld.0.is_zero() && self.withheld.1.is_zero() {
            String::new()
        } else {
            format!("; taken for disputes {}", said(self.withheld))
        };
        let (received, refunded) = (said(self.captured), said(self.refunded));
        let looks = "; a person must look: an amount or a currency is not what was asked for";
        let person = if there == Status::NeedsReview { looks } else { "" };
        format!("{}  {status}; received {received}; refunded {refunded}{taken}{person}", self.code)
    }
}

/// What came of comparing many payments, kept for the doctor and for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// When it ended.
    pub at: Timestamp,
    /// How many were looked at.
    pub looked: u64,
    /// How many differed and were mended.
    pub mended: u64,
    /// How many differ still.
    pub differ: u64,
    /// How many could not be asked about.
    pub unknown: u64,
}

impl Compared {
    /// One more.
    pub fn count(&mut self, looked: &Looked, mend: Mend) {
        self.looked += 1;
        match (looked, mend) {
            (Looked::Same, _) => {}
            (Looked::Differs(_), Mend::Yes) => self.mended += 1,
            (Looked::Differs(_), Mend::No) | (Looked::Stays(..), _) => self.differ += 1,
            (Looked::Unknown(..), _) => self.unknown += 1,
        }
    }

    /// How many were the same on both sides.
    pub fn same(&self) -> u64 {
        self.looked.saturating_sub(self.mended + self.differ + self.unknown)
    }

    /// Keeps it as the last one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep(&self, world: &World) -> Result<(), StoreError> {
        let Ok(bytes) = serde_json::to_vec(self) else { return Ok(()) };
        world.store.keep(&world.merchant.id, "drift", "last", &bytes, None).await
    }

    /// The last one, if there ever was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last(store: &dyn Store, merchant: &MerchantId, now: Timestamp) -> Result<Option<Self>, StoreError> {
        let kept = store.kept(merchant, "drift", "last", now).await?;
        Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

/// How old payments may be that are compared every day; older ones are as long as they can change by themselves.
const DAILY_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Between two looks of the daily comparison: what others ask for goes first.
const DAILY_PAUSE: Duration = Duration::from_secs(1);
/// How long one look may take, before another process may begin anew.
const LEASE: Duration = Duration::from_secs(300);

/// Compares and mends, if nobody else does: what neither a webhook nor a sweep told. Gives what came of it.
///
/// # Errors
/// [`StoreError`]; what was mended before stays.
pub async fn daily(world: &World, holder: &str) -> Result<Option<Compared>, StoreError> {
    let ours = async || world.store.lease("compare", holder, (world.clock)(), LEASE).await;
    let mut compared = Compared::default();
    if ours().await?.is_none() {
        return Ok(None);
    }
    for id in payments(world, DAILY_AGE, (world.clock)()).await? {
        if ours().await?.is_none() {
            return Ok(None);
        }
        let looked = look(world, id, Mend::Yes).await?;
        match &looked {
            Looked::Same => {}
            Looked::Differs(drift) => {
                tracing::error!("no webhook and no event told of this, now mended: {}", drift.line())
            }
            Looked::Stays(drift, why) => tracing::error!("differs from the provider: {}; {why}", drift.line()),
            Looked::Unknown(code, why) => tracing::warn!("{code} could not be compared with the provider: {why}"),
        }
        compared.count(&looked, Mend::Yes);
        tokio::time::sleep(DAILY_PAUSE).await;
    }
    compared.at = (world.clock)();
    compared.keep(world).await?;
    Ok(Some(compared))
}
