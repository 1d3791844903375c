//! What is known of the terminal, if there is one.

use std::env;
use std::ffi::OsStr;
use std::os::fd::BorrowedFd;

/// Whether people watch, how wide their terminal is, and what they think of colour.
///
/// The default is no terminal: plain text, as tests and pipes want it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Whether stdin is a terminal.
    pub input: bool,
    /// Whether stdout is a terminal.
    pub output: bool,
    /// Whether stderr is a terminal.
    pub errors: bool,
    /// The terminal's width in columns, if it is known.
    pub width: Option<u16>,
    /// What the environment says about colour.
    pub color: ColorWish,
}

/// What the environment says about colour. Closed: these are all that the conventions know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorWish {
    /// Nothing: colour on terminals.
    #[default]
    Unsaid,
    /// `NO_COLOR`, `CLICOLOR=0` or a dumb terminal.
    Never,
    /// `CLICOLOR_FORCE`: colour everywhere.
    Always,
}

impl Terminal {
    /// Has a command that writes packets on stdout say so, instead of filling a terminal with them.
    ///
    /// # Errors
    ///
    /// When stdout is a terminal.
    pub fn refuse_packets(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.output,
            "stdout is a terminal, and packets are for programs: pipe them on (`… | subunit2text`), or redirect them to a \
             file"
        );
        Ok(())
    }

    /// The terminal of this process.
    #[must_use]
    pub fn detect() -> Self {
        let input = rustix::termios::isatty(rustix::stdio::stdin());
        let output = rustix::termios::isatty(rustix::stdio::stdout());
        let errors = rustix::termios::isatty(rustix::stdio::stderr());
        let fd = if output { rustix::stdio::stdout() } else { rustix::stdio::stderr() };
        let width = if output || errors { width_of(fd) } else { None };
        Terminal { input, output, errors, width, color: wish(env::var_os) }
    }
}

fn width_of(fd: BorrowedFd<'_>) -> Option<u16> {
    rustix::termios::tcgetwinsize(fd).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

fn wish<S: AsRef<OsStr>>(variable: impl Fn(&'static str) -> Option<S>) -> ColorWish {
    let is = |name, value: &str| variable(name).is_some_and(|found| found.as_ref() == value);
    let is_set = |name| variable(name).is_some_and(|found| !found.as_ref().is_empty());
    if is_set("NO_COLOR") {
        ColorWish::Never
    } else if is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") {
        ColorWish::Always
    } else if is("CLICOLOR", "0") || is("TERM", "dumb") {
        ColorWish::Never
    } else {
        ColorWish::Unsaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_wish(variables: &[(&str, &'static str)], expected: ColorWish) {
        let found = wish(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| *value));
        assert_eq!(found, expected, "{variables:?}");
    }

    #[test]
    fn the_environment_says_what_it_thinks_of_colour() {
        check_wish(&[], ColorWish::Unsaid);
        check_wish(&[("NO_COLOR", "")], ColorWish::Unsaid);
        check_wish(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], ColorWish::Never);
        check_wish(&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], ColorWish::Always);
        check_wish(&[("CLICOLOR_FORCE", "0")], ColorWish::Unsaid);
        check_wish(&[("CLICOLOR", "0")], ColorWish::Never);
        check_wish(&[("TERM", "dumb")], ColorWish::Never);
    }
}
