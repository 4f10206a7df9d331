//! Claims about a merchant's accounts at providers.

use super::Both;
use super::shop::{Shop, at, eur};
use crate::id::AccountId;
use crate::port::psp::{Access, AccountSettings};
use crate::port::store::{AccountRow, Closing};

/// A plain account, chosen so many seconds after the shop opened.
pub(super) fn row(id: &str, chosen: i64) -> AccountRow {
    AccountRow {
        id: AccountId::new(id),
        psp: "sandbox".into(),
        base_url: String::new(),
        api_key: "env:KEY".into(),
        provider_account: "acct_1".into(),
        access: Access::Own,
        livemode: false,
        webhook_secrets: Vec::new(),
        settings: AccountSettings::default(),
        since: at(0),
        chosen_at: at(chosen),
        closed: None,
    }
}

fn closing(secs: i64, why: &str) -> Closing {
    Closing { at: at(secs), why: why.into() }
}

async fn all(shop: &Shop) -> Vec<AccountRow> {
    shop.store.accounts(&shop.merchant).await.unwrap()
}

async fn put(shop: &Shop, row: &AccountRow) {
    shop.store.put_account(&shop.merchant, row).await.unwrap();
}

async fn close(shop: &Shop, id: &str, why: &str, secs: i64) {
    shop.store.close_account(&shop.merchant, &AccountId::new(id), why, at(secs)).await.unwrap();
}

pub(super) async fn an_account_comes_back_whole(both: &Both) {
    let shop = Shop::new(both);
    assert_eq!(all(&shop).await, []);
    let whole = AccountRow {
        base_url: "http://127.0.0.1:8790".into(),
        api_key: "file:/etc/till/clé ☕".into(),
        access: Access::Connected,
        livemode: true,
        webhook_secrets: vec!["env:NEW".into(), "file:old".into()],
        settings: AccountSettings {
            without_methods: vec!["klarna".into(), "it's".into()],
            authenticate_from: vec![eur(10_000)],
            descriptor_suffix: Some("CAFÉ".into()),
        },
        closed: Some(closing(5, "moved")),
        ..row("main", 3)
    };
    put(&shop, &whole).await;
    assert_eq!(all(&shop).await, [whole]);
    put(&shop, &row("main", 4)).await;
    assert_eq!(all(&shop).await, [row("main", 4)], "put again, it is what was put");
}

pub(super) async fn accounts_come_newest_choice_first_and_then_by_id(both: &Both) {
    let shop = Shop::new(both);
    for (id, chosen) in [("b", 1), ("c", 1), ("a", 1), ("late", 2), ("early", 0)] {
        put(&shop, &row(id, chosen)).await;
    }
    let order = async || all(&shop).await.iter().map(|row| row.id.to_string()).collect::<Vec<_>>();
    assert_eq!(order().await, ["late", "a", "b", "c", "early"]);
    put(&shop, &row("early", 3)).await;
    assert_eq!(order().await, ["early", "late", "a", "b", "c"]);
}

pub(super) async fn a_closed_account_keeps_its_first_reason_until_it_is_put_again(both: &Both) {
    let shop = Shop::new(both);
    put(&shop, &row("main", 0)).await;
    put(&shop, &row("other", 0)).await;
    close(&shop, "main", "the bank changed", 5).await;
    close(&shop, "main", "again", 6).await;
    close(&shop, "nobody", "not there", 6).await;
    let closed = AccountRow { closed: Some(closing(5, "the bank changed")), ..row("main", 0) };
    assert_eq!(all(&shop).await, [closed, row("other", 0)]);
    put(&shop, &row("main", 0)).await;
    assert_eq!(all(&shop).await, [row("main", 0), row("other", 0)], "reopened");
    close(&shop, "main", "for good", 9).await;
    assert_eq!(all(&shop).await[0].closed, Some(closing(9, "for good")), "and may be closed anew");
}

pub(super) async fn accounts_are_one_merchant_s(both: &Both) {
    let (ours, theirs) = (Shop::of(both, "ours", 1), Shop::of(both, "theirs", 2));
    put(&ours, &row("main", 0)).await;
    assert_eq!(all(&theirs).await, []);
    put(&theirs, &AccountRow { api_key: "env:THEIRS".into(), ..row("main", 1) }).await;
    close(&theirs, "main", "theirs alone", 2).await;
    assert_eq!(all(&ours).await, [row("main", 0)]);
}
