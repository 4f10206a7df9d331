//! The store: rows that outlive the process. One decision is one transaction.
//!
//! ```text
//! decision ──► commit(Commit) ──► inbox row + facts + cards' desired revision + outbox + totals: all, or nothing
//! outbox   ──► claim_work ─────► one holder at a time, fenced ──► commit(settle …)
//! cards    ──► claim_card ─────► shown_rev < desired_rev ───────► commit(shown …)
//! ```
//! A commit names the version of every row its decision read that others may change. If one moved, nothing is
//! written and the decision is taken anew. A claim carries a fence: whoever lost it writes nothing.
//!
//! Deliberately absent: a clock (`now` comes in), and any query without its merchant, except for workers that serve
//! all of them.

use crate::id::{AccountId, Code, MerchantId, PaymentId};
use crate::link::{Link, Purpose};
use crate::order::{CheckoutOrder, IdemKey, Wording};
use crate::payment::{Fact, Owed, Status};
use crate::place::{MessageRef, PersonId, Place};
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use crate::port::account::{AccountRow, Closing};
pub use crate::port::upkeep::{Backlog, Concerns, DeadLetter, Letter, LetterKind, Old, Upkeep, Waiting, Which};

/// The store failed. Nothing was written, as far as it can tell.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer or refused; trying again may help.
    #[error("store: {0}")]
    Unavailable(String),
    /// A row cannot be read back: written by another version, or damaged.
    #[error("store: row `{row}` cannot be read: {why}")]
    Unreadable {
        /// Table and key.
        row: String,
        /// What does not fit.
        why: String,
    },
}

/// Everything one decision writes. All of it, or nothing.
///
/// Looked at in this order, and the first that fails is the answer: claims ([`Committed::FenceLost`]), `inbox`,
/// `recent`, the payment's version, its code, `totals`.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Whose rows.
    pub merchant: MerchantId,
    /// When, by our clock.
    pub now: Timestamp,
    /// Deliveries that this decision answers. If one is there already, nothing is written.
    pub inbox: Vec<InboxKey>,
    /// "The same a moment ago": if the key was written at or after `since`, nothing is written. Kept only with a payment.
    pub recent: Option<Recent>,
    /// What changes about a payment.
    pub payment: Option<Change>,
    /// What is added to day totals, each with the version that was read.
    pub totals: Vec<TotalChange>,
    /// Outbox and parked rows that are settled by it, each with its fence.
    pub settle: Vec<Settle>,
    /// A card that was shown, with its fence.
    pub shown: Option<Shown>,
    /// A delivery to be judged later.
    pub park: Option<Park>,
}

impl Commit {
    /// One that writes nothing yet.
    pub fn new(merchant: &MerchantId, now: Timestamp) -> Self {
        Self {
            merchant: merchant.clone(),
            now,
            inbox: Vec::new(),
            recent: None,
            payment: None,
            totals: Vec::new(),
            settle: Vec::new(),
            shown: None,
            park: None,
        }
    }
}

/// A delivery, known by where it came from and its id there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxKey {
    /// `web`, or `sandbox/acct_1`.
    pub source: String,
    /// The delivery's id.
    pub key: String,
}

/// A guard against asking the same twice within a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// A digest of who, where and what.
    pub key: String,
    /// The moment: anything written at or after it counts.
    pub since: Timestamp,
}

/// What changes about one payment.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub payment: PaymentId,
    /// New, or the version that was read.
    pub on: On,
    /// Facts; those whose key is known already are left as they are.
    pub facts: Vec<Fact>,
    /// The status that follows, for listing.
    pub status: Status,
    /// When the reconciler looks at it next; `None` when only news can change it.
    pub check_at: Option<Timestamp>,
    /// Whether its cards must be drawn anew: their desired revision is raised by one.
    pub shows: Shows,
    /// Places that show a card of it from now on.
    pub cards: Vec<Place>,
    /// Work that follows, one row per key for ever: a key that is there is left as it is.
    pub work: Vec<NewWork>,
    /// What the provider calls things of this payment, mapped for ever; of a known one only a missing URL is filled in.
    pub objects: Vec<Object>,
}

/// Whether a change can be seen on a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// It can: all cards of the payment are drawn anew.
    OnCards,
    /// It is for us alone, as the time of the next look is.
    Nowhere,
}

/// What a change is based on.
#[derive(Clone, Debug)]
pub enum On {
    /// Nothing: the payment is new.
    New(Box<NewPayment>),
    /// This version.
    Version(u64),
}

/// What a new payment brings that never changes, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    /// What people call it; unique per merchant.
    pub code: Code,
    /// Which of the merchant's accounts takes the money.
    pub account: AccountId,
    /// Where it was asked.
    pub place: Place,
    /// The words, in their erasable row.
    pub wording: Wording,
    /// Its links and the hashes of their tokens.
    pub links: Vec<(Link, [u8; 32])>,
}

/// Work for the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWork {
    /// One row per key, for ever.
    pub key: IdemKey,
    /// What to do.
    pub work: Work,
    /// Not before.
    pub due: Timestamp,
}

/// What to do in the outside world, finished: each try makes the same bytes from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// Create a checkout.
    CreateCheckout(CheckoutOrder),
    /// What follows from the facts.
    Owed(Owed),
    /// A card that stands beside the one we know of says so.
    Supersede {
        /// The twin.
        twin: MessageRef,
    },
    /// Say a payment again in its conversation, and mention who is to pay.
    Remind,
    /// Tell one person in private.
    Tell {
        /// Whom.
        to: PersonId,
        /// Where they asked.
        at: Place,
        /// What.
        text: String,
    },
}

impl Work {
    /// Which worker does it.
    pub fn queue(&self) -> Queue {
        match self {
            Self::CreateCheckout(_) | Self::Owed(Owed::Expire { .. } | Owed::Capture { .. } | Owed::Refund(_)) => {
                Queue::Provider
            }
            Self::Owed(Owed::Ping(_) | Owed::Alert(_)) | Self::Supersede { .. } | Self::Remind | Self::Tell { .. } => {
                Queue::Chat
            }
        }
    }
}

/// Which worker does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Calls to providers.
    Provider,
    /// New messages in chats.
    Chat,
}

impl Queue {
    /// The word in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Chat => "chat",
        }
    }
}

/// What a provider calls something of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// At which account.
    pub account: AccountId,
    /// What it is.
    pub kind: ObjectKind,
    /// The provider's id.
    pub id: String,
    /// Of a checkout: where the payer pays.
    pub url: Option<String>,
}

/// Kinds of provider objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A checkout.
    Checkout,
    /// A capture.
    Capture,
    /// A refund.
    Refund,
    /// A dispute.
    Dispute,
}

impl ObjectKind {
    /// The word in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
        }
    }
}

/// A claimed row and what became of it.
#[derive(Clone, Debug)]
pub struct Settle {
    /// The claim.
    pub claim: Claim,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of claimed work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, whichever way it went.
    Done,
    /// Again, not before `due`.
    Again {
        /// Not before.
        due: Timestamp,
        /// Why, for the log and the doctor. Never a secret or a body.
        why: String,
    },
    /// Again, not before `due`, and the call was surely not made: this try does not count.
    Unsent {
        /// Not before.
        due: Timestamp,
        /// Why.
        why: String,
    },
    /// Given up: kept for a person.
    Dead {
        /// Why.
        why: String,
    },
}

/// The right to work on one row for a while, and for one outcome. It stays good after the lease until somebody else
/// claims the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which table.
    pub table: Claimed,
    /// The row.
    pub row: i64,
    /// Counts claims of this row; a later claim makes this one worthless.
    pub fence: i64,
}

/// Tables whose rows are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The outbox.
    Outbox,
    /// Parked deliveries.
    Parked,
    /// Cards.
    Card,
}

/// Claimed work.
#[derive(Clone, Debug)]
pub struct WorkClaim {
    /// The right to it.
    pub claim: Claim,
    /// Whose.
    pub merchant: MerchantId,
    /// For which payment.
    pub payment: PaymentId,
    /// The key of the row and of the call.
    pub key: IdemKey,
    /// What to do.
    pub work: Work,
    /// Counts claims: 1 at the first. Above 1, the call may have been made already.
    pub tries: u32,
    /// When the row was written.
    pub since: Timestamp,
}

/// A card that does not show the newest revision.
#[derive(Clone, Debug)]
pub struct CardClaim {
    /// The right to it.
    pub claim: Claim,
    /// Whose.
    pub merchant: MerchantId,
    /// Of which payment.
    pub payment: PaymentId,
    /// Where it shall stand.
    pub place: Place,
    /// Where it stands, once it was posted.
    pub message: Option<MessageRef>,
    /// Which revision it shall show at least.
    pub desired_rev: u64,
    /// Counts claims since it was last shown or had nothing to show: 1 at the first.
    pub tries: u32,
}

/// A card was worked on.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The claim. When it was lost in between, the desired revision is raised, so that one more edit comes last.
    pub claim: Claim,
    /// What became of it.
    pub outcome: ShownOutcome,
}

/// What became of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownOutcome {
    /// It shows this revision, in this message.
    Showing {
        /// The revision that was rendered.
        rev: u64,
        /// The message.
        message: MessageRef,
    },
    /// There is nothing to show yet: waits for the next revision.
    NotYet {
        /// The revision that was looked at.
        rev: u64,
    },
    /// Again, not before `due`.
    Again {
        /// Not before.
        due: Timestamp,
        /// Why.
        why: String,
    },
    /// The call may have happened: again, and the desired revision is raised.
    Unsure {
        /// Not before.
        due: Timestamp,
        /// Why.
        why: String,
    },
    /// Cannot be edited any more: a successor stands in this message.
    Succeeded {
        /// The revision that was rendered.
        rev: u64,
        /// The new message.
        message: MessageRef,
    },
    /// Cannot be shown here at all.
    Lost {
        /// Why.
        why: String,
    },
}

/// A day total that a decision read and adds to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotalChange {
    /// Which.
    pub key: TotalKey,
    /// The version that was read; 0 when there was none.
    pub version: u64,
    /// What is added, in minor units.
    pub add_minor: i64,
}

/// Which total: `refund/2026-11-22/EUR/web:ana`, unique per merchant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TotalKey(pub String);

/// A day total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Counts changes; 0 when there was none.
    pub version: u64,
    /// The sum, in minor units.
    pub minor: i64,
}

/// A delivery to be judged later, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Park {
    /// Its inbox key: parked once.
    pub key: InboxKey,
    /// The report, sealed for `parked/<source>/<key>`.
    pub sealed: Vec<u8>,
    /// Not before.
    pub due: Timestamp,
}

/// A parked delivery, claimed.
#[derive(Clone, Debug)]
pub struct ParkedClaim {
    /// The right to it.
    pub claim: Claim,
    /// Whose.
    pub merchant: MerchantId,
    /// Where it came from.
    pub key: InboxKey,
    /// The report, sealed.
    pub sealed: Vec<u8>,
    /// When it came.
    pub since: Timestamp,
    /// Counts claims: 1 at the first.
    pub tries: u32,
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Written.
    Done,
    /// A delivery was answered before, with this payment. Nothing was written.
    Duplicate(Option<PaymentId>),
    /// The same was asked a moment ago: this payment, then. Nothing was written.
    Recent(PaymentId, Timestamp),
    /// A row that the decision read has moved: take it anew. Nothing was written.
    Moved,
    /// The code is taken: make another one. Nothing was written.
    CodeTaken,
    /// The claim was lost: somebody else works on it. Nothing was written (of a card: see [`Shown::claim`]).
    FenceLost,
}

/// A payment as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub id: PaymentId,
    /// What people call it.
    pub code: Code,
    /// Which account takes the money.
    pub account: AccountId,
    /// Where it was asked.
    pub place: Place,
    /// Counts commits.
    pub version: u64,
    /// When it was asked, by our clock.
    pub created_at: Timestamp,
    /// The words; empty when erased.
    pub wording: Wording,
    /// Facts in the order in which they were written, each with our time of writing.
    pub facts: Vec<(Timestamp, Fact)>,
    /// Its links.
    pub links: Vec<Link>,
    /// Its checkouts' pay pages: the provider's id and URL.
    pub checkout_urls: Vec<(String, String)>,
    /// The newest desired revision of its cards. Raised by every change, and for a card that must be drawn once more.
    pub rev: u64,
}

/// One line of a list of payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which.
    pub id: PaymentId,
    /// What people call it.
    pub code: Code,
    /// Its status when it was last written.
    pub status: Status,
    /// When it was asked.
    pub created_at: Timestamp,
    /// What was asked.
    pub amount: crate::money::Money,
    /// What for; empty when erased.
    pub what: String,
}

/// Which payments to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Only this status.
    pub status: Option<Status>,
    /// At most this many; 0 for 50.
    pub limit: u32,
}

/// Someone who works for the merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// Short and unique per merchant: `ana`.
    pub id: String,
    /// What customers see: `Ana`.
    pub name: String,
    /// When they were added.
    pub since: Timestamp,
}

/// The store.
#[async_trait]
pub trait Store: Upkeep {
    /// Writes one decision. Durable when it returns [`Committed::Done`].
    ///
    /// # Errors
    /// [`StoreError`]: not written, as far as the store can tell; the decision may be taken again, since its inbox
    /// keys make a repeat harmless.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// The payment that one of these deliveries was answered with. `None`: they are new, or named no payment.
    async fn answered(&self, merchant: &MerchantId, keys: &[InboxKey]) -> Result<Option<PaymentId>, StoreError>;

    /// One payment with its facts.
    async fn payment(&self, merchant: &MerchantId, id: PaymentId) -> Result<Option<Stored>, StoreError>;

    /// The payment that people call by this code.
    async fn payment_by_code(&self, merchant: &MerchantId, code: Code) -> Result<Option<PaymentId>, StoreError>;

    /// The payment that a provider's object belongs to.
    async fn payment_by_object(
        &self,
        merchant: &MerchantId,
        account: &AccountId,
        kind: ObjectKind,
        id: &str,
    ) -> Result<Option<PaymentId>, StoreError>;

    /// The payment that a token's hash opens, of all merchants: the token itself is the authority.
    async fn payment_by_link(
        &self,
        purpose: Purpose,
        hash: &[u8; 32],
    ) -> Result<Option<(MerchantId, PaymentId)>, StoreError>;

    /// The messages that show cards of this payment, as far as they are posted.
    async fn card_messages(&self, merchant: &MerchantId, payment: PaymentId) -> Result<Vec<MessageRef>, StoreError>;

    /// Newest first.
    async fn payments(&self, merchant: &MerchantId, filter: &ListFilter) -> Result<Vec<Summary>, StoreError>;

    /// Claims payments whose `check_at` has come: moves it by `lease`, so that one worker looks at each.
    async fn claim_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<(MerchantId, PaymentId)>, StoreError>;

    /// Claims work that is due, oldest first.
    async fn claim_work(
        &self,
        queue: Queue,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<WorkClaim>, StoreError>;

    /// Claims cards that do not show their newest revision.
    async fn claim_cards(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<CardClaim>, StoreError>;

    /// Claims parked deliveries that are due.
    async fn claim_parked(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ParkedClaim>, StoreError>;

    /// When something is due next, of work, cards, parked deliveries and checks; `None` when nothing waits for time.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// A day total.
    async fn total(&self, merchant: &MerchantId, key: &TotalKey) -> Result<Total, StoreError>;

    /// Takes or renews a named lease until `now + ttl`. Gives the fence, which grows with every new holder; `None`
    /// while somebody else holds it.
    async fn lease(&self, name: &str, holder: &str, now: Timestamp, ttl: Duration) -> Result<Option<i64>, StoreError>;

    /// Keeps a value for an adapter, until `expires` where given. Overwrites.
    async fn keep(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        key: &str,
        value: &[u8],
        expires: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// What is kept and has not expired.
    async fn kept(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// All that is kept under keys that begin with `prefix` and has not expired, with the keys, in their order.
    async fn kept_under(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        prefix: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// What is kept and has not expired, and removes it: of two callers, one gets it.
    async fn take_kept(
        &self,
        merchant: &MerchantId,
        adapter: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Adds a staff member, or gives a known one a new name.
    async fn add_staff(&self, merchant: &MerchantId, staff: &Staff) -> Result<(), StoreError>;

    /// All staff, by id.
    async fn staff(&self, merchant: &MerchantId) -> Result<Vec<Staff>, StoreError>;

    /// Adds an account, or puts this in place of the one of the same id.
    async fn put_account(&self, merchant: &MerchantId, row: &AccountRow) -> Result<(), StoreError>;

    /// All accounts: newest choice first, then by id.
    async fn accounts(&self, merchant: &MerchantId) -> Result<Vec<AccountRow>, StoreError>;

    /// Closes an account for new payments, where it is there and open; an earlier closing stays as it is.
    async fn close_account(
        &self,
        merchant: &MerchantId,
        id: &AccountId,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// How full the queues are.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
}
