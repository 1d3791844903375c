//! What a candidate is: a packet, or not one, and why.
//!
//! A candidate is a signature byte and what follows it. It is refused at the first thing that cannot be right,
//! cheapest first: header, fields, checksum. A false signature in text then costs nanoseconds, where its claim
//! could be 4 MiB. Three things keep a hostile stream from making that expensive all the same:
//!
//! - Of the strings, [`SHORT`](crate::layout::SHORT) bytes are looked at before the checksum ([`SHORTER_WALK`] after a
//!   candidate with a sound header has failed), and the rest only once the checksum is right ([`Examiner::walk_far`]).
//!   How many does not depend on how many have come, and so neither does the reason that is given.
//! - Claims that overlap take their checksums from kept ones ([`Sums`]), and one that comes in pieces is summed
//!   as they come ([`Ahead`]): each byte is read once.
//! - Malformed packets with a right checksum, which take work to make, are a [`Debt`] that has a limit.

use crate::error::{PacketError, PacketErrorKind};
use crate::layout::{Header, Layout, check_sum};
use crate::sums::{self, Ahead, Sums};
use crate::wire::{CHECKSUM, MAX_PACKET, Stop};

/// How many bytes of strings are looked at before the checksum, once a candidate with a sound header has failed:
/// then hardly any is a packet.
pub(crate) const SHORTER_WALK: usize = 96;
/// Claims from this length on are looked up in the kept checksums, once one there was wrong.
const LONG_CLAIM: usize = 4096;

/// What follows the bytes that have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputEnd {
    /// More, perhaps.
    Open,
    /// Nothing.
    Eof,
    /// More, but not soon enough.
    Stalled,
}

/// How far the strings of a candidate are looked at before its checksum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// This many bytes of them.
    pub(crate) bytes: usize,
    /// None may be longer than this.
    pub(crate) longest: usize,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// A packet, with the examiner's layout.
    Packet,
    /// Not a packet.
    Failed(Damage),
    /// The reader does not want to wait for the rest of it.
    GivenUp,
}

/// What is wrong with a candidate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damage {
    pub(crate) error: PacketError,
    /// How long it claims to be, if its header is sound.
    pub(crate) claim: Option<usize>,
}

/// No verdict yet: this many bytes more complete the candidate, and fewer may be enough to tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missing(pub(crate) usize);

/// Examines candidates, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Examiner {
    /// Where the fields of the packet found last stand.
    layout: Layout,
    ahead: Ahead,
    sums: Sums,
    debt: Debt,
    /// The work spent on heads that were restored.
    pub(crate) restoring: Debt,
}

impl Examiner {
    pub(crate) fn new() -> Self {
        Examiner {
            layout: Layout::default(),
            ahead: Ahead::default(),
            sums: Sums::new(),
            debt: Debt::default(),
            restoring: Debt::default(),
        }
    }

    /// The layout of the packet found last.
    #[inline]
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The length of the packet that `bytes` begin with, if it is one that can be told at a glance.
    #[inline]
    pub(crate) fn glance(&mut self, bytes: &[u8]) -> Option<usize> {
        let glance = self.layout.glance(bytes)?;
        glance.is_intact().then_some(glance.len())
    }

    /// Examines the candidate that `bytes`, which stand at `position` in the stream, begin with, looking at
    /// `walk` bytes of its strings before its checksum.
    pub(crate) fn examine(
        &mut self,
        bytes: &[u8],
        position: u64,
        walk: Walk,
        ending: InputEnd,
    ) -> Result<Verdict, Missing> {
        let header = match Header::read(bytes) {
            Ok(header) => header,
            Err(Stop::Bad(kind, offset)) => {
                return Ok(Verdict::Failed(Damage { error: PacketError::new(kind, offset), claim: None }));
            }
            Err(Stop::NeedMore | Stop::Unwalked) => return incomplete(bytes.len(), None, ending),
        };
        let failed = |error| Ok(Verdict::Failed(Damage { error, claim: Some(header.len) }));
        let walked = match self.layout.read_with(bytes, header, walk) {
            Err(Stop::Bad(kind, offset)) => return failed(PacketError::new(kind, offset)),
            Err(Stop::NeedMore) => return self.incomplete(bytes, position, header.len, ending),
            walked => walked,
        };
        let Some(claim) = bytes.get(..header.len) else {
            return self.incomplete(bytes, position, header.len, ending);
        };
        if let Err(error) = self.check_sum(claim, position) {
            return failed(error);
        }
        match walked {
            Ok(()) => Ok(Verdict::Packet),
            Err(_) => Ok(self.walk_far(claim, header, position)),
        }
    }

    /// Compares the checksum of a claim with that of its bytes.
    fn check_sum(&mut self, claim: &[u8], position: u64) -> Result<(), PacketError> {
        let Some((fields, stored)) = claim.split_last_chunk::<CHECKSUM>() else { return Ok(()) };
        let stored = u32::from_be_bytes(*stored);
        if fields.len() < LONG_CLAIM {
            return check_sum(sums::hash(fields), stored, fields.len());
        }
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
    fn incomplete(
        &mut self,
        bytes: &[u8],
        position: u64,
        len: usize,
        ending: InputEnd,
    ) -> Result<Verdict, Missing> {
        if len >= LONG_CLAIM && ending == InputEnd::Open && !self.sums.covers(position) {
            self.ahead.hash(position, bytes.get(..len - CHECKSUM).unwrap_or(bytes));
        }
        incomplete(bytes.len(), Some(len), ending)
    }

    /// Checks all strings of a packet whose checksum is right and that has more of them than usual.
    #[cold]
    fn walk_far(&mut self, claim: &[u8], header: Header, position: u64) -> Verdict {
        let failed = |kind, offset| {
            let error = PacketError::new(kind, offset);
            Verdict::Failed(Damage { error, claim: Some(header.len) })
        };
        if self.debt.is_too_high(position) {
            return failed(PacketErrorKind::Nested, 0);
        }
        match self.layout.read(claim, header, usize::MAX) {
            Ok(()) => Verdict::Packet,
            Err(stop) => {
                self.debt.add(claim.len());
                match stop {
                    Stop::Bad(kind, offset) => failed(kind, offset),
                    Stop::NeedMore | Stop::Unwalked => failed(PacketErrorKind::Truncated(0), claim.len()),
                }
            }
        }
    }
}

/// The verdict on a candidate of which `come` bytes have come and `len`, if known, are claimed.
#[cold]
fn incomplete(come: usize, len: Option<usize>, ending: InputEnd) -> Result<Verdict, Missing> {
    let missing = len.map_or(1, |len| len.saturating_sub(come).max(1));
    match ending {
        InputEnd::Open => Err(Missing(missing)),
        InputEnd::Stalled => Ok(Verdict::GivenUp),
        InputEnd::Eof => {
            let error = PacketError::new(PacketErrorKind::Truncated(missing as u32), come);
            Ok(Verdict::Failed(Damage { error, claim: Some(len.unwrap_or(MAX_PACKET)) }))
        }
    }
}

/// No verdict before this many bytes more have come; none of a packet, where none come.
pub(crate) fn incomplete_at<T>(missing: usize, ending: InputEnd) -> Result<Option<T>, Missing> {
    if ending == InputEnd::Open { Err(Missing(missing)) } else { Ok(None) }
}

/// The work spent on malformed packets with a right checksum, less four for every byte gone by.
///
/// Nobody makes them by accident. Nested in each other they would be walked again and again; past the limit,
/// which takes eight of the longest kind, they are refused unwalked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Debt {
    bytes: u64,
    position: u64,
}

impl Debt {
    pub(crate) fn add(&mut self, walked: usize) {
        self.bytes += walked as u64;
    }

    pub(crate) fn is_too_high(&mut self, position: u64) -> bool {
        self.bytes = self.bytes.saturating_sub(4 * position.saturating_sub(self.position));
        self.position = position;
        self.bytes > 8 * MAX_PACKET as u64
    }
}
