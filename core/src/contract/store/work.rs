//! Claims about work that is owed: claimed by one, fenced, settled once.

use super::Both;
use super::shop::{LEASE, Shop, at, cancelled, change, checkout, day_total, done, eur, expire, inbox, only, tell};
use crate::id::{CaptureId, PaymentId, RefundId};
use crate::order::RefundOrder;
use crate::payment::{Owed, Status};
use crate::port::store::{
    Backlog, Change, Claim, Claimed, Commit, Committed, NewWork, Outcome, Park, Queue, Settle, TotalChange, Work,
    WorkClaim,
};

fn with_work(id: PaymentId, version: u64, work: Vec<NewWork>) -> Change {
    Change { work, ..change(id, version, vec![]) }
}

fn again(work: &WorkClaim, secs: i64) -> Settle {
    Settle { claim: work.claim.clone(), outcome: Outcome::Again { due: at(secs), why: "503".into() } }
}

fn dead(claim: &Claim) -> Settle {
    Settle { claim: claim.clone(), outcome: Outcome::Dead { why: "404".into() } }
}

fn park(key: &str, sealed: &[u8], secs: i64) -> Option<Park> {
    Some(Park { key: inbox(key), sealed: sealed.into(), due: at(secs) })
}

/// A shop whose first checkout is created, so that nothing is owed to the provider.
async fn quiet(both: &Both) -> (Shop, PaymentId) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    let created = only(shop.work(Queue::Provider, at(0)).await);
    assert_eq!(shop.settle(at(0), done(&created)).await, Committed::Done);
    (shop, id)
}

pub(super) async fn work_of_every_kind_comes_back_as_it_was_written(both: &Both) {
    let mut shop = Shop::new(both);
    let (id, mut asked) = shop.coffee(at(0));
    let refund: RefundId = id.to_string().replace("pay_", "ref_").parse().unwrap();
    let order = RefundOrder { payment: id, refund, capture: CaptureId::new("ca_1"), amount: eur(100) };
    let owed = [Owed::Refund(order), Owed::Ping(Status::PartiallyRefunded)];
    asked.work.extend(owed.map(|owed| NewWork { key: owed.key(id), work: Work::Owed(owed), due: at(1) }));
    asked.work.extend([expire(id, 1, at(2)), tell(id, "<b>☕ 'no'\n", at(2))]);
    let wanted = asked.work.clone();
    shop.changed(at(0), asked).await;
    let mut claimed = shop.work(Queue::Provider, at(9)).await;
    claimed.extend(shop.work(Queue::Chat, at(9)).await);
    assert!(claimed.iter().all(|it| (&it.merchant, it.payment, it.since, it.tries) == (&shop.merchant, id, at(0), 1)));
    for new in &wanted {
        let found = claimed.iter().find(|it| it.key == new.key);
        assert_eq!(found.map(|it| &it.work), Some(&new.work));
    }
    assert_eq!(claimed.len(), wanted.len());
}

pub(super) async fn a_work_key_is_one_row_for_ever(both: &Both) {
    let (shop, id) = quiet(both).await;
    let other = NewWork { work: tell(id, "two", at(0)).work, ..tell(id, "one", at(0)) };
    shop.changed(at(1), with_work(id, 1, vec![tell(id, "one", at(1)), other.clone()])).await;
    shop.changed(at(2), with_work(id, 2, vec![other.clone()])).await;
    let claimed = only(shop.work(Queue::Chat, at(3)).await);
    assert_eq!((&claimed.work, claimed.since), (&tell(id, "one", at(1)).work, at(1)));
    assert_eq!(shop.settle(at(4), done(&claimed)).await, Committed::Done);
    shop.changed(at(5), with_work(id, 3, vec![other])).await;
    assert_eq!(shop.work(Queue::Chat, at(99)).await.len(), 0, "done is done");
}

pub(super) async fn work_comes_when_due_earliest_first_and_no_more_than_asked_for(both: &Both) {
    let (shop, id) = quiet(both).await;
    let names = ["d", "b", "a", "c"];
    let work = names.into_iter().zip([45, 20, 10, 20]).map(|(name, due)| tell(id, name, at(due))).collect();
    shop.changed(at(1), with_work(id, 1, work)).await;
    let keys = async |secs, limit| {
        let claimed = shop.store.claim_work(Queue::Chat, at(secs), LEASE, limit).await.unwrap();
        claimed.into_iter().map(|it| it.key).collect::<Vec<_>>()
    };
    let key = |name| tell(id, name, at(0)).key;
    assert_eq!(keys(9, 9).await, []);
    assert_eq!(keys(10, 9).await, [key("a")]);
    assert_eq!(keys(20, 1).await, [key("b")], "of two that are due at once, the older row");
    assert_eq!(keys(39, 9).await, [key("c")]);
    assert_eq!(keys(99, 9).await, [key("a"), key("d"), key("b"), key("c")], "leases end when they end");
    assert_eq!(shop.work(Queue::Provider, at(99)).await.len(), 0, "queues do not mix");
}

pub(super) async fn a_claim_is_exclusive_until_its_lease_ends(both: &Both) {
    let mut shop = Shop::new(both);
    shop.sell(at(0)).await;
    let first = only(shop.work(Queue::Provider, at(0)).await);
    assert_eq!(shop.work(Queue::Provider, at(0)).await.len(), 0);
    assert_eq!(shop.work(Queue::Provider, at(29)).await.len(), 0);
    let second = only(shop.work(Queue::Provider, at(30)).await);
    assert_eq!((first.tries, second.tries), (1, 2));
    assert!(second.claim.fence > first.claim.fence && second.claim.row == first.claim.row);
    assert_eq!(shop.settle(at(31), done(&first)).await, Committed::FenceLost);
    assert_eq!(shop.settle(at(90), done(&second)).await, Committed::Done, "late, and nobody else took it");
}

pub(super) async fn a_lost_claim_settles_nothing(both: &Both) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    let lost = only(shop.work(Queue::Provider, at(0)).await);
    let held = only(shop.work(Queue::Provider, at(30)).await);
    let before = shop.visible().await;
    let created = |version, settle| Commit {
        settle,
        inbox: vec![inbox("evt_1")],
        totals: vec![TotalChange { key: day_total(), version: 0, add_minor: 5 }],
        ..shop.about(
            at(31),
            Change {
                objects: vec![checkout("cs_1", Some("https://psp.example"))],
                ..change(id, version, vec![cancelled("ana")])
            },
        )
    };
    assert_eq!(shop.decide(created(1, vec![done(&lost)])).await, Committed::FenceLost);
    assert_eq!(shop.decide(created(1, vec![done(&held), done(&lost)])).await, Committed::FenceLost, "all or nothing");
    assert_eq!(shop.visible().await, before);
    assert_eq!(shop.decide(created(1, vec![done(&held)])).await, Committed::Done);
    assert_eq!(shop.backlog().await.work, 0);
}

pub(super) async fn what_is_settled_cannot_be_settled_again(both: &Both) {
    let mut shop = Shop::new(both);
    shop.sell(at(0)).await;
    let first = only(shop.work(Queue::Provider, at(0)).await);
    assert_eq!(shop.settle(at(1), again(&first, 5)).await, Committed::Done);
    assert_eq!(shop.settle(at(1), done(&first)).await, Committed::FenceLost, "a claim is for one outcome");
    let second = only(shop.work(Queue::Provider, at(5)).await);
    assert_eq!(shop.settle(at(6), done(&second)).await, Committed::Done);
    assert_eq!(shop.settle(at(7), done(&second)).await, Committed::FenceLost);
    assert_eq!(shop.work(Queue::Provider, at(999)).await.len(), 0);
    shop.sell(at(10)).await;
    let third = only(shop.work(Queue::Provider, at(10)).await);
    let twice = Commit { settle: vec![dead(&third.claim), again(&third, 20)], ..shop.commit(at(11)) };
    assert_eq!(shop.decide(twice).await, Committed::Done);
    assert_eq!(
        (shop.work(Queue::Provider, at(999)).await.len(), shop.backlog().await.dead),
        (0, 1),
        "the first counts"
    );
}

pub(super) async fn work_comes_again_when_it_says_so_and_never_once_it_is_given_up(both: &Both) {
    let mut shop = Shop::new(both);
    shop.sell(at(0)).await;
    let first = only(shop.work(Queue::Provider, at(0)).await);
    assert_eq!(shop.settle(at(1), again(&first, 5)).await, Committed::Done);
    assert_eq!(shop.work(Queue::Provider, at(4)).await.len(), 0);
    let second = only(shop.work(Queue::Provider, at(5)).await);
    assert_eq!((second.tries, second.since), (2, at(0)));
    let unsent = Outcome::Unsent { due: at(6), why: "nobody to ask".into() };
    assert_eq!(shop.settle(at(5), Settle { claim: second.claim.clone(), outcome: unsent }).await, Committed::Done);
    let second = only(shop.work(Queue::Provider, at(6)).await);
    assert_eq!(second.tries, 2, "what was not sent was no try");
    assert_eq!(shop.settle(at(6), dead(&second.claim)).await, Committed::Done);
    assert_eq!(shop.work(Queue::Provider, at(9_999)).await.len(), 0);
    assert_eq!(shop.settle(at(7), done(&second)).await, Committed::FenceLost);
}

pub(super) async fn a_delivery_is_parked_once_claimed_and_settled(both: &Both) {
    let shop = Shop::new(both);
    let keep = |key, sealed: &[u8], due| Commit { park: park(key, sealed, due), ..shop.commit(at(1)) };
    assert_eq!(shop.decide(keep("evt_1", &[0, 255, 39], 5)).await, Committed::Done);
    assert_eq!(shop.decide(keep("evt_1", &[9], 2)).await, Committed::Done, "a repeat changes nothing");
    assert_eq!(shop.decide(keep("evt_2", &[], 3)).await, Committed::Done);
    assert_eq!(shop.parked(at(2)).await.len(), 0);
    let both_of_them = shop.parked(at(5)).await;
    let seen: Vec<_> = both_of_them.iter().map(|it| (it.key.clone(), it.sealed.clone(), it.since, it.tries)).collect();
    assert_eq!(seen, [(inbox("evt_2"), vec![], at(1), 1), (inbox("evt_1"), vec![0, 255, 39], at(1), 1)]);
    assert!(both_of_them.iter().all(|it| it.merchant == shop.merchant));
    let outcome = Outcome::Again { due: at(50), why: "unknown".into() };
    let [second, first] = both_of_them.try_into().expect("two");
    assert_eq!(shop.settle(at(6), Settle { claim: first.claim.clone(), outcome }).await, Committed::Done);
    assert_eq!(shop.settle(at(6), dead(&second.claim)).await, Committed::Done);
    let first = only(shop.parked(at(50)).await);
    assert_eq!((first.sealed.as_slice(), first.tries), (&[0, 255, 39][..], 2));
    let judged = Settle { claim: first.claim, outcome: Outcome::Done };
    assert_eq!(shop.settle(at(51), judged).await, Committed::Done);
    assert_eq!(shop.decide(keep("evt_1", &[1], 2)).await, Committed::Done);
    assert_eq!(shop.parked(at(9_999)).await.len(), 0, "what was judged is not parked again");
}

pub(super) async fn a_claim_of_one_table_is_worth_nothing_in_another(both: &Both) {
    let mut shop = Shop::new(both);
    shop.sell(at(0)).await;
    assert_eq!(shop.decide(Commit { park: park("evt_1", &[1], 0), ..shop.commit(at(0)) }).await, Committed::Done);
    let work = only(shop.work(Queue::Provider, at(0)).await).claim;
    for table in [Claimed::Parked, Claimed::Card] {
        let wrong = Claim { table, ..work.clone() };
        assert_eq!(shop.settle(at(1), dead(&wrong)).await, Committed::FenceLost, "{table:?}");
    }
    let card = only(shop.cards(at(0)).await).claim;
    assert_eq!(shop.settle(at(1), dead(&card)).await, Committed::FenceLost, "a card is shown, not settled");
    for row in [0, -1, 99, i64::MAX, i64::MIN] {
        assert_eq!(shop.settle(at(1), dead(&Claim { row, ..work.clone() })).await, Committed::FenceLost, "row {row}");
    }
    assert_eq!(shop.settle(at(1), dead(&work)).await, Committed::Done);
}

pub(super) async fn the_backlog_counts_what_is_open_and_what_was_given_up(both: &Both) {
    let mut shop = Shop::new(both);
    assert_eq!(shop.backlog().await, Backlog::default());
    let id = shop.sell(at(0)).await;
    shop.changed(at(1), with_work(id, 1, vec![tell(id, "one", at(500))])).await;
    assert_eq!(shop.decide(Commit { park: park("evt_1", &[1], 0), ..shop.commit(at(0)) }).await, Committed::Done);
    assert_eq!(shop.backlog().await, Backlog { work: 2, cards: 1, parked: 1, dead: 0 });
    let (work, parked) = (only(shop.work(Queue::Provider, at(2)).await), only(shop.parked(at(2)).await));
    assert_eq!(shop.backlog().await, Backlog { work: 2, cards: 1, parked: 1, dead: 0 }, "claimed is not done");
    assert_eq!(shop.settle(at(3), done(&work)).await, Committed::Done);
    assert_eq!(shop.settle(at(3), dead(&parked.claim)).await, Committed::Done);
    assert_eq!(shop.backlog().await, Backlog { work: 1, cards: 1, parked: 0, dead: 1 });
}

pub(super) async fn the_next_moment_is_the_earliest_of_all(both: &Both) {
    let mut shop = Shop::new(both);
    let next = async || both.store.next_due().await.unwrap();
    assert_eq!(next().await, None);
    let (id, asked) = shop.coffee(at(0));
    shop.changed(at(0), Change { work: vec![], cards: vec![], ..asked }).await;
    assert_eq!(next().await, Some(at(60)), "the check");
    assert_eq!(shop.decide(Commit { park: park("evt_1", &[1], 50), ..shop.commit(at(0)) }).await, Committed::Done);
    assert_eq!(next().await, Some(at(50)), "the parked delivery");
    let more = with_work(id, 1, vec![tell(id, "one", at(40)), expire(id, 1, at(30))]);
    shop.changed(at(0), Change { check_at: Some(at(60)), ..more }).await;
    assert_eq!(next().await, Some(at(30)), "the provider's work");
    let held = only(shop.work(Queue::Provider, at(30)).await);
    assert_eq!(next().await, Some(at(40)), "the chat's work; a claim waits for the end of its lease");
    assert_eq!(shop.settle(at(30), dead(&held.claim)).await, Committed::Done);
    let told = only(shop.work(Queue::Chat, at(40)).await);
    assert_eq!(shop.settle(at(40), done(&told)).await, Committed::Done);
    assert_eq!(next().await, Some(at(50)), "done and given up wait for nothing");
    let with_card = Change { cards: vec![super::shop::place("c1")], check_at: Some(at(60)), ..change(id, 2, vec![]) };
    shop.changed(at(20), with_card).await;
    assert_eq!(next().await, Some(at(20)), "the card");
    let card = only(shop.cards(at(20)).await);
    assert_eq!(shop.show(at(21), super::shop::showing(&card, "m1")).await, Committed::Done);
    let parked = only(shop.parked(at(50)).await);
    assert_eq!(shop.settle(at(50), dead(&parked.claim)).await, Committed::Done);
    assert_eq!(next().await, Some(at(60)));
    shop.changed(at(60), change(id, 3, vec![])).await;
    let card = only(shop.cards(at(60)).await);
    assert_eq!(shop.show(at(60), super::shop::showing(&card, "m1")).await, Committed::Done);
    assert_eq!(next().await, None);
}
