//! Tokens that end: renewed by one process at a time, before they do; and deleted once they are dead.
//!
//! ```text
//! call ─► lives for two hours? use it ─► lives? use it, and a task renews it ─► else wait for that task, a little
//! task: lock, lease ─► still due? ─► refresh token used once ─► written down, however often it takes
//! ```
//! A refresh token works once. So whoever uses one is a task that nobody's going away can end.

use super::oauth::{Granted, NoToken};
use super::rows::{Held, Installation, Installs, failed, key, store_failed};
use crate::PLATFORM;
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;
use till_core::port::chat::SendError;
use till_core::time::Timestamp;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

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

impl Installs {
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
        let busy = later(Duration::from_secs(1));
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
        if self.rests(id, self.now()) {
            return Err(later(REST));
        }
        if !self.lease(id, LEASE).await? {
            // Another process is at it; what it gets will be in the store.
            return Err(later(Duration::from_secs(1)));
        }
        let done = self.renew_alone(id, how).await;
        self.lease(id, Duration::ZERO).await?;
        done
    }

    async fn renew_alone(&self, id: &str, how: Renewal) -> Result<Held, SendError> {
        let now = self.now();
        // While we waited, it may have been done, or the workspace may have gone.
        let old = self.at(id, now).await?.ok_or(SendError::AuthDead)?;
        let is_due = match &how {
            Renewal::WhenDue => !old.lives(now, RENEWED_BEFORE),
            Renewal::Of { token } => old.token == *token,
        };
        let Some(refresh) = old.refresh.clone().filter(|_| is_due) else { return Ok(old.held()) };
        match self.app.refresh(&self.api_url, &refresh).await {
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
        }
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
}

fn later(wait: Duration) -> SendError {
    SendError::Later { wait: Some(wait) }
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
