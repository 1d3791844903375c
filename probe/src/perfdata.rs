//! Numbers as they are told: as JSON, and as the performance data of monitoring plugins.

use std::fmt::{self, Write as _};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Metric, MetricUnit, Thresholds};

/// A number with its unit and its ranges, as `metrics.json` has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Its unit's symbol; empty for none.
    pub unit: String,
    /// The range outside of which it is a warning.
    pub warning: Option<String>,
    /// The range outside of which it is a failure.
    pub critical: Option<String>,
}

impl Measured {
    /// The numbers with what the thresholds know of them; anything but a number is left out.
    #[must_use]
    pub fn all(metrics: &[Metric], thresholds: &Thresholds) -> Vec<Self> {
        let measured = |metric: &Metric| Measured {
            name: metric.name.clone(),
            value: metric.value,
            unit: thresholds.unit_of(metric).map_or("", MetricUnit::symbol).to_owned(),
            warning: thresholds.warning_of(metric).map(|range| range.plain()),
            critical: thresholds.critical_of(metric).map(|range| range.plain()),
        };
        metrics.iter().filter(|metric| metric.value.is_finite()).map(measured).collect()
    }

    /// The text of `metrics.json`: an object, the numbers in their order.
    #[must_use]
    pub fn json(all: &[Self]) -> String {
        let entry = |one: &Self| format!("{}:{}", Value::from(one.name.as_str()), one.entry());
        format!("{{{}}}", all.iter().map(entry).collect::<Vec<_>>().join(","))
    }

    /// The same as a value.
    #[must_use]
    pub fn object(all: &[Self]) -> Value {
        Value::Object(all.iter().map(|one| (one.name.clone(), one.entry())).collect())
    }

    fn entry(&self) -> Value {
        let Measured { value, unit, warning, critical, .. } = self;
        json!({"value": value, "unit": unit, "warning": warning, "critical": critical})
    }

    /// Reads the text of `metrics.json`; any other text has no numbers.
    #[must_use]
    pub fn read(text: &[u8]) -> Vec<Self> {
        serde_json::from_slice::<Object>(text).map(|object| object.0).unwrap_or_default()
    }

    /// All as performance data: `'label'=value[UOM];warn;crit;min;max`, the labels beginning with `prefix`.
    #[must_use]
    pub fn perfdata(all: &[Self], prefix: &str) -> String {
        let mut text = String::new();
        for Measured { name, value, unit, warning, critical } in all {
            // There is no unit for speeds.
            let unit = if unit.contains('/') { "" } else { unit };
            let (warning, critical) =
                (warning.as_deref().unwrap_or_default(), critical.as_deref().unwrap_or_default());
            let (low, high) = match (unit, *value < 0.0) {
                ("%", false) => ("0", "100"),
                (_, false) => ("0", ""),
                (_, true) => ("", ""),
            };
            let space = if text.is_empty() { "" } else { " " };
            let label = label(prefix, name);
            let _infallible =
                write!(text, "{space}'{label}'={value}{unit};{warning};{critical};{low};{high}");
        }
        text
    }
}

/// The object of `metrics.json`, in its order.
struct Object(Vec<Measured>);

#[derive(Deserialize)]
struct Entry {
    value: f64,
    #[serde(default)]
    unit: String,
    warning: Option<String>,
    critical: Option<String>,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Object;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object, A::Error> {
        let mut all = Vec::new();
        while let Some((name, entry)) = entries.next_entry()? {
            let Entry { value, unit, warning, critical } = entry;
            all.push(Measured { name, value, unit, warning, critical });
        }
        Ok(Object(all))
    }
}

/// A label has no equals sign, no bar and no line end, and its quotes are doubled.
fn label(prefix: &str, name: &str) -> String {
    let plain = |letter: char| if matches!(letter, '=' | '|') || letter.is_control() { '_' } else { letter };
    let label: String = prefix.chars().chain(name.chars()).map(plain).collect();
    label.replace('\'', "''")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: f64, unit: &str) -> Measured {
        let (name, unit) = (name.to_owned(), unit.to_owned());
        Measured { name, value, unit, warning: Some("10:".to_owned()), critical: None }
    }

    #[test]
    fn performance_data_is_as_the_plugins_have_it() {
        let check = |measured, expected: &str| assert_eq!(Measured::perfdata(&[measured], "a."), expected);
        check(one("free", 12.5, "%"), "'a.free'=12.5%;10:;;0;100");
        check(one("write_mbps", 3.0, "MB/s"), "'a.write_mbps'=3;10:;;0;");
        check(one("it's=x|y", -1e-7, "s"), "'a.it''s_x_y'=-0.0000001s;10:;;;");
        let two = [one("x", 1.0, ""), one("y", 2.0, "B")];
        assert_eq!(Measured::perfdata(&two, ""), "'x'=1;10:;;0; 'y'=2B;10:;;0;");
    }

    #[test]
    fn numbers_are_read_back_as_they_were() {
        let all = [one("y\"", 1.5, "s"), Measured { warning: None, ..one("x", 0.0, "") }];
        assert_eq!(Measured::read(Measured::json(&all).as_bytes()), all);
        assert_eq!(Measured::read(b"{\"x\": 1}"), []);
        assert_eq!(Measured::read(b"none"), []);
    }
}
