//! Recorded streams of the reference implementation through `subunit-mux` and `subunit2junitxml`: whole, cut off
//! and damaged, every packet is accounted for.

use filters::junitxml::JunitXml;
use filters::mux::Mux;
use streamresult::{DAMAGE_ID, Outcome, StreamResult, Summary};
use subunit::io::Reader;
use subunit::{Event, Frame, PacketBuf};

const PARALLEL: &[u8] = include_bytes!("../corpus/real_parallel.subunit");
const TESTTOOLS: &[u8] = include_bytes!("../corpus/real_testtools.subunit");

/// The packets of a stream, and how many stretches of it are damaged.
fn take_apart(stream: &[u8]) -> (Vec<PacketBuf>, u64) {
    let mut reader = Reader::new(stream);
    let (mut packets, mut damaged) = (Vec::new(), 0);
    while let Some(frame) = reader.next_frame().unwrap() {
        match frame {
            Frame::Packet(packet) => packets.push(packet.to_owned()),
            Frame::Corrupt(..) => damaged += 1,
            Frame::Text(_) => {}
        }
    }
    (packets, damaged)
}

/// The four counts in the head of the JUnit XML: tests, failures, errors, skipped.
fn counts(report: &str) -> [u64; 4] {
    let head = report.split("<testsuites ").nth(1).unwrap().split('>').next().unwrap();
    ["tests", "failures", "errors", "skipped"].map(|name| {
        let value = head.split(&format!("{name}=\"")).nth(1).unwrap();
        value.split('"').next().unwrap().parse().unwrap()
    })
}

/// The counts that these packets and this much damage come to.
fn expected_counts(packets: &[PacketBuf], damaged: u64) -> [u64; 4] {
    let mut summary = Summary::new();
    for packet in packets {
        summary.status(&packet.event()).unwrap();
    }
    summary.stop_run().unwrap();
    let count = |outcome| summary.count(outcome);
    [
        summary.total() + damaged,
        count(Outcome::Fail) + count(Outcome::UxSuccess),
        count(Outcome::Unfinished) + damaged,
        count(Outcome::Skip) + count(Outcome::XFail),
    ]
}

/// Whether an event stands for what was no packet: damage, or text.
fn is_added(event: &Event<'_>) -> bool {
    event.test_id == Some(DAMAGE_ID) || event.file.is_some_and(|file| file.name == "stdout")
}

/// Sends a stream through the pipe; it holds these packets and this much damage.
fn check(stream: &[u8], packets: &[PacketBuf], damaged: u64) {
    let joined = cli::run_with::<Mux>(&["--no-stamp"], stream).output;
    let (passed, left) = take_apart(&joined);
    assert_eq!(left, 0, "what comes out of the mux is whole");
    let (added, came): (Vec<_>, Vec<_>) = passed.into_iter().partition(|packet| is_added(&packet.event()));
    assert!(came == packets, "every packet comes out as it was, in order");
    let of_damage = added.iter().filter(|packet| packet.event().test_id == Some(DAMAGE_ID)).count() as u64;
    assert_eq!(of_damage, 2 * damaged, "damage is two events");
    let report = cli::run_with::<JunitXml>(&[], &joined);
    assert_eq!(counts(report.output()), expected_counts(packets, damaged));
}

#[test]
fn a_recorded_stream_is_accounted_for() {
    for (stream, expected) in [(PARALLEL, 31), (TESTTOOLS, 2980)] {
        let (packets, damaged) = take_apart(stream);
        assert_eq!((packets.len(), damaged), (expected, 0), "what python-subunit reads there");
        check(stream, &packets, 0);
    }
}

fn check_cut(stream: &[u8], step: usize) {
    let (packets, _) = take_apart(stream);
    for end in (0..stream.len()).step_by(step) {
        let mut whole = 0;
        let before = packets.iter().take_while(|packet| {
            let fits = whole + packet.as_bytes().len() <= end;
            whole += if fits { packet.as_bytes().len() } else { 0 };
            fits
        });
        let before = before.count();
        check(&stream[..end], &packets[..before], u64::from(whole < end));
    }
}

#[test]
fn a_stream_cut_off_anywhere_counts_what_came_and_the_torn_packet() {
    check_cut(PARALLEL, 1);
    check_cut(TESTTOOLS, 9973);
}

fn check_damaged(stream: &[u8], step: usize) {
    let (packets, _) = take_apart(stream);
    let mut end = 0;
    let ends: Vec<usize> = packets
        .iter()
        .map(|packet| {
            end += packet.as_bytes().len();
            end
        })
        .collect();
    for at in (0..stream.len()).step_by(step) {
        let mut damaged = stream.to_vec();
        damaged[at] ^= 0xFF;
        let hit = ends.partition_point(|end| *end <= at);
        let mut others = packets.clone();
        let lost = others.remove(hit);
        let (found, corrupt) = take_apart(&damaged);
        assert!(found == others, "all but {lost:?} are found with byte {at} damaged");
        check(&damaged, &others, corrupt);
    }
}

#[test]
fn a_damaged_byte_costs_the_packet_that_it_is_in() {
    check_damaged(PARALLEL, 1);
    check_damaged(TESTTOOLS, 9973);
}
