//! The real binary with a provider beside it: started, killed as a power cut would, and asked what it knows.

use super::provider::{Provider, Which};
use crate::support::{Side, browser, eventually, location};
use reqwest::header::ORIGIN;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How many ask the command line at the same time.
const ASKING: usize = 4;

/// A till, and its provider.
pub(super) struct Shop {
    pub(super) folder: tempfile::TempDir,
    pub(super) till_url: String,
    admin_url: String,
    till: Child,
    pub(super) provider: Provider,
    /// How often till was killed.
    pub(super) kills: u64,
    /// What all its lives counted, as far as they could tell before they were killed.
    counts: BTreeMap<String, u64>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(super) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_till"));
    command.current_dir(folder).env("TILL_SANDBOX_KEY", super::provider::KEY);
    command.env("TILL_SANDBOX_WEBHOOK_SECRET", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0");
    command.stdin(Stdio::null());
    command
}

pub(super) fn run(folder: &Path, args: &[&str]) -> String {
    let output = command(folder).args(args).output().unwrap();
    assert!(output.status.success(), "till {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Shop {
    pub(super) async fn open(which: Which) -> Self {
        Self::talking(which, |_, _| String::new()).await
    }

    /// One that talks elsewhere too: `talk` gives what till.toml says of it, from the folder and till's address.
    pub(super) async fn talking(which: Which, talk: impl FnOnce(&Path, &str) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [till, admin, provider] = [free_port(), free_port(), free_port()];
        let url = |port| format!("http://127.0.0.1:{port}");
        let config = format!(
            "[http]\nlisten = \"127.0.0.1:{till}\"\npublic_url = \"{}\"\nadmin = \"127.0.0.1:{admin}\"\n\
             [refunds]\nalone_max = [\"1000 EUR\"]\nperson_day_max = [\"100000 EUR\"]\nmerchant_day_max = [\"100000 EUR\"]\n\
             [reconciler]\npoll_min_s = 1\npoll_max_s = 2\nsweep_s = 1\n[log]\nlevel = \"info\"\n{}{}",
            url(till),
            which.config(provider),
            talk(folder.path(), &url(till)),
        );
        std::fs::write(folder.path().join("till.toml"), config).unwrap();
        let provider = which.open(folder.path(), provider, &url(till)).await;
        let (till_url, admin_url) = (url(till), url(admin));
        let till = serve(folder.path());
        let shop = Self { till, provider, folder, till_url, admin_url, kills: 0, counts: BTreeMap::new() };
        shop.up().await;
        shop
    }

    /// Waits until it answers.
    async fn up(&self) {
        let http = browser();
        let url = format!("{}/healthz", self.till_url);
        let up = eventually(async || http.get(&url).send().await.ok().filter(|answer| answer.status().is_success()));
        up.await.expect("till came up again");
    }

    /// Ends it as a power cut would, and starts it again.
    pub(super) async fn kill(&mut self) {
        let counted = self.counted().await;
        self.till.kill().unwrap(); // SIGKILL
        self.till.wait().unwrap();
        self.counts = counted;
        self.kills += 1;
        self.till = serve(self.folder.path());
        self.up().await;
    }

    pub(super) fn run(&self, args: &[&str]) -> String {
        run(self.folder.path(), args)
    }

    /// A desk that staff came into by a one-time link.
    pub(super) async fn desk(&self) -> Side {
        self.run(&["staff", "add", "ana", "Ana"]);
        let printed = self.run(&["staff", "invite", "ana"]);
        let link = printed.lines().last().unwrap().trim();
        let http = browser();
        assert!(http.get(link).send().await.unwrap().status().is_success());
        let entered = http.post(link).header(ORIGIN, &self.till_url).send().await.unwrap();
        assert_eq!(location(entered.headers()), "/desk");
        Side::new(http, &self.till_url, "desk")
    }

    /// Every payment with its facts.
    pub(super) fn payments(&self) -> Vec<Value> {
        let listed = self.run(&["payments", "list", "--json", "--limit", "100000"]);
        let lines: Vec<&str> = listed.lines().collect();
        let show = |line: &&str| -> Value {
            let listed: Value = serde_json::from_str(line).unwrap();
            let shown = self.run(&["payments", "show", "--json", listed["code"].as_str().unwrap()]);
            serde_json::from_str(&shown).unwrap()
        };
        let some = lines.len().div_ceil(ASKING).max(1);
        std::thread::scope(|scope| {
            let asking: Vec<_> = lines
                .chunks(some)
                .map(|lines| scope.spawn(move || lines.iter().map(show).collect::<Vec<_>>()))
                .collect();
            asking.into_iter().flat_map(|asked| asked.join().unwrap()).collect()
        })
    }

    async fn status(&self) -> Option<Value> {
        let url = format!("{}/status", self.admin_url);
        let answer = browser().get(url).timeout(Duration::from_secs(2)).send().await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    pub(super) async fn backlog(&self) -> Value {
        self.status().await.expect("a till that nobody kills says how it is")["backlog"].clone()
    }

    /// What this life and all before it have counted.
    pub(super) async fn counted(&self) -> BTreeMap<String, u64> {
        let mut all = self.counts.clone();
        let status = self.status().await.unwrap_or_default();
        for (name, count) in status["since_start"].as_object().into_iter().flatten() {
            *all.entry(name.clone()).or_default() += count.as_u64().unwrap_or_default();
        }
        all
    }
}

fn serve(folder: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("till.log")).unwrap();
    command(folder).arg("serve").stderr(log).spawn().unwrap()
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.till.kill();
        let _ = self.till.wait();
        self.provider.end();
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("logs and databases are kept in {}", self.folder.path().display());
        }
    }
}
