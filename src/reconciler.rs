//! The reconciler: finds out without any webhook. Deadlines, polls of what the provider may know better, the event list.
//!
//! ```text
//! check_at reached ─► deadline passed? a fact ─► open at the provider? fetch ─► facts
//! sweep, one holder ─► the provider's event list from the kept cursor ─► the same way as webhooks
//! ```
//! Webhooks are an accelerator: switched off, everything here still comes right, later.

use crate::book::{self, Loaded};
use crate::inbox::{self, Came, Verdict};
use crate::world::{At, World};
use futures::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;
use till_core::id::{CaptureId, MerchantId, PaymentId};
use till_core::payment;
use till_core::port::psp::{Ask, Fault};
use till_core::port::store::{Change, On, Shows, StoreError};
use till_core::time::Timestamp;

/// How long a payment under look is left alone by others.
const LEASE: Duration = Duration::from_secs(60);
/// How many payments are looked at in one step.
const AT_ONCE: u32 = 16;
/// How long a look waits that did not fit into the budget.
const SOON: Duration = Duration::from_secs(5);
/// How many pages of the event list are read in one sweep.
const PAGES_MAX: u32 = 100;

/// Looks at payments whose time has come. Says whether there was any.
///
/// # Errors
/// [`StoreError`]: what was claimed comes back when its lease ends.
pub async fn step(world: &World, now: Timestamp) -> Result<bool, StoreError> {
    let due = world.store.claim_due(now, LEASE, AT_ONCE).await?;
    let looks = due.iter().map(|(merchant, id)| async move { (id, Box::pin(look(world, merchant, *id, now)).await) });
    for (id, looked) in join_all(looks).await {
        if let Err(error) = looked {
            tracing::error!(payment = %id, %error, "{id} could not be looked at: {error}");
        }
    }
    Ok(!due.is_empty())
}

/// The deadline first, which needs nobody; then what the provider knows better.
async fn look(world: &World, merchant: &MerchantId, id: PaymentId, now: Timestamp) -> Result<(), StoreError> {
    let written = book::write::<()>(world, merchant, id, now, |loaded, commit| {
        let passed: Vec<_> = payment::deadline(&loaded.payment, now).into_iter().collect();
        let looked = || looked(world, loaded, now);
        commit.payment = Some(book::change(world, loaded, passed, Vec::new(), Vec::new(), now).unwrap_or_else(looked));
        Ok(())
    });
    written.await?;
    let Some(loaded) = book::load(world, merchant, id).await? else { return Ok(()) };
    let Some(at) = world.account(&loaded.stored.account) else { return Ok(()) };
    for ask in asks(&loaded) {
        if !world.reads.take_many(calls(&ask), now) {
            world.counts.add("look_over_budget");
            return soon(world, merchant, id, now).await;
        }
        match at.psp.fetch(&*world.http, &at.account, &ask).await {
            Ok(reports) => {
                for report in &reports {
                    inbox::take(world, &at, report, Came::Asked, now).await?;
                }
            }
            // It is asked again at the next look.
            Err(fault @ (Fault::Later { .. } | Fault::Ambiguous(_))) => tracing::info!(payment = %id, "{id}: {fault}"),
            Err(fault) => tracing::warn!(payment = %id, "{id}: {fault}"),
        }
    }
    Ok(())
}

/// What did not fit into the budget is looked at again soon.
async fn soon(world: &World, merchant: &MerchantId, id: PaymentId, now: Timestamp) -> Result<(), StoreError> {
    let written = book::write::<()>(world, merchant, id, now, |loaded, commit| {
        commit.payment = Some(Change { check_at: Some(now.after(SOON)), ..looked(world, loaded, now) });
        Ok(())
    });
    written.await.map(drop)
}

/// How many calls an ask may take at the provider.
fn calls(ask: &Ask) -> u32 {
    match ask {
        Ask::Checkout(_) | Ask::RefundOf { .. } => 1,
        Ask::CheckoutOf { .. } => 2,
        Ask::Capture(_) => 4,
    }
}

/// Nothing new: only the next look is written, which shows on no card.
fn looked(world: &World, loaded: &Loaded, now: Timestamp) -> Change {
    Change {
        payment: loaded.stored.id,
        on: On::Version(loaded.stored.version),
        facts: Vec::new(),
        status: loaded.payment.status(),
        check_at: book::check_at(&loaded.payment, loaded.stored.created_at, now, world.pace),
        shows: Shows::Nowhere,
        cards: Vec::new(),
        work: Vec::new(),
        objects: Vec::new(),
    }
}

/// What the provider may know better: checkouts that are not closed, refunds on their way, disputes under way.
fn asks(loaded: &Loaded) -> Vec<Ask> {
    let checkouts =
        loaded.payment.checkouts.values().filter(|checkout| !checkout.is_closed() || checkout.is_left_open());
    let checkouts = checkouts.filter_map(|checkout| Some(Ask::Checkout(checkout.seen.as_ref()?.0.clone())));
    let refunds = loaded.payment.refunds.values().filter(|it| !it.state.is_terminal()).map(|it| &it.capture);
    let disputes = loaded.payment.disputes.values().filter(|it| it.state.is_undecided()).map(|it| &it.capture);
    let captures: BTreeSet<&CaptureId> = refunds.chain(disputes).collect();
    checkouts.chain(captures.into_iter().map(|capture| Ask::Capture(capture.clone()))).collect()
}

/// Reads the providers' event lists from where the last sweep ended, if nobody else does.
///
/// # Errors
/// [`StoreError`]: the next sweep begins where this one did.
pub async fn sweep(world: &World, holder: &str, now: Timestamp) -> Result<(), StoreError> {
    for at in world.accounts.all().iter() {
        let name = format!("sweep/{}", at.account.id);
        if world.store.lease(&name, holder, now, world.pace.sweep.max(LEASE)).await?.is_some() {
            sweep_account(world, at, now).await?;
        }
    }
    Ok(())
}

async fn sweep_account(world: &World, at: &At, now: Timestamp) -> Result<(), StoreError> {
    let (merchant, key) = (&world.merchant.id, at.account.id.as_str());
    let kept = world.store.kept(merchant, "sweep", key, now).await?;
    let mut cursor = kept.and_then(|bytes| String::from_utf8(bytes).ok());
    for _ in 0..PAGES_MAX {
        let page = match at.psp.list_since(&*world.http, &at.account, cursor.as_deref()).await {
            Ok(page) => page,
            // The provider has forgotten where we were; what we know already makes no second fact.
            Err(Fault::NotFound) if cursor.is_some() => {
                tracing::error!(account = %at.account.id, "the event list of {} begins anew: our place in it is gone", at.account.id);
                cursor = None;
                continue;
            }
            Err(fault) => {
                tracing::warn!(account = %at.account.id, "the event list of {} could not be read: {fault}", at.account.id);
                return Ok(());
            }
        };
        for event in &page.unreadable {
            world.counts.add("event_unreadable");
            tracing::error!(account = %at.account.id, event, "event {event} of {} cannot be read", at.account.id);
        }
        for report in &page.reports {
            if inbox::take(world, at, report, Came::Asked, now).await? == Verdict::Later {
                return Ok(());
            }
        }
        if cursor.as_deref() != Some(&page.cursor) {
            world.store.keep(merchant, "sweep", key, page.cursor.as_bytes(), None).await?;
        }
        cursor = Some(page.cursor);
        if !page.more {
            break;
        }
    }
    Ok(())
}
