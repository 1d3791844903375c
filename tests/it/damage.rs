//! Whatever happens to a failing packet behind text, no command is green: not by itself, and not behind the commands
//! that pass streams on.

use cli::{Command, Verdict, run_with};
use filters::csv::Csv;
use filters::filter::Filter;
use filters::junitxml::JunitXml;
use filters::lint::Lint;
use filters::ls::Ls;
use filters::mux::Mux;
use filters::pyunit::Pyunit;
use filters::stats::Stats;
use filters::tags::TagStream;
use filters::tap::Tap;
use filters::text::Text;
use filters::timestamp::TimestampStream;
use subunit::{Event, PacketBuf, Status};

type Run = fn(&[u8]) -> (Verdict, Vec<u8>);

fn run<C: Command>(args: &[&str], input: &[u8]) -> (Verdict, Vec<u8>) {
    let outcome = run_with::<C>(args, input);
    (outcome.verdict, outcome.output)
}

/// Commands that say how a run went.
const REPORTS: [(&str, Run); 8] = [
    ("ls", |input| run::<Ls>(&[], input)),
    ("stats", |input| run::<Stats>(&[], input)),
    ("lint", |input| run::<Lint>(&[], input)),
    ("csv", |input| run::<Csv>(&[], input)),
    ("junitxml", |input| run::<JunitXml>(&[], input)),
    ("pyunit", |input| run::<Pyunit>(&[], input)),
    ("tap", |input| run::<Tap>(&[], input)),
    ("text", |input| run::<Text>(&[], input)),
];

/// Commands that pass a stream on.
const FILTERS: [(&str, Run); 8] = [
    ("filter", |input| run::<Filter>(&[], input)),
    ("filter -F", |input| run::<Filter>(&["-F"], input)),
    ("filter --no-passthrough", |input| run::<Filter>(&["--no-passthrough"], input)),
    ("filter --without a", |input| run::<Filter>(&["-s", "--xfail", "--without", "a"], input)),
    ("filter --without-tag", |input| run::<Filter>(&["--without-tag", "no such tag"], input)),
    ("tags", |input| run::<TagStream>(&["nightly"], input)),
    ("timestamp", |input| run::<TimestampStream>(&[], input)),
    ("mux", |input| run::<Mux>(&[], input)),
];

fn packet(id: &str, status: Status) -> Vec<u8> {
    PacketBuf::encode(&Event::status(id, status)).unwrap().as_bytes().to_vec()
}

/// Each way in which one bit of the packet is wrong, and each of its cuts that leaves this much.
fn damaged(packet: &[u8], least: usize) -> Vec<Vec<u8>> {
    let flips = (0..8 * packet.len()).map(|bit| {
        let mut bytes = packet.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    flips.chain((least..packet.len()).map(|len| packet[..len].to_vec())).collect()
}

fn check(name: &str, run: Run, stream: &[u8]) {
    assert_ne!(run(stream).0, Verdict::Passed, "{name} is green: {}", stream.escape_ascii());
}

#[test]
fn every_report_tells_damage_behind_text() {
    for bytes in damaged(&packet("b", Status::Fail), 2) {
        let stream = [&packet("a", Status::Success), &b"starting server"[..], &bytes].concat();
        REPORTS.iter().for_each(|(name, run)| check(name, *run, &stream));
    }
}

#[test]
fn damage_is_told_behind_every_filter() {
    let (passed, xfailed) = (packet("a", Status::Success), packet("c", Status::XFail));
    // Of less than a length, it is known by the packet that follows, which may be dropped.
    for bytes in damaged(&packet("b", Status::Fail), 4) {
        let streams: [&[&[u8]]; 4] = [
            &[b"..", &passed, "..\u{f3}".as_bytes(), &bytes],
            &[b".", &passed, b".", &bytes, b".", &xfailed],
            &[b".", &passed, &bytes, b".", &xfailed],
            &["5 m\u{b3}".as_bytes(), &passed, &bytes, &xfailed],
        ];
        for (stream, (name, filter)) in
            streams.iter().flat_map(|stream| FILTERS.iter().map(move |it| (stream, it)))
        {
            let (verdict, output) = filter(&stream.concat());
            assert_eq!(verdict, Verdict::Passed, "{name}");
            check(&format!("{name} | ls, of {}", stream.concat().escape_ascii()), REPORTS[0].1, &output);
            let again = run::<Filter>(&["-F"], &output).1;
            check(&format!("{name} | filter -F | stats"), REPORTS[1].1, &again);
        }
    }
}

#[test]
fn damage_that_is_copied_behind_text_begins_a_line() {
    let damage = &packet("b", Status::Fail)[..6];
    let stream = [b".", &*packet("a", Status::Success), damage, b".\n", &packet("c", Status::XFail)].concat();
    let expected = [&b".\n"[..], damage, b".\n"].concat();
    assert_eq!(run::<Filter>(&[], &stream).1, expected);
    assert_eq!(run::<TagStream>(&[], &stream).1, stream, "what is kept as it is needs none");
}
