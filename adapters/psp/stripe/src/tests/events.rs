//! Every kind of event, and what the adapter makes of it: true ones of the fake, and lies.

use super::*;

/// Of an event, with its kind left out.
fn lines(told: &[String]) -> Vec<&str> {
    told.iter().map(String::as_str).collect()
}

#[test]
fn a_payment_by_card_is_told_once_as_money() {
    let mut bench = Bench::new();
    bench.pass(60);
    bench.paid(2500);
    assert_eq!(
        lines(&bench.told()),
        ["checkout.session.completed: payment +60: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR",]
    );
}

#[test]
fn a_decline_is_told_with_its_reason_and_the_next_try_is_another() {
    let mut bench = Bench::new();
    let (_, session) = bench.created(2500);
    bench.fake.decline(session.as_str(), "insufficient_funds").unwrap();
    bench.pass(5);
    bench.fake.decline(session.as_str(), "do_not_honor").unwrap();
    assert_eq!(
        lines(&bench.told()),
        [
            "payment_intent.payment_failed: payment +0: attempt on 1 failed ch_ insufficient_funds",
            "payment_intent.payment_failed: payment +5: attempt on 1 failed ch_ do_not_honor",
        ]
    );
}

#[test]
fn a_debit_is_pending_until_the_bank_says_yes_or_no() {
    let mut bench = Bench::new();
    let (_, good) = bench.created(2500);
    bench.fake.debit(good.as_str()).unwrap();
    let (_, bad) = bench.created(900);
    bench.fake.debit(bad.as_str()).unwrap();
    bench.pass(5 * DAY);
    bench.fake.settle(good.as_str()).unwrap();
    bench.fake.fail_debit(bad.as_str()).unwrap();
    assert_eq!(
        lines(&bench.told()),
        [
            "checkout.session.completed: payment +0: checkout 1 CompleteUnpaid 25.00 EUR",
            "checkout.session.completed: payment +0: checkout 1 CompleteUnpaid 9.00 EUR",
            "checkout.session.async_payment_succeeded: payment +432000: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR",
            "payment_intent.payment_failed: payment +432000: attempt on 1 failed ch_ insufficient_funds",
            "checkout.session.async_payment_failed: payment +432000: checkout 1 Failed 9.00 EUR",
        ]
    );
}

#[test]
fn a_session_that_ends_is_told_as_closed_by_whomever() {
    let mut bench = Bench::new();
    let (order, closed) = bench.created(2500);
    bench.created(900);
    bench.pass(10);
    bench.expire(&order, &closed).unwrap();
    bench.pass(2 * 3600);
    assert_eq!(
        lines(&bench.told()),
        [
            "checkout.session.expired: payment +10: checkout 1 Expired 25.00 EUR",
            "checkout.session.expired: payment +3600: checkout 1 Expired 9.00 EUR",
        ]
    );
}

#[test]
fn refunds_are_told_with_their_owner_and_as_a_sum() {
    let mut bench = Bench::new();
    let paid = bench.paid(2500);
    bench.told();
    bench.fake.refunds_start("pending");
    let ours = bench.refund(&paid, 500).1.unwrap();
    let News::Refund { refund, .. } = &ours.news[0] else { panic!("{ours:?}") };
    bench.fake.refund_by_hand(&paid.intent, 700, Some("succeeded"));
    bench.pass(DAY);
    bench.fake.refund_becomes(refund.as_str(), "succeeded");
    bench.pass(DAY);
    bench.fake.refund_fails(refund.as_str(), "charge_for_pending_refund_disputed");
    assert_eq!(
        lines(&bench.told()),
        [
            "refund.created: payment +0: refund of ours 5.00 EUR Pending",
            "charge.refunded: payment +0: refunded in all 5.00 EUR",
            "refund.created: capture +0: refund of theirs 7.00 EUR Succeeded",
            "charge.refunded: payment +0: refunded in all 12.00 EUR",
            "refund.updated: payment +86400: refund of ours 5.00 EUR Succeeded",
            "refund.failed: payment +172800: refund of ours 5.00 EUR Failed",
            "refund.updated: payment +172800: refund of ours 5.00 EUR Failed",
        ]
    );
}

#[test]
fn every_state_of_a_refund_is_told_and_an_unknown_one_is_pending() {
    let mut bench = Bench::new();
    let paid = bench.paid(2500);
    let refund = bench.fake.refund_by_hand(&paid.intent, 100, None);
    let object = bench.fake.object(&refund);
    let state = |status: Value| {
        let mut object = object.clone();
        object["status"] = status;
        said(&bench.lied(Lie::new("refund.updated", object)))
    };
    for (status, told) in [
        (json!("pending"), "Pending"),
        (json!("requires_action"), "RequiresAction"),
        (json!("succeeded"), "Succeeded"),
        (json!("failed"), "Failed"),
        (json!("canceled"), "Canceled"),
        (json!("thinking"), "Pending"),
        (Value::Null, "Pending"),
    ] {
        assert_eq!(state(status), format!("capture +0: refund of theirs 1.00 EUR {told}"));
    }
}

#[test]
fn a_dispute_is_told_from_the_inquiry_to_the_end_with_the_money_that_moves() {
    let mut bench = Bench::new();
    let paid = bench.paid(2500);
    bench.told();
    let dispute = bench.fake.dispute(&paid.intent, 2500, true);
    for status in ["warning_under_review", "needs_response", "under_review", "lost"] {
        bench.pass(DAY);
        bench.fake.dispute_becomes(&dispute, status);
    }
    bench.pass(30 * DAY);
    bench.fake.dispute_becomes(&dispute, "won");
    assert_eq!(
        lines(&bench.told()),
        [
            "charge.dispute.created: capture +0: dispute 25.00 EUR WarningNeedsResponse, withdrawn 0.00 EUR in 0 by +691200",
            "charge.dispute.updated: capture +86400: dispute 25.00 EUR WarningUnderReview, withdrawn 0.00 EUR in 0 by +691200",
            "charge.dispute.updated: capture +172800: dispute 25.00 EUR NeedsResponse, withdrawn 25.00 EUR in 1 by +691200",
            "charge.dispute.funds_withdrawn: capture +172800: dispute 25.00 EUR NeedsResponse, withdrawn 25.00 EUR in 1 by +691200",
            "charge.dispute.updated: capture +259200: dispute 25.00 EUR UnderReview, withdrawn 25.00 EUR in 1 by +691200",
            "charge.dispute.closed: capture +345600: dispute 25.00 EUR Lost, withdrawn 25.00 EUR in 1 by +691200",
            "charge.dispute.funds_reinstated: capture +2937600: dispute 25.00 EUR Won, withdrawn 0.00 EUR in 2 by +691200",
            "charge.dispute.closed: capture +2937600: dispute 25.00 EUR Won, withdrawn 0.00 EUR in 2 by +691200",
        ]
    );
}

#[test]
fn a_dispute_of_a_part_and_an_inquiry_that_comes_to_nothing_are_told() {
    let mut bench = Bench::new();
    let (one, other) = (bench.paid(2500), bench.paid(900));
    bench.told();
    bench.fake.dispute(&one.intent, 1000, false);
    let inquiry = bench.fake.dispute(&other.intent, 900, true);
    bench.fake.dispute_becomes(&inquiry, "warning_closed");
    assert_eq!(
        lines(&bench.told()),
        [
            "charge.dispute.created: capture +0: dispute 10.00 EUR NeedsResponse, withdrawn 10.00 EUR in 1 by +691200",
            "charge.dispute.funds_withdrawn: capture +0: dispute 10.00 EUR NeedsResponse, withdrawn 10.00 EUR in 1 by +691200",
            "charge.dispute.created: capture +0: dispute 9.00 EUR WarningNeedsResponse, withdrawn 0.00 EUR in 0 by +691200",
            "charge.dispute.closed: capture +0: dispute 9.00 EUR WarningClosed, withdrawn 0.00 EUR in 0 by +691200",
        ]
    );
    let mut object = bench.fake.object(&inquiry);
    for (status, told) in [("prevented", "Prevented"), ("a_state_of_tomorrow", "UnderReview")] {
        object["status"] = json!(status);
        let evidence = said(&bench.lied(Lie::new("charge.dispute.updated", object.clone())));
        assert!(evidence.contains(told), "{evidence}");
    }
}

#[test]
fn warnings_and_reviews_are_told_by_the_money_that_they_doubt() {
    let mut bench = Bench::new();
    let paid = bench.paid(2500);
    bench.told();
    bench.fake.fraud_warning(&paid.intent);
    let review = bench.fake.review_opens(&paid.intent);
    bench.pass(60);
    bench.fake.review_closes(&review, "refunded_as_fraud");
    assert_eq!(
        lines(&bench.told()),
        [
            "radar.early_fraud_warning.created: capture +0: warning unauthorized_use_of_card",
            "review.opened: capture +0: review Open rule",
            "review.closed: capture +60: review Closed refunded_as_fraud",
        ]
    );
}

#[test]
fn a_connected_account_is_named_by_its_events_and_lost_when_it_leaves() {
    let mut bench = Bench::connected();
    bench.paid(2500);
    assert_eq!(
        lines(&bench.told()),
        ["checkout.session.completed: payment +0: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR",]
    );
    bench.fake.deauthorize(CONNECTED);
    assert_eq!(
        lines(&bench.told()),
        ["account.application.deauthorized: access to acct_1ConnectedAAAAAA lost, false",]
    );
    let stays = Lie::new("account.application.deauthorized", json!({"id": "ca_1", "object": "application"}));
    // An own key is not lost when somebody leaves a platform.
    assert_eq!(Bench::all_ears().lied(stays), Evidence::Foreign);
}

/// A session that was paid, to be lied about.
fn paid_session(bench: &mut Bench) -> Value {
    let paid = bench.paid(2500);
    bench.fake.session(paid.session.as_str())
}

fn facts(evidence: &Evidence) -> &Reported {
    let Evidence::Facts(report) = evidence else { panic!("no facts: {evidence:?}") };
    report
}

#[test]
fn what_stripe_says_is_passed_on_as_it_was_said() {
    let mut bench = Bench::new();
    let session = paid_session(&mut bench);
    let mut other = session.clone();
    other["amount_total"] = json!(1);
    let told = bench.lied(Lie::new("checkout.session.completed", other.clone()));
    assert_eq!(said(&told), "payment +0: checkout 1 CompletePaid 0.01 EUR, captured 0.01 EUR");
    other["amount_total"] = json!(2500);
    other["currency"] = json!("jpy");
    let told = bench.lied(Lie::new("checkout.session.completed", other));
    assert_eq!(said(&told), "payment +0: checkout 1 CompletePaid 2500 JPY, captured 2500 JPY");
    let mut lie = Lie::new("checkout.session.completed", session);
    lie.livemode = Some(true);
    assert!(facts(&bench.lied(lie.clone())).livemode, "the mode is the event's");
    lie.livemode = None;
    lie.account = Some("acct_other".into());
    assert_eq!(facts(&bench.lied(lie)).provider_account, "acct_other", "the account is the event's");
}

#[test]
fn an_event_of_another_version_is_read_as_far_as_it_goes() {
    let mut bench = Bench::new();
    let mut lie = Lie::new("checkout.session.completed", paid_session(&mut bench));
    for version in ["2014-01-31", "2030-01-01.zinnia"] {
        lie.api_version = Some(version.into());
        assert_eq!(said(&bench.lied(lie.clone())), "payment +0: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR");
    }
}

#[test]
fn whose_event_it_is_stands_in_the_envelope() {
    // Own key, no account: the account's own. A platform's endpoint hears of the platform's own events without one.
    let mut bench = Bench::new();
    let session = paid_session(&mut bench);
    let told = bench.lied(Lie::new("checkout.session.completed", session.clone()));
    assert_eq!(facts(&told).provider_account, ACCOUNT);
    let settings = Settings::test().connected(CONNECTED, "FR", "eur").endpoint(HOOK, &[SECRET]);
    let platform = Bench::with(settings, connected());
    let told = platform.lied(Lie::new("checkout.session.completed", session));
    assert_eq!(facts(&told).provider_account, "platform", "which is no account that Till has");
    // What hangs on money of another account carries no reference that could make it ours.
    let paid = bench.paid(900);
    let refund = bench.fake.refund_by_hand(&paid.intent, 100, None);
    let mut lie = Lie::new("refund.created", bench.fake.object(&refund));
    lie.account = Some("acct_other".into());
    assert_eq!(bench.lied(lie.clone()), Evidence::Foreign);
    assert_eq!(platform.lied(lie), Evidence::Foreign);
}

#[test]
fn what_is_ours_and_cannot_be_read_is_looked_up() {
    let mut bench = Bench::all_ears();
    let session = paid_session(&mut bench);
    let without = |name: &str, object: &Value| {
        let mut object = object.clone();
        object.as_object_mut().unwrap().remove(name);
        object
    };
    for field in ["amount_total", "currency", "created", "livemode", "payment_intent"] {
        let told = bench.lied(Lie::new("checkout.session.completed", without(field, &session)));
        assert_eq!(said(&told), "look up checkout", "{field}");
    }
    let paid = bench.paid(900);
    let intent = bench.fake.object(&paid.intent);
    let mut odd = intent.clone();
    odd["metadata"]["till_n"] = json!(7);
    assert_eq!(said(&bench.lied(Lie::new("payment_intent.payment_failed", odd))), "look up capture");
    let charge = bench.fake.object(intent["latest_charge"].as_str().unwrap());
    assert_eq!(said(&bench.lied(Lie::new("charge.refunded", without("currency", &charge)))), "look up capture");
    bench.refund(&paid, 100).1.unwrap();
    let ours = bench.fake.all("refund").pop().unwrap();
    let theirs = bench.fake.object(&bench.fake.refund_by_hand(&paid.intent, 100, None));
    let dispute = bench.fake.object(&bench.fake.dispute(&paid.intent, 900, false));
    let warning = bench.fake.object(&bench.fake.fraud_warning(&paid.intent));
    let review = bench.fake.object(&bench.fake.review_opens(&paid.intent));
    for (kind, object, field) in [
        ("refund.created", &ours, "amount"),
        ("refund.created", &theirs, "amount"),
        ("charge.refund.updated", &theirs, "currency"),
        ("charge.dispute.created", &dispute, "amount"),
        ("charge.dispute.funds_withdrawn", &dispute, "status"),
        ("charge.dispute.closed", &dispute, "currency"),
        ("review.closed", &review, "open"),
        ("radar.early_fraud_warning.created", &warning, "id"),
    ] {
        let told = bench.lied(Lie::new(kind, without(field, object)));
        assert_eq!(said(&told), "look up capture", "{kind} without {field}");
        let told = bench.lied(Lie::new(kind, without("payment_intent", object)));
        assert_eq!(told, Evidence::Foreign, "{kind} that hangs on nothing of ours");
    }
    let mut worthless = dispute;
    worthless["currency"] = json!("xau");
    assert_eq!(said(&bench.lied(Lie::new("charge.dispute.created", worthless))), "look up capture");
}

#[test]
fn a_thin_event_is_only_a_pointer() {
    let mut bench = Bench::all_ears();
    let paid = bench.paid(2500);
    let thin = |id: &str, bench: &Bench| {
        let mut lie = Lie::new("v1.checkout.session.completed", bench.fake.object(id));
        lie.thin = true;
        lie.listed = false;
        bench.lied(lie)
    };
    let told = thin(paid.session.as_str(), &bench);
    assert!(matches!(&told, Evidence::Hint { ask: Ask::Checkout(id), .. } if *id == paid.session), "{told:?}");
    let told = thin(&paid.intent, &bench);
    assert!(matches!(&told, Evidence::Hint { ask: Ask::Capture(id), .. } if id.as_str() == paid.intent), "{told:?}");
    assert_eq!(thin(ACCOUNT, &bench), Evidence::Foreign);
}

#[test]
fn a_reference_that_somebody_copied_is_not_ours() {
    let mut bench = Bench::new();
    let session = paid_session(&mut bench);
    let foreign = |change: &dyn Fn(&mut Value)| {
        let mut object = session.clone();
        change(&mut object);
        assert_eq!(bench.lied(Lie::new("checkout.session.completed", object.clone())), Evidence::Foreign, "{object}");
    };
    foreign(&|it| it["client_reference_id"] = Value::Null);
    foreign(&|it| it["client_reference_id"] = json!("pay_0198000000007fffbfffffffffffffff"));
    foreign(&|it| it["client_reference_id"] = json!("order 7"));
    foreign(&|it| it["metadata"] = json!({}));
    foreign(&|it| it["metadata"] = Value::Null);
    foreign(&|it| it["metadata"]["till_payment"] = json!("order 7"));
    foreign(&|it| it["metadata"]["till_n"] = json!("-1"));
    foreign(&|it| drop(it["metadata"].as_object_mut().unwrap().remove("till_n")));
    let refund = json!({
        "id": "re_1", "object": "refund", "amount": 5, "currency": "eur", "created": 1, "status": "succeeded",
        "payment_intent": "pi_1", "metadata": {"till_payment": "order 7", "till_refund": "8"},
    });
    let told = said(&bench.lied(Lie::new("refund.created", refund)));
    assert_eq!(told, "capture +0: refund of theirs 0.05 EUR Succeeded", "labels that are none of ours say nothing");
}

#[test]
fn traffic_of_another_shop_is_foreign_or_known_by_its_money_alone() {
    let bench = Bench::new();
    bench.fake.foreign_traffic(40);
    let told = bench.told();
    let money: Vec<&String> = told.iter().filter(|line| !line.ends_with(": foreign")).collect();
    assert!(money.len() > 5 && told.len() > 50, "{} of {}", money.len(), told.len());
    for line in money {
        let hangs = line.starts_with("refund.") || line.starts_with("charge.dispute.");
        assert!(hangs && line.contains(": capture +0: "), "{line}");
    }
}

#[test]
fn a_kind_that_nobody_asked_for_is_looked_up_only_where_it_is_ours() {
    let mut bench = Bench::all_ears();
    let paid = bench.paid(2500);
    bench.refund(&paid, 100).1.unwrap();
    let refund = bench.fake.all("refund").pop().unwrap();
    let object = |id: &str| bench.fake.object(id);
    let (session, intent) = (object(paid.session.as_str()), object(&paid.intent));
    let charge = object(intent["latest_charge"].as_str().unwrap());
    let dispute = object(&bench.fake.dispute(&paid.intent, 2400, false));
    for (kind, object, ask) in [
        ("checkout.session.frozen", &session, "look up checkout"),
        ("payment_intent.melted", &intent, "look up capture"),
        ("charge.melted", &charge, "look up capture"),
        ("charge.updated", &charge, "foreign"),
        ("payment_intent.succeeded", &intent, "foreign"),
        ("refund.lost", &refund, "look up capture"),
    ] {
        assert_eq!(said(&bench.lied(Lie::new(kind, object.clone()))), ask, "{kind}");
        let mut theirs = object.clone();
        theirs["metadata"] = json!({"order_id": "7"});
        assert_eq!(bench.lied(Lie::new(kind, theirs)), Evidence::Foreign, "{kind}");
    }
    let told = said(&bench.lied(Lie::new("charge.dispute.frozen", dispute.clone())));
    assert!(told.starts_with("capture +0: dispute 24.00 EUR NeedsResponse, withdrawn 24.00 EUR in 1"), "{told}");
    for object in [json!({}), json!({"object": "payout", "id": "po_1"}), json!([]), json!("x"), Value::Null] {
        assert_eq!(bench.lied(Lie::new("payout.paid", object)), Evidence::Foreign);
    }
    assert_eq!(bench.lied(Lie::new("dispute.odd", dispute)), Evidence::Foreign, "names no payment of ours");
}

#[test]
fn a_delivery_that_is_no_event_is_refused_and_its_type_must_be_json() {
    let bench = Bench::new();
    let judged = |kind: &str, body: &str| {
        let signature = fake_stripe::signature(&[SECRET.to_owned()], NOW, body.as_bytes());
        let headers = [("content-type", kind), ("stripe-signature", &signature)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        done(Stripe.verify(&bench.fake, &bench.at, Delivery { headers: &headers, body: body.as_bytes() }, NOW))
    };
    let event = json!({
        "id": "evt_1", "object": "event", "type": "x", "created": 1, "livemode": false, "api_version": null,
        "data": {"object": {}},
    });
    let event = event.to_string();
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=utf-8"] {
        assert_eq!(judged(kind, &event), Ok(vec![Evidence::Foreign]), "{kind}");
    }
    for kind in ["", "text/plain", "application/jsonp", "application/x-www-form-urlencoded"] {
        assert_eq!(judged(kind, &event), Err(Distrust::Unreadable), "{kind}");
    }
    for body in
        ["", "{", "[]", "null", "7", "{\"object\":\"v2.core.event\"}", "{\"object\":\"event\",\"id\":\"evt_1\"}"]
    {
        assert_eq!(judged("application/json", body), Err(Distrust::Unreadable), "{body}");
    }
}
