//! The state of a check that is run elsewhere: it is kept here, and goes there and back with each run.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use probe::StateFile;
use subunit::Packet;
use tempfile::NamedTempFile;
use transport::{Word, kept_file};

/// The state file of a target on this machine, locked until this is dropped.
pub(super) struct LockedState {
    path: PathBuf,
    _locked: StateFile,
}

impl LockedState {
    /// Locks the file, and reads it; the word has it sent along.
    ///
    /// # Errors
    ///
    /// When that cannot be done.
    pub(super) fn open(path: &Path) -> anyhow::Result<(Self, Word)> {
        let context = || format!("cannot use the state file {}", path.display());
        let (locked, _) = StateFile::open(path).with_context(context)?;
        let content = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            content => content.with_context(context)?,
        };
        let content = String::from_utf8_lossy(&content).into_owned();
        let word = Word::Kept { before: "--state-file=".to_owned(), content };
        Ok((LockedState { path: path.to_owned(), _locked: locked }, word))
    }

    /// Saves the state if the packet brings it back, and tells whether it did.
    pub(super) fn take(&self, packet: &Packet<'_>) -> bool {
        let Some(bytes) = kept_file(packet) else { return false };
        // A state that cannot be kept is that of an earlier run the next time, which is not a reason for a failure.
        let _kept = self.save(bytes);
        true
    }

    fn save(&self, bytes: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use subunit::{Event, File, PacketBuf};

    use super::*;

    #[test]
    fn what_is_left_there_is_kept_here() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let there_and_back = |before: &str, after: &str| {
            let (kept, word) = LockedState::open(&path).unwrap();
            assert_eq!(word, Word::Kept { before: "--state-file=".to_owned(), content: before.to_owned() });
            let packet = |name| {
                let file = Some(File { name, bytes: after.as_bytes() });
                PacketBuf::encode(&Event { file, ..Event::default() }).unwrap()
            };
            assert!(!kept.take(&packet("other").packet()));
            assert!(kept.take(&packet("subunit-checks.state").packet()));
        };
        there_and_back("", "{\"version\":1}");
        there_and_back("{\"version\":1}", "{\"version\":1,\"tests\":{}}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"version\":1,\"tests\":{}}");
    }
}
