//! Holds the events of a test until it is known whether they pass.

use std::io;

use subunit::io::Reader;
use subunit::{Event, File, Frame, Packet, Status, TEXT_TYPE, chunks, encode};

use crate::attachments::Parts;
use crate::finished::Finished;
use crate::key::Key;
use crate::look::{Given, Look, checked};
use crate::open_tests::{Found, OpenTests, Slot};
use crate::rules::{self, Before, Effect};
use crate::spool::{Spool, Spooled};
use crate::{Record, StreamResult, each_packet, not_packets};

/// Holds the events of each test until a function decides whether they pass; made by
/// [`held`](crate::StreamResultExt::held).
///
/// The function is asked at every event of a test. While it waits, the events are held, as packets: in
/// memory up to 1 MiB a test and 8 MiB in all, in a temporary file beyond, the longest first. Where that takes no
/// more, file content is left out, which a file [`LEFT_OUT_FILE`] of the test says when its events pass. Once it has decided, the events
/// that were held pass in their order, or are dropped, and so are all that follow, up to the test's end and
/// after it. Events without a test id pass at once.
///
/// When the run stops, the function is asked again for each test that waits, in order of start, without an
/// event. If it waits still, the events pass: nothing is lost that it did not drop.
///
/// What passes has no [place](StreamResult::at) in the stream any more.
///
/// ```
/// use streamresult::{Decision, Outcome, StreamResult, StreamResultExt, from_fn};
/// use subunit::{Event, Status};
///
/// let mut passed = Vec::new();
/// let out = from_fn(|event| Ok(passed.push(format!("{:?} {:?}", event.test_id, event.status))));
/// let mut failures = out.held(|waiting| match waiting.record().outcome() {
///     Outcome::Unfinished => Decision::Wait,
///     outcome if outcome.is_failure() => Decision::Keep,
///     _ => Decision::Drop,
/// });
/// for (id, status) in [("a", Status::InProgress), ("b", Status::Success), ("a", Status::Fail)] {
///     failures.status(&Event::status(id, status))?;
/// }
/// failures.stop_run()?;
/// drop(failures);
/// assert_eq!(passed, ["Some(\"a\") Some(InProgress)", "Some(\"a\") Some(Fail)"]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Held<R, F> {
    inner: R,
    decide: F,
    tests: OpenTests<()>,
    /// The tests that finished, with what was decided in the lowest bit.
    finished: Finished,
    scratch: Vec<u8>,
}

/// What becomes of a test's events. Closed: these are all the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They pass.
    Keep,
    /// They are dropped.
    Drop,
    /// It is not known yet.
    Wait,
}

/// A test whose events are held.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    record: Record<'a>,
    event: Option<Given<'a>>,
    packets: Option<&'a Spooled>,
    spool: &'a Spool,
}

impl<'a> Waiting<'a> {
    /// What is known of the test, the event included: its key, outcome so far, tags and times. It has no
    /// attachments; they are in the events.
    #[inline]
    #[must_use]
    pub fn record(&self) -> &Record<'a> {
        &self.record
    }

    /// The event that the decision is about; `None` at the end of the run.
    #[must_use]
    pub fn event(&self) -> Option<Event<'a>> {
        match self.event? {
            Given::Event(event) => Some(*event),
            Given::Packet(packet) => Some(packet.event()),
        }
    }

    /// Whether the run has ended, and no event is the reason to ask.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.event.is_none()
    }

    /// Calls a function with each event that is held, in order of arrival. The one that the decision is about
    /// is not among them.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read, or the function fails.
    pub fn for_each(&self, mut function: impl FnMut(&Event<'_>) -> io::Result<()>) -> io::Result<()> {
        match self.packets {
            None => Ok(()),
            Some(packets) => match packets.in_memory() {
                Some(bytes) => each_packet(bytes, |packet| function(&packet.event())),
                None => each_packet_of_file(packets, self.spool, |packet| function(&packet.event())),
            },
        }
    }
}

impl<R, F> Held<R, F>
where
    R: StreamResult,
    F: FnMut(&Waiting<'_>) -> Decision,
{
    pub(crate) fn new(inner: R, decide: F) -> Self {
        let (tests, finished) = (OpenTests::default(), Finished::default());
        Held { inner, decide, tests, finished, scratch: Vec::new() }
    }

    /// Holds events in this spool, which has its own limits and folder.
    #[must_use]
    pub fn with_spool(mut self, spool: Spool) -> Self {
        self.tests.spool = spool;
        self
    }

    /// Where events are held: it knows whether all of them could be.
    pub fn spool(&self) -> &Spool {
        &self.tests.spool
    }

    /// Where the events go.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Where the events go.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Where the events went. What is held is dropped: [`stop_run`](StreamResult::stop_run) passes it.
    pub fn into_inner(self) -> R {
        self.inner
    }

    #[inline]
    fn take(&mut self, event: &impl Look) -> io::Result<()> {
        let Some(key) = event.key() else { return event.pass(&mut self.inner) };
        let Found { hash, open } = self.tests.find(key);
        let before = open.map_or(Before::Closed, |slot| self.tests.test(slot).before());
        let finished = &mut self.finished;
        let mut late = None;
        let effect = rules::effect(before, event.status(), || {
            late = rules::may_be_late(key.test_id).then(|| decided(finished, hash)).flatten();
            late.is_some()
        });
        if effect == Effect::Late {
            return if late == Some(true) { event.pass(&mut self.inner) } else { Ok(()) };
        }
        let slot = open.unwrap_or_else(|| self.tests.open(key, hash));
        if effect != Effect::Announces {
            self.tests.test_mut(slot).note(event);
        }
        let taken = self.sort(slot, event);
        if effect == Effect::Ends {
            self.end(slot, event.status());
        }
        taken
    }

    /// Passes, drops or holds an event of a test.
    #[inline]
    fn sort(&mut self, slot: Slot, event: &impl Look) -> io::Result<()> {
        let (kept, passed) = match self.tests.test(slot).seen.kept {
            Some(kept) => (kept, Ok(())),
            None => match self.ask(slot, Some(event.given())) {
                Decision::Wait => return self.hold(slot, event),
                decision => (decision == Decision::Keep, self.settle(slot, decision == Decision::Keep)),
            },
        };
        if kept { passed.and(event.pass(&mut self.inner)) } else { passed }
    }

    #[inline]
    fn ask(&mut self, slot: Slot, event: Option<Given<'_>>) -> Decision {
        let (test, spool) = (self.tests.test(slot), &self.tests.spool);
        let packets = test.parts.as_ref().map(|parts| &parts.packets);
        (self.decide)(&Waiting { record: Record::new(test, spool), event, packets, spool })
    }

    /// Passes or drops what is held of a test.
    #[inline]
    fn settle(&mut self, slot: Slot, keep: bool) -> io::Result<()> {
        self.tests.test_mut(slot).seen.kept = Some(keep);
        if self.tests.test(slot).parts.is_none() {
            return Ok(());
        }
        let inner = &mut self.inner;
        let (parts, spool) = self.tests.parts(slot);
        let mut passed = match parts.packets.in_memory() {
            _ if !keep => Ok(()),
            Some(bytes) => inner.packets(bytes),
            None => each_packet_of_file(&parts.packets, spool, |packet| inner.packet(packet)),
        };
        spool.clear(&mut parts.packets);
        let left_out = std::mem::take(&mut parts.left_out);
        if keep && left_out > 0 {
            passed = passed.and(self.tell_left_out(slot, left_out));
        }
        passed
    }

    /// Says in a file of a test that not all of its files could be held.
    #[cold]
    fn tell_left_out(&mut self, slot: Slot, count: u64) -> io::Result<()> {
        let Key { route_code, test_id } = self.tests.test(slot).key();
        let why = self.tests.spool.failure().unwrap_or_default();
        let message = format!("{count} bytes of the files of this test were left out: {why}\n");
        self.inner.status(&Event {
            test_id: Some(checked(test_id)),
            route_code: route_code.map(checked),
            file: Some(File { name: LEFT_OUT_FILE, bytes: message.as_bytes() }),
            mime_type: Some(TEXT_TYPE),
            eof: true,
            ..Event::default()
        })
    }

    #[inline]
    fn hold(&mut self, slot: Slot, event: &impl Look) -> io::Result<()> {
        let (parts, spool) = self.tests.parts(slot);
        if let Given::Packet(packet) = event.given() {
            hold_packet(parts, spool, packet.as_bytes(), || packet.event())?;
        } else {
            for piece in chunks(&event.event())? {
                self.scratch.clear();
                encode(&piece, &mut self.scratch)?;
                hold_packet(parts, spool, &self.scratch, || piece)?;
            }
        }
        self.tests.make_room();
        Ok(())
    }

    /// Closes a test that has ended, if it does not wait.
    fn end(&mut self, slot: Slot, status: Option<Status>) {
        let test = self.tests.test(slot);
        let Some(kept) = test.seen.kept else { return };
        if status != Some(Status::Exists) {
            self.finished.push(marked(test.hash, kept));
        }
        self.tests.close(slot);
        self.tests.release(slot);
    }
}

/// The file of a test that says how much of its files could not be held, and why.
pub const LEFT_OUT_FILE: &str = "left-out";

/// Adds a packet to those that are held; without its file where there is no room for it. What it means is only asked for
/// then.
#[inline]
fn hold_packet<'e>(
    parts: &mut Parts,
    spool: &mut Spool,
    packet: &[u8],
    event: impl FnOnce() -> Event<'e>,
) -> io::Result<()> {
    if spool.takes(&parts.packets, packet.len()) {
        spool.add(&mut parts.packets, packet);
        return Ok(());
    }
    let event = event();
    let Some(file) = event.file else {
        spool.add(&mut parts.packets, packet);
        return Ok(());
    };
    parts.left_out += file.bytes.len() as u64;
    spool.leave_out(file.bytes.len());
    let rest = Event { file: None, mime_type: None, eof: false, ..event };
    let mut packet = Vec::new();
    encode(&rest, &mut packet)?;
    spool.add(&mut parts.packets, &packet);
    Ok(())
}

/// A test's hash with what was decided.
fn marked(hash: u64, kept: bool) -> u64 {
    hash & !1 | u64::from(kept)
}

/// What was decided about a test that finished lately.
fn decided(finished: &mut Finished, hash: u64) -> Option<bool> {
    let (dropped, kept) = (finished.last(marked(hash, false)), finished.last(marked(hash, true)));
    // None is less than any number.
    (dropped.is_some() || kept.is_some()).then_some(kept > dropped)
}

/// Calls a function with each packet that is held in the file.
#[cold]
fn each_packet_of_file(
    packets: &Spooled,
    spool: &Spool,
    mut call: impl FnMut(&Packet<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut reader = Reader::new(packets.reader(spool));
    let mut called = Ok(());
    while let Some(frame) = reader.next_frame()? {
        let Frame::Packet(packet) = frame else { return Err(not_packets()) };
        called = called.and(call(&packet));
    }
    called
}

impl<R, F> StreamResult for Held<R, F>
where
    R: StreamResult,
    F: FnMut(&Waiting<'_>) -> Decision,
{
    fn start_run(&mut self) -> io::Result<()> {
        self.tests.reset();
        self.finished = Finished::default();
        self.inner.start_run()
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.take(event)
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.take(packet)
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
        let mut passed = Ok(());
        for slot in self.tests.in_order() {
            if self.tests.test(slot).seen.kept.is_none() {
                let keep = self.ask(slot, None) != Decision::Drop;
                passed = passed.and(self.settle(slot, keep));
            }
            self.tests.close(slot);
            self.tests.release(slot);
        }
        passed.and(self.inner.stop_run())
    }
}
