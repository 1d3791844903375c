//! Numbers that checks measure: their kinds, their thresholds, their summaries.

use cli::suggest;

use super::{Metric, MetricUnit, Range};

/// A kind of number that a check measures.
#[derive(Clone, Copy, Debug)]
pub struct MetricKind {
    /// Its name, with its unit: `response_seconds`.
    pub name: &'static str,
    /// What it counts.
    pub unit: MetricUnit,
    /// The aspects that measure it; none where all may.
    pub aspects: &'static [&'static str],
    /// Whether it is given as percentiles, `_min`, `_p50`, `_p90`, `_p95`, `_p99` and `_max`.
    pub percentiles: bool,
    /// Whether it only grows: with a state file, its growth since the last run is given as well, `_delta` and
    /// `_per_second`, and its ranges are those of its growth.
    pub counter: bool,
    /// The range outside of which there is a warning, unless another is given.
    pub warning: Option<&'static str>,
    /// The range outside of which the test fails, unless another is given.
    pub critical: Option<&'static str>,
}

impl MetricKind {
    /// A number without thresholds of its own.
    #[must_use]
    pub const fn new(name: &'static str, unit: MetricUnit) -> Self {
        MetricKind {
            name,
            unit,
            aspects: &[],
            percentiles: false,
            counter: false,
            warning: None,
            critical: None,
        }
    }

    /// The same, measured by these aspects, by their names, and no others.
    #[must_use]
    pub const fn of(self, aspects: &'static [&'static str]) -> Self {
        MetricKind { aspects, ..self }
    }

    /// Whether an aspect may measure it.
    #[must_use]
    pub fn is_of(&self, aspect: &str) -> bool {
        self.aspects.is_empty() || self.aspects.contains(&aspect)
    }

    /// The names that numbers of this kind have: one, or those of percentiles or of a counter and its growth.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let own = Some("").filter(|_| !self.percentiles).into_iter();
        let percentiles = SUFFIXES.into_iter().filter(|_| self.percentiles);
        let changes = CHANGES.into_iter().filter(|_| self.counter);
        own.chain(percentiles).chain(changes).map(|suffix| format!("{}{suffix}", self.name))
    }

    /// Whether the number of this name tells of the time since the last run.
    #[must_use]
    pub fn is_change(&self, name: &str) -> bool {
        self.counter && name != self.name
    }

    /// Whether numbers of this name are of this kind.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match name.strip_prefix(self.name) {
            Some("") => !self.percentiles,
            Some(rest) => {
                self.percentiles && SUFFIXES.contains(&rest) || self.counter && CHANGES.contains(&rest)
            }
            None => false,
        }
    }
}

const CHANGES: [&str; 2] = ["_delta", "_per_second"];
const SUFFIXES: [&str; 6] = ["_min", "_p50", "_p90", "_p95", "_p99", "_max"];

/// The ranges of all numbers: those given on the command line, else those of their kinds.
#[derive(Clone, Debug)]
pub struct Thresholds {
    kinds: &'static [MetricKind],
    warning: Vec<(String, Range)>,
    critical: Vec<(String, Range)>,
}

impl Thresholds {
    /// Reads `metric=range` arguments.
    ///
    /// # Errors
    ///
    /// When there is no such metric, or the range is not valid; the text names the metrics there are.
    pub fn parse(
        kinds: &'static [MetricKind],
        warning: &[String],
        critical: &[String],
    ) -> Result<Self, String> {
        let parse = |texts: &[String]| texts.iter().map(|text| parse(kinds, text)).collect::<Result<_, _>>();
        Ok(Thresholds { kinds, warning: parse(warning)?, critical: parse(critical)? })
    }

    /// The kind of this number.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'static MetricKind> {
        self.kinds.iter().find(|kind| kind.has(name))
    }

    /// The numbers that ranges were given for, with their kinds.
    pub fn given(&self) -> impl Iterator<Item = (&str, &'static MetricKind)> {
        let names = self.warning.iter().chain(&self.critical).map(|(name, _)| name.as_str());
        names.filter_map(|name| Some((name, self.kind(name)?)))
    }

    /// The range outside of which this number is a warning.
    #[must_use]
    pub fn warning(&self, name: &str) -> Option<Range> {
        self.range(&self.warning, name, |kind| kind.warning)
    }

    /// The range outside of which this number is a failure.
    #[must_use]
    pub fn critical(&self, name: &str) -> Option<Range> {
        self.range(&self.critical, name, |kind| kind.critical)
    }

    /// The unit of a number: its own, else that of its kind.
    #[must_use]
    pub fn unit_of(&self, metric: &Metric) -> Option<MetricUnit> {
        metric.unit.or_else(|| self.kind(&metric.name).map(|kind| kind.unit))
    }

    /// The range outside of which a number is a warning: the one given, else its own, else that of its kind.
    #[must_use]
    pub fn warning_of(&self, metric: &Metric) -> Option<Range> {
        self.range_of(metric, &self.warning, metric.warning.as_ref(), |kind| kind.warning)
    }

    /// The range outside of which a number is a failure: the one given, else its own, else that of its kind.
    #[must_use]
    pub fn critical_of(&self, metric: &Metric) -> Option<Range> {
        self.range_of(metric, &self.critical, metric.critical.as_ref(), |kind| kind.critical)
    }

    /// Makes the ranges of a counter's kind those of its growth, where none was given for the counter itself.
    pub(super) fn judge_by_growth(&self, counter: &mut Metric, growth: &mut Metric) {
        let own = |given: &[(String, Range)], range: Option<Range>| {
            range.filter(|_| !is_given(given, &counter.name))
        };
        growth.warning = own(&self.warning, self.warning(&counter.name));
        growth.critical = own(&self.critical, self.critical(&counter.name));
        counter.by_growth = true;
    }

    fn range_of(
        &self,
        metric: &Metric,
        given: &[(String, Range)],
        range: Option<&Range>,
        own: impl Fn(&MetricKind) -> Option<&'static str>,
    ) -> Option<Range> {
        match is_given(given, &metric.name) {
            false if metric.by_growth => None,
            false if range.is_some() => range.cloned(),
            _ => self.range(given, &metric.name, own),
        }
    }

    fn range(
        &self,
        given: &[(String, Range)],
        name: &str,
        own: impl Fn(&MetricKind) -> Option<&'static str>,
    ) -> Option<Range> {
        if let Some((_, range)) = given.iter().rev().find(|(metric, _)| metric == name) {
            return Some(range.clone());
        }
        // A counter's own range is not that of its growth.
        let kind = self.kind(name).filter(|kind| !kind.counter || kind.name == name)?;
        Range::parse(own(kind)?, kind.unit).ok()
    }
}

fn is_given(given: &[(String, Range)], name: &str) -> bool {
    given.iter().any(|(metric, _)| metric == name)
}

fn parse(kinds: &'static [MetricKind], text: &str) -> Result<(String, Range), String> {
    let Some((name, range)) = text.split_once('=') else {
        return Err(format!("`{text}` is not METRIC=RANGE"));
    };
    let Some(kind) = kinds.iter().find(|kind| kind.has(name)) else {
        return Err(unknown(kinds, name));
    };
    Ok((name.to_owned(), Range::parse(range, kind.unit)?))
}

/// That there is no such metric: the one that may be meant, else all there are.
fn unknown(kinds: &[MetricKind], name: &str) -> String {
    let all: Vec<_> = kinds.iter().flat_map(MetricKind::names).collect();
    match suggest(name, all.iter().map(String::as_str)) {
        none if none.is_empty() => {
            format!("there is no metric `{name}`; there are {}", listed(kinds))
        }
        suggestion => format!("there is no metric `{name}`{suggestion}"),
    }
}

fn listed(kinds: &[MetricKind]) -> String {
    let name = |kind: &MetricKind| {
        if kind.percentiles {
            format!("{}_{{min,p50,p90,p95,p99,max}}", kind.name)
        } else if kind.counter {
            format!("{0}, {0}_delta, {0}_per_second", kind.name)
        } else {
            kind.name.to_owned()
        }
    };
    kinds.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: &[MetricKind] = &[
        MetricKind { warning: Some("1"), ..MetricKind::new("response_seconds", MetricUnit::Seconds) },
        MetricKind { percentiles: true, ..MetricKind::new("write_seconds", MetricUnit::Seconds) },
    ];

    fn check(warning: &str, name: &str, expected: Result<Option<&str>, &str>) {
        let thresholds = Thresholds::parse(KINDS, &[warning.to_owned()], &[]);
        let found = thresholds.map(|all| all.warning(name).map(|range| range.to_string()));
        match expected {
            Ok(range) => assert_eq!(found, Ok(range.map(str::to_owned))),
            Err(part) => assert!(found.unwrap_err().contains(part)),
        }
    }

    #[test]
    fn given_ranges_go_before_the_kinds_own() {
        check("write_seconds_p95=2", "response_seconds", Ok(Some("1")));
        check("write_seconds_p95=2", "write_seconds_p95", Ok(Some("2")));
        check("write_seconds_p95=2", "write_seconds_p50", Ok(None));
        check("response_seconds=~:", "response_seconds", Ok(Some("~:")));
    }

    #[test]
    fn unknown_metrics_are_refused_by_name() {
        check("speed=1", "speed", Err("response_seconds, write_seconds_{min,"));
        check("write_seconds=1", "", Err("no metric `write_seconds`; is it `write_seconds_max`?"));
        check("respose-seconds=1", "", Err("no metric `respose-seconds`; is it `response_seconds`?"));
        check("response_seconds", "", Err("not METRIC=RANGE"));
        check("response_seconds=1MB", "", Err("\"1MB\" is not a duration"));
    }
}
