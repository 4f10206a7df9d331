//! How a Slack is set up: the app, its workspaces, the people and channels in them.

use std::time::Duration;

/// Everything that is fixed before the first call.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What ids are drawn from.
    pub seed: u64,
    /// `A…`.
    pub app_id: String,
    /// For OAuth.
    pub client_id: String,
    /// For OAuth.
    pub client_secret: String,
    /// Signs what is posted to the app.
    pub signing_secret: String,
    /// `xapp-…`, with the scope `connections:write`: opens sockets.
    pub app_token: String,
    /// Where OAuth may lead back to; another that begins with one of these will do as well.
    pub redirect_urls: Vec<String>,
    /// Whether OAuth gives tokens that expire.
    pub rotation: bool,
    /// The workspaces, in which the app may be installed.
    pub teams: Vec<TeamSet>,
    /// Subscribed events: `message.channels`, `app_mention`, `app_uninstalled`.
    pub events: Vec<String>,
    /// Whether commands have `@ana` as `<@U1|ana>`.
    pub should_escape: bool,
    /// How the app is reached first.
    pub way: Way,
    /// How long an acknowledgement may take, by the wall clock. Slack waits 3 s.
    pub ack_within: Duration,
    /// What happens to a reply whose thread is not there.
    pub lost_thread: LostThread,
    /// Whether this app is sold outside Slack's marketplace: it may read history once a minute, 15 messages each.
    pub unlisted: bool,
}

/// How the app is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Posts to its Request URLs.
    Http,
    /// Envelopes on its WebSockets.
    Socket,
}

/// What happens to a reply whose thread is not there; both were seen, and Slack documents neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostThread {
    /// `thread_not_found`. Seen: bolt-js#2307.
    Refused,
    /// Accepted, and shown nowhere. Seen: python-slack-sdk#840.
    Swallowed,
}

/// Whether people and apps may edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditWindow {
    /// At any time.
    Always,
    /// For so long after the message.
    For(Duration),
    /// Never.
    Never,
}

/// One workspace.
#[derive(Clone, Debug)]
pub struct TeamSet {
    /// `T…`.
    pub id: String,
    /// `shop`, as in shop.slack.com.
    pub domain: String,
    /// What people call it.
    pub name: String,
    /// Id and name of the organization it belongs to.
    pub enterprise: Option<(String, String)>,
    /// `xoxb-…`; none where the app is not installed yet.
    pub bot_token: Option<String>,
    /// `xoxp-…` of one of its people, with the scope `chat:write`, and who that is.
    pub user_token: Option<(String, String)>,
    /// `U…` of the bot.
    pub bot_user: String,
    /// `B…` of the bot.
    pub bot_id: String,
    /// What the token may do.
    pub scopes: Vec<String>,
    /// Its people.
    pub users: Vec<UserSet>,
    /// Its channels.
    pub channels: Vec<ChannelSet>,
    /// Its user groups.
    pub groups: Vec<GroupSet>,
    /// Its message edit setting.
    pub edit_window: EditWindow,
}

/// One person.
#[derive(Clone, Debug)]
pub struct UserSet {
    /// `U…`.
    pub id: String,
    /// `ana`.
    pub name: String,
    /// `Ana Alves`.
    pub real_name: String,
    /// `de-DE`.
    pub locale: String,
    /// `Europe/Berlin`.
    pub tz: String,
    /// Deactivated.
    pub deleted: bool,
    /// A bot of another app.
    pub is_bot: bool,
    /// May administrate.
    pub is_admin: bool,
}

/// What kind of conversation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// Everybody of the workspace can see it.
    Public,
    /// Its members see it.
    Private,
    /// The bot and one person.
    Im,
}

/// One channel.
#[derive(Clone, Debug)]
pub struct ChannelSet {
    /// `C…`.
    pub id: String,
    /// `sales`.
    pub name: String,
    /// Public or private; direct messages are opened by the app or by their person.
    pub kind: ChannelKind,
    /// Users, also of the other workspaces it is shared with.
    pub members: Vec<String>,
    /// Whether our bot is a member.
    pub bot: bool,
    /// Other workspaces (Slack Connect).
    pub shared_with: Vec<String>,
}

/// One user group.
#[derive(Clone, Debug)]
pub struct GroupSet {
    /// `S…`.
    pub id: String,
    /// `cashiers`.
    pub handle: String,
    /// Users.
    pub users: Vec<String>,
    /// Switched off.
    pub disabled: bool,
}

/// Every scope that this fake asks for.
const SCOPES: &str = "chat:write chat:write.public commands users:read usergroups:read im:write im:read im:history \
    channels:read channels:history groups:read groups:history app_mentions:read team:read";

impl Settings {
    /// One workspace with the app installed: Ana (German) and Bo in public `sales` and private `till`, Cy in neither.
    pub fn test() -> Self {
        Self {
            seed: 7,
            app_id: "A0TILL".into(),
            client_id: "1111.2222".into(),
            client_secret: "client-secret".into(),
            signing_secret: "8f742231b10e8888abcd99yyyzzz85a5".into(),
            app_token: "xapp-1-A0TILL-1-secret".into(),
            redirect_urls: vec!["https://till.example/slack/oauth".into()],
            rotation: false,
            teams: vec![TeamSet::shop()],
            events: "message.channels message.groups message.im app_mention app_home_opened app_uninstalled \
                tokens_revoked channel_archive channel_rename group_archive group_rename"
                .split(' ')
                .map(str::to_owned)
                .filter(|event| !event.is_empty())
                .collect(),
            should_escape: true,
            way: Way::Http,
            ack_within: Duration::from_secs(3),
            lost_thread: LostThread::Refused,
            unlisted: false,
        }
    }

    /// With one more workspace.
    #[must_use]
    pub fn team(mut self, team: TeamSet) -> Self {
        self.teams.push(team);
        self
    }
}

impl TeamSet {
    /// The workspace of [`Settings::test`].
    pub fn shop() -> Self {
        let channel = |id: &str, name: &str, kind, members: &[&str], bot| ChannelSet {
            id: id.into(),
            name: name.into(),
            kind,
            members: members.iter().map(|&member| member.to_owned()).collect(),
            bot,
            shared_with: Vec::new(),
        };
        let mut team = Self::bare("T0SHOP", "shop", "xoxb-shop-secret");
        team.users = vec![
            UserSet::person("U0ANA", "ana", "Ana Alves").locale("de-DE", "Europe/Berlin"),
            UserSet::person("U0BO", "bo", "Bo Berg"),
            UserSet::person("U0CY", "cy", "Cy Cho"),
            UserSet { deleted: true, ..UserSet::person("U0GONE", "gone", "Gone Girard") },
            UserSet { is_bot: true, ..UserSet::person("U0ROBOT", "robot", "Robot") },
        ];
        team.channels = vec![
            channel("C0SALES", "sales", ChannelKind::Public, &["U0ANA", "U0BO"], true),
            channel("C0TILL", "till", ChannelKind::Private, &["U0ANA", "U0BO"], true),
            channel("C0OTHER", "other", ChannelKind::Public, &["U0ANA", "U0CY"], false),
            channel("C0HIDDEN", "hidden", ChannelKind::Private, &["U0ANA"], false),
        ];
        team.groups = vec![
            GroupSet { id: "S0CASH".into(), handle: "cashiers".into(), users: vec!["U0ANA".into()], disabled: false },
            GroupSet { id: "S0OLD".into(), handle: "old".into(), users: vec!["U0CY".into()], disabled: true },
        ];
        team
    }

    /// A workspace with the app installed under this token, with every scope, and nobody in it. Ids end as `id` does.
    pub fn bare(id: &str, domain: &str, bot_token: &str) -> Self {
        let tail = id.trim_start_matches('T');
        Self {
            id: id.into(),
            domain: domain.into(),
            name: domain.into(),
            enterprise: None,
            bot_token: Some(bot_token.into()),
            user_token: None,
            bot_user: format!("U{tail}BOT"),
            bot_id: format!("B{tail}BOT"),
            scopes: SCOPES.split_ascii_whitespace().map(str::to_owned).collect(),
            users: Vec::new(),
            channels: Vec::new(),
            groups: Vec::new(),
            edit_window: EditWindow::Always,
        }
    }

    /// Without a scope.
    #[must_use]
    pub fn without(mut self, scope: &str) -> Self {
        self.scopes.retain(|given| given != scope);
        self
    }
}

impl UserSet {
    /// A person who speaks English in London.
    pub fn person(id: &str, name: &str, real_name: &str) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            real_name: real_name.into(),
            locale: "en-US".into(),
            tz: "Europe/London".into(),
            deleted: false,
            is_bot: false,
            is_admin: false,
        }
    }

    /// With another language and place.
    #[must_use]
    pub fn locale(mut self, locale: &str, tz: &str) -> Self {
        (self.locale, self.tz) = (locale.into(), tz.into());
        self
    }
}
