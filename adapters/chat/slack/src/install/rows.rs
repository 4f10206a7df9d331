//! The workspaces that added Till: their rows, and whose token serves which workspace.

use super::App;
use super::oauth::Granted;
use crate::{Clock, PLATFORM};
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

/// How the keys of installations begin.
const INSTALL: &str = "install/";

/// A workspace that added Till, or an organization that did so for all of its workspaces. Kept sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Installation {
    /// `T…` or `E…`.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(super) token: String,
    pub(super) refresh: Option<String>,
    pub(super) expires: Option<Timestamp>,
    pub(crate) by: String,
    pub(super) since: Timestamp,
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

    pub(super) fn lives(&self, now: Timestamp, at_least: Duration) -> bool {
        self.expires.is_none_or(|expires| expires > now.after(at_least))
    }

    pub(super) fn held(self) -> Held {
        Held { token: self.token.into(), id: self.id }
    }
}

/// All installations of one merchant.
pub(crate) struct Installs {
    pub(crate) app: App,
    pub(super) store: Arc<dyn Store>,
    pub(super) merchant: MerchantId,
    pub(super) api_url: String,
    clock: Clock,
    /// Who we are when a lease is taken.
    pub(super) holder: String,
    /// One change at a time of each installation in this process: to the lease, all of it is one holder.
    pub(super) changing: DashMap<String, Arc<Mutex<()>>>,
    /// Until when a token is not renewed, because that has just failed.
    pub(super) resting: DashMap<String, Timestamp>,
    /// The organization of a workspace. What is here is in the store as well.
    orgs: DashMap<String, String>,
}

pub(super) fn failed(error: VaultError) -> SendError {
    tracing::error!(%error, "a Slack token could not be read or kept: {error}");
    SendError::Later { wait: None }
}

pub(super) fn store_failed(error: StoreError) -> SendError {
    failed(error.into())
}

impl Installs {
    pub(crate) fn new(app: App, store: Arc<dyn Store>, merchant: MerchantId, api_url: String, clock: Clock) -> Self {
        let mut bytes = [0; 8];
        (app.random)(&mut bytes);
        Self {
            app,
            store,
            merchant,
            api_url,
            clock,
            holder: hex::encode(bytes),
            changing: DashMap::new(),
            resting: DashMap::new(),
            orgs: DashMap::new(),
        }
    }

    pub(crate) fn api_url(&self) -> &str {
        &self.api_url
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) async fn keep(&self, installation: &Installation) -> Result<(), SendError> {
        let bytes = serde_json::to_vec(installation).map_err(|error| SendError::Bug(error.to_string()))?;
        self.app.vault.keep(&key(&installation.id), &bytes, None).await.map_err(store_failed)
    }

    pub(super) async fn at(&self, id: &str, now: Timestamp) -> Result<Option<Installation>, SendError> {
        let kept = self.app.vault.kept(&key(id), now).await.map_err(failed)?;
        Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Everybody who added Till; of a row that cannot be opened, its id.
    pub(crate) async fn all(&self, now: Timestamp) -> Result<Vec<Result<Workspace, String>>, StoreError> {
        let all = self.app.vault.under(INSTALL, now).await?;
        let seen =
            |it: Installation| Workspace { id: it.id, name: it.name, by: it.by, since: it.since, expires: it.expires };
        let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes).ok().map(seen);
        let row = |(key, opened): (String, Result<Vec<u8>, VaultError>)| {
            opened.ok().and_then(read).ok_or_else(|| key.trim_start_matches(INSTALL).to_owned())
        };
        Ok(all.into_iter().map(row).collect())
    }

    /// Slack said to which organization a workspace belongs, all of which added Till.
    pub(crate) async fn belongs(&self, workspace: &str, org: &str) {
        if self.orgs.get(workspace).is_some_and(|known| *known == org) {
            return;
        }
        let written = async {
            if self.at(org, self.now()).await?.is_some() {
                let key = org_key(workspace);
                let kept = self.store.keep(&self.merchant, PLATFORM, &key, org.as_bytes(), None);
                kept.await.map_err(store_failed)?;
                self.orgs.insert(workspace.to_owned(), org.to_owned());
            }
            Ok::<(), SendError>(())
        };
        if let Err(error) = written.await {
            tracing::error!(%error, "the organization of {workspace} was not written down: {error}");
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
    pub(super) async fn find(&self, workspace: &str, now: Timestamp) -> Result<Option<Installation>, SendError> {
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

pub(super) fn key(id: &str) -> String {
    format!("{INSTALL}{id}")
}

fn org_key(workspace: &str) -> String {
    format!("org-of/{workspace}")
}
