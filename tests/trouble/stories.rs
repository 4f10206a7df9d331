//! Single mishaps, told as stories: a plain scripted provider, and what staff see.

use super::script::Script;
use super::sim::{Sim, payment};
use super::staff::place;
use till::world::At;
use till::{cards, checkouts};
use till_core::card::Press;
use till_core::contract::script::{Knows, Message, advance, cents, cut, whole};
use till_core::contract::seeded::Seeded;
use till_core::payment::Act;
use till_core::place::MessageRef;
use till_core::port::desk::{Ack, Again, Deed, Desk as _, Inbound};

/// With a plain provider, where nothing goes wrong by itself.
fn plain(seed: u64) -> Sim<Script> {
    Sim::with(seed, |clock| Script::plain(seed, clock))
}

/// A payment of 50 EUR, paid, and its code.
fn paid(sim: &mut Sim<Script>) -> String {
    sim.say("/pay 50 EUR coffee");
    sim.rounds(1, 60_000);
    let open = sim.there.open();
    assert!(sim.there.psp.pay(&open[0]));
    sim.rounds(2, 60_000);
    let code = sim.stored()[0].code.to_string();
    assert_eq!(sim.sums().captured, 5000);
    code
}

impl Sim<Script> {
    fn sums(&self) -> till_core::payment::Sums {
        payment(&self.stored()[0]).sums()
    }

    fn out_today(&self) -> i64 {
        let by = self.inbound("x", Deed::Pressed { token: String::new(), amount: None }).by;
        let keys = till::book::refund_totals(self.now(), cents(0, "EUR").currency(), &by);
        let merchant = &self.world.merchant.id;
        let [person, all] = keys.map(|key| whole(self.world.store.total(merchant, &key)).unwrap().minor);
        assert_eq!(person, all);
        all
    }
}

#[test]
fn a_refund_by_somebody_who_left_is_refused_and_gives_the_days_limit_back() {
    let mut sim = plain(2);
    let code = paid(&mut sim);
    sim.say(&format!("/till refund {code} 10"));
    assert_eq!((sim.sums().reserved, sim.out_today()), (1000, 1000));
    // However often the look-up fails first, that is no try: nothing was sent.
    sim.chat.knows(Knows::NotNow);
    sim.rounds(3, 60_000);
    sim.chat.knows(Knows::Guests);
    sim.rounds(3, 60_000);
    assert_eq!((sim.sums().reserved, sim.sums().refunded, sim.out_today()), (0, 0, 0));
    assert!(sim.chat.messages().iter().any(|message| message.body.to_string().contains("was not made")));
}

#[test]
fn a_refund_that_was_perhaps_sent_is_seen_through_whoever_left_since() {
    let mut sim = plain(2);
    let code = paid(&mut sim);
    sim.say(&format!("/till refund {code} 10"));
    // The provider makes it, and the process is killed before the answer is kept.
    let (world, now) = (sim.world.clone(), sim.now());
    assert!(cut(checkouts::step(&world, now, &mut Seeded::new(1)), 3).is_none());
    assert_eq!(sim.there.psp.holds().values().map(|held| held.refunded).sum::<i64>(), 1000);
    sim.chat.knows(Knows::Guests);
    sim.ahead(3_600_000);
    sim.rounds(3, 60_000);
    assert_eq!((sim.sums().reserved, sim.sums().refunded), (0, 1000));
    assert_eq!(sim.there.psp.holds().values().map(|held| held.refunded).sum::<i64>(), 1000, "and made once");
}

#[test]
fn in_direct_mode_the_card_follows_the_checkout_that_can_be_paid() {
    let mut sim = plain(1);
    sim.say("/pay 50 EUR coffee expires:2d");
    sim.rounds(2, 60_000);
    let card = |sim: &Sim<Script>| sim.chat.messages()[0].body["card"].clone();
    assert_eq!(card(&sim)["actions"][0]["url"], "https://psp.example/pay/co_0");
    sim.ahead(24 * 3_600_000);
    sim.rounds(70, 60_000);
    assert_eq!(card(&sim)["actions"][0]["url"], "https://psp.example/pay/co_1", "the first has closed by itself");
    assert!(sim.there.psp.pay(&sim.there.open()[0]));
    sim.rounds(70, 60_000);
    let card = card(&sim);
    assert_eq!(card["status"], "paid");
    assert!(!card["actions"].to_string().contains("https://"), "there is no page of ours to show: {card:#}");
}

#[test]
fn an_act_that_comes_again_is_answered_as_done_and_not_as_refused() {
    let mut sim = plain(2);
    sim.say("/pay 50 EUR coffee");
    sim.rounds(2, 60_000);
    let code = sim.stored()[0].code.to_string();
    let typed = |text: String| Deed::Typed { text, mentions: Vec::new(), again: Again::Unasked };
    let cancel = sim.inbound("twice", typed(format!("/till cancel {code}")));
    whole(sim.desk.hear(cancel.clone()));
    let Ack::Say { text, .. } = whole(sim.desk.hear(cancel)) else { panic!("an answer in words") };
    assert!(text.starts_with("This was done already"), "{text}");
}

#[test]
fn a_closed_account_takes_no_new_payment_and_keeps_those_it_has() {
    let mut sim = plain(2);
    let typed = |text: &str| Deed::Typed { text: text.to_owned(), mentions: Vec::new(), again: Again::Unasked };
    let coffee = sim.inbound("coffee", typed("/pay 50 EUR coffee"));
    let Ack::Say { code: Some(code), .. } = whole(sim.desk.hear(coffee.clone())) else { panic!("asked") };
    sim.made.insert(code, "coffee".into());
    let at = sim.world.accounts.for_new().unwrap();
    sim.world.accounts.replace(vec![At { closed: Some("moved".into()), ..At::clone(&at) }]);

    let cake = sim.inbound("cake", typed("/pay 5 EUR cake"));
    let Ack::Say { text, code: None } = whole(sim.desk.hear(cake)) else { panic!("refused in words") };
    assert!(
        text.starts_with("No new payments are taken at the moment") && text.contains("till account reopen"),
        "{text}"
    );
    let Ack::Say { text, .. } = whole(sim.desk.hear(coffee)) else { panic!("an answer in words") };
    assert_eq!(text, format!("You asked for this already: {code}."), "what was asked before stays asked");

    sim.rounds(2, 60_000);
    assert!(sim.there.psp.pay(&sim.there.open()[0]), "its checkout was made although the account is closed");
    sim.rounds(2, 60_000);
    assert_eq!((sim.stored().len(), sim.sums().captured), (1, 5000));
    sim.say(&format!("/till refund {code} 10"));
    sim.rounds(2, 60_000);
    assert_eq!(sim.sums().refunded, 1000, "and money goes back through it");
}

/// How many breaths a card's step takes until its successor stands in the room, and nobody knows of it yet.
const SUCCESSOR_POSTED: usize = 3;

/// A paid payment whose card closes at the next edit, where the chat knows no keys.
fn about_to_be_succeeded() -> Sim<Script> {
    let mut sim = plain(6);
    sim.say("/pay 50 EUR coffee");
    sim.rounds(1, 60_000);
    let open = sim.there.open();
    assert!(sim.there.psp.pay(&open[0]));
    let (world, now) = (sim.world.clone(), sim.now());
    whole(till::reconciler::sweep(&world, "one", now)).unwrap();
    sim.chat.trouble(0, 100);
    sim
}

/// What each card in the room shows.
fn shown(sim: &Sim<Script>) -> Vec<String> {
    let status = |message: &Message| message.body["card"]["status"].as_str().map(str::to_owned);
    sim.chat.messages().iter().filter_map(status).collect()
}

#[test]
fn a_successor_whose_process_was_killed_is_found_and_not_posted_twice() {
    let mut sim = about_to_be_succeeded();
    let (world, now) = (sim.world.clone(), sim.now());
    assert!(cut(cards::step(&world, now, &mut Seeded::new(1)), SUCCESSOR_POSTED).is_none());
    assert_eq!(shown(&sim), ["open", "paid"]);
    sim.chat.trouble(0, 0);
    let code = sim.stored()[0].code;
    sim.say(&format!("/till refund {code} 10"));
    sim.rounds(3, 60_000);
    assert_eq!(shown(&sim), ["open", "partially_refunded"], "one successor, and it tells the newest state");
}

#[test]
fn a_successor_that_is_pressed_before_its_answer_came_is_no_twin() {
    let mut sim = about_to_be_succeeded();
    let (world, now) = (sim.world.clone(), sim.now());
    let mut entropy = Seeded::new(1);
    let mut in_flight = Box::pin(cards::step(&world, now, &mut entropy));
    assert!(advance(in_flight.as_mut(), SUCCESSOR_POSTED).is_none());
    sim.chat.trouble(0, 0);
    let token = Press { act: Act::Cancel, payment: sim.stored()[0].id, mark: 0 }.token();
    let on = Some(MessageRef { place: place(), id: "1".into() });
    let pressed = Inbound { on, ..sim.inbound("press", Deed::Pressed { token, amount: None }) };
    whole(sim.desk.hear(pressed));
    whole(cards::step_messages(&world, now, &mut Seeded::new(2))).unwrap();
    assert!(advance(in_flight.as_mut(), 100).is_some());
    drop(in_flight);
    sim.rounds(3, 60_000);
    assert_eq!(shown(&sim), ["open", "paid"], "the successor is the card");
}
