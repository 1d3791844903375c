//! What bytes that are not a packet would be if one bit of their head, or the whole signature, were put right.
//!
//! Damage of the signature, the version or a length leaves bytes that structure contradicts, as it does nearly
//! all text. The checksum knows better: where it is right once the head is restored, there was a packet.
//! Looking for that must cost no more than anything else, so claims are short, structure comes first, and the work
//! is a [`Debt`](crate::examine::Debt) with a limit.

use crate::examine::{Examiner, InputEnd, Missing, SHORTER_WALK, incomplete_at};
use crate::layout::{Header, Layout};
use crate::sums;
use crate::wire::{self, CHECKSUM, LENGTH_AT, SIGNATURE, Stop};

/// The longest claim that is restored. Two small letters of a text read as a length are more.
pub(crate) const LONGEST: usize = 0x1FFF;

/// The bits of version and reserved bit in the flags that are wrong.
pub(crate) fn wrong_bits(high: u8, low: u8) -> u16 {
    (u16::from_be_bytes([high, low]) ^ wire::VERSION) & (wire::VERSION_MASK | wire::RESERVED)
}

impl Examiner {
    /// The length of the packet that `bytes` begin with, were their first byte a signature; none if there is no
    /// such packet.
    pub(crate) fn without_signature(
        &mut self,
        bytes: &[u8],
        position: u64,
        ending: InputEnd,
    ) -> Result<Option<usize>, Missing> {
        match *bytes {
            [_, high, low, first, ..] => {
                self.restored(bytes, [SIGNATURE, high, low, first], position, ending)
            }
            _ => incomplete_at(1, ending),
        }
    }

    /// The length of the packet that `bytes`, a failed candidate, begin with, were one bit of its head another;
    /// none if there is no such packet.
    pub(crate) fn one_bit_off(
        &mut self,
        bytes: &[u8],
        position: u64,
        ending: InputEnd,
    ) -> Result<Option<usize>, Missing> {
        let [signature, high, low, first, ..] = *bytes else { return incomplete_at(1, ending) };
        let wrong = wrong_bits(high, low);
        if wrong != 0 {
            let [high, low] = (u16::from_be_bytes([high, low]) ^ wrong).to_be_bytes();
            return self.restored(bytes, [signature, high, low, first], position, ending);
        }
        let mut waits = None;
        for bit in 0..u8::BITS {
            match self.restored(bytes, [signature, high, low, first ^ (1 << bit)], position, ending) {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(missing) => waits = Some(missing),
            }
        }
        match self.one_bit_of_fields(bytes, position, ending) {
            Ok(None) => waits.map_or(Ok(None), Err),
            other => other,
        }
    }

    /// Whether `bytes` are an intact packet with this head in place of theirs, and how long it is.
    fn restored(
        &mut self,
        bytes: &[u8],
        head: [u8; LENGTH_AT + 1],
        position: u64,
        ending: InputEnd,
    ) -> Result<Option<usize>, Missing> {
        let mut start = [0; LENGTH_AT + 3];
        start
            .iter_mut()
            .zip(head.iter().chain(bytes.iter().skip(head.len())))
            .for_each(|(to, from)| *to = *from);
        let header = match Header::read(start.get(..bytes.len()).unwrap_or(&start)) {
            Ok(header) if header.len <= LONGEST => header,
            Ok(_) | Err(Stop::Bad(..)) => return Ok(None),
            Err(Stop::NeedMore | Stop::Unwalked) => return incomplete_at(1, ending),
        };
        let read = |walk| Layout::default().read(bytes, header, walk);
        let walked = match read(SHORTER_WALK) {
            Err(Stop::Bad(..)) => return Ok(None),
            walked => walked,
        };
        let Some(claim) = bytes.get(..header.len) else {
            return incomplete_at(header.len - bytes.len(), ending);
        };
        let Some((fields, stored)) = self.charged(claim, position) else { return Ok(None) };
        let computed = sums::hash_of_two(&head, fields.get(head.len()..).unwrap_or_default());
        let is_intact = computed == stored && (walked.is_ok() || read(usize::MAX).is_ok());
        Ok(is_intact.then_some(header.len))
    }

    /// The length of the packet, if its checksum says that one bit is wrong of its flags, or where the length of
    /// its first field stands: then the fields seem to run past its end.
    fn one_bit_of_fields(
        &mut self,
        bytes: &[u8],
        position: u64,
        ending: InputEnd,
    ) -> Result<Option<usize>, Missing> {
        let header = match Header::read(bytes) {
            Ok(header) if header.len <= LONGEST => header,
            _ => return Ok(None),
        };
        let Some(claim) = bytes.get(..header.len) else {
            return incomplete_at(header.len - bytes.len(), ending);
        };
        let Some((fields, stored)) = self.charged(claim, position) else { return Ok(None) };
        let difference = sums::hash(fields) ^ stored;
        // From the flags to where the fields begin; nothing at all may be between that and the checksum.
        let count = header.body().min(fields.len() - 1);
        let is_one_bit = sums::is_one_bit(difference, count, header.len - 1 - count);
        Ok(is_one_bit.then_some(header.len))
    }

    /// A claim's fields and its checksum, unless too much was restored in vain.
    fn charged<'a>(&mut self, claim: &'a [u8], position: u64) -> Option<(&'a [u8], u32)> {
        if self.restoring.is_too_high(position) {
            return None;
        }
        self.restoring.add(claim.len());
        let (fields, stored) = claim.split_last_chunk::<CHECKSUM>()?;
        Some((fields, u32::from_be_bytes(*stored)))
    }
}
