//! The hosted page's routes: look, press the button, come back.

use crate::Stripe;
use axum::Router;

/// The page and its style sheet.
pub(crate) fn routes() -> Router<Stripe> {
    Router::new()
}
