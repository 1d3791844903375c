//! What real producers wrote: perl's Test::More 1.302190, node 20 and bats 1.8.

use std::path::Path;

use streamresult::{Records, record_fn};

use formats::lines;
use formats::tap::Parser;

use super::NOON;

fn read(name: &str) -> Vec<u8> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/tap");
    std::fs::read(corpus.join(name).with_extension("tap")).unwrap()
}

/// The tests of a recording, each as outcome, duration, id and the names of its files.
fn check(name: &str, expected: &[&str]) {
    let mut found = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        let files: Vec<&str> = record.attachments().map(|file| file.name()).collect();
        let took = record.duration().map(|took| format!(" {took:?}")).unwrap_or_default();
        let line = format!("{}{took}: {} {}", record.outcome(), record.test_id(), files.join(", "));
        found.push(line.trim_end().to_owned());
        Ok(())
    }));
    lines::drive(Parser::new().clock(|| NOON), &*read(name), &mut records).unwrap();
    drop(records);
    assert_eq!(found, expected, "{name}");
}

#[test]
fn perl_basic() {
    check(
        "perl-basic",
        &[
            "success: boots",
            "success: test 2",
            "fail: adds # up tap comment",
            "xfail: flies tap comment, reason",
            "uxsuccess: swims reason",
            "skip: test 6 reason",
            "skip: test 7 reason",
            "fail: deep structures tap comment",
            "success: caf\\xe9 \\ back",
        ],
    );
}

#[test]
fn perl_subtests() {
    check(
        "perl-subtests",
        &[
            "success: before",
            "success: parser/empty input",
            "success: parser/numbers/integers",
            "fail: parser/numbers/floats",
            "fail: parser/numbers/hex",
            "fail 0ns: parser/numbers",
            "success: parser/end",
            "fail 0ns: parser",
            "skip 0ns: skipped whole reason",
            "xfail: with / slash/x tap comment, reason",
            "skip: with / slash/test 2 reason",
            "success 0ns: with / slash",
            "success: parser #2/empty input",
            "success: parser #2/empty input #2",
            "success 0ns: parser #2",
        ],
    );
}

#[test]
fn perl_subtest_dies() {
    check(
        "perl-subtest-dies",
        &[
            "success: outer/a",
            "fail: outer/test 2 tap meta",
            "fail: outer/test 3 tap meta",
            "fail 0ns: outer",
            "fail: test 2 tap meta",
        ],
    );
}

#[test]
fn perl_bail_out() {
    check("perl-bail-out", &["success: first", "fail: second", "fail: Bail out! reason"]);
}

#[test]
fn perl_subtest_bail_out() {
    check("perl-subtest-bail-out", &["success: outer/a", "fail: Bail out! reason"]);
}

#[test]
fn perl_dies() {
    check("perl-dies", &["success: one", "success: two", "fail: tap document tap meta"]);
}

#[test]
fn perl_dies_planned() {
    check(
        "perl-dies-planned",
        &["success: one", "success: two", "fail: test 3 tap meta", "fail: test 4 tap meta"],
    );
}

#[test]
fn perl_skip_all() {
    check("perl-skip-all", &["skip: file skip reason"]);
}

#[test]
fn perl_too_many() {
    check("perl-too-many", &["success: a", "success: b", "success: c", "fail: tap document tap meta"]);
}

#[test]
fn node() {
    check(
        "node",
        &[
            "success 1.600026ms: adds",
            "fail 2.285174ms: fails # hard \\ here diagnostics.yaml",
            "skip 151.984µs: skipped reason",
            "skip 138.668µs: skipped without reason",
            "xfail 2.559894ms: planned diagnostics.yaml, reason",
            "uxsuccess 160.77µs: planned and passes",
            "success 205.614µs: suite/one",
            "success 21.303645ms: suite/two",
            "fail 337.169µs: suite/inner/three diagnostics.yaml",
            "fail 680.991µs: suite/inner diagnostics.yaml",
            "fail 22.774029ms: suite diagnostics.yaml",
            "success 275.324µs: with subtests/sub",
            "success 193.812µs: with subtests/sub #2",
            "success 1.105353ms: with subtests",
        ],
    );
}

#[test]
fn node_exits() {
    check("node-exits", &["fail 102.316054ms: /app/node_exit.test.mjs diagnostics.yaml"]);
}

#[test]
fn bats() {
    check(
        "bats",
        &[
            "success: addition",
            "fail: fails # with hash tap comment",
            "skip: skipped reason",
            "skip: skipped plain",
            "success: prints to fd 3",
            "fail: run fails tap comment",
        ],
    );
}

#[test]
fn bats_timing() {
    check(
        "bats-timing",
        &[
            "success 8ms: addition",
            "fail 5ms: fails # with hash tap comment",
            "skip 6ms: skipped reason",
            "skip 10ms: skipped plain",
            "success 7ms: prints to fd 3",
            "fail 7ms: run fails tap comment",
        ],
    );
}

#[test]
fn bats_tap13() {
    check(
        "bats-tap13",
        &[
            "success 5ms: addition",
            "fail 5ms: fails # with hash diagnostics.yaml",
            "skip 7ms: skipped reason",
            "skip 7ms: skipped plain diagnostics.yaml",
            "success 6ms: prints to fd 3",
            "fail 7ms: run fails diagnostics.yaml",
        ],
    );
}

#[test]
fn bats_setup_fails() {
    check("bats-setup-fails", &["fail: setup_file failed tap comment", "fail: test 2 tap meta"]);
}
