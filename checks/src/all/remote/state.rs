//! The state of a check that is run elsewhere: it is kept here, and goes there and back with each run.

use std::path::Path;

use anyhow::Context as _;
use probe::StateFile;
use process::Interrupt;
use subunit::Packet;
use transport::{Word, kept_file};

/// The state file of a target on this machine.
pub(super) struct KeptState {
    file: StateFile,
    /// Why it is not as it should be, for people.
    warnings: Vec<String>,
}

impl KeptState {
    /// Reads the file; the word has it sent along.
    ///
    /// # Errors
    ///
    /// When it cannot be said in a word.
    pub(super) fn open(
        check: &'static str,
        path: &Path,
        interrupt: &Interrupt,
    ) -> anyhow::Result<(Self, Word)> {
        let (file, warnings) = StateFile::open_apart(check, path, interrupt);
        let content = file.to_text().context("cannot send the state along")?;
        let word = Word::Kept { before: "--state-file=".to_owned(), content };
        Ok((KeptState { file, warnings }, word))
    }

    /// Saves the state if the packet brings it back, and tells whether it did.
    pub(super) fn take(&mut self, packet: &Packet<'_>) -> bool {
        let Some(bytes) = kept_file(packet) else { return false };
        self.file.take_text(bytes);
        self.warnings.extend(self.file.save().err());
        true
    }

    /// Why it is not as it should be, as the check would say it.
    pub(super) fn warnings(&self, check: &str) -> Vec<String> {
        self.warnings.iter().map(|warning| format!("check-{check}: {warning}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use subunit::{Event, File, PacketBuf};

    use super::*;

    #[test]
    fn what_is_left_there_is_kept_here() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let there_and_back = |before: &str, after: &str| {
            let (mut kept, word) = KeptState::open("eos", &path, &Interrupt::never()).unwrap();
            assert_eq!(word, Word::Kept { before: "--state-file=".to_owned(), content: before.to_owned() });
            let packet = |name| {
                let file = Some(File { name, bytes: after.as_bytes() });
                PacketBuf::encode(&Event { file, ..Event::default() }).unwrap()
            };
            assert!(!kept.take(&packet("other").packet()));
            assert!(kept.take(&packet("subunit-checks.state").packet()));
            assert_eq!(kept.warnings("eos"), [""; 0]);
        };
        let known = r#"{"bad":true,"in_a_row":2,"last_bad":true,"time":0.0,"counters":{}}"#;
        let failed = format!(r#"{{"version":1,"tests":{{"a":{known}}}}}"#);
        there_and_back(r#"{"version":1,"tests":{}}"#, &failed);
        there_and_back(&failed, r#"{"version":1"#);
        assert_eq!(fs::read_to_string(&path).unwrap(), failed + "\n");
    }

    #[test]
    fn one_that_cannot_be_kept_is_sent_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, word) = KeptState::open("eos", folder.path(), &Interrupt::never()).unwrap();
        let content = r#"{"version":1,"kept":false,"tests":{}}"#.to_owned();
        assert_eq!(word, Word::Kept { before: "--state-file=".to_owned(), content });
        let warnings = kept.warnings("eos").join("\n");
        assert!(warnings.contains("check-eos: cannot write the state file"), "{warnings}");
    }
}
