//! Where in the sources a test failed, as its text says.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use crate::junit::names::file_of;

/// A place in the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path as the producer wrote it: relative to its folder as a rule, or absolute.
    pub file: String,
    /// The line, from 1 on.
    pub line: Option<u32>,
}

/// `tests/boot.py:7`, or the file alone.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}", self.file),
            None => formatter.write_str(&self.file),
        }
    }
}

/// A form in which producers name places; its groups are the file and the line.
struct Form {
    pattern: Regex,
    /// Whether the last place is that of the test, not the first.
    is_last: bool,
}

/// Python, Rust, pytest, JavaScript, Perl, bats; then what most compilers and frameworks write.
static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let forms = [
        (r#"(?m)^\s*File "([^"\n]+)", line (\d+)"#, true),
        (r"(?m) panicked at (?:'.*', )?([^\s:']+):(\d+):\d+", false),
        (r"(?m)^([^\s:]+\.py):(\d+): \w", true),
        (r"(?m)^\s+at (?:.* \()?(?:file://)?([^\s():]+\.\w+):(\d+):\d+\)?$", false),
        (r"(?m)\bat (\S+) line (\d+)\.?$", false),
        (r"in test file ([^,\n]+), line (\d+)", false),
        (r"(?m)^[\s#]*([\w./+-]*\w\.[A-Za-z]{1,4}):(\d+)(?::\d+)?(?:[:\s]|$)", false),
    ];
    // A pattern that did not compile would be found by the test below.
    forms
        .into_iter()
        .filter_map(|(pattern, is_last)| Some(Form { pattern: Regex::new(pattern).ok()?, is_last }))
        .collect()
});
/// Parts of paths that are no one's test: libraries and interpreters.
const FOREIGN: [&str; 7] =
    ["/site-packages/", "/dist-packages/", "/lib/python", "/node_modules/", "node:", "<frozen", "/rustc/"];

impl Place {
    /// The place that a failure's message or text tells, or else the file in the test's id.
    pub(super) fn find(test_id: &str, message: &str, text: &str) -> Option<Place> {
        let told = FORMS.iter().find_map(|form| form.find(text).or_else(|| form.find(message)));
        told.or_else(|| Some(Place { file: file_of(test_id)?.to_owned(), line: None }))
    }
}

impl Form {
    fn find(&self, text: &str) -> Option<Place> {
        let mut places = self.pattern.captures_iter(text).filter_map(|found| {
            let (file, line) = (found.get(1)?.as_str(), found.get(2)?.as_str());
            let is_own = !FOREIGN.iter().any(|part| file.contains(part));
            is_own.then(|| Some(Place { file: file.to_owned(), line: Some(line.parse().ok()?) }))?
        });
        if self.is_last { places.last() } else { places.next() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, u32)>) {
        let place = Place::find("boot", "", text);
        let found = place.as_ref().map(|place| (place.file.as_str(), place.line.unwrap_or_default()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn producers_name_places_in_their_ways() {
        assert_eq!(FORMS.len(), 7);
        let library = "  File \"/usr/lib/python3.11/unittest/case.py\", line 59, in run\n    raise\n";
        check(
            &format!("Traceback:\n  File \"tests/t.py\", line 7, in a\n    b()\n{library}ValueError: 1\n"),
            Some(("tests/t.py", 7)),
        );
        check("thread 'a' (12) panicked at src/lib.rs:37:9:\nit broke\n", Some(("src/lib.rs", 37)));
        check("thread 'a' panicked at 'no way', src/lib.rs:1:1\n", Some(("src/lib.rs", 1)));
        check(
            "def test_a():\n>   b()\n\nt/test_a.py:2: \nt/test_a.py:9: AssertionError",
            Some(("t/test_a.py", 9)),
        );
        check(
            "Error: no\n    at node:internal/x.js:1:2\n    at Object.<anonymous> (/srv/a/b.test.js:12:5)\n    at c.js:1:1",
            Some(("/srv/a/b.test.js", 12)),
        );
        check("#   Failed test 'a'\n#   at t/a.t line 5.\n", Some(("t/a.t", 5)));
        check("# (in test file a.bats, line 3)\n#   `false' failed\n", Some(("a.bats", 3)));
        check("    boot_test.go:12: got 1\n", Some(("boot_test.go", 12)));
        check("orders.cc:12: Failure\nExpected equality", Some(("orders.cc", 12)));
        check("src/a-b/orders.cc:12:4: error: x", Some(("src/a-b/orders.cc", 12)));
    }

    #[test]
    fn what_is_no_place_is_none() {
        check("10:30:12 started\nhttp://example.com:80/\nlocalhost:8080: refused\nratio 1.5:3", None);
        check("", None);
        check("a.py:99999999999: x", None);
        let place = Place::find("tests/test_boot.py::test_a", "no", "");
        assert_eq!(place, Some(Place { file: "tests/test_boot.py".to_owned(), line: None }));
    }
}
