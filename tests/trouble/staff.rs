//! What staff and payers do in the chat: they type, press what stands in the room, and open the pay page.

use super::Provider;
use super::sim::{Sim, payment};
use super::watch::Knew;
use till::book;
use till::links;
use till::world::LinkMode;
use till_core::card::Press;
use till_core::contract::script::{cut, whole};
use till_core::id::Code;
use till_core::payment::Act;
use till_core::place::{MessageRef, PersonId, Place};
use till_core::port::desk::{Ack, Again, Deed, Desk as _, Inbound};

/// What staff type about a payment, how often of all of it, and with an amount or without.
const TYPED: [(u64, &str, With); 13] = [
    (8, "cancel", With::Nothing),
    (14, "refund", With::Amount),
    (4, "renew", With::Nothing),
    (2, "remind", With::Nothing),
    (3, "extend", With::Time),
    (4, "approve", With::Second),
    (1, "approve", With::Nothing),
    (2, "reject", With::Second),
    (2, "accept", With::Nothing),
    (1, "reject", With::Nothing),
    (2, "honour", With::Nothing),
    (1, "retry", With::Nothing),
    (1, "verify", With::Nothing),
];

#[derive(Clone, Copy)]
enum With {
    Nothing,
    Amount,
    Time,
    /// By somebody else of the staff.
    Second,
}

/// Who asks, and who may agree.
const ANA: &str = "staff:ana";
const BO: &str = "staff:bo";

pub(super) fn place() -> Place {
    Place { platform: "script".into(), workspace: "w".into(), channel: "c".into(), thread: None }
}

impl<P: Provider> Sim<P> {
    pub(super) fn inbound(&self, act: &str, deed: Deed) -> Inbound {
        self.inbound_of(ANA, act, deed)
    }

    fn inbound_of(&self, who: &str, act: &str, deed: Deed) -> Inbound {
        let by = PersonId { platform: "script".into(), id: who.to_owned() };
        Inbound { keys: vec![act.to_owned()], by, name: who.into(), locale: None, place: place(), on: None, deed }
    }

    /// One act. The process may be killed over it; then, and when the desk is busy, it comes again.
    fn act(&mut self, who: &str, deed: Deed, on: Option<MessageRef>) -> Ack {
        self.acts += 1;
        let inbound = Inbound { on, ..self.inbound_of(who, &format!("act-{}", self.acts), deed) };
        let mut ack = Ack::Nothing;
        for _ in 0..200 {
            let (desk, breaths) = (self.desk.clone(), self.breaths(8));
            match cut(desk.hear(inbound.clone()), breaths) {
                None => self.restart(),
                Some(Ack::Busy { .. }) => self.ahead(1_000),
                Some(done) => {
                    ack = done;
                    break;
                }
            }
        }
        assert_ne!(ack, Ack::Nothing, "everybody is answered in the end");
        // A platform delivers twice now and then.
        if self.seeded.chance(20) {
            let again = whole(self.desk.hear(inbound));
            if let (Ack::Say { code: Some(first), .. }, Ack::Say { code: Some(second), .. }) = (&ack, &again) {
                assert_eq!(first, second, "the same act is answered with the same payment");
            }
        }
        ack
    }

    /// Types something, and notes what it made.
    pub(super) fn say(&mut self, text: &str) -> Ack {
        self.say_as(ANA, text)
    }

    fn say_as(&mut self, who: &str, text: &str) -> Ack {
        let deed = Deed::Typed { text: text.to_owned(), mentions: Vec::new(), again: Again::Unasked };
        let ack = self.act(who, deed, None);
        if let (true, Ack::Say { code: Some(code), .. }) = (text.starts_with("/pay"), &ack) {
            let known = self.made.insert(*code, text.to_owned());
            assert_eq!(known, None, "a new command makes a new payment");
        }
        if let Some(old) = text.strip_prefix("/till renew ") {
            self.renewed(old.parse().unwrap(), &ack);
        }
        ack
    }

    /// A payment is renewed once, however often somebody wants it.
    fn renewed(&mut self, old: Code, ack: &Ack) {
        let Ack::Say { code: Some(new), .. } = ack else { return };
        if *new == old {
            return;
        }
        let merchant = &self.world.merchant.id;
        let id = whole(self.world.store.payment_by_code(merchant, old)).unwrap().unwrap();
        let first = *self.renewals.entry(id).or_insert(*new);
        assert_eq!(first, *new, "renewed twice");
        self.made.entry(*new).or_insert_with(|| format!("renews {old}"));
        self.count("renewals asked");
    }

    fn a_code(&mut self) -> Option<Code> {
        let codes: Vec<Code> = self.watch.known.codes().collect();
        self.seeded.pick(&codes).copied()
    }

    fn an_amount(&mut self) -> String {
        let cents = if self.seeded.chance(40) { 100 } else { 1 + self.seeded.below(3000) };
        format!(" {}.{:02}", cents / 100, cents % 100)
    }

    /// Staff ask for money.
    pub(super) fn ask(&mut self) {
        let number = self.acts;
        let amount = match self.seeded.below(40) {
            // Less than a provider takes.
            0 => "0.50".to_owned(),
            // Now and then more than one person may ask for alone.
            _ => (1 + self.seeded.below(56)).to_string(),
        };
        let expires = match self.seeded.below(8) {
            0 => format!("{}d", 1 + self.seeded.below(3)),
            _ => format!("{}m", 10 + self.seeded.below(200)),
        };
        self.say(&format!("/pay {amount} EUR coffee ref:R{number} expires:{expires}"));
    }

    /// Staff type something about a payment.
    pub(super) fn type_something(&mut self) {
        let Some(code) = self.a_code() else { return };
        let mut at = self.seeded.below(TYPED.iter().map(|(often, ..)| often).sum());
        for (often, verb, with) in TYPED {
            if at < often {
                let amount = match with {
                    With::Amount if self.seeded.chance(85) => self.an_amount(),
                    With::Time => format!(" {}m", 10 + self.seeded.below(4_000)),
                    With::Amount | With::Nothing | With::Second => String::new(),
                };
                let who = if matches!(with, With::Second) { BO } else { ANA };
                self.say_as(who, &format!("/till {verb} {code}{amount}"));
                return self.count("typed");
            }
            at -= often;
        }
    }

    /// Staff press a button that stands in the room, on a card of today or on one of long ago.
    pub(super) fn press(&mut self) {
        let messages = self.chat.messages();
        let buttons = messages.iter().enumerate().flat_map(|(at, message)| {
            let actions = message.body["card"]["actions"].as_array().into_iter().flatten();
            let tokens = actions.filter_map(|action| action["token"].as_str());
            tokens.map(move |token| (at, message.body["card"]["code"].as_str().unwrap(), token)).collect::<Vec<_>>()
        });
        let buttons: Vec<_> = buttons.collect();
        let Some((at, code, token)) = self.seeded.pick(&buttons).copied() else { return };
        let amount = if self.seeded.chance(70) { Some(self.an_amount()) } else { None };
        let on = Some(MessageRef { place: place(), id: at.to_string() });
        let press = Press::read(token).expect("a button of ours");
        let ack = self.act(ANA, Deed::Pressed { token: token.to_owned(), amount }, on);
        if press.act == Act::Renew {
            self.renewed(code.parse().unwrap(), &ack);
        }
        self.count("pressed");
    }

    /// A payer opens the pay page, which asks for the next checkout where none is usable.
    pub(super) fn open_page(&mut self) {
        if !matches!(self.world.links, LinkMode::Ours(_)) {
            return;
        }
        // Mostly a page on which there is something to do.
        let useful = self.seeded.chance(80);
        let wants = |it: &Knew| !useful || it.payment.next_checkout().is_some();
        let ids = self.watch.known.payments.iter().filter(|(_, it)| wants(it)).map(|(id, _)| *id);
        let ids: Vec<_> = ids.collect();
        let Some(id) = self.seeded.pick(&ids).copied() else { return };
        let (world, now) = (self.world.clone(), self.now());
        let loaded = whole(book::load(&world, &world.merchant.id, id)).unwrap().unwrap();
        let had_none = loaded.payment.next_checkout().is_some();
        let breaths = self.breaths(5);
        match cut(links::opened(&world, &loaded, now), breaths) {
            None => self.restart(),
            Some(Ok(true)) => {
                self.count("pages opened");
                let after = whole(world.store.payment(&world.merchant.id, id)).unwrap().unwrap();
                if had_none && payment(&after).checkouts.len() > loaded.payment.checkouts.len() {
                    self.count("checkouts asked for by a page");
                }
            }
            Some(opened) => assert!(!opened.unwrap()),
        }
    }
}
