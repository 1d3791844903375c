//! `-C`, the argument that says where the repository is.

use std::cell::OnceCell;
use std::env;
use std::path::{Path, PathBuf};

use repository::{Note, Repository};

/// The variable of the environment that names the repository.
const VARIABLE: &str = "SUBUNIT_REPO";

/// `-C`: which repository is meant.
#[derive(clap::Args, Debug, Default)]
pub struct RepoArgs {
    /// Use the repository in DIR; without this, the one that SUBUNIT_REPO names, or the nearest from the working
    /// directory up
    #[arg(
        // Before those of the command, which may have the same name.
        id = "the repository",
        short = 'C',
        long = "repository",
        value_name = "DIR",
        overrides_with = "the repository",
        help_heading = "Repository"
    )]
    folder: Option<PathBuf>,
    #[arg(skip)]
    opened: OnceCell<Repository>,
    #[arg(skip)]
    snapshot: OnceCell<Repository>,
}

impl RepoArgs {
    /// The folder that was named.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let variable = || env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
        self.folder.clone().or_else(|| variable().map(PathBuf::from))
    }

    /// The repository, opened once.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be opened.
    pub fn repository(&self) -> Result<&Repository, repository::Error> {
        if let Some(repository) = self.opened.get() {
            return Ok(repository);
        }
        let found = match self.folder() {
            Some(folder) => Repository::open(folder),
            None => Repository::find("."),
        };
        found.map(|repository| self.opened.get_or_init(|| repository))
    }

    /// The repository as it was when this was asked first: all answers of a command are of one moment.
    pub(super) fn snapshot(&self) -> Result<&Repository, repository::Error> {
        if let Some(snapshot) = self.snapshot.get() {
            return Ok(snapshot);
        }
        let snapshot = self.repository()?.snapshot()?;
        Ok(self.snapshot.get_or_init(|| snapshot))
    }

    /// Makes the repository, in the working directory unless another folder was named.
    pub(super) fn make(&self) -> Result<&Repository, repository::Error> {
        self.make_in(Path::new("."))
    }

    /// Makes the repository, in this folder unless another one was named.
    pub(super) fn make_in(&self, folder: &Path) -> Result<&Repository, repository::Error> {
        let made = Repository::init(self.folder().unwrap_or_else(|| folder.to_owned()))?;
        Ok(self.opened.get_or_init(|| made))
    }

    /// What happened besides: repairs, pruning.
    pub(super) fn notes(&self) -> Vec<Note> {
        self.opened.get().map(Repository::take_notes).unwrap_or_default()
    }
}
