//! Accounts at providers: added, chosen, rotated and closed by the host; read again by a running till.

use crate::configuration::till;
use secrecy::ExposeSecret;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use till::accounts::{Reread, Source};
use till::assemble::adapter;
use till::world::Accounts;
use till_core::contract::model::Model;
use till_core::id::{AccountId, MerchantId};
use till_core::port::psp::{Access, AccountSettings};
use till_core::port::store::{AccountRow, Store};
use till_core::time::Timestamp;

fn good(folder: &Path, args: &[&str]) -> String {
    let (good, said) = till(folder, args);
    assert!(good, "{args:?}: {said}");
    said
}

const LATER: &str = "A running till reads this within 5 seconds. Only a variable of the environment that it was not \
                     started with needs a restart.\n";

#[test]
fn an_account_is_added_listed_chosen_rotated_closed_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = folder.join("key");
    let said = good(folder, &["account", "list"]);
    assert_eq!(said, "No accounts yet. Add one: till account add PSP ID --key env:NAME\n");
    std::fs::write(folder.join("till.toml"), "[http]\npublic_url = \"https://pay.example.com\"").unwrap();

    std::fs::write(&key, "sk_test_first").unwrap();
    let said = good(folder, &["account", "add", "sandbox", "first", "--key", "file:key"]);
    assert_eq!(
        said,
        format!(
            "first is added, and takes new payments from now on (TEST: no real money moves).\n{LATER}Next:\n  1. \
             register this webhook at the provider: https://pay.example.com/hooks/sandbox/first\n  2. tell where its \
             signing secret lies: till account secrets first --webhook-secret env:NAME\n  3. look whether all is well: \
             till doctor\n"
        )
    );
    #[rustfmt::skip]
    let second = [
        "account", "add", "sandbox", "second", "--key", "env:KEY", "--webhook-secret", "env:NEW",
        "--webhook-secret", "env:OLD", "--provider-account", "acct_2", "--connected", "--live",
        "--base-url", "http://127.0.0.1:9/", "--without-method", "klarna", "--authenticate-from", "100 EUR",
        "--authenticate-from", "100 USD", "--descriptor-suffix", "CAFE",
    ];
    assert!(good(folder, &second).contains("live: real money moves"));
    let first = format!("    key               file:{}\n", key.display());
    let plain = "    webhook secrets   none\n    provider account  acct_sandbox\n";
    let rest = "    key               env:KEY\n    webhook secrets   env:NEW, env:OLD\n    \
                provider account  acct_2 (by a platform's key)\n    base URL          http://127.0.0.1:9\n    \
                without methods   klarna\n    authenticate from 100.00 EUR, 100.00 USD\n    descriptor suffix CAFE\n";
    let (one, two) = ("first                sandbox    TEST  ", "second               sandbox    live  ");
    assert_eq!(
        good(folder, &["account", "list"]),
        format!("{two}takes new payments\n{rest}{one}open, in reserve\n{first}{plain}")
    );

    let said = good(folder, &["account", "use", "first"]);
    assert_eq!(said, "first takes new payments from now on (TEST).\n");
    let said = good(folder, &["account", "secrets", "first", "--webhook-secret", "env:B", "env:A"]);
    let note = |name| {
        format!("Note: env:{name} cannot be read from here: the environment has no `{name}`. The till needs it.\n")
    };
    assert_eq!(said, format!("first believes webhooks signed with: env:B, env:A\n{LATER}{}{}", note("B"), note("A")));
    let said = good(folder, &["account", "close", "first", "--why", "the key leaked"]);
    assert!(said.contains("first is closed: the key leaked.") && said.contains("go to second (live)"), "{said}");
    let said = good(folder, &["account", "close", "second", "--why", "holidays"]);
    assert!(said.contains("No account takes new payments now"), "{said}");
    let said = good(folder, &["account", "close", "first", "--why", "another reason"]);
    assert!(said.contains("first is closed: the key leaked."), "the first reason stays: {said}");
    let list = good(folder, &["account", "list"]);
    assert!(list.contains(": the key leaked\n") && list.contains(": holidays\n") && !list.contains("takes"), "{list}");
    assert!(list.contains("webhook secrets   env:B, env:A\n"), "{list}");
    let (fine, said) = till(folder, &["account", "use", "first"]);
    assert!(!fine && said.contains("till account reopen first"), "{said}");
    assert_eq!(
        good(folder, &["account", "reopen", "second"]),
        "second is open again.\nNew payments go to second (live).\n"
    );
}

#[test]
fn what_cannot_be_an_account_is_refused_with_what_to_write_and_a_secret_is_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let secret = "sk_live_oops";
    let add = |id: &'static str, more: &[&'static str]| [&["account", "add", "sandbox", id][..], more].concat();
    for (args, words) in [
        (add("a b", &["--key", "env:K"]), "`a b` cannot be an account id"),
        (add("main", &["--key", "sk_live_oops"]), "--key: a secret is not typed here"),
        (add("main", &["--key", "env:sk_live_oops"]), "in capitals, like `env:SHOP_KEY`"),
        (add("main", &["--key", "env:"]), "in capitals"),
        (add("main", &["--key", "file:"]), "name a file"),
        (add("main", &["--key", "env:K", "--webhook-secret", "whsec_sk_live_oops"]), "--webhook-secret: a secret"),
        (add("main", &["--key", "env:K", "--connected"]), "--provider-account acct_…"),
        (add("main", &["--key", "env:K", "--base-url", "http://api.example.com"]), "begin with `https://`"),
        (add("main", &["--key", "env:K", "--base-url", "https://u:sk_live_oops@api.example.com"]), "--base-url"),
        (add("main", &["--key", "env:K", "--base-url", "nowhere"]), "begin with `https://`"),
        (add("main", &["--key", "env:K", "--authenticate-from", "much"]), "--authenticate-from: "),
        (
            add("main", &["--key", "env:K", "--authenticate-from", "1 EUR", "--authenticate-from", "2"]),
            "`EUR` stands there twice",
        ),
        (add("main", &["--key", "env:K", "--without-method", " "]), "--without-method has nothing after it"),
        (
            vec!["account", "add", "paypol", "main", "--key", "env:K"],
            "no provider `paypol` in this program, which was built with: sandbox",
        ),
        (vec!["account", "secrets", "main", "--webhook-secret", "sk_live_oops"], "a secret is not typed here"),
        (vec!["account", "close", "main", "--why", " "], "write why"),
    ] {
        let (good, said) = till(folder, &args);
        assert!(!good && said.contains(words) && !said.contains("panicked"), "{args:?}: {said}");
        assert!(!said.contains(secret), "{args:?} repeats the secret: {said}");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "a refusal made a file");

    good(folder, &add("main", &["--key", "env:K", "--base-url", "http://[::1]:8790"]));
    for (args, words) in [
        (add("main", &["--key", "env:K"]), "there is an account `main` already"),
        (vec!["account", "use", "other"], "there is no account `other`: `till account list`"),
        (vec!["account", "reopen", "other"], "there is no account `other`"),
    ] {
        let (good, said) = till(folder, &args);
        assert!(!good && said.contains(words), "{args:?}: {said}");
    }
}

#[test]
fn the_sandbox_of_till_toml_comes_last_and_is_changed_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("key"), "sk_test_k").unwrap();
    let settings = "[sandbox]\nenabled = true\napi_key = \"file:key\"\nwebhook_secret = \"file:key\"";
    std::fs::write(folder.join("till.toml"), settings).unwrap();
    let said = good(folder, &["check"]);
    assert!(said.contains("sandbox: sandbox at http://127.0.0.1:8790 (TEST, no real money), takes new"), "{said}");
    assert!(!folder.join("till-data").exists(), "check made the database");
    let (fine, said) = till(folder, &["account", "add", "sandbox", "sandbox", "--key", "env:K"]);
    assert!(!fine && said.contains("there is an account `sandbox` already"), "{said}");
    let (fine, said) = till(folder, &["account", "close", "sandbox", "--why", "x"]);
    assert!(!fine && said.contains("`sandbox` stands in till.toml: change it there"), "{said}");

    good(folder, &["account", "add", "sandbox", "own", "--key", "file:key", "--base-url", "https://sandbox.example"]);
    let said = good(folder, &["check"]);
    let own = "  account    own: sandbox at https://sandbox.example (TEST, no real money), takes new payments\n";
    let last = "  account    sandbox: sandbox at http://127.0.0.1:8790 (TEST, no real money), in reserve\n";
    assert!(said.contains(&format!("{own}{last}")), "{said}");
    good(folder, &["account", "close", "own", "--why", "done"]);
    let said = good(folder, &["check"]);
    assert!(said.contains("closed: done") && said.contains("no real money), takes new payments"), "{said}");
}

#[test]
fn the_difficult_sandbox_of_till_toml_needs_no_webhook_secret() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("key"), "sk_test_k").unwrap();
    let settings = "[sandbox]\nenabled = true\napi_key = \"file:key\"\ndifficult = true";
    std::fs::write(folder.join("till.toml"), settings).unwrap();
    let said = good(folder, &["check"]);
    assert!(
        said.contains("sandbox: sandbox-difficult at http://127.0.0.1:8790 (TEST, no real money), takes new"),
        "{said}"
    );
}

#[test]
fn a_till_without_any_account_says_how_to_add_one_and_with_an_unreadable_one_which() {
    let folder = tempfile::tempdir().unwrap();
    let (fine, said) = till(folder.path(), &["serve"]);
    assert!(!fine && said.contains("till account add PSP ID --key env:NAME"), "{said}");
    good(folder.path(), &["account", "add", "sandbox", "main", "--key", "env:TILL_SURELY_NOT_SET"]);
    for command in ["serve", "check"] {
        let (fine, said) = till(folder.path(), &[command]);
        assert!(!fine && said.contains("account `main`: the environment has no `TILL_SURELY_NOT_SET`"), "{said}");
    }
}

#[test]
fn a_key_that_cannot_be_meant_is_refused_and_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let add = |psp: &str, id: &str, key: &str, more: &[&str]| {
        std::fs::write(folder.join("key"), key).unwrap();
        till(folder, &[&["account", "add", psp, id, "--key", "file:key"], more].concat())
    };
    for (psp, key, more, why) in [
        ("stripe", "rk_live_SECRET", &[][..], "is a live key, and the account is set up for tests"),
        ("stripe", "rk_test_SECRET", &["--live"], "is a test key, and the account is set up for real money"),
        ("stripe", "pk_test_SECRET", &[], "is a publishable key"),
        ("stripe", "whsec_SECRET", &[], "does not begin with sk_ or rk_"),
        ("stripe", "KEY=rk_test_SECRET", &[], "does not begin with sk_ or rk_"),
        ("stripe", "rk_test_SECRET x", &[], "such as a space or a quote"),
        ("sandbox", "sk_test_SECRET", &["--live"], "the sandbox moves none"),
        ("sandbox", "SECRET", &[], "does not begin with sk_test_"),
    ] {
        let (fine, said) = add(psp, "bad", key, more);
        assert!(!fine && said.contains(why) && !said.contains("SECRET"), "{said}");
    }
    let (fine, said) = add("stripe", "main", "rk_test_1", &[]);
    assert!(fine && said.contains("without http.public_url, till asks Stripe every minute"), "{said}");
    let said = good(folder, &["account", "add", "sandbox", "spare", "--key", "file:nowhere"]);
    assert!(said.contains("main takes none from now on; `till account use main` goes back."), "{said}");
    assert!(said.contains("Note: file:") && said.contains("cannot be read from here"), "{said}");
    good(folder, &["account", "use", "main"]);
    let said = good(folder, &["check"]);
    assert!(said.contains("main: stripe at"), "a broken account in reserve stops nothing: {said}");

    std::fs::write(folder.join("next"), "rk_test_2").unwrap();
    let said = good(folder, &["account", "key", "main", "file:next"]);
    assert!(said.contains("main uses the key in file:") && said.contains(LATER), "{said}");
    std::fs::write(folder.join("live"), "rk_live_2").unwrap();
    let (fine, said) = till(folder, &["account", "key", "main", "file:live"]);
    assert!(!fine && said.contains("is a live key"), "{said}");
    let (fine, said) = till(folder, &["stripe", "webhook", "main", "--url", "https://till.example.com"]);
    assert!(!fine && said.contains("end with /hooks/stripe/main"), "{said}");
    assert!(good(folder, &["reconcile"]).starts_with("No payments yet, so nothing was compared.\n"));
}

/// A running till's accounts, and the files that their secrets lie in.
struct Shop {
    folder: tempfile::TempDir,
    model: Model,
    accounts: Accounts,
    reread: Reread,
}

impl Shop {
    fn new() -> Self {
        let configured = Vec::new();
        let source = Source { configured, adapter, every: Duration::from_secs(5) };
        let (folder, model) = (tempfile::tempdir().unwrap(), Model::new());
        Self { folder, model, accounts: Accounts::new(Vec::new()), reread: Reread::new(source) }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn row(&self, id: &str, chosen: i64) -> AccountRow {
        let place = |name: &str| format!("file:{}", self.folder.path().join(name).display());
        AccountRow {
            id: AccountId::new(id),
            psp: "sandbox".into(),
            base_url: String::new(),
            api_key: place("key"),
            provider_account: "acct_1".into(),
            access: Access::Own,
            livemode: false,
            webhook_secrets: vec![place("new"), place("old")],
            settings: AccountSettings::default(),
            since: Timestamp::from_secs(0),
            chosen_at: Timestamp::from_secs(chosen),
            closed: None,
        }
    }

    async fn put(&self, row: &AccountRow) {
        self.model.put_account(&MerchantId::new("default"), row).await.unwrap();
    }

    async fn reads(&mut self) -> bool {
        self.reread.step(&self.model, &MerchantId::new("default"), &self.accounts).await.unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        let at = self.accounts.for_new().unwrap();
        at.account.webhook_secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_running_till_sees_new_accounts_new_secrets_and_closings() {
    let mut shop = Shop::new();
    assert!(!shop.reads().await && shop.accounts.for_new().is_none());
    for (name, text) in [("key", "sk_test_1\n"), ("new", "whsec_2"), ("old", "whsec_1")] {
        shop.write(name, text);
    }
    let main = shop.row("main", 1);
    shop.put(&main).await;
    assert!(shop.reads().await, "an account came");
    assert!(!shop.reads().await, "and nothing since");
    assert_eq!(shop.secrets(), ["whsec_2", "whsec_1"]);
    let before = shop.accounts.for_new().unwrap();
    assert_eq!(before.account.base_url, "http://127.0.0.1:8790", "the provider's own");

    shop.write("new", "whsec_3");
    assert!(shop.reads().await, "a file has changed");
    assert_eq!(shop.secrets(), ["whsec_3", "whsec_1"], "the new secret, and the old one while it is listed");
    assert_eq!(before.account.webhook_secrets[0].expose_secret(), "whsec_2", "who holds the account goes on with it");
    let mut rotated = main.clone();
    rotated.webhook_secrets.truncate(1);
    shop.put(&rotated).await;
    assert!(shop.reads().await);
    assert_eq!(shop.secrets(), ["whsec_3"]);

    shop.put(&shop.row("next", 2)).await;
    assert!(shop.reads().await);
    assert_eq!(shop.accounts.for_new().unwrap().account.id.as_str(), "next", "the newest choice");
    for (id, why) in [("next", "moved"), ("main", "closed")] {
        let (merchant, id) = (MerchantId::new("default"), AccountId::new(id));
        shop.model.close_account(&merchant, &id, why, Timestamp::from_secs(9)).await.unwrap();
    }
    assert!(shop.reads().await && shop.accounts.for_new().is_none());
    let followed = shop.accounts.find(&AccountId::new("main")).unwrap();
    assert_eq!(followed.closed.as_deref(), Some("closed"), "and followed all the same");
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_any_more_leaves_the_account_as_it_was() {
    let mut shop = Shop::new();
    for (name, text) in [("key", "sk_test_key"), ("new", "new"), ("old", "old")] {
        shop.write(name, text);
    }
    shop.put(&shop.row("main", 1)).await;
    assert!(shop.reads().await);
    std::fs::remove_file(shop.folder.path().join("new")).unwrap();
    shop.write("key", "sk_test_another");
    assert!(!shop.reads().await, "half a rotation is none");
    assert_eq!(shop.secrets(), ["new", "old"]);
    shop.put(&AccountRow { api_key: "env:TILL_SURELY_NOT_SET".into(), ..shop.row("broken", 2) }).await;
    assert!(!shop.reads().await, "what never could be read is not taken on");
    let (merchant, main) = (MerchantId::new("default"), AccountId::new("main"));
    shop.model.close_account(&merchant, &main, "leaked", Timestamp::from_secs(9)).await.unwrap();
    assert!(shop.reads().await, "a closing counts, whatever its secrets do");
    assert!(shop.accounts.for_new().is_none() && shop.accounts.find(&main).is_some());
    shop.write("new", "back");
    assert!(shop.reads().await);
    let at: Arc<till::world::At> = shop.accounts.find(&main).unwrap();
    assert_eq!(at.account.secret.expose_secret(), "sk_test_another");
}
