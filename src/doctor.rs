//! The doctor: what is wrong with this till, one line each, and how to mend it. Changes nothing.
//!
//! ```text
//! links · till: does one run · clock · queues · dead letters · drift · Slack
//! for each account: key, permissions, webhook endpoint (asked of the provider), deliveries (noted here)
//! ```
//! Deliveries are noted by the running till: whether a webhook secret is the right one shows only in what comes.

mod clock;
mod rows;

use crate::accounts::BadAccount;
use crate::assemble::{self, Rows, StartError};
use crate::client::Client;
use crate::clock::Clock;
use crate::config::Config;
use crate::inbox::silence;
use crate::traffic::{Heard, Note};
use crate::world::{At, LinkMode};
use std::fmt::Write as _;
use std::sync::Arc;
use till_core::port::psp::{Finding, Hook, Verdict, Webhooks};
use till_core::port::store::{AccountRow, StoreError};
use till_core::time::Timestamp;

/// What was found, by what it is about.
pub type Findings = Vec<(String, Vec<Finding>)>;

/// Looks at everything.
///
/// # Errors
/// [`StartError`]: the configuration or the store cannot be read.
pub async fn examine(config: &Config, rows: &Rows, clock: &Clock) -> Result<Findings, StartError> {
    let links = assemble::links(config)?;
    let http = clock::Watched::new(Arc::new(Client::new()?), clock.clone());
    let accounts = of_accounts(config, rows, clock, &links, &http).await?;
    let mut all = vec![("links".to_owned(), vec![of_links(&links)])];
    all.extend(http.finding().map(|found| ("clock".to_owned(), vec![found])));
    let (store, merchant) = (&*rows.store, assemble::merchant_id());
    all.extend(rows::findings(store, &merchant, clock()).await?);
    all.extend(assemble::slack::findings(config, rows, clock).await?.map(|found| ("slack".to_owned(), found)));
    all.extend(accounts);
    Ok(all)
}

async fn of_accounts(
    config: &Config,
    rows: &Rows,
    clock: &Clock,
    links: &LinkMode,
    http: &clock::Watched,
) -> Result<Findings, StartError> {
    let (source, mut all) = (assemble::source(config)?, Findings::new());
    let kept = source.all(rows.store.accounts(&assemble::merchant_id()).await?);
    if kept.is_empty() {
        let mend = "`till account add stripe main --key env:STRIPE_KEY`, or set `enabled = true` under [sandbox]";
        all.push(("accounts".to_owned(), vec![Finding::wrong("there is no account at a provider", mend)]));
    }
    for row in kept {
        let about = format!("account {} ({})", row.id, row.psp);
        let found = match source.open(&row) {
            Err(bad) => vec![unopened(&row, &bad)],
            Ok(at) => {
                let (public, local) = (hook(links, &at), format!("http://{}{}", config.http.listen, path(&at)));
                let hook = public.as_deref().map_or(Hook::Local(&local), Hook::Public);
                let mut found = of_closing(&at);
                found.extend(at.psp.examine(http, &at.account, hook, clock()).await);
                found.extend(of_deliveries(rows, &at, links, clock()).await?);
                found
            }
        };
        all.push((about, found));
    }
    Ok(all)
}

/// Where an account's webhooks shall go; none where the world cannot reach us.
pub fn hook(links: &LinkMode, at: &At) -> Option<String> {
    match links {
        LinkMode::Ours(base) => Some(base.clone() + &path(at)),
        LinkMode::Direct { .. } => None,
    }
}

/// The path at which an account's webhooks are taken.
pub fn path(at: &At) -> String {
    format!("/hooks/{}/{}", at.psp.name(), at.account.id)
}

fn unopened(row: &AccountRow, bad: &BadAccount) -> Finding {
    if row.closed.is_some() {
        return Finding::note(
            format!("closed; {bad}"),
            "payments that were made there are not followed until it is mended",
        );
    }
    let id = &row.id;
    let mend = format!(
        "mend the file or variable, or name another with `till account key {id} PLACE`; or set the account aside with \
         `till account close {id} --why TEXT`"
    );
    Finding::wrong(bad.to_string(), mend)
}

fn of_links(links: &LinkMode) -> Finding {
    match links {
        LinkMode::Ours(base) => Finding::good(format!("cards lead to {base}/p/…, then to the provider")),
        LinkMode::Direct { .. } => Finding::note(
            "cards lead straight to the provider: no pay pages, no receipts, no counted openings",
            "set http.public_url once this till can be reached by https",
        ),
    }
}

fn of_closing(at: &At) -> Vec<Finding> {
    let note = |why: &String| {
        let mend = format!("`till account reopen {}` lets it take payments again", at.account.id);
        Finding::note(format!("it takes no new payments: {why}"), mend)
    };
    at.closed.iter().map(note).collect()
}

/// What the running till noted about deliveries.
async fn of_deliveries(rows: &Rows, at: &At, links: &LinkMode, now: Timestamp) -> Result<Option<Finding>, StoreError> {
    let [believed, refused] = Heard::noted(&*rows.store, &assemble::merchant_id(), &at.account.id, now).await?;
    const UNSIGNED: &str = "unsigned";
    // Where nothing is signed, there is no secret that could be wrong: what was refused was a stranger's.
    let refused = refused.filter(|_| match at.psp.caps().webhooks {
        Webhooks::Signed => true,
        Webhooks::Hints => false,
    });
    let silent = silence::since(&*rows.store, &assemble::merchant_id(), &at.account.id, now).await?;
    let said = |bad: &Note| format!("{} ({})", bad.why.as_deref().unwrap_or("not believed"), bad.at.text());
    if let Some(since) = silent.filter(|since| believed.as_ref().is_none_or(|good| good.at < *since)) {
        let mend = format!(
            "at the provider, look whether the endpoint for {} is enabled, what its last deliveries were answered with, \
             and whether this till can be reached from outside",
            path(at)
        );
        let text = format!("webhooks do not arrive: a payment was found by asking only ({})", since.text());
        return Ok(Some(Finding::wrong(text, mend)));
    }
    Ok(match (&believed, &refused, links) {
        // Anybody can send what is not signed, so it says nothing about the secret.
        (None, Some(bad), _) if bad.why.as_deref() != Some(UNSIGNED) => {
            let mend = format!(
                "the secret of `{}` is not the one of the endpoint that sends here: `till account secrets {} \
                 --webhook-secret …` with the right one",
                at.account.id, at.account.id
            );
            Some(Finding::wrong(format!("no webhook was ever believed; the last one was refused: {}", said(bad)), mend))
        }
        // Anybody can knock, so that a refusal alone proves nothing.
        (Some(good), Some(bad), _) if bad.at > good.at => Some(Finding::note(
            format!("the last webhook was believed ({}), and one was refused since: {}", good.at.text(), said(bad)),
            "if payments turn to Paid within seconds, a stranger knocked; else compare the secret with the endpoint's",
        )),
        (Some(good), _, _) => Some(Finding::good(format!("the last webhook was believed ({})", good.at.text()))),
        (None, _, LinkMode::Ours(_)) => {
            let mend = "make a test payment, and look again; a webhook comes within seconds of it";
            Some(Finding::note("no webhook has come yet", mend))
        }
        (None, _, LinkMode::Direct { .. }) => None,
    })
}

/// The findings as lines, and whether something is wrong.
pub fn report(all: &Findings) -> (String, bool) {
    let mut text = String::new();
    for (about, found) in all {
        let _ = writeln!(text, "{about}");
        for finding in found {
            let word = match finding.verdict {
                Verdict::Good => "ok   ",
                Verdict::Note => "note ",
                Verdict::Wrong => "WRONG",
            };
            let _ = writeln!(text, "  {word} {}", finding.text);
            if !finding.mend.is_empty() {
                let _ = writeln!(text, "        do: {}", finding.mend);
            }
        }
    }
    let wrong = all.iter().flat_map(|(_, found)| found).filter(|it| it.verdict == Verdict::Wrong).count();
    let _ = match wrong {
        0 => writeln!(text, "\nNothing is wrong."),
        1 => writeln!(text, "\n1 thing is wrong."),
        wrong => writeln!(text, "\n{wrong} things are wrong."),
    };
    (text, wrong > 0)
}
