//! The payment page: what the payer reads, for each way it can stand with a checkout.
//!
//! Simple and honest: one column, one button, a banner that says that no money moves. A card can be chosen, never
//! typed, so that nobody enters a real one.

use crate::object::{Checkout, State};
use maud::{DOCTYPE, Markup, html};
use till_core::money::Money;

/// How the payer came to the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// By the link.
    Opened,
    /// By paying, just now.
    JustPaid,
}

/// The page of a checkout.
pub(crate) fn checkout(it: &Checkout, arrival: Arrival) -> Markup {
    match (&it.state, arrival) {
        (State::Open, _) => to_pay(it),
        (State::Complete { .. }, Arrival::JustPaid) => just_paid(it),
        (State::Complete { .. }, Arrival::Opened) => closed(it, "Already paid", "Nothing more to do: this is paid."),
        (State::Expired, _) => {
            closed(it, "This page has expired", "Nothing was paid here. Go back and ask for a new link.")
        }
    }
}

/// The page where there is none.
pub(crate) fn nothing() -> Markup {
    let message = "There is no such payment page. Go back to where you found the link and try it again.";
    frame("Not found", None, html! { h1 { "Not found" } p { (message) } })
}

/// The page when the provider itself is in trouble.
pub(crate) fn trouble() -> Markup {
    frame("One moment", None, html! { h1 { "One moment" } p { "Something broke here. Reload this page in a moment." } })
}

fn to_pay(it: &Checkout) -> Markup {
    let amount = it.amount.to_string();
    let body = html! {
        (back(it, "Go back"))
        h1.amount { (amount) }
        (summary(it))
        @if it.attempts > 0 {
            p.declined role="alert" { strong { "The card was declined." } " Nothing was paid. Try another card." }
        }
        form method="post" action={ "/pay/" (it.id) } {
            fieldset {
                legend { "Test card" }
                div.cards {
                    label { input type="radio" name="card" value="ok" required checked[it.attempts == 0];
                        span { "4242 4242 4242 4242" small { "works" } } }
                    label { input type="radio" name="card" value="declined";
                        span { "4000 0000 0000 0002" small { "is declined" } } }
                }
            }
            button { "Pay " (amount) }
        }
        p.note { "This is a test provider. Choose a card; none can be typed." }
    };
    frame(&format!("Pay {amount}"), None, body)
}

fn just_paid(it: &Checkout) -> Markup {
    let body = html! {
        p.done aria-hidden="true" { "✓" }
        h1 { "Paid" }
        p.amount { (it.amount) }
        (summary(it))
        p role="status" { "Taking you back to the shop…" }
        (back(it, "Back to the shop"))
    };
    frame("Paid", Some(&it.return_url), body)
}

fn closed(it: &Checkout, title: &str, message: &str) -> Markup {
    let body =
        html! { h1 { (title) } p { (message) } p.asked { (it.amount) } (summary(it)) (back(it, "Back to the shop")) };
    frame(title, None, body)
}

fn summary(it: &Checkout) -> Markup {
    let code = it.metadata.get("till_code");
    html! {
        ul.lines {
            @for line in &it.lines {
                li {
                    span.name { (line.name) @if line.quantity > 1 { " × " (line.quantity) } }
                    span { (Money::new(line.each_minor, it.amount.currency()).times(line.quantity).unwrap_or(it.amount)) }
                }
            }
        }
        @if let Some(code) = code { p.note { "Reference " (code) } }
    }
}

fn back(it: &Checkout, text: &str) -> Markup {
    html! { p.back { a href=(it.return_url) rel="noreferrer" { (text) } } }
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
                link rel="stylesheet" href="/assets/sandbox.css";
            }
            body {
                p.test { strong { "TEST" } " No money moves here" }
                main { (body) }
            }
        }
    }
}
