//! Stores a stream as it comes, and lets it through.

use std::io::{self, Write};

use anyhow::Context as _;
use repository::{RunEnd, RunId, RunWriter, StoredRun};

/// A run that is being stored. What is written to it is stored first, then passed on.
pub(super) struct Store<'o, 't> {
    storing: anyhow::Result<RunWriter>,
    onward: Option<&'o mut dyn Write>,
    /// Why the stream is not passed on any more. It is stored all the same.
    failed: Option<io::Error>,
    /// Where to report that the stream is read on though it cannot be stored.
    told: Option<&'t mut dyn Write>,
}

impl<'o, 't> Store<'o, 't> {
    /// Stores to `run`, and passes on to `onward`.
    pub(super) fn new(run: RunWriter, onward: Option<&'o mut dyn Write>) -> Self {
        Store { storing: Ok(run), onward, failed: None, told: None }
    }

    /// The same, for a stream that others read, too: a `tee` before us would be killed with us, and who reads what
    /// it writes would take that for the end. So when the run cannot be stored, or not even be begun, this is reported
    /// at once, and the stream is read on.
    pub(super) fn patient(
        run: anyhow::Result<RunWriter>,
        onward: Option<&'o mut dyn Write>,
        told: &'t mut dyn Write,
    ) -> io::Result<Self> {
        let mut store = Store { storing: run, onward, failed: None, told: Some(told) };
        store.tell()?;
        Ok(store)
    }

    /// Finishes the run; the other answer is whether it could be passed on.
    ///
    /// # Errors
    ///
    /// When not all of it could be stored.
    pub(super) fn finish(mut self, end: RunEnd) -> anyhow::Result<(StoredRun, io::Result<()>)> {
        self.pass_on(|onward| onward.flush());
        let run = self.storing?;
        let id = run.id();
        let run = run.finish(end).with_context(|| incomplete(id))?;
        Ok((run, self.failed.map_or(Ok(()), Err)))
    }

    /// What the run is whose stream cannot be read any more.
    pub(super) fn incomplete(&self) -> String {
        self.storing.as_ref().map_or_else(|_| "nothing is stored".to_owned(), |run| incomplete(run.id()))
    }

    fn store(&mut self, store: impl FnOnce(&mut RunWriter) -> io::Result<()>) -> io::Result<()> {
        let Ok(run) = &mut self.storing else { return Ok(()) };
        let id = run.id();
        match store(run) {
            Err(error) if self.told.is_some() => {
                self.storing = Err(error).with_context(|| incomplete(id));
                self.tell()
            }
            stored => stored,
        }
    }

    fn tell(&mut self) -> io::Result<()> {
        let (Err(error), Some(told)) = (&self.storing, &mut self.told) else { return Ok(()) };
        writeln!(told, "the rest of the stream is read but not stored: {}", process::chain(error.as_ref()))?;
        told.flush()
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

impl Write for Store<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.store(|run| run.write_all(bytes))?;
        self.pass_on(|onward| onward.write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.store(Write::flush)?;
        self.pass_on(|onward| onward.flush());
        Ok(())
    }
}

fn incomplete(id: RunId) -> String {
    format!("run {id} is incomplete")
}
