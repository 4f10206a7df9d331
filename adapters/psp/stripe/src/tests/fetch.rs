//! What is found by asking, at which time of Stripe's it became so, and what closing and trying again give.

use super::*;

fn lines(found: &[Reported]) -> Vec<String> {
    found.iter().map(reported).collect()
}

#[test]
fn a_session_is_found_by_what_it_is_for_over_many_pages() {
    let mut bench = Bench::new();
    bench.created(100);
    bench.pass(2 * 3600);
    let since = bench.now();
    let (order, session) = bench.created(2500);
    for _ in 0..230 {
        bench.created(900);
    }
    bench.fake.foreign_traffic(20);
    let asked = bench.fake.recorded().len();
    let of = |n, since| Ask::CheckoutOf { payment: order.payment, n, since };
    let found = bench.fetch(&of(1, since)).unwrap();
    let [News::Checkout { checkout, .. }] = &found[0].news[..] else { panic!("{found:?}") };
    assert_eq!((found.len(), checkout), (1, &session));
    assert_eq!(bench.fake.recorded().len() - asked, 3, "pages of a hundred");
    assert_eq!(bench.fetch(&Ask::Checkout(session)), Ok(found), "both ways find the same");
    assert_eq!(bench.fetch(&of(2, since)), Err(Fault::NotFound));
    // Our clock may be ahead of Stripe's, by ten minutes and no more.
    assert!(bench.fetch(&of(1, since.after(Duration::from_secs(600)))).is_ok());
    assert_eq!(bench.fetch(&of(1, since.after(Duration::from_secs(601)))), Err(Fault::NotFound));
}

#[test]
fn two_sessions_of_one_number_are_both_found() {
    let mut bench = Bench::new();
    let (order, _) = bench.created(2500);
    // The key is forgotten after a day, and the same order makes another one.
    let again = CheckoutOrder { closes_at: order.closes_at.after(Duration::from_secs(3600)), ..order.clone() };
    let key = IdemKey::create(order.payment, 9);
    done(Stripe.create(&bench.fake, &bench.at, &again, &key)).unwrap();
    let found = bench.fetch(&Ask::CheckoutOf { payment: order.payment, n: 1, since: NOW }).unwrap();
    assert_eq!(found.len(), 2);
}

#[test]
fn a_search_without_end_is_no_answer() {
    let session = json!({
        "id": "cs_1", "livemode": false, "created": 1, "payment_status": "unpaid", "metadata": {},
    });
    let page = json!({"data": [session], "has_more": true}).to_string();
    let http = Script::new((0..50).map(|_| answer(200, &[], &page)).collect());
    let ask = Ask::CheckoutOf { payment: "pay_0198000000007fffbfffffffffffffff".parse().unwrap(), n: 1, since: NOW };
    let found = done(Stripe.fetch(&http, &account(), &ask));
    assert!(matches!(&found, Err(Fault::Ambiguous(_))), "not found is not said lightly: {found:?}");
}

#[test]
fn a_report_carries_the_time_when_it_came_to_be_so() {
    let mut bench = Bench::new();
    let (order, session) = bench.created(2500);
    let ask = Ask::Checkout(session.clone());
    bench.pass(60);
    assert_eq!(
        lines(&bench.fetch(&ask).unwrap()),
        ["payment +0: checkout 1 Open 25.00 EUR with url"],
        "when it was made"
    );
    bench.fake.decline(session.as_str(), "do_not_honor").unwrap();
    bench.pass(60);
    bench.fake.pay(session.as_str()).unwrap();
    bench.pass(5000);
    let paid = ["payment +120: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR"];
    assert_eq!(lines(&bench.fetch(&ask).unwrap()), paid, "when it was charged");
    assert_eq!(bench.expire(&order, &session), Err(Fault::AlreadyComplete));

    let (order, session) = bench.created(900);
    bench.pass(7);
    let closed = bench.expire(&order, &session).unwrap();
    assert_eq!(reported(&closed), "payment +5127: checkout 1 Expired 9.00 EUR", "when Stripe said so");
    bench.created(700);
    let session = bench.fake.sessions().pop().unwrap()["id"].as_str().unwrap().to_owned();
    bench.pass(DAY);
    let found = bench.fetch(&Ask::Checkout(CheckoutId::new(session))).unwrap();
    assert_eq!(lines(&found), ["payment +8727: checkout 1 Expired 7.00 EUR"], "by itself: not after its time was over");
}

#[test]
fn a_debit_is_pending_failed_or_paid_by_its_intent() {
    let mut bench = Bench::new();
    let (good, bad) = (bench.created(2500).1, bench.created(900).1);
    bench.pass(60);
    bench.fake.debit(good.as_str()).unwrap();
    bench.fake.debit(bad.as_str()).unwrap();
    bench.pass(60);
    let ask = |bench: &Bench, id: &CheckoutId| lines(&bench.fetch(&Ask::Checkout(id.clone())).unwrap()).remove(0);
    assert_eq!(ask(&bench, &good), "payment +60: checkout 1 CompleteUnpaid 25.00 EUR");
    bench.pass(5 * DAY);
    bench.fake.settle(good.as_str()).unwrap();
    bench.fake.fail_debit(bad.as_str()).unwrap();
    // Begun in time is in time, however long the bank takes.
    assert_eq!(ask(&bench, &good), "payment +60: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR");
    assert_eq!(ask(&bench, &bad), "payment +60: checkout 1 Failed 9.00 EUR");
}

#[test]
fn an_unknown_state_of_a_session_is_pending() {
    let session = |status: Value, paid: &str| {
        let payment = "pay_0198000000007fffbfffffffffffffff";
        let body = json!({
            "id": "cs_1", "livemode": false, "created": 1, "expires_at": 9, "status": status, "payment_status": paid,
            "amount_total": 100, "currency": "eur", "url": "https://x/", "client_reference_id": payment,
            "metadata": {"till_payment": payment, "till_n": "1"}, "payment_intent": "pi_1", "of_tomorrow": [],
        });
        let http = Script::new(vec![answer(200, &[], &body.to_string())]);
        let found = done(Stripe.fetch(&http, &account(), &Ask::Checkout(CheckoutId::new("cs_1")))).unwrap().remove(0);
        found.news.iter().map(news).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(session(json!("open"), "unpaid"), "checkout 1 Open 1.00 EUR with url");
    assert_eq!(session(json!("open"), "paid"), "checkout 1 Open 1.00 EUR with url");
    assert_eq!(session(json!("expired"), "unpaid"), "checkout 1 Expired 1.00 EUR");
    for paid in ["paid", "no_payment_required"] {
        assert_eq!(session(json!("complete"), paid), "checkout 1 CompletePaid 1.00 EUR, captured 1.00 EUR");
    }
    for (status, paid) in [("complete", "unpaid"), ("complete", "sort_of"), ("frozen", "paid"), ("", "")] {
        assert_eq!(session(json!(status), paid), "checkout 1 CompleteUnpaid 1.00 EUR", "{status} {paid}");
    }
    assert_eq!(session(Value::Null, "paid"), "checkout 1 CompleteUnpaid 1.00 EUR");
}

#[test]
fn what_is_not_ours_is_not_found() {
    let bench = Bench::new();
    bench.fake.foreign_traffic(10);
    let sessions = bench.fake.sessions();
    let theirs = sessions.iter().find(|it| it["payment_status"] == "paid").unwrap();
    let text = |name: &str| theirs[name].as_str().unwrap();
    assert_eq!(bench.fetch(&Ask::Checkout(CheckoutId::new(text("id")))), Err(Fault::NotFound));
    assert_eq!(bench.fetch(&Ask::Capture(CaptureId::new(text("payment_intent")))), Err(Fault::NotFound));
    assert_eq!(bench.fetch(&Ask::Checkout(CheckoutId::new("cs_test_nothing"))), Err(Fault::NotFound));
    assert_eq!(bench.fetch(&Ask::Capture(CaptureId::new("pi_nothing"))), Err(Fault::NotFound));
}

#[test]
fn all_that_hangs_on_a_capture_is_found_by_it() {
    let mut bench = Bench::new();
    let paid = bench.paid(30_000);
    let other = bench.paid(900);
    bench.fake.refund_by_hand(&other.intent, 100, None);
    bench.pass(60);
    bench.refund(&paid, 100).1.unwrap();
    bench.fake.refund_by_hand(&paid.intent, 200, Some("pending"));
    bench.fake.dispute(&paid.intent, 300, true);
    bench.pass(60);
    let found = bench.fetch(&Ask::Capture(CaptureId::new(&paid.intent))).unwrap();
    assert_eq!(
        lines(&found),
        [
            "payment +0: checkout 1 CompletePaid 300.00 EUR, captured 300.00 EUR",
            "payment +120: refund of theirs 2.00 EUR Pending",
            "payment +120: refund of ours 1.00 EUR Succeeded",
            "payment +120: dispute 3.00 EUR WarningNeedsResponse, withdrawn 0.00 EUR in 0 by +691260",
        ]
    );
    assert!(found.iter().all(|report| report.about == About::Payment(paid.order.payment)));
    // What nobody changed reads the same at any time, but for the time of the answer where Stripe tells no other.
    bench.pass(60);
    let again = bench.fetch(&Ask::Capture(CaptureId::new(&paid.intent))).unwrap();
    let ids = |found: &[Reported]| found.iter().map(|report| report.event.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&again), &again[0]), (ids(&found), &found[0]));
    for _ in 0..120 {
        bench.fake.refund_by_hand(&paid.intent, 100, None);
    }
    let found = bench.fetch(&Ask::Capture(CaptureId::new(&paid.intent))).unwrap();
    assert_eq!(found.len(), 124, "more refunds than a page holds");
}

#[test]
fn a_refund_is_found_by_our_id_with_its_state_of_now() {
    let mut bench = Bench::new();
    let paid = bench.paid(2500);
    bench.fake.refunds_start("pending");
    let (refund, made) = bench.refund(&paid, 100);
    let made = made.unwrap();
    assert_eq!(reported(&made), "payment +0: refund of ours 1.00 EUR Pending");
    let News::Refund { refund: theirs, .. } = &made.news[0] else { panic!("{made:?}") };
    bench.fake.refund_by_hand(&paid.intent, 300, None);
    bench.pass(60);
    bench.fake.refund_becomes(theirs.as_str(), "requires_action");
    let ask = Ask::RefundOf { payment: paid.order.payment, refund, capture: CaptureId::new(&paid.intent) };
    let found = bench.fetch(&ask).unwrap();
    assert_eq!(lines(&found), ["payment +60: refund of ours 1.00 EUR RequiresAction"]);
    assert_ne!(found[0].event, made.event, "another state is another report");
}

#[test]
fn closing_is_settled_whatever_stands_there() {
    let mut bench = Bench::new();
    let (order, session) = bench.created(2500);
    let closed = bench.expire(&order, &session).unwrap();
    assert_eq!(bench.expire(&order, &session).unwrap().news, closed.news, "again under the same key");
    let other = IdemKey::expire(order.payment, 7);
    let again = done(Stripe.expire(&bench.fake, &bench.at, &session, &other)).unwrap();
    assert_eq!(again.news, closed.news, "already closed is success");

    let (order, session) = bench.created(900);
    bench.fake.debit(session.as_str()).unwrap();
    assert_eq!(bench.expire(&order, &session), Err(Fault::AlreadyComplete), "the bank already has it");
    let (order, session) = bench.created(900);
    bench.pass(2 * 3600);
    let report = bench.expire(&order, &session).unwrap();
    assert_eq!(reported(&report), "payment +3600: checkout 1 Expired 9.00 EUR", "closed by itself is success too");
    let order = bench.order(900);
    assert_eq!(bench.expire(&order, &CheckoutId::new("cs_test_nothing")), Err(Fault::NotFound));
}

#[test]
fn an_answer_that_was_lost_is_given_again_under_its_key() {
    use fake_stripe::Fault as Trouble;
    let mut bench = Bench::new();
    let order = bench.order(2500);
    bench.fake.fail_next("POST /v1/checkout/sessions", Trouble::LostBefore);
    assert!(matches!(bench.create(&order), Err(Fault::Later { .. })), "nothing was made");
    bench.fake.fail_next("POST /v1/checkout/sessions", Trouble::RateLimit { retry_after_secs: Some(3) });
    assert!(matches!(bench.create(&order), Err(Fault::Later { wait: Some(wait), .. }) if wait.as_secs() == 3));
    bench.fake.fail_next("POST /v1/checkout/sessions", Trouble::LockTimeout);
    assert!(matches!(bench.create(&order), Err(Fault::Later { .. })));
    bench.fake.fail_next("POST /v1/checkout/sessions", Trouble::Unavailable);
    assert!(matches!(bench.create(&order), Err(Fault::Ambiguous(_))), "a 503 tells less than it knows");
    bench.fake.fail_next("POST /v1/checkout/sessions", Trouble::LostAfter);
    assert!(matches!(bench.create(&order), Err(Fault::Ambiguous(_))));
    bench.pass(60);
    let made = bench.create(&order).unwrap();
    assert_eq!((bench.fake.sessions().len(), made.as_of), (1, NOW), "one session, of the time when it was made");
    assert_eq!(bench.create(&order).unwrap(), made, "and once more");
    let other = CheckoutOrder { locale: "de".into(), ..order };
    assert_eq!(bench.create(&other), Err(Fault::KeyTaken));
}

#[test]
fn an_error_that_the_key_repeats_is_settled_by_looking_up() {
    use fake_stripe::Fault as Trouble;
    let mut bench = Bench::new();
    for (trouble, found) in [(Trouble::ErrorBefore, false), (Trouble::ErrorAfter, true)] {
        let order = bench.order(2500);
        bench.fake.fail_next("POST /v1/checkout/sessions", trouble.clone());
        assert!(matches!(bench.create(&order), Err(Fault::Ambiguous(_))), "{trouble:?}");
        assert_eq!(bench.create(&order), Err(Fault::KeyTaken), "{trouble:?}");
        let ask = Ask::CheckoutOf { payment: order.payment, n: 1, since: NOW };
        assert_eq!(bench.fetch(&ask).is_ok(), found, "{trouble:?}");
    }
    let paid = bench.paid(2500);
    bench.fake.fail_next("POST /v1/refunds", Trouble::ErrorAfter);
    let (refund, lost) = bench.refund(&paid, 100);
    assert!(matches!(lost, Err(Fault::Ambiguous(_))), "{lost:?}");
    let ask = Ask::RefundOf { payment: paid.order.payment, refund, capture: CaptureId::new(&paid.intent) };
    assert_eq!(lines(&bench.fetch(&ask).unwrap()), ["payment +0: refund of ours 1.00 EUR Succeeded"]);
}

#[test]
fn what_stripe_will_not_do_says_why() {
    let mut bench = Bench::new();
    let refused = |bench: &Bench, order: &CheckoutOrder| match bench.create(order) {
        Err(Fault::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    let small = bench.order(49);
    assert_eq!(refused(&bench, &small), "amount_too_small");
    let options = CheckoutOptions { without_methods: vec!["cash".into()], ..CheckoutOptions::default() };
    let odd = CheckoutOrder { options, ..bench.order(2500) };
    assert!(refused(&bench, &odd).contains("excluded_payment_method_types"));
    let late = CheckoutOrder { closes_at: NOW.after(Duration::from_secs(1799)), ..bench.order(2500) };
    assert!(matches!(bench.create(&late), Err(Fault::Outdated(_))), "asked too late");
    let paid = bench.paid(2500);
    bench.refund(&paid, 2500).1.unwrap();
    assert_eq!(bench.refund(&paid, 1).1, Err(Fault::Refused("charge_already_refunded".into())));
    let paid = bench.paid(2500);
    let much = bench.refund(&paid, 2501).1;
    assert!(matches!(&much, Err(Fault::Refused(why)) if why.contains("greater than")), "{much:?}");
    bench.fake.dispute(&paid.intent, 2500, false);
    assert_eq!(bench.refund(&paid, 1).1, Err(Fault::Refused("charge_disputed".into())));
}

#[test]
fn without_the_date_of_an_answer_its_own_times_must_do() {
    let refund = json!({
        "id": "re_1", "amount": 5, "currency": "eur", "created": 77, "status": "succeeded", "payment_intent": "pi_1",
        "metadata": {"till_refund": "ref_0198000000007fffbfffffffffffffff"},
    });
    let list = json!({"data": [refund]}).to_string();
    let ask = Ask::RefundOf {
        payment: "pay_0198000000007fffbfffffffffffffff".parse().unwrap(),
        refund: "ref_0198000000007fffbfffffffffffffff".parse().unwrap(),
        capture: CaptureId::new("pi_1"),
    };
    for (date, secs) in [(None, 77), (Some("yesterday"), 77), (Some("Sun, 06 Nov 1994 08:49:37 GMT"), 784_111_777)] {
        let headers: Vec<(&str, &str)> = date.map(|date| ("date", date)).into_iter().collect();
        let http = Script::new(vec![answer(200, &headers, &list)]);
        let found = done(Stripe.fetch(&http, &account(), &ask)).unwrap();
        assert_eq!(found[0].as_of, Timestamp::from_secs(secs), "{date:?}");
    }
}
