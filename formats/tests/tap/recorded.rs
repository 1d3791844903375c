//! What real producers wrote: perl's Test::More 1.302190, Test2::Suite 0.000145 and prove 3.44, node 20, bats 1.8,
//! vitest 4, mocha 12, testem 3, Criterion 2.4; and KTAP as the documentation of Linux has it.

use std::path::Path;

use streamresult::{Records, record_fn};

use formats::lines;
use formats::tap::TapParser;

use super::NOON;

fn read(name: &str) -> Vec<u8> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/tap");
    let file = if name.contains('.') { name.to_owned() } else { format!("{name}.tap") };
    std::fs::read(corpus.join(file)).unwrap()
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
    lines::drive(TapParser::new().clock(|| NOON), &*read(name), &mut records).unwrap();
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
            "success: swims reason",
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
            "success 160.77µs: planned and passes",
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

#[test]
fn prove() {
    check(
        "prove.txt",
        &[
            "success: t/a.t/boots",
            "success: t/a.t/halts",
            "success: t/b.t/reads",
            "success: t/b.t/boots",
            "success: t/c.t/boots",
            "fail: t/c.t/halts tap comment",
            "xfail: t/c.t/todo one tap comment, reason",
            "skip: t/d.t reason",
            "success: t/e.t/test 1",
            "success: t/e.t/test 2",
            "fail: t/e.t reason",
            "success: t/f.t/x",
            "fail: t/f.t/test 2 tap meta",
            "fail: t/f.t/test 3 tap meta",
            "success: t/g.t/test 1",
            "success: t/g.t/test 2",
            "success: t/h.t/inner/i1",
            "success: t/h.t/inner/i2 reason",
            "success 0ns: t/h.t/inner",
            "skip: t/h.t/test 2 reason",
            "fail: t/i.t reason",
        ],
    );
}

#[test]
fn prove_of_a_green_run_with_times() {
    check(
        "prove-green-timer.txt",
        &[
            "success: g/a.t/boots",
            "success: g/a.t/halts",
            "success: g/b.t/reads",
            "success: g/b.t/boots",
            "skip: g/d.t reason",
            "success: g/g.t/test 1",
            "success: g/g.t/test 2",
            "success: g/h.t/inner/i1",
            "success: g/h.t/inner/i2 reason",
            "success 0ns: g/h.t/inner",
            "skip: g/h.t/test 2 reason",
        ],
    );
}

#[test]
fn prove_without_tests() {
    check(
        "prove-quiet.txt",
        &["success: g/a.t", "success: g/b.t", "skip: g/d.t reason", "success: g/g.t", "success: g/h.t"],
    );
}

#[test]
fn perl_test2() {
    check(
        "perl-test2",
        &[
            "success: one/a",
            "success: one/deep/b",
            "success 0ns: one/deep",
            "success 0ns: one",
            "success: two/c",
            "fail: two/deeper/d tap comment",
            "success: two/deeper/parses {",
            "fail: two/deeper tap comment",
            "fail: two tap comment",
            "xfail: three/e tap comment",
            "success 0ns: three reason",
            "success: f reason",
            "success: ends in {",
        ],
    );
}

#[test]
fn perl_test2_todo() {
    check(
        "perl-test2-todo",
        &[
            "xfail: three/e tap comment",
            "success: three reason",
            "xfail: four/e tap comment",
            "xfail: four/deep/x tap comment",
            "success: four/deep",
            "success 0ns: four reason",
            "success: test 3",
        ],
    );
}

#[test]
fn vitest() {
    check(
        "vitest",
        &[
            "success 2.06ms: v.test.mjs/grp/one",
            "fail 10.04ms: v.test.mjs/grp/two diagnostics.yaml",
            "skip: v.test.mjs/grp/three",
            "success: v.test.mjs/grp/four",
            "fail 13.11ms: v.test.mjs/grp",
            "success 310µs: v.test.mjs/top {",
            "fail 15.86ms: v.test.mjs",
        ],
    );
}

#[test]
fn mocha() {
    check("mocha", &["success: g works", "fail: g fails", "skip: g s", "skip: g p"]);
}

#[test]
fn testem() {
    check(
        "testem",
        &[
            "success 12ms: Chrome 120.0 - m: boots",
            "fail 7ms: Chrome 120.0 - m: halts diagnostics.yaml",
            "skip 0ns: Chrome 120.0 - m: later",
            "xfail 1ms: Chrome 120.0 - m: to do",
        ],
    );
}

#[test]
fn criterion() {
    check(
        "criterion",
        &[
            "success 20ms: simple::passes",
            "fail 0ns: simple::fails what it is tap comment, diagnostics.yaml",
            "fail: other::crashes unexpected signal after c.c:6",
            "skip: other::skipped reason",
        ],
    );
}

#[test]
fn ktap() {
    check(
        "ktap",
        &[
            "success: example/probe",
            "success: example/params/one",
            "xfail: example/params/two reason",
            "success 0ns: example/params",
            "success 0ns: example",
            "skip: net: link reason",
            "fail: net: flood reason",
        ],
    );
}
