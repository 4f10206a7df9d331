//! The contract of every payment provider's adapter, kept against the fake.

use super::*;
use till_core::contract::psp::{Deliveries, Payer, Setup, suite};
use till_core::contract::seeded::Seeded;
use till_core::money::Currency;

/// The payer's hand: it finds the session in the URL of its page.
struct Hand(fake_stripe::Stripe);

fn session_of(url: &str) -> &str {
    url.split('#').next().unwrap().rsplit('/').next().unwrap()
}

#[async_trait]
impl Payer for Hand {
    async fn pay(&self, url: &str) {
        self.0.pay(session_of(url)).unwrap();
    }

    async fn decline(&self, url: &str) {
        self.0.decline(session_of(url), "insufficient_funds").unwrap();
    }
}

fn signed(body: &[u8], at: Timestamp) -> Vec<(String, String)> {
    let signature = fake_stripe::signature(&[SECRET.to_owned()], at, body);
    let all = [("content-type", "application/json; charset=utf-8".to_owned()), ("stripe-signature", signature)];
    all.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

#[test]
fn the_adapter_keeps_the_contract_of_every_provider() {
    let fake = fake();
    // Two events as Stripe writes them: of a payment of Till's, and of somebody else's shop on the same account.
    fake.foreign_traffic(1);
    let theirs = fake.events().iter().find(|event| event["type"] == "checkout.session.completed").unwrap().to_string();
    let entropy = &mut Seeded::new(3);
    let order = order(entropy);
    let key = IdemKey::create(order.payment, 1);
    done(Stripe.create(&fake, &account(), &order, &key)).unwrap();
    fake.pay(&fake.open()[0]).unwrap();
    let ours = fake.events();
    let ours = ours.iter().rev().find(|event| event["type"] == "checkout.session.completed").unwrap().to_string();
    let mut setup = Setup {
        psp: &Stripe,
        http: &fake,
        account: &account(),
        payer: &Hand(fake.clone()),
        entropy: &mut Seeded::new(7),
        now: NOW,
        currency: Currency::parse("EUR").unwrap(),
        deliveries: Deliveries::Signed { signed: &signed, ours: ours.as_bytes(), foreign: theirs.as_bytes() },
    };
    done(suite(&mut setup));
}

pub(super) fn order(entropy: &mut Seeded) -> CheckoutOrder {
    let amount = Money::new(2500, Currency::parse("EUR").unwrap());
    CheckoutOrder {
        payment: PaymentId::new(NOW, entropy),
        n: 1,
        code: till_core::id::Code::new(entropy),
        amount,
        lines: vec![till_core::order::Line { name: "coffee".into(), quantity: 1, each: amount }],
        closes_at: NOW.after(Duration::from_secs(3600)),
        return_url: "https://till.example/p/t".into(),
        locale: "en".into(),
        options: till_core::order::CheckoutOptions::default(),
    }
}
