//! A test that began and has no result yet: what follows is its output.

use std::io;

use super::emit::{BinaryOut, OUTPUT};
use super::line::{self, EndKind, TestEnd};
use crate::held::{HeldFile, HeldTest};
use subunit::part;

/// A test that began.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) test: HeldTest,
    /// Whether libtest said that it takes long, and not that it began.
    pub(super) is_slow: bool,
    output: HeldFile,
    pub(super) candidate: Option<Candidate>,
}

/// A line of output that may have the result at its end.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    line: Vec<u8>,
    /// How much of it is output.
    len: usize,
    pub(super) ended: TestEnd<'static>,
    /// How many empty lines followed.
    pub(super) blanks: usize,
}

impl Pending {
    pub(super) fn new(test: HeldTest, is_slow: bool) -> Self {
        Pending { test, is_slow, output: HeldFile::text(OUTPUT), candidate: None }
    }

    /// Takes a line of output.
    pub(super) fn line(&mut self, content: &[u8], raw: &[u8], out: &mut BinaryOut<'_>) -> io::Result<()> {
        match line::glued(content) {
            Some((ended, len)) => {
                self.candidate = Some(Candidate { line: raw.to_vec(), len, ended, blanks: 0 });
                Ok(())
            }
            None => self.push(raw, out),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut BinaryOut<'_>) -> io::Result<()> {
        self.output.push(bytes, out.now(), &self.test.event(), out)
    }

    /// Hands on the output.
    pub(super) fn flush(&mut self, out: &mut BinaryOut<'_>) -> io::Result<()> {
        self.output.flush(&self.test.event(), out)
    }

    /// The line that may have had the result at its end had it.
    pub(super) fn accept(&mut self, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let Some(Candidate { line, len, .. }) = self.candidate.take() else { return Ok(()) };
        self.push(part(&line, ..len), out)
    }

    /// It had not: it was output.
    pub(super) fn dismiss(&mut self, out: &mut BinaryOut<'_>) -> io::Result<()> {
        let Some(candidate) = self.candidate.take() else { return Ok(()) };
        self.push(&candidate.line, out)?;
        self.push(&b"\n".repeat(candidate.blanks), out)
    }

    /// Its result never came.
    pub(super) fn lose(mut self, out: &mut BinaryOut<'_>) -> io::Result<()> {
        self.test.time = out.now();
        out.end(&mut self.test, &TestEnd { outcome: EndKind::Failed(NO_RESULT), took: None })
    }
}

/// Why a test failed whose result never came.
pub(super) const NO_RESULT: &[u8] = b"its result never came";
