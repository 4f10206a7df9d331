//! A program that the tests need: found, or installed once from Debian's packages.
//!
//! ```text
//! its variable ─► else the PATH ─► else apt-get, as root or by sudo ─► else words on what to do
//! ```
//!
//! Deliberately absent: downloading programs ourselves. What a distribution signs and updates is safer than what we would
//! fetch.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::stage;

/// One executable we need, and the package that brings it.
pub(crate) struct Need {
    /// Names the executable, and wins over the PATH.
    pub(crate) variable: &'static str,
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
    /// In words, for somebody who installs it by hand.
    pub(crate) wanted: &'static str,
    /// The oldest major version that will do, where that matters.
    pub(crate) oldest: Option<u32>,
}

/// How this system lets us install a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Installer {
    Root,
    Sudo,
    None,
}

/// Finds them all, or installs what is missing. Asks first if somebody watches, unless `yes`.
pub(crate) fn ready<const N: usize>(needs: [&Need; N], yes: bool) -> Result<[PathBuf; N], Failure> {
    let mut missing = Vec::new();
    for need in needs {
        if find(need)?.is_none() {
            missing.push(need);
        }
    }
    if !missing.is_empty() {
        install(&missing, yes)?;
    }
    let mut found = needs.map(|_| PathBuf::new());
    for (need, place) in needs.iter().zip(&mut found) {
        *place = find(need)?.ok_or_else(|| Failure::StillMissing { missing: words(&[need]), set: set(&[need]) })?;
        println!("{}: {}", place.display(), version(place));
    }
    Ok(found)
}

/// One that is too old counts as none, so that a newer one is installed.
fn find(need: &Need) -> Result<Option<PathBuf>, Failure> {
    let named = env::var_os(need.variable).filter(|named| !named.is_empty());
    let found = look(need, named.as_deref(), &env::var_os("PATH").unwrap_or_default())?;
    let (Some(path), Some(oldest)) = (&found, need.oldest) else { return Ok(found) };
    let version = version(path);
    match (major(&version) >= Some(oldest), named) {
        (true, _) => Ok(found),
        (false, None) => Ok(None),
        (false, Some(_)) => {
            Err(Failure::TooOld { variable: need.variable, path: path.clone(), version, wanted: need.wanted })
        }
    }
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

/// The first number in it: 18 of `v18.20.4`.
fn major(version: &str) -> Option<u32> {
    version.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

fn words(needs: &[&Need]) -> String {
    needs.iter().map(|need| need.wanted).collect::<Vec<_>>().join(" and ")
}

/// What one puts before the command to say where the programs are.
fn set(needs: &[&Need]) -> String {
    needs.iter().map(|need| format!("{}=PATH", need.variable)).collect::<Vec<_>>().join(" ")
}

fn install(missing: &[&Need], yes: bool) -> Result<(), Failure> {
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let watched = io::stdin().is_terminal() && !yes;
    let Some([update, install]) = commands(installer(), &packages) else {
        return Err(Failure::InstallYourself { missing: words(missing), set: set(missing) });
    };
    let both = format!("{} && {}", update.join(" "), install.join(" "));
    println!("The tests need what is not here yet: {}. This installs it, once:\n  {both}", words(missing));
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

/// What it says when asked; the tests decide whether it works.
fn version(program: &Path) -> String {
    match Command::new(program).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => format!("does not say its version: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: Need =
        Need { variable: "TILL_SHELL", program: "sh", package: "dash", wanted: "a shell", oldest: None };

    #[test]
    fn packages_are_installed_without_recommendations_and_without_questions() {
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
        let wrong = look(&SHELL, Some(OsStr::new("/nowhere/sh")), OsStr::new("/bin")).unwrap_err();
        assert_eq!(wrong.to_string(), "TILL_SHELL names `/nowhere/sh`, which is not a file; correct it, or unset it");
        assert_eq!(look(&SHELL, Some(OsStr::new("")), OsStr::new("/nowhere")).unwrap(), None);
    }

    #[test]
    fn a_program_is_found_in_the_first_folder_of_the_path_that_has_it() {
        let found = on_path("sh", OsStr::new("/nowhere:/bin:/usr/bin"));
        assert_eq!(found, Some(PathBuf::from("/bin/sh")));
    }

    #[test]
    fn one_that_is_too_old_or_does_not_say_is_none() {
        assert_eq!(major("v18.20.4"), Some(18));
        assert_eq!(major("Chromium 146.0.1 built on Debian"), Some(146));
        assert_eq!(major("does not say"), None);
        // Cargo is 1.something, and is there while its tests run.
        let cargo = |oldest| Need { program: "cargo", oldest: Some(oldest), ..SHELL };
        assert!(find(&cargo(1)).unwrap().is_some());
        assert_eq!(find(&cargo(2)).unwrap(), None);
    }

    #[test]
    fn what_to_install_by_hand_is_said_with_where_to_name_it() {
        let failure = Failure::InstallYourself { missing: words(&[&SHELL, &SHELL]), set: set(&[&SHELL]) }.to_string();
        assert!(failure.starts_with("the tests need a shell and a shell, and this system"), "{failure}");
        assert!(failure.ends_with("  TILL_SHELL=PATH cargo xtask test"), "{failure}");
    }

    #[test]
    fn enter_means_yes_and_anything_unclear_means_no() {
        assert!(yes("\n") && yes("Y\n") && yes(" yes \n"));
        assert!(!yes("n\n") && !yes("perhaps\n"));
    }
}
