//! What `POST /v1/checkout/sessions` asks for, read and judged as Stripe does.

use crate::ask::{self, Params, TEXT_MAX};
use crate::currency;
use crate::problem::Problem;
use serde_json::{Map, Value, json};
use till_core::time::Timestamp;

const LINES_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 250;
const QUANTITY_MAX: i64 = 999_999;
const LIFE_SECS_MIN: i64 = 30 * 60;
const LIFE_SECS_MAX: i64 = 24 * 3600;

const LOCALES: [&str; 41] = [
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv",
    "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
];
/// Source: stripe-python 16.1 `params/checkout`, with `link`, which can be asked for and not excluded.
const METHODS: &str = "acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit bancontact billie bizum blik \
    boleto card cashapp crypto customer_balance eps fpx giropay grabpay ideal kakao_pay klarna konbini kr_card link \
    mb_way mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow paypal paypay payto pix \
    promptpay revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort sunbit swish twint upi \
    us_bank_account wechat_pay zip";

/// One line, in a currency that all share.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) unit_amount: i64,
    pub(crate) quantity: i64,
}

/// What the payment intent will carry.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForIntent {
    pub(crate) metadata: Map<String, Value>,
    pub(crate) description: Value,
    pub(crate) suffix: Value,
    pub(crate) receipt_email: Value,
}

/// An acceptable order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) currency: String,
    pub(crate) total: i64,
    pub(crate) lines: Vec<Line>,
    pub(crate) intent: ForIntent,
    pub(crate) expires_at: i64,
    /// Fields of the session that are shown as they were given.
    pub(crate) shown: Map<String, Value>,
}

impl Order {
    pub(crate) fn read(mut params: Params, now: Timestamp, livemode: bool) -> Result<Self, Problem> {
        let mode = params.one_of("mode", &["payment"])?;
        params.need("mode", mode)?;
        let mut shown = addresses(&mut params, livemode)?;
        let (currency, lines) = lines(&mut params)?;
        let expires_at = expiry(&mut params, now)?;
        let intent = for_intent(&mut params)?;
        methods(&mut params, &mut shown)?;
        shown.insert("metadata".into(), params.metadata()?.into());
        for (key, max) in [("client_reference_id", 200), ("customer_email", 800)] {
            let text = params.text(key, max)?;
            if let (Some(text), "customer_email") = (&text, key) {
                ask::email(key, text)?;
            }
            shown.insert(key.into(), text.into());
        }
        shown.insert("locale".into(), params.one_of("locale", &LOCALES)?.into());
        shown.insert("submit_type".into(), params.one_of("submit_type", &["auto", "book", "donate", "pay"])?.into());
        if let Some(mut adaptive) = params.inside("adaptive_pricing")? {
            let enabled = adaptive.boolean("enabled")?.unwrap_or(true);
            adaptive.done()?;
            shown.insert("adaptive_pricing".into(), json!({ "enabled": enabled }));
        }
        params.done()?;
        let total = total(&currency, &lines)?;
        Ok(Self { currency, total, lines, intent, expires_at, shown })
    }
}

fn addresses(params: &mut Params, livemode: bool) -> Result<Map<String, Value>, Problem> {
    let mut shown = Map::new();
    let ui = params.one_of("ui_mode", &["hosted_page"])?;
    shown.insert("ui_mode".into(), ui.unwrap_or_else(|| "hosted_page".into()).into());
    let success = params.text("success_url", TEXT_MAX)?;
    let success = params.need("success_url", success)?;
    ask::url("success_url", &success, livemode)?;
    shown.insert("success_url".into(), success.into());
    let cancel = params.text("cancel_url", TEXT_MAX)?;
    if let Some(cancel) = &cancel {
        ask::url("cancel_url", cancel, livemode)?;
    }
    shown.insert("cancel_url".into(), cancel.into());
    Ok(shown)
}

fn lines(params: &mut Params) -> Result<(String, Vec<Line>), Problem> {
    let items = params.each("line_items")?;
    let items = params.need("line_items", items)?;
    if items.len() > LINES_MAX {
        let message = format!("Array line_items exceeded maximum {LINES_MAX} allowed elements.");
        return Err(Problem::invalid(message).param("line_items"));
    }
    let mut one: Option<String> = None;
    let mut lines = Vec::new();
    for item in items {
        let (currency, line) = line(item)?;
        if one.get_or_insert_with(|| currency.clone()) != &currency {
            let message = "All line items must have the same currency.";
            return Err(Problem::invalid(message).param("line_items"));
        }
        lines.push(line);
    }
    let currency = params.need("line_items", one)?;
    Ok((currency, lines))
}

fn line(mut item: Params) -> Result<(String, Line), Problem> {
    let price = item.inside("price_data")?;
    let mut price = item.need("price_data", price)?;
    let currency = price.text("currency", TEXT_MAX)?;
    let currency = currency::read(&price.name("currency"), &price.need("currency", currency)?)?;
    let unit_amount = price.integer("unit_amount", 0)?;
    let unit_amount = price.need("unit_amount", unit_amount)?;
    currency::fits(&price.name("unit_amount"), &currency, unit_amount)?;
    let product = price.inside("product_data")?;
    let mut product = price.need("product_data", product)?;
    let name = product.text("name", NAME_CHARS_MAX)?;
    let name = product.need("name", name)?;
    product.text("description", TEXT_MAX)?;
    product.metadata()?;
    product.done()?;
    price.done()?;
    let quantity = item.integer("quantity", 1)?;
    let quantity = item.need("quantity", quantity)?;
    if quantity > QUANTITY_MAX {
        let message = format!("This value must be less than or equal to {QUANTITY_MAX}.");
        return Err(Problem::invalid(message).code("parameter_invalid_integer").param(item.name("quantity")));
    }
    item.done()?;
    Ok((currency, Line { name, unit_amount, quantity }))
}

fn total(currency: &str, lines: &[Line]) -> Result<i64, Problem> {
    let each = lines.iter().map(|line| line.unit_amount.saturating_mul(line.quantity));
    let total = each.fold(0_i64, i64::saturating_add);
    currency::chargeable(currency, total)?;
    Ok(total)
}

fn expiry(params: &mut Params, now: Timestamp) -> Result<i64, Problem> {
    let at = params.integer("expires_at", 0)?.unwrap_or(now.secs() + LIFE_SECS_MAX);
    let refused = |message: &str| Err(Problem::invalid(message).param("expires_at"));
    if at < now.secs() + LIFE_SECS_MIN {
        return refused("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.");
    }
    if at > now.secs() + LIFE_SECS_MAX {
        return refused("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.");
    }
    Ok(at)
}

fn for_intent(params: &mut Params) -> Result<ForIntent, Problem> {
    let Some(mut inside) = params.inside("payment_intent_data")? else { return Ok(ForIntent::default()) };
    let metadata = inside.metadata()?;
    let description = inside.text("description", 1000)?;
    let suffix = inside.text("statement_descriptor_suffix", 22)?;
    if let Some(suffix) = &suffix {
        let name = inside.name("statement_descriptor_suffix");
        if suffix.contains(['<', '>', '\\', '\'', '"', '*']) {
            let message = "The statement descriptor suffix must not contain any of the following characters: <>\\'\"*.";
            return Err(Problem::invalid(message).param(name));
        }
        if !suffix.chars().any(char::is_alphabetic) {
            let message = "The statement descriptor suffix must contain at least one alphabetic character.";
            return Err(Problem::invalid(message).param(name));
        }
    }
    let receipt = inside.text("receipt_email", 800)?;
    if let Some(receipt) = &receipt {
        ask::email(&inside.name("receipt_email"), receipt)?;
    }
    inside.done()?;
    let (description, suffix, receipt_email) = (description.into(), suffix.into(), receipt.into());
    Ok(ForIntent { metadata, description, suffix, receipt_email })
}

fn methods(params: &mut Params, shown: &mut Map<String, Value>) -> Result<(), Problem> {
    for key in ["payment_method_types", "excluded_payment_method_types"] {
        let Some(kinds) = params.texts(key)? else { continue };
        let known = METHODS.split_ascii_whitespace().filter(|kind| key == "payment_method_types" || *kind != "link");
        let known: Vec<&str> = known.collect();
        if let Some(at) = kinds.iter().position(|kind| !known.contains(&kind.as_str())) {
            return Err(ask::not_one_of(&format!("{key}[{at}]"), &known));
        }
        shown.insert(key.into(), kinds.into());
    }
    if shown.contains_key("payment_method_types") && shown.contains_key("excluded_payment_method_types") {
        let message =
            "You may only specify one of these parameters: excluded_payment_method_types, payment_method_types.";
        return Err(Problem::invalid(message).param("excluded_payment_method_types"));
    }
    let mut secure = None;
    if let Some(mut options) = params.inside("payment_method_options")? {
        if let Some(mut card) = options.inside("card")? {
            secure = card.one_of("request_three_d_secure", &["automatic", "any", "challenge"])?;
            card.done()?;
        }
        options.done()?;
    }
    let secure = secure.unwrap_or_else(|| "automatic".into());
    shown.insert("payment_method_options".into(), json!({"card": {"request_three_d_secure": secure}}));
    Ok(())
}
