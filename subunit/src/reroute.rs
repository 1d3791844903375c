//! A route code put before that of a packet, without encoding the packet again.

use alloc::string::String;
use alloc::vec::Vec;

use crate::chunks::encode_chunks;
use crate::encode::{MAX_OVERHEAD, packet_len, put_bytes, put_header, put_number};
use crate::error::{EncodeError, Field};
use crate::event::Event;
use crate::packet::Packet;
use crate::part::part;
use crate::sums::{self, shift};
use crate::wire::{MAX_PACKET, ROUTE_CODE, number_len};

/// From this length on, combining the checksum of the untouched middle costs less than reading it again.
const COMBINE: usize = 50 * 1024;

/// Puts a route code before the one that packets have: `worker-1` makes `worker-1/0` of `0`.
///
/// Header, route code and checksum are written anew, and the bytes between stay as they are. The default is no
/// code: packets and events pass through as they are.
///
/// ```
/// use subunit::{Event, Packet, PacketBuf, RoutePrefix, Status};
///
/// let packet = PacketBuf::encode(&Event::status("boot", Status::Success))?;
/// let mut prefix = RoutePrefix::new("worker-1")?;
/// let mut bytes = Vec::new();
/// prefix.append(&packet.packet(), &mut bytes)?;
/// assert_eq!(Packet::parse(&bytes).unwrap().route_code(), Some("worker-1"));
/// # Ok::<(), subunit::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RoutePrefix {
    code: Option<Code>,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl RoutePrefix {
    /// The prefix `code`.
    ///
    /// # Errors
    ///
    /// When the code holds a NUL or is longer than any packet.
    pub fn new(code: impl Into<String>) -> Result<Self, EncodeError> {
        let code = code.into();
        if code.contains('\0') {
            return Err(EncodeError::Nul(Field::RouteCode));
        }
        if code.len() > MAX_PACKET {
            return Err(EncodeError::TooLong(code.len()));
        }
        Ok(RoutePrefix { code: Some(Code::new(code)), ..RoutePrefix::default() })
    }

    /// The event with the code before its own.
    pub fn event<'a>(&'a mut self, event: &Event<'a>) -> Event<'a> {
        match &mut self.code {
            Some(code) => Event { route_code: Some(code.join(event.route_code)), ..*event },
            None => *event,
        }
    }

    /// Appends the packet with the code before its own; as several packets, where it would get too long.
    ///
    /// # Errors
    ///
    /// When it would get too long and has no file that could be cut; then nothing is appended.
    #[inline]
    pub fn append(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let Some(code) = &self.code else {
            out.extend_from_slice(packet.as_bytes());
            return Ok(());
        };
        let Ok(plan) = Plan::of(packet, code) else {
            return encode_chunks(&self.event(&packet.event()), out);
        };
        let start = out.len();
        out.reserve(plan.len);
        put_header(plan.flags, plan.len, out);
        out.extend_from_slice(plan.middle);
        code.put_field(plan.old, out);
        let sum = sums::hash(part(out, start..));
        out.extend_from_slice(&sum.to_be_bytes());
        Ok(())
    }

    /// The packet with the code before its own, in three parts: the middle one is the packet's own bytes, so
    /// that a long attachment need not be copied.
    ///
    /// # Errors
    ///
    /// When the packet would get too long, which [`append`](RoutePrefix::append) copes with.
    pub fn parts<'a>(&'a mut self, packet: &Packet<'a>) -> Result<[&'a [u8]; 3], EncodeError> {
        let Some(code) = &self.code else { return Ok([&[], packet.as_bytes(), &[]]) };
        let plan = Plan::of(packet, code)?;
        self.head.clear();
        put_header(plan.flags, plan.len, &mut self.head);
        self.tail.clear();
        code.put_field(plan.old, &mut self.tail);
        let sum = if plan.middle.len() < COMBINE {
            self.sum_again(plan.middle)
        } else {
            self.sum_combined(packet, plan.middle)
        };
        self.tail.extend_from_slice(&sum.to_be_bytes());
        Ok([&self.head, plan.middle, &self.tail])
    }

    fn sum_again(&self, middle: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        [&*self.head, middle, &*self.tail].into_iter().for_each(|part| hasher.update(part));
        hasher.finalize()
    }

    /// The new checksum from the old one. With `+` for exclusive or and `s` for a shift by the length of what
    /// follows: old = s(old head) + s(middle) + old tail, and the new one alike. The new tail is never
    /// shorter, so what the middle contributes to the new one is a further shift of what it did to the old.
    fn sum_combined(&self, packet: &Packet<'_>, middle: &[u8]) -> u32 {
        let body = packet.body();
        let (old_fields, old_sum) = packet.fields_and_sum();
        let old_head = part(old_fields, ..body);
        let old_tail = part(old_fields, body + middle.len()..);
        let (middle_len, old_len, new_len) =
            (middle.len() as u64, old_tail.len() as u64, self.tail.len() as u64);
        let of_middle = old_sum ^ shift(sums::hash(old_head), middle_len + old_len) ^ sums::hash(old_tail);
        shift(sums::hash(&self.head), middle_len + new_len)
            ^ shift(of_middle, new_len - old_len)
            ^ sums::hash(&self.tail)
    }
}

/// The code that is put before others, in the forms in which it is written.
#[derive(Clone, Debug)]
struct Code {
    /// The code, a `/`, and the code that this one was put before last.
    joined: String,
    /// The length of the code and the `/`.
    len: usize,
    /// The field of a packet that had no code.
    alone: Vec<u8>,
}

impl Code {
    fn new(code: String) -> Self {
        let mut alone = Vec::new();
        put_bytes(code.as_bytes(), &mut alone);
        let joined = code + "/";
        Code { len: joined.len(), joined, alone }
    }

    /// The code put before another.
    fn join(&mut self, old: Option<&str>) -> &str {
        self.joined.truncate(self.len);
        let Some(old) = old else { return self.joined.strip_suffix('/').unwrap_or(&self.joined) };
        self.joined.push_str(old);
        &self.joined
    }

    /// How long the field is of the code put before another.
    #[inline]
    fn field_len(&self, old: Option<&[u8]>) -> usize {
        old.map_or(self.alone.len(), |old| number_len(self.len + old.len()) + self.len + old.len())
    }

    /// Appends the field of the code put before another.
    #[inline]
    fn put_field(&self, old: Option<&[u8]>, out: &mut Vec<u8>) {
        let Some(old) = old else { return out.extend_from_slice(&self.alone) };
        put_number(self.len + old.len(), out);
        out.extend_from_slice(part(self.joined.as_bytes(), ..self.len));
        out.extend_from_slice(old);
    }
}

/// What the new packet is made of.
struct Plan<'a> {
    flags: u16,
    /// The new packet's length.
    len: usize,
    /// The fields before the route code, which stay.
    middle: &'a [u8],
    /// The old route code.
    old: Option<&'a [u8]>,
}

impl<'a> Plan<'a> {
    #[inline]
    fn of(packet: &Packet<'a>, code: &Code) -> Result<Self, EncodeError> {
        let (middle, old) = (packet.before_route(), packet.route_code_bytes());
        let fields = middle.len() + code.field_len(old);
        let len = packet_len(fields).ok_or(EncodeError::TooLong(fields + MAX_OVERHEAD))?;
        Ok(Plan { flags: packet.flags() | ROUTE_CODE, len, middle, old })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PacketBuf;

    fn check(event: &Event<'_>, mut prefix: RoutePrefix, expected: Option<&str>) {
        let packet = PacketBuf::encode(event).unwrap();
        let event = Event { route_code: expected, ..*event };
        let expected = PacketBuf::encode(&event).unwrap();
        assert!(prefix.parts(&packet.packet()).unwrap().concat() == expected.as_bytes());
        let mut out = b"before".to_vec();
        prefix.append(&packet.packet(), &mut out).unwrap();
        assert!(out[6..] == *expected.as_bytes());
        assert_eq!(prefix.event(&packet.event()), event);
    }

    #[test]
    fn a_rerouted_packet_is_the_one_encoded_with_the_new_route() {
        let worker = || RoutePrefix::new("worker-1").unwrap();
        for len in [0, 10, 45, 50, 16_370, COMBINE, 1 << 20] {
            let content = vec![0x5A; len];
            for route_code in [None, Some(""), Some("0"), Some("a/b")] {
                let event = Event { route_code, ..Event::file("log", &content) };
                let joined = route_code.map_or("worker-1".into(), |old| format!("worker-1/{old}"));
                check(&event, worker(), Some(&joined));
                check(&event, RoutePrefix::default(), route_code);
            }
        }
        check(&Event::default(), RoutePrefix::new("").unwrap(), Some(""));
    }

    #[test]
    fn a_code_stands_before_one_after_the_other() {
        let mut prefix = RoutePrefix::new("a/").unwrap();
        for (route_code, expected) in [(Some("1"), "a//1"), (None, "a/"), (Some(""), "a//"), (None, "a/")] {
            let event = Event { route_code, ..Event::default() };
            assert_eq!(prefix.event(&event).route_code, Some(expected));
            let mut out = Vec::new();
            prefix.append(&PacketBuf::encode(&event).unwrap().packet(), &mut out).unwrap();
            assert_eq!(Packet::parse(&out).unwrap().route_code(), Some(expected));
        }
    }

    #[test]
    fn a_packet_that_gets_too_long_is_split() {
        let content = vec![0; MAX_PACKET - 20];
        let packet = PacketBuf::encode(&Event::file("log", &content)).unwrap();
        let mut prefix = RoutePrefix::new("worker-1").unwrap();
        assert!(prefix.parts(&packet.packet()).is_err());
        let (mut out, mut expected) = (vec![], vec![]);
        prefix.append(&packet.packet(), &mut out).unwrap();
        encode_chunks(&Event { route_code: Some("worker-1"), ..packet.event() }, &mut expected).unwrap();
        assert!(out == expected && out.len() > MAX_PACKET);
    }

    #[test]
    fn what_cannot_carry_the_code_is_refused_whole() {
        let id = "x".repeat(MAX_PACKET - 20);
        let packet = PacketBuf::encode(&Event { test_id: Some(&id), ..Event::default() }).unwrap();
        let mut out = vec![];
        assert!(RoutePrefix::new("worker-1").unwrap().append(&packet.packet(), &mut out).is_err());
        assert!(out.is_empty());
        assert_eq!(RoutePrefix::new("a\0").unwrap_err(), EncodeError::Nul(Field::RouteCode));
    }
}
