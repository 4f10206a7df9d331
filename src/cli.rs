//! The command line: what the host of a till types.
//!
//! Everything that is about to run long says where it listens; everything that fails says what to change.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line: it prints for people")]

mod account;
mod dead;
mod look;
mod slack;
mod staff;

use crate::assemble::{self, Front, SandboxSettings, StartError};
use crate::config::{BadConfig, Config, LogFormat, secret};
use crate::http::{Door, admin_router};
use crate::world::{Accounts, LinkMode};
use crate::{clock, payments, run};
use axum::Router;
use clap::{Args, Parser, Subcommand};
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use till_core::payment::Status;
use till_core::port::store::ListFilter;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long an invitation is good.
const INVITATION: Duration = Duration::from_secs(15 * 60);

/// A till for your chat: /pay, a card, Paid.
///
/// Try it without any account:         till demo
/// Look at your configuration:         till check
/// Run it for your business:           till serve
/// Connect your provider:              till account add stripe main --key env:STRIPE_KEY
/// Find out what is wrong:             till doctor
/// Let a staff member in (web chat):   till staff add ana Ana && till staff invite ana
#[derive(Debug, Parser)]
#[command(name = "till", version, verbatim_doc_comment)]
struct Cli {
    /// The configuration file [default: till.toml in this folder, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the main job on this computer: a customer and a staff desk side by side, and a provider without money
    Demo(DemoArgs),
    /// Serve the chats, the pay pages and the webhooks, until Ctrl-C
    Serve,
    /// Read the configuration and say what would run; changes nothing
    Check,
    /// The people who may ask for money
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Where the money goes: accounts at payment providers
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Say what is wrong with this till, and how to mend it
    Doctor,
    /// Compare every payment with the provider, and mend what differs; moves no money. Fails while something differs
    Reconcile(look::ReconcileArgs),
    /// What Till has given up: a message, a card, a delivery; and one more try
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    /// What only Slack has
    #[command(subcommand)]
    Slack(slack::SlackCommand),
    /// What only Stripe has
    #[command(subcommand)]
    Stripe(look::StripeCommand),
    /// Look at payments
    #[command(subcommand)]
    Payments(PaymentsCommand),
    /// Run the sandbox provider alone: a real HTTP provider that moves no money
    Sandbox(SandboxArgs),
}

/// Where the demo listens and keeps its data.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The port on this computer; the provider takes the next one [default: 7700, or a free one]
    #[arg(long)]
    pub port: Option<u16>,
    /// Where the demo keeps its databases
    #[arg(long, value_name = "DIR", default_value = "till-data/demo")]
    pub data: PathBuf,
    /// Talk to the provider as a difficult one: payers choose what they pay, pages cannot be closed, webhooks are hints
    #[arg(long)]
    pub difficult: bool,
}

#[derive(Debug, Subcommand)]
enum PaymentsCommand {
    /// The newest payments
    List {
        /// Only those: open, paid, expired …
        #[arg(long, value_parser = status)]
        status: Option<Status>,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// One JSON object per line, for programs
        #[arg(long)]
        json: bool,
    },
    /// One payment with everything that happened to it
    Show {
        /// The code on its card: K7Q2F9
        code: String,
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct SandboxArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8790")]
    listen: SocketAddr,
    /// How payers reach its pages [default: http:// and the listen address]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Its own database
    #[arg(long, value_name = "FILE", default_value = "till-data/sandbox.db")]
    db: PathBuf,
    /// The API key it accepts, as env:NAME or file:PATH
    #[arg(long, default_value = "env:TILL_SANDBOX_KEY")]
    api_key: String,
    /// Where it sends webhooks: http://127.0.0.1:8080/hooks/sandbox/sandbox
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// What it signs them with, as env:NAME or file:PATH
    #[arg(long, default_value = "env:TILL_SANDBOX_WEBHOOK_SECRET")]
    webhook_secret: String,
    /// Where its difficult character sends hints: http://127.0.0.1:8080/hooks/sandbox-difficult/sandbox
    #[arg(long, value_name = "URL")]
    hints_url: Option<String>,
    /// Leave out the page that plays the bank; it opens on this computer alone, and a proxy here would open it to all
    #[arg(long)]
    no_control: bool,
}

fn status(name: &str) -> Result<Status, String> {
    let all = || Status::ALL.map(Status::name).join(", ");
    Status::named(name).ok_or_else(|| format!("one of: {}", all()))
}

/// Runs the command and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // matrix-sdk and others share one TLS library; whoever comes first decides, so it is decided here.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("till: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(perform(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("till: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(cli: Cli) -> Result<(), StartError> {
    if let Command::Demo(args) = &cli.command {
        log("warn", LogFormat::Text)?;
        return demo(args).await;
    }
    if let Command::Sandbox(args) = &cli.command {
        log("info", LogFormat::Text)?;
        return sandbox(args).await;
    }
    let config = Config::read(cli.config.as_deref())?;
    match cli.command {
        Command::Demo(_) | Command::Sandbox(_) => Ok(()),
        Command::Serve => {
            log(&config.log.level, config.log.format)?;
            serve(&config).await
        }
        Command::Check => check(&config).await,
        Command::Account(command) => {
            print!("{}", account::perform(&config, command).await?);
            Ok(())
        }
        Command::Staff(command) => staff::run(&config, command).await,
        Command::Dead(command) => dead::run(&config, command).await,
        Command::Doctor => look::doctor(&config).await,
        Command::Reconcile(args) => {
            log("error", LogFormat::Text)?;
            look::reconcile(&config, &args).await
        }
        Command::Slack(command) => slack::run(&config, command).await,
        Command::Stripe(command) => look::stripe(&config, command).await,
        Command::Payments(command) => {
            let rows = assemble::rows(&config).await?;
            let text = match command {
                PaymentsCommand::List { status, limit, json } => {
                    payments::list(&*rows.store, &ListFilter { status, limit }, json).await?
                }
                PaymentsCommand::Show { code, json } => {
                    payments::show(&*rows.store, &code, &config.locale()?, json).await?
                }
            };
            print!("{text}");
            rows.close().await;
            Ok(())
        }
    }
}

fn log(level: &str, format: LogFormat) -> Result<(), StartError> {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(level)
        .map_err(|error| StartError::Config(BadConfig::Value { key: "log.level", why: error.to_string() }))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let subscriber = subscriber.with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
    Ok(())
}

/// Opens a listening socket.
///
/// # Errors
/// [`StartError::System`] names the address.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let what = format!("cannot listen on {address}");
    TcpListener::bind(address).await.map_err(|source| StartError::System { what, source })
}

async fn demo(args: &DemoArgs) -> Result<(), StartError> {
    let stop = CancellationToken::new();
    run::stop_on_signals(&stop);
    let demo = crate::demo::prepare(args, clock::system(), &stop).await?;
    println!("Till is running on this computer, with a provider that moves no money. Open:\n");
    println!("    {}\n", demo.entrance);
    println!("You see a customer and a staff member side by side. As staff, type:\n");
    println!("    /pay 25 EUR coffee\n");
    println!("Refunds that take time, disputes and other bad days are yours to make: {}\n", demo.control);
    println!("The data lies in {}; delete that folder to begin anew. Ctrl-C ends the demo.", args.data.display());
    demo.serve(stop).await
}

async fn serve(config: &Config) -> Result<(), StartError> {
    let till = assemble::till(config, &Front::Public, clock::system()).await?;
    // Both sockets first: a port that is taken shall end this before anything runs.
    let listener = listen(config.http.listen).await?;
    let admin = match config.http.admin.as_str() {
        "" => None,
        address => Some(listen(admin_address(address)?).await?),
    };
    let stop = CancellationToken::new();
    run::stop_on_signals(&stop);
    let mut running = till.start(&stop);
    if let Some(admin) = admin {
        let (routes, stop) = (admin_router(till.world.clone()), stop.clone());
        running.spawn(async move {
            if let Err(error) = run::serve(admin, routes, stop).await {
                tracing::error!(%error, "the admin listener failed: {error}");
            }
        });
    }
    let door = Door { trusted_proxies: config.http.trusted_proxies.clone(), hosts: Vec::new() };
    tracing::info!("serving on http://{}", config.http.listen);
    let served = run::serve(listener, till.router(Router::new(), door), stop.clone()).await;
    stop.cancel();
    while running.join_next().await.is_some() {}
    till.close().await;
    tracing::info!("stopped");
    served.map_err(|source| StartError::System { what: "serving failed".into(), source })
}

fn admin_address(text: &str) -> Result<SocketAddr, StartError> {
    text.parse().map_err(|_| {
        let why = "must be an address and a port, like `127.0.0.1:8081`, or empty".to_owned();
        StartError::Config(BadConfig::Value { key: "http.admin", why })
    })
}

/// Says what would run. Makes nothing; the database is opened only where it is there.
async fn check(config: &Config) -> Result<(), StartError> {
    let kept = match assemble::rows_if_there(config).await? {
        Some(rows) => {
            let kept = rows.store.accounts(&assemble::merchant_id()).await?;
            rows.close().await;
            kept
        }
        None => Vec::new(),
    };
    let accounts = match assemble::accounts(config, kept) {
        Err(StartError::NoProvider) => Accounts::new(Vec::new()),
        accounts => Accounts::new(accounts?),
    };
    let links = assemble::links(config)?;
    println!("The configuration is good.");
    println!("  merchant   {} ({}, {})", config.merchant.name, config.merchant.currency, config.merchant.locale);
    println!("  listens on http://{}", config.http.listen);
    match links {
        LinkMode::Ours(url) => println!("  links      {url}/p/…: Till's own pay page, then the provider's"),
        LinkMode::Direct { return_url } => {
            println!("  links      straight to the provider, back to {return_url}");
            println!("             Set http.public_url for pay pages, receipts and counted openings.");
        }
    }
    let for_new = accounts.for_new().map(|at| at.account.id.clone());
    for at in accounts.all().iter() {
        let (id, psp, url) = (&at.account.id, at.psp.name(), &at.account.base_url);
        let money = if at.account.livemode { "real money" } else { "TEST, no real money" };
        let state = match &at.closed {
            Some(why) => format!("closed: {why}"),
            None if for_new.as_ref() == Some(id) => "takes new payments".to_owned(),
            None => "in reserve".to_owned(),
        };
        println!("  account    {id}: {psp} at {url} ({money}), {state}");
    }
    if accounts.all().is_empty() {
        println!("  account    none: `till serve` will not start. Add one with `till account add`, or set");
        println!("             `enabled = true` under [sandbox].");
    } else if for_new.is_none() {
        println!("             None takes new payments: `till account reopen ID` opens one.");
    }
    println!("  live chat  {}", if config.web.enabled { "at /chat and /desk" } else { "off" });
    let whole = |path: &std::path::Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    println!("  database   {}", whole(&config.store.path).display());
    println!("  key ring   {}", whole(&config.keys.path).display());
    if config.refunds.alone_max.is_empty() {
        println!("  refunds    off: no limits are set under [refunds]");
    }
    Ok(())
}

/// Letters, digits, - and _, up to 40 of them.
fn is_short_id(id: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=40).contains(&id.len()) && id.chars().all(fits)
}

/// Where the sandbox's control page opens: on this computer alone.
fn control_place(listen: SocketAddr) -> String {
    if !listen.ip().is_loopback() && !listen.ip().is_unspecified() {
        return "Nobody can open the page that plays the bank: it needs a loopback address. Programs need the key."
            .into();
    }
    let here = if listen.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], listen.port())) } else { listen };
    format!("Play the bank at http://{here}/control, on this computer alone.")
}

async fn sandbox(args: &SandboxArgs) -> Result<(), StartError> {
    let listener = listen(args.listen).await?;
    let key = secret("--api-key", &args.api_key)?;
    let webhook = match &args.webhook_url {
        None => None,
        Some(url) => Some((url.clone(), secret("--webhook-secret", &args.webhook_secret)?)),
    };
    let settings = SandboxSettings {
        db: &args.db,
        public_url: args.public_url.clone().unwrap_or_else(|| format!("http://{}", args.listen)),
        account: "acct_sandbox".into(),
        api_key: key,
        webhook,
        hints: args.hints_url.clone(),
        control: !args.no_control,
    };
    let stop = CancellationToken::new();
    run::stop_on_signals(&stop);
    let server = assemble::sandbox(settings, clock::system(), stop.clone()).await?;
    let deliveries = tokio::spawn(server.run);
    println!("The sandbox provider listens on http://{}. No money moves here.", args.listen);
    if !args.no_control {
        println!("{}", control_place(args.listen));
    }
    let served = run::serve(listener, server.router, stop.clone()).await;
    stop.cancel();
    let _ = deliveries.await;
    served.map_err(|source| StartError::System { what: "serving failed".into(), source })
}
