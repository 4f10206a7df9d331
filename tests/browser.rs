//! The main job in a real browser: two people, one page, and a card that turns to *Paid* without a reload.
//!
//! Pictures of every page and card state go to `target/tmp/pictures`, in desktop and phone width.

use crate::support::browser::{Browser, DESKTOP, PHONE};
use crate::support::stripe::Shop;
use crate::support::{Side, Town, eventually};
use std::ops::Deref;
use std::time::Duration;
use thirtyfour::prelude::*;

/// The two sides of a counter, customer and staff, in one browser.
pub(crate) struct Counter {
    pub(crate) browser: Browser,
    sides: Sides,
}

impl Deref for Counter {
    type Target = Browser;
    fn deref(&self) -> &Browser {
        &self.browser
    }
}

/// Where customer and staff are.
enum Sides {
    /// Side by side, in the frames of the demo page.
    Frames,
    /// Each in a window of their own.
    Windows([WindowHandle; 2]),
}

impl Counter {
    pub(crate) async fn open(test: &str) -> Option<Self> {
        Some(Self { browser: Browser::open(test).await?, sides: Sides::Frames })
    }

    /// Comes in as whoever these sessions are of.
    pub(crate) async fn sign_in(&self, url: &str, cookies: &[String]) {
        self.driver.goto(format!("{url}/healthz")).await.unwrap();
        for cookie in cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.driver.add_cookie(Cookie::new(name, value)).await.unwrap();
        }
    }

    async fn picture(&self, name: &str) {
        // Let highlights fade.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let of = match self.sides {
            Sides::Frames => "",
            Sides::Windows(_) => "stripe-",
        };
        self.browser.picture(&format!("{of}{name}")).await;
    }

    /// Goes to the customer or to staff.
    pub(crate) async fn frame(&self, number: u16) {
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

    /// Goes to the card of this code, once it has this title.
    pub(crate) async fn shows(&self, code: &str, title: &str) {
        let found = eventually(async || {
            for card in self.driver.find_all(By::Css("#log .card")).await.ok()? {
                let text = card.text().await.ok()?;
                if text.contains(code) && text.contains(title) {
                    return Some(card);
                }
            }
            None
        });
        let card = found.await.unwrap_or_else(|| panic!("no card of {code} with `{title}`"));
        card.scroll_into_view().await.unwrap();
    }

    /// The newest card shows this, on both sides, without a reload.
    async fn both_show(&self, text: &str) {
        for side in [0, 1] {
            self.frame(side).await;
            self.find_text("#log li:nth-last-child(-n+3) .card", text).await;
        }
    }
}

const CUSTOMER: u16 = 0;
const STAFF: u16 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn two_people_see_a_card_turn_to_paid_in_a_real_browser() {
    let Some(counter) = Counter::open("browser::two_people_see_a_card_turn_to_paid_in_a_real_browser").await else {
        return;
    };
    let town = Town::closed(std::sync::Arc::new(tempfile::tempdir().unwrap())).await;
    counter.size(DESKTOP).await;
    counter.driver.goto(&town.entrance).await.unwrap();
    let main = counter.driver.window().await.unwrap();

    counter.frame(CUSTOMER).await;
    counter.type_and_send("Hello! A coffee and a <b>croissant</b>, please").await;
    counter.find_text("#log", "<b>croissant</b>").await;
    counter.frame(STAFF).await;
    counter.click("#conversations a", "Guest").await;
    counter.type_and_send("With pleasure, here you are:").await;
    typed_faster_than_sent(&counter).await;
    counter.type_and_send("/pay 25 EUR coffee").await;
    counter.both_show("25.00 EUR").await;
    counter.driver.enter_default_frame().await.unwrap();
    counter.picture("1-asked").await;

    paid_and_refunded(&counter, &main).await;
    cancelled_from_the_form(&counter).await;
    declined_then_expired(&counter, &|by| town.ahead(by), &main).await;
    on_a_phone(&counter, &town.url, &[("/chat", "phone-chat"), ("/desk", "phone-desk"), ("/", "phone-demo")]).await;
    counter.browser.close().await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_message_that_failed_stays_in_its_conversation() {
    let test = "browser::what_waits_behind_a_message_that_failed_stays_in_its_conversation";
    let Some(counter) = Counter::open(test).await else { return };
    let town = Town::new().await;
    let first = town.conversation().await;
    let guest = Side::new(crate::support::browser(), &town.url, "chat");
    guest.http.get(format!("{}/chat", town.url)).send().await.unwrap();
    let second = guest.say("", "Good morning").await["line"]["conversation"].as_str().unwrap().to_owned();
    counter.size(DESKTOP).await;
    counter.sign_in(&town.url, &town.cookies).await;
    counter.driver.goto(format!("{}/desk", town.url)).await.unwrap();
    let choose =
        async |id: &str| counter.find(&format!("#conversations li[data-id='{id}'] a")).await.click().await.unwrap();
    let stands = async || counter.find("#text").await.prop("value").await.unwrap().unwrap();
    choose(&first).await;
    let slow_then_gone = "window.till_fetch = window.fetch; window.till_gone = 1; window.fetch = async (...what) => { \
        if (what[1]?.method !== 'POST') return window.till_fetch(...what); \
        await new Promise((later) => setTimeout(later, 1500)); \
        if (window.till_gone-- > 0) throw new TypeError('gone'); \
        return window.till_fetch(...what); };";
    counter.driver.execute(slow_then_gone, vec![]).await.unwrap();
    counter.type_and_send("For you").await;
    let composer = counter.find("#text").await;
    composer.send_keys("and for nobody else").await.unwrap();
    counter.find("#answer.bad").await;
    assert_eq!(stands().await, "For you", "what was not sent stands there again");
    composer.send_keys(&String::from(Key::Enter.value())).await.unwrap();
    choose(&second).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(stands().await, "", "nothing of it stands in another conversation");
    choose(&first).await;
    counter.find_text("#log", "For you").await;
    assert_eq!(stands().await, "and for nobody else");
    counter.browser.close().await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_story_is_told_with_the_page_of_stripe() {
    let Some(mut counter) = Counter::open("browser::the_same_story_is_told_with_the_page_of_stripe").await else {
        return;
    };
    let shop = Shop::open().await;
    counter.size(DESKTOP).await;
    counter.sign_in(&shop.url, &shop.cookies).await;
    let customer = counter.driver.window().await.unwrap();
    counter.driver.goto(format!("{}/chat", shop.url)).await.unwrap();
    let staff = counter.driver.new_tab().await.unwrap();
    counter.driver.switch_to_window(staff.clone()).await.unwrap();
    counter.driver.goto(format!("{}/desk", shop.url)).await.unwrap();
    counter.sides = Sides::Windows([customer.clone(), staff]);

    counter.click("#conversations a", "Guest").await;
    counter.type_and_send("/pay 25 EUR coffee").await;
    counter.both_show("25.00 EUR").await;
    paid_and_refunded(&counter, &customer).await;
    cancelled_from_the_form(&counter).await;
    declined_then_expired(&counter, &|by| shop.ahead(by), &customer).await;
    on_a_phone(&counter, &shop.url, &[("/chat", "phone-chat"), ("/desk", "phone-desk")]).await;
    disputed(&counter, &shop).await;
    counter.browser.close().await;
    shop.close().await;
}

/// Enter sends what stands there at that moment: what is typed after it stays, however slowly the first is sent.
async fn typed_faster_than_sent(counter: &Counter) {
    let slow = "window.till_fetch = window.fetch; window.fetch = async (...what) => { \
        await new Promise((later) => setTimeout(later, 1500)); return window.till_fetch(...what); };";
    counter.driver.execute(slow, vec![]).await.unwrap();
    counter.type_and_send("First,").await;
    counter.type_and_send("second,").await;
    let composer = counter.find("#text").await;
    composer.send_keys("and half a thi").await.unwrap();
    counter.find_text("#log", "second,").await;
    let log = counter.find("#log").await.text().await.unwrap();
    assert!(log.find("First,") < log.find("second,"), "in the order in which they were typed: {log}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!counter.find("#log").await.text().await.unwrap().contains("half a thi"), "nobody pressed Enter on it");
    assert_eq!(composer.prop("value").await.unwrap().as_deref(), Some("and half a thi"));
    counter.driver.execute("window.fetch = window.till_fetch; text.value = ''", vec![]).await.unwrap();
}

/// What the bank does shows on the staff's card, and only what concerns the customer on theirs.
async fn disputed(counter: &Counter, shop: &Shop) {
    counter.size(DESKTOP).await;
    let paid = shop.stripe.all("payment_intent").into_iter().rfind(|intent| intent["status"] == "succeeded").unwrap();
    shop.stripe.dispute(paid["id"].as_str().unwrap(), 400, true);
    counter.frame(STAFF).await;
    counter.driver.goto(format!("{}/desk", shop.url)).await.unwrap();
    counter.click("#conversations a", "Guest").await;
    counter.find_text("#log .card", "Answer the bank by").await;
    counter.picture("13-inquiry").await;
    counter.frame(CUSTOMER).await;
    counter.driver.goto(format!("{}/chat", shop.url)).await.unwrap();
    let cards = counter.find("#log").await.text().await.unwrap();
    assert!(!cards.contains("bank"), "an inquiry is no public matter: {cards}");
}

async fn paid_and_refunded(counter: &Counter, main: &WindowHandle) {
    counter.frame(CUSTOMER).await;
    counter.pay_tab().await;
    counter.find_text("main", "25.00 EUR").await;
    counter.picture("2-pay-page").await;
    counter.click("button", "Pay").await;
    counter.find_text("body", "TEST").await;
    counter.find("input[type=radio]").await;
    counter.picture("3-provider").await;
    counter.click("button", "Pay").await;
    counter.find_text("body", "aid").await;
    counter.picture("4-provider-paid").await;
    counter.back_to(main).await;
    counter.both_show("Paid").await;
    counter.driver.enter_default_frame().await.unwrap();
    counter.picture("5-paid").await;

    counter.frame(CUSTOMER).await;
    let before = counter.driver.windows().await.unwrap();
    counter.click("#log .card a", "Receipt").await;
    let opened = eventually(async || counter.driver.windows().await.ok()?.into_iter().find(|it| !before.contains(it)));
    counter.driver.switch_to_window(opened.await.unwrap()).await.unwrap();
    counter.find_text("main", "Total paid").await;
    counter.picture("6-receipt").await;
    counter.back_to(main).await;

    counter.frame(STAFF).await;
    counter.click("#log .card button", "Refund").await;
    let amount = counter.find("#question input[name=amount]").await;
    counter.driver.execute("document.querySelector('#question input[name=amount]').value = ''", vec![]).await.unwrap();
    amount.send_keys("10").await.unwrap();
    counter.driver.enter_default_frame().await.unwrap();
    counter.picture("7-refund-question").await;
    counter.frame(STAFF).await;
    counter.find("#question button.primary").await.click().await.unwrap();
    counter.both_show("refunded 10.00 EUR").await;
    counter.driver.enter_default_frame().await.unwrap();
    counter.picture("8-refunded-in-part").await;
}

async fn cancelled_from_the_form(counter: &Counter) {
    counter.frame(STAFF).await;
    counter.find("#ask").await.click().await.unwrap();
    counter.find("#pay input[name=amount]").await.send_keys("8,50").await.unwrap();
    counter.find("#pay input[name=what]").await.send_keys("tea & \"biscuits\"").await.unwrap();
    counter.driver.enter_default_frame().await.unwrap();
    counter.picture("9-payment-form").await;
    counter.frame(STAFF).await;
    counter.find("#pay button.primary").await.click().await.unwrap();
    counter.both_show("8.50 EUR").await;
    counter.frame(STAFF).await;
    counter.click("#log .card button", "Cancel").await;
    counter.find("#question button.primary").await.click().await.unwrap();
    counter.both_show("Cancelled").await;
    counter.driver.enter_default_frame().await.unwrap();
    counter.picture("10-cancelled").await;
}

async fn declined_then_expired(counter: &Counter, ahead: &dyn Fn(Duration), main: &WindowHandle) {
    counter.frame(STAFF).await;
    counter.type_and_send("/pay 2 x 4.50 EUR coffee + 3 EUR cake expires:10m note:\"See you at the window\"").await;
    counter.both_show("12.00 EUR").await;
    counter.frame(CUSTOMER).await;
    counter.pay_tab().await;
    counter.click("button", "Pay").await;
    counter.find("input[type=radio][value=declined]").await.click().await.unwrap();
    counter.click("button", "Pay").await;
    counter.find_text("body", "declined").await;
    counter.picture("11-declined").await;
    counter.back_to(main).await;
    counter.both_show("Declined").await;
    ahead(Duration::from_secs(11 * 60));
    counter.both_show("Expired").await;
    counter.driver.enter_default_frame().await.unwrap();
    counter.picture("12-expired").await;
}

async fn on_a_phone(counter: &Counter, url: &str, pages: &[(&str, &str)]) {
    counter.size(PHONE).await;
    for (path, name) in pages {
        counter.driver.goto(format!("{url}{path}")).await.unwrap();
        counter.find("body").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        counter.picture(name).await;
        counter.fits(name).await;
    }
    counter.driver.goto(format!("{url}/desk")).await.unwrap();
    counter.click("#conversations a", "Guest").await;
    counter.type_and_send("/pay 4 EUR espresso").await;
    counter.find_text("#log .card", "4.00 EUR").await;
    counter.picture("phone-desk-room").await;
    counter.fits("phone-desk-room").await;
    counter.driver.goto(format!("{url}/chat")).await.unwrap();
    counter.find_text("#log .card", "4.00 EUR").await;
    let links = counter.driver.find_all(By::Css("#log .card a.primary")).await.unwrap();
    let link = links.last().unwrap().attr("href").await.unwrap().unwrap();
    counter.driver.goto(link).await.unwrap();
    counter.picture("phone-pay-page").await;
    counter.fits("phone-pay-page").await;
    counter.click("button", "Pay").await;
    counter.find("input[type=radio]").await;
    counter.picture("phone-provider").await;
    counter.fits("phone-provider").await;
    counter.click("button", "Pay").await;
    counter.find_text("body", "aid").await;
    counter.driver.goto(format!("{url}/chat")).await.unwrap();
    counter.find_text("#log .card", "Paid").await;
    counter.picture("phone-paid").await;
    let receipts = counter.driver.find_all(By::Css("#log .card a")).await.unwrap();
    let receipt = receipts.last().unwrap().attr("href").await.unwrap().unwrap();
    counter.driver.goto(receipt).await.unwrap();
    counter.find_text("main", "Total paid").await;
    counter.picture("phone-receipt").await;
    counter.fits("phone-receipt").await;
}
