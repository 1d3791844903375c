//! Where things are in a repository, and how files come to be whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, at};
use crate::run_id::RunId;

/// The folder of a repository.
pub(crate) const FOLDER: &str = ".subunit";
/// The format that this version reads and writes.
pub(crate) const FORMAT: u64 = 1;
const FORMAT_WORD: &str = "subunit-repository";
const FORMAT_FILE: &str = "format";
pub(crate) const RUNS: &str = "runs";
/// What runs that are being made are called before they have a number.
pub(crate) const NEW_PREFIX: &str = ".new-";

/// Writes the file that says which format a repository has.
pub(crate) fn write_format(folder: &Path) -> Result<()> {
    let path = folder.join(FORMAT_FILE);
    replace(&path, format!("{FORMAT_WORD} {FORMAT}\n").as_bytes())
}

/// Checks that a folder is a repository of a format that is known.
pub(crate) fn check_format(folder: &Path) -> Result<()> {
    let path = folder.join(FORMAT_FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::NotARepository(folder.to_owned()));
        }
        Err(error) => return Err(at("read", &path)(error)),
    };
    match parse_format(&text) {
        Some(FORMAT) => Ok(()),
        Some(format) if format > FORMAT => Err(Error::Newer { path: folder.to_owned(), format }),
        _ => Err(Error::NotARepository(folder.to_owned())),
    }
}

/// The number in a format file. A newer version may say more after it.
fn parse_format(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.strip_prefix(FORMAT_WORD)?.strip_prefix(' ')?.split_whitespace();
    words.next()?.parse().ok()
}

/// The folder of a run, and the files in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunFolder(pub(crate) PathBuf);

impl RunFolder {
    pub(crate) fn new(repository: &Path, id: RunId) -> Self {
        RunFolder(repository.join(RUNS).join(format!("{:06}", id.0)))
    }

    /// The stream as it came, while the run goes on; whoever writes it holds its lock.
    pub(crate) fn raw(&self) -> PathBuf {
        self.0.join("stream.subunit")
    }

    /// The stream once the run is complete.
    pub(crate) fn compressed(&self) -> PathBuf {
        self.0.join("stream.subunit.zst")
    }

    /// A row a test: derived from the stream, and the truth once that was pruned.
    pub(crate) fn results(&self) -> PathBuf {
        self.0.join("results")
    }

    /// How the run came about and how it ended.
    pub(crate) fn json(&self) -> PathBuf {
        self.0.join("run.json")
    }

    /// There when the run is not to be pruned.
    pub(crate) fn pin(&self) -> PathBuf {
        self.0.join("pinned")
    }

    /// How many bytes it takes: its stream in the form that counts, its results, and its metadata.
    pub(crate) fn size(&self) -> u64 {
        let len = |path: PathBuf| fs::metadata(path).ok().map(|file| file.len());
        let stream = len(self.compressed()).or_else(|| len(self.raw()));
        [stream, len(self.results()), len(self.json())].into_iter().flatten().sum()
    }
}

/// The numbers of all runs, in order.
pub(crate) fn run_ids(repository: &Path) -> Result<Vec<RunId>> {
    let path = repository.join(RUNS);
    let mut ids = Vec::new();
    for entry in fs::read_dir(&path).map_err(at("read", &path))? {
        let name = entry.map_err(at("read", &path))?.file_name();
        ids.extend(name.to_str().and_then(run_id));
    }
    ids.sort_unstable();
    Ok(ids)
}

/// The number that the folder of this name stands for.
fn run_id(name: &str) -> Option<RunId> {
    let is_number = name.len() >= 6 && name.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { name.parse().ok().map(RunId) } else { None }
}

/// Makes a file whole or not at all: readers see what was there before or all of `bytes`, also after a crash.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Replacement::new(path)?;
    file.file.as_file_mut().write_all(bytes).map_err(at("write", path))?;
    file.put(true)
}

/// A file in the making, which takes its place when it is whole and vanishes when it fails.
#[derive(Debug)]
pub(crate) struct Replacement {
    pub(crate) file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Replacement {
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // As any other file: whoever may read the repository may read this.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.prefix(NEW_PREFIX).tempfile_in(folder).map_err(at("write", path))?;
        Ok(Replacement { file, path: path.to_owned() })
    }

    /// Puts the file in its place, on the disk itself if it is to be `durable`.
    pub(crate) fn put(self, durable: bool) -> Result<()> {
        let path = &self.path;
        if durable {
            self.file.as_file().sync_all().map_err(at("write", path))?;
        }
        self.file.persist(path).map(drop).map_err(|error| at("write", path)(error.error))
    }
}

/// A folder in the making, which vanishes unless it is renamed and kept.
pub(crate) fn new_folder(parent: &Path, prefix: &str) -> Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.prefix(prefix).tempdir_in(parent).map_err(at("make a folder in", parent))
}

/// Whether renaming a folder failed because there is one of that name, with something in it.
pub(crate) fn is_taken(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | NotADirectory)
}

/// Makes sure that the names in a folder are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at("write", folder))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_format_text(text: &str, expected: Option<u64>) {
        assert_eq!(parse_format(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn a_format_is_a_word_and_a_number() {
        check_format_text("subunit-repository 1\n", Some(1));
        check_format_text("subunit-repository 12 with more\n", Some(12));
        for text in ["", "1\n", "subunit-repository", "subunit-repository x", "other 1\n"] {
            check_format_text(text, None);
        }
    }

    #[test]
    fn folders_of_runs_are_numbers_of_six_digits_or_more() {
        assert_eq!(run_id("000042"), Some(RunId(42)));
        assert_eq!(run_id("1000000"), Some(RunId(1_000_000)));
        for name in ["42", ".new-x", "00004x", "-00042"] {
            assert_eq!(run_id(name), None, "{name}");
        }
    }
}
