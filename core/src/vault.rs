//! What an adapter must keep and nobody may read: sealed with the key ring for the place it lies in, kept in the store.
//!
//! A value that is moved to another merchant, adapter or key does not open there.

use crate::id::{Entropy, MerchantId};
use crate::keys::{CannotOpen, KeyRing};
use crate::port::store::{Store, StoreError};
use crate::time::Timestamp;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Sealed values of one adapter for one merchant.
pub struct Vault {
    store: Arc<dyn Store>,
    ring: KeyRing,
    entropy: Mutex<Box<dyn Entropy>>,
    merchant: MerchantId,
    adapter: &'static str,
}

/// What is kept cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was sealed with a key that this ring does not have, or was changed.
    #[error("`{key}` of {adapter} cannot be opened: the key ring is another one than the one that sealed it")]
    Sealed {
        /// Whose it is.
        adapter: &'static str,
        /// What it is kept under.
        key: String,
    },
}

impl Vault {
    /// The vault of `adapter` for `merchant`.
    pub fn new(
        store: Arc<dyn Store>,
        ring: KeyRing,
        entropy: Box<dyn Entropy>,
        merchant: MerchantId,
        adapter: &'static str,
    ) -> Self {
        Self { store, ring, entropy: Mutex::new(entropy), merchant, adapter }
    }

    /// Keeps a value, until `expires` where given. Overwrites.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep(&self, key: &str, plain: &[u8], expires: Option<Timestamp>) -> Result<(), StoreError> {
        let sealed = {
            let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
            self.ring.seal(&self.at(key), plain, &mut **entropy)
        };
        self.store.keep(&self.merchant, self.adapter, key, &sealed, expires).await
    }

    /// What is kept and has not expired.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn kept(&self, key: &str, now: Timestamp) -> Result<Option<Vec<u8>>, VaultError> {
        let sealed = self.store.kept(&self.merchant, self.adapter, key, now).await?;
        sealed.map(|sealed| self.open(key, &sealed)).transpose()
    }

    /// What is kept and has not expired, and removes it: of two callers, one gets it.
    ///
    /// # Errors
    /// [`VaultError`]; what cannot be opened is gone all the same.
    pub async fn take(&self, key: &str, now: Timestamp) -> Result<Option<Vec<u8>>, VaultError> {
        let sealed = self.store.take_kept(&self.merchant, self.adapter, key, now).await?;
        sealed.map(|sealed| self.open(key, &sealed)).transpose()
    }

    /// All that is kept under keys that begin with `prefix`, in their order; each by its key, opened as far as it can be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn under(
        &self,
        prefix: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, Result<Vec<u8>, VaultError>)>, StoreError> {
        let all = self.store.kept_under(&self.merchant, self.adapter, prefix, now).await?;
        let open = |(key, sealed): (String, Vec<u8>)| {
            let opened = self.open(&key, &sealed);
            (key, opened)
        };
        Ok(all.into_iter().map(open).collect())
    }

    fn open(&self, key: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let sealed = self.ring.open(&self.at(key), sealed);
        sealed.map_err(|CannotOpen| VaultError::Sealed { adapter: self.adapter, key: key.to_owned() })
    }

    fn at(&self, key: &str) -> String {
        format!("{}/kept/{}/{key}", self.merchant.as_str(), self.adapter)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("adapter", &self.adapter).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::model::Model;
    use crate::contract::script::whole;
    use crate::contract::seeded::Seeded;

    const NOW: Timestamp = Timestamp::from_secs(1_795_372_200);

    fn vault(store: &Arc<Model>, key: u8, merchant: &str, adapter: &'static str) -> Vault {
        let ring = KeyRing::new([(1, [key; 32])]).unwrap();
        Vault::new(store.clone(), ring, Box::new(Seeded::new(1)), MerchantId::new(merchant), adapter)
    }

    #[test]
    fn the_store_holds_nothing_that_can_be_read_or_moved() {
        whole(async {
            let model = Arc::new(Model::new());
            let (ours, name) = (vault(&model, 7, "default", "slack"), MerchantId::new("default"));
            ours.keep("install/T1", b"xoxb-secret", None).await.unwrap();
            let sealed = model.kept(&name, "slack", "install/T1", NOW).await.unwrap().unwrap();
            assert!(!sealed.windows(4).any(|window| window == b"xoxb"), "{sealed:?}");
            assert_eq!(ours.kept("install/T1", NOW).await.unwrap(), Some(b"xoxb-secret".to_vec()));
            // Its bytes under another key, of another adapter, of another merchant, with another ring.
            model.keep(&name, "slack", "install/T2", &sealed, None).await.unwrap();
            assert!(matches!(ours.kept("install/T2", NOW).await, Err(VaultError::Sealed { .. })));
            let all = ours.under("install/", NOW).await.unwrap();
            let opens: Vec<_> = all.iter().map(|(key, opened)| (key.as_str(), opened.is_ok())).collect();
            assert_eq!(opens, [("install/T1", true), ("install/T2", false)], "one that is damaged hides no other");
            model.keep(&name, "discord", "install/T1", &sealed, None).await.unwrap();
            assert!(vault(&model, 7, "default", "discord").kept("install/T1", NOW).await.is_err());
            let other = MerchantId::new("other");
            model.keep(&other, "slack", "install/T1", &sealed, None).await.unwrap();
            assert!(vault(&model, 7, "other", "slack").kept("install/T1", NOW).await.is_err());
            assert!(vault(&model, 8, "default", "slack").kept("install/T1", NOW).await.is_err());
        });
    }

    #[test]
    fn what_is_kept_expires_is_listed_and_is_taken_once() {
        whole(async {
            let ours = vault(&Arc::new(Model::new()), 7, "default", "slack");
            ours.keep("state/b", b"2", Some(NOW)).await.unwrap();
            ours.keep("state/a", b"1", None).await.unwrap();
            let earlier = NOW.before(std::time::Duration::from_secs(1));
            let under = async |now| {
                let all = ours.under("state/", now).await.unwrap();
                all.into_iter().map(|(_, opened)| opened.unwrap()).collect::<Vec<_>>()
            };
            assert_eq!(under(earlier).await, [b"1".to_vec(), b"2".to_vec()]);
            assert_eq!(under(NOW).await, [b"1".to_vec()]);
            assert_eq!(ours.take("state/a", NOW).await.unwrap(), Some(b"1".to_vec()));
            assert_eq!(ours.take("state/a", NOW).await.unwrap(), None);
        });
    }
}
