//! What Stripe refuses, as a table: one change to a good call each, and the code and parameter that come back.

use crate::stand::{KEY, NOW_SECS, ORDER, SESSIONS, Stand, refusal};
use fake_stripe::{Call, Settings};
use serde_json::{Value, json};

/// The good order with these pairs set; an empty name takes the pair away.
fn spoilt<'a>(change: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = ORDER.to_vec();
    for (name, value) in change {
        let (gone, name) = name.strip_prefix('-').map_or((false, *name), |name| (true, name));
        form.retain(|(known, _)| *known != name);
        if !gone {
            form.push((name, value));
        }
    }
    form
}

/// A change, and the code and the parameter that come back; empty for none.
type Wrong<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

const PRICE: &str = "line_items[0][price_data]";

#[test]
fn an_order_that_does_not_fit_is_refused_with_its_code_and_parameter() {
    let stand = Stand::new();
    let (early, late) = ((NOW_SECS + 1799).to_string(), (NOW_SECS + 86_401).to_string());
    let long = |n: usize| "x".repeat(n);
    let (l201, l251, l501, l41, l23) = (long(201), long(251), long(501), long(41), long(23));
    let (currency, unit, name) =
        (format!("{PRICE}[currency]"), format!("{PRICE}[unit_amount]"), format!("{PRICE}[product_data][name]"));
    let (odd, key41) = (format!("{PRICE}[coupon]"), format!("metadata[{l41}]"));
    let suffix = "payment_intent_data[statement_descriptor_suffix]";
    let secure = "payment_method_options[card][request_three_d_secure]";
    let wrong: [Wrong<'_>; 45] = [
        (&[("-mode", "")], "parameter_missing", "mode"),
        (&[("mode", "subscription")], "", "mode"),
        (&[("-success_url", "")], "parameter_missing", "success_url"),
        (&[("success_url", "/back")], "url_invalid", "success_url"),
        (&[("success_url", "javascript://x")], "url_invalid", "success_url"),
        (&[("cancel_url", "shop.example")], "url_invalid", "cancel_url"),
        (&[("coupon", "x")], "parameter_unknown", "coupon"),
        (&[(&odd, "x")], "parameter_unknown", &odd),
        (&[("payment_intent_data[metdata][a]", "x")], "parameter_unknown", "payment_intent_data[metdata]"),
        (&[(&currency, "eux")], "", &currency),
        (&[(&currency, "")], "parameter_invalid_empty", &currency),
        (&[(&unit, "12.50")], "parameter_invalid_integer", &unit),
        (&[(&unit, "-1")], "parameter_invalid_integer", &unit),
        (&[(&unit, "24")], "amount_too_small", ""),
        (&[(&unit, "50000000")], "amount_too_large", ""),
        (&[(&unit, "9223372036854775807")], "amount_too_large", ""),
        (&[(&unit, "9223372036854775808")], "parameter_invalid_integer", &unit),
        (&[(&currency, "isk"), (&unit, "10050")], "invalid_charge_amount", &unit),
        (&[(&currency, "KWD"), (&unit, "10055")], "invalid_charge_amount", &unit),
        (&[(&name, "")], "parameter_invalid_empty", &name),
        (&[(&name, &l251)], "", &name),
        (&[("line_items[0][quantity]", "0")], "parameter_invalid_integer", "line_items[0][quantity]"),
        (&[("-line_items[0][quantity]", "")], "parameter_missing", "line_items[0][quantity]"),
        (&[("line_items[2][quantity]", "1")], "", "line_items"),
        (&[("locale", "en_GB")], "", "locale"),
        (&[("client_reference_id", &l201)], "", "client_reference_id"),
        (&[("customer_email", "nobody")], "email_invalid", "customer_email"),
        (&[("expires_at", &early)], "", "expires_at"),
        (&[("expires_at", &late)], "", "expires_at"),
        (&[("expires_at", "soon")], "parameter_invalid_integer", "expires_at"),
        (&[(&key41, "x")], "", &key41),
        (&[("metadata[a]", &l501)], "", "metadata[a]"),
        (&[("metadata[a][b]", "x")], "", "metadata[a]"),
        (&[(suffix, &l23)], "", suffix),
        (&[(suffix, "1234")], "", suffix),
        (&[(suffix, "A*B")], "", suffix),
        (&[("payment_method_types[0]", "cheque")], "", "payment_method_types[0]"),
        (
            &[("payment_method_types[]", "card"), ("excluded_payment_method_types[]", "klarna")],
            "",
            "excluded_payment_method_types",
        ),
        (&[("excluded_payment_method_types[]", "link")], "", "excluded_payment_method_types[0]"),
        (&[(secure, "always")], "", secure),
        (&[("adaptive_pricing[enabled]", "no")], "", "adaptive_pricing[enabled]"),
        (&[("expand[]", "customer_detail")], "", "expand"),
        (&[("expand[]", "payment_intent.latest_chrage")], "", "expand"),
        (&[("expand[]", "payment_intent.latest_charge.payment_intent.latest_charge.review")], "", "expand"),
        (&[("expand[]", "data.payment_intent")], "", "expand"),
    ];
    for (change, code, param) in wrong {
        let answer = stand.post(SESSIONS, &spoilt(change));
        let got = refusal(&answer);
        let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        assert_eq!((got.0, got.1, got.2), (400, text(code), text(param)), "{change:?}: {}", got.3);
        assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    }
    assert!(stand.stripe.sessions().is_empty(), "all of it is judged before anything is made");
}

#[test]
fn what_stripe_takes_is_taken() {
    let stand = Stand::new();
    let least = (NOW_SECS + 1800).to_string();
    let fine: [&[(&str, &str)]; 9] = [
        &[("locale", "de"), ("submit_type", "pay"), ("customer_email", "a@b.example"), ("client_reference_id", "p1")],
        &[("expires_at", &least), ("adaptive_pricing[enabled]", "false")],
        &[("line_items[0][price_data][currency]", "JPY"), ("line_items[0][price_data][unit_amount]", "25")],
        &[("line_items[0][price_data][currency]", "isk"), ("line_items[0][price_data][unit_amount]", "5000")],
        &[("line_items[0][price_data][unit_amount]", "25")],
        &[("line_items[0][price_data][unit_amount]", "49999999")],
        &[("payment_method_types[0]", "card"), ("payment_method_options[card][request_three_d_secure]", "any")],
        &[("excluded_payment_method_types[]", "klarna"), ("payment_intent_data[statement_descriptor_suffix]", "K7QM")],
        &[("metadata[empty]", ""), ("payment_intent_data[receipt_email]", "a@b.example")],
    ];
    for change in fine {
        let answer = stand.post(SESSIONS, &spoilt(change));
        assert_eq!(answer.status, 200, "{change:?}: {:#}", answer.json());
    }
    let mut lines = ORDER.to_vec();
    let names: Vec<[String; 4]> = (1..101)
        .map(|n| {
            let at = format!("line_items[{n}]");
            ["[price_data][currency]", "[price_data][unit_amount]", "[price_data][product_data][name]", "[quantity]"]
                .map(|part| format!("{at}{part}"))
        })
        .collect();
    for [currency, unit, name, quantity] in &names {
        lines.extend([(&**currency, "eur"), (unit, "1"), (name, "x"), (quantity, "1")]);
    }
    assert_eq!(refusal(&stand.post(SESSIONS, &lines)).2, "line_items", "101 lines");
    assert_eq!(stand.post(SESSIONS, &lines[..lines.len() - 4]).status, 200, "100 lines");
    let n = lines.len() - 8;
    lines[n].1 = "usd";
    assert!(refusal(&stand.post(SESSIONS, &lines[..lines.len() - 4])).3.contains("same currency"));
}

#[test]
fn whoever_may_not_is_told_why() {
    let settings = Settings::test()
        .restricted("rk_test_51TillReader", &["rak_checkout_session_read"])
        .restricted("rk_test_51TillWriter", &["rak_checkout_session_write"])
        .connected("acct_1Connected", "FR", "eur");
    let stand = Stand::with(settings);
    let session = stand.session();
    let path = format!("{SESSIONS}/{session}");
    let get = |key: &str, path: &str| stand.stripe.answer(&Call::new("GET", path).bearer(key));
    assert_eq!(stand.stripe.answer(&Call::new("GET", &path)).status, 401);
    let unknown = get("sk_test_51SomebodyElse9876", &path);
    assert_eq!(
        refusal(&unknown),
        (401, Value::Null, Value::Null, "Invalid API Key provided: sk_test_**************9876".into())
    );
    assert_eq!(get("rk_test_51TillReader", &path).status, 200);
    assert_eq!(get("rk_test_51TillWriter", &path).status, 200, "write includes read");
    let expanding = get("rk_test_51TillReader", &format!("{path}?expand[]=payment_intent.latest_charge"));
    let named = "Having the 'rak_charge_read', 'rak_payment_intent_read' permissions would";
    assert!(refusal(&expanding).3.contains(named), "{}", refusal(&expanding).3);
    let create = Call::new("POST", SESSIONS).bearer("rk_test_51TillReader").form(&ORDER);
    let refused = refusal(&stand.stripe.answer(&create));
    assert_eq!(refused.0, 403);
    assert!(refused.3.contains("Having the 'rak_checkout_session_write' permission would"), "{}", refused.3);
    assert!(!refused.3.contains("51TillRead"), "the key is masked: {}", refused.3);
    let refund = Call::new("POST", "/v1/refunds").bearer("rk_test_51TillWriter").form(&[("charge", "ch_x")]);
    assert!(refusal(&stand.stripe.answer(&refund)).3.contains("'rak_charge_write'"));
    let basic = Call::new("GET", &path).header("authorization", "Basic c2tfdGVzdF81MVRpbGxTaG9wU2VjcmV0Og==");
    assert_eq!(stand.stripe.answer(&basic).status, 200);
}

#[test]
fn an_account_sees_only_its_own() {
    let stand = Stand::with(Settings::test().connected("acct_1Connected", "FR", "eur"));
    let own = stand.session();
    let acting = |method: &str, path: &str, account: &str| {
        stand.stripe.answer(&Call::new(method, path).bearer(KEY).header("Stripe-Account", account).form(&ORDER))
    };
    let theirs = acting("POST", SESSIONS, "acct_1Connected").json();
    let theirs = theirs["id"].as_str().unwrap();
    assert_eq!(stand.get(&format!("{SESSIONS}/{theirs}")).status, 404);
    assert_eq!(acting("GET", &format!("{SESSIONS}/{own}"), "acct_1Connected").status, 404);
    assert_eq!(acting("GET", &format!("{SESSIONS}/{theirs}"), "acct_1Connected").status, 200);
    let unknown = acting("GET", "/v1/account", "acct_1Nobody");
    assert_eq!((refusal(&unknown).0, refusal(&unknown).1), (403, json!("account_invalid")));
    stand.stripe.pay(theirs).unwrap();
    assert_eq!(stand.get("/v1/events").json()["data"], json!([]));
    let event = &acting("GET", "/v1/events", "acct_1Connected").json()["data"][0];
    assert_eq!(event["account"], "acct_1Connected");
    stand.stripe.deauthorize("acct_1Connected");
    assert_eq!(acting("GET", &format!("{SESSIONS}/{theirs}"), "acct_1Connected").status, 403);
    assert_eq!(stand.get("/v1/accounts/acct_1Connected").status, 403);
}

#[test]
fn a_call_of_another_form_is_refused() {
    let stand = Stand::new();
    let ask = |call: Call| refusal(&stand.stripe.answer(&call.bearer(KEY)));
    let mut json = Call::new("POST", SESSIONS).header("content-type", "application/json");
    json.body = br#"{"mode":"payment"}"#.to_vec();
    let refused = ask(json);
    assert_eq!(refused.0, 400);
    assert!(refused.3.starts_with("Invalid request (check that your POST content type"), "{}", refused.3);
    for (version, status) in
        [("2026-07-29.dahlia", 200), ("2022-11-15", 200), ("2026-7-29", 400), ("dahlia", 400), ("2026-07-29.", 400)]
    {
        assert_eq!(ask(Call::new("GET", "/v1/balance").header("stripe-version", version)).0, status, "{version}");
    }
    let unknown = ask(Call::new("GET", "/v1/coffee"));
    assert_eq!(unknown.0, 404);
    assert!(unknown.3.starts_with("Unrecognized request URL (GET: /v1/coffee)."), "{}", unknown.3);
    assert_eq!(ask(Call::new("PATCH", "/v1/refunds")).0, 404);
    let answer = stand.stripe.answer(&Call::new("GET", "/v1/balance").bearer(KEY));
    assert_eq!(answer.header("date"), Some("Sun, 22 Nov 2026 18:30:00 GMT"));
    assert_eq!(answer.header("stripe-version"), Some(fake_stripe::API_VERSION));
    assert!(answer.header("request-id").unwrap().starts_with("req_"));
}

#[test]
fn live_mode_wants_https_and_marks_its_ids() {
    let stand = Stand::with(Settings { livemode: true, ..Settings::test() });
    assert!(stand.session().starts_with("cs_live_"));
    let http = spoilt(&[("success_url", "http://shop.example/")]);
    assert_eq!(refusal(&stand.post(SESSIONS, &http)).1, "url_invalid");
}
