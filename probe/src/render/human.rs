//! The results as lines for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use streamresult::{FLAKY_TAG, StreamResult};
use subunit::{Event, Status};

use super::Rendering;
use super::places::Places;

/// Writes a line for each test when it ends, and a line for all at the end.
pub(super) struct Human<W> {
    output: W,
    color: bool,
    /// Whether tests are only listed.
    list: bool,
    /// Whether only what is not well is said.
    quiet: bool,
    /// Whether what failed is said once more at the end.
    repeats: bool,
    announced: usize,
    ended: [usize; 4],
    flaky: usize,
    places: Places,
    /// The lines of what failed, and whether any other line came after the first.
    failed: Vec<(&'static str, Style, String)>,
    is_apart: bool,
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
    pub(super) fn new(output: W, rendering: &Rendering) -> Self {
        Human {
            output,
            color: rendering.color,
            list: rendering.list,
            quiet: rendering.quiet,
            // One check is looked over at a glance; of all there may be hundreds.
            repeats: rendering.check == "all" && !rendering.quiet,
            announced: 0,
            ended: [0; 4],
            flaky: 0,
            places: Places::default(),
            failed: Vec::new(),
            is_apart: false,
            reason: Vec::new(),
        }
    }

    fn end(&mut self, id: &str, status: Status, event: &Event<'_>) -> io::Result<()> {
        let (word, style, sort) = match status {
            Status::Success if event.tags.contains("warning") => {
                ("warning", AnsiColor::Yellow.on_default(), Sort::Warned)
            }
            Status::Success if event.tags.contains(FLAKY_TAG) => {
                self.flaky += 1;
                ("flaky", AnsiColor::Yellow.on_default(), Sort::Passed)
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
        let reason = std::mem::take(&mut self.reason);
        let mut line = visible(format!("{id}{}", self.places.behind(id, event.route_code)).as_bytes(), ' ');
        if !reason.is_empty() {
            line += ": ";
            line += &visible(reason.trim_ascii_end(), '\n').replace('\n', "\n    ");
        }
        let is_well = matches!(word, "ok" | "skip" | "xfail");
        if !(self.quiet && is_well) {
            self.write_line(word, style, &line)?;
        }
        match sort {
            Sort::Failed if self.repeats => self.failed.push((word, style, line)),
            _ => self.is_apart |= !self.failed.is_empty(),
        }
        self.output.flush()
    }

    fn write_line(&mut self, word: &str, style: Style, line: &str) -> io::Result<()> {
        self.write_word(word, style)?;
        writeln!(self.output, " {line}")
    }

    /// Says once more what failed, where other lines stand between.
    fn repeat(&mut self) -> io::Result<()> {
        let failed = std::mem::take(&mut self.failed);
        if !self.is_apart {
            return Ok(());
        }
        writeln!(self.output, "\nWhat failed:")?;
        failed.iter().try_for_each(|(word, style, line)| self.write_line(word, *style, line))
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
        self.places.add(id, event.route_code);
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
            self.repeat()?;
            let [passed, warned, failed, skipped] = self.ended;
            let unseen = self.announced.saturating_sub(self.ended.iter().sum());
            if self.quiet && warned + failed + unseen + self.flaky == 0 && passed > 0 {
                return self.output.flush();
            }
            let flaky = if self.flaky > 0 { format!(" ({} flaky)", self.flaky) } else { String::new() };
            write!(
                self.output,
                "{passed} passed{flaky}, {warned} with warnings, {failed} failed, {skipped} skipped"
            )?;
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
        let mut human = Human::new(&mut output, &Rendering { list, ..Rendering::plain("fake") });
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

    fn rendered(rendering: &Rendering, events: &[Event<'_>]) -> String {
        let mut output = Vec::new();
        let mut human = Human::new(&mut output, rendering);
        events.iter().try_for_each(|event| human.status(event)).unwrap();
        human.stop_run().unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn what_is_well_can_be_left_out() {
        let quiet = Rendering { quiet: true, ..Rendering::plain("fake") };
        let (good, bad) = (Event::status("a", Status::Success), Event::status("b", Status::Fail));
        assert_eq!(rendered(&quiet, std::slice::from_ref(&good)), "");
        let expected = "FAIL      b\n1 passed, 0 with warnings, 1 failed, 0 skipped\n";
        assert_eq!(rendered(&quiet, &[good, bad]), expected);
        // That nothing was looked at is not well.
        let skipped = Event::status("a", Status::Skip);
        assert_eq!(rendered(&quiet, &[skipped]), "0 passed, 0 with warnings, 0 failed, 1 skipped\n");
    }

    #[test]
    fn of_all_checks_what_failed_is_said_again() {
        let of = |id, status, host| Event { route_code: Some(host), ..Event::status(id, status) };
        let events = [
            of("a", Status::Exists, "n1/x"),
            of("a", Status::Exists, "n2/x"),
            of("a", Status::Fail, "n1/x"),
            of("a", Status::Success, "n2/x"),
        ];
        let expected = "FAIL      a on n1\nok        a on n2\n\nWhat failed:\nFAIL      a on n1\n\
                        1 passed, 0 with warnings, 1 failed, 0 skipped\n";
        assert_eq!(rendered(&Rendering::plain("all"), &events), expected);
        let last = "ok        a\nFAIL      b\n1 passed, 0 with warnings, 1 failed, 0 skipped\n";
        let events = [Event::status("a", Status::Success), Event::status("b", Status::Fail)];
        assert_eq!(rendered(&Rendering::plain("all"), &events), last);
    }

    #[test]
    fn a_list_is_ids_alone() {
        check(true, &[Event::status("a", Status::Exists)], "a\n");
    }
}
