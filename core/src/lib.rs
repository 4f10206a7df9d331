//! What a till knows without a network: money, commands, payments, cards, and the ports to everything else.
//!
//! ```text
//! command ─┐                                       ┌─► facts, owed work ─► store
//! evidence ┼─► payment::decide / payment::Ledger ──┤
//! time ────┘        status, sums, card             └─► card ─► chat
//! ```
//!
//! Deliberately absent: a clock, randomness, a socket, a database, an async runtime. Time, ids and entropy come in
//! as arguments, so that a whole world can be replayed from one seed.

pub mod budget;
pub mod card;
pub mod command;
#[cfg(feature = "contract")]
pub mod contract;
pub mod id;
pub mod keys;
pub mod link;
pub mod money;
pub mod order;
pub mod payment;
pub mod place;
pub mod port;
pub mod signature;
pub mod text;
pub mod time;
pub mod vault;
