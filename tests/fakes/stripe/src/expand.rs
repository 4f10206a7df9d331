//! `expand[]`: ids that an answer shows as whole objects.

use crate::ask::Params;
use crate::problem::Problem;
use crate::{World, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DEPTH_MAX: usize = 4;

/// Which fields of which kind can be followed, and what stands behind them. Where nothing is named, the field can be
/// expanded at Stripe and is always empty here.
const FIELDS: [(&str, &str, &str); 30] = [
    ("checkout.session", "payment_intent", "payment_intent"),
    ("checkout.session", "line_items", "list"),
    ("checkout.session", "customer", ""),
    ("checkout.session", "invoice", ""),
    ("checkout.session", "payment_link", ""),
    ("checkout.session", "setup_intent", ""),
    ("checkout.session", "subscription", ""),
    ("payment_intent", "latest_charge", "charge"),
    ("payment_intent", "review", "review"),
    ("payment_intent", "application", ""),
    ("payment_intent", "customer", ""),
    ("payment_intent", "on_behalf_of", ""),
    ("charge", "payment_intent", "payment_intent"),
    ("charge", "balance_transaction", "balance_transaction"),
    ("charge", "refunds", "list"),
    ("charge", "review", "review"),
    ("charge", "application", ""),
    ("charge", "customer", ""),
    ("charge", "failure_balance_transaction", ""),
    ("charge", "on_behalf_of", ""),
    ("refund", "charge", "charge"),
    ("refund", "payment_intent", "payment_intent"),
    ("refund", "balance_transaction", "balance_transaction"),
    ("refund", "failure_balance_transaction", "balance_transaction"),
    ("dispute", "charge", "charge"),
    ("dispute", "payment_intent", "payment_intent"),
    ("balance_transaction", "source", ""),
    ("review", "charge", "charge"),
    ("review", "payment_intent", "payment_intent"),
    ("radar.early_fraud_warning", "charge", "charge"),
];

/// Takes `expand` from the parameters of a call that answers with this kind, or with a `list of` it.
pub(crate) fn read(params: &mut Params, kind: &str) -> Result<Vec<String>, Problem> {
    let paths = params.texts("expand")?.unwrap_or_default();
    for path in &paths {
        let steps: Vec<&str> = path.split('.').collect();
        if steps.len() > DEPTH_MAX {
            let message = format!("You cannot expand more than {DEPTH_MAX} levels of a property ({path}).");
            return Err(Problem::invalid(message).param("expand"));
        }
        if !can(kind, &steps) {
            return Err(Problem::invalid(format!("This property cannot be expanded ({path}).")).param("expand"));
        }
    }
    Ok(paths)
}

/// What a restricted key needs for what a call expands, beside what its endpoint needs. Inferred from a refusal of
/// `/v1/checkout/sessions` that named two permissions (public issue); Stripe's documents do not say it.
pub(crate) fn needs(params: &Value) -> Vec<&'static str> {
    let paths = params["expand"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let need = |step: &str| match step {
        "payment_intent" => Some("rak_payment_intent_read"),
        "charge" | "latest_charge" | "refunds" => Some("rak_charge_read"),
        "review" => Some("rak_review_read"),
        "balance_transaction" | "failure_balance_transaction" => Some("rak_balance_transaction_source_read"),
        _ => None,
    };
    let needs: BTreeSet<&str> = paths.flat_map(|path| path.split('.')).filter_map(need).collect();
    needs.into_iter().collect()
}

fn can(kind: &str, steps: &[&str]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    if let Some(of) = kind.strip_prefix("list of ") {
        return *step == "data" && !rest.is_empty() && can(of, rest);
    }
    FIELDS.iter().any(|(of, field, to)| *of == kind && field == step && can(to, rest))
}

/// The object, or each object of the list, with these paths followed.
pub(crate) fn expanded(world: &World, mut object: Value, paths: &[String]) -> Value {
    for path in paths {
        let steps: Vec<&str> = path.split('.').collect();
        if object["object"] == "list" {
            for item in object["data"].as_array_mut().into_iter().flatten() {
                follow(world, item, &steps[1..]);
            }
        } else {
            follow(world, &mut object, &steps);
        }
    }
    object
}

fn follow(world: &World, object: &mut Value, steps: &[&str]) {
    let Some((step, rest)) = steps.split_first() else { return };
    let id = text(object, "id").to_owned();
    let whole = match (*step, &object[*step]) {
        ("line_items", _) => Some(line_items(world, &id)),
        ("refunds", _) => Some(refunds(world, &id)),
        (_, Value::String(id)) => world.shelf.object(id).cloned(),
        _ => None,
    };
    if let Some(whole) = whole {
        object[*step] = whole;
    }
    if object[*step].is_object() {
        follow(world, &mut object[*step], rest);
    }
}

fn line_items(world: &World, session: &str) -> Value {
    let lines = world.behind.get(session).map(|behind| behind.lines.clone()).unwrap_or_default();
    let url = format!("/v1/checkout/sessions/{session}/line_items");
    json!({"object": "list", "data": lines, "has_more": false, "url": url})
}

fn refunds(world: &World, charge: &str) -> Value {
    let of = world.shelf.rows("refund").rev().filter(|row| row.object["charge"] == charge);
    let of: Vec<&Value> = of.map(|row| &row.object).collect();
    json!({"object": "list", "data": of, "has_more": false, "url": format!("/v1/charges/{charge}/refunds")})
}
