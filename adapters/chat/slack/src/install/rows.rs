//! The workspaces that added Till, and the token for a call in one of them.

use super::App;
use super::oauth::{Granted, NoToken};
use crate::{Clock, PLATFORM};
use dashmap::DashMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use till_core::id::MerchantId;
use till_core::port::chat::SendError;
use till_core::port::store::{Store, StoreError};
use till_core::time::Timestamp;
use till_core::vault::VaultError;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// How the keys of installations begin.
const INSTALL: &str = "install/";
/// A token that lives no longer than this is renewed. Slack's own SDKs take two hours too.
const RENEWED_BEFORE: Duration = Duration::from_secs(2 * 3600);
/// One that lives no longer than this is not used any more: whoever calls waits for the new one.
const USED_UP: Duration = Duration::from_secs(60);
/// How long a call waits for a new token. Then it was surely not made, and is made later.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one renewal has.
const LEASE: Duration = Duration::from_secs(30);
/// How often, and how far apart, it is tried to write a new token down: the old one is used up by then.
const WRITES: u32 = 40;
const WRITE_AGAIN: Duration = Duration::from_millis(500);
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
    clock: Clock,
    /// Who we are when a lease is taken.
    holder: String,
    /// One change at a time of each installation in this process: to the lease, all of it is one holder.
    changing: DashMap<String, Arc<Mutex<()>>>,
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

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Keeps what was granted, in place of what was there.
    pub(super) async fn install(&self, installation: &Installation) -> Result<(), SendError> {
        let lock = self.lock(&installation.id);
        let _alone = lock.lock().await;
        // A renewal that is under way elsewhere would overwrite it.
        while !self.lease(&installation.id, LEASE).await? {
            tokio::time::sleep(WRITE_AGAIN).await;
        }
        self.keep(installation).await?;
        self.lease(&installation.id, Duration::ZERO).await.map(drop)
    }

    async fn keep(&self, installation: &Installation) -> Result<(), SendError> {
        let bytes = serde_json::to_vec(installation).map_err(|error| SendError::Bug(error.to_string()))?;
        self.app.vault.keep(&key(&installation.id), &bytes, None).await.map_err(store_failed)
    }

    fn lock(&self, id: &str) -> Arc<Mutex<()>> {
        self.changing.entry(id.to_owned()).or_default().clone()
    }

    /// Whether this process alone may change an installation now; for no time at all: not any more.
    async fn lease(&self, id: &str, ttl: Duration) -> Result<bool, SendError> {
        let name = format!("{PLATFORM}/token/{}/{id}", self.merchant.as_str());
        let held = self.store.lease(&name, &self.holder, self.now(), ttl).await;
        held.map(|fence| fence.is_some()).map_err(store_failed)
    }

    /// Waits until nothing is being changed any more, so that no new token is lost when the program ends.
    pub(crate) async fn settle(&self) {
        let all: Vec<_> = self.changing.iter().map(|lock| lock.value().clone()).collect();
        for lock in all {
            drop(tokio::time::timeout(LEASE, lock.lock()).await);
        }
    }

    async fn at(&self, id: &str, now: Timestamp) -> Result<Option<Installation>, SendError> {
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
    /// [`SendError::AuthDead`]: nobody added Till there, or its token has ended for good. [`SendError::Later`]: it is being
    /// renewed.
    pub(crate) async fn token(self: &Arc<Self>, workspace: &str) -> Result<Held, SendError> {
        let now = self.now();
        let found = self.find(workspace, now).await?.ok_or(SendError::AuthDead)?;
        if found.refresh.is_none() || found.lives(now, RENEWED_BEFORE) {
            return if found.lives(now, Duration::ZERO) { Ok(found.held()) } else { Err(SendError::AuthDead) };
        }
        let lives = found.lives(now, USED_UP);
        let is_under_way = lives && self.lock(&found.id).try_lock().is_err();
        if lives && (is_under_way || self.rests(&found.id, now)) {
            return Ok(found.held());
        }
        let renewal = self.renew(found.id.clone(), Renewal::WhenDue);
        if lives {
            return Ok(found.held());
        }
        let busy = SendError::Later { wait: Some(Duration::from_secs(1)) };
        tokio::time::timeout(PATIENCE, renewal).await.map_err(|_| busy.clone())?.unwrap_or(Err(busy))
    }

    fn rests(&self, id: &str, now: Timestamp) -> bool {
        self.resting.get(id).is_some_and(|until| now < *until)
    }

    /// By a task of its own: whoever waits may go away, and a refresh token that was used must not be lost with them.
    fn renew(self: &Arc<Self>, id: String, how: Renewal) -> JoinHandle<Result<Held, SendError>> {
        let installs = self.clone();
        tokio::spawn(async move { installs.renewed(&id, how).await })
    }

    /// Renews a token: a refresh token works once, so that only one process may try.
    async fn renewed(&self, id: &str, how: Renewal) -> Result<Held, SendError> {
        let lock = self.lock(id);
        let _alone = lock.lock().await;
        let now = self.now();
        // While we waited, it may have been done, or the workspace may have gone.
        let old = self.at(id, now).await?.ok_or(SendError::AuthDead)?;
        let is_due = match &how {
            Renewal::WhenDue => !old.lives(now, RENEWED_BEFORE),
            Renewal::Of { token } => old.token == *token,
        };
        let Some(refresh) = old.refresh.clone().filter(|_| is_due) else { return Ok(old.held()) };
        let later = |wait| SendError::Later { wait: Some(wait) };
        if self.rests(id, now) {
            return Err(later(REST));
        }
        if !self.lease(id, LEASE).await? {
            // Another process is at it; what it gets will be in the store.
            return Err(later(Duration::from_secs(1)));
        }
        let done = match self.app.refresh(&self.api_url, &refresh).await {
            Ok(granted) => Ok(self.write_down(old, granted, refresh).await),
            Err(why) => {
                self.resting.insert(id.to_owned(), now.after(REST));
                tracing::error!("the Slack token of {} ({id}) was not renewed: {why}", old.name);
                let is_over =
                    matches!(&why, NoToken::Refused(code) if is_used_up(code)) && !old.lives(now, Duration::ZERO);
                if is_over {
                    self.forget(id, &old.token).await?;
                }
                Err(if is_over { SendError::AuthDead } else { later(REST) })
            }
        };
        self.lease(id, Duration::ZERO).await?;
        done
    }

    /// The old refresh token is used up: until the new one is written down, it exists here alone.
    async fn write_down(&self, old: Installation, granted: Granted, refresh: String) -> Held {
        let expires = granted.expires_in.map(|secs| self.now().after(Duration::from_secs(secs)));
        let new = Installation {
            token: granted.access_token,
            refresh: granted.refresh_token.or(Some(refresh)),
            expires,
            ..old
        };
        for _ in 0..WRITES {
            if self.keep(&new).await.is_ok() {
                tracing::info!("the Slack token of {} was renewed", new.name);
                return new.held();
            }
            tokio::time::sleep(WRITE_AGAIN).await;
        }
        tracing::error!("the new Slack token of {} ({}) could not be kept: it must be added again", new.name, new.id);
        new.held()
    }

    /// Slack refused a token. Gives the one that has taken its place, if there is one; a dead one is forgotten.
    pub(crate) async fn refused(self: &Arc<Self>, held: &Held, code: &str) -> Result<Option<Held>, SendError> {
        let token = held.token.expose_secret();
        match self.at(&held.id, self.now()).await? {
            Some(other) if other.token != token => return Ok(Some(other.held())),
            // Slack's clock, or what it knows of the token, is another than ours.
            Some(same) if code == "token_expired" && same.refresh.is_some() => {
                let renewal = self.renew(same.id, Renewal::Of { token: token.to_owned() });
                return renewal.await.unwrap_or(Err(SendError::Later { wait: None })).map(Some);
            }
            Some(_) if is_gone(code) => {}
            Some(_) | None => return Ok(None),
        }
        let (installs, id, token) = (self.clone(), held.id.clone(), token.to_owned());
        let forgotten = tokio::spawn(async move {
            let lock = installs.lock(&id);
            let _alone = lock.lock().await;
            installs.forget(&id, &token).await
        });
        forgotten.await.unwrap_or(Ok(())).map(|()| None)
    }

    /// Deletes an installation, if it still has this token. The caller holds its lock.
    async fn forget(&self, id: &str, token: &str) -> Result<(), SendError> {
        let now = self.now();
        if self.at(id, now).await?.is_none_or(|it| it.token != token) {
            return Ok(());
        }
        let taken = self.app.vault.take(&key(id), now).await.map_err(failed)?;
        let taken: Option<Installation> = taken.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match taken {
            // Another process added it anew between the look and the deed.
            Some(other) if other.token != token => self.keep(&other).await,
            Some(gone) => {
                tracing::error!("Till can talk in {} ({}) no more; its token is deleted", gone.name, gone.id);
                Ok(())
            }
            None => Ok(()),
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

/// Which token is renewed.
enum Renewal {
    /// Whichever is there, when it is about to end.
    WhenDue,
    /// This one, as Slack does not take it any more.
    Of { token: String },
}

/// Words after which a refresh token never works again.
fn is_used_up(code: &str) -> bool {
    matches!(code, "invalid_refresh_token" | "invalid_grant") || is_gone(code)
}

/// Words after which a token never works again.
///
/// Source: Slack docs, `auth.test`, "Errors".
fn is_gone(code: &str) -> bool {
    matches!(code, "token_revoked" | "account_inactive")
}

fn key(id: &str) -> String {
    format!("{INSTALL}{id}")
}

fn org_key(workspace: &str) -> String {
    format!("org-of/{workspace}")
}
