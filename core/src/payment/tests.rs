//! Claims about payments: every rule reached, neighbours told apart, order and copies without effect.

use super::*;
use crate::id::{AccountId, CaptureId, CheckoutId, DisputeId, Entropy, PaymentId, PspRefundId, RefundId};
use crate::money::{Currency, Money};
use crate::place::PersonId;
use crate::port::psp::{About, AmountBy, Ask, News, Reported};
use crate::text::Locale;
use crate::time::Timestamp;
use proptest::prelude::*;
use std::time::Duration;

struct Byte(u8);
impl Entropy for Byte {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::parse("USD").unwrap())
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn ana() -> PersonId {
    PersonId { platform: "web".into(), id: "staff:ana".into() }
}

fn refund_id(n: u8) -> RefundId {
    RefundId::new(at(1), &mut Byte(n))
}

fn payment_id() -> PaymentId {
    PaymentId::new(at(1), &mut Byte(1))
}

const DEADLINE: i64 = 1000;

fn requested(approval: Approval) -> Fact {
    Fact::Requested { amount: eur(2500), deadline: at(DEADLINE), approval, by: ana() }
}

fn asked(n: u32) -> Fact {
    Fact::CheckoutAsked { n, amount: eur(2500) }
}

fn checkout(n: u32, state: CheckoutState, as_of: i64) -> Fact {
    Fact::CheckoutSeen {
        checkout: CheckoutId::new(format!("co_{n}")),
        n,
        state,
        closes_at: Some(at(DEADLINE)),
        seen: Seen { as_of: at(as_of), event: format!("evt_{n}_{as_of}_{state:?}") },
    }
}

fn captured(id: &str, minor: i64) -> Fact {
    Fact::Captured { capture: CaptureId::new(id), checkout: CheckoutId::new("co_1"), amount: eur(minor), as_of: at(50) }
}

fn refund_seen(id: &str, minor: i64, state: RefundState, as_of: i64) -> Fact {
    Fact::RefundSeen {
        refund: PspRefundId::new(id),
        ours: None,
        capture: CaptureId::new("py_1"),
        amount: eur(minor),
        state,
        seen: Seen { as_of: at(as_of), event: format!("evt_{id}_{as_of}") },
    }
}

fn dispute(state: DisputeState, withdrawn: i64) -> Fact {
    Fact::DisputeSeen {
        dispute: DisputeId::new("dp_1"),
        capture: CaptureId::new("py_1"),
        amount: eur(2500),
        state,
        withdrawn: eur(withdrawn),
        moves: u32::from(withdrawn != 0),
        answer_by: None,
        seen: Seen { as_of: at(90), event: format!("evt_dp_{state:?}") },
    }
}

fn of(facts: &[Fact]) -> Payment {
    Payment::of(facts).expect("a request is among them")
}

fn with(base: &[Fact], more: &[Fact]) -> Payment {
    of(&[base, more].concat())
}

/// An open payment whose checkout was paid.
fn paid() -> Vec<Fact> {
    vec![
        requested(Approval::NotNeeded),
        asked(1),
        checkout(1, CheckoutState::Open, 10),
        checkout(1, CheckoutState::CompletePaid, 50),
        captured("py_1", 2500),
    ]
}

fn open() -> Vec<Fact> {
    paid()[..3].to_vec()
}

fn cancel() -> Fact {
    Fact::CancelAsked { by: ana() }
}

fn passed() -> Fact {
    Fact::DeadlinePassed { deadline: at(DEADLINE) }
}

/// A smallest set of facts for every status, in the order of the rules.
fn one_of_each() -> Vec<(Status, Vec<Fact>)> {
    let mismatch =
        Fact::Mismatch { id: "capture/py_1".into(), kind: MismatchKind::Amount, capture: CaptureId::new("py_1") };
    let part = [open(), vec![captured("py_1", 1000)]].concat();
    let no = Fact::ApprovalDecided { id: "first".into(), by: ana(), answer: Answer::No };
    let refused = Fact::CheckoutRefused { n: 1, why: "amount_too_small".into(), lasting: Lasting::ForGood };
    let plus = |base: Vec<Fact>, more: Vec<Fact>| [base, more].concat();
    vec![
        (Status::NeedsReview, plus(paid(), vec![mismatch])),
        (Status::ChargedBack, plus(paid(), vec![dispute(DisputeState::Lost, 2500)])),
        (Status::Disputed, plus(paid(), vec![dispute(DisputeState::NeedsResponse, 2500)])),
        (Status::Refunded, plus(paid(), vec![refund_seen("re_1", 2500, RefundState::Succeeded, 60)])),
        (Status::RefundPending, plus(paid(), vec![refund_seen("re_1", 500, RefundState::Pending, 60)])),
        (Status::Overpaid, plus(paid(), vec![captured("py_2", 1)])),
        (Status::Paid, paid()),
        (Status::PartiallyRefunded, plus(paid(), vec![refund_seen("re_1", 500, RefundState::Succeeded, 60)])),
        (Status::PartiallyPaid, part),
        (Status::Processing, plus(open(), vec![checkout(1, CheckoutState::CompleteUnpaid, 40)])),
        (
            Status::Returned,
            plus(paid(), vec![Fact::CaptureReversed { capture: CaptureId::new("py_1"), as_of: at(80) }]),
        ),
        (Status::Cancelling, plus(open(), vec![cancel()])),
        (Status::Cancelled, plus(open(), vec![cancel(), checkout(1, CheckoutState::Expired, 40)])),
        (Status::Closing, plus(open(), vec![passed()])),
        (Status::Expired, plus(open(), vec![passed(), checkout(1, CheckoutState::Expired, 40)])),
        (Status::Rejected, vec![requested(Approval::Needed), no]),
        (Status::PendingApproval, vec![requested(Approval::Needed)]),
        (Status::Failed, vec![requested(Approval::NotNeeded), asked(1), refused]),
        (Status::Preparing, vec![requested(Approval::NotNeeded), asked(1)]),
        (Status::Open, open()),
    ]
}

#[test]
fn every_rule_is_reached() {
    let all = one_of_each();
    assert_eq!(all.iter().map(|(status, _)| *status).collect::<Vec<_>>(), Status::ALL);
    for (status, facts) in all {
        assert_eq!(of(&facts).status(), status, "{facts:#?}");
        assert_eq!(Status::named(status.name()), Some(status));
    }
}

#[test]
fn an_earlier_rule_beats_its_neighbour() {
    // Each case satisfies two neighbouring rules; the earlier one must win.
    let mismatch = |capture: &str| Fact::Mismatch {
        id: format!("capture/{capture}"),
        kind: MismatchKind::Amount,
        capture: CaptureId::new(capture),
    };
    let lost = dispute(DisputeState::Lost, 2500);
    let second = Fact::DisputeSeen {
        dispute: DisputeId::new("dp_2"),
        capture: CaptureId::new("py_1"),
        amount: eur(100),
        state: DisputeState::UnderReview,
        withdrawn: eur(0),
        moves: 0,
        answer_by: None,
        seen: Seen { as_of: at(95), event: "evt_dp_2".into() },
    };
    let gone = refund_seen("re_1", 2500, RefundState::Succeeded, 60);
    let pending = refund_seen("re_2", 100, RefundState::Pending, 60);
    let reversed = Fact::CaptureReversed { capture: CaptureId::new("py_1"), as_of: at(80) };
    let debit = |n| checkout(n, CheckoutState::CompleteUnpaid, 70);
    let closed = checkout(1, CheckoutState::Expired, 40);
    let no = Fact::ApprovalDecided { id: "first".into(), by: ana(), answer: Answer::No };
    let needs = |more: &[Fact]| of(&[&[requested(Approval::Needed)], more].concat());
    let refused = Fact::CheckoutRefused { n: 1, why: "x".into(), lasting: Lasting::ForGood };
    let cases = [
        (Status::NeedsReview, with(&paid(), &[captured("py_2", 1), mismatch("py_2"), lost.clone()])),
        (Status::ChargedBack, with(&paid(), &[lost, second.clone()])),
        (Status::Disputed, with(&paid(), &[second, gone.clone()])),
        (Status::Refunded, with(&paid(), &[gone, pending.clone()])),
        (Status::RefundPending, with(&paid(), &[captured("py_2", 1), pending])),
        (
            Status::Overpaid,
            with(&paid(), &[captured("py_2", 500), refund_seen("re_1", 400, RefundState::Succeeded, 60)]),
        ),
        // Paid although a part of what came went back: what is kept is what was asked.
        (Status::Paid, with(&paid(), &[captured("py_2", 500), refund_seen("re_1", 500, RefundState::Succeeded, 60)])),
        (Status::PartiallyRefunded, with(&paid(), &[refund_seen("re_1", 2499, RefundState::Succeeded, 60)])),
        (Status::PartiallyPaid, with(&open(), &[captured("py_1", 1000), asked(2), debit(2)])),
        (Status::Processing, with(&paid(), &[reversed.clone(), asked(2), debit(2)])),
        (Status::Returned, with(&paid(), &[reversed, cancel(), asked(2), checkout(2, CheckoutState::Open, 70)])),
        (Status::Cancelling, with(&open(), &[cancel(), passed()])),
        (Status::Cancelled, with(&open(), &[cancel(), closed.clone(), passed()])),
        (Status::Closing, with(&open(), &[passed(), no.clone()])),
        (Status::Expired, needs(&[no.clone(), passed()])),
        (Status::Rejected, needs(&[no])),
        (Status::PendingApproval, needs(&[asked(1), refused.clone()])),
        (Status::Failed, of(&[requested(Approval::NotNeeded), asked(1), refused])),
    ];
    for (wanted, payment) in cases {
        assert_eq!(payment.status(), wanted, "{payment:#?}");
    }
}

#[test]
fn money_that_arrives_after_cancel_or_expiry_is_still_money_and_called_late() {
    let closed = checkout(1, CheckoutState::Expired, 40);
    let late = [checkout(1, CheckoutState::CompletePaid, 30), captured("py_1", 2500)];
    for end in [cancel(), passed()] {
        let payment = with(&open(), &[&[closed.clone(), end.clone()][..], &late].concat());
        assert_eq!(payment.status(), Status::Paid, "{end:?}");
        assert_eq!(payment.is_late(), end == cancel(), "completed at 30, long before the deadline: {end:?}");
    }
    let too_late = [passed(), checkout(1, CheckoutState::CompletePaid, DEADLINE + 1), captured("py_1", 2500)];
    assert!(with(&open(), &too_late).is_late());
    // A bank debit that began in time and settled days later is not late.
    let debit = [checkout(1, CheckoutState::CompleteUnpaid, 900), passed()];
    let settled = [checkout(1, CheckoutState::CompletePaid, 90_000), captured("py_1", 2500)];
    assert!(!with(&open(), &[debit, settled].concat()).is_late());
}

#[test]
fn versions_follow_the_providers_time_and_paid_beats_every_other_end() {
    let states = |facts: &[Fact]| with(&open(), facts).checkouts[&1].state();
    let (expired, paid) = (checkout(1, CheckoutState::Expired, 99), checkout(1, CheckoutState::CompletePaid, 50));
    assert_eq!(states(&[expired.clone(), paid.clone()]), Some(CheckoutState::CompletePaid));
    assert_eq!(states(&[expired.clone(), checkout(1, CheckoutState::Open, 200)]), Some(CheckoutState::Expired));
    let refund = |states: &[(RefundState, i64)]| {
        let facts: Vec<Fact> = states.iter().map(|(state, as_of)| refund_seen("re_1", 500, *state, *as_of)).collect();
        with(&super::tests::paid(), &facts).sums().refunded
    };
    assert_eq!(refund(&[(RefundState::Succeeded, 60), (RefundState::Pending, 70)]), 500, "pending is never newer");
    assert_eq!(refund(&[(RefundState::Failed, 90), (RefundState::Succeeded, 60)]), 0, "the bank returned it");
}

#[test]
fn a_deadline_that_was_moved_does_not_count_as_passed() {
    let moved = Fact::Extended { until: at(2000), by: ana() };
    assert_eq!(with(&open(), &[passed(), moved.clone()]).status(), Status::Open);
    let again = Fact::DeadlinePassed { deadline: at(2000) };
    assert_eq!(with(&open(), &[passed(), moved, again]).status(), Status::Closing);
}

#[test]
fn a_mismatch_counts_in_no_sum_until_a_person_accepts_it() {
    let mut payment_facts = open();
    let report = Reported {
        event: "evt_1".into(),
        as_of: at(50),
        provider_account: "acct".into(),
        livemode: false,
        about: About::Payment(payment_id()),
        news: vec![News::Captured {
            capture: CaptureId::new("py_1"),
            checkout: CheckoutId::new("co_1"),
            amount: eur(100),
        }],
    };
    payment_facts.extend(judge(&of(&payment_facts), &report, AmountBy::Checkout));
    let held = of(&payment_facts);
    assert_eq!((held.status(), held.sums().captured), (Status::NeedsReview, 0));
    let id = "capture/py_1".to_owned();
    let resolve = |answer| Fact::ReviewResolved { id: id.clone(), by: ana(), answer };
    assert_eq!(with(&payment_facts, &[resolve(Answer::Yes)]).status(), Status::PartiallyPaid);
    assert_eq!(with(&payment_facts, &[resolve(Answer::No)]).sums().captured, 0);
    // Where the payer chooses, less is simply partly paid; another currency never fits.
    assert_eq!(judge(&of(&open()), &report, AmountBy::Payer).len(), 1);
    let mut foreign = report;
    foreign.news =
        vec![News::Captured { capture: CaptureId::new("py_1"), checkout: CheckoutId::new("co_1"), amount: usd(2500) }];
    assert!(matches!(
        judge(&of(&open()), &foreign, AmountBy::Payer)[1],
        Fact::Mismatch { kind: MismatchKind::Currency, .. }
    ));
    foreign.news =
        vec![News::Captured { capture: CaptureId::new("py_9"), checkout: CheckoutId::new("co_9"), amount: eur(2500) }];
    assert!(matches!(
        judge(&of(&open()), &foreign, AmountBy::Checkout)[1],
        Fact::Mismatch { kind: MismatchKind::Checkout, .. }
    ));
}

fn limits() -> Limits {
    Limits {
        ask_alone: Vec::new(),
        refund_alone: vec![eur(2000)],
        refund_person_day: vec![eur(3000)],
        refund_merchant_day: vec![eur(4000)],
    }
}

/// An open payment of which 10 of 25 EUR were paid, and whose second checkout is in this state.
fn part_and(state: CheckoutState) -> Vec<Fact> {
    let second = Fact::CheckoutAsked { n: 2, amount: eur(1500) };
    let part =
        vec![checkout(1, CheckoutState::CompletePaid, 40), captured("py_1", 1000), second, checkout(2, state, 60)];
    [open(), part].concat()
}

#[test]
fn what_went_back_or_is_fought_over_asks_for_no_more_money() {
    let (take, close) = (
        Owed::Capture { n: 2, checkout: CheckoutId::new("co_2") },
        Owed::Expire { n: 2, checkout: CheckoutId::new("co_2") },
    );
    let refunded = refund_seen("re_1", 1000, RefundState::Succeeded, 70);
    let returned = Fact::CaptureReversed { capture: CaptureId::new("py_1"), as_of: at(70) };
    let cancelled = [cancel(), refund_seen("re_1", 400, RefundState::Succeeded, 70)];
    let ends = [vec![refunded], vec![returned], vec![dispute(DisputeState::NeedsResponse, 1000)], cancelled.to_vec()];
    for state in [CheckoutState::Open, CheckoutState::Approved] {
        for end in &ends {
            let owed = with(&part_and(state), end).owed(payment_id());
            assert!(owed.contains(&close) && !owed.contains(&take), "{state:?}, then {end:?}: {owed:?}");
        }
    }
    assert!(of(&part_and(CheckoutState::Approved)).owed(payment_id()).contains(&take), "the rest is wanted");
    let on_its_way = with(&part_and(CheckoutState::Approved), &[refund_seen("re_1", 400, RefundState::Pending, 70)]);
    let owed = on_its_way.owed(payment_id());
    assert!(!owed.contains(&take) && !owed.contains(&close), "until that is settled, neither: {owed:?}");
}

#[test]
fn of_too_much_only_the_extra_goes_back_unless_more_is_written_out() {
    let overpaid = [paid(), vec![captured("py_2", 500)]].concat();
    assert_eq!(of(&overpaid).status(), Status::Overpaid);
    let wide = Limits { refund_alone: vec![eur(9000)], ..limits() };
    let out = |amount| {
        refund(&of(&overpaid), amount, &ana(), refund_id(1), &wide, OutToday::default()).map(|it| it.money_out)
    };
    assert_eq!(out(None), Ok(Some(eur(500))));
    assert_eq!(out(Some(eur(2500))), Ok(Some(eur(2500))));
}

#[test]
fn money_is_late_by_its_own_checkout() {
    let failed = [checkout(1, CheckoutState::CompleteUnpaid, 50), checkout(1, CheckoutState::Failed, 60), asked(2)];
    let second = Fact::Captured {
        capture: CaptureId::new("py_2"),
        checkout: CheckoutId::new("co_2"),
        amount: eur(2500),
        as_of: at(DEADLINE + 9),
    };
    let late = [passed(), checkout(2, CheckoutState::CompletePaid, DEADLINE + 9), second];
    let payment = with(&open(), &[&failed[..], &late[..]].concat());
    assert_eq!((payment.status(), payment.is_late(), payment.may(Act::Honour)), (Status::Paid, true, true));
}

#[test]
fn a_refund_of_money_that_the_bank_took_back_is_no_riddle() {
    let refunded = refund_seen("re_1", 500, RefundState::Succeeded, 70);
    let returned = Fact::CaptureReversed { capture: CaptureId::new("py_1"), as_of: at(80) };
    let payment = with(&paid(), &[refunded, returned]);
    assert_eq!((payment.status(), payment.may(Act::Renew)), (Status::Returned, true));
}

#[test]
fn who_is_left_with_a_part_is_told_once_for_each_deadline() {
    let stuck = with(&part_and(CheckoutState::Expired), &[passed()]);
    assert!(stuck.owed(payment_id()).contains(&Owed::Alert(Alert::OnlyPart(at(DEADLINE)))));
    let extended = [part_and(CheckoutState::Expired), vec![passed(), Fact::Extended { until: at(2000), by: ana() }]];
    let open_again = of(&extended.concat());
    assert!(!open_again.owed(payment_id()).iter().any(|owed| matches!(owed, Owed::Alert(Alert::OnlyPart(_)))));
    assert_eq!(open_again.next_checkout(), Some(3), "the rest can be paid again");
}

#[test]
fn above_the_limit_a_second_person_must_agree_before_anything_is_asked_of_the_provider() {
    let limits = Limits { ask_alone: vec![eur(2000)], ..Limits::default() };
    let ask = |amount| ask(amount, None, &ana(), &limits, at(1)).facts;
    assert_eq!(of(&ask(eur(2000))).status(), Status::Preparing);
    assert_eq!(
        of(&ask(usd(1))).status(),
        Status::PendingApproval,
        "a currency that is not listed needs the second person"
    );
    let waits = ask(eur(2001));
    assert_eq!((of(&waits).status(), of(&waits).owed(payment_id())), (Status::PendingApproval, vec![]));
    let bo = PersonId { platform: "web".into(), id: "staff:bo".into() };
    assert_eq!(approve(&of(&waits), Answer::Yes, &ana()), Err(Refusal::OwnRequest));
    let elsewhere = PersonId { platform: "slack".into(), id: "T1/U1".into() };
    assert_eq!(approve(&of(&waits), Answer::Yes, &elsewhere), Err(Refusal::OtherPlatform), "it may be ana as well");
    let yes = with(&waits, &approve(&of(&waits), Answer::Yes, &bo).unwrap().facts);
    assert_eq!((yes.status(), yes.checkouts[&1].amount), (Status::Preparing, Some(eur(2001))));
    assert_eq!(
        approve(&yes, Answer::No, &bo),
        Err(Refusal::Status { act: Act::Reject, status: Status::Preparing }),
        "the first decision counts"
    );
    let no = with(&waits, &approve(&of(&waits), Answer::No, &bo).unwrap().facts);
    assert_eq!((no.status(), no.may(Act::Renew)), (Status::Rejected, true));
}

#[test]
fn a_deadline_moves_from_where_it_is_and_never_too_far() {
    let hour = Duration::from_secs(3600);
    let until = |base: &[Fact], now| extend(&of(base), hour, &ana(), at(now)).map(|decision| decision.facts);
    let moved = |secs| Ok(vec![Fact::Extended { until: at(secs), by: ana() }]);
    assert_eq!(until(&open(), 10), moved(DEADLINE + 3600));
    assert_eq!(until(&open(), DEADLINE + 5), moved(DEADLINE + 5 + 3600), "passed, and not written yet");
    let part = [open(), vec![checkout(1, CheckoutState::CompletePaid, 40), captured("py_1", 1000), passed()]].concat();
    assert!(!of(&part).is_payable());
    assert!(with(&part, &until(&part, DEADLINE + 5).unwrap()).is_payable(), "the rest can be paid again");
    let cancelled = [part, vec![cancel()]].concat();
    assert_eq!(
        until(&cancelled, 10),
        Err(Refusal::Status { act: Act::Extend, status: Status::PartiallyPaid }),
        "a cancel never un-happens"
    );
    let most = at(10).after(crate::command::EXPIRES_MAX);
    assert_eq!(extend(&of(&open()), crate::command::EXPIRES_MAX, &ana(), at(10)), Err(Refusal::TooFar { most }));
}

#[test]
fn only_what_can_be_paid_is_said_again() {
    assert_eq!(remind(&of(&open()), at(10)), Ok(()));
    let refused = |status| Err(Refusal::Status { act: Act::Remind, status });
    assert_eq!(remind(&of(&open()), at(DEADLINE)), refused(Status::Open), "a moment later it has expired");
    assert_eq!(remind(&of(&paid()), at(10)), refused(Status::Paid));
}

#[test]
fn what_does_not_fit_counts_once_a_person_says_so_and_never_in_another_currency() {
    let held = |amount: Money| {
        let kind = MismatchKind::Amount;
        let came = Fact::Captured {
            capture: CaptureId::new("py_1"),
            checkout: CheckoutId::new("co_1"),
            amount,
            as_of: at(50),
        };
        let mismatch = Fact::Mismatch { id: "capture/py_1".into(), kind, capture: CaptureId::new("py_1") };
        [open(), vec![checkout(1, CheckoutState::CompletePaid, 50), came, mismatch]].concat()
    };
    let resolved = |facts: &[Fact], answer| resolve(&of(facts), answer, None, &ana()).map(|it| with(facts, &it.facts));
    let less = held(eur(1000));
    assert_eq!(of(&less).owed(payment_id()), [Owed::Alert(Alert::Mismatch(CaptureId::new("py_1")))]);
    let accepted = resolved(&less, Answer::Yes).unwrap();
    assert_eq!((accepted.status(), accepted.sums().captured), (Status::PartiallyPaid, 1000));
    let rejected = resolved(&less, Answer::No).unwrap();
    assert_eq!((rejected.status(), rejected.next_checkout()), (Status::Open, None), "the payer would have paid twice");
    let sent_back = refund_seen("re_1", 1000, RefundState::Succeeded, 60);
    let rest = [resolve(&of(&less), Answer::No, None, &ana()).unwrap().facts, vec![sent_back]].concat();
    let sent_back = with(&less, &rest);
    assert_eq!(sent_back.status(), Status::Open, "what never counted is not missed when it goes back");
    assert_eq!(sent_back.next_checkout(), Some(2), "and then it can be paid anew");
    let again = resolve(&rejected, Answer::Yes, None, &ana());
    assert_eq!(again, Err(Refusal::Status { act: Act::Accept, status: Status::Open }), "one decision for each");
    let seen = Some(of(&less).held_mark());
    let reversed = Fact::CaptureReversed { capture: CaptureId::new("py_1"), as_of: at(90) };
    let both = [resolve(&of(&less), Answer::No, None, &ana()).unwrap().facts, vec![reversed]].concat();
    let taken_back = with(&less, &both);
    assert_eq!((taken_back.status(), taken_back.next_checkout()), (Status::Open, Some(2)), "nobody's loss");
    let more = [
        captured("py_2", 500),
        Fact::Mismatch { id: "capture/py_2".into(), kind: MismatchKind::Checkout, capture: CaptureId::new("py_2") },
    ];
    assert_eq!(resolve(&with(&less, &more), Answer::No, seen, &ana()), Err(Refusal::Changed), "more came since");
    assert!(resolve(&of(&less), Answer::No, seen, &ana()).is_ok());
    let dollars = held(usd(2500));
    let both = [&dollars[..], &more[..]].concat();
    let accepted = resolved(&both, Answer::Yes).unwrap();
    assert_eq!((accepted.sums().captured, accepted.status()), (500, Status::NeedsReview), "dollars wait still");
    assert_eq!(resolved(&dollars, Answer::Yes).unwrap_err(), Refusal::OtherCurrency { came: usd(2500) });
    assert_eq!(resolved(&dollars, Answer::No).unwrap().status(), Status::Open);
}

#[test]
fn late_money_is_kept_or_sent_back_and_decided_once() {
    let late = [open(), vec![passed(), checkout(1, CheckoutState::CompletePaid, DEADLINE + 1), captured("py_1", 2500)]]
        .concat();
    let alert = Owed::Alert(Alert::PaidLate(CaptureId::new("py_1")));
    assert_eq!(of(&late).owed(payment_id()), [Owed::Ping(Status::Paid), alert]);
    let kept = with(&late, &honour(&of(&late), &ana()).unwrap().facts);
    assert_eq!((kept.status(), kept.is_late(), kept.may(Act::Honour)), (Status::Paid, true, false));
    assert_eq!(honour(&kept, &ana()), Err(Refusal::Status { act: Act::Honour, status: Status::Paid }));
    assert!(honour(&of(&paid()), &ana()).is_err(), "in time, there is nothing to decide");
    let sent_back = refund(
        &of(&late),
        None,
        &ana(),
        refund_id(1),
        &Limits { refund_alone: vec![eur(2500)], ..limits() },
        OutToday::default(),
    );
    let refused = Fact::RefundRefused { id: refund_id(1), why: "charge_disputed".into() };
    let still = with(&late, &[sent_back.unwrap().facts, vec![refused]].concat());
    assert_eq!(
        (still.status(), still.may(Act::Honour)),
        (Status::Paid, true),
        "what did not go back can still be kept"
    );
}

#[test]
fn a_refund_reserves_its_amount_and_two_cannot_share_it() {
    let first = refund(&of(&paid()), Some(eur(2000)), &ana(), refund_id(1), &limits(), OutToday::default()).unwrap();
    let after = with(&paid(), &first.facts);
    assert_eq!((after.status(), after.sums().reserved, after.sums().refundable()), (Status::RefundPending, 2000, 500));
    let second = refund(&after, Some(eur(501)), &ana(), refund_id(2), &limits(), OutToday::default());
    assert_eq!(second, Err(Refusal::TooMuch { most: eur(500) }));
    let rest = refund(&after, None, &ana(), refund_id(2), &limits(), OutToday::default()).unwrap();
    assert_eq!(rest.money_out, Some(eur(500)));
    // The provider's own word about our refund takes the place of the reservation.
    let seen = Fact::RefundSeen {
        refund: PspRefundId::new("re_1"),
        ours: Some(refund_id(1)),
        capture: CaptureId::new("py_1"),
        amount: eur(2000),
        state: RefundState::Succeeded,
        seen: Seen { as_of: at(70), event: "evt_re".into() },
    };
    let done = with(&paid(), &[first.facts.clone(), vec![seen]].concat());
    assert_eq!((done.sums().reserved, done.sums().refunded), (0, 2000));
    let refused = Fact::RefundRefused { id: refund_id(1), why: "no".into() };
    assert_eq!(with(&paid(), &[first.facts, vec![refused]].concat()).status(), Status::Paid);
}

#[test]
fn a_refund_is_refused_with_the_limit_that_it_broke() {
    let paid = of(&paid());
    let wish = |amount, today| refund(&paid, Some(amount), &ana(), refund_id(1), &limits(), today).unwrap_err();
    let none = OutToday::default();
    assert_eq!(wish(eur(2001), none), Refusal::Alone { most: eur(2000) });
    assert_eq!(wish(eur(1000), OutToday { person: 2001, merchant: 2001 }), Refusal::Day { most: eur(3000) });
    assert_eq!(wish(eur(1000), OutToday { person: 0, merchant: 3001 }), Refusal::Day { most: eur(4000) });
    assert_eq!(wish(usd(10), none), Refusal::Currency(Currency::parse("EUR").unwrap()));
    assert_eq!(wish(eur(2501), none), Refusal::TooMuch { most: eur(2500) });
    assert_eq!(wish(eur(0), none), Refusal::TooMuch { most: eur(2500) });
    let unlimited = refund(&paid, Some(eur(1)), &ana(), refund_id(1), &Limits::default(), none);
    assert_eq!(unlimited, Err(Refusal::NoLimit(Currency::parse("EUR").unwrap())));
    let open = refund(&of(&open()), None, &ana(), refund_id(1), &limits(), none);
    assert_eq!(open, Err(Refusal::Status { act: Act::Refund, status: Status::Open }));
}

#[test]
fn what_staff_may_do_follows_the_status() {
    let table: &[(Status, &[Act])] = &[
        (Status::NeedsReview, &[Act::Reject, Act::Accept]),
        (Status::ChargedBack, &[]),
        (Status::Disputed, &[]),
        (Status::Refunded, &[]),
        (Status::RefundPending, &[Act::Refund]),
        (Status::Overpaid, &[Act::Refund]),
        (Status::Paid, &[Act::Refund]),
        (Status::PartiallyRefunded, &[Act::Refund]),
        (Status::PartiallyPaid, &[Act::Cancel, Act::Extend, Act::Remind, Act::Refund]),
        (Status::Processing, &[]),
        (Status::Returned, &[Act::Renew]),
        (Status::Cancelling, &[]),
        (Status::Cancelled, &[Act::Renew]),
        (Status::Closing, &[]),
        (Status::Expired, &[Act::Renew]),
        (Status::Rejected, &[Act::Renew]),
        (Status::PendingApproval, &[Act::Approve, Act::Reject, Act::Cancel]),
        (Status::Failed, &[Act::Renew]),
        (Status::Preparing, &[Act::Cancel]),
        (Status::Open, &[Act::Cancel, Act::Extend, Act::Remind]),
    ];
    for ((status, facts), (named, wanted)) in one_of_each().iter().zip(table) {
        assert_eq!(status, named);
        let may: Vec<Act> = Act::ALL.into_iter().filter(|act| of(facts).may(*act)).collect();
        assert_eq!(may, *wanted, "{status}");
    }
}

#[test]
fn an_open_checkout_is_closed_once_nobody_shall_pay_it() {
    let expire = Owed::Expire { n: 1, checkout: CheckoutId::new("co_1") };
    assert_eq!(of(&open()).owed(payment_id()), []);
    assert_eq!(with(&open(), &[cancel()]).owed(payment_id()), std::slice::from_ref(&expire));
    assert_eq!(with(&open(), &[passed()]).owed(payment_id()), [expire]);
    assert_eq!(of(&paid()).owed(payment_id()), [Owed::Ping(Status::Paid)]);
}

#[test]
fn what_a_payer_agreed_to_is_taken_in_time_and_once_and_else_let_go() {
    let (take, close) = (
        Owed::Capture { n: 1, checkout: CheckoutId::new("co_1") },
        Owed::Expire { n: 1, checkout: CheckoutId::new("co_1") },
    );
    let agreed = |secs| with(&open(), &[checkout(1, CheckoutState::Approved, secs)]);
    let facts = [open(), vec![checkout(1, CheckoutState::Approved, 50)]].concat();
    assert_eq!((agreed(50).status(), agreed(50).is_payable()), (Status::Processing, false));
    assert_eq!(agreed(50).owed(payment_id()), std::slice::from_ref(&take));
    assert_eq!(with(&facts, &[passed()]).owed(payment_id()), [take], "agreed in time, told of late");
    assert_eq!(agreed(DEADLINE + 1).owed(payment_id()), std::slice::from_ref(&close), "agreed too late");
    assert_eq!(
        with(&facts, &[cancel()]).owed(payment_id()),
        std::slice::from_ref(&close),
        "cancelled before it was known"
    );
    let elsewhere = [asked(2), checkout(2, CheckoutState::CompletePaid, 40), captured("py_2", 2500)];
    let twice = with(&facts, &elsewhere).owed(payment_id());
    assert!(twice.contains(&close) && !twice.contains(&Owed::Capture { n: 1, checkout: CheckoutId::new("co_1") }));

    let left = Fact::CheckoutLeft { checkout: CheckoutId::new("co_1") };
    let let_go = with(&facts, &[cancel(), left]);
    assert_eq!((let_go.status(), let_go.owed(payment_id())), (Status::Cancelled, vec![close]));
    let taken = with(&facts, &[checkout(1, CheckoutState::CompletePaid, 60), captured("py_1", 2500)]);
    assert_eq!((taken.status(), taken.paid_at()), (Status::Paid, Some(at(50))), "paid when the payer agreed");
}

#[test]
fn a_checkout_that_turns_up_after_it_was_given_up_is_closed() {
    let lost = Fact::CheckoutRefused { n: 1, why: "lost".into(), lasting: Lasting::ForNow };
    let given_up = [requested(Approval::NotNeeded), asked(1), lost, asked(2)];
    assert_eq!(with(&given_up, &[]).owed(payment_id()), []);
    let found = with(&given_up, &[checkout(1, CheckoutState::Open, 40), checkout(2, CheckoutState::Open, 50)]);
    let close = Owed::Expire { n: 1, checkout: CheckoutId::new("co_1") };
    assert_eq!(found.owed(payment_id()), [close], "the one that is wanted stays open");
    assert_eq!(found.usable().map(|(n, _)| n), Some(2));
}

fn reported(news: Vec<News>) -> Reported {
    Reported {
        event: "evt_9".into(),
        as_of: at(50),
        provider_account: "acct".into(),
        livemode: false,
        about: About::Payment(payment_id()),
        news,
    }
}

#[test]
fn nobody_is_sent_to_a_checkout_that_asks_for_another_amount() {
    let asked = [requested(Approval::NotNeeded), asked(1)];
    let open = |amount| News::Checkout {
        checkout: CheckoutId::new("co_1"),
        n: 1,
        state: CheckoutState::Open,
        amount,
        closes_at: None,
        url: None,
    };
    let judged = |amount, by| {
        let facts = judge(&of(&asked), &reported(vec![open(amount)]), by);
        with(&asked, &facts)
    };
    assert_eq!(judged(eur(2500), AmountBy::Checkout).status(), Status::Open);
    assert_eq!(judged(eur(1), AmountBy::Payer).status(), Status::Open, "there the payer says how much");
    for wrong in [eur(250_000), eur(25), usd(2500)] {
        let payment = judged(wrong, AmountBy::Checkout);
        assert_eq!((payment.status(), payment.usable()), (Status::Failed, None), "{wrong}");
        let owed = payment.owed(payment_id());
        let close = Owed::Expire { n: 1, checkout: CheckoutId::new("co_1") };
        assert_eq!(owed, [close, Owed::Alert(Alert::AmountDiffers(1))], "{wrong}");
    }
}

#[test]
fn of_two_versions_of_one_moment_the_one_after_more_moves_of_money_counts() {
    let version = |state, moves, withdrawn, event: &str| Fact::DisputeSeen {
        dispute: DisputeId::new("dp_1"),
        capture: CaptureId::new("py_1"),
        amount: eur(2500),
        state,
        withdrawn: eur(withdrawn),
        moves,
        answer_by: None,
        seen: Seen { as_of: at(90), event: event.into() },
    };
    let created = version(DisputeState::NeedsResponse, 0, 0, "evt_z");
    let withdrawn = version(DisputeState::NeedsResponse, 1, 2500, "evt_a");
    let won = version(DisputeState::Won, 1, 2500, "evt_z");
    let reinstated = version(DisputeState::Won, 2, 0, "evt_a");
    let lost = version(DisputeState::Lost, 1, 2500, "evt_z");
    for (facts, withheld) in [
        (vec![created.clone(), withdrawn.clone()], 2500),
        (vec![withdrawn.clone(), created.clone()], 2500),
        (vec![reinstated.clone(), won.clone(), withdrawn.clone()], 0),
        (vec![created, won, reinstated.clone()], 0),
        (vec![reinstated, lost], 0),
    ] {
        assert_eq!(with(&paid(), &facts).sums().withheld, withheld, "{facts:#?}");
    }
}

#[test]
fn what_concerns_staff_alone_is_owed_to_them_once() {
    let inquiry = dispute(DisputeState::WarningNeedsResponse, 0);
    let warned = Fact::FraudWarned {
        warning: "issfr_1".into(),
        capture: CaptureId::new("py_1"),
        why: "stolen".into(),
        as_of: at(60),
    };
    let review = |state, secs| Fact::ReviewSeen {
        review: "prv_1".into(),
        capture: CaptureId::new("py_1"),
        state,
        why: "rule".into(),
        seen: Seen { as_of: at(secs), event: format!("evt_prv_{secs}") },
    };
    let came_back = refund_seen("re_1", 500, RefundState::Failed, 70);
    let alerts = |facts: &[Fact]| -> Vec<String> {
        let owed = with(&paid(), facts).owed(payment_id());
        let names = owed.iter().filter_map(|it| if let Owed::Alert(alert) = it { Some(alert.name()) } else { None });
        names.map(str::to_owned).collect()
    };
    assert_eq!(alerts(&[]), Vec::<String>::new());
    assert_eq!(alerts(std::slice::from_ref(&inquiry)), ["inquiry"]);
    assert_eq!(alerts(&[dispute(DisputeState::NeedsResponse, 2500)]), ["dispute"]);
    assert_eq!(alerts(&[came_back.clone(), warned.clone()]), ["refund_failed", "fraud_warning"]);
    let suspect = with(&paid(), &[warned.clone(), review(ReviewState::Open, 60)]);
    assert_eq!((suspect.status(), suspect.is_suspect()), (Status::Paid, true), "no public change of a paid card");
    let closed = [review(ReviewState::Closed, 80), review(ReviewState::Open, 60)];
    assert_eq!((alerts(&closed), with(&paid(), &closed).is_suspect()), (Vec::new(), false));
    let all = with(&paid(), &[inquiry, warned, came_back, review(ReviewState::Open, 60)]);
    let owed = all.owed(payment_id());
    let keys: std::collections::BTreeSet<_> = owed.iter().map(|it| it.key(payment_id())).collect();
    assert_eq!(keys.len(), owed.len(), "each has a key of its own: {owed:#?}");
}

#[test]
fn a_sum_of_refunds_that_is_not_ours_is_asked_about() {
    let told = |minor| reported(vec![News::RefundedSum { capture: CaptureId::new("py_1"), amount: eur(minor) }]);
    let part = with(&paid(), &[refund_seen("re_1", 500, RefundState::Pending, 60)]);
    assert_eq!(disagrees(&part, &told(500)), None);
    let failed = with(&paid(), &[refund_seen("re_1", 500, RefundState::Failed, 60)]);
    assert_eq!(disagrees(&failed, &told(0)), None);
    for (payment, minor) in [(&part, 1500), (&part, 0), (&failed, 500)] {
        assert_eq!(disagrees(payment, &told(minor)), Some(Ask::Capture(CaptureId::new("py_1"))), "{minor}");
    }
    let unknown = reported(vec![News::RefundedSum { capture: CaptureId::new("py_9"), amount: eur(1) }]);
    assert_eq!(disagrees(&part, &unknown), None, "its capture comes first");
}

#[test]
fn the_next_checkout_is_asked_only_when_every_earlier_one_is_closed() {
    let again = |facts: &[Fact]| checkout_again(&with(&open(), facts), at(100));
    assert_eq!(again(&[]), None);
    let closed = checkout(1, CheckoutState::Expired, 40);
    assert_eq!(again(std::slice::from_ref(&closed)), Some(asked(2)));
    assert_eq!(again(&[closed.clone(), asked(2)]), None, "the second is still unanswered");
    let part = with(&open(), &[closed.clone(), captured("py_1", 1000)]);
    assert_eq!(checkout_again(&part, at(100)), Some(Fact::CheckoutAsked { n: 2, amount: eur(1500) }));
    assert_eq!(checkout_again(&with(&open(), &[closed]), at(DEADLINE)), None, "the deadline is reached");
}

#[test]
fn a_rest_that_the_provider_refuses_for_good_is_not_asked_for_again() {
    let done = checkout(1, CheckoutState::CompletePaid, 40);
    let refused = |lasting| Fact::CheckoutRefused { n: 2, why: "amount_too_small".into(), lasting };
    let part = |lasting| with(&open(), &[done.clone(), captured("py_1", 2490), asked(2), refused(lasting)]);
    let (good, now) = (part(Lasting::ForGood), part(Lasting::ForNow));
    assert_eq!((good.status(), now.status()), (Status::PartiallyPaid, Status::PartiallyPaid));
    assert_eq!((good.is_payable(), checkout_again(&good, at(100))), (false, None));
    assert_eq!(checkout_again(&now, at(100)), Some(Fact::CheckoutAsked { n: 3, amount: eur(10) }));
}

#[test]
fn every_refusal_is_a_sentence_without_a_raw_key() {
    let en = Locale::english().unwrap();
    for status in Status::ALL {
        for act in Act::ALL {
            let said = Refusal::Status { act, status }.say(&en);
            assert!(
                said.starts_with("You cannot ") && !said.contains("refuse-") && !said.contains("status-"),
                "{said}"
            );
        }
    }
    let eur_code = Currency::parse("EUR").unwrap();
    for refusal in [
        Refusal::Unknown("K7Q2F9".into()),
        Refusal::TooMuch { most: eur(0) },
        Refusal::TooMuch { most: eur(5) },
        Refusal::Currency(eur_code),
        Refusal::Alone { most: eur(1) },
        Refusal::Day { most: eur(1) },
        Refusal::NoLimit(eur_code),
        Refusal::NotStaff,
        Refusal::OwnRequest,
        Refusal::OtherPlatform,
        Refusal::Changed,
        Refusal::TooFar { most: at(1) },
        Refusal::OtherCurrency { came: usd(1) },
    ] {
        let said = refusal.say(&en);
        assert!(said.ends_with('.') && !said.contains("refuse-"), "{said}");
    }
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let n = 1..4_u32;
    let secs = 1..200_i64;
    let minor = prop_oneof![Just(500_i64), Just(2000), Just(2500), Just(i64::MAX)];
    let state = prop_oneof![
        Just(CheckoutState::Open),
        Just(CheckoutState::Approved),
        Just(CheckoutState::CompleteUnpaid),
        Just(CheckoutState::Failed),
        Just(CheckoutState::Expired),
        Just(CheckoutState::CompletePaid),
    ];
    let refund_state = prop_oneof![
        Just(RefundState::Pending),
        Just(RefundState::RequiresAction),
        Just(RefundState::Succeeded),
        Just(RefundState::Failed),
        Just(RefundState::Canceled),
    ];
    let dispute_state = prop_oneof![
        Just(DisputeState::WarningNeedsResponse),
        Just(DisputeState::NeedsResponse),
        Just(DisputeState::UnderReview),
        Just(DisputeState::Won),
        Just(DisputeState::Lost),
    ];
    let review_state = prop_oneof![Just(ReviewState::Open), Just(ReviewState::Closed)];
    let answer = || prop_oneof![Just(Answer::Yes), Just(Answer::No)];
    let py = || (1..4_u8).prop_map(|n| CaptureId::new(format!("py_{n}")));
    prop_oneof![
        n.clone().prop_map(asked),
        (n.clone(), state, secs.clone()).prop_map(|(n, state, secs)| checkout(n, state, secs)),
        (n.clone(), any::<bool>()).prop_map(|(n, good)| Fact::CheckoutRefused {
            n,
            why: "why".into(),
            lasting: if good { Lasting::ForGood } else { Lasting::ForNow },
        }),
        n.clone().prop_map(|n| Fact::CheckoutDropped { n }),
        n.clone().prop_map(|n| Fact::CheckoutLeft { checkout: CheckoutId::new(format!("co_{n}")) }),
        n.prop_map(|k| Fact::LinkOpened { k }),
        (py(), minor.clone()).prop_map(|(py, minor)| captured(py.as_str(), minor)),
        py().prop_map(|capture| Fact::CaptureReversed { capture, as_of: at(80) }),
        py().prop_map(|capture| Fact::FraudWarned {
            warning: format!("issfr_{capture}"),
            capture,
            why: "stolen".into(),
            as_of: at(60),
        }),
        (py(), review_state, secs.clone()).prop_map(|(capture, state, secs)| Fact::ReviewSeen {
            review: "prv_1".into(),
            capture,
            state,
            why: "rule".into(),
            seen: Seen { as_of: at(secs), event: format!("evt_prv_{secs}_{state:?}") },
        }),
        py().prop_map(|capture| Fact::Mismatch {
            id: format!("capture/{capture}"),
            kind: MismatchKind::Amount,
            capture,
        }),
        (py(), answer()).prop_map(|(py, answer)| Fact::ReviewResolved {
            id: format!("capture/{py}"),
            by: ana(),
            answer
        }),
        (py(), answer()).prop_map(|(capture, answer)| Fact::LateDecided { capture, by: ana(), answer }),
        Just(cancel()),
        Just(passed()),
        (1..4_i64).prop_map(|k| Fact::Extended { until: at(DEADLINE * k), by: ana() }),
        answer().prop_map(|answer| Fact::ApprovalDecided { id: "first".into(), by: ana(), answer }),
        (1..4_u8, minor.clone()).prop_map(|(n, minor)| Fact::RefundAsked {
            id: refund_id(n),
            capture: CaptureId::new("py_1"),
            amount: eur(minor),
            by: ana(),
        }),
        (1..4_u8).prop_map(|n| Fact::RefundApproved { id: refund_id(n), by: ana() }),
        (1..4_u8).prop_map(|n| Fact::RefundRefused { id: refund_id(n), why: "why".into() }),
        (1..4_u8, minor.clone(), refund_state, secs).prop_map(|(n, minor, state, secs)| refund_seen(
            &format!("re_{n}"),
            minor,
            state,
            secs
        )),
        (dispute_state, minor).prop_map(|(state, withdrawn)| dispute(state, withdrawn)),
    ]
}

/// A log as the store keeps it: one fact per key.
fn any_log() -> impl Strategy<Value = Vec<Fact>> {
    (prop::collection::vec(any_fact(), 0..40), any::<bool>()).prop_map(|(facts, approval)| {
        let first = requested(if approval { Approval::Needed } else { Approval::NotNeeded });
        let mut keys = std::collections::BTreeSet::new();
        std::iter::once(first).chain(facts).filter(|fact| keys.insert(fact.key())).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_copies_give_the_same_payment(
        (log, mixed) in any_log().prop_flat_map(|log| {
            let copies = prop::collection::vec(prop::sample::select(log.clone()), 0..20);
            let mixed = copies.prop_map({
                let log = log.clone();
                move |copies| [log.clone(), copies].concat()
            });
            (Just(log), mixed.prop_shuffle())
        })
    ) {
        prop_assert_eq!(Payment::of(&log), Payment::of(&mixed));
    }

    #[test]
    fn a_refund_that_is_granted_never_takes_more_than_is_there(log in any_log(), minor in 1..5000_i64) {
        let before = of(&log);
        let wide = Limits {
            ask_alone: Vec::new(),
            refund_alone: vec![eur(i64::MAX)],
            refund_person_day: vec![eur(i64::MAX)],
            refund_merchant_day: vec![eur(i64::MAX)],
        };
        let granted = refund(&before, Some(eur(minor)), &ana(), refund_id(9), &wide, OutToday::default());
        if let Ok(decision) = granted {
            let sums = with(&log, &decision.facts).sums();
            prop_assert!(sums.refunded.saturating_add(sums.reserved) <= sums.captured, "{:?}", sums);
        }
    }

    #[test]
    fn nothing_panics_and_the_card_always_holds_its_link(log in any_log()) {
        let payment = of(&log);
        let en = Locale::english().unwrap();
        let wording = crate::order::Wording::default();
        let view = crate::card::View {
            id: payment_id(),
            code: "K7Q2F9".parse().unwrap(),
            payment: &payment,
            wording: &wording,
            merchant: "Shop",
            link: "https://pay.example/p/0",
            pay_url: Some("https://pay.example/p/0"),
            receipt_url: Some("https://pay.example/r/0"),
            mode: crate::card::Mode::Test,
            typed: "/till",
            money: crate::port::psp::Capture::ByItself,
        };
        let card = crate::card::card(&view, &en);
        let plain = card.plain(&en);
        prop_assert!(plain.contains("https://pay.example/p/0") && plain.contains("TEST"), "{}", plain);
        prop_assert!(!card.title.contains("card-"), "{}", card.title);
        payment.owed(payment_id());
        let _ = (AccountId::new("x"), checkout_again(&payment, at(5)), deadline(&payment, at(5)));
    }
}
