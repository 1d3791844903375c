//! From bytes in the encoding of a document to UTF-8.

use encoding_rs::{CoderResult, Decoder, Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;

use super::error::{Failure, problem};
use super::tag::each_attribute;
use subunit::part;

/// In a longer declaration the encoding is not looked for.
const LONGEST_DECLARATION: usize = 1024;
/// How much is decoded at a time.
const PIECE: usize = 16 << 10;

/// Decodes bytes that come in any pieces. Documents in UTF-8, as nearly all are, are passed through untouched.
pub(crate) struct Decoding {
    /// The first bytes, until they tell the encoding.
    head: Vec<u8>,
    state: State,
    out: Vec<u8>,
}

enum State {
    Unknown,
    Utf8,
    Other(Decoder),
}

impl Decoding {
    pub(crate) fn new() -> Self {
        Decoding { head: Vec::new(), state: State::Unknown, out: Vec::new() }
    }

    /// Takes bytes, the last ones where `last` says so, and gives text.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        last: bool,
        mut text: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if !matches!(self.state, State::Unknown) {
            return self.pass(bytes, last, &mut text);
        }
        self.head.extend_from_slice(bytes);
        let Some((encoding, mark)) = encoding(&self.head, last)? else { return Ok(()) };
        self.state = if encoding == UTF_8 {
            State::Utf8
        } else {
            State::Other(encoding.new_decoder_without_bom_handling())
        };
        let head = std::mem::take(&mut self.head);
        self.pass(part(&head, mark..), last, &mut text)
    }

    fn pass(
        &mut self,
        bytes: &[u8],
        last: bool,
        text: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let State::Other(decoder) = &mut self.state else { return text(bytes) };
        self.out.resize(PIECE, 0);
        let mut rest = bytes;
        loop {
            let (result, read, written, _) = decoder.decode_to_utf8(rest, &mut self.out, last);
            rest = part(rest, read..);
            text(part(&self.out, ..written))?;
            if result == CoderResult::InputEmpty {
                return Ok(());
            }
        }
    }
}

impl std::fmt::Debug for Decoding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Decoding").field("head", &self.head).finish_non_exhaustive()
    }
}

/// The encoding of a document that begins like this, and how long its byte order mark is; `None` when it takes
/// more bytes to tell.
fn encoding(head: &[u8], is_all: bool) -> Result<Option<(&'static Encoding, usize)>, Failure> {
    match head {
        [0xEF, 0xBB, 0xBF, ..] => return Ok(Some((UTF_8, 3))),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] | [b'<', 0, 0, 0, ..] | [0, 0, 0, b'<', ..] => {
            return problem("the encoding is UTF-32, which is not read");
        }
        _ if head.len() < 4 && !is_all => return Ok(None),
        [0xFF, 0xFE, ..] => return Ok(Some((UTF_16LE, 2))),
        [0xFE, 0xFF, ..] => return Ok(Some((UTF_16BE, 2))),
        [b'<', 0, ..] => return Ok(Some((UTF_16LE, 0))),
        [0, b'<', ..] => return Ok(Some((UTF_16BE, 0))),
        _ => {}
    }
    let Some(declaration) = declaration(head, is_all) else { return Ok(None) };
    let Some(label) = label(declaration) else { return Ok(Some((UTF_8, 0))) };
    match Encoding::for_label(label.as_bytes()) {
        // It is not: the declaration could be read. Some writers of .NET say so.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(Some((UTF_8, 0))),
        Some(encoding) if encoding != REPLACEMENT => Ok(Some((encoding, 0))),
        _ => problem(format!("the encoding {} is not known", crate::visible::line(&label))),
    }
}

/// What stands between `<?` and `?>` at the start; empty when there is no declaration, `None` when it takes more
/// bytes to tell.
fn declaration(head: &[u8], is_all: bool) -> Option<&[u8]> {
    const OPENING: &[u8] = b"<?xml";
    let head = head.trim_ascii_start();
    let may_be = head.starts_with(OPENING) || OPENING.starts_with(head) && !is_all;
    if !may_be {
        return Some(&[]);
    }
    let start = head.get(..LONGEST_DECLARATION).unwrap_or(head);
    match memmem::find(start, b"?>") {
        Some(end) => start.get(2..end),
        None if is_all || start.len() == LONGEST_DECLARATION => Some(&[]),
        None => None,
    }
}

fn label(declaration: &[u8]) -> Option<String> {
    let mut label = None;
    let declaration = std::str::from_utf8(declaration).ok().filter(|text| text.starts_with("xml"))?;
    let read = each_attribute(declaration, "xml".len(), |key, value| {
        if key == "encoding" {
            label = Some(value.to_owned());
        }
        Ok(())
    });
    read.ok().and(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], piece: usize) -> Result<String, String> {
        let mut decoding = Decoding::new();
        let mut out = Vec::new();
        let mut text = |text: &[u8]| {
            out.extend_from_slice(text);
            Ok(())
        };
        let fed = bytes
            .chunks(piece)
            .try_for_each(|piece| decoding.feed(piece, false, &mut text))
            .and_then(|()| decoding.feed(&[], true, &mut text));
        match fed {
            Ok(()) => Ok(String::from_utf8_lossy(&out).into_owned()),
            Err(Failure::Problem(problem)) => Err(problem),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn check(bytes: &[u8], expected: Result<&str, &str>) {
        for piece in 1..=bytes.len().max(1) {
            let found = decode(bytes, piece);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "in pieces of {piece}");
        }
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn utf8_is_passed_on() {
        check(b"", Ok(""));
        check("<a>ü</a>".as_bytes(), Ok("<a>ü</a>"));
        check(b"\xEF\xBB\xBF<a/>", Ok("<a/>"));
        check(b"<?xml version='1.0'?><a/>", Ok("<?xml version='1.0'?><a/>"));
        check(b"<?xm", Ok("<?xm"));
    }

    #[test]
    fn a_declared_encoding_is_decoded() {
        let head = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>";
        let bytes = [head.as_bytes(), b"<a>gr\xFCn</a>"].concat();
        check(&bytes, Ok(&format!("{head}<a>grün</a>")));
        let long = "x".repeat(2 * LONGEST_DECLARATION);
        let bytes = [head.as_bytes(), long.as_bytes(), b"\xFC"].concat();
        assert_eq!(decode(&bytes, bytes.len()), Ok(format!("{head}{long}ü")), "also in one piece");
        check(b"<?xml encoding='x-none'?><a/>", Err("the encoding x-none is not known"));
        let quirk = "<?xml version='1.0' encoding='utf-16'?><a>ü</a>";
        check(quirk.as_bytes(), Ok(quirk));
    }

    #[test]
    fn utf16_is_known_by_its_first_bytes() {
        let text = "<?xml version='1.0' encoding='UTF-16'?><a>ü😀</a>";
        check(&utf16(text, u16::to_le_bytes), Ok(text));
        check(&utf16(text, u16::to_be_bytes), Ok(text));
        check(&utf16(&format!("\u{feff}{text}"), u16::to_le_bytes), Ok(text));
        check(&utf16(&format!("\u{feff}{text}"), u16::to_be_bytes), Ok(text));
        check(b"<\0\0\0a\0\0\0", Err("the encoding is UTF-32, which is not read"));
    }
}
