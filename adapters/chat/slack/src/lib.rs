//! Slack: commands, forms and cards in a workspace.

pub mod block_kit;
