//! What an act of a person lets the app do: open a view within three seconds, respond for half an hour.

use crate::refusal::Refusal;
use crate::tokens::Caller;
use crate::world::World;
use std::time::Duration;
use till_core::time::Timestamp;

const TRIGGER_LIFE: Duration = Duration::from_secs(3);
const URL_LIFE: Duration = Duration::from_secs(30 * 60);
const URL_USES_MAX: u32 = 5;

/// One `trigger_id`.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    pub(crate) team: String,
    user: String,
    /// The modal it came from.
    pub(crate) view: Option<String>,
    since: Timestamp,
    used: bool,
}

/// What a response may be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A command or shortcut: there is no message of ours.
    Nothing,
    /// A button in a message that everybody sees.
    Message(String),
    /// A button in a whisper.
    Whisper(String),
}

/// One `response_url`.
#[derive(Clone, Debug)]
pub(crate) struct ResponseUrl {
    pub(crate) team: String,
    pub(crate) user: String,
    pub(crate) channel: String,
    pub(crate) about: About,
    pub(crate) thread: Option<String>,
    since: Timestamp,
    uses: u32,
}

impl World {
    pub(crate) fn trigger(&mut self, team: &str, user: &str, view: Option<&str>) -> String {
        let secret = self.secret();
        let id = format!("{}.{}.{secret}", self.triggers.len() + 1_000_000_000_000, 2_000_000_000);
        let (team, user, view) = (team.to_owned(), user.to_owned(), view.map(str::to_owned));
        self.triggers.insert(id.clone(), Trigger { team, user, view, since: self.now, used: false });
        id
    }

    /// Uses a trigger up: whose it is, and the modal it came from.
    pub(crate) fn exchange(&mut self, caller: &Caller, id: &str) -> Result<(String, Option<String>), Refusal> {
        let now = self.now;
        let found = self.triggers.get_mut(id).filter(|trigger| trigger.team == caller.team);
        let trigger = found.ok_or_else(|| Refusal::new("invalid_trigger_id"))?;
        if trigger.used {
            return Err(Refusal::new("exchanged_trigger_id"));
        }
        if now.since(trigger.since) > TRIGGER_LIFE {
            return Err(Refusal::new("expired_trigger_id"));
        }
        trigger.used = true;
        Ok((trigger.user.clone(), trigger.view.clone()))
    }

    pub(crate) fn response_url(
        &mut self,
        team: &str,
        user: &str,
        channel: &str,
        about: About,
        thread: Option<String>,
    ) -> String {
        let folder = if about == About::Nothing { "commands" } else { "actions" };
        let path = format!("/{folder}/{team}/{}/{}", self.response_urls.len() + 1, self.secret());
        let (team, user, channel) = (team.to_owned(), user.to_owned(), channel.to_owned());
        let since = self.now;
        self.response_urls.insert(path.clone(), ResponseUrl { team, user, channel, about, thread, since, uses: 0 });
        format!("{}{path}", self.url)
    }

    /// Counts one use.
    pub(crate) fn use_response_url(&mut self, path: &str) -> Result<ResponseUrl, &'static str> {
        let now = self.now;
        let found = self.response_urls.get_mut(path).ok_or("no_such_url")?;
        if now.since(found.since) > URL_LIFE {
            return Err("expired_url");
        }
        if found.uses >= URL_USES_MAX {
            return Err("used_url");
        }
        found.uses += 1;
        Ok(found.clone())
    }
}
