//! Names of things: merchants, payments, refunds, people, and the six characters that staff type.
//!
//! Ids are UUIDv7 (RFC 9562, 5.7) made from the given time and entropy, and carry their kind: `pay_…`, `ref_…`.
//! A [`Code`] is what people say aloud; it finds a payment within its merchant and is never an authority.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Where random bytes come from. The program asks the system; a test gives a seed.
pub trait Entropy: Send {
    /// Fills all of `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// `N` random bytes.
pub fn random<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// The text is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}")]
pub struct NotAnId {
    /// What was given.
    pub text: String,
    /// What was expected, with its article: `a payment id`.
    pub kind: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// A new one: 48 bits of `now`, then 74 random bits.
            pub fn new(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
                let ms = u64::try_from(now.ms()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(ms, &random(entropy)).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.strip_prefix($prefix)
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| NotAnId { text: text.to_owned(), kind: $kind })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }
    };
}

uuid_id!(
    /// One payment request and all that became of it: `pay_018f…`.
    PaymentId, "pay_", "a payment id"
);
uuid_id!(
    /// One refund that was asked for here: `ref_018f…`. Travels in the provider's metadata.
    RefundId, "ref_", "a refund id"
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; whoever made it vouches for it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// Who gets the money. Every row belongs to one; there is one, `default`, for now.
    MerchantId
);
text_id!(
    /// One merchant's credentials at one provider: `sandbox`.
    AccountId
);
text_id!(
    /// The provider's name for a checkout.
    CheckoutId
);
text_id!(
    /// The provider's name for a capture: money that arrived.
    CaptureId
);
text_id!(
    /// The provider's name for a refund.
    PspRefundId
);
text_id!(
    /// The provider's name for a dispute.
    DisputeId
);

/// The alphabet of codes: Crockford's base 32, which has no I, L, O and U.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Six characters of Crockford's base 32 that people type and read aloud: `K7Q2F9`. Unique per merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code([u8; 6]);

impl Code {
    /// A random one; the store refuses a code that the merchant has already.
    pub fn new(entropy: &mut dyn Entropy) -> Self {
        Self(random::<6>(entropy).map(|byte| CROCKFORD[usize::from(byte % 32)]))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| fmt::Write::write_char(f, char::from(byte)))
    }
}

impl FromStr for Code {
    type Err = NotAnId;
    /// Reads what people type: any case, a leading `#`, and I, L for 1, O for 0.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let refuse = || NotAnId { text: text.chars().take(40).collect(), kind: "a payment code" };
        let typed = text.strip_prefix('#').unwrap_or(text).as_bytes();
        let typed: [u8; 6] = typed.try_into().map_err(|_| refuse())?;
        let read = typed.map(|byte| match byte.to_ascii_uppercase() {
            b'I' | b'L' => b'1',
            b'O' => b'0',
            other => other,
        });
        if read.iter().all(|byte| CROCKFORD.contains(byte)) { Ok(Self(read)) } else { Err(refuse()) }
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.to_string()
    }
}

impl TryFrom<String> for Code {
    type Error = NotAnId;
    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn an_id_carries_its_kind_and_its_time() {
        let id = PaymentId::new(Timestamp::from_ms(0x0198_0000_0000), &mut Fixed(0xff));
        assert_eq!(id.to_string(), "pay_0198000000007fffbfffffffffffffff");
        assert_eq!(id.to_string().parse::<PaymentId>(), Ok(id));
        assert!(id.to_string().parse::<RefundId>().is_err());
        assert!("pay_é".parse::<PaymentId>().is_err());
    }

    #[test]
    fn a_code_is_read_as_people_write_it() {
        assert_eq!("#k7q2f9".parse::<Code>().map(|c| c.to_string()), Ok("K7Q2F9".into()));
        assert_eq!("OIL0ab".parse::<Code>().map(|c| c.to_string()), Ok("0110AB".into()));
        for wrong in ["", "K7Q2F", "K7Q2F99", "K7Q2FU", "ééé", "K7Q2F "] {
            assert!(wrong.parse::<Code>().is_err(), "{wrong}");
        }
        assert_eq!(Code::new(&mut Fixed(33)).to_string(), "111111");
    }
}
