//! Lines at the bottom of a terminal that are drawn again and again, and text that scrolls by above them.

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

/// What is on the terminal, and what waits for the next redraw.
#[derive(Debug)]
pub(crate) struct Screen<W> {
    out: W,
    color: bool,
    /// Text to be shown above; its last line may be incomplete.
    above: Vec<u8>,
    /// The lines on the terminal: how wide each is, and how they were written.
    widths: Vec<usize>,
    drawn: Vec<u8>,
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
            widths: Vec::new(),
            drawn: Vec::new(),
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
            line.write(self.color, &mut drawn)?;
            drawn.push(b'\n');
        }
        let whole = self.above.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        // A line that does not end is cut: nothing waits forever.
        let whole = if whole == 0 && self.above.len() > HELD { self.above.len() } else { whole };
        if whole == 0 && drawn == self.drawn {
            return Ok(());
        }
        let mut frame = self.erasing(size.columns);
        frame.extend(self.above.drain(..whole));
        if whole > 0 && !frame.ends_with(b"\n") {
            frame.push(b'\n');
        }
        frame.extend_from_slice(&drawn);
        self.widths = lines.iter().map(Line::width).collect();
        self.drawn = drawn;
        self.write(&frame)
    }

    /// Takes the lines away, for good.
    pub(crate) fn close(&mut self, size: Size) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        self.is_closed = true;
        let mut frame = self.erasing(size.columns);
        if self.above.last().is_some_and(|byte| *byte != b'\n') {
            self.above.push(b'\n');
        }
        frame.append(&mut self.above);
        self.write(&frame)
    }

    fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        self.out.write_all(frame)?;
        self.out.flush()
    }

    /// What erases the lines on a terminal that is now so wide: one that got narrower has wrapped them.
    fn erasing(&mut self, columns: usize) -> Vec<u8> {
        let rows: usize = self.widths.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum();
        self.widths.clear();
        self.drawn.clear();
        if rows == 0 { Vec::new() } else { format!("\x1b[{rows}A\r\x1b[J").into_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use formats::text::Tone;

    use super::*;

    const SIZE: Size = Size { columns: 10, rows: 5 };

    /// Draws lines with text in between, and gives what each redraw wrote.
    fn check(redraws: &[(&str, &[&str], &str)], end: &str) {
        let now = Instant::now();
        let mut screen = Screen::new(Vec::new(), false, now);
        for (text, lines, expected) in redraws {
            screen.print(text.as_bytes()).unwrap();
            let lines: Vec<Line> = lines.iter().map(|line| Line::new(Tone::Bad, *line)).collect();
            screen.draw(&lines, now, SIZE).unwrap();
            assert_eq!(String::from_utf8(std::mem::take(&mut screen.out)).unwrap(), *expected);
        }
        screen.close(SIZE).unwrap();
        screen.print(b"after").unwrap();
        assert_eq!(String::from_utf8(screen.out).unwrap(), end);
    }

    #[test]
    fn lines_are_drawn_in_the_place_of_those_before() {
        check(
            &[("", &["a", "b"], "a\nb\n"), ("", &["a", "b"], ""), ("", &["c"], "\x1b[2A\r\x1b[Jc\n")],
            "\x1b[1A\r\x1b[Jafter",
        );
    }

    #[test]
    fn text_scrolls_by_above_in_whole_lines() {
        check(
            &[("make", &["a"], "a\n"), (": done\nnext", &["a"], "\x1b[1A\r\x1b[Jmake: done\na\n")],
            "\x1b[1A\r\x1b[Jnext\nafter",
        );
    }

    #[test]
    fn a_long_line_is_cut_to_be_shown() {
        let long = "x".repeat(HELD + 1);
        check(&[(&long, &[], &format!("{long}\n"))], "after");
    }

    #[test]
    fn lines_that_wrapped_in_a_narrower_terminal_are_erased() {
        check(&[("", &["0123456789abc", ""], "0123456789abc\n\n")], "\x1b[3A\r\x1b[Jafter");
    }
}
