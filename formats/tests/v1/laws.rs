//! What holds for every stream.

use std::collections::BTreeMap;
use std::io;

use formats::v1::{self, V1Writer};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use streamresult::{Outcome, Record, RecordSink, Records, drive};
use subunit::strategy::{Piece, pieces};

use crate::log;

/// A record, as far as v1 can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TestResult {
    id: String,
    outcome: Outcome,
    tags: Vec<String>,
    times: [Option<(u32, u32)>; 2],
    files: BTreeMap<String, Vec<u8>>,
}

/// Keeps what v1 can say. The clock of v1 stands where no time is given.
#[derive(Debug, Default)]
struct Collector {
    kept: Vec<TestResult>,
    text: Vec<u8>,
}

impl RecordSink for Collector {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.outcome() == Outcome::Exists {
            return Ok(());
        }
        let times = [record.first(), record.last()];
        let mut files = BTreeMap::new();
        for file in record.attachments() {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut file.reader(), &mut bytes)?;
            files.insert(file.name().to_owned(), bytes);
        }
        self.kept.push(TestResult {
            id: record.test_id().to_owned(),
            outcome: record.outcome(),
            tags: record.tags().iter().map(str::to_owned).collect(),
            times: times.map(|time| time.map(|time| (time.seconds(), time.nanoseconds()))),
            files,
        });
        Ok(())
    }

    fn global(&mut self, event: &subunit::Event<'_>) -> io::Result<()> {
        self.text.extend(event.file.map(|file| file.bytes.to_vec()).unwrap_or_default());
        Ok(())
    }
}

fn to_v1(stream: &[u8]) -> Vec<u8> {
    let mut records = Records::new(V1Writer::new(Vec::new()));
    drive(stream, &mut records).unwrap();
    records.into_sink().into_inner()
}

fn kept(stream: &[u8]) -> Vec<TestResult> {
    let mut records = Records::new(Collector::default());
    drive(stream, &mut records).unwrap();
    records.into_sink().kept
}

fn kept_of_v1(stream: &[u8]) -> Vec<TestResult> {
    let mut records = Records::new(Collector::default());
    v1::drive(stream, &mut records).unwrap();
    records.into_sink().kept
}

/// What is to be read back of a record that was written after a time was known or not.
fn expected(mut kept: Vec<TestResult>) -> Vec<TestResult> {
    let mut clock = None;
    for record in &mut kept {
        for time in &mut record.times {
            clock = time.or(clock);
            *time = clock;
        }
        if record.outcome == Outcome::Unfinished {
            record.outcome = Outcome::Fail;
        }
    }
    kept
}

/// Lines that say something, and some that nearly do.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let id = || prop_oneof!["[ab]", "[ab] \\[", "\\PC{0,5}"];
    let word = "(test|testing|success|failure|error|skip|xfail|uxsuccess|tags|time|progress|other)";
    let line = prop_oneof![
        6 => (word, "[:]{0,2} ", id(), "( \\[| \\[ multipart|)\r?\n")
            .prop_map(|(word, blank, id, end)| format!("{word}{blank}{id}{end}").into_bytes()),
        3 => prop_oneof!["\\]\n", " ?\\]+x?\n", "time: 20[0-9]{2}-0[1-9]-11 11:11:11(\\.[0-9]+)?Z\n"].prop_map(String::into_bytes),
        3 => ("[a-f]{1,3}", vec(any::<u8>(), 0..9)).prop_map(|(name, bytes)| {
            let head = format!("Content-Type: text/plain\n{name}\n{:X}\r\n", bytes.len());
            [head.as_bytes(), &bytes, b"0\r\n"].concat()
        }),
        1 => vec(any::<u8>(), 0..12),
    ];
    vec(line, 0..25).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_cut_tells_the_same(stream in lines(), piece in 1..40usize) {
        prop_assert_eq!(log(&stream, piece), log(&stream, usize::MAX));
    }

    #[test]
    fn no_byte_outside_of_directives_is_lost(stream in vec(any::<u8>(), 0..200)) {
        let mut records = Records::new(Collector::default());
        v1::drive(&*stream, &mut records).unwrap();
        prop_assert_eq!(records.into_sink().text, stream);
    }

    #[test]
    fn version_2_survives_version_1(pieces in pieces()) {
        let stream: Vec<u8> = pieces.iter().filter_map(|piece| match piece {
            Piece::Packet(packet) if is_plain(packet) => Some(packet.as_bytes().to_vec()),
            _ => None,
        }).collect::<Vec<_>>().concat();
        let before = expected(kept(&stream));
        let mut after = kept_of_v1(&to_v1(&stream));
        for (before, after) in before.iter().zip(&mut after) {
            after.files.retain(|name, _| before.files.contains_key(name));
        }
        prop_assert_eq!(after, before);
    }

    #[test]
    fn any_stream_can_be_written_and_read_back_with_as_many_tests(pieces in pieces()) {
        let stream: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_bytes().to_vec()).collect();
        let outcomes = |kept: Vec<TestResult>| -> Vec<Outcome> {
            kept.into_iter().filter(|record| !record.id.starts_with("(the run")).map(|record| record.outcome).collect()
        };
        prop_assert_eq!(outcomes(kept_of_v1(&to_v1(&stream))), outcomes(expected(kept(&stream))));
    }

    #[test]
    fn a_cut_stream_has_no_more_successes_than_the_whole(pieces in pieces(), cut in any::<Index>()) {
        let stream: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_bytes().to_vec()).collect();
        let stream = to_v1(&stream);
        let cut = &stream[..cut.index(stream.len() + 1)];
        let passed = |stream: &[u8]| {
            kept_of_v1(stream).iter().filter(|record| !record.outcome.is_failure()).count()
        };
        proptest::prop_assert!(passed(cut) <= passed(&stream));
    }
}

/// Whether v1 can carry its id, tags and name as they are.
fn is_plain(packet: &subunit::PacketBuf) -> bool {
    let event = packet.event();
    let is_line = |text: &str| !text.is_empty() && !text.trim().is_empty() && !text.contains(['\n', '\r']);
    let is_word = |tag: &str| {
        let splits =
            |character: char| character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character);
        !tag.is_empty() && !tag.starts_with('-') && !tag.contains(splits)
    };
    event.test_id.is_some_and(is_line)
        && event.tags.iter().all(is_word)
        && event.file.is_none_or(|file| !file.name.contains(['\n', '\r']))
}
