//! The card: the message that shows a payment. Closed, small, and the same on every platform.
//!
//! ```text
//! View (payment, words, links) ── card ──► Card ── Chat::render ──► the platform's own message
//! ```
//! Sizes are the intersection of all platforms, enforced by types: [`Short`] and [`UpTo`] cannot hold more. A card is
//! a pure function of the payment: rendered twice, it is the same.
//!
//! Deliberately absent: colours, layout and markup, which belong to the adapter; and anything that a payer must not
//! see: whoever shows a card filters its actions by audience.

use crate::id::{Code, PaymentId};
use crate::order::Wording;
use crate::payment::{Act, Payment, Status, Sums};
use crate::port::psp::Capture as Moves;
use crate::text::Locale;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

/// A text of at most `N` characters; what is longer ends in `…`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Short<const N: usize>(String);

impl<const N: usize> Short<N> {
    /// Cuts after `N` characters.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(cut(text.as_ref(), N))
    }
}

impl<const N: usize> Deref for Short<N> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> fmt::Display for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first `max` characters; what is longer ends in `…`.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…'].into_iter().take(max)).collect()
}

/// Whether this may stand behind a button: `http` and `https`, and nothing else.
pub fn is_web_address(url: &str) -> bool {
    let starts = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    starts("https://") || starts("http://")
}

/// At most `N` things; the rest is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UpTo<const N: usize, T>(Vec<T>);

impl<const N: usize, T> UpTo<N, T> {
    /// Takes the first `N`.
    pub fn new(all: impl IntoIterator<Item = T>) -> Self {
        Self(all.into_iter().take(N).collect())
    }
}

impl<const N: usize, T> Deref for UpTo<N, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// How a card feels. Words come first: no platform has to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Waits for somebody.
    Waiting,
    /// Something is on its way.
    Moving,
    /// The money is there.
    Good,
    /// Over, without harm.
    Quiet,
    /// Somebody should look.
    Alarm,
}

/// Who may see and use an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody in the place.
    Anyone,
    /// Staff alone.
    Staff,
}

/// Whether real money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does.
    Live,
    /// It does not: TEST stands on everything.
    Test,
}

/// A label with a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What it is: `For`.
    pub label: Short<30>,
    /// What it is here: `coffee`.
    pub value: Short<120>,
    /// Who sees it.
    #[serde(default = "anyone")]
    pub audience: Audience,
}

fn anyone() -> Audience {
    Audience::Anyone
}

/// A line item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardItem {
    /// `2 × coffee`.
    pub name: Short<100>,
    /// `9.00 EUR`.
    pub amount: Short<40>,
}

/// Something to press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Opens a page of ours or of the provider.
    Link {
        /// What stands on it: `Pay 25.00 EUR`.
        label: Short<30>,
        /// Absolute URL.
        url: String,
        /// Who sees it.
        audience: Audience,
    },
    /// Asks the desk. Who presses and what may be done is checked then, so an old button is harmless.
    Press {
        /// What stands on it: `Cancel`.
        label: Short<30>,
        /// What the platform sends back; at most 60 characters of ASCII. A name, not an authority.
        token: String,
        /// The same, typed: `/till cancel K7Q2F9`.
        typed: String,
        /// Asked back before it counts.
        confirm: Option<Short<120>>,
        /// Where it asks for an amount: what its form is filled with, `20.00 EUR`.
        #[serde(default)]
        asks: Option<Short<40>>,
        /// Who sees it.
        audience: Audience,
    },
}

impl Action {
    /// Who sees it.
    pub fn audience(&self) -> Audience {
        match self {
            Self::Link { audience, .. } | Self::Press { audience, .. } => *audience,
        }
    }
}

/// A card, ready to be rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// What it is in one word.
    pub status: Status,
    /// How it feels.
    pub tone: Tone,
    /// What it is in a few words: `Paid`.
    pub title: Short<120>,
    /// The amount that was asked: `25.00 EUR`.
    pub amount: Short<40>,
    /// The code that people know it by.
    pub code: Code,
    /// More to know: at most 8 for everybody, and what staff alone see.
    pub details: UpTo<12, Detail>,
    /// Line items.
    pub items: UpTo<10, CardItem>,
    /// A note for the payer.
    pub note: Option<Short<300>>,
    /// What can be pressed.
    pub actions: UpTo<5, Action>,
    /// Who asks, and how to be sure.
    pub footer: Short<160>,
    /// The page that tells the payment's state; stands in the plain text of every card.
    pub link: String,
    /// Whether real money moves.
    pub mode: Mode,
}

/// What a card is made of.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Which payment.
    pub id: PaymentId,
    /// Its code.
    pub code: Code,
    /// The facts, folded.
    pub payment: &'a Payment,
    /// The words; empty when they were erased.
    pub wording: &'a Wording,
    /// Who gets the money, by name.
    pub merchant: &'a str,
    /// The page that tells its state: ours, or in direct mode the provider's newest.
    pub link: &'a str,
    /// Where it can be paid now: our page, or in direct mode the usable checkout.
    pub pay_url: Option<&'a str>,
    /// The receipt, where there is a page of ours.
    pub receipt_url: Option<&'a str>,
    /// Whether real money moves.
    pub mode: Mode,
    /// How `till cancel …` is typed here: `/till`.
    pub typed: &'a str,
    /// Whether money moves once a payer agrees, or when Till takes it.
    pub money: Moves,
}

/// What a press asks for: the act and the payment, as the token in a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    /// What.
    pub act: Act,
    /// On which payment.
    pub payment: PaymentId,
    /// What stood on the card to be decided: [`Payment::held_mark`]. 0: nothing did.
    pub mark: u32,
}

impl Press {
    /// The token: `cancel:pay_…`, `accept:pay_…:1a2b3c4d`.
    pub fn token(self) -> String {
        let mark = if self.mark == 0 { String::new() } else { format!(":{:08x}", self.mark) };
        format!("{}:{}{mark}", self.act.name(), self.payment)
    }

    /// Reads a token that came back. `None` for anything else.
    pub fn read(token: &str) -> Option<Self> {
        let (act, rest) = token.split_once(':')?;
        let act = Act::ALL.into_iter().find(|known| known.name() == act)?;
        let (payment, mark) = match rest.split_once(':') {
            Some((payment, mark)) => (payment, u32::from_str_radix(mark, 16).ok()?),
            None => (rest, 0),
        };
        Some(Self { act, payment: payment.parse().ok()?, mark })
    }
}

/// Makes the card.
pub fn card(view: &View<'_>, locale: &Locale) -> Card {
    let status = view.payment.status();
    Card {
        status,
        tone: tone(status),
        title: Short::new(title(view, status, locale)),
        amount: Short::new(view.payment.amount.text(locale)),
        code: view.code,
        details: UpTo::new(details(view, status, locale)),
        items: UpTo::new(view.wording.items.iter().map(|item| item_line(item, locale))),
        note: view.wording.note.as_deref().map(Short::new),
        actions: UpTo::new(actions(view, status, locale)),
        footer: Short::new(locale.say("card-footer", &[("merchant", view.merchant), ("code", &view.code.to_string())])),
        link: view.link.to_owned(),
        mode: view.mode,
    }
}

fn tone(status: Status) -> Tone {
    match status {
        Status::Open | Status::PartiallyPaid | Status::PendingApproval => Tone::Waiting,
        Status::Preparing | Status::Processing | Status::Cancelling | Status::Closing | Status::RefundPending => {
            Tone::Moving
        }
        Status::Paid | Status::Overpaid | Status::PartiallyRefunded => Tone::Good,
        Status::Refunded | Status::Cancelled | Status::Expired | Status::Rejected => Tone::Quiet,
        Status::NeedsReview | Status::ChargedBack | Status::Disputed | Status::Returned | Status::Failed => Tone::Alarm,
    }
}

fn title(view: &View<'_>, status: Status, locale: &Locale) -> String {
    let sums = view.payment.sums();
    let text = |minor: i64| sums.money(minor).text(locale);
    let refunded = if status == Status::RefundPending { sums.refund_pending } else { sums.refunded };
    locale.say(
        &format!("card-{}", status.name().replace('_', "-")),
        &[
            ("amount", &text(sums.amount)),
            ("captured", &text(sums.captured)),
            ("refunded", &text(refunded)),
            ("missing", &text(sums.missing())),
        ],
    )
}

fn item_line(item: &crate::order::Item, locale: &Locale) -> CardItem {
    let name = if item.quantity == 1 { item.name.clone() } else { format!("{} × {}", item.quantity, item.name) };
    let amount = item.each.times(item.quantity).unwrap_or(item.each).text(locale);
    CardItem { name: Short::new(name), amount: Short::new(amount) }
}

fn details(view: &View<'_>, status: Status, locale: &Locale) -> Vec<Detail> {
    let words = view.wording;
    let payment = view.payment;
    let label = |key: &str| Short::new(locale.say(key, &[]));
    let detail = |key: &str, value: Option<String>| {
        value.map(|value| Detail { label: label(key), value: Short::new(value), audience: Audience::Anyone })
    };
    let sums = payment.sums();
    let money = |minor: i64| sums.money(minor).text(locale);
    let until = || payment.deadline.text();
    let all = [
        detail("card-label-for", words.what.clone()),
        detail("card-label-to", words.payer_name.clone()),
        detail("card-label-reference", words.reference.clone()),
        detail("card-label-until", (payment.is_payable()).then(until)),
        detail("card-label-paid", payment.paid_at().map(Timestamp::text)),
        detail(
            "card-label-captured",
            (sums.captured > 0 && sums.captured != sums.amount).then(|| money(sums.captured)),
        ),
        detail("card-label-refunded", (sums.refunded > 0).then(|| money(sums.refunded))),
        detail("card-label-late", late(payment, locale)),
        detail("card-label-still", still_until(view).map(Timestamp::text)),
        detail("card-label-attempt", last_attempt(payment, status).then(|| locale.say("card-declined", &[]))),
        detail("card-label-asked-by", words.asked_by_name.clone()),
    ];
    for_staff(payment, locale).into_iter().chain(all.into_iter().flatten().take(PUBLIC_MAX)).collect()
}

/// That money came too late, and what staff decided about it.
fn late(payment: &Payment, locale: &Locale) -> Option<String> {
    let undecided = payment.late_undecided().next().is_some();
    payment.is_late().then(|| locale.say(if undecided { "card-late" } else { "card-late-kept" }, &[]))
}

/// Until when a checkout can still be paid that nobody is sent to any more and that the provider cannot close.
fn still_until(view: &View<'_>) -> Option<Timestamp> {
    let left = view.payment.checkouts.values().filter(|_| view.money == Moves::ByItself);
    left.filter(|it| it.is_left_open()).filter_map(|it| it.closes_at).max()
}

/// Most details that everybody sees.
const PUBLIC_MAX: usize = 8;

/// What staff alone see: what may become of the money, and until when they can do something about it.
fn for_staff(payment: &Payment, locale: &Locale) -> Vec<Detail> {
    let detail = |key: &str, value: String| Detail {
        label: Short::new(locale.say(key, &[])),
        value: Short::new(value),
        audience: Audience::Staff,
    };
    let answer_by = payment.answer_by().map(|date| detail("card-label-answer-by", date.text()));
    let inquiry = payment.inquiries().next().map(|_| detail("card-label-inquiry", locale.say("card-inquiry", &[])));
    let suspect = payment.is_suspect().then(|| detail("card-label-suspect", locale.say("card-suspect", &[])));
    let came_back = payment.refunds_failed().map(|(_, refund)| {
        let amount = refund.amount.text(locale);
        detail("card-label-refund-failed", locale.say("card-refund-failed", &[("amount", &amount)]))
    });
    let held = payment.held().map(|(_, capture)| {
        let args = [("came", &capture.amount.text(locale)[..]), ("asked", &payment.amount.text(locale))];
        detail("card-label-held", locale.say("card-held", &args))
    });
    let back = payment.to_send_back().map(|(_, capture)| {
        let amount = capture.amount.text(locale);
        detail("card-label-back", locale.say("card-back", &[("amount", &amount)]))
    });
    held.take(2).chain(back.take(2)).chain(answer_by).chain(inquiry).chain(suspect).chain(came_back.take(1)).collect()
}

/// Whether the last thing the payer saw was a decline.
fn last_attempt(payment: &Payment, status: Status) -> bool {
    matches!(status, Status::Open | Status::PartiallyPaid) && !payment.attempts.is_empty()
}

fn actions(view: &View<'_>, status: Status, locale: &Locale) -> Vec<Action> {
    let sums = view.payment.sums();
    let mut actions = Vec::new();
    let link = |label: String, url: &str| Action::Link {
        label: Short::new(label),
        url: url.to_owned(),
        audience: Audience::Anyone,
    };
    if let Some(url) = view.pay_url.filter(|_| view.payment.is_payable()) {
        let key = if status == Status::Open { "action-pay" } else { "action-pay-rest" };
        actions.push(link(locale.say(key, &[("amount", &sums.money(sums.missing()).text(locale))]), url));
    }
    if let Some(url) = view.receipt_url.filter(|_| sums.captured > 0) {
        actions.push(link(locale.say("action-receipt", &[]), url));
    }
    actions
        .extend(PRESSED.into_iter().filter(|act| view.payment.may(*act)).map(|act| press(view, act, status, locale)));
    actions
}

/// What can be pressed on a card, the most needed first: a card has room for few.
const PRESSED: [Act; 8] =
    [Act::Accept, Act::Reject, Act::Honour, Act::Refund, Act::Cancel, Act::Remind, Act::Extend, Act::Renew];
/// How much longer a payment is open after a press on *Extend*.
pub const EXTENDED_BY: Duration = Duration::from_secs(24 * 3600);

fn press(view: &View<'_>, act: Act, status: Status, locale: &Locale) -> Action {
    let sums = view.payment.sums();
    let fill = fill(act, status, &sums);
    let words = if act == Act::Refund && status == Status::Overpaid { "refund-extra" } else { act.name() };
    let held: Vec<String> = view.payment.held().map(|(_, capture)| capture.amount.text(locale)).collect();
    let amount = match held.is_empty() {
        true => sums.money(fill.unwrap_or(sums.amount)).text(locale),
        false => held.join(" + "),
    };
    let mark = if matches!(act, Act::Accept | Act::Reject) { view.payment.held_mark() } else { 0 };
    let until = view.payment.deadline.after(EXTENDED_BY).text();
    let more = match (act == Act::Extend, fill.filter(|_| status == Status::Overpaid)) {
        (true, _) => " 1d".to_owned(),
        (false, Some(extra)) => format!(" {}", sums.money(extra).typed(locale)),
        (false, None) => String::new(),
    };
    let typed = format!("{} {} {}{more}", view.typed, act.name(), view.code);
    let args = [("amount", &amount[..]), ("code", &view.code.to_string()), ("until", &until)];
    Action::Press {
        label: Short::new(locale.say(&format!("action-{words}"), &[])),
        token: Press { act, payment: view.id, mark }.token(),
        typed,
        confirm: Some(Short::new(locale.say(&format!("confirm-{words}"), &args))),
        asks: fill.map(|minor| Short::new(sums.money(minor).typed(locale))),
        audience: Audience::Staff,
    }
}

/// What the form of an act is filled with, in minor units, where it has one.
fn fill(act: Act, status: Status, sums: &Sums) -> Option<i64> {
    let extra = sums.kept().saturating_sub(sums.amount);
    let most = if status == Status::Overpaid { extra } else { i64::MAX };
    (act == Act::Refund).then(|| most.min(sums.refundable()))
}

impl Card {
    /// The card as plain text: for notifications, screen readers and platforms without cards. Always holds the link.
    pub fn plain(&self, locale: &Locale) -> String {
        let mut lines = Vec::new();
        let stamp = if self.mode == Mode::Test { "[TEST] " } else { "" };
        lines.push(format!("{stamp}{}: {}", self.title, self.amount));
        lines.extend(self.items.iter().map(|item| format!("  {}  {}", item.name, item.amount)));
        let public = self.details.iter().filter(|detail| detail.audience == Audience::Anyone);
        lines.extend(public.map(|detail| format!("{}: {}", detail.label, detail.value)));
        lines.extend(self.note.iter().map(|note| note.to_string()));
        for action in self.actions.iter() {
            match action {
                Action::Link { label, url, .. } => lines.push(format!("{label}: {url}")),
                Action::Press { label, typed, .. } => lines.push(format!("{label}: {typed}")),
            }
        }
        if !lines.iter().any(|line| line.contains(&self.link)) {
            lines.push(locale.say("card-see", &[("link", &self.link)]));
        }
        lines.push(self.footer.to_string());
        lines.join("\n")
    }

    /// [`Self::plain`] in at most `max` characters, and whether it was cut; the link still stands at its end, and stands
    /// alone where there is no room for more.
    pub fn plain_within(&self, max: usize, locale: &Locale) -> (String, bool) {
        let plain = self.plain(locale);
        if plain.chars().count() <= max {
            return (plain, false);
        }
        let room = max.saturating_sub(self.link.chars().count() + 1);
        let short = if room == 0 { self.link.clone() } else { format!("{}\n{}", cut(&plain, room), self.link) };
        (short, true)
    }

    /// The card as this audience may see it.
    pub fn for_audience(&self, audience: Audience) -> Self {
        let sees = |of: Audience| of == Audience::Anyone || audience == Audience::Staff;
        Self {
            actions: UpTo::new(self.actions.iter().filter(|action| sees(action.audience())).cloned()),
            details: UpTo::new(self.details.iter().filter(|detail| sees(detail.audience)).cloned()),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CaptureId, CheckoutId, DisputeId};
    use crate::money::{Currency, Money};
    use crate::payment::{Approval, CheckoutState, DisputeState, Fact, Seen};
    use crate::place::PersonId;
    use crate::time::Timestamp;

    fn disputed(state: DisputeState) -> Card {
        let (amount, at) = (Money::new(2500, Currency::parse("EUR").unwrap()), Timestamp::from_secs(1_795_372_200));
        let by = PersonId { platform: "web".into(), id: "staff:ana".into() };
        let seen = |event: &str| Seen { as_of: at, event: event.into() };
        let (capture, checkout) = (CaptureId::new("pi_1"), CheckoutId::new("cs_1"));
        let facts = [
            Fact::Requested { amount, deadline: at, approval: Approval::NotNeeded, by },
            Fact::CheckoutAsked { n: 1, amount },
            Fact::CheckoutSeen {
                checkout: checkout.clone(),
                n: 1,
                state: CheckoutState::CompletePaid,
                closes_at: None,
                seen: seen("evt_1"),
            },
            Fact::Captured { capture: capture.clone(), checkout, amount, as_of: at },
            Fact::DisputeSeen {
                dispute: DisputeId::new("du_1"),
                capture: capture.clone(),
                amount,
                state,
                withdrawn: Money::zero(amount.currency()),
                moves: 0,
                answer_by: Some(Timestamp::from_secs(1_796_000_000)),
                seen: seen("evt_2"),
            },
            Fact::FraudWarned { warning: "issfr_1".into(), capture, why: "stolen".into(), as_of: at },
        ];
        let payment = Payment::of(&facts).unwrap();
        let view = View {
            id: "pay_0198000000007fffbfffffffffffffff".parse().unwrap(),
            code: "K7Q2F9".parse().unwrap(),
            payment: &payment,
            wording: &Wording::default(),
            merchant: "Shop",
            link: "https://till.example/p/x",
            pay_url: None,
            receipt_url: None,
            mode: Mode::Live,
            typed: "/till",
            money: Moves::ByItself,
        };
        card(&view, &Locale::english().unwrap())
    }

    fn labels(card: &Card) -> Vec<String> {
        card.details.iter().map(|detail| detail.label.to_string()).collect()
    }

    #[test]
    fn until_when_the_bank_must_be_answered_is_for_staff_alone() {
        let english = Locale::english().unwrap();
        for (state, title, for_staff) in [
            (DisputeState::NeedsResponse, "Disputed", "Answer the bank by, Hold it back"),
            (DisputeState::WarningNeedsResponse, "Paid", "Answer the bank by, The bank asks, Hold it back"),
            (DisputeState::WarningClosed, "Paid", "Hold it back"),
        ] {
            let card = disputed(state);
            assert_eq!((&*card.title, labels(&card).join(", ")), (title, format!("{for_staff}, Paid on")), "{state:?}");
            assert_eq!(card.for_audience(Audience::Staff), card, "{state:?}");
            let public = card.for_audience(Audience::Anyone);
            assert_eq!(labels(&public), ["Paid on"], "{state:?}");
            let plain = card.plain(&english);
            assert!(!plain.contains("bank") && !plain.contains("Hold"), "{plain}");
        }
    }
}
