//! The model looked after: rows as letters, and what may be forgotten.

use super::turn::Turn;
use super::{Model, ParkedRow, Rows};
use crate::id::{MerchantId, PaymentId};
use crate::payment::Status;
use crate::port::store::{Concerns, DeadLetter, Letter, LetterKind, Old, Queue, StoreError, Upkeep, Waiting, Which};
use crate::time::Timestamp;
use async_trait::async_trait;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A row of any of the three tables.
struct Row<'r> {
    turn: &'r Turn,
    letter: Letter,
    /// Whether it is work at all: a card that shows everything is none.
    is_owed: bool,
}

/// Whether a row is among those that are meant.
fn is_meant(which: Which, kind: LetterKind, row: i64, payment: Option<PaymentId>) -> bool {
    match which {
        Which::All => true,
        Which::Payment(wanted) => payment == Some(wanted),
        Which::One { kind: of, row: number } => (of, number) == (kind, row),
    }
}

fn kind_of(queue: Queue) -> LetterKind {
    match queue {
        Queue::Provider => LetterKind::Call,
        Queue::Chat => LetterKind::Message,
    }
}

impl Rows {
    /// All rows of a merchant, numbered from 1 in each table.
    fn letters(&self, merchant: &MerchantId) -> Vec<Row<'_>> {
        let code = |id: &PaymentId| self.payments.get(&(merchant.clone(), *id)).map(|row| row.stored.code);
        let named = |id: PaymentId| code(&id).map(|code| (id, code));
        let of = |kind, row, payment, key, since, turn: &Turn| Letter {
            kind,
            row,
            payment,
            key,
            why: turn.why().to_owned(),
            since,
            tries: turn.tries(),
        };
        let mut all = Vec::new();
        for (n, row) in (1..).zip(&self.work).filter(|(_, row)| row.merchant == *merchant) {
            let (kind, key) = (kind_of(row.new.work.queue()), row.new.key.as_str().to_owned());
            let letter = of(kind, n, named(row.payment), key, row.turn.owed(), &row.turn);
            all.push(Row { turn: &row.turn, letter, is_owed: true });
        }
        for (n, row) in (1..).zip(&self.cards).filter(|(_, row)| row.merchant == *merchant) {
            let (key, since) = (row.place.to_string(), row.turn.owed());
            let letter = of(LetterKind::Card, n, named(row.payment), key, since, &row.turn);
            all.push(Row { turn: &row.turn, letter, is_owed: row.is_stale() });
        }
        for (n, row) in (1..).zip(&self.parked).filter(|(_, row)| row.merchant == *merchant) {
            let letter = of(LetterKind::Delivery, n, None, row.park.key.key.clone(), row.since, &row.turn);
            all.push(Row { turn: &row.turn, letter, is_owed: true });
        }
        all
    }
}

#[async_trait]
impl Upkeep for Model {
    async fn waiting(&self, merchant: &MerchantId) -> Result<Vec<Waiting>, StoreError> {
        let rows = self.rows();
        let all = rows.letters(merchant);
        let of = |kind| {
            let kin = || all.iter().filter(move |row| row.letter.kind == kind);
            let open = || kin().filter(|row| row.is_owed && row.turn.is_open());
            let oldest = open().min_by_key(|row| (row.letter.since, row.letter.row));
            Waiting {
                kind,
                open: super::port::count(open()),
                oldest: oldest.map(|row| row.letter.clone()),
                dead: super::port::count(kin().filter(|row| row.turn.given_up().is_some())),
            }
        };
        Ok(LetterKind::ALL.map(of).into())
    }

    async fn dead(&self, merchant: &MerchantId, which: Which, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = self.rows();
        let dead = rows.letters(merchant).into_iter().filter_map(|row| {
            let Letter { kind, row: number, payment, .. } = row.letter;
            let meant = is_meant(which, kind, number, payment.map(|(id, _)| id));
            let given_up = row.turn.given_up().filter(|_| meant)?;
            Some(DeadLetter { letter: row.letter, given_up })
        });
        let mut dead: Vec<DeadLetter> = dead.collect();
        dead.sort_by_key(|it| (Reverse(it.given_up), it.letter.kind, it.letter.row));
        dead.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(dead)
    }

    async fn revive(&self, merchant: &MerchantId, which: Which, now: Timestamp) -> Result<u64, StoreError> {
        let mut rows = self.rows();
        let Rows { work, cards, parked, .. } = &mut *rows;
        let work = (1..)
            .zip(work)
            .filter(|(_, row)| row.merchant == *merchant)
            .map(|(n, row)| (is_meant(which, kind_of(row.new.work.queue()), n, Some(row.payment)), &mut row.turn));
        let cards = (1..).zip(cards).filter(|(_, row)| row.merchant == *merchant);
        let cards = cards.map(|(n, row)| (is_meant(which, LetterKind::Card, n, Some(row.payment)), &mut row.turn));
        let parked = (1..).zip(parked).filter(|(_, row)| row.merchant == *merchant);
        let parked = parked.map(|(n, row)| (is_meant(which, LetterKind::Delivery, n, None), &mut row.turn));
        let mut revived = 0;
        for (_, turn) in work.chain(cards).chain(parked).filter(|(meant, turn)| *meant && turn.given_up().is_some()) {
            turn.revive(now);
            revived += 1;
        }
        Ok(revived)
    }

    async fn statuses(&self, merchant: &MerchantId) -> Result<BTreeMap<Status, u64>, StoreError> {
        let mut counted = BTreeMap::new();
        for row in self.rows().payments.values().filter(|row| row.stored.merchant == *merchant) {
            *counted.entry(row.status).or_default() += 1;
        }
        Ok(counted)
    }

    async fn concerned(
        &self,
        merchant: &MerchantId,
        concerns: &Concerns,
    ) -> Result<Vec<(Timestamp, PaymentId)>, StoreError> {
        let rows = self.rows();
        let ours = rows.payments.values().filter(|row| row.stored.merchant == *merchant);
        let concerned = ours.filter(|row| row.stored.created_at >= concerns.since || concerns.or.contains(&row.status));
        let all = concerned.map(|row| (row.stored.created_at, row.stored.id));
        let mut page: Vec<_> = all.filter(|it| concerns.after.is_none_or(|after| *it < after)).collect();
        page.sort_by_key(|it| Reverse(*it));
        page.truncate(usize::try_from(concerns.limit).unwrap_or(usize::MAX));
        Ok(page)
    }

    async fn forget(&self, old: Old, limit: u32) -> Result<u64, StoreError> {
        let mut rows = self.rows();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let expired = rows.kept.iter().filter(|(_, kept)| kept.expires.is_some_and(|expires| expires <= old.expired));
        let expired: Vec<_> = expired.map(|(key, _)| key.clone()).take(limit).collect();
        let asked = rows.recent.iter().filter(|(_, (_, at))| *at < old.asked);
        let asked: Vec<_> = asked.map(|(key, _)| key.clone()).take(limit).collect();
        rows.kept.retain(|key, _| !expired.contains(key));
        rows.recent.retain(|key, _| !asked.contains(key));
        let is_old = |row: &&mut ParkedRow| {
            let holds = row.turn.given_up().is_some() || !row.park.sealed.is_empty();
            !row.turn.is_open() && holds && row.since < old.delivered
        };
        let mut forgotten = expired.len() + asked.len();
        for row in rows.parked.iter_mut().filter(is_old).take(limit) {
            row.turn.finish();
            row.park.sealed.clear();
            forgotten += 1;
        }
        Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
    }
}
