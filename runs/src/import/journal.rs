//! The journal of what was imported, so that nothing is imported twice: the file `imported` in the repository.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use repository::RunId;
use serde::{Deserialize, Serialize};

use super::source::{Source, SourceRun};

/// The file's name.
const NAME: &str = "imported";

/// A run that was imported: a line of the journal, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Whose repository it was in.
    pub(super) tool: String,
    /// Where that was.
    pub(super) path: PathBuf,
    /// The run's number there.
    pub(super) name: String,
    /// The digest of its bytes.
    pub(super) digest: String,
    /// The run's number here.
    pub(super) run: RunId,
}

/// What makes it the same run: tool, number and bytes. Repositories may be moved.
pub(super) type Key = (String, String, String);

impl Entry {
    /// The entry of a run that has no number here yet.
    pub(super) fn of(source: &Source, run: &SourceRun) -> Entry {
        let path = &source.path;
        Entry {
            tool: source.tool.clone(),
            path: path.canonicalize().unwrap_or_else(|_| path.clone()),
            name: run.name.clone(),
            digest: run.digest.clone(),
            run: RunId(0),
        }
    }

    pub(super) fn key(&self) -> Key {
        (self.tool.clone(), self.name.clone(), self.digest.clone())
    }
}

/// The journal. While it is open, nobody else imports into this repository.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Journal {
    pub(super) fn open(repository: &Path) -> anyhow::Result<Journal> {
        let path = repository.join(NAME);
        let at = |action: &str| format!("cannot {action} {}", path.display());
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let mut file = opened.with_context(|| at("write"))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => bail!("another import into this repository is under way"),
            locked => locked.with_context(|| at("lock"))?,
        }
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(|| at("read"))?;
        // The last line may be cut, of an import that was killed: its run is incomplete.
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let entries = lines.filter(|line| !line.is_empty()).map(serde_json::from_str);
        let entries = entries.collect::<Result<_, _>>().with_context(|| at("read"))?;
        if !text.is_empty() && !text.ends_with('\n') {
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            file.set_len(whole as u64).with_context(|| at("write"))?;
        }
        Ok(Journal { file, path, entries })
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: Entry) -> anyhow::Result<()> {
        let line = serde_json::to_string(&entry)? + "\n";
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.with_context(|| format!("cannot write {}", self.path.display()))?;
        self.entries.push(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn entry(run: u32) -> Entry {
        let [tool, name, digest] = ["stestr", "7", "abc"].map(str::to_owned);
        Entry { tool, path: "x".into(), name, digest, run: RunId(run) }
    }

    #[test]
    fn entries_are_read_back_and_a_cut_one_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        Journal::open(folder.path()).unwrap().push(entry(1)).unwrap();
        let path = folder.path().join(NAME);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{{\"tool\":\"st")).unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.entries(), [entry(1)]);
        journal.push(entry(2)).unwrap();
        drop(journal);
        assert_eq!(Journal::open(folder.path()).unwrap().entries(), [entry(1), entry(2)]);
    }

    #[test]
    fn two_imports_do_not_go_on_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Journal::open(folder.path()).unwrap();
        let error = Journal::open(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "another import into this repository is under way");
    }
}
