//! Puts the parts together: the only file that names an adapter.
//!
//! Adding a provider or a chat platform touches its own folder, one dependency, one block of configuration, and the
//! line here that makes it.

use crate::client::Client;
use crate::clock::{Clock, SystemEntropy};
use crate::config::{BadConfig, Config, secret};
use crate::desk::Desk;
use crate::http::{ClientAddr, Door};
use crate::keyring::{self, BadKeys};
use crate::world::{Accounts, At, Bells, Counts, LinkMode, Merchant, Pace, World};
use axum::Router;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use till_core::card::Mode;
use till_core::id::{AccountId, Entropy, MerchantId};
use till_core::port::chat::Chat;
use till_core::port::psp::{Access, Account, AccountSettings};
use till_core::port::store::{Store, StoreError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Till cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] BadConfig),
    /// The key ring.
    #[error(transparent)]
    Keys(#[from] BadKeys),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The HTTP client.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
    /// A port or file of the system.
    #[error("{what}: {source}")]
    System {
        /// What was wanted.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Configured, and left out of this build.
    #[error("`{0}` is configured and not built into this program: build it with `--features {0}`")]
    NotBuilt(&'static str),
    /// There is no provider.
    #[error("no provider is configured: set `enabled = true` under [sandbox], or run `till demo`")]
    NoProvider,
    /// What was typed on the command line.
    #[error("{0}")]
    Typed(String),
    /// The sandbox provider.
    #[error("the sandbox cannot start: {0}")]
    Sandbox(String),
}

/// How the live chat is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Front {
    /// As configured, for the world.
    Public,
    /// On loopback, side by side in one page, at these origins.
    Demo(Vec<String>),
}

/// The one merchant, until several are managed.
pub fn merchant_id() -> MerchantId {
    MerchantId::new("default")
}

/// Everything, put together and not yet running.
pub struct Assembled {
    /// What workers share.
    pub world: Arc<World>,
    /// What chats serve.
    pub routes: Router,
    #[cfg(feature = "web")]
    web: Option<Arc<till_web::Web>>,
    rows: Rows,
}

/// The database, with what only its adapter can do.
pub struct Rows {
    /// The store port.
    pub store: Arc<dyn Store>,
    #[cfg(feature = "sqlite")]
    sqlite: Arc<till_sqlite::Sqlite>,
}

/// Opens the database.
///
/// # Errors
/// [`StartError`]: not built in, or the file cannot be opened.
pub async fn rows(config: &Config) -> Result<Rows, StartError> {
    #[cfg(feature = "sqlite")]
    {
        let path = &config.store.path;
        make_folder_of(path)?;
        let sqlite = Arc::new(till_sqlite::Sqlite::open(path).await?);
        Ok(Rows { store: sqlite.clone(), sqlite })
    }
    #[cfg(not(feature = "sqlite"))]
    {
        let _ = config;
        Err(StartError::NotBuilt("sqlite"))
    }
}

/// Makes the folder that a file shall lie in.
#[cfg(any(feature = "sqlite", feature = "sandbox"))]
fn make_folder_of(file: &Path) -> Result<(), StartError> {
    let Some(folder) = file.parent() else { return Ok(()) };
    let what = format!("folder `{}`", folder.display());
    std::fs::create_dir_all(folder).map_err(|source| StartError::System { what, source })
}

impl Rows {
    /// Writes what is queued and closes the file.
    pub async fn close(self) {
        #[cfg(feature = "sqlite")]
        self.sqlite.close().await;
    }
}

/// Puts everything together.
///
/// # Errors
/// [`StartError`] says what to change.
pub async fn till(config: &Config, front: &Front, clock: Clock) -> Result<Assembled, StartError> {
    let rows = rows(config).await?;
    let ring = keyring::open(&config.keys.path)?;
    let merchant = merchant(config)?;
    let accounts = accounts(config)?;
    let Some(first) = accounts.first() else { return Err(StartError::NoProvider) };
    let mut chats: BTreeMap<&'static str, Arc<dyn Chat>> = BTreeMap::new();
    #[cfg_attr(not(feature = "web"), expect(unused_mut))]
    let mut routes = Router::new();
    #[cfg(feature = "web")]
    let web = config.web.enabled.then(|| web(config, front, &merchant, first.mode(), &rows, &clock)).transpose()?;
    #[cfg(feature = "web")]
    if let Some(web) = &web {
        chats.insert(web.name(), web.clone());
        routes = routes.merge(web.router());
    }
    #[cfg(not(feature = "web"))]
    if config.web.enabled {
        return Err(StartError::NotBuilt("web"));
    }
    let world = World {
        merchant,
        accounts: Accounts::new(accounts),
        chats,
        store: rows.store.clone(),
        http: Arc::new(Client::new()?),
        ring,
        grammar: config.grammar()?,
        links: links(config)?,
        pace: Pace {
            poll_min: Duration::from_secs(config.reconciler.poll_min_s.max(1)),
            poll_max: Duration::from_secs(config.reconciler.poll_max_s.max(config.reconciler.poll_min_s).max(1)),
            sweep: Duration::from_secs(config.reconciler.sweep_s.max(1)),
        },
        clock,
        entropy: Mutex::new(Box::new(SystemEntropy)),
        bells: Bells::default(),
        counts: Counts::default(),
    };
    Ok(Assembled {
        world: Arc::new(world),
        routes,
        #[cfg(feature = "web")]
        web,
        rows,
    })
}

/// A one-time path that lets a staff member in. Needs no provider and no running till.
///
/// # Errors
/// [`StartError`]: the live chat is not built in, or the store failed.
pub async fn invite(
    config: &Config,
    rows: &Rows,
    staff: &str,
    ttl: Duration,
    clock: Clock,
) -> Result<String, StartError> {
    #[cfg(feature = "web")]
    {
        let merchant = merchant(config)?;
        let web = web(config, &Front::Public, &merchant, Mode::Test, rows, &clock)?;
        Ok(web.invite(staff, ttl).await?)
    }
    #[cfg(not(feature = "web"))]
    {
        let _ = (config, rows, staff, ttl, clock);
        Err(StartError::NotBuilt("web"))
    }
}

fn merchant(config: &Config) -> Result<Merchant, BadConfig> {
    let (currency, locale) = (config.currency()?, config.locale()?);
    let limits = config.limits(currency, &locale)?;
    Ok(Merchant { id: merchant_id(), name: config.merchant.name.clone(), currency, limits, locale })
}

/// Whether links are ours or the provider's. In direct mode payers come back to `links.return_url`, or to our chat.
///
/// # Errors
/// [`BadConfig`]: there is no place for payers to come back to.
pub fn links(config: &Config) -> Result<LinkMode, BadConfig> {
    let (public_url, return_url) = (&config.http.public_url, &config.links.return_url);
    if !public_url.is_empty() {
        Ok(LinkMode::Ours(public_url.clone()))
    } else if !return_url.is_empty() {
        Ok(LinkMode::Direct { return_url: return_url.clone() })
    } else if config.web.enabled {
        Ok(LinkMode::Direct { return_url: format!("http://{}/chat", config.http.listen) })
    } else {
        let why = "set it, so that payers know where to go after paying, or set http.public_url".to_owned();
        Err(BadConfig::Value { key: "links.return_url", why })
    }
}

/// The merchant's accounts, with their secrets read.
///
/// # Errors
/// [`StartError`]: a secret is missing, or a provider is not built in.
pub fn accounts(config: &Config) -> Result<Vec<At>, StartError> {
    let sandbox = &config.sandbox;
    if !sandbox.enabled {
        return Ok(Vec::new());
    }
    #[cfg(feature = "sandbox")]
    {
        let account = Account {
            id: AccountId::new("sandbox"),
            base_url: sandbox.base_url.trim_end_matches('/').to_owned(),
            secret: secret("sandbox.api_key", &sandbox.api_key)?,
            provider_account: sandbox.account.clone(),
            livemode: false,
            webhook_secrets: vec![secret("sandbox.webhook_secret", &sandbox.webhook_secret)?],
            access: Access::Own,
            settings: AccountSettings::default(),
        };
        Ok(vec![At { account, psp: Arc::new(till_sandbox::Sandbox), closed: None }])
    }
    #[cfg(not(feature = "sandbox"))]
    Err(StartError::NotBuilt("sandbox"))
}

#[cfg(feature = "web")]
fn web(
    config: &Config,
    front: &Front,
    merchant: &Merchant,
    mode: Mode,
    rows: &Rows,
    clock: &Clock,
) -> Result<Arc<till_web::Web>, StartError> {
    use till_web::{Cookies, Embed, Origins, Settings, Web};
    let public = &config.http.public_url;
    let (origins, embed) = match front {
        Front::Demo(origins) => (Origins::Listed(origins.clone()), Embed::SameOrigin),
        Front::Public if public.is_empty() => (Origins::SameHost, Embed::Refused),
        Front::Public => (Origins::Listed(vec![public.clone()]), Embed::Refused),
    };
    let settings = Settings {
        merchant: merchant.id.clone(),
        merchant_name: merchant.name.clone(),
        origins,
        cookies: if public.starts_with("https://") { Cookies::Secure } else { Cookies::Plain },
        mode,
        embed,
        grammar: config.grammar()?,
        currency: merchant.currency.code().to_owned(),
        address: |extensions| extensions.get::<ClientAddr>().map(|client| client.0),
    };
    #[cfg(feature = "sqlite")]
    let transcript = rows.sqlite.clone();
    Ok(Web::new(
        settings,
        rows.store.clone(),
        transcript,
        clock.clone(),
        Arc::new(|bytes| SystemEntropy.fill(bytes)),
        merchant.locale.clone(),
    ))
}

impl Assembled {
    /// All routes, behind the door.
    pub fn router(&self, more: Router, door: Door) -> Router {
        crate::http::router(self.world.clone(), self.routes.clone().merge(more), door)
    }

    /// Starts the chats and the workers. They end when `stop` is cancelled.
    pub fn start(&self, stop: &CancellationToken) -> JoinSet<()> {
        let mut all = crate::run::workers(&self.world, stop);
        let desk = Arc::new(Desk::new(self.world.clone()));
        for chat in self.world.chats.values() {
            let (chat, desk, stop) = (chat.clone(), desk.clone(), stop.clone());
            all.spawn(async move {
                let name = chat.name();
                if let Err(error) = chat.listen(desk, Box::pin(stop.cancelled_owned())).await {
                    tracing::error!(chat = name, %error, "{name} cannot be listened to: {error}");
                }
            });
        }
        all
    }

    /// `Set-Cookie` values of a customer and a staff member, for the demo's two sides.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn both_sides(&self, staff: &str) -> Result<Vec<String>, StoreError> {
        let mut cookies = Vec::new();
        #[cfg(feature = "web")]
        if let Some(web) = &self.web {
            cookies.push(web.sign_in_visitor().await?.set_cookie);
            cookies.extend(web.sign_in_staff(staff).await?.map(|signed_in| signed_in.set_cookie));
        }
        let _ = staff;
        Ok(cookies)
    }

    /// Closes the database.
    pub async fn close(self) {
        self.rows.close().await;
    }
}

/// What a sandbox provider needs.
#[derive(Clone, Debug)]
pub struct SandboxSettings<'a> {
    /// Its own database file.
    pub db: &'a Path,
    /// How payers reach its pages, without a trailing slash.
    pub public_url: String,
    /// Its name for the account.
    pub account: String,
    /// The API key it accepts.
    pub api_key: SecretString,
    /// Where it sends webhooks, and the secret it signs them with.
    pub webhook: Option<(String, SecretString)>,
}

/// A sandbox provider: its routes, and the loop that sends webhooks and closes checkouts.
pub struct SandboxServer {
    /// Its routes.
    pub router: Router,
    /// Its loop; ends when told to stop.
    pub run: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// An error with what is behind it, in one line.
#[cfg(feature = "sandbox")]
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Opens a sandbox provider.
///
/// # Errors
/// [`StartError`]: not built in, or its database cannot be opened.
pub async fn sandbox(
    settings: SandboxSettings<'_>,
    clock: Clock,
    stop: CancellationToken,
) -> Result<SandboxServer, StartError> {
    #[cfg(feature = "sandbox")]
    {
        use till_sandbox_server::{Config, Server, Webhook};
        make_folder_of(settings.db)?;
        let config = Config {
            db: settings.db.to_owned(),
            public_url: settings.public_url,
            api_key: settings.api_key,
            account: settings.account,
            webhook: settings.webhook.map(|(url, secret)| Webhook { url, secret }),
        };
        let opened = Server::open(config, clock, Box::new(SystemEntropy)).await;
        let server = opened.map_err(|error| StartError::Sandbox(with_causes(&error)))?;
        let router = server.router();
        let run = async move {
            server.run(stop).await;
            server.close().await;
        };
        Ok(SandboxServer { router, run: Box::pin(run) })
    }
    #[cfg(not(feature = "sandbox"))]
    {
        let _ = (settings, clock, stop);
        Err(StartError::NotBuilt("sandbox"))
    }
}
