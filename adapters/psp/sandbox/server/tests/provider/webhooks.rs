use crate::stand::{SECRET, START, Stand};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use till_core::signature;
use till_core::time::Timestamp;
use tokio::net::TcpListener;

/// One delivery as it came: id, signed time, signature, body; of a hint the body alone.
pub(crate) type Came = (String, String, String, Bytes);

/// A merchant's webhook that fails so many times first.
pub(crate) struct Receiver {
    pub(crate) url: String,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Receiver {
    pub(crate) async fn start(failures: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/sandbox/1", listener.local_addr().unwrap());
        let came = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&came);
        let receive = move |headers: HeaderMap, body: Bytes| {
            let header = |name| headers.get(name).map_or_else(String::new, |text| text.to_str().unwrap().to_owned());
            let is_hint = !headers.contains_key("webhook-id");
            let kind = if is_hint { "application/x-www-form-urlencoded" } else { "application/json" };
            assert_eq!(header("content-type"), kind);
            let mut kept = kept.lock().unwrap();
            kept.push((header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"), body));
            let status = if kept.len() <= failures { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT };
            std::future::ready(status)
        };
        let router = Router::new().route("/hooks/sandbox/1", post(receive));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, came }
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// Waits until so many came; a provider that never delivers fails the test.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Came> {
        for _ in 0..400 {
            if self.came().len() >= count {
                return self.came();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{} of {count} deliveries came", self.came().len());
    }
}

/// Long enough for a delivery that should not come to have come.
pub(crate) async fn a_while() {
    tokio::time::sleep(Duration::from_millis(700)).await;
}

#[tokio::test]
async fn an_event_is_delivered_signed_until_it_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(2).await;
    let stand = Stand::start(dir.path(), Some(&receiver.url)).await;
    stand.created("k").await;
    receiver.wait(1).await;
    for tries in [1, 2] {
        a_while().await;
        assert_eq!(receiver.came().len(), tries, "while the clock stands, nothing is tried again");
        for _ in 0..400 {
            if receiver.came().len() > tries {
                break;
            }
            stand.pass(Duration::from_millis(50));
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(receiver.came().len(), tries + 1, "what was not accepted is tried again");
    }
    let came = receiver.came();
    a_while().await;
    stand.pass(Duration::from_secs(60));
    a_while().await;
    assert_eq!(receiver.came().len(), 3, "accepted is enough");

    let listed = stand.events().await;
    for (id, time, signed, body) in &came {
        assert_eq!(
            (id.as_str(), serde_json::from_slice(body).ok()),
            (listed[0]["id"].as_str().unwrap(), listed.first().cloned())
        );
        let at = Timestamp::from_secs(time.parse().unwrap());
        assert_eq!(signature::verify(&[SECRET.to_owned().into()], id, time, signed, body, at), Ok(()));
    }
    let times: Vec<i64> = came.iter().map(|(_, time, ..)| time.parse::<i64>().unwrap() - START.secs()).collect();
    assert!(times.is_sorted() && times[0] == 0 && times[2] > 0, "each try is signed with its own time: {times:?}");
}

#[tokio::test]
async fn what_was_not_delivered_is_delivered_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    // A port that nobody listens on any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let stand = Stand::start(dir.path(), Some(&format!("http://{gone}/"))).await;
    let id = stand.created("k").await;
    stand.press(&id, "declined").await;
    stand.press(&id, "ok").await;
    a_while().await;
    stand.stop().await;

    let receiver = Receiver::start(0).await;
    let stand = Stand::start(dir.path(), Some(&receiver.url)).await;
    stand.pass(Duration::from_secs(120));
    let mut came: Vec<String> = receiver.wait(3).await.into_iter().map(|(id, ..)| id).collect();
    let mut listed: Vec<String> =
        stand.events().await.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    came.sort_unstable();
    listed.sort_unstable();
    assert_eq!(came, listed);
}

#[tokio::test]
async fn after_three_days_it_gives_up() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(usize::MAX).await;
    let stand = Stand::start(dir.path(), Some(&receiver.url)).await;
    stand.created("k").await;
    receiver.wait(1).await;
    a_while().await;
    stand.pass(Duration::from_secs(3 * 24 * 3600));
    // The checkout closes meanwhile, which is an event of its own.
    let came = receiver.wait(2).await;
    let tries = || receiver.came().into_iter().filter(|(id, ..)| *id == came[0].0).count();
    a_while().await;
    let last = tries();
    stand.pass(Duration::from_secs(3600));
    a_while().await;
    assert_eq!(tries(), last, "no more after three days");
    assert_eq!(stand.kinds().await, ["checkout.created", "checkout.expired"], "the list has it still");
}
