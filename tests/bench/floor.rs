//! The floor: what an answer costs that waits for one durable commit, with nothing of Till in between.
//!
//! ```text
//! reqwest ─► axum: answers                                  a round trip
//!            sqlx: BEGIN IMMEDIATE, rows, COMMIT (fsync)    a commit
//! reqwest ─► axum: commits, then answers                    both
//! ```
//! The rows are about as many and as large as those of a `/pay`: two keys of the inbox, the payment, two facts, the
//! order in the outbox, the card.

use crate::sample::{self, Row};
use crate::{CROWD, CROWD_COMMANDS, MODEST, MODEST_COMMANDS};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

const ROWS: usize = 7;
const ROW_BYTES: usize = 400;
/// About as long as what Slack posts of a command.
const REQUEST_BYTES: usize = 600;

type Db = Arc<Mutex<SqliteConnection>>;

/// All of it, at the paces at which Till is measured.
pub(crate) async fn rows(folder: &Path) -> Vec<Row> {
    eprintln!("── the floor");
    let db = open(&folder.join("floor.db")).await;
    let url = serve(&db).await;
    let http = reqwest::Client::new();
    let post = async |path: &str| {
        let began = Instant::now();
        let answer = http.post(format!("{url}/{path}")).body("x".repeat(REQUEST_BYTES)).send().await.unwrap();
        answer.error_for_status().unwrap().bytes().await.unwrap();
        began.elapsed()
    };
    let trips = sample::take(MODEST, MODEST_COMMANDS, async |_| post("answer").await).await;
    let commits = sample::take(MODEST, MODEST_COMMANDS, async |_| commit(&db).await).await;
    let both = sample::take(MODEST, MODEST_COMMANDS, async |_| post("commit").await).await;
    let crowd = sample::take(CROWD, CROWD_COMMANDS, async |_| post("answer").await).await;
    vec![
        Row::new(format!("floor: HTTP round trip, {MODEST}"), trips),
        Row::new(format!("floor: one durable SQLite commit, {MODEST}"), commits),
        Row::new(format!("floor: HTTP, answered after a commit, {MODEST}"), both),
        Row::new(format!("floor: HTTP round trip, {CROWD}"), crowd),
    ]
}

/// As Till's store opens its file.
async fn open(path: &Path) -> Db {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut db = options.disable_statement_logging().connect().await.unwrap();
    sqlx::query("CREATE TABLE kept (row INTEGER PRIMARY KEY, text TEXT NOT NULL)").execute(&mut db).await.unwrap();
    Arc::new(Mutex::new(db))
}

async fn commit(db: &Db) -> Duration {
    let began = Instant::now();
    let mut db = db.lock().await;
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for _ in 0..ROWS {
        let row = sqlx::query("INSERT INTO kept (text) VALUES (?1)").bind("x".repeat(ROW_BYTES));
        row.execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    began.elapsed()
}

async fn serve(db: &Db) -> String {
    let committed = async |State(db): State<Db>| {
        commit(&db).await;
        "{}"
    };
    let router = Router::new().route("/answer", post(async || "{}")).route("/commit", post(committed));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = router.with_state(db.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
