//! The elements of a report: which may be in which, and what becomes of their text.

use super::case::CaseEnd;
use super::error::{Failure, problem};
use super::words;

/// An element, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Suites,
    Suite,
    Case,
    Properties,
    Property,
    /// How a case ended.
    Detail(Detail),
    /// How a suite ended, outside of its cases.
    OfSuite(Detail),
    /// An attempt other than the one that the case is about.
    Attempt {
        is_rerun: bool,
    },
    Output {
        is_stderr: bool,
    },
    /// The output of such an attempt.
    AttemptOutput {
        is_stderr: bool,
    },
    /// An element that does not belong to the format: its text is kept.
    Other {
        of_case: bool,
    },
    /// An element whose text is that of the element around it.
    Inside,
}

/// The elements that say how something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Failure,
    Error,
    Skipped,
    /// One that is not of the format, whose name says it all the same: `<timeout>`, `<aborted>`.
    Named(CaseEnd),
}

impl Detail {
    /// What it says, with its attribute `type`.
    pub(crate) fn ending(self, kind: &str) -> CaseEnd {
        match (self, kind) {
            (Detail::Skipped, "xfail" | "pytest.xfail") => CaseEnd::XFail,
            (Detail::Skipped, _) => CaseEnd::Skip,
            (Detail::Failure, "UnexpectedSuccess") => CaseEnd::UxSuccess,
            (Detail::Error, "Incomplete") => CaseEnd::Unfinished,
            (Detail::Failure | Detail::Error, _) => CaseEnd::Fail,
            (Detail::Named(ending), _) => ending,
        }
    }

    /// The detail that an element of this name is.
    fn of(name: &str) -> Option<Self> {
        match name {
            "failure" => Some(Detail::Failure),
            "error" => Some(Detail::Error),
            "skipped" | "disabled" | "ignored" => Some(Detail::Skipped),
            _ => words::element_ending(name).map(Detail::Named),
        }
    }
}

impl Element {
    /// Whether what is in it belongs to a test.
    pub(crate) fn is_test(self) -> bool {
        matches!(self, Element::Case | Element::OfSuite(_))
    }

    /// Whether it is a suite, or the report.
    pub(crate) fn is_suite(self) -> bool {
        matches!(self, Element::Suites | Element::Suite)
    }

    /// Whether it has results, of its own or within it.
    pub(crate) fn is_result(self) -> bool {
        self.is_suite() || self == Element::Case
    }

    /// Whether its text may have elements in it whose text is another file.
    pub(crate) fn is_divided(self) -> bool {
        matches!(self, Element::Attempt { .. } | Element::Other { .. })
    }

    /// Whether it says how something ended, in attributes too.
    pub(crate) fn is_detail(self) -> bool {
        matches!(self, Element::Detail(_) | Element::OfSuite(_) | Element::Attempt { .. })
    }

    pub(crate) fn is_output(self) -> bool {
        matches!(self, Element::Output { .. } | Element::AttemptOutput { .. })
    }

    /// Whether its text becomes a file.
    pub(crate) fn has_text(self) -> bool {
        self.is_detail() || self.is_output() || matches!(self, Element::Other { .. })
    }

    /// The name of the file that its text becomes; `ending` is what it says of the outcome, if it does.
    pub(crate) fn file_name(self, name: &str, attempt: u32, ending: CaseEnd) -> String {
        let stream = |is_stderr| if is_stderr { "stderr" } else { "stdout" };
        match self {
            Element::Detail(_) | Element::OfSuite(_) => {
                if ending.is_failure() { "traceback" } else { "reason" }.to_owned()
            }
            Element::Attempt { .. } => format!("attempt-{attempt}"),
            Element::AttemptOutput { is_stderr } => format!("attempt-{attempt} {}", stream(is_stderr)),
            Element::Output { is_stderr } => stream(is_stderr).to_owned(),
            _ => name.get(..200).unwrap_or(name).to_owned(),
        }
    }
}

/// What an element of this name is within that one; `None` is outside of the document.
#[inline]
pub(crate) fn child(parent: Option<Element>, name: &str) -> Result<Element, Failure> {
    let result = result(name);
    Ok(match (parent, result) {
        (
            None | Some(Element::Suites | Element::Suite | Element::Case | Element::Other { .. }),
            Some(result),
        ) => result,
        (None, None) => return Err(Failure::Foreign(name.to_owned())),
        // As text of something else, its failures would be lost.
        (Some(_), Some(_)) => return problem(format!("a <{name}> that is in no suite")),
        (Some(Element::Suites | Element::Suite), _) => of_suite(name),
        (Some(Element::Case), _) => of_case(name),
        (Some(Element::Attempt { .. }), _) => match name {
            "system-out" => Element::AttemptOutput { is_stderr: false },
            "system-err" => Element::AttemptOutput { is_stderr: true },
            _ => Element::Inside,
        },
        (Some(Element::Properties), _) if name == "property" => Element::Property,
        // What it wraps tells an ending as well as it would alone.
        (Some(Element::Other { of_case }), _) => match Detail::of(name) {
            Some(detail) if of_case => Element::Detail(detail),
            Some(detail) => Element::OfSuite(detail),
            None => Element::Inside,
        },
        (Some(_), _) => Element::Inside,
    })
}

/// The element of this name that has results. Those who write `<testCase>` mean one, too.
fn result(name: &str) -> Option<Element> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    match () {
        () if !name.starts_with(['t', 'T']) => None,
        () if is("testcase") => Some(Element::Case),
        () if is("testsuite") => Some(Element::Suite),
        () if is("testsuites") => Some(Element::Suites),
        () => None,
    }
}

fn of_suite(name: &str) -> Element {
    match name {
        "properties" => Element::Properties,
        "system-out" => Element::Output { is_stderr: false },
        "system-err" => Element::Output { is_stderr: true },
        _ => Detail::of(name).map_or(Element::Other { of_case: false }, Element::OfSuite),
    }
}

fn of_case(name: &str) -> Element {
    match name {
        "flakyFailure" | "flakyError" => Element::Attempt { is_rerun: false },
        "rerunFailure" | "rerunError" => Element::Attempt { is_rerun: true },
        _ => match of_suite(name) {
            Element::OfSuite(detail) => Element::Detail(detail),
            Element::Other { .. } => Element::Other { of_case: true },
            element => element,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parent: Option<Element>, name: &str, expected: Element) {
        assert_eq!(child(parent, name).unwrap(), expected);
    }

    #[test]
    fn what_an_element_is_depends_on_where_it_is() {
        check(None, "testsuites", Element::Suites);
        check(None, "testcase", Element::Case);
        check(Some(Element::Suite), "testsuite", Element::Suite);
        check(Some(Element::Suite), "error", Element::OfSuite(Detail::Error));
        check(Some(Element::Case), "error", Element::Detail(Detail::Error));
        check(Some(Element::Case), "flakyError", Element::Attempt { is_rerun: false });
        check(Some(Element::Case), "warning", Element::Other { of_case: true });
        check(Some(Element::Suite), "note", Element::Other { of_case: false });
        check(Some(Element::Case), "Failure", Element::Detail(Detail::Named(CaseEnd::Fail)));
        check(Some(Element::Case), "aborted", Element::Detail(Detail::Named(CaseEnd::Skip)));
        check(Some(Element::Suite), "timeout", Element::OfSuite(Detail::Named(CaseEnd::Fail)));
        check(Some(Element::Other { of_case: true }), "failure", Element::Detail(Detail::Failure));
        check(Some(Element::Other { of_case: false }), "b", Element::Inside);
        check(Some(Element::Case), "testcase", Element::Case);
        check(Some(Element::Suite), "testCase", Element::Case);
        check(Some(Element::Properties), "property", Element::Property);
        check(Some(Element::Output { is_stderr: false }), "b", Element::Inside);
    }

    #[test]
    fn results_where_none_belong_are_a_problem() {
        assert!(child(None, "html").is_err());
        assert!(child(Some(Element::Properties), "testcase").is_err());
        assert!(child(Some(Element::Output { is_stderr: true }), "testcase").is_err());
    }
}
