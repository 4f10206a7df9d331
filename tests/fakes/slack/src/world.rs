//! Everything the fake knows, and how ids, times and people are found in it.

use crate::call::Recorded;
use crate::deliver::Parcel;
use crate::limits::Limits;
use crate::oauth::Grants;
use crate::refusal::Refusal;
use crate::settings::{ChannelKind, Settings, TeamSet, UserSet, Way};
use crate::socket::Sockets;
use crate::state::{Channel, Message, View, Whisper};
use crate::tokens::{Caller, Token};
use crate::trigger::{ResponseUrl, Trigger};
use crate::trouble::Trouble;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use till_core::contract::seeded::Seeded;
use till_core::time::Timestamp;

pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    pub(crate) url: String,
    pub(crate) socket_url: String,
    seeded: Seeded,
    last_ts_us: i64,
    /// By kind of delivery: where it is posted.
    pub(crate) request_urls: [String; 3],
    pub(crate) way: Way,
    pub(crate) channels: BTreeMap<String, Channel>,
    /// By channel, oldest first.
    pub(crate) messages: BTreeMap<String, Vec<Message>>,
    pub(crate) whispers: Vec<Whisper>,
    pub(crate) views: Vec<View>,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) grants: Grants,
    pub(crate) triggers: BTreeMap<String, Trigger>,
    pub(crate) response_urls: BTreeMap<String, ResponseUrl>,
    pub(crate) limits: Limits,
    pub(crate) trouble: Trouble,
    pub(crate) recorded: Vec<Recorded>,
    pub(crate) sockets: Sockets,
    pub(crate) parcels: Vec<Parcel>,
    /// Parcels that nobody has sent yet.
    pub(crate) outgoing: Vec<usize>,
    /// What Slack showed or did without a word to the app.
    pub(crate) complaints: Vec<String>,
    /// People who do not look: whispers do not reach them.
    pub(crate) away: BTreeSet<String>,
    /// How long the way from the app to Slack takes for acknowledgements.
    pub(crate) ack_latency: Duration,
    /// Signs instead of the app's secret.
    pub(crate) forged: Option<String>,
    /// Added to the time that a signature names, in seconds.
    pub(crate) skew_secs: i64,
}

impl World {
    pub(crate) fn new(settings: Settings, now: Timestamp, url: String, socket_url: String) -> Self {
        let mut world = Self {
            now,
            url,
            socket_url,
            seeded: Seeded::new(settings.seed),
            last_ts_us: 0,
            request_urls: Default::default(),
            way: settings.way,
            channels: BTreeMap::new(),
            messages: BTreeMap::new(),
            whispers: Vec::new(),
            views: Vec::new(),
            tokens: BTreeMap::new(),
            grants: Grants::default(),
            triggers: BTreeMap::new(),
            response_urls: BTreeMap::new(),
            limits: Limits::default(),
            trouble: Trouble::default(),
            recorded: Vec::new(),
            sockets: Sockets::default(),
            parcels: Vec::new(),
            outgoing: Vec::new(),
            complaints: Vec::new(),
            away: BTreeSet::new(),
            ack_latency: Duration::ZERO,
            forged: None,
            skew_secs: 0,
            settings,
        };
        for team in world.settings.teams.clone() {
            world.open_team(&team);
        }
        world
    }

    fn open_team(&mut self, team: &TeamSet) {
        if let Some(token) = &team.bot_token {
            self.tokens.insert(token.clone(), Token::bot(&team.id, &team.scopes));
        }
        if let Some((token, user)) = &team.user_token {
            self.tokens.insert(token.clone(), Token::user(&team.id, user));
        }
        for set in &team.channels {
            let mut members: BTreeSet<String> = set.members.iter().cloned().collect();
            if set.bot {
                members.insert(team.bot_user.clone());
            }
            let channel = Channel {
                id: set.id.clone(),
                team: team.id.clone(),
                name: set.name.clone(),
                kind: set.kind,
                members,
                archived: false,
                shared_with: set.shared_with.clone(),
            };
            self.channels.insert(set.id.clone(), channel);
        }
    }

    /// A new id: the prefix and ten characters from the seed.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let drawn: String = (0..10).map(|_| char::from(*self.seeded.pick(ALPHABET).unwrap())).collect();
        format!("{prefix}{drawn}")
    }

    /// A new secret part: 32 hex digits.
    pub(crate) fn secret(&mut self) -> String {
        format!("{:016x}{:016x}", self.seeded.bits(), self.seeded.bits())
    }

    /// A new `1795372200.000100`, later than every one before.
    pub(crate) fn ts(&mut self) -> String {
        let us = (self.now.secs() * 1_000_000 + 100).max(self.last_ts_us + 100);
        self.last_ts_us = us;
        format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
    }

    pub(crate) fn team(&self, id: &str) -> &TeamSet {
        let found = self.settings.teams.iter().find(|team| team.id == id);
        found.unwrap_or_else(|| panic!("there is no workspace {id}"))
    }

    /// The person and their workspace.
    pub(crate) fn user(&self, id: &str) -> Option<(&TeamSet, &UserSet)> {
        let of = |team: &'_ TeamSet| team.users.iter().position(|user| user.id == id);
        let team = self.settings.teams.iter().find(|team| of(team).is_some())?;
        Some((team, team.users.iter().find(|user| user.id == id)?))
    }

    pub(crate) fn channel(&self, id: &str) -> &Channel {
        self.channels.get(id).unwrap_or_else(|| panic!("there is no channel {id}"))
    }

    /// A channel that this bot can see.
    pub(crate) fn visible(&self, caller: &Caller, id: &str) -> Result<&Channel, Refusal> {
        let bot = &self.team(&caller.team).bot_user;
        let found = self.channels.get(id).filter(|channel| channel.is_of(&caller.team));
        let found = found.filter(|channel| channel.kind == ChannelKind::Public || channel.members.contains(bot));
        found.ok_or_else(|| Refusal::new("channel_not_found"))
    }

    /// The conversation of a workspace's bot with a person, which is opened when it is not there.
    pub(crate) fn im(&mut self, team: &str, user: &str) -> String {
        let bot = self.team(team).bot_user.clone();
        let is_it = |channel: &&Channel| {
            channel.kind == ChannelKind::Im && channel.team == team && channel.members.contains(user)
        };
        if let Some(channel) = self.channels.values().find(is_it) {
            return channel.id.clone();
        }
        let id = self.id("D");
        let channel = Channel {
            id: id.clone(),
            team: team.to_owned(),
            name: user.to_owned(),
            kind: ChannelKind::Im,
            members: [bot, user.to_owned()].into(),
            archived: false,
            shared_with: Vec::new(),
        };
        self.channels.insert(id.clone(), channel);
        id
    }

    pub(crate) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.get(channel)?.iter().find(|message| message.ts == ts)
    }

    pub(crate) fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.messages.get_mut(channel)?.iter_mut().find(|message| message.ts == ts)
    }

    /// Whether the app is installed there: it has a token that was not taken away.
    pub(crate) fn installed(&self, team: &str) -> bool {
        self.tokens.values().any(|token| self.is_for(token, team))
    }
}
