//! Claims about two at once: one wins, the other is told, and nothing is written twice.

use super::Both;
use super::payments::with_code_of;
use super::shop::{LEASE, Shop, at, cancelled, change, day_total, done, expire, inbox, join, only, tell};
use super::transcript::line;
use crate::port::store::{Change, Commit, Committed, Queue, Recent, Total, TotalChange};
use crate::port::transcript::Scope;

/// How often each race is run.
const TIMES: i64 = 10;

/// Commits both at once. One must be done; gives what the other was told.
async fn race(both: &Both, a: Commit, b: Commit) -> Committed {
    match join(both.store.commit(a), both.store.commit(b)).await {
        (Ok(Committed::Done), Ok(told)) | (Ok(told), Ok(Committed::Done)) => told,
        neither => panic!("neither was done: {neither:?}"),
    }
}

pub(super) async fn of_two_decisions_on_one_payment_one_is_done(both: &Both) {
    let mut shop = Shop::new(both);
    for _ in 0..TIMES {
        let id = shop.sell(at(0)).await;
        let [a, b] = ["ana", "ben"].map(|who| {
            let cancel = Change { work: vec![tell(id, who, at(0))], ..change(id, 1, vec![cancelled(who)]) };
            shop.about(at(1), cancel)
        });
        assert_eq!(race(both, a, b).await, Committed::Moved);
        let stored = shop.stored(id).await;
        assert_eq!((stored.version, stored.facts.len(), stored.rev), (2, 3, 2));
        assert_eq!(shop.work(Queue::Chat, at(1)).await.len(), 1);
    }
}

pub(super) async fn of_two_decisions_on_one_total_one_is_done_and_the_sum_is_right(both: &Both) {
    let mut shop = Shop::new(both);
    for n in 1..=TIMES {
        // Two payments: only the total of the day stands between them.
        let (first, second) = (shop.sell(at(0)).await, shop.sell(at(0)).await);
        let total = both.store.total(&shop.merchant, &day_total()).await.unwrap();
        let [a, b] = [first, second].map(|id| Commit {
            totals: vec![TotalChange { key: day_total(), version: total.version, add_minor: 500 }],
            ..shop.about(at(1), change(id, 1, vec![cancelled("ana")]))
        });
        assert_eq!(race(both, a, b).await, Committed::Moved);
        let sum = both.store.total(&shop.merchant, &day_total()).await.unwrap();
        assert_eq!(sum, Total { version: n.unsigned_abs(), minor: 500 * n });
        let versions = (shop.stored(first).await.version, shop.stored(second).await.version);
        assert!(versions == (1, 2) || versions == (2, 1), "{versions:?}");
    }
}

pub(super) async fn of_two_equal_deliveries_one_is_done(both: &Both) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    for n in 0..TIMES {
        let key = format!("evt_{n}");
        let deliver = || Commit { inbox: vec![inbox(&key)], ..shop.commit(at(1)) };
        assert_eq!(race(both, deliver(), deliver()).await, Committed::Duplicate(None));
    }
    let deliver = || Commit { inbox: vec![inbox("evt")], ..shop.about(at(1), change(id, 1, vec![])) };
    assert_eq!(race(both, deliver(), deliver()).await, Committed::Duplicate(Some(id)));
}

pub(super) async fn of_two_equal_wishes_one_is_done(both: &Both) {
    let mut shop = Shop::new(both);
    for n in 0..TIMES {
        let [a, b] = [(); 2].map(|()| {
            let (_, asked) = shop.coffee(at(100 * n));
            let recent = Some(Recent { key: "ana, 25 EUR coffee".into(), since: at(100 * n - 60) });
            Commit { recent, ..shop.about(at(100 * n), asked) }
        });
        let ids = [&a, &b].map(|commit| commit.payment.as_ref().map(|change| change.payment));
        let Committed::Recent(id, when) = race(both, a, b).await else { panic!("not named") };
        assert!(ids.contains(&Some(id)) && when == at(100 * n));
        assert_eq!(shop.stored(id).await.version, 1);
    }
}

pub(super) async fn of_two_payments_with_one_code_one_is_done(both: &Both) {
    let mut shop = Shop::new(both);
    for _ in 0..TIMES {
        let ((_, a), (_, b)) = (shop.coffee(at(0)), shop.coffee(at(0)));
        let b = with_code_of(&a, b);
        assert_eq!(race(both, shop.about(at(0), a), shop.about(at(0), b)).await, Committed::CodeTaken);
    }
}

pub(super) async fn of_two_workers_each_row_has_one(both: &Both) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    let work = (2..=40).map(|n| expire(id, n, at(1))).collect();
    shop.changed(at(0), Change { work, ..change(id, 1, vec![]) }).await;
    let mut rows = Vec::new();
    loop {
        let claim = || both.store.claim_work(Queue::Provider, at(1), LEASE, 7);
        let (a, b) = join(claim(), claim()).await;
        let claimed = [a.unwrap(), b.unwrap()].concat();
        if claimed.is_empty() {
            break;
        }
        rows.extend(claimed.into_iter().map(|it| it.claim.row));
    }
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), 40);
    let (a, b) = join(shop.cards(at(1)), shop.cards(at(1))).await;
    assert_eq!(a.len() + b.len(), 1);
    let due = || both.store.claim_due(at(60), LEASE, 9);
    shop.changed(at(2), Change { check_at: Some(at(60)), ..change(id, 2, vec![]) }).await;
    let (a, b) = join(due(), due()).await;
    assert_eq!(a.unwrap().len() + b.unwrap().len(), 1);
}

pub(super) async fn of_two_who_take_one_gets_it(both: &Both) {
    let shop = Shop::new(both);
    for n in 0..TIMES {
        let key = format!("invite/{n}");
        both.store.keep(&shop.merchant, "web", &key, b"once", Some(at(9))).await.unwrap();
        let take = || both.store.take_kept(&shop.merchant, "web", &key, at(1));
        let (a, b) = join(take(), take()).await;
        let got = [a.unwrap(), b.unwrap()];
        assert_eq!(got.iter().flatten().count(), 1);
    }
    let lease = |holder| both.store.lease("reconciler", holder, at(0), LEASE);
    let (a, b) = join(lease("a"), lease("b")).await;
    assert_eq!([a.unwrap(), b.unwrap()].iter().flatten().count(), 1, "one holder");
}

pub(super) async fn of_two_who_settle_one_claim_one_does(both: &Both) {
    let mut shop = Shop::new(both);
    for _ in 0..TIMES {
        let id = shop.sell(at(0)).await;
        let claim = only(shop.work(Queue::Provider, at(0)).await);
        // Facts on the same version as well: the claim is looked at first, so that nobody decides anew in vain.
        let settle =
            |who| Commit { settle: vec![done(&claim)], ..shop.about(at(1), change(id, 1, vec![cancelled(who)])) };
        assert_eq!(race(both, settle("ana"), settle("ben")).await, Committed::FenceLost);
    }
}

pub(super) async fn of_two_writers_of_one_line_both_get_the_same(both: &Both) {
    let shop = Shop::new(both);
    shop.talk(&["c1"]).await;
    for n in 0..TIMES {
        let key = format!("k{n}");
        let (a, b) = join(shop.say(line("c1", &key, n)), shop.say(line("c1", &key, n))).await;
        assert_eq!(a, b);
        let (a, b) = join(shop.say(line("c1", &format!("a{n}"), n)), shop.say(line("c1", &format!("b{n}"), n))).await;
        assert_ne!(a.seq, b.seq);
    }
    assert_eq!(shop.since(Scope::Desk, 0, 99).await.len(), 30);
}
