//! What Stripe takes in each currency: which it knows, how it counts, and how little or much it charges.
//!
//! Source: Stripe docs, "Supported currencies", sections "Zero-decimal currencies", "Special cases", "Three-decimal
//! currencies" and "Minimum and maximum charge amounts".

use crate::problem::Problem;
use till_core::money::{Currency, Money};

const KNOWN: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn \
    bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl \
    htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt \
    mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd \
    scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf \
    yer zar zmw";

const ZERO_DECIMAL: &str = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf";
const THREE_DECIMAL: &str = "bhd jod kwd omr tnd";
/// Counted in hundredths for the sake of old clients, and never divisible.
const WHOLE_IN_HUNDREDTHS: &str = "isk ugx";

/// Smallest charge in minor units; 50 elsewhere stands for what Stripe converts.
const LEAST: [(&str, i64); 27] = [
    ("usd", 50),
    ("aed", 200),
    ("aud", 50),
    ("brl", 50),
    ("cad", 50),
    ("chf", 50),
    ("czk", 1500),
    ("dkk", 250),
    ("eur", 50),
    ("gbp", 30),
    ("hkd", 400),
    ("huf", 17500),
    ("inr", 50),
    ("isk", 10000),
    ("jpy", 50),
    ("krw", 100),
    ("mxn", 1000),
    ("myr", 200),
    ("nok", 300),
    ("nzd", 50),
    ("pln", 200),
    ("ron", 200),
    ("sek", 300),
    ("sgd", 50),
    ("thb", 1000),
    ("twd", 1000),
    ("bgn", 100),
];

/// Eight digits.
const MOST: i64 = 99_999_999;

fn among(list: &str, code: &str) -> bool {
    list.split_ascii_whitespace().any(|each| each == code)
}

/// Reads a currency in any case.
pub(crate) fn read(param: &str, text: &str) -> Result<String, Problem> {
    let code = text.to_ascii_lowercase();
    if among(KNOWN, &code) {
        return Ok(code);
    }
    let known = KNOWN.split_ascii_whitespace().collect::<Vec<_>>().join(", ");
    Err(Problem::invalid(format!("Invalid currency: {code}. Stripe currently supports these currencies: {known}"))
        .param(param))
}

/// Digits after the point, as Stripe counts them.
pub(crate) fn exponent(code: &str) -> u32 {
    if among(ZERO_DECIMAL, code) {
        0
    } else if among(THREE_DECIMAL, code) {
        3
    } else {
        2
    }
}

/// Whether an amount can be of this currency at all.
pub(crate) fn fits(param: &str, code: &str, minor: i64) -> Result<(), Problem> {
    let refused = |message: String| Err(Problem::invalid(message).code("invalid_charge_amount").param(param));
    if among(WHOLE_IN_HUNDREDTHS, code) && minor % 100 != 0 {
        return refused(format!("Invalid amount: {code} amounts must be evenly divisible by 100."));
    }
    if among(THREE_DECIMAL, code) && minor % 10 != 0 {
        return refused(format!("Invalid amount: the last digit of {code} amounts must be 0."));
    }
    Ok(())
}

/// Whether a sum can be charged. Nothing at all can be: that is an order without cost.
pub(crate) fn chargeable(code: &str, minor: i64) -> Result<(), Problem> {
    let least = LEAST.iter().find(|(of, _)| *of == code).map_or(50, |(_, least)| *least);
    if minor != 0 && minor < least {
        let message =
            format!("The Checkout Session's total amount due must add up to at least {} {code}", text(code, least));
        return Err(Problem::invalid(message).code("amount_too_small"));
    }
    if minor > MOST {
        let message =
            format!("The Checkout Session's total amount due must be no more than {} {code}", text(code, MOST));
        return Err(Problem::invalid(message).code("amount_too_large"));
    }
    Ok(())
}

/// The amount for people.
pub(crate) fn text(code: &str, minor: i64) -> String {
    let Ok(currency) = Currency::parse(code) else { return format!("{minor} {code}") };
    let (ours, theirs) = (currency.exponent(), exponent(code));
    let minor = if theirs > ours { minor / 10_i64.pow(theirs - ours) } else { minor * 10_i64.pow(ours - theirs) };
    Money::new(minor, currency).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_currency_is_shown_as_people_count_it() {
        for (code, minor, said) in
            [("eur", 2500, "25.00"), ("jpy", 500, "500"), ("isk", 50000, "500"), ("kwd", 1500, "1.500")]
        {
            assert!(text(code, minor).contains(said), "{code}: {}", text(code, minor));
        }
    }

    #[test]
    fn odd_ends_are_refused_where_the_currency_has_none() {
        for (code, minor, fine) in [
            ("isk", 10_100, true),
            ("isk", 10_150, false),
            ("ugx", 1, false),
            ("kwd", 1_230, true),
            ("kwd", 1_234, false),
            ("jpy", 1, true),
        ] {
            assert_eq!(fits("x", code, minor).is_ok(), fine, "{code} {minor}");
        }
    }
}
