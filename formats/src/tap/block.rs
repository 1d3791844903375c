//! The block of YAML after a test point.
//!
//! From other producers it is a file, and its duration a time. What our own writer put in it becomes what it was
//! before: attachments, tags, the route code, the way a test ended.

use std::io;

use streamresult::StreamResult;
use subunit::Status;

use super::duration;
use super::held::HeldPoint;
use crate::held::HeldFile;

/// A block that is being read.
#[derive(Clone, Debug)]
pub(super) struct Block {
    indent: usize,
    whose: Whose,
    item: Option<Item>,
    /// How many lines others have written.
    lines: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Unknown,
    Ours,
    Others,
}

/// An attachment in a block that our writer wrote.
#[derive(Clone, Debug)]
struct Item {
    file: HeldFile,
    /// Its lines up to the text.
    head: Vec<u8>,
    len: Option<u64>,
    text: Text,
    /// Bytes of the text so far.
    read: u64,
    lines: u64,
}

/// How the text of an attachment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    /// None of it has come.
    None,
    /// As lines of their own.
    Literal,
    /// As strings.
    Quoted,
}

/// What a line is in relation to a block.
pub(super) enum Place<'a> {
    /// One of its lines, without the indentation.
    Within(&'a [u8]),
    /// Its end.
    End,
    /// Not part of it any more, though its end did not come.
    Outside,
}

impl Block {
    pub(super) fn new(indent: usize) -> Self {
        Block { indent, whose: Whose::Unknown, item: None, lines: 0 }
    }

    pub(super) fn place<'a>(&self, line: &'a [u8]) -> Place<'a> {
        match line.split_at_checked(self.indent) {
            Some((blank, inner)) if blank.iter().all(|byte| *byte == b' ') => {
                if inner.trim_ascii_end() == b"..." { Place::End } else { Place::Within(inner) }
            }
            _ if line.trim_ascii().is_empty() => Place::Within(b""),
            _ => Place::Outside,
        }
    }

    /// Takes a line, without the indentation.
    pub(super) fn line(
        &mut self,
        line: &[u8],
        held: &mut HeldPoint,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if self.whose == Whose::Unknown {
            self.whose = if outcome(line, held) { Whose::Ours } else { Whose::Others };
            if self.whose == Whose::Ours {
                return Ok(());
            }
        }
        if self.whose == Whose::Ours {
            if self.our_line(line, held, sink)? {
                return Ok(());
            }
            self.end(held, sink)?;
            self.whose = Whose::Others;
        }
        self.lines += 1;
        if let Some(took) = duration::of_line(line) {
            held.test.took = Some(took);
        }
        self.raw(line, held, sink)?;
        self.raw(b"\n", held, sink)
    }

    /// Takes a piece of a line that is too long for anything but text.
    pub(super) fn raw(
        &mut self,
        bytes: &[u8],
        held: &mut HeldPoint,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        held.block(bytes, sink)
    }

    /// Ends what is open.
    pub(super) fn end(&mut self, held: &mut HeldPoint, sink: &mut dyn StreamResult) -> io::Result<()> {
        let Some(mut item) = self.item.take() else {
            if self.lines == 1 && held.test.took.is_some() && held.has_time {
                // All that it says is in the times of the test.
                held.block.drop_rest();
            }
            return Ok(());
        };
        if item.text == Text::None && item.len != Some(0) {
            // Files that are not text are only named.
            return self.raw(&item.head, held, sink);
        }
        // The last line has an end here, whether the text has one there or not.
        let is_ended = item.text == Text::Quoted || item.len == Some(item.read);
        let end: &[u8] = if is_ended { b"" } else { b"\n" };
        held.test.push(&mut item.file, end, None, sink)?;
        if item.file.name == "reason" {
            held.reason.clear();
        }
        held.test.end_file(&mut item.file, sink)
    }

    /// Takes a line that our writer may have written, and returns whether it has.
    fn our_line(
        &mut self,
        line: &[u8],
        held: &mut HeldPoint,
        sink: &mut dyn StreamResult,
    ) -> io::Result<bool> {
        if let Some(item) = &mut self.item {
            if item.text == Text::Literal
                && let Some(text) = line.strip_prefix(b"      ").or(line.is_empty().then_some(line))
            {
                return item.line(text, held, sink).map(|()| true);
            }
            if let Some(text) = item.quoted(line) {
                held.test.push(&mut item.file, text.as_bytes(), None, sink)?;
                return Ok(true);
            }
            if item.head_line(line) {
                return Ok(true);
            }
        }
        if let Some(name) = string(line, b"  - name: ") {
            self.end(held, sink)?;
            self.item = Some(Item::new(name, line));
        } else if let Some(tag) = string(line, b"  - ").filter(|_| self.item.is_none()) {
            held.test.tags.push(tag);
        } else if let Some(tags) = strings(line, b"tags: ") {
            held.test.tags.extend(tags);
        } else if let Some(id) = string(line, b"id: ") {
            held.renamed = Some(id);
        } else if let Some(route) = string(line, b"route: ") {
            held.test.route_code = Some(route);
        } else if let Some(took) = duration::of_line(line) {
            held.test.took = Some(took);
        } else {
            return Ok(matches!(line, b"tags:" | b"attachments:"));
        }
        Ok(true)
    }
}

impl Item {
    fn new(name: String, line: &[u8]) -> Self {
        let mut item = Item {
            file: HeldFile::new(name, None),
            head: Vec::new(),
            len: None,
            text: Text::None,
            read: 0,
            lines: 0,
        };
        item.keep(line);
        item
    }

    fn keep(&mut self, line: &[u8]) {
        self.head.extend_from_slice(line);
        self.head.push(b'\n');
    }

    /// A piece of its text: `text: "one"`, `text-2: "two"`.
    fn quoted(&mut self, line: &[u8]) -> Option<String> {
        let value = line.strip_prefix(b"    text").filter(|_| self.text != Text::Literal)?;
        let digits = value.iter().position(|byte| *byte == b':')?;
        let is_first = digits == 0 && self.text == Text::None;
        let is_more = digits > 1 && self.text == Text::Quoted;
        let text = string(value.get(digits..)?, b": ").filter(|_| is_first || is_more)?;
        self.text = Text::Quoted;
        Some(text)
    }

    fn head_line(&mut self, line: &[u8]) -> bool {
        if self.text != Text::None {
            return false;
        }
        if let Some(mime_type) = string(line, b"    type: ") {
            self.file.mime_type = Some(mime_type.into());
        } else if let Some(digits) = line.strip_prefix(b"    bytes: ") {
            self.len = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        } else if matches!(line, b"    text: |" | b"    text: |2") {
            self.text = Text::Literal;
        } else {
            return false;
        }
        self.keep(line);
        true
    }

    fn line(&mut self, text: &[u8], held: &mut HeldPoint, sink: &mut dyn StreamResult) -> io::Result<()> {
        let end: &[u8] = if self.lines > 0 { b"\n" } else { b"" };
        self.lines += 1;
        self.read += (end.len() + text.len()) as u64;
        held.test.push(&mut self.file, end, None, sink)?;
        held.test.push(&mut self.file, text, None, sink)
    }
}

/// Whether this is how our writer begins a block after such a test point; then the test ended like that.
fn outcome(line: &[u8], held: &mut HeldPoint) -> bool {
    let status = match (line, held.test.status) {
        (b"outcome: fail", Some(Status::Fail)) => Some(Status::Fail),
        (b"outcome: uxsuccess", Some(Status::Fail)) => Some(Status::UxSuccess),
        (b"outcome: unfinished", Some(Status::Fail)) => None,
        (b"outcome: xfail", Some(Status::XFail)) => Some(Status::XFail),
        (b"outcome: skip", Some(Status::Skip)) => Some(Status::Skip),
        (b"outcome: success", Some(Status::Success)) => Some(Status::Success),
        _ => return false,
    };
    held.test.status = status;
    true
}

/// The string behind a key, as JSON has it.
fn string(line: &[u8], key: &[u8]) -> Option<String> {
    serde_json::from_slice(line.strip_prefix(key)?).ok()
}

/// The strings behind a key.
fn strings(line: &[u8], key: &[u8]) -> Option<Vec<String>> {
    serde_json::from_slice(line.strip_prefix(key)?).ok()
}
