//! A request to stop that reaches whoever runs the tests.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use subunit::Event;

use crate::StreamResult;

/// Asks for a run to stop; all clones are one request. Put it beside a result, and
/// [`should_stop`](StreamResult::should_stop) of the pair says so, through adaptors, locks and channels, to
/// whoever runs the tests.
///
/// ```
/// use streamresult::{RunningTest, Stop, StreamResult, StreamResultExt, Summary};
///
/// let stop = Stop::new();
/// let mut result = (Summary::new(), stop.clone()).fail_fast(|_| stop.request());
/// for id in ["boot", "login", "logout"] {
///     if result.should_stop() {
///         break;
///     }
///     RunningTest::start(&mut result, id)?.fail("no network\n")?;
/// }
/// assert_eq!(result.get_ref().0.total(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Stop::default()
    }

    /// Asks for the run to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Takes events and does nothing with them.
impl StreamResult for Stop {
    fn status(&mut self, _: &Event<'_>) -> io::Result<()> {
        Ok(())
    }

    fn should_stop(&self) -> bool {
        self.is_requested()
    }
}
