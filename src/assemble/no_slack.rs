//! A till without Slack, with the same functions: who asks for one is told how to build it in.

use super::{Rows, SlackExtras, SlackWay, StartError};
use crate::clock::Clock;
use crate::config::Config;
use std::time::Duration;
use till_core::port::psp::Finding;

const NOT_BUILT: StartError = StartError::NotBuilt("slack");

/// Nothing, as long as Slack is not configured.
///
/// # Errors
/// [`StartError::NotBuilt`].
pub async fn findings(config: &Config, _rows: &Rows, _clock: &Clock) -> Result<Option<Vec<Finding>>, StartError> {
    if config.slack.enabled { Err(NOT_BUILT) } else { Ok(None) }
}

/// None.
///
/// # Errors
/// [`StartError::NotBuilt`].
pub fn manifest(_: &Config, _way: SlackWay, _many: bool, _extras: SlackExtras) -> Result<String, StartError> {
    Err(NOT_BUILT)
}

/// None.
///
/// # Errors
/// [`StartError::NotBuilt`].
pub async fn install_link(
    _config: &Config,
    _rows: &Rows,
    _history: bool,
    _ttl: Duration,
    _clock: &Clock,
) -> Result<String, StartError> {
    Err(NOT_BUILT)
}

/// None.
///
/// # Errors
/// [`StartError::NotBuilt`].
pub async fn workspaces(_config: &Config, _rows: &Rows, _clock: &Clock) -> Result<Vec<String>, StartError> {
    Err(NOT_BUILT)
}
