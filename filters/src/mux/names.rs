//! What a stream is made of: stdin, files and commands, by the names that routes begin with.

use std::path::PathBuf;

use cli::value::{NamedCommand, NamedFile};

/// A source as it is given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceSpec {
    /// None: it goes by its ordinal.
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Stdin,
    File(PathBuf),
    /// A command for the shell.
    Exec(String),
}

impl SourceSpec {
    pub(crate) const STDIN: SourceSpec = SourceSpec { name: None, kind: Kind::Stdin };

    fn file(file: &NamedFile) -> Self {
        let kind = if file.is_stdin() { Kind::Stdin } else { Kind::File(file.path.clone()) };
        SourceSpec { name: file.name.clone(), kind }
    }

    fn command(command: &NamedCommand) -> Self {
        SourceSpec { name: command.name.clone(), kind: Kind::Exec(command.command.clone()) }
    }
}

/// The sources of these arguments: files first, then commands; stdin when there is nothing else.
pub(crate) fn specs(files: &[NamedFile], commands: &[NamedCommand], has_others: bool) -> Vec<SourceSpec> {
    if files.is_empty() && commands.is_empty() && !has_others {
        return vec![SourceSpec::STDIN];
    }
    files.iter().map(SourceSpec::file).chain(commands.iter().map(SourceSpec::command)).collect()
}
