//! A stream that is handed over in pieces, by whoever reads it.

use alloc::vec::Vec;

use crate::decode::{Decoder, Frame, Step};
use crate::part::part;

/// Finds the frames of a stream whose bytes come by themselves, and keeps what is not complete: for programs that are
/// handed what was read, and may not wait for more. [`Reader`](crate::io::Reader) is for all others.
///
/// ```
/// use subunit::PushReader;
///
/// let mut reader = PushReader::default();
/// let mut ids = Vec::new();
/// for piece in [&b"\xb3\x29\x01\x0c\x03f"[..], b"oo\x08\x55\x5f\x1b"] {
///     reader.push(piece, |frame, _offset| {
///         if let subunit::Frame::Packet(packet) = frame {
///             ids.push(packet.test_id().unwrap_or_default().to_owned());
///         }
///         Ok::<(), std::io::Error>(())
///     })?;
/// }
/// assert_eq!(ids, ["foo"]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PushReader {
    decoder: Decoder,
    /// What is in no frame yet.
    rest: Vec<u8>,
}

impl PushReader {
    /// Takes the next bytes of the stream, and hands on the frames that are complete with them, each with its position
    /// in the stream.
    ///
    /// # Errors
    ///
    /// When `take` fails. Frames that it was not handed come with the next call.
    pub fn push<E>(
        &mut self,
        bytes: &[u8],
        take: impl FnMut(Frame<'_>, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rest.extend_from_slice(bytes);
        self.frames(false, take)
    }

    /// Hands on what is left at the end of the stream.
    ///
    /// # Errors
    ///
    /// When `take` fails.
    pub fn end<E>(&mut self, take: impl FnMut(Frame<'_>, u64) -> Result<(), E>) -> Result<(), E> {
        self.frames(true, take)
    }

    fn frames<E>(
        &mut self,
        eof: bool,
        mut take: impl FnMut(Frame<'_>, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut done = 0;
        let taken = loop {
            let offset = self.decoder.offset();
            let Step::Frame { consumed: len, frame } = self.decoder.decode(part(&self.rest, done..), eof)
            else {
                break Ok(());
            };
            done += len;
            if let Err(error) = take(frame, offset) {
                break Err(error);
            }
        };
        self.rest.drain(..done);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"text\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b\xb3\x29\x01\x0c\x03fo";

    /// What is handed on, as its kind and its position.
    fn check(pieces: &[&[u8]], fails_at: Option<u64>) {
        let mut reader = PushReader::default();
        let mut found = Vec::new();
        let mut failed = false;
        let mut take = |frame: Frame<'_>, offset| {
            let kind = match frame {
                Frame::Packet(_) => "packet",
                Frame::Text(_) => "text",
                Frame::Corrupt(..) => "corrupt",
            };
            found.push((kind, offset));
            let fails = fails_at == Some(offset) && !core::mem::replace(&mut failed, true);
            if fails { Err("full") } else { Ok(()) }
        };
        let told: Vec<_> = pieces.iter().map(|piece| reader.push(piece, &mut take)).collect();
        let told = told.into_iter().chain([reader.end(&mut take), reader.end(&mut take)]);
        assert_eq!(told.filter(Result::is_err).count(), usize::from(fails_at.is_some()), "{pieces:x?}");
        found.retain(|(kind, offset)| *kind != "text" || *offset == 0);
        assert_eq!(found, [("text", 0), ("packet", 5), ("corrupt", 17)], "{pieces:x?}");
    }

    #[test]
    fn any_pieces_give_the_same_frames() {
        for cut in 0..=STREAM.len() {
            let (first, second) = STREAM.split_at(cut);
            check(&[first, second], None);
        }
        check(&STREAM.chunks(1).collect::<Vec<_>>(), None);
    }

    #[test]
    fn a_frame_that_could_not_be_taken_costs_no_other() {
        check(&[STREAM], Some(5));
        check(&STREAM.chunks(1).collect::<Vec<_>>(), Some(5));
    }
}
