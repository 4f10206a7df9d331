//! What Slack takes as blocks, checked before it is sent.
//!
//! ```text
//! a list of blocks ─► shapes: which fields, how long, how many ─► rules between fields ─► rules between blocks
//! a complaint:  must be less than 151 characters [json-pointer:/blocks/0/text/text]
//! ```
//! Sources: docs.slack.dev, "Block Kit reference", as `@slack/types` 3.2.0 carries it, and `slack_sdk` 3.47.0, `models`,
//! where that is silent. The words, and that a character is a code point (`mb_strlen`): slackhq/hack-json-schema, the
//! validator that Slack wrote for itself. Two rules are measured only, and stand where they are kept.
//!
//! Deliberately absent: block and element types that Till never sends (`video`, `markdown`, `card`, `workflow_button`
//! and their kind are refused like misspelt ones); the inside of rich text; whether an image can be fetched.

mod blocks;
mod elements;
mod objects;
mod rules;
mod shape;
#[cfg(test)]
mod tests;

use self::shape::{Complaints, List, Shape};
use serde_json::Value;

/// Most characters in all texts of one message together; more is `msg_blocks_too_long`.
///
/// No document names it. Slack refused 11,341 characters on 2026-04-11 (slackapi/bolt-js#2867) and about 13,200 on
/// 2025-04-24 (slackapi/bolt-js#2509), so we stop below both.
pub const TEXT_CHARS_MAX: usize = 11_000;

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

impl Surface {
    /// Source: docs.slack.dev, "Blocks": 50 in a message, 100 in a modal or Home tab.
    const fn blocks(self) -> Shape {
        match self {
            Self::Message => Shape::List(List { least: 0, most: 50, of: &blocks::IN_MESSAGE }),
            Self::Modal | Self::Home => Shape::List(List { least: 0, most: 100, of: &blocks::IN_VIEW }),
        }
    }
}

/// What Slack would refuse about these blocks, each with its path; empty when it takes them.
///
/// In Slack's words: `missing required field: text [json-pointer:/blocks/0]`. A complaint that begins with
/// `msg_blocks_too_long` is an error code of its own; all others are `invalid_blocks`.
pub fn complaints(surface: Surface, blocks: &Value) -> Vec<String> {
    let mut found = Complaints::default();
    found.check("/blocks", &surface.blocks(), blocks);
    rules::between_blocks("/blocks", blocks, &mut found);
    if surface == Surface::Message {
        rules::whole_message(blocks, &mut found);
    }
    found.into_texts()
}

/// What Slack would refuse about this view, a modal or a Home tab; empty when it takes it.
///
/// What `views.open`, `views.update`, `views.push` and `views.publish` get as `view`. Slack's code is
/// `invalid_arguments`, with these complaints as `response_metadata.messages`.
pub fn view_complaints(view: &Value) -> Vec<String> {
    let mut found = Complaints::default();
    found.check("/view", &blocks::VIEW, view);
    rules::between_blocks("/view/blocks", &view["blocks"], &mut found);
    rules::submit(view, &mut found);
    found.into_texts()
}
