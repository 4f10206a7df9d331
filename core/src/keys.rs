//! The key ring: one secret per key id, and from it a key per purpose.
//!
//! Links are made with HMAC-SHA256, kept things are sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). The
//! newest key makes; every key on the ring still opens, so a key can be replaced while old links work.
//!
//! Deliberately absent: where the ring is stored. The program reads its file and hands over the bytes.

use crate::id::{Entropy, random};
use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;

/// Which key of the ring: counts from 1, the greatest is the newest.
pub type KeyId = u32;

/// Secrets by key id. Its `Debug` shows the ids alone.
#[derive(Clone)]
pub struct KeyRing {
    keys: BTreeMap<KeyId, [u8; 32]>,
    newest: KeyId,
}

/// A sealed thing cannot be opened: other key, other place, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened: other key, other place or changed bytes")]
pub struct CannotOpen;

impl KeyRing {
    /// A ring of these keys. `None` when there is no key.
    pub fn new(keys: impl IntoIterator<Item = (KeyId, [u8; 32])>) -> Option<Self> {
        let keys: BTreeMap<_, _> = keys.into_iter().collect();
        let newest = *keys.keys().next_back()?;
        Some(Self { keys, newest })
    }

    /// The key that makes new links and seals.
    pub fn newest(&self) -> KeyId {
        self.newest
    }

    /// HMAC-SHA256 of `message` under key `id` for `purpose`. `None` when the ring has no such key.
    pub fn mac(&self, id: KeyId, purpose: &str, message: &[u8]) -> Option<[u8; 32]> {
        let key = self.keys.get(&id)?;
        Some(hmac(&hmac(key, purpose.as_bytes()), message))
    }

    /// Seals `plain` for the place `at` (merchant, table, row): opened elsewhere, it is refused.
    pub fn seal(&self, at: &str, plain: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
        let nonce: [u8; 24] = random(entropy);
        let payload = Payload { msg: plain, aad: at.as_bytes() };
        let key = self.keys.get(&self.newest).map(|key| hmac(key, b"seal")).unwrap_or_default();
        // Fails only for a plaintext of more than 256 GiB.
        let sealed = XChaCha20Poly1305::new(&key.into()).encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        [&self.newest.to_be_bytes()[..], &nonce, &sealed].concat()
    }

    /// Opens what [`KeyRing::seal`] made for the same place.
    ///
    /// # Errors
    /// [`CannotOpen`]: nothing is known of the content then.
    pub fn open(&self, at: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (id, rest) = sealed.split_first_chunk::<4>().ok_or(CannotOpen)?;
        let (nonce, sealed) = rest.split_first_chunk::<24>().ok_or(CannotOpen)?;
        let key = self.keys.get(&KeyId::from_be_bytes(*id)).ok_or(CannotOpen)?;
        let payload = Payload { msg: sealed, aad: at.as_bytes() };
        XChaCha20Poly1305::new(&hmac(key, b"seal").into())
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| CannotOpen)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.keys.keys().collect::<Vec<_>>()).finish()
    }
}

/// HMAC-SHA256 (RFC 2104), which takes a key of any length.
pub fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(message).finalize().into_bytes().into(),
        Err(_) => [0; 32], // never: every length of key is valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count(u8);
    impl Entropy for Count {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill_with(|| {
                self.0 = self.0.wrapping_add(1);
                self.0
            });
        }
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_unchanged() {
        let ring = KeyRing::new([(1, [7; 32])]).unwrap();
        let sealed = ring.seal("default/parked/1", b"secret", &mut Count(0));
        assert_eq!(ring.open("default/parked/1", &sealed).as_deref(), Ok(&b"secret"[..]));
        assert_eq!(ring.open("default/parked/2", &sealed), Err(CannotOpen));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(ring.open("default/parked/1", &changed), Err(CannotOpen), "byte {at}");
        }
        assert_eq!(ring.open("x", &[]), Err(CannotOpen));
    }

    #[test]
    fn an_old_key_still_opens_and_the_newest_seals() {
        let old = KeyRing::new([(1, [7; 32])]).unwrap();
        let both = KeyRing::new([(1, [7; 32]), (2, [8; 32])]).unwrap();
        let sealed = old.seal("here", b"x", &mut Count(0));
        assert_eq!(both.open("here", &sealed).as_deref(), Ok(&b"x"[..]));
        assert!(old.open("here", &both.seal("here", b"x", &mut Count(0))).is_err());
        assert_eq!(old.mac(1, "link", b"m"), both.mac(1, "link", b"m"));
        assert_ne!(old.mac(1, "link", b"m"), old.mac(1, "receipt", b"m"));
        assert_eq!(format!("{both:?}"), "KeyRing([1, 2])");
    }
}
