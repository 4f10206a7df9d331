//! Slack as one of the platforms that Till posts to.

use crate::api::CallError;
use crate::people::parts;
use crate::{Access, PLATFORM, Slack, render};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use till_core::card::Card;
use till_core::keys::hmac;
use till_core::order::IdemKey;
use till_core::place::{MessageRef, PersonId, Place};
use till_core::port::chat::{Caps, Chat, Health, Person, Private, Rendered, Retracted, SendError, Stop, Twins};
use till_core::port::desk::Desk;
use till_core::text::Locale;
use till_core::time::Timestamp;

/// What a message of ours can hold.
///
/// Source: Slack docs, "Block Kit": a button's URL, 3,000 characters; `chat.update`, 4,000 characters of text. Buttons
/// are as many as fit side by side on a phone.
const CAPS: Caps = Caps {
    text_max: 4_000,
    buttons_max: 5,
    url_max: 3_000,
    private: Private::Here,
    twins: Twins::Posted { wait: Duration::from_secs(30) },
};

/// `event_type` of the metadata that our messages carry.
const METADATA: &str = "till_message";
/// How far back an unclear post is looked for, in messages.
const LOOK_BACK: u32 = 15;
/// And in time.
const FOUND_WITHIN: Duration = Duration::from_secs(15 * 60);
/// How long what a look at Slack found is told again, where all was well and where it was not.
const WELL: Duration = Duration::from_secs(30);
const ILL: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
struct Posted {
    channel: String,
    ts: String,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    messages: Vec<Past>,
}

#[derive(Deserialize)]
struct Past {
    ts: String,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct AuthTest {
    team_id: String,
}

#[async_trait]
impl Chat for Slack {
    fn name(&self) -> &'static str {
        PLATFORM
    }

    fn caps(&self, _at: &Place) -> Caps {
        CAPS
    }

    fn render(&self, card: &Card, caps: &Caps, locale: &Locale) -> Rendered {
        render::card(card, caps, locale)
    }

    fn say(&self, text: &str, to: &[PersonId], caps: &Caps) -> Rendered {
        render::text(text, to, caps)
    }

    fn listed_as(&self, who: &PersonId) -> Option<String> {
        Some(who.to_string())
    }

    async fn listen(self: Arc<Self>, desk: Arc<dyn Desk>, stop: Stop) -> Result<(), SendError> {
        *self.desk.write().await = Some(desk);
        self.clone().hold_the_line(stop).await;
        // Waits for everybody who is being answered.
        *self.desk.write().await = None;
        self.settle().await;
        Ok(())
    }

    async fn post(
        &self,
        to: &Place,
        message: &Rendered,
        key: &IdemKey,
        _now: Timestamp,
    ) -> Result<MessageRef, SendError> {
        self.put(to, to.thread.as_deref(), message, key).await
    }

    async fn find(&self, at: &Place, key: &IdemKey, now: Timestamp) -> Result<Option<MessageRef>, SendError> {
        // Replies come oldest first: without a beginning, those of yesterday would be looked at.
        let oldest = format!("{}.000000", now.before(FOUND_WITHIN).secs());
        let body = json!({
            "channel": at.channel, "limit": LOOK_BACK, "oldest": oldest, "include_all_metadata": true,
        });
        let (method, body) = match &at.thread {
            Some(thread) => {
                let mut body = body;
                body["ts"] = thread.as_str().into();
                ("conversations.replies", body)
            }
            None => ("conversations.history", body),
        };
        let history: History = match self.call(&at.workspace, method, body).await {
            Ok(history) => history,
            // The app may not read here, which is its usual state: then nothing can be found.
            Err(SendError::Forbidden | SendError::Gone) => return Ok(None),
            Err(error) => return Err(error),
        };
        let wanted = mark(key);
        let ours = |past: &Past| past.metadata["event_payload"]["key"] == *wanted;
        let found = history.messages.into_iter().find(ours);
        Ok(found.map(|past| MessageRef { place: at.clone(), id: past.ts }))
    }

    async fn edit(&self, at: &MessageRef, message: &Rendered, _now: Timestamp) -> Result<(), SendError> {
        if !is_ts(&at.id) {
            return Err(SendError::Gone);
        }
        let mut body = owned(&at.place, message);
        body["ts"] = at.id.as_str().into();
        // Text without blocks would leave the old ones in some clients: an empty list takes them away.
        if body.get("blocks").is_none() {
            body["blocks"] = json!([]);
        }
        self.call::<Value>(&at.place.workspace, "chat.update", body).await.map(drop)
    }

    async fn reply(
        &self,
        at: &MessageRef,
        message: &Rendered,
        key: &IdemKey,
        _now: Timestamp,
    ) -> Result<MessageRef, SendError> {
        let thread = at.place.thread.as_deref().unwrap_or(&at.id);
        self.put(&at.place, Some(thread), message, key).await
    }

    /// What must not be lost is a message, not an ephemeral one, which Slack shows only to who is there at the moment.
    async fn whisper(
        &self,
        to: &PersonId,
        at: &Place,
        message: &Rendered,
        key: &IdemKey,
        _now: Timestamp,
    ) -> Result<(), SendError> {
        let (_, user) = parts(&to.id).filter(|_| to.platform == PLATFORM).ok_or(SendError::Forbidden)?;
        match self.direct(&at.workspace, user, &message.body, Some(metadata(key))).await {
            Err(SendError::Gone) => Err(SendError::Forbidden),
            said => said,
        }
    }

    /// An app deletes what it wrote itself; an administrator's token deletes what others did, where the workspace lets them.
    async fn retract(
        &self,
        at: &MessageRef,
        writer: &PersonId,
        please: &Rendered,
        now: Timestamp,
    ) -> Result<Retracted, SendError> {
        if let Some(token) = &self.settings.admin_token {
            let body = json!({ "channel": at.place.channel, "ts": at.id });
            match self.api.call::<Value>(token, "chat.delete", &body, now).await {
                Ok(_) => return Ok(Retracted::Removed),
                Err(CallError::Refused(code)) if code != "message_not_found" => {
                    tracing::warn!("a message was not taken away with slack.admin_token: Slack says `{code}`");
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.say_privately(writer, &at.place, &please.body).await.map(|()| Retracted::Asked)
    }

    async fn person(&self, who: &PersonId, at: &Place) -> Result<Option<Person>, SendError> {
        self.look_up(who, &at.workspace).await
    }

    /// Asked of Slack twice a minute, as long as all is well: whoever looks more often is told what was found then.
    async fn probe(&self) -> Health {
        let now = self.now();
        let mut found = self.found.lock().await;
        if let Some((at, health)) = found.as_ref() {
            let told_again = if *health == Health::Well { WELL } else { ILL };
            if now.since(*at) < told_again {
                return health.clone();
            }
        }
        let health = self.examine().await;
        *found = Some((now, health.clone()));
        health
    }
}

impl Slack {
    /// Whether a till that is not running could open sockets: the app token is asked about, and no socket is opened.
    /// `None`: there is none, and so no Socket Mode.
    pub async fn could_listen(&self) -> Option<Health> {
        self.settings.app_token.as_ref()?;
        Some(match of_token(self.socket_url().await.map(drop)) {
            Health::Ill(why) => Health::Ill(format!("the app token, or Socket Mode: {why}")),
            Health::Well => Health::Well,
        })
    }

    /// Whether Slack takes the token for this workspace; without one, the bot's own.
    pub async fn could_talk(&self, workspace: Option<&str>) -> Health {
        match workspace {
            None => of_token(self.know_workspace().await),
            Some(workspace) => of_token(self.call::<Value>(workspace, "auth.test", json!({})).await.map(drop)),
        }
    }

    /// A workspace that took Till out again makes nothing ill: the others go on.
    async fn examine(&self) -> Health {
        match of_token(self.know_workspace().await) {
            Health::Well if self.settings.app_token.is_some() && !self.line.is_open(self.now()) => {
                Health::Ill("no socket to Slack is open: is Socket Mode on, and the app token right?".to_owned())
            }
            health => health,
        }
    }

    /// Asks whose token it is, where there is one for all.
    pub(crate) async fn know_workspace(&self) -> Result<(), SendError> {
        let Access::Own { token, workspace } = &self.access else { return Ok(()) };
        let told: AuthTest = self.api.call(token, "auth.test", &json!({}), self.now()).await?;
        let known = workspace.get_or_init(|| told.team_id.clone());
        if *known == told.team_id {
            Ok(())
        } else {
            Err(SendError::Bug("the token is of another workspace now".into()))
        }
    }

    async fn put(
        &self,
        to: &Place,
        thread: Option<&str>,
        message: &Rendered,
        key: &IdemKey,
    ) -> Result<MessageRef, SendError> {
        let mut body = owned(to, message);
        body["unfurl_links"] = false.into();
        body["unfurl_media"] = false.into();
        body["metadata"] = metadata(key);
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
        }
        let posted: Posted = self.call(&to.workspace, "chat.postMessage", body).await?;
        // Slack may name the channel anew, as it does for a person's id: edits need that name.
        let place = Place { channel: posted.channel, ..to.clone() };
        Ok(MessageRef { place, id: posted.ts })
    }
}

fn of_token(asked: Result<(), SendError>) -> Health {
    match asked {
        Ok(()) => Health::Well,
        Err(SendError::AuthDead) => {
            Health::Ill("Slack refuses the token: install the app again and put the new one in place".to_owned())
        }
        Err(error) => Health::Ill(format!("Slack cannot be asked: {error}")),
    }
}

/// The message for this channel; its buttons say which installation posted them.
fn owned(place: &Place, message: &Rendered) -> Value {
    let mut body = message.body.clone();
    body["channel"] = place.channel.as_str().into();
    for block in body["blocks"].as_array_mut().into_iter().flatten().filter(|block| block["type"] == "actions") {
        block["block_id"] = format!("{}|card", place.workspace).into();
    }
    if body["blocks"].is_null()
        && let Some(body) = body.as_object_mut()
    {
        body.remove("blocks");
    }
    body
}

fn metadata(key: &IdemKey) -> Value {
    json!({ "event_type": METADATA, "event_payload": { "key": mark(key) } })
}

/// The key as others may see it.
fn mark(key: &IdemKey) -> String {
    hex::encode(&hmac(b"slack message", key.as_str().as_bytes())[..16])
}

/// What Slack calls a message: `1795372200.000100`.
fn is_ts(id: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    id.split_once('.').is_some_and(|(secs, rest)| digits(secs) && digits(rest))
}
