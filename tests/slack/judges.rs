//! Slack's official SDKs as judges of the fake: what they send it takes, what it sends they believe.

use crate::support::judge::Judge;
use crate::support::slack::{ANA, SALES};
use fake_slack::{Fault, Kind, Settings, Slack, Way};
use serde_json::{Value, json};
use std::sync::Arc;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors.json");
const TOKEN: &str = "xoxb-shop-secret";

/// At the real time, since Bolt knows no other.
async fn fake(way: Way) -> Slack {
    fake_slack::serve(Settings { way, ..Settings::test() }, Arc::new(crate::support::now)).await
}

fn api(slack: &Slack, token: &str, call: &str, params: Value) -> Value {
    let base = format!("{}/api/", slack.url());
    json!({ "op": "api", "base": base, "token": token, "call": call, "params": params, "reject_rate_limited": true })
}

#[tokio::test]
async fn the_judges_are_the_versions_that_are_pinned() {
    let Some(mut judge) = Judge::slack("slack::judges::the_judges_are_the_versions_that_are_pinned") else { return };
    let pinned: Value = serde_json::from_str(include_str!("../judges/slack/package.json")).unwrap();
    let answer = judge.ask(&json!({ "op": "version" })).await;
    for (said, name) in [("web_api", "@slack/web-api"), ("socket_mode", "@slack/socket-mode"), ("bolt", "@slack/bolt")]
    {
        assert_eq!(answer[said], pinned["dependencies"][name], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_api_client_posts_edits_and_understands_every_refusal() {
    let test = "slack::judges::the_web_api_client_posts_edits_and_understands_every_refusal";
    let Some(mut judge) = Judge::slack(test) else { return };
    let slack = fake(Way::Http).await;
    let mut ask = async |token: &str, call: &str, params: Value| judge.ask(&api(&slack, token, call, params)).await;
    assert_eq!(ask(TOKEN, "auth.test", json!({})).await["object"]["team_id"], "T0SHOP");
    let blocks = json!([{ "type": "header", "text": { "type": "plain_text", "text": "Please pay 25.00 EUR" } }]);
    let posted = ask(TOKEN, "chat.postMessage", json!({ "channel": SALES, "text": "pay", "blocks": blocks })).await;
    let ts = &posted["object"]["ts"];
    assert!(ts.is_string(), "{posted}");
    let edited = ask(TOKEN, "chat.update", json!({ "channel": SALES, "ts": ts, "text": "paid" })).await;
    assert_eq!(edited["ok"], true, "{edited}");
    let shown = slack.messages(SALES);
    assert_eq!((shown.len(), &*shown[0].text, shown[0].edits), (1, "paid", 1), "text without blocks takes them away");
    for (token, call, params, code) in [
        ("xoxb-nobody", "auth.test", json!({}), "invalid_auth"),
        (TOKEN, "chat.postMessage", json!({ "channel": "C0NOWHERE", "text": "x" }), "channel_not_found"),
        (
            TOKEN,
            "chat.postMessage",
            json!({ "channel": SALES, "blocks": [{ "type": "button" }], "text": "x" }),
            "invalid_blocks",
        ),
        (TOKEN, "views.open", json!({ "trigger_id": "1.2.3", "view": { "type": "modal" } }), "invalid_arguments"),
    ] {
        let refused = ask(token, call, params).await;
        assert_eq!(refused["data"]["error"], code, "{call}: {refused}");
    }
    slack.fail_next("chat.update", Fault::RateLimit { retry_after_secs: 7 });
    let limited = ask(TOKEN, "chat.update", json!({ "channel": SALES, "ts": ts, "text": "x" })).await;
    assert_eq!(
        (&limited["code"], &limited["retry_after_s"]),
        (&json!("slack_webapi_rate_limited_error"), &json!(7)),
        "{limited}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_mode_client_hears_commands_and_comes_back_after_a_disconnect() {
    let test = "slack::judges::the_socket_mode_client_hears_commands_and_comes_back_after_a_disconnect";
    let Some(mut judge) = Judge::slack(test) else { return };
    let slack = fake(Way::Socket).await;
    let open = json!({
        "op": "socket", "base": format!("{}/api/", slack.url()), "app_token": Settings::test().app_token,
        "replies": { "slash_commands": { "text": "judged" } },
    });
    let opened = judge.ask(&open).await;
    assert_eq!(opened["ok"], true, "{opened}");
    slack.until_sockets(1).await;
    let answer = slack.command(ANA, SALES, "/pay", "25 EUR").await;
    assert_eq!(answer.body["text"], "judged", "{answer:?}");
    slack.disconnect(0, "refresh_requested");
    tokio::time::timeout(crate::support::PATIENCE, async {
        slack.until_sockets(0).await;
        slack.until_sockets(1).await;
    })
    .await
    .expect("the SDK opens another socket");
    let answer = slack.command(ANA, SALES, "/pay", "5 EUR").await;
    assert_eq!(answer.body["text"], "judged", "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bolt_believes_what_is_signed_and_refuses_what_is_not() {
    let test = "slack::judges::bolt_believes_what_is_signed_and_refuses_what_is_not";
    let Some(mut judge) = Judge::slack(test) else { return };
    let slack = fake(Way::Http).await;
    let open = json!({
        "op": "bolt", "base": format!("{}/api/", slack.url()), "token": TOKEN, "port": 0, "path": "/slack/events",
        "secret": Settings::test().signing_secret, "replies": { "command": { "text": "judged" } },
    });
    let opened = judge.ask(&open).await;
    let url = opened["url"].as_str().unwrap_or_else(|| panic!("{opened}"));
    for kind in [Kind::Command, Kind::Interaction, Kind::Event] {
        slack.request_url(kind, url);
    }
    assert!(slack.verify_events_url().await, "Bolt answers the challenge");
    let answer = slack.command(ANA, SALES, "/pay", "25 EUR").await;
    assert_eq!(answer.body["text"], "judged", "{answer:?}");
    let heard = judge.ask(&json!({ "op": "next", "open": opened["open"], "within_ms": 5_000 })).await;
    assert_eq!(heard["event"]["body"]["command"], "/pay", "{heard}");
    slack.forge("another secret");
    assert_eq!(slack.command(ANA, SALES, "/pay", "25 EUR").await.status, Some(401));
}

#[tokio::test]
async fn every_published_signature_is_judged_as_published() {
    let test = "slack::judges::every_published_signature_is_judged_as_published";
    let Some(mut judge) = Judge::slack(test) else { return };
    let Ok(text) = std::fs::read_to_string(VECTORS) else {
        return till_core::contract::left_out(test, "no ../shared/vectors.json");
    };
    let all: Value = serde_json::from_str(&text).unwrap();
    for case in all["slack"]["cases"].as_array().unwrap() {
        let now = case["verify_at"].as_i64().unwrap();
        let sent = case["headers"]["X-Slack-Request-Timestamp"].as_str().and_then(|sent| sent.parse::<i64>().ok());
        // Bolt lets a time from far ahead through; we do not.
        if sent.is_some_and(|sent| sent > now + 300) {
            continue;
        }
        let asked = json!({
            "op": "verify", "headers": case["headers"], "body": case["payload"], "secret": case["secret"], "now_s": now,
        });
        let judged = judge.ask(&asked).await;
        assert_eq!(judged["ok"], case["valid"], "{case}: {judged}");
    }
}
