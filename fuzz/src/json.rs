//! The laws of streams as lines of JSON.

use formats::json::{FrameWriter, read_line};
use subunit::io::Reader;

/// Any line is read or refused whole, and any stream comes back from its lines to the byte.
///
/// # Panics
///
/// When the law does not hold.
pub fn json(data: &[u8]) {
    comes_back(data);
    let mut stream = Vec::new();
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let before = stream.len();
        let read = read_line(line, &mut stream);
        assert!(read.is_ok() || stream.len() == before, "{read:?} leaves {} bytes", stream.len() - before);
    }
    comes_back(&stream);
}

fn comes_back(stream: &[u8]) {
    let lines = lines(stream);
    let mut back = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let read = read_line(line, &mut back);
        assert!(read.is_ok(), "{read:?}: {}", line.escape_ascii());
    }
    assert_eq!(back, stream, "{}", lines.escape_ascii());
}

fn lines(stream: &[u8]) -> Vec<u8> {
    let (mut lines, mut writer) = (Vec::new(), FrameWriter::default());
    let mut reader = Reader::new(stream);
    while let Ok(Some(frame)) = reader.next_frame() {
        writer.push(&frame, &mut lines);
    }
    lines
}
