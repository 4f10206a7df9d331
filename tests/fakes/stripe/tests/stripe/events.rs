//! Events: their shape, their pages, and how they reach an endpoint.

use crate::stand::{KEY, NOW_SECS, Stand, refusal};
use fake_stripe::{Call, Lie, Settings, signature};
use serde_json::{Value, json};
use till_core::time::Timestamp;

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn pages_go_both_ways_and_are_newest_first() {
    let stand = Stand::new();
    for _ in 0..3 {
        stand.paid();
        stand.pass(10);
    }
    let all: Vec<String> =
        stand.stripe.events().iter().rev().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(all.len(), 12);
    let page = |query: &str| stand.get(&format!("/v1/events?{query}")).json();
    let first = page("limit=5");
    assert_eq!(
        (ids(&first), &first["has_more"], &first["url"]),
        (all[..5].to_vec(), &json!(true), &json!("/v1/events"))
    );
    let second = page(&format!("limit=100&starting_after={}", all[4]));
    assert_eq!((ids(&second), &second["has_more"]), (all[5..].to_vec(), &json!(false)));
    // The three immediately newer than the oldest, not the newest three.
    let newer = page(&format!("limit=3&ending_before={}", all[11]));
    assert_eq!((ids(&newer), &newer["has_more"]), (all[8..11].to_vec(), &json!(true)));
    let last = page(&format!("limit=8&ending_before={}", all[8]));
    assert_eq!((ids(&last), &last["has_more"]), (all[..8].to_vec(), &json!(false)));
    assert_eq!(ids(&page(&format!("ending_before={}", all[0]))), Vec::<String>::new());
    assert_eq!(ids(&page("type=checkout.session.completed")).len(), 3);
    assert_eq!(ids(&page("types[]=charge.*&types[]=payment_intent.succeeded")).len(), 6);
    assert_eq!(ids(&page(&format!("created[gt]={NOW_SECS}&created[lte]={}", NOW_SECS + 10))).len(), 4);
}

#[test]
fn a_page_that_cannot_be_is_refused() {
    let stand = Stand::new();
    stand.paid();
    let oldest = stand.stripe.events()[0]["id"].as_str().unwrap().to_owned();
    let types: String = (0..21).map(|n| format!("&types[]=a{n}")).collect();
    let both = format!("starting_after={oldest}&ending_before={oldest}");
    for (query, status, code) in [
        ("limit=0", 400, json!("parameter_invalid_integer")),
        ("limit=101", 400, json!("parameter_invalid_integer")),
        ("starting_after=evt_1Nobody", 400, json!("resource_missing")),
        (&both, 400, Value::Null),
        ("type=a&types[]=b", 400, Value::Null),
        (&types, 400, Value::Null),
        ("page=2", 400, json!("parameter_unknown")),
        ("created[ge]=1", 400, json!("parameter_unknown")),
        ("expand[]=data.object", 400, Value::Null),
    ] {
        let refused = refusal(&stand.get(&format!("/v1/events?{query}")));
        assert_eq!((refused.0, refused.1), (status, code), "{query}: {}", refused.3);
    }
    let (list, one) = (format!("/v1/events?ending_before={oldest}"), format!("/v1/events/{oldest}"));
    assert_eq!((stand.get(&list).status, stand.get(&one).status), (200, 200));
    stand.pass(31 * 24 * 3600);
    assert_eq!((stand.get(&list).status, stand.get(&one).status), (400, 404), "30 days are over");
    assert_eq!(ids(&stand.get("/v1/events").json()), Vec::<String>::new());
}

#[test]
fn an_endpoint_gets_what_it_wants_signed_with_every_secret() {
    let mut settings = Settings::test().endpoint("https://till.example/hook", &["whsec_new", "whsec_old"]);
    settings.endpoints[0].events = vec!["checkout.session.completed".into(), "refund.created".into()];
    settings.endpoints[0].api_version = Some("2025-01-01.acacia".into());
    let stand = Stand::with(settings);
    let intent = stand.paid();
    let owed = stand.stripe.deliveries();
    assert_eq!(owed.iter().map(|it| &*it.kind).collect::<Vec<_>>(), ["checkout.session.completed"]);
    let body: Value = serde_json::from_slice(&owed[0].body).unwrap();
    assert_eq!((&body["api_version"], &body["pending_webhooks"]), (&json!("2025-01-01.acacia"), &json!(1)));
    assert!(body.get("account").is_none(), "an account's own events do not name it");
    assert!(owed[0].body.starts_with(b"{\n  \""), "written over lines, as Stripe does");
    let now = Timestamp::from_secs(NOW_SECS);
    let header = owed[0].signature(now);
    assert_eq!(header, signature(&["whsec_new".into(), "whsec_old".into()], now, &owed[0].body));
    assert!(owed[0].headers(now).contains(&("content-type", "application/json; charset=utf-8".into())));
    let listed = stand.get(&format!("/v1/events/{}", owed[0].event)).json();
    assert_eq!((&listed["pending_webhooks"], &listed["api_version"]), (&json!(1), &json!(fake_stripe::API_VERSION)));

    stand.stripe.refused(&owed[0]);
    let again = &stand.stripe.deliveries()[0];
    assert_eq!((again.tries, again.due.ms()), (1, now.ms() + 200));
    stand.stripe.accepted(again);
    assert!(stand.stripe.deliveries().is_empty());
    assert_eq!(stand.get(&format!("/v1/events/{}", owed[0].event)).json()["pending_webhooks"], 0);
    let refund = Call::new("POST", "/v1/refunds").bearer(KEY).header("idempotency-key", "k9");
    stand.stripe.answer(&refund.form(&[("payment_intent", &intent)]));
    let told: Value = serde_json::from_slice(&stand.stripe.deliveries()[0].body).unwrap();
    assert_eq!(told["request"]["idempotency_key"], "k9");
}

#[test]
fn a_connect_endpoint_gets_the_events_of_the_others() {
    let mut settings = Settings::test()
        .connected("acct_1Connected", "FR", "eur")
        .endpoint("https://till.example/own", &["whsec_a"])
        .endpoint("https://till.example/connect", &["whsec_b"]);
    settings.endpoints[1].connect = true;
    let stand = Stand::with(settings);
    stand.stripe.deauthorize("acct_1Connected");
    stand.paid();
    let owed = stand.stripe.deliveries();
    let connect: Vec<_> = owed.iter().filter(|it| it.url.ends_with("/connect")).collect();
    assert_eq!(connect.len(), 1);
    let body: Value = serde_json::from_slice(&connect[0].body).unwrap();
    assert_eq!(
        (&body["type"], &body["account"]),
        (&json!("account.application.deauthorized"), &json!("acct_1Connected"))
    );
    assert_eq!(owed.len(), 5);
}

#[test]
fn an_endpoint_made_by_the_api_is_told_its_secret_once_and_gets_events() {
    let stand = Stand::new();
    let form = [("url", "https://till.example/hook"), ("enabled_events[]", "*"), ("api_version", "2026-07-29.dahlia")];
    let made = stand.post("/v1/webhook_endpoints", &form).json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(secret.starts_with("whsec_"));
    let path = format!("/v1/webhook_endpoints/{id}");
    assert!(stand.get(&path).json().get("secret").is_none());
    assert_eq!(stand.get("/v1/webhook_endpoints").json()["data"][0]["id"], id);
    stand.paid();
    let owed = stand.stripe.deliveries();
    assert_eq!(owed.len(), 4);
    let now = Timestamp::from_secs(NOW_SECS);
    assert_eq!(owed[0].signature(now), signature(&[secret.to_owned()], now, &owed[0].body));
    assert_eq!(ids(&stand.get("/v1/events?delivery_success=true").json()).len(), 0);
    stand.stripe.accepted(&owed[0]);
    stand.stripe.dropped(&owed[1]);
    assert_eq!(ids(&stand.get("/v1/events?delivery_success=true").json()), [owed[0].event.clone()]);
    stand.post(&path, &[("disabled", "true")]);
    stand.paid();
    assert_eq!(stand.stripe.deliveries().len(), 2, "a disabled endpoint gets nothing new");
    let changed = stand.post(&path, &[("enabled_events[]", "charge.succeeded"), ("disabled", "false")]).json();
    assert_eq!((&changed["status"], &changed["enabled_events"]), (&json!("enabled"), &json!(["charge.succeeded"])));
    stand.paid();
    assert_eq!(stand.stripe.deliveries().len(), 3, "one event of those it wants now");
    let gone = stand.stripe.answer(&Call::new("DELETE", &path).bearer(KEY)).json();
    assert_eq!(gone, json!({"id": id, "object": "webhook_endpoint", "deleted": true}));
    assert!(stand.stripe.deliveries().is_empty());
    for (form, param) in [
        (vec![("url", "https://x.example"), ("enabled_events[]", "charge.*")], "enabled_events[0]"),
        (vec![("enabled_events[]", "*")], "url"),
        (vec![("url", "https://x.example")], "enabled_events"),
    ] {
        assert_eq!(refusal(&stand.post("/v1/webhook_endpoints", &form)).2, param);
    }
}

#[test]
fn lies_are_told_as_they_are_ordered() {
    let stand = Stand::with(Settings::test().endpoint("https://till.example/hook", &["whsec_a"]));
    let session = stand.session();
    let mut object = stand.stripe.session(&session);
    object["amount_total"] = 1.into();
    let lie = Lie {
        livemode: Some(true),
        account: Some("acct_1Other".into()),
        api_version: Some("2020-08-27".into()),
        ..Lie::new("checkout.session.completed", object.clone())
    };
    stand.stripe.event_with(lie);
    let thin = Lie { thin: true, listed: false, ..Lie::new("v1.checkout.session.completed", object) };
    let thin = stand.stripe.event_with(thin);
    let bodies: Vec<Value> =
        stand.stripe.deliveries().iter().map(|it| serde_json::from_slice(&it.body).unwrap()).collect();
    assert_eq!(bodies[0]["data"]["object"]["amount_total"], 1);
    let envelope = [&bodies[0]["livemode"], &bodies[0]["account"], &bodies[0]["api_version"]];
    assert_eq!(envelope, [&json!(true), &json!("acct_1Other"), &json!("2020-08-27")]);
    assert_eq!((&bodies[1]["object"], &bodies[1]["id"]), (&json!("v2.core.event"), &json!(thin)));
    assert!(bodies[1].get("data").is_none());
    assert_eq!(ids(&stand.get("/v1/events").json()).len(), 1, "the thin one is not listed");
}
