//! A provider and a chat that follow a script: everything they do wrong comes from one seed.
//!
//! ```text
//! Character      what a provider is like: who closes, who takes, who chooses the amount, what its webhooks say
//! ScriptedPsp    refuses for now, acts and stays silent, breaks a key, is down; its people pay, lie, dispute (hands)
//! ScriptedChat   refuses for now, posts and stays silent, closes messages for editing
//! cut(future, n) ends a future after n breaths, as a crash would; advance(future, n) only lets time pass
//! ```
//! Each call breathes before and after its effect. A future that is dropped at a breath is a process that was killed
//! there: between the claim and the call, or between the call and the commit. One that is left alone for a while is a
//! call in flight, during which other things happen.

#![allow(clippy::unwrap_used, reason = "test code")]

mod character;
mod chat;
mod hands;
mod provider;
mod psp;

pub use character::{Character, Names, Tells};
pub use chat::{Knows, Message, ScriptedChat};
pub use hands::Down;
pub use provider::{Backed, Fought, Holds, Misfit, Provider, Sold, Took, Version};
pub use psp::{ScriptedPsp, Told};

use super::seeded::Seeded;
use crate::money::Money;
use crate::port::http::Http;
use async_trait::async_trait;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Pending once: the moment at which a crash can happen.
pub async fn breathe() {
    let mut breathed = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut breathed, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

/// Runs a future for `breaths` breaths at most, and lets it wait for more. `None`: it is not done.
pub fn advance<T, F: Future<Output = T> + ?Sized>(mut future: Pin<&mut F>, breaths: usize) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..=breaths {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

/// Runs a future for `breaths` breaths at most; `None`: it was dropped in the middle.
pub fn cut<T>(future: impl Future<Output = T>, breaths: usize) -> Option<T> {
    advance(pin!(future), breaths)
}

/// Runs a future to its end.
pub fn whole<T>(future: impl Future<Output = T>) -> T {
    cut(future, 1_000_000).unwrap()
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    None,
    /// Not now, and nothing happened.
    Refused,
    /// An error without an effect.
    Failed,
    /// It happened, and no answer comes.
    Silent,
    /// It happened, and the answer cannot be read.
    Garbled,
    /// The key will say the same error for ever, and nothing happened.
    BrokenBefore,
    /// The key will say the same error for ever, and it happened.
    BrokenAfter,
}

impl Mishap {
    fn of(seeded: &mut Seeded, trouble_percent: u64) -> Self {
        if !seeded.chance(trouble_percent) {
            return Self::None;
        }
        match seeded.below(12) {
            0..=3 => Self::Refused,
            4 | 5 => Self::Failed,
            6..=8 => Self::Silent,
            9 => Self::Garbled,
            10 => Self::BrokenBefore,
            11.. => Self::BrokenAfter,
        }
    }
}

/// A client that reaches nothing: a scripted provider needs none.
pub struct NoHttp;

#[async_trait]
impl Http for NoHttp {
    async fn send(
        &self,
        _: crate::port::http::Request,
    ) -> Result<crate::port::http::Response, crate::port::http::HttpError> {
        Err(crate::port::http::HttpError::Unsent("there is no network in this test".into()))
    }
}

/// An amount in cents, for tests.
pub fn cents(minor: i64, currency: &str) -> Money {
    Money::new(minor, crate::money::Currency::parse(currency).unwrap())
}
