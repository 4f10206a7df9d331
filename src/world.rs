//! What every worker shares: the merchant, the ports, the keys, and the bells that wake a sleeping worker.

use crate::clock::Clock;
use crate::inbox::hints::Hints;
use crate::traffic::{Foreign, Heard, Reads};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use till_core::card::Mode;
use till_core::command::Grammar;
use till_core::id::{AccountId, Entropy, MerchantId};
use till_core::keys::KeyRing;
use till_core::link::Purpose;
use till_core::money::Currency;
use till_core::payment::Limits;
use till_core::place::Place;
use till_core::port::chat::Chat;
use till_core::port::http::Http;
use till_core::port::psp::{Account, Psp};
use till_core::port::store::{Store, Stored};
use till_core::text::{Locale, Tongues};
use till_core::time::Timestamp;
use tokio::sync::Notify;

/// Who gets the money. There is one, `default`, for now.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// The key of all its rows.
    pub id: MerchantId,
    /// What payers see.
    pub name: String,
    /// Its own currency: meant when none is written.
    pub currency: Currency,
    /// Its language.
    pub locale: Locale,
    /// Limits of money out.
    pub limits: Limits,
}

/// An account and the adapter that speaks to its provider.
#[derive(Clone)]
pub struct At {
    /// The credentials.
    pub account: Account,
    /// The adapter.
    pub psp: Arc<dyn Psp>,
    /// Why it takes no new payments. What was paid there is followed all the same.
    pub closed: Option<String>,
}

impl At {
    /// Whether real money moves there.
    pub fn mode(&self) -> Mode {
        if self.account.livemode { Mode::Live } else { Mode::Test }
    }
}

/// The merchant's accounts. They can be replaced while everything runs; every clone sees it.
#[derive(Clone)]
pub struct Accounts(Arc<RwLock<Arc<[Arc<At>]>>>);

impl Accounts {
    /// These, in the order in which new payments prefer them.
    pub fn new(all: Vec<At>) -> Self {
        Self(Arc::new(RwLock::new(shared(all))))
    }

    /// All of them, as they are now.
    pub fn all(&self) -> Arc<[Arc<At>]> {
        // A lock that was poisoned still holds a whole list: it is replaced in one move.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The account of this name.
    pub fn find(&self, id: &AccountId) -> Option<Arc<At>> {
        self.all().iter().find(|at| at.account.id == *id).cloned()
    }

    /// The one that takes new payments: the first that is not closed.
    pub fn for_new(&self) -> Option<Arc<At>> {
        self.all().iter().find(|at| at.closed.is_none()).cloned()
    }

    /// Whether real money moves where new payments go, or went last.
    pub fn mode(&self) -> Mode {
        let at = self.for_new().or_else(|| self.all().first().cloned());
        at.map_or(Mode::Test, |at| at.mode())
    }

    /// Puts these in place of all of them. Who holds one from before goes on with it.
    pub fn replace(&self, all: Vec<At>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shared(all);
    }
}

fn shared(all: Vec<At>) -> Arc<[Arc<At>]> {
    all.into_iter().map(Arc::new).collect()
}

/// Where links of cards lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkMode {
    /// To our pay page below this base URL (no trailing slash).
    Ours(String),
    /// Straight to the provider's page; payers return to this URL.
    Direct {
        /// Where payers land afterwards.
        return_url: String,
    },
}

/// How often the reconciler looks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at a fresh payment; grows with its age.
    pub poll_min: Duration,
    /// Between two looks at an old one.
    pub poll_max: Duration,
    /// Between two looks at the provider's event list.
    pub sweep: Duration,
}

/// Wakes workers that wait for something to do.
#[derive(Default)]
pub struct Bells {
    /// There may be work for providers.
    pub provider: Notify,
    /// There may be messages to send.
    pub chat: Notify,
    /// There may be cards to show.
    pub cards: Notify,
    /// Facts were written: whoever waits for a checkout looks again.
    pub facts: Notify,
}

impl Bells {
    /// Something was committed.
    pub fn ring(&self) {
        self.provider.notify_one();
        self.chat.notify_one();
        self.cards.notify_one();
        self.facts.notify_waiters();
    }
}

/// Deliveries since the start of the process, by verdict.
#[derive(Default)]
pub struct Counts(Mutex<BTreeMap<&'static str, Arc<AtomicU64>>>);

impl Counts {
    /// One more of `verdict`.
    pub fn add(&self, verdict: &'static str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(verdict).or_default().fetch_add(1, Ordering::Relaxed);
    }

    /// All verdicts so far.
    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(verdict, count)| (*verdict, count.load(Ordering::Relaxed))).collect()
    }
}

/// Everything that workers, the desk and the pages share.
pub struct World {
    /// Who gets the money.
    pub merchant: Merchant,
    /// Its accounts; new payments use the first that is not closed.
    pub accounts: Accounts,
    /// Its chats, by name.
    pub chats: BTreeMap<&'static str, Arc<dyn Chat>>,
    /// The rows.
    pub store: Arc<dyn Store>,
    /// The way to providers.
    pub http: Arc<dyn Http>,
    /// The secrets behind links and seals.
    pub ring: KeyRing,
    /// How commands begin.
    pub grammar: Grammar,
    /// What people read: the merchant's language, and their own where there is one.
    pub tongues: Tongues,
    /// Where links lead.
    pub links: LinkMode,
    /// How often the reconciler looks.
    pub pace: Pace,
    /// Tells the time, to those who are not told it.
    pub clock: Clock,
    /// Where random bytes come from; through [`World::draw`].
    pub entropy: Mutex<Box<dyn Entropy>>,
    /// Wakes workers.
    pub bells: Bells,
    /// Deliveries by verdict.
    pub counts: Counts,
    /// What may be asked of providers.
    pub reads: Reads,
    /// Which orders were hinted at.
    pub hints: Hints,
    /// What of their accounts is not ours.
    pub foreign: Foreign,
    /// How webhooks fare.
    pub heard: Heard,
    /// When this process began.
    pub began: Timestamp,
}

impl World {
    /// Draws ids, codes or nonces.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut dyn Entropy) -> T) -> T {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        draw(&mut **entropy)
    }

    /// The account of this name.
    pub fn account(&self, id: &AccountId) -> Option<Arc<At>> {
        self.accounts.find(id)
    }

    /// The chat that a place belongs to.
    pub fn chat(&self, place: &Place) -> Option<&Arc<dyn Chat>> {
        self.chats.get(place.platform.as_str())
    }

    /// Our page for this payment, where links are ours.
    pub fn page(&self, purpose: Purpose, stored: &Stored) -> Option<String> {
        let link = stored.links.iter().rev().find(|link| link.purpose == purpose)?;
        self.own_page(purpose, &link.token(stored.id, &self.ring)?)
    }

    /// Our page for this token, where links are ours.
    pub fn own_page(&self, purpose: Purpose, token: &str) -> Option<String> {
        let LinkMode::Ours(base) = &self.links else { return None };
        Some(format!("{base}/{}/{token}", path_of(purpose)))
    }

    /// Where payers land who come from a provider and have no page of ours.
    pub fn fallback_return_url(&self) -> String {
        match &self.links {
            LinkMode::Ours(base) => base.clone(),
            LinkMode::Direct { return_url } => return_url.clone(),
        }
    }

    /// Where the provider's checkout of this id is paid.
    pub fn checkout_url(stored: &Stored, id: &str) -> Option<String> {
        stored.checkout_urls.iter().find(|(known, _)| known == id).map(|(_, url)| url.clone())
    }
}

/// `p` or `r`.
pub fn path_of(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Pay => "p",
        Purpose::Receipt => "r",
    }
}
