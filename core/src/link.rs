//! Till's own links: `/p/<token>` to pay, `/r/<token>` for the receipt.
//!
//! A token is 128 bits: HMAC(link key, purpose ‖ payment ‖ n), in lower-case hex. The store keeps its hash and the id
//! of the key, so that a card is rendered again with the link it was born with. Whoever has the link may use it:
//! it is unlisted, not authenticated.

use crate::id::PaymentId;
use crate::keys::{KeyId, KeyRing};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// `/p/…`: look and pay.
    Pay,
    /// `/r/…`: the receipt.
    Receipt,
}

impl Purpose {
    /// The word in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Receipt => "receipt",
        }
    }

    /// The purpose of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Pay, Self::Receipt].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A link as the store keeps it: enough to make the token again, with the ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is for.
    pub purpose: Purpose,
    /// Which of the payment's links of this purpose, from 1.
    pub n: u32,
    /// The key it was born with.
    pub key: KeyId,
}

impl Link {
    /// A first link with the newest key.
    pub fn first(purpose: Purpose, ring: &KeyRing) -> Self {
        Self { purpose, n: 1, key: ring.newest() }
    }

    /// The token: 32 hex digits. `None` when the ring has lost the key.
    pub fn token(&self, payment: PaymentId, ring: &KeyRing) -> Option<String> {
        let message = format!("{}|{payment}|{}", self.purpose.name(), self.n);
        let mac = ring.mac(self.key, "link", message.as_bytes())?;
        mac.first_chunk::<16>().map(hex::encode)
    }
}

/// What the store finds a token by: SHA-256, so that a stolen database opens no page.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether the text can be a token at all; anything else is not looked up.
pub fn is_token(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;
    use crate::time::Timestamp;

    struct Zero;
    impl Entropy for Zero {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn a_link_is_made_again_from_its_row_and_differs_by_purpose() {
        let ring = KeyRing::new([(1, [1; 32])]).unwrap();
        let payment = PaymentId::new(Timestamp::from_ms(1), &mut Zero);
        let pay = Link::first(Purpose::Pay, &ring);
        let token = pay.token(payment, &ring).unwrap();
        assert!(is_token(&token));
        assert_eq!(pay.token(payment, &ring).unwrap(), token);
        assert_ne!(Link::first(Purpose::Receipt, &ring).token(payment, &ring).unwrap(), token);
        assert_eq!(Link { key: 9, ..pay }.token(payment, &ring), None);
        assert!(!is_token(&token.to_uppercase()) && !is_token("") && !is_token(&format!("{token}0")));
    }
}
