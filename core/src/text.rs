//! Every sentence that Till says to people, by key and language.
//!
//! The sentences stand in `config/locales/*.ftl` (Project Fluent) and are built into the program; [`Texts::add`] lays
//! a file of the host's own over them. A key that is missing shows itself, so that a gap is seen and nothing fails.
//!
//! Deliberately absent: money and dates. Those are formatted by [`crate::money`] and [`crate::time`] and come in as text.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::fmt;
use std::sync::Arc;
use unic_langid::LanguageIdentifier;

/// The language that is always there.
const ENGLISH: (&str, &str) = ("en", include_str!("../../config/locales/en.ftl"));

/// A file of sentences cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTexts {
    /// The file's name is not a language tag.
    #[error("`{0}` is not a language tag such as `en` or `de-AT`")]
    Tag(String),
    /// The file is not valid Fluent.
    #[error("locale `{tag}`: {problem}")]
    Syntax {
        /// The language.
        tag: String,
        /// What the parser says, with the place.
        problem: String,
    },
}

/// All languages that are loaded.
#[derive(Default)]
pub struct Texts(Vec<Locale>);

impl Texts {
    /// The languages that are built in.
    ///
    /// # Errors
    /// None in a build whose tests passed: a test reads every built-in file.
    pub fn embedded() -> Result<Self, BadTexts> {
        let mut texts = Self::default();
        texts.add(ENGLISH.0, ENGLISH.1)?;
        Ok(texts)
    }

    /// Adds a language, or lays `source` (the text of an `.ftl` file) over one that is there.
    ///
    /// # Errors
    /// [`BadTexts`]: the tag or the file cannot be read; nothing was added.
    pub fn add(&mut self, tag: &str, source: &str) -> Result<(), BadTexts> {
        let id: LanguageIdentifier = tag.parse().map_err(|_| BadTexts::Tag(tag.to_owned()))?;
        let resource = FluentResource::try_new(source.to_owned())
            .map_err(|(_, errors)| BadTexts::Syntax { tag: tag.to_owned(), problem: format!("{errors:?}") })?;
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // Isolation marks would stand in card texts, searches and copies.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        let under = self.0.iter().position(|locale| locale.tag() == tag).map(|at| self.0.remove(at));
        let under = under.or_else(|| self.0.first().cloned());
        let locale = Locale(Arc::new(Inner { tag: tag.to_owned(), bundle, under }));
        if tag == ENGLISH.0 {
            self.0.insert(0, locale)
        } else {
            self.0.push(locale)
        }
        Ok(())
    }

    /// The language `tag`, else its base language, else English.
    pub fn locale(&self, tag: &str) -> Option<Locale> {
        self.exactly(tag).or_else(|| self.0.first()).cloned()
    }

    /// The language `tag`, else its base language.
    fn exactly(&self, tag: &str) -> Option<&Locale> {
        let base = tag.split('-').next().unwrap_or(tag);
        let by = |wanted: &str| self.0.iter().find(|locale| locale.tag().eq_ignore_ascii_case(wanted));
        by(tag).or_else(|| by(base))
    }
}

/// The language of a place, and those of the people in it.
#[derive(Clone)]
pub struct Tongues {
    texts: Arc<Texts>,
    own: Locale,
}

impl Tongues {
    /// `own` is the place's: what everybody reads is in it.
    pub fn new(texts: Texts, own: Locale) -> Self {
        Self { texts: Arc::new(texts), own }
    }

    /// The place's.
    pub fn own(&self) -> &Locale {
        &self.own
    }

    /// A person's, by the tag that their platform gives: `de-DE`, else `de`, else the place's.
    pub fn of(&self, tag: Option<&str>) -> Locale {
        let found = tag.and_then(|tag| self.texts.exactly(tag));
        found.unwrap_or(&self.own).clone()
    }
}

struct Inner {
    tag: String,
    bundle: FluentBundle<FluentResource>,
    /// Where a key is looked up that this language lacks.
    under: Option<Locale>,
}

/// One language. Cheap to clone.
#[derive(Clone)]
pub struct Locale(Arc<Inner>);

impl Locale {
    /// English, without the host's own sentences. For tests and for errors before any configuration is read.
    ///
    /// # Errors
    /// As [`Texts::embedded`].
    pub fn english() -> Result<Self, BadTexts> {
        let texts = Texts::embedded()?;
        texts.locale(ENGLISH.0).ok_or_else(|| BadTexts::Tag(ENGLISH.0.to_owned()))
    }

    /// The language tag: `en`.
    pub fn tag(&self) -> &str {
        &self.0.tag
    }

    /// The mark between whole units and cents.
    pub fn decimal_mark(&self) -> char {
        match self.tag().split('-').next() {
            Some("de" | "fr" | "es" | "it" | "nl" | "pt" | "pl" | "sv" | "da" | "nb" | "fi") => ',',
            _ => '.',
        }
    }

    /// The mark between groups of three digits.
    pub fn group_mark(&self) -> char {
        match self.tag().split('-').next() {
            Some("fr" | "pl" | "sv" | "nb" | "fi") => '\u{a0}',
            _ if self.decimal_mark() == ',' => '.',
            _ => ',',
        }
    }

    /// The sentence `key`, with `args` put in. A missing key is answered with the key itself.
    ///
    /// ```
    /// # let en = till_core::text::Locale::english().unwrap();
    /// assert_eq!(en.say("card-paid", &[]), "Paid");
    /// ```
    pub fn say(&self, key: &str, args: &[(&str, &str)]) -> String {
        let inner = &self.0;
        let Some(pattern) = inner.bundle.get_message(key).and_then(|message| message.value()) else {
            return inner.under.as_ref().map_or_else(|| key.to_owned(), |under| under.say(key, args));
        };
        let mut values = FluentArgs::new();
        for &(name, value) in args {
            // A count chooses a plural, so a number goes in as a number.
            match value.parse::<u32>() {
                Ok(count) if value == count.to_string() => values.set(name, count),
                _ => values.set(name, value.to_owned()),
            }
        }
        inner.bundle.format_pattern(pattern, Some(&values), &mut Vec::new()).into_owned()
    }

    /// Whether the key has a sentence in this language or the one under it.
    pub fn has(&self, key: &str) -> bool {
        self.0.bundle.has_message(key) || self.0.under.as_ref().is_some_and(|under| under.has(key))
    }
}

impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Locale").field(&self.tag()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_may_say_it_differently_and_keeps_the_rest() {
        let mut texts = Texts::embedded().unwrap();
        texts.add("en", "card-paid = All yours").unwrap();
        let en = texts.locale("en-GB").unwrap();
        assert_eq!(en.say("card-paid", &[]), "All yours");
        assert!(en.has("card-expired"));
        assert_eq!(en.say("no-such-key", &[]), "no-such-key");
    }

    #[test]
    fn a_person_reads_their_own_language_where_there_is_one_and_else_the_place_s() {
        let mut texts = Texts::embedded().unwrap();
        texts.add("de", "card-paid = Bezahlt").unwrap();
        texts.add("fr", "card-paid = Payé").unwrap();
        let french = texts.locale("fr").unwrap();
        let tongues = Tongues::new(texts, french);
        let paid = |tag: Option<&str>| tongues.of(tag).say("card-paid", &[]);
        assert_eq!((paid(Some("de-AT")), paid(Some("en-US"))), ("Bezahlt".into(), "Paid".into()));
        assert_eq!((paid(Some("ja-JP")), paid(None)), ("Payé".into(), "Payé".into()));
        assert!(tongues.of(Some("de")).has("card-expired"), "what a language lacks is said in English");
    }

    #[test]
    fn a_broken_file_is_refused_with_its_name() {
        let mut texts = Texts::embedded().unwrap();
        assert!(texts.add("en", "card-paid").unwrap_err().to_string().contains("locale `en`"));
        assert!(texts.add("!!", "a = b").is_err());
    }
}
