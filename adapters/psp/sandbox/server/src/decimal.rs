//! Amounts as decimal numbers, with exactly the digits that the currency has: `25.00` EUR, `2500` JPY, `1.500` KWD.
//!
//! ```text
//! number = whole [ "." digits ]     no sign, no leading zero but a lone one, no exponent; ISO 4217 says how many digits
//! ```

use till_core::money::{Currency, Money};

/// The longest number that is read.
const CHARS_MAX: usize = 16;

/// Reads a number of a currency; none for anything that is not exactly one.
pub(crate) fn read(text: &str, code: &str) -> Option<Money> {
    let currency = Currency::parse(code).ok()?;
    let digits_wanted = currency.exponent() as usize;
    let (whole, digits) = match text.split_once('.') {
        Some((whole, digits)) if digits_wanted > 0 => (whole, digits),
        Some(_) => return None,
        None => (text, ""),
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
    if text.len() > CHARS_MAX || !is_whole || digits.len() != digits_wanted || !is_number(whole) || !is_number(digits) {
        return None;
    }
    Some(Money::new(format!("{whole}{digits}").parse().ok()?, currency))
}

/// The number of an amount: `25.00`.
pub(crate) fn text(amount: Money) -> String {
    let text = amount.to_string();
    text.split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_exactly_the_digits_of_its_currency() {
        let minor = |text: &str, code: &str| read(text, code).map(Money::minor);
        for (text, code, is) in [
            ("25.00", "EUR", 2500),
            ("0.01", "EUR", 1),
            ("2500", "JPY", 2500),
            ("1.500", "KWD", 1500),
            ("0", "JPY", 0),
            ("9999999999.99", "EUR", 999_999_999_999),
        ] {
            assert_eq!(minor(text, code), Some(is), "{text} {code}");
            assert_eq!(self::text(read(text, code).unwrap()), text);
        }
        for (text, code) in [
            ("25", "EUR"),
            ("25.0", "EUR"),
            ("25.000", "EUR"),
            ("25.", "EUR"),
            (".50", "EUR"),
            ("025.00", "EUR"),
            ("+25.00", "EUR"),
            ("-25.00", "EUR"),
            ("25,00", "EUR"),
            ("1e2.00", "EUR"),
            (" 25.00", "EUR"),
            ("٢٥.00", "EUR"),
            ("2500.00", "JPY"),
            ("2500.", "JPY"),
            ("1.50", "KWD"),
            ("", "EUR"),
            ("25.00", "XAU"),
            ("99999999999999.99", "EUR"),
        ] {
            assert_eq!(minor(text, code), None, "{text} {code}");
        }
    }
}
