//! Socket Mode: WebSockets on which envelopes go to the app and acknowledgements come back.
//!
//! ```text
//! apps.connections.open ─► ws://…/link?ticket=… (once) ─► hello ─► envelopes, each to one connection in turn ◄─► acks
//! ```
//! Source: docs.slack.dev, "Using Socket Mode".

use crate::call::Params;
use crate::refusal::Refusal;
use crate::tokens::Caller;
use crate::world::World;
use crate::{Inner, Slack};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

const CONNECTIONS_MAX: usize = 10;

/// The connections of the app.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    tickets: BTreeSet<String>,
    open: Vec<Socket>,
    opened: u64,
    turn: usize,
    waiting: BTreeMap<String, oneshot::Sender<Value>>,
}

#[derive(Debug)]
struct Socket {
    id: u64,
    orders: mpsc::UnboundedSender<Order>,
    pongs: usize,
    closing: bool,
}

#[derive(Debug)]
enum Order {
    Text(String),
    Ping,
    Close,
    Cut,
    Silence,
}

/// `apps.connections.open`
pub(crate) fn open(world: &mut World, _: &Caller, _: &Params) -> Result<Value, Refusal> {
    let ticket = world.secret();
    world.sockets.tickets.insert(ticket.clone());
    let url = format!("{}/link?ticket={ticket}&app_id={}", world.socket_url, world.settings.app_id);
    Ok(json!({"ok": true, "url": url}))
}

fn debug() -> Value {
    json!({"host": "applink-fake", "build_number": 1, "approximate_connection_time": 18_060})
}

impl World {
    /// Sends an envelope to the connection whose turn it is; none where there is no connection.
    pub(crate) fn send_envelope(&mut self, mut envelope: Value) -> Option<oneshot::Receiver<Value>> {
        let id = self.secret();
        envelope["envelope_id"] = id.clone().into();
        let sockets = &mut self.sockets;
        let ready: Vec<&Socket> = sockets.open.iter().filter(|socket| !socket.closing).collect();
        if ready.is_empty() {
            return None;
        }
        sockets.turn += 1;
        let socket = ready[sockets.turn % ready.len()];
        socket.orders.send(Order::Text(envelope.to_string())).ok()?;
        let (acked, ack) = oneshot::channel();
        sockets.waiting.insert(id, acked);
        Some(ack)
    }

    /// The app said something on a socket; it should be an acknowledgement.
    fn heard(&mut self, text: &str) {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let id = said["envelope_id"].as_str().unwrap_or_default();
        match self.sockets.waiting.remove(id) {
            // Nobody waits any more when it came too late.
            Some(acked) => drop(acked.send(said["payload"].clone())),
            None => self.complaints.push(format!("no envelope is acknowledged by {text}")),
        }
    }
}

/// One TCP connection that may become a WebSocket.
pub(crate) async fn serve_one(inner: Arc<Inner>, stream: TcpStream) {
    #[allow(clippy::result_large_err, reason = "the type is tungstenite's")]
    let door = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let query = request.uri().query().unwrap_or_default();
        let ticket = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "ticket");
        let good = ticket.is_some_and(|(_, ticket)| inner.lock().sockets.tickets.remove(ticket.as_ref()));
        if good && request.uri().path() == "/link" {
            return Ok(response);
        }
        let mut refused = ErrorResponse::new(Some("invalid ticket".to_owned()));
        *refused.status_mut() = axum::http::StatusCode::FORBIDDEN;
        Err(refused)
    };
    let Ok(mut ws) = tokio_tungstenite::accept_hdr_async(stream, door).await else { return };
    let (orders, mut ordered) = mpsc::unbounded_channel();
    let opened = {
        let mut world = inner.lock();
        let app = world.settings.app_id.clone();
        let sockets = &mut world.sockets;
        if sockets.open.len() < CONNECTIONS_MAX {
            sockets.opened += 1;
            let id = sockets.opened;
            sockets.open.push(Socket { id, orders, pongs: 0, closing: false });
            let count = sockets.open.len();
            Ok((
                id,
                json!({
                    "type": "hello", "num_connections": count, "debug_info": debug(), "connection_info": {"app_id": app},
                }),
            ))
        } else {
            Err(json!({"type": "disconnect", "reason": "too_many_websockets", "debug_info": debug()}))
        }
    };
    match opened {
        Err(goodbye) => {
            ws.send(Message::text(goodbye.to_string())).await.ok();
            ws.close(None).await.ok();
        }
        Ok((id, hello)) => {
            if ws.send(Message::text(hello.to_string())).await.is_ok() {
                talk(&inner, id, &mut ws, &mut ordered).await;
            }
            inner.lock().sockets.open.retain(|socket| socket.id != id);
        }
    }
}

async fn talk(
    inner: &Inner,
    id: u64,
    ws: &mut WebSocketStream<TcpStream>,
    ordered: &mut mpsc::UnboundedReceiver<Order>,
) {
    let mut closing = false;
    loop {
        tokio::select! {
            order = ordered.recv(), if !closing => match order {
                None | Some(Order::Cut) => return,
                Some(Order::Text(text)) => if ws.send(Message::text(text)).await.is_err() { return },
                Some(Order::Ping) => if ws.send(Message::Ping(Vec::from(*b"fake").into())).await.is_err() { return },
                Some(Order::Close) => {
                    closing = true;
                    if ws.close(None).await.is_err() { return }
                }
                Some(Order::Silence) => return silent(ws.get_mut(), ordered).await,
            },
            frame = ws.next() => match frame {
                Some(Ok(Message::Text(text))) => inner.lock().heard(&text),
                Some(Ok(Message::Pong(_))) => {
                    let mut world = inner.lock();
                    if let Some(socket) = world.sockets.open.iter_mut().find(|socket| socket.id == id) {
                        socket.pongs += 1;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

/// Reads and drops what comes, and never says a word again; not even pings are answered.
async fn silent(stream: &mut TcpStream, ordered: &mut mpsc::UnboundedReceiver<Order>) {
    let mut dropped = [0; 4096];
    loop {
        tokio::select! {
            order = ordered.recv() => if matches!(order, None | Some(Order::Cut)) { return },
            read = stream.read(&mut dropped) => if !matches!(read, Ok(1..)) { return },
        }
    }
}

impl Slack {
    fn order(&self, at: usize, order: Order) {
        let world = self.lock();
        let socket = world.sockets.open.get(at).unwrap_or_else(|| panic!("there is no socket {at}"));
        socket.orders.send(order).expect("an open socket");
    }

    /// How many WebSockets are open.
    pub fn sockets(&self) -> usize {
        self.lock().sockets.open.len()
    }

    /// Waits until so many WebSockets are open.
    pub async fn until_sockets(&self, count: usize) {
        while self.sockets() != count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends a `disconnect` frame on one socket (the oldest is 0): `warning` leaves it open, `refresh_requested` and
    /// `link_disabled` close it.
    pub fn disconnect(&self, at: usize, reason: &str) {
        let frame = json!({"type": "disconnect", "reason": reason, "debug_info": debug()});
        self.order(at, Order::Text(frame.to_string()));
        if reason != "warning" {
            self.order(at, Order::Close);
            self.lock().sockets.open[at].closing = true;
        }
    }

    /// Cuts one socket without a word.
    pub fn drop_socket(&self, at: usize) {
        self.order(at, Order::Cut);
    }

    /// One socket stays open and is dead: what comes is dropped, what should go out is not sent.
    pub fn silence_socket(&self, at: usize) {
        self.order(at, Order::Silence);
    }

    /// A WebSocket ping on one socket.
    pub fn ping(&self, at: usize) {
        self.order(at, Order::Ping);
    }

    /// How many pings the app answered on one socket.
    pub fn pongs(&self, at: usize) -> usize {
        self.lock().sockets.open[at].pongs
    }
}
