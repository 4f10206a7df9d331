//! The pages behind Till's own links: what is asked and by whom, the way to the provider, and the receipt.
//!
//! ```text
//! GET  /p/<token>  shows, changes nothing (link previews fetch it)
//! POST /p/<token>  counts the opening ─► 303 to the usable checkout
//!                  none usable ─► asks for the next one, waits up to 3 s ─► 303, or "one moment"
//! GET  /r/<token>  the receipt
//! ```
//! Whoever has the link may use it. A token that opens nothing, or is no token, is a plain 404.

use crate::book::{self, Loaded, Written};
use crate::http::ClientAddr;
use crate::world::World;
use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use dashmap::DashMap;
use maud::{DOCTYPE, Markup, html};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use till_core::budget::{Budget, Rate, network};
use till_core::card::{Audience, Card, Mode};
use till_core::link::{self, Purpose};
use till_core::payment::{self, Fact, Status};
use till_core::port::store::{Change, Shows, StoreError};
use till_core::text::Locale;
use till_core::time::Timestamp;
use url::Url;

/// How often one link may be opened.
const OPENINGS: Rate = Rate { burst: 10, every: Duration::from_secs(6) };
/// How often one address may open links, whichever.
const PER_ADDRESS: Rate = Rate { burst: 60, every: Duration::from_secs(1) };
/// How long a payer waits for a new checkout before the page says "one moment".
const WAIT: Duration = Duration::from_secs(3);
/// Openings of one payment are counted up to here; more of them say nothing new.
const OPENINGS_COUNTED_MAX: u32 = 100;
/// Entries of rate budgets that are kept at most.
const BUDGETS_MAX: usize = 50_000;

const CSS: &str = include_str!("assets/till.css");

/// What the pages need.
pub struct Pages {
    world: Arc<World>,
    by_link: DashMap<[u8; 32], Budget>,
    by_address: DashMap<String, Budget>,
}

/// The routes of the pages.
pub fn router(world: Arc<World>) -> Router {
    let pages = Arc::new(Pages { world, by_link: DashMap::new(), by_address: DashMap::new() });
    Router::new()
        .route("/p/{token}", get(pay_page).post(pay))
        .route("/r/{token}", get(receipt))
        .route("/assets/till.css", get(css))
        .with_state(pages)
}

async fn css() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, CSS).into_response()
}

/// Why there is no page.
enum NoPage {
    /// The token opens nothing.
    NotFound,
    /// Too often.
    SlowDown,
    /// The store does not answer.
    Busy,
}

impl Pages {
    fn locale(&self) -> &Locale {
        &self.world.merchant.locale
    }

    async fn open(&self, token: &str, purpose: Purpose) -> Result<Loaded, NoPage> {
        if !link::is_token(token) {
            return Err(NoPage::NotFound);
        }
        let busy = |error: StoreError| {
            tracing::error!(%error, "a page could not be made: {error}");
            NoPage::Busy
        };
        let found = self.world.store.payment_by_link(purpose, &link::hash(token)).await.map_err(busy)?;
        let (merchant, id) = found.ok_or(NoPage::NotFound)?;
        book::load(&self.world, &merchant, id).await.map_err(busy)?.ok_or(NoPage::NotFound)
    }

    /// Each address has a budget, whatever it opens.
    fn address_may(&self, address: IpAddr, now: Timestamp) -> Result<(), NoPage> {
        take(&self.by_address, network(address), PER_ADDRESS, now)
    }

    /// Each link has one, whoever opens it. Asked only about links that are there.
    fn link_may(&self, token: &str, now: Timestamp) -> Result<(), NoPage> {
        take(&self.by_link, link::hash(token), OPENINGS, now)
    }

    fn no_page(&self, why: &NoPage) -> Response {
        let say = |key| self.locale().say(key, &[]);
        let (status, title, text) = match why {
            NoPage::NotFound => (StatusCode::NOT_FOUND, say("page-not-found-title"), say("page-not-found")),
            NoPage::SlowDown => (StatusCode::TOO_MANY_REQUESTS, say("page-moment-title"), say("page-slow-down")),
            NoPage::Busy => (StatusCode::SERVICE_UNAVAILABLE, say("page-moment-title"), say("page-busy")),
        };
        let body = html! { main { h1 { (title) } p { (text) } } };
        let mode = self.world.accounts.mode();
        page(self.locale(), &title, mode, body, None).with(status)
    }

    fn mode(&self, loaded: &Loaded) -> Mode {
        self.world.account(&loaded.stored.account).map_or(Mode::Test, |at| at.mode())
    }
}

fn take<K: Eq + std::hash::Hash>(kept: &DashMap<K, Budget>, of: K, rate: Rate, now: Timestamp) -> Result<(), NoPage> {
    if kept.len() >= BUDGETS_MAX {
        // A full budget is the same as none; if none is full, it is an attack from very many addresses.
        kept.retain(|_, budget| !budget.is_full(rate, now));
        if kept.len() >= BUDGETS_MAX {
            kept.clear();
        }
    }
    let mut budget = kept.entry(of).or_insert_with(|| Budget::full(rate, now));
    budget.take(rate, now).map_err(|_| NoPage::SlowDown)
}

async fn pay_page(State(pages): State<Arc<Pages>>, Path(token): Path<String>) -> Response {
    let loaded = match pages.open(&token, Purpose::Pay).await {
        Ok(loaded) => loaded,
        Err(why) => return pages.no_page(&why),
    };
    let card = crate::cards::render(&pages.world, &loaded);
    let host = provider_origin(&loaded);
    let locale = pages.locale();
    let merchant = &pages.world.merchant.name;
    let title = locale.say("page-pay-title", &[("merchant", merchant)]);
    let body = html! {
        main {
            p.kicker { (locale.say("page-asks", &[("merchant", merchant)])) }
            (summary(&card, locale))
            @if loaded.payment.is_payable() {
                form method="post" {
                    button type="submit" { (locale.say("page-pay", &[("amount", &card_missing(&loaded, locale))])) }
                }
                @if let Some(host) = host.as_ref().and_then(|origin| origin.host_str().map(str::to_owned)) {
                    p.small { (locale.say("page-next", &[("host", &host)])) }
                }
            } @else {
                p.state { (locale.say(state_key(card.status), &[])) }
                @if loaded.payment.sums().captured > 0 {
                    @if let Some(receipt) = pages.world.page(Purpose::Receipt, &loaded.stored) {
                        p { a href=(receipt) { (locale.say("page-receipt", &[])) } }
                    }
                }
                p.small { (locale.say("page-back", &[])) }
            }
        }
    };
    page(locale, &title, card.mode, body, host).with(StatusCode::OK)
}

fn card_missing(loaded: &Loaded, locale: &Locale) -> String {
    let sums = loaded.payment.sums();
    sums.money(sums.missing()).text(locale)
}

fn state_key(status: Status) -> &'static str {
    match status {
        Status::Paid | Status::Overpaid | Status::PartiallyRefunded => "page-state-paid",
        Status::Processing => "page-state-processing",
        Status::Cancelling | Status::Cancelled => "page-state-cancelled",
        Status::Closing | Status::Expired => "page-state-expired",
        Status::Refunded | Status::RefundPending => "page-state-refunded",
        Status::Preparing => "page-moment",
        Status::NeedsReview
        | Status::ChargedBack
        | Status::Disputed
        | Status::PartiallyPaid
        | Status::Returned
        | Status::Rejected
        | Status::PendingApproval
        | Status::Failed
        | Status::Open => "page-state-other",
    }
}

fn summary(card: &Card, locale: &Locale) -> Markup {
    html! {
        p.amount { (card.amount.to_string()) }
        @if !card.items.is_empty() {
            table { @for item in card.items.iter() { tr { td { (item.name.to_string()) } td.number { (item.amount.to_string()) } } } }
        }
        dl {
            @for detail in card.for_audience(Audience::Anyone).details.iter() { dt { (detail.label.to_string()) } dd { (detail.value.to_string()) } }
            dt { (locale.say("page-code", &[])) } dd.code { (card.code.to_string()) }
        }
        @if let Some(note) = &card.note { p.note { (note.to_string()) } }
    }
}

async fn pay(
    State(pages): State<Arc<Pages>>,
    Path(token): Path<String>,
    Extension(ClientAddr(address)): Extension<ClientAddr>,
) -> Response {
    let world = &pages.world;
    let now = (world.clock)();
    if let Err(why) = pages.address_may(address, now) {
        return pages.no_page(&why);
    }
    let loaded = match pages.open(&token, Purpose::Pay).await {
        Ok(loaded) => loaded,
        Err(why) => return pages.no_page(&why),
    };
    if let Err(why) = pages.link_may(&token, now) {
        return pages.no_page(&why);
    }
    match opened(world, &loaded, now).await {
        Ok(true) => {}
        Ok(false) => return Redirect::to(&format!("/p/{token}")).into_response(),
        Err(error) => {
            tracing::error!(%error, "an opening could not be kept: {error}");
            return pages.no_page(&NoPage::Busy);
        }
    }
    let until = tokio::time::sleep(WAIT);
    tokio::pin!(until);
    loop {
        let news = world.bells.facts.notified();
        match pages.open(&token, Purpose::Pay).await {
            Ok(loaded) => match usable_url(&loaded, now) {
                Some(url) => return Redirect::to(&url).into_response(),
                // The one before has closed by now: the next one can be asked for.
                None if loaded.payment.next_checkout().is_some() => {
                    if let Err(error) = opened(world, &loaded, now).await {
                        tracing::error!(%error, "a checkout could not be asked for: {error}");
                        return pages.no_page(&NoPage::Busy);
                    }
                }
                None if !loaded.payment.is_payable() => return Redirect::to(&format!("/p/{token}")).into_response(),
                None => {}
            },
            Err(why) => return pages.no_page(&why),
        }
        tokio::select! {
            () = &mut until => return moment(&pages, &loaded),
            () = news => {}
            // Another process may have made it: look again without being told.
            () = tokio::time::sleep(Duration::from_millis(250)) => {}
        }
    }
}

/// Counts the opening, and asks for the next checkout where none is usable. `false`: there is nothing to pay.
///
/// # Errors
/// [`StoreError`]: nothing was written.
pub async fn opened(world: &World, loaded: &Loaded, now: Timestamp) -> Result<bool, StoreError> {
    let (merchant, id) = (&loaded.stored.merchant, loaded.stored.id);
    let written = book::write::<()>(world, merchant, id, now, |loaded, commit| {
        if !loaded.payment.is_payable() || now >= loaded.payment.deadline {
            return Err(());
        }
        let asked = payment::checkout_again(&loaded.payment, now);
        let work = asked.as_ref().and_then(|asked| book::checkout_work(world, loaded, asked, now));
        let k = loaded.payment.openings.saturating_add(1);
        let opening = (k <= OPENINGS_COUNTED_MAX).then_some(Fact::LinkOpened { k });
        let shows = if asked.is_some() { Shows::OnCards } else { Shows::Nowhere };
        let facts = asked.into_iter().chain(opening).collect();
        let change = book::change(world, loaded, facts, Vec::new(), work.into_iter().collect(), now);
        commit.payment = change.map(|change| Change { shows, ..change });
        Ok(())
    });
    // Where too many press at once, the press still leads to the checkout; only its count is lost.
    Ok(matches!(written.await?, Written::Done(_) | Written::Contended))
}

/// Where the payer can pay. A checkout whose time is over is none, also as long as the provider has not said so.
fn usable_url(loaded: &Loaded, now: Timestamp) -> Option<String> {
    let (n, id) = loaded.payment.usable()?;
    let closes_at = loaded.payment.checkouts.get(&n).and_then(|it| it.closes_at);
    if closes_at.is_some_and(|at| at <= now) {
        return None;
    }
    World::checkout_url(&loaded.stored, id.as_str())
}

/// The origin of the provider's pages, for the page's security policy and for people.
fn provider_origin(loaded: &Loaded) -> Option<Url> {
    let usable = loaded.payment.usable().and_then(|(_, id)| World::checkout_url(&loaded.stored, id.as_str()));
    let url = usable.or_else(|| loaded.stored.checkout_urls.last().map(|(_, url)| url.clone()))?;
    Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn moment(pages: &Pages, loaded: &Loaded) -> Response {
    let locale = pages.locale();
    let title = locale.say("page-moment-title", &[]);
    let body = html! {
        main {
            h1 { (title) }
            p { (locale.say("page-moment", &[])) }
            form method="post" { button type="submit" { (locale.say("page-again", &[])) } }
        }
    };
    page(locale, &title, pages.mode(loaded), body, provider_origin(loaded)).with(StatusCode::OK)
}

async fn receipt(State(pages): State<Arc<Pages>>, Path(token): Path<String>) -> Response {
    let loaded = match pages.open(&token, Purpose::Receipt).await {
        Ok(loaded) if loaded.payment.sums().captured > 0 => loaded,
        Ok(_) => return pages.no_page(&NoPage::NotFound),
        Err(why) => return pages.no_page(&why),
    };
    let card = crate::cards::render(&pages.world, &loaded);
    let (locale, sums) = (pages.locale(), loaded.payment.sums());
    let merchant = &pages.world.merchant.name;
    let title = locale.say("page-receipt-from", &[("merchant", merchant)]);
    let row = |key: &str, value: String| html! { dt { (locale.say(key, &[])) } dd { (value) } };
    let text = |minor| sums.money(minor).text(locale);
    let references: Vec<&str> = loaded.payment.captures.keys().map(till_core::id::CaptureId::as_str).collect();
    let body = html! {
        main {
            h1 { (title) }
            @if !card.items.is_empty() {
                table { @for item in card.items.iter() { tr { td { (item.name.to_string()) } td.number { (item.amount.to_string()) } } } }
            }
            dl {
                (row("page-receipt-number", card.code.to_string()))
                @if let Some(at) = loaded.payment.paid_at() { (row("page-receipt-date", at.text())) }
                @if let Some(what) = &loaded.stored.wording.what { (row("page-for", what.clone())) }
                @if let Some(reference) = &loaded.stored.wording.reference { (row("card-label-reference", reference.clone())) }
                (row("page-receipt-total", text(sums.captured)))
                @if sums.refunded > 0 {
                    (row("page-receipt-refunded", text(sums.refunded)))
                    (row("page-receipt-kept", text(sums.kept())))
                }
                (row("page-receipt-method", references.join(", ")))
            }
            p.small { (locale.say("page-receipt-note", &[])) }
        }
    };
    page(locale, &title, card.mode, body, None).with(StatusCode::OK)
}

/// A page and the origin that its form may lead to.
struct Page(Markup, Option<String>);

impl Page {
    fn with(self, status: StatusCode) -> Response {
        let leads_to = self.1.map(|origin| format!(" {origin}")).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action 'self'{leads_to}; base-uri 'none'; frame-ancestors 'none'"
        );
        let mut response = (status, Html(self.0.into_string())).into_response();
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

fn page(locale: &Locale, title: &str, mode: Mode, body: Markup, leads_to: Option<Url>) -> Page {
    let markup = html! {
        (DOCTYPE)
        html lang=(locale.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="stylesheet" href="/assets/till.css";
            }
            body {
                @if mode == Mode::Test { p.test role="note" { (locale.say("page-test", &[])) } }
                (body)
            }
        }
    };
    Page(markup, leads_to.map(|url| url.origin().ascii_serialization()))
}
