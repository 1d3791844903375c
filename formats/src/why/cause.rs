//! Why a test failed, in one line: what lists show of it.
//!
//! Each tool says it elsewhere in its text: most in the first line, Python in the first line of the last exception,
//! below its traceback, Rust in the line after the one that names the panic. The type stands before it, or alone in a
//! line above it.

/// Messages are for lists; the text says the rest.
const LONGEST: usize = 1000;
/// How the names of types end that say why something failed.
const TYPES: [&str; 9] =
    ["Error", "Exception", "Failure", "Failed", "Fault", "Interrupt", "Exit", "Timeout", "Mismatch"];

/// A message, and the type where the text says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) message: String,
    pub(crate) kind: Option<String>,
}

impl Cause {
    /// The cause that a failure's text tells, of which this is all, or else the beginning and the end.
    pub(crate) fn of(head: &str, tail: &str) -> Self {
        python(tail).or_else(|| pytest(head)).or_else(|| rust(head)).unwrap_or_else(|| first(head))
    }

    /// All of a reason.
    pub(crate) fn whole(text: &str) -> Self {
        plain(text)
    }

    /// The cause that an output tells, such as the comments of a test point of TAP.
    pub(crate) fn of_output(text: &str) -> Self {
        let go = |line: &&str| line.trim_start().split_once(": ").is_some_and(|(place, _)| is_in_go(place));
        let told = python(text).or_else(|| rust(text));
        told.unwrap_or_else(|| match text.lines().find(go) {
            Some(line) => plain(line),
            None => {
                let mut lines = lines(text).map(|line| line.trim_start_matches('#').trim());
                lines.find(|line| !line.is_empty()).map(plain).unwrap_or_default()
            }
        })
    }
}

/// Python's: the line below the last frame, with its type.
fn python(text: &str) -> Option<Cause> {
    let is_frame = |line: &str| line.starts_with("  File \"");
    let lines: Vec<&str> = text.lines().collect();
    if !lines.iter().any(|line| is_frame(line) || line.starts_with("Traceback")) {
        return None;
    }
    let frame = lines.iter().rposition(|line| is_frame(line));
    let below = frame.and_then(|frame| lines.get(frame + 1..)).unwrap_or_default();
    let raised = below.iter().find(|line| !line.is_empty() && !line.starts_with(' '));
    let line = raised.or_else(|| lines.iter().rfind(|line| !line.trim().is_empty()))?;
    Some(Cause { kind: split(line).map(|(kind, _)| kind.to_owned()), ..plain(line) })
}

/// pytest's: what is above its listing, or else the line that it marks there.
fn pytest(text: &str) -> Option<Cause> {
    let marked = text.lines().find_map(|line| line.strip_prefix("E   "))?.trim();
    let line = lines(text)
        .next()
        .filter(|line| line.ends_with(marked) && !line.starts_with("E   "))
        .unwrap_or(marked);
    Some(Cause { kind: split(line).map(|(kind, _)| kind.to_owned()), ..plain(line) })
}

/// Rust's: what stands below `thread 'main' panicked at src/lib.rs:1:2:`.
fn rust(text: &str) -> Option<Cause> {
    let mut lines = lines(text).skip_while(|line| !(line.contains(" panicked at ") && line.ends_with(':')));
    lines.next()?;
    lines.next().map(plain)
}

/// The first line; where that is a type alone, the one below it.
fn first(text: &str) -> Cause {
    let mut lines = lines(text);
    let Some(line) = lines.next() else { return Cause::default() };
    if let Some((kind, message)) = split(line) {
        return Cause { kind: Some(kind.to_owned()), ..plain(message) };
    }
    if !is_type(line) {
        return plain(line);
    }
    let next = lines.next().filter(|next| !next.starts_with("at "));
    Cause { kind: Some(line.to_owned()), ..plain(next.unwrap_or(line)) }
}

fn plain(line: &str) -> Cause {
    let line = line.trim();
    let message = match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    };
    Cause { message, kind: None }
}

/// The lines that are not blank.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// `java.lang.AssertionError: expected 1` in its parts.
fn split(line: &str) -> Option<(&str, &str)> {
    let (kind, message) = line.split_once(": ")?;
    (is_type(kind) && !message.trim().is_empty()).then_some((kind, message))
}

/// Whether this is the name of a type, with or without what it is in.
fn is_type(text: &str) -> bool {
    let bare = text.replace("::", ".");
    let name = bare.rsplit(['.', '\\', '$']).next().unwrap_or_default();
    let is_name =
        |part: &str| part.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$'));
    bare.split(['.', '\\']).all(|part| !part.is_empty() && is_name(part))
        && name.starts_with(char::is_uppercase)
        && (bare.contains(['.', '\\']) || TYPES.iter().any(|end| name.ends_with(end)))
}

/// Whether this is a line of a test in Go: `boot_test.go:12`.
fn is_in_go(place: &str) -> bool {
    place.split_once("_test.go:").is_some_and(|(_, line)| line.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, kind: &str, message: &str) {
        let expected = Cause {
            message: message.to_owned(),
            kind: Some(kind.to_owned()).filter(|kind| !kind.is_empty()),
        };
        assert_eq!(Cause::of(text, text), expected, "{text}");
    }

    #[test]
    fn the_first_line_says_why() {
        check(
            "org.opentest4j.AssertionFailedError: expected: <A>\n\tat x",
            "org.opentest4j.AssertionFailedError",
            "expected: <A>",
        );
        check("AssertionError: expected 1 to be 2\n\n- Expected", "AssertionError", "expected 1 to be 2");
        check(
            "PHPUnit\\Framework\\ExpectationFailedException\nT::a\nFailed",
            "PHPUnit\\Framework\\ExpectationFailedException",
            "T::a",
        );
        check("Minitest::UnexpectedError: boom", "Minitest::UnexpectedError", "boom");
        check(
            "java.lang.IllegalStateException\n\tat x",
            "java.lang.IllegalStateException",
            "java.lang.IllegalStateException",
        );
        check("\n  a_test.go:5: got 1\n", "", "a_test.go:5: got 1");
        check("orders.cc:12\nExpected equality", "", "orders.cc:12");
        check("note: Error: x", "", "note: Error: x");
        check("com.example.Boom: it broke", "com.example.Boom", "it broke");
        check("A.java: it broke", "", "A.java: it broke");
        check("A: it broke", "", "A: it broke");
        check("", "", "");
    }

    #[test]
    fn python_says_why_below_its_traceback() {
        let traceback = "Traceback (most recent call last):\n  File \"t.py\", line 5, in test\n    self.assertEqual([1], [2])\n";
        check(
            &format!(
                "{traceback}AssertionError: Lists differ: [1] != [2]\n\nFirst differing element 0:\n1\n2\n\n- [1]\n+ [2]\n"
            ),
            "AssertionError",
            "AssertionError: Lists differ: [1] != [2]",
        );
        check(
            &format!("{traceback}KeyError: 1\n\nDuring handling\n\n{traceback}ValueError"),
            "",
            "ValueError",
        );
        check("Traceback:\nAssertionError: 1 != 2\n", "AssertionError", "AssertionError: 1 != 2");
    }

    #[test]
    fn pytest_says_why_above_or_in_its_listing() {
        let listing = "def test_a():\n>       assert 0\nE       assert 0\n\ntest_a.py:2: AssertionError";
        check(&format!("AssertionError: assert 0\n{listing}"), "AssertionError", "AssertionError: assert 0");
        check(listing, "", "assert 0");
        check("E   one\n    two\n", "", "one");
    }

    #[test]
    fn a_panic_says_why_below() {
        check("thread 'a' (1) panicked at src/lib.rs:5:9:\nit broke\nnote: run", "", "it broke");
    }

    #[test]
    fn an_output_says_why_in_its_first_line() {
        let check = |text: &str, expected: &str| assert_eq!(Cause::of_output(text).message, expected);
        check("=== a\n    a_test.go:5: got 1\n    a_test.go:6: bye\nx", "a_test.go:5: got 1");
        check("\nerror: no space\nmore\n", "error: no space");
        check("#\n# (in test file a.bats, line 3)\n#   `false' failed\n", "(in test file a.bats, line 3)");
        check("x\nthread 'a' panicked at a.rs:1:1:\nboom\nbye", "boom");
        check("", "");
    }

    #[test]
    fn a_long_message_is_cut() {
        let cause = Cause::of(&"ü".repeat(2 * LONGEST), "");
        assert_eq!(cause.message.chars().count(), LONGEST + 1);
    }
}
