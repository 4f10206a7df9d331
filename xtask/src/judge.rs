//! The judges that the tests ask: Stripe's and Slack's official SDKs and a Slack that others wrote, which run in Node.
//!
//! ```text
//! Node, npm (found, or Debian's) ─► tests/judges/*, copied under target ─► npm ci, only after a lock file changed
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

/// What runs the judges, and the judges: under which variable the tests find each, and its program.
pub(crate) struct Judges {
    pub(crate) node: PathBuf,
    pub(crate) programs: Vec<(&'static str, PathBuf)>,
}

/// The folders in `tests/judges`, and the variable of each.
const JUDGES: [(&str, &str); 3] =
    [("stripe", "TILL_STRIPE_JUDGE"), ("slack", "TILL_SLACK_JUDGE"), ("emulate", "TILL_EMULATE_JUDGE")];

/// Debian 12 has Node 18. Stripe's SDK 23.1.0 asks for 20; Slack's are the newest that ask for 18; `emulate` 0.12.2 asks
/// for 22, but its library alone does not need it. Every operation of the judges was tried on 18.20.8 on 2026-11-24.
const NODE: Need =
    Need { variable: "TILL_NODE", program: "node", package: "nodejs", wanted: "Node 18 or newer", oldest: Some(18) };
const NPM: Need = Need { variable: "TILL_NPM", program: "npm", package: "npm", wanted: "npm", oldest: None };

const LOCK: &str = "package-lock.json";
const FILES: [&str; 4] = [".npmrc", "judge.mjs", LOCK, "package.json"];
/// The lock file that was installed. `npm ci` begins by removing its folder, so half an installation has none.
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// Finds Node and npm, or installs them, and then the judges under `target`.
pub(crate) fn ready(yes: bool, target: &Path) -> Result<Judges, Failure> {
    let [node, npm] = program::ready([&NODE, &NPM], yes)?;
    let install = |(name, variable)| Ok((variable, installed(name, target, &node, &npm)?));
    let programs = JUDGES.into_iter().map(install).collect::<Result<_, _>>()?;
    Ok(Judges { node, programs })
}

/// The program of one judge, beside what it runs.
fn installed(name: &str, target: &Path, node: &Path, npm: &Path) -> Result<PathBuf, Failure> {
    let folder = target.join("judges").join(name);
    copy(&source(name), &folder)?;
    // Tests run in other folders than we do.
    let folder = folder.canonicalize().map_err(|source| Failure::File { path: folder, source })?;
    if is_installed(&folder)? {
        println!("{}: installed already", folder.display());
    } else {
        println!("{}: npm ci", folder.display());
        let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        stage::run(Command::new(npm).args(words).current_dir(&folder).env("PATH", path_with(node)))?;
        let file = |source| Failure::File { path: folder.join(INSTALLED), source };
        fs::copy(folder.join(LOCK), folder.join(INSTALLED)).map_err(file)?;
    }
    Ok(folder.join("judge.mjs"))
}

fn source(name: &str) -> PathBuf {
    stage::root().join("tests/judges").join(name)
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
    fn an_sdk_is_installed_again_only_after_its_lock_file_changed_or_half_an_installation() {
        for (name, _) in JUDGES {
            let folder = env::temp_dir().join(format!("till-judge-{name}-{}", std::process::id()));
            copy(&source(name), &folder).unwrap();
            assert!(!is_installed(&folder).unwrap());
            fs::create_dir_all(folder.join("node_modules")).unwrap();
            assert!(!is_installed(&folder).unwrap());
            fs::copy(folder.join(LOCK), folder.join(INSTALLED)).unwrap();
            assert!(is_installed(&folder).unwrap());
            fs::write(folder.join(LOCK), "{}").unwrap();
            assert!(!is_installed(&folder).unwrap());
            fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[test]
    fn every_judge_in_the_tree_is_installed() {
        let folders = fs::read_dir(source("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut folders: Vec<String> = folders.collect();
        folders.sort_unstable();
        let mut installed = JUDGES.map(|(name, _)| name);
        installed.sort_unstable();
        assert_eq!(folders, installed);
    }

    #[test]
    fn npm_runs_in_the_node_that_was_found() {
        let path = path_with(Path::new("/opt/node/bin/node"));
        assert_eq!(env::split_paths(&path).next(), Some(PathBuf::from("/opt/node/bin")));
    }
}
