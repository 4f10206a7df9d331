//! Claims about merchants: one never sees, counts, settles or blocks what is another's.

use super::Both;
use super::shop::{Shop, account, at, change, checkout, day_total, done, inbox, only, showing};
use super::transcript::line;
use crate::port::store::{
    Change, Commit, Committed, ListFilter, ObjectKind, On, Outcome, Park, Queue, Recent, Settle, Staff, Total,
    TotalChange,
};
use crate::port::transcript::Scope;
use serde_json::json;

/// Ours and theirs, in one store.
fn two(both: &Both) -> (Shop, Shop) {
    (Shop::of(both, "ours", 1), Shop::of(both, "theirs", 2))
}

pub(super) async fn payments_and_what_finds_them_are_one_merchant_s(both: &Both) {
    let (mut ours, mut theirs) = two(both);
    let (id, asked) = ours.coffee(at(0));
    let On::New(new) = asked.on.clone() else { panic!("not new") };
    ours.changed(at(0), Change { objects: vec![checkout("cs_1", Some("https://psp.example/ours"))], ..asked }).await;

    let (store, merchant) = (&both.store, &theirs.merchant);
    let by_object = store.payment_by_object(merchant, &account(), ObjectKind::Checkout, "cs_1").await.unwrap();
    assert_eq!(store.payment(merchant, id).await.unwrap(), None);
    assert_eq!(store.payment_by_code(merchant, new.code).await.unwrap(), None);
    assert_eq!(by_object, None);
    assert_eq!(store.payments(merchant, &ListFilter::default()).await.unwrap(), []);
    assert_eq!(theirs.decide(theirs.about(at(1), change(id, 1, vec![]))).await, Committed::Moved);

    let (their_id, mut same) = theirs.coffee(at(1));
    if let On::New(theirs) = &mut same.on {
        theirs.code = new.code;
    }
    same.objects = vec![checkout("cs_1", Some("https://psp.example/theirs"))];
    theirs.changed(at(1), same).await;
    let by_object = store.payment_by_object(&theirs.merchant, &account(), ObjectKind::Checkout, "cs_1").await.unwrap();
    assert_eq!(by_object, Some(their_id), "the same object name, the same code: two merchants, two payments");
    assert_eq!(store.payment_by_code(&theirs.merchant, new.code).await.unwrap(), Some(their_id));
    assert_eq!(store.payment_by_code(&ours.merchant, new.code).await.unwrap(), Some(id));
    assert_eq!(ours.stored(id).await.checkout_urls, [("cs_1".into(), "https://psp.example/ours".into())]);
    assert_eq!(only(store.payments(&theirs.merchant, &ListFilter::default()).await.unwrap()).id, their_id);
    let opened = store.payment_by_link(new.links[0].0.purpose, &new.links[0].1).await.unwrap();
    assert_eq!(opened, Some((ours.merchant.clone(), id)), "a token says whose it is");
}

pub(super) async fn guards_and_totals_are_one_merchant_s(both: &Both) {
    let (mut ours, mut theirs) = two(both);
    for shop in [&mut ours, &mut theirs] {
        let (_, asked) = shop.coffee(at(0));
        let commit = Commit {
            inbox: vec![inbox("evt_1")],
            recent: Some(Recent { key: "coffee".into(), since: at(0) }),
            totals: vec![TotalChange { key: day_total(), version: 0, add_minor: 5 }],
            park: Some(Park { key: inbox("evt_2"), sealed: shop.merchant.as_str().into(), due: at(0) }),
            ..shop.about(at(1), asked)
        };
        assert_eq!(shop.decide(commit).await, Committed::Done);
    }
    for shop in [&ours, &theirs] {
        let total = both.store.total(&shop.merchant, &day_total()).await.unwrap();
        assert_eq!(total, Total { version: 1, minor: 5 });
    }
    let parked = ours.parked(at(1)).await;
    assert!(parked.iter().all(|it| it.sealed == it.merchant.as_str().as_bytes()));
    assert_eq!(parked.len(), 2, "a worker serves all merchants");
}

pub(super) async fn a_claim_is_worth_nothing_to_another_merchant(both: &Both) {
    let (mut ours, theirs) = two(both);
    let id = ours.sell(at(0)).await;
    let (work, card) = (only(ours.work(Queue::Provider, at(0)).await), only(ours.cards(at(0)).await));
    assert_eq!(theirs.settle(at(1), done(&work)).await, Committed::FenceLost);
    assert_eq!(theirs.show(at(1), showing(&card, "m1")).await, Committed::FenceLost);
    assert_eq!(ours.stored(id).await.rev, 1, "they raise nothing of ours");
    let again = Settle { claim: work.claim, outcome: Outcome::Done };
    assert_eq!(ours.settle(at(2), again).await, Committed::Done);
    assert_eq!(ours.show(at(2), showing(&card, "m1")).await, Committed::Done);
}

pub(super) async fn kept_values_and_staff_are_one_merchant_s(both: &Both) {
    let (ours, theirs) = two(both);
    let (store, us, them) = (&both.store, &ours.merchant, &theirs.merchant);
    store.keep(us, "web", "cursor", b"ours", None).await.unwrap();
    assert_eq!(store.kept(them, "web", "cursor", at(0)).await.unwrap(), None);
    assert_eq!(store.take_kept(them, "web", "cursor", at(0)).await.unwrap(), None);
    store.keep(them, "web", "cursor", b"theirs", None).await.unwrap();
    assert_eq!(store.kept(us, "web", "cursor", at(0)).await.unwrap(), Some(b"ours".to_vec()));
    let ana = Staff { id: "ana".into(), name: "Ana".into(), since: at(0) };
    store.add_staff(us, &ana).await.unwrap();
    assert_eq!(store.staff(them).await.unwrap(), []);
    store.add_staff(them, &Staff { name: "Anna".into(), ..ana.clone() }).await.unwrap();
    assert_eq!(store.staff(us).await.unwrap(), [ana]);
}

pub(super) async fn conversations_are_one_merchant_s(both: &Both) {
    let (ours, theirs) = two(both);
    let transcript = &both.transcript;
    ours.talk(&["c1"]).await;
    let said = ours.say(line("c1", "k1", 1)).await;
    assert_eq!(transcript.conversation(&theirs.merchant, "c1").await.unwrap(), None);
    assert_eq!(transcript.conversations(&theirs.merchant, 9).await.unwrap(), []);
    assert_eq!(transcript.append(&theirs.merchant, line("c1", "k1", 1)).await.unwrap(), None);
    assert_eq!(transcript.replace(&theirs.merchant, said.id, &json!("x"), at(2)).await.unwrap(), None);
    theirs.talk(&["c1"]).await;
    for scope in [Scope::Desk, Scope::Customer("c1")] {
        assert_eq!(theirs.since(scope, 0, 9).await, []);
    }
    theirs.say(line("c1", "k1", 2)).await;
    assert_eq!(ours.since(Scope::Desk, 0, 9).await, [said]);
}
