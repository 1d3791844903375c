//! How tests ended.

use super::*;

#[test]
fn outcomes_are_those_of_the_children() {
    check_cases("<testcase name='a'><failure/></testcase>", &["a inprogress", "a fail"]);
    check_cases(
        "<testcase name='a'><error message='m' type='T'>t</error></testcase>",
        &["a inprogress", "a traceback=T: m\nt", "a fail"],
    );
    check_cases(
        "<testcase name='a'><skipped message='why'/></testcase>",
        &["a inprogress", "a reason=why", "a skip"],
    );
    check_cases(
        "<testcase name='a'><skipped type='pytest.xfail' message='why'/></testcase>",
        &["a inprogress", "a reason=why", "a xfail"],
    );
    check_cases(
        "<testcase name='a'><failure type='UnexpectedSuccess'/></testcase>",
        &["a inprogress", "a uxsuccess"],
    );
}

#[test]
fn the_gravest_outcome_holds() {
    check_cases(
        "<testcase name='a'><failure>1</failure><skipped/><error>2</error></testcase>",
        &["a inprogress", "a traceback=1", "a traceback-2=2", "a fail"],
    );
}

#[test]
fn what_is_yet_to_be_done_may_fail() {
    check_cases(
        "<testcase name='a'><skipped type='todo' message='later'/><failure>no</failure></testcase>",
        &["a inprogress", "a reason=todo: later", "a traceback=no", "a xfail"],
    );
}

#[test]
fn words_that_nobody_knows_are_no_success() {
    let strange =
        "a traceback=status=\"strange\": it is not known what that means, so it is not taken for a success\n";
    check_cases(
        "<testcase name='a' status='strange'/>",
        &["a inprogress", "a properties=status=strange\n", strange, "a fail"],
    );
    check_cases("<testcase name='a' status=''/>", &["a inprogress", "a success"]);
    check_cases(
        "<testcase name='a' status='passed' result='42'/>",
        &["a inprogress", "a properties=result=42\n", "a success"],
    );
    check_cases(
        "<testcase name='a' status='strange'><skipped message='m'/></testcase>",
        &["a inprogress", "a properties=status=strange\n", "a reason=m", "a skip"],
    );
    check_cases(
        "<testcase name='a' success='False'/>",
        &["a inprogress", "a traceback=success=\"False\"", "a fail"],
    );
    check_cases(
        "<testcase name='a' executed='False'/>",
        &["a inprogress", "a reason=executed=\"False\"", "a skip"],
    );
    check_cases("<testcase name='a' status='flaky'/>", &["a inprogress", "a success #flaky"]);
}

#[test]
fn elements_whose_name_tells_an_ending_tell_it() {
    check_cases(
        "<testcase name='a'><timeout message='after 60 s'/></testcase>",
        &["a inprogress", "a traceback=timeout: after 60 s", "a fail"],
    );
    check_cases("<testcase name='a'><crash/></testcase>", &["a inprogress", "a traceback=crash", "a fail"]);
    check_cases(
        "<testcase name='a'><Failure message='m'/></testcase>",
        &["a inprogress", "a traceback=m", "a fail"],
    );
    check_cases(
        "<testcase name='a'><aborted message='m' type='T'>T: m</aborted></testcase>",
        &["a inprogress", "a reason=T: m", "a skip"],
    );
    check_cases(
        "<testcase name='a'><results>1<failure>no</failure>2</results></testcase>",
        &["a inprogress", "a results=1", "a traceback=no", "a text=2", "a fail"],
    );
    check_cases("<timeout/>", &["s inprogress", "s traceback=timeout", "s fail"]);
    check_cases("<skipped message='m'/>", &["s inprogress", "s reason=m", "s skip"]);
}

#[test]
fn what_ctest_could_not_run_has_failed() {
    let skipped = |message| {
        format!("<testcase name='a' classname='a' status='notrun'><skipped message='{message}'/></testcase>")
    };
    let document = |message| format!("<testsuite name='(empty)'>{}</testsuite>", skipped(message));
    for message in ["Unable to find executable", "Required Files Missing", "Fixture dependency failed"] {
        check(&document(message), &["a inprogress", &format!("a traceback={message}"), "a fail"]);
    }
    for message in ["SKIP_RETURN_CODE=77", "Disabled"] {
        check(&document(message), &["a inprogress", &format!("a reason={message}"), "a skip"]);
    }
    let other = "<testcase name='a' status='notrun'><skipped message='m'/></testcase>";
    check(other, &["a inprogress", "a reason=m", "a skip"]);
}

#[test]
fn what_is_marked_so_may_fail() {
    let marked = "<skipped message='TEST_CASE tagged with !mayfail'/>";
    let reason = "a reason=TEST_CASE tagged with !mayfail";
    check_cases(
        &format!("<testcase name='a'>{marked}<failure>no</failure></testcase>"),
        &["a inprogress", reason, "a traceback=no", "a xfail"],
    );
    // Catch2 counts among the failures that another test should have failed, and has no element for that.
    let counted = "s traceback=failures and errors that the suite counts: 1, in its cases: 0\n";
    check(
        &format!(
            "<testsuite name='s' hostname='tbd' failures='1'><testcase name='a'>{marked}<failure/></testcase></testsuite>"
        ),
        &["a inprogress", reason, "a xfail", "s inprogress", counted, "s fail"],
    );
}

#[test]
fn a_suite_that_says_it_failed_is_a_failure() {
    check(
        "<testsuite name='s' status='failed'><testcase name='a'/></testsuite>",
        &[
            "a inprogress",
            "a success",
            "s inprogress",
            "s traceback=the suite says that it failed: status=\"failed\"\n",
            "s fail",
        ],
    );
    check(
        "<testsuite name='s' status='failed'><testcase name='a'><failure/></testcase></testsuite>",
        &["a inprogress", "a fail"],
    );
}

#[test]
fn attributes_say_an_outcome_too() {
    check_cases("<testcase name='a' status='run' result='completed'/>", &["a inprogress", "a success"]);
    check_cases(
        "<testcase name='a' status='notrun' result='suppressed'/>",
        &["a inprogress", "a reason=status=\"notrun\" result=\"suppressed\"", "a skip"],
    );
    check_cases(
        "<testcase name='a' status='run' result='skipped'><skipped message='m'/></testcase>",
        &["a inprogress", "a reason=m", "a skip"],
    );
    check_cases(
        "<testcase name='a' status='fail'/>",
        &["a inprogress", "a traceback=status=\"fail\"", "a fail"],
    );
}

#[test]
fn an_incomplete_case_stays_open() {
    let incomplete = "<testcase name='a' time='1'><error type='Incomplete'/></testcase>";
    check_cases(incomplete, &["a inprogress @0", "a inprogress @1"]);
    check_cases(
        &format!("{incomplete}<testcase name='a'/>"),
        &["a inprogress @0", "a inprogress @1", "a #2 inprogress", "a #2 success"],
    );
}

#[test]
fn attempts_are_files_and_tags() {
    check_cases(
        "<testcase name='a'>\n<flakyFailure message='m' type='T'>\n<stackTrace>T: m\n at</stackTrace>\
         <system-out>o</system-out>\n</flakyFailure><flakyError>second</flakyError></testcase>",
        &[
            "a inprogress",
            "a attempt-1=T: m\n at",
            "a attempt-1 stdout=o",
            "a attempt-2=second",
            "a success #attempt-3 #flaky",
        ],
    );
    check_cases(
        "<testcase name='a'><failure>first</failure><rerunFailure><stackTrace>second</stackTrace></rerunFailure>\
         </testcase>",
        &["a inprogress", "a traceback=first", "a attempt-2=second", "a fail #attempt-2"],
    );
    check_cases(
        "<testcase name='a'><rerunFailure>again</rerunFailure></testcase>",
        &["a inprogress", "a attempt-2=again", "a fail #attempt-2"],
    );
}

#[test]
fn a_failure_of_the_suite_is_a_failing_test() {
    check_cases(
        "<error message='no setup'/><testcase name='a'/>",
        &["s inprogress", "s traceback=no setup", "s fail", "a inprogress", "a success"],
    );
}

#[test]
fn a_suite_that_counts_more_than_it_has_fails() {
    let missing = "s traceback=failures and errors that the suite counts: 1, in its cases: 0\n";
    let expected = ["a inprogress", "a success", "s inprogress", missing, "s fail"];
    let document =
        "<testsuites errors='1'><testsuite name='s' errors='1'><testcase name='a'/></testsuite></testsuites>";
    check(document, &expected);
    let options = Options { counts: false, ..Options::default() };
    check_with(&options, document, &expected[..2], None);
}
