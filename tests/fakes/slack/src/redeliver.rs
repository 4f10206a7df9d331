//! What was not accepted is delivered again; and whatever a test wants delivered twice.

use crate::deliver::{Answer, Delivered, Kind};
use crate::settings::Way;
use crate::{Inner, Slack};

/// Almost at once, after one minute, after five. Source: docs.slack.dev, "Events API", Retries.
const RETRIES_MAX: u32 = 3;

impl Inner {
    /// Tells of an event, and a second time almost at once where that failed; later retries are the test's.
    pub(crate) async fn tell(&self, n: usize) -> Answer {
        let answer = self.deliver(n, None).await;
        if answer.is_ok() || answer.no_retry { answer } else { self.retry(n).await }
    }

    async fn retry(&self, n: usize) -> Answer {
        let (tries, reason) = {
            let world = self.lock();
            (world.parcels[n].tries, world.parcels[n].reason)
        };
        let answer = self.deliver(n, Some((tries, reason))).await;
        if tries >= RETRIES_MAX {
            self.lock().parcels[n].given_up = true;
        }
        answer
    }
}

impl Slack {
    /// The next retry of every event that was not accepted and has retries left.
    pub async fn retry_events(&self) -> Vec<Answer> {
        let owed: Vec<usize> = {
            let world = self.lock();
            let owed = world.parcels.iter().enumerate().filter(|(_, parcel)| {
                parcel.kind == Kind::Event && parcel.tries > 0 && !parcel.accepted && !parcel.given_up
            });
            owed.map(|(n, _)| n).collect()
        };
        let mut answers = Vec::new();
        for n in owed {
            answers.push(self.inner.retry(n).await);
        }
        answers
    }

    /// The same delivery once more: same ids, same triggers; an event has the headers of a retry.
    pub async fn again(&self, n: usize) -> Answer {
        let (kind, tries) = {
            let world = self.lock();
            (world.parcels[n].kind, world.parcels[n].tries)
        };
        let retry = (kind == Kind::Event).then_some((tries, "http_timeout"));
        self.inner.deliver(n, retry).await
    }

    /// The same act once more with new ids and no word of a retry. Source: node-slack-sdk#2141, seen eleven times.
    pub async fn echo(&self, n: usize) -> Answer {
        let copy = {
            let mut world = self.lock();
            let (kind, name, mut payload) = {
                let parcel = &world.parcels[n];
                (parcel.kind, parcel.name.clone(), parcel.payload.clone())
            };
            if kind == Kind::Event {
                payload["event_id"] = world.id("Ev").into();
            } else {
                let text = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
                let user = text("user_id") + payload["user"]["id"].as_str().unwrap_or_default();
                let team = text("team_id") + payload["team"]["id"].as_str().unwrap_or_default();
                let view = payload["view"]["id"].as_str().map(str::to_owned);
                payload["trigger_id"] = world.trigger(&team, &user, view.as_deref()).into();
            }
            world.parcel(kind, &name, payload)
        };
        self.inner.deliver(copy, None).await
    }

    /// Everything that was ever sent to the app, oldest first.
    pub fn deliveries(&self) -> Vec<Delivered> {
        let world = self.lock();
        let shown = world.parcels.iter().enumerate().map(|(n, parcel)| Delivered {
            n,
            kind: parcel.kind,
            name: parcel.name.clone(),
            payload: parcel.payload.clone(),
            tries: parcel.tries,
            accepted: parcel.accepted,
        });
        shown.collect()
    }

    /// How the app is reached from now on.
    pub fn way(&self, way: Way) {
        self.lock().way = way;
    }

    /// Where deliveries of this kind are posted.
    pub fn request_url(&self, kind: Kind, url: &str) {
        self.lock().request_urls[kind as usize] = url.to_owned();
    }

    /// Slack's question whether a URL for events is the app's: true where it echoes the challenge.
    pub async fn verify_events_url(&self) -> bool {
        let challenge = self.lock().secret();
        let payload = serde_json::json!({"token": "legacy", "challenge": challenge, "type": "url_verification"});
        let n = self.lock().parcel(Kind::Event, "url_verification", payload);
        let answer = self.inner.deliver(n, None).await;
        self.lock().parcels[n].given_up = true;
        answer.is_ok() && (answer.body == challenge.as_str() || answer.body["challenge"] == challenge.as_str())
    }
}
