//! Lines cut to the width of a terminal.

use std::io::{self, Write};

use formats::text::Tone;
use subunit::split_text;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// A line of pieces, each in its tone. It has no control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(Vec<(Tone, String)>);

impl Line {
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        let mut line = Line::default();
        line.push(tone, text);
        line
    }

    pub(crate) fn push(&mut self, tone: Tone, text: impl Into<String>) {
        self.0.push((tone, text.into()));
    }

    /// How many columns it takes.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    pub(crate) fn write(&self, color: bool, out: &mut impl Write) -> io::Result<()> {
        self.0.iter().try_for_each(|(tone, text)| tone.write(text, color, out))
    }

    /// The pieces joined.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// How the first piece looks.
    #[cfg(test)]
    pub(crate) fn tone(&self) -> Tone {
        self.0.first().map(|(tone, _)| *tone).unwrap_or_default()
    }

    /// Cuts off what is beyond this many columns.
    pub(crate) fn cut(mut self, columns: usize) -> Self {
        let mut room = columns;
        for (_, text) in &mut self.0 {
            let kept = fitting(text.chars(), room);
            text.truncate(kept.bytes);
            room = if kept.all { room - kept.columns } else { 0 };
        }
        self
    }
}

/// Shortens a text in its middle to this many columns, where it is longer.
///
/// Both ends tell tests apart: the package at the front, the test and its parameters at the back.
pub(crate) fn shorten(text: &str, columns: usize, ellipsis: &str) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(ellipsis.width()) else {
        return text.chars().scan(columns, take).collect();
    };
    // The end says more.
    let front = fitting(text.chars(), room * 2 / 5);
    let back = fitting(text.chars().rev(), room - front.columns);
    let (front, _) = split_text(text, front.bytes);
    let (_, back) = split_text(text, text.len() - back.bytes);
    // Accents whose letter did not fit.
    let back = back.trim_start_matches(|character: char| character.width() == Some(0));
    format!("{front}{ellipsis}{back}")
}

fn take(room: &mut usize, character: char) -> Option<char> {
    *room = room.checked_sub(character.width().unwrap_or_default())?;
    Some(character)
}

/// How much of a text fits.
struct Fitting {
    bytes: usize,
    columns: usize,
    all: bool,
}

fn fitting(characters: impl Iterator<Item = char>, columns: usize) -> Fitting {
    let mut fitting = Fitting { bytes: 0, columns: 0, all: true };
    for character in characters {
        let width = character.width().unwrap_or_default();
        if fitting.columns + width > columns {
            return Fitting { all: false, ..fitting };
        }
        fitting.bytes += character.len_utf8();
        fitting.columns += width;
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, columns: usize, expected: &str) {
        let short = shorten(text, columns, "…");
        assert_eq!(short, expected);
        assert!(short.width() <= columns);
    }

    #[test]
    fn names_are_shortened_in_the_middle() {
        check("orders.tests.test_total", 30, "orders.tests.test_total");
        check("orders.tests.test_total", 11, "orde…_total");
        check("测试测试测试", 7, "测…测试");
        check("abc", 1, "…");
        check("abc", 0, "");
        check("e\u{301}e\u{301}e\u{301}e\u{301}", 3, "…e\u{301}e\u{301}");
        assert_eq!(shorten("orders.tests", 7, ".."), "or..sts");
        assert_eq!(shorten("orders", 1, ".."), "o");
    }

    fn check_cut(columns: usize, expected: &str) {
        let mut line = Line::new(Tone::Bad, "红a");
        line.push(Tone::Plain, "bc");
        let line = line.cut(columns);
        assert_eq!(line.text(), expected);
        assert!(line.width() <= columns);
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        check_cut(5, "红abc");
        check_cut(4, "红ab");
        check_cut(2, "红");
        check_cut(1, "");
    }
}
