//! One source alone: a loop that reads and writes, and waits for nothing else.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use process::Interrupt;
use streamresult::deliver;
use subunit::Frame;
use subunit::io::Reader;

use super::rewrite::{Rewrite, Sink};

/// Packets from this length on are written without a copy.
const LONG: usize = 64 * 1024;

/// Passes a stream on to its end. What is given back is how reading ended; what had come is written.
///
/// # Errors
///
/// When writing fails.
pub(crate) fn pass(
    input: impl Read,
    rewrite: &mut Rewrite,
    output: &mut dyn Write,
) -> io::Result<io::Result<()>> {
    let mut batches = Batches { rewrite, batch: Vec::new(), output };
    let passed = Reader::new(input).each(
        &mut batches,
        |batches, frame, offset| batches.add(&frame, offset).map_err(Failure::Write),
        |batches| batches.flush().map_err(Failure::Write),
    );
    match passed {
        Err(Failure::Write(error)) => Err(error),
        Err(Failure::Read(error)) => Ok(Err(error)),
        Ok(()) => Ok(Ok(())),
    }
}

enum Failure {
    Read(io::Error),
    Write(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Read(error)
    }
}

/// Writes what came in one read at once, changed.
struct Batches<'a> {
    rewrite: &'a mut Rewrite,
    batch: Vec<u8>,
    output: &'a mut dyn Write,
}

impl Batches<'_> {
    #[inline]
    fn add(&mut self, frame: &Frame<'_>, offset: u64) -> io::Result<()> {
        if self.write_long(frame)? {
            return Ok(());
        }
        deliver(frame, offset, &mut Sink { rewrite: self.rewrite, out: &mut self.batch })
    }

    /// Writes a long packet that changes in no more than its route; what comes before it in the batch goes first,
    /// and its end stays there.
    #[inline]
    fn write_long(&mut self, frame: &Frame<'_>) -> io::Result<bool> {
        let Frame::Packet(packet) = frame else { return Ok(false) };
        if packet.as_bytes().len() < LONG {
            return Ok(false);
        }
        let Some([head, middle, tail]) = self.rewrite.parts(packet) else { return Ok(false) };
        self.batch.extend_from_slice(head);
        self.output.write_all(&self.batch)?;
        self.output.write_all(middle)?;
        self.batch.clear();
        self.batch.extend_from_slice(tail);
        Ok(true)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.write_all(&self.batch)?;
        self.batch.clear();
        self.output.flush()
    }
}

/// A regular file, opened by the first read, which ends when the process is asked to.
pub(crate) struct Interruptible<'a> {
    path: &'a Path,
    file: Option<File>,
    interrupt: &'a Interrupt,
}

impl<'a> Interruptible<'a> {
    pub(crate) fn open(path: &'a Path, interrupt: &'a Interrupt) -> Self {
        Interruptible { path, file: None, interrupt }
    }
}

impl Read for Interruptible<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.has_come() {
            return Ok(0);
        }
        match &mut self.file {
            Some(file) => file.read(room),
            None => self.file.insert(File::open(self.path)?).read(room),
        }
    }
}
