//! The desk's page, as a browser keeps it: one stream, taken up again at the number it broke off, whoever dies meanwhile.

use crate::support::{Side, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Every line that the desk was shown, as it reads now.
pub(super) struct Wall {
    http: reqwest::Client,
    url: String,
    seen: AtomicU64,
    lines: Mutex<BTreeMap<i64, Value>>,
}

/// How long one stream is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Until everything that was missed has come.
    Ready,
    /// Until it breaks.
    Broken,
}

impl Wall {
    pub(super) fn of(desk: &Side) -> Arc<Self> {
        let url = format!("{}/desk/stream", desk.base);
        Arc::new(Self { http: desk.http.clone(), url, seen: AtomicU64::new(0), lines: Mutex::default() })
    }

    /// Reads on, through any number of deaths.
    pub(super) async fn watch(self: Arc<Self>, over: Arc<AtomicBool>) {
        while !over.load(Ordering::SeqCst) {
            self.read(Until::Broken).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Reads all that there is by now.
    pub(super) async fn catch_up(&self) {
        eventually(async || self.read(Until::Ready).await).await.expect("the desk's stream");
    }

    async fn read(&self, until: Until) -> Option<()> {
        let url = format!("{}?after={}", self.url, self.seen.load(Ordering::SeqCst));
        let mut stream = self.http.get(url).send().await.ok()?.error_for_status().ok()?;
        let mut text = String::new();
        while let Some(chunk) = stream.chunk().await.ok()? {
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some((event, rest)) = text.split_once("\n\n") {
                let is_ready = self.hear(event);
                text = rest.to_owned();
                if is_ready && until == Until::Ready {
                    return Some(());
                }
            }
        }
        None
    }

    /// Takes one event; says whether it ends what was missed.
    fn hear(&self, event: &str) -> bool {
        let field = |name: &str| {
            event.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim_start().to_owned())
        };
        let kind = field("event:").unwrap_or_default();
        if kind == "line" {
            let line: Value = serde_json::from_str(&field("data:").unwrap()).unwrap();
            self.seen.fetch_max(line["seq"].as_u64().unwrap(), Ordering::SeqCst);
            self.lines.lock().unwrap().insert(line["id"].as_i64().unwrap(), line);
        }
        kind == "ready"
    }

    /// The cards of a conversation, or all of them.
    pub(super) fn cards(&self, conversation: Option<&str>) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        let here = lines.values().filter(|line| conversation.is_none_or(|it| line["conversation"] == it));
        here.map(|line| line["body"]["card"].clone()).filter(Value::is_object).collect()
    }
}
