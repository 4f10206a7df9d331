#![allow(clippy::panic, clippy::unwrap_used, reason = "test code: what is missing stops its test")]
//! The fake refuses what Stripe refuses, and tells what Stripe tells.

mod events;
mod judges;
mod lifecycle;
mod money;
mod once;
mod refuses;
mod stand;
mod web;
