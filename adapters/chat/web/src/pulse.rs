//! The pulse: tells waiting streams that a conversation changed, so that they look at once.
//!
//! It carries no content and may be missed: every stream also looks by itself every two seconds, which is how changes
//! made by another process are found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// The longest a stream waits before it looks by itself.
const FLOOR: Duration = Duration::from_secs(2);
/// Beats that are remembered for a stream that is busy; one that missed more looks anyway.
const BEATS_MAX: usize = 256;

#[derive(Debug)]
pub(crate) struct Pulse {
    beats: broadcast::Sender<Arc<str>>,
    stopped: AtomicBool,
}

/// One stream's ear.
#[derive(Debug)]
pub(crate) struct Ear(broadcast::Receiver<Arc<str>>);

impl Pulse {
    pub(crate) fn new() -> Self {
        Self { beats: broadcast::Sender::new(BEATS_MAX), stopped: AtomicBool::new(false) }
    }

    /// The conversation changed.
    pub(crate) fn beat(&self, conversation: &str) {
        // An error means that nobody listens.
        let _ = self.beats.send(conversation.into());
    }

    /// Ends all streams, now and from now on.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.beat("");
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    pub(crate) fn ear(&self) -> Ear {
        Ear(self.beats.subscribe())
    }
}

impl Ear {
    /// Waits until one of the wanted conversations may have changed, two seconds at most.
    pub(crate) async fn wait(&mut self, wanted: impl Fn(&str) -> bool) {
        let heard = async {
            loop {
                match self.0.recv().await {
                    Ok(conversation) if conversation.is_empty() || wanted(&conversation) => return,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // The end of the time is as good a reason to look as a beat.
        let _ = tokio::time::timeout(FLOOR, heard).await;
    }
}
