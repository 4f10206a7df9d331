//! Looking after a till: what was given up comes again, the doctor names what is wrong, numbers are exact, drift is mended.

mod dead;
mod doctor;
mod metrics;
mod reconcile;
mod upkeep;

use crate::support::stripe::Shop;
use till::book;
use till_core::order::IdemKey;
use till_core::payment::Status;
use till_core::place::Place;
use till_core::port::store::{Change, Commit, Committed, NewWork, Work};

/// What is owed to a conversation that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owed {
    Message,
    Card,
}

/// Owes a message about a payment, or a card of it, to a conversation that is not there.
async fn owe_to_nowhere(shop: &Shop, code: &str, owed: Owed) {
    let (world, merchant, now) = (&*shop.world, &shop.world.merchant.id, shop.now());
    let id = world.store.payment_by_code(merchant, code.parse().unwrap()).await.unwrap().unwrap();
    loop {
        let loaded = book::load(world, merchant, id).await.unwrap().unwrap();
        assert_ne!(loaded.payment.status(), Status::Preparing);
        let nowhere = Place { channel: "nowhere".into(), ..loaded.stored.place.clone() };
        let at = nowhere.clone();
        let work = Work::Tell { to: loaded.payment.asked_by.clone(), at, text: "your table is free".into() };
        let new = NewWork { key: IdemKey::show(id, "tell:table"), work, due: now };
        let change = match owed {
            Owed::Message => book::owing(world, &loaded, vec![new], now),
            Owed::Card => Change { cards: vec![nowhere], ..book::owing(world, &loaded, Vec::new(), now) },
        };
        if world.store.commit(Commit { payment: Some(change), ..Commit::new(merchant, now) }).await.unwrap()
            == Committed::Done
        {
            return;
        }
    }
}
