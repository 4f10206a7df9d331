//! Till's orders as Stripe's parameters.
//!
//! Every field has its place, and a test holds the bytes: see [`crate::form`].
//! Source: Stripe docs, "Create a Checkout Session", "Create a refund".

use crate::currency;
use crate::form::Form;
use till_core::order::{Authentication, CheckoutOrder, Line, RefundOrder};
use till_core::port::psp::Fault;

/// `POST /v1/checkout/sessions`.
///
/// # Errors
/// [`Fault::Refused`]: Stripe cannot count the amount.
pub(crate) fn session(order: &CheckoutOrder) -> Result<Form, Fault> {
    let form = Form::new()
        .field("mode", "payment")
        .field("client_reference_id", order.payment)
        .field("success_url", &order.return_url)
        .field("cancel_url", &order.return_url)
        .field("expires_at", order.closes_at.secs())
        .field("locale", locale(&order.locale))
        // Till compares what is paid with what was asked: nothing converts it on the way.
        .field("adaptive_pricing[enabled]", false);
    let mut lines = order.lines.iter().enumerate();
    let form = lines.try_fold(form, |form, (at, line)| self::line(form, at, line))?;
    let options = &order.options;
    let always = options.authentication == Authentication::Always;
    let form = labels(form, "metadata", order)
        .field("payment_intent_data[description]", format!("Till {}", order.code))
        .some("payment_intent_data[statement_descriptor_suffix]", options.descriptor_suffix.as_ref());
    // Charges, refunds and disputes are told by the intent, not by the session.
    let form = labels(form, "payment_intent_data[metadata]", order)
        .some("customer_email", options.payer_email.as_ref())
        .some("payment_method_options[card][request_three_d_secure]", always.then_some("any"))
        .each("excluded_payment_method_types", &options.without_methods);
    Ok(form)
}

fn line(form: Form, at: usize, line: &Line) -> Result<Form, Fault> {
    let units = currency::units(line.each);
    let units = units.ok_or_else(|| Fault::Refused(format!("Stripe cannot count {}", line.each)))?;
    let price = format!("line_items[{at}][price_data]");
    Ok(form
        .field(&format!("line_items[{at}][quantity]"), line.quantity)
        .field(&format!("{price}[currency]"), currency::code(line.each.currency()))
        .field(&format!("{price}[unit_amount]"), units)
        .field(&format!("{price}[product_data][name]"), &line.name))
}

fn labels(form: Form, name: &str, order: &CheckoutOrder) -> Form {
    form.field(&format!("{name}[till_payment]"), order.payment)
        .field(&format!("{name}[till_n]"), order.n)
        .field(&format!("{name}[till_code]"), order.code)
}

/// `POST /v1/refunds`.
///
/// # Errors
/// [`Fault::Refused`]: Stripe cannot count the amount.
pub(crate) fn refund(order: &RefundOrder) -> Result<Form, Fault> {
    let units = currency::units(order.amount);
    let units = units.ok_or_else(|| Fault::Refused(format!("Stripe cannot count {}", order.amount)))?;
    Ok(Form::new()
        .field("payment_intent", order.capture.as_str())
        .field("amount", units)
        .field("metadata[till_payment]", order.payment)
        .field("metadata[till_refund]", order.refund))
}

/// Languages of Stripe's pages. Source: stripe-node, `Checkout/Sessions.ts`, `SessionCreateParams.Locale`.
const LOCALES: [&str; 41] = [
    "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu", "id",
    "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th",
    "tr", "vi", "zh", "zh-HK", "zh-TW", "auto",
];

/// The page's language: as asked, or without the region, or as the payer's browser wants.
fn locale(tag: &str) -> &'static str {
    let known = |tag: &str| LOCALES.into_iter().find(|known| known.eq_ignore_ascii_case(tag));
    let language = tag.split('-').next().unwrap_or_default();
    known(tag).or_else(|| known(language)).unwrap_or("auto")
}
