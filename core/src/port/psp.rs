//! The payment service provider: where payers pay. An adapter translates; it holds no state and opens no socket.
//!
//! ```text
//! create, expire, capture, refund ─► Reported      what the provider says of one object, now
//! fetch, list_since ───────────────► Reported …    the same, asked for
//! verify(delivery) ────────────────► Evidence      the same, pushed: whole, or only a hint to fetch
//! takes, examine ──────────────────► what it would refuse, and whether the account is set up, before anything is asked for
//! ```
//! Deliberately absent: Till's opinion. Whether an amount is the right one is judged in [`crate::payment::judge`].

use crate::id::{AccountId, CaptureId, CheckoutId, DisputeId, PaymentId, PspRefundId, RefundId};
use crate::money::Money;
use crate::order::{CheckoutOrder, IdemKey, RefundOrder};
use crate::payment::{CheckoutState, DisputeState, RefundState, ReviewState};
use crate::port::http::Http;
use crate::time::Timestamp;
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a provider can do. What it lacks is data, not a missing method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PspCaps {
    /// Whether a checkout can be closed by us.
    pub expire: Expire,
    /// Whether money moves when the payer agrees, or when we take it.
    pub capture: Capture,
    /// Whether the payer pays exactly what the checkout says, or may choose.
    pub amount: AmountBy,
    /// Whether a webhook proves who sent it.
    pub webhooks: Webhooks,
    /// How long an idempotency key is remembered; after that, look up instead of trying again.
    pub key_window: Duration,
    /// Shortest and longest life of a checkout.
    pub checkout_life: (Duration, Duration),
}

/// Whether a webhook proves who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Webhooks {
    /// Each one is signed with a secret of the account's.
    Signed,
    /// None is: they only say where to look, and anybody can send them.
    Hints,
}

/// Whether a checkout can be closed by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expire {
    /// There is a call for it.
    OnRequest,
    /// It closes only by itself.
    ByItself,
}

/// Whether money moves when the payer agrees, or when we take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// The provider takes it.
    ByItself,
    /// We take it, by a call; until then nothing has moved, and what is never taken is let go.
    OnRequest,
}

/// Whether a provider takes an amount, as far as that can be told without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing speaks against it.
    Yes,
    /// Probably not, since it is small: only the provider knows, so it is asked all the same.
    PerhapsTooSmall {
        /// What it takes at least, as far as is known.
        least: Money,
    },
    /// Never: it is more than the provider can count.
    TooLarge {
        /// What it takes at most.
        most: Money,
    },
    /// Never: the provider counts this currency in larger steps.
    TooFine {
        /// The smallest step: every amount is a multiple of it.
        step: Money,
    },
    /// Never: the provider does not know the currency.
    UnknownCurrency,
}

/// Who decides the amount that is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountBy {
    /// The checkout: another amount is a mismatch.
    Checkout,
    /// The payer: less is partly paid, more is overpaid.
    Payer,
}

/// One merchant's credentials at one provider.
#[derive(Clone, Debug)]
pub struct Account {
    /// Our name for it.
    pub id: AccountId,
    /// The provider's API, without a trailing slash.
    pub base_url: String,
    /// The API key.
    pub secret: SecretString,
    /// The provider's name for the account, compared with what events say.
    pub provider_account: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// Webhook signing secrets, newest first; several while one is being replaced.
    pub webhook_secrets: Vec<SecretString>,
    /// Since when it is set up here: nothing of ours is older at the provider.
    pub since: Timestamp,
    /// Whose key it is.
    pub access: Access,
    /// What the merchant wants to be different there.
    pub settings: AccountSettings,
}

/// Whose API key an account is used with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// The account's own.
    #[default]
    Own,
    /// A platform's, which acts for the provider's account.
    Connected,
}

impl Access {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Own, Self::Connected];

    /// The word in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Connected => "connected",
        }
    }
}

/// What a merchant wants to be different at one account. What a provider cannot do, its adapter leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSettings {
    /// Payment methods that are never offered, in the provider's words: `klarna`.
    pub without_methods: Vec<String>,
    /// From this amount on, one per currency, the payer is always authenticated (3-D Secure).
    pub authenticate_from: Vec<Money>,
    /// What stands on the payer's statement after the merchant's name.
    pub descriptor_suffix: Option<String>,
}

/// A delivery to `/hooks/{psp}/{endpoint}`, byte for byte.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Headers; names in lower case.
    pub headers: &'a [(String, String)],
    /// The raw body.
    pub body: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// The first header called `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// Why a delivery is not believed. The sender learns nothing but 4xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// A header that must be there is missing or unreadable.
    #[error("unsigned")]
    Unsigned,
    /// No secret makes this signature.
    #[error("bad signature")]
    BadSignature,
    /// Signed too long ago, or in the future.
    #[error("outside the time window")]
    OutsideWindow,
    /// Signed, and not what this provider sends.
    #[error("unreadable")]
    Unreadable,
}

/// What a believed delivery gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Signed and whole.
    Facts(Reported),
    /// The merchant took the platform's access to the account away: nothing can be asked for there any more.
    AccessLost {
        /// The provider's name for the account.
        provider_account: String,
        /// Whether real money moved there.
        livemode: bool,
    },
    /// Only a pointer: fetch it.
    Hint {
        /// The provider's id of the delivery, for de-duplication.
        event: String,
        /// What to fetch.
        ask: Ask,
    },
    /// Carries no reference of ours: somebody else's payment on the same account.
    Foreign,
}

/// What to look up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// A checkout by the provider's id.
    Checkout(CheckoutId),
    /// A checkout by what we put into its metadata.
    CheckoutOf {
        /// Which payment.
        payment: PaymentId,
        /// Which of its checkouts.
        n: u32,
        /// When it was wanted, by our clock: it was not made before.
        since: Timestamp,
    },
    /// A refund by what we put into its metadata.
    RefundOf {
        /// Which payment.
        payment: PaymentId,
        /// Ours.
        refund: RefundId,
        /// From which capture.
        capture: CaptureId,
    },
    /// All that hangs on a capture: the checkout it came through, its refunds, its disputes.
    Capture(CaptureId),
}

/// What the provider says of a payment, at one moment of its own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// The event's id, or for an answer `fetch:…`: unique per account.
    pub event: String,
    /// The provider's own time of it.
    pub as_of: Timestamp,
    /// The provider's account.
    pub provider_account: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// Of which payment.
    #[serde(flatten)]
    pub about: About,
    /// What it says; usually one thing.
    pub news: Vec<News>,
}

/// How a report names its payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// By our reference, from the metadata.
    Payment(PaymentId),
    /// By money that came through it: what hangs on a capture does not always carry our reference.
    Capture(CaptureId),
}

/// One thing that a provider says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// A checkout is in this state.
    Checkout {
        /// The provider's id.
        checkout: CheckoutId,
        /// From our metadata.
        n: u32,
        /// Its state.
        state: CheckoutState,
        /// What it asks for.
        amount: Money,
        /// When it closes by itself.
        closes_at: Option<Timestamp>,
        /// Where the payer pays; only while it is open.
        url: Option<String>,
    },
    /// Money arrived.
    Captured {
        /// The provider's id of the payment.
        capture: CaptureId,
        /// The checkout it came through.
        checkout: CheckoutId,
        /// How much.
        amount: Money,
    },
    /// The bank took a capture back.
    CaptureReversed {
        /// Which.
        capture: CaptureId,
    },
    /// The payer tried and was declined; the checkout stays open.
    AttemptFailed {
        /// The checkout, by the number in our metadata.
        n: u32,
        /// The provider's id of the attempt.
        attempt: String,
        /// The provider's reason, as a code.
        why: String,
    },
    /// A refund is in this state.
    Refund {
        /// The provider's id.
        refund: PspRefundId,
        /// Ours, when we asked for it.
        ours: Option<RefundId>,
        /// From which capture.
        capture: CaptureId,
        /// How much.
        amount: Money,
        /// Its state.
        state: RefundState,
    },
    /// A dispute is in this state.
    Dispute {
        /// The provider's id.
        dispute: DisputeId,
        /// About which capture.
        capture: CaptureId,
        /// How much is disputed.
        amount: Money,
        /// Its state.
        state: DisputeState,
        /// How much was taken from the merchant until it is decided.
        withdrawn: Money,
        /// How often money was moved for it; orders versions of the same moment.
        #[serde(default)]
        moves: u32,
        /// Until when it must be answered.
        answer_by: Option<Timestamp>,
    },
    /// How much of a capture went back or is on its way back, as a sum: to be compared with the refunds that are known.
    RefundedSum {
        /// From which capture.
        capture: CaptureId,
        /// How much.
        amount: Money,
    },
    /// The card's network warns that a payment may be fraud; no money moves.
    FraudWarning {
        /// The provider's id.
        warning: String,
        /// About which capture.
        capture: CaptureId,
        /// The provider's reason, as a code.
        why: String,
    },
    /// The provider wants a person to look at a payment.
    Review {
        /// The provider's id.
        review: String,
        /// About which capture.
        capture: CaptureId,
        /// How it stands.
        state: ReviewState,
        /// The provider's reason, as a code.
        why: String,
    },
}

impl News {
    /// The money that it tells of as arrived.
    pub fn captured(&self) -> Option<&CaptureId> {
        match self {
            Self::Captured { capture, .. } => Some(capture),
            Self::Checkout { .. }
            | Self::CaptureReversed { .. }
            | Self::AttemptFailed { .. }
            | Self::Refund { .. }
            | Self::Dispute { .. }
            | Self::RefundedSum { .. }
            | Self::FraudWarning { .. }
            | Self::Review { .. } => None,
        }
    }
}

/// A provider call did not bring what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Surely had no effect; try again, not before `wait` where given.
    #[error("not now: {why}")]
    Later {
        /// How long the provider asks us to wait.
        wait: Option<Duration>,
        /// For the log.
        why: String,
    },
    /// May have had an effect; try again under the same key.
    #[error("no clear answer: {0}")]
    Ambiguous(String),
    /// The provider will not do this, ever. The text is for staff.
    #[error("{0}")]
    Refused(String),
    /// The provider will not do this any more, and a fresh order may fare better: too much time has passed.
    #[error("too late for this order: {0}")]
    Outdated(String),
    /// The key is used up, by other parameters or by an error that it repeats: look up what it made.
    #[error("nothing more comes under this key")]
    KeyTaken,
    /// There is no such object.
    #[error("not found")]
    NotFound,
    /// The checkout is complete and cannot be closed any more: fetch it.
    #[error("already complete")]
    AlreadyComplete,
    /// The credentials are not accepted, or not for this. The text is for the host.
    #[error("credentials refused: {0}")]
    Credentials(String),
    /// The answer makes no sense: a bug here or there.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
}

/// A page of the provider's event list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Oldest first, as far as the provider's pages go; foreign events are left out. No fact depends on the order.
    pub reports: Vec<Reported>,
    /// Ids of events that this version cannot read; they are passed over.
    pub unreadable: Vec<String>,
    /// Where the next page begins; the same cursor again when there is nothing new.
    pub cursor: String,
    /// Whether more is there now.
    pub more: bool,
}

/// One thing that was found out about how an account is set up, for the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found, as a sentence.
    pub text: String,
    /// How to mend it, as a sentence; empty where there is nothing to mend.
    pub mend: String,
}

/// Where an account's deliveries shall go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook<'a> {
    /// To this URL, which the world can reach.
    Public(&'a str),
    /// To this URL, which this computer alone can reach.
    Local(&'a str),
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Works, and could be better.
    Note,
    /// Does not work.
    Wrong,
}

impl Finding {
    /// As it should be.
    pub fn good(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Good, text: text.into(), mend: String::new() }
    }

    /// Works, and could be better.
    pub fn note(text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Note, text: text.into(), mend: mend.into() }
    }

    /// Does not work.
    pub fn wrong(text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Wrong, text: text.into(), mend: mend.into() }
    }
}

/// A payment service provider.
#[async_trait]
pub trait Psp: Send + Sync {
    /// The name in `/hooks/{psp}/…` and in the configuration.
    fn name(&self) -> &'static str;

    /// The provider's own API, without a trailing slash.
    fn base_url(&self) -> &'static str;

    /// What it can do.
    fn caps(&self) -> PspCaps;

    /// Whether a key can be one of the provider's, for real money or for tests, as far as its form tells.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with "the key". Never repeats the key.
    fn suits(&self, key: &SecretString, livemode: bool) -> Result<(), &'static str>;

    /// Whether it takes this amount, as far as that can be told without asking.
    fn takes(&self, amount: Money) -> Takes;

    /// Creates a checkout. The same order and key give the same checkout.
    ///
    /// # Errors
    /// [`Fault`]; `Ambiguous` and `Later` may be tried again with the same key, `KeyTaken` is settled by [`Psp::fetch`].
    async fn create(
        &self,
        http: &dyn Http,
        at: &Account,
        order: &CheckoutOrder,
        key: &IdemKey,
    ) -> Result<Reported, Fault>;

    /// Closes a checkout. Already closed is success.
    ///
    /// # Errors
    /// [`Fault::AlreadyComplete`] when the payer was faster: fetch it. [`Fault::Refused`] where it closes only by itself.
    async fn expire(&self, http: &dyn Http, at: &Account, id: &CheckoutId, key: &IdemKey) -> Result<Reported, Fault>;

    /// Takes the money that the payer of a checkout has agreed to; taken already is success. Where the provider takes it
    /// by itself, it says how the checkout stands.
    ///
    /// # Errors
    /// [`Fault::Refused`] when there is nothing to take any more.
    async fn capture(&self, http: &dyn Http, at: &Account, id: &CheckoutId, key: &IdemKey) -> Result<Reported, Fault>;

    /// Makes a refund. The same order and key make one refund.
    ///
    /// # Errors
    /// As [`Psp::create`].
    async fn refund(
        &self,
        http: &dyn Http,
        at: &Account,
        order: &RefundOrder,
        key: &IdemKey,
    ) -> Result<Reported, Fault>;

    /// What the provider says now.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when the provider knows nothing of it.
    async fn fetch(&self, http: &dyn Http, at: &Account, ask: &Ask) -> Result<Vec<Reported>, Fault>;

    /// Looks at how the account is set up, changing nothing: key, permissions, webhooks, and what ends soon after `now`.
    /// Whether the two clocks agree, the doctor sees by itself from the `Date` of the answers.
    async fn examine(&self, http: &dyn Http, at: &Account, hook: Hook<'_>, now: Timestamp) -> Vec<Finding>;

    /// The next page of events after `cursor`; from the oldest kept when `None`.
    ///
    /// # Errors
    /// [`Fault`]; the cursor stays where it was.
    async fn list_since(&self, http: &dyn Http, at: &Account, cursor: Option<&str>) -> Result<Page, Fault>;

    /// Whether a delivery is the provider's, on its raw bytes, in constant time, and what it says.
    ///
    /// # Errors
    /// [`Distrust`]; answer 4xx and count it.
    async fn verify(
        &self,
        http: &dyn Http,
        at: &Account,
        d: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Vec<Evidence>, Distrust>;
}
