//! What a merchant may ask for, and what is refused as a real provider refuses it.
//!
//! A body that cannot be read, or has a field that nobody knows, is 400 and uses no key. A body that is understood and
//! not acceptable is 422, and that answer stays with its key.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use till_core::money::{Currency, Money};
use till_core::time::Timestamp;

/// The largest amount: 999,999.99 of a currency with cents.
pub(crate) const MINOR_MAX: i64 = 99_999_999;
const LINES_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 250;
const URL_CHARS_MAX: usize = 2048;
const LABELS_MAX: usize = 50;
const LABEL_KEY_CHARS_MAX: usize = 40;
const LABEL_CHARS_MAX: usize = 500;
const LIFE_MIN: Duration = Duration::from_secs(60);
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// A call takes a moment: an order of exactly the shortest life is not refused for that, nor for a slow clock.
const LIFE_SLACK: Duration = Duration::from_secs(10);

/// Texts that the merchant attaches.
pub(crate) type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Amount {
    minor: i64,
    currency: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) quantity: u32,
    pub(crate) each_minor: i64,
}

/// `POST /v1/checkouts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCheckout {
    pub(crate) amount: Amount,
    pub(crate) lines: Vec<Line>,
    #[serde(default)]
    pub(crate) metadata: Labels,
    pub(crate) return_url: String,
    pub(crate) expires_at_ms: i64,
    #[serde(default = "english")]
    pub(crate) locale: String,
    pub(crate) authentication: Option<Authentication>,
}

/// When a payer's bank asks who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authentication {
    /// Whatever the card.
    Always,
}

fn english() -> String {
    "en".into()
}

/// `POST /v1/refunds`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    pub(crate) payment: String,
    amount: Amount,
    #[serde(default)]
    pub(crate) metadata: Labels,
}

/// A call that says everything in its path: `{}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// What a call's body says.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::malformed(error.to_string()))
}

impl Amount {
    pub(crate) fn of(amount: Money) -> Self {
        Self { minor: amount.minor(), currency: amount.currency().code().to_owned() }
    }

    pub(crate) fn money(&self) -> Result<Money, Problem> {
        let currency = Currency::parse(&self.currency)
            .map_err(|_| Problem::refused("currency", "amount.currency is not an ISO 4217 code"))?;
        match self.minor {
            1..=MINOR_MAX => Ok(Money::new(self.minor, currency)),
            _ => Err(Problem::refused("amount", format!("amount.minor must be 1 to {MINOR_MAX}"))),
        }
    }
}

impl NewCheckout {
    /// Whether even a card that asks for nothing has to pass the bank's question.
    pub(crate) fn always_challenged(&self) -> bool {
        self.authentication == Some(Authentication::Always)
    }

    /// The amount and the moment of closing, once everything is acceptable at `now`.
    pub(crate) fn checked(&self, now: Timestamp) -> Result<(Money, Timestamp), Problem> {
        let amount = self.amount.money()?;
        self.check_lines(amount)?;
        check_labels(&self.metadata)?;
        let url = url::Url::parse(&self.return_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none_or(|url| !url.has_host()) || self.return_url.chars().count() > URL_CHARS_MAX {
            return Err(Problem::refused("return_url", "return_url must be an absolute http or https URL"));
        }
        if !(2..=35).contains(&self.locale.len())
            || !self.locale.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Err(Problem::refused("locale", "locale must be a language tag such as `en` or `de-AT`"));
        }
        let closes_at = Timestamp::from_ms(self.expires_at_ms);
        let (soonest, latest) = (now.after(LIFE_MIN).before(LIFE_SLACK), now.after(LIFE_MAX).after(LIFE_SLACK));
        if !(soonest..=latest).contains(&closes_at) {
            return Err(Problem::refused("expires_at", "expires_at_ms must be 1 minute to 24 hours from now"));
        }
        Ok((amount, closes_at))
    }

    fn check_lines(&self, amount: Money) -> Result<(), Problem> {
        if !(1..=LINES_MAX).contains(&self.lines.len()) {
            return Err(Problem::refused("lines", format!("lines must be 1 to {LINES_MAX}")));
        }
        let mut sum = 0_i64;
        for line in &self.lines {
            if line.name.trim().is_empty() || line.name.chars().count() > NAME_CHARS_MAX {
                return Err(Problem::refused(
                    "lines",
                    format!("a line's name must have 1 to {NAME_CHARS_MAX} characters"),
                ));
            }
            if line.quantity == 0 || line.each_minor < 0 {
                return Err(Problem::refused("lines", "a line's quantity must be 1 or more, its each_minor 0 or more"));
            }
            let whole = line.each_minor.checked_mul(i64::from(line.quantity));
            let total = whole.and_then(|whole| sum.checked_add(whole));
            sum = total.ok_or_else(|| Problem::refused("lines", "the lines sum up to too much"))?;
        }
        if sum == amount.minor() {
            Ok(())
        } else {
            Err(Problem::refused("lines", format!("the lines sum up to {sum}, the amount is {}", amount.minor())))
        }
    }
}

impl NewRefund {
    /// The amount, once everything that needs no look at the payment is acceptable.
    pub(crate) fn checked(&self) -> Result<Money, Problem> {
        check_labels(&self.metadata)?;
        self.amount.money()
    }
}

fn check_labels(labels: &Labels) -> Result<(), Problem> {
    let fits = |(key, text): (&String, &String)| {
        (1..=LABEL_KEY_CHARS_MAX).contains(&key.chars().count()) && text.chars().count() <= LABEL_CHARS_MAX
    };
    if labels.len() <= LABELS_MAX && labels.iter().all(fits) {
        return Ok(());
    }
    let limits = format!("{LABELS_MAX} keys of {LABEL_KEY_CHARS_MAX} characters with {LABEL_CHARS_MAX} each");
    Err(Problem::refused("metadata", format!("metadata holds at most {limits}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp::from_secs(1_795_372_200);

    fn good() -> Value {
        json!({
            "amount": {"minor": 2500, "currency": "EUR"},
            "lines": [{"name": "coffee", "quantity": 2, "each_minor": 1000}, {"name": "tip", "quantity": 1, "each_minor": 500}],
            "metadata": {"till_n": "1"}, "return_url": "https://till.example/p/x",
            "expires_at_ms": NOW.ms() + 3_600_000, "locale": "en",
        })
    }

    fn judged(body: &Value) -> Result<(Money, Timestamp), Problem> {
        read::<NewCheckout>(body.to_string().as_bytes()).and_then(|asked| asked.checked(NOW))
    }

    #[test]
    fn an_order_as_till_makes_it_is_accepted() {
        let (amount, closes_at) = judged(&good()).unwrap();
        assert_eq!((amount.to_string().as_str(), closes_at), ("25.00 EUR", NOW.after(Duration::from_secs(3600))));
    }

    #[test]
    fn each_order_that_a_real_provider_refuses_is_refused() {
        let long = |n: usize| "x".repeat(n);
        let line = |quantity: i64, each: i64| json!([{"name": "x", "quantity": quantity, "each_minor": each}]);
        let wrong = [
            ("/amount/minor", json!(0), 422),
            ("/amount/minor", json!(-2500), 422),
            ("/amount/minor", json!(100_000_000), 422),
            ("/amount/minor", json!(25.0), 400),
            ("/amount/minor", json!("2500"), 400),
            ("/amount/minor", json!(2501), 422),
            ("/amount/currency", json!("EURO"), 422),
            ("/amount/currency", json!("XAU"), 422),
            ("/lines", json!([]), 422),
            ("/lines", line(0, 2500), 422),
            ("/lines", line(-1, 2500), 400),
            ("/lines", line(4_294_967_295, i64::MAX), 422),
            ("/lines/0/name", json!(" "), 422),
            ("/lines/0/name", json!(long(251)), 422),
            ("/lines/0/price", json!(1), 400),
            ("/metadata", json!({long(41): "x"}), 422),
            ("/metadata", json!({"x": long(501)}), 422),
            ("/metadata", json!({"x": 1}), 400),
            ("/return_url", json!("javascript:alert(1)"), 422),
            ("/return_url", json!("/p/x"), 422),
            ("/return_url", json!(format!("https://x/{}", long(2048))), 422),
            ("/expires_at_ms", json!(NOW.ms() + 49_000), 422),
            ("/expires_at_ms", json!(NOW.ms() + 86_411_000), 422),
            ("/expires_at_ms", json!(i64::MAX), 422),
            ("/locale", json!("e<n"), 422),
            ("/coupon", json!("x"), 400),
            ("/authentication", json!("never"), 400),
        ];
        for (at, value, status) in wrong {
            let mut body = good();
            let (parent, key) = at.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap()[key] = value.clone();
            assert_eq!(judged(&body).map_err(|problem| problem.status), Err(status), "{at} = {value}");
        }
    }
}
