//! Stories of the whole program with Stripe: real HTTP, the web chat, SQLite, and the fake Stripe as a server.
//!
//! Each ends with the books compared: what Stripe holds is what Till shows.

mod account;
mod bank;
mod closing;
mod order;
mod outage;
mod paying;
