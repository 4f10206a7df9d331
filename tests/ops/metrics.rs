//! `/metrics`: its form, checked strictly, and its numbers, in the middle of a story.

use super::{Owed, owe_to_nowhere};
use crate::support::eventually;
use crate::support::stripe::Shop;
use std::collections::{BTreeMap, BTreeSet};
use till::drift::Compared;
use till_core::payment::Status;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves the admin routes and reads the numbers, with the type that they come with.
async fn scrape(shop: &Shop) -> (String, String) {
    scrape_from(shop, till::http::admin_router(shop.world.clone())).await
}

async fn scrape_from(shop: &Shop, admin: axum::Router) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(till::run::serve(listener, admin, stop.clone()));
    let answer = shop.customer.http.get(url).send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let text = answer.text().await.unwrap();
    stop.cancel();
    serving.await.unwrap().unwrap();
    (kind, text)
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(fits)
}

/// Reads the text format as Prometheus does, and refuses what is not in it: each family once, `HELP` and `TYPE` before its
/// samples and nothing of another family among them, no sample twice, counters end with `_total`.
///
/// Source: Prometheus docs, "Exposition formats", text format 0.0.4.
fn read(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut families, mut now) = (BTreeMap::new(), BTreeSet::new(), None);
    assert!(text.ends_with('\n'), "the last line ends");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("a name and words");
            assert!(is_name(name) && !words.is_empty(), "{line}");
            assert!(families.insert(name.to_owned()), "`{name}` comes twice");
            let kind = lines.next().and_then(|line| line.strip_prefix("# TYPE ")).expect("TYPE after HELP");
            let (of, kind) = kind.split_once(' ').expect("a name and a type");
            assert!(of == name && matches!(kind, "counter" | "gauge"), "{kind}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            now = Some(name.to_owned());
            continue;
        }
        assert!(!line.starts_with('#'), "{line}");
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        let (name, labels) = series.split_once('{').map_or((series, None), |(name, rest)| (name, Some(rest)));
        assert_eq!(Some(name), now.as_deref(), "a sample stands below its own family");
        if let Some(labels) = labels {
            let labels = labels.strip_suffix("\"}").expect("closed labels");
            let (label, value) = labels.split_once("=\"").expect("one label");
            let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
            assert!(is_name(label) && plain && !value.is_empty(), "{line}");
        }
        let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        assert_eq!(samples.insert(series.to_owned(), value), None, "`{series}` comes twice");
    }
    samples
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_in_the_middle_of_a_story_holds_exactly_these_numbers_and_nothing_of_anybody() {
    let shop = Shop::open().await;
    let (code, intent) = shop.paid("/pay 25 EUR coffee").await;
    shop.pinged(&code).await;
    let open = shop.ask("/pay 8 EUR tea").await;
    shop.both_show(&open, "open").await;
    owe_to_nowhere(&shop, &open, Owed::Message).await;
    let quiet = eventually(async || {
        let backlog = shop.world.store.backlog().await.unwrap();
        (backlog.dead == 1 && backlog.work + backlog.cards == 0 && shop.stripe.deliveries().is_empty()).then_some(())
    });
    quiet.await.expect("nothing is on its way");
    let compared = Compared { at: shop.now(), looked: 9, mended: 2, differ: 1, unknown: 3 };
    compared.keep(&shop.world).await.unwrap();

    let (kind, text) = scrape(&shop).await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let found = read(&text);
    let mut wanted = BTreeMap::new();
    let mut want = |series: &str, value: i64| {
        assert_eq!(wanted.insert(series.to_owned(), value as f64), None);
    };
    want(&format!("till_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1);
    want("process_start_time_seconds", shop.world.began.secs());
    let counted = |name: &str| i64::try_from(shop.counted(name)).unwrap();
    for verdict in ["believed", "unsigned", "bad_signature", "outside_window", "unreadable", "foreign", "no_endpoint"] {
        want(&format!("till_webhooks_total{{verdict=\"{verdict}\"}}"), counted(&format!("webhook_{verdict}")));
    }
    #[rustfmt::skip]
    let events = [
        "applied", "duplicate", "parked", "not_ours", "of_unknown_money", "foreign", "unreadable", "later", "over_budget",
    ];
    for verdict in events {
        want(&format!("till_events_total{{verdict=\"{verdict}\"}}"), counted(&format!("event_{verdict}")));
    }
    want("till_reads_over_budget_total", 0);
    want("till_found_by_asking_total", 0);
    for status in Status::ALL {
        let count = i64::from(matches!(status, Status::Open | Status::Paid));
        want(&format!("till_payments{{status=\"{status}\"}}"), count);
    }
    for queue in ["provider", "chat"] {
        want(&format!("till_outbox_waiting{{queue=\"{queue}\"}}"), 0);
        want(&format!("till_outbox_oldest_seconds{{queue=\"{queue}\"}}"), 0);
    }
    for name in ["cards_waiting", "cards_oldest_seconds", "deliveries_parked", "deliveries_oldest_seconds"] {
        want(&format!("till_{name}"), 0);
    }
    for (kind, count) in [("call", 0), ("message", 1), ("card", 0), ("delivery", 0)] {
        want(&format!("till_dead{{kind=\"{kind}\"}}"), count);
    }
    for (found, count) in [("same", 3), ("mended", 2), ("differs", 1), ("unknown", 3)] {
        want(&format!("till_drift_payments{{found=\"{found}\"}}"), count);
    }
    want("till_drift_compared_timestamp_seconds", compared.at.secs());
    want("till_chat_up{chat=\"web\"}", 1);
    assert_eq!(found, wanted);
    assert!(shop.counted("webhook_believed") > 0 && shop.counted("event_applied") > 0);
    for secret in [code.as_str(), &open, &intent, "pay_", "staff:", "coffee", "rk_test", "whsec"] {
        assert!(!text.contains(secret), "`{secret}` stands in the numbers");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_counted_with_its_age_and_a_forged_webhook_is_a_number() {
    let shop = Shop::open().await;
    let minute = std::time::Duration::from_secs(60);
    shop.stripe.down_until(shop.now().after(60 * minute));
    let code = shop.ask("/pay 25 EUR coffee expires:3h").await;
    shop.post_hook(b"{}".to_vec(), &[("stripe-signature", "t=1,v1=00".to_owned())]).await;
    shop.ahead(5 * minute);
    let found = read(&scrape(&shop).await.1);
    assert_eq!(found["till_outbox_waiting{queue=\"provider\"}"], 1.0);
    let age = found["till_outbox_oldest_seconds{queue=\"provider\"}"];
    assert!((300.0..360.0).contains(&age), "{age}");
    assert_eq!(found["till_payments{status=\"preparing\"}"], 1.0);
    let refused: f64 = ["bad_signature", "outside_window", "unsigned"]
        .map(|verdict| found[&format!("till_webhooks_total{{verdict=\"{verdict}\"}}")])
        .iter()
        .sum();
    assert_eq!(refused, 1.0);
    assert!(!found.keys().any(|series| series.starts_with("till_drift_")), "nothing was compared yet");
    shop.ahead(60 * minute);
    shop.both_show(&code, "open").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_it_is_asked_all_payments_are_counted_once_a_minute() {
    let shop = Shop::open().await;
    let admin = till::http::admin_router(shop.world.clone());
    let open = async || read(&scrape_from(&shop, admin.clone()).await.1)["till_payments{status=\"open\"}"];
    assert_eq!(open().await, 0.0);
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    assert_eq!(open().await, 0.0, "as it was a moment ago");
    shop.ahead(std::time::Duration::from_secs(60));
    assert_eq!(open().await, 1.0);
    shop.close().await;
}
