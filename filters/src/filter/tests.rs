//! Tests of what is kept and what is dropped, in short: a test is its id, its events `id status`.

use cli::run_with;
use subunit::Frame;
use subunit::{File, PacketBuf, Status, Tags as EventTags};

use super::*;

/// The bytes of events like `id status second`, where `file` stands for a piece of text and `-` for no status.
fn stream(events: &[&str]) -> Vec<u8> {
    events.iter().flat_map(|line| packet(line).as_bytes().to_vec()).collect()
}

fn packet(line: &str) -> PacketBuf {
    let words: Vec<&str> = line.split(' ').collect();
    let seconds = words.iter().find_map(|word| word.parse().ok());
    let tags: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix('#')).collect();
    let event = Event {
        test_id: words.first().filter(|id| **id != "-").copied(),
        status: words.iter().find_map(|word| word.parse::<Status>().ok()),
        tags: if tags.is_empty() { EventTags::default() } else { EventTags::from(&*tags) },
        file: line.split_once('=').map(|(_, text)| File { name: "log", bytes: text.as_bytes() }),
        route_code: words.iter().find_map(|word| word.strip_prefix('@')),
        timestamp: seconds.map(Timestamp::from_seconds),
        runnable: true,
        ..Event::default()
    };
    PacketBuf::encode(&event).unwrap()
}

/// The events that stay, each as its id and status, and text as it is.
fn events(bytes: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(bytes);
    let mut events = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        events.push(match frame {
            Frame::Packet(packet) => {
                let status = packet.status().map_or("-", Status::as_str);
                format!("{} {status}", packet.test_id().unwrap_or("-"))
            }
            Frame::Text(text) => text.escape_ascii().to_string(),
            Frame::Corrupt(..) => "damage".to_owned(),
        });
    }
    events
}

fn check(args: &[&str], input: &[&str], expected: &[&str]) {
    let outcome = run_with::<Filter>(args, &stream(input));
    assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Passed, ""));
    assert_eq!(events(&outcome.output), expected, "{args:?}");
}

const ALL: [&str; 8] =
    ["a exists", "b success", "c uxsuccess", "d skip", "e fail", "f xfail", "g inprogress", "- fail"];

#[test]
fn successes_go_unless_they_are_wanted() {
    check(&[], &ALL, &["a exists", "c uxsuccess", "d skip", "e fail", "- fail", "g inprogress"]);
    check(&["-F"], &ALL, &["a exists", "c uxsuccess", "e fail", "- fail", "g inprogress"]);
    check(&["-f", "--no-skip"], &ALL, &["a exists", "c uxsuccess", "- fail", "g inprogress"]);
    check(&["-s", "--xfail"], &ALL, &ALL);
    check(&["--status", "skip,xfail"], &ALL, &["d skip", "f xfail", "- fail"]);
    check(&["--status", "unfinished", "--status=success"], &ALL, &["b success", "- fail", "g inprogress"]);
}

#[test]
fn all_events_of_a_test_stay_or_go() {
    let input = [
        "a inprogress",
        "b inprogress",
        "a - =log",
        "b - =log",
        "a fail",
        "b success",
        "a - =late",
        "b - =late",
    ];
    check(&[], &input, &["a inprogress", "a -", "a fail", "a -"]);
    check(&["-s", "-f"], &input, &["b inprogress", "b -", "b success", "b -"]);
}

#[test]
fn patterns_look_in_everything_that_is_known() {
    let input = ["net.a - =no space left", "net.a fail", "disk.b fail", "c fail"];
    check(&["--with", "^net", "--with", "^disk"], &input, &["net.a -", "net.a fail", "disk.b fail"]);
    check(&["--without", "a$|b$"], &input, &["c fail"]);
    check(&["--with", "space left$"], &input, &["net.a -", "net.a fail"]);
    check(&["--without", "^no space"], &input, &["disk.b fail", "c fail"]);
    check(&["--id", "a", "--with", "fail"], &input, &["net.a -", "net.a fail"]);
    check(&["--without", "^failure$"], &input, &[]);
    check(&["--with", "^log$"], &["a - =x", "a fail", "b fail"], &["a -", "a fail"]);
    check(&["--with", "^a$", "--without", "^x$"], &["a - =x", "a fail", "b fail"], &[]);
}

#[test]
fn a_line_is_found_across_packets() {
    let input = ["a - =x\nno sp", "b - =ace", "a - =ace", "a fail", "b fail"];
    check(&["-m^no space$"], &input, &["a -", "a -", "a fail"]);
}

#[test]
fn tags_are_those_of_the_whole_test() {
    let input = ["a inprogress", "a fail #slow #net", "b fail #slow", "c fail", "d inprogress"];
    check(&["--with-tag", "slow", "--with-tag", "net"], &input, &["a inprogress", "a fail", "d inprogress"]);
    check(&["--without-tag", "net"], &input, &["b fail", "c fail", "d inprogress"]);
}

#[test]
fn a_route_is_what_is_behind_it_too() {
    let input =
        ["a success @ci", "b success @ci/1", "c success @cinema", "d success", "- - @x =log", "- - @ci =log"];
    check(&["--route", "ci"], &input, &["a success", "b success", "- -"]);
}

#[test]
fn times_choose_tests_that_were_running() {
    let input =
        ["a inprogress 10", "b inprogress 15", "a success 20", "b success 30", "c success 40", "d success"];
    check(
        &["--since", "1970-01-01T00:00:25Z"],
        &input,
        &["b inprogress", "b success", "c success", "d success"],
    );
    check(&["--until", "1970-01-01T00:00:12Z"], &input, &["a inprogress", "a success", "d success"]);
    check(&["--min-duration", "11"], &input, &["b inprogress", "b success"]);
}

#[test]
fn renames_come_before_the_questions_and_fixups() {
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), "x.a # known\nx.b\n").unwrap();
    let list = list.path().to_str().unwrap();
    let input = ["t.a fail", "t.b success", "t.c fail"];
    let rename = ["--rename", "^t", "x"];
    check(&rename, &input, &["x.a fail", "x.c fail"]);
    let fixed = [&rename[..], &["--fixup-expected-failures", list, "--xfail"]].concat();
    check(&fixed, &input, &["x.a xfail", "x.b uxsuccess", "x.c fail"]);
    check(&[&rename[..], &["--with", "^x.a"]].concat(), &input, &["x.a fail"]);
}

#[test]
fn text_and_damage_stay_in_place() {
    let packets = stream(&["a success", "b fail", "- - =log"]);
    let input = [b"one\n", &*packets, b"two\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1c\nthree\n"].concat();
    let found = |args: &[&str]| events(&run_with::<Filter>(args, &input).output);
    let kept = ["one\\n", "b fail", "- -", "two\\n", "damage", "\\nthree\\n"];
    assert_eq!(found(&[]), kept);
    assert_eq!(found(&["--no-passthrough"]), ["b fail", "damage"]);
    assert_eq!(found(&["--no-passthrough", "--passthrough"]), kept);
}

#[test]
fn what_was_held_comes_before_half_a_packet_at_the_end() {
    let [open, half] = ["a inprogress", "b fail"].map(|line| packet(line).as_bytes().to_vec());
    let half = &half[..half.len() - 2];
    let found = |input: &[u8]| events(&run_with::<Filter>(&[], input).output);
    assert_eq!(found(&[&open, half].concat()), ["a inprogress", "damage"]);
    assert_eq!(found(&[half, &open].concat()), ["damage", "a inprogress"]);
}

#[test]
fn what_is_wrong_with_the_arguments_is_told_in_a_line() {
    let check = |args: &[&str], expected: &str| {
        let outcome = run_with::<Filter>(args, b"");
        assert_eq!(outcome.verdict, Verdict::Error);
        assert!(outcome.errors().lines().next().unwrap().contains(expected), "{}", outcome.errors());
    };
    check(&["--with", "a("], "invalid value 'a(' for '--with <REGEX>': unclosed group");
    check(&["--rename", "a(", "b"], "--rename \"a(\": unclosed group");
    check(&["--rename", "a", "\\1"], "--rename to \"\\\\1\": there is no group 1");
    check(&["--status", "passed"], "not one of exists, success");
    check(&["--fixup-expected-failures", "/no/list"], "cannot read the list /no/list");
}
