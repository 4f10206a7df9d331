//! `till dead …`: what was given up, and one more try.

use crate::assemble::{self, StartError};
use crate::config::Config;
use crate::{clock, dead};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum DeadCommand {
    /// What was given up, newest first, and why
    List {
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// One JSON object per line, for programs
        #[arg(long)]
        json: bool,
    },
    /// Try it once more; a running till does so at once: till dead retry K7Q2F9
    Retry {
        /// The code of a payment, or the key of one row as the list shows it
        #[arg(conflicts_with = "all")]
        what: Option<String>,
        /// Everything that was given up
        #[arg(long)]
        all: bool,
    },
}

pub(super) async fn run(config: &Config, command: DeadCommand) -> Result<(), StartError> {
    if let DeadCommand::Retry { what: None, all: false } = command {
        let why =
            "name a payment by its code, one row by its key as `till dead list` shows it, or everything with --all";
        return Err(StartError::Typed(why.into()));
    }
    let Some(rows) = assemble::rows_if_there(config).await? else {
        println!("There is no database yet, so nothing was given up.");
        return Ok(());
    };
    let said = match command {
        DeadCommand::List { limit, json } => dead::list(&*rows.store, limit, json).await.map_err(StartError::from),
        DeadCommand::Retry { what, all: _ } => dead::retry(&*rows.store, what.as_deref(), clock::system()()).await,
    };
    rows.close().await;
    print!("{}", said?);
    Ok(())
}
