//! How a fake is set up: accounts, keys, and where events go.

use std::collections::BTreeSet;

/// Everything that is fixed before the first call.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The platform and the accounts connected to it.
    pub accounts: Vec<AccountSet>,
    /// Which of the accounts is the platform.
    pub platform: usize,
    /// Keys of the API.
    pub keys: Vec<Key>,
    /// Whether this is live mode: ids begin `cs_live_`.
    pub livemode: bool,
    /// Where payers reach the hosted page, without a trailing slash.
    pub public_url: String,
    /// Webhook endpoints of the platform that are there from the start.
    pub endpoints: Vec<Endpoint>,
}

/// One account.
#[derive(Clone, Debug)]
pub struct AccountSet {
    /// `acct_…`.
    pub id: String,
    /// ISO 3166, upper case: `DE`.
    pub country: String,
    /// Lower case: `eur`.
    pub default_currency: String,
}

/// One API key.
#[derive(Clone, Debug)]
pub struct Key {
    /// `sk_test_…`, `rk_live_…`.
    pub secret: String,
    /// The account it belongs to.
    pub account: String,
    /// What it may do.
    pub grants: Grants,
}

/// What a key may do.
#[derive(Clone, Debug)]
pub enum Grants {
    /// Everything: a secret key.
    All,
    /// These permissions: a restricted key. `rak_…_write` includes `rak_…_read`.
    Only(BTreeSet<String>),
}

/// One webhook endpoint of the platform.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where events are posted.
    pub url: String,
    /// `whsec_…`; each of them signs, as while a secret is rolled.
    pub secrets: Vec<String>,
    /// The version that event envelopes name; none for the account's.
    pub api_version: Option<String>,
    /// Kinds of events, or `*`.
    pub events: Vec<String>,
    /// Whether it gets the events of connected accounts instead of the platform's own.
    pub connect: bool,
}

impl Settings {
    /// One German account with one secret key, in test mode, without endpoints.
    pub fn test() -> Self {
        let account = "acct_1TillShopAAAAAAA".to_owned();
        Self {
            accounts: vec![AccountSet { id: account.clone(), country: "DE".into(), default_currency: "eur".into() }],
            platform: 0,
            keys: vec![Key { secret: "sk_test_51TillShopSecret".into(), account, grants: Grants::All }],
            livemode: false,
            public_url: "http://stripe.test".into(),
            endpoints: Vec::new(),
        }
    }

    /// With one more endpoint, which gets every event of the platform's own.
    #[must_use]
    pub fn endpoint(mut self, url: &str, secrets: &[&str]) -> Self {
        self.endpoints.push(Endpoint {
            url: url.to_owned(),
            secrets: secrets.iter().map(|&secret| secret.to_owned()).collect(),
            api_version: None,
            events: vec!["*".into()],
            connect: false,
        });
        self
    }

    /// With one more restricted key of the platform.
    #[must_use]
    pub fn restricted(mut self, secret: &str, grants: &[&str]) -> Self {
        let account = self.accounts[self.platform].id.clone();
        let grants = Grants::Only(grants.iter().map(|&grant| grant.to_owned()).collect());
        self.keys.push(Key { secret: secret.to_owned(), account, grants });
        self
    }

    /// With one more account, connected to the platform.
    #[must_use]
    pub fn connected(mut self, id: &str, country: &str, default_currency: &str) -> Self {
        let (country, default_currency) = (country.to_owned(), default_currency.to_owned());
        self.accounts.push(AccountSet { id: id.to_owned(), country, default_currency });
        self
    }

    pub(crate) fn mode(&self) -> &'static str {
        if self.livemode { "live" } else { "test" }
    }
}
