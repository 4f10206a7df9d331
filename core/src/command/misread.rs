//! The answer to a command that cannot be carried out as typed: what was understood, what was not, and one that works.

use super::lex::clean;
use super::pay::is_plain;
use super::{Grammar, ITEMS_MAX, Item, Opt, QUANTITY_MAX, To, Verb};
use crate::id::Code;
use crate::money::{BadMoney, Currency, Money, Reading};
use crate::text::Locale;
use std::time::Duration;

/// A command that cannot be carried out as typed. [`Misread::say`] is the whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// What is wanted, when that much is clear.
    pub verb: Option<Verb>,
    /// What was understood: the key of a phrase, and the value in it.
    pub understood: Vec<(String, String)>,
    /// What was not; the first thing, where there are several.
    pub problem: Problem,
    /// A command like it that works: `/pay 25.00 EUR coffee`.
    pub example: String,
}

impl Misread {
    pub(super) fn new(
        grammar: &Grammar,
        reading: &Reading<'_>,
        verb: Option<Verb>,
        problem: Problem,
        got: Understood,
    ) -> Self {
        let example = got.example(grammar, reading, verb, &problem);
        Self { verb, understood: got.phrases(verb, reading.locale), problem, example }
    }

    /// The answer, in two or three lines of plain text.
    pub fn say(&self, locale: &Locale) -> String {
        let understood: Vec<String> =
            self.understood.iter().map(|(key, value)| locale.say(key, &[("value", value)])).collect();
        let mut lines = vec![self.problem.say(locale)];
        if !understood.is_empty() {
            lines.push(locale.say("command-understood", &[("list", &understood.join(", "))]));
        }
        lines.push(locale.say("command-example", &[("example", &self.example)]));
        lines.join("\n")
    }
}

/// A part of a command that has a longest length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole command.
    Text,
    /// The description.
    What,
    /// The name of an item.
    Item,
    /// The name of a person.
    Name,
    /// The e-mail address.
    Email,
    /// The reference.
    Reference,
    /// The note.
    Note,
    /// The reason of a refund.
    Reason,
}

impl Part {
    const fn key(self) -> &'static str {
        match self {
            Self::Text => "command-long-text",
            Self::What => "command-long-what",
            Self::Item => "command-long-item",
            Self::Name => "command-long-name",
            Self::Email => "command-long-email",
            Self::Reference => "command-long-reference",
            Self::Note => "command-long-note",
            Self::Reason => "command-long-reason",
        }
    }
}

/// What could not be understood. Texts in it are as typed, shortened to 40 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The amount is not one.
    Money(BadMoney),
    /// There is no amount, or not at the beginning.
    NoAmount,
    /// A code in small letters that may be a word: `25 cup of tea`.
    CurrencyOrWord {
        /// The word.
        text: String,
        /// The currency it may be.
        code: Currency,
    },
    /// Items in two currencies.
    Mixed {
        /// The first item's.
        first: Currency,
        /// The other.
        second: Currency,
    },
    /// A quantity of none or too many.
    Quantity {
        /// As typed.
        text: String,
    },
    /// More than ten items.
    TooManyItems,
    /// An item does not begin with its price.
    ItemAmount {
        /// Which, counted from 1.
        number: u32,
    },
    /// An item has no name.
    ItemName {
        /// Which, counted from 1.
        number: u32,
    },
    /// A quote was opened and never closed.
    OpenQuote {
        /// From the quote on.
        text: String,
    },
    /// An option is there twice.
    Twice {
        /// Which.
        option: Opt,
    },
    /// An option that does not exist, close to one that does.
    NearOption {
        /// As typed, without the colon.
        typed: String,
        /// The one that does.
        meant: Opt,
    },
    /// An option without a value.
    NoValue {
        /// Which.
        option: Opt,
    },
    /// More than one person is to pay.
    To {
        /// As typed.
        text: String,
    },
    /// Not a length of time.
    Expires {
        /// As typed.
        text: String,
    },
    /// A length of time that a payment cannot be open.
    ExpiresRange {
        /// As typed.
        text: String,
    },
    /// No e-mail address.
    Email {
        /// As typed.
        text: String,
    },
    /// A reference with characters that it cannot have.
    Reference {
        /// As typed.
        text: String,
    },
    /// A part is too long.
    TooLong {
        /// Which.
        part: Part,
        /// The most, in characters.
        max: usize,
    },
    /// Which payment is not said.
    NoCode,
    /// By how much is not said.
    NoTime,
    /// No payment is ever called that.
    NoSuchStatus {
        /// As typed.
        text: String,
    },
    /// Not the code of a payment.
    BadCode {
        /// As typed.
        text: String,
    },
    /// Words after the end of the command.
    Extra {
        /// As typed.
        text: String,
    },
    /// No command is called that.
    NoSuchVerb {
        /// As typed.
        text: String,
    },
    /// No command is called that, and one nearly is.
    NearVerb {
        /// As typed.
        text: String,
        /// The one that nearly is.
        meant: Verb,
    },
}

impl Problem {
    /// The sentence for it, with the next step.
    pub fn say(&self, locale: &Locale) -> String {
        let number = |number: &u32| number.to_string();
        match self {
            Self::Money(bad) => bad.say(locale),
            Self::NoAmount => locale.say("command-no-amount", &[]),
            Self::CurrencyOrWord { text, code } => {
                locale.say("command-currency-or-word", &[("text", text), ("code", code.code())])
            }
            Self::Mixed { first, second } => {
                locale.say("command-mixed", &[("first", first.code()), ("second", second.code())])
            }
            Self::Quantity { text } => {
                locale.say("command-quantity", &[("text", text), ("max", &number(&QUANTITY_MAX))])
            }
            Self::TooManyItems => locale.say("command-too-many-items", &[("max", &ITEMS_MAX.to_string())]),
            Self::ItemAmount { number: at } => locale.say("command-item-amount", &[("number", &number(at))]),
            Self::ItemName { number: at } => locale.say("command-item-name", &[("number", &number(at))]),
            Self::OpenQuote { text } => locale.say("command-open-quote", &[("text", text)]),
            Self::Twice { option } => locale.say("command-twice", &[("option", option.name())]),
            Self::NearOption { typed, meant } => {
                locale.say("command-near-option", &[("typed", typed), ("meant", meant.name())])
            }
            Self::NoValue { option } => {
                locale.say("command-no-value", &[("option", option.name()), ("example", option.example())])
            }
            Self::To { text } => locale.say("command-to", &[("text", text)]),
            Self::Expires { text } => locale.say("command-expires", &[("text", text)]),
            Self::ExpiresRange { text } => locale.say("command-expires-range", &[("text", text)]),
            Self::Email { text } => locale.say("command-email", &[("text", text)]),
            Self::Reference { text } => locale.say("command-reference", &[("text", text)]),
            Self::TooLong { part, max } => locale.say(part.key(), &[("max", &max.to_string())]),
            Self::NoCode => locale.say("command-no-code", &[]),
            Self::NoTime => locale.say("command-no-time", &[]),
            Self::NoSuchStatus { text } => locale.say("command-no-such-status", &[("text", text)]),
            Self::BadCode { text } => locale.say("command-bad-code", &[("text", text)]),
            Self::Extra { text } => locale.say("command-extra", &[("text", text)]),
            Self::NoSuchVerb { text } => {
                let verbs = Verb::ALL.map(Verb::name).join(", ");
                locale.say("command-no-such-verb", &[("text", text), ("verbs", &verbs)])
            }
            Self::NearVerb { text, meant } => {
                locale.say("command-near-verb", &[("text", text), ("meant", meant.name())])
            }
        }
    }

    /// Whether it is about a line of items, so that the example should show some.
    const fn is_about_items(&self) -> bool {
        matches!(
            self,
            Self::Mixed { .. }
                | Self::Quantity { .. }
                | Self::TooManyItems
                | Self::ItemAmount { .. }
                | Self::ItemName { .. }
        )
    }
}

/// What has been understood so far of a command. The items always make a valid order.
#[derive(Debug, Default)]
pub(super) struct Understood {
    pub(super) code: Option<Code>,
    pub(super) amount: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) total: Option<Money>,
    pub(super) items: Vec<Item>,
    pub(super) what: Option<String>,
    pub(super) to: Option<To>,
    pub(super) email: Option<String>,
    pub(super) expires: Option<Duration>,
    pub(super) reference: Option<String>,
    pub(super) note: Option<String>,
}

impl Understood {
    fn phrases(&self, verb: Option<Verb>, locale: &Locale) -> Vec<(String, String)> {
        let mut phrases = Vec::new();
        let mut add = |key: &str, value: Option<String>| {
            phrases.extend(value.map(|value| (format!("command-{key}"), value)));
        };
        if let Some(verb) = verb {
            add(&format!("{}-about", verb.name()), Some(String::new()));
        }
        add("understood-code", self.code.map(|code| code.to_string()));
        let items =
            self.items.iter().map(|item| format!("{} × {} {}", item.quantity, item.each.text(locale), item.name));
        match self.items.is_empty() {
            true => {
                add("understood-amount", self.total.map(|total| total.text(locale)).or_else(|| self.amount.clone()))
            }
            false => add("understood-items", Some(items.collect::<Vec<_>>().join(" + "))),
        }
        add("understood-what", self.what.clone());
        add("understood-reason", self.reason.clone());
        add("understood-to", self.to.as_ref().map(|to| payer(to).to_owned()));
        add("understood-email", self.email.clone());
        add("understood-expires", self.expires.map(as_typed));
        add("understood-ref", self.reference.clone());
        add("understood-note", self.note.clone());
        phrases
    }

    fn example(&self, grammar: &Grammar, reading: &Reading<'_>, verb: Option<Verb>, problem: &Problem) -> String {
        let code = || self.code.map_or_else(|| "K7Q2F9".to_owned(), |code| code.to_string());
        match verb {
            Some(Verb::Pay) => {
                let order = self.order(reading, problem);
                let words = std::iter::once(grammar.opening(Verb::Pay)).chain([order]).chain(self.options(reading.own));
                words.collect::<Vec<_>>().join(" ")
            }
            Some(verb @ Verb::Refund) if self.code.is_some() => {
                let amount = self.amount.clone().unwrap_or_else(|| sample(10, reading.own));
                let reason = self.reason.as_ref().and_then(|reason| plain_or_quoted(reason, reading.own));
                let words = [Some(grammar.opening(verb)), Some(code()), Some(amount), reason];
                words.into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
            Some(
                verb @ (Verb::Cancel
                | Verb::Remind
                | Verb::Renew
                | Verb::Approve
                | Verb::Reject
                | Verb::Accept
                | Verb::Honour
                | Verb::Status
                | Verb::Verify
                | Verb::Retry),
            ) => format!("{} {}", grammar.opening(verb), code()),
            Some(verb @ Verb::Extend) => {
                let more = self.expires.map_or_else(|| "2h".to_owned(), as_typed);
                format!("{} {} {more}", grammar.opening(verb), code())
            }
            Some(verb @ (Verb::Refund | Verb::Payments | Verb::Help)) => verb.example(grammar),
            None => match problem {
                Problem::NearVerb { meant, .. } => meant.example(grammar),
                _ => grammar.opening(Verb::Help),
            },
        }
    }

    /// Amounts and texts as they can be typed.
    fn order(&self, reading: &Reading<'_>, problem: &Problem) -> String {
        let own = reading.own;
        let text = |text: &str| plain_or_quoted(text, own).unwrap_or_else(|| "coffee".to_owned());
        let item =
            |item: &Item| format!("{} x {} {}", item.quantity, item.each.typed(reading.locale), text(&item.name));
        if problem.is_about_items() && self.items.len() < 2 {
            return format!("2 x {} coffee + {} cake", sample(4, own), sample(3, own));
        }
        if !self.items.is_empty() {
            return self.items.iter().map(item).collect::<Vec<_>>().join(" + ");
        }
        let instead = match problem {
            Problem::Money(bad) => instead(bad, reading),
            _ => None,
        };
        let number = || self.amount.as_ref().and_then(|number| Money::read(number, reading).ok());
        let amount = self.total.or_else(number).map(|total| total.typed(reading.locale)).or(instead);
        let amount = amount.unwrap_or_else(|| sample(25, own));
        format!("{amount} {}", text(self.what.as_deref().unwrap_or_default()))
    }

    fn options(&self, own: Currency) -> impl Iterator<Item = String> {
        let to = self.to.as_ref().and_then(|to| plain_or_quoted(&format!("@{}", payer(to)), own));
        let to = to.filter(|to| to.contains(char::is_alphanumeric)).map(|to| format!("to:{to}"));
        let email = self.email.as_ref().map(|email| format!("email:{email}"));
        let expires = self.expires.map(|expires| format!("expires:{}", as_typed(expires)));
        let reference = self.reference.as_ref().map(|reference| format!("ref:\"{reference}\""));
        let note = self.note.as_ref().map(|note| unquoted(note)).filter(|note| !note.is_empty());
        [to, email, expires, reference, note.map(|note| format!("note:\"{note}\""))].into_iter().flatten()
    }
}

/// The amount that was probably meant, in a form that can be read.
fn instead(bad: &BadMoney, reading: &Reading<'_>) -> Option<String> {
    let amount = match bad {
        BadMoney::OverPrecise { instead, .. } => instead.typed(reading.locale),
        BadMoney::Ambiguous { whole, currency, .. } => format!("{whole} {currency}"),
        BadMoney::Marks { instead, currency, .. } => format!("{instead} {currency}"),
        BadMoney::Empty
        | BadMoney::NotANumber { .. }
        | BadMoney::Digits { .. }
        | BadMoney::Negative { .. }
        | BadMoney::Zero { .. }
        | BadMoney::TooMuch { .. }
        | BadMoney::UnknownCurrency { .. }
        | BadMoney::NoMinorUnit { .. }
        | BadMoney::SharedSign { .. }
        | BadMoney::TwoCurrencies { .. } => return None,
    };
    Money::read(&amount, reading).is_ok().then_some(amount)
}

fn sample(whole: u32, own: Currency) -> String {
    format!("{whole} {own}")
}

fn payer(to: &To) -> &str {
    match to {
        To::Person { name, .. } | To::Name(name) => name,
    }
}

/// A text as it can be typed after an amount; none when nothing is left of it.
fn plain_or_quoted(text: &str, own: Currency) -> Option<String> {
    let text = unquoted(text);
    match text.is_empty() {
        true => None,
        false if is_plain(&text, own) => Some(text),
        false => Some(format!("\"{text}\"")),
    }
}

fn unquoted(text: &str) -> String {
    clean(&text.replace(['"', '“', '”', '„'], ""))
}

/// A length of time as it is typed: `1h30m`.
fn as_typed(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    let parts = [(minutes / 1440, 'd'), (minutes / 60 % 24, 'h'), (minutes % 60, 'm')];
    parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}
