//! What people say and do to channels, and what the app hears of it.

use crate::deliver::Answer;
use crate::settings::ChannelKind;
use crate::state::{Content, Message};
use crate::tokens::is_enterprise;
use crate::world::World;
use crate::{Slack, shapes};
use serde_json::{Value, json};

impl World {
    /// A text as Slack keeps it: `&`, `<`, `>` escaped, links in brackets, and `@ana` and `#sales` as ids where asked.
    pub(crate) fn escaped(&self, team: &str, text: &str, with_names: bool) -> String {
        let words = text.split(' ').map(|word| self.escaped_word(team, word, with_names));
        words.collect::<Vec<_>>().join(" ")
    }

    fn escaped_word(&self, team: &str, word: &str, with_names: bool) -> String {
        let plain = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let team = self.team(team);
        let people = team.users.iter().map(|user| (&user.id, user.name.as_str()));
        let person = word.strip_prefix('@').and_then(|name| {
            let mut all = people.chain([(&team.bot_user, "till")]);
            all.find(|(_, known)| *known == name)
        });
        let channel = word.strip_prefix('#').and_then(|name| {
            let all = self.channels.values().filter(|one| one.is_of(&team.id) && one.kind != ChannelKind::Im);
            all.into_iter().find(|one| one.name == name)
        });
        match (person, channel) {
            (Some((id, name)), _) if with_names => format!("<@{id}|{name}>"),
            (_, Some(channel)) if with_names => format!("<#{}|{}>", channel.id, channel.name),
            _ if with_names && (word.starts_with("https://") || word.starts_with("http://")) => format!("<{plain}>"),
            _ => plain,
        }
    }

    fn say(&mut self, user: &str, channel: &str, text: &str, thread: Option<&str>) -> (String, String) {
        let stage = self.channel(channel);
        assert!(stage.members.contains(user), "{user} is not in {channel}");
        assert!(!stage.archived, "{channel} is archived");
        let team = self.user(user).expect("a person of this fake").0.id.clone();
        // In messages ids stand without names.
        let text = self.escaped(&stage.team.clone(), text, true);
        let text = text.split(' ').map(|word| match word.split_once('|') {
            Some((id, _)) if id.starts_with("<@") => format!("{id}>"),
            Some((id, _)) if id.starts_with("<#") => format!("{id}|>"),
            _ => word.to_owned(),
        });
        let text = text.collect::<Vec<_>>().join(" ");
        let ts = self.ts();
        let blocks = json!([{
            "type": "rich_text", "block_id": self.secret()[..5], "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]},
            ],
        }]);
        let message = Message {
            ts: ts.clone(),
            team,
            user: user.to_owned(),
            bot: None,
            content: Content { text: text.clone(), blocks, attachments: Value::Null },
            thread: thread.map(str::to_owned),
            broadcast: false,
            metadata: None,
            edited: None,
            edits: 0,
            tombstone: false,
            by_response: false,
            before: Vec::new(),
        };
        self.messages.entry(channel.to_owned()).or_default().push(message);
        self.tell_message(channel, &ts);
        (ts, text)
    }

    /// `app_mention`, where the bot is named.
    fn tell_mention(&mut self, channel: &str, ts: &str, text: &str) {
        let stage = self.channel(channel);
        let teams = self.teams_of(stage);
        let named = teams.iter().any(|team| text.contains(&format!("<@{}>", self.team(team).bot_user)));
        // A direct message is no mention.
        if !named || stage.kind == ChannelKind::Im {
            return;
        }
        let mut event = self.message_shown(channel, ts, true);
        event["type"] = "app_mention".into();
        (event["channel"], event["event_ts"]) = (channel.into(), ts.into());
        self.tell_channel(channel, "app_mention", event);
    }

    fn tell_of_channel(&mut self, channel: &str, what: &str, event: impl Fn(&str) -> Value) {
        let kind = if self.channel(channel).kind == ChannelKind::Private { "group" } else { "channel" };
        let name = format!("{kind}_{what}");
        self.tell_channel(channel, &name, event(&name));
    }
}

impl Slack {
    /// One step whose events are waited for; what came back for each, in order.
    async fn tells<T>(&self, act: impl FnOnce(&mut World) -> T) -> (T, Vec<Answer>) {
        let (done, parcels) = {
            let mut world = self.lock();
            let done = act(&mut world);
            (done, std::mem::take(&mut world.outgoing))
        };
        let mut answers = Vec::new();
        for n in parcels {
            answers.push(self.inner.tell(n).await);
        }
        (done, answers)
    }

    /// A person says something, perhaps in a thread: its time, and what came back for each event that told of it.
    pub async fn say(&self, user: &str, channel: &str, text: &str, thread: Option<&str>) -> (String, Vec<Answer>) {
        let say = |world: &mut World| {
            let (ts, text) = world.say(user, channel, text, thread);
            world.tell_mention(channel, &ts, &text);
            ts
        };
        self.tells(say).await
    }

    /// A person says something to the bot in a channel: `@till` and the text.
    pub async fn mention(&self, user: &str, channel: &str, text: &str, thread: Option<&str>) -> (String, Vec<Answer>) {
        self.say(user, channel, &format!("@till {text}"), thread).await
    }

    /// A person opens the home of the app.
    pub async fn open_home(&self, user: &str) -> Vec<Answer> {
        let im = self.im(user);
        let opens = |world: &mut World| {
            let team = world.user(user).expect("a person of this fake").0.id.clone();
            let mut event =
                json!({"type": "app_home_opened", "user": user, "channel": im, "tab": "home", "event_ts": world.ts()});
            let home = world.views.iter().find(|view| view.user == user && view.text("type") == "home");
            if let Some(id) = home.map(|view| view.id.clone()) {
                event["view"] = world.view_shown(&id);
            }
            world.tell_team(&team, "app_home_opened", event, false);
        };
        self.tells(opens).await.1
    }

    /// Somebody removes the app from a workspace, or from all of an organization: its tokens are `account_inactive` from
    /// now on.
    pub async fn uninstall(&self, from: &str) -> Vec<Answer> {
        let removes = |world: &mut World| {
            let teams = match is_enterprise(from) {
                true => world.teams_in(from).into_iter().cloned().collect(),
                false => vec![world.team(from).clone()],
            };
            for team in &teams {
                let tokens = json!({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [team.bot_user]}});
                world.tell_team(&team.id, "tokens_revoked", tokens, false);
                world.tell_team(&team.id, "app_uninstalled", json!({"type": "app_uninstalled"}), false);
            }
            let tokens = world.tokens.values_mut().filter(|token| token.team == from && token.is_live());
            tokens.for_each(|token| token.end("account_inactive"));
            for team in &teams {
                world.channels.values_mut().filter(|channel| channel.team == team.id).for_each(|channel| {
                    channel.members.remove(&team.bot_user);
                });
            }
        };
        self.tells(removes).await.1
    }

    /// A channel gets another name.
    pub async fn rename(&self, channel: &str, name: &str) -> Vec<Answer> {
        let renames = |world: &mut World| {
            world.channels.get_mut(channel).expect("a channel of this fake").name = name.to_owned();
            let shown = json!({"id": channel, "name": name, "created": 1_700_000_000});
            let now = world.ts();
            world.tell_of_channel(channel, "rename", |kind| json!({"type": kind, "channel": shown, "event_ts": now}));
        };
        self.tells(renames).await.1
    }

    /// A channel is archived.
    pub async fn archive(&self, channel: &str) -> Vec<Answer> {
        let archives = |world: &mut World| {
            let now = world.ts();
            world.tell_of_channel(
                channel,
                "archive",
                |kind| json!({"type": kind, "channel": channel, "user": "U0ADMIN", "event_ts": now}),
            );
            world.channels.get_mut(channel).expect("a channel of this fake").archived = true;
        };
        self.tells(archives).await.1
    }

    /// A person or our bot enters a channel.
    pub fn join(&self, channel: &str, user: &str) {
        self.lock().channels.get_mut(channel).expect("a channel of this fake").members.insert(user.to_owned());
    }

    /// A person or our bot leaves it, or is taken out.
    pub fn leave(&self, channel: &str, user: &str) {
        self.lock().channels.get_mut(channel).expect("a channel of this fake").members.remove(user);
    }

    /// Somebody with the right to do so deletes a message of the app.
    pub async fn delete_by_hand(&self, channel: &str, ts: &str) -> Vec<Answer> {
        self.tells(|world| world.remove(channel, ts)).await.1
    }

    /// Whether a channel is shared with another workspace.
    pub fn is_shared(&self, channel: &str) -> bool {
        shapes::is_shared(self.lock().channel(channel))
    }
}
