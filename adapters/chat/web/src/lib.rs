//! Till's own live chat: a page where customers write, and a desk where staff answer and ask for money.
//!
//! ```text
//! browser ──POST──► routes ──► Desk::hear ──► an answer for this person, or a line for everybody ─┐
//! browser ◄──SSE─── stream ◄── Transcript::since(number) ◄──────────── pulse ◄────────────────────┤
//! program ────────► Chat::post, edit, reply, whisper ─────────────────────────────────────────────┘
//! ```
//! A platform like the others, except that its far end is us: a message stands when the store has it, and whoever was
//! away reads on from the last number they saw. [`Web::router`] is what the program mounts: everything below `/chat`
//! and `/desk`.
//!
//! Deliberately absent: a queue per reader (a slow one reads from the store when it is ready), passwords (staff come
//! in by one-time links), and any state that a restart could lose, apart from rate budgets.

mod chat;
mod limits;
mod pages;
mod pulse;
mod render;
mod routes;
mod sessions;
mod stream;
#[cfg(test)]
mod tests;

pub use sessions::SignedIn;

use axum::http::Extensions;
use limits::Limits;
use pulse::Pulse;
use std::net::IpAddr;
use std::sync::Arc;
use stream::Streams;
use till_core::card::Mode;
use till_core::command::Grammar;
use till_core::id::MerchantId;
use till_core::port::desk::Desk;
use till_core::port::store::Store;
use till_core::port::transcript::Transcript;
use till_core::text::Locale;
use till_core::time::Timestamp;
use tokio::sync::RwLock;

/// The adapter's name, in places and in the store.
pub const PLATFORM: &str = "web";

/// What the present moment is read from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Where random bytes come from: fills all of what it is given.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Whether real money moves, as of now.
pub type Stamp = Arc<dyn Fn() -> Mode + Send + Sync>;

/// How this chat is set up.
#[derive(Clone)]
pub struct Settings {
    /// Whose chat it is.
    pub merchant: MerchantId,
    /// What customers read at the top: `Corner Café`.
    pub merchant_name: String,
    /// Which pages may send here.
    pub origins: Origins,
    /// How cookies are marked.
    pub cookies: Cookies,
    /// Whether TEST stands at the top, asked for every page: the account that takes payments may change.
    pub mode: Stamp,
    /// Who may show the pages in a frame.
    pub embed: Embed,
    /// How commands begin: the composer's menu and the payment form write them.
    pub grammar: Grammar,
    /// The currency the payment form begins with: `EUR`.
    pub currency: String,
    /// Reads the client's address from what the program's HTTP layer left in the request. Where it gives none, no
    /// budget is kept by address.
    pub address: fn(&Extensions) -> Option<IpAddr>,
}

/// Which pages may send here. A browser names the page's origin in every POST; anything else is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Exactly these: `https://shop.example`.
    Listed(Vec<String>),
    /// The host that the request itself was sent to; for where the public address is not known.
    SameHost,
}

/// How cookies are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// `__Host-…; Secure`: everywhere but on loopback.
    Secure,
    /// Without, since a browser keeps no such cookie over plain HTTP.
    Plain,
}

/// Who may show the pages in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Embed {
    /// Nobody.
    Refused,
    /// Pages of the same origin: the demo shows customer and staff side by side.
    SameOrigin,
}

/// The live chat of one merchant.
pub struct Web {
    settings: Settings,
    store: Arc<dyn Store>,
    transcript: Arc<dyn Transcript>,
    clock: Clock,
    entropy: Randomness,
    locale: Locale,
    /// Whoever answers people. Held for reading while something is being answered: who takes it for writing knows
    /// that nothing is.
    desk: Arc<RwLock<Option<Arc<dyn Desk>>>>,
    pulse: Pulse,
    limits: Limits,
    streams: Streams,
    pages: pages::Pages,
}

impl Web {
    /// A chat over this store. Nothing is answered before [`till_core::port::chat::Chat::listen`] hands over the desk.
    pub fn new(
        settings: Settings,
        store: Arc<dyn Store>,
        transcript: Arc<dyn Transcript>,
        clock: Clock,
        entropy: Randomness,
        locale: Locale,
    ) -> Arc<Self> {
        let pages = pages::Pages::new(&settings, &locale);
        Arc::new(Self {
            settings,
            store,
            transcript,
            clock,
            entropy,
            locale,
            desk: Arc::default(),
            pulse: Pulse::new(),
            limits: Limits::default(),
            streams: Streams::default(),
            pages,
        })
    }

    /// Everything below `/chat` and `/desk`. Streams stay open; all other answers are quick.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        routes::router(self)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes);
        bytes
    }

    fn word(&self, key: &str) -> String {
        self.locale.say(key, &[])
    }
}
