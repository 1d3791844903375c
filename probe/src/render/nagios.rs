//! What monitoring plugins write: a line, performance data, more lines.

use std::fmt::Write as _;
use std::io::{self, Write};

use cli::Verdict;

use super::shown::{Shown, Sink, Standing};
use crate::perfdata::Measured;

/// Characters of the first line before the numbers, and bytes with them: agents cut longer lines.
const WORDS: usize = 1000;
const LINE: usize = 4000;

/// What comes before numbers. Words have none.
const BAR: &str = " | ";

/// Collects results, and says the worst of them.
pub(super) struct Nagios {
    check: &'static str,
    tests: Vec<Shown>,
}

impl Nagios {
    pub(super) fn new(check: &'static str) -> Self {
        Nagios { check, tests: Vec::new() }
    }

    /// The worst of all: that nothing was looked at is not good news.
    fn worst(&self) -> Standing {
        let seen =
            self.tests.iter().map(|test| test.standing).filter(|standing| *standing != Standing::Skipped);
        seen.max().unwrap_or(Standing::Unknown)
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.worst() {
            Standing::Ok | Standing::Expected => Verdict::Passed,
            Standing::Warning => Verdict::Warned,
            Standing::Critical => Verdict::Failed,
            Standing::Unknown | Standing::Skipped => Verdict::Incomplete,
        }
    }

    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let worst = self.worst();
        let word = match worst {
            Standing::Ok | Standing::Expected => "OK",
            Standing::Warning => "WARNING",
            Standing::Critical => "CRITICAL",
            Standing::Unknown | Standing::Skipped => "UNKNOWN",
        };
        let mut line = format!("{} {word} - {}", self.check.to_uppercase(), self.headline(worst));
        if let Some((end, _)) = line.char_indices().nth(WORDS) {
            line.truncate(end);
            line.push('…');
        }
        // Numbers that do not fit on the first line follow the last one.
        let (mut first, mut rest) = (line, String::new());
        for data in self.tests.iter().map(perfdata).filter(|data| !data.is_empty()) {
            let fits = rest.is_empty() && first.len() + data.len() < LINE;
            let to = if fits { &mut first } else { &mut rest };
            *to += if to.contains(BAR) { " " } else { BAR };
            *to += &data;
        }
        write!(output, "{first}")?;
        for test in &self.tests {
            write!(output, "\n{}", plain(&long_line(test)))?;
        }
        writeln!(output, "{rest}")
    }

    /// What stands on the first line: the reasons of the worst, and how many there are of each standing.
    fn headline(&self, worst: Standing) -> String {
        let mut counts = String::new();
        for standing in [
            Standing::Critical,
            Standing::Unknown,
            Standing::Warning,
            Standing::Ok,
            Standing::Expected,
            Standing::Skipped,
        ] {
            let count = self.tests.iter().filter(|test| test.standing == standing).count();
            if count > 0 {
                let comma = if counts.is_empty() { "" } else { ", " };
                let _infallible = write!(counts, "{comma}{count} {}", standing.as_str());
            }
        }
        let is_worst = |test: &&Shown| test.standing == worst && worst > Standing::Skipped;
        let reasons: Vec<_> = self.tests.iter().filter(is_worst).map(first_line).collect();
        match reasons.as_slice() {
            [] if self.tests.is_empty() => "nothing was looked at".to_owned(),
            [] => counts,
            reasons => plain(&format!("{} ({counts})", reasons.join("; "))),
        }
    }
}

fn first_line(test: &Shown) -> String {
    let words = test.words().lines().next().unwrap_or_default();
    if words.is_empty() { test.id.clone() } else { format!("{}: {words}", test.id) }
}

fn long_line(test: &Shown) -> String {
    let words = test.words().replace('\n', "; ");
    let colon = if words.is_empty() { "" } else { ": " };
    format!("[{}] {}{colon}{words}", test.standing.as_str().to_uppercase(), test.id)
}

/// The numbers of a test, each under its own label.
fn perfdata(test: &Shown) -> String {
    let (_, target, aspect) = test.parts();
    Measured::perfdata(&test.metrics, &format!("{target}.{aspect}."))
}

/// What follows a bar would be taken for numbers, and what follows a line end for another line.
fn plain(text: &str) -> String {
    let letter = |letter: char| match letter {
        '|' => '/',
        other if other.is_control() => ' ',
        other => other,
    };
    text.chars().map(letter).collect()
}

impl Sink for Nagios {
    fn test(&mut self, test: Shown) -> io::Result<()> {
        self.tests.push(test);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown::testing::records;
    use super::*;

    #[test]
    fn the_first_line_says_the_worst_and_the_numbers() {
        let nagios = records(Nagios::new("fake"));
        let mut output = Vec::new();
        nagios.write(&mut output).unwrap();
        let expected = "\
FAKE UNKNOWN - fake.b \"x\".up: no permission; fake.b.end: it was not run (2 unknown, 1 warning, 1 ok, 1 skipped) \
| 'a.load.load'=1.5%;1;;0;100 'a.load.time_seconds_p95'=2s;;;0;
[OK] fake.a.up: it is up
[WARNING] fake.a.load: load = 1.5 % / high; very
[UNKNOWN] fake.b \"x\".up: no permission
[SKIPPED] fake.b.load
[UNKNOWN] fake.b.end: it was not run
";
        assert_eq!(String::from_utf8(output).unwrap(), expected);
        assert_eq!(nagios.verdict(), Verdict::Incomplete);
    }

    #[test]
    fn nothing_at_all_is_unknown() {
        let mut output = Vec::new();
        Nagios::new("fake").write(&mut output).unwrap();
        assert_eq!(output, b"FAKE UNKNOWN - nothing was looked at\n");
    }

    #[test]
    fn numbers_that_do_not_fit_follow_the_last_line() {
        let mut nagios = records(Nagios::new("fake"));
        let loaded = nagios.tests.iter().find(|test| !test.metrics.is_empty()).unwrap().clone();
        nagios.tests = vec![loaded; 100];
        let mut output = Vec::new();
        nagios.write(&mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 101);
        assert!(lines[0].len() < LINE && lines[0].contains(BAR));
        assert!(lines[1..100].iter().all(|line| !line.contains('|')));
        assert_eq!(text.matches("'a.load.load'=").count(), 100);
    }
}
