//! `till slack …`: what Slack must know of this till.

use crate::assemble::{self, SlackExtras, SlackWay, StartError};
use crate::config::Config;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum SlackCommand {
    /// Print the app manifest: paste it at api.slack.com/apps, "Create New App", "From a manifest"
    Manifest {
        /// Slack posts to http.public_url, instead of through sockets that Till opens
        #[arg(long)]
        http: bool,
        /// Also read plain messages for commands (slack.keywords): asks for more rights
        #[arg(long)]
        keywords: bool,
        /// Also read channels, to find a card whose post had no clear answer: asks for more rights
        #[arg(long)]
        history: bool,
    },
}

pub(super) fn run(config: &Config, command: &SlackCommand) -> Result<(), StartError> {
    let SlackCommand::Manifest { http, keywords, history } = *command;
    let way = if http { SlackWay::Http } else { SlackWay::Socket };
    print!("{}", assemble::slack_manifest(config, way, SlackExtras { keywords, history })?);
    Ok(())
}
