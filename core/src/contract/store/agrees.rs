//! A walk by seed: two writers do whatever comes to mind, and a store must answer as the model does.

use super::Both;
use super::shop::{LEASE, Shop, at, change, checkout, day_total, expire, inbox, message, opened, place, tell};
use super::transcript::{for_staff, line};
use crate::contract::seeded::Seeded;
use crate::id::PaymentId;
use crate::payment::Status;
use crate::port::store::{
    AccountRow, Change, Claim, Commit, Committed, DeadLetter, Letter, Old, On, Outcome, Park, Queue, Recent, Settle,
    Shown, ShownOutcome, Shows, Staff, TotalChange, Which,
};
use crate::port::transcript::Scope;
use crate::time::Timestamp;
use serde_json::json;
use std::fmt::Debug;
use std::time::Duration;

/// How many things are done in one walk.
const STEPS: u32 = 200;

/// Does the same random things to both, from `seed`, and holds every answer of `adapter` against the model's.
///
/// # Panics
/// At the first difference, with the seed and the step.
pub async fn agrees(seed: u64, adapter: &Both, model: &Both) {
    let mut walk = Walk {
        seed,
        step: 0,
        seeded: Seeded::new(seed),
        now: at(0),
        adapter: Shop::of(adapter, "default", seed),
        model: Shop::of(model, "default", seed),
        payments: Vec::new(),
        claims: Vec::new(),
        lines: Vec::new(),
    };
    while walk.step < STEPS {
        walk.step += 1;
        walk.now = walk.now.after(Duration::from_secs(walk.seeded.below(9)));
        walk.do_something().await;
        if walk.step.is_multiple_of(10) {
            walk.compare_all().await;
        }
    }
}

/// Names of a row in both stores: their numbers may differ, all else may not.
#[derive(Clone)]
struct Held {
    adapter: Claim,
    model: Claim,
    /// Of a card: the revision to show.
    rev: Option<u64>,
}

struct Walk {
    seed: u64,
    step: u32,
    seeded: Seeded,
    now: Timestamp,
    adapter: Shop,
    model: Shop,
    payments: Vec<PaymentId>,
    claims: Vec<Held>,
    lines: Vec<(i64, i64)>,
}

/// The claim without its row.
fn blind<T: Debug>(claims: &[T], claim: impl Fn(&T) -> &Claim) -> Vec<String> {
    let without = |it: &T| format!("{it:?}").replace(&format!("row: {}, ", claim(it).row), "");
    claims.iter().map(without).collect()
}

impl Walk {
    fn same<T: Debug + PartialEq>(&self, adapter: &T, model: &T) {
        if adapter != model {
            let (adapter, model) = (format!("{adapter:#?}"), format!("{model:#?}"));
            let differ = adapter.lines().zip(model.lines()).enumerate().filter(|(_, (a, m))| a != m).take(9);
            let differ: Vec<_> =
                differ.map(|(n, (a, m))| format!("line {n}: `{}`, not `{}`", a.trim(), m.trim())).collect();
            panic!("seed {}, step {}: the adapter says\n{}\nof\n{model}", self.seed, self.step, differ.join("\n"));
        }
    }

    async fn do_something(&mut self) {
        match self.seeded.below(18) {
            0 => self.ask().await,
            1..=6 => self.change().await,
            7 => self.claim_work().await,
            8 => self.claim_cards().await,
            9 => self.claim_parked().await,
            10 => self.claim_due().await,
            11 | 12 => self.finish().await,
            13 => self.keep().await,
            14 => self.look_after().await,
            _ => self.talk().await,
        }
    }

    async fn ask(&mut self) {
        let (id, mut asked) = self.model.coffee(self.now);
        if self.seeded.chance(10)
            && let Some(known) = self.seeded.pick(&self.payments)
            && let On::New(new) = &mut asked.on
        {
            new.code = self.model.stored(*known).await.code;
        }
        let base = self.model.about(self.now, asked);
        if self.commit(base, &[], None).await == Committed::Done {
            self.payments.push(id);
        }
    }

    async fn change(&mut self) {
        let Some(id) = self.seeded.pick(&self.payments).copied() else { return };
        let stored = self.model.stored(id).await;
        let stale = u64::from(self.seeded.chance(20));
        let small = u32::try_from(self.seeded.below(6)).unwrap_or(0);
        let later = self.now.after(Duration::from_secs(self.seeded.below(40)));
        let news = Change {
            status: *self.seeded.pick(&Status::ALL).unwrap_or(&Status::Open),
            check_at: self.seeded.chance(60).then_some(later),
            shows: if self.seeded.chance(50) { Shows::OnCards } else { Shows::Nowhere },
            cards: if self.seeded.chance(30) { vec![place(&format!("c{small}"))] } else { Vec::new() },
            work: vec![tell(id, &format!("w{small}"), later), expire(id, small, later)],
            objects: vec![checkout(&format!("cs_{small}"), self.seeded.chance(50).then_some("https://psp.example"))],
            ..change(id, stored.version - stale.min(stored.version), vec![opened(small)])
        };
        let settled: Vec<_> = self.held(2).into_iter().map(|held| (held, self.outcome())).collect();
        let base = self.model.about(self.now, news);
        self.commit(base, &settled, None).await;
    }

    /// Some claims, the newest more often than those that are long lost.
    fn held(&mut self, most: u64) -> Vec<Held> {
        let wanted = self.seeded.below(most + 1);
        let recent = self.claims.len().saturating_sub(6);
        (0..wanted).filter_map(|_| self.seeded.pick(&self.claims[recent..]).cloned()).collect()
    }

    fn outcome(&mut self) -> Outcome {
        let due = self.now.after(Duration::from_secs(self.seeded.below(40)));
        match self.seeded.below(4) {
            0 | 1 => Outcome::Done,
            2 => Outcome::Again { due, why: "503".into() },
            _ => Outcome::Dead { why: "404".into() },
        }
    }

    /// Commits the same decision to both, with guards of all kinds at random.
    async fn commit(
        &mut self,
        mut base: Commit,
        settled: &[(Held, Outcome)],
        shown: Option<(&Held, ShownOutcome)>,
    ) -> Committed {
        let small = self.seeded.below(30);
        if self.seeded.chance(30) {
            base.inbox.push(inbox(&format!("evt_{small}")));
        }
        if self.seeded.chance(20) {
            base.recent = Some(Recent { key: format!("r{}", small % 3), since: self.now.before(LEASE) });
        }
        if self.seeded.chance(20) {
            let total = self.model.store.total(&self.model.merchant, &day_total()).await.unwrap();
            let version = total.version + u64::from(self.seeded.chance(20));
            base.totals.push(TotalChange { key: day_total(), version, add_minor: 7 });
        }
        if self.seeded.chance(20) {
            base.park = Some(Park { key: inbox(&format!("park_{small}")), sealed: vec![7; 3], due: self.now });
        }
        let of = |side: fn(&Held) -> &Claim| {
            let settle =
                |(held, outcome): &(Held, Outcome)| Settle { claim: side(held).clone(), outcome: outcome.clone() };
            let show =
                |(held, outcome): &(&Held, ShownOutcome)| Shown { claim: side(held).clone(), outcome: outcome.clone() };
            Commit { settle: settled.iter().map(settle).collect(), shown: shown.as_ref().map(show), ..base.clone() }
        };
        let told = self.adapter.decide(of(|held| &held.adapter)).await;
        self.same(&told, &self.model.decide(of(|held| &held.model)).await);
        told
    }

    async fn finish(&mut self) {
        let Some(held) = self.held(1).pop() else { return };
        let base = self.model.commit(self.now);
        let Some(rev) = held.rev else {
            let outcome = self.outcome();
            self.commit(base, &[(held, outcome)], None).await;
            return;
        };
        let (due, why) = (self.now.after(Duration::from_secs(self.seeded.below(20))), String::new());
        let outcome = match self.seeded.below(8) {
            0..=2 => ShownOutcome::Showing { rev, message: message(&format!("m{rev}")) },
            3 => ShownOutcome::NotYet { rev },
            4 => ShownOutcome::Again { due, why },
            5 => ShownOutcome::Unsure { due, why },
            6 => ShownOutcome::Succeeded { rev, message: message("successor") },
            _ => ShownOutcome::Lost { why },
        };
        self.commit(base, &[], Some((&held, outcome))).await;
    }

    async fn claim_work(&mut self) {
        let queue = *self.seeded.pick(&[Queue::Provider, Queue::Chat]).unwrap_or(&Queue::Chat);
        let (a, m) = (self.adapter.work(queue, self.now).await, self.model.work(queue, self.now).await);
        self.same(&blind(&a, |it| &it.claim), &blind(&m, |it| &it.claim));
        let pairs = a.into_iter().zip(m);
        self.claims.extend(pairs.map(|(a, m)| Held { adapter: a.claim, model: m.claim, rev: None }));
    }

    async fn claim_cards(&mut self) {
        let (a, m) = (self.adapter.cards(self.now).await, self.model.cards(self.now).await);
        self.same(&blind(&a, |it| &it.claim), &blind(&m, |it| &it.claim));
        let pairs = a.into_iter().zip(m);
        self.claims.extend(pairs.map(|(a, m)| Held { adapter: a.claim, model: m.claim, rev: Some(m.desired_rev) }));
    }

    async fn claim_parked(&mut self) {
        let (a, m) = (self.adapter.parked(self.now).await, self.model.parked(self.now).await);
        self.same(&blind(&a, |it| &it.claim), &blind(&m, |it| &it.claim));
        let pairs = a.into_iter().zip(m);
        self.claims.extend(pairs.map(|(a, m)| Held { adapter: a.claim, model: m.claim, rev: None }));
    }

    async fn claim_due(&mut self) {
        let limit = u32::try_from(self.seeded.below(4)).unwrap_or(0);
        let due = async |shop: &Shop| shop.store.claim_due(self.now, LEASE, limit).await.unwrap();
        self.same(&due(&self.adapter).await, &due(&self.model).await);
    }

    async fn keep(&mut self) {
        let key = format!("k{}", self.seeded.below(4));
        let expires = self.seeded.chance(50).then(|| self.now.after(LEASE));
        let (what, now, step) = (self.seeded.below(7), self.now, self.step);
        let act = async |shop: &Shop| {
            let (store, merchant) = (&shop.store, &shop.merchant);
            let account = AccountRow { chosen_at: now, ..super::accounts::row(&key, 0) };
            let staff = Staff { id: key.clone(), name: step.to_string(), since: now };
            match what {
                0 => store.keep(merchant, "web", &key, &step.to_be_bytes(), expires).await.map(|()| None),
                1 => store.kept(merchant, "web", &key, now).await,
                2 => store.take_kept(merchant, "web", &key, now).await,
                3 => store.add_staff(merchant, &staff).await.map(|()| None),
                4 => store.put_account(merchant, &account).await.map(|()| None),
                5 => store.close_account(merchant, &account.id, &step.to_string(), now).await.map(|()| None),
                _ => store.lease("one", &key, now, LEASE).await.map(|fence| fence.map(|it| it.to_be_bytes().to_vec())),
            }
            .unwrap()
        };
        self.same(&act(&self.adapter).await, &act(&self.model).await);
    }

    /// Makes what was given up due, or forgets what is old.
    async fn look_after(&mut self) {
        let payment = self.seeded.pick(&self.payments).copied();
        let which = payment.filter(|_| self.seeded.chance(50)).map_or(Which::All, Which::Payment);
        let (revives, now) = (self.seeded.chance(70), self.now);
        let past = now.before(Duration::from_secs(self.seeded.below(60)));
        let act = async |shop: &Shop| match revives {
            true => shop.store.revive(&shop.merchant, which, now).await.unwrap(),
            false => shop.store.forget(Old { expired: past, asked: past, delivered: past }, 99).await.unwrap(),
        };
        self.same(&act(&self.adapter).await, &act(&self.model).await);
    }

    async fn talk(&mut self) {
        let conversation = format!("c{}", self.seeded.below(3));
        if self.seeded.chance(30) {
            self.adapter.transcript.begin(&self.adapter.merchant, &conversation, "Zoë", self.now).await.unwrap();
            self.model.transcript.begin(&self.model.merchant, &conversation, "Zoë", self.now).await.unwrap();
        }
        let changed = self.seeded.pick(&self.lines).copied().filter(|_| self.seeded.chance(30));
        let new = line(&conversation, &format!("k{}", self.seeded.below(20)), 0);
        let new = if self.seeded.chance(30) { for_staff(new) } else { new };
        let (body, now) = (json!(self.step), self.now);
        let act = async |shop: &Shop, id: Option<i64>| match id {
            Some(id) => shop.transcript.replace(&shop.merchant, id, &body, now).await.unwrap(),
            None => shop.transcript.append(&shop.merchant, new.clone()).await.unwrap(),
        };
        let a = act(&self.adapter, changed.map(|ids| ids.0)).await;
        let m = act(&self.model, changed.map(|ids| ids.1)).await;
        self.lines.extend(a.as_ref().map(|it| it.id).zip(m.as_ref().map(|it| it.id)));
        let text = |line: Option<crate::port::transcript::Line>| line.map(|it| (it.conversation, it.body, it.at));
        self.same(&text(a), &text(m));
    }

    async fn compare_all(&self) {
        self.same(&self.adapter.visible().await, &self.model.visible().await);
        let staff = async |shop: &Shop| shop.store.staff(&shop.merchant).await.unwrap();
        self.same(&staff(&self.adapter).await, &staff(&self.model).await);
        let accounts = async |shop: &Shop| shop.store.accounts(&shop.merchant).await.unwrap();
        self.same(&accounts(&self.adapter).await, &accounts(&self.model).await);
        let counted = async |shop: &Shop| shop.store.statuses(&shop.merchant).await.unwrap();
        self.same(&counted(&self.adapter).await, &counted(&self.model).await);
        let dead = async |shop: &Shop| {
            let dead = shop.store.dead(&shop.merchant, Which::All, 20).await.unwrap();
            dead.into_iter().map(|it| DeadLetter { letter: Letter { row: 0, ..it.letter }, ..it }).collect::<Vec<_>>()
        };
        self.same(&dead(&self.adapter).await, &dead(&self.model).await);
        let waiting = async |shop: &Shop| {
            let mut waiting = shop.store.waiting(&shop.merchant).await.unwrap();
            waiting.iter_mut().flat_map(|it| &mut it.oldest).for_each(|letter| letter.row = 0);
            waiting
        };
        self.same(&waiting(&self.adapter).await, &waiting(&self.model).await);
        for scope in [Scope::Desk, Scope::Customer("c1")] {
            let lines = async |shop: &Shop| {
                let lines = shop.since(scope, 0, 999).await;
                assert!(lines.is_sorted_by(|a, b| a.seq < b.seq));
                lines.into_iter().map(|it| (it.conversation, it.author, it.body, it.at)).collect::<Vec<_>>()
            };
            self.same(&lines(&self.adapter).await, &lines(&self.model).await);
        }
        let talks = async |shop: &Shop| {
            let all = shop.transcript.conversations(&shop.merchant, 9).await.unwrap();
            all.into_iter().map(|it| (it.id, it.since, it.changed_at)).collect::<Vec<_>>()
        };
        self.same(&talks(&self.adapter).await, &talks(&self.model).await);
    }
}
