use crate::stand::{Got, Stand};
use serde_json::json;
use std::time::Duration;

fn has(page: &Got, words: &[&str]) {
    for word in words {
        assert!(page.text.contains(word), "`{word}` is not on the page:\n{}", page.text);
    }
}

#[tokio::test]
async fn the_payer_chooses_a_card_and_is_led_back_to_the_shop() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    let page = stand.look(&format!("/pay/{id}")).await;
    assert_eq!(page.status, 200);
    let back = "href=\"https://till.example/p/t?a=1&amp;b=2\"";
    has(&page, &["TEST", "No money moves here", "25.00 EUR", "coffee × 2", "Pay 25.00 EUR", "Reference K7Q2F9", back]);
    assert!(!page.text.contains("type=\"text\"") && !page.text.contains("<script"), "nothing can be typed");

    let pressed = stand.press(&id, "ok").await;
    assert_eq!((pressed.status, pressed.header("location")), (303, format!("/pay/{id}?paid").as_str()));
    let paid = stand.look(pressed.header("location")).await;
    has(
        &paid,
        &["Paid", "Taking you back to the shop…", "content=\"2;url=https://till.example/p/t?a=1&amp;b=2\"", back],
    );
    let later = stand.look(&format!("/pay/{id}")).await;
    has(&later, &["Already paid", back]);
    assert!(!later.text.contains("http-equiv") && !later.text.contains("<button"), "nobody is sent off or asked again");
    assert_eq!(stand.press(&id, "ok").await.header("location"), format!("/pay/{id}"));
}

#[tokio::test]
async fn a_declined_card_is_said_and_another_one_works() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    assert!(!stand.look(&format!("/pay/{id}")).await.text.contains("declined.</strong>"));
    let pressed = stand.press(&id, "declined").await;
    assert_eq!((pressed.status, pressed.header("location")), (303, format!("/pay/{id}").as_str()));
    has(&stand.look(&format!("/pay/{id}")).await, &["The card was declined.", "Nothing was paid.", "Pay 25.00 EUR"]);
    let event = stand.events().await.pop().unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["object"]["status"]),
        (&json!("checkout.attempt_failed"), &json!("open"))
    );
    assert_eq!(event["data"]["attempt"]["code"], "card_declined");
    assert!(stand.press(&id, "ok").await.header("location").ends_with("?paid"));
}

#[tokio::test]
async fn an_expired_or_unknown_page_says_so_and_takes_no_money() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    stand.pass(Duration::from_secs(3600));
    assert_eq!(stand.press(&id, "ok").await.header("location"), format!("/pay/{id}"));
    let page = stand.look(&format!("/pay/{id}?paid")).await;
    has(&page, &["This page has expired", "Nothing was paid here"]);
    assert!(!page.text.contains("<button"));
    let unknown = stand.look("/pay/co_0").await;
    assert_eq!(unknown.status, 404);
    has(&unknown, &["There is no such payment page", "TEST"]);
    assert_eq!(stand.press("co_0", "ok").await.status, 404);
    assert_eq!(stand.kinds().await, ["checkout.created", "checkout.expired"]);
}

#[tokio::test]
async fn a_press_without_a_card_shows_the_page_again() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    for card in ["", "4242424242424242"] {
        assert_eq!(stand.press(&id, card).await.header("location"), format!("/pay/{id}"));
    }
    assert_eq!(stand.kinds().await, ["checkout.created"]);
}

#[tokio::test]
async fn text_from_outside_is_shown_as_text() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let mut order = stand.order();
    order["lines"][0]["name"] = json!("<script>alert('x')</script>\"");
    order["metadata"]["till_code"] = json!("<img src=x>");
    order["return_url"] = json!("https://till.example/\"><script>");
    let made = stand.post("/v1/checkouts", "k", &order).await.json();
    let path = format!("/pay/{}", made["id"].as_str().unwrap());
    let open = stand.look(&path).await;
    stand.press(made["id"].as_str().unwrap(), "ok").await;
    for page in [open, stand.look(&format!("{path}?paid")).await] {
        has(&page, &["&lt;script&gt;alert('x')&lt;/script&gt;&quot;", "&lt;img src=x&gt;"]);
        assert!(!page.text.contains("<script") && !page.text.contains("<img"), "{}", page.text);
    }
}

#[tokio::test]
async fn every_page_allows_nothing_but_its_own_style_and_form() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let id = stand.created("k").await;
    for path in [format!("/pay/{id}"), "/pay/co_0".into()] {
        let page = stand.look(&path).await;
        assert_eq!(
            page.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
        assert!(!page.text.contains("style=") && !page.text.contains("<style"), "the policy would drop inline style");
    }
    let style = stand.look("/assets/sandbox.css").await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
}
