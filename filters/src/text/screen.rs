//! Lines at the bottom of a terminal that are drawn again and again, and text that scrolls by above them.
//!
//! Others write to the terminal, too: compilers, commands of the same pipeline. So the lines stand below the cursor,
//! which rests on an empty line: what others write lands there, and the lines are drawn anew beneath it. Nothing above
//! the cursor is ever touched, and nothing is assumed about where it is.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::progress::Size;
use super::span::Line;

/// The least time between two redraws.
pub(crate) const BETWEEN: Duration = Duration::from_millis(100);
/// Nothing is drawn for runs that are over by then.
const FIRST: Duration = Duration::from_millis(200);
/// Text is not held back for the next redraw beyond this many bytes.
const HELD: usize = 64 << 10;
/// Erases from the cursor to the end of the screen.
const ERASE: &str = "\x1b[J";
/// Keeps the position of the cursor, and returns to it.
const KEEP: &str = "\x1b7";
const RETURN: &str = "\x1b8";
const PLAIN: &str = "\x1b[m";
/// Goes down, where there is no line any more to a new one, and stays in its column.
const DOWN: &str = "\x0b";

/// What is on the terminal, and what waits for the next redraw.
#[derive(Debug)]
pub(crate) struct Screen<W> {
    out: W,
    color: bool,
    /// Text to be shown above; its last line may be incomplete.
    above: Vec<u8>,
    /// The lines on the terminal.
    drawn: Vec<u8>,
    /// Whether anything was shown.
    has_shown: bool,
    next: Instant,
    /// Text passes through: nothing is drawn any more.
    is_closed: bool,
}

impl<W: Write> Screen<W> {
    pub(crate) fn new(out: W, color: bool, now: Instant) -> Self {
        Screen {
            out,
            color,
            above: Vec::new(),
            drawn: Vec::new(),
            has_shown: false,
            next: now + FIRST,
            is_closed: false,
        }
    }

    /// When the next redraw is allowed.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Takes text that is to stand above the lines, for good; true when it should not wait any longer.
    pub(crate) fn print(&mut self, text: &[u8]) -> io::Result<bool> {
        if self.is_closed {
            self.out.write_all(text)?;
            return Ok(false);
        }
        self.above.extend_from_slice(text);
        Ok(self.above.len() > HELD)
    }

    /// Takes a line that is to stand above the lines, for good.
    pub(crate) fn print_line(&mut self, line: &Line) -> io::Result<bool> {
        let mut text = Vec::new();
        if self.above.last().is_some_and(|byte| *byte != b'\n') {
            text.push(b'\n');
        }
        line.write(self.color, &mut text)?;
        text.push(b'\n');
        self.print(&text)
    }

    /// Shows the text that waits, and these lines in place of those before.
    pub(crate) fn draw(&mut self, lines: &[Line], now: Instant, size: Size) -> io::Result<()> {
        self.next = now + BETWEEN;
        let mut drawn = Vec::new();
        for line in lines {
            drawn.extend_from_slice(b"\r\n");
            line.write(self.color, &mut drawn)?;
        }
        let whole = self.above.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        // A line that does not end is cut: nothing waits forever.
        let whole = if whole == 0 && self.above.len() > HELD { self.above.len() } else { whole };
        if whole == 0 && drawn == self.drawn {
            return Ok(());
        }
        let mut frame = Vec::new();
        if whole > 0 {
            frame.extend(new_line(size.columns));
            frame.extend(self.above.drain(..whole));
            if !frame.ends_with(b"\n") {
                frame.push(b'\n');
            }
        }
        frame.extend(self.below(lines.len(), &drawn));
        self.drawn = drawn;
        self.write(&frame)
    }

    /// What draws these lines below the cursor, in place of all that is there, and leaves it where it is.
    fn below(&self, count: usize, lines: &[u8]) -> Vec<u8> {
        if count == 0 {
            return ERASE.into();
        }
        // First room is made: what scrolls would not be where the cursor returns to.
        let room = format!("{}\x1b[{count}A", DOWN.repeat(count));
        let plain = if self.color { PLAIN } else { "" };
        [room.as_bytes(), KEEP.as_bytes(), plain.as_bytes(), ERASE.as_bytes(), lines, RETURN.as_bytes()]
            .concat()
    }

    /// Takes the lines away, for good.
    pub(crate) fn close(&mut self, size: Size) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        self.is_closed = true;
        let mut frame = if self.has_shown { new_line(size.columns) } else { Vec::new() };
        if self.above.last().is_some_and(|byte| *byte != b'\n') {
            self.above.push(b'\n');
        }
        frame.append(&mut self.above);
        self.write(&frame)
    }

    fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        self.has_shown |= !frame.is_empty();
        self.out.write_all(frame)?;
        self.out.flush()
    }
}

/// What goes to the beginning of an empty line on a terminal that is so wide: the next one, where somebody has left the
/// cursor within a line. So many blanks wrap only from there.
fn new_line(columns: usize) -> Vec<u8> {
    format!("{:1$}\r{ERASE}", "", columns.saturating_sub(1)).into_bytes()
}

#[cfg(test)]
mod tests {
    use formats::text::Tone;

    use super::*;

    const SIZE: Size = Size { columns: 10, rows: 5 };
    const LINE: &str = "         \r\x1b[J";

    /// Draws lines with text in between, and gives what each redraw wrote; `>` stands for the beginning of a line.
    fn check(redraws: &[(&str, &[&str], &str)], end: &str) {
        let now = Instant::now();
        let mut screen = Screen::new(Vec::new(), false, now);
        for (text, lines, expected) in redraws {
            screen.print(text.as_bytes()).unwrap();
            let lines: Vec<Line> = lines.iter().map(|line| Line::new(Tone::Bad, *line)).collect();
            screen.draw(&lines, now, SIZE).unwrap();
            let expected = expected.replace('>', LINE);
            assert_eq!(String::from_utf8(std::mem::take(&mut screen.out)).unwrap(), expected);
        }
        screen.close(SIZE).unwrap();
        screen.print(b"after").unwrap();
        assert_eq!(String::from_utf8(screen.out).unwrap(), end.replace('>', LINE));
    }

    #[test]
    fn lines_are_drawn_in_the_place_of_those_before() {
        check(
            &[
                ("", &["a", "b"], "\x0b\x0b\x1b[2A\x1b7\x1b[J\r\na\r\nb\x1b8"),
                ("", &["a", "b"], ""),
                ("", &["c"], "\x0b\x1b[1A\x1b7\x1b[J\r\nc\x1b8"),
                ("", &[], "\x1b[J"),
            ],
            ">after",
        );
    }

    #[test]
    fn text_scrolls_by_above_in_whole_lines() {
        let drawn = "\x0b\x1b[1A\x1b7\x1b[J\r\na\x1b8";
        check(
            &[("make", &["a"], drawn), (": done\nnext", &["a"], &format!(">make: done\n{drawn}"))],
            ">next\nafter",
        );
    }

    #[test]
    fn a_long_line_is_cut_to_be_shown() {
        let long = "x".repeat(HELD + 1);
        check(&[(&long, &[], &format!(">{long}\n\x1b[J"))], ">after");
    }

    #[test]
    fn where_nothing_was_shown_nothing_is_taken_away() {
        check(&[], "after");
    }
}
