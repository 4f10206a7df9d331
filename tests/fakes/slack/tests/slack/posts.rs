//! What a message does from its post to its end.

use crate::app::{Stand, buttons};
use serde_json::json;

#[tokio::test]
async fn a_card_is_posted_changed_and_deleted() {
    let stand = Stand::new().await;
    let ts = stand.card("C0SALES").await;
    assert_eq!(ts, "1795372200.000100");
    let shown = stand.slack.messages("C0SALES").remove(0);
    assert_eq!((shown.text.as_str(), shown.by_app, shown.edits), ("Pay 25 EUR", true, 0));
    assert_eq!(shown.blocks[0]["block_id"].as_str().unwrap().len(), 5, "an id is drawn");

    let paid = json!({"channel": "C0SALES", "ts": ts, "text": "Paid", "blocks": buttons("refund", "Refund")});
    let answer = stand.call("chat.update", paid).await;
    assert_eq!((&answer["ok"], &answer["text"]), (&json!(true), &json!("Paid")));
    let shown = stand.slack.messages("C0SALES").remove(0);
    assert_eq!((shown.edits, shown.tagged_edited), (1, false), "with blocks there is no tag");
    assert!(shown.element("refund").is_some() && shown.element("cancel").is_none());

    stand.call("chat.update", json!({"channel": "C0SALES", "ts": ts, "text": "Only text"})).await;
    let shown = stand.slack.messages("C0SALES").remove(0);
    assert_eq!((shown.tagged_edited, shown.blocks.is_null(), shown.edits), (true, true, 2));

    stand.call("chat.delete", json!({"channel": "C0SALES", "ts": ts})).await;
    assert_eq!(stand.slack.messages("C0SALES"), []);
    assert_eq!(stand.slack.count("chat.update"), 2);
    assert_eq!(stand.slack.unknown_args(), [""; 0]);
}

#[tokio::test]
async fn metadata_stays_until_it_is_replaced_and_can_be_found_again() {
    let stand = Stand::new().await;
    let metadata = json!({"event_type": "till_card", "event_payload": {"card": "c1"}});
    let post = json!({"channel": "C0SALES", "text": "Pay", "metadata": metadata});
    let ts = stand.call("chat.postMessage", post).await["ts"].clone();
    stand.call("chat.update", json!({"channel": "C0SALES", "ts": ts, "text": "Paid"})).await;
    assert_eq!(stand.slack.messages("C0SALES")[0].metadata, metadata);
    let read = |with: bool| json!({"channel": "C0SALES", "include_all_metadata": with, "limit": 5});
    let found = stand.call("conversations.history", read(true)).await;
    assert_eq!(found["messages"][0]["metadata"], metadata);
    assert!(stand.call("conversations.history", read(false)).await["messages"][0].get("metadata").is_none());
    stand.call("chat.update", json!({"channel": "C0SALES", "ts": ts, "text": "Paid", "metadata": {}})).await;
    assert!(stand.slack.messages("C0SALES")[0].metadata.is_null());
}

#[tokio::test]
async fn a_thread_is_read_page_by_page() {
    let stand = Stand::new().await;
    let ts = stand.card("C0SALES").await;
    for text in ["one", "two", "three"] {
        let reply = json!({"channel": "C0SALES", "text": text, "thread_ts": ts});
        assert_eq!(stand.call("chat.postMessage", reply).await["ok"], true);
    }
    let mut page = json!({"channel": "C0SALES", "ts": ts, "limit": 3});
    let first = stand.call("conversations.replies", page.clone()).await;
    assert_eq!((first["messages"].as_array().unwrap().len(), &first["has_more"]), (3, &json!(true)));
    assert_eq!(first["messages"][0]["reply_count"], 3);
    page["cursor"] = first["response_metadata"]["next_cursor"].clone();
    let second = stand.call("conversations.replies", page).await;
    assert_eq!(second["messages"][0]["text"], "three");
    assert_eq!(second["messages"][0]["parent_user_id"], "U0SHOPBOT");
    let top = stand.call("conversations.history", json!({"channel": "C0SALES"})).await;
    assert_eq!(top["messages"].as_array().unwrap().len(), 1, "replies are not in the history");
    let none = json!({"channel": "C0SALES", "oldest": ts});
    assert_eq!(stand.call("conversations.history", none).await["messages"], json!([]));
    stand.call("chat.delete", json!({"channel": "C0SALES", "ts": ts})).await;
    assert!(stand.slack.messages("C0SALES")[0].tombstone);
}

#[tokio::test]
async fn a_person_can_be_written_to_and_whispered_to() {
    let stand = Stand::new().await;
    let opened = stand.call("conversations.open", json!({"users": "U0ANA"})).await;
    let im = opened["channel"]["id"].as_str().unwrap().to_owned();
    assert_eq!(stand.slack.im("U0ANA"), im);
    stand.call("chat.postMessage", json!({"channel": im, "text": "Hello"})).await;
    stand.call("chat.postMessage", json!({"channel": "U0ANA", "text": "again"})).await;
    let texts: Vec<String> = stand.slack.dms("U0ANA").into_iter().map(|shown| shown.text).collect();
    assert_eq!(texts, ["Hello", "again"]);
    let whisper = json!({"channel": "C0SALES", "user": "U0BO", "text": "Only you"});
    assert!(stand.call("chat.postEphemeral", whisper.clone()).await["message_ts"].is_string());
    assert_eq!(stand.slack.whispers("C0SALES", "U0BO")[0].text, "Only you");
    assert_eq!(stand.slack.whispers("C0SALES", "U0ANA"), []);
    stand.slack.reload("U0BO");
    stand.slack.away("U0BO");
    assert_eq!(stand.call("chat.postEphemeral", whisper).await["ok"], true, "delivery is not guaranteed");
    assert_eq!(stand.slack.whispers("C0SALES", "U0BO"), []);
}

#[tokio::test]
async fn a_long_text_is_cut_and_names_of_channels_will_do() {
    let stand = Stand::new().await;
    let long = json!({"channel": "#sales", "text": "x".repeat(40_001)});
    stand.call("chat.postMessage", long).await;
    assert_eq!(stand.slack.messages("C0SALES")[0].text.len(), 40_000);
    let form = stand.http.post(format!("{}/api/chat.postMessage", stand.slack.url())).form(&[
        ("token", crate::app::BOT),
        ("channel", "C0SALES"),
        ("text", "form"),
        ("blocks", &buttons("a", "A").to_string()),
    ]);
    assert_eq!(form.send().await.unwrap().json::<serde_json::Value>().await.unwrap()["ok"], true);
    assert!(stand.slack.messages("C0SALES")[1].element("a").is_some());
    let json = stand.http.post(format!("{}/api/chat.postMessage", stand.slack.url())).bearer_auth(crate::app::BOT);
    let json = json.json(&json!({"channel": "C0SALES", "text": "no charset", "chanel": "x"})).send().await.unwrap();
    assert_eq!(json.headers()["x-oauth-scopes"].to_str().unwrap().split(',').next(), Some("chat:write"));
    assert_eq!(json.json::<serde_json::Value>().await.unwrap()["warning"], "missing_charset");
    assert_eq!(stand.slack.unknown_args(), ["chat.postMessage: chanel"]);
}
