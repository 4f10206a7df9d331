//! What staff type, read: text in, a [`Command`] or a kind word out.
//!
//! ```text
//! line    = prefix ( "pay" order | "till" [verb] | verb )      prefix and both words are the host's to choose
//! order   = { line item " + " } line item, options anywhere    /pay 25 EUR coffee to:@ana
//! item    = [ quantity "x" ] amount [ text ]                   2 x 4.50 EUR coffee + 3 EUR cake
//! option  = "to:" person | "email:" address | "expires:" 2h | "ref:" A-17 | "note:" "text"
//! verb    = "pay" order | "cancel" code | "refund" code [amount] [reason] | "remind" code | "extend" code 2h
//!         | "renew" code | "approve" code | "reject" code | "accept" code | "honour" code | "status" [code] | "payments" [status]
//!         | "verify" (code | link) | "retry" code | "help" [verb]
//! text    = words, or "words in quotes", which are never read as anything else
//! ```
//! `/pay` alone opens a form, `/till` alone is help. Amounts are those of [`crate::money`]; a currency stands next to
//! its number, in capitals unless it is the merchant's own: `25 cup of tea` is not Cuban pesos.
//!
//! Deliberately absent: who may do it, whether the payment exists, what its currency is (so the amount of a refund
//! stays text until the payment is found), and any state.

mod lex;
mod misread;
mod pay;
mod verb;

pub use lex::clean;
pub use misread::{Misread, Part, Problem};
pub use verb::{Verb, help};

use crate::id::Code;
use crate::money::{Money, Reading, shorten};
use crate::payment::Status;
use lex::{Lexed, Word, lex, nearest};
use misread::Understood;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::time::Duration;

/// The longest command, in characters.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// The longest description, in characters.
pub const WHAT_CHARS_MAX: usize = 120;
/// The longest name of an item or a person, in characters.
pub const NAME_CHARS_MAX: usize = 80;
/// The longest note or reason, in characters.
pub const NOTE_CHARS_MAX: usize = 300;
/// The longest reference, in characters.
pub const REFERENCE_CHARS_MAX: usize = 40;
/// The longest e-mail address, in characters.
///
/// Source: RFC 5321, 4.5.3.1.3, a path of 256 octets with its brackets.
pub const EMAIL_CHARS_MAX: usize = 254;
/// The most items in one order.
pub const ITEMS_MAX: usize = 10;
/// The most of one item.
pub const QUANTITY_MAX: u32 = 999;
/// The shortest time a payment can be open.
pub const EXPIRES_MIN: Duration = Duration::from_secs(10 * 60);
/// The longest time a payment can be open.
pub const EXPIRES_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How commands begin here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grammar {
    prefixes: Vec<String>,
    pay: String,
    till: String,
}

impl Default for Grammar {
    /// `/pay` and `/till`.
    fn default() -> Self {
        Self { prefixes: vec!["/".into()], pay: "pay".into(), till: "till".into() }
    }
}

/// The words that commands should begin with cannot be told apart, or not from talk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` cannot begin a command: {why}")]
pub struct BadGrammar {
    /// The prefix or word.
    pub word: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Grammar {
    /// The prefixes that are understood (the first is the one shown), the word that asks for money, the word for the rest.
    ///
    /// # Errors
    /// [`BadGrammar`]: a prefix or word is missing, holds a space or a control character, or is taken.
    pub fn new(prefixes: Vec<String>, pay: &str, till: &str) -> Result<Self, BadGrammar> {
        let bad = |word: &str, why| BadGrammar { word: word.to_owned(), why };
        if prefixes.is_empty() {
            return Err(bad("", "there is no prefix"));
        }
        for word in prefixes.iter().map(String::as_str).chain([pay, till]) {
            if word.is_empty() {
                return Err(bad(word, "it is empty"));
            }
            if word.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(bad(word, "it has a space in it"));
            }
        }
        let taken = |word: &str| Verb::ALL.iter().any(|verb| *verb != Verb::Pay && same(verb.name(), word));
        if let Some(word) = [pay, till].into_iter().find(|word| taken(word)) {
            return Err(bad(word, "it is a command of its own"));
        }
        if same(pay, till) || same(till, Verb::Pay.name()) {
            return Err(bad(till, "it already asks for money"));
        }
        Ok(Self { prefixes, pay: pay.to_owned(), till: till.to_owned() })
    }

    /// What a command of this verb begins with: `/pay`, `/till cancel`.
    pub fn opening(&self, verb: Verb) -> String {
        match verb {
            Verb::Pay => format!("{}{}", self.prefix(), self.pay),
            Verb::Cancel
            | Verb::Refund
            | Verb::Remind
            | Verb::Extend
            | Verb::Renew
            | Verb::Approve
            | Verb::Reject
            | Verb::Accept
            | Verb::Honour
            | Verb::Status
            | Verb::Payments
            | Verb::Verify
            | Verb::Retry
            | Verb::Help => format!("{} {}", self.till(), verb.name()),
        }
    }

    /// The word for everything but asking for money, as it is typed: `/till`.
    pub fn till(&self) -> String {
        format!("{}{}", self.prefix(), self.till)
    }

    /// The word that asks for money, without its prefix: `pay`.
    pub fn pay_word(&self) -> &str {
        &self.pay
    }

    /// The word for everything else, without its prefix: `till`.
    pub fn till_word(&self) -> &str {
        &self.till
    }

    fn prefix(&self) -> &str {
        self.prefixes.first().map_or("", String::as_str)
    }

    /// Reads one message. None: it is no command, just talk.
    ///
    /// Mentions whose span does not fit the text are passed over.
    pub fn read(&self, said: &Said<'_>, reading: &Reading<'_>) -> Option<Result<Command, Misread>> {
        let line = said.text.trim_start();
        let body =
            self.prefixes.iter().filter_map(|prefix| line.strip_prefix(prefix.as_str())).min_by_key(|b| b.len())?;
        if body.starts_with(char::is_whitespace) {
            return None;
        }
        let (first, rest) = cut(body);
        let line = Line { grammar: self, said, reading };
        Some(match self.first(first, rest, reading)? {
            First::Verb(verb) => line.command(verb, rest),
            First::Near(meant) => Err(line.near(first, meant, rest)),
            First::Till => match cut(rest) {
                ("", _) => Ok(Command::Help { about: None }),
                (second, rest) => match verb(second).or_else(|| same(second, &self.pay).then_some(Verb::Pay)) {
                    Some(verb) => line.command(verb, rest),
                    None => Err(match no_verb(second) {
                        Problem::NearVerb { meant, .. } => line.near(second, meant, rest),
                        problem => line.misread(None, problem, Understood::default()),
                    }),
                },
            },
        })
    }

    fn first(&self, word: &str, rest: &str, reading: &Reading<'_>) -> Option<First> {
        if same(word, &self.till) {
            return Some(First::Till);
        }
        if same(word, &self.pay) {
            return Some(First::Verb(Verb::Pay));
        }
        if let Some(verb) = verb(word).filter(|verb| *verb != Verb::Pay && verb.stands_alone()) {
            return Some(First::Verb(verb));
        }
        // Other bots listen here too, so a slip counts only where the words after it are ours as well.
        let words = lex(rest, 0, &[], &[]).words;
        let small = word.to_lowercase();
        if lex::distance(&small, &self.pay.to_lowercase()) <= 1 && pay::begins_with_amount(&words, reading) {
            return Some(First::Near(Verb::Pay));
        }
        let code = words.first().is_some_and(|word| word.text.parse::<Code>().is_ok());
        nearest(&small, &[Verb::Cancel, Verb::Refund, Verb::Renew, Verb::Status], Verb::name)
            .filter(|_| code)
            .map(First::Near)
    }
}

/// What the first word of a line says.
enum First {
    Till,
    Verb(Verb),
    Near(Verb),
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

fn verb(word: &str) -> Option<Verb> {
    Verb::ALL.into_iter().find(|verb| same(verb.name(), word))
}

fn no_verb(word: &str) -> Problem {
    match nearest(&word.to_lowercase(), &Verb::ALL, Verb::name) {
        Some(meant) => Problem::NearVerb { text: shorten(word), meant },
        None => Problem::NoSuchVerb { text: shorten(word) },
    }
}

/// The first word, and what follows it.
fn cut(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// What was said, with the people in it.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The whole message, as the platform gives it.
    pub text: &'a str,
    /// The people mentioned in it.
    pub mentions: &'a [Mention],
}

/// A person mentioned in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// The platform's id of the person.
    pub person: String,
    /// How the person is shown.
    pub name: String,
}

/// What somebody asks of the till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Ask for money.
    Pay(Pay),
    /// Show a form to fill in: the bare `/pay`.
    Form,
    /// Do something about one payment.
    About {
        /// Which.
        code: Code,
        /// What.
        wish: Wish,
    },
    /// List payments.
    Payments {
        /// Only those; none: what is open, and what needs somebody.
        status: Option<Status>,
    },
    /// Say whether this is ours.
    Verify {
        /// A code, or an address, as typed.
        what: String,
    },
    /// Say how things stand.
    Status {
        /// Of which payment; none: of those that are open here.
        code: Option<Code>,
    },
    /// Explain.
    Help {
        /// What; none: everything in short.
        about: Option<Verb>,
    },
}

/// What is wanted of one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Call it off.
    Cancel,
    /// Give money back.
    Refund {
        /// How much, as typed: [`Money::read`] it with the payment's currency as own. None: all of it.
        amount: Option<String>,
        /// Why.
        reason: Option<String>,
    },
    /// Say it again in its conversation.
    Remind,
    /// Leave it open for longer.
    Extend {
        /// By how much the deadline moves.
        more: Duration,
    },
    /// Ask for the same once more.
    Renew,
    /// Agree that it is asked for.
    Approve,
    /// Do not agree; or let money not count that does not fit.
    Reject,
    /// Let money count that does not fit.
    Accept,
    /// Keep money that came too late.
    Honour,
    /// Try again what was given up.
    Retry,
}

/// A payment, as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pay {
    /// The whole amount, above zero; with items, their sum.
    pub total: Money,
    /// The items, or none when one amount was typed.
    pub items: Vec<Item>,
    /// What it is for.
    pub what: Option<String>,
    /// Who is to pay.
    pub to: Option<To>,
    /// Where the payer is written to.
    pub email: Option<String>,
    /// For how long it is open.
    pub expires: Option<Duration>,
    /// The merchant's own number for it: ASCII letters, digits and `-_./#`.
    pub reference: Option<String>,
    /// More words for the card.
    pub note: Option<String>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What it is, at most 80 characters.
    pub name: String,
    /// How many, from 1 to 999.
    pub quantity: u32,
    /// The price of one.
    pub each: Money,
}

impl Item {
    /// The price of all of them; none when it does not fit.
    pub fn sum(&self) -> Option<Money> {
        self.each.times(self.quantity)
    }
}

/// Who is to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// A person of this platform.
    Person {
        /// The platform's id.
        id: String,
        /// How the person is shown.
        name: String,
    },
    /// Somebody the platform does not know.
    Name(String),
}

/// What can be said about a payment besides amount and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opt {
    /// Who pays.
    To,
    /// Where the payer is written to.
    Email,
    /// For how long.
    Expires,
    /// The merchant's own number.
    Ref,
    /// More words.
    Note,
}

impl Opt {
    /// All, in the order in which they are explained.
    pub const ALL: [Self; 5] = [Self::To, Self::Email, Self::Expires, Self::Ref, Self::Note];

    /// As typed before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Email => "email",
            Self::Expires => "expires",
            Self::Ref => "ref",
            Self::Note => "note",
        }
    }

    /// How it is written: `expires:2h`.
    pub const fn example(self) -> &'static str {
        match self {
            Self::To => "to:@ana",
            Self::Email => "email:ana@example.com",
            Self::Expires => "expires:2h",
            Self::Ref => "ref:A-17",
            Self::Note => "note:\"window seat\"",
        }
    }
}

/// One line under reading.
struct Line<'a> {
    grammar: &'a Grammar,
    said: &'a Said<'a>,
    reading: &'a Reading<'a>,
}

impl Line<'_> {
    /// `rest` is the tail of the text, after the verb.
    fn command(&self, verb: Verb, rest: &str) -> Result<Command, Misread> {
        let mut got = Understood::default();
        if self.said.text.chars().count() > TEXT_CHARS_MAX {
            return Err(self.misread(Some(verb), Problem::TooLong { part: Part::Text, max: TEXT_CHARS_MAX }, got));
        }
        let options: &[Opt] = if verb == Verb::Pay { &Opt::ALL } else { &[] };
        let from = self.said.text.len() - rest.len();
        let Lexed { words, problem } = lex(self.said.text, from, self.said.mentions, options);
        let read = match verb {
            Verb::Pay => pay::read(&words, self.reading, &mut got),
            Verb::Cancel => wish(&words, &mut got, Wish::Cancel),
            Verb::Refund => refund(&words, self.reading, &mut got),
            Verb::Remind => wish(&words, &mut got, Wish::Remind),
            Verb::Extend => extend(&words, &mut got),
            Verb::Renew => wish(&words, &mut got, Wish::Renew),
            Verb::Approve => wish(&words, &mut got, Wish::Approve),
            Verb::Reject => wish(&words, &mut got, Wish::Reject),
            Verb::Accept => wish(&words, &mut got, Wish::Accept),
            Verb::Honour => wish(&words, &mut got, Wish::Honour),
            Verb::Payments => payments(&words),
            Verb::Verify => verify(&words),
            Verb::Retry => wish(&words, &mut got, Wish::Retry),
            Verb::Status => status(&words, &mut got),
            Verb::Help => about(&words),
        };
        let read = problem.map_or(read, Err);
        read.map_err(|problem| self.misread(Some(verb), problem, got))
    }

    /// The answer to a slip in the verb; what was asked, spelled right, is the example where it works.
    fn near(&self, typed: &str, meant: Verb, rest: &str) -> Misread {
        let problem = Problem::NearVerb { text: shorten(typed), meant };
        let mut misread = self.misread(None, problem, Understood::default());
        match self.command(meant, rest) {
            Ok(_) if self.said.mentions.is_empty() && clean(rest) == rest.trim() => {
                misread.example = format!("{} {}", self.grammar.opening(meant), rest.trim()).trim_end().to_owned();
            }
            Ok(_) => {}
            Err(inner) => misread.example = inner.example,
        }
        misread
    }

    fn misread(&self, verb: Option<Verb>, problem: Problem, got: Understood) -> Misread {
        Misread::new(self.grammar, self.reading, verb, problem, got)
    }
}

/// A code, and nothing after it.
fn wish(words: &[Word<'_>], got: &mut Understood, wish: Wish) -> Result<Command, Problem> {
    let (code, rest) = code(words, got)?;
    no_more(rest)?;
    Ok(Command::About { code, wish })
}

fn refund(words: &[Word<'_>], reading: &Reading<'_>, got: &mut Understood) -> Result<Command, Problem> {
    let (code, rest) = code(words, got)?;
    let (amount, reason) = rest.split_at(pay::amount_len(rest, reading)?.min(rest.len()));
    let amount = (!amount.is_empty()).then(|| join(amount));
    got.amount.clone_from(&amount);
    got.reason = limited(join(reason), Part::Reason, NOTE_CHARS_MAX)?;
    Ok(Command::About { code, wish: Wish::Refund { amount, reason: got.reason.clone() } })
}

fn status(words: &[Word<'_>], got: &mut Understood) -> Result<Command, Problem> {
    if words.is_empty() {
        return Ok(Command::Status { code: None });
    }
    let (code, rest) = code(words, got)?;
    no_more(rest)?;
    Ok(Command::Status { code: Some(code) })
}

fn extend(words: &[Word<'_>], got: &mut Understood) -> Result<Command, Problem> {
    let (code, rest) = code(words, got)?;
    let (first, rest) = rest.split_first().ok_or(Problem::NoTime)?;
    let more = pay::expires(&first.text)?;
    got.expires = Some(more);
    no_more(rest)?;
    Ok(Command::About { code, wish: Wish::Extend { more } })
}

fn payments(words: &[Word<'_>]) -> Result<Command, Problem> {
    let Some((first, _)) = words.split_first() else { return Ok(Command::Payments { status: None }) };
    // Two words of a card are one of ours: `paid in part` is not, `partially paid` is.
    let name = join(words).to_lowercase().replace([' ', '-'], "_");
    let status = Status::named(&name).ok_or_else(|| Problem::NoSuchStatus { text: shorten(&first.text) })?;
    Ok(Command::Payments { status: Some(status) })
}

fn verify(words: &[Word<'_>]) -> Result<Command, Problem> {
    let (first, rest) = words.split_first().ok_or(Problem::NoCode)?;
    no_more(rest)?;
    Ok(Command::Verify { what: first.text.clone() })
}

fn about(words: &[Word<'_>]) -> Result<Command, Problem> {
    let Some((first, rest)) = words.split_first() else { return Ok(Command::Help { about: None }) };
    let about = verb(&first.text).ok_or_else(|| no_verb(&first.text))?;
    no_more(rest)?;
    Ok(Command::Help { about: Some(about) })
}

fn code<'w, 'm>(words: &'w [Word<'m>], got: &mut Understood) -> Result<(Code, &'w [Word<'m>]), Problem> {
    let (first, rest) = words.split_first().ok_or(Problem::NoCode)?;
    let code = first.text.parse().map_err(|_| Problem::BadCode { text: shorten(&first.text) })?;
    got.code = Some(code);
    Ok((code, rest))
}

fn no_more(words: &[Word<'_>]) -> Result<(), Problem> {
    if words.is_empty() { Ok(()) } else { Err(Problem::Extra { text: shorten(&join(words)) }) }
}

fn join(words: &[Word<'_>]) -> String {
    words.iter().map(|word| word.text.as_str()).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text that fits, none when it is empty.
fn limited(text: String, part: Part, max: usize) -> Result<Option<String>, Problem> {
    if text.chars().count() > max {
        return Err(Problem::TooLong { part, max });
    }
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests;
