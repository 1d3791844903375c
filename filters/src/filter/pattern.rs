//! Regular expressions of `subunit-filter`, on ids and on the text of tests.

use std::collections::HashMap;
use std::io;
use std::str::FromStr;

use formats::charset::Content;
use regex::bytes::{Regex, RegexBuilder};
use streamresult::{Outcome, Waiting};
use subunit::{Event, split_part};

/// At most this much of an unfinished line is kept; longer ones are searched in pieces.
const LINES: usize = 1 << 20;

/// Several regular expressions, of which one has to match. `^` and `$` stand for the ends of a line.
#[derive(Clone, Debug)]
pub(crate) struct Patterns(Vec<Regex>);

impl Patterns {
    /// `None` when there are none.
    pub(crate) fn new(patterns: &[Pattern]) -> Option<Self> {
        if patterns.is_empty() {
            None
        } else {
            Some(Patterns(patterns.iter().map(|one| one.0.clone()).collect()))
        }
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.is_match_bytes(text.as_bytes())
    }

    fn is_match_bytes(&self, text: &[u8]) -> bool {
        self.0.iter().any(|regex| regex.is_match(text))
    }
}

/// One regular expression of the command line.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Regex);

impl FromStr for Pattern {
    type Err = String;

    fn from_str(pattern: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(pattern).multi_line(true).build();
        regex.map(Pattern).map_err(|error| one_line(&error))
    }
}

/// What is wrong with a regular expression, without the drawing of it.
pub(crate) fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// Looks for patterns in all that is known of a test: its id, its outcome, the names of its attachments, and the lines
/// of their text.
pub(crate) struct Search<'p> {
    patterns: &'p [&'p Patterns],
    found: Vec<bool>,
    files: HashMap<String, TextFile>,
    /// Bytes in `rest` of all files.
    kept: usize,
}

/// A file as far as it came.
struct TextFile {
    content: Content,
    /// A line without its end yet.
    rest: Vec<u8>,
}

impl<'p> Search<'p> {
    /// Which of these patterns match a test.
    pub(crate) fn run(patterns: &'p [&'p Patterns], waiting: &Waiting<'_>) -> io::Result<Vec<bool>> {
        let found = vec![false; patterns.len()];
        let mut search = Search { patterns, found, files: HashMap::new(), kept: 0 };
        search.look_in(waiting.record().test_id().as_bytes());
        for word in words(waiting.record().outcome()) {
            search.look_in(word.as_bytes());
        }
        waiting.for_each(|event| {
            search.event(event);
            Ok(())
        })?;
        waiting.event().iter().for_each(|event| search.event(event));
        search.look_in_rests();
        Ok(search.found)
    }

    fn look_in(&mut self, text: &[u8]) {
        for (found, pattern) in self.found.iter_mut().zip(self.patterns) {
            *found = *found || pattern.is_match_bytes(text);
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        let Some(piece) = event.file else { return };
        let known = self.files.remove(piece.name);
        let mut file = known.unwrap_or_else(|| {
            self.look_in(piece.name.as_bytes());
            TextFile { content: Content::of(event.mime_type, piece.bytes), rest: Vec::new() }
        });
        if file.content != Content::Binary {
            self.kept -= file.rest.len();
            self.text(&mut file.rest, &file.content.decode(piece.bytes));
            self.kept += file.rest.len();
        }
        self.files.insert(piece.name.to_owned(), file);
        if self.kept > LINES {
            self.look_in_rests();
        }
    }

    /// Looks in the lines that are whole with this piece.
    fn text(&mut self, rest: &mut Vec<u8>, piece: &[u8]) {
        let whole = piece.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (whole, next) = split_part(piece, whole);
        // Without its last newline: after that would be an empty line which is not there.
        if let Some((_, lines)) = whole.split_last() {
            if rest.is_empty() {
                self.look_in(lines);
            } else {
                rest.extend_from_slice(lines);
                self.look_in(rest);
                rest.clear();
            }
        }
        rest.extend_from_slice(next);
    }

    fn look_in_rests(&mut self) {
        let mut files = std::mem::take(&mut self.files);
        for file in files.values_mut().filter(|file| !file.rest.is_empty()) {
            self.look_in(&file.rest);
            file.rest = Vec::new();
        }
        self.files = files;
        self.kept = 0;
    }
}

/// The words for an outcome: ours, and python-subunit's.
fn words(outcome: Outcome) -> [&'static str; 2] {
    let theirs = match outcome {
        Outcome::Fail => "failure",
        Outcome::XFail => "expectedfailure",
        Outcome::UxSuccess => "unexpectedsuccess",
        Outcome::Success | Outcome::Skip | Outcome::Exists | Outcome::Unfinished => outcome.as_str(),
    };
    [outcome.as_str(), theirs]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_is_enough_and_flags_are_its_own() {
        let patterns = ["(?i)boot", "^net|end$"].map(|pattern| pattern.parse().unwrap());
        let patterns = Patterns::new(&patterns).unwrap();
        for (text, expected) in [("re-BOOT", true), ("NET", false), ("net.up", true), ("x.end", true)] {
            assert_eq!(patterns.is_match(text), expected, "{text}");
        }
        assert!(Patterns::new(&[]).is_none());
    }

    #[test]
    fn what_is_wrong_is_told_in_a_line() {
        let check = |pattern: &str, expected| assert_eq!(pattern.parse::<Pattern>().unwrap_err(), expected);
        check("a(", "unclosed group");
        check("a)|(b", "unopened group");
    }
}
