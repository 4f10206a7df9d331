//! Others judge this fake: Slack's own description its arguments, a Rust client its payloads.

use crate::app::Stand;
use fake_slack::{Kind, methods};
use serde_json::{Value, json};
use slack_morphism::prelude::{SlackCommandEvent, SlackEventCallbackBody, SlackInteractionEvent, SlackPushEvent};
use std::path::Path;
use till_core::contract::left_out;

/// Written after the description, which is of 2020: docs.slack.dev has them.
const NEWER: [&str; 1] = ["apps.connections.open"];

#[test]
fn every_argument_that_slack_describes_is_known() {
    // It lies beside the checkout; a git worktree is one folder deeper.
    let here = env!("CARGO_MANIFEST_DIR");
    let name = "slack_web_openapi_v2.json";
    let places = ["../../../../shared/specs", "../../../../../shared/specs"];
    let text = places.iter().find_map(|at| std::fs::read_to_string(Path::new(here).join(at).join(name)).ok());
    let Some(text) = text else {
        let test = "fake_slack::judges::every_argument_that_slack_describes_is_known";
        return left_out(test, &format!("no ../shared/specs/{name}"));
    };
    let spec: Value = serde_json::from_str(&text).unwrap();
    for (method, args) in methods() {
        let path = &spec["paths"][format!("/{method}")];
        assert_eq!(path.is_null(), NEWER.contains(&method), "{method}");
        for described in path.as_object().into_iter().flat_map(serde_json::Map::values) {
            let names = described["parameters"].as_array().unwrap().iter();
            let names = names.map(|parameter| parameter["name"].as_str().unwrap()).filter(|name| *name != "token");
            let lacks: Vec<&str> = names.filter(|name| !args.contains(name)).collect();
            assert!(lacks.is_empty(), "{method} lacks {lacks:?}");
        }
    }
}

#[tokio::test]
async fn slack_morphism_reads_everything_that_is_delivered() {
    let stand = Stand::new().await;
    let ts = stand.card("C0SALES").await;
    stand.call("chat.update", json!({"channel": "C0SALES", "ts": ts, "text": "Paid"})).await;
    let trigger = stand.slack.command("U0ANA", "C0SALES", "/pay", "25 EUR").await.trigger_id;
    let view = json!({
        "type": "modal", "title": {"type": "plain_text", "text": "Pay"}, "submit": {"type": "plain_text", "text": "Go"},
        "notify_on_close": true, "blocks": [{
            "type": "input", "label": {"type": "plain_text", "text": "Amount"},
            "element": {"type": "plain_text_input", "action_id": "amount"},
        }],
    });
    let opened = stand.call("views.open", json!({"trigger_id": trigger, "view": view})).await;
    let view = opened["view"]["id"].as_str().unwrap();
    stand.app.says(crate::app::Say::status(500));
    stand.slack.submit("U0ANA", view, &[("amount", json!("25"))]).await;
    stand.slack.close_view("U0ANA", view).await.unwrap();
    let card = stand.card("C0TILL").await;
    stand.slack.click("U0ANA", "C0TILL", &card, "cancel").await;
    let whisper = json!({"channel": "C0TILL", "user": "U0BO", "text": "x", "blocks": crate::app::buttons("a", "A")});
    let whisper = stand.call("chat.postEphemeral", whisper).await["message_ts"].as_str().unwrap().to_owned();
    stand.slack.click_ephemeral("U0BO", &whisper, "a").await;
    stand.slack.shortcut("U0ANA", "C0TILL", &card, "pay_this").await;
    stand.slack.global_shortcut("U0ANA", "new").await;
    stand.slack.mention("U0ANA", "C0SALES", "hello", Some(&ts)).await;
    stand.slack.open_home("U0ANA").await;
    stand.call("chat.delete", json!({"channel": "C0TILL", "ts": card})).await;
    stand.slack.rename("C0SALES", "counter").await;
    stand.slack.archive("C0SALES").await;
    stand.slack.uninstall("T0SHOP").await;
    stand.slack.settled().await;
    let delivered = stand.slack.deliveries();
    assert!(delivered.len() > 16, "{}", delivered.len());
    for one in delivered {
        let (shown, payload) = (format!("{:#}", one.payload), one.payload);
        match one.kind {
            Kind::Command => serde_json::from_value::<SlackCommandEvent>(payload).map(drop),
            Kind::Interaction => serde_json::from_value::<SlackInteractionEvent>(payload).map(drop),
            Kind::Event => serde_json::from_value::<SlackPushEvent>(payload).map(|event| {
                let SlackPushEvent::EventCallback(callback) = event else { panic!("{shown}") };
                // What it has no model for.
                let unread = ["tokens_revoked"].contains(&one.name.as_str());
                assert_eq!(matches!(callback.event, SlackEventCallbackBody::Unknown(_)), unread, "{shown}");
            }),
        }
        .unwrap_or_else(|error| panic!("{error}: {shown}"));
    }
}
