//! A merchant's account at a payment provider, as the row that the host of a till writes.
//!
//! ```text
//! till account add ─► AccountRow: where the secrets lie ─► the running till reads them ─► psp::Account
//! ```
//! Deliberately absent: a secret. A row says `env:NAME` or `file:PATH`; whoever reads the database learns no more.

use crate::id::AccountId;
use crate::port::psp::{Access, AccountSettings};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One of a merchant's accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Our name for it, unique per merchant; payments remember it for ever.
    pub id: AccountId,
    /// Which provider: [`Psp::name`](crate::port::psp::Psp::name).
    pub psp: String,
    /// The API, without a trailing slash; empty for the provider's own.
    pub base_url: String,
    /// Where the API key lies: `env:NAME` or `file:PATH`.
    pub api_key: String,
    /// The provider's name for the account: `acct_…`. Empty where the adapter needs none.
    pub provider_account: String,
    /// Whose key it is.
    pub access: Access,
    /// Whether real money moves.
    pub livemode: bool,
    /// Where the webhook signing secrets lie, newest first; several while one is being replaced.
    pub webhook_secrets: Vec<String>,
    /// What the merchant wants to be different there.
    pub settings: AccountSettings,
    /// When it was added.
    pub since: Timestamp,
    /// When it was last chosen for new payments; adding it counts.
    pub chosen_at: Timestamp,
    /// Set while it takes no new payments.
    pub closed: Option<Closing>,
}

/// Why an account takes no new payments. Payments that were made there are followed all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Since when.
    pub at: Timestamp,
    /// Why, in the host's words.
    pub why: String,
}
