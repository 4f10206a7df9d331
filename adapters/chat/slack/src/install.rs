//! Many workspaces: each adds Till by OAuth, and its token is kept sealed.
//!
//! ```text
//! `till slack install` ─► ticket ─► page ─► Slack: "Allow" ─► /slack/oauth: state, code ─► token, sealed
//! call ─► token of the workspace, else of its organization ─► soon to expire? one renews it, under a lease
//! uninstalled, revoked ─► Slack is asked whether the token is dead ─► the row goes
//! ```
//! A ticket is the right to add one workspace: whoever is added acts in the merchant's name, so that no stranger may.
//! Source: Slack docs, "Installing with OAuth", "Using token rotation", "Organization-ready apps".
//!
//! Deliberately absent: user tokens, and a way to make up for a refresh token that was used and whose answer was lost;
//! Slack gives none, so that the workspace is added again.

mod oauth;
pub(crate) mod pages;
mod renewal;
mod rows;

pub use rows::Workspace;
pub(crate) use rows::{Held, Installs};

use secrecy::SecretString;
use std::sync::Arc;
use till_core::port::http::Http;
use till_core::vault::Vault;

/// Where people come back to after they added Till, at a till that is reached at `public_url`.
pub fn redirect_uri(public_url: &str) -> String {
    format!("{public_url}/slack/oauth")
}

/// Where random bytes come from.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The app as Slack knows it, for workspaces that add it by themselves.
pub struct App {
    /// *Client ID*.
    pub client_id: String,
    /// *Client Secret*.
    pub client_secret: SecretString,
    /// Where people come back to after they allowed it, without a trailing slash: `https://till.example`.
    pub public_url: String,
    /// Whose till it is, in words.
    pub merchant_name: String,
    /// Exchanges codes and refresh tokens: their answers must not be lost, nor their requests be logged.
    pub http: Arc<dyn Http>,
    /// Keeps the tokens.
    pub vault: Vault,
    /// Makes tickets and states.
    pub random: Random,
}
