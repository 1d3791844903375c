//! What the words of a report say of an outcome: `status="not_run"`, `<Failure>`, `success="false"`.
//!
//! Attributes and elements have one vocabulary, in any case, with blanks, `-` and `_` or without. It is closed on one
//! side only: a word that passes is one of these, and whatever nobody knows is not a success. So a new word of some
//! tool is told as a failure that quotes it, never as a test that passed.

use super::case::CaseEnd;

const PASSED: [&str; 25] = [
    "run",
    "ran",
    "pass",
    "passed",
    "passing",
    "success",
    "succeeded",
    "successful",
    "ok",
    "completed",
    "complete",
    "done",
    "finished",
    "executed",
    "true",
    "fixed",
    "warning",
    "warn",
    "passedwithwarnings",
    "bpass",
    "flaky",
    "flaked",
    "expected",
    "yes",
    "good",
];
/// Qt says `bfail` of a test on its list of those that may.
const FAILED_AS_EXPECTED: [&str; 10] = [
    "xfail",
    "xfailed",
    "expectedfailure",
    "expectedfail",
    "expectedtofail",
    "knownfailure",
    "knownissue",
    "bfail",
    "bxfail",
    "bxpass",
];
const PASSED_UNEXPECTEDLY: [&str; 5] =
    ["xpass", "xpassed", "uxsuccess", "unexpectedsuccess", "unexpectedpass"];
const SKIPPED: [&str; 33] = [
    "notrun",
    "norun",
    "disabled",
    "skip",
    "skipped",
    "skipping",
    "ignore",
    "ignored",
    "suppressed",
    "pending",
    "untested",
    "inconclusive",
    "notexecuted",
    "unexecuted",
    "filtered",
    "filteredout",
    "deselected",
    "excluded",
    "notselected",
    "todo",
    "notapplicable",
    "unsupported",
    "manual",
    "deferred",
    "muted",
    "quarantined",
    "assumptionfailed",
    "assumptionviolated",
    "assumptionfailure",
    "explicit",
    "untestedpending",
    "untestedundefined",
    "pendingwarn",
];
const FAILED: [&str; 49] = [
    "fail",
    "failed",
    "failing",
    "failure",
    "error",
    "errored",
    "broken",
    "exception",
    "timeout",
    "timedout",
    "crash",
    "crashed",
    "abort",
    "aborted",
    "cancel",
    "canceled",
    "cancelled",
    "kill",
    "killed",
    "terminated",
    "interrupted",
    "incomplete",
    "unfinished",
    "undefined",
    "ambiguous",
    "panic",
    "panicked",
    "fatal",
    "notrunnable",
    "invalid",
    "blocked",
    "nok",
    "notok",
    "ko",
    "false",
    "regression",
    "hung",
    "hang",
    "stopped",
    "unresolved",
    "lost",
    "dead",
    "died",
    "hookerror",
    "cleanuperror",
    "setuperror",
    "teardownerror",
    "segfault",
    "unexpected",
];
/// How the name of an element ends that says so in several words: `<assertionFailure>`, `<setup-error>`.
const ENDINGS: [&str; 5] = ["failure", "error", "exception", "timeout", "crash"];

/// What a word says, if it is known.
pub(crate) fn ending(word: &str) -> Option<CaseEnd> {
    if matches!(word, "run" | "completed" | "passed") {
        return Some(CaseEnd::Success);
    }
    let word = normal(word);
    let is_in = |words: &[&str]| words.contains(&&*word);
    Some(match () {
        () if is_in(&PASSED) => CaseEnd::Success,
        () if is_in(&FAILED_AS_EXPECTED) => CaseEnd::XFail,
        () if is_in(&SKIPPED) => CaseEnd::Skip,
        () if is_in(&PASSED_UNEXPECTEDLY) => CaseEnd::UxSuccess,
        () if is_in(&FAILED) => CaseEnd::Fail,
        () => return None,
    })
}

/// Whether the word says that a test passed, but not at once.
pub(crate) fn is_flaky(word: &str) -> bool {
    matches!(&*normal(word), "flaky" | "flaked")
}

/// What the name of an element says, where it does not say that all is well. What was aborted in an attribute did not
/// come to its end; as an element it is Ant's word for an assumption that did not hold.
pub(crate) fn element_ending(name: &str) -> Option<CaseEnd> {
    match &*normal(name) {
        "abort" | "aborted" => Some(CaseEnd::Skip),
        // Elements for the output, in the words of some.
        word if word.starts_with("system") || word.starts_with("std") => None,
        word if ENDINGS.iter().any(|ending| word.ends_with(ending)) => Some(CaseEnd::Fail),
        word => ending(word).filter(|ending| *ending > CaseEnd::Success),
    }
}

/// What `success="false"` and the like say, if it is one of them.
pub(crate) fn flag(key: &str, value: &str) -> Option<CaseEnd> {
    let (good, otherwise) = match key {
        "success" | "successful" | "passed" => (true, CaseEnd::Fail),
        "executed" | "ran" => (true, CaseEnd::Skip),
        "failed" => (false, CaseEnd::Fail),
        "skipped" | "ignored" | "disabled" => (false, CaseEnd::Skip),
        _ => return None,
    };
    let value = match &*normal(value) {
        "true" | "yes" => true,
        "false" | "no" => false,
        _ => return None,
    };
    Some(if value == good { CaseEnd::Success } else { otherwise })
}

/// A word without what its writers differ in.
fn normal(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], expected: Option<CaseEnd>) {
        for word in words {
            assert_eq!(ending(word), expected, "{word}");
        }
    }

    #[test]
    fn words_are_known_in_any_spelling() {
        check(&["passed", "PASS", "Success", "run", "ok"], Some(CaseEnd::Success));
        check(
            &["not_run", "NotRun", "not run", "Not-Executed", "untested", "Inconclusive"],
            Some(CaseEnd::Skip),
        );
        check(&["xfail", "Expected Failure"], Some(CaseEnd::XFail));
        check(&["XPASS", "unexpected_success"], Some(CaseEnd::UxSuccess));
        check(
            &["timeout", "TIMED_OUT", "aborted", "canceled", "KO", "undefined", "false"],
            Some(CaseEnd::Fail),
        );
        check(&["", "0", "strange", "no news"], None);
    }

    fn check_elements(names: &[&str], expected: Option<CaseEnd>) {
        for name in names {
            assert_eq!(element_ending(name), expected, "{name}");
        }
    }

    #[test]
    fn names_of_elements_tell_an_ending() {
        check_elements(
            &["Failure", "FAILURE", "failed", "timeout", "crash", "assertionError"],
            Some(CaseEnd::Fail),
        );
        check_elements(&["skip", "Ignored", "pending", "aborted", "not-run"], Some(CaseEnd::Skip));
        check_elements(&["xfail"], Some(CaseEnd::XFail));
        check_elements(&["warning", "note", "success", "system-error", "stderror", "properties", ""], None);
    }

    fn check_flag(key: &str, value: &str, expected: Option<CaseEnd>) {
        assert_eq!(flag(key, value), expected, "{key}={value}");
    }

    #[test]
    fn flags_tell_an_ending() {
        check_flag("success", "False", Some(CaseEnd::Fail));
        check_flag("success", "true", Some(CaseEnd::Success));
        check_flag("executed", "no", Some(CaseEnd::Skip));
        check_flag("skipped", "true", Some(CaseEnd::Skip));
        check_flag("skipped", "3", None);
        check_flag("line", "true", None);
    }
}
