//! The frames of one source: bytes in, rewritten packets out.

use std::io;
use std::ops::Range;

use streamresult::deliver;
use subunit::{Decoder, Frame, Packet, Step, part, part_mut};

use super::feed::Feed;
use super::hub::SCRATCH;
use super::rewrite::{Rewrite, Sink};

/// A batch of this length is handed on before more is added.
const BATCH: usize = 64 * 1024;

/// Finds the frames of a stream, and keeps what is not complete.
///
/// Between its turns a source holds no more than the packet that it is in the middle of. While it reads, it
/// uses a buffer that all share, unless its packet is longer than that.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    decoder: Decoder,
    /// The bytes that came and are in no frame yet are the first `come` ones.
    held: Vec<u8>,
    come: usize,
    /// How many bytes complete the packet under way.
    missing: usize,
    /// Whether what seemed to be a packet was complete and is not one: then hardly any other is.
    is_deceived: bool,
}

/// Bytes being read: `bytes[start..end]` are not consumed yet.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    start: usize,
    end: usize,
    is_shared: bool,
}

/// Whether more input may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputState {
    /// More may come.
    Open,
    /// Nothing comes.
    Eof,
    /// The packet under way takes too long: it becomes text.
    Stalled,
}

/// Why the frames stopped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// The batch is full: hand it on, then go on.
    Full,
    /// The batch is to be handed on, then this part of the source's own buffer, then go on with this tail.
    Long(Range<usize>, Vec<u8>),
    /// More has to come first, or the end was reached.
    Waiting,
}

impl Stream {
    /// The position of the next frame, in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    /// Whether a packet is under way.
    pub(crate) fn is_waiting(&self) -> bool {
        self.come > 0
    }

    /// Whether the packet under way is too long for the shared buffer.
    pub(crate) fn is_long(&self) -> bool {
        self.come + self.missing > SCRATCH
    }

    /// A buffer with what is held, and room for more: the shared one, unless the packet is too long for it.
    pub(crate) fn buffer(&mut self, shared: &mut Vec<u8>, spare: impl FnOnce() -> Vec<u8>) -> Buffer {
        let is_shared = !self.is_long();
        let mut bytes = if is_shared {
            let mut bytes = std::mem::take(shared);
            bytes.resize(SCRATCH, 0);
            copy(&self.held, self.come, &mut bytes);
            bytes
        } else {
            std::mem::take(&mut self.held)
        };
        if !is_shared && bytes.len() < self.come + self.wanted() {
            bytes = self.grown(bytes, spare());
        }
        Buffer { bytes, start: 0, end: self.come, is_shared }
    }

    /// How much to read: what completes a long packet and no more, so that it can be handed on with its buffer; but
    /// no few bytes again and again, where claims overlap.
    fn wanted(&self) -> usize {
        if self.is_deceived { self.missing.max(SCRATCH) } else { self.missing }
    }

    /// Room for the packet under way, but never much more than has come, whatever it claims.
    fn grown(&self, bytes: Vec<u8>, spare: Vec<u8>) -> Vec<u8> {
        let len = self.come + self.wanted().min(self.come.max(SCRATCH));
        let (mut larger, smaller) =
            if spare.len() > bytes.len() { (spare, Some(bytes)) } else { (bytes, None) };
        larger.resize(larger.len().max(len), 0);
        if let Some(smaller) = smaller {
            copy(&smaller, self.come, &mut larger);
        }
        larger
    }

    /// Reads once.
    pub(crate) fn read(&self, buffer: &mut Buffer, feed: &mut Feed) -> io::Result<usize> {
        let most = if buffer.is_shared { SCRATCH } else { self.come + self.wanted() };
        let end = most.min(buffer.bytes.len());
        let count = feed.try_read(part_mut(&mut buffer.bytes, buffer.end..end))?;
        buffer.end += count;
        Ok(count)
    }

    /// Appends the frames of the buffer to `out`, until that is full or more has to come.
    pub(crate) fn frames(
        &mut self,
        buffer: &mut Buffer,
        ending: &mut InputState,
        rewrite: &mut Rewrite,
        out: &mut Vec<u8>,
    ) -> StopReason {
        while out.len() < BATCH {
            let offset = self.decoder.offset();
            let input = part(&buffer.bytes, buffer.start..buffer.end);
            let step = match std::mem::replace(ending, ending.after_one()) {
                InputState::Stalled => self.decoder.give_up(input),
                ending => self.decoder.decode(input, ending == InputState::Eof),
            };
            let (len, frame) = match step {
                Step::Frame { consumed: len, frame } => (len, frame),
                Step::NeedMore(missing) => {
                    self.is_deceived = buffer.start == 0 && buffer.end >= self.come + self.missing;
                    self.missing = missing;
                    return StopReason::Waiting;
                }
                Step::End => return StopReason::Waiting,
            };
            if let (Frame::Packet(packet), false) = (&frame, buffer.is_shared)
                && let Some((part, tail)) = long_packet(packet, rewrite, out)
            {
                let at = buffer.start;
                buffer.start += len;
                return StopReason::Long(at + part.start..at + part.end, tail);
            }
            // A sink that appends to memory has no errors.
            let _ = deliver(&frame, offset, &mut Sink { rewrite: &mut *rewrite, out: &mut *out });
            buffer.start += len;
        }
        StopReason::Full
    }

    /// Keeps what is not consumed, and gives the shared buffer back.
    pub(crate) fn put_by(&mut self, buffer: Buffer, shared: &mut Vec<u8>) {
        self.come = buffer.end - buffer.start;
        let left = buffer.start..buffer.end;
        if buffer.is_shared {
            if self.held.capacity() > SCRATCH {
                self.held = Vec::new();
            }
            self.held.clear();
            self.held.extend_from_slice(part(&buffer.bytes, left));
            *shared = buffer.bytes;
        } else {
            self.held = buffer.bytes;
            if left.start > 0 {
                self.held.copy_within(left, 0);
            }
        }
        if self.come == 0 {
            (self.held, self.missing) = (Vec::new(), 1);
        }
    }
}

impl Buffer {
    /// Takes the bytes, and leaves a buffer with what of them is not consumed.
    pub(crate) fn detach(&mut self) -> Vec<u8> {
        let left = part(&self.bytes, self.start..self.end).to_vec();
        (self.start, self.end) = (0, left.len());
        std::mem::replace(&mut self.bytes, left)
    }
}

impl InputState {
    /// One packet is given up at a time: what follows it may be another that has just begun.
    fn after_one(self) -> Self {
        if self == InputState::Stalled { InputState::Open } else { self }
    }
}

/// Appends the head of a long packet that changes in no more than its route; gives which part of it is kept
/// as it is, and the tail.
fn long_packet(
    packet: &Packet<'_>,
    rewrite: &mut Rewrite,
    out: &mut Vec<u8>,
) -> Option<(Range<usize>, Vec<u8>)> {
    let bytes = packet.as_bytes();
    let [head, middle, tail] = rewrite.parts(packet)?;
    out.extend_from_slice(head);
    let start = middle.as_ptr().addr() - bytes.as_ptr().addr();
    Some((start..start + middle.len(), tail.to_vec()))
}

fn copy(from: &[u8], len: usize, to: &mut [u8]) {
    debug_assert!(len <= from.len() && len <= to.len());
    if let (Some(from), Some(to)) = (from.get(..len), to.get_mut(..len)) {
        to.copy_from_slice(from);
    }
}
