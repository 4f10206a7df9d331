//! The key ring's file: made at the first start, readable by its owner alone.
//!
//! `{ "1": "<64 hex digits>" }`. Whoever has it can open links and kept secrets: back it up, and not beside the database.

use crate::clock::SystemEntropy;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use till_core::id::random;
use till_core::keys::{KeyId, KeyRing};

/// The key ring cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum BadKeys {
    /// The file cannot be read or written.
    #[error("key ring `{path}`: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("key ring `{0}` is damaged: put your backup back; without it, links and kept secrets cannot be opened")]
    Damaged(PathBuf),
}

/// Reads the ring, or makes one with a single key where there is none.
///
/// # Errors
/// [`BadKeys`]; a file that is there is never overwritten.
pub fn open(path: &Path) -> Result<KeyRing, BadKeys> {
    let failed = |source| BadKeys::File { path: path.to_owned(), source };
    if !path.exists() {
        make(path).map_err(failed)?;
    }
    let damaged = || BadKeys::Damaged(path.to_owned());
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let keys: BTreeMap<KeyId, String> = serde_json::from_str(&text).map_err(|_| damaged())?;
    let mut ring = Vec::new();
    for (id, text) in keys {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(|_| damaged())?;
        ring.push((id, key));
    }
    KeyRing::new(ring).ok_or_else(damaged)
}

fn make(path: &Path) -> std::io::Result<()> {
    let key = hex::encode(random::<32>(&mut SystemEntropy));
    write_private(path, &format!("{{ \"1\": \"{key}\" }}\n"))
}

/// Makes a new file that its owner alone can read, and leaves it open.
///
/// # Errors
/// Something of this name is there already, or the folder cannot be written.
pub fn create_private(path: &Path) -> std::io::Result<std::fs::File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a file that only its owner can read, unless there is one already.
///
/// It is written beside its place and linked there whole: a crash leaves no half file, and of two processes that make
/// one at the same time, one wins and both read it.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let unique = hex::encode(random::<8>(&mut SystemEntropy));
    let draft = path.with_file_name(format!(".draft-{unique}"));
    let mut file = create_private(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    std::fs::remove_file(&draft)?;
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_private_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/keys.json");
        let first = open(&path).unwrap();
        let again = open(&path).unwrap();
        assert_eq!(first.mac(1, "link", b"x"), again.mac(1, "link", b"x"));
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(open(&path), Err(BadKeys::Damaged(_))));
    }
}
