//! Streams to measure with, the same bytes on every machine.
//!
//! The comparison with other implementations (`benches/peers`) reads this file too.

use subunit::{Event, File, MAX_PACKET, Status, TEXT_TYPE, Tags, Timestamp, encode};

/// Numbers that look random and are always the same (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Numbers(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// An id of about `len` bytes.
pub(crate) fn test_id(index: usize, len: usize) -> String {
    const PARTS: [&str; 8] =
        ["storage", "network", "scheduler", "migration", "volumes", "api", "compute", "images"];
    let mut id = String::from("project.tests");
    while id.len() + 18 < len {
        id.push('.');
        id.push_str(PARTS[(index / 7 + id.len()) % PARTS.len()]);
    }
    format!("{id}.test_case_{index:07}")
}

/// Appends the packet of an event.
pub(crate) fn put(event: &Event<'_>, out: &mut Vec<u8>) {
    encode(event, out).expect("the events of the corpus can be written");
}

/// How this test of a typical run ends: two in a hundred fail.
fn outcome(test: usize) -> Status {
    match test % 50 {
        0 => Status::Fail,
        1..=3 => Status::Skip,
        4 => Status::XFail,
        _ => Status::Success,
    }
}

/// A status packet: id, time, a tag, and every other test a route. 98 bytes on average.
pub(crate) fn status_event<'a>(index: usize, id: &'a str, tags: &'a [&'a str]) -> Event<'a> {
    let status = if index % 2 == 0 { Status::InProgress } else { outcome(index / 2) };
    let timestamp = Timestamp::new(1_700_000_000 + (index / 1000) as u32, (index % 1000) as u32 * 999_983);
    Event {
        tags: Tags::from(tags),
        route_code: (index % 4 < 2).then_some("rack/3"),
        timestamp,
        ..Event::status(id, status)
    }
}

fn put_status(index: usize, out: &mut Vec<u8>) {
    put(&status_event(index, &test_id(index / 2, 63), &["worker-1"]), out);
}

/// Status packets, two a test.
pub(crate) fn small(packets: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(packets * 100);
    (0..packets).for_each(|index| put_status(index, &mut out));
    out
}

/// A run of the usual shape, and how many packets it has: every test is announced, then begun and ended, and two
/// in twenty-five say why they did not pass. 89 bytes a packet.
pub(crate) fn run(tests: usize) -> (Vec<u8>, usize) {
    let mut out = Vec::with_capacity(tests * 280);
    let id = |test| test_id(test, 63);
    (0..tests).for_each(|test| put(&Event::status(&id(test), Status::Exists), &mut out));
    let mut packets = 3 * tests;
    for test in 0..tests {
        let id = id(test);
        let event = |index| Event { route_code: None, ..status_event(index, &id, &["worker-1"]) };
        put(&event(2 * test), &mut out);
        let end = event(2 * test + 1);
        let (name, text): (_, &[u8]) = match end.status {
            Some(Status::Fail) => {
                ("traceback", b"Traceback (most recent call last):\nAssertionError: 1 != 2\n")
            }
            Some(Status::Skip) => ("reason", b"not supported here"),
            _ => ("", b""),
        };
        if !text.is_empty() {
            let (file, mime_type) = (Some(File { name, bytes: text }), Some(TEXT_TYPE));
            put(&Event { status: None, file, mime_type, eof: true, ..end }, &mut out);
            packets += 1;
        }
        put(&end, &mut out);
    }
    (out, packets)
}

/// The list of a large suite: `exists` packets of 111 bytes.
pub(crate) fn enumeration(packets: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(packets * 112);
    for index in 0..packets {
        put(&Event::status(&test_id(index, 96), Status::Exists), &mut out);
    }
    out
}

/// Pieces of attachments, 64 KiB to 1 MiB each, until there are `total` bytes.
pub(crate) fn attachments(total: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(3);
    let noise: Vec<u8> = (0..1 << 20).map(|_| numbers.next() as u8).collect();
    let mut out = Vec::with_capacity(total + (1 << 20));
    let mut index = 0;
    while out.len() < total {
        let len = (64 << 10) + numbers.below((1 << 20) - (64 << 10));
        let id = test_id(index / 8, 63);
        let bytes = noise.get(..len).unwrap_or(&noise);
        put(
            &Event {
                test_id: Some(&id),
                file: Some(File { name: "console.log", bytes }),
                mime_type: Some("application/octet-stream"),
                eof: index % 8 == 7,
                ..status_event(index, &id, &[])
            },
            &mut out,
        );
        index += 1;
    }
    out
}

/// Status packets with lines of text between them, 30 % of all bytes.
fn with_text(packets: usize, line: impl Fn(usize) -> String) -> Vec<u8> {
    let mut out = Vec::with_capacity(packets * 145);
    for index in 0..packets {
        put_status(index, &mut out);
        if index % 2 == 1 {
            out.extend_from_slice(line(index).as_bytes());
        }
    }
    out
}

/// Packets between lines of ASCII.
pub(crate) fn ascii_text(packets: usize) -> Vec<u8> {
    with_text(packets, |index| {
        format!("2026-11-21 10:00:00.123 DEBUG storage.pool [req-{index:08}] attached volume to instance\n")
    })
}

/// Packets between lines full of characters that have the byte `B3` in them.
pub(crate) fn signature_text(packets: usize) -> Vec<u8> {
    with_text(packets, |index| {
        format!("{index:06} la migración pasó: ó₳ó₳ó 😳 conexión número ₳₳ción, ó ³ óóó; ó)₳) sección\n")
    })
}

/// Status packets of which one in a hundred is damaged, and how many are not.
pub(crate) fn damaged(packets: usize) -> (Vec<u8>, usize) {
    let mut numbers = Numbers::new(5);
    let (mut out, mut intact) = (Vec::with_capacity(packets * 100), 0);
    for index in 0..packets {
        let start = out.len();
        put_status(index, &mut out);
        if numbers.below(100) == 0 {
            damage(&mut out, start, &mut numbers);
        } else {
            intact += 1;
        }
    }
    (out, intact)
}

/// Damages the last packet, which begins at `start`: a byte changed, the end cut off, or text written into it.
fn damage(out: &mut Vec<u8>, start: usize, numbers: &mut Numbers) {
    let at = start + numbers.below(out.len() - start);
    match numbers.below(3) {
        0 => {
            if let Some(byte) = out.get_mut(at) {
                *byte ^= 1 + numbers.below(255) as u8;
            }
        }
        1 => out.truncate(at),
        _ => drop(out.splice(at..at, *b"Segmentation fault")),
    }
}

/// Streams made to be slow, each of about `total` bytes, and how many intact packets each holds at least.
pub(crate) fn hostile(total: usize) -> Vec<(&'static str, Vec<u8>, usize)> {
    vec![
        ("signatures", vec![0xB3; total], 0),
        ("nested_files", nested_files(total), 1),
        ("nested_ids", repeated(&NESTED_ID, total), 1),
        ("nested_tags", repeated(&NESTED_TAGS, total), 1),
        ("claims_and_packets", claims_and_packets(total).0, claims_and_packets(total).1),
        ("malformed_nest", malformed_nest(total), 1),
    ]
}

fn put_intact(out: &mut Vec<u8>) {
    put(&Event::status("intact", Status::Success), out);
}

/// Packets of a file that holds the rest of the stream, one every 16 bytes, all with a wrong checksum.
fn nested_files(total: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(total + MAX_PACKET);
    while out.len() < total {
        put_file_claim(MAX_PACKET.min(total + 8192 - out.len()), &mut out);
        out.extend_from_slice(b"....");
    }
    put_intact(&mut out);
    out.resize(total + 16_384, b'.');
    out
}

/// The first twelve bytes of a packet of this length, all file.
fn put_file_claim(claim: usize, out: &mut Vec<u8>) {
    let content = claim - 12 - 4;
    out.extend_from_slice(&[
        0xB3,
        0x20,
        0x40,
        0x80 | (claim >> 16) as u8,
        (claim >> 8) as u8,
        claim as u8,
        1,
        b'f',
    ]);
    out.extend_from_slice(&(content as u32 | 0xC000_0000).to_be_bytes());
}

/// `ó`, the `B3` of which begins a packet of 4 MiB that is all test id. As text it is good UTF-8, so that
/// each id is good as far as it goes.
const NESTED_ID: [u8; 16] =
    [0xC3, 0xB3, 0x28, 0xC2, 0xBF, 0x7F, 0xC3, 0xBF, 0x7E, 0x20, 0xC3, 0xB3, 0xC3, 0xB3, 0xC3, 0xB3];

/// A tag of 15 bytes, the `B3` of which begins a packet of 4 MiB with 98 000 tags.
const NESTED_TAGS: [u8; 16] =
    [0x0F, 0xC3, 0xB3, 0x20, 0xC2, 0xBF, 0x7F, 0xC3, 0x81, 0x7F, 0x7F, 0x04, b'a', b'b', b'c', b'd'];

/// A unit again and again, then an intact packet and room for the claims of the last units.
fn repeated(unit: &[u8], total: usize) -> Vec<u8> {
    let mut out: Vec<u8> = b"\xB3\x20\n".to_vec();
    out.extend(unit.iter().copied().cycle().take(total / unit.len() * unit.len()));
    put_intact(&mut out);
    out.extend(unit.iter().copied().cycle().take(MAX_PACKET));
    out
}

/// A false claim of up to 4 MiB before every intact packet, and how many of those there are.
fn claims_and_packets(total: usize) -> (Vec<u8>, usize) {
    let (mut out, mut packets) = (Vec::with_capacity(total + MAX_PACKET), 0);
    while out.len() < total {
        put_file_claim(MAX_PACKET - 1 - packets % 1000, &mut out);
        put_intact(&mut out);
        packets += 1;
    }
    out.resize(total + MAX_PACKET, b'.');
    (out, packets)
}

/// Packets with right checksums, one inside the other, each with a route code that is not UTF-8 far at its end.
fn malformed_nest(total: usize) -> Vec<u8> {
    let tag = [b'x'; 2000];
    let mut inner = Vec::new();
    while inner.len() < total.min(1 << 20) {
        let mut fields = vec![1, 0x40 | (tag.len() >> 8) as u8, tag.len() as u8];
        fields.extend_from_slice(&tag);
        fields.extend_from_slice(&[1, b'f']);
        fields.extend_from_slice(&(inner.len() as u32 | 0xC000_0000).to_be_bytes());
        fields.extend_from_slice(&inner);
        fields.extend_from_slice(&[1, 0xFF]);
        let len = 6 + fields.len() + 4;
        inner = vec![0xB3, 0x24, 0xC0, 0x80 | (len >> 16) as u8, (len >> 8) as u8, len as u8];
        inner.append(&mut fields);
        let sum = crc32fast::hash(&inner);
        inner.extend_from_slice(&sum.to_be_bytes());
    }
    let mut out = Vec::with_capacity(total + inner.len());
    while out.len() < total {
        out.extend_from_slice(&inner);
    }
    put_intact(&mut out);
    out
}
