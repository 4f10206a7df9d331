//! The app manifest: what Slack must know of Till, with exactly the scopes that are used.

use serde_json::{Value, json};
use till_core::command::Grammar;

/// What is opted into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Plain messages are read for commands.
    pub keywords: bool,
    /// Channels are read to find a card whose post had no clear answer.
    pub history: bool,
    /// Messages are read for what should not stand in a chat, and an administrator's token takes it away.
    pub guard: bool,
}

/// The rights of the bot, in order.
pub(crate) fn scopes(extras: Extras) -> Vec<&'static str> {
    let mut scopes = vec![
        "app_mentions:read",
        "chat:write",
        "chat:write.public",
        "commands",
        "im:write",
        "usergroups:read",
        "users:read",
    ];
    if extras.keywords || extras.history || extras.guard {
        scopes.extend(["channels:history", "groups:history", "im:history"]);
    }
    scopes.sort_unstable();
    scopes
}

/// A manifest for api.slack.com/apps, "From a manifest". `public_url`: where Slack posts; `None` for Socket Mode.
/// `redirect_url`: where people come back to after they added Till to their workspace; `None` for one workspace.
///
/// Source: Slack docs, "App manifest reference".
pub fn manifest(grammar: &Grammar, public_url: Option<&str>, redirect_url: Option<&str>, extras: Extras) -> Value {
    let url = |path: &str| public_url.map(|base| format!("{base}/slack/{path}"));
    let command = |word: &str, description: &str, hint: &str| {
        let mut command = json!({
            "command": format!("/{word}"), "description": description, "usage_hint": hint, "should_escape": true,
        });
        if let Some(url) = url("commands") {
            command["url"] = url.into();
        }
        command
    };
    let with_url = |mut settings: Value, path: &str| {
        if let Some(url) = url(path) {
            settings["request_url"] = url.into();
        }
        settings
    };
    let mut events = vec!["app_home_opened", "app_mention", "app_uninstalled", "tokens_revoked"];
    if extras.keywords || extras.guard {
        events.extend(["message.channels", "message.groups", "message.im"]);
    }
    events.sort_unstable();
    let mut oauth = json!({ "scopes": { "bot": scopes(extras) } });
    if extras.guard {
        oauth["scopes"]["user"] = json!(["chat:write"]);
    }
    if let Some(redirect) = redirect_url {
        oauth["redirect_urls"] = json!([redirect]);
    }
    json!({
        "display_information": {
            "name": "Till", "description": "A till for your chat: /pay, a card, Paid.", "background_color": "#1f3a2e",
        },
        "features": {
            "app_home": { "home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": true },
            "bot_user": { "display_name": "Till", "always_online": true },
            "shortcuts": [{
                "name": "Request payment", "type": "message", "callback_id": crate::receive::REQUEST_PAYMENT,
                "description": "Ask the writer of this message for money",
            }],
            "slash_commands": [
                command(grammar.pay_word(), "Ask for money", "25 EUR coffee"),
                command(grammar.till_word(), "Everything else", "status K7Q2F9 | refund K7Q2F9 10 | help"),
            ],
        },
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": with_url(json!({ "bot_events": events }), "events"),
            "interactivity": with_url(json!({ "is_enabled": true }), "interactions"),
            "org_deploy_enabled": redirect_url.is_some(),
            "socket_mode_enabled": public_url.is_none(),
            "token_rotation_enabled": redirect_url.is_some(),
        },
    })
}
