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
//! | | | a packet: the text before it is a frame, then it is | fresh |
//! | | | a failed candidate that is damage: the text before it is a frame | corrupt |
//! | | | another failed candidate, or one given up: look on behind its signature | text |
//! | | | in text that is to be a frame, a packet that has lost its signature: the text before it is a frame | corrupt |
//! | *corrupt* | damage (`open`), looked at up to `scan.at` | a packet: all before it is the frame | text (then the packet) |
//! | | | the end of its claim or, where its header is unsound, of its line, unless the next line is as unsound | text |
//! | | | a failed candidate: look on behind its signature | corrupt |
//!
//! Where it takes more bytes to go on, the state stays and the step is [`Step::NeedMore`], after a frame of the
//! text before what is not decided; at the end of the input, what has not come is a fault like any other.
//!
//! Fresh is text about which nothing is known. It is a state of its own for speed: most packets follow one
//! another, whole and short, and are taken by a glance.
//!
//! # Ranks
//!
//! In text, a `B3` that completes an intact character is a candidate of last rank: a packet if it checks out, since
//! text may end in half a character, and text if it does not. Structure refuses nearly all of them within bytes; a
//! string of 8 KiB is refused too, or text would wait for what its letters claim, read as a length.
//! Every other `B3` is of full rank: at a promised place, where it is not part of a character, and anywhere while the
//! decoder is *recovering*, from damage to the next packet. For what is left of a damaged packet looks like the start
//! of a character every fourth time.
//!
//! A failed candidate of full rank is damage at a promised place. Elsewhere that depends on how much of a packet it
//! looks like: `suspect` says how. There, too, is found what has lost its signature.
//!
//! What a candidate is, is found in `examine`; which characters there are in text, in `context`; what it would be with
//! one bit put right, in `restore`.

use crate::context::{Context, WithinCharacter};
use crate::error::PacketError;
pub(crate) use crate::examine::InputEnd;
use crate::examine::{Damage, Examiner, Missing, SHORTER_WALK, Verdict, Walk};
use crate::layout::SHORT;
use crate::packet::Packet;
use crate::part::part;
use crate::wire::SIGNATURE;
use crate::{restore, suspect};

/// The longest frame of text.
const MAX_TEXT: usize = 1 << 20;
/// The longest corrupt frame of packets whose lengths make no sense.
const MAX_LINES: usize = 1 << 16;
/// The longest string of a packet whose signature ends a character of the text before it.
const LONGEST_BEHIND_TEXT: usize = restore::LONGEST;

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
    /// A frame.
    Frame {
        /// How many bytes it takes from the front of the input: these are not shown again.
        consumed: usize,
        /// The frame itself.
        frame: Frame<'a>,
    },
    /// The input has ended and every byte of it was in a frame.
    End,
}

/// Finds the frames of a stream. It never fails, blocks or allocates, and however the input is cut, finds the
/// same.
///
/// What it promises, and tests hold it to:
///
/// - *Every byte once.* The frames, one after the other, are the stream: bytes are in a packet, in text or in damage.
/// - *Any cut.* Bytes that are shown one by one give the same frames as all at once, text and damage in other pieces.
///   No decision looks at how much has come; [`give_up`](Decoder::give_up) is the one exception, and is asked for.
/// - *No intact packet is lost.* Damage ends where the next packet begins, also within what the damaged one claims.
/// - *Text is text.* A byte that could begin a packet, within a line that a program printed, is part of that line,
///   unless what follows is a packet with its checksum.
/// - *Linear time, bounded memory*, whatever the input is: a byte is looked at a few times, and a caller has to keep one
///   packet at most, [`MAX_PACKET`](crate::MAX_PACKET) bytes, until it is complete.
///
/// ```
/// use subunit::{Decoder, Frame, Step};
///
/// let mut input: &[u8] = b"starting\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
/// let mut decoder = Decoder::new();
/// let mut ids = Vec::new();
/// while let Step::Frame { consumed, frame } = decoder.decode(input, true) {
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
    open: Option<Damage>,
    scan: Scan,
    past: Past,
    examiner: Examiner,
}

/// How far the input was looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    /// No frame begins before this index of the input, except at 0.
    at: usize,
    /// What the candidate there is, once that was found out.
    seen: Option<Verdict>,
    /// What it is as damage, once that was found out of a failed one in text.
    damage: Option<Option<Damage>>,
    /// Before this index no packet begins that has lost its signature.
    cleared: usize,
}

/// What came before the input, since the last packet.
#[derive(Clone, Copy, Debug)]
struct Past {
    /// Whether the specification lets a packet begin at the input's first byte.
    promised: bool,
    /// Whether there was damage.
    recovering: bool,
    /// Whether a candidate with a sound header failed.
    has_failed: bool,
    /// The last bytes of the text directly before the input.
    text: Context,
}

impl Past {
    /// Nothing: the stream begins here, or a packet was the last frame.
    const NOTHING: Past = Past { promised: true, recovering: false, has_failed: false, text: Context::EMPTY };
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
            (_, Some(frame)) => Step::Frame { consumed: found.len(), frame },
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
            return match (input.len(), ending) {
                (0, InputEnd::Eof) => Look::Done(Found::End),
                (0, _) => Look::Done(Found::NeedMore(1)),
                (len, _) => self.text(input, len, ending),
            };
        };
        if at > MAX_TEXT {
            return self.text(input, at, ending);
        }
        self.move_to(at);
        if self.is_text(input, at) {
            self.move_to(at + 1);
            return Look::On;
        }
        match self.verdict_in_text(input, at, ending) {
            Ok(verdict) => self.judge(input, at, verdict, ending),
            Err(Missing(missing)) => self.wait(input, at, missing, ending),
        }
    }

    /// Whether the signature at `at` is text at first sight. That never takes more bytes.
    #[inline]
    fn is_text(&self, input: &[u8], at: usize) -> bool {
        let bytes = part(input, at..);
        let is_any = suspect::is_text(bytes);
        if !is_any && (self.past.recovering || !suspect::is_text_behind_character(bytes)) {
            return false;
        }
        let is_character = || self.past.text.within_character(input, at) == WithinCharacter::Yes;
        !self.promised_at(input, at) && (is_any || is_character())
    }

    /// What the candidate at `at` is, after text: one that failed there, and is not damage, is text.
    fn verdict_in_text(&mut self, input: &[u8], at: usize, ending: InputEnd) -> Result<Verdict, Missing> {
        let promised = self.promised_at(input, at);
        let is_character =
            !promised && !self.past.recovering && self.is_within_character(input, at, ending)?;
        let longest = if is_character { LONGEST_BEHIND_TEXT } else { usize::MAX };
        let verdict = self.verdict(input, at, longest, ending)?;
        let Verdict::Failed(failed) = verdict else { return Ok(verdict) };
        if self.scan.damage.is_none() {
            let (bytes, position) = (part(input, at..), self.offset + at as u64);
            self.scan.damage = Some(match (promised, is_character) {
                (true, _) => Some(failed),
                (false, true) => None,
                (false, false) => self.examiner.damage_in_line(bytes, position, failed, ending)?,
            });
        }
        Ok(verdict)
    }

    /// Whether the signature byte at `at` is part of a character of the text around it.
    fn is_within_character(&self, input: &[u8], at: usize, ending: InputEnd) -> Result<bool, Missing> {
        match self.past.text.within_character(input, at) {
            WithinCharacter::Yes => Ok(true),
            WithinCharacter::Unknown if ending == InputEnd::Open => Err(Missing(1)),
            WithinCharacter::Unknown | WithinCharacter::No => Ok(false),
        }
    }

    /// What becomes of the candidate at `at`, after text, which is what the verdict says.
    fn judge(&mut self, input: &[u8], at: usize, verdict: Verdict, ending: InputEnd) -> Look {
        let damage = self.scan.damage.flatten();
        let is_packet = matches!(verdict, Verdict::Packet);
        if at > 0 && (is_packet || damage.is_some()) {
            return self.text(input, at, ending);
        }
        if is_packet {
            return Look::Done(self.packet());
        }
        self.pass_over(at);
        if let Some(damage) = damage {
            self.begin_corrupt(damage);
        }
        Look::On
    }

    /// The input's first byte begins a corrupt frame.
    fn begin_corrupt(&mut self, damage: Damage) {
        self.open = Some(damage);
        self.past.recovering = true;
        self.scan = Scan { at: 1, ..Scan::default() };
    }

    /// Looks for the end of the corrupt frame at the input's start.
    fn end_of_corrupt(&mut self, input: &[u8], open: Damage, ending: InputEnd) -> Look {
        let end = open.claim.unwrap_or(MAX_LINES);
        let come = input.get(..end).unwrap_or(input);
        let rest = part(come, self.scan.at..);
        let next = match open.claim {
            Some(_) => memchr::memchr(SIGNATURE, rest),
            None => memchr::memchr2(SIGNATURE, b'\n', rest),
        };
        let Some(at) = next.map(|at| self.scan.at + at) else {
            self.move_to(come.len());
            return Look::Done(if come.len() == end {
                self.corrupt(input, end, open)
            } else if ending == InputEnd::Open {
                Found::NeedMore(end - come.len())
            } else {
                self.corrupt(input, come.len(), open)
            });
        };
        self.move_to(at);
        if come.get(at) == Some(&b'\n') {
            return self.end_of_line(input, at, open, ending);
        }
        match self.verdict(input, at, usize::MAX, ending) {
            Err(Missing(missing)) => Look::Done(Found::NeedMore(missing)),
            Ok(Verdict::Packet) => Look::Done(self.corrupt(input, at, open)),
            Ok(Verdict::Failed(Damage { claim: Some(_), .. }))
                if open.claim.is_none() && is_after_newline(input, at) =>
            {
                Look::Done(self.corrupt(input, at, open))
            }
            Ok(Verdict::Failed(_) | Verdict::GivenUp) => {
                self.pass_over(at);
                Look::On
            }
        }
    }

    /// What becomes of a corrupt frame without a claim at the end of a line: it goes on where the next line begins
    /// as senselessly, so that lines full of signatures are few frames.
    fn end_of_line(&mut self, input: &[u8], at: usize, open: Damage, ending: InputEnd) -> Look {
        match input.get(at + 1) {
            None if ending == InputEnd::Open => Look::Done(Found::NeedMore(1)),
            Some(&SIGNATURE) if at + 1 < MAX_LINES => {
                self.move_to(at + 1);
                Look::On
            }
            _ => Look::Done(self.corrupt(input, at + 1, open)),
        }
    }

    /// Waits for more of the candidate at `at`, handing on the text before it.
    fn wait(&mut self, input: &[u8], at: usize, missing: usize, ending: InputEnd) -> Look {
        if at > 0 { self.text(input, at, ending) } else { Look::Done(Found::NeedMore(missing)) }
    }

    /// The verdict on the candidate at `at`, found once.
    fn verdict(
        &mut self,
        input: &[u8],
        at: usize,
        longest: usize,
        ending: InputEnd,
    ) -> Result<Verdict, Missing> {
        if let Some(seen) = self.scan.seen {
            return Ok(seen);
        }
        let bytes = if self.past.has_failed { SHORTER_WALK } else { SHORT };
        let walk = Walk { bytes, longest };
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
            self.scan.at = at;
            (self.scan.seen, self.scan.damage) = (None, None);
        }
    }

    /// The candidate at `at` is not a packet: the next may begin one byte after its signature.
    fn pass_over(&mut self, at: usize) {
        self.past.has_failed |=
            matches!(self.scan.seen, Some(Verdict::Failed(Damage { claim: Some(_), .. })));
        self.move_to(at + 1);
    }

    fn packet(&mut self) -> Found {
        let len = self.examiner.layout().len as usize;
        self.offset += len as u64;
        (self.scan, self.past) = (Scan::default(), Past::NOTHING);
        Found::Packet(len)
    }

    /// Hands on `len` bytes of text, or those before a packet that has lost its signature.
    fn text(&mut self, input: &[u8], len: usize, ending: InputEnd) -> Look {
        let len = len.min(MAX_TEXT);
        let len = match self.damaged_signature(input, len, ending) {
            Ok(None) => len,
            Ok(Some((0, damage))) => {
                self.begin_corrupt(damage);
                return Look::On;
            }
            Err((0, missing)) => return Look::Done(Found::NeedMore(missing)),
            Ok(Some((at, _))) | Err((at, _)) => at,
        };
        let text = part(input, ..len);
        self.past.promised = text.last() == Some(&b'\n');
        self.past.text = self.past.text.followed_by(text);
        self.consume(len);
        Look::Done(Found::Text(len))
    }

    /// The first packet in the text before `end` that has lost its signature, or may have: where it begins, and what
    /// it is or how many bytes are missing to tell.
    fn damaged_signature(
        &mut self,
        input: &[u8],
        end: usize,
        ending: InputEnd,
    ) -> Result<Option<(usize, Damage)>, (usize, usize)> {
        while let Some(at) = suspect::without_signature(input, self.scan.cleared, end) {
            self.scan.cleared = at;
            let position = self.offset + at as u64;
            match self.examiner.damaged_signature(self.past.text, input, at, position, ending) {
                Ok(None) => self.scan.cleared = at + 1,
                Ok(Some(damage)) => return Ok(Some((at, damage))),
                Err(Missing(missing)) => return Err((at, missing)),
            }
        }
        self.scan.cleared = end;
        Ok(None)
    }

    fn corrupt(&mut self, input: &[u8], len: usize, open: Damage) -> Found {
        let ends_at_claim = open.claim == Some(len);
        let is_before_candidate = self.scan.at == len && self.scan.seen.is_some();
        self.past.promised = ends_at_claim || is_before_candidate || is_after_newline(input, len);
        self.past.text = Context::EMPTY;
        self.open = None;
        self.consume(len);
        Found::Corrupt(len, open.error)
    }

    fn consume(&mut self, len: usize) {
        self.offset += len as u64;
        self.scan.at = self.scan.at.saturating_sub(len);
        self.scan.cleared = self.scan.cleared.saturating_sub(len);
    }
}

/// Whether a line begins at `at`.
fn is_after_newline(input: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| input.get(before)) == Some(&b'\n')
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
