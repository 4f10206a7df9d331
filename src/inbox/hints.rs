//! Hints: webhooks that nobody signed. Whoever knows an order's id can send one, the payer among them.
//!
//! ```text
//! hint ─► one look a second for each order, begun after the hint had come ─► facts ─► 2xx
//! hints that come meanwhile ─► wait for the next look, and are answered with what became of it
//! ```
//! No hint is answered well before a look that began after it, so the last change is never missed. Their looks have a
//! budget of their own: a flood of hints takes nothing from what else is asked of the provider.
//!
//! Deliberately absent: rows. What was not answered well is sent again by the provider, and the reconciler asks anyway.

use super::{Verdict, fetch_and_take};
use crate::clock::Clock;
use crate::traffic::Reads;
use crate::world::{At, World};
use dashmap::DashMap;
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use till_core::id::AccountId;
use till_core::port::psp::Ask;
use till_core::port::store::StoreError;
use till_core::time::Timestamp;
use tokio::sync::Mutex as AsyncMutex;

/// Between two looks at the same order.
const EVERY: Duration = Duration::from_secs(1);
/// How many orders are remembered; then those that nobody waits for are forgotten, which costs a look more.
const ORDERS_MAX: usize = 10_000;

/// Lets time pass.
pub type Pause = fn(Duration) -> BoxFuture<'static, ()>;

/// Time that passes by itself.
pub fn sleep(how_long: Duration) -> BoxFuture<'static, ()> {
    Box::pin(tokio::time::sleep(how_long))
}

/// The looks that hints have led to, in this process.
pub struct Hints {
    budget: Reads,
    orders: DashMap<[u8; 32], Arc<Order>>,
    pause: Pause,
}

/// One order that was hinted at.
#[derive(Default)]
struct Order {
    /// How many looks have begun.
    begun: AtomicU64,
    /// Held by the one who looks.
    last: AsyncMutex<Last>,
}

/// The last look.
#[derive(Default)]
struct Last {
    began: Option<Timestamp>,
    /// Its number, and what became of it; none while it is under way, or where it was cut off.
    ended: Option<(u64, Verdict)>,
}

impl Hints {
    /// None yet.
    pub fn new(now: Timestamp, pause: Pause) -> Self {
        Self { budget: Reads::full(now), orders: DashMap::new(), pause }
    }

    /// What became of a look at this order that began after now: one's own, or somebody else's. `None`: the budget of
    /// hints is used up.
    pub(super) async fn look(
        &self,
        account: &AccountId,
        ask: &Ask,
        clock: &Clock,
        fetch: impl Future<Output = Result<Verdict, StoreError>>,
    ) -> Result<Option<Verdict>, StoreError> {
        let order = self.order(account, ask);
        let begun = order.begun.load(Ordering::SeqCst);
        let mut last = order.last.lock().await;
        if let Some((_, verdict)) = last.ended.filter(|(number, _)| *number > begun) {
            return Ok(Some(verdict));
        }
        if let Some(began) = last.began {
            let rest = EVERY.saturating_sub(clock().since(began));
            if !rest.is_zero() {
                (self.pause)(rest).await;
            }
        }
        if !self.budget.take(clock()) {
            return Ok(None);
        }
        last.began = Some(clock());
        let number = order.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let became = fetch.await;
        last.ended = Some((number, *became.as_ref().unwrap_or(&Verdict::Later)));
        became.map(Some)
    }

    fn order(&self, account: &AccountId, ask: &Ask) -> Arc<Order> {
        if self.orders.len() >= ORDERS_MAX {
            self.orders.retain(|_, order| Arc::strong_count(order) > 1);
        }
        let key = Sha256::digest(format!("{account}\n{ask:?}").as_bytes()).into();
        self.orders.entry(key).or_default().clone()
    }
}

/// Looks where a hint points.
pub(super) async fn follow(world: &World, at: &At, ask: &Ask) -> Result<Verdict, StoreError> {
    let fetch = async {
        let (verdict, new) = fetch_and_take(world, at, ask, (world.clock)()).await?;
        // A stranger's hint leads nowhere, and must not look like webhooks that arrive.
        if new > 0 {
            world.heard.note(world, at, Ok(()), (world.clock)()).await;
        }
        Ok(verdict)
    };
    let became = world.hints.look(&at.account.id, ask, &world.clock, fetch).await?;
    Ok(became.unwrap_or_else(|| {
        world.counts.add("event_over_budget");
        Verdict::Later
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::{join, join_all};
    use std::cell::Cell;
    use till_core::id::CheckoutId;
    use tokio::task::yield_now;

    thread_local! {
        static NOW_MS: Cell<u64> = const { Cell::new(0) };
    }

    fn present() -> Timestamp {
        Timestamp::from_ms(1_795_000_000_000).after(Duration::from_millis(NOW_MS.get()))
    }

    /// Nobody waits in a test: the clock moves on.
    fn skip(how_long: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            yield_now().await;
            NOW_MS.set(NOW_MS.get() + u64::try_from(how_long.as_millis()).unwrap());
        })
    }

    struct Desk {
        hints: Hints,
        looks: Cell<u32>,
        /// What the provider knows, and what was seen of it last.
        there: Cell<u32>,
        seen: Cell<u32>,
    }

    impl Desk {
        fn new() -> Self {
            NOW_MS.set(0);
            let zero = || Cell::new(0);
            Self { hints: Hints::new(present(), skip), looks: zero(), there: zero(), seen: zero() }
        }

        async fn hint(&self, order: &str) -> Option<Verdict> {
            let (clock, ask): (Clock, _) = (Arc::new(present), Ask::Checkout(CheckoutId::new(order)));
            let fetch = async {
                self.looks.set(self.looks.get() + 1);
                let there = self.there.get();
                yield_now().await;
                self.seen.set(there);
                Ok(Verdict::Taken)
            };
            self.hints.look(&AccountId::new("main"), &ask, &clock, fetch).await.unwrap()
        }
    }

    #[tokio::test]
    async fn a_flood_of_hints_about_one_order_costs_one_look_a_second_and_the_last_change_is_seen() {
        let desk = Desk::new();
        assert_eq!(desk.hint("a").await, Some(Verdict::Taken));
        let flood = join_all((0..300).map(|_| desk.hint("a")));
        let changed = async {
            // In the middle of the next look: what it brings is old by then.
            while desk.looks.get() < 2 {
                yield_now().await;
            }
            desk.there.set(7);
            desk.hint("a").await
        };
        let (all, last) = join(flood, changed).await;
        assert!(
            all.into_iter().chain([last]).all(|became| became == Some(Verdict::Taken)),
            "every hint is answered well"
        );
        assert_eq!(desk.seen.get(), 7, "a look began after the last hint");
        assert_eq!((desk.looks.get(), NOW_MS.get()), (3, 2000), "of 302 hints: one each second");
    }

    #[tokio::test]
    async fn an_answer_is_for_those_who_came_before_its_look_began() {
        let desk = Desk::new();
        for state in 1..=3 {
            desk.there.set(state);
            desk.hint("a").await;
            assert_eq!(desk.seen.get(), state);
        }
        assert_eq!(desk.looks.get(), 3);
    }

    #[tokio::test]
    async fn hints_about_many_orders_have_one_budget_and_a_look_that_was_cut_off_answers_nobody() {
        let desk = Desk::new();
        let names: Vec<String> = (0..30).map(|n| format!("order {n}")).collect();
        let all = join_all(names.iter().map(|name| desk.hint(name))).await;
        assert_eq!(all.iter().filter(|became| became.is_some()).count(), 20, "later ones come again");
        NOW_MS.set(10_000);
        let cut = till_core::contract::script::cut(desk.hint("cut"), 0);
        assert_eq!((cut, desk.looks.get()), (None, 21));
        assert_eq!(desk.hint("cut").await, Some(Verdict::Taken));
        assert_eq!((desk.looks.get(), NOW_MS.get()), (22, 11_000), "nor does it look at once");
    }
}
