//! Why a test was skipped: its last log message.

use subunit::text_part;

/// What is beyond this many bytes is left to the test's output.
const LONGEST: usize = 4096;

/// The last message that a test logged.
#[derive(Clone, Debug, Default)]
pub(super) struct LastLog(String);

impl LastLog {
    /// Takes a line of the test's output, with or without its newline.
    pub(super) fn push(&mut self, line: &str) {
        if !line.starts_with([' ', '\t']) {
            return;
        }
        let text = line.trim_ascii_end();
        if let Some(message) = message(text) {
            self.0.clear();
            self.append(message);
        } else if !self.0.is_empty()
            && let Some(more) = text.strip_prefix("        ")
        {
            self.append("\n");
            self.append(more);
        }
    }

    fn append(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.0.len()).min(text.len());
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        self.0.push_str(text_part(text, ..end));
    }

    /// The message, if there is one.
    pub(super) fn get(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&self.0)
    }
}

/// What is logged by a line `    file_test.go:12: message`.
fn message(text: &str) -> Option<&str> {
    let (place, message) = text.split_once(": ")?;
    let (file, number) = place.trim_ascii_start().rsplit_once(':')?;
    let is_place =
        file.ends_with(".go") && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_place.then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: Option<&str>) {
        let mut log = LastLog::default();
        for line in lines {
            log.push(line);
        }
        assert_eq!(log.get(), expected);
    }

    #[test]
    fn the_last_message_is_the_reason() {
        check(&["    a_test.go:23: needs a network\n"], Some("needs a network"));
        check(&["    a_test.go:7: looking: a\n", "    a_test.go:9: none: b\n"], Some("none: b"));
        check(&["        sub_test.go:7: deep\n", "printed\n"], Some("deep"));
        check(
            &["    a_test.go:7: no device:\n", "        tried a\n", "          tried b\n"],
            Some("no device:\ntried a\n  tried b"),
        );
    }

    #[test]
    fn what_was_printed_is_none() {
        check(
            &["printed: x\n", "a_test.go:7: x\n", "    a.c:7: x\n", "    a_test.go:: x\n", "        x\n"],
            None,
        );
        check(&[&format!("    a_test.go:1: {}\n", "é".repeat(4000))], Some(&"é".repeat(2048)));
    }
}
