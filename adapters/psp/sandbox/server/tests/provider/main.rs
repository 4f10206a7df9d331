#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

//! The provider over HTTP: its API, its page, its webhooks, and Till's adapter against all three.

mod api;
mod contract;
mod control;
mod difficult;
mod knobs;
mod life;
mod old_file;
mod page;
mod stand;
mod webhooks;
