//! A typed line cut into words: quotes kept together, mentions whole, options recognised, tricks removed.

use super::misread::Problem;
use super::{Mention, Opt};
use crate::money::shorten;

/// One word, or one quoted run of words, of a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Word<'a> {
    /// Clean; a mention stands in it as `@name`.
    pub(super) text: String,
    /// Whether it stood in quotes: then it is text and nothing else.
    pub(super) quoted: bool,
    /// What stood before it: `to:`.
    pub(super) key: Option<Key>,
    /// The person, when the word is one mention and nothing more.
    pub(super) person: Option<&'a Mention>,
    /// How many mentions stand in it.
    pub(super) mentions: usize,
}

impl Word<'_> {
    /// Whether the word is exactly this, and not quoted.
    pub(super) fn is(&self, text: &str) -> bool {
        !self.quoted && self.text == text
    }
}

/// What stands before the colon of an option.
#[derive(Clone, Debug)]
pub(super) enum Key {
    /// An option.
    Known(Opt),
    /// What is probably meant to be one.
    Near { typed: String, meant: Opt },
}

/// The words, and what was wrong with the way they are written.
pub(super) struct Lexed<'a> {
    pub(super) words: Vec<Word<'a>>,
    pub(super) problem: Option<Problem>,
}

/// Cuts `text` from byte `from` on. Options are looked for among `options` only.
pub(super) fn lex<'a>(text: &str, from: usize, mentions: &'a [Mention], options: &[Opt]) -> Lexed<'a> {
    let mut cursor = Cursor { text, at: from, mentions };
    let mut lexed = Lexed { words: Vec::new(), problem: None };
    loop {
        cursor.skip_space();
        let Some(next) = cursor.peek() else { return lexed };
        let key = if cursor.mention().is_some() { None } else { key(cursor.rest(), options) };
        let mut word = Word::default();
        if let Some((key, len)) = key {
            cursor.at += len;
            // A chat client puts a space after `to:` when it completes a name. A note without quotes stays refused:
            // which of the words that follow it would be the note?
            if !matches!(key, Key::Known(Opt::Note)) {
                cursor.skip_space();
            }
            word.key = Some(key);
            let another = self::key(cursor.rest(), options).is_some();
            if another || cursor.peek().is_none_or(char::is_whitespace) {
                lexed.words.push(word);
                continue;
            }
        }
        let opening = if word.key.is_some() { cursor.peek() } else { Some(next) };
        if opening.is_some_and(is_quote) {
            let from_quote = shorten(cursor.rest());
            cursor.at += opening.map_or(0, char::len_utf8);
            word.quoted = true;
            if !cursor.take(&mut word, is_closing) {
                lexed.problem.get_or_insert(Problem::OpenQuote { text: from_quote });
            }
        } else {
            cursor.take(&mut word, char::is_whitespace);
        }
        word.text = clean(&word.text);
        if word.quoted || word.key.is_some() || !word.text.is_empty() {
            lexed.words.push(word);
        }
    }
}

struct Cursor<'t, 'm> {
    text: &'t str,
    at: usize,
    mentions: &'m [Mention],
}

impl<'t, 'm> Cursor<'t, 'm> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// The longest mention that begins here. A span that does not fit the text is no mention.
    fn mention(&self) -> Option<&'m Mention> {
        let fits =
            |m: &&Mention| m.span.start == self.at && self.text.get(m.span.clone()).is_some_and(|s| !s.is_empty());
        self.mentions.iter().filter(fits).max_by_key(|mention| mention.span.end)
    }

    /// Takes what comes before the first character that is an `end`, and a quote that is one. False: none came.
    fn take(&mut self, word: &mut Word<'m>, end: fn(char) -> bool) -> bool {
        let mut others = false;
        loop {
            if let Some(mention) = self.mention() {
                word.text.push_str(&format!("@{}", mention.name.trim_start_matches('@')));
                word.mentions += 1;
                word.person = (word.mentions == 1 && !others).then_some(mention);
                self.at = mention.span.end;
                continue;
            }
            let Some(next) = self.peek() else { return false };
            if end(next) {
                self.at += if is_quote(next) { next.len_utf8() } else { 0 };
                return true;
            }
            others = true;
            word.person = None;
            word.text.push(next);
            self.at += next.len_utf8();
        }
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

fn is_closing(c: char) -> bool {
    matches!(c, '"' | '“' | '”')
}

/// The option that `text` begins with, or nearly, and its length with the colon. A link is not one.
fn key(text: &str, options: &[Opt]) -> Option<(Key, usize)> {
    let (name, value) = text.split_once(':')?;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic()) || value.starts_with("//") {
        return None;
    }
    let small = name.to_ascii_lowercase();
    let known = options.iter().find(|option| option.name() == small).map(|&option| Key::Known(option));
    let near = || {
        let meant = nearest(&small, options, |option| option.name())?;
        Some(Key::Near { typed: shorten(name), meant })
    };
    Some((known.or_else(near)?, name.len() + 1))
}

/// The one whose name is at most two slips away from `typed`, and shares a letter with it at least.
pub(super) fn nearest<T: Copy>(typed: &str, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
    let slips = all.iter().map(|&one| (distance(typed, name(one)), one));
    let near = slips.filter(|&(slips, one)| slips <= 2 && slips < name(one).len());
    near.min_by_key(|&(slips, _)| slips).map(|(_, one)| one)
}

/// Letters to add, drop, change or swap with their neighbour to get from `a` to `b`; far words are not counted out.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(20).collect(), b.chars().take(20).collect());
    let mut older: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let change = at(&last, j) + usize::from(x != y);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            let swap = if swapped { at(&older, j - 1) + 1 } else { usize::MAX };
            row.push(change.min(at(&last, j + 1) + 1).min(at(&row, j) + 1).min(swap));
        }
        older = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

/// The text in one line, without what cannot be seen: control characters, marks that turn the direction of reading,
/// and empty characters. The joiners that emoji and Persian are written with stay.
pub fn clean(text: &str) -> String {
    let seen = |c: &char| c.is_whitespace() || !(c.is_control() || is_hidden(*c));
    text.chars().filter(seen).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted_as_people_make_them() {
        for (a, b, slips) in [
            ("", "", 0),
            ("pay", "pay", 0),
            ("pya", "pay", 1),
            ("cancle", "cancel", 1),
            ("refnd", "refund", 1),
            ("sttaus", "status", 1),
            ("to", "ref", 3),
            ("", "to", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), slips, "{a} {b}");
            assert_eq!(distance(b, a), slips, "{b} {a}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_not_there() {
        assert_eq!(clean(" a\u{202e}b\u{0}\u{200b}\n\tc\u{2066}\u{7f} "), "ab c");
        assert_eq!(clean("👩\u{200d}🍳"), "👩\u{200d}🍳");
    }
}
