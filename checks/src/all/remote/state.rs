//! The state of a check that is run elsewhere: it is kept here, and goes there and back with each run.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use probe::State;
use subunit::io::Writer;
use subunit::{Event, File, Packet};
use tempfile::{NamedTempFile, TempDir};

/// The name of the attachment, without a test id, that brings it back.
const NAME: &str = "subunit-checks.state";
/// Bytes of it.
const MOST: usize = 2 << 20;

/// The state file of a target on this machine, locked until this is dropped.
pub(super) struct LockedState {
    path: PathBuf,
    _locked: State,
}

impl LockedState {
    /// Locks the file, and reads it.
    ///
    /// # Errors
    ///
    /// When that cannot be done.
    pub(super) fn open(path: &Path) -> anyhow::Result<(Self, String)> {
        let context = || format!("cannot use the state file {}", path.display());
        let (locked, _) = State::open(path).with_context(context)?;
        let content = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            content => content.with_context(context)?,
        };
        Ok((
            LockedState { path: path.to_owned(), _locked: locked },
            String::from_utf8_lossy(&content).into_owned(),
        ))
    }

    /// Saves the state if the packet brings it back, and tells whether it did.
    pub(super) fn take(&self, packet: &Packet<'_>) -> bool {
        let event = packet.event();
        let Some(file) = event.file.filter(|file| file.name == NAME && event.test_id.is_none()) else {
            return false;
        };
        // A state that cannot be kept is that of an earlier run the next time, which is not a reason for a failure.
        let _kept = self.save(file.bytes);
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

/// A copy of the state, where the check is run.
pub(super) struct StateCopy(TempDir);

impl StateCopy {
    /// A file with this content; no file where the content is empty.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(super) fn new(content: &str) -> io::Result<Self> {
        let copy = StateCopy(tempfile::tempdir()?);
        if !content.is_empty() {
            fs::write(copy.path(), content)?;
        }
        Ok(copy)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// Writes the state that the check has left, as a packet.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    pub(super) fn give_back(&self, output: impl Write) -> io::Result<()> {
        let bytes = match fs::read(self.path()) {
            Ok(bytes) if bytes.len() <= MOST => bytes,
            _ => return Ok(()),
        };
        let mut writer = Writer::new(output);
        writer.write(&Event { file: Some(File { name: NAME, bytes: &bytes }), ..Event::default() })?;
        writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use subunit::Frame;
    use subunit::io::Reader;

    use super::*;

    #[test]
    fn what_is_left_there_is_kept_here() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let there_and_back = |before: &str, after: &str| {
            let (kept, content) = LockedState::open(&path).unwrap();
            assert_eq!(content, before);
            let copy = StateCopy::new(&content).unwrap();
            assert_eq!(fs::read_to_string(copy.path()).unwrap_or_default(), before);
            fs::write(copy.path(), after).unwrap();
            let mut stream = Vec::new();
            copy.give_back(&mut stream).unwrap();
            let mut reader = Reader::new(stream.as_slice());
            let Some(Frame::Packet(packet)) = reader.next_frame().unwrap() else { panic!("no packet") };
            assert!(kept.take(&packet));
        };
        there_and_back("", "{\"version\":1}");
        there_and_back("{\"version\":1}", "{\"version\":1,\"tests\":{}}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"version\":1,\"tests\":{}}");
    }
}
