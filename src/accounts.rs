//! A merchant's accounts at providers: added by the host, read by the running till, and read again without a restart.
//!
//! ```text
//! till account … ─► row: env:NAME, file:PATH ─► open: secrets read, adapter found ─► World.accounts
//!                      └── every `[accounts] reload_s`: rows and secrets again ─► replaced, where something changed
//! ```
//! What cannot be read again leaves the account as it was: a typing mistake stops no money. Deliberately absent: removing
//! an account, since payments remember theirs for ever.

use crate::assemble::StartError;
use crate::config::{BadSecret, read_secret};
use crate::world::{Accounts, At};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use till_core::id::{AccountId, MerchantId};
use till_core::port::psp::{Account, Psp};
use till_core::port::store::{AccountRow, Closing, Store, StoreError};
use till_core::time::Timestamp;

/// An account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadAccount {
    /// A secret cannot be read.
    #[error("account `{id}`: {source}")]
    Secret {
        /// Which account.
        id: AccountId,
        /// Why; never the secret.
        source: BadSecret,
    },
    /// The key is not one of this provider's, or of the other mode.
    #[error("account `{id}`: the key {why}")]
    Key {
        /// Which account.
        id: AccountId,
        /// What is wrong with it; never the key.
        why: &'static str,
    },
    /// Its provider is not built in.
    #[error("account `{id}`: {why}")]
    Provider {
        /// Which account.
        id: AccountId,
        /// What is built in.
        why: String,
    },
}

/// Where accounts come from, beside the rows of the store.
#[derive(Clone)]
pub struct Source {
    /// The accounts of till.toml; they come after the rows, and a row of the same id stands in for them.
    pub configured: Vec<AccountRow>,
    /// Finds the adapter of a provider.
    pub adapter: fn(&str) -> Result<Arc<dyn Psp>, StartError>,
    /// How often everything is read again.
    pub every: Duration,
}

impl Source {
    /// The rows, and after them what till.toml configures.
    pub fn all(&self, mut rows: Vec<AccountRow>) -> Vec<AccountRow> {
        let known = |row: &&AccountRow| !rows.iter().any(|known| known.id == row.id);
        let more: Vec<AccountRow> = self.configured.iter().filter(known).cloned().collect();
        rows.extend(more);
        rows
    }

    /// Every account with its secrets, for the start.
    ///
    /// # Errors
    /// [`BadAccount`] of the one that would take new payments; any other is left out, and logged.
    pub fn start(&self, rows: Vec<AccountRow>) -> Result<Vec<At>, BadAccount> {
        let mut all = Vec::new();
        for row in self.all(rows) {
            match self.open(&row) {
                Ok(at) => all.push(at),
                Err(bad) if row.closed.is_none() && !all.iter().any(|at: &At| at.closed.is_none()) => return Err(bad),
                Err(bad) => tracing::error!(account = %row.id, %bad, "{bad}; payments made there are not followed"),
            }
        }
        Ok(all)
    }

    /// One account with its secrets.
    ///
    /// # Errors
    /// [`BadAccount`]: a secret cannot be read, or the provider is not built in.
    pub fn open(&self, row: &AccountRow) -> Result<At, BadAccount> {
        let provider = |bad: StartError| BadAccount::Provider { id: row.id.clone(), why: bad.to_string() };
        let read =
            |place: &String| read_secret(place).map_err(|source| BadAccount::Secret { id: row.id.clone(), source });
        let psp = (self.adapter)(&row.psp).map_err(provider)?;
        let secret = read(&row.api_key)?;
        psp.suits(&secret, row.livemode).map_err(|why| BadAccount::Key { id: row.id.clone(), why })?;
        let base_url = if row.base_url.is_empty() { psp.base_url() } else { &row.base_url };
        let account = Account {
            id: row.id.clone(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            secret,
            provider_account: row.provider_account.clone(),
            livemode: row.livemode,
            webhook_secrets: row.webhook_secrets.iter().map(read).collect::<Result<_, _>>()?,
            since: row.since,
            access: row.access,
            settings: row.settings.clone(),
        };
        Ok(At { account, psp, closed: row.closed.as_ref().map(|closing| closing.why.clone()) })
    }
}

/// Reads accounts again, and remembers what it complained about.
pub struct Reread {
    source: Source,
    told: BTreeMap<AccountId, String>,
}

impl Reread {
    /// From this source.
    pub fn new(source: Source) -> Self {
        Self { source, told: BTreeMap::new() }
    }

    /// How long to wait between two steps.
    pub fn every(&self) -> Duration {
        self.source.every
    }

    /// Reads everything again and replaces the accounts where something changed. Says whether it did.
    ///
    /// # Errors
    /// [`StoreError`]: the accounts stay as they were.
    pub async fn step(
        &mut self,
        store: &dyn Store,
        merchant: &MerchantId,
        accounts: &Accounts,
    ) -> Result<bool, StoreError> {
        let rows = self.source.all(store.accounts(merchant).await?);
        let before = accounts.all();
        let now: Vec<At> = rows.iter().filter_map(|row| self.open_or_keep(row, &before)).collect();
        let changed = now.len() != before.len() || now.iter().zip(before.iter()).any(|(a, b)| !same(a, b));
        if changed {
            let names: Vec<&str> = now.iter().map(|at| at.account.id.as_str()).collect();
            tracing::info!("the accounts have changed, and are now: {}", names.join(", "));
            accounts.replace(now);
        }
        Ok(changed)
    }

    /// What cannot be opened keeps its credentials; whether it is closed is taken over all the same.
    fn open_or_keep(&mut self, row: &AccountRow, before: &[Arc<At>]) -> Option<At> {
        match self.source.open(row) {
            Ok(at) => {
                self.told.remove(&row.id);
                Some(at)
            }
            Err(bad) => {
                let why = bad.to_string();
                if self.told.get(&row.id) != Some(&why) {
                    tracing::error!(account = %row.id, "{why}; it stays as it was");
                    self.told.insert(row.id.clone(), why);
                }
                let known = before.iter().find(|at| at.account.id == row.id)?;
                let closed = row.closed.as_ref().map(|closing| closing.why.clone());
                Some(At { closed, ..At::clone(known) })
            }
        }
    }
}

/// Whether two readings of an account are one.
fn same(a: &At, b: &At) -> bool {
    let Account { id, base_url, secret, provider_account, livemode, webhook_secrets, since, access, settings } =
        &a.account;
    let other = &b.account;
    let exposed = |all: &[SecretString]| all.iter().map(|it| it.expose_secret().to_owned()).collect::<Vec<_>>();
    (&a.closed, a.psp.name(), id, base_url, provider_account) == {
        (&b.closed, b.psp.name(), &other.id, &other.base_url, &other.provider_account)
    } && (livemode, since, access, settings) == (&other.livemode, &other.since, &other.access, &other.settings)
        && secret.expose_secret() == other.secret.expose_secret()
        && exposed(webhook_secrets) == exposed(&other.webhook_secrets)
}

/// What `till account list` prints: places of secrets, never a secret.
pub fn list(rows: &[AccountRow]) -> String {
    let mut text = String::new();
    let for_new = rows.iter().find(|row| row.closed.is_none()).map(|row| &row.id);
    for row in rows {
        let state = match &row.closed {
            Some(Closing { at, why }) => format!("closed since {}: {why}", at.text()),
            None if for_new == Some(&row.id) => "takes new payments".to_owned(),
            None => "open, in reserve".to_owned(),
        };
        let _ = writeln!(text, "{:<20} {:<10} {}  {state}", row.id.as_str(), row.psp, mode(row));
        for (label, value) in details(row) {
            let _ = writeln!(text, "    {label:<17} {value}");
        }
    }
    if text.is_empty() {
        text.push_str("No accounts yet. Add one: till account add PSP ID --key env:NAME\n");
    }
    text
}

/// `TEST` or `live`.
pub fn mode(row: &AccountRow) -> &'static str {
    if row.livemode { "live" } else { "TEST" }
}

fn details(row: &AccountRow) -> Vec<(&'static str, String)> {
    let settings = &row.settings;
    let amounts: Vec<String> = settings.authenticate_from.iter().map(ToString::to_string).collect();
    let secrets = if row.webhook_secrets.is_empty() { "none".to_owned() } else { row.webhook_secrets.join(", ") };
    let access = match row.access {
        till_core::port::psp::Access::Own => "",
        till_core::port::psp::Access::Connected => " (by a platform's key)",
    };
    let provider_account = format!("{}{access}", row.provider_account);
    let all = [
        ("key", row.api_key.clone()),
        ("webhook secrets", secrets),
        ("provider account", provider_account),
        ("base URL", row.base_url.clone()),
        ("without methods", settings.without_methods.join(", ")),
        ("authenticate from", amounts.join(", ")),
        ("descriptor suffix", settings.descriptor_suffix.clone().unwrap_or_default()),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// The time at which `id` comes before all others.
pub fn chosen_now(rows: &[AccountRow], now: Timestamp) -> Timestamp {
    let newest = rows.iter().map(|row| row.chosen_at.after(Duration::from_millis(1))).max();
    newest.map_or(now, |after| after.max(now))
}
