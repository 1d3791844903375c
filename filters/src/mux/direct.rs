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
    let mut reader = Reader::new(input);
    let mut batch = Vec::new();
    loop {
        let offset = reader.offset();
        let Some(frame) = reader.buffered_frame() else {
            output.write_all(&batch)?;
            output.flush()?;
            batch.clear();
            match reader.fill() {
                Ok(true) => continue,
                ended => return Ok(ended.map(drop)),
            }
        };
        if !write_long(&frame, rewrite, &mut batch, output)? {
            deliver(&frame, offset, &mut Sink { rewrite: &mut *rewrite, out: &mut batch })?;
        }
    }
}

/// Writes a long packet that changes in no more than its route; what comes before it in `batch` goes first,
/// and its end stays there.
#[inline]
fn write_long(
    frame: &Frame<'_>,
    rewrite: &mut Rewrite,
    batch: &mut Vec<u8>,
    output: &mut dyn Write,
) -> io::Result<bool> {
    let Frame::Packet(packet) = frame else { return Ok(false) };
    if packet.as_bytes().len() < LONG {
        return Ok(false);
    }
    let Some([head, middle, tail]) = rewrite.parts(packet) else { return Ok(false) };
    batch.extend_from_slice(head);
    output.write_all(batch)?;
    output.write_all(middle)?;
    batch.clear();
    batch.extend_from_slice(tail);
    Ok(true)
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
