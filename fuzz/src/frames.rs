//! Streams taken apart, in a form that does not depend on how the input was cut.

use std::io::Read;

use bytes::BytesMut;
use subunit::codec::{Codec, FrameBuf};
use subunit::io::Reader;
use subunit::{Decoder, Frame, Packet, PacketError, Step};
use tokio_util::codec::Decoder as _;

/// A frame with its place in the stream; neighbouring text is one stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The position of its first byte.
    pub offset: u64,
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a stretch of stream is. Closed: these are the decoder's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A packet.
    Packet,
    /// What is between packets.
    Text,
    /// A damaged packet and what is wrong with it.
    Corrupt(PacketError),
}

/// All frames of a stream that is there as a whole.
#[must_use]
pub fn frames(input: &[u8]) -> Vec<Stretch> {
    frames_of(input, &[])
}

/// All frames of a stream, of which the rising `ends` say how much has come at each look.
///
/// # Panics
///
/// When the frames are not the input, byte for byte.
#[must_use]
pub fn frames_of(input: &[u8], ends: &[usize]) -> Vec<Stretch> {
    let mut decoder = Decoder::new();
    let mut out = Frames::default();
    let mut at = 0;
    for end in ends {
        at = take(&mut decoder, input, at, *end, false, &mut out);
    }
    at = take(&mut decoder, input, at, input.len(), true, &mut out);
    assert_eq!((at, decoder.offset()), (input.len(), input.len() as u64), "every byte is in a frame");
    assert_eq!(decoder.decode(&[], true), Step::End, "the end is the end");
    out.checked(input)
}

fn take(
    decoder: &mut Decoder,
    input: &[u8],
    mut at: usize,
    end: usize,
    eof: bool,
    out: &mut Frames,
) -> usize {
    loop {
        assert_eq!(decoder.offset(), at as u64, "the offset is what was consumed");
        match decoder.decode(&input[at..end], eof) {
            Step::NeedMore(missing) => {
                assert!(!eof && missing > 0, "{missing} bytes are missing at the end");
                return at;
            }
            Step::End => {
                assert!(eof, "the end came early");
                return at;
            }
            Step::Frame { consumed, frame } => {
                assert!(consumed > 0 && frame.as_bytes() == &input[at..at + consumed]);
                out.add(at as u64, &frame);
                at += consumed;
            }
        }
    }
}

/// The frames of a stream whose reader does not wait: at each of the `ends` it gives up.
///
/// # Panics
///
/// When the frames are not the input, byte for byte.
pub(crate) fn frames_given_up(input: &[u8], ends: &[usize]) -> Vec<Stretch> {
    let mut decoder = Decoder::new();
    let mut out = Frames::default();
    let mut at = 0;
    for end in ends {
        at = take(&mut decoder, input, at, *end, false, &mut out);
        while let Step::Frame { consumed, frame } = decoder.give_up(&input[at..*end]) {
            out.add(at as u64, &frame);
            at += consumed;
        }
        assert_eq!(at, *end, "nothing waits");
    }
    take(&mut decoder, input, at, input.len(), true, &mut out);
    out.checked(input)
}

/// The frames of a stream read in pieces.
pub(crate) fn frames_read(input: &[u8], ends: &[usize]) -> Vec<Stretch> {
    let mut reader = Reader::new(Pieces { input, at: 0, ends });
    let mut out = Frames::default();
    loop {
        let offset = reader.offset();
        match reader.next_frame() {
            Ok(Some(frame)) => out.add(offset, &frame),
            Ok(None) => return out.checked(input),
            Err(error) => panic!("reading from memory failed: {error}"),
        }
    }
}

/// The frames of a stream that comes in pieces through the codec.
pub(crate) fn frames_by_codec(input: &[u8], ends: &[usize]) -> Vec<Stretch> {
    let mut codec = Codec::default();
    let mut out = Frames::default();
    let mut buffer = BytesMut::new();
    let mut come = 0;
    for (end, last) in ends.iter().map(|end| (*end, false)).chain([(input.len(), true)]) {
        buffer.extend_from_slice(&input[come..end]);
        come = end;
        loop {
            let offset = codec.offset();
            match if last { codec.decode_eof(&mut buffer) } else { codec.decode(&mut buffer) } {
                Ok(Some(FrameBuf::Packet(packet))) => out.push(offset, Kind::Packet, packet.as_bytes()),
                Ok(Some(FrameBuf::Text(text))) => out.push(offset, Kind::Text, &text),
                Ok(Some(FrameBuf::Corrupt(bytes, error))) => out.push(offset, Kind::Corrupt(error), &bytes),
                Ok(None) => break,
                Err(error) => panic!("the codec failed: {error}"),
            }
        }
    }
    out.checked(input)
}

/// Gives the input up to the next end a read.
struct Pieces<'a> {
    input: &'a [u8],
    at: usize,
    ends: &'a [usize],
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        while self.ends.first().is_some_and(|end| *end <= self.at) {
            self.ends = &self.ends[1..];
        }
        let end = self.ends.first().copied().unwrap_or(self.input.len());
        let count = (&self.input[self.at..end]).read(room)?;
        self.at += count;
        Ok(count)
    }
}

/// Frames as they are collected.
#[derive(Default)]
struct Frames(Vec<Stretch>);

impl Frames {
    fn add(&mut self, offset: u64, frame: &Frame<'_>) {
        match frame {
            Frame::Packet(packet) => {
                assert_eq!(Packet::parse(packet.as_bytes()).map(|it| it.event()), Ok(packet.event()));
                self.push(offset, Kind::Packet, packet.as_bytes());
            }
            Frame::Text(text) => self.push(offset, Kind::Text, text),
            Frame::Corrupt(bytes, error) => self.push(offset, Kind::Corrupt(*error), bytes),
        }
    }

    fn push(&mut self, offset: u64, kind: Kind, bytes: &[u8]) {
        match (kind, self.0.last_mut()) {
            (Kind::Text, Some(Stretch { kind: Kind::Text, bytes: text, .. })) => {
                text.extend_from_slice(bytes);
            }
            _ => self.0.push(Stretch { offset, kind, bytes: bytes.to_vec() }),
        }
    }

    /// The frames, which are this input: each byte is in one, at its place.
    fn checked(self, input: &[u8]) -> Vec<Stretch> {
        let mut at = 0;
        for stretch in &self.0 {
            let end = at + stretch.bytes.len();
            assert_eq!(stretch.offset, at as u64, "frames have no gap");
            assert_eq!(Some(&*stretch.bytes), input.get(at..end), "a frame is what came");
            at = end;
        }
        assert_eq!(at, input.len(), "every byte is in a frame");
        self.0
    }
}
