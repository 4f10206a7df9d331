//! How Stripe counts money, which is not always how ISO 4217 does.
//!
//! ```text
//! JPY 500       500      ISO 4217 and Stripe agree
//! ISK 500     50000      no decimals in ISO 4217, two at Stripe, and they must be 00
//! MGA 5.00        5      two decimals in ISO 4217, none at Stripe: 5.50 cannot be paid
//! KWD 1.230    1230      three decimals, and the last must be 0: 1.234 cannot be paid
//! ```
//! Source: Stripe docs, "Supported currencies": zero-decimal, three-decimal and special cases,
//! minimum and maximum amounts.

use till_core::money::{Currency, Money};
use till_core::port::psp::Takes;

/// Currencies that Stripe counts without decimals.
const ZERO_DECIMAL: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Without decimals in ISO 4217; Stripe counts them with two, for reasons of its own history.
const WHOLE_WITH_TWO: [&str; 2] = ["ISK", "UGX"];
/// Currencies that Stripe counts with three decimals, of which the last must be 0.
const THREE_DECIMAL: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The least that Stripe takes, in its own units, as far as its docs say. The rule holds for the amount in the
/// currency that is paid out, so it is a hint: Stripe has the last word (`amount_too_small`).
const LEAST: [(&str, i64); 22] = [
    ("AED", 200),
    ("AUD", 50),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("USD", 50),
];

/// The most that it takes, in its own units: twelve digits, which only cards have, and an amount in every currency.
/// What a method or a card's network takes may be less, so that again Stripe has the last word (`amount_too_large`).
const MOST: i64 = 999_999_999_900;

/// Digits after the decimal point, as Stripe counts them. `None` for a currency that it cannot count: one with other
/// than two decimals in ISO 4217 that its docs do not name. Guessed wrong, the payer would pay a hundred times too much.
pub(crate) fn exponent(currency: Currency) -> Option<u32> {
    let code = currency.code();
    if ZERO_DECIMAL.contains(&code) {
        Some(0)
    } else if WHOLE_WITH_TWO.contains(&code) {
        Some(2)
    } else if THREE_DECIMAL.contains(&code) {
        Some(3)
    } else {
        (currency.exponent() == 2).then_some(2)
    }
}

/// How many minor units of ISO 4217 are the smallest step that can be paid; `None` as in [`exponent`].
fn step(currency: Currency) -> Option<i64> {
    let (iso, stripe) = (currency.exponent(), exponent(currency)?);
    let ten = |digits: u32| 10_i64.checked_pow(digits);
    match THREE_DECIMAL.contains(&currency.code()) {
        true => Some(10),
        false => ten(iso.saturating_sub(stripe)),
    }
}

/// An amount in Stripe's units. `None`: Stripe cannot count it.
pub(crate) fn units(amount: Money) -> Option<i64> {
    let (iso, stripe) = (amount.currency().exponent(), exponent(amount.currency())?);
    if amount.minor() % step(amount.currency())? != 0 {
        return None;
    }
    let factor = 10_i64.checked_pow(iso.abs_diff(stripe))?;
    if stripe >= iso { amount.minor().checked_mul(factor) } else { Some(amount.minor() / factor) }
}

/// An amount that Stripe tells: its units, and the code in small letters. `None`: not an amount that we can read.
pub(crate) fn money(units: i64, code: &str) -> Option<Money> {
    let currency = Currency::parse(&code.to_ascii_uppercase()).ok()?;
    let (iso, stripe) = (currency.exponent(), exponent(currency)?);
    let factor = 10_i64.checked_pow(iso.abs_diff(stripe))?;
    if iso >= stripe {
        return Some(Money::new(units.checked_mul(factor)?, currency));
    }
    // What is not whole in ISO 4217 cannot be said in our units; Stripe does not make such amounts.
    (units % factor == 0).then(|| Money::new(units / factor, currency))
}

/// The code as Stripe writes it.
pub(crate) fn code(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

/// Whether Stripe takes an amount, as far as that can be told without asking.
pub(crate) fn takes(amount: Money) -> Takes {
    let currency = amount.currency();
    let Some(step) = step(currency) else { return Takes::UnknownCurrency };
    if amount.minor() % step != 0 {
        return Takes::TooFine { step: Money::new(step, currency) };
    }
    let most = money(MOST, currency.code());
    let Some(units) = units(amount).filter(|units| *units <= MOST) else {
        return most.map_or(Takes::UnknownCurrency, |most| Takes::TooLarge { most });
    };
    let least = LEAST.iter().find(|(code, _)| *code == currency.code()).map(|(_, least)| *least);
    match least.filter(|least| units < *least).and_then(|least| money(least, currency.code())) {
        Some(least) => Takes::PerhapsTooSmall { least },
        None => Takes::Yes,
    }
}
