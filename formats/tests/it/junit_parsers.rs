//! Any stream gives a report that every parser takes, with the text that went in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use formats::junit::{Dialect, JunitOptions};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use quick_xml::events::Event as Xml;
use quick_xml::{Reader, XmlVersion};
use subunit::{Event, File, PacketBuf, Status, strategy};

use crate::junit::{report, report_of_stream};

const STREAMS: usize = 100;

/// All combinations of what changes the shape of a report.
fn options() -> impl Iterator<Item = JunitOptions> {
    (0..16).map(|bits: u32| JunitOptions {
        dialect: if bits & 1 == 0 { Dialect::Common } else { Dialect::Xunit },
        merge_retries: bits & 2 != 0,
        single_suite: bits & 4 != 0,
        all_output: bits & 8 != 0,
        suite_name: "\u{fffe}\x1b<&\">".to_owned(),
        properties: vec![("\0".to_owned(), "\r\n".to_owned())],
        ..JunitOptions::default()
    })
}

/// Streams of any packets, text and damage; the same ones in each run.
fn streams() -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let pieces = strategy::pieces();
    (0..STREAMS)
        .map(|_| {
            let pieces = pieces.new_tree(&mut runner).unwrap().current();
            pieces.iter().flat_map(|piece| piece.as_bytes().to_vec()).collect()
        })
        .collect()
}

/// The reports of all streams as files; those that should be valid are in `xunit`.
fn written() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for dialect in ["common", "xunit"] {
        fs::create_dir(folder.path().join(dialect)).unwrap();
    }
    let mut options = options().collect::<Vec<_>>().into_iter().cycle();
    for (number, stream) in streams().iter().enumerate() {
        for options in options.by_ref().take(4) {
            let dialect = if options.dialect == Dialect::Xunit { "xunit" } else { "common" };
            let path = folder.path().join(dialect).join(format!("{number}-{}.xml", paths.len()));
            fs::write(&path, report_of_stream(options, stream)).unwrap();
            paths.push(path);
        }
    }
    (folder, paths)
}

/// Runs a parser on all files, or says that there is none.
fn check_with(program: &str, args: &[&str], paths: &[PathBuf]) {
    match Command::new(program).args(args).args(paths).output() {
        Err(_) => eprintln!("NOT TESTED: {program} is not here"),
        Ok(output) => {
            assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr))
        }
    }
}

#[test]
fn expat_and_libxml_take_the_report_of_any_stream() {
    let (folder, paths) = written();
    let expat = "import sys, pyexpat\nfor path in sys.argv[1:]:\n    pyexpat.ParserCreate().ParseFile(open(path, 'rb'))\n";
    check_with("python3", &["-c", expat], &paths);
    check_with("xmllint", &["--noout"], &paths);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/junit-10.xsd");
    let xunit: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.starts_with(folder.path().join("xunit"))).collect();
    check_with("xmllint", &["--noout", "--schema", schema.to_str().unwrap()], &xunit);
}

/// The names of cases and the text of failures, as a parser reads them.
fn read(report: &str) -> Vec<String> {
    let mut reader = Reader::from_str(report);
    reader.config_mut().check_end_names = true;
    let mut found = Vec::new();
    let mut in_failure = false;
    loop {
        match reader.read_event().unwrap() {
            Xml::Eof => return found,
            Xml::Start(element) | Xml::Empty(element) if element.name().as_ref() == "testcase" => {
                let name = element
                    .attributes()
                    .map(Result::unwrap)
                    .find(|attribute| attribute.key.as_ref() == "name");
                found.push(name.unwrap().normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned());
            }
            Xml::Start(element) if element.name().as_ref() == "failure" => {
                in_failure = true;
                found.push(String::new());
            }
            Xml::End(element) if element.name().as_ref() == "failure" => in_failure = false,
            Xml::Text(text) if in_failure => found.last_mut().unwrap().push_str(&text),
            Xml::GeneralRef(entity) if in_failure => {
                let character = entity.resolve_char_ref().unwrap().unwrap_or_else(|| match &*entity {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    other => panic!("the entity {other:?}"),
                });
                found.last_mut().unwrap().push(character);
            }
            _ => {}
        }
    }
}

/// What is shown of text, written down once more: slowly, and without looking at the other one.
fn shown(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match u32::from(character) {
                9 | 10 | 13 => out.push(character),
                code @ (0..=0x1f | 0x7f) => out += &format!("\\x{code:02x}"),
                code @ (0x80..=0x9f | 0xfffe | 0xffff) => out += &format!("\\u{{{code:x}}}"),
                _ => out.push(character),
            }
        }
        for byte in chunk.invalid() {
            out += &format!("\\x{byte:02x}");
        }
    }
    out
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        any::<String>().prop_map(String::into_bytes),
        "[\\]<>&\"'\r\n\t\u{1b}\u{7f}-\u{a0}\u{fff0}-\u{ffff}]{0,40}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn what_went_in_is_read_back_as_it_is_shown(bytes in text(), id in "[^\0.:(\\[ ]{1,40}") {
        let file = Some(File { name: "traceback", bytes: &bytes });
        let event = Event { file, mime_type: Some("text/plain"), ..Event::status(&id, Status::Fail) };
        prop_assert_eq!(read(&report(JunitOptions::default(), &[event])), vec![shown(id.as_bytes()), shown(&bytes)]);
    }

    #[test]
    fn names_are_unique_whatever_the_ids(packets in proptest::collection::vec(strategy::packet(), 0..30)) {
        let twice: Vec<&PacketBuf> = packets.iter().chain(&packets).collect();
        let events: Vec<Event<'_>> = twice.iter().map(|packet| packet.event()).collect();
        for options in options().take(4) {
            let report = report(options, &events);
            let mut names: Vec<&str> = report.lines().filter(|line| line.starts_with("<testcase")).collect();
            names.iter_mut().for_each(|line| *line = line.split(" time=").next().unwrap().split(" file=").next().unwrap().trim_end_matches(['/', '>']));
            names.sort_unstable();
            prop_assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{:?}", names);
        }
    }
}
