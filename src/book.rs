//! The book: the one way in which facts about a payment are written.
//!
//! ```text
//! load ──► decide or judge (core) ──► change ──► store.commit ──► Done: ring the bells
//!   ▲                                                │
//!   └──────────────── Moved: take it anew ◄──────────┘
//! ```
//! Every change carries what follows from the new facts: status, owed work, the next look of the reconciler.

use crate::world::{At, LinkMode, Pace, World};
use std::collections::BTreeSet;
use std::time::Duration;
use till_core::id::{AccountId, Code, MerchantId, PaymentId};
use till_core::link::Purpose;
use till_core::money::{Currency, Money};
use till_core::order::{Authentication, CheckoutOptions, CheckoutOrder, IdemKey, Item, Line, Wording};
use till_core::payment::{self, Fact, Payment, Status};
use till_core::place::PersonId;
use till_core::port::psp::{News, Reported};
use till_core::port::store::{
    Change, Commit, Committed, NewWork, Object, ObjectKind, On, Shows, StoreError, Stored, TotalKey, Work,
};
use till_core::time::Timestamp;

/// A payment, read: its rows and what its facts say.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The rows.
    pub stored: Stored,
    /// What they say.
    pub payment: Payment,
}

/// How often a decision is taken anew before the caller is told to come back.
pub const TRIES: u32 = 20;

/// Reads a payment. `None`: there is none of this id here.
///
/// # Errors
/// [`StoreError`]; also when its facts lack the request.
pub async fn load(world: &World, merchant: &MerchantId, id: PaymentId) -> Result<Option<Loaded>, StoreError> {
    let Some(stored) = world.store.payment(merchant, id).await? else { return Ok(None) };
    let facts: Vec<&Fact> = stored.facts.iter().map(|(_, fact)| fact).collect();
    let payment = Payment::of(facts).ok_or_else(|| StoreError::Unreadable {
        row: format!("payment/{id}"),
        why: "has no request among its facts".into(),
    })?;
    Ok(Some(Loaded { stored, payment }))
}

/// A change that writes down work, and no fact.
pub fn owing(world: &World, loaded: &Loaded, work: Vec<NewWork>, now: Timestamp) -> Change {
    Change {
        payment: loaded.stored.id,
        on: On::Version(loaded.stored.version),
        facts: Vec::new(),
        status: loaded.payment.status(),
        check_at: check_at(&loaded.payment, loaded.stored.created_at, now, world.pace),
        shows: Shows::Nowhere,
        cards: Vec::new(),
        work,
        objects: Vec::new(),
    }
}

/// What adding `facts` changes. `None` when all of them are known: then there is nothing to write about the payment.
pub fn change(
    world: &World,
    loaded: &Loaded,
    facts: Vec<Fact>,
    objects: Vec<Object>,
    mut more: Vec<NewWork>,
    now: Timestamp,
) -> Option<Change> {
    let known: BTreeSet<String> = loaded.stored.facts.iter().map(|(_, fact)| fact.key()).collect();
    let mut facts: Vec<Fact> = facts.into_iter().filter(|fact| !known.contains(&fact.key())).collect();
    if facts.is_empty() && more.is_empty() {
        return None;
    }
    let mut after = with(loaded, &facts)?;
    // In direct mode nobody comes by our page; and where no checkout was ever made, there is no card to come from.
    let by_itself =
        matches!(world.links, LinkMode::Direct { .. }) || after.checkouts.values().all(|it| it.seen.is_none());
    if by_itself && let Some(asked) = payment::checkout_again(&after, now) {
        let next = checkout_work(world, loaded, &asked, now);
        more.extend(next.map(|work| NewWork { due: now.after(pause(asked_number(&asked))), ..work }));
        facts.push(asked);
        after = with(loaded, &facts)?;
    }
    let id = loaded.stored.id;
    let owed = after.owed(id).into_iter().map(|owed| NewWork { key: owed.key(id), work: Work::Owed(owed), due: now });
    let work = more.into_iter().chain(owed).collect();
    Some(Change {
        payment: id,
        on: On::Version(loaded.stored.version),
        status: after.status(),
        check_at: check_at(&after, loaded.stored.created_at, now, world.pace),
        facts,
        shows: Shows::OnCards,
        cards: Vec::new(),
        work,
        objects,
    })
}

fn asked_number(asked: &Fact) -> u32 {
    if let Fact::CheckoutAsked { n, .. } = asked { *n } else { 0 }
}

fn with(loaded: &Loaded, facts: &[Fact]) -> Option<Payment> {
    let all: Vec<&Fact> = loaded.stored.facts.iter().map(|(_, fact)| fact).chain(facts).collect();
    Payment::of(all)
}

/// The outbox row of an asked checkout, with its finished order.
pub fn checkout_work(world: &World, loaded: &Loaded, asked: &Fact, now: Timestamp) -> Option<NewWork> {
    let Fact::CheckoutAsked { n, amount } = asked else { return None };
    let stored = &loaded.stored;
    let at = world.account(&stored.account)?;
    let whole = if *amount == loaded.payment.amount { Whole::All } else { Whole::Rest };
    let order = CheckoutOrder {
        payment: stored.id,
        n: *n,
        code: stored.code,
        amount: *amount,
        lines: lines(&stored.wording, stored.code, *amount, whole),
        closes_at: closes_at(loaded.payment.deadline, now, at.psp.caps().checkout_life),
        return_url: world.page(Purpose::Pay, stored).unwrap_or_else(|| world.fallback_return_url()),
        locale: world.merchant.locale.tag().to_owned(),
        options: options(&at, *amount, &stored.wording),
    };
    Some(NewWork { key: IdemKey::create(stored.id, *n), work: Work::CreateCheckout(order), due: now })
}

/// How the payer may pay: what the account is set up for, and who the payer is.
pub fn options(at: &At, amount: Money, wording: &Wording) -> CheckoutOptions {
    let settings = &at.account.settings;
    let from = settings.authenticate_from.iter().find(|from| from.currency() == amount.currency());
    let always = from.is_some_and(|from| amount.minor() >= from.minor());
    CheckoutOptions {
        payer_email: wording.payer_email.clone(),
        authentication: if always { Authentication::Always } else { Authentication::ByProvider },
        without_methods: settings.without_methods.clone(),
        descriptor_suffix: settings.descriptor_suffix.clone(),
    }
}

/// The totals that money out counts into: the person's day and the merchant's day (UTC).
pub fn refund_totals(at: Timestamp, currency: Currency, by: &PersonId) -> [TotalKey; 2] {
    let day = format!("refund/{}/{}", at.day(), currency.code());
    [TotalKey(format!("{day}/{by}")), TotalKey(day)]
}

/// How long a checkout that nobody asked for waits: a provider that closes each at once is not asked in a loop.
fn pause(n: u32) -> Duration {
    let secs = if n <= 2 { 0 } else { 1 << n.min(12) };
    Duration::from_secs(secs)
}

/// When the provider shall close a checkout: at the deadline, within what it allows. Till itself closes it at the deadline.
pub fn closes_at(deadline: Timestamp, now: Timestamp, (shortest, longest): (Duration, Duration)) -> Timestamp {
    // A minute inside both ends: the provider counts from when the call arrives, by its own clock.
    let margin = Duration::from_secs(60);
    deadline.clamp(now.after(shortest + margin), now.after(longest - margin))
}

/// The lines of a checkout: the items where all of them are asked for, else one line.
pub fn lines(wording: &Wording, code: Code, amount: Money, whole: Whole) -> Vec<Line> {
    if whole == Whole::All && !wording.items.is_empty() {
        let line = |item: &Item| Line { name: item.name.clone(), quantity: item.quantity, each: item.each };
        return wording.items.iter().map(line).collect();
    }
    let summary = wording.summary();
    let name = if summary.is_empty() { code.to_string() } else { summary };
    vec![Line { name, quantity: 1, each: amount }]
}

/// Whether a checkout asks for all of the payment or for what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// All of it.
    All,
    /// What is missing.
    Rest,
}

/// So long after its end a checkout has surely been closed by the provider.
const CLOSES_LATE: Duration = Duration::from_secs(60);

/// When the reconciler looks next: at the deadline, or sooner where something is under way at the provider.
///
/// A checkout that nobody has opened is not asked about one by one: what the provider tells of it stands in its event
/// list, which the sweep reads. Providers limit calls for single objects.
pub fn check_at(payment: &Payment, created_at: Timestamp, now: Timestamp, pace: Pace) -> Option<Timestamp> {
    let waits_for_deadline = !payment.deadline_passed
        && matches!(
            payment.status(),
            Status::Open | Status::Preparing | Status::PendingApproval | Status::PartiallyPaid | Status::Processing
        );
    let touched = payment.openings > 0 || payment.deadline_passed || payment.cancelled_by.is_some();
    let at_provider =
        payment.checkouts.values().any(|it| it.is_pending() || it.is_left_open() || it.is_usable() && touched);
    let refund_moves = payment.refunds.values().any(|refund| !refund.state.is_terminal());
    let disputed = payment.disputes.values().any(|dispute| dispute.state.is_undecided());
    // One that has closed by itself is told of in that list; where this was lost, one look finds it, and payers get the next.
    let usable = payment.checkouts.values().filter(|it| it.is_usable());
    let closes = usable.filter_map(|it| Some(it.closes_at?.after(CLOSES_LATE))).min();
    let overdue = closes.is_some_and(|at| at <= now);
    let age = now.since(created_at);
    let moves = at_provider || refund_moves || disputed || overdue;
    let poll = moves.then(|| now.after((age / 8).clamp(pace.poll_min, pace.poll_max)));
    let deadline = waits_for_deadline.then_some(payment.deadline);
    poll.into_iter().chain(deadline).chain(closes.filter(|at| *at > now)).min()
}

/// What the provider calls things, from a report.
pub fn objects(report: &Reported, account: &AccountId) -> Vec<Object> {
    let object = |kind, id: &str, url: Option<&String>| Object {
        account: account.clone(),
        kind,
        id: id.to_owned(),
        url: url.cloned(),
    };
    let of = |news: &News| match news {
        News::Checkout { checkout, url, .. } => Some(object(ObjectKind::Checkout, checkout.as_str(), url.as_ref())),
        News::Captured { capture, .. } => Some(object(ObjectKind::Capture, capture.as_str(), None)),
        News::Refund { refund, .. } => Some(object(ObjectKind::Refund, refund.as_str(), None)),
        News::Dispute { dispute, .. } => Some(object(ObjectKind::Dispute, dispute.as_str(), None)),
        News::CaptureReversed { .. }
        | News::AttemptFailed { .. }
        | News::RefundedSum { .. }
        | News::FraudWarning { .. }
        | News::Review { .. } => None,
    };
    report.news.iter().filter_map(of).collect()
}

/// What became of a write.
#[derive(Debug)]
pub enum Written<R> {
    /// There is no such payment here.
    Unknown,
    /// The decision was no.
    No(R),
    /// Written, or nothing had to be; and the payment as the decision saw it.
    Done(Box<Loaded>),
    /// A delivery was answered before, with this payment.
    Duplicate(Option<PaymentId>),
    /// The claim was lost: somebody else works on it.
    FenceLost,
    /// Others were faster every time: nothing was written.
    Contended,
}

/// Loads, decides and commits, and again where the payment moved in between. `decide` is given what was read and
/// fills in the commit; it may be called several times.
///
/// # Errors
/// [`StoreError`]: nothing was written.
pub async fn write<R>(
    world: &World,
    merchant: &MerchantId,
    id: PaymentId,
    now: Timestamp,
    mut decide: impl FnMut(&Loaded, &mut Commit) -> Result<(), R>,
) -> Result<Written<R>, StoreError> {
    for _ in 0..TRIES {
        let Some(loaded) = load(world, merchant, id).await? else { return Ok(Written::Unknown) };
        let mut commit = Commit::new(merchant, now);
        if let Err(no) = decide(&loaded, &mut commit) {
            return Ok(Written::No(no));
        }
        if let Some(written) = attempt(world, loaded, commit).await? {
            return Ok(written);
        }
    }
    Ok(Written::Contended)
}

/// Commits one decision about `loaded`. `None`: something moved, so it must be taken anew.
///
/// # Errors
/// [`StoreError`]: nothing was written.
pub async fn attempt<R>(world: &World, loaded: Loaded, commit: Commit) -> Result<Option<Written<R>>, StoreError> {
    Ok(match world.store.commit(commit).await? {
        Committed::Done => {
            world.bells.ring();
            Some(Written::Done(Box::new(loaded)))
        }
        Committed::Duplicate(payment) => Some(Written::Duplicate(payment)),
        Committed::FenceLost => Some(Written::FenceLost),
        Committed::Moved | Committed::Recent(..) | Committed::CodeTaken => None,
    })
}
