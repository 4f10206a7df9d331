//! Claims about what keeps a thing from being done twice: deliveries, moments, day totals.

use super::Both;
use super::shop::{Shop, at, change, day_total, inbox, opened};
use crate::port::store::{Commit, Committed, InboxKey, Recent, Total, TotalChange, TotalKey};

pub(super) async fn a_second_delivery_names_the_payment(both: &Both) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    let deliver =
        |version, key: InboxKey| Commit { inbox: vec![key], ..shop.about(at(1), change(id, version, vec![opened(1)])) };
    assert_eq!(shop.decide(deliver(1, inbox("evt_1"))).await, Committed::Done);
    assert_eq!(shop.decide(deliver(2, inbox("evt_1"))).await, Committed::Duplicate(Some(id)));
    assert_eq!(shop.decide(deliver(1, inbox("evt_1"))).await, Committed::Duplicate(Some(id)), "before its version");
    let known = async |keys: &[InboxKey]| both.store.answered(&shop.merchant, keys).await.unwrap();
    assert_eq!(known(&[inbox("evt_9"), inbox("evt_1")]).await, Some(id));
    assert_eq!(known(&[inbox("evt_9")]).await, None);
    assert_eq!(shop.stored(id).await.version, 2);
    let elsewhere = InboxKey { source: "sandbox/acct_2".into(), key: "evt_1".into() };
    assert_eq!(shop.decide(deliver(2, elsewhere)).await, Committed::Done, "another source has keys of its own");
    let twice = Commit { inbox: vec![inbox("evt_2"), inbox("evt_2")], ..shop.commit(at(2)) };
    assert_eq!(shop.decide(twice).await, Committed::Done, "a key named twice is one key");
}

pub(super) async fn a_delivery_about_no_payment_is_remembered_too(both: &Both) {
    let shop = Shop::new(both);
    let deliver = || Commit { inbox: vec![inbox("evt_1")], ..shop.commit(at(1)) };
    assert_eq!(shop.decide(deliver()).await, Committed::Done);
    assert_eq!(shop.decide(deliver()).await, Committed::Duplicate(None));
}

pub(super) async fn the_same_a_moment_ago_names_the_payment_until_the_moment_has_passed(both: &Both) {
    let mut shop = Shop::new(both);
    let mut ask = |now, since| {
        let (id, asked) = shop.coffee(at(now));
        let recent = Some(Recent { key: "ana, 25 EUR coffee".into(), since: at(since) });
        (id, Commit { recent, ..shop.about(at(now), asked) })
    };
    let (first, second) = (ask(100, 40), ask(120, 60));
    let (third, fourth) = (ask(160, 100), ask(161, 101));
    let fifth = ask(200, 160);
    assert_eq!(both.store.commit(first.1).await.unwrap(), Committed::Done);
    assert_eq!(both.store.commit(second.1).await.unwrap(), Committed::Recent(first.0, at(100)));
    assert_eq!(both.store.commit(third.1).await.unwrap(), Committed::Recent(first.0, at(100)), "at the very moment");
    assert_eq!(both.store.commit(fourth.1).await.unwrap(), Committed::Done, "the moment has passed");
    assert_eq!(both.store.commit(fifth.1).await.unwrap(), Committed::Recent(fourth.0, at(161)), "the newest counts");
    let (other, asked) = shop.coffee(at(201));
    let recent = Some(Recent { key: "ben, 25 EUR coffee".into(), since: at(0) });
    assert_eq!(shop.decide(Commit { recent, ..shop.about(at(201), asked) }).await, Committed::Done);
    assert_eq!(shop.stored(other).await.version, 1);
}

pub(super) async fn a_total_is_a_sum_and_its_version_moves(both: &Both) {
    let shop = Shop::new(both);
    let total = async |key: &TotalKey| shop.store.total(&shop.merchant, key).await.unwrap();
    let add = |version, add_minor| Commit {
        totals: vec![TotalChange { key: day_total(), version, add_minor }],
        ..shop.commit(at(1))
    };
    assert_eq!(total(&day_total()).await, Total { version: 0, minor: 0 });
    assert_eq!(shop.decide(add(1, 9)).await, Committed::Moved);
    assert_eq!(shop.decide(add(0, 500)).await, Committed::Done);
    assert_eq!(shop.decide(add(0, 500)).await, Committed::Moved);
    assert_eq!(shop.decide(add(1, 250)).await, Committed::Done);
    assert_eq!(shop.decide(add(2, -100)).await, Committed::Done);
    assert_eq!(total(&day_total()).await, Total { version: 3, minor: 650 });
    assert_eq!(total(&TotalKey("refund/2026-11-23/EUR/web:ana".into())).await, Total::default());
}
