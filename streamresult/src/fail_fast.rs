//! Raises the alarm when a test fails.

use std::io;

use subunit::{Event, Packet, Status};

use crate::{Extent, StreamResult};

/// Calls a function when a test fails or passes unexpectedly, and passes everything on; made by
/// [`fail_fast`](crate::StreamResultExt::fail_fast).
///
/// The event has been passed on when the function is called: it may stop the run.
///
/// ```
/// use streamresult::{StreamResult, StreamResultExt};
/// use subunit::io::Writer;
/// use subunit::{Event, Status};
///
/// let mut stop = false;
/// let mut result = Writer::new(std::io::sink()).fail_fast(|_| stop = true);
/// result.status(&Event::status("boot", Status::Fail))?;
/// drop(result);
/// assert!(stop);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FailFast<R, F> {
    inner: R,
    alarm: F,
    each: bool,
    raised: bool,
}

impl<R, F: FnMut(&Event<'_>)> FailFast<R, F> {
    pub(crate) fn new(inner: R, alarm: F) -> Self {
        FailFast { inner, alarm, each: false, raised: false }
    }

    /// Calls the function for every failure, not only the first.
    #[must_use]
    pub fn each(self) -> Self {
        FailFast { each: true, ..self }
    }

    /// Whether there was a failure.
    #[must_use]
    pub fn raised(&self) -> bool {
        self.raised
    }

    /// Where the events go.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Where the events go.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Where the events go.
    pub fn into_inner(self) -> R {
        self.inner
    }

    fn raise(&mut self, event: &Event<'_>) {
        if self.each || !self.raised {
            (self.alarm)(event);
        }
        self.raised = true;
    }
}

/// Whether this status raises the alarm.
fn is_failure(status: Option<Status>) -> bool {
    status.is_some_and(Status::is_failure)
}

impl<R: StreamResult, F: FnMut(&Event<'_>)> StreamResult for FailFast<R, F> {
    fn start_run(&mut self) -> io::Result<()> {
        self.inner.start_run()
    }

    fn at(&mut self, extent: Extent) {
        self.inner.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let passed = self.inner.status(event);
        if is_failure(event.status) {
            self.raise(event);
        }
        passed
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let passed = self.inner.packet(packet);
        if is_failure(packet.status()) {
            self.raise(&packet.event());
        }
        passed
    }

    fn outlives_errors(&self) -> bool {
        self.inner.outlives_errors()
    }

    fn should_stop(&self) -> bool {
        self.inner.should_stop()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.inner.stop_run()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StreamResultExt;
    use crate::testing::CallLog;

    fn check(each: bool, expected: &[Status]) {
        let seen = CallLog::default();
        let mut alarms = Vec::new();
        let result = seen.clone().fail_fast(|event| alarms.extend(event.status));
        let mut result = if each { result.each() } else { result };
        for status in Status::ALL {
            result.status(&Event::status("t", status)).unwrap();
        }
        assert!(result.raised());
        drop(result);
        assert_eq!(alarms, expected);
        assert_eq!(seen.lines().len(), Status::ALL.len(), "everything is passed on");
    }

    #[test]
    fn the_alarm_is_raised_once() {
        check(false, &[Status::UxSuccess]);
    }

    #[test]
    fn the_alarm_is_raised_for_each_failure() {
        check(true, &[Status::UxSuccess, Status::Fail]);
    }
}
