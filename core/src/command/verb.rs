//! What can be asked of a till, declared once: names, examples and help come from here.

use super::Grammar;
use crate::text::Locale;

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Ask for money.
    Pay,
    /// Call a payment off.
    Cancel,
    /// Give money back.
    Refund,
    /// Say a payment again in its conversation.
    Remind,
    /// Leave a payment open for longer.
    Extend,
    /// Ask for the same once more.
    Renew,
    /// Agree that money is asked for.
    Approve,
    /// Do not agree; or let money not count that does not fit.
    Reject,
    /// Let money count that does not fit.
    Accept,
    /// Keep money that came too late.
    Honour,
    /// Say how a payment, or all of them here, stand.
    Status,
    /// List payments, and what needs somebody.
    Payments,
    /// Say whether a code or link is ours; anybody may ask.
    Verify,
    /// Try again what was given up.
    Retry,
    /// Explain.
    Help,
}

impl Verb {
    /// All, in the order in which help lists them.
    pub const ALL: [Self; 15] = [
        Self::Pay,
        Self::Cancel,
        Self::Refund,
        Self::Remind,
        Self::Extend,
        Self::Renew,
        Self::Approve,
        Self::Reject,
        Self::Accept,
        Self::Honour,
        Self::Status,
        Self::Payments,
        Self::Verify,
        Self::Retry,
        Self::Help,
    ];

    /// As it is typed after the word for the till: `cancel`. The bare word for [`Verb::Pay`] is the grammar's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Cancel => "cancel",
            Self::Refund => "refund",
            Self::Remind => "remind",
            Self::Extend => "extend",
            Self::Renew => "renew",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Accept => "accept",
            Self::Honour => "honour",
            Self::Status => "status",
            Self::Payments => "payments",
            Self::Verify => "verify",
            Self::Retry => "retry",
            Self::Help => "help",
        }
    }

    /// Whether it is understood without the word for the till before it. Other bots are told to `remind` and `verify`.
    pub(super) const fn stands_alone(self) -> bool {
        match self {
            Self::Pay | Self::Cancel | Self::Refund | Self::Renew | Self::Status | Self::Help => true,
            Self::Remind
            | Self::Extend
            | Self::Approve
            | Self::Reject
            | Self::Accept
            | Self::Honour
            | Self::Payments
            | Self::Verify
            | Self::Retry => false,
        }
    }

    /// A command that works as it stands: `/till cancel K7Q2F9`.
    pub fn example(self, grammar: &Grammar) -> String {
        let words = match self {
            Self::Pay => "25 EUR coffee",
            Self::Cancel
            | Self::Remind
            | Self::Renew
            | Self::Approve
            | Self::Reject
            | Self::Accept
            | Self::Honour
            | Self::Status
            | Self::Verify
            | Self::Retry => "K7Q2F9",
            Self::Extend => "K7Q2F9 2h",
            Self::Payments => "open",
            Self::Refund => "K7Q2F9 10 EUR cold coffee",
            Self::Help => "refund",
        };
        format!("{} {words}", grammar.opening(self))
    }

    /// What it does, in a few words: `ask for money`.
    pub fn about(self, locale: &Locale) -> String {
        locale.say(&format!("command-{}-about", self.name()), &[])
    }
}

/// The answer to `/till help`: all commands, or one with its details. Lines of plain text.
pub fn help(grammar: &Grammar, about: Option<Verb>, locale: &Locale) -> String {
    let line = |verb: Verb| {
        let (example, about) = (verb.example(grammar), verb.about(locale));
        locale.say("command-help-line", &[("example", &example), ("about", &about)])
    };
    let (pay, till) = (grammar.opening(Verb::Pay), grammar.till());
    let more = |key: &str| locale.say(key, &[("pay", &pay), ("till", &till)]);
    match about {
        None => {
            let lines = Verb::ALL.into_iter().map(line);
            lines.chain([more("command-help-end")]).collect::<Vec<_>>().join("\n")
        }
        Some(verb) => [line(verb), more(&format!("command-{}-more", verb.name()))].join("\n"),
    }
}
