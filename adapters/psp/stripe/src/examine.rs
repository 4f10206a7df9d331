//! Whether a Stripe account is set up: the key and what it may do, the account, the webhook. Nothing is changed.
//!
//! Permissions to write are tried with a call that says nothing: Stripe answers 403 before it looks at what is missing,
//! and 400 once it may look.

use crate::form::Form;
use crate::wire::{Endpoint, Event, List, OwnAccount};
use crate::{VERSION, call, webhook};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::collections::BTreeSet;
use till_core::port::http::Http;
use till_core::port::psp::{Access, Account, Fault, Finding, Hook};

/// What Till does with a permission, and what it is called in the dashboard.
const READS: [(&str, &str, &str); 5] = [
    ("/v1/checkout/sessions?limit=1", "read checkouts", "Checkout Sessions: Write"),
    ("/v1/payment_intents?limit=1", "read payments", "Payment Intents: Read"),
    ("/v1/refunds?limit=1", "read refunds", "Charges and Refunds: Write"),
    ("/v1/disputes?limit=1", "read disputes", "Disputes: Read"),
    ("/v1/events?limit=1", "read events", "Events: Read"),
];
const WRITES: [(&str, &str, &str); 2] = [
    ("/v1/checkout/sessions", "make checkouts", "Checkout Sessions: Write"),
    ("/v1/refunds", "make refunds", "Charges and Refunds: Write"),
];

pub(crate) async fn examine(http: &dyn Http, at: &Account, hook: Hook<'_>) -> Vec<Finding> {
    let mut found = vec![key(at)];
    match account(http, at).await {
        Ok(of_account) => found.extend(of_account),
        // Nothing else can be found out.
        Err(wrong) => {
            found.push(wrong);
            return found;
        }
    }
    found.push(permissions(http, at).await);
    if at.webhook_secrets.is_empty() && matches!(hook, Hook::Public(_)) {
        let mend = format!("`till stripe webhook {}` makes the endpoint and keeps its secret", at.id);
        found.push(Finding::wrong("no webhook secret is configured, so no webhook is believed", mend));
    }
    match hook {
        Hook::Public(url) => found.extend(webhooks(http, at, url).await),
        Hook::Local(url) => found.push(Finding::note(
            "this till has no public address, so Stripe cannot reach it: payments are found by asking, every minute",
            format!(
                "to see webhooks here, run `stripe listen --forward-to {url}`, and give `till account secrets {} \
                 --webhook-secret` the secret that it prints",
                at.id
            ),
        )),
    }
    found
}

/// Whether the key is of the kind that the account says, and what it is.
fn key(at: &Account) -> Finding {
    let restricted = at.secret.expose_secret().starts_with("rk_");
    match (suits(&at.secret, at.livemode), at.livemode, restricted) {
        (Err(why), _, _) => Finding::wrong(
            format!("the key {why}"),
            format!("`till account key {} PLACE` names another; for the other mode add an account of its own", at.id),
        ),
        (Ok(()), true, true) => Finding::good("a live key, restricted: real money moves"),
        (Ok(()), false, true) => Finding::good("a test key, restricted: no real money moves"),
        (Ok(()), true, false) => Finding::note(
            "a live key that may do everything: real money moves",
            "make a restricted key in the dashboard: it does less harm when it gets lost",
        ),
        (Ok(()), false, false) => Finding::good("a test key, unrestricted: no real money moves"),
    }
}

/// Whether a key has the form of Stripe's secret keys of this mode.
pub(crate) fn suits(key: &SecretString, livemode: bool) -> Result<(), &'static str> {
    let key = key.expose_secret();
    let begins = |prefixes: [&str; 2]| prefixes.iter().any(|prefix| key.starts_with(prefix));
    let (live, test) = (begins(["sk_live_", "rk_live_"]), begins(["sk_test_", "rk_test_"]));
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match (live, test, livemode) {
        _ if key.starts_with("pk_") => Err("is a publishable key: Till needs a secret or restricted one, sk_ or rk_"),
        (false, false, _) => Err("does not begin with sk_ or rk_ (does the file hold more than the key?)"),
        _ if !plain => Err("has something in it that Stripe's keys do not have, such as a space or a quote"),
        (true, _, false) => Err("is a live key, and the account is set up for tests: real money needs --live"),
        (_, true, true) => Err("is a test key, and the account is set up for real money with --live"),
        (true, _, true) | (_, true, false) => Ok(()),
    }
}

/// Whether the key opens the account that it should.
async fn account(http: &dyn Http, at: &Account) -> Result<Vec<Finding>, Finding> {
    match call::get::<OwnAccount>(http, at, "/v1/account").await {
        Ok(told) => {
            let (is, wanted) = (&told.object.id, &at.provider_account);
            if !wanted.is_empty() && wanted != is {
                let mend = "give the account the key of the right Stripe account, or its real id";
                return Ok(vec![Finding::wrong(format!("the key belongs to {is}, not to {wanted}"), mend)]);
            }
            let mut found = vec![Finding::good(format!("the key opens account {is}"))];
            if !told.object.charges_enabled {
                let mend = "finish its activation in the dashboard: Settings, Business";
                found.push(Finding::wrong(format!("account {is} cannot take payments yet"), mend));
            }
            Ok(found)
        }
        Err(Fault::Credentials(why)) if why.to_ascii_lowercase().contains("permission") => Ok(vec![Finding::note(
            "the key may not read its own account, so its id was not compared",
            "that is fine; or let it read the account in the dashboard",
        )]),
        Err(Fault::Credentials(why)) => Err(Finding::wrong(
            format!("Stripe does not accept the key: {why}"),
            match at.access {
                Access::Own => "copy the key again from the dashboard: Developers, API keys",
                Access::Connected => "copy the platform's key again, or let the merchant connect the account again",
            },
        )),
        Err(fault) => Err(Finding::wrong(
            format!("Stripe cannot be asked at {}: {fault}", at.base_url),
            "look at this computer's network, then at Stripe's status page",
        )),
    }
}

async fn permissions(http: &dyn Http, at: &Account) -> Finding {
    let mut missing: Vec<(&str, &str)> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    for (path, what, permission) in READS {
        match call::get::<Value>(http, at, path).await {
            Ok(_) => {}
            Err(Fault::Credentials(_)) => missing.push((what, permission)),
            Err(fault) => unknown.push(format!("{what}: {fault}")),
        }
    }
    for (path, what, permission) in WRITES {
        match call::post::<Value>(http, at, path, None, Form::new()).await {
            Ok(_) | Err(Fault::Refused(_)) => {}
            Err(Fault::Credentials(_)) => missing.push((what, permission)),
            Err(fault) => unknown.push(format!("{what}: {fault}")),
        }
    }
    may(&missing, &unknown)
}

fn may(missing: &[(&str, &str)], unknown: &[String]) -> Finding {
    if !missing.is_empty() {
        let what: Vec<&str> = missing.iter().map(|(what, _)| *what).collect();
        let names: BTreeSet<&str> = missing.iter().map(|(_, permission)| *permission).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mend = format!("in the dashboard, edit the key and set {}", names.join(", "));
        return Finding::wrong(format!("the key may not {}", what.join(", ")), mend);
    }
    match unknown.is_empty() {
        true => Finding::good("the key may do all that Till needs"),
        false => Finding::note(
            format!("not every permission could be tried: {}", unknown.join("; ")),
            "ask again in a moment",
        ),
    }
}

async fn webhooks(http: &dyn Http, at: &Account, url: &str) -> Vec<Finding> {
    let all = match webhook::endpoints(http, at).await {
        Ok(all) => all,
        Err(Fault::Credentials(_)) => {
            let mend = format!("compare it by hand in the dashboard, Developers, Webhooks: {url}");
            return vec![Finding::note("the key may not read webhook endpoints, so they were not compared", mend)];
        }
        Err(fault) => return vec![Finding::note(format!("webhook endpoints could not be read: {fault}"), "ask again")],
    };
    let (of_url, enabled) = (|it: &&Endpoint| it.url == url, |it: &&Endpoint| it.status == "enabled");
    let known = all.iter().filter(of_url).find(enabled).or_else(|| all.iter().find(of_url));
    let Some(known) = known else {
        let mend = format!(
            "`till stripe webhook {}`, or in the dashboard, Developers, Webhooks: add {url} with these events: {}",
            at.id,
            webhook::kinds(at).collect::<Vec<_>>().join(", ")
        );
        return vec![Finding::wrong(format!("no webhook endpoint at Stripe points to {url}"), mend)];
    };
    let mut found = vec![endpoint(at, known)];
    if let Ok(told) = call::get::<List<Event>>(http, at, "/v1/events?limit=20").await {
        let waiting = told.object.data.iter().filter(|event| event.pending_webhooks > 0).count();
        if waiting > 0 {
            let of = told.object.data.len();
            found.push(Finding::note(
                format!("{waiting} of the last {of} events are not delivered yet"),
                format!("in the dashboard, look at the deliveries of {}", known.id),
            ));
        }
    }
    found
}

fn endpoint(at: &Account, it: &Endpoint) -> Finding {
    let all = it.enabled_events.iter().any(|kind| kind == "*");
    let lacks: Vec<&str> =
        webhook::kinds(at).filter(|kind| !all && !it.enabled_events.iter().any(|it| it == kind)).collect();
    if it.status != "enabled" {
        return Finding::wrong(
            format!("the webhook endpoint {} is {}", it.id, it.status),
            "enable it in the dashboard: Developers, Webhooks",
        );
    }
    if !lacks.is_empty() {
        let mend = format!("in the dashboard, add them to {}", it.id);
        return Finding::wrong(format!("the webhook endpoint does not listen to {}", lacks.join(", ")), mend);
    }
    match it.api_version.as_deref() {
        Some(VERSION) => Finding::good(format!("the webhook endpoint {} is enabled and complete", it.id)),
        version => Finding::note(
            format!("the webhook endpoint has API version {}, Till reads {VERSION}", version.unwrap_or("default")),
            format!(
                "it works as far as the two agree; for one of the right version, delete {} in the dashboard and run \
                 `till stripe webhook {}`",
                it.id, at.id
            ),
        ),
    }
}
