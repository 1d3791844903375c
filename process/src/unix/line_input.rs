//! The input of a child to whom lines are sent while it runs.

use std::io::{self, PipeReader, PipeWriter, Write as _};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pipe::fcntl_setpipe_size;

/// What a pipe holds unless it is told to hold more.
const USUAL: usize = 64 << 10;
/// What it can be told to hold by anybody.
const MOST: usize = 1 << 20;

/// Our end of a child's input. Nothing that is sent is waited for: it fits into the pipe, or it is an error.
#[derive(Debug)]
pub struct LineInput {
    pipe: PipeWriter,
    room: usize,
}

impl LineInput {
    /// The child's end, and ours.
    ///
    /// # Errors
    ///
    /// When no pipe can be had.
    pub fn pipe() -> io::Result<(PipeReader, LineInput)> {
        let (reader, pipe) = io::pipe()?;
        fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
        Ok((reader, LineInput { pipe, room: USUAL }))
    }

    /// Sends a line, of which a few may wait to be read.
    ///
    /// # Errors
    ///
    /// When nobody reads it, or it is longer than a pipe can hold.
    pub fn send(&mut self, line: &[u8]) -> io::Result<()> {
        if line.len() * 3 > self.room && self.room < MOST {
            // Where it may not be larger, lines of a usual length fit all the same.
            self.room = fcntl_setpipe_size(&self.pipe, MOST).unwrap_or(self.room);
        }
        self.pipe.write_all(line)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn lines_fit_or_are_refused() {
        let (mut reader, mut input) = LineInput::pipe().unwrap();
        let line = vec![b'x'; 300 << 10];
        input.send(&line).unwrap();
        input.send(&line).unwrap();
        input.send(&vec![b'y'; MOST]).unwrap_err();
        drop(input);
        let mut came = Vec::new();
        reader.read_to_end(&mut came).unwrap();
        assert!(came.starts_with(&[line.clone(), line].concat()));
    }
}
