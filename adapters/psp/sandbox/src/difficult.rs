//! The difficult sandbox provider, seen from Till: everything that real providers make hard, and no money.
//!
//! ```text
//! webhook: id=ord_… ──► a hint ──► GET the order ──► one report each: order, declines, reversal, refunds, disputes
//! order ──► the payer approves, perhaps another amount ──► capture takes it ──► paid
//! ```
//! Its webhooks are unsigned, so they say nothing but where to look; only an id of the right shape is looked at. It
//! cannot close an order, forgets keys after three hours, writes amounts as decimal texts, and holds one text of ours.

mod decimal;
mod read;
mod wire;

use crate::call;
use crate::{most_minor, suits_sandbox};
use async_trait::async_trait;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::time::Duration;
use till_core::id::CheckoutId;
use till_core::money::Money;
use till_core::order::{CheckoutOrder, IdemKey, RefundOrder};
use till_core::port::http::Http;
use till_core::port::psp::{
    Account, AmountBy, Ask, Capture, Delivery, Distrust, Evidence, Expire, Fault, Finding, Hook, Page, Psp, PspCaps,
    Reported, Takes, Webhooks,
};
use till_core::time::Timestamp;

/// The adapter of the difficult character. It holds nothing; credentials and address are in the [`Account`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Difficult;

/// How many events a page of the list holds; each may be an order to fetch.
const PAGE: u32 = 100;
/// What it recognises a repeated call by.
const KEY: &str = "request-id";

#[async_trait]
impl Psp for Difficult {
    fn name(&self) -> &'static str {
        "sandbox-difficult"
    }

    fn base_url(&self) -> &'static str {
        "http://127.0.0.1:8790"
    }

    fn caps(&self) -> PspCaps {
        const HOUR: Duration = Duration::from_secs(3600);
        PspCaps {
            expire: Expire::ByItself,
            capture: Capture::OnRequest,
            amount: AmountBy::Payer,
            webhooks: Webhooks::Hints,
            key_window: HOUR * 3,
            checkout_life: (Duration::from_secs(60), HOUR * 24),
        }
    }

    fn suits(&self, key: &SecretString, livemode: bool) -> Result<(), &'static str> {
        suits_sandbox(key, livemode)
    }

    /// It counts as ISO 4217 does, and knows one largest amount.
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
        read::order(&call::post(http, at, "/d/orders", (KEY, key), &wire::NewOrder::of(order)).await?)
    }

    /// There is no call for it.
    async fn expire(&self, _: &dyn Http, _: &Account, _: &CheckoutId, _: &IdemKey) -> Result<Reported, Fault> {
        Err(Fault::Refused("this provider closes orders only by itself".into()))
    }

    async fn capture(&self, http: &dyn Http, at: &Account, id: &CheckoutId, key: &IdemKey) -> Result<Reported, Fault> {
        let path = format!("/d/orders/{}/capture", call::segment(id)?);
        read::order(&call::post(http, at, &path, (KEY, key), &wire::Nothing {}).await?)
    }

    async fn refund(
        &self,
        http: &dyn Http,
        at: &Account,
        order: &RefundOrder,
        key: &IdemKey,
    ) -> Result<Reported, Fault> {
        let path = format!("/d/captures/{}/refund", call::segment(&order.capture)?);
        read::refund(&call::post(http, at, &path, (KEY, key), &wire::NewBack::of(order)).await?)
    }

    /// Somebody else's order is found, and is nothing to us.
    async fn fetch(&self, http: &dyn Http, at: &Account, ask: &Ask) -> Result<Vec<Reported>, Fault> {
        match ask {
            Ask::Checkout(id) => {
                let path = format!("/d/orders/{}", call::segment(id)?);
                read::whole(&call::get(http, at, &path).await?)
            }
            Ask::CheckoutOf { payment, n, since: _ } => {
                let path = format!("/d/orders?custom_id={}", wire::custom_id(payment, n));
                let found: wire::List<wire::Order> = call::get(http, at, &path).await?;
                let each: Result<Vec<_>, _> = found.data.iter().map(read::whole).collect();
                Ok(each?.into_iter().flatten().collect())
            }
            Ask::RefundOf { payment, refund, capture: _ } => {
                let path = format!("/d/refunds?custom_id={}", wire::custom_id(payment, refund));
                let found: wire::List<wire::Refund> = call::get(http, at, &path).await?;
                found.data.iter().map(read::refund).collect()
            }
            Ask::Capture(id) => {
                let path = format!("/d/captures/{}", call::segment(id)?);
                read::whole(&call::get(http, at, &path).await?)
            }
        }
    }

    async fn examine(&self, http: &dyn Http, at: &Account, hook: Hook<'_>, _: Timestamp) -> Vec<Finding> {
        let key = match self.list_since(http, at, None).await {
            Ok(_) => Finding::good(format!("the difficult sandbox at {} answers and knows the key", at.base_url)),
            Err(Fault::Credentials(why)) => {
                Finding::wrong(format!("the sandbox does not know the key: {why}"), "give both sides the same key")
            }
            Err(fault) => Finding::wrong(
                format!("the sandbox at {} cannot be asked: {fault}", at.base_url),
                "start it with `till sandbox`",
            ),
        };
        let (Hook::Public(url) | Hook::Local(url)) = hook;
        let mend = format!("`till sandbox --hints-url {url}`; they are not signed, so there is no secret");
        vec![key, Finding::note("the sandbox does not say where its webhooks go", mend)]
    }

    /// The list says which orders changed. Each of ours is fetched once for a page, however often it changed.
    async fn list_since(&self, http: &dyn Http, at: &Account, cursor: Option<&str>) -> Result<Page, Fault> {
        let after = match cursor.filter(|cursor| !cursor.is_empty()) {
            Some(cursor) => format!("&after={}", call::segment(cursor)?),
            None => String::new(),
        };
        let page: wire::Events = call::get(http, at, &format!("/d/events?limit={PAGE}{after}")).await?;
        let (mut reports, mut unreadable, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for event in page.data.iter().filter(|event| event.custom_id.as_deref().is_some_and(read::is_ours)) {
            if !seen.insert(&event.order) {
                continue;
            }
            match self.fetch(http, at, &Ask::Checkout(CheckoutId::new(&event.order))).await {
                Ok(found) => reports.extend(found),
                Err(Fault::NotFound) => {} // Told of, and no longer there.
                Err(Fault::Unreadable(_)) => unreadable.push(event.id.clone()),
                Err(fault) => return Err(fault),
            }
        }
        let last = page.data.last().map(|event| event.id.clone());
        let cursor = last.unwrap_or_else(|| cursor.unwrap_or_default().to_owned());
        Ok(Page { reports, unreadable, cursor, more: page.has_more })
    }

    /// Anybody can send this, so it is no more than a hint; and only what can be an id is asked for.
    async fn verify(
        &self,
        _: &dyn Http,
        _: &Account,
        d: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Vec<Evidence>, Distrust> {
        let kind = d.header("content-type").ok_or(Distrust::Unsigned)?;
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Distrust::Unreadable);
        }
        let id = hinted(d.body).ok_or(Distrust::Unreadable)?;
        // Two deliveries about one order are two hints: there may be something new each time.
        Ok(vec![Evidence::Hint { event: format!("hint:{id}:{}", now.ms()), ask: Ask::Checkout(CheckoutId::new(id)) }])
    }
}

/// The id in `id=ord_…`: 32 digits of hexadecimal, and nothing before or after.
fn hinted(body: &[u8]) -> Option<&str> {
    let id = std::str::from_utf8(body).ok()?.strip_prefix("id=")?;
    let digits = id.strip_prefix("ord_")?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (digits.len() == 32 && digits.bytes().all(is_digit)).then_some(id)
}

#[cfg(test)]
mod tests;
