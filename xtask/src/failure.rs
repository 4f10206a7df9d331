//! Why a developer command stopped, in words that say what to do next.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What stopped a command. Its text is the last thing the developer reads.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A variable names an executable that is not there.
    NotThere { variable: &'static str, path: PathBuf },
    /// A variable names an executable that will not do.
    TooOld { variable: &'static str, path: PathBuf, version: String, wanted: &'static str },
    /// Something is missing, and there is no package manager that we know.
    InstallYourself { missing: String, set: String },
    /// Somebody sat at the terminal and said no.
    Declined { command: String },
    /// The package manager was done, and the executable still is not on the PATH.
    StillMissing { missing: String, set: String },
    /// A program could not be started.
    NotStarted { command: String, source: io::Error },
    /// A program ran and failed.
    Failed { command: String, code: Option<i32> },
    /// A file of ours could not be read or written.
    File { path: PathBuf, source: io::Error },
    /// The terminal could not be read.
    Terminal(io::Error),
    /// The test this command exists for is not in the test binary.
    NoSuchTest { name: &'static str },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere { variable, path } => {
                write!(f, "{variable} names `{}`, which is not a file; correct it, or unset it", path.display())
            }
            Self::TooOld { variable, path, version, wanted } => {
                write!(f, "{variable} names `{}`, which is {version}; the tests need {wanted}", path.display())
            }
            Self::InstallYourself { missing, set } => write!(
                f,
                "the tests need {missing}, and this system lets us install nothing (no apt-get, or neither root nor \
                 sudo)\nInstall it yourself; if it is not on the PATH then, say where it is:\n  {set} cargo xtask test"
            ),
            Self::Declined { command } => write!(f, "nothing was installed; do it yourself with:\n  {command}"),
            Self::StillMissing { missing, set } => write!(
                f,
                "apt-get is done and {missing} is still not on the PATH; if it lies elsewhere, say where:\n  \
                 {set} cargo xtask test"
            ),
            Self::NotStarted { command, source } => write!(f, "could not start `{command}`: {source}"),
            Self::Failed { command, code: Some(code) } => write!(f, "`{command}` failed with exit code {code}"),
            Self::Failed { command, code: None } => write!(f, "`{command}` was killed"),
            Self::File { path, source } => write!(f, "could not use the file `{}`: {source}", path.display()),
            Self::Terminal(source) => write!(f, "could not read your answer: {source}; try --yes"),
            Self::NoSuchTest { name } => {
                write!(f, "tests/main.rs has no test `{name}`; if it was renamed, rename it in xtask/src/main.rs too")
            }
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotStarted { source, .. } | Self::File { source, .. } | Self::Terminal(source) => Some(source),
            Self::NotThere { .. }
            | Self::TooOld { .. }
            | Self::InstallYourself { .. }
            | Self::Declined { .. }
            | Self::StillMissing { .. }
            | Self::Failed { .. }
            | Self::NoSuchTest { .. } => None,
        }
    }
}
