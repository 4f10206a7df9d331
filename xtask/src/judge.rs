//! The judge that the tests ask: Stripe's official SDK, which runs in Node.
//!
//! ```text
//! Node, npm (found, or Debian's) ─► tests/judges/stripe, copied under target ─► npm ci, only after the lock file changed
//! ```
//!
//! Deliberately absent: a version that moves (the lock file pins it by its hash); scripts that packages would run here;
//! a `node_modules` among our sources.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::failure::Failure;
use crate::program::{self, Need};
use crate::stage;

/// What runs the judge, and the judge.
pub(crate) struct Judge {
    pub(crate) node: PathBuf,
    pub(crate) program: PathBuf,
}

/// Debian 12 has Node 18. The SDK 23.1.0 asks for 20; every operation of the judge was tried on 18.20.8 on 2026-11-24.
const NODE: Need =
    Need { variable: "TILL_NODE", program: "node", package: "nodejs", wanted: "Node 18 or newer", oldest: Some(18) };
const NPM: Need = Need { variable: "TILL_NPM", program: "npm", package: "npm", wanted: "npm", oldest: None };

const LOCK: &str = "package-lock.json";
const FILES: [&str; 4] = [".npmrc", "judge.mjs", LOCK, "package.json"];
/// The lock file that was installed. `npm ci` begins by removing its folder, so half an installation has none.
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// Finds Node and npm, or installs them, and then the SDK under `target`.
pub(crate) fn ready(yes: bool, target: &Path) -> Result<Judge, Failure> {
    let [node, npm] = program::ready([&NODE, &NPM], yes)?;
    let folder = target.join("judges/stripe");
    copy(&stage::root().join("tests/judges/stripe"), &folder)?;
    // Tests run in other folders than we do.
    let folder = folder.canonicalize().map_err(|source| Failure::File { path: folder, source })?;
    if is_installed(&folder)? {
        println!("{}: installed already", folder.display());
    } else {
        let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        stage::run(Command::new(npm).args(words).current_dir(&folder).env("PATH", path_with(&node)))?;
        let file = |source| Failure::File { path: folder.join(INSTALLED), source };
        fs::copy(folder.join(LOCK), folder.join(INSTALLED)).map_err(file)?;
    }
    Ok(Judge { node, program: folder.join("judge.mjs") })
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(|source| Failure::File { path: to.to_owned(), source })?;
    for name in FILES {
        fs::copy(from.join(name), to.join(name)).map_err(|source| Failure::File { path: from.join(name), source })?;
    }
    Ok(())
}

fn is_installed(folder: &Path) -> Result<bool, Failure> {
    let lock = fs::read(folder.join(LOCK)).map_err(|source| Failure::File { path: folder.join(LOCK), source })?;
    Ok(fs::read(folder.join(INSTALLED)).is_ok_and(|installed| installed == lock))
}

/// npm is a Node program itself, and asks the PATH for Node.
fn path_with(node: &Path) -> OsString {
    let search = env::var_os("PATH").unwrap_or_default();
    let folders = node.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&search));
    // Only a folder with `:` in its name cannot be joined; then npm finds the Node it would have found anyway.
    env::join_paths(folders).unwrap_or(search)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_is_installed_again_only_after_its_lock_file_changed_or_half_an_installation() {
        let folder = env::temp_dir().join(format!("till-judge-{}", std::process::id()));
        copy(&stage::root().join("tests/judges/stripe"), &folder).unwrap();
        assert!(!is_installed(&folder).unwrap());
        fs::create_dir_all(folder.join("node_modules")).unwrap();
        assert!(!is_installed(&folder).unwrap());
        fs::copy(folder.join(LOCK), folder.join(INSTALLED)).unwrap();
        assert!(is_installed(&folder).unwrap());
        fs::write(folder.join(LOCK), "{}").unwrap();
        assert!(!is_installed(&folder).unwrap());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn npm_runs_in_the_node_that_was_found() {
        let path = path_with(Path::new("/opt/node/bin/node"));
        assert_eq!(env::split_paths(&path).next(), Some(PathBuf::from("/opt/node/bin")));
    }
}
