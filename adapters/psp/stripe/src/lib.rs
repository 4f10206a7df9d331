//! Stripe, seen from Till: Checkout Sessions, refunds, disputes and webhooks, by hand on the shared HTTP client.
//!
//! ```text
//! order ──► order, form ──► call ── HTTP ──► Stripe ── JSON ──► wire ──► read, event ──► Reported, Evidence
//! ```
//! One checkout is one Checkout Session; one capture is its payment intent. Till's reference travels in the metadata of
//! both, since refunds and disputes name the intent alone.
//!
//! Deliberately absent: Payment Links (they have no deadline), a generated SDK (it would pin its own API version), and
//! every field that Till does not need.

mod call;
mod currency;
mod event;
mod examine;
mod form;
mod list;
mod order;
mod read;
mod signature;
mod webhook;
mod wire;

pub use webhook::{Webhook, make_webhook};

use async_trait::async_trait;
use secrecy::SecretString;
use std::time::Duration;
use till_core::id::{CaptureId, CheckoutId, PaymentId, RefundId};
use till_core::money::Money;
use till_core::order::{CheckoutOrder, IdemKey, RefundOrder};
use till_core::port::http::Http;
use till_core::port::psp::{
    About, Account, AmountBy, Ask, Capture, Delivery, Distrust, Evidence, Expire, Fault, Finding, Hook, Page, Psp,
    PspCaps, Reported, Takes, Webhooks,
};
use till_core::time::Timestamp;
use wire::{Dispute, Intent, List, Refund, Session};

/// The version of Stripe's API that this adapter was written against.
///
/// Source: stripe-node 6639421, `apiVersion.ts`. Another one in an event is read as far as it goes, and logged.
pub const VERSION: &str = "2026-07-29.dahlia";

/// How many pages are searched for a session that only its metadata can tell.
const PAGES_MAX: u32 = 50;
/// Stripe's clock may be behind ours by this much.
const CLOCKS: Duration = Duration::from_secs(600);

/// The adapter. It holds nothing; credentials and address are in the [`Account`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Stripe;

#[async_trait]
impl Psp for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn base_url(&self) -> &'static str {
        "https://api.stripe.com"
    }

    fn caps(&self) -> PspCaps {
        const MINUTE: Duration = Duration::from_secs(60);
        PspCaps {
            expire: Expire::OnRequest,
            capture: Capture::ByItself,
            amount: AmountBy::Checkout,
            webhooks: Webhooks::Signed,
            key_window: MINUTE * 60 * 24,
            // Stripe: 30 minutes to 24 hours, counted when the call arrives; four minutes stay for slow tries.
            checkout_life: (MINUTE * 30, MINUTE * (60 * 24 - 4)),
        }
    }

    fn suits(&self, key: &SecretString, livemode: bool) -> Result<(), &'static str> {
        examine::suits(key, livemode)
    }

    fn takes(&self, amount: Money) -> Takes {
        currency::takes(amount)
    }

    async fn create(
        &self,
        http: &dyn Http,
        at: &Account,
        order: &CheckoutOrder,
        key: &IdemKey,
    ) -> Result<Reported, Fault> {
        let form = order::session(order)?;
        let told = call::post::<Session>(http, at, "/v1/checkout/sessions", Some(key.as_str()), form).await?;
        read::session(&told.object, at, told.at)
    }

    /// Stripe closes only what is open, and says of the rest no more than that; so the rest is fetched.
    ///
    /// Closing twice is closing once, so it needs no key; under one, an error of Stripe's would be repeated for a day,
    /// and the session stay open as long.
    async fn expire(&self, http: &dyn Http, at: &Account, id: &CheckoutId, _: &IdemKey) -> Result<Reported, Fault> {
        let path = format!("/v1/checkout/sessions/{}/expire", call::segment(id)?);
        match call::post::<Session>(http, at, &path, None, form::Form::new()).await {
            Ok(told) => read::session(&told.object, at, told.at),
            Err(Fault::Refused(why)) => {
                let told = session(http, at, id).await?;
                match told.object.status.as_deref() {
                    Some("expired") => read::session(&told.object, at, told.at),
                    Some("complete") => Err(Fault::AlreadyComplete),
                    Some(_) | None => Err(Fault::Ambiguous(why)),
                }
            }
            Err(fault) => Err(fault),
        }
    }

    /// Money moves when the payer agrees: there is only to see whether it has.
    async fn capture(&self, http: &dyn Http, at: &Account, id: &CheckoutId, _: &IdemKey) -> Result<Reported, Fault> {
        let found = self.fetch(http, at, &Ask::Checkout(id.clone())).await?;
        found.into_iter().next().ok_or(Fault::NotFound)
    }

    async fn refund(
        &self,
        http: &dyn Http,
        at: &Account,
        order: &RefundOrder,
        key: &IdemKey,
    ) -> Result<Reported, Fault> {
        let form = order::refund(order)?;
        let told = call::post::<Refund>(http, at, "/v1/refunds", Some(key.as_str()), form).await?;
        read::refund(&told.object, at, About::Payment(order.payment), told.at)
    }

    async fn fetch(&self, http: &dyn Http, at: &Account, ask: &Ask) -> Result<Vec<Reported>, Fault> {
        match ask {
            Ask::Checkout(id) => {
                let told = session(http, at, id).await?;
                Ok(vec![read::session(&told.object, at, told.at)?])
            }
            Ask::CheckoutOf { payment, n, since } => session_of(http, at, *payment, *n, *since).await,
            Ask::RefundOf { payment, refund, capture } => refund_of(http, at, *payment, *refund, capture).await,
            Ask::Capture(capture) => all_of(http, at, capture).await,
        }
    }

    async fn examine(&self, http: &dyn Http, at: &Account, hook: Hook<'_>, _: Timestamp) -> Vec<Finding> {
        examine::examine(http, at, hook).await
    }

    async fn list_since(&self, http: &dyn Http, at: &Account, cursor: Option<&str>) -> Result<Page, Fault> {
        list::page(http, at, list::Cursor::read(cursor)).await
    }

    async fn verify(
        &self,
        _: &dyn Http,
        at: &Account,
        d: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Vec<Evidence>, Distrust> {
        let header = d.header("stripe-signature").ok_or(Distrust::Unsigned)?;
        signature::verify(&at.webhook_secrets, header, d.body, now)?;
        let kind = d.header("content-type").unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(Distrust::Unreadable);
        }
        Ok(vec![event::delivered(d.body, at).map_err(|_| Distrust::Unreadable)?])
    }
}

async fn session(http: &dyn Http, at: &Account, id: &CheckoutId) -> Result<call::Told<Session>, Fault> {
    let path = format!("/v1/checkout/sessions/{}?expand[]=payment_intent.latest_charge", call::segment(id)?);
    call::get(http, at, &path).await
}

/// Stripe cannot search sessions by metadata: those made since then are looked through.
async fn session_of(
    http: &dyn Http,
    at: &Account,
    payment: PaymentId,
    n: u32,
    since: Timestamp,
) -> Result<Vec<Reported>, Fault> {
    let since = since.before(CLOCKS).secs();
    let mut from = String::new();
    for _ in 0..PAGES_MAX {
        let limit = list::PAGE;
        let path = format!("/v1/checkout/sessions?limit={limit}&created[gte]={since}{from}{}", list::EXPAND);
        let told = call::get::<List<Session>>(http, at, &path).await?;
        let same = |it: &&Session| it.ours().is_some_and(|ours| ours.payment == payment && ours.n == n);
        let found: Vec<&Session> = told.object.data.iter().filter(same).collect();
        if !found.is_empty() {
            return found.into_iter().map(|it| read::session(it, at, told.at)).collect();
        }
        match told.object.data.last().filter(|_| told.object.has_more) {
            Some(last) => from = format!("&starting_after={}", call::segment(&last.id)?),
            None => return Err(Fault::NotFound),
        }
    }
    Err(Fault::Ambiguous(format!("not among the first {PAGES_MAX} pages of sessions")))
}

async fn refund_of(
    http: &dyn Http,
    at: &Account,
    payment: PaymentId,
    refund: RefundId,
    capture: &CaptureId,
) -> Result<Vec<Reported>, Fault> {
    let (refunds, answered) = refunds(http, at, capture).await?;
    let same = |it: &&Refund| read::label::<RefundId>(it.metadata.as_ref(), "till_refund") == Some(refund);
    let found: Vec<&Refund> = refunds.iter().filter(same).collect();
    if found.is_empty() {
        return Err(Fault::NotFound);
    }
    found.into_iter().map(|it| read::refund(it, at, About::Payment(payment), answered)).collect()
}

/// All refunds of a payment intent; more than one page of them would be a refund of a cent at a time.
async fn refunds(
    http: &dyn Http,
    at: &Account,
    capture: &CaptureId,
) -> Result<(Vec<Refund>, Option<Timestamp>), Fault> {
    let (mut all, mut from) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let path = format!("/v1/refunds?limit={}&payment_intent={}{from}", list::PAGE, call::segment(capture)?);
        let told = call::get::<List<Refund>>(http, at, &path).await?;
        all.extend(told.object.data);
        match all.last().filter(|_| told.object.has_more) {
            Some(last) => from = format!("&starting_after={}", call::segment(&last.id)?),
            None => return Ok((all, told.at)),
        }
    }
    Err(Fault::Unreadable(format!("{capture} has no end of refunds")))
}

/// The intent first: it tells by itself whether it is ours, so that somebody else's costs one call.
async fn all_of(http: &dyn Http, at: &Account, capture: &CaptureId) -> Result<Vec<Reported>, Fault> {
    let intent = call::segment(capture)?;
    let told = call::get::<Intent>(http, at, &format!("/v1/payment_intents/{intent}")).await?;
    if read::ours(told.object.metadata.as_ref()).is_none() {
        return Err(Fault::NotFound);
    }
    let path = format!("/v1/checkout/sessions?limit=1&payment_intent={intent}{}", list::EXPAND);
    let told = call::get::<List<Session>>(http, at, &path).await?;
    let session = told.object.data.first();
    let session = session.ok_or(Fault::Later { wait: None, why: format!("{capture} is in no list yet") })?;
    let about = About::Payment(session.ours().ok_or(Fault::NotFound)?.payment);
    let mut all = vec![read::session(session, at, told.at)?];
    let (refunds, answered) = refunds(http, at, capture).await?;
    for refund in &refunds {
        all.push(read::refund(refund, at, about.clone(), answered)?);
    }
    let path = format!("/v1/disputes?limit={}&payment_intent={intent}", list::PAGE);
    let told = call::get::<List<Dispute>>(http, at, &path).await?;
    for dispute in &told.object.data {
        all.push(read::dispute(dispute, at, about.clone(), told.at)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
