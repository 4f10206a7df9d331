//! One delivery to the app: signed and posted, or an envelope on a socket; and what came back.

use crate::Inner;
use crate::settings::Way;
use crate::world::World;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;
use till_core::keys::hmac;

/// What is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An event.
    Event,
    /// A slash command.
    Command,
    /// A click, a shortcut, a modal.
    Interaction,
}

/// Something the app is told.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) kind: Kind,
    /// `message`, `/pay`, `block_actions`.
    pub(crate) name: String,
    pub(crate) payload: Value,
    /// Attempts so far.
    pub(crate) tries: u32,
    pub(crate) reason: &'static str,
    pub(crate) accepted: bool,
    /// The app said that it wants it no more, or Slack has tried often enough.
    pub(crate) given_up: bool,
}

/// A delivery, as a test sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered {
    /// Which one, for [`crate::Slack::again`].
    pub n: usize,
    /// What it is.
    pub kind: Kind,
    /// `message`, `/pay`, `block_actions`.
    pub name: String,
    /// The fields of a command, the payload of an interaction, the envelope of an event.
    pub payload: Value,
    /// Attempts so far.
    pub tries: u32,
    /// Whether the app accepted it.
    pub accepted: bool,
}

/// What came back, and what the person saw.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Which delivery it was, for [`crate::Slack::again`].
    pub n: usize,
    /// The HTTP status, 200 for an acknowledgement on a socket, none where nothing came in time.
    pub status: Option<u16>,
    /// JSON, or text as a string, or null for an empty one.
    pub body: Value,
    /// By the wall clock.
    pub elapsed: Duration,
    /// `operation_timeout`, `dispatch_failed` or `no_such_command`, as the person is shown.
    pub error: Option<&'static str>,
    /// Of a command or interaction.
    pub trigger_id: String,
    /// Of a command, a click in a message, or a message shortcut.
    pub response_url: String,
    /// The message that the body of the acknowledgement made.
    pub ts: Option<String>,
    pub(crate) no_retry: bool,
}

impl Answer {
    /// Whether the app acknowledged in time.
    pub fn is_ok(&self) -> bool {
        self.error.is_none()
    }

    /// Whether the person saw that it took too long.
    pub fn operation_timeout(&self) -> bool {
        self.error == Some("operation_timeout")
    }

    fn failed(error: &'static str) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

/// `v0=…` over `v0:time:body`. Source: docs.slack.dev, "Verifying requests from Slack".
pub fn signature(secret: &str, secs: i64, body: &[u8]) -> String {
    let signed = [format!("v0:{secs}:").as_bytes(), body].concat();
    format!("v0={}", hex::encode(hmac(secret.as_bytes(), &signed)))
}

/// The headers that a retry has: how many came before, and why.
pub(crate) type Retry = Option<(u32, &'static str)>;

impl World {
    pub(crate) fn parcel(&mut self, kind: Kind, name: &str, payload: Value) -> usize {
        let name = name.to_owned();
        let (tries, reason, accepted, given_up) = (0, "", false, false);
        self.parcels.push(Parcel { kind, name, payload, tries, reason, accepted, given_up });
        self.parcels.len() - 1
    }
}

impl Parcel {
    /// Content type and body of an HTTP delivery.
    fn wire(&self) -> (&'static str, Bytes) {
        const FORM: &str = "application/x-www-form-urlencoded";
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        match self.kind {
            Kind::Event => return ("application/json", self.payload.to_string().into()),
            Kind::Interaction => drop(form.append_pair("payload", &self.payload.to_string())),
            Kind::Command => {
                for (name, value) in self.payload.as_object().expect("fields") {
                    form.append_pair(name, value.as_str().expect("a text"));
                }
            }
        }
        (FORM, form.finish().into())
    }
}

impl Inner {
    /// One attempt.
    #[allow(clippy::disallowed_methods, reason = "how long an app takes is measured by the wall clock")]
    pub(crate) async fn deliver(&self, n: usize, retry: Retry) -> Answer {
        let (way, parcel, within, latency) = {
            let mut world = self.lock();
            world.parcels[n].tries += 1;
            (world.way, world.parcels[n].clone(), world.settings.ack_within, world.ack_latency)
        };
        let began = std::time::Instant::now();
        let attempt = async {
            let answer = match way {
                Way::Http => self.by_http(&parcel, retry).await,
                Way::Socket => self.by_socket(&parcel, retry).await,
            };
            tokio::time::sleep(latency).await;
            answer
        };
        let answer = tokio::time::timeout(within, attempt).await;
        let mut answer = answer.unwrap_or_else(|_| Answer::failed("operation_timeout"));
        (answer.n, answer.elapsed) = (n, began.elapsed());
        let text = |key: &str| parcel.payload[key].as_str().unwrap_or_default().to_owned();
        (answer.trigger_id, answer.response_url) = (text("trigger_id"), text("response_url"));
        let mut world = self.lock();
        let kept = &mut world.parcels[n];
        kept.accepted |= answer.is_ok();
        kept.given_up |= answer.no_retry;
        kept.reason = match (answer.error, answer.status) {
            (Some("operation_timeout"), _) => "http_timeout",
            (_, Some(_)) => "http_error",
            (_, None) => "connection_failed",
        };
        if parcel.kind == Kind::Command && answer.is_ok() {
            answer.ts = world.acknowledged(&answer.response_url, &answer.body);
        }
        answer
    }

    async fn by_http(&self, parcel: &Parcel, retry: Retry) -> Answer {
        let (kind, body) = parcel.wire();
        let mut request = {
            let world = self.lock();
            let secs = world.now.secs() + world.skew_secs;
            let secret = world.forged.as_deref().unwrap_or(&world.settings.signing_secret);
            let post = self.http.post(&world.request_urls[parcel.kind as usize]);
            post.header("content-type", kind)
                .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
                .header("x-slack-request-timestamp", secs.to_string())
                .header("x-slack-signature", signature(secret, secs, &body))
        };
        if let Some((num, reason)) = retry {
            request = request.header("x-slack-retry-num", num.to_string()).header("x-slack-retry-reason", reason);
        }
        let Ok(answer) = request.body(body).send().await else { return Answer::failed("dispatch_failed") };
        let status = answer.status();
        let no_retry = answer.headers().get("x-slack-no-retry").is_some_and(|value| value == "1");
        let Ok(text) = answer.text().await else { return Answer::failed("dispatch_failed") };
        let body = match serde_json::from_str(&text) {
            Ok(read) => read,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => text.into(),
        };
        let error = if status.is_success() { None } else { Some("dispatch_failed") };
        Answer { status: Some(status.as_u16()), body, error, no_retry, ..Answer::default() }
    }

    async fn by_socket(&self, parcel: &Parcel, retry: Retry) -> Answer {
        let mut envelope = json!({
            "payload": parcel.payload, "accepts_response_payload": parcel.kind != Kind::Event,
            "type": match parcel.kind {
                Kind::Event => "events_api",
                Kind::Command => "slash_commands",
                Kind::Interaction => "interactive",
            },
        });
        if parcel.kind == Kind::Event {
            let (num, reason) = retry.unwrap_or_default();
            // On sockets the reasons have no `http_`.
            envelope["retry_attempt"] = num.into();
            envelope["retry_reason"] = reason.trim_start_matches("http_").into();
        }
        let Some(acked) = self.lock().send_envelope(envelope) else { return Answer::failed("dispatch_failed") };
        let Ok(body) = acked.await else { return Answer::failed("dispatch_failed") };
        let body = if parcel.kind == Kind::Event { Value::Null } else { body };
        Answer { status: Some(200), body, ..Answer::default() }
    }
}
