//! The loops: each worker steps while there is something to do, sleeps until a bell or the clock, and ends in order.
//!
//! ```text
//! stop ─► listeners close ─► requests under way finish ─► workers finish the step they hold ─► store closes
//! ```

use crate::accounts::Reread;
use crate::clock::SystemEntropy;
use crate::upkeep::Chores;
use crate::world::World;
use crate::{cards, checkouts, drift, inbox, reconciler};
use axum::Extension;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use till_core::port::store::StoreError;
use till_core::time::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a worker sleeps when no bell rings: what another process wrote is found within this.
const NAP: Duration = Duration::from_millis(500);
/// How long a worker waits after the store failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether a comparison is due.
const COMPARE_NAP: Duration = Duration::from_secs(5);
/// How long after the start the first one begins.
const COMPARE_AFTER: Duration = Duration::from_secs(600);
/// How long a client may take to send its headers.
const HEADERS: Duration = Duration::from_secs(10);
/// Connections that are open at once; the next one waits.
const CONNECTIONS_MAX: usize = 8192;
/// How long requests under way may take after the stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// What steps while there is something to do.
#[derive(Clone, Copy, Debug)]
enum Worker {
    /// Calls to providers.
    Checkouts,
    /// Cards.
    Cards,
    /// New messages.
    Messages,
    /// Parked deliveries, deadlines and polls: nobody rings for them.
    Reconciler,
}

impl Worker {
    const ALL: [Self; 4] = [Self::Checkouts, Self::Cards, Self::Messages, Self::Reconciler];

    async fn step(self, world: &World) -> Result<bool, StoreError> {
        let now = (world.clock)();
        match self {
            Self::Checkouts => checkouts::step(world, now, &mut SystemEntropy).await,
            Self::Cards => cards::step(world, now, &mut SystemEntropy).await,
            Self::Messages => cards::step_messages(world, now, &mut SystemEntropy).await,
            Self::Reconciler => {
                let parked = inbox::step(world, now).await?;
                Ok(reconciler::step(world, now).await? || parked)
            }
        }
    }

    async fn rung(self, world: &World) {
        match self {
            Self::Checkouts => world.bells.provider.notified().await,
            Self::Cards => world.bells.cards.notified().await,
            Self::Messages => world.bells.chat.notified().await,
            Self::Reconciler => std::future::pending().await,
        }
    }
}

/// Starts the workers. They end when `stop` is cancelled, each after the step it holds.
pub fn workers(world: &Arc<World>, stop: &CancellationToken) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for worker in Worker::ALL {
        all.spawn(turn(world.clone(), stop.clone(), worker));
    }
    all.spawn(sweeps(world.clone(), stop.clone()));
    all.spawn(chores(world.clone(), stop.clone()));
    all
}

/// Steps until there is nothing to do, then waits for the bell, the nap's end, or the stop.
async fn turn(world: Arc<World>, stop: CancellationToken, worker: Worker) {
    while !stop.is_cancelled() {
        let wait = match worker.step(&world).await {
            Ok(true) => continue,
            Ok(false) => NAP,
            Err(error) => {
                tracing::error!(?worker, %error, "a worker could not step: {error}");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = worker.rung(&world) => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Reads the accounts again and again, until the stop.
pub async fn rereads(world: Arc<World>, mut reread: Reread, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(reread.every()) => {}
        }
        if let Err(error) = reread.step(&*world.store, &world.merchant.id, &world.accounts).await {
            tracing::error!(%error, "the accounts could not be read again: {error}");
        }
    }
}

/// Gives signs of life and tidies, until the stop. The clock is looked at often: it may jump.
async fn chores(world: Arc<World>, stop: CancellationToken) {
    let (holder, mut chores) = (holder(), Chores::default());
    while !stop.is_cancelled() {
        let wait = match chores.step(&world, &holder, (world.clock)()).await {
            Ok(()) => NAP,
            Err(error) => {
                tracing::error!(%error, "what is due now and then could not be done: {error}");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Compares every payment with its provider, `every` so long, until the stop.
pub async fn compares(world: Arc<World>, every: Duration, stop: CancellationToken) {
    let holder = holder();
    while !stop.is_cancelled() {
        if (world.clock)() >= next_comparison(&world, every).await {
            tokio::select! {
                // Cut anywhere, the next one looks at all of them again.
                () = stop.cancelled() => break,
                compared = drift::daily(&world, &holder) => match compared {
                    Ok(Some(found)) => tracing::info!("compared with the providers: {found:?}"),
                    Ok(None) => {}
                    Err(error) => tracing::error!(%error, "the comparison could not go on: {error}"),
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(COMPARE_NAP) => {}
        }
    }
}

/// Never just after the start: then webhooks of the time before are still on their way.
async fn next_comparison(world: &World, every: Duration) -> Timestamp {
    let last = drift::Compared::last(&*world.store, &world.merchant.id, (world.clock)()).await;
    let after_last = last.ok().flatten().map(|last| last.at.after(every));
    after_last.unwrap_or_default().max(world.began.after(COMPARE_AFTER))
}

fn holder() -> String {
    hex::encode(till_core::id::random::<8>(&mut SystemEntropy))
}

async fn sweeps(world: Arc<World>, stop: CancellationToken) {
    let holder = holder();
    while !stop.is_cancelled() {
        tokio::select! {
            // Cut anywhere, the next sweep begins where this one had come to.
            () = stop.cancelled() => break,
            swept = reconciler::sweep(&world, &holder, (world.clock)()) => {
                if let Err(error) = swept {
                    tracing::error!(%error, "the sweep could not go on: {error}");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(world.pace.sweep) => {}
        }
    }
}

/// Serves until the stop; then takes nothing new and finishes what is under way, within ten seconds.
///
/// # Errors
/// The listener failed.
pub async fn serve(listener: TcpListener, router: axum::Router, stop: CancellationToken) -> std::io::Result<()> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    // Who sends headers by the drop, or opens sockets and says nothing, holds one of many places for a short while.
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let (open, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // No file handle is left, or the client has gone: neither is a reason to stop serving.
                tracing::warn!(%error, "a connection was not taken: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone().layer(Extension(ConnectInfo(peer))));
        let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = open.watch(connection);
        tokio::spawn(async move {
            // A broken connection is the client's affair.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = open.shutdown() => {}
        () = tokio::time::sleep(FAREWELL) => {}
    }
    Ok(())
}

/// Cancels `stop` at Ctrl-C or SIGTERM.
pub fn stop_on_signals(stop: &CancellationToken) {
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(terminate) => terminate,
            Err(error) => {
                tracing::error!(%error, "SIGTERM cannot be heard: {error}");
                return;
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: finishing what is under way; once more ends it at once");
        stop.cancel();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        // Nothing is lost by it: whatever was not finished is found again at the next start.
        std::process::exit(130);
    });
}
