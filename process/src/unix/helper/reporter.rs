//! The helper's side: one operation at a time, announced before it begins.

use std::ffi::CString;
use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit, setsid};
use signal_hook::consts::{SIGINT, SIGTERM};

use serde::Serialize;

use super::{HelperMessage, Progress};

/// Makes this process a helper: a session of its own, no core dumps, SIGTERM and SIGINT as requests to clean
/// up and end. Call it first in `main` when the internal argument is there.
///
/// The returned reporter writes to the pipe that [`Job`](super::Job) gave this process as its output.
///
/// # Errors
///
/// When the signals cannot be caught.
pub fn enter<F>() -> io::Result<Reporter<F>> {
    // Whoever leads a group already has left its parent's; that is all the session is for.
    let _already_leader = setsid();
    let _kept = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(Reporter { stop, ..Reporter::new(io::stdout()) })
}

/// Tells the parent what is done, before and after, and what was found out: something of the type `F`.
pub struct Reporter<F> {
    output: Box<dyn Write + Send>,
    stop: Arc<AtomicBool>,
    facts: PhantomData<fn(&F)>,
}

impl<F> fmt::Debug for Reporter<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reporter").field("stop", &self.stop).finish_non_exhaustive()
    }
}

impl<F> Reporter<F> {
    /// A reporter to somewhere else, which nobody asks to end.
    pub fn new(output: impl Write + Send + 'static) -> Self {
        Reporter { output: Box::new(output), stop: Arc::default(), facts: PhantomData }
    }
}

impl<F: Serialize> Reporter<F> {
    /// Does one operation: announces it, does it, tells how it went.
    ///
    /// # Errors
    ///
    /// When the operation fails, when the helper was asked to end, or when the parent is gone.
    pub fn step<T>(&mut self, operation: &str, action: impl FnOnce() -> io::Result<T>) -> Result<T, Stop> {
        self.timed_step(operation, action).map(|(value, _)| value)
    }

    /// Does one operation and returns what it took as well; see [`Reporter::step`].
    ///
    /// # Errors
    ///
    /// See [`Reporter::step`].
    pub fn timed_step<T>(
        &mut self,
        operation: &str,
        action: impl FnOnce() -> io::Result<T>,
    ) -> Result<(T, Duration), Stop> {
        if self.stop.load(Ordering::SeqCst) {
            return Err(Stop::Asked);
        }
        self.perform(operation, action)
    }

    /// Does one operation even when the helper was asked to end: to clean up.
    ///
    /// # Errors
    ///
    /// When the operation fails, or when the parent is gone: then it was not done.
    pub fn last_step<T>(
        &mut self,
        operation: &str,
        action: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, Stop> {
        self.perform(operation, action).map(|(value, _)| value)
    }

    fn perform<T>(
        &mut self,
        operation: &str,
        action: impl FnOnce() -> io::Result<T>,
    ) -> Result<(T, Duration), Stop> {
        // For whoever looks at a hung process without its parent; fifteen bytes of it.
        let _shown = CString::new(operation).map(|name| rustix::thread::set_name(&name));
        let operation = operation.to_owned();
        self.progress(Progress::Begun(operation.clone()))?;
        let begin = Instant::now();
        let result = action();
        let elapsed = begin.elapsed();
        match result {
            Ok(value) => {
                self.progress(Progress::Done { operation, elapsed })?;
                Ok((value, elapsed))
            }
            Err(error) => {
                let (errno, message) = (error.raw_os_error(), error.to_string());
                self.progress(Progress::Failed { operation, elapsed, errno, message })?;
                Err(Stop::Failed(error))
            }
        }
    }

    /// Tells something that was found out.
    ///
    /// # Errors
    ///
    /// When the parent is gone, or when JSON has no way to say it, which is told as an operation that failed.
    pub fn tell(&mut self, fact: F) -> Result<(), Stop> {
        match HelperMessage::Found(fact).to_line() {
            Ok(line) => self.write(&line),
            Err(error) => self.last_step("tell what was found", || Err(error.into())),
        }
    }

    fn progress(&mut self, progress: Progress) -> Result<(), Stop> {
        let line = HelperMessage::<F>::Progress(progress).to_line();
        self.write(&line.map_err(|error| Stop::Failed(error.into()))?)
    }

    fn write(&mut self, line: &[u8]) -> Result<(), Stop> {
        self.output.write_all(line).and_then(|()| self.output.flush()).map_err(|_| Stop::ParentGone)
    }
}

/// Why a helper goes no further. The parent knows already: clean up and return.
#[derive(Debug)]
pub enum Stop {
    /// An operation failed.
    Failed(io::Error),
    /// SIGTERM or SIGINT came.
    Asked,
    /// Nobody reads the results any longer.
    ParentGone,
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Failed(error) => error.fmt(formatter),
            Stop::Asked => formatter.write_str("asked to end"),
            Stop::ParentGone => formatter.write_str("nobody reads the results"),
        }
    }
}

impl std::error::Error for Stop {}
