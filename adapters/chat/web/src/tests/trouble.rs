//! Bad input: floods, floods of bytes, other people's pages, markup, and nonsense.

use super::shop::{Answer, ORIGIN, Shop, post, say};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;

fn refused(answer: &Answer) -> (StatusCode, String) {
    let word = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(answer.json()["text"].as_str().unwrap().ends_with('.'), "a sentence for the person: {}", answer.text);
    (answer.status, word)
}

#[tokio::test]
async fn a_post_from_another_page_is_refused() {
    let shop = Shop::open().await;
    let (cookie, _) = shop.customer().await;
    let body = say("c1", "Hi").to_string();
    let request = |origin: Option<&str>, kind: &str| {
        let request = Request::post("/chat/say").header("cookie", &cookie).header("content-type", kind);
        let request = request.header("host", "shop.example");
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        request.body(Body::from(body.clone())).unwrap()
    };
    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some("http://shop.example"),
        Some("https://shop.example.evil"),
    ] {
        let answer = shop.send(request(origin, "application/json")).await;
        assert_eq!(refused(&answer), (StatusCode::FORBIDDEN, "origin".to_owned()), "{origin:?}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = shop.send(request(Some(ORIGIN), kind)).await;
        assert_eq!(refused(&answer), (StatusCode::BAD_REQUEST, "unreadable".to_owned()), "{kind}");
    }
    assert!(shop.desk.heard.lock().unwrap().is_empty());
    assert_eq!(shop.send(request(Some(ORIGIN), "application/json; charset=utf-8")).await.status, StatusCode::OK);
    let enter = shop.web.invite("ana", Duration::from_secs(60)).await.unwrap();
    let stolen = Request::post(&enter).header("origin", "https://evil.example").body(Body::empty()).unwrap();
    assert_eq!(shop.send(stolen).await.status, StatusCode::FORBIDDEN);
    assert_eq!(shop.get(&enter, "").await.status, StatusCode::OK, "and the link is still good");
}

#[tokio::test]
async fn a_megabyte_gets_a_word_instead_of_a_broken_line() {
    let shop = Shop::open().await;
    let (cookie, _) = shop.customer().await;
    for text in ["x".repeat(1_000_000), "x".repeat(3_000_000), "👩".repeat(4_001)] {
        let answer = shop.post("/chat/say", &cookie, &say("c1", &text)).await;
        assert_eq!(refused(&answer), (StatusCode::PAYLOAD_TOO_LARGE, "too-long".to_owned()));
    }
    assert_eq!(shop.post("/chat/say", &cookie, &say("c2", &"x".repeat(4_000))).await.status, StatusCode::OK);
    assert_eq!(shop.desk.heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_flood_is_slowed_down_with_a_sentence_and_nobody_else_feels_it() {
    let shop = Shop::open().await;
    let (cookie, _) = shop.customer().await;
    let (other, _) = shop.customer().await;
    let mut statuses = Vec::new();
    for n in 0..30 {
        statuses.push(shop.post("/chat/say", &cookie, &say(&format!("c{n}"), "spam")).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 20);
    let answer = shop.post("/chat/say", &cookie, &say("late", "spam")).await;
    assert_eq!(refused(&answer), (StatusCode::TOO_MANY_REQUESTS, "too-often".to_owned()));
    assert_eq!(answer.headers["retry-after"], "2");
    assert_eq!(answer.json()["text"], "That was very fast. Please wait 2 seconds, then send it again.");
    assert_eq!(shop.post("/chat/say", &other, &say("c1", "Hi")).await.status, StatusCode::OK);
    shop.pass(Duration::from_secs(2));
    assert_eq!(shop.post("/chat/say", &cookie, &say("late", "sorry")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_address_cannot_bring_customers_without_end() {
    let shop = Shop::open().await;
    let arrive = |address: &str| {
        let mut request = Request::get("/chat").body(Body::empty()).unwrap();
        request.extensions_mut().insert(address.parse::<IpAddr>().unwrap());
        shop.send(request)
    };
    let mut arrived = 0;
    for _ in 0..40 {
        arrived += usize::from(arrive("192.0.2.1").await.status == StatusCode::OK);
    }
    assert_eq!(arrived, 30);
    let full = arrive("192.0.2.1").await;
    assert_eq!((full.status, &full.headers["retry-after"]), (StatusCode::TOO_MANY_REQUESTS, &"10".parse().unwrap()));
    assert!(full.text.contains("<p>That was very fast. Please wait 10 seconds"), "a page, not JSON: {}", full.text);
    assert_eq!(arrive("192.0.2.2").await.status, StatusCode::OK);
    let desk = shop.ana().await;
    let list = shop.follow("/desk/stream", &desk).await.history().await;
    assert_eq!(list, ["hello"], "who only looks fills no list");
}

#[tokio::test]
async fn a_session_opens_only_so_many_pages() {
    let shop = Shop::open().await;
    let (cookie, _) = shop.customer().await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(shop.follow("/chat/stream", &cookie).await);
    }
    let answer = shop.get("/chat/stream", &cookie).await;
    assert_eq!(refused(&answer), (StatusCode::TOO_MANY_REQUESTS, "too-many-pages".to_owned()));
    open.pop();
    open.push(shop.follow("/chat/stream", &cookie).await);
}

#[tokio::test]
async fn nonsense_is_refused_and_reaches_nobody() {
    let shop = Shop::open().await;
    let (cookie, _) = shop.customer().await;
    let (ana, unknown) = (shop.ana().await, json!({ "client_id": "a", "conversation": "nowhere", "text": "Hi" }));
    assert_eq!(refused(&shop.post("/desk/say", &ana, &unknown).await), (StatusCode::NOT_FOUND, "not-found".to_owned()));
    let nonsense: [Value; 7] = [
        json!([]),
        json!({ "text": "Hi" }),
        say("", "Hi"),
        say(&"a".repeat(65), "Hi"),
        say("a b", "Hi"),
        say("c1", " \u{202e}\n\u{200b} "),
        json!({ "client_id": "c1", "text": "Hi", "again": "always" }),
    ];
    for body in nonsense {
        assert_eq!(refused(&shop.post("/chat/say", &cookie, &body).await).1, "unreadable", "{body}");
        shop.pass(Duration::from_secs(2));
    }
    let broken = shop.send(post("/chat/say", &cookie, "{\"client_id".to_owned())).await;
    assert_eq!(refused(&broken).1, "unreadable");
    let press = json!({ "client_id": "c1", "token": "refund pay" });
    assert_eq!(refused(&shop.post("/chat/press", &cookie, &press).await).1, "unreadable");
    let nobody = shop.post("/chat/say", "", &say("c1", "Hi")).await;
    assert_eq!(refused(&nobody), (StatusCode::UNAUTHORIZED, "signed-out".to_owned()));
    assert_eq!(shop.get("/chat/stream", "__Host-till_visitor=00000000000000000000000000000000").await.status, 401);
    assert!(shop.desk.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn pages_hold_no_script_of_their_own_and_show_markup_as_text() {
    let shop = Shop::open().await;
    let (customer, desk) = (shop.get("/chat", "").await, shop.get("/desk", &shop.ana().await).await);
    for page in [&customer, &desk] {
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("Corner &lt;Café&gt;") && !page.text.contains("<Café>"), "{}", page.text);
        assert!(!page.text.contains(" style=") && !page.text.contains(" onclick="), "{}", page.text);
        assert_eq!(page.text.matches("<script").count(), 1);
        assert!(page.text.contains("></script>"), "the one script is a file");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';") && policy.ends_with("frame-ancestors 'none'")
        );
        assert_eq!(
            (&page.headers["x-content-type-options"], &page.headers["referrer-policy"]),
            (&"nosniff".parse().unwrap(), &"no-referrer".parse().unwrap())
        );
        assert_eq!(page.headers["cache-control"], "no-store");
        for path in page.text.split('"').filter(|text| text.starts_with("/chat/assets/")) {
            let asset = shop.get(path, "").await;
            assert_eq!((asset.status, asset.text.is_empty()), (StatusCode::OK, false), "{path}");
            assert!(asset.headers["cache-control"].to_str().unwrap().ends_with("immutable"), "{path}");
        }
    }
    assert!(!customer.text.contains("web-"), "every word has its sentence: {}", customer.text);
    assert!(!desk.text.contains("web-"), "every word has its sentence: {}", desk.text);
    assert_eq!(shop.get("/chat/assets/0/chat.js", "").await.headers["cache-control"], "no-store", "another version's");
    assert_eq!(shop.get("/chat/assets/0/../../Cargo.toml", "").await.status, StatusCode::NOT_FOUND);
}
