//! By paths, where folders cannot be held open.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::no_regular_file;

/// A folder.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    /// Opens the folder at a path that the user gave.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // A path that is relative stays the same when the program goes elsewhere.
        let path = fs::canonicalize(path)?;
        if path.is_dir() { Ok(Place(path)) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// The names that are in it.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// Makes a folder in it.
    pub(crate) fn make_folder(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.0.join(name))
    }

    /// Makes a file in it; what is there stays, whatever it is.
    pub(crate) fn make_file(&self, name: &str) -> io::Result<File> {
        File::options().write(true).create_new(true).open(self.0.join(name))
    }

    /// A folder in it.
    pub(crate) fn folder(&self, name: &Path) -> io::Result<Place> {
        let path = self.0.join(name);
        if path.symlink_metadata()?.is_dir() {
            Ok(Place(path))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// A regular file in it, to be read.
    pub(crate) fn file(&self, name: &Path) -> io::Result<File> {
        let path = self.0.join(name);
        if path.symlink_metadata()?.is_file() { File::open(path) } else { Err(no_regular_file()) }
    }
}
