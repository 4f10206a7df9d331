//! Tokens: whose they are, what they may do, and why one is refused.

use crate::Slack;
use crate::call::Params;
use crate::refusal::Refusal;
use crate::settings::TeamSet;
use crate::world::World;
use till_core::time::Timestamp;

/// What is known of a token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Of a person; none for the bot.
    user: Option<String>,
    /// `T…`; `E…` for all workspaces of an organization.
    pub(crate) team: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: Option<Timestamp>,
    gone: Option<&'static str>,
}

impl Token {
    pub(crate) fn bot(team: &str, scopes: &[String]) -> Self {
        Self { user: None, team: team.to_owned(), scopes: scopes.to_vec(), expires: None, gone: None }
    }

    /// A person's own, which writes.
    pub(crate) fn user(team: &str, user: &str) -> Self {
        Self { user: Some(user.to_owned()), ..Self::bot(team, &["chat:write".to_owned()]) }
    }

    pub(crate) const fn is_live(&self) -> bool {
        self.gone.is_none()
    }

    /// Refused from now on, with this word.
    pub(crate) const fn end(&mut self, error: &'static str) {
        self.gone = Some(error);
    }
}

/// Who calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) token: String,
    /// A person; none for the bot.
    pub(crate) user: Option<String>,
    /// Empty for the app itself.
    pub(crate) team: String,
    /// Of an organization: `team` is then the workspace that the call is about.
    pub(crate) is_org: bool,
    pub(crate) scopes: Vec<String>,
}

/// Whether this names an organization, and not a workspace.
pub(crate) fn is_enterprise(id: &str) -> bool {
    id.starts_with('E')
}

impl Caller {
    /// Any one of these, separated by commas; nothing is needed for none.
    pub(crate) fn need(&self, scopes: &str) -> Result<(), Refusal> {
        if scopes.is_empty() || scopes.split(',').any(|scope| self.scopes.iter().any(|given| given == scope)) {
            return Ok(());
        }
        Err(Refusal::new("missing_scope").with("needed", scopes).with("provided", self.scopes.join(",")))
    }
}

impl World {
    /// Who has this token.
    pub(crate) fn caller(&self, token: Option<&str>) -> Result<Caller, Refusal> {
        let token = token.filter(|token| !token.is_empty()).ok_or_else(|| Refusal::new("not_authed"))?;
        if token == self.settings.app_token {
            let scopes = vec!["connections:write".to_owned()];
            return Ok(Caller { token: token.to_owned(), scopes, ..Caller::default() });
        }
        let found = self.tokens.get(token).ok_or_else(|| Refusal::new("invalid_auth"))?;
        if let Some(error) = found.gone {
            return Err(Refusal::new(error));
        }
        if found.expires.is_some_and(|expires| expires <= self.now) {
            return Err(Refusal::new("token_expired"));
        }
        let (team, is_org) = (found.team.clone(), is_enterprise(&found.team));
        let (user, scopes) = (found.user.clone(), found.scopes.clone());
        Ok(Caller { token: token.to_owned(), user, team, is_org, scopes })
    }

    /// The workspaces of an organization.
    pub(crate) fn teams_in(&self, enterprise: &str) -> Vec<&TeamSet> {
        let is_in = |team: &&TeamSet| team.enterprise.as_ref().is_some_and(|(id, _)| id == enterprise);
        self.settings.teams.iter().filter(is_in).collect()
    }

    /// Whether a token is for this workspace: its own, or its organization's.
    pub(crate) fn is_for(&self, token: &Token, team: &str) -> bool {
        let enterprise = self.team(team).enterprise.as_ref().map(|(id, _)| id.as_str());
        token.is_live() && token.user.is_none() && (token.team == team || Some(token.team.as_str()) == enterprise)
    }

    /// Whether the app is there because the organization has it, and not by the workspace's own token.
    pub(crate) fn is_org_install(&self, team: &str) -> bool {
        self.installed(team) && !self.tokens.values().any(|token| token.team == team && token.is_live())
    }

    /// The workspace that a call with a token of an organization is about.
    pub(crate) fn meant(&self, caller: Caller, params: &Params) -> Result<Caller, Refusal> {
        if !caller.is_org {
            return Ok(caller);
        }
        let of_channel = |id: String| self.channels.get(&id).map(|channel| channel.team.clone());
        let of_user = |id: String| self.user(&id).map(|(team, _)| team.id.clone());
        let named = params.text("channel").and_then(of_channel);
        let named =
            named.or_else(|| ["user", "users", "user_id"].into_iter().find_map(|name| of_user(params.text(name)?)));
        let named =
            named.or_else(|| self.triggers.get(&params.text("trigger_id")?).map(|trigger| trigger.team.clone()));
        let named = named.or_else(|| params.text("team_id"));
        let all = self.teams_in(&caller.team);
        let team = match named {
            Some(named) => {
                all.iter().find(|team| team.id == named).ok_or_else(|| Refusal::new("team_access_not_granted"))?
            }
            None => all.first().ok_or_else(|| Refusal::new("team_not_found"))?,
        };
        Ok(Caller { team: team.id.clone(), ..caller })
    }
}

impl Slack {
    /// Takes a token away: `token_revoked` from now on.
    pub fn revoke(&self, token: &str) {
        self.lock().tokens.get_mut(token).expect("a token of this fake").end("token_revoked");
    }

    /// These scopes from now on, as after an administrator took some away.
    pub fn rescope(&self, token: &str, scopes: &[&str]) {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.lock().tokens.get_mut(token).expect("a token of this fake").scopes = scopes;
    }

    /// The newest token of a workspace that works.
    pub fn token(&self, team: &str) -> Option<String> {
        let world = self.lock();
        let live = world.tokens.iter().filter(|(_, token)| world.is_for(token, team));
        live.max_by_key(|(_, token)| token.expires).map(|(text, _)| text.clone())
    }
}
