//! The four openings to the outside: chat, provider, HTTP and store.
//!
//! An adapter implements one of them and depends on nothing else of Till. A port has no optional method and no
//! default body: what a platform or provider lacks is data in its `Caps`. Each port has a contract suite that every
//! adapter runs with its own samples (feature `contract`).

pub mod account;
pub mod chat;
pub mod desk;
pub mod http;
pub mod psp;
pub mod store;
pub mod transcript;
pub mod upkeep;
