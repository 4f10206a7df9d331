//! Claims about payments: what is written comes back, and what is refused leaves no trace.

use super::Both;
use super::shop::{
    LEASE, Shop, account, at, cancelled, change, checkout, day_total, done, eur, inbox, only, opened, place, tell,
};
use crate::id::{AccountId, Code, PaymentId};
use crate::link::Purpose;
use crate::payment::{Fact, Status};
use crate::port::store::{
    Change, Commit, Committed, Concerns, ListFilter, NewPayment, Object, ObjectKind, On, Park, Queue, Recent, Stored,
    TotalChange,
};

fn new_of(change: &Change) -> NewPayment {
    match &change.on {
        On::New(new) => (**new).clone(),
        On::Version(_) => panic!("not a new payment"),
    }
}

pub(super) async fn a_new_payment_comes_back_whole(both: &Both) {
    let mut shop = Shop::new(both);
    let (id, mut asked) = shop.coffee(at(0));
    asked.objects =
        vec![checkout("cs_2", Some("https://psp.example/2")), checkout("cs_1", Some("https://psp.example/1"))];
    let capture = Object { account: account(), kind: ObjectKind::Capture, id: "ca_1".into(), url: None };
    asked.objects.extend([checkout("cs_0", None), capture]);
    shop.changed(at(0), asked.clone()).await;
    let NewPayment { code, account, place, wording, links } = new_of(&asked);
    let expected = Stored {
        merchant: shop.merchant.clone(),
        id,
        code,
        account,
        place,
        version: 1,
        created_at: at(0),
        wording,
        facts: asked.facts.into_iter().map(|fact| (at(0), fact)).collect(),
        links: links.into_iter().map(|(link, _)| link).collect(),
        checkout_urls: [("cs_2", "https://psp.example/2"), ("cs_1", "https://psp.example/1")]
            .map(|(id, url)| (id.to_owned(), url.to_owned()))
            .into(),
        rev: 1,
    };
    assert_eq!(shop.stored(id).await, expected);
}

pub(super) async fn a_payment_is_found_by_its_code_its_objects_and_its_links(both: &Both) {
    let mut shop = Shop::new(both);
    let (id, mut asked) = shop.coffee(at(0));
    asked.objects = vec![checkout("cs_1", None)];
    let NewPayment { code, links, .. } = new_of(&asked);
    let (stranger, _) = shop.coffee(at(1));
    shop.changed(at(0), asked).await;

    let by_code = |code: Code| shop.store.payment_by_code(&shop.merchant, code);
    assert_eq!(by_code(code).await.unwrap(), Some(id));
    assert_eq!(by_code("000000".parse().unwrap()).await.unwrap(), None);

    let by_object = async |account: &str, kind, object: &str| {
        shop.store.payment_by_object(&shop.merchant, &AccountId::new(account), kind, object).await.unwrap()
    };
    assert_eq!(by_object("sandbox", ObjectKind::Checkout, "cs_1").await, Some(id));
    assert_eq!(by_object("sandbox", ObjectKind::Capture, "cs_1").await, None);
    assert_eq!(by_object("sandbox", ObjectKind::Checkout, "cs_2").await, None);
    assert_eq!(by_object("stripe", ObjectKind::Checkout, "cs_1").await, None);

    let found = Some((shop.merchant.clone(), id));
    let (pay, receipt) = (links[0].1, links[1].1);
    assert_eq!(shop.store.payment_by_link(Purpose::Pay, &pay).await.unwrap(), found);
    assert_eq!(shop.store.payment_by_link(Purpose::Receipt, &receipt).await.unwrap(), found);
    assert_eq!(shop.store.payment_by_link(Purpose::Receipt, &pay).await.unwrap(), None, "a receipt is not a pay page");
    assert_eq!(shop.store.payment_by_link(Purpose::Pay, &[0; 32]).await.unwrap(), None);
    assert_eq!(shop.store.payment(&shop.merchant, stranger).await.unwrap(), None);
}

/// The second payment, with the code of the first.
pub(super) fn with_code_of(first: &Change, mut second: Change) -> Change {
    if let On::New(new) = &mut second.on {
        new.code = new_of(first).code;
    }
    second
}

pub(super) async fn a_code_names_one_payment(both: &Both) {
    let mut shop = Shop::new(both);
    let (first, asked) = shop.coffee(at(0));
    let (second, again) = shop.coffee(at(1));
    shop.changed(at(0), asked.clone()).await;
    let taken = shop.about(at(1), with_code_of(&asked, again.clone()));
    assert_eq!(shop.decide(taken).await, Committed::CodeTaken);
    assert_eq!(shop.store.payment(&shop.merchant, second).await.unwrap(), None);
    assert_eq!(shop.store.payment_by_code(&shop.merchant, new_of(&asked).code).await.unwrap(), Some(first));
    // The same payment once more is not a question of its code.
    assert_eq!(shop.decide(shop.about(at(1), asked)).await, Committed::Moved);
    shop.changed(at(2), again).await;
}

pub(super) async fn a_fact_that_is_known_is_left_as_it_is(both: &Both) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    shop.changed(at(1), change(id, 1, vec![cancelled("ana")])).await;
    shop.changed(at(2), change(id, 2, vec![cancelled("ben"), opened(1), opened(1)])).await;
    let facts = shop.stored(id).await.facts;
    assert_eq!(facts[2..], [(at(1), cancelled("ana")), (at(2), opened(1))]);
}

pub(super) async fn a_change_counts_and_a_stale_one_has_moved(both: &Both) {
    let mut shop = Shop::new(both);
    let id = shop.sell(at(0)).await;
    shop.changed(at(1), change(id, 1, vec![opened(1)])).await;
    let before = shop.stored(id).await;
    assert_eq!((before.version, before.rev, before.created_at), (2, 2, at(0)));
    for version in [0, 1, 3, u64::MAX] {
        let stale = shop.about(at(2), change(id, version, vec![opened(2)]));
        assert_eq!(shop.decide(stale).await, Committed::Moved, "version {version}");
    }
    assert_eq!(shop.stored(id).await, before);
    let (unknown, _) = shop.coffee(at(3));
    assert_eq!(shop.decide(shop.about(at(3), change(unknown, 1, vec![]))).await, Committed::Moved);
    // A change without facts is a change.
    shop.changed(at(3), change(id, 2, vec![])).await;
    assert_eq!(shop.stored(id).await.version, 3);
}

pub(super) async fn a_provider_s_object_belongs_to_one_payment_for_ever(both: &Both) {
    let mut shop = Shop::new(both);
    let (first, second) = (shop.sell(at(0)).await, shop.sell(at(1)).await);
    let seen = |id, version, url| Change { objects: vec![checkout("cs_1", url)], ..change(id, version, vec![]) };
    // The webhook may come before the answer that holds the page.
    shop.changed(at(2), seen(first, 1, None)).await;
    shop.changed(at(2), seen(second, 1, Some("https://psp.example/second"))).await;
    assert_eq!(shop.stored(first).await.checkout_urls, []);
    shop.changed(at(3), seen(first, 2, Some("https://psp.example/1"))).await;
    shop.changed(at(4), seen(first, 3, Some("https://psp.example/other"))).await;
    shop.changed(at(5), seen(first, 4, None)).await;
    shop.changed(at(6), seen(second, 2, Some("https://psp.example/second"))).await;
    let found = shop.store.payment_by_object(&shop.merchant, &account(), ObjectKind::Checkout, "cs_1").await.unwrap();
    assert_eq!(found, Some(first));
    assert_eq!(shop.stored(first).await.checkout_urls, [("cs_1".into(), "https://psp.example/1".into())]);
    assert_eq!(shop.stored(second).await.checkout_urls, []);
}

pub(super) async fn payments_are_listed_newest_first_and_by_status(both: &Both) {
    let mut shop = Shop::new(both);
    let mut ids: Vec<PaymentId> = Vec::new();
    for secs in [0, 2, 1, 2] {
        // The id's own time says nothing.
        let (id, asked) = shop.coffee(at(10 - secs));
        shop.changed(at(secs), asked).await;
        ids.push(id);
    }
    shop.changed(at(9), Change { status: Status::Paid, ..change(ids[0], 1, vec![]) }).await;
    shop.changed(at(9), Change { status: Status::Paid, ..change(ids[2], 1, vec![]) }).await;
    let mut newest = [(at(0), ids[0]), (at(2), ids[1]), (at(1), ids[2]), (at(2), ids[3])];
    newest.sort_by(|a, b| b.cmp(a));

    let merchant = shop.merchant.clone();
    let list = async |status, limit| both.store.payments(&merchant, &ListFilter { status, limit }).await.unwrap();
    let listed = list(None, 0).await;
    assert_eq!(listed.iter().map(|line| (line.created_at, line.id)).collect::<Vec<_>>(), newest);
    let line = only(list(Some(Status::Paid), 1).await);
    assert_eq!((line.id, line.status, line.amount), (ids[2], Status::Paid, eur(2500)));
    assert_eq!((line.code, line.what.as_str()), (shop.stored(ids[2]).await.code, "coffee ☕ 'for' two"));
    assert_eq!(list(Some(Status::Paid), 0).await.len(), 2);
    assert_eq!(list(None, 3).await.iter().map(|line| line.id).collect::<Vec<_>>(), newest.map(|(_, id)| id)[..3]);
    assert_eq!(list(Some(Status::Expired), 0).await, []);
    for secs in 0..60 {
        shop.sell(at(100 + secs)).await;
    }
    assert_eq!(list(None, 0).await.len(), 50, "none asked for is fifty");
    assert_eq!(list(None, 64).await.len(), 64);
}

pub(super) async fn what_may_differ_from_the_provider_comes_in_pages(both: &Both) {
    let mut shop = Shop::new(both);
    let mut sold = Vec::new();
    for secs in [0, 1, 2, 2, 3, 4] {
        sold.push((at(secs), shop.sell(at(secs)).await));
    }
    let statuses = [Status::Paid, Status::Disputed, Status::Open, Status::Open, Status::Paid, Status::Open];
    for (n, status) in statuses.into_iter().enumerate() {
        shop.changed(at(9), Change { status, ..change(sold[n].1, 1, vec![]) }).await;
    }
    let (store, merchant) = (&both.store, shop.merchant.clone());
    let page = async |since, or: &[Status], after, limit| {
        let concerns = Concerns { since: at(since), or: or.to_vec(), after, limit };
        store.concerned(&merchant, &concerns).await.unwrap()
    };
    sold.sort_by(|a, b| b.cmp(a));
    let newest = |kept: &[usize]| kept.iter().map(|n| sold[*n]).collect::<Vec<_>>();
    assert_eq!(page(0, &[], None, 99).await, sold, "of that moment as well");
    assert_eq!(page(3, &[], None, 99).await, newest(&[0, 1]));
    let moving = [Status::Disputed, Status::Open];
    assert_eq!(page(3, &moving, None, 99).await, newest(&[0, 1, 2, 3, 4]), "settled and old: nobody's concern");
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let next = page(3, &moving, after, 2).await;
        assert!(next.len() <= 2);
        let Some(last) = next.last() else { break };
        after = Some(*last);
        all.extend(next);
    }
    assert_eq!(all, newest(&[0, 1, 2, 3, 4]), "page by page, none twice, also where two were made in one moment");
    assert_eq!(
        store
            .concerned(
                &crate::id::MerchantId::new("another"),
                &Concerns { since: at(0), or: moving.to_vec(), after: None, limit: 99 }
            )
            .await
            .unwrap(),
        []
    );
}

pub(super) async fn a_check_comes_once_and_again_when_its_lease_ends(both: &Both) {
    let mut shop = Shop::new(both);
    let (first, second) = (shop.sell(at(1)).await, shop.sell(at(0)).await);
    let due = async |secs, limit| shop.store.claim_due(at(secs), LEASE, limit).await.unwrap();
    let named = |id| (shop.merchant.clone(), id);
    assert_eq!(due(59, 9).await, []);
    assert_eq!(due(60, 9).await, [named(second)]);
    assert_eq!(due(61, 9).await, [named(first)]);
    assert_eq!(due(89, 9).await, [], "others look at them");
    assert_eq!(due(95, 1).await, [named(second)], "the earliest first");
    shop.changed(at(96), change(first, 1, vec![])).await;
    shop.changed(at(96), Change { check_at: Some(at(200)), ..change(second, 1, vec![]) }).await;
    assert_eq!(due(199, 9).await, [], "a change says when anew");
    assert_eq!(due(200, 9).await, [named(second)]);
}

/// A decision that writes into every table there is.
fn everything(shop: &Shop, id: PaymentId, version: u64) -> Commit {
    let change = Change {
        cards: vec![place("c2")],
        work: vec![tell(id, "all", at(5))],
        objects: vec![checkout("cs_9", Some("https://psp.example/9"))],
        check_at: Some(at(7)),
        status: Status::Cancelled,
        ..change(id, version, vec![cancelled("ana")])
    };
    Commit {
        inbox: vec![inbox("evt_new")],
        recent: Some(Recent { key: "new".into(), since: at(0) }),
        totals: vec![TotalChange { key: day_total(), version: 0, add_minor: 500 }],
        park: Some(Park { key: inbox("evt_parked"), sealed: vec![1, 2, 3], due: at(6) }),
        ..shop.about(at(4), change)
    }
}

pub(super) async fn a_refused_decision_writes_nothing_at_all(both: &Both) {
    let mut shop = Shop::new(both);
    let (first, asked) = shop.coffee(at(0));
    let known = Commit { inbox: vec![inbox("evt_known")], ..shop.about(at(0), asked.clone()) };
    let recent = Some(Recent { key: "known".into(), since: at(0) });
    assert_eq!(shop.decide(Commit { recent: recent.clone(), ..known }).await, Committed::Done);
    let id = shop.sell(at(1)).await;
    let (_, third) = shop.coffee(at(2));
    let lost = shop.work(Queue::Provider, at(1)).await.remove(0);
    assert_eq!(shop.work(Queue::Provider, at(60)).await.len(), 2);

    let all = || everything(&shop, id, 1);
    let before = shop.visible().await;
    let same_inbox = Commit { inbox: vec![inbox("evt_new"), inbox("evt_known")], ..all() };
    let moved_total = TotalChange { key: day_total(), version: 1, add_minor: 500 };
    let refused = [
        (Commit { settle: vec![done(&lost)], ..all() }, Committed::FenceLost),
        (same_inbox, Committed::Duplicate(Some(first))),
        (Commit { recent, ..all() }, Committed::Recent(first, at(0))),
        (everything(&shop, id, 9), Committed::Moved),
        (Commit { totals: vec![moved_total], ..all() }, Committed::Moved),
        (Commit { payment: Some(with_code_of(&asked, third)), ..all() }, Committed::CodeTaken),
    ];
    for (commit, answer) in refused {
        assert_eq!(shop.decide(commit).await, answer);
        assert_eq!(shop.visible().await, before, "{answer:?} left a trace");
        assert_eq!(shop.work(Queue::Chat, at(50)).await.len(), 0, "{answer:?} left work");
        assert_eq!(shop.parked(at(50)).await.len(), 0, "{answer:?} left a parked delivery");
    }
    // Its inbox key, its moment and its total are free, or this would be refused.
    assert_eq!(shop.decide(all()).await, Committed::Done);
    let stored = shop.stored(id).await;
    assert_eq!((stored.version, stored.facts.last()), (2, Some(&(at(4), cancelled("ana")))));
    assert!(matches!(stored.facts[0], (_, Fact::Requested { .. })));
    assert_eq!(shop.work(Queue::Chat, at(50)).await.len(), 1);
    assert_eq!(only(shop.parked(at(50)).await).sealed, [1, 2, 3]);
    assert_eq!(shop.decide(all()).await, Committed::Duplicate(Some(id)));
}
