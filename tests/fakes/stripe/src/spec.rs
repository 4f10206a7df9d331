//! The judge of requests.
