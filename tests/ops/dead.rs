//! What was given up: listed with its reason, tried again from the command line while the till runs.

use super::{Owed, owe_to_nowhere};
use crate::configuration::till;
use crate::support::eventually;
use crate::support::stripe::Shop;
use serde_json::Value;
use till_core::id::MerchantId;
use till_core::port::store::Which;
use till_core::port::transcript::Transcript as _;

fn good(shop: &Shop, args: &[&str]) -> String {
    let (good, said) = till(shop.data.path(), args);
    assert!(good, "{args:?}: {said}");
    said
}

/// How often the one dead letter was tried, once there is one that was given up after `since` milliseconds.
async fn given_up(shop: &Shop, after_ms: i64) -> i64 {
    let found = eventually(async || {
        let dead = shop.world.store.dead(&MerchantId::new("default"), Which::All, 9).await.unwrap();
        dead.first().map(|it| it.given_up.ms()).filter(|at| *at > after_ms)
    });
    found.await.expect("it was given up")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_given_up_is_listed_and_said_once_after_what_stood_in_its_way_is_mended() {
    let shop = Shop::open().await;
    std::fs::write(shop.data.path().join("till.toml"), "[store]\npath = \"till.db\"\n").unwrap();
    assert_eq!(good(&shop, &["dead", "list"]), "Nothing was given up.\n");
    assert!(good(&shop, &["dead", "retry", "--all"]).starts_with("Nothing was given up, so"));
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    owe_to_nowhere(&shop, &code, Owed::Message).await;
    let first = given_up(&shop, 0).await;

    let said = good(&shop, &["dead", "list"]);
    assert!(said.starts_with(&format!("{code}  message ")) && said.contains("after 1 try since "), "{said}");
    assert!(said.contains("till dead retry --all"), "it says what to do: {said}");
    let json: Value = serde_json::from_str(&good(&shop, &["dead", "list", "--json"])).unwrap();
    assert_eq!((&json["kind"], &json["code"], &json["tries"]), (&"message".into(), &code.clone().into(), &1.into()));
    let key = json["key"].as_str().unwrap().to_owned();

    // Nothing was mended: it is given up once more.
    let said = good(&shop, &["dead", "retry", &code]);
    assert!(said.starts_with("1 is tried again: the running till does that within a second."), "{said}");
    let second = given_up(&shop, first).await;
    let again: Value = serde_json::from_str(&good(&shop, &["dead", "list", "--json"])).unwrap();
    assert_eq!((&again["tries"], &again["since"]), (&2.into(), &json["since"]), "as old as it was");
    good(&shop, &["dead", "retry", &key]);
    given_up(&shop, second).await;

    begin_nowhere(&shop).await;
    assert!(good(&shop, &["dead", "retry", "--all"]).starts_with("1 is tried again"));
    let told = shop.whispered("your table is free").await;
    assert_eq!(told, "your table is free");
    assert_eq!(good(&shop, &["dead", "list"]), "Nothing was given up.\n");
    shop.close().await;
}

/// Somebody begins the conversation that was not there.
async fn begin_nowhere(shop: &Shop) {
    let file = till_sqlite::Sqlite::open(&shop.config.store.path).await.unwrap();
    file.begin(&shop.world.merchant.id, "nowhere", "Zoë", shop.now()).await.unwrap();
    file.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_could_not_be_shown_is_shown_once_it_can_with_what_is_true_by_then() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    owe_to_nowhere(&shop, &code, Owed::Card).await;
    given_up(&shop, 0).await;
    shop.chooses(&code, "ok").await;
    shop.both_show(&code, "paid").await;
    begin_nowhere(&shop).await;
    assert_eq!(shop.staff.cards(&code).await.len(), 1, "what was given up does not come again by itself");
    let store = &*shop.world.store;
    let said = till::dead::list(store, 9, false).await.unwrap();
    assert!(said.starts_with(&format!("{code}  card ")), "{said}");
    let said = till::dead::retry(store, Some(&code), shop.now()).await.unwrap();
    assert!(said.starts_with("1 is tried again"), "{said}");
    let shown = eventually(async || {
        let cards = shop.staff.cards(&code).await;
        (cards.len() == 2 && cards.iter().all(|card| card["status"] == "paid")).then_some(())
    });
    shown.await.expect("both cards say that it is paid");
    assert_eq!(shop.world.store.backlog().await.unwrap().dead, 0);
    shop.close().await;
}

#[test]
fn what_names_nothing_that_was_given_up_is_said_and_without_a_database_there_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (fine, said) = till(folder.path(), &["dead", "list"]);
    assert!(fine && said == "There is no database yet, so nothing was given up.\n", "{said}");
    let (fine, said) = till(folder.path(), &["staff", "add", "ana", "Ana"]);
    assert!(fine, "{said}");
    for what in ["K7Q2F9", "evt_1"] {
        let (fine, said) = till(folder.path(), &["dead", "retry", what]);
        assert!(!fine && said.contains(&format!("`{what}` names nothing that was given up")), "{said}");
    }
    let (fine, said) = till(folder.path(), &["dead", "retry"]);
    assert!(!fine && said.contains("--all"), "{said}");
}
