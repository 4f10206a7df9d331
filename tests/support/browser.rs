//! A real browser for stories: Chromium, which ChromeDriver drives, and pictures of what it shows.

use super::{PATIENCE, eventually};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use thirtyfour::prelude::*;

/// Widths and heights in which people see a page.
pub(crate) const DESKTOP: (u32, u32) = (1440, 960);
pub(crate) const PHONE: (u32, u32) = (390, 844);

/// A Chromium that a ChromeDriver drives. Both end with it.
pub(crate) struct Browser {
    chromedriver: Child,
    pub(crate) driver: WebDriver,
    _profile: tempfile::TempDir,
}

fn program(variable: &str, usual: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from);
    path.is_file().then_some(path)
}

impl Browser {
    /// `None` where there is none; then the test is left out, unless it is required.
    pub(crate) async fn open(test: &str) -> Option<Self> {
        let programs =
            program("TILL_CHROMIUM", "/usr/bin/chromium").zip(program("TILL_CHROMEDRIVER", "/usr/bin/chromedriver"));
        let Some((chromium, chromedriver)) = programs else {
            assert!(std::env::var_os("TILL_TEST_BROWSER").is_none(), "no Chromium: run `cargo xtask test`");
            till_core::contract::left_out(test, "Chromium and ChromeDriver are not installed");
            return None;
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(chromedriver);
        process.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let chromedriver = process.spawn().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(chromium.to_str().unwrap()).unwrap();
        let profile_arg = format!("--user-data-dir={}", profile.path().display());
        for arg in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            &profile_arg,
        ] {
            wanted.add_arg(arg).unwrap();
        }
        let url = format!("http://127.0.0.1:{port}");
        let driver = eventually(async || WebDriver::new(&url, wanted.clone()).await.ok()).await;
        let driver = driver.expect("a browser session");
        Some(Self { chromedriver, driver, _profile: profile })
    }

    pub(crate) async fn close(self) {
        let _ = self.driver.clone().quit().await;
    }

    pub(crate) async fn size(&self, (width, height): (u32, u32)) {
        self.driver.set_window_rect(0, 0, width, height).await.unwrap();
        // A headless window has no smaller inside than about 500 pixels; a device metric has.
        let metrics =
            serde_json::json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// A command of the Chrome DevTools Protocol, through ChromeDriver.
    async fn cdp(&self, command: &str, params: serde_json::Value) {
        let base = format!("{}session/{}", self.driver.handle().server_url(), self.driver.session_id());
        let body = serde_json::json!({ "cmd": command, "params": params });
        let sent = reqwest::Client::new().post(format!("{base}/goog/cdp/execute")).json(&body).send().await.unwrap();
        assert!(sent.status().is_success(), "{command}: {}", sent.text().await.unwrap());
    }

    /// What is seen now, as `target/tmp/pictures/{name}.png`.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).unwrap();
        self.driver.screenshot(&folder.join(format!("{name}.png"))).await.unwrap();
    }

    /// Nothing sticks out to the side. A phone's `innerWidth` grows with what sticks out, so it is not what to ask.
    pub(crate) async fn fits(&self, name: &str) {
        let wide = "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
        let wide = self.driver.execute(wide, vec![]).await;
        assert!(wide.unwrap().json().as_i64().unwrap() <= 0, "{name} is wider than its window");
    }

    pub(crate) async fn find(&self, css: &str) -> WebElement {
        let query = self.driver.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(50));
        query.and_displayed().first().await.unwrap_or_else(|error| panic!("`{css}`: {error}"))
    }

    /// The element of this selector that shows this text.
    pub(crate) async fn find_text(&self, css: &str, text: &str) -> WebElement {
        let found = eventually(async || {
            for element in self.driver.find_all(By::Css(css)).await.ok()? {
                if element.text().await.ok()?.contains(text) {
                    return Some(element);
                }
            }
            None
        });
        match found.await {
            Some(element) => element,
            None => {
                self.picture("failure").await;
                panic!("no `{css}` with `{text}` on {}", self.driver.current_url().await.unwrap())
            }
        }
    }

    pub(crate) async fn click(&self, css: &str, text: &str) {
        let element = self.find_text(css, text).await;
        element.scroll_into_view().await.unwrap();
        element.click().await.unwrap();
    }
}

/// A test that fails leaves no browser behind either: its windows go with the driver.
impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.chromedriver.kill();
        let _ = self.chromedriver.wait();
    }
}
