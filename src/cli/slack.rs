//! `till slack …`: what Slack must know of this till, and which workspaces added it.

use super::INVITATION;
use crate::assemble::{self, SlackExtras, SlackWay, StartError, slack};
use crate::clock;
use crate::config::Config;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum SlackCommand {
    /// Print the app manifest: paste it at api.slack.com/apps, "Create New App", "From a manifest"
    Manifest {
        /// Slack posts to http.public_url, instead of through sockets that Till opens
        #[arg(long)]
        http: bool,
        /// Any number of workspaces may add the app (slack.client_id); they come back to http.public_url
        #[arg(long)]
        many: bool,
        /// Also read plain messages for commands (slack.keywords): asks for more rights
        #[arg(long)]
        keywords: bool,
        /// Also read channels, to find a card whose post had no clear answer: asks for more rights
        #[arg(long)]
        history: bool,
        /// Also read messages for what should not stand in a chat, and take it away (slack.admin_token): asks for more
        /// rights
        #[arg(long)]
        guard: bool,
    },
    /// Print a link with which one workspace can add Till, good for 15 minutes
    Install {
        /// Also ask for the right to read channels, to find a card whose post had no clear answer
        #[arg(long)]
        history: bool,
    },
    /// List the workspaces that added Till
    Workspaces,
}

pub(super) async fn run(config: &Config, command: SlackCommand) -> Result<(), StartError> {
    match command {
        SlackCommand::Manifest { http, many, keywords, history, guard } => {
            let way = if http { SlackWay::Http } else { SlackWay::Socket };
            print!("{}", slack::manifest(config, way, many, SlackExtras { keywords, history, guard })?);
        }
        SlackCommand::Install { history } => {
            let rows = assemble::rows(config).await?;
            let link = slack::install_link(config, &rows, history, INVITATION, &clock::system()).await?;
            println!("Good for one workspace, for 15 minutes, while `till serve` runs:\n{link}");
            rows.close().await;
        }
        SlackCommand::Workspaces => {
            let rows = assemble::rows(config).await?;
            let all = slack::workspaces(config, &rows, &clock::system()).await?;
            if all.is_empty() {
                println!("None yet: `till slack install` prints a link for one.");
            }
            all.iter().for_each(|line| println!("{line}"));
            rows.close().await;
        }
    }
    Ok(())
}
