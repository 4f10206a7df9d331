//! Each line of the doctor, provoked.

use super::{Owed, owe_to_nowhere};
use crate::support::bank::{Bank, checkout_on};
use crate::support::stripe::{Plan, Polls, Shop, Webhooks};
use crate::support::{Town, eventually, link_of, to_provider};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use till::clock::Clock;
use till::config::Config;
use till::doctor;
use till::drift::Compared;
use till_core::port::psp::Verdict;

const MINUTE: Duration = Duration::from_secs(60);

/// What the doctor says about this, as `verdict text`, at the shop's time moved by `ahead`.
async fn says_at(shop: &Shop, about: &str, ahead: Duration) -> Vec<String> {
    let clock = shop.world.clock.clone();
    let moved: Clock = Arc::new(move || clock().after(ahead));
    let rows = till::assemble::rows(&shop.config).await.unwrap();
    let found = doctor::examine(&shop.config, &rows, &moved).await.unwrap();
    rows.close().await;
    let all = found.iter().filter(|(named, _)| named == about).flat_map(|(_, found)| found);
    all.map(|it| {
        assert_eq!(it.mend.is_empty(), it.verdict == Verdict::Good, "what is not well can be mended: {it:?}");
        format!("{:?} {}", it.verdict, it.text)
    })
    .collect()
}

async fn says(shop: &Shop, about: &str) -> Vec<String> {
    says_at(shop, about, Duration::ZERO).await
}

/// The only line about this.
async fn one(shop: &Shop, about: &str) -> String {
    let mut all = says(shop, about).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_that_is_well_is_told_so_line_by_line() {
    let shop = Shop::open().await;
    let (code, _) = shop.paid("/pay 25 EUR coffee").await;
    shop.pinged(&code).await;
    shop.books_agree().await;
    assert!(one(&shop, "till").await.starts_with("Good a till serves this database since "));
    assert_eq!(one(&shop, "clock").await, "Good this computer's clock agrees with that of 127.0.0.1");
    assert_eq!(one(&shop, "queues").await, "Good nothing waits");
    assert_eq!(one(&shop, "dead letters").await, "Good nothing was given up");
    assert_eq!(one(&shop, "drift").await, "Note payments were never compared with the provider");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_that_is_gone_and_a_clock_that_is_off_are_named() {
    let shop = Shop::open().await;
    let alive = eventually(async || says(&shop, "till").await.pop().filter(|it| it.starts_with("Good")));
    alive.await.expect("the running till gives signs of life");
    // Ten minutes later by the doctor's clock alone: nobody gave a sign since, and Stripe's clock says otherwise.
    let later = 10 * MINUTE;
    let till = says_at(&shop, "till", later).await;
    assert!(till[0].starts_with("Wrong no till has been running since "), "{till:?}");
    let clock = says_at(&shop, "clock", later).await;
    assert!(clock[0].starts_with("Wrong this computer's clock is 600 s ahead of that of 127.0.0.1"), "{clock:?}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_on_which_no_till_has_run_yet_is_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("till.toml"), "").unwrap();
    let (fine, said) = crate::configuration::till(folder.path(), &["staff", "add", "ana", "Ana"]);
    assert!(fine, "{said}");
    let (_, said) = crate::configuration::till(folder.path(), &["doctor"]);
    assert!(
        said.contains("note  no till has run on this database yet\n        do: start it with `till serve`"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_too_long_is_named_with_its_code_and_its_last_error() {
    let shop = Shop::open().await;
    shop.stripe.down_until(shop.now().after(60 * MINUTE));
    let code = shop.ask("/pay 25 EUR coffee expires:3h").await;
    let stuck = eventually(async || {
        shop.ahead(MINUTE);
        let said = says(&shop, "queues").await;
        said.into_iter().find(|it| it.starts_with("Wrong"))
    });
    let stuck = stuck.await.expect("after ten minutes it is stuck");
    assert!(stuck.starts_with(&format!("Wrong a call to the provider of {code} waits since ")), "{stuck}");
    assert!(stuck.contains("times, last: ") && !stuck.contains("rk_test"), "{stuck}");
    shop.ahead(60 * MINUTE);
    shop.both_show(&code, "open").await;
    shop.books_agree().await;
    assert!(one(&shop, "queues").await.starts_with("Good"));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_counted_and_the_newest_named() {
    let shop = Shop::open().await;
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    owe_to_nowhere(&shop, &code, Owed::Message).await;
    let noted = eventually(async || says(&shop, "dead letters").await.pop().filter(|it| it.starts_with("Note")));
    let noted = noted.await.expect("it was given up");
    assert!(noted.starts_with(&format!("Note given up: 1 message; newest first a message of {code}: ")), "{noted}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_do_not_arrive_are_named_until_one_is_believed() {
    let shop = Shop::with(Plan { webhooks: Webhooks::Lost, polls: Polls::Eager, ..Plan::default() }).await;
    // What came in the very second of the start may have been on its way before.
    shop.ahead(MINUTE);
    let code = shop.ask("/pay 25 EUR coffee").await;
    shop.both_show(&code, "open").await;
    shop.stripe.pay(&shop.session(&code)).unwrap();
    shop.ahead(3 * MINUTE);
    shop.both_show(&code, "paid").await;
    shop.whispered("had to be asked").await;
    let silent = "Wrong webhooks do not arrive: a payment was found by asking only (";
    let said = says(&shop, "account main (stripe)").await;
    assert!(said.last().unwrap().starts_with(silent), "{said:#?}");
    assert_eq!(shop.counted("found_by_asking"), 1);
    // Mended: what comes from now on is believed.
    shop.ahead(MINUTE);
    shop.webhooks_come();
    let mended = eventually(async || {
        let said = says(&shop, "account main (stripe)").await.pop().unwrap();
        said.starts_with("Good the last webhook was believed (").then_some(())
    });
    mended.await.expect("the doctor sees that they arrive");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_comparison_is_told_with_what_it_left() {
    let shop = Shop::open().await;
    let compared = Compared { at: shop.now(), looked: 9, ..Compared::default() };
    for (found, said) in [
        (compared, "Good all 9 payments agreed with the provider"),
        (Compared { mended: 2, ..compared }, "Note of 9 payments 2 had missed something, which was mended"),
        (Compared { unknown: 1, mended: 2, ..compared }, "Note 1 of 9 payments could not be compared"),
        (Compared { differ: 3, unknown: 1, ..compared }, "Wrong 3 of 9 payments differ from the provider"),
        (Compared { at: compared.at.before(4 * 24 * 60 * MINUTE), ..compared }, "Note payments were last compared"),
    ] {
        found.keep(&shop.world).await.unwrap();
        let told = one(&shop, "drift").await;
        assert!(told.starts_with(said), "{told}");
    }
    shop.close().await;
}

/// The configuration of a town whose provider signs nothing, for a doctor who comes from outside.
fn config_of(town: &Town) -> Config {
    let (mut config, data) = (Config::default(), town.data.path());
    config.http.public_url = town.url.clone();
    config.store.path = data.join("till.db");
    config.keys.path = data.join("keys.json");
    config.sandbox.enabled = true;
    config.sandbox.difficult = true;
    config.sandbox.base_url = town.control.trim_end_matches("/control").to_owned();
    config.sandbox.api_key = format!("file:{}", data.join("sandbox-key").display());
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_signed_a_stranger_cannot_make_webhooks_look_well_or_a_secret_look_wrong() {
    let town = Town::difficult().await;
    let bank = Bank::of(&town);
    bank.knobs(&json!({ "webhook_drop_pct": 100 })).await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 25 EUR coffee").await;
    let card = town.customer.card(&code, "open").await;
    let page = to_provider(&town.customer.http, &link_of(&card, "Pay")).await;
    let says = async || {
        let (config, clock): (_, Clock) = (config_of(&town), Arc::new(crate::support::now));
        let rows = till::assemble::rows(&config).await.unwrap();
        let found = doctor::examine(&config, &rows, &clock).await.unwrap();
        rows.close().await;
        let (_, found) = found.into_iter().find(|(about, _)| about == "account sandbox (sandbox-difficult)").unwrap();
        let last = found.last().unwrap();
        format!("{:?} {}", last.verdict, last.text)
    };
    let send = async |body: String| {
        let hook = format!("{}/hooks/sandbox-difficult/sandbox", town.url);
        let hint = town.customer.http.post(hook).header("content-type", "application/x-www-form-urlencoded");
        hint.body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("garbage".into()).await, 401);
    assert_eq!(says().await, "Note no webhook has come yet", "there is no secret that could be wrong");
    let hint = format!("id={}", checkout_on(&page));
    assert_eq!(send(hint).await, 200);
    assert_eq!(says().await, "Note no webhook has come yet", "a hint that tells nothing proves nothing");
    bank.knobs(&json!({})).await;
    let pay = town.customer.http.post(&page).form(&[("card", "ok"), ("amount", "25.00")]);
    assert!(pay.send().await.unwrap().status().is_redirection());
    town.customer.card(&code, "paid").await;
    let good = eventually(async || says().await.starts_with("Good the last webhook was believed (").then_some(()));
    good.await.expect("one that led to facts is heard");
    town.stop().await;
}
