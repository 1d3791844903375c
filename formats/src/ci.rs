//! Lines that a CI system would take for commands.

use std::borrow::Cow;

use subunit::{part, split_text};

/// What begins a command wherever it stands in a line, at least for one system.
const ANYWHERE: [&str; 3] = ["##[", "##vso[", "##teamcity["];
/// What begins a command at the start of its line, after blanks if any.
pub(crate) const FIRST: &str = "::";
/// As long as the longest of them.
const LONGEST: usize = 11;

/// The same text with its commands made harmless: the first character of each is shown as `\x3a` or `\x23`.
/// `at_line_start` says whether the text begins a line.
///
/// ```
/// use formats::ci::defuse;
///
/// assert_eq!(defuse("::error::gone\na::b\n", true), "\\x3a:error::gone\na::b\n");
/// assert_eq!(defuse("a ##vso[task.complete]", true), "a \\x23#vso[task.complete]");
/// ```
#[must_use]
pub fn defuse(text: &str, at_line_start: bool) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = Rest::new(text, at_line_start);
    while let Some((before, first)) = rest.next_command() {
        out.push_str(before);
        out.push_str(if first == b':' { r"\x3a" } else { r"\x23" });
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest.text);
    Cow::Owned(out)
}

/// Text that is searched for commands.
pub(crate) struct Rest<'a> {
    /// What follows the first character of the last command.
    pub(crate) text: &'a str,
    at_line_start: bool,
}

impl<'a> Rest<'a> {
    /// All of a text; `at_line_start` says whether it begins a line.
    #[inline]
    pub(crate) fn new(text: &'a str, at_line_start: bool) -> Self {
        Rest { text, at_line_start }
    }

    /// What stands before the next command, and the character that begins it, which is passed over.
    #[inline]
    pub(crate) fn next_command(&mut self) -> Option<(&'a str, u8)> {
        // Most text has neither, which is seen fast.
        if !self.text.contains(FIRST) && !self.text.contains("##") {
            return None;
        }
        self.find()
    }

    fn find(&mut self) -> Option<(&'a str, u8)> {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if let Some(at) = command_in(line, start > 0 || self.at_line_start) {
                let (before, from) = split_text(self.text, start + at);
                let (first, rest) = from.as_bytes().split_first()?;
                *self = Rest::new(split_text(from, from.len() - rest.len()).1, false);
                return Some((before, *first));
            }
            start += line.len();
        }
        None
    }
}

/// Where a command begins in a line, or in what is left of one.
fn command_in(line: &str, is_whole: bool) -> Option<usize> {
    let trimmed = line.trim_start();
    if is_whole && trimmed.starts_with(FIRST) {
        return Some(line.len() - trimmed.len());
    }
    // In letters of any case: some systems take those, too.
    let is_command = |at: usize| {
        let from = line.as_bytes().get(at..).unwrap_or_default();
        ANYWHERE
            .iter()
            .any(|start| from.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start.as_bytes())))
    };
    memchr::memchr_iter(b'#', line.as_bytes()).find(|at| is_command(*at))
}

/// How many bytes at the end may be the beginning of a command, if the text goes on.
pub(crate) fn undecided(text: &[u8], at_line_start: bool) -> usize {
    let line_start = memchr::memrchr(b'\n', text).map(|at| at + 1);
    let line = part(text, line_start.unwrap_or(0)..);
    if (at_line_start || line_start.is_some()) && line.trim_ascii_start() == b":" {
        return 1;
    }
    let is_begun = |len: &usize| {
        let end = part(line, line.len() - len..);
        ANYWHERE.iter().any(|start| {
            start.len() > *len && start.as_bytes().get(..*len).is_some_and(|it| it.eq_ignore_ascii_case(end))
        })
    };
    (1..=LONGEST.min(line.len())).rev().find(is_begun).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(defuse(text, true), expected);
    }

    #[test]
    fn commands_are_made_harmless() {
        check("  ::set-output name=x::y\n::stop", "  \\x3a:set-output name=x::y\n\\x3a:stop");
        check("###vso[x]##[group]", "#\\x23#vso[x]\\x23#[group]");
        check("##TeamCity[x]", "\\x23#TeamCity[x]");
        assert_eq!(defuse("::a\n::b", false), "::a\n\\x3a:b");
    }

    fn check_undecided(text: &str, expected: usize) {
        assert_eq!(undecided(text.as_bytes(), true), expected, "{text:?}");
    }

    #[test]
    fn what_may_become_a_command_is_known() {
        check_undecided("a\n  :", 1);
        check_undecided("a :", 0);
        check_undecided("a ##Team", 6);
        check_undecided("###", 2);
        check_undecided("##team\n", 0);
        check_undecided("##[", 0);
        assert_eq!(undecided(b":", false), 0);
        assert_eq!(LONGEST, ANYWHERE.map(str::len).into_iter().max().unwrap());
    }

    #[test]
    fn all_else_stays() {
        for text in ["std::vec::Vec", "## Heading", "a: :b", "", "####", "##"] {
            check(text, text);
        }
    }
}
