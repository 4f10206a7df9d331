//! The manifest asks for what is used, and for nothing else.

use crate::{Extras, manifest};
use serde_json::Value;
use till_core::command::Grammar;

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

#[test]
fn without_extras_no_message_is_read() {
    let manifest = manifest(&Grammar::default(), None, None, Extras::default());
    let scopes = words(&manifest["oauth_config"]["scopes"]["bot"]);
    assert_eq!(
        scopes,
        [
            "app_mentions:read",
            "chat:write",
            "chat:write.public",
            "commands",
            "im:write",
            "usergroups:read",
            "users:read"
        ]
    );
    let settings = &manifest["settings"];
    assert_eq!(settings["socket_mode_enabled"], true);
    assert!(!manifest.to_string().contains("http"), "no address is asked for: {manifest}");
    assert!(!words(&settings["event_subscriptions"]["bot_events"]).iter().any(|event| event.starts_with("message")));
}

#[test]
fn many_workspaces_need_a_way_back_and_tokens_that_expire() {
    let back = "https://till.example/slack/oauth";
    let manifest = manifest(&Grammar::default(), None, Some(back), Extras::default());
    assert_eq!(words(&manifest["oauth_config"]["redirect_urls"]), [back]);
    let settings = &manifest["settings"];
    assert_eq!((&settings["token_rotation_enabled"], &settings["org_deploy_enabled"]), (&true.into(), &true.into()));
    assert_eq!(settings["socket_mode_enabled"], true, "Slack posts nothing; people come back to us");
}

#[test]
fn the_guard_reads_messages_and_takes_them_away_as_a_person() {
    let manifest = manifest(&Grammar::default(), None, None, Extras { guard: true, ..Extras::default() });
    let scopes = &manifest["oauth_config"]["scopes"];
    assert_eq!(words(&scopes["user"]), ["chat:write"]);
    assert!(words(&scopes["bot"]).contains(&"channels:history"));
    assert!(words(&manifest["settings"]["event_subscriptions"]["bot_events"]).contains(&"message.channels"));
}

#[test]
fn over_http_every_address_is_ours() {
    let extras = Extras { keywords: true, history: true, guard: false };
    let manifest = manifest(&Grammar::default(), Some("https://till.example"), None, extras);
    assert_eq!(manifest["settings"]["socket_mode_enabled"], false);
    assert_eq!(manifest["settings"]["interactivity"]["request_url"], "https://till.example/slack/interactions");
    assert_eq!(manifest["settings"]["event_subscriptions"]["request_url"], "https://till.example/slack/events");
    for command in manifest["features"]["slash_commands"].as_array().unwrap() {
        assert_eq!(
            (&command["url"], &command["should_escape"]),
            (&"https://till.example/slack/commands".into(), &true.into())
        );
    }
    assert!(words(&manifest["oauth_config"]["scopes"]["bot"]).contains(&"channels:history"));
}
