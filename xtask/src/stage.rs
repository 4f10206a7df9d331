//! The stages of a developer command: announced, run with their output streaming, and timed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::failure::Failure;

/// The folder of the repository, wherever the command was typed.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The cargo that runs us, at the root of the repository.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Says `name`, does `work`, and says how many seconds it took, also when it failed.
pub(crate) fn timed<T>(name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    println!("\n── {name}");
    let start = Instant::now();
    let done = work();
    let word = if done.is_ok() { "done" } else { "failed" };
    println!("── {name}: {word} in {:.1} s", start.elapsed().as_secs_f64());
    done
}

/// Runs to the end; the output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|source| Failure::NotStarted { command: shown(command), source })?;
    if status.success() { Ok(()) } else { Err(Failure::Failed { command: shown(command), code: status.code() }) }
}

/// Runs to the end and returns what it printed; its errors still go where ours go.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Failure::NotStarted { command: shown(command), source })?;
    if !output.status.success() {
        return Err(Failure::Failed { command: shown(command), code: output.status.code() });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as somebody would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_with_its_exit_code() {
        let failure = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(failure.to_string(), "`sh -c exit 3` failed with exit code 3");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failure = output(&mut Command::new("/nowhere/chromium")).unwrap_err();
        assert!(failure.to_string().starts_with("could not start `chromium`: "), "{failure}");
    }
}
