//! The sandbox provider itself: a payment provider of two characters, with payment pages and webhooks, and no money.
//!
//! ```text
//! POST /v1/checkouts   GET /v1/checkouts[/{id}]   POST /v1/checkouts/{id}/expire     Bearer, Idempotency-Key
//! POST /v1/refunds     GET /v1/refunds            GET /v1/disputes     GET /v1/events?after=&limit=
//! GET, POST /pay/{id}  the page: test cards only, no number can be typed
//! GET, POST /control   what a bank or a dashboard does, by hand, on this computer; /control/act and /control/knobs by JSON
//! /d/…                 the difficult character, which has an API of its own
//! webhook  ◄── every event, signed (Standard Webhooks) or as a bare hint, until it answers 2xx or for three days
//! ```
//! It is strict where real providers are: it refuses lines that do not sum up, another body under a used key, more
//! refund than is left. What it answered survives `kill -9`: state, event and delivery are one transaction.
//!
//! Trouble is made only where a knob asks for it (see the module `knobs`).
//!
//! Deliberately absent: card numbers, and live mode.

mod acts;
mod api;
mod ask;
mod captures;
mod checkouts;
mod control;
mod control_page;
mod db;
mod decimal;
mod difficult;
mod difficult_ask;
mod disputes;
mod events;
mod foreign;
mod knobs;
mod object;
mod once;
mod page;
mod pay;
mod plain;
mod problem;
mod refunds;
mod webhooks;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::SqlitePool;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use till_core::id::{Entropy, random};
use till_core::signature;
use till_core::time::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Tells the present.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How the provider is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its database file; made when it is not there.
    pub db: PathBuf,
    /// Where payers reach it, without a trailing slash: `http://127.0.0.1:4242`.
    pub public_url: String,
    /// The one key of its API: `sk_test_…`.
    pub api_key: SecretString,
    /// What it calls the merchant: `acct_sandbox`.
    pub account: String,
    /// Where events go; none for a merchant who only lists them.
    pub webhook: Option<Webhook>,
    /// Where the difficult character's unsigned hints go: an absolute URL.
    pub hints: Option<String>,
    /// Whether the control page is there. Whoever sits at this computer, or has the key, plays the bank.
    pub control: bool,
}

/// Where events are delivered.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Absolute URL.
    pub url: String,
    /// `whsec_` and base64.
    pub secret: SecretString,
}

/// The provider cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A live key has no place here.
    #[error("the sandbox's API key must begin with `sk_test_`")]
    NotATestKey,
    /// The page or the webhook would not be reached.
    #[error("`{0}` is not an absolute http(s) URL")]
    BadUrl(String),
    /// Webhooks could not be signed.
    #[error(transparent)]
    BadSecret(#[from] signature::BadSecret),
    /// The database file cannot be opened.
    #[error("sandbox database `{path}`")]
    Database {
        /// The file.
        path: String,
        /// What SQLite says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No HTTP client for webhooks.
    #[error("no HTTP client for webhooks")]
    Client(#[source] reqwest::Error),
}

/// The provider, open. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Server(Arc<World>);

/// What every part of the server reaches.
struct World {
    config: Config,
    clock: Clock,
    entropy: Mutex<Box<dyn Entropy>>,
    /// One connection: whoever writes, writes alone.
    write: SqlitePool,
    read: SqlitePool,
    client: reqwest::Client,
    /// Something was committed that [`Server::run`] has to deliver.
    news: Notify,
    knobs: Mutex<knobs::Set>,
}

impl Server {
    /// Opens the database, makes its tables, and answers from then on.
    ///
    /// # Errors
    /// [`OpenError`]: the configuration or the file is wrong.
    pub async fn open(config: Config, clock: Clock, entropy: Box<dyn Entropy>) -> Result<Self, OpenError> {
        if !config.api_key.expose_secret().starts_with("sk_test_") {
            return Err(OpenError::NotATestKey);
        }
        http_url(&config.public_url)?;
        if let Some(webhook) = &config.webhook {
            http_url(&webhook.url)?;
            signature::sign(&webhook.secret, "try", clock(), b"")?;
        }
        if let Some(url) = &config.hints {
            http_url(url)?;
        }
        let (write, read) = db::open(&config.db).await.map_err(|source| {
            let path = config.db.display().to_string();
            OpenError::Database { path, source }
        })?;
        // A redirected webhook is a wrong address, and a proxy has no place between a provider and localhost.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = client.timeout(Duration::from_secs(5)).build().map_err(OpenError::Client)?;
        let (entropy, knobs) = (Mutex::new(entropy), Mutex::default());
        Ok(Self(Arc::new(World { config, clock, entropy, write, read, client, news: Notify::new(), knobs })))
    }

    /// The API, the pages and their style sheet.
    pub fn router(&self) -> axum::Router {
        let trouble = axum::middleware::from_fn_with_state(Arc::clone(&self.0), knobs::meet);
        let routes = api::routes().layer(trouble).merge(pay::routes());
        let routes = if self.0.config.control { routes.merge(control::routes()) } else { routes };
        routes.with_state(Arc::clone(&self.0))
    }

    /// Delivers events and closes checkouts at their time, until `stop`; then finishes the deliveries under way.
    ///
    /// Run it once per database.
    pub async fn run(&self, stop: CancellationToken) {
        webhooks::run(&self.0, stop).await;
    }

    /// Finishes what is being written and closes the file. What comes later is answered with 500.
    pub async fn close(&self) {
        self.0.write.close().await;
        self.0.read.close().await;
    }
}

impl World {
    /// The present, whatever a knob makes of it.
    fn real_now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A new id of a kind: 128 random bits, since whoever knows a checkout's id may pay it.
    fn id(&self, kind: &str) -> String {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{kind}_{}", hex::encode(random::<16>(&mut **entropy)))
    }
}

fn http_url(text: &str) -> Result<url::Url, OpenError> {
    url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| OpenError::BadUrl(text.to_owned()))
}
