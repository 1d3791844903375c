//! The results as lines for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use streamresult::StreamResult;
use subunit::{Event, Status};

/// Writes a line for each test when it ends, and a line for all at the end.
pub(super) struct Human<W> {
    output: W,
    color: bool,
    /// Whether tests are only listed.
    list: bool,
    announced: usize,
    ended: [usize; 4],
    reason: Vec<u8>,
}

/// What a test came to, as the last line counts it.
#[derive(Clone, Copy)]
enum Sort {
    Passed,
    Warned,
    Failed,
    Skipped,
}

impl<W: Write> Human<W> {
    pub(super) fn new(output: W, color: bool, list: bool) -> Self {
        Human { output, color, list, announced: 0, ended: [0; 4], reason: Vec::new() }
    }

    fn end(&mut self, id: &str, status: Status, event: &Event<'_>) -> io::Result<()> {
        let (word, style, sort) = match status {
            Status::Success if event.tags.contains("warning") => {
                ("warning", AnsiColor::Yellow.on_default(), Sort::Warned)
            }
            Status::Success => ("ok", AnsiColor::Green.on_default(), Sort::Passed),
            Status::Skip => ("skip", AnsiColor::BrightBlack.on_default(), Sort::Skipped),
            Status::XFail => ("xfail", AnsiColor::Yellow.on_default(), Sort::Passed),
            Status::UxSuccess => ("UXSUCCESS", AnsiColor::Red.on_default().bold(), Sort::Failed),
            _ => ("FAIL", AnsiColor::Red.on_default().bold(), Sort::Failed),
        };
        if let Some(count) = self.ended.get_mut(sort as usize) {
            *count += 1;
        }
        self.write_word(word, style)?;
        write!(self.output, " {}", visible(id.as_bytes(), ' '))?;
        let reason = std::mem::take(&mut self.reason);
        if !reason.is_empty() {
            write!(self.output, ": {}", visible(reason.trim_ascii_end(), '\n').replace('\n', "\n    "))?;
        }
        writeln!(self.output)?;
        self.output.flush()
    }

    fn write_word(&mut self, word: &str, style: Style) -> io::Result<()> {
        if self.color {
            write!(self.output, "{style}{word:<9}{style:#}")
        } else {
            write!(self.output, "{word:<9}")
        }
    }
}

impl<W: Write> StreamResult for Human<W> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Some(id) = event.test_id else { return Ok(()) };
        if let Some(file) = event.file.filter(|file| matches!(file.name, "reason" | "summary" | "plan")) {
            self.reason.extend_from_slice(file.bytes);
        }
        match event.status {
            Some(Status::Exists) if self.list => {
                let reason = std::mem::take(&mut self.reason);
                let colon = if reason.is_empty() { "" } else { ": " };
                writeln!(self.output, "{}{colon}{}", visible(id.as_bytes(), ' '), visible(&reason, ' '))
            }
            Some(Status::Exists) => {
                self.announced += 1;
                Ok(())
            }
            Some(status) if status.is_final() => self.end(id, status, event),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        if !self.list {
            let [passed, warned, failed, skipped] = self.ended;
            write!(
                self.output,
                "{passed} passed, {warned} with warnings, {failed} failed, {skipped} skipped"
            )?;
            let unseen = self.announced.saturating_sub(self.ended.iter().sum());
            if unseen > 0 {
                write!(self.output, ", {unseen} not run")?;
            }
            writeln!(self.output)?;
        }
        self.output.flush()
    }
}

/// The text with its control characters, except `kept`, made visible: names and errors come from outside.
fn visible(bytes: &[u8], kept: char) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        if character.is_control() && character != kept {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use subunit::Tags;

    use super::*;

    fn check(list: bool, events: &[Event<'_>], expected: &str) {
        let mut output = Vec::new();
        let mut human = Human::new(&mut output, false, list);
        for event in events {
            human.status(event).unwrap();
        }
        human.stop_run().unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }

    #[test]
    fn each_test_is_a_line_with_its_reason() {
        let events = [
            Event::status("a", Status::Exists),
            Event::status("b", Status::Exists),
            Event::status("c", Status::Exists),
            Event::status("a", Status::InProgress),
            Event { tags: Tags::from(&["warning"]), ..Event::status("a", Status::Success) },
            Event { test_id: Some("b"), ..Event::file("metrics.json", b"{}") },
            Event { test_id: Some("b"), ..Event::file("reason", b"no \x1b[2J\nspace\n") },
            Event::status("b", Status::Fail),
        ];
        let expected = "warning   a\nFAIL      b: no \\u{1b}[2J\n    space\n\
                        0 passed, 1 with warnings, 1 failed, 0 skipped, 1 not run\n";
        check(false, &events, expected);
    }

    #[test]
    fn a_list_is_ids_alone() {
        check(true, &[Event::status("a", Status::Exists)], "a\n");
    }
}
