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
use till_core::port::store::{Commit, Committed, NewWork, Work};

/// Owes a message about a payment to a conversation that is not there.
async fn owe_to_nowhere(shop: &Shop, code: &str) {
    let (world, merchant, now) = (&*shop.world, &shop.world.merchant.id, shop.now());
    let id = world.store.payment_by_code(merchant, code.parse().unwrap()).await.unwrap().unwrap();
    loop {
        let loaded = book::load(world, merchant, id).await.unwrap().unwrap();
        assert_ne!(loaded.payment.status(), Status::Preparing);
        let at = Place { channel: "nowhere".into(), ..loaded.stored.place.clone() };
        let work = Work::Tell { to: loaded.payment.asked_by.clone(), at, text: "your table is free".into() };
        let new = NewWork { key: IdemKey::show(id, "tell:table"), work, due: now };
        let change = book::owing(world, &loaded, vec![new], now);
        if world.store.commit(Commit { payment: Some(change), ..Commit::new(merchant, now) }).await.unwrap()
            == Committed::Done
        {
            return;
        }
    }
}
