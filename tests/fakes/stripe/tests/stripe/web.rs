//! Over real HTTP: the page, the deliveries, latency; and in process, Till's own port.

use crate::stand::{KEY, ORDER, SESSIONS};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use fake_stripe::{Fault, Settings, Stripe};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use till_core::port::http::{Http as _, HttpError, Method, Request};
use till_core::time::Timestamp;
use tokio_util::sync::CancellationToken;

const NOW: Timestamp = Timestamp::from_secs(1_795_372_200);

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    at
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

async fn made(at: &str, key: &str) -> reqwest::Response {
    let request = client().post(format!("{at}{SESSIONS}")).bearer_auth(KEY).header("idempotency-key", key);
    request.form(&ORDER).send().await.unwrap()
}

#[tokio::test]
async fn a_payer_sees_the_page_is_declined_and_pays() {
    let stripe = Stripe::new(Settings::test(), 1, Arc::new(|| NOW));
    let at = serve(stripe.router()).await;
    let session: Value = made(&at, "k1").await.json().await.unwrap();
    let id = session["id"].as_str().unwrap();
    let page = format!("{at}/c/pay/{id}");
    let look = async |query: &str| client().get(format!("{page}{query}")).send().await.unwrap();
    let press = async |card: &str| client().post(&page).form(&[("card", card)]).send().await.unwrap();
    let first = look("").await;
    assert!(first.headers()["content-security-policy"].to_str().unwrap().contains("form-action 'self'"));
    let text = first.text().await.unwrap();
    for part in ["TEST", "Two coffees × 2", "25.00", "name=\"card\" value=\"ok\"", "value=\"declined\"", "<button>Pay "]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let declined = press("declined").await;
    assert_eq!(declined.status(), StatusCode::SEE_OTHER);
    assert_eq!(declined.headers()["location"], format!("/c/pay/{id}"));
    assert!(look("").await.text().await.unwrap().contains("declined"));
    let paid = press("ok").await;
    assert_eq!(paid.headers()["location"], format!("/c/pay/{id}?paid"));
    let done = look("?paid").await.text().await.unwrap();
    assert!(
        done.contains("<h1>Paid</h1>") && done.contains(&format!("2;url=https://shop.example/back?s={id}")),
        "{done}"
    );
    assert!(look("").await.text().await.unwrap().contains("Already paid"));
    assert_eq!(press("ok").await.headers()["location"], format!("/c/pay/{id}"), "paid once");
    assert_eq!(stripe.all("charge").len(), 2);
    let nothing = client().get(format!("{at}/c/pay/cs_test_x")).send().await.unwrap();
    assert_eq!(nothing.status(), StatusCode::NOT_FOUND);
    assert!(client().get(format!("{at}/assets/fake.css")).send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn a_key_that_is_under_way_is_in_use() {
    let stripe = Stripe::new(Settings::test(), 1, Arc::new(|| NOW));
    let at = serve(stripe.router()).await;
    stripe.fail_next(SESSIONS, Fault::Slow(Duration::from_millis(300)));
    let slow = tokio::spawn({
        let at = at.clone();
        async move { made(&at, "k1").await.status() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let second = made(&at, "k1").await;
    assert_eq!(second.status(), StatusCode::CONFLICT);
    let body: Value = second.json().await.unwrap();
    assert_eq!(body["error"]["code"], "idempotency_key_in_use");
    assert_eq!(slow.await.unwrap(), StatusCode::OK);
    assert_eq!(stripe.sessions().len(), 1);
}

type Got = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

async fn hook(State(got): State<Got>, headers: HeaderMap, body: axum::body::Bytes) -> StatusCode {
    let mut got = got.lock().unwrap();
    got.push((headers["stripe-signature"].to_str().unwrap().to_owned(), body.to_vec()));
    // The first is refused, so that it comes again.
    if got.len() == 1 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

#[tokio::test]
async fn deliveries_are_posted_until_they_are_accepted() {
    let got = Got::default();
    let shop = serve(axum::Router::new().route("/hook", axum::routing::post(hook)).with_state(Arc::clone(&got))).await;
    let settings = Settings::test().endpoint(&format!("{shop}/hook"), &["whsec_a"]);
    // The first reading of the clock is the start; time then passes by itself.
    let ticks = std::sync::atomic::AtomicU64::new(0);
    let clock = move || {
        let passed = ticks.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        NOW.after(Duration::from_millis(passed * 10))
    };
    let stripe = Stripe::new(settings, 1, Arc::new(clock));
    let stop = CancellationToken::new();
    let running = tokio::spawn(stripe.clone().run(stop.clone()));
    let at = serve(stripe.router()).await;
    let session: Value = made(&at, "k1").await.json().await.unwrap();
    stripe.pay(session["id"].as_str().unwrap()).unwrap();
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if stripe.deliveries().is_empty() {
            break;
        }
    }
    stop.cancel();
    running.await.unwrap();
    let got = got.lock().unwrap();
    assert_eq!(got.len(), 5, "four events, one of them twice");
    for (header, body) in got.iter() {
        let t: i64 = header.split(',').next().unwrap().strip_prefix("t=").unwrap().parse().unwrap();
        assert_eq!(*header, fake_stripe::signature(&["whsec_a".into()], Timestamp::from_secs(t), body));
    }
}

#[tokio::test]
async fn till_s_own_port_reaches_it_without_a_socket() {
    let stripe = Stripe::new(Settings::test(), 1, Arc::new(|| NOW));
    let request = || {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(ORDER).finish();
        Request::new(Method::Post, format!("https://api.stripe.com{SESSIONS}"))
            .bearer(&KEY.to_owned().into())
            .header("idempotency-key", "k1")
            .body("application/x-www-form-urlencoded", body)
    };
    stripe.fail_next("/v1", Fault::LostBefore);
    assert!(matches!(stripe.send(request()).await, Err(HttpError::Unsent(_))));
    stripe.fail_next("/v1", Fault::LostAfter);
    assert!(matches!(stripe.send(request()).await, Err(HttpError::Unanswered(_))));
    let answer = stripe.send(request()).await.unwrap();
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, Some("true")));
    stripe.down_until(NOW.after(Duration::from_secs(1)));
    assert!(matches!(stripe.send(request()).await, Err(HttpError::Unsent(_))));
    stripe.well();
    stripe.trouble(100);
    for _ in 0..20 {
        match stripe.send(Request::new(Method::Get, "https://x/v1/balance".into()).bearer(&KEY.to_owned().into())).await
        {
            Ok(answer) => assert_eq!(answer.status, 429),
            Err(why) => assert!(matches!(why, HttpError::Unanswered(_)), "{why}"),
        }
    }
    let recorded = stripe.recorded();
    assert_eq!(recorded[0].params["line_items"][0]["quantity"], json!("2"));
    assert!(recorded.iter().all(|it| it.headers.iter().all(|(name, _)| name != "authorization")));
}
