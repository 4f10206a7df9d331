//! Scripts and styles, built into the program and named by their content.
//!
//! The version in the path is a hash of all of them, so that a browser keeps them for ever and asks anew after an
//! update. Another version is answered with what is here, kept by nobody: replicas are updated one after the other.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

const ASSETS: [(&str, &str, &str); 12] = [
    ("card.css", STYLE, include_str!("../../assets/card.css")),
    ("card.js", SCRIPT, include_str!("../../assets/card.js")),
    ("chat.css", STYLE, include_str!("../../assets/chat.css")),
    ("chat.js", SCRIPT, include_str!("../../assets/chat.js")),
    ("composer.js", SCRIPT, include_str!("../../assets/composer.js")),
    ("desk.js", SCRIPT, include_str!("../../assets/desk.js")),
    ("dialogs.js", SCRIPT, include_str!("../../assets/dialogs.js")),
    ("dom.js", SCRIPT, include_str!("../../assets/dom.js")),
    ("icon.svg", IMAGE, include_str!("../../assets/icon.svg")),
    ("log.js", SCRIPT, include_str!("../../assets/log.js")),
    ("menu.js", SCRIPT, include_str!("../../assets/menu.js")),
    ("stream.js", SCRIPT, include_str!("../../assets/stream.js")),
];

/// Twelve hex digits of the hash of all assets.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (name, _, content) in ASSETS {
        hash.update(name);
        hash.update(content);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
});

pub(super) async fn asset(Path((version, file)): Path<(String, String)>) -> Response {
    let Some((_, kind, content)) = ASSETS.iter().find(|(name, _, _)| *name == file) else {
        return super::refusal::not_found();
    };
    let keep = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-store" };
    ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, keep)], *content).into_response()
}
