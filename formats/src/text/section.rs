//! A test in full: what became of it, and the text of its attachments.

use std::io::{self, Read as _, Write};

use streamresult::{Attachment, Outcome, Record};
use subunit::{BYTES_TYPE, Event, Status, Timestamp, part};

use super::Tone;
use super::line::{title, word, write_length};
use crate::charset::Content;
use crate::harmless;
use crate::shown::Indented;

/// Longer texts are shown without their middle.
const LONGEST: u64 = 1 << 20;
/// The bytes of a damaged packet say little to people.
const LONGEST_DAMAGE: u64 = 1 << 10;

const INDENT: &str = "    ";

/// How sections are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sections {
    pub(super) color: bool,
    /// Texts are shown in full.
    pub(super) whole: bool,
    /// The latest time in the stream.
    pub(super) latest: Option<Timestamp>,
}

impl Sections {
    /// Writes a test with all that came with it, and an empty line.
    pub(super) fn test(self, record: &Record<'_>, out: &mut impl Write) -> io::Result<()> {
        let (word, tone) = word(record);
        tone.write(word, self.color, out)?;
        writeln!(out, "  {}", title(record.test_id(), record.route_code()))?;
        let facts = self.facts(record);
        if !facts.is_empty() {
            out.write_all(b"  ")?;
            Tone::Aside.write(&facts, self.color, out)?;
            out.write_all(b"\n")?;
        }
        self.attachments(record, out)?;
        out.write_all(b"\n")
    }

    /// Writes the attachments of a test.
    pub(super) fn attachments(self, record: &Record<'_>, out: &mut impl Write) -> io::Result<()> {
        let longest = match (self.whole, record.is_damage()) {
            (true, _) => u64::MAX,
            (false, true) => LONGEST_DAMAGE,
            (false, false) => LONGEST,
        };
        record.attachments().try_for_each(|attachment| write_attachment(&attachment, longest, out))
    }

    /// What is known of a test in one line; empty where that is nothing.
    fn facts(self, record: &Record<'_>) -> String {
        let mut facts = Vec::new();
        if record.outcome() == Outcome::Unfinished {
            self.push_unfinished(record, &mut facts);
        } else if let Some(duration) = record.duration() {
            write_length(duration, &mut facts);
        }
        if !record.tags().is_empty() {
            let tags: Vec<_> = record.tags().iter().map(harmless::line).collect();
            let separator = if facts.is_empty() { "" } else { "; " };
            facts.extend_from_slice(format!("{separator}tags: {}", tags.join(", ")).as_bytes());
        }
        String::from_utf8_lossy(&facts).into_owned()
    }

    /// How long a test ran, as far as the stream tells, and what was heard of it last.
    fn push_unfinished(self, record: &Record<'_>, facts: &mut Vec<u8>) {
        facts.extend_from_slice(b"never finished");
        if let (Some(first), Some(end)) = (record.first(), self.latest) {
            facts.extend_from_slice(b": ran for ");
            write_length(end.saturating_since(first), facts);
            facts.extend_from_slice(b" up to the end of the stream");
        }
        facts.extend_from_slice(format!("; last sign of life: {}", record.last_sign()).as_bytes());
        if let (Some(last), Some(end)) = (record.last(), self.latest) {
            facts.extend_from_slice(b", ");
            write_length(end.saturating_since(last), facts);
            facts.extend_from_slice(b" before the end");
        }
    }

    /// Writes a failure that does not belong to a test.
    pub(super) fn global(self, event: &Event<'_>, status: Status, out: &mut impl Write) -> io::Result<()> {
        let word = if status == Status::UxSuccess { "UXSUCCESS" } else { "FAIL" };
        Tone::Bad.write(word, self.color, out)?;
        writeln!(out, "  {}", run_as_a_whole(event))?;
        if let Some(file) = event.file {
            write_piece(file.name, event.mime_type, file.bytes, out)?;
        }
        out.write_all(b"\n")
    }

    /// Writes what came for a test after its end.
    pub(super) fn late(self, event: &Event<'_>, out: &mut impl Write) -> io::Result<()> {
        let (Some(test_id), Some(file)) = (event.test_id, event.file) else { return Ok(()) };
        Tone::Notice.write("LATE", self.color, out)?;
        writeln!(out, "  {}", title(test_id, event.route_code))?;
        write_piece(file.name, event.mime_type, file.bytes, out)?;
        out.write_all(b"\n")
    }
}

/// What a status without a test id is about.
pub(crate) fn run_as_a_whole(event: &Event<'_>) -> String {
    title("(the run as a whole)", event.route_code)
}

fn write_attachment(attachment: &Attachment<'_>, longest: u64, out: &mut impl Write) -> io::Result<()> {
    let content = Content::of_attachment(attachment)?;
    if content == Content::Binary || attachment.is_empty() {
        return write_size(attachment.name(), attachment.mime_type(), attachment.len(), out);
    }
    writeln!(out, "  {}:", harmless::line(attachment.name()))?;
    let mut text = Indented::new(out, INDENT);
    if attachment.len() <= longest || attachment.no_room().is_some() {
        return text.attachment(attachment, content);
    }
    write_ends(attachment, content, longest / 2, &mut text)
}

/// Writes the first and the last `half` bytes of a text, in whole lines where it has some.
fn write_ends<W: Write>(
    attachment: &Attachment<'_>,
    content: Content,
    half: u64,
    text: &mut Indented<'_, W>,
) -> io::Result<()> {
    let mut reader = attachment.reader();
    let mut bytes = Vec::new();
    reader.by_ref().take(half).read_to_end(&mut bytes)?;
    let head = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    text.text(&content.decode(part(&bytes, ..head)))?;
    text.end_line()?;
    let start = attachment.len().saturating_sub(half);
    io::copy(&mut reader.by_ref().take(start.saturating_sub(bytes.len() as u64)), &mut io::sink())?;
    bytes.clear();
    reader.read_to_end(&mut bytes)?;
    let skipped = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let left_out = start.saturating_sub(head as u64) + skipped as u64;
    text.text(format!("[... {left_out} bytes left out here; --all-output shows them ...]\n").as_bytes())?;
    text.text(&content.decode(part(&bytes, skipped..)))?;
    text.end_line()
}

fn write_piece(name: &str, mime_type: Option<&str>, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    let content = Content::of(mime_type, bytes);
    if content == Content::Binary || bytes.is_empty() {
        return write_size(name, mime_type, bytes.len() as u64, out);
    }
    writeln!(out, "  {}:", harmless::line(name))?;
    let mut text = Indented::new(out, INDENT);
    text.text(&content.decode(bytes))?;
    text.end_line()
}

fn write_size(name: &str, mime_type: Option<&str>, len: u64, out: &mut impl Write) -> io::Result<()> {
    let (name, mime_type) = (harmless::line(name), harmless::line(mime_type.unwrap_or(BYTES_TYPE)));
    if len == 0 {
        writeln!(out, "  {name}: empty")
    } else {
        writeln!(out, "  {name}: {len} bytes, {mime_type}")
    }
}
