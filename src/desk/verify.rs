//! Whether a code or an address is ours. Anybody may ask; a stranger hears yes or no, and nothing else.
//!
//! ```text
//! K7Q2F9                          a code of this merchant's?
//! https://…/p/<token>             a page of ours: our origin, and a token that opens something?
//! https://provider/…/<checkout>   exactly the address of a checkout that we asked for?
//! ```
//! An address that only looks like ours is not: the origin must be the same, and the token must be one of ours.

use super::Hearing;
use crate::book::Loaded;
use crate::world::{LinkMode, World};
use till_core::card::Audience;
use till_core::id::{Code, PaymentId};
use till_core::link::{self, Purpose};
use till_core::port::desk::Ack;
use till_core::port::store::{ObjectKind, StoreError};
use url::Url;

impl Hearing<'_> {
    pub(super) async fn verify(&self, what: &str, audience: Audience) -> Result<Ack, StoreError> {
        let merchant = &self.world.merchant.name;
        let found = match (what.parse::<Code>(), Url::parse(what)) {
            (Ok(code), _) => self.find(code).await?,
            (Err(_), Ok(url)) => self.behind(&url).await?,
            (Err(_), Err(_)) => return Ok(self.say(self.words("desk-verify-what", &[]))),
        };
        let loaded = match found {
            Some(id) => self.load(id).await?,
            None => None,
        };
        let Some(loaded) = loaded else {
            return Ok(self.say(self.words("desk-verify-not-ours", &[("merchant", merchant)])));
        };
        let code = loaded.stored.code;
        let status = self.words(&format!("status-{}", loaded.payment.status().name()), &[]);
        let args = [("code", &code.to_string()[..]), ("merchant", merchant), ("status", &status)];
        Ok(match audience {
            Audience::Anyone => self.say(self.words("desk-verify-ours", &args)),
            Audience::Staff => Ack::Say { text: self.words("desk-verify-ours-staff", &args), code: Some(code) },
        })
    }

    /// The payment that an address leads to, if it is an address of ours or of a checkout of ours.
    async fn behind(&self, url: &Url) -> Result<Option<PaymentId>, StoreError> {
        if let Some((purpose, token)) = token(&self.world.links, url) {
            let found = self.world.store.payment_by_link(purpose, &link::hash(token)).await?;
            return Ok(found.filter(|(merchant, _)| *merchant == self.world.merchant.id).map(|(_, id)| id));
        }
        for at in self.world.accounts.all().iter() {
            for id in perhaps_ids(url) {
                let (merchant, account) = (&self.world.merchant.id, &at.account.id);
                let known = self.world.store.payment_by_object(merchant, account, ObjectKind::Checkout, id).await?;
                let Some(payment) = known else { continue };
                let Some(loaded) = self.load(payment).await? else { continue };
                if is_checkout(&loaded, id, url) {
                    return Ok(Some(payment));
                }
            }
        }
        Ok(None)
    }
}

/// The token in an address of ours.
fn token<'a>(links: &LinkMode, url: &'a Url) -> Option<(Purpose, &'a str)> {
    let LinkMode::Ours(base) = links else { return None };
    let base = Url::parse(base).ok().filter(|base| base.origin() == url.origin())?;
    let path = url.path().strip_prefix(base.path().trim_end_matches('/'))?;
    [Purpose::Pay, Purpose::Receipt].into_iter().find_map(|purpose| {
        let token = path.strip_prefix('/')?.strip_prefix(crate::world::path_of(purpose))?.strip_prefix('/')?;
        link::is_token(token).then_some((purpose, token))
    })
}

/// Where the checkout's id may stand: providers end its address with it. A stranger's address may be long, and each of
/// these costs a query.
fn perhaps_ids(url: &Url) -> impl Iterator<Item = &str> {
    const LAST: usize = 3;
    url.path_segments().into_iter().flatten().rev().take(LAST).filter(|segment| segment.len() > 8)
}

/// Whether this is the address that the provider gave us for the checkout. What comes after `#` names no page.
fn is_checkout(loaded: &Loaded, id: &str, url: &Url) -> bool {
    let known = World::checkout_url(&loaded.stored, id).and_then(|known| Url::parse(&known).ok());
    known.is_some_and(|known| known.origin() == url.origin() && known.path() == url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_any_length_is_looked_up_by_its_end_alone() {
        let ids = |text: &str| perhaps_ids(&Url::parse(text).unwrap()).map(str::to_owned).collect::<Vec<_>>();
        for real in
            ["https://checkout.stripe.com/c/pay/*#fid", "http://127.0.0.1:8790/pay/*", "https://psp.example/*/pay/?x"]
        {
            assert_eq!(ids(&real.replace('*', "cs_test_a1b2c3")), ["cs_test_a1b2c3"], "{real}");
        }
        let long = format!("https://evil.example{}", "/cs_test_a1b2c3".repeat(190));
        assert_eq!(ids(&long).len(), 3);
        assert_eq!(ids("mailto:somebody@evil.example"), [""; 0]);
    }

    #[test]
    fn an_address_that_only_looks_like_ours_is_not() {
        let ours = LinkMode::Ours("https://pay.shop.example/till".into());
        let good = "a1".repeat(16);
        let is_token = |text: &str| token(&ours, &Url::parse(&text.replace('*', &good)).unwrap()).is_some();
        assert!(is_token("https://pay.shop.example/till/p/*") && is_token("https://PAY.shop.example:443/till/r/*?x#y"));
        for wrong in [
            "http://pay.shop.example/till/p/*",
            "https://pay.shop.example/p/*",
            "https://pay.shop.example/till/p/*/x",
            "https://pay.shop.example/till/q/*",
            "https://pay.shop.example/till/p/short",
            "https://pay.shop.example.evil.example/till/p/*",
            "https://evil.example/https://pay.shop.example/till/p/*",
            "https://pay.shop.example@evil.example/till/p/*",
            "https://pay.shop.example:8443/till/p/*",
        ] {
            assert!(!is_token(wrong), "{wrong}");
        }
        let direct = LinkMode::Direct { return_url: "https://pay.shop.example/till".into() };
        assert_eq!(token(&direct, &Url::parse(&format!("https://pay.shop.example/till/p/{good}")).unwrap()), None);
    }
}
