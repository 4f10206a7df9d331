//! What a message may say: text, blocks, attachments and metadata, measured as Slack measures them.

use crate::block_kit::{Surface, complaints};
use crate::call::Params;
use crate::refusal::Refusal;
use crate::state::Content;
use crate::world::World;
use serde_json::{Value, json};

const TEXT_MAX: usize = 40_000;
const ATTACHMENTS_MAX: usize = 100;
const METADATA_BYTES_MAX: usize = 8_000;

impl Content {
    /// From a call or a response; `no_text` when it says nothing.
    pub(crate) fn read(params: &Params) -> Result<Self, Refusal> {
        let text: String = params.text("text").or_else(|| params.text("markdown_text")).unwrap_or_default();
        let text = text.chars().take(TEXT_MAX).collect();
        let blocks = list(params, "blocks", "invalid_blocks_format")?;
        let attachments = list(params, "attachments", "invalid_attachments_format")?;
        if blocks.is_array() {
            check_blocks("invalid_blocks", &blocks)?;
        }
        let attached = attachments.as_array().map(Vec::as_slice).unwrap_or_default();
        if attached.len() > ATTACHMENTS_MAX {
            return Err(Refusal::new("too_many_attachments"));
        }
        for blocks in attached.iter().map(|one| &one["blocks"]).filter(|blocks| !blocks.is_null()) {
            check_blocks("invalid_attachments", blocks)?;
        }
        let content = Self { text, blocks, attachments };
        if content.text.trim().is_empty() && content.blocks.is_null() && content.attachments.is_null() {
            return Err(Refusal::new("no_text"));
        }
        Ok(content)
    }

    /// Every block and every interactive element has an id, given or drawn.
    pub(crate) fn with_ids(mut self, world: &mut World) -> Self {
        fill_ids(world, &mut self.blocks);
        if let Some(attached) = self.attachments.as_array_mut() {
            attached.iter_mut().for_each(|one| fill_ids(world, &mut one["blocks"]));
        }
        self
    }
}

/// An empty list is none.
fn list(params: &Params, name: &str, malformed: &str) -> Result<Value, Refusal> {
    match params.json(name, malformed)? {
        None => Ok(Value::Null),
        Some(Value::Array(list)) if list.is_empty() => Ok(Value::Null),
        Some(list @ Value::Array(_)) => Ok(list),
        Some(_) => Err(Refusal::new(malformed)),
    }
}

fn check_blocks(error: &str, blocks: &Value) -> Result<(), Refusal> {
    let wrong = complaints(Surface::Message, blocks);
    if wrong.is_empty() {
        return Ok(());
    }
    let too_long = wrong.iter().any(|text| text.starts_with("msg_blocks_too_long"));
    Err(Refusal::new(if too_long { "msg_blocks_too_long" } else { error }).because(&wrong))
}

/// Types of elements that make interactions.
pub(crate) fn is_interactive(kind: &str) -> bool {
    ["button", "overflow", "datepicker", "timepicker", "checkboxes", "radio_buttons"].contains(&kind)
        || kind.ends_with("_select")
        || kind.ends_with("_input")
}

/// The elements of a block, wherever they stand in it.
pub(crate) fn elements(block: &Value) -> Vec<&Value> {
    let many = block["elements"].as_array().into_iter().flatten();
    let all = many.chain([&block["accessory"], &block["element"]]);
    all.filter(|element| is_interactive(element["type"].as_str().unwrap_or_default())).collect()
}

pub(crate) fn fill_ids(world: &mut World, blocks: &mut Value) {
    for block in blocks.as_array_mut().into_iter().flatten() {
        name(world, block, "block_id");
        for part in ["accessory", "element"] {
            if is_interactive(block[part]["type"].as_str().unwrap_or_default()) {
                name(world, &mut block[part], "action_id");
            } else if block[part].is_null() {
                block.as_object_mut().expect("a block").remove(part);
            }
        }
        let Some(elements) = block.get_mut("elements").and_then(Value::as_array_mut) else { continue };
        for element in elements {
            if is_interactive(element["type"].as_str().unwrap_or_default()) {
                name(world, element, "action_id");
            }
        }
    }
}

fn name(world: &mut World, object: &mut Value, key: &str) {
    if object.get(key).and_then(Value::as_str).is_none_or(str::is_empty) {
        let drawn = world.secret()[..5].to_owned();
        object[key] = drawn.into();
    }
}

/// `metadata`: none where it is not said; an empty object takes it away.
pub(crate) fn metadata(params: &Params) -> Result<Option<Value>, Refusal> {
    let Some(given) = params.json("metadata", "invalid_metadata_format")? else { return Ok(None) };
    if given == json!({}) {
        return Ok(Some(Value::Null));
    }
    let event_type = given["event_type"].as_str().is_some_and(|text| !text.is_empty());
    if !event_type || !given["event_payload"].is_object() {
        return Err(Refusal::new("invalid_metadata_schema"));
    }
    if given.to_string().len() > METADATA_BYTES_MAX {
        return Err(Refusal::new("metadata_too_large"));
    }
    Ok(Some(given))
}
