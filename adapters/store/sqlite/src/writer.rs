//! The one writer: it takes all that is queued and writes it in one transaction.
//!
//! ```text
//! queue: a b c d ─► BEGIN IMMEDIATE
//!                   SAVEPOINT a … RELEASE      SAVEPOINT b, fails: ROLLBACK TO b, RELEASE      c …      d …
//!                   COMMIT: one fsync ─► answers to a, b, c, d
//! ```
//! While one group is on its way to the disk the next one gathers, so that the disk sets the size of the group.
//!
//! Deliberately absent: retries. A group that cannot be committed is answered as such; whoever asked knows what to do.

use crate::{Db, Result, failed};
use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use till_core::port::store::StoreError;
use tokio::sync::{mpsc, oneshot};

/// Most decisions in one transaction.
const GROUP_MAX: usize = 128;

/// Most that wait; beyond it, callers wait to be queued.
const QUEUE_MAX: usize = 1024;

/// One write under way.
pub(crate) type Step<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// The way to the writer's task.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
    commits: Arc<AtomicU64>,
}

enum Message {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the task. It ends with [`Writer::close`], or when the last way to it is dropped.
    pub(crate) fn start(options: SqliteConnectOptions, db: Db) -> Self {
        let (queue, inbox) = mpsc::channel(QUEUE_MAX);
        let commits = Arc::new(AtomicU64::new(0));
        tokio::spawn(Task { options, db: Some(db), commits: commits.clone() }.serve(inbox));
        Self { queue, commits }
    }

    /// Runs `step` in a transaction and answers when that is on the disk. What fails leaves nothing.
    pub(crate) async fn write<T, F>(&self, step: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Db) -> Step<'c, T> + Send + 'static,
    {
        let (to, answer) = oneshot::channel();
        let job = Asked { step: Some(step), result: None, to };
        self.queue.send(Message::Write(Box::new(job))).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(crate) async fn close(&self) {
        let (to, closed) = oneshot::channel();
        if self.queue.send(Message::Close(to)).await.is_ok() {
            // Gone already is closed as well.
            let _ = closed.await;
        }
    }
}

fn closed() -> StoreError {
    failed("the store is closed")
}

/// A write that waits for its turn, and then for the commit.
#[async_trait]
trait Job: Send {
    async fn run(&mut self, db: &mut Db) -> Ran;
    /// Says what came of it, or why the whole group was `lost`.
    fn answer(self: Box<Self>, lost: Option<&str>);
}

enum Ran {
    Well,
    Failed,
}

struct Asked<T, F> {
    step: Option<F>,
    result: Option<Result<T>>,
    to: oneshot::Sender<Result<T>>,
}

#[async_trait]
impl<T, F> Job for Asked<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut Db) -> Step<'c, T> + Send,
{
    async fn run(&mut self, db: &mut Db) -> Ran {
        let Some(step) = self.step.take() else { return Ran::Failed };
        let result = step(db).await;
        let ran = if result.is_ok() { Ran::Well } else { Ran::Failed };
        self.result = Some(result);
        ran
    }

    fn answer(self: Box<Self>, lost: Option<&str>) {
        let result = match (lost, self.result) {
            (Some(why), _) => Err(failed(why)),
            (None, Some(result)) => result,
            (None, None) => Err(failed("never ran")),
        };
        // Whoever asked may be gone.
        let _ = self.to.send(result);
    }
}

struct Task {
    options: SqliteConnectOptions,
    /// None after a group failed: the next one begins on a fresh connection, whatever state that left the old one in.
    db: Option<Db>,
    commits: Arc<AtomicU64>,
}

impl Task {
    async fn serve(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut messages = Vec::new();
        while queue.recv_many(&mut messages, GROUP_MAX).await > 0 {
            let mut group = Vec::new();
            for message in messages.drain(..) {
                match message {
                    Message::Write(job) => group.push(job),
                    Message::Close(done) => {
                        self.write(group).await;
                        self.hang_up().await;
                        // Whoever waited for it may be gone.
                        let _ = done.send(());
                        return;
                    }
                }
            }
            self.write(group).await;
        }
        self.hang_up().await;
    }

    async fn write(&mut self, mut group: Vec<Box<dyn Job>>) {
        if group.is_empty() {
            return;
        }
        let written = self.transact(&mut group).await;
        if written.is_err() {
            self.hang_up().await;
        }
        let why = written.err().map(|error| error.to_string());
        for job in group {
            job.answer(why.as_deref());
        }
    }

    async fn transact(&mut self, group: &mut [Box<dyn Job>]) -> sqlx::Result<()> {
        let db = match &mut self.db {
            Some(db) => db,
            gone => gone.insert(self.options.connect().await?),
        };
        execute(db, "BEGIN IMMEDIATE").await?;
        for job in group {
            execute(db, "SAVEPOINT job").await?;
            match job.run(db).await {
                Ran::Well => {}
                // A full disk ends the whole transaction; then this fails, and with it the group.
                Ran::Failed => execute(db, "ROLLBACK TO job").await?,
            }
            execute(db, "RELEASE job").await?;
        }
        execute(db, "COMMIT").await?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn hang_up(&mut self) {
        if let Some(db) = self.db.take()
            && let Err(error) = db.close().await
        {
            tracing::warn!(%error, "store: the connection did not close well");
        }
    }
}

async fn execute(db: &mut Db, sql: &'static str) -> sqlx::Result<()> {
    sqlx::query(sql).execute(db).await.map(drop)
}
