//! Trouble on order: limits, errors, silence, cut connections.

use crate::app::{BOT, NOW_SECS, Stand};
use fake_slack::{Fault, Settings};
use serde_json::{Value, json};
use std::time::Duration;
use till_core::time::Timestamp;

fn hello() -> Value {
    json!({"channel": "C0SALES", "text": "hello"})
}

#[tokio::test]
async fn limits_hold_by_channel_and_by_method_once_they_are_on() {
    let stand = Stand::new().await;
    for _ in 0..5 {
        assert_eq!(stand.send(BOT, "chat.postMessage", &hello()).await.unwrap().status(), 200);
    }
    stand.slack.rate_limits();
    for _ in 0..3 {
        assert_eq!(stand.send(BOT, "chat.postMessage", &hello()).await.unwrap().status(), 200);
    }
    let limited = stand.send(BOT, "chat.postMessage", &hello()).await.unwrap();
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"3".parse().unwrap()));
    assert_eq!(limited.json::<Value>().await.unwrap(), json!({"ok": false, "error": "ratelimited"}));
    let elsewhere = json!({"channel": "C0TILL", "text": "hello"});
    assert_eq!(stand.send(BOT, "chat.postMessage", &elsewhere).await.unwrap().status(), 200);
    stand.pass(3);
    assert_eq!(stand.send(BOT, "chat.postMessage", &hello()).await.unwrap().status(), 200);
    for n in 0..21 {
        let status = stand.send(BOT, "usergroups.list", &json!({})).await.unwrap().status();
        assert_eq!(status, if n < 20 { 200 } else { 429 }, "{n}");
    }
}

#[tokio::test]
async fn an_app_outside_the_marketplace_reads_fifteen_messages_a_minute() {
    let stand = Stand::with(Settings { unlisted: true, ..Settings::test() }).await;
    for _ in 0..16 {
        stand.call("chat.postMessage", hello()).await;
    }
    stand.slack.rate_limits();
    let page = stand.call("conversations.history", json!({"channel": "C0SALES", "limit": 100})).await;
    assert_eq!((page["messages"].as_array().unwrap().len(), &page["has_more"]), (15, &json!(true)));
    let url = format!("{}/api/conversations.history?channel=C0SALES", stand.slack.url());
    assert_eq!(stand.http.get(url).bearer_auth(BOT).send().await.unwrap().status(), 429);
}

#[tokio::test]
async fn each_fault_does_what_it_says_and_is_used_up() {
    let said = [
        (Fault::RateLimit { retry_after_secs: 30 }, Some(429), 0),
        (Fault::Status(503), Some(503), 0),
        (Fault::StatusAfter(500), Some(500), 1),
        (Fault::Refused("fatal_error".into()), Some(200), 0),
        (Fault::Slow(Duration::from_millis(20)), Some(200), 1),
        (Fault::HangBefore, None, 0),
        (Fault::HangAfter, None, 1),
        (Fault::CutBefore, None, 0),
        (Fault::CutAfter, None, 1),
    ];
    for (fault, status, posted) in said {
        let stand = Stand::new().await;
        stand.slack.fail_next("chat.postMessage", fault.clone());
        assert_eq!(stand.call("auth.test", json!({})).await["ok"], true, "another method");
        let answer = stand.send(BOT, "chat.postMessage", &hello()).await;
        assert_eq!(answer.as_ref().ok().map(|answer| answer.status().as_u16()), status, "{fault:?}: {answer:?}");
        if let Err(error) = &answer {
            assert_eq!(error.is_timeout(), matches!(fault, Fault::HangBefore | Fault::HangAfter), "{fault:?}");
        }
        assert_eq!(stand.slack.messages("C0SALES").len(), posted, "{fault:?}");
        assert_eq!(stand.slack.calls()[1].status, status.unwrap_or(0));
        assert_eq!(stand.call("chat.postMessage", hello()).await["ok"], true, "{fault:?} is used up");
    }
}

#[tokio::test]
async fn slack_can_be_down_for_a_while() {
    let stand = Stand::new().await;
    stand.slack.down_until(Timestamp::from_secs(NOW_SECS + 60));
    assert_eq!(stand.send(BOT, "auth.test", &json!({})).await.unwrap().status(), 503);
    stand.pass(60);
    assert_eq!(stand.call("auth.test", json!({})).await["ok"], true);
    stand.slack.fail_next_n("*", 2, Fault::Status(500));
    stand.slack.well();
    assert_eq!(stand.call("auth.test", json!({})).await["ok"], true);
}

#[tokio::test]
async fn a_fake_that_is_stopped_answers_no_more() {
    let stand = Stand::new().await;
    let url = stand.slack.url();
    let other = stand.slack.clone();
    drop(other);
    assert_eq!(stand.call("auth.test", json!({})).await["ok"], true, "one clone is enough");
    stand.slack.stop();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(stand.http.get(format!("{url}/api/auth.test")).send().await.is_err());
}
