//! What Slack posts, read: bytes in, [`Heard`] out. The same for both ways in.
//!
//! ```text
//! /slack/commands      form     ─┐
//! /slack/interactions  payload=  ├─► Heard ─► desk, or a form to open, or nothing
//! /slack/events        JSON      │
//! Socket Mode          envelope ─┘
//! ```
//! Each human act has two keys: Slack's id of the delivery, and the act's own coordinates (trigger, view, channel and
//! message), since Slack may tell of one act under many ids (node-slack-sdk#2141).
//!
//! Deliberately absent: messages of bots and changes of messages, which ask for nothing.

use crate::PLATFORM;
use crate::answer::FORM;
use crate::mrkdwn;
use crate::render::{ASK, DETAILS, FOLLOW, PART, PRESS};
use crate::views::{self, FormAt, PayFields, Question};
use crate::wire::{Action, Event, Interaction, Message, Outer, SlashCommand, View};
use till_core::command::{Grammar, Verb};
use till_core::id::Code;
use till_core::place::{MessageRef, PersonId, Place};
use till_core::port::desk::{Again, Deed, Inbound};

/// The name of the message shortcut "Request payment", as the manifest gives it.
pub(crate) const REQUEST_PAYMENT: &str = "request_payment";
/// Where a private word was said: its buttons act there, also when Slack could only show them in a direct conversation.
pub(crate) fn said_at(at: &Place, key: &str) -> String {
    format!("{}|{}|{}|{key}", at.workspace, at.channel, at.thread.as_deref().unwrap_or_default())
}

/// The place and the key in a block that [`said_at`] named.
fn place_in(block: &str) -> Option<(Place, &str)> {
    let mut parts = block.splitn(4, '|');
    let (workspace, channel, thread, key) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let thread = Some(thread.to_owned()).filter(|thread| !thread.is_empty());
    Some((place(workspace, channel, thread), key))
}

/// The buttons below "you asked for the same a moment ago".
pub(crate) const AGAIN: &str = "again";
pub(crate) const SHOW: &str = "show";

/// What was posted is not what Slack posts.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be read: {0}")]
pub(crate) struct Unreadable(String);

impl Unreadable {
    /// A form that is none.
    pub(crate) fn form() -> Self {
        Self("as a form".to_owned())
    }
}

impl From<serde_json::Error> for Unreadable {
    /// Where, and never what: it holds people's words.
    fn from(error: serde_json::Error) -> Self {
        Self(format!("line {}, column {}", error.line(), error.column()))
    }
}

/// What Slack told us.
#[derive(Debug, Default)]
pub(crate) enum Heard {
    /// Slack asks whether this address is ours.
    Challenge(String),
    /// For the desk.
    Act(Box<Act>),
    /// Somebody wants the form that asks for money.
    WantsPayForm { by: PersonId, trigger: String, at: FormAt, payer: Option<String> },
    /// Somebody wants the form of a button: its token, and what is asked.
    WantsAmountForm { by: PersonId, trigger: String, at: FormAt, asked: Question },
    /// The form that asks for money was sent.
    PayForm { by: PersonId, name: String, view: String, at: FormAt, fields: PayFields },
    /// A form was sent without the amount that it asks for.
    NoAmount { by: PersonId },
    /// Somebody looks at the app's home.
    Home(PersonId),
    /// The app was taken out of a workspace.
    Removed { workspace: String },
    /// Nothing for us.
    #[default]
    Nothing,
}

/// A deed, its text as Slack writes it, and how it is answered.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) inbound: Inbound,
    /// Of a typed command: Slack's own text, in which people are marks.
    pub(crate) raw: Option<String>,
    pub(crate) to: AnswerTo,
}

/// How somebody is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AnswerTo {
    /// In the acknowledgement of their command.
    Command { trigger: String },
    /// In the form that they sent: an error beside this field.
    Form { field: &'static str },
    /// In private, in the place itself.
    Private,
    /// Likewise; and as long as nothing was done, Slack can be asked to tell of it again.
    Event,
}

/// A slash command.
pub(crate) fn command(command: SlashCommand, grammar: &Grammar) -> Heard {
    let by = person(&command.team_id, &command.user_id);
    let place = place(&command.team_id, &command.channel_id, None);
    let opening = match command.command.strip_prefix('/') {
        Some(word) if word.eq_ignore_ascii_case(grammar.pay_word()) => grammar.opening(Verb::Pay),
        Some(_) | None => grammar.till(),
    };
    let raw = format!("{opening} {}", command.text);
    let to = AnswerTo::Command { trigger: command.trigger_id.clone() };
    act(vec![format!("trigger:{}", command.trigger_id)], by, command.user_name, place, raw, Again::Unasked, to)
}

/// A click, a form or a shortcut.
pub(crate) fn interaction(told: Interaction) -> Heard {
    let home = told.team.as_ref().map(|team| team.id.clone());
    let team = told.user.team_id.clone().or(home.clone()).unwrap_or_default();
    let by = person(&team, &told.user.id);
    let name = told.user.name.or(told.user.username).unwrap_or_else(|| told.user.id.clone());
    match (told.kind.as_str(), told.view) {
        ("view_submission", Some(view)) => submission(by, name, view),
        ("message_action", _) if told.callback_id == REQUEST_PAYMENT => {
            let (Some(channel), Some(message)) = (told.channel, told.message) else { return Heard::Nothing };
            let thread = Some(message.thread_ts.unwrap_or(message.ts));
            let at = FormAt { place: place(&home.unwrap_or(team), &channel.id, thread), token: None };
            Heard::WantsPayForm { by, trigger: told.trigger_id, at, payer: message.user }
        }
        ("block_actions", _) => {
            let (Some(action), Some(channel)) = (told.actions.into_iter().next(), told.channel) else {
                return Heard::Nothing;
            };
            // A card says in its block which installation posted it: in a shared channel the clicker's team is another.
            let workspace = action.block_id.split('|').next().filter(|team| team.starts_with('T'));
            let workspace = workspace.map(str::to_owned).or(home).unwrap_or(team);
            // What has replies names itself as its thread.
            let own = |message: &Message| message.thread_ts.clone().filter(|thread| *thread != message.ts);
            let thread = told.message.as_ref().and_then(own).or(told.container.thread_ts);
            let at = place(&workspace, &channel.id, thread);
            let on = told.message.filter(|_| !told.container.is_ephemeral);
            let on = on.map(|message| MessageRef { place: at.clone(), id: message.ts });
            click(Click { by, name, at, on, trigger: told.trigger_id, action })
        }
        _ => Heard::Nothing,
    }
}

struct Click {
    by: PersonId,
    name: String,
    at: Place,
    on: Option<MessageRef>,
    trigger: String,
    action: Action,
}

fn click(click: Click) -> Heard {
    let Click { by, name, at, on, trigger, action } = click;
    let message = on.as_ref().map_or("", |on| &on.id);
    let keys = vec![
        format!("trigger:{trigger}"),
        format!("act:{}/{message}/{}/{}", at.channel, action.action_ts, action.action_id),
    ];
    let pressed = |deed: Deed| {
        let inbound = Inbound {
            keys: keys.clone(),
            by: by.clone(),
            name: name.clone(),
            locale: None,
            place: at.clone(),
            on,
            deed,
        };
        Heard::Act(Box::new(Act { inbound, raw: None, to: AnswerTo::Private }))
    };
    match action.action_id.split(':').next().unwrap_or_default() {
        FOLLOW => match action.value.parse::<Code>() {
            Ok(code) => pressed(Deed::Followed { code }),
            Err(_) => Heard::Nothing,
        },
        PRESS => pressed(Deed::Pressed { token: action.value, amount: None }),
        ASK => {
            let mut parts = action.value.splitn(3, PART).map(str::to_owned);
            let mut part = || parts.next().unwrap_or_default();
            let at = FormAt { place: at, token: Some(part()) };
            let asked = Question { filled: part(), text: part() };
            Heard::WantsAmountForm { by, trigger, at, asked }
        }
        FORM => {
            let at = place_in(&action.block_id).map_or(at, |(said, _)| said);
            Heard::WantsPayForm { by, trigger, at: FormAt { place: at, token: None }, payer: None }
        }
        DETAILS | SHOW => match action.value.parse::<Code>() {
            Ok(code) => pressed(Deed::Wondered { code }),
            Err(_) => Heard::Nothing,
        },
        AGAIN => {
            // Two clicks on "one more" are one more, whatever Slack calls them.
            let (at, asked) = place_in(&action.block_id).unwrap_or((at, ""));
            let again = (!asked.is_empty()).then(|| format!("again:{asked}"));
            let keys = again.into_iter().chain([format!("trigger:{trigger}")]).collect();
            act(keys, by, name, at, action.value, Again::Wanted, AnswerTo::Private)
        }
        _ => Heard::Nothing,
    }
}

fn submission(by: PersonId, name: String, view: View) -> Heard {
    let Ok(at) = serde_json::from_str::<FormAt>(&view.private_metadata) else { return Heard::Nothing };
    match view.callback_id.as_str() {
        views::PAY => {
            let fields = PayFields::read(&view.state);
            Heard::PayForm { by, name, view: view.id, at, fields }
        }
        views::AMOUNT => {
            let Some(token) = at.token.clone() else { return Heard::Nothing };
            // Without an amount a press means all of it; a form that asks for one must have one.
            let Some(amount) = views::text_of(&view.state, views::AMOUNT_FIELD) else { return Heard::NoAmount { by } };
            let deed = Deed::Pressed { token, amount: Some(amount) };
            let keys = vec![format!("view:{}", view.id)];
            let inbound = Inbound { keys, by, name, locale: None, place: at.place, on: None, deed };
            Heard::Act(Box::new(Act { inbound, raw: None, to: AnswerTo::Form { field: views::AMOUNT_FIELD } }))
        }
        _ => Heard::Nothing,
    }
}

/// What the Events API tells. `keywords`: whether plain messages are read for commands.
pub(crate) fn event(outer: Outer, grammar: &Grammar, keywords: Keywords) -> Heard {
    if let Some(challenge) = outer.challenge.filter(|_| outer.kind == "url_verification") {
        return Heard::Challenge(challenge);
    }
    let authorized = outer.authorizations.unwrap_or_default().into_iter().next();
    let bot = authorized.as_ref().and_then(|authorized| authorized.user_id.clone()).unwrap_or_default();
    let workspace = authorized.and_then(|authorized| authorized.team_id).or(outer.team_id);
    // What is said of an organization names no workspace.
    let workspace = workspace.or(outer.enterprise_id).unwrap_or_default();
    let Some(event) = outer.event else { return Heard::Nothing };
    match event.kind.as_str() {
        "app_uninstalled" | "tokens_revoked" => Heard::Removed { workspace },
        "app_home_opened" => event.user.map_or(Heard::Nothing, |user| Heard::Home(person(&workspace, &user))),
        "app_mention" => {
            let Some((_, said)) = event.text.split_once(&format!("<@{bot}")) else { return Heard::Nothing };
            let said = said.split_once('>').map_or("", |(_, said)| said).trim();
            let raw = match said.split_whitespace().next() {
                Some(word) if word.eq_ignore_ascii_case(grammar.pay_word()) => {
                    format!("{} {}", grammar.opening(Verb::Pay), said[word.len()..].trim_start())
                }
                Some(_) | None => format!("{} {said}", grammar.till()),
            };
            message(event, &workspace, &outer.event_id, raw)
        }
        "message" if keywords == Keywords::Read => {
            // What mentions the bot comes a second time, as a mention.
            if event.text.trim_start().starts_with(&format!("<@{bot}")) {
                return Heard::Nothing;
            }
            let raw = event.text.clone();
            message(event, &workspace, &outer.event_id, raw)
        }
        _ => Heard::Nothing,
    }
}

/// Whether plain messages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keywords {
    /// They are looked through for commands.
    Read,
    /// They are passed over.
    Ignored,
}

fn message(event: Event, workspace: &str, event_id: &str, raw: String) -> Heard {
    let (Some(user), Some(channel)) = (event.user, event.channel) else { return Heard::Nothing };
    if event.bot_id.is_some() || event.subtype.as_deref().is_some_and(|subtype| subtype != "thread_broadcast") {
        return Heard::Nothing;
    }
    let by = person(event.team.as_deref().unwrap_or(workspace), &user);
    let keys = vec![format!("message:{channel}/{}", event.ts), format!("event:{event_id}")];
    let at = place(workspace, &channel, event.thread_ts);
    act(keys, by, user, at, raw, Again::Unasked, AnswerTo::Event)
}

fn act(keys: Vec<String>, by: PersonId, name: String, place: Place, raw: String, again: Again, to: AnswerTo) -> Heard {
    let read = mrkdwn::read(&raw, &place.workspace);
    let deed = Deed::Typed { text: read.text, mentions: read.mentions, again };
    Heard::Act(Box::new(Act {
        inbound: Inbound { keys, by, name, locale: None, place, on: None, deed },
        raw: Some(raw),
        to,
    }))
}

pub(crate) fn person(workspace: &str, user: &str) -> PersonId {
    PersonId { platform: PLATFORM.to_owned(), id: format!("{workspace}/{user}") }
}

pub(crate) fn place(workspace: &str, channel: &str, thread: Option<String>) -> Place {
    Place { platform: PLATFORM.to_owned(), workspace: workspace.to_owned(), channel: channel.to_owned(), thread }
}
