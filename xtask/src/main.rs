//! Developer commands, run as `cargo xtask …`: test everything, kill Till at hundreds of moments, measure it.
//!
//! ```text
//! test   browser, judges (found, or installed once) ─► build ─► every test ─► what was left out
//! crash  build ─► each crash test of tests/main.rs, with as many seeds as you like
//! bench  build for release ─► tests/bench: the real program, its answers and edits timed, beside the floor
//! ```
//!
//! Deliberately absent: a test runner of our own. Underneath it is plain `cargo test`, so that a single test can be run
//! by hand; a number that fails anything, since machines differ.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command line: it prints, times its stages, and is told where programs are by the environment"
)]

mod browser;
mod failure;
mod judge;
mod left_out;
mod program;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::Failure;
use crate::left_out::LeftOut;

/// What a killed till is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Against {
    /// Till's own sandbox, another process with every knob on; people ask at the desk
    Sandbox,
    /// The same as a difficult one: unsigned hints, money that must be taken, payers who choose the amount
    SandboxDifficult,
    /// The fake Stripe of the tests, over HTTP; people ask at the desk
    Stripe,
    /// The fake Slack of the tests, in which people ask; the provider is the fake Stripe
    Slack,
}

impl Against {
    /// The crash test's full name, in `tests/main.rs`. A rename there must come here too; `cargo xtask crash` says so.
    const fn test(self) -> &'static str {
        match self {
            Self::Sandbox => "crash::till_killed_at_any_moment_agrees_with_the_sandbox",
            Self::SandboxDifficult => "crash::till_killed_at_any_moment_agrees_with_the_difficult_sandbox",
            Self::Stripe => "crash::till_killed_at_any_moment_agrees_with_stripe",
            Self::Slack => "crash::slack::till_killed_at_any_moment_agrees_with_slack",
        }
    }
}

/// Developer commands for Till.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask test                        everything, as CI runs it
  cargo xtask test --yes                  the same, and never ask before installing
  cargo xtask test -- expiry              only the tests with `expiry` in their name
  cargo xtask crash --seeds 300           kill Till at 300 moments
  cargo xtask crash --first 17 --seeds 1  seed 17 again, the one that failed
  cargo xtask crash --against slack       only with people who ask in Slack
  cargo xtask bench                       how long answers and edits take, as a table";

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need (once), then run all of them
    ///
    /// The tests drive a real browser: Chromium and ChromeDriver. And they ask judges, Stripe's and Slack's official SDKs
    /// and a Slack that others wrote, which need Node 18 or newer and npm. On Debian and its relatives these are installed
    /// with apt-get, after asking when somebody sits at the terminal. Elsewhere install them yourself; where they are not
    /// on the PATH, set TILL_CHROMIUM, TILL_CHROMEDRIVER, TILL_NODE and TILL_NPM to the executables. Set, these win
    /// everywhere.
    ///
    /// The judges themselves come from the npm registry into target/judges, and again only when their lock file changed.
    ///
    /// Each stage prints its seconds. The last lines name the tests that left themselves out, and why.
    Test(Test),
    /// Kill Till with -9 at seeded moments under load, and compare it with the provider, and with Slack
    ///
    /// Each seed is one moment and can be repeated with --first SEED --seeds 1. The tests run a few seeds; this runs as
    /// many as you have patience for.
    Crash(Crash),
    /// Measure the release build: answers to commands, edits after webhooks, CPU and memory
    ///
    /// The real program runs against the fake Slack and the fake Stripe of the tests, over loopback, as configured out of
    /// the box. The table has the floor of this machine as well: an HTTP round trip, and one durable SQLite commit. The
    /// first build takes some ten minutes, each run about six. Close other programs: whatever runs beside it is measured too.
    Bench,
}

#[derive(Args)]
struct Test {
    /// Install without asking
    #[arg(long)]
    yes: bool,
    /// Handed to the tests as they are: part of a name, or an option such as --nocapture
    #[arg(last = true, value_name = "FILTER")]
    filter: Vec<String>,
}

#[derive(Args)]
struct Crash {
    /// How many moments
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Only against this one [default: one after the other]
    #[arg(long, value_name = "NAME")]
    against: Option<Against>,
    /// The first seed; the others follow it
    #[arg(long, default_value_t = 1, value_name = "S")]
    first: u64,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test(how) => test(&how),
        Task::Crash(how) => crash(&how),
        Task::Bench => bench(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\ncargo xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn test(how: &Test) -> Result<(), Failure> {
    let browser = stage::timed("browser", || browser::ready(how.yes))?;
    let judges = stage::timed("judges", || judge::ready(how.yes, &target()))?;
    let left_out = LeftOut::start(&target())?;
    let cargo = || {
        let mut cargo = stage::cargo();
        cargo
            .args(["test", "--workspace", "--locked"])
            .env("TILL_TEST_BROWSER", "required")
            .env("TILL_CHROMIUM", &browser.chromium)
            .env("TILL_CHROMEDRIVER", &browser.driver)
            .env("TILL_TEST_JUDGE", "required")
            .env("TILL_NODE", &judges.node)
            .envs(judges.programs.iter().map(|(variable, program)| (variable, program)))
            .env("TILL_LEFT_OUT", left_out.path());
        cargo
    };
    stage::timed("build", || stage::run(cargo().arg("--no-run")))?;
    let tested = stage::timed("tests", || stage::run(cargo().args(["--no-fail-fast", "--"]).args(&how.filter)));
    // Said also when a test failed: a failure must not hide what was never tried.
    println!("\n{}", left_out.report()?);
    tested
}

fn crash(how: &Crash) -> Result<(), Failure> {
    let cargo = || {
        let mut cargo = stage::cargo();
        cargo
            .args(["test", "--locked", "--test", "main"])
            .env("TILL_CRASH_SEEDS", how.seeds.to_string())
            .env("TILL_CRASH_FIRST", how.first.to_string());
        cargo
    };
    stage::timed("build", || stage::run(cargo().arg("--no-run")))?;
    let tests: Vec<&'static str> = match how.against {
        Some(one) => vec![one.test()],
        None => Against::value_variants().iter().map(|one| one.test()).collect(),
    };
    for name in tests {
        // A filter that matches nothing passes, so ask first.
        let listed = stage::output(cargo().args(["--quiet", "--", "--list", "--exact", name]))?;
        if !listed.lines().any(|line| line == format!("{name}: test")) {
            return Err(Failure::NoSuchTest { name });
        }
        stage::timed(name, || stage::run(cargo().args(["--", "--nocapture", "--exact", name])))?;
    }
    Ok(())
}

fn bench() -> Result<(), Failure> {
    let cargo = || {
        let mut cargo = stage::cargo();
        cargo.args(["bench", "--locked", "--bench", "bench"]);
        cargo
    };
    stage::timed("build", || stage::run(cargo().arg("--no-run")))?;
    stage::timed("bench", || stage::run(&mut cargo()))
}

/// Where cargo builds: kept between runs, never committed.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| stage::root().join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_stands_after_two_dashes_goes_to_the_tests() {
        let cli = Cli::parse_from(["cargo xtask", "test", "--yes", "--", "expiry", "--nocapture"]);
        let Task::Test(test) = cli.task else { panic!("parsed as another task") };
        assert!(test.yes);
        assert_eq!(test.filter, ["expiry", "--nocapture"]);
    }

    #[test]
    fn whatever_till_is_held_against_has_a_crash_test_of_its_own() {
        let cli = Cli::parse_from(["cargo xtask", "crash", "--against", "slack"]);
        let Task::Crash(crash) = cli.task else { panic!("parsed as another task") };
        assert_eq!(crash.against, Some(Against::Slack));
        let tests: BTreeSet<&str> = Against::value_variants().iter().map(|one| one.test()).collect();
        assert_eq!(tests.len(), Against::value_variants().len());
        assert!(Cli::try_parse_from(["cargo xtask", "crash", "--against", "paypal"]).is_err());
    }

    #[test]
    fn no_seeds_is_refused() {
        assert!(Cli::try_parse_from(["cargo xtask", "crash", "--seeds", "0"]).is_err());
    }
}
