//! The Web API: which methods there are, what each needs, and one call from arrival to answer.

use crate::call::{Params, Recorded};
use crate::refusal::Refusal;
use crate::tokens::Caller;
use crate::world::World;
use crate::{chat, conversations, oauth, people, socket, views};
use serde_json::{Value, json};

type Run = fn(&mut World, &Caller, &Params) -> Result<Value, Refusal>;

/// One method.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// Any one of these scopes, separated by commas.
    needs: &'static str,
    pub(crate) tier: u8,
    /// Every argument it has.
    args: &'static str,
    /// Whether it looks at a JSON body: the writing methods do.
    pub(crate) takes_json: bool,
    run: Run,
}

const fn method(
    name: &'static str,
    needs: &'static str,
    tier: u8,
    args: &'static str,
    takes_json: bool,
    run: Run,
) -> Method {
    Method { name, needs, tier, args, takes_json, run }
}

const POST: &str = "channel text blocks attachments metadata thread_ts reply_broadcast unfurl_links unfurl_media \
    link_names parse mrkdwn markdown_text username icon_emoji icon_url as_user";
const WHISPER: &str = "channel user text blocks attachments thread_ts link_names parse markdown_text username \
    icon_emoji icon_url as_user";
const UPDATE: &str = "channel ts text blocks attachments metadata reply_broadcast link_names parse markdown_text \
    as_user file_ids";
const READ: &str = "channels:read,groups:read,im:read,mpim:read";
const HISTORY: &str = "channels:history,groups:history,im:history,mpim:history";
const PAGE: &str = "channel ts cursor latest oldest inclusive limit include_all_metadata";

/// Scopes and tiers: docs.slack.dev, each method's page.
const METHODS: [Method; 20] = [
    method("apps.connections.open", "connections:write", 1, "", true, socket::open),
    method("auth.revoke", "", 3, "test", false, people::revoke),
    method("auth.test", "", 4, "", true, people::test),
    method("chat.delete", "chat:write", 3, "channel ts as_user", true, chat::delete),
    method("chat.postEphemeral", "chat:write", 4, WHISPER, true, chat::whisper),
    method("chat.postMessage", "chat:write", 4, POST, true, chat::post),
    method("chat.update", "chat:write", 3, UPDATE, true, chat::update),
    method("conversations.history", HISTORY, 3, PAGE, false, conversations::history),
    method("conversations.info", READ, 3, "channel include_locale include_num_members", false, conversations::info),
    method("conversations.open", "im:write,mpim:write", 3, "channel users return_im", true, conversations::open),
    method("conversations.replies", HISTORY, 3, PAGE, false, conversations::replies),
    method(
        "oauth.v2.access",
        "",
        4,
        "client_id client_secret code redirect_uri grant_type refresh_token",
        false,
        oauth::access,
    ),
    method("team.info", "team:read", 3, "team domain", false, people::team),
    method(
        "usergroups.list",
        "usergroups:read",
        2,
        "include_count include_disabled include_users team_id",
        false,
        people::groups,
    ),
    method(
        "usergroups.users.list",
        "usergroups:read",
        2,
        "usergroup include_disabled team_id",
        false,
        people::group_users,
    ),
    method("users.info", "users:read", 4, "user include_locale", false, people::user),
    method("views.open", "", 4, "trigger_id interactivity_pointer view", true, views::open),
    method("views.publish", "", 4, "user_id view hash", true, views::publish),
    method("views.push", "", 4, "trigger_id interactivity_pointer view", true, views::push),
    method("views.update", "", 4, "view_id external_id view hash", true, views::update),
];

/// Every method of this fake with its arguments, for a test that holds them against Slack's own description.
pub fn methods() -> Vec<(&'static str, Vec<&'static str>)> {
    METHODS.iter().map(|method| (method.name, method.args.split_ascii_whitespace().collect())).collect()
}

pub(crate) fn method_named(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// What goes back for a call.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after_secs: Option<u64>,
    /// For `X-OAuth-Scopes`.
    pub(crate) scopes: Option<String>,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn of(status: u16, body: Value) -> Self {
        Self { status, retry_after_secs: None, scopes: None, body }
    }

    pub(crate) fn limited(secs: u64) -> Self {
        Self { retry_after_secs: Some(secs), ..Self::of(429, crate::trouble::rate_limited()) }
    }
}

impl World {
    /// Does what is asked, or refuses it.
    pub(crate) fn answer(&mut self, name: &str, params: Result<&Params, Refusal>) -> Reply {
        self.ask(name, params).unwrap_or_else(|refusal| Reply::of(200, refusal.body()))
    }

    fn ask(&mut self, name: &str, params: Result<&Params, Refusal>) -> Result<Reply, Refusal> {
        let method = method_named(name).ok_or_else(|| Refusal::new("unknown_method").with("req_method", name))?;
        let params = params?;
        // The one method that is called by its client id instead of a token.
        let caller = if name == "oauth.v2.access" { Caller::default() } else { self.caller(params.token.as_deref())? };
        let caller = self.meant(caller, params)?;
        let channel = params.text("channel").unwrap_or_default();
        if let Some(secs) = self.limited(&caller, method, &channel) {
            return Ok(Reply::limited(secs));
        }
        let for_app = name == "apps.connections.open";
        if caller.team.is_empty() && !for_app && !["auth.test", "oauth.v2.access"].contains(&name)
            || for_app && !caller.team.is_empty()
            || caller.user.is_some() && !["auth.test", "chat.delete"].contains(&name)
        {
            return Err(Refusal::new("not_allowed_token_type"));
        }
        caller.need(method.needs)?;
        let mut body = (method.run)(self, &caller, params)?;
        if !params.warnings.is_empty() {
            body["warning"] = params.warnings.join(",").into();
            body["response_metadata"]["warnings"] = json!(params.warnings);
        }
        let scopes = (!caller.scopes.is_empty()).then(|| caller.scopes.join(","));
        Ok(Reply { scopes, ..Reply::of(200, body) })
    }

    /// Keeps what was asked.
    pub(crate) fn record(&mut self, name: &str, params: Option<&Params>, reply: Option<&Reply>) {
        let token = params.and_then(|params| params.token.as_deref()).unwrap_or_default();
        let known = method_named(name).map_or("", |method| method.args);
        self.recorded.push(Recorded {
            method: name.to_owned(),
            args: params.map(Params::shown).unwrap_or_default(),
            team: self.tokens.get(token).map(|token| token.team.clone()).unwrap_or_default(),
            status: reply.map_or(0, |reply| reply.status),
            error: reply.and_then(|reply| reply.body["error"].as_str()).map(str::to_owned),
            at: self.now,
            unknown: params.map(|params| params.unknown(known)).unwrap_or_default(),
        });
    }
}
