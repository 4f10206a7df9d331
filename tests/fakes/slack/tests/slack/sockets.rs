//! Socket Mode: tickets, envelopes, acknowledgements, disconnects, and a connection that is dead.

use crate::app::Stand;
use fake_slack::{Settings, Way};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const APP: &str = "xapp-1-A0TILL-1-secret";

type Ws = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn stand() -> Stand {
    let ack_within = Duration::from_millis(150);
    Stand::with(Settings { way: Way::Socket, ack_within, ..Settings::test() }).await
}

async fn ticket(stand: &Stand) -> String {
    stand.call_as(APP, "apps.connections.open", json!({})).await["url"].as_str().unwrap().to_owned()
}

async fn connect(stand: &Stand) -> Ws {
    connect_async(ticket(stand).await).await.unwrap().0
}

/// The next text frame.
async fn next(ws: &mut Ws) -> Value {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(2), ws.next()).await.unwrap().unwrap().unwrap();
        if let Message::Text(text) = frame {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

async fn ack(ws: &mut Ws, envelope: &Value, payload: Option<Value>) {
    let mut said = json!({"envelope_id": envelope["envelope_id"]});
    if let Some(payload) = payload {
        said["payload"] = payload;
    }
    ws.send(Message::text(said.to_string())).await.unwrap();
}

#[tokio::test]
async fn a_ticket_opens_one_connection_which_says_hello() {
    let stand = stand().await;
    let url = ticket(&stand).await;
    let (mut ws, _) = connect_async(&url).await.unwrap();
    let hello = next(&mut ws).await;
    assert_eq!((&hello["type"], &hello["num_connections"]), (&json!("hello"), &json!(1)));
    assert_eq!(hello["connection_info"]["app_id"], "A0TILL");
    assert!(hello["debug_info"]["approximate_connection_time"].is_number());
    assert!(connect_async(&url).await.is_err(), "a ticket is used once");
    let mut second = connect(&stand).await;
    assert_eq!(next(&mut second).await["num_connections"], 2);
    drop(second);
    stand.slack.until_sockets(1).await;
}

#[tokio::test]
async fn a_command_is_acknowledged_with_what_the_person_sees() {
    let stand = stand().await;
    let mut ws = connect(&stand).await;
    next(&mut ws).await;
    let slack = stand.slack.clone();
    let command = tokio::spawn(async move { slack.command("U0ANA", "C0SALES", "/pay", "25 EUR").await });
    let envelope = next(&mut ws).await;
    assert_eq!((&envelope["type"], &envelope["accepts_response_payload"]), (&json!("slash_commands"), &json!(true)));
    assert_eq!(envelope["payload"]["text"], "25 EUR");
    assert!(envelope.get("retry_attempt").is_none());
    ack(&mut ws, &envelope, Some(json!({"text": "Here"}))).await;
    let answer = command.await.unwrap();
    assert_eq!((answer.status, answer.body["text"].as_str()), (Some(200), Some("Here")));
    assert_eq!(stand.slack.whispers("C0SALES", "U0ANA")[0].text, "Here");
    ack(&mut ws, &json!({"envelope_id": "nonsense"}), None).await;
    let slack = stand.slack.clone();
    let command = tokio::spawn(async move { slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await });
    next(&mut ws).await;
    assert!(command.await.unwrap().operation_timeout());
    assert_eq!(stand.slack.complaints().len(), 1);
}

#[tokio::test]
async fn an_event_that_is_not_acknowledged_comes_again_on_another_connection() {
    let stand = stand().await;
    let (mut first, mut second) = (connect(&stand).await, connect(&stand).await);
    next(&mut first).await;
    next(&mut second).await;
    let slack = stand.slack.clone();
    let say = tokio::spawn(async move { slack.say("U0ANA", "C0SALES", "hello", None).await });
    let envelope = next(&mut second).await;
    assert_eq!((&envelope["type"], &envelope["accepts_response_payload"]), (&json!("events_api"), &json!(false)));
    assert_eq!((&envelope["retry_attempt"], &envelope["retry_reason"]), (&json!(0), &json!("")));
    let again = next(&mut first).await;
    assert_eq!((&again["retry_attempt"], &again["retry_reason"]), (&json!(1), &json!("timeout")));
    assert_eq!(again["payload"], envelope["payload"]);
    assert_ne!(again["envelope_id"], envelope["envelope_id"]);
    ack(&mut first, &again, None).await;
    assert!(say.await.unwrap().1[0].is_ok());
    assert_eq!(stand.slack.retry_events().await.len(), 0);
}

#[tokio::test]
async fn without_a_connection_commands_fail_and_events_wait() {
    let stand = stand().await;
    assert_eq!(stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await.error, Some("dispatch_failed"));
    stand.slack.say("U0ANA", "C0SALES", "hello", None).await;
    let mut ws = connect(&stand).await;
    next(&mut ws).await;
    let slack = stand.slack.clone();
    let retry = tokio::spawn(async move { slack.retry_events().await });
    let envelope = next(&mut ws).await;
    assert_eq!(envelope["retry_attempt"], 2);
    ack(&mut ws, &envelope, None).await;
    assert!(retry.await.unwrap()[0].is_ok());
}

#[tokio::test]
async fn a_disconnect_warns_and_then_closes() {
    let stand = stand().await;
    let mut ws = connect(&stand).await;
    next(&mut ws).await;
    stand.slack.disconnect(0, "warning");
    assert_eq!(next(&mut ws).await["reason"], "warning");
    stand.slack.ping(0);
    let frame = ws.next().await.unwrap().unwrap();
    assert!(frame.is_ping());
    ws.flush().await.unwrap();
    assert_eq!(stand.slack.sockets(), 1);
    stand.slack.disconnect(0, "refresh_requested");
    let goodbye = next(&mut ws).await;
    assert_eq!((&goodbye["type"], &goodbye["reason"]), (&json!("disconnect"), &json!("refresh_requested")));
    assert!(ws.next().await.unwrap().unwrap().is_close());
    ws.next().await;
    stand.slack.until_sockets(0).await;
}

#[tokio::test]
async fn a_connection_can_be_cut_or_dead() {
    let stand = stand().await;
    let mut ws = connect(&stand).await;
    next(&mut ws).await;
    stand.slack.silence_socket(0);
    assert!(stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await.operation_timeout());
    ws.send(Message::Ping(Vec::new().into())).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_millis(100), ws.next()).await;
    assert!(heard.is_err(), "not even a pong: {heard:?}");
    assert_eq!(stand.slack.sockets(), 1);
    stand.slack.drop_socket(0);
    assert!(!matches!(ws.next().await, Some(Ok(_))));
    stand.slack.until_sockets(0).await;
}

#[tokio::test]
async fn pings_are_counted_when_they_are_answered() {
    let stand = stand().await;
    let mut ws = connect(&stand).await;
    next(&mut ws).await;
    stand.slack.ping(0);
    tokio::spawn(async move { while ws.next().await.is_some() {} });
    while stand.slack.pongs(0) == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn an_eleventh_connection_is_one_too_many() {
    let stand = stand().await;
    let mut open = Vec::new();
    for _ in 0..10 {
        let mut ws = connect(&stand).await;
        assert_eq!(next(&mut ws).await["type"], "hello");
        open.push(ws);
    }
    let mut eleventh = connect(&stand).await;
    assert_eq!(next(&mut eleventh).await["reason"], "too_many_websockets");
    assert_eq!(stand.slack.sockets(), 10);
}
