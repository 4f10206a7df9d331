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
