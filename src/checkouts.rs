//! Calls to providers: checkouts created and closed, refunds made. Each exactly once, whatever breaks in between.
//!
//! ```text
//! outbox row (finished order, key) ─► claim ─► one call ─► answer: facts + row settled, one commit
//!                                                    └──► no answer: again, same bytes, same key
//! ```
//! A row that was perhaps sent is seen through to an answer, even when nobody wants the checkout any more; it is then
//! closed. When the provider has forgotten the key, the answer is looked up, never guessed.

use crate::book;
use crate::inbox::{Applied, apply};
use crate::world::{At, LinkMode, World};
use futures::future::join_all;
use std::time::Duration;
use till_core::id::{CheckoutId, Entropy, PaymentId, random};
use till_core::order::{CheckoutOrder, IdemKey, RefundOrder};
use till_core::payment::{CheckoutState, Fact, Lasting, Owed, Payment, Status};
use till_core::place::{PersonId, Place};
use till_core::port::chat::{SendError, Standing};
use till_core::port::psp::{Ask, Capture, Expire, Fault, News, Reported};
use till_core::port::store::{
    Change, Commit, NewWork, Outcome, Queue, Settle, Shows, StoreError, TotalChange, Work, WorkClaim,
};
use till_core::text::Locale;
use till_core::time::Timestamp;

/// How long a row is claimed for: longer than any call can take.
pub const LEASE: Duration = Duration::from_secs(45);
/// How many calls are under way at once.
const AT_ONCE: u32 = 16;
/// A key counts as forgotten this long before it is: the call lands later than `now`, by another clock.
const KEY_MARGIN: Duration = Duration::from_secs(3600);
/// Why an order is refused that has waited for too long.
const TOO_LATE: &str = "too_late";
/// After so many tries, some ten seconds, whoever asked hears that it takes its time.
const TOLD_AT: u32 = 5;
/// What is not found by a look-up may still turn up for this long; after that it counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(600);
/// How long a person's standing may be unknown before their refund is refused.
const STANDING_UNKNOWN_MAX: Duration = Duration::from_secs(600);

/// Does what is due. Says whether there was anything.
///
/// # Errors
/// [`StoreError`]: what was claimed comes back when its lease ends.
pub async fn step(world: &World, now: Timestamp, entropy: &mut dyn Entropy) -> Result<bool, StoreError> {
    let claims = world.store.claim_work(Queue::Provider, now, LEASE, AT_ONCE).await?;
    let any = !claims.is_empty();
    let work = claims.into_iter().map(|claim| {
        let backoff = backoff(claim.tries, entropy);
        async move { (Box::pin(perform(world, &claim, now, backoff)).await, claim) }
    });
    for (done, claim) in join_all(work).await {
        if let Err(error) = done {
            tracing::error!(payment = %claim.payment, key = %claim.key, %error, "{} could not be settled: {error}", claim.key);
        }
    }
    Ok(any)
}

/// 1 s, 2 s, 4 s … 5 min, each plus up to half of it, so that many do not come back at the same moment.
pub fn backoff(tries: u32, entropy: &mut dyn Entropy) -> Duration {
    let base_ms = 500_u64.saturating_mul(1 << tries.min(10)).min(300_000);
    let jitter = u64::from(u16::from_be_bytes(random(entropy)));
    Duration::from_millis(base_ms + base_ms * jitter / (2 * 65_536))
}

/// What a call came to.
enum Came {
    /// To this; it settles the row.
    Reports(Vec<Reported>),
    /// To nothing yet.
    Again(Duration, String),
    /// To nothing before the host mends something.
    Barred(Duration, String),
    /// The provider will never do it.
    Never(Never),
}

/// When a call is made, and how it is tried again.
#[derive(Clone, Copy)]
struct Tries {
    /// The provider has forgotten the key by now, or will before the call lands.
    forgotten: bool,
    backoff: Duration,
    now: Timestamp,
}

/// Why the provider will never do it.
struct Never {
    why: String,
    lasting: Lasting,
}

async fn perform(world: &World, claim: &WorkClaim, now: Timestamp, backoff: Duration) -> Result<(), StoreError> {
    let Some(loaded) = book::load(world, &claim.merchant, claim.payment).await? else {
        return settle(world, claim, Outcome::Dead { why: "its payment is gone".into() }, now).await;
    };
    let Some(at) = world.account(&loaded.stored.account) else {
        let why = format!("account `{}` is not configured", loaded.stored.account);
        return again(world, claim, now, Duration::from_secs(60).max(backoff), why).await;
    };
    let at = &*at;
    let forgotten = now.since(claim.since) + KEY_MARGIN > at.psp.caps().key_window;
    let came = match &claim.work {
        Work::CreateCheckout(order) => {
            if claim.tries == 1 && (loaded.payment.cancelled_by.is_some() || loaded.payment.deadline_passed) {
                let dropped = Fact::CheckoutDropped { n: order.n };
                return fact(world, claim, dropped, Vec::new(), now).await;
            }
            create(world, at, claim, order, Tries { forgotten, backoff, now }).await
        }
        Work::Owed(Owed::Expire { n, checkout }) if at.psp.caps().expire == Expire::ByItself => {
            return leave(world, at, claim, (*n, checkout), now, backoff).await;
        }
        // Not wanted any more, by the time it is sent: what was perhaps taken by an earlier try is seen.
        Work::Owed(Owed::Capture { n, checkout }) if !still_takes(&loaded.payment, *n) => {
            return leave(world, at, claim, (*n, checkout), now, backoff).await;
        }
        Work::Owed(Owed::Capture { checkout, .. }) => {
            let called = at.psp.capture(&*world.http, &at.account, checkout, &claim.key).await;
            let ask = || Ask::Checkout(checkout.clone());
            match settled(world, at, claim, called, ask, Tries { forgotten, backoff, now }).await {
                Came::Reports(reports) if reports.iter().any(|it| says(it, CheckoutState::Approved)) => {
                    Came::Again(backoff, "not taken yet".into())
                }
                came => came,
            }
        }
        Work::Owed(Owed::Expire { n, checkout }) => {
            let called = at.psp.expire(&*world.http, &at.account, checkout, &claim.key).await;
            let ask = || Ask::Checkout(checkout.clone());
            tracing::debug!(payment = %claim.payment, "closing checkout {n} of {}", claim.payment);
            match settled(world, at, claim, called, ask, Tries { forgotten, backoff, now }).await {
                // What was looked up instead is no answer as long as it can be paid.
                Came::Reports(reports) if reports.iter().any(|it| says(it, CheckoutState::Open)) => {
                    Came::Again(backoff, "still open".into())
                }
                came => came,
            }
        }
        Work::Owed(Owed::Refund(order)) => {
            if let Some(refused) = standing_refuses(world, claim, &loaded, order, now).await {
                return match refused {
                    Ok(why) => refuse_refund(world, claim, order, why, now).await,
                    Err(why) => settle(world, claim, Outcome::Unsent { due: now.after(backoff), why }, now).await,
                };
            }
            refund(world, at, claim, order, Tries { forgotten, backoff, now }).await
        }
        Work::Owed(Owed::Ping(_) | Owed::Alert(_)) | Work::Supersede { .. } | Work::Remind | Work::Tell { .. } => {
            return settle(world, claim, Outcome::Dead { why: "not a call to a provider".into() }, now).await;
        }
    };
    finish(world, at, claim, came, now).await
}

fn says(report: &Reported, wanted: CheckoutState) -> bool {
    report.news.iter().any(|news| matches!(news, News::Checkout { state, .. } if *state == wanted))
}

/// Whether the money of checkout `n` is to be taken now.
fn still_takes(payment: &Payment, n: u32) -> bool {
    payment.checkouts.get(&n).is_some_and(|checkout| payment.takes(checkout))
}

/// A checkout that only closes by itself: nobody is sent there any more. Where people have its own address and money
/// moves without us, that holds only once it has closed; and where we take the money, it is asked first whether the payer
/// has agreed, in time, to what is still wanted.
async fn leave(
    world: &World,
    at: &At,
    claim: &WorkClaim,
    (n, checkout): (u32, &CheckoutId),
    now: Timestamp,
    backoff: Duration,
) -> Result<(), StoreError> {
    if at.psp.caps().capture == Capture::OnRequest {
        match at.psp.fetch(&*world.http, &at.account, &Ask::Checkout(checkout.clone())).await {
            Ok(reports) => {
                for report in &reports {
                    // What the payer agreed to must be known before it can be let go.
                    let applied = apply(world, &claim.merchant, at, report, None, now).await?;
                    if applied == Applied::Contended {
                        return again(world, claim, now, Duration::from_secs(1), "contended".into()).await;
                    }
                }
            }
            Err(Fault::NotFound) => {}
            Err(fault) => return again(world, claim, now, backoff, fault.to_string()).await,
        }
    }
    let Some(loaded) = book::load(world, &claim.merchant, claim.payment).await? else { return Ok(()) };
    if still_takes(&loaded.payment, n) {
        let takes = matches!(claim.work, Work::Owed(Owed::Capture { .. }));
        let outcome = if takes { Outcome::Unsent { due: now, why: "wanted again".into() } } else { Outcome::Done };
        return settle(world, claim, outcome, now).await;
    }
    let direct = matches!(world.links, LinkMode::Direct { .. }) && at.psp.caps().capture == Capture::ByItself;
    let closes_at = loaded.payment.checkouts.get(&n).and_then(|it| it.closes_at);
    match closes_at.filter(|at| direct && now < *at) {
        Some(due) => settle(world, claim, Outcome::Unsent { due, why: "it closes by itself".into() }, now).await,
        None => fact(world, claim, Fact::CheckoutLeft { checkout: checkout.clone() }, Vec::new(), now).await,
    }
}

async fn create(world: &World, at: &At, claim: &WorkClaim, order: &CheckoutOrder, tries: Tries) -> Came {
    let ask = || Ask::CheckoutOf { payment: order.payment, n: order.n, since: claim.since };
    if tries.forgotten {
        return looked_up(world, at, claim, &ask(), tries).await;
    }
    let called = at.psp.create(&*world.http, &at.account, order, &claim.key).await;
    // "Not found" about something new means that we asked the wrong address: it will not get better by itself.
    let called = called.map_err(|fault| match fault {
        Fault::NotFound => Fault::Refused("the provider's address or account is wrong".into()),
        other => other,
    });
    settled(world, at, claim, called, ask, tries).await
}

async fn refund(world: &World, at: &At, claim: &WorkClaim, order: &RefundOrder, tries: Tries) -> Came {
    let ask = || Ask::RefundOf { payment: order.payment, refund: order.refund, capture: order.capture.clone() };
    if tries.forgotten {
        return looked_up(world, at, claim, &ask(), tries).await;
    }
    let called = at.psp.refund(&*world.http, &at.account, order, &claim.key).await;
    settled(world, at, claim, called, ask, tries).await
}

/// What an answer means; a look-up where the answer asks for one.
async fn settled(
    world: &World,
    at: &At,
    claim: &WorkClaim,
    called: Result<Reported, Fault>,
    ask: impl FnOnce() -> Ask,
    tries: Tries,
) -> Came {
    match called {
        Ok(report) => Came::Reports(vec![report]),
        Err(Fault::KeyTaken | Fault::AlreadyComplete) => looked_up(world, at, claim, &ask(), tries).await,
        Err(Fault::Later { wait, why }) => Came::Again(wait.unwrap_or_default().max(tries.backoff), why),
        Err(Fault::Refused(why)) => Came::Never(Never { why, lasting: Lasting::ForGood }),
        Err(Fault::Outdated(why)) => {
            tracing::warn!(key = %claim.key, "{} came too late: {why}", claim.key);
            Came::Never(Never { why: TOO_LATE.into(), lasting: Lasting::ForNow })
        }
        Err(Fault::NotFound) => {
            Came::Never(Never { why: "not found at the provider".into(), lasting: Lasting::ForNow })
        }
        Err(Fault::Credentials(why)) => {
            tracing::error!(account = %at.account.id, "account {}: the provider refuses our key: {why}", at.account.id);
            Came::Barred(tries.backoff.max(Duration::from_secs(30)), why)
        }
        Err(fault @ (Fault::Ambiguous(_) | Fault::Unreadable(_))) => Came::Again(tries.backoff, fault.to_string()),
    }
}

async fn looked_up(world: &World, at: &At, claim: &WorkClaim, ask: &Ask, tries: Tries) -> Came {
    match at.psp.fetch(&*world.http, &at.account, ask).await {
        Ok(reports) => Came::Reports(reports),
        // The call may be under way still: what it makes would come after the look-up.
        Err(Fault::NotFound) if tries.now.since(claim.since) < LOST_AFTER => {
            Came::Again(tries.backoff, "not found yet".into())
        }
        Err(Fault::NotFound) => Came::Never(Never { why: "lost".into(), lasting: Lasting::ForNow }),
        Err(Fault::Later { wait, why }) => Came::Again(wait.unwrap_or_default().max(tries.backoff), why),
        Err(fault) => Came::Again(tries.backoff, fault.to_string()),
    }
}

async fn finish(world: &World, at: &At, claim: &WorkClaim, came: Came, now: Timestamp) -> Result<(), StoreError> {
    match came {
        // Somebody waits for the card: they hear once that it takes its time.
        Came::Again(wait, why) if claim.tries == TOLD_AT && matches!(claim.work, Work::CreateCheckout(_)) => {
            waits(world, claim, now, wait, why, Waits::ForProvider).await
        }
        Came::Again(wait, why) => again(world, claim, now, wait, why).await,
        Came::Barred(wait, why) => waits(world, claim, now, wait, why, Waits::ForHost).await,
        Came::Never(never) => refused(world, claim, never, now).await,
        Came::Reports(reports) => {
            let done = Settle { claim: claim.claim.clone(), outcome: Outcome::Done };
            let last = reports.len().saturating_sub(1);
            for (place, report) in reports.iter().enumerate() {
                let settle = (place == last).then_some(&done);
                match apply(world, &claim.merchant, at, report, settle, now).await? {
                    Applied::Done | Applied::Duplicate => {}
                    Applied::FenceLost => return Ok(()),
                    Applied::Contended => {
                        return again(world, claim, now, Duration::from_secs(1), "contended".into()).await;
                    }
                    Applied::Unknown | Applied::NotOurs => {
                        tracing::error!(key = %claim.key, "{}: the answer is about another account or payment", claim.key);
                        let why = "the provider answered about another account or payment".into();
                        return refused(world, claim, Never { why, lasting: Lasting::ForGood }, now).await;
                    }
                }
            }
            if reports.is_empty() {
                return again(world, claim, now, Duration::from_secs(5), "an empty answer".into()).await;
            }
            Ok(())
        }
    }
}

/// What a call waits for.
#[derive(Clone, Copy)]
enum Waits {
    /// The host, who must mend something.
    ForHost,
    /// The provider, which cannot be reached or says so.
    ForProvider,
}

impl Waits {
    /// The key of the message and of its sentence.
    fn name(self) -> &'static str {
        match self {
            Self::ForHost => "not-permitted",
            Self::ForProvider => "not-reached",
        }
    }
}

/// Tried again for as long as it takes; whoever asked is told once what it waits for.
async fn waits(
    world: &World,
    claim: &WorkClaim,
    now: Timestamp,
    wait: Duration,
    why: String,
    waits: Waits,
) -> Result<(), StoreError> {
    tracing::warn!(payment = %claim.payment, key = %claim.key, "{} waits: {why}", claim.key);
    let again = Settle { claim: claim.claim.clone(), outcome: Outcome::Again { due: now.after(wait), why } };
    let locale = &world.merchant.locale;
    let written = book::write::<()>(world, &claim.merchant, claim.payment, now, |loaded, commit| {
        let (stored, by) = (&loaded.stored, loaded.payment.asked_by.clone());
        let why = locale.say(&format!("tell-{}", waits.name()), &[]);
        let text = locale.say("tell-waits", &[("code", &stored.code.to_string()), ("why", &why)]);
        let tell = telling(stored.id, waits.name(), by, &stored.place, text, now);
        let change = book::change(world, loaded, Vec::new(), Vec::new(), vec![tell], now);
        commit.payment = change.map(|change| Change { shows: Shows::Nowhere, ..change });
        commit.settle.push(again.clone());
        Ok(())
    });
    written.await.map(drop)
}

/// The provider will never do it: a fact, and a word to whoever asked.
async fn refused(world: &World, claim: &WorkClaim, never: Never, now: Timestamp) -> Result<(), StoreError> {
    match &claim.work {
        Work::CreateCheckout(order) => refuse_checkout(world, claim, order, &never, now).await,
        Work::Owed(Owed::Refund(order)) => refuse_refund(world, claim, order, never.why, now).await,
        // What the provider does not know, or will not close, nobody is sent to any more.
        Work::Owed(Owed::Expire { checkout, .. }) => {
            tracing::warn!(payment = %claim.payment, "{} for checkout {checkout} was refused: {}", claim.key, never.why);
            fact(world, claim, Fact::CheckoutLeft { checkout: checkout.clone() }, Vec::new(), now).await
        }
        Work::Owed(Owed::Capture { checkout, .. }) => not_taken(world, claim, checkout, &never.why, now).await,
        Work::Owed(Owed::Ping(_) | Owed::Alert(_)) | Work::Supersede { .. } | Work::Remind | Work::Tell { .. } => {
            tracing::error!(key = %claim.key, "{} was refused: {}", claim.key, never.why);
            settle_dead(world, claim, never.why, now).await
        }
    }
}

/// The payer agreed, and the provider hands over nothing: a declined try, and a word to whoever asked.
async fn not_taken(
    world: &World,
    claim: &WorkClaim,
    checkout: &CheckoutId,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::warn!(payment = %claim.payment, "the money of checkout {checkout} was not handed over: {why}");
    let (attempt, locale) = (claim.key.to_string(), &world.merchant.locale);
    let declined = Fact::AttemptFailed { checkout: checkout.clone(), attempt, why: why.to_owned(), as_of: now };
    let left = Fact::CheckoutLeft { checkout: checkout.clone() };
    let done = Settle { claim: claim.claim.clone(), outcome: Outcome::Done };
    let written = book::write::<()>(world, &claim.merchant, claim.payment, now, |loaded, commit| {
        let (stored, to) = (&loaded.stored, loaded.payment.asked_by.clone());
        let args = [("code", &stored.code.to_string()[..]), ("why", &said(why, locale))];
        let text = locale.say("tell-not-taken", &args);
        let tell = telling(stored.id, &format!("not-taken:{checkout}"), to, &stored.place, text, now);
        let facts = vec![declined.clone(), left.clone()];
        commit.payment = book::change(world, loaded, facts, Vec::new(), vec![tell], now);
        commit.settle.push(done.clone());
        Ok(())
    });
    written.await.map(drop)
}

/// The checkout will not be made: a fact, and a word to whoever asked, which says what follows.
async fn refuse_checkout(
    world: &World,
    claim: &WorkClaim,
    order: &CheckoutOrder,
    never: &Never,
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::warn!(payment = %claim.payment, "checkout {} of {} was refused: {}", order.n, claim.payment, never.why);
    let refused = Fact::CheckoutRefused { n: order.n, why: never.why.clone(), lasting: never.lasting };
    let done = Settle { claim: claim.claim.clone(), outcome: Outcome::Done };
    let written = book::write::<()>(world, &claim.merchant, claim.payment, now, |loaded, commit| {
        commit.settle.push(done.clone());
        let Some(mut change) = book::change(world, loaded, vec![refused.clone()], Vec::new(), Vec::new(), now) else {
            return Ok(());
        };
        let follows = change.facts.iter().any(|fact| matches!(fact, Fact::CheckoutAsked { .. }));
        if let Some(what) = word_of_refusal(order.n, never.lasting, follows, change.status) {
            let locale = &world.merchant.locale;
            let args = [
                ("code", &order.code.to_string()[..]),
                ("why", &said(&never.why, locale)),
                ("times", &order.n.to_string()),
            ];
            let (stored, to) = (&loaded.stored, loaded.payment.asked_by.clone());
            let text = locale.say(&format!("tell-{what}"), &args);
            change.work.push(telling(stored.id, what, to, &stored.place, text, now));
        }
        commit.payment = Some(change);
        Ok(())
    });
    written.await.map(drop)
}

/// What whoever asked is told, once each. Who hears that it failed asks anew; so where the next one follows by itself,
/// they hear that; and where it keeps failing, who can mend it.
fn word_of_refusal(n: u32, lasting: Lasting, follows: bool, then: Status) -> Option<&'static str> {
    match (lasting, follows) {
        (Lasting::ForGood, _) => Some("failed"),
        (Lasting::ForNow, true) if n < 3 => Some("takes-longer"),
        (Lasting::ForNow, true) => Some("keeps-failing"),
        (Lasting::ForNow, false) => (then == Status::Open).then_some("next-press"),
    }
}

/// The refund will not be made: a fact, what it took from the day's limits given back, and a word to whoever asked.
async fn refuse_refund(
    world: &World,
    claim: &WorkClaim,
    order: &RefundOrder,
    why: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::warn!(payment = %claim.payment, "refund {} of {} was refused: {why}", order.refund, claim.payment);
    let locale = &world.merchant.locale;
    for _ in 0..book::TRIES {
        let Some(loaded) = book::load(world, &claim.merchant, claim.payment).await? else { return Ok(()) };
        let asked = loaded.payment.refunds_asked.get(&order.refund);
        let by = asked.map_or(&loaded.payment.asked_by, |asked| &asked.by).clone();
        let args = [
            ("code", &loaded.stored.code.to_string()[..]),
            ("amount", &order.amount.text(locale)),
            ("why", &said(&why, locale)),
        ];
        let text = locale.say("tell-refund-failed", &args);
        let tell = tell(world, claim, &format!("refund-failed:{}", order.refund), Some(by.clone()), text, now).await?;
        let mut commit = Commit::new(&claim.merchant, now);
        let asks = |fact: &Fact| matches!(fact, Fact::RefundAsked { id, .. } if *id == order.refund);
        let asked_at = loaded.stored.facts.iter().find(|(_, fact)| asks(fact)).map(|(at, _)| *at);
        for key in book::refund_totals(asked_at.unwrap_or(now), order.amount.currency(), &by) {
            let version = world.store.total(&claim.merchant, &key).await?.version;
            commit.totals.push(TotalChange { key, version, add_minor: -order.amount.minor() });
        }
        let refused = Fact::RefundRefused { id: order.refund, why: why.clone() };
        commit.payment = book::change(world, &loaded, vec![refused], Vec::new(), tell, now);
        commit.settle.push(Settle { claim: claim.claim.clone(), outcome: Outcome::Done });
        if book::attempt::<()>(world, loaded, commit).await?.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

/// Looks up whether the person who asked for a refund is still staff. `Ok` refuses, `Err` tries again.
async fn standing_refuses(
    world: &World,
    claim: &WorkClaim,
    loaded: &book::Loaded,
    order: &RefundOrder,
    now: Timestamp,
) -> Option<Result<String, String>> {
    // What was perhaps sent is seen through to an answer: refused here, it could be made twice.
    if claim.tries > 1 {
        return None;
    }
    let asked = loaded.payment.refunds_asked.get(&order.refund)?;
    let place = &loaded.stored.place;
    let chat = world.chats.get(asked.by.platform.as_str());
    let Some(chat) = chat else { return Some(Ok("not_staff".into())) };
    match chat.person(&asked.by, place).await {
        Ok(Some(person)) if person.standing == Standing::Staff => None,
        Ok(Some(_) | None) => Some(Ok("not_staff".into())),
        Err(SendError::Later { .. } | SendError::Ambiguous(_)) if now.since(claim.since) < STANDING_UNKNOWN_MAX => {
            Some(Err("the person could not be looked up".into()))
        }
        Err(error) => Some(Ok(format!("the person could not be looked up: {error}"))),
    }
}

/// A reason for people: our own codes as sentences, the provider's words as they are.
fn said(why: &str, locale: &Locale) -> String {
    match why {
        "lost" => locale.say("tell-lost-answer", &[]),
        TOO_LATE => locale.say("tell-too-late", &[]),
        "not_staff" => locale.say("tell-not-staff-now", &[]),
        "amount_too_small" => locale.say("tell-amount-too-small", &[]),
        "amount_too_large" => locale.say("tell-amount-too-large", &[]),
        "charge_disputed" => locale.say("tell-refund-disputed", &[]),
        "charge_already_refunded" => locale.say("tell-refund-gone", &[]),
        other => other.chars().take(200).collect(),
    }
}

async fn tell(
    world: &World,
    claim: &WorkClaim,
    what: &str,
    to: Option<PersonId>,
    text: String,
    now: Timestamp,
) -> Result<Vec<NewWork>, StoreError> {
    let Some(loaded) = book::load(world, &claim.merchant, claim.payment).await? else { return Ok(Vec::new()) };
    let to = to.unwrap_or_else(|| loaded.payment.asked_by.clone());
    Ok(vec![telling(claim.payment, what, to, &loaded.stored.place, text, now)])
}

/// A row that tells one person something, once per payment and `what`.
pub fn telling(payment: PaymentId, what: &str, to: PersonId, at: &Place, text: String, now: Timestamp) -> NewWork {
    NewWork {
        key: IdemKey::show(payment, &format!("tell:{what}")),
        work: Work::Tell { to, at: at.clone(), text },
        due: now,
    }
}

/// Commits a fact that settles the row.
async fn fact(
    world: &World,
    claim: &WorkClaim,
    fact: Fact,
    more: Vec<NewWork>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = Settle { claim: claim.claim.clone(), outcome: Outcome::Done };
    let written = book::write::<()>(world, &claim.merchant, claim.payment, now, |loaded, commit| {
        commit.payment = book::change(world, loaded, vec![fact.clone()], Vec::new(), more.clone(), now);
        commit.settle.push(done.clone());
        Ok(())
    });
    written.await.map(drop)
}

async fn again(
    world: &World,
    claim: &WorkClaim,
    now: Timestamp,
    wait: Duration,
    why: String,
) -> Result<(), StoreError> {
    tracing::info!(payment = %claim.payment, key = %claim.key, "{} again in {} ms: {why}", claim.key, wait.as_millis());
    settle(world, claim, Outcome::Again { due: now.after(wait), why }, now).await
}

async fn settle_dead(world: &World, claim: &WorkClaim, why: String, now: Timestamp) -> Result<(), StoreError> {
    settle(world, claim, Outcome::Dead { why }, now).await
}

/// Settles the row alone.
pub async fn settle(world: &World, claim: &WorkClaim, outcome: Outcome, now: Timestamp) -> Result<(), StoreError> {
    let mut commit = Commit::new(&claim.merchant, now);
    commit.settle.push(Settle { claim: claim.claim.clone(), outcome });
    world.store.commit(commit).await.map(drop)
}
