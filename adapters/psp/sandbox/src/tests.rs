//! The adapter against a script: the bytes it sends, and what it makes of every kind of answer.

use super::*;
use serde_json::{Value, json};
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use till_core::id::{AccountId, CaptureId, Code, PaymentId, RefundId};
use till_core::money::{Currency, Money};
use till_core::order::{Authentication, CheckoutOptions, Line};
use till_core::payment::{CheckoutState, DisputeState, RefundState};
use till_core::port::http::{HttpError, Request, Response};
use till_core::port::psp::{Access, AccountSettings, News};

pub(crate) const PAYMENT: &str = "pay_0198000000007fffbfffffffffffffff";
pub(crate) const REFUND: &str = "ref_0198000000007fffbfffffffffffffff";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Gives one answer after another, and keeps what was asked.
pub(crate) struct Script {
    answers: Mutex<Vec<Result<Response, HttpError>>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    pub(crate) fn new(answers: Vec<Result<Response, HttpError>>) -> Self {
        Self { answers: Mutex::new(answers), asked: Mutex::default() }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Http for Script {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        assert!(request.bearer.is_some(), "every call is authorised");
        self.asked.lock().unwrap().push(format!("{:?} {}\n{headers}\n{body}", request.method, request.url));
        self.answers.lock().unwrap().remove(0)
    }
}

pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("a script never waits"),
    }
}

pub(crate) fn says(status: u16, body: &Value) -> Result<Response, HttpError> {
    let headers = vec![("retry-after".to_owned(), "7".to_owned())];
    Ok(Response { status, headers, body: body.to_string().into() })
}

pub(crate) fn account() -> Account {
    Account {
        id: AccountId::new("sandbox"),
        base_url: "http://127.0.0.1:4242".into(),
        secret: "sk_test_1".to_owned().into(),
        provider_account: "acct_sandbox".into(),
        livemode: false,
        webhook_secrets: vec![SECRET.to_owned().into()],
        since: Timestamp::default(),
        access: Access::Own,
        settings: AccountSettings::default(),
    }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

pub(crate) fn order() -> CheckoutOrder {
    CheckoutOrder {
        payment: PAYMENT.parse().unwrap(),
        n: 1,
        code: "K7Q2F9".parse::<Code>().unwrap(),
        amount: eur(2500),
        lines: vec![Line { name: "coffee \"x\"".into(), quantity: 2, each: eur(1250) }],
        closes_at: Timestamp::from_ms(1_795_372_200_000),
        return_url: "https://till.example/p/t".into(),
        locale: "en".into(),
        options: till_core::order::CheckoutOptions::default(),
    }
}

fn checkout(status: &str, payment_status: &str) -> Value {
    let paid = json!({"id": "py_1", "amount": {"minor": 2500, "currency": "EUR"}, "new": 1});
    json!({
        "object": "checkout", "id": "co_1", "account": "acct_sandbox", "livemode": false, "status": status,
        "payment_status": payment_status, "amount": {"minor": 2500, "currency": "EUR"}, "url": "http://x/pay/co_1",
        "expires_at_ms": 1_795_372_200_000_i64, "created_ms": 1000, "updated_ms": 2000, "now_ms": 3000,
        "metadata": {"till_payment": PAYMENT, "till_n": "1", "till_code": "K7Q2F9", "other": 7},
        "payment": if payment_status == "paid" { paid } else { Value::Null }, "a_field_of_tomorrow": [],
    })
}

fn refund(status: &str) -> Value {
    json!({
        "object": "refund", "id": "re_1", "account": "acct_sandbox", "livemode": false, "status": status,
        "payment": "py_1", "checkout": "co_1", "amount": {"minor": 100, "currency": "EUR"}, "updated_ms": 2000,
        "metadata": {"till_payment": PAYMENT, "till_refund": REFUND}, "now_ms": 3000,
    })
}

fn event(kind: &str, object: &Value) -> Value {
    let mut data = json!({"object": object});
    if kind == "checkout.attempt_failed" {
        data["attempt"] = json!({"id": "at_1", "code": "card_declined"});
    }
    json!({
        "id": "evt_1", "type": kind, "created_ms": 2500, "account": "acct_sandbox", "livemode": false, "data": data,
    })
}

fn created(answer: Result<Response, HttpError>) -> Result<Reported, Fault> {
    let order = order();
    now(Sandbox.create(&Script::new(vec![answer]), &account(), &order, &IdemKey::create(order.payment, 1)))
}

#[test]
fn the_same_order_makes_these_bytes_every_time() {
    let http = Script::new((0..2).map(|_| says(200, &checkout("open", "unpaid"))).collect());
    for _ in 0..2 {
        let order = order();
        now(Sandbox.create(&http, &account(), &order, &IdemKey::create(order.payment, 1))).unwrap();
    }
    let asked = http.asked.lock().unwrap();
    // Changed bytes make every order that is under way another one for the provider: change them only with care.
    assert_eq!(
        asked[0],
        "Post http://127.0.0.1:4242/v1/checkouts\n\
         idempotency-key: till:pay_0198000000007fffbfffffffffffffff:create:1\n\
         content-type: application/json\n\n\
         {\"amount\":{\"minor\":2500,\"currency\":\"EUR\"},\
         \"lines\":[{\"name\":\"coffee \\\"x\\\"\",\"quantity\":2,\"each_minor\":1250}],\
         \"metadata\":{\"till_payment\":\"pay_0198000000007fffbfffffffffffffff\",\"till_n\":\"1\",\"till_code\":\"K7Q2F9\"},\
         \"return_url\":\"https://till.example/p/t\",\"expires_at_ms\":1795372200000,\"locale\":\"en\"}"
    );
    assert_eq!(asked[0], asked[1]);
}

#[test]
fn a_refund_and_a_close_make_these_bytes() {
    let order = RefundOrder {
        payment: PAYMENT.parse().unwrap(),
        refund: REFUND.parse().unwrap(),
        capture: CaptureId::new("py_1"),
        amount: eur(100),
    };
    let http = Script::new(vec![says(200, &refund("succeeded")), says(200, &checkout("expired", "unpaid"))]);
    now(Sandbox.refund(&http, &account(), &order, &IdemKey::refund(order.payment, order.refund))).unwrap();
    let key = IdemKey::expire(order.payment, 1);
    now(Sandbox.expire(&http, &account(), &CheckoutId::new("co_1"), &key)).unwrap();
    let asked = http.asked.lock().unwrap();
    assert_eq!(
        asked[0],
        format!(
            "Post http://127.0.0.1:4242/v1/refunds\nidempotency-key: till:{PAYMENT}:refund:{REFUND}\n\
             content-type: application/json\n\n{{\"payment\":\"py_1\",\"amount\":{{\"minor\":100,\"currency\":\"EUR\"}},\
             \"metadata\":{{\"till_payment\":\"{PAYMENT}\",\"till_refund\":\"{REFUND}\"}}}}"
        )
    );
    assert_eq!(
        asked[1],
        format!(
            "Post http://127.0.0.1:4242/v1/checkouts/co_1/expire\nidempotency-key: till:{PAYMENT}:expire:1\n\
             content-type: application/json\n\n{{}}"
        )
    );
}

#[test]
fn every_failure_says_who_acts() {
    let wait = Some(Duration::from_secs(7));
    let problem = |kind: &str| json!({"error": {"type": kind, "message": "amount must be\n more than 0"}});
    let of = |status, kind: &str| created(says(status, &problem(kind))).unwrap_err();
    assert_eq!(of(400, "invalid_request"), Fault::Refused("amount must be more than 0".into()));
    assert_eq!(of(422, "amount"), Fault::Refused("amount must be more than 0".into()));
    let credentials = Fault::Credentials("amount must be more than 0".into());
    assert_eq!((of(401, "x"), of(403, "x")), (credentials.clone(), credentials));
    assert_eq!(of(422, "charge_disputed"), Fault::Refused("charge_disputed".into()));
    assert_eq!(of(404, "not_found"), Fault::NotFound);
    assert_eq!(of(409, "idempotency_error"), Fault::KeyTaken);
    assert_eq!(of(409, "already_complete"), Fault::AlreadyComplete);
    assert!(matches!(of(429, "x"), Fault::Later { wait: it, .. } if it == wait));
    assert!(matches!(of(503, "x"), Fault::Later { wait: it, .. } if it == wait));
    for (status, kind) in [(500, "x"), (502, ""), (504, "")] {
        assert!(matches!(of(status, kind), Fault::Ambiguous(_)), "{status}");
    }
    let again = vec![("idempotent-replayed".to_owned(), "true".to_owned())];
    let repeated = Response { status: 500, headers: again, body: problem("internal").to_string().into() };
    assert_eq!(created(Ok(repeated)), Err(Fault::KeyTaken), "the key says nothing else any more");
    // A 404 or 409 that is not the provider's own says nothing about the order: somebody else answered.
    for (status, kind) in [(404, ""), (409, ""), (302, ""), (418, ""), (201, "")] {
        assert!(matches!(of(status, kind), Fault::Unreadable(_)), "{status}");
    }
    assert!(matches!(created(Err(HttpError::Unsent("x".into()))), Err(Fault::Later { wait: None, .. })));
    assert!(matches!(created(Err(HttpError::Unanswered("x".into()))), Err(Fault::Ambiguous(_))));
    assert!(matches!(created(Err(HttpError::TooBig)), Err(Fault::Unreadable(_))));
    for garbage in [json!(null), json!([]), json!({"id": "co_1"}), json!("<html>")] {
        assert!(matches!(created(says(200, &garbage)), Err(Fault::Unreadable(_))), "{garbage}");
    }
    assert_eq!(created(says(422, &json!("<html>"))), Err(Fault::Refused("status 422 ``".into())));
}

#[test]
fn an_unknown_state_is_pending_and_an_unknown_field_is_nothing() {
    let state = |status, paid| match &created(says(200, &checkout(status, paid))).unwrap().news[0] {
        News::Checkout { n: 1, state, .. } => Some(*state),
        _ => None,
    };
    assert_eq!(state("open", "unpaid"), Some(CheckoutState::Open));
    assert_eq!(state("complete", "paid"), Some(CheckoutState::CompletePaid));
    assert_eq!(state("complete", "failed"), Some(CheckoutState::Failed));
    assert_eq!(state("expired", "unpaid"), Some(CheckoutState::Expired));
    assert_eq!(state("complete", "unpaid"), Some(CheckoutState::CompleteUnpaid));
    for (status, paid) in
        [("complete", "processing"), ("complete", "sort_of"), ("completed", "paid"), ("", "paid"), ("frozen", "unpaid")]
    {
        assert_eq!(state(status, paid), Some(CheckoutState::CompleteUnpaid), "{status} {paid}");
    }
    let refund = read::refund(&serde_json::from_value(refund("thinking")).unwrap()).unwrap();
    assert!(matches!(&refund.news[..], [News::Refund { state: RefundState::Pending, .. }]));
    let mut lacks = checkout("complete", "paid");
    lacks["payment"] = Value::Null;
    assert!(matches!(created(says(200, &lacks)), Err(Fault::Unreadable(_))), "paid without a payment is not paid");
}

#[test]
fn an_answer_carries_the_time_of_the_change_and_reads_the_same_twice() {
    let first = created(says(200, &checkout("complete", "paid"))).unwrap();
    assert_eq!((first.event.as_str(), first.as_of.ms()), ("fetch:co_1:paid:2000", 2000));
    assert_eq!((first.provider_account.as_str(), first.livemode), ("acct_sandbox", false));
    let mut later = checkout("complete", "paid");
    later["now_ms"] = json!(9000);
    assert_eq!(created(says(200, &later)), Ok(first.clone()));
    let [News::Checkout { url: None, .. }, News::Captured { capture, amount, .. }] = &first.news[..] else {
        panic!("{first:?}")
    };
    assert_eq!((capture.as_str(), *amount), ("py_1", eur(2500)));
}

fn evidence(kind: &str, object: &Value) -> Evidence {
    read::event(&serde_json::from_value(event(kind, object)).unwrap()).unwrap()
}

#[test]
fn events_are_facts_hints_or_somebody_elses() {
    let Evidence::Facts(report) = evidence("checkout.attempt_failed", &checkout("open", "unpaid")) else { panic!() };
    assert_eq!((report.event.as_str(), report.as_of.ms()), ("evt_1", 2500));
    let [News::Checkout { .. }, News::AttemptFailed { attempt, why, .. }] = &report.news[..] else {
        panic!("{report:?}")
    };
    assert_eq!((attempt.as_str(), why.as_str()), ("at_1", "card_declined"));

    let payment: PaymentId = PAYMENT.parse().unwrap();
    let hint = |ask| Evidence::Hint { event: "evt_1".into(), ask };
    assert_eq!(
        evidence("checkout.frozen", &checkout("frozen", "")),
        hint(Ask::CheckoutOf { payment, n: 1, since: Timestamp::from_ms(2500) })
    );
    let id: RefundId = REFUND.parse().unwrap();
    let lost = Ask::RefundOf { payment, refund: id, capture: CaptureId::new("py_1") };
    assert_eq!(evidence("refund.lost", &refund("lost")), hint(lost));
    assert_eq!(evidence("payout.paid", &json!({"id": "po_1"})), Evidence::Foreign);
    assert_eq!(evidence("payout.paid", &json!("text")), Evidence::Foreign);

    let mut theirs = checkout("complete", "paid");
    theirs["metadata"] = json!({"till_payment": "order 7", "till_n": "1"});
    assert_eq!(evidence("checkout.completed", &theirs), Evidence::Foreign);
    assert_eq!(evidence("checkout.frozen", &theirs), Evidence::Foreign);
}

fn dispute(status: &str) -> Value {
    let eur = |minor: i64| json!({"minor": minor, "currency": "EUR"});
    json!({
        "object": "dispute", "id": "dp_1", "account": "acct_sandbox", "livemode": false, "status": status,
        "payment": "py_1", "checkout": "co_1", "amount": eur(2500), "withdrawn": eur(2500), "moves": 1,
        "answer_by_ms": 9000, "created_ms": 1000, "updated_ms": 2000, "now_ms": 3000,
        "payment_metadata": {"till_payment": PAYMENT},
    })
}

#[test]
fn every_word_about_a_dispute_is_read_and_an_unknown_one_is_being_decided() {
    let words = [
        ("warning_needs_response", DisputeState::WarningNeedsResponse),
        ("warning_under_review", DisputeState::WarningUnderReview),
        ("warning_closed", DisputeState::WarningClosed),
        ("needs_response", DisputeState::NeedsResponse),
        ("under_review", DisputeState::UnderReview),
        ("won", DisputeState::Won),
        ("lost", DisputeState::Lost),
        ("prevented", DisputeState::Prevented),
        ("pondered", DisputeState::UnderReview),
    ];
    for (word, is) in words {
        for kind in ["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"] {
            let Evidence::Facts(report) = evidence(&format!("dispute.{kind}"), &dispute(word)) else {
                panic!("{kind}")
            };
            let [News::Dispute { capture, amount, state, withdrawn, moves: 1, answer_by, .. }] = &report.news[..]
            else {
                panic!("{report:?}")
            };
            assert_eq!((capture.as_str(), *amount, *state, *withdrawn), ("py_1", eur(2500), is, eur(2500)), "{word}");
            assert_eq!(answer_by.map(Timestamp::ms), Some(9000));
        }
    }
    let ask = Ask::Capture(CaptureId::new("py_1"));
    let hint = Evidence::Hint { event: "evt_1".into(), ask };
    assert_eq!(evidence("dispute.pondered", &dispute("pondered")), hint, "an unknown event is looked up");
    let mut theirs = dispute("won");
    theirs["payment_metadata"] = json!({});
    assert_eq!(evidence("dispute.closed", &theirs), Evidence::Foreign);
}

#[test]
fn money_that_the_bank_took_back_is_told_of_by_event_and_by_look_up() {
    let payment = json!({
        "object": "payment", "id": "py_1", "status": "reversed", "payment_metadata": {"till_payment": PAYMENT},
    });
    let Evidence::Facts(report) = evidence("payment.reversed", &payment) else { panic!() };
    assert_eq!(report.news, [News::CaptureReversed { capture: CaptureId::new("py_1") }]);
    let mut whole = payment.clone();
    whole["status"] = json!("succeeded");
    assert!(
        read::event(&serde_json::from_value(event("payment.reversed", &whole)).unwrap()).is_err(),
        "it says it is not"
    );

    let mut paid = checkout("complete", "paid");
    paid["payment"]["reversed_ms"] = json!(8000);
    let (paid, none) = (json!({"data": [paid]}), json!({"data": []}));
    let asked = json!({"data": [dispute("lost")]});
    let http = Script::new(vec![says(200, &paid), says(200, &none), says(200, &asked)]);
    let found = now(Sandbox.fetch(&http, &account(), &Ask::Capture(CaptureId::new("py_1")))).unwrap();
    let told: Vec<(&str, i64)> = found.iter().map(|it| (it.event.as_str(), it.as_of.ms())).collect();
    assert_eq!(
        told,
        [("fetch:co_1:paid:2000", 2000), ("fetch:py_1:reversed:8000", 8000), ("fetch:dp_1:lost.1:2000", 2000)]
    );
}

#[test]
fn a_payer_who_is_always_authenticated_is_one_more_word_at_the_end() {
    let options = CheckoutOptions { authentication: Authentication::Always, ..CheckoutOptions::default() };
    let (usual, always) = (order(), CheckoutOrder { options, ..order() });
    let bytes = |order: &CheckoutOrder| serde_json::to_string(&wire::NewCheckout::of(order)).unwrap();
    let (usual, always) = (bytes(&usual), bytes(&always));
    assert_eq!(always, format!("{},\"authentication\":\"always\"}}", usual.strip_suffix('}').unwrap()));
}

#[test]
fn a_refund_that_somebody_makes_at_the_provider_is_told_of_too() {
    let mut theirs = refund("succeeded");
    theirs["metadata"] = json!({});
    assert_eq!(evidence("refund.succeeded", &theirs), Evidence::Foreign);
    theirs["payment_metadata"] = json!({"till_payment": PAYMENT});
    let Evidence::Facts(report) = evidence("refund.succeeded", &theirs) else { panic!() };
    assert!(matches!(&report.news[..], [News::Refund { ours: None, .. }]), "{report:?}");
}

#[test]
fn the_list_skips_what_is_foreign_or_unreadable_and_fetches_what_is_unknown() {
    let events = json!({"data": [
        event("checkout.completed", &checkout("complete", "paid")),
        event("payout.paid", &json!({})),
        event("checkout.frozen", &checkout("frozen", "")),
        event("checkout.completed", &json!({"id": "co_9", "metadata": {"till_payment": PAYMENT, "till_n": "1"}})),
    ], "has_more": true});
    let found = json!({"data": [checkout("complete", "paid")]});
    let http =
        Script::new(vec![says(200, &events), says(200, &found), says(200, &json!({"data": [], "has_more": false}))]);
    let page = now(Sandbox.list_since(&http, &account(), None)).unwrap();
    let told: Vec<&str> = page.reports.iter().map(|it| it.event.as_str()).collect();
    assert_eq!((told, page.cursor.as_str(), page.more), (vec!["evt_1", "fetch:co_1:paid:2000"], "evt_1", true));
    assert_eq!(page.unreadable, ["evt_1"], "what cannot be read is named and passed over");
    let end = now(Sandbox.list_since(&http, &account(), Some("evt_1"))).unwrap();
    assert_eq!(end, Page { reports: vec![], unreadable: vec![], cursor: "evt_1".into(), more: false });
    assert!(http.asked.lock().unwrap()[2].starts_with("Get http://127.0.0.1:4242/v1/events?limit=100&after=evt_1\n"));
}

#[test]
fn an_odd_id_never_becomes_part_of_a_path() {
    for odd in ["", "..", "a/b", "a?b", "co_1#", "é"] {
        let asked = now(Sandbox.fetch(&Script::new(vec![]), &account(), &Ask::Checkout(CheckoutId::new(odd))));
        assert_eq!(asked, Err(Fault::NotFound), "{odd}");
    }
}

#[test]
fn a_delivery_is_believed_only_signed_and_as_json() {
    let body = event("checkout.completed", &checkout("complete", "paid")).to_string();
    let at = Timestamp::from_secs(1000);
    let signed = signature::sign(&SECRET.to_owned().into(), "evt_1", at, body.as_bytes()).unwrap();
    let headers = |kind: &str| {
        let all = [
            ("content-type", kind),
            ("webhook-id", "evt_1"),
            ("webhook-timestamp", "1000"),
            ("webhook-signature", &signed),
        ];
        all.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let judge = |headers: &[(String, String)], body: &str| {
        let delivery = Delivery { headers, body: body.as_bytes() };
        now(Sandbox.verify(&Script::new(vec![]), &account(), delivery, at))
    };
    let believed = judge(&headers("application/json; charset=utf-8"), &body).unwrap();
    assert!(matches!(&believed[..], [Evidence::Facts(report)] if report.news.len() == 2), "{believed:?}");
    assert_eq!(judge(&headers("text/plain"), &body), Err(Distrust::Unreadable));
    assert_eq!(judge(&headers("application/json"), "{}"), Err(Distrust::BadSignature));
    assert_eq!(judge(&headers("application/json")[..3], &body), Err(Distrust::Unsigned));
}
