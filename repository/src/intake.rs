//! What the bytes of a stream come to: takes them as they come, in any cut, and gives rows and counts.

use std::io;
use std::path::Path;

use streamresult::{DAMAGE_ID, Details, Extent, Record, RecordSink, Records, StreamResult, Summary, deliver};
use subunit::{Decoder, Event, Packet, Step, Timestamp, part};

use crate::row::{Facts, Kind, Marks, Row};
use crate::run::Tally;
use crate::sort::{Sorted, Sorter};

/// Counts the tests of a stream and notes where each is.
///
/// What it makes of a stream depends on the bytes alone, not on how they were cut: so a run that was loaded,
/// one that was rebuilt and one that was recovered have the same results.
#[derive(Debug)]
pub(crate) struct Intake {
    decoder: Decoder,
    /// Bytes that are in no frame yet.
    pending: Vec<u8>,
    watch: TimedRecords,
}

/// What to do with bytes at the end that are not a whole packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// They are damage: the writer says that this is all.
    Damage,
    /// They are what a writer that was killed did not get to finish: left out.
    LeftOut,
}

impl Intake {
    /// Temporary files go to `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        let rows = RowSink::new(Sorter::new(folder));
        let records = Records::new((Summary::new(), rows)).details(Details::None);
        Intake {
            decoder: Decoder::new(),
            pending: Vec::new(),
            watch: TimedRecords { records, first: None, last: None },
        }
    }

    /// Takes the bytes that come next.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.pending.is_empty() {
            let consumed = self.watch.pass(&mut self.decoder, bytes, false)?;
            self.pending.extend_from_slice(part(bytes, consumed..));
        } else {
            self.pending.extend_from_slice(bytes);
            let consumed = self.watch.pass(&mut self.decoder, &self.pending, false)?;
            self.pending.drain(..consumed);
        }
        Ok(())
    }

    /// Nothing more comes.
    pub(crate) fn finish(mut self, tail: Tail) -> io::Result<(Tally, Sorted)> {
        let bytes = self.decoder.offset() + self.pending.len() as u64;
        if tail == Tail::Damage {
            self.watch.pass(&mut self.decoder, &self.pending, true)?;
        }
        let tail = bytes - self.decoder.offset();
        let TimedRecords { mut records, first, last } = self.watch;
        records.stop_run()?;
        let (summary, rows) = records.into_sink();
        let tally = Tally { counts: (&summary).into(), first, last, bytes, tail };
        Ok((tally, rows.finish()?))
    }
}

/// Passes events on to be counted, and notes their first and last time.
#[derive(Debug)]
struct TimedRecords {
    records: Records<(Summary, RowSink)>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl TimedRecords {
    /// Passes all frames, and says how many bytes they are.
    fn pass(&mut self, decoder: &mut Decoder, input: &[u8], eof: bool) -> io::Result<usize> {
        let mut consumed = 0;
        loop {
            let offset = decoder.offset();
            let rest = part(input, consumed..);
            let Step::Frame { consumed: len, frame } = decoder.decode(rest, eof) else { return Ok(consumed) };
            deliver(&frame, offset, self)?;
            consumed += len;
        }
    }

    fn note_time(&mut self, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = self.last.max(Some(time));
        }
    }
}

impl StreamResult for TimedRecords {
    fn at(&mut self, extent: Extent) {
        self.records.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.note_time(event.timestamp);
        self.records.status(event)
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.note_time(packet.timestamp());
        self.records.packet(packet)
    }
}

/// Makes rows of records.
#[derive(Debug)]
struct RowSink {
    sorter: Sorter,
    late: Option<LateEvents>,
}

/// Events in a row that came late for the same test.
#[derive(Debug)]
struct LateEvents {
    id: String,
    route: Option<String>,
    extent: Extent,
}

impl RowSink {
    fn new(sorter: Sorter) -> Self {
        RowSink { sorter, late: None }
    }

    fn end_late(&mut self) -> io::Result<()> {
        let Some(LateEvents { id, route, extent }) = self.late.take() else { return Ok(()) };
        let facts = Facts { kind: Kind::Late, extent, ..Facts::ZERO };
        self.sorter.push(&Row { id: id.as_bytes(), route: route.as_deref().map(str::as_bytes), facts })
    }

    fn finish(mut self) -> io::Result<Sorted> {
        self.end_late()?;
        self.sorter.finish()
    }
}

impl RecordSink for RowSink {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let extent = record.extent().unwrap_or_default();
        debug_assert!(!extent.is_empty(), "all events come from a stream");
        let facts = Facts {
            kind: Kind::Outcome(record.outcome()),
            start: record.first(),
            duration: record.duration().map(|duration| duration.as_nanos() as u64),
            extent,
            marks: Marks { not_runnable: !record.runnable(), flaky: record.is_flaky() },
        };
        self.sorter.push(&Row { id: record.test_id_bytes(), route: record.route_code_bytes(), facts })
    }

    fn late(&mut self, event: &Event<'_>, extent: Option<Extent>) -> io::Result<()> {
        let extent = extent.unwrap_or_default();
        let (id, route) = (event.test_id.unwrap_or(DAMAGE_ID), event.route_code);
        if let Some(late) = self.late.as_mut().filter(|late| late.id == id && late.route.as_deref() == route)
        {
            late.extent = late.extent.to(extent);
            return Ok(());
        }
        self.end_late()?;
        self.late = Some(LateEvents { id: id.to_owned(), route: route.map(str::to_owned), extent });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use streamresult::{Outcome, drive};
    use subunit::Status;
    use subunit::io::Writer;

    use super::*;

    /// The stream of these events, each `id status` or `id +` for a piece of a file.
    fn stream(events: &[&str]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for event in events {
            let (id, what) = event.split_once(' ').unwrap();
            let event = match what {
                "+" => Event { test_id: Some(id), ..Event::file("log", b"text") },
                "?" => {
                    writer.write_bytes(b"text between packets\n").unwrap();
                    continue;
                }
                status => Event::status(id, status.parse::<Status>().unwrap()),
            };
            writer.write(&event).unwrap();
        }
        writer.into_inner().unwrap()
    }

    /// Checks the rows, each as `id outcome packets`, with the packets from the first to the last.
    fn check_rows(events: &[&str], expected: &[&str]) {
        let bytes = stream(events);
        let mut starts = vec![0];
        starts.extend((1..=events.len()).map(|count| stream(&events[..count]).len() as u64));
        for cut in [1, 7, bytes.len()] {
            let mut intake = Intake::new(Path::new("/tmp"));
            for part in bytes.chunks(cut) {
                intake.push(part).unwrap();
            }
            let (tally, mut rows) = intake.finish(Tail::Damage).unwrap();
            let mut lines = Vec::new();
            while let Some(row) = rows.next().unwrap() {
                let index = |at: u64| starts.binary_search(&at).unwrap();
                let (from, to) = (index(row.facts.extent.start), index(row.facts.extent.end));
                let kind = match row.facts.kind {
                    Kind::Outcome(outcome) => outcome.as_str(),
                    Kind::Late => "late",
                };
                lines.push(format!("{} {kind} {from}..{to}", row.id.escape_ascii()));
            }
            assert_eq!(lines, expected);
            let mut summary = Summary::new();
            drive(&*bytes, &mut summary).unwrap();
            assert_eq!(tally.counts, (&summary).into());
            assert_eq!(tally.counts.failures(), summary.failures());
        }
    }

    #[test]
    fn a_row_knows_where_its_packets_are() {
        check_rows(
            &["a inprogress", "b inprogress", "a +", "a success", "- ?", "b fail"],
            &["a success 0..4", "b fail 1..6"],
        );
    }

    #[test]
    fn a_test_that_never_ends_is_unfinished_up_to_its_last_packet() {
        check_rows(&["a inprogress", "a +", "b success"], &["a unfinished 0..2", "b success 2..3"]);
    }

    #[test]
    fn an_announcement_does_not_end_a_running_test() {
        check_rows(&["a inprogress", "a exists", "a fail"], &["a exists 1..2", "a fail 0..3"]);
        check_rows(&["a exists", "a inprogress", "a skip"], &["a exists 0..1", "a skip 1..3"]);
        check_rows(&["a +", "a exists"], &["a exists 0..2"]);
    }

    #[test]
    fn late_files_are_rows_of_their_own() {
        check_rows(
            &["a fail", "a +", "a +", "b success", "a +", "b +"],
            &["a fail 0..1", "a late 1..5", "b success 3..4", "b late 5..6"],
        );
    }

    #[test]
    fn a_test_that_runs_again_has_two_rows() {
        let rows = ["a fail 0..2", "a success 2..4"];
        check_rows(&["a inprogress", "a fail", "a inprogress", "a success"], &rows);
    }

    fn check_tail(tail: Tail, damaged: u64, left_out: u64) {
        let bytes = stream(&["a success", "b success"]);
        let cut = bytes.len() - 3;
        let mut intake = Intake::new(Path::new("/tmp"));
        intake.push(&bytes[..cut]).unwrap();
        let (tally, _) = intake.finish(tail).unwrap();
        assert_eq!((tally.counts.success, tally.counts.damaged), (1, damaged));
        assert_eq!((tally.bytes, tally.tail), (cut as u64, left_out));
    }

    #[test]
    fn a_cut_packet_at_the_end_is_damage_unless_the_writer_was_killed() {
        check_tail(Tail::Damage, 1, 0);
        check_tail(Tail::LeftOut, 0, (stream(&["b success"]).len() - 3) as u64);
        assert_eq!(Outcome::ALL.len(), 7);
    }
}
