//! Webhooks over real HTTP: each delivery is posted when it is due, again and again until it is accepted.

use crate::Stripe;
use crate::deliveries::Delivery;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many deliveries are under way at once.
const FLYING_MAX: usize = 32;
const TICK: Duration = Duration::from_millis(25);

impl Stripe {
    /// Posts what is due, and closes sessions at their time, until `stop`; then waits for what is under way.
    ///
    /// # Panics
    /// When no HTTP client can be made.
    pub async fn run(self, stop: CancellationToken) {
        // As at Stripe a redirect is a failure; a proxy has no place between a fake and localhost.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = client.timeout(Duration::from_secs(5)).build().expect("an HTTP client");
        let mut flying: JoinSet<u64> = JoinSet::new();
        let mut under_way = BTreeSet::new();
        while !stop.is_cancelled() {
            let now = self.lock().now;
            for delivery in self.deliveries().into_iter().filter(|delivery| delivery.due <= now) {
                if under_way.len() < FLYING_MAX && under_way.insert(delivery.n) {
                    flying.spawn(deliver(self.clone(), client.clone(), delivery));
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                Some(done) = flying.join_next() => drop(done.map(|n| under_way.remove(&n))),
                () = tokio::time::sleep(TICK) => {}
            }
        }
        while flying.join_next().await.is_some() {}
    }
}

async fn deliver(stripe: Stripe, client: reqwest::Client, delivery: Delivery) -> u64 {
    let now = stripe.lock().now;
    let mut request = client.post(&delivery.url).body(delivery.body.clone());
    for (name, value) in delivery.headers(now) {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(answer) if answer.status().is_success() => stripe.accepted(&delivery),
        _ => stripe.refused(&delivery),
    }
    delivery.n
}
