//! The chat contract, run on Slack, as far as the fake is one.

use crate::{Keywords, Settings, Slack, Tokens};
use async_trait::async_trait;
use std::sync::Arc;
use till_core::command::Grammar;
use till_core::contract::chat::{Eye, Setup, suite};
use till_core::contract::model::Model;
use till_core::id::MerchantId;
use till_core::money::Currency;
use till_core::place::{MessageRef, PersonId, Place};
use till_core::port::store::{Staff, Store as _};
use till_core::text::{Locale, Texts, Tongues};
use till_core::time::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_795_372_200);

struct Sight<'a>(&'a fake_slack::Slack);

#[async_trait]
impl Eye for Sight<'_> {
    async fn standing(&self, at: &Place) -> Vec<String> {
        let shown = self.0.messages(&at.channel);
        shown
            .into_iter()
            .filter(|shown| shown.only_for.is_none())
            .map(|shown| format!("{}\n{}", shown.text, shown.blocks))
            .collect()
    }

    async fn speak(&self, text: &str) -> MessageRef {
        let (ts, _) = self.0.say("U0BO", "C0SALES", text, None).await;
        MessageRef { place: crate::receive::place("T0SHOP", "C0SALES", None), id: ts }
    }
}

/// Slack in this world; `admin`: with a token that takes away what others wrote.
async fn open(admin: bool) -> (fake_slack::Slack, Arc<Slack>) {
    // As the program does first: two providers are compiled in, and none is taken by itself.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut set = fake_slack::Settings::test();
    set.teams[0].users[0].is_admin = admin;
    set.teams[0].user_token = Some(("xoxp-ana".into(), "U0ANA".into()));
    let fake = fake_slack::serve(set, Arc::new(|| NOW)).await;
    let merchant = MerchantId::new("default");
    let model = Arc::new(Model::default());
    let ana = Staff { id: "slack:T0SHOP/U0ANA".into(), name: "Ana".into(), since: NOW };
    model.add_staff(&merchant, &ana).await.unwrap();
    let settings = Settings {
        merchant,
        api_url: format!("{}/api", fake.url()),
        app_token: None,
        admin_token: Some("xoxp-ana".to_owned().into()),
        signing_secret: None,
        connections: 1,
        keywords: Keywords::Ignored,
        grammar: Grammar::default(),
        currency: Currency::parse("EUR").unwrap(),
    };
    // Slack's budgets are by the second; the contract posts as fast as it can, so time goes by with each look.
    let seconds = std::sync::atomic::AtomicI64::new(NOW.secs());
    let clock = Arc::new(move || Timestamp::from_secs(seconds.fetch_add(2, std::sync::atomic::Ordering::SeqCst)));
    (fake, Slack::new(settings, Tokens::Own("xoxb-shop-secret".to_owned().into()), model, clock, tongues()).unwrap())
}

/// Once with the token of an administrator, and once with that of somebody whom Slack lets delete nothing of others.
#[tokio::test]
async fn slack_does_what_every_chat_does() {
    for admin in [true, false] {
        let (fake, slack) = open(admin).await;
        keeps_the_contract(&fake, slack).await;
        let asked = fake.whispers("C0SALES", "U0BO").into_iter().any(|shown| shown.text.contains("take it away"));
        assert_ne!(asked, admin, "only who must do it is asked");
        assert_eq!((fake.complaints(), fake.unknown_args()), (Vec::new(), Vec::new()));
    }
}

async fn keeps_the_contract(fake: &fake_slack::Slack, slack: Arc<Slack>) {
    let place = |channel: &str| crate::receive::place("T0SHOP", channel, None);
    let person = |user: &str| PersonId { platform: "slack".into(), id: format!("T0SHOP/{user}") };
    suite(&Setup {
        chat: slack,
        eye: &Sight(fake),
        place: place("C0SALES"),
        nowhere: place("C0NOWHERE"),
        staff: person("U0ANA"),
        guest: person("U0BO"),
        nobody: person("U0NOBODY"),
        locale: Locale::english().unwrap(),
        now: NOW,
    })
    .await;
}

fn tongues() -> Tongues {
    Tongues::new(Texts::embedded().unwrap(), Locale::english().unwrap())
}
