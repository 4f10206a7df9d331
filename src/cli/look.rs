//! `till doctor`, `till reconcile` and `till stripe …`: looking at the providers, and setting them up.

use crate::assemble::{self, Front, StartError};
use crate::client::Client;
use crate::config::Config;
use crate::drift::{self, Compared, Looked, Mend};
use crate::world::At;
use crate::{clock, doctor, keyring};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use till_core::port::store::AccountRow;

/// How often a long look says how far it is.
const SAY_EVERY: usize = 100;

#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// Only show what differs
    #[arg(long)]
    dry_run: bool,
    /// Look at payments of this many days, and at older ones that are not settled
    #[arg(long, default_value_t = 30)]
    days: u64,
}

#[derive(Debug, Subcommand)]
pub(super) enum StripeCommand {
    /// Make the webhook endpoint at Stripe with the right events, and keep its secret: till stripe webhook main
    Webhook {
        /// The account's short id
        id: String,
        /// Where the signing secret is kept; a new file, readable by its owner alone
        /// [default: till-data/stripe-ID-webhook-secret]
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// Where Stripe sends webhooks [default: http.public_url and /hooks/stripe/ID]
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
}

pub(super) async fn doctor(config: &Config) -> Result<(), StartError> {
    let Some(rows) = assemble::rows_if_there(config).await? else {
        let why = "there is no database yet, so nothing has run here: begin with `till account add` or `till serve`";
        return Err(StartError::Typed(why.into()));
    };
    let found = doctor::examine(config, &rows, &clock::system()).await;
    rows.close().await;
    let (text, wrong) = doctor::report(&found?);
    print!("{text}");
    if wrong { Err(StartError::Typed("something is wrong; see above".into())) } else { Ok(()) }
}

pub(super) async fn reconcile(config: &Config, args: &ReconcileArgs) -> Result<(), StartError> {
    let till = assemble::till(config, &Front::Public, clock::system()).await?;
    let (world, mend) = (till.world.clone(), if args.dry_run { Mend::No } else { Mend::Yes });
    let age = Duration::from_secs(args.days.saturating_mul(24 * 3600));
    let all = drift::payments(&world, age, (world.clock)()).await?;
    let mut compared = Compared::default();
    for (at, id) in all.iter().enumerate() {
        if at > 0 && at.is_multiple_of(SAY_EVERY) {
            eprintln!("{at} of {} payments", all.len());
        }
        let looked = drift::look(&world, *id, mend).await?;
        compared.count(&looked, mend);
        if let Some(said) = said(&looked) {
            println!("{said}");
        }
    }
    compared.at = (world.clock)();
    compared.keep(&world).await?;
    let dead = world.store.waiting(&world.merchant.id).await?.iter().map(|it| it.dead).sum::<u64>();
    till.close().await;
    println!("{}", summary(&compared, mend));
    if dead > 0 {
        println!("Till has given up {dead} things, which comparing does not bring back: till dead list");
    }
    match remains(&compared, mend) {
        None => Ok(()),
        Some(remains) => Err(StartError::Typed(remains)),
    }
}

/// What there is to say about one payment.
fn said(looked: &Looked) -> Option<String> {
    match looked {
        Looked::Same => None,
        Looked::Differs(drift) => Some(drift.line()),
        Looked::Stays(drift, why) => Some(format!("{}\n        not mended: {why}", drift.line())),
        Looked::Unknown(code, why) => Some(format!("{code}  could not be asked about: {why}")),
    }
}

fn summary(compared: &Compared, mend: Mend) -> String {
    let Compared { looked, mended, differ, unknown, .. } = *compared;
    if looked == 0 {
        return "No payments yet, so nothing was compared.".to_owned();
    }
    let some = |count: u64, text: String| if count == 0 { String::new() } else { text };
    let mended = some(mended, format!(", {mended} differed and were mended"));
    let differing = match mend {
        Mend::Yes => some(differ, format!(", {differ} differ and were not mended")),
        Mend::No => some(differ, format!(", {differ} differ (without --dry-run they are mended)")),
    };
    let asked = some(unknown, format!(", {unknown} could not be asked about"));
    let agree = compared.same();
    format!("Of {looked} payments {agree} agree with the provider{mended}{differing}{asked}.")
}

/// What is still open afterwards: then the command fails, so that whatever runs it by the clock notices.
fn remains(compared: &Compared, mend: Mend) -> Option<String> {
    match (compared.differ, compared.unknown) {
        (0, 0) => None,
        (0, unknown) => {
            Some(format!("{unknown} payments could not be asked about: mend what is said above, and compare again"))
        }
        (differ, _) if mend == Mend::No => Some(format!("{differ} payments differ: without --dry-run they are mended")),
        (differ, _) => Some(format!("{differ} payments differ still: the reasons stand above")),
    }
}

pub(super) async fn stripe(config: &Config, command: StripeCommand) -> Result<(), StartError> {
    let StripeCommand::Webhook { id, secret_file, url } = command;
    let rows = assemble::rows(config).await?;
    let merchant = assemble::merchant_id();
    let all = rows.store.accounts(&merchant).await?;
    let typed = |text: String| StartError::Typed(text);
    let Some(row) = all.into_iter().find(|row| row.id.as_str() == id && row.psp == "stripe") else {
        return Err(typed(format!("`{id}` is no Stripe account here: `till account add stripe {id} --key env:NAME`")));
    };
    let at = assemble::source(config)?.open(&row)?;
    let url = match url {
        Some(url) => checked_url(url, &at)?,
        None => hook_url(config, &at)?,
    };
    let file = secret_file.unwrap_or_else(|| PathBuf::from(format!("till-data/stripe-{id}-webhook-secret")));
    // The secret is shown once: what must hold it is made before it exists.
    let unwritten = |source| StartError::System { what: format!("file `{}`", file.display()), source };
    let mut kept = keyring::create_private(&file).map_err(unwritten)?;
    let made = assemble::stripe_webhook(&Client::new()?, &at, &url).await;
    let (endpoint, secret) = match made {
        Ok(made) => made,
        Err(error) => {
            let _ = std::fs::remove_file(&file);
            return Err(error);
        }
    };
    kept.write_all(secret.expose_secret().as_bytes()).and_then(|()| kept.sync_all()).map_err(unwritten)?;
    let whole = std::path::absolute(&file).map_err(unwritten)?;
    let place = format!("file:{}", whole.display());
    // The row as it is now: it may have been closed in the meantime.
    let now = rows.store.accounts(&merchant).await?.into_iter().find(|now| now.id == row.id).unwrap_or(row);
    let webhook_secrets = std::iter::once(place.clone()).chain(now.webhook_secrets.clone()).collect();
    rows.store.put_account(&merchant, &AccountRow { webhook_secrets, ..now }).await?;
    rows.close().await;
    println!("{endpoint} sends webhooks to {url}.");
    println!("Its secret is kept in {place}, and {id} believes it from now on.");
    println!("Try it: make a payment, then `till doctor`.");
    Ok(())
}

/// Stripe reaches https alone, and Till answers there at one path.
fn checked_url(url: String, at: &At) -> Result<String, StartError> {
    let path = doctor::path(at);
    if url.starts_with("https://") && url.ends_with(&path) {
        return Ok(url);
    }
    Err(StartError::Typed(format!(
        "--url must begin with https:// and end with {path}: Stripe sends webhooks there. On one's own computer, \
         `stripe listen` takes its place; the README says how"
    )))
}

fn hook_url(config: &Config, at: &At) -> Result<String, StartError> {
    let links = assemble::links(config)?;
    let why = "Stripe must reach this till: set http.public_url to its https address, or name one with --url";
    doctor::hook(&links, at).ok_or_else(|| StartError::Typed(why.into()))
}
