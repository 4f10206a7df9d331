//! The pages themselves: the customer's, the desk, and the invitation.
//!
//! They are bare: scripts fill them from the stream. No script or style stands inside a page, so that the policy can
//! forbid all of those; what the scripts have to say comes as data in attributes.

use crate::routes::ASSETS_VERSION;
use crate::{Settings, Web};
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};
use serde_json::{Map, Value, json};
use till_core::card::Mode;
use till_core::command::Verb;
use till_core::port::store::Staff;
use till_core::text::Locale;

/// What the scripts say by themselves: keys `web-js-…`, without that beginning.
const WORDS: [&str; 21] = [
    "dismiss",
    "ended",
    "example",
    "live",
    "new-window",
    "not-sent",
    "nothing-yet",
    "off",
    "one-more",
    "private",
    "reconnecting",
    "reload",
    "show-it",
    "signed-out",
    "table-amount",
    "table-item",
    "test",
    "too-long",
    "unread",
    "yes",
    "you",
];

/// What is the same on every page.
#[derive(Debug)]
pub(crate) struct Pages {
    /// The scripts' words, as JSON.
    words: String,
    /// The composer's menu, as JSON.
    commands: String,
}

impl Pages {
    pub(crate) fn new(settings: &Settings, locale: &Locale) -> Self {
        let word = |key: &&str| ((*key).to_owned(), Value::from(locale.say(&format!("web-js-{key}"), &[("n", "{n}")])));
        let words: Map<String, Value> = WORDS.iter().map(word).collect();
        let command = |verb: Verb| {
            json!({
                "opening": settings.grammar.opening(verb),
                "example": verb.example(&settings.grammar),
                "about": verb.about(locale),
            })
        };
        let commands: Vec<Value> = Verb::ALL.into_iter().map(command).collect();
        Self { words: Value::from(words).to_string(), commands: Value::from(commands).to_string() }
    }
}

fn asset(file: &str) -> String {
    format!("/chat/assets/{}/{file}", *ASSETS_VERSION)
}

/// The head of every page; `script` is the module that brings it to life, where it has one.
fn head(web: &Web, title: &str, script: Option<&str>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content";
            meta name="color-scheme" content="light dark";
            meta name="robots" content="noindex";
            title { (title) " · " (web.settings.merchant_name) }
            link rel="icon" href=(asset("icon.svg")) type="image/svg+xml";
            link rel="stylesheet" href=(asset("chat.css"));
            link rel="stylesheet" href=(asset("card.css"));
            @if let Some(script) = script { script type="module" src=(asset(script)) {} }
        }
    }
}

fn stamp(web: &Web) -> Markup {
    html! {
        @if (web.settings.mode)() == Mode::Test {
            span.stamp title=(web.word("web-test-about")) { (web.word("web-js-test")) }
        }
    }
}

/// Who we are, and whether we hear each other.
fn bar(web: &Web, subtitle: Markup, right: Markup) -> Markup {
    let initial: String = web.settings.merchant_name.chars().take(1).collect();
    html! {
        header.bar {
            span.mark aria-hidden="true" { (initial) }
            div.names {
                h1 { (web.settings.merchant_name) }
                p.under { (subtitle) span #state.state role="status" data-state="connecting" {} }
            }
            (stamp(web))
            (right)
        }
        noscript { p.notice { (web.word("web-noscript")) } }
    }
}

/// The message list, and what is written below it.
fn talk(web: &Web, placeholder: &str, empty: &str, pay: Markup) -> Markup {
    html! {
        div #scroll.scroll tabindex="0" role="region" aria-label=(web.word("web-log")) {
            div #empty.empty { (web.word(empty)) }
            ol #log.log role="log" aria-live="off" aria-label=(web.word("web-log")) {}
        }
        button #latest.latest type="button" hidden { (web.word("web-latest")) }
        div #answer.answer role="status" hidden {}
        form #composer.composer autocomplete="off" {
            ul #menu.menu role="listbox" aria-label=(web.word("web-commands")) hidden {}
            p #hint.hint hidden {}
            div.line {
                (pay)
                textarea #text rows="1" aria-label=(web.word(placeholder)) placeholder=(web.word(placeholder))
                    autocomplete="off" autocapitalize="sentences" enterkeyhint="send" {}
                button.send type="submit" aria-label=(web.word("web-send")) title=(web.word("web-send")) {
                    svg viewBox="0 0 20 20" aria-hidden="true" { path d="M3.4 2.6 18 10 3.4 17.4l1.9-6.3L12 10 5.3 8.9z" {} }
                }
            }
        }
    }
}

/// The customer's page.
pub(crate) fn chat(web: &Web, name: &str) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang=(web.locale.tag()) {
            (head(web, &web.word("web-chat-title"), Some("chat.js")))
            body.chat data-words=(web.pages.words) data-commands="[]" data-me="visitor" {
                (bar(web, html! { span { (web.locale.say("web-you-are", &[("name", name)])) } }, html! {}))
                main.room { (talk(web, "web-write", "web-empty-chat", html! {})) }
            }
        }
    };
    Html(page.into_string())
}

/// The desk.
pub(crate) fn desk(web: &Web, staff: &Staff) -> Html<String> {
    let words = &web.pages;
    let right = html! {
        span.me { (staff.name) }
        button #leave.quiet type="button" { (web.word("web-leave")) }
    };
    let pay = html! {
        button #ask.ask type="button" aria-haspopup="dialog" title=(web.word("web-pay-title")) {
            svg viewBox="0 0 20 20" aria-hidden="true" { path d="M9 3h2v6h6v2h-6v6H9v-6H3V9h6z" {} }
            span { (web.word("web-pay-button")) }
        }
    };
    let page = html! {
        (DOCTYPE)
        html lang=(web.locale.tag()) {
            (head(web, &web.word("web-desk-title"), Some("desk.js")))
            body.desk data-words=(words.words) data-commands=(words.commands) data-me={ "staff:" (staff.id) } {
                (bar(web, html! { span { (web.word("web-desk-title")) } }, right))
                div.split {
                    nav.list aria-label=(web.word("web-conversations")) {
                        p #none.empty { (web.word("web-empty-desk")) }
                        ul #conversations {}
                    }
                    main #room.room hidden {
                        div.title {
                            button #back.quiet.back type="button" aria-label=(web.word("web-back")) {
                                svg viewBox="0 0 20 20" aria-hidden="true" { path d="M12.5 3.5 6 10l6.5 6.5 1.4-1.4L8.8 10l5.1-5.1z" {} }
                            }
                            h2 #who tabindex="-1" {}
                        }
                        (talk(web, "web-write-desk", "web-empty-room", pay))
                    }
                    p #choose.empty.choose { (web.word("web-choose")) }
                }
                (pay_form(web))
                (question(web))
            }
        }
    };
    Html(page.into_string())
}

/// The payment form: it writes a command, so that there is one grammar.
fn pay_form(web: &Web) -> Markup {
    html! {
        dialog #pay aria-labelledby="pay-title" {
            form method="dialog" autocomplete="off" {
                h2 #pay-title { (web.word("web-pay-title")) }
                div.pair {
                    label { span { (web.word("web-pay-amount")) }
                        input name="amount" inputmode="decimal" required maxlength="20" placeholder="25.00"; }
                    label { span { (web.word("web-pay-currency")) }
                        input.upper name="currency" required maxlength="3" pattern="[A-Za-z]{3}" value=(web.settings.currency)
                            autocapitalize="characters" spellcheck="false"; }
                }
                label { span { (web.word("web-pay-what")) }
                    input name="what" maxlength="120" placeholder=(web.word("web-pay-what-example")); }
                label { span { (web.word("web-pay-email")) }
                    input name="email" type="email" maxlength="254" placeholder="ana@example.com"; }
                label { span { (web.word("web-pay-note")) } textarea name="note" rows="2" maxlength="300" {} }
                p.wrong role="alert" hidden {}
                div.buttons {
                    button.quiet type="button" value="close" { (web.word("web-close")) }
                    button.primary type="submit" { (web.word("web-pay-send")) }
                }
            }
        }
    }
}

/// What a button of a card asks back: an amount, or just whether it is meant.
fn question(web: &Web) -> Markup {
    html! {
        dialog #question aria-labelledby="question-title" aria-describedby="question-text" {
            form method="dialog" autocomplete="off" {
                h2 #question-title {}
                p #question-text {}
                label { span { (web.word("web-question-amount")) } input name="amount" inputmode="decimal" maxlength="40"; }
                p.wrong role="alert" hidden {}
                div.buttons {
                    button.quiet type="button" value="close" { (web.word("web-close")) }
                    button.primary type="submit" {}
                }
            }
        }
    }
}

/// What a one-time link shows before it is used.
pub(crate) fn invitation(web: &Web, staff: &Staff, token: &str) -> Html<String> {
    let hello = web.locale.say("web-enter-hello", &[("name", &staff.name)]);
    small(
        web,
        &hello,
        html! {
            p { (web.locale.say("web-enter-about", &[("merchant", &web.settings.merchant_name)])) }
            form method="post" action={ "/desk/enter/" (token) } {
                button.primary type="submit" { (web.word("web-enter")) }
            }
        },
    )
}

/// What a link shows that was used, has expired or never was.
pub(crate) fn no_invitation(web: &Web) -> Html<String> {
    small(web, &web.word("web-enter-gone"), html! { p { (web.word("web-enter-gone-about")) } })
}

/// What somebody sees who cannot be let in now.
pub(crate) fn refused(web: &Web, sentence: &str) -> Html<String> {
    small(web, &web.settings.merchant_name, html! { p { (sentence) } })
}

fn small(web: &Web, title: &str, content: Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang=(web.locale.tag()) {
            (head(web, title, None))
            body.small { main.sheet { (stamp(web)) h1 { (title) } (content) } }
        }
    };
    Html(page.into_string())
}
