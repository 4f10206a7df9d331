//! Till from the outside: stories over HTTP, contracts, bad input, a real browser, and kill -9.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests read the clock and their own environment")]
#![allow(clippy::print_stderr, reason = "a long test says how far it is")]

mod accounts;
mod bad_input;
mod browser;
mod configuration;
mod crash;
mod judges;
mod ops;
mod slack;
mod states;
mod story;
mod stripe;
mod support;
mod trouble;
