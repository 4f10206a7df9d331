//! How staff come in, and how they are kept out.

use super::shop::{ORIGIN, Shop, merchant, say};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use std::time::Duration;
use till_core::port::store::{Staff, Store as _};

const TTL: Duration = Duration::from_secs(15 * 60);

async fn enter(shop: &Shop, path: &str) -> super::shop::Answer {
    shop.send(Request::post(path).header("origin", ORIGIN).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_invitation_opens_the_desk_once() {
    let shop = Shop::open().await;
    let path = shop.web.invite("ana", TTL).await.unwrap();
    let page = shop.get(&path, "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Hello Ana") && page.text.contains("Corner &lt;Café&gt;"), "{}", page.text);
    assert_eq!(page.headers["referrer-policy"], "same-origin", "or the browser would hide the origin of the form");

    let entered = enter(&shop, &path).await;
    assert_eq!((entered.status, &entered.headers["location"]), (StatusCode::SEE_OTHER, &"/desk".parse().unwrap()));
    let set = entered.headers["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-till_staff=") && set.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{set}");
    assert!(shop.get("/desk", &entered.cookie()).await.text.contains("Ana"));

    assert_eq!(enter(&shop, &path).await.status, StatusCode::NOT_FOUND);
    assert!(shop.get(&path, "").await.text.contains("does not work any more"));
}

#[tokio::test]
async fn an_invitation_ends_with_its_time_and_with_the_job() {
    let shop = Shop::open().await;
    let late = shop.web.invite("ana", TTL).await.unwrap();
    shop.pass(TTL + Duration::from_secs(1));
    assert_eq!(enter(&shop, &late).await.status, StatusCode::NOT_FOUND);
    let nobody = shop.web.invite("bob", TTL).await.unwrap();
    assert_eq!(enter(&shop, &nobody).await.status, StatusCode::NOT_FOUND);
    let made_up = "/desk/enter/00000000000000000000000000000000";
    assert_eq!(enter(&shop, made_up).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_session_there_is_no_desk() {
    let shop = Shop::open().await;
    let (visitor, conversation) = shop.customer().await;
    let token = visitor.split('=').nth(1).unwrap().to_owned();
    for cookie in
        [String::new(), visitor, format!("__Host-till_staff={token}"), "__Host-till_staff=' OR 1=1".to_owned()]
    {
        for path in ["/desk", "/desk/stream", &format!("/desk/history?conversation={conversation}")] {
            let answer = shop.get(path, &cookie).await;
            assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NOT_FOUND, ""), "{path} {cookie}");
        }
        for path in ["/desk/say", "/desk/press", "/desk/leave"] {
            let body = json!({ "client_id": "a", "conversation": conversation, "text": "x", "token": "x" });
            let answer = shop.post(path, &cookie, &body).await;
            assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NOT_FOUND, ""), "{path} {cookie}");
        }
    }
    assert!(shop.desk.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_signs_out_is_out_and_open_pages_hear_it() {
    let shop = Shop::open().await;
    let ana = shop.ana().await;
    let mut desk = shop.follow("/desk/stream", &ana).await;
    assert_eq!(desk.history().await, ["hello"]);
    let gone = shop.post("/desk/leave", &ana, &json!({})).await;
    assert_eq!((gone.status, gone.cookie()), (StatusCode::NO_CONTENT, "__Host-till_staff=".to_owned()));
    assert_eq!(shop.get("/desk", &ana).await.status, StatusCode::NOT_FOUND);
    shop.pass(Duration::from_secs(16));
    assert_eq!(desk.next().await.unwrap().name, "bye");
    assert!(desk.next().await.is_none());
}

#[tokio::test]
async fn a_page_hears_a_beat_and_old_conversations_can_be_read_in_pages() {
    let shop = Shop::open().await;
    let (cookie, conversation) = shop.customer().await;
    shop.post("/chat/say", &cookie, &say("c1", "Hi")).await;
    let ana = shop.ana().await;
    let mut desk = shop.follow("/desk/stream?after=1000", &ana).await;
    assert_eq!(desk.history().await, ["hello".to_owned(), format!("conversation {conversation}")]);
    shop.pass(Duration::from_secs(16));
    assert_eq!(desk.next().await.unwrap().name, "beat");
    let old = shop.get(&format!("/desk/history?conversation={conversation}"), &ana).await.json();
    assert_eq!(old["lines"][0]["body"]["text"], "Hi");
    let seq = &old["lines"][0]["seq"];
    let rest = shop.get(&format!("/desk/history?conversation={conversation}&after={seq}"), &ana).await.json();
    assert_eq!(rest, json!({ "lines": [] }));
}

#[tokio::test]
async fn a_new_name_is_seen_at_once() {
    let shop = Shop::open().await;
    let (_, conversation) = shop.customer().await;
    let ana = shop.ana().await;
    let renamed = Staff { name: "Ana <b>Maria</b>".to_owned(), ..super::shop::staff("ana", "Ana") };
    shop.model.add_staff(&merchant(), &renamed).await.unwrap();
    let said = json!({ "client_id": "s1", "conversation": conversation, "text": "Hello" });
    assert_eq!(shop.post("/desk/say", &ana, &said).await.json()["line"]["name"], "Ana <b>Maria</b>");
    assert!(shop.get("/desk", &ana).await.text.contains("Ana &lt;b&gt;Maria&lt;/b&gt;"));
}
