//! The sandbox provider, seen from Till: a payment provider that moves no money, for the demo and for tests.
//!
//! ```text
//! order ──► wire ──► call ── HTTP ──► the sandbox's server ── JSON ──► wire ──► read ──► Reported
//! ```
//! It has two characters: the plain one here, and one that is as difficult as real providers can be (`difficult`).
//!
//! It is spoken to over HTTP like any other. One provider object becomes one report; a paid checkout's report holds
//! its capture too.
//!
//! What it does not say plainly is read with care: an unknown field is ignored, an unknown state is pending, never
//! paid or failed, and an event of an unknown type is a hint to fetch.

mod call;
mod difficult;
mod read;
mod wire;

pub use difficult::Difficult;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use till_core::id::CheckoutId;
use till_core::money::Money;
use till_core::order::{CheckoutOrder, IdemKey, RefundOrder};
use till_core::port::http::Http;
use till_core::port::psp::{
    Account, AmountBy, Ask, Capture, Delivery, Distrust, Evidence, Expire, Fault, Finding, Hook, Page, Psp, PspCaps,
    Reported, Takes, Webhooks,
};
use till_core::signature;
use till_core::time::Timestamp;

/// The adapter. It holds nothing; credentials and address are in the [`Account`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

/// How many events a page of the list holds.
const PAGE: u32 = 100;
/// What it recognises a repeated call by.
const KEY: &str = "idempotency-key";

#[async_trait]
impl Psp for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn base_url(&self) -> &'static str {
        "http://127.0.0.1:8790"
    }

    fn caps(&self) -> PspCaps {
        const HOUR: Duration = Duration::from_secs(3600);
        PspCaps {
            expire: Expire::OnRequest,
            capture: Capture::ByItself,
            amount: AmountBy::Checkout,
            webhooks: Webhooks::Signed,
            key_window: HOUR * 24,
            checkout_life: (Duration::from_secs(60), HOUR * 24),
        }
    }

    fn suits(&self, key: &SecretString, livemode: bool) -> Result<(), &'static str> {
        suits_sandbox(key, livemode)
    }

    /// The sandbox counts as ISO 4217 does, and knows one largest amount.
    fn takes(&self, amount: Money) -> Takes {
        most_minor(amount)
    }

    async fn create(
        &self,
        http: &dyn Http,
        at: &Account,
        order: &CheckoutOrder,
        key: &IdemKey,
    ) -> Result<Reported, Fault> {
        let made = call::post(http, at, "/v1/checkouts", (KEY, key), &wire::NewCheckout::of(order)).await?;
        read::checkout(&made)
    }

    async fn expire(&self, http: &dyn Http, at: &Account, id: &CheckoutId, key: &IdemKey) -> Result<Reported, Fault> {
        let path = format!("/v1/checkouts/{}/expire", call::segment(id)?);
        read::checkout(&call::post(http, at, &path, (KEY, key), &wire::Nothing {}).await?)
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
        let made = call::post(http, at, "/v1/refunds", (KEY, key), &wire::NewRefund::of(order)).await?;
        read::refund(&made)
    }

    async fn fetch(&self, http: &dyn Http, at: &Account, ask: &Ask) -> Result<Vec<Reported>, Fault> {
        match ask {
            Ask::Checkout(id) => {
                let path = format!("/v1/checkouts/{}", call::segment(id)?);
                read::whole(&call::get(http, at, &path).await?)
            }
            Ask::CheckoutOf { payment, n, since: _ } => {
                let path = format!("/v1/checkouts?payment={payment}&n={n}");
                let found: wire::List<wire::Checkout> = call::get(http, at, &path).await?;
                wholes(&found.data)
            }
            Ask::RefundOf { payment, refund, capture: _ } => {
                let path = format!("/v1/refunds?payment={payment}&refund={refund}");
                let found: wire::List<wire::Refund> = call::get(http, at, &path).await?;
                found.data.iter().map(read::refund).collect()
            }
            Ask::Capture(id) => {
                let capture = call::segment(id)?;
                let by = |what| format!("/v1/{what}?capture={capture}");
                let paid: wire::List<wire::Checkout> = call::get(http, at, &by("checkouts")).await?;
                let back: wire::List<wire::Refund> = call::get(http, at, &by("refunds")).await?;
                let asked: wire::List<wire::Dispute> = call::get(http, at, &by("disputes")).await?;
                let mut reports = wholes(&paid.data)?;
                let (back, asked) = (back.data.iter().map(read::refund), asked.data.iter().map(read::dispute));
                for report in back.chain(asked) {
                    reports.push(report?);
                }
                Ok(reports)
            }
        }
    }

    async fn examine(&self, http: &dyn Http, at: &Account, hook: Hook<'_>, _: Timestamp) -> Vec<Finding> {
        let key = match self.list_since(http, at, None).await {
            Ok(_) => Finding::good(format!("the sandbox at {} answers and knows the key", at.base_url)),
            Err(Fault::Credentials(why)) => {
                Finding::wrong(format!("the sandbox does not know the key: {why}"), "give both sides the same key")
            }
            Err(fault) => Finding::wrong(
                format!("the sandbox at {} cannot be asked: {fault}", at.base_url),
                "start it with `till sandbox`",
            ),
        };
        let (Hook::Public(url) | Hook::Local(url)) = hook;
        let mend = format!("`till sandbox --webhook-url {url}`, with the same secret on both sides");
        vec![key, Finding::note("the sandbox does not say where its webhooks go", mend)]
    }

    async fn list_since(&self, http: &dyn Http, at: &Account, cursor: Option<&str>) -> Result<Page, Fault> {
        // Before the first event there is no cursor; a caller that keeps one keeps an empty text.
        let after = match cursor.filter(|cursor| !cursor.is_empty()) {
            Some(cursor) => format!("&after={}", call::segment(cursor)?),
            None => String::new(),
        };
        let path = format!("/v1/events?limit={PAGE}{after}");
        let page: wire::Events = call::get(http, at, &path).await?;
        let (mut reports, mut unreadable) = (Vec::new(), Vec::new());
        for event in &page.data {
            match read::event(event) {
                Err(_) => unreadable.push(event.id.clone()),
                Ok(Evidence::Facts(report)) => reports.push(report),
                Ok(Evidence::Foreign | Evidence::AccessLost { .. }) => {}
                Ok(Evidence::Hint { event: _, ask }) => match self.fetch(http, at, &ask).await {
                    Ok(found) => reports.extend(found),
                    Err(Fault::NotFound) => {} // An unknown event about something that is no longer there.
                    Err(fault) => return Err(fault),
                },
            }
        }
        let last = page.data.last().map(|event| event.id.clone());
        let cursor = last.unwrap_or_else(|| cursor.unwrap_or_default().to_owned());
        Ok(Page { reports, unreadable, cursor, more: page.has_more })
    }

    async fn verify(
        &self,
        _: &dyn Http,
        at: &Account,
        d: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Vec<Evidence>, Distrust> {
        let header = |name| d.header(name).ok_or(Distrust::Unsigned);
        let (id, time, signed) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
        signature::verify(&at.webhook_secrets, id, time, signed, d.body, now)?;
        let kind = d.header("content-type").unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(Distrust::Unreadable);
        }
        let event: wire::Event = serde_json::from_slice(d.body).map_err(|_| Distrust::Unreadable)?;
        Ok(vec![read::event(&event).map_err(|_| Distrust::Unreadable)?])
    }
}

/// Whether a key can be one of the sandbox's, whatever its character.
fn suits_sandbox(key: &SecretString, livemode: bool) -> Result<(), &'static str> {
    match (livemode, key.expose_secret().starts_with("sk_test_")) {
        (true, _) => Err("cannot be for real money: the sandbox moves none; leave --live out"),
        (false, false) => Err("does not begin with sk_test_, as every key of the sandbox does"),
        (false, true) => Ok(()),
    }
}

/// Whether the sandbox can count so much.
fn most_minor(amount: Money) -> Takes {
    const MOST_MINOR: i64 = 99_999_999;
    if amount.minor() <= MOST_MINOR {
        return Takes::Yes;
    }
    Takes::TooLarge { most: Money::new(MOST_MINOR, amount.currency()) }
}

fn wholes(found: &[wire::Checkout]) -> Result<Vec<Reported>, Fault> {
    let each: Result<Vec<_>, _> = found.iter().map(read::whole).collect();
    Ok(each?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
