//! The inbox: what providers tell us, believed or not, and turned into facts once.
//!
//! ```text
//! POST /hooks/{psp}/{account} ─► verify (raw bytes) ─► Evidence ─► apply ─► facts, 2xx
//!                                                        │  no such payment yet ─► parked, sealed, tried again
//!                                                        │  names only money ───► known capture, or looked up once
//!                                                        └─ not ours ───────────► counted, nothing kept
//! ```
//! A delivery is answered with 2xx only when what it says is durable. The same event by webhook and by the event list
//! is one delivery: both carry the provider's event id.

pub mod hints;
pub mod silence;

use crate::book::{self, Written};
use crate::traffic::Whose;
use crate::world::{At, World};
use std::time::Duration;
use till_core::id::{CaptureId, MerchantId, PaymentId};
use till_core::payment::{disagrees, judge};
use till_core::port::psp::{About, Ask, Delivery, Distrust, Evidence, Fault, News, Reported, Webhooks};
use till_core::port::store::{Claimed, Commit, InboxKey, ObjectKind, Outcome, Park, ParkedClaim, Settle, StoreError};
use till_core::time::Timestamp;

/// A parked delivery is given up after this long.
const PARKED_MAX: Duration = Duration::from_secs(3 * 24 * 3600);
/// How long a parked delivery is claimed for.
const LEASE: Duration = Duration::from_secs(60);

/// What became of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Its facts are durable.
    Done,
    /// They were before.
    Duplicate,
    /// Carries our reference, and there is no such payment here.
    Unknown,
    /// Of another account or mode: never a fact.
    NotOurs,
    /// The claim that it should settle was lost.
    FenceLost,
    /// Too many others wrote at the same time.
    Contended,
}

/// How a report came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// By itself, as a webhook.
    Pushed,
    /// Because the provider was asked.
    Asked,
}

/// What a delivery is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Durable, or of no concern: 2xx.
    Taken,
    /// Not believed: 4xx, and no reason.
    Refused,
    /// Not now: 503, the provider sends it again.
    Later,
}

/// Makes facts of a report, commits them with what they settle, once per event.
///
/// # Errors
/// [`StoreError`]: nothing was written.
pub async fn apply(
    world: &World,
    merchant: &MerchantId,
    at: &At,
    report: &Reported,
    settle: Option<&Settle>,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    apply_counting(world, merchant, at, report, settle, now).await.map(|(applied, _)| applied)
}

/// Also says how many facts were new.
async fn apply_counting(
    world: &World,
    merchant: &MerchantId,
    at: &At,
    report: &Reported,
    settle: Option<&Settle>,
    now: Timestamp,
) -> Result<(Applied, usize), StoreError> {
    if report.provider_account != at.account.provider_account || report.livemode != at.account.livemode {
        return Ok((Applied::NotOurs, 0));
    }
    let Some(payment) = payment_of(world, merchant, at, &report.about).await? else {
        return Ok((Applied::Unknown, 0));
    };
    let mut new = 0;
    let key = InboxKey { source: source(at), key: report.event.clone() };
    let amount_by = at.psp.caps().amount;
    let written = book::write(world, merchant, payment, now, |loaded, commit| {
        if loaded.stored.account != at.account.id {
            return Err(Applied::NotOurs);
        }
        let facts = judge(&loaded.payment, report, amount_by);
        let objects = book::objects(report, &at.account.id);
        commit.payment = book::change(world, loaded, facts, objects, Vec::new(), now);
        new = commit.payment.as_ref().map_or(0, |change| change.facts.len());
        commit.settle.extend(settle.cloned());
        // An answer to our own call settles that call even when its event was known before.
        if settle.is_none() {
            commit.inbox.push(key.clone());
        }
        Ok(())
    });
    Ok(match written.await? {
        Written::Unknown => (Applied::Unknown, 0),
        Written::No(why) => (why, 0),
        Written::Done(_) => (Applied::Done, new),
        Written::Duplicate(_) => (Applied::Duplicate, 0),
        Written::FenceLost => (Applied::FenceLost, 0),
        Written::Contended => (Applied::Contended, 0),
    })
}

/// The payment that a report is about, as far as it can be told without asking.
async fn payment_of(
    world: &World,
    merchant: &MerchantId,
    at: &At,
    about: &About,
) -> Result<Option<PaymentId>, StoreError> {
    match about {
        About::Payment(id) => Ok(Some(*id)),
        About::Capture(id) => {
            world.store.payment_by_object(merchant, &at.account.id, ObjectKind::Capture, id.as_str()).await
        }
    }
}

fn source(at: &At) -> String {
    format!("{}/{}", at.psp.name(), at.account.id)
}

/// Takes a delivery: verifies it, and commits what it says before it is answered.
pub async fn receive(world: &World, at: &At, delivery: Delivery<'_>, now: Timestamp) -> Verdict {
    let evidence = match at.psp.verify(&*world.http, &at.account, delivery, now).await {
        Ok(evidence) => evidence,
        Err(distrust) => {
            world.counts.add(match distrust {
                Distrust::Unsigned => "webhook_unsigned",
                Distrust::BadSignature => "webhook_bad_signature",
                Distrust::OutsideWindow => "webhook_outside_window",
                Distrust::Unreadable => "webhook_unreadable",
            });
            tracing::warn!(account = %at.account.id, %distrust, "a delivery was refused: {distrust}");
            world.heard.note(world, at, Err(distrust), now).await;
            return Verdict::Refused;
        }
    };
    world.counts.add("webhook_believed");
    match at.psp.caps().webhooks {
        Webhooks::Signed => world.heard.note(world, at, Ok(()), now).await,
        // Anybody can send one: it is noted once it has led to facts.
        Webhooks::Hints => {}
    }
    for one in evidence {
        match believed(world, at, one, now).await {
            Ok(Verdict::Taken) => {}
            Ok(other) => return other,
            Err(error) => {
                tracing::error!(%error, "a delivery could not be kept: {error}");
                return Verdict::Later;
            }
        }
    }
    Verdict::Taken
}

async fn believed(world: &World, at: &At, evidence: Evidence, now: Timestamp) -> Result<Verdict, StoreError> {
    match evidence {
        Evidence::Facts(report) => take(world, at, &report, Came::Pushed, now).await,
        Evidence::Foreign => {
            world.counts.add("webhook_foreign");
            Ok(Verdict::Taken)
        }
        Evidence::Hint { ask, .. } => {
            if is_foreign(world, at, &ask).await? {
                world.counts.add("webhook_foreign");
                return Ok(Verdict::Taken);
            }
            match at.psp.caps().webhooks {
                Webhooks::Signed => ask_and_take(world, at, &ask, now).await,
                Webhooks::Hints => hints::follow(world, at, &ask).await,
            }
        }
        Evidence::AccessLost { provider_account, livemode } => {
            if provider_account == at.account.provider_account && livemode == at.account.livemode {
                access_lost(world, at, now).await?;
            }
            Ok(Verdict::Taken)
        }
    }
}

/// Whether a hint is about a checkout of somebody else, or money that was looked up before. Our checkouts are known by then: a payer has the page's address from us,
/// and we hand it out once the provider's answer is kept. So a stranger's traffic costs no call.
async fn is_foreign(world: &World, at: &At, ask: &Ask) -> Result<bool, StoreError> {
    let (merchant, account) = (&world.merchant.id, &at.account.id);
    match ask {
        Ask::Checkout(id) => {
            let known = world.store.payment_by_object(merchant, account, ObjectKind::Checkout, id.as_str()).await?;
            Ok(known.is_none())
        }
        Ask::Capture(id) => Ok(world.foreign.whose(account, id) == Some(Whose::Theirs)),
        Ask::CheckoutOf { .. } | Ask::RefundOf { .. } => Ok(false),
    }
}

/// Takes one report: applies it, parks it where its payment is not known (yet), looks up where it names only money.
///
/// # Errors
/// [`StoreError`]: nothing was written.
pub async fn take(
    world: &World,
    at: &At,
    report: &Reported,
    came: Came,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let silent = came == Came::Asked && silence::is_missing(world, at, report, now).await?;
    let applied = apply(world, &world.merchant.id, at, report, None, now).await?;
    world.counts.add(count(applied, &report.about));
    match (applied, &report.about) {
        (Applied::Done | Applied::Duplicate, _) => {
            if silent && applied == Applied::Done {
                silence::tell(world, at, report, now).await?;
            }
            compare(world, at, report, now).await
        }
        (Applied::NotOurs, _) => {
            not_ours(world, at, report, now).await?;
            Ok(Verdict::Taken)
        }
        (Applied::Unknown, About::Payment(_)) => {
            park(world, at, report, now).await?;
            Ok(Verdict::Taken)
        }
        (Applied::Unknown, About::Capture(capture)) => look_up(world, at, report, capture, came, now).await,
        (Applied::FenceLost | Applied::Contended, _) => Ok(Verdict::Later),
    }
}

fn count(applied: Applied, about: &About) -> &'static str {
    match (applied, about) {
        (Applied::Done, _) => "event_applied",
        (Applied::Duplicate, _) => "event_duplicate",
        (Applied::NotOurs, _) => "event_not_ours",
        (Applied::Unknown, About::Payment(_)) => "event_parked",
        (Applied::Unknown, About::Capture(_)) => "event_of_unknown_money",
        (Applied::FenceLost | Applied::Contended, _) => "event_later",
    }
}

/// Of another account or mode. A platform's endpoint is told about all its accounts: what belongs to another one that
/// is set up here comes there as well; anything else is kept for a person.
async fn not_ours(world: &World, at: &At, report: &Reported, now: Timestamp) -> Result<(), StoreError> {
    let theirs = |other: &At| {
        other.psp.name() == at.psp.name()
            && other.account.provider_account == report.provider_account
            && other.account.livemode == report.livemode
    };
    if world.accounts.all().iter().any(|other| theirs(other)) {
        return Ok(());
    }
    let event = &report.event;
    tracing::error!(event, "event {event} is of another account or mode: kept for a person");
    park(world, at, report, now).await
}

/// Asks the provider and takes what it says, within the budget of look-ups.
async fn ask_and_take(world: &World, at: &At, ask: &Ask, now: Timestamp) -> Result<Verdict, StoreError> {
    if !world.reads.take(now) {
        world.counts.add("event_over_budget");
        return Ok(Verdict::Later);
    }
    fetch_and_take(world, at, ask, now).await.map(|(verdict, _)| verdict)
}

/// Also says how many facts were new.
async fn fetch_and_take(world: &World, at: &At, ask: &Ask, now: Timestamp) -> Result<(Verdict, usize), StoreError> {
    match at.psp.fetch(&*world.http, &at.account, ask).await {
        Ok(reports) => take_all(world, at, &reports, now).await,
        Err(Fault::NotFound) => {
            if let Ask::Capture(id) = ask {
                world.foreign.remember(&at.account.id, id, Whose::Theirs);
            }
            Ok((Verdict::Taken, 0))
        }
        Err(fault) => {
            tracing::warn!(account = %at.account.id, %fault, "a hint could not be fetched: {fault}");
            Ok((Verdict::Later, 0))
        }
    }
}

/// Also says how many facts were new.
async fn take_all(
    world: &World,
    at: &At,
    reports: &[Reported],
    now: Timestamp,
) -> Result<(Verdict, usize), StoreError> {
    let mut all_new = 0;
    for report in reports {
        let (applied, new) = apply_counting(world, &world.merchant.id, at, report, None, now).await?;
        all_new += new;
        match applied {
            Applied::Done | Applied::Duplicate => {}
            Applied::NotOurs => not_ours(world, at, report, now).await?,
            Applied::Unknown => park(world, at, report, now).await?,
            Applied::FenceLost | Applied::Contended => return Ok((Verdict::Later, all_new)),
        }
    }
    Ok((Verdict::Taken, all_new))
}

/// A report names money that we do not know: it may be ours and overtaken, or somebody else's on the same account.
/// The provider is asked once for each; what is not ours is remembered, and nothing of it is kept.
async fn look_up(
    world: &World,
    at: &At,
    report: &Reported,
    capture: &CaptureId,
    came: Came,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let _turn = world.foreign.turn(&at.account.id, capture).await;
    match world.foreign.whose(&at.account.id, capture) {
        Some(Whose::Theirs) => {
            world.counts.add("event_foreign");
            return Ok(Verdict::Taken);
        }
        Some(Whose::Unknown) => {
            park(world, at, report, now).await?;
            return Ok(Verdict::Taken);
        }
        None => {}
    }
    // Whoever had the turn before may have found it to be ours.
    if payment_of(world, &world.merchant.id, at, &report.about).await?.is_some() {
        return take_all(world, at, std::slice::from_ref(report), now).await.map(|(verdict, _)| verdict);
    }
    if !world.reads.take(now) {
        world.counts.add("event_over_budget");
        return Ok(Verdict::Later);
    }
    match at.psp.fetch(&*world.http, &at.account, &Ask::Capture(capture.clone())).await {
        Ok(found) => found_by_money(world, at, report, capture, &found, now).await,
        Err(Fault::NotFound) => {
            world.foreign.remember(&at.account.id, capture, Whose::Theirs);
            world.counts.add("event_foreign");
            Ok(Verdict::Taken)
        }
        // A webhook comes again. What was asked for would only stand in the way of what is behind it.
        Err(fault @ Fault::Unreadable(_)) if came == Came::Asked => {
            tracing::error!(account = %at.account.id, event = report.event, "event {}: {fault}", report.event);
            world.counts.add("event_unreadable");
            Ok(Verdict::Taken)
        }
        Err(fault) => {
            tracing::warn!(account = %at.account.id, %fault, "{capture} could not be looked up: {fault}");
            Ok(Verdict::Later)
        }
    }
}

/// What a look-up brought, and then the report that asked for it.
async fn found_by_money(
    world: &World,
    at: &At,
    report: &Reported,
    capture: &CaptureId,
    found: &[Reported],
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    for one in found {
        match apply(world, &world.merchant.id, at, one, None, now).await? {
            Applied::Done | Applied::Duplicate => {}
            // Of another account of ours at the same provider's account: that one is told of it as well.
            Applied::NotOurs => {
                not_ours(world, at, one, now).await?;
                world.foreign.remember(&at.account.id, capture, Whose::Theirs);
                return Ok(Verdict::Taken);
            }
            Applied::Unknown => {
                park(world, at, one, now).await?;
                world.foreign.remember(&at.account.id, capture, Whose::Unknown);
            }
            Applied::FenceLost | Applied::Contended => return Ok(Verdict::Later),
        }
    }
    take_all(world, at, std::slice::from_ref(report), now).await.map(|(verdict, _)| verdict)
}

/// Holds sums that a report names against ours, and asks where they differ.
async fn compare(world: &World, at: &At, report: &Reported, now: Timestamp) -> Result<Verdict, StoreError> {
    if !report.news.iter().any(|news| matches!(news, News::RefundedSum { .. })) {
        return Ok(Verdict::Taken);
    }
    let merchant = &world.merchant.id;
    let Some(id) = payment_of(world, merchant, at, &report.about).await? else { return Ok(Verdict::Taken) };
    let Some(loaded) = book::load(world, merchant, id).await? else { return Ok(Verdict::Taken) };
    match disagrees(&loaded.payment, report) {
        Some(ask) => ask_and_take(world, at, &ask, now).await,
        None => Ok(Verdict::Taken),
    }
}

/// The merchant took the platform's access away: no new payment goes there, and whoever runs Till is told.
async fn access_lost(world: &World, at: &At, now: Timestamp) -> Result<(), StoreError> {
    tracing::error!(account = %at.account.id, "account {} was disconnected at the provider: it is closed", at.account.id);
    world.counts.add("account_disconnected");
    let why = "disconnected at the provider";
    world.store.close_account(&world.merchant.id, &at.account.id, why, now).await
}

async fn park(world: &World, at: &At, report: &Reported, now: Timestamp) -> Result<(), StoreError> {
    let key = InboxKey { source: source(at), key: report.event.clone() };
    let plain = serde_json::to_vec(report)
        .map_err(|error| StoreError::Unreadable { row: format!("parked/{}", report.event), why: error.to_string() })?;
    let sealed = world.draw(|entropy| world.ring.seal(&seal_at(&key), &plain, entropy));
    let mut commit = Commit::new(&world.merchant.id, now);
    commit.park = Some(Park { key, sealed, due: now.after(Duration::from_secs(1)) });
    world.store.commit(commit).await?;
    tracing::warn!(event = report.event, "event {} about {:?} is parked", report.event, report.about);
    Ok(())
}

fn seal_at(key: &InboxKey) -> String {
    format!("parked/{}/{}", key.source, key.key)
}

/// Tries parked deliveries again. Says whether there was any.
///
/// # Errors
/// [`StoreError`]: what was claimed comes back when its lease ends.
pub async fn step(world: &World, now: Timestamp) -> Result<bool, StoreError> {
    let claims = world.store.claim_parked(now, LEASE, 16).await?;
    let any = !claims.is_empty();
    for claim in claims {
        if let Err(error) = try_again(world, &claim, now).await {
            tracing::error!(event = claim.key.key, %error, "parked event {} could not be settled: {error}", claim.key.key);
        }
    }
    Ok(any)
}

async fn try_again(world: &World, claim: &ParkedClaim, now: Timestamp) -> Result<(), StoreError> {
    let over = now.since(claim.since) > PARKED_MAX;
    let (why, give_up) = match retry(world, claim, now).await? {
        Some(Applied::Done | Applied::Duplicate | Applied::FenceLost) => return Ok(()),
        Some(Applied::NotOurs) => ("of another account or mode", true),
        Some(Applied::Unknown | Applied::Contended) => ("its payment is not here", over),
        None => ("its account is not here, or it cannot be read", over),
    };
    let outcome = if give_up {
        tracing::error!(event = claim.key.key, "event {} was given up: {why}", claim.key.key);
        Outcome::Dead { why: why.into() }
    } else {
        let due = now.after(Duration::from_secs(1 << claim.tries.min(11)).min(Duration::from_secs(3600)));
        Outcome::Again { due, why: why.into() }
    };
    let mut commit = Commit::new(&claim.merchant, now);
    commit.settle.push(Settle { claim: claim.claim.clone(), outcome });
    world.store.commit(commit).await.map(drop)
}

/// `None`: not now, since the account or the key is not loaded, or never, since another version wrote it.
async fn retry(world: &World, claim: &ParkedClaim, now: Timestamp) -> Result<Option<Applied>, StoreError> {
    debug_assert_eq!(claim.claim.table, Claimed::Parked);
    let Ok(plain) = world.ring.open(&seal_at(&claim.key), &claim.sealed) else { return Ok(None) };
    let Ok(report) = serde_json::from_slice::<Reported>(&plain) else { return Ok(None) };
    let accounts = world.accounts.all();
    let Some(at) = accounts.iter().find(|at| source(at) == claim.key.source) else { return Ok(None) };
    let settle = Settle { claim: claim.claim.clone(), outcome: Outcome::Done };
    apply(world, &claim.merchant, at, &report, Some(&settle), now).await.map(Some)
}
