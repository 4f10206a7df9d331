//! Dead letters as the host reads them: what Till has given up, why, and how it is tried once more.
//!
//! A running till finds what was made due again by itself. Deliberately absent: throwing one away. What is left alone
//! harms nobody, and a delivery is forgotten after a month.

use crate::assemble::{StartError, merchant_id};
use crate::upkeep;
use std::fmt::Write as _;
use till_core::id::Code;
use till_core::port::store::{DeadLetter, LetterKind, Store, StoreError, Which};
use till_core::time::Timestamp;

/// More than anybody gave up in a lifetime.
const ALL: u32 = 1_000_000;

/// What was given up, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(store: &dyn Store, limit: u32, json: bool) -> Result<String, StoreError> {
    let (merchant, mut text) = (merchant_id(), String::new());
    let letters = store.dead(&merchant, Which::All, limit).await?;
    for it in &letters {
        let _ = if json { writeln!(text, "{}", as_json(it)) } else { writeln!(text, "{}", line(it)) };
    }
    if json {
        return Ok(text);
    }
    let all: u64 = store.waiting(&merchant).await?.iter().map(|it| it.dead).sum();
    let shown = u64::try_from(letters.len()).unwrap_or(u64::MAX);
    if all == 0 {
        text.push_str("Nothing was given up.\n");
        return Ok(text);
    }
    if shown < all {
        let _ = writeln!(text, "and {} older ones: --limit shows more", all - shown);
    }
    text.push_str(
        "\nMend what stands in their way, then: till dead retry CODE, till dead retry KEY, or till dead retry --all\n",
    );
    Ok(text)
}

/// One in a line: of which payment, what it is, why and when it was given up.
pub fn line(it: &DeadLetter) -> String {
    let letter = &it.letter;
    let code = letter.payment.map(|(_, code)| code.to_string()).unwrap_or_default();
    let (given_up, kind, since) = (it.given_up.text(), letter.kind.name(), letter.since.text());
    let times = if letter.tries == 1 { "1 try".to_owned() } else { format!("{} tries", letter.tries) };
    let why = if letter.why.is_empty() { "no reason was written down" } else { &letter.why };
    format!("{code:<6}  {kind:<8}  {given_up}, after {times} since {since}: {why}  ({})", letter.key)
}

fn as_json(it: &DeadLetter) -> serde_json::Value {
    let letter = &it.letter;
    serde_json::json!({
        "kind": letter.kind.name(), "code": letter.payment.map(|(_, code)| code), "payment": letter.payment.map(|(id, _)| id),
        "key": letter.key, "why": letter.why, "since": letter.since.to_string(), "given_up": it.given_up.to_string(),
        "tries": letter.tries,
    })
}

/// Makes what was given up due now: all of it, or what a code or key names. Says how many, and who does them.
///
/// # Errors
/// [`StartError`]: it names nothing that was given up, or the store failed.
pub async fn retry(store: &dyn Store, what: Option<&str>, now: Timestamp) -> Result<String, StartError> {
    let merchant = merchant_id();
    let mut revived = 0;
    for which in named(store, what).await? {
        revived += store.revive(&merchant, which, now).await?;
    }
    if let (0, Some(what)) = (revived, what) {
        let why = format!("`{what}` names nothing that was given up: `till dead list` shows what there is");
        return Err(StartError::Typed(why));
    }
    let serves = upkeep::alive(store, &merchant, now).await?.is_some_and(|alive| alive.is_fresh(now));
    let who = if serves { "the running till does that within a second" } else { "done once `till serve` runs here" };
    Ok(match revived {
        0 => "Nothing was given up, so there is nothing to try again.\n".to_owned(),
        1 => format!("1 is tried again: {who}. `till dead list` says whether it was given up once more.\n"),
        many => format!("{many} are tried again: {who}. `till dead list` says which were given up once more.\n"),
    })
}

/// What a code, or a key as it stands in the list, means.
async fn named(store: &dyn Store, what: Option<&str>) -> Result<Vec<Which>, StoreError> {
    let Some(what) = what else { return Ok(vec![Which::All]) };
    let merchant = merchant_id();
    if let Ok(code) = what.parse::<Code>() {
        let payment = store.payment_by_code(&merchant, code).await?;
        return Ok(payment.map(Which::Payment).into_iter().collect());
    }
    let all = store.dead(&merchant, Which::All, ALL).await?;
    let same = all.into_iter().map(|it| it.letter).filter(|letter| letter.key == what);
    Ok(same.map(|letter| Which::One { kind: letter.kind, row: letter.row }).collect())
}

/// `2 cards, 1 delivery`; empty when there is nothing.
pub fn counted(all: impl IntoIterator<Item = (LetterKind, u64)>) -> String {
    let some = all.into_iter().filter(|(_, count)| *count > 0).map(|(kind, count)| match (count, kind) {
        (1, kind) => format!("1 {}", kind.name()),
        (count, LetterKind::Delivery) => format!("{count} deliveries"),
        (count, LetterKind::Call | LetterKind::Message | LetterKind::Card) => format!("{count} {}s", kind.name()),
    });
    some.collect::<Vec<_>>().join(", ")
}
