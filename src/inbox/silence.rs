//! Webhooks that do not arrive: noticed when money is found by asking that a webhook should have told of.
//!
//! ```text
//! asked: money, two minutes old, unknown here ─► kept for a day ─► staff are told once, the doctor says so
//! ```
//! Deliberately absent: silence as such. A shop may have sold nothing.

use super::payment_of;
use crate::book;
use crate::checkouts::telling;
use crate::world::{At, LinkMode, World};
use std::time::Duration;
use till_core::id::{AccountId, MerchantId};
use till_core::port::psp::{News, Reported};
use till_core::port::store::{Change, Shows, Store, StoreError};
use till_core::time::Timestamp;

/// Money that was found by asking although it has been there for this long: its webhook does not come any more.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(120);
/// Staff are told about silent webhooks this often.
const TOLD_AGAIN: Duration = Duration::from_secs(24 * 3600);
/// Where it is kept that they were.
const SILENT: &str = "webhooks-silent";

/// Whether a report that was asked for brings money whose webhook should have brought it before.
///
/// Not where the bank was still working: then the money is younger than the checkout, and Stripe tells only the latter.
pub(super) async fn is_missing(world: &World, at: &At, report: &Reported, now: Timestamp) -> Result<bool, StoreError> {
    let mut paid = report.news.iter().filter_map(News::captured).peekable();
    // What came while this till was down may be on its way still.
    let missed = report.as_of > world.began && now.since(report.as_of) > WEBHOOK_PATIENCE;
    if paid.peek().is_none() || !missed || matches!(world.links, LinkMode::Direct { .. }) {
        return Ok(false);
    }
    let merchant = &world.merchant.id;
    let Some(id) = payment_of(world, merchant, at, &report.about).await? else { return Ok(false) };
    let Some(loaded) = book::load(world, merchant, id).await? else { return Ok(false) };
    let payment = loaded.payment;
    let known = paid.any(|capture| payment.captures.contains_key(capture));
    Ok(!known && !payment.checkouts.values().any(till_core::payment::Checkout::is_pending))
}

/// Staff are told, once a day, that webhooks do not come.
pub(super) async fn tell(world: &World, at: &At, report: &Reported, now: Timestamp) -> Result<(), StoreError> {
    let (merchant, account) = (&world.merchant.id, at.account.id.as_str());
    tracing::error!(account, "a payment at {account} was found by asking only: its webhooks do not arrive");
    world.counts.add("found_by_asking");
    if since(&*world.store, merchant, &at.account.id, now).await?.is_some() {
        return Ok(());
    }
    let from = now.ms().to_string();
    world.store.keep(merchant, SILENT, account, from.as_bytes(), Some(now.after(TOLD_AGAIN))).await?;
    let Some(id) = payment_of(world, merchant, at, &report.about).await? else { return Ok(()) };
    let written = book::write::<()>(world, merchant, id, now, |loaded, commit| {
        let stored = &loaded.stored;
        let text = world.merchant.locale.say("tell-webhooks-silent", &[("code", &stored.code.to_string())]);
        let to = loaded.payment.asked_by.clone();
        let tell = telling(stored.id, "webhooks-silent", to, &stored.place, text, now);
        let change = book::change(world, loaded, Vec::new(), Vec::new(), vec![tell], now);
        commit.payment = change.map(|change| Change { shows: Shows::Nowhere, ..change });
        Ok(())
    });
    written.await.map(drop)
}

/// Since when payments of an account were found by asking only, within the last day.
///
/// # Errors
/// [`StoreError`].
pub async fn since(
    store: &dyn Store,
    merchant: &MerchantId,
    account: &AccountId,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let kept = store.kept(merchant, SILENT, account.as_str(), now).await?;
    // What an earlier version wrote has no time in it.
    let at = |bytes: Vec<u8>| String::from_utf8(bytes).ok()?.parse().ok().map(Timestamp::from_ms);
    Ok(kept.map(|bytes| at(bytes).unwrap_or(now)))
}
