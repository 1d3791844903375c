//! A test that began and has no result yet: what follows is its output.

use std::io;

use super::line::{self, Ended, Outcome};
use super::tell::{OUTPUT, Out, What};

/// Output is handed on in pieces of this size.
const PIECE: usize = 64 * 1024;

/// A test that began.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) name: String,
    pub(super) tag: Option<&'static str>,
    /// Whether libtest said that it takes long, and not that it began.
    pub(super) is_slow: bool,
    output: Vec<u8>,
    pub(super) candidate: Option<Candidate>,
}

/// A line of output that may have the result at its end.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    line: Vec<u8>,
    /// How much of it is output.
    len: usize,
    pub(super) ended: Ended<'static>,
    /// How many empty lines followed.
    pub(super) blanks: usize,
}

impl Pending {
    pub(super) fn new(name: &str, tag: Option<&'static str>, is_slow: bool) -> Self {
        Pending { name: name.to_owned(), tag, is_slow, output: Vec::new(), candidate: None }
    }

    /// Takes a line of output.
    pub(super) fn line(&mut self, content: &[u8], raw: &[u8], out: &mut Out<'_>) -> io::Result<()> {
        match line::glued(content) {
            Some((ended, len)) => {
                self.candidate = Some(Candidate { line: raw.to_vec(), len, ended, blanks: 0 });
                Ok(())
            }
            None => self.push(raw, out),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> io::Result<()> {
        if self.output.len() + bytes.len() > PIECE {
            self.flush(out)?;
        }
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands on the output.
    pub(super) fn flush(&mut self, out: &mut Out<'_>) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let what = What { file: Some((OUTPUT, &self.output)), at: out.now(), ..What::default() };
        out.tell(&self.name, &what)?;
        self.output.clear();
        Ok(())
    }

    /// The line that may have had the result at its end had it.
    pub(super) fn accept(&mut self, out: &mut Out<'_>) -> io::Result<()> {
        let Some(candidate) = self.candidate.take() else { return Ok(()) };
        self.push(candidate.line.get(..candidate.len).unwrap_or_default(), out)
    }

    /// It had not: it was output.
    pub(super) fn dismiss(&mut self, out: &mut Out<'_>) -> io::Result<()> {
        let Some(candidate) = self.candidate.take() else { return Ok(()) };
        self.push(&candidate.line, out)?;
        self.push(&b"\n".repeat(candidate.blanks), out)
    }

    /// Its result never came.
    pub(super) fn lose(self, out: &mut Out<'_>) -> io::Result<()> {
        let at = out.now();
        let ended = Ended { outcome: Outcome::Failed(NO_RESULT), took: None };
        out.end(&self.name, self.tag, &ended, (true, at))
    }
}

/// Why a test failed whose result never came.
pub(super) const NO_RESULT: &[u8] = b"its result never came";
