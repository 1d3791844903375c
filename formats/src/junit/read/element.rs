//! The elements of a report: which may be in which, and what becomes of their text.

use super::case::CaseEnd;
use super::error::{Failure, problem};

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
    Other,
    /// An element whose text is that of the element around it.
    Inside,
}

/// The elements that say how something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Failure,
    Error,
    Skipped,
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
        }
    }
}

impl Element {
    /// Whether what is in it belongs to a test.
    pub(crate) fn is_test(self) -> bool {
        matches!(self, Element::Case | Element::OfSuite(_))
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
        self.is_detail() || self.is_output() || self == Element::Other
    }

    /// The name of the file that its text becomes.
    pub(crate) fn file_name(self, name: &str, attempt: u32) -> String {
        let stream = |is_stderr| if is_stderr { "stderr" } else { "stdout" };
        match self {
            Element::Detail(Detail::Skipped) | Element::OfSuite(Detail::Skipped) => "reason".to_owned(),
            Element::Detail(_) | Element::OfSuite(_) => "traceback".to_owned(),
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
    let is_result = matches!(name, "testcase" | "testsuite" | "testsuites");
    Ok(match parent {
        None | Some(Element::Suites | Element::Suite) if is_result => match name {
            "testcase" => Element::Case,
            "testsuite" => Element::Suite,
            _ => Element::Suites,
        },
        None => {
            let name = crate::visible::line(name);
            return problem(format!("no JUnit XML: the document is a <{name}>"));
        }
        // As text of something else, its failures would be lost.
        Some(_) if is_result => {
            return problem(format!("a <{name}> that is in no suite"));
        }
        Some(Element::Suites | Element::Suite) => of_suite(name),
        Some(Element::Case) => of_case(name),
        Some(Element::Attempt { .. }) => match name {
            "system-out" => Element::AttemptOutput { is_stderr: false },
            "system-err" => Element::AttemptOutput { is_stderr: true },
            _ => Element::Inside,
        },
        Some(Element::Properties) if name == "property" => Element::Property,
        Some(_) => Element::Inside,
    })
}

fn of_suite(name: &str) -> Element {
    match name {
        "properties" => Element::Properties,
        "system-out" => Element::Output { is_stderr: false },
        "system-err" => Element::Output { is_stderr: true },
        "failure" => Element::OfSuite(Detail::Failure),
        "error" => Element::OfSuite(Detail::Error),
        _ => Element::Other,
    }
}

fn of_case(name: &str) -> Element {
    match name {
        "failure" => Element::Detail(Detail::Failure),
        "error" => Element::Detail(Detail::Error),
        "skipped" | "disabled" | "ignored" => Element::Detail(Detail::Skipped),
        "flakyFailure" | "flakyError" => Element::Attempt { is_rerun: false },
        "rerunFailure" | "rerunError" => Element::Attempt { is_rerun: true },
        _ => of_suite(name),
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
        check(Some(Element::Case), "warning", Element::Other);
        check(Some(Element::Properties), "property", Element::Property);
        check(Some(Element::Output { is_stderr: false }), "b", Element::Inside);
    }

    #[test]
    fn results_where_none_belong_are_a_problem() {
        assert!(child(None, "html").is_err());
        assert!(child(Some(Element::Case), "testcase").is_err());
        assert!(child(Some(Element::Output { is_stderr: true }), "testcase").is_err());
    }
}
