//! The real Stripe adapter against the fake Stripe, in process: everything but the socket is what runs in a shop.
//!
//! Its people pay, are declined, allow debits that come in or come back days later; the merchant refunds in the
//! dashboard; banks refuse refunds, ask, dispute and change their minds; another shop sells on the same account.

use super::sim::payment;
use super::{
    End, Hand, Known, Model, Provider, Sim, Written, account, every_history, is_the_same_every_time, means_something,
};
use async_trait::async_trait;
use fake_stripe::{Delivery, Fault, Lie, Settings, Stripe, signature};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use till::clock::Clock;
use till::world::World;
use till_core::contract::script::{Holds, Message, breathe, whole};
use till_core::contract::seeded::Seeded;
use till_core::id::PaymentId;
use till_core::payment::{DisputeState, Fact, Status};
use till_core::port::http::{Http, HttpError, Request, Response};
use till_core::port::psp::{Account, Psp};
use till_core::port::store::Stored;
use till_core::time::Timestamp;

const KEY: &str = "sk_test_51TillShopSecret";
const SECRETS: [&str; 2] = ["whsec_new", "whsec_old"];

/// The fake as Till reaches it: each call can be cut off before it leaves and after it had its effect.
struct Wire {
    stripe: Stripe,
    seeded: Mutex<Seeded>,
}

#[async_trait]
impl Http for Wire {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        breathe().await;
        let mut answer = self.stripe.send(request).await;
        if let Ok(answer) = &mut answer
            && answer.status == 500
            && self.seeded.lock().unwrap().chance(30)
        {
            answer.headers.push(("stripe-should-retry".into(), "false".into()));
        }
        breathe().await;
        answer
    }
}

pub(super) struct Shop {
    stripe: Stripe,
    wire: Arc<Wire>,
    counted: BTreeMap<&'static str, u64>,
}

/// A field of an object as text; empty where it has none.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

fn ours(object: &Value) -> bool {
    object["metadata"]["till_payment"].is_string()
}

impl Shop {
    fn count(&mut self, what: &'static str) {
        *self.counted.entry(what).or_default() += 1;
    }

    /// Our objects of a kind that fit.
    fn of(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let all = self.stripe.all(kind).into_iter();
        all.filter(|it| self.payment_of(it).is_some() && fits(it)).collect()
    }

    /// Whose payment an object belongs to, by its own label or its payment intent's.
    fn payment_of(&self, object: &Value) -> Option<PaymentId> {
        let label = |object: &Value| object["metadata"]["till_payment"].as_str().and_then(|id| id.parse().ok());
        let intent = object["payment_intent"].as_str().filter(|_| object["object"] != "checkout.session");
        label(object).or_else(|| label(&self.stripe.object(intent?)))
    }

    fn payer(&mut self, seeded: &mut Seeded) {
        let open = self.of("checkout.session", |it| it["status"] == "open");
        let Some(session) = seeded.pick(&open).map(|it| text(it, "id").to_owned()) else { return };
        let done = match seeded.below(10) {
            0..=4 => self.stripe.pay(&session),
            5 | 6 => self.stripe.decline(&session, "insufficient_funds"),
            7 => self.stripe.challenge(&session),
            _ => {
                self.count("debits");
                self.stripe.debit(&session)
            }
        };
        done.expect("an open session");
    }

    /// Debits that are under way come in or come back.
    fn debit_ends(&mut self, seeded: &mut Seeded, all: bool) {
        let waits = |it: &Value| it["status"] == "complete" && it["payment_status"] == "unpaid";
        let under_way = self.of("checkout.session", |it| {
            waits(it) && self.stripe.object(text(it, "payment_intent"))["status"] == "processing"
        });
        for session in under_way {
            if all || seeded.chance(30) {
                if seeded.chance(60) {
                    self.stripe.settle(text(&session, "id")).expect("under way");
                } else {
                    self.stripe.fail_debit(text(&session, "id")).expect("under way");
                    self.count("debits that failed");
                }
            }
        }
    }

    /// A charge of ours, and how much of it is neither refunded nor disputed.
    fn charges(&self, fits: impl Fn(&Value) -> bool) -> Vec<(Value, i64)> {
        let left = |it: &Value| it["amount_captured"].as_i64().unwrap() - it["amount_refunded"].as_i64().unwrap();
        let paid = self.of("charge", |it| it["status"] == "succeeded" && it["disputed"] != true && fits(it));
        paid.into_iter().map(|it| (left(&it), it)).filter(|(left, _)| *left > 0).map(|(left, it)| (it, left)).collect()
    }

    fn refund_by_hand(&mut self, seeded: &mut Seeded) {
        let charges = self.charges(|_| true);
        let Some((charge, left)) = seeded.pick(&charges) else { return };
        let part = 1 + i64::try_from(seeded.below(u64::try_from(*left).unwrap())).unwrap();
        let amount = if seeded.chance(40) { *left } else { part };
        let status = seeded.pick(&["succeeded", "pending", "requires_action"]).copied();
        self.stripe.refund_by_hand(text(charge, "payment_intent"), amount, status);
        self.count("refunds by hand");
    }

    fn refund_moves(&mut self, seeded: &mut Seeded) {
        let refunds = self.of("refund", |it| !matches!(text(it, "status"), "failed" | "canceled"));
        let Some(refund) = seeded.pick(&refunds) else { return };
        let id = text(refund, "id");
        match (text(refund, "status"), seeded.below(10)) {
            ("succeeded", 0..=1) => {
                self.stripe.refund_becomes(id, "failed");
                self.count("refunds that came back");
            }
            ("succeeded", _) => {}
            (_, 0..=1) => self.stripe.refund_fails(id, "expired_or_canceled_card"),
            ("requires_action", 2) => self.stripe.refund_becomes(id, "canceled"),
            ("requires_action", 3..=5) => self.stripe.refund_becomes(id, "pending"),
            (_, _) => self.stripe.refund_becomes(id, "succeeded"),
        }
    }

    fn dispute_opens(&mut self, seeded: &mut Seeded) {
        let charges = self.charges(|_| true);
        let Some((charge, left)) = seeded.pick(&charges) else { return };
        let amount = if seeded.chance(70) { *left } else { (*left / 2).max(1) };
        let intent = text(charge, "payment_intent");
        self.stripe.dispute(intent, amount, seeded.chance(40));
        self.count("disputes");
        // A refund that was under way is overtaken by the dispute, now and then.
        let under_way = self.of("refund", |it| it["payment_intent"] == *intent && it["status"] == "pending");
        if let Some(refund) = under_way.first().filter(|_| seeded.chance(50)) {
            self.stripe.refund_fails(text(refund, "id"), "charge_for_pending_refund_disputed");
        }
    }

    fn dispute_moves(&mut self, seeded: &mut Seeded) {
        let disputes = self.of("dispute", |_| true);
        let Some(dispute) = seeded.pick(&disputes) else { return };
        let (id, amount) = (text(dispute, "id"), dispute["amount"].as_i64().unwrap());
        let next = match (text(dispute, "status"), seeded.below(4)) {
            ("warning_needs_response", 0) => "warning_under_review",
            ("warning_needs_response" | "warning_under_review", 1) => "warning_closed",
            ("warning_needs_response" | "warning_under_review" | "warning_closed", 2) => "needs_response",
            ("needs_response", 0 | 1) => "under_review",
            ("needs_response" | "under_review", 2) => "lost",
            ("under_review", 3) => "won",
            ("lost", 3) => {
                self.count("disputes won after they were lost");
                "won"
            }
            // The money is given back before the bank has decided, and perhaps taken again in the same second.
            ("under_review", 0) => {
                let taken = taken(dispute) > 0;
                self.stripe.dispute_funds(id, if taken { amount } else { -amount });
                if taken && seeded.chance(30) {
                    self.stripe.dispute_funds(id, -amount);
                }
                return self.count("moves of disputed funds");
            }
            _ => return,
        };
        self.stripe.dispute_becomes(id, next);
    }

    fn radar(&mut self, seeded: &mut Seeded) {
        let open = self.of("review", |it| it["open"] == true);
        if let Some(review) = seeded.pick(&open).filter(|_| seeded.clone().chance(50)) {
            return self.stripe.review_closes(text(review, "id"), "approved");
        }
        let charges = self.charges(|it| it["review"].is_null());
        let Some((charge, _)) = seeded.pick(&charges) else { return };
        if seeded.chance(50) {
            self.stripe.fraud_warning(text(charge, "payment_intent"));
        } else {
            self.stripe.review_opens(text(charge, "payment_intent"));
        }
        self.count("warnings and reviews");
    }

    /// What is signed by Stripe and is not about us: another shop's sales, and events that went astray.
    fn foreign(&mut self, seeded: &mut Seeded) {
        self.stripe.foreign_traffic(1 + usize::try_from(seeded.below(3)).unwrap());
        let sessions = self.of("checkout.session", |it| it["payment_status"] == "paid");
        let Some(session) = seeded.pick(&sessions).cloned() else { return };
        let lie = Lie::new("checkout.session.completed", session);
        self.stripe.event_with(match seeded.below(3) {
            0 => Lie { account: Some("acct_1SomebodyElse".into()), listed: false, ..lie },
            1 => Lie { livemode: Some(true), listed: false, ..lie },
            _ => Lie { thin: true, listed: false, ..lie },
        });
    }

    /// Something goes wrong with a call to come, or with all of them for hours.
    fn mishap(&mut self, seeded: &mut Seeded, now: Timestamp) {
        if seeded.chance(15) {
            self.count("hours of silence");
            return self.stripe.down_until(now.after(Duration::from_secs(60 + seeded.below(4 * 3600))));
        }
        let paths = [
            "POST /v1/checkout/sessions",
            // Closing alone.
            "POST /v1/checkout/sessions/cs_",
            "POST /v1/checkout/sessions/cs_",
            "POST /v1/refunds",
            "POST /v1/refunds",
            "GET /v1/checkout/sessions",
            "GET /v1/refunds",
            "GET /v1/disputes",
            "GET /v1/events",
            "/v1",
        ];
        let faults = [
            Fault::RateLimit { retry_after_secs: None },
            Fault::RateLimit { retry_after_secs: Some(90) },
            Fault::LockTimeout,
            Fault::Unavailable,
            Fault::LostBefore,
            Fault::LostAfter,
            Fault::ErrorBefore,
            Fault::ErrorBefore,
            Fault::ErrorAfter,
            Fault::ErrorAfter,
        ];
        let fault = seeded.pick(&faults).unwrap().clone();
        self.stripe.fail_next(seeded.pick(&paths).unwrap(), fault);
        self.count("calls that were made to fail");
    }

    /// Under one key the same bytes were sent each time, and no refund of ours was made twice.
    fn one_order_each(&self) {
        let mut orders: BTreeMap<String, Value> = BTreeMap::new();
        for call in self.stripe.recorded() {
            let Some((_, key)) = call.headers.iter().find(|(name, _)| name == "idempotency-key") else { continue };
            let first = orders.entry(key.clone()).or_insert_with(|| call.params.clone());
            assert_eq!(*first, call.params, "{key} was used for two orders");
        }
        let mut made = BTreeSet::new();
        for refund in self.stripe.all("refund") {
            let Some(asked) = refund["metadata"]["till_refund"].as_str() else { continue };
            assert!(made.insert(asked.to_owned()), "refund {asked} was made twice");
        }
    }

    /// Every fact names objects of its own payment alone.
    fn owns_its_facts(&self, it: &Stored) {
        for (_, fact) in &it.facts {
            let named = match fact {
                Fact::CheckoutSeen { checkout, .. } => checkout.as_str(),
                Fact::Captured { capture, .. } => capture.as_str(),
                Fact::RefundSeen { refund, .. } => refund.as_str(),
                Fact::DisputeSeen { dispute, .. } => dispute.as_str(),
                Fact::FraudWarned { warning, .. } => warning,
                Fact::ReviewSeen { review, .. } => review,
                _ => continue,
            };
            let owner = self.payment_of(&self.stripe.object(named));
            assert_eq!(owner, Some(it.id), "{named} belongs to another payment: {fact:?}");
        }
    }

    /// Staff were told of each thing once, by name, and of nothing that is not there.
    fn alerts_once(&self, it: &Stored, messages: &[Message]) {
        let prefix = format!("till:{}:show:alert:", it.id);
        let said = messages.iter().filter_map(|message| message.key.as_str().strip_prefix(&prefix));
        let said: Vec<&str> = said.collect();
        assert_eq!(said.len(), said.iter().collect::<BTreeSet<_>>().len(), "said twice: {said:?}");
        for alert in &said {
            let (_, id) = alert.split_once(':').unwrap();
            assert_eq!(self.payment_of(&self.stripe.object(id)), Some(it.id), "{alert} is about another payment");
        }
        let payment = payment(it);
        let disputes = payment.disputes.iter().filter(|(_, it)| it.state == DisputeState::NeedsResponse);
        let owed = disputes.map(|(id, _)| format!("dispute:{id}"));
        let owed = owed.chain(payment.refunds_failed().map(|(id, _)| format!("refund_failed:{id}")));
        for alert in owed.chain(payment.fraud_warnings.keys().map(|id| format!("fraud_warning:{id}"))) {
            assert!(said.contains(&&*alert), "nobody was told of {alert}: {said:?}");
        }
    }
}

/// What a dispute has taken, in minor units: its moves without the bank's fee.
fn taken(dispute: &Value) -> i64 {
    let moves = dispute["balance_transactions"].as_array().into_iter().flatten();
    -moves.map(|it| it["amount"].as_i64().unwrap()).sum::<i64>()
}

impl Provider for Shop {
    type Letter = Delivery;
    const SEEDS: u64 = 150;
    const HAPPENINGS: u32 = 200;
    const KEYLESS_IN: u64 = 0;

    fn new(seed: u64, clock: Clock) -> Self {
        let settings = Settings::test().endpoint("https://pay.example/hooks/stripe/script", &SECRETS);
        let stripe = Stripe::new(settings, seed, clock);
        let wire = Arc::new(Wire { stripe: stripe.clone(), seeded: Mutex::new(Seeded::new(seed ^ 4)) });
        Self { stripe, wire, counted: BTreeMap::new() }
    }

    fn psp(&self) -> Arc<dyn Psp> {
        Arc::new(till_stripe::Stripe)
    }

    fn http(&self) -> Arc<dyn Http> {
        self.wire.clone()
    }

    fn account(&self) -> Account {
        let known = account("acct_1TillShopAAAAAAA", &SECRETS[1..]);
        Account { base_url: "https://api.stripe.example".into(), secret: KEY.to_owned().into(), ..known }
    }

    /// Its clock is right.
    fn off_ms(&self) -> i64 {
        0
    }

    fn signs(&self, _: &Delivery) -> bool {
        true
    }

    fn closes(&self) -> bool {
        true
    }

    fn passed(&mut self, _: Timestamp) {}

    fn trouble(&mut self, percent: u64) {
        if percent == 0 {
            self.stripe.well();
        }
        self.stripe.trouble(percent);
    }

    fn happen(&mut self, seeded: &mut Seeded, now: Timestamp) {
        match seeded.below(24) {
            0..=8 => self.payer(seeded),
            9 | 10 => self.debit_ends(seeded, false),
            11 => self.refund_by_hand(seeded),
            12 | 13 => self.refund_moves(seeded),
            14 => self.dispute_opens(seeded),
            15 | 16 => self.dispute_moves(seeded),
            17 => self.radar(seeded),
            18 => self.foreign(seeded),
            19 => {
                let start = seeded.pick(&["succeeded", "succeeded", "pending", "requires_action"]).unwrap();
                self.stripe.refunds_start(start);
            }
            _ => self.mishap(seeded, now),
        }
    }

    /// Debits, refunds, and half of the disputes.
    fn end(&mut self, seeded: &mut Seeded) {
        self.debit_ends(seeded, true);
        for refund in self.of("refund", |it| matches!(text(it, "status"), "pending" | "requires_action")) {
            let end = if seeded.chance(70) { "succeeded" } else { "failed" };
            self.stripe.refund_becomes(text(&refund, "id"), end);
        }
        for _ in 0..10 {
            self.dispute_moves(seeded);
        }
    }

    fn letters(&mut self) -> Vec<Delivery> {
        self.stripe.deliveries()
    }

    fn written(&self, letter: &Delivery, hand: Hand, now: Timestamp) -> Option<Written> {
        let signed = match hand {
            Hand::Provider => letter.signature(now),
            Hand::Stranger => signature(&["whsec_of_a_stranger".to_owned()], now, &letter.body),
            Hand::Past => letter.signature(now.before(Duration::from_secs(3600))),
        };
        let headers = letter.headers(now).into_iter().filter(|(name, _)| *name != "stripe-signature");
        let headers = headers.chain([("stripe-signature", signed)]).map(|(name, value)| (name.to_owned(), value));
        Some((headers.collect(), letter.body.to_vec()))
    }

    fn became(&mut self, letter: &Delivery, end: End) {
        match end {
            End::Accepted => self.stripe.accepted(letter),
            End::Refused => self.stripe.refused(letter),
            End::Lost => self.stripe.dropped(letter),
        }
    }

    /// What hangs on our money and does not say so is known once Till has said so, and not only after the next sweep.
    fn durable(&self, letter: &Delivery, world: &World, _: &Model) {
        if !letter.kind.starts_with("refund.") && !letter.kind.starts_with("charge.dispute.") {
            return;
        }
        let event: Value = serde_json::from_slice(&letter.body).unwrap();
        let (object, kind) = (&event["data"]["object"], &letter.kind);
        let (Some(payment), id) = (self.payment_of(object), text(object, "id")) else { return };
        let stored = whole(world.store.payment(&world.merchant.id, payment)).unwrap().expect("a payment of ours");
        let known = stored.facts.iter().any(|(_, fact)| match fact {
            Fact::RefundSeen { refund, .. } => refund.as_str() == id,
            Fact::DisputeSeen { dispute, .. } => dispute.as_str() == id,
            _ => false,
        });
        assert!(known, "{kind} of {id} was taken, and nothing was kept: {stored:#?}");
    }

    /// Its books are read in the end: that takes too long for every step.
    fn watched(&mut self, _: &Known, _: &[(PaymentId, Vec<Fact>)]) {}

    fn holds(&self) -> BTreeMap<PaymentId, Holds> {
        let held = self.stripe.holds().into_iter().map(|(id, held)| {
            let fake_stripe::Holds { captured, refunded, open, twins } = held;
            (id.parse().unwrap(), Holds { captured, refunded, open, twins, ..Holds::default() })
        });
        let mut all: BTreeMap<PaymentId, Holds> = held.collect();
        for dispute in self.of("dispute", |_| true) {
            let of = self.payment_of(&dispute).unwrap();
            all.entry(of).or_default().withheld += taken(&dispute);
        }
        all
    }

    fn agrees(&self, stored: &[Stored], messages: &[Message]) {
        self.one_order_each();
        for it in stored {
            self.owns_its_facts(it);
            self.alerts_once(it, messages);
        }
    }

    fn counted(&self) -> BTreeMap<&'static str, u64> {
        let holds = self.holds();
        let some = |fits: &dyn Fn(&Holds) -> bool| holds.values().filter(|it| fits(it)).count() as u64;
        let replayed = self.stripe.recorded().iter().filter(|call| call.status == 500).count() as u64;
        let mut all = self.counted.clone();
        all.extend([
            ("payments", holds.len() as u64),
            ("paid", some(&|held| held.captured > 0)),
            ("refunded", some(&|held| held.refunded > 0)),
            ("withheld", some(&|held| held.withheld > 0)),
            ("errors of Stripe's", replayed),
            ("sales of another shop", self.stripe.sessions().iter().filter(|it| !ours(it)).count() as u64),
        ]);
        all
    }
}

#[test]
fn every_history_with_stripe_ends_with_stripe_facts_and_cards_in_agreement() {
    if let Some(all) = every_history::<Shop>() {
        let least = [
            ("payments", 2000),
            ("paid", 700),
            ("debits", 200),
            ("debits that failed", 70),
            ("refunded", 120),
            ("refunds by hand", 120),
            ("refunds that came back", 10),
            ("disputes", 100),
            ("withheld", 30),
            ("disputes won after they were lost", 25),
            ("moves of disputed funds", 25),
            ("warnings and reviews", 100),
            ("sales of another shop", 400),
            ("webhooks", 6000),
            ("forged", 1500),
            ("lost", 1500),
            ("killed", 500),
            ("errors of Stripe's", 200),
            ("hours of silence", 100),
        ];
        means_something(&all, &least);
    }
}

#[test]
fn a_seed_with_stripe_is_the_same_history_every_time() {
    is_the_same_every_time::<Shop>([3, 8]);
}

#[test]
fn a_checkout_that_stripe_failed_to_close_is_closed_in_the_end() {
    let mut sim = Sim::<Shop>::new(2);
    for n in 1..=10 {
        sim.say(&format!("/pay {n} EUR coffee ref:{n}"));
        sim.rounds(1, 60_000);
    }
    let codes: Vec<String> = sim.stored().iter().map(|it| it.code.to_string()).collect();
    assert_eq!((codes.len(), sim.there.stripe.open().len()), (10, 10));
    // Stripe says of some of these errors that trying again is of no use.
    for code in codes {
        sim.there.stripe.fail_next("POST /v1/checkout/sessions/cs_", Fault::ErrorBefore);
        sim.say(&format!("/till cancel {code}"));
        sim.rounds(1, 60_000);
    }
    sim.rounds(20, 60_000);
    assert_eq!(sim.there.stripe.open(), Vec::<String>::new());
    assert!(sim.stored().iter().all(|it| payment(it).status() == Status::Cancelled));
}
