//! What a merchant may ask of the difficult character: decimal texts, and one text of its own per object.
//!
//! An amount with a wrong number of decimals is refused, as PayPal refuses it (`DECIMAL_PRECISION`).

use crate::ask::{Amount, Labels, Line, NewCheckout};
use crate::decimal;
use crate::problem::Problem;
use serde::Deserialize;
use till_core::money::Money;

const CUSTOM_ID_CHARS_MAX: usize = 127;

/// An amount: `{"value":"25.00","currency":"EUR"}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    value: String,
    currency: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    name: String,
    quantity: u32,
    unit_amount: Texts,
}

/// `POST /d/orders`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    amount: Texts,
    items: Vec<Item>,
    custom_id: Option<String>,
    /// What people know it by.
    reference: Option<String>,
    return_url: String,
    expires_at_ms: i64,
    locale: String,
}

/// `POST /d/captures/{id}/refund`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBack {
    amount: Texts,
    custom_id: Option<String>,
}

impl Texts {
    fn money(&self) -> Result<Money, Problem> {
        decimal::read(&self.value, &self.currency).ok_or_else(|| {
            let message = format!("`{}` is not an amount with the decimals of {}", self.value, self.currency);
            Problem::refused("decimal_precision", message)
        })
    }
}

impl NewOrder {
    /// The same as a checkout, not yet checked as such.
    pub(crate) fn checkout(&self) -> Result<NewCheckout, Problem> {
        let amount = self.amount.money()?;
        let mut lines = Vec::new();
        for item in &self.items {
            let each = item.unit_amount.money()?;
            if each.currency() != amount.currency() {
                return Err(Problem::refused("currency", "an item has the order's currency"));
            }
            lines.push(Line { name: item.name.clone(), quantity: item.quantity, each_minor: each.minor() });
        }
        let mut metadata = custom(self.custom_id.as_deref())?;
        metadata.extend(self.reference.clone().map(|reference| ("reference".to_owned(), reference)));
        Ok(NewCheckout {
            amount: Amount::of(amount),
            lines,
            metadata,
            return_url: self.return_url.clone(),
            expires_at_ms: self.expires_at_ms,
            locale: self.locale.clone(),
            authentication: None,
        })
    }
}

impl NewBack {
    /// How much, and the merchant's own text.
    pub(crate) fn checked(&self) -> Result<(Money, Labels), Problem> {
        Ok((self.amount.money()?, custom(self.custom_id.as_deref())?))
    }
}

fn custom(id: Option<&str>) -> Result<Labels, Problem> {
    if id.is_some_and(|id| id.chars().count() > CUSTOM_ID_CHARS_MAX) {
        let message = format!("custom_id holds at most {CUSTOM_ID_CHARS_MAX} characters");
        return Err(Problem::refused("custom_id", message));
    }
    Ok(id.map(|id| ("custom_id".to_owned(), id.to_owned())).into_iter().collect())
}
