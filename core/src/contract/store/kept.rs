//! Claims about leases, kept values and staff.

use super::Both;
use super::shop::{Shop, at};
use crate::port::store::Staff;
use std::time::Duration;

pub(super) async fn a_lease_is_one_holder_s_until_it_ends_and_its_fence_grows(both: &Both) {
    let lease = async |name: &str, holder: &str, secs| {
        both.store.lease(name, holder, at(secs), Duration::from_secs(10)).await.unwrap()
    };
    let first = lease("reconciler", "a", 0).await.expect("nobody holds it");
    assert_eq!(lease("reconciler", "b", 5).await, None);
    assert_eq!(lease("reconciler", "a", 5).await, Some(first), "renewed until 15");
    assert_eq!(lease("reconciler", "b", 14).await, None);
    let second = lease("reconciler", "b", 15).await.expect("it has ended");
    assert!(second > first);
    assert_eq!(lease("reconciler", "a", 16).await, None);
    assert_eq!(lease("reconciler", "b", 60).await, Some(second), "ended, and nobody else took it");
    let third = lease("reconciler", "a", 99).await.expect("it has ended");
    assert!(third > second, "a holder who comes back is a new one");
    assert!(lease("sweeper", "b", 99).await.is_some(), "names do not mix");
}

pub(super) async fn a_kept_value_is_overwritten_expires_and_is_taken_once(both: &Both) {
    let shop = Shop::new(both);
    let keep = async |adapter: &str, key: &str, value: &[u8], expires| {
        shop.store.keep(&shop.merchant, adapter, key, value, expires).await.unwrap();
    };
    let kept = async |key: &str, secs| shop.store.kept(&shop.merchant, "web", key, at(secs)).await.unwrap();
    let take = async |key: &str, secs| shop.store.take_kept(&shop.merchant, "web", key, at(secs)).await.unwrap();

    assert_eq!((kept("cursor", 0).await, take("cursor", 0).await), (None, None));
    keep("web", "cursor", &[0, 255, 39], None).await;
    keep("slack", "cursor", b"other", None).await;
    assert_eq!(kept("cursor", 9_999_999).await, Some(vec![0, 255, 39]), "for ever");
    keep("web", "cursor", b"", Some(at(10))).await;
    assert_eq!(kept("cursor", 9).await, Some(vec![]));
    assert_eq!(kept("cursor", 10).await, None, "expired at the very moment");
    keep("web", "cursor", b"new", None).await;
    assert_eq!(kept("cursor", 99).await, Some(b"new".to_vec()), "without the old expiry");
    assert_eq!((take("cursor", 99).await, take("cursor", 99).await), (Some(b"new".to_vec()), None));
    assert_eq!(kept("cursor", 0).await, None);
    keep("web", "invite", b"once", Some(at(10))).await;
    assert_eq!(take("invite", 10).await, None, "too late");
    assert_eq!(take("invite", 9).await, None, "and gone");
    assert_eq!(shop.store.kept(&shop.merchant, "slack", "cursor", at(0)).await.unwrap(), Some(b"other".to_vec()));
}

pub(super) async fn kept_values_are_listed_by_how_their_keys_begin(both: &Both) {
    let (shop, other) = (Shop::new(both), Shop::of(both, "other", 2));
    let keep = async |shop: &Shop, adapter: &str, key: &str, expires| {
        shop.store.keep(&shop.merchant, adapter, key, key.as_bytes(), expires).await.unwrap();
    };
    for key in ["install/T2", "install/T1", "install", "installed/T9", "INSTALL/T9", "a", "z", "%", "in%"] {
        keep(&shop, "slack", key, None).await;
    }
    keep(&shop, "slack", "install/T3", Some(at(10))).await;
    keep(&shop, "web", "install/T8", None).await;
    keep(&other, "slack", "install/T7", None).await;
    let under = async |prefix: &str, secs| {
        let found = shop.store.kept_under(&shop.merchant, "slack", prefix, at(secs)).await.unwrap();
        assert!(found.iter().all(|(key, value)| key.as_bytes() == value));
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(under("install/", 9).await, ["install/T1", "install/T2", "install/T3"]);
    assert_eq!(under("install/", 10).await, ["install/T1", "install/T2"], "expired at the very moment");
    assert_eq!(under("in%", 0).await, ["in%"], "a prefix is no pattern");
    assert_eq!(under("nothing", 0).await, [] as [&str; 0]);
    assert_eq!(under("", 99).await.len(), 9);
}

pub(super) async fn staff_are_listed_by_id_and_can_be_renamed(both: &Both) {
    let shop = Shop::new(both);
    let staff = |id: &str, name: &str, secs| Staff { id: id.into(), name: name.into(), since: at(secs) };
    let all = async || shop.store.staff(&shop.merchant).await.unwrap();
    assert_eq!(all().await, []);
    for one in [staff("ben", "Ben", 1), staff("ana", "Ana", 2), staff("ben", "Benedikt ☕", 3)] {
        shop.store.add_staff(&shop.merchant, &one).await.unwrap();
    }
    assert_eq!(all().await, [staff("ana", "Ana", 2), staff("ben", "Benedikt ☕", 1)], "a new name, not a new start");
}
