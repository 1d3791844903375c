//! Events to records: one a test.

use std::io;

use subunit::{Event, Packet, Status};

use crate::finished::Finished;
use crate::key::Key;
use crate::look::Look;
use crate::open_tests::{Found, OpenTests, Slot};
use crate::rules::{self, Before, Effect};
use crate::{Extent, Outcome, Record, RecordSink, Spool, StreamResult};

/// Makes one record of the events of each test, and gives it to a [`RecordSink`] when the test ends.
///
/// - The key of a test is its route code and its id. A final status ends its record; `exists` is one, unless
///   the test is running: then it is a record of its own, and the test runs on.
/// - A later status of a finished test begins another record. A later event without a status joins it: it is
///   given to [`RecordSink::late`]. That works for the last 100 000 finished tests; beyond, it is a record
///   of its own, unfinished.
/// - Tests that are open when the run stops are given as unfinished, in order of start: all of them, also when the
///   sink fails. When another run starts, nothing is known of the one before.
/// - The last tags win, and empty ones clear; the first MIME type of a file wins; a file without bytes is
///   a file.
/// - Events without a test id are given as they come.
/// - Where events come from a stream, a record [knows where](Record::extent) in it its packets are.
///
/// A file is kept in memory up to 1 MiB, and all together up to 8 MiB, or twice what the files of at most 1 KiB take
/// where that is more. What is beyond is kept in a temporary file: the longest files first, so that short ones stay
/// in memory whatever others hold. [`with_spool`](Records::with_spool) sets other limits and another folder. A test
/// in flight takes about 150 bytes beside its key, its files and its value.
///
/// Where the temporary file takes no more, the ends of files are left out, and all else goes on:
/// [`Attachment::left_out`](crate::Attachment::left_out) says how much of each, [`Spool::left_out`] of
/// [`spool`](Records::spool) how much of all, and [`Spool::failure`] why.
///
/// ```
/// use streamresult::{Details, Records, StreamResult, record_fn};
/// use subunit::{Event, File, Status};
///
/// let mut lines = Vec::new();
/// let mut records = Records::new(record_fn(|record| {
///     if let Some(reason) = record.attachment("reason") {
///         lines.push(format!("{record:?} because {}", reason.text(1000)?));
///     }
///     Ok(())
/// }))
/// .details(Details::Reason);
///
/// records.status(&Event::status("boot", Status::InProgress))?;
/// let reason = Some(File { name: "reason", bytes: b"no network" });
/// records.status(&Event { file: reason, ..Event::status("boot", Status::Skip) })?;
/// records.stop_run()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Records<S, V = ()> {
    sink: S,
    tests: OpenTests<V>,
    finished: Finished,
    /// Where the current event is; empty where that is not known.
    extent: Extent,
    details: Details,
    cap: u64,
    tags: bool,
}

/// Which files a record keeps. Open: there may be more to choose from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Details {
    /// None.
    None,
    /// The file `reason`: why a test was skipped.
    Reason,
    /// All of them.
    #[default]
    All,
}

impl<S: RecordSink> Records<S> {
    /// Gives records with all their files to `sink`.
    pub fn new(sink: S) -> Self {
        Records::with_values(sink)
    }
}

impl<S: RecordSink<V>, V: Default> Records<S, V> {
    /// Gives records with all their files to `sink`, and keeps a value of its own with each test.
    pub fn with_values(sink: S) -> Self {
        Records {
            sink,
            tests: OpenTests::default(),
            finished: Finished::default(),
            extent: Extent::default(),
            details: Details::default(),
            cap: u64::MAX,
            tags: true,
        }
    }

    /// Keeps these files only.
    #[must_use]
    pub fn details(self, details: Details) -> Self {
        Records { details, ..self }
    }

    /// Keeps at most this many bytes of each file; [`Attachment::left_out`](crate::Attachment::left_out) tells
    /// how many were not.
    #[must_use]
    pub fn cap(self, bytes: u64) -> Self {
        Records { cap: bytes, ..self }
    }

    /// Keeps no tags: faster, for sinks that do not look at them.
    #[must_use]
    pub fn without_tags(self) -> Self {
        Records { tags: false, ..self }
    }

    /// Keeps files in this spool, which has its own limits and folder.
    ///
    /// ```
    /// use streamresult::{Records, Spool, record_fn};
    ///
    /// let spool = Spool::with_limits(64 << 10, 1 << 20).in_folder(&std::env::temp_dir());
    /// let records = Records::new(record_fn(|_| Ok(()))).with_spool(spool);
    /// # assert_eq!(records.spool().failure(), None);
    /// ```
    #[must_use]
    pub fn with_spool(mut self, spool: Spool) -> Self {
        self.tests.spool = spool;
        self
    }

    /// Where files are kept: it knows whether all of them could be.
    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.tests.spool
    }

    /// Where the records go.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Where the records go.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Where the records went. What is open is forgotten: [`stop_run`](StreamResult::stop_run) reports it.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// The records of the tests that are running, in order of start, as far as they have come.
    #[must_use]
    pub fn open(&self) -> Vec<Record<'_, V>> {
        let slots = self.tests.in_order();
        slots.into_iter().map(|slot| Record::new(self.tests.test(slot), &self.tests.spool)).collect()
    }

    /// How many tests are running.
    #[must_use]
    pub fn open_len(&self) -> usize {
        self.tests.len()
    }

    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event.status {
            None => self.sink.global(event),
            Some(status) => self.sink.global_status(event, status),
        }
    }

    #[inline]
    fn take(&mut self, event: &impl Look) -> io::Result<()> {
        match event.key() {
            None => self.global(&event.event()),
            Some(key) => self.test(key, event),
        }
    }

    #[inline]
    fn test(&mut self, key: Key<'_>, event: &impl Look) -> io::Result<()> {
        let Found { hash, open } = self.tests.find(key);
        let before = open.map_or(Before::Closed, |slot| self.tests.test(slot).before());
        let finished = &mut self.finished;
        let effect = rules::effect(before, event.status(), || {
            rules::may_be_late(key.test_id) && finished.contains(hash)
        });
        if effect == Effect::Late {
            return self.sink.late(&event.event(), known(self.extent));
        }
        let slot = self.slot(effect, key, Found { hash, open });
        let added = self.add(slot, event);
        if effect == Effect::Joins {
            return added;
        }
        if effect == Effect::Ends && event.status() != Some(Status::Exists) {
            self.finished.push(hash);
        }
        added.and(self.end(slot, effect == Effect::Announces))
    }

    /// The place of the record that an event joins.
    #[inline]
    fn slot(&mut self, effect: Effect, key: Key<'_>, Found { hash, open }: Found) -> Slot {
        match (effect, open) {
            (Effect::Announces, _) | (Effect::Ends, None) => self.tests.begin(key, hash),
            (_, None) => self.tests.open(key, hash),
            (Effect::Ends, Some(slot)) => {
                self.tests.close(slot);
                slot
            }
            (_, Some(slot)) => slot,
        }
    }

    /// Adds an event to a record.
    #[inline]
    fn add(&mut self, slot: Slot, event: &impl Look) -> io::Result<()> {
        let test = self.tests.test_mut(slot);
        test.seen.note(event);
        test.seen.extent = test.seen.extent.to(self.extent);
        if self.tags {
            test.tags.note(event);
        }
        let told =
            if size_of::<V>() == 0 { Ok(()) } else { self.sink.event(&event.event(), &mut test.value) };
        self.add_piece(slot, event);
        told
    }

    /// Adds the piece of a file that an event brings.
    #[inline]
    fn add_piece(&mut self, slot: Slot, event: &impl Look) {
        let piece = match self.details {
            Details::None => None,
            Details::Reason => event.piece().filter(|piece| piece.name == b"reason"),
            Details::All => event.piece(),
        };
        let Some(piece) = piece else { return };
        let cap = self.cap;
        let (parts, spool) = self.tests.parts(slot);
        parts.attachments.add(piece, cap, spool);
        self.tests.make_room();
    }

    /// Gives a record to the sink, after its last event.
    #[inline]
    fn end(&mut self, slot: Slot, is_running: bool) -> io::Result<()> {
        let record = Record::new(self.tests.test(slot), &self.tests.spool);
        let told = self.sink.record(&if is_running { record.while_running() } else { record });
        self.tests.release(slot);
        told
    }

    /// Gives the records of all tests that are open.
    fn end_all(&mut self) -> io::Result<()> {
        let mut told = Ok(());
        for slot in self.tests.in_order() {
            self.tests.close(slot);
            let record = Record::new(self.tests.test(slot), &self.tests.spool);
            debug_assert_eq!(record.outcome(), Outcome::Unfinished);
            told = told.and(self.sink.record(&record));
            self.tests.release(slot);
        }
        told
    }
}

/// Where an event is, if that is known.
fn known(extent: Extent) -> Option<Extent> {
    Some(extent).filter(|extent| !extent.is_empty())
}

impl<S: RecordSink<V>, V: Default> StreamResult for Records<S, V> {
    fn start_run(&mut self) -> io::Result<()> {
        self.tests.reset();
        self.finished = Finished::default();
        self.extent = Extent::default();
        self.sink.start_run()
    }

    #[inline]
    fn at(&mut self, extent: Extent) {
        self.extent = extent;
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.take(event)
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.take(packet)
    }

    fn outlives_errors(&self) -> bool {
        self.sink.outlives_errors()
    }

    fn should_stop(&self) -> bool {
        self.sink.should_stop()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        let told = self.end_all();
        told.and(self.sink.stop_run())
    }
}
