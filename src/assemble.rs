//! Puts the parts together: the only module that names an adapter.
//!
//! Adding a provider or a chat platform touches its own folder, one dependency, one block of configuration, and the
//! line here that makes it.

#[cfg(not(feature = "slack"))]
pub mod no_slack;
#[cfg(feature = "slack")]
pub mod slack;
#[cfg(not(feature = "slack"))]
pub use no_slack as slack;

use crate::accounts::{BadAccount, Reread, Source};
use crate::client::Client;
use crate::clock::{Clock, SystemEntropy};
use crate::config::{BadConfig, Config};
use crate::desk::Desk;
#[cfg(feature = "web")]
use crate::http::ClientAddr;
use crate::http::Door;
use crate::inbox::hints::{self, Hints};
use crate::keyring::{self, BadKeys};
use crate::traffic::{Foreign, Heard, Reads};
use crate::world::{Accounts, At, Bells, Counts, LinkMode, Merchant, Pace, World};
use axum::Router;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
#[cfg(feature = "web")]
use till_core::id::Entropy as _;
use till_core::id::{AccountId, MerchantId};
use till_core::port::chat::Chat;
use till_core::port::http::Http;
use till_core::port::psp::{Access, AccountSettings, Psp};
use till_core::port::store::{AccountRow, Store, StoreError};
use till_core::time::Timestamp;
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
    /// An account at a provider.
    #[error(transparent)]
    Account(#[from] BadAccount),
    /// A provider that this program does not know.
    #[error("there is no provider `{name}` in this program, which was built with: {built}")]
    UnknownProvider {
        /// What was written.
        name: String,
        /// Those that are built in.
        built: String,
    },
    /// There is no provider.
    #[error(
        "there is no account at a provider: add one with `till account add PSP ID --key env:NAME`, set `enabled = true` \
         under [sandbox] in till.toml, or try `till demo`"
    )]
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
    /// None in the demo, which knows no account but its own.
    source: Option<Source>,
    /// How often everything is compared with the providers; zero for never.
    compare: Duration,
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

/// Opens the database where there is one; makes none.
///
/// # Errors
/// As [`rows`].
pub async fn rows_if_there(config: &Config) -> Result<Option<Rows>, StartError> {
    if config.store.path.exists() { rows(config).await.map(Some) } else { Ok(None) }
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
    let kept = match front {
        Front::Public => rows.store.accounts(&merchant.id).await?,
        Front::Demo(_) => Vec::new(),
    };
    let accounts = Accounts::new(accounts(config, kept)?);
    #[cfg_attr(not(any(feature = "web", feature = "slack")), expect(unused_mut))]
    let mut chats: BTreeMap<&'static str, Arc<dyn Chat>> = BTreeMap::new();
    #[cfg_attr(not(any(feature = "web", feature = "slack")), expect(unused_mut))]
    let mut routes = Router::new();
    #[cfg(feature = "web")]
    let web = config.web.enabled.then(|| web(config, front, &merchant, &accounts, &rows, &clock)).transpose()?;
    #[cfg(feature = "web")]
    if let Some(web) = &web {
        chats.insert(web.name(), web.clone());
        routes = routes.merge(web.router());
    }
    #[cfg(not(feature = "web"))]
    if config.web.enabled {
        return Err(StartError::NotBuilt("web"));
    }
    let http: Arc<dyn Http> = Arc::new(Client::new()?);
    if config.slack.enabled && *front == Front::Public {
        #[cfg(feature = "slack")]
        {
            let slack = slack::open(config, &slack::Around::of(&merchant, &rows, &ring, &http, &clock))?;
            routes = routes.merge(slack.router());
            chats.insert(slack.name(), slack);
        }
        #[cfg(not(feature = "slack"))]
        return Err(StartError::NotBuilt("slack"));
    }
    let now = clock();
    let world = World {
        merchant,
        accounts,
        chats,
        store: rows.store.clone(),
        http,
        ring,
        grammar: config.grammar()?,
        tongues: config.tongues()?,
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
        reads: Reads::full(now),
        hints: Hints::new(now, hints::sleep),
        foreign: Foreign::default(),
        heard: Heard::default(),
        began: now,
    };
    Ok(Assembled {
        world: Arc::new(world),
        routes,
        #[cfg(feature = "web")]
        web,
        rows,
        source: (*front == Front::Public).then(|| source(config)).transpose()?,
        compare: Duration::from_secs(config.reconciler.compare_s),
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
        let web = web(config, &Front::Public, &merchant, &Accounts::new(Vec::new()), rows, &clock)?;
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

/// The adapter of a provider, by the name in `/hooks/{psp}/…` and in `till account add`.
///
/// # Errors
/// [`StartError::UnknownProvider`] names those that are built in.
pub fn adapter(name: &str) -> Result<Arc<dyn Psp>, StartError> {
    let all: &[Arc<dyn Psp>] = &[
        #[cfg(feature = "sandbox")]
        Arc::new(till_sandbox::Sandbox),
        #[cfg(feature = "sandbox")]
        Arc::new(till_sandbox::Difficult),
        #[cfg(feature = "stripe")]
        Arc::new(till_stripe::Stripe),
    ];
    let built = || match all.iter().map(|psp| psp.name()).collect::<Vec<_>>() {
        none if none.is_empty() => "none".to_owned(),
        names => names.join(", "),
    };
    let found = all.iter().find(|psp| psp.name() == name).cloned();
    found.ok_or_else(|| StartError::UnknownProvider { name: name.to_owned(), built: built() })
}

/// Makes a webhook endpoint at Stripe; gives its id and its signing secret, which is not shown again.
///
/// # Errors
/// [`StartError`]: Stripe is not built in, or refused; the text is for the host.
pub async fn stripe_webhook(http: &dyn Http, at: &At, url: &str) -> Result<(String, SecretString), StartError> {
    #[cfg(feature = "stripe")]
    {
        let made = till_stripe::make_webhook(http, &at.account, url).await;
        let made =
            made.map_err(|fault| StartError::Typed(format!("no endpoint is known to be made at Stripe: {fault}")))?;
        Ok((made.id, made.secret))
    }
    #[cfg(not(feature = "stripe"))]
    {
        let _ = (http, at, url);
        Err(StartError::NotBuilt("stripe"))
    }
}

/// Where accounts come from beside the rows: `[sandbox]` in till.toml.
///
/// # Errors
/// [`BadConfig`]: an amount there is none.
pub fn source(config: &Config) -> Result<Source, BadConfig> {
    let sandbox = &config.sandbox;
    // The difficult character signs nothing, so it has no secret that would have to be there.
    let (psp, webhook_secrets) = match sandbox.difficult {
        false => ("sandbox", vec![sandbox.webhook_secret.clone()]),
        true => ("sandbox-difficult", Vec::new()),
    };
    let settings = AccountSettings { authenticate_from: config.authenticate_from()?, ..AccountSettings::default() };
    let row = || AccountRow {
        id: AccountId::new("sandbox"),
        psp: psp.into(),
        base_url: sandbox.base_url.clone(),
        api_key: sandbox.api_key.clone(),
        provider_account: sandbox.account.clone(),
        access: Access::Own,
        livemode: false,
        webhook_secrets: webhook_secrets.clone(),
        settings: settings.clone(),
        since: Timestamp::default(),
        chosen_at: Timestamp::default(),
        closed: None,
    };
    Ok(Source {
        configured: sandbox.enabled.then(row).into_iter().collect(),
        adapter,
        every: Duration::from_secs(config.accounts.reload_s.max(1)),
    })
}

/// The provider's name for an account that was added without one.
pub fn usual_provider_account(config: &Config, psp: &str) -> String {
    match psp {
        "sandbox" | "sandbox-difficult" => config.sandbox.account.clone(),
        _ => String::new(),
    }
}

/// The merchant's accounts with their secrets read: the rows, then `[sandbox]` in till.toml.
///
/// # Errors
/// [`StartError`]: there is none, a secret cannot be read, or a provider is not built in.
pub fn accounts(config: &Config, rows: Vec<AccountRow>) -> Result<Vec<At>, StartError> {
    let source = source(config)?;
    if source.configured.is_empty() && rows.is_empty() {
        return Err(StartError::NoProvider);
    }
    Ok(source.start(rows)?)
}

/// How Slack reaches Till.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlackWay {
    /// Through sockets that Till opens.
    Socket,
    /// At `http.public_url`.
    Http,
}

/// What a Slack app may do beyond what cards need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlackExtras {
    /// Read plain messages for commands.
    pub keywords: bool,
    /// Read channels to find a card whose post had no clear answer.
    pub history: bool,
    /// Read messages for what should not stand in a chat, and take it away.
    pub guard: bool,
}

#[cfg(feature = "web")]
fn web(
    config: &Config,
    front: &Front,
    merchant: &Merchant,
    accounts: &Accounts,
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
        mode: {
            let accounts = accounts.clone();
            Arc::new(move || accounts.mode())
        },
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
        if let Some(source) = self.source.clone() {
            all.spawn(crate::run::rereads(self.world.clone(), Reread::new(source), stop.clone()));
        }
        if !self.compare.is_zero() {
            all.spawn(crate::run::compares(self.world.clone(), self.compare, stop.clone()));
        }
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
        #[cfg_attr(not(feature = "web"), expect(unused_mut))]
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
    /// Where its difficult character sends unsigned hints.
    pub hints: Option<String>,
    /// Whether its control page is there, where whoever sits at this computer plays the bank.
    pub control: bool,
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
            hints: settings.hints,
            control: settings.control,
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
