//! How every `--help` ends: examples, then the table of exit codes.
//!
//! The table is made from [`Verdict`]: a command names the verdicts of its own, and has other words for one where it
//! must; the code, the usual words, those verdicts that every command may end with, and the order are the same
//! everywhere. All of it is put together by the compiler, so that a command that is not asked for help pays nothing.

use crate::exit::Verdict;

/// Longer lines are continued below the words.
const WIDTH: usize = 80;
/// Where the words of a line of the table begin.
const INDENT: usize = 7;
const TITLE: &str = "Exit status:";

/// The end of a command's help: which exit codes it has, and examples; without examples it is the table alone.
///
/// Codes are [`Verdict`]s by name, each with words of the command's own where the usual ones do not fit; those that
/// every command may end with need not be named. Three sets have names: a `report` exits by the verdict of the run, a
/// `lenient` one with 0 also when no test ran, and a `filter` when the stream was passed on.
///
/// ```
/// const END: &str = cli::help!([Passed = "there are lines", Nothing = "there are none"], "  count x");
///
/// assert!(END.starts_with("Examples:\n  count x\n\nExit status:\n  0    there are lines\n  2    it could not"));
/// assert!(END.contains("\n  4    there are none\n  129  hung up"));
/// ```
#[macro_export]
macro_rules! help {
    (report, $examples:expr) => {
        $crate::help!([Passed, Failed, Nothing], $examples)
    };
    (lenient, $examples:expr) => {
        $crate::help!([Passed = "the run succeeded, or no test ran", Failed], $examples)
    };
    (filter, $examples:expr) => {
        $crate::help!([Passed = "the stream was passed on, whatever its tests did"], $examples)
    };
    ([$($verdict:ident $(= $words:expr)?),+ $(,)?]) => {
        $crate::help!([$($verdict $(= $words)?),+], "")
    };
    ([$($verdict:ident $(= $words:expr)?),+ $(,)?], $examples:expr) => {{
        const EXITS: &[$crate::ExitLine] =
            &[$($crate::ExitLine::new($crate::Verdict::$verdict)$(.in_words($words))?),+];
        const PAGE: $crate::HelpEnd<0> = $crate::HelpEnd::new($examples, EXITS);
        const TEXT: &str = const { &$crate::HelpEnd::<{ PAGE.len() }>::new($examples, EXITS) }.text();
        TEXT
    }};
}

/// A line of the table of exit codes in a command's help; see [`help!`](crate::help).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitLine {
    verdict: Verdict,
    words: &'static str,
}

impl ExitLine {
    /// The line for this verdict, in the usual words.
    #[must_use]
    pub const fn new(verdict: Verdict) -> Self {
        ExitLine { verdict, words: verdict.words() }
    }

    /// The same line, in these words.
    #[must_use]
    pub const fn in_words(self, words: &'static str) -> Self {
        ExitLine { words, ..self }
    }

    /// What a command with these verdicts says of this one, if it can end with it.
    const fn find(exits: &[ExitLine], verdict: Verdict) -> Option<ExitLine> {
        let mut at = 0;
        while at < exits.len() {
            if exits[at].verdict.code() == verdict.code() {
                return Some(exits[at]);
            }
            at += 1;
        }
        if verdict.is_of_all() { Some(ExitLine::new(verdict)) } else { None }
    }
}

/// The end of a help text, put together at compile time; see [`help!`](crate::help).
///
/// What does not fit into `N` bytes is only counted.
#[derive(Debug)]
pub struct HelpEnd<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> HelpEnd<N> {
    /// These examples, if any, and the table of these exit codes.
    #[must_use]
    pub const fn new(examples: &str, exits: &[ExitLine]) -> Self {
        let mut end = HelpEnd { bytes: [0; N], len: 0 };
        if !examples.is_empty() {
            end.push("Examples:\n");
            end.push(examples);
            end.push("\n\n");
        }
        end.push(TITLE);
        let mut at = 0;
        while at < Verdict::TABLE.len() {
            if let Some(exit) = ExitLine::find(exits, Verdict::TABLE[at]) {
                end.line(exit);
            }
            at += 1;
        }
        end
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The text, when it fits.
    #[must_use]
    pub const fn text(&self) -> &str {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    const fn line(&mut self, exit: ExitLine) {
        self.push("\n  ");
        let digits = self.number(exit.verdict.code());
        self.blanks(INDENT - 2 - digits);
        self.words(exit.words.as_bytes());
    }

    /// Words, continued on further lines.
    const fn words(&mut self, text: &[u8]) {
        let (mut begin, mut column) = (0, INDENT);
        while begin < text.len() {
            let mut end = begin;
            while end < text.len() && text[end] != b' ' {
                end += 1;
            }
            if column > INDENT && column + 1 + end - begin > WIDTH {
                self.push("\n");
                self.blanks(INDENT);
                column = INDENT;
            } else if column > INDENT {
                self.byte(b' ');
                column += 1;
            }
            column += end - begin;
            while begin < end {
                self.byte(text[begin]);
                begin += 1;
            }
            begin = end + 1;
        }
    }

    /// A number of up to three digits, and how many it has.
    const fn number(&mut self, number: u8) -> usize {
        let mut digits = 1;
        if number > 99 {
            self.byte(b'0' + number / 100);
            digits += 1;
        }
        if number > 9 {
            self.byte(b'0' + number / 10 % 10);
            digits += 1;
        }
        self.byte(b'0' + number % 10);
        digits
    }

    const fn blanks(&mut self, mut count: usize) {
        while count > 0 {
            self.byte(b' ');
            count -= 1;
        }
    }

    const fn push(&mut self, text: &str) {
        let mut at = 0;
        while at < text.len() {
            self.byte(text.as_bytes()[at]);
            at += 1;
        }
    }

    const fn byte(&mut self, byte: u8) {
        if self.len < N {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }
}

/// The exit codes that the end of a help text lists; `None` when it has no table.
pub(crate) fn codes(help: &str) -> Option<Vec<u8>> {
    let (_, table) = help.split_once(TITLE)?;
    let code = |line: &str| line.get(..INDENT).and_then(|start| start.trim().parse().ok());
    Some(table.lines().filter_map(code).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = crate::help!(report, "  subunit-ls x");

    #[test]
    fn the_table_is_complete_and_in_order() {
        let check = |help, expected: &[u8]| assert_eq!(codes(help).unwrap(), expected);
        check(REPORT, &[0, 1, 2, 4, 129, 130, 141, 143]);
        check(crate::help!(filter, "  x"), &[0, 2, 129, 130, 141, 143]);
        check(crate::help!([Outstanding, Passed, Error = "x"]), &[0, 2, 5, 129, 130, 141, 143]);
        assert_eq!(codes("no table\n  1  x"), None);
    }

    #[test]
    fn long_lines_go_on_below_the_words() {
        let expected = "Examples:\n  subunit-ls x\n\nExit status:\n  \
            0    the run succeeded\n  \
            1    the run failed: a test failed, passed though it was expected to fail, or\n       \
                 never finished, or the stream is damaged\n  \
            2    it could not be done";
        assert!(REPORT.starts_with(expected), "{REPORT}");
        assert!(REPORT.lines().all(|line| line.len() <= WIDTH && line.trim_end() == line));
    }

    #[test]
    fn a_command_may_have_words_of_its_own() {
        const HELP: &str = crate::help!([Passed = concat!("done", " — all"), Interrupted = "stopped"]);
        assert!(HELP.starts_with(TITLE));
        assert!(HELP.contains("\n  0    done — all\n") && HELP.contains("\n  130  stopped\n"), "{HELP}");
    }
}
