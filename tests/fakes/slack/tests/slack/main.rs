#![allow(clippy::panic, clippy::unwrap_used, reason = "test code: what is missing stops its test")]
//! The fake Slack refuses what Slack refuses, and delivers as Slack delivers.

mod app;
mod deliveries;
mod installs;
mod judges;
mod modals;
mod people;
mod posts;
mod refuses;
mod responses;
mod sockets;
mod troubles;
