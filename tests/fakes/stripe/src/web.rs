//! Real HTTP: the API below `/v1`, and the payer's page.

use crate::Stripe;
use crate::call::{Answer, Call, Reply};
use crate::once::Slot;
use crate::page;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use std::time::Duration;

const BODY_MAX: usize = 1 << 20;

impl Stripe {
    /// The API below `/v1`, and the hosted page below `/c/pay/`.
    pub fn router(&self) -> Router {
        page::routes().fallback(api).with_state(self.clone())
    }

    /// How long this call is to take; while it does, its key is in use.
    fn takes_off(&self, call: &Call) -> Option<(Duration, Option<Slot>)> {
        let mut world = self.lock();
        let wait = world.trouble.slows(call)?;
        let caller = world.caller(call).and_then(|caller| world.acting_for(caller, call));
        let slot = caller.ok().zip(call.key()).map(|(caller, key)| (caller.account, key.to_owned()));
        if let Some(slot) = &slot {
            world.once.fly(slot.clone());
        }
        Some((wait, slot))
    }
}

async fn api(State(stripe): State<Stripe>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
    let mut call = Call::new(parts.method.as_str(), &path);
    call.body = body.to_vec();
    for (name, value) in &parts.headers {
        call = call.header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    if let Some((wait, slot)) = stripe.takes_off(&call) {
        tokio::time::sleep(wait).await;
        if let Some(slot) = slot {
            stripe.lock().once.land(&slot);
        }
    }
    let answer = match stripe.reply(&call) {
        Reply::Answer(answer) => answer,
        // A connection cannot be dropped from here; what stands between would answer so.
        Reply::Unsent | Reply::Unanswered => Answer::lost(),
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}
