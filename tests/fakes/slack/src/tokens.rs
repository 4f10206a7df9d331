//! Tokens: whose they are, what they may do, and why one is refused.

use crate::Slack;
use crate::refusal::Refusal;
use crate::world::World;
use till_core::time::Timestamp;

/// What is known of a bot token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) team: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: Option<Timestamp>,
    gone: Option<&'static str>,
}

impl Token {
    pub(crate) fn bot(team: &str, scopes: &[String]) -> Self {
        Self { team: team.to_owned(), scopes: scopes.to_vec(), expires: None, gone: None }
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
    /// Empty for the app itself.
    pub(crate) team: String,
    pub(crate) scopes: Vec<String>,
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
            return Ok(Caller { token: token.to_owned(), team: String::new(), scopes });
        }
        let found = self.tokens.get(token).ok_or_else(|| Refusal::new("invalid_auth"))?;
        if let Some(error) = found.gone {
            return Err(Refusal::new(error));
        }
        if found.expires.is_some_and(|expires| expires <= self.now) {
            return Err(Refusal::new("token_expired"));
        }
        Ok(Caller { token: token.to_owned(), team: found.team.clone(), scopes: found.scopes.clone() })
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
        let live = world.tokens.iter().filter(|(_, token)| token.team == team && token.is_live());
        live.max_by_key(|(_, token)| token.expires).map(|(text, _)| text.clone())
    }
}
