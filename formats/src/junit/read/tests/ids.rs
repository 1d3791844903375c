//! Which ids tests get.

use super::*;

#[test]
fn documents_may_follow_each_other() {
    let document = "<?xml version='1.0'?><testsuite name='s'><testcase name='a' time='1'/></testsuite>\n";
    let both = format!("{document}\u{feff}{document}");
    check(&both, &["a inprogress @0", "a success @1", "a #2 inprogress @1", "a #2 success @2"]);
}

#[test]
fn no_two_tests_have_one_id() {
    check_cases(
        "<testcase name='a'/><testcase name='a'><failure/></testcase><testcase name='a'/>",
        &["a inprogress", "a success", "a #2 inprogress", "a #2 fail", "a #3 inprogress", "a #3 success"],
    );
    check(
        "<testsuites><testsuite name='s'><testcase name='a'/></testsuite><testsuite name='t'><testcase name='a'/>\
         <testsuite name='u'><testcase name='a'/></testsuite></testsuite></testsuites>",
        &["a inprogress", "a success", "t.a inprogress", "t.a success", "t.u.a inprogress", "t.u.a success"],
    );
    let suite = |host| format!("<testsuite name='s' hostname='{host}'><testcase name='a'/></testsuite>");
    check(
        &format!("<testsuites>{}{}{}</testsuites>", suite("x"), suite("y"), suite("x")),
        &[
            "a inprogress",
            "a success",
            "a [y] inprogress",
            "a [y] success",
            "a #2 inprogress",
            "a #2 success",
        ],
    );
}

#[test]
fn suites_without_their_cases_have_ids_of_their_own() {
    let suite = "<testsuite name='s' errors='1'><testcase name='s'/></testsuite>";
    let counted = |id: &str| {
        let text = "failures and errors that the suite counts: 1, in its cases: 0\n";
        [format!("{id} inprogress"), format!("{id} traceback={text}"), format!("{id} fail")]
    };
    let cases = |id: &str| [format!("{id} inprogress"), format!("{id} success")];
    let expected =
        [cases("s").to_vec(), counted("s #2").to_vec(), cases("s #3").to_vec(), counted("s #4").to_vec()];
    let expected = expected.concat();
    check(&format!("{suite}{suite}"), &expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn projects_of_playwright_are_in_all_ids() {
    check(
        "<testsuites id='' name='' tests='1' failures='0' skipped='0' errors='0' time='1'>\
         <testsuite name='a.spec.js' hostname='firefox'><testcase classname='a.spec.js' name='opens'/></testsuite>\
         <testsuite name='b.spec.js' hostname=''><testcase classname='b.spec.js' name='opens'/></testsuite></testsuites>",
        &[
            "a.spec.js.opens [firefox] inprogress",
            "a.spec.js.opens [firefox] success",
            "b.spec.js.opens inprogress",
            "b.spec.js.opens success",
        ],
    );
}

#[test]
fn a_class_that_says_nothing_is_the_suite() {
    check(
        "<testsuites><testsuite name='o' disabled='0' hostname='h'><testsuite name='p' disabled='0' hostname='h'>\
         <testcase classname='test' name='a'/></testsuite></testsuite><testcase classname='test' name='a'/></testsuites>",
        &["o.p.a inprogress", "o.p.a success", "test.a inprogress", "test.a success"],
    );
    check(
        "<testsuite name='T\\A'><testsuite name='T\\A::testB'><testcase name='Error' assertions='0'/></testsuite></testsuite>",
        &[
            "T.A::testB::Error inprogress",
            "T.A::testB::Error properties=assertions=0\n",
            "T.A::testB::Error success",
        ],
    );
}

#[test]
fn a_case_within_a_case_is_a_test() {
    check_cases(
        "<testcase classname='c' name='a'><testcase name='b'><failure/></testcase><system-out>o</system-out></testcase>",
        &["c.a.b inprogress", "c.a.b fail", "c.a inprogress", "c.a stdout=o", "c.a success"],
    );
    check_cases(
        "<testcase name='a'><testsuite name='t' tests='2'><testcase name='b'/></testsuite><failure/></testcase>",
        &[
            "b inprogress",
            "b success",
            "t inprogress",
            "t traceback=tests that the suite counts: 2, cases: 1\n",
            "t fail",
            "a inprogress",
            "a fail",
        ],
    );
    check_broken(
        "<testcase name='a'><testcase name='b'><system-out>",
        &["a.b inprogress", "a inprogress"],
        "",
        "line 1, column 51: the document ends within <system-out>",
    );
}

#[test]
fn routes_come_back_from_properties() {
    check_cases(
        "<properties><property name='route' value='w'/><property name='k' value='v'/></properties>\
         <testcase classname='a' name='b [w]'/><system-out>late\n</system-out>",
        &["[w] - properties=[s]\nk=v\n", "[w] a.b inprogress", "[w] a.b success", "[w] - stdout=late\n"],
    );
    check_cases(
        "<testcase name='a [w]'><properties><property name='route' value='w'/></properties></testcase>",
        &["[w] a inprogress", "[w] a success"],
    );
}

#[test]
fn a_class_with_blanks_is_kept() {
    check_cases(
        "<testcase classname='orders add' name='up'/>",
        &[
            "orders add.up inprogress",
            "orders add.up properties=classname=orders add\n",
            "orders add.up success",
        ],
    );
    check_cases("<testcase classname='a.b' name='c d'/>", &["a.b.c d inprogress", "a.b.c d success"]);
}
