//! Events: which of them the app gets, and the envelope around each.

use crate::deliver::Kind;
use crate::shapes::is_shared;
use crate::world::World;
use serde_json::{Value, json};

impl World {
    /// Tells an installation, if the app is subscribed and the token's scope allows it.
    pub(crate) fn tell_team(&mut self, team: &str, subscription: &str, event: Value, shared: bool) {
        let subscribed = self.settings.events.iter().any(|event| event == subscription);
        let needs = match subscription {
            "message.channels" => "channels:history",
            "message.groups" => "groups:history",
            "message.im" => "im:history",
            "app_mention" => "app_mentions:read",
            "channel_archive" | "channel_rename" => "channels:read",
            "group_archive" | "group_rename" => "groups:read",
            _ => "",
        };
        let tokens = self.tokens.values().filter(|token| self.is_for(token, team));
        let mut scopes = tokens.flat_map(|token| &token.scopes);
        if !subscribed || !(needs.is_empty() || scopes.any(|scope| scope == needs)) {
            return;
        }
        let (event_id, set) = (self.id("Ev"), self.team(team));
        let enterprise = set.enterprise.as_ref().map(|(id, _)| id.clone());
        let mut payload = json!({
            "token": "legacy-verification-token", "team_id": team, "context_team_id": team,
            "context_enterprise_id": enterprise, "api_app_id": self.settings.app_id, "event": event,
            "type": "event_callback", "event_id": event_id, "event_time": self.now.secs(),
            "authorizations": [{
                "enterprise_id": enterprise, "team_id": team, "user_id": set.bot_user, "is_bot": true,
                "is_enterprise_install": self.is_org_install(team),
            }],
            "is_ext_shared_channel": shared, "event_context": format!("4-{event_id}"),
        });
        if let Some(enterprise) = enterprise {
            payload["enterprise_id"] = enterprise.into();
        }
        let name = payload["event"]["type"].as_str().unwrap_or_default().to_owned();
        let n = self.parcel(Kind::Event, &name, payload);
        self.outgoing.push(n);
    }

    /// Tells of something in a channel: once, to one installation whose bot is a member.
    pub(crate) fn tell_channel(&mut self, channel: &str, subscription: &str, event: Value) {
        let channel = self.channel(channel);
        let here = |team: &String| self.installed(team) && channel.members.contains(&self.team(team).bot_user);
        let teams = self.teams_of(channel);
        let shared = is_shared(channel);
        if let Some(team) = teams.into_iter().find(here) {
            self.tell_team(&team, subscription, event, shared);
        }
    }

    fn tell_as_message(&mut self, channel: &str, mut event: Value) {
        let (kind, stem) = self.channel(channel).type_and_stem();
        (event["channel"], event["channel_type"]) = (channel.into(), kind.into());
        self.tell_channel(channel, &format!("message.{stem}"), event);
    }

    /// A message was posted, by a person or by our bot.
    pub(crate) fn tell_message(&mut self, channel: &str, ts: &str) {
        let mut event = self.message_shown(channel, ts, true);
        event["event_ts"] = ts.into();
        if event["bot_id"].is_null() {
            event["client_msg_id"] = format!("{}-{ts}", channel.to_lowercase()).into();
        }
        self.tell_as_message(channel, event);
    }

    /// A message says something else now.
    pub(crate) fn tell_changed(&mut self, channel: &str, ts: &str) {
        let message = self.message_shown(channel, ts, true);
        let mut before = message.clone();
        if let Some(old) = self.message(channel, ts).and_then(|message| message.before.last()) {
            (before["text"], before["blocks"]) = (old.text.clone().into(), old.blocks.clone());
        }
        if before["blocks"].is_null() {
            before.as_object_mut().expect("a message").remove("blocks");
        }
        let now = self.ts();
        let event = json!({
            "type": "message", "subtype": "message_changed", "message": message, "previous_message": before,
            "hidden": true, "ts": now, "event_ts": now,
        });
        self.tell_as_message(channel, event);
    }

    /// A message goes away.
    pub(crate) fn tell_deleted(&mut self, channel: &str, ts: &str) {
        let (before, now) = (self.message_shown(channel, ts, true), self.ts());
        let event = json!({
            "type": "message", "subtype": "message_deleted", "previous_message": before, "hidden": true,
            "deleted_ts": ts, "ts": now, "event_ts": now,
        });
        self.tell_as_message(channel, event);
    }
}
