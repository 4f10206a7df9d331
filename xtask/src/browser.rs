//! The browser that the tests drive: Chromium, and the ChromeDriver of the same version.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::program::{self, Need};

/// The two executables, both there.
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

const CHROMIUM: Need =
    Need { variable: "TILL_CHROMIUM", program: "chromium", package: "chromium", wanted: "Chromium", oldest: None };
const DRIVER: Need = Need {
    variable: "TILL_CHROMEDRIVER",
    program: "chromedriver",
    package: "chromium-driver",
    wanted: "the ChromeDriver of Chromium's version",
    oldest: None,
};

/// Finds the browser, or installs it. Asks first if somebody watches, unless `yes`.
pub(crate) fn ready(yes: bool) -> Result<Browser, Failure> {
    let [chromium, driver] = program::ready([&CHROMIUM, &DRIVER], yes)?;
    Ok(Browser { chromium, driver })
}
