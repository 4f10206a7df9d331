//! The configuration file is the reference of every key, and a mistake in it is named.

use std::path::Path;
use till::config::{BadConfig, Config, secret};

fn reference() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/till.toml")).unwrap()
}

#[test]
fn the_reference_names_every_key_with_its_default_and_a_comment() {
    let written: toml::Table = reference().parse().unwrap();
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    assert_eq!(written, defaults);
    let text = reference();
    let lines: Vec<&str> = text.lines().collect();
    for (place, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#')) {
        assert!(lines[place - 1].starts_with('#'), "no comment above `{line}`");
    }
}

fn read(text: &str) -> Result<Config, BadConfig> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("till.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(Some(&path))
}

#[test]
fn a_mistake_is_named_with_its_key() {
    for (text, words) in [
        ("[http]\nlissten = \"127.0.0.1:1\"", &["lissten", "listen"][..]),
        ("[merchant]\ncurrency = \"XAU\"", &["merchant.currency", "XAU"]),
        ("[http]\npublic_url = \"http://pay.example.com\"", &["http.public_url", "https"]),
        ("[http]\npublic_url = \"https://pay.example.com/till/\"", &["http.public_url", "https://pay.example.com"]),
        ("[refunds]\nalone_max = [\"many\"]", &["refunds.alone_max", "many"]),
        ("[commands]\nprefixes = []", &["commands", "prefix"]),
        ("[log]\nformat = \"xml\"", &["log.format", "xml", "json"]),
    ] {
        let said = read(text).unwrap_err().to_string();
        assert!(words.iter().all(|word| said.contains(word)), "{text}: {said}");
    }
    assert!(Config::read(Some(Path::new("nowhere.toml"))).unwrap_err().to_string().contains("nowhere.toml"));
}

#[test]
fn a_secret_never_stands_in_the_file_and_never_in_an_error() {
    let said = secret("sandbox.api_key", "sk_test_oops").unwrap_err().to_string();
    assert!(said.contains("env:NAME") && !said.contains("oops"), "{said}");
    assert!(
        secret("sandbox.api_key", "env:TILL_SURELY_NOT_SET").unwrap_err().to_string().contains("TILL_SURELY_NOT_SET")
    );
}

/// Runs the program in a folder of its own, as a newcomer would.
pub(crate) fn till(folder: &Path, args: &[&str]) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_till"));
    let output = command.current_dir(folder).args(args).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn without_a_file_the_defaults_hold_and_check_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (good, said) = till(folder.path(), &["check"]);
    assert!(good && said.contains("The configuration is good") && said.contains("will not start"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "check made a file");
    let (good, said) = till(folder.path(), &["serve"]);
    assert!(!good && said.contains("till demo"), "{said}");
}

#[test]
fn what_is_typed_wrong_on_the_command_line_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (args, words) in [
        (&["payments", "show", "K7Q2F9"][..], "`K7Q2F9` names no payment here"),
        (&["payments", "show", "x"], "`x` is not a payment code"),
        (&["payments", "list", "--status", "nope"], "partially_refunded"),
        (&["staff", "invite", "ana"], "till staff add ana"),
        (&["staff", "add", "a b", "Ana"], "`a b` cannot be a staff id"),
        (&["serve", "--config", "nowhere.toml"], "there is no `nowhere.toml`"),
        (&["sandbox", "--listen", "127.0.0.1:0", "--api-key", "sk_test_typed"], "write `env:NAME` or `file:PATH`"),
    ] {
        let (good, said) = till(folder.path(), args);
        assert!(!good && said.contains(words) && !said.contains("panicked"), "{args:?}: {said}");
    }
}
