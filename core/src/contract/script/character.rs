//! What a scripted provider is like: its abilities, how its webhooks speak, and how far its clock is from the right one.

use super::super::seeded::Seeded;
use crate::port::psp::{AmountBy, Capture, Expire, PspCaps, Webhooks};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// What a provider is like. Every combination is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Character {
    /// Whether a checkout can be closed by us.
    pub expire: Expire,
    /// Whether money moves when the payer agrees, or when we take it. What nobody takes lapses after three hours.
    pub capture: Capture,
    /// Who chooses the amount.
    pub amount: AmountBy,
    /// What its webhooks say.
    pub tells: Tells,
    /// How refunds and disputes name the payment that they belong to.
    pub names: Names,
    /// How long a key is remembered.
    pub key_window: Duration,
    /// How far its clock is from the right one, in milliseconds.
    pub clock_off_ms: i64,
}

/// What webhooks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// All of it, signed.
    Whole,
    /// Which checkout to ask about, and nobody signs it: anybody can send one.
    Hints,
}

/// How refunds and disputes name the payment that they belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// By our reference.
    Payment,
    /// By the money alone.
    Capture,
}

impl Character {
    /// Closes on request, takes by itself, a fixed amount, whole webhooks, a long key window, the right time.
    pub const PLAIN: Self = Self {
        expire: Expire::OnRequest,
        capture: Capture::ByItself,
        amount: AmountBy::Checkout,
        tells: Tells::Whole,
        names: Names::Payment,
        key_window: Duration::from_secs(24 * 3600),
        clock_off_ms: 0,
    };

    /// The character of a seed; one in five is plain.
    pub fn of(seed: u64) -> Self {
        let mut seeded = Seeded::new(seed);
        if seeded.chance(20) {
            return Self::PLAIN;
        }
        let mut either = |percent| seeded.chance(percent);
        Self {
            expire: if either(30) { Expire::ByItself } else { Expire::OnRequest },
            capture: if either(30) { Capture::OnRequest } else { Capture::ByItself },
            amount: if either(40) { AmountBy::Payer } else { AmountBy::Checkout },
            tells: if either(30) { Tells::Hints } else { Tells::Whole },
            names: if either(40) { Names::Capture } else { Names::Payment },
            key_window: if either(40) { HOUR * 2 } else { HOUR * 24 },
            clock_off_ms: if either(40) { i64::try_from(seeded.below(400_000)).unwrap_or(0) - 200_000 } else { 0 },
        }
    }

    /// As the port says it.
    pub fn caps(&self) -> PspCaps {
        PspCaps {
            expire: self.expire,
            capture: self.capture,
            amount: self.amount,
            webhooks: match self.tells {
                Tells::Hints => Webhooks::Hints,
                Tells::Whole => Webhooks::Signed,
            },
            key_window: self.key_window,
            checkout_life: (Duration::from_secs(60), HOUR * 24),
        }
    }
}
