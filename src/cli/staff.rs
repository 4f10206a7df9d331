//! `till staff …`: who may ask for money.

use crate::assemble::{self, StartError};
use crate::clock;
use crate::config::Config;
use crate::world::LinkMode;
use clap::Subcommand;
use till_core::port::store::Staff;

use super::INVITATION;

#[derive(Debug, Subcommand)]
pub(super) enum StaffCommand {
    /// Add a person, or give a known one another name: till staff add ana "Ana Silva"
    Add {
        /// Short and unique: letters, digits, - and _; or a person or user group of a platform, as Till names them when it
        /// refuses somebody: slack:T0123/U0456
        id: String,
        /// What customers see
        name: String,
    },
    /// Print a one-time link to the staff desk, good for 15 minutes
    Invite {
        /// The person's short id
        id: String,
    },
    /// List them
    List,
}

/// A person or group as a platform names them: `slack:T0123/U0456`.
fn is_of_platform(id: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '@' | ':' | '!');
    let named = id.split_once(':').is_some_and(|(platform, name)| super::is_short_id(platform) && !name.is_empty());
    named && id.len() <= 120 && id.chars().all(fits)
}

pub(super) async fn run(config: &Config, command: StaffCommand) -> Result<(), StartError> {
    let (clock, merchant) = (clock::system(), assemble::merchant_id());
    match command {
        StaffCommand::Add { id, name } => {
            let of_platform = is_of_platform(&id);
            if !super::is_short_id(&id) && !of_platform {
                return Err(StartError::Typed(format!(
                    "`{id}` cannot be a staff id: up to 40 letters, digits, - and _; or a person or group of a platform, \
                     as Till names them when it refuses somebody: slack:T0123/U0456"
                )));
            }
            let rows = assemble::rows(config).await?;
            rows.store.add_staff(&merchant, &Staff { id: id.clone(), name, since: clock() }).await?;
            rows.close().await;
            match of_platform {
                true => println!("{id} is on the staff list, and is staff from now on."),
                false => println!("{id} is on the staff list. Let them in with: till staff invite {id}"),
            }
        }
        StaffCommand::List => {
            let rows = assemble::rows(config).await?;
            for person in rows.store.staff(&merchant).await? {
                println!("{:<20} {:<30} since {}", person.id, person.name, person.since.text());
            }
            rows.close().await;
        }
        StaffCommand::Invite { id } => {
            if is_of_platform(&id) {
                let why = format!(
                    "`{id}` needs no invitation: they are staff where they talk. Invitations are for the live chat"
                );
                return Err(StartError::Typed(why));
            }
            let rows = assemble::rows(config).await?;
            if !rows.store.staff(&merchant).await?.iter().any(|person| person.id == id) {
                return Err(StartError::Typed(format!(
                    "`{id}` is nobody yet: add them first with `till staff add {id} \"Their Name\"`"
                )));
            }
            let path = assemble::invite(config, &rows, &id, INVITATION, clock).await?;
            let base = match assemble::links(config)? {
                LinkMode::Ours(url) => url,
                LinkMode::Direct { .. } => format!("http://{}", config.http.listen),
            };
            println!("Good once, for 15 minutes:\n{base}{path}");
            rows.close().await;
        }
    }
    Ok(())
}
