//! Several files read as one.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use process::{Deadline, Interrupt, Wait};

use crate::error::PathError;
use crate::packed::Unpacked;

/// The files of a command line, one after the other, unpacked if they are compressed; see
/// [`InputArgs::open`](crate::InputArgs::open).
///
/// It ends early when the process is interrupted. A single `read` never returns bytes of more than one file.
pub struct Input {
    current: Option<Opened>,
    rest: VecDeque<PathBuf>,
    /// Until it is read to its end, or has an error.
    stdin: Option<Box<dyn Read + Send>>,
    interrupt: Interrupt,
}

/// A file that is being read, and its name.
struct Opened {
    content: Unpacked<Source>,
    path: PathBuf,
}

/// Where the bytes of a file come from.
struct Source {
    kind: SourceKind,
    interrupt: Interrupt,
}

enum SourceKind {
    Stdin(Box<dyn Read + Send>),
    File(File),
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
    fn next_source(&mut self) -> io::Result<Option<Opened>> {
        while let Some(path) = self.rest.pop_front() {
            let opened = |kind, path| {
                let source = Source { kind, interrupt: self.interrupt.clone() };
                Ok(Some(Opened { content: Unpacked::new(source), path }))
            };
            if path.as_os_str() != "-" {
                let file = File::open(&path).map_err(|error| PathError::wrap("open", &path, error))?;
                return opened(SourceKind::File(file), path);
            }
            if let Some(stdin) = self.stdin.take() {
                return opened(SourceKind::Stdin(stdin), PathBuf::from("stdin"));
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
            match current.content.read(buffer) {
                Ok(0) => self.current = None,
                Ok(count) => return Ok(count),
                // What is compressed does not end where we do.
                Err(_) if self.interrupt.has_come() => break,
                Err(error) => return Err(in_reading(&current.path, error)),
            }
        }
        Ok(0)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.kind {
            SourceKind::Stdin(stdin) => stdin.read(buffer),
            SourceKind::File(file) => {
                let wait = Wait { deadline: Deadline::NEVER, interrupt: &self.interrupt };
                if wait.readable(file.as_fd())? { file.read(buffer) } else { Ok(0) }
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
