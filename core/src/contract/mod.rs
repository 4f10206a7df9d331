//! What every adapter of a port must do, as suites that each adapter's tests run with samples of their own.
//!
//! Deliberately absent: a runtime. A suite awaits what it is given; the test that calls it brings the executor.

pub mod chat;
pub mod model;
pub mod psp;
pub mod script;
pub mod seeded;
pub mod store;

/// Says that a test did not run here, for the count at the end of `cargo xtask test`.
///
/// `why` names what is missing. Without the variable `TILL_LEFT_OUT` (a file) nothing is noted.
#[expect(clippy::disallowed_methods, reason = "test code: the environment is how xtask collects the names")]
pub fn left_out(test: &str, why: &str) {
    use std::io::Write as _;
    let Ok(path) = std::env::var("TILL_LEFT_OUT") else { return };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    // A note that cannot be written must not fail the test that it is about.
    let _ = file.and_then(|mut file| writeln!(file, "{test}: {why}"));
}
