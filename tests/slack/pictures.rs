//! What people see in Slack: the cards, forms and home that reached the fake Slack, drawn in a real browser.
//!
//! ```text
//! story ─► fake Slack ─► its messages and views, as they are ─► tests/slack/drawing/draw.js ─► target/tmp/pictures/slack-*.png
//! ```
//! Nothing is invented on the way, and the page refuses a block, element or key that it does not draw.

use crate::support::browser::{Browser, PHONE};
use crate::support::eventually;
use crate::support::slack::{ANA, BO, Office, SALES, button};
use fake_slack::{Outcome, Shown, Way};
use serde_json::{Value, json};

const PAGE: &str = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/slack/drawing/page.html");
/// Width of Slack's window without its side bar.
const WINDOW: u32 = 1000;

/// The channel as Ana sees it.
fn channel(office: &Office) -> Value {
    let message = |one: Shown| {
        json!({
            "ts": one.ts, "user": one.user, "by_app": one.by_app, "only_for": one.only_for, "text": one.text,
            "blocks": one.blocks, "thread": one.thread,
        })
    };
    let messages: Vec<Value> = office.slack.messages(SALES).into_iter().map(message).collect();
    seen(json!({ "channel": { "name": "sales", "messages": messages } }))
}

/// A scene, with those who are in it.
fn seen(mut scene: Value) -> Value {
    scene["people"] = json!({ ANA: "Ana Alves", BO: "Bo Berg" });
    scene["bot"] = "U0SHOPBOT".into();
    scene["you"] = ANA.into();
    scene
}

/// The scene with one part more.
fn with(mut scene: Value, part: &str, value: Value) -> Value {
    scene[part] = value;
    scene
}

/// How high the drawn scene is; or why the page does not draw it.
async fn drawn(browser: &Browser, scene: &Value) -> Result<u32, String> {
    let height = browser.driver.execute("return draw(arguments[0])", vec![scene.clone()]).await;
    let height = height.map_err(|error| error.to_string())?;
    Ok(height.json().as_u64().unwrap().try_into().unwrap())
}

/// Two pictures of a scene, in a window and on a phone.
async fn picture(browser: &Browser, name: &str, scene: &Value) {
    for (width, of) in [(WINDOW, "slack"), (PHONE.0, "phone-slack")] {
        browser.size((width, 600)).await;
        let height = drawn(browser, scene).await.unwrap_or_else(|why| panic!("{name}: {why}"));
        browser.size((width, height)).await;
        browser.fits(name).await;
        browser.picture(&format!("{of}-{name}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_card_form_and_home_that_slack_was_sent_can_be_drawn() {
    let test = "slack::pictures::every_card_form_and_home_that_slack_was_sent_can_be_drawn";
    let Some(browser) = Browser::open(test).await else { return };
    let office = Office::open(Way::Http).await;
    browser.driver.goto(PAGE).await.unwrap();

    office.slack.say(BO, SALES, "Hi Ana, two coffees and a cake, please", None).await;
    let code = office.pay("2 x 4.50 EUR coffee + 3 EUR cake to:@bo note:\"See you at the window\"").await;
    let card = office.says(&code, "Please pay").await;
    picture(&browser, "1-asked", &channel(&office)).await;
    let confirm = button(&card, "Cancel")["confirm"].clone();
    picture(&browser, "2-cancel-question", &with(channel(&office), "confirm", confirm)).await;

    office.payer_pays(&card).await;
    let paid = office.says(&code, "Paid").await;
    office.below(&card.ts, "is paid").await;
    picture(&browser, "3-paid", &with(channel(&office), "thread", json!(card.ts))).await;

    office.click(ANA, &paid, "Refund").await;
    let form = office.form(ANA).await;
    picture(&browser, "4-refund-form", &with(channel(&office), "modal", form.clone())).await;
    let sent = office.slack.submit(ANA, form["id"].as_str().unwrap(), &[("amount", json!("3"))]).await;
    assert_eq!(sent.outcome, Outcome::Cleared);
    office.says(&code, "refunded 3.00 EUR").await;
    picture(&browser, "5-refunded-in-part", &channel(&office)).await;

    assert_eq!(office.command("/pay", "").await, "");
    picture(&browser, "6-form", &with(channel(&office), "modal", office.form(ANA).await)).await;
    office.slack.open_home(ANA).await;
    let home = eventually(async || office.slack.home(ANA)).await.expect("the home is published");
    picture(&browser, "7-home", &seen(json!({ "home": home }))).await;

    unknown_is_refused(&browser, &card).await;
    browser.close().await;
    office.close().await;
}

/// A page that drew only what it knows would show a card that nobody has.
async fn unknown_is_refused(browser: &Browser, card: &Shown) {
    let alone = |blocks: &Value| seen(json!({ "home": { "blocks": blocks } }));
    drawn(browser, &alone(&card.blocks)).await.unwrap();
    let changed = |at: &str, value: Value| {
        let mut blocks = card.blocks.clone();
        *blocks.pointer_mut(at).unwrap() = value;
        alone(&blocks)
    };
    for (scene, words) in [
        (changed("/0/type", json!("video")), "video"),
        (changed("/2/elements/0/type", json!("datepicker")), "datepicker"),
        (changed("/2/elements/0/style", json!("blinking")), "blinking"),
        (changed("/0/text/type", json!("markdown")), "markdown"),
        (changed("/1/elements/0", json!({ "type": "rich_text_section", "elements": [], "border": 1 })), "border"),
    ] {
        let why = drawn(browser, &scene).await.unwrap_err();
        assert!(why.contains(words) && why.contains("not drawn") || words == "blinking", "{why}");
    }
}
