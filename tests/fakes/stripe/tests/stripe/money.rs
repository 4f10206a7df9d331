//! Money that goes back: refunds up to what is left, and what the bank takes.

use crate::stand::{Stand, id, refusal};
use fake_stripe::Holds;
use serde_json::{Value, json};

#[test]
fn refunds_never_exceed_what_is_left() {
    let stand = Stand::new();
    let intent = stand.paid();
    let refund = |amount: &str| stand.post("/v1/refunds", &[("payment_intent", &intent), ("amount", amount)]);
    let first = refund("1000").json();
    let charge = first["charge"].as_str().unwrap().to_owned();
    assert_eq!((&first["status"], &first["payment_intent"]), (&json!("succeeded"), &json!(intent)));
    assert_eq!(first["metadata"], json!({}), "a refund does not take over the payment's metadata");
    let more = refusal(&refund("1501"));
    assert_eq!((more.0, &more.1, &more.2), (400, &Value::Null, &json!("amount")));
    assert!(more.3.contains("is greater than unrefunded amount on charge"), "{}", more.3);
    let rest =
        stand.post("/v1/refunds", &[("charge", &charge), ("metadata[till_refund]", "r1"), ("reason", "duplicate")]);
    assert_eq!((&rest.json()["amount"], &rest.json()["metadata"]), (&json!(1500), &json!({"till_refund": "r1"})));
    assert_eq!(refusal(&refund("1")).1, "charge_already_refunded");
    let charge = stand.get(&format!("/v1/charges/{charge}?expand[]=refunds")).json();
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(2500), &json!(true)));
    assert_eq!(charge["refunds"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(stand.told()[4..], ["refund.created", "charge.refunded", "refund.created", "charge.refunded"]);
    let change = &stand.stripe.events()[5]["data"]["previous_attributes"];
    assert_eq!(change, &json!({"amount_refunded": 0}));
    let held = Holds { captured: 2500, refunded: 2500, open: 0, twins: 1 };
    assert_eq!(stand.stripe.holds()["p1"], held);
}

#[test]
fn a_refund_that_makes_no_sense_is_refused() {
    let stand = Stand::new();
    let unpaid = stand.stripe.decline(&stand.session(), "generic_decline").unwrap();
    let paid = stand.paid();
    for (form, status, code, param) in [
        (vec![], 400, json!("parameter_missing"), Value::Null),
        (vec![("payment_intent", "pi_x")], 404, json!("resource_missing"), json!("payment_intent")),
        (vec![("payment_intent", &*unpaid)], 400, json!("payment_intent_unexpected_state"), Value::Null),
        (vec![("payment_intent", &*paid), ("amount", "0")], 400, json!("parameter_invalid_integer"), json!("amount")),
        (vec![("payment_intent", &*paid), ("reason", "regret")], 400, Value::Null, json!("reason")),
        (vec![("payment_intent", &*paid), ("currency", "eur")], 400, json!("parameter_unknown"), json!("currency")),
    ] {
        let refused = refusal(&stand.post("/v1/refunds", &form));
        assert_eq!((refused.0, refused.1, refused.2), (status, code, param), "{form:?}: {}", refused.3);
    }
    assert!(stand.stripe.all("refund").is_empty());
}

#[test]
fn a_refund_moves_on_and_a_failed_one_gives_its_sum_free() {
    let stand = Stand::new();
    let intent = stand.paid();
    stand.stripe.refunds_start("pending");
    let refund = id(&stand.post("/v1/refunds", &[("payment_intent", &intent)]));
    assert_eq!(stand.stripe.object(&refund)["status"], "pending");
    assert_eq!(stand.stripe.holds()["p1"].refunded, 2500);
    stand.stripe.refund_becomes(&refund, "succeeded");
    let charge = stand.stripe.object(&refund)["charge"].as_str().unwrap().to_owned();
    let counted = || stand.stripe.object(&charge)["amount_refunded"].clone();
    assert_eq!(counted(), 2500);
    stand.stripe.refund_fails(&refund, "expired_or_canceled_card");
    let failed = stand.get(&format!("/v1/refunds/{refund}")).json();
    assert_eq!((&failed["status"], &failed["failure_reason"]), (&json!("failed"), &json!("expired_or_canceled_card")));
    assert!(failed["failure_balance_transaction"].as_str().unwrap().starts_with("txn_"));
    let told = ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated", "refund.failed"];
    assert_eq!(stand.told()[4..9], told);
    assert_eq!((counted(), stand.stripe.holds()["p1"].refunded), (json!(0), 0));
    let by_hand = stand.stripe.refund_by_hand(&intent, 2500, Some("requires_action"));
    stand.stripe.refund_becomes(&by_hand, "canceled");
    let listed = stand.get(&format!("/v1/refunds?payment_intent={intent}&limit=1")).json();
    assert_eq!((&listed["data"][0]["id"], &listed["has_more"]), (&json!(by_hand), &json!(true)));
    assert_eq!(stand.stripe.events().last().unwrap()["request"]["id"], Value::Null, "the dashboard is no API call");
}

#[test]
fn a_chargeback_takes_the_money_until_it_is_won() {
    let stand = Stand::new();
    let intent = stand.paid();
    let dispute = stand.stripe.dispute(&intent, 2500, false);
    assert!(dispute.starts_with("du_1"));
    let refused = refusal(&stand.post("/v1/refunds", &[("payment_intent", &intent)]));
    assert_eq!((refused.0, refused.1), (400, json!("charge_disputed")));
    stand.stripe.dispute_becomes(&dispute, "under_review");
    stand.stripe.dispute_becomes(&dispute, "won");
    let read = stand.get(&format!("/v1/disputes/{dispute}?expand[]=charge")).json();
    let moved: Vec<i64> =
        read["balance_transactions"].as_array().unwrap().iter().map(|txn| txn["amount"].as_i64().unwrap()).collect();
    assert_eq!(moved, [-2500, 2500]);
    assert_eq!((&read["status"], &read["charge"]["disputed"]), (&json!("won"), &json!(true)));
    assert!(read["evidence_details"]["due_by"].as_i64().unwrap() > read["created"].as_i64().unwrap());
    let told = ["created", "funds_withdrawn", "updated", "funds_reinstated", "closed"];
    assert_eq!(stand.told()[4..], told.map(|kind| format!("charge.dispute.{kind}")));
    assert_eq!(stand.post("/v1/refunds", &[("payment_intent", &intent)]).status, 200, "won is over");
}

#[test]
fn an_inquiry_takes_nothing_until_it_becomes_a_chargeback() {
    let stand = Stand::new();
    let intent = stand.paid();
    let dispute = stand.stripe.dispute(&intent, 1000, true);
    let read = stand.stripe.object(&dispute);
    assert_eq!((&read["status"], &read["balance_transactions"]), (&json!("warning_needs_response"), &json!([])));
    assert_eq!(stand.post("/v1/refunds", &[("payment_intent", &intent), ("amount", "100")]).status, 200);
    stand.stripe.dispute_becomes(&dispute, "needs_response");
    stand.stripe.dispute_becomes(&dispute, "lost");
    let read = &stand.get(&format!("/v1/disputes?payment_intent={intent}")).json()["data"][0];
    assert_eq!(read["balance_transactions"][0]["amount"], -1000);
    let told = ["created", "updated", "funds_withdrawn", "closed"];
    assert_eq!(stand.told().iter().filter(|kind| kind.contains("dispute")).count(), told.len());
    assert_eq!(stand.told().last().unwrap(), "charge.dispute.closed");
}

#[test]
fn radar_warns_and_lets_a_person_look() {
    let stand = Stand::new();
    let intent = stand.paid();
    let warning = stand.stripe.fraud_warning(&intent);
    let review = stand.stripe.review_opens(&intent);
    assert_eq!(stand.get(&format!("/v1/payment_intents/{intent}")).json()["review"], review);
    stand.stripe.review_closes(&review, "refunded_as_fraud");
    assert_eq!(stand.told()[4..], ["radar.early_fraud_warning.created", "review.opened", "review.closed"]);
    assert!(warning.starts_with("issfr_1") && review.starts_with("prv_1"));
}

#[test]
fn foreign_traffic_is_of_every_sort_and_never_till_s() {
    let stand = Stand::new();
    stand.stripe.foreign_traffic(40);
    assert!(stand.stripe.holds().is_empty());
    let told = stand.told();
    for kind in [
        "checkout.session.completed",
        "checkout.session.expired",
        "charge.failed",
        "refund.created",
        "charge.dispute.created",
    ] {
        assert!(told.iter().any(|it| it == kind), "{kind} in {told:?}");
    }
    let twin = Stand::new();
    twin.stripe.foreign_traffic(40);
    assert_eq!(twin.stripe.events(), stand.stripe.events(), "one seed, one history");
}
