use crate::contract::{Client, account};
use crate::stand::{SECRET, START, Stand};
use crate::webhooks::{Receiver, a_while};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use till_core::contract::seeded::Seeded;
use till_core::id::{Code, PaymentId};
use till_core::money::{Currency, Money};
use till_core::order::{CheckoutOptions, CheckoutOrder, IdemKey, Line};
use till_core::port::psp::{Ask, Fault, News, Psp as _, Reported};
use till_core::signature;
use till_core::time::Timestamp;
use till_sandbox::Sandbox;

async fn turned(stand: &Stand, knobs: Value) {
    let set = stand.turn(&knobs).await;
    assert_eq!(set.status, 200, "{set:?}");
}

fn order(stand: &Stand, seed: u64) -> CheckoutOrder {
    let (entropy, amount) = (&mut Seeded::new(seed), Money::new(2500, Currency::parse("EUR").unwrap()));
    CheckoutOrder {
        payment: PaymentId::new(stand.now(), entropy),
        n: 1,
        code: Code::new(entropy),
        amount,
        lines: vec![Line { name: "coffee".into(), quantity: 1, each: amount }],
        closes_at: stand.now().after(Duration::from_secs(3600)),
        return_url: "https://till.example/p/t".into(),
        locale: "en".into(),
        options: CheckoutOptions::default(),
    }
}

/// What Till's adapter makes of the provider's answer.
async fn create(stand: &Stand, order: &CheckoutOrder) -> Result<Reported, Fault> {
    let http = Client(stand.client.clone());
    Sandbox.create(&http, &account(stand), order, &IdemKey::create(order.payment, order.n)).await
}

async fn found(stand: &Stand, order: &CheckoutOrder) -> Result<Vec<Reported>, Fault> {
    let ask = Ask::CheckoutOf { payment: order.payment, n: 1, since: START };
    Sandbox.fetch(&Client(stand.client.clone()), &account(stand), &ask).await
}

#[tokio::test]
async fn webhooks_that_never_come_are_in_the_list_still() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(0).await;
    let stand = Stand::start(dir.path(), Some(&receiver.url)).await;
    turned(&stand, json!({"webhook_drop_pct": 100})).await;
    stand.created("k").await;
    a_while().await;
    stand.pass(Duration::from_secs(120));
    a_while().await;
    assert_eq!((receiver.came().len(), stand.kinds().await.len()), (0, 1));
    turned(&stand, json!({})).await;
    stand.created("k2").await;
    receiver.wait(1).await;
    a_while().await;
    assert_eq!(receiver.came().len(), 1, "off, everything comes once; what was dropped never does");
}

#[tokio::test]
async fn webhooks_come_twice_later_and_overtaken() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(0).await;
    let stand = Stand::start(dir.path(), Some(&receiver.url)).await;
    turned(&stand, json!({"webhook_duplicate_pct": 100})).await;
    stand.created("twice").await;
    let came = receiver.wait(2).await;
    a_while().await;
    assert_eq!(
        (receiver.came().len(), came[0].0 == came[1].0, came[0].3 == came[1].3),
        (2, true, true),
        "the same again"
    );

    turned(&stand, json!({"webhook_delay_ms": 60_000})).await;
    stand.created("late").await;
    a_while().await;
    stand.pass(Duration::from_secs(59));
    a_while().await;
    assert_eq!(receiver.came().len(), 2, "not yet");
    stand.pass(Duration::from_secs(1));
    receiver.wait(3).await;

    turned(&stand, json!({"webhook_reorder_pct": 50, "seed": 3})).await;
    for n in 0..12 {
        stand.created(&format!("k{n}")).await;
    }
    a_while().await;
    let early: BTreeSet<String> = receiver.came()[3..].iter().map(|(id, ..)| id.clone()).collect();
    let listed: Vec<String> =
        stand.events().await[2..].iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    let waits: Vec<bool> = listed.iter().map(|id| !early.contains(id)).collect();
    let first = waits.iter().position(|waits| *waits).expect("some wait");
    assert!(waits[first..].contains(&false), "a younger one came first: {waits:?}");
    stand.pass(Duration::from_secs(5));
    receiver.wait(15).await;
}

#[tokio::test]
async fn a_lie_about_money_is_what_the_provider_then_holds() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    for (knobs, minor, code) in [
        (json!({"lie_amount_pct": 100}), 2501, "EUR"),
        (json!({"lie_currency_pct": 100}), 2500, "USD"),
        (json!({}), 2500, "EUR"),
    ] {
        turned(&stand, knobs.clone()).await;
        let id = stand.created(&knobs.to_string()).await;
        stand.press(&id, "ok").await;
        let paid = json!({"minor": minor, "currency": code});
        let object = stand.get(&format!("/v1/checkouts/{id}")).await.json();
        assert_eq!((&object["payment"]["amount"], &object["amount"]["minor"]), (&paid, &json!(2500)));
        assert_eq!(stand.events().await.pop().unwrap()["data"]["object"]["payment"]["amount"], paid, "and says so");
        let back = stand.act("refund", object["payment"]["id"].as_str().unwrap()).await.json();
        assert_eq!(back["object"]["amount"], paid, "and gives back");
    }
}

#[tokio::test]
async fn a_call_too_many_or_broken_before_its_effect_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let order = order(&stand, 1);
    turned(&stand, json!({"throttle_pct": 100, "retry_after_s": 7})).await;
    let fault = create(&stand, &order).await.unwrap_err();
    assert!(matches!(fault, Fault::Later { wait: Some(wait), .. } if wait == Duration::from_secs(7)), "{fault:?}");
    assert_eq!(stand.post_d("/d/orders", "k", &stand.difficult_order()).await.error(), "429 too_many_calls");
    assert_eq!(stand.look("/control").await.status, 200, "people are not counted");
    turned(&stand, json!({"fail_before_pct": 100})).await;
    let fault = create(&stand, &order).await.unwrap_err();
    assert!(matches!(fault, Fault::Ambiguous(_)), "{fault:?}");
    turned(&stand, json!({})).await;
    assert_eq!(found(&stand, &order).await, Err(Fault::NotFound), "nothing was made");
    create(&stand, &order).await.expect("the key is as good as new");
    assert_eq!(stand.kinds().await, ["checkout.created"]);
}

#[tokio::test]
async fn a_call_that_breaks_after_its_effect_says_so_for_as_long_as_its_key_lives() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let order = order(&stand, 1);
    turned(&stand, json!({"fail_after_pct": 100})).await;
    assert!(matches!(create(&stand, &order).await, Err(Fault::Ambiguous(_))));
    assert_eq!(stand.kinds().await, ["checkout.created"], "it was made");
    turned(&stand, json!({})).await;
    assert_eq!(create(&stand, &order).await, Err(Fault::KeyTaken), "the answer is repeated, and says that it is");
    let looked_up = found(&stand, &order).await.unwrap();
    assert!(matches!(&looked_up[0].news[0], News::Checkout { n: 1, .. }), "so it is looked up");
    assert_eq!(stand.kinds().await.len(), 1, "and made once");

    turned(&stand, json!({"fail_after_pct": 100})).await;
    let mut wrong = stand.order();
    wrong["amount"]["minor"] = json!(1);
    assert_eq!(
        stand.post("/v1/checkouts", "wrong", &wrong).await.error(),
        "422 lines",
        "a refusal has no effect to break"
    );
}

#[tokio::test]
async fn a_call_that_hangs_has_had_its_effect() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    turned(&stand, json!({"hang_pct": 100, "hang_s": 600})).await;
    let request = stand.client.post(format!("{}/v1/checkouts", stand.base)).bearer_auth(crate::stand::KEY);
    let request = request.header("idempotency-key", "k").json(&stand.order()).timeout(Duration::from_millis(500));
    assert!(request.send().await.unwrap_err().is_timeout(), "no answer comes");
    turned(&stand, json!({})).await;
    assert_eq!(stand.kinds().await, ["checkout.created"], "it was made");
    assert_eq!(stand.post("/v1/checkouts", "k", &stand.order()).await.status, 200, "and is answered when asked again");
    assert_eq!(stand.kinds().await.len(), 1);
}

#[tokio::test]
async fn a_wrong_clock_dates_and_signs_wrongly_and_delivers_on_time() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(0).await;
    let stand = Stand::start(dir.path(), Some(&receiver.url)).await;
    for (skew_s, key) in [(400, "ahead"), (-400, "behind")] {
        turned(&stand, json!({"skew_s": skew_s})).await;
        let before = receiver.came().len();
        let mut order = stand.order();
        order["expires_at_ms"] = json!(stand.now().ms() + 7_200_000);
        let made = stand.post("/v1/checkouts", key, &order).await.json();
        assert_eq!(made["created_ms"], json!(stand.now().ms() + skew_s * 1000));
        let (id, time, signed, body) = receiver.wait(before + 1).await.pop().unwrap();
        assert_eq!(time.parse::<i64>().unwrap(), stand.now().secs() + skew_s);
        let secrets = [SECRET.to_owned().into()];
        let judge = |now: Timestamp| signature::verify(&secrets, &id, &time, &signed, &body, now);
        assert!(judge(stand.now()).is_err(), "outside the window");
        assert_eq!(judge(Timestamp::from_secs(stand.now().secs() + skew_s)), Ok(()));
    }
}

#[tokio::test]
async fn a_clock_that_is_put_back_makes_no_version_older_than_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    turned(&stand, json!({"skew_s": 20, "refunds_take_time": true})).await;
    let id = stand.created("k").await;
    stand.press(&id, "ok").await;
    let payment = stand.get(&format!("/v1/checkouts/{id}")).await.json()["payment"]["id"].as_str().unwrap().to_owned();
    let made = |got: crate::stand::Got| got.json()["object"]["id"].as_str().unwrap().to_owned();
    let refund = json!({"act": "refund", "id": payment, "amount": {"minor": 100, "currency": "EUR"}});
    let refund = made(stand.control("/control/act", &refund).await);
    let dispute = made(stand.act("dispute", &payment).await);
    turned(&stand, json!({"skew_s": -20})).await;
    for (act, id) in [("refund_succeeds", &refund), ("answer", &dispute), ("lose", &dispute), ("win", &dispute)] {
        assert_eq!(stand.act(act, id).await.status, 200, "{act}");
    }
    let ahead = stand.now().ms() + 20_000;
    for event in stand.events().await {
        let times = (&event["created_ms"], &event["data"]["object"]["updated_ms"]);
        assert_eq!(times, (&json!(ahead), &json!(ahead)), "{event}");
    }
}

#[tokio::test]
async fn each_knob_counts_the_trouble_it_makes() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let mishaps = async || {
        let url = format!("{}/control/mishaps", stand.base);
        let asked = stand.client.get(url).bearer_auth(crate::stand::KEY).send().await.unwrap();
        asked.json::<Value>().await.unwrap()
    };
    assert_eq!(mishaps().await, json!({}));
    turned(&stand, json!({"throttle_pct": 100})).await;
    stand.get("/v1/events").await;
    stand.get("/v1/events").await;
    turned(&stand, json!({"lie_amount_pct": 100, "fail_after_pct": 100})).await;
    assert_eq!(stand.post("/v1/checkouts", "k", &stand.order()).await.status, 500);
    turned(&stand, json!({"lie_amount_pct": 100})).await;
    let id = stand.created("other").await;
    stand.press(&id, "ok").await;
    turned(&stand, json!({})).await;
    assert_eq!(mishaps().await, json!({"throttle": 2, "fail_after": 1, "lie_amount": 1}));
    assert_eq!(stand.look("/control/mishaps").await.error(), "401 authentication");
}

#[tokio::test]
async fn somebody_elses_shop_is_loud_and_no_business_of_tills() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(0).await;
    let stand = Stand::start(dir.path(), Some(&receiver.url)).await;
    let ours = order(&stand, 1);
    create(&stand, &ours).await.unwrap();
    let made = stand.control("/control/foreign", &json!({"events": 100, "api": "plain"})).await.json();
    assert_eq!(made["events"], 102, "a payment is made, paid and refunded");
    receiver.wait(103).await;
    let (http, at) = (Client(stand.client.clone()), account(&stand));
    let page = Sandbox.list_since(&http, &at, None).await.unwrap();
    assert_eq!((page.reports.len(), page.more, page.unreadable.len()), (1, true, 0), "ours, out of a hundred");
    let page = stand.look("/control").await.text;
    assert!(page.contains(&ours.code.to_string()) && page.matches("<article").count() == 1, "nothing to play with");

    let made = stand.control("/control/foreign", &json!({"events": 3, "api": "difficult"})).await.json();
    assert_eq!(made["events"], 3);
    assert_eq!(stand.get("/d/events").await.json()["data"].as_array().unwrap().len(), 3);
    let page = till_sandbox::Difficult.list_since(&http, &at, None).await.unwrap();
    assert_eq!((page.reports.len(), page.more), (0, false));
    for wrong in [json!({"events": 0, "api": "plain"}), json!({"events": 10_001, "api": "plain"})] {
        assert_eq!(stand.control("/control/foreign", &wrong).await.error(), "422 events");
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let trouble = async |seed: u64| {
        turned(&stand, json!({"throttle_pct": 30, "fail_before_pct": 30, "seed": seed})).await;
        let mut met = Vec::new();
        for _ in 0..30 {
            met.push(stand.get("/v1/events").await.status);
        }
        met
    };
    let (first, again, other) = (trouble(1).await, trouble(1).await, trouble(2).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    for status in [200, 429, 500] {
        assert!(first.contains(&status), "{status} is among {first:?}");
    }
}

#[tokio::test]
async fn knobs_are_set_as_a_whole_shown_and_limited() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let off = stand.turn(&json!({})).await.json();
    assert!(off.as_object().unwrap().values().all(|value| *value == json!(0) || *value == json!(false)), "{off}");
    let ours = |path: &str| stand.client.post(format!("{}{path}", stand.base)).header("origin", &stand.base);
    let mut fields: Vec<(&str, &str)> = off.as_object().unwrap().keys().map(|name| (name.as_str(), "0")).collect();
    fields.retain(|(name, _)| *name != "refunds_take_time");
    fields.retain(|(name, _)| *name != "skew_s");
    fields.extend([("skew_s", "-5"), ("refunds_take_time", "true")]);
    assert_eq!(ours("/control/set").form(&fields).send().await.unwrap().headers()["location"], "/control");
    let now =
        Client(stand.client.clone()).0.get(format!("{}/control/knobs", stand.base)).bearer_auth(crate::stand::KEY);
    let now: Value = now.send().await.unwrap().json().await.unwrap();
    assert_eq!((&now["skew_s"], &now["refunds_take_time"]), (&json!(-5), &json!(true)));
    let page = stand.look("/control").await.text;
    assert!(page.contains("name=\"skew_s\" value=\"-5\"") && page.contains("value=\"true\" checked"), "{page}");
    for wrong in [json!({"throttle_pct": 101}), json!({"hang_s": 601}), json!({"skew_s": -86_401})] {
        assert_eq!(stand.turn(&wrong).await.error(), "422 knob", "{wrong}");
    }
    let odd = ours("/control/set").form(&[("throttle_pct", "many")]).send().await.unwrap();
    assert!(odd.headers()["location"].to_str().unwrap().starts_with("/control?no="));
    let forged = stand.client.post(format!("{}/control/set", stand.base)).form(&[("throttle_pct", "100")]);
    assert_eq!(forged.send().await.unwrap().status(), 403);
    let forged = stand.client.post(format!("{}/control/flood", stand.base)).form(&[("events", "3"), ("api", "plain")]);
    assert_eq!(forged.send().await.unwrap().status(), 403);
    let flood = ours("/control/flood").form(&[("events", "3"), ("api", "plain")]).send().await.unwrap();
    assert_eq!((flood.status().as_u16(), stand.kinds().await.len()), (303, 3));
    turned(&stand, json!({"throttle_pct": 1})).await;
    let now = stand.turn(&json!({})).await.json();
    assert_eq!((&now["throttle_pct"], &now["skew_s"]), (&json!(0), &json!(0)), "what is left out is off");
}
