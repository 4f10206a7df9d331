//! The browser that the tests drive: found, or installed once from Debian's packages.
//!
//! ```text
//! TILL_CHROMIUM, TILL_CHROMEDRIVER ─► else the PATH ─► else apt-get, as root or by sudo ─► else words on what to do
//! ```
//!
//! Deliberately absent: downloading a browser ourselves. What a distribution signs and updates is safer than what we would
//! fetch.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::stage;

/// The two executables, both there.
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

/// One executable we need, and the package that brings it.
struct Need {
    variable: &'static str,
    program: &'static str,
    package: &'static str,
}

const CHROMIUM: Need = Need { variable: "TILL_CHROMIUM", program: "chromium", package: "chromium" };
const DRIVER: Need = Need { variable: "TILL_CHROMEDRIVER", program: "chromedriver", package: "chromium-driver" };

/// How this system lets us install a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Installer {
    Root,
    Sudo,
    None,
}

/// Finds the browser, or installs it. Asks first if somebody watches, unless `yes`.
pub(crate) fn ready(yes: bool) -> Result<Browser, Failure> {
    let missing = missing()?;
    if missing.is_empty() {
        return found();
    }
    install(&missing, yes)?;
    found()
}

fn found() -> Result<Browser, Failure> {
    let get = |need: &Need| find(need)?.ok_or_else(|| Failure::StillMissing { missing: need.program.to_owned() });
    let browser = Browser { chromium: get(&CHROMIUM)?, driver: get(&DRIVER)? };
    for path in [&browser.chromium, &browser.driver] {
        println!("{}: {}", path.display(), version(path));
    }
    Ok(browser)
}

fn missing() -> Result<Vec<&'static Need>, Failure> {
    let mut missing = Vec::new();
    for need in [&CHROMIUM, &DRIVER] {
        if find(need)?.is_none() {
            missing.push(need);
        }
    }
    Ok(missing)
}

fn find(need: &Need) -> Result<Option<PathBuf>, Failure> {
    look(need, env::var_os(need.variable).as_deref(), &env::var_os("PATH").unwrap_or_default())
}

/// A variable that is set decides; a wrong one is an error, never a reason to look elsewhere.
fn look(need: &Need, named: Option<&OsStr>, search: &OsStr) -> Result<Option<PathBuf>, Failure> {
    match named.filter(|named| !named.is_empty()) {
        Some(named) if Path::new(named).is_file() => Ok(Some(PathBuf::from(named))),
        Some(named) => Err(Failure::NotThere { variable: need.variable, path: PathBuf::from(named) }),
        None => Ok(on_path(need.program, search)),
    }
}

fn on_path(program: &str, search: &OsStr) -> Option<PathBuf> {
    env::split_paths(search).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn install(missing: &[&Need], yes: bool) -> Result<(), Failure> {
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let watched = io::stdin().is_terminal() && !yes;
    let Some([update, install]) = commands(installer(), &packages) else {
        let programs: Vec<&str> = missing.iter().map(|need| need.program).collect();
        return Err(Failure::InstallYourself { missing: programs.join(" and ") });
    };
    let both = format!("{} && {}", update.join(" "), install.join(" "));
    println!("The browser tests need what is not here yet. This installs it, once:\n  {both}");
    if watched && !agreed()? {
        return Err(Failure::Declined { command: both });
    }
    for words in [update, install] {
        if let [program, arguments @ ..] = words.as_slice() {
            stage::run(Command::new(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
        }
    }
    Ok(())
}

fn agreed() -> Result<bool, Failure> {
    print!("Install now? [Y/n] ");
    io::stdout().flush().map_err(Failure::Terminal)?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer).map_err(Failure::Terminal)?;
    Ok(read > 0 && yes(&answer))
}

/// Enter alone means yes, as the capital letter says.
fn yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

fn installer() -> Installer {
    let search = env::var_os("PATH").unwrap_or_default();
    let root = || Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    if on_path("apt-get", &search).is_none() {
        Installer::None
    } else if root() {
        Installer::Root
    } else if on_path("sudo", &search).is_some() {
        Installer::Sudo
    } else {
        Installer::None
    }
}

/// Refresh the list of packages, then install.
fn commands(installer: Installer, packages: &[&str]) -> Option<[Vec<String>; 2]> {
    let before: &[&str] = match installer {
        Installer::Root => &[],
        // sudo drops the environment, and a package that asks a question would wait for ever.
        Installer::Sudo => &["sudo", "DEBIAN_FRONTEND=noninteractive"],
        Installer::None => return None,
    };
    let words = |after: &[&str]| before.iter().chain(after).map(|word| (*word).to_owned()).collect();
    let install = [&["apt-get", "install", "-y", "--no-install-recommends"], packages].concat();
    Some([words(&["apt-get", "update"]), words(&install)])
}

/// For the log only: the tests decide whether the browser works.
fn version(program: &Path) -> String {
    match Command::new(program).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => format!("does not say its version: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_packages_are_installed_without_recommendations_and_without_questions() {
        let [update, install] = commands(Installer::Sudo, &["chromium", "chromium-driver"]).unwrap();
        assert_eq!(update.join(" "), "sudo DEBIAN_FRONTEND=noninteractive apt-get update");
        assert_eq!(
            install.join(" "),
            "sudo DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium chromium-driver"
        );
        assert_eq!(commands(Installer::Root, &["chromium"]).unwrap()[0].join(" "), "apt-get update");
    }

    #[test]
    fn where_nothing_can_be_installed_nothing_is_tried() {
        assert_eq!(commands(Installer::None, &["chromium"]), None);
    }

    #[test]
    fn a_variable_that_names_nothing_is_an_error_and_an_empty_one_is_unset() {
        let wrong = look(&CHROMIUM, Some(OsStr::new("/nowhere/chromium")), OsStr::new("/bin")).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "TILL_CHROMIUM names `/nowhere/chromium`, which is not a file; correct it, or unset it"
        );
        assert_eq!(look(&CHROMIUM, Some(OsStr::new("")), OsStr::new("/nowhere")).unwrap(), None);
    }

    #[test]
    fn a_program_is_found_in_the_first_folder_of_the_path_that_has_it() {
        let found = on_path("sh", OsStr::new("/nowhere:/bin:/usr/bin"));
        assert_eq!(found, Some(PathBuf::from("/bin/sh")));
    }

    #[test]
    fn enter_means_yes_and_anything_unclear_means_no() {
        assert!(yes("\n") && yes("Y\n") && yes(" yes \n"));
        assert!(!yes("n\n") && !yes("perhaps\n"));
    }
}
