//! Judges that others wrote, official SDKs and a Slack: a Node process that answers one line of JSON with another.
//!
//! What each can be asked stands at the head of its `tests/judges/*/judge.mjs`.

use super::PATIENCE;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What others wrote: the folder, the variable that says where they are installed, and the program.
struct Written {
    folder: &'static str,
    variable: &'static str,
    program: &'static str,
}

const STRIPE: Written =
    Written { folder: "stripe", variable: "TILL_STRIPE_JUDGE", program: include_str!("../judges/stripe/judge.mjs") };
const SLACK: Written =
    Written { folder: "slack", variable: "TILL_SLACK_JUDGE", program: include_str!("../judges/slack/judge.mjs") };
const EMULATE: Written =
    Written { folder: "emulate", variable: "TILL_EMULATE_JUDGE", program: include_str!("../judges/emulate/judge.mjs") };

/// A judge that listens. Its process ends with it.
pub(crate) struct Judge {
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Judge {
    /// Stripe's. `None` where there is none; then the test is left out, unless it is required.
    pub(crate) fn open(test: &str) -> Option<Self> {
        Self::of(&STRIPE, test)
    }

    /// Slack's, likewise.
    pub(crate) fn slack(test: &str) -> Option<Self> {
        Self::of(&SLACK, test)
    }

    /// A Slack that is neither Slack's nor ours, likewise.
    pub(crate) fn emulate(test: &str) -> Option<Self> {
        Self::of(&EMULATE, test)
    }

    fn of(written: &Written, test: &str) -> Option<Self> {
        match Self::start(written) {
            Ok(judge) => Some(judge),
            Err(why) => {
                assert!(std::env::var_os("TILL_TEST_JUDGE").is_none(), "{why}: run `cargo xtask test`");
                till_core::contract::left_out(test, why);
                None
            }
        }
    }

    fn start(written: &Written) -> Result<Self, &'static str> {
        let usual =
            || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(format!("judges/{}/judge.mjs", written.folder));
        let program = std::env::var_os(written.variable).map_or_else(usual, PathBuf::from);
        let text = std::fs::read_to_string(&program).map_err(|_| "the judge is not installed")?;
        // A copy from before would judge by rules that nobody reads any more.
        if text != written.program {
            return Err("the installed judge is not the one in tests/judges");
        }
        let node = std::env::var_os("TILL_NODE").unwrap_or_else(|| "node".into());
        let mut node = Command::new(node);
        node.arg(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = node.spawn().map_err(|_| "Node is not installed")?;
        let questions = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Ok(Self { questions, answers, _process: process })
    }

    /// Waits for the answer, while a server in the same runtime may serve the judge.
    pub(crate) async fn ask(&mut self, question: &Value) -> Value {
        let asked = async {
            self.questions.write_all(format!("{question}\n").as_bytes()).await?;
            self.answers.next_line().await
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await.expect("the judge answers in time");
        let answer = answer.unwrap().expect("the judge still runs");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}
