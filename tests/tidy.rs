//! The taste of this repository, executable: what every file keeps is read off git and cargo, and checked.
//!
//! ```text
//! git ls-files, cargo metadata ─► Repo ─► one checker per rule (pure: paths and texts in, complaints out) ─► must be none
//! ```
//!
//! Each rule is two tests: one on the repository, one on a sample that breaks it, so that no checker passes by being blind.
//! Rust is read by a small lexer (comments, literals, braces), not parsed: enough for these rules, and quick.
//!
//! Deliberately absent: what rustc and clippy already check (documented public items, unsafe code, formatting).

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "all of this file is test code; clippy sees only `#[test]` as such"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

// ── The repository ──────────────────────────────────────────────────────────────────────────────────────────────────

static REPO: LazyLock<Repo> = LazyLock::new(Repo::read);

/// What is on disk, as far as git tracks it or would. Paths are from the root, with `/`.
struct Repo {
    paths: BTreeSet<String>,
    /// The files that are text.
    texts: BTreeMap<String, String>,
    crates: Vec<Crate>,
}

/// One package of the workspace, as cargo sees it.
struct Crate {
    name: String,
    /// From the root; empty for the program.
    folder: String,
    depends: Vec<(String, Kind)>,
    /// Root file and whether it is test code.
    roots: Vec<(String, bool)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shipped,
    Dev,
}

impl Repo {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        // In CI the clone may belong to another user, and git would refuse to read it.
        let list = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let paths: BTreeSet<String> = output(Command::new("git").args(list).current_dir(root))
            .split('\0')
            .filter(|path| !path.is_empty() && root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        let text = |path: &String| Some((path.clone(), std::fs::read_to_string(root.join(path)).ok()?));
        let texts = paths.iter().filter_map(text).collect();
        let ask = ["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"];
        let metadata: Value = serde_json::from_str(&output(Command::new(env!("CARGO")).args(ask).current_dir(root)))
            .expect("cargo metadata prints JSON");
        let packages = metadata["packages"].as_array().expect("packages");
        Self { paths, texts, crates: packages.iter().map(|package| Crate::read(package, root)).collect() }
    }

    fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        files.filter(|(path, _)| path.ends_with(".rs"))
    }

    fn text(&self, path: &str) -> &str {
        self.texts.get(path).unwrap_or_else(|| panic!("{path} is missing"))
    }

    /// Every Rust file that ships, with test modules told apart by how they are declared.
    fn shipped(&self) -> impl Iterator<Item = (&str, &str)> {
        let reached = reached(&self.roots(), &self.texts);
        self.rust().filter(move |(path, _)| reached.get(*path) != Some(&true) && !in_tests(path))
    }

    fn roots(&self) -> Vec<(String, bool)> {
        self.crates.iter().flat_map(|package| package.roots.clone()).collect()
    }
}

impl Crate {
    fn read(package: &Value, root: &Path) -> Self {
        let string = |value: &Value| value.as_str().expect("a string").to_owned();
        let local = |path: &Value| {
            let path = string(path);
            let path = Path::new(&path).strip_prefix(root).expect("inside the repository");
            path.to_str().expect("UTF-8").replace('\\', "/")
        };
        let array = |key: &str| package[key].as_array().expect("an array").clone();
        let test = |target: &Value| target["kind"] == serde_json::json!(["test"]);
        Self {
            name: string(&package["name"]),
            folder: parent(&local(&package["manifest_path"])).to_owned(),
            depends: array("dependencies")
                .iter()
                .map(|on| (string(&on["name"]), if on["kind"] == "dev" { Kind::Dev } else { Kind::Shipped }))
                .collect(),
            roots: array("targets").iter().map(|target| (local(&target["src_path"]), test(target))).collect(),
        }
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[track_caller]
fn none(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// For the samples: exactly one complaint, and it says `part`.
#[track_caller]
fn one(complaints: &[String], part: &str) {
    assert!(matches!(complaints, [only] if only.contains(part)), "wanted one about `{part}`, got {complaints:#?}");
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A folder named `tests`, or the contract suites, which only tests run.
fn in_tests(path: &str) -> bool {
    path.split('/').any(|part| part == "tests") || path.starts_with("core/src/contract")
}

fn exists(path: &str, paths: &BTreeSet<String>) -> bool {
    let folder = format!("{}/", path.trim_end_matches('/'));
    paths.contains(path) || paths.range(folder.clone()..).next().is_some_and(|first| first.starts_with(&folder))
}

// ── Reading Rust ────────────────────────────────────────────────────────────────────────────────────────────────────

/// A file's characters, twice, at the same positions: `code` without comments and literals, `quoted` without comments.
struct Source {
    code: Vec<char>,
    quoted: Vec<char>,
    /// Items under `#[test]`, `#[cfg(test)]` or the feature `contract`.
    tests: Vec<Range<usize>>,
}

impl Source {
    fn read(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let (mut code, mut quoted, mut at) = (chars.clone(), chars.clone(), 0);
        while at < chars.len() {
            if let Some(end) = comment_end(&chars, at) {
                wipe(&mut quoted, at..end);
                wipe(&mut code, at..end);
                at = end;
            } else if let Some(end) = literal_end(&chars, at) {
                wipe(&mut code, at..end);
                at = end;
            } else {
                at += 1;
            }
        }
        let tests = test_ranges(&code, &quoted);
        Self { code, quoted, tests }
    }

    /// Code without comments, literals and tests; lines stay where they were.
    fn shipped(&self) -> String {
        let mut code = self.code.clone();
        self.tests.iter().for_each(|range| wipe(&mut code, range.clone()));
        code.into_iter().collect()
    }

    fn lines_apart_from_tests(&self) -> usize {
        let newlines = |range: Range<usize>| self.code[range].iter().filter(|c| **c == '\n').count();
        newlines(0..self.code.len()).saturating_sub(self.tests.iter().map(|range| newlines(range.clone()) + 1).sum())
    }
}

fn wipe(chars: &mut [char], range: Range<usize>) {
    chars[range].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn starts(chars: &[char], at: usize, with: &str) -> bool {
    with.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c))
}

fn find(chars: &[char], from: usize, what: &str) -> usize {
    (from..chars.len()).find(|at| starts(chars, *at, what)).map_or(chars.len(), |at| at + what.chars().count())
}

fn comment_end(chars: &[char], at: usize) -> Option<usize> {
    if starts(chars, at, "//") {
        return Some((at..chars.len()).find(|i| chars[*i] == '\n').unwrap_or(chars.len()));
    }
    if !starts(chars, at, "/*") {
        return None;
    }
    let (mut depth, mut i) = (0, at);
    while i < chars.len() {
        let step = if starts(chars, i, "/*") {
            depth += 1;
            2
        } else if starts(chars, i, "*/") {
            depth -= 1;
            2
        } else {
            1
        };
        i += step;
        if depth == 0 {
            break;
        }
    }
    Some(i.min(chars.len()))
}

/// The end of a string, raw string or character that begins here. A lifetime is none of them.
fn literal_end(chars: &[char], at: usize) -> Option<usize> {
    let begins_word = at == 0 || !is_word(chars[at - 1]);
    match chars[at] {
        '"' => {
            let mut i = at + 1;
            while i < chars.len() && chars[i] != '"' {
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            Some((i + 1).min(chars.len()))
        }
        'b' | 'c' if begins_word && chars.get(at + 1) == Some(&'r') => raw_end(chars, at + 2),
        'r' if begins_word => raw_end(chars, at + 1),
        '\'' if chars.get(at + 1) == Some(&'\\') => Some(find(chars, at + 3, "'")),
        '\'' if chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    }
}

fn raw_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + hashes) == Some(&'"')).then(|| find(chars, at + hashes + 1, &format!("\"{}", "#".repeat(hashes))))
}

/// One past the bracket that closes the one at `open`.
fn closed(code: &[char], open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, c) in code.iter().enumerate().skip(open) {
        depth += match c {
            '(' | '[' | '{' => 1,
            ')' | ']' | '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// One past the item that begins here: its body, its semicolon, or the bracket that encloses it.
fn item_end(code: &[char], from: usize) -> usize {
    let mut at = from;
    while at < code.len() {
        match code[at] {
            '{' => return closed(code, at),
            ';' => return at + 1,
            '}' | ')' | ']' => return at,
            '(' | '[' => at = closed(code, at),
            _ => at += 1,
        }
    }
    at
}

fn test_ranges(code: &[char], quoted: &[char]) -> Vec<Range<usize>> {
    let (mut ranges, mut at) = (Vec::new(), 0);
    while at < code.len() {
        let inner = starts(code, at, "#![");
        if !inner && !starts(code, at, "#[") {
            at += 1;
            continue;
        }
        let open = at + 1 + usize::from(inner);
        let end = closed(code, open);
        let marks = marks_test(&quoted[open + 1..end - 1].iter().collect::<String>());
        match (marks, inner) {
            (true, true) => return std::iter::once(0..code.len()).collect(),
            (true, false) => {
                let over = item_end(code, end);
                ranges.push(at..over);
                at = over;
            }
            (false, _) => at = end,
        }
    }
    ranges
}

/// `test`, `tokio::test`, `cfg(test)`, `cfg(all(test, unix))`, `cfg(feature = "contract")`; not `cfg(not(test))`.
fn marks_test(attribute: &str) -> bool {
    let tight: String = attribute.chars().filter(|c| !c.is_whitespace()).collect();
    let tight = tight.replace("not(test)", "");
    let test = || tight.split(|c| !is_word(c)).any(|word| word == "test");
    tight == "test"
        || tight.ends_with("::test")
        || tight.starts_with("cfg(") && (test() || tight.contains("feature=\"contract\""))
}

#[test]
fn comments_literals_and_tests_are_told_from_code() {
    let text = r##"
        /* a /* nested */ comment */ fn f<'a>(c: &'a str) { '"'; '\''; b"x\" unwrap"; r#"" todo"#; } // unwrap
        #[cfg(not(test))] fn kept() {}
        #[cfg(test)] mod tests { fn gone() { "}" } }
        #[cfg(all(test, unix))] use gone::{a, b};
        #[cfg(feature = "contract")] pub mod gone;
        fn last() {}"##;
    let shipped = Source::read(text).shipped();
    let words: Vec<&str> = shipped.split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect();
    assert_eq!(words.join(" "), "fn f a c a str b cfg not test fn kept fn last");
    assert_eq!(shipped.lines().count(), text.lines().count());
}

// ── Arrows ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What waits, or brings a clock or chance with it. A name stands for its family: `tokio` is `tokio-util` too.
const CANNOT_BE_IN_CORE: [&str; 18] = [
    "async-io",
    "async-std",
    "axum",
    "curl",
    "fastrand",
    "futures",
    "getrandom",
    "hyper",
    "mio",
    "rand",
    "reqwest",
    "rusqlite",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "tower",
    "ureq",
];

fn arrow_complaints(crates: &[Crate]) -> Vec<String> {
    let folder = |name: &str| crates.iter().find(|package| package.name == name).map(|package| package.folder.as_str());
    let mut complaints = Vec::new();
    for from in crates {
        for (on, kind) in &from.depends {
            let forbidden = match (from.folder.split('/').next().unwrap_or_default(), folder(on)) {
                ("core", Some(to)) => to != "core" || *kind == Kind::Shipped,
                ("core", None) => *kind == Kind::Shipped && in_family(on, &CANNOT_BE_IN_CORE),
                (_, Some(to)) if to.starts_with("tests/fakes/") => *kind == Kind::Shipped,
                ("adapters", Some(to)) => to != "core" && !(*kind == Kind::Dev && same_adapter(&from.folder, to)),
                ("tests", Some(to)) => to != "core",
                ("xtask", Some(_)) => true,
                ("", Some(to)) => to == "xtask",
                ("" | "adapters" | "tests" | "xtask", None) => false,
                (_, _) => true,
            };
            if forbidden {
                complaints.push(format!("{} (in `{}`) must not depend on {on}", from.name, from.folder));
            }
        }
    }
    complaints
}

fn in_family(name: &str, families: &[&str]) -> bool {
    families.iter().any(|family| name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
}

/// An adapter's tests may run against the server it also is: `adapters/psp/x` and `adapters/psp/x/server`.
fn same_adapter(a: &str, b: &str) -> bool {
    let adapter = |folder: &str| folder.split('/').take(3).collect::<Vec<_>>().join("/");
    adapter(a) == adapter(b)
}

fn is_assemble(path: &str) -> bool {
    path == "src/assemble.rs" || path.starts_with("src/assemble/")
}

/// Names of adapter crates, as Rust writes them, in code outside the one module that may.
fn adapter_name_complaints<'a>(
    files: impl Iterator<Item = (&'a str, &'a str)>,
    adapters: &BTreeSet<String>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in files.filter(|(path, _)| path.starts_with("src/") && !is_assemble(path)) {
        let code: String = Source::read(text).code.into_iter().collect();
        for (at, line) in code.lines().enumerate() {
            let named = line.split(|c| !is_word(c)).filter(|word| adapters.contains(*word));
            complaints.extend(
                named.map(|word| format!("{path}:{}: only src/assemble.rs and its folder may name {word}", at + 1)),
            );
        }
    }
    complaints
}

#[test]
fn no_crate_depends_against_the_arrows() {
    assert!(REPO.crates.iter().any(|package| package.folder == "core"), "cargo metadata without core");
    none(arrow_complaints(&REPO.crates));
}

#[test]
fn a_dependency_against_the_arrows_is_found() {
    let make = |name: &str, folder: &str, on: &[(&str, Kind)]| Crate {
        name: name.to_owned(),
        folder: folder.to_owned(),
        depends: on.iter().map(|(on, kind)| ((*on).to_owned(), *kind)).collect(),
        roots: Vec::new(),
    };
    let try_one = |name: &str, folder: &str, on: &str, kind| {
        let others = [
            ("till", ""),
            ("till-core", "core"),
            ("till-a", "adapters/psp/a"),
            ("till-a-server", "adapters/psp/a/server"),
            ("till-b", "adapters/chat/b"),
            ("fake-a", "tests/fakes/a"),
        ];
        let others = others.iter().filter(|(other, _)| *other != name).map(|(name, folder)| make(name, folder, &[]));
        arrow_complaints(&others.chain([make(name, folder, &[(on, kind)])]).collect::<Vec<_>>())
    };
    one(
        &try_one("till-core", "core", "tokio-util", Kind::Shipped),
        "till-core (in `core`) must not depend on tokio-util",
    );
    one(&try_one("till-core", "core", "till-a", Kind::Dev), "till-a");
    one(&try_one("till-a", "adapters/psp/a", "till-b", Kind::Dev), "till-b");
    one(&try_one("till-a", "adapters/psp/a", "till", Kind::Shipped), "till");
    one(&try_one("till-a", "adapters/psp/a", "till-a-server", Kind::Shipped), "till-a-server");
    one(&try_one("xtask", "xtask", "till-core", Kind::Shipped), "till-core");
    one(&try_one("till-new", "extra", "till-core", Kind::Shipped), "till-new");
    one(&try_one("fake-a", "tests/fakes/a", "till-a", Kind::Shipped), "till-a");
    one(&try_one("till-a", "adapters/psp/a", "fake-a", Kind::Shipped), "fake-a");
    none(try_one("till-a", "adapters/psp/a", "fake-a", Kind::Dev));
    none(try_one("fake-a", "tests/fakes/a", "till-core", Kind::Shipped));
    none(try_one("till-core", "core", "tokio", Kind::Dev));
    none(try_one("till-core", "core", "till-core", Kind::Dev));
    none(try_one("till-core", "core", "futuristic", Kind::Shipped));
    none(try_one("till-a", "adapters/psp/a", "till-a-server", Kind::Dev));
    none(try_one("till", "", "till-b", Kind::Shipped));
}

#[test]
fn only_assemble_names_an_adapter() {
    let adapters = REPO.crates.iter().filter(|package| package.folder.starts_with("adapters/"));
    none(adapter_name_complaints(REPO.rust(), &adapters.map(|package| package.name.replace('-', "_")).collect()));
}

#[test]
fn an_adapter_named_elsewhere_is_found() {
    let adapters = BTreeSet::from(["till_web".to_owned()]);
    let text = "// till_web is fine here\nuse till_web::Web;\nuse till_webs;";
    one(&adapter_name_complaints([("src/desk.rs", text)].into_iter(), &adapters), "src/desk.rs:2");
    let may = ["src/assemble.rs", "src/assemble/web.rs", "tests/web.rs"];
    none(adapter_name_complaints(may.map(|path| (path, text)).into_iter(), &adapters));
}

#[test]
fn the_program_has_one_test_binary_and_tidy() {
    let program = REPO.crates.iter().find(|package| package.folder.is_empty()).expect("the root package");
    let mut tests: Vec<&str> = program.roots.iter().filter(|(_, test)| *test).map(|(path, _)| path.as_str()).collect();
    tests.sort_unstable();
    // Cargo takes every tests/*.rs for a binary of its own unless the package says `autotests = false`.
    assert_eq!(tests, ["tests/main.rs", "tests/tidy.rs"]);
}

// ── Words that must not be in code ──────────────────────────────────────────────────────────────────────────────────

const GIVES_UP: [&str; 8] =
    [".unwrap()", ".unwrap_err()", ".expect(", ".expect_err(", "panic!", "todo!", "unimplemented!", "dbg!"];
const PRINTS: [&str; 4] = ["print!", "println!", "eprint!", "eprintln!"];
const CLOCK_OR_CHANCE: [&str; 13] = [
    "SystemTime::now",
    "Instant::now",
    "now_utc",
    "now_local",
    "Utc::now",
    "Local::now",
    "now_v7",
    "new_v4",
    "getrandom::",
    "rand::",
    "OsRng",
    "thread_rng",
    "fastrand::",
];

fn word_complaints(path: &str, text: &str) -> Vec<String> {
    let prints = path == "src/main.rs" || path.starts_with("src/cli") || path.starts_with("xtask/");
    let clock = path == "src/clock.rs" || path.starts_with("xtask/");
    let mut forbidden = GIVES_UP.to_vec();
    forbidden.extend(PRINTS.iter().filter(|_| !prints));
    forbidden.extend(CLOCK_OR_CHANCE.iter().filter(|_| !clock));
    let mut complaints = Vec::new();
    for (at, line) in Source::read(text).shipped().lines().enumerate() {
        let found = forbidden.iter().filter(|word| contains_whole(line, word));
        complaints.extend(found.map(|word| format!("{path}:{}: `{word}` outside tests", at + 1)));
    }
    complaints
}

/// `rand::` is in `rand::rng()`, not in `getrandom::fill`.
fn contains_whole(line: &str, word: &str) -> bool {
    let free = |c: Option<char>| c.is_none_or(|c| !is_word(c));
    line.match_indices(word).any(|(at, _)| word.starts_with('.') || free(line[..at].chars().next_back()))
}

#[test]
fn no_code_gives_up_prints_or_asks_the_system_for_time_or_chance() {
    none(REPO.shipped().flat_map(|(path, text)| word_complaints(path, text)));
}

#[test]
fn each_word_that_must_not_be_in_code_is_found() {
    for word in GIVES_UP.iter().chain(&PRINTS).chain(&CLOCK_OR_CHANCE) {
        one(&word_complaints("core/src/money.rs", &format!("fn f() {{\n    x {word} y\n}}")), "core/src/money.rs:2");
        // `.unwrap()` follows a name, the others stand alone.
        let inside_a_name = word_complaints("src/desk.rs", &format!("x{word}"));
        assert_eq!(inside_a_name.len(), usize::from(word.starts_with('.')), "{word}");
    }
    none(word_complaints("src/main.rs", "fn main() { println!(); }"));
    none(word_complaints("src/cli/staff.rs", "fn f() { eprintln!(); }"));
    none(word_complaints("src/clock.rs", "fn f() { SystemTime::now(); getrandom::fill(b); }"));
    none(word_complaints(
        "src/a.rs",
        "#[expect(unused)]\n#[cfg(test)]\nmod tests { fn f() { x.unwrap(); } }\n// todo!",
    ));
    one(&word_complaints("src/clock.rs", "fn f() { println!(); }"), "println!");
    one(&word_complaints("src/cli.rs", "fn f() { x.unwrap(); }"), ".unwrap()");
}

// ── Orphans ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Every file that `mod` declarations reach from the roots; `true` where all ways to it are test code.
fn reached(roots: &[(String, bool)], texts: &BTreeMap<String, String>) -> BTreeMap<String, bool> {
    let mut reached = BTreeMap::new();
    // Path, whether it is test code, whether its modules lie beside it (a root, `mod.rs`, or named by `#[path]`).
    let mut todo: Vec<(String, bool, bool)> = roots.iter().map(|(path, test)| (path.clone(), *test, true)).collect();
    while let Some((path, test, beside)) = todo.pop() {
        let Some(text) = texts.get(&path) else { continue };
        if reached.get(&path).is_some_and(|known| !known || test) {
            continue;
        }
        reached.insert(path.clone(), test);
        let source = Source::read(text);
        let whole = source.tests.first() == Some(&(0..source.code.len()));
        let beside = beside || name(&path) == "mod.rs";
        let folder = if beside { parent(&path).to_owned() } else { path.trim_end_matches(".rs").to_owned() };
        for module in modules(&source) {
            let test = test || whole || module.test;
            let inner = join(&folder, &module.inside.join("/"));
            match module.path {
                Some(at) if module.inside.is_empty() => todo.push((join(parent(&path), &at), test, true)),
                Some(at) => todo.push((join(&inner, &at), test, true)),
                None => {
                    todo.push((join(&inner, &format!("{}.rs", module.name)), test, false));
                    todo.push((join(&inner, &format!("{}/mod.rs", module.name)), test, true));
                }
            }
        }
    }
    reached
}

/// `mod name;` as it stands in a file.
struct Module {
    name: String,
    /// The inline modules around it.
    inside: Vec<String>,
    path: Option<String>,
    test: bool,
}

fn modules(source: &Source) -> Vec<Module> {
    let code = &source.code;
    let (mut found, mut inline, mut attributes) = (Vec::new(), Vec::<(usize, String)>::new(), Vec::<String>::new());
    let (mut at, mut depth) = (0, 0_usize);
    while at < code.len() {
        match code[at] {
            '#' if code.get(at + 1) == Some(&'[') => {
                let end = closed(code, at + 1);
                attributes.push(source.quoted[at + 2..end - 1].iter().collect());
                at = end;
                continue;
            }
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                inline.retain(|(opened, _)| *opened <= depth);
            }
            c if is_word(c) => {
                let word = word_at(code, at);
                let next = at + word.len();
                if word == ['m', 'o', 'd'] {
                    let begin = next + code[next..].iter().take_while(|c| c.is_whitespace()).count();
                    let name: String = word_at(code, begin).iter().collect();
                    let after = begin + name.chars().count();
                    match code[after..].iter().find(|c| !c.is_whitespace()) {
                        Some(';') => found.push(Module {
                            test: source.tests.iter().any(|range| range.contains(&at)),
                            path: attributes.iter().find_map(|text| path_attribute(text)),
                            inside: inline.iter().map(|(_, name)| name.clone()).collect(),
                            name,
                        }),
                        Some('{') => inline.push((depth + 1, name)),
                        _ => {}
                    }
                }
                at = next;
                continue;
            }
            _ => {}
        }
        if matches!(code[at], '{' | '}' | ';') {
            attributes.clear();
        }
        at += 1;
    }
    found
}

fn word_at(code: &[char], at: usize) -> &[char] {
    let end = (at..code.len()).find(|i| !is_word(code[*i])).unwrap_or(code.len());
    &code[at..end]
}

fn path_attribute(attribute: &str) -> Option<String> {
    let value = attribute.trim().strip_prefix("path")?.trim_start().strip_prefix('=')?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn orphan_complaints(roots: &[(String, bool)], texts: &BTreeMap<String, String>) -> Vec<String> {
    let reached = reached(roots, texts);
    let orphans = texts.keys().filter(|path| path.ends_with(".rs") && !reached.contains_key(*path));
    orphans.map(|path| format!("{path}: no `mod` declaration reaches it")).collect()
}

/// Folders whose files exist only to be named by code, or read as a whole by it.
const NAMED_BY_CODE: [&str; 6] = ["assets", "fixtures", "judges", "locales", "migrations", "snapshots"];

/// A file there needs its name at the end of a string (`…/paid.json"`); or its folder's, in a source that lists folders.
fn unused_complaints<'a>(paths: &BTreeSet<String>, rust: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let sources: Vec<String> = rust.map(|(_, text)| Source::read(text).quoted.into_iter().collect()).collect();
    let ends = |text: &str, name: &str| ["/", "\""].iter().any(|before| text.contains(&format!("{before}{name}\"")));
    let lists = |text: &str| ["read_dir", "migrate!", "include_dir!"].iter().any(|word| text.contains(word));
    let used = |path: &str| {
        let whole = name(parent(path));
        sources.iter().any(|text| ends(text, name(path)) || lists(text) && ends(text, whole))
    };
    let named_by_code = |path: &str| {
        let kind = !path.ends_with(".rs") && !path.ends_with(".md");
        kind && (path.ends_with(".snap") || parent(path).split('/').any(|part| NAMED_BY_CODE.contains(&part)))
    };
    let orphans = paths.iter().filter(|path| named_by_code(path) && !used(path));
    orphans.map(|path| format!("{path}: no code names it")).collect()
}

fn sample(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn no_rust_file_is_an_orphan() {
    none(orphan_complaints(&REPO.roots(), &REPO.texts));
}

#[test]
fn an_orphan_is_found_and_every_way_to_declare_a_module_is_known() {
    let texts = sample(&[
        (
            "src/lib.rs",
            "mod a;\nmod b { mod c { mod d; } mod e; }\n#[path = \"odd/x.rs\"]\npub(crate) mod y;\n// mod orphan;",
        ),
        ("src/a.rs", "mod f;\n#[cfg(test)]\nmod tests;"),
        ("src/a/f/mod.rs", "mod g;"),
        ("src/a/f/g.rs", ""),
        ("src/a/tests.rs", "mod deep;"),
        ("src/a/tests/deep.rs", ""),
        ("src/b/e/whole.rs", ""),
        ("src/b/c/d.rs", ""),
        ("src/b/e.rs", "#![cfg(test)]\nmod whole;"),
        ("src/odd/x.rs", "mod z;"),
        ("src/odd/z.rs", ""),
        ("src/orphan.rs", ""),
    ]);
    let roots = [("src/lib.rs".to_owned(), false)];
    one(&orphan_complaints(&roots, &texts), "src/orphan.rs");
    let reached = reached(&roots, &texts);
    let tests: Vec<&String> = reached.iter().filter(|(_, test)| **test).map(|(path, _)| path).collect();
    assert_eq!(tests, ["src/a/tests.rs", "src/a/tests/deep.rs", "src/b/e/whole.rs"]);
}

#[test]
fn no_fixture_or_asset_is_an_orphan() {
    none(unused_complaints(&REPO.paths, REPO.rust().filter(|(path, _)| *path != "tests/tidy.rs")));
}

#[test]
fn a_fixture_that_no_code_names_is_found() {
    let paths = ["a/fixtures/paid.json", "a/fixtures/old.json", "a/migrations/1.sql", "a/README.md", "tests/x.snap"];
    let paths: BTreeSet<String> = paths.into_iter().map(str::to_owned).collect();
    let code = "include_str!(\"../fixtures/paid.json\"); migrate!(\"./migrations\"); /* \"old.json\" */ \"x.snap\"";
    one(&unused_complaints(&paths, [("a/src/lib.rs", code)].into_iter()), "a/fixtures/old.json");
    let judges =
        ["tests/judges/x/judge.mjs", "tests/judges/x/package.json", "tests/judges/x/old.mjs", "tests/judges.rs"];
    let judges: BTreeSet<String> = judges.into_iter().map(str::to_owned).collect();
    let code = "const FILES: [&str; 2] = [\"judge.mjs\", \"package.json\"];";
    one(&unused_complaints(&judges, [("xtask/src/judge.rs", code)].into_iter()), "tests/judges/x/old.mjs");
}

// ── The shape of an adapter ─────────────────────────────────────────────────────────────────────────────────────────

const PORTS: [&str; 3] = ["chat", "psp", "store"];
const EXTRAS: [&str; 6] = ["src", "tests", "server", "assets", "migrations", "fixtures"];

fn shape_complaints(paths: &BTreeSet<String>, texts: &BTreeMap<String, String>) -> Vec<String> {
    let (mut complaints, mut folders) = (BTreeSet::new(), BTreeMap::new());
    for path in paths.iter().filter(|path| path.starts_with("adapters/")) {
        match path.split('/').collect::<Vec<_>>()[1..] {
            [port, adapter, ref rest @ ..] if !rest.is_empty() && PORTS.contains(&port) => {
                folders.insert(format!("adapters/{port}/{adapter}"), format!("till-{adapter}"));
                match rest {
                    [extra, _, ..] if !EXTRAS.contains(extra) => {
                        complaints.insert(format!("adapters/{port}/{adapter}: `{extra}/` is none of {EXTRAS:?}"));
                    }
                    ["server", "Cargo.toml"] => {
                        folders.insert(format!("adapters/{port}/{adapter}/server"), format!("till-{adapter}-server"));
                    }
                    _ => {}
                }
            }
            _ => drop(complaints.insert(format!("{path}: not in adapters/{{chat,psp,store}}/NAME/"))),
        }
    }
    for (folder, name) in folders {
        let text = |file: &str| texts.get(&format!("{folder}/{file}")).map(String::as_str);
        match text("Cargo.toml") {
            None => drop(complaints.insert(format!("{folder}: has no Cargo.toml"))),
            Some(toml) if !toml.lines().any(|line| line == format!("name = \"{name}\"")) => {
                complaints.insert(format!("{folder}/Cargo.toml: the crate must be named {name}"));
            }
            Some(_) => {}
        }
        if !text("src/lib.rs").is_some_and(|code| code.starts_with("//!")) {
            complaints.insert(format!("{folder}: has no src/lib.rs that begins with `//!`"));
        }
    }
    complaints.into_iter().collect()
}

#[test]
fn every_adapter_has_the_shape_of_its_port() {
    none(shape_complaints(&REPO.paths, &REPO.texts));
}

#[test]
fn an_adapter_of_another_shape_is_found() {
    let good = [
        ("adapters/psp/a/Cargo.toml", "[package]\nname = \"till-a\"\n"),
        ("adapters/psp/a/src/lib.rs", "//! A."),
        ("adapters/psp/a/server/Cargo.toml", "name = \"till-a-server\""),
        ("adapters/psp/a/server/src/lib.rs", "//! A's server."),
    ];
    let with = |more: &[(&str, &str)]| {
        let texts = sample(&[&good, more].concat());
        shape_complaints(&texts.keys().cloned().collect(), &texts)
    };
    none(with(&[]));
    one(&with(&[("adapters/psp/a/helpers/x.rs", "")]), "`helpers/` is none of");
    one(&with(&[("adapters/mail/a/src/lib.rs", "")]), "adapters/mail/a/src/lib.rs: not in");
    one(&with(&[("adapters/notes.md", "")]), "adapters/notes.md: not in");
    one(&with(&[("adapters/psp/a/Cargo.toml", "name = \"till-b\"")]), "must be named till-a");
    one(&with(&[("adapters/psp/a/server/Cargo.toml", "name = \"server\"")]), "must be named till-a-server");
    one(&with(&[("adapters/psp/a/src/lib.rs", "use x;")]), "adapters/psp/a: has no src/lib.rs");
    one(&with(&[("adapters/chat/c/src/lib.rs", "//! C.")]), "adapters/chat/c: has no Cargo.toml");
}

// ── The tree in the README ──────────────────────────────────────────────────────────────────────────────────────────

const NOT_IN_THE_TREE: [&str; 4] = ["Cargo.lock", "CHANGELOG.md", "clippy.toml", "rustfmt.toml"];

/// The tree stands in README.md under the heading `## The tree`, in the first block fenced as `text`, in two columns:
///
/// ```text
/// core/src/money.rs   what it is
/// adapters/chat/web/  what it is
/// ```
///
/// One path a line, whole and from the root; then two spaces or more; then what it is, in words. A folder ends with `/`.
/// No blank line, no indentation, no continuation. Returns the paths, or what is wrong with the form.
fn tree(readme: &str) -> Result<Vec<&str>, Vec<String>> {
    let mut lines = readme.lines().enumerate();
    let fail = |what: &str| Err(vec![format!("README.md: {what}")]);
    if !lines.any(|(_, line)| line == "## The tree") {
        return fail("no heading `## The tree`");
    }
    if !lines.by_ref().take_while(|(_, line)| !line.starts_with("## ")).any(|(_, line)| line == "```text") {
        return fail("no block fenced as `text` under `## The tree`");
    }
    let (mut paths, mut complaints) = (Vec::new(), Vec::new());
    for (at, line) in lines.take_while(|(_, line)| *line != "```") {
        match line.split_once("  ") {
            Some((path, meaning)) if !path.is_empty() && !path.contains(' ') && !meaning.trim().is_empty() => {
                paths.push(path);
            }
            _ => complaints.push(format!("README.md:{}: not `path  meaning`: {line}", at + 1)),
        }
    }
    if complaints.is_empty() { Ok(paths) } else { Err(complaints) }
}

/// Required, apart from dotfiles: everything at the top; each crate and each adapter; each part of `src/`, where the folder
/// `src/desk/` goes without saying beside `src/desk.rs`.
fn tree_complaints(readme: &str, paths: &BTreeSet<String>, crates: &BTreeSet<String>) -> Vec<String> {
    let named = match tree(readme) {
        Ok(named) => named,
        Err(complaints) => return complaints,
    };
    let mut complaints = Vec::new();
    for (at, path) in named.iter().enumerate() {
        let is_there = if path.ends_with('/') { exists(path, paths) } else { paths.contains(*path) };
        if !is_there {
            complaints.push(format!("README.md: the tree names `{path}`, which is not on disk"));
        }
        if named[..at].contains(path) {
            complaints.push(format!("README.md: the tree names `{path}` twice"));
        }
    }
    let required = required(paths, crates);
    let covers = |need: &String| named.iter().any(|path| path == need || need == "adapters/" && path.starts_with(need));
    complaints
        .extend(required.iter().filter(|need| !covers(need)).map(|need| format!("README.md: the tree lacks `{need}`")));
    complaints
}

fn required(paths: &BTreeSet<String>, crates: &BTreeSet<String>) -> BTreeSet<String> {
    let mut required: BTreeSet<String> = crates.iter().filter(|f| !f.is_empty()).map(|f| format!("{f}/")).collect();
    for path in paths.iter().filter(|path| !path.starts_with('.')) {
        match path.split('/').collect::<Vec<_>>()[..] {
            [file] if NOT_IN_THE_TREE.contains(&file) || file.starts_with("LICENSE") => {}
            [file] => drop(required.insert(file.to_owned())),
            ["src", file] => drop(required.insert(format!("src/{file}"))),
            ["src", folder, ..] if paths.contains(&format!("src/{folder}.rs")) => {}
            ["src", folder, ..] => drop(required.insert(format!("src/{folder}/"))),
            ["core", "src", ..] => drop(required.insert("core/src/".to_owned())),
            ["adapters", port, adapter, ..] => drop(required.insert(format!("adapters/{port}/{adapter}/"))),
            [folder, ..] => drop(required.insert(format!("{folder}/"))),
            [] => {}
        }
    }
    required
}

#[test]
fn the_tree_in_the_readme_is_the_tree_on_disk() {
    let crates = REPO.crates.iter().map(|package| package.folder.clone()).collect();
    none(tree_complaints(REPO.text("README.md"), &REPO.paths, &crates));
}

#[test]
fn a_tree_that_differs_from_the_disk_is_found() {
    let disk = ["Cargo.toml", "Cargo.lock", ".ci/run", "README.md", "src/desk.rs", "src/desk/x.rs", "core/src/id.rs"];
    let disk: BTreeSet<String> = disk.into_iter().map(str::to_owned).collect();
    let crates = BTreeSet::from([String::new(), "core".to_owned()]);
    let good = "Cargo.toml  a\nREADME.md  b\nsrc/desk.rs  c\ncore/  d\ncore/src/  e\n";
    let check = |tree: &str| tree_complaints(&format!("# Till\n## The tree\n\n```text\n{tree}```\n"), &disk, &crates);
    none(check(good));
    one(&check(&format!("{good}src/gone.rs  f\n")), "`src/gone.rs`, which is not on disk");
    one(&check(&format!("{good}src/desk.rs/  f\n")), "`src/desk.rs/`, which is not on disk");
    one(&check(&format!("{good}core/  again\n")), "`core/` twice");
    one(&check(&good.replace("src/desk.rs  c\n", "")), "lacks `src/desk.rs`");
    one(&check(&good.replace("core/  d\n", "")), "lacks `core/`");
    one(&check(&good.replace("README.md  b", "README.md")), "README.md:6: not `path  meaning`");
    one(&tree_complaints("# Till\n## The tree\n## Next\n```text\n", &disk, &crates), "no block");
    one(&tree_complaints("# Till\n", &disk, &crates), "no heading");
}

// ── Paths named in prose ────────────────────────────────────────────────────────────────────────────────────────────

const ROOTS: [&str; 9] = ["src", "core", "config", "adapters", "tests", "docs", "xtask", ".ci", ".cargo"];
const EXTENSIONS: [&str; 13] =
    [".rs", ".toml", ".md", ".json", ".sql", ".ftl", ".css", ".js", ".mjs", ".html", ".png", ".svg", ".sh"];

/// Words in backticks that look like paths of ours, and are not there. `near` is where the prose stands.
///
/// Not a path: anything with a space, a URL, `/absolute`, `../outside`. `tests/*.rs`, `adapters/psp/NAME/` and
/// `src/cli{,/x}.rs` are checked up to the part that varies. A bare `money.rs` is any file of that name.
fn path_complaints(file: &str, prose: &str, near: &str, paths: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut fenced = false;
    for (at, line) in prose.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        let ticked = line.split('`').skip(1).step_by(2).filter(|token| looks_like_path(token));
        let linked = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
        let linked = linked.filter(|target| file.ends_with(".md") && !target.is_empty() && !target.contains(':'));
        let missing = ticked.chain(linked).filter(|token| !path_is_there(token, near, paths));
        complaints.extend(missing.map(|token| format!("{file}:{}: names `{token}`, which is not there", at + 1)));
    }
    complaints
}

fn looks_like_path(token: &str) -> bool {
    let plain = |c: char| is_word(c) || "/.-*{},…#".contains(c);
    let from_root = token.split_once('/').is_some_and(|(root, _)| ROOTS.contains(&root));
    let extended = EXTENSIONS.iter().any(|extension| token.len() > extension.len() && token.ends_with(extension));
    token.chars().all(plain) && !token.starts_with(['/', '*']) && !token.starts_with("..") && (from_root || extended)
}

fn path_is_there(token: &str, near: &str, paths: &BTreeSet<String>) -> bool {
    let token = token.split('#').next().unwrap_or_default();
    let varies =
        |part: &&str| part.contains(['*', '{', '…']) || part.len() > 1 && part.chars().all(|c| c.is_ascii_uppercase());
    let fixed: Vec<&str> = token.split('/').filter(|part| !part.is_empty()).take_while(|part| !varies(part)).collect();
    let path = fixed.join("/");
    let beside = || near.match_indices('/').map(|(at, _)| &near[..at]).chain([near, ""]);
    path.is_empty()
        || beside().any(|folder| exists(&join(folder, &path), paths))
        || !token.contains('/') && paths.iter().any(|known| name(known) == token)
}

#[test]
fn every_path_named_in_prose_is_there() {
    let pages = ["README.md", "CHANGELOG.md"].map(|page| path_complaints(page, REPO.text(page), "", &REPO.paths));
    let docs = REPO.rust().filter_map(|(path, text)| {
        Some(path_complaints(path, &module_doc(text)?.join("\n"), parent(path), &REPO.paths))
    });
    none(pages.into_iter().chain(docs).flatten());
}

#[test]
fn a_path_that_is_not_there_is_found() {
    let disk = ["src/cli.rs", "core/src/money.rs", "docs/shot.png", "core/src/payment/rules.rs"];
    let disk: BTreeSet<String> = disk.into_iter().map(str::to_owned).collect();
    let check = |prose: &str| path_complaints("README.md", prose, "core/src", &disk);
    let fine = "`src/cli.rs`, `src/*.rs`, `core/`, `money.rs`, `payment/rules.rs`, `application/json`, `/p/x.html`, \
                `adapters`, `a b/c.rs`, `../shared/DESIGN.md`, `src/cli.rs#L3` ![a](docs/shot.png) [b](https://x/y.md)";
    none(check(fine));
    none(check("```text\n`src/gone.rs`\n```"));
    one(&check("\nsee `src/gone.rs`"), "README.md:2: names `src/gone.rs`");
    one(&check("`gone.rs`"), "gone.rs");
    one(&check("`gone.mjs`"), "gone.mjs");
    one(&check("`core/gone/*.rs`"), "core/gone/*.rs");
    one(&check("`adapters/NAME/`"), "adapters/NAME/");
    one(&check("![a](docs/gone.png)"), "docs/gone.png");
}

// ── Docs and lints ──────────────────────────────────────────────────────────────────────────────────────────────────

/// The `//!` lines at the head of a file, after attributes of the whole file, if any.
fn module_doc(text: &str) -> Option<Vec<&str>> {
    let mut lines = text.lines().map(str::trim).peekable();
    let mut in_attribute = false;
    while let Some(line) = lines.next_if(|line| in_attribute || line.is_empty() || line.starts_with("#![")) {
        in_attribute = (in_attribute || line.starts_with("#![")) && !line.ends_with(']');
    }
    let doc: Vec<&str> = lines.map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    (!doc.is_empty()).then_some(doc)
}

const DOC_LINES_MAX: usize = 25;

/// Files that ship must have a module doc; tests may.
fn doc_complaints(path: &str, text: &str, ships: bool) -> Vec<String> {
    let Some(doc) = module_doc(text) else {
        return if ships { vec![format!("{path}: does not begin with `//!`")] } else { vec![] };
    };
    let mut complaints = Vec::new();
    if !doc[0].ends_with('.') || doc[0].split_whitespace().count() < 2 {
        complaints.push(format!("{path}: the first line of its doc is not a sentence"));
    }
    if doc.len() > DOC_LINES_MAX {
        complaints.push(format!("{path}: its doc has {} lines, more than {DOC_LINES_MAX}", doc.len()));
    }
    complaints
}

fn twin_complaints<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let (mut first, mut complaints) = (BTreeMap::new(), Vec::new());
    for (path, text) in files {
        let Some(doc) = module_doc(text) else { continue };
        let other = *first.entry(doc[0].to_lowercase()).or_insert(path);
        if other != path {
            complaints.push(format!("{path}: its doc begins as that of {other} does"));
        }
    }
    complaints
}

fn lint_complaints(path: &str, toml: &str) -> Vec<String> {
    let section = toml.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    let inherits = section.take_while(|line| !line.starts_with('[')).any(|line| line == "workspace = true");
    if inherits { vec![] } else { vec![format!("{path}: lacks `workspace = true` under `[lints]`")] }
}

#[test]
fn every_module_doc_is_short_and_begins_with_a_sentence() {
    let shipped: BTreeSet<&str> = REPO.shipped().map(|(path, _)| path).collect();
    none(REPO.rust().flat_map(|(path, text)| doc_complaints(path, text, shipped.contains(path))));
}

#[test]
fn no_two_module_docs_are_equal() {
    none(twin_complaints(REPO.rust()));
}

#[test]
fn every_crate_inherits_the_lints() {
    let manifests = REPO.texts.iter().filter(|(path, _)| name(path) == "Cargo.toml");
    none(manifests.flat_map(|(path, toml)| lint_complaints(path, toml)));
    assert!(REPO.text("Cargo.toml").contains("\nmissing_docs = "), "public items must be documented");
}

#[test]
fn a_module_doc_or_manifest_that_is_wrong_is_found() {
    one(&doc_complaints("a.rs", "use x;\n//! Late.", true), "does not begin");
    one(&doc_complaints("a.rs", "//! No full stop", false), "not a sentence");
    one(&doc_complaints("a.rs", "//! Placeholder.", true), "not a sentence");
    one(&doc_complaints("a.rs", &format!("//! It is long.\n{}", "//! x\n".repeat(25)), true), "has 26 lines");
    none(doc_complaints("a.rs", "#![allow(\n    dead_code\n)]\n\n//! It is fine.\n", true));
    none(doc_complaints("tests/a.rs", "fn f() {}", false));
    one(&twin_complaints([("a.rs", "//! One thing."), ("b.rs", "//! One thing.\n//!\n//! More.")].into_iter()), "a.rs");
    none(lint_complaints("Cargo.toml", "[lints]\nworkspace = true"));
    one(&lint_complaints("Cargo.toml", "[package]\n[lints]\n[x]\nworkspace = true"), "[lints]");
}

// ── Hosts and machines ──────────────────────────────────────────────────────────────────────────────────────────────

/// Registry hosts and machine paths, put together here so that this file does not hold them.
fn private_words() -> Vec<String> {
    let hosts = [
        ["registry.", "npmjs.org"],
        ["static.", "crates.io"],
        ["index.", "crates.io"],
        ["pypi", ".org"],
        ["files.", "pythonhosted.org"],
    ];
    let folders = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    hosts.map(|host| host.concat()).into_iter().chain(folders).collect()
}

/// A machine path begins there: `https://shop.example/home/` and `target/work/` are none.
fn private_complaints(path: &str, text: &str) -> Vec<String> {
    // Cargo writes its registry into its lock file; npm leaves its own out when asked, so a package-lock.json is read.
    if path.ends_with(".lock") {
        return vec![];
    }
    let begins = |before: Option<char>| before.is_none_or(|c| !is_word(c) && !".-~}*".contains(c));
    let mut complaints = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for word in private_words() {
            let found = |(i, _): (usize, &str)| !word.starts_with('/') || begins(line[..i].chars().next_back());
            if line.match_indices(&word).any(found) {
                complaints.push(format!("{path}:{}: names `{word}`", at + 1));
            }
        }
    }
    complaints
}

#[test]
fn no_file_names_a_registry_host_or_a_path_of_one_machine() {
    none(REPO.texts.iter().flat_map(|(path, text)| private_complaints(path, text)));
}

#[test]
fn each_registry_host_and_machine_path_is_found() {
    for word in private_words() {
        one(&private_complaints("docs/a.md", &format!("one\nsee {word}x")), "docs/a.md:2");
        none(private_complaints("Cargo.lock", &word));
        one(&private_complaints("tests/judges/x/package-lock.json", &word), &word);
    }
    none(private_complaints("a.md", &["https://shop.example", "home", "x"].join("/")));
}

// ── Length ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// About 60 and 500 are where one looks for the seam; these are where the build breaks.
const FUNCTION_LINES_MAX: usize = 100;
const FILE_LINES_MAX: usize = 700;

fn length_complaints(path: &str, text: &str) -> Vec<String> {
    let source = Source::read(text);
    let mut complaints = Vec::new();
    let lines = source.lines_apart_from_tests();
    if lines > FILE_LINES_MAX {
        complaints.push(format!("{path}: {lines} lines apart from tests, more than {FILE_LINES_MAX}"));
    }
    let code: Vec<char> = source.shipped().chars().collect();
    for (name, begin, end) in functions(&code) {
        let line = |to: usize| code[..to].iter().filter(|c| **c == '\n').count() + 1;
        let lines = line(end) - line(begin) + 1;
        if lines > FUNCTION_LINES_MAX {
            let at = line(begin);
            complaints.push(format!("{path}:{at}: `{name}` has {lines} lines, more than {FUNCTION_LINES_MAX}"));
        }
    }
    complaints
}

/// Name, first and last position of every function, those inside others too.
fn functions(code: &[char]) -> Vec<(String, usize, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < code.len() {
        if !is_word(code[at]) {
            at += 1;
            continue;
        }
        let word = word_at(code, at);
        let begin = at;
        at += word.len();
        // A type `fn(u8)` has no name.
        if word == ['f', 'n'] && code.get(at) == Some(&' ') {
            let name: String = word_at(code, at + 1).iter().collect();
            found.push((name, begin, item_end(code, at)));
        }
    }
    found
}

#[test]
fn no_function_and_no_file_is_too_long() {
    none(REPO.shipped().flat_map(|(path, text)| length_complaints(path, text)));
}

#[test]
fn a_function_or_file_that_is_too_long_is_found() {
    let function = |lines: usize| format!("fn f(x: [u8; 2]) {{\n{}}}\n", "    // {\n".repeat(lines - 2));
    none(length_complaints("a.rs", &function(100)));
    one(&length_complaints("a.rs", &format!("\n\n{}", function(101))), "a.rs:3: `f` has 101 lines");
    none(length_complaints("a.rs", &format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(800))));
    none(length_complaints("a.rs", &"// x\n".repeat(700)));
    one(&length_complaints("a.rs", &"// x\n".repeat(701)), "701 lines");
}
