//! The model behind the port: what is asked of the rows, and claims.

use super::super::script::breathe;
use super::turn::Turn;
use super::{AfterCommits, CardRow, Kept, LeaseRow, Model, ObjectRow, ParkedRow, PaymentRow, WorkRow};
use crate::id::{AccountId, Code, MerchantId, PaymentId};
use crate::link::Purpose;
use crate::money::Money;
use crate::payment::Fact;
use crate::place::MessageRef;
use crate::port::store::{
    AccountRow, Backlog, CardClaim, Claim, Claimed, Closing, Commit, Committed, InboxKey, ListFilter, ObjectKind,
    ParkedClaim, Queue, Staff, Store, StoreError, Stored, Summary, Total, TotalKey, WorkClaim,
};
use crate::time::Timestamp;
use async_trait::async_trait;
use std::cmp::Reverse;
use std::time::Duration;

/// Numbers and rows that are due, earliest first.
fn due<T>(
    rows: &mut [T],
    now: Timestamp,
    limit: u32,
    turn: impl Fn(&T) -> Option<&Turn>,
) -> impl Iterator<Item = (i64, &mut T)> {
    let mut due: Vec<_> = (1..)
        .zip(rows.iter_mut())
        .filter_map(|(number, row)| {
            let at = turn(row).filter(|turn| turn.is_due(now))?.due();
            Some((at, number, row))
        })
        .collect();
    due.sort_by_key(|(at, number, _)| (*at, *number));
    due.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|(_, number, row)| (number, row))
}

#[async_trait]
impl Store for Model {
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let committed = self.rows().commit(commit);
        if self.after_commits == AfterCommits::Breathes {
            breathe().await;
        }
        Ok(committed)
    }

    async fn answered(&self, merchant: &MerchantId, keys: &[InboxKey]) -> Result<Option<PaymentId>, StoreError> {
        let rows = self.rows();
        Ok(keys.iter().find_map(|key| rows.inbox.get(&(merchant.clone(), key.clone())).copied().flatten()))
    }

    async fn payment(&self, merchant: &MerchantId, id: PaymentId) -> Result<Option<Stored>, StoreError> {
        let rows = self.rows();
        let Some(row) = rows.payments.get(&(merchant.clone(), id)) else { return Ok(None) };
        let ours = rows.objects.iter().filter(|row| row.merchant == *merchant && row.payment == id);
        let checkouts = ours.map(|row| &row.object).filter(|object| object.kind == ObjectKind::Checkout);
        let checkout_urls = checkouts.filter_map(|object| Some((object.id.clone(), object.url.clone()?))).collect();
        Ok(Some(Stored { checkout_urls, ..row.stored.clone() }))
    }

    async fn payment_by_code(&self, merchant: &MerchantId, code: Code) -> Result<Option<PaymentId>, StoreError> {
        Ok(self.rows().by_code(merchant, code))
    }

    async fn payment_by_object(
        &self,
        merchant: &MerchantId,
        account: &AccountId,
        kind: ObjectKind,
        id: &str,
    ) -> Result<Option<PaymentId>, StoreError> {
        let named = |row: &&ObjectRow| {
            let object = &row.object;
            row.merchant == *merchant && object.account == *account && object.kind == kind && object.id == id
        };
        Ok(self.rows().objects.iter().find(named).map(|row| row.payment))
    }

    async fn card_messages(&self, merchant: &MerchantId, payment: PaymentId) -> Result<Vec<MessageRef>, StoreError> {
        let rows = self.rows();
        let of = |row: &&CardRow| row.merchant == *merchant && row.payment == payment;
        Ok(rows.cards.iter().filter(of).filter_map(|row| row.message.clone()).collect())
    }

    async fn payment_by_link(
        &self,
        purpose: Purpose,
        hash: &[u8; 32],
    ) -> Result<Option<(MerchantId, PaymentId)>, StoreError> {
        Ok(self.rows().links.get(&(purpose, *hash)).cloned())
    }

    async fn payments(&self, merchant: &MerchantId, filter: &ListFilter) -> Result<Vec<Summary>, StoreError> {
        let rows = self.rows();
        let ours = rows.payments.values().filter(|row| row.stored.merchant == *merchant);
        let mut listed: Vec<_> = ours.filter(|row| filter.status.is_none_or(|status| status == row.status)).collect();
        listed.sort_by_key(|row| Reverse((row.stored.created_at, row.stored.id)));
        let limit = if filter.limit == 0 { 50 } else { filter.limit };
        listed.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).map(summary).collect()
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<(MerchantId, PaymentId)>, StoreError> {
        let mut rows = self.rows();
        let mut due: Vec<_> = rows
            .payments
            .iter_mut()
            .filter_map(|(key, row)| Some((row.check_at.filter(|at| *at <= now)?, key, &mut row.check_at)))
            .collect();
        due.sort_by_key(|(at, key, _)| (*at, *key));
        let claimed = due.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(claimed
            .map(|(_, key, check_at)| {
                *check_at = Some(now.after(lease));
                key.clone()
            })
            .collect())
    }

    async fn claim_work(
        &self,
        queue: Queue,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<WorkClaim>, StoreError> {
        let mut rows = self.rows();
        let ours = |row: &WorkRow| row.new.work.queue() == queue;
        let due = due(&mut rows.work, now, limit, |row| ours(row).then_some(&row.turn));
        let claim = |(number, row): (i64, &mut WorkRow)| WorkClaim {
            claim: Claim { table: Claimed::Outbox, row: number, fence: row.turn.claim(now, lease) },
            merchant: row.merchant.clone(),
            payment: row.payment,
            key: row.new.key.clone(),
            work: row.new.work.clone(),
            tries: row.turn.tries(),
            since: row.since,
        };
        Ok(due.map(claim).collect())
    }

    async fn claim_cards(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<CardClaim>, StoreError> {
        let mut rows = self.rows();
        let due = due(&mut rows.cards, now, limit, |row| row.is_stale().then_some(&row.turn));
        let claim = |(number, row): (i64, &mut CardRow)| CardClaim {
            claim: Claim { table: Claimed::Card, row: number, fence: row.turn.claim(now, lease) },
            merchant: row.merchant.clone(),
            payment: row.payment,
            place: row.place.clone(),
            message: row.message.clone(),
            desired_rev: row.desired_rev,
            tries: row.turn.tries(),
        };
        Ok(due.map(claim).collect())
    }

    async fn claim_parked(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ParkedClaim>, StoreError> {
        let mut rows = self.rows();
        let due = due(&mut rows.parked, now, limit, |row| Some(&row.turn));
        let claim = |(number, row): (i64, &mut ParkedRow)| ParkedClaim {
            claim: Claim { table: Claimed::Parked, row: number, fence: row.turn.claim(now, lease) },
            merchant: row.merchant.clone(),
            key: row.park.key.clone(),
            sealed: row.park.sealed.clone(),
            since: row.since,
            tries: row.turn.tries(),
        };
        Ok(due.map(claim).collect())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.rows();
        let work = rows.work.iter().map(|row| &row.turn);
        let cards = rows.cards.iter().filter(|row| row.is_stale()).map(|row| &row.turn);
        let parked = rows.parked.iter().map(|row| &row.turn);
        let turns = work.chain(cards).chain(parked).filter(|turn| turn.is_open()).map(Turn::due);
        let checks = rows.payments.values().filter_map(|row| row.check_at);
        Ok(turns.chain(checks).min())
    }

    async fn total(&self, merchant: &MerchantId, key: &TotalKey) -> Result<Total, StoreError> {
        Ok(self.rows().total(merchant, key))
    }

    async fn lease(&self, name: &str, holder: &str, now: Timestamp, ttl: Duration) -> Result<Option<i64>, StoreError> {
        let mut rows = self.rows();
        let until = now.after(ttl);
        let fresh = || LeaseRow { holder: holder.to_owned(), fence: 1, until };
        let lease = rows.leases.entry(name.to_owned()).or_insert_with(fresh);
        if lease.holder == holder {
            lease.until = until;
        } else if lease.until <= now {
            *lease = LeaseRow { holder: holder.to_owned(), fence: lease.fence + 1, until };
        } else {
            return Ok(None);
        }
        Ok(Some(lease.fence))
    }

    async fn keep(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        key: &str,
        value: &[u8],
        expires: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let key = (merchant.clone(), adapter.to_owned(), key.to_owned());
        self.rows().kept.insert(key, Kept { value: value.to_owned(), expires });
        Ok(())
    }

    async fn kept(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = (merchant.clone(), adapter.to_owned(), key.to_owned());
        let rows = self.rows();
        Ok(rows.kept.get(&key).filter(|kept| kept.is_fresh(now)).map(|kept| kept.value.clone()))
    }

    async fn kept_under(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        prefix: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let rows = self.rows();
        let from = (merchant.clone(), adapter.to_owned(), prefix.to_owned());
        let below = rows
            .kept
            .range(from..)
            .take_while(|((whose, by, key), _)| whose == merchant && by == adapter && key.starts_with(prefix));
        let fresh = below.filter(|(_, kept)| kept.is_fresh(now));
        Ok(fresh.map(|((_, _, key), kept)| (key.clone(), kept.value.clone())).collect())
    }

    async fn take_kept(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = (merchant.clone(), adapter.to_owned(), key.to_owned());
        let taken = self.rows().kept.remove(&key);
        Ok(taken.filter(|kept| kept.is_fresh(now)).map(|kept| kept.value))
    }

    async fn add_staff(&self, merchant: &MerchantId, staff: &Staff) -> Result<(), StoreError> {
        let mut rows = self.rows();
        let key = (merchant.clone(), staff.id.clone());
        rows.staff.entry(key).or_insert_with(|| staff.clone()).name.clone_from(&staff.name);
        Ok(())
    }

    async fn staff(&self, merchant: &MerchantId) -> Result<Vec<Staff>, StoreError> {
        let rows = self.rows();
        Ok(rows.staff.iter().filter(|((owner, _), _)| owner == merchant).map(|(_, staff)| staff.clone()).collect())
    }

    async fn put_account(&self, merchant: &MerchantId, row: &AccountRow) -> Result<(), StoreError> {
        self.rows().accounts.insert((merchant.clone(), row.id.clone()), row.clone());
        Ok(())
    }

    async fn accounts(&self, merchant: &MerchantId) -> Result<Vec<AccountRow>, StoreError> {
        let rows = self.rows();
        let ours = rows.accounts.iter().filter(|((owner, _), _)| owner == merchant);
        let mut all: Vec<AccountRow> = ours.map(|(_, row)| row.clone()).collect();
        all.sort_by_key(|row| Reverse(row.chosen_at));
        Ok(all)
    }

    async fn close_account(
        &self,
        merchant: &MerchantId,
        id: &AccountId,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(row) = self.rows().accounts.get_mut(&(merchant.clone(), id.clone())) {
            row.closed.get_or_insert_with(|| Closing { at: now, why: why.to_owned() });
        }
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let rows = self.rows();
        let turns = || {
            let work = rows.work.iter().map(|row| &row.turn);
            work.chain(rows.cards.iter().map(|row| &row.turn)).chain(rows.parked.iter().map(|row| &row.turn))
        };
        Ok(Backlog {
            work: count(rows.work.iter().filter(|row| row.turn.is_open())),
            cards: count(rows.cards.iter().filter(|row| row.is_stale() && row.turn.is_open())),
            parked: count(rows.parked.iter().filter(|row| row.turn.is_open())),
            dead: count(turns().filter(|turn| turn.given_up().is_some())),
        })
    }
}

pub(super) fn count(rows: impl Iterator) -> u64 {
    u64::try_from(rows.count()).unwrap_or(u64::MAX)
}

fn summary(row: &PaymentRow) -> Result<Summary, StoreError> {
    let PaymentRow { stored, status, .. } = row;
    Ok(Summary {
        id: stored.id,
        code: stored.code,
        status: *status,
        created_at: stored.created_at,
        amount: amount(stored)?,
        what: stored.wording.summary(),
    })
}

fn amount(stored: &Stored) -> Result<Money, StoreError> {
    let asked = stored.facts.iter().find_map(|(_, fact)| match fact {
        Fact::Requested { amount, .. } => Some(*amount),
        _ => None,
    });
    asked.ok_or_else(|| StoreError::Unreadable { row: format!("payment/{}", stored.id), why: "never requested".into() })
}
