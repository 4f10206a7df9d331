//! What a used key brings again: an answer that was true once, or an error.

use super::contract::order;
use super::*;
use fake_stripe::Fault as Trouble;
use std::sync::atomic::{AtomicI64, Ordering};
use till_core::contract::seeded::Seeded;
use till_core::payment::{CheckoutState, RefundState};
use till_core::port::psp::News;

/// The fake, and its clock.
fn fake() -> (fake_stripe::Stripe, Arc<AtomicI64>) {
    let secs = Arc::new(AtomicI64::new(NOW.secs()));
    let told = secs.clone();
    let clock = Arc::new(move || Timestamp::from_secs(told.load(Ordering::SeqCst)));
    (fake_stripe::Stripe::new(Settings::test(), 7, clock), secs)
}

#[test]
fn a_repeated_answer_is_as_old_as_the_first() {
    let ((fake, secs), entropy) = (fake(), &mut Seeded::new(3));
    let checkout = order(entropy);
    done(Stripe.create(&fake, &account(), &checkout, &IdemKey::create(checkout.payment, 1))).unwrap();
    let capture = CaptureId::new(fake.pay(&fake.open()[0]).unwrap());
    let refund = RefundId::new(NOW, entropy);
    let order = RefundOrder { payment: checkout.payment, refund, capture, amount: checkout.amount };
    let key = IdemKey::refund(order.payment, refund);
    let refunded = || done(Stripe.refund(&fake, &account(), &order, &key)).unwrap();

    secs.fetch_add(60, Ordering::SeqCst);
    let first = refunded();
    secs.fetch_add(60, Ordering::SeqCst);
    fake.refund_becomes(fake.all("refund")[0]["id"].as_str().unwrap(), "failed");
    secs.fetch_add(60, Ordering::SeqCst);
    let again = refunded();
    for told in [&first, &again] {
        assert!(matches!(told.news[..], [News::Refund { state: RefundState::Succeeded, .. }]), "{told:#?}");
        assert_eq!(told.as_of, NOW.after(Duration::from_secs(60)), "it was so then, and is not any more");
    }
}

#[test]
fn an_error_of_stripes_while_closing_is_not_repeated_for_a_day() {
    let ((fake, _), checkout) = (fake(), order(&mut Seeded::new(3)));
    done(Stripe.create(&fake, &account(), &checkout, &IdemKey::create(checkout.payment, 1))).unwrap();
    let (id, key) = (CheckoutId::new(&fake.open()[0]), IdemKey::expire(checkout.payment, 1));
    let close = || done(Stripe.expire(&fake, &account(), &id, &key));
    for trouble in [Trouble::ErrorBefore, Trouble::ErrorAfter] {
        fake.fail_next("POST /v1/checkout/sessions", trouble);
        assert!(matches!(close(), Err(Fault::Ambiguous(_))));
    }
    let closed = close().unwrap();
    assert!(matches!(closed.news[..], [News::Checkout { state: CheckoutState::Expired, .. }]), "{closed:#?}");
    assert_eq!(fake.open(), Vec::<String>::new());
}
