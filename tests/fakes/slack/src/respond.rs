//! Response URLs and acknowledgements with a body: messages that no method can change.

use crate::call::Params;
use crate::chat::Post;
use crate::refusal::Refusal;
use crate::state::Content;
use crate::trigger::{About, ResponseUrl};
use crate::world::World;
use serde_json::Value;

impl World {
    /// `POST` to a response URL: the status and Slack's word.
    pub(crate) fn respond(&mut self, path: &str, params: Result<&Params, Refusal>) -> (u16, String) {
        let url = match self.use_response_url(path) {
            Ok(url) => url,
            Err(error) => return (404, error.to_owned()),
        };
        let done = params.and_then(|params| self.say_back(&url, params));
        match done {
            Ok(_) => (200, "ok".to_owned()),
            Err(refusal) => (400, refusal.error),
        }
    }

    /// What a response does; the time of the message that it made or changed.
    pub(crate) fn say_back(&mut self, url: &ResponseUrl, params: &Params) -> Result<Option<String>, Refusal> {
        if params.flag("delete_original") {
            match &url.about {
                About::Nothing => return Err(Refusal::new("no_original")),
                About::Message(ts) => self.remove(&url.channel, ts),
                About::Whisper(ts) => self.whispers.retain(|whisper| whisper.ts != *ts),
            }
            return Ok(None);
        }
        let content = Content::read(params)?;
        // For a command there is nothing to replace: a new message comes. Source: bolt-js#2287.
        match &url.about {
            About::Message(ts) if params.flag("replace_original") => {
                let content = content.with_ids(self);
                let message = self.message_mut(&url.channel, ts).ok_or_else(|| Refusal::new("message_not_found"))?;
                message.edits += 1;
                message.before.push(std::mem::replace(&mut message.content, content));
                let ts = ts.clone();
                self.tell_changed(&url.channel, &ts);
                return Ok(Some(ts));
            }
            About::Whisper(ts) if params.flag("replace_original") => {
                let content = content.with_ids(self);
                let whisper = self.whispers.iter_mut().find(|whisper| whisper.ts == *ts);
                whisper.ok_or_else(|| Refusal::new("message_not_found"))?.content = content;
                return Ok(Some(ts.clone()));
            }
            About::Nothing | About::Message(_) | About::Whisper(_) => {}
        }
        let thread = match params.text("thread_ts") {
            Some(_) => self.thread_of(&url.channel, params)?,
            None => url.thread.clone(),
        };
        if params.text("response_type").as_deref() != Some("in_channel") {
            return Ok(Some(self.whisper(&url.team, &url.channel, &url.user, content, thread)));
        }
        if self.channel(&url.channel).archived {
            return Err(Refusal::new("channel_is_archived"));
        }
        let channel = url.channel.clone();
        let post = Post { channel, content, thread, broadcast: false, metadata: None, by_response: true };
        Ok(Some(self.post(&url.team, post)))
    }

    /// The body of an acknowledgement, which says something at once; only commands have that.
    pub(crate) fn acknowledged(&mut self, response_url: &str, body: &Value) -> Option<String> {
        let said = match body {
            Value::Null => return None,
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => serde_json::json!({ "text": text }),
            other if other.as_object().is_some_and(serde_json::Map::is_empty) => return None,
            other => other.clone(),
        };
        let path = response_url.strip_prefix(&self.url).unwrap_or_default();
        let url = self.response_urls.get(path)?.clone();
        match self.say_back(&url, &Params::of(&said)) {
            Ok(ts) => ts,
            Err(refusal) => {
                self.complaints.push(format!("the acknowledgement was not shown: {}", refusal.body()));
                None
            }
        }
    }
}
