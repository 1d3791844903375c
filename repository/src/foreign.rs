//! Repositories of other tools: told apart from ours, and never read as empty.

use std::fmt;
use std::path::{Path, PathBuf};

/// A repository of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its folder.
    pub path: PathBuf,
    /// Whose it is.
    pub tool: Tool,
}

/// A tool with repositories of its own. Open: there may be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tool {
    /// `testr`, in `.testrepository`.
    Testrepository,
    /// `stestr`, in `.stestr`.
    Stestr,
    /// `inq`, in `.inquest`.
    Inquest,
}

impl Tool {
    /// All that are known.
    pub const ALL: [Tool; 3] = [Tool::Testrepository, Tool::Stestr, Tool::Inquest];

    /// The name of its repositories' folder.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Tool::Testrepository => ".testrepository",
            Tool::Stestr => ".stestr",
            Tool::Inquest => ".inquest",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Tool::Testrepository => "testrepository",
            Tool::Stestr => "stestr",
            Tool::Inquest => "inquest",
        })
    }
}

impl Foreign {
    /// The repositories of other tools in this folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Vec<Foreign> {
        let all = Tool::ALL.into_iter().map(|tool| Foreign { path: folder.join(tool.folder()), tool });
        all.filter(|foreign| foreign.path.is_dir()).collect()
    }
}
