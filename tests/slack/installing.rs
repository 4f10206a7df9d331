//! Many workspaces: each adds Till by itself, none sees the other, and no token is lost, kept too long or readable.

use crate::support::browser::{Browser, PHONE};
use crate::support::eventually;
use crate::support::slack::{ANA, Added, BO, DEE, Office, SALES, code_in};
use crate::support::stripe::Plan;
use fake_slack::{Consent, Fault, Way};
use reqwest::cookie::Jar;
use reqwest::header::{CONTENT_SECURITY_POLICY, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, redirect};
use std::sync::Arc;
use std::time::Duration;
use till::assemble::{self, slack};
use till_core::port::store::Staff;

const TTL: Duration = Duration::from_secs(15 * 60);

async fn office(way: Way, added: Added) -> Office {
    Office::with(Plan { slack: Some(way), added, ..Plan::default() }).await
}

/// `till slack install`
async fn link(office: &Office) -> String {
    let rows = assemble::rows(&office.config).await.unwrap();
    let link = slack::install_link(&office.config, &rows, false, TTL, &office.world.clock).await.unwrap();
    rows.close().await;
    link
}

/// `till slack workspaces`
async fn workspaces(office: &Office) -> Vec<String> {
    let rows = assemble::rows(&office.config).await.unwrap();
    let all = slack::workspaces(&office.config, &rows, &office.world.clock).await.unwrap();
    rows.close().await;
    all.iter().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// Somebody's browser, which goes nowhere by itself.
fn browser() -> Client {
    let jar = Arc::new(Jar::default());
    Client::builder().cookie_provider(jar).redirect(redirect::Policy::none()).build().unwrap()
}

async fn leads_to(browser: &Client, url: &str) -> String {
    let answer = browser.get(url).send().await.unwrap();
    assert!(answer.status().is_redirection(), "{url}: {answer:?}");
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

/// From the link to Slack, and to the address that Slack leads back to.
async fn as_far_as_slack(browser: &Client, link: &str) -> String {
    let page = browser.get(link).send().await.unwrap();
    assert!(page.status().is_success(), "{page:?}");
    let slack = leads_to(browser, &format!("{link}/go")).await;
    leads_to(browser, &slack).await
}

async fn add(office: &Office, consent: Consent) -> Response {
    office.slack.consent(consent);
    let browser = browser();
    let back = as_far_as_slack(&browser, &link(office).await).await;
    browser.get(back).send().await.unwrap()
}

async fn added(office: &Office, team: &str, user: &str) {
    let page = add(office, Consent::Allow { team: team.to_owned(), user: user.to_owned() }).await;
    assert!(page.status().is_success(), "{page:?}");
}

async fn on_the_list(office: &Office, id: &str) {
    let staff = Staff { id: id.to_owned(), name: id.to_owned(), since: office.now() };
    office.world.store.add_staff(&office.world.merchant.id, &staff).await.unwrap();
}

/// Everything in the folder of the till, as bytes.
fn everything_kept(office: &Office) -> Vec<u8> {
    let files =
        std::fs::read_dir(office.data.path()).unwrap().filter_map(|entry| std::fs::read(entry.unwrap().path()).ok());
    files.flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_adds_till_and_asks_for_money() {
    for way in [Way::Http, Way::Socket] {
        let office = office(way, Added::OAuth).await;
        assert_eq!(office.slack.token("T0SHOP"), None);
        let page = add(&office, Consent::Allow { team: "T0SHOP".into(), user: ANA.into() }).await;
        assert!(page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
        let words = page.text().await.unwrap();
        assert!(words.contains("The till is in") && words.contains("till staff add slack:T0SHOP/U0ANA"), "{words}");
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        office.payer_pays(&card).await;
        office.says(&code, "Paid").await;
        let token = office.slack.token("T0SHOP").unwrap();
        let kept = everything_kept(&office);
        assert!(
            !kept.windows(token.len()).any(|window| window == token.as_bytes()),
            "the token can be read on the disk"
        );
        assert_eq!(workspaces(&office).await, ["T0SHOP"]);
        let rows = assemble::rows(&office.config).await.unwrap();
        let found = till::doctor::examine(&office.config, &rows, &office.world.clock).await.unwrap();
        let (report, is_wrong) = till::doctor::report(&found);
        assert!(!is_wrong && report.contains("the token for shop (T0SHOP) works"), "{report}");
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_a_ticket_began_here_and_said_yes_adds_anything() {
    let office = office(Way::Http, Added::OAuth).await;
    let nobody = format!("{}/slack/install/{}", office.url, "0".repeat(32));
    for url in [nobody.clone(), format!("{nobody}/go")] {
        assert_eq!(browser().get(url).send().await.unwrap().status(), 404);
    }
    let invented = format!("{}/slack/oauth?state={}&code=1.x", office.url, "0".repeat(32));
    assert_eq!(browser().get(invented).send().await.unwrap().status(), 400);
    let link = link(&office).await;

    // Somebody else's browser is led to the end of what another one began.
    let back = as_far_as_slack(&browser(), &link).await;
    assert_eq!(browser().get(&back).send().await.unwrap().status(), 400);
    // Whoever says no may think again: the ticket is as good as before.
    office.slack.consent(Consent::Deny);
    let ana = browser();
    let back = as_far_as_slack(&ana, &link).await;
    let declined = ana.get(&back).send().await.unwrap().text().await.unwrap();
    assert!(declined.contains("nothing was added") && declined.contains("Try it again"), "{declined}");
    // Slack gives no token: nothing is kept, and the page says so.
    office.slack.fail_next("oauth.v2.access", Fault::Refused("invalid_code".into()));
    let back = as_far_as_slack(&ana, &link).await;
    assert_eq!(ana.get(&back).send().await.unwrap().status(), 502);
    assert_eq!(workspaces(&office).await, [] as [&str; 0]);

    // Two begin with one ticket: the first to come back is added, and its own way back works once.
    let link = self::link(&office).await;
    let (ana, eve) = (browser(), browser());
    let (first, second) = (as_far_as_slack(&ana, &link).await, as_far_as_slack(&eve, &link).await);
    assert!(ana.get(&first).send().await.unwrap().status().is_success());
    assert_eq!(ana.get(&first).send().await.unwrap().status(), 400);
    assert_eq!(eve.get(&second).send().await.unwrap().status(), 400);
    assert_eq!(ana.get(&link).send().await.unwrap().status(), 404);
    assert_eq!(workspaces(&office).await, ["T0SHOP"]);

    // A link that nobody used has an end.
    let link = self::link(&office).await;
    let begun = browser().get(format!("{link}/go")).send().await.unwrap();
    let cookie = begun.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    office.ahead(TTL);
    assert_eq!(browser().get(&link).send().await.unwrap().status(), 404);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_gone_is_forgotten_and_the_others_go_on() {
    for way in [Way::Http, Way::Socket] {
        let office = office(way, Added::OAuth).await;
        added(&office, "T0SHOP", ANA).await;
        added(&office, "T0ANNEX", DEE).await;
        on_the_list(&office, "slack:T0ANNEX/U0DEE").await;
        let code = office.pay("25 EUR coffee").await;
        office.says(&code, "Please pay").await;
        let token = office.slack.token("T0SHOP").unwrap();
        office.slack.uninstall("T0SHOP").await;
        let gone = eventually(async || (workspaces(&office).await == ["T0ANNEX"]).then_some(()));
        gone.await.expect("the workspace is forgotten");
        let answer = office.slack.command(DEE, "C0ANNEX", "/pay", "5 EUR cake").await;
        let code = code_in(answer.body["text"].as_str().unwrap());
        let shown = eventually(async || {
            office.slack.messages("C0ANNEX").into_iter().find(|shown| shown.words().contains(&code))
        });
        shown.await.expect("the other workspace goes on");
        // Added again; and Slack, which tells late, tells once more of the day when it was removed.
        added(&office, "T0SHOP", ANA).await;
        assert_ne!(office.slack.token("T0SHOP"), Some(token));
        let events = office.slack.deliveries();
        let old = events.iter().position(|event| event.payload["event"]["type"] == "app_uninstalled").unwrap();
        office.slack.again(old).await;
        let asked = eventually(async || (office.slack.count("auth.test") >= 2).then_some(()));
        asked.await.expect("Slack is asked whether the token is dead");
        assert_eq!(workspaces(&office).await, ["T0ANNEX", "T0SHOP"]);
        office.slack.join(SALES, "U0SHOPBOT");
        let code = office.pay("6 EUR tea").await;
        office.says(&code, "Please pay").await;
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_by_one_before_it_ends() {
    let office = office(Way::Http, Added::OAuthForHours).await;
    added(&office, "T0SHOP", ANA).await;
    let first = office.slack.token("T0SHOP").unwrap();
    let exchanged = office.slack.count("oauth.v2.access");
    // Many calls at once find that it ends soon: one renews it, since a refresh token works once.
    office.ahead(Duration::from_secs(10 * 3600 + 60));
    let ask = async |n: u32| office.slack.command(ANA, SALES, "/pay", &format!("{n} EUR coffee {n}")).await;
    for answer in futures::future::join_all((1..=4).map(ask)).await {
        office.says(&code_in(answer.body["text"].as_str().unwrap()), "Please pay").await;
    }
    assert_eq!(office.slack.count("oauth.v2.access"), exchanged + 1);
    let second = office.slack.token("T0SHOP").unwrap();
    assert_ne!(first, second);
    // Slack is down for OAuth alone: the token is used as long as it lives.
    office.ahead(Duration::from_secs(11 * 3600));
    office.slack.fail_next_n("oauth.v2.access", 50, Fault::Status(503));
    let code = office.pay("9 EUR coffee 9").await;
    office.says(&code, "Please pay").await;
    office.slack.well();
    // Nobody asked for anything for a week: the refresh token is still good, and however many wait for it, it is used once.
    office.ahead(Duration::from_secs(7 * 24 * 3600));
    office.slack.fail_next("oauth.v2.access", Fault::Slow(Duration::from_secs(1)));
    for answer in futures::future::join_all((10..=12).map(ask)).await {
        office.says(&code_in(answer.body["text"].as_str().unwrap()), "Please pay").await;
    }
    assert_eq!(office.slack.count("oauth.v2.access"), exchanged + 3);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_types_does_not_wait_for_a_renewal_and_is_never_told_that_it_is_over() {
    let office = office(Way::Http, Added::OAuthForHours).await;
    added(&office, "T0SHOP", ANA).await;
    // It lives for an hour and more, and Slack does not answer: it is used as it is.
    office.ahead(Duration::from_secs(10 * 3600 + 60));
    office.slack.fail_next("oauth.v2.access", Fault::HangBefore);
    let code = office.pay("1 EUR coffee 1").await;
    office.says(&code, "Please pay").await;
    // It has ended, and Slack has too much to do: what was asked waits, and is not lost.
    office.ahead(Duration::from_secs(13 * 3600));
    office.slack.fail_next("oauth.v2.access", Fault::RateLimit { retry_after_secs: 30 });
    let code = office.pay("2 EUR coffee 2").await;
    let tried = eventually(async || (office.slack.count("oauth.v2.access") >= 3).then_some(()));
    tried.await.expect("it is tried");
    let later = office.pay("3 EUR coffee 3").await;
    assert_eq!(office.cards(&code).len() + office.cards(&later).len(), 0);
    office.ahead(Duration::from_secs(65));
    for code in [code, later] {
        office.says(&code, "Please pay").await;
    }
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_slack_calls_expired_is_renewed_and_one_that_cannot_be_is_forgotten() {
    let office = office(Way::Http, Added::OAuthForHours).await;
    added(&office, "T0SHOP", ANA).await;
    let first = office.slack.token("T0SHOP").unwrap();
    // By our clock it lives; Slack knows better.
    office.slack.fail_next("chat.postMessage", Fault::Refused("token_expired".into()));
    let code = office.pay("1 EUR coffee 1").await;
    office.says(&code, "Please pay").await;
    assert_ne!(office.slack.token("T0SHOP").unwrap(), first);
    assert_eq!(office.cards(&code).len(), 1);
    // Ended, and its refresh token is used up: the row goes, and the host is told what to do.
    office.ahead(Duration::from_secs(13 * 3600));
    office.slack.fail_next("oauth.v2.access", Fault::Refused("invalid_refresh_token".into()));
    office.slack.open_home(ANA).await;
    let gone = eventually(async || workspaces(&office).await.is_empty().then_some(()));
    gone.await.expect("the row goes");
    added(&office, "T0SHOP", ANA).await;
    let code = office.pay("2 EUR coffee 2").await;
    office.says(&code, "Please pay").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_adds_till_for_all_its_workspaces() {
    for way in [Way::Http, Way::Socket] {
        let office = office(way, Added::OAuth).await;
        let page = add(&office, Consent::AllowOrg { enterprise: "E0CORP".into(), user: ANA.into() }).await;
        assert!(page.text().await.unwrap().contains("The till is in Corp"));
        on_the_list(&office, "slack:T0ANNEX/U0DEE").await;
        on_the_list(&office, "slack:T0SHOP/S0CASH").await;
        let code = office.pay("25 EUR coffee").await;
        let card = office.says(&code, "Please pay").await;
        office.click(BO, &card, "Details").await;
        let answer = office.slack.command(DEE, "C0ANNEX", "/pay", "5 EUR cake").await;
        let code = code_in(answer.body["text"].as_str().unwrap());
        let shown = eventually(async || {
            office.slack.messages("C0ANNEX").into_iter().find(|shown| shown.words().contains(&code))
        });
        shown.await.expect("both workspaces are served by one token");
        // What is not shown when the workspaces go will never be.
        office.books_agree().await;
        office.slack.uninstall("E0CORP").await;
        let gone = eventually(async || workspaces(&office).await.is_empty().then_some(()));
        gone.await.expect("the organization is forgotten");
        office.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_shared_channel_the_installation_that_posted_the_card_answers_for_it() {
    for way in [Way::Http, Way::Socket] {
        let office = office(way, Added::OAuth).await;
        added(&office, "T0ANNEX", DEE).await;
        added(&office, "T0SHOP", ANA).await;
        on_the_list(&office, "slack:T0ANNEX/U0DEE").await;
        let answer = office.slack.command(ANA, "C0PARTNERS", "/pay", "25 EUR fair").await;
        let code = code_in(answer.body["text"].as_str().unwrap());
        let of = |words: &'static str| {
            let (office, code) = (&office, &code);
            eventually(async move || {
                let all = office.slack.messages("C0PARTNERS").into_iter();
                all.filter(|shown| !shown.blocks.is_null())
                    .find(|it| it.words().contains(code) && it.words().contains(words))
            })
        };
        let card = of("Please pay").await.expect("a card");
        // Dee, of the other workspace, looks and cancels.
        let details = crate::support::slack::id_of(&card, "Details");
        assert!(office.slack.click(DEE, "C0PARTNERS", &card.ts, &details).await.is_ok());
        let told = eventually(async || {
            office.slack.whispers("C0PARTNERS", DEE).into_iter().find(|shown| shown.text.contains(&code))
        });
        told.await.expect("Dee is told in the shared channel");
        let cancel = crate::support::slack::id_of(&card, "Cancel");
        assert!(office.slack.click(DEE, "C0PARTNERS", &card.ts, &cancel).await.is_ok());
        of("Cancelled").await.expect("the card is cancelled");
        let edits =
            office.slack.calls().into_iter().filter(|call| call.method == "chat.update" && call.error.is_none());
        let by: Vec<String> = edits.map(|call| call.team).collect();
        assert!(!by.is_empty() && by.iter().all(|team| team == "T0SHOP"), "{by:?}");
        office.close().await;
    }
}

/// In a real browser, which keeps the policy, the cookie and the redirects as browsers do.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_adds_till_in_their_browser() {
    let test = "slack::installing::a_person_adds_till_in_their_browser";
    let Some(browser) = Browser::open(test).await else { return };
    let office = office(Way::Http, Added::OAuth).await;
    let link = link(&office).await;
    let pictures = async |name: &str| {
        for (size, of) in [((1000, 600), "slack"), (PHONE, "phone-slack")] {
            browser.size(size).await;
            browser.fits(name).await;
            browser.picture(&format!("{of}-{name}")).await;
        }
    };
    office.slack.consent(Consent::Deny);
    browser.driver.goto(&link).await.unwrap();
    pictures("8-add").await;
    browser.click("a.button", "Go on to Slack").await;
    browser.find_text("p", "nothing was added").await;
    pictures("9-declined").await;
    browser.click("a", "Try it again").await;
    browser.click("a.button", "Go on to Slack").await;
    browser.find_text("code", "till staff add slack:T0SHOP/U0ANA").await;
    pictures("10-added").await;
    assert_eq!(workspaces(&office).await, ["T0SHOP"]);
    browser.driver.goto(&link).await.unwrap();
    browser.find_text("p", "has been used").await;
    browser.close().await;
    office.close().await;
}
