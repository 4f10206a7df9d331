//! What a running till does for itself: signs of life, and no row stays for ever that has expired.

use crate::support::eventually;
use crate::support::stripe::Shop;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _};
use std::time::Duration;
use till::upkeep;

const HOUR: Duration = Duration::from_secs(3600);

/// The keys of ours that the file holds, fresh or not.
async fn kept(shop: &Shop) -> Vec<String> {
    let mut db = SqliteConnectOptions::new().filename(&shop.config.store.path).connect().await.unwrap();
    let sql = "SELECT key FROM kept WHERE adapter = 'test' ORDER BY key";
    sqlx::query(sql).fetch_all(&mut db).await.unwrap().iter().map(|row| row.get("key")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_deleted_a_day_later_and_what_has_not_stays() {
    let shop = Shop::open().await;
    let (store, merchant, now) = (&shop.world.store, &shop.world.merchant.id, shop.now());
    for (key, expires) in
        [("soon", Some(now.after(HOUR))), ("next week", Some(now.after(7 * 24 * HOUR))), ("never", None)]
    {
        store.keep(merchant, "test", key, b"x", expires).await.unwrap();
    }
    shop.ahead(12 * HOUR);
    let alive = eventually(async || {
        let alive = upkeep::alive(&**store, merchant, shop.now()).await.unwrap();
        alive.filter(|alive| shop.now().since(alive.at) < HOUR)
    });
    let alive = alive.await.expect("a sign of life, by the new time");
    assert_eq!((alive.began, alive.version.as_str()), (shop.world.began, env!("CARGO_PKG_VERSION")));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(kept(&shop).await, ["never", "next week", "soon"], "a clock that is off by half a day forgets nothing");
    shop.ahead(14 * HOUR);
    let gone = eventually(async || (kept(&shop).await == ["never", "next week"]).then_some(()));
    gone.await.expect("what expired a day ago is deleted");
    shop.close().await;
}
