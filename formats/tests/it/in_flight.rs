//! Reports of tests that hold much while they run, and of more than there is room for.

use std::path::Path;

use formats::junit::{JunitOptions, JunitWriter};
use formats::pyunit::PyunitWriter;
use formats::tap::TapWriter;
use formats::text::{Conclusion, TextOptions, TextReport};
use streamresult::{Records, Spool, drive};
use subunit::io::Writer;
use subunit::{Event, File, Status, TEXT_TYPE};

const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"net.py\", line 7\nOSError: no route\n";

/// A stream with as many tests in flight, each with a log of a mebibyte, around a skipped and a failed one.
fn stream(in_flight: usize, outcome: Status) -> Vec<u8> {
    let log = vec![b'x'; 1 << 20];
    let ids: Vec<String> = (0..in_flight).map(|number| format!("slow.{number}")).collect();
    let mut writer = Writer::new(Vec::new());
    let file = |name, bytes| Some(File { name, bytes });
    for id in &ids {
        let event = Event { mime_type: Some(TEXT_TYPE), ..Event::status(id, Status::InProgress) };
        writer.write(&Event { file: file("log", &log), ..event }).unwrap();
    }
    let event = Event { mime_type: Some(TEXT_TYPE), ..Event::status("net.skipped", Status::Skip) };
    writer.write(&Event { file: file("reason", b"no network"), ..event }).unwrap();
    let event = Event { test_id: Some("net.failed"), mime_type: Some(TEXT_TYPE), ..Event::default() };
    writer.write(&Event { file: file("traceback", TRACEBACK.as_bytes()), ..event }).unwrap();
    writer.write(&Event::status("net.failed", Status::Fail)).unwrap();
    ids.iter().for_each(|id| writer.write(&Event::status(id, outcome)).unwrap());
    writer.into_inner().unwrap()
}

/// A report: its name, and what makes it of a stream; temporary files go to the folder, if there is one.
type Report = (&'static str, fn(&[u8], Option<&Path>) -> String);

fn spool(folder: Option<&Path>) -> Spool {
    folder.map_or_else(Spool::default, |folder| Spool::default().in_folder(folder))
}

fn pyunit(stream: &[u8], folder: Option<&Path>) -> String {
    let writer = PyunitWriter::new(Vec::new());
    let writer = match folder {
        Some(folder) => writer.in_folder(folder),
        None => writer,
    };
    let mut records = Records::new(writer).with_spool(spool(folder));
    drive(stream, &mut records).unwrap();
    String::from_utf8(records.into_sink().into_inner()).unwrap()
}

fn junit(stream: &[u8], folder: Option<&Path>) -> String {
    let writer = JunitWriter::new(JunitOptions::default());
    let writer = match folder {
        Some(folder) => writer.in_folder(folder),
        None => writer,
    };
    let mut records = Records::new(writer).with_spool(spool(folder));
    drive(stream, &mut records).unwrap();
    let mut report = Vec::new();
    records.into_sink().write(&mut report).unwrap();
    String::from_utf8(report).unwrap()
}

fn text(stream: &[u8], folder: Option<&Path>) -> String {
    let options = TextOptions { lines: true, ..TextOptions::default() };
    let mut report = match folder {
        Some(folder) => TextReport::in_folder(Vec::new(), options, folder),
        None => TextReport::new(Vec::new(), options),
    };
    drive(stream, &mut report).unwrap();
    String::from_utf8(report.finish(Conclusion::default()).unwrap()).unwrap()
}

fn tap(stream: &[u8], folder: Option<&Path>) -> String {
    let mut records = Records::new(TapWriter::new(Vec::new())).with_spool(spool(folder));
    drive(stream, &mut records).unwrap();
    String::from_utf8(records.into_sink().end(None).unwrap()).unwrap()
}

const REPORTS: [Report; 4] = [("pyunit", pyunit), ("junit", junit), ("text", text), ("tap", tap)];

#[test]
fn reasons_and_messages_are_told_whatever_other_tests_hold() {
    for in_flight in [0, 9] {
        let stream = stream(in_flight, Status::Success);
        for (name, report) in REPORTS {
            let report = report(&stream, None);
            for words in ["no network", "OSError: no route"] {
                assert!(report.contains(words), "{name} of {in_flight} tests in flight lacks {words:?}");
            }
        }
    }
}

#[test]
fn without_room_for_temporary_files_all_is_counted_and_the_report_says_what_it_lacks() {
    let nowhere = Path::new("/does/not/exist");
    let stream = stream(20, Status::Fail);
    for (name, report) in REPORTS {
        let report = report(&stream, Some(nowhere));
        let expected = match name {
            "pyunit" => "Ran 22 tests in 0.000s\n\nFAILED (failures=21, skipped=1)\n",
            "junit" => "tests=\"22\" failures=\"21\" errors=\"0\" skipped=\"1\"",
            "text" => "FAILED  22 tests: 21 failed, 1 skipped\n",
            _ => "1..22\n",
        };
        for words in [expected, "no network", "OSError: no route", "left out"] {
            assert!(report.contains(words), "{name} lacks {words:?}");
        }
        assert!(report.contains("/does/not/exist") || name == "tap", "{name} does not say why");
        for number in 0..20 {
            assert!(report.contains(&format!("slow.{number}")) || report.contains(&format!("\"{number}\"")));
        }
    }
}
