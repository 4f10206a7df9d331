//! Socket Mode: Slack's deliveries over WebSockets that we open, so that no public address is needed.
//!
//! ```text
//! apps.connections.open ─► wss://…  ◄─ hello, envelopes, disconnect      ─► acknowledgements, pings
//! warned of a disconnect: the next socket is opened before this one closes. Silent for half a minute: given up.
//! ```
//! Several sockets are open at once, and each envelope comes through one of them. An envelope that could not be taken
//! is not acknowledged, so Slack brings it again. Source: Slack docs, "Using Socket Mode".

use crate::Slack;
use crate::answer::Told;
use crate::receive::Unreadable;
use crate::wire::{Interaction, Outer, SlashCommand};
use futures::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use till_core::port::chat::{SendError, Stop};
use till_core::time::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

/// How often we ask whether the other end is there.
const PING: Duration = Duration::from_secs(10);
/// A socket that has answered none of this many pings in a row, and said nothing else, is dead.
const PINGS_UNANSWERED_MAX: u32 = 3;
/// How long a socket that Slack is about to close is still listened to; also how long a sign of life counts, at least.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long what is being answered may still take when we are to stop.
const LAST_ACKS: Duration = Duration::from_secs(3);
/// Between two tries, and at most.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// When any socket last said something.
#[derive(Default)]
pub(crate) struct Line {
    heard_at_ms: AtomicI64,
}

impl Line {
    fn heard(&self, now: Timestamp) {
        self.heard_at_ms.fetch_max(now.ms(), Ordering::Relaxed);
    }

    /// Whether a socket has shown life lately.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        now.ms().saturating_sub(self.heard_at_ms.load(Ordering::Relaxed)) < 2 * 1000 * SILENCE.as_secs() as i64
    }
}

#[derive(Deserialize)]
struct Opened {
    url: String,
}

/// What comes through a socket.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    envelope_id: Option<String>,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    reason: String,
}

/// Why a socket ended.
enum End {
    /// Slack said that it would, or it closed.
    Closed,
    /// We are to stop.
    Stopped,
}

impl Slack {
    /// Keeps the sockets open until `stop`; without an app token there are none.
    pub(crate) async fn hold_the_line(self: Arc<Self>, stop: Stop) {
        let stopped = Arc::new(Notify::new());
        let mut sockets = JoinSet::new();
        let slack = self.clone();
        sockets.spawn(async move { slack.introduce().await });
        if self.settings.app_token.is_some() {
            for _ in 0..self.settings.connections.clamp(1, 10) {
                sockets.spawn(self.clone().keep_open(stopped.clone()));
            }
        }
        stop.await;
        // A socket that is being opened at this moment hears nothing, so it is cut a little later than the last answer.
        for _ in 0..35 {
            stopped.notify_waiters();
            if sockets.is_empty() {
                break;
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), sockets.join_next()).await;
        }
        sockets.shutdown().await;
    }

    /// Learns which workspace the token belongs to, as soon as Slack can be asked.
    async fn introduce(&self) {
        let mut pause = PAUSE_MIN;
        while let Err(error) = self.know_workspace().await {
            tracing::warn!(%error, "Slack did not say which workspace this is: {error}");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn keep_open(self: Arc<Self>, stopped: Arc<Notify>) {
        let mut pause = PAUSE_MIN;
        loop {
            let opened = self.now();
            match self.clone().one_socket(&stopped).await {
                Ok(End::Stopped) => return,
                Ok(End::Closed) => pause = PAUSE_MIN,
                Err(error) => {
                    tracing::warn!(%error, "a socket to Slack was lost: {error}");
                    // One that worked for long says nothing about the next.
                    if self.now().since(opened) > PAUSE_MAX {
                        pause = PAUSE_MIN;
                    }
                    tokio::select! {
                        () = stopped.notified() => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    async fn one_socket(self: Arc<Self>, stopped: &Notify) -> Result<End, SendError> {
        let url = self.socket_url().await?;
        let connected = tokio::time::timeout(CONNECT, tokio_tungstenite::connect_async(url.as_str())).await;
        let unreachable = || SendError::Later { wait: None };
        let (stream, _) = connected.map_err(|_| unreachable())?.map_err(|_| unreachable())?;
        let (mut writer, mut reader) = stream.split();
        let (acks, mut to_send) = mpsc::unbounded_channel::<String>();
        let mut ping = tokio::time::interval(PING);
        let mut unanswered = 0;
        loop {
            tokio::select! {
                () = stopped.notified() => {
                    // Nothing more is taken; what was taken is acknowledged, or Slack would bring it again.
                    drop(acks);
                    let last = async {
                        while let Some(ack) = to_send.recv().await {
                            if writer.send(Message::text(ack)).await.is_err() {
                                return;
                            }
                        }
                    };
                    let _ = tokio::time::timeout(LAST_ACKS, last).await;
                    let _ = writer.close().await;
                    return Ok(End::Stopped);
                }
                Some(ack) = to_send.recv() => {
                    writer.send(Message::text(ack)).await.map_err(|_| unreachable())?;
                }
                _ = ping.tick() => {
                    if unanswered > PINGS_UNANSWERED_MAX {
                        tracing::warn!("a socket to Slack has gone silent: opening another");
                        return Ok(End::Closed);
                    }
                    unanswered += 1;
                    writer.send(Message::Ping(Vec::new().into())).await.map_err(|_| unreachable())?;
                }
                frame = reader.next() => {
                    unanswered = 0;
                    self.line.heard(self.now());
                    match frame {
                        None => return Ok(End::Closed),
                        Some(Err(_)) => return Err(unreachable()),
                        Some(Ok(Message::Text(text))) => {
                            if self.clone().take(&text, &acks) == Goes::Away {
                                // What comes through it until it closes is still taken; the next one opens meanwhile.
                                let slack = self.clone();
                                tokio::spawn(slack.drain(writer, reader, to_send));
                                return Ok(End::Closed);
                            }
                        }
                        Some(Ok(Message::Close(_))) => return Ok(End::Closed),
                        Some(Ok(_)) => {}
                    }
                }
            }
        }
    }

    pub(crate) async fn socket_url(&self) -> Result<String, SendError> {
        let token = self.settings.app_token.as_ref().ok_or(SendError::AuthDead)?;
        let opened: Opened = self.api.call(token, "apps.connections.open", &json!({}), self.now()).await?;
        Ok(opened.url)
    }

    /// Takes what still comes through a socket that Slack is about to close.
    async fn drain<S>(
        self: Arc<Self>,
        mut writer: futures::stream::SplitSink<S, Message>,
        mut reader: futures::stream::SplitStream<S>,
        mut to_send: mpsc::UnboundedReceiver<String>,
    ) where
        S: futures::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>>
            + futures::Sink<Message>
            + Unpin,
    {
        let (acks, mut more) = mpsc::unbounded_channel::<String>();
        let until = tokio::time::sleep(SILENCE);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                Some(ack) = to_send.recv() => if writer.send(Message::text(ack)).await.is_err() { return },
                Some(ack) = more.recv() => if writer.send(Message::text(ack)).await.is_err() { return },
                frame = reader.next() => match frame {
                    Some(Ok(Message::Text(text))) => drop(self.clone().take(&text, &acks)),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                }
            }
        }
    }

    /// Takes one frame; its acknowledgement goes to `acks` when it is done.
    fn take(self: Arc<Self>, text: &str, acks: &mpsc::UnboundedSender<String>) -> Goes {
        let frame: Frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::error!(line = error.line(), column = error.column(), "Slack sent a frame that cannot be read");
                return Goes::On;
            }
        };
        if frame.kind == "disconnect" {
            tracing::info!(reason = %frame.reason, "Slack closes a socket ({}): opening another", frame.reason);
            return Goes::Away;
        }
        let Some(envelope) = frame.envelope_id else { return Goes::On };
        let acks = acks.clone();
        tokio::spawn(async move {
            let told = match self.read(&frame.kind, frame.payload) {
                Ok(told) => told,
                Err(unreadable) => {
                    // To refuse it would bring it again and again.
                    tracing::error!(kind = %frame.kind, "Slack sent something that this version does not know: {unreadable}");
                    Told::default()
                }
            };
            let answer = self.hear(told).await;
            if answer.is_to_come_again {
                return;
            }
            let mut ack = json!({ "envelope_id": envelope });
            if let Some(payload) = answer.ack {
                ack["payload"] = payload;
            }
            // The socket may have closed: then Slack brings the envelope again, and its keys are known.
            let _ = acks.send(ack.to_string());
            drop(acks);
            if let Some(next) = answer.next {
                self.follow(next).await;
            }
        });
        Goes::On
    }

    fn read(&self, kind: &str, payload: Value) -> Result<Told, Unreadable> {
        Ok(match kind {
            "slash_commands" => self.told_of_command(serde_json::from_value::<SlashCommand>(payload)?),
            "interactive" => self.told_of_interaction(serde_json::from_value::<Interaction>(payload)?),
            "events_api" => self.told_of_event(serde_json::from_value::<Outer>(payload)?),
            _ => Told::default(),
        })
    }
}

/// Whether a socket goes on.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    Away,
}
