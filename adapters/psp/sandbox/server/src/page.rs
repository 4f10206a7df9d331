//! The payment page: what the payer reads, for each way it can stand with a checkout.
//!
//! Simple and honest: one column, one button, a banner that says that no money moves. A card can be chosen, never
//! typed, so that nobody enters a real one.

use crate::captures::{Card, Said};
use crate::decimal;
use crate::object::{Api, Checkout, State};
use maud::{DOCTYPE, Markup, html};
use till_core::money::Money;

/// How the payer came to the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// By the link.
    Opened,
    /// By paying, just now.
    JustDone,
    /// By choosing a card whose bank asks.
    Challenged,
    /// By refusing at the bank.
    Refused,
    /// By writing what is no amount.
    NoAmount,
}

impl Arrival {
    const ALL: [Self; 5] = [Self::Opened, Self::JustDone, Self::Challenged, Self::Refused, Self::NoAmount];

    /// The query of the page's URL.
    pub(crate) const fn query(self) -> &'static str {
        match self {
            Self::Opened => "",
            Self::JustDone => "?paid",
            Self::Challenged => "?challenge",
            Self::Refused => "?refused",
            Self::NoAmount => "?amount",
        }
    }

    pub(crate) fn of(query: Option<&str>) -> Self {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Self::ALL.into_iter().find(|arrival| arrival.query() == query).unwrap_or(Self::Opened)
    }
}

/// The page of a checkout.
pub(crate) fn checkout(it: &Checkout, arrival: Arrival) -> Markup {
    match (&it.state, arrival) {
        (State::Open, Arrival::Challenged) => challenge(it),
        (State::Open, _) => to_pay(it, arrival),
        (State::Paid(_), Arrival::JustDone) => done(it, "Paid", "Taking you back to the shop…"),
        (State::Approved { .. }, Arrival::JustDone) => {
            done(it, "Agreed", "The shop takes the money now. Taking you back…")
        }
        (State::Processing, Arrival::JustDone) => {
            done(it, "Your bank is working on it", "This can take days. Taking you back to the shop…")
        }
        (State::Paid(_), _) => closed(it, "Already paid", "Nothing more to do: this is paid."),
        (State::Approved { .. }, _) => closed(it, "Already agreed", "Nothing more to do: the shop takes the money."),
        (State::Processing, _) => closed(
            it,
            "Your bank is working on it",
            "Nothing more to do: the money is on its way, which can take days.",
        ),
        (State::Failed, _) => closed(it, "The bank said no", "Nothing was paid here. Go back and ask for a new link."),
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

/// What can be chosen: number, what it does.
const CHOICES: [(Card, &str, &str, &str); 4] = [
    (Card::Ok, "ok", "4242 4242 4242 4242", "works"),
    (Card::Declined, "declined", "4000 0000 0000 0002", "is declined"),
    (Card::Challenge, "challenge", "4000 0000 0000 3220", "asks for 3-D Secure"),
    (Card::Debit, "debit", "Bank debit", "takes days"),
];

/// The difficult character knows cards alone.
const fn choices(api: Api) -> &'static [(Card, &'static str, &'static str, &'static str)] {
    match api {
        Api::Plain => &CHOICES,
        Api::Difficult => CHOICES.split_at(2).0,
    }
}

fn to_pay(it: &Checkout, arrival: Arrival) -> Markup {
    let amount = it.amount.to_string();
    let body = html! {
        (back(it, "Go back"))
        h1.amount { (amount) }
        (summary(it))
        @if arrival == Arrival::Refused {
            p.declined role="alert" { strong { "Your bank did not agree." } " Nothing was paid. Try another card." }
        } @else if arrival == Arrival::NoAmount {
            p.declined role="alert" {
                strong { "That is not an amount." } " Write it like " (decimal::text(it.amount)) "."
            }
        } @else if it.attempts > 0 {
            p.declined role="alert" { strong { "The card was declined." } " Nothing was paid. Try another card." }
        }
        form method="post" action={ "/pay/" (it.id) } {
            @if it.api == Api::Difficult {
                label.amount-field { span { "How much, in " (it.amount.currency()) }
                    input name="amount" inputmode="decimal" autocomplete="off" required
                        value=(decimal::text(it.amount)); }
            }
            fieldset {
                legend { "Test card" }
                div.cards {
                    @for (card, value, name, does) in choices(it.api) {
                        label { input type="radio" name="card" value=(value) required
                                checked[*card == Card::Ok && it.attempts == 0];
                            span { (name) small { (does) } } }
                    }
                }
            }
            button { "Pay " @if it.api == Api::Plain { (amount) } }
        }
        p.note { "This is a test provider. Choose a card; none can be typed." }
    };
    frame(&format!("Pay {amount}"), None, body)
}

/// The bank's question. It is the bank's page in real life, and shows no more than what is to be agreed to.
fn challenge(it: &Checkout) -> Markup {
    let answer = |said: Said| match said {
        Said::Approve => html! { button name="answer" value="approve" { "Approve" } },
        Said::Refuse => html! { button.quiet name="answer" value="refuse" { "Refuse" } },
    };
    let body = html! {
        h1 { "Your bank asks" }
        p { "Do you want to pay this?" }
        p.amount { (it.amount) }
        (summary(it))
        form method="post" action={ "/pay/" (it.id) } { (answer(Said::Approve)) (answer(Said::Refuse)) }
        p.note { "In real life this is your bank's own page." }
    };
    frame("Your bank asks", None, body)
}

fn done(it: &Checkout, title: &str, next: &str) -> Markup {
    let body = html! {
        p.done aria-hidden="true" { "✓" }
        h1 { (title) }
        p.amount { (paid(it)) }
        (summary(it))
        p role="status" { (next) }
        (back(it, "Back to the shop"))
    };
    frame(title, Some(&it.return_url), body)
}

/// What the payer paid or agreed to; what was asked, before that.
fn paid(it: &Checkout) -> Money {
    match &it.state {
        State::Paid(paid) => paid.amount,
        State::Approved { chosen, .. } => *chosen,
        State::Open | State::Processing | State::Failed | State::Expired => it.amount,
    }
}

fn closed(it: &Checkout, title: &str, message: &str) -> Markup {
    let body =
        html! { h1 { (title) } p { (message) } p.asked { (paid(it)) } (summary(it)) (back(it, "Back to the shop")) };
    frame(title, None, body)
}

fn summary(it: &Checkout) -> Markup {
    html! {
        ul.lines {
            @for line in &it.lines {
                li {
                    span.name { (line.name) @if line.quantity > 1 { " × " (line.quantity) } }
                    span { (Money::new(line.each_minor, it.amount.currency()).times(line.quantity).unwrap_or(it.amount)) }
                }
            }
        }
        @if let Some(code) = it.code() { p.note { "Reference " (code) } }
    }
}

fn back(it: &Checkout, text: &str) -> Markup {
    html! { p.back { a href=(it.return_url) rel="noreferrer" { (text) } } }
}

fn frame(title: &str, go_to: Option<&str>, body: Markup) -> Markup {
    let style = html! { link rel="stylesheet" href="/assets/sandbox.css"; };
    let leave = html! { @if let Some(url) = go_to { meta http-equiv="refresh" content={ "2;url=" (url) }; } };
    document(title, html! { (leave) (style) }, body)
}

/// A whole page, under the banner that no page goes without.
pub(crate) fn document(title: &str, head: Markup, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · TEST" }
                (head)
            }
            body {
                p.test { strong { "TEST" } " No money moves here" }
                main { (body) }
            }
        }
    }
}
