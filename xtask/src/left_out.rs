//! The list of tests that left themselves out, so that a green run never hides what was not tried.
//!
//! ```text
//! TILL_LEFT_OUT=target/left-out.txt ─► a test that cannot run appends `name: reason` ─► printed last, with the number
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// One run's list, a file that every test process appends to.
pub(crate) struct LeftOut {
    path: PathBuf,
}

impl LeftOut {
    /// An empty list in `folder`, absolute, since each test binary runs in its own crate's folder.
    pub(crate) fn start(folder: &Path) -> Result<Self, Failure> {
        let file = |source| Failure::File { path: folder.join("left-out.txt"), source };
        fs::create_dir_all(folder).map_err(file)?;
        let path = folder.canonicalize().map_err(file)?.join("left-out.txt");
        fs::write(&path, "").map_err(file)?;
        Ok(Self { path })
    }

    /// What the tests get as `TILL_LEFT_OUT`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number and the names, for the end of the run.
    pub(crate) fn report(&self) -> Result<String, Failure> {
        let list =
            fs::read_to_string(&self.path).map_err(|source| Failure::File { path: self.path.clone(), source })?;
        Ok(report(&list))
    }
}

fn report(list: &str) -> String {
    // Two binaries may hold the same test; it is one test left out.
    let lines: BTreeSet<&str> = list.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let noun = if lines.len() == 1 { "test" } else { "tests" };
    let names: String = lines.iter().map(|line| format!("\n  {line}")).collect();
    format!("left out: {} {noun}{names}", lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_left_out_is_said_too() {
        assert_eq!(report(""), "left out: 0 tests");
    }

    #[test]
    fn each_test_left_out_is_named_once_with_its_reason() {
        let list = "vectors::all: no ../shared\n\nspecs::create: no ../shared\nvectors::all: no ../shared\n";
        assert_eq!(report(list), "left out: 2 tests\n  specs::create: no ../shared\n  vectors::all: no ../shared");
    }

    #[test]
    fn a_new_run_forgets_the_last_one() {
        let folder = std::env::temp_dir().join(format!("till-left-out-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("left-out.txt"), "old: reason\n").unwrap();
        let list = LeftOut::start(&folder).unwrap();
        assert_eq!(list.report().unwrap(), "left out: 0 tests");
        fs::remove_dir_all(&folder).unwrap();
    }
}
