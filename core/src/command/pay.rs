//! The order in a payment command: amounts, items, text and options.

use super::lex::{Key, Word};
use super::misread::{Part, Problem, Understood};
use super::{
    Command, EMAIL_CHARS_MAX, EXPIRES_MAX, EXPIRES_MIN, ITEMS_MAX, Item, NAME_CHARS_MAX, NOTE_CHARS_MAX, Opt, Pay,
    QUANTITY_MAX, REFERENCE_CHARS_MAX, To, WHAT_CHARS_MAX, clean, join, limited,
};
use crate::money::{self, BadMoney, Currency, MAX_MINOR, Money, Reading, shorten};
use std::time::Duration;

/// Reads all of it even when a part is wrong, so that the answer can say what was understood.
pub(super) fn read(words: &[Word<'_>], reading: &Reading<'_>, got: &mut Understood) -> Result<Command, Problem> {
    if words.is_empty() {
        return Ok(Command::Form);
    }
    let (options, words): (Vec<Word<'_>>, Vec<Word<'_>>) = words.iter().cloned().partition(|word| word.key.is_some());
    let options: Vec<_> = options.iter().map(|word| option(word, got)).collect();
    let total = order(&words, reading, got);
    options.into_iter().collect::<Result<(), Problem>>()?;
    Ok(Command::Pay(Pay {
        total: total?,
        items: got.items.clone(),
        what: got.what.clone(),
        to: got.to.clone(),
        email: got.email.clone(),
        expires: got.expires,
        reference: got.reference.clone(),
        note: got.note.clone(),
    }))
}

fn order(words: &[Word<'_>], reading: &Reading<'_>, got: &mut Understood) -> Result<Money, Problem> {
    let lines: Vec<&[Word<'_>]> = words.split(|word| word.is("+")).collect();
    if let [line] = lines.as_slice()
        && times(line)?.is_none()
    {
        return lone(line, reading, got);
    }
    let mut total: Option<Money> = None;
    for (line, number) in lines.into_iter().zip(1_u32..) {
        let item = item(line, number, reading)?;
        let max = Money::new(MAX_MINOR, item.each.currency());
        let too_much = || Problem::Money(BadMoney::TooMuch { text: shorten(&join(line)), max });
        let sum = item.sum().ok_or_else(too_much)?;
        let before = total.unwrap_or(Money::zero(sum.currency()));
        if before.currency() != sum.currency() {
            return Err(Problem::Mixed { first: before.currency(), second: sum.currency() });
        }
        let sum = before.checked_add(sum).filter(|sum| sum.minor() <= MAX_MINOR).ok_or_else(too_much)?;
        if got.items.len() == ITEMS_MAX {
            return Err(Problem::TooManyItems);
        }
        got.items.push(item);
        total = Some(sum);
    }
    got.total = total;
    total.ok_or(Problem::NoAmount)
}

/// One amount and what it is for.
fn lone(words: &[Word<'_>], reading: &Reading<'_>, got: &mut Understood) -> Result<Money, Problem> {
    let len = amount_len(words, reading).inspect_err(|_| keep_number(words, reading, got))?;
    let (amount, what) = words.split_at(len.min(words.len()));
    let what = limited(join(what), Part::What, WHAT_CHARS_MAX);
    got.what = what.clone().unwrap_or_default();
    if amount.is_empty() {
        return Err(Problem::NoAmount);
    }
    let amount = Money::read(&phrase(amount), reading).map_err(|bad| {
        if matches!(bad, BadMoney::UnknownCurrency { .. }) {
            keep_number(words, reading, got);
        }
        Problem::Money(bad)
    })?;
    got.total = Some(amount);
    what.map(|_| amount)
}

/// When the word after the number is no sure currency, the number is understood and the rest may be the text.
fn keep_number(words: &[Word<'_>], reading: &Reading<'_>, got: &mut Understood) {
    if let Some((number, text)) = words.split_first()
        && Money::read(&number.text, reading).is_ok()
    {
        got.amount = Some(number.text.clone());
        got.what = limited(join(text), Part::What, WHAT_CHARS_MAX).unwrap_or_default();
    }
}

fn item(words: &[Word<'_>], number: u32, reading: &Reading<'_>) -> Result<Item, Problem> {
    let (quantity, words) = times(words)?.unwrap_or_else(|| (1, words.to_vec()));
    let len = amount_len(&words, reading)?;
    let (amount, name) = words.split_at(len.min(words.len()));
    if amount.is_empty() {
        return Err(Problem::ItemAmount { number });
    }
    let each = Money::read(&phrase(amount), reading).map_err(Problem::Money)?;
    let name = limited(join(name), Part::Item, NAME_CHARS_MAX)?.ok_or(Problem::ItemName { number })?;
    Ok(Item { name, quantity, each })
}

/// The quantity that a line begins with, and the words after the `x`: `2 x`, `2x`, `2×4.50`.
fn times<'a>(words: &[Word<'a>]) -> Result<Option<(u32, Vec<Word<'a>>)>, Problem> {
    const TIMES: [char; 3] = ['x', 'X', '×'];
    let alone = |text: &str| text.chars().count() == 1 && text.starts_with(TIMES);
    let Some((first, rest)) = words.split_first().filter(|(first, _)| !first.quoted) else { return Ok(None) };
    let tail = first.text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = first.text.strip_suffix(tail).unwrap_or_default();
    let words = match (tail, rest.split_first()) {
        _ if digits.is_empty() => return Ok(None),
        ("", Some((second, rest))) if !second.quoted && alone(&second.text) => rest.to_vec(),
        (tail, _) if alone(tail) => rest.to_vec(),
        (tail, _) => {
            let price = tail.strip_prefix(TIMES).filter(|price| !price.starts_with(char::is_alphabetic));
            let Some(price) = price else { return Ok(None) };
            let price = Word { text: price.to_owned(), ..first.clone() };
            std::iter::once(price).chain(rest.iter().cloned()).collect()
        }
    };
    let quantity = digits.parse().ok().filter(|quantity| (1..=QUANTITY_MAX).contains(quantity));
    let quantity = quantity.ok_or_else(|| Problem::Quantity { text: shorten(digits) })?;
    Ok(Some((quantity, words)))
}

/// Whether the words begin with something that is meant as an amount, right or wrong.
pub(super) fn begins_with_amount(words: &[Word<'_>], reading: &Reading<'_>) -> bool {
    amount_len(words, reading).map_or(true, |len| len > 0)
}

/// How many words, from the first, write one amount; 0: they do not begin with one.
///
/// # Errors
/// [`Problem::CurrencyOrWord`]: a word next to the number may be a currency or not.
pub(super) fn amount_len(words: &[Word<'_>], reading: &Reading<'_>) -> Result<usize, Problem> {
    let text = |at: usize| words.get(at).filter(|w| !w.quoted && w.mentions == 0).map(|word| word.text.as_str());
    let own = reading.own;
    let perhaps = |text: &str, code| Err(Problem::CurrencyOrWord { text: shorten(text), code });
    let Some(first) = text(0) else { return Ok(0) };
    let mut len = 1;
    let mut named = first.contains(|c: char| !(c.is_numeric() || ".,-\u{2212}+".contains(c)));
    if !is_number(first, own) {
        let unknown = matches!(Currency::parse(first), Err(BadMoney::UnknownCurrency { .. }));
        match names(first, own) {
            _ if !text(1).is_some_and(|next| is_number(next, own)) => return Ok(0),
            Names::Text => return Ok(0),
            Names::Currency if unknown && money::sign(first, own).is_none() => return Ok(0),
            Names::Perhaps(code) => return perhaps(first, code),
            Names::Currency => (len, named) = (2, true),
        }
    }
    while let (Some(before), Some(group)) = (text(len - 1), text(len)) {
        let Some(tail) = group_tail(before, group, reading) else { break };
        named |= !tail.trim_start_matches(|c: char| c.is_ascii_digit() || ".,".contains(c)).is_empty();
        len += 1;
    }
    let Some(next) = text(len) else { return Ok(len) };
    match names(next, own) {
        Names::Currency if !named => Ok(len + 1),
        // `$25 USD`
        Names::Currency if Currency::parse(next).is_ok() => Ok(len + 1),
        Names::Perhaps(code) if !named => perhaps(next, code),
        Names::Currency | Names::Perhaps(_) | Names::Text => Ok(len),
    }
}

/// The words of an amount as one text. A comma after the currency belongs to the sentence, one after a digit does not.
fn phrase(words: &[Word<'_>]) -> String {
    let text = join(words);
    let bare = text.trim_end_matches(PUNCTUATION);
    if bare.ends_with(char::is_numeric) { text } else { bare.to_owned() }
}

const PUNCTUATION: [char; 5] = [',', ';', ':', '.', '!'];

/// Whether a word is a number, or a number with its currency: `25`, `-5`, `.5`, `€25`, `EUR25`.
fn is_number(text: &str, own: Currency) -> bool {
    let signs = ['-', '\u{2212}', '+', '.', ','];
    if text.trim_start_matches(signs).starts_with(char::is_numeric) {
        return true;
    }
    let head = text.split(char::is_numeric).next().unwrap_or_default().trim_matches(signs);
    head.len() < text.trim_matches(signs).len() && (money::sign(head, own).is_some() || Currency::parse(head).is_ok())
}

/// What follows the three digits of `group`, when it goes on with the number that `before` begins: `1 234,50€`.
fn group_tail<'a>(before: &str, group: &'a str, reading: &Reading<'_>) -> Option<&'a str> {
    let spaced = reading.locale.group_mark().is_whitespace();
    let digits = before.chars().filter(char::is_ascii_digit).count();
    let open = before.ends_with(|c: char| c.is_ascii_digit()) && !before.contains(['.', ',']) && digits <= 3;
    let tail = group.trim_start_matches(|c: char| c.is_ascii_digit());
    let fits = group.len() - tail.len() == 3;
    let ends = tail.is_empty()
        || tail.starts_with(reading.locale.decimal_mark())
        || matches!(names(tail, reading.own), Names::Currency | Names::Perhaps(_));
    (spaced && open && fits && ends).then_some(tail)
}

/// What a word next to a number is.
enum Names {
    Currency,
    /// A code in small letters that is not the merchant's own: `cup`.
    Perhaps(Currency),
    Text,
}

/// Errs towards currency: a word that is wrongly taken for one is refused, one that is wrongly taken for text would make
/// `25 EUR/hour` 25 of something else.
fn names(word: &str, own: Currency) -> Names {
    let exact = |word: &str| {
        let capitals = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        match Currency::parse(word) {
            _ if capitals => Names::Currency,
            Ok(code) if code == own => Names::Currency,
            Ok(code) => Names::Perhaps(code),
            Err(_) if money::sign(word, own).is_some() => Names::Currency,
            Err(_) => Names::Text,
        }
    };
    let bare = word.trim_end_matches(PUNCTUATION);
    let found = exact(bare);
    if !matches!(found, Names::Text) {
        return found;
    }
    let stem = bare.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let starts_with_code = Currency::parse(stem).is_ok() && matches!(exact(stem), Names::Currency);
    let sign = |c: char| !c.is_alphanumeric() && money::sign(c.encode_utf8(&mut [0; 4]), own).is_some();
    if starts_with_code || bare.starts_with(sign) { Names::Currency } else { Names::Text }
}

/// Whether a text can follow a complete amount without quotes and be read as the same text.
pub(super) fn is_plain(text: &str, own: Currency) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    first.starts_with(char::is_alphabetic)
        && matches!(names(first, own), Names::Text)
        && !is_number(first, own)
        && text.chars().all(|c| c == ' ' || c.is_alphanumeric())
}

fn option(word: &Word<'_>, got: &mut Understood) -> Result<(), Problem> {
    let option = match &word.key {
        None => return Ok(()),
        Some(Key::Known(option)) => *option,
        Some(Key::Near { typed, meant }) => {
            return Err(Problem::NearOption { typed: typed.clone(), meant: *meant });
        }
    };
    if word.text.is_empty() {
        return Err(Problem::NoValue { option });
    }
    match option {
        Opt::To => once(&mut got.to, option, to(word)),
        Opt::Email => once(&mut got.email, option, email(&word.text)),
        Opt::Expires => once(&mut got.expires, option, expires(&word.text)),
        Opt::Ref => once(&mut got.reference, option, reference(&word.text)),
        Opt::Note => {
            let note = limited(word.text.clone(), Part::Note, NOTE_CHARS_MAX);
            once(&mut got.note, option, note.and_then(|note| note.ok_or(Problem::NoValue { option })))
        }
    }
}

fn once<T>(place: &mut Option<T>, option: Opt, value: Result<T, Problem>) -> Result<(), Problem> {
    if place.is_some() {
        return Err(Problem::Twice { option });
    }
    *place = Some(value?);
    Ok(())
}

fn to(word: &Word<'_>) -> Result<To, Problem> {
    if let Some(mention) = word.person {
        let name: String = clean(&mention.name).trim_start_matches('@').chars().take(NAME_CHARS_MAX).collect();
        return Ok(To::Person { id: mention.person.clone(), name });
    }
    if word.mentions > 0 {
        return Err(Problem::To { text: shorten(&word.text) });
    }
    let name = word.text.trim_start_matches('@').trim().to_owned();
    limited(name, Part::Name, NAME_CHARS_MAX)?.map(To::Name).ok_or(Problem::NoValue { option: Opt::To })
}

/// `30m`, `2h`, `3d`, `1h30m`: every unit once at most, the larger first.
pub(super) fn expires(text: &str) -> Result<Duration, Problem> {
    let bad = || Problem::Expires { text: shorten(text) };
    let (mut rest, mut secs) = (text, 0_u64);
    for (unit, unit_secs) in [('d', 86_400), ('h', 3_600), ('m', 60)] {
        if let Some((count, after)) = rest.split_once([unit, unit.to_ascii_uppercase()]) {
            if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(bad());
            }
            // A count too large for a number is too long for a payment as well.
            let more = count.parse().unwrap_or(u64::MAX).saturating_mul(unit_secs);
            (rest, secs) = (after, secs.saturating_add(more));
        }
    }
    if !rest.is_empty() {
        return Err(bad());
    }
    let time = Duration::from_secs(secs);
    if (EXPIRES_MIN..=EXPIRES_MAX).contains(&time) {
        Ok(time)
    } else {
        Err(Problem::ExpiresRange { text: shorten(text) })
    }
}

/// Not every address that mail allows: one that providers take, with a name, an `@` and a domain with a full stop.
fn email(text: &str) -> Result<String, Problem> {
    let bad = || Problem::Email { text: shorten(text) };
    let (name, domain) = text.rsplit_once('@').ok_or_else(bad)?;
    let in_name = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let label = |label: &str| {
        let plain = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        !label.is_empty() && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    let name_fits = !name.is_empty() && name.chars().all(in_name) && !name.starts_with('.') && !name.ends_with('.');
    if !name_fits || name.contains("..") || !domain.contains('.') || !domain.split('.').all(label) {
        return Err(bad());
    }
    limited(text.to_owned(), Part::Email, EMAIL_CHARS_MAX)?.ok_or(Problem::NoValue { option: Opt::Email })
}

fn reference(text: &str) -> Result<String, Problem> {
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./#".contains(c)) {
        return Err(Problem::Reference { text: shorten(text) });
    }
    let reference = limited(text.to_owned(), Part::Reference, REFERENCE_CHARS_MAX)?;
    reference.ok_or(Problem::NoValue { option: Opt::Ref })
}
