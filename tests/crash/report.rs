//! What a crash run came to, as aligned text that can be pasted into a note.

use super::books::{Agreed, undecided};
use super::people::Counts;
use std::fmt::Write as _;
use std::time::Duration;

/// Everything that was counted. What is empty is not shown.
#[derive(Default)]
pub(super) struct Report {
    pub(super) title: String,
    pub(super) kills: u64,
    pub(super) provider_kills: u64,
    pub(super) commands: usize,
    pub(super) people: Counts,
    pub(super) bank: Counts,
    pub(super) till: Counts,
    pub(super) mishaps: Counts,
    /// What took how long.
    pub(super) took: Vec<(&'static str, Duration)>,
}

/// A line is broken after this.
const WIDE: usize = 104;

impl Report {
    pub(super) fn text(&self, agreed: &Agreed) -> String {
        let mut text = format!("\n{}\n", self.title);
        let mut row = |label: &str, parts: Vec<String>| {
            for (at, line) in wrapped(parts).iter().enumerate() {
                let _ = writeln!(text, "  {:<10} {line}", if at == 0 { label } else { "" });
            }
        };
        row("kills -9", vec![format!("till {}", self.kills), format!("provider {}", self.provider_kills)]);
        row("payments", vec![format!("{} of {} commands", agreed.payments.len(), self.commands)]);
        row("statuses", named(&statuses(agreed)));
        for (label, here, there) in sums(agreed) {
            row(label, vec![format!("{:>12} here {:>12} at the provider", euros(here), euros(there))]);
        }
        row("misfits", misfits(agreed));
        row("people", named(&self.people));
        row("bank", named(&self.bank));
        row("webhooks", named(&with(&self.till, "webhook_")));
        row("events", named(&with(&self.till, "event_")));
        row("mishaps", named(&self.mishaps));
        let seconds = |(what, took): &(&str, Duration)| format!("{what} {:.0}", took.as_secs_f64());
        row("seconds", self.took.iter().map(seconds).collect());
        text
    }
}

fn statuses(agreed: &Agreed) -> Counts {
    let mut all = Counts::new();
    for payment in agreed.payments.values() {
        *all.entry(payment["status"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    all
}

/// Sums over all payments: what, here, at the provider.
fn sums(agreed: &Agreed) -> [(&'static str, i64, i64); 3] {
    let here = |key: &str| agreed.payments.values().map(|payment| payment[key].as_i64().unwrap()).sum();
    let there = |of: fn(&super::books::Book) -> i64| agreed.books.values().map(of).sum();
    [
        ("captured", here("captured_minor"), there(|book| book.captured)),
        ("refunded", here("refunded_minor"), there(|book| book.refunded)),
        ("withheld", here("withheld_minor"), there(|book| book.withheld)),
    ]
}

/// Captures of a wrong amount or currency, and those that nobody decided about.
fn misfits(agreed: &Agreed) -> Vec<String> {
    let (mut all, mut waiting) = (0, 0);
    for payment in agreed.payments.values() {
        let Some(book) = agreed.books.get(payment["id"].as_str().unwrap()) else { continue };
        all += book.lies.len();
        waiting += undecided(payment, book).len();
    }
    if all == 0 { Vec::new() } else { vec![format!("{all} captures, {waiting} undecided")] }
}

fn euros(minor: i64) -> String {
    format!("{}.{:02} EUR", minor / 100, minor % 100)
}

/// The counts whose name begins so, without that beginning.
fn with(counts: &Counts, prefix: &str) -> Counts {
    counts.iter().filter_map(|(name, count)| Some((name.strip_prefix(prefix)?.to_owned(), *count))).collect()
}

fn named(counts: &Counts) -> Vec<String> {
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect()
}

fn wrapped(parts: Vec<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut().filter(|line| line.len() + part.len() < WIDE) {
            Some(line) => line.push_str(&format!(" · {part}")),
            None => lines.push(part),
        }
    }
    lines
}
