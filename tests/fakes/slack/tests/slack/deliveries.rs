//! What is posted to the app: signed, timed, repeated.

use crate::app::{BOT, NOW_SECS, Say, Stand, buttons};
use fake_slack::{Kind, Settings, signature};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use till_core::contract::left_out;

#[test]
fn signatures_are_those_of_slack_s_own_library() {
    // They lie beside the checkout; a git worktree is one folder deeper.
    let here = env!("CARGO_MANIFEST_DIR");
    let places = ["../../../../shared/vectors.json", "../../../../../shared/vectors.json"];
    let text = places.iter().find_map(|at| std::fs::read_to_string(Path::new(here).join(at)).ok());
    let Some(text) = text else {
        let test = "fake_slack::deliveries::signatures_are_those_of_slack_s_own_library";
        return left_out(test, "no ../shared/vectors.json");
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let cases = vectors["slack"]["cases"].as_array().unwrap();
    let mut valid = 0;
    for case in cases {
        let text = |key: &str| case[key].as_str().unwrap();
        let secs = text("timestamp").parse().unwrap();
        let made = signature(text("secret"), secs, text("payload").as_bytes());
        if case["valid"] == true {
            valid += 1;
            assert_eq!(made, case["headers"]["X-Slack-Signature"].as_str().unwrap(), "{}", case["name"]);
        }
    }
    assert!(valid > 0, "a vector that is valid");
}

#[tokio::test]
async fn a_command_has_every_field_and_a_signature_over_its_bytes() {
    let stand = Stand::new().await;
    stand.app.says(Say::body(json!({"text": "Here is your link"})));
    let answer = stand.slack.command("U0ANA", "C0SALES", "/pay", "25 EUR & @bo in #sales https://shop.example").await;
    assert_eq!((answer.status, answer.error), (Some(200), None));
    let got = &stand.app.got()[0];
    assert_eq!(got.path, "/commands");
    assert_eq!(got.header("content-type"), Some("application/x-www-form-urlencoded"));
    let at = NOW_SECS.to_string();
    assert_eq!(got.header("x-slack-request-timestamp"), Some(at.as_str()));
    let secret = &Settings::test().signing_secret;
    assert_eq!(got.header("x-slack-signature"), Some(signature(secret, NOW_SECS, &got.body).as_str()));
    assert_eq!(got.field("text"), "25 EUR &amp; <@U0BO|bo> in <#C0SALES|sales> <https://shop.example>");
    for (name, value) in [
        ("team_id", "T0SHOP"),
        ("team_domain", "shop"),
        ("channel_id", "C0SALES"),
        ("channel_name", "sales"),
        ("user_id", "U0ANA"),
        ("user_name", "ana"),
        ("command", "/pay"),
        ("api_app_id", "A0TILL"),
        ("is_enterprise_install", "false"),
        ("trigger_id", &answer.trigger_id),
        ("response_url", &answer.response_url),
    ] {
        assert_eq!(got.field(name), value, "{name}");
    }
    let whisper = stand.slack.whispers("C0SALES", "U0ANA").remove(0);
    assert_eq!((whisper.text.as_str(), Some(whisper.ts)), ("Here is your link", answer.ts));
    let plain = Stand::with(Settings { should_escape: false, ..Settings::test() }).await;
    plain.slack.command("U0ANA", "C0TILL", "/pay", "@bo").await;
    let got = &plain.app.got()[0];
    assert_eq!((got.field("text"), got.field("channel_name")), ("@bo".into(), "privategroup".into()));
}

#[tokio::test]
async fn an_acknowledgement_can_be_late_wrong_or_missing() {
    let stand = Stand::with(Settings { ack_within: Duration::from_millis(80), ..Settings::test() }).await;
    stand.app.says(Say::late(Duration::from_millis(300)));
    let late = stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await;
    assert!(late.operation_timeout() && late.elapsed >= Duration::from_millis(80), "{late:?}");
    stand.app.says(Say::status(500));
    let wrong = stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await;
    assert_eq!((wrong.status, wrong.error), (Some(500), Some("dispatch_failed")));
    stand.app.says(Say::body(json!({"blocks": [{"type": "section"}], "replace_original": true})));
    assert!(stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await.is_ok());
    stand.slack.ack_latency(Duration::from_millis(100));
    assert!(stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await.operation_timeout());
    stand.slack.well();
    stand.slack.request_url(Kind::Command, "http://127.0.0.1:1/");
    let missing = stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await;
    assert_eq!((missing.status, missing.error), (None, Some("dispatch_failed")));
}

#[tokio::test]
async fn a_signature_can_be_somebody_else_s_or_old() {
    let stand = Stand::new().await;
    stand.slack.forge("not the secret");
    stand.slack.skew(-301);
    stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await;
    let got = &stand.app.got()[0];
    let old = NOW_SECS - 301;
    assert_eq!(got.header("x-slack-request-timestamp"), Some(old.to_string().as_str()));
    assert_eq!(got.header("x-slack-signature"), Some(signature("not the secret", old, &got.body).as_str()));
    stand.slack.well();
    stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await;
    assert_eq!(stand.app.got()[1].header("x-slack-request-timestamp"), Some(NOW_SECS.to_string().as_str()));
}

#[tokio::test]
async fn an_event_is_told_again_until_it_is_accepted_three_times_at_most() {
    let stand = Stand::new().await;
    (0..5).for_each(|_| stand.app.says(Say::status(500)));
    let (_, answers) = stand.slack.say("U0ANA", "C0SALES", "hello", None).await;
    assert_eq!(answers.len(), 1);
    let nums = || -> Vec<Option<String>> {
        stand.app.got().iter().map(|got| got.header("x-slack-retry-num").map(str::to_owned)).collect()
    };
    assert_eq!(nums(), [None, Some("1".into())], "the first retry comes at once");
    assert_eq!(stand.app.got()[1].header("x-slack-retry-reason"), Some("http_error"));
    assert_eq!(stand.slack.retry_events().await.len(), 1);
    assert_eq!(stand.slack.retry_events().await.len(), 1);
    assert_eq!(stand.slack.retry_events().await.len(), 0, "given up");
    assert_eq!(nums()[2..], [Some("2".into()), Some("3".into())]);
    let ids: Vec<Value> = stand.app.got().iter().map(|got| got.json()["event_id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");

    let stand = Stand::new().await;
    stand.app.says(Say { headers: vec![("x-slack-no-retry", "1")], ..Say::status(500) });
    stand.slack.say("U0ANA", "C0SALES", "hello", None).await;
    assert_eq!((stand.app.got().len(), stand.slack.retry_events().await.len()), (1, 0));
}

#[tokio::test]
async fn a_delivery_can_come_twice_with_the_same_ids_or_with_new_ones() {
    let stand = Stand::new().await;
    let (_, answers) = stand.slack.say("U0ANA", "C0SALES", "hello", None).await;
    stand.slack.again(answers[0].n).await;
    stand.slack.echo(answers[0].n).await;
    let got = stand.app.got();
    let id = |at: usize| got[at].json()["event_id"].clone();
    assert_eq!((id(0) == id(1), id(0) == id(2)), (true, false));
    assert_eq!(got[1].header("x-slack-retry-num"), Some("1"));
    assert_eq!(got[2].header("x-slack-retry-num"), None);
    assert_eq!(got[0].json()["event"], got[2].json()["event"]);
    let command = stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await;
    let (same, new) = (stand.slack.again(command.n).await, stand.slack.echo(command.n).await);
    assert_eq!(same.trigger_id, command.trigger_id);
    assert_ne!(new.trigger_id, command.trigger_id);
}

#[tokio::test]
async fn an_event_says_who_hears_it() {
    let stand = Stand::new().await;
    let (ts, _) = stand.slack.mention("U0ANA", "C0SALES", "pay 5 EUR", None).await;
    assert_eq!(stand.app.heard(), ["message", "app_mention"]);
    let told = stand.app.got()[1].json();
    assert_eq!(told["event"]["text"], "<@U0SHOPBOT> pay 5 EUR");
    assert_eq!((&told["event"]["ts"], &told["event"]["channel"]), (&json!(ts), &json!("C0SALES")));
    assert_eq!((&told["type"], &told["team_id"]), (&json!("event_callback"), &json!("T0SHOP")));
    assert_eq!(told["authorizations"][0]["user_id"], "U0SHOPBOT");
    assert_eq!((&told["event_time"], &told["is_ext_shared_channel"]), (&json!(NOW_SECS), &json!(false)));
    let quiet = Stand::with(Settings { events: vec!["app_mention".into()], ..Settings::test() }).await;
    quiet.slack.say("U0ANA", "C0SALES", "hello", None).await;
    quiet.slack.mention("U0ANA", "C0SALES", "hello", None).await;
    assert_eq!(quiet.app.heard(), ["app_mention"], "only what it is subscribed to");
    quiet.slack.say("U0ANA", "C0OTHER", "@till hello", None).await;
    assert_eq!(quiet.app.heard().len(), 1, "only where the bot is");
    quiet.slack.rescope(BOT, &["chat:write"]);
    quiet.slack.mention("U0ANA", "C0SALES", "hello", None).await;
    assert_eq!(quiet.app.heard().len(), 1, "only what its scopes allow");
}

#[tokio::test]
async fn the_app_hears_itself() {
    let stand = Stand::new().await;
    let ts = stand.card("C0SALES").await;
    let change = json!({"channel": "C0SALES", "ts": ts, "text": "Paid", "blocks": buttons("refund", "Refund")});
    stand.call("chat.update", change).await;
    stand.call("chat.delete", json!({"channel": "C0SALES", "ts": ts})).await;
    stand.slack.settled().await;
    let told: Vec<Value> = stand.app.got().iter().map(|got| got.json()["event"].clone()).collect();
    let mut kinds: Vec<&str> = told.iter().map(|event| event["subtype"].as_str().unwrap_or("posted")).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["message_changed", "message_deleted", "posted"]);
    let posted = told.iter().find(|event| event.get("subtype").is_none()).unwrap();
    assert_eq!((&posted["bot_id"], &posted["app_id"]), (&json!("B0SHOPBOT"), &json!("A0TILL")));
}

#[tokio::test]
async fn the_url_for_events_is_asked_for_its_challenge() {
    let stand = Stand::new().await;
    assert!(!stand.slack.verify_events_url().await);
    stand.app.says(Say::body("{}"));
    assert!(!stand.slack.verify_events_url().await);
    let got = stand.app.got()[0].json();
    assert_eq!(got["type"], "url_verification");
    assert_eq!(stand.slack.retry_events().await.len(), 0);
}
