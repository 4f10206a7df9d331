//! Randomness that can be had twice: a seed gives the same bytes for ever.
//!
//! Source: Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators" (2014), `SplitMix64`. Good enough to
//! choose what a test does next; never for a secret.

use crate::id::Entropy;

/// A small generator that starts from a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeded(u64);

impl Seeded {
    /// The generator of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `n - 1`; 0 when `n` is 0.
    pub const fn below(&mut self, n: u64) -> u64 {
        let bits = self.bits();
        if n == 0 { 0 } else { bits % n }
    }

    /// One of them; `None` of nothing.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(u64::try_from(from.len()).unwrap_or(u64::MAX));
        from.get(usize::try_from(at).unwrap_or(0))
    }

    /// True so many times out of a hundred.
    pub const fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.bits().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_published_numbers() {
        // Source: the reference splitmix64.c by Vigna, seed 1234567.
        let mut seeded = Seeded::new(1_234_567);
        assert_eq!([seeded.bits(), seeded.bits()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn odd_lengths_are_filled_and_nothing_is_picked_from_nothing() {
        let mut bytes = [0; 13];
        Seeded::new(1).fill(&mut bytes);
        assert!(bytes[8..].iter().any(|byte| *byte != 0));
        assert_eq!(Seeded::new(1).pick::<u8>(&[]), None);
        assert_eq!(Seeded::new(1).below(0), 0);
    }
}
