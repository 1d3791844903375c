//! Metrics in the text format of OpenMetrics, which Prometheus reads as its own.

use std::io::{self, Write};

use formats::openmetrics::{Families, seconds_of};

use super::shown::{Shown, Sink, Standing};

/// What all names begin with.
const PREFIX: &str = "subunit_check_";

/// Collects results, and writes all numbers of a name together.
#[derive(Default)]
pub(super) struct OpenMetrics {
    families: Families,
}

impl OpenMetrics {
    fn add(&mut self, name: &str, help: &str, unit: &'static str, labels: &[(&str, &str)], value: f64) {
        self.families.add(&format!("{PREFIX}{name}"), help, unit, labels, value);
    }

    fn add_metrics(&mut self, test: &Shown, labels: &[(&str, &str)]) {
        for metric in &test.metrics {
            let unit = match metric.unit.as_str() {
                "s" => "seconds",
                "B" => "bytes",
                _ => "",
            };
            let (name, quantile) = quantile(&metric.name);
            let help = format!("The number {name} that a check has measured.");
            let quantile = quantile.map(|text| ("quantile", text));
            let labels: Vec<_> = labels.iter().copied().chain(quantile).collect();
            self.add(name, &help, unit, &labels, metric.value);
        }
    }

    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        self.families.write(output)
    }
}

impl Sink for OpenMetrics {
    fn test(&mut self, test: Shown) -> io::Result<()> {
        let (check, target, aspect) = test.parts();
        let route = test.route.as_deref().unwrap_or_default();
        let labels = [("check", check), ("target", target), ("aspect", aspect), ("route", route)];
        let labels = labels.as_slice();
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
            self.add("status", help, "", labels, status);
        }
        let help = "Whether an aspect was skipped: it does not apply, or what it builds on is broken.";
        self.add("skipped", help, "", labels, f64::from(u8::from(skipped)));
        if let Some(duration) = test.duration {
            let help = "How long it took to look at an aspect.";
            self.add("duration_seconds", help, "seconds", labels, duration.as_secs_f64());
        }
        if let Some(last) = test.last {
            let help = "When an aspect was last looked at, in seconds since 1970.";
            self.add("last_run_timestamp_seconds", help, "seconds", labels, seconds_of(last));
        }
        self.add_metrics(&test, labels);
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
