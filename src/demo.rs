//! The demo: the whole main job on one computer, with one command and no account.
//!
//! ```text
//! http://127.0.0.1:7700   customer and staff side by side     http://127.0.0.1:7701   the sandbox provider
//! ```
//! It answers on loopback alone, to its own name and origin, refuses anything that came through a proxy, and knows no
//! provider but the sandbox, whose control page plays the bank. The printed link opens both sides once; after that the
//! browser's cookies do.

use crate::assemble::{self, Assembled, Front, SandboxSettings, StartError};
use crate::cli::{DemoArgs, listen};
use crate::clock::{Clock, SystemEntropy};
use crate::config::{Config, RefundsConfig};
use crate::http::{Door, behind};
use crate::{keyring, run};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{DOCTYPE, html};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use till_core::id::random;
use till_core::port::store::Staff;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The port where nobody asks for another.
const PORT: u16 = 7700;
/// The staff member of the demo.
const STAFF: &str = "sam";

/// A demo that is set up and listening.
pub struct Demo {
    till: Assembled,
    listener: TcpListener,
    sandbox_listener: TcpListener,
    sandbox: assemble::SandboxServer,
    routes: Router,
    /// Where the page is: `http://127.0.0.1:7700`.
    pub url: String,
    /// The link that opens both sides, once.
    pub entrance: String,
    /// Where one plays the bank.
    pub control: String,
}

/// Sets everything up, and listens.
///
/// # Errors
/// [`StartError`] says what to change.
pub async fn prepare(args: &DemoArgs, clock: Clock, stop: &CancellationToken) -> Result<Demo, StartError> {
    let listener = first_port(args.port).await?;
    let address = local(&listener)?;
    let sandbox_listener = match address.port().checked_add(1) {
        Some(port) => or_any(port).await?,
        None => or_any(0).await?,
    };
    let sandbox_address = local(&sandbox_listener)?;
    let url = format!("http://{address}");
    let secrets = Secrets::make(&args.data)?;
    let config = config(args, &url, sandbox_address);
    let sandbox = SandboxSettings {
        db: &args.data.join("sandbox.db"),
        public_url: format!("http://{sandbox_address}"),
        account: config.sandbox.account.clone(),
        api_key: secrets.api_key.into(),
        webhook: Some((format!("{url}/hooks/sandbox/sandbox"), secrets.signing.into())),
        hints: Some(format!("{url}/hooks/sandbox-difficult/sandbox")),
        control: true,
    };
    let control = format!("{}/control", sandbox.public_url);
    let sandbox = assemble::sandbox(sandbox, clock.clone(), stop.clone()).await?;
    let origins = hosts(address).iter().map(|host| format!("http://{host}")).collect();
    let till = assemble::till(&config, &Front::Demo(origins), clock.clone()).await?;
    let sam = Staff { id: STAFF.into(), name: "Sam".into(), since: clock() };
    till.world.store.add_staff(&assemble::merchant_id(), &sam).await?;
    let token = hex::encode(random::<16>(&mut SystemEntropy));
    let entrance = format!("{url}/demo/{token}");
    let cookies = till.both_sides(STAFF).await?;
    let routes = routes(token, cookies, control.clone());
    Ok(Demo { till, listener, sandbox_listener, sandbox, routes, url, entrance, control })
}

impl Demo {
    /// Serves until the stop, then ends in order.
    ///
    /// # Errors
    /// [`StartError::System`]: a listener failed.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), StartError> {
        let door = Door { trusted_proxies: Vec::new(), hosts: hosts(local(&self.listener)?) };
        let mut running = self.till.start(&stop);
        running.spawn(self.sandbox.run);
        let sandbox_door = Door { trusted_proxies: Vec::new(), hosts: hosts(local(&self.sandbox_listener)?) };
        let router = behind(sandbox_door, self.sandbox.router);
        let (listener, until) = (self.sandbox_listener, stop.clone());
        running.spawn(async move {
            if let Err(error) = run::serve(listener, router, until).await {
                tracing::error!(%error, "the sandbox failed: {error}");
            }
        });
        let served = run::serve(self.listener, self.till.router(self.routes, door), stop.clone()).await;
        stop.cancel();
        while running.join_next().await.is_some() {}
        self.till.close().await;
        served.map_err(|source| StartError::System { what: "serving failed".into(), source })
    }
}

/// The names under which the demo answers.
fn hosts(address: SocketAddr) -> Vec<String> {
    ["127.0.0.1", "localhost", "[::1]"].iter().map(|name| format!("{name}:{}", address.port())).collect()
}

fn local(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::System { what: "the listener has no address".into(), source })
}

/// The wished port or nothing; without a wish the usual one, or any free one.
async fn first_port(wish: Option<u16>) -> Result<TcpListener, StartError> {
    match wish {
        Some(port) => listen(SocketAddr::from(([127, 0, 0, 1], port))).await,
        None => or_any(PORT).await,
    }
}

async fn or_any(port: u16) -> Result<TcpListener, StartError> {
    match listen(SocketAddr::from(([127, 0, 0, 1], port))).await {
        Ok(listener) => Ok(listener),
        Err(_) => listen(SocketAddr::from(([127, 0, 0, 1], 0))).await,
    }
}

/// What Till and the sandbox share; kept in files, since the configuration holds no secret itself.
struct Secrets {
    api_key: String,
    signing: String,
}

impl Secrets {
    fn make(folder: &std::path::Path) -> Result<Self, StartError> {
        let secret = |name: &str, prefix: &str| {
            let path = folder.join(name);
            if !path.exists() {
                let made = hex::encode(random::<24>(&mut SystemEntropy));
                keyring::write_private(&path, &format!("{prefix}{made}"))?;
            }
            std::fs::read_to_string(&path)
        };
        let failed = |source| StartError::System { what: format!("folder `{}`", folder.display()), source };
        Ok(Self {
            api_key: secret("sandbox-key", "sk_test_").map_err(failed)?,
            // Hex is also base 64, which is what the signing secret must be.
            signing: secret("sandbox-webhook-secret", "whsec_").map_err(failed)?,
        })
    }
}

fn config(args: &DemoArgs, url: &str, sandbox: SocketAddr) -> Config {
    let mut config = Config::default();
    config.http.public_url = url.to_owned();
    config.store.path = args.data.join("till.db");
    config.keys.path = args.data.join("keys.json");
    config.merchant.name = "Corner Café".into();
    let limit = |amount: &str| ["EUR", "USD", "GBP"].map(|currency| format!("{amount} {currency}")).to_vec();
    config.refunds =
        RefundsConfig { alone_max: limit("100"), person_day_max: limit("500"), merchant_day_max: limit("1000") };
    config.sandbox.enabled = true;
    config.sandbox.difficult = args.difficult;
    config.sandbox.authenticate_from = limit("100");
    config.sandbox.base_url = format!("http://{sandbox}");
    config.sandbox.api_key = format!("file:{}", args.data.join("sandbox-key").display());
    config.sandbox.webhook_secret = format!("file:{}", args.data.join("sandbox-webhook-secret").display());
    config
}

/// The entrance: its token, until it was used, and the cookies that it gives. And where one plays the bank.
struct Entrance(Mutex<Option<(String, Vec<String>)>>, String);

fn routes(token: String, cookies: Vec<String>, control: String) -> Router {
    Router::new()
        .route("/", get(both))
        .route("/demo/{token}", get(enter))
        .route("/demo/page.css", get(css))
        .with_state(Arc::new(Entrance(Mutex::new(Some((token, cookies))), control)))
}

async fn css() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("assets/demo.css")).into_response()
}

const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Opens both sides, once: of two who try, one gets in.
async fn enter(State(entrance): State<Arc<Entrance>>, Path(token): Path<String>) -> Response {
    let mut kept = entrance.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some((_, cookies)) = kept.take_if(|(right, _)| *right == token) else {
        let text = "This link was used already, or is from an earlier start. Open the address without the last part \
                    in the same browser, or start the demo again for a new link.";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let mut response = Redirect::to("/").into_response();
    for cookie in cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn both(State(entrance): State<Arc<Entrance>>) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Till: the demo" }
                link rel="stylesheet" href="/demo/page.css";
            }
            body {
                header {
                    h1 { "Till" span { "TEST: no real money moves" } }
                    ol {
                        li { "Left, as the customer: say what you want." }
                        li { "Right, as staff: open the conversation and type " code { "/pay 25 EUR coffee" } }
                        li { "Left: press " b { "Pay" } ", choose a test card, and watch both cards turn to " b { "Paid" } "." }
                        li { "Right: press " b { "Refund" } ", or ask again and " b { "Cancel" } "." }
                        li { a href=(entrance.1) target="_blank" rel="noopener" { "Play the bank" } ": disputes, returns, trouble." }
                    }
                }
                main {
                    section { h2 { "The customer" } iframe src="/chat" title="The customer's chat" {} }
                    section { h2 { "The staff" } iframe src="/desk" title="The staff desk" {} }
                }
            }
        }
    };
    ([POLICY], Html(page.into_string())).into_response()
}
