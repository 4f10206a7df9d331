//! The control page: the newest checkouts, and for each what a bank or the merchant's dashboard can do now.
//!
//! Deliberately absent: scripts, and the page's own idea of what is allowed; a button that has become wrong is refused.

use crate::acts::Act;
use crate::decimal;
use crate::knobs::Knobs;
use crate::object::{Api, Checkout, Dispute, Refund, State};
use crate::page::document;
use maud::{Markup, html};
use till_core::money::Money;

/// A checkout with all that hangs on it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) checkout: Checkout,
    /// What can still be refunded; none before it is paid.
    pub(crate) left: Option<Money>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) disputes: Vec<Dispute>,
}

/// The page.
pub(crate) fn page(entries: &[Entry], knobs: Knobs, refused: Option<&str>) -> Markup {
    let head = html! {
        link rel="stylesheet" href="/assets/sandbox.css";
        link rel="stylesheet" href="/assets/control.css";
    };
    let body = html! {
        h1 { "Play the bank" }
        p.note { "What a bank, a payer or the provider's dashboard would do. Nothing here moves money." }
        @if let Some(why) = refused { p.declined role="alert" { strong { "Not done." } " " (why) } }
        @if entries.is_empty() { p { "Nothing to pay yet. Ask for a payment in the chat, then reload this page." } }
        @for entry in entries { (row(entry)) }
        (knob_form(knobs))
    };
    document("Play the bank", head, html! { div.control { (body) } })
}

fn row(entry: &Entry) -> Markup {
    let it = &entry.checkout;
    html! {
        article id=(it.id) {
            h2 {
                span.code { (it.code().unwrap_or("no reference")) }
                " " span.asked { (it.amount) } " "
                span.state { (state(it)) }
            }
            p.note {
                (it.created.text())
                @if it.api == Api::Difficult { " · the difficult one" }
                " · " a href={ "/pay/" (it.id) } { "payment page" }
            }
            @let acts = Act::to_checkout(it);
            @if !acts.is_empty() { div.acts { @for act in acts { (button(*act, &it.id, &it.id)) } } }
            @if let (Some(paid), Some(left)) = (it.capture(), entry.left) {
                @let acts = Act::to_payment(paid, left, &entry.disputes);
                @if !acts.is_empty() {
                    div.acts { @for act in acts {
                        @if act == Act::Refund { (refund_form(&paid.id, &it.id, left)) }
                        @else { (button(act, &paid.id, &it.id)) }
                    } }
                }
                @for refund in &entry.refunds { (hanging("Refund", refund.amount, refund.status.word(), &refund.id, it, Act::to_refund(refund))) }
                @for dispute in &entry.disputes { (hanging("Dispute", dispute.amount, dispute.status.word(), &dispute.id, it, Act::to_dispute(dispute))) }
            }
        }
    }
}

/// A refund or a dispute under its checkout.
fn hanging(what: &str, amount: Money, state: &str, id: &str, of: &Checkout, acts: &[Act]) -> Markup {
    html! {
        div.hanging {
            p { (what) " of " (amount) " " span.state { (state.replace('_', " ")) } }
            @if !acts.is_empty() { div.acts { @for act in acts { (button(*act, id, &of.id)) } } }
        }
    }
}

fn state(it: &Checkout) -> String {
    match &it.state {
        State::Open => "open".into(),
        State::Approved { chosen, .. } => format!("agreed to {chosen}, not taken"),
        State::Processing => "bank debit on its way".into(),
        State::Failed => "debit failed".into(),
        State::Paid(paid) if paid.reversed.is_some() => "taken back by the bank".into(),
        State::Paid(paid) if paid.amount == it.amount => "paid".into(),
        State::Paid(paid) => format!("paid {}", paid.amount),
        State::Expired => "expired".into(),
    }
}

fn button(act: Act, id: &str, row: &str) -> Markup {
    html! {
        form method="post" action="/control" {
            (hidden(act, id, row))
            button.quiet { (act.label()) }
        }
    }
}

fn refund_form(payment: &str, row: &str, left: Money) -> Markup {
    html! {
        form.typed method="post" action="/control" {
            (hidden(Act::Refund, payment, row))
            input type="hidden" name="currency" value=(left.currency().code());
            label { span.hint { "Refund, in " (left.currency()) }
                input name="amount" inputmode="decimal" autocomplete="off" value=(decimal::text(left)); }
            button.quiet { (Act::Refund.label()) }
        }
    }
}

fn hidden(act: Act, id: &str, row: &str) -> Markup {
    html! {
        input type="hidden" name="act" value=(act.word());
        input type="hidden" name="id" value=(id);
        input type="hidden" name="row" value=(row);
    }
}

fn knob_form(knobs: Knobs) -> Markup {
    html! {
        form.knobs method="post" action="/control/set" {
            h2 { "Knobs" }
            p.note { "Trouble, for trying out. A restart turns all of it off." }
            label { input type="checkbox" name="refunds_take_time" value="true" checked[knobs.refunds_take_time];
                span { "Refunds take time: they wait here for the bank" } }
            @for number in knobs.numbers() {
                label { input type="number" name=(number.name) value=(number.value) min=(number.least) max=(number.most)
                        required;
                    span { (number.does) } }
            }
            button { "Set the knobs" }
        }
        @for (api, whose) in [("plain", "the plain one"), ("difficult", "the difficult one")] {
            form method="post" action="/control/flood" {
                input type="hidden" name="events" value="1000";
                input type="hidden" name="api" value=(api);
                button.quiet { "Send a thousand events of somebody else's shop at " (whose) }
            }
        }
    }
}
