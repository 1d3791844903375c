//! What monitoring plugins write: a line, performance data, more lines.

use std::fmt::Write as _;
use std::io::{self, Write};

use cli::Verdict;

use super::Rendering;
use super::places::Places;
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
    /// Whether only what is not well has a line of its own.
    quiet: bool,
    /// Bytes of numbers.
    perfdata_limit: u64,
    tests: Vec<Shown>,
    places: Places,
}

impl Nagios {
    pub(super) fn new(rendering: &Rendering) -> Self {
        let &Rendering { check, quiet, perfdata_limit, .. } = rendering;
        Nagios { check, quiet, perfdata_limit, tests: Vec::new(), places: Places::default() }
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
        for data in self.numbers() {
            let fits = rest.is_empty() && first.len() + data.len() < LINE;
            let to = if fits { &mut first } else { &mut rest };
            *to += if to.contains(BAR) { " " } else { BAR };
            *to += &data;
        }
        write!(output, "{first}")?;
        for test in self.tests.iter().filter(|test| !self.quiet || is_news(test)) {
            write!(output, "\n{}", plain(&self.long_line(test)))?;
        }
        writeln!(output, "{rest}")
    }

    /// The numbers of all tests, as many as there is room for.
    fn numbers(&self) -> impl Iterator<Item = String> {
        let mut left = self.perfdata_limit;
        let all = self.tests.iter().map(|test| self.perfdata(test)).filter(|data| !data.is_empty());
        all.take_while(move |data| {
            let taken = u64::try_from(data.len() + 1).unwrap_or(u64::MAX);
            let fits = taken <= left;
            left = left.saturating_sub(taken);
            fits
        })
    }

    /// The test's id, with from where it is said where there are several.
    fn name(&self, test: &Shown) -> String {
        format!("{}{}", test.id, self.places.behind(&test.id, test.route.as_deref()))
    }

    fn first_line(&self, test: &Shown) -> String {
        let words = test.words().lines().next().unwrap_or_default();
        let name = self.name(test);
        if words.is_empty() { name } else { format!("{name}: {words}") }
    }

    fn long_line(&self, test: &Shown) -> String {
        let words = test.words().replace('\n', "; ");
        let colon = if words.is_empty() { "" } else { ": " };
        format!("[{}] {}{colon}{words}", word(test).to_uppercase(), self.name(test))
    }

    /// The numbers of a test, each under its own label.
    fn perfdata(&self, test: &Shown) -> String {
        let (_, target, aspect) = test.parts();
        let place = self.places.place(&test.id, test.route.as_deref());
        let place = place.map_or_else(String::new, |place| format!("{place}."));
        Measured::perfdata(&test.metrics, &format!("{place}{target}.{aspect}."))
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
            let flaky = self.tests.iter().filter(|test| test.is_flaky).count();
            if standing == Standing::Ok && flaky > 0 {
                let _infallible = write!(counts, " ({flaky} flaky)");
            }
        }
        let is_worst = |test: &&Shown| test.standing == worst && worst > Standing::Skipped;
        let reasons: Vec<_> = self.tests.iter().filter(is_worst).map(|test| self.first_line(test)).collect();
        match reasons.as_slice() {
            [] if self.tests.is_empty() => "nothing was looked at".to_owned(),
            [] => counts,
            reasons => plain(&format!("{} ({counts})", reasons.join("; "))),
        }
    }
}

fn word(test: &Shown) -> &'static str {
    if test.is_flaky { "flaky" } else { test.standing.as_str() }
}

/// Whether somebody wants to know of it.
fn is_news(test: &Shown) -> bool {
    test.is_flaky || !matches!(test.standing, Standing::Ok | Standing::Expected | Standing::Skipped)
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
        self.places.add(&test.id, test.route.as_deref());
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
        let nagios = records(Nagios::new(&Rendering::plain("fake")));
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
        Nagios::new(&Rendering::plain("fake")).write(&mut output).unwrap();
        assert_eq!(output, b"FAKE UNKNOWN - nothing was looked at\n");
    }

    #[test]
    fn numbers_that_do_not_fit_follow_the_last_line() {
        let mut nagios = records(Nagios::new(&Rendering::plain("fake")));
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
        // Whole numbers, or none.
        let count = |perfdata_limit| {
            let mut output = Vec::new();
            let limited = Nagios {
                perfdata_limit,
                tests: nagios.tests.clone(),
                ..records(Nagios::new(&Rendering::plain("fake")))
            };
            limited.write(&mut output).unwrap();
            String::from_utf8(output).unwrap().matches("'a.load.load'=").count()
        };
        assert_eq!([0, 10, 200, 1000].map(count), [0, 0, 3, 16]);
    }

    #[test]
    fn what_is_well_can_be_left_out() {
        let nagios = records(Nagios::new(&Rendering { quiet: true, ..Rendering::plain("fake") }));
        let mut output = Vec::new();
        nagios.write(&mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        let words = text.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>();
        assert_eq!(words, ["[WARNING]", "[UNKNOWN]", "[UNKNOWN]"]);
    }

    #[test]
    fn a_host_is_said_where_there_are_several() {
        let mut nagios = records(Nagios::new(&Rendering::plain("fake")));
        let loaded = nagios.tests.iter().find(|test| !test.metrics.is_empty()).unwrap().clone();
        nagios.test(Shown { route: Some("other".to_owned()), is_flaky: true, ..loaded }).unwrap();
        let mut output = Vec::new();
        nagios.write(&mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        for part in ["'host.a.load.load'=", "'other.a.load.load'=", "\n[WARNING] fake.a.load on host: "] {
            assert!(text.contains(part), "{text}");
        }
        assert!(
            text.contains("\n[FLAKY] fake.a.load on other: ") && text.contains("1 ok (1 flaky)"),
            "{text}"
        );
    }
}
