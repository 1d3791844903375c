//! A tiny project for each preset, by which it is tried.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

/// A project with odd names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Example {
    /// Its files, by their paths.
    pub files: BTreeMap<String, String>,
    /// What has to be done before anything is run.
    pub setup: Option<String>,
    /// What `$PROGRAM` is.
    pub program: Option<String>,
    /// What its run comes to, each test counted once.
    pub expected: Expected,
}

/// How the tests of a project end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expected {
    /// Passed, also such as failed as expected.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Skipped.
    pub skipped: usize,
}

impl Example {
    /// Writes the project.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        for (name, text) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, text)?;
        }
        Ok(())
    }
}
