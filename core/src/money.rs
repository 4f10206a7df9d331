//! Amounts of money: whole numbers of the smallest unit of one ISO 4217 currency, and how people write them.
//!
//! ```text
//! amount   = [currency] number [currency]      25   25.00   25,5   €25   25€   EUR 25   25eur   $25 USD
//! currency = code | sign                       a sign that several share means the merchant's own currency, or nothing
//! number   = digits [mark digits]              one mark of either kind, when it can only be the decimal mark
//!          | groups [decimal-mark digits]      1,234.50  1.234,50  1 234,50: only in the form of the reader's language
//! ```
//! What can be read in two ways is refused with both ways written out: `1,234` is 1234 or 1.23, and the difference is
//! somebody's money.
//!
//! Deliberately absent: floats, rounding, exchange, `+` and `<` between currencies, and what a provider thinks of a
//! currency (its exponents are the adapter's business).

use crate::text::Locale;
use iso_currency::Currency as Iso;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The largest amount that can be asked for, in minor units: 9,999,999,999.99 of a currency with cents.
pub const MAX_MINOR: i64 = 999_999_999_999;

/// A currency that has a smallest unit. Stored and shown as its code: `EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(Iso);

impl Currency {
    /// Reads an ISO 4217 code in any case: `EUR`, `eur`.
    ///
    /// # Errors
    /// [`BadMoney::UnknownCurrency`]; [`BadMoney::NoMinorUnit`] for gold, baskets and test codes (`XAU`, `XXX`).
    pub fn parse(code: &str) -> Result<Self, BadMoney> {
        let unknown = || BadMoney::UnknownCurrency { text: shorten(code) };
        let iso = Iso::from_code(&code.to_ascii_uppercase()).ok_or_else(unknown)?;
        match iso.exponent() {
            Some(_) => Ok(Self(iso)),
            None => Err(BadMoney::NoMinorUnit { code: iso.code().to_owned() }),
        }
    }

    /// The three letters: `EUR`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal mark, 0 to 4. Source: ISO 4217, list one, "minor unit".
    pub fn exponent(self) -> u32 {
        // Always there: `parse` is the only way to a currency and refuses those without.
        self.0.exponent().map_or(0, u32::from)
    }

    /// Minor units in one whole: 100 for EUR.
    fn unit(self) -> u64 {
        10_u64.pow(self.exponent())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl TryFrom<String> for Currency {
    type Error = BadMoney;
    fn try_from(code: String) -> Result<Self, BadMoney> {
        Self::parse(&code)
    }
}

/// An amount of one currency. Shows itself as `25.00 EUR`; stored as `{"minor":2500,"currency":"EUR"}`.
///
/// Not ordered: a smaller amount of another currency is not less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Whose amounts are read: what is meant where nothing, or only `$`, is written, and which marks count as thousands.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The merchant's own currency.
    pub own: Currency,
    /// The language that says which mark is which.
    pub locale: &'a Locale,
}

impl Money {
    /// So many minor units (cents) of a currency. Any sign and size.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing of a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// How much, in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// Of what.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum; none when the currencies differ or it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_add(other.minor)?;
        (self.currency == other.currency).then_some(Self::new(minor, self.currency))
    }

    /// What is left; none when the currencies differ or it does not fit. May be negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_sub(other.minor)?;
        (self.currency == other.currency).then_some(Self::new(minor, self.currency))
    }

    /// So many times this; none when it does not fit.
    pub fn times(self, quantity: u32) -> Option<Self> {
        Some(Self::new(self.minor.checked_mul(i64::from(quantity))?, self.currency))
    }

    /// For people to read: `1,234.50 EUR`, with the marks of their language.
    pub fn text(self, locale: &Locale) -> String {
        self.written(locale.decimal_mark(), Some(locale.group_mark()))
    }

    /// For people to type back: `1234.50 EUR`. [`Money::read`] reads it as this amount in the same language.
    pub fn typed(self, locale: &Locale) -> String {
        self.written(locale.decimal_mark(), None)
    }

    /// Reads what people type: `25`, `€25`, `25,50 eur`. The grammar stands above.
    ///
    /// # Errors
    /// [`BadMoney`], whose sentence says what to write instead.
    pub fn read(text: &str, reading: &Reading<'_>) -> Result<Self, BadMoney> {
        let typed = Typed::split(text)?;
        let currency = typed.currency(reading.own)?;
        let number = typed.number(reading.locale, currency)?;
        number.money(&typed.text, currency)
    }

    fn written(self, decimal: char, group: Option<char>) -> String {
        let (size, unit) = (self.minor.unsigned_abs(), self.currency.unit());
        let mut text = String::from(if self.minor < 0 { "-" } else { "" });
        let whole = (size / unit).to_string();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                text.extend(group);
            }
            text.push(digit);
        }
        let places = self.currency.exponent() as usize;
        if places > 0 {
            text.push_str(&format!("{decimal}{:0places$}", size % unit));
        }
        text + " " + self.currency.code()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written('.', None))
    }
}

/// Why a text is not an amount that can be asked for. [`BadMoney::say`] is the answer to who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMoney {
    /// Nothing is written.
    #[error("no amount")]
    Empty,
    /// No number, or one in a form that amounts do not have: `NaN`, `1e5`, `1.`, `.5`.
    #[error("`{text}` is not an amount")]
    NotANumber {
        /// As typed.
        text: String,
    },
    /// Digits other than 0 to 9.
    #[error("`{text}` has digits other than 0 to 9")]
    Digits {
        /// As typed.
        text: String,
    },
    /// Below zero.
    #[error("`{text}` is negative")]
    Negative {
        /// As typed.
        text: String,
    },
    /// Nothing to pay.
    #[error("`{text}` is zero")]
    Zero {
        /// As typed.
        text: String,
    },
    /// More than [`MAX_MINOR`].
    #[error("`{text}` is more than {max}")]
    TooMuch {
        /// As typed.
        text: String,
        /// The most that can be asked for.
        max: Money,
    },
    /// More decimals than the currency has.
    #[error("`{text}` has more decimals than {}", .instead.currency())]
    OverPrecise {
        /// As typed.
        text: String,
        /// The amount with the decimals cut to what the currency has; never zero.
        instead: Money,
    },
    /// A mark that may stand for thousands or for decimals: `1,234`.
    #[error("`{text}` can be read in two ways")]
    Ambiguous {
        /// As typed.
        text: String,
        /// One reading, to type: `1234`.
        whole: Box<str>,
        /// The other: `1.23`.
        part: Box<str>,
        /// The currency meant either way.
        currency: Currency,
    },
    /// Thousands in a form that is not this language's: `1.234,50` in English.
    #[error("`{text}` has thousands marks that this language does not have")]
    Marks {
        /// As typed.
        text: String,
        /// What it probably means, to type: `1234.50`.
        instead: String,
        /// The currency meant.
        currency: Currency,
    },
    /// Neither a code nor a sign that is known.
    #[error("`{text}` is not a currency")]
    UnknownCurrency {
        /// As typed.
        text: String,
    },
    /// A code without a smallest unit, so nothing can be counted in it: `XAU`.
    #[error("{code} has no minor unit")]
    NoMinorUnit {
        /// The code.
        code: String,
    },
    /// A sign of several currencies, none of them the merchant's own: `$`.
    #[error("`{sign}` does not say which currency")]
    SharedSign {
        /// As typed.
        sign: String,
    },
    /// Two currencies that do not agree: `€25 USD`.
    #[error("`{text}` names two currencies")]
    TwoCurrencies {
        /// As typed.
        text: String,
    },
}

impl BadMoney {
    /// The sentence for who typed it, with what to write instead.
    pub fn say(&self, locale: &Locale) -> String {
        match self {
            Self::Empty => locale.say("money-empty", &[]),
            Self::NotANumber { text } => locale.say("money-not-a-number", &[("text", text)]),
            Self::Digits { text } => locale.say("money-digits", &[("text", text)]),
            Self::Negative { text } => locale.say("money-negative", &[("text", text)]),
            Self::Zero { text } => locale.say("money-zero", &[("text", text)]),
            Self::TooMuch { text, max } => locale.say("money-too-much", &[("text", text), ("max", &max.text(locale))]),
            Self::OverPrecise { text, instead } => {
                let text = text.as_str();
                let (code, decimals) = (instead.currency.code(), instead.currency.exponent().to_string());
                let instead = instead.typed(locale);
                let args = [("text", text), ("currency", code), ("decimals", &*decimals), ("instead", &*instead)];
                locale.say("money-over-precise", &args)
            }
            Self::Ambiguous { text, whole, part, .. } => {
                locale.say("money-ambiguous", &[("text", text), ("whole", whole), ("part", part)])
            }
            Self::Marks { text, instead, .. } => locale.say("money-marks", &[("text", text), ("instead", instead)]),
            Self::UnknownCurrency { text } => locale.say("money-unknown-currency", &[("text", text)]),
            Self::NoMinorUnit { code } => locale.say("money-no-minor-unit", &[("code", code)]),
            Self::SharedSign { sign } => locale.say("money-shared-sign", &[("sign", sign)]),
            Self::TwoCurrencies { text } => locale.say("money-two-currencies", &[("text", text)]),
        }
    }
}

/// What was typed, kept to 40 characters so that an answer can repeat it.
pub(crate) fn shorten(text: &str) -> String {
    let mut chars = text.trim().chars().filter(|c| !c.is_control());
    let mut short: String = chars.by_ref().take(40).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// A sign or name that stands for currencies.
pub(crate) struct Sign {
    /// How it is written. In small letters here: any case. Otherwise exactly so, except for a merchant who uses it.
    marks: &'static [&'static str],
    /// What it means to everybody else.
    usual: Option<Iso>,
    /// Whose own sign it is: a merchant of one of these means their own.
    users: &'static [Iso],
}

#[rustfmt::skip]
const SIGNS: &[Sign] = &[
    Sign { marks: &["€", "euro", "euros"], usual: Some(Iso::EUR), users: &[Iso::EUR] },
    Sign { marks: &["£"], usual: Some(Iso::GBP),
        users: &[Iso::GBP, Iso::GIP, Iso::FKP, Iso::SHP, Iso::EGP, Iso::LBP, Iso::SSP, Iso::SYP] },
    Sign { marks: &["₹"], usual: Some(Iso::INR), users: &[Iso::INR] },
    Sign { marks: &["₩"], usual: Some(Iso::KRW), users: &[Iso::KRW, Iso::KPW] },
    Sign { marks: &["₺"], usual: Some(Iso::TRY), users: &[Iso::TRY] },
    Sign { marks: &["₴"], usual: Some(Iso::UAH), users: &[Iso::UAH] },
    Sign { marks: &["₪"], usual: Some(Iso::ILS), users: &[Iso::ILS] },
    Sign { marks: &["₫"], usual: Some(Iso::VND), users: &[Iso::VND] },
    Sign { marks: &["฿"], usual: Some(Iso::THB), users: &[Iso::THB] },
    Sign { marks: &["₱"], usual: Some(Iso::PHP), users: &[Iso::PHP, Iso::CUP] },
    Sign { marks: &["₦"], usual: Some(Iso::NGN), users: &[Iso::NGN] },
    Sign { marks: &["zł"], usual: Some(Iso::PLN), users: &[Iso::PLN] },
    Sign { marks: &["kč"], usual: Some(Iso::CZK), users: &[Iso::CZK] },
    // In small letters these are feet.
    Sign { marks: &["Ft"], usual: Some(Iso::HUF), users: &[Iso::HUF] },
    Sign { marks: &["r$"], usual: Some(Iso::BRL), users: &[Iso::BRL] },
    Sign { marks: &["$", "dollar", "dollars"], usual: None, users: &[
        Iso::ARS, Iso::AUD, Iso::BBD, Iso::BMD, Iso::BND, Iso::BSD, Iso::BZD, Iso::CAD, Iso::CLP, Iso::COP, Iso::CUP,
        Iso::DOP, Iso::FJD, Iso::GYD, Iso::HKD, Iso::JMD, Iso::KYD, Iso::LRD, Iso::MXN, Iso::NAD, Iso::NZD, Iso::SBD,
        Iso::SGD, Iso::SRD, Iso::TTD, Iso::TWD, Iso::USD, Iso::UYU, Iso::XCD,
    ] },
    Sign { marks: &["kr", "kr."], usual: None, users: &[Iso::SEK, Iso::NOK, Iso::DKK, Iso::ISK] },
    Sign { marks: &["¥", "￥"], usual: None, users: &[Iso::JPY, Iso::CNY] },
    Sign { marks: &["pound", "pounds"], usual: None, users: &[Iso::GBP, Iso::GIP, Iso::FKP, Iso::SHP, Iso::EGP] },
    Sign { marks: &["yen"], usual: None, users: &[Iso::JPY] },
    // `50 cents` must never become 50.00.
    Sign { marks: &["¢", "cent", "cents", "pence"], usual: None, users: &[] },
];

/// The sign that `word` is to a merchant of currency `own`.
pub(crate) fn sign(word: &str, own: Currency) -> Option<&'static Sign> {
    let small = word.to_lowercase();
    SIGNS.iter().find(|sign| {
        let loose = |mark: &str| !mark.contains(char::is_uppercase) || sign.users.contains(&own.0);
        sign.marks.iter().any(|&mark| mark == word || (loose(mark) && mark.to_lowercase() == small))
    })
}

/// How a currency was written.
enum Named {
    Code(Currency),
    Sign(&'static Sign, String),
}

impl Named {
    fn read(word: &str, typed: &str, own: Currency) -> Result<Self, BadMoney> {
        match (sign(word, own), Currency::parse(word)) {
            (Some(sign), _) => Ok(Self::Sign(sign, word.to_owned())),
            (None, Ok(code)) => Ok(Self::Code(code)),
            (None, Err(BadMoney::UnknownCurrency { .. })) if !word.contains(char::is_alphabetic) => {
                Err(BadMoney::NotANumber { text: typed.to_owned() })
            }
            (None, Err(bad)) => Err(bad),
        }
    }

    fn means(&self, own: Currency) -> Result<Currency, BadMoney> {
        match self {
            Self::Code(code) => Ok(*code),
            Self::Sign(sign, _) if sign.users.contains(&own.0) => Ok(own),
            Self::Sign(sign, word) => {
                sign.usual.map(Currency).ok_or_else(|| BadMoney::SharedSign { sign: shorten(word) })
            }
        }
    }

    /// The currency that both mean: `$25 USD` is as good as `25 USD`.
    fn both(&self, other: &Self, own: Currency) -> Option<Currency> {
        match (self, other) {
            (Self::Code(a), Self::Code(b)) => (a == b).then_some(*a),
            (Self::Code(code), Self::Sign(sign, _)) | (Self::Sign(sign, _), Self::Code(code)) => {
                sign.users.contains(&code.0).then_some(*code)
            }
            (Self::Sign(..), Self::Sign(..)) => {
                self.means(own).ok().filter(|currency| other.means(own).as_ref() == Ok(currency))
            }
        }
    }
}

/// A typed amount, cut into what stands before the digits, the digits with their marks, and what stands after.
struct Typed<'a> {
    text: String,
    head: &'a str,
    body: &'a str,
    tail: &'a str,
}

impl<'a> Typed<'a> {
    fn split(text: &'a str) -> Result<Self, BadMoney> {
        let (text, short) = (text.trim(), shorten(text));
        if text.is_empty() {
            return Err(BadMoney::Empty);
        }
        if text.contains(|c: char| c.is_numeric() && !c.is_ascii_digit()) {
            return Err(BadMoney::Digits { text: short });
        }
        let not_digit = |c: char| !c.is_ascii_digit();
        let body = text.trim_matches(not_digit);
        if body.is_empty() {
            return Err(BadMoney::NotANumber { text: short });
        }
        let digit = |c: char| c.is_ascii_digit();
        let head = text.split(digit).next().unwrap_or_default().trim();
        let tail = text.rsplit(digit).next().unwrap_or_default().trim();
        let minus = ['-', '\u{2212}'];
        let below = head.strip_prefix(minus).or_else(|| head.strip_suffix(minus));
        if below.is_some_and(|rest| !rest.contains(minus)) {
            return Err(BadMoney::Negative { text: short });
        }
        Ok(Self { text: short, head, body, tail })
    }

    fn currency(&self, own: Currency) -> Result<Currency, BadMoney> {
        let read = |word| Named::read(word, &self.text, own);
        match (self.head, self.tail) {
            ("", "") => Ok(own),
            (word, "") | ("", word) => read(word)?.means(own),
            (head, tail) => {
                let both = read(head)?.both(&read(tail)?, own);
                both.ok_or_else(|| BadMoney::TwoCurrencies { text: self.text.clone() })
            }
        }
    }

    fn number(&self, locale: &Locale, currency: Currency) -> Result<Number, BadMoney> {
        let text = || self.text.clone();
        let plain = |mark: char| if matches!(mark, '\u{a0}' | '\u{202f}') { ' ' } else { mark };
        let (decimal, group) = (locale.decimal_mark(), plain(locale.group_mark()));
        let marks: Vec<char> = self.body.chars().filter(|c| !c.is_ascii_digit()).map(plain).collect();
        let pieces: Vec<&str> = self.body.split(|c: char| !c.is_ascii_digit()).collect();
        let known = |mark: &char| matches!(mark, '.' | ',') || *mark == group;
        if !marks.iter().all(known) || pieces.contains(&"") {
            return Err(BadMoney::NotANumber { text: text() });
        }
        let (Some((last, init)), Some((mark, before))) = (pieces.split_last(), marks.split_last()) else {
            return Ok(Number::new(self.body, ""));
        };
        let cut = Number::new(&init.concat(), last);
        let joined = Number::new(&pieces.concat(), "");
        if before.is_empty() && *mark != ' ' {
            if last.len() == 3 && *mark != decimal {
                let [whole, part] = [joined, cut].map(|number| number.typed(decimal, currency).into());
                return Err(BadMoney::Ambiguous { text: text(), whole, part, currency });
            }
            return Ok(cut);
        }
        let (number, groups, marks) = if *mark == decimal { (cut, init, before) } else { (joined, &*pieces, &*marks) };
        let first_fits = groups.first().is_some_and(|first| first.len() <= 3);
        let others_fit = groups.iter().skip(1).all(|piece| piece.len() == 3);
        if !(marks.iter().all(|&mark| mark == group) && first_fits && others_fit) {
            let (cut, joined) = (Number::new(&init.concat(), last), Number::new(&pieces.concat(), ""));
            let meant = if last.len() == 3 || *mark == ' ' { joined } else { cut };
            return Err(BadMoney::Marks { text: text(), instead: meant.typed(decimal, currency), currency });
        }
        // `25 100` may as well be 25 for a hundred of something.
        if group == ' ' && number.part.is_empty() && self.head.is_empty() && self.tail.is_empty() {
            let part = groups.first().copied().unwrap_or_default().into();
            return Err(BadMoney::Ambiguous {
                text: text(),
                whole: number.typed(decimal, currency).into(),
                part,
                currency,
            });
        }
        Ok(number)
    }
}

/// ASCII digits before and after the decimal mark.
struct Number {
    whole: String,
    part: String,
}

impl Number {
    fn new(whole: &str, part: &str) -> Self {
        Self { whole: whole.to_owned(), part: part.to_owned() }
    }

    /// As one would type it, with no more decimals than the currency has.
    fn typed(&self, decimal: char, currency: Currency) -> String {
        let part: String = self.part.chars().take(currency.exponent() as usize).collect();
        if part.is_empty() { self.whole.clone() } else { format!("{}{decimal}{part}", self.whole) }
    }

    fn money(&self, text: &str, currency: Currency) -> Result<Money, BadMoney> {
        let text = || shorten(text);
        let places = currency.exponent() as usize;
        let part: String = self.part.chars().chain("0000".chars()).take(places).collect();
        let digits = format!("{}{part}", self.whole.trim_start_matches('0'));
        let max = Money::new(MAX_MINOR, currency);
        // The longest amount has 12 digits; 18 always fit an i64.
        let minor = if digits.is_empty() { Some(0) } else { digits.parse().ok().filter(|_| digits.len() <= 18) };
        let minor: i64 =
            minor.filter(|&minor| minor <= MAX_MINOR).ok_or_else(|| BadMoney::TooMuch { text: text(), max })?;
        if self.part.len() > places {
            return Err(BadMoney::OverPrecise { text: text(), instead: Money::new(minor.max(1), currency) });
        }
        if minor == 0 { Err(BadMoney::Zero { text: text() }) } else { Ok(Money::new(minor, currency)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Texts;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn every_code() -> impl Iterator<Item = String> {
        let letters = || 'A'..='Z';
        letters().flat_map(move |a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))))
    }

    fn every_currency() -> Vec<Currency> {
        every_code().filter_map(|code| Currency::parse(&code).ok()).collect()
    }

    /// A language by its marks alone; its sentences are the English ones.
    fn locale(tag: &str) -> Locale {
        let mut texts = Texts::embedded().unwrap();
        if tag == "en" {
            return texts.locale(tag).unwrap();
        }
        texts.add(tag, "no-sentence = none").unwrap();
        texts.locale(tag).unwrap()
    }

    fn read(text: &str, own: &str, tag: &str) -> Result<String, BadMoney> {
        let locale = locale(tag);
        Money::read(text, &Reading { own: currency(own), locale: &locale }).map(|money| money.to_string())
    }

    #[test]
    fn exponents_are_those_of_iso_4217() {
        // Source: ISO 4217 list one, from memory, to notice when the library changes: two, with these exceptions.
        let of = |wanted: u32| -> String {
            let all = every_currency().into_iter().filter(|currency| currency.exponent() == wanted);
            all.map(Currency::code).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(0), "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF");
        assert_eq!(of(1), "");
        assert_eq!(of(3), "BHD IQD JOD KWD LYD OMR TND");
        assert_eq!(of(4), "CLF UYW");
        for code in ["EUR", "USD", "HUF", "TWD", "MGA", "MRU", "IRR", "KPW", "LAK", "CHE"] {
            assert_eq!(currency(code).exponent(), 2, "{code}");
        }
        let none: Vec<String> =
            every_code().filter(|code| matches!(Currency::parse(code), Err(BadMoney::NoMinorUnit { .. }))).collect();
        assert_eq!(none.join(" "), "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX");
    }

    #[test]
    fn a_currency_is_its_code() {
        assert_eq!(currency("eur"), currency("EUR"));
        assert_eq!(Currency::parse("EUE"), Err(BadMoney::UnknownCurrency { text: "EUE".into() }));
        for wrong in ["", "EU", "EURO", " EUR", "€", "ßßß"] {
            assert!(Currency::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&currency("EUR")).unwrap(), r#""EUR""#);
        assert!(serde_json::from_str::<Currency>(r#""XAU""#).is_err());
    }

    #[test]
    fn money_is_stored_whole_and_shown_in_full() {
        let money = Money::new(2500, currency("EUR"));
        assert_eq!(serde_json::to_string(&money).unwrap(), r#"{"minor":2500,"currency":"EUR"}"#);
        assert_eq!(serde_json::from_str::<Money>(r#"{"minor":2500,"currency":"EUR"}"#).unwrap(), money);
        assert!(serde_json::from_str::<Money>(r#"{"minor":25.5,"currency":"EUR"}"#).is_err());
        let shown = [
            (2500, "EUR", "25.00 EUR", "25.00 EUR", "25,00 EUR", "25,00 EUR"),
            (-500, "EUR", "-5.00 EUR", "-5.00 EUR", "-5,00 EUR", "-5,00 EUR"),
            (7, "EUR", "0.07 EUR", "0.07 EUR", "0,07 EUR", "0,07 EUR"),
            (123_450, "EUR", "1234.50 EUR", "1,234.50 EUR", "1.234,50 EUR", "1\u{a0}234,50 EUR"),
            (1_234_567, "JPY", "1234567 JPY", "1,234,567 JPY", "1.234.567 JPY", "1\u{a0}234\u{a0}567 JPY"),
            (1_234_567, "KWD", "1234.567 KWD", "1,234.567 KWD", "1.234,567 KWD", "1\u{a0}234,567 KWD"),
            (1, "CLF", "0.0001 CLF", "0.0001 CLF", "0,0001 CLF", "0,0001 CLF"),
            (
                i64::MIN,
                "JPY",
                "-9223372036854775808 JPY",
                "-9,223,372,036,854,775,808 JPY",
                "-9.223.372.036.854.775.808 JPY",
                "-9\u{a0}223\u{a0}372\u{a0}036\u{a0}854\u{a0}775\u{a0}808 JPY",
            ),
        ];
        let (en, de, fr) = (Locale::english().unwrap(), locale("de"), locale("fr"));
        for (minor, code, plain, english, german, french) in shown {
            let money = Money::new(minor, currency(code));
            assert_eq!(
                [money.to_string(), money.text(&en), money.text(&de), money.text(&fr)],
                [plain, english, german, french]
            );
        }
    }

    #[test]
    fn sums_stay_in_one_currency_and_in_range() {
        let (five, yen) = (Money::new(500, currency("EUR")), Money::new(500, currency("JPY")));
        assert_eq!(five.checked_add(five).map(Money::minor), Some(1000));
        assert_eq!(five.checked_sub(Money::new(700, currency("EUR"))).map(Money::minor), Some(-200));
        assert_eq!(five.times(3).map(Money::minor), Some(1500));
        assert_eq!((five.checked_add(yen), five.checked_sub(yen)), (None, None));
        let most = Money::new(i64::MAX, currency("EUR"));
        assert_eq!((most.checked_add(five), most.times(2)), (None, None));
        assert_eq!(Money::new(i64::MIN, currency("EUR")).checked_sub(five), None);
        assert!(Money::zero(currency("EUR")).is_zero() && !five.is_zero());
    }

    #[test]
    fn what_people_type_is_read() {
        let table = [
            ("25", "EUR", "en", "25.00 EUR"),
            ("25", "JPY", "en", "25 JPY"),
            ("25.00", "EUR", "en", "25.00 EUR"),
            ("25,00", "EUR", "en", "25.00 EUR"),
            ("25,5", "EUR", "en", "25.50 EUR"),
            ("25.5", "EUR", "de", "25.50 EUR"),
            ("€25", "USD", "en", "25.00 EUR"),
            ("25€", "USD", "en", "25.00 EUR"),
            ("25 €", "USD", "en", "25.00 EUR"),
            ("25 EUR", "USD", "en", "25.00 EUR"),
            ("EUR 25", "USD", "en", "25.00 EUR"),
            ("25EUR", "USD", "en", "25.00 EUR"),
            ("eur 25", "USD", "en", "25.00 EUR"),
            ("  25 euros ", "USD", "en", "25.00 EUR"),
            ("007", "EUR", "en", "7.00 EUR"),
            ("0.01", "EUR", "en", "0.01 EUR"),
            ("1,234.50", "EUR", "en", "1234.50 EUR"),
            ("1.234,50", "EUR", "de", "1234.50 EUR"),
            ("1,234,567", "EUR", "en", "1234567.00 EUR"),
            ("1.234.567", "EUR", "de", "1234567.00 EUR"),
            ("1.234 KWD", "EUR", "en", "1.234 KWD"),
            ("1,234 KWD", "EUR", "de", "1.234 KWD"),
            ("1,2345 CLF", "EUR", "en", "1.2345 CLF"),
            ("1 234,50", "EUR", "fr", "1234.50 EUR"),
            ("1\u{a0}234,50 €", "USD", "fr", "1234.50 EUR"),
            ("1\u{202f}234 €", "USD", "fr", "1234.00 EUR"),
            ("9,999,999,999.99", "EUR", "en", "9999999999.99 EUR"),
            ("£5", "EUR", "en", "5.00 GBP"),
            ("£5", "GIP", "en", "5.00 GIP"),
            ("₹5", "EUR", "en", "5.00 INR"),
            ("₩5", "EUR", "en", "5 KRW"),
            ("₺5", "EUR", "en", "5.00 TRY"),
            ("₴5", "EUR", "en", "5.00 UAH"),
            ("₪5", "EUR", "en", "5.00 ILS"),
            ("5₫", "EUR", "en", "5 VND"),
            ("฿5", "EUR", "en", "5.00 THB"),
            ("₱5", "EUR", "en", "5.00 PHP"),
            ("₦5", "EUR", "en", "5.00 NGN"),
            ("5 zł", "EUR", "en", "5.00 PLN"),
            ("5 Kč", "EUR", "en", "5.00 CZK"),
            ("5 Ft", "EUR", "en", "5.00 HUF"),
            ("5 ft", "HUF", "en", "5.00 HUF"),
            ("R$ 5", "USD", "en", "5.00 BRL"),
            ("$5", "USD", "en", "5.00 USD"),
            ("$5", "CAD", "en", "5.00 CAD"),
            ("$5", "CLP", "en", "5 CLP"),
            ("5 kr", "SEK", "en", "5.00 SEK"),
            ("5kr.", "DKK", "en", "5.00 DKK"),
            ("¥5", "JPY", "en", "5 JPY"),
            ("¥5", "CNY", "en", "5.00 CNY"),
            ("$5 USD", "EUR", "en", "5.00 USD"),
            ("€5 eur", "EUR", "en", "5.00 EUR"),
            ("5 dollars", "AUD", "en", "5.00 AUD"),
        ];
        for (text, own, tag, wanted) in table {
            assert_eq!(read(text, own, tag), Ok(wanted.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_could_be_wrong_is_refused_with_the_next_step() {
        let table = [
            ("", "EUR", "en", "Write the amount, like 25 or 25.50."),
            ("NaN", "EUR", "en", "I cannot read “NaN” as an amount. Write it in digits, like 25 or 25.50."),
            ("1e5", "EUR", "en", "I cannot read “1e5” as an amount. Write it in digits, like 25 or 25.50."),
            ("1.", "EUR", "en", "I cannot read “1.” as an amount. Write it in digits, like 25 or 25.50."),
            (".5", "EUR", "en", "I cannot read “.5” as an amount. Write it in digits, like 25 or 25.50."),
            ("--5", "EUR", "en", "I cannot read “--5” as an amount. Write it in digits, like 25 or 25.50."),
            ("1..5", "EUR", "en", "I cannot read “1..5” as an amount. Write it in digits, like 25 or 25.50."),
            ("1 234", "EUR", "en", "I cannot read “1 234” as an amount. Write it in digits, like 25 or 25.50."),
            ("٢٥", "EUR", "en", "“٢٥” has digits I cannot read. Write the amount with 0 to 9, like 25 or 25.50."),
            ("2½", "EUR", "en", "“2½” has digits I cannot read. Write the amount with 0 to 9, like 25 or 25.50."),
            ("-5", "EUR", "en", "“-5” is below zero. Write the amount without the minus."),
            ("€−5", "EUR", "en", "“€−5” is below zero. Write the amount without the minus."),
            ("0", "EUR", "en", "“0” is nothing to pay. Write an amount above zero, like 25."),
            ("0.00 EUR", "EUR", "en", "“0.00 EUR” is nothing to pay. Write an amount above zero, like 25."),
            ("10000000000", "EUR", "en", "“10000000000” is more than I can ask for. The most is 9,999,999,999.99 EUR."),
            ("1.005 EUR", "EUR", "en", "“1.005 EUR” is too exact: EUR has 2 decimals. Write 1.00 EUR, for example."),
            ("0.001", "EUR", "en", "“0.001” is too exact: EUR has 2 decimals. Write 0.01 EUR, for example."),
            ("10.5 JPY", "EUR", "en", "“10.5 JPY” is too exact: JPY has no decimals. Write 10 JPY, for example."),
            ("1,005", "EUR", "de", "“1,005” is too exact: EUR has 2 decimals. Write 1,00 EUR, for example."),
            ("1,234", "EUR", "en", "“1,234” can be read in two ways. Write 1234 or 1.23."),
            ("1.234", "EUR", "de", "“1.234” can be read in two ways. Write 1234 or 1,23."),
            ("1,234", "JPY", "en", "“1,234” can be read in two ways. Write 1234 or 1."),
            ("1.234 KWD", "EUR", "de", "“1.234 KWD” can be read in two ways. Write 1234 or 1,234."),
            ("25 100", "EUR", "fr", "“25 100” can be read in two ways. Write 25100 or 25."),
            (
                "1.234,50",
                "EUR",
                "en",
                "I am not sure about the marks in “1.234,50”. If you mean 1234.50, write just that.",
            ),
            (
                "1,23,456",
                "EUR",
                "en",
                "I am not sure about the marks in “1,23,456”. If you mean 123456, write just that.",
            ),
            (
                "1,234,567",
                "EUR",
                "de",
                "I am not sure about the marks in “1,234,567”. If you mean 1234567, write just that.",
            ),
            (
                "25 bucks",
                "EUR",
                "en",
                "I do not know the currency “bucks”. Write three letters, like 25 EUR, or put the text after the amount in quotes.",
            ),
            (
                "25 EUE",
                "EUR",
                "en",
                "I do not know the currency “EUE”. Write three letters, like 25 EUR, or put the text after the amount in quotes.",
            ),
            ("25 XAU", "EUR", "en", "Nothing can be paid in XAU. Write another currency, like 25 EUR."),
            (
                "$25",
                "EUR",
                "en",
                "“$” does not say which currency. Write the three letters instead, like 25 EUR or 25 USD.",
            ),
            (
                "25 cents",
                "USD",
                "en",
                "“cents” does not say which currency. Write the three letters instead, like 25 EUR or 25 USD.",
            ),
            ("€25 USD", "EUR", "en", "“€25 USD” names two currencies. Write one of them, like 25 EUR."),
            ("$25 EUR", "USD", "en", "“$25 EUR” names two currencies. Write one of them, like 25 EUR."),
        ];
        for (text, own, tag, wanted) in table {
            assert_eq!(read(text, own, tag).map_err(|bad| bad.say(&locale(tag))), Err(wanted.to_owned()), "{text}");
        }
        let long = "9".repeat(1_000_000);
        assert!(matches!(read(&long, "EUR", "en"), Err(BadMoney::TooMuch { text, .. }) if text.chars().count() == 41));
    }

    fn any_money() -> impl Strategy<Value = Money> {
        (prop::sample::select(every_currency()), 1..=MAX_MINOR, 0_u32..12)
            .prop_map(|(currency, minor, fewer)| Money::new((minor / 10_i64.pow(fewer)).max(1), currency))
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|[-0-9.,€$ EURkr\u{a0}]{0,12}", tag in "en|de|fr") {
            let locale = locale(&tag);
            let reading = Reading { own: currency("EUR"), locale: &locale };
            match Money::read(&text, &reading) {
                Ok(money) => prop_assert!((1..=MAX_MINOR).contains(&money.minor())),
                Err(bad) => prop_assert!(!bad.say(&locale).starts_with("money-")),
            }
        }

        #[test]
        fn what_is_shown_reads_back(money in any_money(), tag in "en|de|fr") {
            let (locale, english) = (locale(&tag), Locale::english().unwrap());
            let [here, there] = [&locale, &english].map(|locale| Reading { own: currency("XPF"), locale });
            prop_assert_eq!(Money::read(&money.typed(&locale), &here), Ok(money));
            prop_assert_eq!(Money::read(&money.to_string(), &there), Ok(money));
            let shown = Money::read(&money.text(&locale), &here);
            let two_ways = matches!(shown, Err(BadMoney::Ambiguous { .. })) && money.currency().exponent() == 0;
            prop_assert!(two_ways || shown == Ok(money), "{:?}", shown);
        }
    }
}
