//! What happens between a customer and the staff.

use super::shop::{Shop, say, text_of};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use till_core::card::{Card, Short};
use till_core::contract::chat::ordinary;
use till_core::contract::seeded::Seeded;
use till_core::id::PaymentId;
use till_core::order::IdemKey;
use till_core::place::PersonId;
use till_core::port::chat::{Chat as _, Rendered};
use till_core::port::desk::Ack;
use till_core::text::Locale;
use till_core::time::Timestamp;

fn key(what: &str) -> IdemKey {
    IdemKey::show(PaymentId::new(Timestamp::from_secs(9), &mut Seeded::new(1)), what)
}

fn card(shop: &Shop, title: &str) -> Rendered {
    let card = Card { title: Short::new(title), ..ordinary() };
    shop.web.render(&card, &shop.web.caps(&Shop::place("x")), &Locale::english().unwrap())
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_795_372_200)
}

#[tokio::test]
async fn what_a_customer_writes_appears_at_the_desk_and_the_answer_with_them() {
    let shop = Shop::open().await;
    let page = shop.get("/chat", "").await;
    let cookie = page.cookie();
    assert!(cookie.starts_with("__Host-till_visitor="), "{cookie}");
    let ana = shop.ana().await;
    let mut desk = shop.follow("/desk/stream", &ana).await;
    assert_eq!(desk.history().await, ["hello"], "nobody has said anything, so nobody is in the list");

    let said = shop.post("/chat/say", &cookie, &say("c1", " Hi!\u{202e}\u{0}\nA cake,  please ")).await.json();
    assert_eq!(said["ack"], "talk");
    let met = desk.next().await.unwrap();
    assert_eq!(met.name, "conversation");
    let line = desk.line().await;
    assert_eq!((text_of(&line).as_str(), &line["author"]), ("Hi!\nA cake, please", &json!("visitor")));
    assert_eq!(line["name"], met.data["name"]);
    assert!(line["name"].as_str().unwrap().starts_with("Guest "), "{line}");

    let mut chat = shop.follow("/chat/stream", &cookie).await;
    assert_eq!(chat.history().await, ["hello", "visitor: Hi!\nA cake, please"]);
    let answer = json!({ "client_id": "s1", "conversation": line["conversation"], "text": "Of course" });
    assert_eq!(shop.post("/desk/say", &ana, &answer).await.json()["line"]["author"], "staff:ana");
    let line = chat.line().await;
    assert_eq!(
        (text_of(&line).as_str(), &line["author"], &line["name"]),
        ("Of course", &json!("staff"), &json!("Ana"))
    );
}

#[tokio::test]
async fn a_command_is_answered_in_private_and_everybody_is_heard() {
    let shop = Shop::open().await;
    let (cookie, conversation) = shop.customer().await;
    let ana = shop.ana().await;
    *shop.desk.answer.lock().unwrap() = Some(Ack::Same { text: "20 s ago".into(), code: "K7Q2F9".parse().unwrap() });
    let pay = json!({ "client_id": "p1", "conversation": conversation, "text": "/pay 25 EUR coffee" });
    let same = shop.post("/desk/say", &ana, &pay).await.json();
    assert_eq!(same, json!({ "ack": "same", "text": "20 s ago", "code": "K7Q2F9" }));
    let pay =
        json!({ "client_id": "p2", "conversation": conversation, "text": "/pay 25 EUR coffee", "again": "wanted" });
    shop.post("/desk/say", &ana, &pay).await;
    shop.post("/chat/say", &cookie, &say("p1", "/pay 1 EUR")).await;
    let press = json!({ "client_id": "p3", "conversation": conversation, "token": "refund:pay_1", "amount": "5 EUR" });
    shop.post("/desk/press", &ana, &press).await;
    let heard: Vec<String> =
        shop.desk.heard.lock().unwrap().iter().map(|it| format!("{} {:?} {:?}", it.by, it.keys, it.deed)).collect();
    assert_eq!(
        heard,
        [
            "web:staff:ana [\"say:staff:ana:p1\"] Typed { text: \"/pay 25 EUR coffee\", mentions: [], again: Unasked }"
                .to_owned(),
            "web:staff:ana [\"say:staff:ana:p2\"] Typed { text: \"/pay 25 EUR coffee\", mentions: [], again: Wanted }"
                .to_owned(),
            format!(
                "web:visitor:{conversation} [\"say:visitor:{conversation}:p1\"] Typed {{ text: \"/pay 1 EUR\", mentions: [], again: Unasked }}"
            ),
            "web:staff:ana [\"press:staff:ana:p3\"] Pressed { token: \"refund:pay_1\", amount: Some(\"5 EUR\") }"
                .to_owned(),
        ]
    );
    assert_eq!(shop.follow("/chat/stream", &cookie).await.history().await, ["hello"], "nobody else saw a thing");
}

#[tokio::test]
async fn a_double_click_doubles_nothing() {
    let shop = Shop::open().await;
    let (cookie, _) = shop.customer().await;
    let (hi, again) = (say("c1", "Hi"), say("c1", "Hi"));
    let (one, two) = tokio::join!(shop.post("/chat/say", &cookie, &hi), shop.post("/chat/say", &cookie, &again));
    assert_eq!(one.json()["line"], two.json()["line"]);
    let (other, _) = shop.customer().await;
    shop.post("/chat/say", &other, &say("c1", "Hi")).await;
    assert_eq!(shop.follow("/chat/stream", &cookie).await.history().await, ["hello", "visitor: Hi"]);
    assert_eq!(
        shop.follow("/chat/stream", &other).await.history().await,
        ["hello", "visitor: Hi"],
        "ids are each one's own"
    );
}

#[tokio::test]
async fn a_customer_never_hears_what_is_for_staff() {
    let shop = Shop::open().await;
    let (cookie, conversation) = shop.customer().await;
    let place = Shop::place(&conversation);
    let at = shop.web.post(&place, &card(&shop, "Please pay"), &key("card"), now()).await.unwrap();
    let ana = PersonId { platform: "web".into(), id: "staff:ana".into() };
    let guest = PersonId { platform: "web".into(), id: format!("visitor:{conversation}") };
    let whispered = shop.web.say("declined twice", &[], &shop.web.caps(&place));
    shop.web.whisper(&ana, &place, &whispered, &key("w1"), now()).await.unwrap();
    shop.web
        .whisper(&guest, &place, &shop.web.say("your link", &[], &shop.web.caps(&place)), &key("w2"), now())
        .await
        .unwrap();

    let mut chat = shop.follow("/chat/stream", &cookie).await;
    let first = chat.line().await;
    let kinds = |line: &Value| -> Vec<String> {
        let actions = line["body"]["card"]["actions"].as_array().unwrap();
        actions.iter().map(|action| format!("{} {}", action["kind"], action["audience"])).collect()
    };
    assert_eq!(kinds(&first), ["\"link\" \"anyone\""]);
    assert!(!first.to_string().contains("/till cancel"), "{first}");
    assert_eq!(text_of(&chat.line().await), "your link");

    let desk = shop.ana().await;
    let mut desk = shop.follow("/desk/stream", &desk).await;
    assert_eq!(kinds(&desk.line().await), ["\"link\" \"anyone\"", "\"press\" \"staff\""]);
    let line = desk.line().await;
    assert_eq!((text_of(&line).as_str(), &line["private"]), ("declined twice", &json!(true)));

    let mut lost = card(&shop, "Paid");
    lost.body["more"] = json!([{ "audience": "staff", "text": "secret" }, { "audience": "anyone", "text": "fine" }]);
    lost.body["card"]["tone"] = "of another version".into();
    shop.web.edit(&at, &lost, now()).await.unwrap();
    let edited = chat.line().await;
    assert_eq!((&edited["id"], text_of(&edited).as_str()), (&first["id"], "[Paid]"));
    assert_eq!(kinds(&edited), Vec::<String>::new(), "who cannot read a card shows no button of it");
    assert_eq!(edited["body"]["more"], json!([{ "audience": "anyone", "text": "fine" }]));
}

#[tokio::test]
async fn who_was_away_reads_on_where_they_were_even_after_a_restart() {
    let shop = Shop::open().await;
    let (cookie, conversation) = shop.customer().await;
    let at = shop.web.post(&Shop::place(&conversation), &card(&shop, "Open"), &key("card"), now()).await.unwrap();
    for n in 0..250 {
        shop.pass(std::time::Duration::from_secs(2));
        shop.post("/chat/say", &cookie, &say(&format!("c{n}"), &format!("{n}"))).await;
    }
    let mut chat = shop.follow("/chat/stream", &cookie).await;
    let all = chat.history().await;
    assert_eq!((all.len(), all[1].as_str(), all[251].as_str()), (252, "till: [Open]", "visitor: 249"));

    let shop = shop.restarted().await;
    shop.web.edit(&at, &card(&shop, "Paid"), now()).await.unwrap();
    let request = |after: &str, last: Option<&str>| {
        let request = Request::get(format!("/chat/stream?after={after}")).header("cookie", &cookie);
        let request = last.into_iter().fold(request, |request, last| request.header("last-event-id", last));
        request.body(Body::empty()).unwrap()
    };
    let after_all = shop.follow_request(request("251", None)).await.history().await;
    assert_eq!(after_all, ["hello", "till: [Paid]"], "the edit comes as news; nothing else comes twice");
    let reconnected = shop.follow_request(request("3", Some("251"))).await.history().await;
    assert_eq!(reconnected, ["hello", "till: [Paid]"], "the browser's own number wins when it is newer");
}

#[tokio::test]
async fn what_another_process_writes_is_heard_within_seconds() {
    let shop = Shop::open().await;
    let (cookie, conversation) = shop.customer().await;
    let mut chat = shop.follow("/chat/stream", &cookie).await;
    chat.history().await;
    // Another process on the same store: it cannot touch this one's pulse.
    let other = Shop::over(shop.model.clone());
    let paid = other.web.render(&ordinary(), &other.web.caps(&Shop::place("x")), &Locale::english().unwrap());
    let (place, key) = (Shop::place(&conversation), key("card"));
    let later = async {
        // The stream has looked and waits now.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        other.web.post(&place, &paid, &key, now()).await.unwrap();
    };
    let (line, ()) = tokio::join!(chat.line(), later);
    assert_eq!(text_of(&line), "[Please pay coffee]");
}

#[tokio::test]
async fn when_the_till_closes_streams_end_and_the_customer_is_told_to_wait() {
    let mut shop = Shop::open().await;
    let (cookie, _) = shop.customer().await;
    let mut chat = shop.follow("/chat/stream", &cookie).await;
    chat.history().await;
    shop.stop();
    assert!(chat.next().await.is_none());
    while shop.web.desk.read().await.is_some() {
        tokio::task::yield_now().await;
    }
    let closed = shop.post("/chat/say", &cookie, &say("c1", "Hi")).await;
    assert_eq!(
        (closed.status, &closed.headers["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"2".parse().unwrap())
    );
}

#[tokio::test]
async fn who_comes_back_is_known_and_who_stays_away_is_forgotten() {
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let shop = Shop::open().await;
    let cookie = shop.get("/chat", "").await.cookie();
    shop.pass(20 * day);
    assert_eq!(shop.get("/chat", &cookie).await.cookie(), cookie, "the same session, with a later end");
    assert!(!shop.get("/chat", &cookie).await.headers.contains_key("set-cookie"), "moved once an hour at most");
    shop.pass(20 * day);
    assert_eq!(shop.get("/chat", &cookie).await.cookie(), cookie);
    shop.pass(31 * day);
    assert_ne!(shop.get("/chat", &cookie).await.cookie(), cookie, "a new customer");
    assert_eq!(shop.get("/chat/stream", &cookie).await.status, StatusCode::UNAUTHORIZED);
}
