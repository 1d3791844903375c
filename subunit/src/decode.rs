//! Bytes to frames: finds the packets of a stream, and loses no byte of what lies between.
//!
//! The decoder owns no input: the caller shows it the bytes that are not consumed yet, as often as more have
//! come. It never fails, never blocks and, once made, never allocates.
//!
//! # Why it is not simple
//!
//! A packet begins with the byte `B3`, which also ends or continues many characters of UTF-8, and stands in
//! attachments. The specification promises packets only at the start of a stream, after a packet and after a
//! newline, but programs print progress without one. Packets get damaged: cut, overwritten, with a wrong length.
//! So every `B3` is a *candidate*, and the decoder has to find out which are packets, without waiting for 4 MiB
//! that a false one claims, and without reading a hostile stream more than once.
//!
//! # Laws
//!
//! 1. Every byte is in exactly one frame, in order.
//! 2. A candidate that checks out is a packet, wherever it stands. One that fails costs no other: the next may
//!    begin one byte after its signature.
//! 3. However the input is cut, the packets and the corrupt frames are the same, and so is the text once
//!    neighbouring frames of it are joined. No decision depends on how much has come;
//!    [`give_up`](Decoder::give_up) is the one exception, and is asked for by name.
//! 4. Time is linear in the input, whatever it is, and memory is fixed.
//!
//! # States
//!
//! Between two calls the decoder is in one of three states, which say what the input's first byte is:
//!
//! | state | the input begins with | what is next | and then |
//! |---|---|---|---|
//! | *fresh* | a promised place; nothing was looked at | a packet | fresh |
//! | | | anything else | text |
//! | *text* | text, perhaps none, and at `scan.at` a candidate or what was not looked at | no candidate: all of it is a text frame | text |
//! | | | a candidate of last rank that is a character: look on behind it | text |
//! | | | a packet: the text before it is a frame, then it is | fresh |
//! | | | a failed candidate at a promised place: the text before it is a frame | corrupt |
//! | | | a failed candidate elsewhere, or one given up: look on behind its signature | text, recovering |
//! | *corrupt* | a failed candidate (`open`), looked at up to `scan.at` | a packet: all before it is the frame | text (then the packet) |
//! | | | the end of its claim or, where its header is unsound, of its line | text |
//! | | | a failed candidate: look on behind its signature | corrupt |
//!
//! Where it takes more bytes to go on, the state stays and the step is [`Step::NeedMore`], after a frame of the
//! text before a candidate; at the end of the input, what has not come is a fault like any other.
//!
//! Fresh is text about which nothing is known. It is a state of its own for speed: most packets follow one
//! another, whole and short, and are taken by a glance.
//!
//! # Ranks
//!
//! In text, a `B3` that completes an intact character is a candidate of last rank: it is text, unless the text is
//! not what a program prints. It is not even examined further than its header. Every `B3` is of full rank at a
//! promised place, and anywhere while the decoder is *recovering*: from a failed candidate, or from text that no
//! program prints, until the next packet. For what is left of a damaged packet looks like the start of a character
//! every fourth time, and would hide the packet behind it.
//!
//! What a candidate is, is found in `examine`; which characters there are in text, in `context`.

use crate::context::{Context, Run, WithinCharacter};
use crate::error::PacketError;
pub(crate) use crate::examine::InputEnd;
use crate::examine::{Examiner, Missing, SHORTER_WALK, Verdict};
use crate::layout::{Header, SHORT};
use crate::packet::Packet;
use crate::part::part;
use crate::wire::{SIGNATURE, Stop};

/// The longest frame of text.
const MAX_TEXT: usize = 1 << 20;
/// The longest corrupt frame of a packet whose length makes no sense, where no newline ends it.
const MAX_LINE: usize = 1 << 16;

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

/// Finds the frames of a stream. It never fails, blocks or allocates, and however the input is cut, finds the
/// same.
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
    /// The state *fresh*: then `scan`, `open` and `past` are as at the start of a stream.
    fresh: bool,
    /// The state *corrupt*: the frame that begins at the input's first byte.
    open: Option<Open>,
    scan: Scan,
    past: Past,
    examiner: Examiner,
}

/// A corrupt frame whose end is not known yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    error: PacketError,
    /// How long the packet claims to be; without a claim it ends with the line.
    claim: Option<usize>,
}

/// How far the input was looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    /// No frame begins before this index of the input, except at 0.
    at: usize,
    /// What the candidate there is, once that was found out.
    seen: Option<Verdict>,
}

/// What came before the input, since the last packet.
#[derive(Clone, Copy, Debug)]
struct Past {
    /// Whether the specification lets a packet begin at the input's first byte.
    promised: bool,
    /// Whether a candidate failed, or the text is not what a program prints.
    recovering: bool,
    /// Whether a candidate with a sound header failed. Unlike `recovering`, this is the same at each byte however
    /// the input is cut.
    has_failed: bool,
    /// The last bytes of the text directly before the input.
    text: Context,
    /// The text, read until it shows damage.
    run: Run,
}

impl Past {
    /// Nothing: the stream begins here, or a packet was the last frame.
    const NOTHING: Past =
        Past { promised: true, recovering: false, has_failed: false, text: Context::EMPTY, run: Run::EMPTY };
}

/// A step without its bytes, so that a reader may keep its buffer while it looks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    NeedMore(usize),
    Text(usize),
    /// A packet of this length, with the examiner's layout.
    Packet(usize),
    Corrupt(usize, PacketError),
    End,
}

/// What came of looking at one candidate.
enum Look {
    /// Something to tell.
    Done(Found),
    /// A change of state: look on.
    On,
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
            fresh: true,
            open: None,
            scan: Scan::default(),
            past: Past::NOTHING,
            examiner: Examiner::new(),
        }
    }

    /// The next frame of `input`, which begins with the first byte that is not consumed yet. `eof` says that
    /// nothing follows.
    pub fn decode<'a>(&mut self, input: &'a [u8], eof: bool) -> Step<'a> {
        let ending = if eof { InputEnd::Eof } else { InputEnd::Open };
        let found = self.find(input, ending);
        self.step(found, input)
    }

    /// Like [`decode`](Decoder::decode), for a reader that has waited long enough: the bytes of a packet that is
    /// not complete become text, and those of a corrupt frame end here.
    ///
    /// This is the only way in which time decides about a frame. [`Step::NeedMore`] is then the answer to an
    /// empty input alone.
    pub fn give_up<'a>(&mut self, input: &'a [u8]) -> Step<'a> {
        let found = self.find(input, InputEnd::Stalled);
        self.step(found, input)
    }

    /// How many bytes of the stream are consumed: the position of the next frame.
    #[inline]
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
        let bytes = part(input, ..found.len());
        match found {
            Found::Packet(_) => Some(Frame::Packet(Packet::of(bytes, self.examiner.layout()))),
            Found::Text(_) => Some(Frame::Text(bytes)),
            Found::Corrupt(_, error) => Some(Frame::Corrupt(bytes, error)),
            Found::NeedMore(_) | Found::End => None,
        }
    }

    /// Looks for the next frame: [`decode`](Decoder::decode) without its bytes.
    #[inline]
    pub(crate) fn find(&mut self, input: &[u8], ending: InputEnd) -> Found {
        if self.fresh {
            if let Some(len) = self.examiner.glance(input) {
                self.offset += len as u64;
                return Found::Packet(len);
            }
        }
        self.search(input, ending)
    }

    /// Looks for the next frame in any state.
    fn search(&mut self, input: &[u8], ending: InputEnd) -> Found {
        loop {
            let look = match self.open {
                Some(open) => self.end_of_corrupt(input, open, ending),
                None => self.end_of_text(input, ending),
            };
            match look {
                Look::Done(found) => {
                    self.fresh = match found {
                        Found::Packet(_) => true,
                        Found::NeedMore(_) | Found::End => self.fresh,
                        Found::Text(_) | Found::Corrupt(..) => false,
                    };
                    return found;
                }
                Look::On => self.fresh = false,
            }
        }
    }

    /// Looks for the next candidate after text.
    fn end_of_text(&mut self, input: &[u8], ending: InputEnd) -> Look {
        let rest = part(input, self.scan.at..);
        let Some(at) = memchr::memchr(SIGNATURE, rest).map(|at| self.scan.at + at) else {
            return Look::Done(match (input.len(), ending) {
                (0, InputEnd::Eof) => Found::End,
                (0, _) => Found::NeedMore(1),
                (len, _) => self.text(input, len),
            });
        };
        if at > MAX_TEXT {
            return Look::Done(self.text(input, at));
        }
        self.move_to(at);
        if !self.past.recovering && !self.promised_at(input, at) {
            match self.past.text.within_character(input, at) {
                WithinCharacter::Yes if self.is_character(input, at) => {
                    self.scan.at = at + 1;
                    return Look::On;
                }
                WithinCharacter::Unknown if ending == InputEnd::Open => {
                    return Look::Done(self.wait(input, at, 1));
                }
                WithinCharacter::Yes | WithinCharacter::Unknown | WithinCharacter::No => {}
            }
        }
        match self.verdict(input, at, ending) {
            Ok(verdict) => self.judge(input, at, verdict),
            Err(Missing(missing)) => Look::Done(self.wait(input, at, missing)),
        }
    }

    /// What becomes of the candidate at `at`, after text, which is what the verdict says.
    fn judge(&mut self, input: &[u8], at: usize, verdict: Verdict) -> Look {
        let begins_frame = match verdict {
            Verdict::Packet => true,
            Verdict::Failed { .. } => self.promised_at(input, at),
            Verdict::GivenUp => false,
        };
        if begins_frame && at > 0 {
            return Look::Done(self.text(input, at));
        }
        match verdict {
            Verdict::Packet => return Look::Done(self.packet()),
            Verdict::Failed { error, claim } if begins_frame => self.open = Some(Open { error, claim }),
            Verdict::Failed { .. } | Verdict::GivenUp => {}
        }
        self.pass_over(at);
        Look::On
    }

    /// Whether the signature byte at `at`, which could be part of a character, is: it cannot be anything else,
    /// or stands in text that a program printed. That never takes more bytes.
    #[inline]
    fn is_character(&mut self, input: &[u8], at: usize) -> bool {
        // Most characters are told by the flags that would follow.
        let no_packet = match *part(input, at + 1..) {
            [high, low, ..] => high & 0xF0 != 0x20 || low & 0x08 != 0,
            _ => false,
        };
        no_packet || self.is_printed_character(input, at)
    }

    fn is_printed_character(&mut self, input: &[u8], at: usize) -> bool {
        if matches!(Header::read(part(input, at..)), Err(Stop::Bad(..))) {
            return true;
        }
        self.past.recovering |= !self.past.run.read_to(input, at);
        !self.past.recovering
    }

    /// Looks for the end of the corrupt frame at the input's start.
    fn end_of_corrupt(&mut self, input: &[u8], open: Open, ending: InputEnd) -> Look {
        let end = open.claim.unwrap_or(MAX_LINE);
        let come = input.get(..end).unwrap_or(input);
        let rest = part(come, self.scan.at..);
        let next = match open.claim {
            Some(_) => memchr::memchr(SIGNATURE, rest),
            None => memchr::memchr2(SIGNATURE, b'\n', rest),
        };
        let Some(at) = next.map(|at| self.scan.at + at) else {
            self.move_to(come.len());
            return Look::Done(if come.len() == end {
                self.corrupt(end, open.error, open.claim.is_some())
            } else if ending == InputEnd::Open {
                Found::NeedMore(end - come.len())
            } else {
                self.corrupt(come.len(), open.error, false)
            });
        };
        if come.get(at) == Some(&b'\n') {
            return Look::Done(self.corrupt(at + 1, open.error, true));
        }
        self.move_to(at);
        match self.verdict(input, at, ending) {
            Err(Missing(missing)) => Look::Done(Found::NeedMore(missing)),
            Ok(Verdict::Packet) => Look::Done(self.corrupt(at, open.error, true)),
            Ok(Verdict::Failed { .. } | Verdict::GivenUp) => {
                self.pass_over(at);
                Look::On
            }
        }
    }

    /// Waits for more of the candidate at `at`, handing on the text before it.
    fn wait(&mut self, input: &[u8], at: usize, missing: usize) -> Found {
        if at > 0 { self.text(input, at) } else { Found::NeedMore(missing) }
    }

    /// The verdict on the candidate at `at`, found once.
    fn verdict(&mut self, input: &[u8], at: usize, ending: InputEnd) -> Result<Verdict, Missing> {
        if let Some(seen) = self.scan.seen {
            return Ok(seen);
        }
        let walk = if self.past.has_failed { SHORTER_WALK } else { SHORT };
        let verdict = self.examiner.examine(part(input, at..), self.offset + at as u64, walk, ending)?;
        self.scan.seen = Some(verdict);
        Ok(verdict)
    }

    /// Whether the specification lets a packet begin here, within text.
    fn promised_at(&self, input: &[u8], at: usize) -> bool {
        match at.checked_sub(1) {
            Some(before) => input.get(before) == Some(&b'\n'),
            None => self.past.promised,
        }
    }

    /// Moves on to the candidate at `at`.
    fn move_to(&mut self, at: usize) {
        if self.scan.at != at {
            self.scan = Scan { at, seen: None };
        }
    }

    /// The candidate at `at` is not a packet: the next may begin one byte after its signature.
    fn pass_over(&mut self, at: usize) {
        self.past.has_failed |= matches!(self.scan.seen, Some(Verdict::Failed { claim: Some(_), .. }));
        self.past.recovering = true;
        self.scan = Scan { at: at + 1, seen: None };
    }

    fn packet(&mut self) -> Found {
        let len = self.examiner.layout().len as usize;
        self.offset += len as u64;
        (self.scan, self.past) = (Scan::default(), Past::NOTHING);
        Found::Packet(len)
    }

    fn text(&mut self, input: &[u8], len: usize) -> Found {
        let len = len.min(MAX_TEXT);
        let text = part(input, ..len);
        self.past.promised = text.last() == Some(&b'\n');
        if matches!(self.scan.seen, Some(Verdict::Packet)) {
            // The text ends here: nobody asks what it was.
            (self.past.text, self.past.run) = (Context::EMPTY, Run::EMPTY);
        } else {
            self.past.recovering = self.past.recovering || !self.past.run.read_to(input, len);
            self.past.text = self.past.text.followed_by(text);
            self.past.run = self.past.run.consumed(len);
        }
        self.consume(len);
        Found::Text(len)
    }

    fn corrupt(&mut self, len: usize, error: PacketError, promised: bool) -> Found {
        self.past.promised = promised;
        (self.past.text, self.past.run) = (Context::EMPTY, Run::EMPTY);
        self.open = None;
        self.consume(len);
        Found::Corrupt(len, error)
    }

    fn consume(&mut self, len: usize) {
        self.offset += len as u64;
        self.scan.at = self.scan.at.saturating_sub(len);
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
