//! The main job in a real browser: two people, one page, and a card that turns to *Paid* without a reload.
//!
//! Pictures of every page and card state go to `target/tmp/pictures`, in desktop and phone width.

use crate::support::stripe::Shop;
use crate::support::{PATIENCE, Town, eventually};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use thirtyfour::prelude::*;

const DESKTOP: (u32, u32) = (1440, 960);
const PHONE: (u32, u32) = (390, 844);

/// A Chromium that a ChromeDriver drives. Both end with it.
struct Browser {
    chromedriver: Child,
    driver: WebDriver,
    sides: Sides,
    _profile: tempfile::TempDir,
}

/// Where customer and staff are.
enum Sides {
    /// Side by side, in the frames of the demo page.
    Frames,
    /// Each in a window of their own.
    Windows([WindowHandle; 2]),
}

fn program(variable: &str, usual: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from);
    path.is_file().then_some(path)
}

impl Browser {
    /// `None` where there is none; then the test is left out, unless it is required.
    async fn open(test: &str) -> Option<Self> {
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
        Some(Self { chromedriver, driver, sides: Sides::Frames, _profile: profile })
    }

    async fn close(self) {
        let _ = self.driver.clone().quit().await;
    }

    async fn size(&self, (width, height): (u32, u32)) {
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

    async fn picture(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).unwrap();
        // Let highlights fade.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let of = match self.sides {
            Sides::Frames => "",
            Sides::Windows(_) => "stripe-",
        };
        self.driver.screenshot(&folder.join(format!("{of}{name}.png"))).await.unwrap();
    }

    /// Nothing sticks out to the side.
    async fn fits(&self, name: &str) {
        let wide = self.driver.execute("return document.documentElement.scrollWidth - window.innerWidth", vec![]).await;
        assert!(wide.unwrap().json().as_i64().unwrap() <= 0, "{name} is wider than its window");
    }

    async fn find(&self, css: &str) -> WebElement {
        let query = self.driver.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(50));
        query.and_displayed().first().await.unwrap_or_else(|error| panic!("`{css}`: {error}"))
    }

    /// The element of this selector that shows this text.
    async fn find_text(&self, css: &str, text: &str) -> WebElement {
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

    async fn click(&self, css: &str, text: &str) {
        let element = self.find_text(css, text).await;
        element.scroll_into_view().await.unwrap();
        element.click().await.unwrap();
    }

    /// Goes to the customer or to staff.
    async fn frame(&self, number: u16) {
        match &self.sides {
            Sides::Frames => {
                self.driver.enter_default_frame().await.unwrap();
                self.driver.enter_frame(number).await.unwrap();
            }
            Sides::Windows(windows) => {
                self.driver.switch_to_window(windows[usize::from(number)].clone()).await.unwrap();
            }
        }
    }

    async fn type_and_send(&self, text: &str) {
        let composer = self.find("#text").await;
        composer.send_keys(text).await.unwrap();
        composer.send_keys(&String::from(Key::Enter.value())).await.unwrap();
    }

    /// Presses *Pay* on the newest card of the customer, which opens a tab of its own, and goes there.
    async fn pay_tab(&self) -> WindowHandle {
        let before = self.driver.windows().await.unwrap();
        let cards = self.driver.find_all(By::Css("#log .card a.primary")).await.unwrap();
        let pay = cards.last().unwrap();
        pay.scroll_into_view().await.unwrap();
        pay.click().await.unwrap();
        let opened = eventually(async || self.driver.windows().await.ok()?.into_iter().find(|it| !before.contains(it)));
        let opened = opened.await.expect("a new tab");
        self.driver.switch_to_window(opened.clone()).await.unwrap();
        opened
    }

    async fn back_to(&self, window: &WindowHandle) {
        self.driver.close_window().await.unwrap();
        self.driver.switch_to_window(window.clone()).await.unwrap();
    }

    /// The newest card shows this, on both sides, without a reload.
    async fn both_show(&self, text: &str) {
        for side in [0, 1] {
            self.frame(side).await;
            self.find_text("#log li:nth-last-child(-n+3) .card", text).await;
        }
    }
}

/// A test that fails leaves no browser behind either: its windows go with the driver.
impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.chromedriver.kill();
        let _ = self.chromedriver.wait();
    }
}

const CUSTOMER: u16 = 0;
const STAFF: u16 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn two_people_see_a_card_turn_to_paid_in_a_real_browser() {
    let Some(browser) = Browser::open("browser::two_people_see_a_card_turn_to_paid_in_a_real_browser").await else {
        return;
    };
    let town = Town::closed(std::sync::Arc::new(tempfile::tempdir().unwrap())).await;
    browser.size(DESKTOP).await;
    browser.driver.goto(&town.entrance).await.unwrap();
    let main = browser.driver.window().await.unwrap();

    browser.frame(CUSTOMER).await;
    browser.type_and_send("Hello! A coffee and a <b>croissant</b>, please").await;
    browser.find_text("#log", "<b>croissant</b>").await;
    browser.frame(STAFF).await;
    browser.click("#conversations a", "Guest").await;
    browser.type_and_send("With pleasure, here you are:").await;
    browser.type_and_send("/pay 25 EUR coffee").await;
    browser.both_show("25.00 EUR").await;
    browser.driver.enter_default_frame().await.unwrap();
    browser.picture("1-asked").await;

    paid_and_refunded(&browser, &main).await;
    cancelled_from_the_form(&browser).await;
    declined_then_expired(&browser, &|by| town.ahead(by), &main).await;
    on_a_phone(&browser, &town.url, &[("/chat", "phone-chat"), ("/desk", "phone-desk"), ("/", "phone-demo")]).await;
    browser.close().await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_story_is_told_with_the_page_of_stripe() {
    let Some(mut browser) = Browser::open("browser::the_same_story_is_told_with_the_page_of_stripe").await else {
        return;
    };
    let shop = Shop::open().await;
    browser.size(DESKTOP).await;
    browser.driver.goto(format!("{}/healthz", shop.url)).await.unwrap();
    for cookie in &shop.cookies {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        browser.driver.add_cookie(Cookie::new(name, value)).await.unwrap();
    }
    let customer = browser.driver.window().await.unwrap();
    browser.driver.goto(format!("{}/chat", shop.url)).await.unwrap();
    let staff = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(staff.clone()).await.unwrap();
    browser.driver.goto(format!("{}/desk", shop.url)).await.unwrap();
    browser.sides = Sides::Windows([customer.clone(), staff]);

    browser.click("#conversations a", "Guest").await;
    browser.type_and_send("/pay 25 EUR coffee").await;
    browser.both_show("25.00 EUR").await;
    paid_and_refunded(&browser, &customer).await;
    cancelled_from_the_form(&browser).await;
    declined_then_expired(&browser, &|by| shop.ahead(by), &customer).await;
    on_a_phone(&browser, &shop.url, &[("/chat", "phone-chat"), ("/desk", "phone-desk")]).await;
    disputed(&browser, &shop).await;
    browser.close().await;
    shop.close().await;
}

/// What the bank does shows on the staff's card, and only what concerns the customer on theirs.
async fn disputed(browser: &Browser, shop: &Shop) {
    browser.size(DESKTOP).await;
    let paid = shop.stripe.all("payment_intent").into_iter().rfind(|intent| intent["status"] == "succeeded").unwrap();
    shop.stripe.dispute(paid["id"].as_str().unwrap(), 400, true);
    browser.frame(STAFF).await;
    browser.driver.goto(format!("{}/desk", shop.url)).await.unwrap();
    browser.click("#conversations a", "Guest").await;
    browser.find_text("#log .card", "Answer the bank by").await;
    browser.picture("13-inquiry").await;
    browser.frame(CUSTOMER).await;
    browser.driver.goto(format!("{}/chat", shop.url)).await.unwrap();
    let cards = browser.find("#log").await.text().await.unwrap();
    assert!(!cards.contains("bank"), "an inquiry is no public matter: {cards}");
}

async fn paid_and_refunded(browser: &Browser, main: &WindowHandle) {
    browser.frame(CUSTOMER).await;
    browser.pay_tab().await;
    browser.find_text("main", "25.00 EUR").await;
    browser.picture("2-pay-page").await;
    browser.click("button", "Pay").await;
    browser.find_text("body", "TEST").await;
    browser.find("input[type=radio]").await;
    browser.picture("3-provider").await;
    browser.click("button", "Pay").await;
    browser.find_text("body", "aid").await;
    browser.picture("4-provider-paid").await;
    browser.back_to(main).await;
    browser.both_show("Paid").await;
    browser.driver.enter_default_frame().await.unwrap();
    browser.picture("5-paid").await;

    browser.frame(CUSTOMER).await;
    let before = browser.driver.windows().await.unwrap();
    browser.click("#log .card a", "Receipt").await;
    let opened = eventually(async || browser.driver.windows().await.ok()?.into_iter().find(|it| !before.contains(it)));
    browser.driver.switch_to_window(opened.await.unwrap()).await.unwrap();
    browser.find_text("main", "Total paid").await;
    browser.picture("6-receipt").await;
    browser.back_to(main).await;

    browser.frame(STAFF).await;
    browser.click("#log .card button", "Refund").await;
    let amount = browser.find("#question input[name=amount]").await;
    browser.driver.execute("document.querySelector('#question input[name=amount]').value = ''", vec![]).await.unwrap();
    amount.send_keys("10").await.unwrap();
    browser.driver.enter_default_frame().await.unwrap();
    browser.picture("7-refund-question").await;
    browser.frame(STAFF).await;
    browser.find("#question button.primary").await.click().await.unwrap();
    browser.both_show("refunded 10.00 EUR").await;
    browser.driver.enter_default_frame().await.unwrap();
    browser.picture("8-refunded-in-part").await;
}

async fn cancelled_from_the_form(browser: &Browser) {
    browser.frame(STAFF).await;
    browser.find("#ask").await.click().await.unwrap();
    browser.find("#pay input[name=amount]").await.send_keys("8,50").await.unwrap();
    browser.find("#pay input[name=what]").await.send_keys("tea & \"biscuits\"").await.unwrap();
    browser.driver.enter_default_frame().await.unwrap();
    browser.picture("9-payment-form").await;
    browser.frame(STAFF).await;
    browser.find("#pay button.primary").await.click().await.unwrap();
    browser.both_show("8.50 EUR").await;
    browser.frame(STAFF).await;
    browser.click("#log .card button", "Cancel").await;
    browser.find("#question button.primary").await.click().await.unwrap();
    browser.both_show("Cancelled").await;
    browser.driver.enter_default_frame().await.unwrap();
    browser.picture("10-cancelled").await;
}

async fn declined_then_expired(browser: &Browser, ahead: &dyn Fn(Duration), main: &WindowHandle) {
    browser.frame(STAFF).await;
    browser.type_and_send("/pay 2 x 4.50 EUR coffee + 3 EUR cake expires:10m note:\"See you at the window\"").await;
    browser.both_show("12.00 EUR").await;
    browser.frame(CUSTOMER).await;
    browser.pay_tab().await;
    browser.click("button", "Pay").await;
    browser.find("input[type=radio][value=declined]").await.click().await.unwrap();
    browser.click("button", "Pay").await;
    browser.find_text("body", "declined").await;
    browser.picture("11-declined").await;
    browser.back_to(main).await;
    browser.both_show("Declined").await;
    ahead(Duration::from_secs(11 * 60));
    browser.both_show("Expired").await;
    browser.driver.enter_default_frame().await.unwrap();
    browser.picture("12-expired").await;
}

async fn on_a_phone(browser: &Browser, url: &str, pages: &[(&str, &str)]) {
    browser.size(PHONE).await;
    for (path, name) in pages {
        browser.driver.goto(format!("{url}{path}")).await.unwrap();
        browser.find("body").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        browser.picture(name).await;
        browser.fits(name).await;
    }
    browser.driver.goto(format!("{url}/desk")).await.unwrap();
    browser.click("#conversations a", "Guest").await;
    browser.type_and_send("/pay 4 EUR espresso").await;
    browser.find_text("#log .card", "4.00 EUR").await;
    browser.picture("phone-desk-room").await;
    browser.fits("phone-desk-room").await;
    browser.driver.goto(format!("{url}/chat")).await.unwrap();
    browser.find_text("#log .card", "4.00 EUR").await;
    let links = browser.driver.find_all(By::Css("#log .card a.primary")).await.unwrap();
    let link = links.last().unwrap().attr("href").await.unwrap().unwrap();
    browser.driver.goto(link).await.unwrap();
    browser.picture("phone-pay-page").await;
    browser.fits("phone-pay-page").await;
    browser.click("button", "Pay").await;
    browser.find("input[type=radio]").await;
    browser.picture("phone-provider").await;
    browser.fits("phone-provider").await;
    browser.click("button", "Pay").await;
    browser.find_text("body", "aid").await;
    browser.driver.goto(format!("{url}/chat")).await.unwrap();
    browser.find_text("#log .card", "Paid").await;
    browser.picture("phone-paid").await;
    let receipts = browser.driver.find_all(By::Css("#log .card a")).await.unwrap();
    let receipt = receipts.last().unwrap().attr("href").await.unwrap().unwrap();
    browser.driver.goto(receipt).await.unwrap();
    browser.find_text("main", "Total paid").await;
    browser.picture("phone-receipt").await;
    browser.fits("phone-receipt").await;
}
