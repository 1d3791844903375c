//! Streams over tokio: a [`Codec`] for tokio-util's `FramedRead` and `FramedWrite`.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec;

use crate::decode::{Decoder, Found, InputEnd};
use crate::encode::encode;
use crate::error::PacketError;
use crate::event::Event;
use crate::packet::PacketBuf;

/// A frame that owns its bytes; see [`Frame`](crate::Frame).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameBuf {
    /// A packet.
    Packet(PacketBuf),
    /// Bytes that belong to no packet.
    Text(Bytes),
    /// A damaged packet.
    Corrupt(Bytes, PacketError),
}

/// Reads frames, writes events and packets. Damage is an item, not an error.
///
/// ```
/// use bytes::BytesMut;
/// use subunit::codec::{Codec, FrameBuf};
/// use tokio_util::codec::Decoder;
///
/// let mut input = BytesMut::from(&b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b"[..]);
/// let Some(FrameBuf::Packet(packet)) = Codec::default().decode(&mut input)? else { panic!() };
/// assert_eq!(packet.event().test_id, Some("foo"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Codec {
    decoder: Decoder,
}

impl Codec {
    /// The position in the stream of the next frame, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    fn next(&mut self, input: &mut BytesMut, ending: InputEnd) -> Option<FrameBuf> {
        let found = self.decoder.find(input, ending);
        match found {
            Found::NeedMore(missing) => {
                // Never more than has come, whatever the packet claims.
                input.reserve(missing.min(input.len().max(64 * 1024)));
                None
            }
            Found::End => None,
            Found::Packet(_) => Some(FrameBuf::Packet(PacketBuf::of(input.split_to(found.len()).freeze()))),
            Found::Text(len) => Some(FrameBuf::Text(input.split_to(len).freeze())),
            Found::Corrupt(len, error) => Some(FrameBuf::Corrupt(input.split_to(len).freeze(), error)),
        }
    }
}

impl codec::Decoder for Codec {
    type Item = FrameBuf;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> io::Result<Option<FrameBuf>> {
        Ok(self.next(input, InputEnd::Open))
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> io::Result<Option<FrameBuf>> {
        Ok(self.next(input, InputEnd::Eof))
    }
}

impl codec::Encoder<&Event<'_>> for Codec {
    type Error = io::Error;

    fn encode(&mut self, event: &Event<'_>, out: &mut BytesMut) -> io::Result<()> {
        Ok(encode(event, out)?)
    }
}

impl codec::Encoder<PacketBuf> for Codec {
    type Error = io::Error;

    fn encode(&mut self, packet: PacketBuf, out: &mut BytesMut) -> io::Result<()> {
        out.extend_from_slice(packet.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::codec::{Decoder as _, Encoder as _};

    use super::*;
    use crate::event::Status;

    #[test]
    fn what_is_written_is_read_back() {
        let mut codec = Codec::default();
        let mut bytes = BytesMut::from(&b"text\n"[..]);
        let event = Event::status("a", Status::Skip);
        codec.encode(&event, &mut bytes).unwrap();
        codec.encode(PacketBuf::encode(&event).unwrap(), &mut bytes).unwrap();
        bytes.extend_from_slice(b"\xb3\x29");
        assert_eq!(codec.decode(&mut bytes).unwrap(), Some(FrameBuf::Text("text\n".into())));
        for _ in 0..2 {
            let Some(FrameBuf::Packet(packet)) = codec.decode(&mut bytes).unwrap() else { panic!() };
            assert_eq!(packet.event(), event);
        }
        assert_eq!(codec.decode(&mut bytes).unwrap(), None);
        let last = codec.decode_eof(&mut bytes).unwrap();
        assert!(matches!(last, Some(FrameBuf::Corrupt(bytes, _)) if bytes == b"\xb3\x29"[..]));
        assert_eq!(codec.decode_eof(&mut bytes).unwrap(), None);
    }
}
