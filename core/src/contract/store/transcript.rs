//! Claims about conversations: every change has a number, and a reader who counts misses nothing.

use super::Both;
use super::shop::{Shop, at, only};
use crate::port::transcript::{Line, NewLine, Readers, Scope};
use serde_json::json;

/// A line of a visitor, told apart by its key.
pub(super) fn line(conversation: &str, key: &str, secs: i64) -> NewLine {
    NewLine {
        conversation: conversation.into(),
        key: key.into(),
        readers: Readers::Everyone,
        author: "visitor".into(),
        name: "Zoë <b>".into(),
        body: json!({ "text": format!("{key} ☕ 'x'"), "n": [1, null, true] }),
        at: at(secs),
    }
}

pub(super) fn for_staff(new: NewLine) -> NewLine {
    NewLine { readers: Readers::Staff, author: "staff:ana".into(), ..new }
}

impl Shop {
    pub(super) async fn talk(&self, conversations: &[&str]) {
        for id in conversations {
            self.transcript.begin(&self.merchant, id, "Zoë", at(0)).await.unwrap();
        }
    }

    pub(super) async fn say(&self, new: NewLine) -> Line {
        self.transcript.append(&self.merchant, new).await.unwrap().expect("the conversation is there")
    }

    pub(super) async fn since(&self, scope: Scope<'_>, after: u64, limit: u32) -> Vec<Line> {
        self.transcript.since(&self.merchant, scope, after, limit).await.unwrap()
    }
}

pub(super) async fn a_conversation_begins_once_and_changes_with_its_lines(both: &Both) {
    let shop = Shop::new(both);
    let conversation = async || shop.transcript.conversation(&shop.merchant, "c1").await.unwrap();
    assert_eq!(conversation().await, None);
    shop.talk(&["c1"]).await;
    shop.transcript.begin(&shop.merchant, "c1", "Other", at(9)).await.unwrap();
    let began = conversation().await.expect("it has begun");
    assert_eq!((began.id.as_str(), began.name.as_str(), began.seq), ("c1", "Zoë", 0));
    assert_eq!((began.since, began.changed_at), (at(0), at(0)));
    let said = shop.say(line("c1", "k1", 5)).await;
    let now = conversation().await.unwrap();
    assert_eq!((now.since, now.changed_at, now.seq), (at(0), at(5), said.seq));
    let changed = shop.transcript.replace(&shop.merchant, said.id, &json!("new"), at(7)).await.unwrap().unwrap();
    let now = conversation().await.unwrap();
    assert_eq!((now.changed_at, now.seq), (at(7), changed.seq));
}

pub(super) async fn numbers_grow_with_every_line_and_every_change(both: &Both) {
    let shop = Shop::new(both);
    shop.talk(&["c1", "c2"]).await;
    let first = shop.say(line("c1", "k1", 1)).await;
    let second = shop.say(for_staff(line("c2", "k1", 2))).await;
    let body = json!({ "card": "paid" });
    let changed = shop.transcript.replace(&shop.merchant, first.id, &body, at(3)).await.unwrap().unwrap();
    let third = shop.say(line("c1", "k2", 4)).await;
    assert!(0 < first.seq && first.seq < second.seq && second.seq < changed.seq && changed.seq < third.seq);
    assert!(first.id != second.id && second.id != third.id && third.id != first.id);
    assert_eq!(changed, Line { seq: changed.seq, body, ..first.clone() }, "all else stays, its time as well");
    let NewLine { conversation, readers, author, name, body, at, .. } = for_staff(line("c2", "k1", 2));
    assert_eq!(second, Line { id: second.id, seq: second.seq, conversation, readers, author, name, body, at });
    assert_eq!(shop.since(Scope::Desk, 0, 9).await, [second, changed, third], "each line once, by its newest number");
}

pub(super) async fn a_line_is_written_once_per_key_and_conversation(both: &Both) {
    let shop = Shop::new(both);
    shop.talk(&["c1", "c2"]).await;
    let first = shop.say(line("c1", "k1", 1)).await;
    let repeat = NewLine { body: json!("other"), ..line("c1", "k1", 2) };
    assert_eq!(shop.say(repeat.clone()).await, first);
    let elsewhere = shop.say(line("c2", "k1", 3)).await;
    assert_ne!(elsewhere.id, first.id);
    let changed = shop.transcript.replace(&shop.merchant, first.id, &json!("new"), at(4)).await.unwrap().unwrap();
    assert_eq!(shop.say(repeat).await, changed, "the first line, as it stands now");
    assert_eq!(shop.since(Scope::Desk, 0, 9).await, [elsewhere, changed]);
}

pub(super) async fn what_is_not_there_is_not_written(both: &Both) {
    let shop = Shop::new(both);
    assert_eq!(shop.transcript.append(&shop.merchant, line("c1", "k1", 1)).await.unwrap(), None);
    assert_eq!(shop.transcript.replace(&shop.merchant, 1, &json!("new"), at(1)).await.unwrap(), None);
    shop.talk(&["c1"]).await;
    let said = shop.say(line("c1", "k1", 2)).await;
    for id in [said.id + 1, 0, -1, i64::MAX] {
        assert_eq!(shop.transcript.replace(&shop.merchant, id, &json!("new"), at(3)).await.unwrap(), None, "{id}");
    }
    assert_eq!(shop.since(Scope::Desk, 0, 9).await, [said]);
}

pub(super) async fn a_customer_sees_neither_staff_lines_nor_other_conversations(both: &Both) {
    let shop = Shop::new(both);
    shop.talk(&["c1", "c2"]).await;
    let ours = shop.say(line("c1", "k1", 1)).await;
    let hidden = shop.say(for_staff(line("c1", "k2", 2))).await;
    let theirs = shop.say(line("c2", "k1", 3)).await;
    let last = shop.say(line("c1", "k3", 4)).await;
    assert_eq!(shop.since(Scope::Customer("c1"), 0, 9).await, [ours.clone(), last.clone()]);
    assert_eq!(only(shop.since(Scope::Customer("c2"), 0, 9).await), theirs);
    assert_eq!(shop.since(Scope::Customer("c3"), 0, 9).await, []);
    assert_eq!(only(shop.since(Scope::Customer("c1"), ours.seq, 1).await), last, "hidden lines fill no page");
    assert_eq!(shop.since(Scope::Desk, 0, 9).await, [ours, hidden.clone(), theirs, last]);
    shop.transcript.replace(&shop.merchant, hidden.id, &json!("new"), at(5)).await.unwrap();
    assert_eq!(shop.since(Scope::Customer("c1"), hidden.seq, 9).await.len(), 1, "nor their changes");
}

pub(super) async fn pages_leave_no_gap_and_repeat_nothing(both: &Both) {
    let shop = Shop::new(both);
    shop.talk(&["c1", "c2"]).await;
    let mut said = Vec::new();
    for n in 0..25 {
        let conversation = if n % 3 == 0 { "c2" } else { "c1" };
        said.push(shop.say(line(conversation, &format!("k{n}"), n)).await);
    }
    for n in [3, 7, 7] {
        let body = json!({ "changed": n });
        shop.transcript.replace(&shop.merchant, said[n].id, &body, at(50)).await.unwrap();
    }
    for scope in [Scope::Desk, Scope::Customer("c1"), Scope::Customer("c2")] {
        let all = shop.since(scope, 0, 99).await;
        assert!(all.is_sorted_by(|a, b| a.seq < b.seq));
        let (mut pages, mut after) = (Vec::new(), 0);
        loop {
            let page = shop.since(scope, after, 4).await;
            let Some(last) = page.last() else { break };
            (after, _) = (last.seq, assert!(page.len() <= 4));
            pages.extend(page);
        }
        assert_eq!(pages, all);
    }
    assert_eq!(shop.since(Scope::Desk, 0, 99).await.len(), 25);
}

pub(super) async fn conversations_come_latest_change_first(both: &Both) {
    let shop = Shop::new(both);
    shop.talk(&["c1", "c2", "c3"]).await;
    let listed = async |limit| {
        let listed = shop.transcript.conversations(&shop.merchant, limit).await.unwrap();
        listed.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    let said = shop.say(line("c2", "k1", 5)).await;
    shop.say(line("c3", "k1", 6)).await;
    assert_eq!(listed(9).await, ["c3", "c2", "c1"]);
    shop.transcript.replace(&shop.merchant, said.id, &json!("new"), at(6)).await.unwrap();
    assert_eq!(listed(9).await, ["c2", "c3", "c1"], "at one moment, by number");
    assert_eq!(listed(1).await, ["c2"]);
}
