//! The law of accounting: counting events and counting records comes to the same.

use std::io;

use arbitrary::{Result, Unstructured};
use streamresult::{DAMAGE_ID, Extent, Outcome, Record, RecordSink, Records, StreamResult, Summary, drive};
use subunit::{Event, Status};

use crate::recovery::Piece;

/// The tests that the events are about, so that they meet.
const IDS: [Option<&str>; 6] = [Some("a"), Some("b"), Some("c"), Some(""), Some(DAMAGE_ID), None];
const ROUTES: [Option<&str>; 4] = [None, None, Some("0"), Some("1")];

/// Of any stream the two accountings agree, and nothing of it is left out.
///
/// # Panics
///
/// When the law does not hold.
pub fn records(data: &[u8]) {
    if let Ok(stream) = few_tests(&mut Unstructured::new(data)) {
        accountings_agree(&stream);
    }
}

/// A stream about few tests.
fn few_tests(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    for piece in bytes.arbitrary_iter::<(u8, u8, Piece)>()? {
        let (id, route, piece) = piece?;
        let id = IDS[usize::from(id) % IDS.len()];
        let route = ROUTES[usize::from(route) % ROUTES.len()];
        stream.extend(piece.about(id, route).into_bytes());
    }
    Ok(stream)
}

/// Drives a stream into both accountings and compares them.
pub(crate) fn accountings_agree(stream: &[u8]) {
    let mut sinks =
        (Given::default(), (Summary::new(), Records::new((RecordTotals::default(), Summary::new()))));
    let driven = drive(stream, &mut sinks);
    assert!(driven.is_ok(), "{driven:?}");
    let (given, (of_events, records)) = sinks;
    assert_eq!(records.open_len(), 0, "the run is over");
    let (taken, of_records) = records.into_sink();
    assert_eq!(counts(&of_events), counts(&of_records));
    assert_eq!(taken.account, given.0, "all events, and all bytes of files");
    let counted: u64 = Outcome::ALL.into_iter().map(|outcome| of_records.count(outcome)).sum();
    assert_eq!(counted + of_records.damaged(), taken.records);
}

/// All that a summary tells.
fn counts(summary: &Summary) -> impl PartialEq + std::fmt::Debug {
    (
        Outcome::ALL.map(|outcome| summary.count(outcome)),
        Status::ALL.map(|status| summary.global(status)),
        [summary.damaged(), summary.announced(), summary.late(), summary.total(), summary.failures()],
        summary.is_success(),
    )
}

/// How many events and how many bytes of files.
#[derive(Debug, Default, PartialEq)]
struct Totals {
    events: u64,
    bytes: u64,
}

impl Totals {
    fn add(&mut self, event: &Event<'_>) {
        self.events += 1;
        self.bytes += event.file.map_or(0, |file| file.bytes.len() as u64);
    }
}

/// What goes in.
#[derive(Default)]
struct Given(Totals);

impl StreamResult for Given {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.add(event);
        Ok(())
    }
}

/// What comes out.
#[derive(Default)]
struct RecordTotals {
    account: Totals,
    records: u64,
}

impl RecordSink for RecordTotals {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.records += 1;
        self.account.events += u64::from(record.events());
        for file in record.attachments() {
            let read = io::copy(&mut file.reader(), &mut io::sink())?;
            assert_eq!((read, file.left_out()), (file.len(), 0));
            self.account.bytes += read;
        }
        Ok(())
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        self.account.add(event);
        Ok(())
    }

    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.account.add(event);
        Ok(())
    }

    fn global_status(&mut self, event: &Event<'_>, _: Status) -> io::Result<()> {
        self.account.add(event);
        Ok(())
    }
}
