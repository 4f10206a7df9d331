//! The adapter against the fake Stripe, in process: no socket, no clock of its own.

mod contract;
mod replays;

use super::*;
use fake_stripe::Settings;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use till_core::id::AccountId;
use till_core::port::psp::{Access, AccountSettings};

const KEY: &str = "sk_test_51TillShopSecret";
const ACCOUNT: &str = "acct_1TillShopAAAAAAA";
const SECRET: &str = "whsec_test_of_the_adapter";
const NOW: Timestamp = Timestamp::from_secs(1_795_372_200);

/// The fake answers at once, so that nothing ever waits.
fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the fake never waits"),
    }
}

fn fake() -> fake_stripe::Stripe {
    fake_stripe::Stripe::new(Settings::test(), 7, Arc::new(|| NOW))
}

fn account() -> Account {
    Account {
        id: AccountId::new("main"),
        base_url: "https://stripe.test".into(),
        secret: KEY.to_owned().into(),
        provider_account: ACCOUNT.into(),
        livemode: false,
        webhook_secrets: vec![SECRET.to_owned().into()],
        access: Access::Own,
        settings: AccountSettings::default(),
    }
}
