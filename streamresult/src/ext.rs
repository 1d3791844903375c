//! The adaptors as methods.

use std::borrow::Cow;

use subunit::{Event, Timestamp};

use crate::events_only::EventsOnly;
use crate::fail_fast::FailFast;
use crate::filtered::Filtered;
use crate::held::{Decision, Held, Waiting};
use crate::isolated::Isolated;
use crate::renamed::Renamed;
use crate::routed::Routed;
use crate::stamped::Stamped;
use crate::tagged::{TagChange, Tagged};
use crate::{Outcome, StreamResult};

/// Adaptors, put before a `StreamResult`: events pass through the last one named first.
///
/// ```
/// use streamresult::{StreamResult, StreamResultExt};
/// use subunit::io::Writer;
/// use subunit::{Event, Status};
///
/// let mut out = Vec::new();
/// let mut result = Writer::new(&mut out)
///     .filtered(|event| event.status != Some(Status::Exists))
///     .tagged(["nightly"], [""; 0])
///     .routed("worker-1");
/// result.start_run()?;
/// result.status(&Event::status("boot", Status::Success))?;
/// result.stop_run()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait StreamResultExt: StreamResult + Sized {
    /// Passes on the events for which `wanted` holds.
    fn filtered<P: FnMut(&Event<'_>) -> bool>(self, wanted: P) -> Filtered<Self, P> {
        Filtered::new(self, wanted)
    }

    /// Adds tags to every event, even to those without a test id, and removes others; what is in both is
    /// removed.
    fn tagged<A, D>(self, add: A, discard: D) -> Tagged<Self>
    where
        A: IntoIterator<Item: Into<String>>,
        D: IntoIterator<Item: Into<String>>,
    {
        Tagged::new(self, TagChange::new(add, discard))
    }

    /// Puts `code` in front of every route code: `code/route`, and `code` where there was none. A code
    /// that holds a NUL, which no packet can carry, is the error of every event.
    fn routed(self, code: impl Into<String>) -> Routed<Self> {
        Routed::new(self, code.into())
    }

    /// Gives tests the ids that `rename` makes of theirs.
    fn renamed<F>(self, rename: F) -> Renamed<Self, F>
    where
        F: for<'i> FnMut(&'i str) -> Cow<'i, str>,
    {
        Renamed::new(self, rename)
    }

    /// Gives the current time to events without one.
    fn stamped(self) -> Stamped<Self, fn() -> Timestamp> {
        Stamped::new(self, Timestamp::now)
    }

    /// Gives the time of `clock` to events without one.
    fn stamped_by<C: FnMut() -> Timestamp>(self, clock: C) -> Stamped<Self, C> {
        Stamped::new(self, clock)
    }

    /// Calls `alarm` after the first event that counts against the run: `fail` or `uxsuccess`.
    /// [`FailFast::each`] calls it after every such event.
    fn fail_fast<F: FnMut(&Event<'_>)>(self, alarm: F) -> FailFast<Self, F> {
        FailFast::new(self, alarm)
    }

    /// Passes events on, and neither start nor stop: for one of several sources of a run, each of which starts and stops.
    ///
    /// ```
    /// use streamresult::{StreamResultExt, Summary, drive};
    ///
    /// let mut summary = Summary::new();
    /// for shard in [&b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b"[..]; 2] {
    ///     drive(shard, &mut (&mut summary).events_only())?;
    /// }
    /// summary.stop_run()?;
    /// assert_eq!(summary.announced(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn events_only(self) -> EventsOnly<Self> {
        EventsOnly::new(self)
    }

    /// Keeps errors to itself: a report that fails does not end the run. [`Isolated::error`] tells.
    ///
    /// ```
    /// use std::io;
    /// use streamresult::{StreamResultExt, Summary, drive, from_fn};
    ///
    /// let mut summary = Summary::new();
    /// let mut report = from_fn(|_| Err(io::Error::other("disk full"))).isolated();
    /// drive(&b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b"[..], &mut (&mut report, &mut summary))?;
    /// assert_eq!(report.error().map(ToString::to_string), Some("disk full".to_owned()));
    /// assert_eq!(summary.announced(), 1);
    /// # Ok::<(), io::Error>(())
    /// ```
    fn isolated(self) -> Isolated<Self> {
        Isolated::new(self)
    }

    /// Passes on the events of each test in one piece, when the test ends, however tests overlap: one test at a time, as
    /// readers of old formats and people want it. Events are [held](Held) until then; what is unfinished when the run
    /// stops passes then.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use streamresult::{RunningTest, StreamResult, StreamResultExt, from_fn};
    ///
    /// let mut ids = Vec::new();
    /// let result = from_fn(|event| Ok(ids.extend(event.test_id.map(str::to_owned))));
    /// let shared = Arc::new(Mutex::new(result.whole_tests()));
    /// let first = RunningTest::start(shared.clone(), "first")?;
    /// let second = RunningTest::start(shared.clone(), "second")?;
    /// first.succeed()?;
    /// second.succeed()?;
    /// drop(shared);
    /// assert_eq!(ids, ["first", "first", "second", "second"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn whole_tests(self) -> Held<Self, fn(&Waiting<'_>) -> Decision> {
        Held::new(self, |waiting| match waiting.record().outcome() {
            Outcome::Unfinished => Decision::Wait,
            _ => Decision::Keep,
        })
    }

    /// Holds each test's events until `decide` says whether they pass.
    fn held<F>(self, decide: F) -> Held<Self, F>
    where
        F: FnMut(&Waiting<'_>) -> Decision,
    {
        Held::new(self, decide)
    }
}

impl<R: StreamResult> StreamResultExt for R {}
