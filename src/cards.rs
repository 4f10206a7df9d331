//! Cards and messages: every card comes to show what is true, and the few things worth a message are said once.
//!
//! ```text
//! shown_rev < desired_rev ─► claim ─► render the newest state ─► post or edit ─► shown_rev
//!                                       edit impossible: reply with a successor ─► tell staff ─► given up, logged
//! ```
//! Bursts collapse: a card is rendered from what is true when it is claimed, not from what happened. After a call
//! that may or may not have happened, one more edit comes last.

use crate::book::{self, Loaded};
use crate::checkouts::{backoff, settle, telling};
use crate::world::World;
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use till_core::card::{Card, View, card};
use till_core::id::Entropy;
use till_core::link::Purpose;
use till_core::order::IdemKey;
use till_core::payment::{Alert, Owed, Status};
use till_core::place::{MessageRef, PersonId, Place};
use till_core::port::chat::{Chat, Rendered, SendError, Twins};
use till_core::port::store::{
    CardClaim, Change, Commit, Outcome, Queue, Shown, ShownOutcome, Shows, StoreError, Work, WorkClaim,
};
use till_core::text::Locale;
use till_core::time::Timestamp;

/// How long a card is claimed for: longer than any call can take.
const LEASE: Duration = Duration::from_secs(45);
/// How many sends are under way at once.
const AT_ONCE: u32 = 16;
/// A message without a clear answer is not said again before it could be found.
const UNCLEAR: Duration = Duration::from_secs(10);
/// After this many tries a card or message is given up.
const TRIES_MAX: u32 = 50;

/// The card of a payment, as it is now.
pub fn render(world: &World, loaded: &Loaded) -> Card {
    render_in(world, loaded, world.tongues.own())
}

/// The same in another language, for one person alone.
pub fn render_in(world: &World, loaded: &Loaded, locale: &Locale) -> Card {
    let stored = &loaded.stored;
    let own_page = world.page(Purpose::Pay, stored);
    let usable = loaded.payment.usable().and_then(|(_, id)| World::checkout_url(stored, id.as_str()));
    let pay_url = own_page.or(usable);
    let newest = stored.checkout_urls.last().map(|(_, url)| url.clone());
    let link = pay_url.clone().or(newest).unwrap_or_else(|| world.fallback_return_url());
    let receipt_url = world.page(Purpose::Receipt, stored);
    let mode = world.account(&stored.account).map_or(till_core::card::Mode::Test, |at| at.mode());
    let view = View {
        id: stored.id,
        code: stored.code,
        payment: &loaded.payment,
        wording: &stored.wording,
        merchant: &world.merchant.name,
        link: &link,
        pay_url: pay_url.as_deref(),
        receipt_url: receipt_url.as_deref(),
        mode,
        typed: &world.grammar.till(),
    };
    card(&view, locale)
}

/// Brings cards up to date. Says whether there was any to bring.
///
/// # Errors
/// [`StoreError`]: what was claimed comes back when its lease ends.
pub async fn step(world: &World, now: Timestamp, entropy: &mut dyn Entropy) -> Result<bool, StoreError> {
    let claims = world.store.claim_cards(now, LEASE, AT_ONCE).await?;
    let any = !claims.is_empty();
    let work = claims.into_iter().map(|claim| {
        let wait = backoff(claim.tries, entropy);
        async move { (Box::pin(bring(world, &claim, now, wait)).await, claim) }
    });
    for (brought, claim) in join_all(work).await {
        if let Err(error) = brought {
            tracing::error!(payment = %claim.payment, %error, "the card of {} could not be settled: {error}", claim.payment);
        }
    }
    Ok(any)
}

async fn bring(world: &World, claim: &CardClaim, now: Timestamp, wait: Duration) -> Result<(), StoreError> {
    let mut commit = Commit::new(&claim.merchant, now);
    let outcome = match (book::load(world, &claim.merchant, claim.payment).await?, world.chat(&claim.place)) {
        (Some(loaded), Some(chat)) => {
            let outcome = show(world, claim, &loaded, chat, now, wait).await;
            if let ShownOutcome::Lost { why } = &outcome {
                tracing::error!(payment = %claim.payment, "the card of {} is lost: {why}", claim.payment);
                commit.payment = Some(tell_lost(world, &loaded, now));
            }
            outcome
        }
        (None, _) => ShownOutcome::Lost { why: "its payment is gone".into() },
        (_, None) => {
            let why = format!("`{}` is not configured", claim.place.platform);
            ShownOutcome::Again { due: now.after(wait.max(Duration::from_secs(60))), why }
        }
    };
    commit.shown = Some(Shown { claim: claim.claim.clone(), outcome });
    world.store.commit(commit).await.map(drop)
}

/// One private word to whoever asked: their card cannot be shown any more.
fn tell_lost(world: &World, loaded: &Loaded, now: Timestamp) -> Change {
    let stored = &loaded.stored;
    let text = render(world, loaded).plain(&world.merchant.locale);
    let what = format!("card:{}", loaded.payment.status().name());
    let work = telling(stored.id, &what, loaded.payment.asked_by.clone(), &stored.place, text, now);
    book::owing(world, loaded, vec![work], now)
}

async fn show(
    world: &World,
    claim: &CardClaim,
    loaded: &Loaded,
    chat: &Arc<dyn Chat>,
    now: Timestamp,
    wait: Duration,
) -> ShownOutcome {
    let rev = loaded.stored.rev;
    let caps = chat.caps(&claim.place);
    let message = || chat.render(&render(world, loaded), &caps, &world.merchant.locale);
    let done = |message: MessageRef| ShownOutcome::Showing { rev, message };
    let at = match &claim.message {
        Some(at) => at.clone(),
        // An earlier try may have posted it: then it stands there, and must be found and tell the truth.
        None if !worth_posting(loaded) && (claim.tries == 1 || !was_payable(loaded)) => {
            return ShownOutcome::NotYet { rev };
        }
        None => {
            let key = IdemKey::show(claim.payment, &format!("card:{}", claim.place));
            match first_message(claim, chat, None, &message(), &key, now).await {
                Ok(First::Newest(posted)) => return done(posted),
                Ok(First::Earlier(posted)) => posted,
                Err(error) => {
                    let wait = clear_by(caps.twins, &error, wait);
                    return failed(claim, error, now, wait);
                }
            }
        }
    };
    match chat.edit(&at, &message(), now).await {
        Ok(()) => done(at),
        Err(SendError::EditClosed | SendError::Gone | SendError::Forbidden) => {
            succeed(claim, chat, &at, &message(), rev, now, wait).await
        }
        Err(error) => failed(claim, error, now, wait),
    }
}

/// The message that a card begins with.
enum First {
    /// Posted now: it shows what is true.
    Newest(MessageRef),
    /// Posted by an earlier try, with what was true then.
    Earlier(MessageRef),
}

/// Posts the card, or its successor below the message that closed, unless an earlier try did.
async fn first_message(
    claim: &CardClaim,
    chat: &Arc<dyn Chat>,
    below: Option<&MessageRef>,
    message: &Rendered,
    key: &IdemKey,
    now: Timestamp,
) -> Result<First, SendError> {
    let (is_first, twins) = (claim.tries == 1, chat.caps(&claim.place).twins);
    let thread = claim.place.thread.clone().or_else(|| below.map(|at| at.id.clone()));
    if let (Twins::Posted { .. }, false) = (twins, is_first)
        && let Some(found) = chat.find(&Place { thread, ..claim.place.clone() }, key, now).await?
    {
        return Ok(First::Earlier(found));
    }
    let posted = match below {
        None => chat.post(&claim.place, message, key, now).await?,
        Some(at) => chat.reply(at, message, key, now).await?,
    };
    match twins {
        // The message of an earlier try comes back, with what was true then: so it is edited as well.
        // (Seen 2026-11-22, by kill -9 between a post and its commit.)
        Twins::Recognised if !is_first => Ok(First::Earlier(posted)),
        Twins::Recognised | Twins::Posted { .. } => Ok(First::Newest(posted)),
    }
}

/// A post without a clear answer is not repeated before it could be found. One that surely was not made, is soon.
fn clear_by(twins: Twins, error: &SendError, wait: Duration) -> Duration {
    match (twins, error) {
        (Twins::Posted { wait: clear }, SendError::Ambiguous(_)) => wait.max(clear),
        (Twins::Posted { .. } | Twins::Recognised, _) => wait,
    }
}

/// Whether anybody can have seen a card: not before there was a checkout.
fn was_payable(loaded: &Loaded) -> bool {
    loaded.payment.checkouts.values().any(|checkout| checkout.seen.is_some())
}

/// A card is posted when it can be paid, or when there is something to say about money. Before that, staff alone know.
fn worth_posting(loaded: &Loaded) -> bool {
    let status = loaded.payment.status();
    let over = matches!(status, Status::Cancelling | Status::Cancelled | Status::Closing | Status::Expired);
    was_payable(loaded) && !over && !status.is_staff_only()
}

/// The card cannot be edited any more: a reply with the newest state takes its place.
async fn succeed(
    claim: &CardClaim,
    chat: &Arc<dyn Chat>,
    at: &MessageRef,
    message: &Rendered,
    rev: u64,
    now: Timestamp,
    wait: Duration,
) -> ShownOutcome {
    // One for each message that closed, whichever try posts it: no revision in its key.
    let key = IdemKey::show(claim.payment, &format!("card:{}:after:{}", claim.place, at.id));
    match first_message(claim, chat, Some(at), message, &key, now).await {
        Ok(First::Newest(message)) => ShownOutcome::Succeeded { rev, message },
        // Whatever it shows, it is the card from now on, and edited next.
        Ok(First::Earlier(message)) => ShownOutcome::Succeeded { rev: 0, message },
        Err(error) => {
            let wait = clear_by(chat.caps(&claim.place).twins, &error, wait);
            failed(claim, error, now, wait)
        }
    }
}

fn failed(claim: &CardClaim, error: SendError, now: Timestamp, wait: Duration) -> ShownOutcome {
    tracing::warn!(payment = %claim.payment, place = %claim.place, "the card of {} was not shown: {error}", claim.payment);
    let why = error.to_string();
    match error {
        SendError::Gone | SendError::Forbidden | SendError::TooBig | SendError::EditClosed => {
            ShownOutcome::Lost { why }
        }
        _ if claim.tries >= TRIES_MAX => ShownOutcome::Lost { why },
        SendError::Later { wait: asked } => {
            ShownOutcome::Again { due: now.after(asked.unwrap_or_default().max(wait)), why }
        }
        SendError::AuthDead | SendError::Bug(_) => ShownOutcome::Again { due: now.after(wait), why },
        SendError::Ambiguous(_) => ShownOutcome::Unsure { due: now.after(wait), why },
    }
}

/// Says what is due to be said. Says whether there was anything.
///
/// # Errors
/// [`StoreError`]: what was claimed comes back when its lease ends.
pub async fn step_messages(world: &World, now: Timestamp, entropy: &mut dyn Entropy) -> Result<bool, StoreError> {
    let claims = world.store.claim_work(Queue::Chat, now, LEASE, AT_ONCE).await?;
    let any = !claims.is_empty();
    let work = claims.into_iter().map(|claim| {
        let wait = backoff(claim.tries, entropy);
        async move { (Box::pin(send(world, &claim, now, wait)).await, claim) }
    });
    for (sent, claim) in join_all(work).await {
        if let Err(error) = sent {
            tracing::error!(payment = %claim.payment, key = %claim.key, %error, "{} could not be settled: {error}", claim.key);
        }
    }
    Ok(any)
}

async fn send(world: &World, claim: &WorkClaim, now: Timestamp, wait: Duration) -> Result<(), StoreError> {
    let sent = match &claim.work {
        Work::Owed(Owed::Ping(status)) => ping(world, claim, *status, now).await?,
        Work::Owed(Owed::Alert(alert)) => warn_staff(world, claim, alert, now).await?,
        Work::Supersede { twin } => supersede(world, claim, twin, now).await?,
        Work::Tell { to, at, text } => match world.chat(at) {
            Some(chat) => chat.whisper(to, at, &chat.say(text, &[], &chat.caps(at)), &claim.key, now).await,
            None => Err(SendError::Bug(format!("`{}` is not configured", at.platform))),
        },
        Work::CreateCheckout(_) | Work::Owed(Owed::Expire { .. } | Owed::Capture { .. } | Owed::Refund(_)) => {
            Err(SendError::Bug("not a message".into()))
        }
    };
    let outcome = match sent {
        Ok(()) => Outcome::Done,
        Err(error @ (SendError::Gone | SendError::Forbidden | SendError::TooBig)) => {
            Outcome::Dead { why: error.to_string() }
        }
        Err(error) if claim.tries >= TRIES_MAX => Outcome::Dead { why: error.to_string() },
        Err(SendError::Later { wait: asked }) => {
            Outcome::Again { due: now.after(asked.unwrap_or_default().max(wait)), why: "not now".into() }
        }
        Err(error @ SendError::Ambiguous(_)) => {
            // By then an earlier try can be found, where a platform knows no keys.
            Outcome::Again { due: now.after(wait.max(UNCLEAR)), why: error.to_string() }
        }
        Err(error) => Outcome::Again { due: now.after(wait), why: error.to_string() },
    };
    settle(world, claim, outcome, now).await
}

/// Says a status in the conversation, unless the payment has moved on: then the next one says it.
async fn ping(
    world: &World,
    claim: &WorkClaim,
    status: Status,
    now: Timestamp,
) -> Result<Result<(), SendError>, StoreError> {
    let Some(loaded) = book::load(world, &claim.merchant, claim.payment).await? else { return Ok(Ok(())) };
    if loaded.payment.status() != status {
        return Ok(Ok(()));
    }
    let place: &Place = &loaded.stored.place;
    let Some(chat) = world.chat(place) else {
        return Ok(Err(SendError::Bug(format!("`{}` is not configured", place.platform))));
    };
    let locale = &world.merchant.locale;
    let sums = loaded.payment.sums();
    let text = |minor| sums.money(minor).text(locale);
    let text = locale.say(
        &format!("ping-{}", status.name()),
        &[
            ("code", &loaded.stored.code.to_string()),
            ("amount", &text(sums.amount)),
            ("captured", &text(sums.captured)),
            ("refunded", &text(sums.refunded)),
        ],
    );
    let payer = loaded.stored.wording.payer.iter();
    let to: Vec<PersonId> =
        payer.chain([&loaded.payment.asked_by]).filter(|who| who.platform == place.platform).cloned().collect();
    let caps = chat.caps(place);
    let said = chat.say(&text, &to, &caps);
    let cards = world.store.card_messages(&claim.merchant, claim.payment).await?;
    let card = cards.iter().find(|card| card.place == *place);
    if let (Twins::Posted { .. }, true) = (caps.twins, claim.tries > 1) {
        // An earlier try may have said it, below the card.
        let thread = place.thread.clone().or_else(|| card.map(|card| card.id.clone()));
        match chat.find(&Place { thread, ..place.clone() }, &claim.key, now).await {
            Ok(None) => {}
            found => return Ok(found.map(drop)),
        }
    }
    Ok(match card {
        Some(card) => chat.reply(card, &said, &claim.key, now).await.map(drop),
        None => chat.post(place, &said, &claim.key, now).await.map(drop),
    })
}

/// A twin says that it is one. One that cannot be edited any more, or is gone, needs no more work.
async fn supersede(
    world: &World,
    claim: &WorkClaim,
    twin: &MessageRef,
    now: Timestamp,
) -> Result<Result<(), SendError>, StoreError> {
    let Some(loaded) = book::load(world, &claim.merchant, claim.payment).await? else { return Ok(Ok(())) };
    let Some(chat) = world.chat(&twin.place) else {
        return Ok(Err(SendError::Bug(format!("`{}` is not configured", twin.place.platform))));
    };
    // A successor that was pressed before we knew of it ourselves may be the card by now.
    if is_the_card(world, claim, twin).await? {
        return Ok(Ok(()));
    }
    let text = world.merchant.locale.say("card-superseded", &[("code", &loaded.stored.code.to_string())]);
    let edited = chat.edit(twin, &chat.say(&text, &[], &chat.caps(&twin.place)), now).await;
    if is_the_card(world, claim, twin).await? {
        // It has become the card meanwhile: one more edit comes last.
        let written = book::write::<()>(world, &claim.merchant, claim.payment, now, |loaded, commit| {
            let owing = book::owing(world, loaded, Vec::new(), now);
            commit.payment = Some(Change { shows: Shows::OnCards, ..owing });
            Ok(())
        });
        written.await?;
    }
    Ok(match edited {
        Err(SendError::EditClosed | SendError::Gone) => Ok(()),
        edited => edited,
    })
}

async fn is_the_card(world: &World, claim: &WorkClaim, twin: &MessageRef) -> Result<bool, StoreError> {
    let known = world.store.card_messages(&claim.merchant, claim.payment).await?;
    Ok(known.iter().any(|it| it.id == twin.id && it.place.channel == twin.place.channel))
}

/// Tells whoever asked what concerns staff alone.
async fn warn_staff(
    world: &World,
    claim: &WorkClaim,
    alert: &Alert,
    now: Timestamp,
) -> Result<Result<(), SendError>, StoreError> {
    let Some(loaded) = book::load(world, &claim.merchant, claim.payment).await? else { return Ok(Ok(())) };
    let place = &loaded.stored.place;
    let Some(chat) = world.chat(place) else {
        return Ok(Err(SendError::Bug(format!("`{}` is not configured", place.platform))));
    };
    let (locale, payment) = (&world.merchant.locale, &loaded.payment);
    let amount = match alert {
        Alert::Inquiry(id) | Alert::Dispute(id) => payment.disputes.get(id).map(|it| it.amount),
        Alert::RefundFailed(id) => payment.refunds.get(id).map(|it| it.amount),
        Alert::PaidAfterCancel(id) => payment.captures.get(id).map(|it| it.amount),
        Alert::FraudWarning(_) | Alert::Review(_) | Alert::AmountDiffers(_) => None,
    };
    let by = payment.answer_by().map(|date| locale.say("alert-by", &[("date", &date.text())]));
    let args = [
        ("code", &loaded.stored.code.to_string()[..]),
        ("amount", &amount.unwrap_or(payment.amount).text(locale)),
        ("by", &by.unwrap_or_default()),
    ];
    let text = locale.say(&format!("alert-{}", alert.name()), &args);
    let said = chat.say(&text, &[], &chat.caps(place));
    Ok(chat.whisper(&payment.asked_by, place, &said, &claim.key, now).await)
}
