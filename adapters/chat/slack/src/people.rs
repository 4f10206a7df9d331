//! Who somebody is in a workspace, remembered for a few minutes, and whether they are on the staff list.
//!
//! The list names persons (`slack:T0123/U0456`) and user groups (`slack:T0123/S0789`). A person who types or clicks is
//! known from what Slack signed; Slack is asked about anybody else, and who is in a group.

use crate::{PLATFORM, Slack};
use dashmap::DashMap;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use till_core::place::PersonId;
use till_core::port::chat::{Person, SendError, Standing};
use till_core::time::Timestamp;

/// How long a person or a group is remembered.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);
/// How long a person's language is.
const SPEAKS: Duration = Duration::from_secs(24 * 60 * 60);
/// How many of each.
const REMEMBERED_MAX: usize = 20_000;

/// What is remembered. A restart loses nothing but time.
#[derive(Default)]
pub(crate) struct People {
    names: DashMap<String, (String, Timestamp)>,
    locales: DashMap<String, (Option<String>, Timestamp)>,
    groups: DashMap<String, (Vec<String>, Timestamp)>,
}

impl People {
    /// Slack signed that this person is there.
    pub(crate) fn saw(&self, id: &str, name: &str, now: Timestamp) {
        if self.names.len() > REMEMBERED_MAX {
            self.names.clear();
        }
        self.names.insert(id.to_owned(), (name.to_owned(), now));
    }

    /// Slack said which language they read.
    fn reads(&self, id: &str, locale: Option<String>, now: Timestamp) {
        if self.locales.len() > REMEMBERED_MAX {
            self.locales.clear();
        }
        self.locales.insert(id.to_owned(), (locale, now));
    }

    pub(crate) fn locale(&self, id: &str, now: Timestamp) -> Option<String> {
        self.locales.get(id).filter(|known| now.since(known.1) < SPEAKS).and_then(|known| known.0.clone())
    }

    fn knows_locale(&self, id: &str, now: Timestamp) -> bool {
        self.locales.get(id).is_some_and(|known| now.since(known.1) < SPEAKS)
    }
}

#[derive(Deserialize)]
struct UserInfo {
    user: User,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    real_name: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    locale: Option<String>,
}

#[derive(Deserialize)]
struct GroupUsers {
    users: Vec<String>,
}

/// `T1/U1` as workspace and user.
pub(crate) fn parts(id: &str) -> Option<(&str, &str)> {
    id.split_once('/').filter(|(workspace, user)| !workspace.is_empty() && !user.is_empty())
}

impl Slack {
    /// Asked with the token of workspace `via`: in a shared channel people come from workspaces that have none of ours.
    pub(crate) async fn look_up(&self, who: &PersonId, via: &str) -> Result<Option<Person>, SendError> {
        let Some((workspace, user)) = parts(&who.id).filter(|_| who.platform == PLATFORM) else { return Ok(None) };
        let now = self.now();
        let fresh = |at: Timestamp| now.since(at) < REMEMBERED;
        let known = self.people.names.get(&who.id).filter(|known| fresh(known.1)).map(|known| known.0.clone());
        let name = match known {
            Some(name) => name,
            None => match self.ask_of(who, via, user).await? {
                Some(name) => name,
                None => return Ok(None),
            },
        };
        self.people.saw(&who.id, &name, now);
        let standing = if self.is_listed(who, workspace, user).await? { Standing::Staff } else { Standing::Guest };
        Ok(Some(Person { id: who.clone(), name, standing }))
    }

    /// Their name; their language is remembered with it.
    async fn ask_of(&self, who: &PersonId, via: &str, user: &str) -> Result<Option<String>, SendError> {
        let body = json!({ "user": user, "include_locale": true });
        match self.call::<UserInfo>(via, "users.info", body).await {
            Ok(UserInfo { user: User { deleted: true, .. } }) | Err(SendError::Forbidden) => Ok(None),
            Ok(UserInfo { user: found }) => {
                self.people.reads(&who.id, found.locale, self.now());
                Ok(Some(found.real_name.or(found.name).unwrap_or_else(|| user.to_owned())))
            }
            Err(error) => Err(error),
        }
    }

    /// Learns which language somebody reads, for their next act: this one does not wait for Slack.
    pub(crate) fn learn(self: &Arc<Self>, who: &PersonId, via: &str) {
        if self.people.knows_locale(&who.id, self.now()) {
            return;
        }
        // Nobody asks again at once, whatever comes of it.
        self.people.reads(&who.id, None, self.now());
        let (slack, who, via) = (self.clone(), who.clone(), via.to_owned());
        tokio::spawn(async move {
            let Some((_, user)) = parts(&who.id) else { return };
            if let Err(error) = slack.ask_of(&who, &via, user).await {
                tracing::debug!(%error, "the language of {who} is not known: {error}");
                slack.people.locales.remove(&who.id);
            }
        });
    }

    async fn is_listed(&self, who: &PersonId, workspace: &str, user: &str) -> Result<bool, SendError> {
        let staff = self.store.staff(&self.settings.merchant).await;
        let staff = staff.map_err(|error| {
            tracing::error!(%error, "the staff list could not be read: {error}");
            SendError::Later { wait: None }
        })?;
        if staff.iter().any(|listed| listed.id == who.to_string()) {
            return Ok(true);
        }
        let prefix = format!("{PLATFORM}:{workspace}/S");
        // A group that is gone makes nobody of the next one less.
        let mut failed = None;
        for group in staff.iter().filter_map(|listed| listed.id.strip_prefix(&prefix)) {
            match self.is_in(workspace, &format!("S{group}"), user).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(false), Err)
    }

    async fn is_in(&self, workspace: &str, group: &str, user: &str) -> Result<bool, SendError> {
        let key = format!("{workspace}/{group}");
        let now = self.now();
        if let Some(known) = self.people.groups.get(&key).filter(|known| now.since(known.1) < REMEMBERED) {
            return Ok(known.0.iter().any(|member| member == user));
        }
        let body = json!({ "usergroup": group });
        let found: GroupUsers = self.call(workspace, "usergroups.users.list", body).await?;
        let is_in = found.users.iter().any(|member| member == user);
        if self.people.groups.len() > REMEMBERED_MAX {
            self.people.groups.clear();
        }
        self.people.groups.insert(key, (found.users, now));
        Ok(is_in)
    }
}
