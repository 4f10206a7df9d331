//! `till account …`: where a merchant's money goes. Commands change rows; a running till reads them by itself.
//!
//! What is typed is checked here and then trusted. A secret that was typed by mistake is refused and never repeated.

use crate::accounts;
use crate::assemble::{self, StartError};
use crate::clock;
use crate::config::{Config, read_secret};
use crate::world::LinkMode;
use clap::{Args, Subcommand};
use till_core::id::{AccountId, MerchantId};
use till_core::money::{Money, Reading};
use till_core::port::psp::{Access, AccountSettings};
use till_core::port::store::{AccountRow, Store};

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Add an account; it takes new payments from then on: till account add stripe main --key env:STRIPE_KEY
    Add(AddArgs),
    /// List them, and where their secrets lie
    List,
    /// Let this one take new payments from now on
    Use {
        /// The account's short id
        id: String,
    },
    /// Replace the places of its webhook secrets, newest first; keep the old one listed until the provider has changed over
    Secrets {
        /// The account's short id
        id: String,
        /// Where a signing secret lies, as env:NAME or file:PATH
        #[arg(long = "webhook-secret", value_name = "PLACE", required = true, num_args = 1..)]
        webhook_secrets: Vec<String>,
    },
    /// Name another place of its API key, as after the key was rolled: till account key main file:/etc/till/stripe-key
    Key {
        /// The account's short id
        id: String,
        /// Where the key lies, as env:NAME or file:PATH
        place: String,
    },
    /// Take no new payments there; those that exist are followed all the same
    Close {
        /// The account's short id
        id: String,
        /// Why, for whoever looks later
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Let a closed one take payments again
    Reopen {
        /// The account's short id
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The provider: stripe, sandbox or sandbox-difficult
    psp: String,
    /// Short and unique: letters, digits, - and _
    id: String,
    /// Where its API key lies, as env:NAME or file:PATH
    #[arg(long, value_name = "PLACE")]
    key: String,
    /// Where a webhook signing secret lies, newest first
    #[arg(long = "webhook-secret", value_name = "PLACE")]
    webhook_secrets: Vec<String>,
    /// The provider's name for the account: acct_…
    #[arg(long, value_name = "NAME")]
    provider_account: Option<String>,
    /// The key is a platform's, and acts for the provider account
    #[arg(long)]
    connected: bool,
    /// Real money moves
    #[arg(long)]
    live: bool,
    /// Another address of the provider's API, such as a server that stands in for it
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// A payment method that is never offered, in the provider's words; may be repeated
    #[arg(long = "without-method", value_name = "NAME")]
    without_methods: Vec<String>,
    /// From this amount on the payer is always authenticated (3-D Secure): "100 EUR"; once per currency
    #[arg(long, value_name = "AMOUNT")]
    authenticate_from: Vec<String>,
    /// What stands on the payer's statement after the merchant's name
    #[arg(long, value_name = "TEXT")]
    descriptor_suffix: Option<String>,
}

/// Performs the command; gives what to print.
pub(super) async fn perform(config: &Config, command: AccountCommand) -> Result<String, StartError> {
    // What is typed wrong makes no database file.
    let command = Checked::of(config, command)?;
    let rows = assemble::rows(config).await?;
    let done = act(config, &*rows.store, &assemble::merchant_id(), command).await;
    rows.close().await;
    done
}

/// A command whose every word can be used.
enum Checked {
    Add(Box<AccountRow>),
    List,
    Use(String),
    Secrets(String, Vec<String>),
    Key(String, String),
    Close(String, String),
    Reopen(String),
}

impl Checked {
    fn of(config: &Config, command: AccountCommand) -> Result<Self, StartError> {
        Ok(match command {
            AccountCommand::Add(args) => Self::Add(Box::new(args.row(config)?)),
            AccountCommand::List => Self::List,
            AccountCommand::Use { id } => Self::Use(id),
            AccountCommand::Secrets { id, webhook_secrets } => {
                Self::Secrets(id, places("--webhook-secret", &webhook_secrets)?)
            }
            AccountCommand::Key { id, place } => Self::Key(id, self::place("the key", &place)?),
            AccountCommand::Close { id, why } => match why.trim() {
                "" => return Err(typed("write why, for whoever looks later: --why \"moved to another bank\"")),
                why => Self::Close(id, why.to_owned()),
            },
            AccountCommand::Reopen { id } => Self::Reopen(id),
        })
    }
}

fn typed(text: impl Into<String>) -> StartError {
    StartError::Typed(text.into())
}

impl AddArgs {
    fn row(self, config: &Config) -> Result<AccountRow, StartError> {
        if !super::is_short_id(&self.id) {
            let id = &self.id;
            return Err(typed(format!("`{id}` cannot be an account id: up to 40 letters, digits, - and _")));
        }
        assemble::adapter(&self.psp)?;
        let access = match (self.connected, &self.provider_account) {
            (true, None) => {
                return Err(typed("--connected needs the account that it acts for: --provider-account acct_…"));
            }
            (true, Some(_)) => Access::Connected,
            (false, _) => Access::Own,
        };
        let (now, usual) = ((clock::system())(), assemble::usual_provider_account(config, &self.psp));
        Ok(AccountRow {
            id: AccountId::new(self.id),
            base_url: self.base_url.as_deref().map(base_url).transpose()?.unwrap_or_default(),
            api_key: place("--key", &self.key)?,
            provider_account: self.provider_account.unwrap_or(usual),
            access,
            livemode: self.live,
            webhook_secrets: places("--webhook-secret", &self.webhook_secrets)?,
            settings: AccountSettings {
                without_methods: words("--without-method", self.without_methods)?,
                authenticate_from: amounts(config, &self.authenticate_from)?,
                descriptor_suffix: words("--descriptor-suffix", self.descriptor_suffix)?.pop(),
            },
            psp: self.psp,
            since: now,
            chosen_at: now,
            closed: None,
        })
    }
}

fn words(flag: &str, all: impl IntoIterator<Item = String>) -> Result<Vec<String>, StartError> {
    let trimmed = all.into_iter().map(|word| word.trim().to_owned());
    let filled =
        |word: String| if word.is_empty() { Err(typed(format!("{flag} has nothing after it"))) } else { Ok(word) };
    trimmed.map(filled).collect()
}

/// One amount per currency.
fn amounts(config: &Config, all: &[String]) -> Result<Vec<Money>, StartError> {
    let (own, locale) = (config.currency()?, config.locale()?);
    let reading = Reading { own, locale: &locale };
    let mut amounts: Vec<Money> = Vec::new();
    for text in all {
        let amount = Money::read(text, &reading).map_err(|bad| typed(format!("--authenticate-from: {bad}")))?;
        if amounts.iter().any(|known| known.currency() == amount.currency()) {
            return Err(typed(format!("--authenticate-from: `{}` stands there twice", amount.currency().code())));
        }
        amounts.push(amount);
    }
    Ok(amounts)
}

/// A place of a secret, a file by its whole path: the till may run in another folder. Never repeats what was typed:
/// it may be the secret.
fn place(flag: &str, text: &str) -> Result<String, StartError> {
    let refuse = |why: &str| typed(format!("{flag}: {why}"));
    let in_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if let Some(name) = text.strip_prefix("env:") {
        if name.is_empty() || !name.chars().all(in_name) {
            return Err(refuse(
                "name a variable of the environment in capitals, like `env:SHOP_KEY`; not the secret itself",
            ));
        }
        Ok(text.to_owned())
    } else if let Some(path) = text.strip_prefix("file:") {
        let whole = std::path::absolute(path).map_err(|_| refuse("name a file, like `file:/etc/till/key`"))?;
        let whole = whole.to_str().ok_or_else(|| refuse("the file's path must be readable text"))?;
        Ok(format!("file:{whole}"))
    } else {
        Err(refuse(
            "a secret is not typed here: put it into the environment or a file, and write `env:NAME` or `file:PATH`",
        ))
    }
}

fn places(flag: &str, all: &[String]) -> Result<Vec<String>, StartError> {
    all.iter().map(|text| place(flag, text)).collect()
}

/// An API's address: https, but for a server on this computer; without a trailing slash.
fn base_url(text: &str) -> Result<String, StartError> {
    let refuse =
        || typed("--base-url must begin with `https://`, like `https://api.example.com`: the key is sent there");
    let url = url::Url::parse(text).map_err(|_| refuse())?;
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(refuse()),
    };
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !plain || !(url.scheme() == "https" || url.scheme() == "http" && local) {
        return Err(refuse());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

async fn act(
    config: &Config,
    store: &dyn Store,
    merchant: &MerchantId,
    command: Checked,
) -> Result<String, StartError> {
    let rows = store.accounts(merchant).await?;
    let now = (clock::system())();
    let known = |id: &str| find(config, &rows, id);
    match command {
        Checked::Add(row) => {
            if let Some(known) = assemble::source(config)?.all(rows.clone()).iter().find(|known| known.id == row.id) {
                return Err(exists(&known.id));
            }
            let notes = notes(&row)?;
            let before = assemble::source(config)?.all(rows.clone()).into_iter().find(|known| known.closed.is_none());
            let row = AccountRow { chosen_at: accounts::chosen_now(&rows, now), ..*row };
            store.put_account(merchant, &row).await?;
            Ok(added(config, &row, before.as_ref()) + &notes)
        }
        Checked::List => Ok(accounts::list(&assemble::source(config)?.all(rows))),
        Checked::Use(id) => {
            let row = known(&id)?;
            if let Some(closing) = &row.closed {
                return Err(typed(format!(
                    "`{id}` is closed ({}): `till account reopen {id}` comes first",
                    closing.why
                )));
            }
            let row = AccountRow { chosen_at: accounts::chosen_now(&rows, now), ..row };
            store.put_account(merchant, &row).await?;
            Ok(format!("{id} takes new payments from now on ({}).\n", accounts::mode(&row)))
        }
        Checked::Secrets(id, webhook_secrets) => {
            let row = AccountRow { webhook_secrets, ..known(&id)? };
            let notes = notes(&row)?;
            store.put_account(merchant, &row).await?;
            let places = row.webhook_secrets.join(", ");
            Ok(format!("{id} believes webhooks signed with: {places}\n{}\n{notes}", reads(config)))
        }
        Checked::Key(id, api_key) => {
            let row = AccountRow { api_key, ..known(&id)? };
            let notes = notes(&row)?;
            store.put_account(merchant, &row).await?;
            Ok(format!("{id} uses the key in {}.\n{}\n{notes}", row.api_key, reads(config)))
        }
        Checked::Close(id, why) => {
            let row = known(&id)?;
            store.close_account(merchant, &row.id, &why, now).await?;
            let after = assemble::source(config)?.all(store.accounts(merchant).await?);
            let kept = row.closed.map_or(why, |closing| closing.why);
            Ok(format!("{id} is closed: {kept}. Payments that exist are followed all the same.\n{}\n", next(&after)))
        }
        Checked::Reopen(id) => {
            let row = AccountRow { closed: None, ..known(&id)? };
            store.put_account(merchant, &row).await?;
            let after = assemble::source(config)?.all(store.accounts(merchant).await?);
            Ok(format!("{id} is open again.\n{}\n", next(&after)))
        }
    }
}

/// What cannot be read yet, a line each: it may be put there later, or belong to the user that the till runs as.
///
/// # Errors
/// The key is there, and is not one of this provider's or of the other mode.
fn notes(row: &AccountRow) -> Result<String, StartError> {
    if let Ok(key) = read_secret(&row.api_key) {
        let suits = assemble::adapter(&row.psp)?.suits(&key, row.livemode);
        suits.map_err(|why| typed(format!("the key in {} {why}", row.api_key)))?;
    }
    let places = std::iter::once(&row.api_key).chain(&row.webhook_secrets);
    let unread = places.filter_map(|place| Some((place, read_secret(place).err()?)));
    Ok(unread.fold(String::new(), |text, (place, why)| {
        format!("{text}Note: {place} cannot be read from here: {why}. The till needs it.\n")
    }))
}

fn exists(id: &AccountId) -> StartError {
    typed(format!(
        "there is an account `{id}` already: choose another id, or see `till account list`. Its webhook secrets are \
         replaced by `till account secrets {id}`"
    ))
}

fn find(config: &Config, rows: &[AccountRow], id: &str) -> Result<AccountRow, StartError> {
    if let Some(row) = rows.iter().find(|row| row.id.as_str() == id) {
        return Ok(row.clone());
    }
    if assemble::source(config)?.configured.iter().any(|row| row.id.as_str() == id) {
        return Err(typed(format!("`{id}` stands in till.toml: change it there, under [sandbox]")));
    }
    Err(typed(format!("there is no account `{id}`: `till account list` shows those that are there")))
}

/// Who takes new payments, after a change.
fn next(rows: &[AccountRow]) -> String {
    match rows.iter().find(|row| row.closed.is_none()) {
        Some(row) => format!("New payments go to {} ({}).", row.id, accounts::mode(row)),
        None => "No account takes new payments now, and staff are told so: open one with `till account reopen ID`, or \
                 add one with `till account add`."
            .to_owned(),
    }
}

fn reads(config: &Config) -> String {
    let within = match config.accounts.reload_s.max(1) {
        1 => "a second".to_owned(),
        many => format!("{many} seconds"),
    };
    format!(
        "A running till reads this within {within}. Only a variable of the environment that it was not started with needs \
         a restart."
    )
}

/// What was added, and what to do next.
fn added(config: &Config, row: &AccountRow, before: Option<&AccountRow>) -> String {
    let (id, psp) = (&row.id, &row.psp);
    let money = if row.livemode { "live: real money moves" } else { "TEST: no real money moves" };
    let hook = format!("/hooks/{psp}/{id}");
    let public_url = match assemble::links(config) {
        Ok(LinkMode::Ours(public_url)) => Some(public_url),
        Ok(LinkMode::Direct { .. }) | Err(_) => None,
    };
    let mut steps = Vec::new();
    match (row.webhook_secrets.is_empty(), psp.as_str()) {
        (true, "stripe") if public_url.is_none() => steps.push(format!(
            "nothing more is needed: without http.public_url, till asks Stripe every minute. With it, webhooks are faster: \
             till stripe webhook {id}"
        )),
        (true, "stripe") => steps.push(format!("make the webhook at Stripe: till stripe webhook {id}")),
        (secrets_lack, _) => {
            let base = public_url.unwrap_or_else(|| format!("http://{}", config.http.listen));
            let address = base + &hook;
            steps.push(format!("register this webhook at the provider: {address}"));
            if secrets_lack && psp != "sandbox-difficult" {
                let place = "env:NAME";
                steps.push(format!(
                    "tell where its signing secret lies: till account secrets {id} --webhook-secret {place}"
                ));
            }
        }
    }
    steps.push("look whether all is well: till doctor".to_owned());
    let numbered =
        steps.iter().zip(1..).fold(String::new(), |text, (step, number)| format!("{text}  {number}. {step}\n"));
    let before = before.map_or_else(String::new, |before| {
        format!("{} takes none from now on; `till account use {}` goes back.\n", before.id, before.id)
    });
    format!(
        "{id} is added, and takes new payments from now on ({money}).\n{before}{}\nNext:\n{numbered}",
        reads(config)
    )
}
