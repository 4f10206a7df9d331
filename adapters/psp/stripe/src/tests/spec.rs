//! What is sent, against Stripe's own description of its API; what is read, against Stripe's own sample objects.

use super::*;
use crate::wire;
use fake_stripe::{Call, complaints, newer};
use serde::de::DeserializeOwned;
use till_core::order::Authentication;

const REQUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/specs/stripe-till-requests-only.json");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/specs/stripe-fixtures3.json");

fn read(path: &str, test: &str) -> Option<Value> {
    let Ok(text) = std::fs::read_to_string(path) else {
        till_core::contract::left_out(&format!("till_stripe tests::spec::{test}"), "no ../shared/specs");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// Every call that the adapter has, with every option, and every way through it.
fn broad(bench: &mut Bench) {
    let options = CheckoutOptions {
        payer_email: Some("pat@example.com".into()),
        authentication: Authentication::Always,
        without_methods: vec!["klarna".into(), "paypal".into()],
        descriptor_suffix: Some("A-17 COFFEE".into()),
    };
    let all = CheckoutOrder { options, locale: "pt-br".into(), ..bench.order(2500) };
    bench.create(&all).unwrap();
    let (order, closed) = bench.created(900);
    bench.expire(&order, &closed).unwrap();
    bench.expire(&order, &closed).unwrap();
    let paid: Vec<Paid> = (0..105).map(|_| bench.paid(2500)).collect();
    let paid = &paid[0];
    let (refund, made) = bench.refund(paid, 100);
    made.unwrap();
    for _ in 0..105 {
        bench.fake.refund_by_hand(&paid.intent, 1, None);
    }
    bench.fake.dispute(&paid.intent, 100, true);
    let capture = CaptureId::new(&paid.intent);
    let payment = paid.order.payment;
    for ask in [
        Ask::Checkout(paid.session.clone()),
        Ask::CheckoutOf { payment: order.payment, n: 1, since: NOW },
        Ask::RefundOf { payment, refund, capture: capture.clone() },
        Ask::Capture(capture),
    ] {
        bench.fetch(&ask).unwrap();
    }
    let mut cursor = None;
    for _ in 0..3 {
        cursor = Some(bench.list(cursor.as_deref()).cursor);
    }
    let mut gap = Some(format!("evt_gone@{}", NOW.secs()));
    for _ in 0..8 {
        gap = Some(bench.list(gap.as_deref()).cursor);
    }
    done(make_webhook(&bench.fake, &bench.at, "https://till.example/hooks/stripe/new")).unwrap();
    done(Stripe.examine(&bench.fake, &bench.at, Hook::Public(HOOK), NOW));
}

#[test]
fn all_that_is_sent_is_what_stripe_describes() {
    let Some(spec) = read(REQUESTS, "all_that_is_sent_is_what_stripe_describes") else { return };
    for mut bench in [Bench::new(), Bench::connected()] {
        broad(&mut bench);
        let recorded = bench.fake.recorded();
        // Permissions to write are tried with a call that says nothing; Stripe's refusal is what is wanted.
        let writes = ["/v1/checkout/sessions", "/v1/refunds"];
        let tried = |call: &fake_stripe::Recorded| {
            call.status == 400 && call.params == json!({}) && writes.contains(&call.path.as_str())
        };
        let (empty, sent): (Vec<_>, Vec<_>) = recorded.into_iter().partition(tried);
        assert_eq!(empty.len(), 2, "a session and a refund that say nothing");
        assert_eq!(complaints(&spec, &sent, &newer()), [""; 0]);
        let without_id =
            |path: &str| ["/cs_", "/pi_"].iter().find_map(|id| path.split_once(id)).map(|it| it.0.to_owned());
        let path = |call: &fake_stripe::Recorded| without_id(&call.path).unwrap_or_else(|| call.path.clone());
        let calls: std::collections::BTreeSet<String> =
            sent.iter().map(|call| format!("{} {}", call.method, path(call))).collect();
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        assert_eq!(
            calls,
            [
                "GET /v1/account",
                "GET /v1/checkout/sessions",
                "GET /v1/disputes",
                "GET /v1/events",
                "GET /v1/payment_intents",
                "GET /v1/refunds",
                "GET /v1/webhook_endpoints",
                "POST /v1/checkout/sessions",
                "POST /v1/refunds",
                "POST /v1/webhook_endpoints",
            ]
        );
        let version = ("stripe-version".to_owned(), VERSION.to_owned());
        assert!(sent.iter().all(|call| call.headers.contains(&version)), "every call names the version");
    }
}

#[test]
fn a_parameter_that_nobody_describes_is_noticed() {
    let Some(spec) = read(REQUESTS, "a_parameter_that_nobody_describes_is_noticed") else { return };
    let bench = Bench::new();
    for (path, fields) in [
        ("/v1/refunds", &[("payment_intent", "pi_1"), ("amount", "1"), ("made_up", "1")][..]),
        ("/v1/refunds", &[("payment_intent", "pi_1"), ("amount", "1.50")]),
        (
            "/v1/checkout/sessions",
            &[("mode", "payment"), ("success_url", "https://x/"), ("line_items[0][made_up]", "1")],
        ),
        ("/v1/checkout/sessions", &[("mode", "gift"), ("success_url", "https://x/")]),
    ] {
        let before = bench.fake.recorded().len();
        bench.fake.answer(&Call::new("POST", path).bearer(KEY).form(fields));
        let sent = bench.fake.recorded().split_off(before);
        assert_eq!(complaints(&spec, &sent, &newer()).len(), 1, "{fields:?}");
    }
}

fn parses<T: DeserializeOwned>(fixtures: &Value, kind: &str) -> T {
    let object = &fixtures["resources"][kind];
    assert_eq!(object["object"], kind, "the sample is there");
    serde_json::from_value(object.clone()).unwrap_or_else(|why| panic!("{kind}: {why}"))
}

#[test]
fn every_object_that_is_read_parses_from_stripes_own_sample() {
    let Some(all) = read(FIXTURES, "every_object_that_is_read_parses_from_stripes_own_sample") else { return };
    let session: wire::Session = parses(&all, "checkout.session");
    assert_eq!((session.status.as_deref(), session.payment_status.as_str()), (Some("open"), "unpaid"));
    assert!(session.expires_at.is_some() && session.url.is_some() && session.ours().is_none());
    let intent: wire::Intent = parses(&all, "payment_intent");
    assert_eq!(intent.status, "requires_payment_method");
    let charge: wire::Charge = parses(&all, "charge");
    assert_eq!((charge.currency.as_str(), charge.amount_refunded), ("usd", 0));
    let refund: wire::Refund = parses(&all, "refund");
    assert_eq!((refund.status.as_deref(), refund.amount), (Some("succeeded"), 100));
    let dispute: wire::Dispute = parses(&all, "dispute");
    assert_eq!((dispute.status.as_str(), dispute.amount), ("warning_needs_response", 1000));
    assert!(dispute.evidence_details.and_then(|details| details.due_by).is_some());
    let event: wire::Event = parses(&all, "event");
    assert_eq!((event.kind.as_str(), event.pending_webhooks), ("plan.created", 0));
    let review: wire::Review = parses(&all, "review");
    assert!(review.open && !review.reason.is_empty());
    let warning: wire::FraudWarning = parses(&all, "radar.early_fraud_warning");
    assert_eq!(warning.fraud_type, "misc");
    let endpoint: wire::Endpoint = parses(&all, "webhook_endpoint");
    assert_eq!((endpoint.status.as_str(), endpoint.secret), ("enabled", None));
    assert!(!endpoint.enabled_events.is_empty());
    let own: wire::OwnAccount = parses(&all, "account");
    assert!(own.id.starts_with("acct_") && !own.charges_enabled);
}

#[test]
fn a_sample_with_everything_expanded_is_read_too() {
    let Some(all) = read(FIXTURES, "a_sample_with_everything_expanded_is_read_too") else { return };
    let of = |kind: &str| all["resources"][kind].clone();
    let (mut session, mut intent, mut charge) = (of("checkout.session"), of("payment_intent"), of("charge"));
    let payment = "pay_0198000000007fffbfffffffffffffff";
    charge["payment_intent"] = intent["id"].clone();
    intent["latest_charge"] = charge;
    intent["status"] = json!("succeeded");
    session["payment_intent"] = intent;
    session["metadata"] = json!({"till_payment": payment, "till_n": "2"});
    session["client_reference_id"] = json!(payment);
    session["amount_total"] = json!(2500);
    session["currency"] = json!("usd");
    session["status"] = json!("complete");
    session["payment_status"] = json!("paid");
    let http = Script::new(vec![answer(200, &[], &session.to_string())]);
    let found = done(Stripe.fetch(&http, &account(), &Ask::Checkout(CheckoutId::new("cs_1")))).unwrap().remove(0);
    let told: Vec<String> = found.news.iter().map(news).collect();
    assert_eq!(told, ["checkout 2 CompletePaid 25.00 USD", "captured 25.00 USD"]);
    assert_eq!(found.as_of, Timestamp::from_secs(1_234_567_890), "when it was charged");
}
