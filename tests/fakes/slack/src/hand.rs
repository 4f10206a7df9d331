//! Hands of people: commands, buttons, shortcuts; each tells the app what Slack would tell it.

use crate::Slack;
use crate::content::elements;
use crate::deliver::{Answer, Kind};
use crate::state::Channel;
use crate::trigger::About;
use crate::world::World;
use serde_json::{Value, json};

impl World {
    /// The workspace that a person belongs to.
    pub(crate) fn home_of(&self, user: &str) -> String {
        self.user(user).unwrap_or_else(|| panic!("there is no person {user}")).0.id.clone()
    }

    /// The workspace whose installation a shortcut reaches: the person's own, else the channel's.
    fn reached_by(&self, user: &str, channel: &Channel) -> String {
        let home = self.home_of(user);
        if self.installed(&home) { home } else { channel.team.clone() }
    }

    /// Whether a person has the app's commands: those of their own workspace, in shared channels too.
    fn has_commands(&self, user: &str) -> bool {
        let home = self.home_of(user);
        let mut tokens = self.tokens.values().filter(|token| self.is_for(token, &home));
        tokens.any(|token| token.scopes.iter().any(|scope| scope == "commands"))
    }

    /// A channel in which this person can act.
    fn stage(&self, user: &str, channel: &str) -> &Channel {
        let found = self.channel(channel);
        assert!(found.members.contains(user), "{user} is not in {channel}");
        assert!(!found.archived, "{channel} is archived");
        found
    }

    fn user_brief(&self, user: &str) -> Value {
        let (team, user) = self.user(user).expect("a person of this fake");
        json!({"id": user.id, "username": user.name, "name": user.name, "team_id": team.id})
    }

    fn team_brief(&self, team: &str) -> Value {
        let team = self.team(team);
        let mut brief = json!({"id": team.id, "domain": team.domain});
        if let Some((id, name)) = &team.enterprise {
            (brief["enterprise_id"], brief["enterprise_name"]) = (id.clone().into(), name.clone().into());
        }
        brief
    }

    /// What every interaction has. `team` is the person's, also where another workspace's installation is meant.
    /// Source: bolt-python#767, and why views have `app_installed_team_id`.
    pub(crate) fn interaction(&self, kind: &str, user: &str, trigger: &str) -> Value {
        let team = self.home_of(user);
        let enterprise = self.team(&team).enterprise.as_ref();
        json!({
            "type": kind, "team": self.team_brief(&team), "user": self.user_brief(user),
            "api_app_id": self.settings.app_id, "token": "legacy-verification-token", "trigger_id": trigger,
            "enterprise": enterprise.map(|(id, name)| json!({"id": id, "name": name})),
            "is_enterprise_install": self.is_org_install(&team),
        })
    }

    fn command(&mut self, user: &str, channel: &str, command: &str, text: &str) -> usize {
        let stage = self.stage(user, channel);
        let (team, name) = (self.home_of(user), stage.shown_name().to_owned());
        let text = self.escaped(&team, text, self.settings.should_escape);
        let trigger = self.trigger(&team, user, None);
        let response_url = self.response_url(&team, user, channel, About::Nothing, None);
        let set = self.team(&team);
        let mut fields = json!({
            "token": "legacy-verification-token", "team_id": team, "team_domain": set.domain, "channel_id": channel,
            "channel_name": name, "user_id": user, "user_name": self.user(user).expect("acts").1.name,
            "command": command, "text": text, "api_app_id": self.settings.app_id,
            "is_enterprise_install": self.is_org_install(&team).to_string(), "response_url": response_url, "trigger_id": trigger,
        });
        if let Some((id, enterprise)) = &set.enterprise {
            (fields["enterprise_id"], fields["enterprise_name"]) = (id.clone().into(), enterprise.clone().into());
        }
        self.parcel(Kind::Command, command, fields)
    }

    /// What a person does with an element of a message, or of what they still see of it.
    fn act(
        &mut self,
        user: &str,
        channel: &str,
        on: &Clicked,
        blocks: &Value,
        action: &str,
        pick: Option<&str>,
    ) -> usize {
        let stage = self.stage(user, channel);
        let name = stage.shown_name().to_owned();
        // The installation that posted it answers for it.
        let team = match on {
            Clicked::Message(ts) => self.message(channel, ts).map(|message| message.team.clone()),
            Clicked::Whisper(ts) => self.whispers.iter().find(|it| it.ts == *ts).map(|whisper| whisper.team.clone()),
        };
        let team = team.unwrap_or_else(|| self.channel(channel).team.clone());
        let found = blocks.as_array().into_iter().flatten().find_map(|block| {
            let element = elements(block).into_iter().find(|element| element["action_id"] == action)?;
            Some((block["block_id"].clone(), element.clone()))
        });
        let (block_id, element) = found.unwrap_or_else(|| panic!("there is no `{action}` in {blocks:#}"));
        let done = done_with(&element, block_id, pick, &self.ts());
        let trigger = self.trigger(&team, user, None);
        let (ts, thread) = match on {
            Clicked::Message(ts) => (ts, self.message(channel, ts).and_then(|message| message.thread.clone())),
            Clicked::Whisper(ts) => {
                (ts, self.whispers.iter().find(|whisper| whisper.ts == *ts).and_then(|whisper| whisper.thread.clone()))
            }
        };
        let about = match on {
            Clicked::Message(ts) => About::Message(ts.clone()),
            Clicked::Whisper(ts) => About::Whisper(ts.clone()),
        };
        let whispered = matches!(on, Clicked::Whisper(_));
        let mut payload = self.interaction("block_actions", user, &trigger);
        payload["container"] = json!({
            "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": whispered,
        });
        if let Some(thread) = &thread {
            payload["container"]["thread_ts"] = thread.clone().into();
        }
        payload["channel"] = json!({"id": channel, "name": name});
        // Of a whisper Slack keeps nothing to send.
        if !whispered {
            payload["message"] = self.message_shown(channel, ts, true);
        }
        payload["state"] = json!({"values": {}});
        payload["response_url"] = self.response_url(&team, user, channel, about, thread).into();
        payload["actions"] = json!([done]);
        self.parcel(Kind::Interaction, "block_actions", payload)
    }

    fn message_shortcut(&mut self, user: &str, channel: &str, ts: &str, callback_id: &str) -> usize {
        let stage = self.stage(user, channel);
        let (team, name) = (self.reached_by(user, stage), stage.shown_name().to_owned());
        let thread = self.message(channel, ts).expect("a message that is there").thread.clone();
        let (now, trigger) = (self.ts(), self.trigger(&team, user, None));
        let mut payload = self.interaction("message_action", user, &trigger);
        payload["callback_id"] = callback_id.into();
        payload["action_ts"] = now.into();
        payload["message_ts"] = ts.into();
        payload["channel"] = json!({"id": channel, "name": name});
        payload["message"] = self.message_shown(channel, ts, true);
        payload["response_url"] = self.response_url(&team, user, channel, About::Nothing, thread).into();
        self.parcel(Kind::Interaction, "message_action", payload)
    }
}

/// In what an element stands.
enum Clicked {
    Message(String),
    Whisper(String),
}

/// An entry of `actions`.
fn done_with(element: &Value, block_id: Value, pick: Option<&str>, ts: &str) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    let mut done = json!({"type": kind, "action_id": element["action_id"], "block_id": block_id, "action_ts": ts});
    if kind == "button" {
        for key in ["text", "value", "style", "url", "confirm"] {
            if let Some(value) = element.get(key) {
                done[key] = value.clone();
            }
        }
        return done;
    }
    let pick = pick.unwrap_or_else(|| panic!("something is to be chosen in {element:#}"));
    if kind.ends_with("users_select") {
        done["selected_user"] = pick.into();
        return done;
    }
    done["selected_option"] = option(element, pick).unwrap_or_else(|| panic!("there is no `{pick}` in {element:#}"));
    done
}

/// The option with this value.
pub(crate) fn option(element: &Value, value: &str) -> Option<Value> {
    let groups = element["option_groups"].as_array().into_iter().flatten();
    let lists = groups.map(|group| &group["options"]).chain([&element["options"]]);
    lists.flat_map(|list| list.as_array().into_iter().flatten()).find(|option| option["value"] == value).cloned()
}

impl Slack {
    /// A slash command: `command("U0ANA", "C0SALES", "/pay", "25 EUR coffee")`. People whose workspace has no command
    /// of the app are shown `no_such_command`, and nothing is sent.
    pub async fn command(&self, user: &str, channel: &str, command: &str, text: &str) -> Answer {
        let n = {
            let mut world = self.lock();
            if !world.has_commands(user) {
                return Answer { error: Some("no_such_command"), ..Answer::default() };
            }
            world.command(user, channel, command, text)
        };
        self.inner.deliver(n, None).await
    }

    /// A click on a button, also a link button, of a message as it now stands.
    pub async fn click(&self, user: &str, channel: &str, ts: &str, action_id: &str) -> Answer {
        let n = {
            let mut world = self.lock();
            let message = world.message(channel, ts).unwrap_or_else(|| panic!("there is no message {ts}"));
            let blocks = message.content.blocks.clone();
            world.act(user, channel, &Clicked::Message(ts.to_owned()), &blocks, action_id, None)
        };
        self.inner.deliver(n, None).await
    }

    /// A click in what this person still sees: the blocks as they once were, on a message that may be another by now.
    pub async fn click_old(&self, user: &str, channel: &str, ts: &str, blocks: &Value, action_id: &str) -> Answer {
        let n = self.lock().act(user, channel, &Clicked::Message(ts.to_owned()), blocks, action_id, None);
        self.inner.deliver(n, None).await
    }

    /// A choice in a select or overflow menu of a message.
    pub async fn choose(&self, user: &str, channel: &str, ts: &str, action_id: &str, value: &str) -> Answer {
        let n = {
            let mut world = self.lock();
            let message = world.message(channel, ts).unwrap_or_else(|| panic!("there is no message {ts}"));
            let blocks = message.content.blocks.clone();
            world.act(user, channel, &Clicked::Message(ts.to_owned()), &blocks, action_id, Some(value))
        };
        self.inner.deliver(n, None).await
    }

    /// A click on a button of a whisper.
    pub async fn click_ephemeral(&self, user: &str, ts: &str, action_id: &str) -> Answer {
        let n = {
            let mut world = self.lock();
            let whisper = world.whispers.iter().find(|whisper| whisper.ts == ts && whisper.user == user);
            let whisper = whisper.unwrap_or_else(|| panic!("{user} sees no whisper {ts}"));
            let (channel, blocks) = (whisper.channel.clone(), whisper.content.blocks.clone());
            world.act(user, &channel, &Clicked::Whisper(ts.to_owned()), &blocks, action_id, None)
        };
        self.inner.deliver(n, None).await
    }

    /// A shortcut in the menu of a message.
    pub async fn shortcut(&self, user: &str, channel: &str, ts: &str, callback_id: &str) -> Answer {
        let n = self.lock().message_shortcut(user, channel, ts, callback_id);
        self.inner.deliver(n, None).await
    }

    /// A shortcut that is about no message.
    pub async fn global_shortcut(&self, user: &str, callback_id: &str) -> Answer {
        let n = {
            let mut world = self.lock();
            let team = world.user(user).expect("a person of this fake").0.id.clone();
            let (now, trigger) = (world.ts(), world.trigger(&team, user, None));
            let mut payload = world.interaction("shortcut", user, &trigger);
            (payload["callback_id"], payload["action_ts"]) = (callback_id.into(), now.into());
            world.parcel(Kind::Interaction, "shortcut", payload)
        };
        self.inner.deliver(n, None).await
    }

    /// A message as it once was, oldest first: blocks for [`Slack::click_old`].
    pub fn older_blocks(&self, channel: &str, ts: &str) -> Vec<Value> {
        let world = self.lock();
        let message = world.message(channel, ts).expect("a message that is there");
        message.before.iter().map(|content| content.blocks.clone()).collect()
    }

    /// Whispers are gone when somebody reloads Slack.
    pub fn reload(&self, user: &str) {
        self.lock().whispers.retain(|whisper| whisper.user != user);
    }
}
