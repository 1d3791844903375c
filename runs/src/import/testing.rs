//! What the tests of the import share.

use std::fs;
use std::path::{Path, PathBuf};

use cli::RunOutput;

/// A repository of another tool, made by that tool.
pub(crate) fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/repositories").join(name)
}

/// A copy of it, in a folder of its own.
pub(crate) fn copy(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let from = corpus(name);
    let to = folder.path().join(from.file_name().unwrap());
    copy_folder(&from, &to);
    (folder, to)
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy_folder(&entry.path(), &to) } else { drop(fs::copy(entry.path(), to)) }
    }
}

/// Runs `subunit -C FOLDER …`.
pub(crate) fn subunit(folder: &Path, args: &[&str]) -> RunOutput {
    let all = [args, &["-C", folder.to_str().unwrap()]].concat();
    crate::testing::subunit(&all, b"")
}
