//! Bytes to frames: finds the packets of a stream, and loses no byte of what lies between.
//!
//! The decoder owns no input: the caller shows it the bytes that are not consumed yet, as often as more have
//! come. It never fails, never blocks and, once made, never allocates. However the input is cut, the packets
//! and the corrupt frames are the same, and so is the text once neighbouring frames of it are joined.

use crate::context::{Context, Inside, Run};
use crate::error::{PacketError, PacketErrorKind};
use crate::packet::{Header, Layout, Packet, check_sum};
use crate::sums::{self, Ahead, Sums};
use crate::wire::{CHECKSUM, MAX_PACKET, SIGNATURE, Stop};

/// The longest frame of text.
const MAX_TEXT: usize = 1 << 20;
/// The longest corrupt frame of a packet whose length makes no sense, where no newline ends it.
const MAX_LINE: usize = 1 << 16;
/// How many bytes of strings are looked at before the checksum is: all of them, in packets of usual size; and
/// while recovering, when hardly any candidate is a packet.
const SHORT_WALK: usize = 512;
const SHORTER_WALK: usize = 96;
/// Claims from this length on are looked up in the kept checksums, once one there was wrong.
const LONG_CLAIM: usize = 4096;

/// A stretch of the stream. Every byte is in exactly one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// Bytes that belong to no packet, such as what a program printed.
    Text(&'a [u8]),
    /// A damaged packet: up to the end that it claims, or to the next packet in it.
    Corrupt(&'a [u8], PacketError),
}

impl<'a> Frame<'a> {
    /// All bytes of the frame.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Frame::Packet(packet) => packet.as_bytes(),
            Frame::Text(bytes) | Frame::Corrupt(bytes, _) => bytes,
        }
    }
}

/// What the decoder makes of the bytes it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing can be said before more bytes come: this many complete the packet that seems to be under way.
    /// Fewer, even one, may be enough to tell.
    NeedMore(usize),
    /// The next frame, and how many bytes it consumes from the front of the input.
    Frame(usize, Frame<'a>),
    /// The input has ended and every byte of it was in a frame.
    End,
}

/// Finds the frames of a stream; see the module's head for what it promises.
///
/// ```
/// use subunit::{Decoder, Frame, Step};
///
/// let mut input: &[u8] = b"starting\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
/// let mut decoder = Decoder::new();
/// let mut ids = Vec::new();
/// while let Step::Frame(consumed, frame) = decoder.decode(input, true) {
///     if let Frame::Packet(packet) = frame {
///         ids.push(packet.test_id().unwrap_or_default());
///     }
///     input = &input[consumed..];
/// }
/// assert_eq!(ids, ["foo"]);
/// assert_eq!(decoder.offset(), 21);
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    /// The stream position of the input's first byte.
    offset: u64,
    /// Whether the specification lets a packet begin at the input's first byte.
    promised: bool,
    /// Whether a candidate failed since the last packet, or the text since then is none that is printed.
    recovering: bool,
    /// Whether a candidate with a sound header failed since the last packet. Other than `recovering`, this is
    /// the same at each byte however the input is cut.
    has_failed: bool,
    /// The text directly before the input.
    before: Context,
    /// The text since the last packet, read until it shows damage.
    run: Run,
    /// Before this index of the input no frame begins but at 0.
    scan: usize,
    /// What was found out about the candidate at `scan`.
    seen: Option<Verdict>,
    /// The corrupt frame that begins at the input's first byte.
    open: Option<Open>,
    /// Where the fields of the packet found last stand.
    layout: Layout,
    ahead: Ahead,
    sums: Sums,
    debt: Debt,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug)]
enum Verdict {
    /// A packet, with the decoder's layout.
    Packet,
    /// No packet; where it would have ended, if its length can be told.
    Failed(PacketError, Option<usize>),
    /// The reader does not want to wait for the rest of it.
    GivenUp,
}

/// A corrupt frame of which the end is not known yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    error: PacketError,
    /// The end of its claim; without one it ends with the line.
    claim: Option<usize>,
}

/// What follows the bytes that have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// More, perhaps.
    Open,
    /// Nothing.
    Eof,
    /// More, but not soon enough.
    Stalled,
}

/// A step without its bytes, so that a reader may keep its buffer while it looks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    NeedMore(usize),
    Text(usize),
    /// A packet of this length, with the decoder's layout.
    Packet(usize),
    Corrupt(usize, PacketError),
    End,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Decoder {
            offset: 0,
            promised: true,
            recovering: false,
            has_failed: false,
            before: Context::default(),
            run: Run::default(),
            scan: 0,
            seen: None,
            open: None,
            layout: Layout::default(),
            ahead: Ahead::default(),
            sums: Sums::new(),
            debt: Debt::default(),
        }
    }

    /// The next frame of `input`, which begins with the first byte that is not consumed yet. `eof` says that
    /// nothing follows.
    pub fn decode<'a>(&mut self, input: &'a [u8], eof: bool) -> Step<'a> {
        let ending = if eof { Ending::Eof } else { Ending::Open };
        let found = self.find(input, ending);
        self.step(found, input)
    }

    /// As [`decode`](Decoder::decode), for a reader that has waited long enough: the bytes of a packet that is
    /// not complete become text, and those of a corrupt frame end here.
    ///
    /// This is the only way in which time decides about a frame. [`Step::NeedMore`] is then the answer to an
    /// empty input alone.
    pub fn give_up<'a>(&mut self, input: &'a [u8]) -> Step<'a> {
        let found = self.find(input, Ending::Stalled);
        self.step(found, input)
    }

    /// How many bytes of the stream are consumed: the position of the next frame.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The step with its bytes, which are the first of `input`.
    #[inline]
    fn step<'a>(&self, found: Found, input: &'a [u8]) -> Step<'a> {
        match (found, self.frame(found, input)) {
            (Found::NeedMore(missing), _) => Step::NeedMore(missing),
            (_, Some(frame)) => Step::Frame(found.len(), frame),
            (_, None) => Step::End,
        }
    }

    /// The frame with its bytes, if one was found.
    #[inline]
    pub(crate) fn frame<'a>(&self, found: Found, input: &'a [u8]) -> Option<Frame<'a>> {
        let bytes = input.get(..found.len()).unwrap_or(input);
        match found {
            Found::Packet(_) => Some(Frame::Packet(Packet::of(bytes, self.layout))),
            Found::Text(_) => Some(Frame::Text(bytes)),
            Found::Corrupt(_, error) => Some(Frame::Corrupt(bytes, error)),
            Found::NeedMore(_) | Found::End => None,
        }
    }

    /// Looks for the next frame: [`decode`](Decoder::decode) without its bytes.
    #[inline]
    pub(crate) fn find(&mut self, input: &[u8], ending: Ending) -> Found {
        let fresh = self.promised && self.scan == 0 && self.seen.is_none() && self.open.is_none();
        if fresh && input.first() == Some(&SIGNATURE) {
            match self.examine(input, 0, Ending::Open) {
                Ok(Verdict::Packet) => return self.packet(),
                examined => self.seen = examined.ok(),
            }
        }
        self.search(input, ending)
    }

    fn search(&mut self, input: &[u8], ending: Ending) -> Found {
        loop {
            let found = match self.open {
                Some(open) => self.end_of_corrupt(input, open, ending),
                None => self.end_of_text(input, ending),
            };
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// Looks for the next candidate after text; `None` when the state has changed.
    fn end_of_text(&mut self, input: &[u8], ending: Ending) -> Option<Found> {
        let rest = input.get(self.scan..).unwrap_or_default();
        let Some(at) = memchr::memchr(SIGNATURE, rest).map(|at| self.scan + at) else {
            return Some(match (input.len(), ending) {
                (0, Ending::Eof) => Found::End,
                (0, _) => Found::NeedMore(1),
                (len, _) => self.text(input, len),
            });
        };
        if at > MAX_TEXT {
            return Some(self.text(input, at));
        }
        self.move_to(at);
        if !self.recovering && !self.promised_at(input, at) {
            match self.before.inside_character(input, at) {
                Inside::Yes if self.is_character(input, at) => {
                    self.scan = at + 1;
                    return None;
                }
                Inside::Unknown if ending == Ending::Open => return Some(self.wait(input, at, 1)),
                Inside::Yes | Inside::Unknown | Inside::No => {}
            }
        }
        match self.verdict(input, at, ending) {
            Err(missing) => Some(self.wait(input, at, missing)),
            Ok(Verdict::Packet | Verdict::Failed(..)) if at > 0 && self.promised_or_packet(input, at) => {
                Some(self.text(input, at))
            }
            Ok(Verdict::Packet) => Some(self.packet()),
            Ok(Verdict::Failed(error, claim)) if self.promised_at(input, at) => {
                self.open = Some(Open { error, claim });
                self.pass_over(at);
                None
            }
            Ok(Verdict::Failed(..) | Verdict::GivenUp) => {
                self.pass_over(at);
                None
            }
        }
    }

    /// Whether the signature byte at `at`, which could be part of a character, is: it cannot be anything else,
    /// or stands in text that a program printed. That never takes more bytes.
    #[inline]
    fn is_character(&mut self, input: &[u8], at: usize) -> bool {
        let after = input.get(at + 1..).unwrap_or_default();
        // Most characters are told by the flags that would follow.
        let no_packet = match *after {
            [high, low, ..] => high & 0xF0 != 0x20 || low & 0x08 != 0,
            _ => false,
        };
        no_packet || self.is_printed_character(input, at)
    }

    fn is_printed_character(&mut self, input: &[u8], at: usize) -> bool {
        if matches!(Header::read(input.get(at..).unwrap_or_default()), Err(Stop::Bad(..))) {
            return true;
        }
        self.recovering |= !self.run.read_to(input, at);
        !self.recovering
    }

    /// Whether the candidate whose verdict is known begins a frame of its own.
    fn promised_or_packet(&self, input: &[u8], at: usize) -> bool {
        matches!(self.seen, Some(Verdict::Packet)) || self.promised_at(input, at)
    }

    /// Looks for the end of the corrupt frame at the input's start; `None` when the state has changed.
    fn end_of_corrupt(&mut self, input: &[u8], open: Open, ending: Ending) -> Option<Found> {
        let end = open.claim.unwrap_or(MAX_LINE);
        let come = input.get(..end).unwrap_or(input);
        let rest = come.get(self.scan..).unwrap_or_default();
        let next = match open.claim {
            Some(_) => memchr::memchr(SIGNATURE, rest),
            None => memchr::memchr2(SIGNATURE, b'\n', rest),
        };
        let Some(at) = next.map(|at| self.scan + at) else {
            self.move_to(come.len());
            return Some(if come.len() == end {
                self.corrupt(end, open.error, open.claim.is_some())
            } else if ending == Ending::Open {
                Found::NeedMore(end - come.len())
            } else {
                self.corrupt(come.len(), open.error, false)
            });
        };
        if come.get(at) == Some(&b'\n') {
            return Some(self.corrupt(at + 1, open.error, true));
        }
        self.move_to(at);
        match self.verdict(input, at, ending) {
            Err(missing) => Some(Found::NeedMore(missing)),
            Ok(Verdict::Packet) => Some(self.corrupt(at, open.error, true)),
            Ok(Verdict::Failed(..) | Verdict::GivenUp) => {
                self.pass_over(at);
                None
            }
        }
    }

    /// Waits for more of the candidate at `at`, handing on the text before it.
    fn wait(&mut self, input: &[u8], at: usize, missing: usize) -> Found {
        if at > 0 { self.text(input, at) } else { Found::NeedMore(missing) }
    }

    /// The verdict on the candidate at `at`, found once; or how many bytes it takes to find it.
    fn verdict(&mut self, input: &[u8], at: usize, ending: Ending) -> Result<Verdict, usize> {
        if let Some(seen) = self.seen {
            return Ok(seen);
        }
        let verdict = self.examine(input, at, ending)?;
        self.seen = Some(verdict);
        Ok(verdict)
    }

    /// Examines the candidate at `at`: header, fields, checksum.
    #[inline]
    fn examine(&mut self, input: &[u8], at: usize, ending: Ending) -> Result<Verdict, usize> {
        let bytes = input.get(at..).unwrap_or_default();
        let header = match Header::read(bytes) {
            Ok(header) => header,
            Err(Stop::Bad(kind, offset)) => return Ok(Verdict::Failed(PacketError::new(kind, offset), None)),
            Err(_) => return incomplete(bytes.len(), None, ending),
        };
        let failed = |error| Ok(Verdict::Failed(error, Some(header.len)));
        let walk = if self.has_failed { SHORTER_WALK } else { SHORT_WALK };
        let walked = match self.layout.read(bytes, header, walk) {
            Err(Stop::Bad(kind, offset)) => return failed(PacketError::new(kind, offset)),
            Err(Stop::NeedMore) => return self.incomplete(bytes, at, header.len, ending),
            walked => walked,
        };
        let Some(claim) = bytes.get(..header.len) else {
            return self.incomplete(bytes, at, header.len, ending);
        };
        if let Err(error) = self.check_sum(claim, at) {
            return failed(error);
        }
        match walked {
            Ok(()) => Ok(Verdict::Packet),
            Err(_) => Ok(self.walk_far(claim, header, at)),
        }
    }

    /// Compares the checksum of a claim with that of its bytes.
    #[inline]
    fn check_sum(&mut self, claim: &[u8], at: usize) -> Result<(), PacketError> {
        let Some((fields, stored)) = claim.split_last_chunk::<CHECKSUM>() else { return Ok(()) };
        let stored = u32::from_be_bytes(*stored);
        if fields.len() < LONG_CLAIM {
            return check_sum(sums::hash(fields), stored, fields.len());
        }
        let position = self.offset + at as u64;
        if self.sums.covers(position) {
            return check_sum(self.sums.hash(position, fields), stored, fields.len());
        }
        let checked = check_sum(self.ahead.hash(position, fields), stored, fields.len());
        if checked.is_err() {
            self.sums.hash(position, fields);
        }
        checked
    }

    /// The verdict on a candidate of which not all has come. What has is summed while it is at hand.
    fn incomplete(&mut self, bytes: &[u8], at: usize, len: usize, ending: Ending) -> Result<Verdict, usize> {
        let position = self.offset + at as u64;
        if len >= LONG_CLAIM && ending == Ending::Open && !self.sums.covers(position) {
            self.ahead.hash(position, bytes.get(..len - CHECKSUM).unwrap_or(bytes));
        }
        incomplete(bytes.len(), Some(len), ending)
    }

    /// Checks all strings of a packet whose checksum is right and that has more of them than usual.
    #[cold]
    fn walk_far(&mut self, claim: &[u8], header: Header, at: usize) -> Verdict {
        let failed = |kind, offset| Verdict::Failed(PacketError::new(kind, offset), Some(header.len));
        if self.debt.is_too_high(self.offset + at as u64) {
            return failed(PacketErrorKind::Nested, 0);
        }
        match self.layout.read(claim, header, usize::MAX) {
            Ok(()) => Verdict::Packet,
            Err(stop) => {
                self.debt.bytes += claim.len() as u64;
                match stop {
                    Stop::Bad(kind, offset) => failed(kind, offset),
                    Stop::NeedMore | Stop::Unwalked => failed(PacketErrorKind::Truncated(0), claim.len()),
                }
            }
        }
    }

    /// Whether the specification lets a packet begin here, within text.
    fn promised_at(&self, input: &[u8], at: usize) -> bool {
        match at.checked_sub(1) {
            Some(before) => input.get(before) == Some(&b'\n'),
            None => self.promised,
        }
    }

    /// Moves on to the candidate at `at`.
    fn move_to(&mut self, at: usize) {
        if self.scan != at {
            self.scan = at;
            self.seen = None;
        }
    }

    /// The candidate at `at` is no packet: the next may begin one byte after its signature.
    fn pass_over(&mut self, at: usize) {
        self.has_failed |= matches!(self.seen, Some(Verdict::Failed(_, Some(_))));
        self.scan = at + 1;
        self.seen = None;
        self.recovering = true;
    }

    #[inline]
    fn packet(&mut self) -> Found {
        let len = self.layout.len as usize;
        self.consume(len);
        (self.promised, self.recovering, self.has_failed) = (true, false, false);
        self.seen = None;
        Found::Packet(len)
    }

    fn text(&mut self, input: &[u8], len: usize) -> Found {
        let len = len.min(MAX_TEXT);
        let text = input.get(..len).unwrap_or(input);
        self.promised = text.last() == Some(&b'\n');
        let (before, run) = if matches!(self.seen, Some(Verdict::Packet)) {
            // The text ends here: nobody asks what it was.
            Default::default()
        } else {
            self.recovering = self.recovering || !self.run.read_to(input, len);
            (self.before.followed_by(text), self.run.consumed(len))
        };
        self.consume(len);
        (self.before, self.run) = (before, run);
        Found::Text(len)
    }

    fn corrupt(&mut self, len: usize, error: PacketError, promised: bool) -> Found {
        self.promised = promised;
        self.consume(len);
        self.open = None;
        Found::Corrupt(len, error)
    }

    #[inline]
    fn consume(&mut self, len: usize) {
        self.offset += len as u64;
        self.scan = self.scan.saturating_sub(len);
        self.before = Context::default();
        self.run = Run::default();
    }
}

/// The verdict on a candidate of which `come` bytes have come and `len`, if known, are claimed.
#[cold]
fn incomplete(come: usize, len: Option<usize>, ending: Ending) -> Result<Verdict, usize> {
    let missing = len.map_or(1, |len| len.saturating_sub(come).max(1));
    match ending {
        Ending::Open => Err(missing),
        Ending::Stalled => Ok(Verdict::GivenUp),
        Ending::Eof => {
            let error = PacketError::new(PacketErrorKind::Truncated(missing as u32), come);
            Ok(Verdict::Failed(error, Some(len.unwrap_or(MAX_PACKET))))
        }
    }
}

impl Found {
    /// How many bytes the frame consumes.
    #[inline]
    pub(crate) fn len(self) -> usize {
        match self {
            Found::Text(len) | Found::Corrupt(len, _) | Found::Packet(len) => len,
            Found::NeedMore(_) | Found::End => 0,
        }
    }
}

/// The work spent on malformed packets with a right checksum, less four for every byte gone by.
///
/// Nobody makes them by accident. Nested in each other they would be walked again and again; past the limit,
/// which takes eight of the longest kind, they are refused unwalked.
#[derive(Clone, Copy, Debug, Default)]
struct Debt {
    bytes: u64,
    position: u64,
}

impl Debt {
    fn is_too_high(&mut self, position: u64) -> bool {
        self.bytes = self.bytes.saturating_sub(4 * position.saturating_sub(self.position));
        self.position = position;
        self.bytes > 8 * MAX_PACKET as u64
    }
}
