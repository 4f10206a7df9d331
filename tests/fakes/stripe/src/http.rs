//! The same fake behind Till's own HTTP port: in process, whatever host the URL names.

use crate::Stripe;
use crate::call::{Call, Reply};
use secrecy::ExposeSecret as _;
use till_core::port::http::{Http, HttpError, Method, Request, Response};

#[async_trait::async_trait]
impl Http for Stripe {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let url =
            url::Url::parse(&request.url).map_err(|why| HttpError::Unsent(format!("`{}`: {why}", request.url)))?;
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        let mut call = Call::new(method, &format!("{}{query}", url.path()));
        if let Some(bearer) = &request.bearer {
            call = call.bearer(bearer.expose_secret());
        }
        call.headers.extend(request.headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        call.body = request.body.to_vec();
        match self.reply(&call) {
            Reply::Answer(answer) => {
                Ok(Response { status: answer.status, headers: answer.headers, body: answer.body.into() })
            }
            Reply::Unsent => Err(HttpError::Unsent("the fake is down".into())),
            Reply::Unanswered => Err(HttpError::Unanswered("the connection broke".into())),
        }
    }
}
