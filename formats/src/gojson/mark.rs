//! Lines that the testing framework prints between those of the tests.

use memchr::{memmem, memrchr};
use subunit::Status;

/// What a line of the framework is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// `=== RUN`, `=== PAUSE` and the like: another event says the same.
    Event,
    /// `--- PASS: TestX (0.01s)` and the like, by its outcome.
    End(Status),
}

/// What a whole line, without its newline, tells of this test that is also told by events.
pub(super) fn of_test(line: &str, test: &str) -> Option<Mark> {
    let text = line.trim_ascii();
    if let Some(rest) = text.strip_prefix("=== ") {
        return is_event(rest, test).then_some(Mark::Event);
    }
    let (status, name) = end(text)?;
    (name == test).then_some(Mark::End(status))
}

fn is_event(rest: &str, test: &str) -> bool {
    let Some(len) = rest.bytes().position(|byte| byte == b' ') else { return false };
    let Some((word, rest)) = rest.split_at_checked(len) else { return false };
    let Some(after) = rest.trim_ascii_start().strip_prefix(test) else { return false };
    match word {
        "RUN" | "PAUSE" | "CONT" | "NAME" | "FUZZ" => after.is_empty(),
        "ATTR" | "ARTIFACTS" => after.starts_with(' '),
        _ => false,
    }
}

/// The outcome that a whole line, without its newline, tells at its end after other text, and the test's name.
pub(super) fn glued(line: &str) -> Option<(Status, &str)> {
    let line = line.trim_ascii_end();
    // The last one: text before it may look like one.
    let at = memmem::rfind(line.as_bytes(), b"--- ")?;
    end(line.get(at..)?)
}

fn end(text: &str) -> Option<(Status, &str)> {
    let rest = text.strip_prefix("--- ")?;
    let (word, rest) = rest.split_at_checked(4)?;
    let status = match word {
        "PASS" => Status::Success,
        "FAIL" => Status::Fail,
        "SKIP" => Status::Skip,
        _ => return None,
    };
    let rest = rest.strip_prefix(": ")?;
    // Benchmarks have no time.
    let time = memrchr(b'(', rest.as_bytes()).filter(|_| rest.ends_with("s)"));
    let name = time.and_then(|at| rest.get(..at)?.strip_suffix(' ')).unwrap_or(rest);
    Some((status, name))
}

/// What a line is that a package prints outside its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PackageLine {
    /// All tests that began have ended: the framework came to its end.
    Verdict,
    /// A line that every package prints, and that its event repeats.
    Usual,
    /// It could not be built.
    BuildFailed,
    /// The process ended in a way that no test can end it.
    Crash,
    /// Something else.
    Other,
}

/// Classifies a line that a package prints outside its tests.
pub(super) fn of_package(line: &str) -> PackageLine {
    let text = line.trim_ascii_end();
    if text == "PASS" || text == "FAIL" {
        return PackageLine::Verdict;
    }
    if let Some(rest) = text.strip_prefix("FAIL\t") {
        return if is_unbuilt(rest) { PackageLine::BuildFailed } else { PackageLine::Usual };
    }
    let usual = ["exit status 1", "testing: warning: no tests to run"];
    if usual.contains(&text) || ["ok  \t", "?   \t"].iter().any(|start| text.starts_with(start)) {
        return PackageLine::Usual;
    }
    let crashes = ["panic: ", "fatal error: ", "signal: ", "exit status ", "WARNING: DATA RACE"];
    if crashes.iter().any(|start| text.starts_with(start)) { PackageLine::Crash } else { PackageLine::Other }
}

fn is_unbuilt(rest: &str) -> bool {
    rest.ends_with(" [build failed]") || rest.ends_with(" [setup failed]")
}

/// The package that could not be built, of a line that stands between those of JSON: go before 1.24 reports it this
/// way.
pub(super) fn unbuilt_package(content: &[u8]) -> Option<&str> {
    let rest = content.strip_prefix(b"FAIL\t")?;
    let rest = std::str::from_utf8(rest).ok()?;
    let package = rest.strip_suffix(" [build failed]").or_else(|| rest.strip_suffix(" [setup failed]"))?;
    (!package.is_empty() && !package.contains([' ', '\t'])).then_some(package)
}

/// The import path of a line that begins what the compiler says of it: `# a/b`, or `# a/b [a/b.test]`.
pub(super) fn compiled_package(content: &[u8]) -> Option<&str> {
    let rest = std::str::from_utf8(content.strip_prefix(b"# ")?).ok()?;
    let (path, tests) = rest.split_once(' ').unwrap_or((rest, "[]"));
    let is_path = !path.is_empty() && !path.starts_with('[') && !path.contains('\t');
    (is_path && tests.starts_with('[') && tests.ends_with(']') && !tests.contains(' ')).then_some(path)
}

/// Whether a line behind such a one shows that it is the compiler that speaks, or vet, or the linker.
pub(super) fn is_compilers(content: &[u8]) -> bool {
    let starts: [&[u8]; 4] = [b"vet: ", b"# [", b"package ", b"ld: "];
    memmem::find(content, b".go:").is_some() || starts.iter().any(|start| content.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, test: &str, expected: Option<Mark>) {
        assert_eq!(of_test(line, test), expected, "{line}");
    }

    #[test]
    fn a_mark_is_of_the_test_that_it_names() {
        check("=== RUN   TestA", "TestA", Some(Mark::Event));
        check("=== RUN   TestA/b", "TestA", None);
        check("=== PAUSE TestA\r", "TestA", Some(Mark::Event));
        check("=== NAME  TestA", "TestA", Some(Mark::Event));
        check("=== ATTR  TestA key a value", "TestA", Some(Mark::Event));
        check("=== CONT  TestAB", "TestA", None);
        check("=== not a mark", "TestA", None);
        check("--- PASS: TestA (0.00s)", "TestA", Some(Mark::End(Status::Success)));
        check("        --- FAIL: TestA/b (1.25s)", "TestA/b", Some(Mark::End(Status::Fail)));
        check("--- SKIP: BenchmarkA", "BenchmarkA", Some(Mark::End(Status::Skip)));
        check("--- FAIL: TestB (0.00s)", "TestA", None);
        check("--- FAIL: TestA (0.00s): or not", "TestA", None);
        check("--- été: TestA (0.00s)", "TestA", None);
    }

    #[test]
    fn an_end_may_stand_after_text() {
        assert_eq!(glued("some text--- PASS: TestA (0.00s)"), Some((Status::Success, "TestA")));
        assert_eq!(glued("--- FAIL: x (0.00s) --- PASS: TestA (0.00s)"), Some((Status::Success, "TestA")));
        assert_eq!(glued("--- "), None);
        assert_eq!(glued("text"), None);
    }

    fn check_package(line: &str, expected: PackageLine) {
        assert_eq!(of_package(line), expected, "{line}");
    }

    #[test]
    fn most_lines_of_a_package_are_the_usual_ones() {
        check_package("PASS\n", PackageLine::Verdict);
        check_package("FAIL\r\n", PackageLine::Verdict);
        check_package("FAIL\texample.com/lab\t0.003s\n", PackageLine::Usual);
        check_package("FAIL\texample.com/lab [setup failed]\n", PackageLine::BuildFailed);
        check_package("ok  \texample.com/lab\t(cached)\n", PackageLine::Usual);
        check_package("?   \texample.com/lab\t[no test files]\n", PackageLine::Usual);
        check_package("exit status 1\n", PackageLine::Usual);
        check_package("testing: warning: no tests to run\n", PackageLine::Usual);
        check_package("exit status 2\n", PackageLine::Crash);
        check_package("panic: no configuration\n", PackageLine::Crash);
        check_package("tearing down\n", PackageLine::Other);
    }

    #[test]
    fn text_tells_what_the_compiler_says() {
        assert_eq!(compiled_package(b"# a.b/c"), Some("a.b/c"));
        assert_eq!(compiled_package(b"# a.b/c [a.b/c.test]"), Some("a.b/c"));
        for line in [&b"# of a script"[..], b"# ", b"#a", b"# [a]", b"a"] {
            assert_eq!(compiled_package(line), None);
        }
        assert!(is_compilers(b"./a.go:1:2: undefined: x") && is_compilers(b"vet: ./a.go:1:2: no"));
        assert!(!is_compilers(b"done"));
    }

    #[test]
    fn text_tells_of_a_package_that_was_not_built() {
        assert_eq!(unbuilt_package(b"FAIL\ta.b/c [build failed]"), Some("a.b/c"));
        assert_eq!(unbuilt_package(b"FAIL\ta.b/c [setup failed]"), Some("a.b/c"));
        assert_eq!(unbuilt_package(b"FAIL\ta.b/c\t0.003s"), None);
        assert_eq!(unbuilt_package(b"FAIL\t [build failed]"), None);
        assert_eq!(unbuilt_package(b"FAIL\t\xff [build failed]"), None);
    }
}
