//! The app's home: what is open, what came in today, and how the till is used.

use crate::Slack;
use crate::people::parts;
use crate::receive::place;
use crate::render::plain_text;
use serde_json::{Value, json};
use till_core::card::cut;
use till_core::command::help;
use till_core::place::PersonId;
use till_core::port::chat::SendError;
use till_core::port::desk::{Ack, Deed, Inbound};

/// The longest text of a section.
const TEXT_CHARS_MAX: usize = 3_000;

impl Slack {
    /// Shows the home to one person, as it is now.
    pub(crate) async fn show_home(&self, by: &PersonId) -> Result<(), SendError> {
        let Some((workspace, user)) = parts(&by.id) else { return Err(SendError::Forbidden) };
        let at = place(workspace, "home", None);
        let locale = self.tongue(by);
        let inbound = Inbound {
            keys: vec!["home".to_owned()],
            by: by.clone(),
            name: user.to_owned(),
            locale: self.people.locale(&by.id, self.now()),
            place: at,
            on: None,
            deed: Deed::Overview,
        };
        // A clone, so that nobody who stops waits for Slack.
        let Some(desk) = self.desk.read().await.clone() else { return Ok(()) };
        let overview = match desk.hear(inbound).await {
            Ack::Say { text, .. } | Ack::Busy { text } | Ack::Same { text, .. } => text,
            Ack::Talk | Ack::Nothing | Ack::Form => String::new(),
        };
        let how = help(&self.settings.grammar, None, &locale);
        let section = |text: &str| json!({ "type": "section", "text": plain_text(&cut(text, TEXT_CHARS_MAX)) });
        let mut blocks = vec![section(&how)];
        if !overview.is_empty() {
            blocks.splice(0..0, [section(&overview), json!({ "type": "divider" })]);
        }
        let body = json!({ "user_id": user, "view": { "type": "home", "blocks": blocks } });
        self.call::<Value>(workspace, "views.publish", body).await.map(drop)
    }
}
