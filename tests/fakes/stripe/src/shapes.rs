//! The objects with every field that Stripe shows, most of them empty: what is known is laid over them.
//!
//! Source: Stripe's published fixtures (stripe/openapi, fixtures3); a test holds every object against them.

use serde_json::{Map, Value, json};

/// The bare object with these fields laid over it.
pub(crate) fn with(mut bare: Value, over: Value) -> Value {
    let (Some(into), Value::Object(over)) = (bare.as_object_mut(), over) else {
        panic!("objects are laid over objects")
    };
    into.extend(over);
    bare
}

fn nulls(keys: &str) -> Map<String, Value> {
    keys.split_ascii_whitespace().map(|key| (key.to_owned(), Value::Null)).collect()
}

pub(crate) fn session() -> Value {
    let empty = nulls(
        "after_expiration allow_promotion_codes billing_address_collection client_reference_id client_secret consent \
         consent_collection customer customer_account customer_details customer_email collected_information \
         currency_conversion discounts integration_identifier invoice locale origin_context payment_intent payment_link \
         payment_method_configuration_details permissions recovered_from saved_payment_method_options setup_intent \
         shipping_address_collection shipping_cost submit_type subscription wallet_options cancel_url",
    );
    let set = json!({
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": true},
        "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
        "custom_fields": [],
        "custom_text": {
            "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
        },
        "customer_creation": "if_required",
        "invoice_creation": {
            "enabled": false,
            "invoice_data": {
                "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null,
                "metadata": {}, "rendering_options": null,
            },
        },
        "managed_payments": {"enabled": false},
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_types": ["card"],
        "phone_number_collection": {"enabled": false},
        "shipping_options": [],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    });
    with(Value::Object(empty), set)
}

pub(crate) fn payment_intent() -> Value {
    let empty = nulls(
        "application application_fee_amount automatic_payment_methods canceled_at cancellation_reason customer \
         customer_account description excluded_payment_method_types last_payment_error latest_charge next_action \
         on_behalf_of payment_method payment_method_configuration_details processing receipt_email review \
         setup_future_usage shipping source statement_descriptor statement_descriptor_suffix transfer_data \
         transfer_group",
    );
    let set = json!({
        "object": "payment_intent",
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "managed_payments": {"enabled": false},
        "payment_method_options": {"card": {
            "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic",
        }},
        "payment_method_types": ["card"],
    });
    with(Value::Object(empty), set)
}

pub(crate) fn charge() -> Value {
    let empty = nulls(
        "application application_fee application_fee_amount balance_transaction customer description \
         failure_balance_transaction failure_code failure_message on_behalf_of receipt_email receipt_number receipt_url \
         refunds review shipping source source_transfer statement_descriptor statement_descriptor_suffix transfer_data \
         transfer_group",
    );
    let set = json!({
        "object": "charge",
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": {
            "address": address(), "email": "payer@example.com", "name": "Pat Payer", "phone": null, "tax_id": null,
        },
        "calculated_statement_descriptor": "TILL SHOP",
        "captured": false,
        "disputed": false,
        "fraud_details": {},
        "paid": false,
        "refunded": false,
    });
    with(Value::Object(empty), set)
}

pub(crate) fn address() -> Value {
    json!({"city": null, "country": "DE", "line1": null, "line2": null, "postal_code": null, "state": null})
}

/// How a card, or a debit, stands in a charge.
pub(crate) fn method_details(kind: &str) -> Value {
    if kind != "card" {
        let debit = json!({
            "bank_code": "37040044", "branch_code": "", "country": "DE", "fingerprint": "TillBankAAAAAAAA",
            "last4": "3000", "mandate": null,
        });
        return json!({"sepa_debit": debit, "type": "sepa_debit"});
    }
    let card = json!({
        "amount_authorized": null, "authorization_code": null, "brand": "visa",
        "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass"},
        "country": "DE", "exp_month": 8, "exp_year": 2030, "extended_authorization": {"status": "disabled"},
        "fingerprint": "TillCardAAAAAAAA", "funding": "credit", "incremental_authorization": {"status": "unavailable"},
        "installments": null, "last4": "4242", "mandate": null, "multicapture": {"status": "unavailable"},
        "network": "visa", "network_token": {"used": false}, "network_transaction_id": "104102978678771",
        "overcapture": {"status": "unavailable"}, "regulated_status": "unregulated", "three_d_secure": null,
        "transaction_link_id": null, "wallet": null,
    });
    json!({"card": card, "type": "card"})
}

pub(crate) fn refund() -> Value {
    let empty = nulls(
        "balance_transaction customer customer_account payment_method reason receipt_number source_transfer_reversal \
         transfer_reversal",
    );
    let card = json!({"card": {
        "reference": null, "reference_status": "pending", "reference_type": "acquirer_reference_number",
        "type": "refund",
    }, "type": "card"});
    with(Value::Object(empty), json!({"object": "refund", "destination_details": card}))
}

pub(crate) fn dispute() -> Value {
    let mut evidence = nulls(
        "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal \
         customer_communication customer_email_address customer_name customer_purchase_ip customer_signature \
         duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt \
         refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation \
         shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number \
         uncategorized_file uncategorized_text",
    );
    evidence.insert("enhanced_evidence".into(), json!({}));
    json!({
        "object": "dispute",
        "balance_transactions": [],
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "metadata": {},
    })
}

pub(crate) fn balance_transaction() -> Value {
    json!({
        "object": "balance_transaction", "balance_type": "payments", "description": null, "exchange_rate": null,
        "fee": 0, "fee_details": [], "status": "available",
    })
}

pub(crate) fn review() -> Value {
    let empty = nulls("billing_zip closed_reason ip_address ip_address_location session");
    with(Value::Object(empty), json!({"object": "review", "open": true, "opened_reason": "rule", "reason": "rule"}))
}

/// A line as `line_items` shows it.
pub(crate) fn line_item() -> Value {
    json!({
        "object": "item", "adjustable_quantity": null, "amount_discount": 0, "amount_tax": 0, "metadata": {},
    })
}

/// The price that `price_data` makes.
pub(crate) fn price() -> Value {
    let empty = nulls("custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity");
    let set = json!({
        "object": "price", "active": false, "billing_scheme": "per_unit", "metadata": {},
        "tax_behavior": "unspecified", "type": "one_time",
    });
    with(Value::Object(empty), set)
}
