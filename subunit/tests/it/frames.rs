//! Streams taken apart, in a form that does not depend on how the input was cut.

use subunit::{Decoder, Frame, Packet, PacketError, PacketErrorKind, Step};

/// A frame with its position; neighbouring text is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owned {
    Packet(u64, Vec<u8>),
    Text(u64, Vec<u8>),
    Corrupt(u64, Vec<u8>, PacketError),
}

/// All frames of a stream, of which `ends` says how much has come at each look.
pub(crate) fn frames_of(input: &[u8], ends: impl IntoIterator<Item = usize>) -> Vec<Owned> {
    let mut decoder = Decoder::new();
    let mut frames = Vec::new();
    let mut at = 0;
    for end in ends {
        at = take(&mut decoder, input, at, end.max(at), false, &mut frames);
    }
    at = take(&mut decoder, input, at, input.len(), true, &mut frames);
    assert_eq!((at, decoder.offset()), (input.len(), input.len() as u64), "every byte is in a frame");
    frames
}

fn take(
    decoder: &mut Decoder,
    input: &[u8],
    mut at: usize,
    end: usize,
    eof: bool,
    out: &mut Vec<Owned>,
) -> usize {
    loop {
        let position = decoder.offset();
        match decoder.decode(&input[at..end], eof) {
            Step::NeedMore(missing) => {
                assert!(!eof && missing > 0);
                return at;
            }
            Step::End => {
                assert!(eof);
                return at;
            }
            Step::Frame { consumed, frame } => {
                assert!(consumed > 0 && frame.as_bytes() == &input[at..at + consumed]);
                at += consumed;
                push(out, position, frame);
            }
        }
    }
}

fn push(out: &mut Vec<Owned>, position: u64, frame: Frame<'_>) {
    match (frame, out.last_mut()) {
        (Frame::Text(more), Some(Owned::Text(_, text))) => text.extend_from_slice(more),
        (Frame::Text(text), _) => out.push(Owned::Text(position, text.to_vec())),
        (Frame::Packet(packet), _) => {
            assert_eq!(Packet::parse(packet.as_bytes()).unwrap().event(), packet.event());
            out.push(Owned::Packet(position, packet.as_bytes().to_vec()));
        }
        (Frame::Corrupt(bytes, error), _) => out.push(Owned::Corrupt(position, bytes.to_vec(), error)),
    }
}

/// All frames of a stream that is there as a whole.
pub(crate) fn frames(input: &[u8]) -> Vec<Owned> {
    frames_of(input, [])
}

/// The frames in short: `P` for a packet's id, `T` for text, `C` for what is corrupt and why.
pub(crate) fn outline(input: &[u8]) -> Vec<String> {
    frames(input)
        .into_iter()
        .map(|frame| match frame {
            Owned::Packet(_, bytes) => {
                format!("P {}", Packet::parse(&bytes).unwrap().test_id().unwrap_or_default())
            }
            Owned::Text(_, bytes) => format!("T {}", bytes.escape_ascii()),
            Owned::Corrupt(_, bytes, error) => format!("C {} {}", bytes.len(), short(error.kind())),
        })
        .collect()
}

fn short(kind: PacketErrorKind) -> String {
    let name = format!("{kind:?}");
    name.split([' ', '(']).next().unwrap_or_default().to_owned()
}
