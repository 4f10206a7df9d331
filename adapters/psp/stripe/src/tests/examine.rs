//! How an account is set up, as the host is told, and the endpoint that is made for it.

use super::*;
use fake_stripe::{Endpoint, Grants, Key};
use secrecy::ExposeSecret as _;

/// All permissions that Till can use, as the fake names them.
const GRANTS: [&str; 7] = [
    "rak_checkout_session_write",
    "rak_payment_intent_read",
    "rak_charge_write",
    "rak_dispute_read",
    "rak_event_read",
    "rak_webhook_write",
    "rak_accounts_kyc_basic_read",
];
const RESTRICTED: &str = "rk_test_51TillShopRestricted";

fn examined(bench: &Bench, hook: Option<&str>) -> Vec<String> {
    let hook = hook.map_or(Hook::Local("http://127.0.0.1:8080/hooks/stripe/main"), Hook::Public);
    let found = done(Stripe.examine(&bench.fake, &bench.at, hook, NOW));
    for finding in &found {
        let text = format!("{} {}", finding.text, finding.mend);
        assert_eq!(finding.mend.is_empty(), finding.verdict == Verdict::Good, "what is bad can be mended: {text}");
        assert!(!["SECRET", "51TillShop", "whsec_"].iter().any(|secret| text.contains(secret)), "{text}");
    }
    let mend =
        |finding: &Finding| if finding.mend.is_empty() { String::new() } else { format!(" -> {}", finding.mend) };
    found.iter().map(|finding| format!("{:?}: {}{}", finding.verdict, finding.text, mend(finding))).collect()
}

/// A till whose endpoint was made by itself.
fn set_up() -> Bench {
    let mut bench = Bench::with(Settings::test().restricted(RESTRICTED, &GRANTS), account());
    bench.at.secret = RESTRICTED.to_owned().into();
    let made = done(make_webhook(&bench.fake, &bench.at, HOOK)).unwrap();
    bench.at.webhook_secrets = vec![made.secret];
    bench
}

fn lines(found: &[String]) -> Vec<&str> {
    found.iter().map(String::as_str).collect()
}

#[test]
fn an_account_that_is_set_up_is_good_in_every_point() {
    let bench = set_up();
    let asked = bench.fake.recorded().len();
    assert_eq!(
        lines(&examined(&bench, Some(HOOK))),
        [
            "Good: a test key, restricted: no real money moves",
            "Good: the key opens account acct_1TillShopAAAAAAA",
            "Good: the key may do all that Till needs",
            "Good: the webhook endpoint we_1Z1gGI0JZGxt7b36mIKBUAEI is enabled and complete",
        ]
    );
    let asked = bench.fake.recorded().split_off(asked);
    assert!(asked.iter().all(|call| call.method == "GET" || call.status == 400), "nothing is changed");
    assert_eq!((bench.fake.sessions().len(), bench.fake.all("refund").len()), (0, 0));
}

#[test]
fn a_till_without_an_address_is_told_how_to_see_webhooks() {
    let found = examined(&set_up(), None);
    assert_eq!(
        lines(&found[3..]),
        [
            "Note: this till has no public address, so Stripe cannot reach it: payments are found by asking, every minute -> to see webhooks here, run `stripe listen --forward-to http://127.0.0.1:8080/hooks/stripe/main`, and give `till account secrets main --webhook-secret` the secret that it prints",
        ]
    );
}

#[test]
fn a_key_that_opens_nothing_ends_the_examination() {
    let mut bench = set_up();
    bench.at.secret = "sk_test_51TillShopOther".to_owned().into();
    assert_eq!(
        lines(&examined(&bench, Some(HOOK))),
        [
            "Good: a test key, unrestricted: no real money moves",
            "Wrong: Stripe does not accept the key: Invalid API Key provided: … -> copy the key again from the dashboard: Developers, API keys",
        ]
    );
    bench.at.secret = "pk_test_51TillShopOther".to_owned().into();
    assert_eq!(
        lines(&examined(&bench, Some(HOOK))[..1]),
        [
            "Wrong: the key is a publishable key: Till needs a secret or restricted one, sk_ or rk_ -> `till account key main PLACE` names another; for the other mode add an account of its own",
        ]
    );
    bench.fake.down_until(NOW.after(Duration::from_secs(60)));
    assert_eq!(
        lines(&examined(&bench, Some(HOOK))[1..]),
        [
            "Wrong: Stripe cannot be asked at https://stripe.test: not now: no connection: the fake is down -> look at this computer's network, then at Stripe's status page",
        ]
    );
}

#[test]
fn a_key_of_the_other_mode_is_wrong() {
    let said = |secret: &str, livemode| {
        let mut bench = set_up();
        bench.at = Account { secret: secret.to_owned().into(), livemode, ..bench.at };
        examined(&bench, Some(HOOK)).remove(0)
    };
    assert_eq!(said("sk_test_51TillShopSecret", false), "Good: a test key, unrestricted: no real money moves");
    assert_eq!(said("rk_live_51TillShop", true), "Good: a live key, restricted: real money moves");
    assert!(
        said("sk_live_51TillShop", false).starts_with("Wrong: the key is a live key, and the account is set up for")
    );
    assert!(
        said("rk_test_51TillShop", true).starts_with("Wrong: the key is a test key, and the account is set up for")
    );
}

#[test]
fn each_permission_that_lacks_is_named_with_how_to_mend_it() {
    let lacking = |lacks: &[&str]| {
        let grants: Vec<&str> = GRANTS.into_iter().filter(|grant| !lacks.contains(grant)).collect();
        let mut bench = Bench::with(Settings::test().restricted(RESTRICTED, &grants), account());
        bench.at.secret = RESTRICTED.to_owned().into();
        let found = examined(&bench, Some(HOOK));
        found.into_iter().filter(|line| line.contains("may not")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(lacking(&[]), "");
    for (lack, said) in [
        (
            "rak_checkout_session_write",
            "Wrong: the key may not read checkouts, make checkouts -> in the dashboard, edit the key and set Checkout Sessions: Write",
        ),
        (
            "rak_payment_intent_read",
            "Wrong: the key may not read payments -> in the dashboard, edit the key and set Payment Intents: Read",
        ),
        (
            "rak_charge_write",
            "Wrong: the key may not read refunds, make refunds -> in the dashboard, edit the key and set Charges and Refunds: Write",
        ),
        (
            "rak_dispute_read",
            "Wrong: the key may not read disputes -> in the dashboard, edit the key and set Disputes: Read",
        ),
        ("rak_event_read", "Wrong: the key may not read events -> in the dashboard, edit the key and set Events: Read"),
        (
            "rak_webhook_write",
            "Note: the key may not read webhook endpoints, so they were not compared -> compare it by hand in the \
             dashboard, Developers, Webhooks: https://till.example/hooks/stripe/main",
        ),
        (
            "rak_accounts_kyc_basic_read",
            "Note: the key may not read its own account, so its id was not compared -> that is fine; or let it read \
             the account in the dashboard",
        ),
    ] {
        assert_eq!(lacking(&[lack]), said, "{lack}");
    }
    let all = lacking(&GRANTS[..5]);
    let mend = "in the dashboard, edit the key and set Charges and Refunds: Write, Checkout Sessions: Write, Disputes: \
                Read, Events: Read, Payment Intents: Read";
    assert!(all.ends_with(mend), "each once: {all}");
}

#[test]
fn reading_is_not_writing() {
    let grants = [
        "rak_checkout_session_read",
        "rak_payment_intent_read",
        "rak_charge_read",
        "rak_dispute_read",
        "rak_event_read",
    ];
    let mut bench = Bench::with(Settings::test().restricted(RESTRICTED, &grants), account());
    bench.at.secret = RESTRICTED.to_owned().into();
    let found = examined(&bench, Some(HOOK));
    let wrong = "Wrong: the key may not make checkouts, make refunds -> in the dashboard, edit the key and set Charges \
                 and Refunds: Write, Checkout Sessions: Write";
    assert!(found.iter().any(|line| line == wrong), "{found:#?}");
}

#[test]
fn trouble_while_permissions_are_tried_is_not_a_missing_permission() {
    use fake_stripe::Fault as Trouble;
    let bench = set_up();
    bench.fake.fail_next("GET /v1/disputes", Trouble::RateLimit { retry_after_secs: None });
    bench.fake.fail_next("POST /v1/refunds", Trouble::LostAfter);
    let found = examined(&bench, Some(HOOK));
    assert_eq!(
        lines(&found[2..3]),
        [
            "Note: not every permission could be tried: read disputes: not now: status 429 `rate_limit`; make refunds: no clear answer: no answer: the connection broke -> ask again in a moment",
        ]
    );
}

#[test]
fn the_account_must_be_the_right_one_and_able_to_charge() {
    let mut bench = set_up();
    bench.fake.account_becomes(ACCOUNT, "charges_enabled", json!(false));
    assert_eq!(
        lines(&examined(&bench, Some(HOOK))[1..3]),
        [
            "Good: the key opens account acct_1TillShopAAAAAAA",
            "Wrong: account acct_1TillShopAAAAAAA cannot take payments yet -> finish its activation in the dashboard: Settings, Business",
        ]
    );
    bench.at.provider_account = "acct_1AnotherShop".into();
    assert_eq!(
        lines(&examined(&bench, Some(HOOK))[1..2]),
        [
            "Wrong: the key belongs to acct_1TillShopAAAAAAA, not to acct_1AnotherShop -> give the account the key of the right Stripe account, or its real id",
        ]
    );
    bench.at.provider_account = String::new();
    assert_eq!(examined(&bench, Some(HOOK))[1], format!("Good: the key opens account {ACCOUNT}"));
}

#[test]
fn a_platform_is_examined_for_the_account_that_it_acts_for() {
    let mut bench = Bench::with(Settings::test().connected(CONNECTED, "FR", "eur"), connected());
    let made = done(make_webhook(&bench.fake, &bench.at, HOOK)).unwrap();
    bench.at.webhook_secrets = vec![made.secret];
    let found = examined(&bench, Some(HOOK));
    assert_eq!(
        lines(&found),
        [
            "Good: a test key, unrestricted: no real money moves",
            "Good: the key opens account acct_1ConnectedAAAAAA",
            "Good: the key may do all that Till needs",
            "Good: the webhook endpoint we_1Z1gGI0JZGxt7b36mIKBUAEI is enabled and complete",
        ]
    );
    bench.fake.deauthorize(CONNECTED);
    assert_eq!(
        lines(&examined(&bench, Some(HOOK))[1..]),
        [
            "Wrong: Stripe does not accept the key: The provided key … does not have access to account 'acct_1ConnectedAAAAAA' (or that account does not exist). Application access may have been revoked. -> copy the platform's key again, or let the merchant connect the account again",
        ]
    );
}

/// What is found about an endpoint that somebody made by hand.
fn endpoint(change: impl FnOnce(&mut Endpoint), status: &str) -> String {
    let events = webhook::kinds(&account()).map(str::to_owned).collect();
    let (url, secrets) = (HOOK.to_owned(), vec![SECRET.to_owned()]);
    let mut by_hand = Endpoint { url, secrets, api_version: Some(VERSION.into()), events, connect: false };
    change(&mut by_hand);
    let mut settings = Settings::test();
    settings.endpoints.push(by_hand);
    let bench = Bench::with(settings, account());
    let id = bench.fake.all("webhook_endpoint")[0]["id"].as_str().unwrap().to_owned();
    bench.fake.endpoint_becomes(&id, status);
    let found = examined(&bench, Some(HOOK));
    assert_eq!(found.len(), 4, "{found:#?}");
    found[3].replace(&id, "we_1")
}

#[test]
fn an_endpoint_is_compared_with_what_till_needs() {
    assert_eq!(endpoint(|_| {}, "enabled"), "Good: the webhook endpoint we_1 is enabled and complete");
    assert_eq!(endpoint(|it| it.events = vec!["*".into()], "enabled"), endpoint(|_| {}, "enabled"));
    let disabled = "Wrong: the webhook endpoint we_1 is disabled -> enable it in the dashboard: Developers, Webhooks";
    assert_eq!(endpoint(|_| {}, "disabled"), disabled);
    let lacks = "Wrong: the webhook endpoint does not listen to refund.failed, charge.dispute.closed -> in the \
                 dashboard, add them to we_1";
    let without =
        |it: &mut Endpoint| it.events.retain(|kind| !["refund.failed", "charge.dispute.closed"].contains(&&**kind));
    assert_eq!(endpoint(without, "enabled"), lacks);
    for (version, said) in [(Some("2024-06-20"), "2024-06-20"), (None, "default")] {
        let found = endpoint(|it| it.api_version = version.map(str::to_owned), "enabled");
        assert!(
            found.starts_with(&format!("Note: the webhook endpoint has API version {said}, Till reads")),
            "{found}"
        );
    }
    let elsewhere = endpoint(|it| it.url = "https://shop.example/hook".into(), "enabled");
    let start = format!("Wrong: no webhook endpoint at Stripe points to {HOOK} -> `till stripe webhook main`, or in");
    assert!(elsewhere.starts_with(&start), "{elsewhere}");
    assert!(webhook::kinds(&account()).all(|kind| elsewhere.contains(kind)), "{elsewhere}");
}

#[test]
fn one_good_endpoint_among_several_is_enough() {
    let bench = set_up();
    let form = [("url", HOOK), ("enabled_events[]", "*"), ("api_version", VERSION)];
    let made =
        bench.fake.answer(&fake_stripe::Call::new("POST", "/v1/webhook_endpoints").bearer(KEY).form(&form)).json();
    // The list begins with the newest, so either may stand first.
    let both = bench.fake.all("webhook_endpoint");
    for disabled in both.iter().map(|endpoint| endpoint["id"].as_str().unwrap()) {
        bench.fake.endpoint_becomes(disabled, "disabled");
        assert!(examined(&bench, Some(HOOK))[3].starts_with("Good: "), "{disabled} is not the only one");
        bench.fake.endpoint_becomes(disabled, "enabled");
    }
    assert_eq!((both.len(), &both[1]["id"]), (2, &made["id"]));
}

#[test]
fn a_till_without_a_secret_believes_nothing_and_says_so() {
    let mut bench = set_up();
    bench.at.webhook_secrets.clear();
    let found = examined(&bench, Some(HOOK));
    assert_eq!(
        lines(&found[3..4]),
        [
            "Wrong: no webhook secret is configured, so no webhook is believed -> `till stripe webhook main` makes the endpoint and keeps its secret",
        ]
    );
}

#[test]
fn events_that_wait_for_delivery_are_a_hint() {
    let mut bench = set_up();
    bench.paid(2500);
    let note = examined(&bench, Some(HOOK)).pop().unwrap();
    assert!(
        note.starts_with("Note: 1 of the last 4 events are not delivered yet -> in the dashboard, look at"),
        "{note}"
    );
    bench.told();
    assert!(examined(&bench, Some(HOOK)).iter().all(|line| line.starts_with("Good: ")));
}

#[test]
fn an_endpoint_that_is_made_delivers_what_its_secret_opens() {
    let mut bench = set_up();
    bench.paid(2500);
    assert_eq!(
        bench.told(),
        ["checkout.session.completed: payment +0: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR"]
    );
    let made = bench.fake.all("webhook_endpoint").pop().unwrap();
    assert_eq!((made["url"].as_str(), made["api_version"].as_str()), (Some(HOOK), Some(VERSION)));
    assert!(!made["enabled_events"].to_string().contains("deauthorized"), "{made}");
    let hidden = format!("{:?}", Webhook { id: "we_1".into(), secret: SECRET.to_owned().into() });
    assert!(!hidden.contains("whsec_"), "{hidden}");
}

#[test]
fn an_endpoint_that_is_there_is_not_made_again() {
    let bench = set_up();
    let known = bench.fake.all("webhook_endpoint")[0]["id"].as_str().unwrap().to_owned();
    let again = done(make_webhook(&bench.fake, &bench.at, HOOK)).unwrap_err();
    assert!(matches!(&again, Fault::Refused(why) if why.contains(HOOK) && why.contains(&known)), "{again:?}");
    assert_eq!(bench.fake.all("webhook_endpoint").len(), 1);
    assert!(done(make_webhook(&bench.fake, &bench.at, "https://till.example/hooks/stripe/other")).is_ok());
    let refused = done(make_webhook(&bench.fake, &bench.at, "till.example")).unwrap_err();
    assert!(matches!(&refused, Fault::Refused(why) if why.contains("Invalid URL")), "{refused:?}");
    let mut bench = Bench::with(Settings::test().restricted(RESTRICTED, &["rak_webhook_read"]), account());
    bench.at.secret = RESTRICTED.to_owned().into();
    let barred = done(make_webhook(&bench.fake, &bench.at, HOOK)).unwrap_err();
    assert!(matches!(&barred, Fault::Credentials(why) if why.contains("rak_webhook_write")), "{barred:?}");
}

#[test]
fn a_platforms_endpoint_hears_of_its_accounts() {
    let mut settings = Settings::test().connected(CONNECTED, "FR", "eur");
    settings.keys.push(Key {
        secret: "sk_test_51OfTheMerchant".into(),
        account: CONNECTED.into(),
        grants: Grants::All,
    });
    let mut bench = Bench::with(settings, connected());
    let made = done(make_webhook(&bench.fake, &bench.at, HOOK)).unwrap();
    let asked = bench.fake.recorded().pop().unwrap();
    assert_eq!((asked.path.as_str(), &asked.params["connect"]), ("/v1/webhook_endpoints", &json!("true")));
    assert!(!asked.headers.iter().any(|(name, _)| name == "stripe-account"), "endpoints are the platform's own");
    assert!(asked.params["enabled_events"].to_string().contains("account.application.deauthorized"));
    assert!(!made.secret.expose_secret().is_empty());
    bench.at.webhook_secrets = vec![made.secret];
    bench.paid(2500);
    bench.fake.deauthorize(CONNECTED);
    let told = bench.told();
    assert_eq!(
        lines(&told),
        [
            "checkout.session.completed: payment +0: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR",
            "account.application.deauthorized: access to acct_1ConnectedAAAAAA lost, false",
        ]
    );
}
