//! Why a test failed, as it stands in what it wrote.

use memchr::memmem;

/// A longer reason is cut.
const LONGEST: usize = 4096;
/// With this libtest ends the output of a test whose panic was not as expected.
const NOTES: [&[u8]; 2] =
    [b"note: test did not panic as expected", b"note: panic did not contain expected string"];
/// What follows the message of a panic.
const BEHIND: [&[u8]; 2] = [b"note: run with `RUST_BACKTRACE=", b"stack backtrace:"];

/// The reason in what a failed test wrote: what libtest says of its panic, the message of its first panic, or the
/// error that it gave back.
pub(super) fn reason(output: &[u8]) -> Option<&[u8]> {
    let reason = note(output).or_else(|| panic(output)).or_else(|| error(output))?.trim_ascii();
    let reason = reason.get(..LONGEST).unwrap_or(reason);
    (!reason.is_empty()).then_some(reason)
}

fn note(output: &[u8]) -> Option<&[u8]> {
    let at = NOTES.iter().filter_map(|note| memmem::rfind(output, note)).max()?;
    output.get(at + b"note: ".len()..)
}

/// `thread 'a::b' (12) panicked at src/lib.rs:37:9:` and the message in the next lines; before Rust 1.73 the message
/// was on the line.
fn panic(output: &[u8]) -> Option<&[u8]> {
    const PANICKED: &[u8] = b" panicked at ";
    let thread = memmem::find_iter(output, b"thread '").find(|at| {
        let line = output.get(*at..).and_then(|rest| rest.split(|byte| *byte == b'\n').next());
        line.is_some_and(|line| memmem::find(line, PANICKED).is_some())
    })?;
    let rest = output.get(thread..)?;
    let rest = rest.get(memmem::find(rest, PANICKED)? + PANICKED.len()..)?;
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let (place, message) = rest.split_at(end);
    if !place.ends_with(b":") {
        return Some(place);
    }
    let behind = BEHIND.iter().filter_map(|line| memmem::find(message, line)).min();
    message.get(..behind.unwrap_or(message.len()))
}

/// What a test gives back that ends with an error.
fn error(output: &[u8]) -> Option<&[u8]> {
    let at = if output.starts_with(b"Error: ") { 0 } else { memmem::rfind(output, b"\nError: ")? };
    output.get(at..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: Option<&str>) {
        assert_eq!(reason(output.as_bytes()), expected.map(str::as_bytes), "{output}");
    }

    #[test]
    fn the_message_of_a_panic_is_the_reason() {
        let panic = "hello\n\nthread 'a::b' (12) panicked at src/lib.rs:37:9:\nassertion failed\n  left: 1\n";
        check(panic, Some("assertion failed\n  left: 1"));
        let note = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        check(&format!("{panic}{note}"), Some("assertion failed\n  left: 1"));
        check(&format!("{panic}stack backtrace:\n   0: x\n"), Some("assertion failed\n  left: 1"));
        check("thread 'a' panicked at 'no way', src/lib.rs:1:1\nnote: x\n", Some("'no way', src/lib.rs:1:1"));
        let why = "panic did not contain expected string\n  panic message: `\"no\"`";
        check(&format!("{panic}note: {why}"), Some(why));
    }

    #[test]
    fn an_error_is_one() {
        check("about to give up\nError: \"given up\"\n", Some("Error: \"given up\""));
        check("no Error: here\n", None);
        check("thread 'a' goes on\n", None);
        check("", None);
    }
}
