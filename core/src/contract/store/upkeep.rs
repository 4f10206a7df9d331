//! Claims about looking after a store: what waits, what was given up and comes again, what is forgotten.

use super::Both;
use super::shop::{LEASE, Shop, at, change, done, inbox, message, only, opened, place, showing, tell};
use crate::id::PaymentId;
use crate::payment::Status;
use crate::port::store::{
    Change, Claim, Commit, Committed, DeadLetter, Letter, LetterKind, NewWork, Old, Outcome, Park, Queue, Recent,
    Settle, Shown, ShownOutcome, Waiting, Which,
};
use std::collections::BTreeMap;

fn dead(claim: &Claim, why: &str) -> Settle {
    Settle { claim: claim.clone(), outcome: Outcome::Dead { why: why.into() } }
}

async fn all(shop: &Shop) -> Vec<DeadLetter> {
    shop.store.dead(&shop.merchant, Which::All, 99).await.unwrap()
}

async fn revive(shop: &Shop, which: Which, secs: i64) -> u64 {
    shop.store.revive(&shop.merchant, which, at(secs)).await.unwrap()
}

/// What waits of this kind.
async fn waiting(shop: &Shop, kind: LetterKind) -> Waiting {
    let all = shop.store.waiting(&shop.merchant).await.unwrap();
    assert_eq!(all.iter().map(|it| it.kind).collect::<Vec<_>>(), LetterKind::ALL);
    all.into_iter().find(|it| it.kind == kind).expect("every kind is there")
}

/// A payment of which everything was given up: the call at 3, the message at 4, the card at 5; and a delivery at 6.
async fn all_given_up(shop: &mut Shop) -> PaymentId {
    let id = shop.sell(at(0)).await;
    let more = Change { work: vec![tell(id, "hello", at(2))], ..change(id, 1, vec![]) };
    let park = Some(Park { key: inbox("evt_1"), sealed: vec![7], due: at(2) });
    assert_eq!(shop.decide(Commit { park, ..shop.about(at(1), more) }).await, Committed::Done);
    let call = only(shop.work(Queue::Provider, at(2)).await);
    assert_eq!(shop.settle(at(3), dead(&call.claim, "no such call")).await, Committed::Done);
    let said = only(shop.work(Queue::Chat, at(3)).await);
    assert_eq!(shop.settle(at(4), dead(&said.claim, "gone")).await, Committed::Done);
    let card = only(shop.cards(at(4)).await);
    let lost = ShownOutcome::Lost { why: "forbidden".into() };
    assert_eq!(shop.show(at(5), Shown { claim: card.claim, outcome: lost }).await, Committed::Done);
    let parked = only(shop.parked(at(5)).await);
    assert_eq!(shop.settle(at(6), dead(&parked.claim, "its payment is not here")).await, Committed::Done);
    id
}

pub(super) async fn what_was_given_up_is_listed_newest_first_with_its_reason(both: &Both) {
    let mut shop = Shop::new(both);
    assert_eq!(all(&shop).await, []);
    let id = all_given_up(&mut shop).await;
    let code = shop.stored(id).await.code;
    let told: Vec<_> = all(&shop)
        .await
        .into_iter()
        .map(|it| {
            let Letter { kind, payment, key, why, since, tries, .. } = it.letter;
            (kind, payment, key, why, since, tries, it.given_up)
        })
        .collect();
    let ours = Some((id, code));
    let said = tell(id, "hello", at(0)).key.as_str().to_owned();
    let call = crate::order::IdemKey::create(id, 1).as_str().to_owned();
    assert_eq!(
        told,
        [
            (LetterKind::Delivery, None, "evt_1".into(), "its payment is not here".into(), at(1), 1, at(6)),
            (LetterKind::Card, ours, place("c1").to_string(), "forbidden".into(), at(0), 1, at(5)),
            (LetterKind::Message, ours, said, "gone".into(), at(2), 1, at(4)),
            (LetterKind::Call, ours, call, "no such call".into(), at(0), 1, at(3)),
        ]
    );
    let some = shop.store.dead(&shop.merchant, Which::All, 2).await.unwrap();
    assert_eq!(some.iter().map(|it| it.given_up).collect::<Vec<_>>(), [at(6), at(5)], "no more than asked for");
}

pub(super) async fn dead_letters_are_those_of_one_payment_and_of_one_merchant(both: &Both) {
    let (mut ours, mut theirs) = (Shop::of(both, "ours", 1), Shop::of(both, "theirs", 2));
    let (id, _) = (all_given_up(&mut ours).await, all_given_up(&mut theirs).await);
    let other = ours.sell(at(10)).await;
    let dead = async |shop: &Shop, which| shop.store.dead(&shop.merchant, which, 99).await.unwrap().len();
    assert_eq!((dead(&ours, Which::All).await, dead(&theirs, Which::All).await), (4, 4));
    assert_eq!(dead(&ours, Which::Payment(id)).await, 3, "a delivery is of no payment yet");
    assert_eq!((dead(&ours, Which::Payment(other)).await, dead(&theirs, Which::Payment(id)).await), (0, 0));
    assert_eq!((revive(&theirs, Which::Payment(id), 20).await, dead(&ours, Which::All).await), (0, 4));
    assert_eq!((revive(&theirs, Which::All, 20).await, dead(&ours, Which::All).await), (4, 4));
    assert_eq!((revive(&ours, Which::Payment(id), 20).await, dead(&ours, Which::All).await), (3, 1));
}

pub(super) async fn what_is_revived_is_due_at_once_at_its_second_try_and_as_old_as_before(both: &Both) {
    let mut shop = Shop::new(both);
    let id = all_given_up(&mut shop).await;
    assert_eq!((shop.backlog().await.dead, shop.store.next_due().await.unwrap()), (4, None));
    assert_eq!(revive(&shop, Which::All, 50).await, 4);
    assert_eq!((all(&shop).await, shop.store.next_due().await.unwrap()), (vec![], Some(at(50))));
    let backlog = shop.backlog().await;
    assert_eq!((backlog.work, backlog.cards, backlog.parked, backlog.dead), (2, 1, 1, 0));
    let call = only(shop.work(Queue::Provider, at(50)).await);
    assert_eq!((call.payment, call.tries, call.since), (id, 2, at(0)), "no first try: it may have been made");
    let said = only(shop.work(Queue::Chat, at(50)).await);
    assert_eq!((said.tries, said.since), (2, at(1)));
    let (card, parked) = (only(shop.cards(at(50)).await), only(shop.parked(at(50)).await));
    assert_eq!((card.tries, parked.tries, parked.since, parked.sealed.as_slice()), (2, 2, at(1), &[7][..]));
    assert_eq!(shop.settle(at(51), done(&call)).await, Committed::Done);
    assert_eq!(shop.show(at(51), showing(&card, "m1")).await, Committed::Done);
    assert_eq!(shop.store.card_messages(&shop.merchant, id).await.unwrap(), [message("m1")]);
    assert_eq!(revive(&shop, Which::All, 99).await, 0, "what is done or waits is left alone");
    assert_eq!(shop.work(Queue::Provider, at(999)).await.len(), 0);
}

pub(super) async fn many_tries_are_counted_anew_and_an_old_claim_is_worth_nothing(both: &Both) {
    let mut shop = Shop::new(both);
    shop.sell(at(0)).await;
    let first = only(shop.work(Queue::Provider, at(0)).await);
    for n in 1..=6 {
        only(shop.work(Queue::Provider, at(30 * n)).await);
    }
    let last = only(shop.work(Queue::Provider, at(300)).await);
    assert_eq!(last.tries, 8);
    assert_eq!(shop.settle(at(301), dead(&last.claim, "50 times")).await, Committed::Done);
    let letter = only(all(&shop).await).letter;
    assert_eq!(letter.tries, 8);
    assert_eq!(revive(&shop, Which::One { kind: LetterKind::Message, row: letter.row }, 302).await, 0);
    assert_eq!(revive(&shop, Which::One { kind: LetterKind::Call, row: letter.row + 1 }, 302).await, 0);
    assert_eq!(revive(&shop, Which::One { kind: LetterKind::Call, row: letter.row }, 302).await, 1);
    for lost in [&first, &last] {
        assert_eq!(shop.settle(at(303), done(lost)).await, Committed::FenceLost);
    }
    assert_eq!(only(shop.work(Queue::Provider, at(303)).await).tries, 2);
}

pub(super) async fn of_what_waits_the_oldest_is_named_with_what_stood_in_its_way(both: &Both) {
    let mut shop = Shop::new(both);
    for kind in LetterKind::ALL {
        assert_eq!(waiting(&shop, kind).await, Waiting { kind, open: 0, oldest: None, dead: 0 });
    }
    let id = shop.sell(at(0)).await;
    let new = |what, secs| tell(id, what, at(secs));
    let work: Vec<NewWork> = vec![new("later", 90), new("sooner", 20)];
    shop.changed(at(1), Change { work, ..change(id, 1, vec![]) }).await;
    let call = only(shop.work(Queue::Provider, at(2)).await);
    let again = Outcome::Again { due: at(70), why: "503".into() };
    assert_eq!(shop.settle(at(3), Settle { claim: call.claim, outcome: again }).await, Committed::Done);
    let oldest = async |kind| {
        let found = waiting(&shop, kind).await;
        let oldest = found.oldest.expect("something waits");
        (found.open, oldest.key, oldest.since, oldest.why, oldest.tries)
    };
    let (call, code) = (crate::order::IdemKey::create(id, 1).as_str().to_owned(), shop.stored(id).await.code);
    assert_eq!(oldest(LetterKind::Call).await, (1, call, at(0), "503".into(), 1), "owed since it was first due");
    let said = new("sooner", 0).key.as_str().to_owned();
    assert_eq!(oldest(LetterKind::Message).await, (2, said, at(20), String::new(), 0), "due first, not written first");
    let named = waiting(&shop, LetterKind::Message).await.oldest.and_then(|it| it.payment);
    assert_eq!(named, Some((id, code)));
    // What was surely not sent is owed from its new date on.
    let said = only(shop.work(Queue::Chat, at(20)).await);
    let unsent = Outcome::Unsent { due: at(400), why: "it closes by itself".into() };
    assert_eq!(shop.settle(at(21), Settle { claim: said.claim, outcome: unsent }).await, Committed::Done);
    let said = new("later", 0).key.as_str().to_owned();
    assert_eq!(oldest(LetterKind::Message).await, (2, said, at(90), String::new(), 0));
}

pub(super) async fn a_card_is_behind_since_the_first_change_that_it_does_not_show(both: &Both) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    let behind = async || waiting(&shop, LetterKind::Card).await.oldest.map(|it| it.since);
    assert_eq!(behind().await, Some(at(0)));
    let card = only(shop.cards(at(5)).await);
    shop.changed(at(6), change(id, 1, vec![])).await;
    assert_eq!(behind().await, Some(at(0)), "news makes it no younger");
    assert_eq!(shop.show(at(7), showing(&card, "m1")).await, Committed::Done);
    assert_eq!(behind().await, Some(at(7)), "what came while it was drawn");
    let card = only(shop.cards(at(8)).await);
    assert_eq!(shop.show(at(9), showing(&card, "m1")).await, Committed::Done);
    assert_eq!((behind().await, waiting(&shop, LetterKind::Card).await.open), (None, 0));
    shop.changed(at(100), change(id, 2, vec![])).await;
    shop.changed(at(110), change(id, 3, vec![])).await;
    assert_eq!(behind().await, Some(at(100)));
    let card = only(shop.cards(at(110)).await);
    let unsure = ShownOutcome::Unsure { due: at(120), why: "timeout".into() };
    assert_eq!(shop.show(at(111), Shown { claim: card.claim, outcome: unsure }).await, Committed::Done);
    let oldest = waiting(&shop, LetterKind::Card).await.oldest.expect("it is behind still");
    assert_eq!((oldest.since, oldest.why.as_str(), oldest.key), (at(100), "timeout", place("c1").to_string()));
}

pub(super) async fn payments_are_counted_by_status(both: &Both) {
    let (mut ours, mut theirs) = (Shop::of(both, "ours", 1), Shop::of(both, "theirs", 2));
    let counted = async |shop: &Shop| shop.store.statuses(&shop.merchant).await.unwrap();
    assert_eq!(counted(&ours).await, BTreeMap::new());
    let id = ours.sell(at(0)).await;
    ours.sell(at(1)).await;
    theirs.sell(at(1)).await;
    ours.changed(at(2), Change { status: Status::Paid, ..change(id, 1, vec![opened(1)]) }).await;
    assert_eq!(counted(&ours).await, BTreeMap::from([(Status::Paid, 1), (Status::Preparing, 1)]));
    assert_eq!(counted(&theirs).await, BTreeMap::from([(Status::Preparing, 1)]));
}

pub(super) async fn only_what_is_old_is_forgotten_and_no_more_than_asked_for(both: &Both) {
    let mut shop = Shop::new(both);
    let (store, merchant) = (shop.store.clone(), shop.merchant.clone());
    let keep = async |key: &str, expires| store.keep(&merchant, "web", key, b"x", expires).await.unwrap();
    let kept = async |key: &str| store.kept(&merchant, "web", key, at(0)).await.unwrap().is_some();
    let old = |secs| Old { expired: at(secs), asked: at(secs), delivered: at(secs) };
    let forget = async |secs, limit| store.forget(old(secs), limit).await.unwrap();
    for (key, expires) in [("a", Some(10)), ("b", Some(20)), ("c", Some(30)), ("for ever", None)] {
        keep(key, expires.map(at)).await;
    }
    assert_eq!((forget(9, 9).await, kept("a").await), (0, true));
    assert_eq!((forget(20, 1).await, forget(20, 9).await, forget(20, 9).await), (1, 1, 0));
    assert_eq!((kept("a").await, kept("b").await, kept("c").await, kept("for ever").await), (false, false, true, true));

    let (id, asked) = shop.coffee(at(40));
    let wish = || Some(Recent { key: "coffee".into(), since: at(0) });
    assert_eq!(shop.decide(Commit { recent: wish(), ..shop.about(at(40), asked) }).await, Committed::Done);
    let (_, again) = shop.coffee(at(41));
    assert_eq!(forget(40, 9).await, 1, "what expired at 30");
    let told = shop.decide(Commit { recent: wish(), ..shop.about(at(41), again.clone()) }).await;
    assert_eq!(told, Committed::Recent(id, at(40)), "it was not older than that");
    assert_eq!(forget(41, 9).await, 1);
    assert_eq!(shop.decide(Commit { recent: wish(), ..shop.about(at(42), again) }).await, Committed::Done);
}

pub(super) async fn a_delivery_is_forgotten_once_it_is_settled_and_old(both: &Both) {
    let shop = Shop::new(both);
    let park = |key: &str, secs| Commit {
        park: Some(Park { key: inbox(key), sealed: vec![7], due: at(secs) }),
        ..shop.commit(at(secs))
    };
    for (key, secs) in [("judged", 1), ("dead", 2), ("waits", 3)] {
        assert_eq!(shop.decide(park(key, secs)).await, Committed::Done);
    }
    let claims = shop.parked(at(10)).await;
    let of = |key: &str| claims.iter().find(|it| it.key == inbox(key)).expect("claimed").claim.clone();
    let judged = Settle { claim: of("judged"), outcome: Outcome::Done };
    assert_eq!(shop.settle(at(11), judged).await, Committed::Done);
    assert_eq!(shop.settle(at(11), dead(&of("dead"), "unknown")).await, Committed::Done);
    let forget = async |secs| {
        let old = Old { expired: at(0), asked: at(0), delivered: at(secs) };
        shop.store.forget(old, 9).await.unwrap()
    };
    assert_eq!((forget(1).await, forget(2).await), (0, 1), "the judged one");
    assert_eq!((all(&shop).await.len(), forget(999).await, all(&shop).await.len()), (1, 1, 0), "and the dead one");
    assert_eq!((forget(999).await, shop.backlog().await.parked), (0, 1), "what waits is left alone");
    assert_eq!(shop.settle(at(12), dead(&of("judged"), "late")).await, Committed::FenceLost);
    assert_eq!(shop.decide(park("judged", 20)).await, Committed::Done);
    let claimed = only(shop.parked(at(20).after(LEASE)).await);
    assert_eq!(
        (claimed.key, claimed.sealed),
        (inbox("waits"), vec![7]),
        "what was said is gone, and that it was judged stays"
    );
}
