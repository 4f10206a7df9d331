//! Till: staff type `/pay 25 EUR coffee` where they talk to customers, and a card there turns to *Paid*.
//!
//! ```text
//! chat ─► desk ─► decide (till-core) ─► store ─► checkouts ─► provider
//!                                        ▲  └──► cards ─────► chat
//!          provider ─► inbox, reconciler ┘
//! ```
//! This crate is the program around `till-core`: the desk, the workers, the HTTP server and the command line. What is
//! true without a network stands in `core/`; what speaks to one outside thing stands in `adapters/`.

pub mod accounts;
pub mod assemble;
pub mod book;
pub mod cards;
pub mod checkouts;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod dead;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod drift;
pub mod http;
pub mod inbox;
pub mod keyring;
pub mod links;
pub mod metrics;
pub mod payments;
pub mod reconciler;
pub mod run;
pub mod traffic;
pub mod upkeep;
pub mod world;
