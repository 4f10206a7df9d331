//! What every chat platform's adapter must do, claim by claim, in a place that exists.
//!
//! ```text
//! adapter's test ── lends the adapter, a place, people, and an eye on what stands there
//!        └─► suite ── render, say, post, edit, reply, whisper, person, stop ── panics at the first broken claim
//! ```
//! Deliberately absent: how a platform is spoken to, and what a message looks like there. Those are the adapter's own
//! tests.

// A contract says what is wrong by panicking, as a test does.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code: a broken claim panics")]

use crate::card::{Action, Audience, Card, CardItem, Detail, Mode, Press, Short, Tone, UpTo};
use crate::contract::seeded::Seeded;
use crate::id::PaymentId;
use crate::order::IdemKey;
use crate::payment::{Act, Status};
use crate::place::{MessageRef, PersonId, Place};
use crate::port::chat::{Caps, Chat, Health, Loss, Rendered, Retracted, SendError, Standing, Twins};
use crate::port::desk::{Ack, Desk, Inbound};
use crate::text::Locale;
use crate::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;

/// Sees what stands in a place, as everybody there does, and is the guest's hand.
#[async_trait]
pub trait Eye: Send + Sync {
    /// The messages in their order, each as text that holds what people read of it.
    async fn standing(&self, at: &Place) -> Vec<String>;

    /// The guest writes something in the place.
    async fn speak(&self, text: &str) -> MessageRef;
}

/// What an adapter's test lends to the suite.
pub struct Setup<'a> {
    /// The adapter, started as far as it has to be for posting.
    pub chat: Arc<dyn Chat>,
    /// What stands where.
    pub eye: &'a dyn Eye,
    /// Where messages can be posted.
    pub place: Place,
    /// Where they cannot: it is not there.
    pub nowhere: Place,
    /// Who is staff.
    pub staff: PersonId,
    /// Who is there and is not staff.
    pub guest: PersonId,
    /// Nobody.
    pub nobody: PersonId,
    /// The language of the cards.
    pub locale: Locale,
    /// The present.
    pub now: Timestamp,
}

/// Runs every claim; the last one stops the adapter.
///
/// # Panics
/// When a claim does not hold: the message says which.
pub async fn suite(s: &Setup<'_>) {
    every_card_is_rendered_and_its_link_stands_in_the_text(s);
    what_does_not_fit_is_reported(s);
    the_same_key_posts_one_message(s).await;
    an_edit_takes_the_place_of_what_stood(s).await;
    a_message_that_is_gone_is_gone(s).await;
    a_reply_stands_in_the_same_place(s).await;
    a_whisper_reaches_its_person_or_says_so(s).await;
    what_a_person_wrote_is_taken_away_or_they_are_asked(s).await;
    people_are_who_they_are_now(s).await;
    assert_eq!(s.chat.probe().await, Health::Well, "a platform that posts is well");
    told_to_stop_it_stops(s).await;
}

/// A text that tries things: markup, scripts, mentions, marks that turn the direction of reading, and what is not seen.
pub const HOSTILE: &str = "</script><img src=x onerror=alert(1)> *_~`|> @everyone <!channel> &amp; \u{202e}txt.exe\u{2066} \
                           \u{0}\u{7}\u{200b}\" ' \\ ${x} {{y}} https://evil.example/ 👩‍👩‍👧‍👦 مرحبا\r\n\tend";

/// The ordinary card: an open payment with a link, and a button for staff.
pub fn ordinary() -> Card {
    filled("coffee", "https://till.example/p/0123456789abcdef0123456789abcdef", 1)
}

/// A card with as much of everything as a card can hold, of `text` repeated.
pub fn maximal(text: &str) -> Card {
    filled(&text.repeat(400), &format!("https://till.example/p/{}", "a".repeat(1_900)), 99)
}

fn filled(text: &str, link: &str, many: usize) -> Card {
    let payment = PaymentId::new(Timestamp::from_secs(1_795_372_200), &mut Seeded::new(7));
    let pay =
        Action::Link { label: Short::new(format!("Pay {text}")), url: link.to_owned(), audience: Audience::Anyone };
    let press = Action::Press {
        label: Short::new(format!("Cancel {text}")),
        token: Press { act: Act::Cancel, payment, mark: 0 }.token(),
        typed: "/till cancel K7Q2F9".to_owned(),
        confirm: Some(Short::new(text)),
        asks: Some(Short::new("20.00 EUR")),
        audience: Audience::Staff,
    };
    Card {
        status: Status::Open,
        tone: Tone::Waiting,
        title: Short::new(format!("Please pay {text}")),
        amount: Short::new("25.00 EUR"),
        code: "K7Q2F9".parse().expect("a code"),
        details: UpTo::new((0..many).map(|n| Detail {
            label: Short::new(format!("{n} {text}")),
            value: Short::new(text),
            audience: Audience::Anyone,
        })),
        items: UpTo::new(
            (0..many).map(|n| CardItem { name: Short::new(format!("{n} × {text}")), amount: Short::new("9.00 EUR") }),
        ),
        note: Some(Short::new(text)),
        actions: UpTo::new([pay, press.clone()].into_iter().chain((2..=many).map(|_| press.clone()))),
        footer: Short::new(format!("Issued by {text}")),
        link: link.to_owned(),
        mode: Mode::Test,
    }
}

/// Every state, hostile words, and the largest cards there are.
fn cards() -> Vec<Card> {
    let states = Status::ALL.into_iter().map(|status| Card { status, ..ordinary() });
    let odd_link = Card { link: "javascript:alert(1)".to_owned(), ..ordinary() };
    states
        .chain([
            filled(HOSTILE, "https://till.example/p/x", 3),
            odd_link,
            maximal("W"),
            maximal("👩‍👧 "),
            maximal(HOSTILE),
        ])
        .collect()
}

fn every_card_is_rendered_and_its_link_stands_in_the_text(s: &Setup<'_>) {
    let own = s.chat.caps(&s.place);
    let caps = [
        own,
        Caps { text_max: 300, ..own },
        Caps { buttons_max: 0, ..own },
        Caps { url_max: 20, ..own },
        Caps { text_max: 0, buttons_max: 0, url_max: 0, ..own },
    ];
    for card in cards() {
        for caps in caps {
            let rendered = s.chat.render(&card, &caps, &s.locale);
            let plain = &rendered.plain;
            assert!(plain.contains(&card.link), "the text holds the link: {plain}");
            let room = caps.text_max.max(card.link.chars().count());
            assert!(
                plain.chars().count() <= room,
                "the text fits, or is the link alone: {} > {room}",
                plain.chars().count()
            );
            assert_eq!(s.chat.render(&card, &caps, &s.locale), rendered, "rendered twice, it is the same");
        }
    }
}

fn what_does_not_fit_is_reported(s: &Setup<'_>) {
    let own = s.chat.caps(&s.place);
    let losses = |card: &Card, caps: Caps| s.chat.render(card, &caps, &s.locale).losses;
    if own.buttons_max >= 2 {
        assert!(!losses(&ordinary(), own).contains(&Loss::Button), "buttons that fit are there");
    }
    assert!(losses(&ordinary(), Caps { buttons_max: 0, ..own }).contains(&Loss::Button), "a lost button is reported");
    assert!(losses(&ordinary(), Caps { url_max: 20, ..own }).contains(&Loss::Button), "a URL too long for a button is");
    assert!(losses(&ordinary(), Caps { text_max: 80, ..own }).contains(&Loss::Text), "a cut text is reported");
    let said = s.chat.say(&"word ".repeat(own.text_max), &[], &own);
    assert!(said.losses.contains(&Loss::Text) && said.plain.chars().count() <= own.text_max, "a long word is cut");
    assert_eq!(s.chat.say("Paid.", &[], &own).losses, [], "a short one is not");
}

impl Setup<'_> {
    fn key(&self, what: &str) -> IdemKey {
        IdemKey::show(PaymentId::new(self.now, &mut Seeded::new(11)), what)
    }

    fn word(&self, text: &str) -> Rendered {
        self.chat.say(text, &[], &self.chat.caps(&self.place))
    }

    /// How many messages in the place hold this text.
    async fn count(&self, text: &str) -> usize {
        self.eye.standing(&self.place).await.iter().filter(|message| message.contains(text)).count()
    }
}

async fn the_same_key_posts_one_message(s: &Setup<'_>) {
    let first = s.chat.post(&s.place, &s.word("twin one"), &s.key("twin"), s.now).await.expect("posted");
    let again = s.chat.post(&s.place, &s.word("twin one"), &s.key("twin"), s.now).await.expect("posted again");
    match s.chat.caps(&s.place).twins {
        Twins::Recognised => {
            assert_eq!(first, again, "the same key is the same message");
            assert_eq!(s.count("twin one").await, 1, "and it stands once");
        }
        Twins::Posted { .. } => {
            assert_eq!(s.count("twin one").await, 2, "two stand, for the caller to mark one superseded")
        }
    }
    let other = s.chat.post(&s.place, &s.word("twin other"), &s.key("other"), s.now).await.expect("another key");
    assert_ne!(first, other, "another key is another message");
}

async fn an_edit_takes_the_place_of_what_stood(s: &Setup<'_>) {
    let caps = s.chat.caps(&s.place);
    let open = s.chat.render(
        &Card { title: Short::new("Still open"), status: Status::Processing, ..ordinary() },
        &caps,
        &s.locale,
    );
    let paid = s.chat.render(
        &Card { title: Short::new("Paid at last"), status: Status::Paid, ..ordinary() },
        &caps,
        &s.locale,
    );
    let at = s.chat.post(&s.place, &open, &s.key("card"), s.now).await.expect("a card is posted");
    assert_eq!(s.count("Still open").await, 1);
    for _ in 0..2 {
        s.chat.edit(&at, &paid, s.now).await.expect("its own card is edited, and edited to the same again");
        assert_eq!((s.count("Still open").await, s.count("Paid at last").await), (0, 1), "one card, the newest");
    }
}

async fn a_message_that_is_gone_is_gone(s: &Setup<'_>) {
    let posted = s.chat.post(&s.nowhere, &s.word("lost"), &s.key("lost"), s.now).await;
    assert!(matches!(posted, Err(SendError::Gone | SendError::Forbidden)), "nowhere takes no message: {posted:?}");
    for id in ["999999999", "", "no such id"] {
        let gone = MessageRef { place: s.place.clone(), id: id.to_owned() };
        let edited = s.chat.edit(&gone, &s.word("lost"), s.now).await;
        assert_eq!(edited, Err(SendError::Gone), "an edit of message `{id}`");
    }
    assert_eq!(s.count("lost").await, 0);
}

async fn a_reply_stands_in_the_same_place(s: &Setup<'_>) {
    let at = s.chat.post(&s.place, &s.word("root"), &s.key("root"), s.now).await.expect("posted");
    let reply = s.chat.reply(&at, &s.word("replied below"), &s.key("reply"), s.now).await.expect("replied");
    assert_eq!(reply.place.channel, s.place.channel);
    assert_ne!(reply, at);
    assert_eq!(s.count("replied below").await, 1);
}

async fn a_whisper_reaches_its_person_or_says_so(s: &Setup<'_>) {
    let word = s.word("between us");
    s.chat.whisper(&s.staff, &s.place, &word, &s.key("whisper"), s.now).await.expect("staff can be told");
    assert_eq!(s.count("between us").await, 0, "what staff are told in private, the place does not see");
    let nobody = s.chat.whisper(&s.nobody, &s.place, &word, &s.key("nobody"), s.now).await;
    assert_eq!(nobody, Err(SendError::Forbidden), "nobody cannot be told");
}

async fn what_a_person_wrote_is_taken_away_or_they_are_asked(s: &Setup<'_>) {
    let (at, please) = (s.eye.speak("4111 of mine").await, s.word("please take it away"));
    assert_eq!(s.count("4111 of mine").await, 1, "the guest wrote it");
    match s.chat.retract(&at, &s.guest, &please, s.now).await {
        Ok(Retracted::Removed) => {
            assert_eq!(s.count("4111 of mine").await, 0, "it is gone");
            let again = s.chat.retract(&at, &s.guest, &please, s.now).await;
            assert!(matches!(again, Err(SendError::Gone) | Ok(Retracted::Removed)), "it cannot be there: {again:?}");
        }
        Ok(Retracted::Asked) => assert_eq!(s.count("4111 of mine").await, 1, "only its writer can"),
        other => panic!("neither taken away nor asked: {other:?}"),
    }
    assert_eq!(s.count("please take it away").await, 0, "nobody else is told");
}

async fn people_are_who_they_are_now(s: &Setup<'_>) {
    let staff = s.chat.person(&s.staff, &s.place).await.expect("looked up").expect("somebody");
    assert_eq!((&staff.id, staff.standing), (&s.staff, Standing::Staff));
    assert!(!staff.name.is_empty(), "people have names");
    let guest = s.chat.person(&s.guest, &s.place).await.expect("looked up").expect("somebody");
    assert_eq!((&guest.id, guest.standing), (&s.guest, Standing::Guest));
    assert_eq!(s.chat.person(&s.nobody, &s.place).await.expect("looked up"), None);
    let stranger = PersonId { platform: "elsewhere".to_owned(), ..s.staff.clone() };
    let known = s.chat.person(&stranger, &s.place).await.expect("looked up");
    assert!(known.is_none_or(|person| person.standing == Standing::Guest), "the same id elsewhere is not staff here");
}

struct Silent;

#[async_trait]
impl Desk for Silent {
    async fn hear(&self, _: Inbound) -> Ack {
        Ack::Talk
    }
}

async fn told_to_stop_it_stops(s: &Setup<'_>) {
    let stopped = s.chat.clone().listen(Arc::new(Silent), Box::pin(std::future::ready(()))).await;
    assert_eq!(stopped, Ok(()), "stopping is no failure");
}
