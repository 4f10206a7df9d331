//! Kill -9 while people ask in Slack: what was acknowledged is one payment with its card, and nothing is two payments.
//!
//! ```text
//! people ── fake Slack, in this process ──(signed HTTP | Socket Mode, by seed)──► till, killed ── API ──► fake Stripe
//! ```
//! The app may read every other channel. There a card that was posted and not recorded is found again; elsewhere it is
//! posted twice, and the twin says that it is one as soon as somebody presses it.
//!
//! Deliberately absent: a person who types a command again because no answer came. That is another act, with another
//! reference; of the first one there may be a payment or none.

use super::provider::Which;
use super::report::Report;
use super::{Agreed, PEOPLE, Shop, agreed, setting, settle};
use crate::support::slack::{button, id_of, labels, last_code};
use crate::support::{browser, choose, eventually, location};
use fake_slack::{Answer, ChannelKind, ChannelSet, Fault, Kind, Settings, Shown, Slack, UserSet, Way};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use till_core::contract::seeded::Seeded;
use till_core::money::{Currency, Money};
use till_core::text::Locale;

const SEEDS_IN_CI: u64 = 8;
/// How long an aimed kill waits for a post to aim at.
const AIM: Duration = Duration::from_secs(1);
/// Killed this often between the post and the record of one card is more than bad luck.
const CARDS_MAX: usize = 3;

/// A person of the staff, and the channel that they ask in.
#[derive(Clone)]
struct Room {
    user: String,
    channel: String,
}

impl Room {
    /// Even ones are public, and the app may read them.
    fn new(n: u64) -> Self {
        Self { user: format!("U0P{n}"), channel: format!("C0P{n}") }
    }

    fn kind(n: u64) -> ChannelKind {
        if n.is_multiple_of(2) { ChannelKind::Public } else { ChannelKind::Private }
    }

    /// Every message that shows this payment with its buttons, oldest first.
    fn cards(&self, slack: &Slack, code: &str) -> Vec<Shown> {
        let mut all = self.all_cards(slack);
        all.retain(|card| code_of(card) == code);
        all
    }

    fn all_cards(&self, slack: &Slack) -> Vec<Shown> {
        let is_card = |shown: &Shown| shown.only_for.is_none() && labels(shown).iter().any(|label| label == "Details");
        slack.messages(&self.channel).into_iter().filter(is_card).collect()
    }

    /// Clicks what was seen there, which may be something else by now.
    async fn click(&self, slack: &Slack, card: &Shown, label: &str) -> Answer {
        slack.click_old(&self.user, &self.channel, &card.ts, &card.blocks, &id_of(card, label)).await
    }
}

fn code_of(card: &Shown) -> String {
    button(card, "Details")["value"].as_str().unwrap().to_owned()
}

/// How an act was acknowledged.
enum Acked {
    /// With this code.
    Code(String),
    /// As an event, of which Slack tells until it is taken.
    Taken,
    /// Not at all: it may have been done.
    Never,
}

/// What somebody asked for, and where.
struct Asked {
    reference: String,
    room: Room,
    acked: Acked,
}

/// One person who asks, presses and pays through a till that dies now and then.
struct Busy {
    slack: Slack,
    room: Room,
    /// The browser of whoever pays.
    http: reqwest::Client,
    seeded: Seeded,
    asked: Vec<Asked>,
}

impl Busy {
    async fn work(mut self, over: Arc<AtomicBool>) -> Vec<Asked> {
        while !over.load(Ordering::SeqCst) {
            match self.seeded.below(10) {
                0..=3 => self.ask().await,
                4..=7 => self.pay().await,
                8 => self.cancel().await,
                _ => self.refund().await,
            }
            tokio::time::sleep(Duration::from_millis(150 + self.seeded.below(250))).await;
        }
        self.asked
    }

    async fn ask(&mut self) {
        let reference = format!("{}-{}", self.room.user, self.asked.len());
        let text = format!("{} EUR coffee ref:{reference}", 2 + self.seeded.below(40));
        let acked = if self.seeded.below(4) == 0 { self.mention(&text).await } else { self.command(&text).await };
        self.asked.push(Asked { reference, room: self.room.clone(), acked });
    }

    /// `/pay`, of which Slack may tell again: because nobody answered, or though somebody did.
    async fn command(&mut self, text: &str) -> Acked {
        let answer = self.slack.command(&self.room.user, &self.room.channel, "/pay", text).await;
        let again = self.seeded.below(2) == 0;
        match code_said(&answer) {
            None if again => {
                let answered = eventually(async || code_said(&self.slack.again(answer.n).await)).await;
                Acked::Code(answered.expect("the desk answered in the end"))
            }
            None => Acked::Never,
            Some(code) => {
                let second = if again { code_said(&self.slack.again(answer.n).await) } else { None };
                assert!(second.as_ref().is_none_or(|second| *second == code), "{text}: {code}, and then {second:?}");
                Acked::Code(code)
            }
        }
    }

    /// `@till pay`: an event, which Slack tells of until it is taken.
    async fn mention(&self, text: &str) -> Acked {
        self.slack.mention(&self.room.user, &self.room.channel, &format!("pay {text}"), None).await;
        Acked::Taken
    }

    fn card_with(&mut self, label: &str) -> Option<Shown> {
        let mut cards = self.room.all_cards(&self.slack);
        cards.retain(|card| labels(card).iter().any(|it| it.starts_with(label)));
        let at = usize::try_from(self.seeded.below(cards.len().max(1) as u64)).unwrap();
        cards.into_iter().nth(at)
    }

    async fn pay(&mut self) {
        let Some(card) = self.card_with("Pay") else { return };
        if self.seeded.below(2) == 0 {
            self.room.click(&self.slack, &card, "Pay").await;
        }
        let link = button(&card, "Pay")["url"].as_str().unwrap().to_owned();
        let Ok(pressed) = self.http.post(link).send().await else { return };
        let provider_page = location(pressed.headers());
        if provider_page.contains("/pay/") {
            let chosen = if self.seeded.below(5) == 0 { "declined" } else { "ok" };
            choose(&self.http, &provider_page, chosen).await;
        }
    }

    async fn cancel(&mut self) {
        let Some(card) = self.card_with("Cancel") else { return };
        let pressed = self.room.click(&self.slack, &card, "Cancel").await;
        if self.seeded.below(2) == 0 {
            self.slack.again(pressed.n).await;
        }
    }

    async fn refund(&mut self) {
        let Some(card) = self.card_with("Refund") else { return };
        let text = format!("refund {} 1 EUR", code_of(&card));
        self.slack.command(&self.room.user, &self.room.channel, "/till", &text).await;
    }
}

fn code_said(answer: &Answer) -> Option<String> {
    answer.body["text"].as_str().filter(|_| answer.is_ok()).and_then(last_code)
}

#[tokio::test(flavor = "multi_thread")]
async fn till_killed_at_any_moment_agrees_with_slack() {
    let (first, seeds) = (setting("TILL_CRASH_FIRST", 1), setting("TILL_CRASH_SEEDS", SEEDS_IN_CI));
    let began = Instant::now();
    let slack = fake_slack::serve(settings(), till::clock::system()).await;
    let mut shop = Shop::talking(Which::Stripe, |folder, url| configured(&slack, folder, url)).await;
    for n in 0..PEOPLE + 2 {
        shop.run(&["staff", "add", &format!("slack:T0SHOP/{}", Room::new(n).user), "Ana"]);
    }
    let [found, twin] = [Room::new(PEOPLE), Room::new(PEOPLE + 1)];
    let found = (posted_and_not_recorded(&slack, &mut shop, &found).await, found);
    let twin = (posted_and_not_recorded(&slack, &mut shop, &twin).await, twin);

    shop.provider.ill(&mut Seeded::new(first)).await;
    let over = Arc::new(AtomicBool::new(false));
    let people = (0..PEOPLE).map(|n| {
        let (slack, seeded) = (slack.clone(), Seeded::new(first * 1000 + n));
        Busy { slack, room: Room::new(n), http: browser(), seeded, asked: Vec::new() }.work(over.clone())
    });
    let killing = async {
        for seed in first..first + seeds {
            strike(&slack, &mut shop, &mut Seeded::new(seed)).await;
            if seeds > SEEDS_IN_CI {
                eprintln!("killed with seed {seed}");
            }
        }
        over.store(true, Ordering::SeqCst);
    };
    let (asked, ()) = futures::future::join(futures::future::join_all(people), killing).await;
    let mut asked: Vec<Asked> = asked.into_iter().flatten().collect();
    let killed = began.elapsed();
    shop.provider.well().await;
    slack.way(Way::Http);
    slack.retry_events().await;
    settle(&shop).await;
    assert_eq!(found.1.cards(&slack, &found.0.0).len(), 1, "it is found by its mark, and not posted again");
    assert!(slack.count("conversations.history") > 0);
    assert_eq!(twin.1.cards(&slack, &twin.0.0).len(), 2, "what cannot be found is posted again");
    asked.extend([found, twin].map(|((code, reference), room)| Asked { reference, room, acked: Acked::Code(code) }));
    let (settled, commands, agreed) = (began.elapsed(), asked.len(), agreed(&shop).await);
    compare(&slack, &agreed, asked).await;
    let title = format!("crash against slack, with stripe, seeds {first} to {}", first + seeds - 1);
    let took = vec![("killing", killed), ("settling", settled - killed), ("in all", began.elapsed())];
    let report = Report { title, kills: shop.kills, commands, till: shop.counted().await, took, ..Report::default() };
    eprintln!("{}", report.text(&agreed));
}

/// Four people and two more, each in a channel of their own; the app may read the public ones.
fn settings() -> Settings {
    let mut settings = Settings { ack_within: Duration::from_secs(1), ..Settings::test() };
    let team = &mut settings.teams[0];
    for n in 0..PEOPLE + 2 {
        let Room { user, channel } = Room::new(n);
        team.users.push(UserSet::person(&user, &user.to_lowercase(), "Ana Alves"));
        team.channels.push(ChannelSet {
            name: channel.to_lowercase(),
            id: channel,
            kind: Room::kind(n),
            members: vec![user],
            bot: true,
            shared_with: Vec::new(),
        });
    }
    settings.teams[0] = team.clone().without("groups:history");
    settings
}

/// What till.toml says of it, with both ways in.
fn configured(slack: &Slack, folder: &Path, till_url: &str) -> String {
    let settings = Settings::test();
    let bot_token = settings.teams[0].bot_token.clone().unwrap();
    let secrets = [("bot", bot_token), ("app", settings.app_token), ("signing", settings.signing_secret)];
    for (name, secret) in secrets {
        std::fs::write(folder.join(format!("slack-{name}")), secret).unwrap();
    }
    for (kind, path) in [(Kind::Command, "commands"), (Kind::Interaction, "interactions"), (Kind::Event, "events")] {
        slack.request_url(kind, &format!("{till_url}/slack/{path}"));
    }
    format!(
        "[slack]\nenabled = true\nbot_token = \"file:slack-bot\"\napp_token = \"file:slack-app\"\n\
         signing_secret = \"file:slack-signing\"\napi_url = \"{}/api\"\n",
        slack.url()
    )
}

/// Asks, and kills till when the card stands in the channel and till has not been told so. Gives code and reference.
async fn posted_and_not_recorded(slack: &Slack, shop: &mut Shop, room: &Room) -> (String, String) {
    let reference = format!("{}-aimed", room.user);
    slack.fail_next("chat.postMessage", Fault::HangAfter);
    let answer = slack.command(&room.user, &room.channel, "/pay", &format!("5 EUR tea ref:{reference}")).await;
    let code = code_said(&answer).unwrap_or_else(|| panic!("no payment was made: {answer:?}"));
    let posted = eventually(async || (room.cards(slack, &code).len() == 1).then_some(())).await;
    posted.unwrap_or_else(|| panic!("the card is not posted: {:#?}", slack.calls()));
    shop.kill().await;
    (code, reference)
}

/// Kills till at the moment of a seed; every third time when something was posted and till has not been told so.
async fn strike(slack: &Slack, shop: &mut Shop, seeded: &mut Seeded) {
    slack.way(if seeded.below(2) == 0 { Way::Http } else { Way::Socket });
    tokio::time::sleep(Duration::from_millis(20 + seeded.below(700))).await;
    if seeded.below(3) == 0 {
        slack.fail_next("chat.postMessage", Fault::HangAfter);
        let (posts, until) = (slack.count("chat.postMessage"), Instant::now() + AIM);
        while slack.count("chat.postMessage") == posts && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    shop.kill().await;
    slack.well();
}

async fn compare(slack: &Slack, agreed: &Agreed, asked: Vec<Asked>) {
    let mut payments = agreed.payments.clone();
    let locale = Locale::english().unwrap();
    for Asked { reference, room, acked } in asked {
        let Some(payment) = payments.remove(&reference) else {
            assert!(matches!(acked, Acked::Never), "{reference} was acknowledged, and there is no payment");
            continue;
        };
        let code = payment["code"].as_str().unwrap();
        if let Acked::Code(told) = acked {
            assert_eq!(told, code, "{payment:#}");
        }
        let cards = room.cards(slack, code);
        // What was cancelled before its card was posted was never shown to anybody.
        if cards.is_empty() && payment["status"] == "cancelled" {
            continue;
        }
        assert!((1..=CARDS_MAX).contains(&cards.len()), "{payment:#} {cards:#?}");
        let card = the_one_card(slack, &room, &cards).await;
        assert_eq!(title(&card), expected_title(&payment, &locale), "{payment:#} {card:#?}");
    }
    assert!(payments.is_empty(), "nobody asked for these: {payments:#?}");
    slack.settled().await;
    assert_eq!(slack.complaints(), [] as [String; 0]);
    assert_eq!(slack.unknown_args(), [] as [String; 0]);
}

/// Of several cards of one payment all but one say that they are twins, once they were pressed.
async fn the_one_card(slack: &Slack, room: &Room, cards: &[Shown]) -> Shown {
    if let [only] = cards {
        return only.clone();
    }
    for card in cards {
        assert!(room.click(slack, card, "Details").await.is_ok());
    }
    let mut left = Vec::new();
    let one = eventually(async || {
        left = room.cards(slack, &code_of(&cards[0]));
        let (marked, [card]) = (slack.messages(&room.channel), &left[..]) else { return None };
        let is_marked = |twin: &Shown| marked.iter().any(|it| it.ts == twin.ts && it.text.contains("posted twice"));
        cards.iter().filter(|twin| twin.ts != card.ts).all(is_marked).then(|| card.clone())
    });
    one.await.unwrap_or_else(|| panic!("twins are left: {left:#?}"))
}

fn title(card: &Shown) -> String {
    card.blocks[0]["text"]["text"].as_str().unwrap_or_default().to_owned()
}

/// The card's first line, as the payment stands.
fn expected_title(payment: &Value, locale: &Locale) -> String {
    let currency = Currency::parse("EUR").unwrap();
    let money = |minor: &Value| Money::new(minor.as_i64().unwrap(), currency).text(locale);
    let status = payment["status"].as_str().unwrap().replace('_', "-");
    let amounts = [
        ("amount", &*money(&payment["amount"]["minor"])),
        ("captured", &*money(&payment["captured_minor"])),
        ("refunded", &*money(&payment["refunded_minor"])),
    ];
    format!("[TEST] {}", locale.say(&format!("card-{status}"), &amounts))
}
