//! The text format of OpenMetrics, which Prometheus reads as its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use streamresult::{Outcome, Record, RecordSink, RunVerdict, Summary};
use subunit::Timestamp;

use crate::span::Span;

/// Numbers by name: all of a name are written together, as the format wants it.
///
/// ```
/// use formats::openmetrics::Families;
///
/// let mut families = Families::default();
/// families.add("load", "How busy it is.", "", &[("host", "ash")], 1.5);
/// let mut text = Vec::new();
/// families.write(&mut text)?;
/// assert_eq!(text, b"# TYPE load gauge\n# HELP load How busy it is.\nload{host=\"ash\"} 1.5\n# EOF\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Families(BTreeMap<String, Family>);

/// The numbers of one name.
#[derive(Clone, Debug)]
struct Family {
    help: String,
    unit: &'static str,
    /// Labels and number.
    samples: Vec<(String, f64)>,
}

impl Families {
    /// Adds a gauge. Letters that a name may not have become `_`; the same labels again are another value, which
    /// holds. A unit counts where the name ends with it.
    pub fn add(&mut self, name: &str, help: &str, unit: &'static str, labels: &[(&str, &str)], value: f64) {
        let name = name_of(name);
        let unit = if name.ends_with(&format!("_{unit}")) { unit } else { "" };
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        let labels = labels.join(",");
        let new = || Family { help: help.to_owned(), unit, samples: Vec::new() };
        let family = self.0.entry(name).or_insert_with(new);
        // The same labels twice would make all of it unreadable.
        family.samples.retain(|(other, _)| *other != labels);
        family.samples.push((labels, value));
    }

    /// Writes all of them, and the end of the document.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut text = String::new();
        for (name, Family { help, unit, samples }) in &self.0 {
            let _infallible = writeln!(text, "# TYPE {name} gauge");
            if !unit.is_empty() {
                let _infallible = writeln!(text, "# UNIT {name} {unit}");
            }
            let _infallible = writeln!(text, "# HELP {name} {}", escape(help));
            for (labels, value) in samples {
                let _infallible = writeln!(text, "{name}{{{labels}}} {value}");
            }
        }
        text += "# EOF\n";
        out.write_all(text.as_bytes())
    }
}

/// A time in seconds since 1970.
#[must_use]
pub fn seconds_of(time: Timestamp) -> f64 {
    time.since_epoch().as_secs_f64()
}

/// The letters that a name may have.
fn name_of(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Collects what a run's metrics need beside its summary.
#[derive(Clone, Debug, Default)]
pub struct RunMetrics {
    span: Span,
    in_tests: Duration,
}

impl RunMetrics {
    /// The metrics of the run, labelled with its name; a run that did not come to its end is no success.
    #[must_use]
    pub fn families(&self, name: &str, summary: &Summary, is_whole: bool) -> Families {
        let mut families = Families::default();
        let run = [("run", name)];
        let mut add = |name: &str, help: &str, unit, value: f64| families.add(name, help, unit, &run, value);
        let verdict = f64::from(u8::from(is_whole && summary.verdict() == RunVerdict::Passed));
        add(
            "subunit_run_success",
            "Whether tests ran to the end and nothing counts against the run.",
            "",
            verdict,
        );
        let failures = summary.failures() as f64;
        add("subunit_run_failures", "What counts against the run: tests and all else.", "", failures);
        add("subunit_run_flaky", "Tests that passed only when tried again.", "", summary.flaky() as f64);
        let help = "How long all tests took together.";
        add("subunit_run_tests_duration_seconds", help, "seconds", self.in_tests.as_secs_f64());
        if let (Some(length), Some(last)) = (self.span.length(), self.span.last()) {
            let length = length.as_secs_f64();
            add("subunit_run_duration_seconds", "From the first event to the last.", "seconds", length);
            let help = "When the last event came, in seconds since 1970.";
            add("subunit_run_last_timestamp_seconds", help, "seconds", seconds_of(last));
        }
        for outcome in Outcome::ALL {
            let count = match outcome {
                Outcome::Exists => summary.announced(),
                Outcome::Unfinished => summary.unfinished(),
                _ => summary.count(outcome),
            };
            let labels = [("run", name), ("status", outcome.as_str())];
            families.add("subunit_run_tests", "How many tests ended so.", "", &labels, count as f64);
        }
        families
    }
}

impl RecordSink for RunMetrics {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.in_tests = self.in_tests.saturating_add(record.duration().unwrap_or_default());
        self.span.add_record(record);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use streamresult::{Records, StreamResult};
    use subunit::{Event, Status};

    use super::*;

    fn text(events: &[Event<'_>]) -> String {
        let mut records = Records::new((RunMetrics::default(), Summary::new()));
        events.iter().for_each(|event| records.status(event).unwrap());
        records.stop_run().unwrap();
        let (metrics, summary) = records.into_sink();
        let mut text = Vec::new();
        metrics.families("a \"b\"", &summary, true).write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_run_is_counted_and_timed() {
        let at = |seconds| Some(Timestamp::from_seconds(seconds));
        let text = text(&[
            Event { timestamp: at(10), ..Event::status("a", Status::InProgress) },
            Event { timestamp: at(12), ..Event::status("a", Status::Success) },
            Event { timestamp: at(15), ..Event::status("b", Status::Fail) },
        ]);
        for line in [
            "# UNIT subunit_run_duration_seconds seconds",
            r#"subunit_run_duration_seconds{run="a \"b\""} 5"#,
            r#"subunit_run_tests_duration_seconds{run="a \"b\""} 2"#,
            r#"subunit_run_last_timestamp_seconds{run="a \"b\""} 15"#,
            r#"subunit_run_success{run="a \"b\""} 0"#,
            r#"subunit_run_failures{run="a \"b\""} 1"#,
            r#"subunit_run_tests{run="a \"b\"",status="fail"} 1"#,
            r#"subunit_run_tests{run="a \"b\"",status="skip"} 0"#,
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn no_test_is_no_success() {
        assert!(text(&[]).contains("subunit_run_success{run=\"a \\\"b\\\"\"} 0\n"));
    }

    #[test]
    fn the_last_value_of_the_same_labels_holds() {
        let mut families = Families::default();
        families.add("a b", "", "", &[], 1.0);
        families.add("a b", "", "", &[], 2.0);
        let mut text = Vec::new();
        families.write(&mut text).unwrap();
        assert_eq!(text, b"# TYPE a_b gauge\n# HELP a_b \na_b{} 2\n# EOF\n");
    }
}
