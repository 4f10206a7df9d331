//! Every refusal, with Slack's word for it.

use crate::app::{BOT, Stand, buttons};
use fake_slack::{EditWindow, LostThread, Settings, TeamSet, UserSet};
use serde_json::{Value, json};
use std::time::Duration;

fn without(scope: &str) -> Settings {
    let mut settings = Settings::test();
    settings.teams = vec![TeamSet::shop().without(scope)];
    settings
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let stand = Stand::new().await;
    let word = async |token: &str, method: &str| stand.call_as(token, method, json!({})).await["error"].clone();
    assert_eq!(word(BOT, "chat.postMesage").await, "unknown_method");
    assert_eq!(word("xoxb-nobody", "auth.test").await, "invalid_auth");
    assert_eq!(word(BOT, "apps.connections.open").await, "not_allowed_token_type");
    assert_eq!(word("xapp-1-A0TILL-1-secret", "users.info").await, "not_allowed_token_type");
    let bare = stand.http.post(format!("{}/api/auth.test", stand.slack.url()));
    assert_eq!(bare.send().await.unwrap().json::<Value>().await.unwrap()["error"], "not_authed");
    let in_json = stand.http.post(format!("{}/api/auth.test", stand.slack.url())).json(&json!({"token": BOT}));
    assert_eq!(in_json.send().await.unwrap().json::<Value>().await.unwrap()["error"], "not_authed");
    assert_eq!(stand.call_as(BOT, "auth.revoke", json!({"test": "1"})).await["revoked"], false);
    assert_eq!(stand.call_as(BOT, "auth.revoke", json!({})).await["revoked"], true);
    assert_eq!(word(BOT, "auth.test").await, "token_revoked");
    let stand = Stand::new().await;
    stand.slack.uninstall("T0SHOP").await;
    assert_eq!(stand.call("auth.test", json!({})).await["error"], "account_inactive");
    let stand = Stand::new().await;
    stand.slack.revoke(BOT);
    assert_eq!(stand.error("auth.test", json!({})).await, "token_revoked");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused() {
    let stand = Stand::new().await;
    let word = async |kind: &str, body: &str| {
        let mut post = stand.http.post(format!("{}/api/chat.postMessage", stand.slack.url())).bearer_auth(BOT);
        if !kind.is_empty() {
            post = post.header("content-type", kind);
        }
        post.body(body.to_owned()).send().await.unwrap().json::<Value>().await.unwrap()["error"].clone()
    };
    assert_eq!(word("application/json", "{").await, "invalid_json");
    assert_eq!(word("application/json", "[]").await, "json_not_object");
    assert_eq!(word("text/csv", "a,b").await, "invalid_post_type");
    assert_eq!(word("", "a=b").await, "missing_post_type");
    let sent = stand.send(BOT, "users.info", &json!({"user": "U0ANA"})).await.unwrap();
    assert_eq!(sent.json::<Value>().await.unwrap()["error"], "user_not_found", "reading methods read no JSON");
}

#[tokio::test]
async fn a_scope_that_is_missing_is_named() {
    let cases = [
        ("chat:write", "chat.postMessage", json!({"channel": "C0SALES", "text": "x"})),
        ("chat:write", "chat.update", json!({"channel": "C0SALES", "ts": "1.000000", "text": "x"})),
        ("chat:write", "chat.delete", json!({"channel": "C0SALES", "ts": "1.000000"})),
        ("chat:write", "chat.postEphemeral", json!({"channel": "C0SALES", "user": "U0ANA", "text": "x"})),
        ("users:read", "users.info", json!({"user": "U0ANA"})),
        ("usergroups:read", "usergroups.users.list", json!({"usergroup": "S0CASH"})),
        ("usergroups:read", "usergroups.list", json!({})),
        ("im:write", "conversations.open", json!({"users": "U0ANA"})),
        ("channels:history", "conversations.history", json!({"channel": "C0SALES"})),
        ("groups:history", "conversations.history", json!({"channel": "C0TILL"})),
        ("groups:history", "conversations.replies", json!({"channel": "C0TILL", "ts": "1.000000"})),
        ("channels:read", "conversations.info", json!({"channel": "C0SALES"})),
        ("team:read", "team.info", json!({})),
    ];
    for (scope, method, args) in cases {
        let stand = Stand::with(without(scope)).await;
        let answer = stand.call(method, args).await;
        assert_eq!(answer["error"], "missing_scope", "{method}: {answer}");
        assert!(answer["needed"].as_str().unwrap().split(',').any(|needed| needed == scope), "{method}: {answer}");
        assert!(!answer["provided"].as_str().unwrap().split(',').any(|given| given == scope), "{answer}");
    }
}

#[tokio::test]
async fn a_post_to_where_the_bot_may_not_write_is_refused() {
    let stand = Stand::with(without("chat:write.public")).await;
    let word = async |channel: &str| stand.error("chat.postMessage", json!({"channel": channel, "text": "x"})).await;
    assert_eq!(word("C0OTHER").await, "not_in_channel");
    assert_eq!(word("C0HIDDEN").await, "channel_not_found");
    assert_eq!(word("C0NONE").await, "channel_not_found");
    assert_eq!(word("U0GONE").await, "channel_not_found");
    stand.slack.archive("C0SALES").await;
    assert_eq!(word("C0SALES").await, "is_archived");
    let whole = Stand::new().await;
    let public = json!({"channel": "C0OTHER", "text": "x"});
    assert_eq!(whole.call("chat.postMessage", public.clone()).await["ok"], true, "chat:write.public");
    assert_eq!(
        whole.error("chat.postEphemeral", json!({"channel": "C0OTHER", "user": "U0ANA", "text": "x"})).await,
        "not_in_channel"
    );
    whole.slack.leave("C0TILL", "U0SHOPBOT");
    assert_eq!(whole.error("chat.postMessage", json!({"channel": "C0TILL", "text": "x"})).await, "channel_not_found");
}

#[tokio::test]
async fn a_post_that_says_nothing_or_too_much_is_refused() {
    let stand = Stand::new().await;
    let word = async |more: Value| {
        let mut args = json!({"channel": "C0SALES"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stand.error("chat.postMessage", args).await
    };
    assert_eq!(word(json!({})).await, "no_text");
    assert_eq!(word(json!({"text": " ", "blocks": []})).await, "no_text");
    assert_eq!(word(json!({"text": "x", "blocks": "[{"})).await, "invalid_blocks_format");
    assert_eq!(word(json!({"text": "x", "blocks": {}})).await, "invalid_blocks_format");
    let nothing = json!([{"type": "section"}, {"type": "button"}]);
    assert_eq!(word(json!({"text": "x", "blocks": nothing})).await, "invalid_blocks");
    let answer = stand.call("chat.postMessage", json!({"channel": "C0SALES", "text": "x", "blocks": nothing})).await;
    let messages = answer["response_metadata"]["messages"].as_array().unwrap();
    assert!(messages.iter().all(|text| text.as_str().unwrap().starts_with("[ERROR] ")), "{answer}");
    assert_eq!(word(json!({"text": "x", "attachments": [{"blocks": nothing}]})).await, "invalid_attachments");
    let section = |text: String| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    let long: Vec<Value> = (0..4).map(|_| section("x".repeat(2900))).collect();
    assert_eq!(word(json!({"text": "x", "blocks": long})).await, "msg_blocks_too_long");
    let many: Vec<Value> = (0..101).map(|n| json!({"text": n.to_string()})).collect();
    assert_eq!(word(json!({"text": "x", "attachments": many})).await, "too_many_attachments");
    assert_eq!(word(json!({"text": "x", "metadata": "{"})).await, "invalid_metadata_format");
    assert_eq!(word(json!({"text": "x", "metadata": {"event_type": "a"}})).await, "invalid_metadata_schema");
    let big = json!({"event_type": "a", "event_payload": {"x": "x".repeat(9000)}});
    assert_eq!(word(json!({"text": "x", "metadata": big})).await, "metadata_too_large");
    let answer = stand.call("chat.postMessage", json!({"text": "x"})).await;
    assert_eq!(answer["response_metadata"]["messages"][0], "[ERROR] missing required field: channel");
}

#[tokio::test]
async fn a_thread_that_is_not_there_is_refused_or_swallows_the_reply() {
    let reply = |ts: &str| json!({"channel": "C0SALES", "text": "x", "thread_ts": ts});
    let stand = Stand::new().await;
    assert_eq!(stand.error("chat.postMessage", reply("0")).await, "invalid_thread_ts");
    assert_eq!(stand.error("chat.postMessage", reply("1795372200.5")).await, "invalid_thread_ts");
    assert_eq!(stand.error("chat.postMessage", reply("1795372200.999999")).await, "thread_not_found");
    let none = json!({"channel": "C0SALES", "ts": "1795372200.999999"});
    assert_eq!(stand.error("conversations.replies", none).await, "thread_not_found");
    let stand = Stand::with(Settings { lost_thread: LostThread::Swallowed, ..Settings::test() }).await;
    assert_eq!(stand.call("chat.postMessage", reply("1795372200.999999")).await["ok"], true);
    assert_eq!(stand.slack.messages("C0SALES"), []);
}

#[tokio::test]
async fn a_change_that_may_not_be_is_refused() {
    let stand = Stand::new().await;
    let update =
        |channel: &str, ts: &str| json!({"channel": channel, "ts": ts, "text": "x", "blocks": buttons("a", "A")});
    let ts = stand.card("C0SALES").await;
    let (theirs, _) = stand.slack.say("U0ANA", "C0SALES", "mine", None).await;
    let whisper = json!({"channel": "C0SALES", "user": "U0BO", "text": "psst"});
    let whispered = stand.call("chat.postEphemeral", whisper).await["message_ts"].as_str().unwrap().to_owned();
    assert_eq!(stand.error("chat.update", update("C0SALES", &theirs)).await, "cant_update_message");
    assert_eq!(stand.error("chat.update", update("C0SALES", &whispered)).await, "cant_update_message");
    assert_eq!(stand.error("chat.update", update("C0SALES", "1.000000")).await, "message_not_found");
    assert_eq!(stand.error("chat.update", update("C0NONE", &ts)).await, "channel_not_found");
    let delete = |ts: &str| json!({"channel": "C0SALES", "ts": ts});
    assert_eq!(stand.error("chat.delete", delete(&theirs)).await, "cant_delete_message");
    assert_eq!(stand.error("chat.delete", delete("1.000000")).await, "message_not_found");
    let long = json!({"channel": "C0SALES", "ts": ts, "text": "x".repeat(4001)});
    assert_eq!(stand.error("chat.update", long).await, "msg_too_long");
    assert_eq!(stand.error("chat.update", json!({"channel": "C0SALES", "ts": ts})).await, "no_text");
    stand.slack.edit_window("T0SHOP", EditWindow::For(Duration::from_secs(60)));
    assert_eq!(stand.call("chat.update", update("C0SALES", &ts)).await["ok"], true);
    stand.pass(61);
    assert_eq!(stand.error("chat.update", update("C0SALES", &ts)).await, "edit_window_closed");
    stand.slack.edit_window("T0SHOP", EditWindow::Never);
    let new = stand.card("C0SALES").await;
    assert_eq!(stand.error("chat.update", update("C0SALES", &new)).await, "edit_window_closed");
    stand.slack.archive("C0SALES").await;
    assert_eq!(stand.error("chat.update", update("C0SALES", &ts)).await, "is_inactive");
}

#[tokio::test]
async fn people_and_channels_that_cannot_be_reached_are_refused() {
    let mut other = TeamSet::bare("T0ELSE", "else", "xoxb-else");
    other.users = vec![UserSet::person("U0FAR", "far", "Far Away")];
    let stand = Stand::with(Settings::test().team(other)).await;
    let open = async |users: &str| stand.error("conversations.open", json!({"users": users})).await;
    assert_eq!(open("").await, "users_list_not_supplied");
    assert_eq!(open("U0NONE").await, "user_not_found");
    assert_eq!(open("U0GONE").await, "user_disabled");
    assert_eq!(open("U0ROBOT").await, "cannot_dm_bot");
    assert_eq!(open("U0FAR").await, "user_not_visible");
    assert_eq!(open("U0ANA,U0BO").await, "missing_scope");
    let sales = json!({"channel": "C0SALES"});
    assert_eq!(stand.error("conversations.open", sales.clone()).await, "method_not_supported_for_channel_type");
    assert_eq!(stand.error("users.info", json!({"user": "U0NONE"})).await, "user_not_found");
    assert_eq!(stand.error("users.info", json!({"user": "U0FAR"})).await, "user_not_visible");
    assert_eq!(stand.error("usergroups.users.list", json!({"usergroup": "S0NONE"})).await, "no_such_subteam");
    assert_eq!(stand.error("usergroups.users.list", json!({"usergroup": "S0OLD"})).await, "subteam_disabled");
    assert_eq!(stand.error("team.info", json!({"team": "T0ELSE"})).await, "team_not_found");
    let whisper = |user: &str| json!({"channel": "C0SALES", "user": user, "text": "x"});
    assert_eq!(stand.error("chat.postEphemeral", whisper("U0CY")).await, "user_not_in_channel");
    assert_eq!(stand.error("chat.postEphemeral", whisper("U0NONE")).await, "user_not_in_channel");
    assert_eq!(stand.call_as("xoxb-else", "conversations.info", sales).await["error"], "channel_not_found");
    let history = async |more: Value| stand.error("conversations.history", more).await;
    assert_eq!(history(json!({"channel": "C0OTHER"})).await, "not_in_channel");
    assert_eq!(history(json!({"channel": "C0SALES", "oldest": "x"})).await, "invalid_ts_oldest");
    assert_eq!(history(json!({"channel": "C0SALES", "latest": "x"})).await, "invalid_ts_latest");
    assert_eq!(history(json!({"channel": "C0SALES", "cursor": "x"})).await, "invalid_cursor");
}
