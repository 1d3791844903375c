//! Metrics in the text format of OpenMetrics, which Prometheus reads as its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::shown::{Shown, Sink, Standing};

/// What all names begin with.
const PREFIX: &str = "subunit_check_";

/// Collects results, and writes all numbers of a name together, as the format wants it.
#[derive(Default)]
pub(super) struct OpenMetrics {
    families: BTreeMap<String, Family>,
}

/// The numbers of one name.
struct Family {
    help: String,
    unit: &'static str,
    /// Labels and number.
    samples: Vec<(String, f64)>,
}

impl OpenMetrics {
    fn add(&mut self, name: &str, help: &str, unit: &'static str, labels: String, value: f64) {
        let name = format!("{PREFIX}{}", name_of(name));
        // A unit is the end of its name.
        let unit = if name.ends_with(&format!("_{unit}")) { unit } else { "" };
        let new = || Family { help: help.to_owned(), unit, samples: Vec::new() };
        let family = self.families.entry(name).or_insert_with(new);
        // The same labels twice would make all of it unreadable: the last number holds.
        family.samples.retain(|(other, _)| *other != labels);
        family.samples.push((labels, value));
    }

    fn add_metrics(&mut self, test: &Shown, labels: &str) {
        for metric in &test.metrics {
            let unit = match metric.unit.as_str() {
                "s" => "seconds",
                "B" => "bytes",
                _ => "",
            };
            let (name, quantile) = quantile(&metric.name);
            let quantile = quantile.map_or_else(String::new, |text| format!(",quantile=\"{text}\""));
            let help = format!("The number {name} that a check has measured.");
            self.add(name, &help, unit, format!("{labels}{quantile}"), metric.value);
        }
    }

    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let mut text = String::new();
        for (name, Family { help, unit, samples }) in &self.families {
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
        output.write_all(text.as_bytes())
    }
}

impl Sink for OpenMetrics {
    fn test(&mut self, test: Shown) -> io::Result<()> {
        let (check, target, aspect) = test.parts();
        let route = test.route.as_deref().unwrap_or_default();
        let all = [("check", check), ("target", target), ("aspect", aspect), ("route", route)];
        let labels = all.map(|(name, value)| format!("{name}=\"{}\"", escape(value))).join(",");
        let skipped = test.standing == Standing::Skipped;
        let help =
            "How a check found an aspect: 0 ok, 1 warning, 2 critical, 3 unknown; none where it was skipped.";
        let status = match test.standing {
            Standing::Ok | Standing::Expected => Some(0.0),
            Standing::Warning => Some(1.0),
            Standing::Critical => Some(2.0),
            Standing::Unknown => Some(3.0),
            Standing::Skipped => None,
        };
        if let Some(status) = status {
            self.add("status", help, "", labels.clone(), status);
        }
        let help = "Whether an aspect was skipped: it does not apply, or what it builds on is broken.";
        self.add("skipped", help, "", labels.clone(), f64::from(u8::from(skipped)));
        if let Some(duration) = test.duration {
            let help = "How long it took to look at an aspect.";
            self.add("duration_seconds", help, "seconds", labels.clone(), duration.as_secs_f64());
        }
        if let Some(last) = test.last {
            let help = "When an aspect was last looked at, in seconds since 1970.";
            let time = f64::from(last.seconds) + f64::from(last.nanoseconds) / 1e9;
            self.add("last_run_timestamp_seconds", help, "seconds", labels.clone(), time);
        }
        self.add_metrics(&test, &labels);
        Ok(())
    }
}

/// The name without its percentile, and the percentile as a label.
fn quantile(name: &str) -> (&str, Option<&'static str>) {
    let suffixes =
        [("_min", "0"), ("_p50", "0.5"), ("_p90", "0.9"), ("_p95", "0.95"), ("_p99", "0.99"), ("_max", "1")];
    let found = suffixes.iter().find_map(|(suffix, text)| Some((name.strip_suffix(suffix)?, *text)));
    found.map_or((name, None), |(name, text)| (name, Some(text)))
}

/// The letters that a name may have.
fn name_of(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::super::shown::testing::records;
    use super::*;

    fn text() -> String {
        let mut output = Vec::new();
        records(OpenMetrics::default()).write(&mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn each_test_has_a_status_and_its_numbers() {
        let text = text();
        let has = |line: &str| assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
        has("# TYPE subunit_check_status gauge");
        has(r#"subunit_check_status{check="fake",target="a",aspect="up",route="host"} 0"#);
        has(r#"subunit_check_status{check="fake",target="a",aspect="load",route="host"} 1"#);
        has(r#"subunit_check_status{check="fake",target="b \"x\"",aspect="up",route="host"} 3"#);
        has(r#"subunit_check_skipped{check="fake",target="b",aspect="load",route="host"} 1"#);
        assert!(!text.contains(r#"subunit_check_status{check="fake",target="b",aspect="load""#));
        has("# UNIT subunit_check_duration_seconds seconds");
        has(r#"subunit_check_duration_seconds{check="fake",target="a",aspect="up",route="host"} 2"#);
        has(r#"subunit_check_load{check="fake",target="a",aspect="load",route="host"} 1.5"#);
        has("# UNIT subunit_check_time_seconds seconds");
        has(
            r#"subunit_check_time_seconds{check="fake",target="a",aspect="load",route="host",quantile="0.95"} 2"#,
        );
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn the_numbers_of_a_name_stand_together() {
        let text = text();
        let names: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('{').next().unwrap_or_default())
            .collect();
        let mut seen = names.clone();
        seen.dedup();
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all, "{names:?}");
    }
}
