//! What the desk only looks up: one payment, the newest ones, those that need somebody, a person's own and the day's.
//! Writes nothing.

use super::Hearing;
use std::collections::BTreeMap;
use till_core::card::Audience;
use till_core::command::Verb;
use till_core::id::Code;
use till_core::money::Money;
use till_core::payment::{self, Act, Payment, Status};
use till_core::port::desk::{Ack, Inbound};
use till_core::port::store::{ListFilter, StoreError, Summary};
use till_core::port::upkeep::{DeadLetter, Which};
use till_core::time::Timestamp;

/// How many of the newest payments an overview looks at, and how many lines it shows.
const OVERVIEW_MAX: u32 = 200;
const OVERVIEW_LINES: usize = 10;

impl Hearing<'_> {
    pub(super) async fn status(&self, code: Code, audience: Audience) -> Result<Ack, StoreError> {
        let loaded = match self.find(code).await? {
            Some(id) => self.load(id).await?,
            None => None,
        };
        let Some(loaded) = loaded else { return Ok(self.refuse(&payment::unknown(code))) };
        let locale = &self.locale;
        let sums = loaded.payment.sums();
        let text = |minor| sums.money(minor).text(locale);
        let card = crate::cards::render_in(self.world, &loaded, &self.locale);
        let title = card.title.to_string();
        let args = [
            ("code", &code.to_string()[..]),
            ("title", &title),
            ("amount", &text(sums.amount)),
            ("captured", &text(sums.captured)),
            ("refunded", &text(sums.refunded)),
        ];
        let for_staff = card.details.iter().filter(|it| it.audience == Audience::Staff && audience == Audience::Staff);
        let more: String = for_staff.map(|detail| format!("\n{}: {}", detail.label, detail.value)).collect();
        let mut text = format!("{}{more}", self.words("desk-status", &args));
        if audience == Audience::Staff {
            for dead in self.dead(Which::Payment(loaded.stored.id)).await? {
                text = format!("{text}\n{dead}");
            }
        }
        Ok(Ack::Say { text, code: Some(code) })
    }

    /// The payments that this person asked for and that are open, and what came in of those that were asked for today.
    pub(super) async fn overview(&self, inbound: &Inbound, now: Timestamp) -> Result<Ack, StoreError> {
        let locale = &self.locale;
        let newest = self
            .world
            .store
            .payments(&self.world.merchant.id, &ListFilter { status: None, limit: OVERVIEW_MAX })
            .await?;
        let (mut mine, mut received) = (Vec::new(), BTreeMap::<&'static str, Money>::new());
        for it in newest {
            let is_open = matches!(it.status, Status::Open | Status::PartiallyPaid);
            let is_today = it.created_at.day() == now.day();
            if !is_open && !is_today {
                continue;
            }
            let Some(loaded) = self.load(it.id).await? else { continue };
            if is_open && loaded.payment.asked_by == inbound.by && mine.len() < OVERVIEW_LINES {
                mine.push(self.line(&it));
            }
            let sums = loaded.payment.sums();
            if is_today && sums.kept() > 0 {
                let kept = sums.money(sums.kept());
                let sum = received.entry(kept.currency().code()).or_insert(Money::new(0, kept.currency()));
                *sum = sum.checked_add(kept).unwrap_or(*sum);
            }
        }
        let received: Vec<String> = received.values().map(|sum| sum.text(locale)).collect();
        let today = match received.is_empty() {
            true => self.words("desk-today-nothing", &[]),
            false => self.words("desk-today", &[("amounts", &received.join(" + "))]),
        };
        let open = match mine.is_empty() {
            true => self.words("desk-mine-none", &[]),
            false => format!("{}\n{}", self.words("desk-mine", &[]), mine.join("\n")),
        };
        Ok(self.say(format!("{today}\n\n{open}")))
    }

    /// The newest payments of a status; or those that need somebody, and those that are open.
    pub(super) async fn payments(&self, status: Option<Status>) -> Result<Ack, StoreError> {
        let Some(status) = status else { return self.needs_and_open().await };
        let listed = self.listed(Some(status)).await?;
        let word = self.words(&format!("status-{}", status.name()), &[]);
        let key = if listed.is_empty() { "desk-list-none" } else { "desk-list" };
        let head = self.words(key, &[("status", &word)]);
        Ok(self.say([vec![head], listed].concat().join("\n")))
    }

    async fn needs_and_open(&self) -> Result<Ack, StoreError> {
        let filter = ListFilter { status: None, limit: OVERVIEW_MAX };
        let mut needs = Vec::new();
        for it in self.world.store.payments(&self.world.merchant.id, &filter).await? {
            let Some(loaded) = self.load(it.id).await? else { continue };
            if let Some(why) = self.need(&loaded.payment, it.code) {
                let args =
                    [("code", &it.code.to_string()[..]), ("amount", &it.amount.text(&self.locale)), ("why", &why)];
                needs.push(self.words("desk-needs-line", &args));
            }
        }
        needs.splice(0..0, self.dead(Which::All).await?);
        needs.truncate(OVERVIEW_LINES);
        let open = self.listed(Some(Status::Open)).await?;
        let part = |lines: Vec<String>, some: &str, none: &str| {
            let head = self.words(if lines.is_empty() { none } else { some }, &[]);
            [vec![head], lines].concat().join("\n")
        };
        let needs = part(needs, "desk-needs", "desk-needs-none");
        Ok(self.say(format!("{needs}\n\n{}", part(open, "desk-open-now", "desk-open-none"))))
    }

    /// What was given up, and how it is tried again, a line each.
    async fn dead(&self, which: Which) -> Result<Vec<String>, StoreError> {
        let dead = self.world.store.dead(&self.world.merchant.id, which, 5).await?;
        let line = |it: &DeadLetter| {
            let kind = self.words(&format!("dead-{}", it.letter.kind.name()), &[]);
            let code = it.letter.payment.map(|(_, code)| code.to_string());
            let retry = code.as_ref().map(|code| format!("{} {code}", self.world.grammar.opening(Verb::Retry)));
            let args = [
                ("code", code.as_deref().unwrap_or("–")),
                ("what", &kind),
                ("why", &it.letter.why),
                ("retry", retry.as_deref().unwrap_or("till dead retry --all")),
            ];
            self.words("desk-dead", &args)
        };
        Ok(dead.iter().map(line).collect())
    }

    /// What somebody must do about a payment, in a few words.
    fn need(&self, payment: &Payment, code: Code) -> Option<String> {
        let say = |key: &str| Some(self.words(key, &[]));
        if payment.held().next().is_some() {
            return say("needs-review");
        }
        if let Some(date) = payment.answer_by() {
            return Some(self.words("needs-answer", &[("date", &date.text())]));
        }
        let (status, refundable) = (payment.status(), payment.may(Act::Refund));
        if status == Status::PendingApproval {
            let approve = format!("{} {code}", self.world.grammar.opening(Verb::Approve));
            return Some(self.words("needs-second", &[("approve", &approve)]));
        }
        if let Some((_, capture)) = payment.to_send_back().next() {
            return Some(self.words("needs-back", &[("amount", &capture.amount.text(&self.locale))]));
        }
        let sums = payment.sums();
        let all = [
            (sums.refunded > sums.captured, "needs-sums"),
            (payment.is_stuck_in_part(), "needs-part"),
            (status == Status::Disputed, "needs-dispute"),
            (status == Status::Overpaid, "needs-extra"),
            (payment.late_undecided().next().is_some(), "needs-late"),
            (refundable && payment.refunds_failed().next().is_some(), "needs-refund"),
            (refundable && payment.is_suspect(), "needs-look"),
        ];
        all.into_iter().find_map(|(holds, key)| if holds { say(key) } else { None })
    }

    /// The newest payments of a status, a line each.
    async fn listed(&self, status: Option<Status>) -> Result<Vec<String>, StoreError> {
        let most = u32::try_from(OVERVIEW_LINES).unwrap_or(u32::MAX);
        let filter = ListFilter { status, limit: most.saturating_add(1) };
        let found = self.world.store.payments(&self.world.merchant.id, &filter).await?;
        let mut lines: Vec<String> = found.iter().take(OVERVIEW_LINES).map(|it| self.line(it)).collect();
        if found.len() > OVERVIEW_LINES {
            lines.push(self.words("desk-list-more", &[]));
        }
        Ok(lines)
    }

    fn line(&self, it: &Summary) -> String {
        let locale = &self.locale;
        let status = locale.say(&format!("status-{}", it.status.name()), &[]);
        let args = [
            ("code", &it.code.to_string()[..]),
            ("amount", &it.amount.text(locale)),
            ("status", &status),
            ("what", &it.what),
        ];
        locale.say("desk-recent-line", &args).trim_end().to_owned()
    }

    pub(super) async fn newest(&self) -> Result<Ack, StoreError> {
        let filter = ListFilter { status: None, limit: 5 };
        let newest = self.world.store.payments(&self.world.merchant.id, &filter).await?;
        if newest.is_empty() {
            let example = till_core::command::Verb::Pay.example(&self.world.grammar);
            return Ok(self.say(self.words("desk-recent-none", &[("example", &example)])));
        }
        let lines: Vec<String> = newest.iter().map(|it| self.line(it)).collect();
        Ok(self.say(format!("{}\n{}", self.words("desk-recent", &[]), lines.join("\n"))))
    }
}
