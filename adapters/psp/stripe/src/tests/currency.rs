//! Every currency of ISO 4217 as Stripe counts it, from Stripe's own lists, and never guessed.

use super::*;
use crate::currency::{exponent, money as read, takes, units};
use proptest::prelude::*;

/// Two decimals in ISO 4217 and at Stripe (or not known to Stripe, which then says so itself).
const PLAIN: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF \
    CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
    HRK HTG IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MRU MUR MVR \
    MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD \
    SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD \
    XCD XCG YER ZAR ZMW ZWG ZWL";

type Row = (&'static str, u32, Option<u32>, i64, i64, i64);

/// Counted otherwise: code, decimals in ISO 4217, decimals at Stripe, smallest step in ISO units, an amount in ISO
/// units, the same in Stripe's.
///
/// Source: Stripe docs, "Supported currencies": "Zero-decimal currencies", "Three-decimal currencies", "Special cases".
const ODD: [Row; 28] = [
    ("BHD", 3, Some(3), 10, 1230, 1230),
    ("BIF", 0, Some(0), 1, 500, 500),
    ("CLF", 4, None, 0, 0, 0),
    ("CLP", 0, Some(0), 1, 500, 500),
    ("DJF", 0, Some(0), 1, 500, 500),
    ("GNF", 0, Some(0), 1, 500, 500),
    ("IQD", 3, None, 0, 0, 0),
    ("ISK", 0, Some(2), 1, 500, 50_000),
    ("JOD", 3, Some(3), 10, 1230, 1230),
    ("JPY", 0, Some(0), 1, 500, 500),
    ("KMF", 0, Some(0), 1, 500, 500),
    ("KRW", 0, Some(0), 1, 500, 500),
    ("KWD", 3, Some(3), 10, 1230, 1230),
    ("LYD", 3, None, 0, 0, 0),
    ("MGA", 2, Some(0), 100, 50_000, 500),
    ("OMR", 3, Some(3), 10, 1230, 1230),
    ("PYG", 0, Some(0), 1, 500, 500),
    ("RWF", 0, Some(0), 1, 500, 500),
    ("TND", 3, Some(3), 10, 1230, 1230),
    ("UGX", 0, Some(2), 1, 500, 50_000),
    ("UYI", 0, None, 0, 0, 0),
    ("UYW", 4, None, 0, 0, 0),
    ("VND", 0, Some(0), 1, 500, 500),
    ("VUV", 0, Some(0), 1, 500, 500),
    ("XAF", 0, Some(0), 1, 500, 500),
    ("XOF", 0, Some(0), 1, 500, 500),
    ("XPF", 0, Some(0), 1, 500, 500),
    // Two decimals for charges; only payouts are in whole ones.
    ("HUF", 2, Some(2), 1, 1234, 1234),
];

fn every_currency() -> Vec<Currency> {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(move |a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    codes.filter_map(|code| Currency::parse(&code).ok()).collect()
}

#[test]
fn every_currency_is_counted_as_stripe_counts_it() {
    let plain = PLAIN.split_ascii_whitespace().map(|code| (code, 2, Some(2), 1, 1234, 1234));
    let mut table: Vec<_> = plain.chain(ODD).collect();
    table.sort_unstable();
    let codes: Vec<&str> = table.iter().map(|row| row.0).collect();
    let all: Vec<&str> = every_currency().iter().map(|currency| currency.code()).collect();
    assert_eq!(codes, all, "every currency of ISO 4217 stands in the table once");
    for (code, iso, stripe, step, minor, sent) in table {
        let currency = Currency::parse(code).unwrap();
        assert_eq!((currency.exponent(), exponent(currency)), (iso, stripe), "{code}");
        let small = code.to_ascii_lowercase();
        if stripe.is_none() {
            assert_eq!((units(money(100_000, code)), read(100_000, &small)), (None, None), "{code}");
            assert_eq!(takes(money(100_000, code)), Takes::UnknownCurrency, "{code}");
            continue;
        }
        assert_eq!((units(money(minor, code)), read(sent, &small)), (Some(sent), Some(money(minor, code))), "{code}");
        let one = |minor| (units(money(minor, code)).is_some(), takes(money(1_000_000_000 + minor, code)));
        assert_eq!(one(step), (true, Takes::Yes), "{code}: {step} is a step");
        if step > 1 {
            let fine = Takes::TooFine { step: money(step, code) };
            for minor in [1, step - 1, step + 1] {
                assert_eq!(one(minor), (false, fine), "{code}: {minor} is between two steps");
            }
        }
    }
}

#[test]
fn what_stripe_tells_is_read_or_refused_and_never_rounded() {
    assert_eq!(read(50_050, "isk"), None, "half a króna is no amount");
    assert_eq!(read(1, "ugx"), None);
    assert_eq!(read(1231, "kwd"), Some(money(1231, "KWD")), "what was paid is paid, however odd");
    assert_eq!(read(i64::MAX, "mga"), None);
    for code in ["", "eu", "euro", "eue", "xau", "clf", "iqd"] {
        assert_eq!(read(100, code), None, "{code}");
    }
    assert_eq!((read(-500, "eur"), read(500, "EUR")), (Some(money(-500, "EUR")), Some(money(500, "EUR"))));
}

#[test]
fn stripe_takes_what_is_neither_too_little_nor_too_much() {
    let small = |minor, least, code| (money(minor, code), Takes::PerhapsTooSmall { least: money(least, code) });
    let large = |minor, most, code| (money(minor, code), Takes::TooLarge { most: money(most, code) });
    let fine = |minor, code| (money(minor, code), Takes::Yes);
    for (amount, wanted) in [
        small(49, 50, "EUR"),
        fine(50, "EUR"),
        small(29, 30, "GBP"),
        fine(30, "GBP"),
        small(49, 50, "JPY"),
        fine(50, "JPY"),
        small(17_499, 17_500, "HUF"),
        fine(17_500, "HUF"),
        fine(1, "ISK"),
        fine(999_999_999_900, "EUR"),
        large(999_999_999_901, 999_999_999_900, "EUR"),
        fine(9_999_999_999, "ISK"),
        large(10_000_000_000, 9_999_999_999, "ISK"),
        large(i64::MAX, 9_999_999_999, "UGX"),
        large(99_999_999_990_100, 99_999_999_990_000, "MGA"),
        large(1_000_000_000_000, 999_999_999_900, "KWD"),
    ] {
        assert_eq!(takes(amount), wanted, "{amount}");
    }
}

proptest! {
    #[test]
    fn an_amount_that_stripe_can_count_comes_back_the_same(
        currency in prop::sample::select(every_currency()),
        minor in prop_oneof![any::<i64>(), 0_i64..1_000_000],
        whole in any::<bool>(),
    ) {
        let amount = Money::new(if whole { minor / 1000 * 1000 } else { minor }, currency);
        match (units(amount), takes(amount)) {
            (Some(units), _) => prop_assert_eq!(read(units, &crate::currency::code(currency)), Some(amount)),
            (None, Takes::TooFine { .. } | Takes::TooLarge { .. } | Takes::UnknownCurrency) => {}
            (None, other) => prop_assert!(false, "{amount} cannot be sent, and {other:?}"),
        }
    }
}
