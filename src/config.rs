//! The configuration of this process: `till.toml`, every key with its default, and the environment over it.
//!
//! `config/till.toml` is the reference; a test holds it against these defaults. `TILL__HTTP__LISTEN` overrides
//! `listen` in `[http]`, and so on. A key that is not known is refused. Secrets stand elsewhere: `env:NAME` or
//! `file:PATH` says where.

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use till_core::command::Grammar;
use till_core::money::{BadMoney, Currency, Money, Reading};
use till_core::payment::Limits;
use till_core::text::{BadTexts, Locale, Texts, Tongues};

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The HTTP server.
    pub http: HttpConfig,
    /// The database.
    pub store: StoreConfig,
    /// The key ring.
    pub keys: KeysConfig,
    /// The log.
    pub log: LogConfig,
    /// Who gets the money.
    pub merchant: MerchantConfig,
    /// Limits of money out.
    pub refunds: RefundsConfig,
    /// `[requests]`
    pub requests: RequestsConfig,
    /// How commands begin.
    pub commands: CommandsConfig,
    /// Where cards lead.
    pub links: LinksConfig,
    /// Sentences of your own.
    pub locales: LocalesConfig,
    /// Finding out without webhooks.
    pub reconciler: ReconcilerConfig,
    /// Accounts at providers.
    pub accounts: AccountsConfig,
    /// Till's own live chat.
    pub web: WebConfig,
    /// Slack.
    pub slack: SlackConfig,
    /// The provider that moves no money.
    pub sandbox: SandboxConfig,
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where to listen; TLS is the proxy's in front.
    pub listen: SocketAddr,
    /// How the world reaches it, without a trailing slash; https. Empty: cards link straight to the provider.
    pub public_url: String,
    /// Where the operator looks; loopback. Empty: nowhere.
    pub admin: String,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: String::new(),
            admin: "127.0.0.1:8081".into(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// `[store]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The SQLite file.
    pub path: PathBuf,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: "till-data/till.db".into() }
    }
}

/// `[keys]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// The key ring; made at the first start, readable by its owner alone.
    pub path: PathBuf,
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self { path: "till-data/keys.json".into() }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `error`, `warn`, `info`, `debug`, or by part: `info,till=debug`.
    pub level: String,
    /// Text for people, JSON for machines.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// `[merchant]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MerchantConfig {
    /// What payers see.
    pub name: String,
    /// Meant when no currency is written.
    pub currency: String,
    /// Language and number format.
    pub locale: String,
}

impl Default for MerchantConfig {
    fn default() -> Self {
        Self { name: "My shop".into(), currency: "EUR".into(), locale: "en".into() }
    }
}

/// `[refunds]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefundsConfig {
    /// What one person may refund at once, per currency.
    pub alone_max: Vec<String>,
    /// What one person may refund in a day.
    pub person_day_max: Vec<String>,
    /// What all staff may refund in a day.
    pub merchant_day_max: Vec<String>,
}

/// `[requests]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestsConfig {
    /// What one person may ask for alone, per currency.
    pub alone_max: Vec<String>,
}

/// `[commands]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommandsConfig {
    /// What commands begin with; the first one is shown.
    pub prefixes: Vec<String>,
    /// The word that asks for money.
    pub pay: String,
    /// The word for everything else.
    pub till: String,
}

impl Default for CommandsConfig {
    fn default() -> Self {
        Self { prefixes: vec!["/".into()], pay: "pay".into(), till: "till".into() }
    }
}

/// `[links]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinksConfig {
    /// Where payers land after the provider's page, when `http.public_url` is empty. Empty: the live chat.
    pub return_url: String,
}

/// `[locales]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalesConfig {
    /// A directory of `<language>.ftl` files laid over the built-in ones. Empty: none.
    pub dir: String,
}

/// `[reconciler]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcilerConfig {
    /// Seconds between two looks at a fresh payment; grows with its age.
    pub poll_min_s: u64,
    /// Seconds between two looks at an old one.
    pub poll_max_s: u64,
    /// Seconds between two looks at the provider's event list.
    pub sweep_s: u64,
    /// Seconds between two comparisons of every payment with the provider; 0 for never.
    pub compare_s: u64,
}

impl Default for ReconcilerConfig {
    fn default() -> Self {
        Self { poll_min_s: 60, poll_max_s: 3600, sweep_s: 60, compare_s: 86_400 }
    }
}

/// `[accounts]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountsConfig {
    /// Seconds between two readings of accounts and their secrets.
    pub reload_s: u64,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self { reload_s: 5 }
    }
}

/// `[web]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Whether the live chat is served.
    pub enabled: bool,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `[slack]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlackConfig {
    /// Whether Till talks in Slack.
    pub enabled: bool,
    /// The bot's token, as `env:NAME` or `file:PATH`: one workspace. Not read where `client_id` is set.
    pub bot_token: String,
    /// The app's client id: every workspace that adds Till. Empty: one workspace.
    pub client_id: String,
    /// The app's client secret, as `env:NAME` or `file:PATH`.
    pub client_secret: String,
    /// The app's token, as `env:NAME` or `file:PATH`: Socket Mode. Empty: none.
    pub app_token: String,
    /// A user token of an administrator, as `env:NAME` or `file:PATH`: takes away what people wrote. Empty: none.
    pub admin_token: String,
    /// The app's signing secret, as `env:NAME` or `file:PATH`: what Slack posts to `/slack/…`. Empty: nothing is heard.
    pub signing_secret: String,
    /// How many sockets are open at once, up to ten.
    pub connections: usize,
    /// Whether plain messages are read for commands.
    pub keywords: bool,
    /// The Web API.
    pub api_url: String,
}

impl Default for SlackConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            bot_token: "env:SLACK_BOT_TOKEN".into(),
            client_id: String::new(),
            client_secret: "env:SLACK_CLIENT_SECRET".into(),
            app_token: "env:SLACK_APP_TOKEN".into(),
            admin_token: String::new(),
            signing_secret: String::new(),
            connections: 2,
            keywords: false,
            api_url: "https://slack.com/api".into(),
        }
    }
}

/// `[sandbox]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// Whether payments go to the sandbox.
    pub enabled: bool,
    /// Its API.
    pub base_url: String,
    /// Its name for our account.
    pub account: String,
    /// Its API key, as `env:NAME` or `file:PATH`.
    pub api_key: String,
    /// Its webhook signing secret, as `env:NAME` or `file:PATH`.
    pub webhook_secret: String,
    /// Whether it is spoken to as the difficult character.
    pub difficult: bool,
    /// From these amounts on the payer is always authenticated.
    pub authenticate_from: Vec<String>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            base_url: "http://127.0.0.1:8790".into(),
            account: "acct_sandbox".into(),
            api_key: "env:TILL_SANDBOX_KEY".into(),
            webhook_secret: "env:TILL_SANDBOX_WEBHOOK_SECRET".into(),
            difficult: false,
            authenticate_from: Vec::new(),
        }
    }
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    /// The file or the environment does not fit.
    #[error("{0}")]
    Shape(Box<figment::Error>),
    /// The file is not there.
    #[error("there is no `{0}`; copy `config/till.toml`, or leave `--config` out to run with the defaults")]
    NoFile(PathBuf),
    /// A value does not fit.
    #[error("`{key}` in till.toml: {why}")]
    Value {
        /// The key with its section.
        key: &'static str,
        /// What does not fit, and what would.
        why: String,
    },
}

impl BadConfig {
    fn value(key: &'static str, why: impl Into<String>) -> Self {
        Self::Value { key, why: why.into() }
    }
}

impl Config {
    /// Reads `path`, or `till.toml` in this directory where it is, or else the defaults; then the environment.
    ///
    /// # Errors
    /// [`BadConfig`] names the key and what would fit.
    pub fn read(path: Option<&Path>) -> Result<Self, BadConfig> {
        if let Some(path) = path.filter(|path| !path.is_file()) {
            return Err(BadConfig::NoFile(path.to_owned()));
        }
        let usual = Path::new("till.toml");
        let file = path.or_else(|| usual.is_file().then_some(usual));
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let figment = figment.merge(Env::prefixed("TILL__").split("__"));
        let config: Self = figment.extract().map_err(|error| BadConfig::Shape(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    /// Whether every value can be used; what is computed from it is thrown away.
    fn check(&self) -> Result<(), BadConfig> {
        let locale = self.locale()?;
        self.grammar()?;
        self.limits(self.currency()?, &locale)?;
        self.links_check()
    }

    fn links_check(&self) -> Result<(), BadConfig> {
        let url = &self.http.public_url;
        if !url.is_empty() {
            let parsed =
                url::Url::parse(url).map_err(|error| BadConfig::value("http.public_url", error.to_string()))?;
            let local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            if parsed.scheme() != "https" && !(parsed.scheme() == "http" && local) {
                return Err(BadConfig::value("http.public_url", "must begin with `https://`: payers open it"));
            }
            if url.ends_with('/') || parsed.path() != "/" {
                return Err(BadConfig::value(
                    "http.public_url",
                    "must end with the host or port, like `https://pay.example.com`",
                ));
            }
        }
        let url = &self.links.return_url;
        if !url.is_empty() && url::Url::parse(url).is_err() {
            return Err(BadConfig::value("links.return_url", "must be a URL, like `https://shop.example.com/thanks`"));
        }
        Ok(())
    }

    /// The merchant's own currency.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn currency(&self) -> Result<Currency, BadConfig> {
        Currency::parse(&self.merchant.currency).map_err(|bad| BadConfig::value("merchant.currency", bad.to_string()))
    }

    /// The merchant's language, with the host's own sentences.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn locale(&self) -> Result<Locale, BadConfig> {
        Ok(self.tongues()?.own().clone())
    }

    /// The merchant's language, and all those that people may read instead.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn tongues(&self) -> Result<Tongues, BadConfig> {
        let bad = |error: BadTexts| BadConfig::value("locales.dir", error.to_string());
        let mut texts = Texts::embedded().map_err(bad)?;
        if !self.locales.dir.is_empty() {
            let unreadable = |error: std::io::Error| BadConfig::value("locales.dir", error.to_string());
            let mut files: Vec<PathBuf> = std::fs::read_dir(&self.locales.dir)
                .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
                .map_err(unreadable)?;
            files.retain(|path| path.extension().is_some_and(|ending| ending == "ftl"));
            files.sort();
            for path in files {
                let tag = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                texts.add(tag, &std::fs::read_to_string(&path).map_err(unreadable)?).map_err(bad)?;
            }
        }
        let none = || BadConfig::value("merchant.locale", "there is no such language");
        let own = texts.locale(&self.merchant.locale).ok_or_else(none)?;
        Ok(Tongues::new(texts, own))
    }

    /// How commands begin.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn grammar(&self) -> Result<Grammar, BadConfig> {
        let words = &self.commands;
        Grammar::new(words.prefixes.clone(), &words.pay, &words.till)
            .map_err(|bad| BadConfig::value("commands", bad.to_string()))
    }

    /// From these amounts on, payers at the sandbox are always authenticated.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn authenticate_from(&self) -> Result<Vec<Money>, BadConfig> {
        let (own, locale) = (self.currency()?, self.locale()?);
        amounts("sandbox.authenticate_from", &self.sandbox.authenticate_from, &Reading { own, locale: &locale })
    }

    /// Limits of money out.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn limits(&self, own: Currency, locale: &Locale) -> Result<Limits, BadConfig> {
        let read = |key, all: &[String]| amounts(key, all, &Reading { own, locale });
        Ok(Limits {
            ask_alone: read("requests.alone_max", &self.requests.alone_max)?,
            refund_alone: read("refunds.alone_max", &self.refunds.alone_max)?,
            refund_person_day: read("refunds.person_day_max", &self.refunds.person_day_max)?,
            refund_merchant_day: read("refunds.merchant_day_max", &self.refunds.merchant_day_max)?,
        })
    }
}

/// Amounts, one per line of a list.
fn amounts(key: &'static str, all: &[String], reading: &Reading<'_>) -> Result<Vec<Money>, BadConfig> {
    let bad = |bad: BadMoney| BadConfig::value(key, bad.to_string());
    all.iter().map(|text| Money::read(text, reading).map_err(bad)).collect()
}

/// A secret cannot be read from its place. Never says the secret.
#[derive(Debug, thiserror::Error)]
pub enum BadSecret {
    /// There is no such variable, or it is not text.
    #[error("the environment has no `{0}`")]
    NotSet(String),
    /// The file cannot be read.
    #[error("`{path}`: {source}")]
    File {
        /// Which.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Neither `env:` nor `file:`; it may be the secret itself.
    #[error("a secret does not stand in the file: write `env:NAME` or `file:PATH`")]
    WrittenOut,
    /// There is nothing in it.
    #[error("the secret in `{0}` is empty")]
    Empty(String),
}

/// Fetches a secret from where the configuration says it is.
///
/// # Errors
/// [`BadConfig`] names the key; never the secret.
pub fn secret(key: &'static str, place: &str) -> Result<SecretString, BadConfig> {
    read_secret(place).map_err(|bad| BadConfig::value(key, bad.to_string()))
}

/// Fetches a secret from its place: `env:NAME` or `file:PATH`.
///
/// # Errors
/// [`BadSecret`].
pub fn read_secret(place: &str) -> Result<SecretString, BadSecret> {
    let text = if let Some(name) = place.strip_prefix("env:") {
        #[expect(clippy::disallowed_methods, reason = "secrets are read here alone")]
        let found = std::env::var(name);
        found.map_err(|_| BadSecret::NotSet(name.to_owned()))?
    } else if let Some(path) = place.strip_prefix("file:") {
        std::fs::read_to_string(path).map_err(|source| BadSecret::File { path: path.to_owned(), source })?
    } else {
        return Err(BadSecret::WrittenOut);
    };
    let text = text.trim();
    if text.is_empty() { Err(BadSecret::Empty(place.to_owned())) } else { Ok(text.to_owned().into()) }
}
