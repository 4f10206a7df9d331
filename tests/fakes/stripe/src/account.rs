//! Accounts, their balance, and what happens when one leaves the platform.

use crate::ask::Params;
use crate::expand;
use crate::keys::{Caller, no_access};
use crate::problem::Problem;
use crate::settings::AccountSet;
use crate::{World, number, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const KIND: &str = "account";

/// `GET /v1/account`
pub(crate) fn own(world: &mut World, caller: &Caller, _: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    world.shown(&caller.account, KIND, &caller.account, &expand)
}

/// `GET /v1/accounts/:id`
pub(crate) fn show(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, KIND)?;
    params.done()?;
    if !world.reaches(caller, id) {
        return Err(no_access(caller, id));
    }
    world.shown(id, KIND, id, &expand)
}

/// `GET /v1/balance`
pub(crate) fn balance(world: &mut World, caller: &Caller, _: &str, mut params: Params) -> Result<Value, Problem> {
    expand::read(&mut params, "balance")?;
    params.done()?;
    let own = text(world.found(&caller.account, KIND, &caller.account, "id")?, "default_currency").to_owned();
    let mut sums = BTreeMap::from([(own, 0)]);
    for txn in world.shelf.newest(&caller.account, "balance_transaction") {
        *sums.entry(text(txn, "currency").to_owned()).or_insert(0) += number(txn, "net");
    }
    let line = |(currency, amount): (&String, &i64)| {
        let by_source = json!({ "card": amount });
        json!({"amount": amount, "currency": currency, "source_types": by_source})
    };
    let nothing: Vec<Value> = sums.keys().map(|currency| line((currency, &0))).collect();
    let reserved: Vec<Value> = sums.keys().map(|currency| json!({"amount": 0, "currency": currency})).collect();
    Ok(json!({
        "object": "balance", "available": sums.iter().map(line).collect::<Vec<_>>(), "connect_reserved": reserved,
        "livemode": world.settings.livemode, "pending": nothing,
    }))
}

/// `GET /v1/balance_transactions/:id`
pub(crate) fn transaction(world: &mut World, caller: &Caller, id: &str, mut params: Params) -> Result<Value, Problem> {
    let expand = expand::read(&mut params, "balance_transaction")?;
    params.done()?;
    world.found(&caller.account, "balance_transaction", id, "id")?;
    world.shown(&caller.account, "balance_transaction", id, &expand)
}

impl World {
    pub(crate) fn open_accounts(&mut self) {
        for set in self.settings.accounts.clone() {
            let account = self.account(&set);
            self.shelf.put(&set.id, account);
        }
    }

    fn account(&self, set: &AccountSet) -> Value {
        let nothing_due = json!({
            "alternatives": [], "current_deadline": null, "currently_due": [], "disabled_reason": null, "errors": [],
            "eventually_due": [], "past_due": [], "pending_verification": [],
        });
        json!({
            "id": set.id, "object": KIND,
            "business_profile": {
                "annual_revenue": null, "estimated_worker_count": null, "mcc": "5734",
                "minority_owned_business_designation": null, "name": "Till Shop", "product_description": null,
                "support_address": null, "support_email": null, "support_phone": null, "support_url": null,
                "url": "https://shop.example",
            },
            "business_type": "company",
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "charges_enabled": true,
            "controller": {"type": "account"},
            "country": set.country, "created": self.secs(), "default_currency": set.default_currency,
            "details_submitted": true, "email": "owner@shop.example",
            "external_accounts": {
                "object": "list", "data": [], "has_more": false,
                "url": format!("/v1/accounts/{}/external_accounts", set.id),
            },
            "future_requirements": nothing_due, "metadata": {}, "payouts_enabled": true, "requirements": nothing_due,
            "settings": {
                "branding": {"icon": null, "logo": null, "primary_color": null, "secondary_color": null},
                "card_payments": {"decline_on": {"avs_failure": false, "cvc_failure": false}},
                "dashboard": {"display_name": "Till Shop", "timezone": "Etc/UTC"},
                "payments": {"statement_descriptor": "TILL SHOP"},
                "payouts": {"debit_negative_balances": true, "schedule": {"delay_days": 7, "interval": "daily"}},
            },
            "tos_acceptance": {"date": null, "ip": null, "user_agent": null},
            "type": "standard",
        })
    }

    /// An account leaves the platform: its calls are refused from now on, and the platform is told.
    pub(crate) fn leave(&mut self, account: &str) {
        let application = json!({"id": "ca_TillPlatformAAAAAAAAAAAAAAAAAAAA", "object": "application", "name": "Till"});
        self.tell_of("account.application.deauthorized", account, json!({ "object": application }), self.secs());
        self.deauthorized.insert(account.to_owned());
    }
}
