//! The workspaces that added Till, and the token for a call in one of them.

use super::App;
use super::oauth::{Granted, NoToken};
use crate::PLATFORM;
use dashmap::DashMap;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use till_core::id::MerchantId;
use till_core::port::chat::SendError;
use till_core::port::store::{Store, StoreError};
use till_core::time::Timestamp;
use till_core::vault::VaultError;
use tokio::sync::Mutex;

/// A token that lives no longer than this is renewed. Slack's own SDKs take two hours too.
const RENEWED_BEFORE: Duration = Duration::from_secs(2 * 3600);
/// How long one renewal has.
const LEASE: Duration = Duration::from_secs(30);
/// How long a token that could not be renewed is used as it is.
const REST: Duration = Duration::from_secs(60);

/// A workspace that added Till, or an organization that did so for all of its workspaces. Kept sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Installation {
    /// `T…` or `E…`.
    pub(crate) id: String,
    pub(crate) name: String,
    token: String,
    refresh: Option<String>,
    expires: Option<Timestamp>,
    pub(crate) by: String,
    since: Timestamp,
}

/// A workspace as the host may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// `T…`; of an organization `E…`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Slack's id of the person who added Till.
    pub by: String,
    /// When.
    pub since: Timestamp,
    /// When its token ends, where it does; it is renewed before.
    pub expires: Option<Timestamp>,
}

/// A token, and whose it is.
pub(crate) struct Held {
    pub(crate) token: SecretString,
    /// The installation.
    pub(crate) id: String,
}

impl Held {
    /// Whether it is for all workspaces of an organization.
    pub(crate) fn is_org(&self) -> bool {
        self.id.starts_with('E')
    }
}

impl Installation {
    /// `None`: Slack did not say where.
    pub(super) fn of(granted: Granted, now: Timestamp) -> Option<Self> {
        let at = if granted.is_enterprise_install { granted.enterprise } else { granted.team }?;
        Some(Self {
            name: at.name.unwrap_or_else(|| at.id.clone()),
            id: at.id,
            token: granted.access_token,
            refresh: granted.refresh_token,
            expires: granted.expires_in.map(|secs| now.after(Duration::from_secs(secs))),
            by: granted.authed_user.id,
            since: now,
        })
    }

    fn lives(&self, now: Timestamp, at_least: Duration) -> bool {
        self.expires.is_none_or(|expires| expires > now.after(at_least))
    }

    fn held(self) -> Held {
        Held { token: self.token.into(), id: self.id }
    }
}

/// All installations of one merchant.
pub(crate) struct Installs {
    pub(crate) app: App,
    store: Arc<dyn Store>,
    merchant: MerchantId,
    api_url: String,
    /// Who we are when a lease is taken.
    holder: String,
    /// One renewal at a time in this process: to the lease, all of it is one holder.
    renewing: Mutex<()>,
    /// Until when a token is not renewed, because that has just failed.
    resting: DashMap<String, Timestamp>,
    /// The organization of a workspace. What is here is in the store as well.
    orgs: DashMap<String, String>,
}

fn failed(error: VaultError) -> SendError {
    tracing::error!(%error, "a Slack token could not be read or kept: {error}");
    SendError::Later { wait: None }
}

fn store_failed(error: StoreError) -> SendError {
    failed(error.into())
}

impl Installs {
    pub(crate) fn new(app: App, store: Arc<dyn Store>, merchant: MerchantId, api_url: String) -> Self {
        let mut bytes = [0; 8];
        (app.random)(&mut bytes);
        Self {
            app,
            store,
            merchant,
            api_url,
            holder: hex::encode(bytes),
            renewing: Mutex::default(),
            resting: DashMap::new(),
            orgs: DashMap::new(),
        }
    }

    pub(crate) fn api_url(&self) -> &str {
        &self.api_url
    }

    /// Keeps what was granted, in place of what was there.
    pub(super) async fn keep(&self, installation: &Installation) -> Result<(), SendError> {
        let bytes = serde_json::to_vec(installation).map_err(|error| SendError::Bug(error.to_string()))?;
        self.app.vault.keep(&key(&installation.id), &bytes, None).await.map_err(store_failed)
    }

    async fn at(&self, id: &str, now: Timestamp) -> Result<Option<Installation>, SendError> {
        let kept = self.app.vault.kept(&key(id), now).await.map_err(failed)?;
        Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Everybody who added Till.
    pub(crate) async fn all(&self, now: Timestamp) -> Result<Vec<Workspace>, VaultError> {
        let all = self.app.vault.under("install/", now).await?;
        let all = all.iter().filter_map(|bytes| serde_json::from_slice::<Installation>(bytes).ok());
        let seen =
            |it: Installation| Workspace { id: it.id, name: it.name, by: it.by, since: it.since, expires: it.expires };
        Ok(all.map(seen).collect())
    }

    /// Slack said to which organization a workspace belongs, all of which added Till.
    pub(crate) async fn belongs(&self, workspace: &str, org: &str) {
        if self.orgs.get(workspace).is_some_and(|known| *known == org) {
            return;
        }
        match self.store.keep(&self.merchant, PLATFORM, &org_key(workspace), org.as_bytes(), None).await {
            Ok(()) => drop(self.orgs.insert(workspace.to_owned(), org.to_owned())),
            Err(error) => tracing::error!(%error, "the organization of {workspace} was not written down: {error}"),
        }
    }

    async fn org_of(&self, workspace: &str, now: Timestamp) -> Result<Option<String>, SendError> {
        if let Some(known) = self.orgs.get(workspace) {
            return Ok(Some(known.clone()));
        }
        let kept = self.store.kept(&self.merchant, PLATFORM, &org_key(workspace), now).await.map_err(store_failed)?;
        let org = kept.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(org) = &org {
            self.orgs.insert(workspace.to_owned(), org.clone());
        }
        Ok(org)
    }

    /// Who added Till for this workspace: itself, else its organization.
    async fn find(&self, workspace: &str, now: Timestamp) -> Result<Option<Installation>, SendError> {
        if let Some(found) = self.at(workspace, now).await? {
            return Ok(Some(found));
        }
        match self.org_of(workspace, now).await? {
            Some(org) => self.at(&org, now).await,
            None => Ok(None),
        }
    }

    /// Whether somebody added Till for this workspace. Renews nothing: whoever asks is waiting for an answer.
    pub(crate) async fn serves(&self, workspace: &str, now: Timestamp) -> Result<bool, SendError> {
        Ok(self.find(workspace, now).await?.is_some())
    }

    /// The token for a call in this workspace.
    ///
    /// # Errors
    /// [`SendError::AuthDead`]: nobody added Till there, or its token has ended.
    pub(crate) async fn token(self: &Arc<Self>, workspace: &str, now: Timestamp) -> Result<Held, SendError> {
        let found = self.find(workspace, now).await?.ok_or(SendError::AuthDead)?;
        if found.lives(now, RENEWED_BEFORE) || self.rests(&found.id, now) {
            return self.if_it_lives(found, now);
        }
        // By a task of its own: whoever waits may go away, and a refresh token that was used must not be lost with them.
        let installs = self.clone();
        let renewal = tokio::spawn(async move { installs.renewed(found, now).await });
        renewal.await.unwrap_or(Err(SendError::Later { wait: None }))
    }

    fn rests(&self, id: &str, now: Timestamp) -> bool {
        self.resting.get(id).is_some_and(|until| now < *until)
    }

    fn if_it_lives(&self, it: Installation, now: Timestamp) -> Result<Held, SendError> {
        if it.lives(now, Duration::ZERO) { Ok(it.held()) } else { Err(SendError::AuthDead) }
    }

    /// Renews a token: a refresh token works once, so that only one process may try.
    async fn renewed(&self, old: Installation, now: Timestamp) -> Result<Held, SendError> {
        let _alone = self.renewing.lock().await;
        let name = format!("{PLATFORM}/token/{}/{}", self.merchant.as_str(), old.id);
        if self.store.lease(&name, &self.holder, now, LEASE).await.map_err(store_failed)?.is_none() {
            // Another process is at it; what it gets will be in the store.
            let busy = SendError::Later { wait: Some(Duration::from_secs(1)) };
            return self.if_it_lives(old, now).map_err(|_| busy);
        }
        // While we waited, it may have been done, or the workspace may have gone.
        let old = self.at(&old.id, now).await?.ok_or(SendError::AuthDead)?;
        let is_due = !old.lives(now, RENEWED_BEFORE) && !self.rests(&old.id, now);
        let Some(refresh) = old.refresh.clone().filter(|_| is_due) else {
            return self.if_it_lives(old, now);
        };
        match self.app.refresh(&self.api_url, &refresh).await {
            Ok(granted) => {
                let new = Installation {
                    token: granted.access_token,
                    refresh: granted.refresh_token.or(Some(refresh)),
                    expires: granted.expires_in.map(|secs| now.after(Duration::from_secs(secs))),
                    ..old
                };
                self.keep(&new).await?;
                tracing::info!("the Slack token of {} was renewed", new.name);
                Ok(new.held())
            }
            Err(why) => {
                self.resting.insert(old.id.clone(), now.after(REST));
                let later = why == NoToken::NoAnswer;
                tracing::error!("the Slack token of {} ({}) was not renewed: {why}", old.name, old.id);
                self.if_it_lives(old, now)
                    .map_err(|dead| if later { SendError::Later { wait: Some(REST) } } else { dead })
            }
        }
    }

    /// Slack refused a token. Gives the one that has taken its place, if there is one; a dead one is forgotten.
    pub(crate) async fn refused(&self, held: &Held, code: &str, now: Timestamp) -> Result<Option<Held>, SendError> {
        use secrecy::ExposeSecret as _;
        let dead = |it: &Installation| it.token == held.token.expose_secret();
        match self.at(&held.id, now).await? {
            Some(other) if !dead(&other) => return Ok(Some(other.held())),
            Some(_) if is_gone(code) => {}
            Some(_) | None => return Ok(None),
        }
        let taken = self.app.vault.take(&key(&held.id), now).await.map_err(failed)?;
        let taken: Option<Installation> = taken.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match taken {
            // Added anew at this very moment.
            Some(other) if !dead(&other) => {
                self.keep(&other).await?;
                Ok(Some(other.held()))
            }
            Some(gone) => {
                tracing::error!("Till was taken out of {} ({}); its token is deleted", gone.name, gone.id);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// The installations that an event about a workspace may be about.
    pub(crate) async fn of(&self, workspace: &str, now: Timestamp) -> Result<Vec<Held>, SendError> {
        let org = self.org_of(workspace, now).await?;
        let mut found = Vec::new();
        for id in [Some(workspace.to_owned()), org].into_iter().flatten() {
            found.extend(self.at(&id, now).await?.map(Installation::held));
        }
        Ok(found)
    }
}

/// Words after which a token never works again.
///
/// Source: Slack docs, `auth.test`, "Errors".
fn is_gone(code: &str) -> bool {
    matches!(code, "token_revoked" | "account_inactive")
}

fn key(id: &str) -> String {
    format!("install/{id}")
}

fn org_key(workspace: &str) -> String {
    format!("org-of/{workspace}")
}
