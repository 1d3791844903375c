//! Errors as one line on stderr: what failed, where, and the system's words for it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What could not be done with a file, with the system's error as its source.
#[derive(Debug)]
pub struct PathError {
    verb: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl PathError {
    /// The error of `verb` ("open", "read", "write") on this path, of the same kind as its source.
    pub fn wrap(verb: &'static str, path: &Path, source: io::Error) -> io::Error {
        let kind = source.kind();
        io::Error::new(kind, PathError { verb, path: path.to_owned(), source })
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot {} {}", self.verb, self.path.display())
    }
}

impl Error for PathError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Whether the reader of our output went away.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// The line that tells people of an error: `subunit-ls: cannot open x.subunit: No such file or directory`.
pub(crate) fn line(command: &str, error: &anyhow::Error) -> String {
    let mut line = format!("{command}: ");
    for character in process::chain(error.as_ref()).trim_end().chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    fn check_line(error: &anyhow::Error, expected: &str) {
        assert_eq!(line("subunit-ls", error), expected);
    }

    #[test]
    fn an_error_is_one_line_with_what_and_where() {
        let missing = io::Error::from_raw_os_error(2);
        check_line(
            &PathError::wrap("open", Path::new("x.subunit"), missing).into(),
            "subunit-ls: cannot open x.subunit: No such file or directory (os error 2)\n",
        );
        check_line(&anyhow::anyhow!("a\nb\x1b[2J"), "subunit-ls: a\\nb\\u{1b}[2J\n");
    }

    #[test]
    fn a_closed_pipe_is_found_anywhere_in_the_chain() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&broken().into()));
        assert!(is_closed_pipe(&anyhow::Error::new(broken()).context("cannot write the report")));
        assert!(is_closed_pipe(&PathError::wrap("write", Path::new("fifo"), broken()).into()));
        let other = Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull)).context("cannot write");
        assert!(!is_closed_pipe(&other.unwrap_err()));
    }
}
