//! The block after a test point that says more of a failure.
//!
//! It is YAML in few forms, since a block that its reader does not take fails the run. The reader of Perl takes no
//! literal text with a number of blanks (`|2`), no empty line in one, no quoted string with `: ` in a list, and no
//! quoted string of more than 64 KiB. So literal text is written where its first line shows how far it is indented,
//! with blanks on its empty lines, and is quoted elsewhere, in pieces; lists of strings are in brackets.

use std::io::{self, Write};

use streamresult::{Attachment, Record};
use subunit::part;

use crate::charset::{Content, split_whole_characters};
use crate::json::push_string;
use crate::shown::Indented;
use crate::{ci, time, visible};

/// A quoted string has at most this many bytes of text, which may take six times as many.
const PIECE: usize = 8 << 10;

/// Which attachments a block has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    Named(&'static str),
    None,
}

/// What a block says besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Besides {
    Nothing,
    /// The id of the test, which its line shows in another form.
    Id,
}

/// Writes the block of a record: the way it ended, where and how long it ran, and its attachments.
pub(super) fn write_block(
    record: &Record<'_>,
    besides: Besides,
    which: Which,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut head = b"  ---\n  outcome: ".to_vec();
    head.extend_from_slice(record.outcome().as_str().as_bytes());
    head.push(b'\n');
    if besides == Besides::Id {
        push_pair("  id: ", &visible::line(record.test_id()), &mut head);
    }
    if let Some(route) = record.route_code() {
        push_pair("  route: ", route, &mut head);
    }
    if !record.tags().is_empty() {
        for (number, tag) in record.tags().iter().enumerate() {
            head.extend_from_slice(if number == 0 { b"  tags: [" } else { b", " });
            push_quoted(tag, &mut head);
        }
        head.extend_from_slice(b"]\n");
    }
    if let Some(duration) = record.duration() {
        head.extend_from_slice(b"  duration_ms: ");
        time::push_exact_seconds(duration.saturating_mul(1000), &mut head);
        head.push(b'\n');
    }
    out.write_all(&head)?;
    let is_wanted = |attachment: &Attachment<'_>| match which {
        Which::All => true,
        Which::Named(name) => attachment.name() == name,
        Which::None => false,
    };
    let mut attachments = record.attachments().filter(is_wanted).peekable();
    if attachments.peek().is_some() {
        out.write_all(b"  attachments:\n")?;
        attachments.try_for_each(|attachment| write_attachment(&attachment, out))?;
    }
    out.write_all(b"  ...\n")
}

fn write_attachment(attachment: &Attachment<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut head = Vec::new();
    push_pair("    - name: ", attachment.name(), &mut head);
    if let Some(mime_type) = attachment.mime_type() {
        push_pair("      type: ", mime_type, &mut head);
    }
    head.extend_from_slice(b"      bytes: ");
    time::push_number(attachment.len(), &mut head);
    head.push(b'\n');
    out.write_all(&head)?;
    match Content::of_attachment(attachment)? {
        Content::Binary => Ok(()),
        _ if attachment.is_empty() => Ok(()),
        text if shows_indentation(attachment)? => {
            out.write_all(b"      text: |\n")?;
            Indented::padded(&mut Printable(out), "        ").attachment(attachment, text)
        }
        text => write_quoted(attachment, text, out),
    }
}

/// Whether the first line of a text begins with neither a blank nor its end.
fn shows_indentation(attachment: &Attachment<'_>) -> io::Result<bool> {
    Ok(attachment.head(1)?.first().is_some_and(|first| !first.is_ascii_whitespace()))
}

fn write_quoted(attachment: &Attachment<'_>, content: Content, out: &mut impl Write) -> io::Result<()> {
    let bytes = attachment.head(usize::MAX)?;
    let text = content.decode(&bytes);
    let shown = visible::lossy_text(&text);
    let mut text = ci::defuse(&shown, true).into_owned();
    if attachment.left_out() > 0 {
        text += &format!("\n[{} bytes more, left out]\n", attachment.left_out());
    }
    let (mut rest, mut number) = (text.as_str(), 1);
    while !rest.is_empty() {
        let piece =
            rest.as_bytes().get(..PIECE).map_or(rest.len(), |piece| split_whole_characters(piece).0.len());
        let (piece, behind) = rest.split_at(piece);
        let key = if number == 1 { "      text: ".to_owned() } else { format!("      text-{number}: ") };
        let mut line = Vec::new();
        push_pair(&key, piece, &mut line);
        out.write_all(&line)?;
        (rest, number) = (behind, number + 1);
    }
    Ok(())
}

fn push_pair(key: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    push_quoted(value, out);
    out.push(b'\n');
}

fn push_quoted(value: &str, out: &mut Vec<u8>) {
    let mut string = Vec::new();
    push_string(value, &mut string);
    for piece in pieces(&string) {
        match piece {
            Ok(plain) => out.extend_from_slice(plain),
            Err(unprintable) => out.extend_from_slice(format!("\\u{unprintable:04x}").as_bytes()),
        }
    }
}

/// Shows the characters that are not control characters, but that YAML does not take, or takes for the end of a line.
struct Printable<'a, W>(&'a mut W);

impl<W: Write> Write for Printable<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in pieces(bytes) {
            match piece {
                Ok(plain) => self.0.write_all(plain)?,
                Err(unprintable) => write!(self.0, "\\u{{{unprintable:x}}}")?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// UTF-8, cut where U+2028, U+2029, U+FEFF, U+FFFE and U+FFFF are; these come by their number.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], u32>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if let Some(number) = unprintable(rest) {
            rest = part(rest, 3..);
            return Some(Err(number));
        }
        let len = memchr::memchr2_iter(0xE2, 0xEF, rest).find(|at| unprintable(part(rest, *at..)).is_some());
        let (plain, after) = rest.split_at_checked(len.unwrap_or(rest.len()))?;
        rest = after;
        (!plain.is_empty()).then_some(Ok(plain))
    })
}

fn unprintable(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [0xE2, 0x80, 0xA8, ..] => Some(0x2028),
        [0xE2, 0x80, 0xA9, ..] => Some(0x2029),
        [0xEF, 0xBB, 0xBF, ..] => Some(0xFEFF),
        [0xEF, 0xBF, 0xBE, ..] => Some(0xFFFE),
        [0xEF, 0xBF, 0xBF, ..] => Some(0xFFFF),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_does_not_take_is_shown() {
        let mut out = Vec::new();
        push_pair("a: ", "\u{feff}b\u{fffe}\u{ff01}\u{ffff}\u{2028}\u{2027}", &mut out);
        let expected = "a: \"\\ufeffb\\ufffe\u{ff01}\\uffff\\u2028\u{2027}\"\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        Printable(&mut out).write_all("\u{ff01}\u{feff}".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\u{ff01}\\u{feff}");
    }
}
