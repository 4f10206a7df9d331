//! Somebody else's shop on the same account: payments and refunds without a reference of Till's, and their events.
//!
//! Deliberately absent: the control page's list; what is not Till's is nothing to play with.

use crate::World;
use crate::ask::{Labels, Line};
use crate::checkouts::Fresh;
use crate::db::begin;
use crate::object::Api;
use crate::problem::{Failure, Problem};
use serde::Deserialize;
use std::time::Duration;
use till_core::money::{Currency, Money};

/// The most events that are made at once.
const EVENTS_MAX: u32 = 10_000;

/// `POST /control/foreign`: `{"events":1000,"api":"plain"}`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flood {
    /// How many, at least: a payment is made, paid and refunded.
    events: u32,
    api: Api,
}

impl World {
    /// Makes payments of somebody else's, and says how many.
    pub(crate) async fn flood(&self, flood: Flood) -> Result<u32, Failure> {
        if !(1..=EVENTS_MAX).contains(&flood.events) {
            return Err(Problem::refused("events", format!("events must be 1 to {EVENTS_MAX}")).into());
        }
        let payments = flood.events.div_ceil(3);
        let mut tx = begin(&self.write).await?;
        let now = self.now();
        let euro = Currency::parse("EUR").map_err(|why| Problem::malformed(why.to_string()))?;
        for order in 0..payments {
            let amount = Money::new(i64::from(order) + 100, euro);
            let lines = [Line { name: "somebody else's".into(), quantity: 1, each_minor: amount.minor() }];
            let metadata: Labels = [("shop_order".to_owned(), order.to_string())].into();
            let fresh = Fresh {
                api: flood.api,
                amount,
                lines: &lines,
                metadata: &metadata,
                return_url: "https://shop.example/",
                locale: "en",
                closes_at: now.after(Duration::from_secs(3600)),
                always_challenged: false,
            };
            let made = self.insert(&mut tx, &fresh, now).await?;
            let paid = self.arrive(&mut tx, &made, amount, now).await?;
            if let Some(paid) = paid.capture() {
                self.send_back(&mut tx, flood.api, &paid.id, None, &metadata, now).await?;
            }
        }
        tx.commit().await?;
        self.news.notify_one();
        Ok(payments * 3)
    }
}
