//! The chat contract, run on the live chat.

use super::shop::{Shop, merchant};
use async_trait::async_trait;
use serde_json::json;
use till_core::contract::chat::{Eye, HOSTILE, Setup, maximal, ordinary, suite};
use till_core::contract::model::Model;
use till_core::place::{MessageRef, PersonId, Place};
use till_core::port::chat::{Caps, Chat as _, Loss, Private, Twins};
use till_core::port::transcript::{NewLine, Readers, Scope, Transcript as _};
use till_core::text::Locale;
use till_core::time::Timestamp;

#[async_trait]
impl Eye for Sight<'_> {
    async fn standing(&self, at: &Place) -> Vec<String> {
        let lines = self.0.since(&merchant(), Scope::Customer(&at.channel), 0, 1_000).await.unwrap();
        lines.iter().map(|line| line.body.to_string()).collect()
    }

    async fn speak(&self, text: &str) -> MessageRef {
        let conversation = self.1.to_owned();
        let line = NewLine {
            conversation: conversation.clone(),
            key: text.to_owned(),
            readers: Readers::Everyone,
            author: "visitor".to_owned(),
            name: "Guest".to_owned(),
            body: json!({ "kind": "text", "text": text }),
            at: Timestamp::from_secs(1_795_372_200),
        };
        let line = self.0.append(&merchant(), line).await.unwrap().unwrap();
        MessageRef { place: Shop::place(&conversation), id: line.id.to_string() }
    }
}

/// The rows, and the customer's conversation.
struct Sight<'a>(&'a Model, &'a str);

#[tokio::test]
async fn the_live_chat_does_what_every_chat_does() {
    let shop = Shop::open().await;
    let (_, conversation) = shop.customer().await;
    let person = |id: String| PersonId { platform: "web".to_owned(), id };
    suite(&Setup {
        chat: shop.web.clone(),
        eye: &Sight(&shop.model, &conversation),
        place: Shop::place(&conversation),
        nowhere: Shop::place("nowhere"),
        staff: person("staff:ana".to_owned()),
        guest: person(format!("visitor:{conversation}")),
        nobody: person("staff:bob".to_owned()),
        locale: Locale::english().unwrap(),
        now: Timestamp::from_secs(1_795_372_200),
    })
    .await;
}

#[tokio::test]
async fn only_web_addresses_become_links_and_nothing_is_lost_in_silence() {
    let shop = Shop::open().await;
    let english = Locale::english().unwrap();
    let caps = shop.web.caps(&Shop::place("x"));
    assert_eq!(
        caps,
        Caps { text_max: 4_000, buttons_max: 5, url_max: 2_048, private: Private::Here, twins: Twins::Recognised }
    );
    assert_eq!(shop.web.render(&ordinary(), &caps, &english).losses, []);
    assert_eq!(shop.web.render(&maximal("W"), &caps, &english).losses, [Loss::Text]);

    let mut card = serde_json::to_value(ordinary()).unwrap();
    card["actions"][0]["url"] = "javascript:alert(1)".into();
    let rendered = shop.web.render(&serde_json::from_value(card).unwrap(), &caps, &english);
    assert_eq!(rendered.losses, [Loss::Button]);
    assert_eq!(rendered.body["card"]["actions"].as_array().unwrap().len(), 1, "the press stays, the link does not");
    assert_eq!(rendered.body["more"][0]["text"], "Pay coffee: javascript:alert(1)");
    assert_eq!(shop.web.say(HOSTILE, &[], &caps).body["text"], HOSTILE, "text is text: the page shows it as it is");
}
