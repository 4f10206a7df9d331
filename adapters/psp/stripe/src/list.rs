//! Stripe's lists, page by page: the events since the last look, and what fills the gap when they are too old.
//!
//! ```text
//! (none)           ─► gap …              where the account is older than the events that Stripe keeps
//! (none), events   ─► back:NEWEST:LAST   from the newest event to the oldest that Stripe keeps
//!                  ─► EVENT@SECONDS     the events after this one
//! EVENT@SECONDS    ─► gap:KIND:SECONDS:LAST    Stripe has forgotten the event (30 days): all sessions, refunds and
//!                                              disputes that may have changed since, then the events
//! ```
//! One that cannot be read is named and passed over: it must not stop those behind it. Warnings and reviews that fall
//! into a gap are not found again; they move no money.
//! Stripe lists newest first; a page is turned around, so that reports come oldest first.
//! Source: Stripe docs, "List all events", "Pagination".

use crate::call::Told;
use crate::event::{self, DEAUTHORIZED, KINDS};
use crate::wire::{Any, Dispute, Event, List, Ref, Refund, Session};
use crate::{CLOCKS, Stripe, call, read};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use till_core::id::CaptureId;
use till_core::port::http::Http;
use till_core::port::psp::{About, Account, Evidence, Fault, Page, Psp as _, Reported};
use till_core::time::Timestamp;

/// How many objects a page holds; Stripe's largest.
pub(crate) const PAGE: u32 = 100;

/// What was made so long before the last event that we know may have changed since: a debit takes two weeks, a refund
/// comes back after one month, a dispute is decided after three.
const UNDECIDED_SECS: i64 = 100 * 24 * 3600;
/// Stripe lists events for thirty days; one day stays for its clock and ours.
const LISTED: Duration = Duration::from_secs(29 * 24 * 3600);

/// Where in the lists we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// At the beginning.
    Start,
    /// Before the newest event; what is older than all events was listed.
    Listed,
    /// On the way from the newest event to the oldest.
    Back { newest: Place, last: String },
    /// After this event.
    After(Place),
    /// In what Stripe has forgotten the events of.
    Gap { kind: Kind, since: i64, last: String },
}

/// An event and its second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    id: String,
    secs: i64,
}

/// What fills a gap, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sessions,
    Refunds,
    Disputes,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Sessions, Self::Refunds, Self::Disputes];

    fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Refunds => "refunds",
            Self::Disputes => "disputes",
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Sessions => Some(Self::Refunds),
            Self::Refunds => Some(Self::Disputes),
            Self::Disputes => None,
        }
    }
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (id, secs) = text.split_once('@')?;
        Some(Self { id: call::segment(id).ok()?, secs: secs.parse().ok()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.secs)
    }
}

impl Cursor {
    /// What cannot be read begins anew: every fact that is known already is no second one.
    pub(crate) fn read(text: Option<&str>) -> Self {
        let parts: Vec<&str> = text.unwrap_or_default().split(':').collect();
        let read = match parts[..] {
            ["back", newest, last] => Place::read(newest).map(|newest| Self::Back { newest, last: last.to_owned() }),
            ["gap", kind, since, last] => {
                let kind = Kind::ALL.into_iter().find(|known| known.name() == kind);
                let since: Option<i64> = since.parse().ok();
                kind.zip(since).map(|(kind, since)| Self::Gap { kind, since, last: last.to_owned() })
            }
            ["events"] => Some(Self::Listed),
            [place] => Place::read(place).map(Self::After),
            _ => None,
        };
        read.unwrap_or(Self::Start)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Listed => f.write_str("events"),
            Self::Back { newest, last } => write!(f, "back:{newest}:{last}"),
            Self::After(place) => place.fmt(f),
            Self::Gap { kind, since, last } => write!(f, "gap:{}:{since}:{last}", kind.name()),
        }
    }
}

/// The next page.
pub(crate) async fn page(http: &dyn Http, at: &Account, cursor: Cursor) -> Result<Page, Fault> {
    match cursor {
        Cursor::Start | Cursor::Listed | Cursor::Back { .. } => back(http, at, cursor).await,
        Cursor::After(place) => after(http, at, place).await,
        Cursor::Gap { kind, since, last } => gap(http, at, kind, since, &last).await,
    }
}

async fn back(http: &dyn Http, at: &Account, cursor: Cursor) -> Result<Page, Fault> {
    let from = match &cursor {
        Cursor::Back { last, .. } => format!("&starting_after={}", call::segment(last)?),
        Cursor::Start | Cursor::Listed | Cursor::After(_) | Cursor::Gap { .. } => String::new(),
    };
    let since = since(at);
    let told = match (events(http, at, &format!("&created[gte]={since}{from}")).await, &cursor) {
        // Stripe has forgotten what was the oldest, and so all that was older.
        (Err(Fault::NotFound), Cursor::Back { newest, .. }) => return Ok(nothing_but(&Cursor::After(newest.clone()))),
        (other, _) => other?,
    };
    // Nothing was ever read, and for so long that the events do not reach back to the beginning.
    if cursor == Cursor::Start && told.at.is_some_and(|now| now.since(at.since) > LISTED) {
        return Ok(nothing_but(&Cursor::Gap { kind: Kind::Sessions, since, last: String::new() }));
    }
    let list = told.object;
    let newest = match &cursor {
        Cursor::Back { newest, .. } => Some(newest.clone()),
        Cursor::Start | Cursor::Listed | Cursor::After(_) | Cursor::Gap { .. } => list.data.first().map(place_of),
    };
    let last = list.data.last().map(|event| event.id.clone());
    let cursor = match (newest, last.filter(|_| list.has_more)) {
        (None, _) => cursor,
        (Some(newest), None) => Cursor::After(newest),
        (Some(newest), Some(last)) => Cursor::Back { newest, last },
    };
    filled(http, at, &list.data, cursor, list.has_more).await
}

/// A page that only says where to go on.
fn nothing_but(cursor: &Cursor) -> Page {
    Page { reports: vec![], unreadable: vec![], cursor: cursor.to_string(), more: true }
}

async fn after(http: &dyn Http, at: &Account, place: Place) -> Result<Page, Fault> {
    let list = match events(http, at, &format!("&ending_before={}", call::segment(&place.id)?)).await {
        Err(Fault::NotFound) => {
            tracing::warn!(account = %at.id, "Stripe has forgotten where we were in its events: lists fill the gap");
            let since = place.secs.saturating_sub(UNDECIDED_SECS).max(since(at));
            return Ok(nothing_but(&Cursor::Gap { kind: Kind::Sessions, since, last: String::new() }));
        }
        other => other?.object,
    };
    let cursor = Cursor::After(list.data.first().map_or(place, place_of));
    filled(http, at, &list.data, cursor, list.has_more).await
}

/// A shop that has sold for years has nothing of ours from before the account was added.
fn since(at: &Account) -> i64 {
    at.since.before(CLOCKS).secs().max(0)
}

fn place_of(event: &Event) -> Place {
    Place { id: event.id.clone(), secs: event.created }
}

async fn events(http: &dyn Http, at: &Account, from: &str) -> Result<Told<List<Event>>, Fault> {
    // A platform is told of lost access, its accounts' lists are not.
    let kinds = KINDS.iter().filter(|kind| **kind != DEAUTHORIZED);
    let kinds: String = kinds.map(|kind| format!("&types[]={kind}")).collect();
    call::get(http, at, &format!("/v1/events?limit={PAGE}{kinds}{from}")).await
}

/// The reports of events, oldest first.
async fn filled(http: &dyn Http, at: &Account, events: &[Event], cursor: Cursor, more: bool) -> Result<Page, Fault> {
    let (mut reports, mut unreadable) = (Vec::new(), Vec::new());
    for event in events.iter().rev() {
        match event::evidence(event, at) {
            Evidence::Facts(report) => reports.push(report),
            Evidence::Foreign | Evidence::AccessLost { .. } => {}
            Evidence::Hint { event: _, ask } => match Stripe.fetch(http, at, &ask).await {
                Ok(found) => reports.extend(found),
                Err(Fault::NotFound) => {}
                Err(Fault::Unreadable(_)) => unreadable.push(event.id.clone()),
                Err(fault) => return Err(fault),
            },
        }
    }
    Ok(Page { reports, unreadable, cursor: cursor.to_string(), more })
}

async fn gap(http: &dyn Http, at: &Account, kind: Kind, since: i64, last: &str) -> Result<Page, Fault> {
    let from = if last.is_empty() { String::new() } else { format!("&starting_after={}", call::segment(last)?) };
    let query = format!("?limit={PAGE}&created[gte]={since}{from}");
    let (found, last) = match kind {
        Kind::Sessions => {
            let path = format!("/v1/checkout/sessions{query}{EXPAND}");
            let read = |it: &Session, answered| (it.id.clone(), read::session(it, at, answered));
            objects(http, at, &path, read).await?
        }
        Kind::Refunds => {
            let about = |it: &Refund| of_money(it.payment_intent.as_ref());
            let read = |it: &Refund, answered| (it.id.clone(), read::refund(it, at, about(it), answered));
            objects(http, at, &format!("/v1/refunds{query}"), read).await?
        }
        Kind::Disputes => {
            let about = |it: &Dispute| of_money(it.payment_intent.as_ref());
            let read = |it: &Dispute, answered| (it.id.clone(), read::dispute(it, at, about(it), answered));
            objects(http, at, &format!("/v1/disputes{query}"), read).await?
        }
    };
    let cursor = match (last, kind.next()) {
        (Some(last), _) => Cursor::Gap { kind, since, last },
        (None, Some(kind)) => Cursor::Gap { kind, since, last: String::new() },
        (None, None) => Cursor::Listed,
    };
    let mut page = Page { reports: vec![], unreadable: vec![], cursor: cursor.to_string(), more: true };
    for (id, read) in found.into_iter().rev() {
        match read {
            Ok(report) => page.reports.push(report),
            // Somebody else's.
            Err(Fault::NotFound) => {}
            Err(_) => page.unreadable.push(id),
        }
    }
    Ok(page)
}

/// An object's id, and what it says.
type Found = (String, Result<Reported, Fault>);

/// A page of objects, newest first, and the id of the last one where more follow.
async fn objects<T: DeserializeOwned>(
    http: &dyn Http,
    at: &Account,
    path: &str,
    read: impl Fn(&T, Option<Timestamp>) -> Found,
) -> Result<(Vec<Found>, Option<String>), Fault> {
    let told = call::get::<List<Value>>(http, at, path).await?;
    // Each by itself: an odd one must not stand in the way of those behind it.
    let found = told.object.data.iter().map(|it| {
        let id = it["id"].as_str().unwrap_or_default().to_owned();
        T::deserialize(it).map_err(call::unreadable).map_or_else(|odd| (id, Err(odd)), |it| read(&it, told.at))
    });
    let found: Vec<Found> = found.collect();
    let last = found.last().map(|(id, _)| id.clone()).filter(|_| told.object.has_more);
    Ok((found, last))
}

/// What hangs on money does not always say whose that is.
fn of_money(intent: Option<&Ref<Any>>) -> About {
    About::Capture(CaptureId::new(intent.map_or("", Ref::<Any>::id)))
}

/// Asks for a session's intent and its charge, so that a paid one tells when it was paid.
pub(crate) const EXPAND: &str = "&expand[]=data.payment_intent.latest_charge";
