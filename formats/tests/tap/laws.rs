//! What holds for every document.

use std::collections::BTreeMap;
use std::io;

use formats::lines;
use formats::tap::{TapParser, TapWriter};
use proptest::collection::{hash_map, vec};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use streamresult::{Outcome, Record, RecordSink, Records, StreamResult, Summary};
use subunit::{Event, File, Status, Tags, Timestamp, strategy};

use crate::{NOON, log};

/// Lines that say something, and some that nearly do.
fn document() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        6 => "( {4}){0,2}(not )?ok( [0-9]| - [ab]| [1-4] - [abc\\\\#]{0,3})?( ?# ?(skip|todo|time=3ms)[a-z: ]{0,3})?",
        2 => "( {4}){0,2}(t/a\\.t \\.\\. (ok)?|ok|Result: PASS|Dubious, test returned 1|\\{|\\}|ok 1 - a \\{|KTAP version 1)",
        2 => "( {4}){0,2}(1\\.\\.[0-4]|# Subtest(: [ab])?|TAP version 13|Bail out! x|pragma \\+a|# .|)",
        3 => "( {4}){0,2}  (---|\\.\\.\\.|outcome: (fail|xfail)|duration_ms: 3|tags:|  - \"x\"|  - name: \"a\"|    bytes: 1|    text: \\|2|      z)",
        1 => "\\PC{0,6}",
    ];
    vec((line, prop_oneof![9 => Just("\n"), 1 => Just("\r\n"), 1 => Just("")]), 0..20).prop_map(|lines| {
        lines.into_iter().flat_map(|(line, end)| [line.into_bytes(), end.into()].concat()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_cut_tells_the_same(document in document(), piece in 1..9_usize) {
        prop_assert_eq!(log(&document, piece), log(&document, document.len().max(1)));
    }

    #[test]
    fn a_failure_in_the_text_is_one_in_the_run(document in document()) {
        let mut summary = Summary::new();
        lines::drive(TapParser::new(), &*document, &mut summary).unwrap();
        let fails = |line: &[u8]| line.starts_with(b"not ok") && !line.contains(&b'#') || line.starts_with(b"Bail out!");
        let fails = !document.windows(3).any(|text| text == b"---") && document.split(|byte| *byte == b'\n').any(fails);
        prop_assert!(!fails || !summary.is_success());
    }

    #[test]
    fn any_bytes_are_told(document in vec(any::<u8>(), 0..300)) {
        log(&document, 7);
    }

    #[test]
    fn what_is_written_is_read_back(tests in tests()) {
        let document = write(&tests);
        let mut keeper = Records::new(Collector::default());
        lines::drive(TapParser::new().clock(|| NOON), &*document, &mut keeper).unwrap();
        let by_id = |test: &Test| test.id.clone();
        let mut expected: Vec<Test> = tests.iter().map(Test::as_written).collect();
        let mut found = keeper.into_sink().0;
        // Unfinished tests are written last.
        expected.sort_by_key(by_id);
        found.sort_by_key(by_id);
        prop_assert_eq!(found, expected, "{}", String::from_utf8_lossy(&document));
    }
}

/// A test as TAP can say it.
#[derive(Clone, Debug, PartialEq)]
struct Test {
    id: String,
    outcome: Outcome,
    route: Option<String>,
    tags: Vec<String>,
    nanoseconds: Option<u64>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Test {
    /// What is written of it, with the id as it is shown: of a success that, of a skip the reason, and all but other
    /// files where that has several lines.
    fn as_written(&self) -> Test {
        let id = shown(&self.id);
        if !matches!(self.outcome, Outcome::Success | Outcome::Skip) {
            return Test { id, ..self.clone() };
        }
        let reason = self.files.get("reason").filter(|_| self.outcome == Outcome::Skip);
        let is_long = reason.is_some_and(|reason| reason.trim_ascii().contains(&b'\n'));
        if is_long || self.looks_like_directive() {
            let files = reason.map(|reason| ("reason".to_owned(), reason.clone())).into_iter().collect();
            return Test { id, files, ..self.clone() };
        }
        // A dash alone says nothing.
        let reason =
            reason.map(|reason| reason.trim_ascii()).filter(|reason| !reason.is_empty() && *reason != b"-");
        Test {
            id,
            route: None,
            tags: Vec::new(),
            nanoseconds: None,
            files: reason.map(|reason| ("reason".to_owned(), reason.to_vec())).into_iter().collect(),
            ..self.clone()
        }
    }
}

impl Test {
    /// Whether its id is in its block, too.
    fn looks_like_directive(&self) -> bool {
        let mut words = self.id.split('#').skip(1).map(|text| text.trim_start().to_lowercase());
        words.any(|word| word.starts_with("todo") || word.starts_with("skip"))
    }
}

fn tests() -> impl Strategy<Value = Vec<Test>> {
    let outcome = prop_oneof![
        Just(Outcome::Success),
        Just(Outcome::Skip),
        Just(Outcome::XFail),
        Just(Outcome::Fail),
        Just(Outcome::UxSuccess),
        Just(Outcome::Unfinished),
    ];
    // Without what a CI system would obey, `::` at the start of a line, which is defused for good.
    let text = prop_oneof!["[ a-c#\\\\\n.-]{0,20}", "[a-zü\n ]{0,40}"].prop_map(String::into_bytes);
    let files = hash_map(prop_oneof![Just("reason".to_owned()), "[a-z#\" ]{1,5}"], text, 0..3);
    let rest = (
        proptest::option::of("[a-z/]{0,3}"),
        vec("[a-z \"]{1,3}", 0..3),
        proptest::option::of(0..10_u64.pow(13)),
        files,
    );
    let test = (outcome, rest).prop_map(|(outcome, (route, tags, nanoseconds, files))| Test {
        id: String::new(),
        outcome,
        route,
        tags: tags.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect(),
        nanoseconds: nanoseconds.filter(|_| outcome != Outcome::Unfinished),
        files: files.into_iter().collect(),
    });
    let id = prop_oneof![
        "[a-c#\\\\ü.:/ -]{0,12}",
        "(ok|not ok|1\\.\\.3|# SKIP|- a|3 b|a #2|test 7)",
        "[ \t\r\n]{0,2}[a-c\\\\]{1,2}[ \n#]{0,2}",
        strategy::string(),
    ];
    let id = id.prop_filter("a name", |id| {
        let shown = shown(id);
        !shown.is_empty() && shown != "-" && !shown.starts_with("test")
    });
    hash_map(id, test, 0..6).prop_map(|tests| {
        let tests = tests.into_iter().map(|(id, test)| (shown(&id), Test { id, ..test }));
        tests.collect::<BTreeMap<_, _>>().into_values().collect()
    })
}

/// What a line has of an id.
fn shown(id: &str) -> String {
    formats::visible::line(id).trim_matches(' ').to_owned()
}

fn write(tests: &[Test]) -> Vec<u8> {
    let mut records = Records::new(TapWriter::new(Vec::new()));
    records.start_run().unwrap();
    for test in tests {
        let event = |time| Event {
            test_id: Some(&test.id),
            route_code: test.route.as_deref(),
            timestamp: time,
            ..Event::default()
        };
        let begin = test.nanoseconds.map(|_| Timestamp::new(7, 1).unwrap());
        let took = std::time::Duration::from_nanos(test.nanoseconds.unwrap_or_default());
        let end = begin.and_then(|begin| Timestamp::from_epoch(begin.since_epoch() + took));
        records.status(&Event { status: Some(Status::InProgress), ..event(begin) }).unwrap();
        for (name, bytes) in &test.files {
            let file = Some(File { name, bytes });
            records.status(&Event { file, mime_type: Some("text/plain"), eof: true, ..event(None) }).unwrap();
        }
        let status = match test.outcome {
            Outcome::Success => Some(Status::Success),
            Outcome::Skip => Some(Status::Skip),
            Outcome::XFail => Some(Status::XFail),
            Outcome::UxSuccess => Some(Status::UxSuccess),
            Outcome::Fail => Some(Status::Fail),
            _ => None,
        };
        let tags: Vec<&str> = test.tags.iter().map(String::as_str).collect();
        let tags = if tags.is_empty() { Tags::default() } else { Tags::from(tags.as_slice()) };
        records.status(&Event { status, tags, ..event(end) }).unwrap();
    }
    records.stop_run().unwrap();
    records.into_sink().end(None).unwrap()
}

/// Keeps records in the order of the document.
#[derive(Debug, Default)]
struct Collector(Vec<Test>);

impl RecordSink for Collector {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let mut files = BTreeMap::new();
        for file in record.attachments() {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut file.reader(), &mut bytes)?;
            files.insert(file.name().to_owned(), bytes);
        }
        self.0.push(Test {
            id: record.test_id().to_owned(),
            outcome: record.outcome(),
            route: record.route_code().map(str::to_owned),
            tags: record.tags().iter().map(str::to_owned).collect(),
            nanoseconds: record.duration().map(|took| took.as_nanos() as u64),
            files,
        });
        Ok(())
    }
}
