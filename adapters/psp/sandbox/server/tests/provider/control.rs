use crate::stand::{Got, KEY, Stand};
use axum::extract::ConnectInfo;
use serde_json::json;
use std::net::SocketAddr;
use tower::ServiceExt as _;

async fn form(stand: &Stand, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Got {
    let request = stand.client.post(format!("{}/control", stand.base)).form(fields);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Got::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_button_does_what_it_says_and_leads_back_to_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    stand.press(&id, "debit").await;
    let page = stand.look("/control").await;
    for words in ["TEST", "Play the bank", "K7Q2F9", "25.00 EUR", "The debit succeeds", "value=\"debit_fails\""] {
        assert!(page.text.contains(words), "`{words}` is not on the page: {}", page.text);
    }
    let ours = [("origin", stand.base.as_str())];
    let done = form(&stand, &ours, &[("act", "debit_succeeds"), ("id", &id), ("row", &id)]).await;
    assert_eq!((done.status, done.header("location")), (303, format!("/control#{id}").as_str()));
    let page = stand.look("/control").await;
    for words in ["paid", "The payer disputes it", "name=\"amount\"", "value=\"25.00\""] {
        assert!(page.text.contains(words), "`{words}` is not on the page: {}", page.text);
    }
    let payment = stand.get(&format!("/v1/checkouts/{id}")).await.json()["payment"]["id"].as_str().unwrap().to_owned();
    let refund = |amount: &'static str| {
        let fields = [
            ("act", "refund"),
            ("id", payment.as_str()),
            ("row", id.as_str()),
            ("amount", amount),
            ("currency", "EUR"),
        ];
        let fields = fields.map(|(name, value)| (name, value.to_owned()));
        let stand = &stand;
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            form(stand, &[("sec-fetch-site", "same-origin")], &fields).await
        }
    };
    let odd = refund("12,5").await;
    assert!(stand.look(odd.header("location")).await.text.contains("`12,5` is not an amount of EUR"), "{odd:?}");
    refund("12.50").await;
    assert!(stand.look("/control").await.text.contains("Refund of 12.50 EUR"));
    let again = form(&stand, &ours, &[("act", "debit_succeeds"), ("id", &id), ("row", &id)]).await;
    assert!(again.header("location").starts_with("/control?no="), "{again:?}");
    assert!(stand.look(again.header("location")).await.text.contains("Not done."));
}

#[tokio::test]
async fn another_site_in_the_same_browser_cannot_play_the_bank() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    let fields = [("act", "close"), ("id", id.as_str())];
    let foreign: [&[(&str, &str)]; 7] = [
        &[],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", &stand.base)],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        // A name of theirs that leads to this machine is their own origin, and not ours.
        &[("host", "evil.example:80"), ("origin", "http://evil.example:80"), ("sec-fetch-site", "same-origin")],
    ];
    for headers in foreign {
        assert_eq!(form(&stand, headers, &fields).await.status, 403, "{headers:?}");
    }
    assert_eq!(stand.kinds().await, ["checkout.created"], "nothing was done");
    let named = stand.client.get(format!("{}/control", stand.base)).header("host", "evil.example");
    assert_eq!(named.send().await.unwrap().status(), 403, "nor read");
}

/// What a request gets that comes from this address, or from nowhere.
async fn from(
    stand: &Stand,
    peer: Option<&str>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> u16 {
    let mut request = axum::http::Request::builder().method(method).uri(path);
    if let Some(peer) = peer {
        request = request.extension(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 40_000)));
    }
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(axum::body::Body::from(body.to_owned())).unwrap();
    stand.router().oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn who_does_not_sit_at_this_computer_cannot_play_the_bank_whatever_they_say_of_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start_with(dir.path(), |config| config.public_url = "https://pay.example".into()).await;
    let id = stand.created("k").await;
    let form = [
        ("host", "localhost"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let pressed = format!("act=close&id={id}");
    let forms =
        [("/control", &*pressed), ("/control/set", "throttle_pct=50"), ("/control/flood", "events=1&api=plain")];
    type Stranger<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)]);
    let strangers: [Stranger<'_>; 8] = [
        (Some("198.51.100.7"), &[]),
        (Some("10.0.0.2"), &[]),
        (Some("::ffff:198.51.100.7"), &[]),
        (None, &[]),
        (Some("127.0.0.1"), &[("x-forwarded-for", "127.0.0.1")]),
        (Some("127.0.0.1"), &[("forwarded", "for=127.0.0.1")]),
        (Some("::1"), &[("via", "1.1 proxy")]),
        (Some("127.0.0.1"), &[("host", "pay.example")]),
    ];
    for (peer, more) in strangers {
        let named = more.iter().any(|(name, _)| *name == "host");
        let headers: Vec<_> = form.iter().skip(usize::from(named)).chain(more).copied().collect();
        for (path, body) in forms {
            assert_eq!(from(&stand, peer, "POST", path, &headers, body).await, 403, "{peer:?} {more:?} {path}");
        }
        assert_eq!(from(&stand, peer, "GET", "/control", &headers, "").await, 403, "{peer:?} {more:?}");
        assert_eq!(
            from(&stand, peer, "GET", &format!("/pay/{id}"), &headers, "").await,
            200,
            "payers come from anywhere"
        );
    }
    assert_eq!(stand.kinds().await, ["checkout.created"], "nothing was done");
    let program = [("authorization", &*format!("Bearer {KEY}")), ("content-type", "application/json")];
    let body = json!({"act": "close", "id": id}).to_string();
    assert_eq!(
        from(&stand, Some("198.51.100.7"), "POST", "/control/act", &program, &body).await,
        200,
        "the key is enough"
    );
    for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(from(&stand, Some(peer), "GET", "/control", &form, "").await, 200);
        assert_eq!(from(&stand, Some(peer), "POST", "/control", &form, &pressed).await, 303);
    }
}

#[tokio::test]
async fn a_program_shows_the_api_key() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    for path in ["/control/act", "/control/knobs"] {
        let body = json!({"act": "close", "id": id});
        let sent = stand.client.post(stand.base.clone() + path).json(&body).bearer_auth("sk_test_other").send().await;
        assert_eq!(sent.unwrap().status(), 401, "{path}");
    }
    assert_eq!(stand.look("/control/knobs").await.error(), "401 authentication");
    for wrong in [json!({"act": "explode", "id": id}), json!({"id": id}), json!({"act": "close", "id": id, "x": 1})] {
        assert_eq!(stand.control("/control/act", &wrong).await.error(), "400 invalid_request");
    }
    assert_eq!(stand.turn(&json!({"no_such_knob": 1})).await.error(), "400 invalid_request");
    assert_eq!(stand.act("close", &id).await.json()["done"], "close");
    assert!(KEY.starts_with("sk_test_"));
}

#[tokio::test]
async fn without_the_setting_there_is_no_control_page() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start_with(dir.path(), |config| config.control = false).await;
    assert_eq!(stand.look("/control").await.status, 404);
    assert_eq!(stand.control("/control/act", &json!({"act": "close", "id": "co_1"})).await.status, 404);
    assert_eq!(stand.turn(&json!({})).await.status, 404);
}

#[tokio::test]
async fn the_page_is_strict_and_shows_text_from_outside_as_text() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let mut order = stand.order();
    order["metadata"]["till_code"] = json!("<script>alert(1)</script>");
    stand.post("/v1/checkouts", "k", &order).await;
    let page = stand.look("/control?no=%3Cimg%20src%3Dx%3E").await;
    assert!(page.text.contains("&lt;script&gt;") && page.text.contains("&lt;img"), "{}", page.text);
    assert!(!page.text.contains("<script") && !page.text.contains("<img") && !page.text.contains("style="));
    assert!(
        page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'; form-action 'self'")
    );
    assert_eq!(page.header("referrer-policy"), "same-origin", "else the browser would not say whose form it is");
    assert_eq!(stand.look("/assets/control.css").await.header("content-type"), "text/css; charset=utf-8");
}
