//! Counts the frames of a stream on standard input: `cargo run --example count < run.subunit`.

use std::io::{self, Write};

use subunit::Frame;
use subunit::io::Reader;

fn main() -> io::Result<()> {
    let mut reader = Reader::new(io::stdin().lock());
    let (mut packets, mut text, mut corrupt) = (0u64, 0, 0u64);
    while let Some(frame) = reader.next_frame()? {
        match frame {
            Frame::Packet(_) => packets += 1,
            Frame::Text(bytes) => text += bytes.len(),
            Frame::Corrupt(..) => corrupt += 1,
        }
    }
    writeln!(io::stdout(), "{packets} packets, {corrupt} damaged, {text} bytes of text")
}
