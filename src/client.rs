//! The HTTP client that provider adapters speak through: one timeout, one size limit, no redirects.

use async_trait::async_trait;
use secrecy::ExposeSecret;
use std::time::Duration;
use till_core::port::http::{BODY_MAX, Http, HttpError, Method, Request, Response};

/// How long one call may take. Claims on outbox rows live longer than this.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The [`Http`] port over reqwest.
pub struct Client {
    /// Goes through the system's proxy, where there is one.
    outside: reqwest::Client,
    /// Never does: to this computer.
    here: reqwest::Client,
}

impl Client {
    /// A client with Till's limits.
    ///
    /// # Errors
    /// The TLS backend cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        let limits = || {
            reqwest::Client::builder()
                .timeout(TIMEOUT)
                .connect_timeout(Duration::from_secs(5))
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("till/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self { outside: limits().build()?, here: limits().no_proxy().build()? })
    }

    fn towards(&self, url: &str) -> &reqwest::Client {
        let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        match host.as_deref() {
            Some("127.0.0.1" | "localhost" | "[::1]") => &self.here,
            Some(_) | None => &self.outside,
        }
    }
}

#[async_trait]
impl Http for Client {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut call = self.towards(&request.url).request(method, &request.url).body(request.body);
        for (name, value) in &request.headers {
            call = call.header(*name, value);
        }
        if let Some(secret) = &request.bearer {
            call = call.bearer_auth(secret.expose_secret());
        }
        let mut answer = call.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?.to_owned();
            Some((name.as_str().to_owned(), value))
        });
        let headers = headers.collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > BODY_MAX {
                return Err(HttpError::TooBig);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body: body.into() })
    }
}

/// The URL is left out of the text: it may hold what should not be logged.
fn failed(error: reqwest::Error) -> HttpError {
    let unsent = error.is_connect() || error.is_builder();
    let error = error.without_url();
    // The outermost says little; the innermost says what the host can mend: a name, a refusal, a certificate.
    let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
    let text = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    if unsent { HttpError::Unsent(text) } else { HttpError::Unanswered(text) }
}
