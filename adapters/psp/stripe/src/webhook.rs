//! Making the webhook endpoint at Stripe, with the events that Till listens to.
//!
//! Stripe shows an endpoint's signing secret once, in the answer that makes it. So the endpoint is looked for before it
//! is made: a second one for the same address would only double every delivery.

use crate::event::{DEAUTHORIZED, KINDS};
use crate::form::Form;
use crate::wire::{Endpoint, List};
use crate::{VERSION, call};
use secrecy::SecretString;
use till_core::port::http::Http;
use till_core::port::psp::{Access, Account, Fault};

/// An endpoint that was made.
#[derive(Debug)]
pub struct Webhook {
    /// Stripe's id: `we_…`.
    pub id: String,
    /// What it signs deliveries with; Stripe does not show it again.
    pub secret: SecretString,
}

/// Makes an endpoint for `url`.
///
/// # Errors
/// [`Fault::Refused`] when there is one for this address already, or Stripe refuses it; [`Fault::Credentials`] when the
/// key may not do it. The texts are for the host.
pub async fn make_webhook(http: &dyn Http, at: &Account, url: &str) -> Result<Webhook, Fault> {
    if let Some(known) = endpoints(http, at).await?.into_iter().find(|known| known.url == url) {
        let text = format!("there is an endpoint for {url} already: {}. Delete it in the dashboard first", known.id);
        return Err(Fault::Refused(text));
    }
    let form = Form::new().field("url", url).field("api_version", VERSION).field("description", "Till");
    let connected = at.access == Access::Connected;
    let form = if connected { form.field("connect", true) } else { form };
    let form = form.each("enabled_events", kinds(at));
    let told = call::post::<Endpoint>(http, &platform(at), "/v1/webhook_endpoints", None, form).await?;
    let secret = told.object.secret.ok_or_else(|| Fault::Unreadable("an endpoint without a secret".into()))?;
    Ok(Webhook { id: told.object.id, secret: secret.into() })
}

/// What an endpoint of this account listens to.
pub(crate) fn kinds(at: &Account) -> impl Iterator<Item = &'static str> {
    let connected = at.access == Access::Connected;
    KINDS.into_iter().filter(move |kind| connected || *kind != DEAUTHORIZED)
}

/// All endpoints of the account, or of the platform that acts for it.
pub(crate) async fn endpoints(http: &dyn Http, at: &Account) -> Result<Vec<Endpoint>, Fault> {
    let told = call::get::<List<Endpoint>>(http, &platform(at), "/v1/webhook_endpoints?limit=100").await?;
    Ok(told.object.data)
}

/// The owner of the key: endpoints belong to it, whoever it acts for.
fn platform(at: &Account) -> Account {
    Account { access: Access::Own, ..at.clone() }
}
