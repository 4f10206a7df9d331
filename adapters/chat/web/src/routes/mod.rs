//! The web addresses below `/chat` and `/desk`, and what every answer carries.
//!
//! ```text
//! GET  /chat                  the customer's page       GET  /desk                the desk, for whoever is signed in
//! GET  /chat/stream           what is said there        GET  /desk/stream         what is said anywhere
//! POST /chat/say   /press     the customer writes       POST /desk/say   /press   staff write and press
//! GET  /chat/assets/{v}/{f}   scripts and styles        GET  /desk/history        what the stream's window left out
//! GET, POST /desk/enter/{t}   in, by a one-time link    POST /desk/leave          out
//! ```
//! Without a session the desk does not exist: a plain 404.

mod assets;
mod deeds;
mod door;
mod refusal;
mod views;

pub(crate) use assets::VERSION as ASSETS_VERSION;

use crate::{Embed, Web};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;

pub(crate) fn router(web: &Arc<Web>) -> Router {
    Router::new()
        .route("/chat", get(views::chat))
        .route("/chat/stream", get(views::chat_stream))
        .route("/chat/say", post(deeds::chat_say))
        .route("/chat/press", post(deeds::chat_press))
        .route("/chat/assets/{version}/{file}", get(assets::asset))
        .route("/desk", get(views::desk))
        .route("/desk/stream", get(views::desk_stream))
        .route("/desk/history", get(views::history))
        .route("/desk/say", post(deeds::desk_say))
        .route("/desk/press", post(deeds::desk_press))
        .route("/desk/leave", post(deeds::leave))
        .route("/desk/enter/{token}", get(views::invitation).post(deeds::enter))
        .layer(map_response_with_state(web.clone(), guarded))
        .with_state(web.clone())
}

/// Puts on every answer what keeps a browser from being tricked. A header that a handler set itself stays.
async fn guarded(State(web): State<Arc<Web>>, mut response: Response) -> Response {
    let ancestors = match web.settings.embed {
        Embed::Refused => "'none'",
        Embed::SameOrigin => "'self'",
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
    );
    let always: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, &policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in always {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().entry(name).or_insert(value);
        }
    }
    response
}
