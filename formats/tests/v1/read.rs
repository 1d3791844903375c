//! What lines tell.

use subunit::{Event, PacketBuf, Status};

use crate::log;

fn check(stream: &[u8], expected: &[&str]) {
    for piece in [usize::MAX, 7, 2, 1] {
        assert_eq!(log(stream, piece), expected, "in pieces of {piece}");
    }
}

#[test]
fn tests_begin_and_end() {
    check(
        b"test: a b\nsuccess: a b\ntesting c\nfailure c\ntest: d\nerror: d\ntest e\nskip e\n\
          test: f\nxfail: f\ntest: g\nuxsuccess: g\n",
        &[
            "a b inprogress",
            "a b success",
            "c inprogress",
            "c fail",
            "d inprogress",
            "d fail",
            "e inprogress",
            "e skip",
            "f inprogress",
            "f xfail",
            "g inprogress",
            "g uxsuccess",
        ],
    );
}

#[test]
fn bracketed_details_are_a_file() {
    check(
        b"test: a\nfailure: a [\none\n ]two\n two\n]]\n]\ntest: b\nskip: b [\nno\n]\ntest: c\nsuccessful: c [\n]\n",
        &[
            "a inprogress",
            r"a traceback (text/x-traceback;charset=utf8): one\n]two\n two\n]]\n$",
            "a fail",
            "b inprogress",
            r"b reason (text/plain;charset=utf8): no\n$",
            "b skip",
            "c inprogress",
            "c message (text/plain;charset=utf8): $",
            "c success",
        ],
    );
}

#[test]
fn a_multipart_report_is_files() {
    check(
        b"test: a\nsuccess: a [ multipart\nContent-Type: text/plain;charset=utf8,x=y\nlog\n\
          3\r\n]\nb2\r\n\r\n0\r\nContent-Type: image/png\nan empty one\n0\r\n]\n",
        &[
            "a inprogress",
            r"a log (text/plain;charset=utf8;x=y): ]\nb\r\n$",
            "a an empty one (image/png): $",
            "a success",
        ],
    );
}

#[test]
fn tags_hold_for_the_run_or_for_a_test() {
    check(
        b"tags: a b\ntest: 1\ntags: c -a\nsuccess: 1\ntest: 2\nsuccess: 2\ntags: -a -b\ntest: 3\nskip: 3\n",
        &[
            "1 inprogress",
            "1 success [\"b\", \"c\"]",
            "2 inprogress",
            "2 success [\"a\", \"b\"]",
            "3 inprogress",
            "3 skip",
        ],
    );
}

#[test]
fn times_are_as_given_and_never_invented() {
    check(
        b"test: a\ntime: 1970-01-01 00:00:01.5Z\nfailure: a [\nx\n]\ntest: b\ntime: later\nsuccess: b\n",
        &[
            "a inprogress",
            r"a traceback @1.5 (text/x-traceback;charset=utf8): x\n$",
            "a fail @1.5",
            "b inprogress @1.5",
            r"- stdout: time: later\n",
            "b success @1.5",
        ],
    );
}

#[test]
fn what_says_nothing_is_text_in_its_place() {
    check(
        b"one\n test: x\nerror: no rule\nprogress: 3\nprogress: soon\ntest: a\nsuccess: b\nprogress: 50\n\
          success: a\nend",
        &[
            r"- stdout: one\n test: x\nerror: no rule\nprogress: soon\n",
            "a inprogress",
            r"- stdout: success: b\nprogress: 50\n",
            "a success",
            "- stdout: end",
        ],
    );
}

#[test]
fn a_failure_whose_test_never_began_is_one() {
    check(
        b"failure: a\ntags: x\nfailure: b c [\nno\n]\nerror: m.T.d [ multipart\nContent-Type: text/plain\nlog\n2\r\nhi0\r\n]\n\
          uxsuccess: e\nfailure to connect\nerror: no rule\nskip: f\nsuccess: g\ntest: h\nfailure: i\nsuccess: h\n",
        &[
            "a fail",
            r"b c traceback (text/x-traceback;charset=utf8): no\n$",
            "b c fail [\"x\"]",
            "m.T.d log (text/plain): hi$",
            "m.T.d fail [\"x\"]",
            "e uxsuccess [\"x\"]",
            r"- stdout: failure to connect\nerror: no rule\nskip: f\nsuccess: g\n",
            "h inprogress",
            r"- stdout: failure: i\n",
            "h success [\"x\"]",
        ],
    );
}

#[test]
fn a_failure_on_a_line_that_is_too_long_is_one() {
    let long = "x".repeat((8 << 20) + 5);
    let tests = |input: String| -> Vec<String> {
        log(input.as_bytes(), 1 << 20).into_iter().filter(|line| line.ends_with(" fail")).collect()
    };
    assert_eq!(tests(format!("failure: {long}\n"))[0].len(), (1 << 20) + "… fail".len());
    assert_eq!(tests(format!("test: a\nfailure: {long}\nsuccess: a\n")).len(), 1);
    assert_eq!(tests(format!("test: {}\nfailure: {}\n", &long[..2 << 20], &long[..2 << 20])).len(), 1);
    assert!(tests(format!("test: {long}\nsuccess: {long}\n")).is_empty());
}

#[test]
fn utf_16_is_read() {
    let text = "test: grün\nfailure: grün\n";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut outcomes = streamresult::Summary::new();
    formats::v1::drive(&*[b"\xfe\xff", &*bytes].concat(), &mut outcomes).unwrap();
    assert_eq!((outcomes.total(), outcomes.count(streamresult::Outcome::Fail)), (1, 1));
}

#[test]
fn the_last_line_needs_no_end_and_lines_may_end_in_cr_lf() {
    check(b"test: a\nsuccess: a", &["a inprogress", "a success"]);
    let details = "a traceback (text/x-traceback;charset=utf8): x\\r\\n$";
    check(b"test: a\r\nfailure: a [\r\nx\r\n]\r\n", &["a inprogress", details, "a fail"]);
    let other = "a traceback (text/x-traceback;charset=utf8): ]\\r\\n$";
    check(b"test: a\nfailure: a [\n]\r\n]\n", &["a inprogress", other, "a fail"]);
}

#[test]
fn a_test_that_never_ends_has_failed() {
    let traceback = |of: &str| {
        format!("a traceback (text/x-traceback;charset=utf8): lost connection during {of}test \\'a\\'\\n$")
    };
    check(b"test: a\n", &["a inprogress", &traceback(""), "a fail"]);
    let report = "test: a\nsuccess: a [ multipart\n";
    check(report.as_bytes(), &["a inprogress", &traceback("success report of "), "a fail"]);
    let log = "a log (text/plain): abc$";
    let cut = format!("{report}Content-Type: text/plain\nlog\n10\r\nabc");
    check(cut.as_bytes(), &["a inprogress", log, &traceback("success report of "), "a fail"]);
    let next = format!("{report}Content-Type: text/plain\nlog\n3\r\nabctest: b\nskip: b\n");
    check(
        next.as_bytes(),
        &["a inprogress", log, &traceback("success report of "), "a fail", "b inprogress", "b skip"],
    );
}

#[test]
fn a_cut_traceback_is_followed_by_another_file() {
    let expected = [
        "a inprogress",
        r"a traceback (text/x-traceback;charset=utf8): li$",
        r"a interrupted (text/x-traceback;charset=utf8): lost connection during failure report of test \'a\'\n$",
        "a fail",
    ];
    check(b"test: a\nfailure: a [\nli", &expected);
}

#[test]
fn a_test_within_a_test_is_reported_once_its_outcome_comes() {
    let lost = r"a traceback (text/x-traceback;charset=utf8): lost connection during test \'a\'\n$";
    check(
        b"test: a\ntesting the water\nsuccess: a\n",
        &["a inprogress", r"- stdout: testing the water\n", "a success"],
    );
    check(
        b"test: a\ntest: b\nfailure: b [\nx\n]\ntest: c\nsuccess: c\n",
        &[
            "a inprogress",
            r"- stdout: test: b\n",
            "b inprogress",
            r"b traceback (text/x-traceback;charset=utf8): x\n$",
            "b fail",
            r"- stdout: test: c\n",
            "c inprogress",
            "c success",
            lost,
            "a fail",
        ],
    );
}

#[test]
fn a_malformed_report_is_damage_and_costs_no_later_test() {
    let bytes = r"subunit.parser Packet data (application/octet-stream): what?\n$";
    let told = log(b"test: a\nfailure: a [ multipart\nwhat?\n]\ntest: b\nsuccess: b\n", 5);
    assert_eq!(told[..2], ["a inprogress", bytes]);
    assert!(told[2].contains("damaged report at offset 31 of the stream"), "{}", told[2]);
    assert_eq!(told[3..], ["subunit.parser fail", "a fail", "b inprogress", "b success"]);
}

#[test]
fn a_malformed_chunk_ends_its_part() {
    let told = log(b"test: a\nskip: a [ multipart\nContent-Type: a/b\nlog\n2\r\nxyz\n]\n", usize::MAX);
    assert_eq!(told[1], "a log (a/b): xy$");
    assert!(
        told[2].ends_with(r": z\n$") && told[4] == "subunit.parser fail" && told[5] == "a skip",
        "{told:?}"
    );
}

#[test]
fn labels_that_are_not_utf8_are_shown() {
    check(b"test: caf\xe9\nsuccess: caf\xe9\n", &[r"caf\xe9 inprogress", r"caf\xe9 success"]);
}

#[test]
fn packets_of_version_2_are_passed_on_where_a_line_may_begin() {
    let packet = PacketBuf::encode(&Event::status("v2", Status::Fail)).unwrap();
    let stream = [b"test: a\n", packet.as_bytes(), packet.as_bytes(), b"success: a\n\xb3 text\n"].concat();
    let told_of = log(&stream, usize::MAX);
    assert_eq!(told_of[..4], ["a inprogress", "v2 fail", "v2 fail", "a success"]);
    let latin = b"\xb3 is a cube\n";
    check(latin, &[r"- stdout: \xb3 is a cube\n"]);
}

#[test]
fn a_line_without_end_is_text() {
    let line = vec![b'x'; 9 << 20];
    let stream = [b"test: ", &line[..], b"\ntest: a\nskip: a\n"].concat();
    let told = log(&stream, 100_000);
    assert_eq!(told[0].len(), "- stdout: test: \\n".len() + line.len());
    assert_eq!(told[1..], ["a inprogress", "a skip"]);
}
