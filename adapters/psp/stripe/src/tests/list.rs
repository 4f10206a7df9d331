//! The event list page by page, and what fills the gap when it does not go back far enough.

use super::*;
use crate::list::Cursor;
use std::collections::BTreeSet;

/// Reads on from a cursor until there is no more: the pages.
fn read_on(bench: &Bench, cursor: Option<String>) -> Vec<Page> {
    let (mut pages, mut cursor) = (Vec::new(), cursor);
    loop {
        let page = bench.list(cursor.as_deref());
        let more = page.more;
        cursor = Some(page.cursor.clone());
        pages.push(page);
        assert!(pages.len() < 50, "the list never ends");
        if !more {
            return pages;
        }
    }
}

fn events(pages: &[Page]) -> Vec<&str> {
    pages.iter().flat_map(|page| &page.reports).map(|report| report.event.as_str()).collect()
}

/// The events of ours that the adapter asks for, as the fake knows them, oldest first.
fn expected(bench: &Bench) -> Vec<String> {
    let all = bench.fake.events();
    let asked = all.iter().filter(|event| crate::event::KINDS.contains(&event["type"].as_str().unwrap()));
    asked.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_cursor_reads_back_as_it_was_written() {
    for text in [
        "",
        "events",
        "evt_1@1795372200",
        "back:evt_2@1795372200:evt_1",
        "gap:sessions:1795372200:",
        "gap:sessions:1795372200:cs_test_1",
        "gap:refunds:0:re_1",
        "gap:disputes:7:",
    ] {
        assert_eq!(Cursor::read(Some(text)).to_string(), text);
        assert_eq!(text.is_empty(), Cursor::read(Some(text)) == Cursor::Start, "{text}");
    }
    assert_eq!(Cursor::read(None), Cursor::Start);
}

#[test]
fn a_cursor_that_cannot_be_read_begins_anew() {
    for text in [
        "x",
        "evt_1",
        "evt_1@",
        "evt_1@x",
        "a/b@1",
        "@1",
        "back:evt_1:evt_2",
        "back:evt_1@1",
        "gap:payouts:1:",
        "gap:refunds:x:",
        "gap:refunds:1",
        "a:b:c:d:e",
        ":",
        "::::",
    ] {
        assert_eq!(Cursor::read(Some(text)), Cursor::Start, "{text}");
    }
    let mut bench = Bench::new();
    bench.paid(2500);
    assert_eq!(bench.list(Some("from another version")), bench.list(None));
}

#[test]
fn an_empty_list_stays_at_the_beginning() {
    let bench = Bench::new();
    let empty = Page { reports: vec![], unreadable: vec![], cursor: String::new(), more: false };
    assert_eq!((bench.list(None), bench.list(Some(""))), (empty.clone(), empty));
}

#[test]
fn the_first_reading_goes_back_over_every_page_and_then_only_forward() {
    let mut bench = Bench::new();
    for _ in 0..130 {
        bench.pass(1);
        bench.paid(2500);
    }
    let first = bench.list(None);
    assert!(first.more && first.cursor.starts_with("back:"), "{}", first.cursor);
    // What happens meanwhile comes after.
    bench.pass(1);
    let before = expected(&bench);
    bench.paid(900);
    let rest = read_on(&bench, Some(first.cursor.clone()));
    let pages: Vec<Page> = [vec![first], rest].concat();
    let sizes: Vec<usize> = pages.iter().map(|page| page.reports.len()).collect();
    assert_eq!(sizes, [100, 30]);
    for page in &pages {
        assert!(page.reports.is_sorted_by_key(|report| report.as_of), "a page is told oldest first");
    }
    let told: BTreeSet<&str> = events(&pages).into_iter().collect();
    let wanted: BTreeSet<&str> = before.iter().map(String::as_str).collect();
    assert_eq!(told, wanted, "every event, once");
    let new = read_on(&bench, Some(pages[1].cursor.clone()));
    assert_eq!(events(&new), [expected(&bench).last().unwrap()]);
    let end = Some(new[0].cursor.clone());
    let nothing = Page { reports: vec![], unreadable: vec![], cursor: new[0].cursor.clone(), more: false };
    assert_eq!(read_on(&bench, end), [nothing], "nothing new leaves the cursor where it is");
}

#[test]
fn what_is_new_is_told_in_order_and_page_by_page() {
    let mut bench = Bench::new();
    bench.paid(2500);
    let start = read_on(&bench, None).pop().unwrap().cursor;
    let known = expected(&bench).len();
    bench.fake.foreign_traffic(30);
    for _ in 0..210 {
        bench.pass(1);
        bench.paid(2500);
    }
    let pages = read_on(&bench, Some(start));
    let told = events(&pages);
    let ours: BTreeSet<String> = bench
        .fake
        .sessions()
        .iter()
        .filter(|it| it["metadata"]["till_n"] == "1")
        .map(|it| it["id"].to_string())
        .collect();
    let wanted: Vec<String> = expected(&bench).split_off(known);
    assert!(pages.len() > 2 && told.len() > 210 && ours.len() == 211, "{} pages, {} told", pages.len(), told.len());
    let place = |event: &str| wanted.iter().position(|it| it == event).unwrap();
    assert!(
        told.iter().map(|event| place(event)).is_sorted_by(|a, b| a < b),
        "in the order in which it happened, once"
    );
    let paid = pages.iter().flat_map(|page| &page.reports).flat_map(|report| &report.news);
    assert_eq!(paid.filter(|news| matches!(news, News::Captured { .. })).count(), 210, "all money is told of");
}

#[test]
fn what_cannot_be_read_is_looked_up_or_named_and_never_stops_the_list() {
    let mut bench = Bench::new();
    let paid = bench.paid(2500);
    let start = read_on(&bench, None).pop().unwrap().cursor;
    let mut object = bench.fake.session(paid.session.as_str());
    object["amount_total"] = Value::Null;
    bench.fake.event_with(Lie::new("checkout.session.completed", object.clone()));
    object["id"] = json!("cs_test_gone");
    bench.fake.event_with(Lie::new("checkout.session.completed", object));
    let page = bench.list(Some(&start));
    let told: Vec<String> = page.reports.iter().map(reported).collect();
    assert_eq!(told, ["payment +0: checkout 1 CompletePaid 25.00 EUR, captured 25.00 EUR"]);
    assert_eq!((page.unreadable.len(), page.more), (0, false));

    // The same where the look-up is no help either.
    let event = json!({
        "id": "evt_odd", "type": "checkout.session.completed", "created": 9, "livemode": false,
        "data": {"object": {"object": "checkout.session", "id": "cs_1", "metadata": {"till_payment": "pay_x"}}},
    });
    let list = json!({"data": [event], "has_more": false}).to_string();
    let answers = vec![answer(200, &[], &list), answer(200, &[], "{}")];
    let page = done(Stripe.list_since(&Script::new(answers), &account(), Some("evt_1@8"))).unwrap();
    let passed = Page { reports: vec![], unreadable: vec!["evt_odd".into()], cursor: "evt_odd@9".into(), more: false };
    assert_eq!(page, passed);
    // Trouble on the way is another thing: the page is read again.
    let answers = vec![answer(200, &[], &list), answer(500, &[], "")];
    let page = done(Stripe.list_since(&Script::new(answers), &account(), Some("evt_1@8")));
    assert!(matches!(page, Err(Fault::Ambiguous(_))), "{page:?}");
}

#[test]
fn a_till_that_slept_for_months_misses_no_money() {
    let mut bench = Bench::new();
    // Three that change while nobody looks: a debit, a refund and a dispute that are older than our place in the list.
    let (_, debit) = bench.created(1100);
    bench.fake.debit(debit.as_str()).unwrap();
    let (refunded, disputed) = (bench.paid(1200), bench.paid(1300));
    bench.fake.refunds_start("pending");
    bench.refund(&refunded, 1200).1.unwrap();
    let refund = bench.fake.all("refund").pop().unwrap()["id"].as_str().unwrap().to_owned();
    let dispute = bench.fake.dispute(&disputed.intent, 1300, false);
    bench.pass(3600);
    bench.paid(1400);
    let place = read_on(&bench, None).pop().unwrap().cursor;

    bench.pass(5 * DAY);
    bench.fake.settle(debit.as_str()).unwrap();
    bench.fake.refund_becomes(&refund, "failed");
    bench.fake.dispute_becomes(&dispute, "lost");
    let late = bench.paid(1500);
    bench.fake.refund_by_hand(&late.intent, 100, Some("succeeded"));
    bench.fake.foreign_traffic(20);
    bench.pass(35 * DAY);
    bench.paid(1600);

    let pages = read_on(&bench, Some(place));
    let cursors: Vec<&str> =
        pages.iter().map(|page| page.cursor.split(':').take(2).collect::<Vec<_>>().join(":").leak() as &str).collect();
    assert_eq!(&cursors[..4], ["gap:sessions", "gap:refunds", "gap:disputes", "events"]);
    assert!(pages.iter().all(|page| page.unreadable.is_empty()));
    let told: Vec<String> = pages.iter().flat_map(|page| &page.reports).map(reported).collect();
    for wanted in [
        "checkout 1 CompletePaid 11.00 EUR, captured 11.00 EUR",
        "refund of ours 12.00 EUR Failed",
        "dispute 13.00 EUR Lost, withdrawn 13.00 EUR",
        "checkout 1 CompletePaid 15.00 EUR, captured 15.00 EUR",
        "refund of theirs 1.00 EUR Succeeded",
        "checkout 1 CompletePaid 16.00 EUR, captured 16.00 EUR",
    ] {
        assert!(told.iter().any(|line| line.contains(wanted)), "{wanted} is missing of {told:#?}");
    }
    let end = &pages.last().unwrap().cursor;
    assert_eq!(read_on(&bench, Some(end.clone())), [bench.list(Some(end))]);
}

#[test]
fn a_till_that_slept_for_months_before_it_ever_read_the_list_misses_no_money() {
    let mut bench = Bench::new();
    let paid = bench.paid(1200);
    bench.fake.refund_by_hand(&paid.intent, 700, Some("succeeded"));
    bench.fake.dispute(&paid.intent, 500, false);
    bench.pass(35 * DAY);
    let pages = read_on(&bench, None);
    let told: Vec<String> = pages.iter().flat_map(|page| &page.reports).map(reported).collect();
    for wanted in ["captured 12.00 EUR", "refund of theirs 7.00 EUR Succeeded", "dispute 5.00 EUR NeedsResponse"] {
        assert!(told.iter().any(|line| line.contains(wanted)), "{wanted} is missing of {told:#?}");
    }
    let end = pages.last().unwrap();
    assert_eq!((end.cursor.as_str(), end.more), ("events", false), "and the gap is not filled again");
    assert_eq!(read_on(&bench, Some("events".into())), std::slice::from_ref(end));
}

#[test]
fn a_gap_of_many_pages_is_read_to_its_end() {
    let mut bench = Bench::new();
    for _ in 0..150 {
        let paid = bench.paid(2500);
        bench.fake.refund_by_hand(&paid.intent, 100, Some("succeeded"));
        bench.pass(1);
    }
    let pages = read_on(&bench, Some(format!("evt_gone@{}", NOW.secs())));
    let kinds: Vec<&str> = pages.iter().map(|page| page.cursor.split(':').nth(1).unwrap_or("end")).collect();
    assert_eq!(&kinds[..6], ["sessions", "sessions", "refunds", "refunds", "disputes", "end"]);
    let told: BTreeSet<&str> = events(&pages[..6]).into_iter().collect();
    assert_eq!(told.len(), 300, "every session and every refund");
}

#[test]
fn a_first_reading_that_is_overtaken_by_oblivion_goes_on() {
    let mut bench = Bench::new();
    for _ in 0..110 {
        bench.paid(2500);
        bench.pass(1);
    }
    let first = bench.list(None);
    bench.pass(30 * DAY - 50);
    // The oldest that was read is forgotten now, and with it all that is older.
    let next = bench.list(Some(&first.cursor));
    assert_eq!((next.reports.len(), next.more), (0, true));
    assert!(first.cursor.contains(&next.cursor), "on from the newest: {} of {}", next.cursor, first.cursor);
}
