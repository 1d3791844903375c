//! What each kind of value takes and refuses, and that nothing is lost between the two.

use std::time::Duration;

use proptest::prelude::*;
use subunit::Timestamp;

use super::time::time_from;
use super::*;

/// How long each unit is, in nanoseconds, by all its names.
const UNITS: [(&str, u64); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

fn at(seconds: u32, nanoseconds: u32) -> Timestamp {
    Timestamp::new(seconds, nanoseconds).unwrap()
}

fn check_duration(text: &str, nanoseconds: Option<u64>) {
    assert_eq!(duration(text).ok(), nanoseconds.map(Duration::from_nanos), "{text}");
}

#[test]
fn durations_are_read_to_the_nanosecond() {
    const SECOND: u64 = 1_000_000_000;
    check_duration("0", Some(0));
    check_duration("0s", Some(0));
    check_duration("5", Some(5 * SECOND));
    check_duration("+5s", Some(5 * SECOND));
    check_duration("1.5s", Some(3 * SECOND / 2));
    check_duration("0.000000001", Some(1));
    check_duration(".5ms", Some(500_000));
    check_duration("5.", Some(5 * SECOND));
    check_duration("850 µs", Some(850_000));
    check_duration("1e3", Some(1_000 * SECOND));
    check_duration("1E-3", Some(1_000_000));
    check_duration("90m", Some(5_400 * SECOND));
    check_duration("2min", Some(120 * SECOND));
    check_duration("1h30m", Some(5_400 * SECOND));
    check_duration("1.5h", Some(5_400 * SECOND));
    check_duration("2d 12h", Some(216_000 * SECOND));
    check_duration("1m02s", Some(62 * SECOND));
    check_duration("0.1234567890123456789012", Some(123_456_789));
    for wrong in ["", ".", "s", "1x", "1.2.3", "1h30", "1 s s", "1 2", "-5s", "1e400", "NaN", "inf", "e3"] {
        check_duration(wrong, None);
    }
    check_duration("99999999999999999999", None);
}

#[test]
fn what_may_take_time_takes_some() {
    let check = |text, expected: Option<u64>| {
        assert_eq!(positive_duration(text).ok(), expected.map(Duration::from_secs), "{text}");
    };
    check("5m", Some(300));
    check("1000000000", Some(1_000_000_000));
    for wrong in ["0", "0ns", "-1s", "1000000001", "1e30"] {
        check(wrong, None);
    }
}

#[test]
fn sizes_are_of_1000_or_of_1024() {
    let check = |text, expected: Option<u64>| assert_eq!(size(text).ok(), expected, "{text}");
    check("0", Some(0));
    check("5", Some(5));
    check("5B", Some(5));
    check("10 kB", Some(10_000));
    check("1.5GB", Some(1_500_000_000));
    check("500M", Some(500_000_000));
    check("1.5MiB", Some(1_572_864));
    check("2TiB", Some(2 << 40));
    check("1e6", Some(1_000_000));
    check("1.5", Some(1));
    for wrong in ["", "M", "10mb", "10KB", "1q", "1 2", "1GB500MB", "-1", "nan", "inf", "1e30", "99999999T"] {
        check(wrong, None);
    }
    assert!(positive_size("0").is_err() && positive_size("1001TB").is_err());
}

#[test]
fn thresholds_may_be_below_zero() {
    let check = |text, expected: Option<f64>| assert_eq!(seconds(text).ok(), expected, "{text}");
    check("100ms", Some(0.1));
    check("1min", Some(60.0));
    check("1h30m", Some(5400.0));
    check("-0.25", Some(-0.25));
    check("1e-12", Some(1e-12));
    check("0.5ns", Some(5e-10));
    for wrong in ["", "-", "1MB", "inf", "nan", "1e400"] {
        check(wrong, None);
    }
    assert_eq!((bytes("2kB"), bytes("0.5KiB")), (Ok(2000.0), Ok(512.0)));
}

#[test]
fn a_time_is_of_the_calendar_or_told_from_now() {
    let now = at(1_700_000_000, 0);
    let check = |text, expected| assert_eq!(time_from(text, now).ok(), expected, "{text}");
    check("now", Some(now));
    check("2023-11-14T22:13:20Z", Some(now));
    check("2023-11-14T23:13:20.5+01:00", Some(at(1_700_000_000, 500_000_000)));
    check("2023-11-14T22:13:20", Some(now));
    check("2023-11-14 22:13", Some(at(1_699_999_980, 0)));
    check("2023-11-14", Some(at(1_699_920_000, 0)));
    check("@1700000000", Some(now));
    check("@0.000000001", Some(at(0, 1)));
    check("10m", Some(at(1_699_999_400, 0)));
    check("-10m", Some(at(1_699_999_400, 0)));
    check("10m ago", Some(at(1_699_999_400, 0)));
    check("1h30m ago", Some(at(1_699_994_600, 0)));
    check("+1", Some(at(1_700_000_001, 0)));
    check("7", Some(at(1_699_999_993, 0)));
    for wrong in ["", "yesterday", "ago", "@", "@now", "@-1", "@4294967296", "2023-13-01", "--1s", "60y"] {
        check(wrong, None);
    }
    check("1969-12-31T23:59:59Z", None);
    check("100000d", None);
}

#[test]
fn an_offset_moves_a_time_both_ways() {
    assert_eq!(offset("-5s").unwrap().of(at(7, 1)), Some(at(2, 1)));
    assert_eq!(offset("+0.5s").unwrap().of(at(7, 600_000_000)), Some(at(8, 100_000_000)));
    assert_eq!(offset("-8s").unwrap().of(at(7, 0)), None);
    for (from, to) in [(at(1, 5), at(9, 2)), (at(9, 2), at(1, 5)), (at(3, 3), at(3, 3))] {
        assert_eq!(Offset::between(from, to).of(from), Some(to));
    }
}

fn check_file(text: &str, expected: Option<(Option<&str>, &str)>) {
    let found = NamedFile::parse(text.as_ref()).ok();
    let expected =
        expected.map(|(name, path)| NamedFile { name: name.map(str::to_owned), path: path.into() });
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_file_may_have_a_name() {
    check_file("run.subunit", Some((None, "run.subunit")));
    check_file("-", Some((None, "-")));
    check_file("remote=-", Some((Some("remote"), "-")));
    check_file("x86=/tmp/a=b", Some((Some("x86"), "/tmp/a=b")));
    for wrong in ["=file", "a/b=file", "/tmp/a=b", "name=", ""] {
        check_file(wrong, None);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a=b");
    std::fs::write(&path, "").unwrap();
    check_file(path.to_str().unwrap(), Some((None, path.to_str().unwrap())));
}

fn check_command(text: &str, expected: Option<(Option<&str>, &str)>) {
    let expected = expected
        .map(|(name, command)| NamedCommand { name: name.map(str::to_owned), command: command.to_owned() });
    assert_eq!(text.parse::<NamedCommand>().ok(), expected, "{text}");
}

#[test]
fn a_command_may_have_a_name_and_keeps_its_own_equals_signs() {
    check_command("./run", Some((None, "./run")));
    check_command("w1=./run --jobs=2", Some((Some("w1"), "./run --jobs=2")));
    check_command("./run --jobs=2", Some((None, "./run --jobs=2")));
    check_command("'a=b' c", Some((None, "'a=b' c")));
    for wrong in ["=./run", "a/b=./run", "name=", "name= ", ""] {
        check_command(wrong, None);
    }
}

#[test]
fn unnamed_sources_go_by_ordinals_and_doubled_names_are_numbered() {
    let check = |wanted: &[Option<&str>], expected: &[&str]| {
        let mut names = RouteNames::default();
        let given: Vec<_> = wanted.iter().map(|name| names.give(name.map(str::to_owned))).collect();
        assert_eq!(given, expected);
    };
    check(&[None, None, Some("a"), None], &["0", "1", "a", "3"]);
    check(&[Some("a"), Some("a"), Some("a")], &["a", "a-2", "a-3"]);
    check(&[Some("1"), None, Some("1-2")], &["1", "1-2", "1-2-2"]);
}

#[test]
fn an_error_says_what_was_given_what_is_wrong_and_what_to_write() {
    let check = |error: ValueError, expected: &str| assert_eq!(error.to_string(), expected);
    let durations = "use a number with a unit such as 500ms, 10s, 1h30m or 2d";
    check(duration("10x").unwrap_err(), &format!("\"10x\" is not a duration: {durations}"));
    check(duration("-1s").unwrap_err(), &format!("\"-1s\" is below zero: {durations}"));
    check(positive_duration("0").unwrap_err(), &format!("\"0\" is not above zero: {durations}"));
    check(duration("9e99").unwrap_err(), &format!("\"9e99\" is too long: {durations}"));
    let times = "use 2026-01-31T12:00:00Z, 2026-01-31, @1769860800, 10m or '2d ago'";
    check(time("noon\n").unwrap_err(), &format!("\"noon\\n\" is not a time: {times}"));
    check(time("1960-01-01").unwrap_err(), &format!("\"1960-01-01\" is before 1970 or after 2106: {times}"));
    check(
        NamedFile::parse("a/b=c".as_ref()).unwrap_err(),
        "\"a/b=c\" has a / in its name, which separates the elements of a route: use FILE or NAME=FILE",
    );
}

/// A number of units, and its text.
fn part() -> impl Strategy<Value = (String, u64)> {
    (0..1_000_u64, prop::sample::select(&UNITS[..]))
        .prop_map(|(number, (unit, nanoseconds))| (format!("{number}{unit}"), number * nanoseconds))
}

proptest! {
    #[test]
    fn every_spelling_is_its_sum(parts in prop::collection::vec(part(), 1..5)) {
        let text: String = parts.iter().map(|(text, _)| text.as_str()).collect();
        let sum = parts.iter().map(|(_, nanoseconds)| nanoseconds).sum();
        prop_assert_eq!(duration(&text), Ok(Duration::from_nanos(sum)));
        let found = seconds(&text).unwrap();
        prop_assert!((found - sum as f64 / 1e9).abs() <= found * 1e-12);
    }

    #[test]
    fn what_is_printed_is_read_again(nanoseconds: u64, bytes: u64, second: u32) {
        let length = Duration::from_nanos(nanoseconds);
        prop_assert_eq!(duration(&format!("{}.{:09}", length.as_secs(), length.subsec_nanos())), Ok(length));
        prop_assert_eq!(duration(&format!("{nanoseconds}ns")), Ok(length));
        prop_assert_eq!(duration(&format!("{length:?}")), Ok(length));
        prop_assert_eq!(size(&format!("{bytes}B")), Ok(bytes));
        prop_assert_eq!(time(&format!("@{second}")), Ok(at(second, 0)));
    }

    #[test]
    fn nothing_panics(text: String, near in "[-+@]?[0-9.eE]{0,30}[a-zµ :T=/-]{0,6}[0-9.]{0,25}( ago|Z)?") {
        for text in [text, near] {
            let _ = (duration(&text), positive_duration(&text), seconds(&text), offset(&text));
            let _ = (size(&text), positive_size(&text), bytes(&text), time(&text));
            let _ = (NamedFile::parse(text.as_ref()), text.parse::<NamedCommand>());
        }
    }
}
