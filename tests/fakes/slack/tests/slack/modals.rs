//! Modals and homes: opened in time, filled in by people, judged by Slack before the app.

use crate::app::{Say, Stand};
use fake_slack::Outcome;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn input(block: &str, element: Value, optional: bool) -> Value {
    json!({
        "type": "input", "block_id": block, "label": {"type": "plain_text", "text": block}, "element": element,
        "optional": optional,
    })
}

fn form() -> Value {
    let option = |value: &str| json!({"text": {"type": "plain_text", "text": value}, "value": value});
    json!({
        "type": "modal", "callback_id": "pay", "private_metadata": "p1", "notify_on_close": true,
        "title": {"type": "plain_text", "text": "New payment"}, "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [
            input("amount", json!({"type": "plain_text_input", "action_id": "amount", "max_length": 8}), false),
            input("currency", json!({
                "type": "static_select", "action_id": "currency", "options": [option("EUR"), option("USD")],
                "initial_option": option("EUR"),
            }), false),
            input("note", json!({"type": "plain_text_input", "action_id": "note"}), true),
        ],
    })
}

async fn opened(stand: &Stand) -> String {
    let trigger = stand.slack.command("U0ANA", "C0SALES", "/pay", "").await.trigger_id;
    let answer = stand.call("views.open", json!({"trigger_id": trigger, "view": form()})).await;
    answer["view"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn a_trigger_opens_one_view_within_three_seconds() {
    let stand = Stand::new().await;
    let open = |trigger: &str| json!({"trigger_id": trigger, "view": form()});
    let trigger = stand.slack.command("U0ANA", "C0SALES", "/pay", "").await.trigger_id;
    stand.pass(3);
    assert_eq!(stand.call("views.open", open(&trigger)).await["ok"], true);
    assert_eq!(stand.error("views.open", open(&trigger)).await, "exchanged_trigger_id");
    assert_eq!(stand.error("views.open", open("1.2.3")).await, "invalid_trigger_id");
    let late = stand.slack.command("U0ANA", "C0SALES", "/pay", "").await.trigger_id;
    stand.pass(4);
    assert_eq!(stand.error("views.open", open(&late)).await, "expired_trigger_id");
    assert_eq!(stand.slack.views("U0ANA").len(), 1);
    let answer = stand.call("views.open", json!({"view": form()})).await;
    assert_eq!(answer["response_metadata"]["messages"][0], "[ERROR] missing required field: trigger_id");
}

#[tokio::test]
async fn a_view_that_is_wrong_is_refused_with_reasons() {
    let stand = Stand::new().await;
    let trigger = stand.slack.command("U0ANA", "C0SALES", "/pay", "").await.trigger_id;
    let broken: [fn(&mut Value); 7] = [
        |view| view["title"]["text"] = "A title that is far too long to be one".into(),
        |view| drop(view.as_object_mut().unwrap().remove("title")),
        |view| drop(view.as_object_mut().unwrap().remove("submit")),
        |view| view["type"] = "home".into(),
        |view| view["private_metadata"] = "x".repeat(3001).into(),
        |view| view["colour"] = "red".into(),
        |view| view["blocks"] = json!({}),
    ];
    for spoil in broken {
        let mut view = form();
        spoil(&mut view);
        let answer = stand.call("views.open", json!({"trigger_id": trigger, "view": view})).await;
        assert_eq!(answer["error"], "invalid_arguments", "{answer}");
        assert!(answer["response_metadata"]["messages"][0].as_str().unwrap().starts_with("[ERROR] "), "{answer}");
    }
    let mut huge = form();
    huge["blocks"][0]["label"]["text"] = "x".repeat(300 * 1024).into();
    let answer = stand.call("views.open", json!({"trigger_id": trigger, "view": huge})).await;
    assert!(["invalid_arguments", "view_too_large"].contains(&answer["error"].as_str().unwrap()), "{answer}");
    assert_eq!(stand.call("views.open", json!({"trigger_id": trigger, "view": form()})).await["ok"], true);
}

#[tokio::test]
async fn slack_does_not_send_what_is_not_filled_in() {
    let stand = Stand::new().await;
    let view = opened(&stand).await;
    let told = stand.app.got().len();
    let empty = stand.slack.submit("U0ANA", &view, &[]).await;
    let required = "Please complete this required field.".to_owned();
    assert_eq!(empty.outcome, Outcome::NotSent(BTreeMap::from([("amount".to_owned(), required)])));
    let long = stand.slack.submit("U0ANA", &view, &[("amount", json!("123456789"))]).await;
    assert!(matches!(long.outcome, Outcome::NotSent(why) if why["amount"].contains("8 characters")));
    assert_eq!(stand.app.got().len(), told, "the app heard nothing");
}

#[tokio::test]
async fn a_submission_has_the_whole_view_and_its_state() {
    let stand = Stand::new().await;
    let view = opened(&stand).await;
    let values = [("amount", json!("25")), ("currency", json!("USD"))];
    stand.app.says(Say::body(json!({"response_action": "errors", "errors": {"amount": "Not so much"}})));
    let refused = stand.slack.submit("U0ANA", &view, &values).await;
    assert_eq!(refused.outcome, Outcome::Errors(BTreeMap::from([("amount".into(), "Not so much".into())])));
    assert_eq!(stand.slack.views("U0ANA").len(), 1, "it stays open");
    let sent = stand.slack.submit("U0ANA", &view, &values).await;
    assert_eq!((sent.outcome, stand.slack.views("U0ANA").len()), (Outcome::Closed, 0));
    let payload = stand.slack.deliveries()[sent.answer.unwrap().n].payload.clone();
    assert_eq!((&payload["type"], &payload["view"]["callback_id"]), (&json!("view_submission"), &json!("pay")));
    assert_eq!((&payload["view"]["private_metadata"], &payload["view"]["id"]), (&json!("p1"), &json!(view)));
    let state = &payload["view"]["state"]["values"];
    assert_eq!(state["amount"]["amount"], json!({"type": "plain_text_input", "value": "25"}));
    assert_eq!(state["currency"]["currency"]["selected_option"]["value"], "USD");
    assert_eq!(state["note"]["note"], json!({"type": "plain_text_input", "value": null}));
}

#[tokio::test]
async fn an_answer_can_update_push_clear_or_be_no_answer() {
    let stand = Stand::new().await;
    let view = opened(&stand).await;
    let values = [("amount", json!("25"))];
    let mut second = form();
    second["title"]["text"] = "Second".into();
    stand.app.says(Say::body(json!({"response_action": "push", "view": second})));
    let pushed = stand.slack.submit("U0ANA", &view, &values).await;
    let Outcome::Pushed(top) = pushed.outcome else { panic!("{pushed:?}") };
    assert_eq!(stand.slack.views("U0ANA").len(), 2);
    assert_eq!(stand.slack.views("U0ANA")[1]["root_view_id"], view.as_str());
    stand.app.says(Say::body(json!({"response_action": "update", "view": form()})));
    assert_eq!(stand.slack.submit("U0ANA", &top, &values).await.outcome, Outcome::Updated);
    assert_eq!(stand.slack.views("U0ANA")[1]["title"]["text"], "New payment");
    for wrong in [
        Say::status(500),
        Say::body("what?"),
        Say::body(json!({"response_action": "errors", "errors": {"no_such_block": "x"}})),
        Say::body(json!({"response_action": "update", "view": {"type": "modal"}})),
    ] {
        stand.app.says(wrong);
        let outcome = stand.slack.submit("U0ANA", &top, &values).await.outcome;
        assert!(matches!(outcome, Outcome::Trouble(_)), "{outcome:?}");
    }
    assert_eq!(stand.slack.complaints().len(), 4);
    stand.app.says(Say::body(json!({"response_action": "clear"})));
    assert_eq!(stand.slack.submit("U0ANA", &top, &values).await.outcome, Outcome::Cleared);
    assert_eq!(stand.slack.views("U0ANA").len(), 0);
}

#[tokio::test]
async fn a_view_is_updated_by_its_id_while_it_is_the_one_that_was_seen() {
    let stand = Stand::new().await;
    let view = opened(&stand).await;
    let hash = stand.slack.views("U0ANA")[0]["hash"].clone();
    let update = |hash: &Value| json!({"view_id": view, "view": form(), "hash": hash});
    assert_eq!(stand.call("views.update", update(&hash)).await["ok"], true);
    assert_eq!(stand.error("views.update", update(&hash)).await, "hash_conflict");
    assert_eq!(stand.error("views.update", json!({"view_id": "V0NONE", "view": form()})).await, "not_found");
    assert_eq!(stand.error("views.update", json!({"view": form()})).await, "invalid_arguments");
    let closed = stand.slack.close_view("U0ANA", &view).await.unwrap();
    assert_eq!(stand.slack.deliveries()[closed.n].payload["type"], "view_closed");
    assert_eq!(stand.error("views.update", json!({"view_id": view, "view": form()})).await, "not_found");
}

#[tokio::test]
async fn three_views_lie_upon_each_other_and_no_more() {
    let stand = Stand::new().await;
    let mut view = form();
    view["blocks"] = json!([{"type": "actions", "elements": [
        {"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}},
    ]}]);
    let trigger = stand.slack.command("U0ANA", "C0SALES", "/pay", "").await.trigger_id;
    let named = |id: &str| {
        let mut view = view.clone();
        view["external_id"] = id.into();
        view
    };
    let first = stand.call("views.open", json!({"trigger_id": trigger, "view": named("one")})).await;
    let mut top = first["view"]["id"].as_str().unwrap().to_owned();
    for name in ["two", "three"] {
        let trigger = stand.slack.click_view("U0ANA", &top, "more").await.trigger_id;
        let twice = json!({"trigger_id": trigger, "view": named("one")});
        assert_eq!(stand.error("views.push", twice).await, "duplicate_external_id");
        let pushed = stand.call("views.push", json!({"trigger_id": trigger, "view": named(name)})).await;
        top = pushed["view"]["id"].as_str().unwrap_or_else(|| panic!("{pushed}")).to_owned();
    }
    let trigger = stand.slack.click_view("U0ANA", &top, "more").await.trigger_id;
    let fourth = json!({"trigger_id": trigger, "view": named("four")});
    assert_eq!(stand.error("views.push", fourth).await, "push_limit_reached");
    let by_name = json!({"external_id": "two", "view": named("two")});
    assert_eq!(stand.call("views.update", by_name).await["ok"], true);
}

#[tokio::test]
async fn a_home_is_published_for_one_person() {
    let stand = Stand::new().await;
    stand.slack.open_home("U0ANA").await;
    assert_eq!(stand.app.heard(), ["app_home_opened"]);
    let text = |text: &str| {
        json!({"type": "home", "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        ]})
    };
    let answer = stand.call("views.publish", json!({"user_id": "U0ANA", "view": text("one")})).await;
    let hash = answer["view"]["hash"].clone();
    stand.call("views.publish", json!({"user_id": "U0ANA", "view": text("two"), "hash": hash})).await;
    let conflict = json!({"user_id": "U0ANA", "view": text("three"), "hash": hash});
    assert_eq!(stand.error("views.publish", conflict).await, "hash_conflict");
    assert_eq!(stand.slack.home("U0ANA").unwrap()["blocks"][0]["text"]["text"], "two");
    assert!(stand.slack.home("U0BO").is_none());
    assert_eq!(stand.error("views.publish", json!({"user_id": "U0NONE", "view": text("x")})).await, "user_not_found");
    assert_eq!(stand.error("views.publish", json!({"user_id": "U0ANA", "view": form()})).await, "invalid_arguments");
}
