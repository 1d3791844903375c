//! UTF-16 with a byte order mark, as PowerShell writes what `>` and `Tee-Object` are given.

use std::borrow::Cow;

use subunit::part;

/// Makes UTF-8 of bytes that come in any pieces, where the first two are the mark of UTF-16. Other bytes stay as they
/// are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Utf16 {
    form: Form,
    /// The first byte of a unit whose second has not come, or of what may be a mark.
    byte: Option<u8>,
    /// The first half of a character whose second has not come.
    half: Option<u16>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// Fewer than two bytes have come.
    #[default]
    Unknown,
    /// It is something else.
    Bytes,
    Little,
    Big,
}

impl Utf16 {
    /// The next bytes; some may wait for more.
    pub(crate) fn decode<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match self.form {
            Form::Bytes => Cow::Borrowed(bytes),
            Form::Unknown => self.begin(bytes),
            Form::Little | Form::Big => Cow::Owned(self.units(bytes)),
        }
    }

    /// There are no more bytes: what waited. Another input may follow.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let Utf16 { form, byte, half } = std::mem::take(self);
        match (form, byte, half) {
            (Form::Unknown, byte, _) => byte.into_iter().collect(),
            (_, None, None) => Vec::new(),
            _ => REPLACEMENT.to_vec(),
        }
    }

    fn begin<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut first = self.byte.into_iter().chain(bytes.iter().copied());
        self.form = match (first.next(), first.next()) {
            (Some(0xFF), Some(0xFE)) => Form::Little,
            (Some(0xFE), Some(0xFF)) => Form::Big,
            (Some(byte @ (0xFE | 0xFF)), None) => {
                self.byte = Some(byte);
                return Cow::Owned(Vec::new());
            }
            (None, _) => return Cow::Borrowed(bytes),
            _ => Form::Bytes,
        };
        let held = self.byte.take();
        match (self.form, held) {
            (Form::Bytes, None) => Cow::Borrowed(bytes),
            (Form::Bytes, Some(byte)) => Cow::Owned([&[byte], bytes].concat()),
            _ => Cow::Owned(self.units(part(bytes, 2 - usize::from(held.is_some())..))),
        }
    }

    fn units(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut text = String::with_capacity(bytes.len() / 2 + 4);
        for byte in bytes {
            let Some(first) = self.byte.take() else {
                self.byte = Some(*byte);
                continue;
            };
            let pair = [first, *byte];
            let unit =
                if self.form == Form::Little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
            self.unit(unit, &mut text);
        }
        text.into_bytes()
    }

    fn unit(&mut self, unit: u16, text: &mut String) {
        let is_first_half = (0xD800..0xDC00).contains(&unit);
        let units = self.half.take().into_iter().chain((!is_first_half).then_some(unit));
        text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        self.half = is_first_half.then_some(unit);
    }
}

/// What stands for half a character.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &[u8]) {
        for piece in [1, 2, 3, bytes.len().max(1)] {
            let mut decoder = Utf16::default();
            let mut out: Vec<u8> =
                bytes.chunks(piece).flat_map(|piece| decoder.decode(piece).into_owned()).collect();
            out.extend(decoder.finish());
            assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_mark_tells_the_order_of_bytes() {
        let text = "ok 1 - grün 😀\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&[b"\xff\xfe", &*little].concat(), text.as_bytes());
        check(&[b"\xfe\xff", &*big].concat(), text.as_bytes());
        check(&little, &little);
    }

    #[test]
    fn other_bytes_stay() {
        for bytes in
            [&b""[..], b"a", b"\xff", b"\xfe", b"\xff\xffab", b"\xfe\xfe", b"ok\n", b"\xef\xbb\xbfok\n"]
        {
            check(bytes, bytes);
        }
    }

    #[test]
    fn what_is_cut_off_is_shown() {
        check(b"\xff\xfea\0b", "a\u{fffd}".as_bytes());
        check(b"\xff\xfe\x3d\xd8a\0", "\u{fffd}a".as_bytes());
        check(b"\xff\xfe\x3d\xd8", "\u{fffd}".as_bytes());
        check(b"\xff\xfe\x00\xde", "\u{fffd}".as_bytes());
    }
}
