//! `expand[]`: ids that an answer shows as whole objects.

use crate::problem::Problem;
use crate::{World, text};
use serde_json::{Value, json};

const DEPTH_MAX: usize = 4;

/// Which fields of a kind hold an id that can be followed.
const FIELDS: [(&str, &[&str]); 6] = [
    ("checkout.session", &["payment_intent", "line_items"]),
    ("payment_intent", &["latest_charge", "review"]),
    ("charge", &["payment_intent", "balance_transaction", "refunds", "review"]),
    ("refund", &["charge", "payment_intent", "balance_transaction", "failure_balance_transaction"]),
    ("dispute", &["charge", "payment_intent"]),
    ("balance_transaction", &["source"]),
];

/// Fields that Stripe can expand and that are always empty here.
const EMPTY: [(&str, &[&str]); 3] = [
    ("checkout.session", &["customer", "invoice", "payment_link", "setup_intent", "subscription"]),
    ("payment_intent", &["application", "customer", "on_behalf_of", "payment_method"]),
    ("charge", &["application", "application_fee", "customer", "failure_balance_transaction", "on_behalf_of"]),
];

/// The object, or each object of the list, with these paths followed.
pub(crate) fn expanded(world: &World, mut object: Value, paths: &[String]) -> Result<Value, Problem> {
    for path in paths {
        let steps: Vec<&str> = path.split('.').collect();
        if steps.len() > DEPTH_MAX {
            let message = format!("You cannot expand more than {DEPTH_MAX} levels of a property ({path}).");
            return Err(Problem::invalid(message).param("expand"));
        }
        let refused = || Problem::invalid(format!("This property cannot be expanded ({path}).")).param("expand");
        if object["object"] == "list" {
            if steps.first() != Some(&"data") {
                return Err(refused());
            }
            for item in object["data"].as_array_mut().into_iter().flatten() {
                follow(world, item, &steps[1..]).ok_or_else(refused)?;
            }
        } else {
            follow(world, &mut object, &steps).ok_or_else(refused)?;
        }
    }
    Ok(object)
}

fn follow(world: &World, object: &mut Value, steps: &[&str]) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else { return Some(()) };
    let kind = text(object, "object").to_owned();
    let has = |table: &[(&str, &[&str])]| table.iter().any(|(of, fields)| *of == kind && fields.contains(step));
    if !has(&FIELDS) {
        return has(&EMPTY).then_some(());
    }
    let whole = match (*step, &object[*step]) {
        ("line_items", _) => line_items(world, text(object, "id")),
        ("refunds", _) => refunds(world, text(object, "id")),
        (_, Value::String(id)) => world.shelf.object(id)?.clone(),
        (_, already) => already.clone(),
    };
    object[*step] = whole;
    if object[*step].is_object() { follow(world, &mut object[*step], rest) } else { Some(()) }
}

fn line_items(world: &World, session: &str) -> Value {
    let lines = world.behind.get(session).map(|behind| behind.lines.clone()).unwrap_or_default();
    json!({"object": "list", "data": lines, "has_more": false, "url": format!("/v1/checkout/sessions/{session}/line_items")})
}

fn refunds(world: &World, charge: &str) -> Value {
    let of = world.shelf.rows("refund").rev().filter(|row| row.object["charge"] == charge);
    let of: Vec<&Value> = of.map(|row| &row.object).collect();
    json!({"object": "list", "data": of, "has_more": false, "url": format!("/v1/charges/{charge}/refunds")})
}
