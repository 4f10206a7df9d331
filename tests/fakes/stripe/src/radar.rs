//! Radar's doubts about a charge: warnings of fraud, and reviews by a person.

use crate::{World, shapes, text};
use serde_json::json;

impl World {
    pub(crate) fn warn(&mut self, intent: &str) -> String {
        let row = self.shelf.row(intent).unwrap().clone();
        let charge = text(&row.object, "latest_charge").to_owned();
        let id = self.id("issfr_1", 23);
        let object = json!({
            "id": id, "object": "radar.early_fraud_warning", "actionable": true, "charge": charge,
            "created": self.secs(), "fraud_type": "unauthorized_use_of_card", "livemode": self.settings.livemode,
            "payment_intent": intent,
        });
        self.shelf.put(&row.account, object);
        self.tell("radar.early_fraud_warning.created", &id);
        id
    }

    pub(crate) fn review(&mut self, intent: &str) -> String {
        let row = self.shelf.row(intent).unwrap().clone();
        let charge = text(&row.object, "latest_charge").to_owned();
        let id = self.id("prv_1", 23);
        let known = json!({
            "id": id, "charge": charge, "created": self.secs(), "livemode": self.settings.livemode,
            "payment_intent": intent,
        });
        self.shelf.put(&row.account, shapes::with(shapes::review(), known));
        for reviewed in [intent, &charge] {
            self.shelf.edit(reviewed, |object| drop(object.insert("review".into(), id.clone().into())));
        }
        self.tell("review.opened", &id);
        id
    }

    pub(crate) fn review_ends(&mut self, id: &str, reason: &str) {
        let before = self.shelf.edit(id, |review| {
            review.insert("open".into(), false.into());
            review.insert("reason".into(), reason.into());
            review.insert("closed_reason".into(), reason.into());
        });
        self.tell_change("review.closed", id, &before);
    }
}
