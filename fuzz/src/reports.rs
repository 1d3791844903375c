//! The laws of the reports: whatever the stream holds, a report says how the run went, and nothing in it is obeyed.

use std::io::{self, Write as _};

use arbitrary::{Result, Unstructured};
use formats::csv::{Column, Table};
use formats::harmless::HarmlessWriter;
use formats::junit::{self, JunitWriter, read};
use formats::pyunit::PyunitWriter;
use formats::tap::{self, TapWriter};
use formats::text::{self, TextReport};
use formats::{ci, lines, v1};
use streamresult::{Outcome, Record, RecordSink, Records, Summary, drive};
use subunit::Status;

use crate::recovery::Piece;

/// Some tests that events are about, so that they meet; of the others, ids are drawn.
const IDS: [Option<&str>; 12] = [
    Some("a"),
    Some("a.b::c"),
    Some("a #2"),
    Some(" # TODO \\"),
    Some("::error::x\n##[group]"),
    Some("\u{1b}]0;\u{202e}\r\n\tok 1 - x"),
    Some("&lt;]]>\u{fffe}\u{85}"),
    Some("tests/a.py::B::c[1.5, \"x\"]"),
    Some("test: x [ multipart"),
    Some("=1+2,\"\"\r\n"),
    Some(""),
    None,
];
const ROUTES: [Option<&str>; 4] = [None, Some("0"), Some("0/a b"), Some("<\u{1}>\n")];

/// Every report of any stream is well-formed, and what is read back from it went as the stream did.
///
/// # Panics
///
/// When the law does not hold.
pub fn reports(data: &[u8]) {
    let Ok(stream) = few_tests(&mut Unstructured::new(data)) else { return };
    let written = written(&stream);
    for options in [
        junit::JunitOptions::default(),
        junit::JunitOptions { single_suite: true, all_output: true, ..junit::JunitOptions::default() },
        junit::JunitOptions { dialect: junit::Dialect::Xunit, ..junit::JunitOptions::default() },
    ] {
        assert_eq!(of_junit(&stream, options), written);
    }
    let merged = junit::JunitOptions { merge_retries: true, ..junit::JunitOptions::default() };
    assert!(of_junit(&stream, merged).tests <= written.tests);
    assert_eq!(of_tap(&stream), written);
    assert_eq!(of_v1(&stream).is_success, written.is_success);
    rows_are_whole(&stream);
    nothing_is_obeyed(&stream);
}

/// A stream about few tests.
fn few_tests(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    for piece in bytes.arbitrary_iter::<(u8, u8, Piece)>()? {
        let (id, route, piece) = piece?;
        let route = ROUTES[usize::from(route) % ROUTES.len()];
        stream.extend(match IDS.get(usize::from(id) % (IDS.len() + 4)) {
            Some(id) => piece.about(*id, route).into_bytes(),
            None => piece.into_bytes(),
        });
    }
    Ok(stream)
}

/// What a report has to tell.
#[derive(Debug, PartialEq)]
struct ReportedCounts {
    tests: u64,
    skipped: u64,
    is_success: bool,
}

impl ReportedCounts {
    /// A failure of the run as a whole is a test in reports.
    fn of(summary: &Summary) -> Self {
        let global = Status::ALL.into_iter().filter(|status| status.is_failure());
        let global: u64 = global.map(|status| summary.global(status)).sum();
        ReportedCounts {
            tests: summary.total() + summary.damaged() + global,
            skipped: summary.count(Outcome::Skip),
            is_success: summary.is_success(),
        }
    }
}

fn written(stream: &[u8]) -> ReportedCounts {
    let mut records = Records::new(Summary::new());
    told(drive(stream, &mut records));
    ReportedCounts::of(&records.into_sink())
}

fn of_junit(stream: &[u8], options: junit::JunitOptions) -> ReportedCounts {
    let mut report = Vec::new();
    told(sunk(stream, JunitWriter::new(options)).write(&mut report));
    let mut summary = Summary::new();
    let read = read::drive(read::Options::default(), &*report, &mut summary);
    assert!(read.is_ok(), "{read:?}: {}", String::from_utf8_lossy(&report));
    ReportedCounts::of(&summary)
}

fn of_tap(stream: &[u8]) -> ReportedCounts {
    let ended = sunk(stream, TapWriter::new(Vec::new())).end(None);
    let report = ended.unwrap_or_default();
    let mut summary = Summary::new();
    told(lines::drive(tap::TapParser::new(), &*report, &mut summary));
    ReportedCounts::of(&summary)
}

fn of_v1(stream: &[u8]) -> ReportedCounts {
    let report = sunk(stream, v1::V1Writer::new(Vec::new())).into_inner();
    let mut summary = Summary::new();
    told(v1::drive(&*report, &mut summary));
    ReportedCounts::of(&summary)
}

/// A table of all columns.
struct Rows {
    table: Table,
    out: Vec<u8>,
    records: usize,
}

impl RecordSink for Rows {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.records += 1;
        self.table.record(record, &mut self.out)
    }
}

fn rows_are_whole(stream: &[u8]) {
    let table = Table { columns: Column::ALL.to_vec(), excel_safe: true };
    let Rows { out, records, .. } = sunk(stream, Rows { table, out: Vec::new(), records: 0 });
    let (mut in_quotes, mut fields, mut rows) = (false, 1, 0);
    for (at, byte) in out.iter().enumerate() {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b',' if !in_quotes => fields += 1,
            b'\n' if !in_quotes => {
                assert_eq!((fields, at.checked_sub(1).map(|at| out[at])), (Column::ALL.len(), Some(b'\r')));
                (fields, rows) = (1, rows + 1);
            }
            _ => {}
        }
    }
    assert_eq!((in_quotes, rows), (false, records));
}

/// Neither a terminal finds anything to obey in what people read, nor a CI system in any report.
fn nothing_is_obeyed(stream: &[u8]) {
    let options = text::TextOptions { lines: true, all_output: true, ..text::TextOptions::default() };
    let mut report = TextReport::new(Vec::new(), options);
    told(drive(stream, &mut report));
    let text = report.finish(text::Conclusion::default());
    let pyunit = sunk(stream, PyunitWriter::new(Vec::new())).into_inner();
    let mut loose = HarmlessWriter::new(Vec::new());
    let written = stream.chunks(7).try_for_each(|piece| loose.write_all(piece)).and_then(|()| loose.finish());
    told(written);
    for report in [text.unwrap_or_default(), pyunit, loose.into_inner()] {
        let report = String::from_utf8_lossy(&report);
        assert!(!report.contains(is_obeyed), "{report:?}");
        assert_eq!(ci::defuse(&report, true), report);
    }
    let mut xml = Vec::new();
    told(sunk(stream, JunitWriter::new(junit::JunitOptions::default())).write(&mut xml));
    let table = Table { columns: Column::ALL.to_vec(), excel_safe: false };
    let rows = sunk(stream, Rows { table, out: Vec::new(), records: 0 }).out;
    let tap = sunk(stream, TapWriter::new(Vec::new())).end(None).unwrap_or_default();
    for report in [xml, rows, tap] {
        let report = String::from_utf8_lossy(&report);
        assert_eq!(ci::defuse(&report, true), report);
    }
}

fn is_obeyed(character: char) -> bool {
    let is_bidi = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() && !matches!(character, '\n' | '\t') || is_bidi
}

/// Drives the records of a stream into a sink.
fn sunk<S: RecordSink>(stream: &[u8], sink: S) -> S {
    let mut records = Records::new(sink);
    told(drive(stream, &mut records));
    records.into_sink()
}

fn told(told: io::Result<()>) {
    assert!(told.is_ok(), "{told:?}");
}
