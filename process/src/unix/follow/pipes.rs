//! The ends of a child's pipes that are ours.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::{Sink, Source};
use crate::timeouts::BLOCK;

/// How the output and the error output of a child are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// Each by itself.
    #[default]
    Apart,
    /// As one, [`Source::Stdout`], in the order in which it is written.
    Merged,
    /// The output alone; the error output goes where the command says, or else where ours does.
    Stdout,
}

/// What a child reads. It is written while the child is followed, as fast as it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChildInput<'a> {
    /// These bytes.
    Bytes(Cow<'a, [u8]>),
    /// These bytes, and no end for as long as it shall go on. The end of its input is what asks it to end, in place of
    /// SIGTERM: it is a way to a process elsewhere, and nothing else is sure to come through.
    Held(Cow<'a, [u8]>),
}

impl ChildInput<'_> {
    /// The same behind these bytes.
    #[must_use]
    pub fn behind<'b>(self, mut bytes: Vec<u8>) -> ChildInput<'b> {
        let is_held = matches!(self, ChildInput::Held(_));
        let (ChildInput::Bytes(own) | ChildInput::Held(own)) = self;
        bytes.extend_from_slice(&own);
        if is_held { ChildInput::Held(bytes.into()) } else { ChildInput::Bytes(bytes.into()) }
    }
}

impl Outputs {
    /// Has the command write to pipes, of which it gives the merged one.
    pub(super) fn configure(self, command: &mut Command) -> io::Result<Option<File>> {
        match self {
            Outputs::Apart => {
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                Ok(None)
            }
            Outputs::Stdout => {
                command.stdout(Stdio::piped());
                Ok(None)
            }
            Outputs::Merged => {
                let (reader, writer) = io::pipe()?;
                command.stdout(writer.try_clone()?).stderr(writer);
                Ok(Some(OwnedFd::from(reader).into()))
            }
        }
    }
}

/// What a child writes: its output and its error output, each until its end.
#[derive(Debug)]
pub(super) struct Pipes {
    pipes: [Option<File>; 2],
    block: Vec<u8>,
}

impl Pipes {
    pub(super) fn new(pipes: [Option<OwnedFd>; 2]) -> Self {
        Pipes { pipes: pipes.map(|pipe| pipe.map(File::from)), block: vec![0; BLOCK] }
    }

    pub(super) fn have_ended(&self) -> bool {
        self.pipes.iter().all(Option::is_none)
    }

    pub(super) fn fds(&self) -> [Option<BorrowedFd<'_>>; 2] {
        self.pipes.each_ref().map(|pipe| pipe.as_ref().map(File::as_fd))
    }

    /// Reads once from each that has something to say, and lets go of it at its end.
    pub(super) fn read(&mut self, ready: [bool; 2], sink: &mut dyn Sink) -> io::Result<()> {
        let sources = [Source::Stdout, Source::Stderr];
        for ((pipe, is_ready), source) in self.pipes.iter_mut().zip(ready).zip(sources) {
            let Some(reader) = pipe.as_mut().filter(|_| is_ready) else { continue };
            match reader.read(&mut self.block) {
                Ok(0) => *pipe = None,
                Ok(count) => {
                    debug_assert!(count <= self.block.len(), "no more is read than there is room for");
                    sink.take(source, self.block.get(..count).unwrap_or_default())?;
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What a child reads, as far as it is not yet written.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    pipe: File,
    bytes: Cow<'a, [u8]>,
    written: usize,
    /// Whether the pipe stays open when all is written.
    pub(super) is_held: bool,
}

impl<'a> Feed<'a> {
    pub(super) fn new(pipe: OwnedFd, input: ChildInput<'a>) -> io::Result<Self> {
        fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
        let is_held = matches!(input, ChildInput::Held(_));
        let (ChildInput::Bytes(bytes) | ChildInput::Held(bytes)) = input;
        Ok(Feed { pipe: pipe.into(), bytes, written: 0, is_held })
    }

    /// Whether there is something to write, or an end to keep from coming.
    pub(super) fn is_open(&self) -> bool {
        self.is_held || !self.rest().is_empty()
    }

    /// Another handle of the pipe.
    pub(super) fn handle(&self) -> io::Result<OwnedFd> {
        self.pipe.try_clone().map(OwnedFd::from)
    }

    /// The pipe, while there is something to write.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        (!self.rest().is_empty()).then(|| self.pipe.as_fd())
    }

    /// Writes as much as fits; false when the pipe is to be closed. Why it was not taken is what the child itself
    /// tells.
    pub(super) fn write(&mut self) -> bool {
        match (&self.pipe).write(self.rest()) {
            Ok(count) => self.written += count,
            Err(error) => return is_passing(&error),
        }
        self.is_open()
    }

    fn rest(&self) -> &[u8] {
        debug_assert!(self.written <= self.bytes.len(), "no more is written than there is");
        self.bytes.get(self.written..).unwrap_or_default()
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}
