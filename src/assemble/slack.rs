//! Slack, put together: from its configuration, and for the commands and the doctor that ask about it.

use super::{Rows, SlackExtras, SlackWay, StartError};
use crate::client::Client;
use crate::clock::Clock;
use crate::clock::SystemEntropy;
use crate::config::Config;
use crate::config::{BadConfig, secret};
use crate::keyring;
use crate::world::Merchant;
use std::sync::Arc;
use std::time::Duration;
use till_core::id::Entropy as _;
use till_core::keys::KeyRing;
use till_core::port::chat::Health;
use till_core::port::http::Http;
use till_core::port::psp::Finding;
use till_core::vault::Vault;
use till_slack::{App, Extras, Keywords, PLATFORM, Settings, Slack, Tokens};

/// What Slack is put into.
pub(super) struct Around<'a> {
    merchant: &'a Merchant,
    rows: &'a Rows,
    ring: &'a KeyRing,
    http: &'a Arc<dyn Http>,
    clock: &'a Clock,
}

impl<'a> Around<'a> {
    pub(super) fn of(
        merchant: &'a Merchant,
        rows: &'a Rows,
        ring: &'a KeyRing,
        http: &'a Arc<dyn Http>,
        clock: &'a Clock,
    ) -> Self {
        Self { merchant, rows, ring, http, clock }
    }
}

pub(super) fn open(config: &Config, around: &Around<'_>) -> Result<Arc<Slack>, StartError> {
    let set = &config.slack;
    let some = |key, place: &str| (!place.is_empty()).then(|| secret(key, place)).transpose();
    let settings = Settings {
        merchant: around.merchant.id.clone(),
        api_url: set.api_url.trim_end_matches('/').to_owned(),
        app_token: some("slack.app_token", &set.app_token)?,
        admin_token: some("slack.admin_token", &set.admin_token)?,
        signing_secret: some("slack.signing_secret", &set.signing_secret)?,
        connections: set.connections,
        keywords: if set.keywords { Keywords::Read } else { Keywords::Ignored },
        grammar: config.grammar()?,
        currency: around.merchant.currency,
    };
    if settings.app_token.is_none() && settings.signing_secret.is_none() {
        let why = "set it for Socket Mode, or slack.signing_secret for HTTP: else nothing that people do is heard";
        return Err(BadConfig::Value { key: "slack.app_token", why: why.to_owned() }.into());
    }
    let slack = Slack::new(
        settings,
        tokens(config, around)?,
        around.rows.store.clone(),
        around.clock.clone(),
        config.tongues()?,
    );
    slack.map_err(|error| StartError::Typed(error.to_string()))
}

fn tokens(config: &Config, around: &Around<'_>) -> Result<Tokens, StartError> {
    let set = &config.slack;
    if set.client_id.is_empty() {
        return Ok(Tokens::Own(secret("slack.bot_token", &set.bot_token)?));
    }
    let (store, merchant) = (around.rows.store.clone(), around.merchant);
    Ok(Tokens::OfApp(Box::new(App {
        client_id: set.client_id.clone(),
        client_secret: secret("slack.client_secret", &set.client_secret)?,
        public_url: way_back(config)?.to_owned(),
        merchant_name: merchant.name.clone(),
        http: around.http.clone(),
        vault: Vault::new(store, around.ring.clone(), Box::new(SystemEntropy), merchant.id.clone(), PLATFORM),
        random: Arc::new(|bytes| SystemEntropy.fill(bytes)),
    })))
}

/// Where people come back to after they added Till to their workspace.
fn way_back(config: &Config) -> Result<&str, BadConfig> {
    let public = &config.http.public_url;
    if public.is_empty() {
        let why = "set it: whoever adds Till to their Slack workspace comes back to it".to_owned();
        return Err(BadConfig::Value { key: "http.public_url", why });
    }
    Ok(public)
}

/// Slack without a running till, for a command.
fn alone(config: &Config, rows: &Rows, clock: &Clock) -> Result<Arc<Slack>, StartError> {
    let ring = keyring::open(&config.keys.path)?;
    let http: Arc<dyn Http> = Arc::new(Client::new()?);
    open(config, &Around::of(&super::merchant(config)?, rows, &ring, &http, clock))
}

/// What the doctor finds about Slack; `None` where Till does not talk there.
///
/// # Errors
/// [`StartError`]: Slack is configured and not built in, or its configuration cannot be used.
pub async fn findings(config: &Config, rows: &Rows, clock: &Clock) -> Result<Option<Vec<Finding>>, StartError> {
    if !config.slack.enabled {
        return Ok(None);
    }
    let slack = alone(config, rows, clock)?;
    let finding = |health, works: String, mend: &str| match health {
        Health::Well => Finding::good(works),
        Health::Ill(why) => Finding::wrong(why, mend),
    };
    const STEPS: &str = "the README has the five steps; `till slack manifest` prints the rights";
    let mut found = Vec::new();
    if let Some(health) = slack.could_listen().await {
        found.push(finding(health, "the app token opens sockets".to_owned(), STEPS));
    }
    let Some(workspaces) = slack.workspaces().await? else {
        found.push(finding(slack.could_talk(None).await, "the bot token works".to_owned(), STEPS));
        return Ok(Some(found));
    };
    if workspaces.is_empty() {
        found.push(Finding::note("no workspace has added Till yet", "`till slack install` prints a link for one"));
    }
    for workspace in workspaces {
        let workspace = match workspace {
            Ok(workspace) => workspace,
            Err(id) => {
                let why = format!("the token for {id} cannot be opened: the key ring is not the one that sealed it");
                found.push(Finding::wrong(
                    why,
                    "put the old key back on the ring, or `till slack install` for a new one",
                ));
                continue;
            }
        };
        let health = slack.could_talk(Some(&workspace.id)).await;
        let works = format!("the token for {} ({}) works", workspace.name, workspace.id);
        let named = |health| match health {
            Health::Ill(why) => Health::Ill(format!("{} ({}): {why}", workspace.name, workspace.id)),
            Health::Well => Health::Well,
        };
        found.push(finding(named(health), works, "`till slack install` prints a link with which it is added again"));
    }
    slack.settle().await;
    Ok(Some(found))
}

/// The manifest of a Slack app for this till, as JSON. `many`: any number of workspaces may add it.
///
/// # Errors
/// [`StartError`]: Slack is not built in, or the configuration cannot be used.
pub fn manifest(config: &Config, way: SlackWay, many: bool, extras: SlackExtras) -> Result<String, StartError> {
    let public = &config.http.public_url;
    let url = match way {
        SlackWay::Socket => None,
        SlackWay::Http if public.is_empty() => {
            let why = "set it, since Slack must reach Till at it; or leave out --http for Socket Mode".to_owned();
            return Err(BadConfig::Value { key: "http.public_url", why }.into());
        }
        SlackWay::Http => Some(public.as_str()),
    };
    let back = many.then(|| way_back(config).map(till_slack::redirect_uri)).transpose()?;
    let SlackExtras { keywords, history, guard } = extras;
    let manifest = till_slack::manifest(&config.grammar()?, url, back.as_deref(), Extras { keywords, history, guard });
    Ok(format!("{manifest:#}\n"))
}

/// A one-time link with which one workspace can add Till. Needs no running till, which serves its pages.
///
/// # Errors
/// [`StartError`]: Slack is not built in, it is set up for one workspace, or the store failed.
pub async fn install_link(
    config: &Config,
    rows: &Rows,
    history: bool,
    ttl: Duration,
    clock: &Clock,
) -> Result<String, StartError> {
    let link = alone(config, rows, clock)?.install_link(history, ttl).await?;
    link.ok_or_else(one_workspace)
}

fn one_workspace() -> StartError {
    StartError::Typed(
        "Till talks in one workspace, by its bot token: set slack.client_id and slack.client_secret so that others can \
         add it (README, \"Many workspaces\")"
            .to_owned(),
    )
}

/// The workspaces that added Till, one line each.
///
/// # Errors
/// As [`install_link`].
pub async fn workspaces(config: &Config, rows: &Rows, clock: &Clock) -> Result<Vec<String>, StartError> {
    let all = alone(config, rows, clock)?.workspaces().await?.ok_or_else(one_workspace)?;
    let line = |it: &Result<till_slack::Workspace, String>| {
        let it = match it {
            Ok(it) => it,
            Err(id) => return format!("{id:<12} cannot be opened: the key ring is not the one that sealed it"),
        };
        let until = it.expires.map(|at| format!("; token until {}", at.text())).unwrap_or_default();
        format!("{:<12} {:<30} since {}, by {}{until}", it.id, it.name, it.since.text(), it.by)
    };
    Ok(all.iter().map(line).collect())
}
