//! Clicks, whispers and response URLs.

use crate::app::{Say, Stand, buttons};
use serde_json::{Value, json};

async fn respond(stand: &Stand, url: &str, body: Value) -> (u16, String) {
    let answer = stand.http.post(url).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_click_says_what_was_clicked_in_what() {
    let stand = Stand::new().await;
    let ts = stand.card("C0SALES").await;
    let answer = stand.slack.click("U0ANA", "C0SALES", &ts, "cancel").await;
    assert!(answer.is_ok());
    stand.slack.settled().await;
    let got = stand.app.got().into_iter().find(|got| got.path == "/interactions").unwrap();
    let payload: Value = serde_json::from_str(&got.field("payload")).unwrap();
    assert_eq!(payload["type"], "block_actions");
    assert_eq!(payload["user"], json!({"id": "U0ANA", "username": "ana", "name": "ana", "team_id": "T0SHOP"}));
    assert_eq!(payload["team"], json!({"id": "T0SHOP", "domain": "shop"}));
    assert_eq!(payload["channel"], json!({"id": "C0SALES", "name": "sales"}));
    let container = json!({"type": "message", "message_ts": ts, "channel_id": "C0SALES", "is_ephemeral": false});
    assert_eq!(payload["container"], container);
    let action = &payload["actions"][0];
    assert_eq!((&action["action_id"], &action["block_id"]), (&json!("cancel"), &json!("row")));
    assert_eq!((&action["value"], &action["type"]), (&json!("card-1"), &json!("button")));
    assert_eq!(payload["message"]["text"], "Pay 25 EUR");
    assert_eq!(
        (&payload["response_url"], &payload["trigger_id"]),
        (&json!(answer.response_url), &json!(answer.trigger_id))
    );
    let link = stand.slack.click("U0BO", "C0SALES", &ts, "pay").await;
    assert!(link.is_ok(), "a link button tells too");
    assert_eq!(stand.slack.deliveries()[link.n].payload["actions"][0]["url"], "https://till.example/p/1");
}

#[tokio::test]
async fn a_button_that_is_gone_can_still_be_clicked_by_who_sees_the_old_card() {
    let stand = Stand::new().await;
    let ts = stand.card("C0SALES").await;
    stand.call("chat.update", json!({"channel": "C0SALES", "ts": ts, "text": "Paid"})).await;
    let old = stand.slack.older_blocks("C0SALES", &ts).remove(0);
    let answer = stand.slack.click_old("U0ANA", "C0SALES", &ts, &old, "cancel").await;
    let payload = &stand.slack.deliveries()[answer.n].payload;
    assert_eq!((&payload["message"]["text"], &payload["actions"][0]["value"]), (&json!("Paid"), &json!("card-1")));
}

#[tokio::test]
async fn a_response_url_works_five_times_for_half_an_hour() {
    let stand = Stand::new().await;
    let ts = stand.card("C0SALES").await;
    let url = stand.slack.click("U0ANA", "C0SALES", &ts, "cancel").await.response_url;
    let text = |text: &str| json!({"text": text});
    assert_eq!(respond(&stand, &url, text("1")).await, (200, "ok".into()));
    assert_eq!(stand.slack.whispers("C0SALES", "U0ANA")[0].text, "1", "whispered unless it says otherwise");
    let replaced = json!({"text": "2", "replace_original": true, "blocks": buttons("b", "B")});
    respond(&stand, &url, replaced).await;
    assert!(stand.slack.messages("C0SALES")[0].element("b").is_some());
    respond(&stand, &url, json!({"text": "3", "response_type": "in_channel"})).await;
    let third = stand.slack.messages("C0SALES").into_iter().find(|shown| shown.text == "3").unwrap();
    let update = json!({"channel": "C0SALES", "ts": third.ts, "text": "x"});
    assert_eq!(stand.error("chat.update", update).await, "cant_update_message", "no method changes it");
    respond(&stand, &url, json!({"delete_original": true})).await;
    assert!(stand.slack.messages("C0SALES").iter().all(|shown| shown.ts != ts));
    assert_eq!(respond(&stand, &url, json!({"text": ""})).await.0, 400);
    let (status, word) = respond(&stand, &url, text("6")).await;
    assert_eq!((status, word.contains("used_url")), (404, true), "{word}");
    let url = stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await.response_url;
    stand.pass(1800);
    assert_eq!(respond(&stand, &url, text("in time")).await.0, 200);
    stand.pass(1);
    let (status, word) = respond(&stand, &url, text("late")).await;
    assert_eq!((status, word.contains("expired_url")), (404, true), "{word}");
    assert_eq!(respond(&stand, &format!("{}/actions/T0SHOP/0/x", stand.slack.url()), text("x")).await.0, 404);
    assert_eq!(stand.slack.count("response_url"), 9);
}

#[tokio::test]
async fn a_whisper_can_only_be_replaced_from_itself() {
    let stand = Stand::new().await;
    stand.app.says(Say::body(json!({"text": "Sure?", "blocks": buttons("yes", "Yes")})));
    let command = stand.slack.command("U0ANA", "C0SALES", "/refund", "1").await;
    let ts = command.ts.unwrap();
    respond(&stand, &command.response_url, json!({"text": "new", "replace_original": true})).await;
    assert_eq!(stand.slack.whispers("C0SALES", "U0ANA").len(), 2, "a command has no original");
    let click = stand.slack.click_ephemeral("U0ANA", &ts, "yes").await;
    let payload = &stand.slack.deliveries()[click.n].payload;
    assert_eq!((&payload["container"]["is_ephemeral"], payload.get("message")), (&json!(true), None));
    respond(&stand, &click.response_url, json!({"text": "Done", "replace_original": true})).await;
    assert_eq!(stand.slack.whispers("C0SALES", "U0ANA")[0].text, "Done");
    respond(&stand, &click.response_url, json!({"delete_original": true})).await;
    assert_eq!(stand.slack.whispers("C0SALES", "U0ANA").len(), 1);
    let update = json!({"channel": "C0SALES", "ts": stand.slack.whispers("C0SALES", "U0ANA")[0].ts, "text": "x"});
    assert_eq!(stand.error("chat.update", update).await, "cant_update_message");
}

#[tokio::test]
async fn an_acknowledgement_can_speak_to_all_or_wrongly() {
    let stand = Stand::new().await;
    stand.app.says(Say::body(json!({"text": "To all", "response_type": "in_channel"})));
    let ts = stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await.ts.unwrap();
    assert_eq!(stand.slack.messages("C0SALES")[0].only_for, None);
    assert_eq!(stand.error("chat.delete", json!({"channel": "C0SALES", "ts": ts})).await, "cant_delete_message");
    stand.app.says(Say::body(json!({"blocks": "nonsense"})));
    assert_eq!(stand.slack.command("U0ANA", "C0SALES", "/pay", "1 EUR").await.ts, None);
    assert_eq!(stand.slack.complaints().len(), 1);
    stand.app.says(Say::body("plain words"));
    stand.slack.command("U0BO", "C0SALES", "/pay", "1 EUR").await;
    assert_eq!(stand.slack.whispers("C0SALES", "U0BO")[0].text, "plain words");
}

#[tokio::test]
async fn shortcuts_say_where_they_were_used() {
    let stand = Stand::new().await;
    let (ts, _) = stand.slack.say("U0BO", "C0SALES", "25 EUR please", None).await;
    let answer = stand.slack.shortcut("U0ANA", "C0SALES", &ts, "pay_this").await;
    let payload = stand.slack.deliveries()[answer.n].payload.clone();
    assert_eq!((&payload["type"], &payload["callback_id"]), (&json!("message_action"), &json!("pay_this")));
    assert_eq!((&payload["message_ts"], &payload["message"]["text"]), (&json!(ts), &json!("25 EUR please")));
    assert!(payload["response_url"].is_string());
    let global = stand.slack.global_shortcut("U0ANA", "new").await;
    let payload = &stand.slack.deliveries()[global.n].payload;
    assert_eq!((&payload["type"], payload.get("channel")), (&json!("shortcut"), None));
}
