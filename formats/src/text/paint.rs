//! Colours.

use std::io::{self, Write};

/// How a piece of text looks. Closed: more would be a carnival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Green: it passed.
    Good,
    /// Red: it failed, or hangs.
    Bad,
    /// Yellow: look at it.
    Notice,
    /// Faint: an aside.
    Aside,
}

impl Tone {
    /// What begins it on a terminal.
    fn begin(self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Good => "\x1b[32m",
            Tone::Bad => "\x1b[1;31m",
            Tone::Notice => "\x1b[33m",
            Tone::Aside => "\x1b[2m",
        }
    }

    /// Writes text in this tone, if `color` says so.
    ///
    /// # Errors
    ///
    /// When writing fails.
    #[inline]
    pub fn write<W: Write + ?Sized>(self, text: &str, color: bool, out: &mut W) -> io::Result<()> {
        if !color || self == Tone::Plain || text.is_empty() {
            return out.write_all(text.as_bytes());
        }
        out.write_all(self.begin().as_bytes())?;
        out.write_all(text.as_bytes())?;
        out.write_all(b"\x1b[0m")
    }
}
