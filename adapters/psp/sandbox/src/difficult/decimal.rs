//! Amounts as this provider writes them: decimal texts with exactly the digits that ISO 4217 gives the currency.

use till_core::money::{Currency, Money};

/// `25.00`, `2500` or `1.500`, by the currency.
pub(crate) fn text(amount: Money) -> String {
    let text = amount.to_string();
    text.strip_suffix(amount.currency().code()).map_or(text.as_str(), str::trim_end).to_owned()
}

/// Reads such a text; none for anything else. An amount is never guessed.
pub(crate) fn read(text: &str, code: &str) -> Option<Money> {
    let currency = Currency::parse(code).ok()?;
    let minor: i64 = text.chars().filter(|c| *c != '.').collect::<String>().parse().ok()?;
    let amount = Money::new(minor, currency);
    // What is written back the same was written right.
    (minor >= 0 && self::text(amount) == text).then_some(amount)
}
