//! Every state of a payment, as customer and staff see it: told over HTTP, and shown in a real browser where there is one.
//!
//! ```text
//! staff type, payers pay on the sandbox's page, Bank plays the rest ─► both cards say it ─► pictures, two widths
//! ```

mod difficult;
mod plain;

use crate::browser::Counter;
use crate::support::bank::Bank;
use crate::support::browser::{DESKTOP, PHONE};
use crate::support::{Town, eventually, link_of, to_provider, token_of};
use serde_json::Value;

/// A town in which every state is looked at.
struct Stage {
    town: Town,
    bank: Bank,
    conversation: String,
    counter: Option<Counter>,
}

impl Stage {
    async fn open(test: &str, town: Town) -> Self {
        let counter = Counter::open(test).await;
        if let Some(counter) = &counter {
            counter.sign_in(&town.url, &town.cookies).await;
        }
        let conversation = town.conversation().await;
        Self { bank: Bank::of(&town), town, conversation, counter }
    }

    /// Staff ask; gives the code, and the provider's page when the payer has come to it.
    async fn asked(&self, text: &str) -> (String, String) {
        let code = self.town.staff.ask(&self.conversation, text).await;
        let page = self.to_page(&code).await;
        (code, page)
    }

    /// The payer opens the card's link and comes to the provider's page.
    async fn to_page(&self, code: &str) -> String {
        let paid_at = eventually(async || {
            let card = self.town.customer.cards(code).await.first().cloned()?;
            card["actions"].to_string().contains("\"Pay").then(|| link_of(&card, "Pay"))
        });
        to_provider(&self.town.customer.http, &paid_at.await.expect("a card that can be paid")).await
    }

    async fn pay(&self, page: &str, form: &[(&str, &str)]) {
        let sent = self.town.customer.http.post(page).form(form).send().await.unwrap();
        assert!(sent.status().is_redirection(), "{form:?}: {}", sent.status());
    }

    /// Staff type something; gives the private answer.
    async fn say(&self, text: &str) -> String {
        self.town.staff.say(&self.conversation, text).await["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Staff press a button of the card, as it is now.
    async fn press(&self, code: &str, status: &str, label: &str, amount: Option<&str>) -> String {
        let card = self.town.staff.card(code, status).await;
        let answer = self.town.staff.press(&self.conversation, &token_of(&card, label), amount).await;
        answer["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Both sides see this status; what they see of it, and pictures of it.
    async fn seen(&self, picture: &str, code: &str, status: &str) -> [Value; 2] {
        let customer = self.town.customer.card(code, status).await;
        let staff = self.town.staff.card(code, status).await;
        self.pictures(picture, &[&customer, &staff]).await;
        [customer, staff]
    }

    async fn pictures(&self, name: &str, cards: &[&Value; 2]) {
        let Some(counter) = &self.counter else { return };
        let text = |key: &str| cards[0][key].as_str().unwrap();
        // What is open asks for its amount in large; its title is for platforms without that.
        let title = if text("status") == "open" { "Waiting for payment" } else { text("title") };
        let code = text("code");
        counter.size(DESKTOP).await;
        counter.driver.goto(&self.town.url).await.unwrap();
        counter.frame(1).await;
        counter.click("#conversations a", "Guest").await;
        for side in [0, 1] {
            counter.frame(side).await;
            counter.shows(code, title).await;
        }
        counter.driver.enter_default_frame().await.unwrap();
        counter.browser.picture(&format!("state-{name}")).await;
        counter.size(PHONE).await;
        counter.driver.goto(format!("{}/chat", self.town.url)).await.unwrap();
        counter.shows(code, title).await;
        counter.browser.picture(&format!("phone-state-{name}")).await;
        counter.fits(name).await;
    }

    async fn close(self) {
        if let Some(counter) = self.counter {
            counter.browser.close().await;
        }
        self.town.stop().await;
    }
}

/// What a card says beside its title.
fn details(card: &Value) -> String {
    let line = |detail: &Value| format!("{}: {}", detail["label"].as_str().unwrap(), detail["value"].as_str().unwrap());
    card["details"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}
