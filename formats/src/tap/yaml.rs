//! The block after a test point that says more of a failure.

use std::io::{self, Write};

use streamresult::{Attachment, Record};

use crate::charset::Content;
use crate::json::push_string;
use crate::shown::{Indented, content};
use crate::time;

/// Writes the block of a record: the way it ended, where and how long it ran, and its attachments.
pub(super) fn write_block(record: &Record<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut head = b"  ---\n  outcome: ".to_vec();
    head.extend_from_slice(record.outcome().as_str().as_bytes());
    head.push(b'\n');
    if let Some(route) = record.route_code() {
        push_pair("  route: ", route, &mut head);
    }
    if !record.tags().is_empty() {
        head.extend_from_slice(b"  tags:\n");
        record.tags().iter().for_each(|tag| push_pair("    - ", tag, &mut head));
    }
    if let Some(duration) = record.duration() {
        head.extend_from_slice(b"  duration_ms: ");
        time::push_exact_seconds(duration.saturating_mul(1000), &mut head);
        head.push(b'\n');
    }
    out.write_all(&head)?;
    if record.attachments().len() > 0 {
        out.write_all(b"  attachments:\n")?;
        record.attachments().try_for_each(|attachment| write_attachment(&attachment, out))?;
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
    match content(attachment)? {
        Content::Binary => Ok(()),
        _ if attachment.is_empty() => Ok(()),
        text => {
            // The indentation is said, because the first line may begin with blanks.
            out.write_all(b"      text: |2\n")?;
            Indented::new(&mut Printable(out), "        ").attachment(attachment, text)
        }
    }
}

fn push_pair(key: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    let mut string = Vec::new();
    push_string(value, &mut string);
    for piece in pieces(&string) {
        match piece {
            Ok(plain) => out.extend_from_slice(plain),
            Err(unprintable) => out.extend_from_slice(format!("\\u{unprintable:04x}").as_bytes()),
        }
    }
    out.push(b'\n');
}

/// Shows the characters that are not control characters, but that YAML does not take.
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

/// UTF-8, cut where U+FEFF, U+FFFE and U+FFFF are; these come by their number.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], u32>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if let Some(number) = unprintable(rest) {
            rest = rest.get(3..).unwrap_or_default();
            return Some(Err(number));
        }
        let len = memchr::memchr_iter(0xEF, rest)
            .find(|at| unprintable(rest.get(*at..).unwrap_or_default()).is_some());
        let (plain, after) = rest.split_at_checked(len.unwrap_or(rest.len()))?;
        rest = after;
        (!plain.is_empty()).then_some(Ok(plain))
    })
}

fn unprintable(bytes: &[u8]) -> Option<u32> {
    match bytes {
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
        push_pair("a: ", "\u{feff}b\u{fffe}\u{ff01}\u{ffff}", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a: \"\\ufeffb\\ufffe\u{ff01}\\uffff\"\n");
        let mut out = Vec::new();
        Printable(&mut out).write_all("\u{ff01}\u{feff}".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\u{ff01}\\u{feff}");
    }
}
