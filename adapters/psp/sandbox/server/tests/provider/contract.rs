//! Till's adapter against this provider: the contract of every payment provider's adapter.

use crate::stand::{KEY, SECRET, Stand};
use async_trait::async_trait;
use till_core::contract::psp::{Deliveries, Hinted, Payer, Setup, suite};
use till_core::contract::seeded::Seeded;
use till_core::id::{AccountId, CheckoutId};
use till_core::money::{Currency, Money};
use till_core::port::http::{Http, HttpError, Method, Request, Response};
use till_core::port::psp::{Access, Account, AccountSettings};
use till_core::signature;
use till_core::time::Timestamp;
use till_sandbox::{Difficult, Sandbox};

pub(crate) struct Client(pub(crate) reqwest::Client);

#[async_trait]
impl Http for Client {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        use secrecy::ExposeSecret as _;
        let mut sent = match request.method {
            Method::Get => self.0.get(request.url),
            Method::Post => self.0.post(request.url),
            Method::Patch => self.0.patch(request.url),
            Method::Delete => self.0.delete(request.url),
        };
        sent = request.headers.iter().fold(sent, |sent, (name, value)| sent.header(*name, value));
        if let Some(bearer) = &request.bearer {
            sent = sent.bearer_auth(bearer.expose_secret());
        }
        let unanswered = |error: reqwest::Error| HttpError::Unanswered(error.to_string());
        let answer = sent.body(request.body).send().await.map_err(unanswered)?;
        let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let status = answer.status().as_u16();
        Ok(Response { status, headers, body: answer.bytes().await.map_err(unanswered)? })
    }
}

struct Browser(reqwest::Client);

impl Browser {
    async fn press(&self, url: &str, card: &str) {
        let answer = self.0.post(url).form(&[("card", card)]).send().await.unwrap();
        assert_eq!(answer.status(), 303, "the page takes the press");
    }
}

#[async_trait]
impl Payer for Browser {
    async fn pay(&self, url: &str) {
        self.press(url, "ok").await;
    }

    async fn decline(&self, url: &str) {
        self.press(url, "declined").await;
    }

    async fn pay_amount(&self, url: &str, amount: Money) {
        let text = amount.to_string();
        let fields = [("card", "ok"), ("amount", text.split(' ').next().unwrap())];
        let answer = self.0.post(url).form(&fields).send().await.unwrap();
        assert!(answer.headers()["location"].to_str().unwrap().ends_with("?paid"), "the page takes {amount}");
    }
}

fn signed(body: &[u8], at: Timestamp) -> Vec<(String, String)> {
    let signature = signature::sign(&SECRET.to_owned().into(), "evt_1", at, body).unwrap();
    let all = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", "evt_1".to_owned()),
        ("webhook-timestamp", at.secs().to_string()),
        ("webhook-signature", signature),
    ];
    all.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

pub(crate) fn account(stand: &Stand) -> Account {
    Account {
        id: AccountId::new("sandbox"),
        base_url: stand.base.clone(),
        secret: KEY.to_owned().into(),
        provider_account: "acct_sandbox".into(),
        livemode: false,
        webhook_secrets: vec![SECRET.to_owned().into()],
        since: Timestamp::default(),
        access: Access::Own,
        settings: AccountSettings::default(),
    }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_of_every_provider() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    // Two events as this provider writes them: of a payment of Till's, and of somebody else's on the same account.
    let mut order = stand.order();
    order["metadata"]["till_payment"] = "pay_0198000000007fffbfffffffffffffff".into();
    stand.post("/v1/checkouts", "ours", &order).await;
    order["metadata"] = serde_json::json!({"shop_order": "7"});
    stand.post("/v1/checkouts", "theirs", &order).await;
    let events: Vec<String> = stand.events().await.iter().map(ToString::to_string).collect();

    let account = account(&stand);
    let mut setup = Setup {
        psp: &Sandbox,
        http: &Client(stand.client.clone()),
        account: &account,
        payer: &Browser(stand.client.clone()),
        entropy: &mut Seeded::new(7),
        now: stand.now(),
        currency: Currency::parse("EUR").unwrap(),
        deliveries: Deliveries::Signed { signed: &signed, ours: events[0].as_bytes(), foreign: events[1].as_bytes() },
    };
    suite(&mut setup).await;
}

#[tokio::test]
async fn the_adapter_of_the_difficult_character_keeps_it_too() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::start(dir.path(), None).await;
    let mut order = stand.difficult_order();
    order["custom_id"] = "order 7".into();
    let theirs = stand.post_d("/d/orders", "theirs", &order).await.json();
    let foreign = CheckoutId::new(theirs["id"].as_str().unwrap());
    let account = Account { webhook_secrets: vec![], ..account(&stand) };
    let hinted: Hinted<'_> = &|id| {
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        (headers, format!("id={id}").into_bytes())
    };
    let mut setup = Setup {
        psp: &Difficult,
        http: &Client(stand.client.clone()),
        account: &account,
        payer: &Browser(stand.client.clone()),
        entropy: &mut Seeded::new(8),
        now: stand.now(),
        currency: Currency::parse("EUR").unwrap(),
        deliveries: Deliveries::Hints { hinted, foreign: &foreign },
    };
    suite(&mut setup).await;
}
