//! A line of JSON.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;

use super::scan;
use crate::loose_json::lenient;

/// What a line says. Go leaves out empty fields, so absent and empty mean the same.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) time: Cow<'a, str>,
    pub(super) package: Cow<'a, str>,
    pub(super) test: Cow<'a, str>,
    /// Seconds.
    pub(super) elapsed: Option<f64>,
    pub(super) output: Output<'a>,
    /// The fields that only a few lines have.
    pub(super) more: Option<Box<More<'a>>>,
}

/// A line of output, or a piece of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Output<'a> {
    /// Without the newline at its end.
    pub(super) text: Cow<'a, str>,
    pub(super) has_newline: bool,
}

/// The fields that only a few lines have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct More<'a> {
    /// What the compiler reports on.
    pub(super) import_path: Cow<'a, str>,
    /// The import path whose build failed.
    pub(super) failed_build: Cow<'a, str>,
    pub(super) key: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
    /// Where the artifacts of a test are.
    pub(super) path: Cow<'a, str>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Run,
    Output,
    Pass,
    Fail,
    Skip,
    Attr,
    Artifacts,
    BuildOutput,
    BuildFail,
    Pause,
    Continue,
}

/// A value of another type than go has is as none.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Object<'a> {
    #[serde(borrow, deserialize_with = "lenient")]
    time: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient")]
    action: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient")]
    package: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient")]
    test: Option<Cow<'a, str>>,
    #[serde(deserialize_with = "lenient")]
    elapsed: Option<f64>,
    #[serde(borrow, deserialize_with = "lenient")]
    output: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient")]
    import_path: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient")]
    failed_build: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient")]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient")]
    value: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient")]
    path: Option<Cow<'a, str>>,
}

/// The keys that a line may begin with.
pub(super) const KEYS: [&str; 7] = ["Time", "Action", "Package", "ImportPath", "Test", "Elapsed", "Output"];

impl<'a> Line<'a> {
    /// The line, and what it is about; `None` when it is not a line of `go test`. `text` is the same as text, if it is
    /// known to be one.
    pub(super) fn parse(content: &'a [u8], text: Option<&'a str>) -> Option<(Action, Line<'a>)> {
        let text = text.or_else(|| std::str::from_utf8(content).ok());
        // Nearly all lines are as go writes them.
        text.and_then(scan::line).or_else(|| Line::of_any_form(content))
    }

    fn of_any_form(content: &'a [u8]) -> Option<(Action, Line<'a>)> {
        if content.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        let object: Object<'_> = serde_json::from_slice(content).ok()?;
        let action = Action::of(&object.action?)?;
        let Object { time, action: _, package, test, elapsed, output, .. } = object;
        let Object { import_path, failed_build, key, value, path, .. } = object;
        let [import_path, failed_build, key, value, path] =
            [import_path, failed_build, key, value, path].map(Option::unwrap_or_default);
        let more = More { import_path, failed_build, key, value, path };
        let more = (more != More::default()).then(|| Box::new(more));
        let [time, package, test, output] = [time, package, test, output].map(Option::unwrap_or_default);
        Some((action, Line { time, package, test, elapsed, output: Output::new(output), more }))
    }

    pub(super) fn failed_build(&self) -> &str {
        self.more.as_ref().map_or("", |more| &more.failed_build)
    }

    pub(super) fn import_path(&self) -> &str {
        self.more.as_ref().map_or("", |more| &more.import_path)
    }
}

impl<'a> Output<'a> {
    pub(super) fn new(text: Cow<'a, str>) -> Self {
        if !text.ends_with('\n') {
            return Output { text, has_newline: false };
        }
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.pop();
                Cow::Owned(text)
            }
        };
        Output { text, has_newline: true }
    }

    /// What is behind the text.
    pub(super) fn end(&self) -> &'static str {
        if self.has_newline { "\n" } else { "" }
    }
}

impl Action {
    pub(super) fn of(word: &str) -> Option<Action> {
        Some(match word {
            "output" => Action::Output,
            "run" => Action::Run,
            // A benchmark that has said something.
            "pass" | "bench" => Action::Pass,
            "fail" => Action::Fail,
            "skip" => Action::Skip,
            "pause" => Action::Pause,
            "cont" => Action::Continue,
            "start" => Action::Start,
            "attr" => Action::Attr,
            "artifacts" => Action::Artifacts,
            "build-output" => Action::BuildOutput,
            "build-fail" => Action::BuildFail,
            _ => return None,
        })
    }
}

/// Whether a line that is too long to be read says that something failed.
pub(super) fn begins_failure(start: &[u8]) -> bool {
    let start = start.get(..HEAD).unwrap_or(start);
    let actions = memmem::find_iter(start, b"\"Action\"").filter_map(|at| start.get(at + 8..));
    let value = |rest: &[u8]| {
        let value = rest.trim_ascii_start().strip_prefix(b":")?;
        Some(value.trim_ascii_start().starts_with(b"\"fail\""))
    };
    start.trim_ascii_start().starts_with(b"{") && actions.into_iter().find_map(value).unwrap_or(false)
}

/// What happened stands within this many bytes of a line.
const HEAD: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &str, expected: Option<Action>) {
        assert_eq!(Line::parse(line.as_bytes(), None).map(|(action, _)| action), expected, "{line}");
    }

    #[test]
    fn a_line_is_an_object_with_an_action() {
        check(r#"{"Action":"run","Test":"TestA"}"#, Some(Action::Run));
        check(r#" {"Action":"bench","New":{"a":[1]}}"#, Some(Action::Pass));
        for text in ["", "{}", "[]", "null", r#"{"Action":"new"}"#, r#"{"Action":7}"#, r#"{"Action":"run""#] {
            check(text, None);
        }
    }

    fn check_output(json: &str, text: &str, has_newline: bool) {
        let line = format!(r#"{{"Time":"2020-01-01T00:00:00Z","Action":"output","Output":"{json}"}}"#);
        let (_, line) = scan::line(&line).unwrap();
        assert_eq!(line.output, Output { text: text.into(), has_newline }, "{json}");
        let is_plain = !json.strip_suffix(r"\n").unwrap_or(json).contains('\\');
        assert_eq!(matches!(line.output.text, Cow::Borrowed(_)), is_plain, "{json}");
    }

    #[test]
    fn what_go_writes_is_read_without_a_copy_where_there_are_no_escapes() {
        check_output(r"=== RUN   TestA\n", "=== RUN   TestA", true);
        check_output("grün", "grün", false);
        check_output(r"\n", "", true);
        check_output(r"\\n", r"\n", false);
        check_output(r"\tat \u003ca\u003e\\\n", "\tat <a>\\", true);
        check_output(r"\u2028\/\b\f\r\n", "\u{2028}/\u{8}\u{c}\r", true);
    }

    /// Lines as go writes them, and such as differ a little.
    const LINES: &str = concat!(
        r#"\{("Time":"[^"\\\\]{0,3}")?,?("Action":"(run|pass|output|new)")?(,"Package":"(a|\\n|ß)")?"#,
        r#"(,"Test":"(a|\\u00e9|b"?)")?(,"(Elapsed|Test)":-?[0-9]{0,2}(\.[0-9]{0,2})?(e1)?)?"#,
        r#"(,"Output":"([a-zß ]{0,4}|\\n|\\\\|\\u00e9|\\ud800|\\"|\\t)*")?(,"Key":"a")?[ ,]?\}[ }]?"#
    );

    proptest! {
        #[test]
        fn what_is_read_fast_is_what_the_standard_says(line in LINES) {
            if let Some(fast) = scan::line(&line) {
                prop_assert_eq!(Some(fast), Line::of_any_form(line.as_bytes()));
            }
        }
    }
}
