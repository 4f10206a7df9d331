//! What the database says about how this till fares.
//!
//! ```text
//! till: the last sign of life · queues: the oldest of each · dead letters: how many, the newest · drift: the last comparison
//! ```
//! Deliberately absent: asking anybody outside, so that these lines come even when nothing can be reached.

use super::Findings;
use crate::dead;
use crate::drift::Compared;
use crate::upkeep::{self, Alive};
use std::time::Duration;
use till_core::id::MerchantId;
use till_core::port::psp::Finding;
use till_core::port::store::{DeadLetter, Letter, LetterKind, Store, StoreError, Waiting, Which};
use till_core::time::Timestamp;

/// What is due for longer than this is stuck.
const STUCK: Duration = Duration::from_secs(600);
/// How many dead letters are named.
const NAMED: u32 = 3;
/// A comparison that is older says little about today.
const COMPARED: Duration = Duration::from_secs(3 * 24 * 3600);

pub(super) async fn findings(store: &dyn Store, merchant: &MerchantId, now: Timestamp) -> Result<Findings, StoreError> {
    let waiting = store.waiting(merchant).await?;
    let named = store.dead(merchant, Which::All, NAMED).await?;
    let mut queues: Vec<Finding> = waiting.iter().filter_map(|it| stuck(it, now)).collect();
    if queues.is_empty() {
        queues.push(of_queues(&waiting));
    }
    let alive = of_alive(upkeep::alive(store, merchant, now).await?.as_ref(), now);
    let drift = of_drift(Compared::last(store, merchant, now).await?.as_ref(), now);
    let all = [("till", vec![alive]), ("queues", queues), ("dead letters", vec![of_dead(&waiting, &named)])];
    Ok(all.into_iter().chain([("drift", vec![drift])]).map(|(about, found)| (about.to_owned(), found)).collect())
}

fn of_alive(alive: Option<&Alive>, now: Timestamp) -> Finding {
    let start = "start it with `till serve`, and let the system start it again after a crash and at boot";
    match alive {
        None => Finding::note("no till has run on this database yet", "start it with `till serve`"),
        Some(alive) if alive.is_fresh(now) => Finding::good(format!(
            "a till serves this database since {} (version {})",
            alive.began.text(),
            alive.version
        )),
        Some(alive) => {
            let since = alive.at.text();
            Finding::wrong(
                format!("no till has been running since {since}: nothing is asked for, shown or heard"),
                start,
            )
        }
    }
}

fn of_queues(waiting: &[Waiting]) -> Finding {
    let open = dead::counted(waiting.iter().map(|it| (it.kind, it.open)));
    if open.is_empty() { Finding::good("nothing waits") } else { Finding::good(format!("on their way: {open}")) }
}

/// What has waited too long. A delivery waits for its payment, which may take days.
fn stuck(of: &Waiting, now: Timestamp) -> Option<Finding> {
    let oldest = of.oldest.as_ref().filter(|oldest| now.since(oldest.since) > STUCK)?;
    let (what, mend) = match of.kind {
        LetterKind::Call => {
            ("a call to the provider", "look at the account below; it is tried again by itself, within minutes")
        }
        LetterKind::Message => {
            ("a message", "look whether the chat can be reached, and whether Till may still write there")
        }
        LetterKind::Card => ("a card", "look whether the chat can be reached, and whether Till may still write there"),
        LetterKind::Delivery => return None,
    };
    let Letter { payment, why, since, tries, .. } = oldest;
    let code = payment.map(|(_, code)| format!(" of {code}")).unwrap_or_default();
    let why = match (tries, why.as_str()) {
        (0, _) => "never tried".to_owned(),
        (tries, "") => format!("tried {tries} times"),
        (tries, why) => format!("tried {tries} times, last: {why}"),
    };
    let others = match of.open {
        0 | 1 => String::new(),
        open => format!("; with it {} more wait", open - 1),
    };
    let text = format!("{what}{code} waits since {}: {why}{others}", since.text());
    let mend = if *tries == 0 { "start the till: `till serve`; if it runs, look at its log" } else { mend };
    Some(Finding::wrong(text, mend))
}

fn of_dead(waiting: &[Waiting], named: &[DeadLetter]) -> Finding {
    let counted = dead::counted(waiting.iter().map(|it| (it.kind, it.dead)));
    if counted.is_empty() {
        return Finding::good("nothing was given up");
    }
    let named = named.iter().map(|it| {
        let code = it.letter.payment.map(|(_, code)| format!(" of {code}")).unwrap_or_default();
        format!("a {}{code}: {}", it.letter.kind.name(), it.letter.why)
    });
    let named: Vec<String> = named.collect();
    Finding::note(
        format!("given up: {counted}; newest first {}", named.join("; ")),
        "`till dead list` shows all of it; mend what stands in the way, then `till dead retry --all`",
    )
}

fn of_drift(last: Option<&Compared>, now: Timestamp) -> Finding {
    let by_hand = "`till reconcile` compares now; a running till does it once a day";
    let Some(last) = last else {
        return Finding::note("payments were never compared with the provider", by_hand);
    };
    let Compared { at, looked, mended, differ, unknown, .. } = *last;
    let when = at.text();
    match (differ, unknown, mended) {
        (0, 0, 0) if now.since(at) > COMPARED => {
            Finding::note(format!("payments were last compared with the provider on {when}"), by_hand)
        }
        (0, 0, 0) => Finding::good(format!("all {looked} payments agreed with the provider ({when})")),
        (0, 0, mended) => Finding::note(
            format!("of {looked} payments {mended} had missed something, which was mended ({when})"),
            "no webhook told of it: look at the deliveries of the accounts below",
        ),
        (0, unknown, _) => Finding::note(
            format!("{unknown} of {looked} payments could not be compared with the provider ({when})"),
            "`till reconcile` compares now, and says of each why not",
        ),
        (differ, _, _) => Finding::wrong(
            format!("{differ} of {looked} payments differ from the provider ({when})"),
            "`till reconcile` mends what is safe, and says of each other why not",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use till_core::port::psp::Verdict;

    #[test]
    fn what_waits_for_more_than_ten_minutes_is_stuck_and_a_delivery_may_wait_for_days() {
        let now = Timestamp::from_secs(1_795_372_200);
        let oldest = |kind, minutes: u64, tries, why: &str| {
            let since = now.before(Duration::from_secs(60 * minutes));
            let letter = Letter { kind, row: 1, payment: None, key: String::new(), why: why.into(), since, tries };
            Waiting { kind, open: 3, oldest: Some(letter), dead: 0 }
        };
        let said = |it: &Waiting| stuck(it, now).map(|it| (it.verdict, it.text));
        assert_eq!(said(&oldest(LetterKind::Card, 10, 5, "forbidden")), None);
        assert_eq!(said(&oldest(LetterKind::Delivery, 2_000, 9, "its payment is not here")), None);
        let card = "a card waits since 22 Nov 2026, 18:19 UTC: tried 5 times, last: forbidden; with it 2 more wait";
        assert_eq!(said(&oldest(LetterKind::Card, 11, 5, "forbidden")), Some((Verdict::Wrong, card.into())));
        let message = "a message waits since 22 Nov 2026, 18:19 UTC: never tried; with it 2 more wait";
        assert_eq!(said(&oldest(LetterKind::Message, 11, 0, "")), Some((Verdict::Wrong, message.into())));
    }
}
