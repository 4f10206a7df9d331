//! Claims about cards: each shows the newest revision in the end, with one edit in flight at a time.

use super::Both;
use super::shop::{Shop, at, change, inbox, message, only, opened, place, showing};
use crate::id::PaymentId;
use crate::port::store::{CardClaim, Change, Commit, Committed, Shown, ShownOutcome, Shows};

async fn sold(both: &Both) -> (Shop, PaymentId, CardClaim) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    let card = only(shop.cards(at(0)).await);
    (shop, id, card)
}

fn shown(card: &CardClaim, outcome: ShownOutcome) -> Shown {
    Shown { claim: card.claim.clone(), outcome }
}

pub(super) async fn a_card_wants_to_show_every_change_and_many_changes_once(both: &Both) {
    let (shop, id, card) = sold(both).await;
    assert_eq!((&card.merchant, card.payment, &card.place), (&shop.merchant, id, &place("c1")));
    assert_eq!((card.message.as_ref(), card.desired_rev, card.tries), (None, 1, 1));
    assert_eq!(shop.show(at(1), showing(&card, "m1")).await, Committed::Done);
    assert_eq!(shop.cards(at(2)).await.len(), 0, "it shows all there is");
    for version in 1..=5 {
        shop.changed(at(3), change(id, version, vec![])).await;
    }
    let card = only(shop.cards(at(3)).await);
    assert_eq!((card.message.clone(), card.desired_rev, card.tries), (Some(message("m1")), 6, 1));
    assert_eq!(shop.stored(id).await.rev, 6);
    assert_eq!(shop.show(at(4), showing(&card, "m1")).await, Committed::Done);
    assert_eq!((shop.cards(at(99)).await.len(), shop.backlog().await.cards), (0, 0), "five changes are one edit");
}

pub(super) async fn a_change_that_shows_nowhere_moves_the_version_and_no_card(both: &Both) {
    let (shop, id, card) = sold(both).await;
    assert_eq!(shop.show(at(1), showing(&card, "m1")).await, Committed::Done);
    shop.changed(at(2), Change { shows: Shows::Nowhere, ..change(id, 1, vec![]) }).await;
    assert_eq!((shop.stored(id).await.version, shop.stored(id).await.rev), (2, 1));
    assert_eq!((shop.cards(at(3)).await.len(), shop.backlog().await.cards), (0, 0));
}

pub(super) async fn a_card_is_claimed_by_one_until_its_lease_ends(both: &Both) {
    let (shop, id, first) = sold(both).await;
    shop.changed(at(1), change(id, 1, vec![])).await;
    assert_eq!(shop.cards(at(29)).await.len(), 0, "a change does not break a claim");
    let second = only(shop.cards(at(30)).await);
    assert!(second.claim.fence > first.claim.fence);
    assert_eq!((second.desired_rev, second.tries), (2, 2));
    assert_eq!(shop.show(at(31), showing(&second, "m1")).await, Committed::Done);
    assert_eq!(shop.show(at(31), showing(&second, "m1")).await, Committed::FenceLost, "a claim is for one outcome");
}

pub(super) async fn a_change_while_the_card_is_drawn_is_drawn_next(both: &Both) {
    let (shop, id, card) = sold(both).await;
    shop.changed(at(1), change(id, 1, vec![])).await;
    assert_eq!(shop.show(at(2), showing(&card, "m1")).await, Committed::Done);
    let next = only(shop.cards(at(2)).await);
    assert_eq!((next.desired_rev, next.message), (2, Some(message("m1"))), "at once, not when the lease would end");
}

pub(super) async fn a_card_with_nothing_to_show_waits_for_the_next_change(both: &Both) {
    let (shop, id, card) = sold(both).await;
    let not_yet = ShownOutcome::NotYet { rev: card.desired_rev };
    assert_eq!(shop.show(at(1), shown(&card, not_yet)).await, Committed::Done);
    assert_eq!((shop.cards(at(999)).await.len(), shop.backlog().await.cards), (0, 0));
    shop.changed(at(1_000), change(id, 1, vec![])).await;
    let card = only(shop.cards(at(1_000)).await);
    assert_eq!((card.message, card.desired_rev, card.tries), (None, 2, 1));
}

pub(super) async fn a_card_that_failed_comes_again_when_it_says_so(both: &Both) {
    let (shop, id, card) = sold(both).await;
    let again = ShownOutcome::Again { due: at(50), why: "429".into() };
    assert_eq!(shop.show(at(1), shown(&card, again)).await, Committed::Done);
    shop.changed(at(2), change(id, 1, vec![])).await;
    assert_eq!(shop.cards(at(49)).await.len(), 0, "news does not shorten the wait");
    let card = only(shop.cards(at(50)).await);
    assert_eq!((card.desired_rev, card.tries), (2, 2));
}

pub(super) async fn an_unsure_card_is_drawn_once_more(both: &Both) {
    let (shop, id, card) = sold(both).await;
    assert_eq!(shop.show(at(1), showing(&card, "m1")).await, Committed::Done);
    shop.changed(at(2), change(id, 1, vec![])).await;
    let card = only(shop.cards(at(2)).await);
    let unsure = ShownOutcome::Unsure { due: at(5), why: "timeout".into() };
    assert_eq!(shop.show(at(3), shown(&card, unsure)).await, Committed::Done);
    assert_eq!((shop.stored(id).await.rev, shop.stored(id).await.version), (3, 2), "no change of the payment");
    assert_eq!(shop.cards(at(4)).await.len(), 0);
    let card = only(shop.cards(at(5)).await);
    assert_eq!((card.desired_rev, card.tries), (3, 2));
    assert_eq!(shop.show(at(6), showing(&card, "m1")).await, Committed::Done);
    assert_eq!(shop.cards(at(99)).await.len(), 0);
}

pub(super) async fn a_lost_claim_of_a_card_asks_for_one_more_edit_and_writes_nothing_else(both: &Both) {
    let (shop, id, lost) = sold(both).await;
    let held = only(shop.cards(at(30)).await);
    assert_eq!(shop.show(at(31), showing(&held, "m2")).await, Committed::Done);
    let late = Commit {
        shown: Some(showing(&lost, "m1")),
        inbox: vec![inbox("evt_1")],
        ..shop.about(at(32), change(id, 1, vec![opened(1)]))
    };
    assert_eq!(shop.decide(late.clone()).await, Committed::FenceLost);
    let stored = shop.stored(id).await;
    assert_eq!((stored.version, stored.facts.len(), stored.rev), (1, 2, 2));
    // The edit of the one who lost may have come last: so one more comes after it.
    let more = only(shop.cards(at(32)).await);
    assert_eq!((more.desired_rev, more.message.clone()), (2, Some(message("m2"))));
    assert_eq!(shop.decide(Commit { shown: Some(showing(&more, "m2")), ..late }).await, Committed::Done);
    assert_eq!(shop.stored(id).await.version, 2);
}

pub(super) async fn a_successor_takes_the_card_s_place(both: &Both) {
    let (shop, id, card) = sold(both).await;
    assert_eq!(shop.show(at(1), showing(&card, "m1")).await, Committed::Done);
    shop.changed(at(2), change(id, 1, vec![])).await;
    let card = only(shop.cards(at(2)).await);
    let succeeded = ShownOutcome::Succeeded { rev: card.desired_rev, message: message("m2") };
    assert_eq!(shop.show(at(3), shown(&card, succeeded)).await, Committed::Done);
    assert_eq!(shop.cards(at(99)).await.len(), 0);
    shop.changed(at(100), change(id, 2, vec![])).await;
    let card = only(shop.cards(at(100)).await);
    assert_eq!((card.message, card.tries), (Some(message("m2")), 1));
}

pub(super) async fn the_messages_of_a_payment_are_those_that_show_it_now(both: &Both) {
    let (shop, id, card) = sold(both).await;
    let other = crate::id::MerchantId::new("other");
    let messages = async |merchant| shop.store.card_messages(merchant, id).await.unwrap();
    assert_eq!(messages(&shop.merchant).await, [], "it is not posted yet");
    assert_eq!(shop.show(at(1), showing(&card, "m1")).await, Committed::Done);
    assert_eq!(messages(&shop.merchant).await, [message("m1")]);
    assert_eq!(messages(&other).await, [], "nobody else's");
    shop.changed(at(2), change(id, 1, vec![])).await;
    let card = only(shop.cards(at(2)).await);
    let succeeded = ShownOutcome::Succeeded { rev: card.desired_rev, message: message("m2") };
    assert_eq!(shop.show(at(3), shown(&card, succeeded)).await, Committed::Done);
    assert_eq!(messages(&shop.merchant).await, [message("m2")]);
}

pub(super) async fn a_lost_card_never_comes_again(both: &Both) {
    let (shop, id, card) = sold(both).await;
    let lost = ShownOutcome::Lost { why: "channel is gone".into() };
    assert_eq!(shop.show(at(1), shown(&card, lost)).await, Committed::Done);
    shop.changed(at(2), Change { cards: vec![place("c1")], ..change(id, 1, vec![]) }).await;
    assert_eq!(shop.cards(at(999)).await.len(), 0);
    let backlog = shop.backlog().await;
    assert_eq!((backlog.cards, backlog.dead), (0, 1));
}

pub(super) async fn a_place_shows_one_card_of_a_payment(both: &Both) {
    let (shop, id, card) = sold(both).await;
    assert_eq!(shop.show(at(1), showing(&card, "m1")).await, Committed::Done);
    let thread = crate::place::Place { thread: Some("t1".into()), ..place("c1") };
    let cards = vec![place("c1"), place("c2"), place("c2"), thread.clone()];
    shop.changed(at(2), Change { cards, ..change(id, 1, vec![]) }).await;
    let cards = shop.cards(at(2)).await;
    let stand: Vec<_> = cards.iter().map(|card| (card.place.clone(), card.message.clone(), card.desired_rev)).collect();
    assert_eq!(stand, [(place("c1"), Some(message("m1")), 2), (place("c2"), None, 2), (thread, None, 2)]);
    let none = shop.store.claim_cards(at(99), super::shop::LEASE, 2).await.unwrap();
    assert_eq!(none.len(), 2, "no more than asked for");
}
