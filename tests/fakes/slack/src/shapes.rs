//! Objects as Slack shows them.

use crate::settings::ChannelKind;
use crate::state::{Channel, Content};
use crate::world::World;
use serde_json::{Value, json};

impl World {
    /// A message as methods and payloads show it.
    pub(crate) fn message_shown(&self, channel: &str, ts: &str, with_metadata: bool) -> Value {
        let Some(message) = self.message(channel, ts) else { return Value::Null };
        let mut shown = json!({"type": "message", "user": message.user, "ts": ts, "team": message.team});
        self.put_content(&mut shown, &message.content, message.bot.as_deref(), &message.team);
        if message.tombstone {
            (shown["subtype"], shown["user"]) = ("tombstone".into(), "USLACKBOT".into());
        }
        if let Some(thread) = &message.thread {
            shown["thread_ts"] = thread.clone().into();
            let parent = self.message(channel, thread).map(|parent| parent.user.clone());
            shown["parent_user_id"] = parent.into();
        }
        if message.broadcast {
            shown["subtype"] = "thread_broadcast".into();
        }
        if let Some(edited) = &message.edited {
            shown["edited"] = json!({"user": message.bot.as_ref().unwrap_or(&message.user), "ts": edited});
        }
        if let Some(metadata) = message.metadata.as_ref().filter(|_| with_metadata) {
            shown["metadata"] = metadata.clone();
        }
        let all = self.messages.get(channel).map(Vec::as_slice).unwrap_or_default();
        let replies: Vec<_> = all.iter().filter(|reply| reply.thread.as_deref() == Some(ts)).collect();
        if let Some(last) = replies.last() {
            let mut users: Vec<&str> = replies.iter().map(|reply| reply.user.as_str()).collect();
            users.sort_unstable();
            users.dedup();
            shown["thread_ts"] = ts.into();
            shown["reply_count"] = replies.len().into();
            shown["reply_users_count"] = users.len().into();
            shown["reply_users"] = json!(users);
            shown["latest_reply"] = last.ts.clone().into();
        }
        shown
    }

    fn put_content(&self, shown: &mut Value, content: &Content, bot: Option<&str>, team: &str) {
        shown["text"] = content.text.clone().into();
        for (key, list) in [("blocks", &content.blocks), ("attachments", &content.attachments)] {
            if !list.is_null() {
                shown[key] = list.clone();
            }
        }
        let Some(bot) = bot else { return };
        shown["bot_id"] = bot.into();
        shown["app_id"] = self.settings.app_id.clone().into();
        shown["bot_profile"] = json!({
            "id": bot, "app_id": self.settings.app_id, "name": "Till", "deleted": false, "team_id": team,
            "updated": 1_700_000_000, "icons": {"image_36": "https://a.slack-edge.com/bot.png"},
        });
    }

    /// A channel as `conversations.info` shows it to a workspace.
    pub(crate) fn channel_shown(&self, team: &str, id: &str) -> Value {
        let channel = self.channel(id);
        let bot = &self.team(team).bot_user;
        if channel.kind == ChannelKind::Im {
            let user = channel.members.iter().find(|member| *member != bot);
            return json!({
                "id": id, "created": 1_700_000_000, "is_im": true, "is_org_shared": false, "user": user,
                "is_archived": channel.archived, "is_user_deleted": false, "is_open": true, "context_team_id": team,
            });
        }
        let (private, shared) = (channel.kind == ChannelKind::Private, is_shared(channel));
        json!({
            "id": id, "name": channel.name, "name_normalized": channel.name, "is_channel": !private,
            "is_group": false, "is_im": false, "is_mpim": false, "is_private": private, "created": 1_700_000_000,
            "is_archived": channel.archived, "is_general": false, "is_shared": shared, "is_org_shared": false,
            "is_ext_shared": shared, "is_pending_ext_shared": false, "is_member": channel.members.contains(bot),
            "context_team_id": team, "creator": bot, "shared_team_ids": self.teams_of(channel),
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0}, "previous_names": [],
        })
    }

    pub(crate) fn teams_of(&self, channel: &Channel) -> Vec<String> {
        std::iter::once(&channel.team).chain(&channel.shared_with).cloned().collect()
    }

    /// A person as `users.info` shows them.
    pub(crate) fn user_shown(&self, id: &str, with_locale: bool) -> Value {
        let (team, user) = self.user(id).expect("a person of this fake");
        if user.deleted {
            return json!({
                "id": id, "team_id": team.id, "name": user.name, "deleted": true, "is_bot": user.is_bot,
                "profile": {"real_name": user.real_name, "display_name": user.name, "team": team.id},
                "updated": 1_700_000_000,
            });
        }
        let mut shown = json!({
            "id": id, "team_id": team.id, "name": user.name, "deleted": false, "color": "9f69e7",
            "real_name": user.real_name, "tz": user.tz, "tz_label": user.tz, "tz_offset": 3600,
            "profile": {
                "real_name": user.real_name, "real_name_normalized": user.real_name, "display_name": user.name,
                "display_name_normalized": user.name, "status_text": "", "status_emoji": "", "team": team.id,
            },
            "is_admin": user.is_admin, "is_owner": false, "is_primary_owner": false, "is_restricted": false,
            "is_ultra_restricted": false, "is_bot": user.is_bot, "is_app_user": false, "updated": 1_700_000_000,
        });
        if with_locale {
            shown["locale"] = user.locale.clone().into();
        }
        shown
    }
}

pub(crate) fn is_shared(channel: &Channel) -> bool {
    !channel.shared_with.is_empty()
}
