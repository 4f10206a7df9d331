//! The port: what writes goes to the writer, what asks goes to the readers.

use crate::kept::Slot;
use crate::{Result, Sqlite, accounts, cards, claims, commit, failed, kept, read};
use async_trait::async_trait;
use std::time::Duration;
use till_core::id::{AccountId, Code, MerchantId, PaymentId};
use till_core::link::Purpose;
use till_core::place::MessageRef;
use till_core::port::store::{
    AccountRow, Backlog, CardClaim, Closing, Commit, Committed, InboxKey, ListFilter, ObjectKind, ParkedClaim, Queue,
    Staff, Store, Stored, Summary, Total, TotalKey, WorkClaim,
};
use till_core::time::Timestamp;

#[async_trait]
impl Store for Sqlite {
    async fn commit(&self, commit: Commit) -> Result<Committed> {
        self.writer.write(move |db| Box::pin(async move { commit::commit(db, &commit).await })).await
    }

    async fn answered(&self, merchant: &MerchantId, keys: &[InboxKey]) -> Result<Option<PaymentId>> {
        let mut db = self.readers.acquire().await.map_err(failed)?;
        for key in keys {
            if let Some(Committed::Duplicate(Some(payment))) = commit::answered(&mut db, merchant, key).await? {
                return Ok(Some(payment));
            }
        }
        Ok(None)
    }

    async fn payment(&self, merchant: &MerchantId, id: PaymentId) -> Result<Option<Stored>> {
        read::payment(&self.readers, merchant, id).await
    }

    async fn payment_by_code(&self, merchant: &MerchantId, code: Code) -> Result<Option<PaymentId>> {
        read::by_code(&self.readers, merchant, code).await
    }

    async fn payment_by_object(
        &self,
        merchant: &MerchantId,
        account: &AccountId,
        kind: ObjectKind,
        id: &str,
    ) -> Result<Option<PaymentId>> {
        read::by_object(&self.readers, merchant, account, kind, id).await
    }

    async fn payment_by_link(&self, purpose: Purpose, hash: &[u8; 32]) -> Result<Option<(MerchantId, PaymentId)>> {
        read::by_link(&self.readers, purpose, hash).await
    }

    async fn card_messages(&self, merchant: &MerchantId, payment: PaymentId) -> Result<Vec<MessageRef>> {
        read::card_messages(&self.readers, merchant, payment).await
    }

    async fn payments(&self, merchant: &MerchantId, filter: &ListFilter) -> Result<Vec<Summary>> {
        read::list(&self.readers, merchant, filter).await
    }

    async fn claim_due(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<(MerchantId, PaymentId)>> {
        self.writer.write(move |db| Box::pin(claims::checks(db, now, lease, limit))).await
    }

    async fn claim_work(&self, queue: Queue, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<WorkClaim>> {
        self.writer.write(move |db| Box::pin(claims::work(db, queue, now, lease, limit))).await
    }

    async fn claim_cards(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<CardClaim>> {
        self.writer.write(move |db| Box::pin(cards::claim(db, now, lease, limit))).await
    }

    async fn claim_parked(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ParkedClaim>> {
        self.writer.write(move |db| Box::pin(claims::parked(db, now, lease, limit))).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        read::next_due(&self.readers).await
    }

    async fn total(&self, merchant: &MerchantId, key: &TotalKey) -> Result<Total> {
        commit::total(&self.readers, merchant, key).await
    }

    async fn lease(&self, name: &str, holder: &str, now: Timestamp, ttl: Duration) -> Result<Option<i64>> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.writer.write(move |db| Box::pin(async move { kept::lease(db, &name, &holder, now, ttl).await })).await
    }

    async fn keep(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        key: &str,
        value: &[u8],
        expires: Option<Timestamp>,
    ) -> Result<()> {
        let (slot, value) = (Slot::of(merchant, adapter, key), value.to_owned());
        self.writer.write(move |db| Box::pin(async move { kept::keep(db, &slot, &value, expires).await })).await
    }

    async fn kept(&self, merchant: &MerchantId, adapter: &str, key: &str, now: Timestamp) -> Result<Option<Vec<u8>>> {
        kept::kept(&self.readers, &Slot::of(merchant, adapter, key), now).await
    }

    async fn kept_under(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        prefix: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        kept::under(&self.readers, &Slot::of(merchant, adapter, prefix), now).await
    }

    async fn take_kept(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>> {
        let slot = Slot::of(merchant, adapter, key);
        self.writer.write(move |db| Box::pin(async move { kept::take(db, &slot, now).await })).await
    }

    async fn add_staff(&self, merchant: &MerchantId, staff: &Staff) -> Result<()> {
        let (merchant, staff) = (merchant.clone(), staff.clone());
        self.writer.write(move |db| Box::pin(async move { kept::add_staff(db, &merchant, &staff).await })).await
    }

    async fn staff(&self, merchant: &MerchantId) -> Result<Vec<Staff>> {
        kept::staff(&self.readers, merchant).await
    }

    async fn put_account(&self, merchant: &MerchantId, row: &AccountRow) -> Result<()> {
        let (merchant, row) = (merchant.clone(), row.clone());
        self.writer.write(move |db| Box::pin(async move { accounts::put(db, &merchant, &row).await })).await
    }

    async fn accounts(&self, merchant: &MerchantId) -> Result<Vec<AccountRow>> {
        accounts::all(&self.readers, merchant).await
    }

    async fn close_account(&self, merchant: &MerchantId, id: &AccountId, why: &str, now: Timestamp) -> Result<()> {
        let (merchant, id, closing) = (merchant.clone(), id.clone(), Closing { at: now, why: why.to_owned() });
        self.writer.write(move |db| Box::pin(async move { accounts::close(db, &merchant, &id, &closing).await })).await
    }

    async fn backlog(&self) -> Result<Backlog> {
        read::backlog(&self.readers).await
    }
}
