//! What a test may see of the model's rows that nobody else has to: changed payments, cards as they stand, what is parked.

use super::Model;
use crate::id::PaymentId;
use crate::payment::Status;
use crate::place::MessageRef;
use crate::port::store::{ObjectKind, Stored};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// A card's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardShown {
    /// Of which payment.
    pub payment: PaymentId,
    /// Its newest message.
    pub message: Option<MessageRef>,
    /// What it is to show.
    pub desired_rev: u64,
    /// What it shows.
    pub shown_rev: u64,
    /// Whether it was given up.
    pub lost: bool,
}

impl Model {
    /// How many payments there are.
    pub fn count(&self) -> usize {
        self.rows().payments.len()
    }

    /// Payments whose version is not the known one, each with the status in its row.
    pub fn changed(&self, known: impl Fn(PaymentId) -> Option<u64>) -> Vec<(Stored, Status)> {
        let rows = self.rows();
        let changed = rows.payments.values().filter(|row| known(row.stored.id) != Some(row.stored.version));
        let with_urls = |stored: &Stored| {
            let ours = rows.objects.iter().filter(|row| row.payment == stored.id).map(|row| &row.object);
            let checkouts = ours.filter(|object| object.kind == ObjectKind::Checkout);
            let checkout_urls = checkouts.filter_map(|it| Some((it.id.clone(), it.url.clone()?))).collect();
            Stored { checkout_urls, ..stored.clone() }
        };
        changed.map(|row| (with_urls(&row.stored), row.status)).collect()
    }

    /// Every card.
    pub fn cards(&self) -> Vec<CardShown> {
        let rows = self.rows();
        let shown = |row: &super::CardRow| CardShown {
            payment: row.payment,
            message: row.message.clone(),
            desired_rev: row.desired_rev,
            shown_rev: row.shown_rev,
            lost: row.turn.given_up().is_some(),
        };
        rows.cards.iter().map(shown).collect()
    }

    /// Keys of work that is neither done nor given up, each with the time when it is due.
    pub fn waiting(&self) -> Vec<(String, Timestamp)> {
        let rows = self.rows();
        let open = rows.work.iter().filter(|row| row.turn.is_open());
        open.map(|row| (row.new.key.to_string(), row.turn.due())).collect()
    }

    /// Whether a delivery of this key is parked, or was given up.
    pub fn is_parked(&self, key: &str) -> bool {
        self.rows().parked.iter().any(|row| row.park.key.key == key)
    }

    /// Every total whose key begins like this, in minor units.
    pub fn totals(&self, prefix: &str) -> BTreeMap<String, i64> {
        let rows = self.rows();
        let of = rows.totals.iter().filter(|((_, key), _)| key.0.starts_with(prefix));
        of.map(|((_, key), total)| (key.0.clone(), total.minor)).collect()
    }
}
