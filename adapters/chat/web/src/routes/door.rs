//! The door: what every request that changes something must show before it is read.

use super::refusal::Refusal;
use crate::limits::Limited;
use crate::sessions::{Person, Side};
use crate::{Origins, Web};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use till_core::command::clean;

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// A larger one is received up to here and thrown away, so that the browser hears the answer instead of a broken pipe.
const BODY_BYTES_DRAINED: usize = 2 * 1024 * 1024;
/// The longest message.
pub(crate) const TEXT_CHARS_MAX: usize = 4_000;

/// Who sent the request, and what it says.
pub(crate) async fn open<T: DeserializeOwned>(web: &Web, side: Side, request: Request) -> Result<(Person, T), Refusal> {
    let (parts, body) = request.into_parts();
    from_our_page(web, &parts.headers)?;
    if !is_json(&parts.headers) {
        return Err(Refusal::Unreadable);
    }
    let often = Refusal::TooOften;
    web.limits.take_of(Limited::Address, (web.settings.address)(&parts.extensions), web.now()).map_err(often)?;
    let person = signed_in(web, side, &parts.headers).await?;
    let (what, whose) = person.limited();
    web.limits.take(what, whose, web.now()).map_err(often)?;
    let body = read(body).await?;
    Ok((person, serde_json::from_slice(&body).map_err(|_| Refusal::Unreadable)?))
}

/// Who is signed in; at the desk, nobody is the same as no such page.
pub(crate) async fn signed_in(web: &Web, side: Side, headers: &HeaderMap) -> Result<Person, Refusal> {
    let nobody = match side {
        Side::Customer => Refusal::SignedOut,
        Side::Desk => Refusal::Hidden,
    };
    web.who(side, headers).await?.ok_or(nobody)
}

/// Refuses what another site sends in the name of whoever is signed in here (CSRF).
///
/// Source: Fetch standard, "append a request `Origin` header": a browser sends it with every POST.
pub(crate) fn from_our_page(web: &Web, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).ok_or(Refusal::Origin)?;
    let ours = match &web.settings.origins {
        Origins::Listed(listed) => listed.iter().any(|ours| ours.trim_end_matches('/').eq_ignore_ascii_case(origin)),
        Origins::SameHost => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some() && authority == text(header::HOST)
        }
    };
    if ours { Ok(()) } else { Err(Refusal::Origin) }
}

/// A form of another site cannot send this type without asking first.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut seen) = (Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refusal::Unreadable)?;
        seen = seen.saturating_add(chunk.len());
        if seen > BODY_BYTES_DRAINED {
            break;
        }
        if seen <= BODY_BYTES_MAX {
            kept.extend_from_slice(&chunk);
        }
    }
    if seen > BODY_BYTES_MAX { Err(Refusal::TooLong) } else { Ok(kept) }
}

/// What somebody wrote, line by line without what cannot be seen; refused when it is empty or too long.
pub(crate) fn said(text: &str) -> Result<String, Refusal> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(Refusal::TooLong);
    }
    let lines: Vec<String> = text.lines().map(clean).collect();
    let text = lines.join("\n");
    let text = text.trim();
    if text.is_empty() { Err(Refusal::Unreadable) } else { Ok(text.to_owned()) }
}

/// A short word of the page's own making: an id or a token.
pub(crate) fn word(text: &str) -> Result<&str, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte);
    let fine = (1..=64).contains(&text.len()) && text.bytes().all(plain);
    if fine { Ok(text) } else { Err(Refusal::Unreadable) }
}
