//! What the attributes `message` and `type` of an outcome say that its text does not.

use memchr::memmem;

use super::element::{Detail, Element};
use super::error::Failure;
use super::tag::Tag;
use crate::why::Cause;

/// Types that say no more than the element's name, or than the outcome that stands for them.
const PLAIN: [&str; 11] = [
    "failure",
    "error",
    "skipped",
    "skip",
    "fail",
    "failed",
    "xfail",
    "pytest.xfail",
    "pytest.skip",
    "testCodeFailure",
    "undefined",
];
/// What our own writer says where there is nothing to say, by type.
const NOTHING: [(&str, &str); 6] = [
    ("Failure", "failed"),
    ("UnexpectedSuccess", "passed, but was expected to fail"),
    ("Incomplete", "began and did not finish"),
    ("Damage", "the stream is damaged"),
    ("", "skipped"),
    ("xfail", "failed as expected"),
];
/// A longer message is looked for by its beginning only.
const LONGEST: usize = 4096;

/// A message and a type.
#[derive(Debug, Default)]
pub(crate) struct Explanation {
    pub(crate) message: String,
    pub(crate) kind: String,
}

impl Explanation {
    /// What the attributes of an element say. The name of one that is not of the format is a type as good as another,
    /// and its other attributes are all that there may be.
    pub(crate) fn of(element: Element, tag: &Tag<'_>) -> Result<Self, Failure> {
        let mut explanation = Explanation::default();
        let is_other = matches!(element, Element::Other { .. });
        let mut others = Vec::new();
        tag.each(|key, value| {
            match key {
                "message" => explanation.message.push_str(&value),
                "type" => explanation.kind.push_str(&value),
                _ if !is_other => {}
                _ => others.push(format!("{key}=\"{value}\"")),
            }
            Ok(())
        })?;
        let is_named =
            matches!(element, Element::Detail(Detail::Named(_)) | Element::OfSuite(Detail::Named(_)));
        if is_named && explanation.kind.is_empty() {
            explanation.kind.push_str(tag.name());
        }
        if is_other && explanation.message.is_empty() {
            explanation.message = others.join(" ");
        }
        Ok(explanation)
    }

    /// Whether it says that the test may fail: that it is yet to be done, as node does, or is marked so, as Catch2
    /// does.
    pub(crate) fn lets_fail(&self) -> bool {
        self.kind == "todo" || self.is_uncounted()
    }

    /// Whether it says so in the words of Catch2, which does not count such a failure among those of the suite.
    pub(crate) fn is_uncounted(&self) -> bool {
        self.message.starts_with("TEST_CASE tagged with !")
    }

    pub(crate) fn clear(&mut self) {
        self.message.clear();
        self.kind.clear();
    }

    /// What there is to say beside this text, in a line.
    pub(crate) fn beside(&self, text: &[u8]) -> Option<String> {
        let message = self.message.trim();
        let is_said = contains(text, message) && leads(text, message);
        let says_message = !(message.is_empty() || self.is_nothing() || is_said);
        let kind = self.kind.trim();
        let is_in_message = says_message && message.contains(kind);
        let says_kind = !is_plain(kind) && !is_in_message && !contains(text, kind);
        match (says_kind, says_message) {
            (true, true) => Some(format!("{kind}: {message}")),
            (true, false) => Some(kind.to_owned()),
            (false, true) => Some(message.to_owned()),
            (false, false) => None,
        }
    }

    /// What to look for in a text that comes in pieces; empty when there is nothing to say.
    pub(crate) fn needle(&self) -> &[u8] {
        let message = if self.is_nothing() { "" } else { self.message.trim() };
        let needle =
            beginning(if message.is_empty() && !is_plain(&self.kind) { &self.kind } else { message });
        needle.as_bytes()
    }

    fn is_nothing(&self) -> bool {
        NOTHING.contains(&(self.kind.as_str(), self.message.as_str()))
    }
}

fn is_plain(kind: &str) -> bool {
    kind.is_empty()
        || PLAIN.iter().any(|plain| plain.eq_ignore_ascii_case(kind))
        || NOTHING.iter().any(|(ours, _)| *ours == kind)
}

/// Whether the text has this in it: in one piece, with other white space, or line by line.
fn contains(text: &[u8], message: &str) -> bool {
    let message = beginning(message);
    let has = |part: &str| memmem::find(text, part.as_bytes()).is_some();
    if has(message) || message.lines().map(str::trim).all(has) {
        return true;
    }
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short = words(message);
    short.contains(' ') && words(&String::from_utf8_lossy(text)).contains(&short)
}

/// Whether a text says this where our writer looks for the cause: what stands elsewhere is not found again.
fn leads(text: &[u8], message: &str) -> bool {
    let text = String::from_utf8_lossy(text);
    let message = beginning(message).lines().next().unwrap_or_default().trim();
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let cause = Cause::of(&text, &text).message;
    first.contains(message) || cause.contains(message) || !cause.is_empty() && message.starts_with(&cause)
}

/// As much of a message as is looked for; one that was cut ends in an ellipsis.
fn beginning(message: &str) -> &str {
    let message =
        message.strip_suffix('…').or_else(|| message.strip_suffix("...")).unwrap_or(message).trim_end();
    let end = (0..4).find_map(|back| message.get(..LONGEST - back));
    end.unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, message: &str, text: &str, expected: Option<&str>) {
        let explanation = Explanation { message: message.to_owned(), kind: kind.to_owned() };
        assert_eq!(explanation.beside(text.as_bytes()).as_deref(), expected);
    }

    #[test]
    fn what_the_text_says_is_not_said_twice() {
        check(
            "java.lang.AssertionError",
            "expected 1",
            "java.lang.AssertionError: expected 1\n\tat a.b",
            None,
        );
        check("", "one two", "E   one\n    two\n", None);
        check("Failure", "a long line…", "a long line that goes on", None);
        check("", "one\ntwo", "E   one\nE   two\n", None);
        check("", "no network", "/t/test_a.py:3: no network", None);
    }

    #[test]
    fn what_the_text_does_not_say_is_a_line() {
        check("AssertionError", "1 != 2", "", Some("AssertionError: 1 != 2"));
        check("AssertionError", "AssertionError: 1 != 2", "", Some("AssertionError: 1 != 2"));
        check("exit code 101", "it panicked", "it panicked", Some("exit code 101"));
        check("failure", "1 != 2", "at line 3", Some("1 != 2"));
        check("", "", "at line 3", None);
    }

    #[test]
    fn our_own_words_for_nothing_are_none() {
        check("Failure", "failed", "", None);
        check("", "skipped", "", None);
        check("Failure", "failed here", "", Some("failed here"));
        check("xfail", "failed as expected", "", None);
    }
}
