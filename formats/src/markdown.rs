//! A run as Markdown: for a comment on a change, for the summary of a job.
//!
//! Sites limit what they show: GitHub takes 65 536 bytes of a comment and 1 MiB of a summary. So the report has a limit,
//! too. What matters most comes first, and whatever does not fit is counted.
//!
//! Ids, messages and output are not to be trusted. They stand in code spans and code blocks, whose fences are longer than
//! any run of backticks in them, so that none of it becomes markup, a link or a mention.

use std::io::{self, Write};

use streamresult::{Outcome, Record, RecordSink, Summary};
use subunit::{Event, Status};

use crate::ci;
use crate::span::Span;
use crate::text::Conclusion;
use crate::text::line::{first_line, in_length, shown_length, title};
use crate::text::longest::Longest;
use crate::text::section::run_as_a_whole;
use crate::text::skips::Skips;
use crate::why::{Place, Why};

/// The evidence of one failure is shown up to this many bytes: its end.
const EVIDENCE: usize = 4 << 10;
/// A report has at least so many bytes.
const LEAST: usize = 4 << 10;
/// The lists below the failures share a quarter of the room: those of flaky, skipped and slow tests.
const LIST: usize = 12;
/// The verdict, the headings and the counts of what does not fit take less than this.
const FRAME: usize = 1 << 10;

/// Collects the records of a run, and writes the report at its end.
///
/// ```
/// use formats::markdown::MarkdownReport;
/// use formats::text::Conclusion;
/// use streamresult::{Records, StreamResult, Summary};
/// use subunit::{Event, Status};
///
/// let mut records = Records::new((MarkdownReport::new(65_536), Summary::new()));
/// records.status(&Event::status("boot", Status::Fail))?;
/// records.stop_run()?;
/// let (report, summary) = records.into_sink();
/// let mut page = Vec::new();
/// report.write(&summary, Conclusion::default(), &mut page)?;
/// assert!(page.starts_with(b"### FAILED: 1 test: 1 failed\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MarkdownReport {
    failures: Section,
    flaky: Section,
    skips: Skips,
    longest: Longest,
    span: Span,
    /// How many bytes a list may have.
    list: usize,
}

/// Entries, as many as there is room for, and how many more there are.
#[derive(Debug)]
struct Section {
    entries: String,
    left: usize,
    more: u64,
}

impl MarkdownReport {
    /// A report of at most `most` bytes, or 4096 if that is less.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let room = most.max(LEAST) - FRAME;
        let list = room / LIST;
        MarkdownReport {
            failures: Section::new(room - 3 * list),
            flaky: Section::new(list),
            skips: Skips::default(),
            longest: Longest::new(None),
            span: Span::default(),
            list,
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(self, summary: &Summary, ending: Conclusion<'_>, out: &mut impl Write) -> io::Result<()> {
        let (word, _) = ending.word(summary);
        writeln!(out, "### {word}: {summary}{}", in_length(self.span))?;
        self.failures.write("Failures", out)?;
        self.flaky.write("Flaky", out)?;
        let mut skipped = Section::new(self.list);
        for (count, reason) in self.skips.into_list() {
            skipped.push(&format!("- {count} × {}\n", code(&reason)));
        }
        skipped.write("Skipped", out)?;
        let mut slowest = Section::new(self.list);
        for (duration, title) in self.longest.into_list() {
            slowest.push(&format!("- {} {}\n", shown_length(duration), code(&title)));
        }
        slowest.write("Slowest", out)
    }

    fn failure(&mut self, title: &str, why: &Why) {
        let place = why.place.as_ref().map(Place::to_string);
        let parts = [Some(title), Some(&why.message), place.as_deref()];
        let head = |code: fn(&str) -> String| {
            parts.iter().flatten().map(|part| code(part)).collect::<Vec<_>>().join(" ")
        };
        let line = format!("- {}\n", head(code));
        // The first is open: most runs have no more.
        let open = if self.failures.entries.is_empty() { " open" } else { "" };
        let whole = format!(
            "<details{open}><summary>{}</summary>\n\n{}\n</details>\n\n",
            head(html_code),
            block(&why.text)
        );
        let has_room = !why.text.trim().is_empty() && self.failures.takes(&whole);
        self.failures.push(if has_room { &whole } else { &line });
    }
}

impl RecordSink for MarkdownReport {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.span.add_record(record);
        if record.outcome() == Outcome::Skip {
            return self.skips.note(record);
        }
        self.longest.note(record);
        if record.is_flaky() {
            let reason = first_line(record, "reason")?.map(|reason| format!(" {}", code(&reason)));
            let title = title(record.test_id(), record.route_code());
            self.flaky.push(&format!("- {}{}\n", code(&title), reason.unwrap_or_default()));
        }
        if !record.outcome().is_failure() {
            return Ok(());
        }
        if self.failures.more > 0 {
            self.failures.more += 1;
            return Ok(());
        }
        let Some(why) = Why::of(record, EVIDENCE)? else { return Ok(()) };
        self.failure(&title(record.test_id(), record.route_code()), &why);
        Ok(())
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if status.is_failure() {
            self.failure(&run_as_a_whole(event), &Why::of_run(event));
        }
        Ok(())
    }
}

impl Section {
    fn new(left: usize) -> Self {
        Section { entries: String::new(), left, more: 0 }
    }

    fn takes(&self, entry: &str) -> bool {
        entry.len() <= self.left && self.more == 0
    }

    /// Adds an entry, or counts it where there is no room: then those behind it are counted, too.
    fn push(&mut self, entry: &str) {
        if self.takes(entry) {
            self.entries.push_str(entry);
            self.left -= entry.len();
        } else {
            self.more += 1;
        }
    }

    fn write(&self, heading: &str, out: &mut impl Write) -> io::Result<()> {
        if self.entries.is_empty() && self.more == 0 {
            return Ok(());
        }
        write!(out, "\n#### {heading}\n\n{}", self.entries)?;
        if self.more > 0 {
            writeln!(out, "- and {} more", self.more)?;
        }
        Ok(())
    }
}

/// One line as code.
fn code(line: &str) -> String {
    let fence = "`".repeat(longest_run(line) + 1);
    // Blanks keep backticks at the ends apart from the fence; they are not shown.
    let blank = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{line}{blank}{fence}")
}

/// One line as code in a block of HTML, where Markdown is not read.
fn html_code(line: &str) -> String {
    let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<code>{escaped}</code>")
}

/// Lines as a block of code.
fn block(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    let text = ci::defuse(text.trim_end(), true);
    format!("{fence}text\n{text}\n{fence}\n")
}

/// How many backticks stand together at most.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use streamresult::{Records, StreamResult};
    use subunit::{File, Tags, Timestamp};

    use super::*;

    fn report(most: usize, events: &[Event<'_>]) -> String {
        let mut records = Records::new((MarkdownReport::new(most), Summary::new()));
        events.iter().for_each(|event| records.status(event).unwrap());
        records.stop_run().unwrap();
        let (report, summary) = records.into_sink();
        let mut page = Vec::new();
        report.write(&summary, Conclusion::default(), &mut page).unwrap();
        String::from_utf8(page).unwrap()
    }

    fn failure<'a>(test_id: &'a str, text: &'a str) -> Event<'a> {
        let file = Some(File { name: "traceback", bytes: text.as_bytes() });
        Event { file, ..Event::status(test_id, Status::Fail) }
    }

    #[test]
    fn what_is_needed_first_stands_first() {
        let reason = Some(File { name: "reason", bytes: b"no network" });
        let events = [
            Event { file: reason, ..Event::status("c", Status::Skip) },
            Event { tags: Tags::from(&["flaky"]), ..Event::status("b", Status::Success) },
            failure("a", "src/a.rs:7:1: it broke\n"),
            Event::status("d", Status::InProgress),
        ];
        let expected = "\
### FAILED: 4 tests: 1 passed (1 flaky), 1 failed, 1 unfinished, 1 skipped

#### Failures

<details open><summary><code>a</code> <code>src/a.rs:7:1: it broke</code> <code>src/a.rs:7</code></summary>

```text
src/a.rs:7:1: it broke
```

</details>

- `d` `began and did not finish`

#### Flaky

- `b`

#### Skipped

- 1 × `no network`
";
        assert_eq!(report(10_000, &events), expected);
        assert_eq!(report(10_000, &[]), "### NOTHING RAN: 0 tests\n");
    }

    #[test]
    fn nothing_of_a_test_is_markup() {
        let page = report(10_000, &[failure("<b>`a`</b>\n@all", "```\n</details>\n::error::x\n````")]);
        assert!(page.contains("<summary><code>&lt;b&gt;`a`&lt;/b&gt;\\n@all</code>"), "{page}");
        assert!(page.contains("\n`````text\n```\n</details>\n\\x3a:error::x\n````\n`````\n"), "{page}");
        assert_eq!(code("a``b`"), "``` a``b` ```");
        assert_eq!(code("*a*"), "`*a*`");
    }

    #[test]
    fn it_is_no_longer_than_its_measure() {
        let ids: Vec<String> = (0..2000).map(|number| format!("test number {number} of many")).collect();
        let text = "x ".repeat(3000);
        let mut events: Vec<_> = ids.iter().map(|id| failure(id, &text)).collect();
        let at = |seconds| Some(Timestamp::from_seconds(seconds));
        let long: Vec<String> = (0..20).map(|number| format!("{number}{}", "`long".repeat(150))).collect();
        for (number, id) in long.iter().enumerate() {
            let reason = Some(File { name: "reason", bytes: id.as_bytes() });
            events.push(Event { file: reason, ..Event::status(id, Status::Skip) });
            let end = Event { tags: Tags::from(&["flaky"]), ..Event::status(id, Status::Success) };
            events.push(Event { timestamp: at(1), ..Event::status(id, Status::InProgress) });
            events.push(Event { timestamp: at(number as u32 + 2), ..end });
        }
        for most in [1, 4096, 20_000, 100_000] {
            let page = report(most, &events);
            assert!(page.len() <= most.max(LEAST), "{} of {most}", page.len());
            assert!(page.contains("\n- and ") && page.contains("test number 0 of many"), "{page}");
        }
    }
}
