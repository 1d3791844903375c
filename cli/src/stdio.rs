//! The process's own stdin, stdout and stderr, without the standard library's locks and line buffers.

use std::io::{self, BufWriter, IoSlice, LineWriter, Read, Write};
use std::os::fd::BorrowedFd;
use std::path::Path;

use process::{Deadline, Interrupt, Wait};
use rustix::io::{Errno, read, retry_on_intr, write, writev};

use crate::closed;
use crate::error::PathError;

/// As much as a pipe holds.
const BUFFER: usize = 64 * 1024;

/// Stdout, buffered: flush it when reading would block, and at the end. Large writes pass the buffer by.
pub(crate) fn output() -> BufWriter<Output> {
    BufWriter::with_capacity(
        BUFFER,
        Output { fd: rustix::stdio::stdout(), refusal: closed::stdout().err(), name: "stdout" },
    )
}

/// Stderr, written line by line.
pub(crate) fn errors() -> LineWriter<Output> {
    LineWriter::new(Output { fd: rustix::stdio::stderr(), refusal: None, name: "stderr" })
}

/// Stdin, unbuffered; it ends when the process is interrupted.
pub(crate) fn input(interrupt: &Interrupt) -> Stdin {
    Stdin(interrupt.clone())
}

pub(crate) struct Stdin(Interrupt);

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        closed::stdin()?;
        let stdin = rustix::stdio::stdin();
        let wait = Wait { deadline: Deadline::NEVER, interrupt: &self.0 };
        while wait.readable(stdin)? {
            match read(stdin, &mut *buffer) {
                // Somebody else may have made the pipe or terminal non-blocking, for all that share it, and read.
                Err(Errno::AGAIN | Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
        Ok(0)
    }
}

/// A descriptor that outlives the process's last write.
pub(crate) struct Output {
    fd: BorrowedFd<'static>,
    /// What writing fails with, without being tried.
    refusal: Option<Errno>,
    /// What errors call it.
    name: &'static str,
}

impl Output {
    fn blocking(
        &self,
        mut once: impl FnMut(BorrowedFd<'static>) -> rustix::io::Result<usize>,
    ) -> io::Result<usize> {
        if let Some(error) = self.refusal {
            return Err(self.fails(error));
        }
        loop {
            match retry_on_intr(|| once(self.fd)) {
                Err(Errno::AGAIN) => drop(Wait::FOREVER.writable(self.fd)?),
                done => return done.map_err(|error| self.fails(error)),
            }
        }
    }

    #[cold]
    fn fails(&self, error: Errno) -> io::Error {
        PathError::wrap("write to", Path::new(self.name), error.into())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.blocking(|fd| write(fd, bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.blocking(|fd| writev(fd, slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
