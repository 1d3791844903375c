//! Streams over tokio: a [`Codec`] for tokio-util's `FramedRead` and `FramedWrite`, and a [`PacketCodec`] that writes
//! packets as they are.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec;

use crate::chunks::encode_chunks;
use crate::decode::{Decoder, Found, InputEnd};
use crate::error::PacketError;
use crate::event::Event;
use crate::packet::PacketBuf;

/// A frame that owns its bytes; see [`Frame`](crate::Frame). It shares them with the buffer that was read into, which
/// lives as long as any of its frames: [`PacketBuf::compact`] what is kept for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameBuf {
    /// A packet.
    Packet(PacketBuf),
    /// Bytes that belong to no packet.
    Text(Bytes),
    /// A damaged packet.
    Corrupt(Bytes, PacketError),
}

/// Reads frames, writes events. Damage is an item, not an error; an event whose file does not fit in a packet is
/// written as several.
///
/// It writes one kind of item, so that `FramedWrite::flush` is about that one; packets that are passed on go through a
/// [`PacketCodec`].
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
        Ok(encode_chunks(event, out)?)
    }
}

/// Writes packets as they are.
///
/// ```
/// use bytes::BytesMut;
/// use subunit::codec::PacketCodec;
/// use subunit::{Event, PacketBuf, Status};
/// use tokio_util::codec::Encoder;
///
/// let packet = PacketBuf::encode(&Event::status("foo", Status::Exists)).map_err(std::io::Error::from)?;
/// let mut out = BytesMut::new();
/// PacketCodec.encode(packet, &mut out)?;
/// assert_eq!(&out[..], b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct PacketCodec;

impl codec::Encoder<PacketBuf> for PacketCodec {
    type Error = io::Error;

    fn encode(&mut self, packet: PacketBuf, out: &mut BytesMut) -> io::Result<()> {
        out.extend_from_slice(packet.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::SinkExt as _;
    use tokio_util::codec::{Decoder as _, Encoder as _};

    use super::*;
    use crate::event::Status;

    #[tokio::test]
    async fn events_are_sent_and_flushed_whatever_their_length() {
        let log = vec![b'x'; crate::MAX_PACKET + 1000];
        let event = Event { test_id: Some("a"), ..Event::file("log", &log) };
        let mut framed = codec::FramedWrite::new(Vec::new(), Codec::default());
        framed.feed(&event).await.unwrap();
        framed.flush().await.unwrap();
        framed.send(&Event::status("a", Status::Fail)).await.unwrap();
        let mut writer = crate::io::Writer::new(Vec::new());
        writer.write(&event).unwrap();
        writer.write(&Event::status("a", Status::Fail)).unwrap();
        assert!(framed.into_inner() == writer.into_inner().unwrap(), "the codec cuts as the writer does");
    }

    #[test]
    fn a_compacted_packet_keeps_nothing_else_in_memory() {
        let mut input = BytesMut::new();
        codec::Encoder::encode(&mut Codec::default(), &Event::status("a", Status::Fail), &mut input).unwrap();
        let Some(FrameBuf::Packet(packet)) = Codec::default().decode(&mut input).unwrap() else { panic!() };
        let compact = packet.compact();
        assert_eq!(compact, packet);
        assert!(compact.into_bytes().is_unique() && !packet.as_bytes().is_empty());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut codec = Codec::default();
        let mut bytes = BytesMut::from(&b"text\n"[..]);
        let event = Event::status("a", Status::Skip);
        codec.encode(&event, &mut bytes).unwrap();
        PacketCodec.encode(PacketBuf::encode(&event).unwrap(), &mut bytes).unwrap();
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
