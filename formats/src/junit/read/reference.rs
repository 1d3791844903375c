//! References and line ends: from what stands in a document to what it means.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::error::{Failure, columns, problem};
use subunit::{part, split_part, text_part};

/// Anything longer is not a reference.
const LONGEST: usize = 32;
const NO_REFERENCE: &str = "an & that begins no reference";

/// Turns text that comes in any pieces into what it means.
#[derive(Debug, Default)]
pub(crate) struct References {
    /// The reference whose end has not come, from its `&` on.
    held: Vec<u8>,
    /// Where it begins: this many bytes after the start of the last piece, or this many characters before it.
    at: isize,
    /// Whether the last byte was a CR.
    after_cr: bool,
    out: Vec<u8>,
}

impl References {
    /// A piece of text: what it means, as far as it means something.
    #[inline]
    pub(crate) fn text<'t>(&'t mut self, piece: &'t [u8]) -> (&'t [u8], Result<(), Failure>) {
        if self.held.is_empty() && !self.after_cr && memchr2(b'&', b'\r', piece).is_none() {
            return (piece, Ok(()));
        }
        self.out.clear();
        let resolved = self.resolve(piece);
        (&self.out, resolved)
    }

    fn resolve(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.at = -self.held_columns();
        let mut rest = piece;
        while !rest.is_empty() {
            if !self.held.is_empty() {
                self.reference(&mut rest)?;
                continue;
            }
            let plain = memchr2(b'&', b'\r', rest).unwrap_or(rest.len());
            self.plain(&mut rest, plain);
            match rest.split_first() {
                Some((b'&', after)) => {
                    if let Some(after) = self.usual(after) {
                        rest = after;
                        continue;
                    }
                    self.at = (piece.len() - rest.len()) as isize;
                    self.held.push(b'&');
                    rest = after;
                }
                Some((_, after)) => {
                    self.line_end();
                    rest = after;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// A piece of CDATA, in which there are no references.
    pub(crate) fn cdata<'t>(&'t mut self, piece: &'t [u8]) -> (&'t [u8], Result<(), Failure>) {
        let ended = self.end();
        if ended.is_err() || !self.after_cr && memchr(b'\r', piece).is_none() {
            return (if ended.is_err() { &[] } else { piece }, ended);
        }
        self.out.clear();
        let mut rest = piece;
        while !rest.is_empty() {
            let plain = memchr(b'\r', rest).unwrap_or(rest.len());
            self.plain(&mut rest, plain);
            if let Some((_, after)) = rest.split_first() {
                self.line_end();
                rest = after;
            }
        }
        (&self.out, Ok(()))
    }

    /// The end of the text.
    pub(crate) fn end(&self) -> Result<(), Failure> {
        if self.held.is_empty() {
            return Ok(());
        }
        Err(Failure::Reference { problem: NO_REFERENCE.to_owned(), at: -self.held_columns() })
    }

    /// How many characters of a reference have come.
    fn held_columns(&self) -> isize {
        columns(&self.held) as isize
    }

    /// Whether a reference has begun and not ended.
    #[inline]
    pub(crate) fn is_in_one(&self) -> bool {
        !self.held.is_empty()
    }

    /// Forgets the text before: markup stands between.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.held.clear();
        self.after_cr = false;
    }

    fn plain(&mut self, rest: &mut &[u8], len: usize) {
        let (plain, after) = split_part(rest, len);
        *rest = after;
        let plain = if self.after_cr { plain.strip_prefix(b"\n").unwrap_or(plain) } else { plain };
        self.after_cr &= len == 0;
        self.out.extend_from_slice(plain);
    }

    /// CR and CR LF are one LF.
    fn line_end(&mut self) {
        self.out.push(b'\n');
        self.after_cr = true;
    }

    /// Takes one of the three that nearly all are, if it is all there, and says what comes after it.
    fn usual<'t>(&mut self, after: &'t [u8]) -> Option<&'t [u8]> {
        let usual: [(&[u8], u8); 3] = [(b"lt;", b'<'), (b"gt;", b'>'), (b"amp;", b'&')];
        let (rest, byte) = usual.iter().find_map(|(name, byte)| Some((after.strip_prefix(*name)?, *byte)))?;
        self.after_cr = false;
        self.out.push(byte);
        Some(rest)
    }

    /// Takes more of a reference.
    fn reference(&mut self, rest: &mut &[u8]) -> Result<(), Failure> {
        self.after_cr = false;
        let end = rest.iter().position(|byte| !is_of_name(*byte)).unwrap_or(rest.len());
        let (name, after) = split_part(rest, end);
        if self.held.len() + name.len() > LONGEST {
            return self.no_reference();
        }
        self.held.extend_from_slice(name);
        *rest = after;
        match after.split_first() {
            None => Ok(()),
            Some((b';', after)) => {
                *rest = after;
                let name = String::from_utf8_lossy(part(&self.held, 1..)).into_owned();
                self.held.clear();
                let mut text = String::new();
                resolve(&name, &mut text).map_err(|failure| self.placed(failure))?;
                self.out.extend_from_slice(text.as_bytes());
                Ok(())
            }
            Some(_) => self.no_reference(),
        }
    }

    fn no_reference(&self) -> Result<(), Failure> {
        problem(NO_REFERENCE).map_err(|failure| self.placed(failure))
    }

    fn placed(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Problem(problem) => Failure::Reference { problem, at: self.at },
            other => other,
        }
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'_' | b'-' | b'.' | b':' | 0x80..)
}

/// Appends what the reference of this name stands for.
fn resolve(name: &str, out: &mut String) -> Result<(), Failure> {
    let digits = name.strip_prefix('#').map(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    });
    match (name, digits) {
        ("lt", _) => out.push('<'),
        ("gt", _) => out.push('>'),
        ("amp", _) => out.push('&'),
        ("quot", _) => out.push('"'),
        ("apos", _) => out.push('\''),
        (_, Some((digits, base))) if digits.bytes().all(|digit| char::from(digit).is_digit(base)) => {
            match u32::from_str_radix(digits, base).ok().and_then(char::from_u32) {
                Some(character) => out.push(character),
                // Some writers make two of a character beyond U+FFFF. Nothing is lost.
                None => out.extend(["&", name, ";"]),
            }
        }
        _ => return problem(format!("the entity &{name}; is not one of XML's own, and no other is read")),
    }
    Ok(())
}

/// Whether this stands for something else within an attribute.
#[inline]
fn is_special(byte: u8) -> bool {
    byte == b'&' || byte < b' '
}

/// Whether nothing in this text stands for something else within an attribute.
#[inline]
pub(crate) fn is_plain(text: &str) -> bool {
    // Without a branch for each byte, the compiler looks at sixteen at once.
    let (chunks, rest) = text.as_bytes().as_chunks::<16>();
    let any = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | is_special(*byte));
    !chunks.iter().any(|chunk| chunk.iter().fold(false, |any, byte| any | is_special(*byte))) && !any(rest)
}

/// What the value of an attribute means: white space in it is blanks.
pub(crate) fn attribute(value: &str) -> Result<Cow<'_, str>, Failure> {
    if is_plain(value) {
        return Ok(Cow::Borrowed(value));
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.bytes().position(is_special) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        if let Some(reference) = from.strip_prefix('&') {
            let Some((name, after)) = reference.split_once(';').filter(|(name, _)| name.len() < LONGEST)
            else {
                return problem(NO_REFERENCE);
            };
            resolve(name, &mut out)?;
            rest = after;
        } else {
            let first = from.as_bytes().first().copied().unwrap_or_default();
            let is_white = matches!(first, b'\t' | b'\n' | b'\r');
            out.push(if is_white { ' ' } else { char::from(first) });
            rest = from.strip_prefix("\r\n").unwrap_or_else(|| text_part(from, 1..));
        }
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, piece: usize) -> Result<String, Failure> {
        let mut references = References::default();
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            let (text, read) = references.text(piece);
            out.extend_from_slice(text);
            read?;
        }
        references.end()?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn check(input: &str, expected: &str) {
        for piece in 1..=input.len().max(1) {
            assert_eq!(text(input, piece).unwrap(), expected, "in pieces of {piece}");
        }
    }

    fn check_problem(input: &str, expected: &str) {
        for piece in 1..=input.len() {
            let found = text(input, piece);
            assert!(matches!(found, Err(Failure::Reference { problem, .. }) if problem.contains(expected)));
        }
    }

    #[test]
    fn references_are_what_they_stand_for() {
        check("", "");
        check("a &lt;b&gt; &amp;amp; &quot;&apos;", "a <b> &amp; \"'");
        check("&#65;&#x42;&#X43;&#128512;", "ABC😀");
        check("&#27;[31m&#0;", "\u{1b}[31m\0");
    }

    #[test]
    fn a_reference_to_no_character_stays() {
        check("&#55357;&#56832;&#x110000;&#99999999999;", "&#55357;&#56832;&#x110000;&#99999999999;");
    }

    #[test]
    fn line_ends_are_newlines() {
        check("a\r\nb\rc\n\r\r\nd\r", "a\nb\nc\n\n\nd\n");
        check("a&#13;\r\n&#13;\n", "a\r\n\r\n");
        let mut references = References::default();
        let cdata: Vec<u8> =
            [&b"a\r"[..], b"\nb&amp;"].iter().flat_map(|piece| references.cdata(piece).0.to_vec()).collect();
        assert_eq!(cdata, b"a\nb&amp;");
    }

    #[test]
    fn entities_of_others_are_refused() {
        check_problem("a &b; c", "the entity &b; is not one of XML's own");
        check_problem("a & b", "begins no reference");
        check_problem("a &b", "begins no reference");
        check_problem("&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", "begins no reference");
    }

    #[test]
    fn white_space_in_attributes_is_blanks() {
        let check = |value, expected: &str| assert_eq!(attribute(value).unwrap(), expected);
        check("plain ü", "plain ü");
        check("a\r\nb\tc\n&#10;&lt;&#9;\u{1}", "a b c \n<\t\u{1}");
        assert!(attribute("a & b").is_err() && attribute("&x;").is_err() && attribute("&").is_err());
    }
}
