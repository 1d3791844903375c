//! What is shown of the files of a test: the text around what went wrong and its end, small pictures, names of the rest.

use std::io;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formats::charset::Content;
use formats::colour::uncoloured;
use formats::visible;
use formats::why::Why;
use streamresult::{Attachment, DAMAGE_MESSAGE, PROPERTIES_FILE, Record};

/// What all files together may take of the page.
const ALL_FILES: usize = 5 << 20;
/// Lines that are shown of a text: these many before and after the first evidence, and at the end.
const BEFORE: usize = 40;
const AFTER: usize = 100;
const LAST: usize = 60;
/// Lines are cut to this many characters.
const LONGEST_LINE: usize = 2000;
/// How much of a text is looked at: of its beginning and of its end.
const HEAD: usize = 512 << 10;
const TAIL: usize = 64 << 10;
/// What a text may take of the page.
const LONGEST_TEXT: usize = 64 << 10;
/// Types of failures that say no more than the outcome does.
const OUTCOMES: [&str; 4] = ["Failure", "UnexpectedSuccess", "Incomplete", "Damage"];
const LARGEST_IMAGE: u64 = 256 << 10;
/// Files of one test; more are counted.
const MOST_FILES: usize = 50;

/// A file of a test.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) len: u64,
    pub(crate) content: Shape,
}

/// How a file is shown. Closed: these are all the ways.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Stretches of its lines, with what was left out before each.
    Text(Vec<(Gap, String)>),
    /// `data:` and what follows it.
    Image(String),
    /// By its name and size.
    Named,
}

/// What was left out before a stretch of lines. Closed: these are all cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    None,
    Lines(usize),
    /// The middle of a long file, which nobody looked at.
    Unread,
}

/// What the files may still take.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    /// How many files were left out, and how many bytes they have.
    pub(crate) left_out: (u64, u64),
}

impl Default for Budget {
    fn default() -> Self {
        Budget { left: ALL_FILES, left_out: (0, 0) }
    }
}

impl Budget {
    /// What is shown of the files of a test that did not go well.
    pub(crate) fn files(&mut self, record: &Record<'_>, cause: &str) -> io::Result<Vec<Shown>> {
        let mut files: Vec<_> = record.attachments().filter(|file| file.name() != PROPERTIES_FILE).collect();
        files.sort_by_key(rank);
        let shown = files.iter().take(MOST_FILES).map(|file| self.file(file, cause)).collect();
        files.iter().skip(MOST_FILES).for_each(|file| self.leave(file));
        shown
    }

    fn file(&mut self, file: &Attachment<'_>, cause: &str) -> io::Result<Shown> {
        let content = match self.shape(file, cause)? {
            Some(shape) => shape,
            None => {
                self.leave(file);
                Shape::Named
            }
        };
        Ok(Shown { name: file.name().to_owned(), len: file.len(), content })
    }

    fn shape(&mut self, file: &Attachment<'_>, cause: &str) -> io::Result<Option<Shape>> {
        if let Some(kind) = image_type(&file.head(16)?) {
            let fits = file.len() <= LARGEST_IMAGE && file.left_out() == 0;
            return Ok(if fits { self.image(kind, file)? } else { None });
        }
        let head = file.head(HEAD)?;
        let content = Content::of(file.mime_type(), &head);
        if content == Content::Binary {
            return Ok(None);
        }
        let beyond = file.kept().saturating_sub(HEAD as u64).min(TAIL as u64);
        let tail = file.tail(beyond as usize)?;
        let middle = file.len() - (head.len() + tail.len()) as u64;
        let text = excerpt(&plain(content, &head), &plain(content, &tail), middle, cause);
        Ok(self.take(text_len(&text)).then_some(text))
    }

    fn image(&mut self, kind: &str, file: &Attachment<'_>) -> io::Result<Option<Shape>> {
        let bytes = file.head(LARGEST_IMAGE as usize)?;
        let data = format!("{kind};base64,{}", STANDARD.encode(&bytes));
        Ok(self.take(data.len()).then_some(Shape::Image(data)))
    }

    fn take(&mut self, len: usize) -> bool {
        let left = self.left.checked_sub(len);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    fn leave(&mut self, file: &Attachment<'_>) {
        self.left_out.0 += 1;
        self.left_out.1 += file.len();
    }
}

/// What says most comes first.
fn rank(file: &Attachment<'_>) -> u8 {
    match file.name() {
        name if name.starts_with("traceback") || name == DAMAGE_MESSAGE => 0,
        "reason" | "message" | "summary" => 1,
        name if name.starts_with("stderr") => 2,
        name if name.starts_with("stdout") => 3,
        _ => 4,
    }
}

/// Why a test did not go well, in a line; empty where it passed.
pub(crate) fn cause(record: &Record<'_>) -> io::Result<String> {
    let Some(why) = Why::of(record, 0)? else { return Ok(String::new()) };
    Ok(match why.kind {
        Some(kind) if !OUTCOMES.contains(&&*kind) && !why.message.starts_with(&kind) => {
            format!("{kind}: {}", why.message)
        }
        _ => why.message,
    })
}

/// Text for people: no colours, lines that end in one way, and nothing that cannot be seen.
fn plain(content: Content, bytes: &[u8]) -> String {
    let decoded = content.decode(bytes);
    visible::lossy_text(&uncoloured(&decoded)).replace("\\r\n", "\n")
}

/// The type of a picture, by how it begins: what a file says of itself may be wrong.
fn image_type(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Lines around the first evidence and the last ones; `middle` bytes between the two texts were not looked at.
fn excerpt(head: &str, tail: &str, middle: u64, cause: &str) -> Shape {
    let mut lines: Vec<&str> = head.lines().collect();
    let seam = lines.len();
    lines.extend(tail.lines());
    let first = lines.iter().position(|line| !cause.is_empty() && is_evidence(line, cause)).unwrap_or(BEFORE);
    let around = first.saturating_sub(BEFORE)..(first + AFTER).min(lines.len());
    let last = lines.len().saturating_sub(LAST)..lines.len();
    let ranges = if lines.len() <= BEFORE + AFTER + LAST {
        [Some(0..lines.len()), None]
    } else if last.start <= around.end {
        [Some(around.start..last.end), None]
    } else {
        [Some(around), Some(last)]
    };
    let seam = Some(seam).filter(|_| middle > 0);
    let (mut at, mut room) = (0, LONGEST_TEXT);
    let mut stretches = Vec::new();
    for range in ranges.into_iter().flatten().flat_map(|range| split_at(range, seam)).flatten() {
        let gap = match range.start - at {
            _ if seam.is_some_and(|seam| at <= seam && seam <= range.start) => Gap::Unread,
            0 => Gap::None,
            lines => Gap::Lines(lines),
        };
        stretches.push((gap, joined(lines.get(range.clone()).unwrap_or_default(), &mut room)));
        at = range.end;
    }
    if seam.is_some_and(|seam| seam >= at) {
        stretches.push((Gap::Unread, String::new()));
    }
    Shape::Text(stretches)
}

/// The same lines, in two stretches where something is missing between them.
fn split_at(range: Range<usize>, seam: Option<usize>) -> [Option<Range<usize>>; 2] {
    match seam {
        Some(seam) if range.start < seam && seam < range.end => {
            [Some(range.start..seam), Some(seam..range.end)]
        }
        _ => [Some(range), None],
    }
}

/// Whether this line is the one that says why.
pub(crate) fn is_evidence(line: &str, cause: &str) -> bool {
    let message = cause.split_once(": ").map_or(cause, |(_, message)| message);
    !line.trim().is_empty() && (line.contains(cause) || (message.len() > 7 && line.contains(message)))
}

fn joined(lines: &[&str], room: &mut usize) -> String {
    let mut text = String::new();
    for line in lines {
        let cut = line.char_indices().nth(LONGEST_LINE);
        let shown = cut.and_then(|(at, _)| line.get(..at)).unwrap_or(line);
        let Some(left) = room.checked_sub(shown.len() + 1) else {
            text.push_str("[…]\n");
            break;
        };
        *room = left;
        text.push_str(shown);
        text.push_str(if cut.is_some() { "…\n" } else { "\n" });
    }
    text
}

fn text_len(shape: &Shape) -> usize {
    match shape {
        Shape::Text(stretches) => stretches.iter().map(|(_, text)| text.len() + 16).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Gap::{Lines, None, Unread};

    fn check(head: &str, tail: &str, middle: u64, cause: &str, expected: &[(Gap, usize)]) {
        let Shape::Text(stretches) = excerpt(head, tail, middle, cause) else { panic!("not text") };
        let found: Vec<_> = stretches.iter().map(|(gap, text)| (*gap, text.lines().count())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_short_is_whole() {
        check("", "", 0, "", &[(None, 0)]);
        check("a\nb\n", "", 0, "b", &[(None, 2)]);
        check(&"x\n".repeat(200), "", 0, "", &[(None, 200)]);
    }

    #[test]
    fn of_long_texts_the_evidence_and_the_end_are_shown() {
        let text = format!("{}boom: it broke\n{}", "x\n".repeat(500), "y\n".repeat(500));
        check(&text, "", 0, "boom: it broke", &[(Lines(460), 140), (Lines(341), 60)]);
        check(&"x\n".repeat(300), "", 0, "", &[(None, 140), (Lines(100), 60)]);
        check(&"x\n".repeat(190), &"y\n".repeat(10), 0, "", &[(None, 200)]);
        check("a\n", "b\n", 9000, "", &[(None, 1), (Unread, 1)]);
        check(&"x\n".repeat(300), &"y\n".repeat(100), 9, "", &[(None, 140), (Unread, 60)]);
    }

    #[test]
    fn long_lines_are_cut() {
        let Shape::Text(stretches) = excerpt(&"x".repeat(9000), "", 0, "") else { panic!("not text") };
        assert_eq!(stretches[0].1.chars().count(), LONGEST_LINE + 2);
    }

    #[test]
    fn pictures_are_known_by_their_bytes() {
        assert_eq!(image_type(b"\x89PNG\r\n\x1a\n.."), Some("image/png"));
        assert_eq!(image_type(b"<svg onload=alert(1)>"), Option::None);
    }
}
