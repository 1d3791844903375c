//! Every law over the files of the corpus, and over what a few changes make of them: what the fuzzer does, for
//! a moment and on any toolchain.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use crate::dice::Dice;
use crate::{LAWS, Law, repair};

const ROUNDS: u64 = 300;
/// The longest input that is made.
const LONG: usize = 1500;

/// The files of a folder of the corpus, in order; none where there is no such folder.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let files = fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    files.sort();
    files
}

fn check(name: &str) {
    let law: Law = LAWS.into_iter().find(|law| law.0 == name).unwrap().1;
    let mut seeds = corpus("streams");
    assert!(!seeds.is_empty());
    seeds.append(&mut corpus(name));
    for (path, bytes) in &seeds {
        check_input(law, bytes, path);
    }
    for round in 0..ROUNDS {
        let mut dice = Dice::new(round);
        let mut bytes = noise(&mut dice);
        for _ in 0..dice.below(6) {
            splice(&mut bytes, &seeds[dice.below(seeds.len())].1, &mut dice);
        }
        bytes.truncate(LONG);
        if dice.below(4) != 0 {
            repair(&mut bytes, dice.roll() as u32);
        }
        check_input(law, &bytes, &format!("round {round}"));
    }
}

fn check_input(law: Law, bytes: &[u8], name: &str) {
    let held = catch_unwind(|| law(bytes)).is_ok();
    assert!(held, "{name} breaks the law: {}", bytes.escape_ascii());
}

fn noise(dice: &mut Dice) -> Vec<u8> {
    (0..dice.below(300)).map(|_| dice.roll() as u8).collect()
}

/// Puts a stretch of a stream somewhere, in place of some bytes.
fn splice(bytes: &mut Vec<u8>, stream: &[u8], dice: &mut Dice) {
    let from = dice.below(stream.len() + 1);
    let len = dice.below(stream.len() - from + 1).min(200);
    let at = dice.below(bytes.len() + 1);
    let end = (at + dice.below(8)).min(bytes.len());
    bytes.splice(at..end, stream[from..from + len].iter().copied());
}

#[test]
fn any_bytes_are_frames() {
    check("decode_raw");
}

#[test]
fn any_cut_gives_the_same_frames() {
    check("cuts");
}

#[test]
fn packets_with_right_checksums_keep_the_laws() {
    check("structured");
}

#[test]
fn what_is_written_is_read_back() {
    check("roundtrip");
}

#[test]
fn a_rerouted_packet_is_the_one_encoded_with_the_joined_route() {
    check("reroute");
}

#[test]
fn damage_costs_no_intact_packet() {
    check("recovery");
}

#[test]
fn no_bit_and_no_cut_turns_a_failure_into_text() {
    check("in_line");
}

#[test]
fn the_accountings_agree() {
    check("records");
}

#[test]
fn junit_xml_is_the_same_however_it_is_cut() {
    check("junit_read");
}

#[test]
fn rust_tests_are_read_however_they_are_cut() {
    check("libtest");
}

#[test]
fn tap_is_read_however_it_is_cut() {
    check("tap");
}

#[test]
fn any_lines_of_go_test_are_read() {
    check("gojson");
}

#[test]
fn version_1_is_read_however_it_is_cut() {
    check("v1");
}

#[test]
fn lines_of_json_are_read_or_refused_whole() {
    check("json");
}

#[test]
fn reports_of_any_stream_are_well_formed_and_tell_how_it_went() {
    check("reports");
}

#[test]
fn every_law_has_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut targets: Vec<_> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    targets.sort_unstable();
    // Of reports only smoke tests so far: libFuzzer has not run it for long.
    let mut laws: Vec<_> = LAWS.iter().map(|law| law.0).filter(|law| *law != "reports").collect();
    laws.sort_unstable();
    assert_eq!(targets, laws);
}
