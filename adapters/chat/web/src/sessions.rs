//! Who is at the other end: sessions of customers and staff, and the one-time links that staff come in by.
//!
//! A token is 128 random bits in a cookie that scripts cannot read; the store keeps its SHA-256 alone, so a stolen
//! database opens no session. Staff are looked up anew at each request: whoever is taken off the list is out.
//!
//! A customer's cookie is `SameSite=Lax`: a customer who follows a link to the chat from a mail or from the shop's own
//! site finds their conversation again. Nothing that changes anything can be reached by such a link.

use crate::limits::Limited;
use crate::{Cookies, PLATFORM, Web};
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use till_core::place::PersonId;
use till_core::port::store::{Staff, StoreError};

/// How long a customer is known after their last visit.
const VISITOR_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long staff stay signed in after they last opened the desk.
const STAFF_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A session as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
enum Kept {
    Visitor { conversation: String, name: String },
    Staff { id: String },
}

/// A customer.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// What the store calls the session.
    pub(crate) key: String,
    /// Their conversation. Its row begins with their first words.
    pub(crate) conversation: String,
    /// `Guest 4F2K`.
    pub(crate) name: String,
}

/// Someone at the desk.
#[derive(Clone, Debug)]
pub(crate) struct Clerk {
    /// What the store calls the session.
    pub(crate) key: String,
    /// Who, as the store knows them now.
    pub(crate) staff: Staff,
}

/// Either of them.
#[derive(Clone, Debug)]
pub(crate) enum Person {
    Visitor(Visitor),
    Clerk(Clerk),
}

impl Person {
    /// The platform's id: `visitor:…` or `staff:ana`.
    pub(crate) fn id(&self) -> PersonId {
        match self {
            Self::Visitor(visitor) => visitor_id(&visitor.conversation),
            Self::Clerk(clerk) => staff_id(&clerk.staff.id),
        }
    }

    /// Who writes their lines, as the transcript says it.
    pub(crate) fn author(&self) -> String {
        match self {
            Self::Visitor(_) => "visitor".to_owned(),
            Self::Clerk(clerk) => format!("staff:{}", clerk.staff.id),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Visitor(visitor) => &visitor.name,
            Self::Clerk(clerk) => &clerk.staff.name,
        }
    }

    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Visitor(visitor) => &visitor.key,
            Self::Clerk(clerk) => &clerk.key,
        }
    }

    /// Whose budget they write from.
    pub(crate) fn limited(&self) -> (Limited, &str) {
        match self {
            Self::Visitor(visitor) => (Limited::Visitor, &visitor.conversation),
            Self::Clerk(clerk) => (Limited::Staff, &clerk.staff.id),
        }
    }
}

/// The customer of a conversation, as a person.
pub(crate) fn visitor_id(conversation: &str) -> PersonId {
    PersonId { platform: PLATFORM.to_owned(), id: format!("visitor:{conversation}") }
}

/// A staff member, as a person.
pub(crate) fn staff_id(id: &str) -> PersonId {
    PersonId { platform: PLATFORM.to_owned(), id: format!("staff:{id}") }
}

/// A session that the program opened for somebody: the demo does so for its two sides.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The value of a `Set-Cookie` header.
    pub set_cookie: String,
    /// Who they are.
    pub person: PersonId,
}

/// Whose cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Customer,
    Desk,
}

impl Side {
    fn cookie(self, cookies: Cookies) -> &'static str {
        match (self, cookies) {
            (Self::Customer, Cookies::Secure) => "__Host-till_visitor",
            (Self::Customer, Cookies::Plain) => "till_visitor",
            (Self::Desk, Cookies::Secure) => "__Host-till_staff",
            (Self::Desk, Cookies::Plain) => "till_staff",
        }
    }

    fn ttl(self) -> Duration {
        match self {
            Self::Customer => VISITOR_TTL,
            Self::Desk => STAFF_TTL,
        }
    }
}

impl Web {
    /// A one-time link for a staff member: the path `/desk/enter/…`, good once and for `ttl`.
    ///
    /// The token is not kept, only its hash, and it opens nothing once the person is off the staff list.
    ///
    /// # Errors
    /// [`StoreError`]: there is no link then.
    pub async fn invite(&self, staff_id: &str, ttl: Duration) -> Result<String, StoreError> {
        let token = self.token();
        let key = format!("invite/{}", hash(&token));
        let expires = self.now().after(ttl);
        self.store.keep(&self.settings.merchant, PLATFORM, &key, staff_id.as_bytes(), Some(expires)).await?;
        Ok(format!("/desk/enter/{token}"))
    }

    /// Signs a new customer in whose conversation stands in the list at once.
    ///
    /// # Errors
    /// [`StoreError`]: nobody was signed in.
    pub async fn sign_in_visitor(&self) -> Result<SignedIn, StoreError> {
        let (visitor, set_cookie) = self.new_visitor().await?;
        self.begin(&visitor).await?;
        Ok(SignedIn { set_cookie, person: visitor_id(&visitor.conversation) })
    }

    /// Signs a staff member in. `None`: there is nobody of this id.
    ///
    /// # Errors
    /// [`StoreError`]: nobody was signed in.
    pub async fn sign_in_staff(&self, id: &str) -> Result<Option<SignedIn>, StoreError> {
        let Some(staff) = self.staff_member(id).await? else { return Ok(None) };
        let (_, set_cookie) = self.open(Side::Desk, &Kept::Staff { id: staff.id.clone() }).await?;
        Ok(Some(SignedIn { set_cookie, person: staff_id(&staff.id) }))
    }

    /// Whether an invitation is good, without using it up.
    pub(crate) async fn invited(&self, token: &str) -> Result<Option<Staff>, StoreError> {
        let key = format!("invite/{}", hash(token));
        let id = self.store.kept(&self.settings.merchant, PLATFORM, &key, self.now()).await?;
        self.invited_one(id).await
    }

    /// Uses an invitation up. Of two who try, one gets in.
    pub(crate) async fn enter(&self, token: &str) -> Result<Option<SignedIn>, StoreError> {
        let key = format!("invite/{}", hash(token));
        let id = self.store.take_kept(&self.settings.merchant, PLATFORM, &key, self.now()).await?;
        match self.invited_one(id).await? {
            Some(staff) => self.sign_in_staff(&staff.id).await,
            None => Ok(None),
        }
    }

    async fn invited_one(&self, id: Option<Vec<u8>>) -> Result<Option<Staff>, StoreError> {
        match id.and_then(|id| String::from_utf8(id).ok()) {
            Some(id) => self.staff_member(&id).await,
            None => Ok(None),
        }
    }

    /// The staff member of this id, as the store knows them now.
    pub(crate) async fn staff_member(&self, id: &str) -> Result<Option<Staff>, StoreError> {
        Ok(self.store.staff(&self.settings.merchant).await?.into_iter().find(|staff| staff.id == id))
    }

    /// A customer who was never here.
    pub(crate) async fn new_visitor(&self) -> Result<(Visitor, String), StoreError> {
        let conversation = hex::encode(self.random::<12>());
        let name = self.locale.say("web-guest", &[("code", &short_name(self.random()))]);
        let kept = Kept::Visitor { conversation: conversation.clone(), name: name.clone() };
        let (key, set_cookie) = self.open(Side::Customer, &kept).await?;
        Ok((Visitor { key, conversation, name }, set_cookie))
    }

    /// Begins the customer's conversation, where it has not begun.
    pub(crate) async fn begin(&self, visitor: &Visitor) -> Result<(), StoreError> {
        let merchant = &self.settings.merchant;
        if self.transcript.conversation(merchant, &visitor.conversation).await?.is_none() {
            self.transcript.begin(merchant, &visitor.conversation, &visitor.name, self.now()).await?;
            self.pulse.beat(&visitor.conversation);
        }
        Ok(())
    }

    /// The customer whose cookie this is.
    pub(crate) async fn visitor(&self, headers: &HeaderMap) -> Result<Option<Visitor>, StoreError> {
        match self.session(Side::Customer, headers).await? {
            Some((key, Kept::Visitor { conversation, name })) => Ok(Some(Visitor { key, conversation, name })),
            Some((_, Kept::Staff { .. })) | None => Ok(None),
        }
    }

    /// The staff member whose cookie this is, if they still are staff.
    pub(crate) async fn clerk(&self, headers: &HeaderMap) -> Result<Option<Clerk>, StoreError> {
        match self.session(Side::Desk, headers).await? {
            Some((key, Kept::Staff { id })) => Ok(self.staff_member(&id).await?.map(|staff| Clerk { key, staff })),
            Some((_, Kept::Visitor { .. })) | None => Ok(None),
        }
    }

    /// Whether somebody of either side is signed in with this cookie.
    pub(crate) async fn who(&self, side: Side, headers: &HeaderMap) -> Result<Option<Person>, StoreError> {
        Ok(match side {
            Side::Customer => self.visitor(headers).await?.map(Person::Visitor),
            Side::Desk => self.clerk(headers).await?.map(Person::Clerk),
        })
    }

    /// Moves a session's end, and the cookie's with it; at most once an hour.
    pub(crate) async fn renew(&self, side: Side, headers: &HeaderMap) -> Result<Option<String>, StoreError> {
        let Some(token) = self.cookie(side, headers) else { return Ok(None) };
        let key = session_key(token);
        if self.limits.take(Limited::Renewal, &key, self.now()).is_err() {
            return Ok(None);
        }
        let merchant = &self.settings.merchant;
        let Some(kept) = self.store.kept(merchant, PLATFORM, &key, self.now()).await? else { return Ok(None) };
        self.store.keep(merchant, PLATFORM, &key, &kept, Some(self.now().after(side.ttl()))).await?;
        Ok(Some(self.set_cookie(side, token, side.ttl())))
    }

    /// Ends a session; gives the header that takes the cookie away.
    pub(crate) async fn leave(&self, clerk: &Clerk) -> Result<String, StoreError> {
        self.store.take_kept(&self.settings.merchant, PLATFORM, &clerk.key, self.now()).await?;
        Ok(self.set_cookie(Side::Desk, "", Duration::ZERO))
    }

    /// A new session: what the store calls it, and the header that hands its token over.
    async fn open(&self, side: Side, kept: &Kept) -> Result<(String, String), StoreError> {
        let token = self.token();
        let value = serde_json::to_vec(kept).unwrap_or_default();
        let expires = self.now().after(side.ttl());
        let key = session_key(&token);
        self.store.keep(&self.settings.merchant, PLATFORM, &key, &value, Some(expires)).await?;
        Ok((key, self.set_cookie(side, &token, side.ttl())))
    }

    async fn session(&self, side: Side, headers: &HeaderMap) -> Result<Option<(String, Kept)>, StoreError> {
        let Some(token) = self.cookie(side, headers) else { return Ok(None) };
        let key = session_key(token);
        let kept = self.store.kept(&self.settings.merchant, PLATFORM, &key, self.now()).await?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).map(|kept| (key, kept)))
    }

    /// The token in the side's cookie, when it looks like one.
    fn cookie<'a>(&self, side: Side, headers: &'a HeaderMap) -> Option<&'a str> {
        let wanted = side.cookie(self.settings.cookies);
        let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let token = pairs.filter(|(name, _)| *name == wanted).map(|(_, token)| token).next()?;
        (token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(token)
    }

    fn set_cookie(&self, side: Side, token: &str, ttl: Duration) -> String {
        let name = side.cookie(self.settings.cookies);
        let same_site = match side {
            Side::Customer => "Lax",
            Side::Desk => "Strict",
        };
        let secure = match self.settings.cookies {
            Cookies::Secure => "; Secure",
            Cookies::Plain => "",
        };
        format!("{name}={token}; Path=/; Max-Age={}; HttpOnly; SameSite={same_site}{secure}", ttl.as_secs())
    }

    fn token(&self) -> String {
        hex::encode(self.random::<16>())
    }
}

fn session_key(token: &str) -> String {
    format!("session/{}", hash(token))
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Four characters that are read aloud without doubt: Crockford's base 32.
fn short_name(bytes: [u8; 4]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}
