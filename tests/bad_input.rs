//! What strangers send: each is refused with little said, and nothing of it is kept.

use crate::support::{Town, browser, event, link_of, now};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use till_core::signature;
use till_core::time::Timestamp;

/// A delivery as the sandbox would sign it, at this moment, of this type.
async fn deliver(town: &Town, body: Vec<u8>, at: Timestamp, content_type: &str, tamper: &str) -> StatusCode {
    let secret = std::fs::read_to_string(town.data.path().join("sandbox-webhook-secret")).unwrap();
    let signed = signature::sign(&secret.trim().to_owned().into(), "evt_bad", at, &body).unwrap();
    let url = format!("{}/hooks/sandbox/sandbox", town.url);
    let mut request = browser().post(url).header("content-type", content_type).body(body);
    if tamper != "no signature" {
        request =
            request.header("webhook-signature", if tamper == "signature" { "v1,AAAA".to_owned() } else { signed });
    }
    if tamper != "no id" {
        request = request.header("webhook-id", "evt_bad");
    }
    request.header("webhook-timestamp", at.secs().to_string()).send().await.unwrap().status()
}

/// Announces 10 MB, sends one byte more than is read, and gives the first line of the answer: nobody waits for the rest.
async fn begin_ten_megabytes(town: &Town) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let host = town.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!("POST /hooks/sandbox/sandbox HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n", 10 << 20);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; till::http::DELIVERY_BYTES_MAX + 1]).await.unwrap();
    let mut answer = [0; 256];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_not_the_providers_is_refused_and_changes_nothing() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 25 EUR coffee").await;
    town.customer.card(&code, "open").await;
    let good = br#"{"id":"evt_bad"}"#.to_vec();
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let json = "application/json";
    for (name, body, at, content_type, tamper) in [
        ("bad signature", good.clone(), now(), json, "signature"),
        ("no signature", good.clone(), now(), json, "no signature"),
        ("no id", good.clone(), now(), json, "no id"),
        ("stale", good.clone(), now().before(minutes(6)), json, ""),
        ("from the future", good.clone(), now().after(minutes(6)), json, ""),
        ("wrong type", good.clone(), now(), "text/plain", ""),
        ("broken", b"{\"id\":".to_vec(), now(), json, ""),
    ] {
        let status = deliver(&town, body, at, content_type, tamper).await;
        assert!(status.is_client_error(), "{name}: {status}");
    }
    assert_eq!(begin_ten_megabytes(&town).await, "HTTP/1.1 413 Payload Too Large");
    for path in ["/hooks/sandbox/other", "/hooks/stripe/sandbox", "/hooks/%00/x"] {
        let status = browser().post(format!("{}{path}", town.url)).body("{}").send().await.unwrap().status();
        assert!(status.is_client_error(), "{path}: {status}");
    }
    town.customer.card(&code, "open").await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_link_is_a_plain_404_and_a_look_changes_nothing() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 25 EUR coffee").await;
    let pay = link_of(&town.customer.card(&code, "open").await, "Pay");
    let token = pay.rsplit('/').next().unwrap();
    let mut turned = token.to_owned();
    turned.replace_range(0..1, if token.starts_with('0') { "1" } else { "0" });
    let stranger = browser();
    for path in [
        format!("/p/{turned}"),
        format!("/r/{token}"),
        format!("/p/{}", token.to_uppercase()),
        "/p/x".into(),
        "/p/%2e%2e%2fetc".into(),
        format!("/p/{}", "0".repeat(10_000)),
    ] {
        for request in [stranger.get(format!("{}{path}", town.url)), stranger.post(format!("{}{path}", town.url))] {
            let answer = request.send().await.unwrap();
            // A receipt cannot be posted to, whatever its token.
            assert!(matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED), "{path}");
            let page = answer.text().await.unwrap();
            assert!(!page.contains(&code) && (page.is_empty() || page.contains("TEST")), "{page}");
        }
    }
    let looked = stranger.get(&pay).send().await.unwrap();
    let headers = looked.headers().clone();
    assert_eq!(looked.status(), StatusCode::OK);
    assert_eq!(
        (&headers["cache-control"], &headers["referrer-policy"]),
        (&"no-store".parse().unwrap(), &"no-referrer".parse().unwrap())
    );
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_and_a_megabyte_are_refused_with_a_word_to_the_person() {
    let town = Town::new().await;
    town.conversation().await;
    // Of a megabyte, the answer may come while the rest is still being sent, which breaks the connection instead.
    let megabyte = json!({ "client_id": "megabyte", "text": "x".repeat(1 << 20) }).to_string();
    let say = format!("{}/chat/say", town.url);
    let sent = town.customer.http.post(say).header("origin", &town.url).header("content-type", "application/json");
    let refused = sent.body(megabyte).send().await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    let huge = json!({ "client_id": "huge", "text": "x".repeat(17 << 10) }).to_string();
    let refused = town.customer.post_from(&town.url, "say", huge).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(refused.json::<Value>().await.unwrap()["text"].as_str().unwrap().len() > 10);
    let mut slowed = None;
    for n in 0..200 {
        let body = json!({ "client_id": format!("flood-{n}"), "text": "hello" });
        let answer = town.customer.post("say", &body).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers().contains_key("retry-after"));
            slowed = Some((n, answer.json::<Value>().await.unwrap()));
            break;
        }
    }
    let (after, said) = slowed.expect("a flood is slowed down");
    assert!(after < 100 && said["text"].as_str().unwrap().len() > 10, "after {after}: {said}");
    // The others are not slowed down by it.
    assert_eq!(town.staff.http.get(format!("{}/healthz", town.url)).send().await.unwrap().status(), StatusCode::OK);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_elsewhere_cannot_act_and_the_demo_answers_to_its_own_name_alone() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let body = json!({ "client_id": "evil", "conversation": conversation, "text": "/pay 1 EUR" }).to_string();
    for origin in ["https://evil.example", "null", "http://127.0.0.1"] {
        let answer = town.staff.post_from(origin, "say", body.clone()).await;
        assert!(answer.status().is_client_error(), "{origin}: {}", answer.status());
    }
    let stranger = browser();
    let url = format!("{}/chat", town.url);
    for (name, value) in
        [("host", "evil.example"), ("host", "127.0.0.1"), ("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=1")]
    {
        let answer = stranger.get(&url).header(name, value).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{name}: {value}: {}", answer.status());
    }
    let code = town.staff.ask(&conversation, "/pay 25 EUR coffee").await;
    let card = town.customer.card(&code, "open").await;
    let provider_page = crate::support::to_provider(&town.customer.http, &link_of(&card, "Pay")).await;
    let answer = stranger.get(&provider_page).header("host", "evil.example").send().await.unwrap();
    assert!(answer.status().is_client_error(), "the provider in the demo: {}", answer.status());
    let front = town.staff.http.get(format!("{}/", town.url)).send().await.unwrap().text().await.unwrap();
    let control =
        front.split('"').find(|part| part.ends_with("/control")).expect("the demo leads to the bank").to_owned();
    assert_eq!(stranger.get(&control).send().await.unwrap().status(), StatusCode::OK);
    let forged = stranger.post(&control).header("origin", &town.url).form(&[("act", "close"), ("id", "co_1")]);
    assert_eq!(forged.send().await.unwrap().status(), StatusCode::FORBIDDEN, "another port is another site");
    assert_eq!(stranger.get(format!("{}/desk", town.url)).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let used = stranger.get(&town.entrance).send().await.unwrap();
    assert_eq!(used.status(), StatusCode::NOT_FOUND, "the entrance opens once");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_from_people_stays_text_everywhere() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let evil = "<script>alert(1)</script>";
    let code = town
        .staff
        .ask(&conversation, &format!("/pay 25 EUR \"{evil}\" ref:A-1 note:\"<img src=x onerror=alert(1)>\""))
        .await;
    let card = town.customer.card(&code, "open").await;
    let page = town.customer.http.get(link_of(&card, "Pay")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script") && !page.contains("<img"), "{page}");
    let provider_page = crate::support::to_provider(&town.customer.http, &link_of(&card, "Pay")).await;
    let page = town.customer.http.get(&provider_page).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_about_an_unknown_payment_of_ours_is_parked_and_somebody_elses_is_not_kept() {
    let town = Town::new().await;
    let conversation = town.conversation().await;
    let code = town.staff.ask(&conversation, "/pay 25 EUR coffee").await;
    town.customer.card(&code, "open").await;
    let send = async |labels: &Value| deliver(&town, event(labels, now()), now(), "application/json", "").await;
    assert_eq!(send(&json!({ "shop_order": "7" })).await, StatusCode::OK);
    assert_eq!(backlog(&town).await, 0, "somebody else's event is not kept");
    let ours = json!({ "till_payment": "pay_01a20485b040715c8289ec2d0a9167ec", "till_n": "1", "till_code": "K7Q2F9" });
    assert_eq!(send(&ours).await, StatusCode::OK);
    assert_eq!(backlog(&town).await, 1, "what has our reference waits");
    assert_eq!(send(&ours).await, StatusCode::OK);
    assert_eq!(backlog(&town).await, 1, "and waits once");
    town.stop().await;
}

/// How many deliveries are parked, read from the database file as a host would.
async fn backlog(town: &Town) -> u64 {
    let store = till_sqlite::Sqlite::open(&town.data.path().join("till.db")).await.unwrap();
    let parked = till_core::port::store::Store::backlog(&store).await.unwrap().parked;
    store.close().await;
    parked
}
