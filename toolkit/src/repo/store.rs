//! Stores a stream as it comes, and lets it through.

use std::io::{self, Write};

use repository::{Run, RunEnd, RunWriter};

/// A run that is being stored. What is written to it is stored first, then passed on.
pub(super) struct Store<'a> {
    run: RunWriter,
    onward: Option<&'a mut dyn Write>,
    /// Why the stream is not passed on any more. It is stored all the same.
    failed: Option<io::Error>,
}

impl<'a> Store<'a> {
    /// Stores to `run`, and passes on to `onward`.
    pub(super) fn new(run: RunWriter, onward: Option<&'a mut dyn Write>) -> Self {
        Store { run, onward, failed: None }
    }

    /// Finishes the run; the other answer is whether it could be passed on.
    pub(super) fn finish(mut self, end: RunEnd) -> Result<(Run, io::Result<()>), repository::Error> {
        self.pass_on(|onward| onward.flush());
        let run = self.run.finish(end)?;
        Ok((run, self.failed.map_or(Ok(()), Err)))
    }

    fn pass_on(&mut self, pass: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if let Some(onward) = self.onward.as_deref_mut()
            && let Err(error) = pass(onward)
        {
            self.failed = Some(error);
            self.onward = None;
        }
    }
}

impl Write for Store<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.run.write_all(bytes)?;
        self.pass_on(|onward| onward.write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.run)?;
        self.pass_on(|onward| onward.flush());
        Ok(())
    }
}
