//! Whoever plays the bank and the merchant's dashboard at the sandbox, through the sandbox's own control page.

use super::{Town, browser};
use reqwest::Client;
use serde_json::{Value, json};

/// The hand on the control page of a town's sandbox.
pub(crate) struct Bank {
    http: Client,
    /// Where the sandbox is, without a trailing slash.
    base: String,
    key: String,
}

impl Bank {
    pub(crate) fn of(town: &Town) -> Self {
        let key = std::fs::read_to_string(town.data.path().join("sandbox-key")).unwrap();
        let base = town.control.strip_suffix("/control").expect("the control page").to_owned();
        Self { http: browser(), base, key }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let sent = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.key).json(body).send().await;
        let sent = sent.unwrap();
        let (status, text) = (sent.status(), sent.text().await.unwrap());
        assert!(status.is_success(), "{path} {body}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Does one thing to a checkout, a payment, a dispute or a refund; gives it back as it is then.
    pub(crate) async fn act(&self, act: &str, id: &str) -> Value {
        self.post("/control/act", &json!({ "act": act, "id": id })).await["object"].clone()
    }

    /// Sets these knobs, and all others back.
    pub(crate) async fn knobs(&self, knobs: &Value) {
        self.post("/control/knobs", knobs).await;
    }

    /// The newest refund of a payment.
    pub(crate) async fn refund_of(&self, payment: &str) -> String {
        let url = format!("{}/v1/refunds?capture={payment}", self.base);
        let found: Value = self.http.get(url).bearer_auth(&self.key).send().await.unwrap().json().await.unwrap();
        let newest =
            found["data"].as_array().and_then(|all| all.last()).unwrap_or_else(|| panic!("no refund: {found}"));
        newest["id"].as_str().unwrap().to_owned()
    }

    /// What was paid on one of the sandbox's pages.
    pub(crate) async fn payment_on(&self, page: &str) -> String {
        let id = checkout_on(page);
        let url = format!("{}/v1/checkouts/{id}", self.base);
        let found: Value = self.http.get(url).bearer_auth(&self.key).send().await.unwrap().json().await.unwrap();
        found["payment"]["id"].as_str().unwrap_or_else(|| panic!("not paid: {found}")).to_owned()
    }
}

/// The checkout of one of the sandbox's pages.
pub(crate) fn checkout_on(page: &str) -> &str {
    page.rsplit('/').next().unwrap()
}
