//! What is wrong with a document, and where.

use std::fmt;
use std::io;
use subunit::part;

use memchr::{memchr_iter, memrchr};

/// A place in the text of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, counted from 1.
    pub line: u64,
    /// The character in that line, counted from 1.
    pub column: u64,
}

impl Position {
    /// The place after these bytes, which begin here.
    #[inline]
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        let last_line = match memrchr(b'\n', bytes) {
            Some(at) => {
                self.line += memchr_iter(b'\n', bytes).count() as u64;
                self.column = 1;
                part(bytes, at + 1..)
            }
            None => bytes,
        };
        self.column += columns(last_line) as u64;
    }
}

impl Position {
    /// The place this many bytes after this one, where these begin; or this many characters before it, in the same
    /// line.
    pub(crate) fn at(mut self, offset: isize, bytes: &[u8]) -> Position {
        match usize::try_from(offset) {
            Ok(offset) => self.advance(part(bytes, ..offset)),
            Err(_) => self.column = self.column.saturating_sub(offset.unsigned_abs() as u64),
        }
        self
    }
}

/// How many characters these bytes are: the number of bytes that do not continue one.
pub(crate) fn columns(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

impl Default for Position {
    fn default() -> Self {
        Position { line: 1, column: 1 }
    }
}

/// Why a document could not be read to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// It is broken, or not a report. All that came before was passed on, and the sink knows of the damage.
    Broken {
        /// Where it was noticed: where the wrong markup begins.
        position: Position,
        /// What is wrong.
        problem: String,
    },
    /// Reading failed, or the sink did.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Broken { position: Position { line, column }, problem } => {
                write!(formatter, "line {line}, column {column}: {problem}")
            }
            Error::Io(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Broken { .. } => None,
            Error::Io(error) => error.source(),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Io(error)
    }
}

/// Why taking a piece of a document failed, before it is known where that was.
#[derive(Debug)]
pub(crate) enum Failure {
    Problem(String),
    /// The document is something else: its root has this name.
    Foreign(String),
    /// A problem of a reference that begins this many bytes after the start of the piece of text, or before it.
    Reference {
        problem: String,
        at: isize,
    },
    Io(io::Error),
}

/// A problem of the document.
pub(crate) fn problem<T>(what: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Problem(what.into()))
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&str], line: u64, column: u64) {
        let mut position = Position::default();
        pieces.iter().for_each(|piece| position.advance(piece.as_bytes()));
        assert_eq!(position, Position { line, column });
    }

    #[test]
    fn lines_and_characters_are_counted_from_1() {
        check(&[], 1, 1);
        check(&["ab"], 1, 3);
        check(&["a\n", "\r\nxyz", "ü"], 3, 5);
        check(&["\n\n"], 3, 1);
    }
}
