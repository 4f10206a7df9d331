//! Installing: the page where a person allows it, the exchange of the code, and tokens that expire.

use crate::call::Params;
use crate::refusal::Refusal;
use crate::tokens::{Caller, Token, is_enterprise};
use crate::world::World;
use crate::{Inner, Slack};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use till_core::time::Timestamp;

const CODE_LIFE: Duration = Duration::from_secs(10 * 60);
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3600);

/// What the next person on the page does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Allows it for a workspace.
    Allow {
        /// `T…`.
        team: String,
        /// `U…` of the one who allows it.
        user: String,
    },
    /// Allows it for all workspaces of an organization.
    AllowOrg {
        /// `E…`.
        enterprise: String,
        /// `U…` of the one who allows it.
        user: String,
    },
    /// Cancels.
    Deny,
}

/// Codes and refresh tokens that are out.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    consent: Option<Consent>,
    codes: BTreeMap<String, Code>,
    /// By refresh token: whether it was used, and whose it is.
    refresh: BTreeMap<String, (bool, String, Vec<String>)>,
}

#[derive(Clone, Debug)]
struct Code {
    team: String,
    user: String,
    scopes: Vec<String>,
    redirect: Option<String>,
    since: Timestamp,
    used: bool,
}

/// `GET /oauth/v2/authorize`
pub(crate) async fn authorize(
    State(inner): State<Arc<Inner>>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    match inner.lock().authorize(&asked) {
        Ok(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("Something went wrong: {error}")).into_response(),
    }
}

impl World {
    fn authorize(&mut self, asked: &BTreeMap<String, String>) -> Result<String, &'static str> {
        let get = |name: &str| asked.get(name).map(String::as_str).filter(|text| !text.is_empty());
        if get("client_id") != Some(&self.settings.client_id) {
            return Err("invalid_client_id");
        }
        let redirect = get("redirect_uri").map(str::to_owned);
        let to = redirect.clone().or_else(|| self.settings.redirect_urls.first().cloned()).ok_or("bad_redirect_uri")?;
        if !self.settings.redirect_urls.iter().any(|known| to.starts_with(known.as_str())) {
            return Err("bad_redirect_uri");
        }
        let scopes: Vec<String> = get("scope")
            .unwrap_or_default()
            .split([',', ' '])
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect();
        if scopes.is_empty() {
            return Err("no_scopes");
        }
        let mut to = url::Url::parse(&to).map_err(|_| "bad_redirect_uri")?;
        let first = self.settings.teams.first().expect("a workspace");
        let first = Consent::Allow { team: first.id.clone(), user: first.users[0].id.clone() };
        let mut pairs = to.query_pairs_mut();
        match self.grants.consent.take().unwrap_or(first) {
            Consent::Deny => pairs.append_pair("error", "access_denied"),
            Consent::Allow { team, user } | Consent::AllowOrg { enterprise: team, user } => {
                let code = format!("{}.{}", self.grants.codes.len() + 1000, self.secret());
                let since = self.now;
                self.grants.codes.insert(code.clone(), Code { team, user, scopes, redirect, since, used: false });
                pairs.append_pair("code", &code)
            }
        };
        pairs.append_pair("state", get("state").unwrap_or_default());
        drop(pairs);
        Ok(to.into())
    }

    /// A token of that workspace or organization; one that lives for ever is the same after the app is installed again.
    fn grant(&mut self, team: &str, mut scopes: Vec<String>) -> Value {
        let is_org = is_enterprise(team);
        let set = if is_org { self.teams_in(team)[0].clone() } else { self.team(team).clone() };
        let mut body = json!({
            "ok": true, "token_type": "bot", "bot_user_id": set.bot_user, "app_id": self.settings.app_id,
            "team": (!is_org).then(|| json!({"id": set.id, "name": set.name})), "is_enterprise_install": is_org,
            "enterprise": set.enterprise.as_ref().map(|(id, name)| json!({"id": id, "name": name})),
        });
        let lasting = self.tokens.iter().find(|(_, old)| old.team == team && old.is_live() && old.expires.is_none());
        let lasting = lasting.map(|(text, old)| (text.clone(), old.scopes.clone()));
        let rotation = self.settings.rotation;
        let token = match lasting {
            Some((text, old)) if !rotation => {
                scopes.extend(old);
                text
            }
            _ => format!("{}xoxb-{team}-{}", if rotation { "xoxe." } else { "" }, self.secret()),
        };
        scopes.sort_unstable();
        scopes.dedup();
        (body["access_token"], body["scope"]) = (token.clone().into(), scopes.join(",").into());
        let mut granted = Token::bot(team, &scopes);
        if rotation {
            let refresh = format!("xoxe-1-{}", self.secret());
            granted.expires = Some(self.now.after(TOKEN_LIFE));
            (body["refresh_token"], body["expires_in"]) = (refresh.clone().into(), TOKEN_LIFE.as_secs().into());
            self.grants.refresh.insert(refresh, (false, team.to_owned(), scopes));
        }
        self.tokens.insert(token, granted);
        body
    }
}

/// `oauth.v2.access`
pub(crate) fn access(world: &mut World, _: &Caller, params: &Params) -> Result<Value, Refusal> {
    let (id, secret) = params.basic.clone().unwrap_or_else(|| {
        (params.text("client_id").unwrap_or_default(), params.text("client_secret").unwrap_or_default())
    });
    if id != world.settings.client_id {
        return Err(Refusal::new("invalid_client_id"));
    }
    if secret != world.settings.client_secret {
        return Err(Refusal::new("bad_client_secret"));
    }
    match params.text("grant_type").as_deref() {
        None | Some("authorization_code") => exchange(world, params),
        Some("refresh_token") => refresh(world, params),
        Some(_) => Err(Refusal::new("invalid_grant_type")),
    }
}

fn exchange(world: &mut World, params: &Params) -> Result<Value, Refusal> {
    let invalid = || Refusal::new("invalid_code");
    let given = params.text("code").ok_or_else(invalid)?;
    let now = world.now;
    let code = world.grants.codes.get_mut(&given).ok_or_else(invalid)?;
    if code.used {
        return Err(Refusal::new("code_already_used"));
    }
    if now.since(code.since) > CODE_LIFE {
        return Err(invalid());
    }
    if code.redirect != params.text("redirect_uri") {
        return Err(Refusal::new("bad_redirect_uri"));
    }
    code.used = true;
    let code = code.clone();
    let mut body = world.grant(&code.team, code.scopes);
    body["authed_user"] = json!({"id": code.user});
    Ok(body)
}

fn refresh(world: &mut World, params: &Params) -> Result<Value, Refusal> {
    let invalid = || Refusal::new("invalid_refresh_token");
    let given = params.text("refresh_token").ok_or_else(invalid)?;
    let (used, team, scopes) = world.grants.refresh.get_mut(&given).filter(|(used, ..)| !used).ok_or_else(invalid)?;
    *used = true;
    let (team, scopes) = (team.clone(), scopes.clone());
    Ok(world.grant(&team, scopes))
}

impl Slack {
    /// What the next person on the authorize page does; without a word the first person of the first workspace allows.
    pub fn consent(&self, consent: Consent) {
        self.lock().grants.consent = Some(consent);
    }
}
