//! The model store: maps behind a lock, simple enough to be right at a glance. It is what a store means.
//!
//! ```text
//! commit ─► who lost a claim? ─► refused? ─► write all of it      (checks first, so a refusal has nothing to undo)
//! claim  ─► rows that are due, earliest first ─► held, fence + 1, due again when the lease ends
//! ```
//! Deliberately absent: durability and speed.

mod peek;
mod port;
mod transcript;
mod turn;
mod upkeep;

use crate::id::{AccountId, Code, MerchantId, PaymentId};
use crate::link::Purpose;
use crate::payment::Status;
use crate::place::{MessageRef, Place};
use crate::port::store::{
    AccountRow, Change, Claim, Claimed, Commit, Committed, InboxKey, NewPayment, NewWork, Object, On, Park, Settle,
    Shown, ShownOutcome, Shows, Staff, Stored, Total, TotalChange, TotalKey,
};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use turn::Turn;

pub use peek::CardShown;

/// The store in memory, by both its ports.
#[derive(Debug, Default)]
pub struct Model {
    rows: Mutex<Rows>,
    after_commits: AfterCommits,
}

/// Whether a process can be killed between a commit and whatever it does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum AfterCommits {
    #[default]
    GoesOn,
    Breathes,
}

impl Model {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one that breathes after each commit; for futures that a script drives.
    pub fn that_breathes() -> Self {
        Self { rows: Mutex::default(), after_commits: AfterCommits::Breathes }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything, in the order of the port. Rows that are claimed are named by their place in the list.
#[derive(Debug, Default)]
struct Rows {
    payments: BTreeMap<(MerchantId, PaymentId), PaymentRow>,
    links: BTreeMap<(Purpose, [u8; 32]), (MerchantId, PaymentId)>,
    objects: Vec<ObjectRow>,
    inbox: BTreeMap<(MerchantId, InboxKey), Option<PaymentId>>,
    recent: BTreeMap<(MerchantId, String), (PaymentId, Timestamp)>,
    totals: BTreeMap<(MerchantId, TotalKey), Total>,
    work: Vec<WorkRow>,
    cards: Vec<CardRow>,
    parked: Vec<ParkedRow>,
    leases: BTreeMap<String, LeaseRow>,
    kept: BTreeMap<(MerchantId, String, String), Kept>,
    staff: BTreeMap<(MerchantId, String), Staff>,
    accounts: BTreeMap<(MerchantId, AccountId), AccountRow>,
    transcript: transcript::Lines,
}

#[derive(Debug)]
struct PaymentRow {
    stored: Stored,
    status: Status,
    check_at: Option<Timestamp>,
}

#[derive(Debug)]
struct ObjectRow {
    merchant: MerchantId,
    payment: PaymentId,
    object: Object,
}

#[derive(Debug)]
struct WorkRow {
    merchant: MerchantId,
    payment: PaymentId,
    since: Timestamp,
    new: NewWork,
    turn: Turn,
}

#[derive(Debug)]
struct CardRow {
    merchant: MerchantId,
    payment: PaymentId,
    place: Place,
    message: Option<MessageRef>,
    desired_rev: u64,
    shown_rev: u64,
    turn: Turn,
}

impl CardRow {
    fn is_stale(&self) -> bool {
        self.shown_rev < self.desired_rev
    }

    /// It is behind from now on, unless it was before.
    fn raise(&mut self, now: Timestamp, rev: u64) {
        if !self.is_stale() {
            self.turn.owe(now);
        }
        self.desired_rev = rev;
    }

    /// What came while it was drawn is owed from now on.
    fn stands(&mut self, now: Timestamp, rev: u64) {
        self.shown_rev = self.shown_rev.max(rev);
        self.turn.rest(now);
        self.turn.owe(now);
    }
}

#[derive(Debug)]
struct ParkedRow {
    merchant: MerchantId,
    since: Timestamp,
    park: Park,
    turn: Turn,
}

#[derive(Debug)]
struct Kept {
    value: Vec<u8>,
    expires: Option<Timestamp>,
}

impl Kept {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }
}

#[derive(Debug)]
struct LeaseRow {
    holder: String,
    fence: i64,
    until: Timestamp,
}

impl Rows {
    fn commit(&mut self, commit: Commit) -> Committed {
        if let Some(shown) = commit.shown.as_ref().filter(|shown| !self.holds(&commit.merchant, &shown.claim)) {
            self.raise_lost_card(&commit.merchant, commit.now, &shown.claim);
            return Committed::FenceLost;
        }
        if let Some(refusal) = self.refusal(&commit) {
            return refusal;
        }
        self.write(commit);
        Committed::Done
    }

    fn refusal(&self, commit: &Commit) -> Option<Committed> {
        let merchant = &commit.merchant;
        if commit
            .settle
            .iter()
            .any(|settle| settle.claim.table == Claimed::Card || !self.holds(merchant, &settle.claim))
        {
            return Some(Committed::FenceLost);
        }
        if let Some(answered) = commit.inbox.iter().find_map(|key| self.inbox.get(&(merchant.clone(), key.clone()))) {
            return Some(Committed::Duplicate(*answered));
        }
        if let Some(recent) = &commit.recent
            && let Some((payment, at)) = self.recent.get(&(merchant.clone(), recent.key.clone()))
            && *at >= recent.since
        {
            return Some(Committed::Recent(*payment, *at));
        }
        if let Some(refusal) = commit.payment.as_ref().and_then(|change| self.refusal_of_change(merchant, change)) {
            return Some(refusal);
        }
        let moved = |total: &TotalChange| self.total(merchant, &total.key).version != total.version;
        commit.totals.iter().any(moved).then_some(Committed::Moved)
    }

    fn refusal_of_change(&self, merchant: &MerchantId, change: &Change) -> Option<Committed> {
        let known = self.payments.get(&(merchant.clone(), change.payment));
        match (&change.on, known) {
            (On::New(_), Some(_)) | (On::Version(_), None) => Some(Committed::Moved),
            (On::Version(version), Some(row)) => (row.stored.version != *version).then_some(Committed::Moved),
            (On::New(new), None) => self.by_code(merchant, new.code).map(|_| Committed::CodeTaken),
        }
    }

    fn write(&mut self, commit: Commit) {
        let Commit { merchant, now, inbox, recent, payment, totals, settle, shown, park } = commit;
        let about = payment.as_ref().map(|change| change.payment);
        for key in inbox {
            self.inbox.insert((merchant.clone(), key), about);
        }
        if let (Some(recent), Some(payment)) = (recent, about) {
            self.recent.insert((merchant.clone(), recent.key), (payment, now));
        }
        if let Some(change) = payment {
            self.change(&merchant, now, change);
        }
        for change in totals {
            let total = self.totals.entry((merchant.clone(), change.key)).or_default();
            total.version += 1;
            total.minor = total.minor.saturating_add(change.add_minor);
        }
        for Settle { claim, outcome } in settle {
            if let Some(turn) = self.turn(&merchant, &claim).filter(|turn| turn.is_held_by(claim.fence)) {
                turn.settle(&outcome, now);
            }
        }
        if let Some(shown) = shown {
            self.show(now, shown);
        }
        if let Some(park) = park {
            let known = self.parked.iter().any(|row| row.merchant == merchant && row.park.key == park.key);
            if !known {
                let turn = Turn::new(park.due);
                self.parked.push(ParkedRow { merchant, since: now, park, turn });
            }
        }
    }

    fn change(&mut self, merchant: &MerchantId, now: Timestamp, change: Change) {
        let Change { payment, on, facts, status, check_at, shows, cards, work, objects } = change;
        if let On::New(new) = on {
            self.add_payment(merchant, now, payment, *new, status);
        }
        let Some(row) = self.payments.get_mut(&(merchant.clone(), payment)) else { return };
        (row.status, row.check_at) = (status, check_at);
        row.stored.version += 1;
        row.stored.rev += u64::from(shows == Shows::OnCards);
        for fact in facts {
            if !row.stored.facts.iter().any(|(_, known)| known.key() == fact.key()) {
                row.stored.facts.push((now, fact));
            }
        }
        let rev = row.stored.rev;
        self.add_cards(merchant, now, payment, cards, rev);
        if shows == Shows::OnCards {
            self.raise_cards(merchant, now, payment, rev);
        }
        for new in work {
            if !self.work.iter().any(|row| row.merchant == *merchant && row.new.key == new.key) {
                let turn = Turn::new(new.due);
                self.work.push(WorkRow { merchant: merchant.clone(), payment, since: now, new, turn });
            }
        }
        for object in objects {
            self.add_object(merchant, payment, object);
        }
    }

    fn add_payment(&mut self, merchant: &MerchantId, now: Timestamp, id: PaymentId, new: NewPayment, status: Status) {
        let NewPayment { code, account, place, wording, links } = new;
        for (link, hash) in &links {
            self.links.insert((link.purpose, *hash), (merchant.clone(), id));
        }
        let stored = Stored {
            merchant: merchant.clone(),
            id,
            code,
            account,
            place,
            version: 0,
            created_at: now,
            wording,
            facts: Vec::new(),
            links: links.into_iter().map(|(link, _)| link).collect(),
            checkout_urls: Vec::new(),
            rev: 0,
        };
        self.payments.insert((merchant.clone(), id), PaymentRow { stored, status, check_at: None });
    }

    fn add_cards(&mut self, merchant: &MerchantId, now: Timestamp, payment: PaymentId, new: Vec<Place>, rev: u64) {
        for place in new {
            let here = |row: &CardRow| row.merchant == *merchant && row.payment == payment && row.place == place;
            if !self.cards.iter().any(here) {
                let turn = Turn::new(now);
                let merchant = merchant.clone();
                let card = CardRow { merchant, payment, place, message: None, desired_rev: rev, shown_rev: 0, turn };
                self.cards.push(card);
            }
        }
    }

    fn raise_cards(&mut self, merchant: &MerchantId, now: Timestamp, payment: PaymentId, rev: u64) {
        for card in self.cards.iter_mut().filter(|row| row.merchant == *merchant && row.payment == payment) {
            card.raise(now, rev);
        }
    }

    fn add_object(&mut self, merchant: &MerchantId, payment: PaymentId, object: Object) {
        let same = |row: &&mut ObjectRow| {
            let known = &row.object;
            row.merchant == *merchant
                && (&known.account, known.kind, &known.id) == (&object.account, object.kind, &object.id)
        };
        match self.objects.iter_mut().find(same) {
            Some(known) if known.payment == payment => known.object.url = known.object.url.take().or(object.url),
            Some(_) => {}
            None => self.objects.push(ObjectRow { merchant: merchant.clone(), payment, object }),
        }
    }

    fn show(&mut self, now: Timestamp, shown: Shown) {
        let Some(card) = at_mut(&mut self.cards, shown.claim.row) else { return };
        match shown.outcome {
            ShownOutcome::Showing { rev, message } | ShownOutcome::Succeeded { rev, message } => {
                card.message = Some(message);
                card.stands(now, rev);
            }
            ShownOutcome::NotYet { rev } => card.stands(now, rev),
            ShownOutcome::Again { due, why } => card.turn.again(due, &why),
            ShownOutcome::Unsure { due, why } => {
                card.turn.again(due, &why);
                self.raise_card(now, shown.claim.row);
            }
            ShownOutcome::Lost { why } => card.turn.give_up(now, &why),
        }
    }

    fn raise_lost_card(&mut self, merchant: &MerchantId, now: Timestamp, claim: &Claim) {
        let ours = at(&self.cards, claim.row).is_some_and(|card| card.merchant == *merchant);
        if ours && claim.table == Claimed::Card {
            self.raise_card(now, claim.row);
        }
    }

    /// Asks for one more revision of one card.
    fn raise_card(&mut self, now: Timestamp, row: i64) {
        let Some(card) = at_mut(&mut self.cards, row) else { return };
        if let Some(payment) = self.payments.get_mut(&(card.merchant.clone(), card.payment)) {
            payment.stored.rev += 1;
            card.raise(now, payment.stored.rev);
        }
    }

    fn turn(&mut self, merchant: &MerchantId, claim: &Claim) -> Option<&mut Turn> {
        let (owner, turn) = match claim.table {
            Claimed::Outbox => at_mut(&mut self.work, claim.row).map(|row| (&row.merchant, &mut row.turn)),
            Claimed::Parked => at_mut(&mut self.parked, claim.row).map(|row| (&row.merchant, &mut row.turn)),
            Claimed::Card => at_mut(&mut self.cards, claim.row).map(|row| (&row.merchant, &mut row.turn)),
        }?;
        (owner == merchant).then_some(turn)
    }

    fn holds(&self, merchant: &MerchantId, claim: &Claim) -> bool {
        let row = match claim.table {
            Claimed::Outbox => at(&self.work, claim.row).map(|row| (&row.merchant, &row.turn)),
            Claimed::Parked => at(&self.parked, claim.row).map(|row| (&row.merchant, &row.turn)),
            Claimed::Card => at(&self.cards, claim.row).map(|row| (&row.merchant, &row.turn)),
        };
        row.is_some_and(|(owner, turn)| owner == merchant && turn.is_held_by(claim.fence))
    }

    fn by_code(&self, merchant: &MerchantId, code: Code) -> Option<PaymentId> {
        self.payments
            .values()
            .find(|row| row.stored.merchant == *merchant && row.stored.code == code)
            .map(|row| row.stored.id)
    }

    fn total(&self, merchant: &MerchantId, key: &TotalKey) -> Total {
        self.totals.get(&(merchant.clone(), key.clone())).copied().unwrap_or_default()
    }
}

/// Rows are numbered from 1.
fn at<T>(rows: &[T], row: i64) -> Option<&T> {
    rows.get(usize::try_from(row).ok()?.checked_sub(1)?)
}

fn at_mut<T>(rows: &mut [T], row: i64) -> Option<&mut T> {
    rows.get_mut(usize::try_from(row).ok()?.checked_sub(1)?)
}
