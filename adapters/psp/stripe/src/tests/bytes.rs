//! The bytes of every call that changes something. An order that is under way when Till is upgraded must not change.

use super::*;
use till_core::order::Authentication;

const PAYMENT: &str = "pay_0198000000007fffbfffffffffffffff";
const REFUND: &str = "ref_0198000000007fffbfffffffffffffff";

fn plain() -> CheckoutOrder {
    CheckoutOrder {
        payment: PAYMENT.parse().unwrap(),
        code: "K7Q2F9".parse().unwrap(),
        ..order(&mut Seeded::new(1), money(2500, "EUR"), NOW.after(Duration::from_secs(3600)))
    }
}

/// What the adapter sends, twice: the second time must be the same.
fn sent(at: &Account, order: &CheckoutOrder) -> String {
    let http = Script::new((0..2).map(|_| answer(500, &[], "")).collect());
    for _ in 0..2 {
        let key = IdemKey::create(order.payment, order.n);
        assert!(done(Stripe.create(&http, at, order, &key)).is_err());
    }
    let asked = http.asked();
    assert_eq!(asked[0], asked[1], "the same order makes the same bytes");
    asked[0].clone()
}

#[test]
fn a_plain_order_makes_these_bytes_every_time() {
    // Changed bytes make every order that is under way another one for Stripe: change them only with care.
    assert_eq!(
        sent(&account(), &plain()),
        "Post https://stripe.test/v1/checkout/sessions\n\
         stripe-version: 2026-07-29.dahlia\n\
         content-type: application/x-www-form-urlencoded\n\
         idempotency-key: till:pay_0198000000007fffbfffffffffffffff:create:1\n\
         \n\
         mode=payment\n\
         &client_reference_id=pay_0198000000007fffbfffffffffffffff\n\
         &success_url=https%3A%2F%2Ftill.example%2Fp%2Ft\n\
         &cancel_url=https%3A%2F%2Ftill.example%2Fp%2Ft\n\
         &expires_at=1795375800\n\
         &locale=en\n\
         &adaptive_pricing%5Benabled%5D=false\n\
         &line_items%5B0%5D%5Bquantity%5D=1\n\
         &line_items%5B0%5D%5Bprice_data%5D%5Bcurrency%5D=eur\n\
         &line_items%5B0%5D%5Bprice_data%5D%5Bunit_amount%5D=2500\n\
         &line_items%5B0%5D%5Bprice_data%5D%5Bproduct_data%5D%5Bname%5D=coffee\n\
         &metadata%5Btill_payment%5D=pay_0198000000007fffbfffffffffffffff\n\
         &metadata%5Btill_n%5D=1\n\
         &metadata%5Btill_code%5D=K7Q2F9\n\
         &payment_intent_data%5Bdescription%5D=Till+K7Q2F9\n\
         &payment_intent_data%5Bmetadata%5D%5Btill_payment%5D=pay_0198000000007fffbfffffffffffffff\n\
         &payment_intent_data%5Bmetadata%5D%5Btill_n%5D=1\n\
         &payment_intent_data%5Bmetadata%5D%5Btill_code%5D=K7Q2F9"
    );
}

#[test]
fn items_make_one_line_each_with_quantity_and_price() {
    let lines = vec![
        Line { name: "coffee & cake".into(), quantity: 2, each: money(450, "JPY") },
        Line { name: "été [1]=\n☕".into(), quantity: 1, each: money(1, "JPY") },
    ];
    let order = CheckoutOrder { amount: money(901, "JPY"), lines, n: 3, ..plain() };
    let sent = sent(&account(), &order);
    let lines: Vec<&str> = sent.lines().filter(|line| line.contains("line_items")).collect();
    assert_eq!(
        lines,
        [
            "&line_items%5B0%5D%5Bquantity%5D=2",
            "&line_items%5B0%5D%5Bprice_data%5D%5Bcurrency%5D=jpy",
            "&line_items%5B0%5D%5Bprice_data%5D%5Bunit_amount%5D=450",
            "&line_items%5B0%5D%5Bprice_data%5D%5Bproduct_data%5D%5Bname%5D=coffee+%26+cake",
            "&line_items%5B1%5D%5Bquantity%5D=1",
            "&line_items%5B1%5D%5Bprice_data%5D%5Bcurrency%5D=jpy",
            "&line_items%5B1%5D%5Bprice_data%5D%5Bunit_amount%5D=1",
            "&line_items%5B1%5D%5Bprice_data%5D%5Bproduct_data%5D%5Bname%5D=%C3%A9t%C3%A9+%5B1%5D%3D%0A%E2%98%95"
        ]
    );
    assert!(sent.contains("\n&metadata%5Btill_n%5D=3\n") && sent.contains(":create:3\n"), "{sent}");
}

#[test]
fn every_option_has_its_field() {
    let options = CheckoutOptions {
        payer_email: Some("pat+till@example.com".into()),
        authentication: Authentication::Always,
        without_methods: vec!["klarna".into(), "paypal".into()],
        descriptor_suffix: Some("A-17 COFFEE".into()),
    };
    let (plain, all) = (sent(&account(), &plain()), sent(&account(), &CheckoutOrder { options, ..plain() }));
    let more: Vec<&str> = all.lines().filter(|line| !plain.contains(line)).collect();
    assert_eq!(
        more,
        [
            "&payment_intent_data%5Bstatement_descriptor_suffix%5D=A-17+COFFEE",
            "&customer_email=pat%2Btill%40example.com",
            "&payment_method_options%5Bcard%5D%5Brequest_three_d_secure%5D=any",
            "&excluded_payment_method_types%5B0%5D=klarna",
            "&excluded_payment_method_types%5B1%5D=paypal"
        ]
    );
    let rest: Vec<&str> = all.lines().filter(|line| !more.contains(line)).collect();
    assert_eq!(rest.join("\n"), plain, "an option adds fields and moves none");
}

#[test]
fn a_page_speaks_the_language_of_the_chat_as_far_as_stripe_does() {
    let spoken = |locale: &str| {
        let sent = sent(&account(), &CheckoutOrder { locale: locale.into(), ..plain() });
        sent.lines().find_map(|line| line.strip_prefix("&locale=")).unwrap().to_owned()
    };
    for (tag, page) in [
        ("de", "de"),
        ("de-AT", "de"),
        ("pt-br", "pt-BR"),
        ("pt-PT", "pt"),
        ("fr-CA", "fr-CA"),
        ("zh-Hant", "zh"),
        ("tlh", "auto"),
        ("", "auto"),
    ] {
        assert_eq!(spoken(tag), page, "{tag}");
    }
}

#[test]
fn a_refund_and_a_close_make_these_bytes() {
    let order = RefundOrder {
        payment: PAYMENT.parse().unwrap(),
        refund: REFUND.parse().unwrap(),
        capture: CaptureId::new("pi_1"),
        amount: money(100, "EUR"),
    };
    let http = Script::new((0..2).map(|_| answer(500, &[], "")).collect());
    let _ = done(Stripe.refund(&http, &account(), &order, &IdemKey::refund(order.payment, order.refund)));
    let key = IdemKey::expire(order.payment, 1);
    let _ = done(Stripe.expire(&http, &account(), &CheckoutId::new("cs_test_1"), &key));
    let asked = http.asked();
    assert_eq!(
        asked[0],
        "Post https://stripe.test/v1/refunds\n\
         stripe-version: 2026-07-29.dahlia\n\
         content-type: application/x-www-form-urlencoded\n\
         idempotency-key: till:pay_0198000000007fffbfffffffffffffff:refund:ref_0198000000007fffbfffffffffffffff\n\
         \n\
         payment_intent=pi_1\n\
         &amount=100\n\
         &metadata%5Btill_payment%5D=pay_0198000000007fffbfffffffffffffff\n\
         &metadata%5Btill_refund%5D=ref_0198000000007fffbfffffffffffffff"
    );
    assert_eq!(
        asked[1],
        "Post https://stripe.test/v1/checkout/sessions/cs_test_1/expire\n\
         stripe-version: 2026-07-29.dahlia\n\
         content-type: application/x-www-form-urlencoded\n\n",
        "closing twice is closing once, and a key would repeat a failure for a day"
    );
}

#[test]
fn a_platform_names_the_account_that_it_acts_for_and_changes_nothing_else() {
    let (own, theirs) = (sent(&account(), &plain()), sent(&connected(), &plain()));
    assert_eq!(theirs, own.replace("dahlia\n", "dahlia\nstripe-account: acct_1ConnectedAAAAAA\n"));
}

#[test]
fn what_stripe_cannot_count_is_refused_before_anything_is_sent() {
    for (minor, code) in [(1234, "KWD"), (550, "MGA"), (5000, "IQD"), (1, "CLF")] {
        let amount = money(minor, code);
        let lines = vec![Line { name: "x".into(), quantity: 1, each: amount }];
        let order = CheckoutOrder { amount, lines, ..plain() };
        let key = IdemKey::create(order.payment, 1);
        let refused = done(Stripe.create(&Script::default(), &account(), &order, &key));
        assert!(matches!(&refused, Err(Fault::Refused(why)) if why.contains(&amount.to_string())), "{refused:?}");
        let order = RefundOrder {
            payment: order.payment,
            refund: REFUND.parse().unwrap(),
            capture: CaptureId::new("pi_1"),
            amount,
        };
        let key = IdemKey::refund(order.payment, order.refund);
        let refused = done(Stripe.refund(&Script::default(), &account(), &order, &key));
        assert!(matches!(&refused, Err(Fault::Refused(why)) if why.contains(&amount.to_string())), "{refused:?}");
    }
}

#[test]
fn an_odd_id_never_becomes_part_of_a_path() {
    for odd in ["", "..", "a/b", "a?b", "cs_1#", "é", "a b", "cs_1\n", "a&b", "a%2f"] {
        let (id, capture) = (CheckoutId::new(odd), CaptureId::new(odd));
        let payment: PaymentId = PAYMENT.parse().unwrap();
        for ask in [
            Ask::Checkout(id.clone()),
            Ask::Capture(capture.clone()),
            Ask::RefundOf { payment, refund: REFUND.parse().unwrap(), capture },
        ] {
            assert_eq!(done(Stripe.fetch(&Script::default(), &account(), &ask)), Err(Fault::NotFound), "{odd}");
        }
        let closed = done(Stripe.expire(&Script::default(), &account(), &id, &IdemKey::expire(payment, 1)));
        assert_eq!(closed, Err(Fault::NotFound), "{odd}");
    }
}
