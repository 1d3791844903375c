//! Several files read as one.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use process::{Deadline, Interrupt, Wait};

use crate::error::PathError;

/// The files of a command line, one after the other; see [`InputArgs::open`](crate::InputArgs::open).
///
/// It ends early when the process is interrupted. A single `read` never returns bytes of more than one file.
pub struct Input {
    current: Option<Source>,
    rest: VecDeque<PathBuf>,
    /// Until it is read to its end, or has an error.
    stdin: Option<Box<dyn Read + Send>>,
    interrupt: Interrupt,
}

enum Source {
    Stdin(Box<dyn Read + Send>),
    File(File, PathBuf),
}

impl Input {
    pub(crate) fn new(files: Vec<PathBuf>, stdin: Box<dyn Read + Send>, interrupt: Interrupt) -> Self {
        let mut rest = VecDeque::from(files);
        if rest.is_empty() {
            rest.push_back(PathBuf::from("-"));
        }
        Input { current: None, rest, stdin: Some(stdin), interrupt }
    }

    /// The next file, opened; a second `-` is stdin at its end, which gives nothing.
    fn next_source(&mut self) -> io::Result<Option<Source>> {
        while let Some(path) = self.rest.pop_front() {
            if path.as_os_str() != "-" {
                let file = File::open(&path).map_err(|error| PathError::wrap("open", &path, error))?;
                return Ok(Some(Source::File(file, path)));
            }
            if let Some(stdin) = self.stdin.take() {
                return Ok(Some(Source::Stdin(stdin)));
            }
        }
        Ok(None)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.interrupt.has_come() && !buffer.is_empty() {
            if self.current.is_none() {
                self.current = self.next_source()?;
            }
            let Some(current) = &mut self.current else { break };
            let count = current.read(buffer, &self.interrupt)?;
            if count > 0 {
                return Ok(count);
            }
            self.current = None;
        }
        Ok(0)
    }
}

impl Source {
    fn read(&mut self, buffer: &mut [u8], interrupt: &Interrupt) -> io::Result<usize> {
        match self {
            Source::Stdin(stdin) => stdin.read(buffer).map_err(|error| in_reading(Path::new("stdin"), error)),
            Source::File(file, path) => {
                match (Wait { deadline: Deadline::NEVER, interrupt }).readable(file.as_fd()) {
                    Ok(true) => file.read(buffer).map_err(|error| in_reading(path, error)),
                    Ok(false) => Ok(0),
                    Err(error) => Err(in_reading(path, error)),
                }
            }
        }
    }
}

// Readers of the standard library retry on `Interrupted`, so callers never see it.
fn in_reading(path: &Path, error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::Interrupted { error } else { PathError::wrap("read", path, error) }
}

/// The files of a command line one by one, each a document of its own; see
/// [`InputArgs::documents`](crate::InputArgs::documents).
///
/// It ends early when the process is interrupted.
pub struct Documents {
    files: std::vec::IntoIter<PathBuf>,
    /// Until it was handed out.
    stdin: Option<Box<dyn Read + Send>>,
    interrupt: Interrupt,
}

/// A file of the command line.
#[derive(Debug)]
pub struct Document {
    /// Its name on the command line; `-` is stdin.
    pub path: PathBuf,
    /// Its content.
    pub input: Input,
}

impl Documents {
    pub(crate) fn new(files: Vec<PathBuf>, stdin: Box<dyn Read + Send>, interrupt: Interrupt) -> Self {
        let files = if files.is_empty() { vec![PathBuf::from("-")] } else { files };
        Documents { files: files.into_iter(), stdin: Some(stdin), interrupt }
    }
}

impl Iterator for Documents {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        while !self.interrupt.has_come() {
            let path = self.files.next()?;
            let is_stdin = path.as_os_str() == "-";
            let stdin = if is_stdin { self.stdin.take() } else { Some(Box::new(io::empty()) as _) };
            // A second `-` has nothing more to say.
            let Some(stdin) = stdin else { continue };
            let input = Input::new(vec![path.clone()], stdin, self.interrupt.clone());
            return Some(Document { path, input });
        }
        None
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Documents").field("files", &self.files).finish_non_exhaustive()
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Input").field("rest", &self.rest).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(files: &[&Path], stdin: &'static [u8], expected: Result<&str, &str>) {
        let files = files.iter().map(|path| path.to_path_buf()).collect();
        let mut found = String::new();
        let read = Input::new(files, Box::new(stdin), Interrupt::never()).read_to_string(&mut found);
        match expected {
            Ok(text) => assert_eq!((read.unwrap(), &*found), (text.len(), text)),
            Err(text) => assert!(read.unwrap_err().to_string().starts_with(text)),
        }
    }

    #[test]
    fn files_are_read_one_after_the_other_with_stdin_where_the_dash_stands() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, missing] = ["a", "b", "missing"].map(|name| folder.path().join(name));
        fs::write(&a, "one").unwrap();
        fs::write(&b, "").unwrap();
        check(&[], b"stdin", Ok("stdin"));
        check(&[Path::new("-")], b"stdin", Ok("stdin"));
        check(&[&a, &b, Path::new("-"), &a, Path::new("-")], b" stdin ", Ok("one stdin one"));
        check(&[&a, &missing], b"", Err("cannot open "));
        check(&[folder.path()], b"", Err("cannot read "));
    }

    #[test]
    fn documents_are_handed_out_one_by_one_and_stdin_once() {
        let files = ["a", "-", "b", "-"].map(PathBuf::from).to_vec();
        let documents = Documents::new(files, Box::new(&b"stdin"[..]), Interrupt::never());
        let paths: Vec<_> = documents.map(|document| document.path).collect();
        assert_eq!(paths, ["a", "-", "b"].map(PathBuf::from));
        let mut alone = Documents::new(Vec::new(), Box::new(&b"stdin"[..]), Interrupt::never());
        let mut text = String::new();
        alone.next().unwrap().input.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), alone.next().is_none()), ("stdin", true));
    }
}
