//! The hosted page: what the payer reads, and what a press on its button does.
//!
//! A press is answered with 303 to the page itself, never to the shop: Chromium holds a form's redirects against
//! `form-action` too (<https://github.com/w3c/webappsec-csp/issues/8>). The page then leads back by a link and a refresh.
//!
//! Deliberately absent: how Stripe's page looks. It has the words and the fields of the sandbox's page, so that one
//! browser story can drive both.

use crate::{Stripe, currency, number, text};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

const CSP: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the page shows of a session.
struct Sight {
    session: Value,
    lines: Vec<Value>,
    declines: u32,
}

/// The page and its style sheet.
pub(crate) fn routes() -> Router<Stripe> {
    Router::new().route("/c/pay/{id}", get(look).post(press)).route("/assets/fake.css", get(style))
}

impl Stripe {
    fn sight(&self, id: &str) -> Option<Sight> {
        let world = self.lock();
        let behind = world.behind.get(id)?;
        let session = world.shelf.object(id)?.clone();
        Some(Sight { session, lines: behind.lines.clone(), declines: behind.declines })
    }
}

async fn look(State(stripe): State<Stripe>, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    match stripe.sight(&id) {
        Some(it) => html_page(StatusCode::OK, page(&it, query.as_deref() == Some("paid"))),
        None => html_page(StatusCode::NOT_FOUND, nothing()),
    }
}

async fn press(State(stripe): State<Stripe>, Path(id): Path<String>, body: Bytes) -> Response {
    if stripe.sight(&id).is_none() {
        return html_page(StatusCode::NOT_FOUND, nothing());
    }
    let card = url::form_urlencoded::parse(&body).find(|(name, _)| name == "card").map(|(_, value)| value.into_owned());
    let done = match card.as_deref() {
        Some("ok") => stripe.pay(&id).is_ok(),
        Some("debit") => stripe.debit(&id).is_ok(),
        Some("declined") => stripe.decline(&id, "generic_decline").is_err(),
        // A press without a card shows the page again.
        _ => false,
    };
    let back = format!("/c/pay/{id}{}", if done { "?paid" } else { "" });
    (StatusCode::SEE_OTHER, [("location", &*back), ("cache-control", "no-store")]).into_response()
}

async fn style() -> Response {
    let headers = [("content-type", "text/css; charset=utf-8"), ("x-content-type-options", "nosniff")];
    (headers, include_str!("../assets/fake.css")).into_response()
}

fn html_page(status: StatusCode, page: Markup) -> Response {
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", CSP),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ];
    (status, headers, page.into_string()).into_response()
}

fn page(it: &Sight, just_now: bool) -> Markup {
    match (text(&it.session, "status"), text(&it.session, "payment_status")) {
        ("open", _) => to_pay(it),
        ("complete", "unpaid") if just_now => just_done(it, "Payment started"),
        ("complete", "unpaid") => closed(it, "Payment started", "Nothing more to do: the bank is on it."),
        ("complete", _) if just_now => just_done(it, "Paid"),
        ("complete", _) => closed(it, "Already paid", "Nothing more to do: this is paid."),
        _ => closed(it, "This page has expired", "Nothing was paid here. Go back and ask for a new link."),
    }
}

fn to_pay(it: &Sight) -> Markup {
    let amount = amount(it);
    let action = format!("/c/pay/{}", text(&it.session, "id"));
    let card = |value: &str, name: &str, what: &str, checked: bool| {
        html! {
            label { input type="radio" name="card" value=(value) required checked[checked];
                span { (name) small { (what) } } }
        }
    };
    let body = html! {
        @if let Some(url) = it.session["cancel_url"].as_str() { p.back { a href=(url) rel="noreferrer" { "Go back" } } }
        h1.amount { (amount) }
        (summary(it))
        @if it.declines > 0 {
            p.declined role="alert" { strong { "The card was declined." } " Nothing was paid. Try another card." }
        }
        form method="post" action=(action) {
            fieldset {
                legend { "Test card" }
                div.cards {
                    (card("ok", "4242 4242 4242 4242", "works", it.declines == 0))
                    (card("declined", "4000 0000 0000 0002", "is declined", false))
                    (card("debit", "DE89 3704 0044 0532 0130 00", "takes days", false))
                }
            }
            button { "Pay " (amount) }
        }
        p.note { "This is a fake Stripe. Choose a card; none can be typed." }
    };
    frame(&format!("Pay {amount}"), None, body)
}

fn just_done(it: &Sight, title: &str) -> Markup {
    let body = html! {
        p.done aria-hidden="true" { "✓" }
        h1 { (title) }
        p.amount { (amount(it)) }
        (summary(it))
        p role="status" { "Taking you back to the shop…" }
        (back(it))
    };
    frame(title, Some(&success_url(it)), body)
}

fn closed(it: &Sight, title: &str, message: &str) -> Markup {
    let body = html! { h1 { (title) } p { (message) } p.asked { (amount(it)) } (summary(it)) (back(it)) };
    frame(title, None, body)
}

fn nothing() -> Markup {
    let message = "There is no such payment page. Go back to where you found the link and try it again.";
    frame("Not found", None, html! { h1 { "Not found" } p { (message) } })
}

fn amount(it: &Sight) -> String {
    currency::text(text(&it.session, "currency"), number(&it.session, "amount_total"))
}

fn success_url(it: &Sight) -> String {
    text(&it.session, "success_url").replace("{CHECKOUT_SESSION_ID}", text(&it.session, "id"))
}

fn summary(it: &Sight) -> Markup {
    html! {
        ul.lines {
            @for line in &it.lines {
                li {
                    span.name {
                        (text(line, "description"))
                        @if number(line, "quantity") > 1 { " × " (number(line, "quantity")) }
                    }
                    span { (currency::text(text(line, "currency"), number(line, "amount_total"))) }
                }
            }
        }
    }
}

fn back(it: &Sight) -> Markup {
    html! { p.back { a href=(success_url(it)) rel="noreferrer" { "Back to the shop" } } }
}

fn frame(title: &str, go_to: Option<&str>, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                @if let Some(url) = go_to { meta http-equiv="refresh" content={ "2;url=" (url) }; }
                title { (title) " · TEST" }
                link rel="stylesheet" href="/assets/fake.css";
            }
            body {
                p.test { strong { "TEST" } " No money moves here" }
                main { (body) }
            }
        }
    }
}
