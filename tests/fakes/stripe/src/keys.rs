//! Who calls: the key, the account it acts for, and what a restricted key lacks.

use crate::World;
use crate::call::Call;
use crate::problem::Problem;
use crate::settings::Grants;
use base64::Engine as _;

/// Whoever may call, and for which account.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account whose objects are meant.
    pub(crate) account: String,
    /// The account whose key it is.
    own: String,
    masked: String,
    grants: Grants,
}

impl World {
    /// Who calls, by the key alone. Stripe takes it as Bearer or as the user of Basic.
    pub(crate) fn caller(&self, call: &Call) -> Result<Caller, Problem> {
        let refused = |message: String| Problem::invalid(message).status(401);
        let Some(given) = call.get("authorization").and_then(secret) else {
            return Err(refused(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using \
                 Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
                 https://stripe.com/docs/api#authentication for details, or we can help at \
                 https://support.stripe.com/."
                    .into(),
            ));
        };
        let Some(key) = self.settings.keys.iter().find(|key| key.secret == given) else {
            return Err(refused(format!("Invalid API Key provided: {}", masked(&given))));
        };
        Ok(Caller {
            account: key.account.clone(),
            own: key.account.clone(),
            masked: masked(&given),
            grants: key.grants.clone(),
        })
    }

    /// The account that the header `Stripe-Account` names: the key's own, or one connected to the platform.
    pub(crate) fn acting_for(&self, caller: Caller, call: &Call) -> Result<Caller, Problem> {
        let Some(account) = call.get("stripe-account") else { return Ok(caller) };
        if self.reaches(&caller, account) {
            return Ok(Caller { account: account.to_owned(), ..caller });
        }
        Err(no_access(&caller, account))
    }

    pub(crate) fn reaches(&self, caller: &Caller, account: &str) -> bool {
        let known = self.settings.accounts.iter().any(|each| each.id == account);
        let connected = caller.owns(self.platform()) && known && !self.deauthorized.contains(account);
        caller.owns(account) || connected
    }
}

impl Caller {
    /// Whether its key is the account's own.
    pub(crate) fn owns(&self, account: &str) -> bool {
        self.own == account
    }

    /// Refuses a restricted key that lacks any of these permissions.
    pub(crate) fn may(&self, needs: &[&str]) -> Result<(), Problem> {
        let Grants::Only(granted) = &self.grants else { return Ok(()) };
        let has = |need: &str| {
            let write = need.strip_suffix("_read").map(|what| format!("{what}_write"));
            granted.contains(need) || write.is_some_and(|write| granted.contains(&write))
        };
        let lacks: Vec<String> = needs.iter().filter(|need| !has(need)).map(|need| format!("'{need}'")).collect();
        if lacks.is_empty() {
            return Ok(());
        }
        let s = if lacks.len() == 1 { "" } else { "s" };
        let message = format!(
            "The provided key '{}' does not have the required permissions for this endpoint on account '{}'. Having the \
             {} permission{s} would allow this request to continue.",
            self.masked,
            self.account,
            lacks.join(", ")
        );
        Err(Problem::invalid(message).status(403))
    }
}

pub(crate) fn no_access(caller: &Caller, account: &str) -> Problem {
    let message = format!(
        "The provided key '{}' does not have access to account '{account}' (or that account does not exist). \
         Application access may have been revoked.",
        caller.masked
    );
    Problem::invalid(message).status(403).code("account_invalid")
}

fn secret(header: &str) -> Option<String> {
    if let Some(token) = header.strip_prefix("Bearer ") {
        return Some(token.to_owned());
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

/// The key as Stripe repeats it: its kind and its last four characters.
fn masked(secret: &str) -> String {
    let chars: Vec<char> = secret.chars().collect();
    let (head, tail) = (chars.len().min(8), chars.len().saturating_sub(4).max(8.min(chars.len())));
    let (kind, last): (String, String) = (chars[..head].iter().collect(), chars[tail..].iter().collect());
    format!("{kind}{}{last}", "*".repeat(tail - head))
}
