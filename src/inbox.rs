//! The inbox: what providers tell us, believed or not, and turned into facts once.
//!
//! ```text
//! POST /hooks/{psp}/{account} ─► verify (raw bytes) ─► Evidence ─► apply ─► facts, 2xx
//!                                                        │  no such payment yet ─► parked, sealed, tried again
//!                                                        └─ not ours ───────────► counted, nothing kept
//! ```
//! A delivery is answered with 2xx only when what it says is durable. The same event by webhook and by the event list
//! is one delivery: both carry the provider's event id.

use crate::book::{self, Written};
use crate::world::{At, World};
use std::time::Duration;
use till_core::id::MerchantId;
use till_core::payment::judge;
use till_core::port::psp::{Delivery, Evidence, Reported};
use till_core::port::store::{Claimed, Commit, InboxKey, Outcome, Park, ParkedClaim, Settle, StoreError};
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
    if report.provider_account != at.account.provider_account || report.livemode != at.account.livemode {
        return Ok(Applied::NotOurs);
    }
    let key = InboxKey { source: source(at), key: report.event.clone() };
    let amount_by = at.psp.caps().amount;
    let written = book::write(world, merchant, report.payment, now, |loaded, commit| {
        if loaded.stored.account != at.account.id {
            return Err(Applied::NotOurs);
        }
        let facts = judge(&loaded.payment, report, amount_by);
        let objects = book::objects(report, &at.account.id);
        commit.payment = book::change(world, loaded, facts, objects, Vec::new(), now);
        commit.settle.extend(settle.cloned());
        // An answer to our own call settles that call even when its event was known before.
        if settle.is_none() {
            commit.inbox.push(key.clone());
        }
        Ok(())
    });
    Ok(match written.await? {
        Written::Unknown => Applied::Unknown,
        Written::No(why) => why,
        Written::Done(_) => Applied::Done,
        Written::Duplicate(_) => Applied::Duplicate,
        Written::FenceLost => Applied::FenceLost,
        Written::Contended => Applied::Contended,
    })
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
                till_core::port::psp::Distrust::Unsigned => "webhook_unsigned",
                till_core::port::psp::Distrust::BadSignature => "webhook_bad_signature",
                till_core::port::psp::Distrust::OutsideWindow => "webhook_outside_window",
                till_core::port::psp::Distrust::Unreadable => "webhook_unreadable",
            });
            tracing::warn!(account = %at.account.id, %distrust, "a delivery was refused: {distrust}");
            return Verdict::Refused;
        }
    };
    for one in evidence {
        let taken = match one {
            Evidence::Facts(report) => take(world, at, &report, now).await,
            Evidence::Foreign => {
                world.counts.add("webhook_foreign");
                Ok(Verdict::Taken)
            }
            Evidence::Hint { ask, .. } => match at.psp.fetch(&*world.http, &at.account, &ask).await {
                Ok(reports) => take_all(world, at, &reports, now).await,
                Err(till_core::port::psp::Fault::NotFound) => Ok(Verdict::Taken),
                Err(fault) => {
                    tracing::warn!(account = %at.account.id, %fault, "a hint could not be fetched: {fault}");
                    Ok(Verdict::Later)
                }
            },
        };
        match taken {
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

async fn take_all(world: &World, at: &At, reports: &[Reported], now: Timestamp) -> Result<Verdict, StoreError> {
    for report in reports {
        let verdict = take(world, at, report, now).await?;
        if verdict != Verdict::Taken {
            return Ok(verdict);
        }
    }
    Ok(Verdict::Taken)
}

/// Applies one report; parks it where its payment is not known (yet).
///
/// # Errors
/// [`StoreError`]: nothing was written.
pub async fn take(world: &World, at: &At, report: &Reported, now: Timestamp) -> Result<Verdict, StoreError> {
    let merchant = &world.merchant.id;
    let (verdict, count) = match apply(world, merchant, at, report, None, now).await? {
        Applied::Done => (Verdict::Taken, "event_applied"),
        Applied::Duplicate => (Verdict::Taken, "event_duplicate"),
        Applied::NotOurs => {
            let event = &report.event;
            tracing::error!(event, "event {event} is of another account or mode: kept for a person");
            park(world, at, report, now).await?;
            (Verdict::Taken, "event_not_ours")
        }
        Applied::Unknown => {
            park(world, at, report, now).await?;
            (Verdict::Taken, "event_parked")
        }
        Applied::FenceLost | Applied::Contended => (Verdict::Later, "event_later"),
    };
    world.counts.add(count);
    Ok(verdict)
}

async fn park(world: &World, at: &At, report: &Reported, now: Timestamp) -> Result<(), StoreError> {
    let key = InboxKey { source: source(at), key: report.event.clone() };
    let plain = serde_json::to_vec(report)
        .map_err(|error| StoreError::Unreadable { row: format!("parked/{}", report.event), why: error.to_string() })?;
    let sealed = world.draw(|entropy| world.ring.seal(&seal_at(&key), &plain, entropy));
    let mut commit = Commit::new(&world.merchant.id, now);
    commit.park = Some(Park { key, sealed, due: now.after(Duration::from_secs(1)) });
    world.store.commit(commit).await?;
    tracing::warn!(
        payment = %report.payment,
        "event {} about {} is parked",
        report.event,
        report.payment
    );
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
    let outcome = match retry(world, claim, now).await? {
        Applied::Done | Applied::Duplicate | Applied::FenceLost => return Ok(()),
        Applied::NotOurs => Outcome::Dead { why: "of another account or mode".into() },
        Applied::Unknown | Applied::Contended if now.since(claim.since) > PARKED_MAX => {
            tracing::error!(event = claim.key.key, "event {} was given up: its payment never came", claim.key.key);
            Outcome::Dead { why: "its payment never came".into() }
        }
        Applied::Unknown | Applied::Contended => Outcome::Again {
            due: now.after(Duration::from_secs(1 << claim.tries.min(11)).min(Duration::from_secs(3600))),
            why: "its payment is not here".into(),
        },
    };
    let mut commit = Commit::new(&claim.merchant, now);
    commit.settle.push(Settle { claim: claim.claim.clone(), outcome });
    world.store.commit(commit).await.map(drop)
}

async fn retry(world: &World, claim: &ParkedClaim, now: Timestamp) -> Result<Applied, StoreError> {
    debug_assert_eq!(claim.claim.table, Claimed::Parked);
    let Ok(plain) = world.ring.open(&seal_at(&claim.key), &claim.sealed) else { return Ok(Applied::NotOurs) };
    let Ok(report) = serde_json::from_slice::<Reported>(&plain) else { return Ok(Applied::NotOurs) };
    let accounts = world.accounts.all();
    let Some(at) = accounts.iter().find(|at| source(at) == claim.key.source) else { return Ok(Applied::NotOurs) };
    let settle = Settle { claim: claim.claim.clone(), outcome: Outcome::Done };
    apply(world, &claim.merchant, at, &report, Some(&settle), now).await
}
