//! Ctrl-C: whoever waits is told, and uses what came in.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Tells whether the process was asked to end, by SIGINT, SIGTERM or SIGHUP: the terminal or the connection went away.
///
/// A SIGHUP that is ignored, as below nohup, stays so.
///
/// The first signal ends the input, and the command reports what came in. The second one ends the process as
/// if nobody had caught it, so that a command which hangs on its output can always be stopped.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Option<Arc<Caught>>);

#[derive(Debug)]
struct Caught {
    signal: Arc<AtomicUsize>,
    /// Readable from the first signal on; nobody reads it.
    wake: io::PipeReader,
}

impl Interrupt {
    /// Watches the signals of this process from now on.
    ///
    /// # Errors
    ///
    /// When no pipe can be had or a handler cannot be set.
    pub fn watch() -> io::Result<Self> {
        let (wake, mut waker) = io::pipe()?;
        let signal = Arc::new(AtomicUsize::new(0));
        let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
        for number in [SIGINT, SIGTERM].into_iter().chain(hangup) {
            let seen = Arc::new(AtomicBool::new(false));
            // In this order: with the first of these the signal ends the process no longer, so it must be noted; and
            // the second signal of a kind finds the flag that the first one has set.
            signal_hook::flag::register_usize(number, Arc::clone(&signal), number as usize)?;
            signal_hook::low_level::pipe::register(number, waker.try_clone()?)?;
            signal_hook::flag::register_conditional_default(number, Arc::clone(&seen))?;
            signal_hook::flag::register(number, seen)?;
        }
        if signal.load(Ordering::Relaxed) != 0 {
            // It may have come when nobody was to be woken yet.
            waker.write_all(b"!")?;
        }
        Ok(Interrupt(Some(Arc::new(Caught { signal, wake }))))
    }

    /// One that never comes: for tests, and for where signals cannot be watched.
    #[must_use]
    pub const fn never() -> Self {
        Interrupt(None)
    }

    /// The signal that came last: SIGINT, SIGTERM or SIGHUP.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        let number = self.0.as_ref()?.signal.load(Ordering::Relaxed);
        i32::try_from(number).ok().and_then(Signal::from_named_raw)
    }

    /// Whether a signal came.
    #[must_use]
    pub fn has_come(&self) -> bool {
        self.signal().is_some()
    }

    /// A descriptor that is readable from the first signal on, to wait for it beside others.
    #[must_use]
    pub fn wake(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(|caught| caught.wake.as_fd())
    }
}

/// Whether the process that started this one had the signal ignored; false where the system does not say.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    (mask >> (signal - 1)) & 1 == 1
}
