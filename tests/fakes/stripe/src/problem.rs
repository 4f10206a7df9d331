//! Why a call is refused, in Stripe's shape and words.

use serde_json::{Map, Value, json};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    param: Option<String>,
    /// Whether the endpoint had begun its work. Only such answers are saved under an idempotency key.
    pub(crate) begun: bool,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// 400, of the request.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            message: message.into(),
            param: None,
            begun: false,
            headers: Vec::new(),
        }
    }

    /// An error of Stripe's own.
    pub(crate) fn api(status: u16) -> Self {
        let message = "An unknown error occurred. Contact support@stripe.com if you continue to see this.";
        Self { status, kind: "api_error", begun: true, ..Self::invalid(message) }
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn param(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(crate) fn begun(self) -> Self {
        Self { begun: true, ..self }
    }

    pub(crate) fn not_begun(self) -> Self {
        Self { begun: false, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// There is no such object in this account. Looking it up is work, so the answer is saved.
    pub(crate) fn missing_object(kind: &str, id: &str, param: &str) -> Self {
        Self::invalid(format!("No such {kind}: '{id}'")).status(404).code("resource_missing").param(param).begun()
    }

    /// A parameter refers to an object that is not there: 400, since 404 is for what the path names.
    pub(crate) fn missing_place(kind: &str, id: &str, param: &str) -> Self {
        Self::missing_object(kind, id, param).status(400)
    }

    pub(crate) fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    pub(crate) fn unknown(params: &[String]) -> Self {
        let s = if params.len() == 1 { "" } else { "s" };
        let message = format!("Received unknown parameter{s}: {}", params.join(", "));
        Self::invalid(message).code("parameter_unknown").param(params.first().cloned().unwrap_or_default())
    }

    pub(crate) fn body(&self, request: &str) -> String {
        let mut error = Map::new();
        if let Some(code) = self.code {
            error.insert("code".into(), code.into());
            let page = code.replace('_', "-");
            error.insert("doc_url".into(), format!("https://stripe.com/docs/error-codes/{page}").into());
        }
        error.insert("message".into(), self.message.clone().into());
        if let Some(param) = &self.param {
            error.insert("param".into(), param.clone().into());
        }
        let log = format!("https://dashboard.stripe.com/test/logs/{request}?t=0");
        error.insert("request_log_url".into(), log.into());
        error.insert("type".into(), self.kind.into());
        pretty(&json!({ "error": error }))
    }
}

/// JSON as Stripe writes it: two spaces, in answers and in deliveries.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}
