//! An office: a shop that talks in Slack, where Ana is staff and Bo is a customer, and whose provider is the fake Stripe.
//!
//! ```text
//! Ana, Bo ── fake Slack ──(HTTP, signed | Socket Mode)──► Till ── API ──► fake Stripe ◄── hosted page ── payer
//!               ▲──────────────── Web API ────────────────┘ ▲────── signed webhooks ───────┘
//! ```
//! In the end of each story everything that Till sent must be what Slack takes.

use super::stripe::{Plan, Shop, place};
use super::{PATIENCE, choose, eventually, to_provider};
use fake_slack::{Answer, ChannelKind, ChannelSet, Clock, Kind, Settings, Shown, Slack, TeamSet, UserSet, Way};
use reqwest::StatusCode;
use serde_json::Value;
use std::ops::Deref;
use std::path::Path;
use till::config::{Config, SlackConfig};
use till_core::port::store::Staff;

/// Where they talk.
pub(crate) const SALES: &str = "C0SALES";
/// Staff.
pub(crate) const ANA: &str = "U0ANA";
/// A customer.
pub(crate) const BO: &str = "U0BO";
/// Staff of another workspace.
pub(crate) const DEE: &str = "U0DEE";
/// Ana, as the staff list has her.
pub(crate) const STAFF: &str = "slack:T0SHOP/U0ANA";

/// How Till comes by its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// The host puts the one of the workspace into a file.
    Hand,
    /// Each workspace adds Till by itself; nobody has yet.
    OAuth,
    /// Likewise, and tokens end after twelve hours.
    OAuthForHours,
}

/// A second workspace, `annex`: Dee works there, and its channel `partners` is shared with Ana's.
pub(crate) fn annex() -> TeamSet {
    let channel = |id: &str, name: &str, members: &[&str], shared_with: &[&str]| ChannelSet {
        id: id.into(),
        name: name.into(),
        kind: ChannelKind::Public,
        members: members.iter().map(|&member| member.to_owned()).collect(),
        bot: true,
        shared_with: shared_with.iter().map(|&team| team.to_owned()).collect(),
    };
    TeamSet {
        bot_token: None,
        users: vec![UserSet::person(DEE, "dee", "Dee Dahl")],
        channels: vec![
            channel("C0ANNEX", "annex", &[DEE], &[]),
            channel("C0PARTNERS", "partners", &[DEE, ANA, "U0SHOPBOT"], &["T0SHOP"]),
        ],
        ..TeamSet::bare("T0ANNEX", "annex", "")
    }
}

fn settings(way: Way, added: Added, url: &str) -> Settings {
    let mut settings = Settings { way, ..Settings::test() };
    if added != Added::Hand {
        settings.teams[0].bot_token = None;
        settings.redirect_urls = vec![format!("{url}/slack/oauth")];
        settings.rotation = added == Added::OAuthForHours;
        settings = settings.team(annex());
        for team in &mut settings.teams {
            team.enterprise = Some(("E0CORP".into(), "Corp".into()));
        }
    }
    settings
}

/// A fake Slack that reaches Till at `url`, and a till that is set up for it.
pub(crate) async fn talk_there(
    way: Way,
    added: Added,
    config: &mut Config,
    url: &str,
    data: &Path,
    clock: Clock,
) -> Slack {
    let settings = settings(way, added, url);
    let bot_token = settings.teams[0].bot_token.clone().unwrap_or_default();
    for (name, secret) in [
        ("slack-bot", &bot_token),
        ("slack-client", &settings.client_secret),
        ("slack-app", &settings.app_token),
        ("slack-signing", &settings.signing_secret),
    ] {
        std::fs::write(data.join(name), secret).unwrap();
    }
    let client_id = if added == Added::Hand { String::new() } else { settings.client_id.clone() };
    let slack = fake_slack::serve(settings, clock).await;
    for (kind, path) in [(Kind::Command, "commands"), (Kind::Interaction, "interactions"), (Kind::Event, "events")] {
        slack.request_url(kind, &format!("{url}/slack/{path}"));
    }
    config.slack = SlackConfig {
        enabled: true,
        bot_token: place(data, "slack-bot"),
        client_id,
        client_secret: place(data, "slack-client"),
        app_token: if way == Way::Socket { place(data, "slack-app") } else { String::new() },
        signing_secret: place(data, "slack-signing"),
        api_url: format!("{}/api", slack.url()),
        ..SlackConfig::default()
    };
    slack
}

/// The shop, seen from Slack.
pub(crate) struct Office {
    pub(crate) shop: Shop,
    pub(crate) slack: Slack,
}

impl Deref for Office {
    type Target = Shop;
    fn deref(&self) -> &Shop {
        &self.shop
    }
}

impl Office {
    pub(crate) async fn open(way: Way) -> Self {
        Self::with(Plan { slack: Some(way), ..Plan::default() }).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        let shop = Shop::with(plan).await;
        let slack = shop.slack.clone().unwrap();
        let office = Self { shop, slack };
        if plan.slack == Some(Way::Socket) {
            // Who types before a socket is open is told by Slack that the app does not answer.
            let opened = tokio::time::timeout(PATIENCE, office.slack.until_sockets(2)).await;
            opened.unwrap_or_else(|_| panic!("no socket is opened: {:#?}", office.slack.calls()));
        }
        office
    }

    /// Somebody of the workspace becomes staff.
    pub(crate) async fn hire(&self, user: &str, name: &str) {
        let staff = Staff { id: format!("slack:T0SHOP/{user}"), name: name.into(), since: self.now() };
        self.world.store.add_staff(&self.world.merchant.id, &staff).await.unwrap();
    }

    /// Ana types a command in the channel; gives what she alone reads.
    pub(crate) async fn command(&self, command: &str, text: &str) -> String {
        self.command_by(ANA, command, text).await
    }

    pub(crate) async fn command_by(&self, user: &str, command: &str, text: &str) -> String {
        let answer = self.slack.command(user, SALES, command, text).await;
        assert!(answer.is_ok(), "{answer:?}");
        answer.body["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Ana asks for money; gives the code.
    pub(crate) async fn pay(&self, text: &str) -> String {
        let said = self.command("/pay", text).await;
        code_in(&said)
    }

    /// The card of a payment, once it says this.
    pub(crate) async fn says(&self, code: &str, words: &str) -> Shown {
        let mut seen = Vec::new();
        let found = eventually(async || {
            seen = self.cards(code);
            seen.iter().find(|card| card.words().contains(words)).cloned()
        });
        found.await.unwrap_or_else(|| panic!("no card of {code} says `{words}`: {seen:#?}"))
    }

    /// All messages in the channel that are cards of a payment.
    pub(crate) fn cards(&self, code: &str) -> Vec<Shown> {
        let is_card = |shown: &Shown| shown.by_app && !shown.blocks.is_null() && shown.words().contains(code);
        self.slack.messages(SALES).into_iter().filter(is_card).collect()
    }

    /// What stands in the thread below a message, by the app.
    pub(crate) async fn below(&self, ts: &str, words: &str) -> Shown {
        let found = eventually(async || {
            let below = |shown: &Shown| shown.thread.as_deref() == Some(ts) && shown.text.contains(words);
            self.slack.messages(SALES).into_iter().find(below)
        });
        found.await.unwrap_or_else(|| panic!("nothing says `{words}` below {ts}: {:#?}", self.slack.messages(SALES)))
    }

    /// What only this person reads, in the channel or in a direct conversation.
    pub(crate) async fn whispered_to(&self, user: &str, words: &str) -> Shown {
        let found = eventually(async || {
            let all = self.slack.whispers(SALES, user).into_iter().chain(self.slack.dms(user));
            all.into_iter().find(|shown| shown.words().contains(words) || shown.text.contains(words))
        });
        found.await.unwrap_or_else(|| panic!("{user} is not told `{words}`"))
    }

    /// Somebody clicks a button of a card.
    pub(crate) async fn click(&self, user: &str, card: &Shown, label: &str) -> Answer {
        let answer = self.slack.click(user, SALES, &card.ts, &id_of(card, label)).await;
        assert!(answer.is_ok(), "{label}: {answer:?}");
        answer
    }

    /// The payer pays at Stripe, from the link of the card.
    pub(crate) async fn payer_pays(&self, card: &Shown) {
        self.payer_chooses(card, "ok").await;
    }

    /// What the payer does at Stripe: `ok`, `declined`, `debit`.
    pub(crate) async fn payer_chooses(&self, card: &Shown, how: &str) {
        let url = button(card, "Pay")["url"].as_str().unwrap().to_owned();
        let page = to_provider(&self.customer.http, &url).await;
        assert_eq!(choose(&self.customer.http, &page, how).await, StatusCode::SEE_OTHER);
    }

    /// The form that a person has open.
    pub(crate) async fn form(&self, user: &str) -> Value {
        let opened = eventually(async || self.slack.views(user).last().cloned());
        opened.await.unwrap_or_else(|| panic!("no form is opened for {user}; calls: {:#?}", self.slack.calls()))
    }

    /// Everything that was sent was what Slack takes, and the books agree.
    pub(crate) async fn close(self) {
        self.slack.settled().await;
        assert_eq!(self.slack.complaints(), [] as [String; 0]);
        assert_eq!(self.slack.unknown_args(), [] as [String; 0]);
        self.shop.close().await;
    }
}

/// The six characters that name a payment, at the end of `Asked for 25.00 EUR: K7Q2F9.`
pub(crate) fn code_in(said: &str) -> String {
    last_code(said).unwrap_or_else(|| panic!("no code in `{said}`"))
}

/// The same, where there may be none.
pub(crate) fn last_code(said: &str) -> Option<String> {
    let mut words = said.split(|c: char| !c.is_ascii_alphanumeric());
    let is_code = |word: &&str| word.len() == 6 && word.parse::<till_core::id::Code>().is_ok();
    words.rfind(is_code).map(str::to_owned)
}

/// The button of this label.
pub(crate) fn button(card: &Shown, label: &str) -> Value {
    let blocks = card.blocks.as_array().into_iter().flatten().filter(|block| block["type"] == "actions");
    let mut all = blocks.flat_map(|block| block["elements"].as_array().cloned().unwrap_or_default());
    let found = all.find(|button| button["text"]["text"].as_str().is_some_and(|text| text.starts_with(label)));
    found.unwrap_or_else(|| panic!("no button {label}: {:#}", card.blocks))
}

pub(crate) fn id_of(card: &Shown, label: &str) -> String {
    button(card, label)["action_id"].as_str().unwrap().to_owned()
}

/// The labels of all buttons.
pub(crate) fn labels(card: &Shown) -> Vec<String> {
    let blocks = card.blocks.as_array().into_iter().flatten().filter(|block| block["type"] == "actions");
    let all = blocks.flat_map(|block| block["elements"].as_array().cloned().unwrap_or_default());
    all.map(|button| button["text"]["text"].as_str().unwrap().to_owned()).collect()
}
