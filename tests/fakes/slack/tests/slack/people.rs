//! Who everybody is: users, groups, workspaces, shared channels.

use crate::app::Stand;
use fake_slack::{ChannelKind, ChannelSet, Settings, TeamSet, UserSet};
use serde_json::json;

#[tokio::test]
async fn a_person_has_a_language_only_where_it_is_asked_for() {
    let stand = Stand::new().await;
    let user = stand.call("users.info", json!({"user": "U0ANA"})).await["user"].clone();
    assert_eq!((&user["name"], user.get("locale")), (&json!("ana"), None));
    let user = stand.call("users.info", json!({"user": "U0ANA", "include_locale": true})).await["user"].clone();
    assert_eq!((&user["locale"], &user["tz"]), (&json!("de-DE"), &json!("Europe/Berlin")));
    assert_eq!(stand.call("users.info", json!({"user": "U0GONE"})).await["user"]["deleted"], true);
    assert_eq!(stand.call("users.info", json!({"user": "U0SHOPBOT"})).await["user"]["is_bot"], true);
    let get = format!("{}/api/users.info?user=U0BO", stand.slack.url());
    let got = stand.http.get(get).bearer_auth(crate::app::BOT).send().await.unwrap();
    assert_eq!(got.json::<serde_json::Value>().await.unwrap()["user"]["name"], "bo");
}

#[tokio::test]
async fn groups_and_workspaces_are_told() {
    let mut settings = Settings::test();
    settings.teams[0].enterprise = Some(("E0CORP".into(), "Corp".into()));
    let stand = Stand::with(settings).await;
    let groups = stand.call("usergroups.list", json!({"include_users": true})).await;
    assert_eq!(
        (groups["usergroups"].as_array().unwrap().len(), &groups["usergroups"][0]["users"][0]),
        (1, &json!("U0ANA"))
    );
    let all = stand.call("usergroups.list", json!({"include_disabled": true})).await;
    assert_eq!(all["usergroups"].as_array().unwrap().len(), 2);
    assert_eq!(stand.call("usergroups.users.list", json!({"usergroup": "S0CASH"})).await["users"], json!(["U0ANA"]));
    assert_eq!(stand.call("team.info", json!({})).await["team"]["enterprise_id"], "E0CORP");
    let me = stand.call("auth.test", json!({})).await;
    assert_eq!(
        (&me["team_id"], &me["user_id"], &me["bot_id"]),
        (&json!("T0SHOP"), &json!("U0SHOPBOT"), &json!("B0SHOPBOT"))
    );
    let command = stand.slack.command("U0ANA", "C0SALES", "/pay", "").await;
    assert_eq!(stand.slack.deliveries()[command.n].payload["enterprise_name"], "Corp");
}

#[tokio::test]
async fn a_channel_is_told_as_it_stands() {
    let stand = Stand::new().await;
    let info = stand.call("conversations.info", json!({"channel": "C0TILL", "include_num_members": true})).await;
    let channel = &info["channel"];
    assert_eq!(
        (&channel["is_private"], &channel["is_member"], &channel["num_members"]),
        (&json!(true), &json!(true), &json!(3))
    );
    stand.slack.rename("C0SALES", "counter").await;
    stand.slack.archive("C0TILL").await;
    assert_eq!(stand.app.heard(), ["channel_rename", "group_archive"]);
    assert_eq!(stand.call("conversations.info", json!({"channel": "C0SALES"})).await["channel"]["name"], "counter");
    assert_eq!(stand.call("conversations.info", json!({"channel": "C0TILL"})).await["channel"]["is_archived"], true);
}

#[tokio::test]
async fn a_shared_channel_belongs_to_two_workspaces() {
    let mut settings = Settings::test();
    let mut partner = TeamSet::bare("T0PART", "partner", "xoxb-partner");
    partner.users = vec![UserSet::person("U0PIA", "pia", "Pia Pohl")];
    settings.teams[0].channels.push(ChannelSet {
        id: "C0BOTH".into(),
        name: "both".into(),
        kind: ChannelKind::Public,
        members: vec!["U0ANA".into(), "U0PIA".into()],
        bot: true,
        shared_with: vec!["T0PART".into()],
    });
    let stand = Stand::with(settings.team(partner)).await;
    assert!(stand.slack.is_shared("C0BOTH"));
    let (_, answers) = stand.slack.say("U0PIA", "C0BOTH", "hello", None).await;
    assert_eq!(answers.len(), 1, "told once");
    let told = stand.app.got()[0].json();
    assert_eq!((&told["is_ext_shared_channel"], &told["event"]["team"]), (&json!(true), &json!("T0PART")));
    assert_eq!(told["authorizations"][0]["team_id"], "T0SHOP", "the installation whose bot is there");
    let stranger = stand.call("users.info", json!({"user": "U0PIA"})).await["user"].clone();
    assert_eq!((&stranger["is_stranger"], &stranger["team_id"]), (&json!(true), &json!("T0PART")));
    let command = stand.slack.command("U0PIA", "C0BOTH", "/pay", "1 EUR").await;
    assert_eq!(stand.slack.deliveries()[command.n].payload["team_id"], "T0PART", "their own installation answers");
    let card = stand.card("C0BOTH").await;
    let click = stand.slack.click("U0PIA", "C0BOTH", &card, "cancel").await;
    let payload = &stand.slack.deliveries()[click.n].payload;
    assert_eq!(payload["team"]["id"], "T0PART", "a click names the person's workspace");
    assert_eq!(payload["message"]["team"], "T0SHOP", "the message names the installation");
    stand.slack.uninstall("T0PART").await;
    assert_eq!(stand.slack.command("U0PIA", "C0BOTH", "/pay", "1").await.error, Some("no_such_command"));
    stand.slack.join("C0BOTH", "U0BO");
    stand.slack.rescope(crate::app::BOT, &["chat:write"]);
    assert_eq!(stand.slack.command("U0BO", "C0BOTH", "/pay", "1").await.error, Some("no_such_command"));
    stand.slack.rescope(crate::app::BOT, &["channels:read"]);
    let info = stand.call_as("xoxb-shop-secret", "conversations.info", json!({"channel": "C0BOTH"})).await;
    assert_eq!((&info["channel"]["is_ext_shared"], &info["channel"]["is_member"]), (&json!(true), &json!(true)));
}
