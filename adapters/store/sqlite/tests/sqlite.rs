//! SQLite keeps the store's contract, and what only a file can promise: it survives, it is shared, it can be damaged.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used, reason = "test code")]

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use till_core::contract::model::Model;
use till_core::contract::seeded::Seeded;
use till_core::contract::store::{Both, agrees, suite};
use till_core::id::{AccountId, Code, MerchantId, PaymentId, random};
use till_core::link::{Link, Purpose};
use till_core::money::{Currency, Money};
use till_core::order::{IdemKey, Wording};
use till_core::payment::{Approval, Fact, Status};
use till_core::place::{PersonId, Place};
use till_core::port::store::{
    Change, Commit, Committed, LetterKind, ListFilter, NewPayment, NewWork, On, Queue, Staff, Store, StoreError,
    Upkeep as _, Which, Work,
};
use till_core::time::Timestamp;
use till_sqlite::Sqlite;

const NOW: Timestamp = Timestamp::from_secs(1_795_372_200);
const LEASE: std::time::Duration = std::time::Duration::from_secs(30);

struct Files(tempfile::TempDir, AtomicU32);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), AtomicU32::new(0))
    }

    fn next(&self) -> PathBuf {
        self.0.path().join(format!("{}.db", self.1.fetch_add(1, Ordering::Relaxed)))
    }

    async fn fresh(&self) -> Both {
        Both::of(Arc::new(Sqlite::open(&self.next()).await.unwrap()))
    }
}

fn shop() -> MerchantId {
    MerchantId::new("default")
}

fn place() -> Place {
    Place { platform: "web".into(), workspace: "site".into(), channel: "c1".into(), thread: None }
}

/// Asks for 25 EUR.
fn coffee(seeded: &mut Seeded) -> (PaymentId, Commit) {
    let payment = PaymentId::new(NOW, seeded);
    let by = PersonId { platform: "web".into(), id: "ana".into() };
    let amount = Money::new(2500, Currency::parse("EUR").unwrap());
    let new = NewPayment {
        code: Code::new(seeded),
        account: AccountId::new("sandbox"),
        place: place(),
        wording: Wording { what: Some("coffee".into()), ..Wording::default() },
        links: vec![(Link { purpose: Purpose::Pay, n: 1, key: 1 }, random(seeded))],
    };
    let tell = Work::Tell { to: by.clone(), at: place(), text: "asked".into() };
    let change = Change {
        payment,
        on: On::New(Box::new(new)),
        facts: vec![Fact::Requested { amount, deadline: NOW.after(LEASE), approval: Approval::NotNeeded, by }],
        status: Status::Preparing,
        check_at: None,
        shows: till_core::port::store::Shows::OnCards,
        cards: vec![place()],
        work: vec![NewWork { key: IdemKey::show(payment, "asked"), work: tell, due: NOW }],
        objects: Vec::new(),
    };
    (payment, Commit { payment: Some(change), ..Commit::new(&shop(), NOW) })
}

/// Somebody presses *Pay* for the `k`-th time.
fn open(payment: PaymentId, version: u64, k: u32) -> Commit {
    let change = Change {
        payment,
        on: On::Version(version),
        facts: vec![Fact::LinkOpened { k }],
        status: Status::Open,
        check_at: None,
        shows: till_core::port::store::Shows::OnCards,
        cards: Vec::new(),
        work: Vec::new(),
        objects: Vec::new(),
    };
    Commit { payment: Some(change), ..Commit::new(&shop(), NOW) }
}

async fn sold(store: &Sqlite, seeded: &mut Seeded) -> PaymentId {
    let (id, commit) = coffee(seeded);
    assert_eq!(store.commit(commit).await.unwrap(), Committed::Done);
    id
}

/// Reaches around the store.
async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

#[tokio::test]
async fn sqlite_keeps_the_store_s_contract() {
    let files = Files::new();
    suite(|| files.fresh()).await;
}

#[tokio::test]
async fn sqlite_answers_as_the_model_does() {
    let files = Files::new();
    for seed in 0..10 {
        agrees(seed, &files.fresh().await, &Both::of(Arc::new(Model::new()))).await;
    }
}

#[test]
fn what_was_answered_is_there_after_the_process_is_gone() {
    let files = Files::new();
    let path = files.next();
    let run = || tokio::runtime::Runtime::new().unwrap();
    let first = run();
    let id = first.block_on(async {
        let store = Sqlite::open(&path).await.unwrap();
        let id = sold(&store, &mut Seeded::new(1)).await;
        // Neither closed nor dropped, as a process that is killed.
        std::mem::forget(store);
        id
    });
    first.shutdown_background();
    run().block_on(async {
        let store = Sqlite::open(&path).await.unwrap();
        assert_eq!(store.payment(&shop(), id).await.unwrap().unwrap().version, 1);
        assert_eq!(store.claim_work(Queue::Chat, NOW, LEASE, 9).await.unwrap().len(), 1);
        store.close().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_that_come_at_once_share_a_transaction() {
    let files = Files::new();
    let store = Arc::new(Sqlite::open(&files.next()).await.unwrap());
    let mut seeded = Seeded::new(1);
    let before = store.commits();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (store, (_, commit)) = (store.clone(), coffee(&mut seeded));
        tasks.spawn(async move { store.commit(commit).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await, vec![Committed::Done; 64]);
    let transactions = store.commits() - before;
    assert!(transactions <= 16, "{transactions} transactions for 64 decisions");
    let listed = store.payments(&shop(), &ListFilter { status: None, limit: 99 }).await.unwrap();
    assert_eq!(listed.len(), 64);
}

#[tokio::test]
async fn a_decision_that_fails_or_is_refused_does_not_harm_its_neighbours() {
    let files = Files::new();
    let store = Sqlite::open(&files.next()).await.unwrap();
    let mut seeded = Seeded::new(1);
    let ((first, a), (broken, mut b), (last, c)) = (coffee(&mut seeded), coffee(&mut seeded), coffee(&mut seeded));
    // The same token for two payments cannot happen and must not be written: SQLite refuses it after some rows.
    if let (Some(Change { on: On::New(a), .. }), Some(Change { on: On::New(b), .. })) = (&a.payment, &mut b.payment) {
        b.links = a.links.clone();
    }
    let before = store.commits();
    let stale = store.commit(open(first, 9, 1));
    let told = tokio::join!(store.commit(a), store.commit(b), stale, store.commit(c));
    assert!(matches!(told.1, Err(StoreError::Unavailable(_))), "{:?}", told.1);
    let others = [told.0, told.2, told.3].map(Result::unwrap);
    assert_eq!(others, [Committed::Done, Committed::Moved, Committed::Done]);
    assert_eq!(store.commits() - before, 1, "all four in one transaction");
    assert_eq!(store.payment(&shop(), broken).await.unwrap(), None);
    assert!(store.payment(&shop(), first).await.unwrap().is_some());
    assert!(store.payment(&shop(), last).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_on_one_file_one_is_done_and_one_has_moved() {
    let files = Files::new();
    let path = files.next();
    let (ours, theirs) = (Sqlite::open(&path).await.unwrap(), Sqlite::open(&path).await.unwrap());
    let id = sold(&ours, &mut Seeded::new(1)).await;
    for version in 1..=20 {
        let (a, b) = tokio::join!(ours.commit(open(id, version, 1)), theirs.commit(open(id, version, 2)));
        let mut told = [a.unwrap(), b.unwrap()];
        told.sort_by_key(|told| *told != Committed::Done);
        assert_eq!(told, [Committed::Done, Committed::Moved]);
        let read = ours.payment(&shop(), id).await.unwrap();
        assert_eq!(theirs.payment(&shop(), id).await.unwrap(), read);
    }
    let claim = |store| Store::claim_work(store, Queue::Chat, NOW, LEASE, 9);
    let (a, b) = tokio::join!(claim(&ours), claim(&theirs));
    assert_eq!(a.unwrap().len() + b.unwrap().len(), 1);
    theirs.close().await;
    assert_eq!(ours.commit(open(id, 21, 3)).await.unwrap(), Committed::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_may_make_one_file_at_once() {
    let files = Files::new();
    for _ in 0..5 {
        let path = files.next();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let path = path.clone();
            tasks.spawn(async move { Sqlite::open(&path).await });
        }
        for store in tasks.join_all().await {
            store.unwrap().close().await;
        }
    }
}

#[tokio::test]
async fn a_file_that_somebody_holds_is_unavailable_and_then_available() {
    let files = Files::new();
    let path = files.next();
    let store = Sqlite::open(&path).await.unwrap();
    let id = sold(&store, &mut Seeded::new(1)).await;
    let mut somebody = raw(&path).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut somebody).await.unwrap();
    let told = store.commit(open(id, 1, 1)).await;
    assert!(matches!(&told, Err(StoreError::Unavailable(why)) if why.contains("locked")), "{told:?}");
    assert_eq!(store.payment(&shop(), id).await.unwrap().unwrap().version, 1, "reading goes on");
    sqlx::query("ROLLBACK").execute(&mut somebody).await.unwrap();
    assert_eq!(store.commit(open(id, 1, 1)).await.unwrap(), Committed::Done);
}

#[tokio::test]
async fn a_commit_that_fails_is_answered_to_all_of_its_group_and_the_next_one_works() {
    let files = Files::new();
    let path = files.next();
    let store = Sqlite::open(&path).await.unwrap();
    let mut db = raw(&path).await;
    // Whoever adds eve owes a row that is looked for at the commit, and stands in the way of it.
    let trap = "CREATE TABLE parent (id INTEGER PRIMARY KEY); \
        CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED); \
        CREATE TRIGGER trap AFTER INSERT ON staff WHEN new.id = 'eve' BEGIN INSERT INTO child VALUES (1); END";
    sqlx::raw_sql(trap).execute(&mut db).await.unwrap();
    let merchant = shop();
    let [ana, eve, ben] = ["ana", "eve", "ben"].map(|id| Staff { id: id.into(), name: id.into(), since: NOW });
    let told = tokio::join!(store.add_staff(&merchant, &ana), store.add_staff(&merchant, &eve));
    assert!(matches!(told, (Err(StoreError::Unavailable(_)), Err(StoreError::Unavailable(_)))), "{told:?}");
    store.add_staff(&merchant, &ben).await.unwrap();
    assert_eq!(store.staff(&merchant).await.unwrap(), [ben]);
}

#[tokio::test]
async fn a_closed_store_says_so_and_has_written_what_was_queued() {
    let files = Files::new();
    let path = files.next();
    let store = Sqlite::open(&path).await.unwrap();
    let (id, commit) = coffee(&mut Seeded::new(1));
    let (told, ()) = tokio::join!(store.commit(commit), store.close());
    assert_eq!(told.unwrap(), Committed::Done);
    assert!(matches!(store.commit(open(id, 1, 1)).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.payment(&shop(), id).await, Err(StoreError::Unavailable(_))));
    store.close().await;
    assert!(!path.with_extension("db-wal").exists(), "all of it is in the one file");
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_says_nothing_of_its_words() {
    let files = Files::new();
    let path = files.next();
    let store = Sqlite::open(&path).await.unwrap();
    let id = sold(&store, &mut Seeded::new(1)).await;
    let mut db = raw(&path).await;
    sqlx::query("UPDATE wording SET body = '{\"what\": 7, \"note\": \"Zoë\"}'").execute(&mut db).await.unwrap();
    let told = store.payment(&shop(), id).await.unwrap_err().to_string();
    assert!(told.contains(&format!("`payment/{id}`")) && told.contains("words") && !told.contains("Zoë"), "{told}");
    let told = store.payments(&shop(), &ListFilter::default()).await.unwrap_err().to_string();
    assert!(told.contains(&format!("`payment/{id}`")), "{told}");
    sqlx::query("UPDATE wording SET body = '{}'").execute(&mut db).await.unwrap();
    sqlx::query("UPDATE fact SET body = '{\"fact\": \"teleported\"}'").execute(&mut db).await.unwrap();
    let told = store.payment(&shop(), id).await.unwrap_err().to_string();
    assert!(told.contains("`fact/1`"), "{told}");
}

#[tokio::test]
async fn work_that_cannot_be_read_blocks_nobody_and_stays() {
    let files = Files::new();
    let path = files.next();
    let store = Sqlite::open(&path).await.unwrap();
    let mut seeded = Seeded::new(1);
    let (newer, readable) = (sold(&store, &mut seeded).await, sold(&store, &mut seeded).await);
    let mut db = raw(&path).await;
    let sql = "UPDATE outbox SET body = '{\"work\": \"of tomorrow\"}' WHERE payment = ?1";
    sqlx::query(sql).bind(newer.to_string()).execute(&mut db).await.unwrap();
    assert_eq!(store.claim_work(Queue::Chat, NOW, LEASE, 1).await.unwrap().len(), 0);
    let claimed = store.claim_work(Queue::Chat, NOW, LEASE, 1).await.unwrap();
    assert_eq!(claimed[0].payment, readable);
    assert_eq!(store.backlog().await.unwrap().work, 2);
}

#[tokio::test]
async fn what_an_older_program_gave_up_is_listed_and_comes_again() {
    let files = Files::new();
    let path = files.next();
    let store = Sqlite::open(&path).await.unwrap();
    let id = sold(&store, &mut Seeded::new(1)).await;
    let mut db = raw(&path).await;
    for table in ["outbox", "card"] {
        let sql = format!("UPDATE {table} SET state = 'dead', owed_at = NULL, dead_at = NULL, why = NULL");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    }
    let dead = store.dead(&shop(), Which::Payment(id), 9).await.unwrap();
    let told: Vec<_> = dead.iter().map(|it| (it.letter.kind, it.letter.since, it.given_up)).collect();
    assert_eq!(told, [(LetterKind::Message, NOW, NOW), (LetterKind::Card, NOW, NOW)]);
    assert_eq!(store.revive(&shop(), Which::All, NOW).await.unwrap(), 2);
    assert_eq!(store.claim_work(Queue::Chat, NOW, LEASE, 9).await.unwrap().len(), 1);
    assert_eq!(store.claim_cards(NOW, LEASE, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_newer_migration_is_left_alone_and_a_changed_one_is_refused() {
    let files = Files::new();
    let path = files.next();
    Sqlite::open(&path).await.unwrap().close().await;
    let mut db = raw(&path).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        VALUES (9999, 'of tomorrow', 1, x'00', 1)";
    sqlx::query(newer).execute(&mut db).await.unwrap();
    let store = Sqlite::open(&path).await.unwrap();
    sold(&store, &mut Seeded::new(1)).await;
    store.close().await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").execute(&mut db).await.unwrap();
    let told = Sqlite::open(&path).await.unwrap_err().to_string();
    assert!(told.contains("migration 1 ") && told.contains(".db`"), "{told}");
    db.close().await.unwrap();
}

#[tokio::test]
async fn what_is_no_database_is_refused_by_name() {
    let files = Files::new();
    let path = files.next();
    std::fs::write(&path, "dear diary, ".repeat(100)).unwrap();
    for path in [path.as_path(), Path::new("/nowhere/till.db"), Path::new("/")] {
        let told = Sqlite::open(path).await.unwrap_err().to_string();
        assert!(told.contains(&format!("`{}`", path.display())), "{told}");
    }
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("dear diary"));
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let files = Files::new();
    let path = files.next();
    let store = Sqlite::open(&path).await.unwrap();
    sold(&store, &mut Seeded::new(1)).await;
    for name in ["db", "db-wal", "db-shm"] {
        let mode = std::fs::metadata(path.with_extension(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
