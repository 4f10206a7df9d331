//! What the desk only looks up: one payment, the newest ones, a person's own and the day's. Writes nothing.

use super::Hearing;
use std::collections::BTreeMap;
use till_core::card::Audience;
use till_core::id::Code;
use till_core::money::Money;
use till_core::payment;
use till_core::port::desk::{Ack, Inbound};
use till_core::port::store::{ListFilter, StoreError, Summary};
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
        Ok(Ack::Say { text: format!("{}{more}", self.words("desk-status", &args)), code: Some(code) })
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
            let is_open = matches!(it.status, payment::Status::Open | payment::Status::PartiallyPaid);
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
